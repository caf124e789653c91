//! Who writes, as this process and its environment tell.

use std::ffi::OsString;
use std::fs;

use nix::unistd::{User, geteuid, gethostname, ttyname};

use crate::model::event::{Actor, Process};
use crate::model::text::{LABEL_CAP, clean};

/// This process' actor. `env` looks up a variable of its environment.
pub fn actor(env: &dyn Fn(&str) -> Option<OsString>) -> Actor {
    let text = |text: &str| clean(text, LABEL_CAP).into_owned();
    let variable = |name: &str| env(name).map(|value| text(&value.to_string_lossy())).filter(|value| !value.is_empty());
    let uid = geteuid();
    let user = User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| text(&user.name));
    // Errors keep the terminal where input and output lead elsewhere.
    let terminal = ttyname(std::io::stdin()).or_else(|_| ttyname(std::io::stderr())).ok();
    let client = variable("SSH_CONNECTION").or_else(|| variable("SSH_CLIENT"));
    let id = std::process::id();
    Actor {
        login: variable("SUDO_USER").filter(|login| *login != user),
        user,
        uid: uid.as_raw(),
        host: gethostname().map_or_else(|_| "?".to_owned(), |host| text(&host.to_string_lossy())),
        terminal: terminal.map(|terminal| text(&terminal.display().to_string())),
        ssh: client.and_then(|client| client.split(' ').next().map(str::to_owned)),
        process: Process { id, began: began(id).unwrap_or(0) },
    }
}

/// True where that process still runs here; false where it ended or ran on another machine.
pub fn is_alive(actor: &Actor) -> bool {
    let host = gethostname().map(|host| clean(&host.to_string_lossy(), LABEL_CAP).into_owned());
    let began = began(actor.process.id);
    host.is_ok_and(|host| host == actor.host) && began.is_some_and(|began| began == actor.process.began)
}

/// When a process began, in ticks since the machine was started.
fn began(id: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name of the program, in brackets, may hold anything; the state follows it as the third field.
    let mut rest = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = rest.next()?;
    if state == "Z" {
        return None;
    }
    rest.nth(18)?.parse().ok()
}
