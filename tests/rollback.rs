//! A rollback as its user meets it: the finished binary on a terminal of 80x24, over two hosts that are folders of this
//! machine, from the row of a deployment to the run's end, with all that goes wrong on the way.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what goes wrong here fails the test")]

mod console;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use console::{Console, DEADLINE};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use quarterdeck::journal::Journal;
use quarterdeck::model::run::{Ending, RunState};
use tempfile::TempDir;

const HOSTS: [&str; 2] = ["web1", "web2"];

/// Starts the service of one host again: its process works in the folder of the release. While a file `hold` lies there it
/// says so and waits.
const RESTART: &str = r#"#!/bin/sh
echo "stopping the old one"
[ ! -s "$1/pid" ] || kill "$(cat "$1/pid")" 2>/dev/null
while [ -e "$1/hold" ]; do
  [ -n "$said" ] || echo "waiting for the port of $1"
  said=1
  sleep 0.1
done
cd -P "$1/current" || exit 1
setsid sleep 900 </dev/null >/dev/null 2>&1 &
echo "$!" >"$1/pid"
echo "started"
"#;

/// Two hosts that run 2.5.0 and have 2.4.0.
struct Estate {
    home: TempDir,
    hosts: TempDir,
}

impl Estate {
    fn new() -> Estate {
        let estate = Estate { home: tempfile::tempdir().unwrap(), hosts: tempfile::tempdir().unwrap() };
        let restart = estate.hosts.path().join("restart");
        fs::write(&restart, RESTART).unwrap();
        fs::set_permissions(&restart, fs::Permissions::from_mode(0o755)).unwrap();
        for host in HOSTS {
            for name in ["2.4.0", "2.5.0"] {
                fs::create_dir_all(estate.at(host).join("releases").join(name)).unwrap();
            }
            fs::write(
                estate.at(host).join("log"),
                "{\"time\":\"2026-11-19T09:00:00Z\",\"version\":\"2.4.0\",\"who\":\"ann\",\"result\":\"succeeded\"}\n\
                 {\"time\":\"2026-11-20T09:00:00Z\",\"version\":\"2.5.0\",\"who\":\"bob\",\"result\":\"succeeded\"}\n",
            )
            .unwrap();
            estate.switch(host, "2.5.0");
            assert!(Command::new(&restart).arg(estate.at(host)).status().unwrap().success());
        }
        fs::write(estate.file(), estate.text()).unwrap();
        estate
    }

    fn at(&self, host: &str) -> PathBuf {
        self.hosts.path().join(host)
    }

    fn file(&self) -> PathBuf {
        self.home.path().join("the-estate.toml")
    }

    fn text(&self) -> String {
        let all = self.hosts.path().display().to_string();
        let mut text = "version = 1\n[estate]\nname = 'harbour'\nenvironment = 'test'\n".to_owned();
        for host in HOSTS {
            text += &format!(
                "[[host]]\nname = '{host}'\n[[history]]\nname = 'of {host}'\nkind = 'releases'\npath = '{all}/{host}'\nhost = '{host}'\n\
                 log = '{all}/{host}/log'\nservice = 'web'\nevery = '1s'\n"
            );
        }
        text + &format!(
            "[[service]]\nname = 'web'\nhosts = ['web1', 'web2']\n\
             restart = {{ command = ['{all}/restart', '{all}/$host'], pid_file = '{all}/$host/pid' }}\n\
             health = {{ command = ['test', '-s', '{all}/$host/pid'], times = 1, every = '100ms' }}\n"
        )
    }

    /// What a person does by hand.
    fn switch(&self, host: &str, to: &str) {
        let new = self.at(host).join("current.new");
        symlink(format!("releases/{to}"), &new).unwrap();
        fs::rename(new, self.at(host).join("current")).unwrap();
    }

    fn current(&self, host: &str) -> String {
        let link = fs::read_link(self.at(host).join("current")).unwrap();
        link.file_name().unwrap().to_str().unwrap().to_owned()
    }

