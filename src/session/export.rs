//! Writes deployments for other programs: as a JSON array, as JSON lines or as CSV; to a file that is only this person's.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::model::deployment::Deployment;
use crate::model::deployment::record::{COLUMNS, cells, record};

/// How they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON array.
    Json,
    /// A JSON object on each line.
    Lines,
    /// CSV with a first line of names.
    Csv,
}

impl Format {
    /// By the ending of a file's name: `.json`, `.jsonl`, `.csv`.
    pub fn of(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()? {
            "json" => Some(Format::Json),
            "jsonl" => Some(Format::Lines),
            "csv" => Some(Format::Csv),
            _ => None,
        }
    }
}

/// An export being written.
pub enum Export<W: Write> {
    /// An array or lines, and whether nothing was written yet.
    Json(W, Format, bool),
    /// CSV.
    Csv(Box<csv::Writer<W>>),
    /// A text that is whole already.
    Text(W),
}

impl<W: Write> Export<W> {
    /// Begins.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn new(format: Format, mut out: W) -> io::Result<Export<W>> {
        match format {
            Format::Csv => {
                let mut out = csv::Writer::from_writer(out);
                out.write_record(COLUMNS)?;
                Ok(Export::Csv(Box::new(out)))
            }
            Format::Json => {
                out.write_all(b"[")?;
                Ok(Export::Json(out, format, true))
            }
            Format::Lines => Ok(Export::Json(out, format, true)),
        }
    }

    /// One more.
    ///
    /// # Errors
    /// Where it cannot be written, or where it is no list of deployments.
    pub fn add(&mut self, one: &Deployment) -> io::Result<()> {
        match self {
            Export::Text(_) => Err(io::Error::other("a text has no deployments")),
            Export::Csv(out) => Ok(out.write_record(cells(one))?),
            Export::Json(out, format, first) => {
                if *format == Format::Json {
                    out.write_all(if *first { b"\n" } else { b",\n" })?;
                }
                *first = false;
                serde_json::to_writer(&mut *out, &record(one))?;
                if *format == Format::Lines { out.write_all(b"\n") } else { Ok(()) }
            }
        }
    }

    /// Ends it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(self) -> io::Result<()> {
        match self {
            Export::Csv(mut out) => out.flush(),
            Export::Text(mut out) => out.flush(),
            Export::Json(mut out, format, first) => {
                if format == Format::Json {
                    out.write_all(if first { b"]\n" } else { b"\n]\n" })?;
                }
                out.flush()
            }
        }
    }
}

/// A file that takes its name only when it is whole.
pub struct Draft {
    path: PathBuf,
    part: PathBuf,
    /// What is written so far.
    pub out: Export<BufWriter<fs::File>>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// A file of that name is there.
    #[error("the file is there already")]
    Exists,
    /// The system said no.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Draft {
    /// Begins a file beside that path. `folder` is made where it is the one to write in; no other is.
    ///
    /// # Errors
    /// Where a file is there and is not to be replaced, or none can be made.
    pub fn begin(path: &Path, format: Format, replace: bool, folder: Option<&Path>) -> Result<Draft, DraftError> {
        let (part, file) = Draft::part(path, replace, folder)?;
        Ok(Draft { path: path.to_owned(), part, out: Export::new(format, BufWriter::new(file))? })
    }

    /// A file of that text, likewise.
    ///
    /// # Errors
    /// As above.
    pub fn of_text(path: &Path, text: &str, replace: bool, folder: Option<&Path>) -> Result<Draft, DraftError> {
        let (part, file) = Draft::part(path, replace, folder)?;
        let mut out = BufWriter::new(file);
        if let Err(error) = out.write_all(text.as_bytes()) {
            let _ = fs::remove_file(&part);
            return Err(error.into());
        }
        Ok(Draft { path: path.to_owned(), part, out: Export::Text(out) })
    }

    fn part(path: &Path, replace: bool, folder: Option<&Path>) -> Result<(PathBuf, fs::File), DraftError> {
        if !replace && fs::symlink_metadata(path).is_ok() {
            return Err(DraftError::Exists);
        }
        if let Some(folder) = folder.filter(|folder| path.parent() == Some(*folder)) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{}.part", std::process::id()));
        let part = path.with_file_name(name);
        // The remains of an earlier process of this number.
        let _ = fs::remove_file(&part);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        Ok((part, file))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// Where a file came there meanwhile, or the last of it cannot be written.
    pub fn finish(self, replace: bool) -> Result<(), DraftError> {
        let Draft { path, part, out } = self;
        let named = out.finish().and_then(|()| {
            if replace {
                return fs::rename(&part, &path);
            }
            // Unlike renaming this never replaces. Some file systems have no links.
            match fs::hard_link(&part, &path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists && fs::symlink_metadata(&path).is_err() => {
                    fs::rename(&part, &path)
                }
                linked => linked,
            }
        });
        let _ = fs::remove_file(&part);
        named.map_err(|error| if error.kind() == io::ErrorKind::AlreadyExists { DraftError::Exists } else { error.into() })
    }

    /// Takes back what was written.
    pub fn abandon(self) {
        let _ = fs::remove_file(&self.part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::deployment::Dated;
    use jiff::Timestamp;
    use std::os::unix::fs::PermissionsExt;

    fn one(service: &str) -> Deployment {
        Deployment::new(service, Timestamp::UNIX_EPOCH, Dated::Record, "log")
    }

    fn written(format: Format, services: &[&str]) -> String {
        let mut out = Vec::new();
        let mut export = Export::new(format, &mut out).unwrap();
        services.iter().for_each(|service| export.add(&one(service)).unwrap());
        export.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_format_is_whole_with_none_one_and_two() {
        for count in 0..3 {
            let services = vec!["we\"b, \n"; count];
            let json: Vec<serde_json::Value> = serde_json::from_str(&written(Format::Json, &services)).unwrap();
            let lines = written(Format::Lines, &services);
            let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!((json.len(), &json), (count, &lines));
            let text = written(Format::Csv, &services);
            let mut csv = csv::Reader::from_reader(text.as_bytes());
            assert_eq!(csv.headers().unwrap().iter().collect::<Vec<_>>(), COLUMNS);
            let rows: Vec<String> = csv.records().map(|row| row.unwrap()[1].to_owned()).collect();
            assert_eq!(rows, services);
        }
    }

    #[test]
    fn a_file_is_only_ones_own_never_replaced_unasked_and_never_half() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("a/b");
        let path = own.join("x.csv");
        assert!(Draft::begin(&path, Format::Csv, false, None).is_err(), "no folder is made unasked");
        let mut draft = Draft::begin(&path, Format::Csv, false, Some(&own)).unwrap();
        draft.out.add(&one("web")).unwrap();
        assert!(!path.exists());
        draft.finish(false).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(Draft::begin(&path, Format::Csv, false, None), Err(DraftError::Exists)));
        let draft = Draft::begin(&path, Format::Json, true, None).unwrap();
        draft.abandon();
        assert!(fs::read_to_string(&path).unwrap().contains("web"));
        let draft = Draft::begin(&own.join("y.json"), Format::Json, false, None).unwrap();
        fs::write(own.join("y.json"), "theirs").unwrap();
        assert!(matches!(draft.finish(false), Err(DraftError::Exists)));
        assert_eq!(fs::read_to_string(own.join("y.json")).unwrap(), "theirs");
        Draft::begin(&path, Format::Json, true, None).unwrap().finish(true).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "[]\n");
        assert_eq!(fs::read_dir(&own).unwrap().count(), 2, "nothing is left beside them");
    }
}
