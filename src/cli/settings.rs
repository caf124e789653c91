//! What a subcommand runs with: the estate, the preferences and what follows from them.

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use serde::Serialize;
use tracing_appender::non_blocking::WorkerGuard;

use crate::app::keymap::Keymap;
use crate::app::state::{Identity, Look};
use crate::app::themes::{self, Keeps, Offer, Offers};
use crate::app::views::{View, Views};
use crate::config::contexts;
use crate::config::paths::Paths;
use crate::config::preferences::{Overrides, preferences};
use crate::config::theme::kept::{self, Kept};
use crate::config::{keymap, load, theme, views};
use crate::journal::{self, Hand};
use crate::model::contrast;
use crate::model::estate::Estate;
use crate::model::preferences::{Binding, ColorChoice, Ground, KeymapChoice, Preferences, SavedView, Theme, ThemeBy, Token};
use crate::model::problem::Problem;
use crate::model::run::advice::{quoted, typed};
use crate::model::text::{LABEL_CAP, NOTE_CAP, clean};
use crate::session::ground;

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
        typed(text, self.named().as_deref())
    }

    /// The estate file to read.
    pub fn estate_path(&self) -> Result<PathBuf, Failure> {
        self.paths.find_estate(self.global.estate.as_deref(), self.outside.env).map_err(|looked| {
            let known = self.preferences().map(|preferences| contexts::all(&self.paths, &preferences)).unwrap_or_default();
            match known.is_empty() {
                true => Failure::NoEstate(looked),
                false => Failure::NoneNamed(known.into_iter().map(|context| context.name).collect()),
            }
        })
    }

    /// The estate.
    pub fn estate(&self) -> Result<Estate, Failure> {
        load::estate(&self.estate_path()?).map_err(Failure::Problems)
    }

    /// What the person prefers: files, then variables, then flags.
    pub fn preferences(&self) -> Result<Preferences, Failure> {
        let mut found = preferences(&self.paths, self.outside.env, &self.overrides()).map_err(Failure::Problems)?;
        // What a context wishes for was put in the flag's place.
        if found.theme_by == ThemeBy::Flag && self.global.context.is_some() && self.global.said.theme.is_none() {
            found.theme_by = ThemeBy::Context;
        }
        Ok(found)
    }

    /// What the flags prefer.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            theme: self.global.theme.clone(),
            keymap: self.global.keymap.map(KeymapChoice::from),
            zone: None,
            ascii: self.global.ascii.then_some(true),
            color: self.global.color.map(ColorChoice::from),
        }
    }

    /// How the console looks, with colours or without.
    pub fn look(&self, preferences: &Preferences, colours: bool) -> Result<Look, Failure> {
        look(&self.paths, self.terminal(), preferences, colours)
    }

    /// What the environment says of the terminal.
    pub fn terminal(&self) -> Terminal {
        let hint = (self.outside.env)("COLORFGBG").and_then(|text| ground::hint(text.to_str()?));
        let exact = (self.outside.env)("COLORTERM").is_some_and(|word| word == "truecolor" || word == "24bit");
        Terminal { hint, exact }
    }

    /// The bindings of the chosen keymap and the person's own.
    pub fn bindings(&self) -> Result<(Vec<Binding>, Vec<Binding>), Failure> {
        let preferences = self.preferences()?;
        Ok((keymap::base(preferences.keymap).map_err(Failure::Problems)?, preferences.bindings))
    }

    /// Who writes to the journal, about that estate.
    pub fn hand(&self, estate: Option<&Estate>) -> Hand {
        let estate = estate.and_then(|estate| std::fs::read(&estate.path).ok()).map(|bytes| journal::digest(&bytes));
        Hand { actor: journal::actor(self.outside.env), version: env!("CARGO_PKG_VERSION").to_owned(), estate }
    }

    /// What the keys do.
    pub fn keymap(&self, preferences: &Preferences) -> Result<Keymap, Failure> {
        let default = keymap::base(preferences.keymap).map_err(Failure::Problems)?;
        Keymap::compile(&default, &preferences.bindings).map_err(Failure::Problems)
    }

    /// The saved views: those of the preferences, then those that the console wrote. A broken one stops nothing.
    pub fn views(&self, preferences: &Preferences) -> Views {
        let file = self.paths.views();
        let (own, problems) = file.as_deref().map(views::read).unwrap_or_default();
        let all: Vec<SavedView> = preferences.views.iter().cloned().chain(own).collect();
        Views::of(&all, problems, file.map(|file| file.display().to_string()))
    }

    /// Starts the log, where there is a folder for it. What was logged last is written when the guard is dropped.
    pub fn log(&self, err: &mut dyn Write) -> Option<WorkerGuard> {
        let level = (self.outside.env)(log::LEVEL).map(|level| level.to_string_lossy().into_owned());
        self.paths.log().map(|folder| log::start(&folder, level.as_deref(), err))
    }
}

