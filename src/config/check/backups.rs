//! Rules about backups and objectives: each kind has its own keys, times make sense, and what is promised can be judged.

use std::collections::HashSet;

use jiff::SignedDuration;
use toml::Spanned;

use super::super::raw::backup::{RawBackup, RawTier};
use super::super::raw::{Key, Raw, Words, text};
use super::super::report::Report;
use super::sources::{duration, spoken};
use super::{is, named};
use crate::model::backup::Period;
use crate::model::text::is_hostile;

/// Slots of one tier; a screen cannot say more of them, and judging them must not take long.
const SLOTS: i64 = 20_000;

/// Each kind has what it needs, and nothing that it would not read.
pub(super) fn fits(raw: &Raw, report: &mut Report<'_>) {
    for backup in &raw.backup {
        let (table, b) = (backup.span().start, backup.get_ref());
        let Some(kind) = text(&b.kind).filter(|kind| super::BACKUP_KINDS.contains(kind)) else { continue };
        needs(report, table, b, kind);
        strangers(report, b, kind);
        texts(report, b);
    }
}

fn needs(report: &mut Report<'_>, table: usize, b: &RawBackup, kind: &str) {
    let (key, there, hint) = match kind {
        "directory" => ("folder", b.folder.is_some(), "such as `folder = \"/backup/documents\"`"),
        "pgbackrest" => ("stanza", b.stanza.is_some(), "such as `stanza = \"main\"`"),
        "restic" => ("repository", b.repository.is_some(), "such as `repository = \"sftp:backup@nas:/srv/restic\"`"),
        _ => ("command", b.command.is_some(), "such as `command = [\"backup-status\", \"--json\"]`"),
    };
    if !there && !report.lost(table, key) {
        report.hint(table, format!("`{key}` is missing in this [[backup]]"), hint);
    }
}

/// Keys of other kinds are told, not passed over.
fn strangers(report: &mut Report<'_>, b: &RawBackup, kind: &str) {
    let at = |key: &Key<String>| key.as_ref().map(|k| k.span().start);
    let of_words = |words: &Words| words.as_ref().map(|w| w.span().start);
    for (key, place, kinds) in [
        ("folder", at(&b.folder), &["directory"][..]),
        ("stanza", at(&b.stanza), &["pgbackrest"]),
        ("config", at(&b.config), &["pgbackrest"]),
        ("repository", at(&b.repository), &["restic"]),
        ("password_file", at(&b.password_file), &["restic"]),
        ("program", of_words(&b.program), &["pgbackrest", "restic"]),
        ("command", of_words(&b.command), &["command"]),
    ] {
        let Some(place) = place.filter(|_| !kinds.contains(&kind)) else { continue };
        report.hint(place, format!("a {kind} has no `{key}`"), format!("it is for a backup of kind `{}`", kinds.join("` or `")));
    }
}

/// What goes into an argument vector is there, can be shown, and is no option; and no secret stands in it.
fn texts(report: &mut Report<'_>, b: &RawBackup) {
    for (key, value) in [
        ("folder", &b.folder),
        ("stanza", &b.stanza),
        ("config", &b.config),
        ("repository", &b.repository),
        ("password_file", &b.password_file),
    ] {
        let Some((written, at)) = named(value) else { continue };
        if written.trim().is_empty() {
            report.at(at, format!("`{key}` is empty"));
        } else if written.chars().any(is_hostile) {
            report.at(at, format!("`{key}` holds a control, invisible or direction-changing character"));
        } else if key == "stanza" && (written.starts_with('-') || !written.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)))
        {
            report.hint(at, format!("`{written}` is no name of a stanza"), "letters, digits, `-`, `_` and `.`");
        } else if key == "repository" && holds_secret(written) {
            let hint = "arguments of a program can be read by everyone: set RESTIC_REST_USERNAME and RESTIC_REST_PASSWORD for qd";
            report.hint(at, "the repository's address holds a user and a password", hint);
        }
    }
    for (key, words) in [("program", &b.program), ("command", &b.command)] {
        let Some(words) = words else { continue };
        if words.get_ref().is_empty() || words.get_ref()[0].get_ref().trim().is_empty() {
            report.hint(words.span().start, format!("`{key}` names no program"), "the program, then its arguments, each a text of its own");
        }
        for word in words.get_ref().iter().filter(|w| w.get_ref().chars().any(is_hostile)) {
            report.at(word.span().start, format!("`{key}` holds a control, invisible or direction-changing character"));
        }
    }
}

