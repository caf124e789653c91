//! Looks whether the service runs from a release: a process that is another than before, whose working folder or program
//! lies in the folder of the release, and that stays.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Called;
use super::job::{self, Job};
use super::unit::SHOW;
use crate::link::http::LinkError;
use crate::link::ssh::Script;
use crate::model::plan::Serving;
use crate::model::run::CallEnd;

/// Between two looks at first; doubled each time, up to the other.
const FIRST: Duration = Duration::from_millis(250);
const MOST: Duration = Duration::from_secs(2);

/// Functions, the folder, the release or `-`, `unit` or `file`, the unit or the file of its number, the number before or `-`,
/// `sudo` or `-`. It ends by 0 it runs, 12 not yet, anything else it will not. A folder that is gone reads `(deleted)`,
/// which lies in none.
pub(super) const LOOK: Script = Script(
    r#"eval "$1"; shift; qd_machine "$1"; eval "$2"; shift 2
LC_ALL=C; export LC_ALL
case $2 in -) qd_want=;; /*) qd_want=$2;; *) qd_want=$1/$2;; esac
if [ -n "$qd_want" ]; then qd_want=$(readlink -f "$qd_want") && [ -d "$qd_want" ] || qd_end 11 "the release $2 is not there"; fi
qd_kind=$3 qd_of=$4 qd_before=$5 qd_sudo=$6
qd_serving() {
  qd_pid= qd_restarts=
  if [ "$qd_kind" = unit ]; then
    qd_unit_is "$qd_of"
    case $qd_active in
      active|reloading) ;;
      failed) qd_end 11 "$qd_is";;
      *) qd_end 12 "$qd_is";;
    esac
    [ "$qd_pid" != 0 ] || qd_end 12 "$qd_of has no main process"
  else
    [ -r "$qd_of" ] || qd_end 12 "$qd_of is not there, or cannot be read"
    read -r qd_pid qd_rest <"$qd_of"
  fi
  case $qd_pid in ''|0*|*[!0-9]*) qd_end 12 "$qd_of tells no process";; esac
  [ "$qd_pid" != "$qd_before" ] || qd_end 12 "process $qd_pid is the one of before"
  [ -d "/proc/$qd_pid" ] || qd_end 12 "there is no process $qd_pid"
}
qd_link() {
  readlink "/proc/$qd_pid/$1" 2>/dev/null || { [ "$qd_sudo" = sudo ] && sudo -n readlink "/proc/$qd_pid/$1" 2>/dev/null; }
}
qd_serving
qd_first=$qd_pid.$qd_restarts
qd_cwd=$(qd_link cwd); qd_exe=$(qd_link exe)
if [ -z "$qd_want" ]; then qd_in=runs
elif [ -z "$qd_cwd$qd_exe" ]; then
  [ -r "/proc/$qd_pid/stat" ] || qd_end 12 "process $qd_pid ended"
  qd_end 14 "process $qd_pid runs, and from where cannot be seen: look as its own user, or with sudo"
else case $qd_cwd/ in
  "$qd_want"/*) qd_in="works in $qd_cwd";;
  *) case $qd_exe in
    "$qd_want"/*) qd_in="is $qd_exe";;
    *) qd_end 12 "process $qd_pid works in ${qd_cwd:-?} and is ${qd_exe:-?}: neither lies in $qd_want";;
  esac;;
esac; fi
sleep 0.3 2>/dev/null || sleep 1
qd_serving
[ "$qd_pid.$qd_restarts" = "$qd_first" ] || qd_end 12 "it was started again meanwhile: process $qd_pid"
qd_end 0 "process $qd_pid $qd_in""#,
);

/// Looks until it runs, is known to have failed, or the time is over. A look has no unknown end: it is only not seen.
pub(super) async fn look(job: Job<'_>, release: Option<&str>, serving: &Serving, sudo: bool) -> Called {
    let (kind, of, before) = match serving {
        Serving::Unit { unit, before } => ("unit", unit, before),
        Serving::PidFile { path, before } => ("file", path, before),
    };
    let before = before.map_or("-".to_owned(), |pid| pid.to_string());
    let sudo = if sudo { "sudo" } else { "-" };
    let words = [SHOW, job.place.folder, release.unwrap_or("-"), kind, of, &before, sudo];
    let (mut pause, mut said) = (FIRST, Vec::<String>::new());
    loop {
        let (why, again) = match job.look(LOOK, &words, job.until).await {
            Ok(told) if told.code == 0 => {
                said.push(told.last.clone());
                return Called { end: CallEnd::Done { seen: format!("{}: {}", job.place.name, told.last) }, output: said };
            }
            Ok(told) => (told.last, told.code == job::NOT_YET),
            Err(LinkError::Refused(why)) => (why, false),
            Err(error) => (error.to_string(), true),
        };
        if said.last() != Some(&why) {
            said.push(why.clone());
            job::shorten(&mut said);
        }
        let name = &job.place.name;
        let end = match again {
            false => Some(format!("{name}: {why}")),
            true if Instant::now() + pause >= job.until => Some(format!("{name}: after {} s still: {why}", job.seconds)),
            true => None,
        };
        if let Some(why) = end {
            return Called { end: CallEnd::Failed { why }, output: said };
        }
        sleep(pause).await;
        pause = (pause * 2).min(MOST);
    }
}
