//! One run of a program for what it prints: an argument vector, no shell, a deadline and an end to the output.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::Instant;

use super::ProcessError;

/// Bytes of its errors that are kept: what it says last is what matters.
const ERRORS: usize = 64 << 10;

/// What a program printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// Its exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Its output.
    pub out: Vec<u8>,
    /// Its errors, as far as they are kept.
    pub errors: Vec<u8>,
}

/// Why there is nothing to read.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// It was not started.
    #[error(transparent)]
    Start(#[from] ProcessError),
    /// It did not end in time.
    #[error("{0} did not end within {1} s and was killed")]
    Late(String, f64),
    /// It printed too much.
    #[error("{0} printed more than {1} MiB and was killed")]
    Much(String, usize),
    /// Its output could not be read.
    #[error("the output of {0} cannot be read: {1}")]
    Read(String, io::Error),
}

/// Ends the whole process group, whatever way this is left.
#[derive(Debug)]
pub(in crate::link) struct Group(Option<Pid>);

impl Group {
    /// The group that this process leads, which was started so.
    pub(in crate::link) fn of(id: Option<u32>) -> Group {
        Group(id.and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It fails only where nobody is left, which is what is wanted.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

/// Runs `argv` to its end and gives back what it printed, at most `cap` bytes. It has a process group of its own, which
/// is killed where it takes until `until`, prints more, or nobody waits for it any more.
///
/// # Errors
/// Where it does not start, end in time, or stop printing.
pub async fn capture(argv: &[String], until: Instant, cap: usize) -> Result<Printed, CaptureError> {
    feed(argv, &[], until, cap).await
}

/// The same for a program that reads `input` from its standard input. It may end without having read all of it.
///
/// # Errors
/// Where it does not start, end in time, or stop printing.
pub async fn feed(argv: &[String], input: &[u8], until: Instant, cap: usize) -> Result<Printed, CaptureError> {
    let (program, arguments) = argv.split_first().ok_or(ProcessError::Empty)?;
    let started = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .process_group(0)
        .stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| ProcessError::Start(program.clone(), error))?;
    let mut group = Group::of(child.id());
    let (out, errors, into) = (child.stdout.take(), child.stderr.take(), child.stdin.take());
    let whole = async {
        let (out, errors, ()) = tokio::try_join!(read(out, cap, false), read(errors, ERRORS, true), write(into, input))?;
        let Some(out) = out else { return Ok(None) };
        let status = child.wait().await?;
        Ok::<_, io::Error>(Some(Printed { code: status.code(), out, errors: errors.unwrap_or_default() }))
    };
    match tokio::time::timeout_at(until, whole).await {
        Ok(Ok(Some(printed))) => {
            // Its number may be another's by now.
            group.0 = None;
            Ok(printed)
        }
        Ok(Ok(None)) => Err(CaptureError::Much(program.clone(), cap >> 20)),
        Ok(Err(error)) => Err(CaptureError::Read(program.clone(), error)),
        Err(_) => {
            let waited: Duration = until.saturating_duration_since(started);
            Err(CaptureError::Late(program.clone(), (waited.as_secs_f64() * 10.0).round() / 10.0))
        }
    }
}

/// Writes all of it, then ends it. Whoever closed the other side wants no more, which its exit code explains better.
async fn write(into: Option<impl AsyncWrite + Unpin>, input: &[u8]) -> io::Result<()> {
    let Some(mut into) = into else { return Ok(()) };
    match into.write_all(input).await {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// All bytes; `None` where they are more than `cap`, unless only the last of them are wanted.
async fn read(from: Option<impl AsyncRead + Unpin>, cap: usize, last: bool) -> io::Result<Option<Vec<u8>>> {
    let mut all = Vec::new();
    let Some(mut from) = from else { return Ok(Some(all)) };
    let mut part = vec![0; 16 << 10];
    loop {
        match from.read(&mut part).await? {
            0 => return Ok(Some(all)),
            n if all.len() + n <= cap => all.extend_from_slice(&part[..n]),
            n if last => {
                all.extend_from_slice(&part[..n]);
                all.drain(..all.len().saturating_sub(cap));
            }
            _ => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn what_is_printed_comes_back_with_the_exit_code_and_no_shell_reads_it() {
        let said = capture(&argv(&["/bin/echo", "$HOME; ls"]), soon(), 100).await.unwrap();
        assert_eq!((said.code, said.out), (Some(0), b"$HOME; ls\n".to_vec()));
        let bad = capture(&argv(&["/bin/ls", "/nonexistent/x"]), soon(), 100).await.unwrap();
        assert!(bad.code != Some(0) && !bad.errors.is_empty(), "{bad:?}");
        assert!(capture(&argv(&["/bin/cat"]), soon(), 100).await.unwrap().out.is_empty(), "there is no input");
    }

    #[tokio::test]
    async fn input_is_given_whole_and_a_program_that_wants_none_of_it_is_no_fault() {
        let much = vec![b'x'; 1 << 20];
        let said = feed(&argv(&["/bin/cat"]), &much, soon(), 2 << 20).await.unwrap();
        assert!(said.out == much && said.code == Some(0));
        assert_eq!(feed(&argv(&["/bin/true"]), &much, soon(), 100).await.unwrap().code, Some(0));
    }

    #[tokio::test]
    async fn of_long_errors_the_last_ones_are_kept() {
        let told = "head -c 200000 /dev/zero | tr '\\0' x >&2; echo the reason >&2";
        let said = capture(&argv(&["/bin/sh", "-c", told]), soon(), 100).await.unwrap();
        assert!(said.errors.len() <= ERRORS && said.errors.ends_with(b"xthe reason\n"), "{}", said.errors.len());
    }

    #[tokio::test]
    async fn what_takes_too_long_or_prints_too_much_is_killed_with_all_that_it_started() {
        let late = capture(&argv(&["/bin/sh", "-c", "sleep 1000 & sleep 1000"]), Instant::now() + Duration::from_millis(50), 100).await;
        assert!(matches!(late, Err(CaptureError::Late(..))), "{late:?}");
        let much = capture(&argv(&["/bin/cat", "/dev/zero"]), soon(), 1 << 20).await;
        assert!(matches!(much, Err(CaptureError::Much(..))), "{much:?}");
        let none = capture(&argv(&["/nonexistent/program"]), soon(), 100).await.unwrap_err();
        assert!(none.to_string().starts_with("cannot start /nonexistent/program: "), "{none}");
        assert!(matches!(capture(&[], soon(), 100).await, Err(CaptureError::Start(ProcessError::Empty))));
    }
}
