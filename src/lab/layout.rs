//! Where everything of a practice estate is: its folder, its ports, the commands of its processes.

use std::fs::{self, DirBuilder};
use std::net::TcpListener;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::clients::TARGETS;
use super::copies::{self, COPIES};
use super::edge::TARGET;
use super::store::SETTINGS;
use super::{LabError, PRIMARY, Role, STANDBY, Scenario, at, certificate, history, ledger, release, store};

/// The ports that are tried: below those that the system gives to connections by itself, so that none takes the port of
/// a process that is stopped for a while.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// Requests per second of each site's people.
const PACE: [f64; 2] = [10.0, 3.0];

/// One site's ports on 127.0.0.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its name.
    pub name: &'static str,
    /// Where people come in.
    pub front: u16,
    /// The edge's own pages.
    pub edge: u16,
    /// The web service.
    pub web: u16,
    /// The document store.
    pub store: u16,
}

/// A practice estate.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Its folder.
    pub folder: PathBuf,
    /// This program.
    pub program: String,
    /// Its sites, the primary one first.
    pub sites: [Site; 2],
    /// The port of the clients' page.
    pub clients: u16,
    /// What goes wrong in it.
    pub scenario: Scenario,
    /// What the ledger runs from; or why there is none, in a line.
    pub ledger: Result<ledger::Place, String>,
}

impl Layout {
    /// Chooses free ports.
    ///
    /// # Errors
    /// Where there are none.
    pub fn new(folder: &Path, program: &str, scenario: Scenario) -> Result<Layout, LabError> {
        let ports = free_ports(9)?;
        let [f1, e1, w1, s1, f2, e2, w2, s2, clients] = ports[..] else {
            return Err(LabError::Other("no free ports".to_owned()));
        };
        let sites = [
            Site { name: PRIMARY, front: f1, edge: e1, web: w1, store: s1 },
            Site { name: STANDBY, front: f2, edge: e2, web: w2, store: s2 },
        ];
        let ledger = ledger::find(folder);
        if let (Scenario::ReplicaLag, Err(why)) = (scenario, &ledger) {
            return Err(LabError::Other(format!("the scenario {} needs a PostgreSQL: {why}", scenario.word())));
        }
        Ok(Layout { folder: folder.to_owned(), program: program.to_owned(), sites, clients, scenario, ledger })
    }

    /// Writes all files that the processes start from.
    ///
    /// # Errors
    /// Where one cannot be written.
    pub fn write(&self) -> Result<(), LabError> {
        for site in &self.sites {
            for role in [Role::Edge, Role::Web, Role::Store] {
                private(&self.home(role, Some(site)))?;
            }
            release::lay_out(&self.home(Role::Web, Some(site)))?;
            self.file(Role::Edge, Some(site), TARGET, &format!("http://127.0.0.1:{}\n", site.web))?;
            self.file(Role::Store, Some(site), SETTINGS, &store::settings(0, false))?;
        }
        for folder in self.copies() {
            private(&folder)?;
        }
        copies::lay_out(&self.copies())?;
        self.file(Role::Store, self.sites.first(), COPIES, &copies::settings(copies::EVERY, &self.copies()))?;
        if let Ok(place) = &self.ledger {
            ledger::lay_out(place, &self.folder, &self.sites)?;
        }
        private(&self.home(Role::Clients, None))?;
        history::lay_out(&self.folder, Timestamp::now())?;
        if self.tls() {
            certificate::lay_out(&self.certificate())?;
        }
        let mut targets = "# Whom the people ask, and how often: site, address, requests per second.\n".to_owned();
        for (site, pace) in self.sites.iter().zip(PACE) {
            targets += &format!("{} {} {pace}\n", site.name, self.front(site));
        }
        self.file(Role::Clients, None, TARGETS, &targets)
    }

    /// Where the snapshots of the primary site's documents are kept: at each site.
    pub fn copies(&self) -> Vec<PathBuf> {
        self.sites.iter().map(|site| self.folder.join(site.name).join("backup")).collect()
    }

    /// Whether the edges speak TLS.
    pub fn tls(&self) -> bool {
        self.scenario == Scenario::Certificate
    }

    /// The folder of the edges' certificate.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("certificate")
    }

    /// Where people come in. By name, which is what the certificate is for.
    pub fn front(&self, site: &Site) -> String {
        if self.tls() { format!("https://localhost:{}", site.front) } else { format!("http://127.0.0.1:{}", site.front) }
    }

    /// The folder of a process.
    pub fn home(&self, role: Role, site: Option<&Site>) -> PathBuf {
        match site {
            Some(site) => self.folder.join(site.name).join(role.word()),
            None => self.folder.join(role.word()),
        }
    }

    /// Writes a file into the folder of a process.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn file(&self, role: Role, site: Option<&Site>, name: &str, text: &str) -> Result<(), LabError> {
        let (file, next) = (self.home(role, site).join(name), self.home(role, site).join(format!("{name}.next")));
        // Renamed, so that the process reads the old or the new one, whole.
        fs::write(&next, text).and_then(|()| fs::rename(&next, &file)).map_err(at(&file))
    }

    /// The port of a process' own pages. The ledger has none.
    pub fn port(&self, role: Role, site: Option<&Site>) -> u16 {
        match (role, site) {
            (Role::Edge, Some(site)) => site.edge,
            (Role::Web, Some(site)) => site.web,
            (Role::Store, Some(site)) => site.store,
            _ => self.clients,
        }
    }

    /// The command that is a process.
    pub fn argv(&self, role: Role, site: Option<&Site>) -> Vec<String> {
        let home = self.home(role, site).display().to_string();
        let listen = format!("127.0.0.1:{}", self.port(role, site));
        let mut argv: Vec<String> =
            [&self.program, "lab", "serve", role.word(), "--home", &home, "--listen", &listen].map(str::to_owned).to_vec();
        let mut add = |flag: &str, value: String| argv.extend([flag.to_owned(), value]);
        match (role, site) {
            (Role::Edge, Some(site)) => {
                add("--front", format!("127.0.0.1:{}", site.front));
                if self.tls() {
                    add("--certificate", self.certificate().display().to_string());
                }
            }
            (Role::Web, Some(site)) => add("--store", format!("http://127.0.0.1:{}", site.store)),
            _ => {}
        }
        argv
    }
}

/// Makes a folder that only its owner may look into.
fn private(folder: &Path) -> Result<(), LabError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at(folder))
}

/// So many ports of 127.0.0.1 that nobody listens at. They are not held: the processes bind them themselves, again and
/// again. The search begins at a place of this process' own, so that two practice estates do not meet.
fn free_ports(wanted: usize) -> Result<Vec<u16>, LabError> {
    let moment = jiff::Timestamp::now().as_nanosecond().unsigned_abs() as u64 / 1_000;
    let span = u64::from(PORTS.end - PORTS.start);
    let start = (u64::from(std::process::id()) * 7_919 + moment) % span;
    let candidates = (0..span).filter_map(|n| u16::try_from(u64::from(PORTS.start) + (start + n) % span).ok());
    let free: Vec<u16> = candidates.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).take(wanted).collect();
    if free.len() < wanted {
        return Err(LabError::Other(format!("there are not {wanted} free ports from {} to {} on 127.0.0.1", PORTS.start, PORTS.end)));
    }
    Ok(free)
}
