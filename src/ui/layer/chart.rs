//! One panel on the full screen: its chart, the time axis, and the values under the cursor; beside it what it is compared
//! with and what is laid over it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::app::chart::{self as app_chart, Before, Shown, bars};
use crate::app::deployments;
use crate::app::mark::{self, value};
use crate::app::state::State;
use crate::app::timeline::acts_on_chart;
use crate::app::when;
use crate::model::age;
use crate::model::label::Labels;
use crate::model::metric::{Plot, Series, difference, show_at};
use crate::model::panel::Panel;
use crate::model::preferences::Token;
use crate::model::timeline::Event;
use crate::ui::theme::series;
use crate::ui::widget::canvas::{Canvas, cells, thousands, wrap};
use crate::ui::widget::chart::{self, Beside, Chart, Placed, step_at};
use crate::ui::widget::lines::{self, LINES};

/// Lines of notes at the most.
const NOTES: usize = 4;

/// Draws the panel between the fixed lines.
pub fn draw(canvas: &mut Canvas, state: &State, name: &str, cursor: Option<Timestamp>) {
    let (width, height) = (canvas.area.width, canvas.area.height);
    let Some(shown) = app_chart::shown(state, name) else {
        canvas.put(0, 2, width, &format!("The estate file has no panel {name} any more"), Token::Unknown);
        return;
    };
    head(canvas, state, &shown);
    let Some(plot) = shown.plot.as_deref() else { return nothing(canvas, &shown) };
    let before = app_chart::before(state, name, plot);
    let over = app_chart::over(state);
    let laid = over.as_ref().and_then(|over| Some((over.panel, over.plot.as_deref()?.onto(plot.start, plot.step, plot.len))));
    let notes = notes(state, &shown, plot, before.as_ref(), over.as_ref());
    let note_lines: Vec<(String, Token)> =
        notes.iter().flat_map(|(n, token)| wrap(n, usize::from(width)).into_iter().map(|line| (line, *token))).take(NOTES).collect();
    let extra = laid.as_ref().map_or(0, |(_, over)| over.series.len().clamp(1, usize::from(height / 8)));
    let legend = (plot.series.len().clamp(1, usize::from(height / 4)) + extra) as u16;
    let bars = &state.chart.bars;
    let lane = u16::from(!bars.is_empty());
    let body = height - 1 - 4;
    let chart_height = body.saturating_sub(legend + note_lines.len() as u16 + 2 + lane).max(3);
    let mut part = canvas.part(0, 4, width, chart_height);
    let acts = acts_on_chart(state, shown.panel, plot).into_iter().map(|act| act.at);
    let marks = deployments::on_chart(state, shown.panel, plot).iter().map(|one| one.at).chain(acts).collect();
    let live = shown.fresh || !shown.live;
    let newest = if shown.live { shown.now } else { &[] };
    let drawn = Chart { panel: shown.panel, plot, newest, live, now: state.now, cursor, marks };
    let beside = Beside {
        before: before.as_ref().and_then(|before| before.plot.as_ref()),
        over: laid.as_ref().map(|(panel, plot)| (*panel, plot)),
        known: shown.known,
        letters: plot.series.len() > 1,
    };
    let placed = chart::draw_with(&mut part, &drawn, &beside);
    let mut y = 4 + chart_height;
    if lane > 0 {
        alerts(canvas, y, bars, plot, placed);
        y += 1;
    }
    times(canvas, state, y, plot, live);
    y += 1;
    y += values(canvas, state, y, &shown, plot, (&beside, cursor), (legend, extra as u16));
    for (line, token) in note_lines {
        if y + 1 < height {
            canvas.put(0, y, width, &line, token);
            y += 1;
        }
    }
}

/// The name with what it is worth now or the window that is looked at, and what is asked.
fn head(canvas: &mut Canvas, state: &State, shown: &Shown) {
    let width = canvas.area.width;
    let (text, token) = if shown.live {
        let view = state.panels().into_iter().find(|view| view.panel.name == shown.panel.name);
        match (view, shown.worst()) {
            (Some(view), _) => value(state, &view),
            (None, Some(value)) if shown.fresh => (show_at(value, shown.panel.unit, state.now), Token::Text),
            (None, Some(value)) => (format!("[{}] ?", show_at(value, shown.panel.unit, state.now)), Token::Unknown),
            (None, None) => ("? no value".to_owned(), Token::Unknown),
        }
    } else {
        (app_chart::looking_at(state, shown.window), Token::Warning)
    };
    let end = canvas.put_right(0, width, 2, &text, token).saturating_sub(1);
    canvas.put(0, 2, end, &shown.panel.name, Token::Title);
    canvas.put(0, 3, width, &format!("{}: {}", shown.panel.source, shown.panel.ask), Token::Dim);
}

