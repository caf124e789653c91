//! Writes the deployments that a view shows to a file, beside the loop.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::app::ask::{Export, Exported, Told};
use crate::model::deployment::Deployment;
use crate::session::export::{Draft, DraftError, Format};

use super::deployments::{Early, Index};

/// Between two words about its progress.
const TELL: Duration = Duration::from_millis(100);

/// Writes the numbers of a chart.
pub(super) async fn chart(number: u64, path: String, text: Arc<str>, folder: Option<String>, replace: bool) -> Told {
    let work = tokio::task::spawn_blocking(move || {
        let draft = Draft::of_text(Path::new(&path), &text, replace, folder.as_deref().map(Path::new));
        match draft.and_then(|draft| draft.finish(replace)) {
            // The first line names the columns.
            Ok(()) => Exported::Done(text.lines().count().saturating_sub(1)),
            Err(DraftError::Exists) => Exported::Exists,
            Err(error) => Exported::Failed(error.to_string()),
        }
    });
    Told::Export(number, work.await.unwrap_or_else(|_| Exported::Failed("writing broke off".to_owned())))
}

impl Index {
    /// Writes what is asked for.
    pub async fn export(&self, ask: Export, early: Early) -> Told {
        let (index, stop) = (self.clone(), self.exporting());
        let number = ask.number;
        let written = tokio::task::spawn_blocking(move || index.write(&ask, &early, &stop)).await;
        Told::Export(number, written.unwrap_or_else(|_| Exported::Failed("writing broke off".to_owned())))
    }

    fn write(&self, ask: &Export, early: &Early, stop: &Arc<AtomicBool>) -> Exported {
        let path = Path::new(&ask.path);
        let Some(format) = Format::of(path) else { return Exported::Failed("the name must end in .csv, .json or .jsonl".to_owned()) };
        let mut draft = match Draft::begin(path, format, ask.replace, ask.folder.as_deref().map(Path::new)) {
            Ok(draft) => draft,
            Err(DraftError::Exists) => return Exported::Exists,
            Err(error) => return Exported::Failed(error.to_string()),
        };
        let (mut count, mut told, mut failed) = (0, Instant::now(), None);
        let mut add = |one: &Deployment| {
            if failed.is_none() {
                match draft.out.add(one) {
                    Ok(()) => count += 1,
                    Err(error) => {
                        failed = Some(error.to_string());
                        stop.store(true, Ordering::Relaxed);
                    }
                }
                if told.elapsed() > TELL {
                    told = Instant::now();
                    early(Told::Export(ask.number, Exported::Rows(count)));
                }
            }
        };
        let read = match &ask.rows {
            Some(rows) => {
                rows.iter().take_while(|_| !stop.load(Ordering::Relaxed)).for_each(|one| add(one));
                Ok(())
            }
            None => self.each(&ask.plan, stop, &mut |one| add(&one)),
        };
        if let Some(why) = failed.or(read.err()) {
            draft.abandon();
            return Exported::Failed(why);
        }
        if stop.load(Ordering::Relaxed) {
            draft.abandon();
            return Exported::Stopped;
        }
        match draft.finish(ask.replace) {
            Ok(()) => Exported::Done(count),
            Err(DraftError::Exists) => Exported::Exists,
            Err(error) => Exported::Failed(error.to_string()),
        }
    }
}
