//! What a deployment did: its panels in the window after it and in the same hours of the days before.

use std::sync::Arc;
use std::time::Duration;

use super::Desk;
use crate::app::ask::{AskDid, Told};
use crate::model::deployment::did::{Did, Found, Metric, before, judge};
use crate::watch::windows;

/// How long all of it may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// Asks all panels side by side and judges each.
pub(super) async fn answer(desk: &Desk, asked: AskDid) -> Told {
    let mut spans = vec![asked.span];
    spans.extend(before(asked.span));
    let numbers = windows(&desk.estate, &desk.past, &asked.panels, &spans, DEADLINE).await;
    let metrics = asked.panels.iter().zip(numbers).filter_map(|((place, _), numbers)| {
        let panel = desk.estate.panels.get(*place)?;
        let found = match numbers {
            Ok(all) => all.split_first().map_or(Found::Nothing, |(after, before)| judge(panel.unit, after, before)),
            Err(why) => Found::Failed(why),
        };
        Some(Metric { panel: panel.name.clone(), unit: panel.unit, found })
    });
    let did = Did { span: asked.span, ended: asked.ended, metrics: metrics.collect(), left: asked.left };
    Told::Did { key: asked.key, did: Arc::new(did) }
}
