//! Fills the index of an estate with as many deployments as are wanted, the same ones each time.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use quarterdeck::cache::deployments::Deployments;
use quarterdeck::model::deployment::news::{Mark, News};
use quarterdeck::model::deployment::{Dated, Deployment, Ending, Trigger};
use quarterdeck::model::estate::{Estate, History, SourceKind};

/// Deployments that are taken in at once, as the reader of a log does.
const PART: usize = 20_000;
/// A word that stands in three of the rows, however many there are.
pub const RARE: &str = "Zeppelin";
/// The newest deployment began then, seconds since the epoch.
pub const NEWEST: i64 = 1_790_000_000;
/// Between two deployments, seconds.
pub const EACH: i64 = 31;

/// Fills `history.db` beside this cache with so many deployments of the estate's first deploy log, which is made: it has
/// one line, and the index is past it. A console that opens the estate reads on from there.
pub fn fill(cache: &Path, estate: &Estate, rows: usize) {
    let found = estate.sources.iter().enumerate().find_map(|(place, source)| match &source.kind {
        SourceKind::History(History::DeployLog { path, .. }) => Some((place, source.name.clone(), path.clone())),
        _ => None,
    });
    let (place, name, log) = found.expect("the estate has a deploy log");
    let line = format!("{{\"time\":{NEWEST},\"service\":\"web\",\"version\":\"newest\"}}");
    std::fs::create_dir_all(log.parent().unwrap()).unwrap();
    std::fs::write(&log, format!("{line}\n")).unwrap();
    let known = std::fs::metadata(&log).unwrap();
    let (mut deployments, _) = Deployments::open(&cache.with_file_name("history.db")).unwrap();
    let mut begins: Option<Mark> = None;
    for part in (0..rows).step_by(PART) {
        let end = rows.min(part + PART);
        let ends = Mark {
            file: (known.dev(), known.ino()),
            first: Some(number(line.as_bytes())),
            // Somewhere before its end, then at it.
            offset: if end == rows { known.len() } else { 0 },
            lines: end as u64,
            broken: 0,
        };
        let rows = (part..end).rev().map(|n| Arc::new(deployment(n, rows, &name))).collect();
        assert!(deployments.take(estate, place, &News { since: None, rows, begins, ends: Some(ends.clone()) }).unwrap());
        begins = Some(ends);
    }
}

/// As the reader of a log tells first lines apart (FNV-1a).
fn number(line: &[u8]) -> u64 {
    line.iter().fold(0xcbf2_9ce4_8422_2325, |number, byte| (number ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The `n`th of so many, from the oldest on: 40 services at 3 sites, 60 persons, one of eight fails.
pub fn deployment(n: usize, rows: usize, source: &str) -> Deployment {
    let mut noise = noise(n as u64);
    let mut pick = |of: u64| {
        noise = self::noise(noise);
        noise % of
    };
    let at = Timestamp::from_second(NEWEST - EACH * (rows - n) as i64).unwrap();
    let mut one = Deployment::new(&format!("service-{:02}", pick(40)), at, Dated::Record, source);
    one.id = Some(format!("D-{n:07}"));
    one.site = Some(["fra1", "ams3", "nyc2"][pick(3) as usize].to_owned());
    one.environment = Some(if pick(5) == 0 { "staging" } else { "production" }.to_owned());
    one.from = Some(format!("4.{}.{}", n / 40_000, (n / 40).saturating_sub(1)));
    one.to = Some(format!("4.{}.{}", n / 40_000, n / 40));
    one.who = Some(format!("person-{:02}", pick(60)));
    one.took = Some(SignedDuration::from_secs(60 + pick(600) as i64));
    one.trigger = Some(if pick(4) == 0 { Trigger::Person } else { Trigger::Pipeline });
    one.result = Some(if pick(8) == 0 { Ending::Failed } else { Ending::Succeeded });
    one.commit = Some(format!("{:016x}", pick(u64::MAX)));
    one.links = vec![format!("https://ci.example.org/runs/{}", pick(90_000_000))];
    let rare = [rows / 6, rows / 2, rows * 5 / 6].contains(&n);
    one.reason = Some(if rare { format!("{RARE} flies") } else { format!("Change {} of the queue {}", pick(100_000), pick(900)) });
    one
}

/// xorshift64 over a multiplied seed: for spreading, not for secrets.
fn noise(seed: u64) -> u64 {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    x ^= x << 13;
    x ^= x >> 7;
    x ^ (x << 17)
}
