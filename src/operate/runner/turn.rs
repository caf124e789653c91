//! The runner's loop: what follows from the record is begun, what comes back is recorded, until the run is over.

use super::{Came, Halt, Hooks, Ledger, Outcome, Runner};
use crate::model::run::{Ending, Happened, Move, Request, StepState, next};
use crate::operate::world::World;

impl<W: World, H: Hooks, L: Ledger> Runner<W, H, L> {
    /// Until the run ends, or this runner does.
    pub(super) async fn turns(mut self) -> Outcome {
        loop {
            if *self.stop.borrow() {
                self.halt(Halt::Signal);
            }
            if self.halt.is_none() {
                self.take_requests();
            }
            self.renew_old();
            self.take_dark();
            self.look_at_output();
            match self.turn().await {
                Turn::Again => continue,
                Turn::Wait => self.wait().await,
                Turn::End(ending) => return self.end(ending).await,
                Turn::Stop(why) => return self.stopped(why).await,
            }
        }
    }

    /// Begins what is to be begun now.
    async fn turn(&mut self) -> Turn {
        if self.halt.is_some() {
            return self.halted();
        }
        for found in next(&self.state, &self.busy) {
            match found {
                Move::End(ending) => return Turn::End(ending),
                Move::Abort { why } => {
                    let (request, by) = (Request::Abort { reason: why }, self.ledger.actor().clone());
                    self.record(Happened::Requested { request, by });
                    return Turn::Again;
                }
                Move::Ask { step, why } => {
                    let step = self.plan.steps.get(step).map(|step| step.id.clone());
                    self.record(Happened::Asked { step, why });
                    return Turn::Again;
                }
                Move::Observe { step, call } => self.observe(step, call),
                Move::Call { step, call, attempt } => {
                    self.call(step, call, attempt).await;
                    // A call that was refused before it was made is a question of its own.
                    if self.halt.is_some() || self.state.steps[step].state == StepState::Refused {
                        break;
                    }
                }
            }
        }
        if self.halt.is_some() { Turn::Again } else { Turn::Wait }
    }

    /// Nothing more is begun; what is under way is waited for, as long as that makes sense.
    fn halted(&mut self) -> Turn {
        let Some((halt, since)) = self.halt.clone() else { return Turn::Again };
        match halt {
            Halt::Signal | Halt::Journal(_) | Halt::Person(_) if self.calls > 0 && since.age() < self.pace.farewell => Turn::Wait,
            Halt::Signal => Turn::Stop("it was told to end".to_owned()),
            Halt::Person(why) => Turn::Stop(why),
            Halt::Journal(why) => {
                Turn::Stop(format!("the journal cannot be written: {why}; when it can, `qd resume {}` goes on", self.state.run))
            }
            Halt::Lost(_) if self.calls > 0 => Turn::Wait,
            Halt::Lost(why) => {
                let unknown: Vec<_> = (0..self.plan.steps.len())
                    .filter_map(|place| match self.state.steps[place].state {
                        StepState::Unknown(call) | StepState::Underway(call) => Some((place, call)),
                        _ => None,
                    })
                    .collect();
                // What the own calls did is still read: the record of what stays is to be true.
                if !unknown.is_empty() && since.age() < self.pace.ask_after {
                    for (place, call) in unknown.into_iter().filter(|(place, _)| !self.busy.contains(place)).collect::<Vec<_>>() {
                        self.observe(place, call);
                    }
                    return Turn::Wait;
                }
                Turn::End(self.overtaken(&why))
            }
        }
    }

    fn overtaken(&self, why: &str) -> Ending {
        let plan = &self.state.plan;
        let next = match &plan.service {
            Some(service) => format!(
                "`qd show {}` says what this run did; when the other one has ended, `qd plan {} {service}` plans anew",
                self.state.run,
                plan.deed.word()
            ),
            None => format!("`qd show {}` says what this run did", self.state.run),
        };
        Ending::Failed { why: format!("{why}; nothing more was begun; {next}"), stays: self.state.stays() }
    }

    async fn wait(&mut self) {
        tokio::select! {
            Some(came) = self.work.join_next() => self.came(came),
            _ = tokio::time::sleep(self.pace.poll) => {}
            changed = self.stop.changed() => if changed.is_err() {
                // Whoever could have told is gone: nothing will be told any more.
                tokio::time::sleep(self.pace.poll).await;
            },
        }
        while let Some(came) = self.work.try_join_next() {
            self.came(came);
        }
    }

    fn came(&mut self, came: Result<Came, tokio::task::JoinError>) {
        match came {
            Ok(Came::Called { step, call, attempt, called }) => self.called(step, call, attempt, called),
            Ok(Came::Read { step, call, found }) => self.read(step, call, found),
            Ok(Came::Renewed { target, sent, leased }) => self.renewed(target, sent, leased),
            Ok(Came::Taken { target, sent, leased }) => self.taken_late(target, sent, leased),
            Ok(Came::Printed { step, printed }) => {
                self.prints.retain(|of| *of != step);
                // What comes after the result is older than the result.
                if let (Some(printed), StepState::Underway(_) | StepState::Unknown(_)) = (printed, self.state.steps[step].state) {
                    self.folder.live(&self.plan.steps[step].id, &printed);
                }
            }
            // Only what holds nothing can end so: each call and each reading has a task of its own within.
            Err(error) => tracing::error!(%error, "a task of the runner ended"),
        }
    }
}

/// What comes after what was begun.
enum Turn {
    Again,
    Wait,
    End(Ending),
    Stop(String),
}
