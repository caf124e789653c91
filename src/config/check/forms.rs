//! Rules about what a panel asks: one thing, in the language of its source, that can be computed from what is kept.

use std::collections::HashSet;

use jiff::SignedDuration;
use toml::Spanned;

use super::super::form::{Written, written};
use super::super::raw::{Raw, RawPanel, RawSource, text};
use super::super::report::Report;
use super::super::timing;
use super::names::is_label_name;
use super::sources::{duration, spoken};
use super::{is, named};
use crate::model::selector::Selector;
use crate::model::text::is_hostile;

/// The most bytes of a selector.
const LONGEST: usize = 4_096;

/// Every panel asks one thing, and in the language of its source.
pub(super) fn one_each(raw: &Raw, report: &mut Report<'_>) {
    for panel in &raw.panel {
        let (table, panel) = (panel.span().start, panel.get_ref());
        let kind = source_of(raw, panel).and_then(|s| text(&s.kind)).filter(|kind| super::KINDS.contains(kind));
        let here = matches!(kind, Some("exposition" | "probe"));
        let mut asked: Vec<(&str, usize)> = written(panel).iter().map(|form| (form.key, form.at)).collect();
        asked.extend(panel.query.iter().map(|q| ("query", q.span().start)));
        asked.sort_by_key(|(_, at)| *at);
        match asked.as_slice() {
            [] if ["query", "value", "rate", "ratio", "quantile"].iter().any(|key| report.lost(table, key)) => {}
            [] if here => report.hint(
                table,
                "this [[panel]] asks nothing",
                "one of `value`, `rate`, `ratio` or `quantile`, such as `rate = \"http_requests_total\"`",
            ),
            [] => report.hint(table, "`query` is missing in this [[panel]]", "PromQL, such as `query = 'up'`"),
            [(first, _), rest @ ..] => {
                for (key, at) in rest {
                    report.hint(*at, format!("`{first}` and `{key}` are both given"), "a panel asks one thing: make two panels");
                }
            }
        }
        for (key, at) in asked {
            match kind {
                Some(kind) if here && key == "query" => {
                    let article = if kind == "exposition" { "an" } else { "a" };
                    report.hint(
                        at,
                        format!("{article} {kind} answers no PromQL"),
                        "use one of `value`, `rate`, `ratio` or `quantile`, such as `rate = \"http_requests_total\"`",
                    );
                }
                Some("prometheus") if key != "query" => {
                    report.hint(at, format!("`{key}` is for an exposition or a probe"), "a prometheus is asked in PromQL: `query = 'up'`");
                }
                _ => {}
            }
        }
    }
}

fn source_of<'r>(raw: &'r Raw, panel: &RawPanel) -> Option<&'r RawSource> {
    let name = text(&panel.source)?;
    raw.source.iter().map(Spanned::get_ref).find(|s| is(&s.name, name))
}

/// Every form can be computed: its selectors, its time, its quantile and its labels.
pub(super) fn computable(raw: &Raw, report: &mut Report<'_>) {
    for panel in raw.panel.iter().map(Spanned::get_ref) {
        for form in written(panel) {
            selectors(report, &form);
            by(report, &form);
            quantile(report, &form);
            over(report, &form, source_of(raw, panel));
        }
    }
}

fn selectors(report: &mut Report<'_>, form: &Written<'_>) {
    let key = form.key;
    match form.of {
        None if report.lost(form.at, "of") => {}
        None => {
            report.hint(form.at, format!("`of` is missing in this `{key}`"), format!("such as `{key} = {{ of = \"{}\" }}`", sample(key)))
        }
        Some((of, at)) => {
            if let Some(selector) = selector(report, "of", of, at)
                && key == "quantile"
                && let Some(base) = selector.metric.strip_suffix("_bucket")
            {
                report.hint(at, "the name of the histogram itself is needed, not that of its buckets", format!("write `{base}`"));
            }
        }
    }
    if let Some(to) = form.to {
        selector(report, "to", to.get_ref(), to.span().start);
    }
}

fn sample(key: &str) -> &'static str {
    match key {
        "value" => "process_open_fds",
        "quantile" => "http_request_duration_seconds",
        _ => "http_requests_total",
    }
}

