//! `qd check`: is an estate file right?

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::config;
use crate::model::backup::{Advice, advice};
use crate::model::problem::Problem;

use super::args::Output;
use super::failure::{Failure, counted};
use super::settings::{self, Settings};
use super::{FAILED, OK};

/// One problem, as JSON tells it.
#[derive(Serialize)]
struct Told<'a> {
    file: String,
    line: usize,
    column: usize,
    what: &'a str,
    hint: Option<&'a str>,
    /// True where the file can be used all the same: it does not change the exit code.
    warning: bool,
}

/// Prints every problem of the file; exits 0 without any and 1 with some.
pub fn run(settings: &Settings<'_>, estate: Option<&Path>, out: &mut dyn Write) -> Result<u8, Failure> {
    let path = match estate {
        Some(path) => path.to_owned(),
        None => settings.estate_path()?,
    };
    let checked = config::load::estate(&path);
    let problems: &[Problem] = checked.as_ref().err().map_or(&[], Vec::as_slice);
    match (settings.global.output, &checked) {
        (Output::Json, _) => json(&path, problems, &checked.as_ref().map_or(Vec::new(), advice), out)?,
        (Output::Table | Output::Csv, Err(problems)) => {
            for problem in problems {
                writeln!(out, "{problem}\n")?;
            }
            writeln!(out, "{}: {}", path.display(), counted(problems.len()))?;
        }
        (Output::Table | Output::Csv, Ok(estate)) => {
            for advice in advice(estate) {
                writeln!(out, "{}: warning: {}: {}\n", path.display(), advice.source, advice.what)?;
            }
            writeln!(
                out,
                "{}: ok: {} {}: sites {}, services {}, sources {}, panels {}",
                path.display(),
                estate.name,
                estate.environment,
                estate.sites.len(),
                estate.services.len(),
                estate.sources.len(),
                estate.panels.len(),
            )?
        }
    }
    Ok(if problems.is_empty() { OK } else { FAILED })
}

fn json(path: &Path, problems: &[Problem], advice: &[Advice], out: &mut dyn Write) -> Result<(), Failure> {
    let mut told: Vec<Told<'_>> = problems
        .iter()
        .map(|p| Told {
            file: p.place.file.display().to_string(),
            line: p.place.line,
            column: p.place.column,
            what: &p.what,
            hint: p.hint.as_deref(),
            warning: false,
        })
        .collect();
    let whole: Vec<String> = advice.iter().map(|advice| format!("{}: {}", advice.source, advice.what)).collect();
    told.extend(whole.iter().map(|what| Told { file: path.display().to_string(), line: 1, column: 1, what, hint: None, warning: true }));
    settings::json(&told, out)
}

#[cfg(test)]
mod tests {
    use super::super::Outside;
    use super::super::args::Global;
    use super::*;

    const NOWHERE: Outside<'static> = Outside { env: &|_| None, terminal: false };

    fn check(text: &str, output: Output) -> (u8, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("estate.toml");
        std::fs::write(&path, text).unwrap();
        let mut out = Vec::new();
        let global = Global { output, ..Global::default() };
        let code = run(&Settings::new(&global, NOWHERE), Some(&path), &mut out).unwrap();
        (code, String::from_utf8(out).unwrap().replace(&folder.path().display().to_string(), "DIR"))
    }

    const BROKEN: &str = "version = 1\n\n[estate]\nnmae = \"shop\"\nenvironment = \"test\"\n\n\
        [[source]]\nname = \"prom\"\nkind = \"prometeus\"\nurl = \"http://localhost:9090\"\n";

    #[test]
    fn every_problem_of_a_broken_file_is_told_with_its_place() {
        let (code, text) = check(BROKEN, Output::Table);
        assert_eq!(code, FAILED);
        assert!(text.contains("DIR/estate.toml:4:1: "), "{text}");
        assert!(text.contains("DIR/estate.toml:9:8: "), "{text}");
        assert!(text.contains("nmae = \"shop\"\n") && text.contains("did you mean `prometheus`?"), "{text}");
        assert!(text.ends_with("problems\n"), "{text}");
    }

    #[test]
    fn json_is_an_array_empty_where_all_is_well() {
        let (code, text) = check(BROKEN, Output::Json);
        let told: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(code, FAILED);
        assert!(told.iter().any(|p| p["line"] == 9 && p["column"] == 8 && p["hint"].is_string()), "{text}");
        let well = "version = 1\n[estate]\nname = \"s\"\nenvironment = \"t\"\n\
            [[source]]\nname = \"p\"\nkind = \"prometheus\"\nurl = \"http://localhost:9090\"\n";
        assert_eq!(check(well, Output::Json), (OK, "[]\n".into()));
        let (code, text) = check(well, Output::Table);
        assert_eq!((code, text.as_str()), (OK, "DIR/estate.toml: ok: s t: sites 0, services 0, sources 1, panels 0\n"));
    }

    #[test]
    fn a_schedule_that_can_never_meet_its_objective_is_a_warning_with_the_figure() {
        let text = "version = 1\n[estate]\nname = \"s\"\nenvironment = \"t\"\n[[service]]\nname = \"docs\"\n\
            [[backup]]\nname = \"hourly\"\nkind = \"directory\"\nfolder = \"/b\"\nservice = \"docs\"\nschedule = \"1h\"\ntakes = \"15m\"\n\
            [[objective]]\nservice = \"docs\"\nrpo = \"1h\"\n";
        let (code, told) = check(text, Output::Table);
        assert_eq!(code, OK);
        assert!(told.starts_with("DIR/estate.toml: warning: hourly: at worst 1h 15m would be lost ("), "{told}");
        let (code, told) = check(text, Output::Json);
        let told: Vec<serde_json::Value> = serde_json::from_str(&told).unwrap();
        assert_eq!((code, told.len(), &told[0]["warning"]), (OK, 1, &serde_json::Value::Bool(true)));
        assert!(told[0]["what"].as_str().unwrap().contains("can never meet the objective of 1h"), "{told:?}");
    }

    #[test]
    fn the_examples_are_right_and_name_what_they_cannot_say_yet() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        let mut names: Vec<String> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["gov-cloud", "legal-rag", "licensing-portal", "opmas", "plain", "storefront", "vps-django"]);
        for name in names {
            let path = folder.join(&name).join("estate.toml");
            let mut out = Vec::new();
            let code = run(&Settings::new(&Global::default(), NOWHERE), Some(&path), &mut out).unwrap();
            assert_eq!(code, OK, "{}", String::from_utf8_lossy(&out));
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(text.contains("\n# Still to come: "), !["plain", "storefront"].contains(&name.as_str()), "{name}");
        }
    }
}
