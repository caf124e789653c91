//! Says which commit and which features a program was built from, for `qd --version`. Only where it is built to be used: a
//! debug build is made again and again, and each commit would have all of it compiled anew.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let commit = match env::var("PROFILE").as_deref() {
        Ok("release") => commit().unwrap_or_else(|| "unknown commit".to_owned()),
        _ => "debug build".to_owned(),
    };
    let features = if env::var_os("CARGO_FEATURE_LAB").is_some() { "lab" } else { "none" };
    println!("cargo::rustc-env=QD_BUILD={commit}; features: {features}");
}

/// The commit that lies here: of a clone, else of the package that was made of one. `+` where files differ from it.
fn commit() -> Option<String> {
    let root = env::var("CARGO_MANIFEST_DIR").ok()?;
    if !Path::new(&root).join(".git").exists() {
        println!("cargo::rerun-if-changed=.cargo_vcs_info.json");
        let text = fs::read_to_string(Path::new(&root).join(".cargo_vcs_info.json")).ok()?;
        let hash = text.split("\"sha1\": \"").nth(1)?.split('"').next()?;
        return Some(format!("commit {}", hash.get(..12)?));
    }
    let git = |arguments: &[&str]| {
        let done = Command::new("git").arg("-C").arg(&root).args(arguments).output().ok()?;
        done.status.success().then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned())
    };
    // What a commit, a checkout and a change of a file that is compiled change.
    for file in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", file]) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    for folder in ["src", "themes", "keymaps", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={folder}");
    }
    let changed = !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(format!("commit {}{}", git(&["rev-parse", "--short=12", "HEAD"])?, if changed { "+" } else { "" }))
}
