//! The Backups pane: what would be lost of each against its objective, and of the selected one its ladder with the holes,
//! what pruning would remove, and what its schedule can promise.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::app::page::backup::{bounds_text, gates, ruler, rung, short, trend_text};
use crate::app::pane::BACKUP_LINES;
use crate::app::state::State;
use crate::app::{mark, when};
use crate::model::age;
use crate::model::backup::{BackupState, Exposure, Hole, Ladder};
use crate::model::estate::Severity;
use crate::model::metric;
use crate::model::panel::Unit;
use crate::model::preferences::Token;
use crate::model::reading::Freshness;
use crate::ui::frame;
use crate::ui::widget::canvas::{Canvas, cells};

/// Cells of the bar between its brackets, on a wide screen and on a narrow one, where names need the room.
const BAR: u16 = 10;
const SHORT_BAR: u16 = 6;

/// The columns that depend on the width. The last five stand only where there is room for them.
struct Columns {
    point: u16,
    bar: u16,
    /// Cells of the bar between its brackets.
    cells: u16,
    lost: u16,
    worst: u16,
    site: u16,
    proof: u16,
    test: u16,
    copy: Option<u16>,
    account: Option<u16>,
    ladder: Option<u16>,
    due: Option<u16>,
    more: Option<u16>,
}

fn columns(width: u16) -> Columns {
    let wide = width >= 140;
    let (name, cells) = if wide { (30, BAR) } else { (18, SHORT_BAR) };
    let point = 2 + name;
    let lost = point + 11 + cells;
    let test = lost + 32;
    let more = |by: u16| Some(test + by).filter(|_| wide);
    Columns {
        point,
        bar: point + 8,
        cells,
        lost,
        worst: lost + 11,
        site: lost + 18,
        proof: lost + 28,
        test,
        copy: more(14),
        account: more(24),
        ladder: more(34),
        due: more(43),
        more: more(50).filter(|at| at + 20 < width),
    }
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
        (at.worst, "WORST"),
        (at.site, "SITE LOST"),
        (at.proof, "PRF"),
        (at.test, "RESTORED"),
    ];
    let wide = [(at.copy, "COPY LOST"), (at.account, "ACC. LOST"), (at.ladder, "LADDER"), (at.due, "DUE")];
    let heads: Vec<(u16, &str)> = heads.into_iter().chain(wide.into_iter().filter_map(|(at, head)| Some((at?, head)))).collect();
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
    let silent = if of.beat.silent.is_some() || of.archiving_fails() { "!" } else { "" };
    let point = format!("{}{silent}", point.as_deref().unwrap_or("none"));
    let token = if silent.is_empty() { Token::Text } else { Token::Warning };
    canvas.put(at.point, y, at.bar - at.point - 1, &point, token);
    let severity = of.judge(&of.exposure, state.now);
    // What is not fresh is drawn as that: a newer point may be there.
    let token = if fresh == Freshness::Fresh { mark::token(severity) } else { Token::Unknown };
    canvas.put(at.bar, y, at.cells + 2, &bar(state, of, at.cells), token);
    canvas.put(at.lost, y, at.worst - at.lost - 1, &lost(state, of, &of.exposure, fresh), token);
    let (worst, token) = match of.worst {
        Some(worst) if of.cannot_comply() => (format!("{} !", short(worst.total())), Token::Warning),
        Some(worst) => (short(worst.total()), Token::Text),
        None => ("?".to_owned(), Token::Unknown),
    };
    canvas.put(at.worst, y, at.site - at.worst - 1, &worst, token);
    let (site, token) = with(state, of, of.loss.site());
    canvas.put(at.site, y, at.proof - at.site - 1, &site, token);
    match state.verifying.running.get(&of.source) {
        // For as long as it takes it stands in place of the proof and the last restore, which the page has too.
        Some(running) => {
            canvas.put(at.proof, y, 15, &running.cell(), Token::Title);
        }
        None => {
            canvas.put(at.proof, y, 3, of.newest.as_ref().map_or("-", |p| p.proof().word()), Token::Text);
            let (text, token) = match of.tested {
                Some(test) => {
                    let took = test.took.map_or("?".to_owned(), short);
                    (format!("{} in {took}", short(state.now.duration_since(test.at))), Token::Text)
                }
                None => ("never ?".to_owned(), Token::Unknown),
            };
            canvas.put(at.test, y, 11, &text, token);
        }
    }
    if let Some(x) = at.copy {
        let (text, token) = with(state, of, of.loss.copy.as_ref());
        canvas.put(x, y, 9, &text, token);
    }
    if let Some(x) = at.account {
        let (text, token) = with(state, of, of.loss.account());
        canvas.put(x, y, 9, &text, token);
    }
    if let Some(x) = at.ladder {
        let (text, token) = ladder(of);
        canvas.put(x, y, 8, &text, token);
    }
    if let Some(x) = at.due {
        let (text, token) = match (of.beat.silent, of.beat.due) {
            (Some(_), _) => ("!SLNT".to_owned(), Token::Warning),
            (None, Some(due)) if due <= state.now => ("now".to_owned(), Token::Text),
            (None, Some(due)) => (short(due.duration_since(state.now)), Token::Dim),
            (None, None) => ("?".to_owned(), Token::Unknown),
        };
        canvas.put(x, y, 6, &text, token);
    }
    if let Some(more) = at.more {
        let service = source.service.as_deref().unwrap_or("no service");
        let place = source.site.as_deref().map_or_else(|| "? site".to_owned(), |site| format!("at {site}"));
        canvas.put(more, y, canvas.area.width - more, &format!("{service}, {} {place}", source.kind.word()), Token::Dim);
    }
}

