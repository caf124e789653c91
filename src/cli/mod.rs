//! The command line: one file per subcommand, each writing to a writer that it is given.

pub mod args;
mod astray;
mod check;
mod columns;
mod completions;
pub mod contexts;
pub mod deed;
#[cfg(feature = "lab")]
mod demo;
mod deployments;
mod failure;
mod init;
mod journal;
mod keys;
#[cfg(feature = "lab")]
mod lab;
mod live;
mod log;
mod logs;
mod man;
mod open;
mod paths;
mod plan;
mod schema;
mod settings;
#[cfg(test)]
mod shown;
mod silences;
mod snapshot;
pub mod status;
mod stops;
mod verify;
mod version;
mod wait;

use std::ffi::OsString;
use std::io::{BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use failure::Failure;
use settings::Settings;

use crate::config::paths::Env;

/// All is well.
pub const OK: u8 = 0;
/// What was asked for could not be done; for `check`: the file has problems.
pub const FAILED: u8 = 1;
/// A check stands in the way: nothing was begun.
pub const REFUSED: u8 = 4;
/// What was looked at is broken, or what was begun has failed.
pub const BROKEN: u8 = 5;
/// Stopped by a person.
pub const INTERRUPTED: u8 = 130;
/// The command line is wrong, or no estate was found (`EX_USAGE` of sysexits.h).
pub const USAGE: u8 = 64;
/// The reader of our output went away: what a shell reports for SIGPIPE.
pub const BROKEN_PIPE: u8 = 141;

/// Runs `qd` with this process' arguments, environment, output and errors.
pub fn main() -> ExitCode {
    // It can only fail where hooks are installed already: then there is a panic report anyway.
    let _ = color_eyre::install();
    // Never locked: the console draws from other threads, and a panic there must find standard error free.
    let mut out = BufWriter::new(std::io::stdout());
    let mut err = std::io::stderr();
    let outside = Outside { env: &|name| std::env::var_os(name), terminal: std::io::stdout().is_terminal() };
    ExitCode::from(run(std::env::args_os(), outside, &mut out, &mut err))
}

/// What a subcommand sees of the process around it.
#[derive(Clone, Copy)]
pub struct Outside<'a> {
    /// The environment's variables.
    pub env: Env<'a>,
    /// True where the output is a terminal.
    pub terminal: bool,
}

/// Runs `qd` with these arguments, the program's name first; returns the exit code. Errors are told on `err`.
pub fn run(args: impl IntoIterator<Item = OsString>, outside: Outside<'_>, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        // Help and version come this way too.
        Err(told) if told.use_stderr() => {
            let _ = match astray::hint(&told) {
                Some(hint) => write!(err, "{hint}"),
                None => write!(err, "{told}"),
            };
            return USAGE;
        }
        Err(told) => return finish(write!(out, "{told}").map_err(Failure::from).map(|()| OK), FAILED, str::to_owned, out, err),
    };
    // To a monitoring system 1 is a warning: what could not be judged is unknown.
    let failed = if matches!(cli.command, Some(Command::Status { .. })) { status::UNKNOWN } else { FAILED };
    let global = match contexts::chosen(&cli.global, outside) {
        Ok(global) => global,
        Err(failure) => return finish(Err(failure), failed, str::to_owned, out, err),
    };
    let settings = Settings::new(&global, outside);
    let done = dispatch(&cli, &settings, out, err);
    finish(done, failed, |text| settings.typed(text), out, err)
}

