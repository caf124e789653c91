//! Stops and starts a unit of systemd. systemd says how it stands before and after: what `systemctl` ends by is not the
//! proof.

use super::Called;
use super::job::{self, Job, Left};
use crate::link::permit::Permit;
use crate::link::ssh::{JobState, Script};
use crate::model::plan::Found;

/// What is wanted of the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// That it does not run.
    Stopped,
    /// That it runs.
    Started,
}

impl Want {
    fn verb(self) -> &'static str {
        match self {
            Want::Stopped => "stop",
            Want::Started => "start",
        }
    }
}

/// Functions of the scripts about units. `qd_show` reads how one stands, by names, as their order is systemd's own;
/// `qd_unit_is` refuses what is no unit that systemd knows; `qd_changes` begins a script that changes one, by `sudo` or `-`.
/// `systemctl` gets no `--` before the unit: a rule of sudoers names the whole command, so that a unit that begins with a
/// dash is refused instead.
pub(super) const SHOW: &str = r#"
qd_show() {
  qd_all=$(LC_ALL=C systemctl show -p Type,LoadState,ActiveState,SubState,MainPID,NRestarts,Result,InvocationID,Job "$1" 2>&1) ||
    qd_end 1 "systemctl does not tell of $1: $qd_all"
  qd_type= qd_load= qd_active= qd_sub= qd_pid= qd_restarts= qd_result= qd_id= qd_queued=
  while IFS='=' read -r qd_key qd_value; do
    case $qd_key in
      Type) qd_type=$qd_value;; LoadState) qd_load=$qd_value;; ActiveState) qd_active=$qd_value;; SubState) qd_sub=$qd_value;;
      MainPID) qd_pid=$qd_value;; NRestarts) qd_restarts=$qd_value;; Result) qd_result=$qd_value;;
      InvocationID) qd_id=$qd_value;; Job) qd_queued=$qd_value;;
    esac
  done <<QD
$qd_all
QD
  [ -n "$qd_active" ] || qd_end 1 "systemctl does not tell of $1"
  qd_is="$1 is $qd_active ($qd_sub)"
}
qd_no_dash() { case $1 in -*) qd_end 11 "$1 is no unit";; esac; }
qd_unit_is() {
  qd_no_dash "$1"
  qd_show "$1"
  [ "$qd_load" = loaded ] || qd_end 11 "$1 is $qd_load"
}
qd_changes() {
  qd_sudo=$1 qd_unit=$2
  qd_no_dash "$qd_unit"
  command -v systemctl >/dev/null 2>&1 || qd_end 11 "there is no systemctl"
  qd_unit_is "$qd_unit"
}
qd_ctl() { if [ "$qd_sudo" = sudo ]; then sudo -n "$@"; else "$@"; fi; }
qd_said() {
  qd_ctl journalctl -u "$qd_unit" -n 20 --no-pager -o cat 2>/dev/null || journalctl -u "$qd_unit" -n 20 --no-pager -o cat 2>/dev/null
}
"#;

/// Functions, `sudo` or `-`, the unit, the verb.
pub(super) const CHANGE: Script = Script(
    r#"eval "$1"; shift; qd_machine "$1"; eval "$2"; shift 2
qd_changes "$1" "$2"
qd_verb=$3
case $qd_verb.$qd_active in
  stop.inactive|stop.failed|start.active|start.reloading) qd_end 10 "$qd_is already";;
esac
qd_ctl systemctl "$qd_verb" "$qd_unit"
qd_rc=$?
qd_show "$qd_unit"
case $qd_rc.$qd_verb.$qd_active in
  0.stop.inactive|0.stop.failed) qd_end 0 "$qd_is";;
  0.start.active|0.start.reloading) qd_end 0 "$qd_is, process $qd_pid";;
  0.start.inactive) [ "$qd_type.$qd_result" = oneshot.success ] && qd_end 0 "$qd_unit ran to its end";;
esac
if [ "$qd_verb" = start ]; then qd_said; fi
qd_end 1 "$qd_is after $qd_verb (systemctl ended by $qd_rc, result $qd_result)""#,
);

/// Functions, the verb, the unit.
pub(super) const LOOK: Script = Script(
    r#"eval "$1"; shift; qd_machine "$1"; eval "$2"; shift 2
qd_unit_is "$2"
case $1.$qd_active.$qd_sub in
  stop.inactive.*|stop.failed.*|start.active.*|start.reloading.*) qd_end 0 "$qd_is";;
  start.activating.auto-restart) qd_end 11 "$qd_is: it ends and is started again";;
  stop.deactivating.*|start.activating.*) qd_end 13 "$qd_is";;
esac
qd_end 12 "$qd_is""#,
);

/// Stops or starts it.
pub(super) async fn apply(job: Job<'_>, permit: Permit, unit: &str, want: Want, sudo: bool) -> Called {
    let sudo = if sudo { "sudo" } else { "-" };
    job.run(permit, CHANGE, &[SHOW, sudo, unit, want.verb()]).await
}

/// How it stands. A unit that is not as wanted after a job that failed was not left as it was before.
pub(super) async fn observe(job: Job<'_>, left: Left<'_>, unit: &str, want: Want) -> Found {
    let state = match job.left(left).await {
        Ok(state) => state,
        Err(found) => return found,
    };
    if let JobState::Running { .. } = state {
        return Found::Underway { seen: job::runs(&job.place.name) };
    }
    job::after(job.found(LOOK, &[SHOW, want.verb(), unit]).await, &state)
}
