//! How a deployment is written into the file.

use crate::model::deployment::Deployment;

/// Where a number for a text begins (FNV-1a, 64 bits).
pub(super) const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// The number so far, and the text with an end after it. The same in every version of qd.
pub(super) fn number(so_far: u64, text: &str) -> u64 {
    text.bytes().chain([0xff]).fold(so_far, |number, byte| (number ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Rows that may be joined have one family: service and version. Two that have one by chance are not joined either.
pub(super) fn family(estate: i64, one: &Deployment) -> i64 {
    let version = one.to.as_deref().unwrap_or_default();
    i64::from_ne_bytes(number(number(number(SEED, &estate.to_string()), &one.service), version).to_ne_bytes())
}

/// All words of a row in lower case, a line for each: no searched text runs over two of them.
pub(super) fn words(one: &Deployment) -> String {
    let mut text = one.service.clone();
    let mut add = |word: &str| {
        if !word.is_empty() {
            text.push('\n');
            text.push_str(word);
        }
    };
    for word in [&one.id, &one.site, &one.environment, &one.from, &one.to, &one.who, &one.commit, &one.reason, &one.fixes] {
        word.iter().for_each(|word| add(word));
    }
    one.trigger.iter().for_each(|trigger| add(trigger.word()));
    one.result.iter().for_each(|result| add(result.word()));
    one.links.iter().chain(&one.approvals).chain(&one.incidents).for_each(|word| add(word));
    one.told_by.iter().for_each(|word| add(word));
    text.to_lowercase()
}

/// The row as it is kept.
pub(super) fn encode(one: &Deployment) -> rusqlite::Result<Vec<u8>> {
    serde_json::to_vec(one).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// The row that was kept.
pub(super) fn decode(bytes: &[u8]) -> rusqlite::Result<Deployment> {
    serde_json::from_slice(bytes).map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, error.into()))
}
