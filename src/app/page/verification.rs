//! Of a backup: what was verified of it, when and by whom, and the layer in which a verification is asked for and followed.

use crate::app::palette::Goal;
use crate::app::state::State;
use crate::app::update::verify::choices;
use crate::app::verifying::Running;
use crate::app::when;
use crate::model::age;
use crate::model::backup::{Done, Outcome, nothing_to_verify};
use crate::model::estate::SourceKind;
use crate::model::metric;
use crate::model::panel::Unit;
use crate::model::preferences::Token;

use super::{Page, Row};

/// Lines of evidence on the page of a backup, and in the layer.
const EVIDENCE: usize = 20;

/// What is known of the source's verifications.
pub(super) fn section(state: &State, index: usize, page: &mut Page) {
    page.head("VERIFICATION");
    known(state, index, page);
}

fn known(state: &State, index: usize, page: &mut Page) {
    if let Some(running) = state.verifying.running.get(&index) {
        under_way(state, running, page);
    }
    if let Some(why) = &state.verifying.problem {
        page.field("journal", &format!("! {why}"), Token::Warning);
    }
    if let Some(why) = state.verifying.refused.get(&index) {
        page.field("not done", &format!("! {why}"), Token::Warning);
    }
    let proven = state.verifying.proofs.of_source(&state.estate, index);
    match proven.and_then(|proven| proven.last.as_ref()) {
        Some(last) => done(state, last, page),
        None if state.verifying.problem.is_some() => page.field("last", "? not known", Token::Unknown),
        None => page.field("last", "? never", Token::Unknown),
    }
    for open in proven.into_iter().flat_map(|proven| proven.open.iter().rev()).take(3) {
        let (began, who) = (when::both(state, open.of.started), open.actor.name());
        match open.alive {
            true if state.verifying.running.contains_key(&index) => {}
            true => page.field("elsewhere", &format!("another console verifies it, since {began}, {who}"), Token::Text),
            false => {
                page.field("not finished", &format!("? began {began}, {who}: its end is not known, it proves nothing"), Token::Unknown)
            }
        }
    }
}

fn done(state: &State, last: &Done, page: &mut Page) {
    let of = &last.of;
    let ended = of.ended.unwrap_or(of.started);
    let (mark, token) = match of.outcome {
        Outcome::Passed => ("", Token::Text),
        Outcome::Failed => ("X ", Token::Critical),
        Outcome::Begun | Outcome::Cancelled | Outcome::Unknown => ("? ", Token::Unknown),
    };
    page.field("last", &format!("{mark}{} {}", of.outcome.word(), when::both(state, ended)), token);
    let broken = of.points.iter().filter(|point| point.broken.is_some()).count();
    let points = match (of.points.len(), broken) {
        (0, _) => "no point was judged".to_owned(),
        (all, 0) => {
            format!("{all} {}, {} {}", if all == 1 { "point" } else { "points" }, of.method.proves().word(), of.method.proves().meaning())
        }
        (all, broken) => format!("broken: {broken} of {all} points"),
    };
    page.field("how", &format!("{}, in {}; {points}", of.method, age::exact(ended.duration_since(of.started))), Token::Text);
    page.field("by", &last.actor.name(), Token::Dim);
    for line in of.evidence.iter().take(EVIDENCE) {
        page.text(line, if of.outcome == Outcome::Failed { Token::Warning } else { Token::Dim });
    }
    if of.evidence.len() > EVIDENCE {
        let more = format!("{} more lines: `qd journal show`", of.evidence.len() - EVIDENCE);
        page.text(&state.identity.typed(&more), Token::Dim);
    }
}

fn under_way(state: &State, running: &Running, page: &mut Page) {
    let progress = &running.progress;
    let far = match (progress.total, progress.what.as_str()) {
        (Some(total), "packs") => format!(", {} of {total} packs", progress.done),
        (Some(total), _) => {
            let bytes = |of: u64| metric::show(of as f64, Unit::Bytes);
            format!(", {} of {}", bytes(progress.done), bytes(total))
        }
        (None, _) => ", how much is left is not told".to_owned(),
    };
    page.field("now", &format!("{}{far}, since {}", running.cell(), when::both(state, running.since)), Token::Text);
    page.field("", &running.words, Token::Dim);
    if progress.total.is_some() && !matches!(progress.what.as_str(), "" | "packs") {
        page.field("", &progress.what, Token::Dim);
    }
}

/// The layer: what can be started, or how far it is, and what was found last.
pub(super) fn layer(state: &State, index: usize, choice: usize, mut page: Page) -> Vec<Row> {
    let orders = choices(state, index);
    if state.verifying.running.contains_key(&index) {
        page.head("UNDER WAY  leaving this view leaves it running; it ends with the console");
    } else if orders.is_empty() {
        page.head("NOTHING TO VERIFY");
        if let Some(SourceKind::Backup(backup)) = state.estate.sources.get(index).map(|source| &source.kind) {
            page.text(&format!("? {}", nothing_to_verify(&backup.of)), Token::Unknown);
        }
    } else {
        page.head("WHAT TO VERIFY  it only reads");
        for (place, order) in orders.iter().enumerate() {
            page.link(Goal::Order(place));
            let selected = place == choice;
            let proves = order.method.proves();
            let name = if selected { "> start" } else { "  start" };
            page.field(name, &order.words(), if selected { Token::Selected } else { Token::Text });
            page.field("", &format!("{}; a pass proves {} {}", order.cost(), proves.word(), proves.meaning()), Token::Dim);
        }
        if let Some(order) = orders.get(choice) {
            page.field("  runs", &order.runs(), Token::Text);
        }
        page.text(
            "It changes nothing in production and nothing in the backup. It can load the machine that it runs on, the store and the \
             network between them for as long as it takes.",
            Token::Text,
        );
    }
    page.head("KNOWN");
    known(state, index, &mut page);
    page.done()
}
