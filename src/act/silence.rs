//! Makes, lengthens and ends silences of an Alertmanager: one write for a set of peers, then all of them are read until they
//! agree, as silences travel between them by gossip. A write whose answer is lost is found again by the run's id, which
//! stands in the comment, and by what it mutes: one run may make several.
//!
//! Alertmanager has no conditional write and no lease: what a call expects is read right before it, and two operators who
//! silence at once make two silences.

mod found;
mod held;
mod peers;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use self::found::{all, found, meant, ours};
use self::held::{Held, Matcher};
pub use self::peers::Peers;
use self::peers::{View, silent};
use super::Called;
use crate::link::http::{SendError, Verb};
use crate::link::permit::Permit;
use crate::model::plan::{Act, Former, Found};
use crate::model::run::CallEnd;
use crate::model::silence::{SilenceMatcher, SilenceState, is_id, same};
use crate::model::text::{NOTE_CAP, clean};

/// Between two looks at the peers.
const PAUSE: Duration = Duration::from_millis(500);
/// What is left of a step's time when the last look ends, so that its end is told before the step is cut off.
const REST: Duration = Duration::from_secs(3);
/// For how long a silence that nobody has is looked for: a write that a slow proxy still holds may yet arrive.
const GRACE: Duration = Duration::from_secs(5);
/// Bytes of an answer to a write.
const ANSWER: usize = 1 << 16;

/// The run of a look that is no run's.
const NOBODY: &str = "dry-run";

/// What a call wants of the set.
#[derive(Debug, Clone, Copy)]
enum Want<'a> {
    Silence {
        replaces: Option<&'a Former>,
        matchers: &'a [SilenceMatcher],
        starts_at: Option<Timestamp>,
        ends_at: Timestamp,
        by: &'a str,
        comment: &'a str,
    },
    Expire(&'a Former),
}

impl Want<'_> {
    fn of(act: &Act) -> Option<Want<'_>> {
        match act {
            Act::Silence { replaces, matchers, starts_at, ends_at, created_by, comment } => Some(Want::Silence {
                replaces: replaces.as_ref(),
                matchers,
                starts_at: *starts_at,
                ends_at: *ends_at,
                by: created_by,
                comment,
            }),
            Act::ExpireSilence { silence } => Some(Want::Expire(silence)),
            _ => None,
        }
    }
}

/// What stands in the comment of what this run makes.
fn mark(run: &str) -> String {
    format!("[qd {run}]")
}

/// Does it, by one write to one peer, and reads all peers back until they agree or the time is over.
pub async fn apply(peers: &Peers, permit: Permit, act: &Act, until: Instant) -> Called {
    let run = permit.run().to_owned();
    let end = match Want::of(act) {
        None => refused("the plan has no such call"),
        Some(want) => {
            let views = peers.look(until).await;
            match Situation::of(&views, want, &run) {
                Situation::Settled(end) => end,
                Situation::Made(id) => settle(peers, want, &run, &id, None, until).await,
                Situation::Go(old) => write(peers, permit, want, &run, &views, old, until).await,
            }
        }
    };
    Called { end, output: Vec::new() }
}

/// What [`apply`] would find now, by one look at all peers, with the write left out.
pub async fn foresee(peers: &Peers, act: &Act) -> Found {
    let Some(want) = Want::of(act) else { return Found::Untold { why: "the plan has no such call".to_owned() } };
    // No run has this name: nothing is taken for its own.
    match Situation::of(&peers.look(Instant::now() + peers::LOOK).await, want, NOBODY) {
        Situation::Settled(CallEnd::Done { seen }) => Found::Done { seen },
        Situation::Settled(CallEnd::Refused { why } | CallEnd::Failed { why }) => Found::Moved { seen: why },
        Situation::Settled(CallEnd::Unknown { why }) => Found::Untold { why },
        Situation::Made(id) => Found::Done { seen: format!("silence {id} is there") },
        Situation::Go(Some(old)) => Found::NotDone { seen: format!("silence {} ends at {}, as the plan expects", old.id, old.ends_at) },
        Situation::Go(None) => Found::NotDone { seen: "nothing mutes the same that long".to_owned() },
    }
}

