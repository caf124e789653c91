//! The finished binary on a pseudo-terminal: keys in, and what the terminal got and shows.

#![allow(dead_code, reason = "no test file uses all of it")]

pub mod scan;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use portable_pty::{CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};

/// No test asserts on time: this only ends a test that would hang.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// What the terminal got, and what it shows.
pub struct Shown {
    pub parser: vt100::Parser,
    pub raw: Vec<u8>,
    pub ended: bool,
}

/// One `qd` on its own terminal and in its own home.
pub struct Console {
    pub master: Option<Box<dyn MasterPty + Send>>,
    pub slave: Option<Box<dyn SlavePty + Send>>,
    pub keys: Option<Box<dyn Write + Send>>,
    pub shown: Arc<(Mutex<Shown>, Condvar)>,
    deaf: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
    pub exit: mpsc::Receiver<u32>,
    pub pid: Pid,
    pub modes_before: String,
    pub home: tempfile::TempDir,
}

pub fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

/// A port of this machine where nobody listens.
pub fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The text of an estate with one source, where nobody listens.
pub fn dead_estate() -> String {
    format!(
        "version = 1\n\n[estate]\nname = \"harbour\"\nenvironment = \"test\"\n\n\
         [[source]]\nname = \"alerts\"\nkind = \"alertmanager\"\nurls = [\"http://127.0.0.1:{}\"]\nevery = \"5s\"\n",
        closed_port()
    )
}

pub fn write_estate(home: &Path, text: &str) -> PathBuf {
    let path = home.join("estate.toml");
    std::fs::write(&path, text).unwrap();
    path
}

impl Console {
    /// `qd --estate PATH` at 80x24.
    pub fn open(env: &[(&str, &str)]) -> Console {
        Console::spawn(&["sh", "-c", "exec \"$QD\" --estate \"$ESTATE\""], env, (80, 24))
    }

    /// Any command, with `QD` and `ESTATE` in its environment.
    pub fn spawn(argv: &[&str], env: &[(&str, &str)], size: (u16, u16)) -> Console {
        Console::over(tempfile::tempdir().unwrap(), &dead_estate(), argv, env, size)
    }

    /// The same over an estate of that text, with that home.
    pub fn over(home: tempfile::TempDir, estate: &str, argv: &[&str], env: &[(&str, &str)], (columns, rows): (u16, u16)) -> Console {
        let estate = write_estate(home.path(), estate);
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let modes_before = format!("{:?}", pair.master.get_termios().unwrap());

        let mut command = CommandBuilder::new(argv[0]);
        command.args(&argv[1..]);
        command.env_clear();
        command.cwd(home.path());
        for (name, value) in [("PATH", "/usr/bin:/bin"), ("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("QD", env!("CARGO_BIN_EXE_qd"))]
        {
            command.env(name, value);
        }
        command.env("HOME", home.path());
        command.env("ESTATE", &estate);
        for (name, value) in env {
            command.env(name, value);
        }
        let mut child = pair.slave.spawn_command(command).unwrap();
        let pid = Pid::from_raw(child.process_id().unwrap().try_into().unwrap());
        let (exited, exit) = mpsc::channel();
        thread::spawn(move || {
            let status = child.wait().unwrap();
            assert_eq!(status.signal(), None, "it ends by itself, never by a signal");
            let _ = exited.send(status.exit_code());
        });

        let parser = vt100::Parser::new(rows, columns, 0);
        let shown = Arc::new((Mutex::new(Shown { parser, raw: Vec::new(), ended: false }), Condvar::new()));
        let deaf = Arc::new(AtomicBool::new(false));
        let mut from = pair.master.try_clone_reader().unwrap();
        let (to, stop) = (shown.clone(), deaf.clone());
        let reader = thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = from.read(&mut bytes) {
                let mut shown = to.0.lock().unwrap();
                shown.raw.extend_from_slice(&bytes[..n]);
                shown.parser.process(&bytes[..n]);
                to.1.notify_all();
                if stop.load(Ordering::SeqCst) {
                    break;
                }
            }
            to.0.lock().unwrap().ended = true;
            to.1.notify_all();
        });
        let keys = Some(pair.master.take_writer().unwrap());
        Console {
            master: Some(pair.master),
            slave: Some(pair.slave),
            keys,
            shown,
            deaf,
            reader: Some(reader),
            exit,
            pid,
            modes_before,
            home,
        }
    }

