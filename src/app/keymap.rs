//! Which key runs which action in which layer: the default keymap with a person's own lines over it.

use std::collections::BTreeMap;

use crate::model::preferences::Binding;
use crate::model::problem::Problem;

use super::action::{ACTIONS, Action, Danger};
use super::key::{Chord, Code, Key};
use super::layer::Scope;

/// What one key does in one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The action.
    pub action: Action,
    /// What help says.
    pub doc: String,
    /// Its place in the keymap file: help and footer show the first key of an action.
    order: usize,
}

/// Keys (in the keymap's order), what they run, and what help says of it.
pub type Line = (Vec<Chord>, Action, String);

/// A compiled keymap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keymap(BTreeMap<(Scope, Chord), Bound>);

impl Keymap {
    /// Compiles the default bindings and the person's own over them. All problems are told at once: unknown layers,
    /// keys and actions, two lines of one file for one key in one layer, and a dangerous action on a key that hands
    /// press by accident.
    pub fn compile(default: &[Binding], user: &[Binding]) -> Result<Keymap, Vec<Problem>> {
        let mut map = Keymap::default();
        let mut problems = Vec::new();
        for bindings in [default, user] {
            let mut seen: BTreeMap<(Scope, Chord), &Binding> = BTreeMap::new();
            for (order, binding) in bindings.iter().enumerate() {
                match resolve(binding) {
                    Err(problem) => problems.push(problem),
                    Ok((scope, chord, action)) => {
                        if let Some(first) = seen.insert((scope, chord), binding) {
                            let what = format!("`{}` is bound twice in [{}]", binding.on, binding.layer);
                            let hint = format!("line {} binds it to `{}` already; keep one of them", first.place.line, first.run);
                            problems.push(Problem::new(binding.place.clone(), what).hint(hint));
                        }
                        let doc = binding.desc.clone().unwrap_or_else(|| action.entry().doc.to_owned());
                        map.0.insert((scope, chord), Bound { action, doc, order });
                    }
                }
            }
        }
        problems.extend(map.hidden(&default.iter().chain(user).collect::<Vec<_>>()));
        if problems.is_empty() { Ok(map) } else { Err(problems) }
    }

    /// What the key does in that scope: its own layer first, then those behind it. `None` where it does nothing.
    pub fn find(&self, scope: Scope, key: Key) -> Option<Action> {
        let bound = scope.path().iter().find_map(|s| self.0.get(&(*s, key.into())))?;
        Some(bound.action).filter(|action| *action != Action::Nothing)
    }

    /// What two keys do in that scope, one after the other.
    pub fn second(&self, scope: Scope, first: Key, then: Key) -> Option<Action> {
        let chord = Chord { first, then: Some(then) };
        let bound = scope.path().iter().find_map(|s| self.0.get(&(*s, chord)))?;
        Some(bound.action).filter(|action| *action != Action::Nothing)
    }

    /// True where something can follow that key in that scope.
    pub fn is_first(&self, scope: Scope, key: Key) -> bool {
        !self.follow(scope, key).is_empty()
    }

    /// What can follow that key in that scope: the second key, what both run, and what help says of it.
    pub fn follow(&self, scope: Scope, first: Key) -> Vec<(Key, Action, &str)> {
        let of = |(at, chord): &(Scope, Chord)| scope.path().contains(at) && chord.first == first;
        let mut keys: Vec<Key> = self.0.keys().filter(|key| of(key)).filter_map(|(_, chord)| chord.then).collect();
        keys.sort_unstable();
        keys.dedup();
        let bound = |then: Key| scope.path().iter().find_map(|s| self.0.get(&(*s, Chord { first, then: Some(then) })));
        let all = keys.into_iter().filter_map(|then| bound(then).map(|b| (then, b.action, b.doc.as_str())));
        all.filter(|(_, action, _)| *action != Action::Nothing).collect()
    }

    /// What runs in that scope.
    fn runs(&self, scope: Scope, chord: Chord) -> Option<Action> {
        match chord.then {
            Some(then) => self.second(scope, chord.first, then),
            None => self.find(scope, chord.first),
        }
    }

    /// Two keys of which the first does something by itself: they would never be reached, or take that key away.
    fn hidden(&self, bindings: &[&Binding]) -> Vec<Problem> {
        let mut problems = Vec::new();
        for binding in bindings {
            let Ok((at, chord, action)) = resolve(binding) else { continue };
            if chord.then.is_none() || action == Action::Nothing {
                continue;
            }
            let scopes = Scope::ALL.into_iter().map(|(scope, _)| scope).filter(|scope| scope.path().contains(&at));
            let clash = scopes.into_iter().find_map(|scope| self.find(scope, chord.first).map(|action| (scope, action)));
            if let Some((scope, taken)) = clash {
                let by = bindings.iter().rev().find(|b| {
                    resolve(b).is_ok_and(|(s, key, action)| key == chord.first.into() && action == taken && scope.path().contains(&s))
                });
                let place = by.map_or_else(String::new, |b| format!(", {} line {}", b.place.file.display(), b.place.line));
                let what = format!("`{}` begins with a key that runs `{}` in [{}]{place}", binding.on, taken.entry().name, scope.name());
                problems
                    .push(Problem::new(binding.place.clone(), what).hint("take another first key, or that one away with `run = \"none\"`"));
            }
        }
        problems
    }

