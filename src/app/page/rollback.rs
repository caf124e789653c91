//! On a service's page: how it is started again, how its health is asked and what its rollback does beside the switch.

use crate::app::state::State;
use crate::model::age;
use crate::model::estate::Service;
use crate::model::operations::{HealthAsk, OwnAct, OwnStep, Restart};
use crate::model::preferences::Token;
use crate::model::text::{NOTE_CAP, clean};

use super::Page;
use super::service::typed;

/// All of it, and why it is not possible where the estate file does not say enough.
pub(super) fn lines(state: &State, service: &Service, page: &mut Page) {
    let rollback = &service.rollback;
    let unsaid = state.estate.no_rollback(service);
    if service.restart.is_none() && service.health.is_none() && *rollback == Default::default() {
        if let Some(why) = unsaid {
            page.head("ROLLBACK");
            page.text(&clean(&format!("not possible: {why}"), NOTE_CAP), Token::Dim);
        }
        return;
    }
    page.head("ROLLBACK, as the estate file says");
    if let Some(why) = unsaid {
        page.text(&clean(&format!("! not possible: {why}"), NOTE_CAP), Token::Warning);
    }
    let field = |page: &mut Page, name: &str, text: &str| page.field(name, &clean(text, NOTE_CAP), Token::Text);
    match &service.restart {
        Some(Restart::Unit { unit, sudo }) => {
            field(page, "restart", &format!("the unit {unit}{}", if *sudo { ", by sudo" } else { "" }));
        }
        Some(Restart::Command { command, pid_file }) => {
            let file = pid_file.as_ref().map_or(String::new(), |file| format!("  (its process: {file})"));
            field(page, "restart", &format!("{}{file}", typed(command, "$site")));
        }
        None => {}
    }
    if let Some(health) = &service.health {
        let asked = match &health.ask {
            HealthAsk::Http { url, status, body } => {
                let status = status.map_or("2xx".to_owned(), |status| status.to_string());
                let body = body.as_ref().map_or(String::new(), |body| format!(" with \"{body}\""));
                format!("GET {url}: {status}{body}")
            }
            HealthAsk::Command { command } => typed(command, "$site"),
        };
        let (every, within) = (age::exact(health.every), age::exact(health.within));
        field(page, "health", &format!("{asked}; {} in a row, every {every}, within {within}", health.times));
    }
    if *rollback == Default::default() {
        return;
    }
    match rollback.batch {
        0 | 1 => field(page, "batch", "one host at a time"),
        many => field(page, "batch", &format!("{many} hosts at a time")),
    }
    if let Some(guard) = rollback.guard {
        field(page, "guard", &format!("{} after each batch", age::exact(guard)));
    }
    if rollback.note {
        field(page, "note", "a line in the deploy log");
    }
    for (word, steps) in [("before", &rollback.before), ("after", &rollback.after)] {
        steps.iter().for_each(|step| field(page, word, &told(step)));
    }
}

fn told(step: &OwnStep) -> String {
    let again = if step.repeatable { ", repeatable" } else { "" };
    let undo = step.undo.as_ref().map_or(String::new(), |undo| format!("; taken back by {}", act(undo)));
    let point = if step.point_of_no_return { "; a point of no return" } else { "" };
    format!("{}: {} (within {}{again}{undo}{point})", step.name, act(&step.does), age::exact(step.timeout))
}

fn act(act: &OwnAct) -> String {
    match act {
        OwnAct::Command { host, command } => {
            format!("{} on {}", typed(command, "$site"), host.as_deref().unwrap_or("this machine"))
        }
        OwnAct::Http { method, url, body, status, http_config } => {
            let status = status.map_or("2xx".to_owned(), |status| status.to_string());
            let body = body.as_ref().map_or(String::new(), |body| format!(" with {body}"));
            let config = http_config.as_ref().map_or(String::new(), |file| format!(" by {file}"));
            format!("{method} {url}{body}: {status}{config}")
        }
        OwnAct::Manual { what } => format!("a person: {what}"),
    }
}
