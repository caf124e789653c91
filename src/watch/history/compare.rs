//! What is different between two releases of a service, as far as a clone of its source and the folders of its releases
//! are on this machine. Asked once, when someone wants to know.

use std::path::Path;
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
    let folders = histories().find_map(|(source, kind)| match kind {
        History::Releases { path, config } => Some((source.name.as_str(), path.as_path(), config.as_slice())),
        _ => None,
    });
    let commits = async {
        match &clone {
            Some(clone) => clone.compare(from, to).await,
            None => {
                let why = format!("no [[history]] of kind `git` tells of {}", to.service);
                (Err(why.clone()), Err(why))
            }
        }
    };
    let ((commits, files), configs) = tokio::join!(commits, configuration(folders, from, to, until));
    Comparison { commits, files, configs }
}

async fn configuration(folders: Option<(&str, &Path, &[String])>, from: &Deployment, to: &Deployment, until: Instant) -> Part<Configs> {
    let Some((name, path, patterns)) = folders else {
        return Err(format!("no [[history]] of kind `releases` tells of {}", to.service));
    };
    if patterns.is_empty() {
        return Err(format!("`config` of [[history]] {name} names no files"));
    }
    let (name, path, patterns, from, to) = (name.to_owned(), path.to_owned(), patterns.to_vec(), from.clone(), to.clone());
    let work = tokio::task::spawn_blocking(move || configs::differ(&name, &path, &patterns, &from, &to));
    match timeout_at(until, work).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) => Err("comparing it ended in a defect of qd".to_owned()),
        Err(_) => Err("comparing it took too long".to_owned()),
    }
}

#[cfg(test)]
mod tests;
