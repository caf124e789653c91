//! The lines of a chart. All of them are laid on a sheet first, and each cell of it is put on the screen once; beyond the
//! first lines a plot is drawn as the span of the others. So a redraw takes as long for ten thousand series as for a few.
//! No line is told from another by its colour alone: each ends in a letter, or bears marks.

use crate::model::estate::Severity;
use crate::model::metric::{Column, Plot, Series, columns};
use crate::model::panel::Panel;
use crate::model::preferences::Token;
use crate::ui::theme::series;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::chart::Scale;

/// Series of one plot that are drawn each as a line; of the others the span from the smallest to the largest is drawn.
pub const LINES: usize = 24;
/// What tells the series of a panel that is laid over apart where colours do not, and the same in ASCII.
const MARKS: [(&str, &str); 6] = [("○", "="), ("□", "+"), ("△", "%"), ("◇", "&"), ("▽", "$"), ("☆", "@")];
/// What the lines of a chart end in, where there are several. Not `N`, which is what is not a number, and not `X`, which is
/// critical.
const LETTERS: [char; LINES] =
    ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'Y', 'Z'];
/// Columns between two marks on one line.
const APART: usize = 16;

/// The dots of one Braille cell: two columns of four, from the top.
const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
const BRAILLE: u32 = 0x2800;
/// The dots of a cell that a span fills: every second one, as no line does.
const SPARSE: u32 = 0x01 | 0x10 | 0x04 | 0x80;

/// Whose line it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// The chart's own.
    Own,
    /// Its own at an earlier time.
    Before,
    /// Of the panel that is laid over a chart of so many series.
    Over(usize),
}

/// The mark of a series of the panel that is laid over.
pub fn mark(index: usize, ascii: bool) -> &'static str {
    let (mark, plain) = MARKS[index % MARKS.len()];
    if ascii { plain } else { mark }
}

/// The letter of a chart's own series; `None` of those that are no lines.
pub fn letter(index: usize) -> Option<char> {
    LETTERS.get(index).copied()
}

/// Where a line ends: its place among the series, its colour, and where its letter may stand, the end first.
struct End {
    index: usize,
    token: Token,
    places: Vec<(usize, usize)>,
}

/// What is drawn of all series, before it is put on the screen.
pub(super) struct Sheet {
    ascii: bool,
    width: usize,
    height: usize,
    /// By row: dots or a character, and whose colour; 0 is nothing.
    cells: Vec<(u32, Token)>,
    /// What lies on top of all lines: column, row, sign and colour.
    marks: Vec<(usize, usize, char, Token)>,
    /// Where lines end that have a letter.
    ends: Vec<End>,
    /// True where the chart's own lines have letters.
    lettered: bool,
    /// Columns of which a series says that it is not a number.
    nan: Vec<bool>,
    /// Lines that were drawn one by one.
    lines: usize,
}

impl Sheet {
    /// An empty one of so many columns and rows.
    pub(super) fn new(ascii: bool, (width, height): (u16, u16)) -> Sheet {
        let (width, height) = (usize::from(width), usize::from(height));
        let (cells, nan) = (vec![(0, Token::Text); width * height], vec![false; width]);
        Sheet { ascii, width, height, cells, marks: Vec::new(), ends: Vec::new(), lettered: false, nan, lines: 0 }
    }

    /// The same, on which each of the chart's own lines ends in its letter.
    pub(super) fn lettered(self, lettered: bool) -> Sheet {
        Sheet { lettered, ..self }
    }

    /// Lays a plot on it, over what lies there; its first series lies on top.
    pub(super) fn plot(&mut self, plot: &Plot, panel: &Panel, scale: Scale, of: Line) {
        let (alone, rest) = plot.series.split_at(plot.series.len().min(LINES));
        self.span(rest, plot.len, scale, of);
        for (index, one) in alone.iter().enumerate().rev() {
            let token = match of {
                Line::Own => series(index),
                Line::Before => Token::Dim,
                Line::Over(own) => series(own + index),
            };
            self.line(&one.points, (panel, scale), token, of, index);
        }
    }

