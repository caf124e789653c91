//! `qd status`: one poll of every source, told once: a table or JSON, and an exit code that a monitor understands.

mod json;
mod linear;
mod table;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::app::deployments::Made;
use crate::app::state::View;
use crate::app::verdict::verdict;
use crate::model::backup::Proofs;
use crate::model::deployment::news::News;
use crate::model::deployment::{Deployment, dora};
use crate::model::estate::{Estate, Severity};
use crate::model::metric::Demand;
use crate::model::reading::Reading;
use crate::model::source::Answer;
use crate::operate::history;
use crate::session::archive::Archive;
use crate::session::ask::MEASURED;
use crate::session::ask::verify::known;
use crate::session::past::past;
use crate::watch::{self, Ledger};

use super::args::Output;
use super::failure::Failure;
use super::settings::{self, Settings};
use super::wait;

pub use self::linear::linear;

/// Exit code: something is a warning.
pub const WARNING: u8 = 1;
/// Exit code: something is critical.
pub const CRITICAL: u8 = 2;
/// Exit code: too little is known to say ok, and nothing known is worse.
pub const UNKNOWN: u8 = 3;

/// What is known about an estate at one moment.
struct Report<'a> {
    estate: &'a Estate,
    readings: &'a [Reading<Answer>],
    /// What the journal says of its backups.
    proofs: Proofs,
    view: View,
    at: Timestamp,
    /// What the index tells of deployments, where the readings leave some out.
    indexed: Option<Indexed>,
}

/// What the index of deployments tells.
struct Indexed {
    /// How many there are.
    total: usize,
    /// Those that DORA's measures are of, the newest first.
    measured: Vec<Arc<Deployment>>,
    /// True where there are older ones in the windows that were not read.
    more: bool,
}

impl Indexed {
    /// Brings the index up to now and asks it; `None` where no console made one, or it cannot be read.
    fn of(estate: &Arc<Estate>, cache: Option<PathBuf>, recorded: &News, now: Timestamp) -> Option<Indexed> {
        let archive = Arc::new(Archive::new(estate.clone(), cache.clone()));
        let known = || archive.read(|index, estate| index.total(estate)).ok().filter(|total| *total > 0);
        if !archive.path().is_some_and(Path::exists) {
            return None;
        }
        known()?;
        let ledger: Arc<dyn Ledger> = archive.clone();
        wait::for_it(watch::histories(estate, &past(estate.clone(), cache), &ledger)).ok()?;
        archive.recorded(recorded);
        let since = dora::WINDOWS.into_iter().map(|days| dora::Window::before(days, now).from).min()?;
        let (measured, more) = archive.read(|index, estate| index.between(estate, None, since, now, MEASURED)).ok()?;
        Some(Indexed { total: known()?, measured, more })
    }
}

impl<'a> Report<'a> {
    fn of(estate: &'a Estate, readings: &'a [Reading<Answer>], made: &Made, at: Timestamp) -> Report<'a> {
        let view = View::of(estate, readings, made, &View::default(), at);
        Report { estate, readings, proofs: Proofs::default(), view, at, indexed: None }
    }

    /// Deployments that a history tells of and that are not known here: older ones than its newest.
    fn left_out(&self) -> usize {
        if self.indexed.is_some() {
            return 0;
        }
        let dropped = |reading: &Reading<Answer>| match &reading.held.as_ref()?.value {
            Answer::History(answer) => Some(answer.dropped),
            _ => None,
        };
        self.readings.iter().filter_map(dropped).sum()
    }

    /// What all of it comes to.
    fn verdict(&self) -> Severity {
        verdict(&self.view, self.readings, self.at)
    }
}

/// The exit code of a verdict.
pub fn exit(verdict: Severity) -> u8 {
    match verdict {
        Severity::Ok | Severity::Info => super::OK,
        Severity::Warning => WARNING,
        Severity::Critical => CRITICAL,
        Severity::Unknown => UNKNOWN,
    }
}

/// All that the table and the JSON tell.
#[cfg(test)]
pub(super) fn told(estate: &Estate, readings: &[Reading<Answer>], at: Timestamp) -> Vec<u8> {
    let report = Report::of(estate, readings, &Made::default(), at);
    let mut out = Vec::new();
    table::write(&report, &mut out).unwrap();
    settings::json(&json::status(&report), &mut out).unwrap();
    out
}

/// Polls once and prints what is known.
pub fn run(settings: &Settings<'_>, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let estate = Arc::new(settings.estate()?);
    let _log = settings.log(err);
    let Polled { readings, proofs, .. } = poll(settings, &estate, Demand::default())?;
    let recorded = recorded(settings, &estate);
    let made: Made = Arc::new(recorded.rows.clone());
    let mut report = Report { proofs, ..Report::of(&estate, &readings, &made, Timestamp::now()) };
    if report.left_out() > 0 {
        report.indexed = Indexed::of(&estate, settings.paths.readings(), &recorded, report.at);
    }
    match settings.global.output {
        Output::Json => settings::json(&json::status(&report), out)?,
        Output::Table | Output::Csv => table::write(&report, out)?,
    }
    Ok(exit(report.verdict()))
}

/// What the journal tells of deployments. Why it cannot be read is in the log where it was polled.
pub fn recorded(settings: &Settings<'_>, estate: &Estate) -> News {
    settings.paths.journal().and_then(|journal| history::read(&journal, estate).ok()).unwrap_or_default()
}

/// What one poll of every source comes to.
pub struct Polled {
    /// Of each source, in the estate's order.
    pub readings: Vec<Reading<Answer>>,
    /// What the journal says of the backups.
    pub proofs: Proofs,
    /// Why the journal cannot be used.
    pub problem: Option<String>,
}

/// Tries every source once; each try ends by its own timeout. What earlier consoles saw is there where it is kept.
pub fn poll(settings: &Settings<'_>, estate: &Arc<Estate>, demand: Demand) -> Result<Polled, Failure> {
    let mut readings = wait::for_it(watch::once(estate, demand, &past(estate.clone(), settings.paths.readings())))?;
    // What was verified; where the journal cannot be read nothing is proved, and the log says why.
    let (proofs, problem) = settings.paths.journal().map(|journal| known(&journal)).unwrap_or_default();
    problem.iter().for_each(|problem| tracing::warn!(problem, "the journal cannot be used"));
    proofs.apply_all(estate, &mut readings);
    Ok(Polled { readings, proofs, problem })
}
