//! What a person can do next about a run, as commands that can be typed as they stand.

use super::known::Liveness;
use super::{Call, Ending, Phase, RunState, StepState};
use crate::model::plan::{Act, Repeat, Serving, Step};

/// What an advice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It only looks.
    Look,
    /// Nothing new is begun.
    Pause,
    /// It goes on, or is taken up again.
    Resume,
    /// It is taken back, and ends.
    Abort,
    /// A step is tried again.
    Retry,
    /// A step is passed over.
    Skip,
    /// A step counts as done on a person's word.
    Confirm,
    /// One target is taken back.
    TakeBack,
    /// A process is ended by hand.
    Kill,
    /// A person says of a run for which the glass was broken that it is well.
    Review,
}

impl Way {
    /// The verb of the command line.
    fn verb(self) -> &'static str {
        match self {
            Way::Look => "show",
            Way::Pause => "pause",
            Way::Resume => "resume",
            Way::Abort => "abort",
            Way::Retry => "retry",
            Way::Skip => "skip",
            Way::Confirm => "confirm",
            Way::TakeBack => "take-back",
            Way::Kill => "kill",
            Way::Review => "review",
        }
    }
}

/// One way to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What it is about.
    pub way: Way,
    /// The command, whole but for the words of the reason.
    pub command: String,
    /// What it does, a sentence without its full stop.
    pub means: String,
}

/// Why a person is wanted, where one is.
pub fn wants(state: &RunState, alive: Liveness) -> Option<String> {
    match (state.phase(), alive) {
        (Phase::Planned, _) => Some("it was planned and never begun: nothing was changed".to_owned()),
        (Phase::Ended, _) => {
            let stays = match &state.ended {
                Some((_, Ending::Done | Ending::Refused { .. })) | None => None,
                Some((_, Ending::Aborted { stays } | Ending::Failed { stays, .. })) if stays.is_empty() => None,
                Some(_) => Some("what stays as the run left it is for a person to look at".to_owned()),
            };
            let glass = state.unreviewed().map(|why| format!("the glass was broken ({why}): it is red until a person reviews it"));
            match (stays, glass) {
                (Some(stays), Some(glass)) => Some(format!("{stays}; {glass}")),
                (stays, glass) => stays.or(glass),
            }
        }
        (_, Liveness::Orphaned) => Some("its runner is gone: nothing is begun or taken back until it is taken up again".to_owned()),
        (_, Liveness::Silent { .. }) => Some("its runner is there and says nothing: it is stopped, or its disk hangs".to_owned()),
        (Phase::Asking, Liveness::Elsewhere { .. }) => {
            let host = state.runner.as_ref().map_or("another machine", |runner| &runner.host);
            state.asked.as_ref().map(|(_, why)| format!("{why} (its runner is on {host}: answer it there)"))
        }
        (Phase::Asking, _) => state.asked.as_ref().map(|(_, why)| why.clone()),
        (Phase::Paused, _) => Some("it is paused: nothing new is begun".to_owned()),
        _ => None,
    }
}

