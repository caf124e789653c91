//! What is proposed passes `qd check` whatever the servers say, and no file is ever overwritten.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;
use serde_json::json;
use wiremock::matchers::any as every;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::super::{FAILED, Outside, run as qd};
use super::*;
use crate::model::estate::SourceKind;
use crate::model::text::is_hostile;
use crate::watch::discover::{Job, Places};

/// Runs `qd init` with a home of its own; gives back the exit code, output and errors.
fn init(home: &Path, args: &[&str]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let folder = home.to_owned();
    let env = move |name: &str| (name == "HOME").then(|| folder.clone().into_os_string());
    let args = ["qd", "init"].iter().chain(args).map(OsString::from);
    let code = qd(args, Outside { env: &env, terminal: false }, &mut out, &mut err);
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn loaded(draft: &Draft) -> Estate {
    let text = text::estate(draft);
    load::estate_from(Path::new("estate.toml"), &text).unwrap_or_else(|problems| panic!("{}\n{text}", problems[0]))
}

fn with(found: Found) -> Draft {
    Draft { prometheus: Some(Prometheus { url: "http://p:9090".into(), found }), ..Draft::default() }
}

#[test]
fn the_template_is_right_and_names_every_table() {
    let estate = loaded(&Draft::default());
    assert_eq!((estate.sources.len(), estate.panels.len()), (2, 1));
    let text = text::estate(&Draft::default());
    for table in ["[estate]", "[[site]]", "[[service]]", "[[source]]", "[[panel]]"] {
        assert!(text.contains(table), "{table}");
    }
    // What is out-commented is right too where it is taken in as it stands.
    let whole: String = text
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| rest.starts_with("[[") || rest.contains(" = ")).unwrap_or(line).to_owned() + "\n")
        .filter(|line| !line.starts_with("http_config") && !line.starts_with("`depends_on"))
        .collect();
    let estate = load::estate_from(Path::new("estate.toml"), &whole).unwrap_or_else(|problems| panic!("{}\n{whole}", problems[0]));
    assert_eq!((estate.sites.len(), estate.services.len(), estate.panels.len()), (1, 1, 2));
}

#[test]
fn a_template_is_written_for_its_owner_only_and_never_over_a_file() {
    let home = tempfile::tempdir().unwrap();
    let (code, out, err) = init(home.path(), &[]);
    assert_eq!((code, err.as_str()), (OK, ""));
    let path = home.path().join(".config/quarterdeck/estate.toml");
    assert!(out.contains(&format!("wrote {}", path.display())) && out.contains("qd check --live "), "{out}");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));

    std::fs::write(&path, "mine").unwrap();
    let (code, out, err) = init(home.path(), &["--prometheus", "http://127.0.0.1:1"]);
    assert_eq!((code, out.as_str()), (FAILED, ""));
    assert!(err.contains("is there already") && err.contains("overwrites nothing"), "it is refused before a server is asked: {err}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");

    let link = home.path().join("link.toml");
    std::os::unix::fs::symlink(home.path().join("elsewhere"), &link).unwrap();
    assert_eq!(init(home.path(), &[link.to_str().unwrap()]).0, FAILED);
    assert!(!home.path().join("elsewhere").exists(), "a link that leads nowhere is not followed");
}

