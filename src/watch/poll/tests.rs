//! The schedule, in time that only tests move.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;
use crate::model::source::AlertmanagerAnswer;

/// What one try does.
#[derive(Clone, Copy)]
enum Play {
    Answer(Duration),
    Fail,
    Panic,
    Hang,
}

struct Fake {
    /// The plays in order; the last one again and again.
    plays: Mutex<VecDeque<Play>>,
    running: AtomicUsize,
    most: AtomicUsize,
    demands: Mutex<Vec<Demand>>,
    uses_demand: bool,
    /// Tries that call for one more sooner than the pace has it.
    more: AtomicUsize,
    /// When the one after them follows.
    soon: Mutex<Duration>,
}

/// Counts down when a try ends, however it ends.
struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Fetch for Fake {
    async fn fetch(&self, demand: Demand, _until: Instant) -> Outcome<Answer> {
        self.most.fetch_max(self.running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let _running = Running(&self.running);
        self.demands.lock().unwrap().push(demand);
        let play = {
            let mut plays = self.plays.lock().unwrap();
            if plays.len() > 1 { plays.pop_front().unwrap() } else { plays[0] }
        };
        match play {
            Play::Answer(after) => {
                tokio::time::sleep(after).await;
                Outcome::Value { value: Answer::Alertmanager(Arc::new(AlertmanagerAnswer::default())), as_of: Timestamp::UNIX_EPOCH }
            }
            Play::Fail => Outcome::Failed { kind: FailureKind::Refused, what: "no".into(), at: Timestamp::UNIX_EPOCH },
            Play::Panic => panic!("a fault"),
            Play::Hang => std::future::pending().await,
        }
    }

    fn soon(&self) -> Option<Duration> {
        self.more.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |more| more.checked_sub(1)).is_ok().then(|| *self.soon.lock().unwrap())
    }

    fn uses_demand(&self) -> bool {
        self.uses_demand
    }
}

struct Rig {
    fake: Arc<Fake>,
    poke: Arc<Notify>,
    demand: watch::Sender<Demand>,
    reports: mpsc::Receiver<Report>,
    clock: Clock,
    began: Instant,
}

const PACE: Pace = Pace { every: Duration::from_secs(10), deadline: Duration::from_secs(8) };

fn rig(plays: &[Play], uses_demand: bool, room: usize) -> Rig {
    let began = Instant::now();
    let clock: Clock = Arc::new(move || Timestamp::UNIX_EPOCH + SignedDuration::try_from(began.elapsed()).unwrap());
    let fake = Arc::new(Fake {
        plays: Mutex::new(plays.iter().copied().collect()),
        running: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
        demands: Mutex::default(),
        uses_demand,
        more: AtomicUsize::new(0),
        soon: Mutex::default(),
    });
    let (demand, wanted) = watch::channel(Demand::default());
    let (out, reports) = mpsc::channel(room);
    let poke = Arc::new(Notify::new());
    let watched = Watched { source: 3, pace: PACE, poke: poke.clone() };
    tokio::spawn(run(watched, fake.clone(), wanted, out, clock.clone(), Jitter(42)));
    Rig { fake, poke, demand, reports, clock, began }
}

impl Rig {
    /// Waits for the start of a try: how long after the beginning it came.
    async fn started(&mut self) -> Duration {
        assert_eq!(self.reports.recv().await, Some(Report { source: 3, kind: ReportKind::Started }));
        self.began.elapsed()
    }

    async fn ended(&mut self) -> (Outcome<Answer>, Timestamp) {
        match self.reports.recv().await {
            Some(Report { source: 3, kind: ReportKind::Ended { outcome, next_try } }) => (outcome, next_try),
            other => panic!("{other:?}"),
        }
    }
}

fn within(value: Duration, wanted: f64) -> bool {
    (0.9 * wanted - 0.01..=1.1 * wanted + 0.01).contains(&value.as_secs_f64())
}

#[tokio::test(start_paused = true)]
async fn the_first_try_is_at_once_and_the_interval_runs_from_start_to_start() {
    let mut rig = rig(&[Play::Answer(Duration::from_secs(4))], false, 8);
    let mut last = rig.started().await;
    assert_eq!(last, Duration::ZERO);
    let mut gaps = Vec::new();
    for _ in 0..20 {
        let (outcome, next_try) = rig.ended().await;
        assert!(matches!(outcome, Outcome::Value { .. }));
        let start = rig.started().await;
        assert!(within(start - last, 10.0), "{:?}", start - last);
        let told = Duration::try_from(next_try.duration_since(Timestamp::UNIX_EPOCH)).unwrap();
        assert!(start.abs_diff(told) < Duration::from_millis(5), "told {told:?}, was {start:?}");
        gaps.push(start - last);
        last = start;
    }
    assert!(gaps.iter().any(|gap| gap.abs_diff(gaps[0]) > Duration::from_millis(50)), "no jitter: {gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn failures_back_off_up_to_a_minute_and_a_success_ends_it() {
    let mut plays = vec![Play::Fail; 9];
    plays.push(Play::Answer(Duration::ZERO));
    let mut rig = rig(&plays, false, 8);
    let mut last = rig.started().await;
    for wanted in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 10.0] {
        let (_, next_try) = rig.ended().await;
        assert!(next_try > (rig.clock)());
        let start = rig.started().await;
        assert!(within(start - last, wanted), "{:?} is not {wanted} s", start - last);
        last = start;
    }
}

