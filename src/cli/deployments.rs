//! `qd deployments`: what was deployed, as a table, JSON or CSV. Each history is read once; what was indexed of it earlier
//! is known too.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use crate::app::filter::Filter;
use crate::app::subject::DEPLOYMENT_FIELDS;
use crate::model::age;
use crate::model::deployment::{Deployment, Ending};
use crate::model::estate::{Estate, SourceKind};
use crate::session::archive::Archive;
use crate::session::export::{Export, Format};
use crate::session::operator::histories;
use crate::session::past::past;

use super::args::Output;
use super::failure::Failure;
use super::settings::Settings;
use super::wait;
use super::{FAILED, OK, columns};

/// Rows that a table measures at once: the whole of a long one is never held.
const BLOCK: usize = 1_000;

/// Prints those that pass the filter, the newest first. Where a history cannot be read, what is known is printed, that is
/// said on `err`, and the exit code is 1.
pub fn run(settings: &Settings<'_>, filter: &str, limit: Option<usize>, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let filter = parse(filter).map_err(|why| Failure::Usage(format!("--filter: {why}")))?;
    let estate = Arc::new(settings.estate()?);
    let _log = settings.log(err);
    if !estate.sources.iter().any(|source| matches!(source.kind, SourceKind::History(_))) {
        return Err(Failure::Usage("the estate file names no [[history]]: nothing tells of deployments".to_owned()));
    }
    let archive = Arc::new(Archive::new(estate.clone(), settings.paths.readings()));
    let failed = read(settings, &estate, &archive)?;
    let plan = filter.plan(Timestamp::now());
    let (stop, mut left, mut written) = (AtomicBool::new(false), limit.unwrap_or(usize::MAX), Ok(()));
    let mut sheet = Sheet::new(settings.global.output, out)?;
    let mut add = |one: Deployment| {
        if left > 0 && written.is_ok() {
            written = sheet.add(&one);
            left -= 1;
        }
        if left == 0 || written.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
    };
    if limit != Some(0) {
        let told = archive.read(|index, estate| index.each(estate, &plan.narrow, &mut |one| plan.lets(one), &stop, &mut add));
        told.map_err(|why| Failure::Other(color_eyre::eyre::eyre!(why)))?;
    }
    written?;
    sheet.finish()?;
    for (name, why) in &failed {
        writeln!(err, "qd: {name} cannot be read: {why}; the newest of it may be missing")?;
    }
    Ok(if failed.is_empty() { OK } else { FAILED })
}

fn parse(text: &str) -> Result<Filter, String> {
    let filter = Filter::parse(text)?;
    let unknown = filter.unknown_field(|name| DEPLOYMENT_FIELDS.contains(&name));
    match unknown.map(|name| crate::app::filter::no_field(name, DEPLOYMENT_FIELDS)) {
        Some(why) => Err(why),
        None => Ok(filter),
    }
}

/// Reads each history and the journal once into the index; those that failed, with why.
pub(super) fn read(settings: &Settings<'_>, estate: &Arc<Estate>, archive: &Arc<Archive>) -> Result<Vec<(String, String)>, Failure> {
    let past = past(estate.clone(), settings.paths.readings());
    wait::for_it(histories(estate, archive, &past, settings.paths.journal().as_deref(), None))
}

/// What is printed.
enum Sheet<'o> {
    Table { out: &'o mut dyn Write, rows: Vec<Vec<String>> },
    Export(Box<Export<&'o mut dyn Write>>),
}

impl<'o> Sheet<'o> {
    fn new(output: Output, out: &'o mut dyn Write) -> io::Result<Sheet<'o>> {
        let format = match output {
            Output::Table => {
                let head = ["TIME", "SERVICE", "SITE", "VERSION", "WHO", "RESULT", "TOOK", "ID"].map(str::to_owned).to_vec();
                return Ok(Sheet::Table { out, rows: vec![head] });
            }
            Output::Json => Format::Json,
            Output::Csv => Format::Csv,
        };
        Ok(Sheet::Export(Box::new(Export::new(format, out)?)))
    }

    fn add(&mut self, one: &Deployment) -> io::Result<()> {
        match self {
            Sheet::Export(export) => export.add(one),
            Sheet::Table { out, rows } => {
                rows.push(row(one));
                if rows.len() >= BLOCK {
                    columns::write(*out, rows)?;
                    rows.clear();
                }
                Ok(())
            }
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Sheet::Export(export) => export.finish(),
            Sheet::Table { out, rows } => columns::write(out, &rows),
        }
    }
}

/// What a table tells of a deployment, here and in `qd status`: time, service, site, versions, person, result, duration.
pub(super) fn cells(one: &Deployment) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
    let result = match one.result {
        Some(Ending::Succeeded) => "succeeded",
        Some(Ending::Failed) => "X failed",
        None => "? unknown",
    };
    vec![
        one.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        one.service.clone(),
        text(&one.site),
        one.versions(),
        text(&one.who),
        result.to_owned(),
        one.took.map_or_else(|| "?".to_owned(), age::exact),
    ]
}

fn row(one: &Deployment) -> Vec<String> {
    let mut row = cells(one);
    row.push(one.id.clone().unwrap_or_else(|| "?".to_owned()));
    row
}
