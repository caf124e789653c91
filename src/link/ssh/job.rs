//! A job on a host: what it is asked, where it lies in its job folder, and what its files say of it.

use std::time::Duration;

use tokio::time::Instant;

use super::{Reader, Script, shell};
use crate::link::http::LinkError;
use crate::link::http::explain::{refused, unreachable};
use crate::model::text;

/// Bytes of a job's output that come back at once: the last of it, or of [`Reader::follow`] the next.
pub const OUTPUT: usize = 64 << 10;
/// Room beside it, for the words of the first line.
pub(super) const ROOM: usize = 16 << 10;
/// How long reading a job's files may take beside what is waited for.
const READ: Duration = Duration::from_secs(20);

/// What is to be run on a host.
///
/// Arguments reach the script as they are (no shell reads them), but they stand in the process list of the host while it
/// runs, as the script does: no secret may be among them. None may be empty, hold a NUL, or be longer than 128 KiB.
/// The script runs with the standard input of `/dev/null`, in the home folder, with the user's own umask and locale.
/// What it prints, errors included, goes into the job's log, which has no cap: whoever starts a server sends its output
/// elsewhere. It ends by 0 done, 10 it was so already, 11 the world is otherwise; anything else is a failure.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The release folder (absolute), in which `.quarterdeck` lies; `~` stands for `$HOME/.local/state/quarterdeck`,
    /// `~/NAME` for the folder NAME in it.
    pub folder: &'a str,
    /// What it runs.
    pub script: Script,
    /// `$1`, `$2`... of it.
    pub arguments: &'a [&'a str],
}

/// How a job stands. What it printed is as it came, and hostile: who shows it cleans it (`model::text::clean`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// It did not begin.
    Never,
    /// It runs.
    Running {
        /// What it printed, [`OUTPUT`] at most.
        out: Vec<u8>,
    },
    /// It ended.
    Ended {
        /// Its exit code, from its own file and never from ssh; 128 and the signal where one ended it.
        code: i32,
        /// What it printed, [`OUTPUT`] at most.
        out: Vec<u8>,
    },
    /// It began, there is no exit code, and its process is gone: killed, or the host started anew.
    Lost {
        /// What it printed, [`OUTPUT`] at most.
        out: Vec<u8>,
    },
    /// Lease, fence, mark, or another job: nothing was run. Why, one cleaned line.
    Refused(String),
}

impl JobState {
    /// What it printed so far.
    pub fn out(&self) -> &[u8] {
        match self {
            JobState::Running { out } | JobState::Ended { out, .. } | JobState::Lost { out } => out,
            JobState::Never | JobState::Refused(_) => &[],
        }
    }
}

/// A job and the next part of its output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// How it stands. `out` is what came from the asked byte on.
    pub state: JobState,
    /// The byte to ask from next.
    pub next: u64,
}

impl Reader {
    /// How that job stands, with the last of its output. Needs no permit: it changes nothing.
    ///
    /// # Errors
    /// Where the host cannot be asked.
    pub async fn job(&self, folder: &str, run: &str, step: &str, attempt: u32) -> Result<JobState, LinkError> {
        self.attach(folder, run, step, attempt, "-", 0, Instant::now() + READ).await
    }

    /// Output of that job from the byte `from` on. Where there is none yet, waits up to `patience` for more or for the
    /// job's end, in one round trip. An ended job has given all its output when `out` is empty.
    ///
    /// # Errors
    /// Where the host cannot be asked.
    pub async fn follow(
        &self,
        folder: &str,
        run: &str,
        step: &str,
        attempt: u32,
        from: u64,
        patience: Duration,
    ) -> Result<Followed, LinkError> {
        let fifths = patience.as_millis() / 200;
        let until = Instant::now() + patience + READ;
        let state = self.attach(folder, run, step, attempt, &from.to_string(), fifths, until).await?;
        let next = from.saturating_add(state.out().len() as u64);
        Ok(Followed { state, next })
    }

    #[allow(clippy::too_many_arguments, reason = "the four that name a job, and how to read it")]
    async fn attach(
        &self,
        folder: &str,
        run: &str,
        step: &str,
        attempt: u32,
        from: &str,
        fifths: u128,
        until: Instant,
    ) -> Result<JobState, LinkError> {
        let job = format!("{}.{attempt}", flat(step));
        let words = [shell::COMMON, folder, &flat(run), &job, from, &fifths.to_string()];
        let printed = self.run(Script(shell::ATTACH), &words, until, OUTPUT + ROOM).await?;
        self.state(printed.code, &printed.out, &printed.errors)
    }

    /// What a script of ours said of a job.
    pub(super) fn state(&self, code: Option<i32>, out: &[u8], errors: &[u8]) -> Result<JobState, LinkError> {
        let (word, rest) = self.first(code, out, errors)?;
        let out = rest.to_vec();
        match word.split_once(' ').unwrap_or((&word, "")) {
            ("never", _) => Ok(JobState::Never),
            ("running", _) => Ok(JobState::Running { out }),
            ("lost", _) => Ok(JobState::Lost { out }),
            ("refused", why) => Ok(JobState::Refused(why.to_owned())),
            ("ended", code) => match code.trim().parse() {
                Ok(code) => Ok(JobState::Ended { code, out }),
                Err(_) => Ok(JobState::Lost { out }),
            },
            _ => Err(self.strange(&word)),
        }
    }

    /// The first line of what a script of ours said, cleaned, and what comes behind it.
    pub(super) fn first<'a>(&self, code: Option<i32>, out: &'a [u8], errors: &[u8]) -> Result<(String, &'a [u8]), LinkError> {
        let end = memchr::memchr(b'\n', out);
        let (line, rest) = end.map_or((out, &[][..]), |at| (&out[..at], &out[at + 1..]));
        let line = text::clean(&String::from_utf8_lossy(line), text::NOTE_CAP).into_owned();
        if let Some(why) = line.strip_prefix("broken ") {
            return Err(refused(format!("{}: {why}{}", self.host().name, because(errors))));
        }
        if line.is_empty() {
            let code = code.map_or("none".to_owned(), |code| code.to_string());
            return Err(unreachable(format!("{}: the script there ended by {code} and said nothing{}", self.host().name, because(errors))));
        }
        Ok((line, rest))
    }

    pub(super) fn strange(&self, line: &str) -> LinkError {
        unreachable(format!("{}: the script there said what it never says: {line}", self.host().name))
    }
}

/// The last line of errors, as an end of a sentence.
fn because(errors: &[u8]) -> String {
    let errors = String::from_utf8_lossy(errors);
    errors.lines().map(str::trim).rfind(|line| !line.is_empty()).map_or(String::new(), |line| format!(" ({line})"))
}

/// A run or step as one name in a folder: `/` as `.`, and whatever is neither a letter, a digit, `_` nor `-` as `%` and its
/// two hex digits, so that no two steps share a job (`a.b/c` is not `a/b/c`).
pub(super) fn flat(name: &str) -> String {
    let mut flat = String::new();
    for byte in name.bytes() {
        match byte {
            b'/' => flat.push('.'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => flat.push(char::from(byte)),
            other => flat.push_str(&format!("%{other:02X}")),
        }
    }
    flat
}
