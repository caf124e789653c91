//! A runner that follows `next` in a world that breaks, is killed at any boundary and taken up again from the events
//! alone; what must hold of every run is asserted at every event.

use std::collections::HashMap;

use proptest::prelude::*;

use crate::model::plan::{Act, Found, OnFailure, Plan, Repeat, Step};
use crate::model::run::sample::{self, Log};
use crate::model::run::*;

/// A source of choices that shrinks.
struct Dice {
    rolls: Vec<u8>,
    at: usize,
}

impl Dice {
    /// One of 0 to `sides` - 1; 0 when the choices are used up.
    fn roll(&mut self, sides: u8) -> u8 {
        let roll = self.rolls.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        roll % sides
    }
}

/// What is true of a step in the world.
#[derive(Clone, Copy, PartialEq)]
enum Truth {
    Before,
    After,
    Broken,
}

struct World {
    truth: Vec<Truth>,
    /// Calls that reached the world, by step and call, and whether each next one is allowed.
    calls: HashMap<(usize, Call), bool>,
}

struct Run {
    plan: Plan,
    log: Log,
    live: RunState,
    world: World,
    dice: Dice,
    busy: Vec<(Move, Option<CallEnd>)>,
    said: u32,
    moves: u32,
}

fn arb_step() -> impl Strategy<Value = (Step, Vec<prop::sample::Index>, u8)> {
    let on = prop_oneof![Just(OnFailure::Ask), Just(OnFailure::Stop), Just(OnFailure::Continue)];
    let repeat = prop_oneof![Just(Repeat::Once), Just(Repeat::Repeatable), Just(Repeat::Ask)];
    let needs = prop::collection::vec(any::<prop::sample::Index>(), 0..3);
    (on, repeat, any::<bool>(), prop::bool::weighted(0.1), 0u8..10, needs, 0u8..3).prop_map(
        |(on_failure, repeat, undo, point, act, needs, target)| {
            let mut step = Step { on_failure, repeat, point_of_no_return: point, ..sample::step("x") };
            match act {
                0 => step.act = Act::Manual { what: "look".to_owned() },
                1 | 2 => step.act = Act::Guard { service: "web".to_owned(), seconds: 1, panels: Vec::new() },
                _ => {}
            }
            if !undo || !step.act.changes() {
                step.undo = None;
            }
            (step, needs, target)
        },
    )
}

fn arb_plan() -> impl Strategy<Value = Plan> {
    prop::collection::vec(arb_step(), 1..9).prop_map(|steps| {
        let mut all: Vec<Step> = Vec::new();
        for (place, (mut step, needs, target)) in steps.into_iter().enumerate() {
            step.id = format!("s{place}");
            step.target = usize::from(target);
            if place > 0 {
                step.needs = needs.iter().map(|need| format!("s{}", need.index(place))).collect();
                step.needs.dedup();
            }
            all.push(step);
        }
        sample::plan(&["web1", "web2", "web3"], all)
    })
}

impl Run {
    fn new(plan: Plan, rolls: Vec<u8>) -> Run {
        let log = Log::begun("r", &plan);
        let world = World { truth: vec![Truth::Before; plan.steps.len()], calls: HashMap::new() };
        Run { live: log.state(), plan, log, world, dice: Dice { rolls, at: 0 }, busy: Vec::new(), said: 0, moves: 0 }
    }

    fn write(&mut self, what: Happened) {
        let record = self.log.add(what).clone();
        self.live.take(&record);
    }

    fn id(&self, step: usize) -> String {
        self.plan.steps[step].id.clone()
    }

