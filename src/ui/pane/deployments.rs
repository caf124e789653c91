//! The Deployments pane: one line each, the newest first. Its snapshots are `deployments_*`.

use crate::app::deployments::window::Hits;
use crate::app::mark;
use crate::app::marks;
use crate::app::state::State;
use crate::app::when;
use crate::model::age;
use crate::model::deployment::did::Found;
use crate::model::deployment::{Deployment, Trigger};
use crate::model::preferences::Token;
use crate::ui::frame;
use crate::ui::widget::canvas::{Canvas, cells, thousands};

/// Where the columns are.
struct Columns {
    wide: bool,
    service: u16,
    site: u16,
    version: u16,
    who: u16,
    result: u16,
    took: u16,
    /// What it did. The screen's edge where there is no room for it: then the last line tells it of the selected row.
    did: u16,
    /// The screen's edge where there is no room for it.
    reason: u16,
}

const TIME: u16 = 2;

fn columns(width: u16) -> Columns {
    match width {
        // Of what is left a little more than half is for what it did, the rest for why.
        150.. => {
            let (did, wider) = (106, if width >= 180 { 6 } else { 0 });
            let did = did + 2 * wider;
            let reason = did + (width - did) * 3 / 5;
            Columns {
                wide: true,
                service: 21,
                site: 36 + wider,
                version: 46 + wider,
                who: 72 + 2 * wider,
                result: 86 + 2 * wider,
                took: 98 + 2 * wider,
                did,
                reason,
            }
        }
        120.. => Columns { wide: true, service: 21, site: 34, version: 43, who: 65, result: 76, took: 87, did: 93, reason: width },
        // Where there is less than 80 the last columns are cut off; a person and the result come before the time taken.
        _ => Columns { wide: false, service: 14, site: 25, version: 33, who: 53, result: 62, took: 72, did: width, reason: width },
    }
}

/// Draws the pane between the fixed lines.
pub fn draw(canvas: &mut Canvas, state: &State) {
    let width = canvas.area.width;
    let at = columns(width);
    let all = state.window.whole.total;
    let filter = &state.deployments.filter;
    let mut chip = if filter.is_empty() { String::new() } else { format!("/{} {}", filter.text, hits(state)) };
    let silent = state.silent_histories();
    if chip.is_empty() && !silent.is_empty() && all > 0 {
        chip = format!("? not fresh: {}", silent.join(" "));
    }
    let marked = marks::chip(state);
    if !marked.is_empty() {
        chip = if chip.is_empty() { marked } else { format!("{chip}  {marked}") };
    }
    let heads = [
        (TIME, "TIME"),
        (at.service, "SERVICE"),
        (at.site, "SITE"),
        (at.version, "VERSION"),
        (at.who, "WHO"),
        (at.result, "RESULT"),
        (at.took, "TOOK"),
        (at.did, if at.did < width { "WHAT IT DID" } else { "" }),
        (at.reason, if at.reason < width { "REASON" } else { "" }),
    ];
    frame::heads(canvas, &heads, &chip);
    if state.window.rows.is_empty() {
        empty(canvas, state, all, &silent);
    }
    let height = usize::from(canvas.area.height.saturating_sub(5));
    let rows = state.window.rows.iter().enumerate().skip(state.deployments.list.offset).take(height);
    for (line, (place, one)) in rows.enumerate() {
        let selected = state.deployments.list.selected.is_some() && place == state.deployments.list.row;
        row(canvas, state, 3 + line as u16, one, selected);
    }
    foot(canvas, state);
}

/// How many rows the filter leaves: `50 of 1,000`, `at least 50 of 1,000` while they are counted.
fn hits(state: &State) -> String {
    let all = thousands(state.window.whole.total);
    match state.window.hits {
        Hits::All(count) => format!("{} of {all}", thousands(count)),
        Hits::AtLeast(count) => format!("at least {} of {all}", thousands(count)),
    }
}

/// The line below the list: where one is in time, and whether there is more. A row's number would say nothing.
fn foot(canvas: &mut Canvas, state: &State) {
    let (width, y) = (canvas.area.width, canvas.area.height.saturating_sub(2));
    let window = &state.window;
    if let Some(why) = &window.error {
        canvas.put(TIME, y, width, &format!("! The history cannot be read: {why}"), Token::Warning);
        return;
    }
    let Some(selected) = window.rows.get(state.deployments.list.row) else { return };
    let mut text = format!("at {}", when::full(state, selected.at));
    let told = did(state, selected).filter(|_| columns(width).did >= width);
    let mut x = TIME;
    if let Some((did, token)) = told {
        // There is no column for it.
        x += canvas.put(x, y, width, &format!("{text}  what it did: "), Token::Dim);
        x += canvas.put(x, y, width.saturating_sub(x), &did, token) + 2;
    } else {
        if let Some((oldest, newest)) = window.whole.reach {
            text += &format!(" of {} .. {}", when::day(state, oldest), when::day(state, newest));
        }
        x += canvas.put(x, y, width, &text, Token::Dim) + 2;
    }
    let more = if window.waits() {
        "reading...".to_owned()
    } else if !window.older && state.deployments.list.row + 1 == window.rows.len() {
        if state.deployments.filter.is_empty() { "the oldest".to_owned() } else { "the oldest that matches".to_owned() }
    } else {
        format!("{} deployments", thousands(window.whole.total))
    };
    if x + cells(&more) <= width {
        canvas.put_right(x, width, y, &more, Token::Dim);
    }
}

