//! A process that outlives whoever starts it: it makes a session of its own, is told what to do line by line on its
//! standard input, and answers so on its output, until it lets go of both.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout, setsid};

use super::ProcessError;

/// Lines of its answers that are kept until they are asked for.
const LINE: usize = 64 << 10;

/// The starter's side.
#[derive(Debug)]
pub struct Detached {
    id: u32,
    input: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl Detached {
    /// Starts `argv` in the root folder, with its errors appended to `log` (0600). It is to call [`own_session`] at once.
    ///
    /// # Errors
    /// Where the log cannot be opened or the program not be started.
    pub fn start(argv: &[String], log: &Path) -> Result<Detached, ProcessError> {
        let (program, arguments) = argv.split_first().ok_or(ProcessError::Empty)?;
        let errors = open(log).map_err(|error| ProcessError::Log(log.to_owned(), error))?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().map_err(|error| ProcessError::Start(program.clone(), error))?;
        let (id, input) = (child.id(), child.stdin.take());
        let (tell, answers) = channel();
        // Ends with the process, which it waits for: nothing is left in the table of processes.
        thread::spawn(move || {
            answer(&mut child, |line| tell.send(line).is_ok());
            let _ = child.wait();
        });
        Ok(Detached { id, input, answers })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Tells it one line.
    ///
    /// # Errors
    /// Where it reads no more.
    pub fn tell(&mut self, line: &str) -> io::Result<()> {
        let Some(input) = &mut self.input else { return Err(io::ErrorKind::BrokenPipe.into()) };
        input.write_all(line.as_bytes())?;
        input.write_all(b"\n")?;
        input.flush()
    }

    /// Tells it nothing more.
    pub fn close(&mut self) {
        drop(self.input.take());
    }

    /// Its next answer; `Err(false)` where it gave none in that time, `Err(true)` where it will give none any more.
    ///
    /// # Errors
    /// Where there is none.
    pub fn answer(&self, patience: Duration) -> Result<String, bool> {
        self.answers.recv_timeout(patience).map_err(|error| error == RecvTimeoutError::Disconnected)
    }
}

fn answer(child: &mut Child, mut tell: impl FnMut(String) -> bool) {
    let Some(output) = child.stdout.take() else { return };
    let mut output = BufReader::new(io::Read::take(output, LINE as u64));
    let mut line = String::new();
    while output.read_line(&mut line).is_ok_and(|length| length > 0) {
        if !tell(line.trim_end().to_owned()) {
            return;
        }
        line.clear();
    }
}

fn open(log: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(log)
}

/// The process' side: a session of its own, without a terminal. One that leads a session already stays in it.
pub fn own_session() {
    // It fails only for the leader of a process group, which has what is wanted, but for the session.
    let _ = setsid();
}

/// The process' side: lets go of whoever started it. What it writes from now on is appended to the log.
///
/// # Errors
/// Where the log cannot be opened.
pub fn let_go(log: &Path) -> io::Result<()> {
    let (nothing, log) = (File::open("/dev/null")?, open(log)?);
    dup2_stdin(&nothing)?;
    dup2_stdout(&log)?;
    dup2_stderr(&log)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_and_answers_line_by_line_and_its_end_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let mut cat = Detached::start(&["/bin/cat".to_owned()], &folder.path().join("log")).unwrap();
        for line in ["one", "two"] {
            cat.tell(line).unwrap();
            assert_eq!(cat.answer(Duration::from_secs(30)), Ok(line.to_owned()));
        }
        assert_eq!(cat.answer(Duration::ZERO), Err(false), "it goes on");
        cat.close();
        assert_eq!(cat.answer(Duration::from_secs(30)), Err(true));
        assert!(cat.tell("three").is_err());
    }
}