    /// The call reaches the world.
    fn act(&mut self, step: usize, call: Call) -> CallEnd {
        let open = matches!(self.live.steps[step].state, StepState::Underway(of) if of == call);
        let plan = &self.plan.steps[step];
        // What a person does may be settled by a person's word before the call, which only says so, came to its end.
        if !open && matches!(plan.act, Act::Manual { .. }) {
            return sample::unknown("a person does it");
        }
        assert!(open, "a call without its intent");
        let once = plan.repeat == Repeat::Once && plan.act.changes();
        let allowed = self.world.calls.insert((step, call), !once).unwrap_or(true);
        assert!(allowed, "s{step} {call:?}: done twice though nothing said that it was not done");
        let to = if call == Call::Apply { Truth::After } else { Truth::Before };
        let (end, truth) = match self.dice.roll(12) {
            0 => (sample::failed("no"), None),
            1 => (sample::failed("half of it"), Some(Truth::Broken)),
            2 => (sample::refused("moved"), None),
            3 => (sample::unknown("lost"), None),
            4 => (sample::unknown("lost"), Some(to)),
            5 => (sample::unknown("lost"), Some(Truth::Broken)),
            _ => (sample::done(), Some(to)),
        };
        if matches!(end, CallEnd::Refused { .. }) {
            self.world.calls.insert((step, call), true);
        }
        if let Some(truth) = truth {
            self.world.truth[step] = truth;
        }
        end
    }

    fn look(&mut self, step: usize, call: Call) -> Found {
        let seen = || "seen".to_owned();
        let (before, after) = if call == Call::Apply { (Truth::Before, Truth::After) } else { (Truth::After, Truth::Before) };
        match (self.dice.roll(8), self.world.truth[step]) {
            (0, _) => Found::Untold { why: seen() },
            (1, _) => Found::Underway { seen: seen() },
            (_, truth) if truth == before => {
                self.world.calls.insert((step, call), true);
                Found::NotDone { seen: seen() }
            }
            (_, truth) if truth == after => Found::Done { seen: seen() },
            _ => Found::Moved { seen: seen() },
        }
    }

    /// One of the things under way goes on by one stage: the world, then the record.
    fn finish(&mut self, place: usize) {
        match self.busy[place].clone() {
            (Move::Call { step, call, .. }, None) => {
                let end = self.act(step, call);
                self.busy[place].1 = Some(end);
            }
            (Move::Call { step, call, attempt }, Some(end)) => {
                self.busy.remove(place);
                let step = self.id(step);
                self.write(Happened::Result { step, attempt, call, end, output: Vec::new() });
            }
            (Move::Observe { step, call }, _) => {
                self.busy.remove(place);
                let found = self.look(step, call);
                let step = self.id(step);
                self.write(Happened::Observed { step, call, found });
            }
            _ => unreachable!(),
        }
    }

    /// kill -9, and a new runner that knows the events only.
    fn kill(&mut self) {
        self.busy.clear();
        let folded = self.log.state();
        assert_eq!(folded, self.live, "the fold is not what the runner held");
        self.live = folded;
        self.write(Happened::Begun { resumed: true });
    }

    fn request(&mut self, request: Request) {
        self.write(Happened::Requested { request, by: sample::actor() });
    }

    /// A person's word where the run waits. In the end a person ends it.
    fn answer(&mut self) {
        self.said += 1;
        let reason = "because".to_owned();
        let about = self.live.asked.clone().and_then(|(step, _)| step);
        let Some(step) = about else { return self.request(Request::Resume { reason }) };
        if self.said > 30 {
            // The last resort: what a run waits for is looked at by hand, and passed over.
            return match self.live.steps[self.live.place(&step).unwrap()].state {
                StepState::Unknown(_) => {
                    self.write(Happened::Observed { step, call: Call::Apply, found: Found::Untold { why: String::new() } });
                }
                _ => self.request(Request::Skip { step, reason }),
            };
        }
        let target = self.plan.target_of(self.plan.step(&step).unwrap()).unwrap().name.clone();
        match self.dice.roll(6) {
            0 => self.request(Request::Abort { reason }),
            1 => self.request(Request::Skip { step, reason }),
            2 => self.request(Request::Confirm { step, reason }),
            3 => self.request(Request::TakeBack { target, reason }),
            _ => self.request(Request::Retry { step, reason }),
        }
    }

