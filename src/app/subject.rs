//! What a filter can see of a row: its text, its fields, its labels and its age.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use crate::model::alert::Alert;
use crate::model::backup::BackupState;
use crate::model::change::Change;
use crate::model::deployment::Deployment;
use crate::model::estate::{Service, Source};
use crate::model::health::{PanelView, ServiceHealth};
use crate::model::needs::{About, Need};
use crate::model::reading::Freshness;
use crate::model::timeline::{Event, Link};

/// Fields of an alert, besides its labels and annotations.
pub const ALERT_FIELDS: &[&str] = &["name", "state", "severity", "source", "origin", "receiver", "summary", "silence"];
/// Fields of a deployment.
pub const DEPLOYMENT_FIELDS: &[&str] =
    &["service", "site", "version", "from", "who", "result", "source", "time", "commit", "reason", "environment", "id", "approval", "told"];
/// Fields of what the Overview lists.
pub const OVERVIEW_FIELDS: &[&str] = &["name", "state", "severity", "summary", "kind"];
/// Fields of a database's node.
pub const NODE_FIELDS: &[&str] = &["name", "source", "service", "role", "state"];
/// Fields of a panel.
pub const PANEL_FIELDS: &[&str] = &["name", "service", "source", "state", "severity"];

/// Fields of a backup.
pub const BACKUP_FIELDS: &[&str] = &["name", "service", "site", "kind", "severity"];

/// Fields of an event of the timeline.
pub const EVENT_FIELDS: &[&str] = &["kind", "what", "source", "service", "severity", "name", "run"];

/// One row, as a filter sees it.
pub trait Subject {
    /// True where one of the row's texts passes the test. A visit, because ten thousand rows are asked at every key.
    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool;
    /// A field's text; `None` where the row has no such field.
    fn field(&self, name: &str) -> Option<Cow<'_, str>>;
    /// A label's value; `None` where it is not set, which PromQL takes for the empty text.
    fn label(&self, name: &str) -> Option<&str>;
    /// How long it has been so, where that is known.
    fn age(&self, now: Timestamp) -> Option<SignedDuration>;
    /// When it began, where that is known.
    fn moment(&self) -> Option<Timestamp> {
        None
    }
}

impl Subject for Deployment {
    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let parts = [&self.site, &self.environment, &self.from, &self.to, &self.who, &self.commit, &self.reason, &self.id];
        test(&self.service)
            || parts.into_iter().flatten().any(|text| test(text))
            || self.result.is_some_and(|result| test(result.word()))
            || self.trigger.is_some_and(|trigger| test(trigger.word()))
            || [&self.links, &self.approvals, &self.incidents].into_iter().flatten().any(|text| test(text))
    }

    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        let text = |text: &'_ Option<String>| text.clone().map(Cow::Owned);
        match name {
            "service" => Some(self.service.as_str().into()),
            "site" => text(&self.site),
            "environment" => text(&self.environment),
            "version" => text(&self.to),
            "from" => text(&self.from),
            "who" => text(&self.who),
            "commit" => text(&self.commit),
            "reason" => text(&self.reason),
            "id" => text(&self.id),
            "result" => Some(self.result.map_or("unknown", |result| result.word()).into()),
            "source" => Some(self.trigger.map_or("unknown", |trigger| trigger.word()).into()),
            // As the list shows it in UTC: `time:2026-11-12` is that day.
            "time" => Some(self.at.strftime("%Y-%m-%d %H:%M").to_string().into()),
            "approval" => Some(self.approvals.join(" ").into()),
            "told" => Some(self.told_by.iter().map(|name| &**name).collect::<Vec<_>>().join(" ").into()),
            _ => None,
        }
    }

    fn label(&self, name: &str) -> Option<&str> {
        match name {
            "service" => Some(&self.service),
            "site" => self.site.as_deref(),
            "environment" => self.environment.as_deref(),
            "version" => self.to.as_deref(),
            "from" => self.from.as_deref(),
            "who" => self.who.as_deref(),
            "commit" => self.commit.as_deref(),
            "id" => self.id.as_deref(),
            "result" => Some(self.result.map_or("unknown", |result| result.word())),
            "source" => Some(self.trigger.map_or("unknown", |trigger| trigger.word())),
            _ => None,
        }
    }

    fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        Some(now.duration_since(self.at))
    }

    fn moment(&self) -> Option<Timestamp> {
        Some(self.at)
    }
}