    fn line(&mut self, points: &[Option<f64>], (panel, scale): (&Panel, Scale), token: Token, of: Line, index: usize) {
        self.lines += 1;
        let folded = columns(points, self.width);
        if self.ascii {
            self.letters((panel, scale), &folded, token, of, index);
        } else {
            self.dots(scale, &columns(points, self.width * 2), token, of);
        }
        if of == Line::Own {
            self.nan.iter_mut().zip(&folded).for_each(|(nan, column)| *nan |= *column == Column::NaN);
        }
        let top = |column: &Column| if let Column::Span { max, .. } = column { Some(*max) } else { None };
        let row = |value: f64| self.height - 1 - scale.place(value, self.height);
        // A sample without any other beside it would be one dot.
        let lone = points.iter().flatten().filter(|value| !value.is_nan()).take(2).count() == 1;
        let place = folded.iter().enumerate().rev().find_map(|(x, column)| Some((x, top(column)?)));
        match (of, place) {
            (Line::Own, Some(_)) if self.lettered => {
                let all = folded.iter().enumerate().rev().filter_map(|(x, column)| Some((x, row(top(column)?))));
                let places = all.take(LINES).collect();
                self.ends.push(End { index, token, places });
            }
            (Line::Own, Some((x, value))) if lone => {
                let bad = panel.judge(value) >= Severity::Warning;
                let sign = if !self.ascii {
                    '●'
                } else if bad {
                    '#'
                } else {
                    '*'
                };
                self.marks.push((x, row(value), sign, token));
            }
            // In ASCII the line itself is made of its mark.
            (Line::Over(_), Some((last, value))) if !self.ascii => {
                let sign = mark(index, false).chars().next().unwrap_or('=');
                let at = folded.iter().enumerate().filter(|(x, _)| (x + APART - index * 5 % APART) % APART == APART / 2);
                let mut found: Vec<_> = at.filter_map(|(x, column)| Some((x, row(top(column)?), sign, token))).collect();
                if found.is_empty() {
                    found.push((last, row(value), sign, token));
                }
                self.marks.append(&mut found);
            }
            _ => {}
        }
    }

    /// Fills from the smallest to the largest value of these series.
    fn span(&mut self, rest: &[Series], len: usize, scale: Scale, of: Line) {
        if rest.is_empty() {
            return;
        }
        let (mut low, mut high, mut nan) = (vec![None; len], vec![None; len], vec![None; len]);
        for one in rest {
            for (at, value) in one.points.iter().enumerate().take(len) {
                match *value {
                    Some(value) if value.is_nan() => nan[at] = Some(value),
                    Some(value) => {
                        low[at] = Some(low[at].map_or(value, |low: f64| low.min(value)));
                        high[at] = Some(high[at].map_or(value, |high: f64| high.max(value)));
                    }
                    None => {}
                }
            }
        }
        for (x, (low, high)) in columns(&low, self.width).iter().zip(columns(&high, self.width)).enumerate() {
            if let (Column::Span { min, .. }, Column::Span { max, .. }) = (low, high) {
                let (bottom, top) = (scale.place(*min, self.height), scale.place(max, self.height));
                for row in bottom..=top {
                    let fill = if self.ascii { u32::from(',') } else { SPARSE };
                    self.cells[(self.height - 1 - row) * self.width + x] = (fill, Token::Dim);
                }
            }
        }
        if of == Line::Own {
            let folded = columns(&nan, self.width);
            self.nan.iter_mut().zip(&folded).for_each(|(nan, column)| *nan |= *column == Column::NaN);
        }
    }

    fn dots(&mut self, scale: Scale, columns: &[Column], token: Token, of: Line) {
        let all = self.height * 4;
        let mut before: Option<(usize, usize)> = None;
        for (at, column) in columns.iter().enumerate() {
            let span = span(scale, column, all);
            // What was before is dotted: it has every second column only.
            let drawn = if of == Line::Before && at % 2 == 1 { None } else { joined(before, span) };
            if let Some((low, high)) = drawn {
                let (top, bottom) = (all - 1 - high, all - 1 - low);
                for row in top / 4..=bottom / 4 {
                    let (from, to) = (top.max(row * 4) - row * 4, bottom.min(row * 4 + 3) - row * 4);
                    let bits = DOTS[at % 2][from..=to].iter().fold(0, |bits, dot| bits | dot);
                    // The dots of other series stay, in the colour of the series on top.
                    let cell = &mut self.cells[row * self.width + at / 2];
                    *cell = (cell.0 | bits, token);
                }
            }
            before = span;
        }
    }

    /// `_`, `-` and `'` for low, middle and high in a row, `|` for a column over several rows, `#` for what is over a
    /// limit. What was before is `~`, and what is laid over is its mark, in all of these places.
    fn letters(&mut self, (panel, scale): (&Panel, Scale), columns: &[Column], token: Token, of: Line, index: usize) {
        let mut before = None;
        for (x, column) in columns.iter().enumerate() {
            let span = span(scale, column, self.height * 3);
            if let Some((low, high)) = joined(before, span) {
                let bad = match column {
                    Column::Span { min, max } => panel.judge(*max).max(panel.judge(*min)) >= Severity::Warning,
                    Column::Gap | Column::NaN => false,
                };
                for row in low / 3..=high / 3 {
                    let symbol = match (of, bad, low / 3 == high / 3) {
                        (Line::Before, ..) => '~',
                        (Line::Over(_), ..) => mark(index, true).chars().next().unwrap_or('='),
                        (Line::Own, true, _) => '#',
                        (Line::Own, _, true) => ['_', '-', '\''][(low + high) / 2 % 3],
                        (Line::Own, _, false) => '|',
                    };
                    self.cells[(self.height - 1 - row) * self.width + x] = (u32::from(symbol), token);
                }
            }
            before = span;
        }
    }

