//! Where a step's call goes: the host of its target, with all that the plan says of it and that is proved there.

use std::env;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::silence::Peers;
use crate::link::ssh::{Hosts, Writer};
use crate::model::deployment::redact::redacted;
use crate::model::estate::{Estate, Host};
use crate::model::plan::{Leasable, Plan, Step, TargetKind};
use crate::model::secret::{TAKEN, learn};

/// The name of this machine where a step needs one and the plan names none.
const HERE: &str = "this machine";
/// The job folder of a host on which no release lies.
const NO_RELEASE: &str = "~";
/// Bytes from which on the value of a variable is taken for a secret because its name sounds like one: `true` and `1000`
/// are values of such names too.
const GUESSED: usize = 6;
/// How long the files of secrets may take to be read again: a hung file server must not hold up the record of what was done.
const AGAIN: Duration = Duration::from_secs(2);

/// Reads the estate's secrets as they are now. It may block.
type Again = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// What calls need: the hosts of the estate and their connections, and what must not be told.
pub struct Reach {
    hosts: Arc<Hosts>,
    here: Hosts,
    /// All that were known at any time, the longest first.
    secrets: Mutex<Vec<String>>,
    again: Option<Again>,
    estate: Option<Arc<Estate>>,
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without its secrets.
        f.debug_struct("Reach").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

/// A target on a host.
#[derive(Debug)]
pub(super) struct Place<'p> {
    /// The host's name.
    pub name: String,
    /// Writes there.
    pub writer: Arc<Writer>,
    /// The release folder, `~/services/NAME`, or `~`.
    pub folder: &'p str,
    /// What its `/etc/machine-id` must hold; `-` for nothing.
    pub machine: &'p str,
    /// The word of ours in its job folder.
    pub mark: Option<&'p str>,
}

impl Reach {
    /// Over the connections of these hosts. What stands in this process's environment under a name that sounds like a
    /// secret is taken out of what programs print.
    pub fn new(hosts: Arc<Hosts>) -> Reach {
        let this = Host { name: HERE.to_owned(), site: None, ssh: None, ssh_config: None, machine_id: None };
        let all = env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let secrets = all.filter(|(name, value)| is_secret(name, value)).map(|(_, value)| value).collect();
        Reach { hosts, here: Hosts::new(&[this]), secrets: Mutex::new(secrets), again: None, estate: None }
    }

    /// The same, with what `again` reads taken out of what programs print too: secrets of the estate, which may be others
    /// while a run goes on. It blocks while they are read.
    #[must_use]
    pub fn hiding(mut self, again: impl Fn() -> Vec<String> + Send + Sync + 'static) -> Reach {
        learn(&mut self.known(), again());
        self.again = Some(Arc::new(again));
        self
    }

    /// The same, with the sources of that estate too.
    #[must_use]
    pub fn with(mut self, estate: Arc<Estate>) -> Reach {
        self.estate = Some(estate);
        self
    }

    /// The Alertmanager on which a step is done.
    ///
    /// # Errors
    /// Why there is none, for people: the estate file has no such source any more, or leads elsewhere.
    pub(super) fn peers(&self, plan: &Plan, step: &Step) -> Result<Peers, String> {
        let target = plan.target_of(step).ok_or("the plan has no such target")?;
        let estate = self.estate.as_ref().ok_or("the sources of the estate are not known here")?;
        Peers::of(estate, target)
    }

    /// What must not be told: all that was ever known, and what the files of the estate hold at this moment.
    pub(super) async fn secrets(&self) -> Vec<String> {
        if let Some(again) = self.again.clone() {
            let now = tokio::task::spawn_blocking(move || again());
            match tokio::time::timeout(AGAIN, now).await {
                Ok(Ok(now)) => learn(&mut self.known(), now),
                Ok(Err(_)) | Err(_) => tracing::warn!("the files of secrets cannot be read again: those that were known before are hidden"),
            }
        }
        self.known().clone()
    }

    /// What was known before stays hidden: a program may print it long after.
    fn known(&self) -> MutexGuard<'_, Vec<String>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host on which a step is done, with the identity that it must prove.
    ///
    /// # Errors
    /// Why there is none, for people: the estate file has no such host any more, or leads elsewhere.
    pub(super) fn place<'p>(&self, plan: &'p Plan, step: &Step) -> Result<Place<'p>, String> {
        let target = plan.target_of(step).ok_or("the plan has no such target")?;
        if let Some(Leasable { host, ssh, machine_id, folder, mark }) = target.kind.leasable() {
            let writer = self.writer(host)?;
            let now = writer.reader().host().ssh.as_deref();
            if now != ssh {
                let word = |ssh: Option<&str>| ssh.unwrap_or(HERE).to_owned();
                return Err(format!("{host}: the plan reaches it as {}, the estate file now as {}", word(ssh), word(now)));
            }
            return Ok(Place { name: host.to_owned(), writer, folder, machine: machine(machine_id), mark });
        }
        match &target.kind {
            TargetKind::Host { host, machine_id } => {
                let writer = match host {
                    Some(host) => self.writer(host)?,
                    None => self.here.writer(HERE).ok_or("this machine cannot be reached")?,
                };
                let name = host.clone().unwrap_or_else(|| HERE.to_owned());
                Ok(Place { name, writer, folder: NO_RELEASE, machine: machine(machine_id), mark: None })
            }
            _ => Err(format!("{}: it is no host", target.name)),
        }
    }

    fn writer(&self, host: &str) -> Result<Arc<Writer>, String> {
        self.hosts.writer(host).ok_or_else(|| format!("{host}: the estate file has no such host any more"))
    }
}

fn machine(id: &str) -> &str {
    if id.is_empty() { "-" } else { id }
}

/// True where a variable's name sounds like a secret and its value may be one: a path is none.
fn is_secret(name: &str, value: &str) -> bool {
    value.len() >= GUESSED && !value.starts_with('/') && redacted(&[&format!("{name}=x")])[0].contains(TAKEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environments_secrets_are_known_by_their_names() {
        for (name, value, secret) in [
            ("PGPASSWORD", "hunter2", true),
            ("API_TOKEN", "0123456789", true),
            ("PWD", "/srv/web", false),
            ("SSH_AUTH_SOCK", "/tmp/ssh-x/agent.1", false),
            ("PGPASSWORD", "abc", false),
            ("HOSTNAME", "web1.example", false),
        ] {
            assert_eq!(is_secret(name, value), secret, "{name}");
        }
    }

    #[tokio::test]
    async fn a_secret_that_was_rotated_is_known_beside_the_one_before() {
        let now = Arc::new(Mutex::new("of-yesterday".to_owned()));
        let files = now.clone();
        let reach = Reach::new(Arc::new(Hosts::new(&[]))).hiding(move || vec![files.lock().unwrap().clone(), "abc".to_owned()]);
        let ours = |known: Vec<String>| known.into_iter().filter(|secret| secret.contains("of-") || secret == "abc").collect::<Vec<_>>();
        assert_eq!(ours(reach.secrets().await), ["of-yesterday"]);
        "of-yesterday-and-today".clone_into(&mut now.lock().unwrap());
        assert_eq!(ours(reach.secrets().await), ["of-yesterday-and-today", "of-yesterday"], "the longer one is taken out first");
        assert_eq!(ours(reach.secrets().await).len(), 2, "and each is kept once");
        assert!(!format!("{reach:?}").contains("of-yesterday"));
    }
}