/// Reads all peers: is that act done? `run` is the run that may have done it.
pub async fn observe(peers: &Peers, act: &Act, run: &str) -> Found {
    let Some(want) = Want::of(act) else { return Found::Untold { why: "the plan has no such call".to_owned() } };
    let until = Instant::now() + GRACE;
    loop {
        let found = found(&peers.look(Instant::now() + peers::LOOK).await, want, run);
        let decided = !matches!(found, Found::NotDone { .. } | Found::Underway { .. });
        if decided || Instant::now() + PAUSE >= until {
            return found;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// How the set stands before the write.
enum Situation {
    /// There is nothing to write.
    Settled(CallEnd),
    /// An earlier try of this run made this one.
    Made(String),
    /// The write is to be made; what is changed by it, with the id.
    Go(Option<Held>),
}

impl Situation {
    fn of(views: &[View], want: Want<'_>, run: &str) -> Situation {
        if !views.iter().any(View::answered) {
            return Situation::Settled(refused(format!("nothing was sent: {}", silent(views))));
        }
        match want {
            Want::Silence { replaces, matchers, ends_at, .. } => {
                if let Some(made) = ours(views, run, matchers).find(|held| held.lives() && held.ends(ends_at)) {
                    return Situation::Made(made.id.clone());
                }
                if ends_at <= Timestamp::now() {
                    return Situation::Settled(refused(format!("its end, {ends_at}, is past: end the silence where it is to end")));
                }
                match replaces {
                    None => match all(views).find(|held| held.mutes_already(matchers, ends_at)) {
                        Some(held) => Situation::Settled(CallEnd::Done {
                            seen: clean(
                                &format!(
                                    "it was so already: silence {} of {} mutes the same until {}; nothing was sent",
                                    held.id, held.created_by, held.ends_at
                                ),
                                NOTE_CAP,
                            )
                            .into_owned(),
                        }),
                        None => Situation::Go(None),
                    },
                    Some(former) => Situation::changing(views, former, Some(matchers), run),
                }
            }
            Want::Expire(former) => Situation::changing(views, former, None, run),
        }
    }

    /// Of one that is there: all peers that answer must show it as the plan says.
    fn changing(views: &[View], former: &Former, matchers: Option<&[SilenceMatcher]>, run: &str) -> Situation {
        let shown: Vec<&Held> = meant(views, former, run).collect();
        let not = |why: String| Situation::Settled(refused(format!("{why}; nothing was sent")));
        let Some(first) = shown.iter().find(|held| held.lives()).or(shown.first()) else {
            return match (&former.id, views.iter().all(View::answered), matchers) {
                (None, true, None) => {
                    Situation::Settled(CallEnd::Done { seen: "this run has made no silence that is still there".to_owned() })
                }
                (None, false, _) => not(format!("{}: whether this run made a silence is not known", silent(views))),
                (None, true, Some(_)) => not("the silence of this run is gone".to_owned()),
                (Some(id), _, _) => not(format!("the silence {id} is gone")),
            };
        };
        if let Some(ended) = shown.iter().find(|held| held.id == first.id && !held.lives()) {
            return match (&former.id, matchers) {
                (None, None) => Situation::Settled(CallEnd::Done { seen: format!("silence {} has ended already", ended.id) }),
                _ => not(format!(
                    "silence {} was to end at {} and has ended at {}: someone ended it",
                    ended.id, former.ends_at, ended.ends_at
                )),
            };
        }
        if let Some(other) = shown.iter().find(|held| held.id == first.id && !held.ends(former.ends_at)) {
            return not(format!("silence {} was to end at {} and ends at {}: someone changed it", other.id, former.ends_at, other.ends_at));
        }
        if matchers.is_some_and(|matchers| !same(&first.cleaned(), matchers)) {
            return not(format!("silence {} does not mute what the plan says", first.id));
        }
        if !is_id(&first.id) {
            return not("the silence's id is none".to_owned());
        }
        Situation::Go(Some((*first).clone()))
    }
}

/// The one write: to the first peer that answered, and to the next only where nothing was sent.
async fn write(peers: &Peers, permit: Permit, want: Want<'_>, run: &str, views: &[View], old: Option<Held>, until: Instant) -> CallEnd {
    let (verb, path, body) = match (want, &old) {
        (Want::Expire(_), Some(old)) => (Verb::Delete, format!("/api/v2/silence/{}", old.id), None),
        (Want::Expire(_), None) => return refused("there is nothing to end"),
        (Want::Silence { matchers, starts_at, ends_at, by, comment, .. }, old) => {
            (Verb::Post, "/api/v2/silences".to_owned(), Some(body(matchers, starts_at, ends_at, by, comment, run, old.as_ref())))
        }
    };
    let has = |view: &&View| view.answered() && old.as_ref().is_none_or(|old| view.held().any(|held| held.id == old.id));
    let mut permit = Some(permit);
    let mut unsent = Vec::new();
    for view in views.iter().filter(has) {
        let Some(one) = permit.take() else { break };
        let writer = match peers.writer(&view.url) {
            Ok(writer) => writer,
            Err(why) => return refused(why),
        };
        let bytes = body.as_ref().map(|body| ("application/json", body.as_slice()));
        // The answer must be here while there is time left to read back.
        let deadline = until.checked_sub(REST).unwrap_or(until);
        return match writer.send_or_keep(one, verb, &path, bytes, deadline, ANSWER).await {
            Err((error @ SendError::NotSent(_), kept)) => {
                permit = kept;
                unsent.push(error.to_string());
                continue;
            }
            Err((SendError::Refused(why), _)) => refused(why),
            Err((SendError::Unknown(why), _)) => CallEnd::Unknown { why },
            Ok(answer) => {
                let said = || clean(String::from_utf8_lossy(&answer.bytes).trim(), 300).into_owned();
                let new = held::made(&answer.bytes).or_else(|| old.as_ref().map(|old| old.id.clone()));
                match (answer.status, new) {
                    (200..300, Some(id)) => settle(peers, want, run, &id, old.as_ref().map(|old| old.id.as_str()), until).await,
                    // A change is two writes inside Alertmanager, the end of the old one first: what it refuses may be half done.
                    (400..500, _) if old.is_none() => {
                        CallEnd::Failed { why: format!("{} answered {}: {}", view.name(), answer.status, said()) }
                    }
                    (400..500, _) => match found(&peers.look(until).await, want, run) {
                        Found::NotDone { .. } => CallEnd::Failed { why: format!("{} answered {}: {}", view.name(), answer.status, said()) },
                        _ => CallEnd::Unknown { why: format!("{} answered {}: {}", view.name(), answer.status, said()) },
                    },
                    (300..400, _) => {
                        CallEnd::Failed { why: format!("{} answered {}, a redirect, which is not followed", view.name(), answer.status) }
                    }
                    (status, _) => {
                        CallEnd::Unknown { why: format!("{} answered {status}: {}; whether it was done is not known", view.name(), said()) }
                    }
                }
            }
        };
    }
    refused(if unsent.is_empty() { "no peer that answers has it".to_owned() } else { unsent.join("; ") })
}

/// The JSON of `POST /api/v2/silences` (Alertmanager's `openapi.yaml`, `postableSilence`).
fn body(
    matchers: &[SilenceMatcher],
    starts_at: Option<Timestamp>,
    ends_at: Timestamp,
    by: &str,
    comment: &str,
    run: &str,
    old: Option<&Held>,
) -> Vec<u8> {
    // As they were read, byte by byte: with others Alertmanager ends the old one and makes another.
    let matchers: Vec<Matcher> = old.map_or_else(|| matchers.iter().map(Matcher::of).collect(), |old| old.matchers.clone());
    // A start in the past is moved to now, by its clock and not by ours.
    let at_once = || (Timestamp::now() - SignedDuration::from_hours(24)).to_string();
    let starts_at = match old {
        Some(old) => old.starts_at.clone(),
        None => starts_at.map_or_else(at_once, |at| at.to_string()),
    };
    let mut silence = serde_json::json!({
        "matchers": matchers,
        "startsAt": starts_at,
        "endsAt": ends_at.to_string(),
        "createdBy": by,
        "comment": format!("{comment} {}", mark(run)),
    });
    if let (Some(old), Some(object)) = (old, silence.as_object_mut()) {
        object.insert("id".to_owned(), serde_json::Value::String(old.id.clone()));
    }
    silence.to_string().into_bytes()
}

/// Reads all peers until each that answers has what was written.
async fn settle(peers: &Peers, want: Want<'_>, run: &str, id: &str, old: Option<&str>, until: Instant) -> CallEnd {
    let until = until.checked_sub(REST).unwrap_or(until);
    loop {
        let views = peers.look(until).await;
        let is_so = |view: &&View| match want {
            Want::Silence { ends_at, .. } => {
                let there = view.held().any(|held| held.id == id && held.lives() && held.ends(ends_at));
                let gone = old.is_none_or(|old| old == id || !view.held().any(|held| held.id == old && held.lives()));
                there && gone
            }
            Want::Expire(_) => !view.held().any(|held| held.id == id && held.lives()),
        };
        let (answered, rest): (Vec<&View>, Vec<&View>) = views.iter().partition(|view| view.answered());
        let (so, lacking): (Vec<&View>, Vec<&View>) = answered.into_iter().partition(is_so);
        let names = |views: &[&View]| views.iter().map(|view| view.name()).collect::<Vec<_>>().join(", ");
        if lacking.is_empty() && !so.is_empty() {
            let what = match want {
                Want::Silence { ends_at, .. } => match old {
                    Some(old) if old == id => format!("silence {id} keeps its id and ends at {ends_at}"),
                    Some(old) => format!("silence {old} was ended, {id} was made in its place and ends at {ends_at}"),
                    None => format!("silence {id} mutes until {ends_at}"),
                },
                Want::Expire(_) => format!("silence {id} has ended"),
            };
            let unread = match rest.is_empty() {
                true => String::new(),
                false => format!("; not known of {}, which cannot be read", names(&rest)),
            };
            // Two writes of one run cannot be, but for one that a proxy held back.
            if let Want::Expire(former @ Former { id: None, .. }) = want
                && ours(&views, run, &former.of).any(|held| held.lives())
            {
                return CallEnd::Failed { why: format!("{what}, and another one of this run is still there") };
            }
            return CallEnd::Done { seen: format!("{what}: read back on {}{unread}", names(&so)) };
        }
        if Instant::now() + PAUSE >= until {
            return match so.is_empty() {
                true => CallEnd::Unknown {
                    why: format!(
                        "it was answered well, and {}",
                        if rest.is_empty() { format!("{} does not show it", names(&lacking)) } else { silent(&views) }
                    ),
                },
                false => CallEnd::Failed {
                    why: format!(
                        "it is so on {}, and {} does not show it: are the peers cut off from one another?",
                        names(&so),
                        names(&lacking)
                    ),
                },
            };
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn refused(why: impl Into<String>) -> CallEnd {
    CallEnd::Refused { why: why.into() }
}

impl Held {
    fn lives(&self) -> bool {
        self.state != SilenceState::Expired
    }

    /// Alertmanager keeps milliseconds.
    fn ends(&self, at: Timestamp) -> bool {
        self.ends_at.as_millisecond() == at.as_millisecond()
    }

    fn mutes_already(&self, matchers: &[SilenceMatcher], ends_at: Timestamp) -> bool {
        self.state == SilenceState::Active && self.ends_at >= ends_at && same(&self.cleaned(), matchers)
    }

    /// True of what the run of that mark made, and that mutes this.
    fn is_of(&self, mark: &str, of: &[SilenceMatcher]) -> bool {
        self.comment.contains(mark) && (of.is_empty() || same(&self.cleaned(), of))
    }

    fn cleaned(&self) -> Vec<SilenceMatcher> {
        self.matchers.iter().map(Matcher::cleaned).collect()
    }
}