/// Why there is no chart.
fn nothing(canvas: &mut Canvas, shown: &Shown) {
    let (width, height) = (canvas.area.width, canvas.area.height);
    let why = match &shown.error {
        Some(error) => format!("? query failed: {error}"),
        None if shown.loading => format!("loading: {} was asked", shown.panel.source),
        None => "no chart yet".to_owned(),
    };
    for (y, line) in wrap(&why, usize::from(width)).iter().take(usize::from(height - 6)).enumerate() {
        canvas.put(0, 5 + y as u16, width, line, Token::Unknown);
    }
}

/// The first and the last moment of the chart under it.
fn times(canvas: &mut Canvas, state: &State, y: u16, plot: &Plot, live: bool) {
    let from = when::full(state, plot.start);
    let end = if live { plot.end() } else { state.now.max(plot.end()) };
    canvas.put(0, y, canvas.area.width, &from, Token::Dim);
    canvas.put_right(cells(&from) + 1, canvas.area.width, y, &when::full(state, end), Token::Dim);
}

/// The alerts of the service, each from its begin `[` to its end `]`, and as `?` where nothing tells when it
/// began; the worst lie on top.
fn alerts(canvas: &mut Canvas, y: u16, bars: &[bars::Bar], plot: &Plot, placed: Placed) {
    let column = |at: Timestamp| {
        let step = step_at(plot, at).unwrap_or(0);
        placed.x + (step * usize::from(placed.data) / placed.steps.max(1)) as u16
    };
    let last = placed.x + placed.data.saturating_sub(1);
    if placed.x > 6 {
        canvas.put(0, y, placed.x - 1, "alerts", Token::Dim);
    }
    for bar in bars.iter().rev() {
        let (from, to) = (bar.from.map_or(placed.x, column), bar.to.map_or(last, column).min(last));
        for x in from..=to {
            let (sign, token) = if bar.unknown { ('?', Token::Unknown) } else { ('=', mark::token(bar.severity)) };
            canvas.cell(x, y, sign, token);
        }
        if bar.to.is_some() {
            canvas.cell(to, y, ']', mark::token(bar.severity));
        }
        if bar.from.is_some() && !bar.unknown {
            canvas.cell(from, y, '[', mark::token(bar.severity));
        }
    }
}

/// Range, step, what is loading or failed, series that are not shown, and what the source said beside its values.
fn notes(state: &State, shown: &Shown, plot: &Plot, before: Option<&Before>, over: Option<&Shown>) -> Vec<(String, Token)> {
    let mut first = format!("range {}, step {}", age::exact(shown.window.length), step(plot.step));
    if plot.dropped > 0 {
        let all = thousands(plot.series.len() + plot.dropped);
        first += &format!(", {} of {all} series shown", thousands(plot.series.len()));
    }
    if plot.series.len() > LINES {
        first += &format!(": {LINES} as lines, of the others their span");
    }
    if let Some(at) = shown.as_of.filter(|_| !shown.live) {
        first += &format!(", read {} ago", when::ago(state, at));
    }
    let mut notes = vec![(first, Token::Dim)];
    if shown.loading {
        notes.push((format!("loading: {} was asked; `?` is what is not known yet", shown.panel.source), Token::Unknown));
    }
    notes.extend(shown.error.iter().map(|e| (format!("? query failed: {e}"), Token::Unknown)));
    if let Some(before) = before {
        notes.extend(before.notes.iter().map(|note| (note.clone(), if note.starts_with('?') { Token::Unknown } else { Token::Dim })));
        let here: BTreeSet<&Labels> = plot.series.iter().map(|one| &one.labels).collect();
        let gone = before.plot.as_ref().map_or(0, |was| was.series.iter().filter(|one| !here.contains(&one.labels)).count());
        if gone > 0 {
            notes.push((format!("{} series of {} are not there now", thousands(gone), state.chart.compare.word()), Token::Dim));
        }
    }
    if let Some(over) = over {
        let name = &over.panel.name;
        notes.extend(over.error.iter().map(|e| (format!("? {name}: query failed: {e}"), Token::Unknown)));
        if over.plot.is_none() && over.error.is_none() {
            notes.push((format!("{name}: {}", if over.loading { "loading" } else { "no chart yet" }), Token::Unknown));
        } else if !over.fresh {
            notes.push((format!("? {name} is not fresh"), Token::Unknown));
        }
    }
    if plot.histograms > 0 {
        notes.push((format!("{} series hold native histograms only, which have no line", plot.histograms), Token::Dim));
    }
    notes.extend(shown.notes.iter().map(|n| (format!("! {n}"), Token::Dim)));
    notes
}

