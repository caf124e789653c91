//! How long a run still takes, by what earlier runs took and by the time limits of its steps.

use jiff::{SignedDuration, Timestamp};

use super::{Call, RunState, StepState};
use crate::model::age;
use crate::model::plan::{Act, Plan, Step};

/// What is left, along the longest chain of steps that need each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// If all goes as fast as it ever did.
    pub shortest: SignedDuration,
    /// If all takes as long as it ever did, and what is not known as long as it may. A failure is not in it.
    pub longest: SignedDuration,
    /// Steps that are left.
    pub left: usize,
    /// Those of them of which no earlier run tells anything.
    pub unknown: usize,
}

impl Estimate {
    /// What is left of that run at `now`, by what these earlier runs took; `None` where nothing is left to do.
    pub fn of(state: &RunState, earlier: &[&RunState], now: Timestamp) -> Option<Estimate> {
        if state.ended.is_some() {
            return None;
        }
        let floor = state.floor();
        let steps = &state.plan.steps;
        let mut ends: Vec<(SignedDuration, SignedDuration)> = Vec::with_capacity(steps.len());
        let index: std::collections::HashMap<&str, usize> = steps.iter().enumerate().map(|(at, step)| (step.id.as_str(), at)).collect();
        let (mut left, mut unknown) = (0, 0);
        for (place, step) in steps.iter().enumerate() {
            let run = &state.steps[place];
            let call = match run.state {
                StepState::Underway(call) | StepState::Unknown(call) | StepState::Untold(call) => Some(call),
                _ if state.goes_back(place) => state.is_wanted_back(place, floor).then_some(Call::Undo),
                StepState::Waiting => Some(Call::Apply),
                StepState::Failed | StepState::Refused if !state.is_settled(place) => Some(Call::Apply),
                _ => None,
            };
            // The longest of what it needs; taking back goes the other way along the same chain.
            let before = step.needs.iter().filter_map(|need| ends.get(*index.get(need.as_str())?));
            let (mut short, mut long) = before.fold((SignedDuration::ZERO, SignedDuration::ZERO), |(a, b), (c, d)| (a.max(*c), b.max(*d)));
            if let Some(call) = call {
                left += 1;
                let spent = match run.state {
                    StepState::Underway(_) | StepState::Unknown(_) => {
                        run.since.map_or(SignedDuration::ZERO, |since| now.duration_since(since))
                    }
                    _ => SignedDuration::ZERO,
                };
                let took = took(&state.plan, &state.run, step, call, earlier);
                let (least, limit) = limits(step);
                let (fast, slow) = took.unwrap_or((least, limit));
                unknown += usize::from(took.is_none());
                short += (fast - spent).max(SignedDuration::ZERO);
                // What took longer than ever may take all of its time.
                long += if spent > slow { (limit - spent).max(SignedDuration::ZERO) } else { slow - spent };
            }
            ends.push((short, long));
        }
        let all = ends.iter().fold((SignedDuration::ZERO, SignedDuration::ZERO), |(a, b), (c, d)| (a.max(*c), b.max(*d)));
        (left > 0).then_some(Estimate { shortest: all.0, longest: all.1, left, unknown })
    }

    /// In words: `20s to 3m left`, `at most 6m left by its time limits; no earlier run tells more`.
    pub fn words(&self) -> String {
        let longest = age::exact(self.longest);
        match self.unknown {
            // By the second: nobody reads `17s to 17s`.
            0 if age::exact(self.shortest) == longest => format!("about {longest} left, as earlier runs took"),
            0 => format!("{} to {longest} left, as earlier runs took", age::exact(self.shortest)),
            all if all == self.left => format!("at most {longest} left by its time limits; no earlier run tells more"),
            some => format!("{} to {longest} left; {some} of {} steps by their time limits only", age::exact(self.shortest), self.left),
        }
    }
}

