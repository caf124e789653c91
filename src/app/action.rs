//! The one table of actions: keymap, palette, footer, help, documentation and tests read it.

/// What an action may do, from harmless to dangerous. Which keys may run it follows from this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    /// Changes what is looked at.
    Look,
    /// Changes this console: its theme, its clock, whether it runs.
    Console,
    /// Asks for a change of production, by a wizard that wants a typed confirmation.
    Production,
}

/// What a key, or a line of the palette, means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each has its line in ACTIONS")]
pub enum Action {
    Close,
    Quit,
    Interrupt,
    Suspend,
    Redraw,
    Back,
    Earlier,
    Later,
    Menu,
    Views,
    Pick,
    Help,
    Palette,
    Filter,
    Overview,
    Alerts,
    Metrics,
    Databases,
    Backups,
    Deployments,
    Operations,
    Timeline,
    NextPane,
    PreviousPane,
    Down,
    Up,
    Left,
    Right,
    Top,
    Bottom,
    HalfDown,
    HalfUp,
    PageDown,
    PageUp,
    Open,
    Muted,
    Group,
    Near,
    Share,
    Logs,
    Follow,
    Errors,
    NextHit,
    PreviousHit,
    Hits,
    Select,
    Export,
    Mark,
    Compare,
    Measures,
    Verify,
    StartVerification,
    StopVerification,
    PauseRun,
    ResumeRun,
    AbortRun,
    RetryStep,
    SkipStep,
    TakeBack,
    ConfirmStep,
    Record,
    Rollback,
    Processes,
    Ack,
    Silence,
    Extend,
    Expire,
    Silences,
    Next,
    Toggle,
    Override,
    BreakGlass,
    Longer,
    Shorter,
    Live,
    PanBack,
    PanOn,
    Before,
    Over,
    Query,
    Complete,
    NextSource,
    Keep,
    ChartText,
    Refresh,
    Freeze,
    Zone,
    Theme,
    Mouse,
    Contexts,
    Accept,
    Erase,
    EraseWord,
    EraseAll,
    Nothing,
}

/// One action with all that is said about it.
#[derive(Debug)]
pub struct Entry {
    /// The action.
    pub action: Action,
    /// Its name in keymap files.
    pub name: &'static str,
    /// One or two words for the footer.
    pub short: &'static str,
    /// One line for help.
    pub doc: &'static str,
    /// What it may do.
    pub danger: Danger,
}

const fn entry(action: Action, name: &'static str, short: &'static str, danger: Danger, doc: &'static str) -> Entry {
    Entry { action, name, short, doc, danger }
}

