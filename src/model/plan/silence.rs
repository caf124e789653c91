//! The plan of a silence: alerts are muted for a while, a mute is made longer or ended. Made from what the Alertmanager says
//! now; the same world makes the same plan.

mod each;
mod judge;
mod preview;
#[cfg(test)]
mod tests;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Act, Deed, Evidence, FORMAT, Former, Impact, OnFailure, Plan, Repeat, Step, Target, TargetKind};
use crate::model::age;
use crate::model::alert::Alert;
use crate::model::estate::{Estate, Source, SourceKind};
use crate::model::silence::{Muting, Silence, SilenceMatcher, SilenceState, fingerprint, is_id};
use crate::model::source::AlertmanagerAnswer;
use crate::model::text::{LABEL_CAP, clean};

pub use judge::judge;
pub use preview::Preview;

/// Silences that one plan makes or ends at the most: nobody reads a plan of more.
pub const MOST: usize = 50;
/// How long an ack lasts where nothing else is said.
pub const ACK: SignedDuration = SignedDuration::from_mins(30);
/// How long a plan may be begun.
const EXPIRES: SignedDuration = SignedDuration::from_mins(15);
/// How long the call may take, seconds: gossip between the peers is in it.
const TIMEOUT: u32 = 60;
/// Bytes of a reason.
const REASON: usize = 1_024;

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    /// Mute what matches until then (UTC).
    Mute {
        /// What matches.
        matchers: Vec<SilenceMatcher>,
        /// Until when.
        until: Timestamp,
    },
    /// Mute one alert and nothing else, with a name on it.
    Ack {
        /// Its fingerprint, or its name where only one has that name.
        alert: String,
        /// Until when (UTC).
        until: Timestamp,
    },
    /// Mute each of these alerts and nothing else, by a silence of its own.
    Each {
        /// The alerts.
        alerts: Vec<Which>,
        /// Until when (UTC).
        until: Timestamp,
        /// True where somebody has them in hand, as with [`Wish::Ack`].
        ack: bool,
    },
    /// Let a silence last longer, or end earlier.
    Extend {
        /// Alertmanager's id, or its first characters.
        id: String,
        /// Until when (UTC).
        until: Timestamp,
    },
    /// End a silence now.
    Expire {
        /// Alertmanager's id, or its first characters.
        id: String,
    },
    /// End each of these silences now.
    ExpireEach {
        /// Alertmanager's ids, or their first characters.
        ids: Vec<String>,
    },
}

/// One of several alerts.
#[derive(Debug, Clone, PartialEq)]
pub enum Which {
    /// By its fingerprint, or by its name where only one has that name. It must fire.
    Named(String),
    /// By all its labels. Where it does not fire any more it is muted should it come back.
    Labels(Vec<SilenceMatcher>),
}

/// What a plan is made from and judged by.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// The estate.
    pub estate: &'a Estate,
    /// The Alertmanager.
    pub source: &'a Source,
    /// What its peers say.
    pub answer: &'a AlertmanagerAnswer,
    /// Now (UTC).
    pub now: Timestamp,
}

/// Why there is no plan. All text is cleaned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WishError {
    /// The source tells of no silences.
    #[error("{0} is no alertmanager")]
    Source(String),
    /// What was asked for is not there, or not one.
    #[error("{0}")]
    Unfound(String),
    /// What was asked for cannot be.
    #[error("{0}")]
    Wrong(String),
}

