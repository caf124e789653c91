//! What the terminal sends, as the application's messages. The end of the stream is the end of the terminal.
//!
//! `QD_PANIC_KEY=f12` makes that key panic: the tests of the terminal's restoring use it.

use std::io;
use std::thread;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, read};
use futures_util::{Stream, stream};
use tokio::sync::mpsc;

use crate::app::key::{Code, Key};
use crate::app::message::Message;

/// What is typed, read by a thread of its own.
///
/// The library spins in a read that holds its lock when the terminal is gone (it takes the end of input for "nothing
/// yet"). On the loop's own thread that would keep us from leaving; here it ends with the process.
///
/// # Errors
/// Where the thread cannot be started.
pub fn listen(panic_key: Option<Key>) -> io::Result<impl Stream<Item = Message> + Unpin + Send + 'static> {
    let (out, typed) = mpsc::channel(64);
    thread::Builder::new().name("qd-input".into()).spawn(move || forward(read, panic_key, &out))?;
    Ok(Box::pin(stream::unfold(typed, |mut typed| async { typed.recv().await.map(|message| (message, typed)) })))
}

/// Sends on what is typed until the terminal cannot be read any more or nobody listens.
fn forward(mut next: impl FnMut() -> io::Result<Event>, panic_key: Option<Key>, out: &mpsc::Sender<Message>) {
    loop {
        match next().map(message) {
            Ok(message) => {
                panic_at(panic_key, message.as_ref());
                if message.is_some_and(|message| out.blocking_send(message).is_err()) {
                    return;
                }
            }
            Err(error) => {
                tracing::info!(%error, "the terminal cannot be read any more");
                return;
            }
        }
    }
}

#[allow(clippy::panic, reason = "asked for by QD_PANIC_KEY")]
fn panic_at(panic_key: Option<Key>, message: Option<&Message>) {
    if let (Some(Message::Key(key)), Some(bad)) = (message, panic_key)
        && *key == bad
    {
        panic!("the key of QD_PANIC_KEY was pressed");
    }
}

/// What an event means here; `None` where nothing: key releases, the mouse.
pub fn message(event: Event) -> Option<Message> {
    match event {
        Event::Key(KeyEvent { kind: KeyEventKind::Release, .. }) => None,
        Event::Key(event) => key(event).map(Message::Key),
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Resize(columns, rows) => Some(Message::Resize(columns, rows)),
        Event::FocusGained => Some(Message::Focus(true)),
        Event::FocusLost => Some(Message::Focus(false)),
        Event::Mouse(_) => None,
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
        match message(Event::Key(KeyEvent::new(code, modifiers))) {
            Some(Message::Key(key)) => key.to_string(),
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
    fn a_released_key_and_the_mouse_mean_nothing() {
        let up = KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(message(Event::Key(up)), None);
        assert_eq!(message(Event::FocusLost), Some(Message::Focus(false)));
        let again = KeyEvent::new_with_kind(KeyCode::Char('j'), KeyModifiers::NONE, KeyEventKind::Repeat);
        assert_eq!(message(Event::Key(again)), Some(Message::Key(Key::char('j'))));
    }

    #[test]
    fn the_first_error_ends_it() {
        let mut events = vec![Ok(Event::Resize(1, 1)), Err(io::Error::other("EIO")), Ok(Event::Paste("q".into())), Ok(Event::FocusGained)];
        let (out, mut typed) = mpsc::channel(8);
        forward(|| events.pop().unwrap(), None, &out);
        assert_eq!(typed.try_recv(), Ok(Message::Focus(true)));
        assert_eq!(typed.try_recv(), Ok(Message::Paste("q".into())));
        assert!(typed.try_recv().is_err());
    }

    #[test]
    #[should_panic(expected = "QD_PANIC_KEY")]
    fn the_panic_key_panics() {
        let event = || Ok(Event::Key(KeyEvent::new(KeyCode::F(12), KeyModifiers::NONE)));
        forward(event, Some(Key::plain(Code::F(12))), &mpsc::channel(8).0);
    }
}
