//! Rules about backups and objectives: each kind has its own keys, times make sense, and what is promised can be judged.

use std::collections::HashSet;

use jiff::SignedDuration;
use jiff::civil::Date;
use toml::Spanned;

use super::super::raw::backup::{RawBackup, RawTier};
use super::super::raw::{Key, Raw, Words, text};
use super::super::report::Report;
use super::sources::{duration, spoken};
use super::{is, named};
use crate::model::age;
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
        super::databases::are_nodes(report, table, &b.nodes);
        // A log is replayed over a backup that has points.
        if let Some((base, at)) = named(&b.base)
            && raw.backup.iter().any(|other| is(&other.get_ref().name, base) && is(&other.get_ref().kind, "archiver"))
        {
            report.hint(at, format!("`{base}` is an archiver: it has no points"), "name the backup that makes the base");
        }
    }
}

fn needs(report: &mut Report<'_>, table: usize, b: &RawBackup, kind: &str) {
    let (key, there, hint) = match kind {
        "directory" => ("folder", b.folder.is_some(), "such as `folder = \"/backup/documents\"`"),
        "pgbackrest" => ("stanza", b.stanza.is_some(), "such as `stanza = \"main\"`"),
        "restic" => ("repository", b.repository.is_some(), "such as `repository = \"sftp:backup@nas:/srv/restic\"`"),
        "archiver" => ("nodes", b.nodes.is_some(), "such as `nodes = [\"host=db1 user=qd\", \"host=db2 user=qd\"]`"),
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
        ("host", at(&b.host), &["pgbackrest"]),
        ("repository", at(&b.repository), &["restic"]),
        ("password_file", at(&b.password_file), &["restic"]),
        ("program", of_words(&b.program), &["pgbackrest", "restic"]),
        ("command", of_words(&b.command), &["command"]),
        ("copies", b.copies.as_ref().map(|c| c.span().start), &["pgbackrest"]),
        ("made_on", at(&b.made_on), &["restic"]),
        ("path", at(&b.path), &["restic"]),
        ("tag", at(&b.tag), &["restic"]),
        ("nodes", of_words(&b.nodes), &["archiver"]),
        ("slot", at(&b.slot), &["archiver"]),
        ("base", at(&b.base), &["archiver"]),
        // An archiver has no points of its own: what is kept, and when, is told with its base.
        ("schedule", at(&b.schedule), &POINTS),
        ("takes", at(&b.takes), &POINTS),
        ("retention", b.retention.as_ref().map(|r| r.span().start), &POINTS),
        ("floor", at(&b.floor), &POINTS),
        ("ceiling", at(&b.ceiling), &POINTS),
        ("min_copies", b.min_copies.as_ref().map(|m| m.span().start), &POINTS),
        ("verify_every", at(&b.verify_every), &POINTS),
        ("holds", b.holds.as_ref().map(|h| h.span().start), &POINTS),
    ] {
        let Some(place) = place.filter(|_| !kinds.contains(&kind)) else { continue };
        report.hint(
            place,
            format!("a backup of kind `{kind}` has no `{key}`"),
            format!("it is for a backup of kind `{}`", kinds.join("` or `")),
        );
    }
}

/// The kinds that have points of their own.
const POINTS: [&str; 4] = ["directory", "pgbackrest", "restic", "command"];

/// What goes into an argument vector is there, can be shown, and is no option; and no secret stands in it.
fn texts(report: &mut Report<'_>, b: &RawBackup) {
    for (key, value) in [
        ("folder", &b.folder),
        ("stanza", &b.stanza),
        ("config", &b.config),
        ("repository", &b.repository),
        ("password_file", &b.password_file),
        ("made_on", &b.made_on),
        ("path", &b.path),
        ("tag", &b.tag),
        ("account", &b.account),
        ("slot", &b.slot),
    ] {
        let Some((written, at)) = named(value) else { continue };
        if written.trim().is_empty() {
            report.at(at, format!("`{key}` is empty"));
        } else if written.chars().any(is_hostile) {
            report.at(at, format!("`{key}` holds a control, invisible or direction-changing character"));
        } else if key == "stanza" && (written.starts_with('-') || !written.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)))
        {
            report.hint(at, format!("`{written}` is no name of a stanza"), "letters, digits, `-`, `_` and `.`");
        } else if key == "slot"
            && !(written.len() < 64 && written.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'))
        {
            report.hint(at, format!("`{written}` is no name of a slot"), "at most 63 lower-case letters, digits and `_`");
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
        within(report, "takes", &b.takes, second, day * 31);
        within(report, "verify_every", &b.verify_every, second, day * 366);
        within(report, "floor", &b.floor, day, day * 36_600);
        within(report, "ceiling", &b.ceiling, day, day * 36_600);
        let long = |key: &Key<String>| age::parse(text(key)?).ok();
        if let (Some(floor), Some(ceiling), Some(key)) = (long(&b.floor), long(&b.ceiling), &b.ceiling)
            && ceiling <= floor
        {
            report.hint(key.span().start, "`ceiling` is no greater than `floor`", "the oldest point lies between both");
        }
        parts(report, b);
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

/// The copies, the holds, and how many copies must be left.
fn parts(report: &mut Report<'_>, b: &RawBackup) {
    if let Some(min) = b.min_copies.as_ref().filter(|min| *min.get_ref() == 0) {
        report.hint(min.span().start, "`min_copies` is 0", "leave the key out, or name how many verified copies must be left");
    }
    let mut seen = HashSet::new();
    for copy in b.copies.iter().flat_map(|copies| copies.get_ref()) {
        let (table, copy) = (copy.span().start, copy.get_ref());
        match &copy.repo {
            None if report.lost(table, "repo") || report.lost_within(table) => {}
            None => report.hint(table, "`repo` is missing in this copy", "such as `{ repo = 1, site = \"fra1\" }`"),
            Some(repo) if !seen.insert(*repo.get_ref()) => {
                report.at(repo.span().start, format!("the copy {} is named twice", repo.get_ref()))
            }
            Some(_) => {}
        }
        if let Some((account, at)) = named(&copy.account)
            && (account.trim().is_empty() || account.chars().any(is_hostile))
        {
            report.at(at, "`account` is empty or holds a character that cannot be shown");
        }
    }
    for hold in b.holds.iter().flat_map(|holds| holds.get_ref()) {
        let (table, hold) = (hold.span().start, hold.get_ref());
        for (key, value) in [("from", &hold.from), ("to", &hold.to), ("why", &hold.why)] {
            if value.is_none() && !report.lost(table, key) && !report.lost_within(table) {
                let hint = "such as `{ from = \"2024-01-01\", to = \"2024-12-31\", why = \"case 4711\" }`";
                report.hint(table, format!("`{key}` is missing in this hold"), hint);
            }
        }
        let mut day = |key: &str, value: &Key<String>| {
            let value = value.as_ref()?;
            let day = value.get_ref().parse::<Date>().ok();
            if day.is_none() {
                report.hint(value.span().start, format!("`{key}` is no day"), "such as `2024-12-31`");
            }
            day
        };
        if let (Some(from), Some(to), Some(key)) = (day("from", &hold.from), day("to", &hold.to), &hold.to)
            && to < from
        {
            report.at(key.span().start, "`to` is before `from`");
        }
        if let Some((why, at)) = named(&hold.why)
            && (why.trim().is_empty() || why.chars().any(is_hostile))
        {
            report.at(at, "`why` is empty or holds a character that cannot be shown");
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
