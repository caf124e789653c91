//! A practice estate that runs: starts all, answers at its socket, lets the scenario's disaster happen, and ends all.

use std::fs;
use std::io::Write;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::link::http::{Limits, Reader};

use super::control::{self, Request, SOCKET};
use super::copies::COPIES;
use super::crew::Crew;
use super::layout::Layout;
use super::store::{SETTINGS, settings};
use super::{LabError, PRIMARY, Role, Scenario, at, copies, edge, estate, ledger, release};

/// How long all processes together may take until they are well.
const START: Duration = Duration::from_secs(15);
/// How long the ledger may take until both of its servers answer.
const LEDGER: Duration = Duration::from_secs(12);
/// Between two looks at one that is not well yet.
const LOOK: Duration = Duration::from_millis(15);
/// What each document takes longer in a store that is slow.
const DELAY_MS: u64 = 1_200;
/// The longest path of a socket, less its name (`sockaddr_un` on Linux holds 107 bytes, elsewhere 103).
pub const LONGEST_FOLDER: usize = 90;

/// What to start.
#[derive(Debug, Clone)]
pub struct Options {
    /// What goes wrong.
    pub scenario: Scenario,
    /// This program's own path.
    pub program: PathBuf,
    /// Its folder: there already, empty, its owner's alone.
    pub folder: PathBuf,
    /// The time between the start and what goes wrong.
    pub after: Duration,
}

/// A practice estate that runs. It ends when this is dropped, and all its processes with it.
pub struct Lab {
    estate: PathBuf,
    folder: PathBuf,
    crew: Arc<Mutex<Crew>>,
    over: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
    disaster: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Lab {
    /// Starts everything and waits until all say that they are well.
    ///
    /// # Errors
    /// Where something does not start; what had started is ended.
    pub fn start(options: &Options) -> Result<Lab, LabError> {
        let (folder, program) = (text(&options.folder)?, text(&options.program)?);
        if folder.len() > LONGEST_FOLDER {
            return Err(LabError::Other(format!("{folder}: the path is too long for a socket in it; set TMPDIR to a shorter one")));
        }
        let layout = Layout::new(&options.folder, program, options.scenario)?;
        layout.write()?;
        let path = options.folder.join("estate.toml");
        fs::write(&path, estate::text(&layout, Timestamp::now().to_zoned(TimeZone::UTC).date())).map_err(at(&path))?;
        let socket = options.folder.join(SOCKET);
        let listener = UnixListener::bind(&socket).map_err(at(&socket))?;

        let crew = Arc::new(Mutex::new(Crew::new(layout.clone())));
        let over = Arc::new(AtomicBool::new(false));
        let mut lab = Lab { estate: path, folder: options.folder.clone(), crew, over, listener: None, disaster: None };
        lock(&lab.crew).start_all()?;
        lab.until_all_are_well(&layout)?;
        lab.listener = Some(lab.listen(listener));
        lab.disaster = Some(lab.prepare(layout, options.after));
        Ok(lab)
    }

    /// The estate file.
    pub fn estate(&self) -> &Path {
        &self.estate
    }

    /// The folder of all its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn until_all_are_well(&self, layout: &Layout) -> Result<(), LabError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(at(&self.folder))?;
        let sites = layout.sites.iter().flat_map(|site| [Role::Edge, Role::Web, Role::Store].map(|role| (role, Some(site))));
        let last = Instant::now() + START;
        for (role, site) in sites.chain([(Role::Clients, None)]) {
            let limits = Limits { deadline: Duration::from_secs(1), body_cap: 4096 };
            let reader = Reader::new(&format!("http://127.0.0.1:{}", layout.port(role, site)), None, limits)
                .map_err(|error| LabError::Other(error.to_string()))?;
            loop {
                let why = match runtime.block_on(reader.get("/healthz", &[])) {
                    Ok(body) if body.status == 200 => break,
                    Ok(body) => format!("/healthz answers {}", body.status),
                    Err(error) => error.to_string(),
                };
                let ended = lock(&self.crew).ended();
                if !ended.is_empty() || Instant::now() >= last {
                    let who = if ended.is_empty() { role.word().to_owned() } else { ended.join(", ") };
                    return Err(LabError::Other(format!("{who} did not start: {why}; {}", self.last_words(layout))));
                }
                thread::sleep(LOOK);
            }
        }
        self.until_the_ledger_is_there(layout);
        Ok(())
    }

