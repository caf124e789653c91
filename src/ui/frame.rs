//! The fixed lines of every screen: where, who and when; what counts; the keys that matter here.

use crate::app::action::Action;
use crate::app::layer::{Layer, Pane};
use crate::app::mark;
use crate::app::operations;
use crate::app::state::State;
use crate::app::when;
use crate::model::environment;
use crate::model::preferences::Token;
use crate::model::reading::{Freshness, Reading};
use crate::model::source::Answer;

use super::footer;
use super::widget::canvas::{Canvas, cells, fit};

/// Columns that the counts want beside the run at the right end for their whole words.
const ROOM: u16 = 90;
/// Columns of the counts of alerts with their whole words, where all is fresh, and of what stands before the sources.
const ALERTS: u16 = 54;

/// The first line: environment, estate, who sits where, what is special, and the clock.
pub fn first(canvas: &mut Canvas, state: &State) {
    let width = canvas.area.width;
    let clock = when::full(state, state.now);
    let (name, kind) = environment::shown(&state.estate.environment);
    // All of the line is a banner on production.
    let on = |token| if kind == Token::Production { kind } else { token };
    let name = if kind == Token::Production { format!(" {name} ") } else { name };
    canvas.part(0, 0, width, 1).fill(on(Token::Text));
    let mut end = canvas.put_right(0, width, 0, &clock, on(Token::Title)).saturating_sub(1);

    let mut x = canvas.put(0, 0, 30, &name, kind) + 1;
    x += canvas.put(x, 0, 24.min(end.saturating_sub(x)), &state.estate.name, on(Token::Title)) + 2;
    // What is special about this console comes before who sits there: it stands at the end, and is never cut.
    let mut flags = Vec::new();
    if let Some(frozen) = &state.frozen {
        flags.push((format!("[FROZEN since {}]", when::minute(state, frozen.at)), Token::Warning));
    }
    if state.wants_mouse() {
        // Whoever wants to select text should see at once why that does not work, and what ends it.
        let key = state.keymap.key_for(state.scope(), Action::Mouse).map_or_else(String::new, |key| format!(": {key} ends it"));
        flags.push((format!("[MOUSE{key}]"), Token::Dim));
    }
    if state.read_only {
        flags.push(("[READ ONLY]".to_owned(), Token::Title));
    }
    for (flag, token) in flags {
        if x + cells(&flag) <= end {
            end = canvas.put_right(x, end, 0, &flag, on(token)).saturating_sub(1);
        }
    }
    let who = format!("{}@{}", state.identity.user, state.identity.host);
    canvas.put(x, 0, end.saturating_sub(x), &who, on(Token::Text));
}

/// The second line: alerts by severity, and sources by state with those named that have a problem.
pub fn counts(canvas: &mut Canvas, state: &State) {
    // The run at the right end covers nothing: words are cut short before that.
    let chip = operations::chip(state, canvas.area.width).map_or(0, |(text, _)| cells(&text) + 2);
    let width = canvas.area.width.saturating_sub(chip);
    let readings = state.shown_readings();
    let fresh = readings.iter().any(|r| r.freshness(state.now) == Freshness::Fresh);
    let held = readings.iter().any(|r| r.held.is_some());
    let [critical, warning, info, muted] = state.counts();
    let known = sources_of(state, readings);
    // Where something is not fresh, which source that is matters most: then the words before it are short ones.
    let told: u16 = known.iter().map(|(text, ..)| cells(text)).sum();
    let label = if state.shown().besides > 0 { "alerts, needs " } else { "alerts " };
    let brief = known.iter().any(|(.., word)| *word != Freshness::Fresh) && ALERTS + cells(label) - cells("alerts ") + told > width;
    let mut x = canvas.put(0, 1, canvas.area.width, label, Token::Dim);
    let parts = [
        ('X', critical, "critical", Token::Critical),
        ('!', warning, "warning", Token::Warning),
        ('i', info, "info", Token::Text),
        ('~', muted, "muted", Token::Muted),
    ];
    for (glyph, count, word, token) in parts {
        // What is not there to act on is told only where there is some of it.
        if matches!(word, "info" | "muted") && count == 0 && fresh {
            continue;
        }
        if brief && !fresh && matches!(word, "info" | "muted") {
            continue;
        }
        let word = match word {
            _ if brief && !fresh => "",
            "critical" if brief => "crit",
            "warning" if brief => "warn",
            "critical" if chip > 0 && width < ROOM => "crit",
            "warning" if chip > 0 && width < ROOM => "warn",
            word => word,
        };
        let (text, token) = match (fresh, held) {
            (true, _) => (format!("{glyph} {count} {word}"), if count == 0 { Token::Dim } else { token }),
            (false, true) => (format!("{glyph} [{count}] ? {word}"), Token::Unknown),
            (false, false) => (format!("{glyph} ? {word}"), Token::Unknown),
        };
        x += canvas.put(x, 1, width.saturating_sub(x), text.trim_end(), token) + 2;
    }
    x += u16::from(!brief);
    x += canvas.put(x, 1, width.saturating_sub(x), "sources", Token::Dim);
    // Names go before a whole word would: how many are refused is never cut off by who is unreachable.
    let room = width.saturating_sub(x);
    let mut bare: Vec<String> = known.iter().map(|(text, bare, _)| if bare.is_empty() { text.clone() } else { bare.clone() }).collect();
    // How many are fresh may be cut off.
    let bad = bare.iter().zip(&known).filter(|(_, (.., word))| *word != Freshness::Fresh);
    let mut left = room.saturating_sub(bad.map(|(text, _)| cells(text)).sum());
    for (shown, (text, ..)) in bare.iter_mut().zip(&known) {
        let more = cells(text).saturating_sub(cells(shown));
        if more <= left {
            left -= more;
            shown.clone_from(text);
        }
    }
    for (text, (.., word)) in bare.iter().zip(&known) {
        x += canvas.put(x, 1, width.saturating_sub(x), text, mark::freshness(*word).1);
    }
}

