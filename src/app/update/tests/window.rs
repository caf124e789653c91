//! The Deployments pane over an index that answers when it likes: no key is lost, no end is shown that is none, no row
//! moves under the cursor.

use super::deployments::{deployed, one};
use super::*;
use crate::app::ask::{Ask, Exported, Question, Rows, Told, Want, Whole};
use crate::app::deployments::window::{self, Hits};
use crate::app::filter::Filter;
use crate::model::deployment::Deployment;
use crate::model::deployment::list::Piece;

/// An index of so many rows, one a minute; it answers when it is told to.
struct World {
    rows: Vec<Arc<Deployment>>,
    state: State,
    asked: Vec<Ask>,
    copied: Vec<String>,
}

fn keyed(n: i64) -> Arc<Deployment> {
    let mut one = (*one(n)).clone();
    one.key = format!("k{n}").into();
    Arc::new(one)
}

impl World {
    fn new(count: i64) -> World {
        let mut state = deployed(0);
        state.window.indexed = true;
        state.window.outdate();
        let mut world = World { rows: (0..count).map(keyed).collect(), state, asked: Vec::new(), copied: Vec::new() };
        world.then(Message::Tick);
        world.press("5");
        world.answer();
        world
    }

    fn then(&mut self, message: Message) {
        for effect in update(&mut self.state, message) {
            match effect {
                Effect::Ask(ask) => self.asked.push(*ask),
                Effect::Copy(text) => self.copied.push(text),
                _ => {}
            }
        }
    }

    fn press(&mut self, keys: &str) {
        for key in keys.split(' ') {
            self.then(Message::Key(key.parse().unwrap()));
        }
    }

    fn told(&self, ask: Ask) -> Told {
        match ask {
            Ask::Deployments(Question { number, plan, want, rows: most }) => {
                let filter = self.state.deployments.filter.clone();
                let narrow = plan.narrow;
                let passes = |one: &&Arc<Deployment>| {
                    (filter.is_empty() || filter.matches(&***one, plan.now)) && narrow.until.is_none_or(|until| one.at <= until)
                };
                let all: Vec<Arc<Deployment>> = self.rows.iter().filter(passes).cloned().collect();
                let from = |at: usize| {
                    let rows: Vec<_> = all[at..].iter().take(most).cloned().collect();
                    Piece { newer: at > 0, older: at + rows.len() < all.len(), rows }
                };
                let to = |end: usize| {
                    let start = end.saturating_sub(most);
                    Piece { rows: all[start..end].to_vec(), newer: start > 0, older: end < all.len() }
                };
                let place = |key: &str| all.iter().position(|one| &*one.key == key).unwrap();
                let piece = match want {
                    Want::Newest => from(0),
                    Want::Oldest => to(all.len()),
                    Want::At(at) => from(all.iter().position(|one| one.at <= at).unwrap_or(all.len())),
                    Want::After(after) => from(place(&after.key) + 1),
                    Want::Before(before) => to(place(&before.key)),
                    Want::Around(around) => {
                        let (above, below) = (to(place(&around.key)), from(place(&around.key)));
                        let rows = above.rows.into_iter().chain(below.rows).collect();
                        Piece { rows, newer: above.newer, older: below.older }
                    }
                };
                let reach = self.rows.last().zip(self.rows.first()).map(|(oldest, newest)| (oldest.at, newest.at));
                Told::Deployments(Rows { number, done: true, piece: Ok(piece), whole: Whole { total: self.rows.len(), reach } })
            }
            Ask::DeploymentCount { number, .. } => {
                let filter = &self.state.deployments.filter;
                let count = self.rows.iter().filter(|one| filter.matches(&***one, self.state.now)).count();
                Told::DeploymentCount { number, count, done: true }
            }
            Ask::DeploymentNeighbours(of) => {
                let at = self.rows.iter().position(|one| one.key == of.key).unwrap();
                let after = at.checked_sub(1).and_then(|at| self.rows.get(at)).cloned();
                Told::DeploymentNeighbours { key: of.key.clone(), before: self.rows.get(at + 1).cloned(), after }
            }
            Ask::Export(export) => Told::Export(export.number, Exported::Done(self.rows.len())),
            Ask::StopExport => Told::Export(0, Exported::Stopped),
            other => panic!("the list does not ask {other:?}"),
        }
    }

    /// Answers all that is asked, and what is asked then.
    fn answer(&mut self) {
        for turn in 0.. {
            assert!(turn < 100, "it asks without an end: {:?}", self.asked);
            let asked = std::mem::take(&mut self.asked);
            if asked.is_empty() {
                return;
            }
            for ask in asked {
                let told = self.told(ask);
                self.then(Message::Told(Box::new(told)));
            }
        }
    }

