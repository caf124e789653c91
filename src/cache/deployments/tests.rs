//! The index: what sources told, joined, narrowed, read in pieces.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::cache::tests::{estate, source};
use crate::model::deployment::list::{Column, From, Narrow, Piece, Place};
use crate::model::deployment::news::News;
use crate::model::deployment::{Dated, Deployment, Ending, join};
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
    let (some, more) = deployments.between(&estate, Some("api"), at(60), at(180), 100).unwrap();
    assert_eq!((some.iter().map(|one| one.to.as_deref().unwrap()).collect::<Vec<_>>(), more), (vec!["v3", "v1"], false));
    let (newest, more) = deployments.between(&estate, Some("api"), at(60), at(180), 1).unwrap();
    assert_eq!((newest.len(), newest[0].to.as_deref(), more), (1, Some("v3"), true), "more than are wanted are never held");
}

/// All rows of the estate, by place.
fn all(deployments: &Deployments, estate: &Estate) -> Vec<Deployment> {
    let mut all = Vec::new();
    deployments.each(estate, &Narrow::default(), &mut |_| true, &none(), &mut |one| all.push(one)).unwrap();
    all
}

/// What join() makes of all that was told, in the order of the list.
fn at_once(sources: &[Vec<Arc<Deployment>>]) -> Vec<Deployment> {
    let mut all: Vec<Deployment> = join(sources.iter().map(Vec::as_slice)).iter().map(|one| (**one).clone()).collect();
    all.sort_by_key(|one| std::cmp::Reverse(Place::of(one)));
    all
}

fn mark(file: u64, first: u64, offset: u64) -> Mark {
    Mark { file: (1, file), first: Some(first), offset, lines: 0, broken: 0 }
}

fn part(rows: Vec<Arc<Deployment>>, begins: Option<Mark>, ends: Mark) -> News {
    News { since: None, rows, begins, ends: Some(ends) }
}

#[derive(Debug, Clone)]
struct Any {
    source: usize,
    service: u8,
    version: u8,
    second: i64,
    dated: u8,
    site: u8,
    result: bool,
}

impl Any {
    fn row(&self) -> Arc<Deployment> {
        let version = ["1", "2", "latest", ""][usize::from(self.version)];
        let mut one = (*row(self.source, ["web", "api"][usize::from(self.service)], version, self.second * 150)).clone();
        one.dated = [Dated::Record, Dated::Record, Dated::Record, Dated::File, Dated::Tag][usize::from(self.dated)];
        one.site = [None, Some("a".to_owned()), Some("b".to_owned())][usize::from(self.site)].clone();
        one.result = Some(if self.result { Ending::Succeeded } else { Ending::Failed });
        one.who = Some(format!("w{}", self.second));
        Arc::new(one)
    }
}

fn any() -> impl Strategy<Value = Any> {
    (0..3_usize, 0..2_u8, 0..4_u8, 0..60_i64, 0..5_u8, 0..3_u8, proptest::bool::ANY)
        .prop_map(|(source, service, version, second, dated, site, result)| Any { source, service, version, second, dated, site, result })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever sources tell, bit by bit or whole, is joined as if all of it had been told at once.
    #[test]
    fn what_is_told_bit_by_bit_is_joined_as_at_once(steps in proptest::collection::vec(proptest::collection::vec(any(), 0..12), 1..6)) {
        let (mut deployments, estate) = (Deployments::in_memory().unwrap(), histories(3));
        // Source 0 is a log: it only grows. The others tell all of theirs each time.
        let mut told: Vec<Vec<Arc<Deployment>>> = vec![Vec::new(); 3];
        let mut begins = None;
        for (step, rows) in steps.iter().enumerate() {
            for source in 0..3 {
                let mut rows: Vec<_> = rows.iter().filter(|any| any.source == source).map(Any::row).collect();
                rows.sort_by_key(|one| std::cmp::Reverse(one.at));
                let news = if source == 0 {
                    let ends = mark(1, 1, step as u64 + 1);
                    let news = part(rows.clone(), begins.replace(ends.clone()), ends);
                    rows.append(&mut told[0]);
                    // Of one moment the later line is the newer one.
                    rows.sort_by_key(|one| std::cmp::Reverse(one.at));
                    news
                } else {
                    News::whole(rows.clone())
                };
                told[source] = rows;
                deployments.take(&estate, source, &news).unwrap();
            }
            let wanted = at_once(&told);
            prop_assert_eq!(deployments.total(&estate).unwrap(), wanted.len());
            prop_assert_eq!(all(&deployments, &estate), wanted);
        }
    }
}

