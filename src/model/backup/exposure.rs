//! What would be lost if the thing failed now, by what fails: now less the newest point that would still be there.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
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

    /// How bad it is beside others, the best first.
    fn rank(&self) -> (u8, Reverse<Timestamp>) {
        match self {
            Exposure::Since(at) => (0, Reverse(*at)),
            Exposure::Unknown(_) => (1, Reverse(Timestamp::MIN)),
            Exposure::Everything => (2, Reverse(Timestamp::MIN)),
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

/// What would be lost of what these points are of, and the point that this counts from. Where they are of several things,
/// the worst of those is meant: the others do not help it. `part` chooses among them.
pub fn exposure(points: &Points<'_>, part: impl Fn(&RecoveryPoint) -> bool) -> (Exposure, Option<Arc<RecoveryPoint>>) {
    let mut newest: BTreeMap<Option<&str>, Option<&Arc<RecoveryPoint>>> = BTreeMap::new();
    for (place, point) in points.all().iter().enumerate().filter(|(_, point)| part(point)) {
        let best = newest.entry(point.part.of.as_deref()).or_default();
        if points.why_not(place).is_none() && best.is_none_or(|best| best.restores_to < point.restores_to) {
            *best = Some(point);
        }
    }
    match newest.into_values().min_by_key(|best| best.map(|point| point.restores_to)) {
        Some(Some(point)) => (Exposure::Since(point.restores_to), Some(point.clone())),
        Some(None) | None => (Exposure::Everything, None),
    }
}

/// Where a copy lies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The site.
    pub site: Option<String>,
    /// The account that it belongs to.
    pub account: Option<String>,
}

/// One copy of a service's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// What people call it.
    pub name: String,
    /// What would be lost if only this were left.
    pub exposure: Exposure,
    /// Where what it needs lies: it is lost with any of these.
    pub places: Vec<Place>,
}

/// What would be lost of a service, by what fails: always its data, and what is named with it. `None` where the estate
/// file names no such thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Its data is lost, and every copy is still there.
    pub data: Exposure,
    /// The copy that helps most is lost too.
    pub copy: Option<(String, Exposure)>,
    /// A whole site is lost, the copies there with it: each site of the service.
    pub sites: Vec<(String, Exposure)>,
    /// An account is lost, the copies in it with it: each that a copy names.
    pub accounts: Vec<(String, Exposure)>,
}

impl Loss {
    /// The worst of its sites.
    pub fn site(&self) -> Option<&(String, Exposure)> {
        self.sites.iter().max_by_key(|(name, exposure)| (exposure.rank(), Reverse(name)))
    }

    /// The worst of the accounts.
    pub fn account(&self) -> Option<&(String, Exposure)> {
        self.accounts.iter().max_by_key(|(name, exposure)| (exposure.rank(), Reverse(name)))
    }
}

/// What would be lost of a service at these sites, of all its copies.
pub fn losses(copies: &[Copy], sites: &[String]) -> Loss {
    let nowhere = "the estate file does not say at which site the copy is";
    let nobody = "the estate file does not say whose account the copy is in";
    let accounts: BTreeSet<&String> = copies.iter().flat_map(|c| &c.places).filter_map(|place| place.account.as_ref()).collect();
    let by_site = |lost: &String| (lost.clone(), left(copies, nowhere, |place| place.site.as_ref().map(|site| site != lost)));
    let by_account = |lost: &String| (lost.clone(), left(copies, nobody, |place| place.account.as_ref().map(|account| account != lost)));
    let best = copies.iter().enumerate().min_by_key(|(_, copy)| copy.exposure.rank());
    let others = |best: usize| copies.iter().enumerate().filter(move |(place, _)| *place != best).map(|(_, copy)| copy.exposure.clone());
    Loss {
        data: left(copies, nowhere, |_| Some(true)),
        copy: best.map(|(place, copy)| (copy.name.clone(), others(place).fold(Exposure::Everything, Exposure::or))),
        sites: sites.iter().map(by_site).collect(),
        accounts: accounts.into_iter().map(by_account).collect(),
    }
}

/// What the copies that survive leave to be lost. `survives` of a place is `None` where nobody says.
fn left(copies: &[Copy], why: &str, survives: impl Fn(&Place) -> Option<bool>) -> Exposure {
    let one = |copy: &Copy| {
        let there: Vec<Option<bool>> = copy.places.iter().map(&survives).collect();
        match () {
            () if there.contains(&Some(false)) => Exposure::Everything,
            () if there.contains(&None) => match copy.exposure {
                // What is nothing at best is nothing.
                Exposure::Everything => Exposure::Everything,
                _ => Exposure::Unknown(why.to_owned()),
            },
            () => copy.exposure.clone(),
        }
    };
    copies.iter().map(one).fold(Exposure::Everything, Exposure::or)
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
