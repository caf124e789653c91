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
    let estate = format!(
        "version = 1\n\n[estate]\nname = \"harbour\"\nenvironment = \"test\"\n\n\
         [[source]]\nname = \"am\"\nkind = \"alertmanager\"\nurls = [\"{}\", \"{}\"]\nevery = \"1s\"\n",
        pair[0].url(),
        pair[1].url()
    );
    let mut console =
        Console::over(tempfile::tempdir().unwrap(), &estate, &["sh", "-c", "exec \"$QD\" --estate \"$ESTATE\""], &[], (100, 40));
    console.until("the console", |screen| screen.alternate_screen() && screen.contents().contains("harbour"));
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
    let estate = format!(
        "version = 1\n\n[estate]\nname = \"harbour\"\nenvironment = \"test\"\n\n\
         [[source]]\nname = \"am\"\nkind = \"alertmanager\"\nurls = [\"{}\", \"{}\"]\nevery = \"1s\"\n",
        pair[0].url(),
        pair[1].url()
    );
    let mut console =
        Console::over(tempfile::tempdir().unwrap(), &estate, &["sh", "-c", "exec \"$QD\" --estate \"$ESTATE\""], &[], (100, 40));
    console.until("the console", |screen| screen.alternate_screen() && screen.contents().contains("harbour"));
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
    console.until("the marks are there still, with what ends both", |screen| {
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
