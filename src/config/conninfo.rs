//! How to reach a PostgreSQL, in libpq's own words: `host=db1 port=5432 user=qd sslmode=verify-full`, or the name of a
//! service of `pg_service.conf`. Pure: no file is read, no password is taken.

use std::path::PathBuf;

/// The keys that are taken, of the many that libpq has.
pub const KEYS: [&str; 10] = ["host", "port", "user", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey", "passfile", "service"];
/// The words of `sslmode`.
pub const MODES: [&str; 5] = ["disable", "prefer", "require", "verify-ca", "verify-full"];

/// How TLS is used, as libpq's `sslmode` of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    /// Never.
    Disable,
    /// Where the server has it; its certificate is not looked at.
    Prefer,
    /// Always; its certificate is not looked at.
    Require,
    /// Always, and its certificate must be trusted, whatever name it carries.
    VerifyCa,
    /// Always, and its certificate must be trusted and carry the host's name.
    VerifyFull,
}

/// What is said about a connection. What is not said comes from the service, then from libpq's defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conninfo {
    /// A host, an address, or the folder of a Unix socket.
    pub host: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// The user.
    pub user: Option<String>,
    /// The database.
    pub dbname: Option<String>,
    /// How TLS is used.
    pub sslmode: Option<SslMode>,
    /// The only roots that are trusted, PEM.
    pub sslrootcert: Option<PathBuf>,
    /// The certificate that is shown to the server, PEM, with its chain.
    pub sslcert: Option<PathBuf>,
    /// Its key, PEM.
    pub sslkey: Option<PathBuf>,
    /// The password file.
    pub passfile: Option<PathBuf>,
    /// An entry of `pg_service.conf`.
    pub service: Option<String>,
}

/// Why a text says nothing about a connection. Never repeats a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConninfoError {
    /// It cannot be taken apart, or a value makes no sense.
    #[error("{what}")]
    Wrong {
        /// What is wrong.
        what: String,
        /// What may help.
        hint: &'static str,
    },
    /// A word that is not one of the known ones.
    #[error("{what}")]
    Word {
        /// What is wrong.
        what: String,
        /// The word.
        word: String,
        /// Those that there are.
        words: &'static [&'static str],
    },
}

fn wrong(what: impl Into<String>, hint: &'static str) -> ConninfoError {
    ConninfoError::Wrong { what: what.into(), hint }
}

const SAMPLE: &str = "such as `host=db1 port=5432 user=qd dbname=postgres`";
const REFERENCE: &str = "secrets are references: put it into the password file (PGPASSFILE, ~/.pgpass, or `passfile=`)";

impl Conninfo {
    /// Reads `key=value` pairs, values in single quotes where they hold a space; a text without `=` names a service.
    pub fn parse(text: &str) -> Result<Conninfo, ConninfoError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(wrong("the node is empty", SAMPLE));
        }
        if text.contains("://") {
            return Err(wrong("an address with `://` is not taken here", SAMPLE));
        }
        if !text.contains('=') {
            return Conninfo::default().with("service", text);
        }
        pairs(text)?.into_iter().try_fold(Conninfo::default(), |info, (key, value)| info.with(&key, &value))
    }

    /// With one more key.
    pub fn with(mut self, key: &str, value: &str) -> Result<Conninfo, ConninfoError> {
        let text = || Some(value.to_owned()).filter(|v| !v.is_empty());
        match key {
            "host" if value.contains(',') => return Err(wrong("one node has one host", "write each node as an entry of its own")),
            "host" => self.host = text(),
            "port" => match value.parse::<u16>() {
                Ok(port) if port > 0 => self.port = Some(port),
                _ => return Err(wrong("the port is no number from 1 to 65535", SAMPLE)),
            },
            "user" => self.user = text(),
            "dbname" if value.contains(['=', '/']) => return Err(wrong("`dbname` is the name of a database only", SAMPLE)),
            "dbname" => self.dbname = text(),
            "sslmode" => self.sslmode = Some(mode(value)?),
            "sslrootcert" => self.sslrootcert = text().map(PathBuf::from),
            "sslcert" => self.sslcert = text().map(PathBuf::from),
            "sslkey" => self.sslkey = text().map(PathBuf::from),
            "passfile" => self.passfile = text().map(PathBuf::from),
            "service" => self.service = text(),
            "password" | "sslpassword" => return Err(wrong("the node holds a password", REFERENCE)),
            other => {
                let what = format!("`{other}` is no key of a node");
                return Err(ConninfoError::Word { what, word: other.to_owned(), words: &KEYS });
            }
        }
        Ok(self)
    }

    /// What is not said here is taken from there.
    pub fn or(self, there: Conninfo) -> Conninfo {
        Conninfo {
            host: self.host.or(there.host),
            port: self.port.or(there.port),
            user: self.user.or(there.user),
            dbname: self.dbname.or(there.dbname),
            sslmode: self.sslmode.or(there.sslmode),
            sslrootcert: self.sslrootcert.or(there.sslrootcert),
            sslcert: self.sslcert.or(there.sslcert),
            sslkey: self.sslkey.or(there.sslkey),
            passfile: self.passfile.or(there.passfile),
            service: self.service.or(there.service),
        }
    }

    /// What tells it from other nodes: the whole host and its port, or the service's name.
    pub fn address(&self) -> String {
        match (&self.host, &self.service) {
            (Some(host), _) => format!("{host}:{}", self.port.unwrap_or(5432)),
            _ => self.name(),
        }
    }

    /// A short name for people: `host:port`, or the service's name. Of a Unix socket's folder the last part stands for
    /// the host: the whole path has room nowhere.
    pub fn name(&self) -> String {
        match (&self.host, &self.service) {
            (Some(host), _) if host.starts_with('/') => {
                let last = host.trim_end_matches('/').rsplit('/').next().filter(|part| !part.is_empty()).unwrap_or("/");
                format!("{last}:{}", self.port.unwrap_or(5432))
            }
            (Some(host), _) => format!("{host}:{}", self.port.unwrap_or(5432)),
            (None, Some(service)) => service.clone(),
            (None, None) => format!("localhost:{}", self.port.unwrap_or(5432)),
        }
    }
}

