//! `qd journal`: shows, verifies and exports the record of what was done and seen.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use color_eyre::eyre::{WrapErr, eyre};
use jiff::Timestamp;
use serde::Serialize;

use crate::journal::{self, Broken, Head, Journal, JournalError, Verdict, verify_export_against};
use crate::model::event::{Event, Record};
use crate::model::run::{Happened, RunEvent};
use crate::model::text::{NOTE_CAP, clean};

use super::args::{Journal as What, Output};
use super::failure::Failure;
use super::settings::{self, Settings};
use super::{BROKEN, OK};

/// Does what is asked with the journal of this person.
pub fn run(settings: &Settings<'_>, what: &What, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    match what {
        What::Show { since, run } => show(settings, *since, run.as_deref(), out, err),
        What::Verify { file: Some(file), head } => told(settings, &export(file, head)?, &file.display().to_string(), out),
        What::Verify { file: None, head } => own(settings, head, out, err),
        What::Export { since } => {
            if let Some(journal) = opened(&path(settings)?, err).map_err(failed)? {
                journal.export(*since, out).map_err(failed)?;
            }
            Ok(OK)
        }
    }
}

fn failed(error: JournalError) -> Failure {
    match error {
        // The reader of the output may have gone away.
        JournalError::Export(error) => Failure::Output(error),
        error => Failure::Other(error.into()),
    }
}

fn path(settings: &Settings<'_>) -> Result<PathBuf, Failure> {
    Ok(settings.paths.journal().ok_or_else(|| eyre!("there is no folder for the journal: set HOME or XDG_STATE_HOME"))?)
}

/// The journal, where there is one.
fn opened(path: &Path, err: &mut dyn Write) -> Result<Option<Journal>, JournalError> {
    let journal = Journal::read(path)?;
    if journal.is_none() {
        writeln!(err, "there is no journal yet: {} is made when something is recorded", path.display())?;
    }
    Ok(journal)
}

/// Verifies the journal of this person.
fn own(settings: &Settings<'_>, heads: &[Head], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let path = path(settings)?;
    let name = path.display().to_string();
    match opened(&path, err) {
        Ok(Some(journal)) => told(settings, &journal.verify_against(heads), &name, out),
        // No journal at all is nothing broken, unless someone knows of one.
        Ok(None) => match heads.iter().map(|head| head.count).max().filter(|known| *known > 0) {
            Some(known) => told(settings, &Verdict::of(Broken::Cut { there: 0, known }), &name, out),
            None => Ok(OK),
        },
        // A file that cannot even be opened as a journal was meddled with as well.
        Err(JournalError::Damaged { what, .. }) => told(settings, &Verdict::of(Broken::Unreadable { after: 0, why: what }), &name, out),
        Err(error) => Err(failed(error)),
    }
}

fn export(path: &Path, heads: &[Head]) -> Result<Verdict, Failure> {
    if path.as_os_str() == "-" {
        return verify_export_against(std::io::stdin().lock(), heads).map_err(|error| Failure::Other(error.into()));
    }
    let file = File::open(path).wrap_err_with(|| format!("{} cannot be read", path.display()))?;
    verify_export_against(file, heads).map_err(|error| Failure::Other(eyre!("{}: {error}", path.display())))
}

#[derive(Serialize)]
struct Judged {
    events: u64,
    head: String,
    broken: Option<String>,
    clock: Vec<String>,
    notes: Vec<String>,
}

fn told(settings: &Settings<'_>, verdict: &Verdict, name: &str, out: &mut dyn Write) -> Result<u8, Failure> {
    let judged = Judged {
        events: verdict.good,
        head: verdict.head.hash.clone(),
        broken: verdict.broken.as_ref().map(ToString::to_string),
        clock: verdict.clock.iter().map(ToString::to_string).collect(),
        notes: verdict.notes.clone(),
    };
    match settings.global.output {
        Output::Json => settings::json(&judged, out)?,
        Output::Table | Output::Csv => {
            match &judged.broken {
                Some(broken) => {
                    writeln!(out, "X {name}: {}; {} events before that are as they were written", clean(broken, NOTE_CAP), judged.events)?
                }
                None => writeln!(out, "{name}: {} events are as they were written", judged.events)?,
            }
            judged.clock.iter().chain(&judged.notes).try_for_each(|line| writeln!(out, "! {line}"))?;
            writeln!(out, "head {} {}", verdict.head.count, judged.head)?;
        }
    }
    Ok(if verdict.broken.is_some() { BROKEN } else { OK })
}

