//! What is looked at from the wizard, on top of it: who shipped a release and what it did, what is different from what runs.

use std::sync::Arc;

use crate::app::ask::Ask;
use crate::app::effect::Effect;
use crate::app::layer::Layer;
use crate::app::state::State;
use crate::app::update::layers;
use crate::app::wizard::Step;
use crate::model::deployment::Deployment;

use super::{choice, say};

/// The deployment by which the selected release came, as far as it is known here.
fn deployment_of(state: &State, version: &str, service: &str) -> Option<String> {
    let of = |one: &&Arc<Deployment>| one.service == service && one.to.as_deref() == Some(version);
    state.view.deployments.all.iter().find(|one| one.is_act() && of(one)).map(|one| one.key.to_string())
}

fn picked(state: &State) -> Option<(String, String, Option<String>)> {
    let of = match state.layers.last() {
        Some(Layer::Wizard(of)) if of.step == Step::Release => of,
        _ => return None,
    };
    let one = of.candidates().get(choice(of)?)?;
    Some((of.subject.name().to_owned(), one.version.clone(), of.plan().and_then(|plan| plan.from.clone())))
}

/// Shows who shipped the selected release and what it did; the wizard stays below.
pub(in crate::app::update) fn look(state: &mut State) {
    let Some((service, version, _)) = picked(state) else { return };
    match deployment_of(state, &version, &service) {
        Some(key) => layers::deployment(state, &key),
        None => say(state, "no deployment of it is known here"),
    }
}

/// Shows what is different between what runs and the selected release; the wizard stays below.
pub(in crate::app::update) fn compare(state: &mut State) -> Vec<Effect> {
    let Some((service, version, from)) = picked(state) else { return Vec::new() };
    let find = |version: &str| deployment_of(state, version, &service).and_then(|key| state.deployment(&key).cloned());
    match (from.as_deref().and_then(find), find(&version)) {
        (Some(from), Some(to)) => {
            let asked = Effect::Ask(Box::new(Ask::Diff { from: from.clone(), to: to.clone() }));
            layers::lay(state, Layer::Diff { from: Some(from), to, found: None, spot: Default::default() });
            vec![asked]
        }
        _ => {
            say(state, "the deployments of both are not known here: they cannot be compared");
            Vec::new()
        }
    }
}
