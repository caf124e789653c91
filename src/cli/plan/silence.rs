//! What is said of a silence on the command line, by `qd plan` and `qd run` alike, and the plan that is made of it.

use clap::Args;
use color_eyre::eyre::eyre;
use jiff::{SignedDuration, Timestamp};

use crate::cli::failure::Failure;
use crate::cli::settings::Settings;
use crate::cli::wait;
use crate::model::age;
use crate::model::estate::Estate;
use crate::model::plan::Planned;
use crate::model::plan::silence::{ACK, Which, Wish, WishError};
use crate::model::silence::SilenceMatcher;
use crate::operate::plan::silence::{SilenceError, silence};

/// Alerts are muted, or a silence is made longer.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Silence {
    /// The alertmanager, by its name in the estate file; may be left out where there is one.
    source: Option<String>,
    /// A condition on a label, as PromQL writes it; all must hold: 'alertname="DiskFull"', 'host=~"web.*"'.
    #[arg(long = "matcher", value_name = "MATCHER", value_parser = SilenceMatcher::parse, required_unless_present_any = ["alert", "extend"])]
    matchers: Vec<SilenceMatcher>,
    /// One alert and nothing else: its fingerprint, or its name where one has it. May be given again: each gets a silence.
    #[arg(long = "alert", id = "alert", value_name = "ALERT", conflicts_with_all = ["matchers", "extend"])]
    alerts: Vec<String>,
    /// A silence that is there, by the beginning of its id: it gets another end.
    #[arg(long, value_name = "ID", conflicts_with = "matchers")]
    extend: Option<String>,
    /// Until when.
    #[command(flatten)]
    end: End,
}

/// One alert is muted for a short while.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Ack {
    /// The alert: its fingerprint, or its name where one has it. Several get a silence each, in one plan.
    #[arg(required = true, value_name = "ALERT")]
    alerts: Vec<String>,
    /// The alertmanager, by its name in the estate file; may be left out where there is one.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Until when; 30m where nothing is said.
    #[command(flatten)]
    end: End,
}

/// A silence ends now.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Expire {
    /// The silence's id, or its beginning. Several are ended by one plan.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// The alertmanager, by its name in the estate file; may be left out where there is one.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
}

/// Until when.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct End {
    /// How long from now: 30m, 2h, 1d.
    #[arg(long = "for", value_name = "DURATION", value_parser = age::parse)]
    lasts: Option<SignedDuration>,
    /// The moment of its end, such as 2026-11-21T16:00:00Z: the same plan at whatever time it is made.
    #[arg(long, value_name = "TIME", conflicts_with = "lasts")]
    until: Option<Timestamp>,
}

impl End {
    fn or(&self, usual: Option<SignedDuration>) -> Result<Timestamp, Failure> {
        if let Some(until) = self.until {
            return Ok(until);
        }
        let lasts = self.lasts.or(usual).ok_or_else(|| Failure::Usage("say how long: --for 2h, or --until TIME".to_owned()))?;
        Timestamp::now().checked_add(lasts).map_err(|_| Failure::Usage("--for: that is no time any more".to_owned()))
    }
}

/// What can be asked of silences.
pub trait Asked {
    /// The source that is named, and what is to be done.
    ///
    /// # Errors
    /// Where the command line does not say enough.
    fn wish(&self) -> Result<(Option<&str>, Wish), Failure>;
}

impl Asked for Silence {
    fn wish(&self) -> Result<(Option<&str>, Wish), Failure> {
        let until = self.end.or(None)?;
        let wish = match (self.alerts.as_slice(), &self.extend) {
            ([alert], _) => Wish::Ack { alert: alert.clone(), until },
            ([], Some(id)) => Wish::Extend { id: id.clone(), until },
            ([], None) => Wish::Mute { matchers: self.matchers.clone(), until },
            (several, _) => Wish::Each { alerts: each(several), until, ack: false },
        };
        Ok((self.source.as_deref(), wish))
    }
}

impl Asked for Ack {
    fn wish(&self) -> Result<(Option<&str>, Wish), Failure> {
        let until = self.end.or(Some(ACK))?;
        let wish = match self.alerts.as_slice() {
            [alert] => Wish::Ack { alert: alert.clone(), until },
            several => Wish::Each { alerts: each(several), until, ack: true },
        };
        Ok((self.source.as_deref(), wish))
    }
}

