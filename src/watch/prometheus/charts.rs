//! One window of one panel, asked once of its Prometheus; and the names of its metrics, their labels and the values of those.
//! Source: "HTTP API", Prometheus documentation, "Range queries", "Getting label names" and "Querying label values"; `limit`
//! is passed over by servers before 2.55, whose answer is cut here, and `match[]` of values by those before 2.24.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use tokio::time::Instant;

use super::envelope::open;
use super::plan::{as_typed, drawn};
use super::{get, range};
use crate::link::http::Reader;
use crate::model::estate::{Source, SourceKind};
use crate::model::metric::Demand;
use crate::model::text::{LABEL_CAP, clean};
use crate::model::window::{NAMES_CAP, Names, RangeAsk, RangeTold};
use crate::watch::limits;

/// The plot of a window; `Err` is why there is none, in the server's own words where it has some.
pub(crate) async fn window(source: &Source, ask: &RangeAsk, until: Instant) -> Result<RangeTold, String> {
    let demand = Demand { range: ask.window.length, points: ask.points };
    let drawn = drawn(&ask.panel, demand, ask.scrape, ask.window.to);
    let answered = range(&reader(source)?, &drawn, until).await.map_err(|fault| as_typed(&ask.panel, &drawn.query, fault.what))?;
    Ok(RangeTold { plot: answered.data, notes: answered.notes, kept: None })
}

/// The names of its metrics, as many as are kept.
pub(crate) async fn names(source: &Source, until: Instant) -> Result<Names, String> {
    let limit = (NAMES_CAP + 1).to_string();
    let body = get(&reader(source)?, "/api/v1/label/__name__/values", &[("limit", &limit)], until).await.map_err(|fault| fault.what)?;
    let mut names = open(body.status, &body.bytes, Values).map_err(|fault| fault.what)?.data;
    names.names.sort_unstable();
    Ok(names)
}

/// How far back labels and values are looked for: a server that keeps years has not to look through all of them.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24);

/// The names of the labels of these series, or the values of one of them, as many as are kept. `series` is a selector; empty
/// means all.
pub(crate) async fn words(source: &Source, series: &str, label: Option<&str>, until: Instant) -> Result<Names, String> {
    let path = match label {
        None => "/api/v1/labels".to_owned(),
        Some(label) if label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => format!("/api/v1/label/{label}/values"),
        Some(_) => return Err("its name is not one of letters, digits and `_`".to_owned()),
    };
    let (limit, start) = ((NAMES_CAP + 1).to_string(), (Timestamp::now() - LOOK_BACK).as_second().to_string());
    let mut query = vec![("limit", limit.as_str()), ("start", start.as_str())];
    query.extend(Some(("match[]", series)).filter(|_| !series.is_empty()));
    let body = get(&reader(source)?, &path, &query, until).await.map_err(|fault| fault.what)?;
    let mut names = open(body.status, &body.bytes, Values).map_err(|fault| fault.what)?.data;
    names.names.sort_unstable();
    Ok(names)
}

fn reader(source: &Source) -> Result<Reader, String> {
    let SourceKind::Prometheus { url } = &source.kind else { return Err(format!("{} is no Prometheus", source.name)) };
    Reader::new(url, source.http_config.as_deref(), limits(source)).map_err(|error| error.to_string())
}

/// Takes in a list of texts, the first of them.
struct Values;

impl<'de> DeserializeSeed<'de> for Values {
    type Value = Names;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Names, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Values {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Names, A::Error> {
        let mut told = Names::default();
        while let Some(name) = seq.next_element::<String>()? {
            if told.names.len() < NAMES_CAP {
                told.names.push(clean(&name, LABEL_CAP).into_owned());
            } else {
                told.more = true;
            }
        }
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned_and_have_an_end() {
        let told = open(200, br#"{"status":"success","data":["up","a\u001b[31mb"]}"#, Values).unwrap().data;
        assert_eq!(told, Names { names: vec!["up".into(), "a[31mb".into()], more: false });
        let many: Vec<String> = (0..NAMES_CAP + 3).map(|n| format!("\"m{n}\"")).collect();
        let text = format!("{{\"status\":\"success\",\"data\":[{}]}}", many.join(","));
        let told = open(200, text.as_bytes(), Values).unwrap().data;
        assert_eq!((told.names.len(), told.more), (NAMES_CAP, true));
        let error = open(400, br#"{"status":"error","errorType":"bad_data","error":"1:5: parse error"}"#, Values).unwrap_err();
        assert_eq!(error.what, "bad_data: 1:5: parse error");
    }
}
