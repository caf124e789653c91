//! What the estate file alone tells of its backups: a schedule that can never keep to its objective is told when the file
//! is read, not after the loss.

use super::{Backup, BackupOf, Worst};
use crate::model::age;
use crate::model::estate::{Estate, Source, SourceKind};

/// What is told of a file that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// The source that it is about.
    pub source: String,
    /// What is wrong, a sentence.
    pub what: String,
}

/// What is told of these backups.
pub fn advice(estate: &Estate) -> Vec<Advice> {
    let told = |source: &Source| {
        let SourceKind::Backup(of) = &source.kind else { return None };
        let rpo = estate.objective(source.service.as_deref())?.rpo?;
        let interval = of.schedule.filter(|_| !logged(estate, source, of))?;
        let worst = Worst { interval, took: of.takes, copied: None, log: false };
        let (total, rpo_told) = (age::exact(worst.total()), age::exact(rpo));
        let parts = format!("{} between two starts", age::exact(interval));
        let what = match of.takes {
            Some(takes) if worst.cannot_comply(rpo) => {
                format!(
                    "at worst {total} would be lost ({parts}, {} one takes): this schedule can never meet the objective of {rpo_told}",
                    age::exact(takes)
                )
            }
            None if interval >= rpo => {
                format!(
                    "at worst more than {total} would be lost ({parts}, and the time that one takes): this schedule can never meet the objective of {rpo_told}"
                )
            }
            _ => return None,
        };
        Some(Advice { source: source.name.clone(), what })
    };
    estate.sources.iter().filter_map(told).collect()
}

/// True where a log is kept beside the backups: then the schedule is not what bounds the loss.
fn logged(estate: &Estate, source: &Source, of: &Backup) -> bool {
    let same = |other: &&Source| source.service.is_some() && other.service == source.service;
    let database = |other: &Source| matches!(other.kind, SourceKind::Database(_));
    let over = |other: &Source| match &other.kind {
        SourceKind::Backup(Backup { of: BackupOf::Archiver { base, .. }, .. }) => match base {
            Some(base) => *base == source.name,
            None => true,
        },
        _ => false,
    };
    match of.of {
        BackupOf::PgBackRest { .. } => estate.sources.iter().filter(same).any(|other| over(other) || database(other)),
        BackupOf::Archiver { .. } => true,
        _ => estate.sources.iter().any(|other| matches!(&other.kind, SourceKind::Backup(Backup { of: BackupOf::Archiver { base: Some(base), .. }, .. }) if *base == source.name)),
    }
}
