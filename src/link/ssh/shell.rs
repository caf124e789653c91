//! What runs on a host for a writer, in the words of a POSIX shell (dash, the ash of BusyBox). The same text runs on this
//! machine. Each script begins with `eval "$1"; shift`, where `$1` is [`COMMON`].
//!
//! The job folder is `FOLDER/.quarterdeck`. Where FOLDER may be written by its group, so may the job folder: it gets
//! FOLDER's group, its set-group-id bit and 2770, and every file in it 0660, so that two operators with two users of that
//! group meet in it. Else it is the owner's alone (0700, files 0600). The folder `~` stands for one without a release:
//! its job folder is `$HOME/.local/state/quarterdeck`, and that of `~/NAME` is the folder NAME in it.
//!
//! A job is a small shell in a session of its own. It holds `job.lock` of the folder (nobody takes the lease over while it
//! runs) and `lock` of the job, which others wait on, so that its end is seen at once and without looking again and again.
//! What it runs does not inherit the two: a server that a script starts must not hold them for as long as it lives. The
//! price: where only that small shell is killed by SIGKILL, its script goes on while the job is told as lost.

/// Functions of all scripts. `qd` is the job folder; whatever cannot be done is told as `broken WORDS`.
pub(super) const COMMON: &str = r#"
qd_fail() { printf 'broken %s\n' "$*"; exit 0; }
qd_num() { case $1 in ''|*[!0-9]*|0?*|????????????????*) return 1;; esac; }
qd_sync() { sync "$@" 2>/dev/null || sync; }
qd_place() {
  case $1 in
    '~') case ${HOME-} in /*) ;; *) qd_fail 'HOME is not set there';; esac
      qd=$HOME/.local/state/quarterdeck; qd_in=;;
    '~/../'*|'~/'*'/../'*|'~/'*'/..'|'~/..') qd_fail "the folder $1 leads elsewhere";;
    '~/'?*) case ${HOME-} in /*) ;; *) qd_fail 'HOME is not set there';; esac
      qd=$HOME/.local/state/quarterdeck/${1#'~/'}; qd_in=;;
    /*) qd=$1/.quarterdeck; qd_in=$1;;
    *) qd_fail "the folder $1 is not an absolute path";;
  esac
}
qd_lacks() {
  qd_lack=
  for qd_c in flock setsid timeout sync; do
    command -v "$qd_c" >/dev/null 2>&1 || qd_lack="$qd_lack $qd_c"
  done
}
qd_make() {
  qd_lacks
  [ -z "$qd_lack" ] || qd_fail "these programs are not there:$qd_lack; install util-linux and coreutils (or BusyBox)"
  [ -r /proc/uptime ] && [ -r /proc/sys/kernel/random/boot_id ] || qd_fail 'there is no /proc of Linux'
  umask 077
  if [ -z "$qd_in" ]; then
    mkdir -p "$qd" || qd_fail "cannot make $qd"
  else
    [ -d "$qd_in" ] || qd_fail "the folder $qd_in is not there"
    qd_ls=$(ls -ldn "$qd_in/.") || qd_fail "cannot look at $qd_in"
    case $qd_ls in
      ?????w*) umask 007
        if [ ! -d "$qd" ] && mkdir "$qd" 2>/dev/null; then
          qd_group() { chgrp "$4" "$qd" 2>/dev/null && chmod 2770 "$qd"; }
          qd_group $qd_ls || qd_fail "cannot give $qd to the group of $qd_in"
        fi;;
      *) [ -d "$qd" ] || mkdir "$qd" 2>/dev/null;;
    esac
    [ -d "$qd" ] || qd_fail "cannot make $qd"
  fi
  [ -d "$qd/jobs" ] || mkdir "$qd/jobs" 2>/dev/null || [ -d "$qd/jobs" ] || qd_fail "cannot make $qd/jobs"
  true >>"$qd/job.lock" && true >>"$qd/lease.lock" || qd_fail "cannot write in $qd: whose is it?"
}
qd_now() {
  read -r qd_up qd_c </proc/uptime && read -r qd_boot </proc/sys/kernel/random/boot_id || qd_fail 'there is no /proc of Linux'
  qd_up=${qd_up%%.*}
}
qd_lease() {
  l_run= l_fence=0 l_who= l_boot= l_ends=0 l_ttl=0 l_left=0
  [ -e "$qd/lease" ] || return 1
  [ -r "$qd/lease" ] || qd_fail "cannot read $qd/lease"
  { read -r l_run; read -r l_fence; read -r l_who; read -r l_boot; read -r l_ends; read -r l_ttl; } <"$qd/lease"
  [ -n "$l_run" ] && qd_num "$l_fence" && qd_num "$l_ends" && qd_num "$l_ttl" ||
    qd_fail "$qd/lease is damaged; look whether a run is under way, then remove it"
  qd_c=$((l_ends - qd_up))
  # Another boot, or a container that began anew: it ends a whole ttl after the start at the latest.
  [ "$l_boot" = "$qd_boot" ] && [ "$qd_c" -le "$((l_ttl + 1))" ] || qd_c=$((l_ttl - qd_up))
  [ "$qd_c" -gt 0 ] && l_left=$qd_c
  return 0
}
qd_hold() {
  printf '%s\n' "$1" "$2" "$3" "$qd_boot" "$((qd_up + $4 + 1))" "$4" >"$qd/lease.new" || qd_fail "cannot write in $qd: is the disk full?"
}
qd_other() { printf 'other %s\n' "$1" "$2" "$3"; exit 0; }
qd_state() {
  if [ ! -e "$qd_job/began" ]; then
    # Its shell has the lock before it writes down that it began.
    if [ -e "$qd_job/lock" ] && ! flock -n -s "$qd_job/lock" true; then printf 'running\n'; return; fi
    if [ ! -e "$qd_job/began" ]; then printf 'never\n'; return; fi
  fi
  qd_word=running
  if [ ! -s "$qd_job/rc" ] && ! qd_alive; then qd_word=lost; fi
  # It may have ended while we looked.
  if [ -s "$qd_job/rc" ]; then read -r qd_c <"$qd_job/rc"; qd_word="ended $qd_c"; fi
  printf '%s\n' "$qd_word"
  if [ "$1" = - ]; then tail -c 65536 "$qd_job/log"; else tail -c "+$(($1 + 1))" "$qd_job/log" | head -c 65536; fi
}
qd_alive() {
  qd_pid= ; read -r qd_pid qd_start qd_at <"$qd_job/began"
  # It writes this down just now.
  if [ -z "$qd_pid" ]; then flock -n -s "$qd_job/lock" true && return 1; return 0; fi
  read -r qd_boot </proc/sys/kernel/random/boot_id
  [ "$qd_at" = "$qd_boot" ] || return 1
  qd_c= ; { read -r qd_c <"/proc/$qd_pid/stat"; } 2>/dev/null
  [ -n "$qd_c" ] || return 1
  qd_same ${qd_c##*) }
}
qd_same() { case $1 in Z|X) return 1;; esac; [ "${20}" = "$qd_start" ]; }
"#;

/// Takes the lease: folder, run, who, seconds. The journal's head is left with each job and not here: a run whose checks,
/// which come after it, find the head of a former one in the way must not have written over it.
pub(super) const TAKE: &str = r#"eval "$1"; shift
qd_place "$1"; qd_make
exec 6>>"$qd/lease.lock"
timeout 5 flock 6 || qd_fail 'the lease there is being changed by another just now'
qd_now
if [ ! -s "$qd/mark" ]; then
  read -r qd_c </proc/sys/kernel/random/uuid && printf '%s\n' "$qd_c" >"$qd/mark.new" && qd_sync "$qd/mark.new" &&
    mv -f "$qd/mark.new" "$qd/mark" || qd_fail "cannot write $qd/mark"
fi
read -r qd_mark <"$qd/mark" || qd_fail "cannot read $qd/mark"
if qd_lease && [ "$l_run" != "$2" ] && [ "$l_left" -gt 0 ]; then qd_other "$l_run" "$l_who" "$l_left"; fi
if [ "$l_run" != "$2" ]; then
  exec 8>>"$qd/job.lock"
  if ! flock -n 8; then
    qd_a= qd_b= ; read -r qd_a qd_b <"$qd/job.lock"
    [ "$qd_a" = "$2" ] || qd_other "$qd_a" "its job $qd_b still runs there" "$l_left"
  fi
fi
qd_f=0; [ ! -s "$qd/fence" ] || read -r qd_f <"$qd/fence"
qd_num "$qd_f" || qd_fail "$qd/fence is damaged"
[ "$l_fence" -le "$qd_f" ] || qd_f=$l_fence
qd_f=$((qd_f + 1))
qd_hold "$2" "$qd_f" "$3" "$4"
printf '%s\n' "$qd_f" >"$qd/fence.new" || qd_fail "cannot write in $qd: is the disk full?"
qd_sync "$qd/fence.new" "$qd/lease.new"
mv -f "$qd/fence.new" "$qd/fence" && mv -f "$qd/lease.new" "$qd/lease" || qd_fail "cannot write in $qd"
qd_sync "$qd"
printf 'held\n%s\n%s\n' "$qd_f" "$qd_mark"
"#;

/// Makes the lease last longer (folder, run, fence, seconds), or gives it back where the seconds are 0.
pub(super) const KEEP: &str = r#"eval "$1"; shift
qd_place "$1"
[ -e "$qd/lease" ] || qd_other - 'nobody: the lease is not there' 0
umask 077; [ ! -g "$qd" ] || umask 007
exec 6>>"$qd/lease.lock"
timeout 5 flock 6 || qd_fail 'the lease there is being changed by another just now'
qd_now
qd_lease || qd_other - 'nobody: the lease is not there' 0
[ "$l_run" = "$2" ] && [ "$l_fence" = "$3" ] || qd_other "$l_run" "$l_who" "$l_left"
if [ "$4" = 0 ]; then
  rm -f "$qd/lease" || qd_fail "cannot remove $qd/lease"
  qd_sync "$qd"
else
  qd_hold "$2" "$3" "$l_who" "$4"
  qd_sync "$qd/lease.new"
  mv -f "$qd/lease.new" "$qd/lease" || qd_fail "cannot write in $qd"
fi
qd_mark= ; [ ! -s "$qd/mark" ] || read -r qd_mark <"$qd/mark"
printf 'held\n%s\n%s\n' "$3" "$qd_mark"
"#;

/// What stands in the job folder: the programs that are missing, whether it may be written, mark, head, and of the lease
/// its run, fence, who, seconds left. Makes nothing.
pub(super) const LOOK: &str = r#"eval "$1"; shift
qd_place "$1"
qd_now
qd_mark= qd_head= ; [ ! -s "$qd/mark" ] || read -r qd_mark <"$qd/mark"; [ ! -s "$qd/head" ] || read -r qd_head <"$qd/head"
qd_lacks
qd_c=no
if [ -d "$qd" ]; then
  [ ! -w "$qd" ] || [ ! -x "$qd" ] || qd_c=yes
elif [ -z "$qd_in" ] || [ -w "$qd_in" ]; then qd_c=yes
fi
printf 'found%s\n%s\n%s\n%s\n' "$qd_lack" "$qd_c" "$qd_mark" "$qd_head"
if qd_lease; then printf '%s\n' "$l_run" "$l_fence" "$l_who" "$l_left"; fi
"#;

/// Starts a job, once, and waits for its end: folder, run, step, try, fence or `-`, mark or `-`, head, seconds, [`JOB`],
/// its script and its arguments.
pub(super) const START: &str = r#"eval "$1"; shift
qd_mask=$(umask)
qd_place "$1"; qd_make
qd_run=$2 qd_step=$3 qd_try=$4 qd_fence=$5 qd_plan=$6 qd_head=$7 qd_wait=$8 qd_text=$9; shift 9
qd_job=$qd/jobs/$qd_run/$qd_step.$qd_try
qd_refuse() { printf 'refused %s\n' "$*"; exit 0; }
qd_start() {
  [ ! -e "$qd_job/began" ] || return 0
  exec 8>>"$qd/job.lock"
  if ! flock -n 8 && ! timeout 5 flock 8; then
    [ ! -e "$qd_job/began" ] || return 0
    read -r qd_a <"$qd/job.lock"
    qd_refuse "a job still runs there: $qd_a"
  fi
  [ ! -e "$qd_job/began" ] || return 0
  for qd_c in "$qd/jobs/$qd_run/$qd_step".*; do
    qd_a=${qd_c##*.}
    if qd_num "$qd_a" && [ "$qd_a" -gt "$qd_try" ] && [ -e "$qd_c/began" ]; then qd_refuse "try $qd_a of this step began there already"; fi
  done
  if [ "$qd_plan" != - ]; then
    qd_c= ; [ ! -s "$qd/mark" ] || read -r qd_c <"$qd/mark"
    [ "$qd_c" = "$qd_plan" ] || qd_refuse "it is not the target that the plan was made for: its mark is ${qd_c:-not there}"
  fi
  exec 6<"$qd/lease.lock"
  timeout 5 flock -s 6 || qd_refuse 'the lease there is being changed by another just now'
  if [ "$qd_fence" != - ]; then
    qd_now
    qd_lease || qd_refuse 'nobody holds the lease there'
    [ "$l_run" = "$qd_run" ] || qd_refuse "the lease there is held by run $l_run ($l_who)"
    [ "$l_fence" = "$qd_fence" ] || qd_refuse "the lease there has fence number $l_fence, this runner has $qd_fence: another took the run over"
    [ "$l_left" -gt 0 ] || qd_refuse 'the lease there has run out'
  fi
  qd_old=; [ -d "$qd/jobs/$qd_run" ] || qd_old=1
  mkdir -p "$qd_job" && printf '%s %s\n' "$qd_run" "$qd_step.$qd_try" >"$qd/job.lock" &&
    printf '%s %s\n' "$qd_run" "$qd_head" >"$qd/head.new" && mv -f "$qd/head.new" "$qd/head" &&
    true >>"$qd_job/lock" && true >>"$qd_job/log" || qd_fail "cannot write in $qd: is the disk full?"
  exec 6<&- 7>>"$qd_job/lock"
  # Who looks at the job just now has it too, for a moment: that is no other start, which job.lock keeps out.
  flock -n 7 || timeout 5 flock 7 || qd_refuse 'this job is being started by another just now'
  # Not by `&` where it can be helped: what a shell starts so ignores SIGINT, and so would a server that the script starts.
  setsid -f sh -c 'qd_c=$1; shift; eval "$qd_c"' quarterdeck "$qd_text" "$qd" "$qd_job" "$qd_mask" "${qd_lc-}" "$@" </dev/null >>"$qd_job/log" 2>&1 || {
    true >"$qd_job/log"
    setsid sh -c 'qd_c=$1; shift; eval "$qd_c"' quarterdeck "$qd_text" "$qd" "$qd_job" "$qd_mask" "${qd_lc-}" "$@" </dev/null >>"$qd_job/log" 2>&1 &
  }
  exec 7>&- 8>&-
  if [ -n "$qd_old" ]; then
    ls -1t "$qd/jobs" | tail -n +51 | while IFS= read -r qd_c; do
      case $qd_c in ''|*[!A-Za-z0-9_-]*) ;; *) rm -rf "$qd/jobs/$qd_c";; esac
    done
  fi
}
qd_start "$@"
exec 7>&- 8>&-
timeout "$qd_wait" flock -s "$qd_job/lock" true
qd_state -
"#;

/// The job's own shell: job folder, this job's, umask, `LC_ALL` as it was, the script, its arguments. That it began is on
/// the disk before the script runs: where the power goes, `never` means that nothing was done, and what may be done once
/// only may be begun again. One sync: the new file takes the folders that lead to it along (ext4, XFS, Btrfs).
pub(super) const JOB: &str = r#"qd=$1 qd_job=$2 qd_mask=$3 qd_lc=$4 qd_text=$5; shift 5
trap : HUP INT QUIT TERM
read -r qd_c </proc/$$/stat && read -r qd_boot </proc/sys/kernel/random/boot_id || exit 1
qd_birth() { qd_c=${20}; }
qd_birth ${qd_c##*) }
printf '%s\n' "$$" >"$qd_job/pid" && printf '%s %s %s\n' "$$" "$qd_c" "$qd_boot" >"$qd_job/began" || exit 1
sync "$qd_job/began" 2>/dev/null || sync || exit 1
(
  umask "$qd_mask"
  case $qd_lc in x*) LC_ALL=${qd_lc#x}; export LC_ALL;; *) unset LC_ALL;; esac
  cd "${HOME:-/}" 2>/dev/null || cd /
  eval "$qd_text"
) 7>&- 8>&-
printf '%s\n' "$?" >"$qd_job/rc.new"
sync "$qd_job/log" "$qd_job/rc.new" "$qd/head" 2>/dev/null || sync
mv -f "$qd_job/rc.new" "$qd_job/rc"
sync "$qd_job" 2>/dev/null || sync
"#;

/// How a job stands: folder, run, job; from which byte of its output on, or `-` for the last of it; for how many fifths
/// of a second to wait for more than that, or its end.
pub(super) const ATTACH: &str = r#"eval "$1"; shift
qd_place "$1"
qd_job=$qd/jobs/$2/$3
qd_n=$5
while [ "$qd_n" -gt 0 ] && [ -e "$qd_job/log" ] && [ ! -s "$qd_job/rc" ]; do
  qd_c=$(wc -c <"$qd_job/log")
  [ "$4" != - ] && [ "$qd_c" -gt "$4" ] && break
  timeout 0.2 flock -s "$qd_job/lock" true && break
  qd_n=$((qd_n - 1))
done
qd_state "$4"
"#;
