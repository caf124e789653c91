//! A silence made on screen: the finished binary on a pseudo-terminal over two real Alertmanagers that are one set.

use crate::console::Console;
use crate::http;
use crate::servers::{self, have, until};

const NEEDS: &[&str] = &["prometheus-alertmanager"];

/// Silences of this peer that have not ended.
fn live(port: u16) -> Vec<serde_json::Value> {
    let all = http::get(port, "/api/v2/silences").unwrap();
    all.as_array().unwrap().iter().filter(|silence| silence["status"]["state"] != "expired").cloned().collect()
}

/// Goes on from the reason to the end of the dialog, and types what it wants typed.
fn confirm(console: &mut Console, reason: &str) {
    console.until("the reason", |screen| screen.contents().contains("Reason, required"));
    console.press(reason.as_bytes());
    console.until("what is typed", |screen| screen.contents().contains(reason));
    console.press(b"\r");
    console.until("the impact", |screen| screen.contents().contains("STEPS  "));
    console.press(b"\r");
    console.until("the checks", |screen| screen.contents().contains("nothing stands in the way"));
    console.press(b"\r");
    let phrase = std::cell::RefCell::new(String::new());
    // The dialog hears nothing before it could be read.
    console.until("the dialog", |screen| {
        let text = screen.contents();
        let line = text.lines().find_map(|line| line.split_once("then type  "));
        if let Some((_, rest)) = line {
            *phrase.borrow_mut() = rest.split("  then").next().unwrap_or_default().trim().to_owned();
        }
        line.is_some() && !text.contains("keys count")
    });
    let phrase = phrase.into_inner();
    console.press(b"\t");
    console.press(phrase.as_bytes());
    console.until("that the phrase is whole", |screen| screen.contents().contains("starts it"));
    console.press(b"\r");
}

/// A console on an estate with both of them.
fn opened(pair: &[servers::Server]) -> Console {
    let estate = format!(
        "version = 1\n\n[estate]\nname = \"harbour\"\nenvironment = \"test\"\n\n\
         [[source]]\nname = \"am\"\nkind = \"alertmanager\"\nurls = [\"{}\", \"{}\"]\nevery = \"1s\"\n",
        pair[0].url(),
        pair[1].url()
    );
    let console = Console::over(tempfile::tempdir().unwrap(), &estate, &["sh", "-c", "exec \"$QD\" --estate \"$ESTATE\""], &[], (100, 40));
    console.until("the console", |screen| screen.alternate_screen() && screen.contents().contains("harbour"));
    console
}

#[test]
fn an_alert_is_acked_on_screen_and_the_ack_is_ended_there() {
    if !have("an_alert_is_acked_on_screen_and_the_ack_is_ended_there", NEEDS) {
        return;
    }
    let pair = servers::alertmanager_pair();
    servers::post_alert(&[&pair[0], &pair[1]], &[("alertname", "DiskFull"), ("service", "web"), ("host", "a")]);
    for peer in &pair {
        servers::wait_for_alert(peer, "DiskFull", "active");
    }
    let mut console = opened(&pair);
    console.press(b"2");
    console.until("the alert, and the key that the footer offers for it", |screen| {
        let text = screen.contents();
        text.contains("DiskFull") && text.lines().last().is_some_and(|last| last.contains("A ack"))
    });
    console.press(b"A");
    console.until("the first page", |screen| screen.contents().contains("this alert and nothing else"));
    console.press(b"+\r");
    confirm(&mut console, "the disk is being replaced");
    until("both peers have it", || (live(pair[0].port).len() == 1 && live(pair[1].port).len() == 1).then_some(()));
    let made = live(pair[1].port).remove(0);
    assert!(made["comment"].as_str().unwrap().starts_with("ack: the disk is being replaced [qd DiskFull"), "{made}");
    assert_eq!(made["matchers"].as_array().unwrap().len(), 3, "{made}");
    for peer in &pair {
        servers::wait_for_alert(peer, "DiskFull", "suppressed");
    }
    console.until("the run is done", |screen| screen.contents().to_lowercase().contains("done"));

    console.press(b"\x1b");
    console.until("the key that ends it", |screen| {
        screen.contents().contains("DiskFull") && screen.contents().lines().last().is_some_and(|last| last.contains("X end silence"))
    });
    console.press(b"X");
    console.until("which one", |screen| screen.contents().contains("ends now"));
    console.press(b"\r");
    confirm(&mut console, "it is replaced");
    until("neither peer has it", || (live(pair[0].port).is_empty() && live(pair[1].port).is_empty()).then_some(()));
    for peer in &pair {
        servers::wait_for_alert(peer, "DiskFull", "active");
    }
    console.press(b"\x03");
    console.ends_with(130);
}

