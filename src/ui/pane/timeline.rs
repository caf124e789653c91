//! The Timeline pane: the service's worst panels with the marks of what happened, and below them the events, the newest
//! first, on the same window of time. Its snapshots are `timeline_*`.

use jiff::Timestamp;

use crate::app::mark;
use crate::app::state::State;
use crate::app::timeline::{self, Fold, Window, charts};
use crate::app::when;
use crate::model::age;
use crate::model::estate::Severity;
use crate::model::health::PanelView;
use crate::model::metric::{Plot, Series};
use crate::model::preferences::Token;
use crate::model::reading::Freshness;
use crate::model::timeline::{Event, Kind, Link};
use crate::ui::frame;
use crate::ui::widget::canvas::{Canvas, cells};
use crate::ui::widget::chart::{self, Chart};

/// Columns left of every chart, for its scale.
const GUTTER: u16 = 9;
/// Columns of the list.
const TIME: u16 = 2;
/// The width of a time of today, and of one with its day.
const SHORT: u16 = 13;
const LONG: u16 = 18;
/// The width of a kind.
const KIND: u16 = 11;

/// Draws the pane between the fixed lines.
pub fn draw(canvas: &mut Canvas, state: &State) {
    let (width, height) = (canvas.area.width, canvas.area.height);
    let bounds = timeline::bounds(state);
    title(canvas, state, bounds);
    let mut y = 3;
    let (_, lines) = charts(state.body_height());
    for view in timeline::panels(state) {
        panel(canvas, state, y, lines as u16, &view, bounds);
        y += lines as u16;
    }
    lane(canvas, state, y, bounds);
    times(canvas, state, y + 1, bounds);
    y += 2;
    let wide = via_width(width);
    let mut end = height - 1;
    if let Some(note) = timeline::note(state) {
        end = end.saturating_sub(1);
        let token = if state.timeline.waits() { Token::Dim } else { Token::Unknown };
        canvas.put(TIME, end, width - TIME, &format!("? {note}"), token);
    }
    if state.timeline.rows.is_empty() {
        let (text, token) = empty(state);
        canvas.put(TIME, y, width, text, token);
    }
    let list = &state.timeline.list.list;
    for line in 0..usize::from(end.saturating_sub(y)) {
        let row = list.offset + line;
        let Some(event) = timeline::event(state, row) else { break };
        let selected = list.selected.is_some() && row == list.row;
        let fold = state.timeline.folds.get(row).and_then(Option::as_ref);
        event_row(canvas, state, y + line as u16, (event, fold), selected, wide);
    }
}

/// Which service, and which time.
fn title(canvas: &mut Canvas, state: &State, (from, to): (Timestamp, Timestamp)) {
    let of = match state.timeline.service.as_deref().map(|service| timeline::with_needed(&state.estate, service)) {
        None => "TIMELINE of all services".to_owned(),
        Some(all) => match all.as_slice() {
            [service, first, more @ ..] => {
                let more = if more.is_empty() { String::new() } else { format!(" +{}", more.len()) };
                format!("TIMELINE of {service} (and {first}{more})")
            }
            _ => format!("TIMELINE of {}", all.concat()),
        },
    };
    let end = if state.timeline.end.is_none() { "now".to_owned() } else { when::short(state, to) };
    let since = format!("{} to {end}, from {}", state.timeline.window.word(), when::full(state, from));
    let chip = frame::chip(&state.timeline.list.filter.text, || state.timeline.rows.len(), state.timeline.events.len());
    // Two heads: of whom it is stays where a filter takes the room of the rest.
    let of = of + "  ";
    frame::heads(canvas, &[(0, of.as_str()), (cells(&of), since.as_str())], &chip);
}

/// What stands where no event is listed.
fn empty(state: &State) -> (&'static str, Token) {
    match (state.timeline.events.is_empty(), state.timeline.waits()) {
        (false, _) => ("nothing here matches; t shows all services", Token::Dim),
        (_, true) => ("nothing is known of this time yet", Token::Dim),
        (true, false) => ("nothing is known to have happened in this time", Token::Dim),
    }
}

