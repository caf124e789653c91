//! The console on a practice estate, on a real pseudo-terminal: what it shows, and that nothing is left after it.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use crate::practice::{PATIENCE, leftovers, qd, services, until_gone};

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

    /// Waits until the screen holds all of these; gives it back.
    fn until(&self, words: &[&str]) -> String {
        self.within(PATIENCE, words).unwrap_or_else(|text| panic!("{words:?} never came; the screen is:\n{text}"))
    }

    /// The screen once it holds all of these, or as it is when the time is over.
    fn within(&self, patience: Duration, words: &[&str]) -> Result<String, String> {
        let (lock, changed) = &*self.shown;
        let last = Instant::now() + patience;
        let mut shown = lock.lock().unwrap();
        loop {
            let text = shown.screen().contents();
            if words.iter().all(|word| text.contains(word)) {
                return Ok(text);
            }
            let left = last.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(text);
            }
            shown = changed.wait_timeout(shown, left).unwrap().0;
        }
    }

    /// Presses a key, and waits for what it shows.
    fn press_until(&mut self, keys: &[u8], words: &[&str]) -> String {
        self.press(keys);
        self.until(words)
    }

    /// The same of a key that asks for a change: just after the row under the cursor became another one it does not count.
    fn ask_until(&mut self, key: &[u8], words: &[&str]) -> String {
        let early = ": too early: the row";
        let last = Instant::now() + PATIENCE;
        loop {
            self.press(key);
            let screen = self.shown.clone();
            let (lock, changed) = &*screen;
            let mut shown = lock.lock().unwrap();
            let text = loop {
                let text = shown.screen().contents();
                if text.contains(early) || words.iter().all(|word| text.contains(word)) {
                    break text;
                }
                let left = last.saturating_duration_since(Instant::now());
                assert!(!left.is_zero(), "{words:?} never came; the screen is:\n{text}");
                shown = changed.wait_timeout(shown, left).unwrap().0;
            };
            if !text.contains(early) {
                return text;
            }
            // Any key takes the words away, so that they are not taken for an answer to the next press.
            while shown.screen().contents().contains(early) {
                drop(shown);
                self.press(b"\x0c");
                assert!(Instant::now() < last, "a key does not count for ever");
                shown = changed.wait_timeout(lock.lock().unwrap(), Duration::from_millis(200)).unwrap().0;
            }
            drop(shown);
        }
    }

    /// From the first screen to the run of the rollback, by what the screen says.
    fn roll_back(&mut self) {
        // What came first may have stood under the cursor long enough to stay there: the worst is the first line.
        let last = Instant::now() + PATIENCE;
        while {
            self.until(&["after web 2.4.0 -> 2.5.0", "roll web back"]);
            self.press(b"g");
            self.within(Duration::from_secs(5), &["roll web back", "R roll back"]).is_err()
        } {
            assert!(Instant::now() < last, "the first line cannot be rolled back");
        }
        self.ask_until(b"R", &["[1 target]", "runs now       2.5.0", "enter next"]);
        self.press_until(b"\r", &["[2 release]", ">   2.4.0", "enter next"]);
        self.press_until(b"\r", &["[3 impact]", "web-south runs 2.4.0 already and stays as it is", "enter next"]);
        self.press_until(b"\r", &["[4 checks]", "1 of 18 in the way", "> ! warn", "v override"]);
        self.press_until(b"v", &["OVERRIDE migrations", "enter take"]);
        self.press_until(b"nothing was migrated\r", &["nothing stands in the way", "enter next"]);
        self.press_until(b"\r", &["[5 reason]", "Reason, required", "enter next"]);
        let dialog = self.press_until(b"web fails since 2.5.0\r", &["[6 confirm]", "[ Cancel ]", "tab, then type"]);
        self.confirm(&dialog, "RUN  rollback of web  2.5.0 -> 2.4.0");
    }

    /// Goes to the line under NEEDS YOU that says this.
    fn select(&mut self, words: &str) {
        let is = |line: &str| line.contains(words) && line.contains("look closer");
        let last = Instant::now() + PATIENCE;
        let mut keys = b"g".as_slice();
        loop {
            assert!(Instant::now() < last, "{words:?} cannot be selected");
            let text = self.within(PATIENCE, &["NEEDS YOU", "look closer"]).unwrap_or_else(|text| text);
            let selected = text.lines().find(|line| line.starts_with("> ")).unwrap_or_default().to_owned();
            if is(&selected) {
                return;
            }
            if text.lines().any(is) {
                self.press(keys);
                // From the top down; what comes meanwhile may move the line.
                keys = if keys == b"j" && !selected.contains("look closer") { b"g" } else { b"j" };
            }
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// The same of a restart of the edge that is stuck, on its host alone.
    fn restart(&mut self) {
        self.ask_until(b"U", &["WHAT  is done", "( ) restart", "[x] web-north", "[x] web-south"]);
        self.press_until(b" ", &["(*) restart"]);
        self.press_until(b"jjjj ", &["[ ] web-south", "RESTART  edge on web-north"]);
        self.press_until(b"\r", &["[2 impact]", "edge is stopped and started again on web-north", "enter next"]);
        self.press_until(b"\r", &["[3 checks]", "nothing stands in the way", "enter next"]);
        self.press_until(b"\r", &["[4 reason]", "Reason, required", "enter next"]);
        let dialog = self.press_until(b"no connection is free\r", &["[5 confirm]", "[ Cancel ]", "tab, then type"]);
        self.confirm(&dialog, "RUN  restart of edge");
    }

    /// Types the phrase that the dialog names, and starts the run.
    fn confirm(&mut self, dialog: &str, title: &str) {
        let phrase = dialog.split("then type  ").nth(1).and_then(|rest| rest.split("  then").next()).unwrap().to_owned();
        // A key that comes before a person can have read the dialog does not count: it is pressed again.
        while {
            self.press(b"\t");
            self.within(Duration::from_secs(2), &["enter start"]).is_err()
        } {}
        self.press_until(phrase.as_bytes(), &["enter starts it"]);
        self.press_until(b"\r", &[title]);
    }

    /// The practice estate's folder.
    fn folder(&self) -> PathBuf {
        let demo = self.home.path().join(".local/state/quarterdeck/demo");
        std::fs::read_dir(demo).unwrap().next().unwrap().unwrap().path()
    }

    fn press(&mut self, keys: &[u8]) {
        let to = self.keys.as_mut().unwrap();
        to.write_all(keys).unwrap();
        to.flush().unwrap();
    }

    /// Ends the practice as a person does; nothing of it is left.
    fn leave(&mut self) {
        self.press(b"q");
        self.until(&["q again ends the practice estate"]);
        self.press(b"q");
        assert_eq!(self.exit_code(), 0);
        assert_eq!(leftovers(self.home.path()), Vec::<String>::new());
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
    console.until(&["q again ends the practice estate with all its history"]);
    // Any other key takes the question away, and it is asked anew.
    console.press(b"j");
    console.until(&["? help"]);
    console.press(b"q");
    console.until(&["q again ends the practice estate"]);
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

#[test]
fn the_bad_release_is_rolled_back_by_pressing_what_the_screen_names() {
    let mut console = Console::open(&["--scenario", "bad-release", "--after", "3"]);
    console.roll_back();
    console.until(&["done, ", "STEPS  7 of 7", "alerts X 0 critical"]);
    console.press_until(b"\x1b", &["NEEDS YOU", "nothing needs you", "deployed web at north 2.5.0 -> 2.4.0"]);
    let folder = console.folder();
    assert_eq!(std::fs::read_link(folder.join("north/web/current")).unwrap().to_str(), Some("releases/2.4.0"));
    // Its run is found by its estate file, and is none of those that were done in earnest.
    let (code, runs) = qd(console.home.path(), &["--estate", folder.join("estate.toml").to_str().unwrap(), "runs"]);
    assert!(code == 0 && runs.contains("rollback") && runs.trim_end().ends_with("done"), "{runs}");
    assert_eq!(qd(console.home.path(), &["runs"]), (0, "no runs yet\n".to_owned()));
    console.leave();
}

#[test]
fn the_stuck_edge_is_restarted_by_pressing_what_the_screen_names() {
    let mut console = Console::open(&["--scenario", "stuck", "--after", "3"]);
    console.until(&["no connection is free at north", "`U` on that line restarts", "U restart"]);
    console.select("no connection is free at north");
    // Its log says the same, without another terminal.
    console.press_until(b"l", &["LOGS  edge", "X error", "no connection to the web service is free: all 200"]);
    console.press_until(b"\x1b", &["NEEDS YOU"]);
    console.select("no connection is free at north");
    console.restart();
    console.until(&["done, ", "alerts X 0 critical"]);
    console.press_until(b"\x1b", &["NEEDS YOU", "nothing needs you"]);
    let (code, runs) = qd(console.home.path(), &["--estate", console.folder().join("estate.toml").to_str().unwrap(), "runs"]);
    assert!(code == 0 && runs.contains("restart") && runs.trim_end().ends_with("done"), "{runs}");
    console.leave();
}

#[test]
fn a_rollback_can_be_practised_while_nothing_is_wrong() {
    let mut console = Console::open(&[]);
    console.until(&["practice", "nothing needs you", "web"]);
    // The service by its name: no row has to stand anywhere.
    console.press(b":");
    console.press_until(b"service web", &["service web"]);
    console.press_until(b"\r", &["SERVICE  web", "R roll back"]);
    console.press_until(b"R", &["[1 target]", "runs now       2.4.0", "enter next"]);
    let releases = console.press_until(b"\r", &["[2 release]", ">   2.3.8", "2.3.7", "enter next"]);
    assert!(!releases.contains("2.5.0"), "{releases}");
    console.press_until(b"\r", &["[3 impact]", "2.3.8", "enter next"]);
    console.press_until(b"\r", &["[4 checks]"]);
    let folder = console.folder();
    assert_eq!(std::fs::read_link(folder.join("north/web/current")).unwrap().to_str(), Some("releases/2.4.0"), "nothing is done yet");
    console.press_until(b"q", &["SERVICE  web"]);
    console.press_until(b"\x1b", &["NEEDS YOU"]);
    console.leave();
}

#[test]
fn a_run_that_is_under_way_ends_with_the_practice() {
    let mut console = Console::open(&["--scenario", "bad-release", "--after", "3"]);
    console.roll_back();
    let shown = console.until(&["web-north/health", "runner         seen", ", process "]);
    let process: u32 = shown.split(", process ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap();
    let folder = console.folder();
    console.press_until(b"\x1b", &["NEEDS YOU"]);
    console.press(b"q");
    console.until(&["q again ends the practice estate with all its history and the run of web"]);
    console.press(b"q");
    assert_eq!(console.exit_code(), 0);
    console.until(&["was under way: it was ended with the practice estate"]);
    // One that was killed and not waited for yet has no command line.
    assert_eq!(std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default(), b"");
    assert_eq!(leftovers(console.home.path()), Vec::<String>::new());
    assert!(!folder.exists(), "the folder is removed");
}
