//! What the operations engine costs: from the confirmation to the first synced intent, the checks, a step of a runner whose
//! world is in memory next to an `fsync` of the same disk, a rollback of three hosts over a real sshd next to the same
//! commands in a shell script, and attaching to a run of 10,000 events. `cargo bench --bench operate`; `-- step`, `-- hosts`
//! or `-- attach` for one of them. Medians.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement may stop where it stands and prints what it found"
)]

#[path = "operate/attach.rs"]
mod attach;
#[path = "operate/hosts.rs"]
mod hosts;
#[path = "operate/step.rs"]
mod step;

use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    match words.first().map(String::as_str) {
        // What the engine starts is this very program.
        Some("runner") => return quarterdeck::cli::main(),
        Some("step") => step::measure(),
        Some("hosts") => hosts::measure(),
        Some("attach") => attach::measure(),
        _ => [step::measure, hosts::measure, attach::measure].into_iter().for_each(|measure| measure()),
    }
    ExitCode::SUCCESS
}

/// The one in the middle.
fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}