#[test]
fn a_dash_prints_and_writes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (code, out, _) = init(home.path(), &["-"]);
    assert_eq!((code, out), (OK, text::estate(&Draft::default())));
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_server_that_is_not_there_is_told_with_what_to_do_and_nothing_is_written() {
    let home = tempfile::tempdir().unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for flag in ["--prometheus", "--alertmanager"] {
        let (code, out, err) = init(home.path(), &[flag, &format!("http://{nobody}")]);
        assert_eq!((code, out.as_str()), (FAILED, ""));
        for part in [flag, "connection refused", "nothing was written", "--http-config"] {
            assert!(err.contains(part), "{part}: {err}");
        }
    }
    let (code, _, err) = init(home.path(), &["--prometheus", "http://me:hunter2@p"]);
    assert_eq!(code, FAILED);
    assert!(err.contains("credentials") && !err.contains("hunter2"), "{err}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn what_the_servers_tell_becomes_an_estate() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let serve = |respond: Box<dyn Fn(&Request) -> ResponseTemplate + Send + Sync>| {
        runtime.block_on(async {
            let server = MockServer::start().await;
            Mock::given(every()).respond_with(move |request: &Request| respond(request)).mount(&server).await;
            server
        })
    };
    let am = serve(Box::new(|_| ResponseTemplate::new(200).set_body_string(r#"{"versionInfo": {"version": "0.28.0"}}"#)));
    let told = [format!("{}/api/v2/alerts", am.uri()), "http://127.0.0.1:1/api/v2/alerts".to_owned()];
    let prom = serve(Box::new(move |request| {
        let value = match request.url.path() {
            "/api/v1/targets" => json!({"activeTargets": [
                {"labels": {"job": "we\"b\\", "site": "fra1"}}, {"labels": {"job": "we\"b\\", "site": "ams3"}},
            ]}),
            "/api/v1/rules" => json!({"groups": [{"rules": [{"name": "Watchdog", "type": "alerting", "state": "firing"}]}]}),
            "/api/v1/alertmanagers" => json!({"activeAlertmanagers": told.each_ref().map(|url| json!({ "url": url }))}),
            "/api/v1/label/__name__/values" => json!(["http_requests_total"]),
            "/api/v1/label/job/values" => json!(["we\"b\\"]),
            _ => return ResponseTemplate::new(404),
        };
        ResponseTemplate::new(200).set_body_string(json!({"status": "success", "data": value}).to_string())
    }));
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("new/estate.toml");
    let (code, out, err) = init(home.path(), &["--prometheus", &prom.uri(), path.to_str().unwrap()]);
    assert_eq!(code, OK, "{err}");
    assert!(out.contains("sites 2, services 1, sources 2, panels 3") && out.contains("qd --estate "), "{out}");
    assert!(err.contains("qd: asking Prometheus which targets") && err.contains("not reached from here"), "{err}");
    let estate = load::estate(&path).unwrap();
    assert_eq!(estate.sites.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["ams3", "fra1"]);
    assert_eq!(estate.services[0].labels.get("job"), Some("we\"b\\"));
    assert_eq!(estate.services[0].sites, ["ams3", "fra1"]);
    let SourceKind::Alertmanager { urls, dead_man: Some(switch) } = &estate.sources[1].kind else { panic!("{:?}", estate.sources) };
    assert_eq!((urls.as_slice(), switch.get("alertname")), ([am.uri()].as_slice(), Some("Watchdog")));
    let errors = estate.panel("we\"b\\ errors").unwrap();
    assert!(errors.ask.to_string().contains(r#"{job="we\"b\\",code=~"5.."}"#), "{}", errors.ask);
    assert_eq!((errors.warn, errors.service.as_deref()), (Some(0.01), Some("we\"b\\")));
}

#[test]
fn a_huge_production_is_cut_to_what_a_screen_and_a_server_bear() {
    let job = |n: usize| Job {
        name: format!("{}{n}", "x".repeat(80)),
        targets: 1,
        requests: Some(("http_requests_total".into(), (n % 100 == 7).then(|| "code".into()))),
        latency: Some("http_request_duration_seconds".into()),
        ..Job::default()
    };
    let found = Found { jobs: (0..10_000).map(job).collect(), recording: vec!["a:b:c".into(); 500], ..Found::default() };
    let draft = with(found);
    let estate = loaded(&draft);
    assert_eq!((estate.services.len(), estate.panels.len()), (propose::SERVICES, propose::PANELS));
    let errors = estate.panels.iter().filter(|panel| panel.name.contains(" errors")).count();
    assert_eq!(errors, propose::SERVICES, "what tells most is kept");
    assert!(text::estate(&draft).contains("# 9960 more jobs were found"));
}

#[test]
fn a_page_is_enough_for_an_estate() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let page = "# TYPE http_requests_total counter\nhttp_requests_total{path=\"/\",code=\"200\"} 5\n\
                http_request_duration_seconds_bucket{le=\"+Inf\"} 5\nnode_cpu_seconds_total{mode=\"user\"} 1\n\
                node_memory_MemAvailable_bytes 1\nnode_filesystem_avail_bytes{mountpoint=\"/\"} 1\n";
    let server = runtime.block_on(async {
        let server = MockServer::start().await;
        let metrics = wiremock::matchers::path("/metrics");
        Mock::given(metrics).respond_with(ResponseTemplate::new(200).set_body_string(page)).mount(&server).await;
        server
    });
    let home = tempfile::tempdir().unwrap();
    let (code, out, err) = init(home.path(), &["--metrics", &format!("{}/metrics", server.uri())]);
    assert_eq!(code, OK, "{err}");
    assert!(out.contains("services 1, sources 1, panels 6"), "{out}");
    let estate = load::estate(&home.path().join(".config/quarterdeck/estate.toml")).unwrap();
    assert!(matches!(estate.sources[0].kind, SourceKind::Exposition { .. }));
    assert_eq!(
        estate.panel("page 127.0.0.1 errors").unwrap().ask.to_string(),
        "share of http_requests_total{code=~\"5..\"} in all http_requests_total over 1m"
    );

    let (code, _, err) = init(home.path(), &["--metrics", &server.uri(), "-"]);
    assert_eq!(code, FAILED, "{err}");
    assert!(err.contains("--metrics: answered 404"), "{err}");
}

/// What the decoding lets through: anything that can be shown.
fn fit() -> impl Strategy<Value = String> {
    let nasty = prop_oneof![
        Just("\"'\\'''\"\"\"".to_owned()),
        Just("]]\\n# = {".to_owned()),
        Just("${x}$window\\u0000".to_owned()),
        any::<String>()
    ];
    nasty.prop_filter("can be shown", |text| !text.trim().is_empty() && text.len() <= LABEL_CAP && !text.chars().any(is_hostile))
}

fn job() -> impl Strategy<Value = Job> {
    let requests =
        proptest::option::of(proptest::option::of(Just("code".to_owned())).prop_map(|code| ("a_requests_total".to_owned(), code)));
    (fit(), 0..3usize, proptest::collection::vec(fit(), 0..3), requests, any::<[bool; 4]>()).prop_map(
        |(name, targets, sites, requests, [latency, cpu, memory, filesystem])| Job {
            name,
            targets,
            sites,
            requests,
            latency: latency.then(|| "a_duration_seconds".to_owned()),
            cpu,
            memory,
            filesystem,
        },
    )
}

proptest! {
    #[test]
    fn whatever_is_found_the_estate_passes_its_check(
        mut jobs in proptest::collection::vec(job(), 0..12),
        sites in proptest::collection::btree_set(fit(), 1..6),
        watchdog in proptest::option::of(fit()),
        notes in proptest::collection::vec(any::<String>(), 0..4),
        version in proptest::option::of(any::<String>()),
        why in any::<String>(),
        twice in any::<bool>(),
        page in any::<bool>(),
    ) {
        let sites: Vec<String> = sites.into_iter().collect();
        if twice && !jobs.is_empty() {
            // Names that differ only behind what a name may hold, or by spaces at their ends.
            let long = "y".repeat(70);
            jobs.extend([format!("{long}1"), format!("{long}2"), " z".into(), "z".into(), "z 2".into()].map(|name| Job { name, targets: 1, sites: sites.clone(), ..Job::default() }));
        }
        let jobs_first = jobs.first().cloned().unwrap_or_default();
        let services = jobs.len().min(propose::SERVICES) + usize::from(page);
        let places = Some(Places { label: "zone".into(), values: sites.clone() });
        let mut draft = with(Found { version, jobs, places, watchdog, notes, recording: vec!["a:b:ratio".into()], ..Found::default() });
        let am = |url: &str, answer| Alertmanager { url: url.into(), answer, named: false };
        draft.page = page.then(|| Page { url: "http://h/metrics".into(), job: Job { requests: Some(("a_requests_total".into(), None)), ..jobs_first } });
        draft.alertmanagers = vec![am("http://a", Ok(why.clone())), am("http://b", Err(why))];
        let estate = loaded(&draft);
        prop_assert_eq!(estate.services.len(), services);
        prop_assert_eq!(estate.sites.iter().filter_map(|site| site.labels.get("zone")).collect::<Vec<_>>(), sites);
    }
}