fn text(console: &Console) -> String {
    console.shown.0.lock().unwrap().parser.screen().contents()
}

#[test]
fn all_silences_are_listed_ended_from_the_list_and_told_on_the_timeline() {
    if !have("all_silences_are_listed_ended_from_the_list_and_told_on_the_timeline", NEEDS) {
        return;
    }
    let mut pair = servers::alertmanager_pair();
    servers::post_alert(&[&pair[0], &pair[1]], &[("alertname", "DiskFull"), ("service", "web"), ("host", "a")]);
    servers::post_alert(&[&pair[0], &pair[1]], &[("alertname", "CpuHigh"), ("service", "web"), ("host", "a")]);
    for peer in &pair {
        servers::wait_for_alert(peer, "DiskFull", "active");
        servers::wait_for_alert(peer, "CpuHigh", "active");
    }
    let now = jiff::Timestamp::now();
    let made = |name: &str, labels: &[(&str, &str)], hours: i64, comment: &str| {
        let matchers: Vec<_> = std::iter::once(("alertname", name))
            .chain(labels.iter().copied())
            .map(|(name, value)| serde_json::json!({"name": name, "value": value, "isRegex": false, "isEqual": true}))
            .collect();
        let ends = (now + jiff::SignedDuration::from_hours(hours)).to_string();
        let body = serde_json::json!({
            "matchers": matchers, "startsAt": now.to_string(), "endsAt": ends, "createdBy": "ann@jump", "comment": comment,
        });
        http::post(pair[0].port, "/api/v2/silences", &body)
    };
    made("DiskFull", &[("service", "web"), ("host", "a")], 1, "ack: on it");
    made("CpuHigh", &[], 5, "a new kernel");
    made("Nothing", &[], 9, "planned work");
    for peer in &pair {
        servers::wait_for_alert(peer, "DiskFull", "suppressed");
        servers::wait_for_alert(peer, "CpuHigh", "suppressed");
        until("all of them are there", || (live(peer.port).len() == 3).then_some(()));
    }
    let estate = format!(
        "version = 1\n\n[estate]\nname = \"harbour\"\nenvironment = \"test\"\n\n\
         [[source]]\nname = \"am\"\nkind = \"alertmanager\"\nurls = [\"{}\", \"{}\"]\nevery = \"1s\"\n\n\
         [[service]]\nname = \"web\"\nlabels = {{ service = \"web\" }}\n",
        pair[0].url(),
        pair[1].url()
    );
    let mut console = Console::over(
        tempfile::tempdir().unwrap(),
        &estate,
        &["sh", "-c", "exec \"$QD\" --estate \"$ESTATE\" --pane alerts"],
        &[],
        (80, 24),
    );
    // The ack is told apart on the alert's own row.
    console.until("the ack", |screen| screen.contents().lines().any(|line| line.contains("DiskFull") && line.contains("acked ")));
    console.press(b"s");
    console.until("the list", |screen| {
        let text = screen.contents();
        text.contains("3 active")
            && text.contains("ack of DiskFull")
            && text.contains("acked by ann@jump")
            && text.contains("mutes 1 alert now")
    });
    console.press(b"G");
    console.until("the last one", |screen| screen.contents().contains("mutes nothing now"));
    console.press(b"k\r");
    console.until("what it mutes", |screen| screen.contents().contains("CpuHigh") && screen.contents().contains("/silence:"));
    console.press(b"\x1b");
    console.until("the list again", |screen| screen.contents().contains("3 active"));
    console.press(b"gX");
    console.until("which one", |screen| screen.contents().contains("ends now"));
    console.press(b"\r");
    confirm(&mut console, "it is replaced");
    until("neither peer has it", || (live(pair[0].port).len() == 2 && live(pair[1].port).len() == 2).then_some(()));
    console.until("the run is done", |screen| screen.contents().contains("RUN  silence") && screen.contents().contains("done"));
    console.press(b"\x1b");
    console.until("it is over", |screen| screen.contents().contains("2 active, 1 expired"));

    // The act stands once on the timeline, as the end of the silence, and leads to its run.
    console.press(b"\x1b");
    console.until("the alerts", |screen| screen.contents().contains("SEV"));
    console.press(b"t");
    console.until("the end of the ack", |screen| {
        screen
            .contents()
            .lines()
            .any(|line| line.contains("o unmuted") && line.contains("ack of DiskFull by ann") && line.contains("am+journal"))
    });
    let screen = text(&console);
    assert!(screen.contains("~ muted") && !screen.contains("run over"), "{screen}");
    console.press(b"/");
    console.press(b"kind:unmuted\r");
    console.until("the row alone", |screen| screen.contents().contains("/kind:unmuted 1 of"));
    console.press(b"g\r");
    console.until("the run", |screen| screen.contents().contains("RUN  silence"));
    console.press(b"\x1b");
    console.until("the timeline", |screen| screen.contents().contains("TIMELINE"));

    // From the command line they are the same.
    let file = console.home.path().join("estate.toml");
    let home = console.home.path().to_owned();
    let qd = |more: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_qd"));
        command.env_clear().env("HOME", &home).args(["silences", "--estate"]).arg(&file).args(more);
        let out = command.output().unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap())
    };
    let (code, table, errors) = qd(&[]);
    assert!(code == Some(0) && table.lines().count() == 3 && table.contains("a new kernel"), "{table}{errors}");
    let (_, json, _) = qd(&["--all", "--filter", "kind:ack", "-o", "json"]);
    let acks: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((acks.as_array().unwrap().len(), &acks[0]["state"], &acks[0]["reason"]), (1, &"expired".into(), &"on it".into()));
    assert_eq!(qd(&["--filter", "colour:red"]).0, Some(64));

    // Where nobody answers any more, what was known last stays and says so.
    for peer in &mut pair {
        peer.kill();
    }
    console.press(b"2s");
    console.until("that it is not fresh", |screen| {
        let text = screen.contents();
        text.contains("? am is ") && text.contains("its silences are as of") && text.contains("2 active")
    });
    let (code, _, errors) = qd(&[]);
    assert!(code == Some(1) && errors.contains("am: "), "{errors}");
    console.press(b"\x03");
    console.ends_with(130);
}

