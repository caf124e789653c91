//! The releases that a service can go back to: those that lie on its hosts, ranked by when each was deployed there, never
//! by the times of folders, which copying changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::deployment::{Deployment, Ending, Trigger};
use crate::model::estate::{Estate, History, Service, SourceKind};
use crate::model::plan::Candidate;

/// Versions that are named.
const NAMED: usize = 4;

/// What one host has.
#[derive(Debug, Clone, Copy)]
pub struct Has<'a> {
    /// The host.
    pub host: &'a str,
    /// The releases in its folder.
    pub releases: &'a [String],
    /// The one that `current` leads to.
    pub runs: &'a str,
}

/// All of them: those with a known time first, the newest of these first, then the others by name, the last first. One
/// that runs on all hosts is no candidate. `history` is newest first.
pub fn candidates(estate: &Estate, service: &Service, hosts: &[Has<'_>], history: &[Arc<Deployment>]) -> Vec<Candidate> {
    let mut rank: BTreeMap<&str, (usize, &Deployment)> = BTreeMap::new();
    for (place, one) in history.iter().enumerate().filter(|(_, one)| one.service == service.name && one.is_act()) {
        if let Some(version) = &one.to {
            rank.entry(version).or_insert((place, one));
        }
    }
    let names: BTreeSet<&str> = hosts.iter().flat_map(|host| host.releases.iter().map(String::as_str)).collect();
    let on_all = |name: &str| hosts.iter().all(|host| host.runs == name);
    let mut all: Vec<(usize, &str)> = names
        .into_iter()
        .rev()
        .filter(|name| !on_all(name))
        .map(|name| (rank.get(name).map_or(usize::MAX, |(place, _)| *place), name))
        .collect();
    // A stable sort: what no history tells of stays by name, the last first.
    all.sort_by_key(|(place, _)| *place);
    let kept = kept(estate, service);
    let one = |(_, name): (usize, &str)| {
        let ran = rank.get(name);
        let missing = hosts.iter().filter(|host| host.releases.binary_search_by(|r| r.as_str().cmp(name)).is_err());
        let since = ran.map(|(place, _)| since(&history[..*place], service));
        Candidate {
            version: name.to_owned(),
            last_ran: ran.map(|(_, one)| one.at),
            who: ran.and_then(|(_, one)| one.who.clone()),
            result: ran.and_then(|(_, one)| one.result),
            hosts_missing: missing.map(|host| host.host.to_owned()).collect(),
            not_reverted: since.into_iter().chain(kept.iter().cloned()).collect(),
            chosen: false,
        }
    };
    all.into_iter().map(one).collect()
}

/// What was deployed after it, whose changes outside the release folder stay.
fn since(newer: &[Arc<Deployment>], service: &Service) -> String {
    let mut versions: Vec<&str> = Vec::new();
    for one in newer.iter().filter(|one| one.service == service.name && one.is_act()) {
        if let Some(version) = one.to.as_deref()
            && !versions.contains(&version)
        {
            versions.push(version);
        }
        // Nobody reads more of them, and the history is long.
        if versions.len() > NAMED {
            break;
        }
    }
    match versions.as_slice() {
        [] => "Whether migrations ran since is not known: no history tells of migrations.".to_owned(),
        some => {
            let more = if some.len() > NAMED { " and others" } else { "" };
            let named = some[..some.len().min(NAMED)].join(", ");
            format!("Whether {named}{more}, deployed after it, ran migrations is not known: no history tells of migrations.")
        }
    }
}

/// What no candidate takes back.
fn kept(estate: &Estate, service: &Service) -> Vec<String> {
    let mut kept = Vec::new();
    let patterns: BTreeSet<&str> = estate
        .sources
        .iter()
        .filter(|source| source.service.as_deref() == Some(&service.name))
        .filter_map(|source| match &source.kind {
            SourceKind::History(History::Releases { config, .. }) => Some(config),
            _ => None,
        })
        .flatten()
        .map(String::as_str)
        .collect();
    match patterns.is_empty() {
        true => kept.push("Configuration outside the release folder stays as it is.".to_owned()),
        false => {
            let named: Vec<&str> = patterns.into_iter().collect();
            kept.push(format!("{} goes back with the release; configuration elsewhere stays as it is.", named.join(", ")));
        }
    }
    kept.extend(data(estate, service).iter().map(|name| format!("The data of {name} stays as it is.")));
    kept
}

/// The services with data of their own that it depends on: those that have a database or a backup.
pub fn data<'a>(estate: &Estate, service: &'a Service) -> Vec<&'a str> {
    let tells = |kind: &SourceKind| matches!(kind, SourceKind::Database(_) | SourceKind::Backup(_));
    let has = |name: &str| estate.sources.iter().any(|source| source.service.as_deref() == Some(name) && tells(&source.kind));
    service.depends_on.iter().map(String::as_str).filter(|name| has(name)).collect()
}

