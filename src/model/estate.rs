//! What one console watches: sites, services, sources and panels, as the estate file names them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::backup::{Backup, Objective};
use super::calendar::Calendar;
use super::database::Database;
pub use super::host::Host;
use super::label::Labels;
use super::log::Logs;
use super::operations::{Health, Restart, Rollback};
use super::panel::{Panel, Rule};
pub use super::severity::Severity;

/// Everything one console watches. Every name in it is unique among its kind and every reference leads somewhere:
/// `config` builds it only from a file without problems.
#[derive(Debug, Clone, PartialEq)]
pub struct Estate {
    /// The file it was read from.
    pub path: PathBuf,
    /// Its name, on the first line of every screen.
    pub name: String,
    /// `production`, `staging`...: on the first line of every screen.
    pub environment: String,
    /// The zone that the estate's people think in.
    pub zone: Option<TimeZone>,
    /// What everyone who opens it should know; shown on the Overview.
    pub note: Option<String>,
    /// The places that can serve.
    pub sites: Vec<Site>,
    /// The parts with a health of their own, in the file's order.
    pub services: Vec<Service>,
    /// What is read.
    pub sources: Vec<Source>,
    /// What is drawn, in the file's order.
    pub panels: Vec<Panel>,
    /// Quarterdeck's own rules, in the file's order.
    pub rules: Vec<Rule>,
    /// What is promised of services, in the file's order.
    pub objectives: Vec<Objective>,
    /// The machines, in the file's order.
    pub hosts: Vec<Host>,
    /// Maintenance windows, freezes and drills.
    pub calendar: Calendar,
}

impl Estate {
    /// The service of that name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|s| s.name == name)
    }

    /// The host of that name.
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.iter().find(|h| h.name == name)
    }

    /// The source of that name.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|s| s.name == name)
    }

    /// What is promised of that service.
    pub fn objective(&self, service: Option<&str>) -> Option<&Objective> {
        self.objectives.iter().find(|o| Some(o.service.as_str()) == service)
    }

    /// True for the labels of an alert that must always fire: a source names it as its dead man's switch.
    pub fn is_dead_man(&self, labels: &Labels) -> bool {
        self.sources.iter().any(|source| match &source.kind {
            SourceKind::Alertmanager { dead_man: Some(switch), .. } => switch.covers(labels),
            _ => false,
        })
    }

    /// The panel of that name.
    pub fn panel(&self, name: &str) -> Option<&Panel> {
        self.panels.iter().find(|p| p.name == name)
    }
}

/// What a site is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It serves.
    Primary,
    /// It can take over.
    Standby,
}

impl Role {
    /// `primary` or `standby`.
    pub fn word(self) -> &'static str {
        match self {
            Role::Primary => "primary",
            Role::Standby => "standby",
        }
    }
}

/// A place that can serve.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Which alerts and series are its own; `site="<name>"` where the file says nothing.
    pub labels: Labels,
}

/// A part of the estate with its own health.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The sites that it runs in.
    pub sites: Vec<String>,
    /// The hosts that it runs on, where the file says so.
    pub hosts: Vec<String>,
    /// The services that it cannot do without.
    pub depends_on: Vec<String>,
    /// Which alerts and series are its own; `service="<name>"` where the file says nothing.
    pub labels: Labels,
    /// Where to read what to do: a path beside the estate file or an address.
    pub runbook: Option<String>,
    /// The command that starts it, as an argument vector; `$site` and `$host` stand for the site and the host.
    /// Shown, and run on the hosts by a start that a person confirmed, never by watching.
    pub start: Option<Vec<String>>,
    /// The command that stops it, likewise.
    pub stop: Option<Vec<String>>,
    /// How its processes on one host are started again when a release is switched.
    pub restart: Option<Restart>,
    /// How one host of it says that it is well.
    pub health: Option<Health>,
    /// What a rollback of it does beside the switch.
    pub rollback: Rollback,
    /// Where it writes what it logs, where that is not the unit of its restart.
    pub logs: Option<Logs>,
}

