//! What a subcommand runs with: the estate, the preferences and what follows from them.

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use serde::Serialize;
use tracing_appender::non_blocking::WorkerGuard;

use crate::app::keymap::Keymap;
use crate::app::state::{Identity, Look};
use crate::config::paths::Paths;
use crate::config::preferences::{Overrides, preferences};
use crate::config::{keymap, load, theme};
use crate::journal::{self, Hand};
use crate::model::estate::Estate;
use crate::model::preferences::{Binding, ColorChoice, Preferences};
use crate::model::run::advice::quoted;
use crate::model::text::{LABEL_CAP, clean};

use super::args::Global;
use super::failure::Failure;
use super::{Outside, log};

/// What a subcommand runs with. Files are read when they are asked for, not before.
pub struct Settings<'a> {
    /// The flags.
    pub global: &'a Global,
    /// The process around it.
    pub outside: Outside<'a>,
    /// The folders.
    pub paths: Paths,
}

impl<'a> Settings<'a> {
    /// The settings of these flags in this environment.
    pub fn new(global: &'a Global, outside: Outside<'a>) -> Settings<'a> {
        let mut paths = Paths::find(outside.env);
        // What is done in practice is kept apart from what was done in earnest, whoever asks for it.
        let estate = paths.find_estate(global.estate.as_deref(), outside.env).ok();
        paths.records = estate.and_then(|estate| practice(&estate));
        Settings { global, outside, paths }
    }

    /// The estate file that the command line named, as a shell takes it: without it the same command would be about
    /// another estate.
    pub fn named(&self) -> Option<String> {
        let estate = std::path::absolute(self.global.estate.as_ref()?).ok()?;
        Some(quoted(estate.to_str()?))
    }

    /// A text in which the commands are as they must be typed.
    pub fn typed(&self, text: &str) -> String {
        self.named().map_or_else(|| text.to_owned(), |estate| text.replace("`qd ", &format!("`qd --estate {estate} ")))
    }

    /// The estate file to read.
    pub fn estate_path(&self) -> Result<PathBuf, Failure> {
        self.paths.find_estate(self.global.estate.as_deref(), self.outside.env).map_err(Failure::NoEstate)
    }

    /// The estate.
    pub fn estate(&self) -> Result<Estate, Failure> {
        load::estate(&self.estate_path()?).map_err(Failure::Problems)
    }

    /// What the person prefers: files, then variables, then flags.
    pub fn preferences(&self) -> Result<Preferences, Failure> {
        preferences(&self.paths, self.outside.env, &self.overrides()).map_err(Failure::Problems)
    }

    /// What the flags prefer.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            theme: self.global.theme.clone(),
            zone: None,
            ascii: self.global.ascii.then_some(true),
            color: self.global.color.map(ColorChoice::from),
        }
    }

    /// How the console looks, with colours or without.
    pub fn look(&self, preferences: &Preferences, colours: bool) -> Result<Look, Failure> {
        look(self.paths.themes().as_deref(), preferences, colours)
    }

    /// The default bindings and the person's own.
    pub fn bindings(&self) -> Result<(Vec<Binding>, Vec<Binding>), Failure> {
        Ok((keymap::default_bindings().map_err(Failure::Problems)?, self.preferences()?.bindings))
    }

    /// Who writes to the journal, about that estate.
    pub fn hand(&self, estate: Option<&Estate>) -> Hand {
        let estate = estate.and_then(|estate| std::fs::read(&estate.path).ok()).map(|bytes| journal::digest(&bytes));
        Hand { actor: journal::actor(self.outside.env), version: env!("CARGO_PKG_VERSION").to_owned(), estate }
    }

    /// What the keys do.
    pub fn keymap(&self, preferences: &Preferences) -> Result<Keymap, Failure> {
        let default = keymap::default_bindings().map_err(Failure::Problems)?;
        Keymap::compile(&default, &preferences.bindings).map_err(Failure::Problems)
    }

    /// Starts the log, where there is a folder for it. What was logged last is written when the guard is dropped.
    pub fn log(&self, err: &mut dyn Write) -> Option<WorkerGuard> {
        let level = (self.outside.env)(log::LEVEL).map(|level| level.to_string_lossy().into_owned());
        self.paths.log().map(|folder| log::start(&folder, level.as_deref(), err))
    }
}

/// How the console looks with those preferences and the themes of that folder.
pub fn look(folder: Option<&Path>, preferences: &Preferences, colours: bool) -> Result<Look, Failure> {
    let wanted = preferences.theme.as_deref().unwrap_or(theme::DEFAULT);
    let mut themes = vec![theme::theme(wanted, folder).map_err(Failure::Problems)?];
    // A broken theme that nobody asked for stops nothing: it is only not offered.
    let others = theme::names(folder).into_iter().filter(|name| name != wanted);
    themes.extend(others.filter_map(|name| theme::theme(&name, folder).ok()));
    themes.sort_by(|a, b| a.name.cmp(&b.name));
    let theme = themes.iter().position(|t| t.name == wanted).unwrap_or(0);
    if !colours {
        themes = themes.iter().map(|t| t.without_colour()).collect();
    }
    Ok(Look { themes, theme, ascii: preferences.ascii, zone: preferences.zone, local: TimeZone::system() })
}

/// The folder of the journal and the runs of a practice estate; `None` of any other estate.
#[cfg(feature = "lab")]
pub fn practice(estate: &Path) -> Option<PathBuf> {
    crate::lab::practice(estate)
}

#[cfg(not(feature = "lab"))]
pub fn practice(_: &Path) -> Option<PathBuf> {
    None
}

/// Whether this output gets colours.
pub fn colours(choice: ColorChoice, terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => terminal,
    }
}

/// Who sits where, as far as the system says.
pub fn identity(estate: Option<String>) -> Identity {
    let host = nix::unistd::gethostname().ok().map(|h| h.to_string_lossy().into_owned());
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map(|u| u.name);
    let clean = |text: Option<String>| clean(text.as_deref().unwrap_or("?"), LABEL_CAP).into_owned();
    Identity { host: clean(host), user: clean(user), estate }
}

/// Writes a value as JSON for people's eyes too: indented, with a last line end.
pub fn json(value: &impl Serialize, out: &mut dyn Write) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(color_eyre::Report::from)?;
    Ok(writeln!(out, "{text}")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_theme_is_offered_and_the_wanted_one_is_in_use() {
        let global = Global { theme: Some("light".into()), ..Global::default() };
        let settings = Settings::new(&global, Outside { env: &|_| None, terminal: false });
        let preferences = settings.preferences().unwrap();
        let look = settings.look(&preferences, false).unwrap();
        assert_eq!(look.themes[look.theme].name, "light");
        assert_eq!(look.themes.len(), theme::names(None).len());
        assert!(look.themes.iter().all(|t| t.styles.values().all(|s| s.fg.is_none() && s.bg.is_none())));
        let wrong = Preferences { theme: Some("mauve".into()), ..preferences };
        assert!(matches!(settings.look(&wrong, true), Err(Failure::Problems(_))));
    }

    #[test]
    fn automatic_colours_follow_the_output() {
        assert!(colours(ColorChoice::Auto, true) && colours(ColorChoice::Always, false));
        assert!(!colours(ColorChoice::Auto, false) && !colours(ColorChoice::Never, true));
    }
}
