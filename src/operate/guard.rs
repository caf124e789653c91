//! The guard window: after a batch the service's own panels are read for some minutes, and judged by their thresholds and
//! against the same time of the days before. What could not be judged is told, and is never a pass. A panel that was well and
//! turns critical while it lasts ends it early.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch as channel};
use tokio::time::{Instant, timeout_at};

use crate::act::Called;
use crate::model::deployment::did::{Found, SAMPLES, Span, before, judge};
use crate::model::estate::{Estate, Severity};
use crate::model::metric::{Demand, PanelAnswer, show};
use crate::model::panel::{Panel, Unit};
use crate::model::reading::Outcome;
use crate::model::run::CallEnd;
use crate::model::source::Answer;
use crate::watch::{Past, ReportKind, start, windows};

/// How long the days before may be asked for.
const BEFORE: Duration = Duration::from_secs(30);
/// Reports that wait to be taken.
const WAITING: usize = 64;
/// How often it is told how it stands, where nothing comes.
const SAY: Duration = Duration::from_secs(1);
/// Critical values in a row that end it early.
const EARLY: usize = 3;

/// What was seen of one panel: a value and when it was true, or why there was none.
#[derive(Debug, Clone, Default)]
struct Seen {
    values: Vec<(Millis, f64)>,
    error: Option<String>,
}

impl Seen {
    /// The value by which it became critical after it was well, where it stayed so for [`EARLY`] values. What was critical
    /// from the beginning is no reason: rates still hold what was before the act.
    fn turned(&self, panel: &Panel) -> Option<f64> {
        let critical = |value: f64| panel.judge(value) == Severity::Critical;
        let (before, last) = self.values.split_at(self.values.len().checked_sub(EARLY)?);
        let turned = before.iter().any(|(_, value)| !critical(*value)) && last.iter().all(|(_, value)| critical(*value));
        last.last().filter(|_| turned).map(|(_, value)| *value)
    }

    /// All of it in a line.
    fn told(&self, panel: &Panel) -> String {
        let values = || self.values.iter().map(|(_, value)| *value);
        let shown = |value: f64| show(value, unit(panel));
        let text = match (values().reduce(f64::min), values().reduce(f64::max), self.values.last()) {
            (Some(least), Some(most), Some((_, last))) => {
                format!("{}: {} values, {} to {}, last {}", panel.name, self.values.len(), shown(least), shown(most), shown(*last))
            }
            _ => format!("{}: no values", panel.name),
        };
        let limit = panel.critical.map_or("no `critical`".to_owned(), |limit| format!("critical at {}", shown(limit)));
        let error = self.error.as_ref().map_or(String::new(), |why| format!("; {why}"));
        format!("{text}; {limit}{error}")
    }

    /// What it says now: `errors 0.2% of 5%`.
    fn now(&self, panel: &Panel) -> String {
        let value = self.values.last().map_or("?".to_owned(), |(_, value)| show(*value, unit(panel)));
        let limit = panel.critical.map_or(String::new(), |limit| format!(" of {}", show(limit, unit(panel))));
        format!("{} {value}{limit}", panel.name)
    }
}

/// In what its values are shown: a moment is judged by its age.
fn unit(panel: &Panel) -> Unit {
    if panel.unit == Unit::Moment { Unit::Seconds } else { panel.unit }
}

/// Milliseconds since the window began.
type Millis = u64;

/// How one panel is judged.
#[derive(Debug, Clone, PartialEq)]
enum Judged {
    /// It is as it should be, by what is said.
    Well(String),
    /// It is not.
    Bad(String),
    /// Nobody can tell: why.
    Untold(String),
    /// The estate says nothing by which it could be judged, and the days before do not either.
    Unmeasured(String),
}

/// Reads the panels for so long, then judges them; what was read of each is the output. `past` is what earlier starts kept
/// of pages and probes; `say` is told again and again how it stands.
pub async fn guard(estate: &Estate, panels: &[String], seconds: u64, past: &Past, say: impl Fn(String)) -> Called {
    let places: Vec<usize> = (0..estate.panels.len()).filter(|place| panels.contains(&estate.panels[*place].name)).collect();
    if places.len() < panels.len() {
        let why = "the estate file does not have all panels of the plan any more".to_owned();
        return Called { end: CallEnd::Unknown { why }, output: Vec::new() };
    }
    let all: Vec<Panel> = places.iter().map(|place| estate.panels[*place].clone()).collect();
    let (seen, early) = read(estate, &all, Duration::from_secs(seconds), past, say).await;
    let output = all.iter().zip(&seen).map(|(panel, seen)| seen.told(panel)).collect();
    if let Some(why) = early {
        return Called { end: CallEnd::Failed { why }, output };
    }
    let days = days(estate, &places, seconds, past).await;
    let judged = all.iter().zip(&seen).zip(&days).map(|((panel, seen), days)| one(panel, seen, days, seconds.saturating_mul(1_000)));
    Called { end: end(judged.collect(), seconds), output }
}

