//! A deployment as it is written for other programs: in JSON, and in the columns of a CSV.

use jiff::Timestamp;
use serde::Serialize;

use super::{Dated, Deployment, Ending, Trigger};

/// One deployment.
#[derive(Debug, Serialize)]
pub struct Record<'a> {
    id: Option<&'a str>,
    service: &'a str,
    site: Option<&'a str>,
    environment: Option<&'a str>,
    from: Option<&'a str>,
    version: Option<&'a str>,
    who: Option<&'a str>,
    time: Timestamp,
    time_from: Dated,
    took_seconds: Option<f64>,
    source: Option<Trigger>,
    result: Option<Ending>,
    commit: Option<&'a str>,
    first_commit: Option<Timestamp>,
    links: &'a [String],
    reason: Option<&'a str>,
    approvals: &'a [String],
    incidents: &'a [String],
    restored: Option<Timestamp>,
    fixes: Option<&'a str>,
    unplanned: Option<bool>,
    told_by: Vec<&'a str>,
    differs: &'a [String],
}

/// The record of a deployment.
pub fn record(of: &Deployment) -> Record<'_> {
    Record {
        id: of.id.as_deref(),
        service: &of.service,
        site: of.site.as_deref(),
        environment: of.environment.as_deref(),
        from: of.from.as_deref(),
        version: of.to.as_deref(),
        who: of.who.as_deref(),
        time: of.at,
        time_from: of.dated,
        took_seconds: of.took.map(|took| took.as_secs_f64()),
        source: of.trigger,
        result: of.result,
        commit: of.commit.as_deref(),
        first_commit: of.first_commit,
        links: &of.links,
        reason: of.reason.as_deref(),
        approvals: &of.approvals,
        incidents: &of.incidents,
        restored: of.restored,
        fixes: of.fixes.as_deref(),
        unplanned: of.unplanned,
        told_by: of.told_by.iter().map(|name| &**name).collect(),
        differs: &of.differs,
    }
}

/// The columns of a CSV.
pub const COLUMNS: [&str; 23] = [
    "time",
    "service",
    "site",
    "environment",
    "from",
    "version",
    "who",
    "result",
    "took_seconds",
    "source",
    "id",
    "commit",
    "first_commit",
    "links",
    "reason",
    "approvals",
    "incidents",
    "restored",
    "fixes",
    "unplanned",
    "time_from",
    "told_by",
    "differs",
];

/// The cells of a CSV's row. What is not known is empty.
pub fn cells(of: &Deployment) -> [String; 23] {
    let text = |text: &Option<String>| text.as_deref().map(safe).unwrap_or_default();
    let moment = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let list = |all: &[String]| safe(&all.join(" "));
    [
        of.at.to_string(),
        safe(&of.service),
        text(&of.site),
        text(&of.environment),
        text(&of.from),
        text(&of.to),
        text(&of.who),
        of.result.map(|result| result.word().to_owned()).unwrap_or_default(),
        of.took.map(|took| took.as_secs_f64().to_string()).unwrap_or_default(),
        of.trigger.map(|trigger| trigger.word().to_owned()).unwrap_or_default(),
        text(&of.id),
        text(&of.commit),
        moment(of.first_commit),
        list(&of.links),
        text(&of.reason),
        list(&of.approvals),
        list(&of.incidents),
        moment(of.restored),
        text(&of.fixes),
        of.unplanned.map(|unplanned| unplanned.to_string()).unwrap_or_default(),
        match of.dated {
            Dated::Record => "record",
            Dated::File => "file",
            Dated::Tag => "tag",
        }
        .to_owned(),
        safe(&of.told_by.iter().map(|name| &**name).collect::<Vec<_>>().join(" ")),
        safe(&of.differs.join("; ")),
    ]
}

/// A cell that a spreadsheet takes for text: one that begins like a formula would be run (OWASP, "CSV Injection").
fn safe(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_like_a_formula_is_text_and_every_cell_has_its_column() {
        let mut one = Deployment::new("=1+1", Timestamp::UNIX_EPOCH, Dated::Record, "@log");
        one.reason = Some("-2".into());
        one.who = Some("a=b".into());
        let cells = cells(&one);
        let cell = |name: &str| cells[COLUMNS.iter().position(|column| *column == name).unwrap()].as_str();
        assert_eq!((cell("service"), cell("reason"), cell("who"), cell("told_by")), ("'=1+1", "'-2", "a=b", "'@log"));
        assert_eq!((cell("time"), cell("result"), cell("time_from")), ("1970-01-01T00:00:00Z", "", "record"));
    }
}
