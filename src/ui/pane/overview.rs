//! The Overview: what needs a person, services by site, sources, what changed.

mod focus;
mod next;
mod run;
mod values;

use std::ops::Range;

use jiff::Timestamp;

use self::next::{due, exposure, exposure_columns};
use self::values::{metric as metric_cells, panel, values};
use crate::app::action::Action;
use crate::app::layer::Scope;
use crate::app::mark;
use crate::app::overview;
use crate::app::state::{OverviewRow, State};
use crate::app::when;
use crate::model::age;
use crate::model::health::{Health, PanelView};
use crate::model::metric;
use crate::model::panel::Unit;
use crate::model::preferences::Token;
use crate::model::reading::{Freshness, Reading};
use crate::model::source::Answer;
use crate::ui::frame;
use crate::ui::widget::canvas::{Canvas, cells, wrap};

/// Columns of all rows: the state cell, the name, and the age at the right edge.
const STATE: u16 = 2;
const STATE_WIDTH: u16 = 13;
const NAME: u16 = 16;
const AGE_WIDTH: u16 = 6;
/// `59m late`, `365d left`.
const LEFT_WIDTH: u16 = 9;
/// The head over what to do, and the needs that are asked for their widths: more are on no screen.
const ACTION: &str = "WHAT TO DO";
const NEEDS_MEASURED: usize = 100;
/// A source's name with a space.
const SOURCE_WIDTH: u16 = 22;
/// One site's state, `[critical] ?` with a space.
const SITE_WIDTH: u16 = 13;

/// Draws the pane between the fixed lines: one column of rows, or two side by side on a wide screen.
pub fn draw(canvas: &mut Canvas, state: &State) {
    let (width, height) = (canvas.area.width, canvas.area.height);
    let needs = state.overview_rows.iter().filter(|r| matches!(r, OverviewRow::Need(_))).count();
    let chip = frame::chip(&state.overview.filter.text, || needs, state.shown().needs.len());
    let ([left, right], above) = (overview::columns(state), overview::above(state));
    match overview::widths(width) {
        (_, 0) => {
            let action = action_column(state, width);
            let chip = [chip, above].join("  ");
            frame::heads(canvas, &[(STATE, "STATE"), (NAME, "WHAT"), (action, ACTION), (width - LEFT_WIDTH, "SINCE/DUE")], chip.trim());
            rows(canvas, state, left, state.overview.list.offset);
        }
        (wide, narrow) => {
            let mut part = canvas.part(0, 0, wide, height);
            frame::heads(&mut part, &[(STATE, "STATE"), (NAME, "WHAT, AND WHAT TO DO"), (wide - LEFT_WIDTH, "SINCE/DUE")], &above);
            rows(&mut part, state, left, state.overview.list.offset);
            let (border, focus) = (if canvas.ascii { '|' } else { '│' }, overview::focus(width));
            let first = focus.map_or(wide + 1, |_| wide);
            (2..height - 1).for_each(|y| canvas.cell(first, y, border, Token::Border));
            if let Some((from, room)) = focus {
                let mut part = canvas.part(from, 0, room, height);
                focus::draw(&mut part, state);
                (2..height - 1).for_each(|y| canvas.cell(from + room, y, border, Token::Border));
            }
            let mut part = canvas.part(width - narrow, 0, narrow, height);
            frame::heads(&mut part, &[(STATE, "STATE"), (NAME, "WHAT"), (narrow - AGE_WIDTH, "AGE")], &chip);
            rows(&mut part, state, right, state.overview_right);
        }
    }
}

