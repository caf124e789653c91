//! The one place that sets terminal modes, with the one list that undoes them: on return, error, panic, signals and
//! Ctrl-Z.

use std::backtrace::Backtrace;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use nix::sys::signal::{Signal, raise};
use nix::sys::termios::{self, SetArg};

use super::attend;
use super::signals::stops;

/// How long a terminal that takes nothing may hold up whoever leaves.
pub const STUCK_LIMIT: Duration = Duration::from_millis(200);

/// The exit code after a panic, as Rust's own.
const PANICKED: i32 = 101;

struct Mode {
    set: &'static str,
    undo: &'static str,
}

/// All modes but the line discipline, in the order of undoing; they are set in the opposite order. The alternate
/// screen is left last, so that nothing of ours reaches the person's own screen.
const MODES: &[Mode] = &[
    // A string terminator: whatever escape a writer was stopped in is over, and a terminal ignores it otherwise.
    Mode { set: "", undo: "\x1b\\" },
    // A synchronised update that was left open would keep the screen frozen.
    Mode { set: "", undo: "\x1b[?2026l" },
    Mode { set: "\x1b[0m", undo: "\x1b[0m" },
    // No mouse at first: an earlier program may have left it on. Where it is wanted, `MOUSE` comes after all of these.
    Mode { set: NO_MOUSE, undo: NO_MOUSE },
    Mode { set: "\x1b[?2004h", undo: "\x1b[?2004l" },
    // The terminal says when its window comes to the front and when it goes: who looks is told what was missed.
    Mode { set: "\x1b[?1004h", undo: "\x1b[?1004l" },
    Mode { set: "\x1b[?25l", undo: "\x1b[?25h" },
    Mode { set: "\x1b[?1049h", undo: "\x1b[?1049l" },
];

/// Presses and the wheel (1000), told in decimal numbers that no screen is too wide for (1006). No movement: it would come
/// many times a second and mean nothing here. See xterm's control sequences, "Mouse Tracking".
const MOUSE: &str = "\x1b[?1000h\x1b[?1006h";
/// All ways of telling of the mouse, off.
const NO_MOUSE: &str = "\x1b[?1006l\x1b[?1003l\x1b[?1002l\x1b[?1000l";

/// The terminal's modes: raw input and all of `MODES`.
#[derive(Debug, Default)]
pub struct Modes {
    /// True from the setting to the restoring. Held locked while restoring, so that a second way out waits for it.
    on: Mutex<bool>,
    /// True where the mouse is wanted too.
    mouse: AtomicBool,
    /// True once the title was set: it is given back too.
    titled: AtomicBool,
}

impl Modes {
    /// Makes input raw, and returns the bytes that set the rest: they go out before the next frame, in its write, so
    /// that a stuck terminal holds nobody up here. Repeating it is right after another program had the terminal.
    ///
    /// # Errors
    /// Where the terminal's attributes cannot be set.
    pub fn set(&self) -> io::Result<Vec<u8>> {
        let mut on = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        if *on {
            // The library takes it for raw already and sets nothing; and to undo first would echo what is typed meanwhile.
            let tty = tty()?;
            let mut attributes = termios::tcgetattr(&tty)?;
            termios::cfmakeraw(&mut attributes);
            termios::tcsetattr(&tty, SetArg::TCSANOW, &attributes)?;
        } else {
            *on = true;
            enable_raw_mode()?;
        }
        let mouse = if self.mouse.load(Ordering::SeqCst) { MOUSE } else { "" };
        Ok(MODES.iter().rev().flat_map(|mode| mode.set.bytes()).chain(mouse.bytes()).collect())
    }

    /// Whether the mouse is wanted, from now on and whenever the modes are set again. The bytes that say so go out before
    /// the next frame. Undoing all turns it off whatever was wanted.
    pub fn mouse(&self, wanted: bool) -> Vec<u8> {
        self.mouse.store(wanted, Ordering::SeqCst);
        if wanted { MOUSE } else { NO_MOUSE }.into()
    }

    /// The bytes that set this title. The first of them keeps the one before for [`Modes::restore`].
    pub fn title(&self, title: &str) -> Vec<u8> {
        attend::title(title, !self.titled.swap(true, Ordering::SeqCst))
    }

    /// Undoes all that [`Modes::set`] set, once. Writes to the terminal itself, whatever a frame in flight does, and
    /// gives up after [`STUCK_LIMIT`].
    pub fn restore(&self) {
        let mut on = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::take(&mut *on) {
            return;
        }
        let titled = self.titled.swap(false, Ordering::SeqCst);
        bounded(move || {
            // Errors say that the terminal is gone: there is nothing left to restore.
            let _ = disable_raw_mode();
            if let Ok(mut tty) = tty() {
                let mut undo: Vec<u8> = MODES.iter().flat_map(|mode| mode.undo.bytes()).collect();
                if titled {
                    undo.extend_from_slice(attend::UNTITLE);
                }
                let _ = tty.write_all(&undo);
            }
        });
    }