/// Makes the plan. `by` is who makes the silence, `reason` why.
///
/// # Errors
/// Why there is none.
pub fn plan(ground: &Ground<'_>, wish: &Wish, by: &str, reason: &str) -> Result<Plan, WishError> {
    let SourceKind::Alertmanager { urls, .. } = &ground.source.kind else {
        return Err(WishError::Source(ground.source.name.clone()));
    };
    let reason = clean(reason.trim(), REASON).into_owned();
    if reason.is_empty() {
        return Err(WishError::Wrong("say why: a silence without a reason is a riddle to the next one on call".to_owned()));
    }
    let by = clean(by, LABEL_CAP).into_owned();
    let drawn = match wish {
        Wish::Mute { matchers, until } => mute(ground, matchers.clone(), *until, by, reason)?,
        Wish::Ack { alert, until } => {
            let matchers = matchers_of(find_alert(ground.answer, alert)?)?;
            mute(ground, matchers, *until, by, format!("ack: {reason}"))?
        }
        Wish::Each { alerts, until, ack } => each::mute(ground, alerts, *until, *ack, by, reason)?,
        Wish::Extend { id, until } => extend(ground, find_silence(ground.answer, id)?, *until, by, &reason)?,
        Wish::Expire { id } => expire(ground, find_silence(ground.answer, id)?)?,
        Wish::ExpireEach { ids } => each::expire(ground, ids)?,
    };
    let target = Target {
        name: ground.source.name.clone(),
        kind: TargetKind::Alertmanager { source: ground.source.name.clone(), urls: urls.clone() },
    };
    let several = drawn.parts.len() > 1;
    let step = |(place, part): (usize, Part)| Step {
        id: format!("{}/{}{}", ground.source.name, drawn.verb, if several { format!("-{}", place + 1) } else { String::new() }),
        title: part.title,
        target: 0,
        needs: Vec::new(),
        act: part.act,
        undo: part.undo,
        repeat: Repeat::Once,
        timeout: TIMEOUT,
        on_failure: OnFailure::Ask,
        undone_with: None,
        point_of_no_return: false,
    };
    Ok(Plan {
        format: FORMAT,
        deed: Deed::Silence,
        estate: ground.estate.name.clone(),
        environment: ground.estate.environment.clone(),
        subject: drawn.subject,
        service: drawn.service,
        from: None,
        to: None,
        targets: vec![target],
        steps: drawn.parts.into_iter().enumerate().map(step).collect(),
        impact: drawn.impact,
        evidence: evidence(ground),
        made_at: ground.now,
        expires_at: ground.now + EXPIRES,
    })
}

/// What differs from wish to wish.
struct Drawn {
    verb: &'static str,
    subject: String,
    service: Option<String>,
    parts: Vec<Part>,
    impact: Impact,
}

/// What becomes one step.
struct Part {
    title: String,
    act: Act,
    undo: Option<Act>,
}

fn mute(ground: &Ground<'_>, matchers: Vec<SilenceMatcher>, until: Timestamp, by: String, comment: String) -> Result<Drawn, WishError> {
    let muting = Muting::of(&matchers).map_err(WishError::Wrong)?;
    if muting.is_void() {
        return Err(WishError::Wrong("these matchers hold for everything: name a label that must have a value".to_owned()));
    }
    let ends_at = end(ground, until)?;
    let preview = Preview::of(ground, &muting);
    let mut impact = preview.impact(ground, &matchers, ends_at);
    if let Some(known) = already(ground.answer, &matchers, ends_at, ground.now) {
        let told = format!("Nothing is made: {} mutes the same until {}.", named(known), moment(ground.estate, known.ends_at));
        impact.does.insert(0, told);
    }
    let (subject, service) = (preview.subject(&matchers), preview.only_service());
    Ok(Drawn { verb: "silence", subject, service, parts: vec![muting_part(ground, matchers, ends_at, by, comment, false)], impact })
}

/// The step that makes one silence. One of `several` of a run is found again by what it mutes.
fn muting_part(ground: &Ground<'_>, matchers: Vec<SilenceMatcher>, ends_at: Timestamp, by: String, comment: String, several: bool) -> Part {
    let of = if several { matchers.clone() } else { Vec::new() };
    Part {
        title: format!("mute {} until {}", listed(&matchers), moment(ground.estate, ends_at)),
        act: Act::Silence { replaces: None, matchers, starts_at: None, ends_at, created_by: by, comment },
        undo: Some(Act::ExpireSilence { silence: Former { id: None, ends_at, of } }),
    }
}

