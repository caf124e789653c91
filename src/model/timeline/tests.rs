//! Begins and ends out of a plot, one telling out of several, gaps, missed backups, and the cap.

use super::*;
use crate::model::alert::tests::alert;
use crate::model::metric::Series;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + secs).unwrap()
}

fn event(secs: i64, after: Option<i64>, kind: Kind, labels: &[(&str, &str)], via: &str) -> Event {
    Event {
        at: at(secs),
        after: after.map(at),
        kind,
        severity: Severity::Critical,
        what: "x".into(),
        service: None,
        via: vec![via.into()],
        link: Link::Alert(Labels::new(labels.iter().copied())),
    }
}

fn plot(series: &[(&str, &[i64])], len: usize) -> Plot {
    let of = |(name, there): &(&str, &[i64])| Series {
        labels: Labels::new([("__name__", "ALERTS"), ("alertstate", "firing"), ("alertname", name), ("severity", "critical")]),
        points: (0..len).map(|step| there.contains(&(step as i64)).then_some(1.0)).collect(),
    };
    Plot { start: at(0), step: 60, len, series: series.iter().map(of).collect(), dropped: 0, histograms: 0 }
}

#[test]
fn begin_and_end_are_known_to_a_step_and_what_was_there_all_the_time_has_neither() {
    let plot = plot(&[("Down", &[3, 4, 5]), ("Always", &[0, 1, 2, 3, 4, 5, 6, 7])], 8);
    let (events, gaps) = of_plot(&plot, &[], &"prom".into());
    let told: Vec<_> = events.iter().map(|e| (e.kind, e.after.unwrap(), e.at, e.severity)).collect();
    let expected = [(Kind::AlertBegan, at(120), at(180), Severity::Critical), (Kind::AlertEnded, at(300), at(360), Severity::Ok)];
    assert_eq!((told.as_slice(), gaps.len()), (expected.as_slice(), 0));
    assert_eq!(events[0].what, "Down severity=critical");
    let Link::Alert(labels) = &events[0].link else { panic!("no alert") };
    assert_eq!(labels.get("alertstate").or(labels.get("__name__")), None, "they are no labels of the alert");
}

#[test]
fn where_the_server_did_not_run_an_alert_neither_ends_nor_begins() {
    let plot = plot(&[("Down", &[0, 1, 5, 6, 7])], 8);
    let heard = [true, true, false, false, false, true, true, true];
    let (events, gaps) = of_plot(&plot, &heard, &"prom".into());
    assert_eq!((events.len(), gaps), (0, vec![(at(60), at(300))]));
}

#[test]
fn what_two_tell_of_is_there_once_with_the_more_exact_time() {
    let short = [("alertname", "Down"), ("job", "web")];
    let long = [("alertname", "Down"), ("job", "web"), ("cluster", "eu")];
    let all = vec![
        event(180, Some(120), Kind::AlertBegan, &short, "prom"),
        event(150, None, Kind::AlertBegan, &long, "am"),
        event(600, Some(590), Kind::AlertEnded, &long, "seen"),
        event(600, Some(540), Kind::AlertEnded, &short, "prom"),
        event(150, None, Kind::AlertBegan, &[("alertname", "Down"), ("job", "db")], "am"),
        event(7_000, None, Kind::AlertBegan, &long, "am"),
    ];
    let (merged, more) = merge(all, at(0), at(10_000));
    let told: Vec<_> = merged.iter().map(|e| (e.at, e.kind, e.via.iter().map(|v| &**v).collect::<Vec<_>>().join("+"))).collect();
    let expected = [
        (at(7_000), Kind::AlertBegan, "am".to_owned()),
        (at(600), Kind::AlertEnded, "seen+prom".to_owned()),
        (at(150), Kind::AlertBegan, "am+prom".to_owned()),
        (at(150), Kind::AlertBegan, "am".to_owned()),
    ];
    assert_eq!((told.as_slice(), more), (expected.as_slice(), 0), "it fired once more an hour later, and another one fired too");
}

#[test]
fn the_newest_are_kept_and_the_others_counted() {
    let name = |n: i64| n.to_string();
    let all = (0..EVENTS_CAP as i64 + 7).map(|n| event(n, None, Kind::AlertBegan, &[("alertname", &name(n))], "am"));
    let (kept, more) = merge(all, at(0), at(100_000));
    assert_eq!((kept.len(), more, kept[0].at), (EVENTS_CAP, 7, at(EVENTS_CAP as i64 + 6)));
}

