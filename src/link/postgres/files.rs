//! libpq's own files: services in `pg_service.conf`, passwords in the password file. Blocks while it reads.

use std::env;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::config::conninfo::{Conninfo, SslMode};
use crate::config::http_config::Secret;
use crate::link::http::LinkError;
use crate::link::http::explain::{refused, unreachable};

/// Bytes of such a file that are read.
const FILE_CAP: u64 = 1 << 20;

/// All that a connection needs.
pub struct Whole {
    /// As it was said, with what its service adds.
    pub info: Conninfo,
    pub host: String,
    pub port: u16,
    pub user: String,
    pub dbname: String,
    pub mode: SslMode,
    pub password: Option<Secret>,
    /// Where a password was looked for, for messages.
    pub searched: String,
}

/// Adds what the files and the environment say: the service, then PGPORT and PGUSER, then libpq's defaults.
pub fn resolve(said: Conninfo) -> Result<Whole, LinkError> {
    let variable = |name: &str| env::var(name).ok().filter(|v| !v.is_empty());
    let name = said.service.clone().or_else(|| if said.host.is_none() { variable("PGSERVICE") } else { None });
    let info = match name {
        Some(name) => said.or(service(&name, &service_files())?),
        None => said,
    };
    let host = info.host.clone().unwrap_or_else(|| "localhost".to_owned());
    let port = info.port.or_else(|| variable("PGPORT")?.parse().ok()).unwrap_or(5432);
    let user = info.user.clone().or_else(|| variable("PGUSER")).or_else(login);
    let user = user.ok_or_else(|| unreachable(format!("{}: no user is named, and this process has no login name", info.name())))?;
    let dbname = info.dbname.clone().unwrap_or_else(|| user.clone());
    let file = info.passfile.clone().or_else(|| variable("PGPASSFILE").map(PathBuf::from)).or_else(|| Some(home()?.join(".pgpass")));
    let (password, searched) = match file {
        Some(file) => (password(&file, [&host, &port.to_string(), &dbname, &user])?, format!("looked in {}", file.display())),
        None => (None, "no password file is known: name one as `passfile=`".to_owned()),
    };
    // No socket is encrypted.
    let mode = if host.starts_with('/') { SslMode::Disable } else { info.sslmode.unwrap_or(SslMode::Prefer) };
    Ok(Whole { info, host, port, user, dbname, mode, password, searched })
}

fn home() -> Option<PathBuf> {
    env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

fn login() -> Option<String> {
    nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map(|user| user.name)
}

/// PGSERVICEFILE or `~/.pg_service.conf`, then the system's own.
fn service_files() -> Vec<PathBuf> {
    let own = env::var_os("PGSERVICEFILE").map(PathBuf::from).or_else(|| Some(home()?.join(".pg_service.conf")));
    let folder = env::var_os("PGSYSCONFDIR").map_or_else(|| PathBuf::from("/etc/postgresql-common"), PathBuf::from);
    own.into_iter().chain([folder.join("pg_service.conf")]).collect()
}

/// What the first of the files that has such a section says in it.
fn service(name: &str, files: &[PathBuf]) -> Result<Conninfo, LinkError> {
    for file in files {
        let Some(text) = read(file)? else { continue };
        if let Some(lines) = section(&text, name) {
            let mut info = Conninfo::default();
            for line in lines {
                let (key, value) = line.split_once('=').unwrap_or((line, ""));
                // What only tunes a connection is libpq's; a password has its own file.
                let known = crate::config::conninfo::KEYS.contains(&key.trim()) || key.trim() == "password";
                if known {
                    let with = info.with(key.trim(), value.trim());
                    info = with.map_err(|error| refused(format!("the service {name} in {}: {error}", file.display())))?;
                }
            }
            return Ok(info);
        }
    }
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    Err(unreachable(format!("there is no service {name} in {}", names.join(" or "))))
}

/// The lines of `[name]`.
fn section<'t>(text: &'t str, name: &str) -> Option<Vec<&'t str>> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let head = format!("[{name}]");
    lines.find(|line| *line == head)?;
    Some(lines.take_while(|line| !line.starts_with('[')).collect())
}

