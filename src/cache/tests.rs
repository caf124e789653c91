//! A cache that is new, full, foreign, broken, shared.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::model::alert::AlertState;
use crate::model::alert::tests::alert;
use crate::model::label::Labels;
use crate::model::metric::{PanelAnswer, Plot, Sample, Series};
use crate::model::source::{AlertmanagerAnswer, PrometheusAnswer};

pub(super) fn source(name: &str, kind: SourceKind) -> Source {
    Source {
        name: name.into(),
        every: SignedDuration::from_secs(5),
        timeout: SignedDuration::from_secs(5),
        http_config: None,
        service: None,
        site: None,
        kind,
    }
}

fn prometheus(url: &str) -> SourceKind {
    SourceKind::Prometheus { url: url.into() }
}

pub(super) fn estate(path: &str, sources: Vec<Source>) -> Estate {
    Estate {
        path: path.into(),
        name: "e".into(),
        environment: "test".into(),
        zone: None,
        note: None,
        sites: vec![],
        services: vec![],
        sources,
        panels: vec![],
        rules: vec![],
        objectives: vec![],
        hosts: vec![],
        calendar: Default::default(),
    }
}

fn both() -> Estate {
    let alertmanager = SourceKind::Alertmanager { urls: vec!["http://am:9093".into()], dead_man: None };
    estate("/etc/qd/estate.toml", vec![source("am", alertmanager), source("prom", prometheus("http://prom:9090"))])
}

fn held(value: Answer) -> Held<Answer> {
    Held { value, as_of: Timestamp::from_second(1_795_187_788).unwrap(), cached: false }
}

fn numbers() -> Answer {
    let labels = Labels::new([("job", "web")]);
    let series = Series { labels: labels.clone(), points: vec![Some(1.5), None, Some(f64::INFINITY)] };
    let plot = Plot { start: Timestamp::UNIX_EPOCH, step: 15, len: 3, series: vec![series], dropped: 7, histograms: 1 };
    let panel = PanelAnswer { now: vec![Sample { labels, value: -0.1 }], plot: Some(plot), ..PanelAnswer::default() };
    Answer::Prometheus(Arc::new(PrometheusAnswer { panels: BTreeMap::from([("p".into(), panel)]), ..PrometheusAnswer::default() }))
}

fn alerts(count: usize, note: usize) -> Answer {
    let alerts = (0..count).map(|i| {
        let mut one = alert(&[("alertname", &format!("A{i}"))], AlertState::Firing, i as i64);
        Arc::make_mut(&mut one).annotations = Labels::new((0..note).map(|n| (format!("n{n}"), "x".repeat(1_000))));
        one
    });
    Answer::Alertmanager(Arc::new(AlertmanagerAnswer { alerts: alerts.collect(), ..AlertmanagerAnswer::default() }))
}

fn kept(held: &Held<Answer>) -> usize {
    match &held.value {
        Answer::Alertmanager(answer) => answer.alerts.len(),
        Answer::Prometheus(answer) => answer.alerts.len(),
        Answer::History(answer) => answer.deployments.len(),
        Answer::Backup(_) | Answer::Database(_) | Answer::Exposition(_) | Answer::Probe(_) => 0,
    }
}

#[test]
fn what_is_stored_comes_back_after_a_restart_marked_as_cached() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/deep/cache.db");
    let estate = both();
    let cache = Cache::open(&path).unwrap().0;
    assert_eq!(cache.load(&estate), [None, None]);
    cache.store(&estate, 1, &held(numbers())).unwrap();
    cache.store(&estate, 0, &held(alerts(3, 0))).unwrap();
    cache.store(&estate, 0, &held(alerts(2, 1))).unwrap();
    cache.store(&estate, 9, &held(numbers())).unwrap();
    drop(cache);
    let cache = Cache::open(&path).unwrap().0;
    let cached = |value| Some(Held { cached: true, ..held(value) });
    assert_eq!(cache.load(&estate), [cached(alerts(2, 1)), cached(numbers())]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
}

#[test]
fn another_estate_address_or_kind_never_gets_the_value() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(&folder.path().join("c.db")).unwrap().0;
    let home = estate("/a/estate.toml", vec![source("prom", prometheus("http://one:9090"))]);
    cache.store(&home, 0, &held(numbers())).unwrap();
    assert!(cache.load(&home)[0].is_some());
    let others = [
        estate("/b/estate.toml", home.sources.clone()),
        estate("/a/estate.toml", vec![source("prom", prometheus("http://two:9090"))]),
        estate("/a/estate.toml", vec![source("other", prometheus("http://one:9090"))]),
        estate("/a/estate.toml", vec![source("prom", SourceKind::Alertmanager { urls: vec!["http://one:9090".into()], dead_man: None })]),
    ];
    for other in others {
        assert_eq!(cache.load(&other), [None], "{other:?}");
    }
}

