//! The Operations pane's rows, what may be asked of a run, and the form in which its reason is typed.

use std::borrow::Cow;
use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use crate::model::preferences::Token;
use crate::model::run::known::{KnownRun, Liveness, Standing};
use crate::model::run::{Call, Ending, Phase, Request, RunState, StepState};
use crate::model::text::is_hostile;

use super::action::Action;
use super::layer::{Layer, Pane};
use super::palette::Goal;
use super::state::State;
use super::subject::Subject;
use super::wizard::Focus;

/// Fields that a run can be filtered by.
pub const RUN_FIELDS: &[&str] = &["run", "state", "deed", "subject", "service", "target", "who", "reason", "from", "to", "estate", "age"];
/// What is typed to abort.
pub const ABORT: &str = "abort";
/// Keys that come sooner after the form is there were meant for what was there before.
const SETTLE: SignedDuration = SignedDuration::from_millis(400);
/// Bytes of a reason.
const REASON_CAP: usize = 500;
/// Columns from which on the whole id is in the line of every screen.
const WIDE: u16 = 120;

/// A line of the Operations pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationRow {
    /// The head of those that stand alike, with how many they are.
    Head(Standing, usize),
    /// A run, by its place.
    Run(usize),
}

/// What was last asked of a run through this console.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// The run.
    pub run: String,
    /// What, in words.
    pub words: String,
    /// Requests that its journal told of when it was asked.
    pub before: usize,
    /// How asking ended; `None` while it is under way.
    pub end: Option<Result<(), String>>,
}

/// The form of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestForm {
    /// The run.
    pub run: String,
    /// What is asked; its reason is empty until it is typed.
    pub request: Request,
    /// What has the focus: Cancel first.
    pub focus: Focus,
    /// What is typed.
    pub typed: String,
    /// The reason, once it is typed and the word is wanted.
    pub reason: Option<String>,
    /// When the form came (UTC).
    pub opened: Timestamp,
    /// Why what is typed does not do.
    pub error: Option<String>,
}

impl RequestForm {
    /// Changes what is typed, where the line has the focus.
    pub fn retype(&mut self, with: impl FnOnce(&mut String)) {
        if self.focus == Focus::Cancel {
            self.error = Some("nothing was typed: Tab to the line first; Enter here cancels".to_owned());
            return;
        }
        with(&mut self.typed);
        self.typed.retain(|c| !is_hostile(c));
        while self.typed.len() > REASON_CAP {
            self.typed.pop();
        }
        self.error = None;
    }

    /// True once keys are meant for the form.
    pub fn is_settled(&self, now: Timestamp) -> bool {
        now.duration_since(self.opened) >= SETTLE
    }
}

struct OfRun<'a>(&'a KnownRun);

impl Subject for OfRun<'_> {
    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let (state, plan) = (&self.0.state, &self.0.state.plan);
        test(&state.run)
            || test(&plan.subject)
            || test(plan.deed.word())
            || test(self.0.standing().word())
            || test(&state.by.name())
            || test(&plan.estate)
            || state.agreement.as_ref().is_some_and(|of| test(&of.reason))
            || plan.targets.iter().any(|of| test(&of.name))
            || [&plan.from, &plan.to].into_iter().flatten().any(|of| test(of))
    }

    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        let (state, plan) = (&self.0.state, &self.0.state.plan);
        match name {
            "run" => Some(state.run.as_str().into()),
            "state" => Some(self.0.standing().word().into()),
            "deed" => Some(plan.deed.word().into()),
            "estate" => Some(plan.estate.as_str().into()),
            "subject" => Some(plan.subject.as_str().into()),
            "service" => plan.service.as_deref().map(Cow::Borrowed),
            "from" => plan.from.as_deref().map(Cow::Borrowed),
            "to" => plan.to.as_deref().map(Cow::Borrowed),
            "who" => Some(state.by.name().into()),
            "reason" => state.agreement.as_ref().map(|of| of.reason.as_str().into()),
            "target" => Some(plan.targets.iter().map(|of| of.name.as_str()).collect::<Vec<_>>().join(" ").into()),
            _ => None,
        }
    }

    fn label(&self, _: &str) -> Option<&str> {
        None
    }

    fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        Some(now.duration_since(self.0.state.planned_at))
    }
}

/// The rows: the runs that the filter leaves, under the heads of how they stand.
pub fn rows(state: &State) -> Vec<OperationRow> {
    let kept = |place: &usize| state.operations.filter.matches(&OfRun(&state.runs.all[*place]), state.now);
    let left: Vec<usize> = (0..state.runs.all.len()).filter(kept).collect();
    let mut rows = Vec::new();
    for chunk in left.chunk_by(|a, b| state.runs.all[*a].standing() == state.runs.all[*b].standing()) {
        rows.push(OperationRow::Head(state.runs.all[chunk[0]].standing(), chunk.len()));
        rows.extend(chunk.iter().map(|place| OperationRow::Run(*place)));
    }
    rows
}

