//! A small estate in trouble, for the tests of all screens, and what a drawn screen looks like as text.

pub mod backups;
pub mod charts;
pub mod databases;
mod deeds;
pub mod deployments;
pub mod findings;
pub mod keys;
mod logs;
mod nav;
pub mod runs;
pub mod silences;
mod themes;
pub mod timeline;
pub mod whole;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use crate::app::layer::{Pane, Spot};
use crate::app::pane;
use crate::app::state::{Identity, Look, State};
use crate::model::alert::tests::alert;
use crate::model::alert::{Alert, AlertState};
use crate::model::change::Change;
use crate::model::estate::{Estate, Role, Service, Severity, Site, Source, SourceKind};
use crate::model::label::Labels;
use crate::model::metric::{PanelAnswer, Plot, Sample, Series};
use crate::model::panel::{Ask, Panel, Unit};
use crate::model::preferences::{Color, Style, Theme, Token, ZoneChoice};
use crate::model::reading::{FailureKind, Outcome, Reading};
use crate::model::silence::{Silence, SilenceMatcher, SilenceState};
use crate::model::source::{AlertmanagerAnswer, Answer, DownTarget, Peer, PrometheusAnswer, Rules, Targets};

/// 2026-11-21 06:12:30 UTC.
pub const NOW: i64 = 1_795_241_550;

pub fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(NOW + secs).unwrap()
}

fn secs(n: i64) -> SignedDuration {
    SignedDuration::from_secs(n)
}

pub fn source(name: &str, kind: SourceKind) -> Source {
    Source { name: name.into(), every: secs(15), timeout: secs(10), http_config: None, service: None, site: None, kind }
}

pub fn prometheus(name: &str) -> Source {
    source(name, SourceKind::Prometheus { url: format!("http://{name}:9090") })
}

pub fn alertmanager(name: &str) -> Source {
    source(name, SourceKind::Alertmanager { urls: vec![format!("http://{name}-1:9093"), format!("http://{name}-2:9093")], dead_man: None })
}

fn panel(name: &str, service: &str, source: &str, unit: Unit, warn: Option<f64>, critical: Option<f64>) -> Panel {
    Panel {
        name: name.into(),
        service: Some(service.into()),
        source: source.into(),
        site: None,
        ask: Ask::Promql(format!("sum(rate({}[$window]))", name.replace(' ', "_"))),
        unit,
        warn,
        critical,
    }
}

pub fn estate(sources: Vec<Source>, panels: Vec<Panel>) -> Estate {
    let site = |name: &str, role| Site { name: name.into(), role, labels: Labels::new([("site", name)]) };
    let service = |name: &str, sites: &[&str], depends_on: &[&str]| Service {
        name: name.into(),
        sites: sites.iter().map(|s| (*s).to_owned()).collect(),
        depends_on: depends_on.iter().map(|s| (*s).to_owned()).collect(),
        hosts: vec![],
        labels: Labels::new([("service", name)]),
        runbook: Some(format!("runbooks/{name}.md")),
        start: Some(["systemctl", "--host", "$site.example.org", "start", name].map(str::to_owned).to_vec()),
        stop: None,
        restart: None,
        health: None,
        rollback: Default::default(),
        logs: None,
    };
    Estate {
        path: "estate.toml".into(),
        name: "shop".into(),
        environment: "production".into(),
        zone: None,
        note: None,
        sites: vec![site("fra1", Role::Primary), site("ams3", Role::Standby)],
        services: vec![
            service("checkout", &["fra1", "ams3"], &["ledger"]),
            service("ledger", &["fra1", "ams3"], &[]),
            service("search", &["fra1"], &["ledger"]),
        ],
        sources,
        panels,
        rules: vec![],
        objectives: vec![],
        hosts: vec![],
        calendar: Default::default(),
    }
}

fn plot(points: Vec<Option<f64>>, extra: usize, dropped: usize) -> Plot {
    let len = points.len();
    let start = at(-60 * (len as i64 - 1) - 30);
    let mut series = vec![Series { labels: Labels::new([("instance", "web-1")]), points }];
    for n in 0..extra {
        let points = (0..len).map(|i| Some(((i + n * 7) % 13) as f64 / 200.0)).collect();
        series.push(Series { labels: Labels::new([("instance", format!("web-{}", n + 2))]), points });
    }
    Plot { start, step: 60, len, series, dropped, histograms: 0 }
}

fn answered(now: f64, plot: Option<Plot>) -> PanelAnswer {
    PanelAnswer { now: vec![Sample { labels: Labels::default(), value: now }], plot, ..PanelAnswer::default() }
}

