//! Loads the estate file: all problems at once, or an [`Estate`] without any.

mod history;

use std::path::Path;

use jiff::SignedDuration;
use toml::Spanned;

use super::backups;
use super::bytes;
use super::check;
use super::conninfo::Conninfo;
use super::form::{Written, written};
use super::lenient;
use super::operations;
use super::raw::{Key, Raw, RawDatabase, RawHost, RawLabels, RawPanel, RawRule, RawService, RawSite, RawSource, Words, text};
use super::report::{self, Report};
use super::timing;
use crate::model::age;
use crate::model::database::{self, Database, NodeAt};
use crate::model::estate::{Estate, Host, Probe, Role, Service, Severity, Site, Source, SourceKind};
use crate::model::label::Labels;
use crate::model::operations::Rollback;
use crate::model::panel::{Ask, Form, Panel, Rule, Shape, Unit, When};
use crate::model::problem::Problem;
use crate::model::selector::Selector;
use crate::model::text::{NOTE_CAP, clean};

/// The most bytes of an estate file that are read.
const LARGEST: u64 = 4 << 20;

/// Reads the estate file and the http_config files that it names.
///
/// # Errors
/// Everything that is wrong, each with its place.
pub fn estate(path: &Path) -> Result<Estate, Vec<Problem>> {
    let text = report::read(path, LARGEST).map_err(|problem| vec![problem])?;
    estate_from(path, &text)
}

/// The same for text that is already there; `path` names it and its folder.
///
/// # Errors
/// Everything that is wrong, each with its place.
pub fn estate_from(path: &Path, text: &str) -> Result<Estate, Vec<Problem>> {
    let mut report = Report::new(path, text);
    let Some(raw) = lenient::read::<Raw>(&mut report) else { return Err(report.finish()) };
    check::all(&raw, &mut report);
    if !report.is_empty() {
        return Err(report.finish());
    }
    build(path, &raw).ok_or_else(|| {
        report.at(0, "the file passed every check and still cannot be used: this is a defect of qd");
        report.finish()
    })
}

/// The estate, of a file that passed every check; `None` where a check has a hole.
fn build(path: &Path, raw: &Raw) -> Option<Estate> {
    let identity = raw.estate.as_ref()?.get_ref();
    let zone = match text(&identity.zone) {
        Some(name) => Some(jiff::tz::TimeZoneDatabase::bundled().get(name).ok()?),
        None => None,
    };
    let sites = raw.site.iter().map(|s| site(s.get_ref())).collect::<Option<Vec<Site>>>()?;
    let databases = raw.database.iter().map(|d| database(d.get_ref()));
    let own = zone.clone().unwrap_or(jiff::tz::TimeZone::UTC);
    let backups = raw.backup.iter().map(|b| backups::source(path, &own, b.get_ref()));
    let histories = raw.history.iter().map(|h| history::source(path, h.get_ref()));
    let sources = raw.source.iter().map(|s| source(path, s.get_ref()));
    let sources = sources.chain(databases).chain(backups).chain(histories).collect::<Option<Vec<Source>>>()?;
    let all: Vec<String> = sites.iter().map(|s| s.name.clone()).collect();
    Some(Estate {
        path: path.to_owned(),
        name: text(&identity.name)?.to_owned(),
        environment: text(&identity.environment)?.to_owned(),
        zone,
        note: text(&identity.note).map(|note| clean(note.trim(), NOTE_CAP).into_owned()),
        services: raw.service.iter().map(|s| service(path, s.get_ref(), &all)).collect::<Option<_>>()?,
        panels: raw.panel.iter().map(|p| panel(p.get_ref(), &sources)).collect::<Option<_>>()?,
        rules: raw.rule.iter().map(|r| rule(r.get_ref())).collect::<Option<_>>()?,
        objectives: raw.objective.iter().map(|o| backups::objective(o.get_ref())).collect::<Option<_>>()?,
        hosts: raw.host.iter().map(|h| host(path, h.get_ref())).collect::<Option<_>>()?,
        calendar: super::calendar::calendar(raw)?,
        sources,
        sites,
    })
}

fn host(path: &Path, raw: &RawHost) -> Option<Host> {
    Some(Host {
        name: text(&raw.name)?.to_owned(),
        site: text(&raw.site).map(str::to_owned),
        ssh: text(&raw.ssh).map(str::to_owned),
        ssh_config: text(&raw.ssh_config).map(|file| path.parent().unwrap_or(Path::new("")).join(file)),
        machine_id: text(&raw.machine_id).map(str::to_owned),
    })
}

fn site(raw: &RawSite) -> Option<Site> {
    let name = text(&raw.name)?.to_owned();
    let role = [Role::Primary, Role::Standby].into_iter().find(|r| Some(r.word()) == text(&raw.role))?;
    let labels = labels(&raw.labels).unwrap_or_else(|| Labels::new([("site", name.as_str())]));
    Some(Site { name, role, labels })
}

fn service(path: &Path, raw: &RawService, all_sites: &[String]) -> Option<Service> {
    let name = text(&raw.name)?.to_owned();
    let labels = labels(&raw.labels).unwrap_or_else(|| Labels::new([("service", name.as_str())]));
    Some(Service {
        name,
        sites: words(&raw.sites).unwrap_or_else(|| all_sites.to_vec()),
        hosts: words(&raw.hosts).unwrap_or_default(),
        depends_on: words(&raw.depends_on).unwrap_or_default(),
        labels,
        runbook: text(&raw.runbook).map(str::to_owned),
        start: words(&raw.start),
        stop: words(&raw.stop),
        restart: whole(raw.restart.as_ref().map(|restart| operations::restart(restart.get_ref())))?,
        logs: whole(raw.logs.as_ref().map(|logs| operations::logs(logs.get_ref())))?,
        health: whole(raw.health.as_ref().map(|health| operations::health(health.get_ref())))?,
        rollback: raw.rollback.as_ref().map_or(Some(Rollback::default()), |rollback| operations::rollback(path, rollback.get_ref()))?,
    })
}

/// What may be left out; `None` where it is there and cannot be built.
fn whole<T>(built: Option<Option<T>>) -> Option<Option<T>> {
    built.map_or(Some(None), |built| built.map(Some))
}

fn source(path: &Path, raw: &RawSource) -> Option<Source> {
    let kind = match text(&raw.kind)? {
        "prometheus" => SourceKind::Prometheus { url: text(&raw.url)?.to_owned() },
        "alertmanager" => SourceKind::Alertmanager { urls: words(&raw.urls)?, dead_man: labels(&raw.dead_man) },
        "exposition" => SourceKind::Exposition { url: text(&raw.url)?.to_owned(), keep: timing::keep(raw)? },
        "probe" => SourceKind::Probe { probe: probe(raw)?, keep: timing::keep(raw)? },
        _ => return None,
    };
    Some(Source {
        name: text(&raw.name)?.to_owned(),
        every: timing::every(raw)?,
        timeout: timing::timeout(raw)?,
        http_config: text(&raw.http_config).map(|file| path.parent().unwrap_or(Path::new("")).join(file)),
        service: text(&raw.service).map(str::to_owned),
        site: text(&raw.site).map(str::to_owned),
        kind,
    })
}

fn database(raw: &RawDatabase) -> Option<Source> {
    let node = |written: &String| Some(NodeAt { name: Conninfo::parse(written).ok()?.name(), conninfo: written.clone() });
    let limit = |key: &Key<String>| text(key).map(|written| bytes::limit(written).ok());
    let (warn, critical) = (limit(&raw.warn), limit(&raw.critical));
    let critical = match (warn, critical) {
        (None, None) => Some(database::CRITICAL),
        (_, critical) => critical.map_or(Some(None), |limit| limit.map(Some))?,
    };
    let kind = SourceKind::Database(Database {
        nodes: words(&raw.nodes)?.iter().map(node).collect::<Option<_>>()?,
        warn: warn.unwrap_or(Some(database::WARN))?,
        critical,
        slot_limit: text(&raw.slot_limit).map_or(Some(database::SLOT_LIMIT), |written| bytes::parse(written).ok())?,
        busy: database::Busy {
            connections: raw.connections_warn.as_ref().map_or(database::BUSY.connections, |share| *share.get_ref()),
            transaction: timing::or(&raw.longest_transaction_warn, database::BUSY.transaction)?,
            idle: timing::or(&raw.idle_transaction_warn, database::BUSY.idle)?,
        },
    });
    let every = timing::or(&raw.every, timing::DATABASE)?;
    Some(Source {
        name: text(&raw.name)?.to_owned(),
        every,
        timeout: timing::or(&raw.timeout, every.min(timing::TIMEOUT))?,
        http_config: None,
        service: text(&raw.service).map(str::to_owned),
        site: text(&raw.site).map(str::to_owned),
        kind,
    })
}

fn probe(raw: &RawSource) -> Option<Probe> {
    match (text(&raw.http), text(&raw.tcp), text(&raw.tls)) {
        (Some(url), None, None) => {
            let expect = raw.expect.as_ref().map(Spanned::get_ref);
            let status = expect.and_then(|e| e.status.as_ref()).map(|s| u16::try_from(*s.get_ref()));
            let body = expect.and_then(|e| text(&e.body)).map(str::to_owned);
            Some(Probe::Http { url: url.to_owned(), status: status.transpose().ok()?, body })
        }
        (None, Some(address), None) => Some(Probe::Tcp { address: address.to_owned() }),
        (None, None, Some(address)) => Some(Probe::Tls { address: address.to_owned() }),
        _ => None,
    }
}

