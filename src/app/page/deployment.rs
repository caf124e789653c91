//! One deployment, whole: every part that a source told, what it does not know, and what was there before and after it.

use std::sync::Arc;

use crate::app::palette::Goal;
use crate::app::state::State;
use crate::app::{mark, when};
use crate::model::age;
use crate::model::deployment::{self, Deployment};
use crate::model::preferences::Token;
use crate::model::run::deployed::JOURNAL;

use super::{Page, Row};

/// What is known of it.
pub fn lines(state: &State, of: &Arc<Deployment>, mut page: Page) -> Vec<Row> {
    let text = |text: &Option<String>| text.clone().map_or(("? not told".to_owned(), Token::Unknown), |text| (text, Token::Text));
    let field = |page: &mut Page, name: &str, (value, token): (String, Token)| page.field(name, &value, token);
    page.head("DEPLOYMENT");
    let (glyph, word, token) = mark::ending(of.result);
    field(&mut page, "result", (format!("{glyph} {word}").trim_start().to_owned(), token));
    if state.estate.service(&of.service).is_some() {
        page.link(Goal::Service(of.service.clone()));
    }
    field(&mut page, "service", (of.service.clone(), Token::Text));
    field(&mut page, "site", text(&of.site));
    field(&mut page, "environment", text(&of.environment));
    field(&mut page, "version", text(&of.to));
    field(&mut page, "from", text(&of.from));
    field(&mut page, "time", (when::both(state, of.at), Token::Text));
    let dated = if of.dated == deployment::Dated::Record { Token::Dim } else { Token::Unknown };
    field(&mut page, "", (of.dated.word().to_owned(), dated));
    field(&mut page, "took", of.took.map_or(("? not told".to_owned(), Token::Unknown), |took| (age::exact(took), Token::Text)));
    field(&mut page, "who", text(&of.who));
    field(&mut page, "source", text(&of.trigger.map(|trigger| trigger.word().to_owned())));
    field(&mut page, "reason", text(&of.reason));
    field(&mut page, "commit", text(&of.commit));
    if let Some(first) = of.first_commit {
        field(&mut page, "first commit", (when::both(state, first), Token::Text));
    }
    let list = |all: &[String]| if all.is_empty() { ("? not told".to_owned(), Token::Unknown) } else { (all.join(" "), Token::Text) };
    field(&mut page, "approvals", list(&of.approvals));
    field(&mut page, "links", list(&of.links));
    field(&mut page, "id", text(&of.id));
    if !of.incidents.is_empty() {
        field(&mut page, "incidents", (of.incidents.join(" "), Token::Warning));
    }
    if let Some(restored) = of.restored {
        field(&mut page, "restored", (when::both(state, restored), Token::Text));
    }
    if let Some(fixes) = &of.fixes {
        field(&mut page, "fixes", (fixes.clone(), Token::Text));
    }
    if of.unplanned == Some(true) {
        field(&mut page, "unplanned", ("yes".to_owned(), Token::Text));
    }
    super::did::section(state, of, &mut page);
    page.head("TOLD BY");
    for name in &of.told_by {
        if let Some(place) = state.estate.sources.iter().position(|source| *source.name == **name) {
            page.link(Goal::Source(place));
        }
        // Its id is that of the run.
        let run = of.id.as_ref().filter(|_| **name == *JOURNAL);
        if let Some(run) = run.filter(|run| state.runs.find(run).is_some()) {
            page.link(Goal::Operation(run.clone()));
        }
        let text = run.map_or_else(|| name.to_string(), |run| format!("{name}: the run {run}"));
        page.text(&text, Token::Text);
    }
    for text in &of.differs {
        page.text(&format!("! they differ: {text}"), Token::Warning);
    }
    page.head("BEFORE AND AFTER IT, of this service");
    let (before, after) = state.beside(of);
    for (name, one) in [("after", after), ("before", before)] {
        match one {
            Some(one) => {
                let (glyph, word, _) = mark::ending(one.result);
                page.link(Goal::Deployment(one.key.clone()));
                let text = format!("{}  {}  {glyph} {word}", when::full(state, one.at), one.versions());
                page.field(name, text.trim_end(), Token::Text);
            }
            None => page.field(name, "none is known", Token::Dim),
        }
    }
    page.done()
}