#[test]
fn a_version_that_names_nothing_is_joined_by_its_neighbours_in_time() {
    let (mut deployments, estate) = (Deployments::in_memory().unwrap(), histories(2));
    let mut told = vec![Vec::new(), Vec::new()];
    let mut begins = [None, None];
    // Two sources tell of 3,000 deployments of `latest`, an hour apart, the second a minute after the first.
    for step in 0..6_i64 {
        for source in 0..2_usize {
            let rows: Vec<_> =
                (step * 500..step * 500 + 500).rev().map(|n| row(source, "web", "latest", n * 3_600 + source as i64 * 60)).collect();
            let ends = mark(1, 1, step as u64 + 1);
            assert!(deployments.take(&estate, source, &part(rows.clone(), begins[source].replace(ends.clone()), ends)).unwrap());
            told[source].splice(0..0, rows);
        }
    }
    assert_eq!(all(&deployments, &estate), at_once(&told));
    assert_eq!(deployments.total(&estate).unwrap(), 3_000);
    let last = row(1, "web", "latest", 4_000 * 3_600);
    assert!(deployments.take(&estate, 1, &part(vec![last.clone()], begins[1].clone(), mark(1, 1, 99))).unwrap());
    told[1].insert(0, last);
    assert_eq!(all(&deployments, &estate), at_once(&told));
}

#[test]
fn the_same_part_of_a_log_is_taken_once_whoever_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let estate = histories(1);
    let (mut one, opened) = Deployments::open(&path).unwrap();
    assert_eq!(opened, Opened::New);
    let (mut other, opened) = Deployments::open(&path).unwrap();
    assert_eq!(opened, Opened::Kept);
    let first = part(vec![row(0, "web", "1", 0)], None, mark(1, 1, 50));
    assert!(one.take(&estate, 0, &first).unwrap());
    assert!(!other.take(&estate, 0, &first).unwrap(), "the first of two that read the same wins");
    assert_eq!(other.mark(&estate, 0).unwrap(), Some(mark(1, 1, 50)));
    assert!(other.take(&estate, 0, &part(vec![row(0, "web", "2", 60)], Some(mark(1, 1, 50)), mark(1, 1, 90))).unwrap());
    let longer = part(vec![row(0, "web", "3", 90), row(0, "web", "2", 60)], Some(mark(1, 1, 50)), mark(1, 1, 130));
    assert!(!one.take(&estate, 0, &longer).unwrap(), "it goes on from where the other is");
    assert_eq!(one.mark(&estate, 0).unwrap(), Some(mark(1, 1, 90)));
    assert_eq!((one.total(&estate).unwrap(), other.total(&estate).unwrap()), (2, 2));
}

#[test]
fn a_rotated_log_goes_on_and_one_written_anew_begins_anew() {
    let (mut deployments, estate) = (Deployments::in_memory().unwrap(), histories(1));
    let take = |deployments: &mut Deployments, news: News| deployments.take(&estate, 0, &news).unwrap();
    take(&mut deployments, part(vec![row(0, "web", "2", 60), row(0, "web", "1", 0)], None, mark(1, 1, 50)));
    // The new file begins with the last line of the old one.
    take(&mut deployments, part(vec![row(0, "web", "3", 120), row(0, "web", "2", 60)], Some(mark(1, 1, 50)), mark(2, 2, 50)));
    let shown = |deployments: &Deployments| versions(&piece(deployments, &estate, &Narrow::default(), From::Newest, 9)).join(" ");
    assert_eq!(shown(&deployments), "3 2 1");
    let anew = News { since: Some(Timestamp::MIN), ..part(vec![row(0, "web", "3", 120)], Some(mark(2, 2, 50)), mark(3, 2, 25)) };
    take(&mut deployments, anew);
    assert_eq!((shown(&deployments), deployments.total(&estate).unwrap()), ("3".to_owned(), 1));
}

