//! The Databases pane: who is primary, who follows and how far behind, the archive and the slots. Snapshots:
//! `databases_80`, `databases_160`.

use crate::app::databases::{DatabaseRow, Known, known};
use crate::app::mark;
use crate::app::state::State;
use crate::app::when;
use crate::model::database::{Limit, Node, NodeAt, Said, troubles};
use crate::model::estate::Severity;
use crate::model::metric;
use crate::model::panel::Unit;
use crate::model::preferences::Token;
use crate::model::reading::Freshness;
use crate::ui::frame;
use crate::ui::widget::canvas::Canvas;

const NODE: u16 = 2;
/// Columns after the node's name, whose width follows the screen's: role, state, lag, newest commit, timeline,
/// connections, archiver.
const ROLE: u16 = 0;
const STATE: u16 = 9;
const LAG: u16 = 21;
const HOLDS: u16 = 30;
const TIMELINE: u16 = 36;
const CLIENTS: u16 = 40;
const ARCHIVE: u16 = 49;
/// Only where there is room.
const SLOTS: u16 = 60;

/// Draws the pane between the fixed lines.
pub fn draw(canvas: &mut Canvas, state: &State) {
    let after = columns(canvas.area.width);
    let nodes = || state.database_rows.iter().filter(|row| matches!(row, DatabaseRow::Node(..))).count();
    let all = (0..state.estate.sources.len()).filter_map(|index| known(state, index)).map(|known| known.database.nodes.len()).sum();
    let heads = [
        (NODE, "NODE"),
        (after + ROLE, "ROLE"),
        (after + STATE, "STATE"),
        (after + LAG, "LAG"),
        (after + HOLDS, "HOLDS"),
        (after + TIMELINE, "TL"),
        (after + CLIENTS, "CLIENTS"),
        (after + ARCHIVE, "ARCHIVE"),
        (after + SLOTS, if has_slots(canvas.area.width) { "SLOTS" } else { "" }),
    ];
    frame::heads(canvas, &heads, &frame::chip(&state.databases.filter.text, nodes, all));
    if state.database_rows.is_empty() {
        let text = if all == 0 { "The estate file names no [[database]]" } else { "No node matches" };
        canvas.put(NODE, 3, canvas.area.width, text, Token::Dim);
    }
    let height = usize::from(canvas.area.height - 4);
    let rows = state.database_rows.iter().enumerate().skip(state.databases.list.offset).take(height);
    for (line, (place, row)) in rows.enumerate() {
        let y = 3 + line as u16;
        match *row {
            DatabaseRow::Head(index) => head(canvas, state, y, index),
            DatabaseRow::Node(index, node) => {
                let selected = state.databases.list.selected.is_some() && place == state.databases.list.row;
                if let Some(known) = known(state, index)
                    && let Some((at, said)) = known.node(node)
                {
                    self::node(canvas, state, y, &known, at, said, selected);
                }
            }
        }
    }
}

/// Where the columns after the name begin.
fn columns(width: u16) -> u16 {
    width.saturating_sub(ARCHIVE + 11).clamp(NODE + 8, NODE + 40)
}

/// True where the slots have room too.
fn has_slots(width: u16) -> bool {
    width >= columns(width) + SLOTS + 20
}

/// The database, and the worst that is found of it.
fn head(canvas: &mut Canvas, state: &State, y: u16, index: usize) {
    let Some(known) = known(state, index) else { return };
    let width = canvas.area.width;
    let x = canvas.put(0, y, width, &known.source.name, Token::Title) + 2;
    let (text, token) = match known.answer {
        _ if known.freshness == Freshness::Never => ("? nothing was read yet".to_owned(), Token::Unknown),
        None => (format!("? {}", known.freshness.word()), Token::Unknown),
        Some(answer) => match troubles(known.database, answer).first() {
            Some(worst) if known.freshness == Freshness::Fresh => {
                (format!("{} {}: {}", mark::glyph(worst.severity), worst.kind.name(), worst.what), mark::token(worst.severity))
            }
            Some(worst) => (format!("[{}] ? {}", worst.kind.name(), known.freshness.word()), Token::Unknown),
            None if known.freshness == Freshness::Fresh => (answer.summary(), Token::Dim),
            None => (format!("[{}] ? {}", answer.summary(), known.freshness.word()), Token::Unknown),
        },
    };
    canvas.put(x, y, width.saturating_sub(x), &text, token);
}

