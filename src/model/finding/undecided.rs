//! Rules that cannot be judged although their source answers, and why.

use jiff::Timestamp;

use super::has_no_value;
use super::pause::Looks;
use crate::model::estate::Estate;
use crate::model::health::Readings;
use crate::model::metric::PanelAnswer;
use crate::model::panel::Rule;
use crate::model::reading::Freshness;

/// A rule that cannot be judged although its source is fresh.
#[derive(Debug, Clone, PartialEq)]
pub struct Undecided<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Why not.
    pub why: String,
    /// True where nothing is wrong: every value is NaN, as a share of no requests is.
    pub idle: bool,
}

/// Rules that cannot be judged although their source is fresh, each with why. That too few samples are kept yet for the
/// rule's own computation, at the first look or after a time in which nobody looked, is no reason.
pub fn undecidable<'a>(estate: &'a Estate, readings: &Readings, now: Timestamp) -> Vec<Undecided<'a>> {
    let of_rule = |rule: &'a Rule| {
        let panel = estate.panel(&rule.panel)?;
        let place = estate.sources.iter().position(|s| s.name == panel.source)?;
        let reading = readings.get(place)?;
        let held = reading.held.as_ref().filter(|_| reading.freshness(now) == Freshness::Fresh)?;
        if Looks::of(panel, held, reading.every).is_some_and(|looks| looks.is_young(held.as_of)) {
            return None;
        }
        let mut idle = false;
        let why = match held.value.panel(&panel.name) {
            None => format!("{} says nothing about the panel {}", panel.source, panel.name),
            Some(PanelAnswer { error: Some(error), .. }) => format!("the query of the panel {} failed: {error}", panel.name),
            Some(answer) if answer.now.is_empty() => format!("the panel {} has no series", panel.name),
            Some(answer) if has_no_value(answer) => {
                idle = true;
                format!("no traffic to judge, the panel {} is NaN", panel.name)
            }
            Some(answer) if answer.now_dropped > 0 => {
                let all = answer.now.len() + answer.now_dropped;
                format!("the panel {} has {all} series, of which {} are judged", panel.name, answer.now.len())
            }
            Some(_) => return None,
        };
        Some(Undecided { rule, why, idle })
    };
    estate.rules.iter().filter_map(of_rule).collect()
}