    fn hold(&self, host: &str) {
        fs::write(self.at(host).join("hold"), "").unwrap();
    }

    fn let_go(&self, host: &str) {
        fs::remove_file(self.at(host).join("hold")).unwrap();
    }

    /// A console on the Deployments pane, with the newest deployment there. Its parent is a shell.
    fn open(&self, flags: &str) -> Console {
        let script = format!("\"$QD\" --estate \"$THE_ESTATE\" {flags} --pane deployments; exit 0");
        let (home, file) = (self.home.path().to_str().unwrap(), self.file());
        let env = [("HOME", home), ("THE_ESTATE", file.to_str().unwrap())];
        let console = Console::over(tempfile::tempdir().unwrap(), "", &["sh", "-c", &script], &env, (80, 24));
        console.until("the deployment", |s| s.contents().contains("2.5.0") && s.contents().contains("web"));
        console
    }

    fn qd(&self, arguments: &[&str]) -> Output {
        let mut qd = Command::new(env!("CARGO_BIN_EXE_qd"));
        qd.env_clear().env("HOME", self.home.path()).env("PATH", "/usr/bin:/bin").args(["--estate", self.file().to_str().unwrap()]);
        qd.args(arguments).output().unwrap()
    }

    /// The one run of the journal, as it stands.
    fn run(&self) -> Option<RunState> {
        let journal = Journal::read(&self.home.path().join(".local/state/quarterdeck/journal.db")).unwrap()?;
        RunState::all(&journal.records(None).unwrap()).pop()
    }

