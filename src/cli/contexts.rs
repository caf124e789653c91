//! `--context NAME` and `qd contexts`: several estates, each by a name.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::app::contexts::{Contexts, Known, Looked};
use crate::app::views::Views;
use crate::config::contexts::{all, is_same, named};
use crate::config::load;
use crate::config::paths::Paths;
use crate::config::preferences::{Overrides, preferences};
use crate::journal::{self, Hand};
use crate::model::environment::{Care, care};
use crate::model::preferences::{Context, Preferences, ThemeBy};
use crate::model::problem::Problem;
use crate::model::run::advice::quoted;
use crate::model::text::{NOTE_CAP, clean};
use crate::session::Options;
use crate::session::clipboard::Clipboard;
use crate::session::contexts::{Files, Opening};

use super::args::{Global, Output};
use super::failure::{Failure, counted};
use super::settings::{self, Settings, Terminal, look, practice};
use super::{OK, Outside, columns};

/// What the command line said before a context was taken into it: another context is opened with that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// `--theme`.
    pub theme: Option<String>,
    /// `--read-only`.
    pub read_only: bool,
}

/// The flags, with what the context that they name stands for.
pub fn chosen(global: &Global, outside: Outside<'_>) -> Result<Global, Failure> {
    let said = Said { theme: global.theme.clone(), read_only: global.read_only };
    let Some(name) = &global.context else { return Ok(Global { said, ..global.clone() }) };
    if global.estate.is_some() {
        return Err(Failure::Usage("--context and --estate both name an estate: give one of them".to_owned()));
    }
    let paths = Paths::find(outside.env);
    let known = all(&paths, &preferences(&paths, outside.env, &Overrides::default()).map_err(Failure::Problems)?);
    let context = named(&known, name).map_err(|problem| {
        let hint = problem.hint.map_or_else(String::new, |hint| format!(": {hint}"));
        Failure::Usage(format!("--context: {}{hint}", problem.what))
    })?;
    Ok(Global {
        estate: Some(context.estate),
        theme: global.theme.clone().or(context.theme),
        read_only: global.read_only || context.read_only,
        said,
        ..global.clone()
    })
}

/// One of them.
#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    file: &'a Path,
    /// What its file calls the estate.
    estate: Option<String>,
    environment: Option<String>,
    /// True where the environment is production, or nobody can tell.
    production: Option<bool>,
    read_only: bool,
    theme: Option<&'a str>,
    /// True of the one that opens with these flags.
    opens: bool,
    /// Why it cannot be used.
    error: Option<String>,
}

/// Lists them. Each file is read.
pub fn run(settings: &Settings<'_>, out: &mut dyn Write) -> Result<u8, Failure> {
    let known = all(&settings.paths, &settings.preferences()?);
    let opens = settings.estate_path().ok();
    let rows: Vec<Row<'_>> = known
        .iter()
        .map(|context| {
            let (looked, error) = match look_at(&context.estate) {
                Ok(looked) => (Some(looked), None),
                Err(why) => (None, Some(why)),
            };
            Row {
                name: &context.name,
                file: &context.estate,
                production: looked.as_ref().map(|looked| care(&looked.environment) != Care::Other),
                estate: looked.as_ref().map(|looked| looked.estate.clone()),
                environment: looked.map(|looked| looked.environment),
                read_only: context.read_only,
                theme: context.theme.as_deref(),
                opens: opens.as_ref().is_some_and(|opens| is_same(opens, &context.estate)),
                error,
            }
        })
        .collect();
    match settings.global.output {
        Output::Json => settings::json(&rows, out)?,
        Output::Table | Output::Csv => table(settings, &rows, out)?,
    }
    Ok(OK)
}

fn table(settings: &Settings<'_>, rows: &[Row<'_>], out: &mut dyn Write) -> Result<(), Failure> {
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let environment = match &row.environment {
                Some(environment) => crate::model::environment::shown(environment).0,
                None => "cannot be read".to_owned(),
            };
            let mark = if row.opens { "*" } else { " " };
            let read_only = if row.read_only { "read only" } else { "" };
            let what = row.error.clone().unwrap_or_else(|| row.file.display().to_string());
            vec![mark.to_owned(), row.name.to_owned(), environment, read_only.to_owned(), what]
        })
        .collect();
    columns::write(out, &lines)?;
    match (rows.is_empty(), settings.paths.preferences()) {
        (true, Some(file)) => {
            let folder = settings.paths.estates().unwrap_or_default();
            writeln!(out, "No estate has a name. List them in {}:\n", file.display())?;
            writeln!(out, "  [[context]]\n  name = \"shop\"\n  estate = \"shop.toml\"\n")?;
            writeln!(out, "or put their files into {}", folder.display())?;
        }
        (true, None) => writeln!(out, "No estate has a name, and there is no folder for your own files: set HOME or XDG_CONFIG_HOME")?,
        (false, _) if rows.iter().any(|row| row.opens) => writeln!(out, "\n`qd --context NAME` opens one; * opens where nothing is said")?,
        (false, _) => writeln!(out, "\n`qd --context NAME` opens one; none opens where nothing is said")?,
    }
    Ok(())
}