impl Subject for Alert {
    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        test(self.state.word())
            || test(self.severity.word())
            || test(&self.source)
            || self.labels.iter().any(|(_, value)| test(value))
            || self.annotations.iter().any(|(_, value)| test(value))
            || self.receivers.iter().any(|receiver| test(receiver))
    }

    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "name" => Some(self.name().into()),
            "state" => Some(self.state.word().into()),
            "severity" => Some(self.severity.word().into()),
            "source" => Some((&*self.source).into()),
            "origin" => Some(self.origin.word().into()),
            "receiver" => Some(self.receivers.join(" ").into()),
            "summary" => Some(self.summary().into()),
            "silence" => Some(self.silenced_by.join(" ").into()),
            _ => self.labels.get(name).or_else(|| self.annotations.get(name)).map(Cow::Borrowed),
        }
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name)
    }

    fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        Some(now.duration_since(self.starts_at))
    }

    fn moment(&self) -> Option<Timestamp> {
        Some(self.starts_at)
    }
}

/// A service with its health.
#[derive(Debug, Clone, Copy)]
pub struct OfService<'a> {
    /// The service.
    pub service: &'a Service,
    /// Its health.
    pub health: &'a ServiceHealth,
}

impl Subject for OfService<'_> {
    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        test(&self.service.name)
            || test(self.health.overall.severity.word())
            || self.service.sites.iter().any(|site| test(site))
            || self.health.worst.as_deref().is_some_and(&mut *test)
    }

    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "name" | "service" => Some(self.service.name.as_str().into()),
            "kind" => Some("service".into()),
            "state" if self.health.overall.stale => Some("stale".into()),
            "state" | "severity" => Some(self.health.overall.severity.word().into()),
            "summary" => self.health.worst.as_deref().map(Cow::Borrowed),
            _ => None,
        }
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.service.labels.get(name)
    }

    fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        self.health.since.map(|since| now.duration_since(since))
    }
}

/// A source with the state of its reading.
#[derive(Debug, Clone, Copy)]
pub struct OfSource<'a> {
    /// The source.
    pub source: &'a Source,
    /// The state of its reading.
    pub freshness: Freshness,
    /// When its value was true.
    pub as_of: Option<Timestamp>,
}

impl Subject for OfSource<'_> {
    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        test(&self.source.name) || test(self.source.kind.word()) || test(self.freshness.word())
    }

    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "name" | "source" => Some(self.source.name.as_str().into()),
            "kind" => Some(self.source.kind.word().into()),
            "state" => Some(self.freshness.word().into()),
            _ => None,
        }
    }

    fn label(&self, _name: &str) -> Option<&str> {
        None
    }

    fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        self.as_of.map(|as_of| now.duration_since(as_of))
    }
}

/// A backup with how it stands.
#[derive(Debug, Clone, Copy)]
pub struct OfBackup<'a> {
    /// The source.
    pub source: &'a Source,
    /// How it stands.
    pub state: &'a BackupState,
    /// The moment at which it is judged.
    pub now: Timestamp,
}

