//! The keys of an `http_config` file as they stand in it, and what a YAML reader's complaint means for a person.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::{Error, Location, Spanned};

use crate::model::problem::{Place, Problem};
use crate::model::text;

/// A text value and its place. No type here has `Debug`: most of these values may be secret.
pub type Text = Option<Spanned<String>>;

/// The whole file.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Raw {
    pub basic_auth: Option<Spanned<BasicAuth>>,
    pub authorization: Option<Spanned<Authorization>>,
    pub oauth2: Option<Spanned<IgnoredAny>>,
    pub bearer_token: Text,
    pub bearer_token_file: Text,
    pub tls_config: Option<Spanned<TlsConfig>>,
    pub proxy_url: Text,
    pub no_proxy: Text,
    pub proxy_from_environment: Option<Spanned<bool>>,
    pub proxy_connect_header: Option<Spanned<IgnoredAny>>,
    pub http_headers: Option<BTreeMap<String, Spanned<HeaderValues>>>,
    pub follow_redirects: Option<bool>,
    pub enable_http2: Option<bool>,
}

/// `basic_auth`. The `_ref` keys name a secret manager's entry.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct BasicAuth {
    pub username: Text,
    pub username_file: Text,
    pub username_ref: Text,
    pub password: Text,
    pub password_file: Text,
    pub password_ref: Text,
}

/// `authorization`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Authorization {
    #[serde(rename = "type")]
    pub scheme: Text,
    pub credentials: Text,
    pub credentials_file: Text,
    pub credentials_ref: Text,
}

/// `tls_config`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    pub ca: Text,
    pub ca_file: Text,
    pub ca_ref: Text,
    pub cert: Text,
    pub cert_file: Text,
    pub cert_ref: Text,
    pub key: Text,
    pub key_file: Text,
    pub key_ref: Text,
    pub server_name: Text,
    pub insecure_skip_verify: Option<bool>,
    pub min_version: Text,
    pub max_version: Text,
}

/// The values of one header.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct HeaderValues {
    pub values: Option<Vec<String>>,
    pub secrets: Option<Vec<String>>,
    pub files: Option<Vec<String>>,
}

/// Keys whose values are no secret: only such a line is shown whole in a problem.
const HARMLESS: [&str; 17] = [
    "type",
    "username",
    "username_file",
    "password_file",
    "credentials_file",
    "bearer_token_file",
    "ca_file",
    "cert_file",
    "key_file",
    "server_name",
    "insecure_skip_verify",
    "min_version",
    "max_version",
    "no_proxy",
    "proxy_from_environment",
    "follow_redirects",
    "enable_http2",
];

/// Reads the keys. One problem at a time: the YAML reader stops at the first.
pub fn read(path: &Path, source: &str) -> Result<Raw, Vec<Problem>> {
    // The reader's own excerpts would show the lines around an error, and so secrets.
    let options = serde_saphyr::options! { with_snippet: false };
    // An `Option`, so that an empty file is the defaults, as it is for Prometheus.
    match serde_saphyr::from_str_with_options::<Option<Raw>>(source, options) {
        Ok(raw) => Ok(raw.unwrap_or_default()),
        Err(error) => Err(vec![problem(path, source, &error)]),
    }
}

/// The place of `location`, its line made safe to show.
pub fn place(path: &Path, source: &str, location: Location) -> Place {
    let line = usize::try_from(location.line()).unwrap_or(1).max(1);
    let column = usize::try_from(location.column()).unwrap_or(1).max(1);
    let text = source.lines().nth(line - 1).unwrap_or_default();
    let (text, shown) = masked(text);
    // Columns past a mask would put the caret beside nothing.
    Place { file: path.to_owned(), line, column: column.min(shown), text }
}

