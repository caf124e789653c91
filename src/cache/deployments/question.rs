//! What is asked of the file for a piece of the list.

use jiff::Timestamp;
use rusqlite::types::Value;

use crate::model::deployment::list::{Column, Narrow, Place};

/// A stretch of the list: from the first place on, up to the second and without it.
#[derive(Clone)]
pub(super) struct Stretch {
    pub(super) low: (i64, String),
    pub(super) high: (i64, String),
}

impl Stretch {
    pub(super) fn of(narrow: &Narrow) -> Stretch {
        let low = narrow.since.map_or(i64::MIN, Timestamp::as_microsecond);
        let high = narrow.until.map_or(i64::MAX, |until| until.as_microsecond().saturating_add(1));
        Stretch { low: (low, String::new()), high: (high, String::new()) }
    }

    /// What is older than that place.
    pub(super) fn before(mut self, place: &Place) -> Stretch {
        self.high = self.high.min(at(place));
        self
    }

    /// What is newer than that place.
    pub(super) fn after(mut self, place: &Place) -> Stretch {
        let (at, mut key) = at(place);
        // The first text after it.
        key.push('\0');
        self.low = self.low.max((at, key));
        self
    }

    /// What is no newer than that time.
    pub(super) fn until(mut self, until: Timestamp) -> Stretch {
        self.high = self.high.min((until.as_microsecond().saturating_add(1), String::new()));
        self
    }
}

pub(super) fn at(place: &Place) -> (i64, String) {
    (place.at.as_microsecond(), place.key.to_string())
}

/// The column in the file, and how few rows have one value of it: the lowest is looked up.
fn column(column: Column) -> (&'static str, usize) {
    match column {
        Column::Id => ("id", 0),
        Column::Commit => ("commit_id", 1),
        Column::Version => ("version", 2),
        Column::Who => ("who", 3),
        Column::Service => ("service", 4),
        Column::Site => ("site", 5),
        Column::Environment => ("environment", 6),
        Column::Result => ("result", 7),
    }
}

/// The words that are searched, as the text of a row is written.
pub(super) fn words(narrow: &Narrow) -> Vec<String> {
    narrow.words.iter().map(|word| word.to_lowercase()).filter(|word| !word.is_empty()).collect()
}

/// Which row comes first.
#[derive(Clone, Copy)]
pub(super) enum Order {
    /// The newest.
    Down,
    /// The oldest.
    Up,
}

impl Order {
    fn word(self) -> &'static str {
        match self {
            Order::Down => "DESC",
            Order::Up => "ASC",
        }
    }
}

/// The question that gives the rows of a stretch in their order: number, and text where it is searched.
pub(super) fn statement(estate: i64, narrow: &Narrow, stretch: &Stretch, order: Order, text: bool) -> (String, Vec<Value>) {
    let order = order.word();
    let mut values: Vec<Value> =
        vec![estate.into(), stretch.low.0.into(), stretch.low.1.clone().into(), stretch.high.0.into(), stretch.high.1.clone().into()];
    if narrow.equal.is_empty() {
        let text = if text { ", text" } else { "" };
        let sql = format!(
            "SELECT n{text} FROM line WHERE estate = ?1 AND (at, key) >= (?2, ?3) AND (at, key) < (?4, ?5)
             ORDER BY at {order}, key {order}"
        );
        return (sql, values);
    }
    let mut sql = String::from("SELECT d.n");
    sql += if text {
        ", l.text FROM deployment d CROSS JOIN line l ON l.estate = d.estate AND l.at = d.at AND l.key = d.key"
    } else {
        " FROM deployment d"
    };
    // An index has the time and not the key: that is looked at in the row.
    sql += " WHERE d.estate = ?1 AND d.at >= ?2 AND d.at <= ?4 AND (+d.at, d.key) >= (?2, ?3) AND (+d.at, d.key) < (?4, ?5)";
    sql += &equals(narrow, &mut values);
    sql += &format!(" ORDER BY d.at {order}, d.key {order}");
    (sql, values)
}

/// The columns that must have a value, of which the one with the fewest rows is looked up.
fn equals(narrow: &Narrow, values: &mut Vec<Value>) -> String {
    let best = narrow.equal.iter().map(|(one, _)| column(*one).1).min();
    let mut sql = String::new();
    for (one, value) in &narrow.equal {
        let (name, rank) = column(*one);
        // A plus keeps the others from being looked up instead.
        let plus = if Some(rank) == best { "" } else { "+" };
        values.push(value.clone().into());
        sql += &format!(" AND {plus}d.{name} = ?{}", values.len());
    }
    sql
}

/// The question how many rows an index alone lets through.
pub(super) fn count(estate: i64, narrow: &Narrow) -> (String, Vec<Value>) {
    let Stretch { low, high } = Stretch::of(narrow);
    let mut values: Vec<Value> = vec![estate.into(), low.0.into(), high.0.into()];
    let sql = match narrow.equal.is_empty() {
        true if narrow.since.is_none() && narrow.until.is_none() => {
            values.truncate(1);
            "SELECT total FROM estate WHERE id = ?1".to_owned()
        }
        true => "SELECT count(*) FROM line WHERE estate = ?1 AND at >= ?2 AND at < ?3".to_owned(),
        false => {
            let equals = equals(narrow, &mut values);
            format!("SELECT count(*) FROM deployment d WHERE d.estate = ?1 AND d.at >= ?2 AND d.at < ?3{equals}")
        }
    };
    (sql, values)
}
