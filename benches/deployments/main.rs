//! What a long history costs: ten thousand and a million deployments, taken into the index, listed, searched.
//! `cargo bench --bench deployments`; `-- 1000000` for one number of rows. Best of five, warm; the first piece cold too.
//! Memory is the most that a process of its own had that did no more than that row says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a measurement may stop where it stands and prints")]

#[path = "fill.rs"]
mod fill;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use quarterdeck::cache::deployments::Deployments;
use quarterdeck::config;
use quarterdeck::model::deployment::Deployment;
use quarterdeck::model::deployment::list::{Column, From, Narrow};
use quarterdeck::model::estate::Estate;

/// Rows of a screen.
const SCREEN: usize = 40;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("deployments");
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["fill", rows] => work(&folder, rows.parse().unwrap(), true),
        ["read", rows] => work(&folder, rows.parse().unwrap(), false),
        [rows] => both(rows),
        _ => ["10000", "1000000"].into_iter().for_each(both),
    }
}

/// Each in a process of its own, for its memory.
fn both(rows: &str) {
    println!("{rows} deployments");
    for step in ["fill", "read"] {
        assert!(Command::new(std::env::current_exe().unwrap()).args([step, rows]).status().unwrap().success());
    }
}

fn work(folder: &Path, rows: usize, fill: bool) {
    let folder = folder.join(rows.to_string());
    let (cache, file) = (folder.join("readings.db"), folder.join("estate.toml"));
    if fill {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let log = folder.join("deploys.jsonl");
        let text = format!(
            "version = 1\n\n[estate]\nname = \"long\"\nenvironment = \"test\"\n\n[[history]]\nname = \"deploys\"\nkind = \"deploy-log\"\npath = \"{}\"\n",
            log.display()
        );
        std::fs::write(&file, text).unwrap();
    }
    let estate = config::load::estate(&file).unwrap();
    if fill {
        let start = Instant::now();
        fill::fill(&cache, &estate, rows);
        told("taken into the index", start.elapsed());
        let size = std::fs::metadata(cache.with_file_name("history.db")).unwrap().len();
        println!("  {:44} {:>9} MB", "size of its file", size / 1_000_000);
    } else {
        read(&cache.with_file_name("history.db"), &estate, rows);
    }
    println!("  {:44} {:>9} MB", "most memory meanwhile", high_water() / 1_000);
}

fn read(path: &Path, estate: &Estate, rows: usize) {
    let start = Instant::now();
    let (deployments, _) = Deployments::open(path).unwrap();
    piece(&deployments, estate, &Narrow::default(), &From::Newest, SCREEN);
    told("open, and the first piece", start.elapsed());
    assert_eq!(deployments.total(estate).unwrap(), rows);
    let all = Narrow::default();
    let list = |narrow: &Narrow, from: &From| best(|| assert!(piece(&deployments, estate, narrow, from, SCREEN) > 0));
    told("first piece", list(&all, &From::Newest));
    told("last piece", list(&all, &From::Oldest));
    let middle = Timestamp::from_second(fill::NEWEST - fill::EACH * rows as i64 / 2).unwrap();
    told("the piece in the middle, by time", list(&all, &From::At(middle)));
    let word = |word: &str| Narrow { words: vec![word.to_owned()], ..Narrow::default() };
    let count = |narrow: &Narrow| deployments.count(estate, narrow, None, &AtomicBool::new(false), &mut |_| {}).unwrap();
    let rare = word(&fill::RARE.to_lowercase());
    told("a text in any column: the first of three hits", best(|| assert_eq!(piece_first(&deployments, estate, &rare), 1)));
    told("all three counted", best(|| assert_eq!(count(&rare), 3)));
    told("a text that is nowhere", best(|| assert_eq!(count(&word("nowhere at all")), 0)));
    told("a text that is everywhere, counted", best(|| assert_eq!(count(&word("service")), rows)));
    for (what, column, value) in [
        ("service=service-07", Column::Service, "service-07".to_owned()),
        ("who=person-07", Column::Who, "person-07".to_owned()),
        ("result=failed", Column::Result, "failed".to_owned()),
        ("id=D-0004711", Column::Id, "D-0004711".to_owned()),
    ] {
        let narrow = Narrow { equal: vec![(column, value)], ..Narrow::default() };
        told(&format!("{what}: first piece"), list(&narrow, &From::Newest));
        told(&format!("{what}: counted"), best(|| assert!(count(&narrow) > 0)));
    }
    let mixed = Narrow { equal: vec![(Column::Service, "service-07".to_owned())], ..word("change 4") };
    told("service=service-07 and a text: counted", best(|| assert!(count(&mixed) > 0)));
    let regex = regex::Regex::new("(?i)queue 8[0-9]7$").unwrap();
    let mut test = |one: &Deployment| one.reason.as_deref().is_some_and(|reason| regex.is_match(reason));
    let start = Instant::now();
    let hits = deployments.count(estate, &all, Some(&mut test), &AtomicBool::new(false), &mut |_| {}).unwrap();
    told(&format!("a regular expression: all {hits} counted, once"), start.elapsed());
}

fn piece(deployments: &Deployments, estate: &Estate, narrow: &Narrow, from: &From, rows: usize) -> usize {
    deployments.piece(estate, narrow, from, rows, &mut |_| true, &AtomicBool::new(false)).unwrap().rows.len()
}

/// Until the first hit is there: one more is not looked for.
fn piece_first(deployments: &Deployments, estate: &Estate, narrow: &Narrow) -> usize {
    let stop = AtomicBool::new(false);
    let mut first = |_: &Deployment| {
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        true
    };
    deployments.piece(estate, narrow, &From::Newest, 1, &mut first, &stop).unwrap().rows.len()
}

fn told(what: &str, took: Duration) {
    println!("  {what:44} {:>9.2} ms", took.as_secs_f64() * 1e3);
}

fn best(mut work: impl FnMut()) -> Duration {
    let times = (0..5).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed()
    });
    times.min().unwrap()
}

/// The most memory that this process ever had, kB.
fn high_water() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}