fn panel(raw: &RawPanel, sources: &[Source]) -> Option<Panel> {
    let source = sources.iter().find(|s| Some(s.name.as_str()) == text(&raw.source))?;
    let ask = match written(raw).as_slice() {
        [] => Ask::Promql(text(&raw.query)?.to_owned()),
        [form] => Ask::Form(self::form(form, source.every)?),
        _ => return None,
    };
    Some(Panel {
        name: text(&raw.name)?.to_owned(),
        service: text(&raw.service).map(str::to_owned).or_else(|| source.service.clone()),
        site: text(&raw.site).map(str::to_owned).or_else(|| source.site.clone()),
        source: source.name.clone(),
        ask,
        unit: match text(&raw.unit) {
            None => Unit::default(),
            Some(word) => UNITS.into_iter().find(|unit| unit.word() == word)?,
        },
        warn: raw.warn.as_ref().map(|w| *w.get_ref()),
        critical: raw.critical.as_ref().map(|c| *c.get_ref()),
    })
}

const UNITS: [Unit; 6] = [Unit::Count, Unit::Ratio, Unit::Seconds, Unit::Bytes, Unit::PerSecond, Unit::Moment];

fn form(written: &Written<'_>, every: SignedDuration) -> Option<Form> {
    let over = match written.over {
        Some(over) => age::parse(over.get_ref()).ok()?,
        None => timing::over(every),
    };
    let shape = match written.key {
        "value" => Shape::Value,
        "rate" => Shape::Rate { over },
        "ratio" => Shape::Ratio { to: written.to.map(|to| Selector::parse(to.get_ref())).transpose().ok()?, over },
        "quantile" => Shape::Quantile { q: *written.q?.get_ref(), over },
        _ => return None,
    };
    Some(Form { shape, of: Selector::parse(written.of?.0).ok()?, by: words(written.by) })
}

fn rule(raw: &RawRule) -> Option<Rule> {
    let time = |key: &Key<String>| text(key).and_then(|written| age::parse(written).ok());
    let number = |key: &Key<f64>| key.as_ref().map(|k| *k.get_ref());
    let when = match (number(&raw.above), number(&raw.below), time(&raw.older_than), number(&raw.full), time(&raw.within)) {
        (Some(limit), None, None, None, None) => When::Above(limit),
        (None, Some(limit), None, None, None) => When::Below(limit),
        (None, None, Some(age), None, None) => When::OlderThan(age),
        (None, None, None, Some(full), Some(within)) => When::FullWithin { full, within },
        _ => return None,
    };
    Some(Rule {
        name: text(&raw.name)?.to_owned(),
        panel: text(&raw.panel)?.to_owned(),
        when,
        holds: timing::or(&raw.holds, SignedDuration::ZERO)?,
        severity: match text(&raw.severity) {
            None | Some("warning") => Severity::Warning,
            Some("critical") => Severity::Critical,
            Some(_) => return None,
        },
    })
}

fn words(words: &Words) -> Option<Vec<String>> {
    words.as_ref().map(|w| w.get_ref().iter().map(|word| word.get_ref().clone()).collect())
}

