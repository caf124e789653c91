//! The loop: takes in what happens, draws what it comes to. A function of terminal, input, clock and sources, so that
//! tests drive this very loop.

use std::io;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::app::ask::{Ask, Told};
use crate::app::derive::Derived;
use crate::app::message::Message;
use crate::app::state::State;
use crate::app::timeline::Merged;

use super::attend;
use super::clipboard::{Clipboard, Way};
use super::clock::Clock;
use super::derive::{self, Deriver, Merger};
use super::drawing::{CALM, Desk, Hurry, again};
use super::effects::{Left, carry_out};
use super::feed::{Feed, ROOM};
use super::guard::STUCK_LIMIT;
use super::input::Typed;
use super::keep::Keeper;
use super::screen::Sink;
use super::signals::{HUNG_UP, Notice};

/// The longest sleep: the machine may have slept, or its clock been set, and no message says so.
const NAP: Duration = Duration::from_secs(10);

pub use super::drawing::Core;

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
    /// What copies text.
    pub clipboard: Clipboard,
    /// The sources.
    pub feed: F,
    /// What keeps answers for the next start.
    pub keeper: Keeper,
    /// How the terminal stands.
    pub terminal: Terminal,
}

/// How the terminal stands when the loop begins, and when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terminal {
    /// As another program left it.
    Theirs,
    /// As a loop left it, with all modes set.
    Ours {
        /// True while a frame of that loop is still being written.
        in_flight: bool,
        /// True where it tells of the mouse.
        mouse: bool,
    },
}

/// How the loop ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The console is left, with this exit code.
    Leave(u8),
    /// The estate is left for the one of that name.
    Switch(String),
}

/// One turn's cause.
enum Event {
    Notice(Option<Notice>),
    Input(Option<Typed>),
    Written(io::Result<()>),
    Report(Message),
    Derived(Derived),
    Merged(Merged),
    Draw,
    Wake,
}

