//! `qd snapshot`: one poll, then one frame of the screen as text.

use std::io::{self, Write};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use crate::app::layer::Pane;
use crate::app::pane;
use crate::app::state::State;
use crate::app::timeline::merge_now;
use crate::app::update::{narrow, show_view};
use crate::model::metric::Demand;
use crate::model::preferences::ColorChoice;
use crate::ui;

use super::failure::Failure;
use super::settings::{self, Settings, identity};
use super::status::Polled;
use super::{OK, status};

/// How far back charts reach where nothing is said.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The pane.
    pub pane: Pane,
    /// Its filter.
    pub filter: Option<&'a str>,
    /// Columns and rows.
    pub size: (u16, u16),
    /// How far back charts reach; an hour where neither this nor the view says.
    pub range: Option<SignedDuration>,
    /// A saved view instead of pane and filter.
    pub view: Option<&'a str>,
}

/// Polls once and prints the pane as it would stand on a screen.
pub fn run(settings: &Settings<'_>, wanted: &Wanted<'_>, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let Wanted { pane, filter, size, range, view } = *wanted;
    let estate = Arc::new(settings.estate()?);
    let preferences = settings.preferences()?;
    // Text for a report or a chat: colours only where they are asked for, terminal or not.
    let colours = preferences.color == ColorChoice::Always;
    let mut look = settings.look(&preferences, colours)?;
    if let Some(notice) = look.offers.notice.take() {
        writeln!(err, "qd: {notice}")?;
    }
    let keymap = Arc::new(settings.keymap(&preferences)?);
    let view = view.map(|name| settings::view(&settings.views(&preferences), name)).transpose()?;
    let range = range.or(view.as_ref().and_then(|view| view.range)).unwrap_or(HOUR);
    let _log = settings.log(err);
    let demand = Demand { range, points: size.0.saturating_mul(2) };
    let Polled { readings, proofs, problem } = status::poll(settings, &estate, demand)?;
    let mut state = State::new(Arc::clone(&estate), identity(None), look, keymap, Timestamp::now(), size);
    state.read_only = settings.global.read_only;
    state.demand = demand;
    state.verifying.proofs = Arc::new(proofs);
    state.verifying.problem = problem;
    state.made = Arc::new(status::recorded(settings, &estate).rows);
    state.see(readings);
    state.pane = pane;
    if let Some(view) = &view {
        show_view(&mut state, view);
        state.demand = demand;
    }
    if let Some(filter) = filter {
        narrow(&mut state, filter).map_err(|why| Failure::Usage(format!("--filter: {why}")))?;
    }
    pane::refresh(&mut state);
    merge_now(&mut state);
    print(&frame(&state)?, colours, out)?;
    Ok(OK)
}

pub(super) fn frame(state: &State) -> Result<Buffer, Failure> {
    // It cannot fail: it draws into memory.
    let mut terminal = Terminal::new(TestBackend::new(state.size.0, state.size.1)).map_err(color_eyre::Report::from)?;
    terminal.draw(|frame| ui::draw(state, frame)).map_err(color_eyre::Report::from)?;
    Ok(terminal.backend().buffer().clone())
}

/// Prints the buffer line by line, without the spaces at the lines' ends where there are no colours.
pub(super) fn print(buffer: &Buffer, colours: bool, out: &mut dyn Write) -> io::Result<()> {
    let width = usize::from(buffer.area.width).max(1);
    for row in buffer.content.chunks(width) {
        let mut line = String::new();
        let mut style = String::from(RESET);
        let mut column = 0;
        while let Some(cell) = row.get(column) {
            if colours {
                let wanted = sgr(cell);
                if wanted != style {
                    line.push_str(&wanted);
                    style = wanted;
                }
            }
            line.push_str(cell.symbol());
            // A wide character covers the cells behind it.
            column += cell.symbol().width().max(1);
        }
        if colours && style != RESET {
            line.push_str(RESET);
        }
        writeln!(out, "{}", if colours { line.as_str() } else { line.trim_end() })?;
    }
    Ok(())
}

const RESET: &str = "\x1b[0m";