/// The password of the first line that fits host, port, database and user. A file that others can read is refused, as
/// libpq passes it over.
fn password(file: &Path, of: [&str; 4]) -> Result<Option<Secret>, LinkError> {
    let Some(text) = read(file)? else { return Ok(None) };
    let mode = fs::metadata(file).map_or(0, |meta| meta.permissions().mode());
    if mode & 0o077 != 0 {
        return Err(refused(format!("{} can be read by others: `chmod 600` it", file.display())));
    }
    Ok(text.lines().filter(|line| !line.starts_with('#')).find_map(|line| fitting(line, of)).map(|found| Secret::new(found.as_str())))
}

/// The last field where the first four fit; `*` fits anything, `\` takes the next character as it is.
fn fitting(line: &str, of: [&str; 4]) -> Option<String> {
    let mut fields = vec![(String::new(), false)];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let last = fields.len() == 5;
        let field = fields.last_mut()?;
        match c {
            '\\' => {
                field.0.extend(chars.next());
                field.1 = true;
            }
            ':' if !last => fields.push((String::new(), false)),
            c => field.0.push(c),
        }
    }
    let password = if fields.len() == 5 { fields.pop()?.0 } else { return None };
    let fits = fields.iter().zip(of).enumerate().all(|(at, ((field, escaped), wanted))| {
        let socket = at == 0 && field == "localhost" && wanted.starts_with('/');
        (field == "*" && !escaped) || field == wanted || socket
    });
    fits.then_some(password)
}

/// The file's text; `None` where there is no such file.
fn read(file: &Path) -> Result<Option<String>, LinkError> {
    let wrong = |why: String| refused(format!("{} cannot be read: {why}", file.display()));
    match fs::metadata(file) {
        // Reading a pipe or a device would wait without end.
        Ok(meta) if !meta.is_file() => return Err(wrong("it is not a regular file".into())),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(error.to_string())),
    }
    let mut text = String::new();
    let opened = fs::File::open(file).and_then(|open| open.take(FILE_CAP).read_to_string(&mut text));
    opened.map_err(|error| wrong(error.to_string()))?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_gives_the_password() {
        let of = ["db1", "5432", "postgres", "qd"];
        assert_eq!(fitting("db1:5432:postgres:qd:a:b\\\\c", of), Some("a:b\\c".into()));
        assert_eq!(fitting("*:*:*:qd:x", of), Some("x".into()));
        assert_eq!(fitting("\\*:*:*:qd:x", of), None, "an escaped star is a star");
        assert_eq!(fitting("db2:*:*:*:x", of), None);
        assert_eq!(fitting("db1:5432:postgres", of), None);
        assert_eq!(fitting("localhost:*:*:*:x", ["/run/postgresql", "5432", "p", "u"]), Some("x".into()));
    }

    #[test]
    fn a_password_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pgpass");
        let of = ["h", "1", "d", "u"];
        assert!(password(&file, of).unwrap().is_none(), "none is no error");
        fs::write(&file, "# one\nh:1:d:u:hunter2\n").unwrap();
        fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
        let Err(LinkError::Refused(told)) = password(&file, of) else { panic!() };
        assert!(told.contains("chmod 600") && !told.contains("hunter2"), "{told}");
        fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        assert_eq!(password(&file, of).unwrap().unwrap().reveal(), "hunter2");
    }

    #[test]
    fn a_service_is_a_section_of_the_first_file_that_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("services");
        fs::write(&file, "# all\n[other]\nhost=x\n[main]\nhost=db1\nport = 5433\nconnect_timeout=3\n\n[last]\nhost=y\n").unwrap();
        let files = [folder.path().join("none"), file.clone()];
        let info = service("main", &files).unwrap();
        assert_eq!((info.name(), info.user), ("db1:5433".to_owned(), None));
        assert!(service("mian", &files).unwrap_err().to_string().contains("there is no service mian"));
        fs::write(&file, "[main]\npassword=hunter2\n").unwrap();
        let told = service("main", &files).unwrap_err().to_string();
        assert!(told.contains("holds a password") && !told.contains("hunter2"), "{told}");
    }
}
