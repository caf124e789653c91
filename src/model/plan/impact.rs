//! What a plan means, in words, and what it was made from.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::age;
use crate::model::check::{Check, Verdict};

/// What a plan does, for whoever agrees to it. Each is a line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Impact {
    /// What it does.
    pub does: Vec<String>,
    /// What it costs: what stands still, for how long.
    pub costs: Vec<String>,
    /// What it does not take back, and what cannot be taken back of it.
    pub keeps: Vec<String>,
    /// How long it takes by what is known, in seconds: shortest and longest; `None` where nothing is known.
    pub seconds: Option<(u64, u64)>,
    /// What was not asked or could not be read: a person must pass over each knowingly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
}

impl Impact {
    /// The hosts that are left out, by their names.
    pub fn left_out(&self) -> impl Iterator<Item = &str> {
        self.doubts.iter().filter_map(|doubt| doubt.id.strip_prefix(LEFT_OUT))
    }

    /// How long it takes, in words.
    pub fn takes(&self) -> String {
        let told = |secs: u64| age::exact(SignedDuration::from_secs(i64::try_from(secs).unwrap_or(i64::MAX)));
        match self.seconds {
            Some((short, long)) if short == long => format!("about {}", told(short)),
            Some((0, long)) => format!("at most {} by its steps' time limits; no earlier run tells more", told(long)),
            Some((short, long)) => format!("{} to {}", told(short), told(long)),
            None => "? nothing is known of how long it takes".to_owned(),
        }
    }
}

/// Something that a plan could not take into account. It is a warning among the plan's checks, whenever they are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Doubt {
    /// The name of its check: `left-out/web3`, `history/deploys`.
    pub id: String,
    /// What is checked, for people.
    pub title: String,
    /// What is not known, and what follows from it.
    pub what: String,
}

/// The beginning of the name of the check of a host that is left out.
const LEFT_OUT: &str = "left-out/";

impl Doubt {
    /// That a host is left out: it must be passed over knowingly.
    pub fn left_out(host: &str) -> Doubt {
        Doubt {
            id: format!("{LEFT_OUT}{host}"),
            title: format!("{host} takes part"),
            what: format!("{host} is left out: it was not asked, and keeps what runs there"),
        }
    }

    /// Its check, true at that time (UTC).
    pub fn check(&self, as_of: Timestamp) -> Check {
        Check {
            id: self.id.clone(),
            title: self.title.clone(),
            verdict: Verdict::Warn,
            seen: self.what.clone(),
            overridable: true,
            glass: false,
            as_of,
        }
    }
}

/// One reading that a plan was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What it says.
    pub what: String,
    /// Who told it: a host, a source.
    pub from: String,
    /// When it was true (UTC).
    pub as_of: Timestamp,
}
