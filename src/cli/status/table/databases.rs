//! The databases of `qd status`: a line for each node, as it told of itself.

use crate::model::database::{Database, DatabaseAnswer, Node};
use crate::model::estate::{Severity, SourceKind};
use crate::model::metric;
use crate::model::panel::Unit;
use crate::model::reading::Freshness;
use crate::model::source::Answer;

use super::super::Report;
use super::{ago, row};

pub(super) fn rows(report: &Report<'_>) -> Vec<Vec<String>> {
    let head = row(&["NAME", "NODE", "ROLE", "STATE", "LAG", "HOLDS", "TL", "CLIENTS", "ARCHIVE"]);
    let mut rows = vec![head];
    for (source, reading) in report.estate.sources.iter().zip(report.readings) {
        let SourceKind::Database(database) = &source.kind else { continue };
        let answer = match reading.held.as_ref().map(|held| &held.value) {
            Some(Answer::Database(answer)) if reading.freshness(report.at) == Freshness::Fresh => Some(answer),
            _ => None,
        };
        for (place, at) in database.nodes.iter().enumerate() {
            let node = answer.and_then(|answer| answer.nodes.get(place));
            let mut line = row(&[&source.name, &at.name]);
            line.extend(match (answer, node) {
                (Some(answer), Some(node)) => self::node(report, database, answer, node),
                _ => row(&["?", &format!("? {}", reading.freshness(report.at).word())]),
            });
            rows.push(line);
        }
    }
    if rows.len() > 1 { rows } else { Vec::new() }
}

/// From the role on. What it lacks against the primary is bytes; the age of its newest commit is no lag.
fn node(report: &Report<'_>, database: &Database, answer: &DatabaseAnswer, node: &Node) -> Vec<String> {
    let Some(said) = &node.said else {
        // The reason is long: it is told among what needs a person.
        return row(&["?", if node.refused { "! refused" } else { "! gone" }]);
    };
    let marked = |(severity, word): (Severity, &str)| match severity {
        Severity::Critical => format!("X {word}"),
        Severity::Warning => format!("! {word}"),
        Severity::Unknown => format!("? {word}"),
        Severity::Ok | Severity::Info => word.to_owned(),
    };
    let lag = match answer.lag(said) {
        _ if !said.in_recovery => "-".to_owned(),
        Some(lag) => {
            let seconds = lag.seconds.map_or(String::new(), |s| format!(", {}", metric::show(s, Unit::Seconds)));
            let text = format!("{}{seconds}", metric::show(lag.bytes as f64, Unit::Bytes));
            lag.severity(database).map_or_else(|| text.clone(), |severity| marked((severity, &text)))
        }
        None => "?".to_owned(),
    };
    let holds = match said.newest_commit {
        _ if !said.in_recovery => "-".to_owned(),
        Some(_) => ago(report, said.newest_commit),
        None => "?".to_owned(),
    };
    let clients = format!("{}/{}", said.connections.map_or("?".to_owned(), |n| n.to_string()), said.max_connections);
    vec![
        said.role().to_owned(),
        marked(answer.doing(said)),
        lag,
        holds,
        said.timeline.map_or("?".to_owned(), |timeline| timeline.to_string()),
        clients,
        said.archiving().map_or("-".to_owned(), marked),
    ]
}
