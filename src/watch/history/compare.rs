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
    // The folders of this machine, where there are any.
    let folders = || histories().filter(|(_, kind)| matches!(kind, History::Releases { .. }));
    // A host that no ssh leads to is this machine.
    let elsewhere = |kind: &History| -> Vec<String> {
        let is_far = |name: &&String| estate.host(name).is_none_or(|host| host.ssh.is_some());
        kind.hosts().iter().filter(is_far).cloned().collect()
    };
    let folders = folders().find(|(_, kind)| elsewhere(kind).is_empty()).or_else(|| folders().next());
    let far = folders.map_or_else(Vec::new, |(_, kind)| elsewhere(kind));
    let commits = async {
        match &clone {
            Some(clone) => clone.compare(from, to).await,
            None => {
                let why = format!("no [[history]] of kind `git` tells of {}", to.service);
                (Err(why.clone()), Err(why))
            }
        }
    };
    let ((commits, files), configs) = tokio::join!(commits, configuration(folders, &far, from, to, until));
    Comparison { commits, files, configs }
}

async fn configuration(
    folders: Option<(&Source, &History)>,
    far: &[String],
    from: &Deployment,
    to: &Deployment,
    until: Instant,
) -> Part<Configs> {
    let Some((Source { name, .. }, History::Releases { path, config: patterns, .. })) = folders else {
        return Err(format!("no [[history]] of kind `releases` tells of {}", to.service));
    };
    if !far.is_empty() {
        return Err(format!("the folders of [[history]] {name} are on {}: only those of this machine are compared", far.join(" and ")));
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