    fn until(&self, what: &str, is: impl Fn(&RunState) -> bool) {
        let end = Instant::now() + DEADLINE;
        while !self.run().is_some_and(|run| is(&run)) {
            assert!(Instant::now() < end, "{what} never came: {:#?}", self.run().map(|run| run.steps));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Estate {
    fn drop(&mut self) {
        // Ours, by the numbers that we wrote: the runner first, so that it starts nothing new.
        let _ = HOSTS.map(|host| fs::remove_file(self.at(host).join("hold")));
        if let Some(runner) = self.run().filter(|run| run.ended.is_none()).and_then(|run| run.runner) {
            end(runner.process.id);
        }
        for host in HOSTS {
            if let Some(id) = fs::read_to_string(self.at(host).join("pid")).ok().and_then(|text| text.trim().parse().ok()) {
                end(id);
            }
        }
    }
}

fn end(process: u32) {
    let _ = kill(Pid::from_raw(process.try_into().unwrap()), Signal::SIGKILL);
}

/// The console itself: the only child of the shell.
fn child_of(console: &Console) -> u32 {
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", console.pid)).unwrap();
    children.split_whitespace().next().unwrap().parse().unwrap()
}

/// Presses it, and waits for that.
fn press(console: &mut Console, keys: &str, shows: &str) {
    console.press(keys.as_bytes());
    console.until(&format!("{shows:?} after {keys:?}"), |screen| screen.contents().contains(shows));
}

/// The same of a key that asks for a change of what the selected row is about.
fn ask(console: &mut Console, key: &str, shows: &str) {
    console.ask(key.as_bytes(), &format!("{shows:?} after {key:?}"), |screen| screen.contents().contains(shows));
}

fn text(console: &Console) -> String {
    console.shown.0.lock().unwrap().parser.screen().contents()
}

/// Through the wizard up to the phrase, with a reason; gives the phrase back.
fn to_the_phrase(console: &mut Console) -> String {
    ask(console, "R", "[1 target]");
    console.until("the plan", |s| s.contents().contains("batch 2 of 2"));
    press(console, "\r", "[2 release]");
    console.until("the release", |s| s.contents().contains("2.4.0"));
    press(console, "\r", "[3 impact]");
    press(console, "\r", "[4 checks]");
    console.until("the checks", |s| s.contents().contains("nothing stands in the way"));
    press(console, "\r", "[5 reason]");
    press(console, "2.5.0 breaks the login", "breaks the login");
    press(console, "\r", "[6 confirm]");
    phrase(console)
}

fn phrase(console: &Console) -> String {
    console.until("the phrase", |s| s.contents().contains("then type  web ") && !s.contents().contains("keys count in a moment"));
    let text = text(console);
    text.split("then type  ").nth(1).unwrap().split("  then").next().unwrap().to_owned()
}

fn start(console: &mut Console) {
    let phrase = to_the_phrase(console);
    console.press(b"\t");
    press(console, &phrase, "starts it");
    press(console, "\r", "RUN  rollback of web");
}

/// On the Deployments pane it stands as what it was, with who did it and why.
fn is_a_rollback(console: &mut Console, run: &RunState) {
    let who = run.by.login.clone().unwrap_or_else(|| run.by.user.clone());
    let row = |line: &str| line.contains("rollback to 2.4.0") && line.contains(&who) && line.contains(" ok ");
    console.until("its row, and how it ended", |s| s.contents().lines().any(row));
    // Two lines of the header and the head of the columns stand above the rows.
    let row = text(console).lines().skip(3).position(|line| line.contains("rollback to 2.4.0")).unwrap();
    console.press(b"g");
    console.press("j".repeat(row).as_bytes());
    console.until("that it is selected", |s| s.contents().lines().any(|line| line.starts_with('>') && line.contains("rollback to 2.4.0")));
    press(console, "\r", "DEPLOYMENT  web 2.4.0");
    let told = |screen: &str, name: &str, value: &str| {
        screen.lines().any(|line| line.trim_start().strip_prefix(name).is_some_and(|rest| rest.trim() == value))
    };
    console.until("what it was", |s| {
        let all = [("source", "rollback"), ("who", &who), ("reason", "2.5.0 breaks the login"), ("from", "2.5.0"), ("id", &run.run)];
        all.iter().all(|(name, value)| told(&s.contents(), name, value))
    });
    // The next key after an escape that is not taken yet would be one with Alt.
    console.press(b"\x1b");
    console.until("the list", |s| !s.contents().contains("DEPLOYMENT  web"));
}

/// On the timeline it stands once with its end, and both lead to the run.
fn on_the_timeline(console: &mut Console, run: &RunState) {
    press(console, "t", "TIMELINE of");
    console.press(b"/");
    press(console, &format!("run:{}", run.run), "run:web-");
    console.press(b"\r");
    console.until("its end", |s| s.contents().contains("o run over rollback of web from 2.5.0 to 2.4.0: done"));
    let rows = |screen: &str| screen.lines().filter(|line| line.contains("rollback ") && line.contains(':')).count();
    let screen = text(console);
    assert!(screen.contains("v deployed") && !screen.contains("> run  ") && rows(&screen) == 2, "{screen}");
    for keys in ["g\r", "G\r"] {
        press(console, keys, "RUN  rollback of web  2.5.0 -> 2.4.0  done");
        press(console, "\x1b", "o run over");
    }
}

#[test]
fn from_the_row_of_a_deployment_to_the_end_and_nothing_is_lost_on_the_way() {
    let estate = Estate::new();
    let mut console = estate.open("");
    let phrase = to_the_phrase(&mut console);
    // One step back at a time, and forth again: the reason is kept.
    for step in ["[5 reason]", "[4 checks]", "[3 impact]", "[2 release]", "[1 target]"] {
        press(&mut console, "\x1b", step);
    }
    for step in ["[2 release]", "[3 impact]", "[4 checks]", "[5 reason]"] {
        press(&mut console, "\r", step);
    }
    console.until("the reason", |s| s.contents().contains("2.5.0 breaks the login"));
    press(&mut console, "\r", "[6 confirm]");
    assert_eq!(self::phrase(&console), phrase);
    // Enter alone goes back, and a paste is no typing.
    press(&mut console, "\r", "[5 reason]");
    press(&mut console, "\r", "[6 confirm]");
    self::phrase(&console);
    console.press(b"\t");
    press(&mut console, &format!("\x1b[200~{phrase}\x1b[201~"), "pastes do not count");
    press(&mut console, "\r", "this is not the phrase");
    assert!(estate.run().is_none(), "nothing was begun");
    press(&mut console, &phrase, "starts it");
    press(&mut console, "\r", "RUN  rollback of web  2.5.0 -> 2.4.0");
    console.until("its end", |s| s.contents().contains("2.5.0 -> 2.4.0  done"));
    assert_eq!(HOSTS.map(|host| estate.current(host)), ["2.4.0", "2.4.0"]);
    assert_eq!(estate.run().unwrap().ended.unwrap().1, Ending::Done);
    for host in HOSTS {
        let id: u32 = fs::read_to_string(estate.at(host).join("pid")).unwrap().trim().parse().unwrap();
        assert!(fs::read_link(format!("/proc/{id}/cwd")).unwrap().ends_with("releases/2.4.0"));
    }
    press(&mut console, "w", "JOURNAL OF THE RUN");
    press(&mut console, "w", "STEPS");
    press(&mut console, "\x1b", "d compare");
    is_a_rollback(&mut console, &estate.run().unwrap());
    on_the_timeline(&mut console, &estate.run().unwrap());
    press(&mut console, "7", "PAST (1)");
    console.until("the run in the list", |s| s.contents().contains("done") && s.contents().contains("rollback web to 2.4.0"));
    console.press(b"q");
    console.exit_code();
}

#[test]
fn a_run_outlives_its_console_says_when_it_is_orphaned_and_is_taken_back() {
    let estate = Estate::new();
    estate.hold("web1");
    let mut console = estate.open("");
    start(&mut console);
    // What the slow command prints is there while it runs.
    console.until("the live output", |s| s.contents().contains("so far") && s.contents().contains("waiting for the port"));
    press(&mut console, "p", "paused");
    estate.until("the pause", |run| run.paused.is_some());
    press(&mut console, "\x1b", "run web ");
    console.until("that it goes on, on another pane", |s| s.rows(0, 80).nth(1).unwrap().contains("run web 2/"));
    end(child_of(&console));
    console.exit_code();
    assert_eq!(estate.current("web1"), "2.4.0");

    let mut console = estate.open("");
    console.until("the run in the header", |s| s.rows(0, 80).nth(1).unwrap().contains("paused"));
    press(&mut console, "7", "WAITING FOR A PERSON (1)");
    press(&mut console, "\r", "RUN  rollback of web  2.5.0 -> 2.4.0  ! paused");
    end(estate.run().unwrap().runner.unwrap().process.id);
    console.until("that nobody carries it out", |s| s.contents().contains("X orphaned") && s.contents().contains("P take up"));
    let red = |s: &vt100::Screen| {
        let row = s.rows(0, 80).nth(1).unwrap();
        let at = row.find("orphaned").map(|at| row[..at].chars().count());
        at.is_some_and(|at| s.cell(1, at as u16).unwrap().fgcolor() != s.cell(0, 40).unwrap().fgcolor())
    };
    console.until("it in red in the header", red);

    let run = estate.run().unwrap().run;
    let resumed = estate.qd(&["resume", &run, "--reason", "the runner was killed"]);
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));
    console.until("that it goes on", |s| !s.contents().contains("orphaned"));
    // The form begins on Cancel: Enter alone asks nothing, typing neither.
    press(&mut console, "A", "ABORT");
    console.until("that keys count", |s| s.contents().contains("Enter here goes back"));
    press(&mut console, "abort", "Tab to the line first");
    console.press(b"\r");
    console.until("the form's end", |s| !s.contents().contains("ABORT"));
    assert!(estate.run().unwrap().aborting.is_none());
    press(&mut console, "A", "ABORT");
    console.until("that keys count", |s| s.contents().contains("Enter here goes back"));
    press(&mut console, "\t", "> _");
    press(&mut console, "web1 never comes up", "web1 never comes up_");
    press(&mut console, "\r", "because: web1 never comes up");
    console.until("that keys count", |s| s.contents().contains("Enter here goes back"));
    press(&mut console, "abort", "> abort_");
    console.press(b"\r");
    estate.until("the abort", |run| run.aborting.is_some());
    estate.let_go("web1");
    console.until("its end", |s| s.contents().contains("! aborted"));
    assert_eq!(HOSTS.map(|host| estate.current(host)), ["2.5.0", "2.5.0"]);
    console.press(b"qq");
    console.exit_code();
}

#[test]
fn a_run_whose_runner_was_killed_is_taken_up_on_screen_and_ends() {
    let estate = Estate::new();
    estate.hold("web1");
    let mut console = estate.open("");
    start(&mut console);
    console.until("the slow command", |s| s.contents().contains("waiting for the port"));
    press(&mut console, "P", "its runner lives");
    let killed = estate.run().unwrap().runner.unwrap().process.id;
    end(killed);
    console.until("that nobody carries it out", |s| s.contents().contains("X orphaned"));
    // From the list: one key, and Enter on Cancel begins nothing.
    press(&mut console, "\x1b", "d compare");
    press(&mut console, "7", "ORPHANED (1)");
    press(&mut console, "P", "TAKE UP");
    console.until("that keys count", |s| s.contents().contains("Enter here goes back"));
    console.press(b"\r");
    console.until("the form's end", |s| !s.contents().contains("TAKE UP"));
    assert_eq!(estate.run().unwrap().runners, 1);
    press(&mut console, "P", "TAKE UP");
    console.until("that keys count", |s| s.contents().contains("Enter here goes back"));
    press(&mut console, "\t", "> _");
    press(&mut console, "the runner was killed", "the runner was killed_");
    console.press(b"\r");
    estate.until("the new runner", |run| run.runners == 2);
    console.until("that it goes on", |s| !s.contents().contains("orphaned"));
    estate.let_go("web1");
    console.until("its end", |s| s.contents().contains("RUN  rollback of web  2.5.0 -> 2.4.0  done"));
    assert_eq!(HOSTS.map(|host| estate.current(host)), ["2.4.0", "2.4.0"]);
    let run = estate.run().unwrap();
    assert!(run.requests.iter().any(|(_, _, request)| request.to_string() == "go on: the runner was killed"), "{:?}", run.requests);
    console.press(b"qq");
    console.exit_code();
}

#[test]
fn a_host_that_cannot_be_asked_is_left_out_and_the_other_goes_back() {
    let estate = Estate::new();
    fs::remove_file(estate.at("web2").join("current")).unwrap();
    let mut console = estate.open("");
    press(&mut console, "5", "web");
    ask(&mut console, "R", "there is no plan");
    press(&mut console, "j ", "without web2");
    console.until("a plan", |s| s.contents().contains("batch 1 of 1"));
    press(&mut console, "\r", "GO BACK TO");
    press(&mut console, "\r", "STEPS");
    press(&mut console, "\r", "web2 takes part");
    // Whatever this machine warns of besides.
    loop {
        console.until("all checks", |s| {
            let text = s.contents();
            text.contains("nothing stands in the way") || text.contains("it can be overridden")
        });
        if text(&console).contains("nothing stands in the way") {
            break;
        }
        press(&mut console, "v", "why may it go on all the same");
        console.press(b"its disk is gone\r");
        console.until("that the reason is taken", |s| !s.contents().contains("why may it go on all the same"));
    }
    press(&mut console, "\r", "Reason, required");
    press(&mut console, "errors\r", "left out       ! web2");
    console.until("that keys count", |s| s.contents().contains("here goes back"));
    let phrase = phrase(&console);
    press(&mut console, "\t", "> _");
    console.press(phrase.as_bytes());
    press(&mut console, "", "starts it");
    console.press(b"\r");
    console.until("its end", |s| s.contents().contains("2.5.0 -> 2.4.0  done"));
    assert_eq!(estate.current("web1"), "2.4.0");
    console.press(b"qq");
    console.exit_code();
}

#[test]
fn a_world_that_moves_while_the_wizard_is_open_takes_the_phrase_away() {
    let estate = Estate::new();
    let mut console = estate.open("");
    let phrase = to_the_phrase(&mut console);
    console.press(b"\t");
    press(&mut console, &phrase[..phrase.len() - 1], &format!("{}_", &phrase[..phrase.len() - 1]));
    estate.switch("web2", "2.4.0");
    console.until("that it moved", |s| s.contents().contains("moved"));
    assert!(!text(&console).contains(&format!("{}_", &phrase[..phrase.len() - 1])), "{}", text(&console));
    console.press(&phrase.as_bytes()[phrase.len() - 1..]);
    console.press(b"\r");
    assert!(estate.run().is_none(), "nothing was begun");
    console.signal(Signal::SIGHUP);
}

#[test]
fn a_read_only_console_begins_nothing() {
    let estate = Estate::new();
    let mut console = estate.open("--read-only");
    ask(&mut console, "R", "NOT FROM HERE");
    assert!(estate.run().is_none() && Path::new(&estate.file()).exists());
    assert_eq!(HOSTS.map(|host| estate.current(host)), ["2.5.0", "2.5.0"]);
}

/// What stands at that host now: the number of its process.
fn process(estate: &Estate, host: &str) -> String {
    fs::read_to_string(estate.at(host).join("pid")).unwrap().trim().to_owned()
}

#[test]
fn a_service_is_restarted_on_one_host_by_the_wizard_and_by_the_same_words_without_a_screen() {
    let estate = Estate::new();
    let before = HOSTS.map(|host| process(&estate, host));
    let mut console = estate.open("");
    ask(&mut console, "U", "[1 what]");
    press(&mut console, "\r", "choose first what is done");
    press(&mut console, " ", "(*) restart");
    press(&mut console, "jjjj ", "[ ] web2");
    press(&mut console, "\r", "[2 impact]");
    console.until("the plan", |s| s.contents().contains("web is stopped and started again on web1."));
    press(&mut console, "\r", "[3 checks]");
    console.until("the checks", |s| s.contents().contains("nothing stands in the way"));
    press(&mut console, "\r", "[4 reason]");
    press(&mut console, "it leaks", "it leaks");
    press(&mut console, "\r", "[5 confirm]");
    let phrase = phrase(&console);
    console.press(b"\t");
    press(&mut console, &phrase, "starts it");
    press(&mut console, "\r", "RUN  restart of web");
    console.until("its end", |s| s.contents().contains("RUN  restart of web") && s.contents().contains("done"));
    estate.until("its end", |run| run.ended.is_some());
    assert_eq!(estate.run().unwrap().ended.unwrap().1, Ending::Done);
    let after = HOSTS.map(|host| process(&estate, host));
    assert!(after[0] != before[0] && after[1] == before[1], "{before:?} {after:?}");
    press(&mut console, "\x1b", "d compare");
    press(&mut console, "7", "PAST (1)");
    console.until("the run in the list", |s| s.contents().contains("restart web"));
    console.press(b"q");
    console.exit_code();
    // The phrase was that of a process that is not there any more.
    let again = estate.qd(&["run", "restart", "web", "--host", "web1", "--reason", "again", "--confirm", &phrase]);
    assert_eq!(again.status.code(), Some(4), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(process(&estate, "web1"), after[0]);
}

#[test]
fn an_abort_behind_the_point_of_no_return_says_before_and_afterwards_what_stays() {
    let estate = Estate::new();
    let all = estate.hosts.path().display().to_string();
    let own = format!(
        "[[service.rollback.after]]\nname = 'migrate'\ncommand = ['touch', '{all}/migrated']\npoint_of_no_return = true\n\
         [[service.rollback.after]]\nname = 'cold'\ncommand = ['touch', '{all}/cold']\nundo = {{ command = ['rm', '{all}/cold'] }}\n\
         [[service.rollback.after]]\nname = 'look'\nmanual = 'Is it well?'\n"
    );
    fs::write(estate.file(), estate.text() + &own).unwrap();
    let said = |output: &Output| [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat();
    let planned = estate.qd(&["plan", "rollback", "web"]);
    let told = said(&planned);
    let beforehand =
        "The step migrate is a point of no return: once it has begun, an abort leaves it and all that was done before it, 2.4.0";
    assert!(planned.status.success() && told.contains(beforehand), "{told}");
    let phrase = told.lines().find_map(|line| line.trim().strip_prefix("confirm: ")).expect(&told).to_owned();
    let begun = estate.qd(&["run", "rollback", "web", "--reason", "errors", "--confirm", &phrase, "--detach"]);
    assert!(begun.status.success(), "{}", said(&begun));
    estate.until("the question", |run| run.asked.as_ref().is_some_and(|(step, _)| step.as_deref() == Some("after/look")));

    // On the screen before anything is asked, in the words of the command line.
    let mut console = estate.open("");
    press(&mut console, "7", "WAITING FOR A PERSON (1)");
    press(&mut console, "\r", "RUN  rollback of web");
    press(&mut console, "A", "ABORT");
    console.until("what it would do", |s| {
        let text = s.contents().split_whitespace().collect::<Vec<_>>().join(" ");
        text.contains("taken back: after/cold") && text.contains("after/migrate is a point of no return, nothing up to it is taken back")
    });
    console.press(b"\x1b");
    console.until("the form's end", |s| !s.contents().contains("ABORT"));
    assert!(estate.run().unwrap().aborting.is_none());
    let run = estate.run().unwrap().run;
    let aborted = estate.qd(&["abort", &run, "--reason", "it is not well"]);
    let told = said(&aborted);
    assert!(aborted.status.success() && told.contains("taken back: after/cold\n"), "{told}");
    assert!(told.contains("; after/migrate is a point of no return, nothing up to it is taken back"), "{told}");
    estate.until("the abort", |run| run.aborting.is_some());
    estate.until("its end, or the question that is left", |run| run.ended.is_some() || run.asked.is_some());
    if estate.run().unwrap().ended.is_none() {
        assert!(estate.qd(&["skip", &run, "after/look", "--reason", "nobody looked"]).status.success());
    }
    estate.until("its end", |run| run.ended.is_some());
    let (_, ending) = estate.run().unwrap().ended.unwrap();
    let Ending::Aborted { stays } = ending else { panic!("{ending:?}") };
    assert_eq!(HOSTS.map(|host| estate.current(host)), ["2.4.0", "2.4.0"], "what came before it stays");
    assert!(estate.hosts.path().join("migrated").exists() && !estate.hosts.path().join("cold").exists());
    let line = |id: &str| stays.iter().find(|line| line.starts_with(&format!("{id}: "))).unwrap_or_else(|| panic!("{id}: {stays:?}"));
    assert!(line("after/migrate").contains("(a point of no return)"), "{stays:?}");
    assert!(HOSTS.iter().all(|host| line(&format!("{host}/switch")).contains("(before a point of no return)")), "{stays:?}");
    assert!(stays.iter().all(|line| !line.starts_with("after/cold: ")), "{stays:?}");
    console.press(b"qq");
    console.exit_code();
}

#[test]
fn a_console_that_only_reads_restarts_nothing() {
    let estate = Estate::new();
    let before = HOSTS.map(|host| process(&estate, host));
    let mut console = estate.open("--read-only");
    assert!(!text(&console).contains("U restart"), "{}", text(&console));
    ask(&mut console, "U", "NOT FROM HERE");
    console.press(b"\r \r\r");
    press(&mut console, "\x1b", "d compare");
    console.press(b"q");
    console.exit_code();
    let refused = estate.qd(&["--read-only", "run", "restart", "web", "--reason", "x", "--confirm", "web 000000"]);
    assert_eq!(refused.status.code(), Some(64));
    assert!(estate.run().is_none());
    assert_eq!(HOSTS.map(|host| process(&estate, host)), before);
}
