//! Reads on hosts by OpenSSH's own client, so that `~/.ssh/config`, jump hosts, agents and hardware keys work; a host
//! without an address is this machine, asked in the same way. What runs is a constant script. Gives out readers, and
//! writers, whose every call takes a permit.

mod alone;
mod explain;
mod folder;
mod frame;
mod job;
mod lease;
mod master;
mod shell;
#[cfg(test)]
mod shell_tests;
#[cfg(test)]
mod tests;
mod writer;
#[cfg(test)]
mod writer_tests;

use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout_at};

use self::folder::Folder;
use self::frame::{Frame, Framed};
use self::master::Master;
use super::http::LinkError;
use super::http::explain::{refused, unreachable};
use super::process::capture::{CaptureError, Printed, feed};
use crate::model::estate::Host;

pub use self::alone::ended_at_logout;
pub use self::job::{Followed, Job, JobState, OUTPUT};
pub use self::lease::{Lease, LeaseAnswer, Standing};
pub use self::writer::Writer;

/// Commands that run on one host at once. A server takes ten sessions of a connection (`MaxSessions`).
const AT_ONCE: usize = 4;

/// The one command that is run on a host, whatever is asked: it reads the script and its arguments, a NUL after each,
/// from its standard input. The login shell there, whichever it is, reads nothing else.
const COMMAND: &str = r#"exec xargs -0 -x sh -c 'eval "$0"'"#;
/// The same on this machine, without any shell before it.
const HERE: [&str; 6] = ["xargs", "-0", "-x", "sh", "-c", r#"eval "$0""#];

/// A script of ours, in the words of a POSIX shell; `$1`, `$2`... are its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Script(pub &'static str);

/// All hosts of an estate, each with one connection that its readers share. Dropping it ends every connection.
#[derive(Debug, Default)]
pub struct Hosts {
    all: Vec<Arc<Reader>>,
}

impl Hosts {
    /// Of these. Nothing is connected before something is read.
    pub fn new(hosts: &[Host]) -> Hosts {
        let folder = Arc::new(Mutex::new(None));
        let reader = |host: &Host| {
            Arc::new(Reader { host: host.clone(), folder: folder.clone(), master: Mutex::new(None), turns: Semaphore::new(AT_ONCE) })
        };
        Hosts { all: hosts.iter().map(reader).collect() }
    }

    /// The reader of that host.
    pub fn reader(&self, name: &str) -> Option<Arc<Reader>> {
        self.all.iter().find(|reader| reader.host.name == name).cloned()
    }

    /// Makes the connections to all of them, side by side, until then: so that they stand before a person confirms. In the
    /// order of the hosts; this machine needs none.
    pub async fn connect_all(&self, until: Instant) -> Vec<(String, Result<(), LinkError>)> {
        let one = |reader: &Arc<Reader>| {
            let reader = reader.clone();
            async move { (reader.host.name.clone(), reader.connect(until).await) }
        };
        futures_util::future::join_all(self.all.iter().map(one)).await
    }
}

/// Reads on one host.
#[derive(Debug)]
pub struct Reader {
    host: Host,
    /// Where the control sockets of all hosts lie; made when the first is.
    folder: Arc<Mutex<Option<Arc<Folder>>>>,
    master: Mutex<Option<Master>>,
    turns: Semaphore,
}

impl Reader {
    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Runs the script there and gives back what it printed, at most `cap` bytes, with its own exit code: that of ssh says
    /// only how ssh fared.
    ///
    /// # Errors
    /// Refused where the host's key or ours is not taken, or where it is another machine than the estate file says;
    /// unreachable where the script's end is not known.
    pub async fn run(&self, script: Script, arguments: &[&str], until: Instant, cap: usize) -> Result<Printed, LinkError> {
        let frame = Frame::new();
        let input = frame.input(script, self.host.machine_id.as_deref(), arguments);
        let input = input.ok_or_else(|| unreachable(format!("{}: an argument is empty or holds a NUL", self.host.name)))?;
        let turn = timeout_at(until, self.turns.acquire()).await;
        let _turn = turn.map_err(|_| self.late())?.map_err(|error| unreachable(error.to_string()))?;
        let argv = match &self.host.ssh {
            None => HERE.map(str::to_owned).to_vec(),
            Some(ssh) => {
                let mut argv = timeout_at(until, self.connected(ssh)).await.map_err(|_| self.late())??;
                argv.push(COMMAND.to_owned());
                argv
            }
        };
        let printed = feed(&argv, &input, until, cap.saturating_add(frame::ROOM)).await.map_err(|error| self.failed(&error))?;
        match frame.read(&printed.out) {
            Framed::Whole { out, code } => Ok(Printed { code: Some(code), out, errors: printed.errors }),
            Framed::Other(id) => {
                let said = if id.is_empty() { "it has none".to_owned() } else { format!("it has {id}") };
                Err(refused(format!(
                    "{}: it is another machine: the estate file names another machine-id ({said}); nothing was run there",
                    self.host.name
                )))
            }
            Framed::Cut => Err(self.cut(&printed)),
        }
    }

    /// Makes the connection, where there is none.
    ///
    /// # Errors
    /// As [`Reader::run`].
    pub async fn connect(&self, until: Instant) -> Result<(), LinkError> {
        match &self.host.ssh {
            None => Ok(()),
            Some(ssh) => timeout_at(until, self.connected(ssh)).await.map_err(|_| self.late())?.map(drop),
        }
    }

    /// ssh with all that it needs to use the connection, which is made where there is none.
    async fn connected(&self, ssh: &str) -> Result<Vec<String>, LinkError> {
        let mut master = self.master.lock().await;
        if let Some(known) = master.as_mut()
            && known.stands()
        {
            return Ok(known.client());
        }
        *master = None;
        let folder = self.folder().await?;
        let made = Master::open(&self.host.name, ssh, self.host.ssh_config.as_deref(), folder).await?;
        Ok(master.insert(made).client())
    }

    async fn folder(&self) -> Result<Arc<Folder>, LinkError> {
        let mut folder = self.folder.lock().await;
        // What lies in XDG_RUNTIME_DIR goes with the last session of its user, and a run goes on.
        match folder.as_ref().filter(|folder| folder.stands()) {
            Some(folder) => Ok(folder.clone()),
            None => {
                let made = Arc::new(Folder::new().map_err(unreachable)?);
                Ok(folder.insert(made).clone())
            }
        }
    }

    fn late(&self) -> LinkError {
        unreachable(format!("{}: no connection in time; does `{}` connect?", self.host.name, self.typed()))
    }

    fn failed(&self, error: &CaptureError) -> LinkError {
        match (error, &self.host.ssh) {
            (CaptureError::Start(error), Some(_)) => {
                unreachable(format!("{}: {error}; reading on hosts needs OpenSSH's client", self.host.name))
            }
            (CaptureError::Late(_, seconds), _) => {
                unreachable(format!("{}: the command there did not end within {seconds} s", self.host.name))
            }
            (CaptureError::Much(..), _) => unreachable(format!("{}: the command there printed too much and was ended", self.host.name)),
            (error, _) => unreachable(format!("{}: {error}", self.host.name)),
        }
    }

    /// The end of the script is not there.
    fn cut(&self, printed: &Printed) -> LinkError {
        let errors = String::from_utf8_lossy(&printed.errors);
        if printed.code == Some(255) && self.host.ssh.is_some() {
            return explain::failed(&self.host.name, &self.typed(), &errors);
        }
        let last = errors.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it says nothing");
        let need = if errors.contains("xargs") { "; `xargs -0` and `sh` are needed there" } else { "" };
        unreachable(format!("{}: the command there did not come to its end: {last}{need}", self.host.name))
    }

    /// How a person would try it.
    fn typed(&self) -> String {
        let config = self.host.ssh_config.as_ref().map_or(String::new(), |config| format!("-F {} ", config.display()));
        format!("ssh {config}{}", self.host.ssh.as_deref().unwrap_or_default())
    }
}
