//! Resolves secret references to their bytes, and reads a secret's file again when it changed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::config::http_config::{Secret, SecretRef};

/// Bytes of a secret's file that are read; a longer file is not a secret.
const FILE_CAP: u64 = 1 << 20;
/// A file that was written this shortly before it was read is read again: a second change within one tick of the
/// file system's clock would leave its mark unchanged.
const SETTLED: Duration = Duration::from_secs(2);

/// Why a secret has no value. It names the file, never its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} cannot be read: {why}", path.display())]
pub struct SecretError {
    /// The file.
    pub path: PathBuf,
    /// Why, in a few words.
    pub why: String,
}

impl SecretError {
    fn new(path: &Path, why: impl Into<String>) -> SecretError {
        SecretError { path: path.to_owned(), why: why.into() }
    }

    fn io(path: &Path, error: &std::io::Error) -> SecretError {
        let why = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            other => other.to_string(),
        };
        SecretError::new(path, why)
    }
}

/// What tells one content of a file from another without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    modified: Option<SystemTime>,
    length: u64,
    inode: (u64, u64),
    settled: bool,
}

impl Mark {
    /// The mark of the file at `path` now; links are followed, so that a swapped link is a change. Take it before
    /// reading the file, so that a write in between shows as a change.
    pub fn of(path: &Path) -> Result<Mark, SecretError> {
        use std::os::unix::fs::MetadataExt;
        let meta = std::fs::metadata(path).map_err(|error| SecretError::io(path, &error))?;
        if !meta.is_file() {
            // Reading a pipe or a device would wait without end.
            return Err(SecretError::new(path, "it is not a regular file"));
        }
        let modified = meta.modified().ok();
        let settled = modified.and_then(|then| SystemTime::now().duration_since(then).ok()).is_some_and(|since| since > SETTLED);
        Ok(Mark { modified, length: meta.len(), inode: (meta.dev(), meta.ino()), settled })
    }

    /// True when the file at `path` is sure to be what it was at this mark.
    pub fn holds(&self, path: &Path) -> bool {
        self.settled && Mark::of(path).as_ref() == Ok(self)
    }
}

/// Remembers the content of secrets' files for as long as they do not change.
#[derive(Debug, Default)]
pub struct Secrets {
    files: HashMap<PathBuf, (Mark, Secret)>,
}

impl Secrets {
    /// The value behind a reference now. A file's content is trimmed of white space at both ends, as Prometheus'
    /// `FileSecret` does, so that an editor's last line break is no part of a password.
    pub fn value(&mut self, reference: &SecretRef) -> Result<Secret, SecretError> {
        let path = match reference {
            SecretRef::Inline(secret) => return Ok(secret.clone()),
            SecretRef::File(path) => path,
        };
        if let Some((mark, secret)) = self.files.get(path)
            && mark.holds(path)
        {
            return Ok(secret.clone());
        }
        self.files.remove(path);
        let (mark, secret) = read(path)?;
        self.files.insert(path.clone(), (mark, secret.clone()));
        Ok(secret)
    }
}

/// The trimmed content of a file, and the mark that it had before it was read.
pub fn read(path: &Path) -> Result<(Mark, Secret), SecretError> {
    let mark = Mark::of(path)?;
    if mark.length > FILE_CAP {
        return Err(SecretError::new(path, format!("{} bytes are more than a secret has", mark.length)));
    }
    let bytes = std::fs::read(path).map_err(|error| SecretError::io(path, &error))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok((mark, Secret::new(text.trim()))),
        Err(_) => Err(SecretError::new(path, "it is not UTF-8 text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_read_again_and_trimmed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pw");
        let reference = SecretRef::File(path.clone());
        let mut secrets = Secrets::default();
        assert_eq!(secrets.value(&reference).unwrap_err().why, "there is no such file");
        for value in ["one", "two", "three"] {
            std::fs::write(&path, format!("{value}\n")).unwrap();
            assert_eq!(secrets.value(&reference).unwrap().reveal(), value);
        }
        std::fs::remove_file(&path).unwrap();
        assert!(secrets.value(&reference).is_err(), "a removed secret is not kept");
    }

    #[test]
    fn a_settled_file_is_not_read_again_until_its_mark_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pw");
        let reference = SecretRef::File(path.clone());
        let old = SystemTime::now() - Duration::from_secs(60);
        let write = |value: &str, modified: SystemTime| {
            std::fs::write(&path, value).unwrap();
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        };
        let mut secrets = Secrets::default();
        write("one", old);
        assert_eq!(secrets.value(&reference).unwrap().reveal(), "one");
        // The same mark: what is remembered stays, which shows that the file was not read.
        write("two", old);
        assert_eq!(secrets.value(&reference).unwrap().reveal(), "one");
        write("two", old + Duration::from_secs(1));
        assert_eq!(secrets.value(&reference).unwrap().reveal(), "two");
    }

    #[test]
    fn a_folder_and_a_secret_that_is_no_text_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap_err().why.contains("regular"));
        let path = folder.path().join("pw");
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(read(&path).unwrap_err().why.contains("UTF-8"));
    }
}
