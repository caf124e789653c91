//! One remote command of a call, as a job of the host; and what was left of one, read back.

use std::time::Duration;

use tokio::time::Instant;

use super::reach::{Place, Reach};
use super::{Called, printed};
use crate::link::http::LinkError;
use crate::link::permit::Permit;
use crate::link::ssh::{Job as Order, JobState, Script};
use crate::model::plan::Found;
use crate::model::run::CallEnd;

/// How long one reading may take.
pub(super) const LOOK: Duration = Duration::from_secs(15);
/// Bytes of what a reading prints.
const CAP: usize = 64 << 10;

/// Done.
const DONE: i32 = 0;
/// It was so already.
const ALREADY: i32 = 10;
/// The world is otherwise.
const OTHERWISE: i32 = 11;
/// Of a reading: as it was expected to be before.
pub(super) const NOT_YET: i32 = 12;
/// Of a reading: it is still being done.
const UNDERWAY: i32 = 13;

/// Functions of all scripts, which begin with `eval "$1"; shift`. `qd_machine` is said after it: the machine of the plan is
/// proved in the same command, also where the estate file names none. The exit code says how it ended and the last line
/// of the output what was seen.
pub(super) const COMMON: &str = r#"
qd_end() { qd_code=$1; shift; printf '%s\n' "$*"; exit "$qd_code"; }
qd_machine() {
  qd_is=; [ -r /etc/machine-id ] && read -r qd_is </etc/machine-id
  [ "${qd_is:--}" = "$1" ] || qd_end 11 "${qd_as-}it is another machine: its machine-id is ${qd_is:-not there}, expected $1"
}
qd_synced() { sync "$@" 2>/dev/null || sync; }
"#;

/// A call on a host.
pub(super) struct Job<'a> {
    /// What is common to all calls.
    pub reach: &'a Reach,
    /// Where.
    pub place: Place<'a>,
    /// When it must have ended.
    pub until: Instant,
    /// The step's timeout.
    pub seconds: u32,
}

/// The name of a job that may have been left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left<'a> {
    /// The run's id.
    pub run: &'a str,
    /// The step's name, `undo` behind it where the call takes it back.
    pub step: &'a str,
    /// The try.
    pub attempt: u32,
}

/// What a reading on a host said.
pub(super) struct Told {
    /// Its exit code.
    pub code: i32,
    /// What it said last.
    pub last: String,
}

