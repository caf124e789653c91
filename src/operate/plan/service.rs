//! The plan of a service act: what runs of a service is restarted, stopped or started on its hosts, and nothing else of it is
//! changed. Made from one look at each host; the same world makes the same plan.

mod muted;
mod steps;
#[cfg(test)]
mod tests;
mod words;

use std::path::Path;

use futures_util::future::{join, join_all};
use jiff::Timestamp;

use super::folders::{Folder, folders};
use super::rollback::{Desk, EXPIRES, PlanError, find, has, outside, panels, releases};
use crate::model::estate::{Host, Service};
use crate::model::operations::{Restart, filled};
use crate::model::plan::{Deed, FORMAT, Plan, Planned, Target, TargetKind};
use crate::model::text::clean;
use crate::operate::heads;
use crate::operate::preflight::{self, Seen};
use crate::operate::survey::{Look, Survey, survey};
use crate::operate::world::Own;

/// Seconds for which a unit that systemd started again by itself must have run before it is taken for steady.
const STEADY: u64 = 600;

/// How the processes of a service on a host are told what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    /// `systemctl`.
    Unit { unit: String, sudo: bool },
    /// Programs of the estate's own.
    Programs { restart: Option<Vec<String>>, stop: Option<Vec<String>>, start: Option<Vec<String>>, pid_file: Option<String> },
}

/// A host of the service.
struct Place<'a> {
    host: &'a Host,
    site: String,
    /// Its release folder, where it has one.
    releases: Option<&'a Folder<'a>>,
    /// Where its lease lies: that folder, or one of its own.
    folder: String,
    way: Way,
    /// What was seen; why nothing was.
    seen: Result<Survey, String>,
    /// True where the plan is about it.
    chosen: bool,
}

/// Whether it runs on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runs {
    Yes,
    /// It was stopped.
    No,
    /// It ended badly, and nobody stopped it.
    Failed,
    /// Nothing there tells.
    Unknown,
}

/// Makes the plan of a restart, a stop or a start of the service on these hosts, on all where none is named. Nothing is
/// changed anywhere. `without` of the desk is not looked at: `hosts` says it.
///
/// # Errors
/// See [`PlanError`].
pub async fn service(desk: Desk<'_>, deed: Deed, name: &str, hosts: &[String], now: Timestamp) -> Result<Planned, PlanError> {
    let service = find(desk.estate, name)?;
    if let Some(why) = desk.estate.no_act(service, deed) {
        return Err(PlanError::Unsaid(why));
    }
    let folders = folders(desk.estate, service)?;
    let all: Vec<&Host> = desk.estate.hosts_of(&service.name).into_iter().filter_map(|name| desk.estate.host(name)).collect();
    if let Some(wrong) = hosts.iter().find(|name| !all.iter().any(|host| host.name == **name)) {
        let names: Vec<&str> = all.iter().map(|host| host.name.as_str()).collect();
        return Err(PlanError::Without(format!("`{}` has no host `{}`; it has {}", service.name, clean(wrong, 64), names.join(", "))));
    }
    let asked = all.iter().map(|host| place(desk, service, deed, host, &folders, hosts));
    let unmuted = async {
        match deed {
            Deed::Stop => muted::doubt(desk.estate, service).await,
            _ => None,
        }
    };
    let (places, unmuted) = join(join_all(asked), unmuted).await;
    let places: Vec<Place<'_>> = places.into_iter().collect::<Result<_, _>>()?;
    let silent: Vec<String> = places.iter().filter(|place| place.chosen).filter_map(|place| place.seen.as_ref().err().cloned()).collect();
    if !silent.is_empty() {
        return Err(if silent.len() < all.len() { PlanError::Some(silent) } else { PlanError::Hosts(silent) });
    }
    let (mut todo, mut left): (Vec<(&Place<'_>, &Survey)>, Vec<&Place<'_>>) = (Vec::new(), Vec::new());
    for place in &places {
        match &place.seen {
            Ok(survey) if place.chosen && wanted(deed, &place.way, place.runs()) => todo.push((place, survey)),
            _ => left.push(place),
        }
    }
    if todo.is_empty() {
        return Err(PlanError::Nothing(words::nothing(service, deed, &places)));
    }
    let mut targets = Vec::new();
    for (place, survey) in &todo {
        targets.push(Target { name: place.host.name.clone(), kind: kind(place, survey)? });
    }
    // Only what keeps a service as it was is judged against before.
    let guard = service.rollback.guard.filter(|_| deed == Deed::Restart);
    let judged = panels(desk.estate, service);
    let guard = guard.filter(|_| !judged.is_empty()).map(|guard| (guard, judged, outside(&mut targets)));
    let scheme = steps::Scheme { service, deed, todo: &todo, guard: guard.as_ref() };
    let steps = steps::steps(&scheme)?;
    let mut impact = words::impact(desk.estate, service, deed, &todo, &left, guard.as_ref().map(|(guard, ..)| *guard));
    impact.doubts.extend(unmuted);
    let plan = Plan {
        format: FORMAT,
        deed,
        estate: desk.estate.name.clone(),
        environment: desk.estate.environment.clone(),
        subject: service.name.clone(),
        service: Some(service.name.clone()),
        from: None,
        to: None,
        impact,
        evidence: words::evidence(&todo),
        steps,
        targets,
        made_at: now,
        expires_at: now.checked_add(EXPIRES).unwrap_or(Timestamp::MAX),
    };
    let of = |at: usize| todo.get(at).map(|(_, survey)| Ok((*survey).clone()));
    let seen: Vec<Seen> = (0..plan.targets.len()).map(of).collect();
    let heads = heads::held(desk.journal.map(Path::to_owned), &seen).await;
    let own = Own::default();
    let case =
        preflight::Case { plan: &plan, estate: desk.estate, seen: &seen, heads: &heads, going: Ok(desk.going), now, run: None, own: &own };
    let mut checks = preflight::judge(&case);
    checks.push(preflight::here().await);
    Ok(Planned { plan, checks, candidates: Vec::new() })
}

async fn place<'a>(
    desk: Desk<'a>,
    service: &Service,
    deed: Deed,
    host: &'a Host,
    folders: &'a [Folder<'a>],
    chosen: &[String],
) -> Result<Place<'a>, PlanError> {
    let releases = folders.iter().find(|folder| folder.host.name == host.name);
    let site = releases.and_then(|folder| folder.site.clone()).or_else(|| host.site.clone()).unwrap_or_default();
    let names = [("host", host.name.as_str()), ("site", site.as_str())];
    let argv = |words: &Vec<String>| words.iter().map(|word| filled(word, &names)).collect::<Vec<_>>();
    let way = match &service.restart {
        Some(Restart::Unit { unit, sudo }) => Way::Unit { unit: unit.clone(), sudo: *sudo },
        other => {
            let (restart, pid_file) = match other {
                Some(Restart::Command { command, pid_file }) => (Some(argv(command)), pid_file.as_ref().map(|file| filled(file, &names))),
                _ => (None, None),
            };
            Way::Programs { restart, stop: service.stop.as_ref().map(argv), start: service.start.as_ref().map(argv), pid_file }
        }
    };
    let reader = desk.hosts.reader(&host.name).ok_or_else(|| PlanError::Hosts(vec![format!("{}: there is no such host", host.name)]))?;
    let folder = releases.map_or_else(|| job_folder(&desk.estate.hosts, service, host), |folder| folder.path.clone());
    let (unit, sudo, pid_file) = match &way {
        Way::Unit { unit, sudo } => (Some(unit.clone()), if *sudo { words_of(deed).to_vec() } else { Vec::new() }, None),
        Way::Programs { pid_file, .. } => (None, Vec::new(), pid_file.clone()),
    };
    let look = Look { folder: Some(folder.clone()), unit, sudo, pid_file, log: None };
    let seen = survey(&reader, &look, desk.until).await;
    (desk.heard)(&host.name, seen.as_ref().map(|_| ()).map_err(String::as_str));
    let chosen = chosen.is_empty() || chosen.contains(&host.name);
    Ok(Place { host, site, releases, folder, way, seen, chosen })
}