/// The release that ran before the one that runs now, by history: what a rollback goes to where nothing is named. Hosts that
/// are left out were not asked what runs there, and change nothing about where the service goes back to: what was put at
/// their `unasked` sites (`None`: a host without one) is taken to run there still.
///
/// # Errors
/// Why history names none, in words.
pub fn before(
    service: &Service,
    runs: &BTreeSet<&str>,
    unasked: &[Option<&str>],
    history: &[Arc<Deployment>],
) -> Result<(String, String), String> {
    let acts: Vec<&Arc<Deployment>> = history.iter().filter(|one| one.service == service.name && one.is_act()).collect();
    let runs_now = |one: &Deployment| match one.to.as_deref() {
        Some(to) => runs.contains(to) || unasked.iter().any(|site| one.is_of(&service.name, *site)),
        None => false,
    };
    let now = acts.iter().position(|one| runs_now(one) && one.result != Some(Ending::Failed));
    let Some(now) = now else {
        let named: Vec<&str> = runs.iter().copied().collect();
        return Err(format!("no history tells when {} was deployed", named.join(", ")));
    };
    let current = acts[now].to.as_deref().unwrap_or_default();
    // What a rollback came from is not what anyone wants to go back to.
    let mut fled = BTreeSet::from([current]);
    for (place, one) in acts.iter().enumerate().skip(now) {
        let to = one.to.as_deref().unwrap_or_default();
        if one.trigger == Some(Trigger::Rollback) {
            let from = one.from.as_deref().or_else(|| acts.get(place + 1)?.to.as_deref());
            fled.extend(from);
        }
        // One at another site ran beside it.
        if place == now || fled.contains(to) || !one.is_of(&service.name, acts[now].site.as_deref()) {
            continue;
        }
        return match one.result {
            Some(Ending::Succeeded) => Ok((current.to_owned(), to.to_owned())),
            Some(Ending::Failed) if one.trigger == Some(Trigger::Rollback) => {
                Err(format!("the rollback before it, to {to}, failed or was taken back"))
            }
            Some(Ending::Failed) => Err(format!("the deployment before it, of {to}, failed")),
            None => Err(format!("whether the deployment before it, of {to}, succeeded is not known")),
        };
    }
    Err(format!("no history tells what ran before {current}"))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::deployment::Dated;
    use crate::model::estate::tests::service;

    fn act(second: i64, from: Option<&str>, to: &str, result: Option<Ending>, trigger: Option<Trigger>) -> Arc<Deployment> {
        let at = Timestamp::from_second(second).unwrap();
        let told = Deployment::new("web", at, Dated::Record, "log");
        Arc::new(Deployment { from: from.map(str::to_owned), to: Some(to.into()), result, trigger, ..told })
    }

    const OK: Option<Ending> = Some(Ending::Succeeded);

    fn before_of(history: &[Arc<Deployment>], runs: &str) -> Result<String, String> {
        before(&service("web"), &BTreeSet::from([runs]), &[], history).map(|(_, to)| to)
    }

    #[test]
    fn leaving_a_host_out_does_not_change_where_the_service_goes_back_to() {
        let at = |site: &str, one: Arc<Deployment>| Arc::new(Deployment { site: Some(site.into()), ..(*one).clone() });
        let history = [act(3, None, "3", OK, None), act(2, None, "2", OK, None), act(1, None, "1", OK, None)];
        let of = |history: &[Arc<Deployment>], site| before(&service("web"), &BTreeSet::from(["2"]), &[site], history).map(|(_, to)| to);
        assert_eq!(of(&history, None), Ok("2".into()), "the one that is left out is the one with the bad release");
        assert_eq!(of(&history, Some("north")), Ok("2".into()));
        let elsewhere = [at("south", history[0].clone()), history[1].clone(), history[2].clone()];
        assert_eq!(of(&elsewhere, Some("north")), Ok("1".into()), "what was put at another site does not run on it");
    }

    #[test]
    fn the_release_before_is_that_of_the_history() {
        let history = [act(3, None, "3", OK, None), act(2, None, "2", OK, None), act(1, None, "1", OK, None)];
        assert_eq!(before_of(&history, "3"), Ok("2".into()));
        assert_eq!(before_of(&history, "2"), Ok("1".into()), "someone switched by hand");
        assert!(before_of(&history, "1").unwrap_err().contains("what ran before 1"));
        assert!(before_of(&history, "9").unwrap_err().contains("when 9 was deployed"));
    }

    #[test]
    fn what_was_fled_from_is_not_gone_back_to() {
        let back = Some(Trigger::Rollback);
        let history =
            [act(3, Some("2"), "1", OK, back), act(2, None, "2", OK, None), act(1, None, "1", OK, None), act(0, None, "0", OK, None)];
        assert_eq!(before_of(&history, "1"), Ok("0".into()));
        let unsaid = [act(3, None, "1", OK, back), act(2, None, "2", OK, None), act(1, None, "1", OK, None), act(0, None, "0", OK, None)];
        assert_eq!(before_of(&unsaid, "1"), Ok("0".into()), "where it does not say from what");
    }

    #[test]
    fn one_that_failed_or_may_have_is_no_default() {
        let failed = [act(3, None, "3", OK, None), act(2, None, "2", Some(Ending::Failed), None), act(1, None, "1", OK, None)];
        assert!(before_of(&failed, "3").unwrap_err().contains("of 2, failed"));
        let back = act(2, Some("4"), "2", Some(Ending::Failed), Some(Trigger::Rollback));
        let taken_back = [act(3, None, "3", OK, None), back, act(1, None, "4", OK, None)];
        assert_eq!(before_of(&taken_back, "3").unwrap_err(), "the rollback before it, to 2, failed or was taken back");
        let unknown = [act(3, None, "3", OK, None), act(2, None, "2", None, None)];
        assert!(before_of(&unknown, "3").unwrap_err().contains("is not known"));
        let late = [act(4, None, "3", Some(Ending::Failed), None), act(3, None, "3", OK, None), act(2, None, "2", OK, None)];
        assert_eq!(before_of(&late, "3"), Ok("2".into()), "the one that runs did not fail");
    }

    #[test]
    fn candidates_are_ranked_by_history_and_tell_who_lacks_them() {
        let history = [act(5, None, "3", OK, None), act(4, None, "1", OK, None), act(3, None, "2", Some(Ending::Failed), None)];
        let (one, other) = (["0", "1", "2", "3", "9"].map(str::to_owned), ["1", "2", "3"].map(str::to_owned));
        let hosts = [Has { host: "web1", releases: &one, runs: "3" }, Has { host: "web2", releases: &other, runs: "3" }];
        let all = candidates(&crate::model::estate::tests::bare(vec![]), &service("web"), &hosts, &history);
        let told: Vec<_> = all.iter().map(|c| (c.version.as_str(), c.result, c.hosts_missing.join(" "))).collect();
        let lacks = "web2".to_owned();
        assert_eq!(
            told,
            [("1", OK, String::new()), ("2", Some(Ending::Failed), String::new()), ("9", None, lacks.clone()), ("0", None, lacks)]
        );
        assert!(all[0].not_reverted[0].starts_with("Whether 3, deployed after it, ran migrations is not known"), "{:?}", all[0]);
    }
}
