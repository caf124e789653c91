//! Runs, as the loop sees them: the journal and the folders of runs are looked at again and again, beside the loop, and it
//! is told of what changed. Requests go the other way, as files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::message::Message;
use crate::config::paths::Paths;
use crate::journal::Hand;
use crate::model::run::Request;
use crate::operate::attach::Runs;
use crate::operate::known::Seen;
use crate::operate::requests;

/// The time between two looks.
pub const LOOK: Duration = Duration::from_millis(250);

/// Takes what runs did into the index of deployments.
pub type Index = dyn Fn(&Runs) + Send + Sync;

/// The folder with a folder for each run: beside the journal.
pub fn folder(journal: &Path) -> PathBuf {
    Paths::runs_of(journal)
}

/// Between two tellings of what the index of deployments should hold, in looks: its file may be deleted at any time.
const TELL_AGAIN: u32 = 40;

/// Tells of the runs: at once where there are any, and each time that something changed. Ends with the loop.
///
/// `here` is this machine's name, as the journal writes it; `index` takes what runs did, on a thread that may block.
pub async fn follow(journal: PathBuf, here: String, every: Duration, index: Arc<Index>, out: mpsc::Sender<Message>) {
    let mut looks = interval(every);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let runs = folder(&journal);
    let (mut seen, mut count) = (Seen::default(), 0_u32);
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            () = out.closed() => return,
        }
        // Files on a hung disk hold a thread and never the loop; only a defect makes it fail.
        let (journal, runs, here) = (journal.clone(), runs.clone(), here.clone());
        let (again, index) = (count % TELL_AGAIN == 0, index.clone());
        count = count.wrapping_add(1);
        let look = move || {
            let told = seen.look(&journal, &runs, &here, Timestamp::now());
            if again || seen.has_news() {
                index(seen.runs());
            }
            (seen, told)
        };
        let Ok((back, told)) = tokio::task::spawn_blocking(look).await else { return };
        seen = back;
        if let Some(told) = told
            && out.send(Message::Runs(Box::new(told))).await.is_err()
        {
            return;
        }
    }
}

/// Lays a request before the runner of that run.
///
/// # Errors
/// Why nothing was asked, as a sentence.
pub async fn request(journal: Option<PathBuf>, hand: Hand, run: String, request: Request) -> Result<(), String> {
    let Some(journal) = journal else { return Err("there is no folder for the journal: set HOME or XDG_STATE_HOME".to_owned()) };
    // The id comes from the journal; it is one name all the same, never a path.
    if run.is_empty() || run.starts_with('.') || run.contains('/') {
        return Err("that is no run".to_owned());
    }
    let work = tokio::task::spawn_blocking(move || {
        let folder = folder(&journal).join(&run);
        if !folder.is_dir() {
            return Err("the folder of the run is gone".to_owned());
        }
        requests::put(&folder, &request, &hand.actor, Timestamp::now()).map_err(|error| error.to_string())
    });
    work.await.unwrap_or_else(|_| Err("it could not be written".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Journal, actor};
    use crate::model::run::sample::{Log, plan, step};

    #[tokio::test]
    async fn runs_are_told_once_they_are_there_and_requests_are_laid_before_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let hand = Hand { actor: actor(&|_| None), version: "test".into(), estate: None };
        let log = Log::begun("web-1", &plan(&["web1"], vec![step("web1/stop")]));
        let mut journal = Journal::open(&path).unwrap();
        for record in &log.records {
            journal.append(&hand, record.said_at, record.event.clone(), record.said_at).unwrap();
        }
        let (out, mut told) = mpsc::channel(4);
        let (indexed, seen) = std::sync::mpsc::channel();
        let index = Arc::new(move |runs: &Runs| {
            let _ = indexed.send(runs.all().len());
        });
        let task = tokio::spawn(follow(path.clone(), hand.actor.host.clone(), Duration::from_millis(5), index, out));
        let Message::Runs(runs) = told.recv().await.unwrap() else { panic!() };
        assert_eq!(runs.all[0].state.run, "web-1");
        assert_eq!(seen.recv().unwrap(), 1, "the index is told too");
        let pause = || Request::Pause { reason: "lunch".into() };
        assert!(request(Some(path.clone()), hand.clone(), "web-1".into(), pause()).await.is_err(), "it has no folder");
        let run = self::folder(&path).join("web-1");
        std::fs::create_dir_all(&run).unwrap();
        request(Some(path.clone()), hand.clone(), "web-1".into(), pause()).await.unwrap();
        assert_eq!(requests::take(&run)[0].1.request, pause());
        assert!(request(Some(path), hand, "../web-1".into(), pause()).await.is_err());
        drop(told);
        task.await.unwrap();
    }
}
