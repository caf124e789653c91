//! Rules about how a service is started again, how its health is asked and what its rollback does: one way each, hosts that
//! are there, times that make sense, and no `$word` that stands for nothing.

use std::collections::HashSet;

use jiff::SignedDuration;
use toml::Spanned;

use super::super::raw::operations::{METHODS, RawHealth, RawLogs, RawOwnHttp, RawOwnStep, RawRestart, RawRollback, RawUndo, Steps};
use super::super::raw::{Key, Raw, Words, text};
use super::super::report::Report;
use super::backups::within;
use super::sources::address;
use crate::model::operations::unknown_word;
use crate::model::text::is_hostile;

/// Bytes of one word of a command, of an address or a path.
const LONGEST: usize = 4_096;
/// Steps of one's own in one list.
const STEPS: usize = 50;
/// The words that a host has.
const OF_HOST: [&str; 2] = ["host", "site"];
/// The words that a rollback has.
const OF_ROLLBACK: [&str; 2] = ["from", "to"];

/// Each service's own.
pub(super) fn fits(raw: &Raw, report: &mut Report<'_>) {
    for service in raw.service.iter().map(Spanned::get_ref) {
        if let Some(restart) = &service.restart {
            self::restart(report, restart);
        }
        if let Some(logs) = &service.logs {
            self::logs(report, logs);
        }
        if let Some(health) = &service.health {
            self::health(report, health);
        }
        if let Some(rollback) = &service.rollback {
            self::rollback(report, rollback.get_ref());
            if let Some(note) = rollback.get_ref().note.as_ref().filter(|note| *note.get_ref()) {
                noted(raw, report, note.span().start, text(&service.name));
            }
        }
    }
}

/// A note needs a log that it is written to.
fn noted(raw: &Raw, report: &mut Report<'_>, at: usize, service: Option<&str>) {
    let logged = raw.history.iter().map(Spanned::get_ref).any(|h| text(&h.service) == service && h.log.is_some());
    if !logged && service.is_some() && !report.lost(0, "history") {
        report.hint(
            at,
            "`note` is true, and no [[history]] of kind `releases` of this service has a `log`",
            "the note is a line of that log: name it there",
        );
    }
}

/// Exactly one of these is there. `table` is where they belong, `what` is what it is called.
fn one_of(report: &mut Report<'_>, table: usize, what: &str, keys: &[(&str, Option<usize>)]) {
    let mut there: Vec<(&str, usize)> = keys.iter().filter_map(|(key, at)| Some((*key, (*at)?))).collect();
    there.sort_by_key(|(_, at)| *at);
    let names: Vec<String> = keys.iter().map(|(key, _)| format!("`{key}`")).collect();
    let (last, rest) = names.split_last().map_or((String::new(), String::new()), |(last, rest)| (last.clone(), rest.join(", ")));
    match there.as_slice() {
        [] if keys.iter().any(|(key, _)| report.lost(table, key)) || report.lost_within(table) => {}
        [] => report.hint(table, format!("{what} has neither of {rest} and {last}"), "it needs just one of them"),
        [_] => {}
        [(first, _), others @ ..] => {
            for (key, at) in others {
                report.hint(*at, format!("`{first}` and `{key}` are both given"), format!("{what} has just one of {rest} and {last}"));
            }
        }
    }
}

fn restart(report: &mut Report<'_>, restart: &Spanned<RawRestart>) {
    let (table, r) = (restart.span().start, restart.get_ref());
    one_of(report, table, "`restart`", &[("unit", at(&r.unit)), ("command", of_words(&r.command))]);
    if let Some(name) = &r.unit {
        unit(report, name);
    }
    if let (None, Some(sudo)) = (&r.unit, &r.sudo) {
        report.hint(sudo.span().start, "`sudo` is there and `unit` is not", "write `sudo`, `-n` as the first words of `command`");
    }
    command(report, "command", &r.command, &OF_HOST);
    if let Some(file) = &r.pid_file {
        if r.command.is_none() {
            report.hint(file.span().start, "`pid_file` is there and `command` is not", "systemd knows the process of a unit");
        }
        said(report, "pid_file", file, &OF_HOST);
        if !file.get_ref().starts_with('/') {
            report.hint(file.span().start, "`pid_file` begins with no `/`", "it is on the host: write the whole path");
        }
    }
}

/// A name of a unit that is a service.
fn unit(report: &mut Report<'_>, unit: &Spanned<String>) {
    let plain = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    let name = unit.get_ref();
    // systemd.unit(5): the name's characters, its length, and a suffix that says what it is.
    if name.is_empty() || name.len() > 255 || !name.chars().all(plain) || name.starts_with('-') {
        report.hint(unit.span().start, format!("`{name}` is no name of a unit"), "such as `unit = \"app.service\"`");
    } else if !name.ends_with(".service") {
        report.hint(unit.span().start, format!("`{name}` is no service"), format!("the whole name, such as `{name}.service`"));
    }
}

