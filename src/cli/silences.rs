//! `qd silences`: who muted what, why and until when, and how much each mutes now.

use std::io::Write;
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use crate::app::filter::{Filter, no_field};
use crate::app::silences::{OfSilence, SILENCE_FIELDS};
use crate::model::age;
use crate::model::estate::{Estate, SourceKind};
use crate::model::metric::Demand;
use crate::model::reading::Reading;
use crate::model::silence::{SilenceState, listed};
use crate::model::source::Answer;
use crate::watch;

use super::args::Output;
use super::failure::Failure;
use super::settings::{self, Settings};
use super::wait;
use super::{FAILED, OK, columns};

const EXAMPLES: &str = "\
Examples:
  qd silences
  qd silences --filter 'kind:ack who:ann'
  qd silences --all -o json | jq '.[] | select(.mutes == 0) | .id'

Those that end first stand first. `qd plan silence`, `qd plan ack` and `qd plan expire` make and end them. Exits 0, or 1
where an Alertmanager could not be read: then its silences are missing.";

/// Which silences.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct Wish {
    /// Those that have ended lately too, as far as the Alertmanager still tells of them.
    #[arg(long)]
    pub all: bool,
    /// Only those that match, as it is typed after `/` on the screen: word, !word, who:ann, kind:ack, alertname="DiskFull".
    #[arg(long, value_name = "FILTER", default_value = "")]
    pub filter: String,
}

#[derive(Serialize)]
struct Row<'a> {
    source: &'a str,
    id: &'a str,
    /// `active`, `pending` or `expired`.
    state: &'static str,
    /// `ack` or `silence`.
    kind: &'static str,
    /// Who says they made it: free text, not proved.
    created_by: &'a str,
    reason: &'a str,
    /// The comment as it stands there.
    comment: &'a str,
    matchers: Vec<String>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    /// Alerts that it mutes now.
    mutes: usize,
    /// The run that made it.
    run: Option<&'a str>,
}

/// Lists them; the result is the exit code.
pub fn run(settings: &Settings<'_>, wish: &Wish, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let mut estate: Estate = settings.estate()?;
    estate.sources.retain(|source| matches!(source.kind, SourceKind::Alertmanager { .. }));
    // Panels and rules ask others, which are not read here.
    (estate.panels, estate.rules) = (Vec::new(), Vec::new());
    if estate.sources.is_empty() {
        return Err(Failure::Usage("the estate names no Alertmanager: add a [[source]] of kind `alertmanager`".to_owned()));
    }
    let filter = Filter::parse(&wish.filter).map_err(Failure::Usage)?;
    if let Some(name) = filter.unknown_field(|name| SILENCE_FIELDS.contains(&name)) {
        return Err(Failure::Usage(no_field(name, SILENCE_FIELDS)));
    }
    let _log = settings.log(err);
    let estate = Arc::new(estate);
    let mut readings: Vec<Reading<Answer>> = estate.sources.iter().map(|source| Reading::never(source.every)).collect();
    wait::for_it(watch::each(&estate, Demand::default(), &watch::no_past(), |tried| {
        if let Some(reading) = readings.get_mut(tried.source) {
            *reading = tried.reading;
        }
    }))?;
    let now = Timestamp::now();
    let mut code = OK;
    for (source, reading) in estate.sources.iter().zip(&readings) {
        if reading.held.is_none() {
            code = FAILED;
            let why = reading.failure.as_ref().map_or("it did not answer", |failure| failure.what.as_str());
            writeln!(err, "{}: {why}", source.name)?;
        }
    }
    let wanted = |of: &OfSilence<'_>| (wish.all || of.silence.stands(now) != SilenceState::Expired) && filter.matches(of, now);
    let all: Vec<OfSilence<'_>> = listed(&readings, now)
        .iter()
        .filter_map(|one| {
            let (source, silence) = (estate.sources.get(one.source)?, one.silence(&readings)?);
            Some(OfSilence { source, silence, mutes: one.mutes, now })
        })
        .filter(wanted)
        .collect();
    match settings.global.output {
        Output::Json => settings::json(&all.iter().map(row).collect::<Vec<_>>(), out)?,
        Output::Table | Output::Csv if all.is_empty() && code == OK => writeln!(out, "no silences")?,
        Output::Table | Output::Csv if all.is_empty() => {}
        Output::Table | Output::Csv => {
            let heads = ["STATE", "ENDS", "MUTES", "BY", "SOURCE", "ID", "WHAT AND WHY"].map(str::to_owned).to_vec();
            let rows = std::iter::once(heads).chain(all.iter().map(line)).collect::<Vec<_>>();
            columns::write(out, &rows)?;
        }
    }
    Ok(code)
}

fn row<'a>(of: &'a OfSilence<'_>) -> Row<'a> {
    let silence = of.silence;
    Row {
        source: &of.source.name,
        id: &silence.id,
        state: silence.stands(of.now).word(),
        kind: of.kind(),
        created_by: &silence.created_by,
        reason: silence.reason(),
        comment: &silence.comment,
        matchers: silence.matchers.iter().map(ToString::to_string).collect(),
        starts_at: silence.starts_at,
        ends_at: silence.ends_at,
        mutes: of.mutes,
        run: silence.run(),
    }
}

fn line(of: &OfSilence<'_>) -> Vec<String> {
    let silence = of.silence;
    let ends = silence.ends_at.strftime("%Y-%m-%dT%H:%M:%SZ");
    let left = of.now.duration_since(silence.ends_at);
    let left = if left.is_negative() { format!("in {}", age::coarse(left.abs())) } else { format!("{} ago", age::coarse(left)) };
    let since = age::coarse(of.now.duration_since(silence.starts_at));
    let what = if silence.is_ack() { format!("ack of {}, {since} ago", silence.what()) } else { silence.what() };
    vec![
        silence.stands(of.now).word().to_owned(),
        format!("{ends} ({left})"),
        of.mutes.to_string(),
        silence.created_by.clone(),
        of.source.name.clone(),
        silence.id.clone(),
        format!("{what}: {}", silence.reason()),
    ]
}
