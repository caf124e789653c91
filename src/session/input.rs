//! What the terminal sends, as the application's messages. The end of the stream is the end of the terminal.
//!
//! `QD_PANIC_KEY=f12` makes that key panic: the tests of the terminal's restoring use it.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind, poll, read};
use futures_util::{Stream, stream};
use tokio::sync::mpsc;

use crate::app::key::{Code, Key};
use crate::app::message::Message;

use super::ground::{HELD, Sieve, Sifted};

/// How long the answer to a question is awaited: one over a line that is slower than that comes whole or not at all.
const AWAITED: Duration = Duration::from_secs(5);
/// Lines that one turn of the wheel scrolls.
const WHEEL: i16 = 3;

/// What a person does.
#[derive(Debug, Clone, PartialEq)]
pub enum Typed {
    /// Something that means the same wherever the screen stands.
    Told(Message),
    /// The left button was pressed at that column and line: what that means, the loop knows by what it showed there.
    Click(u16, u16),
    /// The wheel was turned at that column, by so many lines, downwards where positive.
    Wheel(u16, i16),
}

/// What is typed, read by a thread of its own; what the terminal answers is taken out of it.
///
/// The library spins in a read that holds its lock when the terminal is gone (it takes the end of input for "nothing
/// yet"). On the loop's own thread that would keep us from leaving; here it ends with the process.
///
/// # Errors
/// Where the thread cannot be started.
pub fn listen(panic_key: Option<Key>, sieve: Sieve) -> io::Result<impl Stream<Item = Typed> + Unpin + Send + 'static> {
    let (out, typed) = mpsc::channel(64);
    thread::Builder::new().name("qd-input".into()).spawn(move || forward(read, poll, sieve, panic_key, &out))?;
    Ok(Box::pin(stream::unfold(typed, |mut typed| async { typed.recv().await.map(|message| (message, typed)) })))
}

/// Sends on what is typed until the terminal cannot be read any more or nobody listens.
fn forward(
    mut next: impl FnMut() -> io::Result<Event>,
    mut comes: impl FnMut(Duration) -> io::Result<bool>,
    mut sieve: Sieve,
    panic_key: Option<Key>,
    out: &mpsc::Sender<Typed>,
) {
    let began = Instant::now();
    loop {
        // What may become an answer is typed where nothing follows at once.
        let event = match sieve.holds() && matches!(comes(HELD), Ok(false)) {
            true => Ok(Sifted::Events(sieve.release())),
            false => next().map(|event| sieve.take(event)),
        };
        if began.elapsed() > AWAITED {
            sieve.give_up();
        }
        let all: Vec<Typed> = match event {
            Ok(Sifted::Events(events)) => events.into_iter().filter_map(typed).collect(),
            Ok(Sifted::Ground(ground)) => vec![Typed::Told(Message::Ground(ground))],
            Ok(Sifted::Held) => Vec::new(),
            Err(error) => {
                tracing::info!(%error, "the terminal cannot be read any more");
                return;
            }
        };
        for one in all {
            panic_at(panic_key, Some(&one));
            if out.blocking_send(one).is_err() {
                return;
            }
        }
    }
}

#[allow(clippy::panic, reason = "asked for by QD_PANIC_KEY")]
fn panic_at(panic_key: Option<Key>, typed: Option<&Typed>) {
    if let (Some(Typed::Told(Message::Key(key))), Some(bad)) = (typed, panic_key)
        && *key == bad
    {
        panic!("the key of QD_PANIC_KEY was pressed");
    }
}

/// What an event means here; `None` where nothing: key releases, other buttons.
pub fn typed(event: Event) -> Option<Typed> {
    match event {
        Event::Key(KeyEvent { kind: KeyEventKind::Release, .. }) => None,
        Event::Key(event) => key(event).map(Message::Key).map(Typed::Told),
        Event::Paste(text) => Some(Typed::Told(Message::Paste(text))),
        Event::Resize(columns, rows) => Some(Typed::Told(Message::Resize(columns, rows))),
        Event::FocusGained => Some(Typed::Told(Message::Focus(true))),
        Event::FocusLost => Some(Typed::Told(Message::Focus(false))),
        Event::Mouse(event) => mouse(event),
    }
}

/// With a key held down it is the terminal's, or the window's, own.
fn mouse(event: MouseEvent) -> Option<Typed> {
    if !event.modifiers.is_empty() {
        return None;
    }
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Typed::Click(event.column, event.row)),
        MouseEventKind::ScrollDown => Some(Typed::Wheel(event.column, WHEEL)),
        MouseEventKind::ScrollUp => Some(Typed::Wheel(event.column, -WHEEL)),
        _ => None,
    }
}

