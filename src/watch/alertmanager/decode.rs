//! The answers of one Alertmanager's v2 API, decoded. Pure: over bytes. The shapes are those of Alertmanager's own
//! `api/v2/openapi.yaml`; fields that this console does not show are skipped.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::model::alert::{Alert, AlertId, AlertState, Origin, severity_of};
use crate::model::label::{Interner, Labels};
use crate::model::silence::{Silence, SilenceMatcher, SilenceState};
use crate::model::source::Group;
use crate::model::text::{LABEL_CAP, NOTE_CAP, clean};
use crate::watch::wire::{Fault, Pairs, Text, json, list, moment};

const SYSTEM: &str = "Alertmanager";

/// What was decoded, and how many entries were left out because their times could not be read.
#[derive(Debug, PartialEq)]
pub(crate) struct Decoded<T> {
    /// The entries that could be read.
    pub entries: Vec<T>,
    /// How many could not.
    pub skipped: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAlert<'a> {
    #[serde(borrow, default)]
    fingerprint: Text<'a>,
    #[serde(borrow, default)]
    labels: Pairs<'a>,
    #[serde(borrow, default)]
    annotations: Pairs<'a>,
    #[serde(borrow, default)]
    starts_at: Text<'a>,
    #[serde(borrow, default)]
    updated_at: Text<'a>,
    #[serde(borrow, default, rename = "generatorURL")]
    generator_url: Text<'a>,
    #[serde(borrow, default, deserialize_with = "list")]
    receivers: Vec<Named<'a>>,
    #[serde(borrow, default)]
    status: RawStatus<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawStatus<'a> {
    #[serde(borrow, default)]
    state: Text<'a>,
    #[serde(borrow, default, deserialize_with = "list")]
    silenced_by: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "list")]
    inhibited_by: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "list")]
    muted_by: Vec<Text<'a>>,
}

#[derive(Deserialize, Default)]
struct Named<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
}

/// `/api/v2/alerts`. Time intervals that mute are not told here, see [`Groups::muted`].
pub(crate) fn alerts(bytes: &[u8], source: &Arc<str>) -> Result<Decoded<Alert>, Fault> {
    let raw: Vec<RawAlert<'_>> = json(bytes, SYSTEM)?;
    let mut interner = Interner::default();
    let mut skipped = 0;
    let entries = raw
        .into_iter()
        .filter_map(|raw| {
            let alert = alert(raw, source, &mut interner);
            skipped += usize::from(alert.is_none());
            alert
        })
        .collect();
    Ok(Decoded { entries, skipped })
}

fn alert(raw: RawAlert<'_>, source: &Arc<str>, interner: &mut Interner) -> Option<Alert> {
    let starts_at = moment(&raw.starts_at)?;
    let labels = interner.labels(raw.labels.iter());
    let fingerprint: Arc<str> = clean(&raw.fingerprint, LABEL_CAP).into();
    let id = if fingerprint.is_empty() { format!("{source}/{}", labels.short()) } else { format!("{source}/{fingerprint}") };
    let share = |texts: &[Text<'_>], interner: &mut Interner| texts.iter().map(|t| interner.share(t)).collect::<Vec<_>>();
    let mut alert = Alert {
        origin: Origin::Alertmanager,
        id: AlertId(id.into()),
        source: source.clone(),
        fingerprint,
        severity: severity_of(&labels),
        labels,
        annotations: interner.annotations(raw.annotations.iter()),
        state: AlertState::Firing,
        starts_at,
        updated_at: moment(&raw.updated_at),
        silenced_by: share(&raw.status.silenced_by, interner),
        inhibited_by: share(&raw.status.inhibited_by, interner),
        muted_by: share(&raw.status.muted_by, interner),
        receivers: raw.receivers.iter().map(|r| interner.share(&r.name)).collect(),
        generator_url: Some(&*raw.generator_url).filter(|url| !url.is_empty()).map(|url| clean(url, NOTE_CAP).into()),
        seen_by: vec![],
    };
    alert.state = state(&alert, &*raw.status.state == "unprocessed");
    Some(alert)
}

/// What happens with an alert: a silence is told before an inhibition, that before a time interval.
pub(crate) fn state(alert: &Alert, unprocessed: bool) -> AlertState {
    if !alert.silenced_by.is_empty() {
        AlertState::Silenced
    } else if !alert.inhibited_by.is_empty() {
        AlertState::Inhibited
    } else if !alert.muted_by.is_empty() {
        AlertState::Muted
    } else if unprocessed {
        AlertState::Unprocessed
    } else {
        AlertState::Firing
    }
}

/// The groups of one peer.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Groups {
    /// As they are notified.
    pub groups: Vec<Group>,
    /// Time intervals by the fingerprints that they mute. One alert can be in several groups: it is muted only where
    /// each of them is, for otherwise someone is still notified.
    pub muted: HashMap<Arc<str>, Vec<Arc<str>>>,
}

#[derive(Deserialize)]
struct RawGroup<'a> {
    #[serde(borrow, default)]
    labels: Pairs<'a>,
    #[serde(borrow, default)]
    receiver: Named<'a>,
    #[serde(borrow, default, deserialize_with = "list")]
    alerts: Vec<RawMember<'a>>,
}

