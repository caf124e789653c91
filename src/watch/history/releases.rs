//! A folder of releases with a link `current` to the one that runs. The times of the files are all that it knows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;

use super::noted::{Noted, records, tail};
use super::{Fault, Of, answer, fault};
use crate::model::deployment::{Dated, Deployment, Ending};
use crate::model::source::HistoryAnswer;
use crate::model::text::{LABEL_CAP, clean};

/// Releases that are looked at.
pub(super) const MANY: usize = 10_000;
/// Releases that one note names.
const NAMED: usize = 3;

/// What is in the folder of one machine.
#[derive(Debug)]
pub(super) struct Listing {
    /// The machine's name, where the estate file names it.
    pub host: Option<String>,
    /// The machine's site.
    pub site: Option<String>,
    /// The name of the release that the link leads to, or why that is not known.
    pub current: Result<Vec<u8>, String>,
    /// When the link was made.
    pub switched: Option<Timestamp>,
    /// The releases' names, as bytes, and when each was made.
    pub releases: Vec<(Vec<u8>, Option<Timestamp>)>,
    /// True where there are more of them.
    pub more: bool,
    /// What its deploy log tells, in its order.
    pub records: Vec<Deployment>,
    /// Lines of that log that tell of no deployment.
    pub broken: usize,
}

/// The releases of this machine.
pub(super) fn read(path: &Path, log: Option<Noted<'_>>, of: &Of) -> Result<HistoryAnswer, Fault> {
    let folder = path.join("releases");
    let link = path.join("current");
    let current = match fs::read_link(&link) {
        Ok(target) => target.file_name().map(|name| name.as_bytes().to_vec()).ok_or_else(|| "it leads to no folder".to_owned()),
        Err(error) => Err(format!("{}: {error}", link.display())),
    };
    let switched = fs::symlink_metadata(&link).and_then(|known| known.modified()).ok().and_then(moment);
    let mut found =
        Listing { host: None, site: None, current, switched, releases: Vec::new(), more: false, records: Vec::new(), broken: 0 };
    let entries = fs::read_dir(&folder).map_err(|error| fault(&folder, &error))?;
    for (count, entry) in entries.enumerate() {
        let entry = entry.map_err(|error| fault(&folder, &error))?;
        if count >= MANY {
            found.more = true;
            break;
        }
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let made = entry.metadata().and_then(|known| known.modified()).ok().and_then(moment);
        found.releases.push((entry.file_name().into_vec(), made));
    }
    if let Some(log) = log {
        (found.records, found.broken) = records(&tail(log.log)?, log.fields, of);
    }
    Ok(tell(&[found], of, Vec::new()))
}

/// One release at one site.
#[derive(Default)]
struct Row<'l> {
    on: BTreeSet<&'l str>,
    runs_on: BTreeSet<&'l str>,
    made: Option<Timestamp>,
    switched: Option<Timestamp>,
}

/// The releases of these machines: the one that runs was deployed when the link was made; the others are there, and
/// nothing says more. Machines of one site have each release once, dated by the first of them.
pub(super) fn tell(all: &[Listing], of: &Of, mut notes: Vec<String>) -> HistoryAnswer {
    let service = of.service.clone().unwrap_or_default();
    let mut rows: BTreeMap<(Option<&str>, &[u8]), Row<'_>> = BTreeMap::new();
    for machine in all {
        let host = machine.host.as_deref().unwrap_or_default();
        let of_host = if host.is_empty() { String::new() } else { format!("{host}: ") };
        let mut note = |text: String| notes.push(clean(&format!("{of_host}{text}"), LABEL_CAP).into_owned());
        let site = of.site.as_deref().or(machine.site.as_deref());
        let current = match &machine.current {
            Ok(name) => Some(name.as_slice()),
            Err(why) => {
                note(format!("which release runs is not known: {why}"));
                None
            }
        };
        if let Some(current) = current.filter(|current| !machine.releases.iter().any(|(name, _)| name == current)) {
            note(format!("`current` leads to {}, which is none of the releases", String::from_utf8_lossy(current)));
        }
        if machine.more {
            note(format!("there are more than {MANY} releases; the rest were not looked at"));
        }
        for (name, made) in &machine.releases {
            let row = rows.entry((site, name.as_slice())).or_default();
            row.on.insert(host);
            row.made = earlier(row.made, *made);
            if current == Some(name.as_slice()) {
                row.runs_on.insert(host);
                row.switched = earlier(row.switched, machine.switched);
            }
        }
    }
    let mut deployments = Vec::with_capacity(rows.len());
    let (mut noted, broken) = noted(all, of);
    // The newest record of a version is what its folder is of; of two at one moment the one that was written later.
    let mut newest: HashMap<(Option<String>, Option<String>), usize> = HashMap::new();
    for (place, one) in noted.iter().enumerate() {
        let known = newest.entry((one.site.clone(), one.to.clone())).or_insert(place);
        if noted[*known].at <= one.at {
            *known = place;
        }
    }
    let mut lacking: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ((site, name), row) in &rows {
        let shown = clean(&String::from_utf8_lossy(name), LABEL_CAP).into_owned();
        let runs = !row.runs_on.is_empty();
        let mates: BTreeSet<&str> = all
            .iter()
            .filter(|machine| of.site.as_deref().or(machine.site.as_deref()) == *site)
            .filter_map(|machine| machine.host.as_deref())
            .collect();
        for host in mates.difference(&row.on) {
            lacking.entry(host).or_default().push(shown.clone());
        }
        let record = newest.get(&(site.map(str::to_owned), Some(shown.clone()))).and_then(|place| noted.get_mut(*place));
        let at = row.switched.filter(|_| runs).or(row.made);
        let mut made = at.map(|at| Deployment::new(&service, at, Dated::File, &of.name));
        let Some(one) = record.or(made.as_mut()) else { continue };
        one.site = site.map(str::to_owned);
        one.to = Some(shown);
        one.result = one.result.or(runs.then_some(Ending::Succeeded));
        let others: Vec<&str> = mates.difference(&row.runs_on).copied().collect();
        if runs && !others.is_empty() {
            let on: Vec<&str> = row.runs_on.iter().copied().collect();
            one.differs.push(format!("it runs on {}, and not on {}", on.join(", "), others.join(", ")));
        }
        deployments.extend(made.filter(|made| made.to.is_some()).map(Arc::new));
    }
    noted.reverse();
    deployments.extend(noted.into_iter().map(Arc::new));
    for (host, names) in lacking {
        let more = names.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        notes.push(format!("{host} has not the releases {}{more} of the other hosts", names[..names.len().min(NAMED)].join(", ")));
    }
    if broken > 0 {
        notes.push(format!("{broken} lines of the log tell of no deployment"));
    }
    // The order of a log: what comes later is newer.
    deployments.reverse();
    answer(deployments, broken, notes)
}

/// What the logs of these machines tell, each deployment once: machines of one site may each have a copy of the log.
fn noted(all: &[Listing], of: &Of) -> (Vec<Deployment>, usize) {
    let (mut noted, mut seen) = (Vec::new(), BTreeSet::new());
    for machine in all {
        for record in &machine.records {
            let mut one = record.clone();
            one.site = one.site.or_else(|| of.site.clone().or_else(|| machine.site.clone()));
            if seen.insert((one.at, one.site.clone(), one.to.clone(), one.id.clone())) {
                noted.push(one);
            }
        }
    }
    (noted, all.iter().map(|machine| machine.broken).sum())
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn moment(at: SystemTime) -> Option<Timestamp> {
    Timestamp::try_from(at).ok()
}
