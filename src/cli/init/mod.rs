//! `qd init`: writes a first estate file, with what the servers tell about themselves or as a template to fill in.

mod page;
mod propose;
#[cfg(test)]
mod tests;
mod text;

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::config::{http_config, load};
use crate::model::estate::Estate;
use crate::model::problem::Problem;
use crate::model::text::{LABEL_CAP, NOTE_CAP, clean};
use crate::watch::discover::{self, Found};

use self::page::Page;
use self::text::{Alertmanager, Draft, Prometheus};
use super::OK;
use super::args::Init;
use super::failure::{Failure, counted};
use super::settings::Settings;
use super::wait;

/// Writes the estate, or prints it where the path is `-`. Nothing that exists is overwritten.
pub fn run(settings: &Settings<'_>, init: &Init, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let target = target(settings, init)?;
    if let Target::File(path) = &target
        && path.symlink_metadata().is_ok()
    {
        return Err(exists(path));
    }
    let draft = draft(init, err)?;
    let text = text::estate(&draft);
    let path = match &target {
        Target::File(path) => path.as_path(),
        Target::Output => Path::new("estate.toml"),
    };
    // What this program writes, it must be able to read.
    let estate = load::estate_from(path, &text).map_err(|problems| unfit(&problems))?;
    match &target {
        Target::Output => out.write_all(text.as_bytes())?,
        Target::File(path) => {
            write(path, &text)?;
            tell(settings, path, &estate, &draft, out)?;
        }
    }
    Ok(OK)
}

/// Where the estate goes.
enum Target {
    File(PathBuf),
    Output,
}

fn target(settings: &Settings<'_>, init: &Init) -> Result<Target, Failure> {
    let asked = init.estate.as_ref().or(settings.global.estate.as_ref()).cloned();
    // Where the console would look for it: else it would be written and not found.
    let variable = || (settings.outside.env)("QD_ESTATE").filter(|v| !v.is_empty()).map(PathBuf::from);
    match asked {
        Some(path) if path.as_os_str() == "-" => Ok(Target::Output),
        Some(path) => Ok(Target::File(path)),
        None => variable().or_else(|| settings.paths.estate()).map(Target::File).ok_or_else(|| {
            failure("neither XDG_CONFIG_HOME nor HOME says where your files are; name the file: `qd init PATH`, or print it: `qd init -`")
        }),
    }
}

fn failure(what: impl Into<String>) -> Failure {
    Failure::Other(color_eyre::eyre::eyre!(what.into()))
}

fn exists(path: &Path) -> Failure {
    failure(format!(
        "{0} is there already, and `qd init` overwrites nothing; nothing was done\n\
         Look at a proposal beside it with `qd init ... -`, write to another file with `qd init ... PATH`,\n\
         or move that one away. `qd check {0}` says whether it is right.",
        path.display()
    ))
}

fn unfit(problems: &[Problem]) -> Failure {
    let told: Vec<String> = problems.iter().take(3).map(ToString::to_string).collect();
    failure(format!(
        "the proposed estate has {} that `qd check` would tell, so nothing was written:\n\n{}",
        counted(problems.len()),
        told.join("\n\n")
    ))
}

/// What is known about the servers that were named.
fn draft(init: &Init, err: &mut dyn Write) -> Result<Draft, Failure> {
    let credentials = match &init.http_config {
        Some(file) => {
            http_config::load(file).map_err(Failure::Problems)?;
            // The estate may lie elsewhere than where this command was called.
            let absolute = std::path::absolute(file).map_err(|e| failure(format!("{}: {e}", file.display())))?;
            let text = absolute.to_str().ok_or_else(|| failure(format!("{}: a path in UTF-8 is needed", file.display())))?;
            Some((absolute.clone(), text.to_owned()))
        }
        None => None,
    };
    let mut draft = Draft { http_config: credentials.as_ref().map(|(_, text)| text.clone()), ..Draft::default() };
    if init.prometheus.is_none() && init.alertmanager.is_empty() && init.metrics.is_none() {
        return Ok(draft);
    }
    let file = credentials.as_ref().map(|(path, _)| path.as_path());
    wait::for_it(ask(init, file, &mut draft, err))?.map(|()| draft)
}

