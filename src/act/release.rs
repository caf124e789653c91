//! Switches the link `current` of a release folder to another release: one `rename(2)` of a new link over the old one, if
//! that still leads where it is expected to.

use super::Called;
use super::job::{Job, Left};
use crate::link::permit::Permit;
use crate::link::ssh::Script;
use crate::model::plan::Found;

/// The run's id, the folder, where the link leads, where it is to lead. `mv` onto a link to a folder moves into that folder:
/// `-T` (GNU, BusyBox) and `-h` (the BSDs) keep it from that, perl and python rename where neither is known. Whichever it
/// is, one that does not know its option does nothing. The text of a link is compared byte by byte, so that a line break
/// at its end is kept (`x` stands behind it).
pub(super) const SWITCH: Script = Script(
    r#"eval "$1"; shift; qd_machine "$1"; shift
LC_ALL=C; export LC_ALL
qd_tmp=.qd-tmp.$1 qd_from=$3 qd_to=$4
cd "$2" 2>/dev/null || qd_end 11 "the folder $2 cannot be entered"
qd_leads() {
  if [ -L current ]; then
    qd_now=$(readlink current && echo x) || qd_end 1 "the link current cannot be read"
    qd_now=${qd_now%x}; qd_now=${qd_now%?}
  elif [ -d current ]; then qd_end 11 "current is a folder and no link"
  elif [ -e current ]; then qd_end 11 "current is a file and no link"
  else qd_end 11 "there is no link current"
  fi
}
qd_leads
[ -d "$qd_to/." ] || qd_end 11 "the release $qd_to is not there (current leads to $qd_now)"
if [ "$qd_now" = "$qd_to" ]; then qd_synced .; qd_end 10 "current leads to $qd_to already"; fi
[ "$qd_now" = "$qd_from" ] || qd_end 11 "current leads to $qd_now, expected $qd_from"
if [ -L "$qd_tmp" ]; then rm -f "./$qd_tmp"; fi
ln -s -- "$qd_to" "./$qd_tmp" || qd_end 1 "a new link cannot be made in $2"
qd_said=$(mv -fT "./$qd_tmp" current 2>&1) ||
  mv -fh "./$qd_tmp" current 2>/dev/null ||
  perl -e 'rename($ARGV[0], $ARGV[1]) or exit 1' "./$qd_tmp" current 2>/dev/null ||
  python3 -c 'import os, sys; os.rename(sys.argv[1], sys.argv[2])' "./$qd_tmp" current 2>/dev/null ||
  { rm -f "./$qd_tmp"; qd_end 1 "the link cannot be put in place: $qd_said"; }
qd_synced .
qd_leads
[ "$qd_now" = "$qd_to" ] || qd_end 1 "after the switch current leads to $qd_now"
qd_end 0 "current leads to $qd_to, before to $qd_from""#,
);

/// The folder, where the link led, where it is to lead.
const LEADS: Script = Script(
    r#"eval "$1"; shift; qd_machine "$1"; shift
cd "$1" 2>/dev/null || qd_end 1 "the folder $1 cannot be entered"
if [ ! -L current ]; then
  [ -e current ] || qd_end 11 "there is no link current"
  qd_end 11 "current is no link"
fi
qd_now=$(readlink current && echo x) || qd_end 1 "the link current cannot be read"
qd_now=${qd_now%x}; qd_now=${qd_now%?}
[ "$qd_now" = "$3" ] && qd_end 0 "current leads to $3"
[ "$qd_now" = "$2" ] && qd_end 12 "current leads to $2"
qd_end 11 "current leads to $qd_now, expected $2 or $3""#,
);

/// Switches it.
pub(super) async fn apply(job: Job<'_>, permit: Permit, from: &str, to: &str) -> Called {
    let (run, folder) = (permit.run().replace('/', "."), job.place.folder);
    job.run(permit, SWITCH, &[&run, folder, from, to]).await
}

/// Where it leads.
pub(super) async fn observe(job: Job<'_>, left: Left<'_>, from: &str, to: &str) -> Found {
    job.observe(left, LEADS, &[job.place.folder, from, to]).await
}
