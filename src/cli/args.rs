//! What the command line takes, and the help that teaches it.

mod examples;
pub(super) mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use jiff::{SignedDuration, Timestamp};

use crate::app::layer::Pane;
use crate::journal::Head;
use crate::model::preferences::ColorChoice;

use self::examples::{CHECK_EXAMPLES, COMPLETIONS_EXAMPLES, INIT_EXAMPLES, JOURNAL_EXAMPLES, VERIFY_EXAMPLES};
use self::values::{Keys, panes, range, size, span};

const EXAMPLES: &str = "\
Examples:
  qd demo                            a practice estate, to look around; needs nothing installed
  qd init --prometheus http://localhost:9090
                                     write a first estate, from what is found there
  qd check --live                    is the file right, and does each source answer?
  qd                                 open the console
  qd --estate ./estate.toml          ... for this estate
  qd --context shop                  ... for the estate of that name; `@` changes it on the screen
  qd --pane alerts --read-only       ... on the Alerts pane, with nothing that changes production
  qd --view 'my alerts'              ... on a view that you saved under that name
  qd status                          one look, for a person
  qd status -o json | jq .alerts     one look, for a program
  qd status --watch                  only what is new, line by line, to listen to
  qd deployments --filter 'age<1d'   what was deployed, as a table, JSON or CSV
  qd silences                        who muted what, why and until when
  qd verify store                    read a backup back, and record what that proves
  qd plan rollback web               how would it go back to the release before? changes nothing
  qd run rollback web --reason 'errors since 2.5.0' --confirm 'web 4f2a91'
                                     carry it out: the phrase is the one that `qd plan` printed
  qd runs                            what was begun here, and how it stands
  qd attach web-2026                 follow it; `qd pause`, `resume`, `abort` it with a reason
  qd show web-2026 --report          the whole record as Markdown
  qd journal verify                  is the record as it was written?
  qd snapshot --pane overview        one frame of the screen as text, for a report
  qd contexts                        the estates that have a name
  qd keys                            what every key does
  qd schema > estate.schema.json     your editor completes and checks the estate file
  qd completions bash                Tab completes subcommands and flags
  qd man | man -l -                  the manual page

Exit codes:
  0 done; 1 failed; 64 the command line is wrong or there is no estate.
  `qd check`: 1 where the file has a problem or, with --live, a source does not answer.
  `qd status`: 0 ok, 1 warning, 2 critical, 3 unknown, the worst first: critical, warning, unknown.
  `qd plan`: 4 where a check stands in the way.
  `qd verify`, `qd journal verify`: 5 where something is broken.
  `qd run`, `qd attach`: 4 refused by a check, 5 failed or taken back, 6 needs a person.

The estate file is looked for in this order: --estate or --context, QD_ESTATE,
$XDG_CONFIG_HOME/quarterdeck/estate.toml (~/.config), /etc/quarterdeck/estate.toml.";

/// The examples, without `qd demo` where it is compiled out.
fn examples() -> String {
    let lines = EXAMPLES.split_inclusive('\n');
    lines.filter(|line| cfg!(feature = "lab") || !line.trim_start().starts_with("qd demo")).collect()
}

/// A terminal console from which people run production.
#[derive(Debug, Parser)]
#[command(name = "qd", version = super::version::LONG, about = "A terminal console from which people run production", long_about = LONG, after_long_help = examples(), after_help = "`qd --help` shows examples.")]
pub struct Cli {
    /// What holds for every subcommand.
    #[command(flatten)]
    pub global: Global,
    /// The pane to start on.
    #[arg(long, value_name = "PANE", value_parser = panes())]
    pub pane: Option<Pane>,
    /// The filter of that pane, as it is typed after `/`: `result=failed`, `age<2h`.
    #[arg(long, value_name = "FILTER")]
    pub filter: Option<String>,
    /// How far back charts reach at first, 5m to 7d; 1h where nothing is said.
    #[arg(long, value_name = "DURATION", value_parser = range)]
    pub range: Option<SignedDuration>,
    /// A saved view to start with: its pane, filter and range. `V` in the console lists them.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["pane", "filter"])]
    pub view: Option<String>,
    /// What to do; nothing opens the console.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// A flag of the console that stands before a subcommand which would ignore it.
    pub fn stray(&self) -> Option<&'static str> {
        #[cfg(feature = "lab")]
        if matches!(self.command, Some(Command::Demo(_))) {
            return None;
        }
        self.command.as_ref()?;
        let flags = [
            ("--pane", self.pane.is_some()),
            ("--filter", self.filter.is_some()),
            ("--range", self.range.is_some()),
            ("--view", self.view.is_some()),
        ];
        flags.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }

    /// True where the subcommand has that flag itself.
    pub fn has(&self, flag: &str) -> bool {
        match self.command {
            Some(Command::Snapshot { .. }) => true,
            Some(Command::Deployments { .. }) => flag == "--filter",
            _ => false,
        }
    }
}

