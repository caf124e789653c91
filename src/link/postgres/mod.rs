//! A connection to a PostgreSQL that only reads: every transaction of it is read-only, every statement has a time limit,
//! and an answer has an end.

mod files;
pub mod select;
mod tls;

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode as Wanted;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, SimpleQueryMessage};

use super::http::LinkError;
use super::http::explain::{refused, unreachable};
use crate::config::conninfo::{Conninfo, SslMode};
use crate::config::http_config::Secret;

/// Rows of one answer.
const ROWS: usize = 10_000;
/// Bytes of one answer.
const BYTES: usize = 4 << 20;
/// What the server's own lists call this program.
const APPLICATION: &str = "quarterdeck";

/// One row: each column as text, `None` for NULL. Not cleaned.
pub type Row = Vec<Option<String>>;

/// One server, not yet connected.
#[derive(Debug, Clone)]
pub struct Node {
    info: Conninfo,
    deadline: Duration,
}

/// A connection. It ends when this is dropped.
#[derive(Debug)]
pub struct Session {
    client: Client,
    /// The server for messages.
    at: String,
    deadline: Duration,
    pump: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

/// The password that a connection to that server (in libpq's words) would prove itself with; `None` where none is found.
/// It blocks while it reads libpq's files.
pub fn password_of(conninfo: &str) -> Option<Secret> {
    files::resolve(Conninfo::parse(conninfo).ok()?).ok()?.password
}

impl Node {
    /// For a connection as libpq would be told of it; `deadline` is for connecting and for each statement. Reads no file.
    pub fn new(conninfo: &str, deadline: Duration) -> Result<Node, LinkError> {
        let info = Conninfo::parse(conninfo).map_err(|error| unreachable(error.to_string()))?;
        Ok(Node { info, deadline })
    }

    /// Connects.
    pub async fn open(&self) -> Result<Session, LinkError> {
        let at = self.info.name();
        match tokio::time::timeout(self.deadline, self.connect()).await {
            Ok(session) => session,
            Err(_) => Err(unreachable(format!("{at}: no connection within {:?}", self.deadline))),
        }
    }

    async fn connect(&self) -> Result<Session, LinkError> {
        let info = self.info.clone();
        // The files may lie on a file server that hangs.
        let files = tokio::task::spawn_blocking(move || files::resolve(info)).await;
        let whole = files.map_err(|error| unreachable(error.to_string()))??;
        let at = whole.info.name();
        let mut config = Config::new();
        config.host(&whole.host).port(whole.port).user(&whole.user).dbname(&whole.dbname);
        config.application_name(APPLICATION).connect_timeout(self.deadline);
        // The server itself ends what takes too long, and refuses what would write.
        let limit = self.deadline.as_millis().max(1);
        config.options(format!(
            "-c default_transaction_read_only=on -c statement_timeout={limit} -c lock_timeout={limit} \
             -c idle_in_transaction_session_timeout={limit}"
        ));
        if let Some(password) = &whole.password {
            config.password(password.reveal());
        }
        config.ssl_mode(match whole.mode {
            SslMode::Disable => Wanted::Disable,
            SslMode::Prefer => Wanted::Prefer,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => Wanted::Require,
        });
        let info = whole.info.clone();
        // Roots, certificate and key are files too.
        let tls = tokio::task::spawn_blocking(move || tls::Connector::new(whole.mode, &info)).await;
        let tls = tls.map_err(|error| unreachable(error.to_string()))?.map_err(|told| refused(format!("{at}: {told}")))?;
        let (client, connection) = config.connect(tls).await.map_err(|error| failed(&at, &error, &whole.searched))?;
        let pump = tokio::spawn(async move {
            // Its end is told by the statement that it ends.
            let _ = connection.await;
        });
        Ok(Session { client, at, deadline: self.deadline, pump })
    }
}

impl Session {
    /// The rows that a statement gives. More than ten thousand rows, or four megabytes, are refused.
    pub async fn rows(&self, statement: &str) -> Result<Vec<Row>, LinkError> {
        match tokio::time::timeout(self.deadline, self.read(statement)).await {
            Ok(rows) => rows,
            Err(_) => Err(unreachable(format!("{}: no answer within {:?}", self.at, self.deadline))),
        }
    }

    async fn read(&self, statement: &str) -> Result<Vec<Row>, LinkError> {
        let stream = self.client.simple_query_raw(statement).await.map_err(|error| failed(&self.at, &error, ""))?;
        let mut stream = pin!(stream);
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while let Some(message) = stream.next().await {
            let SimpleQueryMessage::Row(row) = message.map_err(|error| failed(&self.at, &error, ""))? else { continue };
            let row: Row = (0..row.len()).map(|column| row.try_get(column).ok().flatten().map(str::to_owned)).collect();
            bytes += row.iter().flatten().map(String::len).sum::<usize>();
            if rows.len() == ROWS || bytes > BYTES {
                return Err(unreachable(format!("{}: the answer is larger than {ROWS} rows or {} MiB", self.at, BYTES >> 20)));
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

/// What went wrong, in the server's own words where it has some. `searched`: where a password was looked for.
fn failed(at: &str, error: &tokio_postgres::Error, searched: &str) -> LinkError {
    if let Some(said) = error.as_db_error() {
        let (code, text) = (said.code(), said.message());
        let told = format!("{at}: {}: {text} ({})", said.severity(), code.code());
        let is_credentials = code.code().starts_with("28") || *code == SqlState::INSUFFICIENT_PRIVILEGE;
        let hint = match *code {
            SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION if !searched.is_empty() => format!("; {searched}"),
            _ => String::new(),
        };
        return if is_credentials { refused(told + &hint) } else { unreachable(told) };
    }
    let mut told = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_told = cause.to_string();
        if !told.contains(&cause_told) {
            told = format!("{told}: {cause_told}");
        }
        source = cause.source();
    }
    // The one thing that this library says of credentials by itself.
    if told.contains("password missing") {
        return refused(format!("{at}: it wants a password, and there is none; {searched}"));
    }
    unreachable(format!("{at}: {told}"))
}
