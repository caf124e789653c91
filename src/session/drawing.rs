//! When what is drawn, and what a click on it hits: one frame in flight, the newest state in each.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::Frame;
use tokio::time::Instant;

use crate::app::effect::Effect;
use crate::app::message::Message;
use crate::app::state::State;
use crate::app::target::Target;
use crate::app::wizard::{self, Shown};
use crate::ui::Plain;
use crate::ui::hit::Sight;

use super::input::Typed;
use super::run::Terminal;
use super::screen::{Painter, Sink};

/// Between two frames that only data ask for: at most ten a second. Keys are drawn at once.
pub(super) const CALM: Duration = Duration::from_millis(100);
/// Between two frames that only the wheel asks for: it may turn many times while one is drawn.
const ROLL: Duration = Duration::from_millis(33);
/// What a click hits must have stood there for so long: whoever clicks saw a screen that was on its way for a while.
pub(super) const SETTLED: Duration = Duration::from_millis(250);
/// Frames of that time that are remembered.
const REMEMBERED: usize = 16;

/// The pure core that the loop drives.
#[derive(Clone, Copy)]
pub struct Core {
    /// Takes in a message; `state.now` is its moment.
    pub update: fn(&mut State, Message) -> Vec<Effect>,
    /// Draws the state.
    pub draw: fn(&State, &mut Frame),
    /// When the screen changes next by itself.
    pub wake: fn(&State) -> Timestamp,
    /// What of it can be clicked on.
    pub sight: fn(&State) -> Sight,
    /// What stands there instead of all that is drawn, where that is text alone.
    pub plain: fn(&State) -> Option<Plain>,
}

/// How soon a frame is wanted.
#[derive(Clone, Copy)]
pub(super) enum Hurry {
    Now,
    Rolling,
    Calmly,
}

/// When what is drawn.
pub(super) struct Desk {
    pub(super) painter: Painter,
    pub(super) in_flight: bool,
    /// When the next frame is wanted, where one is.
    pub(super) due: Option<Instant>,
    /// When the last frame was drawn.
    pub(super) drawn: Option<Instant>,
    /// The confirm dialog that the last frame shows.
    pub(super) dialog: Option<u64>,
    /// True where the terminal tells of the mouse.
    pub(super) mouse: bool,
    /// What can be clicked on in the frame in flight.
    pub(super) coming: Option<Sight>,
    /// The same in the frame that is shown, the last of these, and in those shortly before it, with the moments from
    /// which on they were shown.
    pub(super) sights: VecDeque<(Instant, Sight)>,
    /// The terminal's title, where it was set.
    pub(super) title: Option<String>,
}

impl Desk {
    /// Over a terminal of that size that stands like this; nothing is drawn yet.
    pub(super) fn over(size: (u16, u16), terminal: Terminal) -> io::Result<Desk> {
        let (in_flight, mouse) = match terminal {
            Terminal::Theirs => (false, false),
            Terminal::Ours { in_flight, mouse } => (in_flight, mouse),
        };
        Ok(Desk {
            painter: Painter::new(size)?,
            in_flight,
            due: Some(Instant::now()),
            drawn: None,
            dialog: None,
            mouse,
            coming: None,
            sights: VecDeque::new(),
            title: None,
        })
    }

    pub(super) fn want(&mut self, hurry: Hurry) {
        let now = Instant::now();
        let at = match (hurry, self.drawn) {
            (Hurry::Calmly, Some(drawn)) => now.max(drawn + CALM),
            (Hurry::Rolling, Some(drawn)) => now.max(drawn + ROLL),
            _ => now,
        };
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// Draws where a frame is due and none is in flight; the newest state is what is drawn.
    pub(super) fn draw(&mut self, core: Core, state: &State, sink: &mut impl Sink) -> io::Result<()> {
        let now = Instant::now();
        if !self.in_flight && self.due.is_some_and(|due| due <= now) {
            (self.due, self.drawn) = (None, Some(now));
            self.dialog = wizard::dialog(state);
            let wanted = state.wants_mouse();
            if wanted != self.mouse {
                self.mouse = wanted;
                self.painter.say(sink.mouse(wanted));
            }
            self.coming = if wanted { Some((core.sight)(state)) } else { None };
            let frame = match (core.plain)(state) {
                Some(plain) => self.painter.plain(plain),
                None => self.painter.paint(|frame| (core.draw)(state, frame))?,
            };
            if let Some(frame) = frame {
                sink.send(frame);
                self.in_flight = true;
            } else {
                self.arrived();
            }
        }
        Ok(())
    }

    /// The frame is on the terminal.
    pub(super) fn arrived(&mut self) {
        let now = Instant::now();
        match self.coming.take() {
            Some(new) if self.sights.back().is_some_and(|(_, old)| *old == new) => {}
            Some(new) => self.sights.push_back((now, new)),
            None => self.sights.clear(),
        }
        // Of those that are over, the newest was still shown when that time began.
        while self.sights.len() > REMEMBERED || self.sights.get(1).is_some_and(|(since, _)| *since + SETTLED <= now) {
            self.sights.pop_front();
        }
    }

    /// What was clicked on: what stands there, where nothing else stood there a moment ago.
    pub(super) fn hit(&self, column: u16, row: u16) -> Option<Target> {
        let (_, shown) = self.sights.back()?;
        let target = shown.at(column, row)?;
        let now = Instant::now();
        let mut ended = self.sights.iter().skip(1).map(|(since, _)| *since);
        let settled = self.sights.iter().all(|(_, sight)| {
            let over = ended.next().is_some_and(|end| end + SETTLED <= now);
            over || sight.at(column, row) == Some(target)
        });
        settled.then(|| target.clone())
    }

    /// What a person did, as a message; `None` where it hit nothing.
    pub(super) fn message(&self, typed: Typed) -> Option<(Message, Hurry)> {
        match typed {
            Typed::Told(message) => Some((message, Hurry::Now)),
            // Turned off, and still on its way.
            _ if !self.mouse => None,
            Typed::Click(column, row) => self.hit(column, row).map(|target| (Message::Click(target), Hurry::Now)),
            Typed::Wheel(column, by) => {
                let right = self.sights.back().is_some_and(|(_, sight)| sight.is_right(column));
                Some((Message::Wheel { by, right }, Hurry::Rolling))
            }
        }
    }

    /// Says in the state which confirm dialog is on the screen, once its frame is there: what was typed before does not
    /// count there.
    pub(super) fn show(&self, state: &mut State, now: Timestamp) {
        if self.in_flight || self.drawn.is_none() {
            return;
        }
        match (self.dialog, state.wizards.shown) {
            (Some(dialog), shown) if shown.is_none_or(|shown| shown.dialog != dialog) => {
                state.wizards.shown = Some(Shown { dialog, since: now });
            }
            (None, Some(_)) => state.wizards.shown = None,
            _ => {}
        }
    }
}

/// Takes the terminal again after another program may have had it. Its size may have changed: SIGWINCH goes to the
/// foreground only.
pub(super) fn again(desk: &mut Desk, state: &mut State, sink: &mut impl Sink) -> io::Result<Message> {
    // Nobody has seen the dialog until it is drawn again.
    (desk.dialog, state.wizards.shown) = (None, None);
    desk.sights.clear();
    if let Some(size) = sink.size() {
        desk.painter.resize(size);
    }
    desk.painter.forget(sink.set()?)?;
    if let Some(title) = &desk.title {
        desk.painter.say(sink.title(title));
    }
    let (columns, rows) = desk.painter.size();
    Ok(Message::Resize(columns, rows))
}
