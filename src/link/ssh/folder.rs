//! A folder of our own for control sockets: closed to others, and with a short path, as a Unix socket's name has an end.

use std::env;
use std::fs::{self, DirBuilder};
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes of a socket's path: 104 with the NUL at its end on the systems that take least, less the 17 that ssh adds while
/// it makes the socket.
const LONGEST: usize = 86;
/// Bytes that a socket's own name may take in the folder.
const NAME: usize = 8;

/// The folder. It is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    next: AtomicU32,
}

impl Folder {
    /// A new one below the first place that takes it: `XDG_RUNTIME_DIR`, then the folder for temporary files, then `/tmp`.
    pub(super) fn new() -> Result<Folder, String> {
        let places = [env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from), Some(env::temp_dir()), Some(PathBuf::from("/tmp"))];
        let mut why = "no folder has a path that is short enough".to_owned();
        for place in places.into_iter().flatten().filter(|place| place.is_absolute()) {
            match Folder::below(&place) {
                Ok(Some(folder)) => return Ok(folder),
                Ok(None) => {}
                Err(error) => why = format!("{}: {error}", place.display()),
            }
        }
        Err(format!("no place for the sockets of ssh: {why}; set XDG_RUNTIME_DIR or TMPDIR to a folder of yours"))
    }

    /// One below that place; `None` where a socket's path would be too long, or hold what ssh reads as something else.
    fn below(place: &Path) -> io::Result<Option<Folder>> {
        let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
        let path = place.join(format!("qd-{random:016x}"));
        let fits = path.as_os_str().len() + 1 + NAME <= LONGEST;
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@,".contains(c);
        if !fits || !path.to_str().is_some_and(|path| path.chars().all(plain)) {
            return Ok(None);
        }
        // Never one that is there: whoever made it could have put a socket into it.
        DirBuilder::new().mode(0o700).create(&path)?;
        let folder = Folder { path, next: AtomicU32::new(0) };
        if !folder.stands() {
            return Err(io::Error::other("a folder that is made there is open to others"));
        }
        Ok(Some(folder))
    }

    /// True while it is there, is ours and is closed to others.
    pub(super) fn stands(&self) -> bool {
        let own = nix::unistd::geteuid().as_raw();
        fs::symlink_metadata(&self.path).is_ok_and(|is| is.is_dir() && is.uid() == own && is.mode() & 0o077 == 0)
    }

    /// The path of a socket that nobody has.
    pub(super) fn socket(&self) -> PathBuf {
        self.path.join(self.next.fetch_add(1, Ordering::Relaxed).to_string())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed lies in a folder that is cleared with the session.
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_closed_to_others_short_and_gone_at_the_end() {
        let place = tempfile::Builder::new().prefix("q").tempdir_in("/tmp").unwrap();
        let folder = Folder::below(place.path()).unwrap().unwrap();
        let path = folder.path.clone();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        let (one, other) = (folder.socket(), folder.socket());
        assert!(one != other && one.as_os_str().len() <= LONGEST);
        fs::write(&one, "").unwrap();
        assert!(folder.stands());
        // What clears it does not ask.
        fs::remove_dir_all(&path).unwrap();
        assert!(!folder.stands());
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        assert!(!folder.stands(), "one that others could have put a socket into");
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn a_long_path_and_one_that_ssh_would_read_otherwise_are_passed_over() {
        let place = tempfile::Builder::new().prefix("q").tempdir_in("/tmp").unwrap();
        let long = place.path().join("x".repeat(60));
        let odd = place.path().join("%h");
        for place in [long, odd] {
            fs::create_dir(&place).unwrap();
            assert!(Folder::below(&place).unwrap().is_none());
        }
    }
}
