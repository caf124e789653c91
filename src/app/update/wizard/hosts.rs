//! The hosts of a rollback under hands: one is selected, left out and taken in again. Each choice has a plan of its own.

use crate::app::layer::Layer;
use crate::app::state::State;
use crate::app::wizard::{self, Standing, Step, Subject};

use super::top;

/// Selects another host; where there is none to select, the page is scrolled.
pub(super) fn walk(state: &mut State, by: isize) {
    let Some(Layer::Wizard(of)) = state.layers.last() else { return };
    let hosts = wizard::hosts(state, of);
    let at = wizard::host_selected(of, &hosts);
    let Some(of) = top(state) else { return };
    if let Some(at) = at {
        of.host = hosts.get(at.saturating_add_signed(by).min(hosts.len() - 1)).cloned();
    }
}

/// Leaves the selected host out, or takes it in again. A plan of what is left is asked for at once.
pub(super) fn toggle(state: &mut State) {
    let Some(Layer::Wizard(of)) = state.layers.last() else { return };
    let hosts = wizard::hosts(state, of);
    let Some(host) = wizard::host_selected(of, &hosts).and_then(|at| hosts.get(at)) else { return };
    let Some(of) = top(state).filter(|of| of.standing == Standing::Open && of.step == Step::Target) else { return };
    let Subject::Rollback { without, .. } = &mut of.subject else { return };
    of.said = None;
    match without.iter().position(|one| one == host) {
        Some(at) => {
            without.remove(at);
        }
        None if without.len() + 1 >= hosts.len() => {
            of.said = Some(match hosts.len() {
                1 => format!("{host} is the only host: without it nothing would be done"),
                _ => "one host must stay: without any nothing would be done".to_owned(),
            });
            return;
        }
        None => {
            without.push(host.clone());
            // The same hosts are the same plan, in whichever order they were left out.
            without.sort_by_key(|one| hosts.iter().position(|host| host == one));
        }
    }
    of.host = Some(host.clone());
    of.wants = true;
}
