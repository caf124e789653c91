//! Samples that are kept, loaded, trimmed, and never mixed up.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::super::tests::{estate, source};
use super::*;
use crate::model::estate::Probe;

fn probe(address: &str, keep: i64) -> SourceKind {
    SourceKind::Probe { probe: Probe::Tcp { address: address.into() }, keep: SignedDuration::from_secs(keep) }
}

fn home() -> Estate {
    estate("/a/estate.toml", vec![source("one", probe("one:1", 100)), source("two", probe("two:2", 100))])
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(1_795_187_788 + secs).unwrap()
}

fn scrape(secs: i64, samples: &[(&str, f64)]) -> Arc<Scrape> {
    let samples = samples.iter().map(|(name, value)| (Labels::new([("__name__", *name), ("job", "web")]), *value));
    Arc::new(Scrape { at: at(secs), samples: samples.collect() })
}

/// Seconds and values, as text so that NaN is equal to itself.
fn seen(cache: &Cache, estate: &Estate, source: usize) -> Vec<String> {
    let all = cache.scrapes(estate, source, Timestamp::MIN);
    let text = |scrape: &Scrape| {
        let samples = scrape.samples.iter().map(|(labels, value)| format!("{}={value}", labels.get("__name__").unwrap()));
        format!("{}: {}", scrape.at.duration_since(at(0)).as_secs(), samples.collect::<Vec<_>>().join(" "))
    };
    all.iter().map(text).collect()
}

fn count(cache: &Cache, table: &str) -> i64 {
    cache.database.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

fn open(folder: &Path) -> Cache {
    Cache::open(&folder.join("c.db")).unwrap().0
}

#[test]
fn samples_come_back_after_a_restart_with_nan_and_infinity() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, home) = (open(folder.path()), home());
    cache.append(&home, 0, &[scrape(0, &[("b", 1.5), ("a", f64::NAN)]), scrape(5, &[("a", f64::INFINITY), ("c", -0.0)])]).unwrap();
    cache.append(&home, 0, &[scrape(5, &[("a", 9.0)]), scrape(10, &[])]).unwrap();
    cache.append(&home, 1, &[scrape(7, &[("a", 7.0)])]).unwrap();
    cache.append(&home, 9, &[scrape(7, &[("a", 7.0)])]).unwrap();
    drop(cache);
    let cache = open(folder.path());
    let expected = ["0: b=1.5 a=NaN", "5: a=inf c=-0", "10: "];
    assert_eq!(seen(&cache, &home, 0), expected);
    assert_eq!(cache.scrapes(&home, 0, at(5)).len(), 2);
    assert_eq!(cache.scrapes(&home, 0, at(0))[0].samples[0].0, Labels::new([("__name__", "b"), ("job", "web")]));
    assert_eq!(seen(&cache, &home, 1), ["7: a=7"]);
    cache.append(&home, 0, &[scrape(15, &[("a", 2.0)])]).unwrap();
    assert_eq!(seen(&cache, &home, 0).last().unwrap(), "15: a=2", "the series' id is found again");
    assert_eq!(count(&cache, "series"), 4);
}

#[test]
fn another_estate_address_or_kind_never_gets_the_samples() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, home) = (open(folder.path()), home());
    cache.append(&home, 0, &[scrape(0, &[("a", 1.0)])]).unwrap();
    let page = SourceKind::Exposition { url: "http://one:1".into(), keep: SignedDuration::from_secs(100) };
    for other in [
        estate("/b/estate.toml", home.sources.clone()),
        estate("/a/estate.toml", vec![source("one", probe("other:1", 100))]),
        estate("/a/estate.toml", vec![source("uno", probe("one:1", 100))]),
        estate("/a/estate.toml", vec![source("one", page)]),
    ] {
        assert!(cache.scrapes(&other, 0, Timestamp::MIN).is_empty(), "{other:?}");
    }
    let server = SourceKind::Prometheus { url: "http://p".into() };
    let server = estate("/a/estate.toml", vec![source("p", server)]);
    cache.append(&server, 0, &[scrape(0, &[("a", 1.0)])]).unwrap();
    assert_eq!(count(&cache, "line"), 1, "a server keeps its own samples");
}

