//! The checks of a silence's plan: made with it, and again at the moment of acting from what the Alertmanager says then.

use jiff::{SignedDuration, Timestamp};

use super::{Ground, Preview, already, moment, named, short};
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
    if plan.steps.len() > 1 {
        several(ground, plan, run, &mut all);
        return all;
    }
    for step in &plan.steps {
        match &step.act {
            Act::Silence { replaces, matchers, ends_at, .. } => {
                all.push(length(ground, *ends_at));
                match Muting::of(matchers) {
                    Ok(muting) => {
                        let preview = Preview::of(ground, &muting);
                        all.push(dead_man(ground, &preview, std::slice::from_ref(&muting)));
                        all.push(broad(ground, &preview, pins(matchers)));
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
fn dead_man(ground: &Ground<'_>, preview: &Preview, mutings: &[Muting]) -> Check {
    let title = "the dead man's switch is not muted";
    let bare = match &ground.source.kind {
        SourceKind::Alertmanager { dead_man: Some(labels), .. } => mutings.iter().any(|muting| muting.mutes(labels)),
        _ => false,
    };
    match preview.dead_man || bare {
        true => check(ground, "dead-man", title, Verdict::Block, "it matches: muted, nobody would learn that alerts no longer arrive"),
        false => check(ground, "dead-man", title, Verdict::Pass, "it does not match"),
    }
}

/// Why matchers by themselves want a second look.
fn pins(matchers: &[SilenceMatcher]) -> Option<String> {
    let pins = |matcher: &&SilenceMatcher| matcher.is_equal && !matcher.is_regex && !matcher.value.is_empty();
    let pinned: Vec<&SilenceMatcher> = matchers.iter().filter(pins).collect();
    match pinned.as_slice() {
        [] => Some("no label must have one very value".to_owned()),
        [only] if matchers.len() == 1 && only.name == "severity" => Some("only a severity is named".to_owned()),
        _ => None,
    }
}

/// It mutes what is meant and not more: the reasons to look twice, all of them.
fn broad(ground: &Ground<'_>, preview: &Preview, first: Option<String>) -> Check {
    let mut why: Vec<String> = first.into_iter().collect();
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

/// Of several silences in one plan: one check of a kind for all of them, with what stands in the way of each.
fn several(ground: &Ground<'_>, plan: &Plan, run: Option<&str>, all: &mut Vec<Check>) {
    let (mut mutings, mut wrong, mut ends, mut first) = (Vec::new(), Vec::new(), Vec::new(), None);
    let (mut made, mut so, mut former) = (0, 0, Vec::new());
    for step in &plan.steps {
        match &step.act {
            Act::Silence { replaces, matchers, ends_at, .. } => {
                made += 1;
                ends.push(*ends_at);
                first = first.or_else(|| pins(matchers));
                so += usize::from(already(ground.answer, matchers, *ends_at, ground.now).is_some());
                former.extend(replaces);
                match Muting::of(matchers) {
                    Ok(muting) => mutings.push(muting),
                    Err(why) => wrong.push(why),
                }
            }
            Act::ExpireSilence { silence } => former.push(silence),
            _ => {}
        }
    }
    if let Some(latest) = ends.iter().max() {
        all.push(length(ground, ends.iter().find(|end| **end <= ground.now).copied().unwrap_or(*latest)));
        if wrong.is_empty() {
            let preview = Preview::of_all(ground, &mutings);
            all.push(dead_man(ground, &preview, &mutings));
            all.push(broad(ground, &preview, first.or_else(|| (made > FEW).then(|| format!("{made} silences at once")))));
        } else {
            all.push(check(ground, "broad", "it mutes what is meant", Verdict::Block, wrong.join("; ")));
        }
    } else {
        all.push(many(ground, plan.steps.len()));
    }
    if run.is_some() {
        return;
    }
    if made > 0 {
        let seen = match so {
            0 => "nothing mutes the same that long".to_owned(),
            n => format!("{n} of {made} are muted so already: for them nothing is made"),
        };
        all.push(check(ground, "already", "whether it is so already", Verdict::Pass, seen));
    }
    if !former.is_empty() {
        let moved = |one: &&Former| {
            let told = still(ground, one);
            let id = one.id.as_deref().unwrap_or_default();
            (!told.passes()).then(|| format!("silence {}: {}", short(id), told.seen))
        };
        let (moved, title) = (former.iter().filter_map(moved).collect::<Vec<_>>(), "the silences are as they were");
        all.push(match moved.as_slice() {
            [] => check(ground, "still", title, Verdict::Pass, format!("all {} are", former.len())),
            [one] => check(ground, "still", title, Verdict::Block, one.clone()),
            [one, rest @ ..] => check(ground, "still", title, Verdict::Block, format!("{one}; and {} more", rest.len())),
        });
    }
}

/// What is done to many at once wants a reason of its own.
fn many(ground: &Ground<'_>, steps: usize) -> Check {
    let title = "it is about few";
    match steps > FEW {
        true => check(ground, "many", title, Verdict::Warn, format!("{steps} silences at once: say why that is meant")),
        false => check(ground, "many", title, Verdict::Pass, format!("{steps} silences")),
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
