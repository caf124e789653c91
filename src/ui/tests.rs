//! All screens as text, at both sizes, with and without colours and in ASCII; and that no size and no answer breaks one.

use std::sync::Arc;

use super::fixture::*;
use crate::app::action::Action;
use crate::app::layer::{Layer, Pane, Spot};
use crate::app::page;
use crate::app::palette::{Goal, Item, Palette};
use crate::app::state::{Frozen, OverviewRow, State};
use crate::model::alert::AlertState;
use crate::model::estate::{Severity, Source, SourceKind};
use crate::model::finding;
use crate::model::label::Labels;
use crate::model::panel::{Panel, Rule, Unit, When};
use crate::model::reading::{FailureKind, Held, Outcome, Reading};
use crate::model::source::{Answer, HistoryAnswer, PrometheusAnswer};
use crate::model::text::clean;

const SIZES: [(u16, u16); 2] = [(80, 24), (160, 50)];
pub(super) const SCREENS: [&str; 85] = [
    "silences",
    "logs",
    "logs one",
    "logs host",
    "logs reading",
    "logs searched",
    "logs hits",
    "logs whole",
    "logs alert",
    "logs waiting",
    "logs empty",
    "logs nowhere",
    "logs unreachable",
    "logs refused",
    "logs many",
    "chart prompt",
    "chart typed",
    "chart text",
    "chart export",
    "chart compared",
    "chart over",
    "chart loading",
    "chart help",
    "operations empty",
    "operations running",
    "operations asking",
    "operations orphaned",
    "operations past",
    "operations overview",
    "run running",
    "run asking",
    "run orphaned",
    "run paused",
    "run ended",
    "run journal",
    "run report",
    "run abort form",
    "run retry form",
    "whole overview",
    "timeline",
    "timeline all",
    "timeline alert",
    "backup_verify",
    "backup_verified",
    "deployed metrics",
    "did",
    "did list",
    "did compared",
    "did measured",
    "backups",
    "backup",
    "backup log",
    "databases",
    "deployments",
    "deployments loading",
    "deployments none",
    "deployments counting",
    "deployments oldest",
    "deployments shared",
    "deployments export",
    "deployments help",
    "deployment",
    "deployed overview",
    "deployed service",
    "deployed chart",
    "overview",
    "alerts",
    "metrics",
    "chart",
    "alert",
    "service",
    "help",
    "help found",
    "menu alert",
    "menu service",
    "views",
    "views none",
    "view saved",
    "chord",
    "marked",
    "findings",
    "finding",
    "page estate",
    "themes",
    "themes broken",
];

#[test]
fn every_screen_in_colours() {
    for size in SIZES {
        for screen in SCREENS {
            let drawn = buffer(&shown(screen, size), size);
            let all = format!("{}\n---\n{}", text(&drawn).join("\n"), styles(&drawn).join("\n"));
            insta::assert_snapshot!(format!("{}_{}_dark", screen.replace(' ', "_"), size.0), all);
        }
    }
}

#[test]
fn the_overview_on_the_widest_screen() {
    let size = (200, 60);
    let mut state = shown("whole overview", size);
    let drawn = buffer(&state, size);
    insta::assert_snapshot!("whole_overview_200_dark", text(&drawn).join("\n"));
    // The middle follows the selection.
    let row = state.overview_rows.iter().position(|row| *row == OverviewRow::Service(0)).unwrap();
    state.touched = true;
    let selected = state.overview_rows.len();
    crate::app::overview::step(&mut state, crate::app::action::Action::Down, row.min(selected) as isize);
    crate::app::focus::renew(&mut state);
    crate::app::timeline::merge_now(&mut state);
    state.look.ascii = true;
    let drawn = buffer(&state, size);
    assert!(drawn.content().iter().all(|cell| cell.symbol().is_ascii()));
    insta::assert_snapshot!("whole_overview_200_ascii", text(&drawn).join("\n"));
}

#[test]
fn every_screen_without_colours_and_in_ascii() {
    for size in SIZES {
        for screen in SCREENS {
            let mut state = shown(screen, size);
            let coloured = text(&buffer(&state, size));
            state.look.themes = vec![dark().without_colour()];
            let drawn = buffer(&state, size);
            assert_eq!(text(&drawn), coloured, "the words do not depend on colours");
            let cells = drawn.content().iter();
            assert!(cells.clone().all(|c| c.fg == ratatui::style::Color::Reset && c.bg == ratatui::style::Color::Reset), "{screen}");
            insta::assert_snapshot!(format!("{}_{}_plain", screen.replace(' ', "_"), size.0), styles(&drawn).join("\n"));
            state.look.ascii = true;
            let drawn = buffer(&state, size);
            for cell in drawn.content() {
                assert!(cell.symbol().is_ascii(), "{screen}: {:?}", cell.symbol());
            }
            insta::assert_snapshot!(format!("{}_{}_ascii", screen.replace(' ', "_"), size.0), text(&drawn).join("\n"));
        }
    }
}

