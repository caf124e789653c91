//! The index: what sources told, joined, narrowed, read in pieces.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jiff::Timestamp;

use super::*;
use crate::cache::tests::{estate, source};
use crate::model::deployment::list::{Column, From, Narrow, Piece, Place};
use crate::model::deployment::news::News;
use crate::model::deployment::{Dated, Deployment};
use crate::model::estate::{Estate, History};

/// An estate with so many deploy logs: `h0`, `h1`...
pub(super) fn histories(count: usize) -> Estate {
    let log = |place| SourceKind::History(History::DeployLog { path: format!("/log{place}").into(), fields: Default::default() });
    estate("/etc/qd/estate.toml", (0..count).map(|place| source(&format!("h{place}"), log(place))).collect())
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

pub(super) fn row(source: usize, service: &str, version: &str, second: i64) -> Arc<Deployment> {
    let mut one = Deployment::new(service, at(second), Dated::Record, &format!("h{source}"));
    one.to = Some(version.to_owned()).filter(|version| !version.is_empty());
    Arc::new(one)
}

fn none() -> AtomicBool {
    AtomicBool::new(false)
}

fn piece(deployments: &Deployments, estate: &Estate, narrow: &Narrow, from: From, rows: usize) -> Piece {
    deployments.piece(estate, narrow, &from, rows, &mut |_| true, &none()).unwrap()
}

fn count(deployments: &Deployments, estate: &Estate, narrow: &Narrow) -> usize {
    deployments.count(estate, narrow, None, &none(), &mut |_| {}).unwrap()
}

fn versions(piece: &Piece) -> Vec<&str> {
    piece.rows.iter().map(|row| row.to.as_deref().unwrap_or("")).collect()
}

fn words(words: &[&str]) -> Narrow {
    Narrow { words: words.iter().map(|word| (*word).to_owned()).collect(), ..Narrow::default() }
}

fn equal(column: Column, value: &str) -> Narrow {
    Narrow { equal: vec![(column, value.to_owned())], ..Narrow::default() }
}

/// Ten versions, a minute after each other, of `web` and `api` in turn.
fn ten() -> (Deployments, Estate) {
    let (mut deployments, estate) = (Deployments::in_memory().unwrap(), histories(1));
    let rows = (0..10).rev().map(|i| row(0, if i % 2 == 0 { "web" } else { "api" }, &format!("v{i}"), i * 60));
    assert!(deployments.take(&estate, 0, &News::whole(rows.collect())).unwrap());
    (deployments, estate)
}

#[test]
fn a_list_is_read_in_pieces_from_both_ends() {
    let (deployments, estate) = ten();
    let all = Narrow::default();
    let first = piece(&deployments, &estate, &all, From::Newest, 4);
    assert_eq!((versions(&first), first.newer, first.older), (vec!["v9", "v8", "v7", "v6"], false, true));
    let next = piece(&deployments, &estate, &all, From::After(Place::of(&first.rows[3])), 4);
    assert_eq!((versions(&next), next.newer, next.older), (vec!["v5", "v4", "v3", "v2"], true, true));
    let last = piece(&deployments, &estate, &all, From::Oldest, 4);
    assert_eq!((versions(&last), last.newer, last.older), (vec!["v3", "v2", "v1", "v0"], true, false));
    let back = piece(&deployments, &estate, &all, From::Before(Place::of(&last.rows[0])), 3);
    assert_eq!((versions(&back), back.newer, back.older), (vec!["v6", "v5", "v4"], true, true));
    let middle = piece(&deployments, &estate, &all, From::At(at(150)), 2);
    assert_eq!((versions(&middle), middle.newer, middle.older), (vec!["v2", "v1"], true, true));
    assert_eq!((deployments.total(&estate).unwrap(), count(&deployments, &estate, &all)), (10, 10));
}

#[test]
fn a_narrowed_list_has_only_what_passes_all_of_it() {
    let (deployments, estate) = ten();
    let web = piece(&deployments, &estate, &equal(Column::Service, "web"), From::Newest, 3);
    assert_eq!((versions(&web), web.older), (vec!["v8", "v6", "v4"], true));
    assert_eq!(versions(&piece(&deployments, &estate, &words(&["V7"]), From::Newest, 3)), ["v7"]);
    assert_eq!(count(&deployments, &estate, &words(&["WEB", "", "v"])), 5);
    let mut both = equal(Column::Service, "web");
    both.words = vec!["6".into()];
    both.since = Some(at(60));
    assert_eq!(versions(&piece(&deployments, &estate, &both, From::Newest, 9)), ["v6"]);
    both.until = Some(at(359));
    assert_eq!(piece(&deployments, &estate, &both, From::Newest, 9), Piece::default());
    let mut odd = |one: &Deployment| one.to.as_deref().is_some_and(|to| to != "v8");
    let tested = deployments.piece(&estate, &equal(Column::Service, "web"), &From::Newest, 2, &mut odd, &none()).unwrap();
    assert_eq!((versions(&tested), tested.newer, tested.older), (vec!["v6", "v4"], false, true));
}

#[test]
fn a_row_is_found_by_its_key_and_told_for_an_export() {
    let (deployments, estate) = ten();
    let first = piece(&deployments, &estate, &Narrow::default(), From::Newest, 1).rows[0].clone();
    assert_eq!(deployments.find(&estate, &first.key).unwrap().as_ref(), Some(&*first));
    assert_eq!(deployments.find(&estate, "no/such/row").unwrap(), None);
    let mut told = Vec::new();
    deployments.each(&estate, &equal(Column::Version, "v3"), &mut |_| true, &none(), &mut |one| told.push(one.to)).unwrap();
    assert_eq!(told, [Some("v3".to_owned())]);
    let some = deployments.between(&estate, Some("api"), at(60), at(180)).unwrap();
    assert_eq!(some.iter().map(|one| one.to.as_deref().unwrap()).collect::<Vec<_>>(), ["v3", "v1"]);
}
