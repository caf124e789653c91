//! `qd logs`: what a service or a host prints, its hosts merged by time; once, or as it goes on.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::app::filter::Filter;
use crate::app::logs::line;
use crate::model::age;
use crate::model::log::{Heard, Level, Line, Lines, Of, Place, Wanted, places};
use crate::watch::logs::{LINES, Logs};

use super::args::Output;
use super::args::values::span;
use super::failure::Failure;
use super::settings::Settings;
use super::stops::Stops;
use super::wait;
use super::{FAILED, INTERRUPTED, OK};

/// Between two looks while it is followed.
const LOOK: Duration = Duration::from_secs(1);
/// Notes that are remembered, so that each is told once.
const TOLD: usize = 100;

const EXAMPLES: &str = "\
Examples:
  qd logs web
  qd logs web --since 10m --errors
  qd logs web --host web2 --follow
  qd logs web --grep timeout --lines 1000
  qd logs --host web1                       the whole journal of a host
  qd logs web -o json | jq -r .text

The newest lines are read, of each host as many as `--lines` says; what does not pass `--grep` is left out of those.
`--errors` is asked of the journal itself, so that a rare one is found behind any number of lines; of a file they are
those in its newest MiB. With `-o json` each line is a document of its own. Exits 0, 1 where a host could not be read, 130 after Ctrl-C.
docs/logs.md says more.";

/// Whose logs, and which lines.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Wish {
    /// The service, by its name in the estate file.
    #[arg(value_name = "SERVICE", required_unless_present = "host")]
    pub service: Option<String>,
    /// Only this host; without a service all that it logs.
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// Only lines of the last so many minutes or hours.
    #[arg(long, value_name = "DURATION", value_parser = span)]
    pub since: Option<SignedDuration>,
    /// Go on and print what comes.
    #[arg(long, short)]
    pub follow: bool,
    /// Only lines that match, as it is typed after `/` on the screen: word, !word, text:regex, level:error, host:web1.
    #[arg(long, value_name = "WORD")]
    pub grep: Option<String>,
    /// Only errors and worse.
    #[arg(long)]
    pub errors: bool,
    /// So many lines of each host, 1 to 1000.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub lines: u16,
}

#[derive(Serialize)]
struct Told<'l> {
    time: String,
    /// False where the line says no time of its own.
    dated: bool,
    host: &'l str,
    level: Option<&'static str>,
    by: Option<&'l str>,
    text: &'l str,
}

/// Prints them; the result is the exit code.
pub fn run(settings: &Settings<'_>, wish: &Wish, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let estate = Arc::new(settings.estate()?);
    let of = match (&wish.service, &wish.host) {
        (Some(service), _) => Of::Service(service.clone()),
        (None, Some(host)) => Of::Host(host.clone()),
        (None, None) => return Err(Failure::Usage("name a service, or a host by --host".to_owned())),
    };
    let mut all = places(&estate, &of).map_err(Failure::Usage)?;
    if let (Some(host), Of::Service(service)) = (&wish.host, &of) {
        let names: Vec<String> = all.iter().map(|place| place.name.to_string()).collect();
        all.retain(|place| *place.name == **host);
        if all.is_empty() {
            return Err(Failure::Usage(format!("{service} logs nothing on {host:?}; it does on: {}", names.join(", "))));
        }
    }
    let only = Only::new(wish).map_err(Failure::Usage)?;
    let _log = settings.log(err);
    let logs = Logs::new(estate.clone());
    let code = wait::side_by_side(async {
        let mut stops = Stops::listen()?;
        let mut print = Print { only, json: settings.global.output == Output::Json, told: Vec::new(), out, err };
        tokio::select! {
            code = read(&logs, &all, wish, &mut print) => code,
            () = stops.wanted() => Ok(INTERRUPTED),
        }
    })?;
    Ok(code?)
}

