//! What an estate could hold, by what a Prometheus watches: sites, services and panels. Pure.

use std::collections::HashSet;

use crate::model::panel::Unit;
use crate::watch::discover::{Found, Job};

/// Services that are proposed; a screen of more is no overview.
pub const SERVICES: usize = 40;
/// Panels that are proposed: each costs the server two queries a poll.
pub const PANELS: usize = 60;
/// Of them, recording rules.
const RECORDED: usize = 12;
/// Characters of a name, as `qd check` allows them.
const NAME: usize = 64;

/// What is proposed.
#[derive(Debug, Default)]
pub struct Proposal {
    /// The sites' names and the values of their label.
    pub sites: Vec<Place>,
    /// The services.
    pub services: Vec<Service>,
    /// The panels, by service.
    pub panels: Vec<Panel>,
    /// Jobs, and panels, for which there was no room.
    pub left_out: (usize, usize),
}

/// A site.
#[derive(Debug)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// The label that tells it, and its value.
    pub label: (String, String),
}

/// A service.
#[derive(Debug)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The job that it was made of.
    pub job: String,
    /// Its sites, where they are known.
    pub sites: Vec<String>,
    /// The job's targets.
    pub targets: usize,
}

/// A panel.
#[derive(Debug)]
pub struct Panel {
    /// Its name.
    pub name: String,
    /// Its service.
    pub service: Option<String>,
    /// PromQL.
    pub query: String,
    /// Of its numbers.
    pub unit: Unit,
    /// `warn` and `critical`, where a guess is worth one.
    pub limits: (Option<f64>, Option<f64>),
    /// The more it says about whether people are served, the smaller.
    rank: u8,
}

/// The proposal.
pub fn propose(found: &Found) -> Proposal {
    let mut names = Names::default();
    let mut proposal = Proposal::default();
    if let Some(places) = &found.places {
        let place = |value: &String| Place { name: names.unique(value), label: (places.label.clone(), value.clone()) };
        proposal.sites = places.values.iter().map(place).collect();
    }
    let mut names = Names::default();
    let mut jobs: Vec<&Job> = found.jobs.iter().collect();
    // Where there is no room for all, those whose work can be judged come first.
    jobs.sort_by_key(|job| (std::cmp::Reverse(worth(job)), job.name.as_str()));
    proposal.left_out.0 = jobs.len().saturating_sub(SERVICES);
    jobs.truncate(SERVICES);
    jobs.sort_by_key(|job| job.name.as_str());
    let mut panels = Vec::new();
    for job in jobs {
        let name = names.unique(&job.name);
        let runs_at = |site: &&Place| job.sites.contains(&site.label.1);
        let sites = proposal.sites.iter().filter(runs_at).map(|site| site.name.clone()).collect();
        of_job(job, &name, &mut panels);
        proposal.services.push(Service { name, job: job.name.clone(), sites, targets: job.targets });
    }
    panels.extend(found.recording.iter().take(RECORDED).map(|rule| recorded(rule)));
    let mut ranks: Vec<u8> = panels.iter().map(|panel| panel.rank).collect();
    ranks.sort_unstable();
    if let Some(last) = ranks.get(PANELS - 1).copied().filter(|_| panels.len() > PANELS) {
        proposal.left_out.1 = panels.len() - PANELS;
        let mut room = PANELS - panels.iter().filter(|panel| panel.rank < last).count();
        panels.retain(|panel| {
            let fits = panel.rank < last || (panel.rank == last && room > 0);
            room -= usize::from(fits && panel.rank == last);
            fits
        });
    }
    let mut names = Names::default();
    for panel in &mut panels {
        panel.name = names.unique(&panel.name);
    }
    proposal.panels = panels;
    proposal
}

fn worth(job: &Job) -> u8 {
    let coded = job.requests.as_ref().is_some_and(|(_, code)| code.is_some());
    u8::from(coded) * 4 + u8::from(job.requests.is_some() || job.latency.is_some()) * 2 + u8::from(job.cpu || job.memory || job.filesystem)
}

fn of_job(job: &Job, service: &str, panels: &mut Vec<Panel>) {
    let own = format!("job=\"{}\"", in_promql(&job.name));
    let mut add = |rank: u8, what: &str, query: String, unit: Unit, limits: (Option<f64>, Option<f64>)| {
        // With room for a number behind it, where the services of long names begin alike.
        let name = format!("{} {what}", cut(service, NAME - 8 - what.len()));
        panels.push(Panel { name, service: Some(service.to_owned()), query, unit, limits, rank });
    };
    if let Some((metric, code)) = &job.requests {
        if let Some(code) = code {
            let failed = format!("sum(rate({metric}{{{own},{code}=~\"5..\"}}[$window]))");
            // Without `or vector(0)` a service that never failed would have no value.
            let query = format!("({failed} or vector(0)) / sum(rate({metric}{{{own}}}[$window]))");
            add(0, "errors", query, Unit::Ratio, (Some(0.01), Some(0.05)));
        }
        add(4, "requests", format!("sum(rate({metric}{{{own}}}[$window]))"), Unit::PerSecond, (None, None));
    }
    if let Some(metric) = &job.latency {
        let query = format!("histogram_quantile(0.95, sum by (le) (rate({metric}_bucket{{{own}}}[$window])))");
        add(1, "p95", query, Unit::Seconds, (None, None));
    }
    if job.cpu {
        let query = format!("1 - avg by (instance) (rate(node_cpu_seconds_total{{{own},mode=\"idle\"}}[$window]))");
        add(3, "cpu", query, Unit::Ratio, (Some(0.9), None));
    }
    if job.memory {
        let query = format!("1 - node_memory_MemAvailable_bytes{{{own}}} / node_memory_MemTotal_bytes{{{own}}}");
        add(3, "memory", query, Unit::Ratio, (Some(0.9), Some(0.97)));
    }
    if job.filesystem {
        let real = format!("{own},fstype!~\"tmpfs|ramfs|overlay|squashfs|iso9660|nsfs|fuse.*\"");
        let query = format!("max by (instance) (1 - node_filesystem_avail_bytes{{{real}}} / node_filesystem_size_bytes{{{real}}})");
        add(2, "filesystem", query, Unit::Ratio, (Some(0.85), Some(0.95)));
    }
    if job.targets > 0 {
        add(2, "targets down", format!("1 - avg(up{{{own}}})"), Unit::Ratio, (Some(0.001), Some(1.0)));
    }
}

/// A panel of a recording rule: it is somebody's idea of what is worth watching.
fn recorded(rule: &str) -> Panel {
    let has = |part: &str| rule.contains(part);
    let unit = match () {
        () if has("ratio") => Unit::Ratio,
        () if has("seconds") && !has("cpu_seconds") => Unit::Seconds,
        () if has("bytes") && !has("rate") => Unit::Bytes,
        () if has("rate") => Unit::PerSecond,
        () => Unit::Count,
    };
    Panel { name: cut(rule, NAME), service: None, query: rule.to_owned(), unit, limits: (None, None), rank: 5 }
}

/// A label's value between the double quotes of PromQL.
fn in_promql(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"")
}

fn cut(name: &str, most: usize) -> String {
    name.chars().take(most).collect::<String>().trim().to_owned()
}

/// Names that are given out once.
#[derive(Default)]
struct Names(HashSet<String>);

impl Names {
    fn unique(&mut self, wanted: &str) -> String {
        let mut name = cut(wanted.trim(), NAME);
        for number in 2.. {
            if self.0.insert(name.clone()) {
                break;
            }
            let end = format!(" {number}");
            name = cut(wanted.trim(), NAME - end.len()) + &end;
        }
        name
    }
}
