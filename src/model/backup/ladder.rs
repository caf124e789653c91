//! Whether what is kept is what was promised, judged against the clock: a job that died keeps its ladder whole by its
//! newest point, and not by now.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, Unit};

use super::{Period, Points, Proof, Tier};

/// Slots of one tier that are judged, the newest.
const SLOTS: usize = 20_000;

/// How one tier stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    /// Which.
    pub tier: Tier,
    /// What it is of, where its source keeps backups of several things.
    pub of: Option<String>,
    /// Each slot that is due with the place of the point that fills it, the oldest first.
    pub slots: Vec<Slot>,
    /// The slots that are empty, neighbours told as one, the oldest first.
    pub holes: Vec<Hole>,
    /// The longest time between two points of it, or to now, where that is too long.
    pub gap: Option<SignedDuration>,
    /// The weakest proof among the points that fill it; `None` where none does.
    pub weakest: Option<Proof>,
}

impl Ladder {
    /// Slots that are filled.
    pub fn filled(&self) -> usize {
        self.slots.iter().filter(|slot| slot.point.is_some()).count()
    }

    /// True where every slot is filled and no gap is too long.
    pub fn whole(&self) -> bool {
        self.holes.is_empty() && self.gap.is_none()
    }
}

/// A stretch that wants a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Its first moment (UTC).
    pub start: Timestamp,
    /// The first moment after it (UTC).
    pub end: Timestamp,
    /// The place of the point that fills it.
    pub point: Option<usize>,
    /// How well that point is proved.
    pub proof: Option<Proof>,
}

/// Slots in a row that are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// The first moment of the first (UTC).
    pub start: Timestamp,
    /// The first moment after the last (UTC).
    pub end: Timestamp,
    /// How many.
    pub slots: usize,
}

/// Judges one tier at `now`, of all points or of those of one thing.
pub fn ladder(tier: Tier, points: &Points<'_>, of: Option<&str>, zone: &TimeZone, now: Timestamp) -> Ladder {
    let mut slots = due(tier, zone, now);
    let all = points.all();
    let mut usable: Vec<usize> =
        points.usable().filter(|(_, p)| of.is_none() || p.part.of.as_deref() == of).map(|(place, _)| place).collect();
    usable.sort_by_key(|place| all[*place].restores_to);
    let at = |place: usize| all[place].restores_to;
    // First a point fills its own slot: the first of them, the others are spare.
    let mut own: Vec<Vec<usize>> = vec![Vec::new(); slots.len()];
    for place in &usable {
        let slot = slots.partition_point(|slot| slot.end <= at(*place));
        if slots.get(slot).is_some_and(|s| s.start <= at(*place)) {
            own[slot].push(*place);
        }
    }
    for (slot, own) in slots.iter_mut().zip(&own) {
        slot.point = own.first().copied();
    }
    // Then an empty one may borrow a spare one from just beyond an edge. Never one that its own slot needs: that would
    // move the hole, not fill it.
    let tolerance = tier.every.tolerance();
    for i in 0..slots.len() {
        if slots[i].point.is_some() {
            continue;
        }
        let before = i.checked_sub(1).filter(|n| own[*n].len() > 1).and_then(|n| Some((n, *own[n].last()?)));
        let after = own.get(i + 1).filter(|o| o.len() > 1).map(|o| (i + 1, o[0]));
        let near_before = before.filter(|(_, p)| slots[i].start.duration_since(at(*p)) <= tolerance);
        let near_after = after.filter(|(_, p)| at(*p).duration_since(slots[i].end) <= tolerance);
        if let Some((from, place)) = near_before.or(near_after) {
            own[from].retain(|p| *p != place);
            slots[from].point = own[from].first().copied();
            slots[i].point = Some(place);
        }
    }
    for slot in &mut slots {
        slot.proof = slot.point.map(|place| all[place].proof());
    }
    let weakest = slots.iter().filter_map(|slot| slot.proof).min();
    let times: Vec<Timestamp> = usable.iter().map(|place| at(*place)).collect();
    Ladder { tier, of: of.map(str::to_owned), holes: holes(&slots), gap: gap(tier, &slots, &times), weakest, slots }
}