/// Reads all places again and again; once where it is not followed.
async fn read(logs: &Logs, all: &[Place], wish: &Wish, print: &mut Print<'_>) -> io::Result<u8> {
    let since = wish.since.and_then(|since| Timestamp::now().checked_sub(since).ok());
    let mut next: Vec<Wanted> =
        vec![Wanted { since, worst: wish.errors.then_some(Level::Error), lines: usize::from(wish.lines), ..Wanted::default() }; all.len()];
    let several = all.len() > 1;
    loop {
        let heard = logs.read_all(all, &next).await;
        let (mut lines, mut failed) = (Lines::default(), 0);
        for ((place, wanted), heard) in all.iter().zip(&mut next).zip(heard) {
            match heard {
                Ok(heard) => {
                    let begun = wanted.after.is_some();
                    print.notes(place, &heard, begun)?;
                    wanted.after = heard.mark;
                    wanted.lines = LINES;
                    // What is not ended yet is told when it is.
                    let ended = heard.lines.into_iter().filter(|line| !(line.open && wish.follow)).collect();
                    lines.take(&place.name, ended);
                }
                Err(why) => {
                    failed += 1;
                    print.note(&why)?;
                }
            }
        }
        for one in lines.iter() {
            print.line(&one.line, several)?;
        }
        print.out.flush()?;
        if !wish.follow {
            return Ok(if failed == 0 { OK } else { FAILED });
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Which lines are printed.
struct Only {
    filter: Filter,
    errors: bool,
}

impl Only {
    fn new(wish: &Wish) -> Result<Only, String> {
        let filter = line::parse(wish.grep.as_deref().unwrap_or_default()).map_err(|why| format!("--grep: {why}"))?;
        Ok(Only { filter, errors: wish.errors })
    }

    fn lets(&self, one: &Line, now: Timestamp) -> bool {
        (!self.errors || line::is_error(one)) && self.filter.matches(one, now)
    }
}

struct Print<'o> {
    only: Only,
    json: bool,
    told: Vec<String>,
    out: &'o mut dyn Write,
    err: &'o mut dyn Write,
}

impl Print<'_> {
    fn line(&mut self, line: &Line, several: bool) -> io::Result<()> {
        if !self.only.lets(line, Timestamp::now()) {
            return Ok(());
        }
        let time = format!("{:.3}", line.at);
        let level = line.level.map(Level::word);
        if self.json {
            let told = Told { time, dated: line.dated, host: &line.place, level, by: line.by.as_deref(), text: &line.text };
            serde_json::to_writer(&mut *self.out, &told).map_err(io::Error::from)?;
            return writeln!(self.out);
        }
        let time = if line.dated { time } else { format!("~{time}") };
        let host = if several { format!(" {}", line.place) } else { String::new() };
        let by = line.by.as_ref().map_or(String::new(), |by| format!(" {by}:"));
        writeln!(self.out, "{time}{host} {:<7}{by} {}", level.unwrap_or("-"), line.text)
    }

    fn notes(&mut self, place: &Place, heard: &Heard, begun: bool) -> io::Result<()> {
        heard.notes.iter().try_for_each(|note| self.note(note))?;
        if heard.passed && begun {
            writeln!(self.err, "qd: {}: so many lines came that some may be missing here", place.name)?;
        }
        if let Some(ahead) = heard.ahead {
            let way = if ahead > 0 { "ahead of" } else { "behind" };
            let by = age::exact(SignedDuration::from_secs(ahead.abs() / 1_000));
            self.note(&format!("{}: its clock is {way} ours, by {by} or more", place.name))?;
        }
        Ok(())
    }

    /// Each once: a host that is away is not told of every second.
    fn note(&mut self, note: &str) -> io::Result<()> {
        if self.told.iter().any(|told| told == note) {
            return Ok(());
        }
        if self.told.len() < TOLD {
            self.told.push(note.to_owned());
        }
        writeln!(self.err, "qd: {note}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, level: Option<Level>) -> Line {
        let at = Timestamp::from_millisecond(1_000_000_000_123).unwrap();
        Line { at, dated: true, place: "web1".into(), level, by: Some("app[1]".into()), text: text.into(), open: false }
    }

    fn wish(grep: Option<&str>, errors: bool) -> Wish {
        Wish { service: None, host: None, since: None, follow: false, grep: grep.map(str::to_owned), errors, lines: 10 }
    }

    #[test]
    fn words_are_found_and_errors_are_told_from_the_rest() {
        let now = Timestamp::UNIX_EPOCH;
        let lets = |grep, errors, text, level| Only::new(&wish(grep, errors)).unwrap().lets(&line(text, level), now);
        assert!(lets(Some("timeout !slow"), false, "a TimeOut", None) && !lets(Some("timeout !slow"), false, "slow timeout", None));
        assert!(lets(Some("text:time.?out"), false, "time-out", None));
        assert!(
            lets(None, true, "x", Some(Level::Critical)) && !lets(None, true, "x", Some(Level::Warning)) && !lets(None, true, "x", None)
        );
        assert!(Only::new(&wish(Some("text:("), false)).is_err() && Only::new(&wish(Some("nothing:x"), false)).is_err());
    }

    #[test]
    fn lines_are_printed_for_people_and_for_programs_and_a_note_once() {
        for (json, wanted) in [
            (false, "2001-09-09T01:46:40.123Z web1 error   app[1]: no\n"),
            (
                true,
                "{\"time\":\"2001-09-09T01:46:40.123Z\",\"dated\":true,\"host\":\"web1\",\"level\":\"error\",\"by\":\"app[1]\",\"text\":\"no\"}\n",
            ),
        ] {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let only = Only::new(&wish(None, false)).unwrap();
            let mut print = Print { only, json, told: Vec::new(), out: &mut out, err: &mut err };
            print.line(&line("no", Some(Level::Error)), true).unwrap();
            print.note("web2 is away").unwrap();
            print.note("web2 is away").unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), wanted);
            assert_eq!(String::from_utf8(err).unwrap(), "qd: web2 is away\n");
        }
    }
}
