//! The estate file as text: every key that a first estate needs, with comments that teach, and all that others wrote
//! escaped.

use std::fmt::Write as _;

use crate::model::panel::Unit;
use crate::watch::discover::Found;

use super::line;
use super::page::{self, Page};
use super::propose::{Proposal, Service, propose};

/// What the file is made of.
#[derive(Debug, Default)]
pub struct Draft {
    /// The Prometheus that was looked at.
    pub prometheus: Option<Prometheus>,
    /// Alertmanagers: named by the person, or by that Prometheus.
    pub alertmanagers: Vec<Alertmanager>,
    /// A `/metrics` page that was looked at.
    pub page: Option<Page>,
    /// The absolute path of the file with the credentials.
    pub http_config: Option<String>,
}

/// A Prometheus that was looked at.
#[derive(Debug)]
pub struct Prometheus {
    /// Its address.
    pub url: String,
    /// What it watches.
    pub found: Found,
}

/// An Alertmanager.
#[derive(Debug)]
pub struct Alertmanager {
    /// Its address.
    pub url: String,
    /// Its version, or why it was not reached.
    pub answer: Result<String, String>,
    /// True where the person named it.
    pub named: bool,
}

impl Draft {
    /// True where no server was asked.
    pub fn is_template(&self) -> bool {
        self.prometheus.is_none() && self.alertmanagers.is_empty() && self.page.is_none()
    }
}

/// A file of at most so many bytes of outside text per value; all of it passes `qd check`.
pub fn estate(draft: &Draft) -> String {
    let mut out = String::new();
    let proposal = draft.prometheus.as_ref().map(|p| propose(&p.found)).unwrap_or_default();
    head(draft, &mut out);
    sites(draft, &proposal, &mut out);
    services(&proposal, &mut out);
    prometheus(draft, &mut out);
    alertmanager(draft, &mut out);
    panels(draft, &proposal, &mut out);
    if let Some(page) = &draft.page {
        let taken = |name: &str| proposal.services.iter().any(|service| service.name == name);
        page::write(page, draft.http_config.as_deref(), taken, &mut out);
    }
    out
}

fn say(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}

fn head(draft: &Draft, out: &mut String) {
    let made = if draft.is_template() {
        "# A template: put your own names and addresses into it. Lines that begin with `#` do nothing."
    } else {
        "# Proposed by `qd init` from what the servers told. It is yours now: what is a guess says so."
    };
    say(out, "# An estate: everything that one Quarterdeck console watches. Reading is all that is done with it.");
    say(out, made);
    say(out, "# `qd check` says whether it is right, `qd check --live` tries each source, `qd` opens the console.");
    say(out, "# Durations are written as 15s, 5m, 4h, 7d. Relative paths are taken from this file's folder.");
    say(out, "\nversion = 1                           # the version of this format\n");
    say(out, "[estate]");
    say(out, "name = \"my-estate\"                    # yours to choose: on the first line of every screen");
    say(out, "environment = \"production\"            # there too, so that nobody takes one for the other");
    say(out, "# zone = \"Europe/Warsaw\"              # an IANA zone that your people think in; screens show UTC without it");
}

fn sites(draft: &Draft, proposal: &Proposal, out: &mut String) {
    say(out, "\n# Sites: the places that can serve, with the labels by which alerts and series tell them.\n");
    let label = draft.prometheus.as_ref().and_then(|p| p.found.places.as_ref());
    match label {
        Some(places) => {
            let _ = writeln!(out, "# From the label `{}` of the targets. That all of them serve is a guess:", line(&places.label));
            say(out, "# \"standby\" is one that only takes over.\n");
            for site in &proposal.sites {
                let (label, value) = &site.label;
                say(out, "[[site]]");
                let _ = writeln!(out, "name = {}", quoted(&site.name));
                say(out, "role = \"primary\"");
                // As `qd` would take it without the key.
                if label != "site" || *value != site.name {
                    let _ = writeln!(out, "labels = {{ {label} = {} }}", quoted(value));
                }
                say(out, "");
            }
        }
        None => {
            if !draft.is_template() {
                say(out, "# None was found: no target has a label site, region, datacenter, dc, cluster or zone.");
            }
            say(out, "# [[site]]");
            say(out, "# name = \"fra1\"");
            say(out, "# role = \"primary\"                    # primary: it serves; standby: it can take over");
            say(out, "# labels = { datacenter = \"fra1\" }    # without this key those with site=\"fra1\" are its own\n");
        }
    }
}

