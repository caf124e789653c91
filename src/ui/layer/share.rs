//! What is told outside of the console, over the upper part of what is shown: the text to paste, the form of an export.
//! Their snapshots are `deployments_shared_*` and `deployments_export_*`.

use crate::app::action::Action;
use crate::app::ask::Exported;
use crate::app::deployments::share;
use crate::app::deployments::window::Hits;
use crate::app::layer::{ExportForm, Layer, Scope};
use crate::app::state::State;
use crate::model::preferences::Token;
use crate::ui::frame::input;
use crate::ui::widget::canvas::{Canvas, thousands, wrap};

/// Columns at the most.
const WIDTH: u16 = 120;

/// Draws lines in a box under the fixed lines.
pub(super) fn draw_box(canvas: &mut Canvas, title: &str, first: Option<&str>, lines: &[(String, Token)]) {
    let width = canvas.area.width.min(WIDTH);
    let room = usize::from(width).saturating_sub(4);
    let mut all: Vec<(String, Token)> = Vec::new();
    for (text, token) in lines {
        all.extend(wrap(text, room).into_iter().map(|line| (line, *token)));
    }
    let most = usize::from(canvas.area.height).saturating_sub(6);
    all.truncate(most);
    let head = 1 + u16::from(first.is_some());
    // What lies below it is not read beside it.
    let whole = canvas.area.width;
    let mut part = canvas.part(0, 2, whole, head + all.len() as u16 + 1);
    part.fill(Token::Text);
    part.put(0, 0, width, title, Token::Title);
    if let Some(typed) = first {
        input(&mut part, 1, ' ', typed, None);
    }
    for (line, (text, token)) in all.iter().enumerate() {
        part.put(2, head + line as u16, width.saturating_sub(2), text, *token);
    }
    let border = if part.ascii { "-" } else { "─" };
    part.put(0, head + all.len() as u16, whole, &border.repeat(usize::from(whole)), Token::Border);
}

/// Draws the text to paste.
pub fn text(canvas: &mut Canvas, state: &State, text: &str, said: &str, first: usize) {
    let wide = usize::from(canvas.area.width.min(WIDTH)).saturating_sub(4);
    // What came of it is read first, and stays.
    let mut lines: Vec<(String, Token)> = wrap(said, wide).into_iter().map(|line| (line, Token::Title)).collect();
    let room = usize::from(canvas.area.height).saturating_sub(6 + lines.len()).max(1);
    let count = text.lines().count();
    let first = first.min(count.saturating_sub(1));
    let shown: Vec<(usize, String)> = text
        .lines()
        .enumerate()
        .skip(first)
        .take(room)
        .flat_map(|(place, line)| wrap(line, wide).into_iter().map(move |part| (place, part)))
        .take(room)
        .collect();
    let last = shown.last().map_or(0, |(place, _)| place + 1);
    lines.extend(shown.into_iter().map(|(_, line)| (line, Token::Text)));
    let title = if first == 0 && last >= count {
        "TEXT TO PASTE".to_owned()
    } else {
        let key = |action| state.keymap.key_for(Scope::Help, action).map_or_else(String::new, |key| key.to_string());
        let (down, up) = (key(Action::Down), key(Action::Up));
        format!("TEXT TO PASTE  lines {}-{last} of {count}, {down}/{up} scroll", first + 1)
    };
    draw_box(canvas, &title, None, &lines);
}

/// Draws the form of an export.
pub fn export(canvas: &mut Canvas, state: &State, form: &ExportForm) {
    let chart = state.layers.iter().rev().nth(1).is_some_and(|layer| matches!(layer, Layer::Chart { .. }));
    let count = match state.window.hits {
        Hits::All(count) => thousands(count),
        Hits::AtLeast(count) => format!("at least {}", thousands(count)),
    };
    let filter = if state.deployments.filter.is_empty() {
        "all of them".to_owned()
    } else {
        format!("those that pass /{}", state.deployments.filter.text)
    };
    let ending = if form.typed.ends_with(".csv") { "csv" } else { "json" };
    let (far, token) = match &form.far {
        None if chart => ("Enter writes the chart's numbers as CSV, times in UTC, gaps empty.".to_owned(), Token::Dim),
        None => ("Enter writes it; .csv, .json (an array) and .jsonl (lines) say how.".to_owned(), Token::Dim),
        Some(Exported::Rows(rows)) => (format!("writing: {} so far; Esc stops it", thousands(*rows)), Token::Text),
        Some(Exported::Done(rows)) if chart => (format!("written: {} points in time", thousands(*rows)), Token::Title),
        Some(Exported::Done(rows)) => (format!("written: {} deployments", thousands(*rows)), Token::Title),
        Some(Exported::Exists) => ("! this file is there already: write another name, or Enter replaces it".to_owned(), Token::Warning),
        Some(Exported::Failed(why)) => (format!("! nothing is written: {why}"), Token::Warning),
        Some(Exported::Stopped) => ("stopped: nothing is written".to_owned(), Token::Warning),
    };
    let marked = state.picks.deployments.len();
    let what = match marked {
        0 => format!("{count} deployments, {filter}. Without a console:"),
        1 => "Only the marked one; Esc there clears the mark.".to_owned(),
        _ => format!("Only the {marked} marked ones; Esc there clears all marks."),
    };
    let lines = [(far, token), (what, Token::Dim), (share::export(state, ending), Token::Dim)];
    let lines = match (chart, marked) {
        (true, _) => &lines[..1],
        (false, 1..) => &lines[..2],
        (false, 0) => &lines[..],
    };
    draw_box(canvas, "EXPORT to this file, which only you may read", Some(&form.typed), lines);
}

