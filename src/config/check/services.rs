//! Rules about what people read and run: the note, runbooks, and the commands that start and stop a service.

use toml::Spanned;

use super::super::raw::{Raw, RawService, Words};
use super::super::report::Report;
use crate::model::text::is_hostile;

/// Characters of a note; more does not fit an Overview of 80 columns.
const NOTE: usize = 400;
/// Bytes of one word of a command.
const WORD: usize = 4_096;

/// The note says something that can be shown.
pub(super) fn note(raw: &Raw, report: &mut Report<'_>) {
    let Some(note) = raw.estate.as_ref().and_then(|e| e.get_ref().note.as_ref()) else { return };
    let (at, text) = (note.span().start, note.get_ref());
    if text.trim().is_empty() {
        report.at(at, "`note` is empty");
    } else if text.chars().any(|c| is_hostile(c) && !matches!(c, '\n' | '\r' | '\t')) {
        report.at(at, "`note` holds a control, invisible or direction-changing character");
    } else if text.trim().chars().count() > NOTE {
        report.at(at, format!("`note` is longer than {NOTE} characters"));
    }
}

/// Every runbook is a path or an address that can be shown.
pub(super) fn runbooks(raw: &Raw, report: &mut Report<'_>) {
    for runbook in raw.service.iter().filter_map(|s| s.get_ref().runbook.as_ref()) {
        if runbook.get_ref().trim().is_empty() {
            report.at(runbook.span().start, "`runbook` is empty");
        } else if runbook.get_ref().chars().any(is_hostile) {
            report.at(runbook.span().start, "`runbook` holds a control, invisible or direction-changing character");
        }
    }
}

/// Every command is a program with its arguments.
pub(super) fn commands(raw: &Raw, report: &mut Report<'_>) {
    for service in &raw.service {
        let (table, service) = (service.span().start, service.get_ref());
        for (key, command) in [("start", &service.start), ("stop", &service.stop)] {
            self::command(raw, report, table, service, key, command);
        }
    }
}

fn command(raw: &Raw, report: &mut Report<'_>, table: usize, service: &RawService, key: &str, command: &Words) {
    let Some(command) = command else { return };
    let words: &[Spanned<String>] = command.get_ref();
    let sample = format!("the program and its arguments, such as `{key} = [\"systemctl\", \"{key}\", \"web@$site\"]`");
    match words.first() {
        None if report.lost(table, key) => {}
        None => report.hint(command.span().start, format!("`{key}` is empty"), sample),
        Some(program) if program.get_ref().trim().is_empty() => {
            report.hint(program.span().start, format!("`{key}` names no program"), sample)
        }
        // The first word alone with spaces in it is a command line, and no shell is there to split it.
        Some(program) if words.len() == 1 && program.get_ref().contains(' ') => {
            let split: Vec<String> = program.get_ref().split_whitespace().map(|w| format!("\"{w}\"")).collect();
            let hint = format!("no shell splits it: `{key} = [{}]`", split.join(", "));
            report.hint(program.span().start, format!("`{key}` is one word with spaces in it"), hint);
        }
        Some(_) => {}
    }
    for word in words {
        if word.get_ref().chars().any(is_hostile) {
            report.at(word.span().start, format!("`{key}` holds a control, invisible or direction-changing character"));
        } else if word.get_ref().len() > WORD {
            report.at(word.span().start, format!("a word of `{key}` is longer than {WORD} bytes"));
        } else if word.get_ref().contains("$site") && service.sites.is_none() && raw.site.is_empty() && !report.lost(0, "site") {
            report.hint(word.span().start, "`$site` stands for nothing here", "this file has no [[site]]");
        }
    }
}
