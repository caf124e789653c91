//! What was deployed shortly before something began: the first thing that a person suspects, and can take back.

use std::sync::Arc;

use jiff::SignedDuration;

use super::{About, Need, by_id};
use crate::model::alert::Alert;
use crate::model::deployment::{Deployment, Ending, Trigger};
use crate::model::estate::{Estate, History, Service, SourceKind};

/// What was deployed this long before is named.
pub const BEFORE: SignedDuration = SignedDuration::from_mins(30);

/// Says of each need what was deployed shortly before it, and that it can be rolled back. `deployments` is newest first.
pub fn with_change(needs: &mut [Need], estate: &Estate, alerts: &[Arc<Alert>], deployments: &[Arc<Deployment>]) {
    if !estate.services.iter().any(|service| can_go_back(estate, service)) {
        return;
    }
    let known = by_id(alerts);
    for need in needs {
        let About::Alerts(_, ids) = &need.about else { continue };
        let first = ids.iter().filter_map(|id| known.get(id)).min_by_key(|alert| alert.starts_at);
        if let Some(one) = first.and_then(|first| suspect_of(estate, first, deployments)) {
            need.what = format!("{}, after {} {}", need.what, one.service, one.versions());
            // What a person wrote comes first.
            if need.action == "look closer" {
                need.action = format!("roll {} back", one.service);
            }
        }
    }
}

/// What may have caused a need; `None` where nothing that can be rolled back was deployed shortly before.
pub fn suspect<'d>(
    estate: &Estate,
    alerts: &[Arc<Alert>],
    deployments: &'d [Arc<Deployment>],
    about: &About,
) -> Option<&'d Arc<Deployment>> {
    let About::Alerts(_, ids) = about else { return None };
    let first = alerts.iter().filter(|alert| ids.contains(&alert.id)).min_by_key(|alert| alert.starts_at)?;
    suspect_of(estate, first, deployments)
}

/// What may have caused an alert: the newest deployment of its service, or of one that this cannot do without, in the time
/// before it began. One that was taken back or followed by another is none any more.
pub fn suspect_of<'d>(estate: &Estate, alert: &Alert, deployments: &'d [Arc<Deployment>]) -> Option<&'d Arc<Deployment>> {
    let own = estate.services.iter().filter(|service| service.labels.covers(&alert.labels));
    let mut services: Vec<&Service> = own.collect();
    let mut next = 0;
    while let Some(service) = services.get(next) {
        for name in &service.depends_on {
            if let Some(needed) = estate.service(name).filter(|needed| services.iter().all(|known| known.name != needed.name)) {
                services.push(needed);
            }
        }
        next += 1;
    }
    services.retain(|service| can_go_back(estate, service));
    if services.is_empty() {
        return None;
    }
    let site = estate.sites.iter().find(|site| site.labels.covers(&alert.labels)).map(|site| site.name.as_str());
    let here = |one: &Deployment| one.site.as_deref().zip(site).is_none_or(|(there, here)| there == here);
    let since = alert.starts_at.checked_sub(BEFORE).ok()?;
    // The newest there is what runs: it came before the alert, or it is not what broke it.
    services.into_iter().find_map(|service| {
        let newest = deployments.iter().find(|one| one.service == service.name && one.is_act() && here(one))?;
        let fits = newest.at <= alert.starts_at && newest.at >= since;
        let broke = newest.trigger != Some(Trigger::Rollback) && newest.result != Some(Ending::Failed);
        (fits && broke && newest.to.is_some()).then_some(newest)
    })
}

/// True where the estate file says how it goes back to an earlier release.
pub fn can_go_back(estate: &Estate, service: &Service) -> bool {
    let has = |kind: &SourceKind| matches!(kind, SourceKind::History(History::Releases { hosts, .. }) if !hosts.is_empty());
    service.restart.is_some() && estate.sources.iter().any(|source| source.service.as_ref() == Some(&service.name) && has(&source.kind))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::alert::AlertState;
    use crate::model::alert::tests::alert;
    use crate::model::deployment::Dated;
    use crate::model::estate::tests::{bare, source};
    use crate::model::label::Labels;
    use crate::model::operations::Restart;

    fn service(name: &str, needs: &[&str]) -> Service {
        Service {
            name: name.into(),
            sites: vec![],
            hosts: vec![],
            depends_on: needs.iter().map(|name| (*name).to_owned()).collect(),
            labels: Labels::new([("service", name)]),
            runbook: None,
            start: None,
            stop: None,
            restart: Some(Restart::Command { command: vec!["true".into()], pid_file: None }),
            health: None,
            rollback: Default::default(),
            logs: None,
        }
    }

    fn estate() -> Estate {
        let releases =
            History::Releases { path: "/srv".into(), hosts: vec!["h".into()], log: None, fields: Default::default(), config: Vec::new() };
        let mut releases = source("releases", SourceKind::History(releases));
        releases.service = Some("web".into());
        Estate { services: vec![service("edge", &["web"]), service("web", &["edge"])], ..bare(vec![releases]) }
    }

    fn deployed(second: i64, to: &str) -> Arc<Deployment> {
        let at = Timestamp::from_second(second).unwrap();
        Arc::new(Deployment { from: Some("1".into()), to: Some(to.into()), ..Deployment::new("web", at, Dated::Record, "log") })
    }

    #[test]
    fn what_was_deployed_shortly_before_is_suspected_also_of_what_it_stands_on() {
        let broken = alert(&[("alertname", "errors"), ("service", "edge")], AlertState::Firing, 5_000);
        let to = |deployments: &[Arc<Deployment>]| suspect_of(&estate(), &broken, deployments).and_then(|one| one.to.clone());
        assert_eq!(to(&[deployed(4_990, "2")]).as_deref(), Some("2"));
        assert_eq!(to(&[deployed(5_001, "2")]), None, "it came after");
        assert_eq!(to(&[deployed(5_001, "3"), deployed(4_990, "2")]), None, "it was followed by another");
        assert_eq!(to(&[deployed(5_000 - BEFORE.as_secs() - 1, "2")]), None, "long ago");
        let mut back = deployed(4_990, "2");
        Arc::make_mut(&mut back).trigger = Some(Trigger::Rollback);
        assert_eq!(to(&[back]), None, "a rollback is not rolled back");
        let other = alert(&[("alertname", "errors"), ("service", "store")], AlertState::Firing, 5_000);
        assert_eq!(suspect_of(&estate(), &other, &[deployed(4_990, "2")]), None);
    }

    #[test]
    fn a_need_says_it_and_what_to_do() {
        let broken = alert(&[("alertname", "errors"), ("service", "edge")], AlertState::Firing, 5_000);
        let need = |action: &str| Need {
            severity: crate::model::estate::Severity::Critical,
            about: About::Alerts("errors".into(), vec![broken.id.clone()]),
            what: "errors: 20%".into(),
            action: action.into(),
            since: None,
            due: None,
            stale: false,
        };
        let mut needs = [need("look closer"), need("open its runbook")];
        with_change(&mut needs, &estate(), &[broken.clone()], &[deployed(4_990, "2")]);
        assert_eq!((needs[0].what.as_str(), needs[0].action.as_str()), ("errors: 20%, after web 1 -> 2", "roll web back"));
        assert_eq!(needs[1].action, "open its runbook");
    }
}
