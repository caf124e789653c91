//! The traps of a replicated PostgreSQL, each with what the servers really answered.

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::model::estate::Severity;

fn at(secs: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs)
}

fn lsn(text: &str) -> Option<Lsn> {
    Some(text.parse().unwrap())
}

fn database() -> Database {
    let node = |name: &str| NodeAt { name: name.into(), conninfo: format!("host={name}") };
    Database { nodes: vec![node("a"), node("b")], warn: WARN, critical: Some(CRITICAL), slot_limit: SLOT_LIMIT, busy: BUSY }
}

fn primary(written: &str) -> Said {
    Said { written: lsn(written), system: Some("7".into()), timeline: Some(1), ..Said::default() }
}

fn standby(received: Option<&str>, replayed: &str) -> Said {
    Said {
        in_recovery: true,
        received: received.and_then(lsn),
        replayed: lsn(replayed),
        system: Some("7".into()),
        timeline: Some(1),
        receiver: Some(Receiver { status: Some("streaming".into()), receipt_age: Some(1.0), ..Receiver::default() }),
        ..Said::default()
    }
}

fn answer(a: Said, b: Said) -> DatabaseAnswer {
    let node = |name: &str, said| Node { name: name.into(), said: Some(said), ..Node::default() };
    DatabaseAnswer { nodes: vec![node("a", a), node("b", b)], last_primary: None }
}

fn found(answer: &DatabaseAnswer) -> Vec<(TroubleKind, Severity)> {
    troubles(&database(), answer).into_iter().map(|trouble| (trouble.kind, trouble.severity)).collect()
}

#[test]
fn a_place_in_the_log_is_read_and_written_as_postgresql_does() {
    let far: Lsn = "16/B374D848".parse().unwrap();
    assert_eq!((far.0, far.to_string()), (0x16_B374_D848, "16/B374D848".to_owned()));
    for bad in ["", "1", "/", "1/", "g/0", "+1/0", "123456789/0", "0/0/0"] {
        assert!(bad.parse::<Lsn>().is_err(), "{bad}");
    }
    assert_eq!(timeline_of("0000000A0000000000000004"), Some(10));
    assert_eq!((timeline_of("0000000A.history"), timeline_of("żółć")), (None, None));
}

#[test]
fn the_received_position_that_went_back_to_its_segment_is_not_believed() {
    // After a restart without the primary: received 0/4000000, replayed 0/40000A0.
    let back = standby(Some("0/4000000"), "0/40000A0");
    assert_eq!(back.position(), lsn("0/40000A0"));
    let all = answer(primary("0/40000A0"), back);
    assert_eq!(all.lag(&all.nodes[1].said.clone().unwrap()).unwrap().bytes, 0);
    assert_eq!(standby(None, "0/5").position(), lsn("0/5"), "it never received");
    assert_eq!(standby(Some("0/9"), "0/5").position(), lsn("0/9"));
}

#[test]
fn an_old_newest_commit_is_no_lag() {
    let mut idle = standby(Some("0/5000"), "0/5000");
    idle.newest_commit = Some(at(0));
    let all = answer(primary("0/5000"), idle);
    assert_eq!(found(&all), []);
}

