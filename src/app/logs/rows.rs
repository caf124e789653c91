//! The rows of the logs: lines that pass the filter, and between them what else happened; moving through them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::app::layer::Layer;
use crate::app::state::State;
use crate::app::wrap::wrap;
use crate::app::{mark, timeline};
use crate::model::age;
use crate::model::log::lines::KEPT;
use crate::model::log::{Line, Of};
use crate::model::preferences::Token;
use crate::model::timeline::{Event, Kind, merge};

use super::{Logs, line, search};

/// Events between the lines, the newest.
const EVENTS: usize = 100;
/// Between two looks at what else happened.
const EVERY: SignedDuration = SignedDuration::from_secs(5);
/// Notes above the lines.
const HEAD: usize = 4;

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// A line with its number.
    Line(u64, Arc<Line>),
    /// What happened then: a deployment, the begin or the end of an alert.
    Event(Box<Event>),
}

impl Row {
    /// The number of a line.
    pub fn number(&self) -> Option<u64> {
        match self {
            Row::Line(number, _) => Some(*number),
            Row::Event(_) => None,
        }
    }

    /// When it was (UTC).
    pub fn at(&self) -> Timestamp {
        match self {
            Row::Line(_, line) => line.at,
            Row::Event(event) => event.at,
        }
    }

    fn is(&self, other: &Row) -> bool {
        match (self, other) {
            (Row::Line(one, _), Row::Line(two, _)) => one == two,
            (Row::Event(one), Row::Event(two)) => one == two,
            _ => false,
        }
    }
}

/// What must be known before the lines are read, the worst first, with the colour of each.
pub fn notes(logs: &Logs) -> Vec<(String, Token)> {
    let mut all: Vec<(String, Token)> = Vec::new();
    match &logs.places {
        Err(why) => all.push((why.clone(), Token::Warning)),
        Ok(places) => {
            all.extend(places.iter().filter_map(|place| Some((format!("! {}", place.fault.as_ref()?), Token::Warning))));
            all.extend(places.iter().flat_map(|place| &place.notes).map(|note| (format!("! {note}"), Token::Warning)));
            all.extend(places.iter().filter_map(|place| {
                let ahead = place.ahead?;
                let way = if ahead > 0 { "ahead of" } else { "behind" };
                let by = age::exact(SignedDuration::from_secs(ahead.abs() / 1_000));
                Some((format!("! {}: its clock is {way} ours, by {by} or more", place.place.name), Token::Warning))
            }));
        }
    }
    if logs.lines.dropped > 0 {
        all.push((format!("the newest {KEPT} lines are kept; {} older ones were let go", logs.lines.dropped), Token::Dim));
    }
    let more = all.len().saturating_sub(HEAD);
    if more > 0 {
        all.truncate(HEAD - 1);
        all.push((format!("and {} more like these", more + 1), Token::Warning));
    }
    all
}

/// The notes as they stand above the lines: wrapped, a third of the screen at the most.
pub fn head(state: &State, logs: &Logs) -> Vec<(String, Token)> {
    let width = usize::from(state.size.0);
    let lines = notes(logs).into_iter().flat_map(|(note, token)| wrap(&note, width).into_iter().map(move |line| (line, token)));
    lines.take((state.body_height() / 3).max(1)).collect()
}

/// Rows on the screen at once: without the notes above, and the selected line below.
pub fn height(state: &State) -> usize {
    let Some(logs) = &state.logs else { return 1 };
    let body = state.body_height();
    body.saturating_sub(head(state, logs).len() + foot(body, logs.whole)).max(1)
}

/// Lines below the list, for the selected one.
pub fn foot(body: usize, whole: bool) -> usize {
    match (whole, body) {
        (true, _) => body / 2,
        (false, ..=12) => 0,
        (false, _) => 3,
    }
}

/// Looks anew, every few seconds, what else happened, and computes the rows again.
pub fn renew(state: &mut State) {
    let now = state.now;
    if let Some(logs) = &state.logs {
        let ends = logs.lines.iter().next().zip(logs.lines.iter().next_back()).map(|(first, last)| (first.line.at, last.line.at));
        let due = logs.looked.is_none_or(|looked| now.duration_since(looked) >= EVERY);
        let to = |last: Timestamp| if logs.view.at.is_none() { now.max(last) } else { last };
        let found = ends.filter(|_| due).map(|(first, last)| events(state, logs, first, to(last)));
        if let (Some(events), Some(logs)) = (found, &mut state.logs) {
            (logs.events, logs.looked) = (events, Some(now));
        }
    }
    refresh(state);
}

