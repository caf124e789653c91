//! Runs as whoever attaches sees them: the journal's events folded as they come, and what the folder of each run tells of
//! its runner. Reads only.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::journal::{self, Journal, JournalError};
use crate::model::event::{Event, Process, Record};
use crate::model::run::known::{ENTRIES, Entry, KnownRun, Liveness, Runs, Standing};
use crate::model::run::{RunState, StepState};
use crate::model::text::{NOTE_CAP, clean};

/// A runner that has given no sign for so long is silent.
pub const SILENT: SignedDuration = SignedDuration::from_secs(30);
/// Bytes read of a heartbeat.
const BEAT_CAP: u64 = 4 << 10;
/// Bytes read of what a job printed so far, its end.
const LIVE_CAP: u64 = 16 << 10;
/// Lines kept of it.
const LIVE_LINES: usize = 50;

/// What a runner writes again and again into `heartbeat` of its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Heartbeat {
    /// It.
    pub process: Process,
    /// When (UTC).
    pub at: Timestamp,
}

/// The runs of one journal, followed.
#[derive(Debug)]
pub struct Follower {
    journal: PathBuf,
    /// The folder with a folder for each run.
    runs: PathBuf,
    seq: u64,
    head: String,
    known: BTreeMap<String, Arc<KnownRun>>,
}

impl Follower {
    /// Follows that journal, whose runs have their folders in `runs`. Nothing is read yet.
    pub fn new(journal: PathBuf, runs: PathBuf) -> Follower {
        Follower { journal, runs, seq: 0, head: String::new(), known: BTreeMap::new() }
    }

    /// The runs as they are at `now`. Blocks on files.
    pub fn look(&mut self, now: Timestamp) -> Runs {
        let problem = self.read().err().map(|error| clean(&error.to_string(), NOTE_CAP).into_owned());
        for (run, known) in &mut self.known {
            if matches!(known.standing(), Standing::Past) && known.live.is_empty() {
                continue;
            }
            let folder = self.runs.join(run);
            let alive = liveness(&known.state, &folder, now);
            let live = live(&known.state, &folder);
            if (alive, &live) != (known.alive, &known.live) {
                let known = Arc::make_mut(known);
                (known.alive, known.live) = (alive, live);
            }
        }
        Runs::of(self.known.values().cloned().collect(), self.head.clone(), problem)
    }

    fn read(&mut self) -> Result<(), JournalError> {
        let Some(journal) = Journal::read(&self.journal)? else { return Ok(()) };
        let head = journal.head()?;
        if head.count == self.seq {
            return Ok(());
        }
        let from = self.seq;
        for record in journal.records(None)?.into_iter().filter(|record| record.seq > from) {
            self.take(&record);
            self.seq = self.seq.max(record.seq);
        }
        self.head = format!("{} {}", head.count, head.hash);
        Ok(())
    }

    fn take(&mut self, record: &Record) {
        let Event::Run(of) = &record.event else { return };
        let entry = Entry { seq: record.seq, at: record.said_at, who: record.actor.name(), what: of.what.to_string() };
        if let Some(known) = self.known.get_mut(&of.run) {
            let known = Arc::make_mut(known);
            known.state.take(record);
            let entries = Arc::make_mut(&mut known.entries);
            entries.push(entry);
            // Half at a time: moving all of them for each event would cost more than they are worth.
            if entries.len() >= 2 * ENTRIES {
                entries.drain(..ENTRIES);
                known.left_out += ENTRIES;
            }
        } else if let Some(state) = RunState::of(record) {
            let known = KnownRun { state, alive: Liveness::Gone, live: Vec::new(), entries: Arc::new(vec![entry]), left_out: 0 };
            self.known.insert(of.run.clone(), Arc::new(known));
        }
    }
}

/// Whether that run's newest runner still carries it out.
pub fn liveness(state: &RunState, folder: &Path, now: Timestamp) -> Liveness {
    let Some(runner) = &state.runner else { return Liveness::Gone };
    if state.ended.is_some() || !journal::is_alive(runner) {
        return Liveness::Gone;
    }
    let beat = heartbeat(folder).filter(|beat| beat.process == runner.process);
    // Before its first sign its events are the sign.
    let last = beat.map_or(state.last.1, |beat| beat.at.max(state.last.1));
    if now.duration_since(last) > SILENT { Liveness::Silent { since: last } } else { Liveness::Alive { heartbeat: last } }
}

