//! What is joined, what stays apart, and DORA's figures.

use super::dora::{Dora, Pace, Part, Window, dora, table};
use super::*;

/// 2026-11-12 14:32:07Z.
fn now() -> Timestamp {
    "2026-11-12T14:32:07Z".parse().unwrap()
}

fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

fn told(by: &str, version: &str, minutes: i64) -> Deployment {
    Deployment { to: Some(version.into()), result: Some(Ending::Succeeded), ..Deployment::new("web", ago(minutes), Dated::Record, by) }
}

fn joined(sources: &[Vec<Deployment>]) -> Vec<Arc<Deployment>> {
    let sources: Vec<Vec<Arc<Deployment>>> = sources.iter().map(|of| of.iter().cloned().map(Arc::new).collect()).collect();
    join(sources.iter().map(Vec::as_slice))
}

#[test]
fn sources_that_speak_of_one_deployment_make_one_row_that_names_them_all() {
    let log = Deployment { who: Some("jl".into()), ..told("log", "2.0", 60) };
    let pipeline = Deployment { commit: Some("abc".into()), who: Some("ci".into()), ..told("ci", "2.0", 55) };
    let folder = Deployment { dated: Dated::File, ..told("folder", "2.0", 9_000) };
    let tag = Deployment { dated: Dated::Tag, result: None, reason: Some("2.0: faster".into()), ..told("git", "2.0", 99_000) };
    let rows = joined(&[vec![log], vec![pipeline], vec![folder], vec![tag]]);
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(row.told_by.iter().map(|name| &**name).collect::<Vec<_>>(), ["log", "ci", "folder", "git"]);
    assert_eq!((row.who.as_deref(), row.commit.as_deref(), row.reason.as_deref()), (Some("jl"), Some("abc"), Some("2.0: faster")));
    assert_eq!((row.at, row.dated), (ago(60), Dated::Record), "the record's time, not the folder's and not the tag's");
}

#[test]
fn other_versions_places_times_and_lines_of_one_source_stay_apart() {
    let at = |site: &str, by: &str| Deployment { site: Some(site.into()), ..told(by, "2.0", 60) };
    assert_eq!(joined(&[vec![told("a", "2.0", 60)], vec![told("b", "2.1", 60)]]).len(), 2);
    assert_eq!(joined(&[vec![at("fra1", "a")], vec![at("ams3", "b")]]).len(), 2);
    assert_eq!(joined(&[vec![told("a", "2.0", 60)], vec![told("b", "2.0", 71)]]).len(), 2, "eleven minutes are another deployment");
    assert_eq!(joined(&[vec![told("a", "2.0", 60)], vec![told("b", "2.0", 70)]]).len(), 1);
    let twice = joined(&[vec![told("a", "2.0", 60), told("a", "2.0", 60)]]);
    assert_eq!(twice.len(), 2);
    assert_ne!(twice[0].key, twice[1].key, "and can be told apart");
    // One site was not told: it joins one of the two, never both.
    let sites = joined(&[vec![at("fra1", "a"), at("ams3", "a")], vec![told("b", "2.0", 60)]]);
    assert_eq!(sites.iter().map(|row| row.told_by.len()).sum::<usize>(), 3);
}

#[test]
fn a_failure_that_one_source_saw_is_kept_and_told() {
    let failed = Deployment { result: Some(Ending::Failed), ..told("b", "2.0", 58) };
    let rows = joined(&[vec![told("a", "2.0", 60)], vec![failed]]);
    assert_eq!((rows.len(), rows[0].result), (1, Some(Ending::Failed)));
    assert_eq!(rows[0].differs, ["a says succeeded, b says failed"]);
}

#[test]
fn neighbours_are_of_the_same_service_and_place() {
    let other = Deployment { service: "db".into(), ..told("a", "9", 50) };
    let all = joined(&[vec![told("a", "1", 80), told("a", "2", 60), other, told("a", "3", 40)]]);
    let two = all.iter().find(|one| one.to.as_deref() == Some("2")).unwrap();
    let (before, after) = neighbours(&all, two);
    assert_eq!((before.unwrap().to.as_deref(), after.unwrap().to.as_deref()), (Some("1"), Some("3")));
    let between: Vec<&str> = between(&all, ago(60), ago(50)).iter().map(|one| one.service.as_str()).collect();
    assert_eq!(between, ["db", "web"]);
}

