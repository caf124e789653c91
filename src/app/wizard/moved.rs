//! What moved while the wizard was open: what polls said of the service, and what is different between two plans of the
//! same service.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::app::state::State;
use crate::app::when;
use crate::model::plan::{Act, Deed, Plan};
use crate::model::reading::Freshness;

use super::{Processes, Subject};

/// What polls say of a service, as far as a plan rests on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// When it was last deployed.
    newest: Option<Timestamp>,
    /// The plan was made then.
    at: Option<Timestamp>,
    /// Sources of it that do not answer.
    silent: BTreeSet<String>,
}

impl Seen {
    /// As the newest readings say it, frozen or not.
    pub fn of(state: &State, subject: &Subject) -> Seen {
        let service = subject.service();
        let newest = state.view.deployments.all.iter().find(|one| one.is_act() && Some(&*one.service) == service).map(|one| one.at);
        let silent = (state.estate.sources.iter().zip(&state.readings))
            .filter(|(source, reading)| {
                (match subject {
                    Subject::Rollback { service, .. } | Subject::Processes(Processes { service, .. }) => {
                        source.service.as_ref() == Some(service)
                    }
                    Subject::Silence(draft) => source.name == draft.source,
                }) && matches!(reading.freshness(state.now), Freshness::Unreachable | Freshness::Refused)
            })
            .map(|(source, _)| source.name.clone())
            .collect();
        Seen { newest, at: Some(state.now), silent }
    }

    /// What is new since then, a line each.
    pub fn moved(&self, state: &State, subject: &Subject) -> Vec<String> {
        let (now, service) = (Seen::of(state, subject), subject.name());
        let mut lines = Vec::new();
        // A history that is only read now tells of the past, which the plan knew from the hosts.
        let known = self.newest.or(self.at);
        if let Some(at) = now.newest.filter(|at| known.is_some_and(|known| *at > known)) {
            let one = state.view.deployments.all.iter().find(|one| one.is_act() && one.service == service && one.at == at);
            let (to, who) = one.map_or((None, None), |one| (one.to.as_deref(), one.who.as_deref()));
            let who = who.map_or_else(String::new, |who| format!(" by {who}"));
            lines.push(format!("{service} {} was deployed at {}{who}", to.unwrap_or("?"), when::minute(state, at)));
        }
        lines.extend(now.silent.difference(&self.silent).map(|source| format!("{source} does not answer any more")));
        lines
    }
}

/// What is different in the newer of two plans, a line each; never empty where their hashes differ.
pub fn differences(old: &Plan, new: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    let side = |of: &Option<String>| of.clone().unwrap_or_else(|| "?".to_owned());
    let (before, after) = (links(old), links(new));
    for (target, was) in &before {
        match after.get(target) {
            None => lines.push(format!("{target} is not in the plan any more")),
            Some(is) if is != was => lines.push(format!("{target} runs {is} now, and ran {was} when the plan was made")),
            Some(_) => {}
        }
    }
    for target in after.keys().filter(|target| !before.contains_key(*target)) {
        lines.push(format!("{target} is in the plan now"));
    }
    if lines.is_empty() && old.from != new.from {
        lines.push(format!("{} runs {} now, and ran {} when the plan was made", new.subject, side(&new.from), side(&old.from)));
    }
    if old.to != new.to {
        lines.push(format!("the plan goes back to {} now, and not to {}", side(&new.to), side(&old.to)));
    }
    let machines = old.targets.iter().filter_map(|was| Some((was, new.targets.iter().find(|is| is.name == was.name)?)));
    for (was, _) in machines.filter(|(was, is)| was.kind != is.kind) {
        lines.push(format!("{} is not what it was: its machine, folder or mark is another", was.name));
    }
    if lines.is_empty() && new.deed == Deed::Silence {
        let about = |plan: &Plan| plan.subject.replace('-', " ");
        lines.push(match (about(old), about(new)) {
            (was, is) if was != is => format!("it is about {is} now, and was about {was} when the plan was made"),
            _ => "the silence, or what the Alertmanager has of it, is another one now".to_owned(),
        });
    }
    if lines.is_empty() && new.deed.is_of_processes() && old.hosts() != new.hosts() {
        lines.push(format!("it is done on {} now, and was to be on {}", listed(new), listed(old)));
    }
    if lines.is_empty() {
        lines.push(match (old.steps.len(), new.steps.len()) {
            (was, is) if was != is => format!("the plan has {is} steps now, and had {was}"),
            _ => "the processes, or the steps of the plan, are others now".to_owned(),
        });
    }
    lines
}

/// The hosts of a plan, for people.
fn listed(plan: &Plan) -> String {
    plan.hosts().join(", ")
}

/// What each target's link leads to before.
fn links(plan: &Plan) -> BTreeMap<&str, &str> {
    let links = plan.steps.iter().filter_map(|step| match &step.act {
        Act::SwitchLink { from, .. } => Some((plan.target_of(step)?.name.as_str(), from.as_str())),
        _ => None,
    });
    links.collect()
}
