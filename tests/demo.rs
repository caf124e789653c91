//! `qd demo`, the finished binary: what its processes really do in each scenario, and that none is left whatever ends it.

#![cfg(all(feature = "lab", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what goes wrong here fails the test")]

#[path = "demo/console.rs"]
mod console;
#[path = "demo/ledger.rs"]
mod ledger;
#[path = "demo/polls.rs"]
mod polls;
#[path = "demo/practice.rs"]
mod practice;

use nix::sys::signal::Signal;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use practice::{Practice, leftovers, qd, until, until_gone};

#[test]
fn no_process_and_no_folder_is_left_after_a_signal() {
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130), (Signal::SIGHUP, 129)] {
        let practice = Practice::start(&[]);
        assert_eq!(practice.processes().len(), 7, "two sites of three, and the clients");
        let folder = practice.folder.clone();
        let home = practice.signal_and_wait(signal, Some(code));
        assert_eq!(leftovers(home.path()), Vec::<String>::new(), "{signal}");
        assert!(!folder.exists(), "{signal}: the folder is removed");
    }
}

#[test]
fn no_process_is_left_after_kill_9_and_the_next_practice_removes_the_folder() {
    let practice = Practice::start(&[]);
    let folder = practice.folder.clone();
    let home = practice.signal_and_wait(Signal::SIGKILL, None);
    until_gone(home.path());
    assert!(folder.exists(), "a process that is killed removes nothing");
    let next = Practice::start_at(home, &[]);
    assert!(!folder.exists() && next.folder.exists());
}

#[test]
fn a_folder_is_kept_when_asked_and_is_ones_own() {
    let practice = Practice::start(&["--keep"]);
    let folder = practice.folder.clone();
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let home = practice.signal_and_wait(Signal::SIGTERM, Some(143));
    assert_eq!(leftovers(home.path()), Vec::<String>::new());
    assert!(folder.join("estate.toml").is_file() && folder.join("north/web/current/release.toml").is_file());
    let next = Practice::start_at(home, &[]);
    assert!(folder.exists() && next.folder != folder, "what is kept stays when the next begins");
}

#[test]
fn one_service_is_stopped_and_started_by_the_commands_in_the_estate() {
    let practice = Practice::start(&[]);
    let ready = practice.probe("north web ready");
    until("the site is ready", || practice::get(&ready).is_some_and(|(code, _)| code == 200).then_some(()));
    until("a document is there", || practice.value("north store page", "store_documents", &[]).filter(|n| *n > 0.0));
    let before = practice.value("north store page", "process_start_time_seconds", &[]).unwrap();

    practice.command("store", "stop", "north");
    assert_eq!(practice.page("north store page"), None, "nobody answers");
    assert_eq!(practice::get(&ready).unwrap().0, 503, "a service whose dependency is gone is not ready");
    let failed = || practice.value("north edge page", "http_requests_total", &[("code", "503"), ("method", "GET")]);
    until("people see it", failed);
    assert_eq!(practice.value("south edge page", "http_requests_total", &[("code", "503"), ("method", "GET")]), None);

    practice.command("store", "start", "north");
    assert_eq!(practice::get(&ready).unwrap().0, 200);
    assert!(practice.value("north store page", "process_start_time_seconds", &[]).unwrap() > before, "another process");
    assert!(practice.value("north store page", "store_documents", &[]).unwrap() > 0.0, "with the documents that it had");
    practice.command("store", "start", "north");
    assert_eq!(practice.processes().len(), 7, "what runs is not started twice");
}

#[test]
fn nothing_is_started_again_by_itself_and_a_killed_site_leaves_the_other_serving() {
    let practice = Practice::start(&[]);
    practice.lab(&["stop", "north"]);
    assert_eq!(practice.processes().len(), 4, "south's three and the clients");
    let served = || practice.value("south edge page", "http_requests_total", &[("code", "200"), ("method", "GET")]);
    let at_the_stop = served().unwrap_or(0.0);
    until("the other site goes on serving", || served().filter(|now| *now > at_the_stop + 2.0));
    let lost = || practice.value("clients page", "client_requests_total", &[("site", "north"), ("code", "0"), ("method", "GET")]);
    until("people get no answer at the dead site", lost);
    assert_eq!(practice.processes().len(), 4, "nobody starts it again unasked");
    practice.lab(&["start", "north"]);
    assert_eq!(practice.processes().len(), 7);
    assert!(practice.page("north edge page").is_some() && practice.page("north store page").is_some());
}

