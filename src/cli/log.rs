//! The log file: what happened, for whoever looks for a defect. Never the screen, and no file before there is a line.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::sys::signal::{SigSet, Signal};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// A log of this many bytes gives way to a new one at the next start.
const LARGEST: u64 = 5 << 20;
/// Lines that may wait for a slow disk; then lines are lost. The queue is made and touched at its whole length, 32 bytes
/// a line: the library's own 128,000 would be a fifth of all memory that the console uses.
const WAITING: usize = 2_048;
/// The variable that holds the level: `debug`, or such as `quarterdeck::watch=trace,warn`.
pub const LEVEL: &str = "QD_LOG";

/// The log in its folder.
pub fn file(folder: &Path) -> PathBuf {
    folder.join("qd.log")
}

/// Sends all that is traced from now on to the log file, by a thread of its own: a slow disk must not hold up the
/// screen. A level that is none is told on `err`, and `info` taken.
pub fn start(folder: &Path, level: Option<&str>, err: &mut dyn Write) -> WorkerGuard {
    let filter = level.filter(|l| !l.is_empty()).and_then(|level| match EnvFilter::try_new(level) {
        Ok(filter) => Some(filter),
        Err(why) => {
            let _ = writeln!(err, "qd: {LEVEL}={level:?} is no level ({why}); logging at info");
            None
        }
    });
    // Its thread must not be the one that a SIGTSTP stops before the console has given the terminal back.
    let mut stops = SigSet::empty();
    stops.add(Signal::SIGTSTP);
    let held = stops.thread_block();
    let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(WAITING).finish(Log::new(file(folder)));
    if held.is_ok() {
        let _ = stops.thread_unblock();
    }
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|| EnvFilter::new("info")))
        .with_ansi(false)
        .with_writer(writer)
        .finish();
    // A second start in one process keeps the first log.
    let _ = tracing::subscriber::set_global_default(subscriber);
    guard
}

/// Opens its file when the first line comes. A log that cannot be written is no reason to stop: the lines are lost.
struct Log {
    path: PathBuf,
    /// The file; the inner `None` is one that could not be opened.
    file: Option<Option<File>>,
}

impl Log {
    fn new(path: PathBuf) -> Log {
        Log { path, file: None }
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let path = &self.path;
        self.file.get_or_insert_with(|| open(path).ok()).as_mut().map_or(Ok(bytes.len()), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Readable by its owner alone: it names hosts and addresses.
fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    if std::fs::metadata(path).is_ok_and(|about| about.len() > LARGEST) {
        std::fs::rename(path, path.with_extension("log.old"))?;
    }
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_file_is_there_from_the_first_line_on_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(&folder.path().join("state"));
        let mut log = Log::new(path.clone());
        assert!(!path.exists());
        for line in ["one\n", "two\n"] {
            log.write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_large_log_gives_way_and_one_that_cannot_be_written_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path());
        File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        Log::new(path.clone()).write_all(b"new\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new\n");
        assert_eq!(std::fs::metadata(path.with_extension("log.old")).unwrap().len(), LARGEST + 1);
        Log::new("/dev/null/qd.log".into()).write_all(b"lost\n").unwrap();
    }
}
