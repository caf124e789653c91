//! What is told line by line to whoever listens instead of looking: only what is new, each line once and whole, the state
//! as a word in front. Nothing is ever taken back or drawn over.

use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::alert::{Alert, AlertId, Origin};
use crate::model::change::{Change, stands};
use crate::model::estate::{Estate, Severity};
use crate::model::needs::{About, Need};
use crate::model::reading::Freshness;
use crate::model::run::known::{KnownRun, Standing};

use super::state::State;
use super::timeline::service_of;
use super::verdict::verdict;

/// Alerts of one need by which it is known what that is about.
const LOOKED_AT: usize = 10;
/// Lines told at once; more of them are counted in one.
const AT_ONCE: usize = 20;

/// What a line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// How all of it stands.
    Summary,
    /// Something needs a person, or does so otherwise than before.
    Need,
    /// It does not any more.
    Over,
    /// Something else changed.
    Change,
    /// A run began, wants something, or ended.
    Run,
}

impl Kind {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Summary => "summary",
            Kind::Need => "need",
            Kind::Over => "over",
            Kind::Change => "change",
            Kind::Run => "run",
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it was seen (UTC).
    pub at: Timestamp,
    /// What it tells.
    pub kind: Kind,
    /// How bad that is.
    pub severity: Severity,
    /// The rest of it.
    pub what: String,
}

/// How a run stood when it was last told.
type Stood = (Standing, bool);

/// A need as it was told.
#[derive(Debug)]
struct Told {
    severity: Severity,
    stale: bool,
    what: String,
    /// The panels and the services that it is about.
    places: Vec<Place>,
    /// Its alerts, as far as they are looked at.
    ids: Vec<AlertId>,
}

/// What more than one need can be about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place {
    Panel(String),
    Service(String),
}

/// Remembers what was told.
#[derive(Debug, Default)]
pub struct Teller {
    verdict: Option<Severity>,
    needs: HashMap<About, Told>,
    runs: HashMap<String, Stood>,
}

impl Teller {
    /// How things stand, and each thing that needs a person. What was told before is told again.
    pub fn all(&mut self, state: &State) -> Vec<Line> {
        *self = Teller::default();
        self.runs = stood(state);
        let mut lines = vec![self.summary(state)];
        lines.extend(state.runs.open().map(|run| told_of(state.now, run)));
        let (needs, _) = self.of_needs(state);
        lines.extend(needs);
        capped(lines, state.now)
    }

    /// How things stand, in one line.
    pub fn summary(&mut self, state: &State) -> Line {
        let verdict = verdict(&state.view, &state.readings, state.now);
        self.verdict = Some(verdict);
        let [critical, warning, _, muted] = state.view.counts;
        let of = if state.view.besides > 0 { "alerts, needs" } else { "alerts" };
        let fresh = state.readings.iter().filter(|r| r.freshness(state.now) == Freshness::Fresh).count();
        let needs = match state.view.needs.len() {
            0 => "nothing needs you".to_owned(),
            1 => "1 needs you".to_owned(),
            many => format!("{many} need you"),
        };
        let what = format!(
            "{needs}; {of}: {critical} critical, {warning} warning, {muted} muted; {fresh} of {} sources fresh",
            state.readings.len()
        );
        Line { at: state.now, kind: Kind::Summary, severity: verdict, what }
    }

    /// What is new since the last time; `changes` are what was seen to change meanwhile, the worst first.
    pub fn news(&mut self, state: &State, changes: &[Change]) -> Vec<Line> {
        let before = self.verdict;
        let (mut lines, told) = self.of_needs(state);
        for change in changes {
            // Of an alert that is told as a need nothing more is told.
            if change.alert.as_ref().is_some_and(|alert| told.contains(alert.name())) {
                continue;
            }
            lines.push(Line { at: change.at, kind: Kind::Change, severity: change.severity, what: change.what.clone() });
        }
        lines.extend(self.of_runs(state));
        if verdict(&state.view, &state.readings, state.now) != before.unwrap_or(Severity::Unknown) {
            lines.push(self.summary(state));
        }
        capped(lines, state.now)
    }

