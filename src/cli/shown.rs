//! Every key of the estate file changes something that a person sees: a screen, the status, or what `qd check` says.

use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::app::keymap::Keymap;
use crate::app::layer::{Layer, Pane, Spot};
use crate::app::pane;
use crate::app::state::{Look, State};
use crate::app::timeline::merge_now;
use crate::config::load::estate_from;
use crate::config::load::tests::{KEYS, WHOLE};
use crate::model::alert::{Alert, AlertId, AlertState, Origin, severity_of};
use crate::model::backup::{BackupAnswer, Evidence, Part, PointKind, RecoveryPoint};
use crate::model::database::{DatabaseAnswer, Node, Said};
use crate::model::deployment::{Dated, Deployment};
use crate::model::estate::{Estate, SourceKind};
use crate::model::label::Labels;
use crate::model::metric::{PanelAnswer, Plot, Sample, Series};
use crate::model::reading::{Outcome, Reading};
use crate::model::source::{AlertmanagerAnswer, Answer, DeadMan, ExpositionAnswer, HistoryAnswer, ProbeAnswer, PrometheusAnswer};

use super::args::Global;
use super::settings::{Settings, identity};
use super::{Outside, snapshot, status};

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// An alert that belongs to whom its labels say.
fn alert(pairs: &[(&str, &str)]) -> Arc<Alert> {
    let labels = Labels::new(pairs.iter().copied());
    let name = labels.get("alertname").unwrap_or_default().to_owned();
    Arc::new(Alert {
        id: AlertId(format!("alerts/{name}").into()),
        source: "alerts".into(),
        origin: Origin::Alertmanager,
        fingerprint: name.as_str().into(),
        severity: severity_of(&labels),
        labels,
        annotations: Labels::default(),
        state: AlertState::Firing,
        starts_at: now() - SignedDuration::from_secs(600),
        updated_at: None,
        silenced_by: vec![],
        inhibited_by: vec![],
        muted_by: vec![],
        receivers: vec![],
        generator_url: None,
        seen_by: vec![],
    })
}

fn value(value: f64) -> PanelAnswer {
    PanelAnswer { now: vec![Sample { labels: Labels::default(), value }], ..PanelAnswer::default() }
}

/// Twenty thousand after an hour of growth that reaches 65,536 in four and a half.
fn filling() -> PanelAnswer {
    let (step, len, newest, pace) = (60, 60, 20_000.0, (65_536.0 - 20_000.0) / (4.5 * 3_600.0));
    let points = (1..=len).map(|n| Some(newest - pace * (step * (len - n)) as f64)).collect();
    let start = now() - SignedDuration::from_secs(40 + step * (len - 1));
    let series = vec![Series { labels: Labels::default(), points }];
    let plot = Plot { start, step, len: len as usize, series, dropped: 0, histograms: 0 };
    PanelAnswer { plot: Some(plot.clone()), judged: Some(plot), ..value(newest) }
}

/// Hourly backups of ten minutes each, the newest 100 minutes old.
fn kept() -> BackupAnswer {
    let point = |n: i64| {
        let restores_to = now() - SignedDuration::from_mins(100 + 60 * n);
        Arc::new(RecoveryPoint {
            id: format!("p{n}"),
            restores_to,
            finished: Some(restores_to + SignedDuration::from_mins(10)),
            usable_from: None,
            kind: PointKind::Full,
            needs: vec![],
            size: Some(5_000_000),
            evidence: Evidence { job: true, ..Evidence::default() },
            broken: None,
            hold: None,
            part: Part::default(),
            checked: None,
        })
    };
    BackupAnswer { points: (0..30).map(point).collect(), total: 30, by: "a test".into(), ..BackupAnswer::default() }
}

