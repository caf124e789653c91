//! Reads what the script said: every word known, every number a number, all text cleaned.

use jiff::{SignedDuration, Timestamp};

use super::{Folder, Lease, Look, Survey, Unit};
use crate::model::text::{LABEL_CAP, clean, is_hostile};

/// Of the answer that came between these two moments of our own clock.
pub(super) fn survey(out: &[u8], look: &Look, sent: Timestamp, came: Timestamp) -> Result<Survey, String> {
    let mut survey = Survey {
        as_of: came,
        skew: SignedDuration::ZERO,
        machine_id: String::new(),
        hostname: String::new(),
        user: String::new(),
        boot: String::new(),
        uptime: 0,
        systemd: false,
        kills: None,
        lacks: Vec::new(),
        folder: look.folder.as_ref().map(|_| Folder::default()),
        unit: None,
        sudo: None,
        pid: None,
        alive: None,
        log: None,
        alone: Vec::new(),
    };
    let (mut parts, mut ended, mut clock, mut lease) = (out.split(|byte| *byte == 0), false, false, None);
    while let Some(word) = parts.next() {
        // The frame's own line end stands behind the last NUL.
        let Some(value) = parts.next() else {
            if word.iter().all(u8::is_ascii_whitespace) {
                break;
            }
            return Err("it ends in the middle".to_owned());
        };
        if ended {
            return Err("something stands behind its end".to_owned());
        }
        let text = || clean(&String::from_utf8_lossy(value), LABEL_CAP).trim().to_owned();
        let word = std::str::from_utf8(word).map_err(|_| "a word that is no text".to_owned())?;
        let place = survey.folder.as_mut();
        match (word, place) {
            ("machine", _) => survey.machine_id = text(),
            ("hostname", _) => survey.hostname = text(),
            ("user", _) => survey.user = text(),
            ("boot", _) => survey.boot = text(),
            ("uptime", _) => survey.uptime = text().split('.').next().and_then(|s| s.parse().ok()).unwrap_or(0),
            ("clock", _) => {
                let nanos: i128 = text().parse().map_err(|_| format!("its clock says `{}`", text()))?;
                let there = Timestamp::from_nanosecond(nanos).map_err(|_| "its clock is out of all bounds".to_owned())?;
                survey.skew = skew(there, sent, came);
                clock = true;
            }
            ("systemd", _) => survey.systemd = yes(&text())?,
            ("kills", _) => {
                survey.kills = match text().as_str() {
                    "b true" => Some(true),
                    "b false" => Some(false),
                    _ => None,
                }
            }
            ("lacks", _) => survey.lacks.push(text()),
            ("unit", _) => survey.unit = Some(unit(&String::from_utf8_lossy(value))),
            ("sudo", _) => survey.sudo = Some(yes(&text())?),
            ("pid", _) => survey.pid = text().parse().ok().filter(|pid| *pid > 0),
            ("alive", _) => survey.alive = Some(yes(&text())?),
            ("log", _) => survey.log = Some(yes(&text())?),
            ("end", _) => ended = true,
            ("folder", Some(folder)) => folder.there = text() == "there",
            ("current", Some(folder)) => folder.current = Some(link(value)),
            ("no-current", Some(folder)) => folder.current = Some(Err(text())),
            ("writable", Some(folder)) => folder.writable = yes(&text())?,
            ("disk", Some(folder)) => folder.free = column(&text()).map(|kilobytes| kilobytes.saturating_mul(1024)),
            ("inodes", Some(folder)) => folder.inodes = column(&text()).filter(|_| counts(&text())),
            ("mark", Some(folder)) => folder.mark = Some(text()).filter(|mark| !mark.is_empty()),
            ("head", Some(folder)) => folder.head = Some(text()),
            ("fence", Some(folder)) => folder.fence = text().parse().unwrap_or(0),
            ("lease", Some(_)) => lease = Some(String::from_utf8_lossy(value).into_owned()),
            ("busy", Some(folder)) => folder.busy = Some(text()),
            ("release", Some(folder)) => match name(value) {
                Some(name) => folder.releases.push(name),
                None => folder.odd += 1,
            },
            (other, _) => return Err(format!("it holds the word `{}`", clean(other, 64))),
        }
    }
    if !ended || !clock {
        return Err("it has no end".to_owned());
    }
    let (boot, uptime) = (survey.boot.clone(), survey.uptime);
    if let (Some(folder), Some(lease)) = (survey.folder.as_mut(), lease) {
        match leased(&lease, &boot, uptime) {
            Some(lease) => folder.lease = Some(lease).filter(|lease| lease.seconds > 0),
            None => folder.damaged = true,
        }
    }
    if let Some(folder) = &mut survey.folder {
        folder.releases.sort_unstable();
        folder.releases.dedup();
    }
    Ok(survey)
}

/// How far that clock is ahead (or, negative, behind) of what the round trip leaves open.
fn skew(there: Timestamp, sent: Timestamp, came: Timestamp) -> SignedDuration {
    if there > came {
        there.duration_since(came)
    } else if there < sent {
        there.duration_since(sent)
    } else {
        SignedDuration::ZERO
    }
}

fn yes(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        other => Err(format!("`{other}` is neither yes nor no")),
    }
}

/// A release's name; `None` of one that cannot be shown as it is.
fn name(bytes: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(bytes).ok()?;
    (!name.is_empty() && name.len() <= 255 && name.trim() == name && !name.chars().any(is_hostile)).then(|| name.to_owned())
}