/// What `systemctl` is told, there and back.
fn words_of(deed: Deed) -> &'static [&'static str] {
    match deed {
        Deed::Restart => &["restart"],
        _ => &["stop", "start"],
    }
}

/// The job folder of a service without releases on a host. Two hosts of an estate may be one machine, reached by one user:
/// each has its own then.
fn job_folder(all: &[Host], service: &Service, host: &Host) -> String {
    let flat = |name: &str| {
        let letter = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c.to_string() } else { escaped(c) };
        name.chars().map(letter).collect::<String>()
    };
    let alone = all.iter().filter(|other| other.ssh == host.ssh).count() < 2;
    let of = if alone { String::new() } else { format!(".{}", flat(&host.name)) };
    format!("~/services/{}{of}", flat(&service.name))
}

/// As `%` and its hex digits, so that no two names make one folder.
fn escaped(c: char) -> String {
    c.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// What it is to the lease.
fn kind(place: &Place<'_>, survey: &Survey) -> Result<TargetKind, PlanError> {
    if survey.machine_id.is_empty() && place.host.machine_id.is_none() {
        let why = format!("{}: it has no /etc/machine-id, by which it is told from others", place.host.name);
        return Err(PlanError::Hosts(vec![why]));
    }
    if let Some(folder) = place.releases {
        has(folder.host, survey)?;
        return Ok(releases(folder, survey));
    }
    Ok(TargetKind::Service {
        host: place.host.name.clone(),
        ssh: place.host.ssh.clone(),
        machine_id: place.host.machine_id.clone().unwrap_or_else(|| survey.machine_id.clone()),
        folder: place.folder.clone(),
        mark: survey.folder.as_ref().and_then(|folder| folder.mark.clone()),
    })
}

/// True where it is to be done there.
fn wanted(deed: Deed, way: &Way, runs: Runs) -> bool {
    match deed {
        // A program starts again whatever is left of it; systemd would start what somebody stopped on purpose.
        Deed::Restart => runs != Runs::No || matches!(way, Way::Programs { .. }),
        Deed::Stop => matches!(runs, Runs::Yes | Runs::Unknown),
        _ => runs != Runs::Yes,
    }
}

impl Place<'_> {
    fn runs(&self) -> Runs {
        let Ok(survey) = &self.seen else { return Runs::Unknown };
        match (&self.way, &survey.unit) {
            (Way::Unit { .. }, Some(unit)) if unit.runs() => Runs::Yes,
            (Way::Unit { .. }, Some(unit)) => match unit.active.as_str() {
                "failed" => Runs::Failed,
                "inactive" | "deactivating" => Runs::No,
                _ => Runs::Unknown,
            },
            (Way::Unit { .. }, None) => Runs::Unknown,
            (Way::Programs { pid_file: None, .. }, _) => Runs::Unknown,
            (Way::Programs { .. }, _) => {
                if survey.alive == Some(true) {
                    Runs::Yes
                } else {
                    Runs::No
                }
            }
        }
    }

    /// The release that `current` leads to, as it is written there.
    fn current(&self) -> Option<String> {
        self.releases?;
        self.seen.as_ref().ok()?.folder.as_ref()?.current.clone()?.ok()
    }
}
