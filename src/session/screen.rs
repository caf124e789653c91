//! Frames: drawn into memory, as the difference to the frame before, and written by a thread of their own, so that a
//! slow or stuck terminal never holds up the loop. What the terminal takes at once is written at once: it saves two
//! changes of threads for each key.

use std::cell::RefCell;
use std::fs::File;
use std::future::Future;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc as std_mpsc;
use std::thread;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::ttyname;
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::{Frame, Terminal};
use tokio::sync::mpsc;

use super::guard::{Modes, STUCK_LIMIT, tty};
use crate::ui::Plain;

/// Synchronised update: the terminal shows what comes between these two at once, without tearing.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// Takes frames, one at a time.
pub trait Sink {
    /// Hands a frame out. Never waits; only called while none is in flight.
    fn send(&mut self, frame: Vec<u8>);
    /// Ends when the frame in flight is written, with an error when the terminal is gone. May be dropped at any time.
    fn written(&mut self) -> impl Future<Output = io::Result<()>>;
    /// Sets the terminal's modes; the bytes go before the next frame.
    ///
    /// # Errors
    /// Where the terminal refuses.
    fn set(&mut self) -> io::Result<Vec<u8>>;
    /// Whether the mouse is wanted; the bytes go before the next frame, and again with each setting of the modes.
    fn mouse(&mut self, wanted: bool) -> Vec<u8>;
    /// Gives the terminal back and stops the process; returns when it goes on.
    fn suspend(&mut self);
    /// The bytes that set the terminal's title; none where it has none.
    fn title(&mut self, title: &str) -> Vec<u8> {
        let _ = title;
        Vec::new()
    }
    /// The terminal's size: columns, rows; `None` where it has none.
    fn size(&mut self) -> Option<(u16, u16)>;
}

/// Draws frames as the difference to the one before.
pub struct Painter {
    terminal: Terminal<Memory>,
    bytes: Shared,
    before: Vec<u8>,
    /// The text alone that is shown, where that is what is shown.
    plain: Option<Plain>,
}

impl Painter {
    /// A painter for a terminal of that size, of which nothing is known.
    ///
    /// # Errors
    /// None in practice: memory takes all.
    pub fn new(size: (u16, u16)) -> io::Result<Painter> {
        // The library's own way with NO_COLOR writes resets that lose reverse and bold, and with them the selection.
        // Themes without colours are the console's way.
        crossterm::style::force_color_output(true);
        let bytes = Shared::default();
        let size = Size::new(size.0, size.1);
        let memory = Memory { inner: CrosstermBackend::new(bytes.clone()), size, shown: None, cursor: None };
        Ok(Painter { terminal: Terminal::new(memory)?, bytes, before: Vec::new(), plain: None })
    }

    /// The terminal has this size now.
    pub fn resize(&mut self, (columns, rows): (u16, u16)) {
        self.terminal.backend_mut().size = Size::new(columns, rows);
    }

    /// The terminal's size as it is known here: columns, rows.
    pub fn size(&mut self) -> (u16, u16) {
        let Size { width, height } = self.terminal.backend_mut().size;
        (width, height)
    }

    /// Forgets what the terminal shows: the next frame sends these bytes, then all of the screen.
    ///
    /// # Errors
    /// None in practice: memory takes all.
    pub fn forget(&mut self, before: Vec<u8>) -> io::Result<()> {
        self.plain = None;
        // Added: what an earlier call wants sent may still wait behind a frame in flight.
        self.before.extend(before);
        let memory = self.terminal.backend_mut();
        (memory.shown, memory.cursor) = (None, None);
        self.terminal.clear()
    }

    /// These bytes are sent before the next frame.
    pub fn say(&mut self, bytes: Vec<u8>) {
        self.before.extend(bytes);
    }

    /// The bytes that show this text alone, written from its first character to its last without a step of the cursor:
    /// where a line is too long the terminal wraps it, and knows that it is one. `None` where it is shown already.
    pub fn plain(&mut self, plain: Plain) -> Option<Vec<u8>> {
        if self.plain.as_ref() == Some(&plain) && self.before.is_empty() {
            return None;
        }
        let mut frame = std::mem::take(&mut self.before);
        frame.extend_from_slice(BEGIN);
        frame.extend_from_slice(b"\x1b[0m\x1b[2J\x1b[H");
        frame.extend_from_slice(plain.lines.join("\r\n").as_bytes());
        frame.extend_from_slice(format!("\x1b[{};1H\x1b[2m{}\x1b[0m", plain.height, plain.foot).as_bytes());
        frame.extend_from_slice(END);
        self.plain = Some(plain);
        Some(frame)
    }