#[test]
fn a_new_row_changes_no_key() {
    let known = joined(&[vec![told("a", "2", 60), told("a", "2", 60)]]);
    let more = joined(&[vec![told("a", "2", 60), told("a", "2", 60), told("a", "3", 1)]]);
    let keys = |rows: &[Arc<Deployment>]| rows.iter().map(|row| row.key.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&more)[1..], keys(&known));
}

const DAY: i64 = 24 * 60;

/// The four weeks of the drawing in `incident.md`: 46 completed deployments of which 3 are younger than a day; 4 of the
/// 43 others broke something and were mended after 20, 38, 41 and 75 minutes; one of the young ones fails for 48 minutes.
fn four_weeks() -> Vec<Deployment> {
    let mut all = Vec::new();
    let mut next = 0;
    let mut push = |all: &mut Vec<Deployment>, minutes: i64| {
        next += 1;
        let id = format!("D-{next}");
        all.push(Deployment { id: Some(id.clone()), ..told("log", &format!("{next}.0"), minutes) });
        id
    };
    // 34 plain ones over the weeks.
    for n in 0..34 {
        push(&mut all, 2 * DAY + n * (25 * DAY / 34));
    }
    for (n, wait) in [20, 38, 41, 75].into_iter().enumerate() {
        let at = (5 + 5 * n as i64) * DAY + 600;
        let id = push(&mut all, at);
        push(&mut all, at - wait);
        let fix = all.last_mut().unwrap();
        fix.fixes = Some(id);
        if n % 2 == 0 {
            fix.trigger = Some(Trigger::Rollback);
        }
    }
    // One more unplanned fix, of a failed attempt of which there is no deployment.
    push(&mut all, 3 * DAY);
    let fix = all.last_mut().unwrap();
    (fix.unplanned, fix.fixes) = (Some(true), Some("attempt".into()));
    for minutes in [48, 330, 1_320] {
        push(&mut all, minutes);
    }
    all[43].incidents = vec!["INC-412".into(), "INC-413".into()];
    all
}

fn measured(all: Vec<Deployment>, days: i64) -> Dora {
    dora(&joined(&[all]), Some("web"), "production", Window { from: ago(days * DAY), until: now() }, now())
}

#[test]
fn dora_gives_the_figures_of_the_drawing() {
    let mut all = four_weeks();
    assert_eq!(all.len(), 46);
    let failed = Deployment { result: Some(Ending::Failed), ..told("log", "x", 90) };
    let unknown = Deployment { result: None, ..told("log", "y", 91) };
    let staging = Deployment { environment: Some("staging".into()), ..told("log", "z", 92) };
    all.extend([failed, unknown, staging]);
    let of = measured(all, 28);
    assert_eq!((of.completed, of.failed_attempts, of.unknown), (46, 1, 1));
    assert_eq!((format!("{:.2}", of.per_day), of.pace), ("1.64".into(), Pace::Daily));
    assert_eq!((of.failed, of.too_new), (Part { of: 4, all: 43 }, 3));
    assert_eq!(format!("{:.1}", 100.0 * of.failed.share().unwrap()), "9.3");
    assert_eq!((of.rework, format!("{:.1}", 100.0 * of.rework.share().unwrap())), (Part { of: 5, all: 46 }, "10.9".into()));
    assert_eq!((of.recovery.closed, of.recovery.open), (4, 1));
    assert_eq!((of.recovery.p50, of.recovery.longest_open), (Some(SignedDuration::from_mins(41)), Some(SignedDuration::from_mins(48))));
    assert_eq!(of.lead, None, "no record names a commit's time");
}

#[test]
fn one_deployment_with_two_incidents_is_one_failure() {
    let all = vec![Deployment { incidents: vec!["I-1".into(), "I-2".into()], ..told("log", "1", 3 * DAY) }];
    assert_eq!(measured(all, 28).failed, Part { of: 1, all: 1 }, "and not 200 %");
}

#[test]
fn a_rollback_mends_what_was_there_before_it_and_at_its_own_site() {
    let at = |site: &str, version: &str, minutes| Deployment { site: Some(site.into()), ..told("log", version, minutes) };
    let back = Deployment { trigger: Some(Trigger::Rollback), ..at("fra1", "1", 3 * DAY - 30) };
    let of = measured(vec![at("fra1", "2", 3 * DAY), at("ams3", "3", 3 * DAY - 10), back], 28);
    assert_eq!((of.failed, of.recovery.p50), (Part { of: 1, all: 3 }, Some(SignedDuration::from_mins(30))));
}

