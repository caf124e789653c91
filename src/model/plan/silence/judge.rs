//! The checks of a silence's plan: made with it, and again at the moment of acting from what the Alertmanager says then.

use jiff::{SignedDuration, Timestamp};

use super::{Ground, Preview, already, moment, named};
use crate::model::age;
use crate::model::check::{Check, Verdict};
use crate::model::estate::SourceKind;
use crate::model::plan::{Act, Former, Plan};
use crate::model::silence::{Muting, Silence, SilenceMatcher, SilenceState};

/// Alerts up to which a silence is not broad.
const FEW: usize = 10;
/// What is longer needs a reason.
const LONG: SignedDuration = SignedDuration::from_hours(24);
/// What is longer is not made.
const TOO_LONG: SignedDuration = SignedDuration::from_hours(7 * 24);

/// All checks. `run` is the plan's own run where it is begun already: what that changed is no fault.
pub fn judge(ground: &Ground<'_>, plan: &Plan, run: Option<&str>) -> Vec<Check> {
    let mut all = vec![peers(ground)];
    for step in &plan.steps {
        match &step.act {
            Act::Silence { replaces, matchers, ends_at, .. } => {
                all.push(length(ground, *ends_at));
                match Muting::of(matchers) {
                    Ok(muting) => {
                        let preview = Preview::of(ground, &muting);
                        all.push(dead_man(ground, &preview, &muting));
                        all.push(broad(ground, &preview, matchers));
                    }
                    Err(why) => all.push(check(ground, "broad", "it mutes what is meant", Verdict::Block, why)),
                }
                match replaces {
                    None if run.is_none() => all.push(again(ground, matchers, *ends_at)),
                    Some(former) if run.is_none() => all.push(still(ground, former)),
                    _ => {}
                }
            }
            Act::ExpireSilence { silence } if run.is_none() => all.push(still(ground, silence)),
            _ => {}
        }
    }
    all
}

fn check(ground: &Ground<'_>, id: &str, title: &str, verdict: Verdict, seen: impl Into<String>) -> Check {
    let as_of = ground.answer.peers.iter().filter_map(|peer| peer.as_of).min().unwrap_or(ground.now);
    let overridable = verdict == Verdict::Warn;
    Check { id: id.to_owned(), title: title.to_owned(), verdict, seen: seen.into(), overridable, glass: false, as_of }
}

/// All peers answer. One that is down gets the silence from the others when it is back, unless it is cut off from them.
fn peers(ground: &Ground<'_>) -> Check {
    let all = &ground.answer.peers;
    let silent: Vec<String> = all.iter().filter_map(|peer| Some(format!("{}: {}", peer.url, peer.error.as_ref()?))).collect();
    let title = "all peers of the Alertmanager answer";
    match silent.len() {
        0 if all.is_empty() => check(ground, "peers", title, Verdict::Unknown, "no peer was asked"),
        0 => check(ground, "peers", title, Verdict::Pass, format!("{} of {} do", all.len(), all.len())),
        n if n == all.len() => check(ground, "peers", title, Verdict::Block, silent.join("; ")),
        n => {
            let seen = format!(
                "{n} of {} does not: {}; where it still runs, cut off from the others, it goes on to notify",
                all.len(),
                silent.join("; ")
            );
            check(ground, "peers", title, Verdict::Warn, seen)
        }
    }
}

fn length(ground: &Ground<'_>, ends_at: Timestamp) -> Check {
    let title = "it does not last too long";
    let left = ends_at.duration_since(ground.now);
    let told = format!("until {}, in {}", moment(ground.estate, ends_at), age::exact(left));
    match left {
        _ if left <= SignedDuration::ZERO => {
            check(ground, "length", title, Verdict::Block, format!("its end, {}, is past", moment(ground.estate, ends_at)))
        }
        _ if left > TOO_LONG => {
            check(ground, "length", title, Verdict::Block, format!("{told}: at most 7 days; what is longer belongs into the rules"))
        }
        _ if left > LONG => check(ground, "length", title, Verdict::Warn, format!("{told}: longer than a day; who remembers it then?")),
        _ => check(ground, "length", title, Verdict::Pass, told),
    }
}

