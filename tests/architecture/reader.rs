//! Reads one parsed file: every `use`, every path, every macro's tokens and every attribute.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::checker::{Rule, is_test};
use crate::table::{self, EMPTY_NAMES, MINTS, RE_EXPORTS, READ_ONLY, SPAWNS, TIMELESS, WRITES};

/// Goes through one file and collects what is wrong.
pub struct Reader<'a> {
    room: &'a str,
    module: Vec<String>,
    crates: &'a BTreeSet<String>,
    /// Names that this file itself gives to modules or imports, and that hide a crate of the same name.
    own: BTreeSet<String>,
    in_tests: bool,
    /// All names of the console's state.
    states: BTreeSet<String>,
    /// Line, rule, what stands there.
    pub found: Vec<(usize, Rule, String)>,
}

/// A path as it is written, and what a `use` does with it.
struct Named {
    parts: Vec<String>,
    /// `::name`: a crate, whatever else has that name.
    leading: bool,
    imported: bool,
    renamed: bool,
    glob: bool,
    line: usize,
}

impl<'a> Reader<'a> {
    /// A reader of a file of this room, which is this module of the crate.
    pub fn new(room: &'a str, module: Vec<String>, crates: &'a BTreeSet<String>, in_tests: bool) -> Reader<'a> {
        Reader { room, module, crates, own: BTreeSet::new(), in_tests, states: BTreeSet::new(), found: Vec::new() }
    }

    /// The same, where the console's state has these names.
    pub fn calling(mut self, states: &BTreeSet<String>) -> Reader<'a> {
        self.states.clone_from(states);
        self
    }

    /// The console's state, and not the `Self::State` of a stateful widget.
    fn is_state(&self, names: &[String]) -> bool {
        names.last().is_some_and(|n| self.states.contains(n)) && names[0] != "Self"
    }

    fn state_follows(&self, after: &[TokenTree]) -> bool {
        let path = after.iter().take_while(|t| matches!(t, TokenTree::Ident(_)) || punct(t, ':'));
        let names: Vec<String> = path.filter(|t| matches!(t, TokenTree::Ident(_))).map(ToString::to_string).collect();
        self.is_state(&names)
    }

    fn add(&mut self, line: usize, rule: Rule, what: impl Into<String>) {
        self.found.push((line, rule, what.into()));
    }

    /// The path from the crate's root, where it leads into this crate.
    fn rooted(&self, named: &Named) -> Option<Vec<String>> {
        let first = named.parts.first()?.as_str();
        let mut at = match first {
            _ if named.leading => return (first == "quarterdeck").then(|| named.parts[1..].to_vec()),
            "crate" | "quarterdeck" => Vec::new(),
            "self" | "super" => self.module.clone(),
            // In a root every room is a name of its own.
            room if self.module.is_empty() && table::room(room).is_some() => vec![room.to_owned()],
            _ => return None,
        };
        if first == "super" {
            at.pop();
        }
        for part in &named.parts[1..] {
            match part.as_str() {
                "super" => drop(at.pop()),
                "self" => {}
                part => at.push(part.to_owned()),
            }
        }
        Some(at)
    }

    fn judge(&mut self, named: &Named) {
        let text = named.parts.join("::");
        match self.rooted(named) {
            Some(at) => self.judge_own(&at, named, &text),
            None => self.judge_foreign(named, &text),
        }
        let parts: Vec<&str> = named.parts.iter().map(String::as_str).collect();
        if self.in_tests {
            return;
        }
        if TIMELESS.contains(&self.room) {
            let now = parts.len() > 1 && parts.last() == Some(&"now") && parts[parts.len() - 2] != "Self" && !named.imported;
            if now || parts.contains(&"SystemTime") {
                self.add(named.line, Rule::Clock, format!("`{text}`: time is passed in"));
            }
        }
        if self.room != SPAWNS {
            let command = parts.windows(2).any(|w| w == ["process", "Command"]) || parts.starts_with(&["tokio", "process"]);
            let std_process = parts == ["std", "process"] || parts == ["std", "process", "self"];
            if command || (std_process && (named.renamed || named.glob)) {
                self.add(named.line, Rule::Process, format!("`{text}`: only `{SPAWNS}` starts processes"));
            }
        }
    }

    fn judge_own(&mut self, at: &[String], named: &Named, text: &str) {
        let Some(room) = at.first() else {
            if named.imported {
                self.add(named.line, Rule::WholeCrate, format!("`{text}`: the whole crate, import what is meant"));
            }
            return;
        };
        let allowed = room == self.room || table::room(self.room).is_some_and(|row| row.rooms.contains(&room.as_str()));
        if !allowed {
            self.add(named.line, Rule::Room, format!("`{text}`: {} may not import {room}", self.room));
        }
    }

    fn judge_foreign(&mut self, named: &Named, text: &str) {
        let Some(first) = named.parts.first() else { return };
        let is_crate = named.leading || !self.own.contains(first);
        if self.in_tests || !is_crate || !self.crates.contains(first) {
            return;
        }
        if !table::may_name(self.room, first) {
            self.add(named.line, Rule::Crate, format!("`{text}`: {first} does not belong to {}", self.room));
        }
        for (way, name) in RE_EXPORTS {
            if named.parts.iter().map(String::as_str).take(way.len()).eq(way.iter().copied()) && !table::may_name(self.room, name) {
                self.add(named.line, Rule::Crate, format!("`{text}`: {name} does not belong to {}", self.room));
            }
        }
    }

    /// Every leaf of a `use` tree.
    fn tree(&mut self, tree: &syn::UseTree, before: &[String], leading: bool) {
        let mut parts = before.to_vec();
        let line = tree.span().start().line;
        match tree {
            syn::UseTree::Path(path) => {
                parts.push(path.ident.to_string());
                self.tree(&path.tree, &parts, leading);
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(item, &parts, leading)),
            syn::UseTree::Name(name) => {
                parts.push(name.ident.to_string());
                self.judge(&Named { parts, leading, imported: true, renamed: false, glob: false, line });
            }
            syn::UseTree::Rename(name) => {
                parts.push(name.ident.to_string());
                self.judge(&Named { parts, leading, imported: true, renamed: true, glob: false, line });
            }
            syn::UseTree::Glob(_) => self.judge(&Named { parts, leading, imported: true, renamed: false, glob: true, line }),
        }
    }

    fn path(&mut self, parts: Vec<String>, leading: bool, line: usize) {
        if parts.len() > 1 || leading {
            self.judge(&Named { parts, leading, imported: false, renamed: false, glob: false, line });
        }
    }

    fn ident(&mut self, ident: &Ident) {
        let line = ident.span().start().line;
        if READ_ONLY.contains(&self.room) && WRITES.iter().any(|name| ident == name) {
            self.add(line, Rule::Writer, format!("`{ident}`: {} only reads", self.room));
        }
        if ident == "mint" && !self.in_tests && !MINTS.iter().any(|place| within(&self.module, place)) {
            self.add(line, Rule::Mint, "`mint`: only `operate::runner` makes a permit, after its intent is on the disk");
        }
        if ["lazy_static", "thread_local"].iter().any(|name| ident == name) {
            self.add(line, Rule::Static, format!("`{ident}`: state is passed, not shared"));
        }
    }

    /// The tokens of a macro call or an attribute: nobody has parsed them, so paths are found by their shape.
    fn tokens(&mut self, tokens: TokenStream, attribute: bool) {
        let all: Vec<TokenTree> = tokens.into_iter().collect();
        let mut i = 0;
        while i < all.len() {
            match &all[i] {
                TokenTree::Group(group) => self.tokens(group.stream(), attribute),
                TokenTree::Literal(literal) if attribute => {
                    // `#[serde(with = "crate::link::x")]` is a path in a text.
                    let path = syn::parse_str::<syn::LitStr>(&literal.to_string()).and_then(|text| text.parse::<syn::Path>());
                    if let Ok(path) = path {
                        let parts = path.segments.iter().map(|s| s.ident.to_string()).collect();
                        self.path(parts, path.leading_colon.is_some(), literal.span().start().line);
                    }
                }
                TokenTree::Ident(ident) => {
                    i = self.token_path(&all, i, ident);
                    continue;
                }
                _ => {}
            }
            i += 1;
        }
    }

    /// Reads what begins with the identifier at `i`; gives back where to go on.
    fn token_path(&mut self, all: &[TokenTree], i: usize, ident: &Ident) -> usize {
        let line = ident.span().start().line;
        if ident == "use" {
            let end = all[i..].iter().position(|t| punct(t, ';')).map_or(all.len(), |n| i + n + 1);
            let item = all[i..end].iter().cloned().collect::<TokenStream>();
            if let Ok(item) = syn::parse2::<syn::ItemUse>(item) {
                self.visit_item_use(&item);
                return end;
            }
        }
        if ident == "static" && !(i > 0 && punct(&all[i - 1], '\'')) {
            self.add(line, Rule::Static, "a static: state is passed, not shared");
        }
        if ident == "mut" && i > 0 && self.room == "ui" && mutable_borrow_before(all, i) && self.state_follows(&all[i + 1..]) {
            self.add(line, Rule::MutableState, "`&mut State`: draw changes nothing");
        }
        self.ident(ident);
        let mut parts = vec![ident.to_string()];
        let mut at = i + 1;
        while at + 2 < all.len() && punct(&all[at], ':') && punct(&all[at + 1], ':') {
            match &all[at + 2] {
                TokenTree::Ident(next) => {
                    self.ident(next);
                    parts.push(next.to_string());
                    at += 3;
                }
                _ => break,
            }
        }
        let colons = i > 1 && punct(&all[i - 1], ':') && punct(&all[i - 2], ':');
        // `<T>::name` and `Vec::<T>::name`: the end of a longer path, which begins elsewhere.
        let continued = colons && i > 2 && (punct(&all[i - 3], '>') || matches!(&all[i - 3], TokenTree::Ident(_)));
        if !continued {
            self.path(parts, colons, line);
        }
        at
    }
}

