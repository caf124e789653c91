//! All that the console knows and shows. Only `update` changes it; `ui` reads it.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::alert::AlertId;
use crate::model::change::Change;
use crate::model::deployment::Deployment;
use crate::model::estate::Estate;
use crate::model::health::{self, PanelView};
use crate::model::metric::Demand;
use crate::model::preferences::{Theme, ZoneChoice};
use crate::model::reading::{Freshness, Reading};
use crate::model::run::known::Runs;
use crate::model::source::Answer;
use crate::model::timeline::Event;

use super::attention::Attention;
use super::chart::ChartView;
use super::contexts::Contexts;
use super::databases::DatabaseRow;
use super::deeds::Deeds;
use super::deployments::Made;
use super::deployments::window::Window;
use super::focus::Focus;
use super::history::{History, WayBack};
use super::key::Key;
use super::keymap::Keymap;
use super::layer::{Layer, Pane, Scope, scope};
use super::logs::{self, Logs};
use super::marks::{Marks, Picks};
use super::operations::{OperationRow, Sent};
use super::themes::Offers;
use super::timeline::{self, Timeline};
use super::verifying::Verifying;
use super::views::Views;
use super::wizard::Wizards;

pub use super::identity::Identity;
pub use super::list::PaneList;
pub use super::row::{AlertRow, OverviewId, OverviewRow};
pub use super::view::View;

/// How things look.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The themes to choose from; never empty, already without colours where there are to be none.
    pub themes: Vec<Theme>,
    /// The one in use, an index into `themes`.
    pub theme: usize,
    /// What the theme is chosen from.
    pub offers: Offers,
    /// Pure ASCII on the screen.
    pub ascii: bool,
    /// Which clock is shown.
    pub zone: ZoneChoice,
    /// This machine's zone.
    pub local: TimeZone,
}

/// What the view was when it was frozen.
#[derive(Debug, Clone, PartialEq)]
pub struct Frozen {
    /// Since when.
    pub at: Timestamp,
    /// The readings then.
    pub readings: Vec<Reading<Answer>>,
    /// What they came to.
    pub view: Arc<View>,
}