#[test]
fn what_is_asked_wrongly_is_told_and_changes_nothing() {
    let practice = Practice::start(&[]);
    for (words, says) in [
        (&["stop", "cellar", "north"][..], "there is no service"),
        (&["stop", "web", "east"], "there are north and south"),
        (&["deploy", "9.9.9", "north"], "there are 2.3.7, 2.3.8, 2.4.0, 2.5.0"),
        (&["start", "web"], "name a service and its site"),
    ] {
        let (code, said) = qd(practice.home.path(), &[&["lab"], words].concat());
        assert!(code == 1 && said.contains(says), "{words:?}: {code} {said}");
    }
    assert_eq!(practice.processes().len(), 7);
}

#[test]
fn without_a_practice_the_commands_say_how_to_start_one() {
    let home = tempfile::tempdir().unwrap();
    let (code, said) = qd(home.path(), &["lab", "stop", "north"]);
    assert!(code == 1 && said.contains("start one with `qd demo`"), "{code} {said}");
}

#[test]
fn in_a_steady_practice_no_request_fails() {
    let practice = Practice::start(&[]);
    practice.until_served("north", 40.0);
    assert_eq!(practice.failed("north edge page"), 0.0);
    assert_eq!(practice.failed("south edge page"), 0.0);
    let page = practice.page("north edge page").unwrap();
    assert!(page.contains("# TYPE http_request_duration_seconds histogram") && !page.contains("# EOF"));
    let (_, open) = practice::get_as(&practice.url("north edge page"), "application/openmetrics-text; version=1.0.0").unwrap();
    assert!(open.contains("# TYPE http_requests counter\n") && open.ends_with("# EOF\n"), "{open}");
}

#[test]
fn a_bad_release_really_fails_a_share_of_the_requests_until_it_is_taken_back() {
    let practice = Practice::start(&["--scenario", "bad-release", "--after", "0"]);
    until("the release runs", || practice.value("north web page", "build_info", &[("version", "2.5.0")]));
    assert_eq!(practice.value("south web page", "build_info", &[("version", "2.5.0")]), None, "it went to one site");
    until("enough of its requests are counted", || practice.served("north web page").filter(|all| *all >= 50.0));
    let share = practice.failed("north web page") / practice.served("north web page").unwrap();
    assert!((0.1..0.3).contains(&share), "{share}");
    assert!(practice.failed("north edge page") > 0.0, "people see it");
    assert_eq!(practice.failed("south edge page"), 0.0);

    practice.lab(&["deploy", "2.4.0", "north"]);
    until("the good one runs", || practice.value("north web page", "build_info", &[("version", "2.4.0")]));
    until("enough of its requests are counted", || practice.served("north web page").filter(|all| *all >= 30.0));
    assert_eq!(practice.failed("north web page"), 0.0);
}

#[test]
fn a_slow_store_is_really_slow_and_so_is_all_that_needs_it() {
    let practice = Practice::start(&["--scenario", "slow-dependency", "--after", "0"]);
    // The histogram that the store itself keeps: how many took longer than a second.
    let slow = |source: &str, metric: &str| {
        let all = practice.value(source, &format!("{metric}_count"), &[])?;
        Some(all - practice.value(source, &format!("{metric}_bucket"), &[("le", "1")])?)
    };
    until("the store is slow", || slow("north store page", "store_request_duration_seconds").filter(|n| *n >= 10.0));
    until("people wait", || slow("north edge page", "http_request_duration_seconds").filter(|n| *n >= 10.0));
    assert_eq!(slow("south edge page", "http_request_duration_seconds"), Some(0.0));
    assert_eq!(practice.failed("north edge page"), 0.0, "late, but right");
}

#[test]
fn a_stuck_edge_is_mended_by_its_restart_and_by_nothing_else() {
    let practice = Practice::start(&["--scenario", "stuck", "--after", "0"]);
    let held = |site: &str| practice.value(&format!("{site} edge page"), "edge_connections_held", &[]);
    until("no connection is left", || held("north").filter(|held| *held == 200.0));
    let served = || {
        let of = |method| practice.value("north edge page", "http_requests_total", &[("code", "200"), ("method", method)]).unwrap_or(0.0);
        of("GET") + of("POST")
    };
    let refused = || practice.value("north edge page", "http_requests_total", &[("code", "503"), ("method", "GET")]).unwrap_or(0.0);
    until("nobody is served", || (refused() >= 10.0).then_some(()));
    // Neither waiting nor another service's restart brings one back.
    let (before, so_far) = (served(), refused());
    practice.lab(&["restart", "web", "north"]);
    until("more are refused", || (refused() >= so_far + 20.0).then_some(()));
    assert_eq!((served(), held("north")), (before, Some(200.0)));
    assert_eq!(practice.failed("south edge page"), 0.0);
    let log = fs::read_to_string(practice.folder.join("north/edge/log")).unwrap();
    assert!(log.contains("Z ERROR no connection to the web service is free: all 200 are taken"), "{log}");

    practice.lab(&["restart", "edge", "north"]);
    until("people are served", || practice.served("north edge page").filter(|all| *all >= 30.0));
    assert_eq!(practice.failed("north edge page"), 0.0);
    assert!(held("north").unwrap() < 100.0);
}

