//! Finds out what a view asks, beside the loop.

pub mod verify;

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::app::ask::{Ask, Told};
use crate::app::message::Message;
use crate::app::verifying::News;
use crate::model::backup::Order;
use crate::model::estate::Estate;

use verify::{Ended, Verifier};

/// All that answers are made from.
#[derive(Debug, Clone)]
pub struct Desk {
    /// What the console watches.
    pub estate: Arc<Estate>,
    /// Carries out verifications.
    pub verifier: Arc<Verifier>,
    /// Where news goes of what takes its time, before its answer.
    pub out: mpsc::Sender<Message>,
}

impl Desk {
    /// The answer. Ends by its own deadline.
    pub async fn answer(&self, ask: Ask) -> Told {
        match ask {
            Ask::Verify(order) => self.verify(*order).await,
            Ask::StopVerification(source) => {
                self.verifier.stop(source);
                Told::Verification(source, Box::new(News::Stopping))
            }
        }
    }

    async fn verify(&self, order: Order) -> Told {
        let (source, out) = (order.source, self.out.clone());
        let progress = move |progress| {
            // Only the newest matters: where the loop is busy, this one is left out.
            let _ = out.try_send(Message::Told(Box::new(Told::Verification(source, Box::new(News::Progress(progress))))));
        };
        let news = match self.verifier.carry_out(order, progress).await {
            Ok(Ended { verification, proofs, unrecorded }) => News::Ended { outcome: verification.outcome, proofs, unrecorded },
            Err(why) => News::Refused(why),
        };
        Told::Verification(source, Box::new(news))
    }
}
