//! The logs that are on the screen as text, to copy: as they stand there, with whole lines, and the command that shows
//! the same.

use crate::app::state::State;
use crate::app::when;
use crate::model::log::{Level, Of};
use crate::model::run::advice::quoted;

use super::{Row, height};

/// The rows on the screen.
pub fn text(state: &State) -> Option<String> {
    let logs = state.logs.as_ref()?;
    let several = logs.all().len() > 1;
    let mut out = format!("Logs of {} ({})\n", logs.view.of.name(), when::full(state, state.now));
    for row in logs.rows.iter().skip(logs.offset).take(height(state)) {
        let line = match row {
            Row::Line(_, line) => {
                let host = if several { format!(" {}", line.place) } else { String::new() };
                let by = line.by.as_ref().map_or(String::new(), |by| format!(" {by}:"));
                let about = if line.dated { "" } else { "~" };
                format!("{about}{:.3}{host} {}{by} {}", line.at, line.level.map_or("-", Level::word), line.text)
            }
            Row::Event(event) => {
                let after = if event.is_after() { "after this " } else { "" };
                format!("{:.3} -- {after}{} {}", event.at, event.kind.word(), event.what)
            }
        };
        out.push_str(&line);
        out.push('\n');
    }
    let estate = state.identity.estate.as_ref().map_or(String::new(), |estate| format!(" --estate {estate}"));
    let whose = match &logs.view.of {
        Of::Service(name) => quoted(name),
        Of::Host(name) => format!("--host {}", quoted(name)),
    };
    let grep = if logs.filter.is_empty() || logs.among { String::new() } else { format!(" --grep {}", quoted(&logs.filter.text)) };
    let errors = if logs.errors { " --errors" } else { "" };
    Some(format!("{out}qd{estate} logs {whose}{grep}{errors}"))
}
