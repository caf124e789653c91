//! How a service is started again, how its health is asked, and what a rollback of it does beside the switch: as the
//! estate file says it.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::estate::{Estate, History, Service, SourceKind};
use super::plan::Deed;

/// How the processes of a service on one host are started again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Restart {
    /// A unit of systemd: stopped, and started again.
    Unit {
        /// Its name, such as `app.service`.
        unit: String,
        /// True where `sudo -n` is put before `systemctl`.
        sudo: bool,
    },
    /// A program that starts it again, with its arguments; `$host` and `$site` stand for the host and its site.
    Command {
        /// The program and its arguments.
        command: Vec<String>,
        /// The file that holds the number of the process that serves, where there is one.
        pid_file: Option<String>,
    },
}

/// How one host of a service says that it is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// What is asked.
    pub ask: HealthAsk,
    /// So many good answers in a row are wanted.
    pub times: u32,
    /// The time between two of them.
    pub every: SignedDuration,
    /// The time in which they must have come.
    pub within: SignedDuration,
}

impl Service {
    /// True where the estate file says how that is done to the processes of the service.
    pub fn says(&self, deed: Deed) -> bool {
        match (&self.restart, deed) {
            (Some(Restart::Unit { .. }), _) | (Some(Restart::Command { .. }), Deed::Restart) => true,
            (None, Deed::Restart) => false,
            (_, Deed::Stop) => self.stop.is_some(),
            (_, Deed::Start) => self.start.is_some(),
            (_, Deed::Rollback | Deed::Silence) => true,
        }
    }
}

/// What is asked of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HealthAsk {
    /// One GET from this machine.
    Http {
        /// The whole address; `$host` and `$site` stand for the host's name and site.
        url: String,
        /// The status that is right; any of 200 to 299 where `None`.
        status: Option<u16>,
        /// Text that the body must hold.
        body: Option<String>,
    },
    /// A program that is run on the host: 0 is well.
    Command {
        /// The program and its arguments; `$host` and `$site` stand for the host and its site.
        command: Vec<String>,
    },
}

/// The text with each `$name` replaced by its value. A `$` before anything but one of these names stays.
pub fn filled(text: &str, names: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let word = word(&rest[at + 1..]);
        out.push_str(&rest[..at]);
        match names.iter().find(|(name, _)| *name == word) {
            Some((_, value)) => out.push_str(value),
            None => out.push_str(&rest[at..=at + word.len()]),
        }
        rest = &rest[at + 1 + word.len()..];
    }
    out + rest
}

/// The first `$word`, of lower-case letters, that is none of these.
pub fn unknown_word<'t>(text: &'t str, known: &[&str]) -> Option<&'t str> {
    text.match_indices('$').map(|(at, _)| word(&text[at + 1..])).find(|word| !word.is_empty() && !known.contains(word))
}

/// The letters that a text begins with: a capital or a brace is a shell's.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// What a rollback of a service does beside the switch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rollback {
    /// Hosts that are rolled back side by side, the rest after them; 0 is one at a time.
    pub batch: u32,
    /// How long the service's own panels are judged after each batch; none where `None`.
    pub guard: Option<SignedDuration>,
    /// True where a line is added to the deploy log that the estate names for the service.
    pub note: bool,
    /// Steps of the estate's own before the first host, in their order.
    pub before: Vec<OwnStep>,
    /// Steps of the estate's own after the last host.
    pub after: Vec<OwnStep>,
}

/// A step of the estate's own runbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnStep {
    /// Its name.
    pub name: String,
    /// What is done.
    pub does: OwnAct,
    /// How long it may take.
    pub timeout: SignedDuration,
    /// True where it may be done twice without harm: one whose outcome is not known is then done again.
    pub repeatable: bool,
    /// What takes it back; nothing where `None`.
    pub undo: Option<OwnAct>,
    /// True where neither it nor anything before it is taken back once it was begun.
    pub point_of_no_return: bool,
}

/// What a step of the estate's own does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnAct {
    /// A program is run.
    Command {
        /// On this host; on this machine where `None`.
        host: Option<String>,
        /// The program and its arguments; `$from` and `$to` stand for the versions.
        command: Vec<String>,
    },
    /// One HTTP request.
    Http {
        /// `POST`, `PUT`, `PATCH` or `DELETE`.
        method: String,
        /// The whole address.
        url: String,
        /// What is sent.
        body: Option<String>,
        /// The status that is right; any of 200 to 299 where `None`.
        status: Option<u16>,
        /// Prometheus' own `http_config` file: credentials, TLS, proxy.
        http_config: Option<String>,
    },
    /// A person does it and says so.
    Manual {
        /// What is to be done, in words.
        what: String,
    },
}

impl Estate {
    /// The hosts on which the releases of that service lie, in the file's order.
    pub fn release_hosts(&self, service: &str) -> Vec<&str> {
        let mut all = Vec::new();
        for (_, hosts) in self.releases_of(service) {
            let new = hosts.iter().map(String::as_str).filter(|name| self.host(name).is_some());
            for name in new {
                if !all.contains(&name) {
                    all.push(name);
                }
            }
        }
        all
    }