const LONG: &str = "\
Quarterdeck: a terminal console from which people run production.

Without a subcommand it opens the console on the estate: what needs you now, services by site,
alerts, metrics, backups, deployments and databases, each with its age. The estate is described by one file, estate.toml.";

/// What holds for every subcommand.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// The estate file [env: QD_ESTATE].
    #[arg(long, global = true, value_name = "PATH")]
    pub estate: Option<PathBuf>,
    /// The estate of that name, instead of a file: see `qd contexts`.
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// Only look: nothing that changes production can be started.
    #[arg(long, global = true)]
    pub read_only: bool,
    /// When to use colours; `auto` follows NO_COLOR, TERM and whether the output is a terminal.
    #[arg(long, global = true, value_name = "WHEN", value_enum)]
    pub color: Option<Color>,
    /// Plain ASCII on the screen.
    #[arg(long, global = true)]
    pub ascii: bool,
    /// The theme: auto (dark or light, as the terminal is), high-contrast, okabe-ito... or one of your own; T shows all [env: QD_THEME].
    #[arg(long, global = true, value_name = "NAME")]
    pub theme: Option<String>,
    /// The keys: default, with the letters that hands know from vi, or plain, with arrows and function keys [env: QD_KEYMAP].
    #[arg(long, global = true, value_name = "NAME", value_enum)]
    pub keymap: Option<Keys>,
    /// How to print: a table for people or JSON for programs.
    #[arg(short, long, global = true, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: Output,
    /// What was said before a context was taken in.
    #[arg(skip)]
    pub said: super::contexts::Said,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// Where the output is a terminal that wants them.
    Auto,
    /// Wherever the output goes.
    Always,
    /// Nowhere: state is still told by mark, word and place.
    Never,
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> ColorChoice {
        match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
    }
}

