//! The hits of the search among all lines, as in `less`: the next, the one before, and which of how many it is.

use crate::app::state::State;

use super::{Logs, Row, refresh, rows};

/// Which hit the selected row is, from 1, and of how many; `None` where it is none.
pub fn position(logs: &Logs) -> Option<(usize, usize)> {
    logs.hits.binary_search(&logs.row).ok().map(|place| (place + 1, logs.hits.len()))
}

/// True where that row matches the filter.
pub fn hit(logs: &Logs, row: usize) -> bool {
    logs.hits.binary_search(&row).is_ok()
}

/// To the next hit below, or above; from the last one to the first, which is said. Where lines without a hit are hidden,
/// they are shown again around them.
pub fn seek(state: &mut State, up: bool) {
    let Some(logs) = &mut state.logs else { return };
    if logs.filter.is_empty() {
        state.said = Some("nothing is searched for: / and a word first".to_owned());
        return;
    }
    if !logs.among {
        logs.among = true;
        refresh(state);
    }
    let Some(logs) = &mut state.logs else { return };
    let Some((first, last)) = logs.hits.first().copied().zip(logs.hits.last().copied()) else {
        state.said = Some("no line that is kept matches".to_owned());
        return;
    };
    let next = match up {
        false => logs.hits.iter().copied().find(|place| *place > logs.row),
        true => logs.hits.iter().copied().rfind(|place| *place < logs.row),
    };
    let around = match (next, up) {
        (Some(_), _) => "",
        (None, false) => ": from the oldest again",
        (None, true) => ": from the newest again",
    };
    rows::stand(state, next.unwrap_or(if up { last } else { first }));
    let told = state.logs.as_ref().and_then(|logs| position(logs));
    state.said = told.map(|(place, all)| format!("hit {place} of {all}{around}"));
}

/// The places of the rows that match the filter: all lines where only they are shown.
pub(super) fn hits(logs: &Logs, rows: &[Row], now: jiff::Timestamp) -> Vec<usize> {
    if logs.filter.is_empty() {
        return Vec::new();
    }
    let matches = |row: &Row| match row {
        Row::Line(_, line) => !logs.among || logs.filter.matches(&**line, now),
        Row::Event(_) => false,
    };
    rows.iter().enumerate().filter(|(_, row)| matches(row)).map(|(place, _)| place).collect()
}
