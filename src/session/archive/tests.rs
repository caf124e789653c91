//! Sources write, views ask, files go away, and another console is there.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::*;
use crate::model::deployment::list::{From, Narrow};
use crate::model::estate::tests::{bare, source};
use crate::model::estate::{History, SourceKind};
use crate::model::metric::Demand;
use crate::watch::{self, Report, Watchers};

/// A test that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn estate(log: &Path) -> Arc<Estate> {
    let kind = SourceKind::History(History::DeployLog { path: log.to_owned(), fields: BTreeMap::new() });
    let mut source = source("log", kind);
    source.every = SignedDuration::from_millis(100);
    Arc::new(bare(vec![source]))
}

fn write(log: &Path, numbers: std::ops::Range<usize>) {
    let lines = numbers.map(|n| format!("{{\"time\":{},\"service\":\"web\",\"version\":\"v{n}\"}}\n", 1_700_000_000 + n));
    OpenOptions::new().create(true).append(true).open(log).unwrap().write_all(lines.collect::<String>().as_bytes()).unwrap();
}

/// One console's sources.
struct Console {
    archive: Arc<Archive>,
    _watchers: Watchers,
    _demand: tokio::sync::watch::Sender<Demand>,
    reports: mpsc::Receiver<Report>,
}

impl Console {
    fn open(estate: &Arc<Estate>, cache: Option<&Path>) -> Console {
        let archive = Arc::new(Archive::new(estate.clone(), cache.map(Path::to_owned)));
        let (demand, wanted) = tokio::sync::watch::channel(Demand::default());
        let (out, reports) = mpsc::channel(4);
        let watchers = watch::start_with(estate, wanted, out, &watch::no_past(), Some(archive.clone()));
        Console { archive, _watchers: watchers, _demand: demand, reports }
    }

    /// Waits until the index holds so many rows, of which this is the newest.
    async fn until(&mut self, rows: usize, newest: &str) {
        let all = async {
            while self.holds() != (rows, newest.to_owned()) {
                self.reports.recv().await.unwrap();
            }
        };
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            panic!("{rows} rows up to {newest} never came, but {:?}", self.holds());
        }
    }

    fn holds(&self) -> (usize, String) {
        let ask = |deployments: &Deployments, estate: &Estate| {
            let piece = deployments.piece(estate, &Narrow::default(), &From::Newest, 1, &mut |_| true, &AtomicBool::new(false))?;
            let newest = piece.rows.first().and_then(|one| one.to.clone()).unwrap_or_default();
            Ok((deployments.total(estate)?, newest))
        };
        self.archive.read(ask).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_of_any_size_is_read_to_its_end_and_on() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    write(&log, 0..20_500);
    let mut console = Console::open(&estate(&log), Some(&folder.path().join("c.db")));
    console.until(20_500, "v20499").await;
    assert_eq!(console.archive.mark(0).unwrap().unwrap().lines, 20_500);
    write(&log, 20_500..20_510);
    console.until(20_510, "v20509").await;
    // Rotated, with a last line that nobody had seen.
    write(&log, 20_510..20_511);
    fs::rename(&log, folder.path().join("log.1")).unwrap();
    write(&log, 20_511..20_512);
    console.until(20_512, "v20511").await;
    // Written anew: the same first line, and less.
    let new = folder.path().join("new");
    write(&new, 20_511..20_512);
    fs::rename(&new, &log).unwrap();
    console.until(1, "v20511").await;
}