fn selector(report: &mut Report<'_>, key: &str, text: &str, at: usize) -> Option<Selector> {
    if text.len() > LONGEST {
        report.at(at, format!("this selector is longer than {LONGEST} bytes"));
    } else if text.chars().any(|c| is_hostile(c) && !matches!(c, '\n' | '\r' | '\t')) {
        report.at(at, "the selector holds a control, invisible or direction-changing character");
    } else {
        match Selector::parse(text) {
            Ok(selector) => return Some(selector),
            Err(what) => report.hint(
                at,
                format!("`{key}` is no selector: {what}"),
                "a metric's name and matchers, such as `http_requests_total{code=~\"5..\"}`",
            ),
        }
    }
    None
}

fn by(report: &mut Report<'_>, form: &Written<'_>) {
    let mut seen = HashSet::new();
    for label in form.by.iter().flat_map(|by| by.get_ref()) {
        let (at, name) = (label.span().start, label.get_ref());
        if !is_label_name(name) {
            report.hint(at, format!("`{name}` is no name of a label"), "letters, digits and `_`, and no digit first");
        } else if form.key == "quantile" && name == "le" {
            report.at(at, "`le` is what tells the buckets apart: lines cannot be told apart by it");
        } else if !seen.insert(name) {
            report.at(at, format!("`{name}` is named twice in `by`"));
        }
    }
}

fn quantile(report: &mut Report<'_>, form: &Written<'_>) {
    match form.q {
        _ if form.key != "quantile" => {}
        None if report.lost(form.at, "q") => {}
        None => report.hint(form.at, "`q` is missing in this `quantile`", "such as `q = 0.95`"),
        Some(q) if !(0.0..=1.0).contains(q.get_ref()) => report.hint(q.span().start, "`q` is a number from 0 to 1", "such as 0.95"),
        Some(_) => {}
    }
}

/// Two samples make an increase, so the time holds two tries; and it reaches no further back than samples are kept.
fn over(report: &mut Report<'_>, form: &Written<'_>, source: Option<&RawSource>) {
    let Some(over) = form.over else { return };
    let at = over.span().start;
    let Some(time) = duration(report, over) else { return };
    let source = source.filter(|s| is(&s.kind, "exposition") || is(&s.kind, "probe"));
    if let Some((every, keep)) = source.and_then(|s| timing::every(s).zip(timing::keep(s))) {
        if time < every.saturating_mul(2) {
            let what = format!("`over` is too short: two tries of the source take {}", spoken(every.saturating_mul(2)));
            report.hint(at, what, format!("at the least {}", spoken(every.saturating_mul(2))));
        } else if time > keep {
            report.hint(at, format!("`over` is longer than samples are kept: {}", spoken(keep)), "raise `keep` of the source");
        }
    } else if time < SignedDuration::from_secs(1) {
        report.at(at, "`over` is too short: 1s at the least");
    }
}

/// A panel's own site is one of its service's, or of its source's service where it names none.
pub(super) fn places(raw: &Raw, report: &mut Report<'_>) {
    for source in raw.source.iter().map(Spanned::get_ref) {
        let at = named(&source.site).map(|(_, at)| at);
        runs_there(raw, report, text(&source.service), text(&source.site), at);
    }
    for database in raw.database.iter().map(Spanned::get_ref) {
        let at = named(&database.site).map(|(_, at)| at);
        runs_there(raw, report, text(&database.service), text(&database.site), at);
    }
    for panel in raw.panel.iter().map(Spanned::get_ref) {
        let source = source_of(raw, panel);
        let service = text(&panel.service).or_else(|| source.and_then(|s| text(&s.service)));
        let site = text(&panel.site).or_else(|| source.and_then(|s| text(&s.site)));
        // What the source alone has wrong is told there.
        let at = named(&panel.site).or(named(&panel.service)).map(|(_, at)| at);
        runs_there(raw, report, service, site, at);
    }
}

fn runs_there(raw: &Raw, report: &mut Report<'_>, service: Option<&str>, site: Option<&str>, at: Option<usize>) {
    let (Some(service), Some(site), Some(at)) = (service, site, at) else { return };
    let Some(sites) = raw.service.iter().map(Spanned::get_ref).find(|s| is(&s.name, service)).and_then(|s| s.sites.as_ref()) else {
        return;
    };
    let sites: Vec<&str> = sites.get_ref().iter().map(|s| s.get_ref().as_str()).collect();
    let known = raw.site.iter().any(|s| is(&s.get_ref().name, site));
    if known && !sites.is_empty() && !sites.contains(&site) {
        report.choice(at, format!("the service `{service}` does not run at the site `{site}`"), site, &sites);
    }
}
