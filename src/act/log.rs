//! Adds a line to a log of JSON lines on the target's host, unless its last lines hold it already.

use jiff::Timestamp;

use super::Called;
use super::job::{Job, Left};
use crate::link::permit::Permit;
use crate::link::ssh::Script;
use crate::model::plan::Found;

/// The file, the line. One write at the file's end (`O_APPEND`); where the line before has no end, it gets one first.
const APPEND: Script = Script(
    r#"eval "$1"; shift; qd_machine "$1"; shift
LC_ALL=C; export LC_ALL
qd_holds() { tail -n 50 -- "$1" 2>/dev/null | grep -F -x -q -e "$2"; }
case $1 in /*) ;; *) qd_end 11 "$1 is not an absolute path";; esac
[ -d "$(dirname -- "$1")/." ] || qd_end 11 "the folder of $1 is not there"
if [ -e "$1" ] && [ ! -f "$1" ]; then qd_end 11 "$1 is no file"; fi
if qd_holds "$1" "$2"; then qd_synced "$1"; qd_end 10 "$1 holds the line already"; fi
qd_before=
if [ -s "$1" ] && [ "$(tail -c 1 -- "$1" | wc -l)" -eq 0 ]; then qd_before='
'; fi
printf '%s%s\n' "$qd_before" "$2" >>"$1" || qd_end 1 "$1 cannot be written"
qd_synced "$1"
qd_holds "$1" "$2" || qd_end 1 "$1 does not hold the line after it was written"
qd_end 0 "the line stands in $1""#,
);

/// The file, the line.
const HOLDS: Script = Script(
    r#"eval "$1"; shift; qd_machine "$1"; shift
[ -e "$1" ] || qd_end 12 "$1 is not there"
[ -r "$1" ] || qd_end 1 "$1 cannot be read"
LC_ALL=C tail -n 50 -- "$1" | LC_ALL=C grep -F -x -q -e "$2" && qd_end 0 "the line stands in $1"
qd_end 12 "$1 does not hold the line""#,
);

/// The word that stands for the run's id.
const RUN: &str = "$run";
/// The word that stands for when the run was planned (RFC 3339, UTC), as its id says: the same whenever the line is looked
/// for, and no part of the plan, which would be another one at each moment.
const TIME: &str = "$time";

/// The line of that run; `None` where it wants a time and the run's id holds none.
fn filled(line: &str, run: &str) -> Option<String> {
    let line = line.replace(RUN, run);
    if !line.contains(TIME) {
        return Some(line);
    }
    let time = run.split('-').find_map(|part| part.parse::<Timestamp>().ok())?;
    Some(line.replace(TIME, &time.to_string()))
}

/// Adds it.
pub(super) async fn apply(job: Job<'_>, permit: Permit, path: &str, line: &str) -> Called {
    let Some(line) = filled(line, permit.run()) else {
        return Called::refused(format!("{path}: the id of the run holds no time, and the line wants one"));
    };
    if line.contains(['\n', '\r']) {
        return Called::refused(format!("{path}: what is to be added is more than one line"));
    }
    job.run(permit, APPEND, &[path, &line]).await
}

/// Whether it stands there.
pub(super) async fn observe(job: Job<'_>, left: Left<'_>, path: &str, line: &str) -> Found {
    match filled(line, left.run) {
        Some(line) => job.observe(left, HOLDS, &[path, &line]).await,
        None => Found::NotDone { seen: format!("{path}: the id of the run holds no time, so that no line was added") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_runs_id_and_its_time() {
        let line = filled(r#"{"id":"$run","time":"$time"}"#, "web-20261121T140455Z-3f2a").unwrap();
        assert_eq!(line, r#"{"id":"web-20261121T140455Z-3f2a","time":"2026-11-21T14:04:55Z"}"#);
        assert_eq!(filled("$run", "r1").as_deref(), Some("r1"));
        assert_eq!(filled("$time", "r1"), None);
    }
}