    /// Needs that are new, others than before, or over; and the names of the alerts that these are about.
    fn of_needs(&mut self, state: &State) -> (Vec<Line>, HashSet<String>) {
        let mut old = mem::take(&mut self.needs);
        let (mut lines, mut names) = (Vec::new(), HashSet::new());
        let alerts: HashMap<&AlertId, &Alert> = state.view.alerts.iter().map(|alert| (&alert.id, &**alert)).collect();
        // Who needs somebody now, by what that is about.
        let mut now: HashMap<Place, String> = HashMap::new();
        for need in &state.view.needs {
            let key = key(&need.about);
            let before = old.remove(&key);
            let was = before.as_ref().map(|told| (told.severity, told.stale));
            if was != Some((need.severity, need.stale)) {
                names.extend(name(&need.about));
                lines.push(line(need, was, state.now));
            }
            let places = places(&state.estate, &alerts, &need.about);
            // One that only says that nothing is known takes no other's place.
            if need.severity >= Severity::Warning {
                for place in &places {
                    now.entry(place.clone()).or_insert_with(|| need.what.clone());
                }
            }
            let ids = match &need.about {
                About::Alerts(_, ids) => ids.iter().take(LOOKED_AT).cloned().collect(),
                _ => Vec::new(),
            };
            self.needs.insert(key, Told { severity: need.severity, stale: need.stale, what: need.what.clone(), places, ids });
        }
        let mut over: Vec<_> = old.into_iter().collect();
        over.sort_by(|a, b| a.1.what.cmp(&b.1.what));
        for (about, Told { what, places, ids, .. }) in over {
            names.extend(name(&about));
            // A rule that tells what its panel told takes that one's place: nothing is over.
            if places.iter().any(|place| matches!(place, Place::Panel(_)) && now.contains_key(place)) {
                continue;
            }
            // What somebody muted has not ended: that would be another thing to hear.
            let muted = ids.iter().filter_map(|id| alerts.get(id)).find(|alert| alert.state.is_quiet());
            if let Some(muted) = muted {
                let how = stands(muted, &state.view.silences.acks);
                lines.push(Line {
                    at: state.now,
                    kind: Kind::Over,
                    severity: Severity::Info,
                    what: format!("needs nobody now, {how}: {what}"),
                });
                continue;
            }
            let (severity, still) = match places.iter().find_map(|place| now.get(place)) {
                Some(other) => (Severity::Info, format!("; its service still does: {other}")),
                None => (Severity::Ok, String::new()),
            };
            lines.push(Line { at: state.now, kind: Kind::Over, severity, what: format!("needs nobody any more: {what}{still}") });
        }
        (lines, names)
    }

    fn of_runs(&mut self, state: &State) -> Vec<Line> {
        let now = stood(state);
        let before = mem::replace(&mut self.runs, now);
        let other = |run: &&Arc<KnownRun>| match before.get(&run.state.run) {
            Some(before) => *before != (run.standing(), run.state.ended.is_some()),
            None => true,
        };
        state.runs.all.iter().filter(other).map(|run| told_of(state.now, run)).collect()
    }
}

fn stood(state: &State) -> HashMap<String, Stood> {
    state.runs.all.iter().map(|run| (run.state.run.clone(), (run.standing(), run.state.ended.is_some()))).collect()
}

fn told_of(at: Timestamp, run: &KnownRun) -> Line {
    let (severity, what) = match (&run.state.ended, run.standing()) {
        (Some((_, ending)), _) => (Severity::Info, format!("run {} ended: {ending}", run.state.run)),
        (None, Standing::Orphaned) => (Severity::Warning, format!("{}: nobody carries it out", run.line())),
        (None, Standing::Waiting) => (Severity::Warning, format!("{}: waits for a person", run.line())),
        (None, Standing::Running | Standing::Past) => (Severity::Info, run.line()),
    };
    Line { at, kind: Kind::Run, severity, what }
}

/// Which alerts stand behind a need changes all the time; it is the same need.
fn key(about: &About) -> About {
    match about {
        About::Alerts(name, _) => About::Alerts(name.clone(), Vec::new()),
        other => other.clone(),
    }
}

fn name(about: &About) -> Option<String> {
    match about {
        About::Alerts(name, _) => Some(name.clone()),
        _ => None,
    }
}

/// The panels and the services that a need is about.
fn places(estate: &Estate, alerts: &HashMap<&AlertId, &Alert>, about: &About) -> Vec<Place> {
    let of_panel = |name: &str| {
        let service = estate.panel(name).and_then(|panel| panel.service.clone());
        [Some(Place::Panel(name.to_owned())), service.map(Place::Service)].into_iter().flatten()
    };
    let of_alert = |alert: &Alert| {
        let panel = alert.annotations.get("panel").filter(|_| alert.origin == Origin::Quarterdeck);
        let service = service_of(estate, alert).map(Place::Service);
        panel.into_iter().flat_map(of_panel).chain(service).collect::<Vec<_>>()
    };
    let mut places: Vec<Place> = match about {
        About::Panel(name) => of_panel(name).collect(),
        About::Alerts(_, ids) => ids.iter().take(LOOKED_AT).filter_map(|id| alerts.get(id)).flat_map(|alert| of_alert(alert)).collect(),
        About::Source(_) | About::DeadMan(_) | About::Silence(_) | About::Drill(_) => Vec::new(),
    };
    let mut known = HashSet::new();
    places.retain(|place| known.insert(place.clone()));
    places
}

fn line(need: &Need, was: Option<(Severity, bool)>, at: Timestamp) -> Line {
    let before = match was {
        Some((was, _)) if was != need.severity => format!("was {}: ", was.word()),
        Some((_, true)) => "read again: ".to_owned(),
        _ => String::new(),
    };
    let stale = if need.stale { "not fresh: " } else { "" };
    Line { at, kind: Kind::Need, severity: need.severity, what: format!("{before}{stale}{}; {}", need.what, need.action) }
}

fn capped(mut lines: Vec<Line>, at: Timestamp) -> Vec<Line> {
    let over = lines.len().saturating_sub(AT_ONCE);
    if over > 0 {
        lines.sort_by_key(|line| std::cmp::Reverse((line.kind == Kind::Summary, line.severity)));
        lines.truncate(AT_ONCE);
        lines.push(Line { at, kind: Kind::Change, severity: Severity::Info, what: format!("and {over} more; `qd status` tells all") });
    }
    lines
}
