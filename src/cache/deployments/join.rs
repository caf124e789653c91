//! Keeps the joined rows in step with what the sources told: only the families that were touched are joined again.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rusqlite::{Transaction, params};

use super::row::{decode, encode, words};
use crate::model::deployment::{Deployment, Ending, TOGETHER, join};

/// A joined row as it should stand in the file.
struct Wanted {
    one: Arc<Deployment>,
    /// The only row that it comes from, where it is that row but for its key.
    told: Option<i64>,
}

/// Rows of one family up to which all of it is joined again. More have a version that names nothing, such as `latest`:
/// of these only the neighbours in time are, and what a folder or a tag tells of that version counts for them alone.
const WHOLE: usize = 2_000;

/// The times of the rows of each family that were added or removed.
pub(super) type Touched = BTreeMap<i64, Vec<i64>>;

/// Joins again what of the estate was touched; the number of rows that changed.
pub(super) fn again(transaction: &Transaction<'_>, estate: i64, touched: Touched) -> rusqlite::Result<usize> {
    let places = places(transaction, estate)?;
    let (mut changed, mut total) = (0, 0_i64);
    for (family, mut times) in touched {
        let mut told = told(transaction, family, (i64::MIN, i64::MAX), WHOLE + 1)?;
        let stretches = if told.len() <= WHOLE {
            vec![(i64::MIN, i64::MAX)]
        } else {
            told.clear();
            times.sort_unstable();
            stretches(transaction, family, &times)?
        };
        for stretch in stretches {
            let told = match stretch {
                (i64::MIN, i64::MAX) => std::mem::take(&mut told),
                stretch => self::told(transaction, family, stretch, usize::MAX)?,
            };
            let (rows, more) = replace(transaction, estate, family, stretch, joined(told, &places))?;
            changed += rows;
            total += more;
        }
    }
    if total != 0 {
        transaction.prepare_cached("UPDATE estate SET total = total + ?2 WHERE id = ?1")?.execute(params![estate, total])?;
    }
    Ok(changed)
}

/// The stretches around these times, out to a gap on both sides over which nothing is joined.
fn stretches(transaction: &Transaction<'_>, family: i64, times: &[i64]) -> rusqlite::Result<Vec<(i64, i64)>> {
    let gap = i64::try_from(TOGETHER.as_micros()).unwrap_or(i64::MAX);
    let mut up = transaction.prepare_cached("SELECT at FROM told WHERE family = ?1 AND at >= ?2 ORDER BY at")?;
    let mut down = transaction.prepare_cached("SELECT at FROM told WHERE family = ?1 AND at <= ?2 ORDER BY at DESC")?;
    let mut all: Vec<(i64, i64)> = Vec::new();
    for time in times {
        if all.last().is_some_and(|(_, end)| time <= end) {
            continue;
        }
        let reach = |select: &mut rusqlite::CachedStatement<'_>| {
            let (mut rows, mut edge) = (select.query(params![family, time])?, *time);
            while let Some(row) = rows.next()? {
                let at: i64 = row.get(0)?;
                if at.abs_diff(edge) > gap.unsigned_abs() {
                    break;
                }
                edge = at;
            }
            Ok::<_, rusqlite::Error>(edge)
        };
        let stretch = (reach(&mut down)?, reach(&mut up)?);
        match all.last_mut() {
            Some(last) if last.1 >= stretch.0 => last.1 = last.1.max(stretch.1),
            _ => all.push(stretch),
        }
    }
    Ok(all)
}

/// The places of the estate's sources among all, by their numbers.
fn places(transaction: &Transaction<'_>, estate: i64) -> rusqlite::Result<HashMap<i64, i64>> {
    let mut select = transaction.prepare_cached("SELECT id, place FROM source WHERE estate = ?1")?;
    select.query_map([estate], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// A joined row as it stands in the file.
struct Known {
    n: i64,
    at: i64,
    told: Option<i64>,
    row: Option<Vec<u8>>,
}

/// A row that a source told.
struct Told {
    n: i64,
    source: i64,
    one: Arc<Deployment>,
}

/// What was told of a family in that stretch of time, both ends included, the newest first; at most so many.
fn told(transaction: &Transaction<'_>, family: i64, (from, to): (i64, i64), most: usize) -> rusqlite::Result<Vec<Told>> {
    let mut select = transaction
        .prepare_cached("SELECT n, source, row FROM told WHERE family = ?1 AND at BETWEEN ?2 AND ?3 ORDER BY at DESC, n DESC LIMIT ?4")?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = select.query(params![family, from, to, most])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(Told { n: row.get(0)?, source: row.get(1)?, one: Arc::new(decode(row.get_ref(2)?.as_blob()?)?) });
    }
    Ok(all)
}

/// What these rows come to.
fn joined(told: Vec<Told>, places: &HashMap<i64, i64>) -> Vec<Wanted> {
    let mut sources: BTreeMap<i64, Vec<Arc<Deployment>>> = BTreeMap::new();
    let mut numbers: HashMap<i64, Vec<(i64, Arc<Deployment>)>> = HashMap::new();
    for Told { n, source, one } in told {
        // Of another estate: its number for a family is ours by chance.
        let Some(place) = places.get(&source) else { continue };
        numbers.entry(one.at.as_microsecond()).or_default().push((n, one.clone()));
        sources.entry(*place).or_default().push(one);
    }
    let wanted = join(sources.values().map(Vec::as_slice)).into_iter().map(|one| {
        // What a second source filled has two that told it; all others are as they were told, but for their key.
        let alike = numbers.get(&one.at.as_microsecond()).filter(|_| one.told_by.len() == 1);
        let told = alike.into_iter().flatten().find(|(_, told)| as_told(&one, told)).map(|(n, _)| *n);
        Wanted { one, told }
    });
    wanted.collect()
}

/// True where the joined row is that row and its key.
fn as_told(joined: &Deployment, told: &Deployment) -> bool {
    let mut copy = told.clone();
    copy.key.clone_from(&joined.key);
    copy == *joined
}

/// Writes what a family comes to in that stretch, and nothing that stands there already: the rows that changed, and how many more there
/// are now.
fn replace(
    transaction: &Transaction<'_>,
    estate: i64,
    family: i64,
    (from, to): (i64, i64),
    wanted: Vec<Wanted>,
) -> rusqlite::Result<(usize, i64)> {
    let mut known: HashMap<String, Known> = HashMap::new();
    {
        let mut select = transaction
            .prepare_cached("SELECT key, n, at, told, row FROM deployment WHERE family = ?1 AND estate = ?2 AND at BETWEEN ?3 AND ?4")?;
        let mut rows = select.query(params![family, estate, from, to])?;
        while let Some(row) = rows.next()? {
            known.insert(row.get(0)?, Known { n: row.get(1)?, at: row.get(2)?, told: row.get(3)?, row: row.get(4)? });
        }
    }
    let (mut changed, mut more) = (0, 0);
    for Wanted { one, told } in wanted {
        let bytes = match told {
            Some(_) => None,
            None => Some(encode(&one)?),
        };
        if let Some(Known { n, at, told: before, row }) = known.remove(&*one.key) {
            if before == told && row == bytes {
                continue;
            }
            delete(transaction, estate, n, at, &one.key)?;
            more -= 1;
        }
        insert(transaction, estate, family, &one, told, bytes)?;
        (changed, more) = (changed + 1, more + 1);
    }
    for (key, Known { n, at, .. }) in known {
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