/// What the environment says of the terminal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminal {
    /// Its ground.
    pub hint: Option<Ground>,
    /// True where it draws any red, green and blue, and not 256 colours only. A terminal that is not asked so would make
    /// nonsense of the others.
    pub exact: bool,
}

/// How the console looks with those preferences and the themes that a person has.
pub fn look(paths: &Paths, terminal: Terminal, preferences: &Preferences, colours: bool) -> Result<Look, Failure> {
    let folder = paths.themes();
    let folder = folder.as_deref();
    let (picked, notice) = if preferences.theme.is_none() { picked(paths) } else { (None, None) };
    let wanted = preferences.theme.as_deref().or(picked.as_deref()).unwrap_or(theme::AUTO);
    let follows = wanted == theme::AUTO;
    let needed = if follows { vec![Ground::Dark.word(), Ground::Light.word()] } else { vec![wanted] };
    // A broken theme that nobody asked for stops nothing: it only says so where one is chosen.
    for name in &needed {
        theme::theme(name, folder).map_err(Failure::Problems)?;
    }
    let (mut themes, mut all) = (Vec::new(), Vec::new());
    for name in theme::names(folder).into_iter().filter(|name| name != theme::AUTO) {
        let own = theme::own(&name, folder).is_some();
        let (found, faint) = match theme::theme(&name, folder) {
            Ok(theme) => {
                // Those that are built in are judged by a test.
                let faint = if own { hard_to_read(&theme) } else { String::new() };
                themes.push(match (colours, terminal.exact) {
                    (false, _) => theme.without_colour(),
                    (true, false) => theme.in_256(),
                    (true, true) => theme,
                });
                (Ok(themes.len() - 1), faint)
            }
            Err(problems) => (Err(problems.first().map(in_one_line).unwrap_or_default()), String::new()),
        };
        all.push(Offer { name, own, found, faint });
    }
    let theme = themes.iter().position(|t| t.name == needed[0]).unwrap_or(0);
    let keeps = Keeps { file: paths.theme().map(|file| file.display().to_string()), wins: wins(paths, preferences.theme_by) };
    let offers = Offers { all, follows, told: None, hint: terminal.hint, plain: !colours, keeps, notice };
    let mut look = Look { themes, theme, offers, ascii: preferences.ascii, zone: preferences.zone, local: TimeZone::system() };
    if follows {
        themes::follow(&mut look);
    }
    Ok(look)
}

/// The theme that was picked last, where there is still such a one; else what is to be said.
fn picked(paths: &Paths) -> (Option<String>, Option<String>) {
    let Some(file) = paths.theme() else { return (None, None) };
    let why = match kept::read(&file) {
        Kept::Nothing => return (None, None),
        Kept::Named(name) if name == theme::AUTO => return (Some(name), None),
        Kept::Named(name) => match theme::theme(&name, paths.themes().as_deref()) {
            Ok(_) => return (Some(name), None),
            Err(problems) => problems.first().map(|problem| problem.what.clone()).unwrap_or_default(),
        },
        Kept::Damaged(why) => format!("{}: {why}", file.display()),
    };
    (None, Some(format!("the theme that was picked last is not used: {}", clean(&why, NOTE_CAP))))
}