fn node(canvas: &mut Canvas, state: &State, y: u16, known: &Known<'_>, at: &NodeAt, node: Option<&Node>, selected: bool) {
    let after = columns(canvas.area.width);
    if selected {
        canvas.put(0, y, 1, ">", Token::Selected);
    }
    let fresh = known.freshness == Freshness::Fresh;
    // What is old is bracketed, here as everywhere.
    let old = |text: String| if fresh { text } else { format!("[{text}]") };
    let shade = |token: Token| if fresh { token } else { Token::Unknown };
    canvas.put(NODE, y, after - NODE - 1, &at.name, if selected { Token::Selected } else { Token::Text });
    let Some(node) = node else {
        canvas.put(after + ROLE, y, canvas.area.width, "? nothing is known", Token::Unknown);
        return;
    };
    let Some(said) = &node.said else {
        let word = if node.refused { "! refused" } else { "! gone" };
        canvas.put(after + ROLE, y, STATE - ROLE - 1, "?", Token::Unknown);
        let why = node.error.as_deref().unwrap_or("it did not answer");
        // The row begins with the name already.
        let why = format!("{word}: {}", why.strip_prefix(&format!("{}: ", node.name)).unwrap_or(why));
        canvas.put(after + STATE, y, canvas.area.width.saturating_sub(after + STATE), &old(why), shade(Token::Warning));
        return;
    };
    canvas.put(after + ROLE, y, STATE - ROLE - 1, &old(said.role().to_owned()), shade(Token::Text));
    let (word, token) = known.answer.map_or_else(|| ("?".to_owned(), Token::Unknown), |answer| marked(answer.doing(said)));
    canvas.put(after + STATE, y, LAG - STATE - 1, &old(word), shade(token));
    let lag = match known.answer.and_then(|answer| answer.lag(said)) {
        _ if !said.in_recovery => ("-".to_owned(), Token::Dim),
        Some(lag) => {
            // In the words of the limit: a time where that is a time, and the primary tells one.
            let seconds = lag.seconds.filter(|_| matches!(known.database.warn, Limit::Time(_)));
            let text = seconds.map_or_else(|| metric::show(lag.bytes as f64, Unit::Bytes), |s| metric::show(s, Unit::Seconds));
            match lag.severity(known.database) {
                Some(severity) => (old(format!("{}{text}", mark::glyph(severity))), shade(mark::token(severity))),
                None => (old(text), shade(Token::Text)),
            }
        }
        None => ("?".to_owned(), Token::Unknown),
    };
    canvas.put(after + LAG, y, HOLDS - LAG - 1, &lag.0, lag.1);
    // The age of the newest commit, which grows on an idle primary: it is no lag.
    let holds = said.newest_commit.map_or_else(|| if said.in_recovery { "?".into() } else { "-".into() }, |at| when::ago(state, at));
    canvas.put(after + HOLDS, y, TIMELINE - HOLDS - 1, &holds, Token::Dim);
    let timeline = said.timeline.map_or("?".to_owned(), |timeline| timeline.to_string());
    canvas.put(after + TIMELINE, y, CLIENTS - TIMELINE - 1, &timeline, shade(Token::Text));
    let clients = format!("{}/{}", said.connections.map_or("?".to_owned(), |n| n.to_string()), said.max_connections);
    canvas.put(after + CLIENTS, y, ARCHIVE - CLIENTS - 1, &clients, shade(Token::Text));
    let (text, token) = archive(said);
    canvas.put(after + ARCHIVE, y, SLOTS - ARCHIVE - 1, &old(text), shade(token));
    if has_slots(canvas.area.width) {
        let (text, token) = slots(said);
        canvas.put(after + SLOTS, y, canvas.area.width.saturating_sub(after + SLOTS), &old(text), shade(token));
    }
}

/// A word with its mark.
fn marked((severity, word): (Severity, &str)) -> (String, Token) {
    match severity {
        Severity::Ok => (word.to_owned(), Token::Text),
        Severity::Info => (word.to_owned(), Token::Dim),
        severity => (format!("{} {word}", mark::glyph(severity)), mark::token(severity)),
    }
}

/// How many slots there are, what the greediest keeps, and how many nobody reads.
fn slots(said: &Said) -> (String, Token) {
    if said.slots.is_empty() {
        return ("-".into(), Token::Dim);
    }
    let most = said.slots.iter().filter_map(|slot| slot.retained).max().unwrap_or(0);
    let idle = said.slots.iter().filter(|slot| !slot.active).count();
    let told = format!("{}, at most {}", said.slots.len(), metric::show(most as f64, Unit::Bytes));
    if idle > 0 { (format!("! {told}, {idle} read by nobody"), Token::Warning) } else { (told, Token::Text) }
}

fn archive(said: &Said) -> (String, Token) {
    said.archiving().map_or_else(|| ("-".into(), Token::Dim), marked)
}
