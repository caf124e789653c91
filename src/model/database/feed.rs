//! Who feeds whom: a standby may receive from the primary or from another standby, and its time behind is told by the
//! node that sends to it.

use super::{DatabaseAnswer, Node, Said, Standby};

/// The longest chain of standbys that is followed: a ring, which no real one is, ends there.
const CHAIN: usize = 8;

impl DatabaseAnswer {
    /// The node that sends to this standby, with its row of it. The estate's name of a node is not the name that it
    /// streams by, so the two are brought together by the sender's address, the slot or the streaming name; where
    /// nothing tells them apart there is none.
    pub fn feeder<'a>(&'a self, standby: &Said) -> Option<(&'a Node, &'a Said, &'a Standby)> {
        let receiver = standby.receiver.as_ref().filter(|_| standby.in_recovery)?;
        let own = |row: &Standby| match (&receiver.slot, &row.slot) {
            (Some(here), Some(there)) => here == there,
            _ => receiver.name.as_ref().is_some_and(|name| *name == row.name),
        };
        let fits = |(node, said): (&'a Node, &'a Said)| {
            let mut rows = said.standbys.iter().filter(|row| row.counts() && own(row));
            let row = rows.next().filter(|_| rows.next().is_none())?;
            Some((node, said, row))
        };
        let all: Vec<_> = self.said().filter_map(fits).collect();
        let named = all.iter().find(|(node, ..)| receiver.sender.as_deref() == Some(node.name.as_str()));
        if let Some(found) = named {
            return Some(*found);
        }
        match all.as_slice() {
            [one] => return Some(*one),
            [] => {}
            _ => return None,
        }
        // One that is asked and one that streams leave no doubt.
        let (node, primary) = self.primary()?;
        let mut rows = primary.standbys.iter().filter(|row| row.counts());
        let row = rows.next().filter(|_| rows.next().is_none())?;
        (self.said().filter(|(_, said)| said.in_recovery).count() == 1).then_some((node, primary, row))
    }

    /// The seconds that the newest commits took to be replayed at this standby, over all nodes between. `None` where one
    /// of them does not say, as when it is idle.
    pub(super) fn seconds_behind(&self, standby: &Said) -> Option<f64> {
        let (mut at, mut all) = (standby, 0.0);
        for _ in 0..CHAIN {
            let (_, sender, row) = self.feeder(at)?;
            all += row.replay_lag?;
            if !sender.in_recovery {
                return Some(all);
            }
            at = sender;
        }
        None
    }
}