#[test]
fn every_glyph_has_its_twin_on_every_screen_at_every_size() {
    for size in [(60, 16), (80, 24), (100, 30), (120, 40), (160, 50), (200, 60), (300, 100)] {
        for screen in SCREENS {
            twins(shown(screen, size), size, screen);
        }
    }
}

/// The planted break: a glyph that goes through as text is drawn as `?`, and that is found.
#[test]
#[should_panic(expected = "has no twin")]
fn a_glyph_without_a_twin_is_found() {
    let mut state = shown("overview", (80, 24));
    Arc::make_mut(&mut state.estate).name = "▲".into();
    twins(state, (80, 24), "overview");
}

/// The same with characters that take two cells wherever outside text stands; some of them are an emoji of two code points.
fn wide(mut state: State) -> State {
    const WIDE: &str = "\u{65e5}\u{672c}a\u{1f6a2}\u{26a0}\u{fe0f}\u{6d77}";
    let text = || Labels::new([("summary", WIDE.repeat(20))]);
    Arc::make_mut(&mut state.estate).name = WIDE.into();
    (state.identity.user, state.identity.host) = (WIDE.into(), WIDE.into());
    for alert in &mut Arc::make_mut(&mut state.view).alerts {
        Arc::make_mut(alert).annotations = text();
    }
    if let Some(Layer::Alert { alert, .. }) = state.layers.last_mut() {
        Arc::make_mut(alert).annotations = text();
    }
    state.changes.iter_mut().for_each(|change| change.what = WIDE.repeat(20));
    crate::app::pane::refresh(&mut state);
    state
}

/// A theme that has a ground of its own has it everywhere: no cell is left to the terminal's, which may be of any colour.
#[test]
fn a_ground_that_is_painted_covers_every_cell_of_every_screen() {
    use crate::model::preferences::{Color, Style, Token};
    use ratatui::style::Color as Colour;
    use unicode_width::UnicodeWidthStr;
    let mut theme = dark();
    let text = Style { fg: Some(Color::Indexed(231)), bg: Some(Color::Indexed(16)), ..Style::default() };
    theme.styles.insert(Token::Text, text);
    for size in [(40, 10), (60, 16), (80, 24), (160, 50)] {
        for screen in SCREENS {
            let mut state = wide(shown(screen, size));
            state.look.themes = vec![theme.clone()];
            let drawn = frame(&state, size);
            let is_wide = |x: u16, y: u16| drawn[(x, y)].symbol().width() > 1;
            let all = || (0..size.1).flat_map(|y| (0..size.0).map(move |x| (x, y)));
            assert!(size.0 < 60 || all().any(|(x, y)| is_wide(x, y)), "{screen} {size:?}: there is something to cover");
            for (x, y) in all() {
                let cell = &drawn[(x, y)];
                assert_ne!(cell.bg, Colour::Reset, "{screen} {size:?}: column {x} of line {y}, {:?}", cell.symbol());
                if is_wide(x, y) {
                    let second = &drawn[(x + 1, y)];
                    assert_eq!((second.symbol(), second.bg), (" ", cell.bg), "{screen} {size:?}: {x} {y}");
                }
            }
        }
    }
}

fn layers(state: &State) -> Vec<Vec<Layer>> {
    let mut alerts = state.view.alerts.clone();
    let mut ended = (*alerts[0]).clone();
    ended.id = crate::model::alert::AlertId("am/ended".into());
    alerts.push(Arc::new(ended));
    let items: Vec<Item> =
        (0..40).map(|n| Item { text: format!("alert 日本語 {n}"), note: "enter".into(), goal: Goal::Pane(Pane::Alerts) }).collect();
    let palette = Palette { typed: "x".repeat(200), items, found: (0..40).collect(), count: 40, selected: 39 };
    let mut all: Vec<Vec<Layer>> =
        vec![vec![], vec![Layer::Filter], vec![Layer::Palette(palette)], vec![Layer::Palette(Palette::default())]];
    all.extend(alerts.into_iter().map(|alert| vec![Layer::Alert { alert, spot: Spot { scroll: 3, selected: None } }]));
    for name in ["checkout", "ledger", "gone"] {
        all.push(vec![Layer::Service { name: name.into(), spot: Spot { scroll: 1_000_000, selected: None } }]);
    }
    for index in 0..4 {
        all.push(vec![Layer::Source { index, spot: Spot::default() }]);
    }
    for panel in ["checkout errors", "queue", "replica lag", "broken", "gone"] {
        for cursor in [None, Some(at(-1_500)), Some(jiff::Timestamp::MAX), Some(jiff::Timestamp::MIN)] {
            all.push(vec![Layer::Chart { panel: panel.into(), cursor }, Layer::Help { scroll: usize::MAX, search: Default::default() }]);
            all.push(vec![Layer::Chart { panel: panel.into(), cursor }]);
        }
    }
    all
}