/// What can be done next, the most likely first. The commands for a run that ended change nothing but its record.
pub fn advice(state: &RunState, alive: Liveness) -> Vec<Advice> {
    let run = quoted(&state.run);
    let of = |way: Way, about: Option<&str>, means: &str| {
        let about = about.map_or_else(String::new, |about| format!(" {}", quoted(about)));
        Advice { way, command: format!("qd {} {run}{about} --reason \"...\"", way.verb()), means: means.to_owned() }
    };
    let look = |verb: &str, means: &str| Advice { way: Way::Look, command: format!("qd {verb} {run}"), means: means.to_owned() };
    let point = state.point_passed().map(|place| &state.plan.steps[place].id);
    let kept = point.map_or_else(String::new, |point| format!("; {point} and what came before it stay: it is a point of no return"));
    let abort = || of(Way::Abort, None, &format!("takes back what can be taken back, and ends{kept}"));
    match (state.phase(), alive) {
        (Phase::Planned | Phase::Ended, _) => {
            let review = || Advice {
                way: Way::Review,
                command: format!("qd review {run} --note \"...\""),
                means: "you looked at what was done against the freeze, and it is well: the red goes".to_owned(),
            };
            let review = state.unreviewed().filter(|_| state.ended.is_some()).map(|_| review());
            review.into_iter().chain([look("show", "shows the whole record")]).collect()
        }
        (_, Liveness::Orphaned) => {
            vec![
                of(Way::Resume, None, "starts a new runner, which reads the world back before it does anything"),
                of(Way::Abort, None, &format!("starts a new runner, which takes back what can be taken back, and ends{kept}")),
            ]
        }
        (_, Liveness::Silent { .. }) => {
            let mut all = vec![look("attach", "shows whether it goes on by itself")];
            if let Some(runner) = &state.runner {
                let (id, host) = (runner.process.id, &runner.host);
                // One that is stopped takes no other signal.
                let means = format!("on {host}: ends the silent runner; what it began on a host goes on there");
                all.push(Advice { way: Way::Kill, command: format!("kill -9 {id}"), means });
            }
            all.push(of(Way::Resume, None, "once the silent one is gone: starts a new runner"));
            all
        }
        (Phase::Asking, _) => match state.asked.as_ref().and_then(|(step, _)| state.place(step.as_ref()?)) {
            Some(place) => about(state, place, &of, abort),
            None => vec![of(Way::Resume, None, "goes on"), abort()],
        },
        (Phase::Paused, _) => vec![of(Way::Resume, None, "goes on"), abort()],
        (Phase::Aborting, _) => vec![look("attach", "follows it"), of(Way::Pause, None, "begins nothing new")],
        (Phase::Preparing | Phase::Going, _) => vec![look("attach", "follows it"), of(Way::Pause, None, "begins nothing new"), abort()],
    }
}

fn about(state: &RunState, place: usize, of: &dyn Fn(Way, Option<&str>, &str) -> Advice, abort: impl Fn() -> Advice) -> Vec<Advice> {
    let (plan, step) = (&state.plan.steps[place], &state.steps[place]);
    let id = Some(plan.id.as_str());
    let name = state.plan.target_of(plan).map_or("the target", |target| target.name.as_str());
    let again = again(plan, name);
    let again = again.as_str();
    let skip = match plan.act.changes() {
        true => of(Way::Skip, id, "goes on as if it were done; what it changed stays"),
        false => of(Way::Skip, id, "goes on although nobody saw that this is well"),
    };
    let manual = matches!(plan.act, Act::Manual { .. });
    let guard = matches!(plan.act, Act::Guard { .. });
    let mut all = match step.state {
        // A guard only watches: where nobody knows what it saw, nobody can have done it instead.
        StepState::Untold(Call::Apply) if guard => vec![of(Way::Retry, id, again), skip],
        StepState::Untold(Call::Apply) | StepState::Underway(_) | StepState::Unknown(_) if manual => {
            vec![of(Way::Confirm, id, "you did it: it counts as done"), skip]
        }
        StepState::Untold(Call::Apply) => vec![of(Way::Confirm, id, "you looked, and it is done"), of(Way::Retry, id, again), skip],
        StepState::Untold(Call::Undo) | StepState::UndoFailed => {
            vec![of(Way::Retry, id, "tries once more to take it back"), of(Way::Confirm, id, "you looked, and it is taken back"), skip]
        }
        StepState::Failed | StepState::Refused => vec![of(Way::Retry, id, again), skip],
        StepState::Unknown(_) => {
            let means = format!("only where {name} is gone for good: goes on, and nobody knows whether it was done");
            vec![of(Way::Skip, id, &means)]
        }
        StepState::Underway(_) => Vec::new(),
        StepState::Waiting | StepState::Done | StepState::Skipped | StepState::Undone => vec![skip],
    };
    if state.aborting.is_none() {
        let several = state.plan.targets.len() > 1;
        for target in state.back_from(place).filter(|_| several).take(BACK) {
            let means = format!("takes back what was done on {target}, and goes on with the others");
            all.push(of(Way::TakeBack, Some(target), &means));
        }
        let dark = matches!(step.state, StepState::Unknown(_)) && !manual;
        let waits = "takes back what can be taken back, once this step is known or skipped, and ends";
        all.push(if dark { of(Way::Abort, None, waits) } else { abort() });
    }
    all
}