#[test]
fn recovery_is_not_known_while_most_cases_are_open() {
    let open = |minutes: i64| Deployment { incidents: vec!["I".into()], ..told("log", &minutes.to_string(), minutes) };
    let of = measured(vec![open(3 * DAY), open(4 * DAY)], 28);
    assert_eq!((of.recovery.p50, of.recovery.open, of.recovery.longest_open), (None, 2, Some(SignedDuration::from_hours(96))));
    let mut ended = open(5 * DAY);
    ended.restored = Some(ago(5 * DAY - 7));
    let of = measured(vec![open(3 * DAY), ended.clone()], 28);
    assert_eq!((of.recovery.p50, of.recovery.closed), (Some(SignedDuration::from_mins(7)), 1));
    // What is restored after the window's end is open in it.
    let window = Window { from: ago(28 * DAY), until: ago(5 * DAY - 3) };
    let then = dora(&joined(&[vec![ended]]), None, "production", window, ago(5 * DAY - 3));
    assert_eq!((then.recovery.open, then.recovery.longest_open), (1, Some(SignedDuration::from_mins(3))));
}

#[test]
fn lead_time_is_from_the_first_commit_to_live_and_what_cannot_be_is_dropped() {
    let lead = |hours: i64, minutes: i64| Deployment {
        took: Some(SignedDuration::from_mins(10)),
        first_commit: Some(ago(minutes - 10) - SignedDuration::from_hours(hours)),
        ..told("log", &minutes.to_string(), minutes)
    };
    let of = measured(vec![lead(10, 2_000), lead(19, 3_000), lead(61, 4_000), lead(-5, 5_000), lead(0, 6_000)], 28);
    let of = of.lead.unwrap();
    assert_eq!((of.n, of.p50), (3, SignedDuration::from_hours(19)));
    assert_eq!(of.p90.as_secs(), (52.6 * 3_600.0) as i64);
}

#[test]
fn the_pace_is_that_of_the_median_week() {
    let on = |days: &[i64]| days.iter().map(|day| told("log", &day.to_string(), day * DAY + 60)).collect::<Vec<_>>();
    assert_eq!(measured(on(&[0, 1, 2, 7, 8, 9, 14, 15, 16, 21, 22, 23]), 28).pace, Pace::Daily);
    assert_eq!(measured(on(&[0, 7, 14, 21]), 28).pace, Pace::Weekly);
    assert_eq!(measured(on(&[0, 1, 2, 3, 4, 5, 6]), 28).pace, Pace::Rarely, "one busy week is not the rule");
    assert_eq!(measured(Vec::new(), 28).pace, Pace::Rarely);
    assert_eq!(measured(Vec::new(), 28).failed.share(), None);
}

#[test]
fn a_window_is_told_beside_the_one_before_it_for_all_services_and_for_each() {
    let of = |service: &str, version: &str, minutes| Deployment { service: service.into(), ..told("log", version, minutes) };
    // Broken a day before the window's begin, mended within it: the fix tells of the deployment all the same.
    let fix = Deployment { fixes: Some("2".into()), ..of("web", "3", 6 * DAY) };
    let all = [of("web", "4", 2 * DAY), fix, of("web", "2", 8 * DAY), of("db", "9", 3 * DAY), of("old", "1", 15 * DAY)];
    let table = table(&joined(&[all.to_vec()]), "production", 7, now());
    let rows: Vec<(Option<&str>, usize, usize)> =
        table.rows.iter().map(|row| (row.service.as_deref(), row.now.completed, row.before.completed)).collect();
    assert_eq!(rows, [(None, 3, 1), (Some("db"), 1, 0), (Some("web"), 2, 1)], "of `old` there is nothing in both windows");
    assert_eq!(table.rows[2].before.failed, Part { of: 1, all: 1 });
    assert_eq!(table.rows[2].before.recovery.p50, Some(SignedDuration::from_mins(2 * DAY)));
    assert_eq!((table.rows[2].now.rework, table.rows[2].now.too_new), (Part { of: 1, all: 2 }, 0));
    assert_eq!((table.days, table.more), (7, 0));
}

#[test]
fn the_services_of_a_table_have_an_end() {
    let many: Vec<Deployment> = (0..300).map(|n| Deployment { service: format!("s{n:03}"), ..told("log", "1", n + 1) }).collect();
    let table = table(&joined(&[many]), "production", 28, now());
    assert_eq!((table.rows.len(), table.more, table.rows[0].now.completed), (201, 100, 300));
}
