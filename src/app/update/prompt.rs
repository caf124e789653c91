//! The prompt of a query: opened, moved through, taken. Nothing that is typed there is a command.

use std::sync::Arc;

use crate::app::action::Action;
use crate::app::ask::Ask;
use crate::app::chart::{self, ChartView, text};
use crate::app::effect::Effect;
use crate::app::layer::{ExportForm, Layer};
use crate::app::prompt::{Known, Prompt, QUERY_CAP, TYPED, WordsOf, begun, remember, sources};
use crate::app::state::State;
use crate::model::panel::{Ask as PanelAsk, Panel, Unit};
use crate::model::window::Names;

use super::{layers, share};

/// Opens the prompt. What was typed before and the names of metrics come when they are told: nobody waits for them.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    if !chart::has_prometheus(state) {
        state.said = Some("no Prometheus in this estate: a query has nobody to be asked of".to_owned());
        return Vec::new();
    }
    if matches!(state.layers.last(), Some(Layer::Prompt(_))) {
        return Vec::new();
    }
    let prompt = Prompt::open(state);
    state.chart.prompting.forget();
    state.layers.push(Layer::Prompt(Box::new(prompt)));
    let mut effects = wanted(state);
    if state.chart.prompting.history.is_none() {
        effects.push(Effect::Ask(Box::new(Ask::Queries)));
    }
    effects
}

/// Asks for the names of the source that is chosen, once; a failure is tried again when the prompt comes anew.
fn wanted(state: &mut State) -> Vec<Effect> {
    let Some(Layer::Prompt(prompt)) = state.layers.last() else { return Vec::new() };
    let source = prompt.source.clone();
    if matches!(state.chart.prompting.names.get(&source), Some(Known::Asked | Known::Names(_))) {
        retyped(state);
        return Vec::new();
    }
    state.chart.prompting.names.insert(source.clone(), Known::Asked);
    retyped(state);
    vec![Effect::Ask(Box::new(Ask::Names(source)))]
}

/// Asks for the labels or values that what is begun may be, once.
pub(super) fn words(state: &mut State) -> Vec<Effect> {
    let State { layers, chart: ChartView { prompting, .. }, .. } = state;
    let Some(Layer::Prompt(prompt)) = layers.last() else { return Vec::new() };
    let of = begun(&prompt.typed).and_then(|begun| WordsOf::begun(&prompt.source, &begun));
    let of = of.filter(|of| prompting.asks(of));
    of.map(|of| Effect::Ask(Box::new(Ask::Words(of)))).into_iter().collect()
}

/// What is typed has changed.
pub(super) fn retyped(state: &mut State) {
    let State { layers, chart: ChartView { prompting, .. }, .. } = state;
    if let Some(Layer::Prompt(prompt)) = layers.last_mut() {
        while prompt.typed.len() > QUERY_CAP {
            prompt.typed.pop();
        }
        prompt.offer(prompting);
    }
}

/// Moves through what was typed before, takes a name, or chooses another source.
pub(super) fn run(state: &mut State, action: Action) -> Vec<Effect> {
    let all: Vec<String> = sources(state).into_iter().map(str::to_owned).collect();
    let State { layers, chart: ChartView { prompting, .. }, .. } = state;
    let Some(Layer::Prompt(prompt)) = layers.last_mut() else { return Vec::new() };
    match action {
        Action::Up | Action::Down => prompt.walk(prompting.history.as_deref().unwrap_or_default(), action == Action::Up),
        Action::Complete => prompt.take(),
        Action::NextSource => prompt.next_source(&all.iter().map(String::as_str).collect::<Vec<_>>()),
        _ => return Vec::new(),
    }
    wanted(state)
}

/// Draws the query as a chart, and keeps it among those that were typed.
pub(super) fn accept(state: &mut State) -> Vec<Effect> {
    let Some(Layer::Prompt(prompt)) = state.layers.last() else { return Vec::new() };
    let (query, source) = (prompt.typed.trim().to_owned(), prompt.source.clone());
    if query.is_empty() {
        return Vec::new();
    }
    state.layers.pop();
    // A query that was changed on a chart counts what that chart counts.
    let under = chart::name(state).and_then(|name| chart::panel(state, name));
    let unit = under.map_or(Unit::Count, |panel| panel.unit);
    let panel = Panel {
        name: TYPED.to_owned(),
        service: None,
        site: None,
        source,
        ask: PanelAsk::Promql(query.clone()),
        unit,
        warn: None,
        critical: None,
    };
    state.chart.typed = Some(Arc::new(panel));
    if chart::name(state) != Some(TYPED) {
        layers::lay(state, Layer::Chart { panel: TYPED.to_owned(), cursor: None });
    }
    remember(state.chart.prompting.history.get_or_insert_with(Vec::new), &query);
    vec![Effect::Ask(Box::new(Ask::KeepQuery(query)))]
}

/// What was typed in earlier runs.
pub(super) fn queries(state: &mut State, told: Result<Vec<String>, String>) {
    match told {
        Ok(all) => {
            let mut history = state.chart.prompting.history.take().unwrap_or_default();
            for query in all {
                if !history.contains(&query) {
                    history.push(query);
                }
            }
            history.truncate(crate::app::prompt::HISTORY_CAP);
            state.chart.prompting.history = Some(history);
        }
        Err(why) => {
            state.chart.prompting.history.get_or_insert_with(Vec::new);
            state.chart.prompting.problem = Some(why);
        }
    }
}

/// The names of a source's metrics.
pub(super) fn names(state: &mut State, source: String, told: Result<Names, String>) {
    let known = match told {
        Ok(names) => Known::Names(Arc::new(names)),
        Err(why) => Known::Failed(why),
    };
    state.chart.prompting.names.insert(source, known);
    retyped(state);
}

/// The labels of some series, or the values of one.
pub(super) fn told(state: &mut State, of: WordsOf, told: Result<Names, String>) {
    let prompting = &mut state.chart.prompting;
    // Whoever closed the prompt meanwhile forgot nothing that was under way.
    if let Some(known) = prompting.words.get_mut(&of) {
        *known = told.map_or_else(Known::Failed, |names| Known::Names(Arc::new(names)));
    }
    retyped(state);
}

/// Shows the typed query as a panel of the estate file, to copy.
pub(super) fn keep(state: &mut State) -> Vec<Effect> {
    let Some(Layer::Chart { panel, .. }) = state.layers.last() else { return Vec::new() };
    let of = state.chart.typed.as_deref().filter(|typed| typed.name == *panel);
    if of.is_none() {
        state.said = Some("this chart is a panel of the estate file already: only a query that was typed can become one".to_owned());
        return Vec::new();
    }
    of.and_then(|of| text::snippet(state, of)).map_or_else(Vec::new, |text| share::paste(state, text))
}

/// Shows the chart as text, to copy.
pub(super) fn tell(state: &mut State) -> Vec<Effect> {
    let Some(Layer::Chart { panel, cursor }) = state.layers.last() else { return Vec::new() };
    text::text(state, panel, *cursor).map_or_else(Vec::new, |text| share::paste(state, text))
}

/// Opens the form that writes the chart's numbers to a file.
pub(super) fn export(state: &mut State) {
    let Some(Layer::Chart { panel, .. }) = state.layers.last() else { return };
    let plain: String = panel.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).take(40).collect();
    let name = format!("chart-{plain}-{}.csv", state.now.strftime("%Y%m%dT%H%M%SZ"));
    let typed = state.exports.as_ref().map_or_else(String::new, |folder| format!("{folder}/{name}"));
    state.layers.push(Layer::Export(ExportForm { typed, ..ExportForm::default() }));
}
