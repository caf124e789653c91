//! The signals that ask a subcommand to stop.

use std::io;

/// Ctrl-C, SIGTERM, and the terminal's end.
pub struct Stops([tokio::signal::unix::Signal; 3]);

impl Stops {
    /// From now on.
    ///
    /// # Errors
    /// Where the system has no room for it.
    pub fn listen() -> io::Result<Stops> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Stops([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?]))
    }

    /// Waits until one of them comes.
    pub async fn wanted(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
