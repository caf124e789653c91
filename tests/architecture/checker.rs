//! The checker: source texts in, violations out. Nothing here reads a disk, so that a test can plant a violation.

use std::collections::BTreeSet;
use std::fmt;

use syn::spanned::Spanned;
use syn::visit::Visit;

use crate::reader::{Aliases, Reader};
use crate::table::{self, EMPTY_NAMES, LINES};

/// What was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A room imports one that its row does not name.
    Room,
    /// A folder or file under `src` has no row in the table.
    NoRow,
    /// A room names a crate that does not belong to it.
    Crate,
    /// Cargo.toml depends on a crate that has no row in the table.
    UnlistedDependency,
    /// The crate's root is renamed or globbed, so that nobody can read what is imported.
    WholeCrate,
    /// A pure room reads the clock.
    Clock,
    /// A read-only room names what writes.
    Writer,
    /// A permit is made outside the runner.
    Mint,
    /// A process is started outside `link`.
    Process,
    /// Drawing could change the state.
    MutableState,
    /// Too many lines before the tests.
    Long,
    /// The file does not open with what it is for.
    NoDoc,
    /// A name that says nothing.
    EmptyName,
    /// A static.
    Static,
    /// A module that is not where its name says: `#[path]` or `include!`.
    Hidden,
    /// It is not Rust.
    Unreadable,
}

/// One broken rule and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The file's path from the repository's root.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// The rule.
    pub rule: Rule,
    /// What stands there.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {:?}: {}", self.file, self.line, self.rule, self.what)
    }
}

/// One file: its path from the repository's root (`src/ui/mod.rs`) and its text.
pub struct Source {
    /// The path, with `/`.
    pub path: String,
    /// The text.
    pub text: String,
}

/// All that is wrong with these files. `crates` are the dependencies in Cargo.toml, by their names there.
pub fn check(sources: &[Source], crates: &[String]) -> Vec<Violation> {
    let crates: BTreeSet<String> = crates.iter().map(|name| table::in_code(name)).collect();
    let tests = test_files(sources);
    let states = states(sources);
    let mut found: Vec<Violation> = sources.iter().flat_map(|source| check_file(source, &crates, &tests, &states)).collect();
    found.sort();
    found.dedup();
    found
}

/// The dependencies of a Cargo.toml that have no row, and all dependencies by name.
pub fn dependencies(manifest: &str) -> (Vec<String>, Vec<Violation>) {
    let document: toml::Table = manifest.parse().expect("Cargo.toml is TOML");
    let targets = document.get("target").and_then(|t| t.as_table()).into_iter().flat_map(|t| t.values());
    let tables = std::iter::once(&document).chain(targets.filter_map(|t| t.as_table()));
    let names: Vec<String> =
        tables.filter_map(|t| t.get("dependencies")?.as_table()).flat_map(|dependencies| dependencies.keys().cloned()).collect();
    let unlisted = names
        .iter()
        .filter(|name| !table::CRATES.iter().any(|c| c.name == name.as_str()))
        .map(|name| Violation {
            file: "Cargo.toml".into(),
            line: manifest.lines().position(|line| line.starts_with(name.as_str())).map_or(1, |i| i + 1),
            rule: Rule::UnlistedDependency,
            what: format!("{name} has no row in tests/architecture/table.rs"),
        })
        .collect();
    (names, unlisted)
}