/// How to print.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
    /// For spreadsheets: `qd deployments` only.
    Csv,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a first estate file: from what the servers tell of themselves, or a template to fill in.
    #[command(after_help = INIT_EXAMPLES)]
    Init(Init),
    /// Say whether an estate file is right: every problem with its file, line, column and a hint.
    #[command(after_help = CHECK_EXAMPLES)]
    Check {
        /// Then try each source once: does it answer, are the credentials right, does its clock agree?
        #[arg(long)]
        live: bool,
        /// The estate file; without it the one that the console would open.
        // A name of its own: one that is called like a global flag takes that flag away.
        #[arg(id = "checked", value_name = "ESTATE")]
        estate: Option<PathBuf>,
    },
    /// Read every source once and print what is known: needs, services, sources, panels.
    #[command(
        after_help = "Examples:\n  qd status\n  qd status -o json | jq '.needs[].what'\n  qd status > /dev/null || echo \"look\"\n  \
                      qd status --watch                  told line by line, for a screen reader or a pipe\n  \
                      qd status --watch --for 10m        ... and then the exit code of what is known by then\n\n\
                      Exits 0 ok, 1 warning, 2 critical, 3 unknown. docs/status-json.md describes the JSON."
    )]
    Status {
        /// Go on and tell what is new, one line each: nothing is redrawn.
        #[arg(long)]
        watch: bool,
        /// Where nothing is new for so long, tell how things stand.
        #[arg(long, value_name = "DURATION", value_parser = span, default_value = "10m", requires = "watch")]
        every: SignedDuration,
        /// End by itself after that long.
        #[arg(long = "for", value_name = "DURATION", value_parser = span, requires = "watch")]
        limit: Option<SignedDuration>,
    },
    /// Read every source once and print one frame of the screen as text.
    #[command(
        after_help = "Examples:\n  qd snapshot\n  qd snapshot --pane alerts --size 160x50\n  qd snapshot --pane metrics --color always | less -R\n  qd snapshot --view 'my alerts'"
    )]
    Snapshot {
        /// The pane to draw.
        #[arg(long, value_name = "PANE", value_parser = panes(), default_value = "overview")]
        pane: Pane,
        /// The pane's filter, as it is typed after `/`.
        #[arg(long, value_name = "FILTER")]
        filter: Option<String>,
        /// How far back charts reach, 5m to 7d; 1h where neither this nor the view says.
        #[arg(long, value_name = "DURATION", value_parser = range)]
        range: Option<SignedDuration>,
        /// A saved view instead of pane and filter.
        #[arg(long, value_name = "NAME", conflicts_with_all = ["pane", "filter"])]
        view: Option<String>,
        /// Columns and rows.
        #[arg(long, value_name = "COLUMNSxROWS", value_parser = size, default_value = "80x24")]
        size: (u16, u16),
    },
    /// Read every history once and print what was deployed, the newest first; histories that were indexed earlier whole.
    #[command(
        after_help = "Examples:\n  qd deployments --filter 'result=failed age<7d'\n  qd deployments --filter 'service=checkout who=ann' --limit 10\n  \
                      qd deployments -o csv > deployments.csv\n  qd deployments -o json | jq '.[].version'\n\nThe fields of a filter are on the help page of the Deployments pane."
    )]
    Deployments {
        /// Which, as it is typed after `/` in the pane.
        #[arg(long, value_name = "FILTER", default_value = "")]
        filter: String,
        /// How many at the most.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Verify a backup: read what is kept and say what is broken. It changes nothing; the journal keeps the result.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(Verify),
    /// Show, verify or export the journal: the record of what was done and seen.
    #[command(subcommand, after_help = JOURNAL_EXAMPLES)]
    Journal(Journal),
    /// Make a plan and its checks, and print both: who does what, in which order, what it costs. It changes nothing.
    #[command(subcommand, after_help = super::plan::EXAMPLES)]
    Plan(super::plan::Wanted),
    /// Carry out a plan that was confirmed by its phrase, and follow it.
    #[command(subcommand, after_help = super::deed::EXAMPLES)]
    Run(super::deed::Carry),
    /// Carries a run out; started by qd itself.
    #[command(hide = true)]
    Runner,
    /// What is done with runs.
    #[command(flatten)]
    Deed(super::deed::Deed),
    /// Print what a service or a host logs, its hosts merged by time.
    Logs(super::logs::Wish),
    /// List who muted what, why and until when: all silences and acks, those that end first on top.
    Silences(super::silences::Wish),
    /// List what every key does in every layer, and the actions that have no key.
    #[command(after_help = "Examples:\n  qd keys\n  qd keys -o json")]
    Keys,
    /// Practise: real small processes on this machine in two sites, with the console on them.
    #[cfg(feature = "lab")]
    #[command(after_help = "Examples:\n  qd demo\n  qd demo --scenario bad-release\n  qd demo --scenario storm --no-console\n\n\
                      All processes end with it; `qd lab` stops and starts them meanwhile.")]
    Demo(super::demo::Demo),
    /// Stop, start and deploy in the practice estate of `qd demo`.
    #[cfg(feature = "lab")]
    #[command(subcommand, after_help = "Examples:\n  qd lab stop store north\n  qd lab start store north\n  qd lab deploy 2.4.0 north")]
    Lab(super::lab::Lab),
    /// List the estates that have a name: those of config.toml and of the folder `estates` beside it.
    #[command(
        after_help = "Examples:\n  qd contexts\n  qd contexts -o json | jq -r '.[] | select(.production) | .name'\n  qd --context shop status\n\nThey are listed in config.toml, or lie in the folder `estates` beside it: docs/contexts.md."
    )]
    Contexts,
    /// List every file and folder that qd uses, and whether it exists.
    #[command(after_help = "Examples:\n  qd paths\n  qd paths -o json")]
    Paths,
    /// Print what makes your shell complete `qd`'s subcommands and flags with Tab.
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// Your shell.
        #[arg(value_name = "SHELL", value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one for each subcommand into a folder.
    #[command(after_help = "Examples:\n  qd man | man -l -\n  qd man ~/.local/share/man/man1         then: man qd, man qd-status")]
    Man {
        /// Where the pages go; without it the page of `qd` itself is printed.
        #[arg(value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
    /// Print the JSON Schema of the estate file, for editors that complete and check TOML by one.
    #[command(after_help = "Examples:\n  qd schema > estate.schema.json\n\n\
                      Then write this as the first line of the estate file:\n  #:schema ./estate.schema.json\n\n\
                      Editors with Taplo (Even Better TOML in VS Code, taplo lsp in others) complete keys, tell what\n\
                      each is for and mark what is wrong. `qd check` knows more: names that lead nowhere, for one.")]
    Schema,
}

