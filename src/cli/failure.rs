//! Why a subcommand could not do what was asked, and how that is told.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::model::problem::Problem;
use crate::model::run::advice::quoted;

use super::USAGE;

/// Why a subcommand could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No estate file was found in any of these places.
    #[error("no estate file was found")]
    NoEstate(Vec<PathBuf>),
    /// The same where estates have names: these.
    #[error("no estate is opened where none is named")]
    NoneNamed(Vec<String>),
    /// Files that people wrote have problems.
    #[error("a file has problems")]
    Problems(Vec<Problem>),
    /// The command line asks for what there is not.
    #[error("{0}")]
    Usage(String),
    /// The output could not be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// Anything else.
    #[error("{0:#}")]
    Other(#[from] color_eyre::Report),
}

impl Failure {
    /// True where the reader of the output went away: nobody is left to be told.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Failure::Output(e) if e.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The exit code; `failed` where the failure has none of its own.
    pub fn code(&self, failed: u8) -> u8 {
        match self {
            Failure::NoEstate(_) | Failure::NoneNamed(_) | Failure::Usage(_) => USAGE,
            _ => failed,
        }
    }

    /// Tells it to a person: what, why, what to do.
    pub fn tell(&self, err: &mut dyn Write) -> io::Result<()> {
        match self {
            Failure::NoEstate(looked) => no_estate(looked, err),
            Failure::NoneNamed(names) => none_named(names, err),
            Failure::Problems(problems) => {
                for problem in problems {
                    writeln!(err, "{problem}\n")?;
                }
                writeln!(err, "qd: {}; nothing was done", counted(problems.len()))
            }
            other => writeln!(err, "qd: {other}"),
        }
    }
}

/// `1 problem`, `3 problems`.
pub fn counted(problems: usize) -> String {
    format!("{problems} problem{}", if problems == 1 { "" } else { "s" })
}

/// How many names are listed where none was given.
const NAMES: usize = 10;

/// Which estates there are to be named.
fn none_named(names: &[String], err: &mut dyn Write) -> io::Result<()> {
    writeln!(err, "qd: which estate? No estate opens by default. Name one of yours:\n")?;
    names.iter().take(NAMES).try_for_each(|name| writeln!(err, "  qd --context {}", quoted(name)))?;
    if names.len() > NAMES {
        writeln!(err, "  ... and {} more", names.len() - NAMES)?;
    }
    write!(
        err,
        "
  qd contexts    lists them with their environments and files

`export QD_ESTATE=FILE`, or a file estate.toml beside your config.toml, opens
without a name.
"
    )
}

/// How to start: the one place with these words.
fn no_estate(looked: &[PathBuf], err: &mut dyn Write) -> io::Result<()> {
    write!(
        err,
        "\
qd: there is no estate yet: the file that says what the console watches.

To look around first, on a practice estate that needs nothing installed:

  qd demo

To watch your own:

  qd init --prometheus http://localhost:9090    writes it, from what is found
  qd init                                       writes a template to fill in
  qd check --live                               tries each source
  qd                                            opens the console

Looked for it here, and neither --estate PATH nor QD_ESTATE names another:

"
    )?;
    looked.iter().try_for_each(|path| writeln!(err, "  {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(failure: &Failure) -> String {
        let mut out = Vec::new();
        failure.tell(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn no_estate_says_how_to_start_and_where_it_looked() {
        let failure = Failure::NoEstate(vec!["/home/ann/.config/quarterdeck/estate.toml".into(), "/etc/quarterdeck/estate.toml".into()]);
        let text = told(&failure);
        for part in [
            "\n  qd demo\n",
            "\n  qd init --prometheus http://localhost:9090 ",
            "\n  qd check --live ",
            "--estate PATH",
            "QD_ESTATE",
            "\n  /home/ann/.config/quarterdeck/estate.toml\n",
            "\n  /etc/quarterdeck/estate.toml\n",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(text.lines().count() < 24 && text.lines().all(|line| line.len() <= 80), "it fits a small terminal: {text}");
        assert_eq!(failure.code(1), USAGE);
    }

    #[test]
    fn where_estates_have_names_the_names_are_told() {
        let failure = Failure::NoneNamed((0..12).map(|n| format!("shop {n}")).collect());
        let text = told(&failure);
        for part in ["\n  qd --context 'shop 0'\n", "... and 2 more", "\n  qd contexts "] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("qd demo") && !text.contains("shop 11"), "{text}");
        assert!(text.lines().count() < 24 && text.lines().all(|line| line.len() <= 80), "it fits a small terminal: {text}");
        assert_eq!(failure.code(1), USAGE);
    }

    #[test]
    fn only_a_broken_pipe_is_quiet() {
        assert!(Failure::Output(io::ErrorKind::BrokenPipe.into()).is_broken_pipe());
        assert!(!Failure::Output(io::ErrorKind::StorageFull.into()).is_broken_pipe());
    }
}
