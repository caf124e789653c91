//! `qd check --live`: is the file right, and does each source answer? One line for each as soon as it is known.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::config::load;
use crate::model::estate::{Estate, Source};
use crate::model::metric::Demand;
use crate::model::needs::CLOCK_SKEW;
use crate::model::reading::Freshness;
use crate::model::source::Answer;
use crate::model::text::{NOTE_CAP, clean};
use crate::watch::{self, Tried};

use super::args::Output;
use super::failure::Failure;
use super::settings::{self, Settings};
use super::wait;
use super::{FAILED, OK, check};

/// How one source did.
#[derive(Debug, Serialize)]
struct Told<'a> {
    name: &'a str,
    kind: &'static str,
    /// `fresh`, `refused`, `unreachable`.
    state: &'static str,
    /// How long the try took.
    seconds: f64,
    /// What it is and has, where it answered.
    said: Option<String>,
    /// Why it did not answer: what, why, what to do.
    error: Option<String>,
    /// What is wrong although it answered, a line each: clocks, lost peers, parts that it does not tell.
    warnings: Vec<String>,
    /// Panels whose queries failed, and why.
    panels: Vec<FailedPanel<'a>>,
}

#[derive(Debug, Serialize)]
struct FailedPanel<'a> {
    name: &'a str,
    error: String,
}

impl Told<'_> {
    fn is_well(&self) -> bool {
        self.state == Freshness::Fresh.word() && self.panels.is_empty()
    }
}

/// Judges the file, and where it is right tries each source once. Exits 0 where all are fresh and every query was
/// answered.
pub fn run(settings: &Settings<'_>, estate: Option<&Path>, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let path = match estate {
        Some(path) => path.to_owned(),
        None => settings.estate_path()?,
    };
    let Ok(estate) = load::estate(&path) else { return check::run(settings, Some(&path), out) };
    let _log = settings.log(err);
    let table = settings.global.output == Output::Table;
    if table {
        check::run(settings, Some(&path), out)?;
        writeln!(out)?;
        out.flush()?;
    }
    let estate = Arc::new(estate);
    let mut all: Vec<(usize, Told<'_>)> = Vec::with_capacity(estate.sources.len());
    let mut written = Ok(());
    wait::for_it(watch::each(&estate, Demand::default(), &watch::no_past(), |tried| {
        let told = tell(&estate, &tried, Timestamp::now());
        if table && written.is_ok() {
            // At once: the slow ones must not hold up what is known of the others.
            written = line(&estate, &told, out).and_then(|()| out.flush());
        }
        all.push((tried.source, told));
    }))?;
    written?;
    all.sort_by_key(|(source, _)| *source);
    let told: Vec<Told<'_>> = all.into_iter().map(|(_, told)| told).collect();
    let well = told.iter().filter(|told| told.is_well()).count();
    match settings.global.output {
        Output::Json => settings::json(&told, out)?,
        Output::Table | Output::Csv if well == told.len() => writeln!(out, "\nall well: `qd` opens the console")?,
        Output::Table | Output::Csv => writeln!(out, "\nsources {}, of them not well {}", told.len(), told.len() - well)?,
    }
    Ok(if well == told.len() { OK } else { FAILED })
}

fn tell<'a>(estate: &'a Estate, tried: &Tried, now: Timestamp) -> Told<'a> {
    let source: &Source = &estate.sources[tried.source];
    let mut warnings = Vec::new();
    let mut failed = Vec::new();
    let mut said = None;
    // One try a moment ago: its end tells the state, not its age.
    let state = match tried.reading.held.as_ref().filter(|_| tried.reading.failure.is_none()) {
        Some(held) => {
            said = Some(say(&held.value, &mut warnings));
            for panel in estate.panels.iter().filter(|panel| panel.source == source.name) {
                if let Some(error) = held.value.panel(&panel.name).and_then(|answer| answer.error.clone()) {
                    failed.push(FailedPanel { name: &panel.name, error });
                }
            }
            Freshness::Fresh
        }
        None => tried.reading.freshness(now),
    };
    Told {
        name: &source.name,
        kind: source.kind.word(),
        state: state.word(),
        seconds: (tried.took.as_secs_f64() * 1e3).round() / 1e3,
        said,
        error: tried.reading.failure.as_ref().map(|failure| failure.what.clone()),
        warnings,
        panels: failed,
    }
}