    /// Waits until the terminal shows that.
    pub fn until(&self, what: &str, seen: impl Fn(&vt100::Screen) -> bool) {
        let (lock, changed) = &*self.shown;
        let end = Instant::now() + DEADLINE;
        let mut shown = lock.lock().unwrap();
        while !seen(shown.parser.screen()) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !shown.ended, "{what} never came; the screen is:\n{}", shown.parser.screen().contents());
            shown = changed.wait_timeout(shown, left).unwrap().0;
        }
    }

    /// Waits until the terminal got that.
    pub fn until_raw(&self, what: &str, got: impl Fn(&[u8]) -> bool) {
        let (lock, changed) = &*self.shown;
        let end = Instant::now() + DEADLINE;
        let mut shown = lock.lock().unwrap();
        while !got(&shown.raw) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !shown.ended, "{what} never came; the screen is:\n{}", shown.parser.screen().contents());
            shown = changed.wait_timeout(shown, left).unwrap().0;
        }
    }

    /// Waits until the terminal got more than so many bytes.
    pub fn until_more_than(&self, bytes: usize) {
        self.until_raw("another frame", |raw| raw.len() > bytes);
    }

    /// Waits until the console is there, with its first source tried.
    pub fn ready(&self) {
        self.until("the console with its dead source", |screen| {
            screen.alternate_screen() && screen.contents().contains("harbour") && screen.contents().contains("unreachable")
        });
        self.until("its modes", |screen| screen.hide_cursor() && screen.bracketed_paste());
        assert_ne!(self.modes(), self.modes_before, "input is raw");
    }

    pub fn modes(&self) -> String {
        format!("{:?}", self.master.as_ref().unwrap().get_termios().unwrap())
    }

    pub fn press(&mut self, keys: &[u8]) {
        let to = self.keys.as_mut().unwrap();
        to.write_all(keys).unwrap();
        to.flush().unwrap();
    }

    /// Presses a key that asks for a change until it counts: just after the row under the cursor became another one it does
    /// not. Waits for what it shows then.
    #[allow(dead_code, reason = "not every file of tests asks for a change")]
    pub fn ask(&mut self, key: &[u8], what: &str, shows: impl Fn(&vt100::Screen) -> bool) {
        let early = |screen: &vt100::Screen| screen.contents().contains(": too early: the row");
        loop {
            self.press(key);
            self.until(what, |screen| shows(screen) || early(screen));
            if !early(self.shown.0.lock().unwrap().parser.screen()) {
                return;
            }
            // Any key takes the words away, so that they are not taken for an answer to the next press.
            self.press(b"\x0c");
            self.until("that the words are gone", |screen| !early(screen));
        }
    }

    pub fn signal(&self, signal: Signal) {
        kill(self.pid, signal).unwrap();
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        self.shown.0.lock().unwrap().parser.screen_mut().set_size(rows, columns);
        self.master.as_ref().unwrap().resize(size(columns, rows)).unwrap();
    }

    pub fn exit_code(&self) -> u32 {
        self.exit.recv_timeout(DEADLINE).expect("the console does not end")
    }

    /// Lets the reading end, so that no one holds the terminal's far end but `master`.
    pub fn stop_reading(&mut self) {
        self.deaf.store(true, Ordering::SeqCst);
        self.press(b"\x0c"); // Ctrl-L: the frame that follows wakes the reader
        self.reader.take().unwrap().join().unwrap();
    }

    /// Waits for the end, and holds that the terminal is as it was.
    pub fn ends_with(self, code: u32) -> String {
        assert_eq!(self.exit_code(), code);
        self.restored()
    }

    /// After the end: the terminal is as it was.
    pub fn restored(self) -> String {
        let (wrong, left) = self.left();
        assert_eq!(wrong, Vec::<&str>::new(), "{left}");
        left
    }

    /// After the end: what of the terminal is not as it was, and what it shows.
    pub fn left(mut self) -> (Vec<&'static str>, String) {
        let modes = self.modes() != self.modes_before;
        drop(self.slave.take());
        self.reader.take().unwrap().join().unwrap();
        let shown = self.shown.0.lock().unwrap();
        let screen = shown.parser.screen();
        let last = |what: &[u8]| shown.raw.windows(what.len()).rposition(|bytes| bytes == what);
        let wrong = [
            (modes, "the line discipline is not as before"),
            (screen.alternate_screen(), "the alternate screen is not left"),
            (screen.hide_cursor(), "the cursor is hidden"),
            (screen.bracketed_paste(), "paste is bracketed"),
            (screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None, "the mouse is not the terminal's"),
            (last(b"\x1b[?2026h") > last(b"\x1b[?2026l"), "a synchronised update is open"),
        ];
        (wrong.into_iter().filter_map(|(is, what)| is.then_some(what)).collect(), screen.contents())
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // Where a test failed: our own child, by its own number.
        if self.exit.try_recv() == Err(mpsc::TryRecvError::Empty) {
            let _ = kill(self.pid, Signal::SIGKILL);
        }
    }
}