#[test]
fn what_another_console_wrote_is_news_for_the_views_of_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let (log, cache) = (folder.path().join("log"), folder.path().join("c.db"));
    let estate = estate(&log);
    let open = || Archive::new(estate.clone(), Some(cache.clone()));
    let (one, other) = (open(), open());
    let changes = |archive: &Archive| archive.standing().borrow().changes;
    one.mark(0).unwrap();
    let before = changes(&one);
    one.mark(0).unwrap();
    assert_eq!(changes(&one), before, "nobody wrote");
    let web = crate::model::deployment::Deployment::new("web", Timestamp::UNIX_EPOCH, crate::model::deployment::Dated::Record, "log");
    assert!(other.take(0, &News { rows: vec![Arc::new(web)], ..News::default() }).unwrap());
    one.mark(0).unwrap();
    assert_eq!(changes(&one), before + 1);
    one.mark(0).unwrap();
    assert_eq!(changes(&one), before + 1, "it is told once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_consoles_read_one_log_into_one_index() {
    let folder = tempfile::tempdir().unwrap();
    let (log, cache) = (folder.path().join("log"), folder.path().join("c.db"));
    write(&log, 0..3_000);
    let estate = estate(&log);
    let (mut one, mut other) = (Console::open(&estate, Some(&cache)), Console::open(&estate, Some(&cache)));
    for n in 0..20 {
        write(&log, 3_000 + n * 10..3_010 + n * 10);
        one.until(3_010 + n * 10, &format!("v{}", 3_009 + n * 10)).await;
        other.until(3_010 + n * 10, &format!("v{}", 3_009 + n * 10)).await;
    }
    assert_eq!((one.archive.standing().borrow().notice.clone(), other.archive.standing().borrow().notice.clone()), (None, None));
    drop((one, other));
    let mut later = Console::open(&estate, Some(&cache));
    later.until(3_200, "v3199").await;
    assert_eq!(later.archive.mark(0).unwrap().unwrap().lines, 3_200, "nothing was read twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_may_be_deleted_at_any_time() {
    let folder = tempfile::tempdir().unwrap();
    let (log, cache) = (folder.path().join("log"), folder.path().join("c.db"));
    write(&log, 0..100);
    let mut console = Console::open(&estate(&log), Some(&cache));
    console.until(100, "v99").await;
    for round in 1..4 {
        for ending in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(folder.path().join(format!("history.db{ending}")));
        }
        write(&log, 100 * round..100 * round + 100);
        console.until(100 * round + 100, &format!("v{}", 100 * round + 99)).await;
    }
    assert_eq!(console.archive.standing().borrow().notice, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_file_cannot_be_used_it_is_said_once_and_the_console_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    write(&log, 0..100);
    // A folder where the file should be.
    fs::create_dir(folder.path().join("history.db")).unwrap();
    let mut console = Console::open(&estate(&log), Some(&folder.path().join("c.db")));
    console.until(100, "v99").await;
    let notice = console.archive.standing().borrow().notice.clone().unwrap();
    assert!(notice.starts_with("the history cache cannot be used: ") && notice.contains("history.db"), "{notice}");
    let mut none = Console::open(&estate(&log), None);
    none.until(100, "v99").await;
    assert_eq!(none.archive.standing().borrow().notice, None);
}

#[test]
fn a_file_of_another_version_or_a_damaged_one_is_rebuilt_and_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (log, cache) = (folder.path().join("log"), folder.path().join("c.db"));
    let path = folder.path().join("history.db");
    let estate = estate(&log);
    let news = || {
        let rows = (0..500).rev().map(|n| {
            let at = Timestamp::from_second(1_700_000_000 + n).unwrap();
            Arc::new(crate::model::deployment::Deployment::new("web", at, crate::model::deployment::Dated::Record, "log"))
        });
        News::whole(rows.collect())
    };
    let archive = Archive::new(estate.clone(), Some(cache.clone()));
    assert!(archive.take(0, &news()).unwrap());
    drop(archive);
    fs::write(&path, "no database at all, but a text that someone put there").unwrap();
    let archive = Archive::new(estate.clone(), Some(cache.clone()));
    assert!(archive.take(0, &news()).unwrap());
    assert_eq!(archive.standing().borrow().notice.as_deref(), Some("the history cache was damaged: rebuilt"));
    drop(archive);
    // Its begin is as it was; only who reads on finds the damage.
    let len = fs::metadata(&path).unwrap().len();
    let mut bytes = fs::read(&path).unwrap();
    bytes[16_384..].fill(0x5a);
    fs::write(&path, &bytes).unwrap();
    assert!(len > 32_768);
    let archive = Archive::new(estate, Some(cache));
    let first = archive.take(0, &News::whole(vec![]));
    assert!(first.is_err(), "{first:?}");
    assert!(archive.take(0, &news()).unwrap(), "it was begun anew");
    assert_eq!(archive.read(|deployments, estate| deployments.total(estate)).unwrap(), 500);
}
