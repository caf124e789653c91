//! The one stack of layers: what lies on top is drawn last and gets the keys first.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::alert::Alert;
use crate::model::deployment::Deployment;
use crate::model::deployment::diff::Comparison;
use crate::model::deployment::dora::Table;

use super::action::Action;
pub use super::deployments::share::ExportForm;
use super::history::Search;
use super::logs::View;
use super::menu::Menu;
use super::operations::RequestForm;
use super::palette::Palette;
use super::prompt::Prompt;
use super::themes::Picker;
use super::views::{SaveForm, ViewList};
use super::wizard::Wizard;

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
    /// The themes to choose from.
    Themes(Picker),
    /// The text to paste that tells of what is looked at.
    Share {
        /// It.
        text: String,
        /// What came of copying it.
        said: String,
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

/// Names of keymap layers, and where a key of each is looked up: its own layer first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everywhere but where text is typed.
    Global,
    /// All panes.
    List,
    /// The Overview pane.
    Overview,
    /// The Alerts pane.
    Alerts,
    /// The Metrics pane.
    Metrics,
    /// The Databases pane.
    Databases,
    /// The Backups pane.
    Backups,
    /// The Deployments pane.
    Deployments,
    /// The Operations pane.
    Operations,
    /// The Timeline pane.
    Timeline,
    /// One run.
    Run,
    /// One alert, service or source.
    Detail,
    /// The verification of a backup.
    Verify,
    /// The wizard.
    Wizard,
    /// Where a reason is typed in it.
    Reason,
    /// Where it is confirmed.
    Confirm,
    /// The logs of a service or a host.
    Logs,
    /// One panel on the full screen.
    Chart,
    /// The help page.
    Help,
    /// The help page itself, which can be searched; other pages of text have the keys of help only.
    Search,
    /// A menu over what is shown.
    Menu,
    /// Where text is typed.
    Input,
    /// The palette.
    Palette,
    /// The themes to choose from.
    Themes,
    /// Where a query is typed.
    Prompt,
}

impl Scope {
    /// All scopes with their names in keymap files.
    pub const ALL: [(Scope, &'static str); 25] = [
        (Scope::Global, "global"),
        (Scope::List, "list"),
        (Scope::Overview, "overview"),
        (Scope::Alerts, "alerts"),
        (Scope::Metrics, "metrics"),
        (Scope::Databases, "databases"),
        (Scope::Backups, "backups"),
        (Scope::Deployments, "deployments"),
        (Scope::Operations, "operations"),
        (Scope::Timeline, "timeline"),
        (Scope::Run, "run"),
        (Scope::Detail, "detail"),
        (Scope::Verify, "verify"),
        (Scope::Wizard, "wizard"),
        (Scope::Reason, "reason"),
        (Scope::Confirm, "confirm"),
        (Scope::Logs, "logs"),
        (Scope::Chart, "chart"),
        (Scope::Help, "help"),
        (Scope::Search, "search"),
        (Scope::Menu, "menu"),
        (Scope::Input, "input"),
        (Scope::Palette, "palette"),
        (Scope::Themes, "themes"),
        (Scope::Prompt, "prompt"),
    ];

    /// The scope of that name.
    pub fn named(name: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|(_, n)| *n == name).map(|(scope, _)| scope)
    }

