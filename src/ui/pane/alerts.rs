//! The Alerts pane: one line each, the worst first, or by Alertmanager's own groups.

use crate::app::mark::{self, state_cell};
use crate::app::marks;
use crate::app::state::{AlertRow, State};
use crate::app::when;
use crate::model::alert::{Alert, Apart, Origin};
use crate::model::estate::Severity;
use crate::model::preferences::Token;
use crate::model::reading::Freshness;
use crate::ui::frame;
use crate::ui::widget::canvas::Canvas;

const SEVERITY: u16 = 2;
/// Columns below which nothing can be told in a summary.
const ROOM: u16 = 10;

/// Where the columns are that depend on the width.
struct Columns {
    state: u16,
    age: u16,
    name: u16,
    summary: u16,
    source: u16,
    /// True where words are short and the source is told by who speaks there: names need the room.
    narrow: bool,
}

impl Columns {
    /// `[undelivered] ?` and a space lie between state and age.
    fn of(width: u16) -> Columns {
        match width {
            120.. => Columns { state: 13, age: 29, name: 34, summary: 66, source: width - 16, narrow: false },
            // On the narrowest screens the summary has no room.
            _ => {
                let source = width.saturating_sub(4);
                Columns { state: 9, age: 25, name: 30, summary: source.min(59), source, narrow: true }
            }
        }
    }
}

/// The severity's word where there is little room.
fn short(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "crit",
        Severity::Warning => "warn",
        Severity::Unknown | Severity::Info | Severity::Ok => severity.word(),
    }
}

/// Who told of it, where there is little room.
fn speaker(origin: Origin) -> &'static str {
    match origin {
        Origin::Alertmanager => "am",
        Origin::Prometheus => "prom",
        Origin::Quarterdeck => "qd",
    }
}

/// Draws the pane between the fixed lines.
pub fn draw(canvas: &mut Canvas, state: &State) {
    let columns = Columns::of(canvas.area.width);
    let shown = || state.alert_rows.iter().filter(|r| matches!(r, AlertRow::Alert(_))).count();
    let all = state.shown().alerts.len();
    let mut chips = vec![frame::chip(&state.alerts.filter.text, shown, all)];
    chips.push(marks::chip(state));
    if !state.show_muted {
        chips.push("muted hidden".into());
    }
    chips.retain(|c| !c.is_empty());
    let heads = [
        (SEVERITY, if columns.narrow { "SEV" } else { "SEVERITY" }),
        (columns.state, "STATE"),
        (columns.age, "AGE"),
        (columns.name, "NAME"),
        (columns.summary, if columns.summary < columns.source { "SUMMARY" } else { "" }),
        (columns.source, if columns.narrow { "BY" } else { "SOURCE" }),
    ];
    frame::heads(canvas, &heads, &chips.join("  "));
    if state.alert_rows.is_empty() {
        empty(canvas, state, all);
    }
    let height = usize::from(canvas.area.height - 4);
    let rows = state.alert_rows.iter().enumerate().skip(state.alerts.list.offset).take(height);
    for (line, (place, row)) in rows.enumerate() {
        let y = 3 + line as u16;
        match row {
            AlertRow::Group(text) => {
                canvas.put(0, y, canvas.area.width, text, Token::Title);
            }
            AlertRow::Alert(index) => {
                let selected = state.alerts.list.selected.is_some() && place == state.alerts.list.row;
                if let Some(alert) = state.shown().alerts.get(*index) {
                    alert_row(canvas, state, y, alert, selected);
                }
            }
        }
    }
}

/// No row is good news only where someone was heard who could have said otherwise.
fn empty(canvas: &mut Canvas, state: &State, all: usize) {
    let fresh = state.shown_readings().iter().any(|r| r.freshness(state.now) == Freshness::Fresh);
    let (text, token) = match (all > 0, fresh) {
        (true, _) => ("No alert matches", Token::Dim),
        (false, true) => ("No alerts", Token::Dim),
        (false, false) => ("? Nothing is known: no source is fresh", Token::Unknown),
    };
    canvas.put(SEVERITY, 3, canvas.area.width, text, token);
}

/// What tells it from others of its name comes before its summary, where that does not say it within the room that it has:
/// rules are written for a mail with all labels in it, and rows that are all alike tell nothing.
fn told_apart<'a>(telling: impl Iterator<Item = (&'a str, &'a str)>, summary: String, room: usize) -> String {
    let seen: String = summary.chars().take(room).collect();
    let word = |c: char| c.is_alphanumeric() || "._-".contains(c);
    let alone = |from: usize, to: usize| !seen[..from].ends_with(word) && !seen[to..].starts_with(word);
    let says = |value: &str| seen.match_indices(value).any(|(at, _)| alone(at, at + value.len()));
    let left: Vec<String> = telling.filter(|(_, value)| !says(value)).map(|(name, value)| Apart::word(name, value)).collect();
    if left.is_empty() { summary } else { format!("{}: {summary}", left.join(" ")) }
}

