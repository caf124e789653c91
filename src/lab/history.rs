//! The deploy log of the practice estate: a year of made-up history, the same at every start, and a real line for each
//! deployment that is made in it.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::release::GOOD;
use super::{LabError, PRIMARY, STANDBY, at};

/// Its name in the estate's folder.
pub const LOG: &str = "deploys.jsonl";

/// Days of made-up history.
const DAYS: i64 = 365;
const PEOPLE: [&str; 5] = ["ann", "ben", "eva", "jan", "ola"];
const REASONS: [&str; 6] =
    ["Faster baskets", "A smaller page", "New prices", "Clearer errors", "Libraries brought up to date", "Orders kept in order"];

/// Where it is.
pub fn path(folder: &Path) -> PathBuf {
    folder.join(LOG)
}

/// Numbers that look random and are the same at every start (xorshift64).
struct Dice(u64);

impl Dice {
    /// From 0 to below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides.max(1)
    }
}

/// Writes the year before now. Each line says what it is: practice.
///
/// # Errors
/// Where the file cannot be written.
pub fn lay_out(folder: &Path, now: Timestamp) -> Result<(), LabError> {
    let file = path(folder);
    std::fs::write(&file, year(now)).map_err(at(&file))
}

/// Every few days a version goes to both sites, one after the other; some fail, some break something and are taken back.
fn year(now: Timestamp) -> String {
    let mut dice = Dice(0x5eed);
    let (mut out, mut number) = (String::new(), 0);
    let mut versions = Vec::new();
    let mut day = DAYS;
    while day > 1 {
        versions.push((day, dice.roll(8 * 60) as i64, dice.roll(100), String::new()));
        day -= 1 + dice.roll(3) as i64;
    }
    // The newest of them is what the practice starts with.
    let count = versions.len();
    for (place, (_, _, _, version)) in versions.iter_mut().enumerate() {
        *version = numbered(count - 1 - place);
    }
    if let Some(last) = versions.last_mut() {
        last.2 = 99;
    }
    let mut before = numbered(count);
    for (day, minute, luck, version) in versions {
        let begin = now - SignedDuration::from_hours(24 * day) + SignedDuration::from_mins(minute);
        let (who, reason) = (PEOPLE[dice.roll(5) as usize], REASONS[dice.roll(6) as usize]);
        let first_commit = begin - SignedDuration::from_mins(60 + dice.roll(4_000) as i64);
        let commit = format!("{:07x}", dice.roll(0xfff_ffff));
        for (place, site) in [PRIMARY, STANDBY].into_iter().enumerate() {
            number += 1;
            let took = 20 + dice.roll(200);
            let start = begin + SignedDuration::from_mins(20 * place as i64);
            let mut line = Line {
                id: format!("P-{number}"),
                site,
                from: &before,
                version: &version,
                who,
                at: start,
                took: took as f64,
                source: "pipeline",
                result: "succeeded",
                reason,
                more: format!(",\"commit\":\"{commit}\",\"first_commit\":\"{}\"", moment(first_commit)),
            };
            if place == 0 && luck < 6 {
                line.result = "failed";
                out += &line.text();
                break;
            }
            if place == 0 && luck < 14 {
                let id = line.id.clone();
                line.more += &format!(",\"incidents\":[\"INC-{number}\"]");
                out += &line.text();
                number += 1;
                let back = start + SignedDuration::from_mins(10 + dice.roll(70) as i64);
                out += &Line {
                    id: format!("P-{number}"),
                    site,
                    from: &version,
                    version: &before,
                    who,
                    at: back,
                    took: 25.0,
                    source: "rollback",
                    result: "succeeded",
                    reason: "Taken back",
                    more: format!(",\"fixes\":\"{id}\",\"unplanned\":true"),
                }
                .text();
                break;
            }
            out += &line.text();
            if place == 1 {
                before.clone_from(&version);
            }
        }
    }
    out
}

/// The version of so many releases ago: they count up to the one that practice starts with.
fn numbered(ago: usize) -> String {
    let digits = GOOD.bytes().filter(u8::is_ascii_digit).fold(0, |all, digit| all * 10 + usize::from(digit - b'0'));
    let number = digits.saturating_sub(ago);
    format!("{}.{}.{}", number / 100, number / 10 % 10, number % 10)
}

