//! What is different between two releases of a service, as far as a clone of its source and the folders of its releases
//! are on this machine. Asked once, when someone wants to know.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::commits::Clone;
use super::configs;
use crate::model::deployment::Deployment;
use crate::model::deployment::diff::{Comparison, Configs, Part};
use crate::model::estate::{Estate, History, Source, SourceKind};

/// Compares them, from the first to the second, within `deadline`.
pub async fn compare(estate: &Estate, from: &Deployment, to: &Deployment, deadline: Duration) -> Comparison {
    let until = Instant::now() + deadline;
    let own = |source: &&Source| {
        let fits = |known: &Option<String>, wanted: Option<&str>| known.as_deref().is_none_or(|known| wanted.is_none_or(|w| w == known));
        fits(&source.service, Some(&to.service)) && fits(&source.site, to.site.as_deref())
    };
    let histories = || {
        estate.sources.iter().filter(own).filter_map(|source| match &source.kind {
            SourceKind::History(kind) => Some((source, kind)),
            _ => None,
        })
    };
    let clone = histories().find_map(|(source, kind)| match kind {
        History::Git { path, tags } => Some(Clone { name: &source.name, path, tags, until }),
        _ => None,
    });
    // The folders of this machine, where there are any: a host to which no ssh leads is this machine too.
    let folders = || histories().filter(|(_, kind)| matches!(kind, History::Releases { .. }));
    let is_away = |name: &&String| estate.host(name).is_none_or(|host| host.ssh.is_some());
    let away = |kind: &History| kind.hosts().iter().filter(is_away).map(String::as_str).collect::<Vec<_>>().join(" and ");
    let folders = folders().find(|(_, kind)| away(kind).is_empty()).or_else(|| folders().next());
    let away = folders.map_or(String::new(), |(_, kind)| away(kind));
    let commits = async {
        match &clone {
            Some(clone) => clone.compare(from, to).await,
            None => {
                let why = format!("no [[history]] of kind `git` tells of {}", to.service);
                (Err(why.clone()), Err(why))
            }
        }
    };
    let ((commits, files), configs) = tokio::join!(commits, configuration(folders, &away, from, to, until));
    Comparison { commits, files, configs }
}

/// The configuration in the folders, of which those on the hosts `away` cannot be read.
async fn configuration(
    folders: Option<(&Source, &History)>,
    away: &str,
    from: &Deployment,
    to: &Deployment,
    until: Instant,
) -> Part<Configs> {
    let Some((Source { name, .. }, History::Releases { path, config: patterns, .. })) = folders else {
        return Err(format!("no [[history]] of kind `releases` tells of {}", to.service));
    };
    if !away.is_empty() {
        return Err(format!("the folders of [[history]] {name} are on {away}: only those of this machine are compared"));
    }
    if patterns.is_empty() {
        return Err(format!("`config` of [[history]] {name} names no files"));
    }
    let (name, path, patterns, from, to) = (name.clone(), path.clone(), patterns.clone(), from.clone(), to.clone());
    let work = tokio::task::spawn_blocking(move || configs::differ(&name, &path, &patterns, &from, &to));
    match timeout_at(until, work).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) => Err("comparing it ended in a defect of qd".to_owned()),
        Err(_) => Err("comparing it took too long".to_owned()),
    }
}

#[cfg(test)]
mod tests;
