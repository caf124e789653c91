//! What the system tells the process: signals, and that the terminal is gone.

use std::io;
use std::os::fd::AsFd;
use std::thread;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// The exit code when the terminal is gone: hang-up, end of input, or an error of reading or writing it.
pub const HUNG_UP: u8 = 129;

/// One thing that the system told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// Leave, with this exit code.
    End(u8),
    /// Give the terminal back and stop: someone asked for it with SIGTSTP.
    Stop,
    /// We were stopped and go on; another program may have had the terminal meanwhile.
    Continued,
}

/// Keeps SIGTSTP from stopping this thread and those that it starts from now on: the terminal is given back first. To be
/// called before there are other threads. Programs that are started are not touched: the library that starts them
/// clears their mask.
///
/// # Errors
/// None in practice.
pub fn hold_stops() -> io::Result<()> {
    stops().thread_block().map_err(io::Error::from)
}

/// The signal that stops a program from its terminal.
pub fn stops() -> SigSet {
    let mut stops = SigSet::empty();
    stops.add(Signal::SIGTSTP);
    stops
}

/// Listens to signals and watches the terminal. Runs inside the runtime. A new window size comes with the input
/// instead: the library that reads it listens to SIGWINCH itself.
///
/// # Errors
/// Where a handler cannot be installed.
pub fn listen() -> io::Result<mpsc::Receiver<Notice>> {
    let (out, notices) = mpsc::channel(8);
    for (kind, notice) in [
        (SignalKind::hangup(), Notice::End(HUNG_UP)),
        (SignalKind::interrupt(), Notice::End(130)),
        (SignalKind::quit(), Notice::End(131)),
        (SignalKind::terminate(), Notice::End(143)),
        (SignalKind::from_raw(Signal::SIGCONT as i32), Notice::Continued),
    ] {
        let (mut signals, out) = (signal(kind)?, out.clone());
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if out.send(notice).await.is_err() {
                    return;
                }
            }
        });
    }
    let stopped = out.clone();
    thread::Builder::new().name("qd-stop".into()).spawn(
        move || {
            while stops().wait().is_ok() && stopped.blocking_send(Notice::Stop).is_ok() {}
        },
    )?;
    thread::Builder::new().name("qd-hangup".into()).spawn(move || {
        until_gone(&io::stdin());
        let _ = out.blocking_send(Notice::End(HUNG_UP));
    })?;
    Ok(notices)
}

/// Returns when the other end of a terminal or pipe is closed. It asks for no event: hang-up and error are reported
/// without being asked for, so that typing does not wake it. SIGHUP alone is not enough: under `nohup`, or when we are
/// not in the terminal's foreground, none comes.
fn until_gone(terminal: &impl AsFd) {
    let mut watched = [PollFd::new(terminal.as_fd(), PollFlags::empty())];
    while let Ok(0) | Err(Errno::EINTR) = poll(&mut watched, PollTimeout::NONE) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn input_is_no_hangup_and_a_closed_end_is_one() {
        let (near, far) = std::os::unix::net::UnixStream::pair().unwrap();
        let (ended, end) = std::sync::mpsc::channel();
        (&far).write_all(b"typed").unwrap();
        let mut now = [PollFd::new(near.as_fd(), PollFlags::empty())];
        assert_eq!(poll(&mut now, PollTimeout::ZERO), Ok(0), "bytes that wait do not wake it");
        let watcher = thread::spawn(move || {
            until_gone(&near);
            ended.send(()).unwrap();
        });
        drop(far);
        end.recv().unwrap();
        watcher.join().unwrap();
    }
}
