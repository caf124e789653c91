//! Every path that the program uses, by the XDG base directory specification: nothing in the current folder unasked.
//!
//! Plain XDG on every system, so that what runbooks and colleagues say about paths holds everywhere.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Looks up an environment variable. The program gives `&|name| std::env::var_os(name)`, a test what it likes.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Where an estate is looked for last.
pub const SYSTEM_ESTATE: &str = "/etc/quarterdeck/estate.toml";

/// The program's own folder under each of the XDG ones.
const FOLDER: &str = "quarterdeck";

/// The folders that the program uses; `None` where neither the XDG variable nor `HOME` says where: the program then
/// runs without them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paths {
    /// What a person writes: `$XDG_CONFIG_HOME/quarterdeck`, else `~/.config/quarterdeck`.
    pub config: Option<PathBuf>,
    /// What the program writes and a person may read: `$XDG_STATE_HOME/quarterdeck`, else `~/.local/state/quarterdeck`.
    pub state: Option<PathBuf>,
    /// What a person asked for and keeps: `$XDG_DATA_HOME/quarterdeck`, else `~/.local/share/quarterdeck`.
    pub data: Option<PathBuf>,
    /// What may be deleted at any time: `$XDG_CACHE_HOME/quarterdeck`, else `~/.cache/quarterdeck`.
    pub cache: Option<PathBuf>,
    /// Where the journal and the runs are, where they are not with the rest of the state: a practice estate's are in its
    /// own folder.
    pub records: Option<PathBuf>,
}

impl Paths {
    /// The paths that this environment asks for. A relative path in an XDG variable is ignored, as the specification wants.
    pub fn find(env: Env<'_>) -> Paths {
        let absolute = |name: &str| env(name).map(PathBuf::from).filter(|p| p.is_absolute());
        let home = absolute("HOME");
        let folder = |variable: &str, below: &str| {
            absolute(variable).or_else(|| home.as_ref().map(|home| home.join(below))).map(|base| base.join(FOLDER))
        };
        Paths {
            config: folder("XDG_CONFIG_HOME", ".config"),
            state: folder("XDG_STATE_HOME", ".local/state"),
            data: folder("XDG_DATA_HOME", ".local/share"),
            cache: folder("XDG_CACHE_HOME", ".cache"),
            records: None,
        }
    }

    /// The preferences file.
    pub fn preferences(&self) -> Option<PathBuf> {
        self.config.as_ref().map(|c| c.join("config.toml"))
    }

    /// The keymap that overrides the default one.
    pub fn keymap(&self) -> Option<PathBuf> {
        self.config.as_ref().map(|c| c.join("keymap.toml"))
    }

    /// The folder of a person's own themes.
    pub fn themes(&self) -> Option<PathBuf> {
        self.config.as_ref().map(|c| c.join("themes"))
    }

    /// The theme that was picked on the screen last.
    pub fn theme(&self) -> Option<PathBuf> {
        self.state.as_ref().map(|s| s.join("theme"))
    }

    /// The views that were saved in the console.
    pub fn views(&self) -> Option<PathBuf> {
        self.state.as_ref().map(|s| s.join("views.toml"))
    }

    /// A person's own estates, each a file that is called as its context.
    pub fn estates(&self) -> Option<PathBuf> {
        self.config.as_ref().map(|c| c.join("estates"))
    }

    /// The folder of the log files.
    pub fn log(&self) -> Option<PathBuf> {
        self.state.as_ref().map(|s| s.join("log"))
    }

    /// The journal: what was done and seen. Unlike the cache it is not to be deleted.
    pub fn journal(&self) -> Option<PathBuf> {
        self.records.as_ref().or(self.state.as_ref()).map(|s| s.join("journal.db"))
    }

    /// The folder of the runs: what their runners keep beside the journal.
    pub fn runs(&self) -> Option<PathBuf> {
        self.journal().map(|journal| Paths::runs_of(&journal))
    }

    /// The folder of the runs of that journal: beside the file itself, so that all who share it by a link meet there.
    pub fn runs_of(journal: &Path) -> PathBuf {
        std::fs::canonicalize(journal).as_deref().unwrap_or(journal).with_file_name("runs")
    }

    /// The file of the last known readings.
    pub fn readings(&self) -> Option<PathBuf> {
        self.cache.as_ref().map(|c| c.join("readings.sqlite"))
    }

    /// The folder that exports go to where nothing else is said.
    pub fn exports(&self) -> Option<PathBuf> {
        self.data.as_ref().map(|data| data.join("exports"))
    }