/// Runs until it is left. The first frame is handed out before any source is tried.
///
/// # Errors
/// Where the terminal refuses its modes.
pub async fn run<S, I, C, F>(parts: &mut Parts<S, I, C, F>) -> io::Result<End>
where
    S: Sink,
    I: Stream<Item = Typed> + Unpin,
    C: Clock,
    F: Feed,
{
    let Parts { core, state, sink, input, notices, clock, clipboard, feed, keeper, terminal } = parts;
    let core = *core;
    let size = sink.size().unwrap_or(state.size);
    let mut desk = Desk::over(size, *terminal)?;
    let outer = attend::outer(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()), std::env::var("TERM").ok());
    let (demand, wanted) = watch::channel(state.demand);
    let (out, mut reports) = mpsc::channel(ROOM);
    let (mut deriver, mut merger) = (Deriver::new(), Merger::new());

    state.now = clock.now();
    let effects = (core.update)(state, Message::Resize(size.0, size.1));
    if carry_out(effects, feed, &demand).merge {
        merger.want();
    }
    desk.painter.forget(if *terminal == Terminal::Theirs { sink.set()? } else { Vec::new() })?;
    *terminal = Terminal::Ours { in_flight: false, mouse: false };
    desk.draw(core, state, sink)?;
    feed.start(wanted, out);

    let mut ticked = Instant::now();
    loop {
        desk.draw(core, state, sink)?;
        desk.show(state, clock.now());
        deriver.begin(state);
        merger.begin(state);
        let wake = (ticked + CALM).max(Instant::now() + nap((core.wake)(state), clock.now()));
        let event = tokio::select! {
            biased;
            notice = notices.recv() => Event::Notice(notice),
            message = input.next() => Event::Input(message),
            written = sink.written(), if desk.in_flight => Event::Written(written),
            () = until(desk.due), if !desk.in_flight => Event::Draw,
            derived = deriver.ended() => Event::Derived(derived),
            merged = merger.ended() => Event::Merged(merged),
            Some(report) = reports.recv() => Event::Report(report),
            () = sleep_until(wake) => Event::Wake,
        };
        let (mut old, mut stop) = (None, false);
        let (message, hurry) = match event {
            Event::Notice(Some(Notice::End(code))) => return Ok(End::Leave(code)),
            Event::Notice(None) | Event::Input(None) => return Ok(End::Leave(HUNG_UP)),
            Event::Written(Err(error)) => return Ok(gone(&error)),
            Event::Written(Ok(())) => {
                desk.in_flight = false;
                desk.arrived();
                continue;
            }
            Event::Draw => continue,
            Event::Notice(Some(Notice::Stop)) => {
                stop = true;
                (Message::Tick, Hurry::Now)
            }
            Event::Notice(Some(Notice::Continued)) => match again(&mut desk, state, sink) {
                Ok(resized) => (resized, Hurry::Now),
                Err(error) => return Ok(gone(&error)),
            },
            Event::Input(Some(typed)) => {
                let Some((message, hurry)) = desk.message(typed) else { continue };
                if let Message::Resize(columns, rows) = message {
                    desk.painter.resize((columns, rows));
                }
                (message, hurry)
            }
            Event::Report(message) => {
                keeper.note(&message);
                // The answer to what a person asked is waited for; how far a verification is comes many times a second.
                let hurry = match &message {
                    Message::Told(told) if !matches!(**told, Told::Verification(..)) => Hurry::Now,
                    _ => Hurry::Calmly,
                };
                (message, hurry)
            }
            Event::Derived(derived) => {
                keeper.saw(&derived.seen, clock.now());
                old = Some((state.view.clone(), state.readings.clone()));
                (Message::Derived(Box::new(derived)), Hurry::Calmly)
            }
            // It may be what a key wanted.
            Event::Merged(merged) => (Message::Merged(Box::new(merged)), Hurry::Now),
            Event::Wake => {
                ticked = Instant::now();
                (Message::Tick, Hurry::Calmly)
            }
        };
        state.now = clock.now();
        let waits = matches!(message, Message::Read { .. } | Message::Tick);
        let aged = state.aged.clone();
        let effects = (core.update)(state, message);
        let Left { quit, switch, suspend, redraw, derive, merge, copy, attend, title } = carry_out(effects, feed, &demand);
        if let Some(old) = old {
            derive::free(old);
        }
        if derive {
            deriver.want();
        }
        if merge {
            merger.want();
        }
        // What is still to be derived is drawn when it is: a frame before that would only put it off. But nothing looks live
        // that no longer is, however long that takes.
        if !(derive && waits) || aged != state.aged {
            desk.want(hurry);
        }
        if let Some(code) = quit {
            return Ok(End::Leave(code));
        }
        if let Some(name) = switch {
            *terminal = Terminal::Ours { in_flight: desk.in_flight, mouse: desk.mouse };
            return Ok(End::Switch(name));
        }
        if let Some(text) = copy {
            let said = match clipboard.way(&text) {
                Way::Terminal(bytes, said) => {
                    desk.painter.say(bytes);
                    Some(said)
                }
                Way::Tmux => {
                    feed.ask(Ask::Copy(text));
                    None
                }
                Way::Nothing(why) => Some(why),
            };
            if let Some(said) = said {
                let effects = (core.update)(state, Message::Told(Box::new(Told::Copied(said))));
                carry_out(effects, feed, &demand);
            }
        }
        for call in attend {
            desk.painter.say(attend::bytes(&call, outer));
            feed.call(call);
        }
        if let Some(title) = title {
            desk.painter.say(sink.title(&title));
            desk.title = Some(title);
        }
        if redraw {
            desk.painter.forget(Vec::new())?;
            desk.want(Hurry::Now);
        }
        if suspend || stop {
            // A frame that is half out would end on the shell's screen.
            if desk.in_flight
                && let Ok(written) = timeout(STUCK_LIMIT, sink.written()).await
            {
                desk.in_flight = false;
                desk.arrived();
                if let Err(error) = written {
                    return Ok(gone(&error));
                }
            }
            sink.suspend();
            let resized = match again(&mut desk, state, sink) {
                Ok(resized) => resized,
                Err(error) => return Ok(gone(&error)),
            };
            state.now = clock.now();
            let effects = (core.update)(state, resized);
            if carry_out(effects, feed, &demand).merge {
                merger.want();
            }
            desk.want(Hurry::Now);
        }
    }
}

