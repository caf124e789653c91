//! A chart: the smallest and largest value of every column, so that a spike stays visible. A gap is blank, NaN is an
//! `N` on the bottom row, zero is drawn, and what is not known up to now is a row of `?`.

use jiff::Timestamp;

use crate::model::metric::{Plot, Sample, Series, show};
use crate::model::panel::{Panel, Unit};
use crate::model::preferences::Token;
use crate::ui::widget::canvas::{Canvas, cells};
use crate::ui::widget::lines::{Line, Sheet};

/// What a chart shows.
pub struct Chart<'a> {
    /// Unit and thresholds.
    pub panel: &'a Panel,
    /// The series.
    pub plot: &'a Plot,
    /// Their newest values, where these are known apart from the plot: drawn last, in one more step, for a chart must hold
    /// the value that is told beside it. Passed over where the chart is not live, or something lies beside its series.
    pub newest: &'a [Sample],
    /// False where the reading is not fresh: the time from the last sample to now is then unknown.
    pub live: bool,
    /// The present moment.
    pub now: Timestamp,
    /// The time under the cursor.
    pub cursor: Option<Timestamp>,
    /// When something was deployed.
    pub marks: Vec<Timestamp>,
}

impl Chart<'_> {
    /// The plot with one more step of the newest values, where there are such.
    fn whole(&self) -> Option<Plot> {
        let last = self.plot.len.checked_sub(1).filter(|_| self.live && !self.newest.is_empty())?;
        let mut from = 0;
        let series = self.plot.series.iter().map(|one| {
            // Both mostly come in one order.
            let (before, after) = self.newest.split_at(from.min(self.newest.len()));
            let found = after.iter().chain(before).position(|sample| sample.labels == one.labels);
            let found = found.map(|at| (at + from) % self.newest.len());
            from = found.map_or(from, |at| at + 1);
            let now = found.and_then(|at| self.newest.get(at)).map(|sample| sample.value);
            Series { labels: one.labels.clone(), points: (0..=last).map(|at| one.points.get(at).copied().flatten()).chain([now]).collect() }
        });
        let series = series.collect();
        Some(Plot {
            start: self.plot.start,
            step: self.plot.step,
            len: last + 2,
            series,
            dropped: self.plot.dropped,
            histograms: self.plot.histograms,
        })
    }

    /// The same chart of another plot.
    fn over<'b>(&'b self, plot: &'b Plot) -> Chart<'b> {
        let Chart { panel, live, now, cursor, .. } = *self;
        Chart { panel, plot, newest: &[], live, now, cursor, marks: self.marks.clone() }
    }
}

/// What lies in a chart beside its own series, on the same steps.
#[derive(Default)]
pub struct Beside<'a> {
    /// The same series at an earlier time: dotted and dim, so that they are told apart without colours too.
    pub before: Option<&'a Plot>,
    /// Another panel: on the same axis where its unit is the same, else on one of its own at the right.
    pub over: Option<(&'a Panel, &'a Plot)>,
    /// The stretch of time that the plot tells of, where that is not all of it.
    pub known: Option<(Timestamp, Timestamp)>,
    /// True where each of the chart's own lines ends in a letter, which a legend tells of.
    pub letters: bool,
}

/// Where the chart stands on its canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Placed {
    /// Its first column.
    pub x: u16,
    /// Columns that hold data.
    pub data: u16,
    /// Steps that these columns hold.
    pub steps: usize,
}

/// The values at the chart's bottom and top.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Scale {
    /// Zero is always in it: a chart that starts elsewhere makes little changes look big. Not for moments, whose zero is
    /// in 1970. A threshold is in it unless it would press the values flat.
    fn of(panel: &Panel, plots: &[&Plot]) -> Scale {
        let values = plots.iter().flat_map(|p| &p.series).flat_map(|s| s.points.iter().flatten()).filter(|v| v.is_finite());
        if panel.unit == Unit::Moment {
            let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)));
            return if high > low { Scale { low, high } } else { Scale { low: high.min(low) - 1.0, high: high.min(low) } };
        }
        let (mut first, mut one) = (None, true);
        let (low, mut high) = values.fold((0f64, 0f64), |(low, high), v| {
            one &= *first.get_or_insert(*v) == *v;
            (low.min(*v), high.max(*v))
        });
        for limit in limits(panel) {
            // Of one value alone there is less to press flat.
            if high == 0.0 || limit <= high * if one { 10.0 } else { 3.0 } {
                high = high.max(limit);
            }
        }
        if high > low { Scale { low, high } } else { Scale { low, high: low + 1.0 } }
    }

    /// The place of a value among `steps`, 0 at the bottom.
    pub(super) fn place(self, value: f64, steps: usize) -> usize {
        let last = steps.saturating_sub(1);
        // Halves, because the whole span of two huge values may be infinite.
        let share = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        ((share * last as f64).round().max(0.0) as usize).min(last)
    }

    fn holds(self, value: f64) -> bool {
        value >= self.low && value <= self.high
    }
}

