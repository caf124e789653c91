//! The chart on the full screen: the window that it looks at, what it is compared with, what is laid over it, and the
//! answers that this takes. There is one at a time: what is kept here is of the chart that lies on top.

pub mod bars;
mod beside;
mod seat;
pub mod text;

use std::borrow::Cow;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::age;
use crate::model::estate::SourceKind;
use crate::model::health::PanelView;
use crate::model::metric::{Plot, Sample};
use crate::model::panel::Panel;
use crate::model::reading::Freshness;
use crate::model::source::Answer;
use crate::model::window::{RangeAsk, RangeTold, Window};

use super::ask::{Ask, Past};
use super::effect::Effect;
use super::layer::Layer;
use super::prompt::Prompting;
use super::state::State;
use bars::Bar;
pub use beside::{Before, before, candidates};
pub use seat::Seat;
pub(super) use seat::sit;

/// What an answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The panel itself, where its window is not the one that polls bring.
    Shown,
    /// The same panel a day or a week before.
    Before,
    /// The panel that is laid over it.
    Over,
}

/// Places of the slots.
pub const SLOTS: [Slot; 3] = [Slot::Shown, Slot::Before, Slot::Over];

/// What a chart is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compare {
    /// Nothing.
    #[default]
    Nothing,
    /// The same time 24 hours before.
    Day,
    /// The same time seven days before.
    Week,
}

impl Compare {
    /// The next one.
    pub fn next(self) -> Compare {
        match self {
            Compare::Nothing => Compare::Day,
            Compare::Day => Compare::Week,
            Compare::Week => Compare::Nothing,
        }
    }

    /// How much earlier; `None` where nothing is compared.
    pub fn by(self) -> Option<SignedDuration> {
        match self {
            Compare::Nothing => None,
            Compare::Day => Some(SignedDuration::from_hours(24)),
            Compare::Week => Some(SignedDuration::from_hours(7 * 24)),
        }
    }

    /// `1d before` or `7d before`.
    pub fn word(self) -> &'static str {
        match self {
            Compare::Nothing => "",
            Compare::Day => "1d before",
            Compare::Week => "7d before",
        }
    }
}

/// What was asked and answered for one slot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Part {
    /// The question under way, and its number.
    pub asked: Option<(u64, RangeAsk)>,
    /// The last answer: to what, when it came, and it.
    pub held: Option<(RangeAsk, Timestamp, Arc<RangeTold>)>,
    /// The question that failed, and why.
    pub failed: Option<(RangeAsk, String)>,
}

impl Part {
    /// What is held of exactly this panel.
    pub fn of(&self, panel: &Panel) -> Option<&(RangeAsk, Timestamp, Arc<RangeTold>)> {
        self.held.as_ref().filter(|(ask, ..)| *ask.panel == *panel)
    }
}

/// What is shown of the chart on top beside its panel and its cursor.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChartView {
    /// The name of the panel that all of this is of.
    pub of: Option<String>,
    /// The window; `None` is live: it ends now.
    pub window: Option<Window>,
    /// What it is compared with.
    pub compare: Compare,
    /// The panel that is laid over it, by name.
    pub over: Option<String>,
    /// The answers, by slot.
    pub parts: [Part; 3],
    /// The number of the last question: answers to earlier ones are passed over.
    pub number: u64,
    /// The panel of a query that was typed; its name is that of the layer that shows it.
    pub typed: Option<Arc<Panel>>,
    /// What all prompts of queries share; it outlives the chart.
    pub prompting: Prompting,
    /// The alerts of the panel's service in the window.
    pub bars: Vec<Bar>,
    /// What was asked of the past of the alerts.
    pub(crate) past_of: Option<(Timestamp, Timestamp)>,
    /// What was answered.
    pub(crate) past: Option<Past>,
    /// What the chart that comes next looks at, where one went back to it.
    pub(crate) back_to: Option<Seat>,
}