fn gone(error: &io::Error) -> End {
    tracing::info!(%error, "the terminal cannot be used any more");
    End::Leave(HUNG_UP)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::effect::Effect;
    use crate::app::target::Target;
    use crate::app::wizard;
    use crate::session::drawing::SETTLED;
    use crate::ui::hit::Sight;
    use ratatui::Frame;
    use std::cell::{Cell, RefCell};
    use std::pin::Pin;
    use std::rc::Rc;
    use std::sync::Arc;

    use jiff::SignedDuration;
    use tokio::sync::Notify;
    use tokio::time::sleep;

    use crate::app::key::{Code, Key};
    use crate::app::keymap::Keymap;
    use crate::app::state::{Identity, Look};
    use crate::app::target::RowId;
    use crate::model::estate::tests::bare;
    use crate::model::estate::{Estate, Source, SourceKind};
    use crate::model::metric::Demand;
    use crate::model::preferences::{Theme, ZoneChoice};
    use crate::model::reading::{FailureKind, Outcome};
    use crate::ui::hit::Place;

    /// The far end of the fake terminal and of the fake sources.
    #[derive(Default)]
    struct World {
        frames: RefCell<Vec<Vec<u8>>>,
        stuck: Cell<bool>,
        gone: Cell<bool>,
        moved: Notify,
        size: Cell<(u16, u16)>,
        suspended: Cell<usize>,
        sources: RefCell<Option<mpsc::Sender<Message>>>,
        demand: RefCell<Option<watch::Receiver<Demand>>>,
        frames_at_start: Cell<usize>,
        poked: RefCell<Vec<Option<usize>>>,
    }

    impl World {
        fn frames(&self) -> usize {
            self.frames.borrow().len()
        }

        fn screen(&self) -> String {
            let mut parser = vt100::Parser::new(5, 60, 0);
            self.frames.borrow().iter().for_each(|frame| parser.process(frame));
            parser.screen().contents()
        }

        fn unstick(&self) {
            self.stuck.set(false);
            self.moved.notify_waiters();
        }

        async fn datum(&self, number: i64) {
            let at = Timestamp::from_second(number).unwrap();
            let outcome = Outcome::Failed { kind: FailureKind::Unreachable, what: "no".into(), at };
            let sources = self.sources.borrow().clone().unwrap();
            sources.send(Message::Read { source: 0, outcome, next_try: at }).await.unwrap();
        }
    }

    const CORE: Core = Core { update, draw, wake: |_| Timestamp::MAX, sight, plain: |_| None };

    struct Tty(Rc<World>);

    impl Sink for Tty {
        fn send(&mut self, frame: Vec<u8>) {
            self.0.frames.borrow_mut().push(frame);
        }

        async fn written(&mut self) -> io::Result<()> {
            while self.0.stuck.get() {
                self.0.moved.notified().await;
            }
            if self.0.gone.get() { Err(io::Error::other("EIO")) } else { Ok(()) }
        }

        fn set(&mut self) -> io::Result<Vec<u8>> {
            Ok(b"\x1b[?1049h".to_vec())
        }

        fn mouse(&mut self, wanted: bool) -> Vec<u8> {
            if wanted { b"\x1b[?1000h".to_vec() } else { b"\x1b[?1000l".to_vec() }
        }

        fn suspend(&mut self) {
            self.0.suspended.set(self.0.suspended.get() + 1);
            self.0.size.set((50, 4));
        }

        fn size(&mut self) -> Option<(u16, u16)> {
            Some(self.0.size.get())
        }
    }

    struct Fed(Rc<World>);

    impl Feed for Fed {
        fn start(&mut self, demand: watch::Receiver<Demand>, out: mpsc::Sender<Message>) {
            self.0.frames_at_start.set(self.0.frames());
            *self.0.demand.borrow_mut() = Some(demand);
            *self.0.sources.borrow_mut() = Some(out);
        }

        fn poke(&self, source: Option<usize>) {
            self.0.poked.borrow_mut().push(source);
        }

        fn ask(&self, _: crate::app::ask::Ask) {}
    }

    struct Manual(Instant);

    impl Clock for Manual {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH + SignedDuration::try_from(self.0.elapsed()).unwrap()
        }
    }

    fn update(state: &mut State, message: Message) -> Vec<Effect> {
        match message {
            Message::Key(Key { code: Code::Char('q'), .. }) => return vec![Effect::Quit(0)],
            Message::Key(Key { code: Code::Char('z'), .. }) => return vec![Effect::Suspend],
            Message::Key(Key { code: Code::Char('l'), .. }) => return vec![Effect::Redraw],
            Message::Key(Key { code: Code::Char('@'), .. }) => return vec![Effect::Switch("far".into())],
            Message::Key(Key { code: Code::Char('r'), .. }) => {
                let wanted = Demand { range: SignedDuration::from_hours(2), points: 7 };
                return vec![Effect::Poll(Some(0)), Effect::Demand(wanted)];
            }
            Message::Key(Key { code: Code::Char('w'), .. }) => {
                let mut wizard = wizard::Wizard::new("web".into());
                wizard.step = wizard::Step::Confirm;
                wizard.confirm.dialog = 7;
                state.size = wizard::SMALLEST;
                state.layers.push(crate::app::layer::Layer::Wizard(Box::new(wizard)));
                state.metrics.typed.push('w');
            }
            Message::Key(Key { code: Code::Char('s'), .. }) => {
                let shown = state.wizards.shown.map_or_else(|| "no".to_owned(), |shown| shown.dialog.to_string());
                state.overview.typed.push_str(&format!("<{shown}>"));
            }
            Message::Key(Key { code: Code::Char('m'), .. }) => state.mouse = !state.mouse,
            Message::Click(Target::Row(RowId::Run(id))) => state.overview.typed.push_str(&format!("<{id}>")),
            Message::Wheel { by, .. } => state.overview_right = state.overview_right.saturating_add_signed(isize::from(by)),
            Message::Key(key) => state.overview.typed.push_str(&key.to_string()),
            Message::Read { next_try, .. } => state.alerts.typed = next_try.as_second().to_string(),
            Message::Resize(columns, rows) => state.size = (columns, rows),
            Message::Tick => state.metrics.typed.push('.'),
            _ => {}
        }
        Vec::new()
    }

    /// The second line tells of the newest datum, and can be clicked on as that.
    fn sight(state: &State) -> Sight {
        let target = Target::Row(RowId::Run(state.alerts.typed.clone()));
        Sight::of(vec![Place { x: 0, y: 1, width: 10, height: 1, target }])
    }

    fn draw(state: &State, frame: &mut Frame) {
        let (typed, rolled) = (&state.overview.typed, state.overview_right);
        let line = format!("typed {typed}\ndata {}\nticks {}\nrolled {rolled}", state.alerts.typed, state.metrics.typed);
        frame.render_widget(ratatui::text::Text::raw(line), frame.area());
    }

    fn state() -> State {
        let kind = SourceKind::Alertmanager { urls: Vec::new(), dead_man: None };
        let second = SignedDuration::from_secs(1);
        let source = Source { name: "am".into(), every: second, timeout: second, http_config: None, service: None, site: None, kind };
        let estate = Estate { name: "harbour".into(), ..bare(vec![source]) };
        let theme = Theme { name: "plain".into(), ground: Default::default(), styles: Default::default() };
        let look = Look {
            themes: vec![theme],
            theme: 0,
            offers: Default::default(),
            ascii: false,
            zone: ZoneChoice::Utc,
            local: jiff::tz::TimeZone::UTC,
        };
        State::new(Arc::new(estate), Identity::default(), look, Arc::new(Keymap::default()), Timestamp::UNIX_EPOCH, (60, 5))
    }

    struct Hands {
        keys: mpsc::Sender<Typed>,
        notices: mpsc::Sender<Notice>,
    }

    impl Hands {
        async fn press(&self, c: char) {
            self.keys.send(Typed::Told(Message::Key(Key::char(c)))).await.unwrap();
            settle().await;
        }

        async fn click(&self, column: u16, row: u16) {
            self.keys.send(Typed::Click(column, row)).await.unwrap();
            settle().await;
        }
    }

    /// Under a paused clock this returns when nothing is left to do at this moment.
    async fn settle() {
        sleep(Duration::from_millis(1)).await;
    }

    type TestParts = Parts<Tty, Pin<Box<dyn Stream<Item = Typed>>>, Manual, Fed>;

    /// What the loop is given in that world, with the ends of its channels.
    fn parts(world: &Rc<World>) -> (TestParts, Hands) {
        let (keys, typed) = mpsc::channel(200);
        let (out, notices) = mpsc::channel(8);
        let input = futures_util::stream::unfold(typed, |mut typed| async { typed.recv().await.map(|message| (message, typed)) });
        let input: Pin<Box<dyn Stream<Item = Typed>>> = Box::pin(input);
        let parts = Parts {
            core: CORE,
            state: state(),
            sink: Tty(world.clone()),
            input,
            notices,
            clock: Manual(Instant::now()),
            clipboard: Clipboard::default(),
            feed: Fed(world.clone()),
            keeper: Keeper::new(None, 1),
            terminal: Terminal::Theirs,
        };
        (parts, Hands { keys, notices: out })
    }

    async fn driven<T>(script: impl AsyncFnOnce(&World, Hands) -> T) -> (u8, T, Rc<World>) {
        let world = Rc::new(World { size: Cell::new((60, 5)), ..World::default() });
        let (mut parts, hands) = parts(&world);
        let script = async {
            settle().await;
            script(&world, hands).await
        };
        let (code, result) = tokio::join!(run(&mut parts), script);
        let End::Leave(code) = code.unwrap() else { panic!("nothing else is open") };
        (code, result, world)
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_frame_comes_before_the_sources_and_each_key_at_once() {
        let (code, (), world) = driven(async |world, hands| {
            assert_eq!(world.frames(), 1);
            for (typed, c) in "abc".chars().enumerate() {
                let before = Instant::now();
                hands.press(c).await;
                assert_eq!(world.frames(), typed + 2);
                assert!(before.elapsed() < CALM);
            }
            assert!(world.screen().contains("typed abc"));
            hands.press('q').await;
        })
        .await;
        assert_eq!((code, world.frames_at_start.get()), (0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_data_is_two_frames_in_a_tenth_of_a_second() {
        driven(async |world, hands| {
            sleep(CALM * 3).await;
            let before = world.frames();
            for number in 0..100 {
                world.datum(number).await;
                sleep(Duration::from_micros(900)).await;
            }
            assert!((1..=2).contains(&(world.frames() - before)), "{} frames", world.frames() - before);
            sleep(CALM * 2).await;
            assert!(world.frames() - before <= 3);
            assert!(world.screen().contains("data 99"), "the newest is shown in the end");
            hands.press('q').await;
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_stuck_terminal_has_one_frame_in_flight_and_then_gets_the_newest_state() {
        driven(async |world, hands| {
            world.stuck.set(true);
            hands.press('a').await;
            let stuck_at = world.frames();
            for number in 0..50 {
                world.datum(number).await;
                hands.press('b').await;
                sleep(CALM).await;
            }
            assert_eq!(world.frames(), stuck_at, "nothing is drawn on top of a frame in flight");
            world.unstick();
            settle().await;
            assert_eq!(world.frames(), stuck_at + 1);
            assert!(world.screen().contains("data 49"));
            world.stuck.set(true);
            hands.press('c').await;
            hands.press('q').await; // and it can be left all the same
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_changes_nothing_on_the_screen_writes_nothing() {
        driven(async |world, hands| {
            world.datum(1).await;
            sleep(CALM * 2).await;
            let before = world.frames();
            for _ in 0..5 {
                world.datum(1).await;
                sleep(CALM * 2).await;
            }
            assert_eq!(world.frames(), before);
            hands.press('l').await;
            assert_eq!(world.frames(), before + 1, "but a redraw is all of it");
            assert!(String::from_utf8_lossy(world.frames.borrow().last().unwrap()).contains("\x1b[2J"));
            hands.press('q').await;
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn each_way_out_has_its_code() {
        let ended = driven(async |_, hands| hands.notices.send(Notice::End(143)).await.unwrap()).await;
        assert_eq!(ended.0, 143);
        let closed = driven(async |_, hands| drop(hands.keys)).await;
        assert_eq!(closed.0, HUNG_UP);
        let gone = driven(async |world, hands| {
            world.gone.set(true);
            hands.press('a').await;
            hands.notices // kept until the end: closing it would end the loop too
        })
        .await;
        assert_eq!(gone.0, HUNG_UP);
    }

    #[tokio::test(start_paused = true)]
    async fn a_suspended_console_comes_back_whole_and_with_the_new_size() {
        let (.., world) = driven(async |world, hands| {
            hands.press('a').await;
            let before = world.frames();
            hands.press('z').await;
            assert_eq!((world.suspended.get(), world.frames()), (1, before + 1));
            let whole = world.frames.borrow_mut().split_off(before);
            assert!(whole[0].starts_with(b"\x1b[?1049h\x1b[?2026h"), "the modes come first");
            world.frames.replace(whole);
            assert!(world.screen().contains("typed a"), "that frame alone shows all");
            hands.notices.send(Notice::Continued).await.unwrap();
            settle().await;
            assert_eq!(world.frames(), 2, "whoever was stopped from outside is drawn again too");
            hands.press('q').await;
        })
        .await;
        assert_eq!(world.size.get(), (50, 4));
    }

    #[tokio::test(start_paused = true)]
    async fn modes_that_wait_behind_a_stuck_frame_are_not_lost_by_a_redraw() {
        driven(async |world, hands| {
            world.stuck.set(true);
            hands.press('a').await;
            let before = world.frames();
            hands.notices.send(Notice::Continued).await.unwrap();
            settle().await;
            hands.press('l').await;
            world.unstick();
            settle().await;
            assert!(world.frames.borrow()[before].starts_with(b"\x1b[?1049h"));
            hands.press('q').await;
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_dialog_is_on_the_screen_once_its_frame_is_written_and_anew_after_a_stop() {
        driven(async |world, hands| {
            world.stuck.set(true);
            hands.press('w').await;
            sleep(CALM * 20).await;
            hands.press('s').await;
            world.unstick();
            settle().await;
            assert!(world.screen().contains("typed <no>"), "what was typed before it was there: {}", world.screen());
            hands.press('s').await;
            assert!(world.screen().contains("typed <no><7>"), "{}", world.screen());
            world.stuck.set(true);
            hands.notices.send(Notice::Continued).await.unwrap();
            settle().await;
            hands.press('s').await;
            world.unstick();
            settle().await;
            assert!(world.screen().contains("<7><no>"), "another program may have been on the screen: {}", world.screen());
            hands.press('q').await;
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn another_estate_takes_the_terminal_over_as_it_is() {
        let world = Rc::new(World { size: Cell::new((60, 5)), ..World::default() });
        let (mut parts, hands) = parts(&world);
        let script = async {
            settle().await;
            world.stuck.set(true);
            hands.keys.send(Typed::Told(Message::Key(Key::char('a')))).await.unwrap();
            settle().await;
            hands.keys.send(Typed::Told(Message::Key(Key::char('@')))).await.unwrap();
        };
        let (end, ()) = tokio::join!(run(&mut parts), script);
        assert_eq!((end.unwrap(), parts.terminal), (End::Switch("far".into()), Terminal::Ours { in_flight: true, mouse: false }));
        let former = world.sources.borrow_mut().take().unwrap();
        assert!(former.is_closed(), "nobody hears the sources of the former any more");
        let before = world.frames();
        let Parts { sink, input, notices, terminal, .. } = parts;
        let (clock, feed, keeper) = (Manual(Instant::now()), Fed(world.clone()), Keeper::new(None, 1));
        let core = CORE;
        let clipboard = Clipboard::default();
        let mut parts = Parts { core, state: state(), sink, input, notices, clock, clipboard, feed, keeper, terminal };
        let script = async {
            settle().await;
            assert_eq!(world.frames(), before, "the frame of the former is still on its way");
            world.unstick();
            settle().await;
            assert_eq!(world.frames(), before + 1);
            let first = String::from_utf8_lossy(&world.frames.borrow()[before]).into_owned();
            assert!(!first.contains("1049") && first.starts_with("\x1b[?2026h"), "no flicker, the whole screen in one update: {first:?}");
            hands.keys.send(Typed::Told(Message::Key(Key::char('q')))).await.unwrap();
        };
        let (end, ()) = tokio::join!(run(&mut parts), script);
        assert_eq!(end.unwrap(), End::Leave(0));
        drop(hands);
    }

    #[tokio::test(start_paused = true)]
    async fn a_click_hits_what_the_frame_on_the_terminal_shows_and_only_once_it_stood_there_for_a_while() {
        let (.., world) = driven(async |world, hands| {
            world.datum(1).await;
            sleep(CALM * 5).await;
            hands.click(3, 1).await;
            assert!(!world.screen().contains('<'), "the mouse is off");
            hands.press('m').await;
            assert!(world.frames.borrow().last().unwrap().starts_with(b"\x1b[?1000h"));
            hands.click(3, 1).await;
            assert!(world.screen().contains("typed <1>"), "{}", world.screen());
            hands.click(60, 1).await;
            hands.click(u16::MAX, u16::MAX).await;
            world.stuck.set(true);
            world.datum(2).await;
            sleep(CALM * 5).await;
            hands.click(3, 1).await;
            world.unstick();
            settle().await;
            assert!(world.screen().contains("typed <1><1>"), "the frame with the newer row was not there yet: {}", world.screen());
            hands.click(3, 1).await;
            assert!(world.screen().contains("typed <1><1>\n"), "another row stood there a moment ago: {}", world.screen());
            sleep(SETTLED).await;
            hands.click(3, 1).await;
            assert!(world.screen().contains("typed <1><1><2>\n"), "{}", world.screen());
            hands.press('m').await;
            assert!(world.frames.borrow().last().unwrap().starts_with(b"\x1b[?1000l"));
            hands.click(3, 1).await;
            assert!(world.screen().contains("typed <1><1><2>\n"), "{}", world.screen());
            hands.press('q').await;
        })
        .await;
        assert_eq!(world.suspended.get(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_wheel_is_drawn_a_few_times_however_fast_it_turns() {
        driven(async |world, hands| {
            hands.press('m').await;
            sleep(CALM * 3).await;
            let before = world.frames();
            for _ in 0..100 {
                hands.keys.send(Typed::Wheel(0, 3)).await.unwrap();
                sleep(Duration::from_micros(900)).await;
            }
            sleep(CALM).await;
            assert!((2..=5).contains(&(world.frames() - before)), "{} frames", world.frames() - before);
            assert!(world.screen().contains("rolled 300"), "and none of it is lost: {}", world.screen());
            hands.press('q').await;
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn wishes_reach_the_sources_and_time_passes_by_itself() {
        let (.., world) = driven(async |world, hands| {
            hands.press('r').await;
            assert_eq!(world.demand.borrow().as_ref().unwrap().borrow().points, 7);
            sleep(NAP).await;
            settle().await;
            assert!(world.screen().contains("ticks ."));
            hands.press('q').await;
        })
        .await;
        assert_eq!(*world.poked.borrow(), [Some(0)]);
    }
}