/// All that the console knows and shows.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// What is watched.
    pub estate: Arc<Estate>,
    /// Who sits where.
    pub identity: Identity,
    /// The present moment (UTC): set with every message.
    pub now: Timestamp,
    /// When the console was opened.
    pub started: Timestamp,
    /// True from the first key on, or from when on a row stood under the cursor long enough to be read: then it stays there.
    pub touched: bool,
    /// Since when the row under the cursor stands there, while nobody pressed a key (UTC).
    pub stood: Option<Timestamp>,
    /// True where the cursor stays on its row and nobody pressed a key yet: what comes above it is shown all the same.
    pub stays: bool,
    /// Panes in which a key was pressed: until then the first row of a list whose rows come late is the selected one.
    pub walked: Vec<Pane>,
    /// Columns, rows.
    pub size: (u16, u16),
    /// What the view rests on, in the order of the estate's sources.
    pub readings: Vec<Reading<Answer>>,
    /// The newest readings: some may not be derived yet.
    pub newest: Vec<Reading<Answer>>,
    /// Which sources are being tried.
    pub polling: Vec<bool>,
    /// What the readings come to.
    pub view: Arc<View>,
    /// The states of the readings that the view was marked with since it was derived; empty where it was not.
    pub aged: Vec<Freshness>,
    /// What is shown instead while the view is frozen.
    pub frozen: Option<Frozen>,
    /// Newest first.
    pub changes: VecDeque<Change>,
    /// What was seen to happen in this run, the oldest first.
    pub seen: Arc<VecDeque<Event>>,
    /// The pane at the bottom of the stack.
    pub pane: Pane,
    /// What lies on it.
    pub layers: Vec<Layer>,
    /// Where going back leads from this pane.
    pub way_back: Option<Arc<WayBack>>,
    /// The views that were visited.
    pub history: History,
    /// The saved views.
    pub views: Views,
    /// The alerts that are marked.
    pub marks: Marks,
    /// The deployments and the runs that are marked.
    pub picks: Picks,
    /// True where leaving the console ends what it shows: a practice estate.
    pub practice: bool,
    /// Whether it was asked if the console is to be left.
    pub leaving: super::leaving::Leaving,
    /// The first key of two, and where it was pressed: the second is awaited.
    pub pending: Option<(Scope, Key)>,
    /// When the row under the cursor last became another one by itself (UTC).
    pub slid: Option<Timestamp>,
    /// One line about what a key came to, until the next key.
    pub said: Option<String>,
    /// The Overview pane.
    pub overview: PaneList<OverviewId>,
    /// Its lines: those of the left column, then those of the right one.
    pub overview_rows: Vec<OverviewRow>,
    /// The first line shown of the right column, counted from that column's first.
    pub overview_right: usize,
    /// What stands between its columns on the widest screens.
    pub focus: Focus,
    /// The Alerts pane.
    pub alerts: PaneList<AlertId>,
    /// Its lines.
    pub alert_rows: Vec<AlertRow>,
    /// True where muted alerts are listed too.
    pub show_muted: bool,
    /// True where alerts are listed by group.
    pub grouped: bool,
    /// The Deployments pane; ids are the keys of deployments.
    pub deployments: PaneList<Arc<str>>,
    /// Its rows, as far as they are held.
    pub window: Window,
    /// The deployment that others are compared with.
    pub marked: Option<Arc<Deployment>>,
    /// What deployments did, as far as it was asked.
    pub deeds: Deeds,
    /// Grows whenever the index of deployments holds others.
    pub history_changes: u64,
    /// The Metrics pane; ids are panel names.
    pub metrics: PaneList<String>,
    /// Places in the estate's panels that the filter leaves.
    pub metric_rows: Vec<usize>,
    /// The Databases pane; ids are the names of a database and its node.
    pub databases: PaneList<(String, String)>,
    /// Its lines.
    pub database_rows: Vec<DatabaseRow>,
    /// The Backups pane; ids are places in the estate's sources.
    pub backups: PaneList<usize>,
    /// Places in the shown view's backups that the filter leaves.
    pub backup_rows: Vec<usize>,
    /// Verifications: what they proved, and those under way.
    pub verifying: Verifying,
    /// The runs that the journal tells of.
    pub runs: Runs,
    /// The deployments that they made.
    pub made: Made,
    /// What runs and silences tell of the past, the newest first.
    pub acts: Arc<Vec<Event>>,
    /// True where events are to be merged again.
    pub merge: bool,
    /// The Operations pane; ids are those of runs.
    pub operations: PaneList<String>,
    /// Its lines.
    pub operation_rows: Vec<OperationRow>,
    /// What was last asked of a run through this console.
    pub sent: Option<Sent>,
    /// What all wizards share.
    pub wizards: Wizards,
    /// The Timeline pane.
    pub timeline: Timeline,
    /// The logs that are looked at.
    pub logs: Option<Box<Logs>>,
    /// Views of logs so far.
    pub(crate) log_views: u64,
    /// What is asked of panels.
    pub demand: Demand,
    /// The chart that lies on top.
    pub chart: ChartView,
    /// How things look.
    pub look: Look,
    /// True where the mouse clicks and scrolls here; else the terminal selects text with it.
    pub mouse: bool,
    /// What keys do.
    pub keymap: Arc<Keymap>,
    /// True where nothing may be changed through this console.
    pub read_only: bool,
    /// The estates that have a name.
    pub contexts: Contexts,
    /// Calling for the person, and what is known of them.
    pub attention: Attention,
    /// The folder that exports go to where nothing else is said; `None` where there is none.
    pub exports: Option<String>,
}

