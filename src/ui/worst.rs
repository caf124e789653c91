//! Runs at their worst, as text: what a stranger sees when output is hostile, the journal cannot be read, a runner is silent,
//! and where ten thousand runs are listed.

use std::sync::Arc;

use super::fixture::{buffer, runs, text};
use crate::app::message::Message;
use crate::app::state::State;
use crate::app::update::update;
use crate::model::deployment::redact::redacted;
use crate::model::event::Event;
use crate::model::run::known::{Entry, KnownRun, Liveness, Runs};
use crate::model::run::sample::{Log, at, failed, plan, step, unknown};
use crate::model::run::{Call, Ending, Happened, Request};
use crate::model::secret::without;
use crate::model::text::{LABEL_CAP, clean};

const SIZES: [(u16, u16); 2] = [(80, 24), (200, 60)];
const LOG: &str = "web-20261121T140455Z-3f2a";
/// What no screen may show.
const SECRET: &str = "hunter2-of-the-database";
/// What a terminal would obey, and what turns a line around.
const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}ok\u{202e}dettimda\u{2066}\r\u{9b}31m";

fn known(log: &Log, alive: Liveness) -> KnownRun {
    KnownRun { state: Arc::new(log.state()), alive, live: vec![], entries: Arc::default(), left_out: 0, file: None, words: None }
}

fn told(all: Vec<KnownRun>, problem: Option<&str>, size: (u16, u16)) -> State {
    let mut state = runs::shown("operations empty", size);
    let all = all.into_iter().map(Arc::new).collect();
    update(&mut state, Message::Runs(Box::new(Runs::of(all, "41 9f0c".into(), problem.map(str::to_owned)))));
    state
}

fn press(mut state: State, keys: &str) -> State {
    for key in keys.split(' ') {
        update(&mut state, Message::Key(key.parse().unwrap()));
    }
    state
}

/// Of two hosts: the first is switched, the second is under way.
fn begun() -> Log {
    let mut steps = vec![step("web1/switch"), step("web2/switch")];
    (steps[1].target, steps[1].needs) = (1, vec!["web1/switch".into()]);
    let mut log = Log::begun(LOG, &plan(&["web1", "web2"], steps));
    log.add(Happened::LeaseTaken { target: 0, fence: 7 });
    log.done("web1/switch");
    log.intent("web2/switch", 1, Call::Apply);
    log
}

fn ended(log: Log, ending: Ending) -> KnownRun {
    let mut log = log;
    log.add(Happened::Ended(ending));
    known(&log, Liveness::Over)
}

/// What a program printed as a record keeps it: cleaned, capped, and without what is secret. Wide and combining characters,
/// tabs and lines of 4 KiB are left in it.
fn printed() -> Vec<String> {
    let raw = [
        format!("DB_PASSWORD={SECRET}"),
        format!("Authorization: Bearer {SECRET}"),
        format!("connecting with {SECRET}\u{1b}[31m to db1"),
        "\u{202e}dettimda\u{2066} \u{200b}\u{feff}zero\u{200d}width".to_owned(),
        "日本語のログ: 接続できません 한국어 👩\u{200d}🚀 ｗｉｄｅ".to_owned(),
        format!("combining: Z{} e\u{301} n\u{303}", "\u{334}\u{301}\u{35c}".repeat(40)),
        "tab\tseparated\tand\rreturned\u{8}\u{8}\u{7f}".to_owned(),
        "語".repeat(4_096 / 3),
        "z".repeat(4_096),
        "the last line".to_owned(),
    ];
    let clean: Vec<String> = raw.iter().map(|line| clean(line, LABEL_CAP).into_owned()).collect();
    let known: Vec<String> = clean.iter().map(|line| without(line, &[SECRET.to_owned()]).unwrap_or_else(|| line.clone())).collect();
    redacted(&known.iter().map(String::as_str).collect::<Vec<_>>())
}

