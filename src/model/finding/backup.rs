//! What is found of backups: more would be lost than is allowed, a job that is silent, a schedule that cannot comply, a
//! ladder with holes. Exposure is judged now: it grows while nobody looks.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Before;
use super::builtin::About;
use crate::model::age;
use crate::model::alert::Alert;
use crate::model::backup::{BackupState, Exposure, PointKind, views};
use crate::model::estate::{Estate, Severity, SourceKind};
use crate::model::health::Readings;
use crate::model::metric;
use crate::model::panel::Unit;

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
        // While its source does not answer, nothing is known of the job.
        let heard = readings.get(state.source).is_none_or(|reading| reading.failure.is_none());
        job(&about, state, heard, now, all);
        archiver(&about, state, now, all);
        kept(&about, state, now, all);
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
    let Some(rpo) = rpo else { return };
    if let Some((site, exposure)) = state.loss.site() {
        let id = format!("backup {name:?} exposure by site");
        with(about, state, (id, "site", site), exposure, rpo, unread, now, all);
    }
    if let Some((account, exposure)) = state.loss.account() {
        let id = format!("backup {name:?} exposure by account");
        with(about, state, (id, "account", account), exposure, rpo, unread, now, all);
    }
}

/// What would be lost with more than the data.
#[allow(clippy::too_many_arguments)]
fn with(
    about: &About<'_>,
    state: &BackupState,
    what: (String, &str, &str),
    exposure: &Exposure,
    rpo: SignedDuration,
    unread: bool,
    now: Timestamp,
    all: &mut Vec<Arc<Alert>>,
) {
    let name = about.source.service.as_deref().unwrap_or(&about.source.name);
    let (id, scope, lost_with) = what;
    let (over, none) = match scope {
        "site" => ("exposure by site above objective", "no copy outside the site"),
        _ => ("exposure by account above objective", "no copy outside the account"),
    };
    match exposure {
        Exposure::Since(at) if now.duration_since(*at) > rpo && state.loss.data != *exposure => {
            let lost = age::exact(now.duration_since(*at));
            let summary = format!("{name}: {lost} would be lost with the {scope} {lost_with}, above the objective of {}", age::exact(rpo));
            let since = at.checked_add(rpo).unwrap_or(now);
            about.push(id, over, Severity::Warning, &summary, since, now, all);
        }
        Exposure::Everything if state.loss.data != Exposure::Everything && !unread => {
            let summary = format!("{name}: no copy is kept outside the {scope} {lost_with}: with it everything would be lost");
            about.push(id, none, Severity::Warning, &summary, now, now, all);
        }
        _ => {}
    }
}

/// One finding for each backup that a verification found broken: it names the newest such point and counts the others.
fn verified(about: &About<'_>, state: &BackupState, now: Timestamp, all: &mut Vec<Arc<Alert>>) {
    // A log is told by what keeps it: it makes a point only where somebody tells up to which moment it reaches.
    let points = state.answer.iter().flat_map(|answer| &answer.points).filter(|point| point.kind != PointKind::Wal);
    let points = points.filter_map(|point| Some((point.id.clone(), point.checked.as_ref()?.failed.as_ref()?)));
    let logs = state.answer.iter().flat_map(|answer| &answer.archives).filter_map(|archive| {
        let log = archive.checked.as_ref()?;
        Some((archive.id_of(&log.file), log.of.failed.as_ref()?))
    });
    let mut broken = points.chain(logs);
    let Some((id, failed)) = broken.next() else { return };
    let name = &about.source.name;
    let others = match broken.count() {
        0 => String::new(),
        more => format!(" (and {more} more points)"),
    };
    let summary = format!("{name}: verification found {id} broken{others}: {}", failed.what);
    about.push(format!("backup {name:?} verification"), "backup is broken", Severity::Critical, &summary, failed.at, now, all);
}

