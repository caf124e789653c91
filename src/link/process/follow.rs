//! One long run of a program whose lines are told as they come: an argument vector, no shell, no input, a deadline, an end
//! to the output, and a way to stop it with all that it started.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::Instant;

use super::ProcessError;
use super::capture::CaptureError;

/// How long a program may take to end by itself after it was asked to.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes of one line; the rest of a longer one is passed over.
const LINE: usize = 8 << 10;

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this exit code; `None` where a signal ended it.
    Exit(Option<i32>),
    /// It was stopped because nobody wanted it any more.
    Stopped,
}

/// Ends the whole process group, whatever way this is left.
struct Group(Option<Pid>);

impl Group {
    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // It fails only where nobody is left, or where it has become another user's.
            let _ = killpg(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

/// Runs `argv` with these variables beside our own environment, and tells each line of its output and its errors as it
/// comes, at most `cap` bytes of both. It has a process group of its own, which is asked to end (SIGTERM, then SIGKILL)
/// once `stop` is true, and killed where it takes until `until` or prints more.
///
/// # Errors
/// Where it does not start, end in time, or stop printing.
pub async fn follow(
    argv: &[String],
    environment: &[(&str, &str)],
    until: Instant,
    cap: usize,
    mut stop: watch::Receiver<bool>,
    mut line: impl FnMut(&str),
) -> Result<Ended, CaptureError> {
    let (program, arguments) = argv.split_first().ok_or(ProcessError::Empty)?;
    let began = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| ProcessError::Start(program.clone(), error))?;
    let mut group = Group(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw));
    let (mut out, mut errors) = (Lines::new(child.stdout.take()), Lines::new(child.stderr.take()));
    let unread = |error: io::Error| CaptureError::Read(program.clone(), error);
    let mut printed = 0;
    let mut stopped = *stop.borrow();
    while !(stopped || out.ended() && errors.ended()) {
        let read = tokio::select! {
            read = out.read(), if !out.ended() => read,
            read = errors.read(), if !errors.ended() => read,
            () = wanted(&mut stop) => { stopped = true; Ok(0) }
            () = tokio::time::sleep_until(until) => return Err(late(program, began)),
        };
        printed += read.map_err(unread)?;
        out.tell(&mut line);
        errors.tell(&mut line);
        if printed > cap {
            return Err(CaptureError::Much(program.clone(), cap >> 20));
        }
    }
    if !stopped {
        let code = tokio::select! {
            status = child.wait() => Some(status.map_err(unread)?.code()),
            () = wanted(&mut stop) => None,
            () = tokio::time::sleep_until(until) => return Err(late(program, began)),
        };
        if let Some(code) = code {
            // Its number may be another's by now.
            group.0 = None;
            return Ok(Ended::Exit(code));
        }
    }
    group.signal(Signal::SIGTERM);
    if tokio::time::timeout(PATIENCE, child.wait()).await.is_err() {
        group.signal(Signal::SIGKILL);
        // One of another user (`sudo`) cannot be killed from here: it ends when it finds nobody reading.
        let _ = tokio::time::timeout(PATIENCE, child.wait()).await;
    }
    // What it started may still be there.
    group.signal(Signal::SIGKILL);
    group.0 = None;
    Ok(Ended::Stopped)
}

fn late(program: &str, began: Instant) -> CaptureError {
    CaptureError::Late(program.to_owned(), began.elapsed().as_secs_f64().round())
}

/// Ends once it is to be stopped; never where nobody can say so any more.
async fn wanted(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Bytes on their way to lines. A carriage return ends a line too: it is how progress is drawn.
struct Lines<R> {
    from: Option<R>,
    part: Vec<u8>,
    waiting: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    fn new(from: Option<R>) -> Lines<R> {
        Lines { from, part: vec![0; 16 << 10], waiting: Vec::new() }
    }

    fn ended(&self) -> bool {
        self.from.is_none()
    }

    async fn read(&mut self) -> io::Result<usize> {
        let Some(from) = &mut self.from else { return Ok(0) };
        let read = from.read(&mut self.part).await?;
        match read {
            0 => self.from = None,
            read => self.waiting.extend_from_slice(&self.part[..read]),
        }
        Ok(read)
    }

    fn tell(&mut self, line: &mut impl FnMut(&str)) {
        let mut rest = self.waiting.as_slice();
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            say(&rest[..end], line);
            rest = &rest[end + 1..];
        }
        if self.from.is_none() {
            say(rest, line);
            rest = &[];
        }
        let left = rest.len();
        let all = self.waiting.len();
        self.waiting.drain(..all - left);
        self.waiting.truncate(LINE);
    }
}

fn say(bytes: &[u8], line: &mut impl FnMut(&str)) {
    if !bytes.is_empty() {
        line(&String::from_utf8_lossy(&bytes[..bytes.len().min(LINE)]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(script: &str) -> Vec<String> {
        ["/bin/sh", "-c", script].map(str::to_owned).to_vec()
    }

    async fn run(script: &str, cap: usize) -> (Result<Ended, CaptureError>, Vec<String>) {
        let (_keep, stop) = watch::channel(false);
        let mut lines = Vec::new();
        let until = Instant::now() + Duration::from_secs(60);
        let ended = follow(&argv(script), &[("MARK", "x y")], until, cap, stop, |line| lines.push(line.to_owned())).await;
        (ended, lines)
    }

    #[tokio::test]
    async fn lines_come_whole_with_those_of_its_errors_and_the_exit_code() {
        let (ended, mut lines) = run("printf 'a\\nb\\rc'; echo $MARK >&2; exit 3", 1_000).await;
        lines.sort();
        assert_eq!((ended.unwrap(), lines.join("|").as_str()), (Ended::Exit(Some(3)), "a|b|c|x y"));
    }

    #[tokio::test]
    async fn what_prints_without_end_or_takes_too_long_is_ended() {
        let (ended, _) = run("while :; do echo yes; done", 1 << 20).await;
        assert!(matches!(ended, Err(CaptureError::Much(..))), "{ended:?}");
        let (_keep, stop) = watch::channel(false);
        let soon = Instant::now() + Duration::from_millis(50);
        let late = follow(&argv("sleep 1000"), &[], soon, 10, stop, |_| {}).await;
        assert!(matches!(late, Err(CaptureError::Late(..))), "{late:?}");
    }

    #[tokio::test]
    async fn a_stopped_one_is_gone_with_all_that_it_started() {
        let (stopper, stop) = watch::channel(false);
        let mut told = None;
        let until = Instant::now() + Duration::from_secs(60);
        // The child of the child ignores the polite signal.
        let ended = follow(&argv("trap '' TERM; sh -c 'trap \"\" TERM; echo $$; sleep 1000'"), &[], until, 1_000, stop, |line| {
            told = line.parse::<i32>().ok();
            stopper.send_replace(true);
        })
        .await;
        assert_eq!(ended.unwrap(), Ended::Stopped);
        let child = Pid::from_raw(told.unwrap());
        let gone = || nix::sys::signal::kill(child, None).is_err() || is_dead(child);
        let end = Instant::now() + Duration::from_secs(30);
        while !gone() && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(gone());
    }

    fn is_dead(child: Pid) -> bool {
        std::fs::read_to_string(format!("/proc/{child}/stat")).map_or(true, |stat| stat.contains(") Z "))
    }
}
