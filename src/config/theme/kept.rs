//! The theme that was picked on the screen last, kept for the next start: one line of a file that nothing else is in.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use super::is_name;
use crate::config::report;
use crate::config::views::{locked, replace};

/// Bytes of a name at the most.
const NAME_CAP: usize = 200;
/// Bytes of the file that are read.
const LARGEST: u64 = 1 << 10;

/// What stands in the file of the picked theme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// None was picked.
    Nothing,
    /// This one, which may be gone by now.
    Named(String),
    /// No theme can have this name, or it cannot be read: why.
    Damaged(String),
}

/// Reads it.
pub fn read(file: &Path) -> Kept {
    let text = match report::read(file, LARGEST) {
        Ok(text) => text,
        // A link that leads nowhere is no file either.
        Err(_) if !file.exists() => return Kept::Nothing,
        Err(problem) => return Kept::Damaged(problem.what),
    };
    match text.strip_suffix('\n').unwrap_or(&text) {
        name if name.len() <= NAME_CAP && is_name(name) => Kept::Named(name.to_owned()),
        _ => Kept::Damaged("what it holds is no theme's name".to_owned()),
    }
}

/// Keeps it. The file is there whole at any time; of two consoles that keep one at once, one is kept.
///
/// # Errors
/// Where there can be no theme of that name, or the file system does not want it.
pub fn keep(file: &Path, name: &str) -> io::Result<()> {
    if name.len() > NAME_CAP || !is_name(name) {
        return Err(io::Error::other("this is no theme's name"));
    }
    if let Some(folder) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let _alone = locked(file)?;
    replace(file, &format!("{name}\n"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_kept_is_read_and_what_is_damaged_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state/theme");
        assert_eq!(read(&file), Kept::Nothing);
        keep(&file, "okabe-ito").unwrap();
        keep(&file, "auto").unwrap();
        assert_eq!((read(&file), fs::read_to_string(&file).unwrap().as_str()), (Kept::Named("auto".into()), "auto\n"));
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let long = "x".repeat(NAME_CAP + 1);
        for bad in ["", "\n", "a\nb\n", "../x", "a\u{1b}[31m", long.as_str()] {
            fs::write(&file, bad).unwrap();
            assert!(matches!(read(&file), Kept::Damaged(_)), "{bad:?} was taken");
            assert!(keep(&file, bad).is_err(), "{bad:?} was kept");
        }
        fs::write(&file, [0xff, 0xfe]).unwrap();
        assert!(matches!(read(&file), Kept::Damaged(_)));
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert!(matches!(read(&file), Kept::Damaged(_)) && keep(&file, "dark").is_err());
    }

    #[test]
    fn of_two_who_keep_one_at_once_one_is_kept_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("theme");
        std::thread::scope(|scope| {
            for name in ["dark", "high-contrast-light"] {
                let file = &file;
                scope.spawn(move || (0..20).for_each(|_| keep(file, name).unwrap()));
            }
            for _ in 0..50 {
                let seen = read(&file);
                let whole = matches!(&seen, Kept::Named(name) if name == "dark" || name == "high-contrast-light");
                assert!(whole || seen == Kept::Nothing, "{seen:?}");
            }
        });
        assert!(matches!(read(&file), Kept::Named(_)));
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "it and its lock: {left:?}");
    }
}
