//! What is installed is one file: in an empty folder with an empty home, and with the sources out of sight where that can be
//! done, it tells its version, writes its manual, completes for shells and practises.

#![cfg(all(feature = "lab", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what goes wrong here fails the test")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use tempfile::TempDir;

/// Mounts nothing over the sources, for this command and what it starts only. `$1` is their folder.
const HIDDEN: &str = r#"mount -t tmpfs -o size=4k none "$1" && shift && exec "$@""#;

/// A folder with nothing but the program, and a home with nothing at all.
struct Machine {
    folder: TempDir,
    /// True where the sources can be hidden: as root, with the capability to mount.
    hides: bool,
}

impl Machine {
    fn new() -> Machine {
        let folder = tempfile::Builder::new().prefix("qd-ship-").tempdir().unwrap();
        for name in ["bin", "home", "work"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::copy(env!("CARGO_BIN_EXE_qd"), folder.path().join("bin/qd")).unwrap();
        let hide = |more: &[&str]| hidden().args(more).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|end| end.success());
        let hides = geteuid().is_root() && hide(&["true"]);
        // A file of the sources is not there then, or this shows nothing.
        assert!(!hides || !hide(&["test", "-e", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]));
        Machine { folder, hides }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn qd(&self, words: &[&str]) -> Command {
        let program = self.at("bin/qd");
        let mut command = match self.hides {
            true => {
                let mut command = hidden();
                command.arg(program);
                command
            }
            false => Command::new(program),
        };
        command.args(words).env_clear().env("HOME", self.at("home")).env("TMPDIR", self.at("home")).env("PATH", "/usr/bin:/bin");
        command.current_dir(self.at("work")).stdin(Stdio::null());
        command
    }

    /// Its output; it must end well and complain of nothing.
    fn says(&self, words: &[&str]) -> String {
        let told = self.qd(words).output().unwrap();
        let errors = String::from_utf8(told.stderr).unwrap();
        assert_eq!((told.status.code(), errors.as_str()), (Some(0), ""), "{words:?}");
        String::from_utf8(told.stdout).unwrap()
    }
}

fn hidden() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--", "sh", "-c", HIDDEN, "sh", env!("CARGO_MANIFEST_DIR")]);
    command
}

#[test]
fn the_program_alone_tells_its_version_and_ships_what_packages_need() {
    let machine = Machine::new();
    let version = machine.says(&["--version"]);
    assert!(version.starts_with(concat!("qd ", env!("CARGO_PKG_VERSION"))) && version.contains("lab"), "{version}");
    for (shell, holds) in [("bash", "complete -F"), ("zsh", "#compdef qd"), ("fish", "complete -c qd")] {
        let told = machine.says(&["completions", shell]);
        assert!(told.contains(holds) && told.contains("stuck"), "{shell}: {told}");
    }
    let pages = machine.at("man");
    fs::create_dir(&pages).unwrap();
    machine.says(&["man", pages.to_str().unwrap()]);
    for (name, holds) in [("qd.1", ".TH qd 1"), ("qd-logs.1", "errors"), ("qd-demo.1", "stuck")] {
        let page = fs::read_to_string(pages.join(name)).unwrap();
        assert!(page.contains(holds), "{name}: {page}");
    }
    for (words, holds) in [(&["schema"][..], "\"$schema\""), (&["keys"], "rollback"), (&["paths"], "journal")] {
        assert!(machine.says(words).contains(holds), "{words:?}");
    }
    assert_eq!(fs::read_dir(machine.at("work")).unwrap().count(), 0, "nothing is written where one stands");
}

#[test]
fn the_program_alone_practises_and_watches_what_it_practises_on() {
    let machine = Machine::new();
    let mut child = machine.qd(&["demo", "--no-console"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let estate = first.trim_end().strip_prefix("estate: ").map(str::to_owned);
    let told = estate.as_ref().map(|estate| machine.qd(&["--estate", estate, "status", "-o", "json"]).output().unwrap());
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    let code = child.wait().unwrap().code();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(estate.is_some_and(|estate| estate.starts_with(machine.at("home").to_str().unwrap())), "{first}{errors}");
    let told: serde_json::Value = serde_json::from_slice(&told.unwrap().stdout).unwrap();
    let sources = told["sources"].as_array().unwrap();
    assert!(sources.iter().any(|source| source["name"] == "north edge page" && source["state"] == "fresh"), "{told:#}");
    assert_eq!(code, Some(143), "{errors}");
    assert_eq!(fs::read_dir(machine.at("work")).unwrap().count(), 0, "nothing is written where one stands");
}
