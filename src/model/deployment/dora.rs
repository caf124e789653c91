//! DORA's measures of one service or of all, recomputed from the records. Each says from how many cases it comes;
//! cases that are still open are censored, and deployments too new to be judged are told apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Deployment, Ending, Trigger, same_place};

/// How long a deployment is watched before it counts as one that did not fail.
pub const WATCH: SignedDuration = SignedDuration::from_hours(24);

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The windows that are offered, in days.
pub const WINDOWS: [u16; 3] = [7, 28, 90];
/// The window where nothing else is said, in days.
pub const USUAL: u16 = 28;
/// From so few cases a figure is said to be of few.
pub const FEW: usize = 20;
/// Services of one [`Table`]; the rest is counted.
pub const SERVICES: usize = 200;

/// The deployments that are measured: those that began in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

impl Window {
    /// The last so many days.
    pub fn last(days: u16, now: Timestamp) -> Window {
        Window { from: earlier(now, days), until: now }
    }

    /// As many days before that.
    pub fn before(days: u16, now: Timestamp) -> Window {
        Window { from: earlier(now, days.saturating_mul(2)), until: earlier(now, days) }
    }
}

fn earlier(at: Timestamp, days: u16) -> Timestamp {
    at.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MIN)
}

/// How often, as DORA groups it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// On three days of the median week or more.
    Daily,
    /// On one day of the median week or more.
    Weekly,
    /// Less.
    Rarely,
}

impl Pace {
    /// `daily`, `weekly` or `less than weekly`.
    pub fn word(self) -> &'static str {
        match self {
            Pace::Daily => "daily",
            Pace::Weekly => "weekly",
            Pace::Rarely => "less than weekly",
        }
    }
}

/// A median and a ninth decile, of so many.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The median.
    pub p50: SignedDuration,
    /// The ninth decile.
    pub p90: SignedDuration,
    /// Of so many.
    pub n: usize,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Part {
    /// Those that are.
    pub of: usize,
    /// All.
    pub all: usize,
}

impl Part {
    /// From 0 to 1; `None` of nothing.
    pub fn share(self) -> Option<f64> {
        (self.all > 0).then(|| self.of as f64 / self.all as f64)
    }
}

/// How long what broke took to work again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovery {
    /// The median (Kaplan-Meier: open cases are known to last at least as long as they do); `None` where too many are
    /// open or there is none.
    pub p50: Option<SignedDuration>,
    /// Cases that ended.
    pub closed: usize,
    /// Cases that are still open.
    pub open: usize,
    /// How long the longest open one lasts: a lower bound.
    pub longest_open: Option<SignedDuration>,
}

/// The measures of one window.
#[derive(Debug, Clone, PartialEq)]
pub struct Dora {
    /// Deployments that succeeded.
    pub completed: usize,
    /// Attempts that failed: no deployment of the other measures.
    pub failed_attempts: usize,
    /// Records that do not say how they ended: in no other measure.
    pub unknown: usize,
    /// Completed deployments per day.
    pub per_day: f64,
    /// How often.
    pub pace: Pace,
    /// From the first commit to live; `None` where no record names a commit's time.
    pub lead: Option<Spread>,
    /// Deployments that broke something, of those older than [`WATCH`].
    pub failed: Part,
    /// Younger ones, which are not judged yet.
    pub too_new: usize,
    /// From live to restored.
    pub recovery: Recovery,
    /// Unplanned fixes among all completed deployments.
    pub rework: Part,
}

/// The measures of a window, of one service or of all, as they are known at `now`: what a fix or an end that came after
/// the window tells of a deployment in it counts. Records of another environment are not counted; one without an
/// environment is of this one. `rows` is what is known, also outside the window, newest first.
pub fn dora<'a>(
    rows: impl IntoIterator<Item = &'a Arc<Deployment>>,
    service: Option<&str>,
    environment: &str,
    window: Window,
    now: Timestamp,
) -> Dora {
    let own = rows.into_iter().filter(|one| counts(one, environment) && service.is_none_or(|service| one.service == service));
    let mut own: Vec<&Deployment> = own.map(|one| &**one).collect();
    // Oldest first: a fix comes after what it mends.
    own.reverse();
    measure(&own, window, now)
}