/// Rows that the list has room for, of a body of so many: why the journal cannot be read stands above it.
pub fn room(state: &State, height: usize) -> usize {
    height.saturating_sub(usize::from(state.runs.problem.is_some())).max(1)
}

/// What tells a row from others.
pub fn id(state: &State, row: usize) -> Option<String> {
    match state.operation_rows.get(row)? {
        OperationRow::Head(..) => None,
        OperationRow::Run(place) => state.runs.all.get(*place).map(|known| known.state.run.clone()),
    }
}

/// How many of these runs the rows show.
pub fn shown_of(state: &State, runs: &HashSet<&str>) -> usize {
    let run = |row: &OperationRow| match row {
        OperationRow::Head(..) => None,
        OperationRow::Run(place) => state.runs.all.get(*place).map(|known| known.state.run.as_str()),
    };
    state.operation_rows.iter().filter_map(run).filter(|run| runs.contains(run)).count()
}

/// The run of the selected row, where the pane is looked at.
pub fn id_of_row(state: &State) -> Option<String> {
    (state.pane == Pane::Operations && state.layers.is_empty()).then(|| id(state, state.operations.list.row)).flatten()
}

/// How a run stands: glyph, words and token.
pub fn mark(known: &KnownRun) -> (char, String, Token) {
    let mark = stands(known);
    // Broken glass is red until a person reviewed it, also where all went well.
    if known.state.ended.is_some() && known.state.unreviewed().is_some() { ('X', mark.1, Token::Critical) } else { mark }
}

fn stands(known: &KnownRun) -> (char, String, Token) {
    match (known.standing(), &known.state.ended) {
        (_, Some((_, Ending::Done))) => (' ', "done".to_owned(), Token::Text),
        (_, Some((_, Ending::Refused { .. }))) => ('!', "refused".to_owned(), Token::Warning),
        (_, Some((_, Ending::Aborted { .. }))) => ('!', "aborted".to_owned(), Token::Warning),
        (_, Some((_, Ending::Failed { .. }))) => ('X', "failed".to_owned(), Token::Critical),
        (Standing::Orphaned, None) => match known.alive {
            Liveness::Silent { .. } => ('X', "silent".to_owned(), Token::Critical),
            _ => ('X', "orphaned".to_owned(), Token::Critical),
        },
        (Standing::Waiting, None) if known.state.phase() == Phase::Paused => ('!', "paused".to_owned(), Token::Warning),
        (Standing::Waiting, None) => ('!', "asks you".to_owned(), Token::Warning),
        (Standing::Running, None) if known.state.aborting.is_some() => ('!', "taking back".to_owned(), Token::Warning),
        (Standing::Running, None) if matches!(known.alive, Liveness::Elsewhere { .. }) => ('?', "elsewhere".to_owned(), Token::Unknown),
        (Standing::Running, None) => ('>', "running".to_owned(), Token::Text),
        (Standing::Past, None) => (' ', "not begun".to_owned(), Token::Dim),
    }
}

/// How a step stands: glyph and token; its word is its state's own.
pub fn step_mark(state: StepState) -> (char, Token) {
    match state {
        StepState::Done => (' ', Token::Text),
        StepState::Waiting => (' ', Token::Dim),
        StepState::Underway(_) => ('>', Token::Title),
        StepState::Unknown(_) => ('?', Token::Unknown),
        StepState::Untold(_) => ('?', Token::Warning),
        StepState::Failed | StepState::UndoFailed => ('X', Token::Critical),
        StepState::Refused => ('!', Token::Warning),
        StepState::Skipped | StepState::Undone => ('~', Token::Muted),
    }
}

/// What every screen says while a run goes on, or should: the one that wants most, and how many more there are.
pub fn chip(state: &State, width: u16) -> Option<(String, Token)> {
    let mut open = state.runs.open();
    let known = open.next()?;
    let name = if width >= WIDE { &known.state.run } else { &known.state.plan.subject };
    let of = other_estate(state, known).map_or_else(String::new, |of| format!(" of {of}"));
    let (done, all) = known.state.progress();
    let (_, word, token) = mark(known);
    let word = if word == "running" { String::new() } else { format!(" {word}") };
    let steps = if width >= WIDE { " steps" } else { "" };
    let more = match open.count() {
        0 => String::new(),
        more => format!(" +{more}"),
    };
    let token = if token == Token::Text { Token::Title } else { token };
    Some((format!("run {name}{of} {done}/{all}{steps}{word}{more}"), token))
}

