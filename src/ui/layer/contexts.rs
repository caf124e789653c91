//! The list of estates, over the upper part of what is shown. Its snapshot is `contexts_*`.

use crate::app::contexts::{ContextList, Known};
use crate::app::state::State;
use crate::model::environment;
use crate::model::preferences::Token;
use crate::ui::widget::canvas::{Canvas, cells, wrap};

/// Columns at the most.
const WIDTH: u16 = 120;
/// Columns of a name at the most.
const NAME: u16 = 24;
/// The same of an environment.
const ENVIRONMENT: u16 = 24;
/// Lines that say why another was not opened.
const WHY: usize = 6;

/// Draws the list.
pub fn draw(canvas: &mut Canvas, state: &State, list: &ContextList) {
    let all = &state.contexts.all;
    let width = canvas.area.width.min(WIDTH);
    let mut said: Vec<(String, Token)> = Vec::new();
    let refused = list.refused.iter().flat_map(|line| wrap(&format!("! {line}"), usize::from(width).saturating_sub(4)));
    said.extend(refused.take(WHY).map(|line| (line, Token::Warning)));
    if let Some(name) = &list.wanted {
        said.push((format!("reading {name}..."), Token::Dim));
    } else if list.refused.is_empty() {
        said.push(("Only the open estate is contacted. Runs under way go on.".to_owned(), Token::Dim));
    }
    // A row is cut; the whole of what is wrong with the selected one stands below the list.
    if list.refused.is_empty()
        && let Some(Err(why)) = all.get(list.selected).and_then(|known| known.looked.as_ref())
    {
        let room = usize::from(width).saturating_sub(4);
        said.splice(0..0, wrap(&format!("! {why}"), room).into_iter().take(WHY).map(|line| (line, Token::Warning)));
    }
    let most = usize::from(canvas.area.height).saturating_sub(6 + said.len()).max(1);
    let rows = all.len().min(most);
    let mut part = canvas.part(0, 2, width, (rows + said.len() + 2) as u16);
    part.fill(Token::Text);
    part.put(0, 0, width, "ESTATES", Token::Title);
    let first = (list.selected + 1).saturating_sub(rows);
    let wide = |of: &dyn Fn(&Known) -> u16, cap: u16| all.iter().map(of).max().unwrap_or(0).min(cap);
    let names = wide(&|known| cells(&known.name), NAME);
    let environments = wide(&|known| cells(&told(known).0), ENVIRONMENT);
    for (line, (place, known)) in all.iter().enumerate().skip(first).take(rows).enumerate() {
        let (y, is_selected) = (1 + line as u16, place == list.selected);
        let name = if is_selected { Token::Selected } else { Token::Text };
        part.put(0, y, 1, if is_selected { ">" } else { " " }, name);
        part.put(2, y, 1, if state.contexts.open == Some(place) { "*" } else { " " }, Token::Title);
        part.put(4, y, names, &known.name, name);
        let (text, token) = told(known);
        let x = 4 + names + 2;
        part.put(x, y, environments, &text, token);
        let note = match &known.looked {
            Some(Err(why)) => format!("! {why}"),
            _ if known.read_only => format!("[READ ONLY] {}", known.file),
            _ => known.file.clone(),
        };
        let token = if matches!(known.looked, Some(Err(_))) { Token::Warning } else { Token::Dim };
        part.put(x + environments + 2, y, width.saturating_sub(x + environments + 2), &note, token);
    }
    if all.len() > rows {
        part.put_right(10, width, 0, &format!("{} of {}", list.selected + 1, all.len()), Token::Dim);
    }
    for (line, (text, token)) in said.iter().enumerate() {
        part.put(2, (1 + rows + line) as u16, width.saturating_sub(2), text, *token);
    }
    let border = if part.ascii { "-" } else { "─" };
    part.put(0, (1 + rows + said.len()) as u16, width, &border.repeat(usize::from(width)), Token::Border);
}

/// Its environment; what is not known yet is not told.
fn told(known: &Known) -> (String, Token) {
    match &known.looked {
        Some(Ok(looked)) => environment::shown(&looked.environment),
        Some(Err(_)) => ("cannot be read".to_owned(), Token::Warning),
        None => ("...".to_owned(), Token::Dim),
    }
}
