//! Somebody's own SELECT, of which nothing is known but that it must not write: one statement, prepared alone, then run
//! within another that takes its newest rows and gives each value as JSON, in a read-only transaction with a time limit.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{Kind, ToSql, Type};
use tokio_postgres::{Column, Statement};

use super::{Row, Session, failed};
use crate::link::http::LinkError;
use crate::link::http::explain::unreachable;

/// Rows that are read, the newest.
pub const NEWEST: usize = 20_000;
/// Bytes of all values.
const ALL: usize = 16 << 20;
/// Bytes of one value; a longer one is not read.
const VALUE: usize = 64 << 10;
/// What the server's own time limit is given beyond the deadline, so that it is the one that tells.
const GRACE: Duration = Duration::from_secs(2);

/// Every value reads the same whoever asks, and nothing can be written.
const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'postgres'";

/// A SELECT and what its columns are for.
#[derive(Debug, Clone, Copy)]
pub struct Select<'q> {
    /// One statement.
    pub query: &'q str,
    /// The column that the newest rows are found by.
    pub order: &'q str,
    /// Columns that are moments: those of a type of time come as seconds since the epoch, one without a zone taken as UTC.
    pub moments: &'q [&'q str],
    /// Columns that are lengths of time: an interval comes as seconds.
    pub lengths: &'q [&'q str],
}

/// What it gave, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// The names of its columns. Not cleaned.
    pub columns: Vec<String>,
    /// Each value as JSON; `None` for NULL and for one that is too long. Not cleaned.
    pub rows: Vec<Row>,
    /// True where there are more rows.
    pub more: bool,
}

impl Session {
    /// The newest rows, at most [`NEWEST`] and 16 MiB.
    ///
    /// # Errors
    /// Where the query is not one SELECT, writes, takes too long, or has no such column to order by.
    pub async fn newest(&self, of: &Select<'_>) -> Result<Selected, LinkError> {
        match tokio::time::timeout(self.deadline + GRACE, self.transaction(of)).await {
            Ok(selected) => selected,
            Err(_) => Err(unreachable(format!("{}: no answer within {:?}", self.at, self.deadline))),
        }
    }

    async fn transaction(&self, of: &Select<'_>) -> Result<Selected, LinkError> {
        self.client.batch_execute(BEGIN).await.map_err(|error| failed(&self.at, &error, ""))?;
        let selected = self.select(of).await;
        if selected.as_ref().is_ok_and(|selected| !selected.more) {
            // Where this fails, or is not reached, the connection ends and the transaction with it.
            let _ = self.client.batch_execute("ROLLBACK").await;
        }
        selected
    }

    async fn select(&self, of: &Select<'_>) -> Result<Selected, LinkError> {
        let at = &self.at;
        // Alone first: what is whole by itself cannot break out of what is put around it. A prepared statement is one.
        let alone = self.client.prepare(of.query).await.map_err(|error| self.unfit(&error))?;
        if !alone.params().is_empty() {
            return Err(unreachable(format!("{at}: the query holds a parameter such as $1, and nothing gives it a value")));
        }
        let statement = around(of, &alone).map_err(|what| unreachable(format!("{at}: {what}")))?;
        let statement = self.client.prepare(&statement).await.map_err(|error| self.no_select(&error))?;
        let none: [&(dyn ToSql + Sync); 0] = [];
        let stream = self.client.query_raw(&statement, none).await.map_err(|error| self.unfit(&error))?;
        let mut stream = pin!(stream);
        let columns: Vec<String> = alone.columns().iter().map(|column| column.name().to_owned()).collect();
        let (mut rows, mut bytes, mut more) = (Vec::new(), 0, false);
        while let Some(row) = stream.next().await {
            let row = row.map_err(|error| self.unfit(&error))?;
            let value = |column| row.try_get::<_, Option<String>>(column).ok().flatten().filter(|value: &String| value.len() <= VALUE);
            let row: Row = (0..columns.len()).map(value).collect();
            bytes += row.iter().flatten().map(String::len).sum::<usize>();
            if rows.len() == NEWEST || bytes > ALL {
                more = true;
                break;
            }
            rows.push(row);
        }
        Ok(Selected { columns, rows, more })
    }

    /// What is wrong with the query, in the server's words and ours.
    fn unfit(&self, error: &tokio_postgres::Error) -> LinkError {
        let told = failed(&self.at, error, "");
        match error.code() {
            Some(code) if *code == SqlState::READ_ONLY_SQL_TRANSACTION => {
                unreachable(format!("{told}: the query writes; it was refused, and nothing was changed"))
            }
            Some(code) if *code == SqlState::QUERY_CANCELED => unreachable(format!(
                "{told}: the server ended the query after {:?}; give it more `timeout`, or ask for less",
                self.deadline
            )),
            Some(code) if *code == SqlState::SYNTAX_ERROR => unreachable(format!("{told}: `query` must be one SELECT; nothing was run")),
            _ => told,
        }
    }

    /// Alone it can be prepared, within a SELECT it cannot: it is something else.
    fn no_select(&self, error: &tokio_postgres::Error) -> LinkError {
        let not = [SqlState::SYNTAX_ERROR, SqlState::FEATURE_NOT_SUPPORTED, SqlState::SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION];
        match error.as_db_error() {
            Some(said) if not.contains(said.code()) => {
                let said = said.message();
                unreachable(format!("{}: the query is no SELECT; it was refused, and nothing was changed ({said})", self.at))
            }
            _ => self.unfit(error),
        }
    }
}

/// The statement around the query: its columns by their places, as a name may stand twice.
fn around(of: &Select<'_>, alone: &Statement) -> Result<String, String> {
    let columns = alone.columns();
    if columns.is_empty() {
        return Err("the query gives no columns: it must be one SELECT; nothing was run".to_owned());
    }
    let order = columns.iter().position(|column| column.name() == of.order).ok_or_else(|| {
        let names: Vec<&str> = columns.iter().take(30).map(Column::name).collect();
        format!(
            "the query has no column `{}` for the time; it has {}; name it so, or say `fields = {{ time = \"...\" }}`",
            of.order,
            names.join(", ")
        )
    })?;
    let names: Vec<String> = (0..columns.len()).map(|n| format!("c{n}")).collect();
    let values: Vec<String> = columns.iter().zip(&names).map(|(column, name)| value(column, name, of)).collect();
    // A line of its own for the bracket: the query may end with a comment.
    let query = of.query.trim_end().trim_end_matches(';');
    Ok(format!(
        "SELECT {} FROM (\n{query}\n) AS qd({}) ORDER BY c{order} DESC NULLS LAST LIMIT {}",
        values.join(", "),
        names.join(", "),
        NEWEST + 1
    ))
}

/// One value as JSON text.
fn value(column: &Column, name: &str, of: &Select<'_>) -> String {
    let kind = column.type_();
    let is_moment = [Type::TIMESTAMPTZ, Type::TIMESTAMP, Type::DATE].contains(kind) && of.moments.contains(&column.name());
    let is_length = *kind == Type::INTERVAL && of.lengths.contains(&column.name());
    let plain = [Type::BOOL, Type::INT2, Type::INT4, Type::INT8, Type::FLOAT4, Type::FLOAT8, Type::NUMERIC, Type::JSON, Type::JSONB];
    let json = if is_moment || is_length {
        format!("to_json(extract(epoch FROM {name}))")
    } else if plain.contains(kind) || matches!(kind.kind(), Kind::Array(_)) {
        format!("to_json({name})")
    } else {
        format!("to_json({name}::text)")
    };
    format!("left({json}::text, {})", VALUE + 1)
}
