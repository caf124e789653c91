//! What is done to a practice PostgreSQL while it runs: entries are written to the primary, and the standby replays what
//! it receives or is held back.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tokio_postgres::{Client, Config, NoTls};

use super::super::serve::Duty;
use super::{LabError, PORT, READY, Settings};

/// Between two entries, and between two looks at whether the replay is to be held back.
const PACE: Duration = Duration::from_millis(100);
/// Between two tries to reach a server that does not answer.
const AGAIN: Duration = Duration::from_millis(30);
/// How long a statement may take: one that hangs is tried again on a new connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// Files of the archive that stay.
const KEPT: usize = 60;

/// What is there before the first entry. `watcher` is whom the estate file asks as.
const BEGIN: &str =
    "CREATE TABLE IF NOT EXISTS entries (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), text text NOT NULL);
    DO $$ BEGIN CREATE ROLE watcher LOGIN IN ROLE pg_monitor; EXCEPTION WHEN duplicate_object THEN NULL; END $$";
const SLOT: &str = "SELECT pg_create_physical_replication_slot('south', true) WHERE NOT EXISTS \
    (SELECT FROM pg_replication_slots WHERE slot_name = 'south')";
/// One entry, and the end of an old one: the table stays small.
const ENTRY: &str = "INSERT INTO entries (text) SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 60);
    DELETE FROM entries WHERE id < (SELECT max(id) - 2000 FROM entries)";

/// Works as long as the server runs. What fails is tried again: a server that is down is practice, too.
pub async fn work(duty: &Duty, settings: &Settings) -> Result<(), LabError> {
    loop {
        let tried = match settings.follows {
            None => write(settings).await,
            Some(_) => hold_back(duty, settings).await,
        };
        // Both end only with their connection.
        let _ = tried;
        tokio::time::sleep(AGAIN).await;
    }
}

async fn connect(home: &Path, database: &str) -> Result<Client, tokio_postgres::Error> {
    let mut config = Config::new();
    config.host_path(home).port(PORT).user("postgres").dbname(database).application_name("practice").connect_timeout(PATIENCE);
    config.options(format!("-c statement_timeout={}", PATIENCE.as_millis()));
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn write(settings: &Settings) -> Result<(), tokio_postgres::Error> {
    let home = settings.home();
    let ready = home.join(READY);
    if !ready.exists() {
        let client = connect(&home, "postgres").await?;
        let there = client.simple_query("SELECT FROM pg_database WHERE datname = 'ledger'").await?;
        if there.iter().filter(|message| matches!(message, tokio_postgres::SimpleQueryMessage::Row(_))).count() == 0 {
            client.batch_execute("CREATE DATABASE ledger").await?;
        }
        client.batch_execute(SLOT).await?;
    }
    let client = connect(&home, "ledger").await?;
    if !ready.exists() {
        client.batch_execute(BEGIN).await?;
        // The standby is copied from here on.
        let _ = fs::write(&ready, "");
    }
    for n in 0_u64.. {
        client.batch_execute(ENTRY).await?;
        if n % 100 == 0 {
            trim(&settings.base.join("archive"));
        }
        tokio::time::sleep(PACE).await;
    }
    Ok(())
}

/// Holds the replay back, or lets it go, where the settings say something else than before: what a person does with SQL
/// meanwhile stays.
async fn hold_back(duty: &Duty, settings: &Settings) -> Result<(), tokio_postgres::Error> {
    let client = connect(&settings.home(), "postgres").await?;
    let _ = fs::write(settings.home().join(READY), "");
    let mut before = false;
    loop {
        let paused = Settings::read(&duty.home).map_or(before, |settings| settings.paused);
        if paused != before {
            client.batch_execute(if paused { "SELECT pg_wal_replay_pause()" } else { "SELECT pg_wal_replay_resume()" }).await?;
            before = paused;
        }
        client.simple_query("").await?;
        tokio::time::sleep(PACE).await;
    }
}

/// Removes the oldest files of the archive. Their names sort by time.
fn trim(archive: &Path) {
    let Ok(entries) = fs::read_dir(archive) else { return };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let beyond = files.len().saturating_sub(KEPT);
    for file in files.into_iter().take(beyond) {
        let _ = fs::remove_file(file);
    }
}