#[cfg(test)]
mod tests {
    use crate::app::layer::{Layer, Pane, Spot};
    use crate::app::message::Message;
    use crate::app::share::{Noun, noun, text};
    use crate::app::state::State;
    use crate::app::update::{narrow, update};
    use crate::ui::fixture::{alert_of, buffer, shown, text as lines, trouble};
    use crate::ui::{Plain, plain};

    /// The words of a command line as a POSIX shell takes them, with single quotes as the only ones.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quoted, mut chars) = (Vec::new(), String::new(), false, line.chars());
        while let Some(c) = chars.next() {
            match c {
                '\'' => quoted = !quoted,
                '\\' if !quoted => word.extend(chars.next()),
                ' ' if !quoted => words.push(std::mem::take(&mut word)),
                c => word.push(c),
            }
        }
        words.push(word);
        words
    }

    fn after<'a>(words: &'a [String], flag: &str) -> Option<&'a str> {
        words.iter().position(|word| word == flag).and_then(|at| words.get(at + 1)).map(String::as_str)
    }

    #[test]
    fn what_is_copied_ends_with_the_command_line_that_shows_it_and_its_filter_leaves_it() {
        let mut kinds = Vec::new();
        for screen in
            ["overview", "alerts", "alert", "service", "metrics", "chart", "databases", "backups", "backup", "deployments", "findings"]
        {
            let mut state = shown(screen, (160, 50));
            state.identity.estate = Some("'/srv/it'\\''s/estate.toml'".into());
            let Some(copied) = noun(&state) else { panic!("{screen}: nothing is looked at") };
            let all = text(&state).unwrap();
            let words = words(all.lines().last().unwrap());
            assert_eq!(words[0], "qd", "{screen}: {all}");
            let deployment = matches!(copied, Noun::Deployment(_));
            assert!(deployment || after(&words, "--estate") == Some("/srv/it's/estate.toml"), "{all}");
            let pane = Pane::named(after(&words, "--pane").unwrap_or("deployments")).unwrap();
            let works_without_a_terminal = ["snapshot", "deployments"].iter().any(|command| words.iter().any(|word| word == command));
            assert!(works_without_a_terminal, "{screen}: {all}");
            let mut other = State { layers: vec![], pane, ..state.clone() };
            narrow(&mut other, after(&words, "--filter").unwrap()).unwrap_or_else(|why| panic!("{screen}: {why}"));
            update(&mut other, Message::Tick);
            crate::app::pane::refresh(&mut other);
            let rows = match pane {
                Pane::Overview => {
                    let services = |row: &&crate::app::row::OverviewRow| crate::app::overview::selectable(row);
                    other.overview_rows.iter().filter(services).count()
                }
                Pane::Alerts => other.alert_rows.len(),
                Pane::Metrics => other.metric_rows.len(),
                Pane::Backups => other.backup_rows.len(),
                Pane::Databases => other.database_rows.len(),
                _ => 1,
            };
            assert!(rows > 0, "{screen}: nothing is left of {words:?}");
            if pane != Pane::Overview && pane != Pane::Databases {
                assert_eq!(rows, 1, "{screen}: {words:?} leaves more");
            }
            kinds.push(std::mem::discriminant(&copied));
        }
        kinds.dedup();
        assert!(kinds.len() >= 5);
    }

    #[test]
    fn an_alert_is_copied_with_all_that_a_colleague_asks_for() {
        let mut state = trouble((80, 24));
        let alert = alert_of(&state, "SlowQueries");
        state.layers.push(Layer::Alert { alert: alert.clone(), spot: Spot::default() });
        let all = text(&state).unwrap();
        for (name, value) in alert.labels.iter().chain(alert.annotations.iter()) {
            assert!(all.contains(name) && all.contains(value.lines().next().unwrap_or_default()), "{name}={value}\n{all}");
        }
        for word in ["since", "source", "runbook", "LABELS", "ANNOTATIONS", "snapshot --pane alerts"] {
            assert!(all.contains(word), "{word}\n{all}");
        }
        assert!(!all.contains('\x1b'));
    }

    #[test]
    fn what_is_shown_to_select_is_as_many_whole_lines_as_there_is_room_for() {
        let mut state = trouble((60, 16));
        state.mouse = true;
        let long = "x".repeat(150);
        let body = format!("first\n{long}\n{}\u{1b}]0;evil\u{7}last", "line\n".repeat(40));
        state.layers.push(Layer::Select { text: body, first: 0 });
        assert!(!state.wants_mouse(), "the mouse is the terminal's");
        let Plain { lines, foot, height } = plain(&state).unwrap();
        assert_eq!((lines.len(), height), (13, 16), "one line takes three of the screen's fifteen");
        assert!(lines[1] == long && foot.contains("Esc") && foot.contains("more lines"), "{foot}");
        update(&mut state, Message::Wheel { by: 1000, right: false });
        let end = plain(&state).unwrap();
        assert!(end.lines.len() == 1 && !end.lines[0].contains('\x1b') && !end.foot.contains("more"), "{end:?}");
        update(&mut state, Message::Key("esc".parse().unwrap()));
        assert!(plain(&state).is_none() && state.wants_mouse());
        assert!(lines_of(&state).contains("alerts"));
    }

    fn lines_of(state: &State) -> String {
        lines(&buffer(state, state.size)).join("\n")
    }
}
