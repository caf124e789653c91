//! `qd paths`: every file and folder that the program uses.

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;

use crate::config::paths::SYSTEM_ESTATE;

use super::args::Output;
use super::failure::Failure;
use super::settings::{self, Settings};
use super::{OK, columns, log};

/// One path.
#[derive(Serialize)]
struct Row {
    what: &'static str,
    path: Option<PathBuf>,
    exists: bool,
}

/// Prints every path and whether it is there.
pub fn run(settings: &Settings<'_>, out: &mut dyn Write) -> Result<u8, Failure> {
    let paths = &settings.paths;
    let rows = [
        ("estate in use", settings.estate_path().ok()),
        ("your estate", paths.estate()),
        ("this machine's estate", Some(SYSTEM_ESTATE.into())),
        ("preferences", paths.preferences()),
        ("keymap", paths.keymap()),
        ("themes", paths.themes()),
        ("picked theme", paths.theme()),
        ("saved views", paths.views()),
        ("estates by name", paths.estates()),
        ("log", paths.log().map(|folder| log::file(&folder))),
        ("journal", paths.journal()),
        ("runs", paths.runs()),
        ("last known readings", paths.readings()),
    ]
    .map(|(what, path)| Row { what, exists: path.as_ref().is_some_and(|p| p.exists()), path });
    match settings.global.output {
        Output::Json => settings::json(&rows, out)?,
        Output::Table | Output::Csv => {
            let table: Vec<Vec<String>> = rows
                .iter()
                .map(|row| {
                    let path = row.path.as_ref().map_or_else(|| "-".to_owned(), |p| p.display().to_string());
                    vec![row.what.into(), if row.exists { "exists" } else { "none" }.into(), path]
                })
                .collect();
            columns::write(out, &table)?;
            let say = match rows[0].path {
                None => "no estate yet: `qd init` writes yours, `qd demo` opens a practice one",
                // Without a file of its own each has its default.
                Some(_) => "none of the others has to exist; `qd --help` says in which order an estate is looked for",
            };
            writeln!(out, "\n{say}")?;
        }
    }
    Ok(OK)
}

#[cfg(test)]
mod tests {
    use super::super::Outside;
    use super::super::args::Global;
    use super::*;

    #[test]
    fn without_an_estate_it_says_how_to_get_one() {
        // A machine that has an estate of its own is not without.
        if !std::path::Path::new(SYSTEM_ESTATE).exists() {
            let mut out = Vec::new();
            run(&Settings::new(&Global::default(), Outside { env: &|_| None, terminal: false }), &mut out).unwrap();
            assert!(String::from_utf8(out).unwrap().ends_with("`qd demo` opens a practice one\n"));
        }
    }

    #[test]
    fn every_path_is_listed_with_whether_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("quarterdeck/estate.toml");
        std::fs::create_dir_all(own.parent().unwrap()).unwrap();
        std::fs::write(&own, "").unwrap();
        let home = folder.path().to_owned();
        let env = move |name: &str| matches!(name, "XDG_CONFIG_HOME" | "HOME").then(|| home.clone().into_os_string());
        let global = Global { output: Output::Json, ..Global::default() };
        let mut out = Vec::new();
        assert_eq!(run(&Settings::new(&global, Outside { env: &env, terminal: false }), &mut out).unwrap(), OK);
        let rows: Vec<serde_json::Value> = serde_json::from_slice(&out).unwrap();
        assert_eq!(rows[0]["path"], own.to_str().unwrap());
        assert_eq!((rows[1]["exists"].as_bool(), rows[3]["exists"].as_bool()), (Some(true), Some(false)));
        assert!(rows.iter().all(|row| row["path"].is_string()), "{rows:?}");
    }
}