    /// The key to show for an action in that scope: the first in the keymap that really runs it there.
    pub fn key_for(&self, scope: Scope, action: Action) -> Option<Chord> {
        scope.path().iter().find_map(|s| {
            let mut keys: Vec<_> = self.0.iter().filter(|((at, _), b)| at == s && b.action == action).collect();
            keys.sort_by_key(|(_, b)| b.order);
            keys.into_iter().map(|((_, key), _)| *key).find(|key| self.runs(scope, *key) == Some(action))
        })
    }

    /// All that works in that scope: keys (in the keymap's order), action, text; each action once, in the order of
    /// [`ACTIONS`].
    pub fn all(&self, scope: Scope) -> Vec<Line> {
        self.bound(scope).into_iter().map(|(_, line)| line).collect()
    }

    /// The same by where it works: just there first, then in every list, then everywhere.
    pub fn by_place(&self, scope: Scope) -> Vec<(Scope, Vec<Line>)> {
        let wide = [Scope::List, Scope::Global];
        let mut here = (scope, Vec::new());
        let mut beyond = wide.map(|scope| (scope, Vec::new()));
        for (place, line) in self.bound(scope) {
            match beyond.iter_mut().find(|(wide, _)| *wide == place) {
                Some((_, lines)) => lines.push(line),
                None => here.1.push(line),
            }
        }
        std::iter::once(here).chain(beyond).filter(|(_, lines)| !lines.is_empty()).collect()
    }

    /// All that works in that scope, with the first scope that binds it.
    fn bound(&self, scope: Scope) -> Vec<(Scope, Line)> {
        let mut rows: Vec<(Scope, Line)> = Vec::new();
        for entry in ACTIONS.iter().filter(|e| e.action != Action::Nothing) {
            let mut bound: Vec<(usize, usize, Chord, &Bound)> = Vec::new();
            for (depth, s) in scope.path().iter().enumerate() {
                for ((at, key), b) in &self.0 {
                    if at == s && b.action == entry.action && self.runs(scope, *key) == Some(entry.action) {
                        bound.push((depth, b.order, *key, b));
                    }
                }
            }
            bound.sort_by_key(|(depth, order, ..)| (*depth, *order));
            bound.dedup_by_key(|(_, _, key, _)| *key);
            if let Some((depth, _, _, first)) = bound.first() {
                let keys = bound.iter().map(|(.., key, _)| *key).collect();
                rows.push((scope.path()[*depth], (keys, entry.action, first.doc.clone())));
            }
        }
        rows
    }
}

fn resolve(binding: &Binding) -> Result<(Scope, Chord, Action), Problem> {
    let problem = |what: String| Problem::new(binding.place.clone(), what);
    let scope = Scope::named(&binding.layer).ok_or_else(|| {
        let names: Vec<&str> = Scope::ALL.iter().map(|(_, name)| *name).collect();
        problem(format!("unknown layer [{}]", binding.layer)).hint(format!("layers are {}", names.join(", ")))
    })?;
    let chord: Chord = binding.on.parse().map_err(problem)?;
    // What is typed must reach the line that it is typed into at once.
    if chord.then.is_some() && (scope.path().contains(&Scope::Input) || scope == Scope::Confirm) {
        return Err(problem(format!("`{}`: no two keys in [{}], where text is typed", binding.on, binding.layer)));
    }
    let key = chord.then.unwrap_or(chord.first);
    let action = Action::named(&binding.run)
        .ok_or_else(|| problem(format!("unknown action `{}`", binding.run)).hint("`qd keys` lists all actions"))?;
    if !may_run(key, action.entry().danger) {
        return Err(problem(format!("`{}` must not run `{}`, which changes production", binding.on, binding.run))
            .hint("hands press it by accident; use a capital letter or the palette"));
    }
    Ok((scope, chord, action))
}

