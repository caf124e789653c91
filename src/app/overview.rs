//! The Overview's rows: in one column, in two on a wide screen, and on the widest in two with the selected thing between
//! them. One selection runs through all rows.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use crate::model::backup::BackupState;
use crate::model::health::PanelView;
use crate::model::needs::About;
use crate::model::reading::{Freshness, Reading};
use crate::model::run::known::Standing;
use crate::model::source::Answer;

use super::action::Action;
use super::filter::Filter;
use super::state::{OverviewId, OverviewRow, State};
use super::subject::{OfService, OfSource};
use super::when;
use super::wrap::{fit, wrap};

/// Changes listed.
const CHANGES_SHOWN: usize = 50;
/// Changes of this time are listed.
pub const CHANGED: SignedDuration = SignedDuration::from_hours(2);
/// From so many screen columns on there are two columns of rows.
const WIDE: u16 = 160;
/// Lines of the estate's note: the fewest, and the most where two narrow columns are high enough for it.
const NOTE_LINES: (usize, usize) = (2, 6);
/// Of that many body lines the note may have one.
const NOTE_SHARE: usize = 8;
/// From so many on there is a column between them for the selected thing.
const WIDEST: u16 = 200;
/// The columns of the widest screen at its sides.
const SIDE: u16 = 60;
/// Things that are due that are listed where there is one column; all of them where there are more.
const DUE_SHOWN: usize = 4;

/// The heads of the sections.
const NEEDS: &str = "NEEDS YOU";
const SERVICES: &str = "SERVICES";
const PANELS: &str = "PANELS";
const EXPOSURE: &str = "IF IT FAILED NOW";
const CHANGES: &str = "CHANGED in 2h";
const CHANGES_OF_RUN: &str = "CHANGED in 2h, watched since the start";
const NEXT: &str = "NEXT";
const SOURCES: &str = "SOURCES";
/// Those of the right column.
const RIGHT: [&str; 5] = [EXPOSURE, CHANGES, CHANGES_OF_RUN, NEXT, SOURCES];

/// The widths of the left and the right column of rows; the right one is 0 where there is only one. Between two columns
/// three screen columns stay free.
pub fn widths(width: u16) -> (u16, u16) {
    match width {
        ..WIDE => (width, 0),
        WIDE..WIDEST => ((width - 3).div_ceil(2), (width - 3) / 2),
        _ => (SIDE, SIDE),
    }
}

/// The first column and the width of what is between the two columns of rows: none but on the widest screens.
pub fn focus(width: u16) -> Option<(u16, u16)> {
    (width >= WIDEST).then(|| (SIDE + 2, width - 2 * SIDE - 4))
}

/// The panel that speaks for a service: the worst of its panels, of equals the first.
pub fn chosen<'a>(panels: &'a [PanelView<'a>], service: &str) -> Option<&'a PanelView<'a>> {
    let own = panels.iter().filter(|view| view.panel.service.as_deref() == Some(service));
    // One that is judged says more than one that is not, and one that is not fresh is never passed over for it.
    let weight = |view: &PanelView| {
        let limited = view.panel.warn.or(view.panel.critical).is_some();
        (view.severity(), view.freshness != Freshness::Fresh, limited)
    };
    own.reduce(|worst, view| if weight(view) > weight(worst) { view } else { worst })
}

/// The rows of each column: the right one's are none where there is only one column.
pub fn columns(state: &State) -> [Range<usize>; 2] {
    let all = state.overview_rows.len();
    let split = match widths(state.size.0) {
        (_, 0) => all,
        _ => state.overview_rows.iter().position(|row| matches!(row, OverviewRow::Head(head) if RIGHT.contains(head))).unwrap_or(all),
    };
    [0..split, split..all]
}

