//! `restic check` (0.14 and later), without a lock. Which snapshots a damaged pack belongs to is not told: `restic find`
//! names one snapshot for each blob and no others that share it. So where a check fails, none of the points is sure.

use std::sync::Arc;

use super::{Finding, Notes};
use crate::model::backup::{Outcome, PointCheck, Progress, RecoveryPoint};
use crate::model::text::{LABEL_CAP, clean};

/// Without this restic tells its progress to terminals only.
pub(super) const ENVIRONMENT: &[(&str, &str)] = &[("RESTIC_PROGRESS_FPS", "2")];

/// What was printed so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    damage: Vec<String>,
    /// Packs that were read and packs to read.
    packs: Option<(u64, u64)>,
    sound: bool,
    /// What stands before the damage that concerns the program, not the data.
    refused: bool,
}

impl Report {
    /// Takes in one line; gives back the progress where it is one.
    pub(super) fn line(&mut self, line: &str) -> Option<Progress> {
        let line = line.trim();
        // `[0:00] 100.00%  5 / 5 packs`
        if let Some((_, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once('%')) {
            let mut words = rest.split_whitespace();
            let done = words.next()?.parse::<u64>().ok()?;
            let total = words.nth(1)?.parse::<u64>().ok()?;
            let unit = words.next().unwrap_or_default();
            let packs = unit == "packs";
            if packs {
                self.packs = Some((done, total));
            }
            // Only the packs take their time: the snapshots before them would be 100 % too soon.
            return Some(Progress { done, total: packs.then_some(total), what: clean(unit, LABEL_CAP).into_owned() });
        }
        let plain =
            ["using temporary cache", "load indexes", "check all packs", "check snapshots", "read ", "created new cache", "repository "];
        if line == "no errors were found" {
            self.sound = true;
        } else if line.contains("wrong password") || line.contains("no key found") || line.contains("unable to open") {
            self.refused = true;
            self.damage.push(line.to_owned());
        } else if !line.is_empty() && !plain.iter().any(|plain| line.starts_with(plain)) {
            self.damage.push(line.to_owned());
        }
        None
    }

    /// What it comes to. `points` are those that were known when it began.
    pub(super) fn finding(self, points: &[Arc<RecoveryPoint>], whole: bool, code: Option<i32>) -> Finding {
        let mut notes = Notes::default();
        self.damage.iter().for_each(|line| notes.push(line));
        if let Some((done, total)) = self.packs {
            notes.push(&format!("{done} of {total} packs were read"));
        }
        let all_read = self.packs.is_some_and(|(done, total)| done == total);
        // It says `Fatal: repository contains errors` where it finds some, and exits with 1 for everything (0.14).
        let found = self.damage.iter().any(|line| line.contains("contains errors") || line.contains("does not match"));
        let outcome = match code {
            Some(0) if self.sound && (all_read || !whole) => Outcome::Passed,
            Some(0) => {
                notes.push("restic check gave no report that is known: nothing is proved");
                Outcome::Unknown
            }
            Some(_) if found && !self.refused => Outcome::Failed,
            _ => {
                notes.push(&format!("restic check ended with {}", code.map_or_else(|| "a signal".to_owned(), |code| code.to_string())));
                Outcome::Unknown
            }
        };
        let first = self.damage.iter().find(|line| !line.starts_with("Fatal:")).or(self.damage.first());
        let why = first.map_or_else(|| "the repository contains errors".to_owned(), |line| clean(line, LABEL_CAP).into_owned());
        let check = |point: &Arc<RecoveryPoint>| PointCheck {
            id: point.id.clone(),
            broken: (outcome == Outcome::Failed)
                .then(|| format!("the repository is damaged, and which points need that is not told: {why}")),
        };
        let judged = matches!(outcome, Outcome::Passed | Outcome::Failed);
        Finding { outcome, points: if judged { points.iter().map(check).collect() } else { Vec::new() }, evidence: notes.done() }
    }
}
