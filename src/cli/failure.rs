//! Why a subcommand could not do what was asked, and how that is told.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::model::problem::Problem;

use super::USAGE;

/// Why a subcommand could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No estate file was found in any of these places.
    #[error("no estate file was found")]
    NoEstate(Vec<PathBuf>),
    /// Files that people wrote have problems.
    #[error("a file has problems")]
    Problems(Vec<Problem>),
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
            Failure::NoEstate(_) => USAGE,
            _ => failed,
        }
    }

    /// Tells it to a person: what, why, what to do.
    pub fn tell(&self, err: &mut dyn Write) -> io::Result<()> {
        match self {
            Failure::NoEstate(looked) => no_estate(looked, err),
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

/// How to start: the one place with these words.
fn no_estate(looked: &[PathBuf], err: &mut dyn Write) -> io::Result<()> {
    writeln!(err, "qd: there is no estate file yet: it says what the console watches.\n\nLooked for:")?;
    for path in looked {
        writeln!(err, "  {}", path.display())?;
    }
    let first = looked.first().map_or_else(|| "estate.toml".to_owned(), |p| p.display().to_string());
    write!(
        err,
        "
To start, write these lines to {first}:

  version = 1

  [estate]
  name = \"my-estate\"
  environment = \"production\"

  [[source]]
  name = \"prometheus\"
  kind = \"prometheus\"
  url = \"http://localhost:9090\"

  [[source]]
  name = \"alertmanager\"
  kind = \"alertmanager\"
  urls = [\"http://localhost:9093\"]

then `qd check` and `qd`. Or name a file: `qd --estate PATH`, or QD_ESTATE=PATH.
"
    )
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
    fn no_estate_says_where_it_looked_and_how_to_start_with_a_file_that_is_right() {
        let failure = Failure::NoEstate(vec!["/home/ann/.config/quarterdeck/estate.toml".into(), "/etc/quarterdeck/estate.toml".into()]);
        let text = told(&failure);
        for part in ["/home/ann/.config/quarterdeck/estate.toml\n", "/etc/quarterdeck/estate.toml", "qd check", "--estate", "QD_ESTATE"] {
            assert!(text.contains(part), "{part}");
        }
        assert_eq!(failure.code(1), USAGE);
        let file: String = text.lines().filter_map(|l| l.strip_prefix("  ")).filter(|l| !l.starts_with('/')).collect::<Vec<_>>().join("\n");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("estate.toml");
        std::fs::write(&path, file).unwrap();
        assert_eq!(crate::config::load::estate(&path).map(|e| e.sources.len()), Ok(2));
    }

    #[test]
    fn only_a_broken_pipe_is_quiet() {
        assert!(Failure::Output(io::ErrorKind::BrokenPipe.into()).is_broken_pipe());
        assert!(!Failure::Output(io::ErrorKind::StorageFull.into()).is_broken_pipe());
    }
}