async fn ask(init: &Init, file: Option<&Path>, draft: &mut Draft, err: &mut dyn Write) -> Result<(), Failure> {
    if let Some(url) = init.prometheus.as_deref().map(str::trim) {
        let mut progress = |step: &str| {
            let _ = writeln!(err, "qd: asking Prometheus {step}");
        };
        let found = discover::prometheus(url, file, &mut progress).await;
        let found = found.map_err(|unread| unasked("--prometheus", &unread.what, init.http_config.is_none()))?;
        let _ = writeln!(err, "qd: {}", summary(&found));
        for note in &found.notes {
            let _ = writeln!(err, "qd: {note}");
        }
        draft.prometheus = Some(Prometheus { url: url.to_owned(), found });
    }
    if let Some(url) = init.metrics.as_deref().map(str::trim) {
        let _ = writeln!(err, "qd: reading the page");
        let job = discover::page(url, file).await.map_err(|unread| unasked("--metrics", &unread.what, init.http_config.is_none()))?;
        draft.page = Some(Page { url: url.to_owned(), job });
    }
    let mut own: Vec<&str> = Vec::new();
    for url in init.alertmanager.iter().map(|url| url.trim()) {
        if !own.iter().any(|known| known.trim_end_matches('/') == url.trim_end_matches('/')) {
            own.push(url);
        }
    }
    let told = draft.prometheus.as_ref().map_or_else(Vec::new, |p| p.found.alertmanagers.clone());
    let named = !own.is_empty();
    let urls: Vec<String> = if named { own.into_iter().map(str::to_owned).collect() } else { told };
    for url in urls {
        let _ = writeln!(err, "qd: asking Alertmanager {}", clean(&url, LABEL_CAP));
        let answer = discover::alertmanager(&url, file, named).await.map_err(|unread| unread.what);
        match (&answer, named) {
            // What a person names must be right; what a server names may be out of reach from here.
            (Err(what), true) => return Err(unasked("--alertmanager", what, init.http_config.is_none())),
            (Err(what), false) => {
                let _ = writeln!(err, "qd: that Prometheus names it, but it is not reached from here: {what}");
            }
            (Ok(_), _) => {}
        }
        draft.alertmanagers.push(Alertmanager { url, answer, named });
    }
    Ok(())
}

fn unasked(flag: &str, what: &str, bare: bool) -> Failure {
    let credentials = if bare { " With credentials or a CA of its own it needs --http-config FILE." } else { "" };
    failure(format!(
        "{flag}: {what}; nothing was written\n\
         Check the address.{credentials} `qd init` without addresses writes a template to fill in."
    ))
}

fn summary(found: &Found) -> String {
    let version = found.version.as_deref().map_or_else(String::new, |v| format!("version {v}, "));
    let sites = found.places.as_ref().map_or_else(String::new, |p| format!(", {} by `{}`", sites(p.values.len()), p.label));
    let [targets, jobs, alerting, recording] = [found.targets, found.jobs.len(), found.alerting, found.recording.len()];
    format!("found: {version}targets {targets}, jobs {jobs}{sites}, alerting rules {alerting}, recording rules by level {recording}")
}

fn sites(count: usize) -> String {
    format!("{count} site{}", if count == 1 { "" } else { "s" })
}

/// Writes a file that was not there, for its owner only: addresses and names say much about a production.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let told = |what: &str, path: &Path, e: &io::Error| {
        failure(format!("{what} {}: {e}; name another file: `qd init ... PATH`, or print it: `qd init ... -`", path.display()))
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|e| told("cannot make the folder", folder, &e))?;
    }
    // `create_new` never follows a link and never takes what somebody else has just put there.
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Err(exists(path)),
        Err(e) => return Err(told("cannot write", path, &e)),
    };
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|e| {
        // Half a file would stop the console and the next `qd init`.
        let _ = std::fs::remove_file(path);
        told("cannot write", path, &e)
    })
}

fn tell(settings: &Settings<'_>, path: &Path, estate: &Estate, draft: &Draft, out: &mut dyn Write) -> io::Result<()> {
    let shown = path.display();
    writeln!(
        out,
        "wrote {shown}: sites {}, services {}, sources {}, panels {}\n",
        estate.sites.len(),
        estate.services.len(),
        estate.sources.len(),
        estate.panels.len()
    )?;
    let found = settings.paths.find_estate(None, settings.outside.env).is_ok_and(|found| found == path);
    let (live, open) = match found {
        true => ("qd check --live".to_owned(), "qd".to_owned()),
        false => (format!("qd check --live {shown}"), format!("qd --estate {shown}")),
    };
    let first = if draft.is_template() { "put your own addresses into it" } else { "read it: what is a guess says so" };
    let width = live.len().max(open.len());
    writeln!(out, "Next:\n  {:<width$}  {first}", "edit the file")?;
    writeln!(out, "  {live:<width$}  tries each source\n  {open:<width$}  opens the console")
}

/// Text of others in one line of the file.
fn line(text: &str) -> String {
    clean(text, NOTE_CAP).into_owned()
}
