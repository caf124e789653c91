//! Of a source that tells of backups: what would be lost, its ladder with the holes, what pruning would remove, and all
//! points.

use jiff::SignedDuration;

use crate::app::state::State;
use crate::app::{mark, when};
use crate::model::age;
use crate::model::backup::{Backup, BackupOf, BackupState, Exposure, Gate, Ladder, Trend};
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
    exposure(state, of, "data lost", &of.loss.data, page);
    exposure(state, of, "only this left", &of.exposure, page);
    if let Some((name, lost)) = &of.loss.copy {
        exposure(state, of, "a copy lost", lost, page);
        page.field("", &format!("the copy that helps most is {name}"), Token::Dim);
    }
    for (site, lost) in of.loss.sites.iter().take(HOLES) {
        exposure(state, of, &format!("{site} lost"), lost, page);
    }
    if of.loss.sites.is_empty() {
        page.field("site lost", "? no service with sites is named", Token::Unknown);
    }
    for (account, lost) in of.loss.accounts.iter().take(HOLES) {
        exposure(state, of, &format!("{account} lost"), lost, page);
    }
    if of.loss.accounts.is_empty() {
        page.field("account lost", "? no copy says which account it is in", Token::Unknown);
    }
    for copy in of.copies.iter().filter(|_| of.copies.len() > 1).take(HOLES) {
        let repo = copy.repo.map_or_else(|| "of no repo".into(), |repo| format!("repo {repo}"));
        let place = copy.place.site.as_deref().map_or_else(|| "? site".into(), |site| format!("at {site}"));
        let account = copy.place.account.as_ref().map_or(String::new(), |account| format!(", account {account}"));
        page.field(&repo, &format!("{place}{account}: {}", cell(state, &copy.exposure)), mark::token(of.judge(&copy.exposure, state.now)));
    }
    log(state, of, page);
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
        Exposure::Everything => "everything: no recovery point that can be used is left".into(),
        Exposure::Unknown(why) => format!("not known: {why}"),
    };
    let against = match of.rpo() {
        Some(rpo) => format!(" (objective {})", age::exact(rpo)),
        None => " (no objective is named)".into(),
    };
    page.field(name, format!("{glyph} {text}{against}").trim_start(), mark::token(severity));
}

