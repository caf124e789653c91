//! Typed and pasted text: the filter line and the palette. Nothing that is typed here is a command.

use crate::app::action::Action;
use crate::app::ask::Exported;
use crate::app::filter::{FILTER_CAP, Filter, no_field};
use crate::app::layer::{Layer, Pane};
use crate::app::operations::RUN_FIELDS;
use crate::app::pane;
use crate::app::prompt::QUERY_CAP;
use crate::app::state::{PaneList, State};
use crate::app::subject::{
    ALERT_FIELDS, BACKUP_FIELDS, DEPLOYMENT_FIELDS, EVENT_FIELDS, NODE_FIELDS, OVERVIEW_FIELDS, PANEL_FIELDS, Subject,
};
use crate::model::text::is_hostile;

use super::{logs, prompt, runs, silences, wizard};

/// The filter line of a pane, whatever its list is of.
pub(super) struct Line<'a> {
    pub(super) filter: &'a mut Filter,
    pub(super) typed: &'a mut String,
    pub(super) error: &'a mut Option<String>,
    pub(super) former: &'a mut Filter,
}

impl<'a> Line<'a> {
    fn of<Id>(list: &'a mut PaneList<Id>) -> Line<'a> {
        Line { filter: &mut list.filter, typed: &mut list.typed, error: &mut list.error, former: &mut list.former }
    }
}

/// The filter line of the pane that is shown.
pub(super) fn line(state: &mut State) -> Line<'_> {
    match state.pane {
        Pane::Overview => Line::of(&mut state.overview),
        Pane::Alerts => Line::of(&mut state.alerts),
        Pane::Metrics => Line::of(&mut state.metrics),
        Pane::Databases => Line::of(&mut state.databases),
        Pane::Backups => Line::of(&mut state.backups),
        Pane::Deployments => Line::of(&mut state.deployments),
        Pane::Operations => Line::of(&mut state.operations),
        Pane::Timeline => Line::of(&mut state.timeline.list),
    }
}

/// Opens the filter line of a pane; on other layers there is nothing to filter.
pub(super) fn begin(state: &mut State) {
    if let Some(Layer::Help { search, .. }) = state.layers.last_mut() {
        search.typing = true;
        return;
    }
    if state.layers.is_empty() {
        let line = line(state);
        *line.former = line.filter.clone();
        *line.typed = line.filter.text.clone();
        *line.error = None;
        state.layers.push(Layer::Filter);
    }
}

/// Leaves the filter line without taking what was typed.
pub(super) fn restore(state: &mut State) {
    let line = line(state);
    *line.filter = line.former.clone();
    *line.typed = line.filter.text.clone();
    *line.error = None;
    pane::refresh(state);
}

/// Clears the pane's filter.
pub(super) fn clear(state: &mut State) {
    let line = line(state);
    *line.filter = Filter::default();
    line.typed.clear();
    *line.error = None;
    pane::refresh(state);
}

/// One character was typed.
pub(super) fn put(state: &mut State, c: char) {
    change(state, |text| text.push(c));
}

/// Text was pasted: it goes where text is typed, and nowhere else; what asks something of a run is typed by hand.
pub(super) fn paste(state: &mut State, pasted: &str) {
    if matches!(state.layers.last(), Some(Layer::Request(_))) || wizard::drops_paste(state) {
        return;
    }
    if matches!(state.layers.last(), Some(Layer::Prompt(_))) {
        // A query of several lines stays one: its words must not run together.
        let spaced = pasted.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c });
        return change(state, |text| text.extend(spaced.filter(|c| !is_hostile(*c)).take(QUERY_CAP)));
    }
    change(state, |text| text.extend(pasted.chars().filter(|c| !is_hostile(*c)).take(FILTER_CAP)));
}

/// Takes typed text away.
pub(super) fn erase(state: &mut State, action: Action) {
    change(state, |text| match action {
        Action::Erase => {
            text.pop();
        }
        Action::EraseWord => {
            let kept = text.trim_end();
            text.truncate(kept.rfind(char::is_whitespace).map_or(0, |at| at + kept[at..].chars().next().map_or(1, char::len_utf8)));
        }
        _ => text.clear(),
    });
}