/// Computes the rows again. What is read stays at its place on the screen; who stands at the end stays there.
pub fn refresh(state: &mut State) {
    let Some(mut logs) = state.logs.take() else { return };
    let kept = logs.rows.get(logs.row).cloned();
    let shown = logs.row.saturating_sub(logs.offset);
    let mut rows: Vec<Row> = logs
        .lines
        .iter()
        .filter(|one| !logs.errors || line::is_error(&one.line))
        .filter(|one| logs.among || logs.filter.is_empty() || logs.filter.matches(&*one.line, state.now))
        .map(|one| Row::Line(one.number, one.line.clone()))
        .collect();
    // What was before the oldest line that is kept is not told here.
    let first = logs.lines.iter().next().map(|one| one.line.at);
    rows = woven(rows, logs.events.iter().filter(|event| first.is_some_and(|first| event.at >= first)).cloned().collect());
    let begun = logs.rows.is_empty() && !rows.is_empty();
    logs.hits = search::hits(&logs, &rows, state.now);
    logs.rows = rows;
    let last = logs.rows.len().saturating_sub(1);
    logs.row = match kept {
        _ if logs.at_end => last,
        // Around a moment: its first line.
        None => logs.view.at.map_or(last, |at| logs.rows.partition_point(|row| row.at() < at).min(last)),
        Some(kept) => {
            let found = logs.rows.iter().position(|row| row.is(&kept));
            found.unwrap_or_else(|| logs.rows.partition_point(|row| row.at() < kept.at()).min(last))
        }
    };
    state.logs = Some(logs);
    let height = height(state);
    if let Some(logs) = &mut state.logs {
        logs.offset = if logs.at_end {
            logs.rows.len().saturating_sub(height)
        } else if begun {
            logs.row.saturating_sub(height / 3)
        } else {
            logs.row.saturating_sub(shown)
        };
        settle(logs, height);
    }
}

/// The events of that time that matter to a service.
fn events(state: &State, logs: &Logs, from: Timestamp, to: Timestamp) -> Vec<Event> {
    let Of::Service(name) = &logs.view.of else { return Vec::new() };
    let wanted = |event: &Event| {
        matches!(event.kind, Kind::Deployment | Kind::AlertBegan | Kind::AlertEnded | Kind::FindingBegan)
            && event.is_of(&state.estate, name)
    };
    // Two tell of one finding, each with the value of its moment.
    let all = merge(timeline::at_hand(state, (from, to)).into_iter().filter(wanted), from, to).0;
    // A row that moves with each look would always be the newest.
    let mut all: Vec<Event> = all.into_iter().rev().map(|event| event.still(to.min(state.now))).collect();
    all.sort_by_key(|event| event.at);
    let more = all.len().saturating_sub(EVENTS);
    all.drain(..more);
    all
}

fn woven(rows: Vec<Row>, events: Vec<Event>) -> Vec<Row> {
    if events.is_empty() {
        return rows;
    }
    let mut all = Vec::with_capacity(rows.len() + events.len());
    let mut events = events.into_iter().peekable();
    for row in rows {
        while let Some(event) = events.next_if(|event| event.at <= row.at()) {
            all.push(Row::Event(Box::new(event)));
        }
        all.push(row);
    }
    all.extend(events.map(|event| Row::Event(Box::new(event))));
    all
}

/// The row is on the screen, and the screen within the rows.
fn settle(logs: &mut Logs, height: usize) {
    let len = logs.rows.len();
    logs.row = logs.row.min(len.saturating_sub(1));
    logs.offset = logs.offset.min(len.saturating_sub(height)).min(logs.row).max((logs.row + 1).saturating_sub(height));
}

/// Moves by so many rows. At the last row one stands at the end again.
pub fn walk(state: &mut State, by: isize) {
    let height = height(state);
    let Some(logs) = &mut state.logs else { return };
    let last = logs.rows.len().saturating_sub(1);
    let was = logs.at_end;
    logs.row = logs.row.saturating_add_signed(by).min(last);
    logs.at_end = logs.row == last && (by >= 0 || was && last == 0);
    if was && !logs.at_end {
        logs.seen = logs.lines.iter().map(|one| one.number).max().unwrap_or(0);
    }
    settle(logs, height);
}

/// Goes to that row and stays there, whatever comes.
pub(super) fn stand(state: &mut State, row: usize) {
    let height = height(state);
    let Some(logs) = &mut state.logs else { return };
    if logs.at_end {
        logs.seen = logs.lines.iter().map(|one| one.number).max().unwrap_or(0);
    }
    (logs.row, logs.at_end) = (row, false);
    // What is around it is seen too.
    if row < logs.offset || row >= logs.offset + height {
        logs.offset = row.saturating_sub(height / 3);
    }
    settle(logs, height);
}

/// Selects the row of that line, or of what happened then; true where it was selected already, `None` where it is not
/// there any more.
pub fn pick(state: &mut State, number: Option<u64>, at: Timestamp) -> Option<bool> {
    if !matches!(state.layers.last(), Some(Layer::Logs(_))) {
        return None;
    }
    let logs = state.logs.as_ref()?;
    let place = logs.rows.iter().position(|row| row.number() == number && row.at() == at)?;
    let by = place.cast_signed() - logs.row.cast_signed();
    if by != 0 {
        walk(state, by);
    }
    Some(by == 0)
}

/// Goes to the end, where new lines move the screen.
pub fn jump(state: &mut State) {
    walk(state, 1 << 30);
}

/// The glyph and word of a level, and their colour.
pub fn level(line: &Line) -> (String, Token) {
    let Some(level) = line.level else { return (String::new(), Token::Dim) };
    let severity = level.severity();
    let token = match severity {
        crate::model::severity::Severity::Info => Token::Dim,
        severity => mark::token(severity),
    };
    let glyph = if token == Token::Dim { ' ' } else { mark::glyph(severity) };
    (format!("{glyph} {}", level.word()), token)
}
