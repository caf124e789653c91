//! Restarts a unit of systemd by one `systemctl restart`: once systemd has taken it, it ends without us, so that a lost
//! connection leaves nothing stopped. Whether it was done is told by `InvocationID`, which each start makes anew (systemd's
//! `org.freedesktop.systemd1(5)`).

use super::Called;
use super::job::{self, Job, Left};
use super::unit::{self, SHOW};
use crate::link::permit::Permit;
use crate::link::ssh::{JobState, Script};
use crate::model::plan::Found;

/// Functions, `sudo` or `-`, the unit, its `InvocationID` before or `-`. One that somebody stopped is not started by this, and
/// one that was started anew since the plan was made is left alone.
pub(super) const CHANGE: Script = Script(
    r#"eval "$1"; shift; qd_machine "$1"; eval "$2"; shift 2
qd_changes "$1" "$2"
qd_before=$3
case $qd_active in
  inactive|deactivating) qd_end 11 "$qd_is: it was stopped, and is not started by a restart";;
  active|reloading)
    [ "$qd_before" = - ] || [ "$qd_id" = "$qd_before" ] || qd_end 10 "$qd_is, started anew since the plan was made: process $qd_pid";;
esac
qd_was=$qd_id
qd_ctl systemctl restart "$qd_unit"
qd_rc=$?
qd_show "$qd_unit"
if [ "$qd_rc" = 0 ]; then
  # What cannot run is up for a moment: then this is what failed, and can be tried again.
  sleep 1
  qd_show "$qd_unit"
  case $qd_active in
    active|reloading) [ -n "$qd_id" ] && [ "$qd_id" = "$qd_was" ] || qd_end 0 "$qd_is anew, process $qd_pid";;
    inactive) [ "$qd_type.$qd_result" = oneshot.success ] && qd_end 0 "$qd_unit ran to its end";;
  esac
fi
qd_said
qd_end 1 "$qd_is after restart (systemctl ended by $qd_rc, result $qd_result)""#,
);

/// Functions, the unit, its `InvocationID` before.
pub(super) const LOOK: Script = Script(
    r#"eval "$1"; shift; qd_machine "$1"; eval "$2"; shift 2
qd_unit_is "$1"
case $qd_queued in ''|0|'0 '*) ;; *) qd_end 13 "$qd_is, and systemd is at it";; esac
case $qd_active.$qd_sub in
  activating.auto-restart) qd_end 11 "$qd_is: it ends and is started again";;
  activating.*|deactivating.*) qd_end 13 "$qd_is";;
esac
if [ "$qd_id" = "$2" ]; then qd_end 12 "$qd_is, started before the plan was made"; fi
case $qd_active in active|reloading) qd_end 0 "$qd_is, started anew: process $qd_pid";; esac
qd_end 11 "$qd_is""#,
);

/// Restarts it.
pub(super) async fn apply(job: Job<'_>, permit: Permit, unit: &str, before: Option<&str>, sudo: bool) -> Called {
    let sudo = if sudo { "sudo" } else { "-" };
    job.run(permit, CHANGE, &[SHOW, sudo, unit, before.unwrap_or("-")]).await
}

/// How it stands. Without an `InvocationID` of before only its job tells.
pub(super) async fn observe(job: Job<'_>, left: Left<'_>, unit: &str, before: Option<&str>) -> Found {
    let state = match job.left(left).await {
        Ok(state) => state,
        Err(found) => return found,
    };
    let name = &job.place.name;
    match (state, before) {
        (JobState::Running { .. }, _) => Found::Underway { seen: job::runs(name) },
        // What failed was not left as it was, also where its process is the old one.
        (state, Some(before)) => job::after(job.found(LOOK, &[SHOW, unit, before]).await, &state),
        (JobState::Never, None) => Found::NotDone { seen: format!("{name}: it never began there") },
        (JobState::Ended { code: 11, .. }, None) => Found::NotDone { seen: format!("{name}: it was refused there") },
        (JobState::Ended { code: 0 | 10, .. }, None) => match job.found(unit::LOOK, &[SHOW, "start", unit]).await {
            Found::NotDone { seen } => Found::Moved { seen },
            found => found,
        },
        (JobState::Ended { code, out }, None) => {
            let said = super::printed::lines(&out, &job.reach.secrets().await);
            Found::Moved { seen: job::failed(name, code, super::printed::last(&said)) }
        }
        (JobState::Lost { .. }, None) => Found::Untold { why: job::lost(name) },
        (JobState::Refused(why), None) => Found::Untold { why },
    }
}
