//! The finished binary on a real pseudo-terminal: every way out, and what it leaves of the terminal.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here fails the test")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use portable_pty::{CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};

/// No test asserts on time: this only ends a test that would hang.
const DEADLINE: Duration = Duration::from_secs(30);

/// What the terminal got, and what it shows.
struct Shown {
    parser: vt100::Parser,
    raw: Vec<u8>,
    ended: bool,
}

/// One `qd` on its own terminal and in its own home.
struct Console {
    master: Option<Box<dyn MasterPty + Send>>,
    slave: Option<Box<dyn SlavePty + Send>>,
    keys: Option<Box<dyn Write + Send>>,
    shown: Arc<(Mutex<Shown>, Condvar)>,
    deaf: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
    exit: mpsc::Receiver<u32>,
    pid: Pid,
    modes_before: String,
    _home: tempfile::TempDir,
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

/// A port of this machine where nobody listens.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn write_estate(home: &tempfile::TempDir) -> PathBuf {
    let path = home.path().join("estate.toml");
    let text = format!(
        "version = 1\n\n[estate]\nname = \"harbour\"\nenvironment = \"test\"\n\n\
         [[source]]\nname = \"alerts\"\nkind = \"alertmanager\"\nurls = [\"http://127.0.0.1:{}\"]\nevery = \"5s\"\n",
        closed_port()
    );
    std::fs::write(&path, text).unwrap();
    path
}

impl Console {
    /// `qd --estate PATH` at 80x24.
    fn open(env: &[(&str, &str)]) -> Console {
        Console::spawn(&["sh", "-c", "exec \"$QD\" --estate \"$ESTATE\""], env, (80, 24))
    }

    /// Any command, with `QD` and `ESTATE` in its environment.
    fn spawn(argv: &[&str], env: &[(&str, &str)], (columns, rows): (u16, u16)) -> Console {
        let home = tempfile::tempdir().unwrap();
        let estate = write_estate(&home);
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
            _home: home,
        }
    }

    /// Waits until the terminal shows that.
    fn until(&self, what: &str, seen: impl Fn(&vt100::Screen) -> bool) {
        let (lock, changed) = &*self.shown;
        let end = Instant::now() + DEADLINE;
        let mut shown = lock.lock().unwrap();
        while !seen(shown.parser.screen()) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !shown.ended, "{what} never came; the screen is:\n{}", shown.parser.screen().contents());
            shown = changed.wait_timeout(shown, left).unwrap().0;
        }
    }

    /// Waits until the console is there, with its first source tried.
    fn ready(&self) {
        self.until("the console with its dead source", |screen| {
            screen.alternate_screen() && screen.contents().contains("harbour") && screen.contents().contains("unreachable")
        });
        self.until("its modes", |screen| screen.hide_cursor() && screen.bracketed_paste());
        assert_ne!(self.modes(), self.modes_before, "input is raw");
    }

    fn modes(&self) -> String {
        format!("{:?}", self.master.as_ref().unwrap().get_termios().unwrap())
    }

    fn press(&mut self, keys: &[u8]) {
        let to = self.keys.as_mut().unwrap();
        to.write_all(keys).unwrap();
        to.flush().unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill(self.pid, signal).unwrap();
    }

    fn resize(&self, columns: u16, rows: u16) {
        self.shown.0.lock().unwrap().parser.screen_mut().set_size(rows, columns);
        self.master.as_ref().unwrap().resize(size(columns, rows)).unwrap();
    }

    fn exit_code(&self) -> u32 {
        self.exit.recv_timeout(DEADLINE).expect("the console does not end")
    }

    /// Lets the reading end, so that no one holds the terminal's far end but `master`.
    fn stop_reading(&mut self) {
        self.deaf.store(true, Ordering::SeqCst);
        self.press(b"\x0c"); // Ctrl-L: the frame that follows wakes the reader
        self.reader.take().unwrap().join().unwrap();
    }

    /// Waits for the end, and holds that the terminal is as it was.
    fn ends_with(self, code: u32) -> String {
        assert_eq!(self.exit_code(), code);
        self.restored()
    }

    /// After the end: the terminal is as it was.
    fn restored(mut self) -> String {
        assert_eq!(self.modes(), self.modes_before, "the line discipline is as before");
        drop(self.slave.take());
        self.reader.take().unwrap().join().unwrap();
        let shown = self.shown.0.lock().unwrap();
        let screen = shown.parser.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.hide_cursor(), "the cursor is shown");
        assert!(!screen.bracketed_paste(), "paste is not bracketed");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        let last = |what: &[u8]| shown.raw.windows(what.len()).rposition(|bytes| bytes == what);
        assert!(last(b"\x1b[?2026l") > last(b"\x1b[?2026h"), "no synchronised update is open");
        screen.contents()
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
fn q_leaves_with_0() {
    let mut console = Console::open(&[]);
    console.ready();
    console.press(b"q");
    assert_eq!(console.ends_with(0).trim(), "", "nothing is left on the person's screen");
}

#[test]
fn ctrl_c_leaves_with_130() {
    let mut console = Console::open(&[]);
    console.ready();
    console.press(b"\x03");
    console.ends_with(130);
}

