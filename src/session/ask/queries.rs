//! The queries that this person typed, kept in a file that only they may read: one on each line, the oldest first.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::app::ask::Told;
use crate::app::prompt::{HISTORY_CAP, QUERY_CAP, remember};
use crate::model::text::clean;

/// Bytes that are read of the file.
const FILE_CAP: u64 = (HISTORY_CAP * (QUERY_CAP + 1)) as u64;

/// What was typed before, or why it is not known. With a query, that is put first and kept.
pub(super) async fn answer(path: Option<PathBuf>, query: Option<String>) -> Told {
    let Some(path) = path else { return Told::Queries(Err("there is no folder for it: set HOME or XDG_STATE_HOME".to_owned())) };
    let work = tokio::task::spawn_blocking(move || match query {
        None => read(&path),
        Some(query) => keep(&path, &query),
    });
    let told = match tokio::time::timeout(super::CACHE_LIMIT, work).await {
        Ok(Ok(told)) => told.map_err(|error| error.to_string()),
        Ok(Err(_)) => Err("a fault of this program: please report it".to_owned()),
        Err(_) => Err("the file was not read in time".to_owned()),
    };
    Told::Queries(told.map_err(|why| clean(&why, 200).into_owned()))
}

/// The newest first.
fn read(path: &Path) -> io::Result<Vec<String>> {
    let mut text = Vec::new();
    match OpenOptions::new().read(true).open(path) {
        Ok(file) => file.take(FILE_CAP).read_to_end(&mut text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    let mut all = Vec::new();
    for line in String::from_utf8_lossy(&text).lines().filter(|line| !line.trim().is_empty()) {
        remember(&mut all, &clean(line, QUERY_CAP));
    }
    Ok(all)
}

/// Reads it anew first: another console may have written meanwhile.
fn keep(path: &Path, query: &str) -> io::Result<Vec<String>> {
    let mut all = read(path)?;
    remember(&mut all, &clean(query, QUERY_CAP));
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let part = path.with_extension(format!("{}.part", std::process::id()));
    // The remains of an earlier process of this number.
    let _ = fs::remove_file(&part);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    let text: String = all.iter().rev().map(|query| format!("{query}\n")).collect();
    let written = file.write_all(text.as_bytes()).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written.map(|()| all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_was_typed_is_only_ones_own_and_has_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("quarterdeck/queries");
        assert_eq!(read(&path).unwrap(), Vec::<String>::new());
        keep(&path, "up").unwrap();
        keep(&path, "rate(a[5m])\nx").unwrap();
        assert_eq!(keep(&path, "up").unwrap(), ["up", "rate(a[5m]) x"], "one line each, and each once");
        assert_eq!(read(&path).unwrap(), ["up", "rate(a[5m]) x"]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        fs::write(&path, (0..1_000).map(|n| format!("q{n}\u{1b}[31m\n")).collect::<String>()).unwrap();
        let all = keep(&path, "last").unwrap();
        assert_eq!((all.len(), all[0].as_str(), all[1].as_str()), (HISTORY_CAP, "last", "q999[31m"));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }
}