fn panels() -> BTreeMap<String, PanelAnswer> {
    let rising = (0..60).map(|i| Some(if i < 40 { 0.001 } else { 0.001 * (i - 39) as f64 })).collect();
    let mut holes: Vec<Option<f64>> = (0..60).map(|i| Some(f64::from(i % 10) * 10.0)).collect();
    holes[10..20].fill(None);
    holes[25..32].fill(Some(f64::NAN));
    holes[40..50].fill(Some(0.0));
    let mut errors = answered(0.021, Some(plot(rising, 8, 49_991)));
    errors.notes.push("PromQL info: metric might not be a counter".into());
    let failed = PanelAnswer { error: Some("parse error: unexpected end of input in aggregation".into()), ..PanelAnswer::default() };
    BTreeMap::from([
        ("checkout errors".to_owned(), errors),
        ("queue".to_owned(), answered(90.0, Some(plot(holes, 0, 0)))),
        ("latency".to_owned(), answered(0.34, Some(plot(vec![Some(0.3); 60], 0, 0)))),
        ("broken".to_owned(), failed),
    ])
}

fn alerts() -> Vec<Arc<Alert>> {
    let mut burn = alert(
        &[("alertname", "ErrorBudgetBurn"), ("service", "checkout"), ("severity", "critical"), ("site", "fra1")],
        AlertState::Firing,
        NOW - 2_900,
    );
    let of = Arc::make_mut(&mut burn);
    of.annotations = Labels::new([
        ("summary", "checkout answers 2.1% of requests with 5xx, fifteen times what the budget allows"),
        ("runbook_url", "https://runbooks.example.org/checkout/burn"),
        ("description", &"A long text about what burns and why it matters to those who pay. ".repeat(4)),
    ]);
    of.receivers = vec!["pager".into(), "chat".into()];
    of.generator_url = Some("http://prom-a:9090/graph?g0.expr=burn".into());
    let mut slow = alert(
        &[("alertname", "SlowQueries"), ("service", "ledger"), ("severity", "warning"), ("site", "ams3")],
        AlertState::Silenced,
        NOW - 90_000,
    );
    let of = Arc::make_mut(&mut slow);
    of.annotations = Labels::new([("summary", "queries take 3 s at the 99th percentile")]);
    of.silenced_by = vec!["4f1c".into(), "gone".into()];
    let mut lag = alert(
        &[("alertname", "ReplicaLag"), ("service", "ledger"), ("severity", "warning"), ("site", "ams3")],
        AlertState::Inhibited,
        NOW - 400,
    );
    let of = Arc::make_mut(&mut lag);
    of.annotations = Labels::new([("summary", "日本語 replica is behind")]);
    of.inhibited_by = vec![burn.fingerprint.clone()];
    let disk =
        alert(&[("alertname", "DiskFull"), ("service", "search"), ("severity", "warning"), ("site", "fra1")], AlertState::Firing, NOW - 30);
    vec![burn, slow, lag, disk]
}

pub fn alertmanager_answer(alerts: Vec<Arc<Alert>>) -> AlertmanagerAnswer {
    let peer = |n: u8| Peer {
        url: format!("http://am-{n}:9093"),
        version: Some("0.31.0".into()),
        cluster: Some("ready".into()),
        error: None,
        as_of: Some(at(-4)),
        clock_ahead: Some(0),
    };
    let silence = Silence {
        id: "4f1c".into(),
        state: SilenceState::Active,
        matchers: vec![SilenceMatcher { name: "alertname".into(), value: "Slow.*".into(), is_regex: true, is_equal: true }],
        starts_at: at(-7_200),
        ends_at: at(780),
        created_by: "mk".into(),
        comment: "index rebuild, ticket 4711".into(),
        seen_by: vec![0, 1],
    };
    AlertmanagerAnswer {
        peers: vec![peer(1), peer(2)],
        alerts,
        silences: vec![silence],
        receivers: vec!["pager".into(), "chat".into()],
        ..AlertmanagerAnswer::default()
    }
}

pub fn prometheus_answer() -> PrometheusAnswer {
    PrometheusAnswer {
        version: Some("3.8.0".into()),
        rules: Some(Rules { alerting: 40, recording: 12, failing: vec!["slo/burn: many-to-many matching not allowed".into()] }),
        targets: Some(Targets {
            up: 41,
            down: vec![DownTarget { labels: Labels::new([("instance", "web-9:9100")]), error: "connection refused".into() }],
            down_count: 1,
            scrape: Some(secs(15)),
        }),
        notes: vec!["status/tsdb: 404 Not Found".into()],
        clock_ahead: Some(0),
        ..PrometheusAnswer::default()
    }
}

