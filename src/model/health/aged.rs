//! What was judged while a source was fresh, once it no longer is: before all is judged anew, which takes its time where
//! there are many alerts, nothing may look as if it were still so. It is never milder than the judgement that follows.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::alert::{Alert, AlertId};
use super::super::estate::{Estate, Severity};
use super::super::needs::{About, Need};
use super::super::reading::Freshness;
use super::{Health, Readings, ServiceHealth, panels, services, tells_alerts};

/// The services again, where each of `lost`, by name, is no longer fresh. It takes no time that grows with the alerts.
pub fn services_aged(estate: &Estate, readings: &Readings, judged: &[ServiceHealth], lost: &[&str], now: Timestamp) -> Vec<ServiceHealth> {
    let alerting = estate.sources.iter().any(|source| tells_alerts(&source.kind) && lost.contains(&source.name.as_str()));
    // What the service would be if no alert were known: whoever was ok is judged by that alone.
    let calm = services(estate, readings, &[], now);
    let again = |(was, calm): (&ServiceHealth, ServiceHealth)| {
        let own = estate.sources.iter().filter(|source| lost.contains(&source.name.as_str()));
        let touched = alerting
            || own
                .clone()
                .any(|source| source.service.as_deref() == Some(was.service.as_str()) || watches(estate, &source.name, &was.service));
        let sites = was.sites.iter().zip(&calm.sites).map(|(was, calm)| was.map(|was| calm.map_or(was, |calm| aged(was, calm, touched))));
        ServiceHealth {
            overall: aged(was.overall, calm.overall, touched),
            sites: sites.collect(),
            worst: if was.overall.severity < Severity::Unknown { calm.worst } else { was.worst.clone() },
            ..was.clone()
        }
    };
    judged.iter().zip(calm).map(again).collect()
}

/// True where that source has a panel of the service.
fn watches(estate: &Estate, source: &str, service: &str) -> bool {
    estate.panels.iter().any(|panel| panel.source == source && panel.service.as_deref() == Some(service))
}

fn aged(was: Health, calm: Health, touched: bool) -> Health {
    match was.severity {
        Severity::Ok | Severity::Info => Health { severity: calm.severity, stale: calm.stale, ..was },
        Severity::Unknown => was,
        Severity::Warning | Severity::Critical => Health { stale: was.stale || touched, ..was },
    }
}

/// Marks the needs that rest on sources of which none is fresh any more.
pub fn age_needs(estate: &Estate, readings: &Readings, alerts: &[Arc<Alert>], needs: &mut [Need], now: Timestamp) {
    let fresh: HashSet<&str> = (estate.sources.iter().zip(readings))
        .filter(|(_, reading)| reading.freshness(now) == Freshness::Fresh)
        .map(|(source, _)| source.name.as_str())
        .collect();
    let heard: HashSet<&AlertId> = alerts.iter().filter(|alert| fresh.contains(&*alert.source)).map(|alert| &alert.id).collect();
    let live: HashSet<&str> = (panels(estate, readings, now).iter())
        .filter(|view| view.freshness == Freshness::Fresh)
        .map(|view| view.panel.name.as_str())
        .collect();
    for need in needs {
        need.stale |= match &need.about {
            About::Alerts(_, ids) => !ids.iter().any(|id| heard.contains(id)),
            About::Panel(name) => !live.contains(name.as_str()),
            About::DeadMan(source) => !fresh.contains(source.as_str()),
            About::Source(_) | About::Silence(_) | About::Drill(_) => false,
        };
    }
}