#[test]
fn a_lag_that_is_null_reaches_no_limit_of_time() {
    let mut of = primary("0/5000");
    of.standbys = vec![Standby { name: "b".into(), state: Some("streaming".into()), replay_lag: None, ..Standby::default() }];
    let mut all = answer(of, standby(Some("0/5000"), "0/5000"));
    let lag = all.lag(all.nodes[1].said.as_ref().unwrap()).unwrap();
    assert_eq!((lag.bytes, lag.seconds), (0, None));
    let limit = Limit::Time(SignedDuration::from_secs(30));
    assert!(!lag.reaches(limit));
    all.nodes[0].said.as_mut().unwrap().standbys[0].replay_lag = Some(31.0);
    assert!(all.lag(all.nodes[1].said.as_ref().unwrap()).unwrap().reaches(limit));
    let by_time = Database { warn: limit, critical: None, ..database() };
    let told = |all: &DatabaseAnswer| troubles(&by_time, all).into_iter().map(|trouble| trouble.what).collect::<Vec<_>>();
    assert_eq!(told(&all), ["b replays 31s late what it has received"]);
    all.nodes[0].said.as_mut().unwrap().written = lsn("0/5400");
    assert_eq!(told(&all), ["b is 1KiB, 31s behind"]);
    let held = all.nodes[1].said.as_mut().unwrap();
    (held.replay_paused, held.replayed) = (true, lsn("0/4000"));
    assert_eq!(told(&all)[1], "b: its replay is paused, 4KiB that it has received wait");
}

#[test]
fn with_several_standbys_the_time_is_that_of_the_own_slot_or_not_known() {
    let mut of = primary("0/5000");
    let row =
        |slot: &str, lag| Standby { name: "walreceiver".into(), slot: Some(slot.into()), replay_lag: Some(lag), ..Standby::default() };
    of.standbys = vec![row("s1", 1.0), row("s2", 90.0)];
    let mut one = standby(Some("0/5000"), "0/5000");
    one.receiver.as_mut().unwrap().slot = Some("s2".into());
    let all = answer(of.clone(), one);
    assert_eq!(all.lag(all.nodes[1].said.as_ref().unwrap()).unwrap().seconds, Some(90.0));
    let all = answer(of, standby(Some("0/5000"), "0/5000"));
    assert_eq!(all.lag(all.nodes[1].said.as_ref().unwrap()).unwrap().seconds, None);
}

#[test]
fn a_standby_that_is_ahead_of_the_primarys_answer_is_not_behind() {
    let all = answer(primary("0/5000"), standby(Some("0/6000"), "0/6000"));
    assert_eq!(all.lag(all.nodes[1].said.as_ref().unwrap()).unwrap().bytes, 0);
}

#[test]
fn bytes_behind_are_judged_by_the_limits() {
    let behind = |here: &str| found(&answer(primary("1/0"), standby(Some(here), here)));
    assert_eq!(behind("0/FFFFFF00"), []);
    assert_eq!(behind("0/FC000000"), [(TroubleKind::Lag, Severity::Warning)]);
    assert_eq!(behind("0/0"), [(TroubleKind::Lag, Severity::Critical)]);
}

#[test]
fn two_primaries_are_told_first_and_no_lag_is_measured_by_either() {
    let mut other = primary("0/6000");
    other.timeline = Some(2);
    other.archiver = Some(Archiver { failed: 3, last_failed_at: Some(at(1)), ..Archiver::default() });
    let all = answer(primary("0/5000"), other);
    let troubles = troubles(&database(), &all);
    assert_eq!((troubles[0].kind, troubles[0].severity), (TroubleKind::TwoPrimaries, Severity::Critical));
    assert_eq!(troubles[0].what, "2 nodes take writes at once: a (timeline 1, at 0/5000) and b (timeline 2, at 0/6000)");
    assert_eq!(all.primary(), None);
    assert_eq!(all.lag(&standby(None, "0/1")), None);
}

#[test]
fn a_node_that_turned_is_told_and_one_that_was_not_heard_is_not() {
    let before = answer(primary("0/1"), standby(None, "0/1"));
    let mut after = answer(standby(None, "0/2"), primary("0/2"));
    assert_eq!(after.turned(&before), ["a is standby now, it was primary", "b is primary now, it was standby"]);
    after.nodes[0].said = None;
    assert_eq!(after.turned(&before), ["b is primary now, it was standby"]);
    assert!(before.turned(&after).len() == 1 && before.turned(&before).is_empty());
}