    /// The bytes that turn the last frame into this one; `None` where they are the same.
    ///
    /// # Errors
    /// None in practice: memory takes all.
    pub fn paint(&mut self, draw: impl FnOnce(&mut Frame)) -> io::Result<Option<Vec<u8>>> {
        if self.plain.take().is_some() {
            self.forget(Vec::new())?;
        }
        self.terminal.draw(draw)?;
        let body = std::mem::take(&mut *self.bytes.0.borrow_mut());
        if body.is_empty() && self.before.is_empty() {
            return Ok(None);
        }
        let mut frame = std::mem::take(&mut self.before);
        frame.reserve(BEGIN.len() + body.len() + END.len());
        frame.extend_from_slice(BEGIN);
        frame.extend_from_slice(&body);
        frame.extend_from_slice(END);
        Ok(Some(frame))
    }
}

/// Bytes that the backend writes and the painter takes.
#[derive(Debug, Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A backend that never touches the terminal, and writes nothing where nothing changes: the library's own writes
/// resets and the cursor's state with each frame.
struct Memory {
    inner: CrosstermBackend<Shared>,
    size: Size,
    /// Whether the cursor is shown, where known.
    shown: Option<bool>,
    /// Where it is, where known.
    cursor: Option<Position>,
}

impl Backend for Memory {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        self.cursor = None;
        self.inner.draw(content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.shown.replace(false) == Some(false) { Ok(()) } else { self.inner.hide_cursor() }
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if self.shown.replace(true) == Some(true) { Ok(()) } else { self.inner.show_cursor() }
    }

    /// What is known, never asked of the terminal: its answer would come with the input, or never.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if self.cursor.replace(position) == Some(position) { Ok(()) } else { self.inner.set_cursor_position(position) }
    }

    fn clear(&mut self) -> io::Result<()> {
        self.inner.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.inner.clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::default() })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The terminal as a sink: what it takes at once is written by the caller, the rest by a thread, one frame after the
/// other.
pub struct Line {
    modes: Arc<Modes>,
    /// What is asked of the terminal with the first frame.
    question: &'static [u8],
    /// The terminal, opened anew so that it can be non-blocking without making the shell's so; `None` where it cannot.
    direct: Option<File>,
    /// How the writing of the frame in flight ended, where that was known at once.
    outcome: Option<io::Result<()>>,
    frames: std_mpsc::SyncSender<Vec<u8>>,
    written: mpsc::Receiver<io::Result<()>>,
    ended: std_mpsc::Receiver<()>,
}

impl Line {
    /// Opens the terminal on standard output.
    ///
    /// # Errors
    /// Where no file descriptor or thread is left.
    pub fn open(modes: Arc<Modes>) -> io::Result<Line> {
        let direct = ttyname(io::stdout())
            .ok()
            .and_then(|path| File::options().write(true).custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits()).open(path).ok());
        Line::over(tty()?, direct, modes)
    }

    fn over(mut out: File, direct: Option<File>, modes: Arc<Modes>) -> io::Result<Line> {
        let (frames, waiting) = std_mpsc::sync_channel::<Vec<u8>>(1);
        let (done, written) = mpsc::channel(1);
        let (end, ended) = std_mpsc::sync_channel(1);
        thread::Builder::new().name("qd-screen".into()).spawn(move || {
            while let Ok(frame) = waiting.recv() {
                let result = write_all(&mut out, &frame);
                let gone = result.is_err();
                if done.blocking_send(result).is_err() || gone {
                    break;
                }
            }
            let _ = end.send(());
        })?;
        Ok(Line { modes, question: &[], direct, outcome: None, frames, written, ended })
    }

    /// Sends this once, with the first frame.
    pub fn asking(self, question: &'static [u8]) -> Line {
        Line { question, ..self }
    }

    /// Lets the frame in flight be written, but no longer than [`STUCK_LIMIT`]: then the thread is left behind, and ends
    /// with the process.
    pub fn close(&mut self) {
        let (nowhere, _) = std_mpsc::sync_channel(1);
        self.frames = nowhere;
        self.written.close();
        let _ = self.ended.recv_timeout(STUCK_LIMIT);
    }
}

