//! One act stands once on the axis, whoever tells of it.

use super::*;
use crate::model::deployment::{Dated, Deployment};
use crate::model::estate::tests::{bare, service, source};
use crate::model::estate::{Service, SourceKind};
use crate::model::label::Labels;
use crate::model::plan::{Act, Former};
use crate::model::reading::Outcome;
use crate::model::run::known::Liveness;
use crate::model::run::sample::{Log, at, plan, step};
use crate::model::run::{Happened, Request};
use crate::model::silence::{SilenceMatcher, SilenceState};
use crate::model::source::AlertmanagerAnswer;

fn estate() -> Estate {
    let kind = SourceKind::Alertmanager { urls: vec!["http://am:9093".into()], dead_man: None };
    Estate { name: "shop".into(), environment: "production".into(), ..bare(vec![source("am", kind)]) }
}

fn runs(logs: &[&Log]) -> Runs {
    let known = |log: &&Log| {
        let alive = Liveness::Live { heartbeat: at(0) };
        log.known(alive)
    };
    Runs::of(logs.iter().map(known).collect(), String::new(), None)
}

fn restart() -> Log {
    let mut plan = plan(&["web1"], vec![step("web1/restart")]);
    (plan.deed, plan.from, plan.to) = (Deed::Restart, None, None);
    Log::begun("web-restart", &plan)
}

fn told(events: &[Event]) -> Vec<(Kind, &str)> {
    events.iter().map(|event| (event.kind, event.what.as_str())).collect()
}

fn silence(id: &str, from: i64, to: i64, comment: &str) -> Silence {
    Silence {
        id: id.into(),
        state: SilenceState::Active,
        matchers: vec![SilenceMatcher::equal("alertname", "DiskFull"), SilenceMatcher::equal("service", "web")],
        starts_at: at(from),
        ends_at: at(to),
        created_by: "ann@jump".into(),
        comment: comment.into(),
        seen_by: vec![0],
    }
}

fn heard(silences: Vec<Silence>, as_of: i64) -> Vec<Reading<Answer>> {
    let mut reading = Reading::never(SignedDuration::from_secs(15));
    let answer = AlertmanagerAnswer { silences, ..AlertmanagerAnswer::default() };
    reading.take(Outcome::Value { value: Answer::Alertmanager(Arc::new(answer)), as_of: at(as_of) }, None);
    vec![reading]
}

/// A run that did one thing with silences, and ended well.
fn of_silence(run: &str, act: Act) -> Log {
    let one = crate::model::plan::Step { act, ..step("am/silence") };
    let mut plan = plan(&["am"], vec![one]);
    (plan.deed, plan.subject, plan.from, plan.to) = (Deed::Silence, "DiskFull".into(), None, None);
    let mut log = Log::begun(run, &plan);
    log.done("am/silence");
    log.add(Happened::Ended(Ending::Done));
    log
}

#[test]
fn a_run_is_told_from_its_begin_over_each_wait_to_its_end_and_each_leads_to_it() {
    let mut log = restart();
    log.add(Happened::Asked { step: Some("web1/restart".into()), why: "it does not answer".into() });
    log.request(Request::Retry { step: "web1/restart".into(), reason: "again".into() });
    log.request(Request::Pause { reason: "wait for bob".into() });
    log.request(Request::Resume { reason: "he is there".into() });
    log.add(Happened::Ended(Ending::Failed { why: "it does not start".into(), stays: vec![] }));
    let all = acts(&estate(), &runs(&[&log]), &[], &[]);
    assert_eq!(
        told(&all),
        [
            (Kind::RunEnded, "restart of web: failed: it does not start"),
            (Kind::RunWaits, "restart of web waits: paused: wait for bob"),
            (Kind::RunWaits, "restart of web waits: web1/restart: it does not answer"),
            (Kind::RunBegan, "restart of web by ann@jump"),
        ]
    );
    assert_eq!(
        all.iter().map(|event| event.severity).collect::<Vec<_>>(),
        [Severity::Critical, Severity::Warning, Severity::Warning, Severity::Info]
    );
    assert!(all.iter().all(|event| event.link == Link::Run("web-restart".into()) && event.is_of(&estate(), "web")));
    assert!(all.iter().all(|event| !event.is_of(&estate(), "db")));
}

