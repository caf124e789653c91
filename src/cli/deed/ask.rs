//! `qd pause`, `resume`, `abort`, `retry`, `skip`, `confirm`, `take-back` and `review`: what a person asks of a run.

use std::io::Write;

use color_eyre::eyre::WrapErr;
use jiff::Timestamp;

use crate::journal::Journal;
use crate::model::event::Event;
use crate::model::run::known::Liveness;
use crate::model::run::{Happened, Preview, Request, RunEvent, RunState};
use crate::operate::attach::{self, liveness};

use super::super::OK;
use super::super::failure::Failure;
use super::super::settings::Settings;
use super::{Deed, Ground, may_write, me, runner};

/// Asks it. Of a run whose runner is gone a new one is started, which takes it up first of all.
pub fn run(settings: &Settings<'_>, deed: &Deed, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    may_write(settings)?;
    let ground = Ground::of(settings)?;
    if let Deed::Review { run, note } = deed {
        return review(settings, &ground.one(run)?.0, &ground, note, out);
    }
    let Some((run, request)) = request(deed) else { return Ok(OK) };
    let state = &ground.one(run)?.0;
    judge(state, &request)?;
    let by = me(settings);
    let live = liveness(state, &ground.runs, &by.host, Timestamp::now());
    match live {
        Liveness::Over => return Err(Failure::Usage(format!("{} has ended: `qd show {}` says how", state.run, state.run))),
        Liveness::Elsewhere { .. } => {
            let host = state.runner.as_ref().map_or("another machine", |runner| runner.host.as_str());
            return Err(Failure::Usage(format!("{} is carried out on {host}: ask for it there", state.run)));
        }
        Liveness::Live { .. } | Liveness::Silent { .. } | Liveness::Orphaned => {}
    }
    if matches!(request, Request::Abort { .. }) {
        // As it stands at this moment; the run's record says what it came to.
        for line in Preview::of(state).lines() {
            writeln!(err, "{line}")?;
        }
    }
    if live == Liveness::Orphaned && !matches!(request, Request::Pause { .. }) {
        writeln!(err, "its runner is gone, another one takes it up")?;
        let started = runner::take_up(settings, &ground, state, &request)?;
        let text = format!("{}: taken up again by process {}; `qd attach {}` follows it", started.run, started.process, started.run);
        writeln!(out, "{}", settings.typed(&text))?;
        return Ok(OK);
    }
    attach::ask(&ground.runs, &state.run, &request, &by).wrap_err("the request cannot be written: nothing was asked")?;
    match live {
        Liveness::Orphaned => {
            writeln!(out, "{}: its runner is gone, nothing is begun; the next one finds it paused", state.run)?;
        }
        Liveness::Silent { .. } => writeln!(out, "{}: asked; its runner does not beat, it is taken up when it goes on", state.run)?,
        Liveness::Live { .. } | Liveness::Over | Liveness::Elsewhere { .. } => {
            writeln!(out, "{}", settings.typed(&format!("{}: asked; `qd attach {}` follows it", state.run, state.run)))?
        }
    }
    Ok(OK)
}

fn request(deed: &Deed) -> Option<(&str, Request)> {
    let (reason, step) = (|of: &super::OfRun| of.reason.clone(), |of: &super::OfStep| (of.step.clone(), of.reason.clone()));
    Some(match deed {
        Deed::Pause(of) => (&of.run, Request::Pause { reason: reason(of) }),
        Deed::Resume(of) => (&of.run, Request::Resume { reason: reason(of) }),
        Deed::Abort(of) => (&of.run, Request::Abort { reason: reason(of) }),
        Deed::Retry(of) => {
            let (step, reason) = step(of);
            (&of.run, Request::Retry { step, reason })
        }
        Deed::Skip(of) => {
            let (step, reason) = step(of);
            (&of.run, Request::Skip { step, reason })
        }
        Deed::Confirm(of) => {
            let (step, reason) = step(of);
            (&of.run, Request::Confirm { step, reason })
        }
        Deed::TakeBack { run, target, reason } => (run, Request::TakeBack { target: target.clone(), reason: reason.clone() }),
        Deed::Runs | Deed::Show { .. } | Deed::Attach { .. } | Deed::Review { .. } => return None,
    })
}

/// What the run has not, and what has no reason, is not asked.
fn judge(state: &RunState, request: &Request) -> Result<(), Failure> {
    let (step, target, reason) = match request {
        Request::Pause { reason } | Request::Resume { reason } | Request::Abort { reason } => (None, None, reason),
        Request::Retry { step, reason } | Request::Skip { step, reason } | Request::Confirm { step, reason } => (Some(step), None, reason),
        Request::TakeBack { target, reason } => (None, Some(target), reason),
    };
    let wrong = |why: String| Err(Failure::Usage(why));
    if let Some(step) = step.filter(|step| state.plan.step(step).is_none()) {
        return wrong(format!("{} has no step {step:?}: `qd show {}` lists them", state.run, state.run));
    }
    if let Some(target) = target.filter(|target| state.plan.targets.iter().all(|of| of.name != **target)) {
        return wrong(format!("{} has no target {target:?}: `qd show {}` lists its steps", state.run, state.run));
    }
    if reason.trim().is_empty() {
        return wrong("--reason is empty: say why".to_owned());
    }
    Ok(())
}

fn review(settings: &Settings<'_>, state: &RunState, ground: &Ground, note: &str, out: &mut dyn Write) -> Result<u8, Failure> {
    if state.agreement.as_ref().is_none_or(|agreement| agreement.glass.is_none()) {
        return Err(Failure::Usage(format!("the glass was not broken for {}: there is nothing to review", state.run)));
    }
    if note.trim().is_empty() {
        return Err(Failure::Usage("--note is empty: say what was found".to_owned()));
    }
    let estate = settings.estate().ok();
    let event = Event::Run(RunEvent { run: state.run.clone(), what: Happened::Reviewed { note: note.to_owned() } });
    let now = Timestamp::now();
    let mut journal = Journal::open(&ground.journal).map_err(color_eyre::Report::from)?;
    journal.append(&settings.hand(estate.as_ref()), now, event, now).map_err(color_eyre::Report::from)?;
    writeln!(out, "{}: the review is recorded", state.run)?;
    Ok(OK)
}
