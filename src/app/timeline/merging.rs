//! What is known of a time, merged into one list of events. Thousands of tellings take their time, so the session carries
//! this out beside the loop, on cheap copies; until it has ended the screen shows what it showed.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use crate::app::ask::Past;
use crate::app::focus::Focus;
use crate::app::layer::Pane;
use crate::app::overview;
use crate::app::state::{State, View};
use crate::model::estate::Estate;
use crate::model::reading::Reading;
use crate::model::source::Answer;
use crate::model::timeline::{Event, known, merge};

use super::{Window, acts_in, bounds};

/// A time, from and to (UTC).
type Times = (Timestamp, Timestamp);
/// Which window of the Timeline pane: its length, and its end where that does not move with the time.
pub(crate) type Question = (Window, Option<Timestamp>);

/// All that events are merged of.
#[derive(Debug, Clone)]
pub struct Merging {
    known: Known,
    /// For the Timeline pane: which window, its times, and what was answered of it.
    timeline: Option<(Question, Times, Option<Arc<Past>>)>,
    /// The time near what is selected on the widest Overview.
    near: Option<Times>,
}

#[derive(Debug, Clone)]
struct Known {
    estate: Arc<Estate>,
    view: Arc<View>,
    readings: Vec<Reading<Answer>>,
    acts: Arc<Vec<Event>>,
    seen: Arc<VecDeque<Event>>,
    now: Timestamp,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    pub(crate) timeline: Option<OfWindow>,
    /// Events near what is selected, the newest first.
    pub(crate) near: Option<Vec<Event>>,
}

/// Events of a window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OfWindow {
    pub(crate) question: Question,
    /// The window's end (UTC) when they were merged.
    pub(crate) until: Timestamp,
    /// The newest first.
    pub(crate) events: Vec<Event>,
    /// How many more there were.
    pub(crate) more: usize,
}

impl Merging {
    /// Of what is known now, for what the screen shows. Cheap: what is large is shared.
    pub fn of(state: &State) -> Merging {
        let question = (state.timeline.window, state.timeline.end);
        Merging {
            known: Known {
                estate: state.estate.clone(),
                view: state.frozen.as_ref().map_or(&state.view, |frozen| &frozen.view).clone(),
                readings: state.shown_readings().to_vec(),
                acts: state.acts.clone(),
                seen: state.seen.clone(),
                now: state.now,
            },
            timeline: (state.pane == Pane::Timeline).then(|| (question, bounds(state), state.timeline.past.clone())),
            near: overview::focus(state.size.0).map(|_| state.focus.near),
        }
    }

    /// Merges.
    pub fn carry_out(self) -> Merged {
        let Merging { known, timeline, near } = self;
        let at_hand = |times| {
            let Known { estate, view, readings, acts, seen, now } = &known;
            gathered(estate, (view, readings), acts_in(acts, times), seen, times, *now)
        };
        let timeline = timeline.map(|(question, (from, to), past)| {
            let mut all = at_hand((from, to));
            all.extend(past.iter().flat_map(|past| past.events.iter().cloned()));
            let (events, more) = merge(all, from, to);
            OfWindow { question, until: to, events, more }
        });
        let near = near.map(|(from, to)| {
            let events = merge(at_hand((from, to)), from, to).0;
            let mut events: Vec<Event> = events.into_iter().map(|event| event.still(to.min(known.now))).collect();
            events.sort_by_key(|event| std::cmp::Reverse(event.at));
            events.truncate(Focus::EVENTS);
            events
        });
        Merged { timeline, near }
    }
}

/// Everything that these tell of a time.
pub(super) fn gathered(
    estate: &Estate,
    (view, readings): (&View, &[Reading<Answer>]),
    acts: &[Event],
    seen: &VecDeque<Event>,
    (from, to): Times,
    now: Timestamp,
) -> Vec<Event> {
    let mut all = known(estate, &view.alerts, &view.backups, &view.deployments.all, readings, (from, to), now);
    all.extend(acts.iter().cloned());
    all.extend(seen.iter().filter(|event| event.at >= from && event.at <= to).cloned());
    all
}