    /// Its name in keymap files.
    pub fn name(self) -> &'static str {
        Scope::ALL.into_iter().find(|(scope, _)| *scope == self).map_or("", |(_, name)| name)
    }

    /// Where a key is looked up, in this order.
    pub fn path(self) -> &'static [Scope] {
        match self {
            Scope::Global => &[Scope::Global],
            Scope::List => &[Scope::List, Scope::Global],
            Scope::Overview => &[Scope::Overview, Scope::List, Scope::Global],
            Scope::Alerts => &[Scope::Alerts, Scope::List, Scope::Global],
            Scope::Metrics => &[Scope::Metrics, Scope::List, Scope::Global],
            Scope::Databases => &[Scope::Databases, Scope::List, Scope::Global],
            Scope::Backups => &[Scope::Backups, Scope::List, Scope::Global],
            Scope::Deployments => &[Scope::Deployments, Scope::List, Scope::Global],
            Scope::Operations => &[Scope::Operations, Scope::List, Scope::Global],
            Scope::Timeline => &[Scope::Timeline, Scope::List, Scope::Global],
            Scope::Run => &[Scope::Run, Scope::Help, Scope::Global],
            Scope::Detail => &[Scope::Detail, Scope::Global],
            Scope::Verify => &[Scope::Verify, Scope::Global],
            // Nothing that leads elsewhere: what was chosen would be gone.
            Scope::Wizard => &[Scope::Wizard],
            Scope::Reason => &[Scope::Reason, Scope::Input],
            Scope::Confirm => &[Scope::Confirm],
            Scope::Logs => &[Scope::Logs, Scope::Global],
            Scope::Chart => &[Scope::Chart, Scope::Global],
            Scope::Help => &[Scope::Help, Scope::Global],
            Scope::Search => &[Scope::Search, Scope::Help, Scope::Global],
            // Nothing that leads elsewhere: the row that it is about would be another.
            Scope::Menu => &[Scope::Menu],
            Scope::Input => &[Scope::Input],
            Scope::Palette => &[Scope::Palette, Scope::Input],
            // Nothing that leads elsewhere: the former theme comes back on the way out only.
            Scope::Themes => &[Scope::Themes],
            Scope::Prompt => &[Scope::Prompt, Scope::Input],
        }
    }

    /// What the footer offers here, the most useful first: a narrow footer shows only the first of them.
    pub fn footer(self) -> &'static [Action] {
        use Action::*;
        match self {
            Scope::Overview => &[Open, Help, Filter, Rollback, Timeline, Palette, Alerts, Metrics, Freeze, Zone, Close],
            Scope::Alerts => {
                &[Open, Help, Filter, Ack, Silence, Extend, Expire, Rollback, Muted, Group, Near, Palette, Overview, Metrics, Freeze, Close]
            }
            Scope::Backups => &[Open, Help, Verify, Filter, Palette, Overview, Alerts, Metrics, Freeze, Zone, Close],
            Scope::Deployments => &[
                Open, Help, Filter, Rollback, Compare, Measures, Mark, Share, Export, Bottom, Palette, Overview, Alerts, Metrics, Freeze,
                Zone, Close,
            ],
            Scope::Timeline => &[Open, Help, Longer, Shorter, Filter, Timeline, Live, Palette, Overview, Alerts, Freeze, Close],
            Scope::Operations => &[Open, ResumeRun, Help, Filter, Palette, Overview, Alerts, Deployments, Freeze, Zone, Close],
            Scope::Run => &[Back, PauseRun, ResumeRun, AbortRun, RetryStep, SkipStep, TakeBack, ConfirmStep, Record, Share, Help, Down, Up],
            Scope::Metrics => &[Open, Help, Longer, Shorter, Query, Filter, Rollback, Palette, Overview, Alerts, Freeze, Close],
            Scope::Databases => &[Open, Help, Filter, Palette, Overview, Alerts, Metrics, Freeze, Zone, Close],
            Scope::Verify => &[StartVerification, StopVerification, Back, Help, Down, Up, Zone],
            Scope::Detail => &[
                Back, Open, Help, Verify, Ack, Silence, Extend, Expire, Rollback, Compare, Mark, Measures, Share, Down, Up, Palette,
                Freeze, Zone,
            ],
            Scope::Wizard => {
                &[Next, Back, Help, Toggle, Longer, Shorter, Override, BreakGlass, Refresh, Open, Compare, Down, Up, Zone, Close]
            }
            Scope::Reason => &[Accept, Back, EraseAll, Help],
            Scope::Confirm => &[Accept, Back, Down, EraseAll, Help],
            Scope::Logs => &[Back, Follow, Filter, Errors, Help, Open, Bottom, Share, Timeline, Freeze, Zone, Down, Up],
            Scope::Chart => &[
                Back, Help, Left, Right, Longer, Shorter, PanBack, PanOn, Live, Before, Over, Query, ChartText, Rollback, Keep, Export,
                Freeze, Zone,
            ],
            Scope::Help => &[Back, Down, Up],
            Scope::Search => &[Back, Filter, Down, Up],
            Scope::Menu => &[Accept, Back, Down, Up],
            Scope::Input => &[Accept, Back, EraseAll],
            Scope::Palette => &[Accept, Back, Down, Up],
            Scope::Themes => &[Accept, Back, Down, Up, Help],
            Scope::Prompt => &[Accept, Back, Complete, Up, Down, NextSource, EraseAll],
            Scope::Global | Scope::List => &[Help, Close],
        }
    }
}

/// The scope of what lies on top.
pub fn scope(pane: Pane, layers: &[Layer]) -> Scope {
    match layers.last() {
        None => match pane {
            Pane::Overview => Scope::Overview,
            Pane::Alerts => Scope::Alerts,
            Pane::Metrics => Scope::Metrics,
            Pane::Databases => Scope::Databases,
            Pane::Backups => Scope::Backups,
            Pane::Deployments => Scope::Deployments,
            Pane::Operations => Scope::Operations,
            Pane::Timeline => Scope::Timeline,
        },
        Some(Layer::Alert { .. } | Layer::Deployment { .. } | Layer::Service { .. } | Layer::Source { .. }) => Scope::Detail,
        Some(Layer::Diff { .. } | Layer::Dora { .. }) => Scope::Detail,
        Some(Layer::Verify { .. }) => Scope::Verify,
        Some(Layer::Run { .. }) => Scope::Run,
        Some(Layer::Request(_)) => Scope::Confirm,
        Some(Layer::Wizard(of)) => of.scope(),
        Some(Layer::Logs(_)) => Scope::Logs,
        Some(Layer::Chart { .. }) => Scope::Chart,
        // Arrows go on to scroll while one types.
        Some(Layer::Help { search, .. }) => {
            if search.typing {
                Scope::Palette
            } else {
                Scope::Search
            }
        }
        Some(Layer::Menu(_) | Layer::Views(_)) => Scope::Menu,
        Some(Layer::Share { .. } | Layer::Select { .. }) => Scope::Help,
        Some(Layer::Filter | Layer::Export(_) | Layer::SaveView(_)) => Scope::Input,
        Some(Layer::Palette(_)) => Scope::Palette,
        Some(Layer::Themes(_)) => Scope::Themes,
        Some(Layer::Prompt(_)) => Scope::Prompt,
    }
}
