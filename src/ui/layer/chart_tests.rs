//! Charts on keys: what is asked, and that no answer lands in a window that it was not asked for.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::app::ask::{Ask, Told};
use crate::app::chart::*;
use crate::app::driven::{answer, known, press, press_all, type_in, windows};
use crate::app::effect::Effect;
use crate::app::layer::Layer;
use crate::app::message::Message;
use crate::app::state::State;
use crate::app::update::update;
use crate::model::estate::SourceKind;
use crate::model::label::Labels;
use crate::model::metric::{PanelAnswer, Plot, Sample, Series};
use crate::model::source::Answer;
use crate::model::window::{Names, RangeTold, Window};
use crate::ui::fixture::{at, buffer, text, trouble};

fn chart() -> State {
    let mut state = trouble((80, 24));
    state.layers.push(Layer::Chart { panel: "checkout errors".into(), cursor: None });
    let first = update(&mut state, Message::Tick);
    assert!(!first.iter().any(|effect| matches!(effect, Effect::Ask(ask) if matches!(**ask, Ask::Chart { .. }))), "polls bring it");
    state
}

fn values(state: &State) -> Option<f64> {
    shown(state, "checkout errors").and_then(|shown| shown.plot?.series.first()?.points.iter().flatten().next().copied())
}

#[test]
fn a_window_that_is_not_live_is_asked_by_itself_and_only_its_own_answer_is_drawn() {
    let mut state = chart();
    let first = windows(&press(&mut state, "<"));
    let [(Slot::Shown, one, ask)] = first.as_slice() else { panic!("{first:?}") };
    assert_eq!(ask.window, Window::new(at(-1_800), SignedDuration::from_hours(1), at(0)));
    let now = shown(&state, "checkout errors").unwrap();
    assert!(now.loading && !now.live && now.plot.is_none(), "nothing is known of it: {now:?}");
    assert_eq!(looking_at(&state, now.window), "looking at 04:42Z-05:42Z, not live");

    // Nothing is asked twice, and a late answer to what was looked at before lands nowhere.
    assert!(windows(&press(&mut state, "h")).is_empty());
    let second = windows(&press(&mut state, "<"));
    assert!(second[0].1 > *one);
    answer(&mut state, &first[0], 1.0);
    assert_eq!(values(&state), None, "it is of another window");
    answer(&mut state, &second[0], 2.0);
    assert_eq!(values(&state), Some(2.0));

    // Half a window on: what is known of it stays, and what is not is said to be unknown.
    let third = windows(&press(&mut state, ">"));
    let now = shown(&state, "checkout errors").unwrap();
    assert!(now.loading && now.known.is_some());
    assert_eq!(now.plot.as_deref().unwrap().len, third[0].2.empty().len, "on the steps of the new window");
    let failed = Told::Chart { slot: Slot::Shown, number: third[0].1, result: Err("connection refused".into()) };
    update(&mut state, Message::Told(Box::new(failed)));
    let now = shown(&state, "checkout errors").unwrap();
    assert_eq!((now.loading, now.error.as_deref()), (false, Some("connection refused")));
    assert!(now.plot.is_some() && now.as_of.is_some(), "old data stays with its age");
    assert!(windows(&press(&mut state, "h")).is_empty(), "what failed is not asked again by itself");
    assert_eq!(windows(&press(&mut state, "r")).len(), 1, "but by a person");

    let end = press(&mut state, "0");
    assert!(windows(&end).is_empty() && state.chart.window.is_none() && shown(&state, "checkout errors").unwrap().live);
    assert!(press(&mut state, "< esc").iter().any(|ask| matches!(ask, Ask::StopCharts(_))), "nobody looks at it any more");
}