/// One upstream that is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// The time between two tries when all is well.
    pub every: SignedDuration,
    /// How long one try may take.
    pub timeout: SignedDuration,
    /// Prometheus' own `http_config` file: credentials, TLS, proxy.
    pub http_config: Option<PathBuf>,
    /// The service that it tells of, where it tells of one only.
    pub service: Option<String>,
    /// The site that it tells of, where it tells of one only.
    pub site: Option<String>,
    /// What it is and where.
    pub kind: SourceKind,
}

/// What a source is.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceKind {
    /// A Prometheus, or what speaks its HTTP API.
    Prometheus {
        /// Its root address, such as `http://prometheus:9090`.
        url: String,
    },
    /// One Alertmanager, or the peers of one HA set.
    Alertmanager {
        /// The peers' root addresses.
        urls: Vec<String>,
        /// The labels of an alert that always fires: when it stops, alerting itself is broken.
        dead_man: Option<Labels>,
    },
    /// A `/metrics` page, read without any server between.
    Exposition {
        /// The page's whole address.
        url: String,
        /// How far back its samples are kept.
        keep: SignedDuration,
    },
    /// A system that makes backups, or the place that they are kept at.
    Backup(Backup),
    /// What was deployed.
    History(History),
    /// A service asked itself.
    Probe {
        /// What is asked.
        probe: Probe,
        /// How far back its results are kept.
        keep: SignedDuration,
    },
    /// The nodes of a replicated database, each asked itself.
    Database(Database),
}

/// What a probe asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// One GET. Redirects are not followed: the answer itself is judged.
    Http {
        /// The whole address.
        url: String,
        /// The status that is right; any of 200 to 299 where `None`.
        status: Option<u16>,
        /// Text that the body must hold.
        body: Option<String>,
    },
    /// One connection.
    Tcp {
        /// `host:port`.
        address: String,
    },
    /// One TLS handshake, for its certificate.
    Tls {
        /// `host:port`; the host is the name that the certificate must be for.
        address: String,
    },
}

/// Where it is told what was deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum History {
    /// A file of JSON lines, one for each deployment.
    DeployLog {
        /// The file.
        path: PathBuf,
        /// Where in a line each part stands that has another name there: names joined by dots.
        fields: BTreeMap<Part, String>,
    },
    /// A folder with a folder for each release in `releases` and a link `current` to the one that runs.
    Releases {
        /// That folder.
        path: PathBuf,
        /// The hosts that it is on, each by its name; this machine where there is none.
        hosts: Vec<String>,
        /// The deploy log beside it, whose times are better than those of the files.
        log: Option<PathBuf>,
        /// Where in its lines each part stands that has another name there.
        fields: BTreeMap<Part, String>,
        /// Which files of a release are its configuration: paths below it, in which `*` is any text of one name.
        config: Vec<String>,
    },
    /// A query of a PostgreSQL, one row for each deployment.
    Sql {
        /// The server, as libpq is told of it.
        conninfo: String,
        /// One SELECT.
        query: String,
        /// Which column each part is that has another name there.
        fields: BTreeMap<Part, String>,
    },
    /// The tags of a local clone.
    Git {
        /// The clone.
        path: PathBuf,
        /// Which tags, such as `v*`; the text before the first `*` is no part of the version.
        tags: String,
    },
}

/// A part of a deployment, as a deploy log tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is the part of that name of a deployment")]
pub enum Part {
    Id,
    Service,
    Site,
    Environment,
    From,
    Version,
    Who,
    Time,
    Took,
    Finished,
    Source,
    Result,
    Commit,
    FirstCommit,
    Links,
    Reason,
    Approvals,
    Incidents,
    Restored,
    Fixes,
    Unplanned,
}

