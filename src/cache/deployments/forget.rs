//! Forgets estates that nobody watched for long, and estate files that have other histories by now: a piece at a time.

use rusqlite::{OptionalExtension, Transaction, params};

/// An estate that no source was read of for so long, seconds, is forgotten.
const FORGOTTEN: i64 = 7 * 86_400;
/// Rows that one piece takes away.
const PIECE: i64 = 5_000;

/// Takes a piece of one such estate away.
pub(super) fn one(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let old: Option<i64> = transaction
        .prepare_cached("SELECT id FROM estate WHERE seen < unixepoch() - ?1 LIMIT 1")?
        .query_row([FORGOTTEN], |row| row.get(0))
        .optional()?;
    let Some(estate) = old else { return Ok(()) };
    let pieces = [
        "DELETE FROM deployment WHERE n IN (SELECT n FROM line WHERE estate = ?1 ORDER BY at, key LIMIT ?2)",
        "DELETE FROM line WHERE (estate, at, key) IN (SELECT estate, at, key FROM line WHERE estate = ?1 ORDER BY at, key LIMIT ?2)",
        "DELETE FROM told WHERE n IN
             (SELECT told.n FROM told JOIN source ON source.id = told.source WHERE source.estate = ?1 LIMIT ?2)",
    ];
    let mut gone = 0;
    for piece in pieces {
        gone += transaction.prepare_cached(piece)?.execute(params![estate, PIECE])?;
    }
    if gone == 0 {
        transaction.prepare_cached("DELETE FROM source WHERE estate = ?1")?.execute([estate])?;
        transaction.prepare_cached("DELETE FROM estate WHERE id = ?1")?.execute([estate])?;
    }
    Ok(())
}
