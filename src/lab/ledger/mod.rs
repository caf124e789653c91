//! The practice ledger: a real PostgreSQL, its primary at one site and its standby at the other, where PostgreSQL's
//! programs are found on this machine. Reached over Unix sockets in folders that only their owner enters.

mod server;
mod writer;

use std::env;
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use nix::unistd::{User, geteuid};
use serde::Deserialize;

use super::layout::Site;
use super::{LabError, at};

pub use server::{leave, run};

/// The guardian's settings, in its folder. They are read again all the time.
pub const SETTINGS: &str = "ledger.toml";
/// The port of both sockets: they lie in folders of their own.
pub const PORT: u16 = 5432;
/// In a server's folder, once it has answered its guardian.
pub const READY: &str = "ready";
/// The longest path of a socket (`sockaddr_un` on Linux holds 107 bytes, elsewhere 103).
const LONGEST: usize = 103;
/// What is wanted of PostgreSQL's programs.
const PROGRAMS: [&str; 3] = ["initdb", "postgres", "pg_basebackup"];
/// Users that a server may run as where we are root, which PostgreSQL refuses.
const USERS: [&str; 2] = ["postgres", "nobody"];
/// Where a folder may be that another user enters.
const OPEN: [&str; 2] = ["/tmp", "/var/tmp"];
/// Beside the practice estate's folder: where the servers' own one is, where it is elsewhere.
const ELSEWHERE: &str = "ledger-folder";

/// What the ledger runs from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder of PostgreSQL's programs.
    pub programs: PathBuf,
    /// The folder of both servers' data, sockets and archive.
    pub base: PathBuf,
    /// The user and group that they run as, where that is another than ours.
    pub user: Option<(u32, u32)>,
}

impl Place {
    /// Where a server's socket is, and its data below.
    pub fn home(&self, site: &Site) -> PathBuf {
        self.base.join(site.name)
    }

    /// The socket of a site's server.
    pub fn socket(&self, site: &Site) -> PathBuf {
        self.home(site).join(format!(".s.PGSQL.{PORT}"))
    }

    /// How to reach the server of a site, as libpq is told it.
    pub fn conninfo(&self, site: &Site, user: &str) -> String {
        format!("host={} port={PORT} user={user} dbname=ledger", word(&self.home(site)))
    }

    /// The folder of the archive.
    pub fn archive(&self) -> PathBuf {
        self.base.join("archive")
    }
}

/// A path as a value of libpq's.
pub(super) fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-%+".contains(&b));
    if plain { text } else { format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")) }
}

/// Makes the folder that the servers live in. Why not, in a line, where there is nothing to run them from.
///
/// # Errors
/// The reason, for people.
pub fn find(folder: &Path) -> Result<Place, String> {
    let programs = programs().ok_or("PostgreSQL's programs are not on this machine (Debian's package: postgresql)")?;
    let (base, user) = if geteuid().is_root() { elsewhere(folder)? } else { (folder.join("ledger"), None) };
    // The longest name of a site, and of a socket in it.
    let longest = base.as_os_str().len() + "/north/.s.PGSQL.5432".len();
    if longest > LONGEST {
        return Err(format!("the path of {} is too long for a socket in it; set TMPDIR to a shorter one", base.display()));
    }
    Ok(Place { programs, base, user })
}

/// A folder that an unprivileged user may enter: PostgreSQL refuses to run as root.
fn elsewhere(folder: &Path) -> Result<(PathBuf, Option<(u32, u32)>), String> {
    let user = USERS.iter().find_map(|name| User::from_name(name).ok().flatten()).filter(|user| !user.uid.is_root());
    let user = user.ok_or("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`")?;
    let own = env::temp_dir();
    let open = [own.as_path()].into_iter().chain(OPEN.map(Path::new)).find(|folder| is_open(folder));
    let open = open.ok_or("PostgreSQL does not run as root, and no folder for temporary files can be entered by others")?;
    // The practice estate's folder has a name of its own already.
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or("demo");
    Ok((open.join(format!("qd-ledger-{name}")), Some((user.uid.as_raw(), user.gid.as_raw()))))
}

/// True where others may pass through every folder of the way.
fn is_open(folder: &Path) -> bool {
    folder.is_absolute() && folder.ancestors().all(|part| fs::metadata(part).is_ok_and(|meta| meta.permissions().mode() & 0o001 != 0))
}

/// Where the programs are: on PATH, else the newest that Debian has.
fn programs() -> Option<PathBuf> {
    let whole = |folder: &PathBuf| PROGRAMS.iter().all(|program| folder.join(program).is_file());
    let on_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    on_path.into_iter().find(whole).or_else(|| {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
        let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
        let mut found: Vec<(u32, PathBuf)> =
            versions.filter_map(|entry| Some((number(&entry.path())?, entry.path().join("bin")))).filter(|(_, bin)| whole(bin)).collect();
        found.sort();
        // What the statements and settings here want came with 13.
        found.pop().filter(|(version, _)| *version >= 13).map(|(_, bin)| bin)
    })
}

