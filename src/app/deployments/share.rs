//! What is told of deployments outside of the console: a text to paste into a chat, a command line that shows the same.

use crate::app::ask::Exported;
use crate::app::filter::quoted;
use crate::app::state::State;
use crate::model::age;
use crate::model::deployment::Deployment;
use crate::model::text::clean;

/// Bytes of a text that a terminal is asked to copy: some take no more, and none says so.
pub const COPY_CAP: usize = 8 * 1_024;

/// Where an export goes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExportForm {
    /// The path, as it is typed.
    pub typed: String,
    /// How far it is; `None` before it began.
    pub far: Option<Exported>,
}

/// What a person pastes: what it was, on one line, and the command line that shows it, on the next. Times are in UTC, as
/// those who read it may sit elsewhere.
pub fn text(state: &State, of: &Deployment) -> String {
    let mut parts = vec![of.versions()];
    parts.push(of.result.map_or("result unknown", |result| result.word()).to_owned());
    parts.extend(of.who.as_ref().map(|who| format!("by {who}")));
    parts.push(of.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string());
    parts.extend(of.took.map(|took| format!("took {}", age::exact(took))));
    parts.extend(of.id.clone());
    parts.extend(of.commit.as_ref().map(|commit| format!("commit {commit}")));
    parts.extend(of.reason.as_ref().map(|reason| format!("\"{reason}\"")));
    parts.extend(of.links.iter().cloned());
    let place = [Some(of.service.as_str()), of.site.as_deref(), of.environment.as_deref()];
    let place: Vec<&str> = place.into_iter().flatten().collect();
    let line = format!("{}: {}", place.join(" "), parts.join(", "));
    // Cleaned where it came in; a terminal that is told to copy it must not be told anything else.
    format!("{}\n{}", clean(&line, COPY_CAP / 2), command(state, &filter(of)))
}

/// The filter that leaves this deployment, and few others.
pub fn filter(of: &Deployment) -> String {
    if let Some(id) = &of.id {
        return format!("id={} service={}", quoted(id), quoted(&of.service));
    }
    let second = of.at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let next = of.at.checked_add(jiff::SignedDuration::from_secs(1)).unwrap_or(of.at).strftime("%Y-%m-%dT%H:%M:%S");
    format!("service={} time>={second} time<{next}", quoted(&of.service))
}

/// The command line that lists what passes that filter; it needs no terminal.
pub fn command(state: &State, filter: &str) -> String {
    let estate = state.estate.path.to_string_lossy();
    let mut line = format!("qd --estate {} deployments", shell(&clean(&estate, COPY_CAP / 4)));
    if !filter.is_empty() {
        line += &format!(" --filter {}", shell(&clean(filter, COPY_CAP / 4)));
    }
    line
}

/// The command line that writes them without a console.
pub fn export(state: &State, ending: &str) -> String {
    let estate = state.estate.path.to_string_lossy();
    let mut line = format!("qd --estate {} deployments", shell(&clean(&estate, COPY_CAP / 4)));
    if !state.deployments.filter.is_empty() {
        line += &format!(" --filter {}", shell(&state.deployments.filter.text));
    }
    line + " -o " + ending
}

/// The text as one word of a POSIX shell.
fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=:@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::filter::Filter;
    use crate::model::deployment::Dated;
    use jiff::Timestamp;

    #[test]
    fn a_filter_of_one_leaves_it_whatever_its_name_holds() {
        let at: Timestamp = "2026-03-02T14:10:05.25Z".parse().unwrap();
        let mut one = Deployment::new("it's \"web\" \\ 1", at, Dated::Record, "log");
        let other = Deployment::new("it's \"web\" \\ 1", at + jiff::SignedDuration::from_secs(1), Dated::Record, "log");
        for id in [None, Some("D 1\"")] {
            one.id = id.map(str::to_owned);
            let filter = Filter::parse(&filter(&one)).unwrap();
            assert!(filter.matches(&one, at) && !filter.matches(&other, at), "{}", filter.text);
        }
    }

    #[test]
    fn a_word_of_the_shell_is_quoted_where_it_must() {
        assert_eq!(shell("/etc/qd/estate.toml"), "/etc/qd/estate.toml");
        assert_eq!(shell("id=\"a b\""), "'id=\"a b\"'");
        assert_eq!(shell("it's"), r"'it'\''s'");
        assert_eq!(shell(""), "''");
    }
}