fn extend(ground: &Ground<'_>, old: &Silence, until: Timestamp, by: String, reason: &str) -> Result<Drawn, WishError> {
    let muting = Muting::of(&old.matchers).map_err(WishError::Wrong)?;
    let ends_at = end(ground, until)?;
    if ends_at == old.ends_at {
        return Err(WishError::Wrong(format!("{} ends then already: nothing is to be done", named(old))));
    }
    let preview = Preview::of(ground, &muting);
    let mut impact = preview.impact(ground, &old.matchers, ends_at);
    let (was, is) = (moment(ground.estate, old.ends_at), moment(ground.estate, ends_at));
    impact.does.insert(0, format!("{} ends at {is} in place of {was}.", named(old)));
    let silence = |id: Option<String>, before: Timestamp, after: Timestamp, comment: String| Act::Silence {
        replaces: Some(Former { id, ends_at: before, of: Vec::new() }),
        matchers: old.matchers.clone(),
        starts_at: Some(old.starts_at),
        ends_at: after,
        created_by: by.clone(),
        comment,
    };
    let comment = clean(&format!("{reason}; before: {}: {}", old.created_by, old.comment), REASON).into_owned();
    let part = Part {
        title: format!("let {} end at {is} in place of {was}", named(old)),
        act: silence(Some(old.id.clone()), old.ends_at, ends_at, comment),
        undo: Some(silence(None, ends_at, old.ends_at, old.comment.clone())),
    };
    let (subject, service) = (preview.subject(&old.matchers), preview.only_service());
    Ok(Drawn { verb: "extend", subject, service, parts: vec![part], impact })
}

fn expire(ground: &Ground<'_>, old: &Silence) -> Result<Drawn, WishError> {
    let muting = Muting::of(&old.matchers).map_err(WishError::Wrong)?;
    let preview = Preview::of(ground, &muting);
    let mut does = vec![ending(ground, old)];
    does.extend(
        preview.counted(if preview.alerts == 1 { "that matches fires now" } else { "that match fire now" }).map(|told| format!("{told}.")),
    );
    let costs = preview.receivers().map(|told| format!("{told} are told again of what fires.")).into_iter().collect();
    let keeps = vec!["It is not taken back: a new silence can be made.".to_owned()];
    Ok(Drawn {
        verb: "expire",
        subject: format!("silence-{}", short(&old.id)),
        service: preview.only_service(),
        parts: vec![ending_part(old)],
        impact: Impact { does, costs, keeps, seconds: None, doubts: Vec::new() },
    })
}

/// That a silence ends, in words.
fn ending(ground: &Ground<'_>, old: &Silence) -> String {
    let at = moment(ground.estate, old.ends_at);
    format!("{}, made by {} because \"{}\", ends now, not at {at}.", named(old), old.created_by, old.comment)
}

/// The step that ends one silence.
fn ending_part(old: &Silence) -> Part {
    let silence = Former { id: Some(old.id.clone()), ends_at: old.ends_at, of: Vec::new() };
    Part { title: format!("end {} now", named(old)), act: Act::ExpireSilence { silence }, undo: None }
}

/// The end as Alertmanager keeps it: no one's milliseconds.
fn end(ground: &Ground<'_>, until: Timestamp) -> Result<Timestamp, WishError> {
    let end = Timestamp::from_second(until.as_second()).map_err(|error| WishError::Wrong(error.to_string()))?;
    if end <= ground.now {
        return Err(WishError::Wrong(format!("{} is past", moment(ground.estate, end))));
    }
    Ok(end)
}

/// One that mutes the same now, at least that long.
fn already<'a>(answer: &'a AlertmanagerAnswer, matchers: &[SilenceMatcher], ends_at: Timestamp, now: Timestamp) -> Option<&'a Silence> {
    let active = |silence: &&Silence| silence.state == SilenceState::Active && silence.starts_at <= now;
    let whole = |silence: &&Silence| silence.ends_at >= ends_at && crate::model::silence::same(&silence.matchers, matchers);
    answer.silences.iter().filter(active).find(whole)
}