/// The rows of one column, from the one that it is scrolled to.
fn rows(canvas: &mut Canvas, state: &State, column: Range<usize>, offset: usize) {
    let width = canvas.area.width;
    let height = usize::from(canvas.area.height - 4);
    let panels = state.panels();
    let shown = state.overview_rows.iter().enumerate().take(column.end).skip(column.start + offset).take(height);
    for (line, (place, row)) in shown.enumerate() {
        let y = 3 + line as u16;
        let selected = state.overview.list.selected.is_some() && place == state.overview.list.row;
        if selected {
            canvas.put(0, y, 1, ">", Token::Selected);
        }
        let name = if selected { Token::Selected } else { Token::Text };
        match row {
            OverviewRow::Note(text) => {
                canvas.put(STATE, y, width, text, Token::Dim);
            }
            OverviewRow::Since(text) => {
                // Enter is for the selected row, which may be another. What is left out where there is little room is the rest.
                let key =
                    |action, what| state.keymap.key_for(Scope::Overview, action).map_or_else(String::new, |key| format!("  {key}: {what}"));
                let on = key(if selected { Action::Open } else { Action::Timeline }, "timeline");
                let hide = key(Action::Back, "hide");
                let room = width.saturating_sub(STATE + cells(&on));
                let hint = if cells(text) + cells(&hide) <= room { on + &hide } else { on };
                let room = width.saturating_sub(STATE + cells(&hint));
                let x = STATE + canvas.put(STATE, y, room, text, if selected { name } else { Token::Title });
                canvas.put(x, y, width.saturating_sub(x), &hint, Token::Dim);
            }
            OverviewRow::Head(text) => head(canvas, state, y, text, state.overview_rows.get(place + 1)),
            OverviewRow::Run(index) => run::row(canvas, state, y, *index, name),
            OverviewRow::Need(index) => need(canvas, state, y, *index, name),
            OverviewRow::NeedAction(index) => {
                need_more(canvas, state, y, *index);
            }
            OverviewRow::MoreNeeds(count) => {
                canvas.put(NAME, y, width, &format!("and {count} more"), Token::Dim);
            }
            OverviewRow::Empty(text) => {
                canvas.put(STATE, y, width, text, Token::Dim);
            }
            OverviewRow::Service(index) => service(canvas, state, y, *index, name, &panels),
            OverviewRow::Exposure(index) => exposure(canvas, state, y, *index, name),
            OverviewRow::Due(index) => due(canvas, state, y, *index, name),
            OverviewRow::Panel(index) => {
                if let Some(view) = panels.get(*index) {
                    panel(canvas, state, y, view, name);
                }
            }
            OverviewRow::Source(index) => source(canvas, state, y, *index, name),
            OverviewRow::SourceSaid(index) => {
                if let Some(reading) = state.shown_readings().get(*index) {
                    let (text, token) =
                        reading.failure.as_ref().map_or_else(|| (said(reading), Token::Dim), |f| (f.what.clone(), Token::Warning));
                    canvas.put(NAME, y, width, &text, token);
                }
            }
            OverviewRow::Change(index) => change(canvas, state, y, *index, name),
            OverviewRow::Deployment(index) => deployment(canvas, state, y, *index, name),
        }
    }
}

/// True where needs and sources have a second line.
fn two_lines(state: &State) -> bool {
    overview::widths(state.size.0).1 > 0
}

/// Where it stands what to do: as far to the right as the needs let it, because their texts are what matters.
fn action_column(state: &State, width: u16) -> u16 {
    let needs = state.shown().needs.iter().take(NEEDS_MEASURED);
    let widest = needs.map(|need| cells(&need.action)).max().unwrap_or_default();
    width - LEFT_WIDTH - 1 - widest.max(cells(ACTION)).min((width / 4).clamp(15, 48))
}

/// True where a service has a line of its own with its panel: where there are more columns, panels have their own lines.
fn with_panel(state: &State) -> bool {
    !two_lines(state)
}

fn service_width(width: u16) -> u16 {
    if width >= 120 { 24 } else { 14 }
}

/// How many sites have a column of their own.
fn site_columns(state: &State, width: u16) -> usize {
    if with_panel(state) || width < 60 {
        return 0;
    }
    // A column for what is worst is kept free.
    let room = width.saturating_sub(NAME + service_width(width) + AGE_WIDTH + 16) / SITE_WIDTH;
    state.estate.sites.len().min(usize::from(room))
}