#[test]
fn a_storm_is_thousands_of_series_of_one_metric() {
    let practice = Practice::start(&["--scenario", "storm", "--after", "0"]);
    let stuck = |source: &str| {
        let page = practice.page(source)?;
        let values = page.lines().filter(|line| line.starts_with("store_outbox_waiting{"));
        Some(values.filter(|line| line.rsplit(' ').next().is_some_and(|value| value.parse::<f64>().unwrap() > 1_000.0)).count())
    };
    until("the outbox is stuck", || stuck("north store page").filter(|n| *n == 3_000));
    assert_eq!(stuck("south store page"), Some(0));
}

#[test]
fn the_certificate_is_a_real_one_near_its_end() {
    use quarterdeck::link::http::{Limits, Reader};
    use x509_parser::prelude::{FromDer, X509Certificate};
    let practice = Practice::start(&["--scenario", "certificate"]);
    let folder = practice.folder.join("certificate");
    let file = fs::read(folder.join("edge.pem")).unwrap();
    let (_, pem) = x509_parser::pem::parse_x509_pem(&file).unwrap();
    let (_, certificate) = X509Certificate::from_der(&pem.contents).unwrap();
    let valid = certificate.validity();
    let now = jiff::Timestamp::now().as_second();
    let share = (valid.not_after.timestamp() - now) as f64 / (valid.not_after.timestamp() - valid.not_before.timestamp()) as f64;
    assert!((0.01..0.1).contains(&share), "{share} of its life is left");

    // It is the one that is shown: who trusts its authority is served, and who does not is not.
    practice.until_served("north", 5.0);
    let front = format!("https://{}", practice.probe("north edge certificate"));
    let limits = Limits { deadline: std::time::Duration::from_secs(10), body_cap: 1 << 20 };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let trust = folder.join("trust.yml");
    let get = |trust: Option<&std::path::Path>| runtime.block_on(Reader::new(&front, trust, limits).unwrap().get("/orders/order-0", &[]));
    assert_eq!(get(Some(&trust)).unwrap().status, 200);
    assert!(get(None).unwrap_err().to_string().contains("certificate"));
}

#[test]
fn the_backup_job_makes_snapshots_at_both_sites_until_it_is_stopped() {
    let practice = Practice::start(&["--scenario", "stale-backup", "--after", "0"]);
    let file = practice.folder.join("north/store/backup.toml");
    let text = until("the end of the job", || std::fs::read_to_string(&file).ok().filter(|text| text.contains("every_seconds = 0")));
    // The same estate by a shorter clock: two starts are missed after seconds.
    let estate = fs::read_to_string(practice.folder.join("estate.toml")).unwrap();
    let short = practice.folder.join("short.toml");
    fs::write(&short, estate.replace("schedule = \"1m\"", "schedule = \"1s\"")).unwrap();
    let short = short.to_str().unwrap().to_owned();
    let ask = |words: &[&str]| qd(practice.home.path(), &[words, &["--estate", &short]].concat()).1;
    let told = until("the job is found silent", || {
        let told: serde_json::Value = serde_json::from_str(&ask(&["status", "-o", "json"])).ok()?;
        let silent = |alert: &&serde_json::Value| alert["name"] == "backup silent" && alert["origin"] == "quarterdeck";
        (told["alerts"].as_array()?.iter().filter(silent).count() == 2).then_some(told)
    });
    assert!(told["backups"].as_array().unwrap().iter().all(|backup| backup["silent_since"].is_string()), "{told:#}");
    assert!(told["needs"].as_array().unwrap().iter().any(|need| need["name"] == "backup silent"), "{told:#}");
    let overview = ask(&["snapshot", "--pane", "overview", "--size", "80x24"]);
    assert!(overview.contains("backup silent"), "{overview}");
    // A person mends it, and wants no minute's wait.
    std::fs::write(&file, text.replace("every_seconds = 0", "every_seconds = 1")).unwrap();
    for site in ["north", "south"] {
        let copies = practice.folder.join(site).join("backup");
        let count = || std::fs::read_dir(&copies).unwrap().filter(|e| e.as_ref().unwrap().path().join("SHA256SUMS").exists()).count();
        until("more snapshots than practice began with", || (count() > 12).then_some(()));
    }
}