impl Job<'_> {
    /// Runs the script as a job and waits for its end: the one call that changes something.
    pub(super) async fn run(self, permit: Permit, script: Script, arguments: &[&str]) -> Called {
        let (state, output) = match self.start(permit, script, arguments).await {
            Ok(ended) => ended,
            Err(called) => return called,
        };
        let said = |other: &str| printed::last(&output).unwrap_or(other).to_owned();
        let end = match state {
            JobState::Ended { code: DONE, .. } => CallEnd::Done { seen: said("it ended well") },
            JobState::Ended { code: ALREADY, .. } => CallEnd::Done { seen: said("it was so already") },
            JobState::Ended { code: OTHERWISE, .. } => {
                CallEnd::Refused { why: format!("{}: {}", self.place.name, said("the world is otherwise")) }
            }
            JobState::Ended { code, .. } => CallEnd::Failed { why: failed(&self.place.name, code, printed::last(&output)) },
            other => self.without_end(other),
        };
        Called { end, output }
    }

    /// The same, and what the job printed; how it ended is for the caller to judge.
    ///
    /// # Errors
    /// What became of the call where it is not known how the job stands, or nothing was run.
    pub(super) async fn start(&self, permit: Permit, script: Script, arguments: &[&str]) -> Result<(JobState, Vec<String>), Called> {
        let words = self.words(arguments).map_err(Called::refused)?;
        let order = Order { folder: self.place.folder, script, arguments: &words };
        // What is rotated while the job runs may be printed as it was before.
        self.reach.secrets().await;
        match self.place.writer.start(permit, self.place.mark, order, self.until).await {
            Ok(state) => {
                let output = printed::lines(state.out(), &self.reach.secrets().await);
                Ok((state, output))
            }
            // It is refused before anything is run; of everything else nobody knows.
            Err(LinkError::Refused(why)) => Err(Called::refused(why)),
            Err(error) => Err(Called::bare(CallEnd::Unknown { why: error.to_string() })),
        }
    }

    /// What is said of a job that has no exit code.
    pub(super) fn without_end(&self, state: JobState) -> CallEnd {
        let name = &self.place.name;
        match state {
            JobState::Refused(why) => CallEnd::Refused { why: format!("{name}: {why}") },
            JobState::Running { .. } => CallEnd::Unknown { why: format!("{name}: still running after {} s", self.seconds) },
            JobState::Lost { .. } => CallEnd::Unknown { why: lost(name) },
            JobState::Never | JobState::Ended { .. } => CallEnd::Unknown { why: format!("{name}: it is not known whether it began") },
        }
    }

    /// How a job that may have been left stands.
    ///
    /// # Errors
    /// What is found where the host cannot be asked.
    pub(super) async fn left(&self, left: Left<'_>) -> Result<JobState, Found> {
        let asked = self.place.writer.reader().job(self.place.folder, left.run, left.step, left.attempt).await;
        asked.map_err(|error| unasked(&error))
    }

    /// Runs a script that changes nothing.
    ///
    /// # Errors
    /// As the link says, or where an argument cannot be carried.
    pub(super) async fn look(&self, script: Script, arguments: &[&str], until: Instant) -> Result<Told, LinkError> {
        let words = self.words(arguments).map_err(LinkError::Refused)?;
        let told = self.place.writer.reader().run(script, &words, until, CAP).await?;
        let mut all = told.out;
        all.extend_from_slice(&told.errors);
        let lines = printed::lines(&all, &self.reach.secrets().await);
        let last = printed::last(&lines).unwrap_or("it says nothing").to_owned();
        Ok(Told { code: told.code.unwrap_or(-1), last })
    }

    /// Looks whether the job still runs, then at the world: the script ends by 0 done, 12 not done, 13 being done, 11
    /// otherwise.
    pub(super) async fn observe(&self, left: Left<'_>, script: Script, arguments: &[&str]) -> Found {
        match self.left(left).await {
            Ok(JobState::Running { .. }) => Found::Underway { seen: runs(&self.place.name) },
            Ok(_) => self.found(script, arguments).await,
            Err(found) => found,
        }
    }

    /// Looks at the world alone.
    pub(super) async fn found(&self, script: Script, arguments: &[&str]) -> Found {
        let told = match self.look(script, arguments, self.until).await {
            Ok(told) => told,
            Err(error) => return unasked(&error),
        };
        let seen = format!("{}: {}", self.place.name, told.last);
        match told.code {
            DONE => Found::Done { seen },
            NOT_YET => Found::NotDone { seen },
            UNDERWAY => Found::Underway { seen },
            OTHERWISE => Found::Moved { seen },
            code => Found::Untold { why: failed(&self.place.name, code, Some(&told.last)) },
        }
    }

    /// What every script gets first, then its own.
    fn words<'w>(&'w self, arguments: &[&'w str]) -> Result<Vec<&'w str>, String> {
        if arguments.iter().any(|word| word.is_empty() || word.contains('\0')) {
            return Err(format!("{}: an argument is empty or holds a NUL", self.place.name));
        }
        let mut words = vec![COMMON, self.place.machine];
        words.extend_from_slice(arguments);
        Ok(words)
    }
}

/// What is found where a host cannot be asked. One that refuses needs a person; one that does not answer is asked again.
pub(super) fn unasked(error: &LinkError) -> Found {
    match error {
        LinkError::Refused(why) => Found::Untold { why: why.clone() },
        LinkError::Unreachable(_) | LinkError::TooLarge { .. } => Found::Underway { seen: format!("not known, and asked again: {error}") },
    }
}

/// What is found after that job: what is not done after one that failed was not left as it was before.
pub(super) fn after(found: Found, state: &JobState) -> Found {
    match (found, state) {
        (Found::NotDone { seen }, JobState::Ended { code, .. }) if !matches!(*code, DONE | ALREADY | OTHERWISE) => {
            Found::Moved { seen: format!("{seen}, after a job that ended by {code}") }
        }
        (found, _) => found,
    }
}

/// In words: it still runs.
pub(super) fn runs(name: &str) -> String {
    format!("{name}: its job still runs there")
}

/// In words: it was cut off.
pub(super) fn lost(name: &str) -> String {
    format!("{name}: its job began there and was cut off, without an end")
}

/// In words: it ended by that code.
pub(super) fn failed(name: &str, code: i32, last: Option<&str>) -> String {
    match last {
        Some(last) => format!("{name}: it ended by {code}: {last}"),
        None => format!("{name}: it ended by {code} and said nothing"),
    }
}

/// Keeps the last answers of a look that goes on.
pub(super) fn shorten(said: &mut Vec<String>) {
    let extra = said.len().saturating_sub(printed::LINES);
    said.drain(..extra);
}