/// What a file says of itself; else why it cannot be used, in one line.
fn look_at(file: &Path) -> Result<Looked, String> {
    let estate = load::estate(file).map_err(|problems| match problems.as_slice() {
        [one] => told(one),
        all => format!("{}: `qd check {}` tells all", counted(all.len()), file.display()),
    })?;
    Ok(Looked { estate: estate.name, environment: estate.environment })
}

fn told(problem: &Problem) -> String {
    let place = &problem.place;
    clean(&format!("{}:{}:{}: {}", place.file.display(), place.line, place.column, problem.what), NOTE_CAP).into_owned()
}

/// The estates that a console can open, and what each is opened with.
pub struct Shelf {
    all: Vec<Context>,
    paths: Paths,
    /// What the console was opened on first: a practice estate has a cache of its own.
    first: (PathBuf, Paths, Option<String>),
    preferences: Preferences,
    colours: bool,
    said: Said,
    hand: Hand,
    clipboard: Clipboard,
    views: Views,
    /// What the environment says of the terminal.
    terminal: Terminal,
}

impl Shelf {
    /// Those of this console. The estate that it is opened on is among them, whatever file that is.
    pub fn of(settings: &Settings<'_>, estate: &crate::model::estate::Estate, colours: bool) -> Result<Shelf, Failure> {
        // Without the flags: they hold for all, a context's own wishes only for it.
        let preferences = preferences(
            &settings.paths,
            settings.outside.env,
            &Overrides { theme: settings.global.said.theme.clone(), ..settings.overrides() },
        );
        let preferences = preferences.map_err(Failure::Problems)?;
        let (clipboard, views) = (Clipboard::of(preferences.clipboard, settings.outside.env), settings.views(&preferences));
        let mut all = all(&settings.paths, &preferences);
        if !all.iter().any(|known| is_same(&known.estate, &estate.path)) {
            let free = |name: &str| all.iter().all(|known| known.name != name);
            let names = [estate.name.clone(), format!("{} (opened first)", estate.name)];
            let name = names.into_iter().find(|name| free(name)).unwrap_or_else(|| "(opened first)".to_owned());
            all.insert(0, Context { name, estate: estate.path.clone(), ..Context::default() });
        }
        Ok(Shelf {
            all,
            paths: Paths::find(settings.outside.env),
            first: (estate.path.clone(), settings.paths.clone(), settings.named()),
            preferences,
            colours,
            said: settings.global.said.clone(),
            hand: settings.hand(Some(estate)),
            clipboard,
            views,
            terminal: settings.terminal(),
        })
    }

    /// As a console knows them, with the open one marked. What the files say is not looked up.
    pub fn contexts(&self, open: &Path) -> Contexts {
        let known = |context: &Context| Known {
            name: clean(&context.name, NOTE_CAP).into_owned(),
            file: clean(&context.estate.display().to_string(), NOTE_CAP).into_owned(),
            read_only: context.read_only || self.said.read_only,
            looked: None,
        };
        let open = self.all.iter().position(|context| is_same(&context.estate, open));
        Contexts { all: self.all.iter().map(known).collect(), open }
    }
}

impl Files for Shelf {
    fn look(&self) -> Vec<(String, Result<Looked, String>)> {
        self.all.iter().map(|context| (context.name.clone(), look_at(&context.estate))).collect()
    }

    fn open(&self, name: &str) -> Result<Opening, Vec<String>> {
        let lines = |problems: Vec<Problem>| problems.iter().map(told).collect::<Vec<_>>();
        let context = named(&self.all, name).map_err(|problem| vec![problem.what])?;
        let estate = load::estate(&context.estate).map_err(lines)?;
        let is_first = is_same(&context.estate, &self.first.0);
        let paths = if is_first { self.first.1.clone() } else { Paths { records: practice(&context.estate), ..self.paths.clone() } };
        let mut preferences = self.preferences.clone();
        if let Some(theme) = context.theme.filter(|_| self.said.theme.is_none()) {
            (preferences.theme, preferences.theme_by) = (Some(theme), ThemeBy::Context);
        }
        let look = look(&self.paths, self.terminal, &preferences, self.colours).map_err(|failure| match failure {
            Failure::Problems(problems) => lines(problems),
            other => vec![other.to_string()],
        })?;
        let typed = std::path::absolute(&context.estate).ok().and_then(|path| path.to_str().map(quoted));
        let named = if is_first { self.first.2.clone() } else { typed };
        let digest = std::fs::read(&estate.path).ok().map(|bytes| journal::digest(&bytes));
        let options = Options {
            read_only: context.read_only || self.said.read_only,
            practice: false,
            cache: paths.readings(),
            exports: paths.exports(),
            queries: paths.queries(),
            filter: String::new(),
            journal: paths.journal(),
            hand: Hand { estate: digest, ..self.hand.clone() },
            start_pane: crate::app::layer::Pane::Overview,
            clipboard: self.clipboard,
            mouse: self.preferences.mouse,
            attention: self.preferences.attention.clone(),
            range: None,
            views: self.views.clone(),
            view: None,
        };
        let contexts = self.contexts(&context.estate);
        Ok(Opening { estate: Arc::new(estate), look, identity: settings::identity(named), options, contexts })
    }
}

