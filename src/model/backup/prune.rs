//! What pruning would remove, and what holds it. Quarterdeck prunes nothing: this is what a person would be told first.

use std::collections::{BTreeSet, HashSet};

use super::{Ladder, Points, Proof, RecoveryPoint};

/// What pruning would remove.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prune {
    /// The points that no tier needs, the oldest first.
    pub candidates: Vec<Candidate>,
    /// Their sizes together, bytes, as far as they are told.
    pub size: u64,
}

impl Prune {
    /// Candidates that something holds.
    pub fn held(&self) -> usize {
        self.candidates.iter().filter(|c| !c.held.is_empty()).count()
    }
}

/// A point that no tier needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its place among the points.
    pub place: usize,
    /// Why it must stay all the same; empty where nothing holds it.
    pub held: Vec<String>,
}

/// What pruning by these ladders would remove. Without a ladder nothing is promised and nothing is removed.
pub fn prune(points: &Points<'_>, ladders: &[Ladder]) -> Prune {
    let all = points.all();
    let Some((newest, _)) = points.newest().filter(|_| !ladders.is_empty()) else { return Prune::default() };
    let mut needed: BTreeSet<usize> = ladders.iter().flat_map(|l| l.slots.iter().filter_map(|s| s.point)).collect();
    needed.insert(newest);
    // What the newest slots of any tier will be filled with is not decided yet.
    let decided = ladders.iter().filter_map(|l| l.slots.last()).map(|slot| slot.end).min();
    let young = |point: &RecoveryPoint| decided.is_none_or(|decided| point.restores_to >= decided);
    needed.extend((0..all.len()).filter(|place| young(&all[*place])));
    let mut waiting: Vec<usize> = needed.iter().copied().collect();
    let mut seen: HashSet<usize> = needed.iter().copied().collect();
    while let Some(place) = waiting.pop() {
        for base in all[place].needs.iter().filter_map(|id| points.place(id)) {
            if seen.insert(base) {
                waiting.push(base);
            }
        }
    }
    let mut candidates: Vec<Candidate> =
        (0..all.len()).filter(|place| !seen.contains(place)).map(|place| Candidate { place, held: held(points, ladders, place) }).collect();
    candidates.sort_by_key(|c| all[c.place].restores_to);
    let size = candidates.iter().filter_map(|c| all[c.place].size).fold(0, u64::saturating_add);
    Prune { candidates, size }
}

/// What speaks against the removal of a point. What is not known does.
fn held(points: &Points<'_>, ladders: &[Ladder], place: usize) -> Vec<String> {
    let all = points.all();
    let point = &all[place];
    let mut why: Vec<String> = point.hold.iter().map(|hold| format!("on hold: {hold}")).collect();
    let mut weak = BTreeSet::new();
    for ladder in ladders {
        let next = ladder.slots.iter().filter_map(|s| s.point).find(|p| all[*p].restores_to > point.restores_to);
        match next {
            None => why.push(format!("nothing after it is on the {} ladder", ladder.tier.every)),
            Some(next) if all[next].proof() < Proof::V3 => {
                weak.insert(next);
            }
            Some(_) => {}
        }
    }
    why.extend(weak.into_iter().map(|next| format!("{} is {}, needs V3", all[next].id, all[next].proof().word())));
    why.dedup();
    why
}
