//! What of a filter an index can answer, and what is left to look at row by row.

use jiff::{SignedDuration, Timestamp};

use crate::model::deployment::Deployment;
use crate::model::deployment::list::{Column, Narrow};

use super::{Compare, Filter, Term, Test};

/// How a long list of deployments is narrowed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// What is looked up.
    pub narrow: Narrow,
    /// What is tried on each row that is left.
    pub rest: Filter,
    /// The moment from which ages are counted.
    pub now: Timestamp,
}

impl Plan {
    /// True where the row passes what is tried row by row.
    pub fn lets(&self, one: &Deployment) -> bool {
        self.rest.is_empty() || self.rest.matches(one, self.now)
    }

    /// True where all rows pass.
    pub fn is_all(&self) -> bool {
        self.narrow == Narrow::default() && self.rest.is_empty()
    }
}

/// Times in an index are whole microseconds.
const TICK: SignedDuration = SignedDuration::from_micros(1);

impl Filter {
    /// The plan of this filter over deployments.
    pub fn plan(&self, now: Timestamp) -> Plan {
        let mut narrow = Narrow::default();
        let rest = self.terms.iter().filter(|term| !looked_up(term, now, &mut narrow)).cloned().collect();
        Plan { narrow, rest: Filter { text: self.text.clone(), terms: rest }, now }
    }
}

/// True where the narrowing says all that the term says.
fn looked_up(term: &Term, now: Timestamp, narrow: &mut Narrow) -> bool {
    match (&term.test, term.negated) {
        (Test::Equal { label, value }, false) => match column(label) {
            // The empty text is what is not told, and a result that is not told has a word of its own: neither stands in
            // a column.
            Some(Column::Result) if value == "unknown" => false,
            Some(of) if !value.is_empty() => {
                narrow.equal.push((of, value.clone()));
                true
            }
            _ => false,
        },
        (Test::Word { text, .. }, false) => {
            narrow.words.push(text.clone());
            true
        }
        (Test::Time { than, compare }, negated) => {
            bound(*than, if negated { compare.opposite() } else { *compare }, narrow);
            true
        }
        (Test::Age { than, compare }, negated) => {
            let compare = if negated { compare.opposite() } else { *compare };
            // The older a row is, the earlier it was.
            let Ok(moment) = now.checked_sub(*than) else { return false };
            bound(moment, compare.mirrored(), narrow);
            true
        }
        _ => false,
    }
}

fn bound(than: Timestamp, compare: Compare, narrow: &mut Narrow) {
    let since = |at: Timestamp, narrow: &mut Narrow| narrow.since = Some(narrow.since.map_or(at, |old| old.max(at)));
    let until = |at: Timestamp, narrow: &mut Narrow| narrow.until = Some(narrow.until.map_or(at, |old| old.min(at)));
    match compare {
        Compare::More => since(than.checked_add(TICK).unwrap_or(than), narrow),
        Compare::MoreEqual => since(than, narrow),
        Compare::Less => until(than.checked_sub(TICK).unwrap_or(than), narrow),
        Compare::LessEqual => until(than, narrow),
    }
}

fn column(label: &str) -> Option<Column> {
    match label {
        "service" => Some(Column::Service),
        "site" => Some(Column::Site),
        "environment" => Some(Column::Environment),
        "version" => Some(Column::Version),
        "who" => Some(Column::Who),
        "result" => Some(Column::Result),
        "id" => Some(Column::Id),
        "commit" => Some(Column::Commit),
        _ => None,
    }
}

impl Compare {
    fn opposite(self) -> Compare {
        match self {
            Compare::Less => Compare::MoreEqual,
            Compare::LessEqual => Compare::More,
            Compare::More => Compare::LessEqual,
            Compare::MoreEqual => Compare::Less,
        }
    }

    fn mirrored(self) -> Compare {
        match self {
            Compare::Less => Compare::More,
            Compare::LessEqual => Compare::MoreEqual,
            Compare::More => Compare::Less,
            Compare::MoreEqual => Compare::LessEqual,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(secs).unwrap()
    }

    fn plan(text: &str) -> Plan {
        Filter::parse(text).unwrap().plan(at(100_000))
    }

    #[test]
    fn columns_words_and_times_are_looked_up_and_the_rest_is_tried() {
        let all = plan("service=web result=failed Ann who:^b site!=fra1 reason=x !word id=\"\" result=unknown version=~1.*");
        assert_eq!(all.narrow.equal, [(Column::Service, "web".to_owned()), (Column::Result, "failed".to_owned())]);
        assert_eq!(all.narrow.words, ["Ann"]);
        assert_eq!(all.rest.terms.len(), 7);
        assert!(plan("").is_all() && !all.is_all());
        assert!(plan("service=web").rest.is_empty());
    }

    #[test]
    fn of_several_times_the_narrowest_counts_and_a_strict_one_leaves_its_moment_out() {
        let narrow = plan("time>=1970-01-01T00:00:10 time>=1970-01-01T00:00:05 time<1970-01-01T01:00:00").narrow;
        assert_eq!((narrow.since, narrow.until), (Some(at(10)), Some(at(3_600) - TICK)));
        let narrow = plan("!time<=1970-01-01T00:00:10").narrow;
        assert_eq!((narrow.since, narrow.until), (Some(at(10) + TICK), None));
        let narrow = plan("age<=1h age>1m").narrow;
        assert_eq!((narrow.since, narrow.until), (Some(at(96_400)), Some(at(99_940) - TICK)));
        let narrow = plan("!age<=1h").narrow;
        assert_eq!((narrow.since, narrow.until), (None, Some(at(96_400) - TICK)));
    }
}
