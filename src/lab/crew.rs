//! The processes of a practice estate: which there are, which run. They are started and stopped when someone asks, and
//! never by themselves: an outage stays one.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::link::http::{Limits, Reader};
use crate::link::process::Companion;

use super::control::{Request, Which};
use super::history::{self, Made};
use super::layout::{Layout, Site};
use super::{LabError, Role, at, release};

/// How long a process may take to end by itself.
const END: Duration = Duration::from_secs(2);
/// How long one may take until it can be connected to.
const START: Duration = Duration::from_secs(8);
/// How long one may take to say that it is ready.
const READY: Limits = Limits { deadline: Duration::from_secs(2), body_cap: 4096 };
/// In the folder of a process: its number.
pub const PID: &str = "pid";

/// One process.
struct Member {
    role: Role,
    /// Its site's place among the sites; the clients have none.
    site: Option<usize>,
    process: Option<Companion>,
}

/// All of them.
pub struct Crew {
    layout: Layout,
    members: Vec<Member>,
    /// The end has begun: nothing is started any more.
    over: bool,
}

impl Crew {
    /// Nobody runs yet.
    pub fn new(layout: Layout) -> Crew {
        let mut members = Vec::new();
        for site in 0..layout.sites.len() {
            // From the bottom up: a service that starts finds what it needs.
            members.extend([Role::Store, Role::Web, Role::Edge].map(|role| Member { role, site: Some(site), process: None }));
        }
        members.push(Member { role: Role::Clients, site: None, process: None });
        if layout.ledger.is_ok() {
            members.extend((0..layout.sites.len()).map(|site| Member { role: Role::Ledger, site: Some(site), process: None }));
        }
        Crew { layout, members, over: false }
    }

    /// Starts every process, without waiting for any.
    pub fn start_all(&mut self) -> Result<(), LabError> {
        (0..self.members.len()).try_for_each(|n| self.start(n))
    }

    /// The processes that have ended, for a message.
    pub fn ended(&mut self) -> Vec<String> {
        let layout = &self.layout;
        let ended = self.members.iter_mut().filter_map(|m| {
            let gone = !m.process.as_mut()?.running();
            gone.then(|| name(layout, m.role, m.site))
        });
        ended.collect()
    }

    /// Does what is asked, and waits until it is done.
    pub fn carry_out(&mut self, request: Request) -> Result<String, LabError> {
        match request {
            Request::Start(which) => {
                let (meant, told) = self.meant(&which)?;
                meant.iter().try_for_each(|n| self.start(*n))?;
                meant.iter().try_for_each(|n| self.until_it_answers(*n))?;
                Ok(format!("{told} runs"))
            }
            Request::Stop(which) => {
                let (meant, told) = self.meant(&which)?;
                for n in meant {
                    let role = self.members[n].role;
                    if let Some(process) = &mut self.members[n].process {
                        match (&which, role) {
                            // The guardian itself lets its server end as by a loss of power: killed, it could not.
                            (Which::One(..), _) | (_, Role::Ledger) => process.end(END),
                            (Which::Site(_), _) => process.kill(),
                        }
                    }
                    self.members[n].process = None;
                }
                Ok(format!("{told} is stopped"))
            }
            Request::Restart(which) => {
                self.carry_out(Request::Stop(which.clone()))?;
                self.carry_out(Request::Start(which))
            }
            Request::Ready(which) => {
                let (meant, told) = self.meant(&which)?;
                meant.iter().try_for_each(|n| self.ready(*n))?;
                Ok(format!("{told} is ready"))
            }
            Request::Deploy { version, site } => {
                let one = Which::One(Role::Web, Some(site.clone()));
                self.meant(&one)?;
                let web = self.layout.home(Role::Web, self.site(&site));
                let (began, from) = (Timestamp::now(), release::current(&web).map(|release| release.version).unwrap_or_default());
                release::put(&web, &version)?;
                release::switch(&web, &version)?;
                let done = self.carry_out(Request::Stop(one.clone())).and_then(|_| self.carry_out(Request::Start(one)));
                let took = Timestamp::now().duration_since(began).as_secs_f64();
                let made = Made { site: &site, from: &from, version: &version, began, took, worked: done.is_ok() };
                // A log that cannot be written is told after what went wrong before it.
                let logged = history::add(&self.layout.folder, &made);
                done?;
                logged?;
                Ok(format!("release {version} runs at {site}"))
            }
        }
    }

    /// Ends all, and lets none be started again.
    pub fn end(&mut self) {
        self.over = true;
        let mut ledgers = self.members.iter_mut().filter(|m| m.role == Role::Ledger).filter_map(|m| m.process.as_mut()).collect::<Vec<_>>();
        // A guardian ends its server: all are asked before any is waited for.
        ledgers.iter_mut().for_each(|guardian| guardian.ask_to_end());
        ledgers.iter_mut().for_each(|guardian| guardian.end(END));
        for member in &mut self.members {
            // SIGKILL in a moment is what practice processes can take; they keep nothing that is not on disk.
            member.process = None;
        }
    }

