//! Sources that help each other: the log's time comes from who archives it, each repository lies where the estate says,
//! and a schedule that cannot keep its promise is told from the file alone.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::super::{Advice, Archive, ArchiverSaid, Backup, BackupAnswer, BackupOf, BackupState, Checked, CopyAt, Evidence, Exposure};
use super::super::{Failed, Gate, LogChecked, Objective, Part, Period, PointKind, Proof, RecoveryPoint, Tier, advice};
use super::views;
use crate::model::database::{Archiver, DatabaseAnswer, Node, Said};
use crate::model::estate::{Estate, Service, Source, SourceKind};
use crate::model::label::Labels;
use crate::model::reading::{Outcome, Reading};
use crate::model::source::Answer;

fn now() -> Timestamp {
    "2026-11-12T14:32:07Z".parse().unwrap()
}

fn mins(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

fn file(n: u32) -> String {
    format!("0000000100000000{n:08X}")
}

fn source(name: &str, of: Backup) -> Source {
    Source {
        name: name.into(),
        every: mins(1),
        timeout: mins(1),
        http_config: None,
        service: Some("db".into()),
        site: Some("fra1".into()),
        kind: SourceKind::Backup(of),
    }
}

fn pgbackrest() -> Backup {
    Backup::new(BackupOf::PgBackRest { program: vec!["pgbackrest".into()], stanza: "main".into(), config: None, host: None })
}

fn archiver(base: Option<&str>) -> Backup {
    Backup::new(BackupOf::Archiver { nodes: vec![], slot: None, base: base.map(str::to_owned) })
}

/// A full backup in a repository, which needs the log from that file on.
fn base(ago: i64, repo: u32, from: u32) -> Arc<RecoveryPoint> {
    Arc::new(RecoveryPoint {
        id: format!("{repo}-{ago}"),
        restores_to: now() - mins(ago),
        finished: Some(now() - mins(ago - 1)),
        usable_from: None,
        kind: PointKind::Full,
        needs: vec![],
        size: None,
        evidence: Evidence { job: true, ..Evidence::default() },
        broken: None,
        hold: None,
        checked: None,
        part: Part { repo: Some(repo), wal_from: Some(file(from)), of: None },
    })
}

fn archive(repo: u32, min: u32, max: u32) -> Archive {
    Archive { repo: Some(repo), min: file(min), max: file(max), checked: None }
}

fn told(newest: u32, files: &[(u32, i64)]) -> Answer {
    let archiver = ArchiverSaid {
        node: "db1:5432".into(),
        at: now(),
        mode: "on".into(),
        archived: 9,
        last_archived: Some(file(newest)),
        last_archived_at: Some(now() - mins(1)),
        failed: 0,
        last_failed: None,
        last_failed_at: None,
        waiting: Some(0),
        timeout: Some(mins(5)),
        files: files.iter().map(|(n, ago)| (file(*n), now() - mins(*ago))).collect(),
        idle: false,
        slot: None,
    };
    Answer::Backup(Arc::new(BackupAnswer { archiver: Some(archiver), ..BackupAnswer::default() }))
}

fn backups(points: Vec<Arc<RecoveryPoint>>, archives: Vec<Archive>) -> Answer {
    Answer::Backup(Arc::new(BackupAnswer { total: points.len(), points, archives, ..BackupAnswer::default() }))
}

fn estate(sources: Vec<Source>) -> Estate {
    let service = Service {
        name: "db".into(),
        sites: vec!["fra1".into(), "ams3".into()],
        depends_on: vec![],
        labels: Labels::default(),
        runbook: None,
        start: None,
        stop: None,
        restart: None,
        health: None,
        rollback: Default::default(),
        logs: None,
        hosts: vec![],
    };
    Estate {
        services: vec![service],
        objectives: vec![Objective { service: "db".into(), rpo: Some(mins(60)), rto: None }],
        ..crate::model::estate::tests::bare(sources)
    }
}

fn read(answers: Vec<Answer>) -> Vec<Reading<Answer>> {
    let one = |value| {
        let mut reading = Reading::never(mins(1));
        reading.take(Outcome::Value { value, as_of: now() }, None);
        reading
    };
    answers.into_iter().map(one).collect()
}

fn since(ago: i64) -> Exposure {
    Exposure::Since(now() - mins(ago))
}

#[test]
fn the_log_of_each_repository_counts_up_to_the_time_that_the_archiver_tells_of_its_newest_file() {
    let mut of = pgbackrest();
    let copy = |repo, site: &str, account: &str| CopyAt { repo, site: Some(site.into()), account: Some(account.into()) };
    of.copies = vec![copy(1, "fra1", "own"), copy(2, "ams3", "vault")];
    of.schedule = Some(mins(24 * 60));
    let estate = estate(vec![source("pg", of), source("log", archiver(None))]);
    let points = vec![base(300, 1, 4), base(900, 2, 2)];
    let readings = read(vec![backups(points.clone(), vec![archive(1, 1, 9), archive(2, 1, 8)]), told(9, &[(10, 0), (9, 2), (8, 12)])]);
    let states = views(&estate, &readings, now());
    let pg = &states[0];
    let copies: Vec<(Option<u32>, Exposure)> = pg.copies.iter().map(|copy| (copy.repo, copy.exposure.clone())).collect();
    assert_eq!(copies, [(Some(1), since(2)), (Some(2), since(12))], "the second repository is a file behind");
    assert_eq!((pg.exposure.clone(), pg.loss.data.clone()), (since(2), since(2)));
    assert_eq!(pg.loss.sites, [("fra1".to_owned(), since(12)), ("ams3".to_owned(), since(2))]);
    assert_eq!(pg.loss.accounts, [("own".to_owned(), since(12)), ("vault".to_owned(), since(2))]);
    assert_eq!(pg.loss.copy, Some(("pg repo 1".to_owned(), since(12))));
    assert_eq!(pg.newest.as_ref().map(|p| (p.kind, p.needs.join(" "))), Some((PointKind::Wal, "1-300".into())));
    // A backup a day is no breach where the log is archived every five minutes.
    assert_eq!((pg.worst.map(|w| (w.log, w.total())), pg.cannot_comply()), (Some((true, mins(5))), false));
    assert_eq!(pg.wal[0].by, "the archiver log");
    assert_eq!((states[1].exposure.clone(), states[1].loss.data.clone()), (since(2), since(2)), "and the archiver shows the same");

    // A base whose log begins before the archive does is none for it; and one of another repository is none either.
    let readings = read(vec![backups(points.clone(), vec![archive(1, 5, 9)]), told(9, &[(9, 2)])]);
    assert_eq!(views(&estate, &readings, now())[0].exposure, since(300), "the newest backup itself is left");
    let mut broken = points;
    Arc::make_mut(&mut broken[0]).broken = Some("checksum".into());
    let readings = read(vec![backups(broken, vec![archive(1, 1, 9)]), told(9, &[(9, 2)])]);
    assert_eq!(views(&estate, &readings, now())[0].exposure, since(900), "a log without a base is nothing");
}

#[test]
fn a_log_is_proved_by_its_own_verification_and_never_better_than_its_base() {
    let estate = estate(vec![source("pg", pgbackrest()), source("log", archiver(None))]);
    let well = || Checked { checksum: Some(now() - mins(1)), ..Checked::default() };
    let bad = || Failed { at: now() - mins(1), what: "3 of 4".into(), depth: Proof::V2 };
    let of = |of_base: Option<Checked>, of_log: Option<(u32, Checked)>, job: bool| {
        let mut point = (*base(300, 1, 4)).clone();
        (point.checked, point.evidence.job) = (of_base.map(Arc::new), job);
        let mut log = archive(1, 1, 9);
        log.checked = of_log.map(|(n, of)| Arc::new(LogChecked { file: file(n), of }));
        // Nothing was written since: the log reaches to this moment, which is after its verification.
        let mut said = told(9, &[]);
        if let Answer::Backup(answer) = &mut said {
            Arc::make_mut(answer).archiver.as_mut().unwrap().idle = true;
        }
        let states = views(&estate, &read(vec![backups(vec![Arc::new(point)], vec![log]), said]), now());
        states[0].newest.as_ref().map(|p| (p.kind, p.proof()))
    };
    let log = |proof| Some((PointKind::Wal, proof));
    assert_eq!(of(Some(well()), Some((9, well())), true), log(Proof::V2), "the stanza with all of its log");
    let read = Checked { read: well().checksum, ..well() };
    assert_eq!(of(Some(read), Some((9, well())), true), log(Proof::V2), "a log is as good as what was seen of it");
    assert_eq!(of(Some(well()), Some((8, well())), true), log(Proof::V1), "its newest file came later");
    assert_eq!(of(Some(well()), None, true), log(Proof::V1));
    assert_eq!(of(None, Some((9, well())), true), log(Proof::V1), "of its base nothing was seen");
    assert_eq!(of(None, Some((9, well())), false), log(Proof::V0), "nobody says that its base went well");
    let broken = || Checked { failed: Some(bad()), ..well() };
    assert_eq!(of(Some(broken()), Some((9, well())), true), None, "without its base it is nothing");
    assert_eq!(of(Some(well()), Some((5, broken())), true), Some((PointKind::Full, Proof::V2)), "the base itself is left");
    assert_eq!(of(Some(well()), Some((3, broken())), true), log(Proof::V1), "what is damaged is older than what the base needs");
}

#[test]
fn a_database_tells_when_the_log_was_archived_and_without_anybody_the_newest_backup_counts() {
    let points = || backups(vec![base(300, 1, 4)], vec![archive(1, 1, 9)]);
    let alone = views(&estate(vec![source("pg", pgbackrest())]), &read(vec![points()]), now());
    assert_eq!(alone[0].exposure, since(300));
    assert!(alone[0].wal[0].until.as_ref().is_err_and(|why| why.contains("no archiver")), "{:?}", alone[0].wal);
    let database = |failed: Option<i64>| {
        let archiver = Archiver {
            archived: 9,
            last_archived: Some(file(9)),
            last_archived_at: Some(now() - mins(3)),
            failed: 0,
            last_failed: None,
            last_failed_at: failed.map(|ago| now() - mins(ago)),
        };
        let node = Node { name: "db1".into(), said: Some(Said { archiver: Some(archiver), ..Said::default() }), ..Node::default() };
        Answer::Database(Arc::new(DatabaseAnswer { nodes: vec![node], ..Default::default() }))
    };
    let kind = SourceKind::Database(crate::model::database::Database {
        nodes: vec![],
        warn: crate::model::database::WARN,
        critical: None,
        slot_limit: 0,
        busy: crate::model::database::BUSY,
    });
    let main = Source { kind, ..source("main", pgbackrest()) };
    let estate = estate(vec![source("pg", pgbackrest()), main]);
    let of = |failed| views(&estate, &read(vec![points(), database(failed)]), now())[0].clone();
    assert_eq!((of(None).exposure, of(None).wal[0].by.as_str()), (since(4), "the database main (the time of archiving)"));
    assert_eq!(of(Some(10)).exposure, since(300), "what waited for a failed archiver is older than its archiving");
}

#[test]
fn an_archiver_over_a_base_is_lost_with_either() {
    let mut directory = source("base", Backup::new(BackupOf::Directory { folder: "/b".into() }));
    directory.site = Some("ams3".into());
    let estate = estate(vec![directory, source("log", archiver(Some("base")))]);
    let mut point = (*base(300, 1, 4)).clone();
    point.part = Part::default();
    let readings = read(vec![backups(vec![Arc::new(point)], vec![]), told(9, &[(9, 2)])]);
    let states = views(&estate, &readings, now());
    assert_eq!((states[1].exposure.clone(), states[1].loss.data.clone()), (since(2), since(2)));
    assert_eq!(states[1].loss.sites, [("fra1".to_owned(), since(300)), ("ams3".to_owned(), Exposure::Everything)]);
    // Without any base a log restores nothing.
    let none = views(&estate, &read(vec![backups(vec![], vec![]), told(9, &[(9, 2)])]), now());
    assert_eq!((none[1].exposure.clone(), none[1].loss.data.clone()), (Exposure::Everything, Exposure::Everything));
}

#[test]
fn copies_that_are_verified_are_counted_over_the_whole_service() {
    let mut one = pgbackrest();
    one.keep.min_copies = Some(2);
    let estate = estate(vec![source("pg", one), source("other", pgbackrest())]);
    let checked = |ago| {
        let mut point = (*base(ago, 1, 4)).clone();
        point.evidence.checksum = Some(now() - mins(1));
        Arc::new(point)
    };
    let gate = |second| {
        views(&estate, &read(vec![backups(vec![checked(300)], vec![]), backups(vec![second], vec![])]), now())[0].prune.copies.clone()
    };
    assert_eq!(gate(base(300, 1, 4)), Gate::Shut("1 of 2 copies verified (V2 or better)".into()));
    assert!(gate(checked(200)).is_open());
}

#[test]
fn neither_what_pruning_would_remove_is_a_copy_that_is_left_nor_is_the_base_of_a_log_removed() {
    let mut one = pgbackrest();
    one.keep.min_copies = Some(1);
    one.retention = vec![Tier { every: Period::Part(mins(60)), keep: mins(300) }];
    let estate = estate(vec![source("pg", one), source("log", archiver(None))]);
    let at = |ago: i64, repo: u32, checked: bool| {
        let mut point = (*base(ago, repo, 4)).clone();
        point.evidence.checksum = checked.then(now);
        Arc::new(point)
    };
    let points = vec![at(100, 1, false), at(190, 1, false), at(700, 1, true), at(800, 2, false)];
    let state = |archives| views(&estate, &read(vec![backups(points.clone(), archives), told(9, &[(9, 2)])]), now())[0].clone();
    let gone = |state: &BackupState| {
        let points = &state.answer.as_ref().unwrap().points;
        state.prune.candidates.iter().map(|candidate| points[candidate.place].id.clone()).collect::<Vec<_>>()
    };
    let without = state(vec![]);
    assert_eq!(gone(&without), ["2-800", "1-700"]);
    assert_eq!(without.prune.copies, Gate::Shut("0 of 1 copies verified (V2 or better)".into()), "the only checked one would go");
    assert_eq!(gone(&state(vec![archive(2, 1, 9)])), ["1-700"], "the second repository's log is built on its base");
}

#[test]
fn a_schedule_that_can_never_meet_its_objective_is_told_with_the_figure() {
    let with = |schedule: i64, takes: Option<i64>, of: BackupOf| {
        source("documents", Backup { schedule: Some(mins(schedule)), takes: takes.map(mins), ..Backup::new(of) })
    };
    let directory = || BackupOf::Directory { folder: "/b".into() };
    let said = |sources: Vec<Source>| advice(&estate(sources)).into_iter().map(|Advice { what, .. }| what).collect::<Vec<_>>();
    assert_eq!(
        said(vec![with(60, Some(15), directory())]),
        ["at worst 1h 15m would be lost (1h between two starts, 15m one takes): this schedule can never meet the objective of 1h"]
    );
    assert_eq!(said(vec![with(45, Some(15), directory())]), [] as [&str; 0]);
    assert!(said(vec![with(60, None, directory())])[0].starts_with("at worst more than 1h would be lost"));
    assert_eq!(said(vec![with(59, None, directory())]), [] as [&str; 0]);
    // What the log bounds, the schedule of its bases does not.
    assert_eq!(said(vec![with(1_440, None, pgbackrest().of)]).len(), 1);
    assert_eq!(said(vec![with(1_440, None, pgbackrest().of), source("log", archiver(None))]), [] as [&str; 0]);
}

#[test]
fn while_a_source_does_not_answer_its_job_is_not_said_to_have_done_nothing() {
    let mut of = pgbackrest();
    of.schedule = Some(mins(60));
    let estate = estate(vec![source("pg", of)]);
    let mut readings = read(vec![backups(vec![base(300, 1, 4)], vec![])]);
    let silent = |readings: &Vec<Reading<Answer>>| {
        let found = crate::model::finding::findings(&estate, readings, &[], now());
        found.iter().find(|a| a.name() == "backup silent").map(|a| a.summary().to_owned()).unwrap()
    };
    assert!(silent(&readings).starts_with("pg: no backup for 5h, one is due every 1h"), "{}", silent(&readings));
    let kind = crate::model::reading::FailureKind::Unreachable;
    readings[0].take(Outcome::Failed { kind, what: "no answer".into(), at: now() }, None);
    let told = silent(&readings);
    assert!(told.starts_with("pg: no backup is known of the last 5h (its source does not answer), one is due every 1h"), "{told}");
}
