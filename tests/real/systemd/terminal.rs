//! A rollback begun in the console on a terminal, which hangs up in the middle of it.

use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::cut::done;
use super::hosts;
use super::operator::{Operator, hold_start, is_held, let_start, reset};
use crate::console::Console;

fn text(console: &Console) -> String {
    console.shown.0.lock().unwrap().parser.screen().contents()
}

/// Presses it, and waits for that.
fn press(console: &mut Console, keys: &str, shows: &str) {
    console.press(keys.as_bytes());
    console.until(&format!("{shows:?} after {keys:?}"), |screen| screen.contents().contains(shows));
}

/// The console of that person on a terminal, on the deployments.
fn open(operator: &Operator) -> Console {
    let (home, file) = (operator.home().to_str().unwrap(), operator.estate());
    let places = ["HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"];
    let mut env: Vec<(&str, &str)> = places.iter().map(|place| (*place, home)).collect();
    env.push(("THEIRS", file.to_str().unwrap()));
    let start = "exec \"$QD\" --estate \"$THEIRS\" --pane deployments";
    let console = Console::over(tempfile::tempdir().unwrap(), "", &["sh", "-c", start], &env, (120, 40));
    console.until("the deployment", |screen| screen.contents().contains("1.1") && screen.contents().contains("web"));
    console
}

/// Through the wizard, with a reason for whatever warns.
fn start(console: &mut Console) {
    console.ask(b"R", "the wizard", |screen| screen.contents().contains("[1 target]"));
    console.until("the plan", |screen| screen.contents().contains("batch 1 of") && screen.contents().contains("web3"));
    press(console, "\r", "[2 release]");
    console.until("the release", |screen| screen.contents().contains("1.0"));
    press(console, "\r", "[3 impact]");
    press(console, "\r", "[4 checks]");
    loop {
        console.until("the checks", |screen| {
            let text = screen.contents();
            text.contains("nothing stands in the way") || text.contains("it can be overridden")
        });
        if text(console).contains("nothing stands in the way") {
            break;
        }
        press(console, "v", "OVERRIDE");
        press(console, "these are a test's", "these are a test's");
        console.press(b"\r");
        console.until("the reason is taken", |screen| !screen.contents().contains("OVERRIDE"));
    }
    press(console, "\r", "[5 reason]");
    press(console, "errors since 1.1", "errors since 1.1");
    press(console, "\r", "[6 confirm]");
    console.until("the phrase", |screen| {
        screen.contents().contains("then type  web ") && !screen.contents().contains("keys count in a moment")
    });
    let text = text(console);
    let phrase = text.split("then type  ").nth(1).unwrap().split("  then").next().unwrap().to_owned();
    console.press(b"\t");
    press(console, &phrase, "starts it");
    press(console, "\r", "RUN  rollback of web");
}

#[test]
fn a_run_that_was_begun_in_the_console_is_done_though_its_terminal_hangs_up() {
    let Some(hosts) = hosts("a_run_that_was_begun_in_the_console_is_done_though_its_terminal_hangs_up", 3) else { return };
    reset(&hosts);
    // The console offers what ran before, which somebody must have told.
    for host in &hosts[..] {
        let ran = |day: u8, version: &str| {
            format!("{{\"time\":\"2026-11-{day}T09:00:00Z\",\"service\":\"web\",\"version\":\"{version}\",\"result\":\"succeeded\"}}\n")
        };
        std::fs::write(host.path("/opt/app/deploys.jsonl"), ran(19, "1.0") + &ran(20, "1.1")).unwrap();
    }
    hold_start(&hosts[1]);
    let operator = Operator::new(&hosts, "deploy");
    let mut console = open(&operator);
    start(&mut console);
    is_held(&hosts[1]);
    // The far end of the terminal goes, as when a window is closed or the connection of an ssh -t ends.
    console.stop_reading();
    drop(console.slave.take());
    drop(console.keys.take());
    drop(console.master.take());
    assert_eq!(console.exit_code(), 129);
    let runs = operator.json(&["runs"]);
    assert_eq!((runs.as_array().unwrap().len(), &runs[0]["live"]), (1, &"live".into()), "{runs}");
    let runner = operator.states().pop().unwrap().runner.unwrap();
    kill(Pid::from_raw(runner.process.id.try_into().unwrap()), None).unwrap();
    let_start(&hosts[1]);
    done(&operator, &hosts, runs[0]["run"].as_str().unwrap());
}