/// The alert that says that alerts arrive is never muted: its labels are asked too where it does not fire.
fn dead_man(ground: &Ground<'_>, preview: &Preview, muting: &Muting) -> Check {
    let title = "the dead man's switch is not muted";
    let bare = match &ground.source.kind {
        SourceKind::Alertmanager { dead_man: Some(labels), .. } => muting.mutes(labels),
        _ => false,
    };
    match preview.dead_man || bare {
        true => check(ground, "dead-man", title, Verdict::Block, "it matches: muted, nobody would learn that alerts no longer arrive"),
        false => check(ground, "dead-man", title, Verdict::Pass, "it does not match"),
    }
}

/// It mutes what is meant and not more: the reasons to look twice, all of them.
fn broad(ground: &Ground<'_>, preview: &Preview, matchers: &[SilenceMatcher]) -> Check {
    let mut why = Vec::new();
    let pins = |matcher: &&SilenceMatcher| matcher.is_equal && !matcher.is_regex && !matcher.value.is_empty();
    let pinned: Vec<&SilenceMatcher> = matchers.iter().filter(pins).collect();
    match pinned.as_slice() {
        [] => why.push("no label must have one very value".to_owned()),
        [only] if matchers.len() == 1 && only.name == "severity" => why.push("only a severity is named".to_owned()),
        _ => {}
    }
    if preview.alerts > FEW {
        why.push(format!("{} alerts match", preview.alerts));
    }
    if let [first, ..] = preview.whole.as_slice() {
        let more = match preview.whole.len() - 1 {
            0 => String::new(),
            n => format!(" and of {n} more services"),
        };
        why.push(format!("all alerts of {first}{more} match"));
    }
    let title = "it is narrow";
    match why.is_empty() {
        true => check(ground, "broad", title, Verdict::Pass, format!("{} match", counted(preview.alerts))),
        false => check(ground, "broad", title, Verdict::Warn, format!("{}: say why that is meant", why.join(", "))),
    }
}

fn counted(alerts: usize) -> String {
    if alerts == 1 { "1 alert".to_owned() } else { format!("{alerts} alerts") }
}

/// Nothing mutes the same already. No fault: then nothing is made.
fn again(ground: &Ground<'_>, matchers: &[SilenceMatcher], ends_at: Timestamp) -> Check {
    let seen = match already(ground.answer, matchers, ends_at, ground.now) {
        Some(known) => format!(
            "{} of {} mutes the same until {}: nothing is made",
            named(known),
            known.created_by,
            moment(ground.estate, known.ends_at)
        ),
        None => "nothing mutes the same that long".to_owned(),
    };
    check(ground, "already", "whether it is so already", Verdict::Pass, seen)
}

/// The silence is as it was when the plan was made.
fn still(ground: &Ground<'_>, former: &Former) -> Check {
    let title = "the silence is as it was";
    let Some(id) = &former.id else { return check(ground, "still", title, Verdict::Pass, "it is made by this run") };
    let known: Option<&Silence> = ground.answer.silences.iter().find(|silence| silence.id == *id);
    let told = |at: Timestamp| moment(ground.estate, at);
    match known {
        None => check(ground, "still", title, Verdict::Block, "it is gone: plan anew"),
        Some(silence) if silence.state == SilenceState::Expired => {
            check(ground, "still", title, Verdict::Block, format!("it ended at {}: plan anew", told(silence.ends_at)))
        }
        Some(silence) if silence.ends_at.as_millisecond() != former.ends_at.as_millisecond() => {
            let seen = format!("it ends at {}, not at {}: someone changed it, plan anew", told(silence.ends_at), told(former.ends_at));
            check(ground, "still", title, Verdict::Block, seen)
        }
        Some(silence) => check(ground, "still", title, Verdict::Pass, format!("it ends at {}", told(silence.ends_at))),
    }
}
