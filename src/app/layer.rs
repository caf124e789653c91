//! The one stack of layers: what lies on top is drawn last and gets the keys first.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::alert::Alert;
use crate::model::deployment::Deployment;
use crate::model::deployment::diff::Comparison;
use crate::model::deployment::dora::Table;

use super::contexts::ContextList;
pub use super::deployments::share::ExportForm;
use super::history::Search;
use super::logs::View;
use super::menu::Menu;
use super::operations::RequestForm;
use super::palette::Palette;
use super::prompt::Prompt;
use super::silences::SilenceList;
use super::themes::Picker;
use super::views::{SaveForm, ViewList};
use super::wizard::Wizard;

pub use super::scope::{Scope, scope};
pub use super::spot::Spot;

/// A whole screen at the bottom of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pane {
    /// What needs a person, services by site, sources, changes.
    Overview,
    /// All alerts.
    Alerts,
    /// All panels.
    Metrics,
    /// All databases with their nodes.
    Databases,
    /// All backups.
    Backups,
    /// What was deployed.
    Deployments,
    /// Runs: what is carried out, what waits, what is past.
    Operations,
    /// What happened, on one time axis.
    Timeline,
}

impl Pane {
    /// All panes in the order of their number keys.
    pub const ALL: [Pane; 8] =
        [Pane::Overview, Pane::Alerts, Pane::Metrics, Pane::Backups, Pane::Deployments, Pane::Databases, Pane::Operations, Pane::Timeline];

    /// Its name, as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Pane::Overview => "overview",
            Pane::Alerts => "alerts",
            Pane::Metrics => "metrics",
            Pane::Databases => "databases",
            Pane::Backups => "backups",
            Pane::Deployments => "deployments",
            Pane::Operations => "operations",
            Pane::Timeline => "timeline",
        }
    }

    /// The pane of that name.
    pub fn named(name: &str) -> Option<Pane> {
        Pane::ALL.into_iter().find(|p| p.name() == name)
    }
}

/// A view that lies on a pane.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    /// One alert, whole. It is kept as it was last seen, for when it ends meanwhile.
    Alert {
        /// As it was last seen.
        alert: Arc<Alert>,
        /// Where in it.
        spot: Spot,
    },
    /// One deployment, whole, as it was last told.
    Deployment {
        /// It.
        deployment: Arc<Deployment>,
        /// Where in it.
        spot: Spot,
    },
    /// What is different between two deployments.
    Diff {
        /// The first; `None` where none is known.
        from: Option<Arc<Deployment>>,
        /// The second.
        to: Arc<Deployment>,
        /// What is different, once that is told.
        found: Option<Arc<Comparison>>,
        /// Where in it.
        spot: Spot,
    },
    /// DORA's measures beside those of the window before.
    Dora {
        /// The days of the window.
        days: u16,
        /// Of this service only.
        service: Option<String>,
        /// The measures, once they are told.
        table: Option<Arc<Table>>,
        /// Where in it.
        spot: Spot,
    },
    /// One service: its alerts, panels, dependencies, runbook.
    Service {
        /// Its name.
        name: String,
        /// Where in it.
        spot: Spot,
    },
    /// One source: its state, its last error, its notes.
    Source {
        /// Its place in the estate.
        index: usize,
        /// Where in it.
        spot: Spot,
    },
    /// The verification of a backup: what can be asked, how far it is, how it ended.
    Verify {
        /// The source's place in the estate.
        index: usize,
        /// Which of the orders is selected.
        choice: usize,
    },
    /// One run, as it goes on.
    Run {
        /// Its id.
        run: String,
        /// True where its journal entries are shown.
        record: bool,
        /// Where in it.
        spot: Spot,
    },
    /// A request to a run, whose reason is being typed.
    Request(RequestForm),
    /// The wizard of a rollback.
    Wizard(Box<Wizard>),
    /// What a service or a host logs; what was told of it is in `State::logs`.
    Logs(View),
    /// All silences.
    Silences(Box<SilenceList>),
    /// One panel on the full screen.
    Chart {
        /// The panel's name.
        panel: String,
        /// The time under the cursor; `None` is live.
        cursor: Option<Timestamp>,
    },
    /// The filter being typed. The text so far is in the pane's `typed`.
    Filter,
    /// The prompt of a query.
    Prompt(Box<Prompt>),
    /// The palette.
    Palette(Palette),
    /// The estates that have a name.
    Contexts(ContextList),
    /// The themes to choose from.
    Themes(Picker),
    /// The text to paste that tells of what is looked at.
    Share {
        /// It.
        text: String,
        /// What came of copying it.
        said: String,
        /// The first line shown.
        first: usize,
    },
    /// A text as the terminal selects it best: alone, over the whole width, wrapped by the terminal itself.
    Select {
        /// It.
        text: String,
        /// The first line shown.
        first: usize,
    },
    /// The form of an export.
    Export(ExportForm),
    /// What the keys do in the layer below.
    Help {
        /// First line shown.
        scroll: usize,
        /// The words that its lines must have.
        search: Search,
    },
    /// What can be done with the row below.
    Menu(Menu),
    /// The saved views.
    Views(ViewList),
    /// The name under which the view below is saved.
    SaveView(SaveForm),
}

impl Layer {
    /// Where one is in a page that has places to go to.
    pub fn spot(&self) -> Option<&Spot> {
        match self {
            Layer::Alert { spot, .. }
            | Layer::Deployment { spot, .. }
            | Layer::Diff { spot, .. }
            | Layer::Dora { spot, .. }
            | Layer::Service { spot, .. }
            | Layer::Run { spot, .. }
            | Layer::Source { spot, .. } => Some(spot),
            _ => None,
        }
    }

    /// The same, to move in it.
    pub fn spot_mut(&mut self) -> Option<&mut Spot> {
        match self {
            Layer::Alert { spot, .. }
            | Layer::Deployment { spot, .. }
            | Layer::Diff { spot, .. }
            | Layer::Dora { spot, .. }
            | Layer::Service { spot, .. }
            | Layer::Run { spot, .. }
            | Layer::Source { spot, .. } => Some(spot),
            _ => None,
        }
    }
}
