//! The estate file of a practice estate: an ordinary one, commented, that people may read and copy.

use std::fmt::Write;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::crew::PID;
use super::edge::CONNECTIONS;
use super::layout::{Layout, Site};
use super::store::TOO_LONG;
use super::{PRIMARY, Role, STANDBY, Scenario, history};

/// The whole file, as it is written on that day.
pub fn text(layout: &Layout, today: Date) -> String {
    let mut out = String::new();
    out += &head(layout);
    out += &hosts(layout);
    out += &services(layout);
    out += "# Sources: what is read. A page is a service's own /metrics, read without any server between; a probe asks the service.\n\n";
    for site in &layout.sites {
        out += &sources(layout, site);
    }
    out += &source("clients page", "clients", None, &page(layout.clients));
    out += &database(layout);
    out += &backups(layout);
    out += HISTORY;
    for site in &layout.sites {
        out += &releases(layout, site);
    }
    out += &calendar(today);
    out += PANELS;
    for site in &layout.sites {
        out += &panels(site.name);
    }
    out += RULES;
    for site in &layout.sites {
        out += &rules(site.name);
    }
    out
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn head(layout: &Layout) -> String {
    format!(
        "# The practice estate: real small processes on this machine, watched like any estate. Read it, change it, copy it:\n\
         # `qd check` says whether it is right. Durations are written as 15s, 5m, 4h, 7d.\n\n\
         version = 1\n\n\
         [estate]\n\
         name = \"shop\"                         # on the first line of every screen\n\
         environment = \"practice\"              # too: nobody takes it for production\n\
         note = {}\n\n\
         # Sites: the places that can serve.\n\n\
         [[site]]\nname = \"{PRIMARY}\"\nrole = \"primary\"                      # it serves\n\n\
         [[site]]\nname = \"{STANDBY}\"\nrole = \"standby\"                      # it can take over\n\n",
        quoted(&note(layout))
    )
}

/// That this is practice, and what to try next.
fn note(layout: &Layout) -> String {
    let program = "qd";
    let next = match layout.scenario {
        // Two lines at 80 columns: all of it must stand in them, with the sentence that follows.
        Scenario::Steady => format!(
            "In a second terminal: `{program} lab stop store {PRIMARY}` (a whole site: `{program} lab stop {PRIMARY}`), then `start` it. \
             Or `R` on web."
        ),
        Scenario::BadRelease => {
            format!("A bad release of web goes out soon. Once requests fail at {PRIMARY}, `R` on that line rolls web back, once confirmed.")
        }
        Scenario::SlowDependency => {
            format!(
                "When people wait at {PRIMARY}: which service is slow? Mend: delay_ms = 0 in the estate's {PRIMARY}/store/settings.toml."
            )
        }
        Scenario::Certificate => {
            "The edges' certificate is about to expire: see how much of its life is left, and who issued it.".to_owned()
        }
        Scenario::Storm => {
            format!(
                "One rule finds thousands at {PRIMARY}: filter with `/`. Mend: waiting = 3 in the estate's {PRIMARY}/store/settings.toml."
            )
        }
        Scenario::ReplicaLag => format!(
            "The ledger's standby stalls: what would a takeover lose (key 6)? Mend: paused = false in {STANDBY}/ledger/ledger.toml."
        ),
        Scenario::Stuck => {
            format!("When requests fail at {PRIMARY}: what does the edge print (`l`)? `U` on that line restarts it, once confirmed.")
        }
        Scenario::StaleBackup => format!(
            "The backup job at {PRIMARY} stops: what would be lost (key 4)? Mend: every_seconds = 60 in {PRIMARY}/store/backup.toml."
        ),
    };
    format!("{next} Practice: nothing here is production.")
}

fn services(layout: &Layout) -> String {
    let mut out =
        "# Services: the parts with a health of their own, with the commands that start and stop them.\n# `$site` stands for the site.\n\n"
            .to_owned();
    let folder = layout.folder.display().to_string();
    let command = |verb: &str, service: &str| {
        let words = [&layout.program, "lab", verb, service, "$site", "--folder", &folder].map(quoted);
        format!("[{}]", words.join(", "))
    };
    let ledger = layout.ledger.is_ok().then_some(("ledger", "", "a PostgreSQL with its standby"));
    let all = [
        ("edge", "depends_on = [\"web\"]                  # what it cannot do without\n", "the proxy that people reach"),
        ("web", "depends_on = [\"store\"]\n", "orders, run from a release folder"),
        ("store", "", "documents on disk"),
        ("clients", "depends_on = [\"edge\"]\n", "the people, who make the load"),
    ];
    for (name, needs, about) in all.into_iter().chain(ledger) {
        let _ = writeln!(
            out,
            "[[service]]\nname = \"{name}\"{:pad$}# {about}\nsites = [\"{PRIMARY}\", \"{STANDBY}\"]\n{needs}start = {}\nstop = {}",
            "",
            command("start", name),
            command("stop", name),
            pad = 30 - name.len(),
        );
        if ["edge", "store"].contains(&name) {
            out += &restart(layout, name, &command("restart", name), &command("ready", name), &folder);
        }
        // Who makes the load, and the databases, have no file of their own at each site.
        if ["edge", "web", "store"].contains(&name) {
            let _ = writeln!(out, "logs = {{ file = {} }}", quoted(&format!("{folder}/$site/{name}/log")));
        }
        if name == "web" {
            out += &rollback(&command("restart", name), &command("ready", name), &folder);
        }
        out.push('\n');
    }
    out
}

/// How a service without releases is restarted.
fn restart(layout: &Layout, name: &str, restart: &str, ready: &str, folder: &str) -> String {
    let pid = quoted(&format!("{folder}/$site/{name}/{PID}"));
    let hosts: Vec<String> = layout.sites.iter().map(|site| quoted(&host(site))).collect();
    format!(
        "# How it is restarted. Key U on it, or `qd plan restart {name}`.\n\
         hosts = [{}]\n\
         restart = {{ command = {restart}, pid_file = {pid} }}\n\
         health = {{ command = {ready}, times = 2, every = \"1s\", within = \"20s\" }}\n",
        hosts.join(", ")
    )
}

/// How the web service goes back to an earlier release.
fn rollback(restart: &str, ready: &str, folder: &str) -> String {
    let pid = quoted(&format!("{folder}/$site/web/{PID}"));
    format!(
        "# What a rollback does after the switch: start it again, and see that it is ready. Key R on it, or `qd plan rollback web`.\n\
         restart = {{ command = {restart}, pid_file = {pid} }}\n\
         health = {{ command = {ready}, times = 3, every = \"1s\", within = \"20s\" }}\n\n\
         [service.rollback]\nguard = \"15s\"                          # its panels are judged so long; in production minutes are right\n\
         note = true                            # a line in the deploy log\n"
    )
}

/// The machines: there is one, and each site has its folders on it.
fn hosts(layout: &Layout) -> String {
    let host = |site: &Site| format!("[[host]]\nname = \"{}\"\nsite = \"{}\"\n\n", host(site), site.name);
    let all: String = layout.sites.iter().map(host).collect();
    format!("# Hosts: without `ssh` each is this machine.\n\n{all}")
}

/// What the host of a site's web service is called.
fn host(site: &Site) -> String {
    format!("web-{}", site.name)
}

/// The release folders of a site's web service.
fn releases(layout: &Layout, site: &Site) -> String {
    let web = layout.home(Role::Web, Some(site)).display().to_string();
    let log = history::path(&layout.folder).display().to_string();
    format!(
        "[[history]]\nname = \"{name} releases\"\nkind = \"releases\"\nservice = \"web\"\nsite = \"{name}\"\nhost = \"{}\"\n\
         path = {}\nlog = {}\nevery = \"30s\"\n\n",
        host(site),
        quoted(&web),
        quoted(&log),
        name = site.name,
    )
}

/// One `[[source]]`. `rest` is what it is and where.
fn source(name: &str, service: &str, site: Option<&str>, rest: &str) -> String {
    let site = site.map_or(String::new(), |site| format!("site = \"{site}\"\n"));
    format!("[[source]]\nname = \"{name}\"\n{rest}service = \"{service}\"\n{site}every = \"2s\"\n\n")
}

fn page(port: u16) -> String {
    format!("kind = \"exposition\"\nurl = \"http://127.0.0.1:{port}/metrics\"\n")
}

fn sources(layout: &Layout, site: &Site) -> String {
    let name = site.name;
    let probe = |rest: String| format!("kind = \"probe\"\n{rest}\n");
    let mut out = String::new();
    for (service, port) in [("edge", site.edge), ("web", site.web), ("store", site.store)] {
        out += &source(&format!("{name} {service} page"), service, Some(name), &page(port));
    }
    let ready = format!("http = \"http://127.0.0.1:{}/readyz\"\nexpect = {{ status = 200, body = \"ready\" }}", site.web);
    out += &source(&format!("{name} web ready"), "web", Some(name), &probe(ready));
    let healthy = format!("http = \"http://127.0.0.1:{}/healthz\"\nexpect = {{ status = 200, body = \"ok\" }}", site.edge);
    out += &source(&format!("{name} edge healthy"), "edge", Some(name), &probe(healthy));
    out += &source(&format!("{name} store port"), "store", Some(name), &probe(format!("tcp = \"127.0.0.1:{}\"", site.store)));
    if layout.tls() {
        let tls = format!("tls = \"localhost:{}\"\nhttp_config = \"certificate/trust.yml\"   # the authority to trust", site.front);
        out += &source(&format!("{name} edge certificate"), "edge", Some(name), &probe(tls));
    }
    out
}

/// The ledger, where PostgreSQL is on this machine.
fn database(layout: &Layout) -> String {
    let place = match &layout.ledger {
        Ok(place) => place,
        Err(why) => return format!("# There is no [[database]] here: {}.\n\n", why.replace(['\n', '\r'], " ")),
    };
    let nodes: Vec<String> = layout.sites.iter().map(|site| format!("  {},\n", quoted(&place.conninfo(site, "watcher")))).collect();
    format!(
        "# Databases: each node is asked itself, here over its Unix socket. They start some seconds after the rest.\n\n\
         [[database]]\nname = \"ledger\"\nkind = \"postgres\"\nservice = \"ledger\"\nnodes = [\n{}]\nevery = \"2s\"\n\
         warn = \"3s\"                          # the time that a commit takes to be replayed\ncritical = \"60s\"\n\n",
        nodes.concat()
    )
}

/// The snapshots of the documents, one copy at each site.
fn backups(layout: &Layout) -> String {
    let mut out =
        "# Backups: what can be restored to, and what would be lost now. A minute here is what an hour is in production.\n\n".to_owned();
    for (site, folder) in layout.sites.iter().zip(layout.copies()) {
        let _ = write!(
            out,
            "[[backup]]\nname = \"{} documents\"\nkind = \"directory\"\nfolder = {}\nservice = \"store\"\nsite = \"{}\"                        # where this copy is\n\
             schedule = \"1m\"\nretention = [{{ every = \"1m\", keep = \"10m\" }}]\nevery = \"5s\"\n\n",
            site.name,
            quoted(&folder.display().to_string()),
            site.name
        );
    }
    out + "[[objective]]\nservice = \"store\"\nrpo = \"2m\"                            # the most that may be lost\nrto = \"10m\"\n\n"
}

const HISTORY: &str = "# What was deployed: a year of made-up history, and a line for each `qd lab deploy`. It stands on the Deployments pane (key 5).\n\n\
                       [[history]]\nname = \"deploys\"\nkind = \"deploy-log\"\npath = \"deploys.jsonl\"               # one JSON object to a line\n\
                       every = \"2s\"\n\n\
                       # The releases that lie at each site and the one that runs there: what a rollback chooses from.\n\n";

/// When work may be done, and what is to be practised. The last drill is made up, as the history is.
fn calendar(today: Date) -> String {
    let last = today.checked_sub(LAST_DRILL.days()).unwrap_or(today);
    format!(
        "# The calendar: what comes next. It stands under NEXT on the Overview.\n\n\
         [[window]]\nname = \"maintenance\"\nwhen = \"Tue 02:00-04:00\"              # in UTC, as the estate names no zone\nservices = [\"store\"]\n\n\
         [[drill]]\nname = \"{STANDBY} serves\"\nevery = \"92d\"\nlast = \"{last}\"                  # made up; the day of your last one\n\n"
    )
}

/// Days since the made-up last drill.
const LAST_DRILL: i64 = 60;

const PANELS: &str = "# Panels: metrics that are drawn, computed here from the pages, and judged by their thresholds. A panel is of the\n\
                      # service and the site of its source.\n\n";

fn panels(site: &str) -> String {
    let panel = |name: &str, source: &str, rest: &str| {
        format!("[[panel]]\nname = \"{site} {name}\"\nsource = \"{site} {source} page\"\n{rest}\n\n")
    };
    let people =
        |name: &str, rest: &str| format!("[[panel]]\nname = \"{site} {name}\"\nsource = \"clients page\"\nsite = \"{site}\"\n{rest}\n\n");
    let answers = format!(
        "ratio = {{ of = 'client_requests_total{{site=\"{site}\",code=~\"0|5..\"}}', to = 'client_requests_total{{site=\"{site}\"}}', over = \"10s\" }}   # 0 is no answer\n\
         unit = \"ratio\"\nwarn = 0.01\ncritical = 0.05"
    );
    let wait = format!(
        "quantile = {{ of = 'client_request_duration_seconds{{site=\"{site}\"}}', q = 0.95, over = \"10s\" }}\n\
         unit = \"seconds\"\nwarn = 0.5\ncritical = 2.0"
    );
    [
        people("unanswered", &answers),
        people("people wait", &wait),
        panel("requests", "edge", "rate = { of = \"http_requests_total\", over = \"10s\", by = [\"code\"] }\nunit = \"per-second\""),
        panel(
            "errors",
            "edge",
            "ratio = { of = 'http_requests_total{code=~\"5..\"}', over = \"10s\" }   # their share in all requests\n\
             unit = \"ratio\"\nwarn = 0.01\ncritical = 0.05",
        ),
        panel(
            "p95",
            "edge",
            "quantile = { of = \"http_request_duration_seconds\", q = 0.95, over = \"10s\" }\nunit = \"seconds\"\nwarn = 0.5\ncritical = 2.0",
        ),
        panel(
            "connections",
            "edge",
            &format!("value = {{ of = \"edge_connections_held\" }}                # to the web service, of {CONNECTIONS}\nwarn = {}\ncritical = {CONNECTIONS}", CONNECTIONS * 4 / 5),
        ),
        panel("web errors", "web", "ratio = { of = 'http_requests_total{code=~\"5..\"}', over = \"10s\" }\nunit = \"ratio\"\nwarn = 0.01\ncritical = 0.05"),
        panel("release", "web", "value = { of = \"build_info\", by = [\"version\"] }          # which version runs"),
        panel(
            "store p95",
            "store",
            "quantile = { of = \"store_request_duration_seconds\", q = 0.95, over = \"10s\" }\nunit = \"seconds\"\nwarn = 0.5\ncritical = 2.0",
        ),
        panel("newest order", "store", "value = { of = \"store_newest_document_seconds\" }\nunit = \"moment\"                     # shown as its age"),
        panel("outbox", "store", "value = { of = \"store_outbox_waiting\" }                 # a line for each partition"),
    ]
    .concat()
}

const RULES: &str = "# Rules: what is judged, one finding for each line of the panel. These hold for seconds, so that practice is quick;\n\
                     # in production minutes are right.\n\n";

fn rules(site: &str) -> String {
    let rule = |name: &str, panel: &str, when: &str, severity: &str| {
        format!("[[rule]]\nname = \"{name} at {site}\"\npanel = \"{site} {panel}\"\n{when}\nfor = \"2s\"\nseverity = \"{severity}\"\n\n")
    };
    [
        rule("requests fail", "errors", "above = 0.05", "critical"),
        rule("no connection is free", "connections", &format!("above = {}", CONNECTIONS - 1), "critical"),
        rule("people wait", "p95", "above = 0.5", "warning"),
        rule("the store is slow", "store p95", "above = 0.5", "warning"),
        rule("no new orders", "newest order", "older_than = \"30s\"", "critical"),
        rule("the outbox is stuck", "outbox", &format!("above = {TOO_LONG}"), "warning"),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::ledger::Place;
    use crate::model::estate::SourceKind;

    /// A practice estate as it is written, with ports and paths that do not change.
    fn written(scenario: Scenario) -> String {
        let site = |name, first| Site { name, front: first, edge: first + 1, web: first + 2, store: first + 3 };
        let layout = Layout {
            folder: "/var/practice".into(),
            program: "/usr/bin/qd".to_owned(),
            sites: [site(PRIMARY, 20_000), site(STANDBY, 20_010)],
            clients: 20_020,
            scenario,
            ledger: Ok(Place { programs: "/usr/lib/postgresql/15/bin".into(), base: "/var/practice/ledger".into(), user: None }),
        };
        text(&layout, jiff::civil::date(2026, 11, 21))
    }

    #[test]
    fn every_scenario_is_an_estate_without_problems_that_says_that_it_is_practice() {
        for scenario in Scenario::ALL {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("certificate")).unwrap();
            std::fs::write(folder.path().join("certificate/trust.yml"), "tls_config:\n  ca_file: ca.pem\n").unwrap();
            let file = folder.path().join("estate.toml");
            std::fs::write(&file, written(scenario)).unwrap();
            let told = |problems: Vec<crate::model::problem::Problem>| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
            let estate = crate::config::load::estate(&file).map_err(told).unwrap();
            assert_eq!(estate.environment, "practice");
            let note = estate.note.as_ref().unwrap();
            assert!(note.ends_with("Practice: nothing here is production."));
            // Filled greedily into the two lines that it has at 80 columns, of 78 each: nothing of it may be cut.
            let (mut lines, mut used) = (1, 0);
            for word in note.split(' ') {
                let room = if used == 0 { word.len() } else { used + 1 + word.len() };
                (lines, used) = if room <= 78 { (lines, room) } else { (lines + 1, word.len()) };
            }
            assert!(lines <= 2, "{lines} lines: {note}");
            assert!(estate.sources.iter().all(|s| matches!(
                s.kind,
                SourceKind::Backup(_)
                    | SourceKind::Database(_)
                    | SourceKind::Exposition { .. }
                    | SourceKind::History(_)
                    | SourceKind::Probe { .. }
            )));
            assert!(estate.services.iter().all(|s| s.start.is_some() && s.stop.is_some()));
            let back: Vec<&str> = (estate.services.iter())
                .filter(|service| crate::model::needs::can_go_back(&estate, service))
                .map(|service| service.name.as_str())
                .collect();
            assert_eq!(back, ["web"]);
            assert_eq!(estate.sources.iter().filter(|s| s.name.ends_with("certificate")).count() == 2, scenario == Scenario::Certificate);
        }
    }

    #[test]
    fn the_file_can_be_read_by_people() {
        insta::assert_snapshot!(written(Scenario::Steady));
    }
}