/// The same answer to the same question, whatever the estate makes of it. One poll was 40 seconds ago, so that its
/// state depends on `every`.
fn readings(estate: &Estate) -> Vec<Reading<Answer>> {
    let panels = |source: &str| {
        let of = estate.panels.iter().filter(|p| p.source == source);
        of.map(|p| (p.name.clone(), if p.name == "open files" { filling() } else { value(0.0153) })).collect()
    };
    let one = |source: &crate::model::estate::Source| {
        let answer = match &source.kind {
            SourceKind::Prometheus { .. } => {
                Answer::Prometheus(Arc::new(PrometheusAnswer { panels: panels(&source.name), ..PrometheusAnswer::default() }))
            }
            SourceKind::Alertmanager { dead_man, .. } => Answer::Alertmanager(Arc::new(AlertmanagerAnswer {
                alerts: vec![
                    alert(&[("alertname", "Slow"), ("severity", "warning"), ("job", "web"), ("region", "ams")]),
                    alert(&[("alertname", "Watchdog"), ("severity", "critical"), ("job", "web")]),
                ],
                dead_man: dead_man.clone().map(|labels| DeadMan { firing: labels.get("alertname") == Some("Watchdog"), labels }),
                ..AlertmanagerAnswer::default()
            })),
            SourceKind::Exposition { .. } => {
                Answer::Exposition(Arc::new(ExpositionAnswer { panels: panels(&source.name), ..ExpositionAnswer::default() }))
            }
            SourceKind::Database(database) => Answer::Database(Arc::new(DatabaseAnswer {
                nodes: database
                    .nodes
                    .iter()
                    .map(|at| Node { name: at.name.clone(), said: Some(Said::default()), ..Node::default() })
                    .collect(),
                last_primary: None,
            })),
            SourceKind::Backup(_) => Answer::Backup(Arc::new(kept())),
            SourceKind::History(_) => {
                let service = source.service.as_deref().unwrap_or_default();
                let one = Deployment { site: source.site.clone(), ..Deployment::new(service, now(), Dated::Record, &source.name) };
                Answer::History(Arc::new(HistoryAnswer { deployments: vec![Arc::new(one)], ..HistoryAnswer::default() }))
            }
            SourceKind::Probe { .. } => {
                Answer::Probe(Arc::new(ProbeAnswer { up: true, panels: panels(&source.name), ..ProbeAnswer::default() }))
            }
        };
        let mut reading = Reading::never(source.every);
        reading.take(Outcome::Value { value: answer, as_of: now() - SignedDuration::from_secs(40) }, None);
        reading
    };
    estate.sources.iter().map(one).collect()
}

/// All that a person is told of this file: what `qd check` finds, or the status and every screen.
fn shown(path: &Path, text: &str, look: &Look, keymap: &Arc<Keymap>) -> String {
    let estate = match estate_from(path, text) {
        Ok(estate) => Arc::new(estate),
        Err(problems) => return problems.iter().map(|p| format!("{p}\n")).collect(),
    };
    let readings = readings(&estate);
    let mut out = status::told(&estate, &readings, now());
    let mut state = State::new(Arc::clone(&estate), identity(None), look.clone(), Arc::clone(keymap), now(), (120, 100));
    state.see(readings);
    pane::refresh(&mut state);
    let mut draw = |state: &State| snapshot::print(&snapshot::frame(state).unwrap(), false, &mut out).unwrap();
    for pane in Pane::ALL {
        state.pane = pane;
        merge_now(&mut state);
        draw(&state);
    }
    let mut layers: Vec<Layer> =
        state.view.alerts.iter().map(|alert| Layer::Alert { alert: alert.clone(), spot: Spot::default() }).collect();
    layers.extend(estate.services.iter().map(|s| Layer::Service { name: s.name.clone(), spot: Spot::default() }));
    layers.extend((0..estate.sources.len()).map(|index| Layer::Source { index, spot: Spot::default() }));
    layers.extend(estate.panels.iter().map(|p| Layer::Chart { panel: p.name.clone(), cursor: None }));
    for layer in layers {
        state.layers = vec![layer];
        draw(&state);
    }
    // The estate's own clock is one key away.
    state.layers.clear();
    state.pane = Pane::Overview;
    state.look.zone = crate::model::preferences::ZoneChoice::Estate;
    draw(&state);
    String::from_utf8(out).unwrap()
}

#[test]
fn every_key_of_the_estate_file_changes_what_a_person_sees() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("estate.toml");
    std::fs::write(folder.path().join("prometheus-http.yml"), "").unwrap();
    let global = Global::default();
    let settings = Settings::new(&global, Outside { env: &|_| None, terminal: false });
    let preferences = settings.preferences().unwrap();
    let (look, keymap) = (settings.look(&preferences, false).unwrap(), Arc::new(settings.keymap(&preferences).unwrap()));
    let shown = |text: &str| shown(&path, text, &look, &keymap);
    let first = shown(WHOLE);
    assert_eq!(first, shown(WHOLE), "two looks at the same differ");
    let mut unseen = Vec::new();
    for (table, key, one, other) in KEYS {
        if shown(&WHOLE.replacen(one, other, 1)) == first {
            unseen.push((table, key));
        }
    }
    assert!(unseen.is_empty(), "these keys change nothing that is shown: {unseen:?}");
}