/// All rows, the left column's first. A wide screen says more of each need and source, in a second line.
pub fn rows(state: &State) -> Vec<OverviewRow> {
    let (view, filter, now) = (state.shown(), &state.overview.filter, state.now);
    let wide = widths(state.size.0).1 > 0;
    let services: Vec<OverviewRow> = (state.estate.services.iter().zip(&view.services).enumerate())
        .filter(|(_, (service, health))| filter.matches(&OfService { service, health }, now))
        .map(|(i, _)| OverviewRow::Service(i))
        .collect();
    let mut rows: Vec<OverviewRow> = since(state).into_iter().collect();
    rows.extend(note(state));
    let needs: Vec<usize> = (0..view.needs.len()).filter(|i| filter.matches(&view.needs[*i], now)).collect();
    // Two heads, "and more" and all services have their lines first where there is a whole column for them.
    let room = if wide { state.body_height().saturating_sub(rows.len() + 3 + services.len().max(1)) / 2 } else { state.body_height() / 3 };
    let room = room.max(4);
    rows.push(OverviewRow::Head(NEEDS));
    // What was begun and hangs comes before what is only seen.
    let open = state.runs.open().enumerate().filter(|(_, known)| known.standing() < Standing::Running);
    let hang: Vec<usize> = open.filter(|(_, known)| words(filter, &known.state.plan.subject)).map(|(place, _)| place).collect();
    rows.extend(hang.iter().take(room).map(|place| OverviewRow::Run(*place)));
    for i in needs.iter().take(room) {
        rows.push(OverviewRow::Need(*i));
        rows.extend(wide.then_some(OverviewRow::NeedAction(*i)));
    }
    if needs.len() > room {
        rows.push(OverviewRow::MoreNeeds(needs.len() - room));
    }
    if needs.is_empty() && hang.is_empty() {
        rows.push(OverviewRow::Empty(quiet(state)));
    }
    rows.push(OverviewRow::Head(SERVICES));
    section(&mut rows, services, !filter.is_empty(), "the estate file names no service");
    if wide {
        let panels = state.panels();
        let panels = (0..panels.len()).filter(|i| filter.matches(&panels[*i], now)).map(OverviewRow::Panel).collect();
        rows.push(OverviewRow::Head(PANELS));
        section(&mut rows, panels, !filter.is_empty(), "the estate file names no panel");
    }
    let exposed = exposed(state);
    let kept = |place: &usize| view.backups.get(*place).is_some_and(|of| named(state, of).is_none_or(|name| words(filter, name)));
    let exposed: Vec<OverviewRow> = exposed.into_iter().filter(kept).map(OverviewRow::Exposure).collect();
    if !exposed.is_empty() {
        rows.push(OverviewRow::Head(EXPOSURE));
        rows.extend(exposed);
    }
    let due: Vec<usize> = (0..view.due.len()).filter(|i| words(filter, &view.due[*i].name)).collect();
    let due = due.into_iter().take(if wide { usize::MAX } else { DUE_SHOWN }).map(OverviewRow::Due).collect::<Vec<_>>();
    let changed = changed(state);
    let calm = now.duration_since(state.started) >= CHANGED;
    let changed_head = OverviewRow::Head(if calm { CHANGES } else { CHANGES_OF_RUN });
    rows.push(changed_head);
    section(&mut rows, changed, !filter.is_empty(), "no change was seen");
    if !due.is_empty() {
        rows.push(OverviewRow::Head(NEXT));
        rows.extend(due);
    }
    rows.push(OverviewRow::Head(SOURCES));
    let sources: Vec<OverviewRow> = (state.estate.sources.iter().zip(state.shown_readings()).enumerate())
        .filter(|(_, (source, reading))| {
            let as_of = reading.held.as_ref().map(|held| held.as_of);
            filter.matches(&OfSource { source, freshness: reading.freshness(now), as_of }, now)
        })
        .flat_map(|(i, _)| [Some(OverviewRow::Source(i)), wide.then_some(OverviewRow::SourceSaid(i))].into_iter().flatten())
        .collect();
    section(&mut rows, sources, !filter.is_empty(), "the estate file names no source");
    rows
}

