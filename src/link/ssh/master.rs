//! One connection to a host that stays: ssh itself as the master of a control socket, a child of ours. It ends when it is
//! dropped. Where we are killed it ends too: its own session there reads from a pipe that this process alone holds open.
//! (With `ControlPersist` ssh would make itself a daemon, which outlives us.)

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, ChildStdin, Command};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::explain;
use super::folder::Folder;
use crate::link::http::LinkError;
use crate::link::http::explain::unreachable;
use crate::link::process::capture::Group;

/// Between two looks at whether the socket is there.
const LOOK: Duration = Duration::from_millis(10);
/// How long a jump host's own ssh may hold on to the errors of one that ended.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Bytes of its errors that are kept.
const ERRORS: usize = 16 << 10;

/// What is the same for the master and for those that use it. Nothing asks, nothing is forwarded, no host key is taken on
/// trust and none is written down.
const OPTIONS: [&str; 13] = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "UpdateHostKeys=no",
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "RequestTTY=no",
    "LogLevel=ERROR",
];

/// What the master's own session runs there: it ends with its input.
const UNTIL_ABANDONED: &str = "exec cat";

/// The connection.
#[derive(Debug)]
pub(super) struct Master {
    child: Child,
    socket: PathBuf,
    client: Vec<String>,
    reader: JoinHandle<()>,
    /// Ends it when this process does.
    _input: Option<ChildStdin>,
    /// Ends what it started too: a jump host's ssh.
    _group: Group,
    /// The socket's folder is there as long as the socket.
    _folder: Arc<Folder>,
}

impl Drop for Master {
    fn drop(&mut self) {
        self.reader.abort();
        // ssh removes it where it may; one that is killed does not.
        let _ = std::fs::remove_file(&self.socket);
    }
}

impl Master {
    /// Connects; done when the socket takes commands. Who waits has a deadline: dropping the wait ends the attempt.
    pub(super) async fn open(name: &str, ssh: &str, config: Option<&Path>, folder: Arc<Folder>) -> Result<Master, LinkError> {
        let socket = folder.socket();
        let argv = |own: &[&str]| -> Vec<String> {
            let mut argv = vec!["ssh".to_owned()];
            if let Some(config) = config {
                argv.extend(["-F".to_owned(), config.display().to_string()]);
            }
            let path = format!("ControlPath={}", socket.display());
            for option in OPTIONS.iter().chain(own).copied().chain([path.as_str()]) {
                argv.extend(["-o".to_owned(), option.to_owned()]);
            }
            argv
        };
        let mut master = argv(&["ControlMaster=yes", "ControlPersist=no"]);
        master.extend(["-T", "--", ssh, UNTIL_ABANDONED].map(str::to_owned));
        let mut client = argv(&["ControlMaster=no"]);
        client.extend(["-T", "--", ssh].map(str::to_owned));
        let mut child = Command::new(&master[0])
            .args(&master[1..])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| unreachable(format!("{name}: cannot start ssh: {error}; reading on hosts needs OpenSSH's client")))?;
        let said = Arc::new(Mutex::new(Vec::new()));
        let reader = tokio::spawn(listen(child.stderr.take(), said.clone()));
        let mut made = Master { _group: Group::of(child.id()), _input: child.stdin.take(), child, socket, client, reader, _folder: folder };
        // The socket gets its name when the connection stands and takes commands.
        while !made.socket.exists() {
            if !made.runs() {
                let _ = timeout(LAST_WORDS, &mut made.reader).await;
                let errors = String::from_utf8_lossy(&said.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
                let config = config.map_or(String::new(), |config| format!("-F {} ", config.display()));
                return Err(explain::failed(name, &format!("ssh {config}{ssh}"), &errors));
            }
            sleep(LOOK).await;
        }
        Ok(made)
    }

    fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// True while it takes commands.
    pub(super) fn stands(&mut self) -> bool {
        self.runs() && self.socket.exists()
    }

    /// ssh and its arguments, to which a command is added.
    pub(super) fn client(&self) -> Vec<String> {
        self.client.clone()
    }
}

/// Keeps the end of what it says.
async fn listen(errors: Option<ChildStderr>, said: Arc<Mutex<Vec<u8>>>) {
    let Some(mut errors) = errors else { return };
    let mut part = vec![0; 4 << 10];
    while let Ok(n @ 1..) = errors.read(&mut part).await {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend_from_slice(&part[..n]);
        let extra = said.len().saturating_sub(ERRORS);
        said.drain(..extra);
    }
}
