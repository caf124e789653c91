//! Logs of real hosts: systemd's journal by real ssh, and a file; followed through a restart of the unit, a cut cable and
//! a rotation; and a user who may not read the journal.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use quarterdeck::model::log::{Heard, Level, Mark, Of, Wanted, places};
use quarterdeck::watch::logs::Logs;

use super::{hosts, qd};
use crate::estate::estate;
use crate::servers::until;

/// A unit of the host that prints what a test wants.
const NASTY: &str = r#"printf '\033[2J\033]52;c;aGk=\007red \342\200\256bidi \000nul \377\n'; head -c 1000000 /dev/zero | tr '\0' x; echo; echo 'ERROR the end'"#;

fn texts(heard: &Heard) -> Vec<&str> {
    heard.lines.iter().map(|line| line.text.as_str()).collect()
}

fn wanted(after: &Option<Mark>) -> Wanted {
    Wanted { after: after.clone(), lines: 500, ..Wanted::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_is_followed_over_ssh_through_hostile_lines_a_restart_and_a_cut_cable() {
    let Some(hosts) = hosts("a_unit_is_followed_over_ssh_through_hostile_lines_a_restart_and_a_cut_cable", 2) else { return };
    let folder = tempfile::tempdir().unwrap();
    let web = "hosts = [\"web1\", \"web2\"]\nrestart = { unit = \"app.service\" }\n";
    let text = hosts.estate("root").replacen("hosts = [\"web1\", \"web2\"]\n", web, 1);
    let estate = estate(folder.path(), &text);
    let logs = Logs::new(estate.clone());
    let all = places(&estate, &Of::Service("web".into())).unwrap();
    assert_eq!(all.iter().map(|place| place.words()).collect::<Vec<_>>(), ["unit app.service"; 2]);

    // What systemd itself says of the unit is there, and what comes is told once.
    let heard = logs.read(&all[0], &wanted(&None)).await.unwrap();
    assert!(texts(&heard).iter().any(|text| text.starts_with("Started ")), "{heard:?}");
    assert!(
        heard.lines.iter().all(|line| line.dated && &*line.place == "web1") && heard.notes.is_empty() && heard.ahead.is_none(),
        "{heard:?}"
    );
    let mut after = heard.mark.clone();
    assert!(logs.read(&all[0], &wanted(&after)).await.unwrap().lines.is_empty());
    hosts[0].run("systemctl restart app.service");
    let heard = logs.read(&all[0], &wanted(&after)).await.unwrap();
    assert!(
        texts(&heard).iter().any(|text| text.starts_with("Stopped ")) && texts(&heard).iter().any(|text| text.starts_with("Started ")),
        "{heard:?}"
    );
    after = heard.mark;

    // Hostile lines of a program, as journald keeps them.
    hosts[0].run(&format!("systemd-run --wait --quiet --unit=nasty.service sh -c '{}'", NASTY.replace('\'', "'\\''")));
    let nasty =
        quarterdeck::model::log::Place { what: quarterdeck::model::log::Where::Journal(Some("nasty.service".into())), ..all[0].clone() };
    let heard = logs.read(&nasty, &wanted(&None)).await.unwrap();
    for line in &heard.lines {
        assert!(!line.text.chars().any(quarterdeck::model::text::is_hostile) && line.text.len() <= 4_096 + 3, "{line:?}");
    }
    assert!(texts(&heard).iter().any(|text| text.contains("bidi")), "{:?}", texts(&heard));
    assert!(texts(&heard).iter().any(|text| text.contains("too long") || text.starts_with("xxxx")), "{:?}", texts(&heard));
    let end = heard.lines.iter().find(|line| line.text == "ERROR the end").unwrap();
    assert_eq!(end.level, Some(Level::Error));
    assert!(end.by.as_deref().is_some_and(|by| by.ends_with(']')), "{end:?}");

    // The other one's cable is cut: this one goes on, and that one does too when it is back.
    hosts[1].cut();
    let (from, begin) = (wanted(&after), wanted(&None));
    let (one, two) = tokio::join!(logs.read(&all[0], &from), logs.read(&all[1], &begin));
    assert!(one.is_ok(), "{one:?}");
    let why = two.unwrap_err();
    assert!(why.starts_with("web2: "), "{why}");
    hosts[1].mend();
    let back = async {
        loop {
            match logs.read(&all[1], &wanted(&None)).await {
                Ok(heard) => return heard,
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(200)).await,
            }
        }
    };
    let heard = tokio::time::timeout(crate::servers::PATIENCE, back).await.expect("it answers again");
    assert!(texts(&heard).iter().any(|text| text.starts_with("Started ")), "{heard:?}");
    // Nothing is left there once a call has ended.
    assert_eq!(hosts[0].run("pgrep -c journalctl || true").out, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_may_not_read_the_journal_is_told_so_and_files_are_read() {
    let Some(hosts) = hosts("a_user_who_may_not_read_the_journal_is_told_so_and_files_are_read", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let web = "hosts = [\"web1\"]\nrestart = { unit = \"app.service\" }\n[[service]]\nname = \"file\"\nhosts = [\"web1\"]\nlogs = { file = \"/opt/app/$host.log\" }\n";
    let text = hosts.estate("deploy").replacen("hosts = [\"web1\"]\n", web, 1);
    let estate = estate(folder.path(), &text);
    let logs = Logs::new(estate.clone());
    let of = |name: &str| places(&estate, &Of::Service(name.into())).unwrap().remove(0);
    let why = logs.read(&of("web"), &wanted(&None)).await.unwrap_err();
    assert!(why.starts_with("web1: the user there may not read") && why.contains("systemd-journal"), "{why}");
    hosts[0].run("usermod -aG systemd-journal deploy");
    // The connection that stands is of before: a new one has the group.
    let logs = Logs::new(estate.clone());
    let heard = logs.read(&of("web"), &wanted(&None)).await.unwrap();
    assert!(texts(&heard).iter().any(|text| text.starts_with("Started ")) && heard.notes.is_empty(), "{heard:?}");

    hosts[0].run("printf '2026-11-21T06:00:00Z one\\n2026-11-21T06:00:01Z two\\n' > /opt/app/web1.log");
    let heard = logs.read(&of("file"), &wanted(&None)).await.unwrap();
    assert_eq!(texts(&heard), ["2026-11-21T06:00:00Z one", "2026-11-21T06:00:01Z two"]);
    let after = heard.mark;
    hosts[0].run("cd /opt/app && echo last >> web1.log && mv web1.log web1.log.1 && echo first > web1.log");
    let heard = logs.read(&of("file"), &wanted(&after)).await.unwrap();
    assert_eq!(texts(&heard), ["last", "first"]);
    assert!(heard.notes[0].contains("was rotated"), "{heard:?}");
    hosts[0].run("chmod 600 /opt/app/web1.log && chown root /opt/app/web1.log");
    let why = logs.read(&of("file"), &wanted(&heard.mark)).await.unwrap_err();
    assert!(why.starts_with("web1: the log cannot be read: ") && why.contains("Permission denied"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rare_error_is_found_behind_more_lines_than_an_answer_holds() {
    let Some(hosts) = hosts("a_rare_error_is_found_behind_more_lines_than_an_answer_holds", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let web = "hosts = [\"web1\"]\nlogs = { unit = \"noisy.service\" }\n";
    let text = hosts.estate("root").replacen("hosts = [\"web1\"]\n", web, 1);
    let estate = estate(folder.path(), &text);
    let logs = Logs::new(estate.clone());
    let place = places(&estate, &Of::Service("web".into())).unwrap().remove(0);
    // One error by its priority, two by their own words (one in colours), and then more than is ever read at once.
    let program = r#"echo "<3>rare by priority"; printf '\033[31mERROR\033[0m rare in words\n'; echo 'level=fatal rare too'; echo 'no ERRORS here'; seq 1 4000"#;
    hosts[0].run(&format!("systemd-run --wait --quiet --unit=noisy.service sh -c '{}'", program.replace('\'', "'\\''")));
    let all = logs.read(&place, &Wanted { lines: quarterdeck::watch::logs::LINES, ..Wanted::default() }).await.unwrap();
    assert!(all.passed && !texts(&all).iter().any(|text| text.contains("rare")), "they lie behind what is read: {all:?}");
    let wanted = |after: &Option<Mark>| Wanted { worst: Some(Level::Error), ..wanted(after) };
    let heard = logs.read(&place, &wanted(&None)).await.unwrap();
    assert_eq!(texts(&heard), ["rare by priority", "ERROR rare in words", "level=fatal rare too"]);
    assert!(heard.notes.is_empty() && !heard.passed, "{heard:?}");
    // Followed: what is told is not told again, and what is new is.
    let again = logs.read(&place, &wanted(&heard.mark)).await.unwrap();
    assert_eq!(texts(&again), Vec::<&str>::new());
    hosts[0].run("systemd-run --wait --quiet --unit=noisy.service sh -c 'seq 1 100; echo \"<2>one more\"; seq 1 100'");
    let new = logs.read(&place, &wanted(&again.mark)).await.unwrap();
    assert_eq!(texts(&new), ["one more"]);
    let none = logs.read(&place, &wanted(&new.mark)).await.unwrap();
    assert_eq!(texts(&none), Vec::<&str>::new());

    let file = &estate.path;
    let (code, out, errors) = qd(folder.path(), file, &["logs", "web", "--errors"]);
    assert_eq!((code, out.lines().count()), (Some(0), 4), "{out}{errors}");
    let (_, out, _) = qd(folder.path(), file, &["logs", "web"]);
    assert!(!out.contains("rare"), "{out}");
}

/// `qd logs --follow`, whose lines come one by one.
struct Follow(Child, std::sync::mpsc::Receiver<String>);

impl Drop for Follow {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn qd_logs_prints_merges_and_follows() {
    let Some(hosts) = hosts("qd_logs_prints_merges_and_follows", 2) else { return };
    let folder = tempfile::tempdir().unwrap();
    let web = "hosts = [\"web1\", \"web2\"]\nrestart = { unit = \"app.service\" }\n";
    let text = hosts.estate("root").replacen("hosts = [\"web1\", \"web2\"]\n", web, 1);
    let file = estate(folder.path(), &text).path.clone();
    let (code, out, errors) = qd(folder.path(), &file, &["logs", "web"]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(out.contains(" web1 ") && out.contains(" web2 ") && out.contains("Started "), "{out}");
    let times: Vec<&str> = out.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert!(times.is_sorted(), "{out}");
    let (code, out, _) = qd(folder.path(), &file, &["logs", "web", "--host", "web2", "-o", "json", "--grep", "started"]);
    assert_eq!(code, Some(0));
    for line in out.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["host"], "web2");
    }
    let (code, _, errors) = qd(folder.path(), &file, &["logs", "web", "--host", "web9"]);
    assert_eq!(code, Some(64), "{errors}");

    let mut child = Command::new(env!("CARGO_BIN_EXE_qd"));
    child.args(["logs", "web", "--follow", "--estate"]).arg(&file).stdin(Stdio::null()).stdout(Stdio::piped());
    child.stderr(File::create(folder.path().join("errors")).unwrap());
    for place in ["HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        child.env(place, folder.path());
    }
    let mut child = child.spawn().unwrap();
    let (told, lines) = std::sync::mpsc::channel();
    let out = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| told.send(line)));
    let follow = Follow(child, lines);
    let wait = |what: &str| {
        let begun = std::time::Instant::now();
        while begun.elapsed() < crate::servers::PATIENCE {
            if let Ok(line) = follow.1.recv_timeout(std::time::Duration::from_millis(100))
                && line.contains(what)
            {
                return;
            }
        }
        panic!("never printed: {what}; {}", std::fs::read_to_string(folder.path().join("errors")).unwrap_or_default());
    };
    wait("Started ");
    // Of this unit alone: what others print is not told.
    hosts[0].run("systemd-run --quiet --wait --unit=other echo not-of-it");
    hosts[0].run("systemctl restart app.service");
    wait("Stopped ");
    hosts[1].cut();
    until("that it is away is told", || {
        std::fs::read_to_string(folder.path().join("errors")).ok().filter(|errors| errors.contains("web2: ")).map(drop)
    });
    hosts[0].run("systemctl restart app.service");
    wait("Stopped ");
    hosts[1].mend();
    hosts[1].run("systemctl restart app.service");
    wait(" web2 ");
    let mut follow = follow;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(follow.0.id() as i32), nix::sys::signal::Signal::SIGINT).unwrap();
    assert_eq!(follow.0.wait().unwrap().code(), Some(130));
    let config = hosts.ssh_config().display().to_string();
    until("no ssh is left", || {
        let left = Command::new("pgrep").args(["-f", "--", &config]).output().unwrap();
        left.stdout.is_empty().then_some(())
    });
}
