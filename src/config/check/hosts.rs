//! Rules about `[[host]]`: what ssh is given is an address and never an option, and a path on a host is its own.

use toml::Spanned;

use super::super::raw::{Key, Raw, text};
use super::super::report::Report;
use crate::model::text::is_hostile;

/// Bytes of an address or a path.
const LONGEST: usize = 1_024;

/// Every host can be reached as it is written.
pub(super) fn reached(raw: &Raw, report: &mut Report<'_>) {
    for host in raw.host.iter().map(Spanned::get_ref) {
        if let Some(ssh) = &host.ssh {
            address(report, ssh);
        }
        if let Some(config) = &host.ssh_config {
            let (at, path) = (config.span().start, config.get_ref());
            if path.trim().is_empty() {
                report.at(at, "`ssh_config` is empty");
            } else if path.len() > LONGEST || path.chars().any(is_hostile) {
                report.at(at, "`ssh_config` is too long, or holds a control, invisible or direction-changing character");
            } else if host.ssh.is_none() {
                report.hint(at, "`ssh_config` is there and `ssh` is not", "a host without `ssh` is this machine");
            }
        }
        if let Some(id) = &host.machine_id
            && (id.get_ref().len() != 32 || !id.get_ref().bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
        {
            report.hint(
                id.span().start,
                "`machine_id` is no machine-id",
                "32 digits and letters a to f, as `cat /etc/machine-id` prints there",
            );
        }
    }
}

/// One word that is no option. A password has no place in it: ssh would not take it.
fn address(report: &mut Report<'_>, ssh: &Spanned<String>) {
    let (at, text) = (ssh.span().start, ssh.get_ref().as_str());
    let user = text.strip_prefix("ssh://").unwrap_or(text).rsplit_once('@').map(|(user, _)| user);
    if text.is_empty() {
        report.at(at, "`ssh` is empty");
    } else if text.len() > LONGEST {
        report.at(at, format!("`ssh` is longer than {LONGEST} bytes"));
    } else if text.starts_with('-') {
        report.hint(at, "`ssh` begins with `-`", "it is an address, not an option: options stand in the file that `ssh_config` names");
    } else if user.is_some_and(|user| user.contains(':')) {
        report.hint(at, "`ssh` holds a user and a password", "ssh takes keys only: `ssh-copy-id`, or an agent");
    } else if text.chars().any(|c| is_hostile(c) || c.is_whitespace() || "\"'`$;&|<>(){}\\*?!#".contains(c)) {
        report.hint(at, "`ssh` is no address", "such as `ssh = \"deploy@web1\"`");
    }
}

/// What is read on a host has a path of that host's own: the estate file's folder is not there.
pub(super) fn paths(raw: &Raw, report: &mut Report<'_>) {
    for history in raw.history.iter().map(Spanned::get_ref) {
        if history.host.is_some() || history.hosts.is_some() {
            absolute(report, "path", &history.path);
            absolute(report, "log", &history.log);
        }
    }
    for backup in raw.backup.iter().map(Spanned::get_ref).filter(|b| b.host.is_some()) {
        absolute(report, "config", &backup.config);
    }
}

fn absolute(report: &mut Report<'_>, key: &str, path: &Key<String>) {
    if let (Some(at), Some(written)) = (path.as_ref().map(|p| p.span().start), text(path))
        && !written.starts_with('/')
        && !written.trim().is_empty()
    {
        report.hint(
            at,
            format!("`{key}` is on a host and begins with no `/`"),
            "the estate file's folder is not there: write the whole path",
        );
    }
}
