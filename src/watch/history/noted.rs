//! The deploy log beside release folders: its newest lines, read at each look, say when which release was put there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::{Fault, Of, fault, line};
use crate::model::deployment::Deployment;
use crate::model::estate::Part;
use crate::model::reading::FailureKind;

/// Bytes of the log that are read, from its end: some thousand lines.
pub(super) const TAIL: usize = 256 << 10;

/// A log, and where in its lines the parts stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noted<'n> {
    /// The file.
    pub log: &'n Path,
    /// Parts that have another name there.
    pub fields: &'n BTreeMap<Part, String>,
}

/// The end of the file.
pub(super) fn tail(path: &Path) -> Result<Vec<u8>, Fault> {
    let wrap = |error: std::io::Error| fault(path, &error);
    // Before it is opened: opening a pipe would wait for its writer.
    match fs::metadata(path) {
        Ok(known) if !known.is_file() => return Err((FailureKind::Unreachable, format!("{} is no file", path.display()))),
        Ok(_) => {}
        Err(error) => return Err(wrap(error)),
    }
    let mut file = File::open(path).map_err(wrap)?;
    let size = file.metadata().map_err(wrap)?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(TAIL as u64))).map_err(wrap)?;
    let mut bytes = Vec::new();
    file.take(TAIL as u64).read_to_end(&mut bytes).map_err(wrap)?;
    Ok(bytes)
}

/// True where it is of the source's service, and not of another site than the source's.
fn is_of(one: &Deployment, of: &Of) -> bool {
    of.service.as_ref().is_none_or(|service| *service == one.service)
        && one.site.as_ref().zip(of.site.as_ref()).is_none_or(|(one, own)| one == own)
}

/// The deployments of the service in that end of the log, in its order; and how many lines tell of none.
pub(super) fn records(bytes: &[u8], fields: &BTreeMap<Part, String>, of: &Of) -> (Vec<Deployment>, usize) {
    // What is before the first line's end may be the half of one, and what is after the last is still being written.
    let begin = if bytes.len() < TAIL { 0 } else { bytes.iter().position(|b| *b == b'\n').map_or(bytes.len(), |at| at + 1) };
    let end = bytes.iter().rposition(|b| *b == b'\n').unwrap_or(0);
    let (mut all, mut broken) = (Vec::new(), 0);
    for text in bytes.get(begin..end).unwrap_or_default().split(|b| *b == b'\n').filter(|text| !text.trim_ascii().is_empty()) {
        match line::read(text, fields, of) {
            Ok(one) if is_of(&one, of) => all.push(one),
            Ok(_) => {}
            Err(_) => broken += 1,
        }
    }
    (all, broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_lines_at_both_ends_are_no_fault_and_other_services_are_passed_over() {
        let of = Of { name: "rel".into(), service: Some("web".into()), site: None };
        let line = |service: &str| format!("{{\"time\":1,\"service\":\"{service}\",\"version\":\"1\"}}\n");
        let text = format!("{}{}no json\n{}{{\"time\":", line("web"), line("api"), line("web"));
        let (all, broken) = records(text.as_bytes(), &BTreeMap::new(), &of);
        assert_eq!((all.len(), broken), (2, 1));
        let mut long = vec![b'x'; TAIL - text.len()];
        long.extend_from_slice(text.as_bytes());
        assert_eq!(records(&long, &BTreeMap::new(), &of).0.len(), 1, "the first line is a half one");
        assert_eq!(records(b"", &BTreeMap::new(), &of).0.len(), 0);
        let sited = Of { site: Some("fra1".into()), ..of.clone() };
        let at = |site: &str| format!("{{\"time\":1,\"service\":\"web\",\"version\":\"1\",\"site\":\"{site}\"}}\n");
        let both = format!("{}{}{}", at("fra1"), at("ams3"), line("web"));
        assert_eq!(records(both.as_bytes(), &BTreeMap::new(), &sited).0.len(), 2, "what is told of another site is not of this one");
        assert_eq!(records(b"{}", &BTreeMap::new(), &of).1, 0);
    }
}
