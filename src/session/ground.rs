//! Asks the terminal whether its ground is dark or light, and takes the answer out of what is typed.
//!
//! The question is xterm's "OSC 11" (<https://invisible-island.net/xterm/ctlseqs/ctlseqs.html>, "Operating System
//! Commands"). It goes out with the first frame, and nothing waits for the answer: it comes when it comes, over a slow
//! line late, from many terminals never. The library that reads the keys does not know it, and makes keys of it: Alt-],
//! then its characters, then Ctrl-G or Alt-\. These are put together again here, and never reach the keymap; whatever
//! does not go on as an answer does is given on as what it is, typed keys.

use std::ffi::OsStr;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::model::contrast;
use crate::model::preferences::Ground;

/// Asks for the colour of the ground.
pub const QUESTION: &[u8] = b"\x1b]11;?\x1b\\";

/// How long what may become an answer is held back: a terminal writes its answer at once, a person does not type that
/// fast.
pub const HELD: Duration = Duration::from_millis(60);

/// The most keys that one answer takes: `ESC ] 11 ; rgba : hhhh / hhhh / hhhh / hhhh BEL`.
const LONGEST: usize = 40;

/// Whether a terminal of that name can be asked. Linux' own console writes what it does not know on the screen.
pub fn can_be_asked(term: Option<&OsStr>) -> bool {
    term.and_then(OsStr::to_str).is_some_and(|term| !matches!(term, "" | "dumb" | "linux"))
}

/// The ground by `COLORFGBG`: the numbers of the colours that rxvt and its kin write in and on, such as `15;0`.
pub fn hint(colorfgbg: &str) -> Option<Ground> {
    match colorfgbg.rsplit_once(';')?.1.parse::<u8>().ok()? {
        0..=6 | 8 => Some(Ground::Dark),
        7 | 9..=15 => Some(Ground::Light),
        _ => None,
    }
}

/// What became of an event.
#[derive(Debug, PartialEq)]
pub enum Sifted {
    /// It may be a part of an answer: ask again with the next, or release it after [`HELD`].
    Held,
    /// The answer is whole.
    Ground(Ground),
    /// These are what they are, in this order.
    Events(Vec<Event>),
}

/// Takes answers out of what is typed.
#[derive(Debug, Default)]
pub struct Sieve {
    /// Whether the terminal was asked: else nothing is held.
    asked: bool,
    /// Whether an answer is still awaited. Then Escape may be the first piece of one that came in pieces.
    awaited: bool,
    held: Vec<Event>,
    text: String,
}

enum Step {
    More,
    Whole(Ground),
    No,
}

impl Sieve {
    /// A sieve for a terminal that was asked, or was not.
    pub fn new(asked: bool) -> Sieve {
        Sieve { asked, awaited: asked, ..Sieve::default() }
    }

    /// True while something is held.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// What is held was typed after all.
    pub fn release(&mut self) -> Vec<Event> {
        self.text.clear();
        std::mem::take(&mut self.held)
    }

    /// From now on nobody waits for an answer any more: an Escape is one at once.
    pub fn give_up(&mut self) {
        self.awaited = false;
    }

    /// Takes in the next event.
    pub fn take(&mut self, event: Event) -> Sifted {
        if !self.asked {
            return Sifted::Events(vec![event]);
        }
        let Some(piece) = piece(&event) else {
            let mut events = self.release();
            events.push(event);
            return Sifted::Events(events);
        };
        self.text.push_str(&piece);
        self.held.push(event);
        match self.step() {
            Step::More => Sifted::Held,
            Step::Whole(ground) => {
                self.awaited = false;
                self.release();
                Sifted::Ground(ground)
            }
            // The last one may begin an answer itself.
            Step::No if self.held.len() > 1 => {
                let mut events = self.release();
                match events.pop().map(|last| self.take(last)) {
                    Some(Sifted::Events(more)) => events.extend(more),
                    Some(Sifted::Held | Sifted::Ground(_)) | None => {}
                }
                Sifted::Events(events)
            }
            Step::No => Sifted::Events(self.release()),
        }
    }

    fn step(&self) -> Step {
        const HEAD: &str = "\x1b]11;rgb";
        let text = self.text.as_str();
        if HEAD.starts_with(text) {
            // Escape alone is a key that people press.
            return if text != "\x1b" || self.awaited { Step::More } else { Step::No };
        }
        let Some(rest) = text.strip_prefix(HEAD) else { return Step::No };
        let rest = rest.strip_prefix('a').unwrap_or(rest);
        if rest.is_empty() {
            return Step::More;
        }
        let Some(rest) = rest.strip_prefix(':') else { return Step::No };
        let body = rest.strip_suffix('\x07').or_else(|| rest.strip_suffix("\x1b\\"));
        let fits = |text: &str| text.chars().all(|c| c.is_ascii_hexdigit() || c == '/');
        match body {
            Some(body) if fits(body) => colour(body).map_or(Step::No, |colour| Step::Whole(contrast::ground(colour))),
            None if self.held.len() < LONGEST && fits(rest.strip_suffix('\x1b').unwrap_or(rest)) => Step::More,
            _ => Step::No,
        }
    }
}

/// `hhhh/hhhh/hhhh`, each with one to four digits, as XParseColor reads them; a fourth, the opacity, is left out.
fn colour(text: &str) -> Option<contrast::Rgb> {
    let mut parts = text.split('/').map(|part| {
        let value = u32::from_str_radix(part, 16).ok().filter(|_| (1..=4).contains(&part.len()))?;
        u8::try_from(value * 255 / ((1 << (4 * part.len() as u32)) - 1)).ok()
    });
    let mut next = || parts.next().flatten();
    Some((next()?, next()?, next()?))
}

