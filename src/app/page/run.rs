//! One run, as it goes on: what it is, how it stands, what it asks, its steps, what they print, and how it ended.

use jiff::SignedDuration;

use crate::app::action::Action;
use crate::app::layer::{Scope, Spot};
use crate::app::operations::{file_of, keeps_off, mark, offers, other_estate, step_mark};
use crate::app::palette::Goal;
use crate::app::state::State;
use crate::app::when;
use crate::model::age;
use crate::model::preferences::Token;
use crate::model::run::advice::{Way, advice, typed, wants};
use crate::model::run::estimate::Estimate;
use crate::model::run::known::{KnownRun, Liveness};
use crate::model::run::{Ending, Lease, Phase, RunState, StepState};

use super::{Page, Row};

/// Lines of output that are shown.
const OUTPUT: usize = 8;
/// Lines of a screen from which on there is room for the commands beside the keys.
const TALL: u16 = 40;
/// Earlier runs that the estimate asks.
const EARLIER: usize = 20;

pub(super) fn lines(state: &State, run: &str, record: bool, spot: &Spot, mut page: Page) -> (String, Vec<Row>) {
    let Some(known) = state.runs.find(run) else {
        page.text("The journal does not tell of this run.", Token::Unknown);
        return (format!("RUN  {run}"), page.done());
    };
    if record {
        entries(state, known, &mut page);
        return (format!("JOURNAL OF THE RUN  {run}"), page.done());
    }
    let plan = &known.state.plan;
    let release = match (&plan.from, &plan.to) {
        (Some(from), Some(to)) => format!("  {from} -> {to}"),
        _ => String::new(),
    };
    top(state, known, spot, &mut page);
    steps(state, known, &mut page);
    output(known, spot, &mut page);
    page.head("RUN");
    about(state, known, &mut page);
    rest(state, known, &mut page);
    // How it stands is in the title too: that is never scrolled away.
    let (glyph, word, _) = mark(known);
    (format!("RUN  {} of {}{release}  {}", plan.deed.word(), plan.subject, format!("{glyph} {word}").trim_start()), page.done())
}

