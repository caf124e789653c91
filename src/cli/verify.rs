//! `qd verify`: verifies one backup without a screen.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use color_eyre::eyre::eyre;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::model::backup::{
    BackupAnswer, BackupOf, Extent, Method, Order, Outcome, Progress, Verification, nothing_to_verify, orders, with_needs,
};
use crate::model::estate::{Estate, SourceKind};
use crate::model::source::Answer;
use crate::session::ask::verify::{Ended, Verifier};
use crate::session::past::past;
use crate::watch;

use super::args::{Output, Verify};
use super::failure::Failure;
use super::settings::{self, Settings};
use super::stops::Stops;
use super::wait;
use super::{BROKEN, FAILED, INTERRUPTED, OK, USAGE};

#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    verification: &'a Verification,
    /// Why it could not be recorded.
    unrecorded: Option<&'a str>,
}

/// Verifies; the result is the exit code.
pub fn run(settings: &Settings<'_>, what: &Verify, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let estate = Arc::new(settings.estate()?);
    let _log = settings.log(err);
    let place = estate.sources.iter().position(|s| s.name == what.backup && matches!(s.kind, SourceKind::Backup(_)));
    let Some(place) = place else {
        let names: Vec<&str> = estate.sources.iter().filter(|s| matches!(s.kind, SourceKind::Backup(_))).map(|s| s.name.as_str()).collect();
        writeln!(err, "qd: the estate file has no backup {:?}; it has: {}", what.backup, names.join(", "))?;
        return Ok(USAGE);
    };
    wait::side_by_side(verify(settings, &estate, place, what, out, err))?
}

async fn verify(
    settings: &Settings<'_>,
    estate: &Arc<Estate>,
    place: usize,
    what: &Verify,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Failure> {
    let answer = ask(settings, estate, place).await?;
    let order = match order(estate, place, &answer, what) {
        Ok(order) => order,
        Err(why) => {
            writeln!(err, "qd: {why}")?;
            return Ok(USAGE);
        }
    };
    writeln!(err, "verifies {}: {}; {}\n  {}", order.name, order.words(), order.cost(), order.runs())?;
    let verifier = Arc::new(Verifier::new(settings.paths.journal(), settings.hand(Some(estate))));
    let (tell, mut told) = mpsc::channel::<Progress>(4);
    let mut work = {
        let verifier = verifier.clone();
        // Only the newest matters.
        tokio::spawn(async move { verifier.carry_out(order, move |progress| drop(tell.try_send(progress))).await })
    };
    let last = AtomicU64::new(u64::MAX);
    let mut stops = Stops::listen()?;
    let ended = loop {
        tokio::select! {
            ended = &mut work => break ended.map_err(color_eyre::Report::from)?,
            Some(progress) = told.recv() => say(&progress, &last, err)?,
            () = stops.wanted() => {
                writeln!(err, "stopping")?;
                verifier.stop(place);
            }
        }
    };
    match ended {
        Ok(ended) => tell_end(settings, &ended, what, out, err),
        Err(why) => Err(Failure::Other(eyre!("nothing was verified: {why}"))),
    }
}

/// Asks that one backup what it has.
async fn ask(settings: &Settings<'_>, estate: &Arc<Estate>, place: usize) -> Result<Arc<BackupAnswer>, Failure> {
    let mut alone = Estate::clone(estate);
    alone.sources = vec![estate.sources[place].clone()];
    alone.panels.clear();
    alone.rules.clear();
    let alone = Arc::new(alone);
    let past = past(alone.clone(), settings.paths.readings());
    let mut readings = watch::once(&alone, Default::default(), &past).await;
    let reading = readings.pop();
    match reading.as_ref().and_then(|reading| reading.held.as_ref()).map(|held| &held.value) {
        Some(Answer::Backup(answer)) => Ok(answer.clone()),
        _ => {
            let why = reading.and_then(|reading| reading.failure).map_or_else(|| "no answer".to_owned(), |failure| failure.what);
            Err(Failure::Other(eyre!("the backup {} cannot be read: {why}", estate.sources[place].name)))
        }
    }
}

/// What is asked for; `Err` says why that makes no sense.
fn order(estate: &Estate, place: usize, answer: &BackupAnswer, what: &Verify) -> Result<Order, String> {
    let source = &estate.sources[place];
    let all = orders(place, source, Some(answer));
    let directory = matches!(&source.kind, SourceKind::Backup(of) if matches!(of.of, BackupOf::Directory { .. }));
    let Some(usual) = all.first().cloned() else {
        let SourceKind::Backup(of) = &source.kind else { return Err(format!("{} is no backup", source.name)) };
        return Err(format!("{}: {}", source.name, nothing_to_verify(&of.of)));
    };
    let point = match &what.point {
        Some(id) => Some(answer.points.iter().find(|point| point.id == *id).ok_or_else(|| format!("{} has no point {id}", source.name))?),
        None => None,
    };
    match (directory, point) {
        (true, _) if what.percent.is_some() => Err("--percent is for restic: the files of a snapshot are all read".to_owned()),
        (true, Some(point)) => Ok(Order { extent: Extent::Point, points: with_needs(answer, point), ..usual }),
        (true, None) if what.all => Ok(Order { extent: Extent::All, points: answer.points.clone(), ..usual }),
        (true, None) => Ok(usual),
        (false, _) => match (usual.method, what.percent) {
            (Method::Restic { .. }, Some(percent)) => Ok(Order { method: Method::Restic { percent }, ..usual }),
            (_, Some(_)) => Err("--percent is for restic".to_owned()),
            (_, None) => Ok(usual),
        },
    }
}

/// One line for each percent.
fn say(progress: &Progress, last: &AtomicU64, err: &mut dyn Write) -> io::Result<()> {
    match progress.percent() {
        Some(percent) if last.swap(percent, Ordering::Relaxed) != percent => writeln!(err, "{percent:3} %  {}", progress.what),
        _ => Ok(()),
    }
}

fn tell_end(settings: &Settings<'_>, ended: &Ended, what: &Verify, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let of = &ended.verification;
    match settings.global.output {
        Output::Json => settings::json(&Told { verification: of, unrecorded: ended.unrecorded.as_deref() }, out)?,
        Output::Table | Output::Csv => {
            writeln!(out, "{}: {} ({})", of.source, of.outcome.word(), of.method)?;
            for point in &of.points {
                let proves = of.method.proves();
                match &point.broken {
                    Some(why) => writeln!(out, "X {}  {why}", point.id)?,
                    None => writeln!(out, "  {}  {} {}", point.id, proves.word(), proves.meaning())?,
                }
            }
            of.evidence.iter().try_for_each(|line| writeln!(out, "    {line}"))?;
        }
    }
    if let Some(why) = &ended.unrecorded {
        writeln!(err, "qd: the result could not be recorded, so it proves nothing: {why}")?;
    }
    let about = what.point.as_ref().and_then(|id| of.points.iter().find(|point| point.id == *id));
    Ok(match (of.outcome, about) {
        (Outcome::Cancelled, _) => INTERRUPTED,
        (Outcome::Passed | Outcome::Failed, _) if ended.unrecorded.is_some() && of.outcome == Outcome::Passed => FAILED,
        (Outcome::Passed, _) => OK,
        (Outcome::Failed, Some(point)) if point.broken.is_none() => OK,
        (Outcome::Failed, _) => BROKEN,
        (Outcome::Begun | Outcome::Unknown, _) => FAILED,
    })
}