fn limits(panel: &Panel) -> impl Iterator<Item = f64> {
    [panel.warn, panel.critical].into_iter().flatten().filter(|v| v.is_finite())
}

/// How many of `width` columns hold samples: all of them, or those up to the last sample where it is not fresh.
fn data_columns(chart: &Chart, width: u16) -> u16 {
    if chart.live || width < 2 {
        return width;
    }
    let span = |to: Timestamp| i128::from(to.as_second()) - i128::from(chart.plot.start.as_second());
    let known = span(chart.plot.time(chart.plot.len.saturating_sub(1))).max(0);
    let all = span(chart.now).max(known).max(1);
    let share = i128::from(width) * known / all;
    u16::try_from(share).unwrap_or(width).clamp(1, width - 1)
}

/// The grid step of the plot nearest to a moment; `None` where the plot has none.
pub fn step_at(plot: &Plot, at: Timestamp) -> Option<usize> {
    let last = plot.len.checked_sub(1)?;
    let step = plot.step.max(1);
    let away = at.as_second().saturating_sub(plot.start.as_second()).saturating_add(step / 2).div_euclid(step);
    Some(usize::try_from(away.max(0)).unwrap_or(last).min(last))
}

/// Draws the chart over the whole canvas.
pub fn draw(canvas: &mut Canvas, chart: &Chart) {
    draw_with(canvas, chart, &Beside::default());
}

/// Draws it with what lies beside it, and says where it stands.
pub fn draw_with(canvas: &mut Canvas, chart: &Chart, beside: &Beside) -> Placed {
    let whole = if beside.before.is_none() && beside.over.is_none() { chart.whole() } else { None };
    let chart = &chart.over(whole.as_ref().unwrap_or(chart.plot));
    let same = beside.over.filter(|(panel, _)| panel.unit == chart.panel.unit);
    let other = beside.over.filter(|(panel, _)| panel.unit != chart.panel.unit);
    let mut plots = vec![chart.plot];
    plots.extend(beside.before);
    plots.extend(same.map(|(_, plot)| plot));
    let scale = Scale::of(chart.panel, &plots);
    let right = other.map(|(panel, plot)| (panel, Scale::of(panel, &[plot])));
    let axis = axis(canvas, chart, scale);
    let gutter = right.map_or(0, |(panel, scale)| right_axis(canvas, panel, scale, axis));
    let (width, height) = (canvas.area.width.saturating_sub(gutter), canvas.area.height);
    let mut part = canvas.part(0, 0, width, height);
    body(&mut part, chart, (scale, right.map_or(scale, |(_, scale)| scale)), axis, beside);
    Placed { x: axis, data: data_columns(chart, width.saturating_sub(axis)), steps: chart.plot.len }
}

/// Writes the top and bottom values of a second axis at the right, and gives back how many columns they take; none on a
/// canvas that is too narrow for it.
fn right_axis(canvas: &mut Canvas, panel: &Panel, scale: Scale, left: u16) -> u16 {
    let (width, height) = (canvas.area.width, canvas.area.height);
    let texts = [(0, show(scale.high, panel.unit)), (height.saturating_sub(1), show(scale.low, panel.unit))];
    let wide = texts.iter().map(|(_, text)| cells(text)).max().unwrap_or(0);
    if width < left + wide + 24 || height < 2 {
        return 0;
    }
    for (y, text) in &texts {
        canvas.put(width - wide, *y, wide, text, Token::Dim);
    }
    wide + 1
}

/// Draws the chart with an axis of exactly `gutter` columns, so that charts over each other have one time axis.
pub fn draw_aligned(canvas: &mut Canvas, chart: &Chart, gutter: u16) {
    let whole = chart.whole();
    let chart = &chart.over(whole.as_ref().unwrap_or(chart.plot));
    let scale = Scale::of(chart.panel, &[chart.plot]);
    let height = canvas.area.height;
    let text = |value| show(value, chart.panel.unit);
    for (y, value) in [(0, scale.high), (height.saturating_sub(1), scale.low)] {
        let text = text(value);
        canvas.put_right(0, gutter.saturating_sub(1), y, &text, Token::Dim);
    }
    body(canvas, chart, (scale, scale), gutter, &Beside::default());
}

