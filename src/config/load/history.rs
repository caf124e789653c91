//! What tells of deployments, of a file that passed every check.

use std::path::Path;

use jiff::SignedDuration;

use super::super::raw::{RawHistory, text};
use super::super::timing;
use crate::model::estate::{History, Part, Source, SourceKind};

/// `every` where the file says nothing: deployments are rarer than samples.
const EVERY: SignedDuration = SignedDuration::from_secs(60);
/// The longest `timeout` where the file says nothing; it is never longer than `every`.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(10);

/// The source; `None` where a check has a hole.
pub(super) fn source(file: &Path, raw: &RawHistory) -> Option<Source> {
    let path = || text(&raw.path).map(|path| file.parent().unwrap_or(Path::new("")).join(path));
    let fields = || {
        let fields = raw.fields.iter().flat_map(|fields| fields.get_ref());
        fields.map(|(name, place)| Some((Part::named(name.get_ref())?, place.get_ref().clone()))).collect::<Option<_>>()
    };
    let kind = match text(&raw.kind)? {
        "deploy-log" => History::DeployLog { path: path()?, fields: fields()? },
        "releases" => {
            let hosts = raw.host.iter().chain(raw.hosts.iter().flat_map(|hosts| hosts.get_ref()));
            let hosts = hosts.map(|name| name.get_ref().clone()).collect();
            let log = text(&raw.log).map(|log| file.parent().unwrap_or(Path::new("")).join(log));
            let config = raw.config.iter().flat_map(|words| words.get_ref()).map(|word| word.get_ref().clone()).collect();
            History::Releases { path: path()?, hosts, log, fields: fields()?, config }
        }
        "git" => History::Git { path: path()?, tags: text(&raw.tags).unwrap_or("*").to_owned() },
        "sql" => History::Sql { conninfo: text(&raw.conninfo)?.to_owned(), query: text(&raw.query)?.to_owned(), fields: fields()? },
        _ => return None,
    };
    let every = timing::or(&raw.every, EVERY)?;
    Some(Source {
        name: text(&raw.name)?.to_owned(),
        every,
        timeout: timing::or(&raw.timeout, every.min(TIMEOUT))?,
        http_config: None,
        service: text(&raw.service).map(str::to_owned),
        site: text(&raw.site).map(str::to_owned),
        kind: SourceKind::History(kind),
    })
}
