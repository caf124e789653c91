//! Keeps the theme that was picked, beside the loop.

use std::path::Path;
use std::time::Duration;

use crate::app::ask::Told;
use crate::config::theme::kept;
use crate::model::text::{NOTE_CAP, clean};

/// How long it may take: the home may be on a file server that hangs.
const LIMIT: Duration = Duration::from_secs(10);

/// Writes its name to the file.
pub(super) async fn keep(file: String, theme: String) -> Told {
    let work = tokio::task::spawn_blocking(move || kept::keep(Path::new(&file), &theme).map_err(|error| format!("{file}: {error}")));
    let end = match tokio::time::timeout(LIMIT, work).await {
        Ok(Ok(end)) => end.map_err(|why| clean(&why, NOTE_CAP).into_owned()),
        Ok(Err(_)) => Err("writing broke off".to_owned()),
        Err(_) => Err("the file system does not answer: it may be kept or not".to_owned()),
    };
    Told::ThemeKept(end)
}
