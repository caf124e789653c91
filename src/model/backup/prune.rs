//! What pruning would remove, and what holds it. Quarterdeck prunes nothing: this is what a person would be told first.

use std::collections::{BTreeSet, HashSet};

use super::{Keep, Ladder, PointKind, Points, RecoveryPoint};
use crate::model::age;

/// What pruning would remove.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prune {
    /// The points that no tier needs, the oldest first.
    pub candidates: Vec<Candidate>,
    /// Their sizes together, bytes, as far as they are told.
    pub size: u64,
    /// Candidates whose successor is not read back after it was written, in one tier at the least.
    pub unproved: usize,
    /// Candidates that are on hold.
    pub on_hold: usize,
    /// Whether enough verified copies are left.
    pub copies: Gate,
    /// Whether corruption is looked for more often than the first tier forgets.
    pub checked: Gate,
}

impl Prune {
    /// Candidates that something holds: all of them where a gate that is for all is shut.
    pub fn held(&self) -> usize {
        if self.copies.is_open() && self.checked.is_open() {
            self.candidates.iter().filter(|c| !c.held.is_empty()).count()
        } else {
            self.candidates.len()
        }
    }

    /// Sets the gate of copies: how many there are whose newest checks were well.
    pub fn judge_copies(&mut self, min: Option<usize>, verified: usize) {
        self.copies = match min {
            None => Gate::Unknown("how many verified copies must be left is not named (`min_copies`)".into()),
            Some(min) if verified < min => Gate::Shut(format!("{verified} of {min} copies verified (V2 or better)")),
            Some(min) => Gate::Open(format!("{verified} of {min} copies verified")),
        };
    }
}

/// Something that must be so before anything is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// It is so.
    Open(String),
    /// It is not.
    Shut(String),
    /// Nobody knows, which holds as well.
    Unknown(String),
}

impl Default for Gate {
    fn default() -> Gate {
        Gate::Unknown("it was not judged".into())
    }
}

impl Gate {
    /// True where it lets pass.
    pub fn is_open(&self) -> bool {
        matches!(self, Gate::Open(_))
    }

    /// What there is to say.
    pub fn text(&self) -> &str {
        match self {
            Gate::Open(text) | Gate::Shut(text) | Gate::Unknown(text) => text,
        }
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
pub fn prune(points: &Points<'_>, ladders: &[Ladder], keep: &Keep) -> Prune {
    let all = points.all();
    let Some((newest, _)) = points.newest().filter(|_| !ladders.is_empty()) else { return Prune::default() };
    let mut needed: BTreeSet<usize> = ladders.iter().flat_map(|l| l.slots.iter().filter_map(|s| s.point)).collect();
    needed.insert(newest);
    // The log of every copy is replayed over a base there.
    needed.extend((0..all.len()).filter(|place| all[*place].kind == PointKind::Wal));
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
    let mut out = Prune { checked: checked(ladders, keep), ..Prune::default() };
    for place in (0..all.len()).filter(|place| !seen.contains(place)) {
        let point = &all[place];
        let hold = point.hold.as_deref().or_else(|| keep.hold(point.restores_to));
        let mut held: Vec<String> = hold.iter().map(|hold| format!("on hold: {hold}")).collect();
        let weak = successors(points, ladders, place);
        out.on_hold += usize::from(hold.is_some());
        out.unproved += usize::from(!weak.is_empty());
        held.extend(weak);
        out.candidates.push(Candidate { place, held });
    }
    out.candidates.sort_by_key(|c| all[c.place].restores_to);
    out.size = out.candidates.iter().filter_map(|c| all[c.place].size).fold(0, u64::saturating_add);
    out
}

/// Corruption that is found after the first tier forgot the last whole point is found too late.
fn checked(ladders: &[Ladder], keep: &Keep) -> Gate {
    let shortest = ladders.iter().map(|ladder| ladder.tier.keep).min().unwrap_or_default();
    match keep.verify_every {
        None => Gate::Unknown("how often corruption is looked for is not named (`verify_every`)".into()),
        Some(every) if every >= shortest => Gate::Shut(format!(
            "corruption is looked for every {}, the first tier forgets after {}",
            age::exact(every),
            age::exact(shortest)
        )),
        Some(every) => Gate::Open(format!("corruption is looked for every {}", age::exact(every))),
    }
}

/// What its successors on the ladders lack: each must be read back after it was written. What is not known is lacking.
fn successors(points: &Points<'_>, ladders: &[Ladder], place: usize) -> Vec<String> {
    let all = points.all();
    let point = &all[place];
    let mut why = Vec::new();
    let mut weak = BTreeSet::new();
    for ladder in ladders.iter().filter(|ladder| ladder.of.is_none() || ladder.of == point.part.of) {
        let next = ladder.slots.iter().filter_map(|s| s.point).find(|p| all[*p].restores_to > point.restores_to);
        match next {
            None => why.push(format!("nothing after it is on the {} ladder", ladder.tier.every)),
            Some(next) if !all[next].read_after_written() => {
                weak.insert(next);
            }
            Some(_) => {}
        }
    }
    why.extend(weak.into_iter().map(|next| format!("{} is {}, needs V3", all[next].id, all[next].proof().word())));
    why.dedup();
    why
}
