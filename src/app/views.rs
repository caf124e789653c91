//! Saved views: a pane with a filter and a range under a name of the person's own. What is wrong with one is kept beside
//! the others, with its place: it stops nothing.

use jiff::SignedDuration;

use crate::model::age;
use crate::model::preferences::SavedView;
use crate::model::problem::{Place, Problem};
use crate::model::text::is_hostile;

use super::layer::Pane;
use super::state::State;
use super::update::judge;

/// Characters of a name.
pub const NAME_CAP: usize = 60;
/// The shortest and the longest range of charts, as everywhere.
const RANGES: (SignedDuration, SignedDuration) = (SignedDuration::from_mins(5), SignedDuration::from_hours(7 * 24));

/// One saved view.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Its name, as the person wrote it.
    pub name: String,
    /// The pane.
    pub pane: Pane,
    /// The pane's filter; nothing is filtered where it is empty.
    pub filter: String,
    /// How far charts and the timeline reach; as it is where `None`.
    pub range: Option<SignedDuration>,
    /// Of the Alerts pane: listed by group; as it is where `None`.
    pub grouped: Option<bool>,
    /// Of the Alerts pane: the muted are listed too; as it is where `None`.
    pub muted: Option<bool>,
}

/// All that were saved.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Views {
    /// Those that can be shown, in the order of their files.
    pub all: Vec<View>,
    /// Those that cannot: the name, and why, with the place.
    pub bad: Vec<(String, Problem)>,
    /// The file that views are saved to from here; `None` where there is no folder for it.
    pub file: Option<String>,
}

impl Views {
    /// Judges what was read. Of two with one name the first counts.
    pub fn of(saved: &[SavedView], unread: Vec<Problem>, file: Option<String>) -> Views {
        let mut views = Views { file, ..Views::default() };
        views.bad.extend(unread.into_iter().map(|problem| (String::new(), problem)));
        let mut named: Vec<(&str, &Place)> = Vec::new();
        for one in saved {
            let bad = |what: String| Problem::new(one.place.clone(), what);
            if let Some((_, first)) = named.iter().find(|(name, _)| *name == one.name) {
                let hint = format!("{} line {} has it already: rename one of them", first.file.display(), first.line);
                views.bad.push((one.name.clone(), bad(format!("two views are called `{}`", one.name)).hint(hint)));
                continue;
            }
            named.push((&one.name, &one.place));
            match view(one) {
                Ok(view) => views.all.push(view),
                Err((what, hint)) => {
                    let problem = bad(what);
                    views.bad.push((one.name.clone(), if hint.is_empty() { problem } else { problem.hint(hint) }));
                }
            }
        }
        views
    }

    /// The view of that name.
    ///
    /// # Errors
    /// Why there is none, as a sentence: with the place where it is written, or with the names that there are.
    pub fn find(&self, name: &str) -> Result<&View, String> {
        if let Some(view) = self.all.iter().find(|view| view.name == name) {
            return Ok(view);
        }
        if let Some((_, problem)) = self.bad.iter().find(|(of, _)| of == name) {
            return Err(line(problem));
        }
        let names: Vec<String> = self.all.iter().map(|view| format!("`{}`", view.name)).collect();
        let there = if names.is_empty() { "none is saved".to_owned() } else { format!("there are {}", names.join(", ")) };
        Err(format!("no view is called `{name}`: {there}"))
    }

    /// Why a view cannot be saved under that name; `None` where it can.
    pub fn refuses(&self, name: &str) -> Option<String> {
        let taken = self.all.iter().map(|view| view.name.as_str()).chain(self.bad.iter().map(|(name, _)| name.as_str()));
        match name {
            "" => Some("write a name first".to_owned()),
            _ if name.chars().any(is_hostile) => Some("a name holds no control characters".to_owned()),
            _ if name.chars().count() > NAME_CAP => Some(format!("a name has {NAME_CAP} characters at the most")),
            _ if taken.into_iter().any(|taken| taken == name) => Some(format!("`{name}` is there already: write another name")),
            _ => None,
        }
    }
}

/// A problem in one line: where, what, and the hint.
pub fn line(problem: &Problem) -> String {
    let Problem { place, what, hint } = problem;
    let hint = hint.as_ref().map_or_else(String::new, |hint| format!("; {hint}"));
    format!("{}:{}:{} {what}{hint}", place.file.display(), place.line, place.column)
}

fn view(of: &SavedView) -> Result<View, (String, String)> {
    let plain = |what: String| (what, String::new());
    if of.name.trim() != of.name || of.name.is_empty() || of.name.chars().count() > NAME_CAP {
        return Err(plain(format!("the name of a view has 1 to {NAME_CAP} characters, and no blanks around it")));
    }
    let names = Pane::ALL.map(Pane::name).join(", ");
    let pane = Pane::named(&of.pane).ok_or_else(|| (format!("`{}` is no pane", of.pane), format!("panes are {names}")))?;
    judge(pane, &of.filter).map_err(|why| plain(format!("its filter: {why}")))?;
    let range = match &of.range {
        None => None,
        Some(text) => {
            let range = age::parse(text).map_err(|why| plain(format!("its range: {why}")))?;
            if !(RANGES.0..=RANGES.1).contains(&range) {
                return Err(plain("its range: 5m at the least and 7d at the most".to_owned()));
            }
            Some(range)
        }
    };
    Ok(View { name: of.name.clone(), pane, filter: of.filter.clone(), range, grouped: of.grouped, muted: of.muted })
}