/// What would be lost with a site or an account.
fn with(state: &State, of: &BackupState, lost: Option<&(String, Exposure)>) -> (String, Token) {
    let Some((_, exposure)) = lost else { return ("?".to_owned(), Token::Unknown) };
    let severity = of.judge(exposure, state.now);
    (format!("{} {}", mark::glyph(severity), cell(state, exposure)).trim_start().to_owned(), mark::token(severity))
}

/// How much of the objective is used up: `[=======   ]`, `#` at its end where it is more than all.
fn bar(state: &State, of: &BackupState, whole: u16) -> String {
    let whole = usize::from(whole);
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

/// What would be lost of every service now, the worst first: the line that is read when only one is.
fn worst_first(state: &State) -> (String, Token) {
    let all = &state.shown().backups;
    let name = |of: &BackupState| {
        let source = state.estate.sources.get(of.source);
        source.map_or("?", |s| s.service.as_deref().unwrap_or(&s.name)).to_owned()
    };
    let mut seen = BTreeSet::new();
    let mut services: Vec<(Severity, String, String)> = all
        .iter()
        .filter(|of| seen.insert(name(of)))
        .map(|of| {
            let severity = of.judge(&of.loss.data, state.now);
            let rpo = of.rpo().map_or_else(|| "?".to_owned(), short);
            (severity, name(of), format!("{}/{rpo}", cell(state, &of.loss.data)))
        })
        .collect();
    services.sort_by_key(|(severity, ..)| Reverse(*severity));
    let token = services.first().map_or(Token::Text, |(severity, ..)| mark::token(*severity));
    let (ok, not): (Vec<_>, Vec<_>) = services.into_iter().partition(|(severity, ..)| *severity == Severity::Ok);
    let mut told: Vec<String> = not.iter().map(|(severity, name, lost)| format!("{} {name} {lost}", mark::glyph(*severity))).collect();
    match ok.len() {
        0 => {}
        1 => told.push(format!("{} {} ok", ok[0].1, ok[0].2)),
        n => told.push(format!("{n} others ok")),
    }
    (format!("LOST NOW  {}", told.join("  ")), token)
}

/// What there is to say of the selected one, in [`BACKUP_LINES`] lines with the empty one above.
fn below(canvas: &mut Canvas, state: &State, mut y: u16, of: &BackupState) {
    let width = canvas.area.width;
    let name = state.estate.sources.get(of.source).map_or("?", |s| s.name.as_str());
    let (text, token) = worst_first(state);
    canvas.put(0, y, width, &text, token);
    canvas.put(0, y + 1, width, &format!("LADDER  slots due now, a digit is the proof (V0-V5), x a hole: {name}"), Token::Title);
    y += 2;
    // The one with the holes is the one to see.
    let mut ladders: Vec<&Ladder> = of.ladders.iter().collect();
    ladders.sort_by_key(|ladder| ladder.whole());
    let bounds = bounds_text(state, of);
    for ladder in ladders.into_iter().take(if bounds.is_some() { 2 } else { 3 }) {
        rungs(canvas, state, y, ladder);
        y += 1;
    }
    if let Some((text, token)) = bounds {
        canvas.put(0, y, width, &format!("  oldest         {text}"), token);
        y += 1;
    } else if of.ladders.is_empty() {
        canvas.put(2, y, width - 2, "? no retention is named in the estate file: what must be kept is not known", Token::Unknown);
        y += 1;
    }
    let size = metric::show(of.prune.size as f64, Unit::Bytes);
    let (count, held) = (of.prune.candidates.len(), of.prune.held());
    if count > 0 {
        // The first gate that is shut is the one to work on; the others are on the page.
        let all = gates(of);
        let shut = all.iter().filter(|(_, token)| *token != Token::Text).count();
        let first = all.iter().find(|(_, token)| *token != Token::Text);
        let first = first.map_or("every gate is open".to_owned(), |(text, _)| text.clone());
        let more = if shut > 1 { format!("; {} more gates", shut - 1) } else { String::new() };
        canvas.put(0, y, width, &format!("PRUNING would remove {count} points, {size}; {held} are held"), Token::Text);
        canvas.put(2, y + 1, width - 2, &format!("{first}{more}"), if shut > 0 { Token::Warning } else { Token::Text });
        y += 2;
    }
    let worst = match of.worst {
        Some(worst) if of.cannot_comply() => {
            (format!("! WORST CASE {}: this schedule can never meet its objective", age::exact(worst.total())), Token::Warning)
        }
        Some(worst) => (format!("WORST CASE {} while all goes well", age::exact(worst.total())), Token::Text),
        None if !of.wal.is_empty() => ("? WORST CASE not known: how long the log may wait is not told".to_owned(), Token::Unknown),
        None => ("? WORST CASE not known: no schedule is named".to_owned(), Token::Unknown),
    };
    let trend = of
        .trend
        .map(trend_text)
        .filter(|(_, token)| *token != Token::Text)
        .map_or(String::new(), |(text, _)| format!("; one takes {text}"));
    canvas.put(0, y, width, &format!("{}{trend}", worst.0), worst.1);
    let scope = |lost: Option<&(String, Exposure)>, none: &str| match lost {
        Some((name, exposure)) => format!("{name} lost {}", cell(state, exposure)),
        None => none.to_owned(),
    };
    let copy = of.loss.copy.as_ref().map_or("?".to_owned(), |(_, exposure)| cell(state, exposure));
    let (site, account) = (scope(of.loss.site(), "site ?"), scope(of.loss.account(), "account ?"));
    let data = cell(state, &of.loss.data);
    canvas.put(0, y + 1, width, &format!("IF LOST NOW {data} | and a copy {copy} | {site} | {account}"), Token::Text);
    let next = match (of.beat.silent, of.beat.due) {
        (Some(last), _) => format!("! the job is silent since {}", when::both(state, last)),
        (None, Some(due)) => format!("next one due {}", when::both(state, due)),
        (None, None) => "? when the next one is due is not known".into(),
    };
    let token = if of.beat.silent.is_some() { Token::Warning } else { Token::Text };
    canvas.put(0, y + 2, width, &next, token);
}

/// One tier: its ruler where there is room for one, its score, its newest hole.
fn rungs(canvas: &mut Canvas, state: &State, y: u16, ladder: &Ladder) {
    let width = canvas.area.width;
    let token = if ladder.whole() { Token::Text } else { Token::Warning };
    let glyph = if ladder.whole() { ' ' } else { '!' };
    let of = ladder.of.as_ref().map_or(String::new(), |of| format!(" {of}"));
    canvas.put(0, y, 17, &format!("{glyph} {} {}{of}", ladder.tier.every, short(ladder.tier.keep)), token);
    let hole = |h: &Hole| {
        let start = when::full(state, h.start);
        // The year is what a narrow screen can do without.
        if width < 130 { format!("  x {}", start.get(5..).unwrap_or(&start)) } else { format!("  x {start}") }
    };
    let hole = ladder.holes.last().map_or(String::new(), hole);
    let text = if width < 130 {
        // The ruler says the rest.
        let gap = ladder.gap.map_or(String::new(), |gap| format!(" gap {}", age::exact(gap)));
        let score =
            if ladder.slots.is_empty() { "nothing is due yet".to_owned() } else { format!("{}/{}", ladder.filled(), ladder.slots.len()) };
        format!("{score}{gap}{hole}")
    } else {
        format!("{}{hole}", rung(ladder))
    };
    let room = usize::from(width.saturating_sub(18 + cells(&text) + 3));
    // A ruler of a few cells tells nothing.
    let ruler = if room < 12 { String::new() } else { format!("[{}] ", ruler(ladder, room.saturating_sub(2).min(84))) };
    canvas.put(18, y, width - 18, &format!("{ruler}{text}"), token);
}
