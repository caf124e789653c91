//! Asynchronous work of a command that waits for it.

use tokio::runtime::{Builder, Runtime};

use super::failure::Failure;

/// Does it on this thread. What it left undone, such as a name that is still being looked up, is left behind and keeps
/// nobody here. `Err` where no runtime can be started.
pub(super) fn for_it<F: Future>(work: F) -> Result<F::Output, Failure> {
    Ok(done(Builder::new_current_thread().enable_all().build().map_err(color_eyre::Report::from)?, work))
}

/// The same on two more threads, where what it does would else wait for itself: hosts are asked side by side.
pub(super) fn side_by_side<F: Future>(work: F) -> Result<F::Output, Failure> {
    Ok(done(Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(color_eyre::Report::from)?, work))
}

fn done<F: Future>(runtime: Runtime, work: F) -> F::Output {
    let output = runtime.block_on(work);
    runtime.shutdown_background();
    output
}
