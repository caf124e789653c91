//! The logs of a service or a host: what must be known of its places, the lines, and the selected one whole.

use crate::app::action::Action;
use crate::app::layer::Scope;
use crate::app::logs::{self, Logs, Row};
use crate::app::state::State;
use crate::app::when;
use crate::model::log::{Line, Of};
use crate::model::preferences::Token;
use crate::model::timeline::{Event, Kind};
use crate::ui::widget::canvas::{Canvas, cells, fit, thousands, wrap};

/// Columns of a time.
const TIME: u16 = 14;
/// The same with the day.
const DAY: u16 = 16;
/// Columns of a host.
const HOST: usize = 12;
/// Columns of a level.
const LEVEL: u16 = 10;

/// Draws them between the fixed lines.
pub fn draw(canvas: &mut Canvas, state: &State) {
    let Some(logs) = &state.logs else { return };
    let (width, height) = (canvas.area.width, canvas.area.height);
    title(canvas, state, logs);
    let mut y = 3;
    for (note, token) in logs::head(state, logs) {
        canvas.put(0, y, width, &note, token);
        y += 1;
    }
    let rows = logs::height(state);
    if logs.rows.is_empty() && logs.places.is_ok() {
        canvas.put(2, y, width.saturating_sub(2), &empty(state, logs), Token::Dim);
    }
    let host = logs.all().iter().map(|place| usize::from(cells(&place.place.name))).max().filter(|_| logs.all().len() > 1);
    let host = host.map_or(0, |wide| wide.min(HOST) as u16 + 1);
    let shown = || logs.rows.iter().enumerate().skip(logs.offset).take(rows);
    let wide = if shown().all(|(_, row)| is_today(state, row.at())) { TIME } else { DAY };
    for (at, row) in shown() {
        let marked = at == logs.row;
        match row {
            Row::Line(_, line) => self::line(canvas, state, y, (at, line), (wide, host), marked),
            Row::Event(event) => self::event(canvas, state, y, event, wide, marked),
        }
        y += 1;
    }
    let below = logs.below();
    let foot = logs::foot(state.body_height(), logs.whole) as u16;
    if below > 0 {
        let text = format!(" {} new below: G ", thousands(below));
        canvas.put_right(0, width, height.saturating_sub(foot + 2), &text, Token::Title);
    }
    if foot > 0 {
        whole(canvas, state, logs, height.saturating_sub(foot + 1), foot);
    }
}

fn empty(state: &State, logs: &Logs) -> String {
    let text = if logs.waits() {
        "asking for the newest lines..."
    } else if logs.all().iter().all(|place| !place.heard) {
        "nothing is known: none of them answered"
    } else if !logs.lines.is_empty() {
        "no line that is kept passes: Esc shows all again"
    } else if logs.view.at.is_some() {
        let newest = state.keymap.key_for(Scope::Logs, Action::Follow).map_or(String::new(), |key| format!(": {key} shows the newest"));
        return format!("nothing was printed in the minutes around that time{newest}");
    } else {
        "nothing was printed yet"
    };
    text.to_owned()
}

fn title(canvas: &mut Canvas, state: &State, logs: &Logs) {
    let width = canvas.area.width;
    let places = logs.all();
    let from = match places {
        [one] if &*one.place.name != logs.view.of.name() => format!("{}: {}", one.place.name, one.place.words()),
        [one] => one.place.words(),
        [] => String::new(),
        [first, ..] => format!("{} on {} hosts", first.place.words(), places.len()),
    };
    let what = match &logs.view.of {
        Of::Service(name) => format!("LOGS  {name}  {from}"),
        Of::Host(name) => format!("LOGS  host {name}  {from}"),
    };
    let mut told = Vec::new();
    let passing = logs.rows.iter().filter(|row| row.number().is_some()).count();
    if logs.errors {
        told.push("errors only".to_owned());
    }
    if !logs.filter.is_empty() {
        told.push(format!("/{}", logs.filter.text));
    }
    if logs.among {
        told.push(match logs::position(logs) {
            Some((place, all)) => format!("hit {} of {}", thousands(place), thousands(all)),
            None => format!("{} hits", thousands(logs.hits.len())),
        });
    }
    told.push(match passing == logs.lines.len() {
        true => format!("{} lines", thousands(passing)),
        false => format!("{} of {} lines", thousands(passing), thousands(logs.lines.len())),
    });
    told.push(match logs.view.at {
        Some(at) => format!("around {}", when::full(state, at)),
        None if state.frozen.is_some() => "frozen".to_owned(),
        None if !logs.following => "stopped".to_owned(),
        None if logs.at_end => "following".to_owned(),
        None => "reading, more comes below".to_owned(),
    });
    let told = fit(&told.join(", "), usize::from(width * 2 / 3), state.look.ascii);
    let end = canvas.put_right(0, width, 2, &told, Token::Dim).saturating_sub(1);
    canvas.put(0, 2, end, &what, Token::Title);
}

