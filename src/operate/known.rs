//! The runs as a console shows them: folded from the journal, with what each run's folder tells of its runner.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::attach::{Runs, last_words, liveness};
use super::runner::process::ESTATE;
use crate::model::event::Event;
use crate::model::run::advice::quoted;
use crate::model::run::known::{self, KnownRun, Liveness};
use crate::model::run::{RunState, StepState};
use crate::model::text::{NOTE_CAP, clean, is_hostile};

/// Bytes of what one step printed that are looked at, the last ones.
const BYTES: u64 = 16 << 10;
/// Bytes of the path of an estate file.
const PATH_CAP: u64 = 4 << 10;
/// Lines of them.
const LINES: usize = 40;

/// What was seen so far of all runs of a journal. A look costs what is new in it, and the runs that are not over: past
/// ones are neither copied nor looked at again.
#[derive(Debug, Default)]
pub struct Seen {
    read: Runs,
    all: Vec<Arc<KnownRun>>,
    /// Places of runs that did not end.
    open: Vec<usize>,
    problem: Option<String>,
    news: bool,
}

impl Seen {
    /// All that was read of the journal so far.
    pub fn runs(&self) -> &Runs {
        &self.read
    }

    /// True where the newest look read something new in the journal.
    pub fn has_news(&self) -> bool {
        self.news
    }

    /// Reads on in the journal, and asks `runs`, the folder of their folders, of those that are not over. `None` where
    /// nothing is otherwise than at the look before. `here` is this machine's name as the journal writes it.
    pub fn look(&mut self, journal: &Path, runs: &Path, here: &str, now: Timestamp) -> Option<known::Runs> {
        let (mut again, mut changed) = (std::mem::take(&mut self.open), false);
        self.news = false;
        let problem = match self.read.read(journal) {
            Ok(new) => {
                self.news = !new.is_empty();
                let told = new.iter().filter_map(|record| match &record.event {
                    Event::Run(of) => self.read.place(&of.run),
                    _ => None,
                });
                again.extend(told);
                None
            }
            Err(error) => Some(clean(&error.to_string(), NOTE_CAP).into_owned()),
        };
        changed |= problem != self.problem;
        self.problem = problem;
        again.sort_unstable();
        again.dedup();
        for place in again {
            let (state, (entries, left_out)) = (&self.read.all()[place], &self.read.entries()[place]);
            let alive = liveness(state, runs, here, now);
            let live = live(state, &runs.join(&state.run));
            let file = self.all.get(place).and_then(|old| old.file.clone()).or_else(|| file(&runs.join(&state.run)));
            let words = (alive == Liveness::Orphaned).then(|| last_words(state, runs)).flatten();
            let one = KnownRun { alive, live, entries: entries.clone(), left_out: *left_out, state: state.clone(), file, words };
            if state.ended.is_none() {
                self.open.push(place);
            }
            match self.all.get_mut(place) {
                // Its state and its entries are the same ones where the journal told nothing new.
                Some(old) if same(old, &one) => {}
                Some(old) => (*old, changed) = (Arc::new(one), true),
                // New runs stand behind all others, in the order in which the journal tells of them.
                None => {
                    self.all.push(Arc::new(one));
                    changed = true;
                }
            }
        }
        changed.then(|| known::Runs::of(self.all.clone(), self.read.head().to_owned(), self.problem.clone()))
    }
}

fn same(old: &KnownRun, new: &KnownRun) -> bool {
    Arc::ptr_eq(&old.state, &new.state)
        && Arc::ptr_eq(&old.entries, &new.entries)
        && old.alive == new.alive
        && old.live == new.live
        && old.file == new.file
        && old.words == new.words
}

/// What the steps print that are under way.
fn live(state: &RunState, folder: &Path) -> Vec<(String, Vec<String>)> {
    let going =
        state.plan.steps.iter().zip(&state.steps).filter(|(_, run)| matches!(run.state, StepState::Underway(_) | StepState::Unknown(_)));
    going.filter_map(|(step, _)| Some((step.id.clone(), tail(&folder.join("live").join(step.id.replace('/', ".")))?))).collect()
}

