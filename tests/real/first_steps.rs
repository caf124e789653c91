//! The first steps with real servers: `qd init` proposes an estate of them, and `qd check --live` tries it.

use std::ffi::OsString;
use std::path::Path;

use quarterdeck::cli::{self, Outside};
use quarterdeck::config::load;
use quarterdeck::model::estate::SourceKind;
use tempfile::tempdir;

use crate::http;
use crate::servers::{self, Access, Lab, have};

const SERVERS: &[&str] = &["prometheus", "prometheus-alertmanager", "prometheus-node-exporter"];

/// Runs `qd`; gives back the exit code, and output and errors together.
fn qd(args: &[&str]) -> (u8, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = std::iter::once("qd").chain(args.iter().copied()).map(OsString::from);
    let code = cli::run(args, Outside { env: &|_| None, terminal: false }, &mut out, &mut err);
    (code, String::from_utf8(out).unwrap() + &String::from_utf8(err).unwrap())
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_first_estate_is_proposed_from_real_servers_and_answers_when_tried() {
    if !have("a_first_estate_is_proposed_from_real_servers_and_answers_when_tried", SERVERS) {
        return;
    }
    let node = servers::node_exporter();
    let am = servers::alertmanager(Access::Open);
    let rules = servers::rule("Watchdog", "vector(1)", "none") + "  - {record: 'job:up:avg', expr: 'avg by (job) (up)'}\n";
    let prom = servers::prometheus(&Lab { targets: &[node.port], alertmanagers: &[am.port], rules }, Access::Open);
    servers::wait_for_alert(&am, "Watchdog", "active");
    servers::until("the node is scraped", || {
        let answer = http::get(prom.port, "/api/v1/query?query=rate(node_cpu_seconds_total[10s])")?;
        answer["data"]["result"].as_array().filter(|series| !series.is_empty()).map(drop)
    });

    let folder = tempdir().unwrap();
    let file = folder.path().join("estate.toml");
    let (code, text) = qd(&["init", "--prometheus", &prom.url(), path(&file)]);
    assert_eq!(code, cli::OK, "{text}");
    let estate = load::estate(&file).unwrap();
    assert_eq!(estate.services.iter().map(|service| service.name.as_str()).collect::<Vec<_>>(), ["node"]);
    let SourceKind::Alertmanager { urls, dead_man: Some(switch) } = &estate.sources[1].kind else { panic!("{:?}", estate.sources) };
    assert_eq!((urls.as_slice(), switch.get("alertname")), ([am.url()].as_slice(), Some("Watchdog")));
    for panel in ["node cpu", "node targets down", "job:up:avg"] {
        assert!(estate.panel(panel).is_some(), "{panel} is not proposed: {}", std::fs::read_to_string(&file).unwrap());
    }

    let (code, text) = qd(&["check", "--live", path(&file)]);
    assert_eq!(code, cli::OK, "every query that is proposed is answered: {text}");
    for kind in ["prometheus", "alertmanager"] {
        let line = text.lines().find(|line| line.starts_with(&format!("  {kind}"))).unwrap_or_else(|| panic!("{text}"));
        assert!(line.contains(" fresh ") && line.contains("version "), "{line}");
    }

    let (code, text) = qd(&["init", "--metrics", &format!("{}/metrics", node.url()), "-"]);
    assert_eq!(code, cli::OK, "{text}");
    assert!(text.contains("kind = \"exposition\"") && text.contains("'node_cpu_seconds_total{"), "{text}");

    drop(am);
    let (code, text) = qd(&["check", "--live", path(&file)]);
    assert_eq!(code, cli::FAILED);
    assert!(text.lines().any(|line| line.starts_with("! alertmanager") && line.contains("unreachable")), "{text}");
}

#[test]
fn credentials_that_are_wrong_are_refused_with_the_file_that_holds_them() {
    if !have("credentials_that_are_wrong_are_refused_with_the_file_that_holds_them", SERVERS) {
        return;
    }
    let prom = servers::prometheus(&Lab::default(), Access::Password);
    let folder = tempdir().unwrap();
    let file = folder.path().join("estate.toml");
    let http_config = servers::http_config(folder.path(), "wrong");
    let (code, text) = qd(&["init", "--prometheus", &prom.url(), path(&file)]);
    assert_eq!(code, cli::FAILED);
    assert!(text.contains("--http-config FILE") && !file.exists(), "{text}");

    servers::write_password(folder.path(), http::PASSWORD);
    let (code, text) = qd(&["init", "--prometheus", &prom.url(), "--http-config", path(&http_config), path(&file)]);
    assert_eq!(code, cli::OK, "{text}");
    assert_eq!(qd(&["check", "--live", path(&file)]).0, cli::OK);

    servers::write_password(folder.path(), "wrong");
    let (code, text) = qd(&["check", "--live", path(&file)]);
    assert_eq!(code, cli::FAILED);
    let line = text.lines().find(|line| line.starts_with("! prometheus")).unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains(" refused ") && line.contains(path(&folder.path().join("password"))), "{line}");
}