fn labels(raw: &RawLabels) -> Option<Labels> {
    raw.as_ref().map(|l| Labels::new(l.get_ref().iter().map(|(name, value): (&Spanned<String>, _)| (name.get_ref(), value.get_ref()))))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Every key once, in a file without problems. `prometheus-http.yml` has to stand beside it.
    pub(crate) const WHOLE: &str = r#"version = 1

[estate]
name = "storefront"
environment = "production"          # first line of every screen
zone = "Europe/Warsaw"              # IANA; records are UTC
note = """
Deploys only until 15:00.
Ask #ops first."""

[[site]]
name = "fra1"
role = "primary"                    # primary | standby
[[site]]
name = "ams3"
role = "standby"
labels = { region = "ams" }

[[service]]
name = "postgres"
[[service]]
name = "web"
sites = ["fra1", "ams3"]
depends_on = ["postgres"]
hosts = ["web1"]
labels = { job = "web" }
runbook = "docs/ops/web.md"
start = ["systemctl", "start", "web@$site"]
stop = ["systemctl", "stop", "web@$site"]
restart = { unit = "app.service", sudo = true }
logs = { unit = "web-log.service" }
health = { http = "http://$host:8000/ready", status = 299, body = "fine", times = 4, every = "2s", within = "40s" }
[service.rollback]
batch = 2
guard = "90s"
note = true
[[service.rollback.before]]
name = "page-on"
http = { method = "PUT", url = "https://status.example/$to", body = "{}", status = 202, http_config = "prometheus-http.yml" }
timeout = "25s"
repeatable = true
undo = { http = { method = "DELETE", url = "https://status.example/page" } }
[[service.rollback.before]]
name = "worker-off"
command = ["worker", "off", "$from"]
host = "web2"
undo = { command = ["worker", "on"] }
[[service.rollback.after]]
name = "drop-column"
command = ["migrate", "$to"]
point_of_no_return = true
[[service.rollback.after]]
name = "look"
manual = "Look at the shop."
undo = { manual = "Look again." }
[[service]]
name = "worker"
restart = { command = ["restart-worker", "$host"], pid_file = "/run/worker.pid" }
health = { command = ["worker", "ok"] }
logs = { file = "/srv/$site/worker.log" }

[[source]]
name = "prom"
kind = "prometheus"
url = "https://prometheus.internal:9090"
http_config = "prometheus-http.yml"
every = "15s"
timeout = "5s"

[[source]]
name = "alerts"
kind = "alertmanager"
urls = ["http://am1:9093", "http://am2:9093"]
dead_man = { alertname = "Watchdog" }

[[panel]]
name = "errors"
service = "web"
source = "prom"
query = 'sum(rate(http_requests_total{job="web",code=~"5.."}[$window]))'
unit = "ratio"                      # ratio seconds bytes count per-second
warn = 0.01
critical = 0.05

[[source]]
name = "web-metrics"
kind = "exposition"
url = "http://web1:8000/metrics?all=1"
service = "web"
site = "fra1"
every = "5s"
keep = "2h"

[[source]]
name = "shop"
kind = "probe"
http = "https://shop.example/healthz"
expect = { status = 204, body = "ready" }

[[source]]
name = "database"
kind = "probe"
tcp = "db1:5432"
service = "postgres"

[[source]]
name = "certificate"
kind = "probe"
tls = "[::1]:443"

[[panel]]
name = "open files"
source = "web-metrics"
value = "process_open_fds"

[[panel]]
name = "sockets"
source = "web-metrics"
value = { of = 'sockets{state!="closed"}', by = ["state"] }

[[panel]]
name = "requests"
source = "web-metrics"
site = "ams3"
rate = { of = "http_requests_total", over = "2m", by = ["code"] }

[[panel]]
name = "share of errors"
source = "web-metrics"
ratio = { of = 'http_requests_total{code=~"5.."}', to = "http_answers_total", over = "3m", by = ["path"] }

[[panel]]
name = "p95"
source = "web-metrics"
quantile = { of = "http_request_duration_seconds", q = 0.95, over = "4m", by = ["handler"] }

[[panel]]
name = "last order"
source = "shop"
value = "orders_newest_seconds"
unit = "moment"

[[rule]]
name = "many files"
panel = "open files"
above = 1000
for = "5m"
severity = "critical"

[[rule]]
name = "few sockets"
panel = "sockets"
below = 2

[[rule]]
name = "no orders"
panel = "last order"
older_than = "1h"

[[database]]
name = "main"
kind = "postgres"
nodes = ["host=db1 user=qd sslmode=verify-full", "host=db2 port=5433"]
service = "postgres"
site = "ams3"
every = "20s"
timeout = "4s"
warn = "16MiB"
critical = "30s"
slot_limit = "5GiB"
connections_warn = 0.75
longest_transaction_warn = "20m"
idle_transaction_warn = "4m"

[[rule]]
name = "files run out"
panel = "open files"
full = 65536
within = "4h"

[[backup]]
name = "documents"
kind = "directory"
folder = "/backup/documents"
service = "web"
site = "ams3"
schedule = "1h"
every = "6m"
retention = [{ every = "1h", keep = "7d" }, { every = "month", keep = "365d" }]

[[backup]]
name = "pg"
kind = "pgbackrest"
program = ["sudo", "-n", "-u", "postgres", "pgbackrest"]
stanza = "main"
config = "/etc/pgbackrest/main.conf"
host = "web2"
service = "postgres"
copies = [{ repo = 1, site = "fra1" }, { repo = 2, site = "ams3", account = "vault" }]
floor = "1825d"
ceiling = "2555d"
min_copies = 2
verify_every = "5h"
retention = [{ every = "1h", keep = "6h" }]
holds = [{ from = "2026-02-28", to = "2026-03-02", why = "case 4711" }]

[[backup]]
name = "files"
kind = "restic"
repository = "sftp:backup@nas:/srv/restic"
password_file = "/etc/restic/password"
made_on = "files1"
path = "/srv/files"
tag = "nightly"
account = "offsite"
schedule = "3h"
takes = "45m"

[[backup]]
name = "mail"
kind = "command"
command = ["backup-status", "mail"]

[[backup]]
name = "log"
kind = "archiver"
nodes = ["host=db7 user=qd"]
slot = "archive"
base = "mail"

[[objective]]
service = "web"
rpo = "70m"
rto = "4h"

[[history]]
name = "deploys"
kind = "deploy-log"
path = "deploys.jsonl"
fields = { version = "release.tag" }
service = "web"
site = "fra1"
every = "20s"
timeout = "3s"

[[history]]
name = "tags"
kind = "git"
path = "clone"
tags = "v*"
service = "postgres"

[[history]]
name = "folders"
kind = "releases"
path = "/srv/web"
config = ["config/*.toml"]
hosts = ["web1", "web2"]
service = "web"

[[history]]
name = "table"
kind = "sql"
conninfo = "host=deploydb user=qd"
query = "select * from deployments"

[[host]]
name = "web1"
site = "fra1"
ssh = "deploy@web1"
ssh_config = "ssh.conf"
machine_id = "3f2c0d3f2c0d3f2c0d3f2c0d3f2c0d3f"
[[host]]
name = "web2"
ssh = "web2"

[[history]]
name = "worker folders"
kind = "releases"
path = "/srv/worker"
log = "/srv/worker/deploys.jsonl"
service = "web"
host = "worker1"
[[host]]
name = "worker1"

[[window]]
name = "night"
when = "Tue 02:00-04:00"
services = ["postgres"]

[[freeze]]
name = "spring sale"
from = "2026-03-20"
to = "2026-03-22"
services = ["web"]

[[drill]]
name = "restore of files"
services = ["web"]
every = "90d"
last = "2026-02-01"
backup = "files"
"#;

    /// The smallest file without problems.
    const LEAST: &str =
        "version = 1\n[estate]\nname = 'e'\nenvironment = 'test'\n[[source]]\nname = 'p'\nkind = 'prometheus'\nurl = 'http://p'\n";

    fn load(text: &str) -> Result<Estate, Vec<Problem>> {
        estate_from(Path::new("estate.toml"), text)
    }

    /// The problems of [`LEAST`] with this below it.
    fn below(more: &str) -> Vec<String> {
        told(&format!("{LEAST}{more}"))
    }

    /// `line:column what | hint`; the lines of `LEAST` are not counted.
    fn told(text: &str) -> Vec<String> {
        let above = if text.starts_with(LEAST) { LEAST.lines().count() } else { 0 };
        let line = |p: Problem| {
            format!("{}:{} {}{}", p.place.line - above, p.place.column, p.what, p.hint.map(|h| format!(" | {h}")).unwrap_or_default())
        };
        load(text).map_or_else(|problems| problems.into_iter().map(line).collect(), |_| Vec::new())
    }

    #[test]
    fn a_whole_estate_is_loaded_with_its_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("estate.toml");
        std::fs::write(folder.path().join("prometheus-http.yml"), "basic_auth: { username: u, password_file: p }\n").unwrap();
        std::fs::write(&file, WHOLE).unwrap();
        let e = estate(&file).unwrap();
        assert_eq!((e.name.as_str(), e.environment.as_str(), e.path), ("storefront", "production", file));
        assert_eq!(e.zone.unwrap().iana_name(), Some("Europe/Warsaw"));
        assert_eq!(
            (e.sites[0].role, e.sites[0].labels.get("site"), e.sites[1].labels.get("region")),
            (Role::Primary, Some("fra1"), Some("ams"))
        );
        assert_eq!((e.services[0].sites.len(), e.services[0].labels.get("service")), (2, Some("postgres")));
        assert_eq!((e.services[1].depends_on.join(" "), e.services[1].labels.get("job")), ("postgres".into(), Some("web")));
        assert_eq!(e.sources[0].http_config, Some(folder.path().join("prometheus-http.yml")));
        assert_eq!((e.sources[0].every, e.sources[0].timeout), (SignedDuration::from_secs(15), SignedDuration::from_secs(5)));
        assert_eq!((e.sources[1].every, e.sources[1].timeout), (SignedDuration::from_secs(15), SignedDuration::from_secs(10)));
        assert_eq!((e.panels[0].unit, e.panels[0].warn, e.panels[0].critical), (Unit::Ratio, Some(0.01), Some(0.05)));
        let short = load(&format!("{LEAST}every = '2s'")).unwrap();
        assert_eq!(short.sources[0].timeout, SignedDuration::from_secs(2), "a try is never longer than the time between two");
    }

    #[test]
    fn an_estate_without_a_prometheus_is_loaded_with_its_defaults() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("prometheus-http.yml"), "").unwrap();
        let e = estate_from(&folder.path().join("estate.toml"), WHOLE).unwrap();
        assert_eq!(e.note.as_deref(), Some("Deploys only until 15:00. Ask #ops first."));
        assert_eq!(e.services[1].start.as_ref().unwrap().join(" "), "systemctl start web@$site");
        assert_eq!(e.services[1].stop.as_ref().unwrap().join(" "), "systemctl stop web@$site");
        assert_eq!((&e.services[0].start, &e.services[0].stop), (&None, &None));
        let keep = |name: &str| match e.source(name).unwrap().kind {
            SourceKind::Exposition { keep, .. } | SourceKind::Probe { keep, .. } => keep.as_hours(),
            _ => 0,
        };
        assert_eq!((keep("web-metrics"), keep("shop")), (2, 6));
        let place = |name: &str| {
            let p = e.panel(name).unwrap();
            (p.service.as_deref(), p.site.as_deref())
        };
        assert_eq!(place("open files"), (Some("web"), Some("fra1")), "its source's");
        assert_eq!(place("requests"), (Some("web"), Some("ams3")), "its own site");
        assert_eq!(place("errors"), (Some("web"), None));
        let asks: Vec<String> = e.panels.iter().skip(1).map(|p| p.ask.to_string()).collect();
        assert_eq!(
            asks,
            [
                "process_open_fds",
                "sockets{state!=\"closed\"} by (state)",
                "rate(http_requests_total[2m]) by (code)",
                "http_requests_total{code=~\"5..\"} / http_answers_total over 3m by (path)",
                "quantile 0.95 of http_request_duration_seconds over 4m by (handler)",
                "orders_newest_seconds",
            ]
        );
        let rules: Vec<(When, Severity, i64)> = e.rules.iter().map(|r| (r.when, r.severity, r.holds.as_secs())).collect();
        let within = SignedDuration::from_hours(4);
        assert_eq!(
            rules,
            [
                (When::Above(1000.0), Severity::Critical, 300),
                (When::Below(2.0), Severity::Warning, 0),
                (When::OlderThan(SignedDuration::from_hours(1)), Severity::Warning, 0),
                (When::FullWithin { full: 65536.0, within }, Severity::Warning, 0),
            ]
        );
        let slow = load(&format!(
            "{LEAST}[[source]]\nname = 'x'\nkind = 'exposition'\nurl = 'http://x'\nevery = '24h'\n[[panel]]\nname = 'r'\nsource = 'x'\nrate = 'a'"
        ))
        .unwrap();
        let two = SignedDuration::from_hours(48);
        assert!(matches!(&slow.panels[0].ask, Ask::Form(Form { shape: Shape::Rate { over }, .. }) if *over == two), "{:?}", slow.panels);
        assert!(matches!(slow.sources[1].kind, SourceKind::Exposition { keep, .. } if keep == two), "{:?}", slow.sources);
    }

    #[test]
    fn a_bad_estate_tells_everything_at_once() {
        let text = include_str!("bad_estate.toml");
        let problems = load(text).unwrap_err();
        let all: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert!(!all.join("").contains("hunter2"), "a secret is repeated");
        insta::assert_snapshot!(all.join("\n\n"));
    }

    #[test]
    fn the_version_is_there_and_known() {
        let without = LEAST.replace("version = 1\n", "");
        assert_eq!(told(&without), ["1:1 `version` is missing | write `version = 1` above the first table"]);
        let other = |v: &str| load(&LEAST.replace("version = 1", v)).unwrap_err()[0].what.clone();
        assert_eq!(other("version = 2"), "version 2 is newer than this program, which knows version 1");
        assert_eq!(other("version = 0"), "there is no version 0");
        assert_eq!(other("version = '1'"), "`version`: a whole number is needed, this is string \"1\"");
    }

    #[test]
    fn required_keys_are_asked_for_once() {
        assert_eq!(
            told("version = 1\n[estate]\n[[site]]\n[[service]]\n[[source]]\n[[panel]]\n[[rule]]\n"),
            [
                "2:1 `name` is missing in this [estate] | such as `name = \"storefront\"`",
                "2:1 `environment` is missing in this [estate] | such as `environment = \"production\"`",
                "3:1 `name` is missing in this [[site]] | such as `name = \"fra1\"`",
                "3:1 `role` is missing in this [[site]] | it is `primary` or `standby`",
                "4:1 `name` is missing in this [[service]] | such as `name = \"web\"`",
                "5:1 `name` is missing in this [[source]] | such as `name = \"prom\"`",
                "5:1 `kind` is missing in this [[source]] | it is `prometheus`, `alertmanager`, `exposition` or `probe`",
                "6:1 `name` is missing in this [[panel]] | such as `name = \"errors\"`",
                "6:1 `source` is missing in this [[panel]] | the name of a source of kind `prometheus`, `exposition` or `probe`",
                "6:1 `query` is missing in this [[panel]] | PromQL, such as `query = 'up'`",
                "7:1 `name` is missing in this [[rule]] | such as `name = \"queue is filling\"`",
                "7:1 `panel` is missing in this [[rule]] | the name of a panel",
                "7:1 this [[rule]] has no condition | one of `above`, `below`, `older_than`, or `full` with `within`, such as `above = 1000`",
            ]
        );
        assert_eq!(
            told(""),
            [
                "1:1 `version` is missing | write `version = 1` above the first table",
                "1:1 the table `[estate]` is missing | it holds `name` and `environment`, the first line of every screen",
                "1:1 there is no source: nothing would be watched | add [[source]] with name = \"prom\", kind = \"prometheus\", url = \"http://localhost:9090\"",
            ]
        );
    }

    #[test]
    fn one_mistake_is_one_problem() {
        assert_eq!(below("[[site]]\nnmae = 'a'\nrole = 'primary'"), ["2:1 unknown key `nmae` | did you mean `name`?"]);
        assert_eq!(
            below("[[site]]\nname = 1\nrole = 'primary'\n[[service]]\nname = 'w'\nsites = ['a']"),
            ["2:8 `name`: a string is needed, this is integer `1`"]
        );
        assert_eq!(
            below("[[sites]]\nname = 'a'\nrole = 'primary'\n[[service]]\nname = 'w'\nsites = ['a']"),
            ["1:3 unknown key `sites` | did you mean `site`?"]
        );
        let bad_role = below("[[site]]\nname = 'a'\nrole = 'backup'\n[[service]]\nname = 'w'\nsites = ['a']");
        assert_eq!(bad_role, ["3:8 `backup` is no role | one of `primary` or `standby`"]);
    }

    #[test]
    fn names_are_unique_among_their_kind() {
        let text = "[[site]]\nname = 'a'\nrole = 'primary'\n[[service]]\nname = 'a'\n[[service]]\nname = 'a'";
        assert_eq!(below(text), ["7:8 there are two services named `a` | the other one is on line 13"]);
    }

    #[test]
    fn names_are_safe_to_show() {
        let name = |name: &str| below(&format!("[[service]]\nname = \"{name}\"\n"));
        for (bad, what) in [
            ("", "2:8 `name` is empty"),
            ("  ", "2:8 `name` is empty"),
            (" a", "2:8 `name` begins or ends with a space"),
            ("a\\u001b[2J", "2:8 `name` holds a control, invisible or direction-changing character"),
            ("a\\u202Eb", "2:8 `name` holds a control, invisible or direction-changing character"),
            (&"x".repeat(65), "2:8 `name` is longer than 64 characters"),
        ] {
            assert_eq!(name(bad), [what], "{bad}");
        }
        assert!(name(&"ż".repeat(64)).is_empty());
        assert_eq!(told(&LEAST.replace("'test'", "\"te\\u0007st\"")).len(), 1);
        assert_eq!(told(&LEAST.replace("'e'", "''")).len(), 1);
    }

    #[test]
    fn references_lead_somewhere() {
        let sites = "[[site]]\nname = 'fra1'\nrole = 'primary'\n[[service]]\nname = 'web'\nsites = ['fra2']\ndepends_on = ['wbe', 'db']\n";
        assert_eq!(
            below(sites),
            [
                "6:10 there is no site named `fra2` | did you mean `fra1`?",
                "7:15 there is no service named `wbe` | did you mean `web`?",
                "7:22 there is no service named `db` | there is only `web`",
            ]
        );
        assert_eq!(below("[[service]]\nname = 'web'\nsites = ['a']\n"), ["3:10 there is no site named `a` | this file has no [[site]]"]);
        let panel = "[[source]]\nname = 'am'\nkind = 'alertmanager'\nurls = ['http://a']\n[[panel]]\nname = 'x'\nquery = 'up'\n";
        assert_eq!(
            below(&format!("{panel}source = 'am'\nservice = 'w'")),
            [
                "8:10 the source `am` is an alertmanager, which answers no queries | a panel needs a source of kind `prometheus`, `exposition` or `probe`",
                "9:11 there is no service named `w` | this file has no [[service]]",
            ]
        );
        assert_eq!(below(&format!("{panel}source = 'promm'")), ["8:10 there is no source named `promm` | one of `am` or `p`"]);
    }

    #[test]
    fn lists_name_each_once_and_something() {
        let text = "[[site]]\nname = 'a'\nrole = 'primary'\n[[service]]\nname = 'b'\nsites = ['a', 'a']\n[[service]]\nname = 'c'\nsites = []\ndepends_on = ['b', 'b']";
        assert_eq!(
            below(text),
            [
                "6:15 `a` is named twice in `sites`",
                "9:9 `sites` is empty: the service would run nowhere | leave the key out for every site",
                "10:20 `b` is named twice in `depends_on`",
            ]
        );
    }

    #[test]
    fn circles_are_told_with_the_way_round() {
        let service = |name: &str, on: &str| format!("[[service]]\nname = '{name}'\ndepends_on = [{on}]\n");
        let hint = "take one of these out: recovery needs an order";
        let three = service("a", "'b'") + &service("b", "'c'") + &service("c", "'a', 'd'") + &service("d", "");
        assert_eq!(below(&three), [format!("9:15 services depend on each other in a circle: a -> b -> c -> a | {hint}")]);
        assert_eq!(below(&service("a", "'a'")), [format!("3:15 services depend on each other in a circle: a -> a | {hint}")]);
        let diamond = service("a", "'b', 'c'") + &service("b", "'d'") + &service("c", "'d'") + &service("d", "");
        assert!(below(&diamond).is_empty());
        let chain: String = (0..20_000).map(|i| service(&format!("s{i}"), &format!("'s{}'", (i + 1) % 20_000))).collect();
        assert_eq!(load(&format!("{LEAST}{chain}")).unwrap_err().len(), 1);
    }

    #[test]
    fn durations_can_be_read_and_make_sense() {
        let every = |key: &str, v: &str| below(&format!("{key} = '{v}'"));
        assert_eq!(every("every", "15"), ["1:9 `15` is not a duration: write a number and a unit, such as 15s, 5m, 4h or 7d"]);
        assert_eq!(every("every", "0s"), ["1:9 `every` is too short: 1s at the least"]);
        assert_eq!(every("every", "999ms"), ["1:9 `every` is too short: 1s at the least"]);
        assert_eq!(every("every", "2d"), ["1:9 `every` is too long: 24h at the most"]);
        assert_eq!(every("timeout", "0s"), ["1:11 `timeout` is too short: 100ms at the least"]);
        assert_eq!(every("timeout", "6m"), ["1:11 `timeout` is too long: 5m at the most"]);
        assert_eq!(below("every = 15"), ["1:9 `every`: a string is needed, this is integer `15`"]);
        assert!(every("every", "1s").is_empty() && every("timeout", "5m").is_empty());
    }

    #[test]
    fn the_zone_is_one_of_the_iana_database() {
        let zone =
            |z: &str| load(&LEAST.replace("[[source]]", &format!("zone = '{z}'\n[[source]]"))).map_err(|p| p[0].hint.clone().unwrap());
        assert_eq!(zone("Europe/Warsav").unwrap_err(), "did you mean `Europe/Warsaw`?");
        assert_eq!(zone("the moon and the stars").unwrap_err(), "such as `Europe/Warsaw` or `UTC`");
        assert!(zone("UTC").is_ok());
    }

    #[test]
    fn words_are_those_that_are_known() {
        let unit = below("[[panel]]\nname = 'x'\nsource = 'p'\nquery = 'up'\nunit = 'byte'");
        assert_eq!(unit, ["5:8 `byte` is no unit | did you mean `bytes`?"]);
        let kind = below("[[source]]\nname = 'x'\nkind = 'promethus'\nurl = 'http://x'");
        assert_eq!(kind, ["3:8 `promethus` is no kind | did you mean `prometheus`?"]);
    }

    #[test]
    fn addresses_are_plain() {
        let url = |url: &str| told(&LEAST.replace("'http://p'", &format!("\"{url}\"")));
        let secrets = "secrets are references: put credentials into an http_config file";
        for (bad, what) in [
            ("", "8:7 the address begins with neither http:// nor https:// | such as `http://prometheus:9090`".to_owned()),
            ("p:9090", "8:7 the address begins with neither http:// nor https:// | such as `http://prometheus:9090`".to_owned()),
            ("ftp://p", "8:7 the address begins with neither http:// nor https:// | such as `http://prometheus:9090`".to_owned()),
            ("http://", "8:7 this is no address: empty host | such as `http://prometheus:9090`".to_owned()),
            ("http://p:99999", "8:7 this is no address: invalid port number | such as `http://prometheus:9090`".to_owned()),
            ("http://u:hunter2@p", format!("8:7 the address holds a user or a password | {secrets}")),
            ("http://u@p", format!("8:7 the address holds a user or a password | {secrets}")),
            ("http://p/?a=b", "8:7 the address has a `?` or `#` part | write the root address: qd adds the paths of the API".to_owned()),
            ("http://p/#a", "8:7 the address has a `?` or `#` part | write the root address: qd adds the paths of the API".to_owned()),
            ("http://p/\\t", "8:7 the address holds a space, a control or an invisible character".to_owned()),
        ] {
            // 8 lines of LEAST: the address is on the last.
            let found: Vec<String> = url(bad);
            assert_eq!(found, [what], "{bad}");
        }
        for good in ["http://p/prefix/", "https://[::1]:9090", "HTTP://p"] {
            assert!(url(good).is_empty(), "{good}");
        }
        let shown = load(&LEAST.replace("//p", "//u:hunter2@p")).unwrap_err()[0].to_string();
        assert!(shown.contains("//***@p") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn secrets_in_the_file_are_neither_taken_nor_repeated() {
        let problem = &load(&format!("{LEAST}basic_auth = {{ username = 'u', password = 'hunter2' }}\n")).unwrap_err()[0];
        assert_eq!(problem.hint.as_deref(), Some("secrets are references: put credentials into an http_config file"));
        assert!(!problem.to_string().contains("hunter2"), "{problem}");
        let syntax = load(&format!("{LEAST}password = hunter2\n")).unwrap_err();
        assert!(!syntax[0].to_string().contains("hunter2"), "{}", syntax[0]);
    }

    #[test]
    fn each_kind_of_source_has_its_own_keys() {
        let am = "[[source]]\nname = 'a'\nkind = 'alertmanager'\n";
        assert_eq!(below(&format!("{am}url = 'http://a'")), ["4:7 an alertmanager has `urls`, not `url` | `urls = [\"http://a\"]`"]);
        assert_eq!(below(am), ["1:1 `urls` is missing in this [[source]] | such as `urls = [\"http://am1:9093\", \"http://am2:9093\"]`"]);
        assert_eq!(below(&format!("{am}urls = []")), ["4:8 `urls` is empty | name every peer, such as `urls = [\"http://am1:9093\"]`"]);
        assert_eq!(below(&format!("{am}urls = ['http://a', 'http://a/']")), ["4:21 this address is named twice in `urls`"]);
        assert_eq!(below(&format!("{am}urls = [1]")), ["4:9 `urls`: a string is needed, this is integer `1`"]);
        assert_eq!(below(&format!("{am}urls = 'http://a'")), ["4:8 `urls`: a list is needed, this is string \"http://a\""]);
        let prom = "[[source]]\nname = 'q'\nkind = 'prometheus'\n";
        assert_eq!(below(&format!("{prom}urls = ['http://a']")), ["4:8 a prometheus has `url`, not `urls` | one source per Prometheus"]);
        assert_eq!(below(prom), ["1:1 `url` is missing in this [[source]] | such as `url = \"http://prometheus:9090\"`"]);
        assert_eq!(
            below("dead_man = { alertname = 'W' }"),
            [
                "1:12 a prometheus has no `dead_man`: it is an alert, and alerts come from an alertmanager | move it to the source of kind `alertmanager`"
            ]
        );
    }

    #[test]
    fn an_archiver_has_nodes_and_no_points_and_copies_and_holds_are_whole() {
        let backup = |kind: &str, more: &str| below(&format!("[[backup]]\nname = 'b'\nkind = '{kind}'\n{more}"));
        assert_eq!(
            backup("archiver", ""),
            ["1:1 `nodes` is missing in this [[backup]] | such as `nodes = [\"host=db1 user=qd\", \"host=db2 user=qd\"]`"]
        );
        let node = "nodes = ['host=a']\n";
        assert!(backup("archiver", node).is_empty());
        assert!(backup("archiver", "nodes = ['host=a password=hunter2']")[0].contains("holds a password"));
        assert!(backup("archiver", &format!("{node}slot = \"x'; drop\""))[0].contains("is no name of a slot"));
        assert!(backup("archiver", &format!("{node}schedule = '1h'"))[0].contains("a backup of kind `archiver` has no `schedule`"));
        assert_eq!(backup("archiver", &format!("{node}base = 'nowhere'")), ["5:8 there is no backup named `nowhere` | there is only `b`"]);
        assert!(backup("archiver", &format!("{node}base = 'b'"))[0].contains("is an archiver: it has no points"));
        let stanza = |more: &str| backup("pgbackrest", &format!("stanza = 'm'\n{more}"));
        assert!(stanza("copies = [{ repo = 1 }, { repo = 2, account = 'a' }]").is_empty());
        assert!(stanza("copies = [{ repo = 1 }, { repo = 1 }]")[0].contains("the copy 1 is named twice"));
        assert!(stanza("copies = [{ site = 'nowhere' }]").iter().any(|p| p.contains("`repo` is missing in this copy")));
        assert!(stanza("copies = [{ repo = 1, site = 'nowhere' }]")[0].contains("there is no site named `nowhere`"));
        let hold = |from: &str, to: &str| stanza(&format!("holds = [{{ from = '{from}', to = '{to}', why = 'case' }}]"));
        assert!(hold("2026-01-01", "2026-01-01").is_empty());
        assert!(hold("2026-01-02", "2026-01-01")[0].contains("`to` is before `from`"));
        assert!(hold("soon", "2026-01-01")[0].contains("`from` is no day"));
        assert_eq!(stanza("holds = [{ from = '2026-01-01' }]").len(), 2);
        assert!(stanza("floor = '7d'\nceiling = '7d'")[0].contains("no greater than `floor`"));
        assert!(stanza("min_copies = 0")[0].contains("`min_copies` is 0"));
    }

    #[test]
    fn a_database_has_nodes_limits_and_no_password() {
        let database = |more: &str| below(&format!("[[database]]\nname = 'd'\nkind = 'postgres'\n{more}"));
        let refer = "secrets are references: put it into the password file (PGPASSFILE, ~/.pgpass, or `passfile=`)";
        assert_eq!(database("nodes = ['host=a password=hunter2']"), [format!("4:10 the node holds a password | {refer}")]);
        let shown = load(&format!("{LEAST}[[database]]\nname = 'd'\nkind = 'postgres'\nnodes = ['host=a password=hunter2']")).unwrap_err();
        assert!(!shown[0].to_string().contains("hunter2"), "{}", shown[0]);
        assert_eq!(database("nodes = ['hots=a']"), ["4:10 `hots` is no key of a node | did you mean `host`?"]);
        assert_eq!(database("nodes = ['host=a', 'host=a port=5432']"), ["4:20 this node is named twice in `nodes`"]);
        assert_eq!(
            database("nodes = ['host=a sslmode=verify-ca']"),
            ["4:10 `sslmode=verify-ca` is nothing without `sslrootcert` | name the authority, or use `verify-full`"]
        );
        assert_eq!(database("nodes = ['host=a sslcert=c']"), ["4:10 `sslcert` and `sslkey` belong together | name both files"]);
        assert_eq!(database("nodes = []"), ["4:9 `nodes` is empty | name the primary and every standby"]);
        assert_eq!(
            database(""),
            ["1:1 `nodes` is missing in this [[database]] | such as `nodes = [\"host=db1 user=qd\", \"host=db2 user=qd\"]`"]
        );
        let limits = |more: &str| database(&format!("nodes = ['a']\n{more}"));
        assert_eq!(limits("warn = '2GiB'\ncritical = '1GiB'"), ["6:12 `critical` is no greater than `warn` | a warning comes first"]);
        assert_eq!(limits("warn = 'x'"), ["5:8 `x` is no lag: write bytes such as 64MiB, or a time such as 30s"]);
        assert!(limits("warn = '30s'\ncritical = '1GiB'").is_empty());
        let share = "`connections_warn` is no share from 0.01 to 1 | such as 0.85 of the connections";
        assert_eq!(limits("connections_warn = 85"), [format!("5:20 {share}")]);
        assert_eq!(limits("connections_warn = nan"), [format!("5:20 {share}")]);
        assert_eq!(limits("idle_transaction_warn = '0s'"), ["5:25 it must be more than nothing"]);
        assert!(limits("longest_transaction_warn = 'long'")[0].starts_with("5:28 "));
        let same = below("[[database]]\nname = 'p'\nkind = 'postgres'\nnodes = ['a']");
        assert_eq!(same, ["2:8 there are two sources named `p` | the other one is on line 6"]);
        let panel = below("[[database]]\nname = 'd'\nkind = 'postgres'\nnodes = ['a']\n[[panel]]\nname = 'x'\nsource = 'd'\nquery = 'up'");
        assert_eq!(panel.len(), 1, "{panel:?}");
        let places =
            "[[site]]\nname = 'a'\nrole = 'primary'\n[[site]]\nname = 'b'\nrole = 'standby'\n[[service]]\nname = 's'\nsites = ['a']\n";
        let there = below(&format!("{places}[[database]]\nname = 'd'\nkind = 'postgres'\nnodes = ['a']\nservice = 's'\nsite = 'b'"));
        assert_eq!(there, ["15:8 the service `s` does not run at the site `b` | did you mean `a`?"]);
        let e = load("version = 1\n[estate]\nname = 'e'\nenvironment = 't'\n[[database]]\nname = 'd'\nkind = 'postgres'\nnodes = ['a']")
            .unwrap();
        let SourceKind::Database(d) = &e.sources[0].kind else { panic!() };
        assert_eq!((d.warn, d.critical, d.slot_limit), (database::WARN, Some(database::CRITICAL), database::SLOT_LIMIT));
        assert_eq!((e.sources[0].every.as_secs(), d.nodes[0].name.as_str()), (10, "a"));
    }

    #[test]
    fn each_kind_of_history_has_its_own_keys() {
        let history = |rest: &str| below(&format!("[[history]]\nname = 'h'\n{rest}"));
        assert_eq!(history("kind = 'deploy-log'\npath = 'x'"), Vec::<String>::new());
        assert_eq!(
            history("kind = 'git'\npath = 'x'"),
            ["1:1 `service` is missing in this [[history]] of kind `git` | it tells of one service: name it"]
        );
        assert_eq!(
            history("kind = 'deploy-log'\npath = 'x'\ntags = 'v*'")[0],
            "5:8 `deploy-log` has no `tags` | they are for a history of kind `git`"
        );
        assert_eq!(history("kind = 'log'\npath = ''").len(), 2);
        let configs = history("kind = 'releases'\nservice = 'web'\npath = 'x'\nconfig = ['ok/*.toml', '../x', '/etc/x', '']");
        assert_eq!(configs.len(), 3 + 1, "{configs:?}");
        assert_eq!(
            history("kind = 'git'\nservice = 'web'\npath = 'x'\nconfig = ['a']")[1],
            "6:10 `git` has no `config` | it is for a history of kind `releases`"
        );
        let fields = history("kind = 'deploy-log'\npath = 'x'\nfields = { verison = 'a', who = 'a..b' }");
        assert_eq!(
            fields,
            [
                "5:12 a deployment has no `verison` | did you mean `version`?",
                "5:33 a name between the dots is missing | such as `version = \"release.tag\"`"
            ]
        );
        assert_eq!(history("kind = 'deploy-log'\npath = 'x'\nevery = '1ms'"), ["5:9 `every` is too short: 1s at the least"]);
        let twice = history("kind = 'deploy-log'\npath = 'x'\n[[history]]\nname = 'p'\nkind = 'deploy-log'\npath = 'x'");
        assert_eq!(twice, ["6:8 there are two sources named `p` | the other one is on line 6"]);
    }

    #[test]
    fn a_query_has_a_server_and_no_path() {
        let history = |rest: &str| below(&format!("[[history]]\nname = 'h'\nkind = 'sql'\n{rest}"));
        assert_eq!(history("conninfo = 'deploys'\nquery = \"select\\n1\""), Vec::<String>::new());
        assert_eq!(history("").len(), 2);
        assert_eq!(
            history("conninfo = 'host=a password=hunter2'\nquery = ' '\npath = 'x'"),
            [
                "4:12 the node holds a password | secrets are references: put it into the password file (PGPASSFILE, ~/.pgpass, or `passfile=`)",
                "5:9 `query` is empty",
                "6:8 `sql` has no `path` | it is for a history of kind `deploy-log` or `releases` or `git`",
            ]
        );
        assert_eq!(history("conninfo = 'a'\nquery = \"select '\\u001b'\"").len(), 1);
    }

    #[test]
    fn what_ssh_is_given_is_an_address_and_never_an_option() {
        let host = |rest: &str| below(&format!("[[host]]\nname = 'h'\n{rest}"));
        for fine in ["", "ssh = 'web1'", "ssh = 'deploy@web1'", "ssh = 'ssh://deploy@[::1]:2222'", "ssh = 'a'\nssh_config = 'c'"] {
            assert_eq!(host(fine), Vec::<String>::new(), "{fine}");
        }
        let option = "3:7 `ssh` begins with `-` | it is an address, not an option: options stand in the file that `ssh_config` names";
        assert_eq!(host("ssh = '-oProxyCommand=x'"), [option]);
        for bad in ["", "a b", "a;b", "$(x)", "a\\u001b", "u:p@h", "ssh://u:p@h"] {
            assert_eq!(host(&format!("ssh = \"{bad}\"")).len(), 1, "{bad}");
        }
        assert_eq!(host("ssh_config = 'c'"), ["3:14 `ssh_config` is there and `ssh` is not | a host without `ssh` is this machine"]);
        assert_eq!(host("machine_id = '3f'").len(), 1);
        let twice = host("[[host]]\nname = 'h'");
        assert_eq!(twice, ["4:8 there are two hosts named `h` | the other one is on line 10"]);
        let reads = |rest: &str| {
            let service = "[[service]]\nname = 's'\n[[host]]\nname = 'h'\n[[history]]\nname = 'x'\nservice = 's'\nkind = 'releases'\n";
            below(&format!("{service}{rest}"))
        };
        assert_eq!(reads("path = '/srv'\nhost = 'h'"), Vec::<String>::new());
        assert_eq!(reads("path = '/srv'\nhost = 'i'"), ["10:8 there is no host named `i` | did you mean `h`?"]);
        assert_eq!(
            reads("path = 'srv'\nhost = 'h'"),
            ["9:8 `path` is on a host and begins with no `/` | the estate file's folder is not there: write the whole path"]
        );
        assert_eq!(
            reads("path = '/srv'\nhost = 'h'\nhosts = []"),
            [
                "11:9 both `host` and `hosts` are there | name all of them in `hosts`",
                "11:9 `hosts` is empty | leave the key out for this machine"
            ]
        );
        assert_eq!(below("[[host]]\nname = 'h'\nsite = 'x'"), ["3:8 there is no site named `x` | this file has no [[site]]"]);
    }

    #[test]
    fn panels_ask_something_and_their_thresholds_can_be_told_apart() {
        let panel = |more: &str| below(&format!("[[panel]]\nname = 'x'\nsource = 'p'\n{more}"));
        assert_eq!(panel("query = ' '"), ["4:9 `query` is empty | PromQL, such as `query = 'up'`"]);
        assert_eq!(panel("query = \"up\\u200b\""), ["4:9 `query` holds a control, invisible or direction-changing character"]);
        assert!(panel("query = \"\"\"sum(\n\tup\n)\"\"\"").is_empty());
        assert_eq!(panel("query = 'up'\nwarn = 1\ncritical = 1.0").len(), 1);
        assert_eq!(
            panel("query = 'up'\nwarn = nan\ncritical = inf"),
            ["5:8 `warn` must be a number that a value can reach", "6:12 `critical` must be a number that a value can reach"]
        );
        assert!(panel("query = 'up'\nwarn = 5\ncritical = 1").is_empty(), "low values may be the bad ones");
    }

    #[test]
    fn labels_are_named_as_prometheus_names_them() {
        let labels = |labels: &str| below(&format!("[[service]]\nname = 'w'\nlabels = {labels}"));
        assert_eq!(labels("{}"), ["3:10 `labels` is empty: it would stand for every alert | leave the key out, or name a label"]);
        assert_eq!(labels("{ 'a-b' = 'x' }"), ["3:12 `a-b` is no name of a label | letters, digits and `_`, and no digit first"]);
        assert_eq!(labels("{ 1a = 'x' }").len(), 1);
        assert_eq!(labels("{ a = '' }"), ["3:16 the label's value is empty, which means that it is not set"]);
        assert_eq!(labels("{ a = \"\\u001b\" }"), ["3:16 the label's value holds a control, invisible or direction-changing character"]);
        assert_eq!(labels("{ a = 1 }"), ["3:16 `a`: a string is needed, this is integer `1`"]);
        assert_eq!(below("[[service]]\nname = 'w'\nrunbook = ''"), ["3:11 `runbook` is empty"]);
    }

    #[test]
    fn http_config_files_are_there_and_can_be_read() {
        let found = below("http_config = '/nonexistent/h.yml'");
        assert!(found[0].starts_with("1:15 the http_config file `/nonexistent/h.yml` cannot be read: "), "{found:?}");
        let folder = tempfile::tempdir().unwrap();
        let problem = estate_from(&folder.path().join("e.toml"), &format!("{LEAST}http_config = '.'")).unwrap_err().remove(0);
        assert_eq!(problem.what, "the http_config file `.` is a folder, not a file");
        assert_eq!(below("http_config = ''"), ["1:15 `http_config` is empty"]);
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("e.toml");
        std::fs::write(&file, "#".repeat((4 << 20) + 1)).unwrap();
        assert_eq!(estate(&file).unwrap_err()[0].what, "is larger than 4096 KiB: this cannot be meant");
        assert_eq!(estate(&folder.path().join("none.toml")).unwrap_err().len(), 1);
    }

    #[test]
    fn thousands_of_mistakes_are_told_as_many() {
        let text: String = (0..5_000).map(|i| format!("[[service]]\nname = 's{i}'\nfoo{i} = 1\n")).collect();
        let problems = load(&format!("{LEAST}{text}")).unwrap_err();
        assert_eq!(problems.len(), report::LIMIT + 1);
        assert_eq!(problems.last().unwrap().what, "there are more problems than these");
        let dangling: String = (0..5_000).map(|i| format!("[[service]]\nname = 's{i}'\nsites = ['x']\n")).collect();
        let problems = load(&format!("{LEAST}{dangling}")).unwrap_err();
        assert_eq!(problems.len(), report::LIMIT + 1);
        assert_eq!(problems.last().unwrap().what, "there are more problems than these");
    }

    /// Table, key, and two values of it: the estate must differ by nothing else.
    pub(crate) const KEYS: [(&str, &str, &str, &str); 214] = [
        ("", "host", "ssh = \"web2\"", "ssh = \"web3\""),
        ("host", "name", "host = \"worker1\"\n[[host]]\nname = \"worker1\"", "host = \"worker2\"\n[[host]]\nname = \"worker2\""),
        ("host", "site", "site = \"fra1\"\nssh", "site = \"ams3\"\nssh"),
        ("host", "ssh", "ssh = \"deploy@web1\"\n", "ssh = \"root@web1\"\n"),
        ("host", "ssh_config", "ssh_config = \"ssh.conf\"\n", ""),
        ("host", "machine_id", "3f2c0d3f2c0d3f2c0d3f2c0d3f2c0d3f", "0f2c0d3f2c0d3f2c0d3f2c0d3f2c0d3f"),
        ("service", "hosts", "hosts = [\"web1\"]", "hosts = [\"web2\"]"),
        ("history", "host", "host = \"worker1\"", "host = \"web1\""),
        ("history", "log", "/srv/worker/deploys.jsonl", "/srv/worker/log.jsonl"),
        ("history", "hosts", "hosts = [\"web1\", \"web2\"]", "hosts = [\"web2\"]"),
        ("history", "conninfo", "host=deploydb", "host=otherdb"),
        ("history", "query", "from deployments", "from acts"),
        ("backup", "host", "host = \"web2\"\nservice", "host = \"web1\"\nservice"),
        ("", "database", "host=db1", "host=db3"),
        ("database", "name", "name = \"main\"", "name = \"other\""),
        ("database", "kind", "kind = \"postgres\"", "kind = \"mysql\""),
        ("database", "nodes", "port=5433", "port=5434"),
        (
            "database",
            "service",
            "service = \"postgres\"\nsite = \"ams3\"\nevery = \"20s\"",
            "service = \"web\"\nsite = \"ams3\"\nevery = \"20s\"",
        ),
        ("database", "site", "site = \"ams3\"\nevery = \"20s\"", "site = \"fra1\"\nevery = \"20s\""),
        ("database", "every", "every = \"20s\"", "every = \"21s\""),
        ("database", "timeout", "timeout = \"4s\"", "timeout = \"3s\""),
        ("database", "warn", "16MiB", "17MiB"),
        ("database", "critical", "critical = \"30s\"", "critical = \"31s\""),
        ("database", "slot_limit", "5GiB", "6GiB"),
        ("database", "connections_warn", "connections_warn = 0.75", "connections_warn = 0.8"),
        ("database", "longest_transaction_warn", "longest_transaction_warn = \"20m\"", "longest_transaction_warn = \"21m\""),
        ("database", "idle_transaction_warn", "idle_transaction_warn = \"4m\"", "idle_transaction_warn = \"5m\""),
        ("", "window", "\"Tue 02:00-04:00\"", "\"Wed 02:00-04:00\""),
        ("", "freeze", "2026-03-20", "2026-03-19"),
        ("", "drill", "2026-02-01", "2026-02-02"),
        ("window", "name", "\"night\"", "\"late\""),
        ("window", "when", "\"Tue 02:00-04:00\"", "\"Wed 02:00-04:00\""),
        ("window", "services", "services = [\"postgres\"]\n", ""),
        ("freeze", "name", "spring sale", "spring"),
        ("freeze", "from", "2026-03-20", "2026-03-19"),
        ("freeze", "to", "2026-03-22", "2026-03-23"),
        ("freeze", "services", "to = \"2026-03-22\"\nservices = [\"web\"]\n", "to = \"2026-03-22\"\n"),
        ("drill", "name", "restore of files", "restore"),
        ("drill", "services", "services = [\"web\"]\nevery = \"90d\"", "services = [\"postgres\"]\nevery = \"90d\""),
        ("drill", "every", "\"90d\"", "\"91d\""),
        ("drill", "last", "2026-02-01", "2026-02-02"),
        ("drill", "backup", "backup = \"files\"", "backup = \"mail\""),
        ("", "backup", "\"/backup/documents\"", "\"/backup/files\""),
        ("", "objective", "rto = \"4h\"", "rto = \"5h\""),
        ("backup", "name", "name = \"documents\"", "name = \"data\""),
        ("backup", "kind", "kind = \"restic\"", "kind = \"command\""),
        ("backup", "service", "service = \"web\"\nsite = \"ams3\"\nschedule", "site = \"ams3\"\nschedule"),
        ("backup", "site", "site = \"ams3\"\nschedule", "site = \"fra1\"\nschedule"),
        ("backup", "schedule", "schedule = \"1h\"", "schedule = \"2h\""),
        ("backup", "every", "every = \"6m\"", "every = \"7m\""),
        ("backup", "retention", ", { every = \"month\", keep = \"365d\" }", ""),
        ("backup", "folder", "\"/backup/documents\"", "\"/backup/files\""),
        ("backup", "stanza", "stanza = \"main\"", "stanza = \"other\""),
        ("backup", "config", "main.conf", "other.conf"),
        ("backup", "repository", "nas:/srv/restic", "nas:/srv/other"),
        ("backup", "password_file", "restic/password", "restic/secret"),
        ("backup", "program", "\"-n\", ", ""),
        ("backup", "command", "\"mail\"]", "\"news\"]"),
        ("backup", "copies", "{ repo = 1, site = \"fra1\" }, ", ""),
        ("backup.copies", "repo", "repo = 2", "repo = 3"),
        ("backup.copies", "site", "repo = 1, site = \"fra1\"", "repo = 1, site = \"ams3\""),
        ("backup.copies", "account", "\"vault\"", "\"safe\""),
        ("backup", "floor", "1825d", "1d"),
        ("backup", "ceiling", "2555d", "3000d"),
        ("backup", "min_copies", "min_copies = 2", "min_copies = 3"),
        ("backup", "verify_every", "\"5h\"", "\"4h\""),
        ("backup", "holds", "holds = [{ from = \"2026-02-28\", to = \"2026-03-02\", why = \"case 4711\" }]\n", ""),
        ("backup.holds", "from", "from = \"2026-02-28\"", "from = \"2026-03-01\""),
        ("backup.holds", "to", "to = \"2026-03-02\"", "to = \"2026-02-28\""),
        ("backup.holds", "why", "case 4711", "case 4712"),
        ("backup", "made_on", "\"files1\"", "\"files2\""),
        ("backup", "path", "\"/srv/files\"", "\"/srv/other\""),
        ("backup", "tag", "\"nightly\"", "\"weekly\""),
        ("backup", "account", "\"offsite\"", "\"onsite\""),
        ("backup", "takes", "\"45m\"", "\"46m\""),
        ("backup", "nodes", "host=db7", "host=db8"),
        ("backup", "slot", "slot = \"archive\"", "slot = \"other\""),
        ("backup", "base", "base = \"mail\"", "base = \"files\""),
        ("backup.retention", "every", "every = \"1h\"", "every = \"2h\""),
        ("backup.retention", "keep", "keep = \"7d\"", "keep = \"6d\""),
        ("objective", "service", "service = \"web\"\nrpo", "service = \"shop\"\nrpo"),
        ("objective", "rpo", "rpo = \"70m\"", "rpo = \"90m\""),
        ("objective", "rto", "rto = \"4h\"", "rto = \"5h\""),
        ("", "version", "version = 1", "version = 2"),
        ("", "estate", "name = \"storefront\"", "name = \"backoffice\""),
        ("", "site", "name = \"ams3\"\nrole = \"standby\"", "name = \"ams3\"\nrole = \"primary\""),
        ("", "service", "docs/ops/web.md", "docs/ops/shop.md"),
        ("", "source", "timeout = \"5s\"", "timeout = \"6s\""),
        ("", "panel", "unit = \"ratio\"", "unit = \"count\""),
        ("", "rule", "above = 1000", "above = 2000"),
        ("", "history", "deploys.jsonl", "other.jsonl"),
        ("history", "name", "\"deploys\"", "\"acts\""),
        ("history", "kind", "kind = \"git\"\npath = \"clone\"\ntags = \"v*\"", "kind = \"releases\"\npath = \"clone\""),
        ("history", "path", "\"clone\"", "\"other\""),
        ("history", "fields", "release.tag", "release.name"),
        ("history", "tags", "tags = \"v*\"\n", ""),
        ("history", "config", "config/*.toml", "config/*.ini"),
        ("history", "service", "tags = \"v*\"\nservice = \"postgres\"", "tags = \"v*\"\nservice = \"web\""),
        ("history", "site", "site = \"fra1\"\nevery = \"20s\"", "site = \"ams3\"\nevery = \"20s\""),
        ("history", "every", "every = \"20s\"", "every = \"30s\""),
        ("history", "timeout", "timeout = \"3s\"", "timeout = \"4s\""),
        ("estate", "note", "15:00", "16:00"),
        ("service", "start", "\"start\", ", ""),
        ("service", "stop", "\"stop\", ", ""),
        ("source", "kind", "kind = \"exposition\"", "kind = \"probe\""),
        ("source", "kind", "kind = \"probe\"", "kind = \"exposition\""),
        ("source", "keep", "keep = \"2h\"", "keep = \"3h\""),
        ("source", "service", "service = \"web\"\nsite", "service = \"postgres\"\nsite"),
        ("source", "site", "site = \"fra1\"\nevery", "site = \"ams3\"\nevery"),
        ("source", "http", "/healthz", "/readyz"),
        ("source", "tcp", "db1:5432", "db2:5432"),
        ("source", "tls", "[::1]:443", "shop.example:443"),
        ("source", "expect", "status = 204, ", ""),
        ("source.expect", "status", "204", "200"),
        ("source.expect", "body", "\"ready\"", "\"ok\""),
        ("panel", "site", "site = \"ams3\"\nrate", "site = \"fra1\"\nrate"),
        ("panel", "value", "value = \"process_open_fds\"", "value = \"process_max_fds\""),
        ("panel", "value", "value = \"process_open_fds\"", "rate = \"process_open_fds\""),
        ("panel", "value", "value = \"process_open_fds\"", "ratio = \"process_open_fds\""),
        ("panel", "rate", "over = \"2m\"", "over = \"3m\""),
        ("panel", "ratio", "over = \"3m\"", "over = \"4m\""),
        ("panel", "quantile", "over = \"4m\"", "over = \"5m\""),
        ("panel.value", "of", "sockets{state!=\"closed\"}", "sockets"),
        ("panel.value", "by", ", by = [\"state\"]", ""),
        ("panel.rate", "of", "of = \"http_requests_total\"", "of = \"http_answers_total\""),
        ("panel.rate", "over", "over = \"2m\"", "over = \"3m\""),
        ("panel.rate", "by", "[\"code\"]", "[\"code\", \"path\"]"),
        ("panel.ratio", "of", "{code=~\"5..\"}', to", "{code=~\"4..\"}', to"),
        ("panel.ratio", "to", ", to = \"http_answers_total\"", ""),
        ("panel.ratio", "over", "over = \"3m\"", "over = \"4m\""),
        ("panel.ratio", "by", ", by = [\"path\"]", ""),
        ("panel.quantile", "of", "http_request_duration", "http_answer_duration"),
        ("panel.quantile", "q", "q = 0.95", "q = 0.99"),
        ("panel.quantile", "over", "over = \"4m\"", "over = \"5m\""),
        ("panel.quantile", "by", ", by = [\"handler\"]", ""),
        ("panel", "unit", "unit = \"moment\"", "unit = \"seconds\""),
        ("rule", "name", "\"many files\"", "\"too many files\""),
        ("rule", "panel", "panel = \"open files\"", "panel = \"requests\""),
        ("rule", "above", "above = 1000", "below = 1000"),
        ("rule", "below", "below = 2", "below = 3"),
        ("rule", "older_than", "older_than = \"1h\"", "older_than = \"2h\""),
        ("rule", "full", "full = 65536", "full = 1024"),
        ("rule", "within", "within = \"4h\"", "within = \"5h\""),
        ("rule", "for", "for = \"5m\"\n", ""),
        ("rule", "severity", "severity = \"critical\"\n", ""),
        ("panel", "service", "source = \"shop\"\nvalue", "source = \"shop\"\nservice = \"web\"\nvalue"),
        ("estate", "name", "name = \"storefront\"", "name = \"backoffice\""),
        ("estate", "environment", "\"production\"", "\"staging\""),
        ("estate", "zone", "\"Europe/Warsaw\"", "\"UTC\""),
        ("site", "name", "role = \"standby\"", "role = \"standby\"\n[[site]]\nname = \"lon1\"\nrole = \"standby\""),
        ("site", "role", "role = \"standby\"", "role = \"primary\""),
        ("site", "labels", "region = \"ams\"", "region = \"fra\""),
        ("service", "name", "[[service]]\nname = \"postgres\"", "[[service]]\nname = \"x\"\n[[service]]\nname = \"postgres\""),
        ("service", "restart", "restart = { unit = \"app.service\", sudo = true }\n", ""),
        ("service", "health", "health = { command = [\"worker\", \"ok\"] }\n", ""),
        ("service", "rollback", "guard = \"90s\"\n", ""),
        ("service", "logs", "logs = { unit = \"web-log.service\" }\n", ""),
        ("service.logs", "unit", "web-log.service", "shop-log.service"),
        ("service.logs", "file", "$site/worker.log", "$host/worker.log"),
        ("service.restart", "unit", "app.service", "shop.service"),
        ("service.restart", "sudo", ", sudo = true", ""),
        ("service.restart", "command", "restart-worker", "start-worker"),
        ("service.restart", "pid_file", "/run/worker.pid", "/run/shop.pid"),
        ("service.health", "http", "8000/ready", "8000/live"),
        ("service.health", "status", "status = 299", "status = 298"),
        ("service.health", "body", "\"fine\"", "\"well\""),
        ("service.health", "command", "[\"worker\", \"ok\"]", "[\"worker\", \"well\"]"),
        ("service.health", "times", "times = 4", "times = 5"),
        ("service.health", "every", "every = \"2s\"", "every = \"3s\""),
        ("service.health", "within", "within = \"40s\"", "within = \"50s\""),
        ("service.rollback", "batch", "batch = 2", "batch = 3"),
        ("service.rollback", "guard", "guard = \"90s\"", "guard = \"80s\""),
        ("service.rollback", "note", "note = true", "note = false"),
        ("service.rollback", "before", "repeatable = true\n", ""),
        ("service.rollback", "after", "Look at the shop.", "Look at it."),
        ("service.rollback.step", "name", "\"page-on\"", "\"page-up\""),
        ("service.rollback.step", "command", "\"off\", \"$from\"", "\"off\", \"$to\""),
        ("service.rollback.step", "host", "host = \"web2\"\nundo", "host = \"web1\"\nundo"),
        ("service.rollback.step", "http", "status.example/$to", "status.example/$from"),
        ("service.rollback.step", "manual", "Look at the shop.", "Look at it."),
        ("service.rollback.step", "timeout", "timeout = \"25s\"", "timeout = \"26s\""),
        ("service.rollback.step", "repeatable", "repeatable = true\n", ""),
        ("service.rollback.step", "undo", "undo = { command = [\"worker\", \"on\"] }\n", ""),
        ("service.rollback.step", "point_of_no_return", "point_of_no_return = true\n", ""),
        ("service.rollback.undo", "command", "[\"worker\", \"on\"]", "[\"worker\", \"up\"]"),
        ("service.rollback.undo", "http", "status.example/page", "status.example/other"),
        ("service.rollback.undo", "manual", "Look again.", "Look twice."),
        ("service.rollback.http", "method", "method = \"PUT\"", "method = \"PATCH\""),
        ("service.rollback.http", "url", "status.example/page", "status.example/other"),
        ("service.rollback.http", "body", "body = \"{}\"", "body = \"[]\""),
        ("service.rollback.http", "status", "status = 202", "status = 203"),
        ("service.rollback.http", "http_config", ", http_config = \"prometheus-http.yml\"", ""),
        ("service", "sites", "name = \"postgres\"", "name = \"postgres\"\nsites = [\"ams3\"]"),
        ("service", "depends_on", "depends_on = [\"postgres\"]", "depends_on = []"),
        ("service", "labels", "{ job = \"web\" }", "{ job = \"shop\" }"),
        ("service", "runbook", "docs/ops/web.md", "docs/ops/shop.md"),
        ("source", "name", "name = \"alerts\"", "name = \"am\""),
        ("source", "kind", "kind = \"prometheus\"", "kind = \"alertmanager\""),
        ("source", "url", "prometheus.internal", "other.internal"),
        ("source", "urls", ", \"http://am2:9093\"", ""),
        ("source", "http_config", "http_config = \"prometheus-http.yml\"\n", ""),
        ("source", "every", "every = \"15s\"", "every = \"30s\""),
        ("source", "timeout", "timeout = \"5s\"", "timeout = \"6s\""),
        ("source", "dead_man", "\"Watchdog\"", "\"DeadMan\""),
        ("panel", "name", "name = \"errors\"", "name = \"failures\""),
        ("panel", "service", "service = \"web\"", "service = \"postgres\""),
        ("panel", "source", "source = \"prom\"", "source = \"alerts\""),
        ("panel", "query", "5..", "4.."),
        ("panel", "unit", "unit = \"ratio\"", "unit = \"bytes\""),
        ("panel", "unit", "unit = \"ratio\"", "unit = \"seconds\""),
        ("panel", "unit", "unit = \"ratio\"", "unit = \"per-second\""),
        ("panel", "unit", "unit = \"ratio\"", "unit = \"count\""),
        ("panel", "warn", "warn = 0.01", "warn = 0.02"),
        ("panel", "critical", "critical = 0.05", "critical = 0.012"),
    ];

    #[test]
    fn every_key_that_is_accepted_is_read() {
        let accepted = |table: &str, text: &str| -> Vec<(String, String)> {
            let hint = load(text).unwrap_err().into_iter().find(|p| p.what.contains("zzzzzzzz")).unwrap().hint.unwrap();
            hint.split('`').skip(1).step_by(2).map(|key| (table.to_owned(), key.to_owned())).collect()
        };
        let mut all: BTreeSet<(String, String)> = accepted("", "zzzzzzzz = 1").into_iter().collect();
        for table in all.clone().into_iter().map(|(_, key)| key).filter(|key| key != "version") {
            let head = if table == "estate" { "[estate]".to_owned() } else { format!("[[{table}]]") };
            all.extend(accepted(&table, &format!("{head}\nzzzzzzzz = 1")));
        }
        for (table, key) in [("source", "expect"), ("panel", "value"), ("panel", "rate"), ("panel", "ratio"), ("panel", "quantile")] {
            all.extend(accepted(&format!("{table}.{key}"), &format!("[[{table}]]\n{key} = {{ zzzzzzzz = 1 }}")));
        }
        for key in ["restart", "health", "rollback", "logs"] {
            all.extend(accepted(&format!("service.{key}"), &format!("[[service]]\n{key} = {{ zzzzzzzz = 1 }}")));
        }
        let step = |inner: &str| format!("[[service]]\n[[service.rollback.before]]\n{inner}");
        all.extend(accepted("service.rollback.step", &step("zzzzzzzz = 1")));
        all.extend(accepted("service.rollback.http", &step("http = { zzzzzzzz = 1 }")));
        all.extend(accepted("service.rollback.undo", &step("undo = { zzzzzzzz = 1 }")));
        for key in ["retention", "copies", "holds"] {
            all.extend(accepted(&format!("backup.{key}"), &format!("[[backup]]\n{key} = [{{ zzzzzzzz = 1 }}]")));
        }
        let tested: BTreeSet<(String, String)> = KEYS.iter().map(|(t, k, ..)| ((*t).to_owned(), (*k).to_owned())).collect();
        assert_eq!(all, tested, "a key without a row, or a row without a key");

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("estate.toml");
        std::fs::write(folder.path().join("prometheus-http.yml"), "").unwrap();
        let first = estate_from(&file, WHOLE).unwrap();
        for (table, key, one, other) in KEYS {
            let text = WHOLE.replacen(one, other, 1);
            assert_ne!(text, WHOLE, "[{table}] {key} does not stand in the text");
            let changed = estate_from(&file, &text);
            assert_ne!(changed.as_ref(), Ok(&first), "[{table}] {key} changes nothing");
            let refused = matches!(
                (table, key),
                ("", "version")
                    | ("database", "kind")
                    | ("source", "kind")
                    | ("backup", "kind")
                    | ("backup", "service")
                    | ("objective", "service")
                    | ("panel", "source")
            ) || other == "unit = \"seconds\"" && one.contains("moment");
            assert_eq!(changed.is_err(), refused, "[{table}] {key}: {changed:?}");
        }
    }

    /// What must hold of any text.
    fn holds(text: &str) {
        match load(text) {
            Ok(e) => {
                assert!(!e.sources.is_empty());
                for s in &e.services {
                    assert!(s.sites.iter().all(|n| e.sites.iter().any(|site| site.name == *n)));
                    assert!(s.depends_on.iter().all(|n| e.service(n).is_some()));
                }
                for p in &e.panels {
                    let promql = matches!(p.ask, Ask::Promql(_));
                    assert_eq!(promql, matches!(e.source(&p.source).unwrap().kind, SourceKind::Prometheus { .. }));
                    assert!(p.site.as_ref().is_none_or(|s| e.sites.iter().any(|site| site.name == *s)));
                    assert!(p.service.as_ref().is_none_or(|s| e.service(s).is_some()));
                }
                assert!(e.rules.iter().all(|r| e.panel(&r.panel).is_some()));
            }
            Err(problems) => {
                assert!(!problems.is_empty());
                for p in &problems {
                    assert!(p.place.line >= 1 && p.place.line <= text.matches('\n').count() + 1);
                    assert!(p.place.column >= 1);
                    assert!(!p.what.contains("defect"), "{p}");
                    assert!(!p.what.chars().any(crate::model::text::is_hostile), "{p:?}");
                    assert!(!p.to_string().is_empty());
                }
                let order: Vec<(usize, usize)> = problems.iter().map(|p| (p.place.line, p.place.column)).collect();
                assert!(order.is_sorted());
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_loaded_or_refused(text in any::<String>()) {
            holds(&text);
        }

        #[test]
        fn any_text_of_the_words_of_toml_is_loaded_or_refused(
            words in proptest::collection::vec(
                proptest::sample::select(vec![
                    "[[", "]]", "[", "]", "\n", "=", "{", "}", ",", "\"", "'", ".", "site", "source", "name", "labels", "1", "nan", "true",
                    "'a'", "\"http://a\"", "version = 1\n", "[[service]]\n", "sites = ['a']\n", "depends_on", "é", "\u{202e}", "#", "\\",
                ]),
                0..60,
            )
        ) {
            holds(&words.concat());
        }

        #[test]
        fn a_good_estate_with_damage_is_loaded_or_refused(
            cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0..40_usize, "[\\PC\n]{0,6}"), 1..6)
        ) {
            let mut text: Vec<char> = WHOLE.replace("http_config = \"prometheus-http.yml\"\n", "").chars().collect();
            for (at, length, with) in cuts {
                let at = at.index(text.len());
                let end = (at + length).min(text.len());
                text.splice(at..end, with.chars());
                if text.is_empty() {
                    break;
                }
            }
            holds(&text.into_iter().collect::<String>());
        }

        #[test]
        fn a_good_estate_with_lines_exchanged_is_loaded_or_refused(order in proptest::collection::vec(any::<prop::sample::Index>(), 1..60)) {
            let lines: Vec<&str> = WHOLE.lines().collect();
            holds(&order.iter().map(|i| lines[i.index(lines.len())]).collect::<Vec<_>>().join("\n"));
        }
    }
}