#[test]
fn in_a_storm_of_one_name_each_finds_the_other_tellings_of_itself() {
    let name = |n: i64| n.to_string();
    let told = |via: &'static str, cluster: &'static [(&'static str, &'static str)]| {
        (0..10_000).map(move |n| {
            let name = name(n);
            let labels: Vec<(&str, &str)> = [("alertname", "Down"), ("i", &name)].into_iter().chain(cluster.iter().copied()).collect();
            event(n % 60, None, Kind::AlertBegan, &labels, via)
        })
    };
    // The third has a label that the first has not, and lacks one that the second has.
    let all = told("seen", &[]).chain(told("am", &[("cluster", "eu"), ("replica", "a")])).chain(told("prom", &[("cluster", "eu")]));
    let (kept, more) = merge(all, at(0), at(100));
    assert_eq!(kept.len() + more, 10_000);
    assert!(kept.iter().all(|event| event.via.len() == 3), "{:?}", kept.iter().find(|event| event.via.len() != 3));
    // The same with the fewest labels last, and with more ways of being labelled than are told apart.
    let all = told("am", &[("cluster", "eu"), ("replica", "a")]).chain(told("seen", &[]));
    assert_eq!(merge(all, at(0), at(100)).1, 10_000 - EVENTS_CAP);
    let ways = (0..40).map(|n| event(1, None, Kind::AlertBegan, &[("alertname", "Down"), (&name(n), "x")], "am"));
    assert_eq!(merge(ways, at(0), at(100)).0.len(), 40);
}

#[test]
fn a_gap_is_where_no_console_ran_for_minutes() {
    let runs = [(at(0), at(600)), (at(660), at(1_200)), (at(3_600), at(4_000))];
    assert_eq!(unseen(&runs, at(-1_000), at(5_000)), [(at(-1_000), at(0)), (at(1_200), at(3_600)), (at(4_000), at(5_000))]);
    assert_eq!(unseen(&[], at(0), at(500)), [(at(0), at(500))]);
    assert!(unseen(&runs, at(100), at(1_100)).is_empty(), "a minute between two runs is a restart");
}

#[test]
fn an_end_is_between_the_two_looks_and_a_begin_is_the_alerts_own() {
    let mut known = alert(&[("alertname", "Down")], crate::model::alert::AlertState::Firing, 100);
    Arc::make_mut(&mut known).starts_at = at(100);
    let mut pending = alert(&[("alertname", "Soon")], crate::model::alert::AlertState::Pending, 100);
    Arc::make_mut(&mut pending).origin = Origin::Prometheus;
    let last = |_: &Alert| Some(at(190));
    let began = differences(&[], &[known.clone(), pending.clone()], last, at(200), 10);
    assert_eq!(began.iter().map(|e| (e.kind, e.after, e.at)).collect::<Vec<_>>(), [(Kind::AlertBegan, None, at(100))]);
    let ended = differences(&[known, pending.clone()], &[pending.clone()], last, at(200), 10);
    assert_eq!(ended.iter().map(|e| (e.kind, e.after, e.at)).collect::<Vec<_>>(), [(Kind::AlertEnded, Some(at(190)), at(200))]);
    let mut fires = pending.clone();
    Arc::make_mut(&mut fires).state = AlertState::Undelivered;
    let fired = differences(&[pending], &[fires], last, at(200), 10);
    assert_eq!((fired[0].after, fired[0].at), (Some(at(190)), at(200)), "its own time is when its condition began");
    assert_eq!([began[0].begun(), fired[0].begun(), ended[0].begun()], [at(100), at(190), at(200)], "an end is at its end");
}

#[test]
fn a_finding_that_gets_worse_is_one_begin_with_the_worse_severity() {
    let found = |severity: Severity, word: &str| Event {
        at: Timestamp::UNIX_EPOCH,
        after: None,
        kind: Kind::FindingBegan,
        severity,
        what: format!("standby lags: {word}"),
        service: None,
        via: vec![word.into()],
        link: Link::Alert(Labels::new([("alertname", "standby lags"), ("severity", word)])),
    };
    let (from, to) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(60).unwrap());
    let both = [found(Severity::Warning, "warning"), found(Severity::Critical, "critical")];
    let (all, _) = merge(both.clone(), from, to);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!((all[0].severity, &*all[0].what), (Severity::Critical, "standby lags: critical"));
    let alerts = both.map(|event| Event { kind: Kind::AlertBegan, ..event });
    assert_eq!(merge(alerts, from, to).0.len(), 2, "two rules of one name are two alerts");
}
