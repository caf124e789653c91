//! A plan with `apply` left out: each step is only observed, and what would be done is told.

use std::sync::Arc;

use futures_util::future::join_all;

use crate::act::{self, Reach};
use crate::link::ssh::Hosts;
use crate::model::estate::Estate;
use crate::model::plan::{Act, Found, Plan};
use crate::model::run::Call;

/// No run has this name: no job of one is found.
const NOBODY: &str = "dry-run";

/// How the world stands to each step now, in the plan's order: one that is not done would be done. Nothing is changed.
pub async fn dry(plan: &Plan, estate: &Arc<Estate>) -> Vec<Found> {
    let reach = Reach::new(Arc::new(Hosts::new(&estate.hosts))).with(estate.clone());
    join_all((0..plan.steps.len()).map(|place| one(&reach, plan, place))).await
}

async fn one(reach: &Reach, plan: &Plan, place: usize) -> Found {
    match plan.steps.get(place).map(|step| &step.act) {
        // What only looks is about a state that the steps before it make.
        Some(Act::Running { .. } | Act::Healthy { .. } | Act::Guard { .. }) => {
            Found::NotDone { seen: "it would be looked at then".to_owned() }
        }
        Some(Act::Run { .. }) => Found::NotDone { seen: "it would be run".to_owned() },
        Some(Act::Http { .. }) => Found::NotDone { seen: "it would be sent".to_owned() },
        Some(Act::Manual { .. }) => Found::NotDone { seen: "a person would be asked".to_owned() },
        Some(Act::Silence { .. } | Act::ExpireSilence { .. }) => {
            act::foresee(reach, plan, place).await.unwrap_or_else(|| Found::Untold { why: "the plan has no such call".to_owned() })
        }
        _ => act::observe(reach, plan, place, Call::Apply, NOBODY, 1).await,
    }
}
