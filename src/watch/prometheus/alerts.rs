//! `/api/v1/alerts`: what a Prometheus itself finds pending or firing. Pure: over bytes.

use std::sync::Arc;

use serde::Deserialize;

use super::envelope::{Answered, Object, open};
use crate::model::alert::{Alert, AlertId, AlertState, Origin, severity_of, sort};
use crate::model::label::{Interner, Labels};
use crate::watch::wire::{Fault, Pairs, Text, list, moment};

#[derive(Deserialize)]
struct Raw<'a> {
    /// Must be there, for its absence must not look like none.
    #[serde(borrow, deserialize_with = "list")]
    alerts: Vec<RawAlert<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAlert<'a> {
    #[serde(borrow, default)]
    labels: Pairs<'a>,
    #[serde(borrow, default)]
    annotations: Pairs<'a>,
    #[serde(borrow, default)]
    state: Text<'a>,
    #[serde(borrow, default)]
    active_at: Text<'a>,
}

/// The alerts, sorted; those whose time cannot be read are left out and counted in a note.
pub(crate) fn alerts(status: u16, bytes: &[u8], source: &Arc<str>) -> Result<Answered<Vec<Arc<Alert>>>, Fault> {
    let Answered { data, mut notes } = open(status, bytes, Object::<Raw<'_>>::new())?;
    let mut interner = Interner::default();
    let mut skipped = 0;
    let mut alerts = Vec::with_capacity(data.alerts.len());
    for raw in data.alerts {
        // Not known to be told here, but a rule's own state knows it: nothing is wrong.
        if &*raw.state == "inactive" {
            continue;
        }
        let Some(starts_at) = moment(&raw.active_at) else {
            skipped += 1;
            continue;
        };
        let labels = interner.labels(raw.labels.iter());
        alerts.push(Arc::new(Alert {
            id: id(source, &labels),
            source: source.clone(),
            origin: Origin::Prometheus,
            fingerprint: "".into(),
            severity: severity_of(&labels),
            labels,
            annotations: interner.annotations(raw.annotations.iter()),
            state: if &*raw.state == "pending" { AlertState::Pending } else { AlertState::Undelivered },
            starts_at,
            updated_at: None,
            silenced_by: vec![],
            inhibited_by: vec![],
            muted_by: vec![],
            receivers: vec![],
            generator_url: None,
            seen_by: vec![],
        }));
    }
    if skipped > 0 {
        notes.push(format!("{skipped} alerts without a time that can be read left out"));
    }
    sort(&mut alerts);
    Ok(Answered { data: alerts, notes })
}

/// The source and all labels, values quoted so that no value can pass for another label.
fn id(source: &str, labels: &Labels) -> AlertId {
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    AlertId(format!("{source}/{}", labels.join(",")).into())
}