    /// Gives the terminal back and stops until `fg`. In a process group that no shell looks after, the kernel does not
    /// stop us, and we just go on.
    pub fn suspend(&self) {
        self.restore();
        // Held everywhere else (see `signals::hold_stops`); let through here, it does what it does by default.
        let _ = stops().thread_unblock();
        let _ = raise(Signal::SIGTSTP);
        let _ = stops().thread_block();
    }
}

/// Writes what the log still holds.
pub type Flush = Arc<dyn Fn() + Send + Sync>;

/// Sees to it that the modes are undone at the latest when it is dropped.
#[derive(Debug, Default)]
pub struct Guard {
    modes: Arc<Modes>,
}

impl Guard {
    /// A guard over a terminal that is still as the shell left it.
    pub fn new() -> Guard {
        Guard::default()
    }

    /// The modes that it guards.
    pub fn modes(&self) -> Arc<Modes> {
        self.modes.clone()
    }

    /// Undoes all; see [`Modes::restore`].
    pub fn restore(&self) {
        self.modes.restore();
    }

    /// From now on a panic of any thread goes to the log, restores the terminal, is told on standard error and ends
    /// the process with 101: a console that lost a part of itself must not go on looking alive. `flush` writes what the
    /// log still holds; it is waited for no longer than [`STUCK_LIMIT`].
    pub fn catch_panics(&self, flush: Flush) {
        let modes = self.modes.clone();
        std::panic::set_hook(Box::new(move |info| {
            let what = info.to_string();
            tracing::error!(panic = %what, backtrace = %Backtrace::force_capture(), "panicked");
            modes.restore();
            bounded(move || {
                let _ = writeln!(
                    io::stderr(),
                    "qd: {what}\nThis is a bug in Quarterdeck. The log has the details (`qd paths` says where it is)."
                );
            });
            let flush = flush.clone();
            bounded(move || flush());
            #[allow(clippy::exit, reason = "the only way to end the process from a worker's panic")]
            std::process::exit(PANICKED)
        }));
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.restore();
    }
}

/// The terminal, past the buffer and lock of `std::io::stdout`.
///
/// # Errors
/// Where the process has no file descriptor left.
pub fn tty() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// Does that, but waits for it no longer than [`STUCK_LIMIT`].
fn bounded(work: impl FnOnce() + Send + 'static) {
    let (done, end) = mpsc::sync_channel(1);
    let spawned = thread::Builder::new().name("qd-restore".into()).spawn(move || {
        work();
        let _ = done.send(());
    });
    if spawned.is_ok() {
        let _ = end.recv_timeout(STUCK_LIMIT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_that_is_set_is_undone_and_the_alternate_screen_is_left_last() {
        for mode in MODES.iter().filter(|m| m.set.ends_with('h') || m.set == "\x1b[?25l") {
            assert_eq!(mode.set[..mode.set.len() - 1], mode.undo[..mode.undo.len() - 1]);
            assert_ne!(mode.set, mode.undo);
        }
        assert_eq!(MODES.last().unwrap().undo, "\x1b[?1049l");
    }

    #[test]
    fn each_way_of_telling_of_the_mouse_is_off_on_every_way_out() {
        let undo: String = MODES.iter().map(|mode| mode.undo).collect();
        for number in MOUSE.split("\x1b[?").filter(|part| !part.is_empty()) {
            assert!(undo.contains(&format!("\x1b[?{}l", number.trim_end_matches('h'))), "{number}");
        }
        let screen = undo.find("\x1b[?1049l").unwrap();
        assert!(undo.rfind("\x1b[?1000l").unwrap() < screen, "before the person's own screen comes back");
        assert!(!MOUSE.contains("1003"), "movement alone is never told");
        let modes = Modes::default();
        assert_eq!(modes.mouse(true), MOUSE.as_bytes());
        assert_eq!(modes.mouse(false), NO_MOUSE.as_bytes());
    }

    #[test]
    fn work_that_never_ends_holds_nobody_up() {
        let (keep, forever) = mpsc::channel::<()>();
        let (ended, end) = mpsc::channel();
        let waiter = thread::spawn(move || {
            bounded(move || {
                let _ = forever.recv();
            });
            ended.send(()).unwrap();
        });
        end.recv().unwrap();
        drop(keep);
        waiter.join().unwrap();
    }

    #[test]
    fn restoring_what_was_never_set_touches_nothing() {
        let guard = Guard::new();
        guard.restore();
        guard.restore();
        assert!(!*guard.modes.on.lock().unwrap());
    }
}