/// What a source is and has, in a few words.
fn say(answer: &Answer, warnings: &mut Vec<String>) -> String {
    let mut parts: Vec<String> = Vec::new();
    match answer {
        Answer::Prometheus(answer) => {
            parts.extend(answer.version.as_ref().map(|version| format!("version {version}")));
            parts.push(format!("alerts {}", answer.alerts.len()));
            parts.extend(answer.targets.as_ref().map(|targets| format!("targets {} up {} down", targets.up, targets.down_count)));
            if let Some(rules) = &answer.rules {
                parts.push(format!("rules {}", rules.alerting + rules.recording));
                warnings.extend(rules.failing.first().map(|first| format!("rules that fail: {first}")));
            }
            warnings.extend(skew("its", answer.clock_ahead));
            warnings.extend(answer.notes.iter().cloned());
        }
        Answer::Alertmanager(answer) => {
            let reached = answer.peers.iter().filter(|peer| peer.error.is_none()).count();
            let mut versions: Vec<&str> = answer.peers.iter().filter_map(|peer| peer.version.as_deref()).collect();
            versions.sort_unstable();
            versions.dedup();
            if !versions.is_empty() {
                parts.push(format!("version {}", versions.join(" and ")));
            }
            parts.push(format!("alerts {}, peers {reached} of {}", answer.alerts.len(), answer.peers.len()));
            for peer in &answer.peers {
                warnings.extend(peer.error.as_ref().map(|error| format!("peer {}: {error}", peer.url)));
                warnings.extend(skew(&format!("the peer {}'s", peer.url), peer.clock_ahead));
            }
            warnings.extend(answer.disagreements.iter().cloned());
            if let Some(switch) = answer.dead_man.as_ref().filter(|switch| !switch.firing) {
                warnings.push(format!("the dead man's switch {} does not fire: alerts may not arrive", switch.labels.short()));
            }
        }
        Answer::Backup(answer) => {
            parts.push(format!("{} recovery points", answer.total));
            parts.extend((!answer.by.is_empty()).then(|| format!("says {}", answer.by)));
            warnings.extend(answer.notes.iter().cloned());
        }
        Answer::Exposition(answer) => {
            parts.push(format!("{}, {} bytes, series {}", answer.format, answer.bytes, answer.series));
            warnings.extend(skew("its", answer.clock_ahead));
            warnings.extend(answer.notes.iter().cloned());
        }
        Answer::Database(answer) => {
            parts.push(answer.summary());
            for node in &answer.nodes {
                warnings.extend(node.error.iter().cloned());
                let notes = node.said.iter().flat_map(|said| &said.notes);
                warnings.extend(notes.map(|note| format!("{}: {note}", node.name)));
            }
        }
        Answer::History(answer) => {
            parts.push(format!("{} deployments", answer.deployments.len()));
            warnings.extend(answer.notes.iter().cloned());
        }
        Answer::Probe(answer) => {
            parts.push(if answer.up { "up" } else { "not as it should be" }.to_owned());
            parts.extend(answer.status.map(|status| format!("status {status}")));
            warnings.extend(answer.why.clone());
        }
    }
    parts.join(", ")
}

/// A clock that makes every age a lie.
fn skew(whose: &str, ahead: Option<i64>) -> Option<String> {
    let ahead = ahead.filter(|seconds| seconds.abs() > CLOCK_SKEW)?;
    let way = if ahead > 0 { "ahead of" } else { "behind" };
    Some(format!("{whose} clock is {} s {way} this machine's: ages are off by that; set the clocks right", ahead.abs()))
}

fn line(estate: &Estate, told: &Told<'_>, out: &mut dyn Write) -> std::io::Result<()> {
    let mark = if told.is_well() && told.warnings.is_empty() { ' ' } else { '!' };
    let names = estate.sources.iter().map(|source| source.name.width()).max().unwrap_or(0);
    let kinds = estate.sources.iter().map(|source| source.kind.word().len()).max().unwrap_or(0);
    let pad = " ".repeat(names.saturating_sub(told.name.width()));
    let text = told.error.as_deref().or(told.said.as_deref()).unwrap_or_default();
    let line = format!("{}{pad}  {:kinds$}  {:11}  {:>6.2} s  {text}", told.name, told.kind, told.state, told.seconds);
    writeln!(out, "{mark} {}", clean(&line, NOTE_CAP))?;
    let warnings = told.warnings.iter().cloned();
    let panels = told.panels.iter().map(|panel| format!("panel {}: {}", panel.name, panel.error));
    for more in warnings.chain(panels) {
        writeln!(out, "    {}", clean(&more, NOTE_CAP))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
