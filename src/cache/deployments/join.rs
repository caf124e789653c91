//! Keeps the joined rows in step with what the sources told: only the families that were touched are joined again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rusqlite::{Transaction, params};

use super::row::{decode, encode, words};
use crate::model::deployment::{Deployment, Ending, join};

/// A joined row as it should stand in the file.
struct Wanted {
    one: Arc<Deployment>,
    /// The only row that it comes from, where it is that row but for its key.
    told: Option<i64>,
}

/// Joins these families of the estate again; the number of rows that changed.
pub(super) fn again(transaction: &Transaction<'_>, estate: i64, families: &BTreeSet<i64>) -> rusqlite::Result<usize> {
    let places = places(transaction, estate)?;
    let (mut changed, mut total) = (0, 0_i64);
    for family in families {
        let wanted = wanted(transaction, &places, *family)?;
        let (rows, added) = replace(transaction, estate, *family, wanted)?;
        changed += rows;
        total += added;
    }
    if total != 0 {
        transaction.prepare_cached("UPDATE estate SET total = total + ?2 WHERE id = ?1")?.execute(params![estate, total])?;
    }
    Ok(changed)
}

/// The places of the estate's sources among all, by their numbers.
fn places(transaction: &Transaction<'_>, estate: i64) -> rusqlite::Result<HashMap<i64, i64>> {
    let mut select = transaction.prepare_cached("SELECT id, place FROM source WHERE estate = ?1")?;
    select.query_map([estate], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// What a family comes to.
fn wanted(transaction: &Transaction<'_>, places: &HashMap<i64, i64>, family: i64) -> rusqlite::Result<Vec<Wanted>> {
    let mut select = transaction.prepare_cached("SELECT n, source, row FROM told WHERE family = ?1 ORDER BY at DESC, n DESC")?;
    let mut rows = select.query([family])?;
    let mut sources: BTreeMap<i64, Vec<Arc<Deployment>>> = BTreeMap::new();
    let mut numbers: HashMap<i64, Vec<(i64, Arc<Deployment>)>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let source: i64 = row.get(1)?;
        // Of another estate: its number for a family is ours by chance.
        let Some(place) = places.get(&source) else { continue };
        let one = Arc::new(decode(row.get_ref(2)?.as_blob()?)?);
        numbers.entry(one.at.as_microsecond()).or_default().push((row.get(0)?, one.clone()));
        sources.entry(*place).or_default().push(one);
    }
    let wanted = join(sources.values().map(Vec::as_slice)).into_iter().map(|one| {
        // What a second source filled has two that told it; all others are as they were told, but for their key.
        let alike = numbers.get(&one.at.as_microsecond()).filter(|_| one.told_by.len() == 1);
        let told = alike.into_iter().flatten().find(|(_, told)| as_told(&one, told)).map(|(n, _)| *n);
        Wanted { one, told }
    });
    Ok(wanted.collect())
}

/// True where the joined row is that row and its key.
fn as_told(joined: &Deployment, told: &Deployment) -> bool {
    let mut copy = told.clone();
    copy.key.clone_from(&joined.key);
    copy == *joined
}

/// Writes what a family comes to, and nothing that stands there already: the rows that changed, and how many more there
/// are now.
fn replace(transaction: &Transaction<'_>, estate: i64, family: i64, wanted: Vec<Wanted>) -> rusqlite::Result<(usize, i64)> {
    let mut known: HashMap<String, (i64, i64, Option<i64>, Option<Vec<u8>>)> = HashMap::new();
    {
        let mut select = transaction.prepare_cached("SELECT key, n, at, told, row FROM deployment WHERE family = ?1 AND estate = ?2")?;
        let mut rows = select.query(params![family, estate])?;
        while let Some(row) = rows.next()? {
            known.insert(row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
        }
    }
    let (mut changed, mut more) = (0, 0);
    for Wanted { one, told } in wanted {
        let bytes = match told {
            Some(_) => None,
            None => Some(encode(&one)?),
        };
        if let Some((n, at, old, row)) = known.remove(&*one.key) {
            if old == told && row == bytes {
                continue;
            }
            delete(transaction, estate, n, at, &one.key)?;
            more -= 1;
        }
        insert(transaction, estate, family, &one, told, bytes)?;
        (changed, more) = (changed + 1, more + 1);
    }
    for (key, (n, at, ..)) in known {
        delete(transaction, estate, n, at, &key)?;
        (changed, more) = (changed + 1, more - 1);
    }
    Ok((changed, more))
}

fn delete(transaction: &Transaction<'_>, estate: i64, n: i64, at: i64, key: &str) -> rusqlite::Result<()> {
    transaction.prepare_cached("DELETE FROM deployment WHERE n = ?1")?.execute([n])?;
    transaction.prepare_cached("DELETE FROM line WHERE estate = ?1 AND at = ?2 AND key = ?3")?.execute(params![estate, at, key])?;
    Ok(())
}

fn insert(
    transaction: &Transaction<'_>,
    estate: i64,
    family: i64,
    one: &Deployment,
    told: Option<i64>,
    bytes: Option<Vec<u8>>,
) -> rusqlite::Result<()> {
    let at = one.at.as_microsecond();
    let n: i64 = transaction
        .prepare_cached(
            "INSERT INTO deployment (estate, at, family, key, service, site, environment, version, who, result, id, commit_id, told, row)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) RETURNING n",
        )?
        .query_row(
            params![
                estate,
                at,
                family,
                &*one.key,
                one.service,
                one.site,
                one.environment,
                one.to,
                one.who,
                one.result.map(Ending::word),
                one.id,
                one.commit,
                told,
                bytes
            ],
            |row| row.get(0),
        )?;
    transaction.prepare_cached("INSERT OR REPLACE INTO line (estate, at, key, n, text) VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
        estate,
        at,
        &*one.key,
        n,
        words(one)
    ])?;
    Ok(())
}
