//! PostgreSQL's own archiver as it is: what it took, that it fails, what a `pg_receivewal` has, and what the log is worth
//! over a base.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use quarterdeck::model::backup::{ArchiverSaid, BackupState, Exposure, PointKind, views};
use quarterdeck::model::estate::Estate;
use quarterdeck::model::finding::findings;
use quarterdeck::model::metric::Demand;
use quarterdeck::model::reading::{FailureKind, Reading};
use quarterdeck::model::source::Answer;
use quarterdeck::watch;
use tempfile::tempdir;

use crate::estate::estate;
use crate::postgres::{Pair, have_postgres};
use crate::servers::until;

async fn once(estate: &Arc<Estate>) -> Vec<Reading<Answer>> {
    watch::once(estate, Demand::default(), &watch::no_past()).await
}

fn said(reading: &Reading<Answer>) -> ArchiverSaid {
    match &reading.held.as_ref().unwrap_or_else(|| panic!("{reading:?}")).value {
        Answer::Backup(answer) => answer.archiver.clone().unwrap(),
        other => panic!("{other:?}"),
    }
}

fn names(estate: &Estate, readings: &[Reading<Answer>]) -> Vec<String> {
    let found = findings(estate, readings, &[], Timestamp::now());
    found.iter().map(|alert| alert.labels.get("alertname").unwrap_or_default().to_owned()).collect()
}

fn of(states: &[BackupState], source: usize) -> &BackupState {
    states.iter().find(|state| state.source == source).unwrap()
}

