//! One process of the practice estate: serves its role until whoever started it ends or wants it to end.

use std::io::Write as _;
use std::path::PathBuf;
use std::thread;

use axum::Router;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::link::process::until_abandoned;

use super::certificate::Handshakes;
use super::{LabError, Role, clients, edge, ledger, store, web};

/// What a process is to do.
#[derive(Debug, Clone)]
pub struct Duty {
    /// Its role.
    pub role: Role,
    /// Its own folder.
    pub home: PathBuf,
    /// Where it answers: `127.0.0.1:PORT`. For the edge: its own pages; people are served at `front`.
    pub listen: String,
    /// Of the edge: where people come in.
    pub front: Option<String>,
    /// Of the web service: where its store is.
    pub store: Option<String>,
    /// Of the edge: the folder of its certificate, where it speaks TLS.
    pub certificate: Option<PathBuf>,
}

/// Does its duty. Returns when standard input ends.
///
/// # Errors
/// Where a port cannot be had or a file is not what it should be.
pub fn run(duty: Duty) -> Result<(), LabError> {
    let guardian = (duty.role == Role::Ledger).then(|| duty.home.clone());
    let (gone, abandoned) = oneshot::channel();
    thread::spawn(move || {
        until_abandoned();
        let _ = gone.send(());
    });
    // One thread is plenty, and shows how little such an estate takes.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| LabError::Other(format!("cannot start the runtime: {error}")))?;
    let done = runtime.block_on(async {
        tokio::select! {
            done = on_duty(duty) => done,
            _ = abandoned => Ok(()),
        }
    });
    runtime.shutdown_background();
    if let Some(home) = guardian {
        ledger::leave(&home);
    }
    done
}

async fn on_duty(duty: Duty) -> Result<(), LabError> {
    match duty.role {
        Role::Edge => edge::run(&duty).await,
        Role::Web => web::run(&duty).await,
        Role::Store => store::run(&duty).await,
        Role::Clients => clients::run(&duty).await,
        Role::Ledger => ledger::run(&duty).await,
    }
}

/// Writes a line to the log of this process, as services do: when, how bad, what.
pub fn say(level: &str, what: &str) {
    // A log that cannot be written is not worth ending for.
    let _ = writeln!(std::io::stderr(), "{:.3} {level} {what}", Timestamp::now());
}

/// Serves these pages at that address.
pub async fn pages(address: &str, router: Router) -> Result<(), LabError> {
    let listener = listen(address).await?;
    axum::serve(listener, router).await.map_err(|error| LabError::Other(format!("{address}: {error}")))
}

/// Likewise, over TLS.
pub async fn pages_over_tls(address: &str, certificate: &std::path::Path, router: Router) -> Result<(), LabError> {
    let handshakes = Handshakes::new(listen(address).await?, certificate)?;
    axum::serve(handshakes, router).await.map_err(|error| LabError::Other(format!("{address}: {error}")))
}

async fn listen(address: &str) -> Result<TcpListener, LabError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| LabError::Other(format!("cannot listen on {address}: {error}; another program may have the port")))
}
