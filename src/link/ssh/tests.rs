//! This machine through the same interface as a host: the same script, the same frame, the same ends.

use std::time::Duration;

use super::*;

fn here(machine: Option<&str>) -> Arc<Reader> {
    let host = Host { name: "web1".into(), site: None, ssh: None, ssh_config: None, machine_id: machine.map(str::to_owned) };
    Hosts::new(&[host]).reader("web1").unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

async fn told(script: &'static str, arguments: &[&str]) -> Result<Printed, LinkError> {
    here(None).run(Script(script), arguments, soon(), 1 << 20).await
}

#[tokio::test]
async fn arguments_come_as_they_are_and_no_shell_reads_them() {
    let nasty = ["a b", "$(touch x)", "'\"`\n", "-n", "\u{1b}[2J", "é"];
    let said = told(r#"printf '%s\0' "$@""#, &nasty).await.unwrap();
    let back: Vec<&[u8]> = said.out.split(|byte| *byte == 0).collect();
    assert_eq!(back[..nasty.len()], nasty.map(str::as_bytes));
    assert_eq!(said.code, Some(0));
}

#[tokio::test]
async fn the_exit_code_is_the_scripts_own_even_where_it_is_that_of_ssh() {
    for code in [0, 1, 7, 255] {
        assert_eq!(told("echo x; exit \"$1\"", &[&code.to_string()]).await.unwrap().code, Some(code));
    }
    let said = told("echo out; echo err >&2; false", &["x"]).await.unwrap();
    assert_eq!((said.code, said.out.as_slice(), said.errors.as_slice()), (Some(1), &b"out\n"[..], &b"err\n"[..]));
    assert!(told("cat", &["x"]).await.unwrap().out.is_empty(), "there is no input");
}

#[tokio::test]
async fn an_end_that_is_not_known_is_no_success() {
    let cut = told("kill -9 $PPID; kill -9 $$", &["x"]).await.unwrap_err();
    assert!(matches!(&cut, LinkError::Unreachable(what) if what.contains("did not come to its end")), "{cut:?}");
    let much = here(None).run(Script("cat /dev/zero"), &["x"], soon(), 1 << 20).await.unwrap_err();
    assert!(much.to_string().contains("printed too much"), "{much}");
    let late = here(None).run(Script("sleep 1000"), &["x"], Instant::now() + Duration::from_millis(200), 10).await.unwrap_err();
    assert!(late.to_string().contains("did not end within"), "{late}");
}

#[tokio::test]
async fn another_machine_is_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("ran").display().to_string();
    let touch = Script(r#"touch "$1""#);
    let other = here(Some(&"0".repeat(32))).run(touch, &[&mark], soon(), 10).await.unwrap_err();
    assert!(matches!(&other, LinkError::Refused(what) if what.contains("another machine")), "{other:?}");
    assert!(!folder.path().join("ran").exists());
    if let Ok(own) = std::fs::read_to_string("/etc/machine-id")
        && own.trim().len() == 32
    {
        here(Some(own.trim())).run(touch, &[&mark], soon(), 10).await.unwrap();
        assert!(folder.path().join("ran").exists());
    }
}
