//! Several alerts muted, or several silences ended, by one plan: a step for each, so that each is a call of its own that is
//! journaled, read back and taken back by itself. What is so already is left out, and told with a number: the same wish
//! after a failure half way does the rest only.

use jiff::Timestamp;

use super::preview::{count, service_of};
use super::{Drawn, Ground, MOST, Part, Preview, Which, WishError};
use super::{
    end, end_in_words, ending, ending_part, expire as expire_one, find_alert, find_silence, matchers_of, mute as mute_one, muting_part,
};
use crate::model::label::Labels;
use crate::model::plan::Impact;
use crate::model::silence::{Muting, Silence, SilenceMatcher, SilenceState, same};

/// Silences that are told one by one before the steps tell of all.
const NAMED: usize = 3;

/// A silence for each of these alerts.
pub(super) fn mute(
    ground: &Ground<'_>,
    alerts: &[Which],
    until: Timestamp,
    ack: bool,
    by: String,
    reason: String,
) -> Result<Drawn, WishError> {
    let ends_at = end(ground, until)?;
    let comment = if ack { format!("ack: {reason}") } else { reason };
    let mut wanted: Vec<Vec<SilenceMatcher>> = Vec::new();
    for which in alerts {
        let matchers = match which {
            Which::Labels(matchers) => matchers.clone(),
            Which::Named(asked) => matchers_of(find_alert(ground.answer, asked)?)?,
        };
        if !wanted.iter().any(|known| same(known, &matchers)) {
            wanted.push(matchers);
        }
    }
    few(wanted.len(), "alerts")?;
    let (open, done): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|matchers| !is_muted(ground, matchers, ends_at));
    let (first, made) = match open.as_slice() {
        [] => {
            let all = count(done.len(), "alert is", "alerts are");
            return Err(WishError::Wrong(format!("{all} muted already, for at least half of that time: nothing is to be done")));
        }
        [only] if done.is_empty() => return mute_one(ground, only.clone(), until, by, comment),
        [first, ..] => (first, open.len()),
    };
    let mutings = open.iter().map(|matchers| Muting::of(matchers)).collect::<Result<Vec<_>, _>>().map_err(WishError::Wrong)?;
    if mutings.iter().any(Muting::is_void) {
        return Err(WishError::Wrong("an alert has no label with a value: its silence would hold for everything".to_owned()));
    }
    let preview = Preview::of_all(ground, &mutings);
    let mut does = vec![format!("{} made, one for each alert and for nothing else.", count(made, "silence is", "silences are"))];
    if !done.is_empty() {
        let left = count(done.len(), "alert is", "alerts are");
        does.push(format!("{left} left out: the same labels are muted already, for at least half of that time."));
    }
    let now = if preview.alerts == 1 { "that fires now is muted" } else { "that fire now are muted" };
    does.extend(preview.counted(now).map(|told| format!("{told}.")));
    let gone = mutings.iter().filter(|muting| !ground.answer.alerts.iter().any(|alert| muting.mutes(&alert.labels))).count();
    if gone > 0 {
        does.push(format!("{} not fire now, and would be muted on coming back.", count(gone, "of them does", "of them do")));
    }
    if preview.quiet > 0 {
        does.push(format!("{} muted already by something else.", count(preview.quiet, "of them is", "of them are")));
    }
    does.push(format!("It lasts {}.", end_in_words(ground.estate, ends_at, ground.now)));
    let mut costs: Vec<String> = preview.receivers().map(|told| format!("Not told of them until then: {told}.")).into_iter().collect();
    costs.push("Whatever begins to fire until then with all the labels of one of them is muted too.".to_owned());
    let keeps = vec!["What a receiver was told already is not taken back.".to_owned(), HALF.to_owned()];
    let subject = match made {
        1 => preview.subject(first),
        _ => format!("{}-{made}-alerts", if ack { "ack" } else { "silence" }),
    };
    let several = made > 1;
    let part = |matchers: Vec<SilenceMatcher>| muting_part(ground, matchers, ends_at, by.clone(), comment.clone(), several);
    let service = only_service(ground, &open);
    let parts: Vec<Part> = open.into_iter().map(part).collect();
    Ok(Drawn { verb: "silence", subject, service, parts, impact: Impact { does, costs, keeps, seconds: None, doubts: Vec::new() } })
}

