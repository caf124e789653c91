//! Runs a program to its end and takes what it writes: with a deadline, an end to its output, and nobody to ask.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::{LOOK, ProcessError};

/// Bytes of its errors that are kept.
const ERRORS: usize = 16 << 10;

/// What a program wrote.
#[derive(Debug)]
pub struct Captured {
    /// Its exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// What it wrote.
    pub output: Vec<u8>,
    /// The beginning of what it wrote to its standard error.
    pub errors: String,
}

/// Runs `argv` without a shell, in a process group of its own, with nothing on its standard input and these variables
/// besides ours. It and what it started are killed where it takes longer than `deadline` or writes more than `cap` bytes.
/// Waits until it ended: to be called where that is allowed.
///
/// # Errors
/// Where it cannot be started, or had to be killed.
pub fn capture(argv: &[&str], variables: &[(&str, &str)], deadline: Duration, cap: usize) -> Result<Captured, ProcessError> {
    let (program, arguments) = argv.split_first().ok_or(ProcessError::Empty)?;
    let started = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .envs(variables.iter().copied())
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| ProcessError::Start((*program).to_owned(), error))?;
    let output = read(child.stdout.take(), cap + 1);
    let errors = read(child.stderr.take(), ERRORS);
    let left = || deadline.saturating_sub(started.elapsed());
    let result = match output.recv_timeout(left()) {
        Err(RecvTimeoutError::Timeout) => Err(ProcessError::Late((*program).to_owned(), deadline)),
        Ok(output) if output.len() > cap => Err(ProcessError::TooMuch((*program).to_owned(), cap)),
        read => loop {
            match child.try_wait() {
                Ok(Some(status)) => break Ok((status.code(), read.unwrap_or_default())),
                Ok(None) if left() > Duration::ZERO => thread::sleep(LOOK),
                Ok(None) => break Err(ProcessError::Late((*program).to_owned(), deadline)),
                Err(error) => break Err(ProcessError::Start((*program).to_owned(), error)),
            }
        },
    };
    if result.is_err() {
        kill(&mut child);
    }
    let (code, output) = result?;
    // A grandchild may hold it open for ever.
    let errors = errors.recv_timeout(LOOK.max(left())).unwrap_or_default();
    Ok(Captured { code, output, errors: String::from_utf8_lossy(&errors).into_owned() })
}

/// Reads so many bytes beside us: a full pipe would stop the program.
fn read(from: Option<impl Read + Send + 'static>, cap: usize) -> mpsc::Receiver<Vec<u8>> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(from) = from {
            // What was read before an error is told.
            let _ = from.take(cap as u64).read_to_end(&mut bytes);
        }
        let _ = tell.send(bytes);
    });
    told
}

/// The whole group: a program that is killed leaves those that it started.
fn kill(child: &mut Child) {
    if let Ok(group) = i32::try_from(child.id()) {
        let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(group), nix::sys::signal::Signal::SIGKILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_it_writes_and_how_it_ends_is_told_and_no_shell_is_between() {
        let said = capture(&["/bin/echo", "$HOME; ls"], &[], LONG, 100).unwrap();
        assert_eq!((said.code, said.output.as_slice()), (Some(0), b"$HOME; ls\n".as_slice()));
        let said = capture(&["/bin/ls", "/nonexistent"], &[("LC_ALL", "C")], LONG, 100).unwrap();
        assert!(said.code != Some(0) && said.errors.contains("No such file"), "{said:?}");
        assert_eq!(capture(&["/bin/cat"], &[], LONG, 100).unwrap().output, b"", "its input is empty");
        let variables = capture(&["/usr/bin/env"], &[("QD_TEST", "yes")], LONG, 1 << 20).unwrap();
        assert!(String::from_utf8_lossy(&variables.output).contains("QD_TEST=yes"));
    }

    #[test]
    fn one_that_does_not_end_or_does_not_stop_writing_is_killed() {
        let late = capture(&["/bin/sleep", "1000"], &[], Duration::from_millis(30), 100);
        assert!(matches!(late, Err(ProcessError::Late(..))), "{late:?}");
        let much = capture(&["/usr/bin/yes"], &[], LONG, 1_000);
        assert!(matches!(much, Err(ProcessError::TooMuch(..))), "{much:?}");
        assert!(matches!(capture(&["/nonexistent/program"], &[], LONG, 1), Err(ProcessError::Start(..))));
        assert!(matches!(capture(&[], &[], LONG, 1), Err(ProcessError::Empty)));
    }
}
