//! The events that the newest readings tell by themselves: nothing has to be asked for them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Event, Kind, Link};
use crate::model::alert::{Alert, AlertState, Origin};
use crate::model::backup::{BackupState, PointKind};
use crate::model::deployment::{self, Deployment, Ending, Trigger};
use crate::model::estate::{Estate, Severity, SourceKind};
use crate::model::reading::Reading;
use crate::model::run::deployed::JOURNAL;
use crate::model::source::Answer;

/// Recovery points of one backup that are told.
const POINTS: usize = 500;
/// Missed backups of one source that are told.
const MISSED: usize = 100;
/// Alerts that are told.
const ALERTS: usize = 1_000;

/// What is known of the time from `from` to `to` without asking anyone.
pub fn known(
    estate: &Estate,
    alerts: &[Arc<Alert>],
    backups: &[BackupState],
    deployments: &[Arc<Deployment>],
    readings: &[Reading<Answer>],
    (from, to): (Timestamp, Timestamp),
    now: Timestamp,
) -> Vec<Event> {
    let within = |at: Timestamp| at >= from && at <= to;
    let mut all: Vec<Event> =
        deployment::between(deployments, from, to).iter().filter(|one| one.is_act()).map(|one| deployed(one)).collect();
    let fires = |a: &&Arc<Alert>| a.state != AlertState::Pending && within(a.starts_at) && !estate.is_dead_man(&a.labels);
    all.extend(alerts.iter().filter(fires).take(ALERTS).map(|alert| {
        let event = Event::began(alert, if alert.origin == Origin::Quarterdeck { "quarterdeck".into() } else { alert.source.clone() });
        match alert.origin {
            // It fired some time after its condition began.
            Origin::Prometheus => Event { at: now.min(to).max(alert.starts_at), after: Some(alert.starts_at), ..event },
            Origin::Alertmanager | Origin::Quarterdeck => event,
        }
    }));
    for state in backups {
        // Since it answered last, nobody can say that a point was not made.
        let heard = readings.get(state.source).and_then(|reading| reading.held.as_ref()).map_or(now, |held| held.as_of.min(now));
        of_backup(estate, state, (from, to), heard, &mut all);
    }
    all
}

fn deployed(one: &Deployment) -> Event {
    let (severity, result) = match one.result {
        Some(Ending::Succeeded) => (Severity::Info, ""),
        Some(Ending::Failed) => (Severity::Warning, ", failed"),
        None => (Severity::Unknown, ", result unknown"),
    };
    let site = one.site.as_ref().map_or(String::new(), |site| format!(" at {site}"));
    let who = one.who.as_ref().map_or(String::new(), |who| format!(" by {who}"));
    let back = if one.trigger == Some(Trigger::Rollback) { "rollback " } else { "" };
    Event {
        at: one.at,
        after: None,
        kind: Kind::Deployment,
        severity,
        what: format!("{}{site} {back}{}{who}{result}", one.service, one.versions()),
        service: Some(one.service.clone()),
        via: one.told_by.clone(),
        // What a run put there is told by the run: of its own begin nothing more is said.
        link: match &one.id {
            Some(run) if one.told_by.iter().any(|by| **by == *JOURNAL) => Link::Run(run.clone()),
            _ => Link::Deployment(one.key.clone()),
        },
    }
}

/// Points that were made, and starts that no point belongs to.
fn of_backup(estate: &Estate, state: &BackupState, (from, to): (Timestamp, Timestamp), heard: Timestamp, all: &mut Vec<Event>) {
    let (Some(source), Some(answer)) = (estate.sources.get(state.source), &state.answer) else { return };
    let event = |at: Timestamp, kind, severity, what: String| Event {
        at,
        after: None,
        kind,
        severity,
        what: format!("{}: {what}", source.name),
        service: source.service.clone(),
        via: vec![source.name.as_str().into()],
        link: Link::Source(source.name.clone()),
    };
    // A log that is archived all the time makes a point at each look: that it goes on is no event.
    let made = answer
        .points
        .iter()
        .filter(|p| p.kind != PointKind::Wal)
        .filter(|p| p.finished.unwrap_or(p.restores_to) >= from && p.restores_to <= to);
    all.extend(made.take(POINTS).map(|point| {
        let at = point.finished.unwrap_or(point.restores_to);
        match &point.broken {
            Some(why) => event(at, Kind::BackupMade, Severity::Warning, format!("{} is broken: {why}", point.id)),
            None => event(at, Kind::BackupMade, Severity::Ok, format!("point {}", point.id)),
        }
    }));
    let SourceKind::Backup(of) = &source.kind else { return };
    let Some(interval) = of.schedule.filter(|interval| *interval > SignedDuration::ZERO) else { return };
    let mut starts: Vec<Timestamp> = answer.points.iter().map(|point| point.restores_to).filter(|at| *at <= heard).collect();
    starts.sort_unstable();
    // A job that begins a little late is no missed one.
    let slack = interval / 2;
    let ends = starts.iter().skip(1).copied().chain([heard]);
    let mut missed = 0;
    for (begin, end) in starts.iter().copied().zip(ends) {
        if end < from || begin > to {
            continue;
        }
        let mut due = begin.saturating_add(interval);
        while let Ok(at) = due
            && end.duration_since(at) > slack
            && missed < MISSED
        {
            if at >= from && at <= to {
                all.push(event(at, Kind::BackupMissed, Severity::Warning, "a point was due and none was made".into()));
                missed += 1;
            }
            due = at.checked_add(interval);
            // A source that is silent for years has no start in the window for long: jump there.
            if at < from {
                let whole = from.duration_since(at).as_secs() / interval.as_secs().max(1);
                due = at.checked_add(SignedDuration::from_secs(whole.max(1) * interval.as_secs().max(1)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::backup::{Backup, BackupAnswer, BackupOf, Evidence, RecoveryPoint, views};
    use crate::model::estate::tests::{bare, source};
    use crate::model::reading::Outcome;

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    #[test]
    fn a_point_is_missed_only_as_far_as_somebody_looked() {
        let mut of = Backup::new(BackupOf::Directory { folder: "/b".into() });
        of.schedule = Some(SignedDuration::from_hours(1));
        let estate = bare(vec![source("b", SourceKind::Backup(of))]);
        let point = Arc::new(RecoveryPoint {
            id: "p".into(),
            restores_to: at(100),
            finished: None,
            usable_from: None,
            kind: PointKind::Full,
            needs: vec![],
            size: None,
            evidence: Evidence::default(),
            broken: None,
            hold: None,
            part: Default::default(),
            checked: None,
        });
        let mut reading = Reading::never(SignedDuration::from_mins(5));
        let answer = BackupAnswer { points: vec![point], total: 1, ..BackupAnswer::default() };
        reading.take(Outcome::Value { value: Answer::Backup(Arc::new(answer)), as_of: at(102) }, None);
        let readings = [reading];
        let missed = |now| {
            let all = known(&estate, &[], &views(&estate, &readings, now), &[], &readings, (at(0), at(200)), now);
            all.iter().filter(|event| event.kind == Kind::BackupMissed).map(|event| event.at).collect::<Vec<_>>()
        };
        assert_eq!(missed(at(102)), [at(101)]);
        assert_eq!(missed(at(110)), [at(101)], "nobody has looked for eight hours");
    }
}
