//! Promise 11, where writes leave the process: with `--read-only` neither a run nor a runner changes anything, whatever they
//! are told.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use quarterdeck::operate::order::LEASE;
use quarterdeck::operate::runner::process::{Prepare, REFUSED, STARTED, Told};

use super::fixture::{order, plan};
use super::secrets::Place;

/// True where a run was there: the link is switched, a job folder or a record was made.
fn touched(place: &Place) -> bool {
    let link = fs::read_link(place.at("web1/current")).unwrap();
    let state = place.at("home/.local/state/quarterdeck");
    link != Path::new("releases/2")
        || place.at("web1/.quarterdeck").exists()
        || state.join("runs").exists()
        || state.join("journal.db").exists()
}

#[test]
fn with_read_only_no_run_and_no_runner_changes_anything_and_one_that_does_is_seen() {
    let place = Place::new();
    fs::write(place.at("sampled"), "").unwrap();
    let args = place.confirmed();
    let run: Vec<&str> = args.iter().map(String::as_str).collect();
    let (code, said) = place.said(&[&["--read-only"], run.as_slice()].concat());
    assert!(code == Some(64) && String::from_utf8_lossy(&said).contains("--read-only"), "{code:?} {}", String::from_utf8_lossy(&said));
    assert!(!touched(&place));
    // The runner itself, as a console would tell it.
    let state = place.at("home/.local/state/quarterdeck");
    let told = |read_only: &[&str]| {
        let args = [read_only, &["runner"]].concat();
        let mut runner = place.qd(&args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let prepare = Prepare {
            estate: place.at("estate.toml"),
            hosts: vec![],
            journal: state.join("journal.db"),
            runs: state.join("runs"),
            lease: LEASE,
        };
        let order = Told::Carry(Box::new(order(plan(), "web-20261121T140455Z-0007")));
        let lines = [serde_json::to_string(&prepare).unwrap(), serde_json::to_string(&order).unwrap()];
        // One that ends at once takes nothing.
        let _ = writeln!(runner.stdin.take().unwrap(), "{}\n{}", lines[0], lines[1]);
        let out = runner.wait_with_output().unwrap();
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let answer = told(&["--read-only"]);
    assert!(!answer.contains(STARTED), "{answer}");
    assert!(!touched(&place));
    // A planted break: where the flag is passed over, the same look sees that something was there.
    let answer = told(&[]);
    assert!(answer.contains(STARTED) && !answer.contains(REFUSED), "{answer}");
    assert!(touched(&place));
}