/// The estate file that the run's runner read, as a shell takes it; `None` where its folder does not tell.
fn file(folder: &Path) -> Option<String> {
    let (mut text, cap) = (String::new(), PATH_CAP);
    File::open(folder.join(ESTATE)).ok()?.take(cap).read_to_string(&mut text).ok()?;
    // A path that cannot be shown as it is cannot be typed either.
    (text.starts_with('/') && !text.chars().any(is_hostile)).then(|| quoted(&text))
}

fn tail(path: &Path) -> Option<Vec<String>> {
    let from = fs::metadata(path).ok()?.len().saturating_sub(BYTES);
    let (mut file, mut bytes) = (File::open(path).ok()?, Vec::new());
    file.seek(SeekFrom::Start(from)).ok()?;
    file.take(BYTES).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines: Vec<String> = text.lines().rev().take(LINES).map(|line| clean(line, NOTE_CAP).into_owned()).collect();
    lines.reverse();
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Hand, Journal, actor};
    use crate::model::run::sample::{Log, plan, step};
    use crate::model::run::{Ending, Happened, Request};

    #[test]
    fn past_runs_are_neither_copied_nor_looked_at_again() {
        let folder = tempfile::tempdir().unwrap();
        let (path, runs) = (folder.path().join("journal.db"), folder.path().join("runs"));
        let hand = Hand { actor: actor(&|_| None), version: "test".into(), estate: None };
        let mut journal = Journal::open(&path).unwrap();
        let mut write = |log: &Log, from: usize| {
            for record in &log.records[from..] {
                journal.append(&hand, record.said_at, record.event.clone(), record.said_at).unwrap();
            }
        };
        let web = plan(&["web1"], vec![step("web1/stop")]);
        for n in 0..5 {
            let mut log = Log::begun(&format!("web-{n}"), &web);
            log.add(Happened::Ended(Ending::Done));
            write(&log, 0);
        }
        let mut open = Log::begun("web-9", &web);
        write(&open, 0);
        let (mut seen, here, now) = (Seen::default(), hand.actor.host.clone(), Timestamp::UNIX_EPOCH);
        let first = seen.look(&path, &runs, &here, now).unwrap();
        assert_eq!((first.all.len(), seen.open.as_slice()), (6, [5].as_slice()));
        assert!(seen.has_news() && seen.runs().all().len() == 6);
        assert_eq!((seen.look(&path, &runs, &here, now), seen.has_news()), (None, false), "nothing is new");
        open.request(Request::Pause { reason: "lunch".into() });
        write(&open, open.records.len() - 1);
        let second = seen.look(&path, &runs, &here, now).unwrap();
        for old in &first.all {
            let new = second.find(&old.state.run).unwrap();
            assert_eq!(Arc::ptr_eq(old, new), old.state.run != "web-9", "{}", old.state.run);
        }
        assert!(second.find("web-9").unwrap().state.paused.is_some() && first.find("web-9").unwrap().state.paused.is_none());
    }

    #[test]
    fn the_folder_of_a_run_tells_its_estate_file_as_a_shell_takes_it_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(file(folder.path()), None);
        for (text, told) in [
            ("/srv/lab/estate.toml", Some("/srv/lab/estate.toml")),
            ("/srv/my lab/estate.toml", Some("'/srv/my lab/estate.toml'")),
            ("estate.toml", None),
            ("/srv/\u{1b}[2J/estate.toml", None),
        ] {
            fs::write(folder.path().join(ESTATE), text).unwrap();
            assert_eq!(file(folder.path()).as_deref(), told, "{text:?}");
        }
    }

    #[test]
    fn the_last_lines_are_kept_without_what_a_terminal_would_obey() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web1.start");
        assert_eq!(tail(&path), None);
        let text: String = (0..5_000).map(|n| format!("line {n}\u{1b}[2J\n")).collect();
        fs::write(&path, text).unwrap();
        let lines = tail(&path).unwrap();
        assert_eq!((lines.len(), lines[LINES - 1].as_str()), (LINES, "line 4999[2J"));
    }
}