/// The values of each panel while the window lasts, and why it ended early where it did. Only the sources of these panels
/// are asked.
async fn read(estate: &Estate, panels: &[Panel], window: Duration, past: &Past, say: impl Fn(String)) -> (Vec<Seen>, Option<String>) {
    let asked: Vec<usize> =
        (0..estate.sources.len()).filter(|place| panels.iter().any(|panel| panel.source == estate.sources[*place].name)).collect();
    let narrow = Estate {
        sources: asked.iter().map(|place| estate.sources[*place].clone()).collect(),
        panels: panels.to_vec(),
        rules: Vec::new(),
        ..estate.clone()
    };
    let (began, until) = (Instant::now(), Instant::now() + window);
    let (_demand, demand) = channel::channel(Demand::default());
    let (tell, mut told) = mpsc::channel(WAITING);
    let here: Past = {
        let past = past.clone();
        // The past is asked for by the place in the whole estate.
        let asked = asked.clone();
        Arc::new(move |place| asked.get(place).map(|place| past(*place)).unwrap_or_default())
    };
    let watchers = start(&Arc::new(narrow.clone()), demand, tell, &here);
    let mut all = vec![Seen::default(); panels.len()];
    let mut early = None;
    while early.is_none() {
        let now = Instant::now();
        say(standing(panels, &all, until.saturating_duration_since(now)));
        if now >= until {
            break;
        }
        let report = match timeout_at(until.min(now + SAY), told.recv()).await {
            Ok(Some(report)) => report,
            Ok(None) => break,
            Err(_) => continue,
        };
        let ReportKind::Ended { outcome, .. } = report.kind else { continue };
        let Some(source) = narrow.sources.get(report.source) else { continue };
        let at = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        for (panel, seen) in panels.iter().zip(&mut all).filter(|(panel, _)| panel.source == source.name) {
            match &outcome {
                Outcome::Value { value, .. } => take(panel, value, at, seen),
                Outcome::Failed { what, .. } => seen.error = Some(what.clone()),
            }
        }
        early = turned(panels, &all, Duration::from_millis(at));
    }
    drop(watchers);
    (all, early)
}

/// How it stands: `errors 0.2% of 5%, 40 s left`.
fn standing(panels: &[Panel], all: &[Seen], left: Duration) -> String {
    let told: Vec<String> = panels.iter().zip(all).map(|(panel, seen)| seen.now(panel)).collect();
    format!("{}, {} s left", told.join(", "), left.as_millis().div_ceil(1_000))
}

/// Why it ends before its time.
fn turned(panels: &[Panel], all: &[Seen], after: Duration) -> Option<String> {
    let turned = panels.iter().zip(all).filter_map(|(panel, seen)| {
        let (value, limit) = (seen.turned(panel)?, panel.critical?);
        let (value, limit) = (show(value, unit(panel)), show(limit, unit(panel)));
        Some(format!("{} was well and became critical: {value}, {EARLY} values in a row beyond {limit}", panel.name))
    });
    let turned: Vec<String> = turned.collect();
    (!turned.is_empty()).then(|| format!("{}; ended after {} s", turned.join("; "), after.as_secs()))
}

fn take(panel: &Panel, answer: &Answer, at: u64, seen: &mut Seen) {
    let Some(answer) = of(answer, &panel.name) else { return };
    seen.error = answer.error.clone();
    let value = answer.worst(panel).filter(|value| value.is_finite());
    // A moment is judged by its age.
    let value = value.map(|value| if panel.unit == Unit::Moment { Timestamp::now().as_second() as f64 - value } else { value });
    if answer.error.is_none()
        && let Some(value) = value
    {
        seen.values.push((at, value));
    }
}

fn of<'a>(answer: &'a Answer, panel: &str) -> Option<&'a PanelAnswer> {
    match answer {
        Answer::Prometheus(of) => of.panels.get(panel),
        Answer::Exposition(of) => of.panels.get(panel),
        Answer::Probe(of) => of.panels.get(panel),
        Answer::Alertmanager(_) | Answer::Backup(_) | Answer::History(_) | Answer::Database(_) => None,
    }
}

/// The numbers of the same time of the days before, for each panel.
async fn days(estate: &Estate, places: &[usize], seconds: u64, past: &Past) -> Vec<Result<Vec<Vec<f64>>, String>> {
    let now = Timestamp::now();
    let length = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    let Ok(from) = now.checked_sub(length) else { return vec![Err("the clock is wrong".to_owned()); places.len()] };
    let asked: Vec<(usize, SignedDuration)> = places
        .iter()
        .map(|place| {
            let every = estate.source(&estate.panels[*place].source).map_or(SignedDuration::from_secs(15), |source| source.every);
            (*place, every)
        })
        .collect();
    windows(estate, past, &asked, &before(Span { from, to: now }), BEFORE).await
}