    /// Why that service cannot be rolled back, whatever runs where: what the estate file does not say, and how to say it.
    /// `None` where it says enough.
    pub fn no_rollback(&self, service: &Service) -> Option<String> {
        if let Some((name, _)) = self.releases_of(&service.name).find(|(_, hosts)| hosts.is_empty()) {
            return Some(format!(
                "the history `{name}` names no host, and a run must prove whose folder it changes: add a [[host]] (without `ssh` it is this machine) and `host = \"...\"`"
            ));
        }
        if self.release_hosts(&service.name).is_empty() {
            return Some(format!(
                "the service `{}` has no release folders: add a [[history]] of kind `releases` with its hosts",
                service.name
            ));
        }
        if service.restart.is_none() {
            return Some(format!(
                "the service `{}` does not say how it is started again: add `restart = {{ unit = \"{}.service\" }}` or `restart = {{ command = [...] }}`",
                service.name, service.name
            ));
        }
        let judged = self.panels.iter().any(|panel| panel.service.as_deref() == Some(&service.name));
        (service.rollback.guard.is_some() && !judged).then(|| {
            format!("the service `{}` has a `guard` and no [[panel]] that it could judge: add one, or leave `guard` out", service.name)
        })
    }

    /// The hosts that a service runs on: those that it names itself, then those of its release folders.
    pub fn hosts_of(&self, service: &str) -> Vec<&str> {
        let named = self.service(service).map_or(&[][..], |service| service.hosts.as_slice());
        let mut all: Vec<&str> = Vec::new();
        for name in named.iter().map(String::as_str).filter(|name| self.host(name).is_some()).chain(self.release_hosts(service)) {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        all
    }

    /// Why that service cannot be restarted, stopped or started, whatever runs where: what the estate file does not say, and
    /// how to say it. `None` where it says enough.
    pub fn no_act(&self, service: &Service, deed: Deed) -> Option<String> {
        let name = &service.name;
        if !service.says(deed) {
            let word = deed.word();
            let how = match deed {
                Deed::Restart => "`restart = { command = [...] }`",
                Deed::Stop => "`stop = [...]`",
                _ => "`start = [...]`",
            };
            return Some(format!(
                "the service `{name}` does not say how to {word} it: add `restart = {{ unit = \"{name}.service\" }}` or {how}"
            ));
        }
        self.hosts_of(name).is_empty().then(|| {
            format!("the service `{name}` does not say on which hosts it runs: add `hosts = [\"...\"]` to it, and a [[host]] for each (without `ssh` it is this machine)")
        })
    }

    /// The histories that are release folders of that service, with their hosts.
    fn releases_of<'a>(&'a self, service: &str) -> impl Iterator<Item = (&'a str, &'a [String])> {
        self.sources.iter().filter(move |source| source.service.as_deref() == Some(service)).filter_map(|source| match &source.kind {
            SourceKind::History(history @ History::Releases { .. }) => Some((source.name.as_str(), history.hosts())),
            _ => None,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::estate::tests::{bare, source};
    use crate::model::host::Host;

    /// Lays the releases of that service on these hosts.
    pub(crate) fn lay(estate: &mut Estate, service: &str, hosts: &[&str]) {
        let host = |name: &&str| Host {
            name: (*name).into(),
            site: None,
            ssh: Some(format!("{name}.example.org")),
            ssh_config: None,
            machine_id: None,
        };
        estate.hosts.extend(hosts.iter().map(host));
        let history = History::Releases {
            path: "/srv/web".into(),
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            log: None,
            fields: Default::default(),
            config: vec![],
        };
        let mut releases = source(&format!("{service} releases"), SourceKind::History(history));
        releases.service = Some(service.to_owned());
        estate.sources.push(releases);
        for of in estate.services.iter_mut().filter(|of| of.name == service) {
            of.restart = Some(Restart::Unit { unit: format!("{service}.service"), sudo: true });
        }
    }

    #[test]
    fn what_keeps_a_service_from_going_back_is_told_with_what_to_add() {
        let mut estate = bare(vec![]);
        let mut web = Service {
            name: "web".into(),
            sites: vec![],
            depends_on: vec![],
            hosts: vec![],
            labels: crate::model::label::Labels::default(),
            runbook: None,
            start: None,
            stop: None,
            restart: None,
            health: None,
            rollback: Rollback::default(),
            logs: None,
        };
        estate.services = vec![web.clone()];
        assert!(estate.no_rollback(&web).unwrap().contains("has no release folders: add a [[history]]"));
        lay(&mut estate, "web", &[]);
        assert!(estate.no_rollback(&web).unwrap().contains("names no host"));
        estate.sources.clear();
        lay(&mut estate, "web", &["web1", "web2"]);
        assert_eq!(estate.release_hosts("web"), ["web1", "web2"]);
        assert!(estate.no_rollback(&web).unwrap().contains("does not say how it is started again"));
        web = estate.services[0].clone();
        assert_eq!(estate.no_rollback(&web), None);
        web.rollback.guard = Some(jiff::SignedDuration::from_mins(5));
        assert!(estate.no_rollback(&web).unwrap().contains("no [[panel]] that it could judge"));
    }
}