/// The characters that a key came as; `None` for what is in no answer.
fn piece(event: &Event) -> Option<String> {
    let Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press, .. }) = event else { return None };
    match (code, *modifiers) {
        (KeyCode::Esc, KeyModifiers::NONE) => Some("\x1b".to_owned()),
        (KeyCode::Char(c), KeyModifiers::NONE | KeyModifiers::SHIFT) => Some(c.to_string()),
        (KeyCode::Char(c @ (']' | '\\')), KeyModifiers::ALT) => Some(format!("\x1b{c}")),
        (KeyCode::Char('g'), KeyModifiers::CONTROL) => Some("\x07".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(c: char) -> Event {
        Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))
    }

    /// The events that the library makes of these characters.
    fn events(text: &str) -> Vec<Event> {
        let (mut events, mut chars) = (Vec::new(), text.chars().peekable());
        while let Some(c) = chars.next() {
            events.push(match c {
                '\x1b' => match chars.next_if(|c| matches!(c, ']' | '\\')) {
                    Some(c) => Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::ALT)),
                    None => Event::Key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE)),
                },
                '\x07' => Event::Key(KeyEvent::new(KeyCode::Char('g'), KeyModifiers::CONTROL)),
                c => key(c),
            });
        }
        events
    }

    fn sift(sieve: &mut Sieve, all: Vec<Event>) -> (Vec<Event>, Option<Ground>) {
        let (mut typed, mut ground) = (Vec::new(), None);
        for event in all {
            match sieve.take(event) {
                Sifted::Held => {}
                Sifted::Ground(told) => ground = Some(told),
                Sifted::Events(events) => typed.extend(events),
            }
        }
        typed.extend(sieve.release());
        (typed, ground)
    }

    #[test]
    fn an_answer_is_taken_out_and_the_keys_around_it_stay() {
        for (answer, ground) in [
            ("\x1b]11;rgb:0000/0000/0000\x07", Ground::Dark),
            ("\x1b]11;rgb:ffff/FFFF/ffff\x1b\\", Ground::Light),
            ("\x1b]11;rgb:fd/f6/e3\x07", Ground::Light),
            ("\x1b]11;rgba:0000/2b2b/3636/ffff\x07", Ground::Dark),
            ("\x1b]11;rgb:f/f/f\x07", Ground::Light),
        ] {
            let mut sieve = Sieve::new(true);
            let (typed, told) = sift(&mut sieve, events(&format!("j2{answer}k")));
            assert_eq!((typed, told), (vec![key('j'), key('2'), key('k')], Some(ground)), "{answer:?}");
        }
    }

    #[test]
    fn an_answer_that_comes_in_pieces_is_one_too() {
        let split = |text: &str| -> Vec<Event> { text.split_inclusive('\x1b').flat_map(events).collect() };
        let mut sieve = Sieve::new(true);
        let pieces = split("\x1b]11;rgb:ffff/ffff/ffff\x1b\\");
        assert_eq!(pieces[0], events("\x1b")[0], "Escape by itself");
        assert_eq!(sift(&mut sieve, pieces), (vec![], Some(Ground::Light)));
    }

    #[test]
    fn escape_is_held_only_while_an_answer_is_awaited() {
        let mut sieve = Sieve::new(true);
        assert_eq!(sieve.take(events("\x1b").remove(0)), Sifted::Held);
        assert_eq!(sieve.release(), events("\x1b"));
        sieve.give_up();
        assert_eq!(sieve.take(events("\x1b").remove(0)), Sifted::Events(events("\x1b")));
        assert!(!sieve.holds());
    }

    #[test]
    fn what_only_begins_like_an_answer_is_typed() {
        for text in [
            "\x1b]",
            "\x1b]11;q",
            "\x1b]11;rgb:zz",
            "\x1b]52;c;",
            "\x1b]11;rgb:ff/ff\x07",
            "\x1b]11;rgb://///\x07",
            "\x1b\x1b",
            "\x1b]\x1b]",
        ] {
            assert_eq!(sift(&mut Sieve::new(true), events(text)), (events(text), None), "{text:?}");
        }
        let endless = format!("\x1b]11;rgb:{}", "f".repeat(200));
        assert_eq!(sift(&mut Sieve::new(true), events(&endless)), (events(&endless), None));
        let answer = "\x1b]11;rgb:ffff/ffff/ffff\x07";
        assert_eq!(sift(&mut Sieve::new(false), events(answer)), (events(answer), None), "nobody asked");
    }

    #[test]
    fn the_hint_of_rxvt_and_whom_not_to_ask() {
        let hints = ["15;0", "0;15", "0;default;15", "12;8", "0;7", "7", "15;default", ""].map(hint);
        let (dark, light) = (Some(Ground::Dark), Some(Ground::Light));
        assert_eq!(hints, [dark, light, light, dark, light, None, None, None]);
        assert!(can_be_asked(Some(OsStr::new("xterm-256color"))));
        for term in [None, Some(""), Some("dumb"), Some("linux")] {
            assert!(!can_be_asked(term.map(OsStr::new)), "{term:?}");
        }
    }

    proptest! {
        /// Whatever is typed comes through whole and in its order, but for whole answers.
        #[test]
        fn no_key_is_lost(text in "[\x1b\x07\\]1;rgb:f/\\\\jq]{0,60}") {
            let all = events(&text);
            let (typed, ground) = sift(&mut Sieve::new(true), all.clone());
            prop_assert!(ground.is_some() || typed == all);
        }
    }
}