/// What the link holds. It is compared byte by byte when it is switched, so that one that cannot be shown is refused.
fn link(bytes: &[u8]) -> Result<String, String> {
    match std::str::from_utf8(bytes) {
        Ok(link) if !link.is_empty() && link.len() <= LABEL_CAP && !link.chars().any(is_hostile) => Ok(link.to_owned()),
        _ => Err("it holds characters that cannot be shown".to_owned()),
    }
}

/// The fourth column of what `df -P` says.
fn column(line: &str) -> Option<u64> {
    line.split_whitespace().nth(3)?.parse().ok()
}

/// False of a file system that does not count inodes: it says that it has 0 of them.
fn counts(line: &str) -> bool {
    line.split_whitespace().nth(1).is_some_and(|all| all != "0")
}

/// Six lines. A lease of another boot ends its whole length after the start at the latest.
fn leased(text: &str, boot: &str, uptime: u64) -> Option<Lease> {
    let mut lines = text.lines();
    let mut word = || lines.next().map(|line| clean(line, LABEL_CAP).into_owned());
    let (run, fence, who, of, ends, length) = (word()?, word()?, word()?, word()?, word()?, word()?);
    let (fence, ends, length) = (fence.parse().ok()?, ends.parse::<u64>().ok()?, length.parse::<u64>().ok()?);
    let left = ends.saturating_sub(uptime);
    let left = if of == boot && left <= length.saturating_add(1) { left } else { length.saturating_sub(uptime) };
    (!run.is_empty()).then_some(Lease { run, fence, who, seconds: left })
}

/// `KEY=VALUE` lines of `systemctl show`.
fn unit(text: &str) -> Unit {
    let of = |key: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        clean(value.unwrap_or_default(), LABEL_CAP).into_owned()
    };
    Unit {
        load: of("LoadState"),
        active: of("ActiveState"),
        sub: of("SubState"),
        file: of("UnitFileState"),
        main: of("MainPID").parse().ok().filter(|pid| *pid > 0),
        restarts: of("NRestarts").parse().ok(),
        kind: of("Type"),
        invocation: Some(of("InvocationID")).filter(|id| !id.is_empty()),
        since: of("ActiveEnterTimestampMonotonic").parse().ok().filter(|micros: &u64| *micros > 0).map(|micros| micros / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn read(pairs: &[(&str, &str)]) -> Result<Survey, String> {
        let look = Look { folder: Some("/srv".into()), ..Look::default() };
        let mut out = Vec::new();
        for (word, value) in pairs {
            out.extend(format!("{word}\0{value}\0").bytes());
        }
        survey(&out, &look, at(100), at(101))
    }

    const END: (&str, &str) = ("end", "end");
    const CLOCK: (&str, &str) = ("clock", "100500000000");

    #[test]
    fn a_clock_is_wrong_by_what_the_round_trip_does_not_explain() {
        let skew = |clock: &str| read(&[("clock", clock), END]).unwrap().skew.as_millis();
        assert_eq!((skew("100500000000"), skew("104000000000"), skew("90000000000")), (0, 3_000, -10_000));
        assert!(read(&[("clock", "x"), END]).unwrap_err().contains("its clock says `x`"));
    }

    #[test]
    fn what_is_cut_strange_or_goes_on_is_refused() {
        assert_eq!(read(&[CLOCK]).unwrap_err(), "it has no end");
        assert_eq!(read(&[END]).unwrap_err(), "it has no end");
        assert!(read(&[CLOCK, ("oops", "1"), END]).unwrap_err().contains("`oops`"));
        assert!(read(&[CLOCK, ("writable", "perhaps"), END]).unwrap_err().contains("neither yes nor no"));
        assert!(read(&[CLOCK, END, ("release", "1")]).unwrap_err().contains("behind its end"));
    }

    #[test]
    fn hostile_names_are_no_releases_and_a_hostile_link_is_no_state() {
        let all = [
            CLOCK,
            ("release", "2"),
            ("release", "1"),
            ("release", "a\u{1b}[2J"),
            ("release", " x"),
            ("current", "releases/\u{202e}1"),
            END,
        ];
        let folder = read(&all).unwrap().folder.unwrap();
        assert_eq!((folder.releases.join(" "), folder.odd), ("1 2".into(), 2));
        assert!(!folder.has("3") && folder.has("2"));
        assert!(folder.current.unwrap().is_err());
    }

    #[test]
    fn a_lease_is_read_by_the_hosts_own_uptime() {
        let lease = |boot: &str, text: &str| {
            let folder = read(&[("boot", boot), ("uptime", "1000.5 3"), CLOCK, ("lease", text), END]).unwrap().folder.unwrap();
            (folder.lease.map(|lease| (lease.run, lease.fence, lease.seconds)), folder.damaged)
        };
        assert_eq!(lease("b", "r\n7\nann\nb\n1020\n30"), (Some(("r".into(), 7, 20)), false));
        assert_eq!(lease("b", "r\n7\nann\nb\n990\n30"), (None, false), "it has run out");
        assert_eq!(lease("c", "r\n7\nann\nb\n1020\n30"), (None, false), "of a boot before, long ago");
        assert_eq!(lease("b", "r\n7\nann"), (None, true));
        assert_eq!(lease("b", "r\nx\nann\nb\n990\n30"), (None, true));
    }

    #[test]
    fn a_unit_is_told_in_systemds_words() {
        let text = "LoadState=loaded\nActiveState=failed\nSubState=failed\nMainPID=0\nNRestarts=3\nUnitFileState=enabled\n";
        let unit = read(&[CLOCK, ("unit", text), END]).unwrap().unit.unwrap();
        assert_eq!((unit.load.as_str(), unit.active.as_str(), unit.main, unit.restarts), ("loaded", "failed", None, Some(3)));
    }
}
