//! Who may import whom: the table of `architecture/table.rs` holds for every file under `src`, ARCHITECTURE.md prints it,
//! and the checker itself is tried on one planted violation of each kind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop where it stands")]

#[path = "architecture/checker.rs"]
mod checker;
#[path = "architecture/reader.rs"]
mod reader;
#[path = "architecture/table.rs"]
mod table;

use std::fs;
use std::path::Path;

use checker::{Rule, Source, Violation, check, dependencies};

const BEGIN: &str = "<!-- begin: the table of tests/architecture -->\n";
const END: &str = "<!-- end: the table of tests/architecture -->\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn collect(folder: &Path, into: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            into.push(Source { path: name, text: read(&path) });
        }
    }
}

#[test]
fn the_crate_keeps_to_its_table() {
    let mut sources = Vec::new();
    collect(&root().join("src"), &mut sources);
    assert!(sources.iter().any(|s| s.path == "src/lib.rs"), "no sources were found");
    let (crates, mut found) = dependencies(&read(&root().join("Cargo.toml")));
    found.extend(check(&sources, &crates));
    let lines: Vec<String> = found.iter().map(Violation::to_string).collect();
    assert!(found.is_empty(), "{} violations:\n{}", lines.len(), lines.join("\n"));
}

#[test]
fn architecture_md_prints_the_table() {
    let page = read(&root().join("ARCHITECTURE.md"));
    let (_, rest) = page.split_once(BEGIN).expect("ARCHITECTURE.md has the begin marker");
    let (printed, _) = rest.split_once(END).expect("ARCHITECTURE.md has the end marker");
    let wanted = table::markdown();
    assert!(printed == wanted, "ARCHITECTURE.md is not the table; put this between its markers:\n\n{wanted}");
}

#[test]
fn every_row_of_the_table_leads_somewhere() {
    for room in table::ROOMS {
        let folder = root().join("src").join(room.name);
        assert!(folder.exists(), "src/{} does not exist: drop its row", room.name);
        assert!(room.rooms.iter().all(|name| table::room(name).is_some()), "{} imports a room without a row", room.name);
    }
    let (crates, _) = dependencies(&read(&root().join("Cargo.toml")));
    for krate in table::CRATES {
        assert!(crates.iter().any(|name| name == krate.name), "{} is not in Cargo.toml: drop its row", krate.name);
        if let table::Place::Rooms(rooms) = krate.place {
            assert!(rooms.iter().all(|name| table::room(name).is_some()), "{} belongs to a room without a row", krate.name);
        }
    }
}

/// What the checker says about files with these texts, each behind a lawful first line (so that line 2 is their first).
fn planted(files: &[(&str, &str)]) -> Vec<(usize, Rule)> {
    let crates: Vec<String> = table::CRATES.iter().map(|c| c.name.to_owned()).collect();
    let sources: Vec<Source> =
        files.iter().map(|(path, text)| Source { path: (*path).into(), text: format!("//! For a test.\n{text}") }).collect();
    let mut found: Vec<(usize, Rule)> = check(&sources, &crates).into_iter().map(|v| (v.line, v.rule)).collect();
    found.dedup();
    found
}

/// Asserts that the file breaks this rule on its second line, and no other.
#[track_caller]
fn breaks(path: &str, rule: Rule, text: &str) {
    assert_eq!(planted(&[(path, text)]), [(2, rule)], "{path}: {text}");
}

#[track_caller]
fn lawful(path: &str, text: &str) {
    assert_eq!(planted(&[(path, text)]), [], "{path}: {text}");
}

#[test]
fn a_room_that_is_not_in_the_row_is_found_in_every_way_to_name_it() {
    for text in [
        "use crate::link;",
        "use crate::{model::{text, label}, link::http::Reader};",
        "use crate::{model, link as l};",
        "use crate::link::*;",
        "pub use crate::link::http;",
        "pub(crate) use crate::link::http;",
        "use super::super::link::http;",
        "use super::{super::link::http, scene};",
        "use quarterdeck::link::http;",
        "fn f() -> crate::link::http::Body { todo!() }",
        "fn f() { crate::link::http::open(); }",
        "fn f() { super::super::link::http::open(); }",
        "fn f() { println!(\"{:?}\", crate::link::http::Body::EMPTY); }",
        "fn f() { matches!(x, Some(super::super::link::Body { .. })); }",
        "fn f() { run! { use crate::{model, link}; } }",
        "mod inner { use super::super::super::link::http; }",
        "#[serde(with = \"crate::link::text\")] struct S;",
        "#[derive(crate::link::Made)] struct S;",
        "impl crate::link::Reach for u8 {}",
        "fn f() { let crate::link::Body { .. } = x; }",
        "fn f() { crate::link::call!(x); }",
        "#[cfg(test)] mod tests { use crate::link::http; }",
    ] {
        breaks("src/ui/alerts.rs", Rule::Room, text);
    }
    breaks("src/model/reading.rs", Rule::Room, "use crate::app::State;");
    breaks("src/cache/mod.rs", Rule::Room, "use super::watch::start;");
    breaks("src/main.rs", Rule::Room, "fn main() { quarterdeck::link::open(); }");
    breaks("src/lib.rs", Rule::Room, "pub use link::http::Reader;");
    breaks("src/ui/mod.rs", Rule::Room, "use crate::operate::Plan;");
}

