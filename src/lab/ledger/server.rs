//! The guardian of one practice PostgreSQL: makes it, starts it, and ends it with itself.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::link::process::Companion;

use super::super::serve::Duty;
use super::{LabError, PORT, READY, Settings, at, forget, is_abandoned, writer};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// Between two tries to copy a primary that does not answer yet.
const AGAIN: Duration = Duration::from_millis(50);
/// Looks at whether a practice was abandoned, before it is said to go on.
const LOOKS: usize = 20;
/// How long a server may take to end at once, as when its power fails.
const END: Duration = Duration::from_millis(1_500);

/// Whatever ends it, no server is left.
struct Running {
    process: Companion,
}

impl Drop for Running {
    fn drop(&mut self) {
        // SIGQUIT: it ends its own processes and comes back by recovery, as after a loss of power.
        self.process.signal(Signal::SIGQUIT, END);
    }
}

/// Removes what lies elsewhere once nobody holds the practice any more; called when a guardian ends, even one that was
/// abandoned before it began.
pub fn leave(guardian: &Path) {
    let Ok(settings) = Settings::read(guardian) else { return };
    // Of a process that is killed the system closes the pipe and the lock one after the other, in an order of its own.
    for _ in 0..LOOKS {
        if is_abandoned(&settings.lab) {
            return forget(&settings.lab);
        }
        std::thread::sleep(LOOK / 2);
    }
}

/// Runs the server of that folder, and what is done to it.
pub async fn run(duty: &Duty) -> Result<(), LabError> {
    let settings = Settings::read(&duty.home)?;
    let data = settings.home().join("data");
    if !data.join("PG_VERSION").exists() {
        match &settings.follows {
            None => make(&settings, duty, &data).await?,
            Some(primary) => copy(&settings, duty, primary, &data).await?,
        }
    }
    let argv = [program(&settings, "postgres"), "-D".to_owned(), data.display().to_string()];
    let mut running = Running { process: start(&settings, duty, &argv)? };
    let work = writer::work(duty, &settings);
    let over = async {
        while running.process.running() {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::select! {
        done = work => done,
        () = over => Err(LabError::Other(format!("the server ended; see {}", log(duty).display()))),
    }
}

fn log(duty: &Duty) -> PathBuf {
    duty.home.join("server.log")
}

fn program(settings: &Settings, name: &str) -> String {
    settings.programs.join(name).display().to_string()
}

fn start(settings: &Settings, duty: &Duty, argv: &[String]) -> Result<Companion, LabError> {
    let user = settings.user.zip(settings.group);
    Ok(Companion::start_as(argv, &settings.base, &log(duty), user)?)
}

/// Runs one of PostgreSQL's programs to its end; whether it did what it should.
async fn done(settings: &Settings, duty: &Duty, argv: &[String]) -> Result<bool, LabError> {
    let mut running = Running { process: start(settings, duty, argv)? };
    while running.process.running() {
        tokio::time::sleep(LOOK).await;
    }
    Ok(running.process.succeeded())
}

/// A new primary, small: practice needs no more.
async fn make(settings: &Settings, duty: &Duty, data: &Path) -> Result<(), LabError> {
    let mut argv = vec![program(settings, "initdb"), "-D".to_owned(), data.display().to_string()];
    // The way in is a socket in a folder that its owner alone enters; over the network there is none.
    let flags = "-U postgres --auth-local=trust --auth-host=reject --no-sync --encoding=UTF8 --locale=C --wal-segsize=1";
    argv.extend(flags.split(' ').map(str::to_owned));
    if !done(settings, duty, &argv).await? {
        return Err(LabError::Other(format!("initdb failed; see {}", log(duty).display())));
    }
    let text = "\n# Practice.\nlisten_addresses = ''\nunix_socket_directories = '..'\nunix_socket_permissions = 0700\n\
         shared_buffers = 8MB\nmax_connections = 20\nmax_wal_senders = 4\nmax_replication_slots = 4\nfsync = off\n\
         min_wal_size = 8MB\nmax_wal_size = 32MB\nwal_level = replica\nhot_standby = on\nmax_slot_wal_keep_size = 256MB\n\
         wal_receiver_status_interval = 1s\nwal_retrieve_retry_interval = 500ms\n\
         archive_mode = on\narchive_timeout = 60s\narchive_command = 'cp %p ../../archive/%f'\n";
    settings_of(data, &format!("{text}port = {PORT}\ncluster_name = '{}'\n", settings.site))
}

/// A standby of the primary, as soon as that is there.
async fn copy(settings: &Settings, duty: &Duty, primary: &Path, data: &Path) -> Result<(), LabError> {
    let from = format!("host={} port={PORT} user=postgres", super::word(primary));
    let mut argv = vec![program(settings, "pg_basebackup"), "-d".to_owned(), from, "-D".to_owned(), data.display().to_string()];
    argv.extend(["-R", "-X", "stream", "-c", "fast", "--no-sync", "-S"].map(str::to_owned));
    argv.push(settings.site.clone());
    let ready = primary.join(READY);
    loop {
        if ready.exists() && done(settings, duty, &argv).await? {
            return settings_of(data, &format!("cluster_name = '{}'\n", settings.site));
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Adds settings, of which the last of a name counts.
fn settings_of(data: &Path, lines: &str) -> Result<(), LabError> {
    let file = data.join("postgresql.conf");
    let opened = fs::File::options().append(true).open(&file);
    opened.and_then(|mut file| file.write_all(lines.as_bytes())).map_err(at(&file))
}
