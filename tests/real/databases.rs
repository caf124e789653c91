//! A real primary and its standby, as the Databases pane learns of them: lag, traps, loss of a node, two primaries.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use quarterdeck::model::alert::Alert;
use quarterdeck::model::database::{DatabaseAnswer, Said};
use quarterdeck::model::estate::{Estate, Severity};
use quarterdeck::model::finding::findings;
use quarterdeck::model::metric::Demand;
use quarterdeck::model::reading::{FailureKind, Outcome, Reading};
use quarterdeck::model::source::Answer;
use quarterdeck::watch;
use tempfile::tempdir;

use crate::estate::{estate, once_until};
use crate::postgres::{Pair, have_postgres};

fn database(nodes: &str, more: &str) -> String {
    format!("[[database]]\nname = \"main\"\nkind = \"postgres\"\n{nodes}\nevery = \"1s\"\ntimeout = \"5s\"\n{more}\n")
}

fn answer(readings: &[Reading<Answer>]) -> Option<&DatabaseAnswer> {
    match &readings.first()?.held.as_ref()?.value {
        Answer::Database(answer) => Some(answer),
        _ => None,
    }
}

fn said(readings: &[Reading<Answer>], node: usize) -> Option<&Said> {
    answer(readings)?.nodes.get(node)?.said.as_ref()
}

fn lag(readings: &[Reading<Answer>]) -> Option<u64> {
    Some(answer(readings)?.lag(said(readings, 1)?)?.bytes)
}