#[test]
fn the_whole_crate_under_one_name_is_found() {
    breaks("src/ui/mod.rs", Rule::WholeCrate, "use crate as all;");
    breaks("src/ui/mod.rs", Rule::WholeCrate, "use crate::{self as all};");
    breaks("src/ui/mod.rs", Rule::WholeCrate, "use super::*;");
    breaks("src/ui/theme.rs", Rule::WholeCrate, "use super::super::*;");
    breaks("src/ui/mod.rs", Rule::WholeCrate, "extern crate self as all;");
}

#[test]
fn a_crate_of_another_room_is_found_in_every_way_to_name_it() {
    for text in [
        "use reqwest::Client;",
        "use ::reqwest::Client;",
        "use reqwest as http;",
        "use {ratatui::style::Style, reqwest::Client};",
        "extern crate reqwest;",
        "extern crate reqwest as http;",
        "fn f() { reqwest::Client::new(); }",
        "fn f(_: &reqwest::Client) {}",
        "fn f() { vec![reqwest::Client::new()]; }",
        "fn f() { vec![::reqwest::Client::new()]; }",
        "fn f() { reqwest::call!(); }",
        "#[tokio::main] async fn f() {}",
        "#[serde(with = \"serde_json::value\")] struct S;",
        "use ratatui::crossterm::event::Event;",
        "fn f() { ratatui::crossterm::style::reset(); }",
    ] {
        breaks("src/ui/mod.rs", Rule::Crate, text);
    }
    breaks("src/model/mod.rs", Rule::Crate, "use tokio::sync::watch;");
    breaks("src/watch/mod.rs", Rule::Crate, "fn f() { let _ = rusqlite::Connection::open(\"x\"); }");
}

#[test]
fn a_clock_in_a_pure_room_is_found() {
    for room in ["model", "app", "ui"] {
        let path = format!("src/{room}/mod.rs");
        breaks(&path, Rule::Clock, "fn f() { jiff::Timestamp::now(); }");
        breaks(&path, Rule::Clock, "use jiff::Timestamp as T; fn f() { T::now(); }");
        breaks(&path, Rule::Clock, "use std::time::SystemTime;");
        breaks(&path, Rule::Clock, "fn f() { std::time::Instant::now(); }");
        breaks(&path, Rule::Clock, "fn f() { x.map(jiff::Zoned::now); }");
        breaks(&path, Rule::Clock, "fn f() { format!(\"{}\", Timestamp::now()); }");
    }
}

#[test]
fn what_writes_and_what_spawns_is_found() {
    for room in ["watch", "cache", "app", "ui"] {
        breaks(&format!("src/{room}/mod.rs"), Rule::Writer, "struct S(Writer);");
        breaks(&format!("src/{room}/mod.rs"), Rule::Writer, "fn f() { g!(Permit); }");
        breaks(&format!("src/{room}/mod.rs"), Rule::Writer, "fn f() { hosts.writer(\"a\").give_lease(run, 1, folder, until); }");
        breaks(&format!("src/{room}/mod.rs"), Rule::Writer, "fn f() { g!(w.renew_lease()); }");
    }
    breaks("src/watch/mod.rs", Rule::Writer, "use crate::link::{http::Reader, Writer as Other};");
    for text in [
        "use std::process::Command;",
        "use std::process::{Command as C, ExitCode};",
        "use std::process; fn f() { process::Command::new(\"sh\"); }",
        "use std::process as p;",
        "use std::process::{self as p};",
        "use std::process::*;",
        "fn f() { g!(std::process::Command::new(\"sh\")); }",
        "use tokio::process::Child;",
        "fn f() { tokio::process::Command::new(\"sh\"); }",
    ] {
        let found = planted(&[("src/session/mod.rs", text)]);
        assert!(!found.is_empty() && found.iter().all(|f| *f == (2, Rule::Process)), "{text}: {found:?}");
    }
    lawful("src/link/process.rs", "use tokio::process::Command;");
    lawful("src/session/mod.rs", "use std::process::{self, ExitCode}; fn f() { process::id(); }");
}