/// The chart right of its axis; the second scale is that of what is laid over it.
fn body(canvas: &mut Canvas, chart: &Chart, (scale, over_scale): (Scale, Scale), axis: u16, beside: &Beside) {
    let (width, height) = (canvas.area.width.saturating_sub(axis), canvas.area.height);
    if width == 0 || height == 0 {
        return;
    }
    let mut plot = canvas.part(axis, 0, width, height);
    let data = data_columns(chart, width);
    thresholds(&mut plot, chart, scale);
    marks(&mut plot, chart, data);
    let mut sheet = Sheet::new(plot.ascii, (data, height)).lettered(beside.letters);
    if let Some(before) = beside.before {
        sheet.plot(before, chart.panel, scale, Line::Before);
    }
    if let Some((panel, over)) = beside.over {
        sheet.plot(over, panel, over_scale, Line::Over(chart.plot.series.len()));
    }
    sheet.plot(chart.plot, chart.panel, scale, Line::Own);
    let heads = mark_columns(chart, data);
    sheet.put(&mut plot, &heads);
    // The head of a mark is never under a line.
    for x in heads {
        plot.cell(x, 0, if plot.ascii { 'v' } else { '▼' }, Token::Title);
    }
    for x in data..width {
        plot.cell(x, height - 1, '?', Token::Unknown);
    }
    if let Some((from, to)) = beside.known {
        for x in 0..data {
            let at = chart.plot.time(usize::from(x) * chart.plot.len / usize::from(data.max(1)));
            if at < from || at > to {
                plot.cell(x, height - 1, '?', Token::Unknown);
            }
        }
    }
    if let Some(at) = chart.cursor.and_then(|at| step_at(chart.plot, at)) {
        let x = (at * usize::from(data) / chart.plot.len.max(1)) as u16;
        cursor(&mut plot, x);
    }
}

/// Writes the top and bottom values and gives back how many columns they take; none on a narrow canvas.
fn axis(canvas: &mut Canvas, chart: &Chart, scale: Scale) -> u16 {
    let (width, height) = (canvas.area.width, canvas.area.height);
    if width < 24 || height < 2 {
        return 0;
    }
    let text = |v| show(v, chart.panel.unit);
    let mut labels = vec![(0, text(scale.high), Token::Dim), (height - 1, text(scale.low), Token::Dim)];
    for limit in limits(chart.panel).filter(|l| scale.holds(*l)) {
        let y = height - 1 - scale.place(limit, usize::from(height)) as u16;
        if labels.iter().all(|(row, ..)| *row != y) {
            labels.push((y, text(limit), Token::Threshold));
        }
    }
    let wide = labels.iter().map(|(_, text, _)| cells(text)).max().unwrap_or(0).max(5);
    for (y, text, token) in labels {
        canvas.put_right(0, wide, y, &text, token);
    }
    wide + 1
}

/// The columns of the moments at which something was deployed; those outside of the plot have none.
fn mark_columns(chart: &Chart, data: u16) -> Vec<u16> {
    let plot = chart.plot;
    let end = plot.time(plot.len.saturating_sub(1));
    let inside = chart.marks.iter().filter(|at| **at >= plot.start && **at <= end);
    let place = |at: &Timestamp| step_at(plot, *at).map(|step| (step * usize::from(data) / plot.len.max(1)) as u16);
    inside.filter_map(place).filter(|x| *x < data).collect()
}

/// A line down from each, apart from thresholds: these are upright and broken, and end in an arrow at the top.
fn marks(canvas: &mut Canvas, chart: &Chart, data: u16) {
    let line = if canvas.ascii { ':' } else { '╎' };
    for x in mark_columns(chart, data) {
        for y in 0..canvas.area.height {
            canvas.cell(x, y, line, Token::Dim);
        }
    }
}

fn thresholds(canvas: &mut Canvas, chart: &Chart, scale: Scale) {
    let (width, height) = (canvas.area.width, canvas.area.height);
    let line = if canvas.ascii { '.' } else { '┄' };
    for limit in limits(chart.panel).filter(|l| scale.holds(*l)) {
        let y = height - 1 - scale.place(limit, usize::from(height)) as u16;
        for x in 0..width {
            canvas.cell(x, y, line, Token::Threshold);
        }
    }
}

