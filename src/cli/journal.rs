//! `qd journal`: shows, verifies and exports the record of what was done and seen.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use color_eyre::eyre::{WrapErr, eyre};
use jiff::Timestamp;
use serde::Serialize;

use crate::journal::{self, Journal, JournalError, Verdict, verify_export};
use crate::model::event::{Event, Record};
use crate::model::text::{NOTE_CAP, clean};

use super::args::{Journal as What, Output};
use super::failure::Failure;
use super::settings::{self, Settings};
use super::{BROKEN, OK};

/// Does what is asked with the journal of this person.
pub fn run(settings: &Settings<'_>, what: &What, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    match what {
        What::Show { since } => show(settings, *since, out, err),
        What::Verify { file: Some(file) } => told(settings, &export(file)?, &file.display().to_string(), out),
        What::Verify { file: None } => match opened(settings, err)? {
            Some((path, journal)) => told(settings, &journal.verify(), &path.display().to_string(), out),
            None => Ok(OK),
        },
        What::Export { since } => {
            if let Some((_, journal)) = opened(settings, err)? {
                journal.export(*since, out).map_err(failed)?;
            }
            Ok(OK)
        }
    }
}

fn failed(error: JournalError) -> Failure {
    match error {
        // The reader of the output may have gone away.
        JournalError::Export(error) => Failure::Output(error),
        error => Failure::Other(error.into()),
    }
}

/// The journal, where there is one.
fn opened(settings: &Settings<'_>, err: &mut dyn Write) -> Result<Option<(PathBuf, Journal)>, Failure> {
    let path = settings.paths.journal().ok_or_else(|| eyre!("there is no folder for the journal: set HOME or XDG_STATE_HOME"))?;
    match Journal::read(&path).map_err(failed)? {
        Some(journal) => Ok(Some((path, journal))),
        None => {
            writeln!(err, "there is no journal yet: {} is made when something is recorded", path.display())?;
            Ok(None)
        }
    }
}

fn export(path: &Path) -> Result<Verdict, Failure> {
    if path.as_os_str() == "-" {
        return verify_export(std::io::stdin().lock()).map_err(|error| Failure::Other(error.into()));
    }
    let file = File::open(path).wrap_err_with(|| format!("{} cannot be read", path.display()))?;
    verify_export(file).map_err(|error| Failure::Other(eyre!("{}: {error}", path.display())))
}

#[derive(Serialize)]
struct Judged {
    events: u64,
    head: String,
    broken: Option<String>,
    clock: Vec<String>,
    notes: Vec<String>,
}

fn told(settings: &Settings<'_>, verdict: &Verdict, name: &str, out: &mut dyn Write) -> Result<u8, Failure> {
    let judged = Judged {
        events: verdict.good,
        head: verdict.head.hash.clone(),
        broken: verdict.broken.as_ref().map(ToString::to_string),
        clock: verdict.clock.iter().map(ToString::to_string).collect(),
        notes: verdict.notes.clone(),
    };
    match settings.global.output {
        Output::Json => settings::json(&judged, out)?,
        Output::Table | Output::Csv => {
            match &judged.broken {
                Some(broken) => {
                    writeln!(out, "X {name}: {}; {} events before that are as they were written", clean(broken, NOTE_CAP), judged.events)?
                }
                None => writeln!(out, "{name}: {} events are as they were written", judged.events)?,
            }
            judged.clock.iter().chain(&judged.notes).try_for_each(|line| writeln!(out, "! {line}"))?;
            writeln!(out, "head {} {}", verdict.head.count, judged.head)?;
        }
    }
    Ok(if verdict.broken.is_some() { BROKEN } else { OK })
}

fn show(settings: &Settings<'_>, since: Option<Timestamp>, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let Some((_, journal)) = opened(settings, err)? else { return Ok(OK) };
    let records = journal.records(since).map_err(failed)?;
    match settings.global.output {
        Output::Json => settings::json(&records, out)?,
        Output::Table | Output::Csv => {
            for record in &records {
                line(record, out)?;
            }
        }
    }
    Ok(OK)
}

fn line(record: &Record, out: &mut dyn Write) -> std::io::Result<()> {
    let (at, seq) = (record.said_at.strftime("%Y-%m-%dT%H:%M:%SZ"), record.seq);
    let (who, kind) = (record.actor.name(), record.event.kind());
    let said = match &record.event {
        Event::Verification(of) => {
            let alive = of.ended.is_none() && journal::is_alive(&record.actor);
            let runs = if alive { ", its process still runs" } else { "" };
            format!("{}: {} ({}){runs}", of.source, of.outcome.word(), of.method)
        }
        Event::Run(of) => format!("{}: {}", of.run, of.what),
    };
    writeln!(out, "{}", clean(&format!("{seq:>6}  {at}  {who:24} {kind} {said}"), NOTE_CAP))?;
    let Event::Verification(of) = &record.event else { return Ok(()) };
    for point in of.points.iter().filter(|point| point.broken.is_some()) {
        writeln!(out, "        X {}  {}", clean(&point.id, NOTE_CAP), clean(point.broken.as_deref().unwrap_or_default(), NOTE_CAP))?;
    }
    of.evidence.iter().try_for_each(|line| writeln!(out, "        {}", clean(line, NOTE_CAP)))
}