/// The run whose page is on top, and the step that is selected there.
pub fn shown(state: &State) -> Option<(&KnownRun, Option<usize>)> {
    // The form and the report lie over the page that they are about.
    let under = state.layers.iter().rev().find(|layer| !matches!(layer, Layer::Request(_) | Layer::Share { .. }));
    let Some(Layer::Run { run, spot, .. }) = under else { return None };
    let known = state.runs.find(run)?;
    let step = match &spot.selected {
        Some(Goal::Step(id)) => known.state.place(id),
        _ => None,
    };
    Some((known, step))
}

/// The run that a key is about: the one whose page is on top, else the selected one of the list.
pub fn meant(state: &State) -> Option<&KnownRun> {
    if !state.layers.is_empty() || state.pane != Pane::Operations {
        return shown(state).map(|(known, _)| known);
    }
    match state.operation_rows.get(state.operations.list.row)? {
        OperationRow::Head(..) => None,
        OperationRow::Run(place) => state.runs.all.get(*place).map(|known| &**known),
    }
}

/// The estate of a run that is not of the one that is open, with its environment: `lab (practice)`. Runs of all estates
/// stand in one journal.
pub fn other_estate(state: &State, known: &KnownRun) -> Option<String> {
    let plan = &known.state.plan;
    let same = plan.estate == state.estate.name && plan.environment == state.estate.environment;
    (!same).then(|| format!("{} ({})", plan.estate, plan.environment))
}

/// Why nothing is asked of a run from here that is of another estate, and where it is asked; `None` of one of this estate.
pub fn keeps_off(state: &State, known: &KnownRun) -> Option<String> {
    let of = other_estate(state, known)?;
    let open = match &known.file {
        Some(file) => format!("open it with `qd --estate {file}`"),
        None => "open that estate; where its file is, is not known here".to_owned(),
    };
    Some(format!("it is of the estate {of}, and this console cannot act on it: {open}"))
}

/// The estate file that commands about a run must name, as a shell takes it; `None` where they need not, or where it is not
/// known.
pub fn file_of<'a>(state: &'a State, known: &'a KnownRun) -> Option<&'a str> {
    if other_estate(state, known).is_some() { known.file.as_deref() } else { state.identity.estate.as_deref() }
}

/// Why that run cannot be taken up from here; `None` where it can.
pub fn keeps_from_taking_up(state: &State, known: &KnownRun) -> Option<String> {
    match state.read_only {
        true => Some("this console was opened with --read-only".to_owned()),
        false if other_estate(state, known).is_some() => keeps_off(state, known),
        false => known.alive.keeps_from_taking_up(&known.state),
    }
}

/// The one target that is meant where the selected step's is taken back; `None` where there is none, or several.
pub fn one_back(run: &RunState, step: Option<usize>) -> Option<&str> {
    let mut targets = run.back_from(step?);
    let first = targets.next()?;
    targets.next().is_none().then_some(first)
}

/// True where that can be asked of the run that is shown, as it stands.
pub fn offers(state: &State, action: Action) -> bool {
    if action == Action::ResumeRun {
        return meant(state).is_some_and(|known| keeps_from_taking_up(state, known).is_none());
    }
    let Some((known, step)) = shown(state) else { return false };
    let run = &known.state;
    if other_estate(state, known).is_some() {
        return false;
    }
    // Of a run on another machine nothing can be asked from here: its folder is there.
    if state.read_only || run.ended.is_some() || run.runners == 0 || matches!(known.alive, Liveness::Orphaned | Liveness::Elsewhere { .. })
    {
        return false;
    }
    let of = step.map(|place| (run.steps[place].state, run.goes_back(place)));
    let manual = step.is_some_and(|place| matches!(run.plan.steps[place].act, crate::model::plan::Act::Manual { .. }));
    match action {
        Action::PauseRun => true,
        Action::AbortRun => run.aborting.is_none(),
        Action::RetryStep => match of {
            Some((StepState::Failed | StepState::Refused, back)) => !back,
            Some((StepState::Untold(_) | StepState::UndoFailed, _)) => true,
            _ => false,
        },
        Action::SkipStep => match of {
            Some((StepState::Waiting | StepState::Failed | StepState::Refused | StepState::Untold(_) | StepState::UndoFailed, _)) => true,
            // It is read back again: a person may only once that went on for long.
            Some((StepState::Unknown(_), _) | (StepState::Done, true)) => step.is_some_and(|place| run.asks_about(place)),
            _ => false,
        },
        Action::ConfirmStep => {
            matches!(of, Some((StepState::Untold(_) | StepState::UndoFailed, _)))
                || (manual && matches!(of, Some((StepState::Underway(Call::Apply) | StepState::Unknown(Call::Apply), _))))
        }
        Action::TakeBack => {
            run.aborting.is_none() && run.plan.targets.len() > 1 && matches!(of, Some((_, false))) && one_back(run, step).is_some()
        }
        _ => false,
    }
}
