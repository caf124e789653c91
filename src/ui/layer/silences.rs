//! The list of all silences: how each stands, when it ends, how much it mutes, who made it and why; below it the selected
//! one whole. Its snapshots are `silences_*`.

use crate::app::silences::{self, OfSilence, SilenceList};
use crate::app::state::State;
use crate::app::when;
use crate::model::age;
use crate::model::alert::Apart;
use crate::model::preferences::Token;
use crate::model::silence::{Silence, SilenceState};
use crate::ui::frame;
use crate::ui::widget::canvas::{Canvas, thousands, wrap};

const STATE: u16 = 2;
const ENDS: u16 = 12;
const MUTES: u16 = 30;
const WHO: u16 = 37;
/// From this width on the source and the begin have columns of their own.
const WIDE: u16 = 140;

/// Where the columns are that depend on the width.
struct Columns {
    source: Option<u16>,
    begun: Option<u16>,
    what: u16,
}

impl Columns {
    fn of(width: u16) -> Columns {
        match width {
            WIDE.. => Columns { source: Some(WHO + 20), begun: Some(WHO + 40), what: WHO + 54 },
            _ => Columns { source: None, begun: None, what: WHO + 10 },
        }
    }
}

/// Draws the list between the fixed lines.
pub fn draw(canvas: &mut Canvas, state: &State, of: &SilenceList) {
    let width = canvas.area.width;
    let columns = Columns::of(width);
    let mut heads = vec![(STATE, "SILENCE"), (ENDS, "ENDS"), (MUTES, "MUTES"), (WHO, "WHO"), (columns.what, "WHAT AND WHY")];
    heads.extend(columns.source.map(|x| (x, "SOURCE")));
    heads.extend(columns.begun.map(|x| (x, "BEGAN")));
    let chip = frame::chip(&of.list.filter.text, || of.rows.len(), state.shown().silences.all.len());
    let chip = if chip.is_empty() { of.counted.clone() } else { chip };
    frame::heads(canvas, &heads, &chip);
    let mut y = 3;
    for note in silences::notes(state) {
        canvas.put(STATE, y, width - STATE, &note, Token::Unknown);
        y += 1;
    }
    if of.rows.is_empty() {
        let text = silences::empty(state);
        canvas.put(STATE, y, width - STATE, text, if text.starts_with('?') { Token::Unknown } else { Token::Dim });
    }
    let list = &of.list.list;
    for (line, row) in (list.offset..of.rows.len()).take(silences::room(state)).enumerate() {
        let Some(one) = of.rows.get(row).and_then(|place| silences::at(state, *place)) else { continue };
        draw_row(canvas, state, y + line as u16, &one, list.selected.is_some() && row == list.row, &columns);
    }
    let lines = silences::whole(state) as u16;
    let selected = list.selected.as_ref().and_then(|_| silences::at(state, *of.rows.get(list.row)?));
    if let Some(one) = selected.filter(|_| lines > 0) {
        whole(canvas, state, canvas.area.height - 1 - lines, lines, &one);
    }
}

fn mark(of: &OfSilence) -> (char, Token) {
    match of.silence.stands(of.now) {
        SilenceState::Active => ('~', Token::Muted),
        SilenceState::Pending => (' ', Token::Text),
        SilenceState::Expired => (' ', Token::Dim),
    }
}