/// True where a name passes the filter: what has no fields of its own is found by its name.
fn words(filter: &Filter, name: &str) -> bool {
    filter.is_empty() || name.to_lowercase().contains(&filter.text.to_lowercase())
}

/// Whose data a backup keeps: its service, else it by name.
pub fn named<'a>(state: &'a State, of: &BackupState) -> Option<&'a str> {
    let source = state.estate.sources.get(of.source)?;
    Some(source.service.as_deref().unwrap_or(&source.name))
}

/// One backup of each service, by place: what would be lost of the service is the same for all of them.
fn exposed(state: &State) -> Vec<usize> {
    let mut seen = HashSet::new();
    let all = state.shown().backups.iter().enumerate();
    all.filter(|(_, of)| named(state, of).is_some_and(|name| seen.insert(name.to_owned()))).map(|(place, _)| place).collect()
}

/// What changed, the newest first: what this console saw, and what was deployed.
fn changed(state: &State) -> Vec<OverviewRow> {
    let (view, filter, now) = (state.shown(), &state.overview.filter, state.now);
    let until = state.frozen.as_ref().map_or(Timestamp::MAX, |f| f.at);
    // A clock that is ahead does not hide a deployment: those of the future are listed too.
    let begin = now.checked_sub(CHANGED).unwrap_or(Timestamp::MIN);
    let changes = (state.changes.iter().enumerate())
        .filter(|(_, change)| change.at >= begin && change.at <= until && filter.matches(*change, now))
        .take(CHANGES_SHOWN)
        .map(|(i, change)| (change.at, OverviewRow::Change(i)));
    let deployed = (view.deployments.all.iter().enumerate())
        .take_while(|(_, one)| one.at >= begin)
        // A version that is only there was not deployed.
        .filter(|(_, one)| one.is_act() && one.at <= until && filter.matches(&***one, now))
        .take(CHANGES_SHOWN)
        .map(|(i, one)| (one.at, OverviewRow::Deployment(i)));
    let mut changes: Vec<(Timestamp, OverviewRow)> = changes.chain(deployed).collect();
    changes.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    changes.into_iter().take(CHANGES_SHOWN).map(|(_, row)| row).collect()
}

/// What happened while nobody looked, in a line.
fn since(state: &State) -> Option<OverviewRow> {
    let since = state.attention.since?;
    Some(OverviewRow::Since(format!("since {}: {}", when::minute(state, since.at), since.words())))
}

/// What everyone who opens the estate should know, in a few lines at the most.
fn note(state: &State) -> Vec<OverviewRow> {
    let (left, right) = widths(state.size.0);
    let (width, (least, most)) = (usize::from(left).saturating_sub(2), NOTE_LINES);
    let most = if right > 0 { (state.body_height() / NOTE_SHARE).clamp(least, most) } else { least };
    let Some(note) = &state.estate.note else { return Vec::new() };
    let mut lines = wrap(note, width);
    if lines.len() > most {
        let rest = lines.drain(most - 1..).collect::<Vec<_>>().join(" ");
        lines.push(fit(&rest, width, state.look.ascii));
    }
    lines.into_iter().filter(|line| !line.is_empty()).map(OverviewRow::Note).collect()
}

fn section(rows: &mut Vec<OverviewRow>, of: Vec<OverviewRow>, filtered: bool, empty: &'static str) {
    if of.is_empty() {
        rows.push(OverviewRow::Empty(if filtered { "nothing here matches the filter" } else { empty }));
    }
    rows.extend(of);
}

/// What stands where no need is listed. It never says that all is well on the word of a source that is not fresh.
fn quiet(state: &State) -> &'static str {
    let readings = state.shown_readings();
    let is = |wanted: Freshness| move |r: &Reading<Answer>| r.freshness(state.now) == wanted;
    if !state.shown().needs.is_empty() {
        "nothing here matches the filter"
    } else if readings.is_empty() {
        "nothing is known: the estate file names no source"
    } else if readings.iter().all(is(Freshness::Fresh)) {
        "nothing needs you: all sources answer, with nothing to do"
    } else if readings.iter().any(is(Freshness::Never)) {
        "nothing is known yet: not every source has answered"
    } else {
        "nothing known needs you, but not every source is fresh"
    }
}