#[test]
fn a_permit_that_is_made_outside_the_runner_is_found() {
    for path in ["src/act/mod.rs", "src/operate/world.rs", "src/operate/runner_too.rs", "src/link/ssh/writer.rs", "src/session/mod.rs"] {
        for text in [
            "fn f() { Permit::mint(run, step, 1, None, head); }",
            "use crate::link::permit::Permit as P; fn f() -> P { P::mint(run, step, 1, None, head) }",
            "fn f() { let make = <Permit>::mint; }",
            "fn f() { g!(Permit::mint(run)); }",
        ] {
            let found = planted(&[(path, text)]);
            assert!(found.contains(&(2, Rule::Mint)), "{path}: {text}: {found:?}");
        }
    }
    lawful("src/operate/runner/mod.rs", "fn f() { Permit::mint(run, step, 1, None, head); }");
    lawful("src/operate/runner/call.rs", "fn f() { Permit::mint(run, step, 1, None, head); }");
    lawful("src/link/permit.rs", "impl Permit { pub fn mint() -> Permit { Permit } }");
    lawful("src/act/mod.rs", "#[cfg(test)]\nmod tests { fn f() { Permit::mint(run, step, 1, None, head); } }");
}

#[test]
fn drawing_that_could_change_the_state_is_found() {
    breaks("src/ui/mod.rs", Rule::MutableState, "fn draw(state: &mut State) {}");
    breaks("src/ui/mod.rs", Rule::MutableState, "fn draw<'a>(state: &'a mut crate::app::State) {}");
    breaks("src/ui/mod.rs", Rule::MutableState, "type F = Box<dyn Fn(&mut State)>;");
    breaks("src/ui/mod.rs", Rule::MutableState, "pane!(|state: &mut app::State| state.clear());");
    breaks("src/ui/mod.rs", Rule::MutableState, "pane!(|state: &'a mut State| state.clear());");
    lawful("src/ui/mod.rs", "fn render(self, state: &mut Self::State) {}\nfn draw(state: &State) {}");
    lawful("src/ui/mod.rs", "type Console = Canvas; fn draw(console: &mut Console) {}");
    lawful("src/app/mod.rs", "fn update(state: &mut State) {}");
}

#[test]
fn another_name_for_the_state_hides_nothing() {
    for text in [
        "type Console = State; fn press(state: &mut Console) {}",
        "type Console = crate::app::state::State; fn press(state: &'_ mut Console) {}",
        "type A = (State); type B = A; fn press(state: &mut (B)) {}",
        "use crate::app::state::State as Console; fn press(state: &mut Console) {}",
        "use crate::app::{layer::Layer, state::{Look, State as Console}}; pane!(|state: &mut Console| state.clear());",
        "fn f() { type Console = State; let x: fn(&mut Console) = g; }",
        "#[cfg(test)] mod tests { type Console = super::State; fn press(state: &mut Console) {} }",
    ] {
        breaks("src/ui/mod.rs", Rule::MutableState, text);
    }
    // The name may be given in another file, and in the state's own room.
    for (path, named) in [("src/ui/fixture.rs", "pub type Console = State;"), ("src/app/state.rs", "pub type Console = State;")] {
        let taken = ("src/ui/pane/mod.rs", "use crate::app::state::Console as C; fn press(state: &mut C) {}");
        assert_eq!(planted(&[(path, named), taken]), [(2, Rule::MutableState)], "{path}");
    }
    // A room that draws nothing may call its own so.
    assert_eq!(planted(&[("src/lab/mod.rs", "type Canvas = State;"), ("src/ui/mod.rs", "fn draw(of: &mut Canvas) {}")]), []);
}

#[test]
fn a_file_that_is_too_long_is_found_and_its_tests_do_not_count() {
    let long = |lines: usize| "fn f() {}\n".repeat(lines - 1);
    assert_eq!(planted(&[("src/app/mod.rs", &long(401))]), [(401, Rule::Long)]);
    lawful("src/app/mod.rs", &long(400));
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", long(500));
    lawful("src/app/mod.rs", &format!("{}{tests}", long(400)));
    assert_eq!(
        planted(&[("src/app/mod.rs", &format!("{}{tests}{}", long(200), long(300)))]),
        [(401, Rule::Long)],
        "code after the tests counts"
    );
    let not_tests = format!("mod tests {{\n{}}}\n", long(500));
    assert_eq!(planted(&[("src/app/mod.rs", &not_tests)]), [(401, Rule::Long)]);
}

