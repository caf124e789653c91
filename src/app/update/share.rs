//! Telling of things outside of the console: the text to paste, and the export of deployments to a file.

use crate::app::ask::{Ask, Export, Exported};
use crate::app::chart;
use crate::app::effect::Effect;
use crate::app::layer::{ExportForm, Layer, Pane};
use crate::app::share;
use crate::app::state::State;

/// What is said where a key is about the selected row and there is none.
pub(super) const NOTHING: &str = "nothing is selected here";

/// Shows the text about what is looked at, and has it copied.
pub(super) fn share(state: &mut State) -> Vec<Effect> {
    match share::text(state) {
        Some(text) => paste(state, text),
        None => {
            // On a page over another there is nothing else to say: it is looked at already.
            if state.layers.is_empty() {
                state.said = Some(NOTHING.to_owned());
            }
            Vec::new()
        }
    }
}

/// Shows that text and has it copied.
pub(super) fn paste(state: &mut State, text: String) -> Vec<Effect> {
    state.layers.push(Layer::Share { text: text.clone(), said: "copying...".to_owned(), first: 0 });
    vec![Effect::Copy(text)]
}

/// What came of it.
pub(super) fn copied(state: &mut State, what: String) {
    if let Some(Layer::Share { said, .. }) = state.layers.iter_mut().rev().find(|layer| matches!(layer, Layer::Share { .. })) {
        *said = what;
    }
}

/// Shows that text alone, so that the terminal selects it right.
pub(super) fn select(state: &mut State) {
    let text = match state.layers.last() {
        Some(Layer::Share { text, .. }) => Some(text.clone()),
        Some(Layer::Select { .. }) => None,
        _ => share::text(state),
    };
    if let Some(text) = text {
        state.layers.push(Layer::Select { text, first: 0 });
    }
}

/// Opens the form of an export of what the Deployments pane shows.
pub(super) fn begin(state: &mut State) {
    if state.pane != Pane::Deployments || !state.layers.is_empty() {
        return;
    }
    let name = format!("deployments-{}.csv", state.now.strftime("%Y%m%dT%H%M%SZ"));
    let typed = state.exports.as_ref().map_or_else(String::new, |folder| format!("{folder}/{name}"));
    state.layers.push(Layer::Export(ExportForm { typed, ..ExportForm::default() }));
}

/// Enter in the form: writes, or replaces a file that is there once that was said, or leaves the form when all is done.
pub(super) fn accept(state: &mut State) -> Vec<Effect> {
    let plan = state.deployments.filter.plan(state.now);
    let rows = || {
        let (filter, all) = (&state.deployments.filter, &state.shown().deployments.all);
        all.iter().filter(|one| filter.is_empty() || filter.matches(&***one, state.now)).cloned().collect()
    };
    let picked = &state.picks.deployments;
    let rows: Option<Vec<_>> = match (picked.is_empty(), state.window.indexed) {
        // As the list has them: the newest first.
        (false, _) => {
            let mut picked = picked.clone();
            picked.sort_by_key(|one| std::cmp::Reverse(one.at));
            Some(picked)
        }
        (true, true) => None,
        (true, false) => Some(rows()),
    };
    let (number, folder) = (state.window.exports + 1, state.exports.clone());
    let numbers = numbers(state);
    let Some(Layer::Export(form)) = state.layers.last_mut() else { return Vec::new() };
    let replace = match form.far {
        Some(Exported::Rows(_)) => return Vec::new(),
        Some(Exported::Done(_)) => {
            state.layers.pop();
            return Vec::new();
        }
        Some(Exported::Exists) => true,
        Some(Exported::Failed(_) | Exported::Stopped) | None => false,
    };
    if let Some(why) = unfit(&form.typed, numbers.is_some()) {
        form.far = Some(Exported::Failed(why.to_owned()));
        return Vec::new();
    }
    form.far = Some(Exported::Rows(0));
    let path = form.typed.clone();
    (state.window.exports, state.window.exporting) = (number, true);
    if let Some(text) = numbers {
        return vec![Effect::Ask(Box::new(Ask::ExportChart { number, path, text: text.into(), folder, replace }))];
    }
    vec![Effect::Ask(Box::new(Ask::Export(Export { number, path, plan, rows, folder, replace })))]
}

/// The numbers of the chart that the form lies on; `None` where it lies on something else.
fn numbers(state: &State) -> Option<String> {
    let at = state.layers.len().checked_sub(2)?;
    let Layer::Chart { panel, .. } = state.layers.get(at)? else { return None };
    Some(chart::shown(state, panel)?.plot.map_or_else(String::new, |plot| chart::text::csv(&plot)))
}

/// Why nothing can be written under that name.
fn unfit(path: &str, chart: bool) -> Option<&'static str> {
    if !path.starts_with('/') {
        Some("write the whole path, from / on")
    } else if chart {
        (!path.ends_with(".csv")).then_some("the name must end in .csv")
    } else if ![".csv", ".json", ".jsonl"].iter().any(|ending| path.ends_with(ending)) {
        Some("the name must end in .csv, .json or .jsonl")
    } else {
        None
    }
}

/// How far an export is.
pub(super) fn exported(state: &mut State, number: u64, far: Exported) {
    if number != state.window.exports || !state.window.exporting {
        return;
    }
    state.window.exporting = matches!(far, Exported::Rows(_));
    for layer in &mut state.layers {
        if let Layer::Export(form) = layer {
            form.far = Some(far.clone());
        }
    }
}

/// Stops an export whose form is gone.
pub(super) fn stop(state: &mut State) -> Option<Effect> {
    let gone = state.window.exporting && !state.layers.iter().any(|layer| matches!(layer, Layer::Export(_)));
    gone.then(|| {
        state.window.exporting = false;
        Effect::Ask(Box::new(Ask::StopExport))
    })
}
