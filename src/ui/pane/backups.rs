//! The Backups pane: what would be lost of each against its objective, and of the selected one its ladder with the holes,
//! what pruning would remove, and what its schedule can promise.

use crate::app::page::backup::{ruler, rung, short};
use crate::app::pane::BACKUP_LINES;
use crate::app::state::State;
use crate::app::{mark, when};
use crate::model::age;
use crate::model::backup::{BackupState, Exposure};
use crate::model::estate::Severity;
use crate::model::metric;
use crate::model::panel::Unit;
use crate::model::preferences::Token;
use crate::model::reading::Freshness;
use crate::ui::frame;
use crate::ui::widget::canvas::{Canvas, cells};

/// Cells of the bar between its brackets.
const BAR: u16 = 10;

/// The columns that depend on the width.
struct Columns {
    point: u16,
    bar: u16,
    lost: u16,
    site: u16,
    proof: u16,
    ladder: u16,
    due: u16,
}

fn columns(width: u16) -> Columns {
    let name = if width >= 120 { 34 } else { 16 };
    let point = 2 + name;
    Columns { point, bar: point + 7, lost: point + 20, site: point + 32, proof: point + 42, ladder: point + 47, due: point + 56 }
}

/// Draws the pane between the fixed lines.
pub fn draw(canvas: &mut Canvas, state: &State) {
    let at = columns(canvas.area.width);
    let all = state.shown().backups.len();
    let chip = frame::chip(&state.backups.filter.text, || state.backup_rows.len(), all);
    let heads = [
        (2, "BACKUP"),
        (at.point, "POINT"),
        (at.bar, "EXPOSURE"),
        (at.lost, "NOW/RPO"),
        (at.site, "SITE LOST"),
        (at.proof, "PRF"),
        (at.ladder, "LADDER"),
        (at.due, "DUE"),
    ];
    frame::heads(canvas, &heads, &chip);
    if state.backup_rows.is_empty() {
        let text = if all == 0 { "The estate file has no [[backup]]: what would be lost is not known" } else { "No backup matches" };
        canvas.put(2, 3, canvas.area.width, text, if all == 0 { Token::Unknown } else { Token::Dim });
        return;
    }
    let lines = usize::from(canvas.area.height - 4);
    let room = lines.saturating_sub(BACKUP_LINES).max(4).min(lines);
    let rows = state.backup_rows.iter().enumerate().skip(state.backups.list.offset).take(room);
    let mut used = 3;
    for (line, (place, index)) in rows.enumerate() {
        let selected = state.backups.list.selected.is_some() && place == state.backups.list.row;
        if let Some(of) = state.shown().backups.get(*index) {
            row(canvas, state, 3 + line as u16, of, selected);
        }
        used = 4 + line as u16;
    }
    let chosen = state.backup_rows.get(state.backups.list.row).and_then(|index| state.shown().backups.get(*index));
    if let Some(of) = chosen.filter(|_| lines >= room + BACKUP_LINES) {
        below(canvas, state, used + 1, of);
    }
}

fn row(canvas: &mut Canvas, state: &State, y: u16, of: &BackupState, selected: bool) {
    let at = columns(canvas.area.width);
    let Some(source) = state.estate.sources.get(of.source) else { return };
    let fresh = state.shown_readings().get(of.source).map_or(Freshness::Never, |r| r.freshness(state.now));
    if selected {
        canvas.put(0, y, 1, ">", Token::Selected);
    }
    canvas.put(2, y, at.point - 3, &source.name, if selected { Token::Selected } else { Token::Text });
    // A point of another day says its day.
    let point = of.newest.as_ref().map(|p| p.restores_to).map(|to| {
        let recent = state.now.duration_since(to).as_hours() < 24;
        if recent { when::minute(state, to) } else { when::ago(state, to) }
    });
    canvas.put(at.point, y, at.bar - at.point - 1, point.as_deref().unwrap_or("none"), Token::Text);
    let severity = of.judge(&of.exposure, state.now);
    // What is not fresh is drawn as that: a newer point may be there.
    let token = if fresh == Freshness::Fresh { mark::token(severity) } else { Token::Unknown };
    canvas.put(at.bar, y, BAR + 2, &bar(state, of), token);
    canvas.put(at.lost, y, at.site - at.lost - 1, &lost(state, of, &of.exposure, fresh), token);
    let (site, site_token) = match &of.loss.site {
        Some((_, exposure)) => {
            let severity = of.judge(exposure, state.now);
            (format!("{} {}", mark::glyph(severity), cell(state, exposure)), mark::token(severity))
        }
        None => ("?".to_owned(), Token::Unknown),
    };
    canvas.put(at.site, y, at.proof - at.site - 1, site.trim_start(), site_token);
    let proof = of.newest.as_ref().map_or("-", |p| p.proof().word());
    canvas.put(at.proof, y, 4, proof, Token::Text);
    if let Some(running) = state.verifying.running.get(&of.source) {
        // For as long as it takes it stands in place of the two last columns, which the page has too.
        canvas.put(at.ladder, y, canvas.area.width.saturating_sub(at.ladder).min(15), &running.cell(), Token::Title);
        return more(canvas, state, y, of);
    }
    let (text, token) = ladder(of);
    canvas.put(at.ladder, y, at.due - at.ladder - 1, &text, token);
    let (text, token) = match (of.beat.silent, of.beat.due) {
        (Some(_), _) => ("!SLNT".to_owned(), Token::Warning),
        (None, Some(due)) if due <= state.now => ("now".to_owned(), Token::Text),
        (None, Some(due)) => (short(due.duration_since(state.now)), Token::Dim),
        (None, None) => ("?".to_owned(), Token::Unknown),
    };
    canvas.put(at.due, y, canvas.area.width.saturating_sub(at.due), &text, token);
    more(canvas, state, y, of);
}