/// A line through the whole height; what is drawn already stays readable under it.
fn cursor(canvas: &mut Canvas, x: u16) {
    let line = if canvas.ascii { '|' } else { '│' };
    for y in 0..canvas.area.height {
        let at = (canvas.area.x + x, canvas.area.y + y);
        let symbol = canvas.buf.cell(at).and_then(|c| c.symbol().chars().next());
        let symbol = symbol.filter(|c| !matches!(c, ' ' | '┄' | '.' | '╎' | ':')).unwrap_or(line);
        canvas.cell(x, y, symbol, Token::Cursor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::label::Labels;
    use crate::model::panel::{Ask, Unit};
    use crate::model::preferences::Theme;
    use jiff::SignedDuration;
    use proptest::prelude::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    fn panel(warn: Option<f64>) -> Panel {
        Panel {
            name: "p".into(),
            service: None,
            site: None,
            source: "s".into(),
            ask: Ask::Promql("q".into()),
            unit: Unit::Count,
            warn,
            critical: None,
        }
    }

    fn plot(points: Vec<Option<f64>>) -> Plot {
        let len = points.len();
        let series = vec![Series { labels: Labels::default(), points }];
        Plot { start: Timestamp::UNIX_EPOCH, step: 10, len, series, dropped: 0, histograms: 0 }
    }

    #[test]
    fn the_newest_value_is_drawn_last_and_the_axis_holds_it() {
        let main = plot(vec![Some(1.0); 20]);
        let sample = |value| Sample { labels: Labels::default(), value };
        let told = |newest: &[Sample], live| {
            let chart = Chart { panel: &panel(None), plot: &main, newest, live, now: main.end(), cursor: None, marks: vec![] };
            let whole = chart.whole();
            let plot = whole.as_ref().unwrap_or(&main);
            (Scale::of(chart.panel, &[plot]).high, plot.len, plot.series[0].points.last().copied().flatten())
        };
        assert_eq!(told(&[sample(20.0)], true), (20.0, 21, Some(20.0)));
        assert_eq!(told(&[sample(20.0)], false), (1.0, 20, Some(1.0)), "what is not fresh is no newest value");
        assert_eq!(told(&[], true), (1.0, 20, Some(1.0)));
        let other = Sample { labels: Labels::new([("a", "b")]), value: 9.0 };
        assert_eq!(told(std::slice::from_ref(&other), true), (1.0, 21, None), "of another series");
        assert_eq!(told(&[other, sample(3.0)], true), (3.0, 21, Some(3.0)));
    }

    fn drawn(plot: &Plot, warn: Option<f64>, live: bool, now: i64, ascii: bool, size: (u16, u16)) -> Vec<String> {
        marked(plot, warn, live, now, ascii, size, &[])
    }

    fn marked(plot: &Plot, warn: Option<f64>, live: bool, now: i64, ascii: bool, size: (u16, u16), marks: &[Timestamp]) -> Vec<String> {
        let area = Rect::new(0, 0, size.0, size.1);
        let mut buf = Buffer::empty(area);
        let theme = Theme { name: "t".into(), ground: Default::default(), styles: Default::default() };
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(now);
        let chart = Chart { panel: &panel(warn), plot, newest: &[], live, now, cursor: None, marks: marks.to_vec() };
        draw(&mut Canvas { buf: &mut buf, area, theme: &theme, ascii }, &chart);
        (0..size.1).map(|y| (0..size.0).map(|x| buf[(x, y)].symbol().to_owned()).collect()).collect()
    }

    #[test]
    fn a_gap_is_blank_nan_is_marked_and_zero_is_drawn() {
        let points = vec![Some(0.0), Some(0.0), None, None, Some(f64::NAN), Some(f64::NAN), Some(4.0), Some(4.0)];
        let plot = plot(points);
        assert_eq!(drawn(&plot, None, true, 0, true, (8, 2)), ["      ''", "__  NN  "]);
        let rows = drawn(&plot, None, true, 0, false, (4, 1));
        assert_eq!(rows, ["⣀ N⠉"]);
    }

    #[test]
    fn what_is_not_known_up_to_now_is_a_row_of_question_marks() {
        let rows = drawn(&plot(vec![Some(1.0); 11]), None, false, 200, true, (10, 1));
        assert_eq!(&rows[0][5..], "?????");
    }

    #[test]
    fn over_the_limit_is_a_hash_in_ascii_and_the_limit_is_drawn() {
        let rows = drawn(&plot(vec![Some(1.0), Some(1.0), Some(9.0), Some(9.0)]), Some(5.0), true, 0, true, (4, 3));
        assert!(rows.concat().contains('#') && rows[1].contains('.'), "{rows:?}");
    }

    #[test]
    fn what_was_deployed_is_an_arrow_with_a_broken_line_that_no_threshold_looks_like() {
        let at = |secs| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs);
        let plot = plot(vec![Some(1.0); 8]);
        // One before and one after the plot have no column.
        let marks = [at(-100), at(31), at(900)];
        let rows = marked(&plot, Some(2.0), true, 0, true, (8, 5), &marks);
        let column: String = rows.iter().map(|row| row.chars().nth(3).unwrap()).collect();
        assert_eq!((column.as_str(), rows.concat().matches('v').count()), ("v:-::", 1), "{rows:?}");
        let rows = marked(&plot, Some(2.0), true, 0, false, (8, 5), &marks);
        assert_eq!((rows[0].chars().nth(3), rows[1].chars().nth(3)), (Some('▼'), Some('╎')), "{rows:?}");
    }

    fn beside(main: &Plot, with: &Beside, ascii: bool, size: (u16, u16)) -> (Vec<String>, Placed) {
        let area = Rect::new(0, 0, size.0, size.1);
        let mut buf = Buffer::empty(area);
        let theme = Theme { name: "t".into(), ground: Default::default(), styles: Default::default() };
        let chart =
            Chart { panel: &panel(None), plot: main, newest: &[], live: true, now: Timestamp::UNIX_EPOCH, cursor: None, marks: vec![] };
        let placed = draw_with(&mut Canvas { buf: &mut buf, area, theme: &theme, ascii }, &chart, with);
        let rows = (0..size.1).map(|y| (0..size.0).map(|x| buf[(x, y)].symbol().to_owned()).collect()).collect();
        (rows, placed)
    }

    #[test]
    fn what_was_before_is_dotted_and_a_gap_of_it_is_a_gap() {
        let before = plot(vec![Some(4.0), Some(4.0), None, None, Some(4.0), Some(4.0), Some(4.0), Some(4.0)]);
        let main = plot(vec![Some(0.0); 8]);
        let with = Beside { before: Some(&before), ..Beside::default() };
        assert_eq!(beside(&main, &with, true, (8, 2)).0, ["~~  ~~~~", "________"]);
        // The left dots only, where a line of its own has both.
        assert_eq!(beside(&main, &with, false, (4, 1)).0, ["⣁⣀⣁⣁"]);
    }

    #[test]
    fn another_unit_has_an_axis_of_its_own_at_the_right_and_the_same_has_not() {
        let main = plot(vec![Some(1.0); 40]);
        let other = plot(vec![Some(0.25); 40]);
        let seconds = Panel { unit: Unit::Seconds, ..panel(None) };
        let with = Beside { over: Some((&seconds, &other)), ..Beside::default() };
        let (rows, placed) = beside(&main, &with, true, (50, 4));
        assert!(rows[0].ends_with(" 250ms") && rows[3].trim_end().ends_with("0s"), "{rows:#?}");
        assert_eq!((placed.x, placed.data), (6, 38));
        let same = panel(None);
        let with = Beside { over: Some((&same, &other)), ..Beside::default() };
        let (rows, placed) = beside(&main, &with, true, (50, 5));
        assert!(rows[3].contains("======") && placed.data == 44, "a quarter of the one scale: {rows:#?}");
        // Where there is no room for it, the values under the cursor tell.
        let with = Beside { over: Some((&seconds, &other)), ..Beside::default() };
        assert_eq!(beside(&main, &with, true, (24, 4)).1.data, 18);
    }

    #[test]
    fn what_is_not_known_yet_is_a_row_of_question_marks_beside_what_is() {
        let at = |secs| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs);
        let main = plot(vec![None, None, None, None, Some(1.0), Some(1.0), Some(1.0), Some(1.0)]);
        let with = Beside { known: Some((at(40), at(70))), ..Beside::default() };
        assert_eq!(beside(&main, &with, true, (8, 2)).0, ["    ''''", "????    "]);
    }

    proptest! {
        #[test]
        fn anything_is_drawn_at_any_size(
            points in prop::collection::vec(prop::option::of(prop::num::f64::ANY), 0..50), warn in prop::option::of(prop::num::f64::ANY),
            live: bool, ascii: bool, now in -1000i64..10_000, width in 0u16..60, height in 0u16..20,
        ) {
            drawn(&plot(points), warn, live, now, ascii, (width, height));
        }
    }
}
