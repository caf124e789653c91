//! Whose a run's files are: one person's, or those of the group that shares the journal beside them (docs/verification.md).

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// The mode of a folder that is a group's: what is made in it is the group's too.
const GROUP: u32 = 0o2770;

/// Makes the folder of the runs of that journal, for all who may write the journal.
///
/// # Errors
/// Where it cannot be made.
pub(super) fn make_runs(runs: &Path, journal: &Path) -> io::Result<()> {
    let of_group = |path: &Path, bits: u32, mode: u32| fs::metadata(path).is_ok_and(|known| known.mode() & bits == mode);
    let beside = fs::canonicalize(journal).is_ok_and(|journal| journal.parent() == runs.parent());
    let shared = beside && of_group(journal, 0o777, 0o660) && runs.parent().is_some_and(|above| of_group(above, 0o7777, GROUP));
    if !runs.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(runs)?;
        if shared {
            fs::set_permissions(runs, Permissions::from_mode(GROUP))?;
        }
    }
    Ok(())
}

/// True of a folder that is a group's.
fn is_shared(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|known| known.mode() & 0o7777 == GROUP)
}

/// Makes a folder with the rights of the one above it.
///
/// # Errors
/// Where it cannot be made.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().unwrap_or(Path::new("/"));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if is_shared(above) {
        // The mask of the process took the group's rights.
        fs::set_permissions(folder, Permissions::from_mode(GROUP))?;
    }
    Ok(())
}

/// Opens a file to be written, empty where `anew`, with the rights of its folder.
///
/// # Errors
/// Where it cannot be.
pub(super) fn open(path: &Path, anew: bool) -> io::Result<File> {
    let file = File::options().write(true).create(true).truncate(anew).mode(0o600).open(path)?;
    let own = || file.metadata().is_ok_and(|known| known.uid() == nix::unistd::geteuid().as_raw());
    if path.parent().is_some_and(is_shared) && own() {
        file.set_permissions(Permissions::from_mode(0o660))?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn what_lies_beside_a_groups_journal_is_the_groups_and_else_nobody_elses() {
        for (folder, journal, wanted) in [
            (GROUP, 0o660, (GROUP, 0o660)),
            (GROUP, 0o600, (0o2700, 0o600)),
            (0o700, 0o600, (0o700, 0o600)),
            (0o755, 0o660, (0o700, 0o600)),
        ] {
            let home = tempfile::tempdir().unwrap();
            let at = fs::canonicalize(home.path()).unwrap();
            fs::write(at.join("journal.db"), "").unwrap();
            fs::set_permissions(at.join("journal.db"), Permissions::from_mode(journal)).unwrap();
            fs::set_permissions(&at, Permissions::from_mode(folder)).unwrap();
            make_runs(&at.join("runs"), &at.join("journal.db")).unwrap();
            let requests = at.join("runs/web-1/requests");
            make(requests.parent().unwrap()).unwrap();
            make(&requests).unwrap();
            open(&requests.join("one"), true).unwrap();
            let found = (mode(&requests), mode(&requests.join("one")));
            assert_eq!(found, wanted, "{folder:o} {journal:o}");
            assert_eq!(mode(&at.join("runs")), wanted.0);
        }
    }
}