#[test]
fn nothing_panics_at_any_size_and_ascii_is_ascii() {
    let mut sizes = vec![(80, 24), (160, 50), (300, 100), (60, 16), (61, 17), (300, 16), (60, 100), (119, 31)];
    sizes.extend((1..=100).step_by(7).map(|n| (n * 3, n)));
    sizes.extend([(1, 1), (1, 100), (300, 1), (59, 16), (60, 15), (13, 2)]);
    let panes = Pane::ALL.len();
    for (turn, size) in sizes.into_iter().enumerate() {
        let mut state = trouble(size);
        state.read_only = true;
        state.alerts.typed = "日本".repeat(60);
        state.alerts.error = Some("no such field".into());
        state.frozen = Some(Frozen { at: at(-300), readings: state.readings.clone(), view: state.view.clone() });
        for ascii in [false, true] {
            state.look.ascii = ascii;
            for (n, layers) in layers(&state).into_iter().enumerate() {
                // Each pane at each size; what lies over one lies over each of them at some sizes. All of it would take minutes.
                let bare = matches!(layers[..], [] | [Layer::Filter]);
                let meant = |at: usize| bare || at == (n + turn + usize::from(ascii)) % panes;
                state.layers = layers;
                for (_, pane) in Pane::ALL.into_iter().enumerate().filter(|(at, _)| meant(*at)) {
                    state.pane = pane;
                    let drawn = buffer(&state, size);
                    assert!(!ascii || drawn.content().iter().all(|c| c.symbol().is_ascii()));
                }
            }
        }
    }
}

#[test]
fn places_that_are_out_of_date_draw_nothing_and_break_nothing() {
    let mut state = trouble((80, 24));
    state.overview_rows =
        vec![OverviewRow::Need(99), OverviewRow::Service(99), OverviewRow::Source(99), OverviewRow::Change(99), OverviewRow::Deployment(9)];
    state.deployments.list.row = 500;
    state.metric_rows = vec![99, 0];
    state.metrics.list.row = 500;
    state.metrics.list.offset = 500;
    state.overview.list.offset = 900;
    for pane in Pane::ALL {
        state.pane = pane;
        buffer(&state, (80, 24));
    }
}

#[test]
fn a_screen_that_is_too_small_says_so_in_one_line() {
    let lines = text(&buffer(&trouble((50, 10)), (50, 10)));
    assert_eq!(lines[0], "50x10 is too small: at least 60x16");
    assert!(lines[1..].iter().all(String::is_empty));
}

