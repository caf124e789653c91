//! Why the journal cannot be used: what, why, and what to do.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{ErrorCode, ffi};

/// Why the journal cannot be used. Nothing was recorded, and nothing that would have to be may be done.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Others could read or change what stands there.
    #[error("the journal {}: others may read or write it (mode {mode:o}): see what they did, then chmod 600", path.display())]
    OthersCanUse {
        /// The file.
        path: PathBuf,
        /// Its rights.
        mode: u32,
    },
    /// It is someone else's file.
    #[error("the journal {} belongs to another user (number {owner}): each person has their own", path.display())]
    OfAnother {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// It is a group's, and not as a group's must be.
    #[error("the journal {} may be used by a group (mode 660), but {why}: nothing was done", path.display())]
    NotShared {
        /// The file.
        path: PathBuf,
        /// What is not as it must be.
        why: String,
    },
    /// It is some other file.
    #[error("{} is no journal of Quarterdeck: nothing was done; move it and all that begins with its name away, and a new journal begins", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Another version of the program made it.
    #[error("the journal {} is of version {found}, this qd reads {ours}: nothing was done; use the qd that wrote it", path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: i32,
        /// Ours.
        ours: i32,
    },
    /// Events that were there are not there any more.
    #[error(
        "the journal {} has lost its end: {there} events are there, {known} were: keep the file as evidence, move it and all that begins with its name away, and a new journal begins",
        path.display()
    )]
    Cut {
        /// The file.
        path: PathBuf,
        /// Events that are there.
        there: u64,
        /// Events that were there once.
        known: u64,
    },
    /// Another process holds the lock for long.
    #[error("the journal {} is locked by another program: nothing was done; try again when it has ended", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// No room.
    #[error("the disk of the journal {} is full: nothing was done; make room there", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// What is written does not arrive.
    #[error("the journal {} cannot grow ({what}): a quota or a limit on the size of files is reached, or the disk fails: nothing was done", path.display())]
    NoRoom {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        what: String,
    },
    /// It may not be written.
    #[error("the journal {} cannot be written: it, its folder or its file system is read-only: nothing was done", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The file itself is damaged.
    #[error("the journal {} is damaged ({what}): keep it as evidence, move it and all that begins with its name away, and a new journal begins", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        what: String,
    },
    /// The file system does not do what it must.
    #[error("the journal {} cannot be kept there: its file system cannot do write-ahead logs ({mode}): name another XDG_STATE_HOME", path.display())]
    NoLog {
        /// The file.
        path: PathBuf,
        /// What SQLite would use instead.
        mode: String,
    },
    /// The file or its folder cannot be made or looked at.
    #[error("the journal {}: {error}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Anything else that SQLite refused.
    #[error("the journal {}: {error}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: rusqlite::Error,
    },
    /// An event is none that this version knows.
    #[error("event {seq} of the journal is none that this qd knows ({error}): `qd journal verify` says whether it was changed")]
    NoEvent {
        /// Its place.
        seq: u64,
        /// Why.
        error: serde_json::Error,
    },
    /// An event cannot be written as JSON.
    #[error("an event could not be written as JSON: {0}")]
    Encode(#[from] serde_json::Error),
    /// An event is too large.
    #[error("an event of {bytes} bytes is too large for the journal: nothing was recorded")]
    Large {
        /// Its size.
        bytes: usize,
    },
    /// An export cannot be written or read.
    #[error("the export: {0}")]
    Export(#[from] io::Error),
}

impl JournalError {
    /// What SQLite's error means for whoever reads it.
    pub(super) fn of(path: &Path, error: rusqlite::Error) -> JournalError {
        let path = path.to_owned();
        let rusqlite::Error::SqliteFailure(failure, said) = &error else { return JournalError::Database { path, error } };
        match failure.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => JournalError::Locked { path },
            ErrorCode::DiskFull => JournalError::Full { path },
            // SQLite calls only one of the reasons for a refused write a full disk.
            _ if [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_SHMSIZE, ffi::SQLITE_IOERR_FSYNC].contains(&failure.extended_code) => {
                JournalError::NoRoom { path, what: said.clone().unwrap_or_else(|| failure.to_string()) }
            }
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => JournalError::ReadOnly { path },
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                JournalError::Damaged { path, what: said.clone().unwrap_or_else(|| failure.to_string()) }
            }
            _ => JournalError::Database { path, error },
        }
    }
}
