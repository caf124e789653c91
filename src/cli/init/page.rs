//! A `/metrics` page in the estate file: its service, its source, and panels in the forms that need no server.

use std::fmt::Write as _;

use crate::model::panel::Unit;
use crate::watch::discover::Job;

use super::text::quoted;

/// A `/metrics` page that was looked at.
#[derive(Debug)]
pub struct Page {
    /// Its whole address.
    pub url: String,
    /// What stands on it.
    pub job: Job,
}

/// Writes the page's tables. `taken` says whether a service has this name already.
pub fn write(page: &Page, http_config: Option<&str>, taken: impl Fn(&str) -> bool, out: &mut String) {
    // Hosts are short; what is longer is cut, so that its panels' names fit too.
    let mut service: String = page.job.name.chars().take(30).collect::<String>().trim().to_owned();
    if service.is_empty() {
        service.push_str("page");
    }
    while taken(&service) {
        service.push('\'');
    }
    let name = quoted(&service);
    let _ = write!(
        out,
        "\n# A page that is read without any server between: its past is kept by this console.\n\n\
         [[service]]\nname = {name} # a guess, after its host\n\n\
         [[source]]\nname = \"metrics\"\nkind = \"exposition\"\nurl = {}\nservice = {name}\nevery = \"15s\"\n",
        quoted(&page.url)
    );
    if let Some(file) = http_config {
        let _ = writeln!(out, "http_config = {}", quoted(file));
    }
    for (what, form, unit, limits) in panels(&page.job) {
        let _ = write!(
            out,
            "\n[[panel]]\nname = {}\nsource = \"metrics\"\n{form}\nunit = \"{}\"\n",
            quoted(&format!("page {service} {what}")),
            unit.word()
        );
        for (key, limit) in [("warn", limits.0), ("critical", limits.1)] {
            if let Some(limit) = limit {
                let _ = writeln!(out, "{key} = {limit:?}");
            }
        }
    }
}

type Limits = (Option<f64>, Option<f64>);

/// Metric names have letters, digits, `_` and `:` only: they stand in TOML as they are.
fn panels(job: &Job) -> Vec<(&'static str, String, Unit, Limits)> {
    let none = (None, None);
    let mut all = Vec::new();
    match &job.requests {
        Some((metric, Some(code))) => {
            all.push(("errors", format!("ratio = '{metric}{{{code}=~\"5..\"}}'"), Unit::Ratio, (Some(0.01), Some(0.05))));
            all.push(("requests", format!("rate = {{ of = \"{metric}\", by = [\"{code}\"] }}"), Unit::PerSecond, none));
        }
        Some((metric, None)) => all.push(("requests", format!("rate = \"{metric}\""), Unit::PerSecond, none)),
        None => {}
    }
    if let Some(metric) = &job.latency {
        all.push(("p95", format!("quantile = {{ of = \"{metric}\", q = 0.95 }}"), Unit::Seconds, none));
    }
    if job.cpu {
        all.push(("cpu", "rate = { of = 'node_cpu_seconds_total{mode!=\"idle\"}', by = [\"mode\"] }".into(), Unit::PerSecond, none));
    }
    if job.memory {
        all.push(("memory available", "value = \"node_memory_MemAvailable_bytes\"".into(), Unit::Bytes, none));
    }
    if job.filesystem {
        let real =
            "value = { of = 'node_filesystem_avail_bytes{fstype!~\"tmpfs|ramfs|overlay|squashfs|iso9660\"}', by = [\"mountpoint\"] }";
        all.push(("filesystem available", real.into(), Unit::Bytes, none));
    }
    all
}