fn shown(screen: &str, size: (u16, u16)) -> State {
    let now = at(40);
    let unread = "database disk image is malformed (code 11); `qd journal verify` says how far it is whole";
    let one = |known: KnownRun| press(told(vec![known], None, size), "enter");
    match screen {
        "unread" => told(vec![], Some(unread), size),
        "refused" => told(vec![], Some("cannot read /var/lib/qd/journal.db: Permission denied (os error 13)"), size),
        "printed" | "printed lower" | "printed record" | "printed copied" => {
            let mut log = begun();
            let end = failed("the unit wrote its password: see its last lines");
            log.add(Happened::Result { step: "web2/switch".into(), attempt: 1, call: Call::Apply, end, output: printed() });
            log.add(Happened::Asked { step: Some("web2/switch".into()), why: "web2/switch: what now?".into() });
            let mut of = known(&log, Liveness::Live { heartbeat: now });
            let run = of.state.plan.clone();
            let told = |record: &crate::model::event::Record| match &record.event {
                Event::Run(event) => {
                    Some(Entry { seq: record.seq, at: record.said_at, who: record.actor.name(), what: event.what.told(&run) })
                }
                _ => None,
            };
            of.entries = Arc::new(log.records.iter().filter_map(told).collect());
            let state = one(of);
            match screen {
                "printed lower" => press(state, &["j"; 25].join(" ")),
                "printed record" => press(state, "w"),
                "printed copied" => press(state, "y"),
                _ => state,
            }
        }
        "unread later" => told(vec![known(&begun(), Liveness::Live { heartbeat: now })], Some(unread), size),
        "silent" => one(known(&begun(), Liveness::Silent { since: at(12) })),
        "elsewhere" => one(known(&begun(), Liveness::Elsewhere { since: at(12) })),
        "unknown" => {
            let mut log = begun();
            log.result("web2/switch", 1, Call::Apply, unknown("ssh: connection lost while it was done"));
            log.add(Happened::Asked { step: Some("web2/switch".into()), why: "web2/switch: nobody can tell whether it was done".into() });
            one(known(&log, Liveness::Live { heartbeat: now }))
        }
        "failed" => {
            let mut log = begun();
            log.result("web2/switch", 1, Call::Apply, failed("No space left on device"));
            let stays = vec!["web1/switch: switch current from 2.5.0 to 2.4.0".to_owned()];
            one(ended(log, Ending::Failed { why: "web2/switch: No space left on device".into(), stays }))
        }
        "not taken back" => {
            let mut log = begun();
            log.result("web2/switch", 1, Call::Apply, failed("No space left on device"));
            log.request(Request::Abort { reason: "the disk of web2 is full".into() });
            log.intent("web1/switch", 1, Call::Undo);
            log.result("web1/switch", 1, Call::Undo, failed("Permission denied"));
            log.add(Happened::Asked { step: Some("web1/switch".into()), why: "web1/switch cannot be taken back".into() });
            one(known(&log, Liveness::Live { heartbeat: now }))
        }
        "many" => {
            let all = (0..10_000).map(|n| {
                let mut of = ended(begun(), Ending::Done);
                let state = Arc::make_mut(&mut of.state);
                state.run = format!("web-{n:05}");
                state.planned_at -= jiff::SignedDuration::from_mins(n);
                of
            });
            press(told(all.collect(), None, size), "G")
        }
        "many unread" => {
            let mut state = shown("many", size);
            let runs = state.runs.clone();
            update(&mut state, Message::Runs(Box::new(Runs { problem: Some(unread.into()), ..runs })));
            press(state, "G")
        }
        _ => {
            let mut log = begun();
            let output = (0..10_000).map(|n| format!("{n} {HOSTILE} {}", "x".repeat(3_000))).collect();
            let end = failed(&format!("{HOSTILE}{}", "y".repeat(3_000)));
            log.add(Happened::Result { step: "web2/switch".into(), attempt: 1, call: Call::Apply, end, output });
            log.add(Happened::Asked { step: Some("web2/switch".into()), why: format!("web2/switch: {HOSTILE}") });
            one(known(&log, Liveness::Live { heartbeat: now }))
        }
    }
}

const SCREENS: [&str; 15] = [
    "unread",
    "unread later",
    "refused",
    "silent",
    "elsewhere",
    "unknown",
    "failed",
    "not taken back",
    "many",
    "many unread",
    "hostile",
    "printed",
    "printed lower",
    "printed record",
    "printed copied",
];

#[test]
fn every_run_at_its_worst() {
    for size in SIZES {
        for screen in SCREENS {
            let state = shown(screen, size);
            let drawn = buffer(&state, size);
            for cell in drawn.content() {
                let bad = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
                assert!(!cell.symbol().chars().any(bad), "{screen}: {:?}", cell.symbol());
            }
            assert!(!text(&drawn).join("").contains("hunter2"), "{screen}");
            insta::assert_snapshot!(format!("worst_{}_{}", screen.replace(' ', "_"), size.0), text(&drawn).join("\n"));
        }
    }
}

#[test]
fn the_selected_run_is_on_the_screen_whatever_stands_above_the_list() {
    for screen in ["many", "many unread"] {
        for size in [(80, 24), (60, 16), (200, 60)] {
            let mut state = shown(screen, size);
            let mark = |state: &State| text(&buffer(state, size)).iter().filter(|line| line.starts_with('>')).count();
            for keys in ["G", "k", "k k k k k k k k k k k k k k k k k k k k k k", "j j", "G"] {
                state = press(state, keys);
                assert_eq!(mark(&state), 1, "{screen} {size:?} after {keys}");
            }
        }
    }
}

#[test]
fn ten_thousand_lines_of_output_cost_a_few_rows() {
    let state = shown("hostile", (80, 24));
    let layer = state.layers.last().unwrap();
    let (_, rows) = crate::app::page::lines(&state, layer, 80);
    assert!(rows.len() < 700, "{}", rows.len());
}
