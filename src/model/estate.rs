//! What one console watches: sites, services, sources and panels, as the estate file names them.

use std::path::PathBuf;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::label::Labels;

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
    /// The places that can serve.
    pub sites: Vec<Site>,
    /// The parts with a health of their own, in the file's order.
    pub services: Vec<Service>,
    /// What is read.
    pub sources: Vec<Source>,
    /// What is drawn, in the file's order.
    pub panels: Vec<Panel>,
}

impl Estate {
    /// The service of that name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|s| s.name == name)
    }

    /// The source of that name.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|s| s.name == name)
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
    /// The services that it cannot do without.
    pub depends_on: Vec<String>,
    /// Which alerts and series are its own; `service="<name>"` where the file says nothing.
    pub labels: Labels,
    /// Where to read what to do: a path beside the estate file or an address.
    pub runbook: Option<String>,
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
}

impl SourceKind {
    /// The word of the estate file: `prometheus`, `alertmanager`.
    pub fn word(&self) -> &'static str {
        match self {
            SourceKind::Prometheus { .. } => "prometheus",
            SourceKind::Alertmanager { .. } => "alertmanager",
        }
    }
}

/// What a panel's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// A bare number.
    #[default]
    Count,
    /// 0 to 1, shown as per cent.
    Ratio,
    /// Seconds.
    Seconds,
    /// Bytes, shown in powers of 1024.
    Bytes,
    /// Events per second.
    PerSecond,
}

/// One metric that is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Its name.
    pub name: String,
    /// The service whose health it tells.
    pub service: Option<String>,
    /// The source that answers its query.
    pub source: String,
    /// PromQL; `$window` stands for a rate window that is never too short for the scrape interval.
    pub query: String,
    /// What the numbers are.
    pub unit: Unit,
    /// From here on it is a warning.
    pub warn: Option<f64>,
    /// From here on it is critical.
    pub critical: Option<f64>,
}

/// How bad something is. The order is the order of badness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing to do.
    Ok,
    /// Worth knowing; nobody has to act.
    Info,
    /// Nothing is known, which is never ok.
    Unknown,
    /// Someone should act.
    Warning,
    /// Someone must act now.
    Critical,
}

impl Severity {
    /// The word that every screen and every output uses.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Ok => "ok",
            Severity::Info => "info",
            Severity::Unknown => "unknown",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

impl Panel {
    /// What a value means by this panel's thresholds; NaN means nothing and is `Unknown`.
    /// A `critical` below `warn` says that low values are the bad ones.
    pub fn judge(&self, value: f64) -> Severity {
        if value.is_nan() {
            return Severity::Unknown;
        }
        let low_is_bad = matches!((self.warn, self.critical), (Some(w), Some(c)) if c < w);
        let over = |limit: Option<f64>| limit.is_some_and(|l| if low_is_bad { value <= l } else { value >= l });
        match (over(self.critical), over(self.warn)) {
            (true, _) => Severity::Critical,
            (_, true) => Severity::Warning,
            _ => Severity::Ok,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(warn: Option<f64>, critical: Option<f64>) -> Panel {
        Panel { name: "p".into(), service: None, source: "s".into(), query: "up".into(), unit: Unit::Count, warn, critical }
    }

    #[test]
    fn thresholds_work_in_both_directions() {
        let high = panel(Some(1.0), Some(5.0));
        assert_eq!([0.5, 1.0, 5.0].map(|v| high.judge(v)), [Severity::Ok, Severity::Warning, Severity::Critical]);
        let low = panel(Some(10.0), Some(5.0));
        assert_eq!([11.0, 10.0, 5.0].map(|v| low.judge(v)), [Severity::Ok, Severity::Warning, Severity::Critical]);
        assert_eq!(panel(None, None).judge(1e9), Severity::Ok);
        assert_eq!(high.judge(f64::NAN), Severity::Unknown);
        assert_eq!(high.judge(f64::INFINITY), Severity::Critical);
    }
}
