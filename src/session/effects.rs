//! Carries out what update asks for, as far as it is not the loop's own matter.

use tokio::sync::watch;

use crate::app::effect::Effect;
use crate::model::metric::Demand;

use super::feed::Feed;

/// What is left for the loop to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    /// Leave with this exit code.
    pub quit: Option<u8>,
    /// Give the terminal back and stop.
    pub suspend: bool,
    /// Draw all of the screen again.
    pub redraw: bool,
}

/// Carries out the effects in their order. Nothing here waits.
pub fn carry_out(effects: Vec<Effect>, feed: &impl Feed, demand: &watch::Sender<Demand>) -> Left {
    let mut left = Left::default();
    for effect in effects {
        match effect {
            Effect::Quit(code) => left.quit = Some(code),
            Effect::Suspend => left.suspend = true,
            Effect::Redraw => left.redraw = true,
            Effect::Poll(source) => feed.poke(source),
            // Told only where it differs: each telling makes sources ask anew.
            Effect::Demand(wanted) => {
                demand.send_if_modified(|old| std::mem::replace(old, wanted) != wanted);
            }
        }
    }
    left
}