fn dispatch(cli: &Cli, settings: &Settings<'_>, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    if cli.global.output == args::Output::Csv && !matches!(cli.command, Some(Command::Deployments { .. })) {
        return Err(Failure::Usage("CSV is what `qd deployments` prints: use -o table or -o json here".to_owned()));
    }
    if let Some(flag) = cli.stray() {
        return Err(Failure::Usage(match cli.has(flag) {
            true => format!("{flag} stands before the subcommand, where it would be ignored: write it after the subcommand"),
            false => format!("{flag} is for the console, which opens without a subcommand: leave it out here"),
        }));
    }
    let start = open::Start { pane: cli.pane, filter: cli.filter.clone(), range: cli.range, view: cli.view.clone(), practice: false };
    match &cli.command {
        None => open::run(settings, start, err),
        Some(Command::Init(init)) => init::run(settings, init, out, err),
        Some(Command::Check { live: false, estate }) => check::run(settings, estate.as_deref(), out),
        Some(Command::Check { live: true, estate }) => live::run(settings, estate.as_deref(), out, err),
        Some(Command::Status { watch: true, every, limit }) => status::linear(settings, *every, *limit, out, err),
        Some(Command::Status { .. }) => status::run(settings, out, err),
        Some(Command::Snapshot { pane, filter, size, range, view }) => {
            let (filter, view) = (filter.as_deref(), view.as_deref());
            let frame = snapshot::Wanted { pane: *pane, filter, size: *size, range: *range, view };
            snapshot::run(settings, &frame, out, err)
        }
        Some(Command::Deployments { filter, limit }) => deployments::run(settings, filter, *limit, out, err),
        Some(Command::Logs(wish)) => logs::run(settings, wish, out, err),
        Some(Command::Silences(wish)) => silences::run(settings, wish, out, err),
        Some(Command::Contexts) => contexts::run(settings, out),
        Some(Command::Keys) => keys::run(settings, out),
        #[cfg(feature = "lab")]
        Some(Command::Demo(demo)) => demo::run(settings, start, demo, out, err),
        #[cfg(feature = "lab")]
        Some(Command::Lab(lab)) => lab::run(settings, lab, out),
        Some(Command::Verify(what)) => verify::run(settings, what, out, err),
        Some(Command::Run(what)) => deed::carry(settings, what, out, err),
        Some(Command::Runner) => deed::runner::run(settings, err),
        Some(Command::Deed(deed)) => deed::run(settings, deed, out, err),
        Some(Command::Journal(what)) => journal::run(settings, what, out, err),
        Some(Command::Plan(wanted)) => plan::run(settings, wanted, out, err),
        Some(Command::Paths) => paths::run(settings, out),
        Some(Command::Completions { shell }) => completions::run(*shell, out),
        Some(Command::Man { folder }) => man::run(folder.as_deref(), out),
        Some(Command::Schema) => schema::run(out),
    }
}

