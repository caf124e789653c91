//! Loads the estate file: all problems at once, or an [`Estate`] without any.

use std::path::Path;

use jiff::SignedDuration;
use toml::Spanned;

use super::check;
use super::lenient;
use super::raw::{Key, Raw, RawLabels, RawPanel, RawService, RawSite, RawSource, Words, text};
use super::report::{self, Report};
use crate::model::age;
use crate::model::estate::{Estate, Panel, Role, Service, Site, Source, SourceKind, Unit};
use crate::model::label::Labels;
use crate::model::problem::Problem;

/// The most bytes of an estate file that are read.
const LARGEST: u64 = 4 << 20;

/// `every` where the file says nothing.
const EVERY: SignedDuration = SignedDuration::from_secs(15);
/// The longest `timeout` where the file says nothing; it is never longer than `every`.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(10);

/// Reads the estate file and the http_config files that it names.
///
/// # Errors
/// Everything that is wrong, each with its place.
pub fn estate(path: &Path) -> Result<Estate, Vec<Problem>> {
    let text = report::read(path, LARGEST).map_err(|problem| vec![problem])?;
    estate_from(path, &text)
}

/// The same for text that is already there; `path` names it and its folder.
///
/// # Errors
/// Everything that is wrong, each with its place.
pub fn estate_from(path: &Path, text: &str) -> Result<Estate, Vec<Problem>> {
    let mut report = Report::new(path, text);
    let Some(raw) = lenient::read::<Raw>(&mut report) else { return Err(report.finish()) };
    check::all(&raw, &mut report);
    if !report.is_empty() {
        return Err(report.finish());
    }
    build(path, &raw).ok_or_else(|| {
        report.at(0, "the file passed every check and still cannot be used: this is a defect of qd");
        report.finish()
    })
}

/// The estate, of a file that passed every check; `None` where a check has a hole.
fn build(path: &Path, raw: &Raw) -> Option<Estate> {
    let identity = raw.estate.as_ref()?.get_ref();
    let zone = match text(&identity.zone) {
        Some(name) => Some(jiff::tz::TimeZoneDatabase::bundled().get(name).ok()?),
        None => None,
    };
    let sites = raw.site.iter().map(|s| site(s.get_ref())).collect::<Option<Vec<Site>>>()?;
    let all: Vec<String> = sites.iter().map(|s| s.name.clone()).collect();
    Some(Estate {
        path: path.to_owned(),
        name: text(&identity.name)?.to_owned(),
        environment: text(&identity.environment)?.to_owned(),
        zone,
        services: raw.service.iter().map(|s| service(s.get_ref(), &all)).collect::<Option<_>>()?,
        sources: raw.source.iter().map(|s| source(path, s.get_ref())).collect::<Option<_>>()?,
        panels: raw.panel.iter().map(|p| panel(p.get_ref())).collect::<Option<_>>()?,
        sites,
    })
}

fn site(raw: &RawSite) -> Option<Site> {
    let name = text(&raw.name)?.to_owned();
    let role = [Role::Primary, Role::Standby].into_iter().find(|r| Some(r.word()) == text(&raw.role))?;
    let labels = labels(&raw.labels).unwrap_or_else(|| Labels::new([("site", name.as_str())]));
    Some(Site { name, role, labels })
}

fn service(raw: &RawService, all_sites: &[String]) -> Option<Service> {
    let name = text(&raw.name)?.to_owned();
    let labels = labels(&raw.labels).unwrap_or_else(|| Labels::new([("service", name.as_str())]));
    Some(Service {
        name,
        sites: words(&raw.sites).unwrap_or_else(|| all_sites.to_vec()),
        depends_on: words(&raw.depends_on).unwrap_or_default(),
        labels,
        runbook: text(&raw.runbook).map(str::to_owned),
    })
}

fn source(path: &Path, raw: &RawSource) -> Option<Source> {
    let duration = |key: &Key<String>| text(key).map(age::parse).transpose().ok();
    let every = duration(&raw.every)?.unwrap_or(EVERY);
    let kind = match text(&raw.kind)? {
        "prometheus" => SourceKind::Prometheus { url: text(&raw.url)?.to_owned() },
        "alertmanager" => SourceKind::Alertmanager { urls: words(&raw.urls)?, dead_man: labels(&raw.dead_man) },
        _ => return None,
    };
    Some(Source {
        name: text(&raw.name)?.to_owned(),
        every,
        timeout: duration(&raw.timeout)?.unwrap_or(every.min(TIMEOUT)),
        http_config: text(&raw.http_config).map(|file| path.parent().unwrap_or(Path::new("")).join(file)),
        kind,
    })
}

fn panel(raw: &RawPanel) -> Option<Panel> {
    Some(Panel {
        name: text(&raw.name)?.to_owned(),
        service: text(&raw.service).map(str::to_owned),
        source: text(&raw.source)?.to_owned(),
        query: text(&raw.query)?.to_owned(),
        unit: match text(&raw.unit) {
            None | Some("count") => Unit::Count,
            Some("ratio") => Unit::Ratio,
            Some("seconds") => Unit::Seconds,
            Some("bytes") => Unit::Bytes,
            Some("per-second") => Unit::PerSecond,
            Some(_) => return None,
        },
        warn: raw.warn.as_ref().map(|w| *w.get_ref()),
        critical: raw.critical.as_ref().map(|c| *c.get_ref()),
    })
}

fn words(words: &Words) -> Option<Vec<String>> {
    words.as_ref().map(|w| w.get_ref().iter().map(|word| word.get_ref().clone()).collect())
}

fn labels(raw: &RawLabels) -> Option<Labels> {
    raw.as_ref().map(|l| Labels::new(l.get_ref().iter().map(|(name, value): (&Spanned<String>, _)| (name.get_ref(), value.get_ref()))))
}