/// `2 above` where so many lines that need a person are scrolled away above the screen.
pub fn above(state: &State) -> String {
    let hidden = state.overview_rows.iter().take(state.overview.list.offset);
    let above = hidden.filter(|row| matches!(row, OverviewRow::Need(_) | OverviewRow::Run(_))).count();
    if above == 0 { String::new() } else { format!("{above} above") }
}

/// True for a row that can be selected.
pub fn selectable(row: &OverviewRow) -> bool {
    use OverviewRow::{Change, Deployment, Due, Exposure, Need, Panel, Run, Service, Source};
    matches!(row, Run(_) | Need(_) | Service(_) | Panel(_) | Source(_) | Change(_) | Deployment(_) | Due(_) | Exposure(_))
}

/// True for the second line of a row.
pub fn is_second_line(row: &OverviewRow) -> bool {
    matches!(row, OverviewRow::NeedAction(_) | OverviewRow::SourceSaid(_))
}

/// What tells the rows apart.
pub fn ids(state: &State) -> Vec<Option<OverviewId>> {
    let mut seen: HashMap<About, usize> = HashMap::new();
    let id = |row: &OverviewRow| match row {
        OverviewRow::Need(i) => state.shown().needs.get(*i).map(|need| {
            let about = match &need.about {
                About::Alerts(name, _) => About::Alerts(name.clone(), Vec::new()),
                about => about.clone(),
            };
            let before = seen.entry(about.clone()).or_default();
            *before += 1;
            OverviewId::Need(about, *before - 1)
        }),
        OverviewRow::Run(i) => state.runs.all.get(*i).map(|known| OverviewId::Run(known.state.run.clone())),
        OverviewRow::Service(i) => state.estate.services.get(*i).map(|service| OverviewId::Service(service.name.clone())),
        OverviewRow::Panel(i) => state.estate.panels.get(*i).map(|panel| OverviewId::Panel(panel.name.clone())),
        OverviewRow::Source(i) => Some(OverviewId::Source(*i)),
        OverviewRow::Exposure(i) => state.shown().backups.get(*i).map(|of| OverviewId::Exposure(of.source)),
        OverviewRow::Due(i) => state.shown().due.get(*i).map(|due| OverviewId::Due(due.kind, due.name.clone())),
        OverviewRow::Deployment(i) => state.shown().deployments.all.get(*i).map(|one| OverviewId::Deployment(one.key.clone())),
        OverviewRow::Change(i) => state
            .changes
            .get(*i)
            .map(|change| OverviewId::Change(change.at, change.what.clone(), change.alert.as_ref().map(|alert| alert.id.clone()))),
        OverviewRow::Since(_) => Some(OverviewId::Since),
        OverviewRow::Note(_)
        | OverviewRow::Head(_)
        | OverviewRow::NeedAction(_)
        | OverviewRow::MoreNeeds(_)
        | OverviewRow::Empty(_)
        | OverviewRow::SourceSaid(_) => None,
    };
    state.overview_rows.iter().map(id).collect()
}

/// Finds the selected row again after the rows or the screen changed.
pub fn settle(state: &mut State) {
    let (ids, height) = (ids(state), state.body_height());
    if columns(state)[1].is_empty() {
        state.overview_right = 0;
        let list = &mut state.overview.list;
        list.settle(ids.len(), |row| ids[row].clone(), height);
        if state.stays {
            // Nobody moved the list: its top is on the screen as far as the row that is read lets it.
            list.offset = (list.row + 1).saturating_sub(height);
        }
    } else {
        let left = if state.stays { 0 } else { state.overview.list.offset };
        state.overview.list.settle(ids.len(), |row| ids[row].clone(), ids.len());
        scroll(state, left);
    }
}

