//! Who may import whom, as data: rooms, the crates that belong to them, and the reason for each.

/// One room: a folder under `src/`, or one of the two roots.
pub struct Room {
    /// The folder's name, or `lib.rs` and `main.rs`.
    pub name: &'static str,
    /// What it is for, one line for ARCHITECTURE.md.
    pub what: &'static str,
    /// The rooms that it may import.
    pub rooms: &'static [&'static str],
}

/// One third-party crate.
pub struct Crate {
    /// Its name in Cargo.toml.
    pub name: &'static str,
    /// Where it may be named.
    pub place: Place,
    /// Why it is there.
    pub why: &'static str,
}

/// Where a crate may be named.
pub enum Place {
    /// In every room.
    Everywhere,
    /// In these rooms.
    Rooms(&'static [&'static str]),
}

/// The rooms that exist. A room comes here with its first file.
pub const ROOMS: &[Room] = &[
    Room { name: "model", what: "pure nouns and the computations on them; time is passed in", rooms: &[] },
    Room { name: "config", what: "reads and judges the files that people write; names secrets, never resolves them", rooms: &["model"] },
    Room { name: "link", what: "how a system is reached: deadlines, size caps, credentials, TLS", rooms: &["model", "config"] },
    Room { name: "watch", what: "reads upstream systems on a schedule; cannot name a Writer", rooms: &["model", "config", "link"] },
    Room { name: "cache", what: "last known readings and kept samples; may be deleted at any time", rooms: &["model"] },
    Room { name: "journal", what: "the append-only, hash-chained record of what was done and seen", rooms: &["model"] },
    Room {
        name: "act",
        what: "steps { observe, apply, verify, undo }, one file per system; `apply` makes exactly one mutating call",
        rooms: &["model", "config", "link"],
    },
    Room {
        name: "operate",
        what: "makes plans, preflight, lease, runner (it alone journals and mints Permits), attach, history",
        rooms: &["model", "config", "link", "watch", "cache", "journal", "act"],
    },
    Room { name: "app", what: "the console's state and how messages change it; pure", rooms: &["model"] },
    Room { name: "ui", what: "draws `&State`, changes nothing", rooms: &["model", "app"] },
    Room {
        name: "session",
        what: "the terminal, the signals, the loop, the effects",
        rooms: &["model", "config", "link", "watch", "cache", "journal", "operate", "app", "ui"],
    },
    Room {
        name: "lab",
        what: "the practice estate: real small processes; a feature that may be left out",
        rooms: &["model", "config", "link"],
    },
    Room {
        name: "cli",
        what: "a file per subcommand, each writing to a `&mut dyn Write`",
        rooms: &["model", "config", "link", "watch", "cache", "journal", "operate", "app", "ui", "session", "lab"],
    },
    Room { name: "lib.rs", what: "names the rooms and nothing else", rooms: &[] },
    Room { name: "main.rs", what: "calls `cli` and exits with what it says", rooms: &["cli", "session"] },
];

use Place::{Everywhere, Rooms};

