//! Starts processes on this machine: the one place that does. Argument vectors only, never a shell.

pub mod capture;
pub mod detached;
pub mod follow;

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

/// Between two looks at whether a process has ended.
const LOOK: Duration = Duration::from_millis(5);

/// Why a process was not started.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// There is no first argument.
    #[error("the command is empty: its first word is the program")]
    Empty,
    /// The file for its output cannot be opened.
    #[error("cannot write the log {0}: {1}")]
    Log(PathBuf, io::Error),
    /// The system refused.
    #[error("cannot start {0}: {1}")]
    Start(String, io::Error),
}

/// A process that ends when we do: its standard input is a pipe that this process alone holds open, so that it reads
/// the end of it (see [`until_abandoned`]) whatever ends us, SIGKILL included.
#[derive(Debug)]
pub struct Companion {
    child: Child,
}

impl Companion {
    /// Starts `argv` in `folder`, in a process group of its own (keys that signal our terminal's foreground do not
    /// reach it), with its output and errors appended to `log` (0600).
    ///
    /// # Errors
    /// Where the log cannot be opened or the program not be started.
    pub fn start(argv: &[String], folder: &Path, log: &Path) -> Result<Companion, ProcessError> {
        Companion::start_as(argv, folder, log, None)
    }

    /// Likewise, as another user and group: for programs that refuse to run as root. Only root may ask for that.
    ///
    /// # Errors
    /// Where the log cannot be opened or the program not be started.
    pub fn start_as(argv: &[String], folder: &Path, log: &Path, user: Option<(u32, u32)>) -> Result<Companion, ProcessError> {
        let (program, arguments) = argv.split_first().ok_or(ProcessError::Empty)?;
        let open = || OpenOptions::new().create(true).append(true).mode(0o600).open(log);
        let twice = open().and_then(|out| Ok((out.try_clone()?, out)));
        let (out, err): (File, File) = twice.map_err(|error| ProcessError::Log(log.to_owned(), error))?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).process_group(0).stdin(Stdio::piped()).stdout(out).stderr(err);
        if let Some((user, group)) = user {
            command.uid(user).gid(group);
        }
        let child = command.spawn().map_err(|error| ProcessError::Start(program.clone(), error))?;
        Ok(Companion { child })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// False once it has ended.
    pub fn running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks it to end by closing its standard input, and waits for nothing.
    pub fn ask_to_end(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Asks it to end by closing its standard input; kills it where it has not ended after `patience`.
    pub fn end(&mut self, patience: Duration) {
        self.ask_to_end();
        let last = Instant::now() + patience;
        while self.running() {
            if Instant::now() >= last {
                return self.kill();
            }
            thread::sleep(LOOK);
        }
    }

    /// True once it has ended by itself and says that all went well.
    pub fn succeeded(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(status)) if status.success())
    }

    /// Sends it that signal; kills it where it has not ended after `patience`.
    pub fn signal(&mut self, signal: Signal, patience: Duration) {
        if self.running()
            && let Ok(id) = i32::try_from(self.id())
        {
            // It was not waited for yet, so that the number is still its own.
            let _ = nix::sys::signal::kill(Pid::from_raw(id), signal);
        }
        self.end(patience);
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(&mut self) {
        // Both fail only for a process that is gone, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The other side: returns when whoever started this process ended or wants it to end. What is written to standard
/// input is thrown away.
pub fn until_abandoned() {
    let mut bytes = [0; 256];
    let mut input = io::stdin().lock();
    loop {
        match input.read(&mut bytes) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_companion_ends_when_its_input_does_and_what_it_says_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        // `cat` ends with its input; the dollar stays a dollar: no shell is between.
        let mut said = Companion::start(&argv(&["/bin/echo", "$HOME; ls"]), folder.path(), &log).unwrap();
        said.end(Duration::from_secs(30));
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "$HOME; ls\n");
        let mut cat = Companion::start(&argv(&["/bin/cat"]), folder.path(), &log).unwrap();
        assert!(cat.running());
        cat.end(Duration::from_secs(30));
        assert!(!cat.running());
        assert_eq!(cat.child.wait().unwrap().code(), Some(0), "it ended by itself, not by a signal");
    }

    #[test]
    fn one_that_does_not_want_to_end_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let mut deaf = Companion::start(&argv(&["/bin/sleep", "1000"]), folder.path(), &folder.path().join("log")).unwrap();
        deaf.end(Duration::from_millis(20));
        assert!(!deaf.running());
    }

    #[test]
    fn what_cannot_be_started_is_told_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let error = Companion::start(&argv(&["/nonexistent/program"]), folder.path(), &log).unwrap_err();
        assert!(error.to_string().starts_with("cannot start /nonexistent/program: "), "{error}");
        assert!(matches!(Companion::start(&[], folder.path(), &log), Err(ProcessError::Empty)));
        assert!(matches!(Companion::start(&argv(&["/bin/cat"]), folder.path(), folder.path()), Err(ProcessError::Log(..))));
    }
}
