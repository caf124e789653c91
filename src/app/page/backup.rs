//! Of a source that tells of backups: what would be lost, its ladder with the holes, what pruning would remove, and all
//! points.

use jiff::SignedDuration;

use crate::app::state::State;
use crate::app::{mark, when};
use crate::model::age;
use crate::model::backup::{BackupState, Exposure, Ladder};
use crate::model::estate::SourceKind;
use crate::model::metric;
use crate::model::panel::Unit;
use crate::model::preferences::Token;

use super::Page;

/// Points that are listed, and holes of one tier.
const LISTED: usize = 1_000;
const HOLES: usize = 20;
/// Candidates of pruning.
const PRUNED: usize = 50;

/// What is known of the backup that is the source at that place; nothing where it is none.
pub fn lines(state: &State, index: usize, page: &mut Page) {
    let Some(of) = state.shown().backups.iter().find(|b| b.source == index) else { return };
    page.head("IF LOST NOW");
    exposure(state, of, "this copy only", &of.exposure, page);
    exposure(state, of, "data lost", &of.loss.data, page);
    match &of.loss.site {
        Some((site, lost)) => exposure(state, of, &format!("{site} lost"), lost, page),
        None => page.field("site lost", "? no service with sites is named", Token::Unknown),
    }
    promise(state, of, page);
    super::verification::section(state, index, page);
    ladders(state, of, page);
    points(state, of, page);
}

/// An exposure as one cell: `48m`, `everything`, `?`.
pub fn cell(state: &State, exposure: &Exposure) -> String {
    match exposure {
        Exposure::Since(_) => exposure.span(state.now).map_or_else(|| "?".into(), age::exact),
        Exposure::Everything => "everything".into(),
        Exposure::Unknown(_) => "?".into(),
    }
}

fn exposure(state: &State, of: &BackupState, name: &str, exposure: &Exposure, page: &mut Page) {
    let severity = of.judge(exposure, state.now);
    let glyph = mark::glyph(severity);
    let text = match exposure {
        Exposure::Since(at) => format!("{}, since {}", cell(state, exposure), when::full(state, *at)),
        Exposure::Everything => "everything: no recovery point can be used".into(),
        Exposure::Unknown(why) => format!("not known: {why}"),
    };
    let against = match of.rpo() {
        Some(rpo) => format!(" (objective {})", age::exact(rpo)),
        None => " (no objective is named)".into(),
    };
    page.field(name, format!("{glyph} {text}{against}").trim_start(), mark::token(severity));
}

fn promise(state: &State, of: &BackupState, page: &mut Page) {
    let source = state.estate.sources.get(of.source);
    page.head("PROMISE");
    if let Some(rto) = of.objective.as_ref().and_then(|o| o.rto) {
        page.field("back within", &age::exact(rto), Token::Text);
    }
    match of.worst {
        Some(worst) => {
            let took = worst.took.map_or(", how long one takes is not told".into(), |t| format!(", one takes {}", age::exact(t)));
            let copied = worst.copied.map_or(String::new(), |t| format!(", its copy {}", age::exact(t)));
            page.field("schedule", &format!("every {}{took}{copied}", age::exact(worst.interval)), Token::Text);
            let (text, token) = match of.cannot_comply() {
                true => (format!("! {}: this schedule can never meet its objective", age::exact(worst.total())), Token::Warning),
                false => (age::exact(worst.total()), Token::Text),
            };
            page.field("worst case", &text, token);
        }
        None => page.field("schedule", "? none is named: when the next one is due is not known", Token::Unknown),
    }
    match (of.beat.silent, of.beat.due) {
        (Some(last), _) => page.field("silent", &format!("! since {}", when::both(state, last)), Token::Warning),
        (None, Some(due)) => page.field("next due", &when::both(state, due), Token::Text),
        (None, None) => page.field("next due", "? not known", Token::Unknown),
    }
    match of.tested {
        Some(at) => page.field("restore test", &when::both(state, at), Token::Text),
        None => page.field("restore test", "? never", Token::Unknown),
    }
    if let Some(SourceKind::Backup(backup)) = source.map(|s| &s.kind)
        && backup.retention.is_empty()
    {
        page.field("retention", "? none is named: what must be kept is not known", Token::Unknown);
    }
}

/// A time in one unit: `48m`, `71m`, `3h`, `6d`.
pub fn short(span: SignedDuration) -> String {
    match span.as_secs().max(0) {
        s @ 0..120 => format!("{s}s"),
        s @ 120..7_200 => format!("{}m", s / 60),
        s @ 7_200..172_800 => format!("{}h", s / 3_600),
        s => format!("{}d", s / 86_400),
    }
}