impl Asked for Expire {
    fn wish(&self) -> Result<(Option<&str>, Wish), Failure> {
        let wish = match self.ids.as_slice() {
            [id] => Wish::Expire { id: id.clone() },
            several => Wish::ExpireEach { ids: several.to_vec() },
        };
        Ok((self.source.as_deref(), wish))
    }
}

fn each(alerts: &[String]) -> Vec<Which> {
    alerts.iter().cloned().map(Which::Named).collect()
}

/// The plan, made from what the Alertmanager says now, in the name of whoever runs this.
///
/// # Errors
/// Why there is none.
pub fn planned(settings: &Settings<'_>, estate: &Estate, asked: &impl Asked, reason: &str) -> Result<Planned, Failure> {
    let (source, wish) = asked.wish()?;
    let by = settings.hand(None).actor.name();
    wait::side_by_side(silence(estate, source, &wish, &by, reason))?.map_err(|error| match error {
        SilenceError::Source(_) | SilenceError::Wish(WishError::Unfound(_) | WishError::Wrong(_)) => Failure::Usage(error.to_string()),
        SilenceError::Unreachable(_) | SilenceError::Wish(WishError::Source(_)) => Failure::Other(eyre!("{error}; nothing was planned")),
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;

    use crate::cli::{FAILED, Outside, USAGE, run};

    fn qd(folder: &Path, sources: &str, args: &[&str]) -> (u8, String) {
        let estate = folder.join("estate.toml");
        std::fs::write(&estate, format!("version = 1\n[estate]\nname = 'shop'\nenvironment = 'test'\n{sources}")).unwrap();
        let home = folder.join("home").into_os_string();
        let env = |name: &str| (name == "HOME").then(|| home.clone());
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = [OsString::from("qd"), "--estate".into(), estate.into_os_string()].into_iter().chain(args.iter().map(OsString::from));
        let code = run(args, Outside { env: &env, terminal: false }, &mut out, &mut err);
        assert!(out.is_empty());
        (code, String::from_utf8(err).unwrap())
    }

    const PROMETHEUS: &str = "[[source]]\nname = 'p'\nkind = 'prometheus'\nurl = 'http://127.0.0.1:1'\n";
    const ALERTMANAGER: &str = "[[source]]\nname = 'am'\nkind = 'alertmanager'\nurls = ['http://127.0.0.1:1']\n";

    #[test]
    fn what_is_missing_on_the_command_line_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for (sources, line, told) in [
            (PROMETHEUS, "silence --matcher a=b --for 2h --reason x", "no source of kind alertmanager"),
            (ALERTMANAGER, "silence other --matcher a=b --for 2h --reason x", "it has am"),
            (ALERTMANAGER, "silence --matcher a=b --reason x", "say how long"),
            (ALERTMANAGER, "silence --for 2h --reason x", "--matcher"),
            (ALERTMANAGER, "silence --matcher a --for 2h --reason x", "is not a matcher"),
            (ALERTMANAGER, "silence --matcher a=b --alert c --for 2h --reason x", "cannot be used with"),
            (ALERTMANAGER, "silence --matcher a=b --for 2h --until 2026-11-21T16:00:00Z --reason x", "cannot be used with"),
            (ALERTMANAGER, "silence --matcher a=b --for 2h", "--reason"),
            (ALERTMANAGER, "ack DiskFull", "--reason"),
        ] {
            let (code, err) = qd(folder.path(), sources, &[&["plan"], &*line.split(' ').collect::<Vec<_>>()].concat());
            assert!(code == USAGE && err.contains(told), "{line}: {code} {err}");
        }
    }

    #[test]
    fn an_alertmanager_that_cannot_be_asked_is_no_plan() {
        let folder = tempfile::tempdir().unwrap();
        for line in ["ack DiskFull --reason x", "expire 2b614108 --reason x", "silence --extend 2b614108 --for 4h --reason x"] {
            let (code, err) = qd(folder.path(), ALERTMANAGER, &[&["plan"], &*line.split(' ').collect::<Vec<_>>()].concat());
            assert!(code == FAILED && err.contains("nothing was planned"), "{line}: {code} {err}");
        }
    }
}