    fn row(&self) -> &str {
        let row = &self.state.window.rows[self.state.deployments.list.row];
        assert_eq!(Some(&row.key), self.state.deployments.list.selected.as_ref());
        &row.key
    }

    /// The line on the screen that the cursor is on.
    fn line(&self) -> usize {
        self.state.deployments.list.row - self.state.deployments.list.offset
    }
}

#[test]
fn a_window_walks_over_all_rows_and_holds_few() {
    let mut world = World::new(5_000);
    for n in 1..5_000 {
        world.press("j");
        world.answer();
        assert_eq!(world.row(), format!("k{n}"));
        assert!(world.state.window.rows.len() < 500, "{}", world.state.window.rows.len());
    }
    world.press("j");
    assert_eq!(world.row(), "k4999");
    for _ in 0..300 {
        world.press("pageup");
        world.answer();
    }
    assert_eq!((world.row(), world.state.window.newer), ("k0", false));
    world.press("G");
    world.answer();
    assert_eq!(world.row(), "k4999");
    assert!(!world.state.window.older && world.state.window.newer);
    world.press("g");
    world.answer();
    assert_eq!((world.row(), world.state.deployments.list.offset), ("k0", 0));
}

#[test]
fn keys_at_an_edge_wait_for_the_piece_and_none_is_lost() {
    let mut world = World::new(5_000);
    world.press("pagedown pagedown pagedown pagedown pagedown pagedown j j k");
    assert!(!world.asked.is_empty(), "the answer has not come");
    world.answer();
    let height = window::height(&world.state);
    assert_eq!(world.row(), format!("k{}", 6 * height + 1));
    // While the last rows are fetched, keys mean these.
    world.press("G k k enter");
    assert_eq!(world.state.layers, []);
    world.answer();
    assert!(matches!(world.state.layers.last(), Some(Layer::Deployment { deployment, .. }) if &*deployment.key == "k4997"));
    let near = world.state.window.neighbours.clone().unwrap().told.unwrap();
    assert_eq!((&*near.0.unwrap().key, &*near.1.unwrap().key), ("k4998", "k4996"));
    // Another pane, another meaning.
    world.press("esc g enter 1");
    world.answer();
    assert_eq!(world.state.layers, []);
}

#[test]
fn what_came_after_an_open_deployment_is_asked_again_when_the_history_changes() {
    let mut world = World::new(1_000);
    world.press("enter");
    world.answer();
    let newer = |world: &World| world.state.window.neighbours.clone().unwrap().told.unwrap().1.map(|one| one.key.to_string());
    assert_eq!(newer(&world), None, "it is the newest");
    world.rows.insert(0, keyed(-1));
    world.then(Message::HistoryChanged(1));
    world.answer();
    assert_eq!(newer(&world).as_deref(), Some(&*keyed(-1).key));
}

#[test]
fn new_rows_never_move_the_row_under_the_cursor() {
    let mut world = World::new(1_000);
    world.press("j j j");
    for (add, keys) in [(-1, "j"), (-2, "pagedown"), (-3, "G")] {
        let (row, line) = (world.row().to_owned(), world.line());
        world.rows.insert(0, keyed(add));
        world.then(Message::HistoryChanged(1));
        world.answer();
        assert_eq!((world.row(), world.line()), (row.as_str(), line), "before {keys}");
        world.press(keys);
        world.answer();
    }
    // On the first row the newest appear.
    world.press("g");
    world.answer();
    world.rows.insert(0, keyed(-4));
    world.then(Message::HistoryChanged(2));
    world.answer();
    assert_eq!((world.row(), world.line(), world.state.window.rows[0].key.as_ref()), ("k-3", 1, "k-4"));
}

#[test]
fn a_filter_shows_what_is_held_at_once_then_all_and_counts() {
    let mut world = World::new(2_000);
    world.press("/");
    world.then(Message::Paste("result=failed".into()));
    let height = window::height(&world.state);
    assert!(world.state.window.rows.iter().all(|one| one.result == Some(crate::model::deployment::Ending::Failed)));
    assert!(matches!(world.state.window.hits, Hits::AtLeast(count) if count < 2 * height));
    assert!(world.state.window.waits() && world.state.window.older, "no end that is none");
    world.answer();
    assert_eq!(world.state.window.hits, Hits::All(200));
    // An answer to what was typed before is not taken.
    let late = Filter::parse("who=ann").unwrap();
    let stale = Rows { number: 1, done: true, piece: Ok(Piece { rows: vec![keyed(1)], ..Piece::default() }), whole: Whole::default() };
    world.then(Message::Told(Box::new(Told::Deployments(stale))));
    assert!(world.state.window.rows.len() > 1 && !late.is_empty());
    world.then(Message::Told(Box::new(Told::DeploymentCount { number: 1, count: 7, done: true })));
    assert_eq!(world.state.window.hits, Hits::All(200));
    // The selected row stays while the filter goes.
    world.press("enter j j j");
    world.answer();
    assert_eq!(world.row(), "k30");
    world.press("esc");
    world.answer();
    assert_eq!((world.row(), world.state.window.hits), ("k30", Hits::All(2_000)));
}