impl Subject for OfBackup<'_> {
    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let Source { name, service, site, kind, .. } = self.source;
        test(name)
            || test(kind.word())
            || test(self.state.severity(self.now).word())
            || [service, site].into_iter().flatten().any(|text| test(text))
    }

    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "name" | "source" => Some(self.source.name.as_str().into()),
            "kind" => Some(self.source.kind.word().into()),
            "service" => self.source.service.as_deref().map(Cow::Borrowed),
            "site" => self.source.site.as_deref().map(Cow::Borrowed),
            "severity" | "state" => Some(self.state.severity(self.now).word().into()),
            _ => None,
        }
    }

    fn label(&self, _name: &str) -> Option<&str> {
        None
    }

    /// How old its newest point is.
    fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        self.state.newest.as_ref().map(|point| now.duration_since(point.restores_to))
    }
}

impl Subject for PanelView<'_> {
    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        test(&self.panel.name)
            || test(&self.panel.source)
            || test(self.freshness.word())
            || test(self.severity().word())
            || self.panel.service.as_deref().is_some_and(&mut *test)
    }

    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "name" => Some(self.panel.name.as_str().into()),
            "service" => self.panel.service.as_deref().map(Cow::Borrowed),
            "source" => Some(self.panel.source.as_str().into()),
            "kind" => Some("panel".into()),
            "state" if self.freshness != Freshness::Fresh => Some(self.freshness.word().into()),
            "state" | "severity" => Some(self.severity().word().into()),
            _ => None,
        }
    }

    fn label(&self, name: &str) -> Option<&str> {
        match name {
            "service" => self.panel.service.as_deref(),
            _ => None,
        }
    }

    fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        self.as_of.map(|as_of| now.duration_since(as_of))
    }
}

impl Subject for Need {
    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        test(&self.what) || test(&self.action) || test(self.severity.word()) || test(name_of(&self.about).1)
    }

    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "name" => Some(name_of(&self.about).1.into()),
            "kind" => Some(name_of(&self.about).0.into()),
            "severity" => Some(self.severity.word().into()),
            "state" => Some(if self.stale { "stale" } else { self.severity.word() }.into()),
            "summary" => Some(self.what.as_str().into()),
            _ => None,
        }
    }

    fn label(&self, name: &str) -> Option<&str> {
        match (&self.about, name) {
            (About::Alerts(alertname, _), "alertname") => Some(alertname),
            _ => None,
        }
    }

    fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        self.since.map(|since| now.duration_since(since))
    }
}

fn name_of(about: &About) -> (&'static str, &str) {
    match about {
        About::Alerts(name, _) => ("alert", name),
        About::Source(name) => ("source", name),
        About::DeadMan(name) => ("dead-man", name),
        About::Panel(name) => ("panel", name),
        About::Silence(id) => ("silence", id),
        About::Drill(name) => ("drill", name),
    }
}

impl Subject for Event {
    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        test(&self.what) || test(self.kind.word()) || self.via.iter().any(|via| test(via))
    }

    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "kind" => Some(self.kind.word().into()),
            "what" => Some(self.what.as_str().into()),
            "source" => Some(self.via.join(" ").into()),
            "service" => self.service.as_deref().or_else(|| self.label("service")).map(Cow::Borrowed),
            "severity" => Some(self.severity.word().into()),
            "name" => self.label("alertname").map(Cow::Borrowed),
            "run" => match &self.link {
                Link::Run(run) | Link::Silence { run: Some(run), .. } => Some(run.as_str().into()),
                _ => None,
            },
            _ => None,
        }
    }

    fn label(&self, name: &str) -> Option<&str> {
        match &self.link {
            Link::Alert(labels) => labels.get(name),
            _ => None,
        }
    }

    fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        Some(now.duration_since(self.at))
    }

    fn moment(&self) -> Option<Timestamp> {
        Some(self.at)
    }
}

impl Subject for Change {
    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        test(&self.what) || test(self.severity.word())
    }

    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "name" | "summary" => Some(self.what.as_str().into()),
            "kind" => Some("change".into()),
            "severity" | "state" => Some(self.severity.word().into()),
            _ => None,
        }
    }

    fn label(&self, _name: &str) -> Option<&str> {
        None
    }

    fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        Some(now.duration_since(self.at))
    }
}