/// The column of a moment among `width`.
fn column(at: Timestamp, (from, to): (Timestamp, Timestamp), width: u16) -> Option<u16> {
    if at < from || at > to || width == 0 {
        return None;
    }
    let whole = i128::from(to.as_second().saturating_sub(from.as_second()).max(1));
    let part = i128::from(at.as_second().saturating_sub(from.as_second()));
    u16::try_from(part * i128::from(width - 1) / whole).ok().map(|x| x.min(width - 1))
}

/// One panel: its name and value, and its plot over the window.
fn panel(canvas: &mut Canvas, state: &State, y: u16, lines: u16, view: &PanelView, bounds: (Timestamp, Timestamp)) {
    let width = canvas.area.width;
    let (text, token) = mark::value(state, view);
    let at = canvas.put_right(0, width, y, &text, token);
    canvas.put(0, y, at.saturating_sub(1), &view.panel.name, Token::Title);
    let height = lines.saturating_sub(1);
    let Some(plot) = view.answer.and_then(|answer| answer.plot.as_ref()) else {
        canvas.put(GUTTER, y + 1, width, "no chart yet", Token::Dim);
        return;
    };
    // A line of means over a minute does not reach what is read now: both have to be told.
    let each = format!("a point each {}, the newest value last", age::exact(jiff::SignedDuration::from_secs(plot.step)));
    let newest = if state.timeline.end.is_none() && view.freshness == Freshness::Fresh {
        view.answer.map(|answer| answer.now.as_slice())
    } else {
        None
    };
    let each = if newest.is_some() { each.as_str() } else { each.split(',').next().unwrap_or_default() };
    let name = cells(&view.panel.name) + 2;
    if name + cells(each) < at {
        canvas.put(name, y, at, each, Token::Dim);
    }
    let plot = windowed(plot, bounds);
    let mut part = canvas.part(0, y + 1, width, height);
    let newest = newest.unwrap_or_default();
    let chart = Chart { panel: view.panel, plot: &plot, newest, live: true, now: state.now, cursor: None, marks: Vec::new() };
    chart::draw_aligned(&mut part, &chart, GUTTER);
    // What happened stands in the columns that it has in the lane below.
    let room = width.saturating_sub(GUTTER);
    let line = if part.ascii { ':' } else { '╎' };
    for place in &state.timeline.passing {
        let drawn = |event: &&Event| is_line(event) && !timeline::is_open(state, event);
        let Some(event) = state.timeline.events.get(*place).filter(drawn) else { continue };
        if let Some(x) = column(event.at, bounds, room) {
            (0..height).for_each(|y| under(&mut part, GUTTER + x, y, line, Token::Dim));
        }
    }
    if let Some(x) = state.timeline.cursor.and_then(|at| column(at, bounds, room)) {
        let line = if part.ascii { '|' } else { '│' };
        (0..height).for_each(|y| under(&mut part, GUTTER + x, y, line, Token::Cursor));
    }
}

/// Events that have a line through the charts: what may be a cause, and what is an effect.
fn is_line(event: &Event) -> bool {
    matches!(
        event.kind,
        Kind::Deployment | Kind::AlertBegan | Kind::FindingBegan | Kind::Role | Kind::RunBegan | Kind::RunEnded | Kind::Muted
    )
}

/// Sets a cell where nothing, or only another line, is drawn.
fn under(canvas: &mut Canvas, x: u16, y: u16, symbol: char, token: Token) {
    let at = (canvas.area.x + x, canvas.area.y + y);
    let free = canvas.buf.cell(at).is_some_and(|cell| matches!(cell.symbol(), " " | "╎" | ":" | "┄" | "."));
    if free {
        canvas.cell(x, y, symbol, token);
    }
}

