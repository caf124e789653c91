//! Runs on the command line: listed, shown, asked, and refused where they must be.

use std::ffi::OsString;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::run::{Confirmed, confirmed};
use super::*;
use crate::cli::{BROKEN, FAILED, OK, Outside, REFUSED, USAGE, run as qd};
use crate::journal::{Hand, Journal};
use crate::model::event::Event;
use crate::model::plan::{Act, Deed as Kind, FORMAT, Impact, OnFailure, Repeat, Step, Target, TargetKind};
use crate::model::run::{Agreement, Ending, Happened, RunEvent};

const RUN: &str = "web-20261121T140455Z-0001";

fn plan() -> Plan {
    let step = Step {
        id: "web1/drain".into(),
        title: "drain web1".into(),
        target: 0,
        needs: vec![],
        act: Act::Manual { what: "drain it".into() },
        undo: None,
        repeat: Repeat::Ask,
        timeout: 60,
        on_failure: OnFailure::Ask,
        undone_with: None,
        point_of_no_return: false,
    };
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    Plan {
        format: FORMAT,
        deed: Kind::Rollback,
        estate: "shop".into(),
        environment: "test".into(),
        subject: "web".into(),
        service: Some("web".into()),
        from: Some("2".into()),
        to: Some("1".into()),
        targets: vec![Target { name: "web1".into(), kind: TargetKind::Outside }],
        steps: vec![step],
        impact: Impact::default(),
        evidence: vec![],
        made_at: now,
        expires_at: now + SignedDuration::from_mins(10),
    }
}

fn agreement(glass: Option<&str>) -> Agreement {
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    Agreement { phrase: plan().phrase(), reason: "it is broken".into(), overrides: vec![], glass: glass.map(str::to_owned), at }
}

/// A home with a journal.
struct Home(TempDir);

impl Home {
    fn with(events: Vec<Happened>) -> Home {
        let home = Home(tempfile::tempdir().unwrap());
        // By a process that is gone.
        home.add(events, 1);
        home
    }

    /// Writes these events to the journal; a process that began so much later than this one is another.
    fn add(&self, events: Vec<Happened>, later: u64) {
        let mut actor = crate::journal::actor(&|_| None);
        actor.process.began += later;
        let hand = Hand { actor, version: "0".into(), estate: None };
        let mut journal = Journal::open(&self.journal()).unwrap();
        for (n, what) in (0..).zip(events) {
            let at = Timestamp::from_second(1_800_000_000 + n).unwrap();
            journal.append(&hand, at, Event::Run(RunEvent { run: RUN.into(), what }), at).unwrap();
        }
    }

    fn state(&self) -> PathBuf {
        self.0.path().join("quarterdeck")
    }

    fn journal(&self) -> PathBuf {
        self.state().join("journal.db")
    }

    fn qd(&self, args: &[&str]) -> (u8, String) {
        let home = self.0.path().to_owned();
        let env = move |name: &str| matches!(name, "XDG_STATE_HOME" | "HOME").then(|| home.clone().into_os_string());
        let mut out = Vec::new();
        let mut err = Vec::new();
        let args = std::iter::once("qd").chain(args.iter().copied()).map(OsString::from);
        let code = qd(args, Outside { env: &env, terminal: false }, &mut out, &mut err);
        (code, String::from_utf8(out).unwrap() + &String::from_utf8(err).unwrap())
    }
}

fn begun() -> Vec<Happened> {
    let planned = Happened::Planned { hash: plan().hash(), plan: Box::new(plan()) };
    vec![planned, Happened::Agreed(agreement(None)), Happened::Begun { resumed: false }]
}

#[test]
fn runs_are_listed_and_shown_with_what_to_do() {
    let home = Home::with(begun());
    let (code, text) = home.qd(&["runs"]);
    assert!(code == OK && text.contains(RUN) && text.contains(&format!("orphaned  its runner is gone: `qd resume {RUN}")), "{text}");
    let (code, text) = home.qd(&["runs", "-o", "json"]);
    assert!(code == OK && text.contains("\"live\": \"orphaned\""), "{text}");
    let (code, text) = home.qd(&["show", "web-2026"]);
    for part in [RUN, "it is broken", "waiting          web1/drain: drain web1", "begun"] {
        assert!(code == OK && text.contains(part), "{part}: {text}");
    }
    let (code, text) = home.qd(&["show", "web-2026", "-o", "json"]);
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, told["events"].as_array().unwrap().len(), told["steps"][0]["state"].as_str()), (OK, 3, Some("waiting")));
    let (code, text) = home.qd(&["show", "web-2026", "--report"]);
    assert!(code == OK && text.starts_with("# Rollback of web") && text.contains(RUN), "{text}");
    assert_eq!(home.qd(&["show", "db-"]).0, USAGE);
    assert_eq!(home.qd(&["attach", "web-2026"]).0, PERSON);
}

