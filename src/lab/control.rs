//! How the processes of a practice estate are started and stopped from outside: one line through a socket in its folder,
//! to the process that holds them, and one line back.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::text::{LABEL_CAP, clean};

use super::{LabError, Role};

/// The socket, in the folder.
pub const SOCKET: &str = "control";
/// How long an answer may take: a process that is stopped has some time to end.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a stranger may take to say what is wanted.
const SPEECH: Duration = Duration::from_secs(2);
/// The longest line.
const LINE: u64 = 1_024;

/// Which processes are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// One process; the clients are of no site.
    One(Role, Option<String>),
    /// All of a site.
    Site(String),
}

impl Which {
    /// From the words of the command line: `SERVICE SITE`, `SITE` or `clients`. `clients SITE` is the clients: they
    /// are of every site.
    ///
    /// # Errors
    /// What to write instead.
    pub fn named(words: &[String]) -> Result<Which, LabError> {
        match words {
            [clients] | [clients, _] if clients == Role::Clients.word() => Ok(Which::One(Role::Clients, None)),
            [role, site] => match Role::named(role) {
                Some(role) => Ok(Which::One(role, Some(site.clone()))),
                None => Err(LabError::Other(format!("there is no service {role:?}; there are edge, web, store, ledger and clients"))),
            },
            [site] if Role::named(site).is_none() => Ok(Which::Site(site.clone())),
            _ => Err(LabError::Other("name a service and its site (web north), a whole site (north), or clients".to_owned())),
        }
    }

    fn words(&self) -> String {
        match self {
            Which::One(role, Some(site)) => format!("{} {site}", role.word()),
            Which::One(role, None) => role.word().to_owned(),
            Which::Site(site) => site.clone(),
        }
    }
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Start what is meant; what runs already stays.
    Start(Which),
    /// Stop it. A whole site is killed, as when its power fails.
    Stop(Which),
    /// Stop it as itself ends, and start it.
    Restart(Which),
    /// Say whether it is ready.
    Ready(Which),
    /// Make a release current at a site, and start its web service again.
    Deploy {
        /// The version.
        version: String,
        /// The site.
        site: String,
    },
}

impl Request {
    fn line(&self) -> String {
        match self {
            Request::Start(which) => format!("start {}", which.words()),
            Request::Stop(which) => format!("stop {}", which.words()),
            Request::Restart(which) => format!("restart {}", which.words()),
            Request::Ready(which) => format!("ready {}", which.words()),
            Request::Deploy { version, site } => format!("deploy {version} {site}"),
        }
    }

    fn read(line: &str) -> Result<Request, LabError> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match words.split_first().map(|(verb, rest)| (verb.as_str(), rest)) {
            Some(("start", rest)) => Which::named(rest).map(Request::Start),
            Some(("stop", rest)) => Which::named(rest).map(Request::Stop),
            Some(("restart", rest)) => Which::named(rest).map(Request::Restart),
            Some(("ready", rest)) => Which::named(rest).map(Request::Ready),
            Some(("deploy", [version, site])) => Ok(Request::Deploy { version: version.clone(), site: site.clone() }),
            _ => Err(LabError::Other("ask for start, stop, restart, ready or deploy".to_owned())),
        }
    }
}

/// Asks the practice estate in this folder; the answer is a line for a person.
///
/// # Errors
/// Where no practice estate runs there, or it does not do what was asked.
pub fn ask(folder: &Path, request: &Request) -> Result<String, LabError> {
    let socket: PathBuf = folder.join(SOCKET);
    let exchanged = || -> io::Result<String> {
        let mut stream = UnixStream::connect(&socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(SPEECH))?;
        writeln!(stream, "{}", request.line())?;
        line(&stream)
    };
    let answer = exchanged().map_err(|error| {
        LabError::Other(format!("no practice estate answers at {} ({error}); is its `qd demo` still there?", socket.display()))
    })?;
    match answer.split_once(' ') {
        Some(("ok", told)) => Ok(clean(told, LABEL_CAP).into_owned()),
        Some(("error", told)) => Err(LabError::Other(clean(told, LABEL_CAP).into_owned())),
        _ => Err(LabError::Other(format!("{} does not answer as a practice estate does", socket.display()))),
    }
}

/// The other side: reads what is wanted, does it, and tells what came of it.
pub fn serve(stream: &UnixStream, does: impl FnOnce(Request) -> Result<String, LabError>) -> io::Result<()> {
    stream.set_read_timeout(Some(SPEECH))?;
    stream.set_write_timeout(Some(SPEECH))?;
    let answer = match Request::read(&line(stream)?).and_then(does) {
        Ok(told) => format!("ok {told}"),
        Err(error) => format!("error {error}"),
    };
    // One line, whatever an error says.
    let mut out = stream;
    writeln!(out, "{}", answer.replace(['\n', '\r'], " "))
}

fn line(stream: &UnixStream) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(LINE)).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_what_is_read() {
        for (words, line) in [
            (&["start", "web", "north"][..], "start web north"),
            (&["stop", "north"], "stop north"),
            (&["stop", "clients", "south"], "stop clients"),
            (&["restart", "web", "north"], "restart web north"),
            (&["ready", "web", "north"], "ready web north"),
            (&["deploy", "2.4.0", "north"], "deploy 2.4.0 north"),
        ] {
            assert_eq!(Request::read(&words.join(" ")).unwrap().line(), line);
        }
        for wrong in ["", "start", "start web", "stop cellar north", "start web north now", "deploy 2.4.0", "halt north"] {
            assert!(Request::read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_answer_comes_back_and_so_does_a_refusal() {
        let folder = tempfile::tempdir().unwrap();
        let listener = std::os::unix::net::UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let answering = std::thread::spawn(move || {
            for answer in [Ok("web at north runs".to_owned()), Err(LabError::Other("two\nlines".to_owned()))] {
                serve(&listener.accept().unwrap().0, |_| answer).unwrap();
            }
        });
        let request = Request::Start(Which::One(Role::Web, Some("north".into())));
        assert_eq!(ask(folder.path(), &request).unwrap(), "web at north runs");
        assert_eq!(ask(folder.path(), &request).unwrap_err().to_string(), "two lines");
        answering.join().unwrap();
        assert!(ask(folder.path(), &request).unwrap_err().to_string().contains("qd demo"));
    }
}
