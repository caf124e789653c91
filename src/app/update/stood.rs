//! From when on the cursor stays on its row though nobody pressed a key: once the row stood under it long enough to be
//! read. Until then it is on the first row, the worst, whichever that is by then.

use jiff::SignedDuration;

use crate::app::history::row;
use crate::app::layer::Pane;
use crate::app::pane;
use crate::app::state::{OverviewRow, State};
use crate::model::reading::Freshness;

/// How long a row stands under the cursor before it stays there.
pub(super) const STOOD: SignedDuration = SignedDuration::from_secs(10);

/// Looks what is under the cursor after a message: `before` is what was.
pub(super) fn look(state: &mut State, before: Option<&String>) {
    let now = row(state);
    if state.stays && now.as_ref() != before {
        // What was read is gone: as long as nobody presses a key the worst is what one wants to see next.
        (state.touched, state.stays, state.stood) = (false, false, Some(state.now));
        pane::refresh(state);
        return;
    }
    if state.touched {
        return;
    }
    // While the first answers are awaited the rows are not those of the estate yet, and where nothing needs a person the
    // first thing that does is what one wants to see.
    let waits = state.view.freshness.contains(&Freshness::Never) || !is_need(state);
    if waits || now.is_none() || now.as_ref() != before {
        state.stood = (!waits && now.is_some()).then_some(state.now);
        return;
    }
    let since = *state.stood.get_or_insert(state.now);
    if state.now.duration_since(since) >= STOOD {
        state.walk_in(state.pane);
        (state.touched, state.stays) = (true, true);
    }
}

/// True unless the Overview's first row is none of those that need a person.
fn is_need(state: &State) -> bool {
    let row = state.overview_rows.get(state.overview.list.row);
    state.pane != Pane::Overview || matches!(row, Some(OverviewRow::Need(_) | OverviewRow::Run(_)))
}