fn check_file(source: &Source, crates: &BTreeSet<String>, tests: &BTreeSet<String>, states: &BTreeSet<String>) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut add = |line, rule, what: String| found.push(Violation { file: source.path.clone(), line, rule, what });
    let inside = source.path.strip_prefix("src/").unwrap_or(&source.path);
    let room = inside.split('/').next().unwrap_or_default();
    if table::room(room).is_none() {
        add(1, Rule::NoRow, format!("`{room}` has no row in tests/architecture/table.rs"));
    }
    if let Some(name) = inside.split('/').map(|part| part.trim_end_matches(".rs")).find(|part| EMPTY_NAMES.contains(part)) {
        add(1, Rule::EmptyName, format!("`{name}`: name it after what is inside"));
    }
    if !source.text.starts_with("//!") {
        add(1, Rule::NoDoc, "the file opens with a `//!` that says what it is for".into());
    }
    let file = match syn::parse_file(&source.text) {
        Ok(file) => file,
        Err(error) => {
            add(error.span().start().line, Rule::Unreadable, error.to_string());
            return found;
        }
    };
    let is_test = tests.contains(&source.path);
    let lines = source.text.lines().count() - file.items.iter().map(test_lines).sum::<usize>();
    if !is_test && lines > LINES {
        add(LINES + 1, Rule::Long, format!("{lines} lines without tests, at most {LINES}: split it by verb, pane or system"));
    }
    let mut reader = Reader::new(room, module_of(inside), crates, is_test).calling(states);
    reader.visit_file(&file);
    found.extend(reader.found.into_iter().map(|(line, rule, what)| Violation { file: source.path.clone(), line, rule, what }));
    found
}

/// All names that the state has where it is drawn: its own, and those that `type` and `use ... as` of the two rooms give
/// it, also by way of each other.
fn states(sources: &[Source]) -> BTreeSet<String> {
    let mut aliases = Aliases::default();
    let rooms = ["src/ui/", "src/ui.rs", "src/app/", "src/app.rs"];
    for source in sources.iter().filter(|source| rooms.iter().any(|room| source.path.starts_with(room))) {
        if let Ok(file) = syn::parse_file(&source.text) {
            aliases.visit_file(&file);
        }
    }
    let mut names = BTreeSet::from(["State".to_owned()]);
    loop {
        let before = names.len();
        for (name, of) in &aliases.0 {
            if names.contains(of) {
                names.insert(name.clone());
            }
        }
        if names.len() == before {
            return names;
        }
    }
}

/// The lines that an item takes if it is a module of tests.
fn test_lines(item: &syn::Item) -> usize {
    match item {
        syn::Item::Mod(m) if m.content.is_some() && is_test(&m.attrs) => {
            let start = m.attrs.iter().map(|a| a.span().start().line).min().unwrap_or(m.span().start().line);
            m.span().end().line + 1 - start
        }
        _ => 0,
    }
}

/// True for `#[cfg(test)]` and `#[cfg(all(test, ...))]`.
pub fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().filter(|a| a.path().is_ident("cfg")).any(|a| {
        a.parse_args::<syn::Meta>().is_ok_and(|meta| match meta {
            syn::Meta::Path(path) => path.is_ident("test"),
            syn::Meta::List(list) if list.path.is_ident("all") => {
                list.tokens.into_iter().any(|t| matches!(t, proc_macro2::TokenTree::Ident(i) if i == "test"))
            }
            _ => false,
        })
    })
}

/// The files that a `#[cfg(test)] mod name;` somewhere declares, and all below them.
fn test_files(sources: &[Source]) -> BTreeSet<String> {
    let mut folders = Vec::new();
    for source in sources {
        let Ok(file) = syn::parse_file(&source.text) else { continue };
        let home = match source.path.strip_suffix(".rs") {
            Some(path) if path.ends_with("/mod") || path.ends_with("src/lib") || path.ends_with("src/main") => {
                path.rsplit_once('/').map_or("", |(folder, _)| folder)
            }
            Some(path) => path,
            None => continue,
        };
        for item in &file.items {
            if let syn::Item::Mod(m) = item
                && m.content.is_none()
                && is_test(&m.attrs)
            {
                folders.push(format!("{home}/{}", m.ident));
            }
        }
    }
    let under =
        |path: &str| folders.iter().any(|f| path.strip_prefix(f.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/')));
    sources.iter().map(|s| s.path.clone()).filter(|path| under(path)).collect()
}

/// The module that a file is: `ui/pane/mod.rs` is `ui::pane`, the roots are nothing.
fn module_of(inside: &str) -> Vec<String> {
    let path = inside.trim_end_matches(".rs");
    let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}
