//! Builds backups and objectives of a file that passed every check.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use toml::Spanned;

use super::conninfo::Conninfo;
use super::raw::backup::{RawBackup, RawCopy, RawHold, RawObjective, RawTier};
use super::raw::{Key, Words, text};
use super::timing;
use crate::model::age;
use crate::model::backup::{Backup, BackupOf, CopyAt, Keep, Objective, OnHold, Only, Period, Tier};
use crate::model::database::NodeAt;
use crate::model::estate::{Source, SourceKind};

/// `every` where the file says nothing: `pgbackrest info` and a folder of thousands of snapshots cost something.
const EVERY: SignedDuration = SignedDuration::from_mins(5);
/// How long one look may take; never longer than `every`.
const TIMEOUT: SignedDuration = SignedDuration::from_mins(1);

/// The source that a backup is; `None` where a check has a hole.
pub(super) fn source(path: &Path, zone: &TimeZone, raw: &RawBackup) -> Option<Source> {
    let beside = |key: &Key<String>| text(key).map(|file| path.parent().unwrap_or(Path::new("")).join(file));
    let program = |name: &str| words(&raw.program).unwrap_or_else(|| vec![name.to_owned()]);
    let of = match text(&raw.kind)? {
        "directory" => BackupOf::Directory { folder: beside(&raw.folder)? },
        "pgbackrest" => {
            let host = text(&raw.host).map(str::to_owned);
            // On a host the path is its own.
            let config = if host.is_some() { text(&raw.config).map(PathBuf::from) } else { beside(&raw.config) };
            BackupOf::PgBackRest { program: program("pgbackrest"), stanza: text(&raw.stanza)?.to_owned(), config, host }
        }
        "restic" => BackupOf::Restic {
            program: program("restic"),
            repository: repository(path, text(&raw.repository)?),
            password_file: beside(&raw.password_file),
            only: Box::new(Only { host: owned(&raw.made_on), path: owned(&raw.path), tag: owned(&raw.tag) }),
        },
        "archiver" => BackupOf::Archiver { nodes: nodes(&raw.nodes)?, slot: owned(&raw.slot), base: owned(&raw.base) },
        "command" => BackupOf::Command { argv: words(&raw.command)? },
        _ => return None,
    };
    let tiers = raw.retention.iter().flat_map(|r| r.get_ref()).map(|t| tier(t.get_ref()));
    let every = timing::or(&raw.every, EVERY)?;
    let schedule = match text(&raw.schedule) {
        Some(written) => Some(age::parse(written).ok()?),
        None => None,
    };
    Some(Source {
        name: text(&raw.name)?.to_owned(),
        every,
        timeout: every.min(TIMEOUT),
        http_config: None,
        service: text(&raw.service).map(str::to_owned),
        site: text(&raw.site).map(str::to_owned),
        kind: SourceKind::Backup(Backup {
            of,
            schedule,
            takes: span(&raw.takes)?,
            retention: tiers.collect::<Option<_>>()?,
            keep: Box::new(keep(zone, raw)?),
            account: owned(&raw.account),
            copies: raw.copies.iter().flat_map(|c| c.get_ref()).map(|c| copy(c.get_ref())).collect::<Option<_>>()?,
        }),
    })
}

fn owned(key: &Key<String>) -> Option<String> {
    text(key).map(str::to_owned)
}

/// A time that may be left out; `None` where it cannot be read.
fn span(key: &Key<String>) -> Option<Option<SignedDuration>> {
    text(key).map_or(Some(None), |written| age::parse(written).ok().map(Some))
}

fn nodes(of: &Words) -> Option<Vec<NodeAt>> {
    let node = |written: &String| Some(NodeAt { name: Conninfo::parse(written).ok()?.name(), conninfo: written.clone() });
    words(of)?.iter().map(node).collect()
}

fn copy(raw: &RawCopy) -> Option<CopyAt> {
    Some(CopyAt { repo: *raw.repo.as_ref()?.get_ref(), site: owned(&raw.site), account: owned(&raw.account) })
}

fn keep(zone: &TimeZone, raw: &RawBackup) -> Option<Keep> {
    let day = |key: &Key<String>| text(key)?.parse::<Date>().ok();
    let midnight = |day: Date| Some(day.at(0, 0, 0, 0).to_zoned(zone.clone()).ok()?.timestamp());
    let hold = |raw: &RawHold| {
        let (from, until) = (midnight(day(&raw.from)?)?, midnight(day(&raw.to)?.tomorrow().ok()?)?);
        Some(OnHold { from, until, why: owned(&raw.why)? })
    };
    Some(Keep {
        floor: span(&raw.floor)?,
        ceiling: span(&raw.ceiling)?,
        min_copies: raw.min_copies.as_ref().map(|min| *min.get_ref() as usize),
        verify_every: span(&raw.verify_every)?,
        holds: raw.holds.iter().flat_map(|h| h.get_ref()).map(|h| hold(h.get_ref())).collect::<Option<_>>()?,
    })
}

/// A repository that is a plain path lies beside the estate file; one with a scheme is taken as it is.
fn repository(path: &Path, written: &str) -> String {
    if written.contains(':') {
        return written.to_owned();
    }
    let whole: PathBuf = path.parent().unwrap_or(Path::new("")).join(written);
    whole.to_str().unwrap_or(written).to_owned()
}

fn tier(raw: &RawTier) -> Option<Tier> {
    Some(Tier { every: Period::parse(text(&raw.every)?).ok()?, keep: age::parse(text(&raw.keep)?).ok()? })
}

/// What is promised of a service.
pub(super) fn objective(raw: &RawObjective) -> Option<Objective> {
    let time = |key: &Key<String>| text(key).map(|written| age::parse(written).ok());
    let whole = |time: Option<Option<SignedDuration>>| time.map_or(Some(None), |t| t.map(Some));
    Some(Objective { service: text(&raw.service)?.to_owned(), rpo: whole(time(&raw.rpo))?, rto: whole(time(&raw.rto))? })
}

fn words(words: &Words) -> Option<Vec<String>> {
    words.as_ref().map(|w| w.get_ref().iter().map(|word: &Spanned<String>| word.get_ref().clone()).collect())
}