fn head(canvas: &mut Canvas, state: &State, y: u16, text: &str, next: Option<&OverviewRow>) {
    let width = canvas.area.width;
    canvas.put(0, y, width, text, Token::Title);
    let at = values(width);
    let value_heads = |canvas: &mut Canvas| {
        canvas.put(at.now, y, width, "NOW", Token::Title);
        canvas.put(at.limit, y, width, "LIMIT", Token::Title);
        canvas.put(at.hour, y, width, if at.hour_width > 12 { "LAST HOUR #over" } else { "LAST HOUR" }, Token::Title);
    };
    match next {
        Some(OverviewRow::Service(_)) if with_panel(state) => {
            value_heads(canvas);
            canvas.put(at.rest + 1, y, width.saturating_sub(at.rest + 1 + AGE_WIDTH + 1), "WORST", Token::Title);
            canvas.put(width - AGE_WIDTH, y, AGE_WIDTH, "AGE", Token::Title);
        }
        Some(OverviewRow::Service(_)) => {
            let columns = site_columns(state, width);
            let mut x = NAME + service_width(width);
            for site in state.estate.sites.iter().take(columns) {
                canvas.put(x, y, SITE_WIDTH - 1, &site.name, Token::Title);
                x += SITE_WIDTH;
            }
            let hidden = state.estate.sites.len() - columns;
            let worst = if hidden > 0 && columns > 0 { format!("WORST (+{hidden} sites)") } else { "WORST".to_owned() };
            canvas.put(x, y, width.saturating_sub(x + AGE_WIDTH + 1), &worst, Token::Title);
            canvas.put(width - AGE_WIDTH, y, AGE_WIDTH, "SINCE", Token::Title);
        }
        Some(OverviewRow::Panel(_)) => {
            value_heads(canvas);
            canvas.put(width - AGE_WIDTH, y, AGE_WIDTH, "AGE", Token::Title);
        }
        Some(OverviewRow::Source(_)) => {
            canvas.put(width - AGE_WIDTH, y, AGE_WIDTH, "AGE", Token::Title);
        }
        Some(OverviewRow::Exposure(_)) => {
            let (lost, site, bar) = exposure_columns(width);
            canvas.put(lost, y, width, "LOST OF RPO", Token::Title);
            if bar > 0 {
                canvas.put(site, y, width.saturating_sub(site + AGE_WIDTH + 1), "IF SITE LOST", Token::Title);
            }
            canvas.put(width - AGE_WIDTH, y, AGE_WIDTH, "PROOF", Token::Title);
        }
        Some(OverviewRow::Due(_)) => {
            canvas.put(width - LEFT_WIDTH, y, LEFT_WIDTH, "LEFT", Token::Title);
        }
        _ => {}
    }
}

fn age_cell(canvas: &mut Canvas, y: u16, text: &str, token: Token) {
    canvas.put(canvas.area.width - AGE_WIDTH, y, AGE_WIDTH, text, token);
}

fn need(canvas: &mut Canvas, state: &State, y: u16, index: usize, name: Token) {
    let Some(need) = state.shown().needs.get(index) else { return };
    let (word, token) = mark::state(need.severity, need.stale);
    canvas.put(STATE, y, STATE_WIDTH, &word, token);
    if two_lines(state) {
        let room = canvas.area.width - LEFT_WIDTH - 1 - NAME;
        canvas.put(NAME, y, room, &wrap(&need.what, usize::from(room))[0], name);
    } else {
        let action = action_column(state, canvas.area.width);
        canvas.put(NAME, y, action - NAME - 1, &need.what, name);
        canvas.put(action, y, canvas.area.width - LEFT_WIDTH - 1 - action, &need.action, Token::Text);
    }
    let (text, token) = match (need.due, need.since) {
        (Some(due), _) => (countdown(state, due), token),
        (None, Some(since)) => (format!("{} ago", when::ago(state, since)), Token::Dim),
        (None, None) => ("-".to_owned(), Token::Dim),
    };
    canvas.put(canvas.area.width - LEFT_WIDTH, y, LEFT_WIDTH, &text, token);
}

/// How long is left, or how late it is already.
fn countdown(state: &State, at: Timestamp) -> String {
    let left = at.duration_since(state.now);
    if left.is_negative() { format!("{} late", age::coarse(left.abs())) } else { format!("{} left", age::coarse(left)) }
}