    /// A database is being made for some seconds. Whoever looked meanwhile would see an outage that is none, and its end, and
    /// practice begins with all well. One that does not get well is practice, too: it holds nothing up for long.
    fn until_the_ledger_is_there(&self, layout: &Layout) {
        let Ok(place) = &layout.ledger else { return };
        let last = Instant::now() + LEDGER;
        let there = || layout.sites.iter().all(|site| place.home(site).join(ledger::READY).exists());
        while !there() && Instant::now() < last && lock(&self.crew).ended().is_empty() {
            thread::sleep(LOOK);
        }
    }

    /// What the processes wrote last: that of one that ended says why.
    fn last_words(&self, layout: &Layout) -> String {
        let sites = layout.sites.iter().flat_map(|site| [Role::Edge, Role::Web, Role::Store].map(|role| (role, Some(site))));
        let logs = sites.chain([(Role::Clients, None)]).filter_map(|(role, site)| {
            let text = fs::read_to_string(layout.home(role, site).join("log")).ok()?;
            text.lines().next_back().map(str::to_owned)
        });
        logs.collect::<Vec<_>>().join("; ")
    }

    /// Answers at the socket, one after the other.
    fn listen(&self, listener: UnixListener) -> JoinHandle<()> {
        let (crew, over) = (self.crew.clone(), self.over.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                match stream {
                    // Whoever went away before the answer is not told.
                    Ok(stream) => drop(control::serve(&stream, |request| lock(&crew).carry_out(request))),
                    Err(_) => thread::sleep(LOOK),
                }
            }
        })
    }

    /// Waits for the moment of the scenario's disaster on a thread of its own.
    fn prepare(&self, layout: Layout, after: Duration) -> (Sender<()>, JoinHandle<()>) {
        let (end, ended) = channel();
        let (crew, folder) = (self.crew.clone(), self.folder.clone());
        let waiting = thread::spawn(move || {
            if ended.recv_timeout(after) == Err(RecvTimeoutError::Timeout)
                && let Err(error) = strike(&layout, &crew)
            {
                // The screen belongs to the console: the folder is where a person looks.
                let _ = fs::write(folder.join("disaster.log"), format!("the disaster did not come: {error}\n"));
            }
        });
        (end, waiting)
    }
}

/// Lets the scenario's disaster happen, through what could cause it in earnest.
fn strike(layout: &Layout, crew: &Mutex<Crew>) -> Result<(), LabError> {
    let set = |delay, stuck| layout.file(Role::Store, layout.sites.first(), SETTINGS, &settings(delay, stuck));
    match layout.scenario {
        // A certificate is old from the start.
        Scenario::Steady | Scenario::Certificate => Ok(()),
        Scenario::BadRelease => {
            let deploy = Request::Deploy { version: release::BAD.to_owned(), site: PRIMARY.to_owned() };
            lock(crew).carry_out(deploy).map(drop)
        }
        Scenario::SlowDependency => set(DELAY_MS, false),
        Scenario::Storm => set(0, true),
        Scenario::ReplicaLag => match &layout.ledger {
            Ok(place) => ledger::set(&layout.folder, place, &layout.sites, &layout.sites[1], true),
            Err(why) => Err(LabError::Other(why.clone())),
        },
        Scenario::Stuck => layout.sites.first().map_or(Ok(()), |site| edge::exhaust(&layout.front(site))),
        Scenario::StaleBackup => layout.file(Role::Store, layout.sites.first(), COPIES, &copies::settings(0, &layout.copies())),
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Some((end, waiting)) = self.disaster.take() {
            drop(end);
            let _ = waiting.join();
        }
        self.over.store(true, Ordering::SeqCst);
        lock(&self.crew).end();
        if let Some(listener) = self.listener.take() {
            // Wakes it, so that it sees that all is over.
            if UnixStream::connect(self.folder.join(SOCKET)).is_ok_and(|mut stream| stream.write_all(b"\n").is_ok()) {
                let _ = listener.join();
            }
        }
        ledger::forget(&self.folder);
    }
}

fn lock(crew: &Mutex<Crew>) -> MutexGuard<'_, Crew> {
    crew.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A path as text: it goes into the estate file.
fn text(path: &Path) -> Result<&str, LabError> {
    path.to_str().ok_or_else(|| LabError::Other(format!("{}: the path is no UTF-8 text, which the estate file needs", path.display())))
}
