//! Releases of the web service as files: `releases/VERSION/release.toml`, and a link `current` to the one that is run.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{LabError, at};

/// The release that every site starts with.
pub const GOOD: &str = "2.4.0";
/// The releases before it, the oldest first: they lie at every site, so that there is always one to go back to.
pub const OLD: [&str; 2] = ["2.3.7", "2.3.8"];
/// The release that fails.
pub const BAD: &str = "2.5.0";
/// The share of requests that the bad release fails.
pub const BAD_SHARE: f64 = 0.2;

/// One release, as its file says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Its version.
    pub version: String,
    /// The share of requests that it fails with 500, from 0 to 1.
    #[serde(default)]
    pub fail_share: f64,
}

/// What was ever built, the oldest first: the version, what it is, the share of requests that it fails.
const BUILT: [(&str, &str, f64); 4] = [
    (OLD[0], "Works.", 0.0),
    (OLD[1], "Works.", 0.0),
    (GOOD, "Works.", 0.0),
    (BAD, "Has a defect that no test found: a share of the requests fails.", BAD_SHARE),
];

/// True where both were built, and the first one before the other.
pub fn is_older(version: &str, than: &str) -> bool {
    let place = |of: &str| BUILT.iter().position(|(built, ..)| *built == of);
    place(version).zip(place(than)).is_some_and(|(version, than)| version < than)
}

/// Writes the good release of a web service into its folder, as the current one, and those before it beside it.
///
/// # Errors
/// Where a file cannot be written.
pub fn lay_out(web: &Path) -> Result<(), LabError> {
    OLD.iter().try_for_each(|version| put(web, version))?;
    put(web, GOOD)?;
    switch(web, GOOD)
}

/// Puts a release into the folder of a web service, as a deployment does before it switches; one that is there stays.
///
/// # Errors
/// Where there is no such release or a file cannot be written.
pub fn put(web: &Path, version: &str) -> Result<(), LabError> {
    let Some((_, about, share)) = BUILT.iter().find(|(built, ..)| *built == version) else {
        let known = BUILT.map(|(built, ..)| built).join(", ");
        return Err(LabError::Other(format!("there is no release {version:?}; there are {known}")));
    };
    let folder = web.join("releases").join(version);
    let file = folder.join("release.toml");
    if file.exists() {
        return Ok(());
    }
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    let text = format!(
        "# A release of the practice estate's web service. {about}\nversion = \"{version}\"\n\
         # The share of requests that this release answers with 500.\nfail_share = {share:?}\n"
    );
    fs::write(&file, text).map_err(at(&file))
}

/// Makes that release the current one, by renaming a new link over the old one: at no moment is there none.
/// A process reads its release when it starts.
///
/// # Errors
/// Where there is no such release or the link cannot be made.
pub fn switch(web: &Path, version: &str) -> Result<(), LabError> {
    let known = releases(web)?;
    if !known.iter().any(|name| name == version) {
        return Err(LabError::Other(format!("there is no release {version:?}; there are {}", known.join(", "))));
    }
    let (next, current) = (web.join("current.next"), web.join("current"));
    // Left over from a switch that was cut off.
    let _ = fs::remove_file(&next);
    symlink(PathBuf::from("releases").join(version), &next).map_err(at(&next))?;
    fs::rename(&next, &current).map_err(at(&current))
}

/// The versions that there are.
fn releases(web: &Path) -> Result<Vec<String>, LabError> {
    let folder = web.join("releases");
    let mut names: Vec<String> =
        fs::read_dir(&folder).map_err(at(&folder))?.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// Reads the current release.
///
/// # Errors
/// Where the file is not there or does not say what it should.
pub fn current(web: &Path) -> Result<Release, LabError> {
    let file = web.join("current/release.toml");
    let text = fs::read_to_string(&file).map_err(at(&file))?;
    toml::from_str(&text).map_err(|error| LabError::Content(file, error.message().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_changes_what_is_current_and_only_to_what_there_is() {
        let folder = tempfile::tempdir().unwrap();
        lay_out(folder.path()).unwrap();
        assert_eq!(current(folder.path()).unwrap(), Release { version: GOOD.into(), fail_share: 0.0 });
        assert!(switch(folder.path(), BAD).is_err(), "it was never put there");
        put(folder.path(), BAD).unwrap();
        switch(folder.path(), BAD).unwrap();
        assert_eq!(current(folder.path()).unwrap(), Release { version: BAD.into(), fail_share: BAD_SHARE });
        for version in OLD {
            switch(folder.path(), version).unwrap();
            assert_eq!(current(folder.path()).unwrap(), Release { version: version.into(), fail_share: 0.0 });
        }
        switch(folder.path(), BAD).unwrap();
        assert!(is_older("2.3.8", GOOD) && !is_older(BAD, GOOD) && !is_older("9.9.9", GOOD));
        for wrong in ["3.0.0", "", ".", "../releases/2.4.0"] {
            assert!(switch(folder.path(), wrong).is_err(), "{wrong:?} was taken");
            assert!(put(folder.path(), wrong).is_err(), "{wrong:?} was put there");
        }
        assert_eq!(current(folder.path()).unwrap().version, BAD, "a refused switch changes nothing");
    }
}
