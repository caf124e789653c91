//! The terminal as it is taken once, whichever estates are opened in it one after another.

use std::pin::Pin;
use std::time::Instant;

use color_eyre::eyre::WrapErr;
use futures_util::Stream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::ground::{self, Sieve};
use super::guard::{Flush, Guard};
use super::input;
use super::run::Terminal;
use super::screen::Line;
use super::signals::{self, Notice};
use crate::app::themes::Chosen;
use crate::model::preferences::Ground;

/// The terminal and whoever sits at it: they stay when another estate is opened.
pub(super) struct Seat {
    pub(super) guard: Guard,
    pub(super) line: Line,
    pub(super) input: Typed,
    pub(super) notices: mpsc::Receiver<Notice>,
    pub(super) terminal: Terminal,
    /// True where the terminal was asked for the colour of its ground.
    pub(super) asked: bool,
    /// What it said.
    pub(super) told: Option<Ground>,
    /// When it was taken.
    pub(super) opened: Instant,
    /// True where the mouse clicks and scrolls.
    pub(super) mouse: bool,
    /// The theme that was chosen on the screen.
    pub(super) chosen: Option<Chosen>,
}

/// What is typed.
type Typed = Pin<Box<dyn Stream<Item = input::Typed> + Send>>;

impl Seat {
    /// `asks` is true where the terminal is asked for the colour of its ground.
    pub(super) fn take(lasting: &Handle, flush: Flush, asks: bool) -> color_eyre::Result<Seat> {
        // The signals first: one that came between would leave the terminal as it is inside.
        let notices = {
            let _inside = lasting.enter();
            signals::listen().wrap_err("cannot listen to signals")?
        };
        let guard = Guard::new();
        guard.catch_panics(flush);
        let line = Line::open(guard.modes()).wrap_err("cannot open the terminal for writing")?;
        let line = if asks { line.asking(ground::QUESTION) } else { line };
        let panic_key = std::env::var("QD_PANIC_KEY").ok().and_then(|key| key.parse().ok());
        let input = Box::pin(input::listen(panic_key, Sieve::new(asks)).wrap_err("cannot read the terminal")?);
        let (opened, terminal) = (Instant::now(), Terminal::Theirs);
        Ok(Seat { guard, line, input, notices, terminal, asked: asks, told: None, opened, mouse: false, chosen: None })
    }
}