/// A tag or a folder alone tells of no deployment.
fn counts(one: &Deployment, environment: &str) -> bool {
    one.is_act() && one.environment.as_deref().is_none_or(|of| of.eq_ignore_ascii_case(environment))
}

/// The measures of one service, or of all together, in a window and in the one before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The service; `None` of all.
    pub service: Option<String>,
    /// In the window.
    pub now: Dora,
    /// In as many days before it.
    pub before: Dora,
}

/// DORA's measures of all services, and of each.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The days of the window.
    pub days: u16,
    /// Its end.
    pub now: Timestamp,
    /// All together, then each service by its name.
    pub rows: Vec<Measured>,
    /// Services that are not told, beyond [`SERVICES`].
    pub more: usize,
    /// The time (UTC) of the oldest deployment that was read, where there were too many to read all of both windows.
    pub read_since: Option<Timestamp>,
}

/// The measures of the last so many days and of as many before, of all services and of each. `rows` as for [`dora`];
/// nothing older than twice the days is needed, except for what was mended then.
pub fn table<'a>(rows: impl IntoIterator<Item = &'a Arc<Deployment>>, environment: &str, days: u16, now: Timestamp) -> Table {
    let mut all: Vec<&Deployment> = rows.into_iter().filter(|one| counts(one, environment)).map(|one| &**one).collect();
    all.reverse();
    let mut by_service: BTreeMap<&str, Vec<&Deployment>> = BTreeMap::new();
    for one in &all {
        by_service.entry(&one.service).or_default().push(one);
    }
    let (window, before) = (Window::last(days, now), Window::before(days, now));
    let measured = |service: Option<&str>, own: &[&Deployment]| Measured {
        service: service.map(str::to_owned),
        now: measure(own, window, now),
        before: measure(own, before, now),
    };
    by_service.retain(|_, own| own.iter().any(|one| one.at >= before.from && one.at < now));
    let more = by_service.len().saturating_sub(SERVICES);
    let each = by_service.iter().take(SERVICES).map(|(service, own)| measured(Some(service), own));
    let rows = std::iter::once(measured(None, &all)).chain(each).collect();
    Table { days, now, rows, more, read_since: None }
}

/// The measures of these deployments, the oldest first.
fn measure(own: &[&Deployment], Window { from, until }: Window, now: Timestamp) -> Dora {
    let is_in = |one: &Deployment| one.at >= from && one.at < until;
    let count = |result: Option<Ending>| own.iter().filter(|one| is_in(one) && one.result == result).count();
    let done: Vec<&Deployment> = own.iter().copied().filter(|one| one.result == Some(Ending::Succeeded)).collect();
    let mended = mended(&done);
    let days = until.duration_since(from).as_secs_f64() / DAY.as_secs_f64();
    let mut out = Dora {
        completed: 0,
        failed_attempts: count(Some(Ending::Failed)),
        unknown: count(None),
        per_day: 0.0,
        pace: pace(done.iter().filter(|one| is_in(one)).map(|one| one.live()), from, until),
        lead: None,
        failed: Part::default(),
        too_new: 0,
        recovery: Recovery::default(),
        rework: Part::default(),
    };
    let (mut leads, mut cases) = (Vec::new(), Vec::new());
    for (place, one) in done.iter().enumerate().filter(|(_, one)| is_in(one)) {
        out.completed += 1;
        out.rework.of += usize::from(is_fix(one));
        let lead = one.first_commit.map(|first| one.live().duration_since(first));
        leads.extend(lead.filter(|lead| *lead > SignedDuration::ZERO));
        let broke = mended.contains_key(&place) || !one.incidents.is_empty();
        if now.duration_since(one.live()) < WATCH {
            out.too_new += 1;
        } else {
            out.failed.all += 1;
            out.failed.of += usize::from(broke);
        }
        if broke {
            let end = one.restored.or_else(|| mended.get(&place).copied()).filter(|end| *end <= now);
            cases.push((end.unwrap_or(now).duration_since(one.live()).max(SignedDuration::ZERO), end.is_some()));
        }
    }
    out.rework.all = out.completed;
    out.per_day = if days > 0.0 { out.completed as f64 / days } else { 0.0 };
    out.lead = spread(leads);
    out.recovery = recovery(cases);
    out
}

