//! The smallest honest ratatui program: a list, a selection, keys. What the terminal and the library cost by themselves.

use crossterm::event::{Event, KeyCode, read};
use ratatui::style::{Modifier, Style};
use ratatui::widgets::{List, ListState};

/// Runs until `q`.
pub fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut terminal = ratatui::init();
    let mut state = ListState::default().with_selected(Some(0));
    loop {
        terminal.draw(|frame| {
            let rows = (0..frame.area().height).map(|i| format!("row {i:04} of a list as wide as the terminal {}", "-".repeat(60)));
            let list = List::new(rows).highlight_style(Style::new().add_modifier(Modifier::REVERSED));
            frame.render_stateful_widget(list, frame.area(), &mut state);
        })?;
        if let Event::Key(key) = read()? {
            match key.code {
                KeyCode::Char('q') => break,
                KeyCode::Char('j') => state.select_next(),
                KeyCode::Char('k') => state.select_previous(),
                _ => {}
            }
        }
    }
    ratatui::restore();
    Ok(())
}
