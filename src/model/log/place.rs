//! Where the logs of a service or a host lie, as the estate file says it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::estate::{Estate, Service};
use crate::model::operations::{Restart, filled};

/// Where a service writes what it logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Logs {
    /// The journal of a unit of systemd.
    Unit(String),
    /// A file; `$host` and `$site` stand for the host and its site.
    File(String),
}

/// Whose logs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Of {
    /// A service's, by its name.
    Service(String),
    /// All that a host logs, by its name.
    Host(String),
}

impl Of {
    /// The name.
    pub fn name(&self) -> &str {
        match self {
            Of::Service(name) | Of::Host(name) => name,
        }
    }
}

/// What is read at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Where {
    /// The journal of that unit; all of the journal where `None`.
    Journal(Option<String>),
    /// The file of that path.
    File(String),
}

/// One place that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What stands in front of its lines: the host, or the site where there is no host.
    pub name: Arc<str>,
    /// The host of the estate file; this machine where `None`.
    pub host: Option<String>,
    /// What.
    pub what: Where,
}

impl Place {
    /// `unit app.service`, `the journal`, `/srv/web/log`.
    pub fn words(&self) -> String {
        match &self.what {
            Where::Journal(Some(unit)) => format!("unit {unit}"),
            Where::Journal(None) => "the whole journal".to_owned(),
            Where::File(path) => path.clone(),
        }
    }
}

/// The places that tell what `of` logs, in the order of the estate file.
///
/// # Errors
/// A sentence with the key to add, where nothing says where the logs are.
pub fn places(estate: &Estate, of: &Of) -> Result<Vec<Place>, String> {
    match of {
        Of::Host(name) => match estate.host(name) {
            Some(_) => Ok(vec![Place { name: name.as_str().into(), host: Some(name.clone()), what: Where::Journal(None) }]),
            None => Err(format!("the estate file has no [[host]] `{name}`")),
        },
        Of::Service(name) => match estate.service(name) {
            Some(service) => of_service(estate, service),
            None => Err(format!("the estate file has no [[service]] `{name}`")),
        },
    }
}

fn of_service(estate: &Estate, service: &Service) -> Result<Vec<Place>, String> {
    let logs = match (&service.logs, &service.restart) {
        (Some(logs), _) => logs.clone(),
        (None, Some(Restart::Unit { unit, .. })) => Logs::Unit(unit.clone()),
        (None, _) => {
            return Err(format!(
                "nothing says where the logs of {0} are: add `logs = {{ unit = \"{0}.service\" }}` or \
                 `logs = {{ file = \"/path/on/the/host.log\" }}` to its [[service]]",
                service.name
            ));
        }
    };
    let mut hosts: Vec<&str> = service.hosts.iter().map(String::as_str).collect();
    if hosts.is_empty() {
        hosts = estate.release_hosts(&service.name);
    }
    let of = |name: &str, host: Option<&str>, site: Option<&str>| {
        let what = match &logs {
            Logs::Unit(unit) => Where::Journal(Some(unit.clone())),
            Logs::File(path) => Where::File(filled(path, &[("host", host.unwrap_or(name)), ("site", site.unwrap_or(name))])),
        };
        Place { name: name.into(), host: host.map(str::to_owned), what }
    };
    if !hosts.is_empty() {
        let site = |host: &str| estate.host(host).and_then(|host| host.site.as_deref());
        return Ok(hosts.into_iter().map(|host| of(host, Some(host), site(host))).collect());
    }
    // Without hosts it is this machine; a path with the site in it is one file for each.
    Ok(match &logs {
        Logs::File(path) if path.contains("$site") => service.sites.iter().map(|site| of(site, None, Some(site))).collect(),
        _ => vec![of("here", None, None)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::estate::Host;
    use crate::model::estate::tests::{bare, service};

    fn told(estate: &Estate, of: Of) -> Vec<String> {
        let places = places(estate, &of).unwrap();
        places.iter().map(|place| format!("{} {:?} {}", place.name, place.host.as_deref().unwrap_or("-"), place.words())).collect()
    }

    #[test]
    fn a_service_has_a_place_on_each_of_its_hosts() {
        let mut estate = bare(vec![]);
        let host =
            |name: &str, site: &str| Host { name: name.into(), site: Some(site.into()), ssh: None, ssh_config: None, machine_id: None };
        estate.hosts = vec![host("web1", "fra1"), host("web2", "ams3")];
        let web = Service {
            hosts: vec!["web1".into(), "web2".into()],
            restart: Some(Restart::Unit { unit: "app.service".into(), sudo: false }),
            ..service("web")
        };
        estate.services = vec![web];
        let of = || Of::Service("web".into());
        assert_eq!(told(&estate, of()), ["web1 \"web1\" unit app.service", "web2 \"web2\" unit app.service"]);
        estate.services[0].logs = Some(Logs::File("/srv/$site/$host.log".into()));
        assert_eq!(told(&estate, of()), ["web1 \"web1\" /srv/fra1/web1.log", "web2 \"web2\" /srv/ams3/web2.log"]);
        estate.services[0].hosts.clear();
        estate.services[0].sites = vec!["fra1".into(), "ams3".into()];
        estate.services[0].logs = Some(Logs::File("/srv/$site/log".into()));
        assert_eq!(told(&estate, of()), ["fra1 \"-\" /srv/fra1/log", "ams3 \"-\" /srv/ams3/log"]);
        estate.services[0].logs = Some(Logs::Unit("x.service".into()));
        assert_eq!(told(&estate, of()), ["here \"-\" unit x.service"]);
        assert_eq!(told(&estate, Of::Host("web2".into())), ["web2 \"web2\" the whole journal"]);
    }

    #[test]
    fn where_nothing_says_where_they_are_the_key_to_add_is_told() {
        let mut estate = bare(vec![]);
        estate.services = vec![service("web")];
        let why = places(&estate, &Of::Service("web".into())).unwrap_err();
        assert!(why.contains("logs = { unit = \"web.service\" }") && why.contains("logs = { file"), "{why}");
        assert!(places(&estate, &Of::Service("x".into())).unwrap_err().contains("no [[service]] `x`"));
        assert!(places(&estate, &Of::Host("x".into())).unwrap_err().contains("no [[host]] `x`"));
    }
}
