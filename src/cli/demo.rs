//! `qd demo`: a practice estate of real small processes, with the console on it.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use color_eyre::eyre::WrapErr;
use jiff::{SignedDuration, Timestamp};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::signal::unix::{SignalKind, signal};

use crate::journal::is_alive;
use crate::lab::{self, LONGEST_FOLDER, Lab, LabError, Options, Scenario};
use crate::operate::attach::Runs;

use super::args::Global;
use super::failure::Failure;
use super::open::{self, Start};
use super::settings::Settings;

/// What the folders of practice estates are called, before their moment.
const PREFIX: &str = "demo-";
/// How far back charts reach at first: practice is minutes old.
const RANGE: SignedDuration = SignedDuration::from_mins(5);
/// Locked as long as the practice lasts.
const LOCK: &str = lab::RUNNING;
/// The journal of a practice, in its folder.
const JOURNAL: &str = "journal.db";
/// How long a runner may take to be gone.
const END: Duration = Duration::from_secs(2);
/// Its presence says that the folder is to stay.
const KEPT: &str = "kept";

/// How to practise.
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// What goes wrong.
    #[arg(long, value_name = "SCENARIO", value_parser = scenarios(), default_value = Scenario::Steady.word())]
    scenario: Scenario,
    /// Leave the folder of the practice estate when it ends.
    #[arg(long)]
    keep: bool,
    /// Open no console: print `estate: PATH`, and run until a signal comes.
    #[arg(long)]
    no_console: bool,
    /// The seconds until it goes wrong.
    #[arg(long, value_name = "SECONDS", default_value_t = 20, hide = true)]
    after: u64,
}

fn scenarios() -> impl TypedValueParser<Value = Scenario> {
    PossibleValuesParser::new(Scenario::ALL.map(|scenario| PossibleValue::new(scenario.word()).help(scenario.about())))
        .map(|word| Scenario::ALL.into_iter().find(|scenario| scenario.word() == word).unwrap_or(Scenario::Steady))
}

/// Starts the practice estate, opens the console on it, and ends all when that is left; the result is its exit code.
pub fn run(settings: &Settings<'_>, start: Start, demo: &Demo, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let base = base(settings);
    sweep(&base);
    let folder = Folder::new(&base, demo.keep).wrap_err("cannot make a folder for the practice estate")?;
    let options = Options {
        scenario: demo.scenario,
        program: std::env::current_exe().wrap_err("cannot tell where this program is")?,
        folder: folder.path.clone(),
        after: Duration::from_secs(demo.after),
    };
    if demo.no_console {
        // First of all, so that no signal comes between.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut signals = {
            let _inside = runtime.enter();
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal)
        };
        let lab = started(&options)?;
        writeln!(out, "estate: {}", lab.estate().display())?;
        writeln!(out, "Open it in a second terminal: qd --estate {}\nIt ends with Ctrl-C.", lab.estate().display())?;
        out.flush()?;
        let code = runtime.block_on(first(&mut signals))?;
        let ended = end_runs(&folder.path);
        drop(lab);
        // Where the terminal is gone nobody is told.
        let _ = tell(&ended, out);
        return Ok(code);
    }
    // Some seconds, where a database is made first: nobody should look at nothing meanwhile.
    writeln!(err, "Starting the practice estate {} ...", demo.scenario.word())?;
    let lab = started(&options)?;
    let global = Global { estate: Some(lab.estate().to_owned()), ..settings.global.clone() };
    let mut own = Settings::new(&global, settings.outside);
    // What is remembered of practice goes with it; its journal is in its folder already, by the estate file.
    own.paths.cache = Some(folder.path.join("cache"));
    let code = open::run(&own, Start { range: start.range.or(Some(RANGE)), practice: true, ..start }, err);
    let ended = end_runs(&folder.path);
    drop(lab);
    tell(&ended, out)?;
    if demo.keep {
        writeln!(out, "The practice estate is kept: {}", folder.path.display())?;
    }
    code
}

fn started(options: &Options) -> Result<Lab, Failure> {
    Lab::start(options).map_err(|error: LabError| Failure::Other(color_eyre::Report::new(error)))
}