/// What a wide screen has room for at the end of a row.
fn more(canvas: &mut Canvas, state: &State, y: u16, of: &BackupState) {
    let Some(source) = state.estate.sources.get(of.source) else { return };
    let more = columns(canvas.area.width).due + 7;
    if canvas.area.width > more + 20 {
        let service = source.service.as_deref().unwrap_or("no service");
        let place = source.site.as_deref().map_or_else(|| "? site".to_owned(), |site| format!("at {site}"));
        canvas.put(more, y, canvas.area.width - more, &format!("{service}, {} {place}", source.kind.word()), Token::Dim);
    }
}

/// How much of the objective is used up: `[=======   ]`, `#` at its end where it is more than all.
fn bar(state: &State, of: &BackupState) -> String {
    let whole = usize::from(BAR);
    let Some(rpo) = of.rpo() else { return format!("[{:whole$}]", "no RPO") };
    let inside = match of.exposure.span(state.now) {
        None => {
            if of.exposure == Exposure::Everything {
                "#".repeat(whole)
            } else {
                "?".to_owned()
            }
        }
        Some(span) if span > rpo => format!("{}#", "=".repeat(whole - 1)),
        Some(span) => "=".repeat((span.as_secs_f64() / rpo.as_secs_f64().max(0.001) * whole as f64) as usize),
    };
    format!("[{inside:whole$}]")
}

fn cell(state: &State, exposure: &Exposure) -> String {
    match exposure {
        Exposure::Since(_) => exposure.span(state.now).map_or_else(|| "?".into(), short),
        Exposure::Everything => "all".into(),
        Exposure::Unknown(_) => "?".into(),
    }
}

fn lost(state: &State, of: &BackupState, exposure: &Exposure, fresh: Freshness) -> String {
    let rpo = of.rpo().map_or_else(|| "?".to_owned(), short);
    let text = format!("{}/{rpo}", cell(state, exposure));
    let severity = of.judge(exposure, state.now);
    match (fresh, severity) {
        (Freshness::Fresh, Severity::Ok) => format!("{text} ok"),
        (Freshness::Fresh, _) => format!("{} {text}", mark::glyph(severity)),
        _ => format!("[{text}] ?"),
    }
}

fn ladder(of: &BackupState) -> (String, Token) {
    let due: usize = of.ladders.iter().map(|l| l.slots.len()).sum();
    let empty: usize = of.ladders.iter().map(|l| l.slots.len() - l.filled()).sum();
    match () {
        () if of.ladders.is_empty() => ("? none".into(), Token::Unknown),
        () if empty > 0 => (format!("! -{empty}"), Token::Warning),
        () if of.ladders.iter().any(|l| l.gap.is_some()) => ("! gap".into(), Token::Warning),
        () if due == 0 => ("not due".into(), Token::Dim),
        () => (format!("{due}/{due}"), Token::Text),
    }
}

/// What there is to say of the selected one, in [`BACKUP_LINES`] lines.
fn below(canvas: &mut Canvas, state: &State, mut y: u16, of: &BackupState) {
    let width = canvas.area.width;
    let name = state.estate.sources.get(of.source).map_or("?", |s| s.name.as_str());
    canvas.put(0, y, width, &format!("LADDER  {name}: whole slots due now, judged against the clock"), Token::Title);
    y += 1;
    for ladder in of.ladders.iter().take(3) {
        let token = if ladder.whole() { Token::Text } else { Token::Warning };
        let glyph = if ladder.whole() { ' ' } else { '!' };
        let head = format!("{glyph} {} {}", ladder.tier.every, short(ladder.tier.keep));
        canvas.put(0, y, 17, &head, token);
        let hole = ladder.holes.last().map_or(String::new(), |h| format!("  x {}", when::full(state, h.start)));
        let text = format!("{}{hole}", rung(ladder));
        let room = usize::from(width.saturating_sub(18 + cells(&text) + 3));
        // A ruler of a few cells tells nothing.
        let ruler = if room < 12 { String::new() } else { format!("[{}] ", ruler(ladder, room.saturating_sub(2).min(84))) };
        canvas.put(18, y, width - 18, &format!("{ruler}{text}"), token);
        y += 1;
    }
    if of.ladders.is_empty() {
        canvas.put(2, y, width - 2, "? no retention is named in the estate file: what must be kept is not known", Token::Unknown);
        y += 1;
    }
    let size = metric::show(of.prune.size as f64, Unit::Bytes);
    let prune = format!("PRUNING would remove {} points, {size}; {} are held", of.prune.candidates.len(), of.prune.held());
    canvas.put(0, y, width, &prune, Token::Text);
    let worst = match of.worst {
        Some(worst) if of.cannot_comply() => {
            (format!("! WORST CASE {}: this schedule can never meet its objective", age::exact(worst.total())), Token::Warning)
        }
        Some(worst) => (format!("WORST CASE {} while all goes well", age::exact(worst.total())), Token::Text),
        None => ("? WORST CASE not known: no schedule is named".to_owned(), Token::Unknown),
    };
    canvas.put(0, y + 1, width, &worst.0, worst.1);
    let next = match (of.beat.silent, of.beat.due) {
        (Some(last), _) => format!("the job is silent since {}", when::both(state, last)),
        (None, Some(due)) => format!("next one due {}", when::both(state, due)),
        (None, None) => "when the next one is due is not known".into(),
    };
    let tested = of.tested.map_or("? never tested by a restore".to_owned(), |at| format!("restored in a test {}", when::both(state, at)));
    canvas.put(0, y + 2, width, &format!("IF LOST NOW {}; {next}; {tested}", cell(state, &of.loss.data)), Token::Text);
}
