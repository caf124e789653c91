//! How every backup of an estate stands, and what would be lost of every service that has one. Here sources help each
//! other: who archives the log tells up to which time it can be replayed.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::archive::{LOOK, point};
use super::state::{BackupState, Said, state};
use super::{Backup, BackupAnswer, BackupOf, Copy, Exposure, Place, PointKind, Points, Proof, Wal, losses};
use crate::model::estate::{Estate, Source, SourceKind};
use crate::model::health::Readings;
use crate::model::source::Answer;

/// Every backup of the estate, in its order.
pub fn views(estate: &Estate, readings: &Readings, now: Timestamp) -> Vec<BackupState> {
    let zone = estate.zone.clone().unwrap_or(TimeZone::UTC);
    let all: Vec<One<'_>> = (estate.sources.iter().zip(readings).enumerate())
        .filter_map(|(place, (source, reading))| {
            let SourceKind::Backup(of) = &source.kind else { return None };
            let answer = reading.held.as_ref().and_then(|held| match &held.value {
                Answer::Backup(answer) => Some(answer.clone()),
                _ => None,
            });
            Some(One { place, source, of, answer })
        })
        .collect();
    let told: Vec<BackupState> = (all.iter())
        .map(|one| {
            let said = with_log(one, &all, estate, readings, now);
            state(one.place, one.of, said, estate.objective(one.source.service.as_deref()), one.source.site.as_deref(), &zone, now)
        })
        .collect();
    together(estate, &all, told)
}

/// One backup with what it said.
struct One<'a> {
    place: usize,
    source: &'a Source,
    of: &'a Backup,
    answer: Option<Arc<BackupAnswer>>,
}

/// What a source said, with the points that its log makes over its bases.
fn with_log(one: &One<'_>, all: &[One<'_>], estate: &Estate, readings: &Readings, now: Timestamp) -> Said {
    let Some(answer) = &one.answer else { return Said::default() };
    let said = |more: BackupAnswer, wal, timeout| Said { answer: Some(Arc::new(more)), wal, timeout };
    if let (BackupOf::Archiver { base, .. }, Some(archiver)) = (&one.of.of, &answer.archiver) {
        let base = base.as_ref().and_then(|base| all.iter().find(|other| other.source.name == *base));
        let Some(base) = base else { return said((**answer).clone(), vec![], archiver.timeout) };
        let file = archiver.last_archived.clone().unwrap_or_else(|| "nowhere".into());
        let wal = Wal { repo: None, file, until: archiver.until(), by: archiver.node.clone() };
        let mut more = (**answer).clone();
        let bases = base.answer.as_ref().map_or(&[][..], |answer| answer.points.as_slice());
        let points = Points::new(bases, now);
        let until = wal.until.clone().ok();
        let reached = |until: Timestamp| points.usable().map(|(_, p)| p).filter(|p| p.restores_to <= until).max_by_key(|p| p.restores_to);
        match until.map(|until| (until, reached(until))) {
            Some((until, Some(newest))) => {
                let last = archiver.last_archived.as_deref().unwrap_or("the slot");
                // A point that needs others is usable here as it is there: that was judged above.
                let mut newest = (**newest).clone();
                newest.needs = vec![];
                newest.kind = PointKind::Full;
                more.points = vec![point(format!("WAL {last}"), until, &newest, None), Arc::new(newest)];
            }
            Some((_, None)) => {
                more.notes.push(format!("{} has no point that can be used and that the log reaches back to", base.source.name))
            }
            None => {}
        }
        more.total = more.points.len();
        return said(more, vec![wal], archiver.timeout);
    }
    if answer.archives.is_empty() {
        return Said { answer: Some(answer.clone()), ..Said::default() };
    }
    let clocks = clocks(one, all, estate, readings);
    let points = Points::new(&answer.points, now);
    let (mut wal, mut more, mut timeout) = (Vec::new(), Vec::new(), None);
    for archive in &answer.archives {
        let mut told = Wal {
            repo: archive.repo,
            file: archive.max.clone(),
            until: Err("no archiver and no database of the service is named".into()),
            by: String::new(),
        };
        for clock in &clocks {
            let until = clock.until(&archive.max);
            let better = match (&until, &told.until) {
                (Ok(new), Ok(old)) => new > old,
                (Ok(_), Err(_)) => true,
                (Err(_), Err(_)) => told.by.is_empty(),
                (Err(_), Ok(_)) => false,
            };
            if better {
                (told.until, told.by, timeout) = (until, clock.name(), clock.timeout());
            }
        }
        more.extend(told.over(archive, &points));
        wal.push(told);
    }
    let mut out = (**answer).clone();
    out.points.splice(0..0, more);
    out.points.sort_by_key(|point| Reverse(point.restores_to));
    said(out, wal, timeout)
}

/// Who tells up to which time a log is archived.
enum Clock<'a> {
    /// A source of kind `archiver`.
    Archiver(&'a str, &'a super::ArchiverSaid),
    /// A database's primary: it tells when the newest file was archived, which is later than what is in it.
    Database(&'a str, &'a crate::model::database::Archiver),
}