#[test]
fn zooming_keeps_what_is_under_the_cursor_and_without_one_stays_live() {
    let mut state = chart();
    press(&mut state, "-");
    assert_eq!((state.chart.window, state.demand.range), (None, SignedDuration::from_mins(15)));
    press(&mut state, "+");
    assert_eq!((state.chart.window, state.demand.range), (None, SignedDuration::from_hours(1)));
    press(&mut state, "g");
    let Some(Layer::Chart { cursor: Some(cursor), .. }) = state.layers.last().cloned() else { panic!() };
    press(&mut state, "-");
    let window = state.chart.window.unwrap();
    let away = window.from().duration_since(cursor).as_secs();
    assert!(away.abs() <= 60 && window.length == SignedDuration::from_mins(15), "from the oldest step on: {window:?} {cursor}");
    assert!(matches!(state.layers.last(), Some(Layer::Chart { cursor: Some(_), .. })));
    press(&mut state, "> > > > > > > > >");
    assert_eq!((state.chart.window, state.demand.range), (None, SignedDuration::from_mins(15)), "at the present it is live again");
    assert!(matches!(state.layers.last(), Some(Layer::Chart { cursor: None, .. })), "the cursor is not on the screen any more");
}

#[test]
fn a_frozen_view_has_a_window_of_its_own_and_never_one_of_later() {
    let mut state = chart();
    press(&mut state, "f");
    state.now = at(600);
    let asks = windows(&press(&mut state, "-"));
    assert_eq!(asks[0].2.window.to, at(0), "not what came meanwhile");
    press(&mut state, ">");
    assert_eq!(state.chart.window.unwrap().to, at(0));
}

#[test]
fn the_day_before_is_asked_at_the_same_time_of_day_and_its_gaps_stay_gaps() {
    let mut state = chart();
    let asks = windows(&press(&mut state, "v"));
    let [(Slot::Before, _, ask)] = asks.as_slice() else { panic!("{asks:?}") };
    assert_eq!(ask.window.length, state.demand.range);
    let plot = shown(&state, "checkout errors").unwrap().plot.unwrap().into_owned();
    let early = before(&state, "checkout errors", &plot).unwrap();
    assert_eq!((early.plot, early.notes), (None, vec!["1d before: loading".to_owned()]));
    let mut told = ask.empty();
    let mut points = vec![Some(0.5); told.len];
    points[3] = None;
    told.series.push(Series { labels: plot.series[0].labels.clone(), points });
    let told = RangeTold { plot: told, notes: vec!["partial".into()], kept: None };
    let told = Told::Chart { slot: Slot::Before, number: asks[0].1, result: Ok(Arc::new(told)) };
    update(&mut state, Message::Told(Box::new(told)));
    let early = before(&state, "checkout errors", &plot).unwrap();
    let moved = early.plot.unwrap();
    assert_eq!((moved.start, moved.step, moved.len), (plot.start, plot.step, plot.len), "on the same steps");
    assert!(moved.series[0].points.contains(&None) && moved.series[0].points.contains(&Some(0.5)));
    assert_eq!(early.notes, ["! 1d before: partial"]);

    // A source that keeps nothing that old.
    let asks = windows(&press(&mut state, "v"));
    let kept = Some(crate::model::window::Kept { since: Some(at(-7_200)), keep: SignedDuration::from_hours(24) });
    let told = RangeTold { plot: asks[0].2.empty(), notes: vec![], kept };
    let told = Told::Chart { slot: Slot::Before, number: asks[0].1, result: Ok(Arc::new(told)) };
    update(&mut state, Message::Told(Box::new(told)));
    let early = before(&state, "checkout errors", &plot).unwrap();
    assert!(early.notes[0].contains("7d before") && early.notes[0].contains("kept here for 1d at the most"), "{:?}", early.notes);
    assert!(windows(&press(&mut state, "v")).is_empty() && state.chart.compare == Compare::Nothing);
}

#[test]
fn what_is_compared_moves_on_with_a_live_chart_and_waits_for_a_slow_server() {
    let mut state = chart();
    let first = windows(&press(&mut state, "v"));
    state.now = at(120);
    let waits = update(&mut state, Message::Tick);
    assert!(!waits.iter().any(|effect| matches!(effect, Effect::Ask(ask) if matches!(**ask, Ask::Chart { .. }))), "the answer is to come");
    let next: Vec<Ask> = answer(&mut state, &first[0], 1.0)
        .into_iter()
        .filter_map(|effect| if let Effect::Ask(ask) = effect { Some(*ask) } else { None })
        .collect();
    let next = windows(&next);
    assert_eq!(next.len(), 1);
    assert!(next[0].2.window.to > first[0].2.window.to);
    assert!(wake(&state).is_some_and(|at| at > state.now));
}

