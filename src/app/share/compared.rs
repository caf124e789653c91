//! What is different between two deployments, and DORA's measures: their pages, and what tells of the same without a
//! console.

use crate::app::deployments::share as deployment;
use crate::app::filter::quoted;
use crate::app::layer::Layer;
use crate::app::state::State;

use super::page_text;

/// The comparison on top; its two deployments are listed by a command, their difference by none.
pub(super) fn comparison(state: &State) -> Option<String> {
    let top @ Layer::Diff { from, to, .. } = state.layers.last()? else { return None };
    let mut text = page_text(state, top);
    text += "\n\nThe two, without a console; what is different is told by the console only:";
    for one in from.iter().chain([to]) {
        text += &format!("\n{}", deployment::command(state, &deployment::filter(one)));
    }
    Some(text)
}

/// The measures on top.
pub(super) fn measures(state: &State) -> Option<String> {
    let top @ Layer::Dora { days, service, .. } = state.layers.last()? else { return None };
    let estate = state.identity.estate.as_ref().map_or(String::new(), |estate| format!(" --estate {estate}"));
    let of = service.as_ref().map_or_else(String::new, |name| format!(" and .service == {}", quoted(name)));
    let select = super::shell(&format!(".dora[] | select(.days == {days}{of})"));
    Some(format!("{}\n\nqd{estate} status -o json | jq {select}", page_text(state, top)))
}
