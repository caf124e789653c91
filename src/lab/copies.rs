//! The store's backup job: every minute a snapshot of its documents with a `SHA256SUMS`, one at each site. A minute is
//! to practice what an hour is to production.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{LabError, at};

/// The job's settings, in the store's folder. They are read again before every snapshot.
pub const COPIES: &str = "backup.toml";
/// Seconds between two snapshots of a job that runs.
pub const EVERY: u64 = 60;
/// Snapshots of before the start, so that practice begins with a ladder.
const BEFORE: i64 = 12;
/// Snapshots that stay at each site: two hours of them.
const KEPT: usize = 120;
/// Between two looks at whether the job is due.
const LOOK: Duration = Duration::from_millis(500);

/// What the settings file says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Seconds between two snapshots; 0 where the job does not run.
    every_seconds: u64,
    /// The folders that each snapshot is written to.
    to: Vec<PathBuf>,
}

/// The settings as text for [`COPIES`].
pub fn settings(every_seconds: u64, to: &[PathBuf]) -> String {
    let to: Vec<String> = to.iter().map(|folder| toml::Value::from(folder.display().to_string()).to_string()).collect();
    format!(
        "# The backup job of a practice store; it reads this again before every snapshot.\n\n\
         # Seconds between two snapshots; 0: the job does not run.\nevery_seconds = {every_seconds}\n\
         # Where the snapshots are kept.\nto = [{}]\n",
        to.join(", ")
    )
}

/// Makes the folders, with the snapshots of an estate that has run for a while: of no document yet.
///
/// # Errors
/// Where a file cannot be written.
pub fn lay_out(to: &[PathBuf]) -> Result<(), LabError> {
    let now = whole(Timestamp::now());
    for folder in to {
        for n in (0..BEFORE).rev() {
            let then = now.checked_sub(SignedDuration::from_secs(EVERY as i64 * n)).unwrap_or(now);
            let manifest = snapshot(None, folder, then)?;
            File::options().write(true).open(&manifest).and_then(|f| f.set_modified(SystemTime::from(then))).map_err(at(&manifest))?;
        }
    }
    Ok(())
}

/// Makes snapshots of these documents as long as the store runs. A job that fails is a job that has gone silent: that is
/// what its watchers have to find.
pub async fn run(home: PathBuf, documents: PathBuf) {
    let mut last = Timestamp::now();
    loop {
        tokio::time::sleep(LOOK).await;
        let now = Timestamp::now();
        let text = fs::read_to_string(home.join(COPIES)).unwrap_or_default();
        let Ok(settings) = toml::from_str::<Settings>(&text) else { continue };
        let due = SignedDuration::from_secs(i64::try_from(settings.every_seconds).unwrap_or(i64::MAX / 2));
        if settings.every_seconds == 0 || now.duration_since(last) < due {
            continue;
        }
        last = now;
        let documents = documents.clone();
        let made = tokio::task::spawn_blocking(move || {
            for folder in &settings.to {
                snapshot(Some(&documents), folder, whole(now)).and_then(|_| trim(folder))?;
            }
            Ok::<(), LabError>(())
        });
        if let Ok(Err(error)) = made.await {
            let _ = fs::write(home.join("backup.log"), format!("the snapshot of {now} failed: {error}\n"));
        }
    }
}

fn whole(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// One snapshot, its manifest last; gives back the manifest's file.
fn snapshot(documents: Option<&Path>, folder: &Path, now: Timestamp) -> Result<PathBuf, LabError> {
    let own = folder.join(now.to_string());
    fs::create_dir_all(&own).map_err(at(&own))?;
    let mut files = Vec::new();
    if let Some(documents) = documents {
        for entry in fs::read_dir(documents).map_err(at(documents))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // What is being written has another name so far; what is renamed meanwhile is in the next snapshot.
            if let (false, Ok(bytes)) = (name.ends_with(".next"), fs::read(entry.path())) {
                files.push((name, bytes));
            }
        }
    }
    files.sort();
    files.push(("INDEX".to_owned(), format!("{} documents\n", files.len()).into_bytes()));
    let mut manifest = String::new();
    for (name, bytes) in &files {
        let file = own.join(name);
        fs::write(&file, bytes).map_err(at(&file))?;
        let sum = Sha256::digest(bytes);
        let hex = sum.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let _ = writeln!(manifest, "{hex}  {name}");
    }
    let (file, next) = (own.join("SHA256SUMS"), own.join(".SHA256SUMS.next"));
    fs::write(&next, manifest).and_then(|()| fs::rename(&next, &file)).map_err(at(&file))?;
    Ok(file)
}

/// Removes the oldest snapshots beyond those that stay. Their names sort by time.
fn trim(folder: &Path) -> Result<(), LabError> {
    let mut names: Vec<_> = fs::read_dir(folder).map_err(at(folder))?.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    let beyond = names.len().saturating_sub(KEPT);
    names.truncate(beyond);
    names.iter().map(|name| folder.join(name)).try_for_each(|old| fs::remove_dir_all(&old).map_err(at(&old)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_that_are_written_are_the_ones_that_are_read() {
        let to = vec![PathBuf::from("/a \"b\"/c"), PathBuf::from("/d")];
        assert_eq!(toml::from_str::<Settings>(&settings(60, &to)).unwrap(), Settings { every_seconds: 60, to });
    }

    #[test]
    fn a_snapshot_has_what_the_store_has_with_right_sums_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let (documents, to) = (folder.path().join("documents"), folder.path().join("to"));
        fs::create_dir(&documents).unwrap();
        fs::write(documents.join("a"), "abc").unwrap();
        fs::write(documents.join("b.next"), "half").unwrap();
        let manifest = snapshot(Some(&documents), &to, "2026-11-21T06:12:30Z".parse().unwrap()).unwrap();
        let text = fs::read_to_string(&manifest).unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n";
        assert!(text.starts_with(abc) && text.lines().count() == 2, "{text}");
        assert_eq!(fs::read_to_string(manifest.with_file_name("a")).unwrap(), "abc");
        lay_out(std::slice::from_ref(&to)).unwrap();
        assert_eq!(fs::read_dir(&to).unwrap().count(), 1 + BEFORE as usize);
        for n in 0..KEPT {
            fs::create_dir(to.join(format!("2030-01-01T00:{:02}:{:02}Z", n / 60, n % 60))).unwrap();
        }
        trim(&to).unwrap();
        assert_eq!(fs::read_dir(&to).unwrap().count(), KEPT);
        assert!(!manifest.exists());
    }
}