#[test]
fn what_is_found_early_is_shown_and_the_rest_follows() {
    let mut world = World::new(2_000);
    world.press("/");
    world.then(Message::Paste("who=ann".into()));
    let Some(Ask::Deployments(question)) = world.asked.first().cloned() else { panic!("{:?}", world.asked) };
    let piece = Ok(Piece { rows: vec![keyed(0)], newer: false, older: true });
    let early = Rows { number: question.number, done: false, piece, whole: Whole { total: 2_000, reach: None } };
    world.then(Message::Told(Box::new(Told::Deployments(early))));
    assert_eq!((world.state.window.rows.len(), world.state.window.waits()), (1, true));
    world.answer();
    assert_eq!(world.state.window.hits, Hits::All(1_000));
}

#[test]
fn a_history_that_cannot_be_read_is_told_and_asked_again_only_when_someone_wants_it() {
    let mut world = World::new(2_000);
    world.press("G j");
    let Some(Ask::Deployments(question)) = world.asked.pop() else { panic!() };
    world.asked.clear();
    let rows = Rows { number: question.number, done: true, piece: Err("disk".into()), whole: Whole::default() };
    world.then(Message::Told(Box::new(Told::Deployments(rows))));
    assert_eq!((world.state.window.error.as_deref(), world.asked.len()), (Some("disk"), 0));
    world.then(Message::Tick);
    assert_eq!(world.asked.len(), 0);
    world.press("G");
    world.answer();
    assert_eq!((world.row(), &world.state.window.error), ("k1999", &None));
}

#[test]
fn a_time_that_is_typed_in_the_palette_is_gone_to() {
    let mut world = World::new(2_000);
    world.press(":");
    // at(100_000) is 1970-01-02T03:46:40Z.
    world.then(Message::Paste("1970-01-01T12:00".into()));
    world.press("enter");
    world.answer();
    let at = world.state.window.rows[world.state.deployments.list.row].at;
    assert_eq!((world.state.pane, at.to_string()), (Pane::Deployments, "1970-01-01T11:59:40Z".to_owned()));
}

#[test]
fn a_frozen_view_does_not_move() {
    let mut world = World::new(1_000);
    world.press("j p");
    world.rows.insert(0, keyed(-1));
    world.then(Message::HistoryChanged(1));
    world.answer();
    assert_eq!(world.state.window.rows[0].key.as_ref(), "k0");
    world.press("p");
    world.answer();
    assert_eq!((world.state.window.rows[0].key.as_ref(), world.row()), ("k-1", "k1"));
}

#[test]
fn one_is_told_of_and_the_list_is_exported() {
    let mut world = World::new(30);
    world.press("j y");
    assert_eq!(world.copied.len(), 1);
    let text = &world.copied[0];
    assert!(text.starts_with("web: ? -> 1.0, succeeded, by ben, 1970-01-02 03:45:40Z\nqd --estate "), "{text}");
    let filter = text.split("--filter ").nth(1).unwrap().trim_matches('\'');
    assert_eq!(world.rows.iter().filter(|one| Filter::parse(filter).unwrap().matches(&***one, at(0))).count(), 1);
    world.press("esc x");
    assert!(matches!(world.state.layers.last(), Some(Layer::Export(form)) if form.typed.is_empty()), "no folder is known");
    world.then(Message::Paste("out.csv".into()));
    world.press("enter");
    assert!(matches!(world.state.layers.last(), Some(Layer::Export(form)) if matches!(form.far, Some(Exported::Failed(_)))));
    world.press("ctrl-u");
    world.then(Message::Paste("/tmp/out.csv".into()));
    world.press("enter");
    assert!(matches!(world.asked.last(), Some(Ask::Export(export)) if !export.replace && export.path == "/tmp/out.csv"));
    let Some(Ask::Export(export)) = world.asked.pop() else { panic!() };
    world.then(Message::Told(Box::new(Told::Export(export.number, Exported::Exists))));
    world.press("enter");
    let Some(Ask::Export(export)) = world.asked.pop() else { panic!() };
    assert!(export.replace, "it was said, and asked for again");
    world.press("esc");
    assert_eq!(world.asked.pop(), Some(Ask::StopExport), "it is stopped where its form is left");
    world.then(Message::Told(Box::new(Told::Export(export.number, Exported::Stopped))));
    assert_eq!(world.state.layers, []);
}
