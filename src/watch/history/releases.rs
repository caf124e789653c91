//! A folder of releases with a link `current` to the one that runs. The times of the files are all that it knows.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;

use super::{Fault, Of, answer, fault};
use crate::model::deployment::{Dated, Deployment, Ending};
use crate::model::source::HistoryAnswer;
use crate::model::text::{LABEL_CAP, clean};

/// Releases that are looked at.
const MANY: usize = 10_000;

/// The releases: the one that runs was deployed when the link was made; the others are there, and nothing says more.
pub(super) fn read(path: &Path, of: &Of) -> Result<HistoryAnswer, Fault> {
    let folder = path.join("releases");
    let service = of.service.clone().unwrap_or_default();
    let mut notes = Vec::new();
    let link = path.join("current");
    let current = match fs::read_link(&link) {
        Ok(target) => target.file_name().map(|name| name.to_os_string()),
        Err(error) => {
            notes.push(clean(&format!("which release runs is not known: {}: {error}", link.display()), LABEL_CAP).into_owned());
            None
        }
    };
    let switched = fs::symlink_metadata(&link).and_then(|known| known.modified()).ok().and_then(moment);
    let (mut all, mut found) = (Vec::new(), false);
    let entries = fs::read_dir(&folder).map_err(|error| fault(&folder, &error))?;
    for (count, entry) in entries.enumerate() {
        let entry = entry.map_err(|error| fault(&folder, &error))?;
        if count >= MANY {
            notes.push(format!("there are more than {MANY} releases; the rest were not looked at"));
            break;
        }
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let name = entry.file_name();
        let runs = current.as_ref() == Some(&name);
        found |= runs;
        let made = || entry.metadata().and_then(|known| known.modified()).ok().and_then(moment);
        let Some(at) = switched.filter(|_| runs).or_else(made) else { continue };
        let mut one = Deployment::new(&service, at, Dated::File, &of.name);
        one.site.clone_from(&of.site);
        one.to = Some(clean(&name.to_string_lossy(), LABEL_CAP).into_owned());
        one.result = runs.then_some(Ending::Succeeded);
        all.push(Arc::new(one));
    }
    if let Some(current) = current.filter(|_| !found) {
        let text = format!("`current` leads to {}, which is none of the releases", current.to_string_lossy());
        notes.push(clean(&text, LABEL_CAP).into_owned());
    }
    Ok(answer(all, 0, notes))
}

fn moment(at: SystemTime) -> Option<Timestamp> {
    Timestamp::try_from(at).ok()
}