/// A chart, ready to be drawn or told of.
#[derive(Debug)]
pub struct Shown<'a> {
    /// What is drawn.
    pub panel: &'a Panel,
    /// The window.
    pub window: Window,
    /// True where the window moves with the time.
    pub live: bool,
    /// True where what is drawn reaches to the window's end.
    pub fresh: bool,
    /// The series on the window's grid; `None` where nothing is known.
    pub plot: Option<Cow<'a, Plot>>,
    /// The stretch that the plot tells of, where that is not all of the window: the rest is not known yet.
    pub known: Option<(Timestamp, Timestamp)>,
    /// When it was read.
    pub as_of: Option<Timestamp>,
    /// True while it is being asked.
    pub loading: bool,
    /// Why it could not be read, where it could not.
    pub error: Option<String>,
    /// What the source said beside it, and what it keeps.
    pub notes: Vec<String>,
    /// The newest samples, where they are known apart from the plot, whose last step is a little older.
    pub now: &'a [Sample],
}

/// The present as the chart sees it: a frozen view stands still.
pub fn present(state: &State) -> Timestamp {
    state.frozen.as_ref().map_or(state.now, |frozen| frozen.at)
}

/// The name of the panel of the chart that lies on top, or under what lies over it.
pub fn name(state: &State) -> Option<&str> {
    state.layers.iter().rev().find_map(|layer| if let Layer::Chart { panel, .. } = layer { Some(panel.as_str()) } else { None })
}

/// True where the chart on top is of a query that was typed.
pub fn is_typed(state: &State) -> bool {
    state.chart.typed.as_ref().is_some_and(|typed| Some(typed.name.as_str()) == name(state))
}

/// The panel of that name: of the estate, or the one of the query that was typed.
pub fn panel<'a>(state: &'a State, name: &str) -> Option<&'a Panel> {
    let typed = state.chart.typed.as_deref().filter(|typed| typed.name == name);
    typed.or_else(|| state.estate.panel(name))
}

/// The window that is looked at.
pub fn window(state: &State) -> Window {
    state.chart.window.unwrap_or_else(|| Window::new(present(state), state.demand.range, present(state)))
}

/// The time between two samples of a source: what a Prometheus says of its targets, else the time between two polls.
fn scrape(state: &State, source: &str) -> SignedDuration {
    let Some(at) = state.estate.sources.iter().position(|one| one.name == source) else { return SignedDuration::from_secs(60) };
    let told = state.readings.get(at).and_then(|reading| match &reading.held.as_ref()?.value {
        Answer::Prometheus(answer) => answer.targets.as_ref()?.scrape,
        _ => None,
    });
    told.unwrap_or(state.estate.sources[at].every)
}

/// What a slot wants to know now; `None` where nothing.
pub fn wants(state: &State, slot: Slot) -> Option<RangeAsk> {
    let name = name(state)?;
    let of = |panel: &Panel, window: Window| RangeAsk {
        panel: Arc::new(panel.clone()),
        window,
        points: state.demand.points,
        scrape: scrape(state, &panel.source),
    };
    let typed = state.chart.typed.as_ref().is_some_and(|typed| typed.name == name);
    match slot {
        // What polls bring is not asked again.
        Slot::Shown if state.chart.window.is_none() && !typed => None,
        Slot::Shown => Some(of(panel(state, name)?, settled(state, name))),
        Slot::Before => Some(of(panel(state, name)?, settled(state, name).shifted(state.chart.compare.by()?))),
        Slot::Over if state.chart.window.is_none() && !typed => None,
        Slot::Over => Some(of(panel(state, state.chart.over.as_deref()?)?, settled(state, name))),
    }
}

/// The window, of a live one at the last step of its grid: it is asked again only when that moves.
fn settled(state: &State, name: &str) -> Window {
    let window = window(state);
    let source = panel(state, name).map_or("", |panel| panel.source.as_str());
    if state.chart.window.is_some() {
        return window;
    }
    let step = crate::model::metric::step(window.length, state.demand.points, scrape(state, source));
    let to = Timestamp::from_second(window.to.as_second().div_euclid(step) * step).unwrap_or(window.to);
    Window { to, ..window }
}

