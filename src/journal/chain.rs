//! Walks the chain and names the first event that breaks it.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{GENESIS, Head, Journal, JournalError, head, is_digest};
use crate::model::age;
use crate::model::event::{Lost, Record};

/// A clock that steps back by less is kept in step by NTP all the time.
pub const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(1);
/// Steps of the clock that are listed.
const STEPS: usize = 100;

/// What is broken at the first broken place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// The bytes of an event are not those that were hashed.
    Changed {
        /// Its place.
        seq: u64,
    },
    /// Events are missing.
    Removed {
        /// The first that is missing.
        from: u64,
        /// The last.
        to: u64,
    },
    /// An event stands where another one stood.
    Moved {
        /// The place.
        seq: u64,
        /// Where it was written.
        written: u64,
    },
    /// An event follows another one than that before it.
    Unchained {
        /// Its place.
        seq: u64,
    },
    /// The bytes are hashed as they should be, but are no event that this version knows.
    NoEvent {
        /// Its place.
        seq: u64,
        /// Why.
        why: String,
    },
    /// The newest events are gone.
    Cut {
        /// Events that are there.
        there: u64,
        /// Events that were there.
        known: u64,
    },
    /// The newest events were replaced by others.
    Rewritten {
        /// The place that is known to have had another event.
        seq: u64,
    },
    /// The file cannot be read any further.
    Unreadable {
        /// The last place that could be read.
        after: u64,
        /// Why.
        why: String,
    },
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Changed { seq } => write!(f, "event {seq} was changed: its bytes are not those that were hashed"),
            Broken::Removed { from, to } if from == to => write!(f, "event {from} was removed"),
            Broken::Removed { from, to } => write!(f, "events {from} to {to} were removed"),
            Broken::Moved { seq, written } => write!(f, "event {seq} was moved: it was written as event {written}"),
            Broken::Unchained { seq } => write!(f, "event {seq} does not follow the event before it: one of them was replaced"),
            Broken::NoEvent { seq, why } => write!(f, "event {seq} is none that this qd knows: {why}"),
            Broken::Cut { there, known } => write!(f, "the end was cut off: {there} events are there, {known} were"),
            Broken::Rewritten { seq } => write!(f, "event {seq} is not the one that was written there: the end was replaced"),
            Broken::Unreadable { after, why } => write!(f, "nothing can be read after event {after}: {why}"),
        }
    }
}

/// A clock that was set back between two events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockStep {
    /// The later event's place.
    pub seq: u64,
    /// By how much.
    pub back: SignedDuration,
}

impl fmt::Display for ClockStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the clock was set back by {} before event {}", age::exact(self.back), self.seq)
    }
}

/// What a chain comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Events that are as they were written.
    pub good: u64,
    /// The first and the last of them; the last is the head.
    pub first: Option<u64>,
    /// The last good event.
    pub head: Head,
    /// The first place that is broken.
    pub broken: Option<Broken>,
    /// Where the clock was set back, the first hundred: the order is right, the times are not.
    pub clock: Vec<ClockStep>,
    /// What this look could not tell.
    pub notes: Vec<String>,
}

impl Verdict {
    /// Of a journal of which nothing can be read.
    pub fn of(broken: Broken) -> Verdict {
        Verdict { broken: Some(broken), ..Walk::whole().verdict }
    }
}

/// The parts of an event that the chain is made of.
#[derive(Deserialize)]
struct Link<'a> {
    seq: u64,
    prev: &'a str,
    written_at: Timestamp,
    #[serde(borrow)]
    event: Kind<'a>,
}

#[derive(Deserialize)]
struct Kind<'a> {
    kind: &'a str,
}

/// What one good event says to a walk.
struct Judged {
    written: Timestamp,
    lost: Option<Lost>,
    verifies: bool,
}

/// A walk along a chain.
pub(super) struct Walk {
    pub(super) verdict: Verdict,
    next: u64,
    written: Option<Timestamp>,
    /// Whether the newest event is of a verification.
    verifies: bool,
    /// Heads that were kept elsewhere and that the walk has not met yet, the last of all first.
    elsewhere: Vec<Head>,
}