fn step(seconds: i64) -> String {
    age::exact(jiff::SignedDuration::from_secs(seconds))
}

/// The series of that plot with the same labels.
fn same<'a>(plot: &'a Plot, one: &Series) -> Option<&'a Series> {
    plot.series.iter().find(|other| other.labels == one.labels)
}

/// The deployment, what was done by a run, and the alerts near the cursor.
fn near(state: &State, panel: &Panel, plot: &Plot, at: Timestamp) -> String {
    let mut said = String::new();
    let marks = deployments::on_chart(state, panel, plot);
    if let Some(one) = deployments::at_cursor(&marks, plot, at) {
        let (glyph, word, _) = mark::ending(one.result);
        let who = one.who.as_ref().map_or(String::new(), |who| format!(" by {who}"));
        let result = format!("{glyph} {word}");
        said += &format!("  deployed {}: {}{who}, {}", when::minute(state, one.at), one.versions(), result.trim_start());
    }
    let reach = plot.step.max(1).saturating_mul(3);
    let away = |act: &&Event| act.at.duration_since(at).as_secs().abs();
    if let Some(act) = acts_on_chart(state, panel, plot).into_iter().filter(|act| away(act) <= reach).min_by_key(away) {
        said += &format!("  {} {}: {}", act.kind.word(), when::minute(state, act.at), act.what);
    }
    let found = bars::at(&state.chart.bars, at, plot.step);
    if let Some(bar) = found.first() {
        let begun = match bar.from {
            _ if bar.unknown => "since unknown,".to_owned(),
            None => "before this".to_owned(),
            Some(from) => when::minute(state, from),
        };
        let ended = bar.to.map_or("goes on".to_owned(), |to| format!("to {}", when::minute(state, to)));
        let more = if found.len() > 1 { format!(" and {} more", thousands(found.len() - 1)) } else { String::new() };
        said += &format!("  {} {begun} {ended}: {}{more}", mark::glyph(bar.severity), bar.what);
    }
    said
}