/// Asks for what is wanted and not there, and gives up what nobody looks at any more.
pub(super) fn wanted(state: &mut State) -> Vec<Effect> {
    let name = name(state).map(str::to_owned);
    if state.chart.of != name {
        let (typed, prompting) = (state.chart.typed.take(), std::mem::take(&mut state.chart.prompting));
        let mut fresh = ChartView { of: name, number: state.chart.number + 1, typed, prompting, ..ChartView::default() };
        if let Some(seat) = state.chart.back_to.take() {
            seat.give(&mut fresh);
        }
        let before = std::mem::replace(&mut state.chart, fresh);
        bars::renew(state);
        if before.parts.iter().any(|part| part.asked.is_some()) {
            return [vec![Effect::Ask(Box::new(Ask::StopCharts(state.chart.number)))], asks(state)].concat();
        }
    }
    asks(state)
}

fn asks(state: &mut State) -> Vec<Effect> {
    let mut effects = Vec::new();
    for slot in SLOTS {
        let wants = wants(state, slot);
        let live = state.chart.window.is_none();
        let part = &mut state.chart.parts[slot as usize];
        let Some(ask) = wants else {
            *part = Part::default();
            continue;
        };
        let known = part.asked.as_ref().is_some_and(|(_, asked)| *asked == ask)
            || part.held.as_ref().is_some_and(|(held, ..)| *held == ask)
            || part.failed.as_ref().is_some_and(|(failed, _)| *failed == ask);
        // A live window moves on all the while: a slow server is given the time to answer at all.
        let moved_on = |asked: &RangeAsk| live && asked.panel == ask.panel && asked.window.length == ask.window.length;
        if known || part.asked.as_ref().is_some_and(|(_, asked)| moved_on(asked) && same_shift(asked, &ask)) {
            continue;
        }
        state.chart.number += 1;
        part.asked = Some((state.chart.number, ask.clone()));
        effects.push(Effect::Ask(Box::new(Ask::Chart { slot, number: state.chart.number, ask })));
    }
    effects.extend(bars::wanted(state));
    effects
}

/// True where two windows are not farther apart than one of them is long: no other comparison lies between.
fn same_shift(a: &RangeAsk, b: &RangeAsk) -> bool {
    a.window.to.duration_since(b.window.to).abs() < SignedDuration::from_hours(12)
}

/// Takes in an answer; one to an older question is passed over.
pub(super) fn told(state: &mut State, slot: Slot, number: u64, result: Result<Arc<RangeTold>, String>) {
    let now = state.now;
    let part = &mut state.chart.parts[slot as usize];
    let Some((_, ask)) = part.asked.take_if(|(asked, _)| *asked == number) else { return };
    match result {
        Ok(told) => (part.held, part.failed) = (Some((ask, now, told)), None),
        Err(why) => part.failed = Some((ask, why)),
    }
}

/// Forgets what failed, so that it is asked again.
pub(super) fn retry(state: &mut State) {
    state.chart.parts.iter_mut().for_each(|part| part.failed = None);
}

/// The next moment at which something is asked anew, where the chart moves with the time.
pub fn wake(state: &State) -> Option<Timestamp> {
    let ask = SLOTS.into_iter().find_map(|slot| wants(state, slot))?;
    if state.chart.window.is_some() || state.frozen.is_some() {
        return None;
    }
    let step = ask.step();
    Timestamp::from_second((state.now.as_second().div_euclid(step) + 1) * step).ok()
}

/// The chart of that panel as it is now; `None` where there is no such panel.
pub fn shown<'a>(state: &'a State, name: &str) -> Option<Shown<'a>> {
    let panel = panel(state, name)?;
    match wants(state, Slot::Shown).filter(|_| state.chart.of.as_deref() == Some(name)) {
        Some(ask) => Some(of_part(state, panel, &state.chart.parts[Slot::Shown as usize], &ask)),
        None => Some(of_view(state, state.panels().into_iter().find(|view| view.panel.name == name)?)),
    }
}