fn logs(report: &mut Report<'_>, logs: &Spanned<RawLogs>) {
    let (table, l) = (logs.span().start, logs.get_ref());
    one_of(report, table, "`logs`", &[("unit", at(&l.unit)), ("file", at(&l.file))]);
    if let Some(name) = &l.unit {
        unit(report, name);
    }
    if let Some(file) = &l.file {
        said(report, "file", file, &OF_HOST);
        if !file.get_ref().starts_with('/') {
            report.hint(file.span().start, "`file` begins with no `/`", "it is on the host: write the whole path");
        }
    }
}

fn health(report: &mut Report<'_>, health: &Spanned<RawHealth>) {
    let (table, h) = (health.span().start, health.get_ref());
    one_of(report, table, "`health`", &[("http", at(&h.http)), ("command", of_words(&h.command))]);
    if let Some(url) = &h.http {
        known(report, url.span().start, url.get_ref(), &OF_HOST);
        // What stands for a host or a site is a name: the rest is judged with one in its place.
        let sample = Spanned::new(url.span(), url.get_ref().replace("$host", "host").replace("$site", "site"));
        address(report, &sample, true);
    }
    for (key, place) in [("status", h.status.as_ref().map(|s| s.span().start)), ("body", at(&h.body))] {
        if let (None, Some(place)) = (&h.http, place) {
            report.hint(place, format!("`{key}` is there and `http` is not"), "a command says by its exit code that the host is well");
        }
    }
    status(report, &h.status);
    if let Some(body) = &h.body {
        said(report, "body", body, &[]);
    }
    command(report, "command", &h.command, &OF_HOST);
    between(report, "times", &h.times, 1, 100);
    let (second, hour) = (SignedDuration::from_secs(1), SignedDuration::from_hours(1));
    within(report, "every", &h.every, SignedDuration::from_millis(100), SignedDuration::from_mins(1));
    within(report, "within", &h.within, second, hour);
    if let Some(health) = super::super::operations::health(h)
        && (1..=100).contains(&health.times)
        && health.every <= SignedDuration::from_mins(1)
        && health.every.saturating_mul(i32::try_from(health.times.saturating_sub(1)).unwrap_or(i32::MAX)) > health.within
    {
        let place = h.within.as_ref().map_or(table, |w| w.span().start);
        report.hint(place, "`within` is shorter than `times` answers take", "a longer `within`, fewer `times` or a shorter `every`");
    }
}

fn rollback(report: &mut Report<'_>, r: &RawRollback) {
    between(report, "batch", &r.batch, 1, 1_000);
    within(report, "guard", &r.guard, SignedDuration::from_secs(10), SignedDuration::from_hours(2));
    let mut seen = HashSet::new();
    for (key, steps) in [("before", &r.before), ("after", &r.after)] {
        own(report, key, steps, &mut seen);
    }
}

fn own<'r>(report: &mut Report<'_>, key: &str, steps: &'r Steps, seen: &mut HashSet<&'r str>) {
    let Some(steps) = steps else { return };
    if steps.get_ref().len() > STEPS {
        report.at(steps.span().start, format!("`{key}` has more than {STEPS} steps"));
    }
    for step in steps.get_ref() {
        let (table, step) = (step.span().start, step.get_ref());
        match &step.name {
            None if report.lost(table, "name") || report.lost_within(table) => {}
            None => report.hint(table, "`name` is missing in this step", "such as `name = \"maintenance-page\"`"),
            Some(name) => {
                let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
                let text = name.get_ref();
                if text.is_empty() || text.len() > 64 || !text.chars().all(plain) || !text.starts_with(|c: char| c.is_ascii_alphanumeric())
                {
                    let hint = "letters, digits and `-_.`: it becomes a part of the step's name and of a file's";
                    report.hint(name.span().start, "`name` is no name of a step", hint);
                } else if !seen.insert(text) {
                    report.at(name.span().start, format!("there are two steps named `{text}` in this rollback"));
                }
            }
        }
        one_step(report, table, step);
    }
}

fn one_step(report: &mut Report<'_>, table: usize, step: &RawOwnStep) {
    let http = step.http.as_ref().map(|http| http.span().start);
    let keys = [("command", of_words(&step.command)), ("http", http), ("manual", at(&step.manual))];
    one_of(report, table, "a step", &keys);
    command(report, "command", &step.command, &OF_ROLLBACK);
    if let (Some(host), None) = (&step.host, &step.command) {
        report.hint(host.span().start, "`host` is there and `command` is not", "only a command is run on a host");
    }
    if let Some(http) = &step.http {
        request(report, http);
    }
    if let Some(manual) = &step.manual {
        said(report, "manual", manual, &OF_ROLLBACK);
    }
    within(report, "timeout", &step.timeout, SignedDuration::from_secs(1), SignedDuration::from_hours(24));
    if let Some(undo) = &step.undo {
        self::undo(report, undo);
        if let Some(point) = step.point_of_no_return.as_ref().filter(|point| *point.get_ref()) {
            let hint = "nothing is taken back from such a step on: leave one of the two out";
            report.hint(point.span().start, "`point_of_no_return` and `undo` are both given", hint);
        }
    }
}

