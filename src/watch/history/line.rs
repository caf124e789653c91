//! One line of a deploy log: a JSON object whose parts stand where the estate file says.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Of;
use crate::model::age;
use crate::model::deployment::{Dated, Deployment, Ending, Trigger};
use crate::model::estate::Part;
use crate::model::text::{LABEL_CAP, NOTE_CAP, clean};

/// Links, approvals or incidents of one deployment.
const MANY: usize = 50;

/// The deployment of a line; `Err` says why there is none.
pub(super) fn read(line: &[u8], fields: &BTreeMap<Part, String>, of: &Of) -> Result<Deployment, &'static str> {
    let value: Value = serde_json::from_slice(line).map_err(|_| "is no JSON")?;
    if !value.is_object() {
        return Err("is no JSON object");
    }
    deployment(&value, fields, of)
}

/// The deployment of an object, whoever wrote it.
pub(super) fn deployment(value: &Value, fields: &BTreeMap<Part, String>, of: &Of) -> Result<Deployment, &'static str> {
    let part = |part: Part| {
        let own = Part::ALL.into_iter().find(|(one, _)| *one == part).map_or("", |(_, word)| word);
        find(value, fields.get(&part).map_or(own, String::as_str))
    };
    let text = |of: Part, cap: usize| part(of).and_then(|value| words(value, cap)).filter(|text| !text.is_empty());
    let service = text(Part::Service, LABEL_CAP).or_else(|| of.service.clone()).ok_or("names no service")?;
    let at = part(Part::Time).and_then(moment).ok_or("has no time")?;
    let mut one = Deployment::new(&service, at, Dated::Record, &of.name);
    one.id = text(Part::Id, LABEL_CAP);
    one.site = text(Part::Site, LABEL_CAP).or_else(|| of.site.clone());
    one.environment = text(Part::Environment, LABEL_CAP);
    one.from = text(Part::From, LABEL_CAP);
    one.to = text(Part::Version, LABEL_CAP);
    one.who = text(Part::Who, LABEL_CAP);
    one.took = part(Part::Took).and_then(duration).or_else(|| {
        let end = part(Part::Finished).and_then(moment)?;
        Some(end.duration_since(at)).filter(|took| !took.is_negative())
    });
    one.trigger = text(Part::Source, LABEL_CAP).and_then(|word| trigger(&word));
    one.result = part(Part::Result).and_then(ending);
    one.commit = text(Part::Commit, LABEL_CAP);
    one.first_commit = part(Part::FirstCommit).and_then(moment);
    one.links = list(part(Part::Links));
    one.reason = text(Part::Reason, NOTE_CAP);
    one.approvals = list(part(Part::Approvals));
    one.incidents = list(part(Part::Incidents));
    one.restored = part(Part::Restored).and_then(moment);
    one.fixes = text(Part::Fixes, LABEL_CAP);
    one.unplanned = part(Part::Unplanned).and_then(Value::as_bool);
    Ok(one)
}

/// The value at that place: the whole name where there is one, else the names between its dots one within the other.
fn find<'v>(value: &'v Value, place: &str) -> Option<&'v Value> {
    let found = value.get(place).or_else(|| place.split('.').try_fold(value, |value, name| value.get(name)));
    found.filter(|value| !value.is_null())
}

fn words(value: &Value, cap: usize) -> Option<String> {
    match value {
        Value::String(text) => Some(clean(text.trim(), cap).into_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn list(value: Option<&Value>) -> Vec<String> {
    let all = match value {
        Some(Value::Array(all)) => all.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    all.iter().filter_map(|one| words(one, LABEL_CAP)).filter(|text| !text.is_empty()).take(MANY).collect()
}

/// RFC 3339, or seconds or milliseconds since the epoch. What is after the year 2286 in seconds is milliseconds.
fn moment(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => {
            let number = number.as_f64()?;
            let seconds = if number.abs() >= 1e10 { number / 1_000.0 } else { number };
            Timestamp::from_millisecond((seconds * 1_000.0).round() as i64).ok()
        }
        _ => None,
    }
}

/// Seconds, or a text such as `3m` or `3m12s`.
fn duration(value: &Value) -> Option<SignedDuration> {
    let duration = match value {
        Value::Number(number) => SignedDuration::try_from_secs_f64(number.as_f64()?).ok()?,
        Value::String(text) => {
            age::parse(text.trim()).or_else(|_| text.trim().parse::<SignedDuration>().map_err(|_| String::new())).ok()?
        }
        _ => return None,
    };
    Some(duration).filter(|took| !took.is_negative())
}

fn trigger(word: &str) -> Option<Trigger> {
    match word.to_lowercase().as_str() {
        "pipeline" | "ci" | "automatic" => Some(Trigger::Pipeline),
        "person" | "manual" | "human" => Some(Trigger::Person),
        "rollback" | "roll back" | "revert" => Some(Trigger::Rollback),
        _ => None,
    }
}

/// A word that is none of these is not guessed at: the end is then not known.
fn ending(value: &Value) -> Option<Ending> {
    match value {
        Value::Bool(true) => Some(Ending::Succeeded),
        Value::Bool(false) => Some(Ending::Failed),
        Value::String(word) => match word.trim().to_lowercase().as_str() {
            "succeeded" | "success" | "successful" | "ok" | "passed" | "done" => Some(Ending::Succeeded),
            "failed" | "failure" | "fail" | "error" | "aborted" | "cancelled" | "canceled" | "timeout" => Some(Ending::Failed),
            _ => None,
        },
        _ => None,
    }
}
