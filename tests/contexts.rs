//! Several estates in one console, end to end: the finished binary on a pseudo-terminal over FAKE servers. Only the open
//! estate is contacted; nothing of the former is left, and no reply of the former lands in the new one.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here fails the test")]

mod console;
mod upstream;

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use console::{Console, DEADLINE};
use upstream::{Fake, alert, alertmanager};

/// Waits until that is so.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !so() {
        assert!(Instant::now() < end, "{what} never came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A server that takes connections and never answers: what it was asked is still to be answered when the estate is left.
fn silent() -> (String, Arc<Mutex<Vec<TcpStream>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let held = Arc::new(Mutex::new(Vec::new()));
    let to = held.clone();
    std::thread::spawn(move || listener.incoming().flatten().for_each(|connection| to.lock().unwrap().push(connection)));
    (url, held)
}

/// The processes that this one started, and those that they started.
fn below(pid: i32) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{id}/stat")) else { continue };
        let after: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        if after.get(1).and_then(|parent| parent.parse().ok()) == Some(pid) && after[0] != "Z" {
            found.push(std::fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default().replace('\0', " "));
            found.extend(below(id));
        }
    }
    found
}

fn write(folder: &Path, name: &str, environment: &str, alerts: &Fake, more: &str) {
    let text = format!(
        "version = 1\n[estate]\nname = \"{name}\"\nenvironment = \"{environment}\"\n\
         [[source]]\nname = \"FAKE-alerts\"\nkind = \"alertmanager\"\nurls = [\"{}\"]\nevery = \"1s\"\n{more}",
        alerts.url()
    );
    std::fs::write(folder.join(format!("{name}.toml")), text).unwrap();
}

#[test]
fn another_estate_is_opened_on_the_screen_and_nothing_of_the_former_is_left() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join(".config/quarterdeck");
    std::fs::create_dir_all(config.join("estates")).unwrap();
    let (near, far) =
        (alertmanager(vec![alert("FAKE-of-near", "a", "t")], "FAKE"), alertmanager(vec![alert("FAKE-of-far", "b", "t")], "FAKE"));
    let (url, held) = silent();
    let more = format!(
        "[[source]]\nname = \"FAKE-silent\"\nkind = \"prometheus\"\nurl = \"{url}\"\nevery = \"60s\"\ntimeout = \"60s\"\n\
         [[backup]]\nname = \"FAKE-slow\"\nkind = \"command\"\ncommand = [\"sleep\", \"600\"]\nevery = \"600s\"\n"
    );
    write(&config.join("estates"), "near", "staging", &near, &more);
    write(&config.join("estates"), "far", "prod-eu", &far, "");
    let argv = ["sh", "-c", "exec \"$QD\" --context near"];
    let mut console = Console::over(home, "", &argv, &[], (100, 30));
    console.until("the alert of near", |screen| screen.contents().contains("FAKE-of-near"));
    until("the question that is not answered", || !held.lock().unwrap().is_empty());
    until("the command that does not end", || below(console.pid.as_raw()).iter().any(|line| line.contains("sleep 600")));

    console.press(b"@");
    console.until("the list", |screen| screen.contents().contains("PRODUCTION (prod-eu)") && screen.contents().contains("> * near"));
    console.press(b"k\r");
    console.until("the alert of far", |screen| {
        let text = screen.contents();
        text.contains("FAKE-of-far") && text.lines().next().unwrap().contains("PRODUCTION (prod-eu)")
    });
    until("the end of what near started", || below(console.pid.as_raw()).is_empty());
    for mut connection in held.lock().unwrap().drain(..) {
        connection.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut rest = Vec::new();
        // An end or a reset; a wait that lasts is the failure.
        let end = connection.read_to_end(&mut rest);
        assert!(end.as_ref().err().is_none_or(|error| error.kind() != std::io::ErrorKind::WouldBlock), "it is still open");
    }
    let (asked, polls) = (near.asked().len(), far.asked().len());
    until("more polls of far", || far.asked().len() >= polls + 6);
    assert_eq!(near.asked().len(), asked, "nobody asks the former");
    console.until("nothing of near", |screen| !screen.contents().contains("FAKE-of-near"));

    // What cannot be read leaves this one as it is.
    std::fs::write(console.home.path().join(".config/quarterdeck/estates/near.toml"), "version = 1\n[estate]\nnmae = 'x'\n").unwrap();
    console.press(b":open estate near\r");
    console.until("why not", |screen| screen.contents().contains("near.toml:3:1: unknown key `nmae`"));
    console.press(b"\x1b");
    console.until("far goes on", |screen| screen.contents().contains("FAKE-of-far") && !screen.contents().contains("ESTATES"));
    let raw = console.shown.0.lock().unwrap().raw.clone();
    let entered = raw.windows(8).filter(|bytes| bytes == b"\x1b[?1049h").count();
    assert_eq!(entered, 1, "the terminal is taken once: no flicker");
    console.press(b"q");
    console.ends_with(0);
}
