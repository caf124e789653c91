//! What one look at all peers says: is it done?

use super::held::Held;
use super::peers::{View, silent};
use super::{Want, mark};
use crate::model::plan::{Former, Found};
use crate::model::silence::SilenceMatcher;

/// What one look says of what is wanted.
pub(super) fn found(views: &[View], want: Want<'_>, run: &str) -> Found {
    let all_answer = views.iter().all(View::answered);
    let names =
        |held: &dyn Fn(&Held) -> bool| views.iter().filter(|view| view.held().any(held)).map(View::name).collect::<Vec<_>>().join(", ");
    let untold = |what: &str| Found::Untold { why: format!("{}; {what}", silent(views)) };
    match want {
        Want::Silence { replaces, matchers, ends_at, .. } => {
            let made: Vec<&Held> = ours(views, run, matchers).filter(|held| held.ends(ends_at)).collect();
            if let Some(held) = made.iter().find(|held| held.lives()) {
                let id = &held.id;
                return Found::Done { seen: format!("silence {id} of this run is on {}", names(&|held| held.id == *id)) };
            }
            let ended = ours(views, run, matchers).find(|held| !held.lives() && replaces.is_none());
            if let Some(held) = ended {
                return Found::Moved { seen: format!("silence {} of this run was made and has ended at {}", held.id, held.ends_at) };
            }
            match replaces {
                _ if !all_answer => untold("the other peers have no such silence of this run"),
                None => Found::NotDone { seen: "all peers answer, and none has a silence of this run".to_owned() },
                Some(former) => before(views, former, run),
            }
        }
        Want::Expire(former) => {
            let shown: Vec<&Held> = meant(views, former, run).collect();
            match (shown.iter().any(|held| held.lives()), shown.iter().any(|held| !held.lives())) {
                (false, true) => {
                    Found::Done { seen: format!("the silence has ended on {}", names(&|held| shown.iter().any(|one| one.id == held.id))) }
                }
                (true, true) => Found::Underway { seen: "it has ended on some peers, and not yet on others".to_owned() },
                _ if !all_answer => untold("the other peers do not show that it ended"),
                (true, false) => before(views, former, run),
                (false, false) if former.id.is_none() => {
                    Found::Done { seen: "this run has made no silence that is still there".to_owned() }
                }
                (false, false) => Found::Moved { seen: "the silence is gone".to_owned() },
            }
        }
    }
}

/// Whether the silence is as it was before the call.
fn before(views: &[View], former: &Former, run: &str) -> Found {
    let shown: Vec<&Held> = meant(views, former, run).collect();
    match shown.iter().find(|held| !held.lives() || !held.ends(former.ends_at)) {
        Some(held) => Found::Moved { seen: format!("silence {} was to end at {} and ends at {}", held.id, former.ends_at, held.ends_at) },
        None if shown.is_empty() => Found::Moved { seen: "the silence is gone".to_owned() },
        None => Found::NotDone { seen: format!("the silence ends at {} as before", former.ends_at) },
    }
}

pub(super) fn all(views: &[View]) -> impl Iterator<Item = &Held> {
    views.iter().flat_map(View::held)
}

/// Those whose comment holds the run's id and that mute this; whatever they mute where nothing is said.
pub(super) fn ours<'v>(views: &'v [View], run: &str, of: &[SilenceMatcher]) -> impl Iterator<Item = &'v Held> {
    let (mark, of) = (mark(run), of.to_vec());
    all(views).filter(move |held| held.is_of(&mark, &of))
}

/// Those that are meant: by id, or by the run and what they mute.
pub(super) fn meant<'v>(views: &'v [View], former: &Former, run: &str) -> impl Iterator<Item = &'v Held> {
    let (former, mark) = (former.clone(), mark(run));
    all(views).filter(move |held| former.id.as_ref().map_or_else(|| held.is_of(&mark, &former.of), |id| held.id == *id))
}