/// One tier in a line: `hourly 7d   165/166  1 hole, gap 2h`.
pub fn rung(ladder: &Ladder) -> String {
    let gap = ladder.gap.map_or(String::new(), |gap| format!(", gap {}", age::exact(gap)));
    let holes = match ladder.holes.len() {
        0 if ladder.slots.is_empty() => "  nothing is due yet".to_owned(),
        0 => "  whole".to_owned(),
        1 => "  1 hole".to_owned(),
        n => format!("  {n} holes"),
    };
    let proof = ladder.weakest.map_or(String::new(), |proof| format!(", all {} or better", proof.word()));
    format!("{}/{}{holes}{gap}{proof}", ladder.filled(), ladder.slots.len())
}

/// A ruler of a tier: `#` where a slot is filled, `x` where one is not; several slots to a column where there are more.
pub fn ruler(ladder: &Ladder, width: usize) -> String {
    let slots = &ladder.slots;
    let width = width.min(slots.len());
    let column = |n: usize| {
        let part = &slots[n * slots.len() / width..(n + 1) * slots.len() / width];
        if part.iter().all(|slot| slot.point.is_some()) { '#' } else { 'x' }
    };
    (0..width).map(column).collect()
}

fn ladders(state: &State, of: &BackupState, page: &mut Page) {
    if of.ladders.is_empty() {
        return;
    }
    page.head("LADDER  whole slots due now, judged against the clock");
    for ladder in &of.ladders {
        let name = format!("{} {}", ladder.tier.every, age::exact(ladder.tier.keep));
        let token = if ladder.whole() { Token::Text } else { Token::Warning };
        let glyph = if ladder.whole() { "" } else { "! " };
        page.field(&name, &format!("{glyph}{}", rung(ladder)), token);
        if !ladder.slots.is_empty() {
            page.field("", &format!("[{}]", ruler(ladder, 56)), token);
        }
        for hole in ladder.holes.iter().rev().take(HOLES) {
            let slots = if hole.slots == 1 { "1 slot".to_owned() } else { format!("{} slots", hole.slots) };
            let text = format!("x {} to {}: {slots}", when::full(state, hole.start), when::full(state, hole.end));
            page.field("hole", &text, Token::Warning);
        }
        if ladder.holes.len() > HOLES {
            page.field("", &format!("{} older holes", ladder.holes.len() - HOLES), Token::Warning);
        }
    }
    page.head("PRUNING  Quarterdeck prunes nothing");
    let Some(answer) = &of.answer else { return };
    let (count, held) = (of.prune.candidates.len(), of.prune.held());
    let size = metric::show(of.prune.size as f64, Unit::Bytes);
    page.field("would remove", &format!("{count} points, {size}; {held} of them are held"), Token::Text);
    for candidate in of.prune.candidates.iter().take(PRUNED) {
        let Some(point) = answer.points.get(candidate.place) else { continue };
        let why = if candidate.held.is_empty() { String::new() } else { format!("  held: {}", candidate.held.join("; ")) };
        page.text(&format!("{}{why}", point.id), Token::Dim);
    }
    if count > PRUNED {
        page.text(&format!("{} more", count - PRUNED), Token::Dim);
    }
}

fn points(state: &State, of: &BackupState, page: &mut Page) {
    let Some(answer) = &of.answer else { return };
    let running = if answer.running { ", one is being made" } else { "" };
    page.head(&format!("POINTS  {}{running}", answer.total));
    for (place, point) in answer.points.iter().take(LISTED).enumerate() {
        let size = point.size.map_or_else(|| "?".into(), |size| metric::show(size as f64, Unit::Bytes));
        let took = point.took().map_or(String::new(), |took| format!("  took {}", age::exact(took)));
        let why = of.unusable.get(place).and_then(Option::as_ref);
        let (bad, token) = match why {
            Some(why) => (format!("  X cannot be used: {why}"), Token::Critical),
            None => (String::new(), Token::Text),
        };
        let proof = point.proof();
        let line = format!(
            "{}  {:11} {} {:20} {size:>9}{took}  {}{bad}",
            when::full(state, point.restores_to),
            point.kind.word(),
            proof.word(),
            proof.meaning(),
            point.id
        );
        page.text(&line, token);
    }
    if answer.points.is_empty() {
        page.text("? there is no recovery point", Token::Unknown);
    }
    if answer.total > LISTED {
        page.text(&format!("{} older ones", answer.total - LISTED.min(answer.total)), Token::Dim);
    }
    if !answer.notes.is_empty() {
        page.head("NOTES");
        for note in &answer.notes {
            page.text(note, Token::Warning);
        }
    }
}
