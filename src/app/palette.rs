//! The palette: go anywhere by typing a part of its name.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::Timestamp;
use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::model::alert::AlertId;
use crate::model::log::Of;
use crate::model::plan::Deed;

use super::action::{ACTIONS, Action};
use super::filter::moment;
use super::layer::{Pane, Scope};
use super::state::State;
use super::{views, when};

/// Matches kept; all are counted.
const FOUND_CAP: usize = 100;
/// Deployments that are found by name, the newest.
const DEPLOYMENTS: usize = 1_000;

/// Where a line of the palette leads.
#[derive(Debug, Clone, PartialEq)]
pub enum Goal {
    /// Runs an action.
    Run(Action),
    /// A pane.
    Pane(Pane),
    /// A service, by name.
    Service(String),
    /// A source, by its place.
    Source(usize),
    /// A panel, by name.
    Panel(String),
    /// An alert.
    Alert(AlertId),
    /// A deployment, by its key.
    Deployment(Arc<str>),
    /// The deployments of that time.
    Moment(Timestamp),
    /// The timeline of a service, by name.
    TimelineOf(String),
    /// A run, by its id.
    Operation(String),
    /// A step of the run that is shown, by its name.
    Step(String),
    /// One of the verifications that can be started, by its place.
    Order(usize),
    /// A saved view, by name.
    View(String),
    /// What a service or a host logs.
    Logs(Of),
    /// The wizard of a rollback, on a service.
    Rollback(String),
    /// The wizard of a service act, on a service.
    Processes(String, Deed),
    /// This panel laid over the chart; `None` takes what lies there away.
    Over(Option<String>),
    /// Another estate, by the name of its context.
    Context(String),
    /// All alerts that a source of this name told of.
    AlertsOf(String),
}

/// One line of the palette.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What is matched and shown, such as `service web` or `alert NodeDown web-1 is down`.
    pub text: String,
    /// The key that does the same, or a remark.
    pub note: String,
    /// Where it leads.
    pub goal: Goal,
}

/// The open palette.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Palette {
    /// What is typed.
    pub typed: String,
    /// All lines, as of the moment it was opened.
    pub items: Vec<Item>,
    /// Places in `items` of the best matches, the best first, at most a hundred.
    pub found: Vec<usize>,
    /// How many match in all.
    pub count: usize,
    /// The selected one, a place in `found`.
    pub selected: usize,
}

impl Palette {
    /// The palette over what is shown now.
    pub fn open(state: &State) -> Palette {
        let mut palette = Palette { items: items(state), ..Palette::default() };
        palette.retype(String::new());
        palette
    }

    /// Only these lines.
    pub fn of(items: Vec<Item>) -> Palette {
        let mut palette = Palette { items, ..Palette::default() };
        palette.retype(String::new());
        palette
    }

