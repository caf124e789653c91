//! The plan of a silence, and its checks, each from one look at all peers of the Alertmanager.

use jiff::Timestamp;

use crate::model::check::{Check, Verdict};
use crate::model::estate::{Estate, Source, SourceKind};
use crate::model::plan::silence::{self, Ground, Wish, WishError};
use crate::model::plan::{Plan, Planned, TargetKind};
use crate::watch;

/// Why there is no plan. All text is cleaned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SilenceError {
    /// The estate has no such source, or more than one where none is named.
    #[error("{0}")]
    Source(String),
    /// No peer could be asked.
    #[error("{0}")]
    Unreachable(String),
    /// What was asked for is not there or cannot be.
    #[error("{0}")]
    Wish(#[from] WishError),
}

/// Looks, and makes the plan with its checks. `source` may be left out where the estate has one Alertmanager only; `by` is
/// who makes the silence, `reason` why.
///
/// # Errors
/// Why there is none.
pub async fn silence(estate: &Estate, source: Option<&str>, wish: &Wish, by: &str, reason: &str) -> Result<Planned, SilenceError> {
    let source = named(estate, source)?;
    let answer = watch::alertmanager(source, &Timestamp::now).await.map_err(SilenceError::Unreachable)?;
    let ground = Ground { estate, source, answer: &answer, now: Timestamp::now() };
    let plan = silence::plan(&ground, wish, by, reason)?;
    let checks = silence::judge(&ground, &plan, None);
    Ok(Planned { plan, checks, candidates: Vec::new() })
}

/// True of a plan whose checks are made here: it changes an Alertmanager.
pub fn is(plan: &Plan) -> bool {
    plan.targets.iter().any(|target| matches!(target.kind, TargetKind::Alertmanager { .. }))
}

/// The checks of a silence's plan, made anew. `run` is its own run where that is begun already.
pub async fn checks(estate: &Estate, plan: &Plan, run: Option<&str>) -> Vec<Check> {
    let unknown = |seen: String| {
        let title = "the Alertmanager can be asked".to_owned();
        let as_of = Timestamp::now();
        vec![Check { id: "peers".to_owned(), title, verdict: Verdict::Unknown, seen, overridable: false, glass: false, as_of }]
    };
    let source = plan.targets.iter().find_map(|target| match &target.kind {
        TargetKind::Alertmanager { source, .. } => Some(source),
        _ => None,
    });
    let Some(source) = source.and_then(|name| estate.source(name)) else {
        return unknown("the estate file has no such source any more".to_owned());
    };
    match watch::alertmanager(source, &Timestamp::now).await {
        Ok(answer) => silence::judge(&Ground { estate, source, answer: &answer, now: Timestamp::now() }, plan, run),
        Err(why) => unknown(why),
    }
}

/// The Alertmanager that is meant.
fn named<'a>(estate: &'a Estate, asked: Option<&str>) -> Result<&'a Source, SilenceError> {
    let all: Vec<&Source> = estate.sources.iter().filter(|source| matches!(source.kind, SourceKind::Alertmanager { .. })).collect();
    let names = || all.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(", ");
    let wrong = |what: String| Err(SilenceError::Source(what));
    match (asked, all.as_slice()) {
        (_, []) => wrong("the estate has no source of kind alertmanager".to_owned()),
        (Some(name), some) => some
            .iter()
            .find(|source| source.name == name)
            .copied()
            .map_or_else(|| wrong(format!("the estate has no alertmanager of that name; it has {}", names())), Ok),
        (None, [only]) => Ok(only),
        (None, _) => wrong(format!("the estate has several alertmanagers, name one: {}", names())),
    }
}