fn undo(report: &mut Report<'_>, undo: &Spanned<RawUndo>) {
    let (table, u) = (undo.span().start, undo.get_ref());
    let http = u.http.as_ref().map(|http| http.span().start);
    one_of(report, table, "`undo`", &[("command", of_words(&u.command)), ("http", http), ("manual", at(&u.manual))]);
    command(report, "command", &u.command, &OF_ROLLBACK);
    if let Some(http) = &u.http {
        request(report, http);
    }
    if let Some(manual) = &u.manual {
        said(report, "manual", manual, &OF_ROLLBACK);
    }
}

fn request(report: &mut Report<'_>, http: &Spanned<RawOwnHttp>) {
    let (table, h) = (http.span().start, http.get_ref());
    if let Some(method) = h.method.as_ref().filter(|method| !METHODS.contains(&method.get_ref().as_str())) {
        report.choice(method.span().start, format!("`{}` is no method of a step", method.get_ref()), method.get_ref(), &METHODS);
    }
    match &h.url {
        None if report.lost(table, "url") || report.lost_within(table) => {}
        None => report.hint(table, "`url` is missing in this request", "such as `url = \"https://status.example/api/maintenance\"`"),
        Some(url) => {
            known(report, url.span().start, url.get_ref(), &OF_ROLLBACK);
            address(report, url, true);
        }
    }
    if let Some(body) = &h.body {
        let (at, text) = (body.span().start, body.get_ref());
        if text.len() > 64 << 10 {
            report.at(at, "`body` is longer than 64 KiB");
        } else if text.chars().any(|c| is_hostile(c) && !matches!(c, '\n' | '\r' | '\t')) {
            report.at(at, "`body` holds a control, invisible or direction-changing character");
        }
        known(report, at, text, &OF_ROLLBACK);
    }
    status(report, &h.status);
}

fn status(report: &mut Report<'_>, key: &Key<i64>) {
    if let Some(status) = key.as_ref().filter(|s| !(100..=599).contains(s.get_ref())) {
        report.at(status.span().start, format!("{} is no HTTP status: 100 to 599", status.get_ref()));
    }
}

fn between(report: &mut Report<'_>, key: &str, value: &Key<i64>, least: i64, most: i64) {
    if let Some(value) = value.as_ref().filter(|value| !(least..=most).contains(value.get_ref())) {
        report.at(value.span().start, format!("`{key}` is {}: {least} to {most}", value.get_ref()));
    }
}

/// A program with its arguments, all of which can be shown, with words that stand for something.
fn command(report: &mut Report<'_>, key: &str, command: &Words, stand: &[&str]) {
    let Some(command) = command else { return };
    let words = command.get_ref();
    match words.first() {
        None if report.lost_within(command.span().start) => {}
        None => report.hint(command.span().start, format!("`{key}` is empty"), "the program and its arguments, each a text of its own"),
        Some(program) if words.len() == 1 && program.get_ref().trim().contains(' ') => {
            let split: Vec<String> = program.get_ref().split_whitespace().map(|w| format!("\"{w}\"")).collect();
            let hint = format!("no shell splits it: `{key} = [{}]`", split.join(", "));
            report.hint(program.span().start, format!("`{key}` is one word with spaces in it"), hint);
        }
        Some(_) => {}
    }
    for word in words {
        said(report, key, word, stand);
    }
}

/// A text that is there, can be shown and has an end. An argument must not be empty: not every `xargs` carries one.
fn said(report: &mut Report<'_>, key: &str, word: &Spanned<String>, stand: &[&str]) {
    let (at, text) = (word.span().start, word.get_ref());
    if text.trim().is_empty() {
        report.at(at, format!("a text of `{key}` is empty"));
    } else if text.len() > LONGEST {
        report.at(at, format!("a text of `{key}` is longer than {LONGEST} bytes"));
    } else if text.chars().any(is_hostile) {
        report.at(at, format!("`{key}` holds a control, invisible or direction-changing character"));
    }
    known(report, at, text, stand);
}

/// No `$word` stands for nothing.
fn known(report: &mut Report<'_>, at: usize, text: &str, stand: &[&str]) {
    let Some(word) = unknown_word(text, stand) else { return };
    let hint = match stand {
        [] => "nothing is put in here".to_owned(),
        _ => format!(
            "here there are {}; a variable of a shell is written `${{{word}}}`",
            stand.iter().map(|word| format!("`${word}`")).collect::<Vec<_>>().join(" and ")
        ),
    };
    report.hint(at, format!("`${word}` stands for nothing here"), hint);
}

fn at(key: &Key<String>) -> Option<usize> {
    key.as_ref().map(|key| key.span().start)
}

fn of_words(words: &Words) -> Option<usize> {
    words.as_ref().map(|words| words.span().start)
}

#[cfg(test)]
mod tests;