/// A child of this test, ended with it.
struct Reader(Child);

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_worth_what_is_archived_of_it_and_a_failing_archiver_is_found() {
    let test = "the_log_is_worth_what_is_archived_of_it_and_a_failing_archiver_is_found";
    if !have_postgres(test) {
        return;
    }
    let pair = Pair::start();
    let folder = tempdir().unwrap();
    let base = Timestamp::now() - SignedDuration::from_hours(1);
    let point = format!(r#"{{ "version": 1, "points": [{{ "id": "b", "kind": "full", "restores_to": "{base}", "job_ok": true }}] }}"#);
    fs::write(folder.path().join("base.json"), point).unwrap();
    let archiver = |name: &str, user: &str, more: &str| {
        format!("[[backup]]\nname = \"{name}\"\nkind = \"archiver\"\n{}\nservice = \"db\"\nsite = \"ams3\"\n{more}\n", pair.nodes(user))
    };
    let estate = estate(
        folder.path(),
        &format!(
            "[[site]]\nname = \"fra1\"\nrole = \"primary\"\n[[site]]\nname = \"ams3\"\nrole = \"standby\"\n[[service]]\nname = \"db\"\n\
             [[backup]]\nname = \"base\"\nkind = \"command\"\ncommand = [\"cat\", {:?}]\nservice = \"db\"\nsite = \"fra1\"\n\
             {}{}{}[[objective]]\nservice = \"db\"\nrpo = \"5m\"\n",
            folder.path().join("base.json"),
            archiver("log", "qd", "base = \"base\"\nslot = \"keeper\""),
            archiver("hidden", "plain", "base = \"base\""),
            archiver("locked", "locked", "base = \"base\"")
        ),
    );
    let (log, hidden, locked) = (1, 2, 3);

    pair.a.insert();
    let switched = Timestamp::now();
    let file = pair.a.sql("select pg_walfile_name(pg_switch_wal())");
    until("the file is archived", || (pair.a.sql("select last_archived_wal from pg_stat_archiver") == file).then_some(()));
    pair.a.insert();
    let readings = once(&estate).await;
    let told = said(&readings[log]);
    assert_eq!((told.last_archived.as_deref(), told.mode.as_str(), told.is_failing()), (Some(file.as_str()), "on", false), "{told:?}");
    assert_eq!((told.waiting, told.timeout, told.idle), (Some(0), None, false), "{told:?}");
    let until_then = told.until().unwrap();
    // Stated loss is never less than measured: nothing after the switch is in that file. Its time is in whole seconds.
    assert!(until_then <= switched + SignedDuration::from_secs(2), "{until_then} {switched}");
    let states = views(&estate, &readings, Timestamp::now());
    let state = of(&states, log);
    assert_eq!(state.newest.as_ref().map(|p| (p.kind, p.restores_to)), Some((PointKind::Wal, until_then)), "{state:?}");
    assert_eq!(state.loss.data, Exposure::Since(until_then), "the log helps its service");
    assert_eq!(
        state.loss.sites.iter().find(|(site, _)| site == "ams3").unwrap().1,
        Exposure::Since(base),
        "without the log the base is left"
    );
    assert_eq!(
        state.loss.sites.iter().find(|(site, _)| site == "fra1").unwrap().1,
        Exposure::Everything,
        "a log without its base is nothing"
    );
    assert!(names(&estate, &readings).contains(&"slot is gone".to_owned()), "{:?}", names(&estate, &readings));
    // A user who may not see the files is told, and what it may see is taken.
    let notes = match &readings[hidden].held.as_ref().unwrap().value {
        Answer::Backup(answer) => answer.notes.join("; "),
        other => panic!("{other:?}"),
    };
    assert!(notes.contains("pg_monitor") && said(&readings[hidden]).waiting.is_none(), "{notes}");
    assert_eq!(readings[locked].failure.as_ref().unwrap().kind, FailureKind::Refused, "{:?}", readings[locked]);

    pair.a.sql("alter system set archive_command = 'false'");
    pair.a.reload();
    pair.a.insert();
    let next = pair.a.sql("select pg_walfile_name(pg_switch_wal())");
    until("a try fails", || (pair.a.sql("select failed_count > 0 from pg_stat_archiver") == "t").then_some(()));
    pair.a.insert();
    let readings = once(&estate).await;
    let told = said(&readings[log]);
    assert!(told.is_failing() && told.failed > 0 && told.last_failed.as_deref() == Some(next.as_str()), "{told:?}");
    // Ages are asked, which are told anew each time.
    let drift = told.until().unwrap().duration_since(until_then).abs();
    assert!(told.waiting == Some(1) && drift < SignedDuration::from_millis(500), "what waits is not archived: {told:?}");
    assert!(names(&estate, &readings).contains(&"archiver failing".to_owned()), "{:?}", names(&estate, &readings));

    // A reader of the slot has what the archiver has not.
    pair.a.sql("select pg_create_physical_replication_slot('keeper', true)");
    assert!(names(&estate, &once(&estate).await).contains(&"slot is not read".to_owned()));
    let kept = tempdir().unwrap();
    let port = pair.a.port.to_string();
    let reader = Command::new("/usr/lib/postgresql/15/bin/pg_receivewal")
        .args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-S", "keeper", "--synchronous", "-D"])
        .arg(kept.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _reader = Reader(reader);
    let flushed = "select count(*) from pg_stat_replication where application_name = 'pg_receivewal' and flush_lsn = pg_current_wal_lsn()";
    until("all is flushed", || (pair.a.sql(flushed) == "1").then_some(()));
    let readings = once(&estate).await;
    let slot = said(&readings[log]).slot.unwrap();
    assert_eq!((slot.there, slot.active, slot.reader.as_deref()), (true, true, Some("pg_receivewal")), "{slot:?}");
    assert!(slot.until.unwrap() > until_then, "{slot:?}");

    // Archiving that is off is said; so is that no node is primary.
    pair.a.configure("archive_mode = off\n");
    pair.a.stop("fast");
    let readings = once(&estate).await;
    let failure = readings[log].failure.as_ref().unwrap();
    assert!(failure.what.starts_with("no node is primary, 1 in recovery"), "{failure:?}");
    pair.a.start();
    let readings = once(&estate).await;
    assert_eq!(said(&readings[log]).mode, "off");
}
