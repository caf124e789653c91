//! The saved views, and the form that saves one, under the fixed lines. Their snapshots are `views_*`.

use crate::app::state::State;
use crate::app::views::{SaveForm, ViewList, line, words};
use crate::model::preferences::Token;
use crate::ui::widget::canvas::{Canvas, cells};

use super::share::draw_box;

/// Columns at the most.
const WIDTH: u16 = 110;
/// Columns of the name at the most.
const NAME: u16 = 30;

/// Draws the list: the views, what is wrong with others, and the line that saves what is shown.
pub fn list(canvas: &mut Canvas, state: &State, of: &ViewList) {
    let views = &state.views;
    let all = views.all.len() + views.bad.len() + 1;
    let width = canvas.area.width.min(WIDTH);
    let rows = all.min(usize::from(canvas.area.height.saturating_sub(6))).max(1);
    let mut part = canvas.part(0, 2, width, rows as u16 + 3);
    part.fill(Token::Text);
    part.put(0, 0, width, "SAVED VIEWS", Token::Title);
    if all > rows {
        part.put_right(0, width, 0, &format!("{} of {all}", of.selected.min(all - 1) + 1), Token::Dim);
    }
    let selected = of.selected.min(all - 1);
    let first = (selected + 1).saturating_sub(rows);
    let wide = views.all.iter().map(|view| cells(&view.name)).max().unwrap_or(0).min(NAME) + 2;
    for row in 0..rows {
        let (place, y) = (first + row, 1 + row as u16);
        let here = place == selected;
        if here {
            part.put(0, y, 1, ">", Token::Selected);
        }
        let token = |plain| if here { Token::Selected } else { plain };
        if let Some(view) = views.all.get(place) {
            part.put(2, y, wide.saturating_sub(1), &view.name, token(Token::Text));
            part.put(2 + wide, y, width.saturating_sub(2 + wide), &words(view), Token::Dim);
        } else if let Some((_, problem)) = views.bad.get(place - views.all.len()) {
            part.put(2, y, width.saturating_sub(2), &format!("! {}", line(problem)), token(Token::Warning));
        } else {
            part.put(2, y, width.saturating_sub(2), "save what is shown now, under a name", token(Token::Text));
        }
    }
    let told = match &views.file {
        Some(file) => format!("saved in {file}; [[view]] in config.toml is listed too"),
        None => "[[view]] in config.toml is listed; there is no folder to save to".to_owned(),
    };
    part.put(2, rows as u16 + 1, width.saturating_sub(2), &told, Token::Dim);
    let border = if part.ascii { "-" } else { "─" };
    part.put(0, rows as u16 + 2, width, &border.repeat(usize::from(width)), Token::Border);
}

/// Draws the form.
pub fn form(canvas: &mut Canvas, state: &State, form: &SaveForm) {
    let said = match (&form.error, form.writing) {
        (Some(why), _) => (format!("! {why}"), Token::Warning),
        (None, true) => ("writing".to_owned(), Token::Dim),
        (None, false) => ("Enter saves it; nothing that is there is written over".to_owned(), Token::Dim),
    };
    let mut lines = vec![(words(&form.view), Token::Text), said];
    lines.extend(state.views.file.iter().map(|file| (format!("in {file}"), Token::Dim)));
    draw_box(canvas, "SAVE THIS VIEW as", Some(&form.typed), &lines);
}