/// How many sources stand how, with their names and without them. The bad ones first: the line may be cut off.
fn sources_of(state: &State, readings: &[Reading<Answer>]) -> Vec<(String, String, Freshness)> {
    let mut all = Vec::new();
    for word in [Freshness::Unreachable, Freshness::Refused, Freshness::Stale, Freshness::Never, Freshness::Fresh] {
        let sources = state.estate.sources.iter().zip(readings);
        let names: Vec<&str> = sources.filter(|(_, r)| r.freshness(state.now) == word).map(|(s, _)| s.name.as_str()).collect();
        match word {
            _ if names.is_empty() => {}
            Freshness::Fresh => all.push((format!(" {} fresh", names.len()), String::new(), word)),
            _ => {
                let bare = format!(" {} {}", names.len(), word.word());
                all.push((format!("{bare} ({})", names.join(" ")), bare, word));
            }
        }
    }
    all
}

/// At the right end of the second line of every screen: the run that wants most, while any goes on or should.
pub fn run(canvas: &mut Canvas, state: &State) {
    let Some((text, token)) = operations::chip(state, canvas.area.width) else { return };
    canvas.put_right(0, canvas.area.width, 1, &format!("  {text}"), token);
}

/// The last line: the keys that matter here, or the line that is being typed.
pub fn last(canvas: &mut Canvas, state: &State) {
    let y = canvas.area.height - 1;
    if let Some(Layer::Filter) = state.layers.last() {
        let (typed, error) = match state.pane {
            Pane::Overview => (&state.overview.typed, &state.overview.error),
            Pane::Alerts => (&state.alerts.typed, &state.alerts.error),
            Pane::Metrics => (&state.metrics.typed, &state.metrics.error),
            Pane::Databases => (&state.databases.typed, &state.databases.error),
            Pane::Backups => (&state.backups.typed, &state.backups.error),
            Pane::Deployments => (&state.deployments.typed, &state.deployments.error),
            Pane::Operations => (&state.operations.typed, &state.operations.error),
            Pane::Timeline => (&state.timeline.list.typed, &state.timeline.list.error),
        };
        return input(canvas, y, '/', typed, error.as_deref());
    }
    if let Some(Layer::Help { search, .. }) = state.layers.last()
        && search.typing
    {
        return input(canvas, y, '/', &search.typed, None);
    }
    if let (Some(Layer::Logs(_)), Some(logs)) = (state.layers.last(), &state.logs)
        && logs.typing
    {
        return input(canvas, y, '/', &logs.typed, logs.error.as_deref());
    }
    if let Some(Layer::Silences(of)) = state.layers.last()
        && of.typing
    {
        return input(canvas, y, '/', &of.list.typed, of.list.error.as_deref());
    }
    if let Some(said) = &state.said {
        canvas.put(0, y, canvas.area.width, said, Token::Warning);
        return;
    }
    for hint in footer::hints(state, canvas.area.width) {
        let wide = cells(&hint.key) + 1 + cells(hint.short);
        canvas.put(hint.x, y, wide, &hint.key, Token::Key);
        canvas.put(hint.x + cells(&hint.key) + 1, y, wide, hint.short, Token::Dim);
    }
}

/// A line that is being typed: the end of a long text, a cursor, and to its right why it cannot be taken.
pub fn input(canvas: &mut Canvas, y: u16, prompt: char, typed: &str, error: Option<&str>) {
    let width = canvas.area.width;
    let room = usize::from(if error.is_some() { width / 2 } else { width }).saturating_sub(3);
    let mut shown = typed;
    while usize::from(cells(shown)) > room {
        let mut rest = shown.chars();
        rest.next();
        shown = rest.as_str();
    }
    let x = canvas.put(0, y, width, &format!("{prompt}{shown}_"), Token::Input);
    if let Some(error) = error {
        canvas.put(x + 2, y, width.saturating_sub(x + 2), error, Token::Warning);
    }
}

/// The line over a list: column heads as (column, text), and at the right the filter with what it leaves.
pub fn heads(canvas: &mut Canvas, heads: &[(u16, &str)], chip: &str) {
    let y = 2;
    let room = usize::from(canvas.area.width / 2);
    let wide = cells(&fit(chip, room.saturating_sub(2), canvas.ascii)) + 2;
    let end = if chip.is_empty() { canvas.area.width } else { canvas.area.width.saturating_sub(wide) };
    // A head that the chip would cut in two is left out: half a word beside a number reads as something else.
    for (x, head) in heads.iter().filter(|(x, head)| x + cells(head) <= end || chip.is_empty()) {
        canvas.put(*x, y, canvas.area.width.saturating_sub(*x), head, Token::Title);
    }
    if !chip.is_empty() {
        let chip = format!("  {}", fit(chip, room.saturating_sub(2), canvas.ascii));
        canvas.put_right(0, canvas.area.width, y, &chip, Token::Input);
    }
}

/// The filter chip: empty where nothing is filtered.
pub fn chip(filter: &str, shown: impl FnOnce() -> usize, all: usize) -> String {
    if filter.is_empty() { String::new() } else { format!("/{filter} {} of {all}", shown()) }
}