#[test]
fn the_first_line_says_where_who_when_and_what_is_special() {
    let mut state = trouble((80, 24));
    state.read_only = true;
    state.frozen = Some(Frozen { at: at(-300), readings: state.readings.clone(), view: state.view.clone() });
    let lines = text(&buffer(&state, (80, 24)));
    for part in ["PRODUCTION", "shop", "mk@jump", "[READ ONLY]", "[FROZEN since 06:07Z]", "2026-11-21 06:12Z"] {
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
    assert!(lines[1].contains("1 unreachable (prom-b)"), "{}", lines[1]);
    assert!(!text(&buffer(&trouble((80, 24)), (80, 24)))[0].contains("FROZEN"));
}

#[test]
fn the_filter_being_typed_replaces_the_footer() {
    let mut state = trouble((80, 24));
    state.pane = Pane::Alerts;
    state.alerts.typed = "severity:(".into();
    state.alerts.error = Some("unclosed group".into());
    state.layers = vec![Layer::Filter];
    assert_eq!(text(&buffer(&state, (80, 24)))[23], "/severity:(_  unclosed group");
}

#[test]
fn broken_glass_is_red_in_the_list_and_on_its_page_until_it_is_reviewed() {
    use crate::app::operations::mark;
    use crate::model::preferences::Token;
    for size in SIZES {
        let list = shown("operations glass", size);
        let told = text(&buffer(&list, size)).join("\n");
        assert!(told.contains("X done") && told.contains("glass broken: review"), "{told}");
        assert_eq!([0, 1].map(|place: usize| mark(&list.runs.all[place]).2), [Token::Critical, Token::Text]);
        // Lines are broken where they are full.
        let told = text(&buffer(&shown("run glass", size), size)).join(" ");
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in ["X done", "the glass was broken (the shop takes no orders)", "qd review web-"] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}

#[test]
fn a_moved_selection_changes_few_cells() {
    for pane in Pane::ALL {
        // Where there is no database, no backup and no history, there is no row either.
        let mut state = match pane {
            Pane::Databases => databases::shown((80, 24)),
            Pane::Backups => backups::kept((80, 24)),
            Pane::Operations => runs::shown("operations running", (80, 24)),
            Pane::Timeline => timeline::shown("timeline", (80, 24)),
            _ => deployments::deployed((80, 24)),
        };
        state.pane = pane;
        let before = buffer(&state, (80, 24));
        state.databases.list.row += 1;
        state.overview.list.row += 1;
        state.alerts.list.row += 1;
        state.metrics.list.row += 1;
        state.backups.list.row += 1;
        state.deployments.list.row += 1;
        state.operations.list.row += 2;
        state.timeline.list.list.row += 1;
        let changed = before.diff(&buffer(&state, (80, 24))).len();
        // What is said of the selected backup stands below the list.
        let most = if pane == Pane::Backups { 400 } else { 90 };
        assert!((2..=most).contains(&changed), "{}: {changed} cells", pane.name());
    }
}

#[test]
fn a_key_leads_to_the_databases_and_a_node_to_its_database() {
    use crate::app::message::Message;
    use crate::app::update::update;
    let mut state = databases::shown((80, 24));
    state.pane = Pane::Overview;
    let mut press = |keys: &str| {
        for key in keys.split(' ') {
            update(&mut state, Message::Key(key.parse().unwrap()));
        }
        (state.pane, state.layers.last().cloned(), state.databases.list.selected.clone(), state.database_rows.len())
    };
    let (pane, _, selected, rows) = press("6");
    assert_eq!((pane, selected.unwrap().1.as_str(), rows), (Pane::Databases, "db1.main.example:5432", 12));
    let (_, layer, selected, _) = press("j j j enter");
    assert_eq!(selected.unwrap(), ("one".to_owned(), "db1.one.example:5432".to_owned()), "a head is passed over");
    assert!(matches!(layer, Some(Layer::Source { index: 1, .. })), "{layer:?}");
    let (_, _, selected, rows) = press("esc / r o l e : s t a n d b y enter");
    assert_eq!((selected.unwrap().1.as_str(), rows), ("db3.main.example:5432", 4), "two standbys under their heads");
}

#[test]
fn a_node_opens_at_its_own_lines_with_what_is_wrong_with_it_first() {
    use crate::app::message::Message;
    use crate::app::update::update;
    for (size, name) in [((80, 24), "database_node_80"), ((160, 50), "database_node_160")] {
        let mut state = databases::shown(size);
        for key in ["j", "enter"] {
            update(&mut state, Message::Key(key.parse().unwrap()));
        }
        let drawn = text(&buffer(&state, size));
        if size.0 == 80 {
            assert_eq!(drawn[3], "NODE  db2.main.example:5432");
        }
        insta::assert_snapshot!(name, drawn.join("\n"));
    }
}

#[test]
fn what_is_not_fresh_is_never_drawn_as_live() {
    let mut state = trouble((160, 50));
    state.pane = Pane::Metrics;
    let all = text(&buffer(&state, (160, 50))).join("\n");
    assert!(all.contains("[400ms] ? 20m"), "{all}");
    assert!(all.contains("????"), "the stale tail");
    state.now = at(3_600);
    state.pane = Pane::Alerts;
    let all = text(&buffer(&state, (160, 50))).join("\n");
    assert!(all.contains("[firing] ?") && all.contains("X [2] ? critical"), "{all}");
}

#[test]
fn a_detail_tells_who_silenced_what_inhibits_and_that_it_ended() {
    let state = trouble((160, 50));
    let told = |name: &str| {
        let alert = state.view.alerts.iter().find(|a| a.name() == name).unwrap().clone();
        let (_, lines) = crate::app::page::lines(&state, &Layer::Alert { alert, spot: Spot::default() }, 160);
        lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let slow = told("SlowQueries");
    assert!(slow.contains("mk: index rebuild, ticket 4711") && slow.contains("(in 13m)") && slow.contains("silence gone"), "{slow}");
    assert!(told("ReplicaLag").contains("ErrorBudgetBurn: checkout answers"));
    assert!(told("ErrorBudgetBurn").contains("https://runbooks.example.org/checkout/burn"));
    let mut ended = (*state.view.alerts[0]).clone();
    ended.id = crate::model::alert::AlertId("am/ended".into());
    let (_, lines) = crate::app::page::lines(&state, &Layer::Alert { alert: Arc::new(ended), spot: Spot::default() }, 80);
    assert!(lines.iter().any(|l| l.to_string().contains("has ended")));
}

/// How a source can be.
const STATES: [&str; 7] = ["fresh", "stale", "unreachable", "refused", "never", "hostile", "many"];
const HOSTILE: &str = "\u{1b}]52;c;aGk=\u{7}\u{202e}evil\u{200b}\nline 日本語 \u{9b}31m";

fn reading(source: &Source, state: &str) -> Reading<Answer> {
    let mut reading = Reading::never(source.every);
    let count = if state == "many" { 10_000 } else { 3 };
    let name = if state == "hostile" { HOSTILE } else { "Down" };
    let cleaned = || clean(name, 100).into_owned();
    let alerts = || {
        let alert = |n: i64| {
            let labels = [("alertname", name), ("n", &n.to_string()), ("severity", "critical"), ("service", "checkout")];
            crate::model::alert::tests::alert(&labels, AlertState::Firing, NOW - n)
        };
        (0..count).map(alert).collect()
    };
    let answer = match source.kind {
        SourceKind::Prometheus { .. } => Answer::Prometheus(Arc::new(PrometheusAnswer { alerts: alerts(), ..prometheus_answer() })),
        SourceKind::Alertmanager { .. } => Answer::Alertmanager(Arc::new(alertmanager_answer(alerts()))),
        SourceKind::Exposition { .. } => {
            let series = (0..count).map(|n| (Labels::new([("path", name), ("n", &n.to_string())]), 0.5)).collect();
            Answer::Exposition(Arc::new(findings::exposition_answer(vec![cleaned()], series)))
        }
        SourceKind::Database(_) => {
            Answer::Database(Arc::new(databases::answer(&cleaned(), if matches!(state, "hostile" | "many") { count as usize } else { 1 })))
        }
        SourceKind::Backup(_) => Answer::Backup(Arc::new(backups::answer(count.min(2_000), &cleaned()))),
        SourceKind::History(_) => {
            let one = |n: usize| Arc::new(deployments::one(n as i64, &cleaned()));
            Answer::History(Arc::new(HistoryAnswer { deployments: (0..count as usize).map(one).collect(), ..HistoryAnswer::default() }))
        }
        SourceKind::Probe { .. } => {
            let why = matches!(state, "hostile" | "many").then(cleaned);
            Answer::Probe(Arc::new(findings::probe_answer(why, (0..count).map(|n| format!("{}-{n}", cleaned())).collect())))
        }
    };
    let failed = |kind| Outcome::Failed { kind, what: clean(&format!("no {HOSTILE}"), 100).into_owned(), at: at(-20) };
    match state {
        "never" => {}
        "stale" => reading.held = Some(Held { value: answer, as_of: at(-600), cached: true }),
        "unreachable" => reading.take(failed(FailureKind::Unreachable), Some(at(5))),
        "refused" => {
            reading.take(value(answer, -100), None);
            reading.take(failed(FailureKind::Refused), Some(at(5)));
        }
        _ => reading.take(value(answer, -3), Some(at(5))),
    }
    reading
}

/// A console over this source alone; a rule judges each of its series where it has any.
fn one(source: &Source, word: &str, size: (u16, u16)) -> State {
    let readings = vec![reading(source, word)];
    let is_page = matches!(source.kind, SourceKind::Exposition { .. });
    let panels = if is_page { vec![Panel { source: "one".into(), ..findings::panel("errors", Unit::Ratio) }] } else { vec![] };
    let mut estate = estate(vec![source.clone()], panels);
    if is_page {
        let rule = findings::rule("too many errors", "errors", When::Above(0.05), Severity::Critical);
        estate.rules.push(Rule { holds: jiff::SignedDuration::ZERO, ..rule });
    }
    console(estate, readings, size)
}

#[test]
fn a_page_and_a_probe_in_every_state() {
    for source in [
        findings::exposition("one"),
        findings::probe("one"),
        databases::source("one"),
        backups::directory("one", "checkout", "fra1"),
        deployments::history("one"),
    ] {
        let mut all = String::new();
        for word in STATES {
            let mut state = one(&source, word, (80, 24));
            state.layers.push(Layer::Source { index: 0, spot: Spot::default() });
            all += &format!("=== {word}\n{}\n", text(&buffer(&state, (80, 24))).join("\n"));
        }
        insta::assert_snapshot!(format!("source_{}_80", source.kind.word()), all);
    }
}

#[test]
fn a_storm_of_one_rule_is_one_need_and_a_list_to_scroll() {
    let mut state = one(&findings::exposition("one"), "many", (160, 50));
    assert_eq!(state.view.alerts.len(), 10_000);
    assert_eq!(state.view.needs.len(), 1);
    assert!(state.view.needs[0].what.starts_with("too many errors x10000: 50%, above 5%"), "{}", state.view.needs[0].what);
    state.pane = Pane::Alerts;
    assert!(text(&buffer(&state, (160, 50)))[10].contains("qd:one"));
}

#[test]
fn a_finding_tells_its_rule_and_no_field_that_only_a_server_fills() {
    let state = findings::found((160, 50));
    let told = |name: &str| {
        let (_, lines) = page::lines(&state, &Layer::Alert { alert: alert_of(&state, name), spot: Spot::default() }, 160);
        lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let rule = told("too many errors");
    for part in ["qd, by a rule of the estate file", "errors above 5%", "for            5m", "worst now      12%", "runbooks/checkout.md"] {
        assert!(rule.contains(part), "{part}: {rule}");
    }
    for name in ["too many errors", "probe fails", "certificate ends", "source unreachable"] {
        let text = told(name);
        assert!(!text.contains("receivers") && !text.contains("generator") && !text.contains("seen by"), "{text}");
    }
    assert!(!told("source unreachable").contains("not fresh"), "that a source is not read is live");
    assert!(told("probe fails").contains("qd, by itself"));
}

#[test]
fn a_moment_is_told_as_its_age() {
    let mut state = findings::found((160, 50));
    state.pane = Pane::Metrics;
    let all = text(&buffer(&state, (160, 50))).join("\n");
    assert!(all.contains("25m ago"), "{all}");
}

#[test]
fn every_source_in_every_state_says_its_state_and_leaves_no_cell_empty() {
    for source in [
        prometheus("one"),
        alertmanager("one"),
        findings::exposition("one"),
        findings::probe("one"),
        backups::directory("one", "checkout", "fra1"),
        deployments::history("one"),
    ] {
        for word in STATES {
            // Sources stand last, after up to fifty changes: a low screen has to be scrolled to them.
            for size in [(80, 100), (160, 100)] {
                let mut state = one(&source, word, size);
                let drawn = buffer(&state, size);
                let lines = text(&drawn);
                let told = if matches!(word, "hostile" | "many") { "fresh" } else { word };
                // On a wide screen the sources are in the right column, and what they say is on a second line.
                let left = if size.0 < 160 { 0 } else { 82 };
                let part = |y: usize, from: usize, to: usize| -> String {
                    let cells: String = (from..to).map(|x| drawn[((left + x) as u16, y as u16)].symbol()).collect();
                    cells.trim().to_owned()
                };
                let end = usize::from(size.0) - left;
                let head = (0..lines.len()).find(|y| part(*y, 0, 16) == "SOURCES").unwrap();
                let y = head + 1;
                assert!(part(y, 2, 16).contains(told), "{word}: {}", lines[y]);
                let said = if left == 0 { (y, 43, end - 7) } else { (y + 1, 18, end) };
                for (y, from, to) in [(y, 2, 15), (y, 16, 30), (y, 30, 42), said, (y, end - 6, end)] {
                    assert!(!part(y, from, to).is_empty(), "{word} {from}..{to}: {}", lines[y]);
                }
                let services = lines.iter().position(|l| l.starts_with("SERVICES")).unwrap();
                for line in &lines[services + 1..services + 4] {
                    let line: String = line.chars().take(if left == 0 { 80 } else { left }).collect();
                    assert!(line.split_whitespace().count() >= 5, "{word}: {line}");
                    let known = matches!(told, "fresh" | "refused" | "stale");
                    // One column has no room for the sites: that the source is not read is a warning of the service.
                    assert!(known || line.contains("? unknown") || line.contains("! warning"), "{word}: {line}");
                }
                for pane in Pane::ALL {
                    state.pane = pane;
                    let drawn = buffer(&state, size);
                    let clean = |c: char| !crate::model::text::is_hostile(c);
                    assert!(drawn.content().iter().all(|c| c.symbol().chars().all(clean)), "{word}");
                }
            }
        }
    }
}

/// Lines of a drawn screen that show a value or a state of these sources as if it were live: a word or number that only
/// stands bare while its source is fresh.
fn drawn_as_live(lines: &[String]) -> Vec<String> {
    let live = |line: &&String| {
        // The firing alerts, the panels' values and the counts of the fixture, without the mark `[..] ?`.
        let words =
            [" firing ", "X critical    ErrorBudgetBurn", "2.1% X critical", "340ms ok", " 1 critical ", "X 2 critical ", "  fresh  "];
        words.iter().any(|word| format!(" {line} ").contains(word))
    };
    lines.iter().filter(live).cloned().collect()
}

/// All screens on which values stand, drawn in that state.
fn screens_with_values(state: &State, size: (u16, u16)) -> Vec<(String, Vec<String>)> {
    let mut state = state.clone();
    // What qd finds of a source's own state is live however old the source's values are.
    Arc::make_mut(&mut state.view).alerts.retain(|alert| !finding::tells_of_source(alert));
    crate::app::pane::refresh(&mut state);
    let chart = Layer::Chart { panel: "checkout errors".into(), cursor: None };
    let alert = state.view.alerts.iter().find(|alert| alert.name() == "ErrorBudgetBurn").unwrap().clone();
    let details = [Layer::Alert { alert, spot: Spot::default() }, Layer::Service { name: "checkout".into(), spot: Spot::default() }, chart];
    let mut screens: Vec<(String, Pane, Vec<Layer>)> = Pane::ALL.map(|pane| (pane.name().to_owned(), pane, vec![])).into();
    screens.extend(details.into_iter().enumerate().map(|(n, layer)| (format!("detail {n}"), Pane::Overview, vec![layer])));
    let mut drawn = Vec::new();
    for (name, pane, layers) in screens {
        (state.pane, state.layers) = (pane, layers);
        drawn.push((name, text(&buffer(&state, size))));
    }
    drawn
}

#[test]
fn no_screen_draws_a_stale_value_as_live_and_one_that_did_would_be_found() {
    for size in SIZES {
        // An hour without any answer: all that is known is old.
        let mut stale = trouble(size);
        stale.now = at(3_600);
        stale.see(stale.newest.clone());
        for (screen, lines) in screens_with_values(&stale, size) {
            assert_eq!(drawn_as_live(&lines), Vec::<String>::new(), "{screen} {size:?}");
        }
        // The planted break: a console that takes the time of drawing for the time when values were true.
        let mut lying = stale.clone();
        for reading in &mut lying.readings {
            reading.failure = None;
            if let Some(held) = &mut reading.held {
                (held.as_of, held.cached) = (lying.now, false);
            }
        }
        lying.see(lying.readings.clone());
        for (screen, lines) in screens_with_values(&lying, size) {
            assert_ne!(drawn_as_live(&lines), Vec::<String>::new(), "{screen} {size:?}: {}", lines.join("\n"));
        }
    }
}

#[test]
fn backups_are_found_exposed_silent_with_holes_and_unable_to_comply_and_what_is_not_known_is_no_finding() {
    let state = backups::kept((160, 50));
    let mut told: Vec<String> = state.view.alerts.iter().map(|a| format!("{} {}", a.severity.word(), a.name())).collect();
    told.sort();
    assert_eq!(
        told,
        [
            "critical exposure above objective",
            "warning archiver failing",
            "warning backup silent",
            "warning no copy outside the site",
            "warning no copy outside the site",
            "warning retention ladder has holes",
            "warning retention ladder has holes",
            "warning schedule cannot comply",
            "warning source unreachable",
        ]
    );
    assert!(alert_of(&state, "backup silent").summary().starts_with("ledger base: no backup for 3h 20m, one is due every 1h"));
}

#[test]
fn each_chart_of_a_service_has_its_deployments_and_the_cursor_names_the_one_under_it() {
    let size = (160, 50);
    let mut state = shown("deployed metrics", size);
    let arrows = |state: &State| text(&buffer(state, size)).join("\n").matches('▼').count();
    let with = arrows(&state);
    assert!(with > 0, "the arrow under a small chart");
    // Of another service's panels none.
    let mut estate = (*state.estate).clone();
    estate.panels.iter_mut().for_each(|panel| panel.service = Some("ledger of another".into()));
    state.estate = Arc::new(estate);
    assert_eq!(arrows(&state), 0);
    let state = shown("deployed chart", size);
    let all = text(&buffer(&state, size)).join("\n");
    assert!(all.contains("deployed 05:47Z: 4.17.2 -> 4.18.0 by jl, ok"), "{all}");
}

#[test]
fn the_marked_deployment_has_its_mark() {
    let size = (80, 24);
    let mut state = shown("deployments", size);
    state.marked = Some(state.view.deployments.all[1].clone());
    let rows = text(&buffer(&state, size));
    assert!(rows[4].starts_with(" m11-21"), "{}", rows[4]);
    assert!(rows[3].starts_with("> 11-21"), "{}", rows[3]);
    state.picks.deployments = state.view.deployments.all[2..4].to_vec();
    let rows = text(&buffer(&state, size));
    assert!(rows[5].starts_with(" *11-20") && rows[6].starts_with(" *"), "{rows:?}");
    assert!(rows[2].ends_with("marked 2 (at most 50)"), "{}", rows[2]);
}

#[test]
fn the_list_of_estates_and_the_banner_of_production() {
    use crate::app::contexts::{ContextList, Contexts, Known, Looked};
    let (size, mut state) = ((80, 24), shown("overview", (80, 24)));
    let known = |name: &str, looked: Option<Result<&str, &str>>| Known {
        name: name.into(),
        file: format!("/etc/quarterdeck/estates/{name}.toml"),
        read_only: name == "trial",
        looked: looked.map(|of| of.map(|of| Looked { estate: name.into(), environment: of.into() }).map_err(str::to_owned)),
    };
    state.contexts.all = vec![
        known("shop", Some(Ok("production"))),
        known("trial", Some(Ok("staging"))),
        known("emea", Some(Ok("emea"))),
        known("bad", Some(Err("bad.toml:3:1: unknown key `nmae`"))),
        known("far", None),
    ];
    state.contexts = Contexts { open: Some(0), ..state.contexts };
    let refused = vec!["bad.toml:3:1: unknown key `nmae`".to_owned()];
    state.layers.push(Layer::Contexts(ContextList { selected: 3, wanted: None, refused }));
    let drawn = buffer(&state, size);
    insta::assert_snapshot!("contexts_80_dark", format!("{}\n---\n{}", text(&drawn).join("\n"), styles(&drawn).join("\n")));
    state.look.ascii = true;
    state.look.themes = vec![dark().without_colour()];
    let drawn = buffer(&state, size);
    assert!(text(&drawn)[0].contains("PRODUCTION") && drawn.content()[0].modifier.contains(ratatui::style::Modifier::REVERSED));
    insta::assert_snapshot!("contexts_80_ascii", text(&drawn).join("\n"));
}

#[test]
fn what_happened_while_nobody_looked_is_the_first_line_of_the_overview() {
    let size = (80, 24);
    let mut state = shown("overview", size);
    let at = state.now - jiff::SignedDuration::from_hours(4);
    state.attention.since = Some(crate::app::attention::Since { at, critical: 2, resolved: 1, ended: 1 });
    crate::app::pane::refresh(&mut state);
    let line = text(&buffer(&state, size))[3].clone();
    assert_eq!(line.trim(), "> since 02:12Z: 2 new critical, 1 resolved, 1 run ended  enter: timeline", "{line}");
    crate::app::update::update(&mut state, crate::app::message::Message::Key("j".parse().unwrap()));
    for width in [80, 200] {
        state.size = (width, 24);
        crate::app::pane::refresh(&mut state);
        let line = text(&buffer(&state, state.size))[3].clone();
        assert!(line.contains("2 new critical") && line.contains("  t: timeline"), "Enter would open another row: {line}");
    }
    crate::app::update::update(&mut state, crate::app::message::Message::Key("t".parse().unwrap()));
    assert!(state.timeline.service.is_none() && state.attention.since.is_none());
}

#[test]
fn help_and_the_menu_stand_in_every_footer_with_what_is_needed_most() {
    let (mut helps, mut menus) = (0, 0);
    for (width, least) in [(60, 2), (80, 3)] {
        for screen in SCREENS {
            let mut state = shown(screen, (width, 24));
            state.said = None;
            let scope = crate::app::layer::scope(state.pane, &state.layers);
            let hints = crate::ui::footer::hints(&state, width);
            let has = |action| hints.iter().any(|hint| hint.action == action);
            let help = matches!(state.layers.last(), Some(crate::app::layer::Layer::Help { .. }));
            if state.keymap.key_for(scope, Action::Help).is_some() && !help {
                assert!(has(Action::Help), "{screen} {width}: no help");
                helps += 1;
            }
            if state.keymap.key_for(scope, Action::Menu).is_some() && crate::app::history::row(&state).is_some() {
                assert!(has(Action::Menu), "{screen} {width}: no menu");
                menus += 1;
            }
            let others =
                |hints: &[crate::ui::footer::Hint]| hints.iter().filter(|hint| !matches!(hint.action, Action::Help | Action::Menu)).count();
            let offered = others(&crate::ui::footer::hints(&state, 2_000));
            assert!(others(&hints) >= offered.min(least), "{screen} {width}: {} of {offered}", others(&hints));
            assert!(
                hints.last().is_none_or(|last| usize::from(last.x) + last.key.chars().count() + 1 + last.short.len() <= usize::from(width))
            );
        }
    }
    assert!(helps > 100 && menus > 50, "{helps} {menus}");
}