impl Walk {
    /// From the event at `next`, whose predecessor has this hash.
    pub(super) fn from(next: u64, prev: &str) -> Walk {
        let head = Head { count: next.saturating_sub(1), hash: prev.to_owned() };
        let verdict = Verdict { good: 0, first: None, head, broken: None, clock: Vec::new(), notes: Vec::new() };
        Walk { verdict, next, written: None, verifies: false, elsewhere: Vec::new() }
    }

    /// Holds it against heads that were kept elsewhere.
    pub(super) fn against(mut self, elsewhere: &[Head]) -> Walk {
        self.elsewhere = elsewhere.iter().filter(|head| head.count >= self.next).cloned().collect();
        self.elsewhere.sort_by_key(|head| std::cmp::Reverse(head.count));
        for head in elsewhere.iter().filter(|head| head.count < self.next && head.count > 0 && **head != self.verdict.head) {
            if head.count == self.verdict.head.count {
                self.verdict.broken = Some(Broken::Rewritten { seq: head.count });
            } else {
                self.verdict.notes.push(format!("event {} is not in it: nothing is known of that head", head.count));
            }
        }
        self
    }

    /// Nothing follows: what was known elsewhere and was not met is gone.
    pub(super) fn end(mut self) -> Verdict {
        if let (None, Some(known)) = (&self.verdict.broken, self.elsewhere.first()) {
            self.verdict.broken = Some(Broken::Cut { there: self.verdict.head.count, known: known.count });
        }
        self.verdict
    }

    /// Whether this event is the one that was known elsewhere, or the one that tells that it was lost.
    fn met(&mut self, seq: u64, hash: &str, lost: Option<&Lost>) -> Result<(), Broken> {
        while let Some(known) = self.elsewhere.pop_if(|known| known.count == seq) {
            if known.hash != hash && !lost.is_some_and(|lost| head::is_of(lost, &known)) {
                return Err(Broken::Rewritten { seq });
            }
        }
        Ok(())
    }

    /// From the first event of all.
    pub(super) fn whole() -> Walk {
        Walk::from(1, GENESIS)
    }

    /// One event. False once the chain is broken.
    pub(super) fn step(&mut self, seq: u64, hash: &str, body: &[u8]) -> bool {
        let judged = self.judge(seq, hash, body).and_then(|judged| self.met(seq, hash, judged.lost.as_ref()).map(|()| judged));
        match judged {
            Ok(Judged { written, lost, verifies }) => {
                if lost.is_some() && self.verdict.notes.len() < STEPS {
                    self.verdict.notes.push(format!(
                        "event {seq} tells that the one before it in this place was lost while it was written: what it said is not known"
                    ));
                }
                if let Some(before) = self.written
                    && before.duration_since(written) > CLOCK_SLACK
                    && self.verdict.clock.len() < STEPS
                {
                    self.verdict.clock.push(ClockStep { seq, back: before.duration_since(written) });
                }
                (self.written, self.verifies) = (Some(written), verifies);
                self.verdict.good += 1;
                self.verdict.first.get_or_insert(seq);
                self.verdict.head.count = seq;
                hash.clone_into(&mut self.verdict.head.hash);
                self.next = seq + 1;
                true
            }
            Err(broken) => {
                self.verdict.broken = Some(broken);
                false
            }
        }
    }

    fn judge(&self, seq: u64, hash: &str, body: &[u8]) -> Result<Judged, Broken> {
        if seq != self.next {
            return Err(match seq.checked_sub(1) {
                Some(to) if seq > self.next => Broken::Removed { from: self.next, to },
                _ => Broken::Moved { seq: self.next, written: seq },
            });
        }
        if !is_digest(hash, body) {
            return Err(Broken::Changed { seq });
        }
        let no_event = |error: serde_json::Error| Broken::NoEvent { seq, why: error.to_string() };
        let link: Link<'_> = serde_json::from_slice(body).map_err(no_event)?;
        if link.seq != seq {
            return Err(Broken::Moved { seq, written: link.seq });
        }
        if link.prev != self.verdict.head.hash {
            return Err(Broken::Unchained { seq });
        }
        let lost = if link.event.kind == "healed" { head::lost(body) } else { None };
        Ok(Judged { written: link.written_at, lost, verifies: link.event.kind == "verification" })
    }
}

