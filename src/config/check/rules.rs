//! Rules about `[[rule]]`: each has one condition, which its panel's numbers can meet.

use jiff::SignedDuration;
use toml::Spanned;

use super::super::raw::{Key, Raw, RawRule, text};
use super::super::report::Report;
use super::is;
use super::sources::{duration, spoken};

/// The longest time that a rule may name.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Every rule has one condition.
pub(super) fn one_condition(raw: &Raw, report: &mut Report<'_>) {
    for rule in &raw.rule {
        let (table, rule) = (rule.span().start, rule.get_ref());
        let mut given = conditions(rule);
        given.sort_by_key(|(_, at)| *at);
        match given.as_slice() {
            [] if ["above", "below", "older_than", "full", "within"].iter().any(|key| report.lost(table, key)) => {}
            [] => report.hint(
                table,
                "this [[rule]] has no condition",
                "one of `above`, `below`, `older_than`, or `full` with `within`, such as `above = 1000`",
            ),
            [(first, _), rest @ ..] => {
                for (key, at) in rest {
                    report.hint(*at, format!("`{first}` and `{key}` are both given"), "a rule has one condition: make two rules");
                }
            }
        }
        match (&rule.full, &rule.within) {
            _ if given.len() > 1 => {}
            (Some(full), None) if !report.lost(table, "within") => {
                report.hint(full.span().start, "`full` without `within`", "the time that must be left, such as `within = \"4h\"`");
            }
            (None, Some(within)) if !report.lost(table, "full") => {
                report.hint(within.span().start, "`within` without `full`", "the value that is full, such as `full = 1.0`");
            }
            _ => {}
        }
    }
}

/// The conditions that are given, `full` and `within` being one.
fn conditions(rule: &RawRule) -> Vec<(&'static str, usize)> {
    fn at<T>(key: &Key<T>) -> Option<usize> {
        key.as_ref().map(|k| k.span().start)
    }
    let full = if rule.full.is_some() { ("full", at(&rule.full)) } else { ("within", at(&rule.within)) };
    [("above", at(&rule.above)), ("below", at(&rule.below)), ("older_than", at(&rule.older_than)), full]
        .into_iter()
        .filter_map(|(key, at)| at.map(|at| (key, at)))
        .collect()
}

/// Numbers can be reached, times can be read, and moments are judged by their age and nothing else is.
pub(super) fn can_be_met(raw: &Raw, report: &mut Report<'_>) {
    for rule in raw.rule.iter().map(Spanned::get_ref) {
        for (key, limit) in [("above", &rule.above), ("below", &rule.below), ("full", &rule.full)] {
            if let Some(limit) = limit.as_ref().filter(|l| !l.get_ref().is_finite()) {
                report.at(limit.span().start, format!("`{key}` must be a number that a value can reach"));
            }
        }
        for (key, time) in [("older_than", &rule.older_than), ("within", &rule.within), ("for", &rule.holds)] {
            let Some(time) = time else { continue };
            match duration(report, time) {
                Some(d) if d.is_zero() && key != "for" => report.at(time.span().start, format!("`{key}` is too short")),
                Some(d) if d > LONGEST => report.at(time.span().start, format!("`{key}` is too long: {} at the most", spoken(LONGEST))),
                _ => {}
            }
        }
        let panel = text(&rule.panel).and_then(|name| raw.panel.iter().map(Spanned::get_ref).find(|p| is(&p.name, name)));
        let Some(panel) = panel else { continue };
        let moment = is(&panel.unit, "moment");
        let name = text(&panel.name).unwrap_or_default();
        match &rule.older_than {
            Some(older) if !moment => {
                let what = format!("`older_than` is for panels of unit `moment`, and `{name}` is none");
                report.hint(older.span().start, what, "`above` or `below` judges a number");
            }
            _ => {}
        }
        for (key, at) in conditions(rule).into_iter().filter(|(key, _)| moment && *key != "older_than") {
            report.hint(
                at,
                format!("`{key}` judges a number, and the panel `{name}` is a moment"),
                "use `older_than`, such as `older_than = \"1h\"`",
            );
        }
    }
}
