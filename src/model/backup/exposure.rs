//! What would be lost if the thing failed now, by what fails: now less the newest point that would still be there.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Points, RecoveryPoint};

/// What would be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exposure {
    /// Everything since this moment.
    Since(Timestamp),
    /// Everything: there is no point that can be used.
    Everything,
    /// Nobody knows, and why.
    Unknown(String),
}

impl Exposure {
    /// How much that is at `now`; `None` where it is everything or not known.
    pub fn span(&self, now: Timestamp) -> Option<SignedDuration> {
        match self {
            Exposure::Since(at) => Some(now.duration_since(*at).max(SignedDuration::ZERO)),
            Exposure::Everything | Exposure::Unknown(_) => None,
        }
    }

    /// The smaller one: two backups of one service cover for each other. What is not known may be the smaller one, so it
    /// only yields to what is.
    fn or(self, other: Exposure) -> Exposure {
        match (self, other) {
            (Exposure::Since(a), Exposure::Since(b)) => Exposure::Since(a.max(b)),
            (Exposure::Since(at), _) | (_, Exposure::Since(at)) => Exposure::Since(at),
            (Exposure::Unknown(why), _) | (_, Exposure::Unknown(why)) => Exposure::Unknown(why),
            (Exposure::Everything, Exposure::Everything) => Exposure::Everything,
        }
    }
}

/// What would be lost of what these points are of.
pub fn exposure(points: &Points<'_>) -> Exposure {
    points.newest().map_or(Exposure::Everything, |(_, point)| Exposure::Since(point.restores_to))
}

/// What would be lost of a service, by what fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Its data is lost, and every copy is still there.
    pub data: Exposure,
    /// A whole site is lost, the copies there with it: the worst of its sites. `None` where the service has no sites.
    pub site: Option<(String, Exposure)>,
}

/// What would be lost of a service at these sites, of copies each with its exposure and the site that it is kept at.
pub fn losses(copies: &[(Exposure, Option<&str>)], sites: &[String]) -> Loss {
    let all = |wanted: &dyn Fn(Option<&str>) -> Option<bool>| {
        copies.iter().fold(Exposure::Everything, |so_far, (exposure, site)| match wanted(*site) {
            Some(true) => so_far.or(exposure.clone()),
            Some(false) => so_far,
            None => so_far.or(Exposure::Unknown("the estate file does not say at which site the copy is".into())),
        })
    };
    let worst = |(name, exposure): &(String, Exposure)| {
        let rank = match exposure {
            Exposure::Since(at) => (0, std::cmp::Reverse(*at)),
            Exposure::Unknown(_) => (1, std::cmp::Reverse(Timestamp::MIN)),
            Exposure::Everything => (2, std::cmp::Reverse(Timestamp::MIN)),
        };
        (rank, std::cmp::Reverse(name.clone()))
    };
    let by_site = sites.iter().map(|lost| (lost.clone(), all(&|site| site.map(|site| site != lost))));
    Loss { data: all(&|_| Some(true)), site: by_site.max_by_key(worst) }
}

/// The points that could be used at some time, by the moment that they restore to.
fn in_order(points: &[Arc<RecoveryPoint>]) -> Vec<&RecoveryPoint> {
    let mut all: Vec<&RecoveryPoint> = points.iter().map(AsRef::as_ref).filter(|p| p.broken.is_none()).collect();
    all.sort_by_key(|p| p.restores_to);
    all
}

/// The largest exposure that there was between two of these points: just before the next one could be used.
pub fn widest(points: &[Arc<RecoveryPoint>]) -> Option<SignedDuration> {
    in_order(points).windows(2).map(|pair| pair[1].usable().duration_since(pair[0].restores_to)).max()
}

/// How long, between the first and the last of these points, the exposure was above the objective.
pub fn breach(points: &[Arc<RecoveryPoint>], rpo: SignedDuration) -> SignedDuration {
    let over = |pair: &[&RecoveryPoint]| {
        let (one, next) = (pair[0], pair[1].usable());
        let from = one.restores_to.checked_add(rpo).unwrap_or(Timestamp::MAX).max(one.usable());
        next.duration_since(from).max(SignedDuration::ZERO)
    };
    in_order(points).windows(2).fold(SignedDuration::ZERO, |sum, pair| sum.saturating_add(over(pair)))
}