/// Whether a key may run an action of that danger: what changes production is never on Ctrl-D, Ctrl-K, Ctrl-L, Delete,
/// Backspace, Enter, Space or a bare lower-case letter or digit.
pub fn may_run(key: Key, danger: Danger) -> bool {
    danger < Danger::Production
        || !match key.code {
            Code::Char('d' | 'k' | 'l') if key.ctrl => true,
            Code::Char(c) if !key.ctrl && !key.alt => !c.is_uppercase(),
            Code::Delete | Code::Backspace | Code::Enter | Code::Tab => true,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::problem::Place;
    use proptest::prelude::*;

    fn bind(layer: &str, on: &str, run: &str) -> Binding {
        Binding { layer: layer.into(), on: on.into(), run: run.into(), desc: None, place: Place::of("k.toml", "", 0) }
    }

    #[test]
    fn the_top_layer_wins_and_none_takes_a_key_away() {
        let default = [bind("global", "q", "close"), bind("list", "j", "down"), bind("alerts", "s", "muted")];
        let map = Keymap::compile(&default, &[bind("alerts", "q", "none"), bind("alerts", "j", "up")]).unwrap();
        assert_eq!(map.find(Scope::Overview, Key::char('q')), Some(Action::Close));
        assert_eq!(map.find(Scope::Alerts, Key::char('q')), None);
        assert_eq!(map.find(Scope::Alerts, Key::char('j')), Some(Action::Up));
        assert_eq!(map.find(Scope::Input, Key::char('q')), None, "typed text is never a command");
        assert_eq!(map.key_for(Scope::Alerts, Action::Down), None, "what no key does is not offered");
        assert_eq!(map.all(Scope::Alerts).iter().map(|(_, a, _)| *a).collect::<Vec<_>>(), [Action::Up, Action::Muted]);
    }

    #[test]
    fn all_clashes_and_unknown_words_are_told_at_once() {
        let bad = [
            bind("global", "q", "close"),
            bind("global", "q", "quit"),
            bind("nowhere", "x", "quit"),
            bind("global", "hyper-x", "quit"),
            bind("global", "x", "fly"),
        ];
        let problems = Keymap::compile(&[], &bad).unwrap_err();
        let told: Vec<&str> = problems.iter().map(|p| p.what.split(':').next().unwrap()).collect();
        assert_eq!(told, ["`q` is bound twice in [global]", "unknown layer [nowhere]", "`hyper-x` is no key", "unknown action `fly`"]);
    }

    #[test]
    fn what_changes_production_is_on_no_key_that_is_pressed_by_accident() {
        for key in ["ctrl-d", "ctrl-k", "ctrl-l", "delete", "backspace", "enter", "space", "d", "x", "1", "tab"] {
            let key: Key = key.parse().unwrap();
            assert!(!may_run(key, Danger::Production), "{key}");
            assert!(may_run(key, Danger::Console), "{key}");
        }
        assert!(may_run("R".parse().unwrap(), Danger::Production));
        assert!(may_run("f9".parse().unwrap(), Danger::Production));
    }

    #[test]
    fn two_keys_run_an_action_and_their_first_one_alone_nothing() {
        let default = [bind("global", "q", "close"), bind("global", ", a", "alerts"), bind("alerts", ", d", "muted")];
        let map = Keymap::compile(&default, &[bind("global", ", m", "metrics"), bind("alerts", ", a", "none")]).unwrap();
        let (first, key) = (Key::char(','), |c| Key::char(c));
        assert_eq!(map.find(Scope::Overview, first), None);
        assert!(map.is_first(Scope::Overview, first) && !map.is_first(Scope::Overview, key('q')) && !map.is_first(Scope::Input, first));
        assert_eq!(map.second(Scope::Overview, first, key('a')), Some(Action::Alerts));
        assert_eq!(map.second(Scope::Overview, first, key('d')), None);
        assert_eq!(map.second(Scope::Alerts, first, key('a')), None, "taken away there");
        let follow = |scope| map.follow(scope, first).iter().map(|(key, ..)| key.to_string()).collect::<String>();
        assert_eq!((follow(Scope::Overview), follow(Scope::Alerts)), ("am".to_owned(), "dm".to_owned()));
        assert_eq!(map.key_for(Scope::Overview, Action::Metrics).map(|key| key.to_string()).as_deref(), Some(", m"));
    }

    #[test]
    fn a_first_key_that_does_something_itself_is_refused_with_its_line() {
        let default = [bind("list", "g", "top"), bind("global", "q", "close")];
        let told = |user: &[Binding]| Keymap::compile(&default, user).unwrap_err().iter().map(|p| p.what.clone()).collect::<Vec<_>>();
        assert_eq!(told(&[bind("alerts", "g d", "muted")]), ["`g d` begins with a key that runs `top` in [alerts], k.toml line 1"]);
        assert_eq!(told(&[bind("global", "g d", "help")]).len(), 1, "where lists are it would never be reached");
        assert_eq!(told(&[bind("input", ", d", "erase")]), ["`, d`: no two keys in [input], where text is typed"]);
        assert_eq!(told(&[bind("global", ", d e", "help")]).len(), 1, "two at the most");
        assert!(told(&[bind("alerts", ", a", "ack")])[0].contains("must not run"), "no bare letter at the end either");
        assert!(Keymap::compile(&default, &[bind("alerts", "g", "none"), bind("alerts", "g d", "muted")]).is_ok());
    }

    proptest! {
        #[test]
        fn any_bindings_compile_or_say_why(rows in prop::collection::vec(("[a-z]{0,8}", ".{0,8}", "[a-z-]{0,12}"), 0..20)) {
            let bindings: Vec<Binding> = rows.iter().map(|(l, o, r)| bind(l, o, r)).collect();
            if let Err(problems) = Keymap::compile(&bindings, &[]) {
                prop_assert!(!problems.is_empty());
            }
        }
    }
}