#[cfg(test)]
mod tests {
    use super::super::run as qd;
    use super::super::{FAILED, USAGE};
    use super::*;
    use std::ffi::OsString;

    const ESTATE: &str = "version = 1\n[estate]\nname = 'NAME'\nenvironment = 'ENV'\n[[source]]\nname = 'a'\nkind = 'alertmanager'\nurls = ['http://127.0.0.1:9']\n";

    fn home() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("quarterdeck");
        std::fs::create_dir_all(folder.join("estates")).unwrap();
        std::fs::write(folder.join("config.toml"), "[[context]]\nname = 'shop'\nestate = 'shop.toml'\nread_only = true\n").unwrap();
        let write = |file: &str, name: &str, env: &str| {
            std::fs::write(folder.join(file), ESTATE.replace("NAME", name).replace("ENV", env)).unwrap();
        };
        write("shop.toml", "storefront", "prod-eu");
        write("estates/trial.toml", "trial", "staging");
        write("estates/who.toml", "who", "emea");
        std::fs::write(folder.join("estates/bad.toml"), "version = 1\n").unwrap();
        home
    }

    fn told(home: &Path, args: &[&str]) -> (u8, String, String) {
        let env = |name: &str| (name == "XDG_CONFIG_HOME").then(|| OsString::from(home));
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = std::iter::once("qd").chain(args.iter().copied()).map(OsString::from);
        let code = qd(args, Outside { env: &env, terminal: false }, &mut out, &mut err);
        (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn every_estate_with_a_name_is_listed_with_its_environment_and_whether_it_can_be_read() {
        let home = home();
        let (code, json, _) = told(home.path(), &["contexts", "-o", "json"]);
        let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
        let row = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap().clone();
        assert_eq!(code, OK);
        assert_eq!((row("shop")["production"].as_bool(), row("shop")["read_only"].as_bool()), (Some(true), Some(true)));
        assert_eq!(row("trial")["production"].as_bool(), Some(false));
        assert_eq!(row("who")["production"].as_bool(), Some(true), "what nobody can tell is not called safe");
        assert!(row("bad")["error"].is_string() && row("bad")["environment"].is_null());
        let (_, table, _) = told(home.path(), &["contexts", "--context", "trial"]);
        for part in ["PRODUCTION (prod-eu)", "emea?", "cannot be read", "* trial", "read only"] {
            assert!(table.contains(part) || table.contains(&part.replace("* ", "*  ")), "{part}: {table}");
        }
    }

    #[test]
    fn without_a_default_estate_the_names_are_told_and_nothing_is_called_open() {
        let home = home();
        let (code, out, err) = told(home.path(), &["status"]);
        assert_eq!((code, out.as_str()), (USAGE, ""));
        assert!(err.contains("qd --context shop\n") && err.contains("qd contexts") && !err.contains("qd demo"), "{err}");
        let (_, table, _) = told(home.path(), &["contexts"]);
        assert!(table.contains("none opens where nothing is said") && !table.contains('*'), "{table}");
    }

    #[test]
    fn a_context_is_an_estate_for_every_command_and_clashes_with_a_file() {
        let home = home();
        let (code, out, err) = told(home.path(), &["check", "--context", "trial"]);
        assert_eq!(code, OK, "{out}{err}");
        assert_eq!(told(home.path(), &["--context", "bad", "check"]).0, FAILED);
        for args in [&["--context", "shop", "--estate", "x.toml", "status"][..], &["status", "--context", "nowhere"], &["--context"]] {
            assert_eq!(told(home.path(), args).0, USAGE, "{args:?}");
        }
        let (_, _, err) = told(home.path(), &["status", "--context", "shpo"]);
        assert!(err.contains("there is no context `shpo`: did you mean `shop`?"), "{err}");
    }
}
