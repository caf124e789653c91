//! What a deployment did, on its page: what deviates, how much was looked at, and what is not known and why.

use crate::app::palette::Goal;
use crate::app::state::State;
use crate::model::age;
use crate::model::deployment::Deployment;
use crate::model::deployment::did::{self, After, Did, Found, WINDOWS, after};
use crate::model::preferences::Token;

use super::Page;

/// Writes the section.
pub(super) fn section(state: &State, of: &Deployment, page: &mut Page) {
    let next = state.beside(of).1.map(|next| next.at);
    let span = match after(of, next, state.now) {
        After::Span { span, .. } => span,
        other => {
            page.head("WHAT IT DID");
            let least = age::exact(did::LEAST);
            let text = match other {
                After::Replaced => format!("? the next deployment came before it was live for {least}: not judged"),
                After::NotLive => "it was not live, as far as is told: nothing to judge".to_owned(),
                _ => format!("? too new: live for less than {least}"),
            };
            return page.text(&text, if other == After::NotLive { Token::Dim } else { Token::Unknown });
        }
    };
    let known = state.deeds.of(&of.key);
    let span = known.map_or(span, |did| did.span);
    let long = age::exact(span.to.duration_since(span.from));
    page.head(&format!("WHAT IT DID, {long} after, against {WINDOWS} same-hour windows"));
    let panels = did::panels(&state.estate, of).len();
    match known {
        _ if panels == 0 => page.text(&format!("? no panel tells of {}", of.service), Token::Unknown),
        None => page.text(&format!("? asking {} panels", panels.min(did::PANELS)), Token::Unknown),
        Some(did) => told(did, page),
    }
}

fn told(did: &Did, page: &mut Page) {
    let deviations = did.deviations();
    for (metric, change) in &deviations {
        page.link(Goal::Panel(metric.panel.clone()));
        let z = if change.z.is_finite() { format!("z {:+.1}", change.z) } else { "all days before were alike".to_owned() };
        let few = if change.windows < WINDOWS { format!(", {} of {WINDOWS} windows", change.windows) } else { String::new() };
        let text = format!("! {}  {}  ({z}{few})", change.short(metric.unit), change.whole(metric.unit));
        page.field(&metric.panel, &text, Token::Warning);
    }
    let same = did.judged() - deviations.len();
    if same > 0 {
        let metrics = if same == 1 { "1 metric" } else { &format!("{same} metrics") };
        let other = if deviations.is_empty() { "" } else { " other" };
        page.text(&format!("no deviation in {metrics}{other}").replace("1 metric other", "1 other metric"), Token::Text);
    }
    for metric in &did.metrics {
        let why = match &metric.found {
            Found::Nothing => "no samples after it".to_owned(),
            Found::Short(windows) => format!("not enough history: {windows} of {WINDOWS} windows have samples"),
            Found::Failed(why) => why.clone(),
            Found::Deviates(_) | Found::Same(_) => continue,
        };
        page.link(Goal::Panel(metric.panel.clone()));
        page.field(&metric.panel, &format!("? {why}"), Token::Unknown);
    }
    if did.left > 0 {
        page.text(&format!("? {} more panels were not asked for", did.left), Token::Unknown);
    }
    if !did.ended {
        page.text("it goes on: judged again each minute", Token::Dim);
    }
    page.text(&format!("a deviation: |z| > {:.0} and more than {:.0}% of what it was", did::OUTLIER, 100.0 * did::SHARE), Token::Dim);
}