/// What is found, as name and severity, the worst first.
fn found(estate: &Estate, readings: &[Reading<Answer>]) -> Vec<(String, Severity)> {
    let told = |alert: &std::sync::Arc<Alert>| (alert.name().to_owned(), alert.severity);
    findings(estate, readings, &[], jiff::Timestamp::now()).iter().map(told).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_and_its_standby_are_told_as_they_are() {
    if !have_postgres("a_primary_and_its_standby_are_told_as_they_are") {
        return;
    }
    let pair = Pair::start();
    let folder = tempdir().unwrap();
    let estate = estate(folder.path(), &database(&pair.nodes("qd"), "warn = \"1MiB\""));
    pair.a.insert();
    pair.a.sql("select pg_switch_wal()");
    let readings = once_until(&estate, "the standby has all and a file is archived", |readings| {
        let archived = said(readings, 0).and_then(|s| s.archiver.as_ref()).is_some_and(|a| a.last_archived.is_some());
        archived && lag(readings) == Some(0) && said(readings, 1).is_some_and(|s| s.newest_commit.is_some())
    })
    .await;
    let (a, b) = (said(&readings, 0).unwrap(), said(&readings, 1).unwrap());
    assert_eq!((a.role(), b.role(), a.timeline, b.timeline), ("primary", "standby", Some(1), Some(1)));
    assert!(a.system.is_some() && a.system == b.system, "one cluster");
    assert!(a.version.starts_with("15."), "{}", a.version);
    let [row] = a.standbys.as_slice() else { panic!("{:?}", a.standbys) };
    assert_eq!((row.name.as_str(), row.state.as_deref(), row.sync.as_deref()), ("n2", Some("streaming"), Some("async")));
    assert_eq!(row.slot.as_deref(), Some("s2"));
    assert_eq!((a.slots[0].name.as_str(), a.slots[0].active), ("s2", true));
    assert!(b.streams() && b.receiver.as_ref().unwrap().receipt_age.is_some(), "{:?}", b.receiver);
    assert!(a.connections >= Some(1) && a.max_connections == 100 && a.notes.is_empty(), "{:?}", a.notes);
    assert!(a.sizes.iter().any(|(name, size)| name == "postgres" && size.is_some_and(|bytes| bytes > 1 << 20)), "{:?}", a.sizes);
    assert_eq!(found(&estate, &readings), []);

    // Paused replay: what is received is no loss, and the position says so; what is not replayed is told as paused.
    pair.b.sql("select pg_wal_replay_pause()");
    pair.a.insert();
    let readings = once_until(&estate, "the replay is paused", |readings| {
        said(readings, 1).is_some_and(|s| s.replay_paused && s.received > s.replayed) && lag(readings) == Some(0)
    })
    .await;
    assert!(said(&readings, 1).unwrap().position() > said(&readings, 1).unwrap().replayed);
    assert_eq!(found(&estate, &readings), [("replay paused".to_owned(), Severity::Warning)]);
    pair.b.sql("select pg_wal_replay_resume()");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_traps_of_replication_are_no_lag() {
    if !have_postgres("the_traps_of_replication_are_no_lag") {
        return;
    }
    let pair = Pair::start();
    let folder = tempdir().unwrap();
    let estate = estate(folder.path(), &database(&pair.nodes("qd"), "warn = \"1s\""));
    pair.a.insert();
    // An idle primary: the age of the newest commit grows, and nothing is behind.
    let readings = once_until(&estate, "the standby has all", |readings| {
        lag(readings) == Some(0) && said(readings, 1).is_some_and(|s| s.newest_commit.is_some())
    })
    .await;
    let first = said(&readings, 1).unwrap().newest_commit.unwrap();
    let readings = once_until(&estate, "the newest commit is older than the limit, and the lag is NULL", |readings| {
        let old = jiff::Timestamp::now().duration_since(first).as_secs() >= 2;
        let null = said(readings, 0).is_some_and(|s| s.standbys.len() == 1 && s.standbys[0].replay_lag.is_none());
        old && null && lag(readings) == Some(0)
    })
    .await;
    assert_eq!(said(&readings, 1).unwrap().newest_commit, Some(first), "nothing was committed since");
    assert_eq!(found(&estate, &readings), [], "an idle primary is no lag");

    // The standby is started again without its primary: what it received goes back to the beginning of a segment.
    pair.a.stop("fast");
    pair.b.stop("fast");
    pair.b.start();
    let readings = once_until(&estate, "the standby answers alone", |readings| said(readings, 1).is_some()).await;
    let b = said(&readings, 1).unwrap();
    assert!(b.received < b.replayed, "the trap is there: {:?} {:?}", b.received, b.replayed);
    assert_eq!(b.position(), b.replayed, "and is not believed");
    assert_eq!(b.newest_commit, None, "nothing was replayed since the start");
    let names: Vec<String> = found(&estate, &readings).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["no primary", "database node gone", "standby gone"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_primaries_at_once_are_found_first() {
    if !have_postgres("two_primaries_at_once_are_found_first") {
        return;
    }
    let pair = Pair::start();
    let folder = tempdir().unwrap();
    let estate = estate(folder.path(), &database(&pair.nodes("qd"), ""));
    pair.b.promote();
    let readings = once_until(&estate, "both take writes", |readings| answer(readings).is_some_and(|a| a.primaries().count() == 2)).await;
    assert_eq!((said(&readings, 0).unwrap().timeline, said(&readings, 1).unwrap().timeline), (Some(1), Some(2)), "without a checkpoint");
    assert_eq!(found(&estate, &readings)[0], ("TWO PRIMARIES".to_owned(), Severity::Critical));
    assert_eq!(lag(&readings), None);

    // The old one is stopped: one primary is left, on its new timeline, and the other is a node that is gone.
    pair.a.stop("fast");
    let readings = once_until(&estate, "one is left", |readings| answer(readings).is_some_and(|a| a.primaries().count() == 1)).await;
    let all = answer(&readings).unwrap();
    let (node, primary) = all.primary().unwrap();
    assert_eq!((node.name.as_str(), primary.timeline), (all.nodes[1].name.as_str(), Some(2)));
    assert_eq!(found(&estate, &readings), [("database node gone".to_owned(), Severity::Warning)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_primary_that_is_gone_the_last_known_position_and_a_bound_are_told() {
    if !have_postgres("of_a_primary_that_is_gone_the_last_known_position_and_a_bound_are_told") {
        return;
    }
    let pair = Pair::start();
    let folder = tempdir().unwrap();
    let estate = std::sync::Arc::new(estate(folder.path(), &database(&pair.nodes("qd"), "")));
    // What nobody saw before has no bound.
    pair.a.insert();
    let mut feed = Polls::start(&estate);
    let before = feed.until("the primary was seen", |answer| answer.primary().is_some()).await;
    let written = before.primary().unwrap().1.written.unwrap();
    pair.a.stop("immediate");
    let gone = feed.until("it is gone", |answer| answer.primaries().count() == 0).await;
    let last = gone.last_primary.clone().expect("it was seen before");
    assert!(last.written >= written && last.name == gone.nodes[0].name && last.gone > last.at, "{last:?}");
    let bound = gone.bound(gone.nodes[1].said.as_ref().unwrap()).expect("a bound is known");
    assert!(bound.unseen > 0.0 && bound.behind < 1 << 24, "{bound:?}");
    let again = feed.until("a poll later", |answer| answer.last_primary.is_some()).await;
    assert_eq!(again.last_primary.unwrap().gone, last.gone, "when it went is not moved by looking again");

    let readings = watch::once(&estate, Demand::default(), &watch::no_past()).await;
    let fresh = answer(&readings).unwrap();
    assert_eq!((&fresh.last_primary, fresh.bound(said(&readings, 1).unwrap())), (&None, None), "who did not see it knows no bound");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cascade_is_told_as_one_and_each_of_several_standbys_has_its_own_time() {
    if !have_postgres("a_cascade_is_told_as_one_and_each_of_several_standbys_has_its_own_time") {
        return;
    }
    let pair = Pair::start();
    let c = Stopped(pair.copy_of(&pair.b, "c"));
    c.0.start();
    let folder = tempdir().unwrap();
    let nodes = format!("nodes = [\"{}\", \"{}\", \"{}\"]", pair.a.node("qd"), pair.b.node("qd"), c.0.node("qd"));
    let estate = estate(folder.path(), &database(&nodes, "warn = \"2s\""));
    pair.b.sql("select pg_wal_replay_pause()");
    pair.a.insert();
    let readings = once_until(&estate, "all stream, and the middle one holds its commits back", |readings| {
        let Some(answer) = answer(readings) else { return false };
        let lag = |n: usize| answer.lag(said(readings, n)?)?.seconds;
        let fed = |n: usize| Some(answer.feeder(said(readings, n)?)?.0.name.clone());
        fed(1) == Some(answer.nodes[0].name.clone()) && fed(2) == Some(answer.nodes[1].name.clone()) && lag(1).is_some_and(|s| s >= 2.0)
    })
    .await;
    assert!(found(&estate, &readings).iter().any(|(name, _)| name == "standby lags"), "the time that the commits wait is a lag");
    pair.b.sql("select pg_wal_replay_resume()");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_transactions_and_slots_are_judged_by_what_the_server_says() {
    if !have_postgres("connections_transactions_and_slots_are_judged_by_what_the_server_says") {
        return;
    }
    let pair = Pair::start();
    let folder = tempdir().unwrap();
    let limits = "connections_warn = 0.02\nlongest_transaction_warn = \"1s\"\nidle_transaction_warn = \"1s\"";
    let estate = estate(folder.path(), &database(&pair.nodes("qd"), limits));
    pair.a.configure("max_slot_wal_keep_size = '64MB'\nwal_level = logical\n");
    pair.a.stop("fast");
    pair.a.start();
    pair.a.sql("select pg_create_logical_replication_slot('changes', 'test_decoding')");
    // A client that leaves its transaction open: the test's own session, whose process id the server gives.
    let link = quarterdeck::link::postgres::Node::new(&pair.a.node("qd"), std::time::Duration::from_secs(60)).unwrap();
    let session = link.open().await.unwrap();
    session.rows("begin").await.unwrap();
    let pid = session.rows("select pg_backend_pid()").await.unwrap()[0][0].clone().unwrap();
    let readings = once_until(&estate, "it is told", |readings| {
        let idle = said(readings, 0).and_then(|s| s.longest_idle).is_some_and(|idle| idle >= 1.0);
        idle && found(&estate, readings).iter().any(|(name, _)| name == "connections run out")
    })
    .await;
    let a = said(&readings, 0).unwrap();
    assert_eq!((a.max_connections, a.reserved_connections, a.slot_keep), (100, 3, Some(64 << 20)));
    assert_eq!(a.idle_of.as_deref(), Some(format!("pid {pid}, user qd, database postgres, quarterdeck").as_str()));
    let all = findings(&estate, &readings, &[], jiff::Timestamp::now());
    let of = |name: &str| all.iter().find(|alert| alert.name() == name).unwrap_or_else(|| panic!("{name} is not found")).summary();
    assert!(of("transaction open for long").contains(&pid), "{}", of("transaction open for long"));
    let changes = a.slots.iter().find(|slot| slot.name == "changes").unwrap();
    assert!(changes.logical && !changes.active && changes.safe.is_some(), "{changes:?}");
    assert!(of("slot retains log").contains("logical slot changes is read by nobody"), "{}", of("slot retains log"));
    drop(session);

    // It keeps more and more, until the server takes it away.
    for _ in 0..6 {
        pair.a.sql("insert into t select from generate_series(1, 100000)");
        pair.a.sql("select pg_switch_wal()");
    }
    let status = |readings: &[Reading<Answer>]| {
        let slot = said(readings, 0)?.slots.iter().find(|slot| slot.name == "changes")?.clone();
        slot.status
    };
    once_until(&estate, "it is in danger", |readings| matches!(status(readings).as_deref(), Some("unreserved" | "lost"))).await;
    pair.a.sql("checkpoint");
    let readings = once_until(&estate, "it is lost", |readings| status(readings).as_deref() == Some("lost")).await;
    let all = findings(&estate, &readings, &[], jiff::Timestamp::now());
    let lost = all.iter().find(|alert| alert.summary().contains("has lost its log")).expect("it is found");
    assert_eq!(lost.severity, Severity::Critical);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_reached_over_its_unix_socket() {
    if !have_postgres("a_node_is_reached_over_its_unix_socket") {
        return;
    }
    let pair = Pair::start();
    let folder = tempdir().unwrap();
    let socket = pair.path("").display().to_string();
    let socket = socket.trim_end_matches('/');
    let node = format!("nodes = [\"host={socket} port={} user=qd dbname=postgres\"]", pair.a.port);
    let estate = estate(folder.path(), &database(&node, ""));
    let readings = watch::once(&estate, Demand::default(), &watch::no_past()).await;
    let all = answer(&readings).unwrap();
    assert_eq!(
        (all.nodes[0].name.as_str(), all.nodes[0].role()),
        (format!("{}:{}", socket.rsplit('/').next().unwrap(), pair.a.port).as_str(), "primary")
    );
}

/// A server that is stopped whatever happens.
struct Stopped(crate::postgres::Server);

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0.stop("immediate");
    }
}

/// The watchers of an estate's only source, poll after poll, as the console has them.
struct Polls {
    // Held: the polls end with them.
    _feed: quarterdeck::session::feed::Sources,
    _demand: tokio::sync::watch::Sender<Demand>,
    messages: tokio::sync::mpsc::Receiver<quarterdeck::app::message::Message>,
}

impl Polls {
    fn start(estate: &std::sync::Arc<Estate>) -> Polls {
        use quarterdeck::session::feed::Feed;
        let (demand, wanted) = tokio::sync::watch::channel(Demand::default());
        let (out, messages) = tokio::sync::mpsc::channel(64);
        let archive = std::sync::Arc::new(quarterdeck::session::archive::Archive::new(estate.clone(), None));
        let mut feed = quarterdeck::session::feed::Sources::new(estate.clone(), watch::no_past(), archive, crate::estate::nobody());
        feed.start(wanted, out);
        Polls { _feed: feed, _demand: demand, messages }
    }

    async fn until(&mut self, what: &str, fits: impl Fn(&DatabaseAnswer) -> bool) -> DatabaseAnswer {
        use quarterdeck::app::message::Message;
        let waited = tokio::time::timeout(crate::servers::PATIENCE, async {
            loop {
                let message = self.messages.recv().await.expect("the source is polled");
                if let Message::Read { outcome: Outcome::Value { value: Answer::Database(answer), .. }, .. } = &message
                    && fits(answer)
                {
                    return DatabaseAnswer::clone(answer);
                }
            }
        });
        waited.await.unwrap_or_else(|_| panic!("it never came: {what}"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_synchronous_name_that_nobody_has_a_slot_that_fills_and_an_archive_that_fails_are_found() {
    if !have_postgres("a_synchronous_name_that_nobody_has_a_slot_that_fills_and_an_archive_that_fails_are_found") {
        return;
    }
    let pair = Pair::start();
    let folder = tempdir().unwrap();
    let estate = estate(folder.path(), &database(&pair.nodes("qd"), "slot_limit = \"1MiB\""));
    pair.a.sql("select pg_create_physical_replication_slot('nobody', true)");
    pair.a.configure("archive_command = 'false'\nsynchronous_standby_names = 'dead'\n");
    pair.a.reload();
    pair.a.sql("set synchronous_commit = local; insert into t select from generate_series(1, 200000)");
    pair.a.sql("select pg_switch_wal()");
    let wanted = ["archiver fails", "slot retains log", "synchronous standby missing"];
    let readings = once_until(&estate, "all three are found", |readings| {
        let found = found(&estate, readings);
        wanted.iter().all(|name| found.iter().any(|(n, _)| n == name))
    })
    .await;
    let nobody = said(&readings, 0).unwrap().slots.iter().find(|slot| slot.name == "nobody").unwrap();
    assert!(!nobody.active && nobody.retained > Some(1 << 20), "{nobody:?}");
    let all = findings(&estate, &readings, &[], jiff::Timestamp::now());
    let of = all.iter().find(|alert| alert.name() == "synchronous standby missing").unwrap();
    assert!(of.summary().contains("dead") && of.summary().contains("without end"), "{}", of.summary());
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_refused_are_told_apart_from_a_server_that_is_down() {
    if !have_postgres("credentials_that_are_refused_are_told_apart_from_a_server_that_is_down") {
        return;
    }
    let pair = Pair::start();
    let folder = tempdir().unwrap();
    let passfile = folder.path().join("pgpass");
    let write = |text: &str| {
        fs::write(&passfile, text).unwrap();
        fs::set_permissions(&passfile, PermissionsExt::from_mode(0o600)).unwrap();
    };
    let node = format!("nodes = [\"{} passfile={}\"]", pair.a.node("locked"), passfile.display());
    let estate = estate(folder.path(), &database(&node, ""));
    let told = |readings: &[Reading<Answer>]| readings[0].failure.as_ref().map(|f| (f.kind, f.what.clone()));
    let past = watch::no_past();
    let once = || watch::once(&estate, Demand::default(), &past);

    let (kind, what) = told(&once().await).unwrap();
    assert_eq!(kind, FailureKind::Refused, "{what}");
    assert!(what.contains("wants a password") && what.contains("pgpass"), "{what}");
    write(&format!("127.0.0.1:{}:postgres:locked:hunter2\n", pair.a.port));
    let (kind, what) = told(&once().await).unwrap();
    assert_eq!(kind, FailureKind::Refused, "{what}");
    assert!(what.contains("28P01") && !what.contains("hunter2"), "{what}");
    write("*:*:*:locked:correct\n");
    let readings = once().await;
    assert_eq!(told(&readings), None);
    assert_eq!(said(&readings, 0).unwrap().role(), "primary");
    pair.b.stop("fast");
    pair.a.stop("immediate");
    let (kind, what) = told(&once().await).unwrap();
    assert_eq!(kind, FailureKind::Unreachable, "{what}");
    assert!(what.contains("refused"), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_user_is_told_what_it_cannot_see_and_nothing_can_be_written() {
    if !have_postgres("a_plain_user_is_told_what_it_cannot_see_and_nothing_can_be_written") {
        return;
    }
    let pair = Pair::start();
    let folder = tempdir().unwrap();
    let estate = estate(folder.path(), &database(&pair.nodes("plain"), ""));
    let readings = watch::once(&estate, Demand::default(), &watch::no_past()).await;
    let a = said(&readings, 0).unwrap();
    assert!(a.notes[0].contains("pg_monitor"), "{:?}", a.notes);
    assert_eq!(found(&estate, &readings), [], "what is hidden is not called bad");

    let link = quarterdeck::link::postgres::Node::new(&pair.a.node("postgres"), std::time::Duration::from_secs(5)).unwrap();
    let session = link.open().await.unwrap();
    let refused = session.rows("insert into t default values").await.unwrap_err().to_string();
    assert!(refused.contains("read-only"), "{refused}");
    let many = session.rows("select generate_series(1, 20000)").await.unwrap_err().to_string();
    assert!(many.contains("larger than"), "{many}");
    let name = session.rows("show application_name").await.unwrap();
    assert_eq!(name, [vec![Some("quarterdeck".to_owned())]]);
    let slow = quarterdeck::link::postgres::Node::new(&pair.a.node("postgres"), std::time::Duration::from_millis(300)).unwrap();
    let late = slow.open().await.unwrap().rows("select pg_sleep(60)").await.unwrap_err().to_string();
    assert!(late.contains("57014") || late.contains("no answer within"), "{late}");
}