/// How long a plan takes, in seconds, where all goes as it should: the shortest and the longest, along the longest chain of
/// steps that need each other, by what earlier runs took, and where none tells by the steps' own limits. `None` of a plan
/// without steps.
pub fn seconds(plan: &Plan, earlier: &[&RunState]) -> Option<(u64, u64)> {
    let mut ends: std::collections::HashMap<&str, (SignedDuration, SignedDuration)> = std::collections::HashMap::new();
    let longer = |(a, b): (SignedDuration, SignedDuration), (c, d): (SignedDuration, SignedDuration)| (a.max(c), b.max(d));
    let nothing = (SignedDuration::ZERO, SignedDuration::ZERO);
    for step in &plan.steps {
        let before = step.needs.iter().filter_map(|need| ends.get(need.as_str()).copied()).fold(nothing, longer);
        let (fast, slow) = took(plan, "", step, Call::Apply, earlier).unwrap_or_else(|| limits(step));
        ends.insert(&step.id, (before.0.saturating_add(fast), before.1.saturating_add(slow)));
    }
    let whole = |all: SignedDuration| u64::try_from(all.as_secs()).unwrap_or(0);
    ends.into_values().reduce(longer).map(|(short, long)| (whole(short), whole(long)))
}

/// What is known of a step that never ran: its time limit, and that a guard window lasts as long as it is.
fn limits(step: &Step) -> (SignedDuration, SignedDuration) {
    let least = match step.act {
        Act::Guard { seconds, .. } => i64::try_from(seconds).unwrap_or(i64::MAX),
        _ => 0,
    };
    (SignedDuration::from_secs(least), SignedDuration::from_secs(i64::from(step.timeout)))
}

/// The shortest and the longest time of the same step in earlier runs of the same deed on the same subject.
fn took(plan: &Plan, run: &str, step: &Step, call: Call, earlier: &[&RunState]) -> Option<(SignedDuration, SignedDuration)> {
    let same = earlier.iter().filter(|of| of.run != run && of.plan.deed == plan.deed && of.plan.subject == plan.subject);
    let wanted = if call == Call::Apply { StepState::Done } else { StepState::Undone };
    same.filter_map(|of| {
        let run = &of.steps[of.place(&step.id)?];
        let (since, until) = (run.since?, run.until?);
        (run.state == wanted).then(|| until.duration_since(since).max(SignedDuration::ZERO))
    })
    .fold(None, |all, one| Some(all.map_or((one, one), |(short, long): (SignedDuration, SignedDuration)| (short.min(one), long.max(one)))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::run::sample::{Log, at, plan, step};

    #[test]
    fn what_is_known_of_earlier_runs_and_else_the_limits() {
        let chain = || {
            let mut steps = vec![step("a"), step("b"), step("c")];
            steps[1].needs = vec!["a".to_owned()];
            plan(&["web1"], steps)
        };
        let mut before = Log::begun("r0", &chain());
        for id in ["a", "b", "c"] {
            before.done(id);
        }
        let log = Log::begun("r1", &chain());
        let none = Estimate::of(&log.state(), &[], at(9)).unwrap();
        assert_eq!((none.shortest.as_secs(), none.longest.as_secs(), none.left, none.unknown), (0, 120, 3, 3), "c goes beside them");
        assert_eq!(none.words(), "at most 2m left by its time limits; no earlier run tells more");
        let known = Estimate::of(&log.state(), &[&before.state()], at(9)).unwrap();
        assert_eq!(known.words(), "about 2s left, as earlier runs took");
        assert_eq!(Estimate::of(&before.state(), &[], at(9)), None);
        assert_eq!(seconds(&chain(), &[&before.state()]), Some((2, 2)));
        assert_eq!(seconds(&chain(), &[]), Some((0, 120)));
        let mut guarded = chain();
        guarded.steps[1].act = Act::Guard { service: "web".into(), seconds: 30, panels: vec![] };
        assert_eq!(seconds(&guarded, &[]), Some((30, 120)), "a guard window lasts as long as it is");
        assert_eq!(seconds(&plan(&["web1"], vec![]), &[]), None);
        let mut late = log.clone();
        late.intent("a", 1, Call::Apply);
        let late = Estimate::of(&late.state(), &[&before.state()], at(34)).unwrap();
        assert_eq!((late.shortest.as_secs(), late.longest.as_secs()), (1, 31), "longer than ever: all of its limit may be used");
    }
}