#[tokio::test(start_paused = true)]
async fn many_pokes_during_a_try_are_one_more_try_and_never_two_at_once() {
    let mut rig = rig(&[Play::Answer(Duration::from_secs(2))], false, 8);
    rig.started().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    for _ in 0..5 {
        rig.poke.notify_one();
    }
    rig.ended().await;
    assert_eq!(rig.started().await, Duration::from_secs(2), "at once after the one in flight");
    rig.ended().await;
    assert!(within(rig.started().await - Duration::from_secs(2), 10.0), "and then as always");
    assert_eq!(rig.fake.most.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn the_newest_demand_wins_and_only_where_it_matters() {
    let wish = |points| Demand { points, ..Demand::default() };
    let mut uses = rig(&[Play::Answer(Duration::from_secs(2))], true, 8);
    uses.started().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    uses.demand.send(wish(1)).unwrap();
    uses.demand.send(wish(2)).unwrap();
    uses.ended().await;
    assert_eq!(uses.started().await, Duration::from_secs(2));
    uses.ended().await;
    assert_eq!(*uses.fake.demands.lock().unwrap(), [Demand::default(), wish(2)]);
    drop(uses.demand);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(uses.reports.is_empty(), "a demand that nobody can change any more is no wish");

    let mut other = rig(&[Play::Answer(Duration::ZERO)], false, 8);
    other.started().await;
    other.ended().await;
    other.demand.send(wish(1)).unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(other.reports.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_try_that_hangs_ends_at_its_deadline_and_is_stopped() {
    let mut rig = rig(&[Play::Hang], false, 8);
    rig.started().await;
    let (outcome, _) = rig.ended().await;
    assert_eq!(rig.began.elapsed(), PACE.deadline);
    let Outcome::Failed { kind: FailureKind::Unreachable, what, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(what, "no answer within 8 s, the time that one try has");
    rig.started().await;
    tokio::task::yield_now().await;
    assert_eq!(rig.fake.most.load(Ordering::SeqCst), 1, "the hung one is gone before the next begins");
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failed_try_and_the_source_lives_on() {
    let mut rig = rig(&[Play::Panic, Play::Answer(Duration::ZERO)], false, 8);
    rig.started().await;
    let (outcome, _) = rig.ended().await;
    assert!(matches!(&outcome, Outcome::Failed { what, .. } if what.contains("please report it")), "{outcome:?}");
    rig.started().await;
    assert!(matches!(rig.ended().await.0, Outcome::Value { .. }));
}

#[tokio::test(start_paused = true)]
async fn what_is_left_unread_is_read_at_once_and_then_the_pace_is_as_before() {
    let mut rig = rig(&[Play::Answer(Duration::ZERO)], false, 4);
    rig.fake.more.store(2, Ordering::SeqCst);
    for _ in 0..3 {
        assert!(rig.started().await < Duration::from_millis(10));
        rig.ended().await;
    }
    let next = rig.started().await;
    assert!(within(next, 10.0), "{next:?}");
}

#[tokio::test(start_paused = true)]
async fn one_more_try_may_be_wanted_after_a_while_but_never_later_than_the_pace_has_it() {
    for (soon, seconds) in [(1, 1.0), (60, 10.0)] {
        let mut rig = rig(&[Play::Answer(Duration::ZERO)], false, 4);
        *rig.fake.soon.lock().unwrap() = Duration::from_secs(soon);
        rig.fake.more.store(1, Ordering::SeqCst);
        rig.started().await;
        rig.ended().await;
        let second = rig.started().await;
        assert!(within(second, seconds), "{soon}: {second:?}");
        rig.ended().await;
        let third = rig.started().await - second;
        assert!(within(third, 10.0), "{soon}: {third:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_channel_makes_the_source_wait_and_a_closed_one_ends_it() {
    let mut rig = rig(&[Play::Answer(Duration::ZERO)], false, 1);
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(rig.fake.demands.lock().unwrap().len(), 1, "nobody took the first report");
    rig.started().await;
    rig.ended().await;
    let Rig { fake, reports, .. } = rig;
    drop(reports);
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(Arc::strong_count(&fake), 1, "the task is gone");
}

proptest! {
    #[test]
    fn jitter_stays_within_a_tenth(seed in 1u64.., ms in 1u64..100_000_000) {
        let wait = Duration::from_millis(ms);
        let spread = Jitter(seed).spread(wait).as_secs_f64() / wait.as_secs_f64();
        prop_assert!((0.8999..=1.1001).contains(&spread), "{spread}");
    }

    #[test]
    fn a_pause_never_passes_its_bounds(every_ms in 0i64..200_000_000, failures in 1u32..) {
        let pace = Pace::new(SignedDuration::from_millis(every_ms), SignedDuration::ZERO);
        let pause = pace.pause(failures);
        prop_assert!(pause >= Duration::from_millis(100) && pause <= pace.every.max(LONGEST_PAUSE));
        prop_assert!(pace.deadline > Duration::ZERO);
    }
}