fn key(event: KeyEvent) -> Option<Key> {
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    let code = match event.code {
        // Terminals do not agree on the case of a letter with Ctrl; keymaps write it small.
        KeyCode::Char(c) if ctrl => Code::Char(c.to_ascii_lowercase()),
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => Code::BackTab,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Insert => Code::Insert,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::F(n @ 1..=24) => Code::F(n),
        _ => return None,
    };
    Some(Key { code, ctrl, alt: event.modifiers.contains(KeyModifiers::ALT) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(code: KeyCode, modifiers: KeyModifiers) -> String {
        match typed(Event::Key(KeyEvent::new(code, modifiers))) {
            Some(Typed::Told(Message::Key(key))) => key.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn keys_come_as_keymaps_write_them() {
        assert_eq!(pressed(KeyCode::Char('G'), KeyModifiers::SHIFT), "G");
        assert_eq!(pressed(KeyCode::Char('C'), KeyModifiers::CONTROL), "ctrl-c");
        assert_eq!(pressed(KeyCode::Char('x'), KeyModifiers::ALT), "alt-x");
        assert_eq!(pressed(KeyCode::Tab, KeyModifiers::SHIFT), "backtab");
        assert_eq!(pressed(KeyCode::BackTab, KeyModifiers::SHIFT), "backtab");
        assert_eq!(pressed(KeyCode::Char(' '), KeyModifiers::NONE), "space");
        assert_eq!(pressed(KeyCode::F(12), KeyModifiers::NONE), "f12");
        assert_eq!(pressed(KeyCode::CapsLock, KeyModifiers::NONE), "None");
    }

    #[test]
    fn only_the_left_button_and_the_wheel_mean_something_and_nothing_with_a_key_held_down() {
        let at = |kind, modifiers| typed(Event::Mouse(MouseEvent { kind, column: 7, row: 9, modifiers }));
        assert_eq!(at(MouseEventKind::Down(MouseButton::Left), KeyModifiers::NONE), Some(Typed::Click(7, 9)));
        assert_eq!(at(MouseEventKind::ScrollUp, KeyModifiers::NONE), Some(Typed::Wheel(7, -3)));
        assert_eq!(at(MouseEventKind::Down(MouseButton::Left), KeyModifiers::SHIFT), None);
        for kind in [MouseEventKind::Down(MouseButton::Right), MouseEventKind::Up(MouseButton::Left), MouseEventKind::Moved] {
            assert_eq!(at(kind, KeyModifiers::NONE), None);
        }
    }

    #[test]
    fn a_released_key_means_nothing() {
        let up = KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(typed(Event::Key(up)), None);
        assert_eq!(typed(Event::FocusLost), Some(Typed::Told(Message::Focus(false))));
        let again = KeyEvent::new_with_kind(KeyCode::Char('j'), KeyModifiers::NONE, KeyEventKind::Repeat);
        assert_eq!(typed(Event::Key(again)), Some(Typed::Told(Message::Key(Key::char('j')))));
    }

    #[test]
    fn the_first_error_ends_it() {
        let mut events = vec![Ok(Event::Resize(1, 1)), Err(io::Error::other("EIO")), Ok(Event::Paste("q".into())), Ok(Event::FocusGained)];
        let (out, mut typed) = mpsc::channel(8);
        forward(|| events.pop().unwrap(), |_| Ok(true), Sieve::default(), None, &out);
        assert_eq!(typed.try_recv(), Ok(Typed::Told(Message::Focus(true))));
        assert_eq!(typed.try_recv(), Ok(Typed::Told(Message::Paste("q".into()))));
        assert!(typed.try_recv().is_err());
    }

    #[test]
    fn an_answer_of_the_terminal_is_no_key_and_what_only_begins_like_one_is() {
        let (end, alt) = (Err(io::Error::other("EIO")), || KeyEvent::new(KeyCode::Char(']'), KeyModifiers::ALT));
        let mut events: Vec<io::Result<Event>> = vec![Ok(Event::Key(alt()))];
        events.extend("11;rgb:ffff/ffff/ffff".chars().map(|c| Ok(Event::Key(KeyCode::Char(c).into()))));
        events.push(Ok(Event::Key(KeyEvent::new(KeyCode::Char('g'), KeyModifiers::CONTROL))));
        events.extend([Ok(Event::Key(alt())), Ok(Event::Key(KeyCode::Char('q').into())), end]);
        let left = std::cell::RefCell::new(events.into_iter().collect::<std::collections::VecDeque<_>>());
        let (out, mut typed) = mpsc::channel(8);
        // Nothing follows the second one at once.
        let follows = |_| Ok(left.borrow().len() > 2);
        forward(|| left.borrow_mut().pop_front().unwrap(), follows, Sieve::new(true), None, &out);
        let told: Vec<Typed> = std::iter::from_fn(|| typed.try_recv().ok()).collect();
        let alt = Key { alt: true, ..Key::char(']') };
        let all = [Message::Ground(crate::model::preferences::Ground::Light), Message::Key(alt), Message::Key(Key::char('q'))];
        assert_eq!(told, all.map(Typed::Told));
    }

    #[test]
    #[should_panic(expected = "QD_PANIC_KEY")]
    fn the_panic_key_panics() {
        let event = || Ok(Event::Key(KeyEvent::new(KeyCode::F(12), KeyModifiers::NONE)));
        forward(event, |_| Ok(true), Sieve::default(), Some(Key::plain(Code::F(12))), &mpsc::channel(8).0);
    }
}