#[test]
fn why_a_runner_left_is_said_and_a_look_advises_no_other_look() {
    let home = Home::with(begun());
    let mut process = crate::journal::actor(&|_| None).process;
    process.began += 1;
    let folder = home.state().join("runs").join(RUN);
    std::fs::create_dir_all(&folder).unwrap();
    let beat = |left: bool| {
        let said = Some("the journal cannot be written: No space left on device".to_owned());
        let beat = crate::operate::runner::Beat { process, at: Timestamp::UNIX_EPOCH, said, left };
        std::fs::write(folder.join("heartbeat"), serde_json::to_vec(&beat).unwrap()).unwrap();
    };
    beat(true);
    for args in [["runs"].as_slice(), &["show", RUN]] {
        let text = home.qd(args).1;
        assert!(text.contains("its runner is gone (the journal cannot be written: No space left on device): `qd resume"), "{text}");
    }
    beat(false);
    let text = home.qd(&["show", RUN]).1;
    assert!(!text.contains("No space left"), "it was killed later, and not by that: {text}");
    assert!(text.contains("qd abort ") && !text.contains("qd show"), "{text}");
    let over = Home::with(begun().into_iter().chain([Happened::Ended(Ending::Done)]).collect());
    let text = over.qd(&["show", RUN]).1;
    assert!(!text.contains("qd show"), "{text}");
}

/// Ends the run as soon as it is told that its runner is silent.
struct Ends<'a> {
    home: &'a Home,
    told: String,
}

