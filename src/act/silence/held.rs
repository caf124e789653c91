//! Silences as one peer tells of them, byte by byte where they are sent back (Alertmanager's `openapi.yaml`,
//! `gettableSilence`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::silence::{SilenceMatcher, SilenceState, is_id};
use crate::model::text::{LABEL_CAP, NOTE_CAP, clean};

/// One silence. `comment` and `created_by` are cleaned.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Held {
    /// Its id: nothing that means more in an address.
    pub id: String,
    /// As they came.
    pub matchers: Vec<Matcher>,
    /// As it came.
    pub starts_at: String,
    /// When it ends (UTC).
    pub ends_at: Timestamp,
    /// Its state.
    pub state: SilenceState,
    /// Why.
    pub comment: String,
    /// Who says they made it.
    pub created_by: String,
}

/// One matcher, as it came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Matcher {
    name: String,
    value: String,
    #[serde(default)]
    is_regex: bool,
    /// Missing in the answers of old versions, which know no negated ones.
    #[serde(default = "yes")]
    is_equal: bool,
}

fn yes() -> bool {
    true
}

impl Matcher {
    pub fn of(matcher: &SilenceMatcher) -> Matcher {
        let SilenceMatcher { name, value, is_regex, is_equal } = matcher.clone();
        Matcher { name, value, is_regex, is_equal }
    }

    /// As plans and screens have it.
    pub fn cleaned(&self) -> SilenceMatcher {
        let text = |text: &str| clean(text, LABEL_CAP).into_owned();
        SilenceMatcher { name: text(&self.name), value: text(&self.value), is_regex: self.is_regex, is_equal: self.is_equal }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    id: String,
    matchers: Vec<Matcher>,
    starts_at: String,
    ends_at: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    created_by: String,
    status: Status,
}

#[derive(Deserialize)]
struct Status {
    state: String,
}

/// The answer of `GET /api/v2/silences`.
///
/// # Errors
/// Where it is another one, in one cleaned line. One silence that cannot be read makes it so: it may be the one.
pub(super) fn silences(bytes: &[u8]) -> Result<Vec<Held>, String> {
    let raw: Vec<Raw> =
        serde_json::from_slice(bytes).map_err(|error| format!("its silences cannot be read: {}", clean(&error.to_string(), 160)))?;
    raw.into_iter().map(held).collect()
}

fn held(raw: Raw) -> Result<Held, String> {
    let shown = clean(&raw.id, 64).into_owned();
    if !is_id(&raw.id) {
        return Err(format!("a silence has the id {shown:?}, which is none"));
    }
    let ends_at = raw.ends_at.parse().map_err(|_| format!("silence {shown} has no end that can be read"))?;
    let state = match raw.status.state.as_str() {
        "active" => SilenceState::Active,
        "pending" => SilenceState::Pending,
        "expired" => SilenceState::Expired,
        other => return Err(format!("silence {shown} is in a state that is not known: {}", clean(other, 40))),
    };
    let (comment, created_by) = (clean(&raw.comment, 4 * NOTE_CAP).into_owned(), clean(&raw.created_by, LABEL_CAP).into_owned());
    Ok(Held { id: raw.id, matchers: raw.matchers, starts_at: raw.starts_at, ends_at, state, comment, created_by })
}

/// The id in the answer to a POST.
pub(super) fn made(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Made {
        #[serde(rename = "silenceID")]
        id: String,
    }
    serde_json::from_slice::<Made>(bytes).ok().map(|made| made.id).filter(|id| is_id(id))
}