/// Judges one panel: by the second half of the window, as rates still hold what was before it.
fn one(panel: &Panel, seen: &Seen, days: &Result<Vec<Vec<f64>>, String>, window: u64) -> Judged {
    let late: Vec<f64> = seen.values.iter().filter(|(at, _)| *at >= window / 2).map(|(_, value)| *value).collect();
    let name = &panel.name;
    let Some(last) = late.last().copied().filter(|_| late.len() >= SAMPLES) else {
        let why = seen.error.as_ref().map_or(String::new(), |why| format!(": {why}"));
        return Judged::Untold(format!("{name} has {} values of the window's second half, {SAMPLES} are needed{why}", late.len()));
    };
    let unit = unit(panel);
    let worst = |severity: Severity| late.iter().filter(|value| panel.judge(**value) == severity).count();
    // More than half of the time, and still: one bad value is none.
    if panel.critical.is_some() && worst(Severity::Critical) * 2 > late.len() && panel.judge(last) == Severity::Critical {
        return Judged::Bad(format!("{name} is critical: {}", show(last, unit)));
    }
    let found = days.as_ref().map(|days| judge(panel.unit, &late, days));
    match found {
        Ok(Found::Deviates(change)) => {
            // 1 is reached from above only where low values are the bad ones.
            let low = panel.falls_to(1.0);
            let worse = (change.after < change.before) == low;
            let text = format!("{name} {} against the days before", change.whole(panel.unit));
            if worse { Judged::Bad(text) } else { Judged::Well(text) }
        }
        Ok(Found::Same(change)) => Judged::Well(format!("{name} {}, as the days before", show(change.after, unit))),
        Ok(Found::Nothing | Found::Short(_) | Found::Failed(_)) | Err(_) if panel.critical.is_some() => {
            Judged::Well(format!("{name} {}, within its threshold (the days before tell nothing)", show(last, unit)))
        }
        Ok(_) | Err(_) => {
            Judged::Unmeasured(format!("{name} {}: it has no `critical`, and the days before tell nothing", show(last, unit)))
        }
    }
}