#[test]
fn signals_leave_with_their_codes() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let console = Console::open(&[]);
        console.ready();
        console.signal(signal);
        console.ends_with(code);
    }
}

#[test]
fn a_panic_restores_the_terminal_says_so_and_leaves_with_101() {
    let mut console = Console::open(&[("QD_PANIC_KEY", "f12")]);
    console.ready();
    console.press(b"\x1b[24~");
    assert_eq!(console.exit_code(), 101);
    let log = std::fs::read_to_string(console._home.path().join(".local/state/quarterdeck/log/qd.log")).unwrap();
    assert!(log.contains("panicked") && log.contains("QD_PANIC_KEY"), "the log has it too: {log}");
    let left = console.restored();
    assert!(left.contains("QD_PANIC_KEY") && left.contains("bug"), "{left}");
}

#[test]
fn a_closed_terminal_leaves_no_process() {
    let mut console = Console::open(&[]);
    console.ready();
    console.stop_reading();
    drop(console.slave.take());
    drop(console.keys.take());
    drop(console.master.take());
    assert_eq!(console.exit_code(), 129);
}

#[test]
fn a_closed_terminal_leaves_no_process_where_no_hangup_signal_comes() {
    // In a session of its own: the kernel tells the terminal's session only, and the shell there ignores it.
    let script = "trap '' HUP; setsid -w \"$QD\" --estate \"$ESTATE\"; exit $?";
    let mut console = Console::spawn(&["sh", "-c", script], &[], (80, 24));
    console.ready();
    console.stop_reading();
    drop(console.slave.take());
    drop(console.keys.take());
    drop(console.master.take());
    assert_eq!(console.exit_code(), 129);
}

#[test]
fn a_terminal_that_takes_nothing_can_be_left() {
    let mut console = Console::open(&[]);
    console.ready();
    console.stop_reading();
    for turn in 0..200 {
        console.resize(80 + turn % 2, 24); // frames until the terminal's buffer is full
    }
    console.signal(Signal::SIGTERM);
    assert_eq!(console.exit_code(), 143);
}

#[test]
fn a_new_size_is_drawn() {
    let mut console = Console::open(&[]);
    console.ready();
    console.resize(120, 40);
    console.until("the footer on the new last line", |screen| {
        screen.size() == (40, 120) && !screen.rows(0, 120).last().unwrap_or_default().trim().is_empty()
    });
    console.press(b"q");
    console.ends_with(0);
}

#[test]
fn the_most_used_keys_do_what_help_says() {
    let mut console = Console::open(&[]);
    console.ready();
    for (key, shows) in [
        ("2", "SEVERITY"),
        ("3", "PANELS"),
        ("1", "NEEDS YOU"),
        ("\t", "SEVERITY"),
        ("?", "KEYS"),
        ("q", "SEVERITY"), // closes the help, not the console
        (":", "pane overview"),
        ("metrics", "pane metrics"),
        ("\r", "PANELS"),
        ("/", "/_"), // the filter line
        ("nothing", "/nothing"),
        ("\r", "nothing"),
        ("p", "FROZEN"),
        ("1", "SOURCES"),
        ("\r", "http://127.0.0.1:"), // looks closer at the dead source
        ("z", "SOURCE"),
    ] {
        console.press(key.as_bytes());
        console.until(&format!("{shows:?} after {key:?}"), |screen| screen.contents().contains(shows));
    }
    console.press(b"\x1b");
    console.until("the Overview after Esc", |screen| screen.contents().contains("NEEDS YOU"));
    console.press(b"p");
    console.until("the end of the freeze", |screen| !screen.contents().contains("FROZEN"));
    console.press(b"q");
    console.ends_with(0);
}

#[test]
fn ctrl_z_gives_the_shell_back_and_fg_the_console() {
    let script = "set -m; \"$QD\" --estate \"$ESTATE\"; echo \"left $?\"; read line; fg; echo \"end $?\"";
    let mut console = Console::spawn(&["sh", "-c", script], &[], (80, 24));
    console.ready();
    console.press(b"\x1a");
    console.until("the shell", |screen| {
        screen.contents().contains("left 148") && !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
    });
    assert_eq!(console.modes(), console.modes_before);
    console.press(b"\n");
    console.ready();
    console.press(b"q");
    assert!(console.ends_with(0).contains("end 0"));
}

#[test]
fn a_stop_from_outside_gives_the_shell_back_too() {
    let script = "set -m; \"$QD\" --estate \"$ESTATE\"; echo \"left $?\"; read line; fg; echo \"end $?\"";
    let mut console = Console::spawn(&["sh", "-c", script], &[], (80, 24));
    console.ready();
    let foreground = console.master.as_ref().unwrap().process_group_leader().unwrap();
    kill(Pid::from_raw(foreground), Signal::SIGTSTP).unwrap();
    console.until("the shell", |screen| {
        screen.contents().contains("left 148") && !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
    });
    assert_eq!(console.modes(), console.modes_before);
    console.press(b"\n");
    console.ready();
    console.press(b"q");
    assert!(console.ends_with(0).contains("end 0"));
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_qd"))
        .arg("--estate")
        .arg(write_estate(&home))
        .env("HOME", home.path())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(!out.status.success());
    assert!(String::from_utf8_lossy(&out.stderr).contains("terminal"));
}
