//! Step 4: the checks as they are now, made again every ten seconds. What is warned of is overridden one by one, with a
//! reason; glass is broken with one. Its snapshots are `wizard_checks`, `wizard_block`, `wizard_override`, `wizard_glass`.

use crate::app::page::{Page, Row};
use crate::app::state::State;
use crate::app::target::Choice;
use crate::app::when;
use crate::model::check::{Check, Verdict};
use crate::model::preferences::Token;

use super::{Sheet, Wizard, awaited, input, row, verdict};

/// Seconds after which a host that did not answer is named.
const SLOW: i64 = 2;

/// Its lines.
pub(super) fn sheet(state: &State, of: &Wizard, width: u16, sheet: &mut Sheet) {
    let open = of.open_checks().count();
    let (text, token) = match (of.checks.is_empty(), open) {
        (true, _) => ("CHECKS  none was made yet".to_owned(), Token::Unknown),
        (false, 0) => (format!("CHECKS  {}, nothing stands in the way", of.checks.len()), Token::Title),
        (false, open) => (format!("CHECKS  {open} of {} in the way", of.checks.len()), Token::Title),
    };
    let age = match (of.checked, of.checking) {
        (Some(at), _) if state.now.duration_since(at) > super::GOOD_FOR => {
            format!("? made {} ago: too old, they are made again", secs(state, at))
        }
        (Some(at), None) => format!("made {} ago", secs(state, at)),
        (Some(at), Some(_)) => format!("made {} ago, being made again", secs(state, at)),
        (None, _) => "being made".to_owned(),
    };
    sheet.rows.push(Row { spans: vec![(text, token), (format!("  {age}"), Token::Dim)], opens: None });
    // Most answer at once: who does not is named before the answer is given up.
    let long = |since: &jiff::Timestamp| state.now.duration_since(*since).as_secs() >= SLOW;
    if let Some((since, hosts)) = of.checking.filter(long).zip(awaited(state, of)) {
        sheet.rows.push(row(&format!("  ? asking {hosts} for {}; the rest answered", secs(state, since)), Token::Unknown));
    }
    if let Some(why) = &of.glass {
        sheet.rows.push(row(&format!("X GLASS BROKEN: {why}"), Token::Critical));
    }
    let selected = selected(of);
    for (place, check) in of.checks.iter().enumerate() {
        let here = Some(place) == selected;
        if here {
            sheet.selected = Some(sheet.rows.len());
        }
        sheet.choices.push((sheet.rows.len(), Choice::Check(check.id.clone())));
        lines(state, of, check, here, width, &mut sheet.rows);
    }
    if let Some(typing) = &of.typing {
        let what = match &typing.check {
            Some(id) => format!("OVERRIDE {id}: why may it go on all the same? An empty line withdraws it."),
            None => "BREAK THE GLASS: why now, against the freeze? Red until it is reviewed; empty withdraws it.".to_owned(),
        };
        sheet.foot = vec![row(&what, if typing.check.is_none() { Token::Critical } else { Token::Title }), input(&typing.text, width)];
    }
}

fn secs(state: &State, at: jiff::Timestamp) -> String {
    format!("{} s", state.now.duration_since(at).as_secs().max(0))
}

/// The place of the selected check; the first that stands in the way where none was selected.
pub(super) fn selected(of: &Wizard) -> Option<usize> {
    let place = |id: &str| of.checks.iter().position(|check| check.id == id);
    let chosen = of.check.as_deref().and_then(place);
    chosen.or_else(|| of.open_checks().next().and_then(|check| place(&check.id))).or(if of.checks.is_empty() { None } else { Some(0) })
}

/// The title, with the target that it is about before it: several have the same one.
fn named(check: &Check) -> String {
    match check.id.split_once('/') {
        Some((_, target)) if !check.title.contains(target) => format!("{target}: {}", check.title),
        _ => check.title.clone(),
    }
}

/// What it saw, with commands as they must be typed and moments in the zone of all else on the screen.
fn seen(state: &State, of: &Wizard, check: &Check) -> String {
    let seen = state.identity.typed(&check.seen);
    of.plan().map_or_else(|| seen.to_string(), |plan| when::in_zone(state, plan, &seen))
}

fn lines(state: &State, of: &Wizard, check: &Check, here: bool, width: u16, rows: &mut Vec<Row>) {
    let (glyph, word, token) = verdict(check.verdict);
    let overridden = of.overrides.iter().find(|one| one.check == check.id).filter(|_| !check.passes());
    let broken = check.glass && check.verdict == Verdict::Block && of.glass.is_some();
    let word = match (overridden, broken) {
        (_, true) => "broken".to_owned(),
        (Some(_), _) if check.is_settled(&of.overrides, false) => format!("{word} ~"),
        _ => word.to_owned(),
    };
    let mark = if here { "> " } else { "  " };
    let title = if here { Token::Selected } else { Token::Text };
    let mut spans = vec![(mark.to_owned(), title), (format!("{glyph} {word:9}"), token), (named(check), title)];
    if check.passes() && !here {
        spans.push((format!("  {}", seen(state, of, check)), Token::Dim));
    }
    rows.push(Row { spans, opens: None });
    if check.passes() && !here {
        return;
    }
    let mut page = Page::new(width);
    page.field("", &format!("{}, {} ago", seen(state, of, check), when::ago(state, check.as_of)), Token::Text);
    if let Some(one) = overridden {
        page.field("", &format!("~ overridden: {}", one.reason), Token::Warning);
    } else if here || !check.is_settled(&of.overrides, of.glass.is_some()) {
        match (check.verdict, check.overridable, check.glass) {
            (Verdict::Pass, ..) => {}
            (Verdict::Block, _, true) if broken => page.field("", "X the glass is broken for it", Token::Critical),
            (Verdict::Block, _, true) => page.field("", "wait until it is over, or break the glass, with a reason", Token::Dim),
            (Verdict::Block, _, false) | (Verdict::Unknown, false, _) => page.field("", "it cannot be overridden", Token::Dim),
            (Verdict::Warn, ..) | (Verdict::Unknown, true, _) => page.field("", "it can be overridden, with a reason", Token::Dim),
        }
    }
    rows.extend(page.done());
}