fn change(state: &mut State, with: impl FnOnce(&mut String)) {
    if wizard::is_on_top(state) {
        wizard::change(state, with);
        return;
    }
    let now = state.now;
    match state.layers.last_mut() {
        Some(Layer::Palette(palette)) => {
            let mut typed = palette.typed.clone();
            with(&mut typed);
            cap(&mut typed);
            palette.retype(typed);
        }
        Some(Layer::Prompt(of)) => {
            with(&mut of.typed);
            of.past = None;
            prompt::retyped(state);
        }
        Some(Layer::Help { scroll, search }) if search.typing => {
            with(&mut search.typed);
            cap(&mut search.typed);
            *scroll = 0;
        }
        Some(Layer::Logs(_)) => logs::typed(state, with, cap),
        Some(Layer::Silences(_)) => silences::typed(state, with, cap),
        Some(Layer::Filter) => {
            let typed = line(state).typed;
            with(typed);
            cap(typed);
            apply(state);
        }
        Some(Layer::Export(form)) if !matches!(form.far, Some(Exported::Rows(_))) => {
            with(&mut form.typed);
            cap(&mut form.typed);
            form.far = None;
        }
        Some(Layer::SaveView(form)) if !form.writing => {
            with(&mut form.typed);
            cap(&mut form.typed);
            form.error = None;
        }
        // Keys that were meant for what was there before are not for the form.
        Some(Layer::Request(form)) if form.is_settled(now) => form.retype(with),
        Some(Layer::Request(form)) => runs::early(form),
        _ => {}
    }
}

/// Filters the pane that is shown by this text.
///
/// # Errors
/// Where it is no filter, or asks for a field that the pane does not have: a sentence. What labels the alerts have is
/// not known before they are read, so that there any field is taken.
pub fn narrow(state: &mut State, text: &str) -> Result<(), String> {
    let filter = Filter::parse(text)?;
    let filter = if state.pane == Pane::Alerts { filter } else { check(state, filter)? };
    let line = line(state);
    *line.typed = text.to_owned();
    *line.filter = filter;
    pane::refresh(state);
    Ok(())
}

fn cap(text: &mut String) {
    while text.len() > FILTER_CAP {
        text.pop();
    }
}

/// Filters by what is typed so far, or says why that is no filter and keeps the last one that was.
fn apply(state: &mut State) {
    let typed = line(state).typed.clone();
    let outcome = Filter::parse(&typed).and_then(|filter| check(state, filter));
    let line = line(state);
    match outcome {
        Ok(filter) => {
            *line.filter = filter;
            *line.error = None;
            pane::refresh(state);
        }
        Err(told) => *line.error = Some(told),
    }
}

/// The filter of a pane that is shown at another time. What labels the alerts have then is not known, so that there any
/// field is taken.
///
/// # Errors
/// Where it is no filter, or asks for a field that the pane does not have: a sentence.
pub fn judge(pane: Pane, text: &str) -> Result<Filter, String> {
    let filter = Filter::parse(text)?;
    let unknown =
        filter.unknown_field(|name| pane == Pane::Alerts || fields(pane).contains(&name)).map(|name| no_field(name, fields(pane)));
    unknown.map_or(Ok(filter), Err)
}

fn fields(pane: Pane) -> &'static [&'static str] {
    match pane {
        Pane::Overview => OVERVIEW_FIELDS,
        Pane::Alerts => ALERT_FIELDS,
        Pane::Metrics => PANEL_FIELDS,
        Pane::Databases => NODE_FIELDS,
        Pane::Backups => BACKUP_FIELDS,
        Pane::Deployments => DEPLOYMENT_FIELDS,
        Pane::Operations => RUN_FIELDS,
        Pane::Timeline => EVENT_FIELDS,
    }
}

/// Refuses a field that no row of the pane can have: a slip of the fingers would else empty the list without a word.
fn check(state: &State, filter: Filter) -> Result<Filter, String> {
    let fields = fields(state.pane);
    let alerts = &state.shown().alerts;
    let known =
        |name: &str| fields.contains(&name) || (state.pane == Pane::Alerts && alerts.iter().any(|alert| alert.field(name).is_some()));
    let unknown = filter.unknown_field(known).map(|name| {
        let labels: &[&str] = if state.pane == Pane::Alerts { &["the labels and annotations of the alerts here"] } else { &[] };
        no_field(name, &[fields, labels].concat())
    });
    unknown.map_or(Ok(filter), Err)
}