    fn site(&self, name: &str) -> Option<&Site> {
        self.layout.sites.iter().find(|site| site.name == name)
    }

    /// The members that are meant, and how to call them.
    fn meant(&self, which: &Which) -> Result<(Vec<usize>, String), LabError> {
        let place = |name: &str| {
            let place = self.layout.sites.iter().position(|site| site.name == name);
            place.ok_or_else(|| {
                let names: Vec<&str> = self.layout.sites.iter().map(|site| site.name).collect();
                LabError::Other(format!("there is no site {name:?}; there are {}", names.join(" and ")))
            })
        };
        let (role, site) = match which {
            Which::One(role, Some(site)) => (Some(*role), Some(place(site)?)),
            Which::One(role, None) => (Some(*role), None),
            Which::Site(site) => (None, Some(place(site)?)),
        };
        let fits = |m: &Member| m.site == site && role.is_none_or(|role| m.role == role);
        let meant: Vec<usize> = self.members.iter().enumerate().filter(|(_, m)| fits(m)).map(|(n, _)| n).collect();
        let told = match role {
            Some(role) => name(&self.layout, role, site),
            None => format!("site {}", site.map_or("", |site| self.layout.sites[site].name)),
        };
        if meant.is_empty() {
            return Err(LabError::Other(format!("there is no {told}")));
        }
        Ok((meant, told))
    }

    /// Starts one that does not run.
    fn start(&mut self, n: usize) -> Result<(), LabError> {
        if self.over {
            return Err(LabError::Other("the practice is over".to_owned()));
        }
        let layout = &self.layout;
        let member = &mut self.members[n];
        if member.process.as_mut().is_some_and(Companion::running) {
            return Ok(());
        }
        let site = member.site.map(|site| &layout.sites[site]);
        let home = layout.home(member.role, site);
        // The web service works in its release, as one that is deployed does: by that a rollback sees what runs.
        let folder = if member.role == Role::Web { home.join("current") } else { home.clone() };
        let process = Companion::start(&layout.argv(member.role, site), &folder, &home.join("log"))?;
        let pid = home.join(PID);
        let written = fs::write(&pid, format!("{}\n", process.id())).map_err(at(&pid));
        member.process = Some(process);
        written
    }

    /// Asks one whether it can do its work.
    fn ready(&mut self, n: usize) -> Result<(), LabError> {
        let layout = &self.layout;
        let member = &mut self.members[n];
        let told = name(layout, member.role, member.site);
        if !member.process.as_mut().is_some_and(Companion::running) {
            return Err(LabError::Other(format!("{told} does not run")));
        }
        if member.role == Role::Ledger {
            return Ok(());
        }
        let page = if member.role == Role::Web { "/readyz" } else { "/healthz" };
        let other = |what: String| LabError::Other(format!("{told} is not ready: {what}"));
        let address = format!("http://127.0.0.1:{}", layout.port(member.role, member.site.map(|site| &layout.sites[site])));
        let reader = Reader::new(&address, None, READY).map_err(|error| other(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| other(error.to_string()))?;
        match runtime.block_on(reader.get(page, &[])) {
            Ok(body) if body.status == 200 => Ok(()),
            Ok(body) => Err(other(format!("{page} answers {}", body.status))),
            Err(error) => Err(other(error.to_string())),
        }
    }

    /// Waits until its port can be connected to.
    fn until_it_answers(&mut self, n: usize) -> Result<(), LabError> {
        let layout = &self.layout;
        let member = &mut self.members[n];
        let site = member.site.map(|site| &layout.sites[site]);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, layout.port(member.role, site)));
        let socket = match (&layout.ledger, member.role, site) {
            (Ok(place), Role::Ledger, Some(site)) => Some(place.socket(site)),
            _ => None,
        };
        let answers = || match &socket {
            Some(socket) => UnixStream::connect(socket).is_ok(),
            None => TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok(),
        };
        let last = Instant::now() + START;
        while !answers() {
            let running = member.process.as_mut().is_some_and(Companion::running);
            if !running || Instant::now() >= last {
                let log = layout.home(member.role, site).join("log");
                let told = name(layout, member.role, member.site);
                return Err(LabError::Other(format!("{told} does not start; see {}", log.display())));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

fn name(layout: &Layout, role: Role, site: Option<usize>) -> String {
    match site {
        Some(site) => format!("{} at {}", role.word(), layout.sites[site].name),
        None => role.word().to_owned(),
    }
}