/// Ends the runners of that practice that are under way: the hosts that they change go away with it. Gives back their
/// runs.
fn end_runs(folder: &Path) -> Vec<String> {
    let mut known = Runs::default();
    // A journal that nobody can read, or none: no runner of it can be told.
    if known.read(&folder.join(JOURNAL)).is_err() {
        return Vec::new();
    }
    let mut ended = Vec::new();
    for state in known.all().iter().filter(|state| state.ended.is_none()) {
        let Some(runner) = state.runner.as_ref().filter(|runner| is_alive(runner)) else { continue };
        let Ok(id) = i32::try_from(runner.process.id) else { continue };
        let _ = kill(Pid::from_raw(id), Signal::SIGKILL);
        let last = Instant::now() + END;
        while is_alive(runner) && Instant::now() < last {
            std::thread::sleep(Duration::from_millis(5));
        }
        ended.push(state.run.clone());
    }
    ended
}

fn tell(ended: &[String], out: &mut dyn Write) -> io::Result<()> {
    ended.iter().try_for_each(|run| writeln!(out, "The run {run} was under way: it was ended with the practice estate."))
}

/// Waits for a signal; the exit code that says which.
async fn first(signals: &mut [io::Result<tokio::signal::unix::Signal>; 3]) -> io::Result<u8> {
    let [interrupt, terminate, hangup] = signals;
    let taken = |signal: &io::Error| io::Error::new(signal.kind(), signal.to_string());
    let (interrupt, terminate, hangup) =
        (interrupt.as_mut().map_err(|e| taken(e))?, terminate.as_mut().map_err(|e| taken(e))?, hangup.as_mut().map_err(|e| taken(e))?);
    Ok(tokio::select! {
        _ = interrupt.recv() => 130,
        _ = terminate.recv() => 143,
        _ = hangup.recv() => 129,
    })
}

/// Where the folders of practice estates are: beside the log, or where temporary files go if that path is too long for
/// a socket.
pub fn base(settings: &Settings<'_>) -> PathBuf {
    let room = |folder: &PathBuf| folder.as_os_str().len() + PREFIX.len() + 32 <= LONGEST_FOLDER;
    let own = settings.paths.state.as_ref().map(|state| state.join("demo"));
    // Where others may write too, the folder is still its owner's alone: one that is there already is never taken.
    own.filter(room).unwrap_or_else(std::env::temp_dir)
}

/// The folders of practice estates that run now.
pub fn running(base: &Path) -> Vec<PathBuf> {
    folders(base).into_iter().filter(|folder| is_locked(folder)).collect()
}

fn folders(base: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(base) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX) && entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .filter(|path| path.join(LOCK).is_file())
        .collect();
    found.sort();
    found
}

/// True where the practice that made it still runs. A file that cannot be opened is another person's: hands off.
fn is_locked(folder: &Path) -> bool {
    File::open(folder.join(LOCK)).is_ok_and(|file| file.try_lock().is_err())
}

/// Removes what a practice left that was killed.
fn sweep(base: &Path) {
    for folder in folders(base) {
        let left = File::open(folder.join(LOCK)).is_ok_and(|file| file.try_lock().is_ok());
        if left {
            end_runs(&folder);
        }
        if left && !folder.join(KEPT).exists() {
            lab::forget(&folder);
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

/// A fresh folder, removed in the end unless it is kept.
struct Folder {
    path: PathBuf,
    keep: bool,
    _lock: File,
}

impl Folder {
    fn new(base: &Path, keep: bool) -> io::Result<Folder> {
        let mut private = DirBuilder::new();
        private.mode(0o700);
        private.recursive(true).create(base)?;
        let moment = Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string();
        let path = base.join(format!("{PREFIX}{moment}-{}", std::process::id()));
        // One that is there already is not ours.
        private.recursive(false).create(&path)?;
        let lock = File::create(path.join(LOCK))?;
        lock.lock()?;
        if keep {
            File::create(path.join(KEPT))?;
        }
        Ok(Folder { path, keep, _lock: lock })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_practice_left_is_removed_and_nothing_else() {
        let base = tempfile::tempdir().unwrap();
        let runs = Folder::new(base.path(), false).unwrap();
        let path = |name: &str| base.path().join(name);
        for name in ["demo-left", "demo-kept", "demo-strange", "other"] {
            fs::create_dir(path(name)).unwrap();
        }
        for file in ["demo-left/running", "demo-kept/running", "demo-kept/kept", "other/running"] {
            fs::write(path(file), "").unwrap();
        }
        assert_eq!(running(base.path()), [runs.path.clone()]);
        sweep(base.path());
        assert!(!path("demo-left").exists());
        assert!(path("demo-kept").exists() && path("demo-strange").exists() && path("other").exists());
        assert!(runs.path.join(LOCK).exists(), "one that runs stays");
        let own = runs.path.clone();
        drop(runs);
        assert!(!own.exists());
    }
}