/// Flushes, tells what failed, with commands as they must be `typed`, and chooses the exit code.
fn finish(done: Result<u8, Failure>, failed: u8, typed: impl Fn(&str) -> String, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    match done.and_then(|code| out.flush().map(|()| code).map_err(Failure::from)) {
        Ok(code) => code,
        Err(failure) if failure.is_broken_pipe() => BROKEN_PIPE,
        Err(failure) => {
            // Where errors cannot be told either, the exit code is all that is left.
            let mut told = Vec::new();
            let _ = failure.tell(&mut told);
            let _ = err.write_all(typed(&String::from_utf8_lossy(&told)).as_bytes());
            failure.code(failed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// A process without any environment.
    const NOWHERE: Outside<'static> = Outside { env: &|_| None, terminal: false };

    fn qd(args: &[&str]) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = std::iter::once("qd").chain(args.iter().copied()).map(OsString::from);
        let code = run(args, NOWHERE, &mut out, &mut err);
        (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_names_every_subcommand_and_shows_examples() {
        let (code, help, err) = qd(&["--help"]);
        assert_eq!((code, err.as_str()), (OK, ""));
        for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            assert!(help.contains(command.get_name()), "{} is not in the help", command.get_name());
            let (code, own, _) = qd(&[command.get_name(), "--help"]);
            assert_eq!(code, OK);
            assert!(own.contains("Examples:") || command.get_name() == "help", "{} shows no example", command.get_name());
        }
        for word in ["Examples:", "Exit codes", "--estate", "QD_ESTATE", "--read-only", "--color", "--ascii", "--theme", "--pane"] {
            assert!(help.contains(word), "{word} is not in the help");
        }
    }

    #[test]
    fn a_wrong_command_line_exits_64_and_says_so_on_standard_error() {
        for wrong in [
            &["--nonsense"][..],
            &["nonsense"],
            &["status", "-o", "xml"],
            &["snapshot", "--pane", "nowhere"],
            &["snapshot", "--pane", "alerts", "--size", "12"],
            &["--color", "mauve"],
            &["status", "--estate"],
        ] {
            let (code, out, err) = qd(wrong);
            assert_eq!((code, out.as_str()), (USAGE, ""), "{wrong:?}");
            assert!(err.contains("error"), "{wrong:?}: {err}");
        }
    }

    #[test]
    fn a_deed_without_plan_or_run_before_it_is_told_where_it_is_and_not_what_sounds_like_it() {
        for word in ["restart", "rollback", "stop", "start", "silence", "ack", "expire"] {
            let (code, out, err) = qd(&[word, "web"]);
            assert_eq!((code, out.as_str()), (USAGE, ""));
            assert!(err.contains(&format!("\n  qd plan {word} ")) && err.contains(&format!("\n  qd run {word} ")), "{err}");
            assert!(!err.contains("similar") && err.lines().all(|line| line.len() <= 80), "{err}");
        }
        let (_, _, err) = qd(&["statsu"]);
        assert!(err.contains("similar") && err.contains("status"), "what is near still is told: {err}");
        let (code, _, err) = qd(&["run", "ack", "DiskFull", "--dry-run"]);
        assert!(code == USAGE && err.contains("qd plan ... --dry-run"), "{err}");
        let (_, _, err) = qd(&["run", "ack", "DiskFull", "--nonsense"]);
        assert!(!err.contains("dry-run"), "{err}");
    }

    #[test]
    fn a_file_that_is_not_there_is_told_with_its_name() {
        for command in ["check", "status", "snapshot"] {
            let (code, out, err) = qd(&["--estate", "/nonexistent/estate.toml", command]);
            assert!(code != OK, "{command}");
            assert_eq!(code == status::UNKNOWN, command == "status", "{command} exited {code}");
            assert!(format!("{out}{err}").contains("/nonexistent/estate.toml"), "{command}: {out}{err}");
        }
    }

    #[test]
    fn the_console_is_not_opened_on_a_broken_estate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("estate.toml");
        std::fs::write(&path, "version = 1\n[estate]\nnmae = \"shop\"\n").unwrap();
        let (code, out, err) = qd(&["--estate", path.to_str().unwrap()]);
        assert_eq!((code, out.as_str()), (FAILED, ""));
        assert!(err.contains("estate.toml:3:1: ") && err.contains("nothing was done"), "{err}");
    }

    #[test]
    fn the_commands_of_an_error_are_about_the_estate_that_was_named() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().as_os_str().to_owned();
        let env = |name: &str| (name == "HOME").then(|| folder.clone());
        let outside = Outside { env: &env, terminal: false };
        let told = |args: &[&str]| {
            let mut err = Vec::new();
            let code = run(args.iter().map(OsString::from), outside, &mut Vec::new(), &mut err);
            (code, String::from_utf8(err).unwrap())
        };
        let (code, err) = told(&["qd", "--estate", "/srv/my shop.toml", "show", "web"]);
        assert!(code == USAGE && err.contains("`qd --estate '/srv/my shop.toml' runs` lists them"), "{code} {err}");
        let (code, err) = told(&["qd", "show", "web"]);
        assert!(code == USAGE && err.contains("`qd runs` lists them"), "{code} {err}");
    }

    #[test]
    fn a_flag_that_would_be_ignored_is_refused_with_what_to_do() {
        for (args, hint) in [
            (&["--pane", "alerts", "snapshot"][..], "after the subcommand"),
            (&["--filter", "x", "deployments"], "after the subcommand"),
            (&["--range", "2h", "deployments"], "leave it out"),
            (&["--view", "mine", "status"], "leave it out"),
            (&["--pane", "alerts", "status"], "leave it out"),
        ] {
            let (code, out, err) = qd(args);
            assert_eq!((code, out.as_str()), (USAGE, ""), "{args:?}");
            assert!(err.contains(args[0]) && err.contains(hint), "{args:?}: {err}");
        }
    }

    #[test]
    fn a_reader_that_goes_away_is_no_error() {
        let mut err = Vec::new();
        let code = run(["qd", "--help"].map(OsString::from), NOWHERE, &mut Gone, &mut err);
        assert_eq!((code, err.len()), (BROKEN_PIPE, 0));
        let code = run(["qd", "keys"].map(OsString::from), NOWHERE, &mut Gone, &mut err);
        assert_eq!((code, err.len()), (BROKEN_PIPE, 0));
    }
}