#[test]
fn files_without_a_first_line_and_with_empty_names_are_found() {
    let bare = Source { path: "src/app/mod.rs".into(), text: "fn f() {}\n".into() };
    assert_eq!(check(&[bare], &[]).into_iter().map(|v| (v.line, v.rule)).collect::<Vec<_>>(), [(1, Rule::NoDoc)]);
    for path in ["src/app/utils.rs", "src/app/common/mod.rs", "src/app/common/key.rs"] {
        assert_eq!(planted(&[(path, "")]), [(1, Rule::EmptyName)], "{path}");
    }
    breaks("src/app/mod.rs", Rule::EmptyName, "mod utils {}");
    breaks("src/app/mod.rs", Rule::Hidden, "#[path = \"../link/mod.rs\"] mod key;");
    breaks("src/app/mod.rs", Rule::Hidden, "include!(\"x.rs\");");
    assert_eq!(planted(&[("src/kitchen/mod.rs", "")]), [(1, Rule::NoRow)]);
    assert_eq!(planted(&[("src/kitchen.rs", "")]), [(1, Rule::NoRow)]);
    assert_eq!(planted(&[("src/app/mod.rs", "fn f( {}")]), [(2, Rule::Unreadable)]);
}

#[test]
fn statics_are_found() {
    breaks("src/session/mod.rs", Rule::Static, "static SEEN: u8 = 0;");
    breaks("src/session/mod.rs", Rule::Static, "fn f() { static mut SEEN: u8 = 0; }");
    breaks("src/session/mod.rs", Rule::Static, "static SEEN: OnceLock<u8> = OnceLock::new();");
    breaks("src/session/mod.rs", Rule::Static, "fn f() { g! { static SEEN: u8 = 0; } }");
    breaks("src/session/mod.rs", Rule::Static, "std::thread_local! { static SEEN: u8 = 0; }");
    lawful("src/session/mod.rs", "struct Once(std::sync::OnceLock<u8>);");
    lawful("src/session/mod.rs", "fn f() -> &'static str { g!(&'static str) }");
}

#[test]
fn a_dependency_without_a_row_is_found() {
    let manifest = "[dependencies]\nserde = \"1\"\nleft-pad = \"1\"\n[target.'cfg(unix)'.dependencies]\nright-pad = \"1\"\n[dev-dependencies]\ninsta = \"1\"\n";
    let (names, found) = dependencies(manifest);
    assert_eq!(names.len(), 3);
    let found: Vec<(usize, Rule)> = found.into_iter().map(|v| (v.line, v.rule)).collect();
    assert_eq!(found, [(3, Rule::UnlistedDependency), (5, Rule::UnlistedDependency)]);
}

#[test]
fn lawful_files_give_nothing() {
    lawful(
        "src/ui/alerts.rs",
        "use std::fmt;\nuse ratatui::{Frame, style::Style as S};\nuse crate::{app::State, model::{self, alert::Alert}};\nuse super::theme;\n\
         pub(crate) fn draw(state: &State, frame: &mut Frame) -> crate::model::text::Cut { write!(frame, \"reqwest::Client\"); theme::of(state) }\n\
         // crate::link is only spoken of\n\
         mod inner { use super::super::theme::Theme; use super::*; }\n\
         #[cfg(test)]\nmod tests { use super::*; use insta::assert_snapshot; use tokio::time; fn f() { Timestamp::now(); } }",
    );
    lawful("src/link/url.rs", "use super::*;");
    lawful("src/link/process.rs", "mod tokio {} fn f() { tokio::x(); }");
    lawful("src/app/mod.rs", "mod url; use crate::model::toml; fn f() { url::parse(); toml::of(); g!(url::parse()); }");
    lawful("src/main.rs", "use quarterdeck::cli; fn main() { cli::main(); }");
    lawful("src/lib.rs", "pub mod model;");
    let crates: Vec<String> = table::CRATES.iter().map(|c| c.name.to_owned()).collect();
    assert!(crates.len() > 20);
}

#[test]
fn files_that_only_tests_see_may_name_what_tests_need() {
    let used = "use tokio::time;\nuse rusqlite::Connection;";
    assert_eq!(planted(&[("src/ui/mod.rs", "#[cfg(test)] mod scene;"), ("src/ui/scene.rs", used)]), []);
    assert_eq!(planted(&[("src/ui/mod.rs", "mod scene;"), ("src/ui/scene.rs", used)]).len(), 2);
    let room = "use crate::link::http;";
    assert_eq!(planted(&[("src/ui/mod.rs", "#[cfg(test)] mod scene;"), ("src/ui/scene.rs", room)]), [(2, Rule::Room)]);
}