#[test]
fn another_panel_is_chosen_by_name_and_taken_away_again() {
    let mut state = chart();
    press(&mut state, "o");
    let Some(Layer::Palette(palette)) = state.layers.last() else { panic!() };
    let latency = palette.items.iter().find(|item| item.text.contains("latency")).unwrap();
    assert_eq!(latency.note, "seconds, right axis");
    assert!(palette.items.iter().all(|item| !item.text.contains("checkout errors")));
    press(&mut state, "l a t e n c y enter");
    assert_eq!(state.chart.over.as_deref(), Some("latency"));
    assert!(matches!(state.layers.last(), Some(Layer::Chart { .. })));
    assert!(over(&state).unwrap().plot.is_some(), "polls bring it");
    let asks = windows(&press(&mut state, "<"));
    assert_eq!(asks.iter().map(|(slot, ..)| *slot).collect::<Vec<_>>(), [Slot::Shown, Slot::Over]);
    press(&mut state, "o enter");
    assert_eq!(state.chart.over, None);
}

#[test]
fn alerts_of_the_service_stand_on_the_axis() {
    let state = chart();
    let bars: Vec<(&str, Option<Timestamp>)> = state.chart.bars.iter().map(|bar| (bar.what.split(':').next().unwrap(), bar.to)).collect();
    assert_eq!(bars, [("ErrorBudgetBurn", None)], "of the service alone");
    assert_eq!(state.chart.bars[0].from, Some(at(-2_900)));
}

fn prompt(state: &State) -> &crate::app::prompt::Prompt {
    if let Some(Layer::Prompt(prompt)) = state.layers.last() { prompt } else { panic!("no prompt: {:?}", state.layers) }
}

#[test]
fn a_query_is_typed_without_touching_the_keymap_and_drawn_as_a_chart() {
    let mut state = trouble((80, 24));
    let asked = press(&mut state, "3 e");
    assert!(matches!(asked.as_slice(), [Ask::Names(source), Ask::Queries] if source == "prom-a"), "{asked:?}");
    type_in(&mut state, "q:? sum(node_lo");
    assert_eq!((prompt(&state).typed.as_str(), state.layers.len()), ("q:? sum(node_lo", 1), "no key of it was a command");
    let names = Names { names: vec!["node_load1".into(), "node_load5".into()], more: false };
    update(&mut state, Message::Told(Box::new(Told::Names { source: "prom-a".into(), result: Ok(names) })));
    assert_eq!(prompt(&state).offered, ["node_load1", "node_load5"], "what comes late is offered");
    press(&mut state, "tab");
    assert_eq!(prompt(&state).typed, "q:? sum(node_load1");
    state.layers.clear();
    let asked = press(&mut state, "e");
    assert!(matches!(asked.as_slice(), [Ask::Queries]), "names are asked once: {asked:?}");
    update(&mut state, Message::Told(Box::new(Told::Queries(Ok(vec!["up".into(), "old".into()])))));
    update(&mut state, Message::Paste("sum(\n\tup)\u{1b}".into()));
    assert_eq!(prompt(&state).typed, "sum(  up)");
    press(&mut state, "up up down down");
    assert_eq!(prompt(&state).typed, "sum(  up)", "it is there again after looking at earlier ones");

    let asked = press(&mut state, "enter");
    assert!(asked.contains(&Ask::KeepQuery("sum(  up)".into())), "{asked:?}");
    let first = windows(&asked);
    assert_eq!((first.len(), first[0].0, first[0].2.panel.ask.to_string()), (1, Slot::Shown, "sum(  up)".to_owned()), "also live");
    let why = "bad_data: invalid parameter \"query\": 1:5: parse error: unexpected end of input".to_owned();
    update(&mut state, Message::Told(Box::new(Told::Chart { slot: Slot::Shown, number: first[0].1, result: Err(why) })));
    let drawn = text(&buffer(&state, (80, 24))).join("\n");
    assert!(drawn.contains("1:5: parse error"), "{drawn}");

    // It is mended, and the mended one is drawn.
    press(&mut state, "e");
    assert_eq!(prompt(&state).typed, "sum(  up)");
    type_in(&mut state, " + 1");
    let second = windows(&press(&mut state, "enter"));
    assert_eq!(state.layers.len(), 1, "one chart, not one on the other");
    answer(&mut state, &second[0], 4.0);
    let head = text(&buffer(&state, (80, 24)))[2].clone();
    assert!(head.starts_with("typed query") && head.trim_end().ends_with(" 4"), "its value is at the right: {head}");
    let shown = shown(&state, "typed query").unwrap();
    assert!(shown.live && shown.fresh && shown.error.is_none() && shown.plot.is_some(), "{shown:?}");

    let copied = press_all(&mut state, "K");
    let Some(Effect::Copy(snippet)) = copied.first() else { panic!("{copied:?}") };
    assert!(snippet.contains("[[panel]]") && snippet.contains("query = \"sum(  up) + 1\"") && snippet.contains("estate.toml"), "{snippet}");
}