#[test]
fn a_rollback_begins_with_its_deployment_and_stands_once() {
    let mut log = Log::begun("web-back", &plan(&["web1"], vec![step("web1/switch")]));
    let begins = |made: &[Arc<Deployment>], log: &Log| {
        acts(&estate(), &runs(&[log]), made, &[]).iter().filter(|event| event.kind == Kind::RunBegan).count()
    };
    assert_eq!(begins(&[], &log), 1, "it has changed nothing yet: no deployment tells of it");
    log.done("web1/switch");
    let one = Deployment { id: Some("web-back".into()), to: Some("2.4.0".into()), ..Deployment::new("web", at(1), Dated::Record, JOURNAL) };
    let made = [Arc::new(one)];
    assert_eq!(begins(&made, &log), 0);
    let known = super::super::known(&estate(), &[], &[], &made, &[], (at(-60), at(60)), at(60));
    assert_eq!(
        known.iter().map(|event| (event.kind, &event.link)).collect::<Vec<_>>(),
        [(Kind::Deployment, &Link::Run("web-back".into()))]
    );
    log.add(Happened::Ended(Ending::Done));
    let all = acts(&estate(), &runs(&[&log]), &made, &[]);
    assert_eq!(told(&all), [(Kind::RunEnded, "rollback of web from 2.5.0 to 2.4.0: done")]);
}

#[test]
fn a_run_of_another_estate_is_none_of_this_ones() {
    let elsewhere = Estate { environment: "staging".into(), ..estate() };
    assert!(acts(&elsewhere, &runs(&[&restart()]), &[], &[]).is_empty());
}

#[test]
fn a_silence_begins_and_ends_and_belongs_to_the_services_that_it_names() {
    let mut estate = estate();
    let service = |name: &str| Service { labels: Labels::new([("service", name)]), ..service(name) };
    estate.services = vec![service("web"), service("db")];
    let all = vec![
        silence("one", 0, 50, "ack: on it [qd web-1]"),
        silence("later", 500, 900, "planned work"),
        silence("long", 10, 70, "the array is replaced"),
    ];
    let now = of_silences(&estate, &heard(all.clone(), 60), at(80));
    assert_eq!(
        told(&now),
        [
            (Kind::Unmuted, "ack of DiskFull by ann: on it"),
            (Kind::Muted, "alertname=\"DiskFull\" service=\"web\" by ann: the array is replaced"),
            (Kind::Muted, "ack of DiskFull by ann: on it"),
        ],
        "what would have ended since it was last heard may have been made longer; what begins later has not begun"
    );
    assert!(now.iter().all(|event| event.is_of(&estate, "web") && !event.is_of(&estate, "db")));
    let regex = |value: &str| SilenceMatcher { name: "service".into(), value: value.into(), is_regex: true, is_equal: true };
    assert!(regex("web|db").names("db") && !regex("we.*").names("web"), "what a pattern means is not guessed");
}

#[test]
fn a_silence_of_a_run_and_what_the_run_tells_of_it_are_one() {
    let estate = estate();
    let mute = Act::Silence {
        replaces: None,
        matchers: vec![SilenceMatcher::equal("alertname", "DiskFull")],
        starts_at: None,
        ends_at: at(4_000),
        created_by: "ann@jump".into(),
        comment: "on it".into(),
    };
    let made = of_silence("disk-1", mute);
    let expired = of_silence("disk-2", Act::ExpireSilence { silence: Former { id: Some("b".into()), ends_at: at(9_000), of: vec![] } });
    let silences = vec![silence("a", 3, 4_000, "on it [qd disk-1]"), silence("b", -9_000, 4, "old [qd of-another-journal]")];
    let told_of = of_silences(&estate, &heard(silences, 60), at(60));
    let all = acts(&estate, &runs(&[&made, &expired]), &[], &told_of);
    let run = |event: &Event| match &event.link {
        Link::Silence { run, .. } => run.clone(),
        other => panic!("{other:?}"),
    };
    let joined: Vec<_> = all.iter().map(|event| (event.kind, run(event), event.via.join("+"))).collect();
    assert_eq!(
        joined,
        [
            (Kind::Unmuted, Some("disk-2".into()), "am+journal".into()),
            (Kind::Muted, Some("disk-1".into()), "am+journal".into()),
            (Kind::Muted, None, "am".into()),
        ]
    );
    // Where the Alertmanager does not tell of it, the run does.
    let alone = acts(&estate, &runs(&[&made]), &[], &[]);
    assert_eq!(told(&alone), [(Kind::RunEnded, "silence of DiskFull: done")]);
}

#[test]
fn ten_thousand_silences_and_runs_are_cut_to_the_newest() {
    let many = (0..10_000).map(|n| silence(&format!("s{n}"), n, 100_000, "x")).collect();
    let events = of_silences(&estate(), &heard(many, 20_000), at(20_000));
    assert_eq!((events.len(), events[0].at), (SILENCES, at(9_999)));
    let logs: Vec<Log> = (0..RUNS + 50)
        .map(|n| {
            let mut log = restart();
            log.run = format!("web-{n}");
            log.records.iter_mut().for_each(|record| {
                if let crate::model::event::Event::Run(of) = &mut record.event {
                    of.run.clone_from(&log.run)
                }
            });
            log
        })
        .collect();
    let logs: Vec<&Log> = logs.iter().collect();
    assert_eq!(acts(&estate(), &runs(&logs), &[], &[]).len(), RUNS);
}