/// Moves: by rows through the left and then the right column, or across to the row at the same height.
pub fn step(state: &mut State, action: Action, by: isize) {
    let (ids, height, columns) = (ids(state), state.body_height(), columns(state));
    if columns[1].is_empty() {
        return state.overview.list.step(ids.len(), |row| ids[row].clone(), by, height);
    }
    let left = state.overview.list.offset;
    let row = state.overview.list.row;
    let to = match action {
        Action::Left if columns[1].contains(&row) => {
            Some((columns[0].clone(), (row - columns[1].start).saturating_sub(state.overview_right) + left))
        }
        Action::Right if columns[0].contains(&row) => Some((columns[1].clone(), row.saturating_sub(left) + state.overview_right)),
        _ => None,
    };
    match to {
        Some((column, at)) => {
            let row = (column.start + at).min(column.end.saturating_sub(1));
            let near = (column.start..=row).rev().chain(row..column.end).find(|row| ids[*row].is_some());
            if let Some(row) = near {
                state.overview.list.select(ids.len(), |row| ids[row].clone(), row);
            }
        }
        None => state.overview.list.step(ids.len(), |row| ids[row].clone(), by, ids.len()),
    }
    scroll(state, left);
}

/// Selects the row with that id, where it is still there, and says whether it was selected already.
pub fn choose(state: &mut State, wanted: &OverviewId) -> Option<bool> {
    let ids = ids(state);
    let row = ids.iter().position(|id| id.as_ref() == Some(wanted))?;
    let again = state.overview.list.selected.as_ref() == Some(wanted);
    let left = state.overview.list.offset;
    state.overview.list.select(ids.len(), |row| ids[row].clone(), row);
    if columns(state)[1].is_empty() {
        let height = state.body_height();
        state.overview.list.choose(ids.len(), |row| ids[row].clone(), wanted, height);
    } else {
        scroll(state, left);
    }
    Some(again)
}

/// Scrolls by so many lines; of two columns the one that is meant.
pub fn scroll_by(state: &mut State, by: isize, right: bool) {
    let (ids, height, columns) = (ids(state), state.body_height(), columns(state));
    if columns[1].is_empty() {
        return state.overview.list.scroll_by(ids.len(), |row| ids[row].clone(), by, height);
    }
    let column = columns[usize::from(right)].clone();
    let before = if right { state.overview_right } else { state.overview.list.offset };
    let offset = before.saturating_add_signed(by).min(column.len().saturating_sub(height));
    let shown = column.start + offset..(column.start + offset + height).min(column.end);
    let row = state.overview.list.row;
    if column.contains(&row) && !shown.contains(&row) {
        let down = row < shown.start;
        let open = |row: &usize| ids[*row].is_some();
        let to = if down { shown.clone().find(open) } else { shown.clone().rfind(open) };
        let Some(to) = to else { return };
        state.overview.list.select(ids.len(), |row| ids[row].clone(), to);
    }
    if right {
        state.overview_right = offset;
    }
    let left = if right { state.overview.list.offset } else { offset };
    scroll(state, left);
}

/// Scrolls the column with the selected row to it, and the other one no farther than it was. A row's second line is
/// shown with it, and the heads over a column's first row too.
fn scroll(state: &mut State, left: usize) {
    let (height, row) = (state.body_height(), state.overview.list.row);
    let [first, second] = columns(state);
    let fitted = |offset: usize, column: &Range<usize>| {
        let offset = offset.min(column.len().saturating_sub(height));
        if !column.contains(&row) {
            return offset;
        }
        let lines = &state.overview_rows[column.clone()];
        let at = row - column.start;
        if lines[..at].iter().all(|row| !selectable(row)) {
            return 0;
        }
        let end = if lines.get(at + 1).is_some_and(is_second_line) { at + 2 } else { at + 1 };
        offset.max(end.saturating_sub(height)).min(at)
    };
    let offsets = (fitted(left, &first), fitted(state.overview_right, &second));
    (state.overview.list.offset, state.overview_right) = offsets;
}