/// That nothing was deployed is said only where someone was heard who could have said otherwise.
fn empty(canvas: &mut Canvas, state: &State, all: usize, silent: &[&str]) {
    let window = &state.window;
    let (text, token) = match (all > 0, state.tells_of_deployments(), silent.is_empty()) {
        _ if window.error.is_some() => return foot(canvas, state),
        (true, ..) if window.waits() => ("Searching...".to_owned(), Token::Dim),
        (_, true, _) if window.waits() => ("Reading the history...".to_owned(), Token::Dim),
        (true, ..) => (format!("None of {} deployments matches", thousands(all)), Token::Dim),
        (_, false, _) => ("The estate file names no [[history]]: nothing tells of deployments".to_owned(), Token::Dim),
        (_, _, false) => (format!("? Nothing is known: not fresh is {}", silent.join(" ")), Token::Unknown),
        (_, _, true) => ("No deployment is told".to_owned(), Token::Dim),
    };
    canvas.put(TIME, 3, canvas.area.width, &text, token);
}

/// What it did, as far as that is known: nothing of one that was not asked for.
fn did(state: &State, one: &Deployment) -> Option<(String, Token)> {
    let Some(did) = state.deeds.of(&one.key) else {
        return state.deeds.is_asked(&one.key).then(|| ("...".to_owned(), Token::Dim));
    };
    let goes_on = if did.ended { "" } else { " so far" };
    let failed = did.metrics.iter().any(|metric| matches!(metric.found, Found::Failed(_)));
    let (text, token) = match did.short(&one.service).as_str() {
        "-" => ("no deviation".to_owned(), Token::Dim),
        "?" if failed => ("? not answered".to_owned(), Token::Unknown),
        // Most are older than what is kept of metrics: nothing to look at.
        "?" => ("? too few samples".to_owned(), Token::Dim),
        some => (format!("! {some}"), Token::Warning),
    };
    Some((format!("{text}{goes_on}"), token))
}

/// The versions; of a rollback that it is one. What it went back to comes before what it came from.
fn versions(one: &Deployment, room: u16) -> String {
    let versions = one.versions();
    if one.trigger != Some(Trigger::Rollback) {
        return versions;
    }
    let whole = format!("rollback {versions}");
    if cells(&whole) <= room { whole } else { format!("rollback to {}", one.to.as_deref().unwrap_or("?")) }
}

fn row(canvas: &mut Canvas, state: &State, y: u16, one: &Deployment, selected: bool) {
    let width = canvas.area.width;
    let at = columns(width);
    if selected {
        canvas.put(0, y, 1, ">", Token::Selected);
    }
    if state.marked.as_ref().is_some_and(|marked| marked.key == one.key) {
        canvas.put(1, y, 1, "m", Token::Title);
    }
    if state.picks.deployments.iter().any(|marked| marked.key == one.key) {
        canvas.put(1, y, 1, "*", Token::Key);
    }
    let time = if at.wide { when::full(state, one.at) } else { when::short(state, one.at) };
    canvas.put(TIME, y, at.service - TIME - 1, &time, Token::Dim);
    canvas.put(at.service, y, at.site - at.service - 1, &one.service, if selected { Token::Selected } else { Token::Text });
    let known = |text: &Option<String>| text.clone().map_or(("?".to_owned(), Token::Unknown), |text| (text, Token::Text));
    let mut put = |x: u16, end: u16, (text, token): (String, Token)| {
        canvas.put(x, y, end.min(width).saturating_sub(x + 1), &text, token);
    };
    put(at.site, at.version, known(&one.site));
    put(at.version, at.who, (versions(one, at.who - at.version - 1), Token::Text));
    put(at.who, at.result, known(&one.who));
    let (glyph, word, token) = mark::ending(one.result);
    put(at.result, at.took, (format!("{glyph} {word}"), token));
    let took = one.took.map_or(("?".to_owned(), Token::Unknown), |took| (age::coarse(took), Token::Dim));
    put(at.took, if at.did < width { at.did } else { width + 1 }, took);
    if let Some(did) = did(state, one).filter(|_| at.did < width) {
        put(at.did, if at.reason < width { at.reason } else { width + 1 }, did);
    }
    if at.reason < width {
        put(at.reason, width + 1, (one.reason.clone().unwrap_or_default(), Token::Dim));
    }
}