/// The plot's part in the window, with gaps where it has none.
fn windowed(plot: &Plot, (from, to): (Timestamp, Timestamp)) -> Plot {
    let step = plot.step.max(1);
    // The window's first step is on the plot's own grid.
    let ahead = from.as_second().saturating_sub(plot.start.as_second()).div_euclid(step);
    let len = usize::try_from(to.as_second().saturating_sub(from.as_second()).max(0) / step + 1).unwrap_or(1).min(20_000);
    let at = |place: usize| usize::try_from(ahead.saturating_add(place as i64)).ok();
    let series = plot.series.iter().map(|series| Series {
        labels: series.labels.clone(),
        points: (0..len).map(|place| at(place).and_then(|at| series.points.get(at).copied().flatten())).collect(),
    });
    let start = Timestamp::from_second(plot.start.as_second().saturating_add(ahead.saturating_mul(step))).unwrap_or(from);
    Plot { start, step, len, series: series.collect(), dropped: plot.dropped, histograms: plot.histograms }
}

/// The glyph of a kind.
fn glyph(event: &Event) -> char {
    match event.kind {
        Kind::Deployment => 'v',
        Kind::AlertBegan | Kind::FindingBegan => match mark::glyph(event.severity) {
            ' ' => 'i',
            glyph => glyph,
        },
        Kind::AlertEnded | Kind::FindingEnded => 'o',
        Kind::BackupMade if event.severity == Severity::Ok => 'b',
        Kind::BackupMade | Kind::BackupMissed => '!',
        Kind::Role => 'R',
        Kind::Source => 's',
        Kind::RunBegan => '>',
        Kind::RunWaits => '!',
        Kind::RunEnded => match mark::glyph(event.severity) {
            ' ' => 'o',
            glyph => glyph,
        },
        Kind::Muted => '~',
        Kind::Unmuted => 'o',
        Kind::Unseen => '?',
    }
}

fn token(event: &Event) -> Token {
    match (event.kind, event.severity) {
        (Kind::Deployment | Kind::RunBegan, Severity::Info) => Token::Title,
        (Kind::Muted, _) => Token::Muted,
        (Kind::Unseen, _) => Token::Unknown,
        (_, Severity::Ok | Severity::Info) => Token::Dim,
        (_, severity) => mark::token(severity),
    }
}

/// One line under the charts with the glyph of each event in its column; of several the worst.
fn lane(canvas: &mut Canvas, state: &State, y: u16, bounds: (Timestamp, Timestamp)) {
    let room = canvas.area.width.saturating_sub(GUTTER);
    canvas.put(0, y, GUTTER - 1, "events", Token::Dim);
    let mut worst: Vec<Option<&Event>> = vec![None; usize::from(room)];
    let weight = |event: &Event| (event.severity, std::cmp::Reverse(event.kind));
    for place in state.timeline.passing.iter().rev() {
        let Some(event) = state.timeline.events.get(*place) else { continue };
        let open = timeline::is_open(state, event);
        let (first, last) = match (event.kind, event.after) {
            (_, Some(after)) if open || event.kind == Kind::Unseen => {
                (column(after.max(bounds.0), bounds, room), column(event.at.min(bounds.1), bounds, room))
            }
            _ => (column(event.at, bounds, room), column(event.at, bounds, room)),
        };
        let (Some(first), Some(last)) = (first, last) else { continue };
        for x in first..=last {
            let Some(cell) = worst.get_mut(usize::from(x)) else { continue };
            // A time in which nobody looked, or in which an alert may have begun, lies under what is known of it.
            let vague = |event: &Event| event.kind == Kind::Unseen || timeline::is_open(state, event);
            let over = cell.is_none_or(|old| vague(old) || !vague(event) && weight(event) > weight(old));
            if over {
                *cell = Some(event);
            }
        }
    }
    for (x, event) in worst.into_iter().enumerate() {
        match event {
            Some(event) if timeline::is_open(state, event) => canvas.cell(GUTTER + x as u16, y, '?', Token::Unknown),
            Some(event) => canvas.cell(GUTTER + x as u16, y, glyph(event), token(event)),
            None => {}
        }
    }
}

