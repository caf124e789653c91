//! Step 1 of a silence: which labels must hold, or which silence is meant; what that mutes now; until when. Its snapshots
//! are `silence_*`.

use crate::app::page::Row;
use crate::app::state::State;
use crate::app::when;
use crate::app::wrap::fit;
use crate::model::alert::Alert;
use crate::model::estate::Severity;
use crate::model::plan::silence::MOST;
use crate::model::preferences::Token;
use crate::model::silence::{Silence, SilenceMatcher};

use super::draft::{Draft, LASTS, Verb};
use super::{Sheet, row};

/// Its lines.
pub(super) fn sheet(state: &State, of: &Draft, width: u16, sheet: &mut Sheet) {
    let head = match of.verb {
        Verb::Ack if of.many.is_some() => "WHAT  each of these alerts and nothing else: a silence with all its labels",
        Verb::Silence if of.many.is_some() => "WHAT  one silence for all of these alerts, or one for each with all its labels",
        Verb::Expire if of.many.is_some() => "WHICH  silences end now: what they mute",
        Verb::Ack => "WHAT  this alert and nothing else: all its labels must be the same",
        Verb::Silence => "WHAT  whatever has all the labels that are taken in",
        Verb::Extend => "WHICH  silence gets another end",
        Verb::Expire => "WHICH  silence ends now",
    };
    sheet.rows.push(row(head, Token::Title));
    let line = |sheet: &mut Sheet, place: usize, text: &str, dim: bool| sheet.choice(state, width, place, place == of.selected, dim, text);
    if let Some(many) = &of.many {
        let mark = |on: bool| if on { 'x' } else { ' ' };
        if !many.common.is_empty() {
            let labels: Vec<String> = many.common.iter().map(ToString::to_string).collect();
            line(sheet, 0, &format!("[{}] one silence for all of them: {}", mark(many.together), labels.join(" ")), !many.together);
        }
        for (place, one) in many.all.iter().enumerate() {
            line(sheet, place + many.ahead(), &format!("[{}] {}", mark(one.on), one.told), !one.on || many.together);
        }
        if let Some(one) = of.selected.checked_sub(many.ahead()).and_then(|at| many.all.get(at)).filter(|_| of.verb == Verb::Expire) {
            mutes(&one.matchers, state, width, sheet);
        }
        for left in &many.left {
            sheet.rows.push(row(&fit(&format!("  left out: {left}"), usize::from(width), state.look.ascii), Token::Warning));
        }
    }
    for (place, choice) in of.choices.iter().enumerate() {
        line(sheet, place, &format!("[{}] {}", if choice.on { 'x' } else { ' ' }, choice.matcher), !choice.on);
    }
    for (place, silence) in of.silences.iter().enumerate() {
        line(sheet, place, &told(state, silence), false);
    }
    if let Some(silence) = of.silence() {
        mutes(&silence.matchers, state, width, sheet);
    }
    sheet.foot = foot(state, of, width);
}

/// What a silence mutes, in a line.
fn mutes(matchers: &[SilenceMatcher], state: &State, width: u16, sheet: &mut Sheet) {
    let matchers: Vec<String> = matchers.iter().map(ToString::to_string).collect();
    sheet.rows.push(row(&fit(&format!("  it mutes {}", matchers.join(" ")), usize::from(width), state.look.ascii), Token::Dim));
}

/// `2b614108 by ann@jump: the disk is replaced, until 2026-11-21 06:12Z (in 2h)`.
fn told(state: &State, silence: &Silence) -> String {
    let id = silence.id.get(..8).unwrap_or(&silence.id);
    format!("{id} until {}, by {}: {}", when::both(state, silence.ends_at), silence.created_by, silence.comment)
}

/// The lines at the bottom: how many, how long, until when. They are never scrolled away.
fn foot(state: &State, of: &Draft, width: u16) -> Vec<Row> {
    let matched = of.matched(state);
    let now = if of.verb == Verb::Expire { "fires again" } else { "mutes now" };
    let none = if of.many.as_ref().is_some_and(|many| many.silences() == 0) {
        "? none is taken in"
    } else if of.choices.is_empty() || of.choices.iter().any(|choice| choice.on) {
        "nothing that fires now"
    } else {
        "? no label is taken in"
    };
    let count = match matched.len() {
        0 => none.to_owned(),
        1 => format!("1 alert: {}", severities(&matched)),
        n => format!("{n} alerts: {}", severities(&matched)),
    };
    let field = |name: &str, text: &str, token| Row {
        spans: vec![(format!("  {name:13}"), Token::Dim), (fit(text, usize::from(width.saturating_sub(15)), state.look.ascii), token)],
        opens: None,
    };
    let mut rows = vec![row(&"-".repeat(usize::from(width)), Token::Border)];
    rows.push(field(
        now,
        &format!("{count}, as {} was read last", of.source),
        if matched.len() > 1 { Token::Warning } else { Token::Text },
    ));
    if let Some(many) = &of.many {
        let what = if of.verb == Verb::Expire { "are ended" } else { "are made" };
        let told = match many.silences() {
            1 => what.replace("are", "1 silence is"),
            n => format!("{n} silences {what}, a step each; {MOST} at the most"),
        };
        rows.push(field("silences", &told, Token::Text));
    }
    let Some(end) = of.end(state.now) else {
        rows.push(field("until", "it ends at once; who is notified of these alerts is told again", Token::Text));
        return rows;
    };
    let mut spans = vec![(format!("  {:13}", "lasts"), Token::Dim)];
    for (place, (_, word)) in LASTS.iter().enumerate() {
        match place == of.lasts {
            true => spans.push((format!("[{word}] "), Token::Selected)),
            false => spans.push((format!(" {word}  "), Token::Dim)),
        }
    }
    rows.push(Row { spans, opens: None });
    rows.push(field("until", &when::both(state, end), Token::Title));
    rows
}

/// `2 critical, 1 warning`: the worst first.
fn severities(alerts: &[&Alert]) -> String {
    let mut counts = std::collections::BTreeMap::<Severity, usize>::new();
    alerts.iter().for_each(|alert| *counts.entry(alert.severity).or_default() += 1);
    counts.iter().rev().map(|(severity, count)| format!("{count} {}", severity.word())).collect::<Vec<_>>().join(", ")
}