struct Line<'a> {
    id: String,
    site: &'a str,
    from: &'a str,
    version: &'a str,
    who: &'a str,
    at: Timestamp,
    took: f64,
    source: &'a str,
    result: &'a str,
    reason: &'a str,
    /// Further parts, each with a comma before it.
    more: String,
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A text as JSON writes it.
fn quoted(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !c.is_control()).collect();
    format!("\"{}\"", plain.replace('\\', "\\\\").replace('"', "\\\""))
}

impl Line<'_> {
    fn text(&self) -> String {
        let [id, site, from, version, who, source, result, reason] =
            [&self.id, self.site, self.from, self.version, self.who, self.source, self.result, self.reason].map(quoted);
        format!(
            "{{\"time\":\"{}\",\"id\":{id},\"service\":\"web\",\"site\":{site},\"environment\":\"practice\",\"from\":{from},\"version\":{version},\
             \"who\":{who},\"took\":{},\"source\":{source},\"result\":{result},\"reason\":{reason}{}}}\n",
            moment(self.at),
            self.took,
            self.more
        )
    }
}

/// A deployment that was made in the practice estate.
#[derive(Debug)]
pub struct Made<'a> {
    /// Where.
    pub site: &'a str,
    /// What ran there before; empty where that is not known.
    pub from: &'a str,
    /// What was put there.
    pub version: &'a str,
    /// When it began (UTC).
    pub began: Timestamp,
    /// Seconds that it took.
    pub took: f64,
    /// True where it ended well.
    pub worked: bool,
}

/// Adds its line: one write of one whole line.
///
/// # Errors
/// Where the file cannot be written.
pub fn add(folder: &Path, made: &Made<'_>) -> Result<(), LabError> {
    let file = path(folder);
    let line = Line {
        id: format!("L-{}", made.began.as_millisecond()),
        site: made.site,
        from: made.from,
        version: made.version,
        who: "qd lab",
        at: made.began,
        took: made.took,
        source: if super::release::is_older(made.version, made.from) { "rollback" } else { "person" },
        result: if made.worked { "succeeded" } else { "failed" },
        reason: "Deployed in the practice estate",
        more: String::new(),
    };
    let mut log = OpenOptions::new().create(true).append(true).open(&file).map_err(at(&file))?;
    log.write_all(line.text().as_bytes()).map_err(at(&file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-12T14:32:07Z".parse().unwrap()
    }

    #[test]
    fn a_year_is_the_same_at_every_start_and_every_line_is_json() {
        let year = year(now());
        assert_eq!(year, super::year(now()));
        let lines: Vec<serde_json::Value> = year.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!((250..700).contains(&lines.len()), "{}", lines.len());
        let of = |key: &str, word: &str| lines.iter().filter(|line| line[key] == word).count();
        assert!(of("result", "failed") > 3 && of("source", "rollback") > 3);
        assert!(lines.iter().all(|line| line["time"].as_str().unwrap().parse::<Timestamp>().unwrap() < now()));
        assert_eq!((lines.last().unwrap()["version"].as_str(), lines.last().unwrap()["site"].as_str()), (Some(GOOD), Some(STANDBY)));
        let first: Timestamp = lines[0]["time"].as_str().unwrap().parse().unwrap();
        let to = |line: &serde_json::Value| line["version"].as_str().unwrap().to_owned();
        assert!(lines.iter().rev().map(to).any(|version| version == "2.3.9"), "the one before it");
        assert!(now().duration_since(first) > SignedDuration::from_hours(24 * 360));
    }

    #[test]
    fn a_deployment_adds_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let made = Made { site: PRIMARY, from: GOOD, version: "2.5.0\"x", began: now(), took: 1.5, worked: false };
        add(folder.path(), &made).unwrap();
        add(folder.path(), &made).unwrap();
        let text = std::fs::read_to_string(path(folder.path())).unwrap();
        let last: serde_json::Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
        assert_eq!((text.lines().count(), last["version"].as_str(), last["result"].as_str()), (2, Some("2.5.0\"x"), Some("failed")));
    }
}
