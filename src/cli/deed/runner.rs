//! `qd runner`: the process that carries a run out. It is started by qd itself, and by nobody else.

use std::io::{BufReader, Write};
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::eyre;
use tokio::time::Instant;

use crate::config::load;
use crate::link::ssh::Hosts;
use crate::model::estate::Host;
use crate::model::event::Actor;
use crate::model::problem::Problem;
use crate::model::run::{Request, RunState};
use crate::operate::attach::{Started, prepare};
use crate::operate::ground::Ground;
use crate::operate::runner::process::{Prepare, serve};
use crate::operate::runner::{Outcome, Pace};
use crate::session::operator::{self, RUNNER, under_way};
use crate::session::past::past;

use super::super::failure::Failure;
use super::super::settings::Settings;
use super::super::wait;
use super::super::{FAILED, OK};
use super::{Ground as Desk, may_write};

/// How long the hosts may take until their connections stand.
const CONNECT: Duration = Duration::from_secs(30);

/// Carries out what standard input says: 0 where the run ended or nothing was begun.
pub fn run(settings: &Settings<'_>, err: &mut dyn Write) -> Result<u8, Failure> {
    let readings = settings.paths.readings();
    // Promise 11, once more where it is done.
    may_write(settings)?;
    let make = |what: Prepare| async move {
        let problems = |found: Vec<Problem>| format!("{}: {} problems; `qd check` tells them", what.estate.display(), found.len());
        let estate = load::estate(&what.estate).map_err(problems)?;
        // None but those that the plan names.
        let named: Vec<Host> = estate.hosts.iter().filter(|host| what.hosts.contains(&host.name)).cloned().collect();
        let (estate, hosts) = (Arc::new(estate), Arc::new(Hosts::new(&named)));
        // Beside the wait for the order: what cannot be reached now is told by the checks.
        let early = hosts.clone();
        tokio::spawn(async move { early.connect_all(Instant::now() + CONNECT).await });
        Ok(move |run: &str, by: &Actor| {
            let journal = what.journal.clone();
            let others = Arc::new(move || under_way(&what.journal));
            let past = past(estate.clone(), readings);
            let lease = Duration::from_secs(what.lease);
            Ground::new(estate, hosts, past, others, lease, run.to_owned(), by.name()).holding(journal)
        })
    };
    // Standard error becomes the run's log.
    let _ = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).try_init();
    let answer = |line: &str| {
        let mut out = std::io::stdout();
        // Whoever started it may be gone: the run goes on.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    };
    match wait::side_by_side(serve(BufReader::new(std::io::stdin()), answer, make, Pace::default()))? {
        Ok(None | Some(Outcome::Ended(_))) => Ok(OK),
        Ok(Some(Outcome::Stopped(why))) => {
            writeln!(err, "the run may be resumed: {why}")?;
            Ok(FAILED)
        }
        Err(error) => Err(Failure::Other(eyre!("{error}"))),
    }
}

/// A runner that makes ready.
pub(super) fn ready(settings: &Settings<'_>, what: Prepare) -> Result<crate::operate::attach::Prepared, Failure> {
    let log = settings.paths.log().ok_or_else(|| eyre!("there is no folder for the log: set HOME or XDG_STATE_HOME"))?;
    Ok(prepare(&[RUNNER], what, &log.join("runner.log")).map_err(color_eyre::Report::from)?)
}

/// Has a new runner take up a run whose own is gone, with what is asked of it.
pub(super) fn take_up(settings: &Settings<'_>, ground: &Desk, state: &RunState, request: &Request) -> Result<Started, Failure> {
    let hand = settings.hand(Some(&settings.estate()?));
    let started = operator::take_up(settings.estate_path()?, &ground.journal, state, request, &hand);
    // Without its source: its words are in it already.
    Ok(started.map_err(|error| eyre!("{error}"))?)
}