/// True for that module and all inside it.
fn within(module: &[String], place: &[&str]) -> bool {
    module.len() >= place.len() && module.iter().zip(place).all(|(is, wanted)| is == wanted)
}

fn punct(token: &TokenTree, c: char) -> bool {
    matches!(token, TokenTree::Punct(p) if p.as_char() == c)
}

/// `& mut` or `&'a mut`.
fn mutable_borrow_before(all: &[TokenTree], i: usize) -> bool {
    punct(&all[i - 1], '&') || (i > 2 && punct(&all[i - 2], '\'') && punct(&all[i - 3], '&'))
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_file(&mut self, file: &'ast syn::File) {
        let mut own = Own(BTreeSet::new());
        own.visit_file(file);
        self.own = own.0;
        visit::visit_file(self, file);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let line = item.span().start().line;
        if EMPTY_NAMES.iter().any(|name| item.ident == name) {
            self.add(line, Rule::EmptyName, format!("`mod {}`: name it after what is inside", item.ident));
        }
        if item.attrs.iter().any(|a| a.path().is_ident("path")) {
            self.add(line, Rule::Hidden, format!("`mod {}`: a module stands where its name says", item.ident));
        }
        let before = self.in_tests;
        self.in_tests |= is_test(&item.attrs);
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
        self.in_tests = before;
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&item.tree, &[], item.leading_colon.is_some());
        visit::visit_item_use(self, item);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        let line = item.span().start().line;
        let renamed = item.rename.is_some();
        let leading = item.ident != "self";
        let parts = vec![if leading { item.ident.to_string() } else { "crate".to_owned() }];
        self.judge(&Named { parts, leading, imported: true, renamed, glob: false, line });
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.add(item.span().start().line, Rule::Static, format!("`static {}`: state is passed, not shared", item.ident));
        visit::visit_item_static(self, item);
    }

    fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
        if self.room == "ui"
            && reference.mutability.is_some()
            && let syn::Type::Path(path) = bare(&reference.elem)
            && self.is_state(&path.path.segments.iter().map(|s| s.ident.to_string()).collect::<Vec<_>>())
        {
            self.add(reference.span().start().line, Rule::MutableState, "`&mut State`: draw changes nothing");
        }
        visit::visit_type_reference(self, reference);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.path(parts, path.leading_colon.is_some(), path.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_ident(&mut self, ident: &'ast Ident) {
        self.ident(ident);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if call.path.segments.last().is_some_and(|s| s.ident == "include") {
            self.add(call.span().start().line, Rule::Hidden, "`include!`: a module stands where its name says");
        }
        self.tokens(call.tokens.clone(), false);
        visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        match &attribute.meta {
            syn::Meta::List(list) => self.tokens(list.tokens.clone(), true),
            syn::Meta::NameValue(pair) if !attribute.path().is_ident("doc") => {
                let value = &pair.value;
                let group = proc_macro2::Group::new(Delimiter::None, quote_of(value));
                self.tokens(TokenStream::from(TokenTree::Group(group)), true);
            }
            _ => {}
        }
        visit::visit_attribute(self, attribute);
    }
}

