//! `qd show`: one run with all that happened.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use crate::journal::Journal;
use crate::model::check::Check;
use crate::model::event::{Event, Record};
use crate::model::plan::Plan;
use crate::model::run::advice::advice;
use crate::model::run::report::report;
use crate::model::run::{Agreement, RunState};
use crate::model::text::{NOTE_CAP, clean};
use crate::operate::attach::liveness;

use super::super::OK;
use super::super::args::Output;
use super::super::failure::Failure;
use super::super::settings::{self, Settings};
use super::{Ground, me, runs};

#[derive(Serialize)]
struct Told<'a> {
    run: &'a str,
    state: String,
    live: &'static str,
    hash: &'a str,
    agreement: Option<&'a Agreement>,
    checks: &'a [Check],
    steps: Vec<Step<'a>>,
    /// What stays as the run left it, or as it stands now.
    stays: Vec<String>,
    /// What can be done next: a command, and what it does.
    next: Vec<String>,
    plan: &'a Plan,
    events: &'a [Record],
}

#[derive(Serialize)]
struct Step<'a> {
    id: &'a str,
    title: &'a str,
    state: &'static str,
    tries: u32,
    said: &'a str,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    output: &'a [String],
}

/// Shows it; as a report in Markdown where that is asked for.
pub fn run(settings: &Settings<'_>, run: &str, as_report: bool, out: &mut dyn Write) -> Result<u8, Failure> {
    let ground = Ground::of(settings)?;
    let (state, events) = ground.one(run)?;
    let state = &state;
    let (here, now) = (me(settings).host, Timestamp::now());
    let live = liveness(state, &ground.runs, &here, now);
    if as_report {
        let Some(journal) = Journal::read(&ground.journal).map_err(color_eyre::Report::from)? else { return Ok(OK) };
        let head = journal.head().map_err(color_eyre::Report::from)?;
        write!(out, "{}", settings.typed(&report(state, live, &head.to_string())))?;
        return Ok(OK);
    }
    let step = |place: usize| {
        let (plan, run) = (&state.plan.steps[place], &state.steps[place]);
        Step {
            id: &plan.id,
            title: &plan.title,
            state: state.word_of(place),
            tries: run.attempt,
            said: &run.said,
            since: run.since,
            until: run.until,
            output: &run.output,
        }
    };
    let told = Told {
        run: &state.run,
        state: settings.typed(&runs::said(state, live, &ground)),
        live: live.word(),
        hash: &state.hash,
        agreement: state.agreement.as_ref(),
        checks: &state.checks,
        steps: (0..state.steps.len()).map(step).collect(),
        stays: state.stays(),
        next: advice(state, live)
            .into_iter()
            .filter(|advice| !advice.command.starts_with("qd show "))
            .map(|advice| settings.typed(&format!("{}: {}", advice.command, advice.means)))
            .collect(),
        plan: &state.plan,
        events: &events,
    };
    match settings.global.output {
        Output::Json => settings::json(&told, out)?,
        Output::Table | Output::Csv => table(settings, state, &told, out)?,
    }
    Ok(OK)
}

fn table(settings: &Settings<'_>, state: &RunState, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut line = |text: &str| writeln!(out, "{}", clean(&settings.typed(text), NOTE_CAP));
    line(&format!("{}: {} of {}, {}", state.run, state.plan.deed.word(), state.plan.subject, told.state))?;
    if let Some(agreement) = &state.agreement {
        line(&format!("{} agreed, `{}` was typed: {}", state.by.name(), agreement.phrase, agreement.reason))?;
        for of in &agreement.overrides {
            line(&format!("! overridden: {}: {}", of.check, of.reason))?;
        }
        if let Some(why) = &agreement.glass {
            let reviewed = state
                .reviewed
                .as_ref()
                .map_or_else(|| "not reviewed yet".to_owned(), |(by, note)| format!("{} reviewed it: {note}", by.name()));
            line(&format!("! the glass was broken: {why}; {reviewed}"))?;
        }
    }
    line("\nsteps")?;
    for step in &told.steps {
        let said = if step.said.is_empty() { step.title } else { step.said };
        line(&format!("  {:16} {}: {said}", step.state, step.id))?;
    }
    if !told.stays.is_empty() {
        line("\nchanged as things stand")?;
        told.stays.iter().try_for_each(|stays| line(&format!("  {stays}")))?;
    }
    if !told.next.is_empty() {
        line("\nnext")?;
        told.next.iter().try_for_each(|next| line(&format!("  {next}")))?;
    }
    line("\nevents")?;
    told.events.iter().filter_map(|record| event(record, told.plan)).try_for_each(|text| line(&format!("  {text}")))
}

/// One event of a run with this plan as a line.
pub fn event(record: &Record, plan: &Plan) -> Option<String> {
    let Event::Run(of) = &record.event else { return None };
    Some(format!("{}  {}", record.said_at.strftime("%H:%M:%SZ"), of.what.told(plan)))
}