#[test]
fn no_primary_is_told_and_how_many_did_not_answer() {
    let mut all = answer(standby(None, "0/1"), standby(None, "0/1"));
    assert_eq!(found(&all)[0], (TroubleKind::NoPrimary, Severity::Critical));
    all.nodes[0] = Node { name: "a".into(), error: Some("a: connection refused".into()), ..Node::default() };
    let told = troubles(&database(), &all);
    assert_eq!(told[0].what, "no node that answers takes writes; 1 of 2 did not answer");
    assert_eq!(told[1].what, "a: connection refused");
}

#[test]
fn a_node_of_another_cluster_is_told_and_not_measured() {
    let mut stranger = standby(Some("0/1"), "0/1");
    stranger.system = Some("8".into());
    let all = answer(primary("F/0"), stranger);
    assert_eq!(found(&all), [(TroubleKind::Stranger, Severity::Critical)]);
}

#[test]
fn a_standby_without_a_receiver_or_with_a_silent_one_is_gone() {
    let mut cut = standby(Some("0/1"), "0/1");
    cut.receiver = None;
    cut.timeline = Some(9);
    let kinds = found(&answer(primary("0/1"), cut));
    assert_eq!(kinds, [(TroubleKind::StandbyGone, Severity::Warning), (TroubleKind::Timeline, Severity::Warning)]);
    let mut silent = standby(Some("0/1"), "0/1");
    silent.receiver.as_mut().unwrap().receipt_age = Some(50.0);
    assert_eq!(found(&answer(primary("0/1"), silent)), [(TroubleKind::StandbyGone, Severity::Warning)]);
    let mut hidden = standby(Some("0/1"), "0/1");
    hidden.receiver = Some(Receiver::default());
    assert_eq!(found(&answer(primary("0/1"), hidden)), [], "a state that the user may not see is not called bad");
}

#[test]
fn synchronous_names_are_read_in_every_form() {
    let name = |n: &str| Wanted::Name(n.into());
    let parse = |text: &str| Quorum::parse(text).map(|q| (q.wanted, q.names));
    assert_eq!(parse(" "), None);
    assert_eq!(parse("a, b"), Some((1, vec![name("a"), name("b")])));
    assert_eq!(parse("2 (a,b)"), Some((2, vec![name("a"), name("b")])));
    assert_eq!(parse("FIRST 2 (a, \"b (c), d\")"), Some((2, vec![name("a"), name("b (c), d")])));
    assert_eq!(parse("any 1(*)"), Some((1, vec![Wanted::Any])));
    assert_eq!(parse("\"x(\"\"y\""), Some((1, vec![name("x(\"y")])));
}

#[test]
fn a_synchronous_name_that_nobody_answers_to_hangs_every_commit_where_too_few_are_left() {
    let with = |setting: &str, standbys: &[(&str, &str)]| {
        let mut of = primary("0/1");
        of.synchronous = setting.into();
        let row = |(name, state): &(&str, &str)| Standby { name: (*name).into(), state: Some((*state).into()), ..Standby::default() };
        of.standbys = standbys.iter().map(row).collect();
        found(&answer(of, standby(Some("0/1"), "0/1")))
    };
    assert_eq!(with("dead", &[("b", "streaming")]), [(TroubleKind::Synchronous, Severity::Critical)]);
    assert_eq!(with("B", &[("b", "streaming")]), [], "upper and lower case are alike");
    assert_eq!(with("b", &[("b", "catchup")]), [(TroubleKind::Synchronous, Severity::Critical)], "it does not stream yet");
    assert_eq!(with("ANY 1 (b, dead)", &[("b", "streaming")]), [(TroubleKind::Synchronous, Severity::Warning)]);
    assert_eq!(with("2 (b, dead)", &[("b", "streaming")]), [(TroubleKind::Synchronous, Severity::Critical)]);
    assert_eq!(with("*", &[]), [(TroubleKind::Synchronous, Severity::Critical)]);
    assert_eq!(with("*", &[("x", "streaming")]), []);
}

