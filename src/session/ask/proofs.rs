//! Verifications of other consoles: the journal is read again once its files changed, beside the loop.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::ask::Told;
use crate::app::message::Message;

use super::verify::known;

/// The time between two looks at the files.
pub const LOOK: Duration = Duration::from_secs(60);

/// Size and time of the journal's files: an event is first in the write-ahead log beside it.
type Stamp = [Option<(u64, SystemTime)>; 3];

fn stamp(journal: &Path) -> Stamp {
    ["", "-wal", ".head"].map(|end| {
        let mut name = journal.as_os_str().to_owned();
        name.push(end);
        let of = fs::metadata(name).ok()?;
        Some((of.len(), of.modified().ok()?))
    })
}

/// Tells what the journal proves: at once, and again each time that it changed. Ends with the loop.
pub async fn follow(journal: PathBuf, every: Duration, out: mpsc::Sender<Message>) {
    let mut looks = interval(every);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut seen, mut open) = (None, false);
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            () = out.closed() => return,
        }
        let (path, before) = (journal.clone(), seen);
        let look = move || {
            // Taken first: what is written while it is read is read again.
            let now = stamp(&path);
            // Whoever verifies may have been killed, which no file tells.
            (open || before != Some(now)).then(|| (now, known(&path)))
        };
        // A journal on a hung disk holds a thread and never the loop; only a defect makes it fail.
        let Ok(read) = tokio::task::spawn_blocking(look).await else { return };
        let Some((now, (proofs, problem))) = read else { continue };
        (seen, open) = (Some(now), proofs.has_open());
        if out.send(Message::Told(Box::new(Told::Proofs(Arc::new(proofs), problem)))).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{self, Hand, Journal};
    use crate::model::backup::{Method, Outcome, Verification};
    use crate::model::event::Event;
    use jiff::Timestamp;

    #[tokio::test]
    async fn what_another_process_recorded_is_told_and_nothing_while_nothing_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let (out, mut told) = mpsc::channel(4);
        let task = tokio::spawn(follow(path.clone(), Duration::from_millis(5), out));
        let next = async |told: &mut mpsc::Receiver<Message>| match told.recv().await.unwrap() {
            Message::Told(told) => match *told {
                Told::Proofs(proofs, None) => proofs,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        };
        assert_eq!(next(&mut told).await.upto, 0, "there is no journal yet");
        let hand = Hand { actor: journal::actor(&|_| None), version: "test".into(), estate: None };
        let at = Timestamp::UNIX_EPOCH;
        let of = Verification {
            source: "store".into(),
            target: "/b".into(),
            method: Method::Files,
            started: at,
            ended: Some(at),
            outcome: Outcome::Passed,
            points: vec![],
            evidence: vec![],
        };
        Journal::open(&path).unwrap().append(&hand, at, Event::Verification(of), at).unwrap();
        let mut proofs = next(&mut told).await;
        while proofs.upto == 0 {
            proofs = next(&mut told).await;
        }
        assert_eq!(proofs.of_backup("store", "/b").and_then(|of| of.last.as_ref()).map(|last| last.of.outcome), Some(Outcome::Passed));
        drop(told);
        task.await.unwrap();
    }
}