#[test]
fn marked_alerts_are_muted_on_screen_by_one_wizard_and_their_silences_ended_by_another() {
    if !have("marked_alerts_are_muted_on_screen_by_one_wizard_and_their_silences_ended_by_another", NEEDS) {
        return;
    }
    let pair = servers::alertmanager_pair();
    for host in ["a", "b", "c"] {
        servers::post_alert(&[&pair[0], &pair[1]], &[("alertname", "DiskFull"), ("service", "web"), ("host", host)]);
    }
    for peer in &pair {
        until("all fire", || (http::get(peer.port, "/api/v2/alerts")?.as_array()?.len() == 3).then_some(()));
    }
    let mut console = opened(&pair);
    console.press(b"2");
    console.until("the alerts", |screen| screen.contents().matches("DiskFull").count() >= 3);
    // Two of the three.
    console.press(b" j ");
    console.until("the marks", |screen| screen.contents().contains("marked 2 (at most 50)"));
    console.press(b"A");
    console.until("both on one page", |screen| {
        let text = screen.contents();
        text.contains("each of these alerts and nothing else") && text.contains("2 silences are made, a step each")
    });
    console.press(b"\r");
    confirm(&mut console, "both disks are mine");
    until("both peers have two", || (live(pair[0].port).len() == 2 && live(pair[1].port).len() == 2).then_some(()));
    assert!(
        live(pair[1].port).iter().all(|made| made["comment"].as_str().unwrap().starts_with("ack: both disks are mine [qd ack-2-alerts"))
    );
    let suppressed = || {
        let all = http::get(pair[0].port, "/api/v2/alerts")?;
        Some(all.as_array()?.iter().filter(|alert| alert["status"]["state"] == "suppressed").count())
    };
    until("the marked ones are muted, and the third is not", || (suppressed()? == 2).then_some(()));
    console.until("the run is done", |screen| screen.contents().contains("2 of 2") || screen.contents().to_lowercase().contains("done"));

    console.press(b"\x1b");
    // What they were made for was done: the marks are gone. The muted ones stand below the one that fires.
    console.until("the list without marks", |screen| {
        let text = screen.contents();
        text.matches("DiskFull").count() >= 3 && !text.contains("marked 2") && text.matches("acked").count() == 2
    });
    console.press(b"gj j ");
    console.until("the marks, with what ends both", |screen| {
        screen.contents().contains("marked 2") && screen.contents().lines().last().is_some_and(|last| last.contains("X end silences"))
    });
    console.press(b"X");
    console.until("both silences", |screen| screen.contents().contains("2 silences are ended, a step each"));
    console.press(b"\r");
    confirm(&mut console, "they are replaced");
    until("neither peer has one", || (live(pair[0].port).is_empty() && live(pair[1].port).is_empty()).then_some(()));
    console.press(b"\x03");
    console.ends_with(130);
}