/// What trying that step again means. A step that only looks mends nothing: what it looks at is for a person to mend first.
fn again(step: &Step, target: &str) -> String {
    let first = |what: String| format!("only looks again and mends nothing: {what} first, or choose another way");
    match &step.act {
        Act::Running { serving: Serving::Unit { unit, .. }, .. } => {
            first(format!("see why {unit} does not run on {target} (`journalctl -u {unit}`) and start it there"))
        }
        Act::Running { serving: Serving::PidFile { .. }, .. } => {
            first(format!("see why the service does not run on {target} and start it there"))
        }
        Act::Healthy { .. } => first(format!("see why it is not healthy on {target} and mend that")),
        Act::Guard { seconds, .. } => format!("watches the panels for another {seconds} s and judges them anew"),
        _ => match step.repeat {
            Repeat::Once => "looks first, and does it only if it is not done".to_owned(),
            Repeat::Repeatable => "does it again; doing it twice does no harm".to_owned(),
            Repeat::Ask => "does it again, also if it was done already".to_owned(),
        },
    }
}

/// Hosts that can be taken back which are named: the whole run can be, too.
const BACK: usize = 4;

/// Commands that are about no estate.
const FREE: [&str; 6] = ["init", "demo", "keys", "schema", "completions", "--estate"];

/// A text whose commands (between back quotes, or the text itself) are as they must be typed where the estate file was named:
/// without it they would be about another estate. `estate` is it as a shell takes it.
pub fn typed(text: &str, estate: Option<&str>) -> String {
    let Some(estate) = estate else { return text.to_owned() };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = if out.is_empty() && rest.starts_with("qd ") { Some(0) } else { rest.find("`qd ").map(|at| at + 1) } {
        let (before, command) = rest.split_at(at + "qd ".len());
        out.push_str(before);
        if !FREE.iter().any(|word| command.strip_prefix(word).is_some_and(|more| !more.starts_with(|c: char| c.is_alphanumeric()))) {
            out.push_str(&format!("--estate {estate} "));
        }
        rest = command;
    }
    out + rest
}

