//! `qd keys`: what every key does in every layer, and the actions without a key.

use std::io::Write;

use serde::Serialize;

use crate::app::action::{ACTIONS, Action, Entry};
use crate::app::keymap::Keymap;
use crate::app::layer::Scope;
use crate::model::preferences::Binding;

use super::args::Output;
use super::failure::Failure;
use super::settings::{self, Settings};
use super::{OK, columns};

/// What one or several keys of one layer do.
#[derive(Debug, PartialEq, Serialize)]
struct Row<'a> {
    layer: &'a str,
    keys: Vec<&'a str>,
    action: &'static str,
    text: &'a str,
    /// True where the person's own keymap says so.
    own: bool,
}

/// An action without a key.
#[derive(Debug, PartialEq, Serialize)]
struct Keyless {
    action: &'static str,
    text: &'static str,
}

/// All of it.
#[derive(Debug, Serialize)]
struct Keys<'a> {
    keys: Vec<Row<'a>>,
    without_key: Vec<Keyless>,
}

/// Prints all layers' keys, then the actions without one.
pub fn run(settings: &Settings<'_>, out: &mut dyn Write) -> Result<u8, Failure> {
    let (default, own) = settings.bindings()?;
    // For its judgement only: a keymap with problems is told, not listed.
    Keymap::compile(&default, &own).map_err(Failure::Problems)?;
    let keys = collect(&default, &own);
    match settings.global.output {
        Output::Json => settings::json(&keys, out)?,
        Output::Table | Output::Csv => table(&keys, out)?,
    }
    Ok(OK)
}

fn collect<'a>(default: &'a [Binding], own: &'a [Binding]) -> Keys<'a> {
    let same = |a: &Binding, b: &Binding| a.layer == b.layer && a.on == b.on;
    let kept = default.iter().filter(|d| !own.iter().any(|o| same(d, o))).map(|b| (b, false));
    let all: Vec<(&Binding, bool)> = kept.chain(own.iter().map(|b| (b, true))).collect();
    let mut keys: Vec<Row<'a>> = Vec::new();
    for (_, layer) in Scope::ALL {
        let first = keys.len();
        for (binding, own) in all.iter().filter(|(b, _)| b.layer == layer) {
            let Some(entry) = Action::named(&binding.run).map(Action::entry) else { continue };
            let text = binding.desc.as_deref().unwrap_or(entry.doc);
            match keys[first..].iter_mut().find(|row| row.action == entry.name && row.text == text && row.own == *own) {
                Some(row) => row.keys.push(&binding.on),
                None => keys.push(Row { layer, keys: vec![&binding.on], action: entry.name, text, own: *own }),
            }
        }
    }
    let bound = |entry: &&Entry| entry.action == Action::Nothing || keys.iter().any(|row| row.action == entry.name);
    let without_key = ACTIONS.iter().filter(|e| !bound(e)).map(|e| Keyless { action: e.name, text: e.doc }).collect();
    Keys { keys, without_key }
}

fn table(all: &Keys<'_>, out: &mut dyn Write) -> std::io::Result<()> {
    for (scope, layer) in Scope::ALL {
        let mut rows: Vec<Vec<String>> = Vec::new();
        for row in all.keys.iter().filter(|row| row.layer == layer) {
            let text = if row.own { format!("{} (yours)", row.text) } else { row.text.to_owned() };
            rows.push(vec![row.keys.join(" "), row.action.into(), text]);
        }
        if rows.is_empty() {
            continue;
        }
        let behind: Vec<&str> = scope.path().iter().skip(1).map(|s| s.name()).collect();
        let behind = if behind.is_empty() { String::new() } else { format!(", then {}", behind.join(", ")) };
        writeln!(out, "{layer}{behind}")?;
        columns::write(out, &rows)?;
        writeln!(out)?;
    }
    if !all.without_key.is_empty() {
        writeln!(out, "without a key: the palette runs them, and your keymap.toml can name them")?;
        columns::write(out, &all.without_key.iter().map(|k| vec![k.action.into(), k.text.into()]).collect::<Vec<_>>())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Outside;
    use super::super::args::Global;
    use super::*;

    fn keys(keymap: &str, output: Output) -> String {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("quarterdeck");
        std::fs::create_dir_all(&own).unwrap();
        std::fs::write(own.join("keymap.toml"), keymap).unwrap();
        let home = folder.path().to_owned();
        let env = move |name: &str| (name == "XDG_CONFIG_HOME").then(|| home.clone().into_os_string());
        let mut out = Vec::new();
        run(&Settings::new(&Global { output, ..Global::default() }, Outside { env: &env, terminal: false }), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_action_is_listed_with_a_key_or_without() {
        let text = keys("", Output::Table);
        for entry in ACTIONS.iter().filter(|e| e.action != Action::Nothing) {
            let listed = text.lines().any(|line| line.split_whitespace().any(|word| word == entry.name));
            assert!(listed, "{} is not listed", entry.name);
        }
        assert!(text.contains("alerts, then list, global\n"), "{text}");
        assert!(!text.contains("(yours)"));
    }

    #[test]
    fn ones_own_keys_are_marked_and_take_the_place_of_the_default() {
        let own = "global = [{ on = \"Q\", run = \"quit\", desc = \"leave\" }, { on = \"T\", run = \"none\" }]\n";
        let text = keys(own, Output::Table);
        assert!(text.lines().any(|l| l.starts_with("  Q ") && l.ends_with("leave (yours)")), "{text}");
        let told: serde_json::Value = serde_json::from_str(&keys(own, Output::Json)).unwrap();
        let rows = told["keys"].as_array().unwrap();
        assert!(rows.iter().any(|r| r["keys"][0] == "T" && r["action"] == "none" && r["own"] == true));
        let keyless: Vec<&str> = told["without_key"].as_array().unwrap().iter().filter_map(|k| k["action"].as_str()).collect();
        assert!(keyless.contains(&"theme") && !keyless.contains(&"quit"), "{keyless:?}");
    }
}