#[test]
fn of_ten_thousand_series_a_few_are_drawn_and_those_under_the_cursor_are_told() {
    let mut state = trouble((200, 50));
    let named = |n: usize| Labels::new([("instance", format!("many-{n:05}"))]);
    let series = |n: usize| {
        let point = |i: usize| if i == 0 || (i == 1 && n != 150) { None } else { Some((n * 31 + i * 17) as f64 % 97.0) };
        Series { labels: named(n), points: (0..60).map(point).collect() }
    };
    let plot = Plot { start: at(-3_600), step: 60, len: 60, series: (0..200).map(series).collect(), dropped: 9_800, histograms: 0 };
    let now = (0..10_000).map(|n| Sample { labels: named(n), value: 1_000.0 + n as f64 }).collect();
    let answer = PanelAnswer { now, plot: Some(plot), ..PanelAnswer::default() };
    for reading in &mut state.readings {
        if let Some(Answer::Prometheus(told)) = reading.held.as_mut().map(|held| &mut held.value) {
            Arc::make_mut(told).panels.insert("queue".into(), answer.clone());
        }
    }
    state.layers.push(Layer::Chart { panel: "queue".into(), cursor: None });
    update(&mut state, Message::Tick);
    let drawn = text(&buffer(&state, (200, 50))).join("\n");
    assert!(drawn.contains("200 of 10,000 series shown: 24 as lines, of the others their span"), "{drawn}");
    assert!(drawn.contains("1k") && drawn.contains("instance=many-00000"), "the newest samples, not the last step: {drawn}");
    press(&mut state, "g");
    let drawn = text(&buffer(&state, (200, 50))).join("\n");
    assert!(drawn.contains("? no sample at the cursor") && !drawn.contains("instance=many"), "{drawn}");
    press(&mut state, "l");
    let drawn = text(&buffer(&state, (200, 50)));
    let first = drawn.iter().position(|line| line.starts_with("at ")).unwrap() + 1;
    assert!(drawn[first].contains("instance=many-00150"), "{}", drawn.join("\n"));
}

