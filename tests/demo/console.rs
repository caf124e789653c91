//! The console on a practice estate, on a real pseudo-terminal: what it shows, and that nothing is left after it.

use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use crate::practice::{PATIENCE, leftovers, services, until_gone};

/// `qd demo` on its own terminal.
struct Console {
    master: Option<Box<dyn portable_pty::MasterPty + Send>>,
    keys: Option<Box<dyn Write + Send>>,
    shown: Arc<(Mutex<vt100::Parser>, Condvar)>,
    exit: mpsc::Receiver<u32>,
    pid: Pid,
    home: tempfile::TempDir,
}

impl Console {
    fn open(arguments: &[&str]) -> Console {
        let home = tempfile::Builder::new().prefix("qd-demo-").tempdir().unwrap();
        let pair = native_pty_system().openpty(PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_qd"));
        command.arg("demo");
        command.args(arguments);
        command.env_clear();
        command.cwd(home.path());
        for (name, value) in [("PATH", "/usr/bin:/bin"), ("TERM", "xterm-256color"), ("LANG", "C.UTF-8")] {
            command.env(name, value);
        }
        command.env("HOME", home.path());
        let mut child = pair.slave.spawn_command(command).unwrap();
        let pid = Pid::from_raw(child.process_id().unwrap().try_into().unwrap());
        let (exited, exit) = mpsc::channel();
        thread::spawn(move || exited.send(child.wait().unwrap().exit_code()));
        let shown = Arc::new((Mutex::new(vt100::Parser::new(40, 120, 0)), Condvar::new()));
        let (mut from, to) = (pair.master.try_clone_reader().unwrap(), shown.clone());
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = from.read(&mut bytes) {
                to.0.lock().unwrap().process(&bytes[..n]);
                to.1.notify_all();
            }
        });
        let keys = Some(pair.master.take_writer().unwrap());
        Console { master: Some(pair.master), keys, shown, exit, pid, home }
    }

    /// Waits until the screen holds all of these.
    fn until(&self, words: &[&str]) {
        let (lock, changed) = &*self.shown;
        let last = Instant::now() + PATIENCE;
        let mut shown = lock.lock().unwrap();
        loop {
            let text = shown.screen().contents();
            if words.iter().all(|word| text.contains(word)) {
                return;
            }
            let left = last.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{words:?} never came; the screen is:\n{text}");
            shown = changed.wait_timeout(shown, left).unwrap().0;
        }
    }

    fn press(&mut self, keys: &[u8]) {
        let to = self.keys.as_mut().unwrap();
        to.write_all(keys).unwrap();
        to.flush().unwrap();
    }

    fn exit_code(&self) -> u32 {
        self.exit.recv_timeout(PATIENCE).expect("the console does not end")
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

#[test]
fn the_console_opens_on_practice_says_so_and_leaves_nothing_after_q() {
    let mut console = Console::open(&[]);
    console.until(&["practice", "north", "south", "web", "clients", "Practice: nothing here is production"]);
    assert_eq!(services(console.home.path()).len(), 7);
    console.press(b"q");
    assert_eq!(console.exit_code(), 0);
    assert_eq!(leftovers(console.home.path()), Vec::<String>::new());
    let left = std::fs::read_dir(console.home.path().join(".local/state/quarterdeck/demo")).unwrap().count();
    assert_eq!(left, 0, "the folder is removed");
}

#[test]
fn nothing_is_left_after_signals_a_closed_terminal_and_kill_9() {
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let console = Console::open(&[]);
        console.until(&["practice", "north"]);
        kill(console.pid, signal).unwrap();
        assert_eq!(console.exit_code(), code);
        assert_eq!(leftovers(console.home.path()), Vec::<String>::new(), "{signal}");
    }
    let mut console = Console::open(&[]);
    console.until(&["practice", "north"]);
    kill(console.pid, Signal::SIGKILL).unwrap();
    console.exit_code();
    until_gone(console.home.path());
    drop((console.keys.take(), console.master.take()));
}
