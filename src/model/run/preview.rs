//! What an abort would do as the run stands, told before it is asked for.

use super::{RunState, StepState};

/// Steps that are named in one line.
const NAMED: usize = 6;

/// What an abort would do as the run stands: steps by their names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preview {
    /// What would be taken back, in that order.
    pub back: Vec<String>,
    /// What was changed and stays.
    pub stays: Vec<String>,
    /// What is under way, or whose outcome is not known.
    pub open: Vec<String>,
    /// The point of no return that was passed last.
    pub point: Option<String>,
}

impl Preview {
    /// Of that run.
    pub fn of(run: &RunState) -> Preview {
        let (floor, name) = (run.floor(), |place: usize| run.plan.steps[place].id.clone());
        let mut told = Preview { point: run.point_passed().map(name), ..Preview::default() };
        let place_of = |id: &String| run.plan.steps.iter().position(|step| step.id == *id);
        let goes = |place: usize| {
            let with = run.plan.steps[place].undone_with.as_ref().and_then(place_of);
            run.is_wanted_back(place, floor) || with.is_some_and(|with| run.is_wanted_back(with, floor))
        };
        for place in 0..run.steps.len() {
            let (step, act) = (&run.steps[place], &run.plan.steps[place].act);
            if matches!(step.state, StepState::Underway(_) | StepState::Unknown(_) | StepState::Untold(_)) {
                if act.changes() {
                    told.open.push(name(place));
                }
            } else if goes(place) && step.touched {
                told.back.push(name(place));
            } else if step.touched && act.changes() && !act.does_nothing() {
                told.stays.push(name(place));
            }
        }
        told.back.reverse();
        told
    }

    /// In words, a sentence a line, what stays last.
    pub fn lines(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.back.is_empty() && self.stays.is_empty() && self.open.is_empty() {
            all.push("nothing is changed so far: it ends".to_owned());
        }
        if !self.back.is_empty() {
            all.push(format!("taken back: {}", named(&self.back)));
        }
        if !self.open.is_empty() {
            all.push(format!("not known yet, looked at first: {}", named(&self.open)));
        }
        let before: Vec<String> = self.stays.iter().filter(|step| Some(*step) != self.point.as_ref()).cloned().collect();
        match (&self.point, before.is_empty()) {
            (Some(point), true) => all.push(format!("stays: {point}, a point of no return")),
            (Some(point), false) => {
                all.push(format!("stays: {}; {point} is a point of no return, nothing up to it is taken back", named(&self.stays)));
            }
            (None, false) => all.push(format!("stays, nothing takes it back: {}", named(&self.stays))),
            (None, true) => {}
        }
        all
    }
}

fn named(steps: &[String]) -> String {
    let first = steps.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match steps.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plan::Step;
    use crate::model::run::Call;
    use crate::model::run::sample::{Log, plan, step};

    #[test]
    fn it_names_what_goes_back_and_what_stays_and_why() {
        let point = Step { point_of_no_return: true, undo: None, ..step("after/migrate") };
        let page = Step { undo: None, ..step("before/page") };
        let mut log = Log::begun("r", &plan(&["web1"], vec![page, step("web1/stop"), step("web1/switch"), point, step("after/cache")]));
        let told = |log: &Log| Preview::of(&log.state()).lines();
        assert_eq!(told(&log), ["nothing is changed so far: it ends"]);
        log.done("before/page");
        log.done("web1/stop");
        log.intent("web1/switch", 1, Call::Apply);
        let open = ["taken back: web1/stop", "not known yet, looked at first: web1/switch", "stays, nothing takes it back: before/page"];
        assert_eq!(told(&log), open);
        log.result("web1/switch", 1, Call::Apply, crate::model::run::sample::done());
        assert_eq!(told(&log), ["taken back: web1/switch, web1/stop", "stays, nothing takes it back: before/page"]);
        // From its beginning on, whatever it comes to.
        log.intent("after/migrate", 1, Call::Apply);
        let stays = "stays: before/page, web1/stop, web1/switch; after/migrate is a point of no return, nothing up to it is taken back";
        assert_eq!(told(&log), ["not known yet, looked at first: after/migrate", stays]);
        log.result("after/migrate", 1, Call::Apply, crate::model::run::sample::done());
        log.done("after/cache");
        let stays = stays.replace("switch;", "switch, after/migrate;");
        assert_eq!(told(&log), ["taken back: after/cache".to_owned(), stays]);
    }

    #[test]
    fn a_long_run_is_told_in_a_few_names() {
        let steps: Vec<Step> = (0..9).map(|at| step(&format!("web1/{at}"))).collect();
        let mut log = Log::begun("r", &plan(&["web1"], steps));
        (0..9).for_each(|at| log.done(&format!("web1/{at}")));
        assert_eq!(Preview::of(&log.state()).lines(), ["taken back: web1/8, web1/7, web1/6, web1/5, web1/4, web1/3 and 3 more"]);
    }
}
