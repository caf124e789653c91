//! The whole command on folders of this machine.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::cli::{FAILED, OK, Outside, REFUSED, USAGE, run};

const UNIT: &str = "restart = { command = ['true'] }";

/// A service with two releases and a log that tells of them.
fn estate(folder: &Path, more: &str) -> OsString {
    for name in ["2.4.0", "2.5.0"] {
        fs::create_dir_all(folder.join("app/releases").join(name)).unwrap();
    }
    symlink("releases/2.5.0", folder.join("app/current")).unwrap();
    let line = |day: u32, version: &str| {
        format!("{{\"time\":\"2026-11-{day}T10:00:00Z\",\"version\":\"{version}\",\"who\":\"ann\",\"result\":\"succeeded\"}}\n")
    };
    fs::write(folder.join("app/log"), format!("{}{}", line(19, "2.4.0"), line(20, "2.5.0"))).unwrap();
    let app = folder.join("app").display().to_string();
    let text = format!(
        "version = 1\n[estate]\nname = 'shop'\nenvironment = 'test'\n[[host]]\nname = 'web1'\n[[history]]\nname = 'rel'\nkind = 'releases'\npath = '{app}'\nhost = 'web1'\nlog = '{app}/log'\nservice = 'web'\n[[service]]\nname = 'web'\n{more}\n"
    );
    fs::write(folder.join("estate.toml"), text).unwrap();
    folder.join("estate.toml").into_os_string()
}

fn qd(folder: &Path, estate: &OsString, args: &[&str]) -> (u8, String, String) {
    let state = folder.join("home");
    let env = |name: &str| match name {
        "HOME" | "XDG_STATE_HOME" | "XDG_CACHE_HOME" | "XDG_CONFIG_HOME" => Some(state.clone().into_os_string()),
        _ => None,
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["qd", "--estate"].map(OsString::from).into_iter().chain([estate.clone()]).chain(args.iter().map(OsString::from));
    let code = run(args, Outside { env: &env, terminal: false }, &mut out, &mut err);
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

/// All that lies below, with what it holds and when it was changed.
fn tree(folder: &Path) -> Vec<String> {
    let (mut all, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let holds = if meta.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            all.push(format!("{} {:?} {holds:?} {:?}", path.display(), meta.modified().unwrap(), fs::read_link(&path).ok()));
            if meta.is_dir() {
                open.push(path);
            }
        }
    }
    all.sort();
    all
}

#[test]
fn a_plan_is_printed_and_nothing_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let estate = estate(folder.path(), UNIT);
    let before = tree(&folder.path().join("app"));
    let (code, out, err) = qd(folder.path(), &estate, &["plan", "rollback", "web", "-o", "json"]);
    assert_eq!(tree(&folder.path().join("app")), before);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    let blocked = told["checks"].as_array().unwrap().iter().any(|check| check["verdict"] == "block");
    assert_eq!(code, if blocked { REFUSED } else { OK }, "{out}");
    assert_eq!((told["plan"]["to"].as_str(), told["plan"]["from"].as_str()), (Some("2.4.0"), Some("2.5.0")));
    let (confirm, hash) = (told["confirm"].as_str().unwrap(), told["hash"].as_str().unwrap());
    assert_eq!(confirm, format!("web {}", &hash[..6]));
    assert_eq!(told["candidates"][0]["who"], "ann");
    let (_, table, _) = qd(folder.path(), &estate, &["plan", "rollback", "web"]);
    assert!(table.contains(&format!("confirm: {confirm}")), "the same plan again: {table}");
    assert!(
        table.contains("web goes from 2.5.0 to 2.4.0 on web1.")
            && table.contains("> 2.4.0  deployed 2026-11-19T10:00:00Z by ann, succeeded"),
        "{table}"
    );
    let (_, table, _) = qd(folder.path(), &estate, &["plan", "rollback", "web", "--dry-run"]);
    assert!(table.contains("would be done: ") && table.contains("web1/switch"), "{table}");
    assert_eq!(tree(&folder.path().join("app")), before, "a dry run changes nothing");
    assert!(!folder.path().join("home/quarterdeck/journal.db").exists(), "no journal is begun");
}

#[test]
fn what_is_left_out_or_cannot_be_read_is_a_warning_and_how_long_it_takes_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let gone = "[[history]]\nname = 'gone'\nkind = 'deploy-log'\npath = '/nonexistent/log'\nservice = 'web'";
    let estate = estate(folder.path(), &format!("{UNIT}\n{gone}"));
    let (_, out, err) = qd(folder.path(), &estate, &["plan", "rollback", "web"]);
    assert!(out.contains("\n  takes  at most ") && out.contains("by its steps' time limits; no earlier run tells more"), "{out}");
    assert!(out.contains("warn    history/gone: gone cannot be read: ") && err.contains("gone cannot be read"), "{out}{err}");
    let (code, _, err) = qd(folder.path(), &estate, &["plan", "rollback", "web", "--without", "web9"]);
    assert_eq!((code, err.contains("no host `web9` that could be left out; it has web1")), (USAGE, true), "{err}");
    let (code, out, _) = qd(folder.path(), &estate, &["plan", "rollback", "--help"]);
    assert!(code == OK && out.contains("A service goes back to an earlier release") && out.contains("--without <HOST>"), "{out}");
}

#[test]
fn a_freeze_refuses_and_what_cannot_be_planned_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let estate = estate(folder.path(), &format!("{UNIT}\n[[freeze]]\nname = 'always'\nfrom = '2020-01-01'\nto = '2099-01-01'"));
    let (code, out, _) = qd(folder.path(), &estate, &["plan", "rollback", "web"]);
    assert_eq!(code, REFUSED, "{out}");
    assert!(out.contains("freeze: the freeze `always` holds until 2099-01-02"), "{out}");
    let (code, _, err) = qd(folder.path(), &estate, &["plan", "rollback", "wbe"]);
    assert_eq!((code, err.contains("no service `wbe`; it has web")), (USAGE, true), "{err}");
    let (code, _, err) = qd(folder.path(), &estate, &["plan", "rollback", "web", "--to", "9"]);
    assert_eq!((code, err.contains("no host has the release `9`; there are 2.4.0")), (USAGE, true), "{err}");
    let (code, _, err) = qd(folder.path(), &estate, &["plan", "rollback", "web", "--to", "2.5.0"]);
    assert_eq!((code, err.contains("2.5.0 runs on all hosts already")), (FAILED, true), "{err}");
}