/// Of a finding of our own, which series it is of comes first and its panel not at all: all findings of a rule begin alike,
/// and end with what tells them apart, where it would be cut off.
fn which_first(alert: &Alert, summary: String) -> String {
    if alert.origin != Origin::Quarterdeck {
        return summary;
    }
    let panel = alert.annotations.get("panel").unwrap_or_default();
    let rest = summary.strip_prefix(panel).filter(|_| !panel.is_empty()).unwrap_or(&summary);
    let rest = rest.strip_prefix(" is ").or_else(|| rest.strip_prefix(": ")).unwrap_or(rest);
    match rest.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")) {
        Some((said, which)) if which.contains('=') => format!("{which}: {said}"),
        _ => rest.to_owned(),
    }
}

fn alert_row(canvas: &mut Canvas, state: &State, y: u16, alert: &Alert, selected: bool) {
    let Columns { state: state_at, age, name, summary, source, narrow } = Columns::of(canvas.area.width);
    if selected {
        canvas.put(0, y, 1, ">", Token::Selected);
    }
    if state.marks.has(&alert.id) {
        canvas.put(1, y, 1, "*", Token::Key);
    }
    let (glyph, mut token) = mark::alert(alert);
    let (word, state_token) = state_cell(state, alert);
    if state_token == Token::Unknown {
        token = Token::Unknown;
    }
    let severity = if narrow { short(alert.severity) } else { alert.severity.word() };
    canvas.put(SEVERITY, y, state_at - SEVERITY - 1, &format!("{glyph} {severity}"), token);
    canvas.put(state_at, y, age - state_at - 1, &word, state_token);
    canvas.put(age, y, name - age - 1, &when::ago(state, alert.starts_at), Token::Dim);
    let apart = &state.shown().apart;
    // Where summaries have no room it stands with the name.
    let room = source.saturating_sub(summary + 1);
    let called = if room < ROOM { format!("{} {}", alert.name(), apart.line(alert)) } else { alert.name().to_owned() };
    canvas.put(name, y, summary - name - 1, called.trim_end(), if selected { Token::Selected } else { Token::Text });
    let told = alert.summary();
    let told = if narrow { which_first(alert, told) } else { told };
    // A finding of our own begins with it already.
    let telling = apart.telling(alert).filter(|_| !narrow || alert.origin != Origin::Quarterdeck);
    canvas.put(summary, y, room, &told_apart(telling, told, room.into()), Token::Text);
    // Whose reading a finding of our own judges comes after who found it.
    let told_by = match (narrow, alert.origin) {
        (true, origin) => speaker(origin),
        (false, Origin::Quarterdeck) => &format!("qd:{}", alert.source),
        (false, _) => &*alert.source,
    };
    canvas.put(source, y, canvas.area.width - source, told_by, Token::Dim);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::alert::AlertState;
    use crate::model::alert::tests::alert;
    use crate::model::label::Labels;
    use std::sync::Arc;

    #[test]
    fn what_tells_an_alert_from_others_of_its_name_comes_first_unless_its_summary_says_it_in_time() {
        let full = || "Disk of web3:9100 is full".to_owned();
        let host = || [("instance", "web3:9100")].into_iter();
        assert_eq!(told_apart(host(), full(), 40), "Disk of web3:9100 is full");
        assert_eq!(told_apart(host(), full(), 16), "web3:9100: Disk of web3:9100 is full", "what is cut off is not said");
        let other = "Disk of web3:91000 is full".to_owned();
        assert_eq!(told_apart(host(), other, 40), "web3:9100: Disk of web3:91000 is full", "another is not it");
        let device = host().chain([("device", "sda")]);
        assert_eq!(told_apart(device, full(), 40), "device=sda: Disk of web3:9100 is full");
        assert_eq!(told_apart([].into_iter(), full(), 16), full());
    }

    #[test]
    fn where_there_is_little_room_a_finding_begins_with_what_tells_it_from_the_others_of_its_rule() {
        let mut found = alert(&[("alertname", "the outbox is stuck")], AlertState::Firing, 1);
        let of = Arc::make_mut(&mut found);
        of.origin = Origin::Quarterdeck;
        of.annotations = Labels::new([("panel", "north outbox")]);
        for (summary, told) in [
            ("north outbox is 50, above 20 for 2s (partition=17)", "partition=17: 50, above 20 for 2s"),
            ("north outbox is 50, above 20 for 2s", "50, above 20 for 2s"),
            ("no point can be used (all are broken)", "no point can be used (all are broken)"),
        ] {
            assert_eq!(which_first(&found, summary.to_owned()), told);
        }
        let theirs = alert(&[("alertname", "a")], AlertState::Firing, 1);
        assert_eq!(which_first(&theirs, "full (disk=a)".to_owned()), "full (disk=a)", "what others wrote stays");
    }
}
