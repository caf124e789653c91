//! The reason: why it is done. It is kept in the journal and in the history of deployments. Its snapshot is `wizard_reason`.

use crate::app::page::Page;
use crate::model::preferences::Token;

use super::{Sheet, Subject, Wizard, input, row};

/// Its lines.
pub(super) fn sheet(of: &Wizard, width: u16, sheet: &mut Sheet) {
    let mut page = Page::new(width);
    page.head("WHY");
    let told = match of.subject {
        Subject::Rollback { .. } => {
            "What is broken, and why going back is the way out. It is kept in the journal, in the report and in the history of \
             deployments: write no secrets."
        }
        Subject::Processes(_) => {
            "What is wrong, and why this is the way out. It is kept in the journal and in the report, with your name: write no secrets."
        }
        Subject::Silence(_) => {
            "Why nobody needs to be told, or is told again, for the next one on call. It is kept in the journal and in the report, \
             and stands in the silence itself, with your name: write no secrets."
        }
    };
    page.text(told, Token::Text);
    if !of.overrides.is_empty() {
        page.head("OVERRIDDEN");
        for one in &of.overrides {
            page.field(&one.check, &one.reason, Token::Warning);
        }
    }
    if let Some(why) = &of.glass {
        page.head("GLASS BROKEN");
        page.text(&format!("X {why}"), Token::Critical);
    }
    sheet.rows = page.done();
    sheet.foot = vec![row("Reason, required:", Token::Title), input(&of.reason, width)];
}
