//! Saves a view, beside the loop.

use std::path::Path;
use std::time::Duration;

use crate::app::ask::Told;
use crate::app::views::View;
use crate::config::views;
use crate::model::preferences::SavedView;
use crate::model::problem::Place;

/// How long it may take: the home may be on a file server that hangs.
const LIMIT: Duration = Duration::from_secs(10);

/// Adds a view to the file.
pub(super) async fn save(file: String, view: Box<View>) -> Told {
    let minutes = view.range.map(|range| format!("{}m", range.as_mins()));
    let saved = SavedView {
        name: view.name.clone(),
        pane: view.pane.name().to_owned(),
        filter: view.filter.clone(),
        range: minutes,
        grouped: view.grouped,
        muted: view.muted,
        place: Place::of(&*file, "", 0),
    };
    let work = tokio::task::spawn_blocking(move || views::add(Path::new(&file), &saved));
    let end = match tokio::time::timeout(LIMIT, work).await {
        Ok(Ok(end)) => end.map_err(|error| error.to_string()),
        Ok(Err(_)) => Err("writing broke off".to_owned()),
        Err(_) => Err("the file system does not answer: it may be saved or not".to_owned()),
    };
    Told::ViewSaved { view, end }
}
