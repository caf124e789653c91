//! Silences of an Alertmanager: who muted what, why and until when.

mod listed;
mod matching;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use listed::{Acked, Acks, Listed, ack_of, acks, listed};
pub use matching::{Muting, fingerprint, is_id, same};

/// The state that Alertmanager gives a silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SilenceState {
    /// It mutes now.
    Active,
    /// It will mute from its start on.
    Pending,
    /// It no longer mutes; kept by Alertmanager for some days.
    Expired,
}

/// One matcher of a silence. A missing `isEqual` in the API means true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceMatcher {
    /// Label name.
    pub name: String,
    /// Value or anchored regular expression.
    pub value: String,
    /// True where `value` is a regular expression.
    pub is_regex: bool,
    /// False where the matcher is negated.
    pub is_equal: bool,
}

impl std::fmt::Display for SilenceMatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let op = match (self.is_equal, self.is_regex) {
            (true, false) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (false, true) => "!~",
        };
        write!(f, "{}{op}\"{}\"", self.name, self.value)
    }
}

/// One silence, merged over the peers of an HA set by its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// Alertmanager's id.
    pub id: String,
    /// Its state as the peers told it.
    pub state: SilenceState,
    /// What it mutes.
    pub matchers: Vec<SilenceMatcher>,
    /// When it begins (UTC).
    pub starts_at: Timestamp,
    /// When it ends (UTC).
    pub ends_at: Timestamp,
    /// Who says they made it: free text, not proved.
    pub created_by: String,
    /// Why.
    pub comment: String,
    /// Indexes into the answer's peers: who knows it.
    pub seen_by: Vec<usize>,
}

/// What stands before the reason of an ack.
const ACK: &str = "ack: ";
/// Matchers that a line names; more are counted.
const NAMED: usize = 4;

impl Silence {
    /// Its state by its own times: between two looks it begins and ends.
    pub fn stands(&self, now: Timestamp) -> SilenceState {
        match self.state {
            SilenceState::Expired => SilenceState::Expired,
            _ if self.ends_at <= now => SilenceState::Expired,
            _ if self.starts_at > now => SilenceState::Pending,
            _ => SilenceState::Active,
        }
    }

    /// The run that made it: it stands at the end of the comment, `[qd RUN]`.
    pub fn run(&self) -> Option<&str> {
        self.marked().map(|(_, run)| run)
    }

    /// Why, without what a run adds to it.
    pub fn reason(&self) -> &str {
        let text = self.marked().map_or(self.comment.as_str(), |(text, _)| text).trim();
        if self.is_ack() { text.strip_prefix(ACK).unwrap_or(text) } else { text }
    }

    fn marked(&self) -> Option<(&str, &str)> {
        let (text, mark) = self.comment.strip_suffix(']')?.rsplit_once("[qd ")?;
        (!mark.is_empty() && !mark.contains(char::is_whitespace)).then_some((text, mark))
    }

    /// True of an ack: someone looks after one alert, which all of its labels name.
    pub fn is_ack(&self) -> bool {
        self.comment.starts_with(ACK) && self.matchers.iter().all(|of| of.is_equal && !of.is_regex)
    }

    /// Who made it, without their machine: free text, not proved.
    pub fn who(&self) -> &str {
        self.created_by.split('@').next().filter(|name| !name.trim().is_empty()).unwrap_or(&self.created_by)
    }

    /// The alert that an ack is of; of a silence its matchers, the first of them.
    pub fn what(&self) -> String {
        let name = self.matchers.iter().find(|of| of.name == "alertname");
        if let Some(name) = name.filter(|_| self.is_ack()) {
            return name.value.clone();
        }
        let mut named: Vec<String> = self.matchers.iter().take(NAMED).map(ToString::to_string).collect();
        if self.matchers.len() > NAMED {
            named.push(format!("+{}", self.matchers.len() - NAMED));
        }
        named.join(" ")
    }

    /// What, who and why in a line.
    pub fn line(&self) -> String {
        let ack = if self.is_ack() { "ack of " } else { "" };
        format!("{ack}{} by {}: {}", self.what(), self.who(), self.reason())
    }
}

impl SilenceState {
    /// The word that every screen and every output uses.
    pub fn word(self) -> &'static str {
        match self {
            SilenceState::Active => "active",
            SilenceState::Pending => "pending",
            SilenceState::Expired => "expired",
        }
    }
}

impl SilenceMatcher {
    /// True where it plainly names that value: by itself, or as one of several words in a regular expression.
    pub fn names(&self, value: &str) -> bool {
        let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "_-| ".contains(c));
        match (self.is_equal, self.is_regex) {
            (true, false) => self.value == value,
            (true, true) => plain(&self.value) && self.value.split('|').any(|word| word == value),
            (false, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    fn silence(comment: &str, matchers: &[&str]) -> Silence {
        let at = |secs| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs);
        Silence {
            id: "a".into(),
            state: SilenceState::Active,
            matchers: matchers.iter().map(|text| SilenceMatcher::parse(text).unwrap()).collect(),
            starts_at: at(100),
            ends_at: at(200),
            created_by: "ann@jump".into(),
            comment: comment.into(),
            seen_by: vec![],
        }
    }

    #[test]
    fn an_ack_is_told_from_a_silence_and_its_reason_from_what_a_run_adds() {
        let ack = silence("ack: on it [qd DiskFull-2026-3f2a]", &["alertname=DiskFull", "job=web"]);
        assert!(ack.is_ack());
        assert_eq!((ack.reason(), ack.run(), ack.who()), ("on it", Some("DiskFull-2026-3f2a"), "ann"));
        assert_eq!(ack.line(), "ack of DiskFull by ann: on it");
        let broad = silence("ack: on it", &["alertname=~Disk.*"]);
        assert!(!broad.is_ack(), "an ack is of one alert");
        assert_eq!((broad.reason(), broad.run()), ("ack: on it", None));
        let odd = silence("see [qd two words]", &["a=b"]);
        assert_eq!((odd.reason(), odd.run()), ("see [qd two words]", None));
        let bare = Silence { created_by: "@".into(), ..odd };
        assert_eq!(bare.who(), "@");
    }

    #[test]
    fn between_two_looks_it_begins_and_ends_by_its_own_times() {
        let of = silence("x", &["a=b"]);
        let at = |secs| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs);
        let stands = [99, 100, 199, 200].map(|secs| of.stands(at(secs)));
        assert_eq!(stands, [SilenceState::Pending, SilenceState::Active, SilenceState::Active, SilenceState::Expired]);
        assert_eq!(Silence { state: SilenceState::Expired, ..of }.stands(at(150)), SilenceState::Expired);
    }
}