fn heartbeat(folder: &Path) -> Option<Heartbeat> {
    let mut body = Vec::new();
    File::open(folder.join("heartbeat")).ok()?.take(BEAT_CAP).read_to_end(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

fn live(state: &RunState, folder: &Path) -> Vec<(String, Vec<String>)> {
    let under_way = |step: &StepState| matches!(step, StepState::Underway(_) | StepState::Unknown(_));
    let open = state.plan.steps.iter().zip(&state.steps).filter(|(_, of)| state.ended.is_none() && under_way(&of.state));
    open.filter_map(|(step, _)| Some((step.id.clone(), tail(&folder.join("live").join(step.id.replace('/', ".")))?))).collect()
}

/// The last lines of a file, cleaned.
fn tail(path: &Path) -> Option<Vec<String>> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LIVE_CAP))).ok()?;
    let mut body = Vec::new();
    file.take(LIVE_CAP).read_to_end(&mut body).ok()?;
    let text = String::from_utf8_lossy(&body);
    let mut lines: Vec<String> = text.lines().map(|line| clean(line, NOTE_CAP).into_owned()).collect();
    lines.drain(..lines.len().saturating_sub(LIVE_LINES));
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Hand, actor};
    use crate::model::run::sample::{Log, at, plan, step};
    use crate::model::run::{Call, Happened};

    #[test]
    fn a_run_is_alive_silent_or_gone_and_its_live_output_is_clean() {
        let folder = tempfile::tempdir().unwrap();
        let (path, runs) = (folder.path().join("journal.db"), folder.path().join("runs"));
        let mut follower = Follower::new(path.clone(), runs.clone());
        assert!(follower.look(at(0)).all.is_empty(), "there is no journal yet");
        let mut log = Log::begun("web-1", &plan(&["web1"], vec![step("web1/stop")]));
        log.intent("web1/stop", 1, Call::Apply);
        let hand = Hand { actor: actor(&|_| None), version: "test".into(), estate: None };
        let mut journal = Journal::open(&path).unwrap();
        for record in &log.records {
            journal.append(&hand, record.said_at, record.event.clone(), record.said_at).unwrap();
        }
        let live = runs.join("web-1/live");
        std::fs::create_dir_all(&live).unwrap();
        std::fs::write(live.join("web1.stop"), "one\n\u{1b}[31mtwo\n").unwrap();
        let seen = follower.look(at(6));
        let known = &seen.all[0];
        assert_eq!((known.standing(), known.alive), (Standing::Running, Liveness::Alive { heartbeat: at(4) }));
        assert_eq!(known.live, [("web1/stop".to_owned(), vec!["one".to_owned(), "[31mtwo".to_owned()])]);
        assert_eq!((known.entries.len(), seen.head.split(' ').next()), (4, Some("4")));
        let process = serde_json::to_string(&hand.actor.process).unwrap();
        std::fs::write(runs.join("web-1/heartbeat"), format!("{{\"process\":{process},\"at\":\"{}\"}}", at(90))).unwrap();
        assert_eq!(follower.look(at(100)).all[0].alive, Liveness::Alive { heartbeat: at(90) });
        assert_eq!(follower.look(at(200)).all[0].standing(), Standing::Orphaned, "it is silent");
        // Another process of the same number is not the runner.
        let mut gone = hand.clone();
        gone.actor.process.began += 1;
        let begun = Event::Run(crate::model::run::RunEvent { run: "web-1".into(), what: Happened::Begun { resumed: true } });
        journal.append(&gone, at(201), begun, at(201)).unwrap();
        let seen = follower.look(at(202));
        assert_eq!((seen.all[0].alive, seen.all[0].standing()), (Liveness::Gone, Standing::Orphaned));
        assert_eq!(follower.look(at(203)), seen, "nothing changed");
    }
}
