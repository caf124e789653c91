//! `qd attach`: follows a run by its journal until it ends or needs a person. Leaving it changes nothing in the run.

use std::io::Write;
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use crate::model::run::known::Liveness;
use crate::model::run::{Ending, Phase, RunState};
use crate::model::text::{NOTE_CAP, clean};
use crate::operate::attach::{One, liveness};
use crate::operate::requests::waits;

use super::super::REFUSED;
use super::super::failure::Failure;
use super::super::settings::Settings;
use super::super::wait;
use super::super::{BROKEN, INTERRUPTED, OK};
use super::show::event;
use super::{Ground, PERSON, me, runs, unplanned};

/// Between two looks at the journal.
const LOOK: Duration = Duration::from_millis(200);
/// Looks between two at the runner's process.
const PULSE: u32 = 10;

/// Shows what happened so far, and follows.
pub fn run(settings: &Settings<'_>, run: &str, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let ground = Ground::of(settings)?;
    follow(settings, &ground.named(run)?, out, err)
}

/// Follows from its first event on, until it ended (0, 4, 5), needs a person (6), or Ctrl-C leaves it going (130).
pub fn follow(settings: &Settings<'_>, run: &str, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    wait::for_it(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let ground = Ground::of(settings)?;
        let here = me(settings).host;
        // From the first event on.
        let mut one = One::of(run);
        let mut asked = waits(&ground.runs.join(run));
        let mut new = one.read(&ground.journal).map_err(color_eyre::Report::from)?;
        if one.state().is_none() {
            return Err(unplanned(run));
        }
        let (mut looks, mut gone, mut silent) = (0, 0, false);
        loop {
            let plan = one.state().map(|state| &state.plan);
            for line in new.iter().filter_map(|record| event(record, plan?)) {
                writeln!(out, "{}", clean(&settings.typed(&line), NOTE_CAP))?;
            }
            out.flush()?;
            if let Some(state) = one.state() {
                let live = match looks % PULSE {
                    0 => liveness(state, &ground.runs, &here, Timestamp::now()),
                    _ if gone > 0 => Liveness::Orphaned,
                    _ => Liveness::Live { heartbeat: state.last.1 },
                };
                // Nothing more may come: whoever follows is told why, once.
                if looks % PULSE == 0 {
                    let is = matches!(live, Liveness::Silent { .. });
                    if is && !silent {
                        let text = format!("{}; it is waited for, `qd show {run}` says what can be done", runs::said(state, live, &ground));
                        writeln!(err, "{}", clean(&settings.typed(&text), NOTE_CAP))?;
                    }
                    silent = is;
                }
                // One that just ended is gone before its last event is read: two looks.
                gone = if live == Liveness::Orphaned { gone + 1 } else { 0 };
                if let Some(code) = over(state, gone > 1, asked) {
                    writeln!(out, "{}: {}", state.run, clean(&settings.typed(&runs::said(state, live, &ground)), NOTE_CAP))?;
                    return Ok(code);
                }
            }
            looks += 1;
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = interrupt.recv() => {
                    let text = format!("the run goes on: `qd attach {run}` follows it, `qd pause {run} --reason WHY` begins nothing new");
                    writeln!(err, "{}", settings.typed(&text))?;
                    return Ok(INTERRUPTED);
                }
            }
            // Before the journal: a request is taken away after it is recorded.
            asked = waits(&ground.runs.join(run));
            new = one.read(&ground.journal).map_err(color_eyre::Report::from)?;
        }
    })?
}

/// The exit code, once there is nothing to wait for. A person who has `asked` for something decided; the runner takes it up
/// soon.
fn over(state: &RunState, orphaned: bool, asked: bool) -> Option<u8> {
    match &state.ended {
        Some((_, Ending::Done)) => Some(OK),
        Some((_, Ending::Refused { .. })) => Some(REFUSED),
        Some((_, Ending::Aborted { .. } | Ending::Failed { .. })) => Some(BROKEN),
        None if orphaned => Some(PERSON),
        None if state.phase() == Phase::Asking && !asked => Some(PERSON),
        None => None,
    }
}