impl Journal {
    /// Walks the whole chain and names the first place that is broken.
    pub fn verify(&self) -> Verdict {
        self.verify_against(&[])
    }

    /// The same, and holds it against heads that were kept elsewhere, in a target's job folder or a report: whoever cut
    /// off the end may have cut the head that lies beside the journal too.
    pub fn verify_against(&self, elsewhere: &[Head]) -> Verdict {
        let mut last = Vec::new();
        let mut verdict = self.walk(elsewhere, |_, body| {
            last.clear();
            last.extend_from_slice(body);
            Ok(())
        });
        // That it is linked says little where it cannot be read; the newest stands for all: one program wrote them.
        if let (None, true, Err(error)) = (&verdict.broken, verdict.good > 0, serde_json::from_slice::<Record>(&last)) {
            verdict.broken = Some(Broken::NoEvent { seq: verdict.head.count, why: error.to_string() });
        }
        verdict
    }

    /// The events up to the first broken place, the oldest first: what comes after it proves nothing.
    pub fn trusted(&self) -> (Vec<Record>, Verdict) {
        self.trusted_if(|_| true)
    }

    /// Those of verifications among them. All are held against the chain, which is much faster than reading them too.
    pub fn verifications(&self) -> (Vec<Record>, Verdict) {
        self.trusted_if(|walk| walk.verifies)
    }

    fn trusted_if(&self, wanted: impl Fn(&Walk) -> bool) -> (Vec<Record>, Verdict) {
        let mut all = Vec::new();
        let verdict = self.walk_with(&[], |walk, seq, body| {
            if wanted(walk) {
                all.push(serde_json::from_slice(body).map_err(|error: serde_json::Error| Broken::NoEvent { seq, why: error.to_string() })?);
            }
            Ok(())
        });
        (all, verdict)
    }

    fn walk(&self, elsewhere: &[Head], mut each: impl FnMut(u64, &[u8]) -> Result<(), Broken>) -> Verdict {
        self.walk_with(elsewhere, |_, seq, body| each(seq, body))
    }

    fn walk_with(&self, elsewhere: &[Head], mut each: impl FnMut(&Walk, u64, &[u8]) -> Result<(), Broken>) -> Verdict {
        let mut walk = Walk::whole().against(elsewhere);
        let read = self.bodies(1, |seq, hash, body| {
            // The first broken place is what is asked for: what comes after it says nothing more.
            if walk.verdict.broken.is_none() && walk.step(seq, hash, body) {
                walk.verdict.broken = each(&walk, seq, body).err();
            }
            Ok(())
        });
        if let (Err(error), None) = (read, &walk.verdict.broken) {
            walk.verdict.broken = Some(Broken::Unreadable { after: walk.verdict.head.count, why: error.to_string() });
        }
        let mut verdict = walk.end();
        if verdict.broken.is_none() {
            self.against_head(&mut verdict);
        }
        verdict
    }

    fn against_head(&self, verdict: &mut Verdict) {
        let Some(kept) = head::kept(&self.path) else {
            if verdict.good > 0 {
                verdict
                    .notes
                    .push(format!("{} cannot be read: whether the end was cut off is not known", head::path(&self.path).display()));
            }
            return;
        };
        let behind = head::behind(&self.path, &self.database, &verdict.head);
        if let Ok(Some(lost)) = &behind {
            verdict
                .notes
                .push("it is the newest one alone: the machine may have stopped while it was written; the next event tells of it".into());
            verdict.broken = Some(Broken::Cut { there: verdict.head.count, known: lost.seq });
        }
        if let Err(error) = behind {
            verdict.broken = Some(match error {
                JournalError::Cut { there, known, .. } => Broken::Cut { there, known },
                JournalError::Damaged { .. } => Broken::Rewritten { seq: kept.count },
                other => Broken::Unreadable { after: verdict.head.count, why: other.to_string() },
            });
        }
    }
}
