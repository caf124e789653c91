//! A chart as text: what it shows in words, its numbers as CSV, and a typed query as a panel of the estate file.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::app::deployments::share::COPY_CAP;
use crate::app::state::State;
use crate::model::age;
use crate::model::metric::{Plot, Series, show};
use crate::model::panel::{Ask, Panel};
use crate::model::text::clean;

use super::shown;

/// RFC 3339 in UTC, to the second.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What the chart shows: its window, and of each series the value at the cursor, the smallest, the largest and the last;
/// below it the numbers as CSV, where that is short enough to be copied. Times are in UTC: who reads it may sit elsewhere.
pub fn text(state: &State, name: &str, cursor: Option<Timestamp>) -> Option<String> {
    let shown = shown(state, name)?;
    let plot = shown.plot.as_deref()?;
    let unit = shown.panel.unit;
    let live = if shown.live { "live" } else { "not live" };
    let mut text = format!("{name}\n{}: {}\n", shown.panel.source, shown.panel.ask);
    let step = age::exact(jiff::SignedDuration::from_secs(plot.step));
    let _ = writeln!(text, "{} to {}, step {step}, {live}", time(plot.start), time(plot.end()));
    let at = cursor.and_then(|at| index(plot, at));
    if let Some(at) = at {
        let _ = writeln!(text, "cursor at {}", time(plot.time(at)));
    }
    for one in &plot.series {
        let known = || one.points.iter().flatten().copied().filter(|value| !value.is_nan());
        let value = |value: Option<f64>| value.map_or("no sample".to_owned(), |value| show(value, unit));
        let cursor = at.map_or(String::new(), |at| format!("at cursor {}, ", value(one.points.get(at).copied().flatten())));
        let last = one.points.iter().rev().flatten().next().copied();
        let labels = one.labels.short();
        let labels = if labels.is_empty() { name } else { &labels };
        let (least, most) = (known().reduce(f64::min), known().reduce(f64::max));
        let _ = writeln!(text, "  {labels}: {cursor}min {}, max {}, last {}", value(least), value(most), value(last));
    }
    if plot.dropped > 0 {
        let _ = writeln!(text, "  and {} more series that are not here", plot.dropped);
    }
    text = text.lines().map(|line| format!("{}\n", clean(line, COPY_CAP / 4))).collect();
    let csv = csv(plot);
    if text.len() + csv.len() < COPY_CAP {
        text += &csv;
    } else {
        text += "The numbers are too many to copy: write them to a file.\n";
    }
    Some(text)
}

/// The step nearest to a moment.
fn index(plot: &Plot, at: Timestamp) -> Option<usize> {
    let last = plot.len.checked_sub(1)?;
    let step = plot.step.max(1);
    let away = at.as_second().saturating_sub(plot.start.as_second()).saturating_add(step / 2).div_euclid(step);
    Some(usize::try_from(away.max(0)).unwrap_or(last).min(last))
}

/// The numbers of a plot: a line per step with its time (RFC 3339, UTC), a column per series; a gap is empty, a sample
/// that is not a number is `NaN`.
pub fn csv(plot: &Plot) -> String {
    let mut text = String::from("time");
    for one in &plot.series {
        text += ",";
        text += &quoted(&head(one));
    }
    text += "\n";
    for at in 0..plot.len {
        text += &time(plot.time(at));
        for one in &plot.series {
            text += ",";
            if let Some(value) = one.points.get(at).copied().flatten() {
                let _ = match value {
                    value if value == f64::INFINITY => write!(text, "+Inf"),
                    value if value == f64::NEG_INFINITY => write!(text, "-Inf"),
                    value => write!(text, "{value}"),
                };
            }
        }
        text += "\n";
    }
    text
}

/// A series by its labels, as a person reads them; one without labels is `value`.
fn head(one: &Series) -> String {
    let labels: Vec<String> = one.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if labels.is_empty() { "value".to_owned() } else { labels.join(" ") }
}

/// A field of CSV by RFC 4180. One that a spreadsheet would take for a formula begins with an apostrophe.
fn quoted(field: &str) -> String {
    let field = if field.starts_with(['=', '+', '-', '@']) { format!("'{field}") } else { field.to_owned() };
    if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

/// The typed query as a panel, with the place where it goes. The estate file itself is never changed from here.
pub fn snippet(state: &State, panel: &Panel) -> Option<String> {
    let Ask::Promql(query) = &panel.ask else { return None };
    let file = state.estate.path.to_string_lossy();
    Some(format!(
        "# Goes into {}; `qd check` tells whether it is right.\n[[panel]]\nname = \"a name of your own\"\nsource = {}\nquery = {}\nunit = \"{}\"\n",
        clean(&file, COPY_CAP / 4),
        basic(&panel.source),
        basic(query),
        panel.unit.word()
    ))
}

/// A TOML string.
fn basic(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::label::Labels;

    #[test]
    fn a_gap_is_empty_and_names_are_quoted() {
        let one = |labels: &[(&str, &str)], points: Vec<Option<f64>>| Series { labels: Labels::new(labels.iter().copied()), points };
        let series =
            vec![one(&[("path", "a,\"b\"")], vec![Some(0.5), None, Some(f64::NAN)]), one(&[], vec![None, Some(f64::INFINITY), Some(-3.0)])];
        let plot = Plot { start: Timestamp::UNIX_EPOCH, step: 30, len: 3, series, dropped: 0, histograms: 0 };
        let lines =
            ["time,\"path=a,\"\"b\"\"\",value", "1970-01-01T00:00:00Z,0.5,", "1970-01-01T00:00:30Z,,+Inf", "1970-01-01T00:01:00Z,NaN,-3"];
        assert_eq!(csv(&plot), lines.join("\n") + "\n");
        assert_eq!(quoted("=1+1"), "'=1+1");
        assert_eq!(basic("a{b=\"c\\d\"}"), "\"a{b=\\\"c\\\\d\\\"}\"");
    }
}
