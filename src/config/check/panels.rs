//! Rules about panels: what is asked, and thresholds that can be told apart. Runbooks too.

use toml::Spanned;

use super::super::raw::Raw;
use super::super::report::Report;
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
        if let (Some(warn), Some(critical)) = (&panel.warn, &panel.critical)
            && warn.get_ref() == critical.get_ref()
        {
            let hint = "leave `warn` out, or put it below `critical`, or above where low values are the bad ones";
            report.hint(critical.span().start, "`critical` equals `warn`, so it would never be a warning", hint);
        }
    }
}

/// Every runbook is a path or an address that can be shown.
pub(super) fn runbooks(raw: &Raw, report: &mut Report<'_>) {
    for runbook in raw.service.iter().filter_map(|s| s.get_ref().runbook.as_ref()) {
        if runbook.get_ref().trim().is_empty() {
            report.at(runbook.span().start, "`runbook` is empty");
        } else if runbook.get_ref().chars().any(is_hostile) {
            report.at(runbook.span().start, "`runbook` holds a control, invisible or direction-changing character");
        }
    }
}