pub fn value(value: Answer, as_of: i64) -> Outcome<Answer> {
    Outcome::Value { value, as_of: at(as_of) }
}

/// A theme with a colour for every state.
pub fn dark() -> Theme {
    let plain = Style::default();
    let fg = |n| Style { fg: Some(Color::Ansi(n)), ..plain };
    let mut styles = BTreeMap::from([
        (Token::Dim, Style { dim: true, ..plain }),
        (Token::Title, Style { bold: true, ..plain }),
        (Token::Environment, Style { bg: Some(Color::Ansi(1)), bold: true, reverse: true, ..plain }),
        (Token::Selected, Style { reverse: true, ..plain }),
        (Token::Critical, Style { bold: true, ..fg(9) }),
        (Token::Warning, fg(11)),
        (Token::Unknown, fg(13)),
        (Token::Muted, fg(12)),
        (Token::Key, fg(14)),
        (Token::Input, Style { underline: true, ..plain }),
        (Token::Threshold, fg(3)),
        (Token::Cursor, Style { reverse: true, ..plain }),
    ]);
    styles.extend((1..=6).map(|n| (Token::Series(n), fg(n))));
    Theme { name: "dark".into(), ground: Default::default(), styles }
}

/// A console over these sources with these readings.
pub fn console(estate: Estate, readings: Vec<Reading<Answer>>, size: (u16, u16)) -> State {
    let look = Look {
        themes: vec![dark()],
        theme: 0,
        offers: Default::default(),
        ascii: false,
        zone: ZoneChoice::Utc,
        local: jiff::tz::TimeZone::UTC,
    };
    let identity = Identity { host: "jump-2".into(), user: "mk".into(), estate: None };
    let mut state = State::new(Arc::new(estate), identity, look, Arc::new(keys::keymap()), at(0), size);
    state.see(readings);
    state.changes.push_front(Change { at: at(-30), severity: Severity::Warning, what: "DiskFull began".into(), alert: None, source: None });
    state.changes.push_back(Change { at: at(-600), severity: Severity::Ok, what: "NodeDown ended".into(), alert: None, source: None });
    pane::refresh(&mut state);
    state
}

/// The estate in trouble: an unreachable source, a silenced and an inhibited alert, panels with gap, NaN and zero.
pub fn trouble(size: (u16, u16)) -> State {
    let sources = vec![alertmanager("am"), prometheus("prom-a"), prometheus("prom-b")];
    let mut all = vec![
        panel("checkout errors", "checkout", "prom-a", Unit::Ratio, Some(0.005), Some(0.01)),
        panel("latency", "checkout", "prom-a", Unit::Seconds, Some(0.5), Some(1.0)),
        panel("queue", "ledger", "prom-a", Unit::Count, None, None),
        panel("replica lag", "ledger", "prom-b", Unit::Seconds, Some(5.0), Some(30.0)),
        panel("broken", "search", "prom-a", Unit::Count, None, None),
    ];
    all[3].site = Some("ams3".into());
    let mut readings: Vec<Reading<Answer>> = sources.iter().map(|s| Reading::never(s.every)).collect();
    readings[0].take(value(Answer::Alertmanager(Arc::new(alertmanager_answer(alerts()))), -4), Some(at(11)));
    let a = PrometheusAnswer { panels: panels(), ..prometheus_answer() };
    readings[1].take(value(Answer::Prometheus(Arc::new(a)), -9), Some(at(6)));
    let lag = answered(0.4, Some(Plot { start: at(-3_600), ..plot(vec![Some(0.4); 40], 0, 0) }));
    let b = PrometheusAnswer { panels: BTreeMap::from([("replica lag".to_owned(), lag)]), ..prometheus_answer() };
    readings[2].take(value(Answer::Prometheus(Arc::new(b)), -1_200), None);
    let what = "GET http://prom-b:9090/api/v1/query: connection refused".to_owned();
    readings[2].take(Outcome::Failed { kind: FailureKind::Unreachable, what, at: at(-1_100) }, Some(at(25)));
    if let Some(failure) = &mut readings[2].failure {
        failure.tries = 12;
    }
    console(estate(sources, all), readings, size)
}

/// A try that failed.
pub fn failed(what: &str, secs: i64) -> Outcome<Answer> {
    Outcome::Failed { kind: FailureKind::Unreachable, what: what.into(), at: at(secs) }
}

/// The first alert of that name.
pub fn alert_of(state: &State, name: &str) -> Arc<Alert> {
    state.view.alerts.iter().find(|a| a.name() == name).unwrap().clone()
}