/// What is shown now as a view without a name: the pane, whatever lies on it.
pub fn present(state: &State) -> View {
    let alerts = state.pane == Pane::Alerts;
    let filter = match state.pane {
        Pane::Overview => &state.overview.filter,
        Pane::Alerts => &state.alerts.filter,
        Pane::Metrics => &state.metrics.filter,
        Pane::Databases => &state.databases.filter,
        Pane::Backups => &state.backups.filter,
        Pane::Deployments => &state.deployments.filter,
        Pane::Operations => &state.operations.filter,
        Pane::Timeline => &state.timeline.list.filter,
    };
    View {
        name: String::new(),
        pane: state.pane,
        filter: filter.text.clone(),
        range: match state.pane {
            Pane::Metrics => Some(state.demand.range),
            Pane::Timeline => Some(state.timeline.window.length()),
            _ => None,
        },
        grouped: alerts.then_some(state.grouped),
        muted: alerts.then_some(state.show_muted),
    }
}

/// What a view shows, in a line: the pane, its filter and what else it says.
pub fn words(view: &View) -> String {
    let mut words = view.pane.name().to_owned();
    if !view.filter.is_empty() {
        words.push_str(&format!(" /{}", view.filter));
    }
    if let Some(range) = view.range {
        words.push_str(&format!(", {}", age::exact(range)));
    }
    if view.grouped == Some(true) {
        words.push_str(", by group");
    }
    if view.muted == Some(false) {
        words.push_str(", without the muted");
    }
    words
}

/// The list of saved views.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ViewList {
    /// The selected line: the views, then those that cannot be shown, then the one that saves.
    pub selected: usize,
}

/// The name of a view that is being saved.
#[derive(Debug, Clone, PartialEq)]
pub struct SaveForm {
    /// The name, as it is typed.
    pub typed: String,
    /// What is saved.
    pub view: View,
    /// True while it is being written.
    pub writing: bool,
    /// Why it is not saved.
    pub error: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(name: &str, pane: &str, filter: &str, range: Option<&str>) -> SavedView {
        let place = Place { file: "config.toml".into(), line: 7, column: 1, text: String::new() };
        let range = range.map(str::to_owned);
        SavedView { name: name.into(), pane: pane.into(), filter: filter.into(), range, grouped: None, muted: None, place }
    }

    #[test]
    fn what_is_wrong_with_one_is_told_with_its_place_and_costs_no_other() {
        let all = [
            saved("mine", "alerts", "team=\"web\" age<2h", None),
            saved("odd", "alarms", "", None),
            saved("open", "deployments", "name:(", None),
            saved("field", "backups", "nmae:x", None),
            saved("far", "metrics", "", Some("9d")),
            saved("mine", "metrics", "", None),
            saved("charts", "metrics", "", Some("6h")),
            saved(" ", "metrics", "", None),
        ];
        let views = Views::of(&all, vec![], None);
        assert_eq!(views.all.iter().map(|view| view.name.as_str()).collect::<Vec<_>>(), ["mine", "charts"]);
        let told: Vec<String> = views.bad.iter().map(|(name, problem)| format!("{name}: {}", line(problem))).collect();
        assert_eq!(told.len(), 6, "{told:#?}");
        assert!(told[0].starts_with("odd: config.toml:7:1 `alarms` is no pane; panes are overview, alerts"), "{told:#?}");
        assert!(told[1].starts_with("open: config.toml:7:1 its filter: "), "{told:#?}");
        assert!(told[2].contains("nmae"), "{told:#?}");
        assert_eq!(told[3], "far: config.toml:7:1 its range: 5m at the least and 7d at the most");
        assert_eq!(told[4], "mine: config.toml:7:1 two views are called `mine`; config.toml line 7 has it already: rename one of them");
        assert!(views.find("odd").unwrap_err().contains("config.toml:7:1"));
        assert_eq!(views.find("none").unwrap_err(), "no view is called `none`: there are `mine`, `charts`");
    }

    #[test]
    fn a_name_that_is_taken_is_refused_also_where_its_view_is_broken() {
        let views = Views::of(&[saved("a", "alerts", "", None), saved("b", "?", "", None)], vec![], None);
        assert!(views.refuses("a").is_some() && views.refuses("b").is_some() && views.refuses("").is_some());
        assert!(views.refuses("x\u{1b}[2J").is_some() && views.refuses(&"é".repeat(61)).is_some());
        assert_eq!(views.refuses(&"é".repeat(60)), None);
    }
}