/// The escape sequence for a cell's style (ECMA-48 SGR), starting from none.
fn sgr(cell: &Cell) -> String {
    let mut codes = String::from("0");
    let modifiers = [
        (Modifier::BOLD, ";1"),
        (Modifier::DIM, ";2"),
        (Modifier::ITALIC, ";3"),
        (Modifier::UNDERLINED, ";4"),
        (Modifier::REVERSED, ";7"),
        (Modifier::CROSSED_OUT, ";9"),
    ];
    codes.extend(modifiers.into_iter().filter(|(modifier, _)| cell.modifier.contains(*modifier)).map(|(_, code)| code));
    codes.push_str(&colour(cell.fg, 0));
    codes.push_str(&colour(cell.bg, 10));
    format!("\x1b[{codes}m")
}

/// `shift` is 0 for the foreground and 10 for the background.
fn colour(colour: Color, shift: u8) -> String {
    let named = match colour {
        Color::Reset => return String::new(),
        Color::Rgb(r, g, b) => return format!(";{};2;{r};{g};{b}", 38 + shift),
        Color::Indexed(i) => return format!(";{};5;{i}", 38 + shift),
        Color::Black => 30,
        Color::Red => 31,
        Color::Green => 32,
        Color::Yellow => 33,
        Color::Blue => 34,
        Color::Magenta => 35,
        Color::Cyan => 36,
        Color::Gray => 37,
        Color::DarkGray => 90,
        Color::LightRed => 91,
        Color::LightGreen => 92,
        Color::LightYellow => 93,
        Color::LightBlue => 94,
        Color::LightMagenta => 95,
        Color::LightCyan => 96,
        Color::White => 97,
    };
    format!(";{}", named + shift)
}

#[cfg(test)]
mod tests {
    use super::super::Outside;
    use super::super::args::Global;
    use super::*;
    use ratatui::style::Style;

    fn snapshot(size: (u16, u16), color: Option<super::super::args::Color>) -> String {
        told(size, color, None).0
    }

    /// The frame, and what was said beside it. `picked` is what the file of the picked theme holds.
    fn told(size: (u16, u16), color: Option<super::super::args::Color>, picked: Option<&str>) -> (String, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("estate.toml");
        // Nothing listens on port 9 here: the frame shows that, and is drawn all the same.
        let text = "version = 1\n[estate]\nname = \"shop\"\nenvironment = \"test\"\n\
            [[source]]\nname = \"p\"\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:9\"\n";
        std::fs::write(&path, text).unwrap();
        let global = Global { estate: Some(path), color, ..Global::default() };
        let mut settings = Settings::new(&global, Outside { env: &|_| None, terminal: true });
        settings.paths.state = picked.is_some().then(|| folder.path().to_owned());
        if let Some(picked) = picked {
            std::fs::write(folder.path().join("theme"), picked).unwrap();
        }
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let wanted = Wanted { pane: Pane::Alerts, filter: None, size, range: Some(SignedDuration::from_hours(1)), view: None };
        assert_eq!(run(&settings, &wanted, &mut out, &mut err).unwrap(), OK);
        (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn a_damaged_file_of_the_picked_theme_is_told_once_beside_the_frame() {
        let about = |picked: &str| told((80, 24), None, Some(picked));
        for damaged in ["../dark", "gone\n"] {
            let (frame, said) = about(damaged);
            assert_eq!(frame.lines().count(), 24);
            assert_eq!(said.matches("qd: the theme that was picked last is not used: ").count(), 1, "{said}");
        }
        assert!(!about("light\n").1.contains("theme"));
    }

    #[test]
    fn a_frame_has_as_many_lines_as_asked_for_and_none_is_wider() {
        for size in [(80, 24), (160, 50), (20, 5), (1, 1)] {
            let text = snapshot(size, None);
            assert_eq!(text.lines().count(), usize::from(size.1), "{size:?}");
            assert!(text.lines().all(|line| line.width() <= usize::from(size.0)), "{size:?}\n{text}");
            assert!(!text.contains('\x1b'), "no colours unless they are asked for");
        }
        assert!(snapshot((80, 24), None).contains("shop"));
    }

    #[test]
    fn colours_come_only_when_always_is_asked_for() {
        assert!(snapshot((80, 24), Some(super::super::args::Color::Always)).contains('\x1b'));
        assert!(!snapshot((80, 24), Some(super::super::args::Color::Auto)).contains('\x1b'));
    }

    #[test]
    fn styles_and_wide_characters_are_kept() {
        let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 6, 1));
        buffer.set_string(0, 0, "日a", Style::new().fg(Color::Red).add_modifier(Modifier::BOLD));
        let text = |colours| {
            let mut out = Vec::new();
            print(&buffer, colours, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(false), "日a\n");
        assert_eq!(text(true), "\x1b[0;1;31m日a\x1b[0m   \n");
    }
}
