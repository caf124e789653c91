//! What is found of backups: more would be lost than is allowed, a job that is silent, a schedule that cannot comply, a
//! ladder with holes. Exposure is judged now: it grows while nobody looks.

use std::sync::Arc;

use jiff::Timestamp;

use super::Before;
use super::builtin::About;
use crate::model::age;
use crate::model::alert::Alert;
use crate::model::backup::{BackupState, Exposure, views};
use crate::model::estate::{Estate, Severity, SourceKind};
use crate::model::health::Readings;

/// What is found of all backups.
pub(super) fn of_backups(estate: &Estate, readings: &Readings, before: &Before<'_>, now: Timestamp, all: &mut Vec<Arc<Alert>>) {
    if !estate.sources.iter().any(|s| matches!(s.kind, SourceKind::Backup(_))) {
        return;
    }
    let states = views(estate, readings, now);
    let service = |state: &BackupState| estate.sources[state.source].service.as_deref();
    for (place, state) in states.iter().enumerate() {
        let about = About { estate, source: &estate.sources[state.source], before };
        // What would be lost of a service is told once, with its first backup.
        if service(state).is_none() || !states[..place].iter().any(|other| service(other) == service(state)) {
            exposed(&about, state, &states, now, all);
        }
        job(&about, state, now, all);
        ladders(&about, state, now, all);
        verified(&about, state, now, all);
    }
}

fn exposed(about: &About<'_>, state: &BackupState, states: &[BackupState], now: Timestamp, all: &mut Vec<Arc<Alert>>) {
    let name = about.source.service.as_deref().unwrap_or(&about.source.name);
    // A backup that was never read may have what the others lack.
    let same = |other: &&BackupState| about.estate.sources[other.source].service == about.source.service && about.source.service.is_some();
    let unread = state.answer.is_none() || states.iter().filter(same).any(|other| other.answer.is_none());
    let rpo = state.rpo();
    match (&state.loss.data, rpo) {
        (Exposure::Since(at), Some(rpo)) if now.duration_since(*at) > rpo => {
            let since = at.checked_add(rpo).unwrap_or(now);
            let lost = age::exact(now.duration_since(*at));
            let summary = format!("{name}: {lost} would be lost now, above the objective of {}", age::exact(rpo));
            about.push(format!("backup {name:?} exposure"), "exposure above objective", Severity::Critical, &summary, since, now, all);
        }
        (Exposure::Everything, _) if !unread => {
            let severity = if rpo.is_some() { Severity::Critical } else { Severity::Warning };
            let summary = format!("{name}: no recovery point can be used: everything would be lost");
            about.push(format!("backup {name:?} exposure"), "no recovery point", severity, &summary, now, now, all);
        }
        _ => {}
    }
    let Some(((site, exposure), rpo)) = state.loss.site.as_ref().zip(rpo) else { return };
    let id = format!("backup {name:?} exposure by site");
    match exposure {
        Exposure::Since(at) if now.duration_since(*at) > rpo && state.loss.data != *exposure => {
            let lost = age::exact(now.duration_since(*at));
            let summary = format!("{name}: {lost} would be lost with the site {site}, above the objective of {}", age::exact(rpo));
            let since = at.checked_add(rpo).unwrap_or(now);
            about.push(id, "exposure by site above objective", Severity::Warning, &summary, since, now, all);
        }
        Exposure::Everything if state.loss.data != Exposure::Everything && !unread => {
            let summary = format!("{name}: no copy is kept outside the site {site}: with it everything would be lost");
            about.push(id, "no copy outside the site", Severity::Warning, &summary, now, now, all);
        }
        _ => {}
    }
}

/// One finding for each backup that a verification found broken: it names the newest such point and counts the others.
fn verified(about: &About<'_>, state: &BackupState, now: Timestamp, all: &mut Vec<Arc<Alert>>) {
    let points = state.answer.iter().flat_map(|answer| &answer.points);
    let mut broken = points.filter_map(|point| Some((point, point.checked.as_ref()?.failed.as_ref()?)));
    let Some((point, failed)) = broken.next() else { return };
    let name = &about.source.name;
    let others = match broken.count() {
        0 => String::new(),
        more => format!(" (and {more} more points)"),
    };
    let summary = format!("{name}: verification found {} broken{others}: {}", point.id, failed.what);
    about.push(format!("backup {name:?} verification"), "backup is broken", Severity::Critical, &summary, failed.at, now, all);
}

fn job(about: &About<'_>, state: &BackupState, now: Timestamp, all: &mut Vec<Arc<Alert>>) {
    let name = &about.source.name;
    if let (Some(last), Some(worst)) = (state.beat.silent, state.worst) {
        let summary =
            format!("{name}: no backup for {}, one is due every {}", age::exact(now.duration_since(last)), age::exact(worst.interval));
        let since = last.checked_add(worst.interval).unwrap_or(last);
        about.push(format!("backup {name:?} silent"), "backup silent", Severity::Warning, &summary, since, now, all);
    }
    if let (true, Some(worst), Some(rpo)) = (state.cannot_comply(), state.worst, state.rpo()) {
        let took = worst.took.map_or(String::new(), |took| format!(", {} a backup takes", age::exact(took)));
        let copied = worst.copied.map_or(String::new(), |copied| format!(", {} a copy takes", age::exact(copied)));
        let summary = format!(
            "{name}: its schedule cannot keep to the objective of {}: at worst {} ({} between starts{took}{copied})",
            age::exact(rpo),
            age::exact(worst.total()),
            age::exact(worst.interval),
        );
        about.push(format!("backup {name:?} cannot comply"), "schedule cannot comply", Severity::Warning, &summary, now, now, all);
    }
}

fn ladders(about: &About<'_>, state: &BackupState, now: Timestamp, all: &mut Vec<Arc<Alert>>) {
    let name = &about.source.name;
    for ladder in state.ladders.iter().filter(|ladder| !ladder.whole()) {
        let (filled, due) = (ladder.filled(), ladder.slots.len());
        let hole = ladder.holes.last().map_or(String::new(), |hole| {
            let count = if ladder.holes.len() == 1 { "the hole" } else { "the newest hole" };
            format!("; {count} from {} to {}", hole.start.strftime("%m-%d %H:%MZ"), hole.end.strftime("%m-%d %H:%MZ"))
        });
        let gap = ladder.gap.map_or(String::new(), |gap| format!("; a gap of {}", age::exact(gap)));
        let tier = format!("{} {}", ladder.tier.every, age::exact(ladder.tier.keep));
        let summary = format!("{name}: the ladder {tier} has {filled} of {due}{hole}{gap}");
        let since = ladder.holes.last().map_or(now, |hole| hole.end);
        about.push(format!("backup {name:?} ladder {tier}"), "retention ladder has holes", Severity::Warning, &summary, since, now, all);
    }
}
