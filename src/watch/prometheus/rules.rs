//! `/api/v1/rules` and `/api/v1/status/buildinfo`: how many rules there are, which fail, and what answers. Pure: over bytes.

use serde::Deserialize;

use super::envelope::{Answered, Object, open};
use crate::model::source::Rules;
use crate::model::text::{LABEL_CAP, NOTE_CAP, clean};
use crate::watch::wire::{Fault, Text, capped, list};

/// Failing rules that are named; the rest is counted in one more line.
const FAILING_CAP: usize = 100;

#[derive(Deserialize)]
struct Raw<'a> {
    /// Must be there, for its absence must not look like none.
    #[serde(borrow, deserialize_with = "list")]
    groups: Vec<RawGroup<'a>>,
}

#[derive(Deserialize)]
struct RawGroup<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "list")]
    rules: Vec<RawRule<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRule<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    health: Text<'a>,
    #[serde(borrow, default)]
    last_error: Text<'a>,
}

/// The rules, counted. A rule that was not evaluated yet has the health `unknown` and does not fail.
pub(crate) fn rules(status: u16, bytes: &[u8]) -> Result<Answered<Rules>, Fault> {
    let Answered { data, notes } = open(status, bytes, Object::<Raw<'_>>::new())?;
    let mut rules = Rules::default();
    for group in &data.groups {
        for rule in &group.rules {
            *(if &*rule.kind == "recording" { &mut rules.recording } else { &mut rules.alerting }) += 1;
            if &*rule.health == "err" {
                rules.failing.push(clean(&format!("{}/{}: {}", &*group.name, &*rule.name, &*rule.last_error), NOTE_CAP).into_owned());
            }
        }
    }
    rules.failing = capped(rules.failing, FAILING_CAP);
    Ok(Answered { data: rules, notes })
}

#[derive(Deserialize)]
struct RawBuild<'a> {
    #[serde(borrow, default)]
    version: Text<'a>,
}

/// The version, where one is told.
pub(crate) fn version(status: u16, bytes: &[u8]) -> Result<Answered<Option<String>>, Fault> {
    let Answered { data, notes } = open(status, bytes, Object::<RawBuild<'_>>::new())?;
    Ok(Answered { data: Some(clean(&data.version, LABEL_CAP).into_owned()).filter(|v| !v.is_empty()), notes })
}