impl State {
    /// The console before anything was read, on the Overview.
    pub fn new(estate: Arc<Estate>, identity: Identity, look: Look, keymap: Arc<Keymap>, now: Timestamp, size: (u16, u16)) -> State {
        let readings: Vec<_> = estate.sources.iter().map(|s| Reading::never(s.every)).collect();
        let mut state = State {
            polling: vec![false; readings.len()],
            view: Arc::new(View::of(&estate, &readings, &Made::default(), &View::default(), now)),
            newest: readings.clone(),
            readings,
            estate,
            identity,
            now,
            started: now,
            aged: Vec::new(),
            touched: false,
            stood: None,
            stays: false,
            walked: Vec::new(),
            size,
            frozen: None,
            changes: VecDeque::new(),
            seen: Arc::default(),
            pane: Pane::Overview,
            layers: Vec::new(),
            way_back: None,
            history: History::default(),
            views: Views::default(),
            marks: Marks::default(),
            picks: Picks::default(),
            practice: false,
            leaving: Default::default(),
            pending: None,
            slid: None,
            said: None,
            overview: PaneList::default(),
            overview_rows: Vec::new(),
            overview_right: 0,
            focus: Focus::default(),
            alerts: PaneList::default(),
            alert_rows: Vec::new(),
            show_muted: true,
            grouped: false,
            deployments: PaneList::default(),
            window: Window::default(),
            marked: None,
            deeds: Deeds::default(),
            history_changes: 0,
            metrics: PaneList::default(),
            metric_rows: Vec::new(),
            databases: PaneList::default(),
            database_rows: Vec::new(),
            backups: PaneList::default(),
            backup_rows: Vec::new(),
            verifying: Verifying::default(),
            runs: Runs::default(),
            made: Made::default(),
            acts: Arc::default(),
            merge: false,
            operations: PaneList::default(),
            operation_rows: Vec::new(),
            sent: None,
            wizards: Wizards::default(),
            timeline: Timeline::default(),
            logs: None,
            log_views: 0,
            demand: Demand::default(),
            chart: ChartView::default(),
            look,
            mouse: false,
            keymap,
            read_only: false,
            contexts: Contexts::default(),
            attention: Attention { looked: Some(now), ..Attention::default() },
            exports: None,
        };
        state.demand.points = super::pane::points(&state);
        super::pane::refresh(&mut state);
        state
    }

    /// Takes these as the newest readings and derives their view at once.
    pub fn see(&mut self, readings: Vec<Reading<Answer>>) {
        self.view = Arc::new(View::of(&self.estate, &readings, &self.made, &self.view, self.now));
        self.newest.clone_from(&readings);
        self.aged.clear();
        self.readings = readings;
        timeline::renew_acts(self);
    }

    /// The readings to show: the frozen ones while frozen.
    pub fn shown_readings(&self) -> &[Reading<Answer>] {
        self.frozen.as_ref().map_or(&self.readings, |f| &f.readings)
    }

    /// The view to show: the frozen one while frozen.
    pub fn shown(&self) -> &View {
        self.frozen.as_ref().map_or(&self.view, |f| &f.view)
    }

    /// The panels to show, in the estate's order.
    pub fn panels(&self) -> Vec<PanelView<'_>> {
        health::panels(&self.estate, self.shown_readings(), self.now)
    }

    /// The scope of what lies on top.
    pub fn scope(&self) -> Scope {
        logs::typing(self).unwrap_or_else(|| scope(self.pane, &self.layers))
    }

    /// The theme in use.
    pub fn theme(&self) -> &Theme {
        &self.look.themes[self.look.theme.min(self.look.themes.len() - 1)]
    }

    /// The zone that times are shown in, and its short name at `now`.
    pub fn zone(&self) -> TimeZone {
        match self.look.zone {
            ZoneChoice::Utc => TimeZone::UTC,
            ZoneChoice::Local => self.look.local.clone(),
            ZoneChoice::Estate => self.estate.zone.clone().unwrap_or(TimeZone::UTC),
        }
    }

    /// True where the mouse's clicks are wanted of the terminal now.
    pub fn wants_mouse(&self) -> bool {
        self.mouse && !matches!(self.layers.last(), Some(Layer::Select { .. }))
    }

    /// Shown alerts, counted: see [`View::counts`].
    pub fn counts(&self) -> [usize; 4] {
        self.shown().counts
    }

    /// Lines between the fixed lines: first line, counts, column heads, and the footer.
    pub fn body_height(&self) -> usize {
        usize::from(self.size.1).saturating_sub(4).max(1)
    }
}
