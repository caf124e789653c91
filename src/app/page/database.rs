//! What the nodes of a database said, on the page of its source: what is wrong, then each node whole.

use crate::app::state::State;
use crate::app::{mark, when};
use crate::model::database::{DatabaseAnswer, Node, Said, Slot, Standby, Trouble, troubles};
use crate::model::estate::{Source, SourceKind};
use crate::model::metric;
use crate::model::panel::Unit;
use crate::model::preferences::Token;

use super::Page;

/// Slots, standbys and databases that are listed of one node; the rest is counted.
const LISTED: usize = 20;

pub(super) fn lines(state: &State, source: &Source, answer: &DatabaseAnswer, page: &mut Page) {
    let SourceKind::Database(database) = &source.kind else { return };
    page.head("WHAT IS WRONG");
    let troubles = troubles(database, answer);
    if troubles.is_empty() {
        page.text("nothing", Token::Dim);
    }
    for trouble in &troubles {
        page.text(&format!("{} {}", mark::glyph(trouble.severity), trouble.what), mark::token(trouble.severity));
    }
    if let Some(last) = &answer.last_primary {
        page.head("LAST KNOWN PRIMARY");
        let timeline = last.timeline.map_or("?".to_owned(), |t| t.to_string());
        page.field(
            "position",
            &format!("{}, {} on timeline {timeline}, {}", last.written, last.name, when::both(state, last.at)),
            Token::Text,
        );
        page.field("not seen since", &when::both(state, last.gone), Token::Text);
    }
    for node in &answer.nodes {
        let own = troubles
            .iter()
            .filter(|trouble| trouble.of.strip_prefix(&node.name).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')));
        self::node(state, answer, node, &own.collect::<Vec<_>>(), page);
    }
}

/// What stands over a node's lines.
pub(super) fn node_head(name: &str) -> String {
    format!("NODE  {name}")
}

fn node(state: &State, answer: &DatabaseAnswer, node: &Node, wrong: &[&Trouble], page: &mut Page) {
    page.head(&node_head(&node.name));
    let Some(said) = &node.said else {
        page.field("role", "? it did not answer", Token::Unknown);
        page.field("why", node.error.as_deref().unwrap_or("?"), Token::Warning);
        return;
    };
    listed("wrong", wrong, page, |one| {
        (format!("{} {}: {}", mark::glyph(one.severity), one.kind.name(), one.what), mark::token(one.severity))
    });
    let timeline = said.timeline.map_or("?".to_owned(), |t| t.to_string());
    page.field("role", &format!("{}, timeline {timeline}, version {}", said.role(), said.version), Token::Text);
    let position = said.position().map_or("?".to_owned(), |at| at.to_string());
    page.field("position", &position, Token::Text);
    if said.in_recovery {
        standby(state, answer, said, page);
    }
    match said.connections {
        Some(count) => page.field("connections", &format!("{count} of {}", said.max_connections), Token::Text),
        None => page.field("connections", &format!("? of {}", said.max_connections), Token::Unknown),
    }
    match said.longest_transaction {
        Some(age) => page.field("oldest trans.", &whose(age, &said.longest_of), Token::Text),
        None if said.connections.is_none() => page.field("oldest trans.", "? not read", Token::Unknown),
        None => page.field("oldest trans.", "none is open", Token::Dim),
    }
    if let Some(idle) = said.longest_idle {
        page.field("idle trans.", &whose(idle, &said.idle_of), Token::Text);
    }
    archiver(state, said, page);
    if !said.synchronous.is_empty() {
        page.field("synchronous", &said.synchronous, Token::Text);
    }
    listed("standbys", &said.standbys, page, follower);
    listed("slots", &said.slots, page, slot);
    listed("databases", &said.sizes, page, |(name, size)| {
        let size = size.map_or("? the user may not ask".to_owned(), |bytes| metric::show(bytes as f64, Unit::Bytes));
        (format!("{name} {size}"), Token::Text)
    });
    for note in &said.notes {
        page.field("note", note, Token::Warning);
    }
}

/// How long, and whose.
fn whose(seconds: f64, of: &Option<String>) -> String {
    let time = metric::show(seconds, Unit::Seconds);
    of.as_ref().map_or_else(|| time.clone(), |of| format!("{time}, {of}"))
}

fn standby(state: &State, answer: &DatabaseAnswer, said: &Said, page: &mut Page) {
    match answer.lag(said) {
        Some(lag) => {
            let seconds = lag.seconds.map_or(String::new(), |s| format!(", its newest commits took {}", metric::show(s, Unit::Seconds)));
            page.field("lag", &format!("{}{seconds}", metric::show(lag.bytes as f64, Unit::Bytes)), Token::Text);
        }
        None => page.field("lag", "? no one primary to measure by", Token::Unknown),
    }
    // A loss is only spoken of where there is no primary to ask.
    if answer.primaries().next().is_none() {
        match answer.bound(said) {
            Some(bound) => page.field("may lack", &bound.text(), Token::Text),
            None => page.field("may lack", "? no bound is known: no primary was seen before", Token::Unknown),
        }
    }
    if let Some((feeder, sender, _)) = answer.feeder(said)
        && sender.in_recovery
    {
        page.field("fed by", &format!("{}, a standby itself", feeder.name), Token::Text);
    }
    match said.newest_commit {
        Some(at) => page.field("holds up to", &format!("{}, its newest commit", when::both(state, at)), Token::Text),
        None => page.field("holds up to", "? no commit was replayed since it started", Token::Unknown),
    }
    match &said.receiver {
        Some(receiver) => {
            let sender = receiver.sender.as_deref().unwrap_or("?");
            let heard = receiver.receipt_age.map_or(String::new(), |age| format!(", heard {} ago", metric::show(age, Unit::Seconds)));
            let status = receiver.status.as_deref().unwrap_or("? hidden");
            page.field("receiver", &format!("{status} from {sender}{heard}"), Token::Text);
        }
        None => page.field("receiver", "none runs", Token::Warning),
    }
    if said.replay_paused {
        page.field("replay", "paused", Token::Warning);
    }
}

fn archiver(state: &State, said: &Said, page: &mut Page) {
    let Some(archiver) = &said.archiver else {
        page.field("archiver", "off", Token::Dim);
        return;
    };
    let last = match (&archiver.last_archived, archiver.last_archived_at) {
        (Some(file), Some(at)) => format!("{file} {}", when::both(state, at)),
        _ => "nothing was archived yet".to_owned(),
    };
    let (text, token) = match archiver.is_failing() {
        true => (format!("FAILS, {} times; last {last}", archiver.failed), Token::Critical),
        false => (format!("last {last}"), Token::Text),
    };
    page.field("archiver", &text, token);
}

fn listed<T>(name: &str, all: &[T], page: &mut Page, told: impl Fn(&T) -> (String, Token)) {
    for (at, one) in all.iter().take(LISTED).enumerate() {
        let (text, token) = told(one);
        page.field(if at == 0 { name } else { "" }, &text, token);
    }
    if all.len() > LISTED {
        page.field("", &format!("and {} more", all.len() - LISTED), Token::Dim);
    }
}

fn follower(standby: &Standby) -> (String, Token) {
    let unknown = || "?".to_owned();
    let behind = standby.behind.map_or_else(unknown, |bytes| metric::show(bytes as f64, Unit::Bytes));
    let state = standby.state.clone().unwrap_or_else(unknown);
    let sync = standby.sync.clone().unwrap_or_else(unknown);
    (format!("{} {state} {sync}, {behind} behind", standby.name), Token::Text)
}

fn slot(slot: &Slot) -> (String, Token) {
    let bytes = |n: u64| metric::show(n as f64, Unit::Bytes);
    let kind = if slot.logical { "logical" } else { "physical" };
    let read = if slot.active { "active" } else { "read by nobody" };
    let kept = slot.retained.map_or("keeps nothing".to_owned(), |kept| format!("keeps {}", bytes(kept)));
    let status = slot.status.as_deref().filter(|status| *status != "reserved").map_or(String::new(), |status| format!(", {status}"));
    let safe = slot.safe.map_or(String::new(), |safe| format!(", {} until it may be lost", bytes(safe)));
    let token = if slot.active && status.is_empty() { Token::Text } else { Token::Warning };
    (format!("{} {kind}, {read}, {kept}{status}{safe}", slot.name), token)
}