/// The whole periods between `now - keep` and `now` less a grace for the newest: one period, or a day where that is less.
fn due(tier: Tier, zone: &TimeZone, now: Timestamp) -> Vec<Slot> {
    let grace = tier.every.length().min(SignedDuration::from_hours(24));
    let (Ok(from), Ok(until)) = (now.checked_sub(tier.keep), now.checked_sub(grace)) else { return Vec::new() };
    let mut slots = Vec::new();
    let Some(mut start) = begin(tier.every, zone, from) else { return slots };
    while let Some(end) = next(tier.every, zone, start) {
        if end > until || end <= start || slots.len() >= SLOTS {
            break;
        }
        if start >= from {
            slots.push(Slot { start, end, point: None, proof: None });
        }
        start = end;
    }
    slots
}

/// The begin of the period that holds this moment.
fn begin(period: Period, zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
    let local = || at.to_zoned(zone.clone()).datetime();
    let midnight = |day: DateTime| day.date().at(0, 0, 0, 0).to_zoned(zone.clone()).ok().map(|z| z.timestamp());
    match period {
        Period::Part(length) => {
            let length = length.as_secs().max(1);
            Timestamp::from_second(at.as_second().div_euclid(length) * length).ok()
        }
        Period::Day => midnight(local()),
        Period::Week => {
            let back = i64::from(local().date().weekday().to_monday_zero_offset());
            midnight(local().checked_sub(Span::new().try_days(back).ok()?).ok()?)
        }
        Period::Month => midnight(local().first_of_month()),
    }
}

/// The begin of the period after the one that begins here. A day of the calendar has 23 to 25 hours.
fn next(period: Period, zone: &TimeZone, start: Timestamp) -> Option<Timestamp> {
    if let Period::Part(length) = period {
        return start.checked_add(length).ok();
    }
    let (unit, count) = match period {
        Period::Week => (Unit::Day, 7),
        Period::Month => (Unit::Month, 1),
        Period::Day | Period::Part(_) => (Unit::Day, 1),
    };
    let span = if unit == Unit::Month { Span::new().try_months(count) } else { Span::new().try_days(count) }.ok()?;
    let day = start.to_zoned(zone.clone()).date().checked_add(span).ok()?;
    day.at(0, 0, 0, 0).to_zoned(zone.clone()).ok().map(|z| z.timestamp())
}

fn holes(slots: &[Slot]) -> Vec<Hole> {
    let mut holes: Vec<Hole> = Vec::new();
    for slot in slots.iter().filter(|slot| slot.point.is_none()) {
        match holes.last_mut().filter(|hole| hole.end == slot.start) {
            Some(hole) => (hole.end, hole.slots) = (slot.end, hole.slots + 1),
            None => holes.push(Hole { start: slot.start, end: slot.end, slots: 1 }),
        }
    }
    holes
}

/// The longest time between two points, from the first slot to the end of the last, where it is more than a period with
/// its tolerance.
fn gap(tier: Tier, slots: &[Slot], times: &[Timestamp]) -> Option<SignedDuration> {
    let (first, last) = (slots.first()?.start, slots.last()?.end);
    let within = |at: &&Timestamp| first <= **at && **at < last;
    let inside: Vec<Timestamp> = times.iter().filter(within).copied().collect();
    // A month has 31 days and a day of the calendar 25 hours.
    let longest = match tier.every {
        Period::Part(time) => time,
        Period::Day => SignedDuration::from_hours(25),
        Period::Week => SignedDuration::from_hours(7 * 24 + 1),
        Period::Month => SignedDuration::from_hours(31 * 24 + 1),
    };
    let widest = inside.windows(2).map(|pair| pair[1].duration_since(pair[0])).max()?;
    (widest > longest + tier.every.tolerance()).then_some(widest)
}