/// The place of a key that stands at the left margin; where there is none, `otherwise`.
pub fn top(path: &Path, source: &str, key: &str, otherwise: Location) -> Place {
    let at = source.lines().position(|line| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':')));
    match at {
        Some(index) => {
            let line = source.lines().nth(index).unwrap_or_default();
            Place { file: path.to_owned(), line: index + 1, column: 1, text: masked(line).0 }
        }
        None => place(path, source, otherwise),
    }
}

/// A line without a value that may be secret, and the last column that still shows what the file has.
fn masked(line: &str) -> (String, usize) {
    if line.trim().is_empty() || line.trim_start().starts_with('#') {
        return (String::new(), usize::MAX);
    }
    let Some((key, value)) = line.split_once(':') else {
        let indent = line.len() - line.trim_start().len();
        return (format!("{}***", &line[..indent]), indent + 1);
    };
    let name = key.trim().trim_start_matches("- ").trim_matches(['"', '\'']);
    let harmless = HARMLESS.contains(&name) && !value.contains(['{', '[']);
    if harmless || value.trim().is_empty() {
        return (line.to_owned(), usize::MAX);
    }
    // A flow mapping may have a secret before its first colon's key only if that key is itself one; show no such key.
    if key.contains(['{', '[', '"', '\'']) && !HARMLESS.contains(&name) {
        return ("***".to_owned(), 1);
    }
    (format!("{key}: ***"), key.chars().count() + 3)
}

/// What the YAML reader's complaint means. It never repeats a value: any may be a secret.
fn problem(path: &Path, source: &str, error: &Error) -> Problem {
    let error = error.without_snippet();
    if let Error::AliasError { error: inner, .. } = error {
        return problem(path, source, inner);
    }
    let location = error.location().unwrap_or(Location::UNKNOWN);
    let place = place(path, source, location);
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            let field = text::clean(field, 64);
            // The keys of a secret manager are known only to be refused by name.
            let known: Vec<&str> = expected.iter().copied().filter(|key| !key.ends_with("_ref")).collect();
            Problem::new(place, format!("unknown key `{field}`")).hint(near(&field, &known))
        }
        Error::SerdeInvalidType { expected, .. } | Error::SerdeInvalidValue { expected, .. } => {
            Problem::new(place, format!("wrong kind of value: {} is wanted here", wanted(expected)))
        }
        Error::InvalidScalar { ty, .. } => Problem::new(place, format!("wrong kind of value: {} is wanted here", wanted(ty))),
        Error::InvalidBooleanStrict { .. } => Problem::new(place, "wrong kind of value: true or false is wanted here"),
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().map(|key| format!(" `{}`", text::clean(key, 64))).unwrap_or_default();
            Problem::new(place, format!("the key{key} stands here a second time"))
        }
        Error::MultipleDocuments { .. } => Problem::new(place, "a second YAML document starts here; one is read"),
        Error::UnknownAnchor { .. } => Problem::new(place, "an alias of an anchor that is nowhere defined"),
        Error::Unexpected { expected, .. } => Problem::new(place, format!("wrong kind of value: {} is wanted here", wanted(expected))),
        _ => Problem::new(place, "not YAML that can be read").hint("check the indentation, the quotes and that a space follows each colon"),
    }
}

/// serde's name of a kind, for a person.
fn wanted(expected: &str) -> String {
    match expected {
        "bool" | "boolean" | "a boolean" => "true or false".to_owned(),
        "string" | "a string" => "a text".to_owned(),
        "mapping start" => "a mapping of keys".to_owned(),
        "sequence start" => "a list".to_owned(),
        kind if kind.starts_with("struct ") => "a mapping of keys".to_owned(),
        other => text::clean(other, 80).into_owned(),
    }
}

/// "did you mean" where a known key is near, otherwise all of them.
fn near(name: &str, known: &[&str]) -> String {
    let best = known.iter().map(|key| (strsim::jaro_winkler(name, key), *key)).max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((likeness, key)) if likeness >= 0.8 => format!("did you mean `{key}`?"),
        _ => format!("known here: {}", known.join(", ")),
    }
}