#[test]
fn no_address_and_so_no_password_in_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.db");
    let estate = estate("/a/estate.toml", vec![source("prom", prometheus("http://me:hunter2@one:9090"))]);
    let cache = Cache::open(&path).unwrap().0;
    cache.store(&estate, 0, &held(numbers())).unwrap();
    drop(cache);
    let bytes = fs::read(&path).unwrap();
    assert!(!bytes.is_empty() && !bytes.windows(7).any(|w| w == b"hunter2"));
}

#[test]
fn much_is_trimmed_to_the_worst() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(&folder.path().join("c.db")).unwrap().0;
    let estate = both();
    let stored = |answer| {
        cache.store(&estate, 0, &held(answer)).unwrap();
        cache.load(&estate)[0].as_ref().map(kept)
    };
    assert_eq!(stored(alerts(3_000, 0)), Some(trim::ALERTS_CAP));
    assert_eq!(stored(alerts(1_000, 10)), Some(200), "10 MB of annotations");
    assert_eq!(stored(alerts(200, 50)), None, "too large however trimmed: forgotten rather than old");
}

#[test]
fn a_file_that_others_can_write_is_refused_and_one_that_they_can_read_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.db");
    drop(Cache::open(&path).unwrap().0);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    drop(Cache::open(&path).unwrap().0);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    for mode in [0o620, 0o602, 0o666] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let error = Cache::open(&path).unwrap_err();
        assert!(matches!(error, CacheError::OthersCanWrite { .. }), "{mode:o}: {error}");
    }
}

#[test]
fn a_corrupt_or_foreign_file_is_set_aside_and_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let estate = both();
    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1);").unwrap();
    fs::set_permissions(&foreign, Permissions::from_mode(0o600)).unwrap();
    let garbage = folder.path().join("garbage.db");
    fs::write(&garbage, "not a database, but long enough to be asked about it".repeat(100)).unwrap();
    fs::set_permissions(&garbage, Permissions::from_mode(0o600)).unwrap();
    let torn = folder.path().join("torn.db");
    drop(Cache::open(&torn).unwrap().0);
    let mut bytes = fs::read(&torn).unwrap();
    // The page of the schema, past its header: what a torn write leaves.
    let end = bytes.len().min(4_096);
    bytes[100..end].fill(0xA5);
    fs::write(&torn, bytes).unwrap();
    for path in [foreign, garbage, torn] {
        let before = fs::read(&path).unwrap();
        let cache = Cache::open(&path).unwrap_or_else(|error| panic!("{error}")).0;
        cache.store(&estate, 1, &held(numbers())).unwrap();
        assert!(cache.load(&estate)[1].is_some());
        let aside = PathBuf::from(format!("{}.broken", path.display()));
        assert_eq!(fs::read(&aside).unwrap(), before, "{}", path.display());
    }
}

#[test]
fn another_version_is_begun_anew_and_a_value_that_cannot_be_read_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.db");
    let estate = both();
    let cache = Cache::open(&path).unwrap().0;
    cache.store(&estate, 1, &held(numbers())).unwrap();
    cache.store(&estate, 0, &held(alerts(1, 0))).unwrap();
    cache.database.execute("UPDATE reading SET held = x'7b' WHERE source = 'am'", []).unwrap();
    assert_eq!(cache.load(&estate).iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
    cache.database.pragma_update(None, "user_version", SHAPE.version + 1).unwrap();
    drop(cache);
    let cache = Cache::open(&path).unwrap().0;
    assert_eq!(cache.load(&estate), [None, None]);
    cache.store(&estate, 1, &held(numbers())).unwrap();
}

#[test]
fn two_consoles_at_once_do_not_fail_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.db");
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || {
                let estate = both();
                let cache = Cache::open(&path).unwrap().0;
                for _ in 0..25 {
                    cache.store(&estate, 1, &held(numbers())).unwrap();
                    assert!(cache.load(&estate)[1].is_some());
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_broken_file_that_several_find_at_once_is_set_aside_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.db");
    let broken = "not a database, but long enough to be asked about it".repeat(100);
    fs::write(&path, &broken).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let threads: Vec<_> = (0..4)
        .map(|place| {
            let path = path.clone();
            std::thread::spawn(move || {
                let estate = estate(&format!("/{place}/estate.toml"), both().sources);
                let cache = Cache::open(&path).unwrap().0;
                cache.store(&estate, 1, &held(numbers())).unwrap();
                estate
            })
        })
        .collect();
    let estates: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let cache = Cache::open(&path).unwrap().0;
    for estate in estates {
        assert!(cache.load(&estate)[1].is_some(), "{} was lost", estate.path.display());
    }
    assert_eq!(fs::read_to_string(folder.path().join("c.db.broken")).unwrap(), broken);
}

#[test]
fn a_file_of_another_user_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("c.db");
    drop(Cache::open(&own).unwrap().0);
    let path = if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(&own, Some(12_345), None).unwrap();
        own
    } else {
        "/etc/passwd".into()
    };
    let error = Cache::open(&path).unwrap_err();
    assert!(matches!(error, CacheError::OfAnother { .. }) && error.to_string().contains("another user"), "{error}");
    assert!(path.exists(), "and left as it is");
}