fn top(state: &State, known: &KnownRun, spot: &Spot, page: &mut Page) {
    let run = &known.state;
    let (glyph, word, token) = mark(known);
    let begun = run.begun_at.map(|begun| run.ended.as_ref().map_or(state.now, |(at, _)| *at).duration_since(begun));
    let elapsed = begun.map_or_else(String::new, |took| format!(", {}", age::exact(whole(took))));
    let plain = run.ended.is_some() || run.phase() == Phase::Going || run.phase().word() == word;
    let phase = if plain { String::new() } else { format!(" ({})", run.phase().word()) };
    let glyph = if glyph == ' ' { String::new() } else { format!("{glyph} ") };
    page.field("state", &format!("{glyph}{word}{phase}{elapsed}"), token);
    let other = keeps_off(state, known);
    if let Some(why) = &other {
        page.field("estate", &format!("! {why}"), Token::Warning);
    }
    if let Some((_, ending)) = &run.ended {
        page.field("ended", &ending.to_string(), token);
        if let Ending::Aborted { stays } | Ending::Failed { stays, .. } = ending {
            stays.iter().for_each(|text| page.field("stays", text, Token::Warning));
        }
        if run.unreviewed().is_some() {
            page.field("wants you", &wants(run, known.alive).unwrap_or_default(), Token::Critical);
            for next in advice(run, known.alive).into_iter().filter(|next| next.way == Way::Review) {
                let command = typed(&next.command, known.file.as_deref().filter(|_| other.is_some()));
                page.field("next", &command, Token::Text);
                page.field("", &next.means, Token::Dim);
            }
        }
    } else if let Some(why) = wants(run, known.alive) {
        page.field("wants you", &why, token);
        if let Some(words) = &known.words {
            page.field("it said", words, Token::Text);
        }
    }
    // Where nobody carries it out nothing is read back.
    let asked = run.asked.as_ref().and_then(|(step, _)| step.as_deref());
    for (step, said) in run.checking().filter(|(step, _)| !is_left(known.alive) && asked != Some(step)) {
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        let text = format!("? whether {step} is done is not known{said}; it is read back until that is known, what needs it waits");
        page.field("checking", &text, Token::Unknown);
    }
    // A page that can ask by key still says the command: the console may be read-only, or the runner gone.
    if wants(run, known.alive).is_some() && run.ended.is_none() {
        for (place, next) in advice(run, known.alive).into_iter().enumerate() {
            let name = if place == 0 { "next" } else { "or" };
            match key(state, run, spot, next.way) {
                // On a low screen the steps matter more than the commands, which the keys spare.
                Some((key, short)) if state.size.1 < TALL => page.field(name, &format!("{key} {short}: {}", next.means), Token::Text),
                key => {
                    let key = key.map_or_else(String::new, |(key, short)| format!("{key} {short}, or "));
                    // The page says below how the open estate is named once for all of them; another one is named in each.
                    let command = typed(&next.command, known.file.as_deref().filter(|_| other.is_some()));
                    page.field(name, &format!("{key}{command}"), Token::Text);
                    page.field("", &next.means, Token::Dim);
                }
            }
        }
    }
    if let Some(sent) = state.sent.as_ref().filter(|sent| sent.run == run.run && run.requests.len() <= sent.before) {
        let (text, token) = match &sent.end {
            None => (format!("{}: is being asked", sent.words), Token::Dim),
            Some(Ok(())) => (format!("{}: asked, the runner has not taken it up yet", sent.words), Token::Text),
            Some(Err(why)) => (format!("! {}: not asked: {why}", sent.words), Token::Warning),
        };
        page.field("you asked", &text, token);
    }
    // Where nobody carries it out nothing gets less.
    if run.ended.is_none() && !is_left(known.alive) && !matches!(known.alive, Liveness::Silent { .. }) {
        let past: Vec<&RunState> = state.runs.all.iter().map(|of| &*of.state).filter(|of| of.ended.is_some()).take(EARLIER).collect();
        if let Some(left) = Estimate::of(run, &past, state.now) {
            page.field("left", &left.words(), Token::Text);
        }
    }
}

/// The key that asks that of the run, where it is offered as the page stands: what is about a step is about the selected one.
fn key(state: &State, run: &RunState, spot: &Spot, way: Way) -> Option<(String, &'static str)> {
    let asked = run.asked.as_ref().and_then(|(step, _)| step.clone()).map(Goal::Step);
    let (action, of_step) = match way {
        Way::Look | Way::Kill | Way::Review => return None,
        Way::Resume if offers(state, Action::ResumeRun) => (Action::ResumeRun, false),
        Way::Pause | Way::Resume => (Action::PauseRun, false),
        Way::Abort => (Action::AbortRun, false),
        Way::Retry => (Action::RetryStep, true),
        Way::Skip => (Action::SkipStep, true),
        Way::Confirm => (Action::ConfirmStep, true),
        Way::TakeBack => (Action::TakeBack, true),
    };
    let meant = !of_step || (asked.is_some() && asked == spot.selected);
    // A key that pauses does not answer a question.
    let right = way != Way::Resume || run.paused.is_some() || action == Action::ResumeRun;
    let key = state.keymap.key_for(Scope::Run, action)?;
    let short = if way == Way::Resume && action == Action::PauseRun { "go on" } else { action.entry().short };
    (meant && right && offers(state, action)).then(|| (key.to_string(), short))
}