/// A literal value of an attribute as tokens; other values hold no path that matters.
fn quote_of(value: &syn::Expr) -> TokenStream {
    match value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => TokenStream::from(TokenTree::Literal(text.token())),
        _ => TokenStream::new(),
    }
}

/// The type within parentheses and groups.
fn bare(of: &syn::Type) -> &syn::Type {
    match of {
        syn::Type::Paren(inner) => bare(&inner.elem),
        syn::Type::Group(inner) => bare(&inner.elem),
        of => of,
    }
}

/// Collects the names that types are given: the new one, and the last part of the old one.
#[derive(Default)]
pub struct Aliases(pub Vec<(String, String)>);

impl<'ast> Visit<'ast> for Aliases {
    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        if let syn::Type::Path(path) = bare(&item.ty)
            && let Some(last) = path.path.segments.last()
        {
            self.0.push((item.ident.to_string(), last.ident.to_string()));
        }
        visit::visit_item_type(self, item);
    }

    fn visit_use_rename(&mut self, rename: &'ast syn::UseRename) {
        self.0.push((rename.rename.to_string(), rename.ident.to_string()));
    }
}

/// Collects the names that a file gives to its own modules and to what it imports from this crate.
struct Own(BTreeSet<String>);

impl Own {
    fn tree(&mut self, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => self.tree(&path.tree),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(item)),
            syn::UseTree::Name(name) => drop(self.0.insert(name.ident.to_string())),
            syn::UseTree::Rename(name) => drop(self.0.insert(name.rename.to_string())),
            syn::UseTree::Glob(_) => {}
        }
    }
}

impl<'ast> Visit<'ast> for Own {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.0.insert(item.ident.to_string());
        visit::visit_item_mod(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        // A `use` of a path of one part (`use reqwest;`) hides nothing.
        if let syn::UseTree::Path(path) = &item.tree {
            self.tree(&path.tree);
        }
    }
}
