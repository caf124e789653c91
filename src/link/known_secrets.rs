//! The values of the secrets that an estate refers to, so that what prints one of them can be told from what does not.
//! They go nowhere else.

use std::path::{Path, PathBuf};

use super::postgres::password_of;
use super::secret::Secrets;
use crate::config::http_config::{self, Auth, HttpConfig, SecretRef};
use crate::model::estate::{Estate, History, SourceKind};
use crate::model::operations::OwnAct;

/// The secrets of these `http_config` files and of these servers (in libpq's words), as they are now. What cannot be read
/// is left out: whoever needs it says so. It blocks while it reads.
pub fn known_secrets(http_configs: impl IntoIterator<Item = PathBuf>, conninfos: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut files = Secrets::default();
    let mut all: Vec<String> = http_configs.into_iter().flat_map(|path| of_http(&path, &mut files)).collect();
    all.extend(conninfos.into_iter().filter_map(|conninfo| password_of(&conninfo)).map(|secret| secret.reveal().to_owned()));
    // The longer one first: one may be a part of another.
    all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    all.dedup();
    all
}

/// All that the estate's own files refer to, so that no output that prints one of them is kept or shown. It is read again and
/// again: secrets are rotated meanwhile. It blocks while it reads them.
pub fn of_estate(estate: &Estate) -> Vec<String> {
    let own = estate.services.iter().flat_map(|service| service.rollback.before.iter().chain(&service.rollback.after));
    let acts = own.flat_map(|step| [Some(&step.does), step.undo.as_ref()]).flatten();
    let asked = acts.filter_map(|act| match act {
        OwnAct::Http { http_config, .. } => http_config.as_ref().map(PathBuf::from),
        OwnAct::Command { .. } | OwnAct::Manual { .. } => None,
    });
    let conninfos = estate.sources.iter().flat_map(|source| match &source.kind {
        SourceKind::Database(database) => database.nodes.iter().map(|node| node.conninfo.clone()).collect(),
        SourceKind::History(History::Sql { conninfo, .. }) => vec![conninfo.clone()],
        _ => Vec::new(),
    });
    known_secrets(estate.sources.iter().filter_map(|source| source.http_config.clone()).chain(asked), conninfos)
}

fn of_http(path: &Path, files: &mut Secrets) -> Vec<String> {
    let Ok(config) = http_config::load(path) else { return Vec::new() };
    let values = references(&config).into_iter().filter_map(|reference| files.value(reference).ok());
    values.map(|secret| secret.reveal().to_owned()).collect()
}

/// All but the name of the user, and certificates.
fn references(config: &HttpConfig) -> Vec<&SecretRef> {
    let mut all: Vec<&SecretRef> = config.headers.iter().flat_map(|header| &header.values).collect();
    match &config.auth {
        Auth::None => {}
        Auth::Basic { password, .. } => all.extend(password),
        Auth::Token { credentials, .. } => all.push(credentials),
    }
    all
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn passwords_tokens_headers_and_password_files_are_known() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            path
        };
        at("pw", "of-a-file\n");
        let files = [
            at("basic.yml", "basic_auth: {username: anna, password_file: pw}\n"),
            at("token.yml", "authorization: {credentials: of-the-token}\n"),
            at("head.yml", "http_headers: {X-Key: {secrets: [of-a-header]}}\n"),
            folder.path().join("not-there.yml"),
        ];
        let passfile = at("pass", "*:*:*:qd:of-the-database\n");
        let conninfo = format!("host=db1 user=qd dbname=d passfile={}", passfile.display());
        let mut known = known_secrets(files, [conninfo, "host=db1 user=nobody passfile=/nonexistent".to_owned()]);
        known.sort();
        assert_eq!(known, ["of-a-file", "of-a-header", "of-the-database", "of-the-token"]);
    }
}
