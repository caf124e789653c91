//! Deployments as a query of a PostgreSQL gives them: a row for each, whose columns are the parts of a line of a deploy log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::{Fault, Of, answer, far, line};
use crate::link::postgres::select::{NEWEST, Select};
use crate::link::postgres::{Node, Row};
use crate::model::estate::Part;
use crate::model::source::HistoryAnswer;
use crate::model::text::{LABEL_CAP, clean};

/// Parts that are moments.
const MOMENTS: [Part; 4] = [Part::Time, Part::Finished, Part::FirstCommit, Part::Restored];
/// Rows that tell of no deployment, told with their reason.
const TOLD: usize = 3;

/// The newest rows as deployments, and since when they are all: there may be older ones that were not read.
pub(super) async fn read(
    conninfo: &str,
    query: &str,
    fields: &BTreeMap<Part, String>,
    of: &Of,
    deadline: Duration,
) -> Result<(HistoryAnswer, Timestamp), Fault> {
    let node = Node::new(conninfo, deadline).map_err(far)?;
    let session = node.open().await.map_err(far)?;
    let place = |part: Part| {
        let own = Part::ALL.into_iter().find(|(one, _)| *one == part).map_or("", |(_, word)| word);
        fields.get(&part).map_or(own, String::as_str)
    };
    let select = Select { query, order: place(Part::Time), moments: &MOMENTS.map(place), lengths: &[place(Part::Took)] };
    let selected = session.newest(&select).await.map_err(far)?;
    let (mut all, mut notes, mut broken) = (Vec::new(), Vec::new(), 0);
    for (number, row) in selected.rows.iter().enumerate() {
        match line::deployment(&object(&selected.columns, row), fields, of) {
            Ok(one) => all.push(Arc::new(one)),
            Err(why) => {
                broken += 1;
                if broken <= TOLD {
                    notes.push(format!("row {} {why}", number + 1));
                }
            }
        }
    }
    if broken > 0 {
        notes.insert(0, format!("{broken} of {} rows tell of no deployment", selected.rows.len()));
    }
    if selected.more {
        let read = selected.rows.len();
        let why = if read == NEWEST { String::new() } else { ", as they are large".to_owned() };
        notes.push(clean(&format!("there are more rows: the newest {read} were read{why}"), LABEL_CAP).into_owned());
    }
    // The order of a log: what comes later is newer.
    all.reverse();
    let answer = answer(all, broken, notes);
    // Of the oldest moment some rows may not have been read: what is known of it stays.
    let oldest =
        answer.deployments.last().filter(|_| selected.more).and_then(|one| one.at.checked_add(SignedDuration::from_micros(1)).ok());
    Ok((answer, oldest.unwrap_or(Timestamp::MIN)))
}

/// A row as an object. Of two columns with one name the first counts.
fn object(columns: &[String], row: &Row) -> Value {
    let mut object = Map::new();
    for (name, value) in columns.iter().zip(row) {
        let value = value.as_deref().and_then(|text| serde_json::from_str(text).ok());
        if let (Some(value), false) = (value, object.contains_key(name)) {
            object.insert(name.clone(), value);
        }
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_an_object_and_what_is_no_value_is_not_in_it() {
        let columns = ["a", "a", "b", "c"].map(str::to_owned);
        let row = [Some("1".to_owned()), Some("2".to_owned()), None, Some("[1, \"x\"".to_owned())].to_vec();
        assert_eq!(object(&columns, &row), serde_json::json!({ "a": 1 }));
    }
}