/// The window's two ends, and between them the time under the cursor.
fn times(canvas: &mut Canvas, state: &State, y: u16, bounds: (Timestamp, Timestamp)) {
    let width = canvas.area.width;
    let (from, to) = (when::minute(state, bounds.0), when::minute(state, bounds.1));
    let start = GUTTER + canvas.put(GUTTER, y, width, &from, Token::Dim) + 1;
    let end = canvas.put_right(start, width, y, &to, Token::Dim).saturating_sub(1);
    let room = width.saturating_sub(GUTTER);
    if let Some((at, x)) = state.timeline.cursor.and_then(|at| Some((at, column(at, bounds, room)?))) {
        let text = format!("^ {}", when::minute(state, at));
        let x = (GUTTER + x).max(start).min(end.saturating_sub(cells(&text)));
        canvas.put(x, y, end.saturating_sub(x), &text, Token::Text);
    }
}

fn via_width(width: u16) -> u16 {
    (width / 7).clamp(12, 30)
}

fn event_row(canvas: &mut Canvas, state: &State, y: u16, (event, fold): (&Event, Option<&Fold>), selected: bool, via: u16) {
    let width = canvas.area.width;
    let marked = matches!((&event.link, &state.timeline.marked), (Link::Alert(of), Some(labels)) if of == labels || of.covers(labels) || labels.covers(of));
    if selected {
        canvas.put(0, y, 1, ">", Token::Selected);
    } else if marked {
        canvas.put(0, y, 1, "*", Token::Title);
    }
    let kind = TIME + if is_today(state) { SHORT } else { LONG };
    let at = kind + KIND;
    let since = fold.map_or(event.after, |fold| Some(fold.from));
    let open = timeline::is_open(state, event).then(|| format!("after {}", time(state, event.begun(), None)));
    let when = open.unwrap_or_else(|| time(state, event.at, since));
    canvas.put(TIME, y, kind - TIME - 1, &when, Token::Dim);
    canvas.put(kind, y, KIND - 1, &format!("{} {}", glyph(event), event.kind.word()), token(event));
    let text = match (selected, marked) {
        (true, _) => Token::Selected,
        (_, true) => Token::Title,
        _ => Token::Text,
    };
    let what = timeline::said(event, fold);
    let what = if marked && event.kind != Kind::AlertEnded { format!("this alert: {what}") } else { what };
    canvas.put(at, y, width.saturating_sub(at + via + 1), &what, text);
    canvas.put(width - via, y, via, &fold.map_or(&event.via, |fold| &fold.via).join("+"), Token::Dim);
}

/// True where all that is listed is of today. A short window around midnight is of two days.
fn is_today(state: &State) -> bool {
    let day = |at: Timestamp| at.to_zoned(state.zone()).date();
    let short = matches!(state.timeline.window, Window::Half | Window::Hours);
    let oldest = timeline::oldest(state, state.timeline.rows.len().saturating_sub(1));
    short && oldest.is_none_or(|oldest| day(oldest) == day(state.now))
}

/// The time of an event: to the minute, with the day where it is not today's; a stretch where it is known only so far, or
/// where a row stands for several.
fn time(state: &State, at: Timestamp, since: Option<Timestamp>) -> String {
    let zoned = |at: Timestamp| at.to_zoned(state.zone());
    let today = zoned(at).date() == zoned(state.now).date();
    let day = if today { String::new() } else { zoned(at).strftime("%m-%d ").to_string() };
    let minute = |at: Timestamp| zoned(at).strftime("%H:%M").to_string();
    match since {
        Some(since) if zoned(since).date() != zoned(at).date() => format!("to {day}{}", minute(at)),
        Some(since) if minute(since) != minute(at) => format!("{day}{}-{}", minute(since), minute(at)),
        _ => format!("{day}{}", minute(at)),
    }
}