/// All actions, in the order of the help page.
pub const ACTIONS: &[Entry] = &[
    entry(Action::Overview, "overview", "overview", Danger::Look, "what needs you, services by site, sources, what changed"),
    entry(Action::Alerts, "alerts", "alerts", Danger::Look, "all alerts, the worst first"),
    entry(Action::Metrics, "metrics", "metrics", Danger::Look, "the estate's panels as charts"),
    entry(Action::Backups, "backups", "backups", Danger::Look, "what would be lost now, retention ladders, recovery points"),
    entry(Action::Deployments, "deployments", "deployments", Danger::Look, "what was deployed, the newest first"),
    entry(Action::Databases, "databases", "databases", Danger::Look, "databases: who is primary, who follows and how far behind"),
    entry(Action::Operations, "operations", "operations", Danger::Look, "runs: what goes on, what waits for a person, what is past"),
    entry(
        Action::Timeline,
        "timeline",
        "timeline",
        Danger::Look,
        "what happened, of the service that is selected; there: of all, and back",
    ),
    entry(Action::NextPane, "next-pane", "next", Danger::Look, "the next pane"),
    entry(Action::PreviousPane, "previous-pane", "previous", Danger::Look, "the previous pane"),
    entry(Action::Down, "down", "down", Danger::Look, "one row down"),
    entry(Action::Up, "up", "up", Danger::Look, "one row up"),
    entry(
        Action::Left,
        "left",
        "left",
        Danger::Look,
        "one column to the left, where there are columns; in a chart the cursor back in time",
    ),
    entry(
        Action::Right,
        "right",
        "right",
        Danger::Look,
        "one column to the right, where there are columns; in a chart the cursor on in time",
    ),
    entry(Action::Top, "top", "top", Danger::Look, "the first row"),
    entry(Action::Bottom, "bottom", "bottom", Danger::Look, "the last row"),
    entry(Action::HalfDown, "half-down", "half down", Danger::Look, "half a screen down"),
    entry(Action::HalfUp, "half-up", "half up", Danger::Look, "half a screen up"),
    entry(Action::PageDown, "page-down", "page down", Danger::Look, "a screen down"),
    entry(Action::PageUp, "page-up", "page up", Danger::Look, "a screen up"),
    entry(Action::Open, "open", "look closer", Danger::Look, "look closer at the selected row; never executes anything"),
    entry(Action::Back, "back", "back", Danger::Look, "one level up: leave the view, return where a row led from, else clear the filter"),
    entry(Action::Earlier, "earlier", "earlier", Danger::Look, "the view before this one, as it was: pane, page, filter and row"),
    entry(Action::Later, "later", "later", Danger::Look, "the view after this one, where one went back"),
    entry(Action::Menu, "menu", "menu", Danger::Look, "what can be done with this row, and what cannot and why; does nothing by itself"),
    entry(
        Action::Views,
        "views",
        "views",
        Danger::Look,
        "your saved views: a pane, its filter and range under a name; and to save this one",
    ),
    entry(
        Action::Pick,
        "pick",
        "mark",
        Danger::Look,
        "mark this row among others, at most 50, or take its mark away; Esc clears all marks",
    ),
    entry(Action::Close, "close", "close", Danger::Console, "close this view; on a pane, quit"),
    entry(Action::Filter, "filter", "filter", Danger::Look, "show only what matches: word, !word, label=\"value\", field:regex, age<2h"),
    entry(
        Action::Palette,
        "palette",
        "go to",
        Danger::Look,
        "go to any pane, service, alert or panel, or run any action, by typing a part of its name",
    ),
    entry(Action::Help, "help", "help", Danger::Look, "what the keys do here"),
    entry(Action::Muted, "muted", "muted", Danger::Look, "show or hide silenced, inhibited and muted alerts"),
    entry(Action::Group, "group", "group", Danger::Look, "list alerts by Alertmanager's own groups, or flat"),
    entry(Action::Near, "near", "near it", Danger::Look, "what changed around the time at which the selected alert began, whatever it was"),
    entry(
        Action::Logs,
        "logs",
        "logs",
        Danger::Look,
        "what the service prints, on all its hosts; of an alert or a deployment, around that time",
    ),
    entry(Action::Follow, "follow", "follow", Danger::Look, "stop asking for new lines, or go on, at the end"),
    entry(Action::Errors, "errors", "errors", Danger::Look, "only errors and worse, asked of the hosts; again: all lines"),
    entry(Action::NextHit, "next-hit", "next hit", Danger::Look, "the next line below that matches, among all lines"),
    entry(Action::PreviousHit, "previous-hit", "hit before", Danger::Look, "the next line above that matches, among all lines"),
    entry(Action::Hits, "hits", "hits", Danger::Look, "all lines, with those marked that match what was searched; again: only those"),
    entry(
        Action::Share,
        "share",
        "copy",
        Danger::Look,
        "copy what is looked at, with the command line that shows it: for a colleague, a chat, a report",
    ),
    entry(
        Action::Select,
        "select",
        "select",
        Danger::Look,
        "show that text alone, for the terminal's own selection; the mouse is the terminal's",
    ),
    entry(
        Action::Export,
        "export",
        "export",
        Danger::Console,
        "write what is shown to a file: deployments as CSV or JSON, a chart's numbers as CSV",
    ),
    entry(Action::Mark, "mark", "base", Danger::Look, "take a deployment as the base that others are compared with; again: none"),
    entry(
        Action::Compare,
        "compare",
        "compare",
        Danger::Look,
        "what is different between a deployment and the marked one, else the one before it",
    ),
    entry(Action::Measures, "measures", "measures", Danger::Look, "DORA's measures by service; again for 7, 28 or 90 days"),
    entry(Action::Verify, "verify", "verify", Danger::Look, "verify this backup: shows first what would be run and what it reads"),
    entry(
        Action::StartVerification,
        "start-verification",
        "start",
        Danger::Console,
        "start it; it only reads, but loads this machine and the store",
    ),
    entry(Action::StopVerification, "stop-verification", "stop it", Danger::Console, "stop the verification that is under way"),
    // Holding it is one key, at once: hesitating costs more than it. Its going on is what was agreed to.
    entry(Action::PauseRun, "pause-run", "pause/go on", Danger::Console, "pause this run at once: nothing new is begun; again: it goes on"),
    entry(
        Action::ResumeRun,
        "resume-run",
        "take up",
        Danger::Production,
        "take up a run whose runner is gone: a new one reads the world back first; asks for a reason",
    ),
    entry(
        Action::AbortRun,
        "abort-run",
        "abort",
        Danger::Production,
        "take back what can be taken back, and end; asks for a reason and the word",
    ),
    entry(Action::RetryStep, "retry-step", "retry", Danger::Production, "try the selected step again; asks for a reason"),
    entry(Action::SkipStep, "skip-step", "skip", Danger::Production, "go on as if the selected step were done; asks for a reason"),
    entry(
        Action::TakeBack,
        "take-back",
        "take back",
        Danger::Production,
        "take back the selected step's target, go on with others; asks for a reason",
    ),
    entry(
        Action::ConfirmStep,
        "confirm-step",
        "confirm",
        Danger::Production,
        "you did it or looked: the selected step is done; asks what was seen",
    ),
    entry(Action::Record, "record", "journal", Danger::Look, "all journal entries of this run; again: the run"),
    entry(
        Action::Rollback,
        "rollback",
        "roll back",
        Danger::Production,
        "roll this service back: a wizard that changes nothing before a typed confirmation",
    ),
    entry(
        Action::Processes,
        "processes",
        "restart",
        Danger::Production,
        "restart, stop or start this service: a wizard that changes nothing before a typed confirmation",
    ),
    entry(Action::Ack, "ack", "ack", Danger::Production, "mute this alert and nothing else for a while, by a wizard that asks before"),
    entry(
        Action::Silence,
        "silence",
        "silence",
        Danger::Production,
        "mute what has the same labels for a while, by a wizard that asks before",
    ),
    entry(Action::Extend, "extend", "extend", Danger::Production, "give the silence that mutes this alert another end, by a wizard"),
    entry(
        Action::Expire,
        "expire",
        "end silence",
        Danger::Production,
        "end the silence that mutes this alert, by a wizard that asks before",
    ),
    entry(Action::Silences, "silences", "silences", Danger::Look, "all silences and acks: who, why, until when, and how much each mutes"),
    entry(Action::Next, "next", "next", Danger::Look, "the next step of the wizard; never does anything"),
    entry(Action::Toggle, "toggle", "take in or out", Danger::Look, "take the selected label into the silence, or leave it out"),
    entry(Action::Override, "override", "override", Danger::Console, "override the selected check, with a reason that is kept"),
    entry(
        Action::BreakGlass,
        "break-glass",
        "break glass",
        Danger::Production,
        "go on against a freeze, with a reason; red until reviewed",
    ),
    entry(Action::Longer, "longer", "longer", Danger::Look, "a longer time range"),
    entry(Action::Shorter, "shorter", "shorter", Danger::Look, "a shorter time range"),
    entry(Action::Live, "live", "live", Danger::Look, "back to the present: the chart's window ends now, and its cursor is gone"),
    entry(Action::PanBack, "pan-back", "earlier", Danger::Look, "in a chart: half a window back in time"),
    entry(Action::PanOn, "pan-on", "later", Danger::Look, "in a chart: half a window on in time; at the present it is live"),
    entry(Action::Before, "before", "yesterday", Danger::Look, "in a chart: beside the day before, the week before, nothing"),
    entry(Action::Over, "over", "lay over", Danger::Look, "lay another panel over this chart; the same one again takes it away"),
    entry(Action::Query, "query", "query", Danger::Look, "type a query in PromQL and see it as a chart"),
    entry(
        Action::Complete,
        "complete",
        "take name",
        Danger::Look,
        "take the first that is offered: a name, and within braces a label or a value",
    ),
    entry(Action::NextSource, "next-source", "another source", Danger::Look, "ask another Prometheus"),
    entry(
        Action::Keep,
        "keep",
        "keep as panel",
        Danger::Look,
        "the typed query as a panel of the estate file, to copy; the file is not changed",
    ),
    entry(
        Action::ChartText,
        "chart-text",
        "as text",
        Danger::Look,
        "this chart as text: values at the cursor, least, most, last, and its numbers",
    ),
    entry(Action::Refresh, "refresh", "refresh", Danger::Look, "try every source now"),
    entry(Action::Freeze, "freeze", "freeze", Danger::Look, "hold the view still, or let it go on; polls and ages go on all the while"),
    entry(Action::Zone, "zone", "clock", Danger::Console, "show times in UTC, this machine's zone or the estate's"),
    entry(
        Action::Theme,
        "theme",
        "theme",
        Danger::Console,
        "choose a theme: moving shows each at once, and leaving gives the former one back",
    ),
    entry(Action::Mouse, "mouse", "mouse", Danger::Console, "the mouse: here it clicks and scrolls, or the terminal selects text with it"),
    entry(Action::Contexts, "contexts", "estates", Danger::Console, "the estates that have a name, to open another; runs go on"),
    entry(Action::Redraw, "redraw", "redraw", Danger::Look, "draw the whole screen again"),
    entry(Action::Suspend, "suspend", "suspend", Danger::Console, "back to the shell; `fg` returns"),
    entry(Action::Quit, "quit", "quit", Danger::Console, "quit"),
    entry(Action::Interrupt, "interrupt", "quit", Danger::Console, "quit with the exit code of an interrupt, 130"),
    entry(Action::Accept, "accept", "take", Danger::Look, "take what is typed or selected"),
    entry(Action::Erase, "erase", "erase", Danger::Look, "erase the last character"),
    entry(Action::EraseWord, "erase-word", "erase word", Danger::Look, "erase the last word"),
    entry(Action::EraseAll, "erase-all", "erase all", Danger::Look, "erase the line"),
    entry(Action::Nothing, "none", "", Danger::Look, "nothing: takes a key away"),
];

impl Action {
    /// The action of that name.
    pub fn named(name: &str) -> Option<Action> {
        ACTIONS.iter().find(|e| e.name == name).map(|e| e.action)
    }

    /// What the table says about it.
    pub fn entry(self) -> &'static Entry {
        // The table has every action (a test holds it); the first entry stands in so that this cannot fail.
        ACTIONS.iter().find(|e| e.action == self).unwrap_or(&ACTIONS[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once_and_leads_back() {
        for entry in ACTIONS {
            assert_eq!(Action::named(entry.name), Some(entry.action));
            assert_eq!(entry.action.entry().name, entry.name);
            assert!(!entry.doc.is_empty() && entry.doc.len() <= 100, "{}", entry.name);
        }
        assert_eq!(ACTIONS.len(), Action::Nothing as usize + 1, "an action is missing in the table");
    }
}