    /// The queries that a person typed.
    pub fn queries(&self) -> Option<PathBuf> {
        self.state.as_ref().map(|s| s.join("queries"))
    }

    /// A person's own estate.
    pub fn estate(&self) -> Option<PathBuf> {
        self.config.as_ref().map(|c| c.join("estate.toml"))
    }

    /// Every path with what it is for, in the order in which they are shown.
    pub fn all(&self) -> [(&'static str, Option<PathBuf>); 13] {
        [
            ("estate", self.estate()),
            ("preferences", self.preferences()),
            ("keymap", self.keymap()),
            ("themes", self.themes()),
            ("picked theme", self.theme()),
            ("saved views", self.views()),
            ("estates", self.estates()),
            ("log", self.log()),
            ("journal", self.journal()),
            ("runs", self.runs()),
            ("readings", self.readings()),
            ("exports", self.exports()),
            ("queries", self.queries()),
        ]
    }

    /// The estate file: `--estate`, then `QD_ESTATE`, both taken as they are; then the first that is there of the
    /// person's own and the machine's. Never one of the current folder: whoever can write there must not choose
    /// what an operator sees.
    ///
    /// # Errors
    /// The places that were looked at, where there is none.
    pub fn find_estate(&self, flag: Option<&Path>, env: Env<'_>) -> Result<PathBuf, Vec<PathBuf>> {
        let asked = flag.map(Path::to_owned).or_else(|| env("QD_ESTATE").filter(|v| !v.is_empty()).map(PathBuf::from));
        if let Some(asked) = asked {
            return Ok(asked);
        }
        let looked: Vec<PathBuf> = self.estate().into_iter().chain([PathBuf::from(SYSTEM_ESTATE)]).collect();
        looked.iter().find(|p| p.exists()).cloned().ok_or(looked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
        let pairs: Vec<(String, OsString)> = pairs.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        move |name| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone())
    }

    #[test]
    fn runs_lie_beside_the_journals_own_file() {
        let folder = tempfile::tempdir().unwrap();
        let shared = std::fs::canonicalize(folder.path()).unwrap().join("journal.db");
        let link = folder.path().join("link.db");
        std::os::unix::fs::symlink(&shared, &link).unwrap();
        assert_eq!(Paths::runs_of(&link), folder.path().join("runs"), "it leads nowhere yet");
        std::fs::write(&shared, "").unwrap();
        assert_eq!(Paths::runs_of(&link), shared.with_file_name("runs"));
        let other = folder.path().join("home");
        std::fs::create_dir(&other).unwrap();
        std::os::unix::fs::symlink(&shared, other.join("journal.db")).unwrap();
        assert_eq!(Paths::runs_of(&other.join("journal.db")), shared.with_file_name("runs"));
    }

    #[test]
    fn xdg_variables_win_over_home_and_relative_ones_are_ignored() {
        let paths = Paths::find(&env(&[("HOME", "/home/a"), ("XDG_STATE_HOME", "/s"), ("XDG_CACHE_HOME", "here")]));
        assert_eq!(paths.preferences(), Some("/home/a/.config/quarterdeck/config.toml".into()));
        assert_eq!(paths.keymap(), Some("/home/a/.config/quarterdeck/keymap.toml".into()));
        assert_eq!(paths.themes(), Some("/home/a/.config/quarterdeck/themes".into()));
        assert_eq!(paths.log(), Some("/s/quarterdeck/log".into()));
        assert_eq!(paths.readings(), Some("/home/a/.cache/quarterdeck/readings.sqlite".into()));
        assert_eq!(Paths::find(&env(&[])), Paths::default());
    }

    #[test]
    fn the_estate_is_the_one_asked_for_else_ones_own() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap();
        let own = folder.path().join("quarterdeck/estate.toml");
        let vars = [("XDG_CONFIG_HOME", home)];
        let paths = Paths::find(&env(&vars));
        // A machine that has its own estate would answer with that one.
        if !Path::new(SYSTEM_ESTATE).exists() {
            assert_eq!(paths.find_estate(None, &env(&vars)), Err(vec![own.clone(), SYSTEM_ESTATE.into()]));
        }
        std::fs::create_dir_all(own.parent().unwrap()).unwrap();
        std::fs::write(&own, "").unwrap();
        assert_eq!(paths.find_estate(None, &env(&vars)), Ok(own));
        let asked = env(&[("QD_ESTATE", "/e.toml")]);
        assert_eq!(paths.find_estate(None, &asked), Ok("/e.toml".into()));
        assert_eq!(paths.find_estate(Some(Path::new("f.toml")), &asked), Ok("f.toml".into()));
    }
}