#[test]
fn a_slot_is_judged_by_what_it_keeps_by_the_servers_own_limit_and_by_whether_anyone_reads_it() {
    let slot = |active: bool, kept: u64, status: &str, safe: Option<u64>| Slot {
        name: "s".into(),
        active,
        retained: Some(kept),
        status: Some(status.into()),
        safe,
        ..Slot::default()
    };
    let found = |slot: Slot| {
        let mut of = primary("0/1");
        (of.slots, of.slot_keep) = (vec![slot], Some(1_000));
        let all = troubles(&database(), &answer(of, standby(Some("0/1"), "0/1")));
        all.into_iter().map(|trouble| (trouble.severity, trouble.what)).collect::<Vec<_>>()
    };
    assert_eq!(found(slot(true, 1, "reserved", Some(999))), []);
    assert_eq!(found(slot(true, 1, "reserved", None)), []);
    let told = |severity, what: &str| vec![(severity, format!("a: the slot s {what}"))];
    assert_eq!(found(slot(true, SLOT_LIMIT, "extended", None)), told(Severity::Warning, "keeps 10GiB of log"));
    let near = "keeps 800B of log: after 200B more it may be lost (max_slot_wal_keep_size 1000B)";
    assert_eq!(found(slot(true, 800, "extended", Some(200))), told(Severity::Warning, near));
    let beyond = "keeps 2KiB of log and nobody reads it: it is beyond the server's own limit and lost at the next checkpoint";
    assert_eq!(found(slot(false, 2_048, "unreserved", Some(0))), told(Severity::Critical, beyond));
    assert_eq!(found(slot(false, 0, "lost", None)), told(Severity::Critical, "has lost its log: who reads it must be made anew"));
    assert_eq!(found(slot(false, 5, "reserved", None)), told(Severity::Info, "is read by nobody and keeps 5B of log"));
    assert_eq!(found(slot(false, 5, "extended", None))[0].0, Severity::Warning, "it costs space already");
    let logical = found(Slot { logical: true, ..slot(false, 5, "reserved", None) });
    assert_eq!(logical[0].1, "a: the logical slot s is read by nobody and keeps 5B of log");
}

#[test]
fn clients_near_the_end_of_the_connections_and_transactions_left_open() {
    let busy = |connections, open, idle| {
        let mut of = primary("0/1");
        (of.max_connections, of.reserved_connections, of.connections) = (100, 3, connections);
        (of.longest_transaction, of.longest_idle, of.idle_of) = (open, idle, Some("pid 7, user app, database shop".into()));
        let all = troubles(&database(), &answer(of, standby(Some("0/1"), "0/1")));
        all.into_iter().map(|trouble| (trouble.severity, trouble.what)).collect::<Vec<_>>()
    };
    assert_eq!(busy(Some(82), Some(3_599.0), Some(599.0)), []);
    assert_eq!(busy(None, None, None), [], "what is not known reaches no limit");
    let taken = |n: u64| format!("a: {n} of 97 connections are taken, 3 more are kept for superusers");
    assert_eq!(busy(Some(83), None, None), [(Severity::Warning, taken(83))]);
    assert_eq!(busy(Some(97), None, None), [(Severity::Critical, taken(97))]);
    assert_eq!(busy(None, Some(3_600.0), None)[0].1, "a: a transaction is open for 60m");
    let idle = "a: a client has its transaction open and asked nothing for 10m (pid 7, user app, database shop)";
    assert_eq!(busy(None, Some(9_000.0), Some(600.0)), [(Severity::Warning, idle.to_owned())], "one line for one transaction");
}