fn services(proposal: &Proposal, out: &mut String) {
    say(out, "# Services: the parts with a health of their own, each with the labels of its alerts and series.");
    say(out, "# `depends_on = [\"postgres\"]` names what a service cannot do without, `runbook = \"https://...\"` what to do.\n");
    if proposal.left_out.0 > 0 {
        let _ = writeln!(out, "# {} more jobs were found: an overview of all of them would be none.\n", proposal.left_out.0);
    }
    for Service { name, job, sites, targets } in &proposal.services {
        say(out, "[[service]]");
        let count = if *targets == 1 { "1 target".to_owned() } else { format!("{targets} targets") };
        let _ = writeln!(out, "name = {}{}", quoted(name), if *targets > 0 { format!(" # {count}") } else { String::new() });
        let _ = writeln!(out, "labels = {{ job = {} }}", quoted(job));
        if !sites.is_empty() {
            let _ = writeln!(out, "sites = [{}]", list(sites));
        }
        say(out, "");
    }
    if proposal.services.is_empty() {
        say(out, "# [[service]]");
        say(out, "# name = \"web\"");
        say(out, "# labels = { job = \"web\" }            # without this key those with service=\"web\" are its own\n");
    }
}

fn prometheus(draft: &Draft, out: &mut String) {
    say(out, "# Sources: what is read.\n");
    let url = match (&draft.prometheus, draft.is_template()) {
        (Some(prometheus), _) => {
            let found = &prometheus.found;
            let version = found.version.as_deref().map_or_else(String::new, |v| format!("Version {}. ", line(v)));
            let _ = writeln!(out, "# {version}It has {} alerting rules; their alerts are shown without any key here.", found.alerting);
            for note in &found.notes {
                let _ = writeln!(out, "# When this was written: {}", line(note));
            }
            prometheus.url.as_str()
        }
        (None, true) => "http://localhost:9090",
        (None, false) => {
            say(out, "# [[source]]");
            say(out, "# name = \"prometheus\"");
            say(out, "# kind = \"prometheus\"                 # or what speaks its HTTP API: Thanos, Mimir, VictoriaMetrics");
            say(out, "# url = \"http://localhost:9090\"\n");
            return;
        }
    };
    say(out, "[[source]]");
    say(out, "name = \"prometheus\"");
    say(out, "kind = \"prometheus\"                   # or what speaks its HTTP API: Thanos, Mimir, VictoriaMetrics");
    let _ = writeln!(out, "url = {}", quoted(url));
    say(out, "every = \"15s\"                         # the time between two polls");
    credentials(draft.http_config.as_deref(), out);
    say(out, "");
}

fn credentials(file: Option<&str>, out: &mut String) {
    match file {
        Some(path) => drop(writeln!(out, "http_config = {}", quoted(path))),
        None => say(out, "# http_config = \"prometheus-http.yml\" # credentials, TLS and proxy in Prometheus' own file format"),
    }
}

