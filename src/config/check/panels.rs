//! Rules about panels: queries that can be shown, and thresholds that can be told apart.

use toml::Spanned;

use super::super::raw::Raw;
use super::super::report::Report;
use super::is;
use crate::model::text::is_hostile;

/// Every query asks something, in text that can be shown.
pub(super) fn queries(raw: &Raw, report: &mut Report<'_>) {
    for query in raw.panel.iter().filter_map(|p| p.get_ref().query.as_ref()) {
        let text = query.get_ref();
        if text.trim().is_empty() {
            report.hint(query.span().start, "`query` is empty", "PromQL, such as `query = 'up'`");
        } else if text.chars().any(|c| is_hostile(c) && !matches!(c, '\n' | '\r' | '\t')) {
            report.at(query.span().start, "`query` holds a control, invisible or direction-changing character");
        }
    }
}

/// Thresholds are numbers, and warning and critical are not the same one: the order of the two says which
/// direction is bad.
pub(super) fn thresholds(raw: &Raw, report: &mut Report<'_>) {
    for panel in raw.panel.iter().map(Spanned::get_ref) {
        for (key, limit) in [("warn", &panel.warn), ("critical", &panel.critical)] {
            if let Some(limit) = limit.as_ref().filter(|l| !l.get_ref().is_finite()) {
                report.at(limit.span().start, format!("`{key}` must be a number that a value can reach"));
            }
        }
        if is(&panel.unit, "moment")
            && let Some(limit) = panel.warn.as_ref().or(panel.critical.as_ref())
        {
            let hint = "add a [[rule]] with `older_than`, such as `older_than = \"1h\"`";
            report.hint(limit.span().start, "a moment has an age, which `warn` and `critical` do not judge", hint);
        }
        if let (Some(warn), Some(critical)) = (&panel.warn, &panel.critical)
            && warn.get_ref() == critical.get_ref()
        {
            let hint = "leave `warn` out, or put it below `critical`, or above where low values are the bad ones";
            report.hint(critical.span().start, "`critical` equals `warn`, so it would never be a warning", hint);
        }
    }
}
