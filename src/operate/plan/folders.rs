//! The hosts of a rollback: where a service's releases lie, and which of them are left out.

use std::collections::BTreeMap;

use super::rollback::PlanError;
use crate::model::estate::{Estate, History, Host, Part, Service, SourceKind};
use crate::model::text::clean;

/// A release folder on a host, by the estate file.
pub(super) struct Folder<'a> {
    pub host: &'a Host,
    pub site: Option<String>,
    pub path: String,
    pub log: Option<(String, BTreeMap<Part, String>)>,
}

/// Where the service's releases lie, host by host, in the file's order.
pub(super) fn folders<'a>(estate: &'a Estate, service: &Service) -> Result<Vec<Folder<'a>>, PlanError> {
    let mut folders: Vec<Folder<'a>> = Vec::new();
    for source in estate.sources.iter().filter(|source| source.service.as_deref() == Some(&service.name)) {
        let SourceKind::History(History::Releases { path, hosts, log, fields, .. }) = &source.kind else { continue };
        for name in hosts {
            let Some(host) = estate.host(name) else { continue };
            if folders.iter().any(|known| known.host.name == host.name) {
                return Err(PlanError::Unsaid(format!("two histories of `{}` have their releases on the host `{name}`", service.name)));
            }
            let text = |path: &std::path::Path| path.to_str().map(str::to_owned);
            let path = text(path).ok_or_else(|| PlanError::Unsaid(format!("the path of `{}` is no text", source.name)))?;
            let log = log.as_deref().and_then(text).map(|log| (log, fields.clone()));
            folders.push(Folder { host, site: source.site.clone().or_else(|| host.site.clone()), path, log });
        }
    }
    Ok(folders)
}

/// Those that are not to be left out.
pub(super) fn leave_out<'a>(folders: Vec<Folder<'a>>, without: &[String], service: &str) -> Result<Vec<Folder<'a>>, PlanError> {
    let names: Vec<&str> = folders.iter().map(|folder| folder.host.name.as_str()).collect();
    if let Some(wrong) = without.iter().find(|name| !names.contains(&name.as_str())) {
        let wrong = clean(wrong, 64);
        return Err(PlanError::Without(format!("`{service}` has no host `{wrong}` that could be left out; it has {}", names.join(", "))));
    }
    let left: Vec<Folder<'a>> = folders.into_iter().filter(|folder| !without.contains(&folder.host.name)).collect();
    match left.is_empty() {
        true => Err(PlanError::Without(format!("all hosts of `{service}` are left out: nothing is to be done"))),
        false => Ok(left),
    }
}
