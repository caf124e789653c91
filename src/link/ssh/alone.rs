//! What would keep a run from going on alone: keys that a session forwards or a hand must touch, and a logind that ends
//! all of a session's processes with it. Reasons for a check, in words; nothing here connects.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use super::Reader;
use crate::link::process::capture::capture;
use crate::model::text;

/// How long the programs that are asked may take, together.
const ASK: Duration = Duration::from_secs(10);
/// Jump hosts that are looked at on the way to one host.
const HOPS: usize = 8;
/// How an OpenSSH key file that has no passphrase begins: `openssh-key-v1`, NUL, and the cipher `none`, as base64.
const OPEN: &str = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU";

/// What a key file is good for when nobody is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    /// It cannot be read.
    Missing,
    /// It can be used as it is.
    Open,
    /// It has a passphrase.
    Locked,
    /// A finger must touch it.
    Touch,
}

/// What is known of this session.
#[derive(Debug, Default)]
struct Session {
    /// It came by ssh itself.
    remote: bool,
    /// `SSH_AUTH_SOCK`.
    agent: Option<String>,
    home: Option<PathBuf>,
}

impl Reader {
    /// Why a run could not connect to this host again when nobody is there, one cleaned sentence each, from what `ssh -G`
    /// says of it and of each host on the way. Empty where nothing is known against it, and for this machine.
    pub async fn alone(&self) -> Vec<String> {
        let until = Instant::now() + ASK;
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let session = Session {
            remote: text("SSH_CONNECTION").is_some(),
            agent: text("SSH_AUTH_SOCK"),
            home: std::env::var_os("HOME").map(PathBuf::from),
        };
        let mut next: Vec<String> = self.host.ssh.iter().cloned().collect();
        let (mut seen, mut reasons) = (BTreeSet::new(), Vec::new());
        while let Some(place) = next.pop() {
            if seen.len() >= HOPS || !seen.insert(place.clone()) {
                continue;
            }
            let mut argv = vec!["ssh".to_owned(), "-G".to_owned()];
            if let Some(config) = &self.host.ssh_config {
                argv.extend(["-F".to_owned(), config.display().to_string()]);
            }
            argv.extend(["--".to_owned(), place.clone()]);
            let said = match capture(&argv, until, 1 << 20).await {
                Ok(said) if said.code == Some(0) => String::from_utf8_lossy(&said.out).into_owned(),
                // Connecting says it better.
                _ => continue,
            };
            let own =
                if Some(&place) == self.host.ssh.as_ref() { self.host.name.clone() } else { format!("{} by {place}", self.host.name) };
            reasons.extend(judge(&own, &said, &session, look).map(|reason| text::clean(&reason, text::NOTE_CAP).into_owned()));
            next.extend(hops(&said));
        }
        reasons
    }
}

/// Why logind would end this process when its session ends; `None` where it would not, or there is no logind.
pub async fn ended_at_logout() -> Option<String> {
    let cgroup = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let argv = ["loginctl", "show-session", "-p", "KillUserProcesses", "-p", "KillOnlyUsers", "-p", "KillExcludeUsers"];
    let said = capture(&argv.map(str::to_owned), Instant::now() + ASK, 64 << 10).await.ok()?;
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten()?.name;
    logind(&cgroup, &String::from_utf8_lossy(&said.out), &user)
}

/// The same of what was read: the cgroup of a process, the manager's settings, the user.
fn logind(cgroup: &str, settings: &str, user: &str) -> Option<String> {
    // A service or a scope of one's own (`systemd-run --user --scope`) is not a session's.
    let session = cgroup.split('/').any(|part| part.trim().starts_with("session-") && part.trim().ends_with(".scope"));
    let value = |name: &str| settings.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default();
    let named = |name: &str| value(name).split_whitespace().any(|one| one == user);
    let only = value("KillOnlyUsers").trim().is_empty() || named("KillOnlyUsers");
    (session && value("KillUserProcesses") == "yes" && only && !named("KillExcludeUsers")).then(|| {
        "logind ends all processes of this session at its end (KillUserProcesses=yes): start the console by \
         `systemd-run --user --scope`, with lingering enabled (`loginctl enable-linger`)"
            .to_owned()
    })
}

/// The values of one setting in what `ssh -G` prints.
fn values<'a>(said: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    said.lines().filter_map(move |line| line.split_once(' ').filter(|(key, _)| *key == name).map(|(_, value)| value.trim()))
}

/// The hosts on the way, as ssh takes them.
fn hops(said: &str) -> Vec<String> {
    let all = values(said, "proxyjump").filter(|value| *value != "none").flat_map(|value| value.split(','));
    let typed = |hop: &str| if hop.contains(':') && !hop.starts_with("ssh://") { format!("ssh://{hop}") } else { hop.to_owned() };
    all.map(str::trim).filter(|hop| !hop.is_empty()).map(typed).collect()
}

