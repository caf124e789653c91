//! Deployments by a query of a real PostgreSQL: every type a column may have, and every query that must not run.

use std::sync::Arc;

use jiff::SignedDuration;
use quarterdeck::model::deployment::{Deployment, Ending, Trigger};
use quarterdeck::model::metric::Demand;
use quarterdeck::model::reading::{FailureKind, Reading};
use quarterdeck::model::source::{Answer, HistoryAnswer};
use quarterdeck::watch;
use tempfile::tempdir;

use crate::estate::estate;
use crate::postgres::{Pair, have_postgres};

const TABLE: &str = "create table d(id text, app text, release jsonb, who varchar, at timestamptz, until timestamp, took interval, \
    ok boolean, sha text, links text[], why text, epoch bigint, written text, planned boolean, n numeric); \
    insert into d values \
    ('D-2', 'web', '{\"tag\": \"2.0\"}', E'jl\\x1b[31m', '2026-11-12 14:04:00.5+01', '2026-11-12 13:05:00', '2 minutes', true, '9c1f', \
     array['https://ci/1', 'https://ci/2'], 'faster', 1794488640, '2026-11-12T13:04:00Z', false, 90.5), \
    ('D-1', 'web', '{\"tag\": \"1.0\"}', null, '2026-11-11 14:04:00+01', null, null, false, null, null, null, 1794402240, \
     '2026-11-11T13:04:00Z', null, null), \
    ('D-0', 'web', null, 'x', null, null, null, null, null, null, null, null, null, null, null)";

async fn read(pair: &Pair, user: &str, query: &str, more: &str) -> Reading<Answer> {
    let folder = tempdir().unwrap();
    let text = format!(
        "[[history]]\nname = \"table\"\nkind = \"sql\"\nconninfo = \"{}\"\nquery = '''{query}'''\ntimeout = \"2s\"\n{more}\n",
        pair.a.node(user)
    );
    let estate = estate(folder.path(), &text);
    watch::once(&estate, Demand::default(), &watch::no_past()).await.remove(0)
}

fn answer(reading: &Reading<Answer>) -> Arc<HistoryAnswer> {
    match &reading.held.as_ref().unwrap_or_else(|| panic!("{reading:?}")).value {
        Answer::History(answer) => answer.clone(),
        other => panic!("{other:?}"),
    }
}

fn why(reading: &Reading<Answer>) -> String {
    let failure = reading.failure.as_ref().unwrap_or_else(|| panic!("{reading:?}"));
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure:?}");
    failure.what.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_tells_of_deployments_and_changes_nothing() {
    if !have_postgres("a_query_tells_of_deployments_and_changes_nothing") {
        return;
    }
    let pair = Pair::start();
    pair.a.sql(TABLE);
    pair.a.sql("grant all on d to plain");
    let fields = "fields = { service = \"app\", version = \"release.tag\", time = \"at\", finished = \"until\", result = \"ok\", \
                  commit = \"sha\", reason = \"why\" }";
    let told = answer(&read(&pair, "plain", "select *, 'ci' as source from d -- all of them", fields).await);
    assert_eq!((told.deployments.len(), told.broken), (2, 1));
    assert_eq!(told.notes, ["1 of 3 rows tell of no deployment", "row 3 has no time"]);
    let expected = Deployment {
        id: Some("D-2".into()),
        to: Some("2.0".into()),
        who: Some("jl[31m".into()),
        took: Some(SignedDuration::from_secs(120)),
        trigger: Some(Trigger::Pipeline),
        result: Some(Ending::Succeeded),
        commit: Some("9c1f".into()),
        reason: Some("faster".into()),
        links: vec!["https://ci/1".into(), "https://ci/2".into()],
        ..Deployment::new("web", "2026-11-12T13:04:00.5Z".parse().unwrap(), quarterdeck::model::deployment::Dated::Record, "table")
    };
    assert_eq!(*told.deployments[0], expected);
    assert_eq!((told.deployments[1].result, told.deployments[1].took), (Some(Ending::Failed), None));

    // Seconds, a text, a timestamp without a zone, a number as a length; a name twice; a statement with an end.
    for (query, at) in [
        ("select app as service, epoch as time, n as took from d where id = 'D-2'", "2026-11-12T13:04:00Z"),
        ("select app as service, written as time, n as took, 1 as x, 2 as x from d where id = 'D-2';", "2026-11-12T13:04:00Z"),
        ("select 'web' as service, until as time, n as took from d where id = 'D-2'", "2026-11-12T13:05:00Z"),
        (
            "with a as (select * from d) select 'web' as service, at::date as time, n as took from a where id = 'D-2'",
            "2026-11-12T00:00:00Z",
        ),
    ] {
        let told = answer(&read(&pair, "plain", query, "").await);
        assert_eq!(told.deployments[0].at.to_string(), at, "{query}");
        assert_eq!(told.deployments[0].took, Some(SignedDuration::from_millis(90_500)), "{query}");
    }

    pair.a.sql("create function write() returns timestamptz language sql as 'delete from d; select now()'");
    pair.a.sql("alter function write() owner to plain");
    for (query, said) in [
        ("delete from d", "nothing was run"),
        ("delete from d returning *, at as time", "is no SELECT; it was refused"),
        ("with gone as (delete from d returning *) select 'web' as service, at as time from gone", "is no SELECT; it was refused"),
        ("select 'web' as service, write() as time", "the query writes; it was refused, and nothing was changed"),
        ("select now() as time; delete from d", "multiple commands"),
        ("select now() as time) as x; delete from d; --", "syntax error"),
        ("commit", "nothing was run"),
        ("copy d to '/tmp/qd-never'", "nothing was run"),
        ("select now() as time where $1", "holds a parameter"),
        ("select now() as at, 1 as b", "has no column `time` for the time; it has at, b"),
        ("select pg_sleep(60)::text as time", "the server ended the query after 2s"),
        ("select * from nowhere", "nowhere"),
    ] {
        let told = why(&read(&pair, "plain", query, "").await);
        assert!(told.contains(said), "{query}: {told}");
    }
    assert_eq!(pair.a.sql("select count(*) from d"), "3");

    // More than are read: the newest are.
    let many = "select 'web' as service, n as version, timestamptz '2026-01-01' + n * interval '1 second' as time from generate_series(1, 30000) as n";
    let told = answer(&read(&pair, "plain", many, "").await);
    assert_eq!((told.deployments.len(), told.deployments[0].to.as_deref()), (5_000, Some("30000")));
    assert_eq!(told.notes, ["there are more rows: the newest 20000 were read"]);
    let large = "select 'web' as service, now() as time, repeat('x', 60000) as reason from generate_series(1, 20000)";
    let told = answer(&read(&pair, "plain", large, "").await);
    assert!(told.deployments.len() < 300 && told.notes[0].ends_with("as they are large"), "{:?}", told.notes);
    // The password is where libpq looks for it, or it is a refusal.
    let locked = read(&pair, "locked", "select 'web' as service, now() as time", "").await;
    assert_eq!(locked.failure.as_ref().map(|failure| failure.kind), Some(FailureKind::Refused), "{locked:?}");
    // On a standby, which has no transactions of its own, it reads too.
    assert_eq!(pair.a.sql("select count(*) from pg_stat_activity where application_name = 'quarterdeck' and state like 'idle in%'"), "0");
}
