//! Pieces of the list where there is no index: from the rows that are held.

use std::sync::Arc;

use jiff::Timestamp;

use crate::app::ask::{Question, Rows, Want, Whole};
use crate::app::filter::Filter;
use crate::model::deployment::Deployment;
use crate::model::deployment::list::{Piece, Place};

/// Answers from these rows, the newest first.
pub(super) fn rows(all: &[Arc<Deployment>], filter: &Filter, now: Timestamp, question: &Question) -> Rows {
    let reach = all.last().zip(all.first()).map(|(oldest, newest)| (oldest.at, newest.at));
    let whole = Whole { total: all.len(), reach };
    let passes = |one: &Arc<Deployment>| filter.is_empty() || filter.matches(&**one, now);
    let down = |from: usize| take(all[from..].iter(), &passes, question.rows);
    let up = |to: usize| {
        let (mut rows, more) = take(all[..to].iter().rev(), &passes, question.rows);
        rows.reverse();
        (rows, more)
    };
    // The first row that is older than the place, or the place itself.
    let older = |place: &Place| all.partition_point(|one| (one.at, &one.key) > (place.at, &place.key));
    let past = |place: &Place| all.partition_point(|one| (one.at, &one.key) >= (place.at, &place.key));
    let piece = match &question.want {
        Want::Newest => down_of(down(0), false),
        Want::Oldest => {
            let (rows, newer) = up(all.len());
            Piece { rows, newer, older: false }
        }
        Want::At(at) => {
            let from = all.partition_point(|one| one.at > *at);
            down_of(down(from), all[..from].iter().any(passes))
        }
        Want::After(place) => down_of(down(past(place)), true),
        Want::Before(place) => {
            let (rows, newer) = up(older(place));
            Piece { rows, newer, older: true }
        }
        Want::Around(place) => {
            let ((mut rows, newer), (below, more)) = (up(older(place)), down(older(place)));
            rows.extend(below);
            Piece { rows, newer, older: more }
        }
    };
    Rows { number: question.number, done: true, piece: Ok(piece), whole }
}

fn down_of((rows, older): (Vec<Arc<Deployment>>, bool), newer: bool) -> Piece {
    Piece { rows, newer, older }
}

/// So many of them that pass, and whether there are more.
fn take<'a>(
    rows: impl Iterator<Item = &'a Arc<Deployment>>,
    passes: &impl Fn(&Arc<Deployment>) -> bool,
    most: usize,
) -> (Vec<Arc<Deployment>>, bool) {
    let mut found: Vec<Arc<Deployment>> = rows.filter(|one| passes(one)).take(most.saturating_add(1)).cloned().collect();
    let more = found.len() > most;
    found.truncate(most);
    (found, more)
}