#[test]
fn a_whole_answer_changes_what_differs_and_nothing_else() {
    let (mut deployments, estate) = (Deployments::in_memory().unwrap(), histories(1));
    let rows: Vec<_> = (0..100).rev().map(|n| row(0, "web", &format!("v{n}"), n * 60)).collect();
    assert!(deployments.take(&estate, 0, &News::whole(rows.clone())).unwrap());
    assert!(!deployments.take(&estate, 0, &News::whole(rows.clone())).unwrap());
    let numbers = |deployments: &Deployments| -> Vec<i64> {
        let mut select = deployments.database.prepare("SELECT n FROM told ORDER BY at").unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let before = numbers(&deployments);
    let mut fewer = rows;
    fewer.remove(40);
    fewer.insert(0, row(0, "web", "v100", 6_000));
    assert!(deployments.take(&estate, 0, &News::whole(fewer.clone())).unwrap());
    let after = numbers(&deployments);
    assert_eq!(after.iter().filter(|n| before.contains(n)).count(), 99, "the rest stayed where it was");
    assert_eq!(all(&deployments, &estate), at_once(&[fewer]));
    assert!(deployments.take(&estate, 0, &News::whole(vec![])).unwrap());
    assert_eq!(deployments.total(&estate).unwrap(), 0);
}

#[test]
fn the_newest_row_that_is_told_otherwise_is_otherwise_in_the_list_and_for_a_filter() {
    let (mut deployments, estate) = (Deployments::in_memory().unwrap(), histories(1));
    let ended = |result| {
        let one = Deployment { result, ..(*row(0, "web", "v1", 0)).clone() };
        News::whole(vec![Arc::new(one), row(0, "web", "v0", -60)])
    };
    for told in [None, Some(Ending::Succeeded), Some(Ending::Failed)] {
        assert!(deployments.take(&estate, 0, &ended(told)).unwrap(), "{told:?}: the views hear that it is otherwise");
        assert_eq!(all(&deployments, &estate)[0].result, told);
        for of in [Ending::Succeeded, Ending::Failed] {
            let found = count(&deployments, &estate, &equal(Column::Result, of.word()));
            assert_eq!(found, usize::from(told == Some(of)), "{told:?}: rows that {}", of.word());
        }
    }
}

#[test]
fn another_version_and_a_damaged_file_are_rebuilt_and_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/history.db");
    let estate = histories(1);
    let fill = |deployments: &mut Deployments| {
        let rows = (0..200).rev().map(|n| row(0, "web", &format!("v{n}"), n * 60));
        deployments.take(&estate, 0, &News::whole(rows.collect())).unwrap()
    };
    let (mut deployments, _) = Deployments::open(&path).unwrap();
    assert!(fill(&mut deployments));
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);
    deployments.database.pragma_update(None, "user_version", SHAPE.version + 1).unwrap();
    drop(deployments);
    let (mut deployments, opened) = Deployments::open(&path).unwrap();
    assert_eq!((opened, deployments.total(&estate).unwrap()), (Opened::Rebuilt("was of another version".into()), 0));
    assert!(fill(&mut deployments));
    drop(deployments);
    let whole = std::fs::metadata(&path).unwrap().len();
    for keep in [100, 5_000, whole / 2] {
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(keep).unwrap();
        let Ok((mut deployments, opened)) = Deployments::open(&path) else { panic!("cut to {keep}") };
        if opened == Opened::Kept {
            // Only reading finds the damage; who finds it begins anew.
            let error = deployments.take(&estate, 0, &News::whole(vec![row(0, "web", "1", 0)])).unwrap_err();
            assert!(error.is_broken(), "{error}");
            drop(deployments);
            deployments = Deployments::anew(&path).unwrap();
        }
        assert!(fill(&mut deployments), "cut to {keep}");
    }
}

#[test]
fn a_file_that_is_deleted_while_it_is_open_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let estate = histories(1);
    let (mut deployments, _) = Deployments::open(&path).unwrap();
    deployments.take(&estate, 0, &News::whole(vec![row(0, "web", "1", 0)])).unwrap();
    assert!(deployments.is_there());
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.path().join(format!("history.db{ending}")));
    }
    assert!(!deployments.is_there());
    assert_eq!(deployments.total(&estate).unwrap(), 1);
    deployments.take(&estate, 0, &News::whole(vec![])).unwrap();
    let (new, opened) = Deployments::open(&path).unwrap();
    assert_eq!((opened, new.total(&estate).unwrap(), new.is_there()), (Opened::New, 0, true));
}

#[test]
fn an_estate_that_nobody_watches_is_forgotten_bit_by_bit() {
    let (mut deployments, estate) = ten();
    deployments.database.execute("UPDATE estate SET seen = 0", []).unwrap();
    let other = crate::cache::tests::estate("/other.toml", histories(1).sources);
    for n in 0..3 {
        deployments.take(&other, 0, &News::whole(vec![row(0, "web", "1", n)])).unwrap();
    }
    assert_eq!((deployments.total(&estate).unwrap(), deployments.total(&other).unwrap()), (0, 1));
    for table in ["told", "deployment", "line", "source", "estate"] {
        let count: i64 = deployments.database.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(count, 1, "{table}");
    }
}

#[test]
fn a_search_that_is_stopped_ends() {
    let (deployments, estate) = ten();
    let stop = AtomicBool::new(true);
    assert_eq!(deployments.count(&estate, &words(&["web"]), None, &stop, &mut |_| {}).unwrap(), 0);
}
