//! Windows of charts: each question ends as soon as a later one for the same slot is asked, so that a person who pans on
//! leaves no query behind at a server.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::app::ask::Told;
use crate::app::chart::{SLOTS, Slot};
use crate::app::prompt::WordsOf;
use crate::model::window::RangeAsk;

use super::Desk;

/// How long one window may take. A source has its own time for one request; this is an end to the whole.
const DEADLINE: Duration = Duration::from_secs(30);
/// A window is asked for once nothing else was wanted for so long: a key that is held asks for the last one only.
const HOLD: Duration = Duration::from_millis(60);

/// What was asked last, by slot.
#[derive(Debug, Clone)]
pub struct Charts {
    newest: Arc<watch::Sender<[u64; SLOTS.len()]>>,
}

impl Default for Charts {
    fn default() -> Charts {
        Charts { newest: Arc::new(watch::Sender::new([0; SLOTS.len()])) }
    }
}

impl Charts {
    /// Gives up what was asked by numbers below this.
    pub(super) fn stop(&self, number: u64) {
        self.newest.send_modify(|all| all.iter_mut().for_each(|one| *one = number.max(*one)));
    }
}

/// The names of the metrics of a source.
pub(super) async fn names(desk: &Desk, source: String) -> Told {
    let result = crate::watch::metric_names(&desk.estate, &source, DEADLINE).await;
    Told::Names { source, result }
}

/// The labels of some series, or the values of one.
pub(super) async fn words(desk: &Desk, of: WordsOf) -> Told {
    let result = crate::watch::label_words(&desk.estate, &of.source, &of.series, of.label.as_deref(), DEADLINE).await;
    Told::Words { of, result }
}

/// The answer, or that it was given up.
pub(super) async fn answer(desk: &Desk, slot: Slot, number: u64, ask: RangeAsk) -> Told {
    let mut newest = desk.charts.newest.subscribe();
    // Questions may begin in another order than they were asked in.
    desk.charts.newest.send_modify(|all| all[slot as usize] = number.max(all[slot as usize]));
    let work = async {
        tokio::time::sleep(HOLD).await;
        crate::watch::chart(&desk.estate, &desk.past, &ask, DEADLINE).await
    };
    let result = tokio::select! {
        biased;
        _ = newest.wait_for(|all| all[slot as usize] > number) => Err("something else was asked for meanwhile".to_owned()),
        told = work => told.map(Arc::new),
    };
    Told::Chart { slot, number, result }
}
