//! What the keys do in what lies below the help page.

use crate::app::layer::{Layer, Scope, scope};
use crate::app::state::State;
use crate::app::wrap::{cells, wrap};
use crate::model::preferences::Token;

use super::{Page, Row};

/// Columns of the keys and of the action's name.
const KEYS: usize = 16;
const ACTION: usize = 15;

/// What deployments are filtered by.
const FILTERS: [(&str, &str); 9] = [
    ("any text", "checkout, \"two words\", !checkout"),
    ("service", "service=checkout site=fra1 environment=production (just this; looked up at once)"),
    ("person", "who=ann, who:^a (a regular expression), who!=ci"),
    ("version", "version=4.18.0, version:^4\\.18, from=4.17.2"),
    ("time", "time>=2026-03-02 time<2026-03-02T14:10 (UTC), age<2h"),
    ("result", "result=failed, result=succeeded, result=unknown"),
    ("source", "source=rollback, source=pipeline, source=person"),
    ("others", "id=D-1187 commit=9c1f0b2 reason:basket approval:mk told:git"),
    ("go to a time", "type it in the palette: 2026-03-02 or 2026-03-02T14:10"),
];

/// One line for each action that works below the help page, what works just there first; long texts are wrapped. Where
/// words are looked for, only the actions that have all of them.
pub fn lines(state: &State, width: u16) -> (String, Vec<Row>) {
    let below = state.layers.iter().rposition(|l| matches!(l, Layer::Help { .. })).unwrap_or(0);
    let typed = match state.layers.get(below) {
        Some(Layer::Help { search, .. }) => search.typed.trim(),
        _ => "",
    };
    let words: Vec<&str> = typed.split_whitespace().collect();
    let scope = scope(state.pane, state.layers.get(..below).unwrap_or(&[]));
    let room = usize::from(width).saturating_sub(KEYS + ACTION + 4);
    let sections = state.keymap.by_place(scope);
    let headed = sections.len() > 1;
    let (mut lines, mut shown, mut all) = (Vec::new(), 0, 0);
    if state.read_only && words.is_empty() {
        let why = "  This console was opened with --read-only: keys that change something in production do nothing here.";
        lines.extend(wrap(why, usize::from(width)).into_iter().map(|line| Row { spans: vec![(line, Token::Warning)], opens: None }));
    }
    // What the step of a wizard ignores means nothing there; what its footer offers comes first.
    let wizard = match below.checked_sub(1).and_then(|at| state.layers.get(at)) {
        Some(Layer::Wizard(of)) => Some(of),
        _ => None,
    };
    for (place, mut bound) in sections {
        if let Some(of) = wizard {
            bound.retain(|(_, action, _)| !of.ignores(*action));
            let rank = |action| scope.footer().iter().position(|of| *of == action).unwrap_or(usize::MAX);
            bound.sort_by_key(|(_, action, _)| rank(*action));
        }
        let mut rows = Vec::new();
        for (keys, action, doc) in bound {
            all += 1;
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            if !words.iter().all(|word| has(word, &keys, action.entry().name, &doc)) {
                continue;
            }
            shown += 1;
            let keys = wrap(&keys.join(" "), KEYS);
            let doc = wrap(&doc, room);
            for at in 0..keys.len().max(doc.len()) {
                let part = |of: &[String]| of.get(at).cloned().unwrap_or_default();
                let name = if at == 0 { action.entry().name } else { "" };
                let keys = (format!("  {}", pad(part(&keys), KEYS + 1)), Token::Key);
                let spans = vec![keys, (pad(name.to_owned(), ACTION + 1), Token::Dim), (part(&doc), Token::Text)];
                rows.push(Row { spans, opens: None });
            }
        }
        if rows.is_empty() {
            continue;
        }
        if headed {
            if !lines.is_empty() {
                lines.push(Row::default());
            }
            lines.push(Row { spans: vec![(head(place).to_owned(), Token::Title)], opens: None });
        }
        lines.extend(rows);
    }
    if scope == Scope::Deployments && words.is_empty() {
        let mut page = Page::new(width);
        page.head("FILTER by any of these, and by several at once");
        for (what, how) in FILTERS {
            page.field(what, how, Token::Text);
        }
        lines.push(Row::default());
        lines.extend(page.done());
    }
    if lines.is_empty() {
        lines.push(Row { spans: vec![("  No key here does anything with these words".to_owned(), Token::Dim)], opens: None });
    }
    let found = if words.is_empty() { String::new() } else { format!("  /{typed}  {shown} of {all}") };
    (format!("KEYS  {}{found}", scope.name()), lines)
}

/// What is above the lines of a place.
fn head(place: Scope) -> &'static str {
    match place {
        Scope::Global => "EVERYWHERE",
        Scope::List => "IN EVERY LIST",
        _ => "HERE",
    }
}

/// True where a line has the word: the key itself, or a part of the action's name or text.
fn has(word: &str, keys: &[String], name: &str, doc: &str) -> bool {
    let low = word.to_lowercase();
    keys.iter().any(|key| key == word || (low.chars().count() > 1 && key.contains(&low)))
        || name.contains(&low)
        || doc.to_lowercase().contains(&low)
}

fn pad(mut text: String, width: usize) -> String {
    let wide = usize::from(cells(&text));
    text.extend(std::iter::repeat_n(' ', width.saturating_sub(wide)));
    text
}