#[derive(Deserialize)]
struct RawMember<'a> {
    #[serde(borrow, default)]
    fingerprint: Text<'a>,
    #[serde(borrow, default)]
    status: RawMuted<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawMuted<'a> {
    #[serde(borrow, default, deserialize_with = "list")]
    muted_by: Vec<Text<'a>>,
}

/// `/api/v2/alerts/groups`: who is in which group, and what mutes it. The alerts' own texts are skipped.
pub(crate) fn groups(bytes: &[u8]) -> Result<Groups, Fault> {
    let raw: Vec<RawGroup<'_>> = json(bytes, SYSTEM)?;
    let mut interner = Interner::default();
    let mut muted: HashMap<Arc<str>, Option<Vec<Arc<str>>>> = HashMap::new();
    let mut groups = Vec::with_capacity(raw.len());
    for raw in raw {
        let mut members = Vec::with_capacity(raw.alerts.len());
        for member in &raw.alerts {
            let fingerprint = interner.share(&member.fingerprint);
            let by: Vec<Arc<str>> = member.status.muted_by.iter().map(|name| interner.share(name)).collect();
            let known = muted.entry(fingerprint.clone()).or_insert_with(|| Some(vec![]));
            match known {
                _ if by.is_empty() => *known = None,
                Some(names) => names.extend(by),
                None => {}
            }
            members.push(fingerprint);
        }
        let labels: Labels = interner.labels(raw.labels.iter());
        groups.push(Group { labels, receiver: interner.share(&raw.receiver.name), alerts: members });
    }
    let muted = muted
        .into_iter()
        .filter_map(|(fingerprint, names)| {
            let mut names = names?;
            names.sort();
            names.dedup();
            Some((fingerprint, names))
        })
        .collect();
    Ok(Groups { groups, muted })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSilence<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    status: RawStatus<'a>,
    #[serde(borrow, default)]
    comment: Text<'a>,
    #[serde(borrow, default)]
    created_by: Text<'a>,
    #[serde(borrow, default)]
    starts_at: Text<'a>,
    #[serde(borrow, default)]
    ends_at: Text<'a>,
    #[serde(borrow, default, deserialize_with = "list")]
    matchers: Vec<RawMatcher<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMatcher<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    value: Text<'a>,
    #[serde(default)]
    is_regex: bool,
    /// Absent before 0.22 and where it is true.
    #[serde(default)]
    is_equal: Option<bool>,
}

/// `/api/v2/silences`, all of them.
pub(crate) fn silences(bytes: &[u8]) -> Result<Decoded<Silence>, Fault> {
    let raw: Vec<RawSilence<'_>> = json(bytes, SYSTEM)?;
    let all = raw.len();
    let entries: Vec<Silence> = raw.into_iter().filter_map(silence).collect();
    Ok(Decoded { skipped: all - entries.len(), entries })
}

fn silence(raw: RawSilence<'_>) -> Option<Silence> {
    let label = |text: &str| clean(text, LABEL_CAP).into_owned();
    Some(Silence {
        id: label(&raw.id),
        state: match &*raw.status.state {
            "expired" => SilenceState::Expired,
            "pending" => SilenceState::Pending,
            _ => SilenceState::Active,
        },
        matchers: raw
            .matchers
            .iter()
            .map(|m| SilenceMatcher {
                name: label(&m.name),
                value: label(&m.value),
                is_regex: m.is_regex,
                is_equal: m.is_equal.unwrap_or(true),
            })
            .collect(),
        starts_at: moment(&raw.starts_at)?,
        ends_at: moment(&raw.ends_at)?,
        created_by: label(&raw.created_by),
        comment: clean(&raw.comment, NOTE_CAP).into_owned(),
        seen_by: vec![],
    })
}

/// `/api/v2/receivers`: their names.
pub(crate) fn receivers(bytes: &[u8]) -> Result<Vec<String>, Fault> {
    let raw: Vec<Named<'_>> = json(bytes, SYSTEM)?;
    Ok(raw.iter().map(|r| clean(&r.name, LABEL_CAP).into_owned()).collect())
}

/// What a peer says about itself.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Status {
    /// Its version.
    pub version: Option<String>,
    /// `ready`, `settling`, `disabled`.
    pub cluster: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawInfo<'a> {
    #[serde(borrow, default)]
    cluster: RawCluster<'a>,
    #[serde(borrow, default)]
    version_info: RawVersion<'a>,
}

#[derive(Deserialize, Default)]
struct RawCluster<'a> {
    #[serde(borrow, default)]
    status: Text<'a>,
}

#[derive(Deserialize, Default)]
struct RawVersion<'a> {
    #[serde(borrow, default)]
    version: Text<'a>,
}

/// `/api/v2/status`. Its configuration may hold secrets of others and is skipped.
pub(crate) fn status(bytes: &[u8]) -> Result<Status, Fault> {
    let raw: RawInfo<'_> = json(bytes, SYSTEM)?;
    let said = |text: &str| Some(clean(text, LABEL_CAP).into_owned()).filter(|t| !t.is_empty());
    Ok(Status { version: said(&raw.version_info.version), cluster: said(&raw.cluster.status) })
}
