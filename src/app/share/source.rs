//! A source, which may be a backup or a database: its page.

use crate::app::layer::{Layer, Pane};
use crate::app::state::State;
use crate::model::estate::SourceKind;

use super::{command, exactly, page_text, spot};

pub(super) fn text(state: &State, index: usize) -> String {
    let page = page_text(state, &Layer::Source { index, spot: spot() });
    let Some(source) = state.estate.sources.get(index) else { return page };
    let (pane, field) = match source.kind {
        SourceKind::Backup(_) => (Pane::Backups, "name"),
        SourceKind::Database(_) => (Pane::Databases, "source"),
        _ => (Pane::Overview, "name"),
    };
    format!("{page}\n\n{}", command(state, pane, &exactly(field, &source.name)))
}
