//! The envelope of every answer of Prometheus' HTTP API: status, data, error, warnings and infos. Pure: over bytes.
//! Source: "HTTP API", Prometheus documentation; `infos` exist since 2.53.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::model::text::{NOTE_CAP, clean};
use crate::watch::wire::{Fault, capped, not_json, status_fault};

pub(super) const SYSTEM: &str = "Prometheus";
/// Warnings and infos kept of one answer.
const NOTES_CAP: usize = 10;

/// A success, with what came along.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Answered<T> {
    /// The data.
    pub data: T,
    /// Warnings and infos, cleaned.
    pub notes: Vec<String>,
}

/// Decodes an answer whose data `seed` takes in. An error in the envelope is the fault's text, whatever the HTTP status.
pub(crate) fn open<'de, S: DeserializeSeed<'de>>(status: u16, bytes: &'de [u8], seed: S) -> Result<Answered<S::Value>, Fault> {
    // All at once is cheaper than every text in it by itself.
    let raw = match std::str::from_utf8(bytes) {
        Ok(text) => {
            let mut json = serde_json::Deserializer::from_str(text);
            Envelope(seed).deserialize(&mut json).and_then(|raw| json.end().map(|()| raw))
        }
        Err(_) => Err(serde::de::Error::custom("it is not UTF-8")),
    };
    let ok = (200..300).contains(&status);
    match raw {
        Ok(raw) if raw.status == "error" || (!ok && !raw.error.is_empty()) => {
            let absent = matches!(status, 404 | 405 | 501);
            let kind = if raw.error_type.is_empty() { String::new() } else { format!("{}: ", raw.error_type) };
            let what = clean(&format!("{kind}{}", raw.error), NOTE_CAP).into_owned();
            Err(Fault { absent, ..Fault::unusable(what) })
        }
        Ok(raw) if ok => match raw.data {
            Some(data) => Ok(Answered { data, notes: capped(raw.notes, NOTES_CAP) }),
            None => Err(Fault::unusable(format!("answered with JSON that is not {SYSTEM}'s (no data in it): is the address right?"))),
        },
        Err(error) if ok => Err(not_json(bytes, &error, SYSTEM)),
        _ => Err(status_fault(status, bytes, SYSTEM)),
    }
}

/// Takes in a JSON object, and nothing else. Serde's own derive would take a list for a struct whose fields all have
/// defaults, and so the empty list of alerts of an Alertmanager for the answer of a Prometheus without alerts.
pub(super) struct Object<T>(PhantomData<T>);

impl<T> Object<T> {
    /// A seed for `T`.
    pub fn new() -> Object<T> {
        Object(PhantomData)
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Object<T> {
    type Value = T;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<T, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

struct Raw<T> {
    status: String,
    data: Option<T>,
    error: String,
    error_type: String,
    notes: Vec<String>,
}

struct Envelope<S>(S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Envelope<S> {
    type Value = Raw<S::Value>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for Envelope<S> {
    type Value = Raw<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with status and data")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut raw = Raw { status: String::new(), data: None, error: String::new(), error_type: String::new(), notes: vec![] };
        let mut seed = Some(self.0);
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Status => raw.status = map.next_value::<Option<String>>()?.unwrap_or_default(),
                Key::Error => raw.error = map.next_value::<Option<String>>()?.unwrap_or_default(),
                Key::ErrorType => raw.error_type = map.next_value::<Option<String>>()?.unwrap_or_default(),
                Key::Notes => {
                    let said: Option<Vec<String>> = map.next_value()?;
                    raw.notes.extend(said.unwrap_or_default().iter().map(|note| clean(note, NOTE_CAP).into_owned()));
                }
                Key::Data => match seed.take() {
                    Some(seed) => raw.data = map.next_value_seed(Maybe(seed))?,
                    None => drop(map.next_value::<IgnoredAny>()?),
                },
                Key::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(raw)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Key {
    Status,
    Data,
    Error,
    ErrorType,
    #[serde(rename = "warnings", alias = "infos")]
    Notes,
    #[serde(other)]
    Other,
}

/// The seed's value, or nothing where there is `null`.
struct Maybe<S>(S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Maybe<S> {
    type Value = Option<S::Value>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_option(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for Maybe<S> {
    type Value = Option<S::Value>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("data")
    }
    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        self.0.deserialize(from).map(Some)
    }
}
