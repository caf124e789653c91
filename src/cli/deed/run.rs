//! `qd run`: a plan that was confirmed by its phrase is carried out by a runner, and followed.

use std::io::Write;
use std::sync::Arc;

use color_eyre::eyre::eyre;
use jiff::Timestamp;

use crate::model::check::Override;
use crate::model::estate::Estate;
use crate::model::plan::{Deed, Plan};
use crate::model::run::Agreement;
use crate::operate::order::{Order, id};

use super::super::failure::Failure;
use super::super::settings::Settings;
use super::super::{OK, REFUSED};
use super::follow::follow;
use super::{Agree, Ground, may_write, me, runner};

/// What a fresh plan makes of the phrase that was typed.
#[derive(Debug, PartialEq)]
pub enum Confirmed {
    /// It is the one that was confirmed.
    Same(Box<Agreement>),
    /// It is another one; what to tell.
    Other(String),
}

/// Judges what was typed against the plan that was made just now.
///
/// # Errors
/// Where the command line itself is wrong.
pub fn confirmed(plan: &Plan, agree: &Agree, now: Timestamp) -> Result<Confirmed, Failure> {
    let overrides = agree.overrides.iter().map(|text| {
        let (check, reason) = text
            .split_once('=')
            .filter(|(check, reason)| !check.is_empty() && !reason.trim().is_empty())
            .ok_or_else(|| Failure::Usage(format!("--override {text:?}: write the check, = and why it may be passed over")))?;
        Ok(Override { check: check.to_owned(), reason: reason.to_owned() })
    });
    let overrides = overrides.collect::<Result<Vec<_>, Failure>>()?;
    for (flag, text) in [("--reason", Some(&agree.reason)), ("--break-glass", agree.break_glass.as_ref())] {
        if text.is_some_and(|text| text.trim().is_empty()) {
            return Err(Failure::Usage(format!("{flag} is empty: say why")));
        }
    }
    let phrase = plan.phrase();
    if agree.confirm != phrase && agree.confirm.trim_start().starts_with(&phrase) {
        return Ok(Confirmed::Other(format!(
            "refused, nothing was changed: `{}` is mistyped: it begins with the phrase and goes on; the plan is the same as before. Type --confirm '{phrase}' and no more.",
            agree.confirm
        )));
    }
    if agree.confirm != phrase {
        let does: Vec<String> = plan.steps.iter().map(|step| format!("  {}: {}", step.id, step.title)).collect();
        let subject = if plan.deed == Deed::Silence { "..." } else { plan.subject.as_str() };
        let on = plan.targets.iter().filter(|_| plan.deed.is_of_processes()).filter_map(|target| target.kind.leasable());
        let on: String = on.map(|place| format!(" --host {}", place.host)).collect();
        let without: String = plan.impact.left_out().map(|host| format!(" --without {host}")).collect();
        let to = plan.to.as_ref().map_or(String::new(), |to| format!(" --to {to}"));
        return Ok(Confirmed::Other(format!(
            "refused, nothing was changed: `{}` was confirmed, the plan of now is `{}`: the world or the estate file has changed since, or another one was meant. It would do:\n{}\nLook at it again with `qd plan {} {}{to}{without}{on}`.",
            agree.confirm,
            plan.phrase(),
            does.join("\n"),
            plan.deed.word(),
            subject
        )));
    }
    let glass = agree.break_glass.clone();
    Ok(Confirmed::Same(Box::new(Agreement { phrase: agree.confirm.clone(), reason: agree.reason.clone(), overrides, glass, at: now })))
}

/// Carries out the plan that `make_plan` makes anew, if it is the one that was confirmed; then follows the run, or prints
/// its id.
///
/// # Errors
/// Where nothing was begun, or nobody knows whether it was.
pub fn carry_out(
    settings: &Settings<'_>,
    agree: &Agree,
    make_plan: impl FnOnce(&Arc<Estate>, &mut dyn Write) -> Result<Plan, Failure>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Failure> {
    may_write(settings)?;
    let ground = Ground::of(settings)?;
    // A journal that cannot be read, or in which an event was changed, is told before anything is asked of the world.
    ground.all()?;
    let estate = Arc::new(settings.estate()?);
    let plan = make_plan(&estate, err)?;
    let agreement = match confirmed(&plan, agree, Timestamp::now())? {
        Confirmed::Same(agreement) => *agreement,
        Confirmed::Other(why) => {
            writeln!(err, "qd: {}", settings.typed(&why))?;
            return Ok(REFUSED);
        }
    };
    let prepared = runner::ready(settings, ground.prepare(settings.estate_path()?, &plan, agree.lease))?;
    let order = Order {
        run: id(&plan.subject, Timestamp::now()),
        hash: plan.hash(),
        plan,
        agreement,
        by: me(settings),
        estate: settings.hand(Some(&estate)).estate,
        lease: agree.lease,
    };
    let started = prepared.go(order).map_err(|error| eyre!("{error}"))?;
    if agree.detach {
        writeln!(out, "{}", started.run)?;
        return Ok(OK);
    }
    writeln!(err, "started {}; Ctrl-C leaves it going", started.run)?;
    follow(settings, &started.run, out, err)
}
