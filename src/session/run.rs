//! The loop: takes in what happens, draws what it comes to. A function of terminal, input, clock and sources, so that
//! tests drive this very loop.

use std::io;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use jiff::Timestamp;
use ratatui::Frame;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::app::effect::Effect;
use crate::app::message::Message;
use crate::app::state::State;

use super::clock::Clock;
use super::effects::{Left, carry_out};
use super::feed::{Feed, ROOM};
use super::guard::STUCK_LIMIT;
use super::keep::Keeper;
use super::screen::{Painter, Sink};
use super::signals::{HUNG_UP, Notice};

/// Between two frames that only data ask for: at most ten a second. Keys are drawn at once.
const CALM: Duration = Duration::from_millis(100);
/// The longest sleep: the machine may have slept, or its clock been set, and no message says so.
const NAP: Duration = Duration::from_secs(10);

/// The pure core that the loop drives.
#[derive(Clone, Copy)]
pub struct Core {
    /// Takes in a message; `state.now` is its moment.
    pub update: fn(&mut State, Message) -> Vec<Effect>,
    /// Draws the state.
    pub draw: fn(&State, &mut Frame),
    /// When the screen changes next by itself.
    pub wake: fn(&State) -> Timestamp,
}

/// All that the loop works with.
pub struct Parts<S, I, C, F> {
    /// The pure core.
    pub core: Core,
    /// What the console knows and shows.
    pub state: State,
    /// Where frames go.
    pub sink: S,
    /// What a person does; its end is the end of the terminal.
    pub input: I,
    /// What the system tells.
    pub notices: mpsc::Receiver<Notice>,
    /// The present.
    pub clock: C,
    /// The sources.
    pub feed: F,
    /// What keeps answers for the next start.
    pub keeper: Keeper,
}

/// How soon a frame is wanted.
#[derive(Clone, Copy)]
enum Hurry {
    Now,
    Calmly,
}

/// One turn's cause.
enum Event {
    Notice(Option<Notice>),
    Input(Option<Message>),
    Written(io::Result<()>),
    Report(Message),
    Draw,
    Wake,
}

/// When what is drawn.
struct Desk {
    painter: Painter,
    in_flight: bool,
    /// When the next frame is wanted, where one is.
    due: Option<Instant>,
    /// When the last frame was drawn.
    drawn: Option<Instant>,
}

impl Desk {
    fn want(&mut self, hurry: Hurry) {
        let now = Instant::now();
        let at = match (hurry, self.drawn) {
            (Hurry::Calmly, Some(drawn)) => now.max(drawn + CALM),
            _ => now,
        };
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// Draws where a frame is due and none is in flight; the newest state is what is drawn.
    fn draw(&mut self, core: Core, state: &State, sink: &mut impl Sink) -> io::Result<()> {
        let now = Instant::now();
        if !self.in_flight && self.due.is_some_and(|due| due <= now) {
            (self.due, self.drawn) = (None, Some(now));
            if let Some(frame) = self.painter.paint(|frame| (core.draw)(state, frame))? {
                sink.send(frame);
                self.in_flight = true;
            }
        }
        Ok(())
    }
}

/// Runs until it is left; the result is the exit code. The first frame is handed out before any source is tried.
///
/// # Errors
/// Where the terminal refuses its modes.
pub async fn run<S, I, C, F>(parts: &mut Parts<S, I, C, F>) -> io::Result<u8>
where
    S: Sink,
    I: Stream<Item = Message> + Unpin,
    C: Clock,
    F: Feed,
{
    let Parts { core, state, sink, input, notices, clock, feed, keeper } = parts;
    let core = *core;
    let size = sink.size().unwrap_or(state.size);
    let mut desk = Desk { painter: Painter::new(size)?, in_flight: false, due: Some(Instant::now()), drawn: None };
    let (demand, wanted) = watch::channel(state.demand);
    let (out, mut reports) = mpsc::channel(ROOM);

    state.now = clock.now();
    let effects = (core.update)(state, Message::Resize(size.0, size.1));
    carry_out(effects, feed, &demand);
    desk.painter.forget(sink.set()?)?;
    desk.draw(core, state, sink)?;
    feed.start(wanted, out);

    let mut ticked = Instant::now();
    loop {
        desk.draw(core, state, sink)?;
        let wake = (ticked + CALM).max(Instant::now() + nap((core.wake)(state), clock.now()));
        let event = tokio::select! {
            biased;
            notice = notices.recv() => Event::Notice(notice),
            message = input.next() => Event::Input(message),
            written = sink.written(), if desk.in_flight => Event::Written(written),
            () = until(desk.due), if !desk.in_flight => Event::Draw,
            Some(report) = reports.recv() => Event::Report(report),
            () = sleep_until(wake) => Event::Wake,
        };
        let (message, hurry) = match event {
            Event::Notice(Some(Notice::End(code))) => return Ok(code),
            Event::Notice(None) | Event::Input(None) => return Ok(HUNG_UP),
            Event::Written(Err(error)) => {
                tracing::info!(%error, "the terminal cannot be written any more");
                return Ok(HUNG_UP);
            }
            Event::Written(Ok(())) => {
                desk.in_flight = false;
                continue;
            }
            Event::Draw => continue,
            Event::Notice(Some(Notice::Continued)) => (again(&mut desk, sink)?, Hurry::Now),
            Event::Input(Some(message)) => {
                if let Message::Resize(columns, rows) = message {
                    desk.painter.resize((columns, rows));
                }
                (message, Hurry::Now)
            }
            Event::Report(message) => {
                keeper.note(&message);
                (message, Hurry::Calmly)
            }
            Event::Wake => {
                ticked = Instant::now();
                (Message::Tick, Hurry::Calmly)
            }
        };
        state.now = clock.now();
        let effects = (core.update)(state, message);
        let Left { quit, suspend, redraw } = carry_out(effects, feed, &demand);
        desk.want(hurry);
        if let Some(code) = quit {
            return Ok(code);
        }
        if redraw {
            desk.painter.forget(Vec::new())?;
            desk.want(Hurry::Now);
        }
        if suspend {
            // A frame that is half out would end on the shell's screen.
            if desk.in_flight
                && let Ok(written) = timeout(STUCK_LIMIT, sink.written()).await
            {
                desk.in_flight = false;
                if written.is_err() {
                    return Ok(HUNG_UP);
                }
            }
            sink.suspend();
            let resized = again(&mut desk, sink)?;
            state.now = clock.now();
            let effects = (core.update)(state, resized);
            carry_out(effects, feed, &demand);
            desk.want(Hurry::Now);
        }
    }
}

/// Takes the terminal again after another program may have had it. Its size may have changed: SIGWINCH goes to the
/// foreground only.
fn again(desk: &mut Desk, sink: &mut impl Sink) -> io::Result<Message> {
    if let Some(size) = sink.size() {
        desk.painter.resize(size);
    }
    desk.painter.forget(sink.set()?)?;
    let (columns, rows) = desk.painter.size();
    Ok(Message::Resize(columns, rows))
}

fn nap(wake: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(wake.duration_since(now)).unwrap_or(Duration::ZERO).min(NAP)
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