/// The alert of that fingerprint; else the only one of that name.
fn find_alert<'a>(answer: &'a AlertmanagerAnswer, asked: &str) -> Result<&'a Alert, WishError> {
    let shown = clean(asked, 80).into_owned();
    // The console's own id has the source's name before it.
    let print = asked.rsplit('/').next().unwrap_or(asked);
    if let Some(alert) = answer.alerts.iter().find(|alert| !print.is_empty() && *alert.fingerprint == *print) {
        return Ok(alert);
    }
    let named: Vec<&Alert> = answer.alerts.iter().map(|alert| &**alert).filter(|alert| alert.name() == asked).collect();
    match named.as_slice() {
        [one] => Ok(one),
        [] => Err(WishError::Unfound(format!("no alert with the fingerprint or name {shown} fires"))),
        many => {
            let some: Vec<String> = many.iter().take(5).map(|alert| format!("{} ({})", alert.fingerprint, alert.labels.short())).collect();
            Err(WishError::Unfound(format!("{} alerts are named {shown}, name one by its fingerprint: {}", many.len(), some.join("; "))))
        }
    }
}

/// Matchers that hold for this alert only.
///
/// # Errors
/// Where its labels are not as they are shown.
pub fn matchers_of(alert: &Alert) -> Result<Vec<SilenceMatcher>, WishError> {
    if fingerprint(&alert.labels) != *alert.fingerprint {
        let what = format!(
            "the labels of {} hold characters that cannot be shown, so that none of them can be named: mute it by matchers",
            alert.name()
        );
        return Err(WishError::Wrong(what));
    }
    Ok(alert.labels.iter().map(|(name, value)| SilenceMatcher::equal(name, value)).collect())
}

/// The silence of that id, or the only one whose id begins so, that has not ended.
fn find_silence<'a>(answer: &'a AlertmanagerAnswer, asked: &str) -> Result<&'a Silence, WishError> {
    let shown = clean(asked, 80).into_owned();
    let live: Vec<&Silence> = answer.silences.iter().filter(|s| s.state != SilenceState::Expired && is_id(&s.id)).collect();
    let exact = live.iter().find(|silence| silence.id == asked);
    let begun: Vec<&&Silence> = live.iter().filter(|silence| asked.len() >= 4 && silence.id.starts_with(asked)).collect();
    match (exact, begun.as_slice()) {
        (Some(one), _) => Ok(one),
        (None, [one]) => Ok(one),
        (None, []) => Err(match answer.silences.iter().find(|silence| silence.id == asked) {
            Some(ended) => WishError::Unfound(format!("{} has ended already", named(ended))),
            None => WishError::Unfound(format!("there is no silence {shown}")),
        }),
        (None, many) => Err(WishError::Unfound(format!("{} silences begin with {shown}: write more of the id", many.len()))),
    }
}

fn evidence(ground: &Ground<'_>) -> Vec<Evidence> {
    let told = |peer: &crate::model::source::Peer| {
        let what = format!("{} alerts and {} silences on all peers", ground.answer.alerts.len(), ground.answer.silences.len());
        Some(Evidence { what, from: format!("{} {}", ground.source.name, peer.url), as_of: peer.as_of? })
    };
    ground.answer.peers.iter().filter_map(told).collect()
}

/// The first characters of an id: enough to tell it from the others.
fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

fn named(silence: &Silence) -> String {
    format!("silence {}", short(&silence.id))
}

fn listed(matchers: &[SilenceMatcher]) -> String {
    matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// `2026-11-22 05:30 Europe/Warsaw`.
pub fn moment(estate: &Estate, at: Timestamp) -> String {
    let zone = estate.zone.clone().unwrap_or(TimeZone::UTC);
    let zoned = at.to_zoned(zone);
    let name = zoned.time_zone().iana_name().unwrap_or("UTC").to_owned();
    format!("{} {name}", zoned.strftime("%Y-%m-%d %H:%M"))
}

/// `until 05:30 Europe/Warsaw, in 2h`: the day is told where it is another one.
pub fn end_in_words(estate: &Estate, ends_at: Timestamp, now: Timestamp) -> String {
    let zone = estate.zone.clone().unwrap_or(TimeZone::UTC);
    let (today, day) = (now.to_zoned(zone.clone()).date(), ends_at.to_zoned(zone).date());
    let whole = moment(estate, ends_at);
    let told = if today == day { whole.split_once(' ').map_or(whole.as_str(), |(_, rest)| rest) } else { &whole };
    format!("until {told}, in {}", age::exact(ends_at.duration_since(now)))
}