impl std::io::Write for Ends<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let before = self.told.contains("does not beat");
        self.told.push_str(std::str::from_utf8(bytes).unwrap());
        if !before && self.told.contains("does not beat") {
            self.home.add(vec![Happened::Ended(Ending::Done)], 0);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn whoever_follows_a_run_whose_runner_says_nothing_is_told_so_once() {
    let home = Home(tempfile::tempdir().unwrap());
    home.add(begun(), 0);
    let folder = home.0.path().to_owned();
    let env = move |name: &str| matches!(name, "XDG_STATE_HOME" | "HOME").then(|| folder.clone().into_os_string());
    let (mut out, mut err) = (Vec::new(), Ends { home: &home, told: String::new() });
    let args = ["qd", "attach", RUN].map(OsString::from);
    assert_eq!(qd(args, Outside { env: &env, terminal: false }, &mut out, &mut err), OK, "it goes on following");
    assert_eq!(err.told.matches("does not beat").count(), 1, "{}", err.told);
    assert!(err.told.contains(&format!("qd show {RUN}")), "{}", err.told);
}

#[test]
fn a_run_that_was_never_begun_is_not_said_to_be_one_to_resume() {
    let home = Home::with(begun().into_iter().take(2).collect());
    let (code, text) = home.qd(&["runs"]);
    assert!(code == OK && text.contains("never begun: nothing was changed") && !text.contains("resume"), "{text}");
}

#[test]
fn how_a_run_ended_is_the_exit_code_of_whoever_follows() {
    let stays = vec!["web1/drain: drain web1".to_owned()];
    let endings = [
        (Ending::Done, OK),
        (Ending::Refused { why: "frozen".into() }, REFUSED),
        (Ending::Aborted { stays: vec![] }, BROKEN),
        (Ending::Failed { why: "it failed".into(), stays }, BROKEN),
    ];
    for (ending, wanted) in endings {
        let home = Home::with(begun().into_iter().chain([Happened::Ended(ending.clone())]).collect());
        let (code, text) = home.qd(&["attach", RUN]);
        assert!(code == wanted && text.ends_with(&format!("{RUN}: {ending}\n")), "{code}: {text}");
        let (code, text) = home.qd(&["pause", RUN, "--reason", "late"]);
        assert!(code == USAGE && text.contains("has ended"), "{text}");
    }
}

#[test]
fn read_only_asks_nothing_and_a_request_lies_in_the_runs_folder() {
    let home = Home::with(begun());
    let requests = home.state().join("runs").join(RUN).join("requests");
    for asked in [
        &["pause", RUN, "--reason", "x"][..],
        &["resume", RUN, "--reason", "x"],
        &["abort", RUN, "--reason", "x"],
        &["retry", RUN, "web1/drain", "--reason", "x"],
        &["skip", RUN, "web1/drain", "--reason", "x"],
        &["confirm", RUN, "web1/drain", "--reason", "x"],
        &["take-back", RUN, "web1", "--reason", "x"],
        &["review", RUN, "--note", "x"],
    ] {
        let (code, text) = home.qd(&[&["--read-only"], asked].concat());
        assert!(code == USAGE && text.contains("--read-only") && !requests.exists(), "{asked:?}: {text}");
    }
    for wrong in
        [&["skip", RUN, "web9/drain", "--reason", "x"][..], &["take-back", RUN, "web9", "--reason", "x"], &["abort", RUN, "--reason", " "]]
    {
        assert_eq!(home.qd(wrong).0, USAGE, "{wrong:?}");
        assert!(!requests.exists());
    }
    assert_eq!(home.qd(&["pause", RUN, "--reason", "the error rate"]).0, OK);
    assert_eq!(std::fs::read_dir(&requests).unwrap().count(), 1);
}

#[test]
fn broken_glass_is_reviewed_once_it_was_broken() {
    let whole = Home::with(begun());
    assert_eq!(whole.qd(&["review", RUN, "--note", "fine"]).0, USAGE);
    let mut events = begun();
    events[1] = Happened::Agreed(agreement(Some("the shop is down")));
    events.push(Happened::Ended(Ending::Done));
    let broken = Home::with(events);
    assert!(broken.qd(&["show", RUN]).1.contains("not reviewed yet"));
    let listed = broken.qd(&["runs"]).1;
    assert!(listed.contains("nobody reviewed it") && listed.contains(&format!("review {RUN} --note")), "{listed}");
    assert_eq!(broken.qd(&["review", RUN, "--note", "fine"]).0, OK);
    assert!(broken.qd(&["show", RUN]).1.contains("reviewed it: fine"));
    assert!(!broken.qd(&["runs"]).1.contains("reviewed"));
    // What cannot be written is told.
    std::fs::write(broken.journal(), "no journal").unwrap();
    assert_eq!(broken.qd(&["review", RUN, "--note", "fine"]).0, FAILED);
}

#[test]
fn only_the_phrase_of_the_plan_of_now_confirms_it() {
    let agree = |confirm: &str, overrides: &[&str]| Agree {
        reason: "it is broken".into(),
        confirm: confirm.to_owned(),
        overrides: overrides.iter().map(|text| (*text).to_owned()).collect(),
        break_glass: None,
        detach: false,
        lease: 60,
    };
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let (plan, phrase) = (plan(), plan().phrase());
    let Confirmed::Same(agreed) = confirmed(&plan, &agree(&phrase, &["disk/web1=it was grown"]), now).unwrap() else { panic!("refused") };
    assert_eq!((agreed.overrides[0].check.as_str(), agreed.overrides[0].reason.as_str()), ("disk/web1", "it was grown"));
    for other in ["web 000000", "", "web", "yes"] {
        let Confirmed::Other(why) = confirmed(&plan, &agree(other, &[]), now).unwrap() else { panic!("{other} confirmed it") };
        assert!(why.contains(&phrase) && why.contains("web1/drain"), "{why}");
    }
    let Confirmed::Other(why) = confirmed(&plan, &agree(&format!("{phrase}   (until 2026-11-21)"), &[]), now).unwrap() else { panic!() };
    assert!(why.contains("mistyped") && why.contains(&phrase) && !why.contains("world"), "{why}");
    for wrong in ["disk/web1", "=x", "disk/web1= "] {
        assert!(confirmed(&plan, &agree(&phrase, &[wrong]), now).is_err(), "{wrong}");
    }
    assert!(confirmed(&plan, &Agree { reason: " ".into(), ..agree(&phrase, &[]) }, now).is_err());
}