/// What it is, and who carries it out.
fn about(state: &State, known: &KnownRun, page: &mut Page) {
    let run = &known.state;
    if run.ended.is_none() {
        runner(state, known, page);
    }
    page.field("planned", &format!("{}, {}", when::both(state, run.planned_at), run.by.name()), Token::Text);
    match &run.agreement {
        Some(agreement) => {
            page.field("why", &agreement.reason, Token::Text);
            if let Some(why) = &agreement.glass {
                let reviewed =
                    run.reviewed.as_ref().map_or("not reviewed".to_owned(), |(who, note)| format!("reviewed by {}: {note}", who.name()));
                let (glyph, token) = if run.unreviewed().is_some() { ("X ", Token::Critical) } else { ("", Token::Text) };
                page.field("glass", &format!("{glyph}broken: {why}; {reviewed}"), token);
            }
        }
        None => page.field("why", "? nobody agreed to it", Token::Unknown),
    }
    page.field("plan", &format!("{}, run {}", run.plan.phrase(), run.run), Token::Dim);
    // So that the commands that stand here work where they are pasted. It is said once: a path is long.
    if other_estate(state, known).is_some() && known.file.is_none() {
        page.field("elsewhere", "first name its estate file, which is not known here:", Token::Dim);
        page.field("", "export QD_ESTATE=FILE", Token::Text);
        page.field("", &format!("qd attach {}", run.run), Token::Text);
    }
    if let Some(estate) = file_of(state, known) {
        page.field("elsewhere", "in another terminal, before any of these commands:", Token::Dim);
        page.field("", &format!("export QD_ESTATE={estate}"), Token::Text);
        page.field("", &format!("qd attach {}", run.run), Token::Text);
    }
}

fn runner(state: &State, known: &KnownRun, page: &mut Page) {
    let run = &known.state;
    let (seen, token) = match known.alive {
        Liveness::Live { heartbeat } => (format!("seen {} ago", age::exact(whole(state.now.duration_since(heartbeat)))), Token::Text),
        Liveness::Silent { since } => (format!("X silent since {}", when::both(state, since)), Token::Critical),
        Liveness::Elsewhere { since } => (format!("? on another machine, last heard {}", when::both(state, since)), Token::Unknown),
        Liveness::Orphaned | Liveness::Over => ("X gone".to_owned(), Token::Critical),
    };
    let process = run.runner.as_ref().map_or(String::new(), |runner| format!(", process {} on {}", runner.process.id, runner.host));
    page.field("runner", &format!("{seen}{process}"), token);
    let mut leases = Vec::new();
    let mut token = Token::Dim;
    for (target, lease) in run.plan.targets.iter().zip(&run.leases) {
        match lease {
            Lease::None | Lease::Given => {}
            Lease::Wanted => leases.push(format!("{} asked for", target.name)),
            Lease::Held(fence) => leases.push(format!("{} held ({fence})", target.name)),
            Lease::Lost(why) => {
                leases.push(format!("! {} lost: {why}", target.name));
                token = Token::Warning;
            }
        }
    }
    if !leases.is_empty() {
        page.field("leases", &leases.join(", "), token);
    }
}

fn steps(state: &State, known: &KnownRun, page: &mut Page) {
    let run = &known.state;
    let (done, all) = run.progress();
    page.head(&format!("STEPS  {done} of {all}"));
    for (place, (step, of)) in run.plan.steps.iter().zip(&run.steps).enumerate() {
        // Its runner is gone: what it had begun is not going on under anybody's eyes.
        let interrupted = is_left(known.alive) && matches!(of.state, StepState::Underway(_) | StepState::Unknown(_));
        let (glyph, token) = if interrupted { ('?', Token::Unknown) } else { step_mark(of.state) };
        let state_word = if interrupted { "cut off: not known" } else { run.word_of(place) };
        let took = match (of.state, of.since, of.until) {
            _ if interrupted => String::new(),
            (StepState::Waiting, _, _) | (_, None, _) => String::new(),
            (StepState::Underway(_) | StepState::Unknown(_), Some(since), _) => age::exact(whole(state.now.duration_since(since))),
            (_, Some(since), Some(until)) => age::exact(whole(until.duration_since(since))),
            (_, Some(since), None) => age::exact(whole(state.now.duration_since(since))),
        };
        let tries = if of.attempt > 1 { format!(", try {}", of.attempt) } else { String::new() };
        let said = if of.said.is_empty() { &when::in_zone(state, &run.plan, &step.title) } else { &of.said };
        let word = if glyph == ' ' { format!("  {state_word}") } else { format!("{glyph} {state_word}") };
        page.link(Goal::Step(step.id.clone()));
        page.step(&step.id, (&word, token), &format!("{took}{tries}"), said);
    }
}