/// Makes the folders, with the guardians' settings in theirs: the primary's first.
///
/// # Errors
/// Where one cannot be made, or is there already.
pub fn lay_out(place: &Place, folder: &Path, sites: &[Site; 2]) -> Result<(), LabError> {
    if place.user.is_some() {
        let note = folder.join(ELSEWHERE);
        fs::write(&note, place.base.display().to_string()).map_err(at(&note))?;
    }
    let homes = [place.base.clone(), place.home(&sites[0]), place.home(&sites[1]), place.archive()];
    for home in &homes {
        // One that is there already is not ours, where others may write too.
        DirBuilder::new().mode(0o700).create(home).map_err(at(home))?;
        if let Some((user, group)) = place.user {
            chown(home, Some(user), Some(group)).map_err(at(home))?;
        }
    }
    for site in sites {
        let guardian = folder.join(site.name).join("ledger");
        DirBuilder::new().recursive(true).mode(0o700).create(&guardian).map_err(at(&guardian))?;
        set(folder, place, sites, site, false)?;
    }
    Ok(())
}

/// Writes the settings of a site's guardian.
///
/// # Errors
/// Where that cannot be done.
pub fn set(folder: &Path, place: &Place, sites: &[Site; 2], site: &Site, paused: bool) -> Result<(), LabError> {
    let guardian = folder.join(site.name).join("ledger");
    let quoted = |path: &Path| toml::Value::from(path.display().to_string()).to_string();
    let user = place.user.map_or(String::new(), |(user, group)| format!("user = {user}\ngroup = {group}\n"));
    let follows = if *site == sites[0] { String::new() } else { format!("follows = {}\n", quoted(&place.home(&sites[0]))) };
    let text = format!(
        "# The settings of a practice PostgreSQL; its guardian reads them again all the time.\n\n\
         # Whether the standby replays what it receives: true holds it back.\npaused = {paused}\n\n\
         # What it runs from.\nprograms = {}\nbase = {}\nsite = \"{}\"\nlab = {}\n{user}{follows}",
        quoted(&place.programs),
        quoted(&place.base),
        site.name,
        quoted(folder),
    );
    let (file, next) = (guardian.join(SETTINGS), guardian.join("ledger.toml.next"));
    fs::write(&next, text).and_then(|()| fs::rename(&next, &file)).map_err(at(&file))
}

/// What a guardian's settings file says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    paused: bool,
    programs: PathBuf,
    base: PathBuf,
    site: String,
    /// The practice estate's folder.
    lab: PathBuf,
    user: Option<u32>,
    group: Option<u32>,
    /// Of the standby: the primary's folder.
    follows: Option<PathBuf>,
}

impl Settings {
    fn read(guardian: &Path) -> Result<Settings, LabError> {
        let file = guardian.join(SETTINGS);
        let text = fs::read_to_string(&file).map_err(at(&file))?;
        toml::from_str(&text).map_err(|error| LabError::Content(file, error.message().to_owned()))
    }

    fn home(&self) -> PathBuf {
        self.base.join(&self.site)
    }
}

/// Removes what the servers of that practice estate left elsewhere, where it is ours to remove.
pub fn forget(folder: &Path) {
    let Ok(text) = fs::read_to_string(folder.join(ELSEWHERE)) else { return };
    let base = PathBuf::from(text.trim());
    let ours = base.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("qd-ledger-demo-"));
    if ours && base.is_absolute() {
        let _ = fs::remove_dir_all(base);
    }
}

/// True where nobody holds that practice estate any more: whoever started it was killed.
fn is_abandoned(folder: &Path) -> bool {
    File::open(folder.join(super::RUNNING)).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_that_are_written_are_the_ones_that_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let site = |name| Site { name, front: 1, edge: 2, web: 3, store: 4 };
        let sites = [site("north"), site("south")];
        let place = Place { programs: "/usr/lib/pg 15/bin".into(), base: folder.path().join("ledger"), user: None };
        lay_out(&place, folder.path(), &sites).unwrap();
        let south = Settings::read(&folder.path().join("south/ledger")).unwrap();
        assert_eq!((south.paused, south.follows.clone()), (false, Some(place.base.join("north"))));
        assert_eq!((south.home(), south.programs), (place.base.join("south"), place.programs.clone()));
        assert_eq!(Settings::read(&folder.path().join("north/ledger")).unwrap().follows, None);
        set(folder.path(), &place, &sites, &sites[1], true).unwrap();
        assert!(Settings::read(&folder.path().join("south/ledger")).unwrap().paused);
        assert!(lay_out(&place, folder.path(), &sites).is_err(), "a folder that is there already is not taken");
        assert_eq!(word(Path::new("/a b/it's")), r"'/a b/it\'s'");
    }

    #[test]
    fn only_what_a_practice_left_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let (own, other) = (folder.path().join("qd-ledger-demo-1"), folder.path().join("precious"));
        for (place, left) in [(&own, false), (&other, true)] {
            fs::create_dir(place).unwrap();
            fs::write(folder.path().join(ELSEWHERE), place.display().to_string()).unwrap();
            forget(folder.path());
            assert_eq!(place.exists(), left, "{}", place.display());
        }
    }
}