fn mode(word: &str) -> Result<SslMode, ConninfoError> {
    match word {
        "disable" => Ok(SslMode::Disable),
        "prefer" => Ok(SslMode::Prefer),
        "require" => Ok(SslMode::Require),
        "verify-ca" => Ok(SslMode::VerifyCa),
        "verify-full" => Ok(SslMode::VerifyFull),
        other => Err(ConninfoError::Word { what: format!("`{other}` is no sslmode here"), word: other.to_owned(), words: &MODES }),
    }
}

/// As libpq takes such a text apart: spaces around `=` do not count, `\` takes the next character as it is.
fn pairs(text: &str) -> Result<Vec<(String, String)>, ConninfoError> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        // What stands before may be a part of a password: it is not repeated.
        let (key, after) = rest.split_once('=').ok_or_else(|| wrong("a word without `=` stands among the keys", SAMPLE))?;
        let key = key.trim();
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(wrong("a word without `=` stands among the keys", SAMPLE));
        }
        let after = after.trim_start();
        let quoted = after.starts_with('\'');
        let mut value = String::new();
        let mut chars = after.char_indices().skip(usize::from(quoted));
        let mut end = None;
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => value.extend(chars.next().map(|(_, next)| next)),
                '\'' if quoted => {
                    end = Some(at + 1);
                    break;
                }
                c if c.is_whitespace() && !quoted => {
                    end = Some(at);
                    break;
                }
                c => value.push(c),
            }
        }
        if quoted && end.is_none() {
            return Err(wrong("a quote is not closed", SAMPLE));
        }
        all.push((key.to_owned(), value));
        rest = after[end.unwrap_or(after.len())..].trim_start();
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_values_and_quotes_as_libpq_reads_them() {
        let info = Conninfo::parse(r"host = db1 port=5433  user='q\'d x' dbname=postgres sslmode=verify-full").unwrap();
        assert_eq!((info.host.as_deref(), info.port, info.user.as_deref()), (Some("db1"), Some(5433), Some("q'd x")));
        assert_eq!((info.sslmode, info.name()), (Some(SslMode::VerifyFull), "db1:5433".to_owned()));
        let service = Conninfo::parse("main-a").unwrap();
        assert_eq!((service.service.as_deref(), service.name()), (Some("main-a"), "main-a".to_owned()));
        let socket = Conninfo::parse("host=/var/run/postgresql/ port=5433").unwrap();
        assert_eq!((socket.name(), socket.address()), ("postgresql:5433".into(), "/var/run/postgresql/:5433".into()));
        let whole = service.or(Conninfo::parse("host=h port=1").unwrap());
        assert_eq!((whole.name(), whole.user), ("h:1".to_owned(), None));
    }

    #[test]
    fn what_is_wrong_is_told_and_a_password_is_not_repeated() {
        for (bad, what) in [
            ("", "the node is empty"),
            ("postgres://u:hunter2@h", "an address with `://` is not taken here"),
            ("host=a password=hunter2", "the node holds a password"),
            ("host=a,b", "one node has one host"),
            ("port=0", "the port is no number from 1 to 65535"),
            ("host=a hunter2", "a word without `=` stands among the keys"),
            ("host=a hunter2 x=1", "a word without `=` stands among the keys"),
            ("host='a", "a quote is not closed"),
            ("hots=a", "`hots` is no key of a node"),
            ("sslmode=allow", "`allow` is no sslmode here"),
            ("dbname='host=x'", "`dbname` is the name of a database only"),
        ] {
            assert_eq!(Conninfo::parse(bad).unwrap_err().to_string(), what, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z='\\\\ é\n]{0,40}") {
            let _ = Conninfo::parse(&text);
        }
    }
}
