//! Lines of several places, merged by time, with an end to how many are kept.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Line;

/// Lines that are kept; of more the oldest go.
pub const KEPT: usize = 2_000;
/// Bytes of text that are kept of all lines.
pub const BYTES: usize = 4 << 20;

/// A line with its number: numbers only grow, and tell a line from every other.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbered {
    /// Its number, in the order in which lines came.
    pub number: u64,
    /// It.
    pub line: Arc<Line>,
    /// Where it stands in time: its own, and never before the one that its place told before it.
    order: Timestamp,
}

/// The lines that are kept, the oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lines {
    all: VecDeque<Numbered>,
    next: u64,
    bytes: usize,
    /// Lines that were let go because newer ones came.
    pub dropped: usize,
}

impl Lines {
    /// The lines, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Numbered> + ExactSizeIterator {
        self.all.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// True where there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Takes in what a place told, the oldest first: each goes where its time says, behind those of the same time, and
    /// never before an earlier line of its own place. A line of that place that was open goes: it is told anew. Gives
    /// back how many lines are new.
    pub fn take(&mut self, place: &str, lines: Vec<Line>) -> usize {
        if let Some(at) = self.all.iter().rposition(|one| *one.line.place == *place).filter(|at| self.all[*at].line.open)
            && let Some(old) = self.all.remove(at)
        {
            self.bytes = self.bytes.saturating_sub(size(&old.line));
            // The same number, so that who reads it stays at it.
            if let Some((first, rest)) = lines.split_first() {
                self.insert(old.number, Arc::new(first.clone()));
                return self.add(rest.to_vec());
            }
            return 0;
        }
        self.add(lines)
    }

    /// Lets the lines of that place go: it tells all of them anew.
    pub fn forget(&mut self, place: &str) {
        self.all.retain(|one| *one.line.place != *place);
        self.bytes = self.all.iter().map(|one| size(&one.line)).sum();
    }

    /// Only the lines that pass, with the numbers that they have.
    pub fn only(&self, passes: impl Fn(&Line) -> bool) -> Lines {
        let all: VecDeque<Numbered> = self.all.iter().filter(|one| passes(&one.line)).cloned().collect();
        let bytes = all.iter().map(|one| size(&one.line)).sum();
        Lines { all, next: self.next, bytes, dropped: 0 }
    }

    fn add(&mut self, lines: Vec<Line>) -> usize {
        let count = lines.len();
        for line in lines {
            self.next += 1;
            self.insert(self.next, Arc::new(line));
        }
        while self.all.len() > KEPT || self.bytes > BYTES {
            let Some(old) = self.all.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(size(&old.line));
            self.dropped += 1;
        }
        count
    }

    fn insert(&mut self, number: u64, line: Arc<Line>) {
        // Mostly it is the newest of all: looked for from the end.
        let mut order = line.at;
        let mut at = self.all.len();
        while at > 0 {
            let before = &self.all[at - 1];
            if before.line.place == line.place {
                // A clock that was set back does not turn the lines of one place around.
                order = order.max(before.order);
                break;
            }
            if before.order <= order {
                break;
            }
            at -= 1;
        }
        // Lines of others with a later time than its own place's last stay behind it.
        while at < self.all.len() && self.all[at].order <= order {
            at += 1;
        }
        self.bytes += size(&line);
        self.all.insert(at, Numbered { number, line, order });
    }

    /// The time between the oldest and the newest.
    pub fn span(&self) -> Option<SignedDuration> {
        Some(self.all.back()?.line.at.duration_since(self.all.front()?.line.at))
    }
}

impl Numbered {
    /// Where it stands in time.
    pub fn order(&self) -> Timestamp {
        self.order
    }
}

fn size(line: &Line) -> usize {
    line.text.len() + line.by.as_ref().map_or(0, String::len) + 64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(place: &str, second: i64, text: &str) -> Line {
        let at = Timestamp::from_second(second).unwrap();
        Line { at, dated: true, place: place.into(), level: None, by: None, text: text.into(), open: false }
    }

    fn texts(lines: &Lines) -> String {
        lines.iter().map(|one| one.line.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn lines_of_several_places_are_merged_by_time_and_those_of_one_place_keep_their_order() {
        let mut lines = Lines::default();
        lines.take("web1", vec![line("web1", 10, "a"), line("web1", 20, "b"), line("web1", 30, "c")]);
        lines.take("web2", vec![line("web2", 5, "u"), line("web2", 20, "v"), line("web2", 40, "w")]);
        assert_eq!(texts(&lines), "u a b v c w");
        // A clock that was set back: it stays behind what its place told before.
        lines.take("web1", vec![line("web1", 3, "d"), line("web1", 4, "e")]);
        assert_eq!(texts(&lines), "u a b v c d e w");
        let numbers: std::collections::BTreeSet<u64> = lines.iter().map(|one| one.number).collect();
        assert_eq!(numbers.len(), 8);
    }

    #[test]
    fn the_newest_are_kept_and_those_that_went_are_counted() {
        let mut lines = Lines::default();
        let many = (0..10_000).map(|n| line("web1", n, &n.to_string())).collect();
        assert_eq!(lines.take("web1", many), 10_000);
        assert_eq!((lines.len(), lines.dropped, lines.iter().next().unwrap().line.text.as_str()), (KEPT, 8_000, "8000"));
        let mut lines = Lines::default();
        lines.take("web1", (0..1_999).map(|n| line("web1", n, &"x".repeat(4_096))).collect());
        assert!(lines.len() < 1_100 && lines.dropped > 900, "{}", lines.len());
    }

    #[test]
    fn the_lines_of_one_place_are_forgotten_and_a_part_keeps_its_numbers() {
        let mut lines = Lines::default();
        lines.take("web1", vec![line("web1", 1, "a"), line("web1", 2, "b")]);
        lines.take("web2", vec![line("web2", 1, "x")]);
        let mut part = lines.only(|line| line.text != "a");
        let numbers = |lines: &Lines| lines.iter().map(|one| one.number).collect::<Vec<_>>();
        assert_eq!((texts(&part).as_str(), numbers(&part)), ("x b", vec![3, 2]));
        part.forget("web1");
        assert_eq!(part.take("web1", vec![line("web1", 0, "older")]), 1);
        assert_eq!((texts(&part).as_str(), numbers(&part)), ("older x", vec![4, 3]));
        assert_eq!(texts(&lines), "a x b");
    }

    #[test]
    fn an_open_line_is_told_anew_at_its_place() {
        let mut lines = Lines::default();
        let open = |text: &str| Line { open: true, ..line("web1", 10, text) };
        lines.take("web1", vec![line("web1", 9, "a"), open("ha")]);
        lines.take("web2", vec![line("web2", 11, "x")]);
        let number = lines.iter().nth(1).unwrap().number;
        lines.take("web1", vec![line("web1", 10, "half"), line("web1", 12, "b")]);
        assert_eq!(texts(&lines), "a half x b");
        assert_eq!(lines.iter().nth(1).unwrap().number, number);
    }
}
