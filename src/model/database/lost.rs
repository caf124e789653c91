//! What is known of a primary that is gone: where it was when it was last asked, and what each standby may lack of it. A
//! loss is a bound, never a number: nobody saw what the primary wrote last.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DatabaseAnswer, Lsn, Said};
use crate::model::metric;
use crate::model::panel::Unit;

/// A primary as it was last seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastPrimary {
    /// The node, as the estate names it.
    pub name: String,
    /// Its cluster.
    pub system: Option<String>,
    /// The timeline that it wrote.
    pub timeline: Option<u32>,
    /// Where it was.
    pub written: Lsn,
    /// When that was asked (UTC).
    pub at: Timestamp,
    /// The most bytes in a second that were seen between two polls before; `None` where it was seen once.
    pub rate: Option<f64>,
    /// The first poll that found no primary (UTC).
    pub gone: Timestamp,
}

/// What a standby may lack of a primary that is gone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// Bytes to the last known position: these it lacks.
    pub behind: u64,
    /// Seconds between that position and the poll that found no primary: what was written then is not known.
    pub unseen: f64,
    /// Both together in bytes where it wrote on as fast as it ever was seen to; `None` where it was seen once.
    pub about: Option<u64>,
}

impl DatabaseAnswer {
    /// What this standby may lack; `None` where no bound is known.
    pub fn bound(&self, standby: &Said) -> Option<Bound> {
        let last = self.last_primary.as_ref().filter(|_| standby.in_recovery)?;
        let same_cluster = last.system.is_some() && last.system == standby.system;
        // On another timeline the same place is not the same log.
        let same_line = last.timeline.is_some() && last.timeline == standby.timeline;
        let here = standby.position().filter(|_| same_cluster && same_line)?;
        let behind = last.written.0.saturating_sub(here.0);
        let unseen = last.gone.duration_since(last.at).as_secs_f64().max(0.0);
        let past = here.0.saturating_sub(last.written.0);
        // What it has beyond the last known position was written in the time that nobody saw.
        let about = last.rate.map(|rate| behind + ((rate * unseen) as u64).saturating_sub(past));
        Some(Bound { behind, unseen, about })
    }

    /// The last known primary in words: `db1 was last seen to write at 0/5000, 2026-11-12T14:32:07Z`.
    pub fn last_seen(&self) -> Option<String> {
        let last = self.last_primary.as_ref()?;
        Some(format!("{} was last seen to write at {}, {:.0}", last.name, last.written, last.at))
    }
}

impl Bound {
    /// In words, after `may lack`.
    pub fn text(&self) -> String {
        let bytes = |n: u64| metric::show(n as f64, Unit::Bytes);
        let unseen = format!("what was written in the {} after the last look", metric::show(self.unseen, Unit::Seconds));
        let all = match self.behind {
            0 => unseen,
            behind => format!("{} and {unseen}", bytes(behind)),
        };
        self.about.map_or_else(|| all.clone(), |about| format!("{all}, about {} at its fastest", bytes(about)))
    }
}