/// The word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-' | '@' | ':' | '+');
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::run::Happened;
    use crate::model::run::sample::{Log, at, failed, plan, step};

    fn commands(log: &Log, alive: Liveness) -> Vec<String> {
        advice(&log.state(), alive).into_iter().map(|found| found.command).collect()
    }

    #[test]
    fn every_state_has_a_command_that_can_be_typed() {
        let alive = Liveness::Live { heartbeat: at(0) };
        let mut log = Log::begun("web-1", &plan(&["web1", "web2"], vec![step("web1/switch")]));
        assert_eq!(commands(&log, alive)[0], "qd attach web-1");
        assert_eq!(commands(&log, Liveness::Orphaned), ["qd resume web-1 --reason \"...\"", "qd abort web-1 --reason \"...\""]);
        assert!(commands(&log, Liveness::Silent { since: at(0) }).contains(&"kill -9 4242".to_owned()));
        log.intent("web1/switch", 1, Call::Apply);
        log.result("web1/switch", 1, Call::Apply, failed("no"));
        log.add(Happened::Asked { step: Some("web1/switch".to_owned()), why: "web1/switch: no".to_owned() });
        let all = commands(&log, alive);
        for wanted in
            ["qd retry web-1 web1/switch --reason \"...\"", "qd take-back web-1 web1 --reason \"...\"", "qd abort web-1 --reason \"...\""]
        {
            assert!(all.contains(&wanted.to_owned()), "{all:?}");
        }
        assert_eq!(wants(&log.state(), alive).as_deref(), Some("web1/switch: no"));
        log.add(Happened::Ended(Ending::Done));
        assert_eq!((commands(&log, Liveness::Orphaned), wants(&log.state(), Liveness::Orphaned)), (vec!["qd show web-1".to_owned()], None));
    }

    #[test]
    fn broken_glass_wants_a_review_until_it_has_one_whatever_the_run_came_to() {
        let mut log = Log::of("web-1", &plan(&["web1"], vec![step("web1/switch")]));
        let glass = Some("the shop is down".to_owned());
        let (phrase, reason) = ("web 4f2a91".to_owned(), "errors".to_owned());
        log.add(Happened::Agreed(crate::model::run::Agreement { phrase, reason, overrides: vec![], glass, at: at(0) }));
        assert_eq!(log.state().unreviewed(), None, "nothing was begun");
        log.add(Happened::Begun { resumed: false });
        assert_eq!(log.state().unreviewed(), Some("the shop is down"));
        let ended = |ending: Ending| {
            let mut log = Log { run: log.run.clone(), records: log.records.clone(), now: log.now };
            log.add(Happened::Ended(ending));
            log
        };
        let refused = ended(Ending::Refused { why: "a check".into() });
        assert_eq!((wants(&refused.state(), Liveness::Over), commands(&refused, Liveness::Over).len()), (None, 1), "nothing was changed");
        let failed = ended(Ending::Failed { why: "no".into(), stays: vec!["web1/switch".into()] });
        let told = wants(&failed.state(), Liveness::Over).unwrap();
        assert!(told.contains("stays") && told.contains("the shop is down"), "{told}");
        let mut done = ended(Ending::Done);
        assert!(wants(&done.state(), Liveness::Over).unwrap().contains("the shop is down"));
        assert_eq!(commands(&done, Liveness::Over), ["qd review web-1 --note \"...\"", "qd show web-1"]);
        done.add(Happened::Reviewed { note: "agreed with the owner".into() });
        assert_eq!((wants(&done.state(), Liveness::Over), commands(&done, Liveness::Over)), (None, vec!["qd show web-1".to_owned()]));
    }

    #[test]
    fn a_step_that_stays_dark_has_a_way_on_also_when_all_is_taken_back() {
        let alive = Liveness::Live { heartbeat: at(0) };
        let mut log = Log::begun("web-1", &plan(&["web1", "web2"], vec![step("web1/switch")]));
        log.intent("web1/switch", 1, Call::Apply);
        log.result("web1/switch", 1, Call::Apply, crate::model::run::CallEnd::Unknown { why: "the link broke".into() });
        let skip = Happened::Requested {
            request: crate::model::run::Request::Skip { step: "web1/switch".into(), reason: "it burnt down".into() },
            by: crate::model::run::sample::actor(),
        };
        log.add(skip.clone());
        assert_eq!(log.state().steps[0].state, StepState::Unknown(Call::Apply), "as long as nobody is asked it is only read back");
        let why = log.state().dark(0);
        assert!(why.contains("the link broke") && why.contains("`qd skip web-1 web1/switch --reason WHY`"), "{why}");
        for aborts in [false, true] {
            if aborts {
                log.request(crate::model::run::Request::Abort { reason: "no".into() });
            }
            log.add(Happened::Asked { step: Some("web1/switch".into()), why: why.clone() });
            let all = advice(&log.state(), alive);
            assert!(all[0].way == Way::Skip && all[0].means.contains("web1 is gone for good"), "{all:?}");
            assert_eq!(all.iter().any(|one| one.way == Way::Abort), !aborts);
        }
        log.add(skip);
        let state = log.state();
        assert_eq!((state.steps[0].state, state.asked.is_none(), state.stays().len()), (StepState::Skipped, true, 1), "it may stay");
        log.result("web1/switch", 1, Call::Apply, crate::model::run::sample::done());
        assert_eq!(log.state().steps[0].state, StepState::Skipped, "what comes late changes nothing");
    }

    #[test]
    fn a_step_that_only_looks_is_not_said_to_do_anything_again() {
        let alive = Liveness::Live { heartbeat: at(0) };
        let told = |act: Act, repeat: Repeat| {
            let look = Step { act, repeat, undo: None, ..step("web1/runs") };
            let mut log = Log::begun("web-1", &plan(&["web1", "web2"], vec![look]));
            log.intent("web1/runs", 1, Call::Apply);
            log.result("web1/runs", 1, Call::Apply, failed("no"));
            log.add(Happened::Asked { step: Some("web1/runs".to_owned()), why: "web1/runs: no".to_owned() });
            advice(&log.state(), alive).into_iter().map(|found| (found.way, found.means)).collect::<Vec<_>>()
        };
        let unit = Act::Running { release: Some("1".into()), serving: Serving::Unit { unit: "web.service".into(), before: None } };
        let all = told(unit, Repeat::Repeatable);
        let ways: Vec<Way> = all.iter().map(|(way, _)| *way).collect();
        assert_eq!(ways, [Way::Retry, Way::Skip, Way::TakeBack, Way::Abort]);
        let means = &all[0].1;
        assert!(means.contains("mends nothing") && means.contains("journalctl -u web.service") && means.contains("on web1"), "{means}");
        assert!(!all[1].1.contains("it changed") && all[2].1.contains("done on web1"), "{all:?}");
        let file = Act::Running { release: Some("1".into()), serving: Serving::PidFile { path: "/run/web.pid".into(), before: None } };
        let ask = crate::model::operations::HealthAsk::Command { command: vec!["true".into()] };
        for look in [file, Act::Healthy { ask, times: 1, every_ms: 1 }] {
            let means = told(look, Repeat::Repeatable)[0].1.clone();
            assert!(means.contains("mends nothing") && !means.contains("does it again"), "{means}");
        }
        let guard = Act::Guard { service: "web".into(), seconds: 300, panels: vec![] };
        assert!(told(guard, Repeat::Ask)[0].1.contains("another 300 s"));
        let run = || Act::Run { argv: vec!["migrate".into()] };
        assert!(told(run(), Repeat::Ask)[0].1.contains("also if it was done"));
        assert!(told(run(), Repeat::Repeatable)[0].1.contains("no harm"));
        assert!(told(run(), Repeat::Once)[0].1.contains("only if it is not done"));
    }

    #[test]
    fn an_unseen_guard_is_watched_again_and_never_confirmed_and_the_hosts_are_what_goes_back() {
        let mut steps = vec![step("web1/switch"), step("web2/switch"), step("watch")];
        steps[1].target = 1;
        steps[2] = Step { act: Act::Guard { service: "web".into(), seconds: 300, panels: vec![] }, undo: None, ..steps[2].clone() };
        steps[2].target = 2;
        let mut plan = plan(&["web1", "web2", "outside"], steps);
        plan.targets[2].kind = crate::model::plan::TargetKind::Outside;
        let mut log = Log::begun("web-1", &plan);
        log.done("web1/switch");
        log.intent("watch", 1, Call::Apply);
        log.found("watch", Call::Apply, crate::model::plan::Found::Untold { why: "nobody saw it".to_owned() });
        log.add(Happened::Asked { step: Some("watch".to_owned()), why: "nobody saw it".to_owned() });
        let state = log.state();
        let all = advice(&state, Liveness::Live { heartbeat: at(0) });
        let ways: Vec<Way> = all.iter().map(|found| found.way).collect();
        assert_eq!(ways, [Way::Retry, Way::Skip, Way::TakeBack, Way::Abort], "{:?}", state.steps[2].state);
        assert!(all[2].command.starts_with("qd take-back web-1 web1 "), "web2 was not begun, and outside is no host: {}", all[2].command);
    }

    #[test]
    fn commands_name_the_estate_that_the_command_line_named_once() {
        let told = |text: &str| typed(text, Some("'my shop.toml'"));
        assert_eq!(told("qd show web-1: all of it"), "qd --estate 'my shop.toml' show web-1: all of it");
        let both = "gone: `qd resume web-1 --reason WHY` goes on, `qd abort web-1` ends it";
        let wanted =
            "gone: `qd --estate 'my shop.toml' resume web-1 --reason WHY` goes on, `qd --estate 'my shop.toml' abort web-1` ends it";
        assert_eq!(told(both), wanted);
        assert_eq!(told(wanted), wanted, "not twice");
        for same in ["kill 4242", "the word qd alone", "`qd demo` opens one", "`qd init ... PATH`", "the `qdx run`"] {
            assert_eq!(told(same), same);
        }
        assert_eq!(typed(both, None), both);
    }

    #[test]
    fn a_name_with_a_space_or_a_quote_is_quoted_for_the_shell() {
        assert_eq!(quoted("before/tell the team's chat"), r"'before/tell the team'\''s chat'");
        assert_eq!(quoted("$(reboot)"), "'$(reboot)'");
        assert_eq!(quoted("--force"), "'--force'");
    }
}
