//! Builds what a service says of its restart, its health and its rollback, of a file that passed every check.

use std::path::Path;

use jiff::SignedDuration;
use toml::Spanned;

use super::raw::operations::{RawHealth, RawLogs, RawOwnHttp, RawOwnStep, RawRestart, RawRollback, Steps};
use super::raw::{Key, Words, text};
use super::timing;
use crate::model::log::Logs;
use crate::model::operations::{Health, HealthAsk, OwnAct, OwnStep, Restart, Rollback};

/// `times` where the file says nothing.
const TIMES: i64 = 3;
/// `every` of a health where the file says nothing.
const EVERY: SignedDuration = SignedDuration::from_secs(1);
/// `within` where the file says nothing.
const WITHIN: SignedDuration = SignedDuration::from_secs(30);
/// How long a step of one's own may take where the file says nothing.
const STEP: SignedDuration = SignedDuration::from_mins(10);
/// The same of what a person does.
const PERSON: SignedDuration = SignedDuration::from_hours(24);

/// How it is started again; `None` where a check has a hole.
pub(super) fn restart(raw: &RawRestart) -> Option<Restart> {
    match (text(&raw.unit), words(&raw.command)) {
        (Some(unit), None) => Some(Restart::Unit { unit: unit.to_owned(), sudo: flag(&raw.sudo) }),
        (None, Some(command)) => Some(Restart::Command { command, pid_file: owned(&raw.pid_file) }),
        _ => None,
    }
}

/// Where it logs; `None` where a check has a hole.
pub(super) fn logs(raw: &RawLogs) -> Option<Logs> {
    match (text(&raw.unit), text(&raw.file)) {
        (Some(unit), None) => Some(Logs::Unit(unit.to_owned())),
        (None, Some(file)) => Some(Logs::File(file.to_owned())),
        _ => None,
    }
}

/// How its health is asked; `None` where a check has a hole.
pub(super) fn health(raw: &RawHealth) -> Option<Health> {
    let ask = match (text(&raw.http), words(&raw.command)) {
        (Some(url), None) => HealthAsk::Http { url: url.to_owned(), status: status(&raw.status)?, body: owned(&raw.body) },
        (None, Some(command)) => HealthAsk::Command { command },
        _ => return None,
    };
    Some(Health {
        ask,
        times: u32::try_from(raw.times.as_ref().map_or(TIMES, |times| *times.get_ref())).ok()?,
        every: timing::or(&raw.every, EVERY)?,
        within: timing::or(&raw.within, WITHIN)?,
    })
}

/// What its rollback does; `None` where a check has a hole.
pub(super) fn rollback(path: &Path, raw: &RawRollback) -> Option<Rollback> {
    Some(Rollback {
        batch: raw.batch.as_ref().map_or(Some(0), |batch| u32::try_from(*batch.get_ref()).ok())?,
        guard: match &raw.guard {
            Some(_) => Some(timing::or(&raw.guard, SignedDuration::ZERO)?),
            None => None,
        },
        note: flag(&raw.note),
        before: steps(path, &raw.before)?,
        after: steps(path, &raw.after)?,
    })
}

fn steps(path: &Path, raw: &Steps) -> Option<Vec<OwnStep>> {
    raw.iter().flat_map(|steps| steps.get_ref()).map(|step| own(path, step.get_ref())).collect()
}

fn own(path: &Path, raw: &RawOwnStep) -> Option<OwnStep> {
    let host = owned(&raw.host);
    let does = act(path, host.as_ref(), &raw.command, &raw.http, &raw.manual)?;
    let usual = if matches!(does, OwnAct::Manual { .. }) { PERSON } else { STEP };
    let undo = match raw.undo.as_ref().map(Spanned::get_ref) {
        Some(undo) => Some(act(path, host.as_ref(), &undo.command, &undo.http, &undo.manual)?),
        None => None,
    };
    Some(OwnStep {
        name: text(&raw.name)?.to_owned(),
        does,
        timeout: timing::or(&raw.timeout, usual)?,
        repeatable: flag(&raw.repeatable),
        undo,
        point_of_no_return: flag(&raw.point_of_no_return),
    })
}

fn act(path: &Path, host: Option<&String>, command: &Words, http: &Key<RawOwnHttp>, manual: &Key<String>) -> Option<OwnAct> {
    match (words(command), http.as_ref().map(Spanned::get_ref), text(manual)) {
        (Some(command), None, None) => Some(OwnAct::Command { host: host.cloned(), command }),
        (None, Some(http), None) => Some(OwnAct::Http {
            method: text(&http.method).unwrap_or("POST").to_owned(),
            url: text(&http.url)?.to_owned(),
            body: owned(&http.body),
            status: status(&http.status)?,
            http_config: match text(&http.http_config) {
                Some(file) => Some(path.parent().unwrap_or(Path::new("")).join(file).to_str()?.to_owned()),
                None => None,
            },
        }),
        (None, None, Some(what)) => Some(OwnAct::Manual { what: what.to_owned() }),
        _ => None,
    }
}

/// The status, where one is named; `None` where it is none.
fn status(key: &Key<i64>) -> Option<Option<u16>> {
    key.as_ref().map(|key| u16::try_from(*key.get_ref())).transpose().ok()
}

fn flag(key: &Key<bool>) -> bool {
    key.as_ref().is_some_and(|key| *key.get_ref())
}

fn owned(key: &Key<String>) -> Option<String> {
    text(key).map(str::to_owned)
}

fn words(words: &Words) -> Option<Vec<String>> {
    words.as_ref().map(|w| w.get_ref().iter().map(|word| word.get_ref().clone()).collect())
}