impl Sink for Line {
    fn send(&mut self, mut frame: Vec<u8>) {
        match self.direct.as_mut().map_or(Ok(0), |direct| write_now(direct, &frame)) {
            Ok(all) if all == frame.len() => self.outcome = Some(Ok(())),
            Ok(some) => {
                frame.drain(..some);
                // There is room, as none is in flight; where the thread is gone, `written` says so.
                let _ = self.frames.try_send(frame);
            }
            Err(error) => self.outcome = Some(Err(error)),
        }
    }

    async fn written(&mut self) -> io::Result<()> {
        if let Some(outcome) = self.outcome.take() {
            return outcome;
        }
        self.written.recv().await.unwrap_or_else(|| Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn set(&mut self) -> io::Result<Vec<u8>> {
        let mut modes = self.modes.set()?;
        modes.extend_from_slice(std::mem::take(&mut self.question));
        Ok(modes)
    }

    fn mouse(&mut self, wanted: bool) -> Vec<u8> {
        self.modes.mouse(wanted)
    }

    fn suspend(&mut self) {
        self.modes.suspend();
    }

    fn title(&mut self, title: &str) -> Vec<u8> {
        self.modes.title(title)
    }

    fn size(&mut self) -> Option<(u16, u16)> {
        crossterm::terminal::size().ok().filter(|(columns, rows)| *columns > 0 && *rows > 0)
    }
}

/// Writes what is taken without waiting, and says how many bytes that were.
fn write_now(out: &mut File, bytes: &[u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < bytes.len() {
        match out.write(&bytes[done..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => done += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Writes all, also where another program left the terminal in non-blocking mode.
fn write_all(out: &mut File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => bytes = &bytes[n..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                poll(&mut [PollFd::new(out.as_fd(), PollFlags::POLLOUT)], PollTimeout::NONE)
                    .map(drop)
                    .or_else(|errno| if errno == nix::errno::Errno::EINTR { Ok(()) } else { Err(io::Error::from(errno)) })?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::{Modifier, Style};

    fn painted(painter: &mut Painter, text: &'static str) -> Option<String> {
        let style = Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD);
        let frame = painter.paint(|frame| frame.buffer_mut().set_string(0, 0, text, style)).unwrap();
        frame.map(|bytes| String::from_utf8(bytes).unwrap())
    }

    fn shown(bytes: &[String]) -> vt100::Parser {
        let mut parser = vt100::Parser::new(3, 10, 0);
        bytes.iter().for_each(|b| parser.process(b.as_bytes()));
        parser
    }

    #[test]
    fn text_alone_is_wrapped_by_the_terminal_and_drawn_over_whole_afterwards() {
        let mut painter = Painter::new((10, 4)).unwrap();
        painted(&mut painter, "abc");
        let plain = Plain { lines: vec!["0123456789abc".into(), "xy".into()], foot: "foot".into(), height: 4 };
        painter.say(b"\x1b[?1000l".to_vec());
        let bytes = painter.plain(plain.clone()).unwrap();
        assert!(bytes.starts_with(b"\x1b[?1000l"), "what waits goes with it");
        let mut parser = vt100::Parser::new(4, 10, 0);
        parser.process(&bytes);
        assert_eq!(parser.screen().contents(), "0123456789abc\nxy\nfoot", "a wrapped line is one");
        assert!(parser.screen().row_wrapped(0) && !parser.screen().row_wrapped(1));
        assert_eq!(painter.plain(plain), None, "the same again is nothing");
        parser.process(painted(&mut painter, "abc").unwrap().as_bytes());
        assert_eq!(parser.screen().contents(), "abc", "nothing of it is left, and all is drawn");
    }

    #[test]
    fn a_frame_is_one_synchronised_difference_and_an_equal_one_is_nothing() {
        let mut painter = Painter::new((10, 3)).unwrap();
        painter.forget(b"\x1b[?1049h".to_vec()).unwrap();
        let first = painted(&mut painter, "abc").unwrap();
        assert!(first.starts_with("\x1b[?1049h\x1b[?2026h\x1b[2J") && first.ends_with("\x1b[?2026l"), "{first:?}");
        assert_eq!(painted(&mut painter, "abc"), None);
        let second = painted(&mut painter, "abd").unwrap();
        assert!(second.contains('d') && !second.contains('a'), "{second:?}");
        let screen = shown(&[first, second]);
        assert_eq!(screen.screen().contents(), "abd");
        assert!(screen.screen().alternate_screen() && screen.screen().hide_cursor());
        let cell = screen.screen().cell(0, 2).unwrap();
        assert!(cell.inverse() && cell.bold());
    }

    #[test]
    fn forgetting_sends_all_again_and_a_new_size_too() {
        let mut painter = Painter::new((10, 3)).unwrap();
        painted(&mut painter, "abc").unwrap();
        painter.forget(Vec::new()).unwrap();
        assert!(painted(&mut painter, "abc").unwrap().contains("abc"));
        painter.resize((8, 2));
        assert!(painted(&mut painter, "abc").unwrap().contains("abc"));
    }

    #[test]
    fn a_cursor_that_is_shown_is_where_it_belongs_after_each_frame() {
        let mut painter = Painter::new((10, 3)).unwrap();
        let mut frame = |text: &'static str, at: Option<(u16, u16)>| {
            let bytes = painter.paint(|frame| {
                frame.buffer_mut().set_string(0, 1, text, Style::new());
                at.into_iter().for_each(|at| frame.set_cursor_position(at));
            });
            String::from_utf8(bytes.unwrap().unwrap_or_default()).unwrap()
        };
        let frames = [frame("a", Some((1, 1))), frame("ab", Some((2, 1)))];
        assert_eq!(shown(&frames).screen().cursor_position(), (1, 2));
        assert!(!shown(&frames).screen().hide_cursor());
        assert_eq!(frame("ab", Some((2, 1))), "");
        assert!(frame("ab", None).contains("\x1b[?25l"));
    }

    #[tokio::test]
    async fn the_line_says_when_a_frame_is_written_and_that_the_terminal_is_gone() {
        let (far, near) = std::io::pipe().unwrap();
        let mut line = Line::over(File::from(std::os::fd::OwnedFd::from(near)), None, Arc::default()).unwrap();
        line.send(b"frame".to_vec());
        line.written().await.unwrap();
        drop(far);
        line.send(b"frame".to_vec());
        line.written().await.unwrap_err();
        line.written().await.unwrap_err();
        line.close();
    }

    #[tokio::test]
    async fn what_the_terminal_takes_is_written_at_once_and_the_rest_by_the_thread_in_its_order() {
        use nix::fcntl::{FcntlArg, fcntl};
        use std::io::Read;
        let (mut far, near) = std::io::pipe().unwrap();
        fcntl(&near, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        let near = File::from(std::os::fd::OwnedFd::from(near));
        let mut line = Line::over(near.try_clone().unwrap(), Some(near), Arc::default()).unwrap();
        line.send(b"small".to_vec());
        assert!(matches!(line.outcome, Some(Ok(()))), "it is out before the call returns");
        line.written().await.unwrap();
        let large: Vec<u8> = (0..1_000_000u32).map(|i| (i % 251) as u8).collect();
        line.send(large.clone());
        assert!(line.outcome.is_none(), "a pipe does not take that much: it is in flight, and we were not held up");
        let mut got = vec![0; 5 + large.len()];
        far.read_exact(&mut got).unwrap();
        assert!(got[..5] == *b"small" && got[5..] == large[..]);
        line.written().await.unwrap();
        drop(far);
        line.send(b"gone".to_vec());
        line.written().await.unwrap_err();
    }

    #[tokio::test]
    async fn a_stuck_line_is_left_behind() {
        let (far, near) = std::io::pipe().unwrap();
        let mut line = Line::over(File::from(std::os::fd::OwnedFd::from(near)), None, Arc::default()).unwrap();
        line.send(vec![b'x'; 1 << 20]);
        line.close(); // would never return if it waited for the reader
        drop(far);
    }
}