/// What follows from a failure between two of them.
const HALF: &str = "Where one fails, those before it stay: the run says which, and trying again does the rest only.";

/// Each of these silences ends.
pub(super) fn expire(ground: &Ground<'_>, ids: &[String]) -> Result<Drawn, WishError> {
    let ended = |id: &String| ground.answer.silences.iter().any(|one| one.id == **id && one.state == SilenceState::Expired);
    let (gone, there): (Vec<&String>, Vec<&String>) = ids.iter().partition(|id| ended(id));
    let mut all: Vec<&Silence> = Vec::new();
    for id in there {
        let silence = find_silence(ground.answer, id)?;
        if !all.iter().any(|known| known.id == silence.id) {
            all.push(silence);
        }
    }
    few(all.len(), "silences")?;
    match all.as_slice() {
        [] => {
            return Err(WishError::Wrong(format!(
                "{} ended already: nothing is to be done",
                count(gone.len(), "silence has", "silences have")
            )));
        }
        [only] if gone.is_empty() => return expire_one(ground, only),
        _ => {}
    }
    let mutings = all.iter().map(|one| Muting::of(&one.matchers)).collect::<Result<Vec<_>, _>>().map_err(WishError::Wrong)?;
    let preview = Preview::of_all(ground, &mutings);
    let mut does = vec![format!("{} now.", count(all.len(), "silence ends", "silences end"))];
    does.extend(all.iter().take(NAMED).map(|one| ending(ground, one)));
    if all.len() > NAMED {
        does.push(format!("And {} more: each is a step.", all.len() - NAMED));
    }
    if !gone.is_empty() {
        does.push(format!("{} left out: ended already.", count(gone.len(), "silence is", "silences are")));
    }
    let now = if preview.alerts == 1 { "that matches fires now" } else { "that match fire now" };
    does.extend(preview.counted(now).map(|told| format!("{told}.")));
    let costs = preview.receivers().map(|told| format!("{told} are told again of what fires.")).into_iter().collect();
    let keeps = vec!["It is not taken back: new silences can be made.".to_owned(), HALF.to_owned()];
    let subject = match all.as_slice() {
        [only] => format!("silence-{}", super::short(&only.id)),
        many => format!("end-{}-silences", many.len()),
    };
    let parts = all.into_iter().map(ending_part).collect();
    let (service, impact) = (preview.only_service(), Impact { does, costs, keeps, seconds: None, doubts: Vec::new() });
    Ok(Drawn { verb: "expire", subject, service, parts, impact })
}

fn few(wanted: usize, what: &str) -> Result<(), WishError> {
    if wanted <= MOST {
        return Ok(());
    }
    Err(WishError::Wrong(format!("{wanted} {what} are too many for one plan: {MOST} at the most, or one silence by matchers")))
}

/// The service, where all are of one; told by their labels, so that it is the same when some of them have ended.
fn only_service(ground: &Ground<'_>, all: &[Vec<SilenceMatcher>]) -> Option<String> {
    let of = |matchers: &Vec<SilenceMatcher>| {
        service_of(ground.estate, &Labels::new(matchers.iter().map(|matcher| (&matcher.name, &matcher.value))))
    };
    let first = of(all.first()?);
    (!first.is_empty() && all.iter().all(|one| of(one) == first)).then_some(first)
}

/// True where a silence with the same labels mutes it for at least half of the time that is asked for.
fn is_muted(ground: &Ground<'_>, matchers: &[SilenceMatcher], ends_at: Timestamp) -> bool {
    let half = ends_at.duration_since(ground.now) / 2;
    let lasts = |silence: &&Silence| silence.ends_at.duration_since(ground.now) >= half;
    let active = |silence: &&Silence| silence.state == SilenceState::Active && silence.starts_at <= ground.now;
    ground.answer.silences.iter().filter(active).filter(lasts).any(|silence| same(&silence.matchers, matchers))
}
