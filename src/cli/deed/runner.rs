//! `qd runner`: the process that carries a run out. It is started by qd itself, and by nobody else.

use std::future::Future;
use std::io::{BufReader, Write};

use color_eyre::eyre::eyre;

use crate::model::event::Actor;
use crate::model::run::RunState;
use crate::operate::attach::{Started, prepare};
use crate::operate::runner::process::{Prepare, serve};
use crate::operate::runner::{Outcome, Pace};
use crate::operate::world::World;

use super::super::failure::Failure;
use super::super::settings::Settings;
use super::super::{FAILED, OK};
use super::Ground;

/// The word of the command line that makes this program a runner.
pub const WORD: &str = "runner";

/// Carries out what standard input says, in the world that `make` opens: 0 where the run ended or nothing was begun.
pub fn run<W: World, M: FnOnce(&str, &Actor) -> W, F: Future<Output = Result<M, String>>>(
    make: impl FnOnce(Prepare) -> F,
    err: &mut dyn Write,
) -> Result<u8, Failure> {
    // Standard error becomes the run's log.
    let _ = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).try_init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(color_eyre::Report::from)?;
    let answer = |line: &str| {
        let mut out = std::io::stdout();
        // Whoever started it may be gone: the run goes on.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    };
    let served = runtime.block_on(serve(BufReader::new(std::io::stdin()), answer, make, Pace::default()));
    runtime.shutdown_background();
    match served {
        Ok(None | Some(Outcome::Ended(_))) => Ok(OK),
        Ok(Some(Outcome::Stopped(why))) => {
            writeln!(err, "the run may be resumed: {why}")?;
            Ok(FAILED)
        }
        Err(error) => Err(Failure::Other(eyre!("{error}"))),
    }
}

/// A runner that makes ready.
pub(super) fn ready(settings: &Settings<'_>, what: Prepare) -> Result<crate::operate::attach::Prepared, Failure> {
    let log = settings.paths.log().ok_or_else(|| eyre!("there is no folder for the log: set HOME or XDG_STATE_HOME"))?;
    Ok(prepare(&[WORD], what, &log.join("runner.log")).map_err(color_eyre::Report::from)?)
}

/// Starts a runner for a run whose own is gone.
pub(super) fn resume(settings: &Settings<'_>, ground: &Ground, state: &RunState, by: Actor, lease: u64) -> Result<Started, Failure> {
    let estate = settings.estate()?;
    let hand = settings.hand(Some(&estate));
    let prepared = ready(settings, ground.prepare(settings.estate_path()?, &state.plan, lease))?;
    Ok(prepared.resume(&state.run, by, hand.estate).map_err(color_eyre::Report::from)?)
}