fn is_fix(one: &Deployment) -> bool {
    one.trigger == Some(Trigger::Rollback) || one.unplanned == Some(true) || one.fixes.is_some()
}

/// The deployments that a later one mends, each with the moment at which the first fix was live. A fix that does not say
/// what it mends mends what was there before it.
fn mended(done: &[&Deployment]) -> HashMap<usize, Timestamp> {
    let mut mended = HashMap::new();
    let mut newest: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut named: HashMap<(&str, &str), usize> = HashMap::new();
    for (place, one) in done.iter().enumerate() {
        if is_fix(one) {
            let before = newest.get(one.service.as_str()).into_iter().flatten().rev();
            let here = before.copied().find(|at| same_place(done[*at].site.as_deref(), one.site.as_deref()));
            let target = match &one.fixes {
                Some(name) => named.get(&(one.service.as_str(), name.as_str())).copied(),
                None => here,
            };
            if let Some(target) = target {
                mended.entry(target).or_insert_with(|| one.live());
            }
        }
        newest.entry(&one.service).or_default().push(place);
        for name in [&one.id, &one.to].into_iter().flatten() {
            named.insert((&one.service, name), place);
        }
    }
    mended
}

/// By the days with a deployment in each whole week back from the end (the Four Keys' way).
fn pace(live: impl Iterator<Item = Timestamp>, from: Timestamp, until: Timestamp) -> Pace {
    let day = |at: Timestamp| until.duration_since(at).as_secs().div_euclid(DAY.as_secs());
    let weeks = (day(from) / 7).max(1);
    let days: BTreeSet<i64> = live.map(day).collect();
    let mut counts: Vec<usize> = (0..weeks).map(|week| days.range(week * 7..week * 7 + 7).count()).collect();
    counts.sort_unstable();
    let middle = counts.len() / 2;
    // Twice the median: a week more or less must not round it.
    let twice = if counts.len() % 2 == 1 { counts[middle] * 2 } else { counts[middle - 1] + counts[middle] };
    match twice {
        6.. => Pace::Daily,
        2.. => Pace::Weekly,
        _ => Pace::Rarely,
    }
}

/// Between two neighbours a quantile lies as far as it is from them.
fn spread(mut values: Vec<SignedDuration>) -> Option<Spread> {
    values.sort_unstable();
    let last = values.len().checked_sub(1)?;
    let quantile = |q: f64| {
        let at = q * last as f64;
        let (low, high) = (values[at.floor() as usize].as_secs_f64(), values[at.ceil() as usize].as_secs_f64());
        SignedDuration::try_from_secs_f64(low + (high - low) * at.fract()).unwrap_or(values[last])
    };
    Some(Spread { p50: quantile(0.5), p90: quantile(0.9), n: values.len() })
}

/// Cases as their time and whether they ended then.
fn recovery(mut cases: Vec<(SignedDuration, bool)>) -> Recovery {
    // At one time an end comes before a case that is only known to last so long.
    cases.sort_by_key(|(time, ended)| (*time, !ended));
    let closed = cases.iter().filter(|(_, ended)| *ended).count();
    let (mut left, mut survival, mut p50) = (cases.len(), 1.0f64, None);
    for (time, ended) in &cases {
        if *ended {
            survival *= 1.0 - 1.0 / left as f64;
            // A hair more than a half: products of fractions are not exact.
            if p50.is_none() && survival <= 0.5 + 1e-9 {
                p50 = Some(*time);
            }
        }
        left -= 1;
    }
    let longest_open = cases.iter().filter(|(_, ended)| !ended).map(|(time, _)| *time).max();
    Recovery { p50, closed, open: cases.len() - closed, longest_open }
}
