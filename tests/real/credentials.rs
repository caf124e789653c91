//! A wrong password is `refused`; corrected in its file, the source is fresh without a restart.

use quarterdeck::model::reading::Freshness;
use tempfile::tempdir;

use crate::estate::{Console, estate, source};
use crate::http::PASSWORD;
use crate::servers::{self, Access, Lab, have};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_refused_and_a_corrected_one_is_read_without_a_restart() {
    let test = "a_wrong_password_is_refused_and_a_corrected_one_is_read_without_a_restart";
    if !have(test, &["prometheus", "prometheus-alertmanager"]) {
        return;
    }
    let am = servers::alertmanager(Access::Password);
    let prom = servers::prometheus(&Lab::default(), Access::Password);
    let folder = tempdir().unwrap();
    let wrong = "correct horse";
    servers::http_config(folder.path(), wrong);
    let http = "http_config = \"http.yml\"";
    let sources = source("alerts", "alertmanager", &[am.url()], http) + &source("prom", "prometheus", &[prom.url()], http);
    let mut console = Console::open(&estate(folder.path(), &sources));
    console.until("both are refused", |r| r.iter().all(|r| r.failure.is_some())).await;
    for reading in &console.readings {
        let failure = reading.failure.as_ref().unwrap();
        assert_eq!(reading.freshness(failure.since), Freshness::Refused, "{}", failure.what);
        assert!(!failure.what.contains(wrong), "no password on the screen: {}", failure.what);
        assert!(reading.next_try.is_some_and(|next| next > failure.since));
    }

    servers::write_password(folder.path(), PASSWORD);
    console.until("both are read", |r| r.iter().all(|r| r.failure.is_none() && r.held.is_some())).await;
    for reading in &console.readings {
        assert_eq!(reading.freshness(reading.held.as_ref().unwrap().as_of), Freshness::Fresh);
    }

    servers::write_password(folder.path(), wrong);
    console.until("both are refused again", |r| r.iter().all(|r| r.failure.is_some())).await;
    assert!(console.readings.iter().all(|r| r.held.is_some()), "the last values are kept");
}
