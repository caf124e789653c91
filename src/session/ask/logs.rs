//! Logs, while they are looked at: one connection for each host, made when it is first asked. Leaving the view ends what
//! is under way, and the connections.

use std::sync::Arc;

use tokio::sync::{Mutex, watch};

use super::Desk;
use crate::app::ask::{AskLogs, Told};
use crate::watch::logs::Logs;

/// What reads logs.
#[derive(Debug)]
pub struct Reads {
    /// Questions of views before this one are not wanted any more.
    least: watch::Sender<u64>,
    open: Mutex<Option<Arc<Logs>>>,
}

impl Default for Reads {
    fn default() -> Reads {
        Reads { least: watch::Sender::new(0), open: Mutex::new(None) }
    }
}

impl Reads {
    /// The view of that number is left.
    pub async fn close(&self, view: u64) {
        // A later view that was opened already goes on with the connections that are there.
        if self.raise(view.saturating_add(1)) {
            *self.open.lock().await = None;
        }
    }

    /// True where that ends anything.
    fn raise(&self, least: u64) -> bool {
        self.least.send_if_modified(|old| {
            let higher = least > *old;
            *old = least.max(*old);
            higher
        })
    }

    /// Waits until questions of that view are not wanted any more.
    async fn left(&self, view: u64) {
        if self.least.subscribe().wait_for(|least| *least > view).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    async fn open(&self, desk: &Desk) -> Arc<Logs> {
        let mut open = self.open.lock().await;
        if let Some(open) = open.as_ref() {
            return open.clone();
        }
        open.insert(Arc::new(Logs::new(desk.estate.clone()))).clone()
    }
}

/// What the place logs. Ends by its own deadline, or when the view is left.
pub(super) async fn answer(desk: &Desk, asked: AskLogs) -> Told {
    let reads = &desk.logs;
    reads.raise(asked.view);
    let work = async {
        let logs = reads.open(desk).await;
        logs.read(&asked.place, &asked.wanted).await
    };
    let heard = tokio::select! {
        biased;
        () = reads.left(asked.view) => Err("it is not looked at any more".to_owned()),
        heard = work => heard,
    };
    Told::Logs { view: asked.view, index: asked.index, heard }
}

#[cfg(test)]
mod tests {
    use super::super::tests::desk;
    use super::*;
    use crate::app::ask::Ask;
    use crate::model::log::{Place, Wanted, Where};

    fn ask(view: u64, path: &std::path::Path) -> Ask {
        let place = Place { name: "here".into(), host: None, what: Where::File(path.display().to_string()) };
        Ask::Logs(AskLogs { view, index: 3, place, wanted: Wanted { lines: 10, ..Wanted::default() } })
    }

    #[tokio::test]
    async fn a_place_is_read_and_a_view_that_was_left_is_answered_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "one\ntwo\n").unwrap();
        let desk = desk();
        let Told::Logs { view: 1, index: 3, heard: Ok(heard) } = desk.answer(ask(1, &path)).await else { panic!("no answer") };
        assert_eq!(heard.lines.len(), 2);
        assert!(desk.logs.open.lock().await.is_some());
        assert_eq!(desk.answer(Ask::CloseLogs(1)).await, Told::Closed);
        assert!(desk.logs.open.lock().await.is_none(), "its connections are gone");
        let Told::Logs { heard: Err(why), .. } = desk.answer(ask(1, &path)).await else { panic!("it is answered") };
        assert!(why.contains("not looked at"), "{why}");
        let Told::Logs { heard: Ok(_), .. } = desk.answer(ask(2, &path)).await else { panic!("the next is not answered") };
        // Closing an older one late leaves the newer one as it is.
        desk.answer(Ask::CloseLogs(1)).await;
        assert!(desk.logs.open.lock().await.is_some());
    }
}