#[test]
fn of_several_standbys_and_of_a_cascade_each_is_judged_by_who_feeds_it() {
    let row = |name: &str, slot: Option<&str>, lag| Standby {
        name: name.into(),
        slot: slot.map(str::to_owned),
        replay_lag: lag,
        ..Standby::default()
    };
    let fed = |name: &str, slot: Option<&str>| {
        let mut of = standby(Some("0/5000"), "0/5000");
        let receiver = of.receiver.as_mut().unwrap();
        (receiver.name, receiver.slot) = (Some(name.into()), slot.map(str::to_owned));
        of
    };
    let mut a = primary("0/6000");
    a.standbys = vec![row("b", None, Some(2.0)), row("walreceiver", Some("s"), Some(90.0))];
    let mut b = fed("b", None);
    b.standbys = vec![row("d", None, Some(5.0))];
    let node = |name: &str, said| Node { name: name.into(), said: Some(said), ..Node::default() };
    let nodes = vec![node("a", a), node("b", b), node("c", fed("walreceiver", Some("s"))), node("d", fed("d", None))];
    let mut all = DatabaseAnswer { nodes, last_primary: None };
    let seconds = |all: &DatabaseAnswer, n: usize| all.lag(all.nodes[n].said.as_ref().unwrap()).unwrap().seconds;
    let feeder = |all: &DatabaseAnswer, n: usize| all.feeder(all.nodes[n].said.as_ref().unwrap()).map(|(node, ..)| node.name.clone());
    assert_eq!([1, 2, 3].map(|n| feeder(&all, n)), [Some("a".into()), Some("a".into()), Some("b".into())]);
    assert_eq!([1, 2, 3].map(|n| seconds(&all, n)), [Some(2.0), Some(90.0), Some(7.0)], "over both nodes of the cascade");
    assert!(all.lag(all.nodes[3].said.as_ref().unwrap()).unwrap().bytes == 0x1000, "bytes are measured by the primary");
    // Two that stream by the same name without a slot cannot be told apart.
    all.nodes[0].said.as_mut().unwrap().standbys[1] = row("b", None, Some(90.0));
    assert_eq!((feeder(&all, 1), seconds(&all, 1), seconds(&all, 3)), (None, None, None));
    // A ring ends.
    let mut ring = fed("r", None);
    ring.standbys = vec![row("r", None, Some(1.0))];
    let rings = DatabaseAnswer { nodes: vec![node("a", primary("0/1")), node("r", ring)], last_primary: None };
    assert_eq!(seconds(&rings, 1), None);
}

#[test]
fn without_a_primary_a_bound_is_told_and_only_where_one_is_known() {
    let mut all = answer(standby(None, "0/3000"), standby(None, "0/5000"));
    let told = |all: &DatabaseAnswer| troubles(&database(), all).remove(0).what;
    assert_eq!(told(&all), "no node takes writes: all of them are standbys");
    let last = |timeline| LastPrimary {
        name: "c".into(),
        system: Some("7".into()),
        timeline: Some(timeline),
        written: Lsn(0x5000),
        at: at(100),
        rate: Some(100.0),
        gone: at(110),
    };
    all.last_primary = Some(last(1));
    assert_eq!(
        told(&all),
        "no node takes writes: all of them are standbys; c was last seen to write at 0/5000, 1970-01-01T00:01:40Z; \
         a may lack 8KiB and what was written in the 10s after the last look, about 8.98KiB at its fastest; \
         b may lack what was written in the 10s after the last look, about 1000B at its fastest"
    );
    all.last_primary = Some(last(2));
    assert_eq!(all.bound(all.nodes[1].said.as_ref().unwrap()), None, "the same place on another timeline is another log");
}

#[test]
fn an_archiver_fails_while_its_newest_try_did() {
    let archiver = |failed, archived: Option<i64>| Archiver {
        last_failed_at: Some(at(failed)),
        last_archived_at: archived.map(at),
        ..Archiver::default()
    };
    assert!(archiver(5, None).is_failing() && archiver(5, Some(4)).is_failing());
    assert!(!archiver(5, Some(6)).is_failing() && !Archiver::default().is_failing());
}