/// Where to look for a first estate, and where to write it.
#[derive(Debug, Clone, Default, Args)]
pub struct Init {
    /// A Prometheus, or what speaks its HTTP API: services, sites and panels are proposed from what it watches.
    #[arg(long, value_name = "URL")]
    pub prometheus: Option<String>,
    /// An Alertmanager; once for each peer of its set. Without it those that the Prometheus names.
    #[arg(long, value_name = "URL")]
    pub alertmanager: Vec<String>,
    /// The whole address of a `/metrics` page, for a service that no Prometheus scrapes.
    #[arg(long, value_name = "URL")]
    pub metrics: Option<String>,
    /// Credentials, TLS and proxy for these addresses, in Prometheus' own http_config format.
    #[arg(long, value_name = "FILE")]
    pub http_config: Option<PathBuf>,
    /// The file to write, `-` to print; without it the one that the console looks for first (see `qd paths`).
    #[arg(id = "written", value_name = "ESTATE")]
    pub estate: Option<PathBuf>,
}

/// What to verify.
#[derive(Debug, Clone, Args)]
pub struct Verify {
    /// The backup, by its name in the estate file.
    pub backup: String,
    /// One recovery point, with what it needs; the newest without this. pgBackRest and restic always look at all of them:
    /// then the exit code is about this one.
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    pub point: Option<String>,
    /// Every point of a folder of snapshots.
    #[arg(long)]
    pub all: bool,
    /// Of restic: read only this many percent of the data, chosen by chance; a pass proves less.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub percent: Option<u8>,
}

/// What to do with the journal.
#[derive(Debug, Clone, Subcommand)]
pub enum Journal {
    /// List its events, the oldest first.
    Show {
        /// Only what was written at this time or later, such as 2026-11-21T06:00:00Z.
        #[arg(long, value_name = "TIME")]
        since: Option<Timestamp>,
        /// Only what happened to this run.
        #[arg(long, value_name = "RUN")]
        run: Option<String>,
    },
    /// Walk its chain and name the first event that was changed, moved, removed or cut off.
    Verify {
        /// An export, instead of this person's journal; `-` is standard input.
        #[arg(long, value_name = "EXPORT")]
        file: Option<PathBuf>,
        /// A head that was kept elsewhere, in a target's job folder or a report, as it stands there: `COUNT HASH`. A cut
        /// end is seen by it even where the head beside the journal was cut too. May be given again.
        #[arg(long, value_name = "HEAD")]
        head: Vec<Head>,
    },
    /// Print it as JSON lines that verify again elsewhere.
    Export {
        /// From the first event on that was written at this time or later, such as 2026-11-21T06:00:00Z.
        #[arg(long, value_name = "TIME")]
        since: Option<Timestamp>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estate_is_named_by_its_flag_too() {
        for command in ["check", "init", "status", "snapshot"] {
            let cli = Cli::try_parse_from(["qd", command, "--estate", "e.toml"]).unwrap();
            assert_eq!(cli.global.estate, Some("e.toml".into()), "{command}");
        }
        let cli = Cli::try_parse_from(["qd", "check", "--live", "f.toml", "--estate", "e.toml"]).unwrap();
        assert!(matches!(cli.command, Some(Command::Check { live: true, estate: Some(path) }) if path.as_os_str() == "f.toml"));
    }

    #[test]
    fn flags_work_before_and_after_the_subcommand() {
        for args in [["qd", "--ascii", "status"], ["qd", "status", "--ascii"]] {
            assert!(Cli::try_parse_from(args).unwrap().global.ascii);
        }
        let cli = Cli::try_parse_from(["qd", "--pane", "alerts"]).unwrap();
        assert_eq!((cli.pane, cli.command.is_none()), (Some(Pane::Alerts), true));
    }
}