/// What did not fit in the first line of a need, and what to do about it.
fn need_more(canvas: &mut Canvas, state: &State, y: u16, index: usize) {
    let Some(need) = state.shown().needs.get(index) else { return };
    let room = usize::from(canvas.area.width - LEFT_WIDTH - 1 - NAME);
    let rest = wrap(&need.what, room)[1..].join(" ");
    let action = format!("-> {}", need.action);
    // Without a rest it stands under the text, with one at the right, where the eye finds all of them.
    let at = if rest.is_empty() {
        NAME
    } else {
        canvas.area.width.saturating_sub(cells(&action)).max(NAME + if canvas.area.width < 60 { 8 } else { 20 })
    };
    canvas.put(NAME, y, (at - NAME).saturating_sub(1), &rest, Token::Text);
    canvas.put(at, y, canvas.area.width, &action, Token::Text);
}

fn health(health: &Health) -> (String, Token) {
    let (word, token) = mark::state(health.severity, health.stale);
    (word.trim_start().to_owned(), token)
}

fn service(canvas: &mut Canvas, state: &State, y: u16, index: usize, name: Token, panels: &[PanelView]) {
    let (Some(service), Some(of)) = (state.estate.services.get(index), state.shown().services.get(index)) else { return };
    let width = canvas.area.width;
    let (word, token) = mark::state(of.overall.severity, of.overall.stale);
    canvas.put(STATE, y, STATE_WIDTH, &word, token);
    canvas.put(NAME, y, service_width(width) - 1, &service.name, name);
    let worst = match (&of.worst, of.overall.muted) {
        (Some(worst), _) => worst.clone(),
        (None, 0) => "-".to_owned(),
        (None, muted) => format!("~ {muted} muted"),
    };
    if with_panel(state) {
        let at = values(width);
        match overview::chosen(panels, &service.name) {
            Some(view) => metric_cells(canvas, state, y, view),
            None => {
                canvas.put(at.now, y, 1, "-", Token::Dim);
                age_cell(canvas, y, "-", Token::Dim);
            }
        }
        canvas.put(at.rest + 1, y, width.saturating_sub(at.rest + 1 + AGE_WIDTH + 1), &worst, Token::Text);
        return;
    }
    let mut x = NAME + service_width(width);
    for site in of.sites.iter().take(site_columns(state, width)) {
        let (word, token) = site.as_ref().map_or(("-".to_owned(), Token::Dim), health);
        canvas.put(x, y, SITE_WIDTH - 1, &word, token);
        x += SITE_WIDTH;
    }
    canvas.put(x, y, width.saturating_sub(x + AGE_WIDTH + 1), &worst, Token::Text);
    age_cell(canvas, y, &of.since.map_or("-".to_owned(), |at| when::ago(state, at)), Token::Dim);
}

fn source(canvas: &mut Canvas, state: &State, y: u16, index: usize, name: Token) {
    let (Some(source), Some(reading)) = (state.estate.sources.get(index), state.shown_readings().get(index)) else { return };
    let width = canvas.area.width;
    let freshness = reading.freshness(state.now);
    let (word, token) = mark::freshness(freshness);
    canvas.put(STATE, y, STATE_WIDTH, &word, token);
    let kind = NAME + SOURCE_WIDTH;
    canvas.put(NAME, y, kind - NAME - 1, &source.name, name);
    // Why it fails matters more than what it is.
    let rest = if reading.failure.is_some() && !two_lines(state) || width < 60 { kind } else { kind + 13 };
    if rest > kind {
        canvas.put(kind, y, 12, source.kind.word(), Token::Dim);
    }
    let (text, token) = match &reading.failure {
        Some(_) if two_lines(state) => (next_try(state, reading), Token::Warning),
        Some(failure) => (format!("{}: {}", next_try(state, reading), failure.what), Token::Warning),
        None if two_lines(state) => (place_of(source.service.as_ref(), source.site.as_ref()), Token::Dim),
        None => (said(reading), Token::Dim),
    };
    canvas.put(rest, y, width.saturating_sub(rest + AGE_WIDTH + 1), &text, token);
    let age = reading.held.as_ref().map_or("-".to_owned(), |h| when::ago(state, h.as_of));
    if freshness == Freshness::Fresh {
        age_cell(canvas, y, &age, Token::Dim);
    } else {
        age_cell(canvas, y, &age, Token::Unknown);
    }
}