impl Clock<'_> {
    fn name(&self) -> String {
        match self {
            Clock::Archiver(name, _) => format!("the archiver {name}"),
            Clock::Database(name, _) => format!("the database {name} (the time of archiving)"),
        }
    }

    fn timeout(&self) -> Option<SignedDuration> {
        match self {
            Clock::Archiver(_, said) => said.timeout,
            Clock::Database(..) => None,
        }
    }

    fn until(&self, file: &str) -> Result<Timestamp, String> {
        match self {
            Clock::Archiver(_, said) => said.until_of(file),
            Clock::Database(name, said) => {
                let newest = said.last_archived.as_deref().filter(|newest| *newest <= file);
                let doubt = said
                    .last_failed_at
                    .zip(said.last_archived_at)
                    .is_some_and(|(failed, at)| at.duration_since(failed) < SignedDuration::from_hours(24));
                // It was full before it was taken, by as much as the archiver waits between two looks.
                let at = said.last_archived_at.filter(|_| newest.is_some() && !doubt).and_then(|at| at.checked_sub(LOOK).ok());
                at.ok_or_else(|| format!("the database {name} does not tell when {file} was written"))
            }
        }
    }
}

fn clocks<'a>(one: &One<'_>, all: &'a [One<'_>], estate: &'a Estate, readings: &'a Readings) -> Vec<Clock<'a>> {
    let same = |source: &Source| one.source.service.is_some() && source.service == one.source.service;
    // One that names another base archives the log of another cluster.
    let ours = |other: &One<'_>| match &other.of.of {
        BackupOf::Archiver { base, .. } => base.as_ref().is_none_or(|base| *base == one.source.name),
        _ => false,
    };
    let archivers = all.iter().filter(|other| same(other.source) && ours(other)).filter_map(|other| {
        let said = other.answer.as_ref()?.archiver.as_ref()?;
        Some(Clock::Archiver(&other.source.name, said))
    });
    let databases = estate.sources.iter().zip(readings).filter(|(source, _)| same(source)).filter_map(|(source, reading)| {
        match &reading.held.as_ref()?.value {
            Answer::Database(answer) => Some(Clock::Database(&source.name, answer.primaries().next()?.1.archiver.as_ref()?)),
            _ => None,
        }
    });
    // The archiver knows better: the database only tells when it was done.
    let mut clocks: Vec<Clock<'a>> = archivers.collect();
    if clocks.is_empty() {
        clocks.extend(databases);
    }
    clocks
}

/// What they come to together: what would be lost of each service, and how many of its copies are verified.
fn together(estate: &Estate, all: &[One<'_>], mut states: Vec<BackupState>) -> Vec<BackupState> {
    let mut services: HashMap<(Option<&str>, usize), Vec<usize>> = HashMap::new();
    for (place, one) in all.iter().enumerate() {
        // One without a service is by itself.
        let key = one.source.service.as_deref().map_or((None, place), |service| (Some(service), 0));
        services.entry(key).or_default().push(place);
    }
    for ((service, _), places) in services {
        borrowed(all, &mut states, &places);
        let copies: Vec<Copy> = places.iter().flat_map(|place| copies(&all[*place], all, &states[*place])).collect();
        let sites = service.and_then(|name| estate.service(name)).map_or(&[][..], |s| &s.sites);
        let loss = losses(&copies, sites);
        let verified: usize = places.iter().map(|place| verified(&states[*place])).sum();
        for place in places {
            states[place].loss = loss.clone();
            states[place].prune.judge_copies(all[place].of.keep.min_copies, verified);
        }
    }
    states
}

/// An archiver without a base of its own shows what its log is worth where another source keeps it.
fn borrowed(all: &[One<'_>], states: &mut [BackupState], places: &[usize]) {
    let logged = |place: &usize| states[*place].newest.clone().filter(|p| p.kind == PointKind::Wal && !states[*place].wal.is_empty());
    let best = places.iter().filter_map(logged).max_by_key(|p| p.restores_to);
    for place in places.iter().copied().filter(|place| matches!(all[*place].of.of, BackupOf::Archiver { base: None, .. })) {
        let state = &mut states[place];
        if state.answer.is_none() {
            continue;
        }
        (state.exposure, state.newest) = match &best {
            Some(point) => (Exposure::Since(point.restores_to), Some(point.clone())),
            None => (Exposure::Unknown("a log alone restores nothing: `base` names no backup that it is replayed over".into()), None),
        };
        for copy in &mut state.copies {
            copy.exposure = state.exposure.clone();
        }
    }
}

/// The copies of one backup as its service counts them.
fn copies(one: &One<'_>, all: &[One<'_>], state: &BackupState) -> Vec<Copy> {
    let base = match &one.of.of {
        BackupOf::Archiver { base: None, .. } => return vec![],
        BackupOf::Archiver { base: Some(base), .. } => all.iter().find(|other| other.source.name == *base),
        _ => None,
    };
    let of_base = base.map(|base| Place { site: base.source.site.clone(), account: base.of.account.clone() });
    let one = |copy: &super::CopyState| Copy {
        name: copy.repo.map_or_else(|| one.source.name.clone(), |repo| format!("{} repo {repo}", one.source.name)),
        exposure: copy.exposure.clone(),
        places: std::iter::once(copy.place.clone()).chain(of_base.clone()).collect(),
    };
    state.copies.iter().map(one).collect()
}

/// Copies of it that hold a point whose checksums were right and that pruning would leave.
fn verified(state: &BackupState) -> usize {
    let Some(answer) = &state.answer else { return 0 };
    let removed: HashSet<usize> = state.prune.candidates.iter().map(|candidate| candidate.place).collect();
    let holds = |repo: Option<u32>| {
        let usable = |place: usize| state.unusable.get(place).is_some_and(Option::is_none);
        answer
            .points
            .iter()
            .enumerate()
            .any(|(place, p)| p.part.repo == repo && usable(place) && !removed.contains(&place) && p.proof() >= Proof::V2)
    };
    state.copies.iter().filter(|copy| holds(copy.repo)).count()
}

#[cfg(test)]
mod tests;
