//! The themes to choose from, at the right of the screen, so that most of what is behind shows the selected one.
//! Its snapshots are `themes_*`.

use crate::app::state::State;
use crate::app::themes::Picker;
use crate::model::preferences::Token;
use crate::ui::theme::{SERIES_COLOURS, series};
use crate::ui::widget::canvas::{Canvas, wrap};

/// Columns at the most.
const WIDTH: u16 = 46;
/// Themes shown at the most.
const LINES: u16 = 12;

/// Draws the layer.
pub fn draw(canvas: &mut Canvas, state: &State, picker: Picker) {
    let width = canvas.area.width.min(WIDTH);
    let offers = &state.look.offers;
    let said = said(state, picker);
    let room = usize::from(width).saturating_sub(4);
    let said: Vec<(String, Token)> =
        said.into_iter().flat_map(|(text, token)| wrap(&text, room).into_iter().map(move |line| (line, token))).collect();
    // The title, the sample, and the line below take three rows; the fixed lines three others.
    let most = canvas.area.height.saturating_sub(6);
    let lines = LINES.min(offers.all.len() as u16 + 1).min(most.saturating_sub(said.len() as u16).max(3));
    let said = &said[..said.len().min(usize::from(most.saturating_sub(lines)))];
    let height = 3 + lines + said.len() as u16;
    let mut part = canvas.part(canvas.area.width - width, 2, width, height);
    part.fill(Token::Text);
    let side = if part.ascii { '|' } else { '│' };
    for y in 0..height {
        part.cell(0, y, side, Token::Border);
    }
    part.put(2, 0, width, "THEME", Token::Title);
    let rows = usize::from(lines);
    let first = (picker.row + 1).saturating_sub(rows);
    for row in (first..=offers.all.len()).take(rows) {
        let y = 1 + (row - first) as u16;
        let (name, note, token) = match (Picker { row, ..picker }).offer(offers) {
            None => ("auto", format!("terminal: {}", offers.ground().word()), Token::Dim),
            Some(offer) => match &offer.found {
                Err(_) => (offer.name.as_str(), "! cannot be read".to_owned(), Token::Warning),
                Ok(_) if !offer.faint.is_empty() => (offer.name.as_str(), "! hard to read".to_owned(), Token::Warning),
                Ok(_) => (offer.name.as_str(), if offer.own { "your own" } else { "" }.to_owned(), Token::Dim),
            },
        };
        let is_selected = row == picker.row;
        if is_selected {
            part.put(2, y, 1, ">", Token::Selected);
        }
        part.put(4, y, 20, name, if is_selected { Token::Selected } else { Token::Text });
        part.put(25, y, width.saturating_sub(25), &note, token);
    }
    sample(&mut part, 1 + lines);
    for (line, (text, token)) in said.iter().enumerate() {
        part.put(2, 2 + lines + line as u16, width.saturating_sub(2), text, *token);
    }
    let border = if part.ascii { "-" } else { "─" };
    part.put(0, height - 1, width, &border.repeat(usize::from(width)), Token::Border);
}

/// One word in each of the colours: what is behind may have none of them just now.
fn sample(part: &mut Canvas, y: u16) {
    let words = [("X critical", Token::Critical), ("! warning", Token::Warning), ("? stale", Token::Unknown), ("~ muted", Token::Muted)];
    let mut x = 2;
    for (word, token) in words {
        x += part.put(x, y, part.area.width.saturating_sub(x), word, token) + 1;
    }
    let bar = if part.ascii { '#' } else { '█' };
    for at in 0..SERIES_COLOURS {
        part.cell(x + at as u16, y, bar, series(at));
    }
}

/// What there is to say of the selected one, and where a choice is kept.
fn said(state: &State, picker: Picker) -> Vec<(String, Token)> {
    let offers = &state.look.offers;
    let mut said = Vec::new();
    match picker.offer(offers) {
        Some(offer) => match &offer.found {
            // What is shown meanwhile is another one, and is not offered here.
            Err(why) => return vec![(format!("! {why}"), Token::Warning)],
            Ok(_) if !offer.faint.is_empty() => said.push((format!("! {}", offer.faint), Token::Warning)),
            Ok(_) => {}
        },
        None if offers.told.is_none() => {
            let from = if offers.hint.is_some() { "COLORFGBG says" } else { "taken for" };
            said.push((format!("the terminal did not tell its ground: {from} {}", offers.ground().word()), Token::Dim));
        }
        None => {}
    }
    if offers.plain {
        said.push(("without colours there is little to choose: NO_COLOR, --color never or TERM=dumb".to_owned(), Token::Warning));
    }
    let kept = match (&offers.keeps.file, &offers.keeps.wins) {
        (None, _) => "Enter keeps it until you quit: there is no folder for more (HOME, XDG_STATE_HOME)".to_owned(),
        (Some(_), None) => "Enter keeps it, for the next start too".to_owned(),
        (Some(_), Some(wins)) => format!("Enter keeps it; at the next start {wins} wins over it"),
    };
    said.push((kept, Token::Dim));
    said
}
