//! Changes something on one host: starts jobs there. Every call takes a permit and uses it up, and the command that
//! changes proves first, on the host itself, that it is the machine, the target and the runner that it should be.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::job::{self, Job, JobState, flat};
use super::{Hosts, Reader, Script, shell};
use crate::link::http::LinkError;
use crate::link::permit::Permit;

/// How long the answer may be under way when the wait there is over.
const ANSWER: Duration = Duration::from_secs(5);

/// Writes on one host.
#[derive(Debug)]
pub struct Writer {
    pub(super) reader: Arc<Reader>,
}

impl Hosts {
    /// The writer of that host. It shares the connection with its reader.
    pub fn writer(&self, name: &str) -> Option<Arc<Writer>> {
        self.reader(name).map(|reader| Arc::new(Writer { reader }))
    }
}

impl Writer {
    /// The reader of the same host.
    pub fn reader(&self) -> &Arc<Reader> {
        &self.reader
    }

    /// Starts a job in a session of its own and waits for its end until `until`; [`JobState::Running`] where it goes on
    /// then. In one remote command: the machine-id is proved, `job.lock` taken (and held by the job to its end, so that
    /// nobody takes the lease over in between), the mark of the job folder compared with that of the plan (`None`: any),
    /// and run and fence of the lease with those of the permit (a permit without a fence number: no lease is needed).
    /// Where any of it is otherwise, nothing is run.
    ///
    /// The permit's run, step and attempt name the job. One that began is never started again: how it stands comes back.
    /// One whose later attempt began is refused.
    ///
    /// # Errors
    /// Whatever the link does: whether the job began is not known then, and [`Reader::job`] tells.
    pub async fn start(&self, permit: Permit, plan_mark: Option<&str>, job: Job<'_>, until: Instant) -> Result<JobState, LinkError> {
        let fence = permit.fence().map_or("-".to_owned(), |fence| fence.to_string());
        let (run, step, attempt) = (flat(permit.run()), flat(permit.step()), permit.attempt().to_string());
        // The wait there begins when it is asked for, not while a connection is made.
        self.reader.connect(until).await?;
        let wait = seconds(until);
        let mut words = vec![shell::COMMON, job.folder, &run, &step, &attempt, &fence];
        words.extend([plan_mark.unwrap_or("-"), permit.head(), &wait, shell::JOB, job.script.0]);
        words.extend(job.arguments);
        let printed = self.reader.run(Script(shell::START), &words, until + ANSWER, job::OUTPUT + job::ROOM).await?;
        self.reader.state(printed.code, &printed.out, &printed.errors)
    }
}

/// The seconds until then, as `timeout` takes them: never 0, which would be without an end.
fn seconds(until: Instant) -> String {
    let left = until.saturating_duration_since(Instant::now());
    // Whole seconds where they do: not every `timeout` takes parts of them.
    match left.as_secs() {
        0 => format!("0.{:03}", left.subsec_millis().max(1)),
        more => more.to_string(),
    }
}
