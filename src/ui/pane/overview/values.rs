//! The Overview's panels: now, limit, the last hour, and the age of it.

use crate::app::mark;
use crate::app::state::State;
use crate::app::when;
use crate::model::estate::Severity;
use crate::model::health::PanelView;
use crate::model::metric;
use crate::model::preferences::Token;
use crate::model::reading::Freshness;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::spark;

use super::{AGE_WIDTH, STATE, age_cell, place_of};

/// The columns of a panel's values: now, limit, the last hour and its width, and what stands behind it.
pub(super) struct Values {
    pub(super) now: u16,
    pub(super) limit: u16,
    pub(super) hour: u16,
    pub(super) hour_width: u16,
    pub(super) rest: u16,
}

pub(super) fn values(width: u16) -> Values {
    match width {
        ..56 => Values { now: 18, limit: 27, hour: 34, hour_width: 11, rest: 45 },
        56..70 => Values { now: 24, limit: 33, hour: 40, hour_width: width - 48, rest: width },
        70..120 => Values { now: 31, limit: 41, hour: 48, hour_width: 14, rest: 63 },
        _ => Values { now: 36, limit: 48, hour: 56, hour_width: 24, rest: 82 },
    }
}

/// A panel's newest value, its limit, its last hour and its age.
pub(super) fn metric(canvas: &mut Canvas, state: &State, y: u16, view: &PanelView) {
    let at = values(canvas.area.width);
    let (text, token) = now_cell(state, view);
    canvas.put(at.now, y, at.limit - at.now - 1, &text, token);
    let limit = match (view.severity(), view.panel.warn, view.panel.critical) {
        (Severity::Critical, _, Some(limit)) | (_, Some(limit), _) | (_, None, Some(limit)) => {
            metric::show_at(limit, view.panel.unit, state.now)
        }
        (_, None, None) => "-".to_owned(),
    };
    canvas.put(at.limit, y, at.hour - at.limit - 1, &limit, Token::Dim);
    spark::draw(canvas, (at.hour, y), at.hour_width, view, state.now);
    let age = view.as_of.map_or("-".to_owned(), |at| when::ago(state, at));
    age_cell(canvas, y, &age, if view.freshness == Freshness::Fresh { Token::Dim } else { Token::Unknown });
}

/// The newest value alone: what it means stands in the state, and in the colour.
fn now_cell(state: &State, view: &PanelView) -> (String, Token) {
    match (view.value(), view.freshness) {
        _ if view.answer.is_some_and(|a| a.error.is_some()) => ("? failed".into(), Token::Unknown),
        (None, Freshness::Fresh) => ("? no data".into(), Token::Unknown),
        (None, freshness) => (format!("? {}", freshness.word()), Token::Unknown),
        (Some(value), Freshness::Fresh) => {
            let shown = metric::show_at(value, view.panel.unit, state.now);
            match view.severity() {
                severity @ (Severity::Critical | Severity::Warning) => {
                    (format!("{} {shown}", mark::glyph(severity)), mark::token(severity))
                }
                _ => (format!("  {shown}"), Token::Text),
            }
        }
        (Some(value), _) => (format!("[{}] ?", metric::show_at(value, view.panel.unit, state.now)), Token::Unknown),
    }
}

/// One panel with a line of its own.
pub(super) fn panel(canvas: &mut Canvas, state: &State, y: u16, view: &PanelView, name: Token) {
    let at = values(canvas.area.width);
    canvas.put(STATE, y, at.now - STATE - 1, &view.panel.name, name);
    metric(canvas, state, y, view);
    let width = canvas.area.width;
    let of = place_of(view.panel.service.as_ref(), view.panel.site.as_ref());
    canvas.put(at.rest + 1, y, width.saturating_sub(at.rest + 1 + AGE_WIDTH + 1), &of, Token::Dim);
}