    /// What a person asks without being asked.
    fn meddle(&mut self) {
        let reason = "because".to_owned();
        let step = format!("s{}", self.dice.roll(9));
        match self.dice.roll(7) {
            0 => self.request(Request::Pause { reason }),
            1 => self.request(Request::Abort { reason }),
            2 => self.request(Request::Skip { step, reason }),
            3 => {
                let target = format!("web{}", self.dice.roll(4));
                self.request(Request::TakeBack { target, reason });
            }
            4 => self.request(Request::Confirm { step, reason }),
            _ => self.request(Request::Retry { step, reason }),
        }
    }

    fn go(&mut self) {
        while self.live.ended.is_none() {
            self.moves += 1;
            assert!(self.moves < 5_000, "it goes on for ever: {:#?}", self.live.steps);
            if self.moves < 200 {
                match self.dice.roll(24) {
                    1 => self.kill(),
                    2 => self.meddle(),
                    _ => {}
                }
            }
            let busy: Vec<usize> = self.busy.iter().map(|(of, _)| place(of)).collect();
            let moves = next(&self.live, &busy);
            for of in &moves {
                match of {
                    Move::Observe { step, .. } | Move::Call { step, .. } => assert!(!busy.contains(step), "it is busy: {of:?}"),
                    _ => {}
                }
                match of.clone() {
                    Move::Call { step, call, attempt } => {
                        let id = self.id(step);
                        // Killed before the intent: as if the move had not been.
                        if self.moves < 200 && self.dice.roll(24) == 1 {
                            self.kill();
                            break;
                        }
                        self.log.intent(&id, attempt, call);
                        let record = self.log.records.last().unwrap().clone();
                        self.live.take(&record);
                        self.busy.push((of.clone(), None));
                    }
                    Move::Observe { .. } => self.busy.push((of.clone(), None)),
                    Move::Abort { why } => self.request(Request::Abort { reason: why }),
                    Move::Ask { step, why } => {
                        let step = Some(self.id(step));
                        self.write(Happened::Asked { step, why });
                    }
                    Move::End(ending) => self.write(Happened::Ended(ending)),
                }
            }
            if !self.busy.is_empty() {
                let place = usize::from(self.dice.roll(u8::try_from(self.busy.len()).unwrap()));
                self.finish(place);
            } else if moves.is_empty() {
                if self.live.asked.is_some() {
                    self.answer();
                } else {
                    assert!(self.live.paused.is_some(), "a dead end: {:#?}", self.live.steps);
                    self.request(Request::Resume { reason: String::new() });
                }
            } else if self.live.asked.is_some() {
                self.answer();
            }
        }
    }

    /// What must hold of a run that ended.
    fn judge(&self) {
        let folded = self.log.state();
        assert_eq!(folded, self.live);
        assert_eq!(folded, self.log.state(), "folding again gives another state");
        let floor = self.live.floor();
        let stays = self.live.stays();
        for (place, truth) in self.world.truth.iter().enumerate() {
            let (plan, step) = (&self.plan.steps[place], &self.live.steps[place]);
            let named = stays.iter().any(|line| line.starts_with(&format!("{}:", plan.id)));
            // A person who says that something is so takes it on himself; what a call said of itself must be true.
            let by_word =
                self.live.requests.iter().any(|(_, _, request)| matches!(request, Request::Confirm { step, .. } if *step == plan.id));
            if plan.act.changes() && *truth != Truth::Before && !by_word {
                assert!(named, "{} is changed in the world and named nowhere: {step:?}", plan.id);
            }
            if self.live.aborting.is_some() && place >= floor && plan.undo.is_some() && step.state == StepState::Done {
                panic!("{} could be taken back and was not", plan.id);
            }
        }
        if let Some((_, Ending::Aborted { stays: said } | Ending::Failed { stays: said, .. })) = &self.live.ended {
            assert_eq!(*said, stays);
        }
    }
}

fn place(of: &Move) -> usize {
    match of {
        Move::Observe { step, .. } | Move::Call { step, .. } => *step,
        _ => usize::MAX,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]
    #[test]
    fn every_run_ends_and_says_the_truth(plan in arb_plan(), rolls in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut run = Run::new(plan, rolls);
        run.go();
        run.judge();
    }
}