fn job(about: &About<'_>, state: &BackupState, heard: bool, now: Timestamp, all: &mut Vec<Arc<Alert>>) {
    let name = &about.source.name;
    if let (Some(last), Some(worst)) = (state.beat.silent, state.worst) {
        let (old, every) = (age::exact(now.duration_since(last)), age::exact(worst.interval));
        let none = if heard {
            format!("no backup for {old}")
        } else {
            format!("no backup is known of the last {old} (its source does not answer)")
        };
        let summary = format!("{name}: {none}, one is due every {every}");
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

/// The log's own archive: a try that failed after the last that went well, files that wait, an archive that is off.
fn archiver(about: &About<'_>, state: &BackupState, now: Timestamp, all: &mut Vec<Arc<Alert>>) {
    let Some(said) = state.answer.as_ref().and_then(|answer| answer.archiver.as_ref()) else { return };
    let name = &about.source.name;
    let mut push = |what: &str, title: &str, summary: String, since: Timestamp| {
        about.push(format!("backup {name:?} {what}"), title, Severity::Warning, &summary, since, now, all);
    };
    let fed = said.slot.as_ref().is_some_and(|slot| slot.active);
    if !said.is_on() && !fed {
        push("archive off", "archiving is off", format!("{name}: archive_mode is off: no log is archived"), now);
    }
    if said.is_failing() && said.is_on() {
        let waiting = said.waiting.map_or(String::new(), |n| format!(", {n} files wait"));
        let last = said.last_archived_at.map_or("none was ever archived".to_owned(), |at| {
            format!("the newest was archived {} ago", age::exact(now.duration_since(at)))
        });
        let file = said.last_failed.as_deref().unwrap_or("a file");
        let summary = format!("{name}: archiving {file} fails, {} failed tries{waiting}; {last}", said.failed);
        push("archiver failing", "archiver failing", summary, said.last_archived_at.or(said.last_failed_at).unwrap_or(now));
    } else if let (true, Some(timeout), Some(last)) = (said.is_on() && !said.idle, said.timeout, said.last_archived_at)
        && now.duration_since(last) > timeout.saturating_mul(2)
        && now.duration_since(said.at) < timeout
        && said.waiting.is_some_and(|waiting| waiting > 0)
    {
        // A file that is not full waits for the timeout, unless nothing was written: a file that waits was written.
        let summary = format!("{name}: no log was archived for {}, and files wait", age::exact(now.duration_since(last)));
        push("archiver silent", "archiver silent", summary, last);
    }
    let Some(slot) = &said.slot else { return };
    if !slot.there {
        push("slot", "slot is gone", format!("{name}: there is no slot {}: nothing keeps the log for its reader", slot.name), now);
    } else if !slot.active {
        let kept = slot.retained.map_or(String::new(), |bytes| format!(", {} of log wait for it", metric::show(bytes as f64, Unit::Bytes)));
        push("slot", "slot is not read", format!("{name}: nothing reads the slot {}{kept}", slot.name), now);
    }
}

/// Floor and ceiling.
fn kept(about: &About<'_>, state: &BackupState, now: Timestamp, all: &mut Vec<Arc<Alert>>) {
    let Some(bounds) = &state.bounds else { return };
    let name = &about.source.name;
    let mut push = |what: &str, title: &str, summary: String| {
        about.push(format!("backup {name:?} {what}"), title, Severity::Warning, &summary, now, now, all);
    };
    if bounds.below {
        let oldest = bounds.oldest.map_or("there is none".to_owned(), |at| format!("it is {} old", age::exact(now.duration_since(at))));
        push("floor", "oldest point is too young", format!("{name}: the oldest point is younger than was promised: {oldest}"));
    }
    if bounds.above > 0 {
        let summary = format!("{name}: {} points are older than may be kept, and nothing holds them", bounds.above);
        push("ceiling", "points are too old", summary);
    } else if let Some(due) = bounds.due {
        let summary = format!(
            "{name}: the oldest point may not be kept beyond {}: in {}",
            due.strftime("%Y-%m-%d"),
            age::exact(due.duration_since(now))
        );
        about.push(format!("backup {name:?} ceiling"), "a point grows too old", Severity::Info, &summary, now, now, all);
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
        let of = ladder.of.as_ref().map_or(String::new(), |of| format!(" of {of}"));
        let tier = format!("{} {}{of}", ladder.tier.every, age::exact(ladder.tier.keep));
        let summary = format!("{name}: the ladder {tier} has {filled} of {due}{hole}{gap}");
        let since = ladder.holes.last().map_or(now, |hole| hole.end);
        about.push(format!("backup {name:?} ladder {tier}"), "retention ladder has holes", Severity::Warning, &summary, since, now, all);
    }
}