    /// Takes in what is typed now, and selects the best match.
    pub fn retype(&mut self, typed: String) {
        let pattern = Pattern::new(&typed, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut scored: Vec<(Reverse<u32>, usize)> = Vec::new();
        for (place, item) in self.items.iter().enumerate() {
            if let Some(score) = pattern.score(Utf32Str::new(&item.text, &mut buffer), &mut matcher) {
                scored.push((Reverse(score), place));
            }
        }
        // A time that is typed is a place in the history.
        self.items.retain(|item| !matches!(item.goal, Goal::Moment(_)));
        scored.retain(|(_, place)| *place < self.items.len());
        if let Ok(at) = moment(typed.trim()) {
            scored.insert(0, (Reverse(u32::MAX), self.items.len()));
            let text = format!("deployments at {}", at.strftime("%Y-%m-%d %H:%MZ"));
            self.items.push(Item { text, note: "UTC".to_owned(), goal: Goal::Moment(at) });
        }
        scored.sort_unstable(); // equal scores keep the order of the items: the place is part of the key
        self.count = scored.len();
        self.found = scored.into_iter().take(FOUND_CAP).map(|(_, place)| place).collect();
        self.selected = 0;
        self.typed = typed;
    }

    /// Moves the selection by so many lines, stopping at the ends.
    pub fn step(&mut self, by: isize) {
        self.selected = self.selected.saturating_add_signed(by).min(self.found.len().saturating_sub(1));
    }

    /// Where the selected line leads.
    pub fn goal(&self) -> Option<&Goal> {
        self.found.get(self.selected).map(|place| &self.items[*place].goal)
    }
}

fn items(state: &State) -> Vec<Item> {
    let scope = state.scope();
    let key = |action: Action| state.keymap.key_for(scope, action).map_or_else(String::new, |key| key.to_string());
    let item = |text: String, note: String, goal: Goal| Item { text, note, goal };
    let mut items = Vec::new();
    for pane in Pane::ALL {
        let action = match pane {
            Pane::Overview => Action::Overview,
            Pane::Alerts => Action::Alerts,
            Pane::Metrics => Action::Metrics,
            Pane::Databases => Action::Databases,
            Pane::Backups => Action::Backups,
            Pane::Deployments => Action::Deployments,
            Pane::Operations => Action::Operations,
            Pane::Timeline => Action::Timeline,
        };
        items.push(item(format!("pane {}", pane.name()), key(action), Goal::Pane(pane)));
    }
    for entry in ACTIONS.iter().filter(|entry| offered(scope, entry.action)) {
        items.push(item(format!("{}: {}", entry.name.replace('-', " "), entry.doc), key(entry.action), Goal::Run(entry.action)));
    }
    for view in &state.views.all {
        items.push(item(format!("view {}", view.name), views::words(view), Goal::View(view.name.clone())));
    }
    for (place, known) in state.contexts.all.iter().enumerate() {
        let note = if state.contexts.open == Some(place) { "open".to_owned() } else { String::new() };
        items.push(item(format!("open estate {}", known.name), note, Goal::Context(known.name.clone())));
    }
    let view = state.shown();
    for (service, health) in state.estate.services.iter().zip(&view.services) {
        let note = health.overall.severity.word().to_owned();
        items.push(item(format!("service {}", service.name), note, Goal::Service(service.name.clone())));
        let goal = Goal::TimelineOf(service.name.clone());
        items.push(item(format!("timeline of {}", service.name), String::new(), goal));
        let note = "asks before anything is done".to_owned();
        items.push(item(format!("logs of {}", service.name), "what it prints".to_owned(), Goal::Logs(Of::Service(service.name.clone()))));
        items.push(item(format!("rollback {}", service.name), note, Goal::Rollback(service.name.clone())));
        for deed in Deed::SERVICE.into_iter().filter(|deed| !state.read_only && service.says(*deed)) {
            let goal = Goal::Processes(service.name.clone(), deed);
            items.push(item(format!("{} {}", deed.word(), service.name), "asks before anything is done".to_owned(), goal));
        }
    }
    for host in &state.estate.hosts {
        let goal = Goal::Logs(Of::Host(host.name.clone()));
        items.push(item(format!("logs of {}", host.name), "all that the host logs".to_owned(), goal));
    }
    for panel in state.panels() {
        let of = panel.panel.service.as_deref().map_or_else(String::new, |service| format!("of {service}"));
        items.push(item(format!("panel {}", panel.panel.name), of, Goal::Panel(panel.panel.name.clone())));
    }
    for (place, (source, reading)) in state.estate.sources.iter().zip(state.shown_readings()).enumerate() {
        items.push(item(format!("source {}", source.name), reading.freshness(state.now).word().to_owned(), Goal::Source(place)));
    }
    for alert in &view.alerts {
        let text = format!("alert {} {}", alert.name(), alert.summary());
        items.push(item(text, alert.state.word().to_owned(), Goal::Alert(alert.id.clone())));
    }
    for one in view.deployments.all.iter().take(DEPLOYMENTS) {
        let id = one.id.as_deref().unwrap_or_default();
        let text = format!("deployment {} {} {id}", one.service, one.to.as_deref().unwrap_or("?"));
        items.push(item(text.trim_end().to_owned(), when::short(state, one.at), Goal::Deployment(one.key.clone())));
    }
    items
}

/// True where running the action from the palette does something in that scope. Moving about is for keys, panes have
/// lines of their own.
fn offered(scope: Scope, action: Action) -> bool {
    let list = matches!(
        scope,
        Scope::Overview
            | Scope::Alerts
            | Scope::Metrics
            | Scope::Backups
            | Scope::Deployments
            | Scope::Databases
            | Scope::Operations
            | Scope::Timeline
    );
    match action {
        Action::Open | Action::Filter => list,
        Action::Menu => list || matches!(scope, Scope::Detail | Scope::Run),
        Action::Earlier | Action::Later | Action::Views => true,
        Action::Back => !list,
        Action::Export => matches!(scope, Scope::Deployments | Scope::Chart),
        Action::Logs => list || matches!(scope, Scope::Detail | Scope::Chart),
        Action::Follow | Action::Errors | Action::NextHit | Action::PreviousHit | Action::Hits => scope == Scope::Logs,
        Action::Share | Action::Select => list || matches!(scope, Scope::Detail | Scope::Run | Scope::Chart | Scope::Logs),
        Action::ResumeRun => matches!(scope, Scope::Run | Scope::Operations),
        Action::PauseRun
        | Action::AbortRun
        | Action::RetryStep
        | Action::SkipStep
        | Action::TakeBack
        | Action::ConfirmStep
        | Action::Record => scope == Scope::Run,
        Action::Rollback => {
            matches!(scope, Scope::Overview | Scope::Alerts | Scope::Metrics | Scope::Chart | Scope::Deployments | Scope::Detail)
        }
        Action::Processes => matches!(scope, Scope::Overview | Scope::Alerts | Scope::Deployments | Scope::Detail),
        Action::Ack | Action::Silence => matches!(scope, Scope::Alerts | Scope::Detail),
        Action::Extend | Action::Expire => matches!(scope, Scope::Alerts | Scope::Detail | Scope::Silences),
        Action::Silences => scope != Scope::Silences,
        Action::Next | Action::Toggle | Action::Override | Action::BreakGlass => false,
        Action::Pick => matches!(scope, Scope::Alerts | Scope::Deployments | Scope::Operations),
        Action::Muted | Action::Group | Action::Near => scope == Scope::Alerts,
        Action::Mark | Action::Compare | Action::Measures => scope == Scope::Deployments,
        Action::Longer | Action::Shorter => matches!(scope, Scope::Metrics | Scope::Chart | Scope::Timeline),
        Action::Verify => matches!(scope, Scope::Backups | Scope::Detail),
        Action::StartVerification | Action::StopVerification => scope == Scope::Verify,
        Action::Live => matches!(scope, Scope::Chart | Scope::Timeline),
        Action::PanBack | Action::PanOn | Action::Before | Action::Over | Action::Keep | Action::ChartText => scope == Scope::Chart,
        Action::Query => list || scope == Scope::Chart,
        Action::Complete | Action::NextSource => false,
        Action::Help => scope != Scope::Search,
        Action::Close
        | Action::Quit
        | Action::Suspend
        | Action::Redraw
        | Action::NextPane
        | Action::PreviousPane
        | Action::Refresh
        | Action::Freeze
        | Action::Zone
        | Action::Contexts
        | Action::Theme
        | Action::Mouse => true,
        Action::Interrupt
        | Action::Palette
        | Action::Overview
        | Action::Alerts
        | Action::Metrics
        | Action::Databases
        | Action::Backups
        | Action::Deployments
        | Action::Operations
        | Action::Timeline
        | Action::Down
        | Action::Up
        | Action::Left
        | Action::Right
        | Action::Top
        | Action::Bottom
        | Action::HalfDown
        | Action::HalfUp
        | Action::PageDown
        | Action::PageUp
        | Action::Accept
        | Action::Erase
        | Action::EraseWord
        | Action::EraseAll
        | Action::Nothing => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn palette(texts: &[&str]) -> Palette {
        let item = |text: &&str| Item { text: text.to_string(), note: String::new(), goal: Goal::Service(text.to_string()) };
        let mut palette = Palette { items: texts.iter().map(item).collect(), ..Palette::default() };
        palette.retype(String::new());
        palette
    }

    #[test]
    fn parts_of_a_name_find_it_and_symbols_are_plain_text() {
        let mut palette = palette(&["pane overview", "service web", "alert NodeDown web-1", "alert !odd"]);
        assert_eq!(palette.found, [0, 1, 2, 3], "all of them while nothing is typed");
        palette.retype("NDWN".into());
        assert_eq!(palette.found, [2]);
        palette.retype("!o".into());
        assert_eq!(palette.goal(), Some(&Goal::Service("alert !odd".into())));
        palette.retype("zzz".into());
        assert_eq!((palette.count, palette.goal()), (0, None));
        palette.step(1);
        assert_eq!(palette.selected, 0);
    }

    #[test]
    fn a_hundred_are_kept_and_all_are_counted() {
        let names: Vec<String> = (0..250).map(|i| format!("alert a{i}")).collect();
        let mut palette = palette(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((palette.found.len(), palette.count), (100, 250));
        palette.step(1_000);
        assert_eq!(palette.selected, 99);
    }
}
