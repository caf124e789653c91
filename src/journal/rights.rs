//! Whose the journal is: one person's (0600), or a group's of operators (0660 in a folder of that group).

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{getegid, geteuid, getgroups};

use super::JournalError;

/// SQLite's files beside the journal, and the one with its head.
const BESIDE: [&str; 3] = ["-wal", "-shm", ".head"];
/// The folder of a group's journal: new files in it are the group's, and nobody else gets in.
const GROUP_FOLDER: u32 = 0o2770;

/// Who may use a journal.
#[derive(Clone, Copy)]
enum Whose {
    /// This person alone.
    Ours,
    /// This group.
    Group(u32),
}

/// The file itself: a link to it is followed once, so that all that belongs to it lies beside the file and not beside
/// the link.
pub(super) fn place(path: &Path) -> Result<PathBuf, JournalError> {
    match fs::canonicalize(path) {
        Ok(place) => Ok(place),
        Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => Ok(path.to_owned()),
        Err(error) => Err(JournalError::File { path: path.to_owned(), error }),
    }
}

/// Whether it is there. Refuses what others could have read or written.
pub(super) fn check(path: &Path) -> Result<bool, JournalError> {
    // Looked at and never opened here: closing it would drop the locks that SQLite holds in this process.
    let Some(known) = look(path)? else { return Ok(false) };
    let whose = whose(path, &known)?;
    for ending in BESIDE {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        let name = PathBuf::from(name);
        if let Some(known) = look(&name)? {
            beside(&name, &known, whose)?;
        }
    }
    Ok(true)
}

fn look(path: &Path) -> Result<Option<Metadata>, JournalError> {
    match fs::symlink_metadata(path) {
        Ok(known) if known.is_file() => Ok(Some(known)),
        Ok(_) => Err(JournalError::File { path: path.to_owned(), error: io::Error::other("it is no file") }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(JournalError::File { path: path.to_owned(), error }),
    }
}

fn whose(path: &Path, known: &Metadata) -> Result<Whose, JournalError> {
    let (mode, owner, group) = (known.mode() & 0o777, known.uid(), known.gid());
    if mode == 0o660 {
        shared(path, owner, group)?;
        return Ok(Whose::Group(group));
    }
    if owner != geteuid().as_raw() {
        return Err(JournalError::OfAnother { path: path.to_owned(), owner });
    }
    if mode & 0o077 != 0 {
        return Err(JournalError::OthersCanUse { path: path.to_owned(), mode });
    }
    Ok(Whose::Ours)
}

/// Refuses a group's journal that others than the group could replace, or that is none of our group.
fn shared(path: &Path, owner: u32, group: u32) -> Result<(), JournalError> {
    let refused = |why: String| JournalError::NotShared { path: path.to_owned(), why };
    let ours = getegid().as_raw() == group || getgroups().is_ok_and(|groups| groups.iter().any(|one| one.as_raw() == group));
    if !ours {
        return Err(refused(format!("you are not in its group (number {group})")));
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    let known = fs::metadata(folder).map_err(|error| JournalError::File { path: folder.to_owned(), error })?;
    let mode = known.mode() & 0o7777;
    if mode != GROUP_FOLDER || known.gid() != group {
        let number = known.gid();
        return Err(refused(format!(
            "its folder {} has mode {mode:o} and group {number}: it wants {GROUP_FOLDER:o} and group {group}",
            folder.display()
        )));
    }
    // Who owns the folder can put another file there.
    if ![0, owner, geteuid().as_raw()].contains(&known.uid()) {
        return Err(refused(format!("its folder {} belongs to a third user (number {})", folder.display(), known.uid())));
    }
    Ok(())
}

/// What lies beside the journal may be used by those who may use the journal, and by nobody else.
fn beside(path: &Path, known: &Metadata, whose: Whose) -> Result<(), JournalError> {
    let (mode, owner, group) = (known.mode() & 0o777, known.uid(), known.gid());
    match whose {
        Whose::Ours if owner != geteuid().as_raw() => Err(JournalError::OfAnother { path: path.to_owned(), owner }),
        Whose::Ours if mode & 0o077 != 0 => Err(JournalError::OthersCanUse { path: path.to_owned(), mode }),
        Whose::Group(of) if group != of => {
            Err(JournalError::NotShared { path: path.to_owned(), why: format!("its group is {group} and not {of}") })
        }
        // One that another operator is just making has fewer rights for a moment.
        Whose::Group(_) if mode & !0o660 != 0 => Err(JournalError::OthersCanUse { path: path.to_owned(), mode }),
        Whose::Ours | Whose::Group(_) => Ok(()),
    }
}
