//! The Overview's exposure and what is due: how long is left.

use jiff::Timestamp;

use crate::app::mark;
use crate::app::overview;
use crate::app::state::State;
use crate::app::when;
use crate::model::age;
use crate::model::backup::Exposure;
use crate::model::estate::Severity;
use crate::model::preferences::Token;
use crate::model::reading::Freshness;
use crate::ui::widget::canvas::Canvas;

use super::{AGE_WIDTH, LEFT_WIDTH, NAME, STATE, STATE_WIDTH, age_cell, countdown};

/// Where it is told what would be lost, what with a site, and how wide the bar between is.
pub(super) fn exposure_columns(width: u16) -> (u16, u16, u16) {
    if width < 60 { (28, 28, 0) } else { (31, 55, 8) }
}

/// What would be lost of a service if it failed now, against what may be.
pub(super) fn exposure(canvas: &mut Canvas, state: &State, y: u16, index: usize, name: Token) {
    let Some(of) = state.shown().backups.get(index) else { return };
    let width = canvas.area.width;
    let fresh = state.shown_readings().get(of.source).is_some_and(|r| r.freshness(state.now) == Freshness::Fresh);
    let (word, token) = mark::state(of.judge(&of.loss.data, state.now), !fresh);
    canvas.put(STATE, y, STATE_WIDTH, &word, token);
    let (lost_at, site_at, bar) = exposure_columns(width);
    canvas.put(NAME, y, lost_at - NAME - 1, overview::named(state, of).unwrap_or("?"), name);
    let rpo = of.rpo().map_or("? no RPO".to_owned(), |rpo| format!("of {}", age::exact(rpo)));
    let text = format!("{} {rpo}", lost(&of.loss.data, state.now));
    let used = canvas.put(lost_at, y, width.saturating_sub(lost_at + AGE_WIDTH + 1), &text, token);
    if let (Some(span), Some(rpo)) = (of.loss.data.span(state.now), of.rpo()) {
        let share = span.as_secs_f64() / rpo.as_secs_f64().max(1.0);
        let x = lost_at + used + 1;
        if bar > 0 && x + bar + 2 < site_at {
            let full = (share * f64::from(bar)).clamp(0.0, f64::from(bar)) as usize;
            let fill = if share > 1.0 {
                "#".repeat(usize::from(bar))
            } else {
                format!("{}{}", "=".repeat(full), " ".repeat(usize::from(bar) - full))
            };
            canvas.put(x, y, bar + 2, &format!("[{fill}]"), token);
        }
    }
    if bar > 0 {
        let site = of.loss.site().map_or("?".to_owned(), |(site, exposure)| format!("{site}: {}", lost(exposure, state.now)));
        canvas.put(site_at, y, width.saturating_sub(site_at + AGE_WIDTH + 1), &site, Token::Dim);
    }
    age_cell(canvas, y, of.newest.as_ref().map_or("-", |point| point.proof().word()), Token::Dim);
}

fn lost(exposure: &Exposure, now: Timestamp) -> String {
    match exposure {
        Exposure::Since(_) => exposure.span(now).map_or_else(|| "?".to_owned(), age::exact),
        Exposure::Everything => "everything".to_owned(),
        Exposure::Unknown(_) => "?".to_owned(),
    }
}

/// What is due, when, and how long is left.
pub(super) fn due(canvas: &mut Canvas, state: &State, y: u16, index: usize, name: Token) {
    let Some(of) = state.shown().due.get(index) else { return };
    let width = canvas.area.width;
    let token = match of.severity {
        Severity::Ok | Severity::Info => Token::Dim,
        severity => mark::token(severity),
    };
    let glyph = if of.severity == Severity::Info { ' ' } else { mark::glyph(of.severity) };
    canvas.put(STATE, y, STATE_WIDTH, &format!("{glyph} {}", of.kind.word()), token);
    let at = of.counts_to(state.now);
    let left = at.map_or("now".to_owned(), |at| countdown(state, at));
    let left = if of.goes_on(state.now) { left.replace("left", "more") } else { left };
    let when = at.map_or(String::new(), |at| when::short(state, at));
    let of_services = if of.services.is_empty() { String::new() } else { format!(" ({})", of.services.join(" ")) };
    let room = width.saturating_sub(NAME + LEFT_WIDTH + 1);
    let text = if width < 60 { format!("{} {when}", of.name) } else { format!("{} {} {when}{of_services}", of.name, of.what) };
    canvas.put(NAME, y, room, &text, name);
    canvas.put(width - LEFT_WIDTH, y, LEFT_WIDTH, &left, token);
}
