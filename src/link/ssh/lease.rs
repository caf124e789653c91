//! The lease of a target, in its job folder on the host: who may change it, until when by the host's own clock, and with
//! which fence number. The time is `/proc/uptime` with the boot's id, which nobody sets back.

use std::time::Duration;

use tokio::time::Instant;

use super::job::flat;
use super::writer::Writer;
use super::{Reader, Script, shell};
use crate::link::http::LinkError;
use crate::link::http::explain::refused;
use crate::link::permit::Permit;
use crate::link::process::capture::Printed;
use crate::model::text;

/// Bytes of what the scripts of a lease say.
const CAP: usize = 64 << 10;

/// How asking for a lease ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseAnswer {
    /// It is held (or was, until it was given back just now).
    Held {
        /// The fence number: greater than every one before at this target.
        fence: u64,
        /// The random word of ours that names the target.
        mark: String,
    },
    /// Another has it, or nobody where it should be ours.
    Other {
        /// Its run; `-` where nobody has it. Cleaned.
        run: String,
        /// Who that is, for people. Cleaned.
        who: String,
        /// Seconds until it ends by itself.
        seconds: u64,
    },
}

/// A lease as it lies at the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The run that holds it. Cleaned.
    pub run: String,
    /// Its fence number.
    pub fence: u64,
    /// Who that is, for people. Cleaned.
    pub who: String,
    /// Seconds until it ends by itself; 0 where it has.
    pub seconds: u64,
}

/// What stands in a job folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Programs that a writer needs there and that are not: `flock`, `setsid`...
    pub lacks: Vec<String>,
    /// True where the job folder may be written, or made where it is not there yet.
    pub writable: bool,
    /// The random word of ours that names the target; `None` where there never was a lease.
    pub mark: Option<String>,
    /// `RUN PLACE HASH` of the newest permit by which a job was started here: the journal's head then. Cleaned.
    pub head: Option<String>,
    /// The lease.
    pub lease: Option<Lease>,
}

impl Writer {
    /// Takes the lease for the permit's run: where it is free, has run out, or is that run's own already (its runner was
    /// lost). The fence number is greater than every one before. Not while a job of another run goes on there.
    ///
    /// # Errors
    /// Where the host cannot be asked, or its job folder not be written: the words say which.
    pub async fn take_lease(
        &self,
        permit: Permit,
        folder: &str,
        who: &str,
        ttl: Duration,
        until: Instant,
    ) -> Result<LeaseAnswer, LinkError> {
        let (run, who, ttl) = (flat(permit.run()), line(who), seconds(ttl));
        let words = [shell::COMMON, folder, &run, &who, &ttl];
        self.ask(shell::TAKE, &words, until).await
    }

    /// Makes it last `ttl` from now on, if it is still that run's with that fence number; even where it had run out and
    /// nobody took it.
    ///
    /// # Errors
    /// Where the host cannot be asked.
    pub async fn renew_lease(&self, run: &str, fence: u64, folder: &str, ttl: Duration, until: Instant) -> Result<LeaseAnswer, LinkError> {
        let words = [shell::COMMON, folder, &flat(run), &fence.to_string(), &seconds(ttl)];
        self.ask(shell::KEEP, &words, until).await
    }

    /// Gives it back, if it is still that run's with that fence number: [`LeaseAnswer::Held`] where it was.
    ///
    /// # Errors
    /// Where the host cannot be asked.
    pub async fn give_lease(&self, run: &str, fence: u64, folder: &str, until: Instant) -> Result<LeaseAnswer, LinkError> {
        let words = [shell::COMMON, folder, &flat(run), &fence.to_string(), "0"];
        self.ask(shell::KEEP, &words, until).await
    }

    async fn ask(&self, script: &'static str, words: &[&str], until: Instant) -> Result<LeaseAnswer, LinkError> {
        let printed = self.reader.run(Script(script), words, until, CAP).await?;
        let lines = self.reader.lines(&printed, "")?;
        match lines.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["held", fence, mark] => match fence.parse() {
                Ok(fence) => Ok(LeaseAnswer::Held { fence, mark: mark.to_owned() }),
                Err(_) => Err(self.reader.strange(fence)),
            },
            [run, who, seconds] => match (run.strip_prefix("other "), who.strip_prefix("other "), seconds.strip_prefix("other ")) {
                (Some(run), Some(who), Some(seconds)) => {
                    Ok(LeaseAnswer::Other { run: run.to_owned(), who: who.to_owned(), seconds: seconds.parse().unwrap_or(0) })
                }
                _ => Err(self.reader.strange(run)),
            },
            _ => Err(self.reader.strange(&lines.join(" "))),
        }
    }
}

impl Reader {
    /// What stands in the job folder of that release folder. Changes nothing.
    ///
    /// # Errors
    /// Where the host cannot be asked, or the lease there is damaged.
    pub async fn standing(&self, folder: &str, until: Instant) -> Result<Standing, LinkError> {
        let printed = self.run(Script(shell::LOOK), &[shell::COMMON, folder], until, CAP).await?;
        let mut lines = self.lines(&printed, "broken ")?.into_iter();
        let first = lines.next().unwrap_or_default();
        let Some(lacks) = first.strip_prefix("found") else { return Err(self.strange(&first)) };
        let lacks = lacks.split_whitespace().map(str::to_owned).collect();
        let writable = lines.next().as_deref() == Some("yes");
        let mut word = || lines.next().filter(|line| !line.is_empty());
        let (mark, head, run) = (word(), word(), word());
        let lease = match (run, word(), word(), word()) {
            (Some(run), Some(fence), who, Some(seconds)) => {
                let number = |text: &str| text.parse::<u64>().map_err(|_| self.strange(text));
                Some(Lease { run, fence: number(&fence)?, who: who.unwrap_or_default(), seconds: number(&seconds)? })
            }
            _ => None,
        };
        Ok(Standing { lacks, writable, mark, head, lease })
    }

    /// All lines of what a script said, cleaned; an error where one says what went wrong.
    fn lines(&self, printed: &Printed, anywhere: &str) -> Result<Vec<String>, LinkError> {
        self.first(printed.code, &printed.out, &printed.errors)?;
        let out = String::from_utf8_lossy(&printed.out);
        let lines: Vec<String> = out.lines().map(|line| text::clean(line, text::LABEL_CAP).into_owned()).collect();
        if !anywhere.is_empty()
            && let Some(why) = lines.iter().find_map(|line| line.strip_prefix(anywhere))
        {
            return Err(refused(format!("{}: {why}", self.host().name)));
        }
        Ok(lines)
    }
}

/// One line that can be carried.
fn line(who: &str) -> String {
    let line = text::clean(who, text::LABEL_CAP);
    if line.trim().is_empty() { "-".to_owned() } else { line.trim().to_owned() }
}

/// Whole seconds, one at least.
fn seconds(ttl: Duration) -> String {
    ttl.as_secs().max(1).to_string()
}
