//! `qd runs`: the runs of this person's journal.

use std::io::Write;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::run::known::Liveness;
use crate::model::run::{Phase, RunState};
use crate::model::text::{NOTE_CAP, clean};
use crate::operate::attach::{last_words, liveness};

use super::super::args::Output;
use super::super::failure::Failure;
use super::super::settings::{self, Settings};
use super::super::{OK, columns};
use super::{Ground, me};

#[derive(Serialize)]
struct Row<'a> {
    run: &'a str,
    deed: &'static str,
    subject: &'a str,
    by: String,
    begun: Option<Timestamp>,
    state: String,
    live: &'static str,
    done: usize,
    steps: usize,
}

/// Lists them, the newest first.
pub fn run(settings: &Settings<'_>, out: &mut dyn Write) -> Result<u8, Failure> {
    let ground = Ground::of(settings)?;
    let (here, now) = (me(settings).host, Timestamp::now());
    let known = ground.all()?;
    let all = known.all().iter().rev();
    let rows: Vec<Row<'_>> = all.map(|state| row(settings, state, liveness(state, &ground.runs, &here, now), &ground)).collect();
    match settings.global.output {
        Output::Json => settings::json(&rows, out)?,
        Output::Table | Output::Csv if rows.is_empty() => writeln!(out, "no runs yet")?,
        Output::Table | Output::Csv => {
            let line = |row: &Row<'_>| {
                let begun = row.begun.map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
                let steps = format!("{}/{}", row.done, row.steps);
                [row.run, row.deed, &row.by, &begun, &steps, row.live, &row.state].map(|text| clean(text, NOTE_CAP).into_owned()).to_vec()
            };
            columns::write(out, &rows.iter().map(line).collect::<Vec<_>>())?;
        }
    }
    Ok(OK)
}

fn row<'r>(settings: &Settings<'_>, state: &'r RunState, live: Liveness, ground: &Ground) -> Row<'r> {
    Row {
        run: &state.run,
        deed: state.plan.deed.word(),
        subject: &state.plan.subject,
        by: state.by.name(),
        begun: state.begun_at,
        state: settings.typed(&said(state, live, ground)),
        live: live.word(),
        done: state.progress().0,
        steps: state.steps.len(),
    }
}

/// How it stands, and what to do where somebody must do something.
pub fn said(state: &RunState, live: Liveness, ground: &Ground) -> String {
    let run = &state.run;
    match (&state.ended, live) {
        (Some((_, ending)), _) if state.unreviewed().is_some() => {
            format!("{ending}; ! the glass was broken and nobody reviewed it: `qd review {run} --note WHAT`")
        }
        (Some((_, ending)), _) => ending.to_string(),
        (None, Liveness::Orphaned) if state.runners == 0 => "it was planned and never begun: nothing was changed".to_owned(),
        (None, Liveness::Orphaned) => {
            let words = last_words(state, &ground.runs).map_or_else(String::new, |words| format!(" ({words})"));
            format!("its runner is gone{words}: `qd resume {run} --reason WHY` goes on, `qd abort {run} --reason WHY` takes it back")
        }
        (None, Liveness::Silent { .. }) => "its runner is there and does not beat: it may be stopped".to_owned(),
        (None, Liveness::Elsewhere { .. }) => format!("on {}", state.runner.as_ref().map_or("another machine", |runner| &runner.host)),
        (None, Liveness::Live { .. } | Liveness::Over) => match state.phase() {
            Phase::Asking => match &state.asked {
                Some((_, why)) => format!("a person must decide: {why}"),
                None => "a person must decide".to_owned(),
            },
            Phase::Paused => format!("paused: {}", state.paused.as_deref().unwrap_or_default()),
            Phase::Aborting => format!("is taken back: {}", state.aborting.as_deref().unwrap_or_default()),
            Phase::Planned | Phase::Preparing => "makes ready".to_owned(),
            Phase::Going => match state.checking().next() {
                Some((step, "")) => format!("goes on; whether {step} is done is not known, it is read back until it is"),
                Some((step, said)) => format!("goes on; whether {step} is done is not known, it is read back until it is: {said}"),
                None => "goes on".to_owned(),
            },
            Phase::Ended => "ended".to_owned(),
        },
    }
}