#[test]
fn what_is_older_than_the_source_keeps_goes_with_its_series() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, home) = (open(folder.path()), home());
    for second in 0..300 {
        let passing = format!("m{}", second / 50);
        cache.append(&home, 0, &[scrape(second, &[("a", second as f64), (&passing, 1.0)])]).unwrap();
    }
    let all = cache.scrapes(&home, 0, Timestamp::MIN);
    assert_eq!((all.len(), all[0].at, all[100].at), (101, at(199), at(299)));
    assert!(all.iter().all(|scrape| scrape.samples.len() == 2), "no series goes before its samples");
    assert!(count(&cache, "series") <= 5, "and not long after: {}", count(&cache, "series"));
    // A clock that was set back adds nothing that is too old, and takes nothing away.
    cache.append(&home, 0, &[scrape(1, &[("a", 1.0)])]).unwrap();
    assert!(seen(&cache, &home, 0).len() >= 101);
}

#[test]
fn a_source_that_nobody_watches_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, home) = (open(folder.path()), home());
    cache.append(&home, 0, &[scrape(0, &[("a", 1.0)])]).unwrap();
    cache.append(&home, 1, &[scrape(6 * 86_400, &[("a", 1.0)])]).unwrap();
    assert_eq!(seen(&cache, &home, 0).len(), 1);
    cache.append(&home, 1, &[scrape(8 * 86_400, &[("a", 1.0)])]).unwrap();
    assert_eq!((count(&cache, "line"), count(&cache, "series"), count(&cache, "scrape")), (1, 1, 1));
}

#[test]
fn bytes_have_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let cache = open(folder.path());
    let home = estate("/a/estate.toml", vec![source("one", probe("one:1", 1_000_000))]);
    let labels: Vec<Labels> = (0..SAMPLES_CAP + 10).map(|i| Labels::new([("__name__", format!("m{i}"))])).collect();
    let wide = |secs| Arc::new(Scrape { at: at(secs), samples: labels.iter().map(|labels| (labels.clone(), 1.0)).collect() });
    let many: Vec<_> = (0..400).map(wide).collect();
    cache.append(&home, 0, &many).unwrap();
    let bytes: i64 = cache.database.query_row("SELECT sum(length(samples)) FROM scrape", [], |row| row.get(0)).unwrap();
    assert!(bytes > 50 << 20 && bytes <= (BYTES_CAP + (1 << 20)) as i64, "{bytes}");
    assert_eq!(cache.scrapes(&home, 0, at(399))[0].samples.len(), SAMPLES_CAP);
}

#[test]
fn a_file_with_missing_tables_is_set_aside_and_a_damaged_row_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, home) = (open(folder.path()), home());
    cache.append(&home, 0, &[scrape(0, &[("a", 1.0)]), scrape(1, &[("a", 2.0)])]).unwrap();
    cache.database.execute("UPDATE scrape SET samples = x'ffffffffffffffffffff' WHERE at = (SELECT min(at) FROM scrape)", []).unwrap();
    assert_eq!(seen(&cache, &home, 0), ["1: a=2"]);
    cache.database.execute_batch("DROP TABLE scrape").unwrap();
    assert!(cache.append(&home, 0, &[scrape(2, &[("a", 1.0)])]).is_err());
    drop(cache);
    let cache = open(folder.path());
    assert!(fs::exists(folder.path().join("c.db.broken")).unwrap());
    cache.append(&home, 0, &[scrape(2, &[("a", 3.0)])]).unwrap();
    assert_eq!(seen(&cache, &home, 0), ["2: a=3"]);
}

#[test]
fn two_consoles_append_to_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second, home) = (open(folder.path()), open(folder.path()), home());
    for secs in 0..40 {
        let cache = if secs % 2 == 0 { &first } else { &second };
        cache.append(&home, 0, &[scrape(secs, &[("a", secs as f64)])]).unwrap();
    }
    let seen = seen(&first, &home, 0);
    assert_eq!((seen.len(), seen[39].as_str()), (40, "39: a=39"));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_a_row_or_none(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = unpack(&bytes);
    }

    #[test]
    fn a_row_holds_what_was_put_in(numbers in proptest::collection::btree_map(1..i64::MAX / 256, proptest::num::f64::ANY, 0..50)) {
        let numbers: Vec<(i64, f64)> = numbers.into_iter().collect();
        let bits = |all: &[(i64, f64)]| all.iter().map(|(id, value)| (*id, value.to_bits())).collect::<Vec<_>>();
        let back = unpack(&pack(numbers.clone())).unwrap();
        proptest::prop_assert_eq!(bits(&back), bits(&numbers));
    }
}
