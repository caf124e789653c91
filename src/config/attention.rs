//! `[attention]` of config.toml: how the console calls for a person, and when it keeps quiet.

use serde::Deserialize;
use toml::Spanned;

use super::raw::{Key, Words};
use super::report::Report;
use crate::model::attention::{Attention, Cause, Hours, Notify};

/// The words of `notify`.
const NOTIFY: [(&str, Notify); 3] = [("off", Notify::Off), ("osc9", Notify::Osc9), ("osc777", Notify::Osc777)];

/// It, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawAttention {
    bell: Option<bool>,
    title: Option<bool>,
    notify: Key<String>,
    command: Words,
    on: Words,
    quiet: Words,
    quiet_critical: Option<bool>,
}

/// What it comes to; what is wrong with it is told to the report.
pub(super) fn attention(report: &mut Report<'_>, raw: Option<RawAttention>) -> Attention {
    let default = Attention::default();
    let Some(raw) = raw else { return default };
    let all = |words: &Words| words.iter().flat_map(|of| of.get_ref().clone()).collect::<Vec<Spanned<String>>>();
    let notify = raw.notify.as_ref().and_then(|word| {
        let found = NOTIFY.iter().find(|(known, _)| known == word.get_ref()).map(|(_, notify)| *notify);
        if found.is_none() {
            let text = word.get_ref();
            report.choice(word.span().start, format!("`{text}` is no notification"), text, &NOTIFY.map(|(known, _)| known));
        }
        found
    });
    let mut on = Vec::new();
    for word in all(&raw.on) {
        match Cause::ALL.into_iter().find(|cause| cause.word() == word.get_ref()) {
            Some(cause) => on.push(cause),
            None => {
                let text = word.get_ref();
                report.choice(word.span().start, format!("nobody is called for `{text}`"), text, &Cause::ALL.map(Cause::word));
            }
        }
    }
    let mut quiet = Vec::new();
    for word in all(&raw.quiet) {
        match Hours::parse(word.get_ref()) {
            Ok(hours) => quiet.push(hours),
            Err(why) => report.at(word.span().start, why),
        }
    }
    let command = all(&raw.command);
    if let Some(given) = raw.command.as_ref().filter(|_| command.first().is_none_or(|first| first.get_ref().is_empty())) {
        report.hint(
            given.span().start,
            "`command` names no program",
            "such as `command = [\"notify-send\", \"Quarterdeck\"]`: the text is added",
        );
    }
    Attention {
        bell: raw.bell.unwrap_or(default.bell),
        title: raw.title.unwrap_or(default.title),
        notify: notify.unwrap_or(default.notify),
        command: command.into_iter().map(Spanned::into_inner).collect(),
        on: if raw.on.is_some() { on } else { default.on },
        quiet,
        quiet_critical: raw.quiet_critical.unwrap_or(default.quiet_critical),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::paths::Paths;
    use crate::config::preferences::{Overrides, preferences};

    fn read(text: &str) -> Result<Attention, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.toml"), text).unwrap();
        let paths = Paths { config: Some(folder.path().to_owned()), ..Paths::default() };
        let told = |p: crate::model::problem::Problem| format!("{}:{} {}", p.place.line, p.place.column, p.what);
        let found = preferences(&paths, &|_| None, &Overrides::default());
        found.map(|found| found.attention).map_err(|all| all.into_iter().map(told).collect())
    }

    #[test]
    fn every_key_is_read_and_each_has_its_default() {
        assert_eq!(read("").unwrap(), Attention::default());
        let all = "[attention]\nbell = false\ntitle = true\nnotify = 'osc777'\ncommand = ['notify-send', 'Quarterdeck']\n\
                   on = ['critical', 'ended']\nquiet = ['22:00-06:00']\nquiet_critical = false\n";
        let expected = Attention {
            bell: false,
            title: true,
            notify: Notify::Osc777,
            command: vec!["notify-send".into(), "Quarterdeck".into()],
            on: vec![Cause::Critical, Cause::Ended],
            quiet: vec![Hours::parse("22:00-06:00").unwrap()],
            quiet_critical: false,
        };
        assert_eq!(read(all).unwrap(), expected);
        assert_eq!(read("[attention]\non = []\n").unwrap().on, []);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let text = "[attention]\nnotify = 'osc8'\ncommand = []\non = ['critcal']\nquiet = ['22-6']\nbel = true\n";
        assert_eq!(
            read(text).unwrap_err(),
            [
                "2:10 `osc8` is no notification",
                "3:11 `command` names no program",
                "4:7 nobody is called for `critcal`",
                "5:10 `22-6` is no part of a day: write it as `22:00-06:00`",
                "6:1 unknown key `bel`",
            ]
        );
    }
}