/// The screens that have a snapshot each.
pub fn shown(screen: &str, size: (u16, u16)) -> State {
    use crate::app::layer::Layer;
    if screen.starts_with("backup") {
        return backups::shown(screen, size);
    }
    if screen.starts_with("finding") || screen == "page estate" {
        return findings::shown(screen, size);
    }
    if screen.starts_with("operations") || screen.starts_with("run ") {
        return runs::shown(screen, size);
    }
    if screen.starts_with("chart ") {
        return charts::shown(screen, size);
    }
    if screen.starts_with("logs") {
        return logs::shown(screen, size);
    }
    if screen == "databases" {
        return databases::shown(size);
    }
    if screen.starts_with("did") {
        return deeds::shown(screen, size);
    }
    if screen == "whole overview" {
        return whole::shown(size);
    }
    if screen.starts_with("silences") {
        return silences::shown(screen, size);
    }
    if screen.starts_with("timeline") {
        return timeline::shown(screen, size);
    }
    if screen.starts_with("deploy") {
        return deployments::shown(screen, size);
    }
    if let Some(state) = nav::shown(screen, size) {
        return state;
    }
    let mut state = trouble(size);
    match screen {
        "alerts" => state.pane = Pane::Alerts,
        "metrics" => state.pane = Pane::Metrics,
        "chart" => {
            state.pane = Pane::Metrics;
            state.layers.push(Layer::Chart { panel: "checkout errors".into(), cursor: Some(at(-600)) });
        }
        "alert" => {
            let alert = alert_of(&state, "SlowQueries");
            state.layers.push(Layer::Alert { alert, spot: Spot::default() });
        }
        "themes" | "themes broken" => state = themes::shown(state, screen),
        "help" => state.layers.push(Layer::Help { scroll: 0, search: Default::default() }),
        "service" => state.layers.push(Layer::Service { name: "checkout".into(), spot: Spot::default() }),
        _ => {}
    }
    pane::refresh(&mut state);
    state
}

/// The buffer that the state is drawn to.
pub fn buffer(state: &State, size: (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    terminal.draw(|frame| super::draw(state, frame)).unwrap();
    terminal.backend().buffer().clone()
}

/// The same before it is told to a terminal, whose own cells behind a character that takes two nobody is told of.
pub fn frame(state: &State, size: (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    terminal.draw(|frame| super::draw(state, frame)).unwrap().buffer.clone()
}

/// Holds that the screen is pure ASCII where that is asked for, and that every glyph has a twin there: what is no ASCII
/// otherwise never becomes the `?` of a character that nobody knows. Letters are outside text, which has no twins.
pub fn twins(mut state: State, size: (u16, u16), screen: &str) {
    state.look.ascii = false;
    let drawn = buffer(&state, size);
    state.look.ascii = true;
    let ascii = buffer(&state, size);
    for (glyph, twin) in drawn.content().iter().zip(ascii.content()) {
        assert!(twin.symbol().is_ascii(), "{screen} {size:?}: {:?}", twin.symbol());
        let is_text = glyph.symbol().chars().all(|c| c.is_ascii() || c.is_alphanumeric());
        let has_twin = is_text || !matches!(twin.symbol(), "?" | "");
        assert!(has_twin, "{screen} {size:?}: {:?} has no twin", glyph.symbol());
    }
}

/// Its text, a line per row without trailing blanks.
pub fn text(buffer: &Buffer) -> Vec<String> {
    use unicode_width::UnicodeWidthStr;
    let area = buffer.area;
    (0..area.height)
        .map(|y| {
            let (mut line, mut x) = (String::new(), 0);
            while x < area.width {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += (symbol.width() as u16).max(1);
            }
            line.trim_end().to_owned()
        })
        .collect()
}

/// The runs of cells that are not drawn plainly: row, columns, style, text.
pub fn styles(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    let mut out = Vec::new();
    for y in 0..area.height {
        let mut x = 0;
        while x < area.width {
            let (from, style) = (x, buffer[(x, y)].style());
            let mut run = String::new();
            while x < area.width && buffer[(x, y)].style() == style {
                run.push_str(buffer[(x, y)].symbol());
                x += 1;
            }
            let plain = [style.fg, style.bg].iter().all(|c| matches!(c, None | Some(ratatui::style::Color::Reset)));
            if !plain || !style.add_modifier.is_empty() {
                let bg = style.bg.filter(|c| *c != ratatui::style::Color::Reset).map_or(String::new(), |c| format!(" on {c}"));
                let fg = style.fg.map_or(String::new(), |c| c.to_string());
                out.push(format!("{y:>2} {from:>3}..{x:<3} {fg}{bg} {:?} {:?}", style.add_modifier, run.trim_end()));
            }
        }
    }
    out
}
