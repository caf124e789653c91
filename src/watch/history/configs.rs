//! How the configuration in the folders of two releases differs. Only plain files below the release are read: no link is
//! followed, so that what all releases share, which is where secrets are kept, is not shown.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::model::deployment::Deployment;
use crate::model::deployment::diff::{BYTES, CONFIGS, Config, Configs, How, Part, compare};
use crate::model::text::{LABEL_CAP, NOTE_CAP, clean};

/// Entries of a folder that are looked at.
const ENTRIES: usize = 2_000;
/// Files that are found at the most.
const FOUND: usize = 10 * CONFIGS;

/// Compares the files of these patterns. Blocks.
pub(super) fn differ(name: &str, path: &Path, patterns: &[String], from: &Deployment, to: &Deployment) -> Part<Configs> {
    let folder = |of: &Deployment| {
        let version = of.to.as_deref().ok_or_else(|| "its version is not known".to_owned())?;
        let plain = !version.is_empty() && version != "." && version != ".." && !version.contains(['/', '\0']);
        let folder = path.join("releases").join(version);
        let there = plain && fs::symlink_metadata(&folder).is_ok_and(|known| known.is_dir());
        if there {
            Ok(folder)
        } else {
            Err(clean(&format!("release {version} is not there any more, or never was"), NOTE_CAP).into_owned())
        }
    };
    let (before, after) = (folder(from)?, folder(to)?);
    let (mut paths, mut more) = (BTreeSet::new(), false);
    for pattern in patterns {
        let parts: Vec<&str> = pattern.split('/').collect();
        for root in [&before, &after] {
            more |= find(root, Path::new(""), &parts, &mut paths);
        }
    }
    let left = paths.len().saturating_sub(CONFIGS);
    let mut configs = Configs { left, more, told_by: name.to_owned(), ..Configs::default() };
    for path in paths.into_iter().take(CONFIGS) {
        match one(&before.join(&path), &after.join(&path)) {
            Some(how) => configs.differ.push(Config { path: clean(&path.to_string_lossy(), LABEL_CAP).into_owned(), how }),
            None => configs.same += 1,
        }
    }
    Ok(configs)
}

/// All below `root` that the parts of a pattern match. True where some were not looked at.
fn find(root: &Path, below: &Path, parts: &[&str], paths: &mut BTreeSet<PathBuf>) -> bool {
    let Some((first, rest)) = parts.split_first() else { return false };
    let Ok(entries) = fs::read_dir(root.join(below)) else { return false };
    let mut more = false;
    for (count, entry) in entries.flatten().enumerate() {
        if count >= ENTRIES || paths.len() > FOUND {
            return true;
        }
        let name = entry.file_name();
        if !matches(first, &name.to_string_lossy()) {
            continue;
        }
        let path = below.join(&name);
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => more |= find(root, &path, rest, paths),
            Ok(_) if rest.is_empty() => drop(paths.insert(path)),
            _ => {}
        }
    }
    more
}

/// True where the name is of the pattern, in which `*` is any text; a name that begins with a dot only of one that does.
fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// How the two files differ; `None` where they are the same.
fn one(before: &Path, after: &Path) -> Option<How> {
    let kind = |path: &Path| fs::symlink_metadata(path).ok();
    let (old, new) = match (kind(before), kind(after)) {
        (None, None) => return None,
        (None, Some(_)) => return Some(How::Added),
        (Some(_), None) => return Some(How::Removed),
        (Some(old), Some(new)) => (old, new),
    };
    if old.is_symlink() && new.is_symlink() {
        let target = |path: &Path| fs::read_link(path).ok();
        let same = target(before).is_some() && target(before) == target(after);
        return (!same).then(|| How::Not("it is a link, which leads elsewhere now; no link is followed".to_owned()));
    }
    if !old.is_file() || !new.is_file() {
        return Some(How::Not("it is a link or no file in one of the two; no link is followed".to_owned()));
    }
    if old.len().max(new.len()) > BYTES {
        return Some(How::Not(format!("it is larger than {} KiB", BYTES >> 10)));
    }
    match (fs::read(before), fs::read(after)) {
        (Ok(before), Ok(after)) => compare(&before, &after),
        (Err(error), _) | (_, Err(error)) => Some(How::Not(format!("it cannot be read: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text_of_one_name() {
        for (pattern, name) in [("*.toml", "a.toml"), ("a*c*e", "abcde"), ("*", "x"), (".env*", ".env.example"), ("x", "x")] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("*.toml", "a.tom"), ("*.toml", ".toml"), ("*", ".env"), ("x", "xy"), ("a*c*e", "aec"), ("a*a", "a")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