/// The crates. A crate that Cargo.toml depends on and that has no row here is refused.
pub const CRATES: &[Crate] = &[
    Crate {
        name: "jiff",
        place: Everywhere,
        why: "times, time zones and their RFC 3339 text (the clock itself is forbidden in pure rooms)",
    },
    Crate { name: "serde", place: Everywhere, why: "what is read from files and servers, and what is printed as JSON" },
    Crate { name: "thiserror", place: Everywhere, why: "the errors at a room's edge" },
    Crate {
        name: "tracing",
        place: Rooms(&["config", "link", "watch", "cache", "act", "operate", "session", "cli"]),
        why: "the log file; pure rooms do not log, they return what happened",
    },
    Crate { name: "toml", place: Rooms(&["config", "lab"]), why: "TOML with the place of every key" },
    Crate { name: "serde-saphyr", place: Rooms(&["config"]), why: "the YAML of Prometheus' `http_config` files" },
    Crate { name: "strsim", place: Rooms(&["config"]), why: "\"did you mean\"" },
    Crate { name: "url", place: Rooms(&["config", "link"]), why: "addresses: judged in the estate file, joined when they are reached" },
    Crate { name: "reqwest", place: Rooms(&["link"]), why: "the HTTP client; nothing else opens a connection" },
    Crate { name: "rustls", place: Rooms(&["link", "lab"]), why: "TLS, with one crypto provider for all" },
    Crate { name: "rustls-native-certs", place: Rooms(&["link"]), why: "the authorities that this machine trusts" },
    Crate {
        name: "tokio",
        place: Rooms(&["link", "watch", "act", "operate", "session", "lab", "cli"]),
        why: "tasks, timers, channels and signals of the shell",
    },
    Crate { name: "futures-util", place: Rooms(&["link", "watch", "operate", "session"]), why: "streams of bytes and of keys" },
    Crate {
        name: "nix",
        place: Rooms(&["link", "cache", "journal", "operate", "session", "lab", "cli"]),
        why: "processes, terminal modes, signals, and who we are, without unsafe code here",
    },
    Crate {
        name: "serde_json",
        place: Rooms(&["model", "link", "watch", "cache", "journal", "act", "operate", "session", "cli"]),
        why: "the answers of servers, the cached ones, the bytes of plans and events, and `-o json`",
    },
    Crate {
        name: "tokio-postgres",
        place: Rooms(&["link", "lab"]),
        why: "PostgreSQL's own protocol; TLS with the one provider; who writes into the practice ledger",
    },
    Crate { name: "prometheus-parse", place: Rooms(&["watch"]), why: "the wanted lines of a `/metrics` page" },
    Crate {
        name: "memchr",
        place: Rooms(&["link", "watch", "cache"]),
        why: "many bytes at once: the ends of the lines of a `/metrics` page, secrets that an answer echoes, a search in the history",
    },
    Crate { name: "x509-parser", place: Rooms(&["watch"]), why: "what stands in a certificate" },
    Crate {
        name: "tokio-rustls",
        place: Rooms(&["link", "lab"]),
        why: "the handshake of a TLS probe, and the practice estate's side of one",
    },
    Crate { name: "schemars", place: Rooms(&["config"]), why: "the JSON Schema of the estate file, for editors" },
    Crate { name: "rusqlite", place: Rooms(&["cache", "journal"]), why: "the file of last known readings, and that of the journal" },
    Crate { name: "nucleo-matcher", place: Rooms(&["app"]), why: "fuzzy search of the palette" },
    Crate { name: "regex", place: Rooms(&["model", "app"]), why: "matchers on labels, filters" },
    Crate { name: "similar", place: Rooms(&["model"]), why: "which lines differ between two configuration files" },
    Crate { name: "unicode-width", place: Rooms(&["model", "app", "ui", "cli"]), why: "how many columns a text takes" },
    Crate { name: "ratatui", place: Rooms(&["ui", "session", "cli"]), why: "the screen's buffer and widgets" },
    Crate { name: "crossterm", place: Rooms(&["session"]), why: "the terminal's modes and its input" },
    Crate {
        name: "color-eyre",
        place: Rooms(&["session", "cli", "main.rs"]),
        why: "the report of an error or panic that ends the program",
    },
    Crate { name: "axum", place: Rooms(&["lab"]), why: "the small servers of the practice estate" },
    Crate { name: "rcgen", place: Rooms(&["lab"]), why: "the certificate of the practice estate" },
    Crate {
        name: "sha2",
        place: Rooms(&["model", "watch", "journal", "lab"]),
        why: "the manifests of snapshots, the hash of a plan, and the journal's chain",
    },
    Crate { name: "clap", place: Rooms(&["cli"]), why: "the command line" },
    Crate { name: "csv", place: Rooms(&["session"]), why: "exports as CSV" },
    Crate { name: "base64", place: Rooms(&["session"]), why: "a text that the terminal is asked to copy (OSC 52)" },
    Crate { name: "clap_complete", place: Rooms(&["cli"]), why: "`qd completions`: the command line told to a shell" },
    Crate { name: "clap_mangen", place: Rooms(&["cli"]), why: "`qd man`: the command line as manual pages" },
    Crate { name: "tracing-subscriber", place: Rooms(&["cli"]), why: "levels and the shape of the log file" },
    Crate { name: "tracing-appender", place: Rooms(&["cli"]), why: "writes the log file off the loop" },
];

/// Crates that another one re-exports: a way around the table.
pub const RE_EXPORTS: &[(&[&str], &str)] = &[(&["ratatui", "crossterm"], "crossterm")];

/// Rooms without a clock.
pub const TIMELESS: &[&str] = &["model", "app", "ui"];
/// Rooms that read only: they cannot name what writes.
pub const READ_ONLY: &[&str] = &["watch", "cache", "app", "ui"];
/// What they cannot name: what writes, the right to it, and what a writer does without one.
pub const WRITES: &[&str] = &["Writer", "Permit", "renew_lease", "give_lease"];
/// Where a permit is made: the modules that may name `mint` outside tests.
pub const MINTS: &[&[&str]] = &[&["operate", "runner"], &["link", "permit"]];
/// The room that may start processes.
pub const SPAWNS: &str = "link";
/// Lines of a file without its tests.
pub const LINES: usize = 400;
/// Names that say nothing about what is inside.
pub const EMPTY_NAMES: &[&str] = &["utils", "util", "common", "helpers", "misc"];

/// The row of a room.
pub fn room(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

/// The name of a crate in code.
pub fn in_code(name: &str) -> String {
    name.replace('-', "_")
}

/// True where this room may name this crate (its name as in code).
pub fn may_name(room: &str, krate: &str) -> bool {
    CRATES.iter().any(|c| {
        in_code(c.name) == krate
            && match c.place {
                Everywhere => room != "lib.rs",
                Rooms(rooms) => rooms.contains(&room),
            }
    })
}

/// The table as Markdown, for ARCHITECTURE.md.
pub fn markdown() -> String {
    let mut out = String::from("| room | what it is for | rooms it may import | crates that belong to it |\n|---|---|---|---|\n");
    for room in ROOMS {
        let crates = CRATES.iter().filter(|c| matches!(c.place, Rooms(rooms) if rooms.contains(&room.name)));
        let crates = joined(crates.map(|c| c.name));
        out += &format!("| {} | {} | {} | {crates} |\n", room.name, room.what, joined(room.rooms.iter().copied()));
    }
    out += "\n| crate | where | why |\n|---|---|---|\n";
    for krate in CRATES {
        let place = match krate.place {
            Everywhere => "every room".to_owned(),
            Rooms(rooms) => joined(rooms.iter().copied()),
        };
        out += &format!("| {} | {place} | {} |\n", krate.name, krate.why);
    }
    out
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}
