//! `qd`: the console.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::app::layer::Pane;
use crate::app::state::State;
use crate::app::update::narrow;
use crate::session;
use crate::session::clipboard::Clipboard;
use crate::session::contexts::{Opening, Switcher};

use super::contexts::Shelf;
use super::failure::Failure;
use super::settings::{self, Settings, colours, identity};

/// What is shown first.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// The pane's filter.
    pub filter: Option<String>,
    /// The pane; the Overview where nothing is said.
    pub pane: Option<Pane>,
    /// How far back charts reach; an hour where nothing is said.
    pub range: Option<SignedDuration>,
    /// A saved view, by name.
    pub view: Option<String>,
    /// True where it is a practice estate, which ends with the console.
    pub practice: bool,
}

/// Opens the console and stays until it is left; gives back its exit code.
pub fn run(settings: &Settings<'_>, start: Start, err: &mut dyn Write) -> Result<u8, Failure> {
    let estate = settings.estate()?;
    let preferences = settings.preferences()?;
    let coloured = colours(preferences.color, settings.outside.terminal);
    let look = settings.look(&preferences, coloured)?;
    let keymap = settings.keymap(&preferences)?;
    let views = settings.views(&preferences);
    let view = start.view.as_deref().map(|name| settings::view(&views, name)).transpose()?;
    if let Some(filter) = &start.filter {
        // Judged by the pane itself, on a state that nobody sees: a wrong one is refused before the terminal is touched.
        let (estate, keymap) = (Arc::new(estate.clone()), Arc::new(keymap.clone()));
        let mut state = State::new(estate, identity(None), look.clone(), keymap, Timestamp::now(), (80, 24));
        state.pane = start.pane.unwrap_or(Pane::Overview);
        narrow(&mut state, filter).map_err(|why| Failure::Usage(format!("--filter: {why}")))?;
    }
    let log = Mutex::new(settings.log(err));
    let options = session::Options {
        read_only: settings.global.read_only,
        practice: start.practice,
        cache: settings.paths.readings(),
        exports: settings.paths.exports(),
        queries: settings.paths.queries(),
        filter: start.filter.unwrap_or_default(),
        journal: settings.paths.journal(),
        hand: settings.hand(Some(&estate)),
        start_pane: start.pane.unwrap_or(Pane::Overview),
        clipboard: Clipboard::of(preferences.clipboard, settings.outside.env),
        mouse: preferences.mouse,
        attention: preferences.attention.clone(),
        range: start.range,
        views,
        view,
    };
    // Dropping the log's guard writes what it still holds.
    let flush = Arc::new(move || drop(log.lock().unwrap_or_else(PoisonError::into_inner).take()));
    let shelf = Shelf::of(settings, &estate, coloured)?;
    let contexts = shelf.contexts(&estate.path);
    let first = Opening { estate: Arc::new(estate), look, identity: identity(settings.named()), options, contexts };
    let code = session::open(first, keymap, Switcher::new(Arc::new(shelf)), flush.clone());
    flush();
    Ok(code?)
}