/// The time of today, else the day too; `~` where it is not the line's own.
fn time(state: &State, at: jiff::Timestamp, dated: bool) -> String {
    let format = if is_today(state, at) { "%H:%M:%S%.3f" } else { "%m-%d %H:%M:%S" };
    let about = if dated { "" } else { "~" };
    format!("{about}{}", at.to_zoned(state.zone()).strftime(format))
}

fn is_today(state: &State, at: jiff::Timestamp) -> bool {
    at.to_zoned(state.zone()).date() == state.now.to_zoned(state.zone()).date()
}

fn line(canvas: &mut Canvas, state: &State, y: u16, (at, line): (usize, &Line), (wide, host): (u16, u16), marked: bool) {
    let Some(logs) = &state.logs else { return };
    let width = canvas.area.width;
    let plain = |token| if marked { Token::Selected } else { token };
    if marked {
        canvas.put(0, y, 1, ">", Token::Selected);
    } else if logs.among && logs::hit(logs, at) {
        canvas.put(0, y, 1, "*", Token::Key);
    }
    let mut x = 1;
    canvas.put(x, y, wide, &time(state, line.at, line.dated), plain(Token::Dim));
    x += wide;
    if host > 0 {
        canvas.put(x, y, host - 1, &line.place, Token::Dim);
        x += host;
    }
    let (level, token) = logs::level(line);
    canvas.put(x, y, LEVEL - 1, &level, token);
    x += LEVEL;
    if let Some(by) = &line.by {
        // A narrow screen has room for the program, and not for its number.
        let by = if width < 120 { by.split('[').next().unwrap_or(by) } else { by };
        x += canvas.put(x, y, 24.min(width.saturating_sub(x)), &format!("{by}:"), Token::Dim) + 1;
    }
    let width = width.saturating_sub(x);
    let found = logs.filter.found("text", &line.text);
    // What is searched for is always seen, in the line's own time too.
    let cut = Some(logs::line::said_before(line)).filter(|cut| found.iter().all(|range| range.start >= *cut)).unwrap_or(0);
    let text = &line.text[cut..];
    canvas.put(x, y, width, text, plain(if token == Token::Dim { Token::Text } else { token }));
    for range in found {
        canvas.stress(x, y, width, text, range.start - cut..range.end - cut);
    }
}

fn event(canvas: &mut Canvas, state: &State, y: u16, event: &Event, wide: u16, marked: bool) {
    let width = canvas.area.width;
    if marked {
        canvas.put(0, y, 1, ">", Token::Selected);
    }
    let token = match event.kind {
        Kind::AlertBegan | Kind::FindingBegan => crate::app::mark::token(event.severity),
        _ => Token::Title,
    };
    let token = if marked { Token::Selected } else { token };
    // Only a Prometheus knows it, which tells since when its condition holds: it fired some time after that.
    let (when, after) = match (event.is_after(), is_today(state, event.at)) {
        (true, true) => (format!("after {}", event.at.to_zoned(state.zone()).strftime("%H:%M")), ""),
        (true, false) => (time(state, event.at, true), "after this "),
        (false, _) => (time(state, event.at, true), ""),
    };
    canvas.put(1, y, wide, &when, token);
    canvas.put(1 + wide, y, width.saturating_sub(1 + wide), &format!("-- {after}{} {} --", event.kind.word(), event.what), token);
}

/// The selected row below the list: when, where, by whom, and all that it says.
fn whole(canvas: &mut Canvas, state: &State, logs: &Logs, y: u16, lines: u16) {
    let width = canvas.area.width;
    canvas.put(0, y, width, &"-".repeat(usize::from(width)), Token::Border);
    let Some(row) = logs.rows.get(logs.row) else { return };
    let (about, text) = match row {
        Row::Line(_, line) => {
            let by = line.by.as_ref().map_or(String::new(), |by| format!(" by {by}"));
            let level = line.level.map_or(String::new(), |level| format!(" {}", level.word()));
            let own = if line.dated { "" } else { " (about: the line says no time)" };
            (format!(" {}{own}, {}{level}{by} ", when::full(state, line.at), line.place), line.text.as_str())
        }
        Row::Event(event) if event.is_after() => (format!(" after {}, not known when ", when::full(state, event.at)), event.what.as_str()),
        Row::Event(event) => (format!(" {} ", when::full(state, event.at)), event.what.as_str()),
    };
    canvas.put(2, y, width.saturating_sub(2), &about, Token::Dim);
    for (at, part) in wrap(text, usize::from(width)).into_iter().take(usize::from(lines.saturating_sub(1))).enumerate() {
        canvas.put(0, y + 1 + at as u16, width, &part, Token::Text);
        for range in logs.filter.found("text", &part) {
            canvas.stress(0, y + 1 + at as u16, width, &part, range);
        }
    }
}
