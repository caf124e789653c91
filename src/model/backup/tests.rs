//! The figures of the design: exposure, ladder, proof, pruning, silence.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::model::event::{Actor, Event, Process, Record};

fn t(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// 2026-11-12 14:32:07 UTC, the moment of the design's drawings.
fn now() -> Timestamp {
    t("2026-11-12T14:32:07Z")
}

fn mins(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

fn hours(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n)
}

fn point(at: Timestamp) -> RecoveryPoint {
    RecoveryPoint {
        id: at.to_string(),
        restores_to: at,
        finished: None,
        usable_from: None,
        kind: PointKind::Full,
        needs: vec![],
        size: Some(1_000),
        evidence: Evidence { job: true, ..Evidence::default() },
        broken: None,
        hold: None,
        part: Part::default(),
        checked: None,
    }
}

/// What these points leave to be lost.
fn exposure(points: &Points<'_>) -> Exposure {
    super::exposure(points, |_| true).0
}

/// Copies, each with its exposure and its site.
fn losses(copies: &[(Exposure, Option<&str>)], sites: &[String]) -> Loss {
    let one = |(exposure, site): &(Exposure, Option<&str>)| Copy {
        name: site.unwrap_or("?").into(),
        exposure: exposure.clone(),
        places: vec![Place { site: site.map(str::to_owned), account: None }],
    };
    super::losses(&copies.iter().map(one).collect::<Vec<_>>(), sites)
}

fn took(at: Timestamp, job: i64, copy: i64) -> Arc<RecoveryPoint> {
    Arc::new(RecoveryPoint { finished: Some(at + mins(job)), usable_from: Some(at + mins(job + copy)), ..point(at) })
}

fn all(times: impl IntoIterator<Item = Timestamp>) -> Vec<Arc<RecoveryPoint>> {
    times.into_iter().map(|at| Arc::new(point(at))).collect()
}

/// Points every `step` minutes from `from` to `until`.
fn every(from: Timestamp, until: Timestamp, step: i64) -> Vec<Timestamp> {
    let mut times = vec![from];
    while times[times.len() - 1] + mins(step) <= until {
        times.push(times[times.len() - 1] + mins(step));
    }
    times
}

#[test]
fn hourly_backups_cannot_meet_an_hour() {
    let day: Vec<_> = every(t("2026-11-11T00:00:00Z"), t("2026-11-12T00:00:00Z"), 60).into_iter().map(|at| took(at, 12, 3)).collect();
    assert_eq!(widest(&day), Some(mins(75)));
    assert_eq!(breach(&day, hours(1)), hours(6), "a quarter of every day");
    let worst = worst(hours(1), &day);
    assert_eq!((worst.total(), worst.cannot_comply(hours(1))), (mins(75), true));
    assert_eq!((worst.took, worst.copied), (Some(mins(12)), Some(mins(3))));
    let missed: Vec<_> = day.iter().enumerate().filter(|(i, _)| *i != 9).map(|(_, p)| p.clone()).collect();
    assert_eq!(widest(&missed), Some(mins(135)));
    assert_eq!(breach(&missed, hours(1)), hours(6) + mins(45));
}

#[test]
fn starts_every_45_minutes_give_exactly_an_hour() {
    let day: Vec<_> = every(t("2026-11-11T00:00:00Z"), t("2026-11-12T00:00:00Z"), 45).into_iter().map(|at| took(at, 12, 3)).collect();
    let worst = worst(mins(45), &day);
    assert_eq!((worst.total(), worst.cannot_comply(hours(1))), (hours(1), false));
    assert_eq!((widest(&day), breach(&day, hours(1))), (Some(hours(1)), SignedDuration::ZERO));
}

#[test]
fn a_rare_slow_backup_does_not_make_the_worst_case_but_one_in_ten_does() {
    let with = |slow: i64| {
        let all: Vec<_> = (0..100).map(|n| took(now() - hours(n + 1), if n < slow { 30 } else { 5 }, 0)).collect();
        worst(hours(1), &all).took
    };
    assert_eq!((with(5), with(6), with(10)), (Some(mins(5)), Some(mins(30)), Some(mins(30))));
    assert_eq!(worst(hours(1), &[]).total(), hours(1), "nothing is known of how long it takes");
}

#[test]
fn exposure_counts_from_the_start_of_the_newest_point_that_can_be_used() {
    let newest = Arc::new(RecoveryPoint { finished: Some(now() - mins(36)), ..point(now() - mins(48)) });
    let broken = Arc::new(RecoveryPoint { broken: Some("a file is missing".into()), ..point(now() - mins(5)) });
    let future = Arc::new(point(now() + mins(5)));
    let unfinished = Arc::new(RecoveryPoint { finished: Some(now() + mins(1)), ..point(now() - mins(2)) });
    let orphan = Arc::new(RecoveryPoint { kind: PointKind::Incremental, needs: vec!["gone".into()], ..point(now() - mins(4)) });
    let baseless = Arc::new(RecoveryPoint { kind: PointKind::Wal, ..point(now() - mins(3)) });
    let points = vec![future, unfinished, baseless, orphan, broken, newest, Arc::new(point(now() - mins(108)))];
    let judged = Points::new(&points, now());
    assert_eq!(exposure(&judged).span(now()), Some(mins(48)));
    assert_eq!(judged.usable().count(), 2);
    assert_eq!(judged.why_not(3), Some("gone, which it needs, is gone"));
    assert_eq!(judged.why_not(0), Some("it is of the future: a clock is wrong"));
    assert_eq!(exposure(&Points::new(&points[..5], now())), Exposure::Everything);
}

#[test]
fn a_broken_base_breaks_all_that_builds_on_it_and_a_circle_is_not_walked_round() {
    let on = |at: i64, needs: &str| {
        Arc::new(RecoveryPoint { id: format!("{at}"), kind: PointKind::Incremental, needs: vec![needs.into()], ..point(now() - mins(at)) })
    };
    let base = RecoveryPoint { id: "90".into(), ..point(now() - mins(90)) };
    let broken = Arc::new(RecoveryPoint { broken: Some("checksum".into()), ..base.clone() });
    let chain = vec![on(30, "60"), on(60, "90"), Arc::new(base)];
    assert_eq!(exposure(&Points::new(&chain, now())).span(now()), Some(mins(30)));
    let chain = vec![on(30, "60"), on(60, "90"), broken];
    assert_eq!(exposure(&Points::new(&chain, now())), Exposure::Everything);
    let circle = vec![on(30, "60"), on(60, "30")];
    assert_eq!(exposure(&Points::new(&circle, now())), Exposure::Everything);
    assert_eq!(exposure(&Points::new(&[on(30, "30")], now())), Exposure::Everything);
}

#[test]
fn what_a_lost_site_leaves_is_what_is_kept_elsewhere() {
    let sites = ["fra1".to_owned(), "ams3".to_owned()];
    let since = |ago: i64| Exposure::Since(now() - mins(ago));
    let loss = losses(&[(since(5), Some("fra1")), (since(55), Some("ams3"))], &sites);
    assert_eq!(loss.data.span(now()), Some(mins(5)));
    assert_eq!(loss.site(), Some(&("fra1".into(), since(55))), "the worse of the two");
    let alone = losses(&[(since(5), Some("fra1"))], &sites);
    assert_eq!(alone.site(), Some(&("fra1".into(), Exposure::Everything)));
    let unsaid = losses(&[(since(5), None)], &sites);
    assert_eq!(unsaid.data, since(5));
    assert!(matches!(unsaid.site(), Some((_, Exposure::Unknown(_)))), "{unsaid:?}");
    assert_eq!(losses(&[(since(5), None)], &[]).site(), None);
}

fn judged(tier: (&str, i64), times: &[Timestamp]) -> Ladder {
    let points = all(times.iter().copied());
    let tier = Tier { every: Period::parse(tier.0).unwrap(), keep: hours(tier.1 * 24) };
    ladder(tier, &Points::new(&points, now()), None, &TimeZone::UTC, now())
}

fn score(ladder: &Ladder) -> (usize, usize) {
    (ladder.filled(), ladder.slots.len())
}

#[test]
fn only_whole_slots_are_due_seven_days_are_166_hours_and_a_year_eleven_months() {
    assert_eq!(judged(("1h", 7), &[]).slots.len(), 166);
    assert_eq!(judged(("1d", 90), &[]).slots.len(), 88);
    assert_eq!(judged(("month", 365), &[]).slots.len(), 11);
    assert_eq!(judged(("7d", 28), &[]).slots.len(), 3);
}

#[test]
fn a_job_that_died_five_days_ago_is_judged_by_the_clock_not_by_its_newest_point() {
    let alive = every(now() - hours(8 * 24), now(), 60);
    assert_eq!(score(&judged(("1h", 7), &alive)), (166, 166));
    let died: Vec<Timestamp> = alive.into_iter().filter(|at| *at <= now() - hours(5 * 24)).collect();
    let ladder = judged(("1h", 7), &died);
    assert_eq!(score(&ladder), (48, 166));
    assert_eq!((ladder.holes.len(), ladder.holes[0].slots), (1, 118));
    // Judged as pruning does it, from the newest point on, it would look whole.
    let points = all(died.iter().copied().chain(every(now() - hours(13 * 24), now() - hours(8 * 24), 60)));
    let then = *died.last().unwrap();
    let tier = Tier { every: Period::Part(hours(1)), keep: hours(7 * 24) };
    assert_eq!(score(&super::ladder(tier, &Points::new(&points, then), None, &TimeZone::UTC, then)), (166, 166));
}

#[test]
fn a_hole_is_not_filled_with_points_that_their_own_slots_need() {
    // Every hour at five past, and one of them missing: each neighbour is within the tolerance of the shared edge.
    let missing = t("2026-11-09T03:05:00Z");
    let times: Vec<Timestamp> = every(t("2026-11-05T00:05:00Z"), now(), 60).into_iter().filter(|at| *at != missing).collect();
    let ladder = judged(("1h", 7), &times);
    assert_eq!(score(&ladder), (165, 166), "a greedy matching finds 166 of 166");
    assert_eq!(ladder.holes, [Hole { start: t("2026-11-09T03:00:00Z"), end: t("2026-11-09T04:00:00Z"), slots: 1 }]);
    assert_eq!(ladder.gap, Some(hours(2)));
    assert!(!ladder.whole());
}

#[test]
fn an_empty_slot_borrows_what_is_spare_and_near_and_a_wide_gap_is_told_although_all_slots_are_full() {
    let hour = |text: &str| t(&format!("2026-11-12T{text}:00Z"));
    let times = |of: &[&str]| of.iter().map(|text| hour(text)).collect::<Vec<_>>();
    let tier = |times: &[Timestamp]| {
        let points = all(times.iter().copied());
        let tier = Tier { every: Period::Part(hours(1)), keep: hours(5) };
        ladder(tier, &Points::new(&points, now()), None, &TimeZone::UTC, now())
    };
    // Due: 10, 11 and 12 o'clock.
    assert!(tier(&times(&["10:30", "11:00", "11:55", "12:55"])).whole());
    let spare = tier(&times(&["10:30", "11:30", "11:55", "13:05"]));
    assert_eq!((score(&spare), spare.holes.len()), ((3, 3), 0), "12 o'clock borrows 11:55");
    assert_eq!(score(&tier(&times(&["10:30", "11:30", "11:45", "13:05"]))), (2, 3), "too far from the edge");
    let wide = tier(&times(&["10:01", "11:01", "12:59"]));
    assert_eq!((score(&wide), wide.gap), ((3, 3), Some(mins(118))));
}

#[test]
fn days_and_months_are_those_of_the_zone() {
    let zone = TimeZone::get("Europe/Warsaw").unwrap();
    // The clocks went back on 25 October 2026: that day has 25 hours.
    let now = t("2026-10-27T12:00:00Z");
    let tier = Tier { every: Period::Day, keep: hours(72) };
    let ladder = ladder(tier, &Points::new(&[], now), None, &zone, now);
    let days: Vec<(i64, String)> = ladder.slots.iter().map(|s| (s.end.duration_since(s.start).as_hours(), s.start.to_string())).collect();
    assert_eq!(days, [(25, "2026-10-24T22:00:00Z".to_owned())]);
}

#[test]
fn the_words_of_a_period() {
    for (text, period) in
        [("1h", "hourly"), ("15m", "every 15m"), ("1d", "daily"), ("24h", "daily"), ("7d", "weekly"), ("month", "monthly")]
    {
        assert_eq!(Period::parse(text).unwrap().to_string(), period);
    }
    for bad in ["", "5h", "30s", "2d", "30d", "year"] {
        assert!(Period::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn proof_follows_from_what_was_seen_and_from_nothing_else() {
    let at = now() - hours(1);
    let seen = Some(now());
    let with = |evidence: Evidence| RecoveryPoint { evidence, ..point(at) };
    let job = Evidence { job: true, ..Evidence::default() };
    for (evidence, proof) in [
        (Evidence::default(), Proof::V0),
        (job, Proof::V1),
        (Evidence { checksum: seen, ..job }, Proof::V2),
        (Evidence { read: seen, ..job }, Proof::V3),
        (Evidence { started: seen, ..job }, Proof::V4),
        (Evidence { restored: seen, ..Evidence::default() }, Proof::V5),
        (Evidence { restored: Some(at - mins(1)), ..job }, Proof::V1),
    ] {
        assert_eq!(with(evidence).proof(), proof, "{evidence:?}");
    }
    let broken = RecoveryPoint { broken: Some("x".into()), ..with(Evidence { restored: seen, ..job }) };
    assert_eq!(broken.proof(), Proof::V0);
}

#[test]
fn pruning_keeps_what_a_tier_or_a_chain_needs_and_holds_what_is_not_proved() {
    let tier = Tier { every: Period::Part(hours(1)), keep: hours(5) };
    let make = |ago: i64, proved: bool, needs: &str| {
        let at = now() - mins(ago);
        let (kind, needs) = if needs.is_empty() { (PointKind::Full, vec![]) } else { (PointKind::Incremental, vec![needs.to_owned()]) };
        let read = proved.then(now);
        Arc::new(RecoveryPoint {
            id: ago.to_string(),
            kind,
            needs,
            evidence: Evidence { job: true, read, ..Evidence::default() },
            ..point(at)
        })
    };
    let plan = |points: &[Arc<RecoveryPoint>]| {
        let points = Points::new(points, now());
        prune(&points, &[ladder(tier, &points, None, &TimeZone::UTC, now())], &Keep::default())
    };
    let ids = |points: &[Arc<RecoveryPoint>], plan: &Prune| plan.candidates.iter().map(|c| points[c.place].id.clone()).collect::<Vec<_>>();
    // 14:32 now; due are the hours from 10 to 13; 600 minutes ago is long before them.
    let points = vec![make(10, true, ""), make(130, true, ""), make(190, true, ""), make(250, true, ""), make(600, true, "")];
    let first = plan(&points);
    assert_eq!((ids(&points, &first), first.unproved, first.size), (vec!["600".to_owned()], 0, 1_000));
    let mut unproved = points.clone();
    unproved[3] = make(250, false, "");
    assert_eq!(plan(&unproved).candidates[0].held, ["250 is V1, needs V3"]);
    let mut chained = points.clone();
    chained[3] = make(250, true, "600");
    assert!(plan(&chained).candidates.is_empty(), "a point on the ladder is built on it");
    let mut hold = points.clone();
    Arc::make_mut(&mut hold[4]).hold = Some("legal".into());
    assert_eq!(plan(&hold).candidates[0].held, ["on hold: legal"]);
    let points = Points::new(&points, now());
    assert_eq!(prune(&points, &[], &Keep::default()), Prune::default(), "without a ladder nothing is promised");
}

#[test]
fn a_job_is_silent_once_two_starts_were_missed_and_a_point_of_any_state_is_a_sign_of_life() {
    let of = |ago: i64| vec![took(now() - mins(ago), 10, 0)];
    let silent = |points: &[Arc<RecoveryPoint>]| beat(Some(hours(1)), points, false, now()).silent;
    assert_eq!(silent(&of(129)), None);
    assert_eq!(silent(&of(131)), Some(now() - mins(131)));
    assert_eq!(beat(Some(hours(1)), &of(131), true, now()).silent, None, "one is being made");
    assert_eq!(beat(Some(hours(1)), &of(40), false, now()).due, Some(now() + mins(20)));
    let mut broken = of(131);
    broken.push(Arc::new(RecoveryPoint { broken: Some("x".into()), ..point(now() - mins(5)) }));
    assert_eq!(silent(&broken), None);
    assert_eq!(beat(None, &of(131), false, now()), Beat::default());
    assert_eq!(beat(Some(hours(1)), &[], false, now()), Beat::default());
}

#[test]
fn ten_thousand_points_in_one_chain_are_judged() {
    let points: Vec<Arc<RecoveryPoint>> = (0..10_000)
        .map(|n| {
            let of = point(now() - mins(n));
            let needs = if n == 9_999 { vec![] } else { vec![(now() - mins(n + 1)).to_string()] };
            Arc::new(RecoveryPoint { kind: if needs.is_empty() { PointKind::Full } else { PointKind::Incremental }, needs, ..of })
        })
        .collect();
    let points = Points::new(&points, now());
    assert_eq!(points.usable().count(), 10_000);
    let tier = Tier { every: Period::Part(mins(1)), keep: hours(6 * 24) };
    let ladder = ladder(tier, &points, None, &TimeZone::UTC, now());
    assert_eq!(score(&ladder), (8_638, 8_638));
    assert!(prune(&points, &[ladder], &Keep::default()).candidates.is_empty(), "the newest needs them all");
}

#[test]
fn points_of_several_things_are_judged_apart_and_the_worst_is_the_exposure() {
    let of = |ago: i64, thing: &str| {
        let part = Part { of: Some(thing.into()), ..Part::default() };
        Arc::new(RecoveryPoint { id: format!("{thing}{ago}"), part, ..point(now() - mins(ago)) })
    };
    let points = vec![of(5, "web1:/srv"), of(65, "web1:/srv"), of(300, "web2:/srv")];
    let judged = Points::new(&points, now());
    let (exposed, newest) = super::exposure(&judged, |_| true);
    assert_eq!((exposed.span(now()), newest.unwrap().id.as_str()), (Some(mins(300)), "web2:/srv300"));
    let mut broken = points.clone();
    Arc::make_mut(&mut broken[2]).broken = Some("x".into());
    assert_eq!(exposure(&Points::new(&broken, now())), Exposure::Everything, "of one of them nothing is left");
    let tier = Tier { every: Period::Part(hours(1)), keep: hours(5) };
    let of_one = |name| score(&ladder(tier, &judged, Some(name), &TimeZone::UTC, now()));
    assert_eq!((of_one("web1:/srv"), of_one("web2:/srv")), ((0, 3), (0, 3)), "9:32 and 13:27 are in no slot that is due");
}

#[test]
fn an_account_takes_its_copies_with_it_and_the_best_copy_may_be_the_one_that_is_lost() {
    let since = |ago: i64| Exposure::Since(now() - mins(ago));
    let copy = |ago: i64, site: &str, account: Option<&str>| Copy {
        name: site.into(),
        exposure: since(ago),
        places: vec![Place { site: Some(site.into()), account: account.map(str::to_owned) }],
    };
    let sites = ["fra1".to_owned(), "ams3".to_owned()];
    let two = super::losses(&[copy(5, "fra1", Some("own")), copy(55, "ams3", Some("own"))], &sites);
    assert_eq!((two.copy.clone(), two.account()), (Some(("fra1".into(), since(55))), Some(&("own".into(), Exposure::Everything))));
    let safe = super::losses(&[copy(5, "fra1", Some("own")), copy(55, "ams3", Some("vault"))], &sites);
    assert_eq!(safe.account(), Some(&("own".into(), since(55))), "the worse of the two");
    let unsaid = super::losses(&[copy(5, "fra1", Some("own")), copy(55, "ams3", None)], &sites);
    assert!(matches!(unsaid.account(), Some((_, Exposure::Unknown(_)))), "whose the other is nobody says");
    assert_eq!(super::losses(&[copy(5, "fra1", None)], &sites).account(), None);
    let only = super::losses(&[copy(5, "fra1", None)], &sites);
    assert_eq!(only.copy, Some(("fra1".into(), Exposure::Everything)));
    // A log is worth nothing without its base, and the base is elsewhere.
    let mut both = copy(1, "fra1", None);
    both.places.push(Place { site: Some("ams3".into()), account: None });
    let log = super::losses(&[both, copy(55, "ams3", None)], &sites);
    assert_eq!((log.data.clone(), log.sites[0].1.clone(), log.sites[1].1.clone()), (since(1), since(55), Exposure::Everything));
}

#[test]
fn documents_have_a_floor_and_a_ceiling_and_holds_are_beyond_it() {
    let days = |n: i64| hours(24 * n);
    let points = all([now() - days(3_000), now() - days(2_550), now() - days(10)]);
    let judged = Points::new(&points, now());
    let keep = |floor, ceiling, holds| Keep { floor, ceiling, holds, ..Keep::default() };
    let of = |keep: &Keep, total| bounds(keep, &judged, total, now()).unwrap();
    assert_eq!(bounds(&Keep::default(), &judged, 3, now()), None);
    let plain = of(&keep(Some(days(1_825)), Some(days(2_555)), vec![]), 3);
    assert_eq!((plain.below, plain.above, plain.held, plain.due), (false, 1, 0, Some(now() + days(5))));
    let why = "case 4711".to_owned();
    let hold = OnHold { from: now() - days(3_001), until: now() - days(2_999), why };
    let held = of(&keep(Some(days(1_825)), Some(days(2_555)), vec![hold]), 3);
    assert_eq!((held.above, held.held, held.kept()), (0, 1, true));
    assert!(of(&keep(Some(days(3_001)), None, vec![]), 3).below);
    let partly = of(&keep(Some(days(3_001)), None, vec![]), 4);
    assert_eq!((partly.partly, partly.below, partly.oldest, partly.kept()), (true, false, None, false), "older ones were not looked at");
}

#[test]
fn every_gate_of_pruning_holds_until_it_is_known_to_be_open() {
    let tier = Tier { every: Period::Part(hours(1)), keep: hours(5) };
    let read = |ago: i64, after: i64| {
        let evidence = Evidence { job: true, read: Some(now() - mins(ago) + mins(after)), ..Evidence::default() };
        Arc::new(RecoveryPoint { id: ago.to_string(), finished: Some(now() - mins(ago - 5)), evidence, ..point(now() - mins(ago)) })
    };
    let points = vec![read(10, 8), read(130, 8), read(190, 8), read(250, 8), read(600, 8)];
    let judged = Points::new(&points, now());
    let ladders = [ladder(tier, &judged, None, &TimeZone::UTC, now())];
    let plan = |keep: &Keep, verified| {
        let mut plan = prune(&judged, &ladders, keep);
        plan.judge_copies(keep.min_copies, verified);
        plan
    };
    let all = Keep { min_copies: Some(2), verify_every: Some(hours(4)), ..Keep::default() };
    assert_eq!((plan(&all, 2).candidates.len(), plan(&all, 2).held()), (1, 0));
    assert_eq!(plan(&all, 1).held(), 1, "one copy of two");
    assert!(matches!(plan(&Keep { min_copies: None, ..all.clone() }, 9).copies, Gate::Unknown(_)));
    assert_eq!(plan(&Keep { min_copies: None, ..all.clone() }, 9).held(), 1);
    assert_eq!(plan(&Keep { verify_every: Some(hours(5)), ..all.clone() }, 2).held(), 1, "corruption is found too late");
    assert_eq!(plan(&Keep { verify_every: None, ..all.clone() }, 2).held(), 1);
    let holds = vec![OnHold { from: now() - mins(601), until: now() - mins(599), why: "case 4711".into() }];
    let held = plan(&Keep { holds, ..all.clone() }, 2);
    assert_eq!((held.on_hold, held.held(), held.candidates[0].held.clone()), (1, 1, vec!["on hold: case 4711".to_owned()]));
    // Read back, but before all of it was written: that proves nothing of what is there now.
    let early = vec![points[0].clone(), points[1].clone(), points[2].clone(), read(250, 3), points[4].clone()];
    let judged = Points::new(&early, now());
    let plan = prune(&judged, &[ladder(tier, &judged, None, &TimeZone::UTC, now())], &all);
    assert_eq!(plan.unproved, 1);
}

#[test]
fn what_the_journal_proves_or_refutes_counts_for_pruning_as_what_a_source_tells_does() {
    let bare = RecoveryPoint { finished: Some(now() - mins(5)), ..point(now() - mins(10)) };
    let of = |read: Option<i64>, failed: bool| {
        let failed = failed.then(|| Failed { at: now(), what: "a: differs".into(), depth: Proof::V3 });
        Checked { checksum: None, read: read.map(|ago| now() - mins(ago)), failed }
    };
    let read = |told: Option<i64>, checked| {
        let evidence = Evidence { read: told.map(|ago| now() - mins(ago)), ..Evidence::default() };
        RecoveryPoint { evidence, checked: Some(Arc::new(checked)), ..bare.clone() }.read_after_written()
    };
    assert!(!bare.read_after_written());
    assert!(read(None, of(Some(1), false)), "verified on demand");
    assert!(!read(None, of(Some(8), false)), "verified before all of it was written");
    assert!(!read(Some(1), of(None, true)), "its source read it back, and a verification found it broken");
}

#[test]
fn durations_that_grow_are_told_and_few_tell_nothing() {
    let took = |n: i64, job: i64| took(now() - hours(n + 1), job, 0);
    let grown: Vec<_> = (0..40).map(|n| took(n, if n < 8 { 12 } else { 6 })).collect();
    let trend = trend(&grown).unwrap();
    assert_eq!((trend.now, trend.before, trend.growth()), (mins(12), mins(6), 1.0));
    assert_eq!(super::trend(&grown[..5]), None);
    assert!(super::trend(&grown[..6]).is_some());
}

fn archiver(files: &[(&str, i64)]) -> ArchiverSaid {
    ArchiverSaid {
        node: "db1:5432".into(),
        at: now(),
        mode: "on".into(),
        archived: 8,
        last_archived: Some("000000010000000000000008".into()),
        last_archived_at: Some(now() - mins(1)),
        failed: 0,
        last_failed: None,
        last_failed_at: None,
        waiting: Some(0),
        timeout: Some(mins(5)),
        files: files.iter().map(|(name, ago)| ((*name).to_owned(), now() - mins(*ago))).collect(),
        idle: false,
        slot: None,
    }
}

#[test]
fn a_log_is_worth_what_was_written_to_its_newest_file_not_when_that_was_archived() {
    // Archived a minute ago after an hour of failures: what is in it is an hour old.
    let late = archiver(&[("000000010000000000000009", 0), ("000000010000000000000008", 61)]);
    assert_eq!(late.until(), Ok(now() - mins(61)));
    assert_eq!(archiver(&[]).until(), Ok(now() - mins(2)), "the file is gone, and no try failed");
    let doubtful = ArchiverSaid { last_failed_at: Some(now() - mins(2)), ..archiver(&[]) };
    assert!(doubtful.until().unwrap_err().contains("waited for a failed archiver"));
    assert_eq!(ArchiverSaid { idle: true, ..doubtful.clone() }.until(), Ok(now()), "nothing was written since");
    let off = ArchiverSaid { mode: "off".into(), last_archived: None, ..archiver(&[]) };
    assert_eq!(off.until(), Err("db1:5432: archive_mode is off".into()));
    assert!(ArchiverSaid { last_failed_at: Some(now()), ..archiver(&[]) }.is_failing());
    assert!(!ArchiverSaid { last_failed_at: Some(now() - mins(3)), ..archiver(&[]) }.is_failing());
    let slot = |until| SlotSaid { until, ..SlotSaid::default() };
    let streamed = ArchiverSaid { slot: Some(slot(Some(now()))), ..late.clone() };
    assert_eq!(streamed.until(), Ok(now()));
    // A copy whose newest file is older than the archiver's is worth that file.
    assert_eq!(late.until_of("000000010000000000000009"), Ok(now() - mins(61)));
    let behind = archiver(&[("000000010000000000000008", 3), ("000000010000000000000007", 9)]);
    assert_eq!(behind.until_of("000000010000000000000007"), Ok(now() - mins(9)));
    assert!(behind.until_of("000000010000000000000006").is_err());
}

fn actor(id: u32) -> Actor {
    let process = Process { id, began: 1 };
    Actor { user: "ann".into(), uid: 1, login: None, host: "jump".into(), terminal: None, ssh: None, process }
}

/// An event of the verification of `a` (and `b`, which is always well) that began at `at` and took a minute.
fn verified(at: Timestamp, method: Method, outcome: Outcome, broken: Option<&str>) -> Record {
    let points = match outcome {
        Outcome::Passed | Outcome::Failed => {
            vec![PointCheck { id: "a".into(), broken: broken.map(str::to_owned) }, PointCheck { id: "b".into(), broken: None }]
        }
        _ => vec![],
    };
    let of = Verification {
        source: "store".into(),
        target: "/backups".into(),
        method,
        started: at,
        ended: (outcome != Outcome::Begun).then(|| at + mins(1)),
        outcome,
        points,
        evidence: vec![],
    };
    Record {
        seq: 1,
        prev: String::new(),
        said_at: at,
        written_at: at,
        actor: actor(7),
        version: String::new(),
        estate: None,
        event: Event::Verification(of),
    }
}

fn stores(folder: &str) -> crate::model::estate::Estate {
    use crate::model::estate::tests::{bare, source};
    let of = BackupOf::Directory { folder: folder.into() };
    bare(vec![source("store", crate::model::estate::SourceKind::Backup(Backup::new(of)))])
}

/// The proof of the point `a`, and whether it can be used, after these events.
fn proof_after(records: &[Record], folder: &str) -> (Proof, bool) {
    let of = RecoveryPoint { id: "a".into(), ..point(now() - hours(10)) };
    let mut answer = crate::model::source::Answer::Backup(Arc::new(BackupAnswer { points: vec![Arc::new(of)], ..Default::default() }));
    Proofs::of(records).apply(&stores(folder), 0, &mut answer);
    let crate::model::source::Answer::Backup(answer) = &answer else { unreachable!() };
    (answer.points[0].proof(), Points::new(&answer.points, now()).usable().count() == 1)
}

#[test]
fn what_was_verified_follows_from_the_journal_alone() {
    use Outcome::{Begun, Cancelled, Failed, Passed, Unknown};
    let restic = |percent| Method::Restic { percent };
    let after = |events: &[(i64, Method, Outcome, Option<&str>)]| {
        let records: Vec<Record> = events.iter().map(|(at, m, o, b)| verified(now() - mins(*at), *m, *o, *b)).collect();
        proof_after(&records, "/backups")
    };
    assert_eq!(after(&[]), (Proof::V1, true));
    assert_eq!(after(&[(9, Method::Files, Passed, None)]), (Proof::V3, true));
    assert_eq!(after(&[(9, Method::PgBackRest, Passed, None)]), (Proof::V2, true));
    assert_eq!(after(&[(9, restic(10), Passed, None)]), (Proof::V2, true));
    assert_eq!(after(&[(9, restic(100), Passed, None), (8, restic(10), Passed, None)]), (Proof::V3, true));
    for nothing in [Begun, Cancelled, Unknown] {
        assert_eq!(after(&[(9, Method::Files, nothing, None)]), (Proof::V1, true), "{nothing:?}");
        assert_eq!(after(&[(9, Method::Files, Passed, None), (8, Method::Files, nothing, None)]), (Proof::V3, true));
        assert_eq!(after(&[(9, Method::Files, Failed, Some("x")), (8, Method::Files, nothing, None)]), (Proof::V0, false));
    }
    assert_eq!(after(&[(9, Method::Files, Failed, Some("x"))]), (Proof::V0, false));
    assert_eq!(after(&[(9, Method::Files, Failed, Some("x")), (8, Method::Files, Passed, None)]), (Proof::V3, true), "it was repaired");
    // Another part of the packs says nothing of the one that was damaged.
    assert_eq!(after(&[(9, restic(10), Failed, Some("x")), (8, restic(10), Passed, None)]), (Proof::V0, false));
    assert_eq!(after(&[(9, restic(10), Failed, Some("x")), (8, restic(100), Passed, None)]), (Proof::V3, true));
    // Before the point was there it was not looked at: its id was another's.
    assert_eq!(after(&[(602, Method::Files, Passed, None)]).0, Proof::V1);
    let elsewhere = [verified(now() - mins(9), Method::Files, Passed, None)];
    assert_eq!(proof_after(&elsewhere, "/other"), (Proof::V1, true), "the name leads elsewhere now");
}

#[test]
fn one_that_began_and_did_not_end_is_told_apart_from_one_that_still_runs() {
    let other = Record { actor: actor(8), ..verified(now() - mins(5), Method::Files, Outcome::Begun, None) };
    let records = [
        verified(now() - mins(9), Method::Files, Outcome::Begun, None),
        verified(now() - mins(9), Method::Files, Outcome::Passed, None),
        verified(now() - mins(7), Method::Files, Outcome::Begun, None),
        other,
    ];
    let mut proofs = Proofs::of(&records);
    proofs.look(|actor| actor.process.id == 8);
    let proven = proofs.of_backup("store", "/backups").unwrap();
    let open: Vec<(u32, bool)> = proven.open.iter().map(|open| (open.actor.process.id, open.alive)).collect();
    assert_eq!(open, [(7, false), (8, true)]);
    assert_eq!(proven.last.as_ref().unwrap().of.outcome, Outcome::Passed);
}

#[test]
fn the_newest_point_is_verified_with_all_that_it_needs() {
    let chain = |id: &str, needs: &[&str], back| {
        Arc::new(RecoveryPoint { id: id.into(), needs: needs.iter().map(|n| (*n).into()).collect(), ..point(now() - mins(back)) })
    };
    let points = vec![chain("c", &["b", "gone"], 1), chain("b", &["a", "c"], 2), chain("a", &[], 3), chain("x", &[], 4)];
    let answer = BackupAnswer { points, ..Default::default() };
    let estate = stores("/backups");
    let all = orders(0, &estate.sources[0], Some(&answer));
    let ids = |order: &Order| order.points.iter().map(|p| p.id.clone()).collect::<Vec<_>>().join(" ");
    assert_eq!(all.iter().map(ids).collect::<Vec<_>>(), ["c b a", "c b a x"], "in a ring too");
    assert_eq!((all[0].words(), all[1].cost()), ("the point c and the 2 that it needs, every file".into(), "reads about 3.91KiB".into()));
    assert!(orders(0, &estate.sources[0], None).is_empty() && orders(0, &estate.sources[0], Some(&BackupAnswer::default())).is_empty());
}
