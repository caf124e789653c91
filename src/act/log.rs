//! Adds a line to a log of JSON lines on the target's host, unless its last lines hold it already.

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

/// Adds it.
pub(super) async fn apply(job: Job<'_>, permit: Permit, path: &str, line: &str) -> Called {
    let line = line.replace(RUN, permit.run());
    if line.contains(['\n', '\r']) {
        return Called::refused(format!("{path}: what is to be added is more than one line"));
    }
    job.run(permit, APPEND, &[path, &line]).await
}

/// Whether it stands there.
pub(super) async fn observe(job: Job<'_>, left: Left<'_>, path: &str, line: &str) -> Found {
    job.observe(left, HOLDS, &[path, &line.replace(RUN, left.run)]).await
}