fn judge(name: &str, said: &str, session: &Session, look: impl Fn(&Path) -> Key) -> Option<String> {
    let file = |value: &str| match (value.strip_prefix("~/"), &session.home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(value),
    };
    let keys: Vec<(PathBuf, Key)> = values(said, "identityfile").map(file).map(|path| (path.clone(), look(&path))).collect();
    if keys.iter().any(|(_, key)| *key == Key::Open) {
        return None;
    }
    let first = |wanted: Key| keys.iter().find(|(_, key)| *key == wanted).map(|(path, _)| path.display().to_string());
    if values(said, "pkcs11provider").any(|value| value != "none") {
        return Some(format!("{name}: its key is in a token (PKCS11Provider): a run cannot connect again where it asks for something"));
    }
    let agent = match values(said, "identityagent").next() {
        Some("none") => None,
        None | Some("SSH_AUTH_SOCK" | "$SSH_AUTH_SOCK") => session.agent.clone(),
        Some(path) => Some(file(path).display().to_string()),
    };
    match agent {
        // What sshd makes for an agent that is forwarded to it lies there.
        Some(agent) if session.remote && (agent.starts_with("/tmp/ssh-") || Some(&agent) == session.agent.as_ref()) => Some(format!(
            "{name}: its key comes from an agent that this session forwards ({agent}): when the session ends, a run cannot \
             connect again; a key file of this machine without a passphrase could"
        )),
        _ if let Some(path) = first(Key::Touch) => {
            Some(format!("{name}: its key {path} wants to be touched: a run cannot connect again while nobody is there"))
        }
        None if let Some(path) = first(Key::Locked) => {
            Some(format!("{name}: its key {path} has a passphrase, and no agent holds it: a run cannot connect again"))
        }
        _ => None,
    }
}

/// Reads no more of a key file than what says of which kind it is.
fn look(path: &Path) -> Key {
    let start = |path: &Path| -> Option<String> {
        use std::io::Read;
        let mut bytes = Vec::new();
        std::fs::File::open(path).ok()?.take(4 << 10).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    match start(path) {
        None => Key::Missing,
        Some(_) if start(Path::new(&public)).is_some_and(|text| text.trim_start().starts_with("sk-")) => Key::Touch,
        Some(text) => kind(&text),
    }
}

fn kind(text: &str) -> Key {
    let mut lines = text.lines();
    let open = match lines.next().unwrap_or_default().trim() {
        "-----BEGIN OPENSSH PRIVATE KEY-----" => lines.next().is_some_and(|line| line.starts_with(OPEN)),
        "-----BEGIN ENCRYPTED PRIVATE KEY-----" => false,
        first => first.starts_with("-----BEGIN ") && first.ends_with(" PRIVATE KEY-----") && !text.contains("ENCRYPTED"),
    };
    if open { Key::Open } else { Key::Locked }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "host web1\nforwardagent no\nidentityfile ~/.ssh/id_ed25519\nidentityfile /k/other\nproxyjump none\n";

    fn reason(said: &str, session: &Session, key: Key) -> String {
        judge("web1", said, session, |path| if path == Path::new("/h/.ssh/id_ed25519") { key } else { Key::Missing }).unwrap_or_default()
    }

    fn session(remote: bool, agent: Option<&str>) -> Session {
        Session { remote, agent: agent.map(str::to_owned), home: Some("/h".into()) }
    }

    #[test]
    fn a_key_file_that_opens_by_itself_is_enough_and_a_forwarded_agent_is_not() {
        let forwarded = session(true, Some("/tmp/ssh-XXaa/agent.1"));
        assert_eq!(reason(SAID, &forwarded, Key::Open), "");
        for key in [Key::Missing, Key::Locked, Key::Touch] {
            assert!(reason(SAID, &forwarded, key).contains("forwards (/tmp/ssh-XXaa/agent.1)"), "{key:?}");
        }
        assert_eq!(reason(SAID, &session(false, Some("/run/agent")), Key::Locked), "", "an agent of this machine holds it");
        let own = format!("{SAID}identityagent /run/own\n");
        assert_eq!(reason(&own, &forwarded, Key::Locked), "", "another agent than the forwarded one is meant");
        assert!(reason(&format!("{SAID}identityagent none\n"), &forwarded, Key::Locked).contains("passphrase"));
    }

    #[test]
    fn touch_passphrase_and_token_are_told() {
        assert!(reason(SAID, &session(false, Some("/run/agent")), Key::Touch).contains("/h/.ssh/id_ed25519 wants to be touched"));
        assert!(reason(SAID, &session(false, None), Key::Locked).contains("has a passphrase"));
        assert!(reason(&format!("{SAID}pkcs11provider /lib/p.so\n"), &session(false, None), Key::Missing).contains("token"));
        assert_eq!(reason(SAID, &session(false, None), Key::Missing), "");
    }

    #[test]
    fn hosts_on_the_way_are_found() {
        assert!(hops(SAID).is_empty());
        assert_eq!(hops("proxyjump anna@jump:2222,second\n"), ["ssh://anna@jump:2222", "second"]);
    }

    #[test]
    fn key_files_are_known_by_how_they_begin() {
        let new = |body: &str| kind(&format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\n"));
        assert_eq!(new("b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW"), Key::Open);
        assert_eq!(new("b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABBOlKHx"), Key::Locked);
        assert_eq!(kind("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n"), Key::Open);
        assert_eq!(kind("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"), Key::Locked);
        assert_eq!(kind("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIE\n"), Key::Locked);
        assert_eq!(kind("what"), Key::Locked);
    }

    #[test]
    fn logind_counts_only_for_a_session_of_a_user_that_it_ends() {
        let scope = "0::/user.slice/user-1000.slice/session-3.scope\n";
        let yes = "KillUserProcesses=yes\nKillOnlyUsers=\nKillExcludeUsers=root\n";
        assert!(logind(scope, yes, "anna").is_some());
        assert!(logind(scope, yes, "root").is_none());
        assert!(logind(scope, "KillUserProcesses=no\n", "anna").is_none());
        assert!(logind(scope, "KillUserProcesses=yes\nKillOnlyUsers=bob eve\n", "anna").is_none());
        assert!(logind("0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope\n", yes, "anna").is_none());
        assert!(logind("", "", "anna").is_none());
    }
}
