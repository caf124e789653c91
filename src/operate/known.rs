//! The runs as a console shows them: folded from the journal, with what each run's folder tells of its runner.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::attach::{Runs, alive};
use crate::model::run::known::{self, KnownRun};
use crate::model::run::{RunState, StepState};
use crate::model::text::{NOTE_CAP, clean};

/// Bytes of what one step printed that are looked at, the last ones.
const BYTES: u64 = 16 << 10;
/// Lines of them.
const LINES: usize = 40;

/// The runs that were read so far, with what `runs`, the folder of their folders, tells now. `here` is this machine's name
/// as the journal writes it; `problem` says why the journal could not be read to its end.
pub fn known(of: &Runs, runs: &Path, here: &str, now: Timestamp, problem: Option<String>) -> known::Runs {
    let one = |(state, (entries, left_out)): (&RunState, &(Arc<Vec<known::Entry>>, usize))| {
        Arc::new(KnownRun {
            alive: alive(state, runs, here, now),
            live: live(state, &runs.join(&state.run)),
            entries: entries.clone(),
            left_out: *left_out,
            state: state.clone(),
        })
    };
    known::Runs::of(of.all().iter().zip(of.entries()).map(one).collect(), of.head().to_owned(), problem)
}

/// What the steps print that are under way.
fn live(state: &RunState, folder: &Path) -> Vec<(String, Vec<String>)> {
    let going = state.plan.steps.iter().zip(&state.steps).filter(|(_, run)| matches!(run.state, StepState::Underway(_)));
    going.filter_map(|(step, _)| Some((step.id.clone(), tail(&folder.join("live").join(step.id.replace('/', ".")))?))).collect()
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