#[test]
fn labels_and_values_are_asked_once_where_they_are_begun_and_offered_when_they_come() {
    let mut state = trouble((80, 24));
    press(&mut state, "3 e ctrl-u");
    assert!(type_in(&mut state, "up").is_empty());
    let asked = type_in(&mut state, "{jo");
    let [Ask::Words(labels)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((labels.source.as_str(), labels.series.as_str(), &labels.label), ("prom-a", "up", &None));
    let drawn = text(&buffer(&state, (80, 24))).join("\n");
    assert!(drawn.contains("the labels of up are being read"), "{drawn}");
    let names = |names: &[&str]| Ok(Names { names: names.iter().map(|name| (*name).to_owned()).collect(), more: false });
    known(&mut state, labels, names(&["instance", "job"]));
    let drawn = text(&buffer(&state, (80, 24))).join("\n");
    assert!(drawn.contains("tab takes job"), "{drawn}");
    press(&mut state, "tab");
    let asked = type_in(&mut state, "=\"");
    let [Ask::Words(values)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((values.series.as_str(), values.label.as_deref()), ("up", Some("job")));
    known(&mut state, values, names(&["node", "prometheus"]));
    press(&mut state, "tab tab");
    assert_eq!(prompt(&state).typed, "up{job=\"prometheus", "the next one in its place");
    let asked = type_in(&mut state, "\", ");
    let [Ask::Words(more)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(more.series, "up{job=\"prometheus\"}", "of these series alone");
    known(&mut state, more, Err("bad_data: 1:3: parse error".into()));
    let drawn = text(&buffer(&state, (120, 30))).join("\n");
    assert!(drawn.contains("are not known: bad_data: 1:3: parse error"), "{drawn}");
    // Nothing is asked again while it is typed on, and all anew in the next prompt.
    assert!(type_in(&mut state, "i").is_empty() && press(&mut state, "backspace").is_empty());
    press(&mut state, "esc e ctrl-u");
    assert!(matches!(type_in(&mut state, "up{").as_slice(), [Ask::Words(_)]));
}

/// A live chart of the panel `queue` with these series, each told apart by its instance.
fn lines_of(series: Vec<Vec<Option<f64>>>, size: (u16, u16)) -> State {
    let mut state = trouble(size);
    let len = series.first().map_or(0, Vec::len);
    let labels = |n: usize| Labels::new([("instance", format!("web-{}", n + 1))]);
    let last = |points: &Vec<Option<f64>>| points.last().copied().flatten();
    let now = series.iter().enumerate().filter_map(|(n, points)| Some(Sample { labels: labels(n), value: last(points)? })).collect();
    let series = series.into_iter().enumerate().map(|(n, points)| Series { labels: labels(n), points }).collect();
    let plot = Plot { start: at(-60 * len as i64), step: 60, len, series, dropped: 0, histograms: 0 };
    for reading in &mut state.readings {
        if let Some(Answer::Prometheus(told)) = reading.held.as_mut().map(|held| &mut held.value) {
            let answer = PanelAnswer { now: Vec::clone(&now), plot: Some(plot.clone()), ..PanelAnswer::default() };
            Arc::make_mut(told).panels.insert("queue".into(), answer);
        }
    }
    state.layers.push(Layer::Chart { panel: "queue".into(), cursor: None });
    update(&mut state, Message::Tick);
    state
}

/// Rows and columns of the chart at which that letter stands, and what the legend says beside it.
fn letter_at(drawn: &[String], letter: char) -> (Vec<(usize, usize)>, String) {
    let legend = drawn.iter().position(|line| line.starts_with("newest values")).unwrap();
    let on = |line: &String| line.chars().enumerate().filter(|(x, c)| *x > 5 && *c == letter).map(|(x, _)| x).collect::<Vec<_>>();
    let places = drawn[4..legend - 1].iter().enumerate().flat_map(|(y, line)| on(line).into_iter().map(move |x| (y, x)));
    let told = drawn[legend..].iter().find(|line| line.starts_with(&format!("{letter} "))).cloned().unwrap_or_default();
    (places.collect(), told)
}

/// Colours tell nothing here: the letters do, one and the same at the end of a line and in the legend.
#[test]
fn without_colours_every_line_is_told_from_the_others_by_its_letter() {
    for ascii in [false, true] {
        let size = (80, 40);
        let mut state = lines_of([1.0, 2.0, 3.0].map(|value| vec![Some(value); 60]).into(), size);
        state.look.themes = vec![crate::ui::fixture::dark().without_colour()];
        state.look.ascii = ascii;
        let drawn = text(&buffer(&state, size));
        let mut rows = Vec::new();
        for (letter, instance) in [('A', "web-1"), ('B', "web-2"), ('C', "web-3")] {
            let (places, told) = letter_at(&drawn, letter);
            assert!(told.ends_with(instance), "{letter}: {told}\n{}", drawn.join("\n"));
            let [(row, 79)] = places.as_slice() else { panic!("{letter}: {places:?}\n{}", drawn.join("\n")) };
            rows.push(*row);
        }
        assert!(rows[0] > rows[1] && rows[1] > rows[2], "each on its own line: {rows:?}");
        // Of one line alone there is nothing to tell apart.
        let mut one = lines_of(vec![vec![Some(1.0); 60]], size);
        one.look.ascii = ascii;
        let drawn = text(&buffer(&one, size));
        assert!(drawn.iter().any(|line| line.starts_with(if ascii { "* " } else { "● " })), "{}", drawn.join("\n"));
    }
}

#[test]
fn lines_that_end_in_one_place_have_their_letters_beside_each_other() {
    let size = (80, 40);
    for len in [60, 1] {
        let mut state = lines_of(vec![vec![Some(5.0); len]; 24], size);
        state.look.ascii = true;
        let drawn = text(&buffer(&state, size));
        let all: Vec<char> = ('A'..='Z').filter(|c| !matches!(c, 'N' | 'X')).collect();
        let mut places: Vec<_> = all.iter().map(|letter| letter_at(&drawn, *letter).0).collect();
        assert!(places.iter().all(|places| places.len() == 1), "{places:?}\n{}", drawn.join("\n"));
        places.dedup();
        assert_eq!(places.len(), 24);
    }
    // What ends earlier has its letter there, and what has no value has none.
    let points = |from: usize, to: usize, value: f64| (0..60).map(|n| (from..to).contains(&n).then_some(value)).collect::<Vec<_>>();
    let state = lines_of(vec![points(0, 30, 1.0), points(0, 60, 2.0), points(0, 0, 0.0)], size);
    let drawn = text(&buffer(&state, size));
    let ends = ['A', 'B', 'C'].map(|letter| letter_at(&drawn, letter).0.first().map(|(_, x)| *x));
    assert!(ends[0].is_some_and(|x| (35..50).contains(&x)) && ends[1] == Some(79) && ends[2].is_none(), "{ends:?}");
    assert!(letter_at(&drawn, 'C').1.contains("web-3"), "{}", drawn.join("\n"));
}

#[test]
fn without_a_prometheus_the_prompt_says_so() {
    let mut state = trouble((80, 24));
    Arc::make_mut(&mut state.estate).sources.retain(|source| !matches!(source.kind, SourceKind::Prometheus { .. }));
    press(&mut state, "3 e");
    assert!(state.layers.is_empty() && state.said.as_deref().is_some_and(|said| said.contains("no Prometheus in this estate")));
}

#[test]
fn a_chart_is_told_as_text_and_its_numbers_are_written() {
    let mut state = chart();
    let asked = windows(&press(&mut state, "<"));
    answer(&mut state, &asked[0], 0.5);
    press(&mut state, "g");
    let copied = press_all(&mut state, "x");
    let Some(Effect::Copy(told)) = copied.first() else { panic!("{copied:?}") };
    for part in [
        "checkout errors\nprom-a: sum(",
        "not live\ncursor at 2026-11-21T04:42",
        "instance=web-1: at cursor 50%, min 50%, max 50%, last 50%",
        "\ntime,instance=web-1\n2026-11-21T04:4",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    press(&mut state, "esc");
    state.exports = Some("/e".into());
    press(&mut state, "X");
    let asks = press(&mut state, "enter");
    let [Ask::ExportChart { path, text, replace: false, .. }] = asks.as_slice() else { panic!("{asks:?}") };
    assert!(path.starts_with("/e/chart-checkout-errors-") && path.ends_with(".csv"), "{path}");
    assert!(text.starts_with("time,instance=web-1\n"));
}