fn draw_row(canvas: &mut Canvas, state: &State, y: u16, of: &OfSilence, selected: bool, columns: &Columns) {
    let width = canvas.area.width;
    let silence = of.silence;
    let (glyph, token) = mark(of);
    let stands = silence.stands(of.now);
    let text = match (selected, stands) {
        (true, _) => Token::Selected,
        (_, SilenceState::Expired) => Token::Dim,
        _ => Token::Text,
    };
    if selected {
        canvas.put(0, y, 1, ">", Token::Selected);
    }
    canvas.put(STATE, y, ENDS - STATE - 1, &format!("{glyph} {}", stands.word()), token);
    canvas.put(ENDS, y, MUTES - ENDS - 1, &ends(state, of), text);
    let mutes = if stands == SilenceState::Expired { "-".to_owned() } else { thousands(of.mutes) };
    canvas.put_right(MUTES, MUTES + 5, y, &mutes, text);
    canvas.put(WHO, y, columns.source.unwrap_or(columns.what) - WHO - 1, silence.who(), text);
    if let (Some(source), Some(begun)) = (columns.source, columns.begun) {
        canvas.put(source, y, begun - source - 1, &of.source.name, Token::Dim);
        canvas.put(begun, y, columns.what - begun - 1, &when::short(state, silence.starts_at), Token::Dim);
    }
    // What an ack is of is an alert, and that someone looks after it for so long matters more than until when.
    let what = if silence.is_ack() { format!("ack of {}, {} ago", acked(state, silence), ago(of)) } else { silence.what() };
    canvas.put(columns.what, y, width.saturating_sub(columns.what), &format!("{what}: {}", silence.reason()), text);
}

/// The alert that an ack is of, and what tells it from others of its name: acks of several begin alike otherwise.
fn acked(state: &State, silence: &Silence) -> String {
    let name = silence.what();
    let labels = state.shown().apart.labels(&name).iter();
    let telling = labels.filter_map(|label| silence.matchers.iter().find(|of| of.name == *label));
    telling.fold(name.clone(), |text, of| format!("{text} {}", Apart::word(&of.name, &of.value)))
}

/// `in 25m  05:30`: how long from now, or ago, and when; with the day where it is another one.
fn ends(state: &State, of: &OfSilence) -> String {
    let (now, end) = (state.now, of.silence.ends_at);
    let day = |at: jiff::Timestamp| at.to_zoned(state.zone()).date();
    let clock = if day(now) == day(end) { when::minute(state, end) } else { when::short(state, end) };
    match of.silence.stands(now) {
        SilenceState::Expired => format!("{} ago {clock}", when::ago(state, end)),
        _ => format!("{} {clock}", when::left(state, end)),
    }
}

fn ago(of: &OfSilence) -> String {
    age::coarse(of.now.duration_since(of.silence.starts_at))
}

/// The selected one whole.
fn whole(canvas: &mut Canvas, state: &State, y: u16, lines: u16, of: &OfSilence) {
    let width = canvas.area.width;
    let border = if canvas.ascii { "-" } else { "─" };
    canvas.put(0, y, width, &border.repeat(usize::from(width)), Token::Border);
    let silence = of.silence;
    let by = if silence.is_ack() { "acked by" } else { "silenced by" };
    let begun = match silence.stands(of.now) {
        SilenceState::Pending => format!("begins {}", when::both(state, silence.starts_at)),
        _ => format!("{} ago", ago(of)),
    };
    let mutes = match (silence.stands(of.now), of.mutes) {
        (SilenceState::Active, 0) => "mutes nothing now".to_owned(),
        (SilenceState::Active, 1) => "mutes 1 alert now".to_owned(),
        (SilenceState::Active, count) => format!("mutes {} alerts now", thousands(count)),
        (SilenceState::Pending, _) => "mutes nothing yet".to_owned(),
        (SilenceState::Expired, _) => "mutes nothing any more".to_owned(),
    };
    let run = silence.run().map_or_else(String::new, |run| format!(", run {run}"));
    let until = if silence.stands(of.now) == SilenceState::Expired { "ended" } else { "until" };
    let told = [
        (format!("{by} {} {begun}: {}", silence.created_by, silence.reason()), Token::Text),
        (format!("{until} {}; {mutes}", when::both(state, silence.ends_at)), Token::Text),
        (format!("{}: silence {}{run}", of.source.name, silence.id), Token::Dim),
        (format!("where {}", silence.matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")), Token::Text),
    ];
    let wrapped = told.iter().flat_map(|(text, token)| wrap(text, usize::from(width)).into_iter().map(|line| (line, *token)));
    for (line, (text, token)) in wrapped.take(usize::from(lines) - 1).enumerate() {
        canvas.put(0, y + 1 + line as u16, width, &text, token);
    }
}

#[cfg(test)]
mod tests;
