//! The Operations pane: runs that are orphaned, that wait for a person, that go on, and past ones. Its snapshots are
//! `operations_*`.

use crate::app::marks;
use crate::app::operations::{OperationRow, mark, other_estate};
use crate::app::state::State;
use crate::app::when;
use crate::model::preferences::Token;
use crate::model::run::known::{KnownRun, Standing};
use crate::ui::frame;
use crate::ui::widget::canvas::{Canvas, wrap};

/// Lines of why the journal cannot be read.
const WHY: usize = 4;

/// Draws the pane between the fixed lines.
pub fn draw(canvas: &mut Canvas, state: &State) {
    let shown = || state.operation_rows.iter().filter(|row| matches!(row, OperationRow::Run(_))).count();
    let filter = frame::chip(&state.operations.filter.text, shown, state.runs.all.len());
    let chip = [filter, marks::chip(state)].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ");
    let wide = canvas.area.width >= 120;
    let at: [u16; 5] = if wide { [2, 16, 40, 52, 66] } else { [2, 15, 40, 46, 58] };
    let heads = ["STATE", "WHAT", "STEPS", "BEGUN", "WHO, WHY"];
    frame::heads(canvas, &at.into_iter().zip(heads).collect::<Vec<_>>(), &chip);
    let mut y = 3;
    if let Some(why) = &state.runs.problem {
        // Where no run stands below it there is room for all of it.
        let lines = if state.operation_rows.is_empty() { WHY } else { 1 };
        let text = format!("! the journal: {why}");
        let room = usize::from(canvas.area.width - 2);
        let told = if lines > 1 { wrap(&text, room) } else { vec![text] };
        for line in told.iter().take(lines) {
            canvas.put(2, y, canvas.area.width - 2, line, Token::Warning);
            y += 1;
        }
    }
    if state.operation_rows.is_empty() {
        let text = if state.runs.all.is_empty() && state.runs.problem.is_some() {
            canvas.put(2, y + 1, canvas.area.width - 2, "One may be going on: look at the hosts before anything is begun", Token::Text);
            "? Which runs there are is not known"
        } else if state.runs.all.is_empty() {
            "No run is in this journal. A rollback (R) or a restart (U) begins from Overview, Deployments or Alerts"
        } else {
            "No run matches"
        };
        canvas.put(2, y, canvas.area.width - 2, text, Token::Dim);
        return;
    }
    let room = usize::from(canvas.area.height.saturating_sub(1 + y));
    let rows = state.operation_rows.iter().enumerate().skip(state.operations.list.offset).take(room);
    for (line, (place, row)) in rows.enumerate() {
        let y = y + line as u16;
        match row {
            OperationRow::Head(standing, count) => {
                let token = if *standing == Standing::Orphaned { Token::Critical } else { Token::Title };
                canvas.put(0, y, canvas.area.width, &format!("{} ({count})", standing.word().to_uppercase()), token);
            }
            OperationRow::Run(index) => {
                if let Some(known) = state.runs.all.get(*index) {
                    let selected = state.operations.list.selected.is_some() && place == state.operations.list.row;
                    self::row(canvas, state, y, &at, known, selected);
                }
            }
        }
    }
}

fn row(canvas: &mut Canvas, state: &State, y: u16, at: &[u16; 5], known: &KnownRun, selected: bool) {
    let (run, plan) = (&known.state, &known.state.plan);
    let (glyph, word, token) = mark(known);
    if selected {
        canvas.put(0, y, 1, ">", Token::Selected);
    }
    if state.picks.runs.contains(&run.run) {
        canvas.put(1, y, 1, "*", Token::Key);
    }
    canvas.put(at[0], y, at[1] - at[0] - 1, &format!("{glyph} {word}"), token);
    let to = plan.to.as_ref().map_or(String::new(), |to| format!(" to {to}"));
    let what = format!("{} {}{to}", plan.deed.word(), plan.subject);
    canvas.put(at[1], y, at[2] - at[1] - 1, &what, if selected { Token::Selected } else { Token::Text });
    let (done, all) = run.progress();
    canvas.put(at[2], y, at[3] - at[2] - 1, &format!("{done}/{all}"), Token::Text);
    canvas.put(at[3], y, at[4] - at[3] - 1, &when::short(state, run.begun_at.unwrap_or(run.planned_at)), Token::Dim);
    let why = run.agreement.as_ref().map_or("", |of| &of.reason);
    let asked = run.asked.as_ref().filter(|_| known.standing() == Standing::Waiting).map(|(_, why)| why.as_str());
    let text = asked.map_or_else(|| format!("{}: {why}", run.by.name()), str::to_owned);
    let mut x = at[4];
    // Whose run it is comes before all else where it is not this estate's.
    if let Some(of) = other_estate(state, known) {
        x += canvas.put(x, y, canvas.area.width.saturating_sub(x), &format!("of {of}"), Token::Warning) + 1;
    }
    if run.unreviewed().is_some() {
        x += canvas.put(x, y, canvas.area.width.saturating_sub(x), "glass broken: review", Token::Critical) + 2;
    }
    canvas.put(x, y, canvas.area.width.saturating_sub(x), &text, Token::Text);
}