/// What keeps the log, and up to which moment.
fn log(state: &State, of: &BackupState, page: &mut Page) {
    for wal in of.wal.iter().take(HOLES) {
        let (until, token) = match wal.until {
            Ok(at) => (format!("to {}: ", when::full(state, at)), Token::Text),
            Err(_) => ("? ".to_owned(), Token::Unknown),
        };
        page.field("log", &format!("{until}{}", wal.told()), token);
    }
    let Some(said) = of.answer.as_ref().and_then(|answer| answer.archiver.as_ref()) else { return };
    page.head("ARCHIVER");
    page.field("asked", &said.node, Token::Text);
    let (text, token) = if said.is_on() { (said.mode.clone(), Token::Text) } else { ("! off: no log is archived".into(), Token::Warning) };
    page.field("archive_mode", &text, token);
    let timeout = said.timeout.map_or("? off: a file that is not full waits for ever".to_owned(), age::exact);
    page.field("at least each", &timeout, if said.timeout.is_some() { Token::Text } else { Token::Unknown });
    let at = |at: Option<jiff::Timestamp>| at.map_or("at no time that is told".to_owned(), |at| when::both(state, at));
    match &said.last_archived {
        Some(file) => page.field("newest", &format!("{file}, archived {}", at(said.last_archived_at)), Token::Text),
        None => page.field("newest", "? nothing was archived since its statistics began", Token::Unknown),
    }
    match &said.last_failed {
        Some(file) if said.is_failing() => {
            page.field("failing", &format!("X {file} {}, {} failed tries", at(said.last_failed_at), said.failed), Token::Critical);
        }
        Some(file) => page.field("failed", &format!("{} tries, the newest {file} {}", said.failed, at(said.last_failed_at)), Token::Dim),
        None => page.field("failed", "never", Token::Text),
    }
    page.field(
        "waiting",
        &said.waiting.map_or("? not told".into(), |n| format!("{n} {}", if n == 1 { "file" } else { "files" })),
        Token::Text,
    );
    if let Some(slot) = &said.slot {
        let reader = slot.reader.as_deref().unwrap_or("somebody");
        let behind = slot.behind.map_or(String::new(), |bytes| format!(", {} behind", metric::show(bytes as f64, Unit::Bytes)));
        let (text, token) = match (slot.there, slot.active) {
            (false, _) => (format!("! {}: there is none", slot.name), Token::Warning),
            (true, false) => (format!("! {}: nothing reads it", slot.name), Token::Warning),
            (true, true) => (format!("{}: read by {reader}{behind}", slot.name), Token::Text),
        };
        page.field("slot", &text, token);
    }
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
            if worst.log {
                page.field("log archived", &format!("at the latest after {}", age::exact(worst.interval)), Token::Text);
            } else {
                page.field("schedule", &format!("every {}{took}{copied}", age::exact(worst.interval)), Token::Text);
            }
            let (text, token) = match of.cannot_comply() {
                true => (format!("! {}: this schedule can never meet its objective", age::exact(worst.total())), Token::Warning),
                false => (age::exact(worst.total()), Token::Text),
            };
            page.field("worst case", &text, token);
        }
        None if !of.wal.is_empty() => {
            page.field("worst case", "? how long a file of the log may wait is not told: it has no bound", Token::Unknown);
        }
        None => page.field("schedule", "? none is named: when the next one is due is not known", Token::Unknown),
    }
    if let Some(SourceKind::Backup(Backup { takes: Some(takes), .. })) = source.map(|s| &s.kind) {
        page.field("expected", &format!("one takes {} with its copy", age::exact(*takes)), Token::Text);
    }
    if let Some(trend) = of.trend {
        let (text, token) = trend_text(trend);
        page.field("one takes", &text, token);
    }
    // An archiver has no points of its own: what is kept, and when the next comes, is told with its base.
    let archiver = matches!(source.map(|s| &s.kind), Some(SourceKind::Backup(Backup { of: BackupOf::Archiver { .. }, .. })));
    match (of.beat.silent, of.beat.due) {
        _ if archiver => {}
        (Some(last), _) => page.field("silent", &format!("! since {}", when::both(state, last)), Token::Warning),
        (None, Some(due)) => page.field("next due", &when::both(state, due), Token::Text),
        (None, None) => page.field("next due", "? not known", Token::Unknown),
    }
    match of.tested {
        Some(test) => {
            let took = test.took.map_or(", how long it took is not told".to_owned(), |took| format!(", took {}", age::exact(took)));
            let what = if test.checked { "" } else { ", it started and was not checked" };
            let rto = of.objective.as_ref().and_then(|o| o.rto);
            let slow = test.took.zip(rto).is_some_and(|(took, rto)| took > rto);
            let (glyph, late) = if slow { ("! ", ": longer than may be") } else { ("", "") };
            let text = format!("{glyph}{}{took}{late}{what}", when::both(state, test.at));
            page.field("restore test", &text, if slow { Token::Warning } else { Token::Text });
        }
        None => page.field("restore test", "? never", Token::Unknown),
    }
    bounds(state, of, page);
    if let Some(SourceKind::Backup(backup)) = source.map(|s| &s.kind)
        && backup.retention.is_empty()
        && !archiver
    {
        page.field("retention", "? none is named: what must be kept is not known", Token::Unknown);
    }
}

/// How durations go: `4m, before 3m`.
pub fn trend_text(trend: Trend) -> (String, Token) {
    let (now, before) = (age::exact(trend.now), age::exact(trend.before));
    match trend.growth() {
        growth if growth >= SLOWER => (format!("! {now} by the newest, before {before}: {:+.0}%", growth * 100.0), Token::Warning),
        growth if growth.abs() < 0.1 => (format!("{now}, as before"), Token::Text),
        growth => (format!("{now} by the newest, before {before}: {:+.0}%", growth * 100.0), Token::Text),
    }
}

