//! What the terminal sends, as the application's messages. The end of the stream is the end of the terminal.
//!
//! `QD_PANIC_KEY=f12` makes that key panic: the tests of the terminal's restoring use it.

use std::future::ready;
use std::io;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures_util::{Stream, StreamExt};

use crate::app::key::{Code, Key};
use crate::app::message::Message;

/// The messages of a stream of terminal events. It ends with the first error: a terminal that cannot be read is gone.
pub fn messages(events: impl Stream<Item = io::Result<Event>> + Unpin, panic_key: Option<Key>) -> impl Stream<Item = Message> + Unpin {
    events
        .take_while(|event| {
            if let Err(error) = event {
                tracing::info!(%error, "the terminal cannot be read any more");
            }
            ready(event.is_ok())
        })
        .filter_map(move |event| {
            let message = event.ok().and_then(message);
            if let (Some(Message::Key(key)), Some(bad)) = (&message, panic_key) {
                #[allow(clippy::panic, reason = "asked for by QD_PANIC_KEY")]
                if *key == bad {
                    panic!("the key of QD_PANIC_KEY was pressed");
                }
            }
            ready(message)
        })
}

/// What an event means here; `None` where nothing: key releases, the mouse, focus.
pub fn message(event: Event) -> Option<Message> {
    match event {
        Event::Key(KeyEvent { kind: KeyEventKind::Release, .. }) => None,
        Event::Key(event) => key(event).map(Message::Key),
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Resize(columns, rows) => Some(Message::Resize(columns, rows)),
        Event::Mouse(_) | Event::FocusGained | Event::FocusLost => None,
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
    use futures_util::stream;

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
        assert_eq!(message(Event::FocusLost), None);
        let again = KeyEvent::new_with_kind(KeyCode::Char('j'), KeyModifiers::NONE, KeyEventKind::Repeat);
        assert_eq!(message(Event::Key(again)), Some(Message::Key(Key::char('j'))));
    }

    #[tokio::test]
    async fn the_first_error_ends_the_stream() {
        let events = vec![Ok(Event::FocusGained), Ok(Event::Paste("q".into())), Err(io::Error::other("EIO")), Ok(Event::Resize(1, 1))];
        let all: Vec<Message> = messages(stream::iter(events), None).collect().await;
        assert_eq!(all, [Message::Paste("q".into())]);
    }

    #[tokio::test]
    #[should_panic(expected = "QD_PANIC_KEY")]
    async fn the_panic_key_panics() {
        let event = Event::Key(KeyEvent::new(KeyCode::F(12), KeyModifiers::NONE));
        let _: Vec<Message> = messages(stream::iter(vec![Ok(event)]), Some(Key::plain(Code::F(12)))).collect().await;
    }
}