/// Which service and site something tells of.
fn place_of(service: Option<&String>, site: Option<&String>) -> String {
    [service, site].into_iter().flatten().cloned().collect::<Vec<_>>().join(" at ")
}

/// When a failing source is tried again, and how often it failed.
fn next_try(state: &State, reading: &Reading<Answer>) -> String {
    let Some(failure) = &reading.failure else { return String::new() };
    let next = reading.next_try.map_or_else(
        || "no next try".to_owned(),
        |at| format!("next try in {}", age::exact(at.duration_since(state.now).max(jiff::SignedDuration::ZERO))),
    );
    let tries = if failure.tries == 1 { "1 try".to_owned() } else { format!("{} tries", failure.tries) };
    format!("{next}, {tries}")
}

/// What a source said, counted.
fn said(reading: &Reading<Answer>) -> String {
    match reading.held.as_ref().map(|h| &h.value) {
        None => "nothing was read yet".into(),
        Some(Answer::Alertmanager(a)) => {
            let up = a.peers.iter().filter(|p| p.error.is_none()).count();
            let differ = if a.disagreements.is_empty() { "" } else { ", peers disagree" };
            format!("{} alerts, {up} of {} peers{differ}", a.alerts.len(), a.peers.len())
        }
        Some(Answer::Backup(b)) => match b.points.first() {
            Some(_) if b.running => format!("{} recovery points, one is being made", b.total),
            Some(_) => format!("{} recovery points", b.total),
            None => "no recovery point".into(),
        },
        Some(Answer::Exposition(e)) => format!("{} series of {}", e.series, metric::show(e.bytes as f64, Unit::Bytes)),
        Some(Answer::Database(d)) => d.summary(),
        Some(Answer::History(h)) => {
            let broken = if h.broken > 0 { format!(", {} broken", h.broken) } else { String::new() };
            format!("{} deployments{broken}", h.deployments.len())
        }
        Some(Answer::Probe(p)) => match &p.why {
            Some(why) => why.clone(),
            None => format!("answers in {}", metric::show(p.took, Unit::Seconds)),
        },
        Some(Answer::Prometheus(p)) => {
            let targets = p.targets.as_ref().map_or(String::new(), |t| format!(", targets {} up {} down", t.up, t.down_count));
            format!("{} alerts{targets}", p.alerts.len())
        }
    }
}

fn change(canvas: &mut Canvas, state: &State, y: u16, index: usize, name: Token) {
    let Some(change) = state.changes.get(index) else { return };
    let (word, token) = mark::state(change.severity, false);
    canvas.put(STATE, y, STATE_WIDTH, &word, token);
    let width = canvas.area.width;
    canvas.put(NAME, y, width - NAME - AGE_WIDTH - 1, &change.what, name);
    age_cell(canvas, y, &when::ago(state, change.at), Token::Dim);
}

/// One deployment among the changes.
fn deployment(canvas: &mut Canvas, state: &State, y: u16, index: usize, name: Token) {
    let Some(one) = state.shown().deployments.all.get(index) else { return };
    let (glyph, word, token) = mark::ending(one.result);
    let token = if one.result.is_some() && token == Token::Text { Token::Dim } else { token };
    canvas.put(STATE, y, STATE_WIDTH, &format!("{glyph} {word}"), token);
    let width = canvas.area.width;
    let site = one.site.as_ref().map_or(String::new(), |site| format!(" at {site}"));
    let who = one.who.as_ref().map_or(String::new(), |who| format!(" by {who}"));
    let text = format!("deployed {}{site} {}{who}", one.service, one.versions());
    canvas.put(NAME, y, width - NAME - AGE_WIDTH - 1, &text, name);
    age_cell(canvas, y, &when::ago(state, one.at), Token::Dim);
}
