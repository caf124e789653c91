//! What one host says of itself before anything is planned or done there: one script that only looks, one round trip.

mod parse;
mod script;

use futures_util::future::join;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::link::ssh::{Lease, Reader};

/// Bytes of an answer: ten thousand releases with names of ninety letters.
const CAP: usize = 1 << 20;

/// What is looked at beside the machine itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Look {
    /// A release folder; or `~/NAME`, a job folder below the state folder of who logs in there.
    pub folder: Option<String>,
    /// A unit of systemd.
    pub unit: Option<String>,
    /// Whether `sudo -n` lets that unit be told these words of `systemctl`.
    pub sudo: Vec<&'static str>,
    /// A file that holds the number of a process.
    pub pid_file: Option<String>,
    /// A log that lines are added to.
    pub log: Option<String>,
}

/// What the host said. All text in it is cleaned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// When it answered, by the clock of this machine (UTC).
    pub as_of: Timestamp,
    /// How far its clock is ahead of ours at the least; zero where the round trip explains the difference.
    pub skew: SignedDuration,
    /// What `/etc/machine-id` holds; empty where there is none.
    pub machine_id: String,
    /// Its own name.
    pub hostname: String,
    /// Who we are there.
    pub user: String,
    /// The id of its boot; empty where it is not told.
    pub boot: String,
    /// Seconds since then.
    pub uptime: u64,
    /// True where systemd runs there.
    pub systemd: bool,
    /// True where logind ends what a user leaves running; `None` where it is not told.
    pub kills: Option<bool>,
    /// Programs that are needed there and are not there.
    pub lacks: Vec<String>,
    /// The release folder; `None` where none was asked for.
    pub folder: Option<Folder>,
    /// The unit; `None` where none was asked for.
    pub unit: Option<Unit>,
    /// Whether sudo lets us; `None` where that was not asked.
    pub sudo: Option<bool>,
    /// What the process's file holds; `None` where it was not asked for, is not there or holds no number.
    pub pid: Option<u32>,
    /// True where a process has that number; `None` where no number is known.
    pub alive: Option<bool>,
    /// Whether the log can be written; `None` where that was not asked.
    pub log: Option<bool>,
    /// Why a run could not connect to it again when nobody is there; none where nothing is known against it.
    pub alone: Vec<String>,
}

/// A release folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Folder {
    /// False where it is not there, or may not be looked into. True of a job folder, which is made when it is needed.
    pub there: bool,
    /// What the link `current` holds, as it is written there; why not, where it cannot be told.
    pub current: Option<Result<String, String>>,
    /// The names in `releases`, sorted.
    pub releases: Vec<String>,
    /// Names there that no release may have: they hold characters that cannot be shown.
    pub odd: usize,
    /// True where a link may be made and renamed in it.
    pub writable: bool,
    /// Free bytes of its disk, for us.
    pub free: Option<u64>,
    /// Free inodes of its disk; `None` where its file system does not count them.
    pub inodes: Option<u64>,
    /// The random word of ours in its job folder.
    pub mark: Option<String>,
    /// `RUN PLACE HASH JOURNAL` of the newest permit that was used there: the head of a journal then. Cleaned.
    pub head: Option<String>,
    /// The last fence number that was given out there.
    pub fence: u64,
    /// Who holds the lease there now: one that has not run out.
    pub lease: Option<Lease>,
    /// What the lease says that nobody can read.
    pub damaged: bool,
    /// The run and the step of a job that goes on there.
    pub busy: Option<String>,
}

/// A unit, in systemd's own words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "each is the property of that name")]
pub struct Unit {
    pub load: String,
    pub active: String,
    pub sub: String,
    pub file: String,
    pub main: Option<u32>,
    pub restarts: Option<u64>,
    pub kind: String,
    pub invocation: Option<String>,
    /// Seconds between the host's start and its becoming active.
    pub since: Option<u64>,
}

impl Unit {
    /// True where it runs, or is being started.
    pub fn runs(&self) -> bool {
        matches!(self.active.as_str(), "active" | "reloading" | "activating")
    }

    /// True of a kind that has a main process as long as it runs.
    pub fn has_main(&self) -> bool {
        matches!(self.kind.as_str(), "simple" | "exec" | "notify" | "notify-reload" | "dbus" | "idle")
    }
}

impl Folder {
    /// The release that `current` leads to: the last name of what it holds.
    pub fn runs(&self) -> Option<&str> {
        let link = self.current.as_ref()?.as_ref().ok()?;
        link.trim_end_matches('/').rsplit('/').next().filter(|name| !name.is_empty())
    }

    /// True where that release is there.
    pub fn has(&self, release: &str) -> bool {
        self.releases.binary_search_by(|name| name.as_str().cmp(release)).is_ok()
    }
}

/// Asks the host. One round trip; nothing there is changed.
///
/// # Errors
/// One line that says why it could not be asked, or which word of its answer is not to be believed.
pub async fn survey(reader: &Reader, look: &Look, until: Instant) -> Result<Survey, String> {
    fn or_none(text: &Option<String>) -> &str {
        text.as_deref().unwrap_or("-")
    }
    let sudo = if look.sudo.is_empty() { "-".to_owned() } else { look.sudo.join(" ") };
    let words = [or_none(&look.folder), or_none(&look.unit), &sudo, or_none(&look.pid_file), or_none(&look.log)];
    let sent = Timestamp::now();
    let asked = async {
        let printed = reader.run(script::SURVEY, &words, until, CAP).await;
        (printed, Timestamp::now())
    };
    // What this machine's own ssh says of the way there is asked meanwhile.
    let ((printed, came), alone) = join(asked, reader.alone()).await;
    let printed = printed.map_err(|error| error.to_string())?;
    let name = &reader.host().name;
    if printed.code != Some(0) {
        return Err(format!("{name}: the look there ended with {}", printed.code.map_or("no code".to_owned(), |code| code.to_string())));
    }
    let said = parse::survey(&printed.out, look, sent, came).map_err(|why| format!("{name}: what it says cannot be read: {why}"))?;
    Ok(Survey { alone, ..said })
}

#[cfg(test)]
mod tests;
