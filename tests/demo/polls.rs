//! What the console knows of each scenario within three polls of the disaster: the very watchers, state and view of the
//! console, without a terminal.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use quarterdeck::app::derive::Derivation;
use quarterdeck::app::effect::Effect;
use quarterdeck::app::keymap::Keymap;
use quarterdeck::app::message::Message;
use quarterdeck::app::state::{Identity, Look, State};
use quarterdeck::app::update::update;
use quarterdeck::config;
use quarterdeck::journal::{self, Hand};
use quarterdeck::session::archive::Archive;
use quarterdeck::session::ask::verify::Verifier;
use quarterdeck::session::feed::{Feed, Sources};
use tokio::sync::{mpsc, watch};

use crate::practice::{PATIENCE, Practice, have_postgres, qd, until};

/// As many polls of the source that tells may pass.
const POLLS: usize = 3;

/// Reads the estate as the console does, until the view has an alert with this name and a need with these words.
fn told_within_three_polls(practice: &Practice, source: &str, alert: &str, need: &[&str]) {
    let estate = Arc::new(config::load::estate(&practice.folder.join("estate.toml")).unwrap());
    let source = estate.sources.iter().position(|s| s.name == source).unwrap();
    let look = Look {
        themes: vec![config::theme::theme("dark", None).unwrap()],
        theme: 0,
        offers: Default::default(),
        ascii: true,
        zone: Default::default(),
        local: TimeZone::UTC,
    };
    let keymap = Keymap::compile(&config::keymap::default_bindings().unwrap(), &[]).unwrap();
    let who = Identity { host: "here".into(), user: "me".into(), estate: None };
    let mut state = State::new(estate.clone(), who, look, Arc::new(keymap), Timestamp::now(), (160, 50));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let archive = Arc::new(Archive::new(estate.clone(), None));
        let mut feed = Sources::new(estate, quarterdeck::watch::no_past(), archive, nobody());
        let (_demand, wanted) = watch::channel(state.demand);
        let (out, mut messages) = mpsc::channel(64);
        feed.start(wanted, out);
        let mut polls = 0;
        loop {
            let message = tokio::time::timeout(PATIENCE, messages.recv()).await.expect("the sources are polled").unwrap();
            polls += usize::from(matches!(&message, Message::Read { source: read, .. } if *read == source));
            state.now = Timestamp::now();
            for effect in update(&mut state, message) {
                if effect == Effect::Derive {
                    let derived = Derivation::of(&state).carry_out();
                    update(&mut state, Message::Derived(Box::new(derived)));
                }
            }
            let raised = state.view.alerts.iter().any(|a| a.name() == alert);
            let told = state.view.needs.iter().any(|n| need.iter().all(|word| n.what.contains(word)));
            if raised && told {
                return;
            }
            let (alerts, needs): (Vec<_>, Vec<_>) =
                (state.view.alerts.iter().take(9).map(|a| a.name()).collect(), state.view.needs.iter().map(|n| &n.what).collect());
            assert!(polls <= POLLS, "after {POLLS} polls there is no {alert:?} and {need:?}: {alerts:?} {needs:#?}");
        }
    });
}

#[test]
fn a_bad_release() {
    let practice = Practice::start(&["--scenario", "bad-release", "--after", "0"]);
    until("requests fail", || (practice.failed("north edge page") > 0.0).then_some(()));
    told_within_three_polls(&practice, "north edge page", "requests fail at north", &["north", "errors"]);
    // What the service prints tells why.
    let estate = practice.folder.join("estate.toml");
    let (code, told) = qd(practice.home.path(), &["logs", "web", "--grep", "level:error", "--estate", estate.to_str().unwrap()]);
    assert_eq!(code, 0, "{told}");
    assert!(told.lines().any(|line| line.contains("release 2.5.0") && line.contains("field `currency` is missing")), "{told}");
}

#[test]
fn a_slow_dependency() {
    let practice = Practice::start(&["--scenario", "slow-dependency", "--after", "0"]);
    until("people wait", || {
        let metric = |end| practice.value("north edge page", "http_request_duration_seconds_bucket", &[("le", end)]);
        (metric("+Inf")? > metric("1")?).then_some(())
    });
    told_within_three_polls(&practice, "north store page", "the store is slow at north", &["north", "store", "p95"]);
}

#[test]
fn an_edge_without_connections() {
    let practice = Practice::start(&["--scenario", "stuck", "--after", "0"]);
    until("requests fail", || (practice.failed("north edge page") > 10.0).then_some(()));
    told_within_three_polls(&practice, "north edge page", "requests fail at north", &["north", "errors"]);
    told_within_three_polls(&practice, "north edge page", "no connection is free at north", &["no connection is free at north"]);
}

#[test]
fn a_certificate_near_its_end() {
    let practice = Practice::start(&["--scenario", "certificate"]);
    told_within_three_polls(&practice, "north edge certificate", "certificate ends", &["localhost", "days left"]);
}

#[test]
fn a_storm() {
    let practice = Practice::start(&["--scenario", "storm", "--after", "0"]);
    until("the outbox is stuck", || practice.value("north store page", "store_outbox_waiting", &[("partition", "2999")]));
    told_within_three_polls(&practice, "north store page", "the outbox is stuck at north", &["the outbox is stuck at north"]);
}

#[test]
fn a_standby_that_is_held_back() {
    if !have_postgres("a_standby_that_is_held_back") {
        return;
    }
    let practice = Practice::start(&["--scenario", "replica-lag", "--after", "0"]);
    practice.until_the_ledger_streams();
    until("its replay is paused", || (practice.ledger_nodes()[1]["replay_paused"] == true).then_some(()));
    told_within_three_polls(&practice, "ledger", "replay paused", &["ledger", "south", "paused"]);
    until("commits wait", || practice.ledger_nodes()[1]["lag_seconds"].as_f64().filter(|seconds| *seconds >= 3.0));
    told_within_three_polls(&practice, "ledger", "standby lags", &["ledger", "south", "standby lags"]);
    // A person mends it.
    let file = practice.folder.join("south/ledger/ledger.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("paused = true", "paused = false")).unwrap();
    until("it replays again", || (practice.ledger_nodes()[1]["replay_paused"] == false).then_some(()));
}

/// Nothing is verified here.
fn nobody() -> Arc<Verifier> {
    Arc::new(Verifier::new(None, Hand { actor: journal::actor(&|_| None), version: String::new(), estate: None }))
}
