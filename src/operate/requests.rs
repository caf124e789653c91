//! What persons ask of a run that goes on: one small file each in the run's folder, written by rename, taken up and
//! removed by the runner, which records it with who asked.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::event::Actor;
use crate::model::run::Request;

use super::rights;

/// Bytes of one request.
const CAP: u64 = 64 << 10;
/// Requests that are taken at once.
const MANY: usize = 100;

/// One request as it lies in the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// When it was asked (UTC).
    pub at: Timestamp,
    /// Who asked.
    pub by: Actor,
    /// What.
    pub request: Request,
}

/// The folder of the requests in a run's folder.
pub fn folder(run: &Path) -> PathBuf {
    run.join("requests")
}

/// Asks it of the run with that folder.
///
/// # Errors
/// Where it cannot be written; then nothing was asked.
pub fn put(run: &Path, request: &Request, by: &Actor, at: Timestamp) -> io::Result<()> {
    let folder = folder(run);
    rights::make(&folder)?;
    let body = serde_json::to_vec(&Asked { at, by: by.clone(), request: request.clone() })?;
    // The nanoseconds put them in their order; the process tells two of the same moment apart.
    let name = format!("{:024}-{}", at.as_nanosecond(), by.process.id);
    let open = folder.join(format!(".{name}"));
    let mut file = rights::open(&open, true)?;
    file.write_all(&body)?;
    file.sync_all()?;
    fs::rename(open, folder.join(format!("{name}.json")))
}

/// What is asked, the oldest first, each with its file, which is for [`remove`] once it is recorded. What is no request
/// is removed.
pub fn take(run: &Path) -> Vec<(PathBuf, Asked)> {
    let Ok(entries) = fs::read_dir(folder(run)) else { return Vec::new() };
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    files.sort_unstable();
    files.truncate(MANY);
    let mut all = Vec::new();
    for file in files {
        match read(&file) {
            Ok(asked) => all.push((file, asked)),
            Err(error) => {
                tracing::warn!(file = %file.display(), %error, "this is no request, it is removed");
                remove(&file);
            }
        }
    }
    all
}

/// True while something is asked that no runner has taken up.
pub fn waits(run: &Path) -> bool {
    let Ok(mut entries) = fs::read_dir(folder(run)) else { return false };
    entries.any(|entry| entry.is_ok_and(|entry| entry.path().extension().is_some_and(|e| e == "json")))
}

fn read(file: &Path) -> io::Result<Asked> {
    let mut body = Vec::new();
    File::open(file)?.take(CAP).read_to_end(&mut body)?;
    Ok(serde_json::from_slice(&body)?)
}

/// Removes one that was recorded, or is no request.
pub fn remove(file: &Path) {
    if let Err(error) = fs::remove_file(file) {
        tracing::warn!(file = %file.display(), %error, "a request cannot be removed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::actor;

    #[test]
    fn requests_are_taken_in_their_order_and_rubbish_is_removed() {
        let run = tempfile::tempdir().unwrap();
        let by = actor(&|_| None);
        let at = |n: i64| Timestamp::from_second(1_800_000_000 + n).unwrap();
        assert!(take(run.path()).is_empty() && !waits(run.path()));
        for n in [2, 1] {
            put(run.path(), &Request::Pause { reason: format!("{n}") }, &by, at(n)).unwrap();
        }
        fs::write(folder(run.path()).join("0.json"), "{}").unwrap();
        assert!(waits(run.path()));
        let taken = take(run.path());
        let said: Vec<_> = taken.iter().map(|(_, asked)| (asked.at, asked.request.clone())).collect();
        assert_eq!(said, [1, 2].map(|n| (at(n), Request::Pause { reason: format!("{n}") })));
        taken.iter().for_each(|(file, _)| remove(file));
        assert_eq!(fs::read_dir(folder(run.path())).unwrap().count(), 0);
        assert!(!waits(run.path()));
    }
}
