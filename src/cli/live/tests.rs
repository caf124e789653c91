//! Each source gets its line with what a person has to know, and the exit code says whether all is well.

use std::ffi::OsString;
use std::path::PathBuf;

use jiff::{SignedDuration, fmt::rfc2822};
use tempfile::TempDir;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::super::{Outside, run as qd};
use super::*;

const NOWHERE: Outside<'static> = Outside { env: &|_| None, terminal: false };

fn check(estate: &Path, more: &[&str]) -> (u8, String) {
    let mut out = Vec::new();
    let mut err = Vec::new();
    let args = ["qd", "check", "--live"].iter().chain(more).map(OsString::from).chain([estate.into()]);
    let code = qd(args, NOWHERE, &mut out, &mut err);
    (code, String::from_utf8(out).unwrap() + &String::from_utf8(err).unwrap())
}

fn estate(sources: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("estate.toml");
    std::fs::write(&path, format!("version = 1\n[estate]\nname = 'e'\nenvironment = 't'\n{sources}")).unwrap();
    (folder, path)
}

fn source(name: &str, url: &str) -> String {
    format!("[[source]]\nname = '{name}'\nkind = 'prometheus'\nurl = '{url}'\ntimeout = '2s'\n")
}

/// A Prometheus whose clock is ahead, and which understands no query.
fn answer(request: &Request) -> ResponseTemplate {
    let clock = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&(Timestamp::now() + SignedDuration::from_secs(60))).unwrap();
    let body = match request.url.path() {
        "/api/v1/alerts" => r#"{"status":"success","data":{"alerts":[]}}"#,
        "/api/v1/targets" => r#"{"status":"success","data":{"activeTargets":[]}}"#,
        "/api/v1/rules" => r#"{"status":"success","data":{"groups":[]}}"#,
        "/api/v1/status/buildinfo" => r#"{"status":"success","data":{"version":"3.1.0"}}"#,
        _ => r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#,
    };
    ResponseTemplate::new(200).insert_header("date", clock).set_body_string(body)
}

#[test]
fn one_line_for_each_source_with_what_is_wrong() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(async {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(answer).mount(&server).await;
        server
    });
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let well = source("prom", &server.uri());
    let (_folder, path) = estate(&well);
    let (code, text) = check(&path, &[]);
    assert_eq!(code, OK, "{text}");
    assert!(text.contains("estate.toml: ok: e t: ") && text.contains("\n! prom  prometheus  fresh "), "{text}");
    assert!(text.contains(" s  version 3.1.0, alerts 0, targets 0 up 0 down, rules 0\n"), "{text}");
    let skew = text.lines().find(|line| line.contains("clock")).unwrap();
    assert!(skew.starts_with("    its clock is ") && skew.contains(" s ahead of this machine's"), "{skew}");
    assert!(text.ends_with("all well: `qd` opens the console\n"), "{text}");

    let panel = "[[panel]]\nname = 'broken'\nsource = 'prom'\nquery = 'sum('\n";
    let (_folder, path) = estate(&format!("{}{well}{panel}", source("gone", &format!("http://{nobody}"))));
    let (code, text) = check(&path, &[]);
    assert_eq!(code, FAILED);
    assert!(text.contains("\n! gone  prometheus  unreachable ") && text.contains("connection refused"), "{text}");
    assert!(text.contains("\n    panel broken: bad_data: parse error\n"), "{text}");
    assert!(text.ends_with("sources 2, of them not well 2\n"), "{text}");

    let (code, text) = check(&path, &["-o", "json"]);
    let told: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert_eq!((code, told.len()), (FAILED, 2));
    assert_eq!((&told[0]["name"], &told[0]["state"], told[0]["said"].is_null()), (&"gone".into(), &"unreachable".into(), true));
    assert_eq!((&told[1]["state"], &told[1]["panels"][0]["name"]), (&"fresh".into(), &"broken".into()));
}

#[test]
fn a_slow_source_holds_up_nobody() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let serve = |delay: u64| {
        runtime.block_on(async {
            let server = MockServer::start().await;
            let respond = move |request: &Request| answer(request).set_delay(std::time::Duration::from_millis(delay));
            Mock::given(any()).respond_with(respond).mount(&server).await;
            server
        })
    };
    let (slow, quick) = (serve(700), serve(0));
    let (_folder, path) = estate(&(source("slow", &slow.uri()) + &source("quick", &quick.uri())));
    let (_, text) = check(&path, &[]);
    let place = |name: &str| text.find(&format!("\n! {name}")).unwrap_or_else(|| panic!("{text}"));
    assert!(place("quick") < place("slow"), "as they come: {text}");
}

#[test]
fn a_file_with_problems_asks_nobody() {
    let (_folder, path) = estate("[[source]]\nname = 'x'\n");
    let (code, text) = check(&path, &[]);
    assert_eq!(code, FAILED);
    assert!(text.contains("`kind` is missing") && !text.contains("fresh") && !text.contains("unreachable"), "{text}");
}