/// What wins over a choice on the screen when the console is started anew, in words.
fn wins(paths: &Paths, by: ThemeBy) -> Option<String> {
    match by {
        ThemeBy::Nobody => None,
        ThemeBy::File => {
            let file = paths.preferences().map(|file| clean(&file.display().to_string(), LABEL_CAP).into_owned());
            Some(format!("`theme` in {}", file.unwrap_or_default()))
        }
        ThemeBy::Variable => Some("QD_THEME".to_owned()),
        ThemeBy::Context => Some("the context's own theme".to_owned()),
        ThemeBy::Flag => Some("--theme".to_owned()),
    }
}

/// The words of a theme that have too little contrast with its ground; empty where there are none.
fn hard_to_read(theme: &Theme) -> String {
    let words = theme::tokens();
    let word = |token: Token| words.iter().find(|(_, of)| *of == token).map_or("", |(word, _)| word.as_str());
    let tell = |(token, has): (Token, f64)| format!("{} {has:.1} (needs {})", word(token), contrast::needed(token));
    let told: Vec<String> = contrast::faint(theme).into_iter().map(tell).collect();
    if told.is_empty() { String::new() } else { format!("little contrast: {}", told.join(", ")) }
}

/// Where something is wrong, and what.
fn in_one_line(problem: &Problem) -> String {
    let file = problem.place.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{}:{}: {}", clean(&file, LABEL_CAP), problem.place.line, problem.what)
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

/// The saved view of that name.
pub fn view(views: &Views, name: &str) -> Result<View, Failure> {
    views.find(name).cloned().map_err(|why| Failure::Usage(format!("--view: {why}")))
}

/// Writes a value as JSON for people's eyes too: indented, with a last line end.
pub fn json(value: &impl Serialize, out: &mut dyn Write) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(color_eyre::Report::from)?;
    Ok(writeln!(out, "{text}")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::preferences::Color;

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
    fn where_nobody_asks_for_a_theme_the_terminal_is_followed() {
        let global = Global::default();
        let look = |colorfgbg: Option<&'static str>| {
            let env = move |name: &str| colorfgbg.filter(|_| name == "COLORFGBG").map(std::ffi::OsString::from);
            let settings = Settings::new(&global, Outside { env: &env, terminal: true });
            settings.look(&settings.preferences().unwrap(), true).unwrap()
        };
        let named = |look: &Look| (look.themes[look.theme].name.clone(), look.offers.follows);
        assert_eq!(named(&look(None)), ("dark".into(), true));
        let mut hinted = look(Some("0;15"));
        assert_eq!(named(&hinted), ("light".into(), true));
        // What it says itself counts for more.
        themes::told(&mut hinted, Ground::Dark);
        assert_eq!(named(&hinted), ("dark".into(), true));
    }

    #[test]
    fn a_broken_theme_and_one_that_is_hard_to_read_are_offered_as_what_they_are() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("themes");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("broken.toml"), "[palette]\nred = 'shiny'\n").unwrap();
        std::fs::write(folder.join("faint.toml"), "inherits = 'dark'\n[palette]\ngrey = 'indexed:238'\n").unwrap();
        let global = Global::default();
        let mut settings = Settings::new(&global, Outside { env: &|_| None, terminal: true });
        settings.paths.config = Some(home.path().to_owned());
        let look = settings.look(&Preferences::default(), true).unwrap();
        let offer = |name: &str| look.offers.all.iter().find(|offer| offer.name == name).unwrap().clone();
        assert_eq!(offer("broken").found, Err("broken.toml:2: `shiny` is no colour".into()));
        assert_eq!(offer("faint").faint, "little contrast: dim 1.7 (needs 4.5), muted 1.7 (needs 4.5)");
        assert_eq!((offer("dark").faint.as_str(), offer("dark").own), ("", false));
        let wanted = Preferences { theme: Some("broken".into()), ..Preferences::default() };
        assert!(matches!(settings.look(&wanted, true), Err(Failure::Problems(_))), "asked for, it is told");
    }

    #[test]
    fn the_theme_that_was_picked_last_is_in_use_unless_one_is_named_or_it_is_gone() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("theme");
        let named = |global: &Global, variable: Option<&'static str>, config: Option<&str>| {
            let env = move |name: &str| variable.filter(|_| name == "QD_THEME").map(std::ffi::OsString::from);
            let mut settings = Settings::new(global, Outside { env: &env, terminal: true });
            (settings.paths.config, settings.paths.state) = (Some(home.path().to_owned()), Some(home.path().to_owned()));
            std::fs::write(home.path().join("config.toml"), config.unwrap_or_default()).unwrap();
            let look = settings.look(&settings.preferences().unwrap(), true).unwrap();
            (themes::word(&look).to_owned(), look.offers.keeps.wins, look.offers.notice)
        };
        let none = Global::default();
        assert_eq!(named(&none, None, None), ("auto".into(), None, None));
        kept::keep(&file, "okabe-ito").unwrap();
        assert_eq!(named(&none, None, None), ("okabe-ito".into(), None, None));
        let (word, wins, _) = named(&none, None, Some("theme = 'light'"));
        assert!(word == "light" && wins.is_some_and(|wins| wins.starts_with("`theme` in /")));
        assert_eq!(named(&none, Some("sixteen"), Some("theme = 'light'")), ("sixteen".into(), Some("QD_THEME".into()), None));
        let context = Global { theme: Some("high-contrast".into()), context: Some("shop".into()), ..Global::default() };
        let theirs = ("high-contrast".into(), Some("the context's own theme".into()), None);
        assert_eq!(named(&context, Some("sixteen"), Some("theme = 'light'")), theirs);
        let flag = Global { theme: Some("auto".into()), ..Global::default() };
        assert_eq!(named(&flag, Some("sixteen"), None), ("auto".into(), Some("--theme".into()), None));
        // Gone or damaged, it is told, and stops nothing.
        for (text, told) in [("mauve\n", "there is no theme `mauve`"), ("\u{1b}[31m", "is no theme's name"), ("../x", "is no theme's name")]
        {
            std::fs::write(&file, text).unwrap();
            let (word, _, notice) = named(&none, None, None);
            assert!(word == "auto" && notice.as_ref().is_some_and(|notice| notice.contains(told)), "{text:?} {notice:?}");
            assert_eq!(named(&none, Some("dark"), None).2, None, "nobody asks for it");
        }
        kept::keep(&file, "auto").unwrap();
        assert_eq!(named(&none, None, None), ("auto".into(), None, None));
    }

    #[test]
    fn a_terminal_that_does_not_say_that_it_has_all_colours_gets_the_nearest_of_the_256() {
        let colour = |said: Option<&'static str>| {
            let env = move |name: &str| said.filter(|_| name == "COLORTERM").map(std::ffi::OsString::from);
            let global = Global { theme: Some("okabe-ito".into()), ..Global::default() };
            let settings = Settings::new(&global, Outside { env: &env, terminal: true });
            let look = settings.look(&settings.preferences().unwrap(), true).unwrap();
            look.themes[look.theme].style(Token::Critical).fg.unwrap()
        };
        let (near, exact) = (Color::Indexed(166), Color::Rgb(0xd5, 0x5e, 0));
        assert_eq!([None, Some("yes"), Some("truecolor"), Some("24bit")].map(colour), [near, near, exact, exact]);
    }

    #[test]
    fn automatic_colours_follow_the_output() {
        assert!(colours(ColorChoice::Auto, true) && colours(ColorChoice::Always, false));
        assert!(!colours(ColorChoice::Auto, false) && !colours(ColorChoice::Never, true));
    }
}
