//! Which key runs which action in which layer: the default keymap with a person's own lines over it.

use std::collections::BTreeMap;

use crate::model::preferences::Binding;
use crate::model::problem::Problem;

use super::action::{ACTIONS, Action, Danger};
use super::key::{Code, Key};
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

/// A compiled keymap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keymap(BTreeMap<(Scope, Key), Bound>);

impl Keymap {
    /// Compiles the default bindings and the person's own over them. All problems are told at once: unknown layers,
    /// keys and actions, two lines of one file for one key in one layer, and a dangerous action on a key that hands
    /// press by accident.
    pub fn compile(default: &[Binding], user: &[Binding]) -> Result<Keymap, Vec<Problem>> {
        let mut map = Keymap::default();
        let mut problems = Vec::new();
        for bindings in [default, user] {
            let mut seen: BTreeMap<(Scope, Key), &Binding> = BTreeMap::new();
            for (order, binding) in bindings.iter().enumerate() {
                match resolve(binding) {
                    Err(problem) => problems.push(problem),
                    Ok((scope, key, action)) => {
                        if let Some(first) = seen.insert((scope, key), binding) {
                            let what = format!("`{}` is bound twice in [{}]", binding.on, binding.layer);
                            let hint = format!("line {} binds it to `{}` already; keep one of them", first.place.line, first.run);
                            problems.push(Problem::new(binding.place.clone(), what).hint(hint));
                        }
                        let doc = binding.desc.clone().unwrap_or_else(|| action.entry().doc.to_owned());
                        map.0.insert((scope, key), Bound { action, doc, order });
                    }
                }
            }
        }
        if problems.is_empty() { Ok(map) } else { Err(problems) }
    }

    /// What the key does in that scope: its own layer first, then those behind it. `None` where it does nothing.
    pub fn find(&self, scope: Scope, key: Key) -> Option<Action> {
        let bound = scope.path().iter().find_map(|s| self.0.get(&(*s, key)))?;
        Some(bound.action).filter(|action| *action != Action::Nothing)
    }

    /// The key to show for an action in that scope: the first in the keymap that really runs it there.
    pub fn key_for(&self, scope: Scope, action: Action) -> Option<Key> {
        scope.path().iter().find_map(|s| {
            let mut keys: Vec<_> = self.0.iter().filter(|((at, _), b)| at == s && b.action == action).collect();
            keys.sort_by_key(|(_, b)| b.order);
            keys.into_iter().map(|((_, key), _)| *key).find(|key| self.find(scope, *key) == Some(action))
        })
    }

    /// All that works in that scope: keys (in the keymap's order), action, text; each action once, in the order of
    /// [`ACTIONS`].
    pub fn all(&self, scope: Scope) -> Vec<(Vec<Key>, Action, String)> {
        let mut rows: Vec<(Vec<Key>, Action, String)> = Vec::new();
        for entry in ACTIONS.iter().filter(|e| e.action != Action::Nothing) {
            let mut bound: Vec<(usize, usize, Key, &Bound)> = Vec::new();
            for (depth, s) in scope.path().iter().enumerate() {
                for ((at, key), b) in &self.0 {
                    if at == s && b.action == entry.action && self.find(scope, *key) == Some(entry.action) {
                        bound.push((depth, b.order, *key, b));
                    }
                }
            }
            bound.sort_by_key(|(depth, order, ..)| (*depth, *order));
            bound.dedup_by_key(|(_, _, key, _)| *key);
            if let Some((.., first)) = bound.first() {
                rows.push((bound.iter().map(|(.., key, _)| *key).collect(), entry.action, first.doc.clone()));
            }
        }
        rows
    }
}

fn resolve(binding: &Binding) -> Result<(Scope, Key, Action), Problem> {
    let problem = |what: String| Problem::new(binding.place.clone(), what);
    let scope = Scope::named(&binding.layer).ok_or_else(|| {
        let names: Vec<&str> = Scope::ALL.iter().map(|(_, name)| *name).collect();
        problem(format!("unknown layer [{}]", binding.layer)).hint(format!("layers are {}", names.join(", ")))
    })?;
    let key: Key = binding.on.parse().map_err(problem)?;
    let action = Action::named(&binding.run)
        .ok_or_else(|| problem(format!("unknown action `{}`", binding.run)).hint("`qd keys` lists all actions"))?;
    if !may_run(key, action.entry().danger) {
        return Err(problem(format!("`{}` must not run `{}`, which changes production", binding.on, binding.run))
            .hint("hands press it by accident; use a capital letter or the palette"));
    }
    Ok((scope, key, action))
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