    /// Places for the letters: each at the end of its line, or as near to it on the line as there is room; else beside it.
    /// `heads` are columns whose uppermost cell is taken.
    fn letters_at(&mut self, heads: &[u16]) {
        let last = self.height - 1;
        let mut ends = std::mem::take(&mut self.ends);
        ends.sort_by_key(|end| end.index);
        let mut taken: Vec<(usize, usize)> = heads.iter().map(|x| (usize::from(*x), 0)).collect();
        taken.extend(self.nan.iter().enumerate().filter(|(_, nan)| **nan).map(|(x, _)| (x, last)));
        for End { index, token, places } in ends {
            let Some((sign, (x, y))) = letter(index).zip(places.first().copied()) else { continue };
            let beside = (x..self.width).chain((0..x).rev()).map(|x| (x, y));
            if let Some(place) = places.iter().copied().chain(beside).find(|place| !taken.contains(place)) {
                taken.push(place);
                self.marks.push((place.0, place.1, sign, token));
            }
        }
    }

    /// Puts it on the screen: each cell once. `heads` are columns whose uppermost cell something else takes.
    pub(super) fn put(mut self, canvas: &mut Canvas, heads: &[u16]) {
        self.letters_at(heads);
        for (place, (what, token)) in self.cells.iter().enumerate().filter(|(_, (what, _))| *what != 0) {
            let symbol = if self.ascii { char::from_u32(*what) } else { char::from_u32(BRAILLE | *what) };
            if let Some(symbol) = symbol {
                canvas.cell((place % self.width) as u16, (place / self.width) as u16, symbol, *token);
            }
        }
        for (x, y, sign, token) in self.marks {
            canvas.cell(x as u16, y as u16, sign, token);
        }
        for (x, _) in self.nan.iter().enumerate().filter(|(_, nan)| **nan) {
            canvas.cell(x as u16, (self.height - 1) as u16, 'N', Token::Unknown);
        }
    }
}

fn span(scale: Scale, column: &Column, steps: usize) -> Option<(usize, usize)> {
    match column {
        Column::Span { min, max } => Some((scale.place(*min, steps), scale.place(*max, steps))),
        Column::Gap | Column::NaN => None,
    }
}

/// A column drawn up or down to the one before it, so that a jump is a line. Nothing is drawn over a gap.
fn joined(before: Option<(usize, usize)>, span: Option<(usize, usize)>) -> Option<(usize, usize)> {
    let (low, high) = span?;
    Some(match before {
        Some((_, top)) if top + 1 < low => (top + 1, high),
        Some((bottom, _)) if bottom > high + 1 => (low, bottom - 1),
        _ => (low, high),
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::label::Labels;
    use crate::model::panel::{Ask, Unit};

    #[test]
    fn many_series_are_a_few_lines_and_one_span_in_which_the_farthest_stays_visible() {
        let panel = Panel {
            name: "p".into(),
            service: None,
            site: None,
            source: "s".into(),
            ask: Ask::Promql("q".into()),
            unit: Unit::Count,
            warn: None,
            critical: None,
        };
        let value = |n: usize, i: usize| if n == 150 && i == 3 { 9.0 } else { (n % 2) as f64 };
        let one = |n: usize| Series { labels: Labels::default(), points: (0..8).map(|i| Some(value(n, i))).collect() };
        let plot =
            Plot { start: Timestamp::UNIX_EPOCH, step: 10, len: 8, series: (0..200).map(one).collect(), dropped: 9_800, histograms: 0 };
        for ascii in [true, false] {
            let mut sheet = Sheet::new(ascii, (8, 10));
            sheet.plot(&plot, &panel, Scale { low: 0.0, high: 9.0 }, Line::Own);
            assert_eq!(sheet.lines, LINES, "no more of them are drawn one by one");
            let top: Vec<bool> = (0..8).map(|x| sheet.cells[x].0 != 0).collect();
            assert_eq!(top, [false, false, false, true, false, false, false, false], "the spike of one that is no line");
        }
    }
}