impl Part {
    /// All of them with their words in the estate file, which are also their names in a log that nothing is said of.
    pub const ALL: [(Part, &'static str); 21] = [
        (Part::Id, "id"),
        (Part::Service, "service"),
        (Part::Site, "site"),
        (Part::Environment, "environment"),
        (Part::From, "from"),
        (Part::Version, "version"),
        (Part::Who, "who"),
        (Part::Time, "time"),
        (Part::Took, "took"),
        (Part::Finished, "finished"),
        (Part::Source, "source"),
        (Part::Result, "result"),
        (Part::Commit, "commit"),
        (Part::FirstCommit, "first_commit"),
        (Part::Links, "links"),
        (Part::Reason, "reason"),
        (Part::Approvals, "approvals"),
        (Part::Incidents, "incidents"),
        (Part::Restored, "restored"),
        (Part::Fixes, "fixes"),
        (Part::Unplanned, "unplanned"),
    ];

    /// The part of that word.
    pub fn named(word: &str) -> Option<Part> {
        Part::ALL.into_iter().find(|(_, name)| *name == word).map(|(part, _)| part)
    }
}

impl History {
    /// `deploy-log`, `releases`, `git` or `sql`.
    pub fn word(&self) -> &'static str {
        match self {
            History::DeployLog { .. } => "deploy-log",
            History::Releases { .. } => "releases",
            History::Git { .. } => "git",
            History::Sql { .. } => "sql",
        }
    }

    /// The file or the folder; of a query the server and the query.
    pub fn place(&self) -> String {
        match self {
            History::Releases { path, log: Some(log), .. } => format!("{}, log {}", path.display(), log.display()),
            History::DeployLog { path, .. } | History::Releases { path, .. } | History::Git { path, .. } => path.display().to_string(),
            History::Sql { conninfo, query, .. } => format!("{conninfo}: {}", query.trim()),
        }
    }

    /// The hosts that are asked, by their names.
    pub fn hosts(&self) -> &[String] {
        match self {
            History::Releases { hosts, .. } => hosts,
            History::DeployLog { .. } | History::Git { .. } | History::Sql { .. } => &[],
        }
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Probe::Http { url, .. } => write!(f, "GET {url}"),
            Probe::Tcp { address } => write!(f, "TCP {address}"),
            Probe::Tls { address } => write!(f, "TLS {address}"),
        }
    }
}

/// `keep` of an exposition or a probe where the estate file says nothing.
pub const KEEP: SignedDuration = SignedDuration::from_hours(6);

impl SourceKind {
    /// The hosts that it is read on, by their names; none where it is read from here.
    pub fn hosts(&self) -> &[String] {
        match self {
            SourceKind::History(history) => history.hosts(),
            SourceKind::Backup(backup) => backup.of.host().map_or(&[], std::slice::from_ref),
            SourceKind::Prometheus { .. }
            | SourceKind::Alertmanager { .. }
            | SourceKind::Exposition { .. }
            | SourceKind::Probe { .. }
            | SourceKind::Database(_) => &[],
        }
    }

    /// The word of the estate file: `prometheus`, `alertmanager`, `exposition`, `probe`; `database` for a `[[database]]`;
    /// of a history `deploy-log`, `releases`, `git`, `sql`; of a backup who is asked.
    pub fn word(&self) -> &'static str {
        match self {
            SourceKind::Prometheus { .. } => "prometheus",
            SourceKind::Alertmanager { .. } => "alertmanager",
            SourceKind::Backup(backup) => backup.of.word(),
            SourceKind::Exposition { .. } => "exposition",
            SourceKind::History(history) => history.word(),
            SourceKind::Probe { .. } => "probe",
            SourceKind::Database(_) => "database",
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A source that is tried every five seconds.
    pub(crate) fn source(name: &str, kind: SourceKind) -> Source {
        let every = SignedDuration::from_secs(5);
        Source { name: name.into(), every, timeout: every, http_config: None, service: None, site: None, kind }
    }

    /// A service of which nothing but its name is said.
    pub(crate) fn service(name: &str) -> Service {
        Service {
            name: name.into(),
            sites: vec![],
            hosts: vec![],
            depends_on: vec![],
            labels: Labels::new([("service", name)]),
            runbook: None,
            start: None,
            stop: None,
            restart: None,
            health: None,
            rollback: Rollback::default(),
            logs: None,
        }
    }

    /// An estate with these sources and nothing else.
    pub(crate) fn bare(sources: Vec<Source>) -> Estate {
        Estate {
            path: "/e/estate.toml".into(),
            name: "e".into(),
            environment: "test".into(),
            zone: None,
            note: None,
            sites: vec![],
            services: vec![],
            sources,
            panels: vec![],
            rules: vec![],
            objectives: vec![],
            hosts: vec![],
            calendar: Default::default(),
        }
    }
}
