//! Asks one host of a service whether it is well, until it was so often enough in a row or the time is over.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Called;
use super::job::{self, Job};
use crate::link::http::{Limits, LinkError, Miss, Reader};
use crate::link::ssh::Script;
use crate::model::operations::HealthAsk;
use crate::model::run::CallEnd;
use crate::model::text::{NOTE_CAP, clean};

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(10);
/// Bytes of a body that are read: what is looked for stands at its beginning.
const BODY_CAP: usize = 1 << 20;
/// Between two questions, at least: a service that fails at once is not asked without end.
const LEAST: Duration = Duration::from_millis(50);

/// Seconds, the program, its arguments. `timeout` ends it there too, so that hung ones do not gather.
const ASK: Script = Script(r#"eval "$1"; shift; qd_machine "$1"; shift; exec timeout "$@""#);
/// What `timeout` ends by when the time is over.
const LATE: i32 = 124;

/// Asks until it is well. A look has no unknown end: it is only not well.
pub(super) async fn look(job: Job<'_>, ask: &HealthAsk, times: u32, every: Duration) -> Called {
    let (times, pause) = (times.max(1), every.max(LEAST));
    let name = &job.place.name;
    let (mut well, mut said) = (0, Vec::new());
    loop {
        let left = job.until.saturating_duration_since(Instant::now()).min(ANSWER);
        let answer = match ask {
            HealthAsk::Http { url, status, body } => get(url, *status, body.as_deref(), left).await,
            HealthAsk::Command { command } => ran(&job, command, left).await,
        };
        let answer = match answer {
            Ok(answer) => {
                well += 1;
                said.push(format!("{well} of {times}: {answer}"));
                answer
            }
            Err(answer) => {
                well = 0;
                said.push(format!("not well: {answer}"));
                answer
            }
        };
        job::shorten(&mut said);
        if well == times {
            let well = if times == 1 { "well".to_owned() } else { format!("well {times} times in a row") };
            let seen = format!("{name}: {well}: {answer}");
            return Called { end: CallEnd::Done { seen }, output: said };
        }
        if Instant::now() + pause >= job.until {
            let why = format!("{name}: not well {times} times in a row within {} s; the last answer: {answer}", job.seconds);
            return Called { end: CallEnd::Failed { why }, output: said };
        }
        sleep(pause).await;
    }
}

/// One GET from this machine.
async fn get(url: &str, status: Option<u16>, body: Option<&str>, deadline: Duration) -> Result<String, String> {
    let limits = Limits { deadline, body_cap: BODY_CAP };
    let reader = Reader::alone(url, None, limits).map_err(|error| error.to_string())?;
    let look = reader.look().await.map_err(|miss| match miss {
        Miss::NotAsked(error) => error.to_string(),
        Miss::Failed(why) | Miss::Certificate(why) => why,
    })?;
    if !status.map_or((200..300).contains(&look.status), |status| status == look.status) {
        let wanted = status.map_or_else(|| "200 to 299".to_owned(), |status| status.to_string());
        return Err(look.refused.unwrap_or_else(|| format!("answered {}, expected {wanted}", look.status)));
    }
    match body {
        Some(wanted) if holds(&look.bytes, wanted.as_bytes()) => Ok(format!("answered {}", look.status)),
        Some(wanted) => Err(clean(&format!("answered {} without `{wanted}`", look.status), NOTE_CAP).into_owned()),
        None => Ok(format!("answered {}", look.status)),
    }
}

fn holds(all: &[u8], what: &[u8]) -> bool {
    what.is_empty() || all.windows(what.len()).any(|part| part == what)
}

/// A program on the host.
async fn ran(job: &Job<'_>, command: &[String], deadline: Duration) -> Result<String, String> {
    if command.is_empty() {
        return Err("there is no program to run".to_owned());
    }
    let seconds = deadline.as_secs().max(1).to_string();
    let words: Vec<&str> = std::iter::once(seconds.as_str()).chain(command.iter().map(String::as_str)).collect();
    match job.look(ASK, &words, Instant::now() + deadline + Duration::from_secs(1)).await {
        Ok(told) if told.code == 0 => Ok(told.last),
        Ok(told) if told.code == LATE => Err(format!("it did not end within {seconds} s")),
        Ok(told) => Err(format!("it ended by {}: {}", told.code, told.last)),
        Err(LinkError::Refused(why) | LinkError::Unreachable(why)) => Err(why),
        Err(error) => Err(error.to_string()),
    }
}
