//! The script that looks. It writes nothing, takes no lock and starts nothing that stays; a NUL after each word and value.

use crate::link::ssh::Script;

/// `$1` release folder, `$2` unit, `$3` words of systemctl that sudo must let us say, `$4` file of a process, `$5` log; `-` for each that is not asked for.
///
/// A lease is six lines: run, fence, who, the boot's id, the uptime in seconds at which it ends, its length. Whether a job
/// goes on is read from `/proc/locks`, by the inode of `job.lock`: trying the lock would hold it for a moment.
pub(super) const SURVEY: Script = Script(
    r#"say() { printf '%s\0%s\0' "$1" "$2"; }
line() { got=; { read -r got <"$1"; } 2>/dev/null; say "$2" "$got"; }
line /etc/machine-id machine
say hostname "$(uname -n)"
say user "$(id -un)"
line /proc/sys/kernel/random/boot_id boot
line /proc/uptime uptime
now=$(date +%s%N)
case $now in *[!0-9]*) now=$(date +%s)000000000;; esac
say clock "$now"
if [ -d /run/systemd/system ]; then say systemd yes; else say systemd no; fi
kills=
if command -v busctl >/dev/null 2>&1 && [ -d /run/systemd/system ]; then
  kills=$(timeout 2 busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager KillUserProcesses 2>/dev/null)
fi
say kills "$kills"
for tool in flock setsid timeout sync readlink; do
  command -v "$tool" >/dev/null 2>&1 || say lacks "$tool"
done
# `mv -T` is GNU's and BusyBox's: without it a rename over a link to a folder goes into that folder.
case $(mv --help 2>&1) in *-T*) ;; *) say lacks 'mv -T';; esac
held() {
  line "$1/mark" mark
  line "$1/fence" fence
  if [ -s "$1/head" ]; then line "$1/head" head; fi
  if [ -e "$1/lease" ]; then say lease "$(head -c 8192 "$1/lease" 2>/dev/null)"; fi
  inode=$(ls -i "$1/job.lock" 2>/dev/null | { read -r inode rest; printf %s "$inode"; })
  if [ -n "$inode" ] && grep -q ":$inode [0-9]" /proc/locks 2>/dev/null; then line "$1/job.lock" busy; fi
}
case $1 in '~/'*)
  say folder there
  jobs=${HOME-}/.local/state/quarterdeck/${1#'~/'}
  case $jobs in
    /*) up=$jobs
      while [ ! -d "$up" ]; do up=${up%/*}; up=${up:-/}; done
      if [ -w "$up" ] && [ -x "$up" ]; then say writable yes; else say writable no; fi
      say disk "$(df -Pk "$up" 2>/dev/null | tail -n 1)"
      say inodes "$(df -Pi "$up" 2>/dev/null | tail -n 1)"
      if [ -d "$jobs" ]; then held "$jobs"; fi;;
    *) say writable no;;
  esac
  shift; set -- - "$@";;
esac
if [ "$1" != - ]; then
  if cd -- "$1" 2>/dev/null && [ -d releases/. ] && [ -x releases/. ] && [ -r releases/. ]; then
    say folder there
    if [ -L current ]; then
      to=$(readlink current; echo x); to=${to%x}
      say current "${to%?}"
    elif [ -e current ]; then say no-current 'it is no link'
    else say no-current 'it is not there'; fi
    if [ -w . ] && [ -x . ]; then say writable yes; else say writable no; fi
    say disk "$(df -Pk . 2>/dev/null | tail -n 1)"
    say inodes "$(df -Pi . 2>/dev/null | tail -n 1)"
    if [ -d .quarterdeck ]; then held .quarterdeck; fi
    if find . -prune -printf '' >/dev/null 2>&1; then
      find releases/. -mindepth 1 -maxdepth 1 -type d -printf 'release\0%f\0'
    else
      for each in releases/* releases/.[!.]* releases/..?*; do
        if [ -d "$each" ] && [ ! -L "$each" ]; then say release "${each#releases/}"; fi
      done
    fi
  else say folder none; fi
fi
if [ "$2" != - ]; then
  say unit "$(systemctl show -p LoadState -p ActiveState -p SubState -p MainPID -p NRestarts -p UnitFileState -p InvocationID -p Type -p ActiveEnterTimestampMonotonic -- "$2" 2>/dev/null)"
  if [ "$3" != - ]; then
    may=yes
    for verb in $3; do sudo -n -l systemctl "$verb" "$2" >/dev/null 2>&1 || may=no; done
    say sudo "$may"
  fi
fi
if [ "$4" != - ]; then
  line "$4" pid
  case $got in ''|0*|*[!0-9]*) ;; *) if [ -d "/proc/$got" ]; then say alive yes; else say alive no; fi;; esac
fi
if [ "$5" != - ]; then
  if [ -w "$5" ] || { [ ! -e "$5" ] && [ -w "${5%/*}/" ]; }; then say log yes; else say log no; fi
fi
say end end"#,
);
