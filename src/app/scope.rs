//! Where keys are looked up: each kind of layer has a scope of its own, with a footer.

use super::action::Action;
use super::layer::{Layer, Pane};

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
    /// The list of silences.
    Silences,
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
    /// The list of estates.
    Contexts,
}

impl Scope {
    /// All scopes with their names in keymap files.
    pub const ALL: [(Scope, &'static str); 27] = [
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
        (Scope::Silences, "silences"),
        (Scope::Chart, "chart"),
        (Scope::Help, "help"),
        (Scope::Search, "search"),
        (Scope::Menu, "menu"),
        (Scope::Input, "input"),
        (Scope::Palette, "palette"),
        (Scope::Themes, "themes"),
        (Scope::Prompt, "prompt"),
        (Scope::Contexts, "contexts"),
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
            Scope::Silences => &[Scope::Silences, Scope::Help, Scope::Global],
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
            Scope::Contexts => &[Scope::Contexts, Scope::Help, Scope::Global],
        }
    }

    /// What the footer offers here, the most useful first: a narrow footer shows only the first of them.
    pub fn footer(self) -> &'static [Action] {
        use Action::*;
        match self {
            Scope::Overview => {
                &[Open, Help, Menu, Filter, Rollback, Processes, Timeline, Logs, Palette, Alerts, Metrics, Freeze, Zone, Close]
            }
            Scope::Alerts => &[
                Open, Help, Menu, Ack, Silence, Extend, Expire, Silences, Pick, Filter, Rollback, Processes, Logs, Muted, Group, Near,
                Share, Palette, Overview, Metrics, Freeze, Close,
            ],
            Scope::Backups => &[Open, Help, Menu, Verify, Filter, Palette, Overview, Alerts, Metrics, Freeze, Zone, Close],
            Scope::Deployments => &[
                Open, Help, Menu, Rollback, Compare, Filter, Measures, Pick, Mark, Processes, Share, Export, Bottom, Palette, Overview,
                Alerts, Metrics, Freeze, Zone, Close,
            ],
            Scope::Timeline => {
                &[Open, Help, Menu, Longer, Shorter, Filter, Timeline, Live, Share, Palette, Overview, Alerts, Freeze, Close]
            }
            Scope::Operations => {
                &[Open, Help, Menu, ResumeRun, Filter, Pick, Share, Palette, Overview, Alerts, Deployments, Freeze, Zone, Close]
            }
            Scope::Run => {
                &[Back, Help, Menu, PauseRun, ResumeRun, AbortRun, RetryStep, SkipStep, TakeBack, ConfirmStep, Record, Share, Down, Up]
            }
            Scope::Metrics => &[Open, Help, Menu, Longer, Shorter, Query, Filter, Rollback, Palette, Overview, Alerts, Freeze, Close],
            Scope::Databases => &[Open, Help, Menu, Filter, Palette, Overview, Alerts, Metrics, Freeze, Zone, Close],
            Scope::Verify => &[StartVerification, StopVerification, Back, Help, Down, Up, Zone],
            Scope::Detail => &[
                Back, Open, Help, Menu, Verify, Ack, Silence, Extend, Expire, Rollback, Processes, Logs, Compare, Mark, Measures, Share,
                Down, Up, Palette, Freeze, Zone,
            ],
            Scope::Wizard => {
                &[Next, Back, Help, Toggle, Longer, Shorter, Override, BreakGlass, Refresh, Open, Compare, Down, Up, Zone, Close]
            }
            Scope::Reason => &[Accept, Back, EraseAll, Help],
            Scope::Confirm => &[Accept, Back, Down, EraseAll, Help],
            Scope::Logs => &[Back, Help, Follow, Filter, NextHit, Errors, Open, Bottom, Share, Timeline, Freeze, Zone, Down, Up],
            Scope::Silences => &[Back, Open, Help, Extend, Expire, Filter, Down, Up, Bottom, Palette, Freeze, Zone],
            Scope::Chart => &[
                Back, Help, Menu, Left, Right, Longer, Shorter, PanBack, PanOn, Live, Before, Over, Query, ChartText, Rollback, Keep,
                Export, Freeze, Zone,
            ],
            Scope::Help => &[Back, Select, Help, Down, Up],
            Scope::Search => &[Back, Filter, Down, Up],
            Scope::Menu => &[Accept, Back, Help, Down, Up],
            Scope::Input => &[Accept, Back, EraseAll],
            Scope::Palette => &[Accept, Back, Down, Up],
            Scope::Themes => &[Accept, Back, Down, Up, Help],
            Scope::Prompt => &[Accept, Back, Complete, Down, Up, NextSource, EraseAll],
            Scope::Contexts => &[Accept, Back, Help, Down, Up],
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
        Some(Layer::Silences(of)) if of.typing => Scope::Input,
        Some(Layer::Silences(_)) => Scope::Silences,
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
        Some(Layer::Contexts(_)) => Scope::Contexts,
    }
}
