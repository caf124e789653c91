//! `qd status --watch`: says how things stand, then only what is new, a line each, until it is stopped. Lines are appended,
//! never redrawn: for screen readers, Braille displays, logs and pipes.

use std::io::{self, Write};
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use serde::Serialize;

use crate::app::linear::{Kind, Line};
use crate::app::state::State;
use crate::model::estate::Severity;
use crate::model::text::{NOTE_CAP, clean};
use crate::session::linear::{Ended, Kept, Pace, listen};

use super::super::args::Output;
use super::super::failure::Failure;
use super::super::settings::{Settings, identity};
use super::exit;

#[derive(Serialize)]
struct Told<'a> {
    at: Timestamp,
    kind: &'static str,
    severity: Severity,
    what: &'a str,
}

/// Watches until it is stopped, or for `limit`: then the exit code is that of `qd status`. Where nothing is
/// new for `every`, how all of it stands is told again.
pub fn linear(
    settings: &Settings<'_>,
    every: SignedDuration,
    limit: Option<SignedDuration>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Failure> {
    let pace = Pace { still: every.unsigned_abs(), limit: limit.map(SignedDuration::unsigned_abs) };
    let estate = settings.estate()?;
    let preferences = settings.preferences()?;
    let (look, keymap) = (settings.look(&preferences, false)?, settings.keymap(&preferences)?);
    let _log = settings.log(err);
    let kept = Kept { cache: settings.paths.readings(), journal: settings.paths.journal(), hand: settings.hand(Some(&estate)) };
    let now = Timestamp::now();
    let state = State::new(Arc::new(estate), identity(settings.named()), look, Arc::new(keymap), now, (80, 24));
    let sources = match state.estate.sources.len() {
        1 => "1 source".to_owned(),
        many => format!("{many} sources"),
    };
    let title = format!("{} {}, {sources}", state.estate.name, state.estate.environment);
    let zone = state.zone();
    let mut day = None;
    if settings.global.output != Output::Json {
        let text = format!("{title}; only what is new is told, Ctrl-C ends it; times are {}", zone_name(&zone, now));
        writeln!(out, "{}", clean(&text, NOTE_CAP))?;
        out.flush()?;
    }
    let mut tell = |lines: &[Line]| {
        for line in lines {
            match settings.global.output {
                Output::Json => json(line, out)?,
                Output::Table | Output::Csv => text(line, &zone, &mut day, out)?,
            }
        }
        // Who listens hears it now.
        out.flush()
    };
    Ok(match listen(state, kept, pace, &mut tell)?? {
        Ended::Stopped(code) => code,
        Ended::After(verdict) => exit(verdict),
    })
}

fn zone_name(zone: &TimeZone, at: Timestamp) -> String {
    zone.to_offset_info(at).abbreviation().to_owned()
}

fn json(line: &Line, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Told { at: line.at, kind: line.kind.word(), severity: line.severity, what: &line.what })?;
    writeln!(out)
}

/// The time, the state, the rest. The date is a line of its own whenever it is another one.
fn text(line: &Line, zone: &TimeZone, day: &mut Option<civil::Date>, out: &mut dyn Write) -> io::Result<()> {
    let at = zone.to_datetime(line.at);
    if *day != Some(at.date()) {
        *day = Some(at.date());
        writeln!(out, "{}", at.date())?;
    }
    let state = match (line.kind, line.severity) {
        // What is only told is no state.
        (Kind::Change | Kind::Run, Severity::Info) => String::new(),
        (_, severity) => format!("{}: ", severity.word()),
    };
    writeln!(out, "{} {state}{}", at.strftime("%H:%M:%S"), clean(&line.what, NOTE_CAP))
}