/// One bad panel fails it; one that could not be read leaves it unknown; so does one that nothing measures, where no other
/// could be judged.
fn end(all: Vec<Judged>, seconds: u64) -> CallEnd {
    let (mut well, mut bad, mut untold, mut unmeasured) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for one in all {
        match one {
            Judged::Well(text) => well.push(text),
            Judged::Bad(text) => bad.push(text),
            Judged::Untold(text) => untold.push(text),
            Judged::Unmeasured(text) => unmeasured.push(text),
        }
    }
    let also = if unmeasured.is_empty() { String::new() } else { format!("; not judged: {}", unmeasured.join("; ")) };
    if !bad.is_empty() {
        return CallEnd::Failed { why: format!("{}{also}", bad.join("; ")) };
    }
    if !untold.is_empty() || well.is_empty() {
        untold.extend(unmeasured);
        return CallEnd::Unknown { why: format!("{seconds} s could not be judged: {}", untold.join("; ")) };
    }
    CallEnd::Done { seen: format!("{}{also}", well.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::panel::Ask;

    fn panel(warn: Option<f64>, critical: Option<f64>) -> Panel {
        let (name, ask) = ("errors".to_owned(), Ask::Promql("up".into()));
        Panel { name, service: None, site: None, source: "p".into(), ask, unit: Unit::Count, warn, critical }
    }

    fn seen(values: &[f64]) -> Seen {
        let step = 1_000 / (values.len() as u64 + 1);
        Seen { values: values.iter().enumerate().map(|(n, value)| (step * (n as u64 + 1), *value)).collect(), error: None }
    }

    fn judged(panel: &Panel, values: &[f64], days: &Result<Vec<Vec<f64>>, String>) -> Judged {
        one(panel, &seen(values), days, 1_000)
    }

    fn days(value: f64) -> Result<Vec<Vec<f64>>, String> {
        Ok(vec![vec![value; 5]; 7])
    }

    #[test]
    fn it_is_judged_by_its_second_half_its_threshold_and_the_days_before() {
        let high = panel(Some(1.0), Some(5.0));
        let none = Ok(Vec::new());
        assert!(matches!(judged(&high, &[9.0, 9.0, 9.0, 9.0, 0.0, 0.0, 0.0, 0.0], &none), Judged::Well(_)), "what was before it is over");
        assert!(matches!(judged(&high, &[0.0, 0.0, 0.0, 0.0, 9.0, 9.0, 9.0, 9.0], &none), Judged::Bad(_)));
        assert!(matches!(judged(&high, &[0.0, 0.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.0], &none), Judged::Well(_)), "one bad value");
        let free = panel(None, None);
        let three = [3.0; 8];
        assert!(matches!(judged(&free, &three, &days(1.0)), Judged::Bad(_)), "worse than before");
        assert!(matches!(judged(&free, &three, &days(3.0)), Judged::Well(_)));
        assert!(matches!(judged(&free, &three, &days(9.0)), Judged::Well(_)), "better than before");
        let low = panel(Some(10.0), Some(1.0));
        assert!(matches!(judged(&low, &three, &days(9.0)), Judged::Bad(_)), "low is bad");
    }

    #[test]
    fn what_is_not_judged_never_passes() {
        let free = panel(None, None);
        assert!(matches!(judged(&free, &[3.0; 8], &Ok(Vec::new())), Judged::Unmeasured(_)));
        assert!(matches!(judged(&free, &[3.0; 8], &Err("no answer".into())), Judged::Unmeasured(_)));
        assert!(matches!(judged(&panel(None, Some(5.0)), &[3.0; 2], &days(3.0)), Judged::Untold(_)), "too few values");
        let (well, bad) = (|| Judged::Well("a".into()), || Judged::Bad("b".into()));
        let (untold, unmeasured) = (|| Judged::Untold("c".into()), || Judged::Unmeasured("d".into()));
        assert!(matches!(end(vec![well(), unmeasured()], 9), CallEnd::Done { seen } if seen == "a; not judged: d"));
        assert!(matches!(end(vec![well(), bad(), untold()], 9), CallEnd::Failed { .. }));
        assert!(matches!(end(vec![well(), untold()], 9), CallEnd::Unknown { .. }));
        assert!(matches!(end(vec![unmeasured()], 9), CallEnd::Unknown { .. }));
        assert!(matches!(end(vec![], 9), CallEnd::Unknown { .. }));
    }

    #[test]
    fn what_was_well_and_turns_critical_ends_it_early() {
        let high = panel(Some(1.0), Some(5.0));
        let early = |panel: &Panel, values: &[f64]| turned(&[panel.clone()], &[seen(values)], Duration::from_secs(20));
        assert_eq!(early(&high, &[0.0, 9.0, 9.0]), None, "two are not enough");
        assert_eq!(early(&high, &[9.0, 9.0, 9.0, 9.0]), None, "it was so before the act");
        assert_eq!(early(&high, &[0.0, 9.0, 9.0, 0.0, 9.0]), None, "not in a row");
        let why = "errors was well and became critical: 9, 3 values in a row beyond 5; ended after 20 s";
        assert_eq!(early(&high, &[9.0, 9.0, 9.0, 0.0, 9.0, 9.0, 9.0]).as_deref(), Some(why));
        assert_eq!(early(&panel(None, None), &[0.0, 9.0, 9.0, 9.0]), None);
        assert!(early(&panel(Some(10.0), Some(1.0)), &[20.0, 0.0, 0.0, 0.0]).is_some(), "low is bad");
    }

    #[test]
    fn how_it_stands_and_what_was_seen_are_told() {
        let high = panel(Some(1.0), Some(5.0));
        assert_eq!(standing(&[high.clone()], &[seen(&[0.0, 2.0])], Duration::from_secs(40)), "errors 2 of 5, 40 s left");
        assert_eq!(seen(&[3.0, 0.0, 2.0]).told(&high), "errors: 3 values, 0 to 3, last 2; critical at 5");
    }

    #[tokio::test]
    async fn a_source_that_does_not_answer_leaves_it_unknown() {
        use crate::model::estate::SourceKind;
        use crate::model::estate::tests::{bare, source};
        let mut estate = bare(vec![source("p", SourceKind::Prometheus { url: "http://127.0.0.1:1".into() })]);
        estate.panels.push(panel(None, Some(5.0)));
        let said = std::sync::Mutex::new(Vec::new());
        let say = |text| said.lock().unwrap().push(text);
        let ended = guard(&estate, &["errors".to_owned()], 1, &crate::watch::no_past(), say).await;
        assert!(matches!(&ended.end, CallEnd::Unknown { why } if why.contains("errors has 0 values")), "{ended:?}");
        assert!(ended.output[0].starts_with("errors: no values; critical at 5; "), "{ended:?}");
        assert_eq!(said.lock().unwrap()[0], "errors ? of 5, 1 s left");
        let gone = guard(&estate, &["latency".to_owned()], 1, &crate::watch::no_past(), |_| {}).await;
        assert!(matches!(gone.end, CallEnd::Unknown { .. }));
    }
}