/// The panel that is laid over the chart, as it is now.
pub fn over(state: &State) -> Option<Shown<'_>> {
    let name = state.chart.over.as_deref()?;
    match wants(state, Slot::Over) {
        Some(ask) => Some(of_part(state, panel(state, name)?, &state.chart.parts[Slot::Over as usize], &ask)),
        None => Some(of_view(state, state.panels().into_iter().find(|view| view.panel.name == name)?)),
    }
}

/// How far back the samples reach that are kept here.
fn said(state: &State, kept: crate::model::window::Kept) -> String {
    let keep = age::exact(kept.keep);
    match kept.since {
        Some(since) => format!("samples are kept here for {keep} at the most, the oldest is of {}", super::when::both(state, since)),
        None => format!("samples are kept here for {keep} at the most, and there is none yet"),
    }
}

/// What polls brought.
fn of_view<'a>(state: &'a State, view: PanelView<'a>) -> Shown<'a> {
    let plot = view.answer.and_then(|answer| answer.plot.as_ref());
    Shown {
        panel: view.panel,
        window: window(state),
        live: true,
        fresh: view.freshness == Freshness::Fresh,
        plot: plot.map(Cow::Borrowed),
        known: None,
        as_of: view.as_of,
        loading: false,
        error: view.answer.and_then(|answer| answer.error.clone()),
        notes: view.answer.map(|answer| answer.notes.clone()).unwrap_or_default(),
        now: view.answer.map_or(&[], |answer| &answer.now),
    }
}

/// What was asked for: the whole of it, or what an earlier answer tells of the same time.
fn of_part<'a>(state: &'a State, panel: &'a Panel, part: &'a Part, ask: &RangeAsk) -> Shown<'a> {
    let held = part.of(panel).filter(|(held, ..)| held.window.from() < ask.window.to && held.window.to > ask.window.from());
    let whole = held.is_some_and(|(held, ..)| held == ask);
    let live = state.chart.window.is_none();
    let empty = ask.empty();
    let plot = held.map(|(.., told)| {
        // One step behind is what a live window always is.
        if whole || live { Cow::Borrowed(&told.plot) } else { Cow::Owned(told.plot.onto(empty.start, empty.step, empty.len)) }
    });
    let known = held.filter(|_| !whole && !live).map(|(.., told)| (told.plot.start, told.plot.end()));
    let behind =
        held.is_some_and(|(.., told)| ask.window.to.duration_since(told.plot.end()).as_secs() > ask.step().saturating_mul(2).max(30));
    let kept = held.and_then(|(.., told)| told.kept).filter(|kept| kept.since.is_none_or(|since| since > ask.window.from()));
    let mut notes: Vec<String> = held.map(|(.., told)| told.notes.clone()).unwrap_or_default();
    notes.extend(kept.map(|kept| said(state, kept)));
    Shown {
        panel,
        window: ask.window,
        live,
        fresh: held.is_some() && !(live && behind),
        plot,
        known,
        as_of: held.map(|(_, at, _)| *at),
        loading: part.asked.is_some() && !whole && (!live || held.is_none()),
        error: part.failed.as_ref().filter(|_| part.asked.is_none() || held.is_none()).map(|(_, why)| why.clone()),
        notes,
        now: &[],
    }
}

/// The window in words, for a chart that is not live: `looking at 14:05Z-14:20Z, not live`.
pub fn looking_at(state: &State, window: Window) -> String {
    use super::when::{day, full, minute};
    let (from, to) = (window.from(), window.to);
    let text = match (day(state, from) == day(state, to), day(state, to) == day(state, state.now)) {
        (true, true) => format!("{}-{}", minute(state, from), minute(state, to)),
        (true, false) => format!("{}-{}", full(state, from), minute(state, to)),
        (false, _) => format!("{} to {}", full(state, from), full(state, to)),
    };
    format!("looking at {text}, not live")
}

/// True where the estate has a Prometheus to ask.
pub fn has_prometheus(state: &State) -> bool {
    state.estate.sources.iter().any(|source| matches!(source.kind, SourceKind::Prometheus { .. }))
}
