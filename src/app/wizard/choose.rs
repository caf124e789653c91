//! Step 2: the releases to go back to, the newest first, each with what is known of it and what it would not take back.
//! Its snapshots are `wizard_release` and `wizard_release_blocked`.

use crate::app::mark;
use crate::app::page::{Page, Row};
use crate::app::state::State;
use crate::app::target::Choice;
use crate::app::when;
use crate::app::wrap::fit;
use crate::model::plan::Candidate;
use crate::model::preferences::Token;

use super::{Sheet, Wizard, row};

/// Its lines.
pub(super) fn sheet(state: &State, of: &Wizard, width: u16, sheet: &mut Sheet) {
    let candidates = of.candidates();
    let now = of.plan().and_then(|plan| plan.from.as_deref()).unwrap_or("?");
    sheet.rows.push(row(&format!("GO BACK TO  {now} runs now"), Token::Title));
    sheet.rows.push(row(&format!("    {:18} {:22} {:12} {}", "VERSION", "LAST PUT THERE", "BY", "HOW"), Token::Dim));
    if candidates.is_empty() {
        sheet.rows.push(row("  ? no release is known that could be gone back to", Token::Unknown));
        return;
    }
    let selected = selected(of);
    for (place, candidate) in candidates.iter().enumerate() {
        let here = Some(place) == selected;
        if here {
            sheet.selected = Some(sheet.rows.len());
        }
        sheet.choices.push((sheet.rows.len(), Choice::Release(candidate.version.clone())));
        sheet.rows.push(line(state, candidate, here));
        if here {
            sheet.rows.extend(details(candidate, width));
        }
    }
}

/// The place of the selected candidate: the one that was picked, else the one that the plan goes back to.
pub(super) fn selected(of: &Wizard) -> Option<usize> {
    let candidates = of.candidates();
    let picked = of.picked.as_ref().and_then(|picked| candidates.iter().position(|one| one.version == *picked));
    picked.or_else(|| candidates.iter().position(|one| one.chosen)).or(if candidates.is_empty() { None } else { Some(0) })
}

fn line(state: &State, one: &Candidate, here: bool) -> Row {
    let ran =
        one.last_ran.map_or_else(|| "? not known".to_owned(), |at| format!("{}, {} ago", when::short(state, at), when::ago(state, at)));
    let (glyph, word, token) = mark::ending(one.result);
    let (glyph, word, token) = if one.hosts_missing.is_empty() {
        (glyph, word.to_owned(), token)
    } else {
        ('X', format!("block: not on {}", one.hosts_missing.join(", ")), Token::Critical)
    };
    let name = fit(&one.version, 18, state.look.ascii);
    let who = fit(one.who.as_deref().unwrap_or("-"), 12, state.look.ascii);
    let spans = vec![
        (format!("{} ", if here { '>' } else { ' ' }), if here { Token::Selected } else { Token::Text }),
        (format!("{glyph} {name:18}"), if here { Token::Selected } else { Token::Text }),
        (format!(" {ran:22} {who:12} "), Token::Dim),
        (format!("{word}{}", if one.chosen { " (planned)" } else { "" }), token),
    ];
    Row { spans, opens: None }
}

fn details(one: &Candidate, width: u16) -> Vec<Row> {
    let mut page = Page::new(width);
    if !one.hosts_missing.is_empty() {
        page.field("  cannot be", &format!("it is not on {}: put it there first", one.hosts_missing.join(", ")), Token::Critical);
    }
    if one.not_reverted.is_empty() {
        page.field("  stays", "nothing is known that going back would leave", Token::Dim);
    }
    for (at, what) in one.not_reverted.iter().enumerate() {
        page.field(if at == 0 { "  stays" } else { "" }, what, Token::Warning);
    }
    page.done()
}