/// The values of the series at the cursor, or the newest ones; gives back the lines used.
fn values(
    canvas: &mut Canvas,
    state: &State,
    y: u16,
    shown: &Shown,
    plot: &Plot,
    (beside, cursor): (&Beside, Option<Timestamp>),
    (lines, extra): (u16, u16),
) -> u16 {
    let width = canvas.area.width;
    let at = match cursor {
        Some(at) => step_at(plot, at),
        None => plot.len.checked_sub(1),
    };
    let known = shown.fresh || !shown.live;
    let compared = state.chart.compare.by().map_or(String::new(), |_| format!(" | {} | difference", state.chart.compare.word()));
    let title = match (cursor, at) {
        (Some(_), Some(at)) => {
            format!("at {}{compared}{}", when::both(state, plot.time(at)), near(state, shown.panel, plot, plot.time(at)))
        }
        (None, _) if !shown.live => format!("values at the end{compared}"),
        (None, _) if known => format!("newest values{compared}"),
        _ => format!("last known values, as of {} ?", shown.as_of.map_or("?".to_owned(), |at| when::both(state, at))),
    };
    let stale = !known && cursor.is_none();
    canvas.put(0, y, width, &title, if stale { Token::Unknown } else { Token::Title });
    let own = lines - extra;
    let rows = if plot.series.len() > usize::from(own) { own.saturating_sub(1) } else { own };
    let there = |one: &Series| at.and_then(|at| one.points.get(at).copied().flatten());
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for (index, one) in plot.series.iter().enumerate() {
        // Under the cursor those come first that have a sample there.
        let found = if cursor.is_none() || there(one).is_some() { &mut with } else { &mut without };
        found.push((index, one));
        if with.len() == usize::from(rows) {
            break;
        }
    }
    let none = cursor.is_some() && with.is_empty();
    let mut from = 0;
    let listed = if none { vec![] } else { [with, without].concat() };
    for (place, (index, one)) in listed.into_iter().take(usize::from(rows)).enumerate() {
        let y = y + 1 + place as u16;
        let now = if cursor.is_none() && shown.live { shown.newest(one, &mut from) } else { there(one) };
        let sign = match (lines::letter(index).filter(|_| beside.letters), canvas.ascii) {
            (Some(letter), _) => letter,
            (None, true) if index < LINES => '*',
            (None, false) if index < LINES => '●',
            (None, true) => ',',
            (None, false) => '⢕',
        };
        let colour = if index < LINES { series(index) } else { Token::Dim };
        let mut x = legend(canvas, state, y, shown.panel, (now, stale), (&sign.to_string(), colour));
        if state.chart.compare.by().is_some() {
            let then = beside.before.and_then(|was| same(was, one)).and_then(|was| was.points.get(at?).copied().flatten());
            let text = then.map_or("no sample".to_owned(), |value| show_at(value, shown.panel.unit, state.now));
            canvas.put(15, y, 10, &text, Token::Dim);
            let text = now.zip(then).map_or(String::new(), |(now, then)| difference(now, then, shown.panel.unit));
            canvas.put(26, y, 10, &text, Token::Text);
            x = 37;
        }
        let labels = one.labels.short();
        canvas.put(x, y, width.saturating_sub(x), if labels.is_empty() { &shown.panel.name } else { &labels }, Token::Text);
    }
    if plot.series.is_empty() || none {
        let why = match (shown.loading, cursor) {
            (true, _) => "? loading",
            (false, Some(_)) if !plot.series.is_empty() => "? no sample at the cursor",
            (false, _) => "? no series",
        };
        canvas.put(2, y + 1, width, why, Token::Unknown);
    } else if rows < own {
        let rest = plot.series.len() - usize::from(rows);
        canvas.put(2, y + own, width, &format!("and {} more series", thousands(rest)), Token::Dim);
    }
    if let Some((panel, over)) = beside.over {
        laid_over(canvas, state, (y + own + 1, extra), (shown.panel, panel), (over, at), plot.series.len());
    }
    lines + 1
}

/// The value of one line with its sign; gives back where its labels begin.
fn legend(
    canvas: &mut Canvas,
    state: &State,
    y: u16,
    panel: &Panel,
    (value, stale): (Option<f64>, bool),
    (glyph, colour): (&str, Token),
) -> u16 {
    let (text, token) = match value {
        None => ("no sample".to_owned(), Token::Unknown),
        Some(value) if stale => (format!("[{}] ?", show_at(value, panel.unit, state.now)), Token::Unknown),
        Some(value) => (show_at(value, panel.unit, state.now), Token::Text),
    };
    canvas.put(0, y, 2, glyph, colour);
    canvas.put(2, y, 12, &text, token);
    15
}

/// The values of the panel that is laid over, and which axis they are on.
fn laid_over(
    canvas: &mut Canvas,
    state: &State,
    (y, lines): (u16, u16),
    (own, panel): (&Panel, &Panel),
    (over, at): (&Plot, Option<usize>),
    before: usize,
) {
    let width = canvas.area.width;
    let axis = if own.unit == panel.unit { "same axis" } else { "right axis" };
    for (index, one) in over.series.iter().take(usize::from(lines)).enumerate() {
        let value = at.and_then(|at| one.points.get(at).copied().flatten());
        let y = y + index as u16;
        let glyph = lines::mark(index, canvas.ascii);
        let x = legend(canvas, state, y, panel, (value, false), (glyph, series(before + index)));
        let more = over.series.len() - usize::from(lines).min(over.series.len());
        let more =
            if more > 0 && index + 1 == usize::from(lines) { format!(" and {} more series", thousands(more)) } else { String::new() };
        let text = format!("{} ({axis}) {}{more}", panel.name, one.labels.short());
        canvas.put(x, y, width.saturating_sub(x), text.trim_end(), Token::Text);
    }
    if over.series.is_empty() {
        let x = 2 + canvas.put(2, y, width, "? no series", Token::Unknown);
        canvas.put(x.max(15), y, width, &format!("{} ({axis})", panel.name), Token::Text);
    }
}