fn alertmanager(draft: &Draft, out: &mut String) {
    let reached: Vec<String> = draft.alertmanagers.iter().filter(|am| am.answer.is_ok()).map(|am| am.url.clone()).collect();
    for am in &draft.alertmanagers {
        match &am.answer {
            Ok(version) => drop(writeln!(out, "# {}: version {}", line(&am.url), line(version))),
            Err(what) => {
                let _ = writeln!(out, "# That Prometheus tells {} too, which was not reached from here: {}", line(&am.url), line(what));
            }
        }
    }
    let mark = match (reached.is_empty(), draft.is_template()) {
        (false, _) | (true, true) => "",
        (true, false) => "# ",
    };
    let urls = if reached.is_empty() { "\"http://localhost:9093\"".to_owned() } else { list(&reached) };
    let _ = writeln!(out, "{mark}[[source]]\n{mark}name = \"alertmanager\"\n{mark}kind = \"alertmanager\"");
    let _ = writeln!(out, "{mark}urls = [{urls}] # the peers of one highly available set, or one address");
    let _ = writeln!(out, "{mark}every = \"5s\"");
    // Credentials go to those only that the person named.
    let named = draft.alertmanagers.iter().any(|am| am.named);
    if mark.is_empty() {
        credentials(draft.http_config.as_deref().filter(|_| named || draft.is_template()), out);
    }
    match draft.prometheus.as_ref().and_then(|p| p.found.watchdog.as_deref()) {
        Some(name) => {
            let _ = writeln!(
                out,
                "{mark}dead_man = {{ alertname = {} }} # fires always: when it stops, alerting itself is broken",
                quoted(name)
            );
        }
        None => say(out, "# dead_man = { alertname = \"Watchdog\" } # an alert that always fires: when it stops, alerting is broken"),
    }
    say(out, "");
}

fn panels(draft: &Draft, proposal: &Proposal, out: &mut String) {
    say(out, "# Panels: metrics that are drawn, and judged by their thresholds. `$window` is a rate window that always fits the");
    say(out, "# scrape interval. From `warn` on it is a warning, from `critical` on critical; where `critical` is below `warn`,");
    say(out, "# low values are the bad ones.");
    if !proposal.panels.is_empty() {
        say(out, "# The thresholds below are guesses, and a panel without any judges nothing: put your own in.");
    }
    if proposal.left_out.1 > 0 {
        let _ = writeln!(out, "# {} more panels were possible: each costs the server two queries a poll.", proposal.left_out.1);
    }
    say(out, "");
    for panel in &proposal.panels {
        say(out, "[[panel]]");
        let _ = writeln!(out, "name = {}", quoted(&panel.name));
        if let Some(service) = &panel.service {
            let _ = writeln!(out, "service = {}", quoted(service));
        }
        let _ = writeln!(out, "source = \"prometheus\"\nquery = {}", literal(&panel.query));
        if panel.unit != Unit::Count {
            let _ = writeln!(out, "unit = \"{}\"", panel.unit.word());
        }
        for (key, limit) in [("warn", panel.limits.0), ("critical", panel.limits.1)] {
            if let Some(limit) = limit {
                let _ = writeln!(out, "{key} = {limit:?}");
            }
        }
        say(out, "");
    }
    if proposal.panels.is_empty() {
        let mark = if draft.is_template() { "" } else { "# " };
        for text in
            ["[[panel]]", "name = \"targets down\"", "source = \"prometheus\"", "query = 'count(up == 0) or vector(0)'", "warn = 1.0"]
        {
            let _ = writeln!(out, "{mark}{text}");
        }
        say(out, "\n# [[panel]]\n# name = \"errors\"\n# service = \"web\"                       # the service whose health it tells");
        say(out, "# source = \"prometheus\"");
        say(
            out,
            "# query = 'sum(rate(http_requests_total{job=\"web\",code=~\"5..\"}[$window])) / sum(rate(http_requests_total{job=\"web\"}[$window]))'",
        );
        say(out, "# unit = \"ratio\"                        # count, ratio, seconds, bytes or per-second");
        say(out, "# warn = 0.01\n# critical = 0.05");
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
}

fn list(texts: &[String]) -> String {
    texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")
}

/// A TOML basic string.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => drop(write!(out, "\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The same, as a literal string where it can be one: PromQL is full of quotes.
fn literal(text: &str) -> String {
    if text.contains('\'') || text.chars().any(char::is_control) { quoted(text) } else { format!("'{text}'") }
}
