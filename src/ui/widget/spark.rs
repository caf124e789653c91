//! The last hour of a panel in one line: a column's height is its largest value, `#` is over a limit, a gap is blank and
//! what is not known up to now is `?`.

use jiff::{SignedDuration, Timestamp};

use crate::model::estate::Severity;
use crate::model::health::PanelView;
use crate::model::preferences::Token;
use crate::model::reading::Freshness;
use crate::ui::widget::canvas::Canvas;

/// How far back it reaches.
const BACK: SignedDuration = SignedDuration::from_hours(1);
const BLOCKS: [char; 7] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇'];
const PLAIN: [char; 5] = ['_', '.', ':', '-', '='];

/// One column of it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Gap,
    Unknown,
    Value { worst: f64, over: bool },
}

/// Draws it into `width` columns.
pub fn draw(canvas: &mut Canvas, (x, y): (u16, u16), width: u16, view: &PanelView<'_>, now: Timestamp) {
    let parts = parts(view, usize::from(width), now);
    let top = parts.iter().filter_map(|part| if let Part::Value { worst, .. } = part { Some(*worst) } else { None });
    let limits = [view.panel.warn, view.panel.critical].into_iter().flatten();
    // A limit that is far away would press all of it flat.
    let highest = top.fold(0.0_f64, f64::max);
    let highest = limits.filter(|limit| *limit <= highest * 3.0).fold(highest, f64::max);
    let ascii = canvas.ascii;
    for (at, part) in parts.into_iter().enumerate() {
        let (symbol, token) = match part {
            Part::Gap => continue,
            Part::Unknown => ('?', Token::Unknown),
            Part::Value { worst, over: true } => ('#', crate::app::mark::token(view.panel.judge(worst))),
            Part::Value { worst, over: false } => {
                let share = if highest > 0.0 { (worst / highest).clamp(0.0, 1.0) } else { 0.0 };
                let of = |steps: usize| (share * (steps - 1) as f64).round() as usize;
                (if ascii { PLAIN[of(PLAIN.len())] } else { BLOCKS[of(BLOCKS.len())] }, Token::Dim)
            }
        };
        canvas.cell(x + at as u16, y, symbol, token);
    }
}

/// The columns: the worst value of all series in each.
fn parts(view: &PanelView<'_>, width: usize, now: Timestamp) -> Vec<Part> {
    let mut parts = vec![Part::Gap; width];
    let Some(plot) = view.answer.and_then(|answer| answer.plot.as_ref()) else { return parts };
    let begin = now.checked_sub(BACK).unwrap_or(Timestamp::MIN);
    let column = |at: Timestamp| {
        let part = at.duration_since(begin).as_secs();
        (part >= 0 && at <= now).then(|| ((part as usize * width) / BACK.as_secs() as usize).min(width.saturating_sub(1)))
    };
    let mut last = None;
    let mut filled: Vec<Option<f64>> = vec![None; width];
    for step in 0..plot.len {
        let Some(at) = column(plot.time(step)) else { continue };
        let values = plot.series.iter().filter_map(|series| series.points.get(step).copied().flatten()).filter(|v| v.is_finite());
        for value in values {
            let worse = |old: f64| {
                let (one, two) = (view.panel.judge(value), view.panel.judge(old));
                if one == two {
                    value.max(old)
                } else if one > two {
                    value
                } else {
                    old
                }
            };
            filled[at] = Some(filled[at].map_or(value, worse));
        }
        last = Some(at);
    }
    let stride = width as f64 * plot.step as f64 / BACK.as_secs() as f64;
    for at in 0..width {
        // A step that is wider than a column stands for all of its columns.
        let reach = stride.ceil() as usize;
        let value = filled[at].or_else(|| if stride > 1.0 { (1..reach).find_map(|back| filled[at.checked_sub(back)?]) } else { None });
        if let Some(worst) = value {
            parts[at] = Part::Value { worst, over: view.panel.judge(worst) >= Severity::Warning };
        }
    }
    if view.freshness != Freshness::Fresh {
        let from = last.map_or(0, |at| at + 1);
        parts.iter_mut().skip(from).for_each(|part| *part = Part::Unknown);
    }
    parts
}
