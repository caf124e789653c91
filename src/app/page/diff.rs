//! What is different between two deployments of a service: the records, commits, files, and lines of configuration.

use crate::app::palette::Goal;
use crate::app::state::State;
use crate::app::{mark, when};
use crate::model::deployment::Deployment;
use crate::model::deployment::diff::{Commit, Commits, Comparison, Configs, Files, How, Line, Part, Sign};
use crate::model::preferences::Token;

use super::{Page, Row};

/// All of it.
pub(super) fn lines(state: &State, from: Option<&Deployment>, to: &Deployment, found: Option<&Comparison>, mut page: Page) -> Vec<Row> {
    page.head("THE TWO");
    match from {
        Some(from) => side(state, "first", from, &mut page),
        None => {
            let text = format!("no deployment of {} before it is known: mark another one, then compare", to.service);
            page.field("first", &text, Token::Unknown);
        }
    }
    side(state, "second", to, &mut page);
    let Some(from) = from else { return page.done() };
    if from.service != to.service {
        page.text(&format!("! they are of two services, {} and {}", from.service, to.service), Token::Warning);
    }
    if from.site != to.site {
        let site = |of: &Deployment| of.site.clone().unwrap_or_else(|| "?".to_owned());
        page.text(&format!("they are of two sites, {} and {}", site(from), site(to)), Token::Text);
    }
    let Some(found) = found else {
        page.head("COMMITS, FILES, CONFIGURATION");
        page.text("? being compared", Token::Unknown);
        return page.done();
    };
    commits(state, &found.commits, &mut page);
    configs(&found.configs, &mut page);
    files(&found.files, &mut page);
    page.done()
}

fn side(state: &State, name: &str, of: &Deployment, page: &mut Page) {
    let (glyph, word, _) = mark::ending(of.result);
    let version = of.to.as_deref().unwrap_or("?");
    let site = of.site.as_ref().map_or(String::new(), |site| format!(" at {site}"));
    let who = of.who.as_ref().map_or(String::new(), |who| format!(" by {who}"));
    let commit = of.commit.as_ref().map_or(String::new(), |commit| format!(", commit {commit}"));
    let result = format!("{glyph} {word}");
    page.link(Goal::Deployment(of.key.clone()));
    page.field(name, &format!("{version}{site}, {}{who}{commit}, {}", when::full(state, of.at), result.trim_start()), Token::Text);
}

fn unknown(why: &str, page: &mut Page) {
    page.text(&format!("? not known: {why}"), Token::Unknown);
}

fn commits(state: &State, commits: &Part<Commits>, page: &mut Page) {
    let of = match commits {
        Ok(of) => of,
        Err(why) => {
            page.head("COMMITS");
            return unknown(why, page);
        }
    };
    let count = |all: &[Commit], more: bool| format!("{}{}", all.len(), if more { " and more" } else { "" });
    page.head(&format!("COMMITS, {} added, {} removed again", count(&of.added, of.more_added), count(&of.removed, of.more_removed)));
    page.text(&format!("{} and {}, told by {}", of.of[0], of.of[1], of.told_by), Token::Dim);
    if of.added.is_empty() && of.removed.is_empty() {
        page.text("none: both are of one commit", Token::Text);
    }
    for (sign, all, more) in [('+', &of.added, of.more_added), ('-', &of.removed, of.more_removed)] {
        let token = if sign == '-' { Token::Warning } else { Token::Text };
        for commit in all {
            let at = commit.at.map_or_else(|| "?".to_owned(), |at| when::short(state, at));
            page.text(&format!("{sign} {}  {at}  {}: {}", commit.hash, commit.who, commit.what), token);
        }
        if more {
            page.text(&format!("{sign} and more, not told"), Token::Unknown);
        }
    }
}

fn files(files: &Part<Files>, page: &mut Page) {
    let of = match files {
        Ok(of) => of,
        Err(why) => {
            page.head("FILES");
            return unknown(why, page);
        }
    };
    page.head(&format!("FILES, {} differ: {} lines added, {} removed", of.all, of.added, of.removed));
    for file in &of.some {
        let lines = file.lines.map_or_else(|| "binary".to_owned(), |(added, removed)| format!("+{added} -{removed}"));
        page.text(&format!("{lines:<12} {}", file.path), Token::Text);
    }
    if of.all > of.some.len() {
        page.text(&format!("and {} more", of.all - of.some.len()), Token::Dim);
    }
}

fn configs(configs: &Part<Configs>, page: &mut Page) {
    let of = match configs {
        Ok(of) => of,
        Err(why) => {
            page.head("CONFIGURATION");
            return unknown(why, page);
        }
    };
    page.head(&format!("CONFIGURATION, {} files differ, {} are the same, told by {}", of.differ.len(), of.same, of.told_by));
    for config in &of.differ {
        match &config.how {
            How::Added => page.text(&format!("+ {}: only in the second", config.path), Token::Text),
            How::Removed => page.text(&format!("- {}: only in the first", config.path), Token::Warning),
            How::Binary => page.text(&format!("! {}: differs, and is no text", config.path), Token::Text),
            How::Not(why) => page.text(&format!("? {}: {why}", config.path), Token::Unknown),
            How::Lines(lines, left) => {
                page.text(&format!("! {}", config.path), Token::Title);
                lines.iter().for_each(|line| one(line, page));
                if *left > 0 {
                    page.text(&format!("    and {left} more lines"), Token::Dim);
                }
            }
        }
    }
    if of.left > 0 || of.more {
        let least = if of.more { "at least " } else { "" };
        page.text(&format!("? {least}{} more files were not compared", of.left), Token::Unknown);
    }
}

/// A line of a file keeps its indent; what is too long is cut off by the screen's edge.
fn one(line: &Line, page: &mut Page) {
    let (sign, token) = match line.sign {
        Sign::Both => (' ', Token::Dim),
        Sign::Added => ('+', Token::Text),
        Sign::Removed => ('-', Token::Warning),
        Sign::Gap => return page.push(vec![("    ...".to_owned(), Token::Dim)]),
    };
    page.push(vec![(format!("  {sign} {}", line.text), token)]);
}