/// `scheme:http://user:password@host`.
fn holds_secret(repository: &str) -> bool {
    let host = repository.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or(""));
    host.rsplit_once('@').is_some_and(|(who, _)| who.contains(':'))
}

/// Every duration can be read and makes sense, and a ladder's rungs are rungs.
pub(super) fn times(raw: &Raw, report: &mut Report<'_>) {
    let (second, day) = (SignedDuration::from_secs(1), SignedDuration::from_hours(24));
    for b in raw.backup.iter().map(Spanned::get_ref) {
        within(report, "every", &b.every, second, day);
        within(report, "schedule", &b.schedule, second, day * 31);
        let Some(retention) = &b.retention else { continue };
        if retention.get_ref().is_empty() && !report.lost_within(retention.span().start) {
            report.hint(
                retention.span().start,
                "`retention` is empty",
                "leave the key out, or name a tier: `{ every = \"1h\", keep = \"7d\" }`",
            );
        }
        for tier in retention.get_ref() {
            rung(report, tier.span().start, tier.get_ref());
        }
    }
    let mut seen = HashSet::new();
    for objective in &raw.objective {
        let (table, o) = (objective.span().start, objective.get_ref());
        within(report, "rpo", &o.rpo, second, day * 366);
        within(report, "rto", &o.rto, second, day * 366);
        if o.rpo.is_none() && o.rto.is_none() && !report.lost(table, "rpo") && !report.lost(table, "rto") {
            report.hint(table, "this [[objective]] promises nothing", "`rpo`, the most that may be lost, or `rto`");
        }
        let Some((service, at)) = named(&o.service) else { continue };
        if !seen.insert(service) {
            report.at(at, format!("there are two objectives for the service `{service}`"));
        }
        let kept = raw.backup.iter().any(|b| is(&b.get_ref().service, service));
        let known = raw.service.iter().any(|s| is(&s.get_ref().name, service));
        if known && !kept && o.rpo.is_some() && raw.backup.iter().all(|b| b.get_ref().service.is_some() || b.get_ref().name.is_some()) {
            report.hint(
                at,
                format!("no [[backup]] is of the service `{service}`: its `rpo` could not be judged"),
                "name the service in a [[backup]]",
            );
        }
    }
}

fn rung(report: &mut Report<'_>, at: usize, tier: &RawTier) {
    for (key, value) in [("every", &tier.every), ("keep", &tier.keep)] {
        if value.is_none() && !report.lost(at, key) && !report.lost_within(at) {
            report.hint(at, format!("`{key}` is missing in this tier"), "such as `{ every = \"1h\", keep = \"7d\" }`");
        }
    }
    let period = tier.every.as_ref().and_then(|every| match Period::parse(every.get_ref()) {
        Ok(period) => Some(period),
        Err(what) => {
            report.at(every.span().start, what);
            None
        }
    });
    let keep = tier.keep.as_ref().and_then(|keep| Some((duration(report, keep)?, keep.span().start)));
    let (Some(period), Some((keep, at))) = (period, keep) else { return };
    let length = period.length();
    if keep < length.saturating_mul(3) {
        report.at(at, format!("`keep` is too short: three times `every` at the least, {}", spoken(length.saturating_mul(3))));
    } else if keep.as_secs() / length.as_secs().max(1) > SLOTS {
        report.at(at, format!("`keep` is too long: {SLOTS} times `every` at the most"));
    }
}

pub(super) fn within(report: &mut Report<'_>, key: &str, value: &Key<String>, shortest: SignedDuration, longest: SignedDuration) {
    let Some(value) = value else { return };
    match duration(report, value) {
        Some(d) if d < shortest => report.at(value.span().start, format!("`{key}` is too short: {} at the least", spoken(shortest))),
        Some(d) if d > longest => report.at(value.span().start, format!("`{key}` is too long: {} at the most", spoken(longest))),
        _ => {}
    }
}
