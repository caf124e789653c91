//! Joins what several sources tell of the same deployment: one row, filled from all of them, and who said it kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Dated, Deployment, Ending, same_place};

/// Two sources that tell of the same service, version and place within this time tell of one deployment: pipelines write
/// their line when they begin, others when they end.
pub const TOGETHER: SignedDuration = SignedDuration::from_mins(10);

/// Rows of one version that are looked at for a folder's place: there is mostly one for each site.
const LOOKED_AT: usize = 64;

/// The rows of one service and version by their time, as places in the list.
type ByTime = BTreeMap<(Timestamp, usize), ()>;

/// All deployments of these sources, each once, the newest first. In a field that several sources tell the first source
/// wins. Records of one source are never joined: it knows what it wrote twice.
pub fn join<'a>(sources: impl IntoIterator<Item = &'a [Arc<Deployment>]>) -> Vec<Arc<Deployment>> {
    let mut joined = Joined::default();
    let (mut files, mut tags) = (Vec::new(), Vec::new());
    for source in sources {
        for one in source {
            match one.dated {
                Dated::Record => joined.record(one),
                Dated::File => files.push(one),
                Dated::Tag => tags.push(one),
            }
        }
    }
    files.into_iter().for_each(|one| joined.file(one));
    tags.into_iter().for_each(|one| joined.tag(one));
    joined.finish()
}

#[derive(Default)]
struct Joined {
    rows: Vec<Arc<Deployment>>,
    versions: HashMap<(String, String), ByTime>,
}

impl Joined {
    fn push(&mut self, one: &Arc<Deployment>) {
        if let Some(version) = &one.to {
            let rows = self.versions.entry((one.service.clone(), version.clone())).or_default();
            rows.insert((one.at, self.rows.len()), ());
        }
        self.rows.push(one.clone());
    }

    fn of_version(&self, one: &Deployment) -> Option<&ByTime> {
        self.versions.get(&(one.service.clone(), one.to.clone()?))
    }

    /// True where another source told of that row, at a place that may be the same.
    fn fits(&self, row: usize, one: &Deployment) -> bool {
        self.rows.get(row).is_some_and(|known| {
            same_place(known.site.as_deref(), one.site.as_deref()) && one.told_by.iter().all(|source| !known.told_by.contains(source))
        })
    }

    /// A record joins the one nearest in time, where that is near enough.
    fn record(&mut self, one: &Arc<Deployment>) {
        let early = one.at.checked_sub(TOGETHER).unwrap_or(Timestamp::MIN);
        let late = one.at.checked_add(TOGETHER).unwrap_or(Timestamp::MAX);
        let near = self.of_version(one).and_then(|rows| {
            rows.range((early, 0)..=(late, usize::MAX))
                .map(|((at, row), ())| (*at, *row))
                .filter(|(_, row)| self.fits(*row, one))
                .min_by_key(|(at, _)| at.duration_since(one.at).abs())
        });
        match near {
            Some((_, row)) => self.fill(row, one),
            None => self.push(one),
        }
    }

    /// The time of a folder proves little: where a record tells of that version at all, the nearest of them is it.
    fn file(&mut self, one: &Arc<Deployment>) {
        let near = self.of_version(one).and_then(|rows| {
            let before = rows.range(..=(one.at, usize::MAX)).rev().take(LOOKED_AT);
            let after = rows.range((one.at, 0)..).take(LOOKED_AT);
            before
                .chain(after)
                .map(|((at, row), ())| (*at, *row))
                .filter(|(_, row)| self.fits(*row, one))
                .min_by_key(|(at, _)| at.duration_since(one.at).abs())
        });
        match near {
            Some((_, row)) => self.fill(row, one),
            None => self.push(one),
        }
    }

    /// A tag is of a version, wherever and whenever that was deployed.
    fn tag(&mut self, one: &Arc<Deployment>) {
        let rows: Vec<usize> = self.of_version(one).into_iter().flatten().map(|((_, row), ())| *row).collect();
        let rows: Vec<usize> = rows.into_iter().filter(|row| self.fits(*row, one)).collect();
        if rows.is_empty() {
            return self.push(one);
        }
        rows.into_iter().for_each(|row| self.fill(row, one));
    }

    /// Fills what is not known of a row yet. The time stays: the first that told is the one that is dated best.
    fn fill(&mut self, row: usize, one: &Deployment) {
        let Some(known) = self.rows.get_mut(row).map(Arc::make_mut) else { return };
        disagree(known, one);
        fn or<T: Clone>(known: &mut Option<T>, other: &Option<T>) {
            if known.is_none() {
                known.clone_from(other);
            }
        }
        fn more(known: &mut Vec<String>, other: &[String]) {
            for text in other {
                if !known.contains(text) {
                    known.push(text.clone());
                }
            }
        }
        or(&mut known.id, &one.id);
        or(&mut known.site, &one.site);
        or(&mut known.environment, &one.environment);
        or(&mut known.from, &one.from);
        or(&mut known.who, &one.who);
        or(&mut known.took, &one.took);
        or(&mut known.trigger, &one.trigger);
        or(&mut known.result, &one.result);
        or(&mut known.commit, &one.commit);
        or(&mut known.first_commit, &one.first_commit);
        or(&mut known.reason, &one.reason);
        or(&mut known.restored, &one.restored);
        or(&mut known.fixes, &one.fixes);
        or(&mut known.unplanned, &one.unplanned);
        more(&mut known.links, &one.links);
        more(&mut known.approvals, &one.approvals);
        more(&mut known.incidents, &one.incidents);
        known.told_by.extend(one.told_by.iter().cloned());
    }

    /// The newest first, each with a key of its own.
    fn finish(self) -> Vec<Arc<Deployment>> {
        let mut rows = self.rows;
        rows.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.service.cmp(&b.service)).then_with(|| a.site.cmp(&b.site)));
        let mut seen: HashMap<String, usize> = HashMap::new();
        // From the oldest on, so that a new row never changes the key of one that was there.
        for row in rows.iter_mut().rev() {
            let part = |text: &Option<String>| text.clone().unwrap_or_default();
            let mut key = format!("{}/{}/{}/{}", row.service, part(&row.site), part(&row.to), row.at);
            let count = seen.entry(key.clone()).or_default();
            *count += 1;
            if *count > 1 {
                key += &format!("/{count}");
            }
            Arc::make_mut(row).key = key.into();
        }
        rows
    }
}

/// Notes where two sources cannot both be right. A failure that one of them saw is not hidden by the other.
fn disagree(known: &mut Deployment, one: &Deployment) {
    let names = |of: &Deployment| of.told_by.iter().map(|name| name.to_string()).collect::<Vec<_>>().join(" ");
    if let (Some(a), Some(b)) = (known.result, one.result)
        && a != b
    {
        known.differs.push(format!("{} says {}, {} says {}", names(known), a.word(), names(one), b.word()));
        known.result = Some(Ending::Failed);
    }
    if let (Some(a), Some(b)) = (&known.from, &one.from)
        && a != b
    {
        known.differs.push(format!("{} says that {a} was there before, {} says {b}", names(known), names(one)));
    }
    if let (Some(a), Some(b)) = (&known.commit, &one.commit)
        // One of them may be written short.
        && !(a.starts_with(b.as_str()) || b.starts_with(a.as_str()))
    {
        known.differs.push(format!("{} says commit {a}, {} says {b}", names(known), names(one)));
    }
}