/// True where nobody carries the run out any more, although it did not end.
fn is_left(alive: Liveness) -> bool {
    matches!(alive, Liveness::Orphaned)
}

/// What the selected step prints, or printed.
fn output(known: &KnownRun, spot: &Spot, page: &mut Page) {
    let Some(Goal::Step(id)) = &spot.selected else { return };
    let Some(place) = known.state.place(id) else { return };
    let live = known.live.iter().find(|(of, _)| of == id).map(|(_, lines)| lines);
    let (lines, now) = match (known.state.steps[place].state, live) {
        (StepState::Underway(_) | StepState::Unknown(_), Some(lines)) => (lines, " so far"),
        _ => (&known.state.steps[place].output, ""),
    };
    page.head(&format!("OUTPUT of {id}{now}"));
    if lines.is_empty() {
        page.text("none", Token::Dim);
    }
    if lines.len() > OUTPUT {
        page.text(&format!("{} lines before", lines.len() - OUTPUT), Token::Dim);
    }
    for text in lines.iter().skip(lines.len().saturating_sub(OUTPUT)) {
        page.text(text, Token::Text);
    }
}

fn rest(state: &State, known: &KnownRun, page: &mut Page) {
    let run = &known.state;
    if !run.requests.is_empty() {
        page.head("ASKED BY PERSONS");
        for (at, who, request) in &run.requests {
            page.field(&when::minute(state, *at), &format!("{}: {request}", who.name()), Token::Text);
        }
    }
    let settled: Vec<_> = run.checks.iter().filter(|check| !check.passes()).collect();
    if !run.checks.is_empty() {
        let (pass, other) = (run.checks.len() - settled.len(), settled.len());
        page.head(&format!("CHECKS  {pass} pass, {other} {} not", if other == 1 { "does" } else { "do" }));
        for check in settled {
            let over = run.agreement.as_ref().and_then(|of| of.overrides.iter().find(|of| of.check == check.id));
            let over = over.map_or_else(String::new, |of| format!("; overridden: {}", of.reason));
            page.field(&check.id, &format!("{}: {}{over}", check.verdict.word(), check.seen), Token::Warning);
        }
    }
    if !run.plan.evidence.is_empty() {
        page.head("EVIDENCE  what the plan was made from");
        for of in &run.plan.evidence {
            page.field(&of.from, &format!("{}, {}", of.what, when::full(state, of.as_of)), Token::Dim);
        }
    }
    if !run.plan.impact.keeps.is_empty() {
        page.head("WHAT IT DOES NOT TAKE BACK");
        run.plan.impact.keeps.iter().for_each(|text| page.text(text, Token::Text));
    }
}

fn entries(state: &State, known: &KnownRun, page: &mut Page) {
    if known.left_out > 0 {
        page.text(&format!("{} entries before these: qd show {}", known.left_out, known.state.run), Token::Dim);
    }
    let zone = state.zone();
    page.text(&format!("times in {}", when::zone(state)), Token::Dim);
    for entry in known.entries.iter() {
        let at = entry.at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string();
        page.field(&format!("{:>5} {at}", entry.seq), &format!("{}; {}", entry.what, entry.who), Token::Text);
    }
}

fn whole(of: SignedDuration) -> SignedDuration {
    SignedDuration::from_secs(of.as_secs().max(0))
}
