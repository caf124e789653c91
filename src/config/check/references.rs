//! Rules about names that stand for other entries.

use std::collections::{HashMap, HashSet};

use toml::Spanned;

use super::super::raw::{Key, Raw, Words, text};
use super::super::report::Report;
use super::{is, named};

/// The names that one kind of entry offers.
struct Offered<'r> {
    kind: &'static str,
    names: HashSet<&'r str>,
    /// True where an entry's name could not be read: any reference may be to that one, so none is called dangling.
    guess: bool,
}

impl<'r> Offered<'r> {
    fn new(report: &Report<'_>, kind: &'static str, names: impl Iterator<Item = &'r Key<String>>) -> Offered<'r> {
        let names: Vec<Option<&str>> = names.map(text).collect();
        let guess = names.iter().any(Option::is_none) || report.lost(0, kind);
        Offered { kind, names: names.into_iter().flatten().collect(), guess }
    }

    fn check(&self, report: &mut Report<'_>, name: &Spanned<String>) {
        let text = name.get_ref().as_str();
        if self.guess || self.names.contains(text) {
            return;
        }
        let mut names: Vec<&str> = self.names.iter().copied().collect();
        names.sort_unstable();
        let what = format!("there is no {} named `{text}`", self.kind);
        match names.is_empty() {
            true => report.hint(name.span().start, what, format!("this file has no [[{}]]", self.kind)),
            false => report.choice(name.span().start, what, text, &names),
        }
    }
}

/// Every reference leads to an entry, and a panel's to a source that has numbers.
pub(super) fn lead_somewhere(raw: &Raw, report: &mut Report<'_>) {
    let sites = Offered::new(report, "site", raw.site.iter().map(|s| &s.get_ref().name));
    let services = Offered::new(report, "service", raw.service.iter().map(|s| &s.get_ref().name));
    let databases = raw.database.iter().map(|d| &d.get_ref().name);
    let sources = Offered::new(report, "source", raw.source.iter().map(|s| &s.get_ref().name).chain(databases));
    let hosts = Offered::new(report, "host", raw.host.iter().map(|h| &h.get_ref().name));
    for host in raw.host.iter().map(Spanned::get_ref) {
        host.site.iter().for_each(|name| sites.check(report, name));
    }
    let backups = Offered::new(report, "backup", raw.backup.iter().map(|b| &b.get_ref().name));
    for service in raw.service.iter().map(Spanned::get_ref) {
        words(&service.hosts).for_each(|name| hosts.check(report, name));
        words(&service.sites).for_each(|name| sites.check(report, name));
        words(&service.depends_on).for_each(|name| services.check(report, name));
        let rollback = service.rollback.iter().map(Spanned::get_ref);
        let steps = rollback.flat_map(|r| r.before.iter().chain(&r.after)).flat_map(|steps| steps.get_ref());
        steps.filter_map(|step| step.get_ref().host.as_ref()).for_each(|name| hosts.check(report, name));
    }
    for source in raw.source.iter().map(Spanned::get_ref) {
        source.service.iter().for_each(|name| services.check(report, name));
        source.site.iter().for_each(|name| sites.check(report, name));
    }
    for history in raw.history.iter().map(Spanned::get_ref) {
        history.service.iter().for_each(|name| services.check(report, name));
        history.site.iter().for_each(|name| sites.check(report, name));
        history.host.iter().chain(words(&history.hosts)).for_each(|name| hosts.check(report, name));
    }
    for database in raw.database.iter().map(Spanned::get_ref) {
        database.service.iter().for_each(|name| services.check(report, name));
        database.site.iter().for_each(|name| sites.check(report, name));
    }
    for backup in raw.backup.iter().map(Spanned::get_ref) {
        backup.service.iter().for_each(|name| services.check(report, name));
        backup.site.iter().for_each(|name| sites.check(report, name));
        backup.host.iter().for_each(|name| hosts.check(report, name));
        let copies = backup.copies.iter().flat_map(|copies| copies.get_ref());
        copies.filter_map(|copy| copy.get_ref().site.as_ref()).for_each(|name| sites.check(report, name));
        backup.base.iter().for_each(|name| backups.check(report, name));
    }
    for objective in raw.objective.iter().map(Spanned::get_ref) {
        objective.service.iter().for_each(|name| services.check(report, name));
    }
    for list in [
        raw.window.iter().map(|w| &w.get_ref().services).collect::<Vec<_>>(),
        raw.freeze.iter().map(|f| &f.get_ref().services).collect(),
        raw.drill.iter().map(|d| &d.get_ref().services).collect(),
    ] {
        list.into_iter().flat_map(words).for_each(|name| services.check(report, name));
    }
    let backups = Offered::new(report, "backup", raw.backup.iter().map(|b| &b.get_ref().name));
    for drill in raw.drill.iter().map(Spanned::get_ref) {
        drill.backup.iter().for_each(|name| backups.check(report, name));
    }
    let panels = Offered::new(report, "panel", raw.panel.iter().map(|p| &p.get_ref().name));
    for rule in raw.rule.iter().map(Spanned::get_ref) {
        rule.panel.iter().for_each(|name| panels.check(report, name));
    }
    for panel in raw.panel.iter().map(Spanned::get_ref) {
        panel.service.iter().for_each(|name| services.check(report, name));
        panel.site.iter().for_each(|name| sites.check(report, name));
        let Some(name) = &panel.source else { continue };
        sources.check(report, name);
        let source = raw.source.iter().map(Spanned::get_ref).find(|s| is(&s.name, name.get_ref()));
        if source.is_some_and(|s| is(&s.kind, "alertmanager")) {
            let what = format!("the source `{}` is an alertmanager, which answers no queries", name.get_ref());
            report.hint(name.span().start, what, "a panel needs a source of kind `prometheus`, `exposition` or `probe`");
        }
        if raw.database.iter().any(|d| is(&d.get_ref().name, name.get_ref())) {
            let what = format!("`{}` is a database, which answers no panels", name.get_ref());
            report.hint(name.span().start, what, "a panel needs a source of kind `prometheus`, `exposition` or `probe`");
        }
    }
}

fn words(words: &Words) -> impl Iterator<Item = &Spanned<String>> {
    words.iter().flat_map(|w| w.get_ref())
}

/// A list names each entry once, and a list of sites is not empty: a service that runs nowhere is none.
pub(super) fn not_twice(raw: &Raw, report: &mut Report<'_>) {
    for service in &raw.service {
        let (at, service) = (service.span().start, service.get_ref());
        for (key, list) in [("sites", &service.sites), ("hosts", &service.hosts), ("depends_on", &service.depends_on)] {
            let mut seen = HashSet::new();
            for name in words(list).filter(|name| !seen.insert(name.get_ref())) {
                report.at(name.span().start, format!("`{}` is named twice in `{key}`", name.get_ref()));
            }
        }
        if let Some(sites) = service.sites.as_ref().filter(|s| s.get_ref().is_empty())
            && !report.lost(at, "sites")
        {
            report.hint(sites.span().start, "`sites` is empty: the service would run nowhere", "leave the key out for every site");
        }
    }
}

/// No service depends on itself, however far round. Walks without recursion: a file can hold a chain of any length.
pub(super) fn no_cycles(raw: &Raw, report: &mut Report<'_>) {
    let services: Vec<(&str, Vec<&Spanned<String>>)> = raw
        .service
        .iter()
        .map(Spanned::get_ref)
        .filter_map(|s| named(&s.name).map(|(name, _)| (name, words(&s.depends_on).collect())))
        .collect();
    let index: HashMap<&str, usize> = services.iter().enumerate().rev().map(|(i, (name, _))| (*name, i)).collect();
    let mut state = vec![Walk::Ahead; services.len()];
    for start in 0..services.len() {
        if state[start] != Walk::Ahead {
            continue;
        }
        state[start] = Walk::OnPath;
        let mut path = vec![(start, 0)];
        while let Some((at, next)) = path.last_mut() {
            let here = *at;
            let Some(name) = services[here].1.get(*next) else {
                state[here] = Walk::Done;
                path.pop();
                continue;
            };
            *next += 1;
            let Some(&to) = index.get(name.get_ref().as_str()) else { continue };
            match state[to] {
                Walk::Done => {}
                Walk::Ahead => {
                    state[to] = Walk::OnPath;
                    path.push((to, 0));
                }
                Walk::OnPath => {
                    let from = path.iter().position(|(i, _)| *i == to).unwrap_or(0);
                    let round: Vec<&str> = path[from..].iter().map(|(i, _)| *i).chain([to]).map(|i| services[i].0).collect();
                    let what = format!("services depend on each other in a circle: {}", round.join(" -> "));
                    report.hint(name.span().start, what, "take one of these out: recovery needs an order");
                }
            }
        }
    }
}

/// How far the walk has come with one service.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    /// Not seen yet.
    Ahead,
    /// On the path that is being walked: to meet it again is a circle.
    OnPath,
    /// Seen with all that it depends on.
    Done,
}