fn show(
    settings: &Settings<'_>,
    since: Option<Timestamp>,
    run: Option<&str>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Failure> {
    let Some(journal) = opened(&path(settings)?, err).map_err(failed)? else { return Ok(OK) };
    let records = match run {
        None => journal.records(since),
        Some(run) => journal.run(run).map(|mut records| {
            records.retain(|record| since.is_none_or(|since| record.written_at >= since));
            records
        }),
    };
    let records = records.map_err(failed)?;
    if let (Some(run), true) = (run, records.is_empty()) {
        writeln!(err, "the journal tells nothing of the run {}", clean(run, NOTE_CAP))?;
    }
    match settings.global.output {
        Output::Json => settings::json(&records, out)?,
        Output::Table | Output::Csv => {
            for record in &records {
                line(record, out)?;
            }
        }
    }
    Ok(OK)
}

fn line(record: &Record, out: &mut dyn Write) -> std::io::Result<()> {
    let (at, seq) = (record.said_at.strftime("%Y-%m-%dT%H:%M:%SZ"), record.seq);
    let (who, kind) = (record.actor.name(), record.event.kind());
    let said = match &record.event {
        Event::Verification(of) => {
            let alive = of.ended.is_none() && journal::is_alive(&record.actor);
            let runs = if alive { ", its process still runs" } else { "" };
            format!("{}: {} ({}){runs}", of.source, of.outcome.word(), of.method)
        }
        Event::Run(of) => format!("{}: {}", of.run, of.what),
        Event::Healed(of) => format!("event {} was lost while it was written: what it said is not known", of.seq),
    };
    writeln!(out, "{}", clean(&format!("{seq:>6}  {at}  {who:24} {kind} {said}"), NOTE_CAP))?;
    let Event::Verification(of) = &record.event else { return output(record, out) };
    for point in of.points.iter().filter(|point| point.broken.is_some()) {
        writeln!(out, "        X {}  {}", clean(&point.id, NOTE_CAP), clean(point.broken.as_deref().unwrap_or_default(), NOTE_CAP))?;
    }
    of.evidence.iter().try_for_each(|line| writeln!(out, "        {}", clean(line, NOTE_CAP)))
}

/// What a call of a run printed.
fn output(record: &Record, out: &mut dyn Write) -> std::io::Result<()> {
    let Event::Run(RunEvent { what: Happened::Result { output, .. }, .. }) = &record.event else { return Ok(()) };
    output.iter().try_for_each(|line| writeln!(out, "        {}", clean(line, NOTE_CAP)))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;

    use crate::cli::{BROKEN, OK, Outside, USAGE, run};
    use crate::journal::{Hand, Head, Journal, actor, digest};
    use crate::model::event::Event;
    use crate::model::run::{Call, CallEnd, Happened, RunEvent};
    use jiff::Timestamp;

    fn qd(state: &Path, args: &[&str]) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = ["qd", "journal"].into_iter().chain(args.iter().copied()).map(OsString::from);
        let env = |name: &str| (name == "XDG_STATE_HOME").then(|| state.as_os_str().to_owned());
        let code = run(args, Outside { env: &env, terminal: false }, &mut out, &mut err);
        (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    /// Two runs by turns; gives back all heads.
    fn filled(state: &Path) -> Vec<Head> {
        let mut journal = Journal::open(&state.join("quarterdeck/journal.db")).unwrap();
        let hand = Hand { actor: actor(&|_| None), version: "test".into(), estate: None };
        let at = Timestamp::UNIX_EPOCH;
        let result = Happened::Result {
            step: "web1/switch".into(),
            attempt: 1,
            call: Call::Apply,
            end: CallEnd::Done { seen: "2.4.0 runs".into() },
            output: vec!["restarted\u{1b}[31m".into()],
        };
        let events = [("web-a", Happened::Begun { resumed: false }), ("web-b", Happened::Begun { resumed: true }), ("web-a", result)];
        events.map(|(run, what)| journal.append(&hand, at, Event::Run(RunEvent { run: run.into(), what }), at).unwrap()).to_vec()
    }

    #[test]
    fn the_events_of_one_run_are_told_with_what_its_calls_printed() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path());
        let (code, out, err) = qd(folder.path(), &["show", "--run", "web-a"]);
        assert_eq!((code, err.as_str(), out.lines().count()), (OK, "", 3), "{out}");
        assert!(out.contains("web-a: begun") && out.contains("web1/switch: done: 2.4.0 runs\n        restarted[31m\n"), "{out}");
        assert!(!out.contains("web-b"));
        let (code, out, err) = qd(folder.path(), &["show", "--run", "web-c"]);
        assert_eq!((code, out.as_str(), err.as_str()), (OK, "", "the journal tells nothing of the run web-c\n"));
        let (_, out, _) = qd(folder.path(), &["show"]);
        assert!(out.contains("web-b: taken up again"), "{out}");
        let (_, out, _) = qd(folder.path(), &["show", "--since", "2026-01-01T00:00:00Z", "--run", "web-a", "-o", "json"]);
        assert_eq!(out.trim(), "[]");
    }

    #[test]
    fn a_head_that_was_kept_elsewhere_shows_what_the_file_alone_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let heads = filled(folder.path());
        let verify = |head: &str| qd(folder.path(), &["verify", "--head", head]);
        let (code, out, _) = verify(&heads[1].to_string());
        assert_eq!((code, out.lines().last()), (OK, Some(format!("head {}", heads[2]).as_str())));
        let (code, out, _) = verify(&format!("5 {}", digest(b"later")));
        assert!(code == BROKEN && out.contains("the end was cut off: 3 events are there, 5 were"), "{out}");
        let (code, out, _) = verify(&format!("2 {}", digest(b"other")));
        assert!(code == BROKEN && out.contains("event 2 is not the one"), "{out}");
        let (code, _, err) = verify("2");
        assert!(code == USAGE && err.contains("64 hex digits"), "{err}");

        let gone = tempfile::tempdir().unwrap();
        assert_eq!(qd(gone.path(), &["verify"]).0, OK);
        let (code, out, _) = qd(gone.path(), &["verify", "--head", &heads[2].to_string()]);
        assert!(code == BROKEN && out.contains("0 events are there, 3 were"), "{out}");
    }

    #[test]
    fn a_truncated_file_is_broken_and_no_failure() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path());
        let path = folder.path().join("quarterdeck/journal.db");
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_len(file.metadata().unwrap().len() / 2).unwrap();
        let (code, out, _) = qd(folder.path(), &["verify"]);
        assert!(code == BROKEN && out.contains("nothing can be read after event 0"), "{out}");
    }
}