/// From this growth of a backup's duration on it is worth a look.
const SLOWER: f64 = 0.5;

fn bounds(state: &State, of: &BackupState, page: &mut Page) {
    if let Some((text, token)) = bounds_text(state, of) {
        page.field("oldest", &text, token);
    }
}

/// The oldest points against floor and ceiling; `None` where neither is named.
pub fn bounds_text(state: &State, of: &BackupState) -> Option<(String, Token)> {
    let bounds = of.bounds.as_ref()?;
    let Some(SourceKind::Backup(Backup { keep, .. })) = state.estate.sources.get(of.source).map(|s| &s.kind) else { return None };
    if bounds.partly {
        return Some(("? there are more points than are looked at: the oldest is not known".into(), Token::Unknown));
    }
    let oldest = bounds.oldest.map_or("none".to_owned(), |at| age::exact(state.now.duration_since(at)));
    let floor = keep.floor.map(|floor| format!(", at least {}", age::exact(floor)));
    let ceiling = keep.ceiling.map(|ceiling| format!(", at most {}", age::exact(ceiling)));
    let held = if bounds.held > 0 { format!("; {} beyond it on hold", bounds.held) } else { String::new() };
    let (glyph, more, token) = match (bounds.below, bounds.above, bounds.due) {
        (_, above @ 1.., _) => ("! ", format!("; {above} beyond it and not on hold"), Token::Warning),
        (true, ..) => ("! ", ": too young".to_owned(), Token::Warning),
        (false, 0, Some(due)) => ("! ", format!("; the next grows too old {}", when::both(state, due)), Token::Warning),
        (false, 0, None) => ("", String::new(), Token::Text),
    };
    Some((format!("{glyph}{oldest}{}{}{held}{more}", floor.unwrap_or_default(), ceiling.unwrap_or_default()), token))
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

/// A ruler of a tier: how well each slot is proved, `0` to `5`, and `x` where one is empty; several slots to a column
/// where there are more, the worst of them shown.
pub fn ruler(ladder: &Ladder, width: usize) -> String {
    let slots = &ladder.slots;
    let width = width.min(slots.len());
    let column = |n: usize| {
        let part = &slots[n * slots.len() / width..(n + 1) * slots.len() / width];
        match part.iter().map(|slot| slot.proof).min().flatten() {
            None => 'x',
            Some(proof) => proof.digit(),
        }
    };
    (0..width).map(column).collect()
}

/// What pruning would remove and what holds it, in a line: `68 points, 90.9MiB, 68 held`, then the gates.
pub fn gates(of: &BackupState) -> Vec<(String, Token)> {
    let prune = &of.prune;
    let count = prune.candidates.len();
    let next = match prune.unproved {
        0 => ("read back (V3): all that come after".to_owned(), Token::Text),
        n => (format!("X read back (V3): {n} of {count} wait for what comes after them"), Token::Warning),
    };
    let hold = match prune.on_hold {
        0 => ("on hold: none".to_owned(), Token::Text),
        n => (format!("X on hold: {n}"), Token::Warning),
    };
    let gate = |gate: &Gate| match gate {
        Gate::Open(text) => (text.clone(), Token::Text),
        Gate::Shut(text) => (format!("X {text}"), Token::Warning),
        Gate::Unknown(text) => (format!("? {text}"), Token::Unknown),
    };
    vec![next, gate(&prune.copies), hold, gate(&prune.checked)]
}

fn ladders(state: &State, of: &BackupState, page: &mut Page) {
    if of.ladders.is_empty() {
        return;
    }
    page.head("LADDER  whole slots due now: a digit is the proof (V0-V5), x a hole");
    for ladder in &of.ladders {
        let name = format!("{} {}", ladder.tier.every, age::exact(ladder.tier.keep));
        if let Some(of) = &ladder.of {
            page.text(of, Token::Dim);
        }
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
    for (text, token) in gates(of) {
        page.field("gate", &text, token);
    }
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
