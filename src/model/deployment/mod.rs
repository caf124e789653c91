//! Deployments: acts of putting a version of a service somewhere, as one or more sources tell of them.

pub mod did;
pub mod diff;
pub mod dora;
mod join;
pub mod list;
pub mod news;
pub mod record;
pub mod redact;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use join::{TOGETHER, join};

/// Who set a deployment off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// A pipeline.
    Pipeline,
    /// A person.
    Person,
    /// A way back to an earlier version, whoever took it.
    Rollback,
}

impl Trigger {
    /// `pipeline`, `person` or `rollback`.
    pub fn word(self) -> &'static str {
        match self {
            Trigger::Pipeline => "pipeline",
            Trigger::Person => "person",
            Trigger::Rollback => "rollback",
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// The version is there.
    Succeeded,
    /// It was tried.
    Failed,
}

impl Ending {
    /// `succeeded` or `failed`.
    pub fn word(self) -> &'static str {
        match self {
            Ending::Succeeded => "succeeded",
            Ending::Failed => "failed",
        }
    }
}

/// Where the time of a deployment comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dated {
    /// Someone wrote down when it began.
    Record,
    /// The modification time of a release's folder, or of the link to it: copying changes it.
    File,
    /// The time of a git tag: the version was made then, and may have been deployed later or never.
    Tag,
}

impl Dated {
    /// What to say of the time.
    pub fn word(self) -> &'static str {
        match self {
            Dated::Record => "as recorded",
            Dated::File => "by the time of the files, which copying changes",
            Dated::Tag => "of the tag: no record tells of a deployment",
        }
    }
}

/// One act of putting a version somewhere. What no source tells is `None` or empty. All text in it is cleaned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// What tells it from others, across polls and sources. [`join()`] sets it.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub key: Arc<str>,
    /// What its source calls it, such as `D-1187`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The service.
    pub service: String,
    /// The site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// `production`, `staging`...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The version before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The version that was put there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The person or the program that did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// When it began (UTC).
    pub at: Timestamp,
    /// Where that time comes from.
    pub dated: Dated,
    /// How long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took: Option<SignedDuration>,
    /// Who set it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Ending>,
    /// The commit of the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// When the oldest change in it was committed (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_commit: Option<Timestamp>,
    /// Addresses: the pipeline's run, the change request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who agreed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<String>,
    /// The incidents that it caused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<String>,
    /// When what it broke worked again (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Timestamp>,
    /// The id or the version of the deployment that it mends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixes: Option<String>,
    /// True where it was not planned: a fix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unplanned: Option<bool>,
    /// The sources that tell of it, the first of them first.
    pub told_by: Vec<Arc<str>>,
    /// What they disagree about, each a sentence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<String>,
}

impl Deployment {
    /// One of which nothing else is known.
    pub fn new(service: &str, at: Timestamp, dated: Dated, told_by: &str) -> Deployment {
        Deployment {
            key: Arc::from(""),
            id: None,
            service: service.to_owned(),
            site: None,
            environment: None,
            from: None,
            to: None,
            who: None,
            at,
            dated,
            took: None,
            trigger: None,
            result: None,
            commit: None,
            first_commit: None,
            links: Vec::new(),
            reason: None,
            approvals: Vec::new(),
            incidents: Vec::new(),
            restored: None,
            fixes: None,
            unplanned: None,
            told_by: vec![Arc::from(told_by)],
            differs: Vec::new(),
        }
    }

    /// True where something tells that it was done: a record of it, or a link to the release. A tag or a release's folder
    /// alone says only that there is such a version.
    pub fn is_act(&self) -> bool {
        self.dated == Dated::Record || self.result.is_some()
    }

    /// When the version was there: its begin and the time that it took, where that is known.
    pub fn live(&self) -> Timestamp {
        self.took.and_then(|took| self.at.checked_add(took).ok()).unwrap_or(self.at)
    }

    /// `2.3.0 -> 2.4.0`; what is not known is a `?`.
    pub fn versions(&self) -> String {
        let word = |version: &Option<String>| version.clone().unwrap_or_else(|| "?".to_owned());
        format!("{} -> {}", word(&self.from), word(&self.to))
    }

    /// True where it is of that service, and not of another site.
    pub fn is_of(&self, service: &str, site: Option<&str>) -> bool {
        self.service == service && same_place(self.site.as_deref(), site)
    }
}

/// True where the two may be one place: either is not known, or they are the same.
fn same_place(one: Option<&str>, other: Option<&str>) -> bool {
    one.is_none() || other.is_none() || one == other
}

/// The deployments before and after this one of the same service and place, of all deployments from the newest on.
pub fn neighbours<'a>(all: &'a [Arc<Deployment>], of: &Deployment) -> (Option<&'a Arc<Deployment>>, Option<&'a Arc<Deployment>>) {
    let Some(at) = all.iter().position(|one| one.key == of.key) else { return (None, None) };
    let own = |one: &&Arc<Deployment>| one.is_of(&of.service, of.site.as_deref());
    (all[at + 1..].iter().find(own), all[..at].iter().rev().find(own))
}

/// The deployments from `from` to `to`, both included, of all deployments from the newest on.
pub fn between(all: &[Arc<Deployment>], from: Timestamp, to: Timestamp) -> &[Arc<Deployment>] {
    let first = all.partition_point(|one| one.at > to);
    let end = all.partition_point(|one| one.at >= from);
    all.get(first..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
