//! Real servers, asked: right, wrong, late, endless, and with every kind of certificate.

use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use wiremock::matchers::{header, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::model::panel::{Shape, Unit};
use crate::model::reading::FailureKind;
use crate::model::selector::Selector;

fn source(probe: Asked) -> Source {
    Source {
        name: "s".into(),
        every: SignedDuration::from_secs(5),
        timeout: SignedDuration::from_secs(20),
        http_config: None,
        service: None,
        site: None,
        kind: SourceKind::Probe { probe, keep: SignedDuration::from_hours(6) },
    }
}

fn http(url: &str, status: Option<u16>, body: Option<&str>) -> Asked {
    Asked::Http { url: url.into(), status, body: body.map(str::to_owned) }
}

fn now() -> Timestamp {
    Timestamp::now()
}

fn until() -> tokio::time::Instant {
    tokio::time::Instant::now() + Duration::from_secs(40)
}

fn prober(source: &Source) -> Prober {
    Prober::new(0, source, &[], &crate::watch::no_past()).unwrap()
}

async fn answer(prober: &Prober, clock: Clock<'_>) -> Arc<ProbeAnswer> {
    match prober.poll(Demand::default(), until(), clock).await {
        Outcome::Value { value: Answer::Probe(answer), .. } => answer,
        other => panic!("{other:?}"),
    }
}

async fn ask(source: &Source) -> Arc<ProbeAnswer> {
    answer(&prober(source), &now).await
}

/// Why it is down.
async fn why(asked: Asked) -> String {
    let answer = ask(&source(asked)).await;
    assert!(!answer.up, "{answer:?}");
    answer.why.clone().unwrap()
}

fn sample(answer: &ProbeAnswer, name: &str) -> Option<f64> {
    let scrape = answer.scrape.as_ref().unwrap();
    scrape.samples.iter().find(|(labels, _)| labels.get("__name__") == Some(name)).map(|(_, value)| *value)
}

async fn site() -> MockServer {
    let server = MockServer::start().await;
    for (at, answer) in [
        ("/ok", ResponseTemplate::new(200).set_body_string("all is ok here")),
        ("/sad", ResponseTemplate::new(200).set_body_string("down for \x1b[31mrepair\u{202e}")),
        ("/empty", ResponseTemplate::new(200)),
        ("/broken", ResponseTemplate::new(503)),
        ("/moved", ResponseTemplate::new(302).insert_header("Location", "/ok")),
        ("/secret", ResponseTemplate::new(401)),
        ("/forbidden", ResponseTemplate::new(403)),
        ("/large", ResponseTemplate::new(200).set_body_string("x".repeat(BODY_CAP + 5) + "end")),
    ] {
        Mock::given(path(at)).respond_with(answer).mount(&server).await;
    }
    server
}

#[tokio::test]
async fn a_service_that_answers_as_expected_is_up_with_its_samples() {
    let server = site().await;
    let answer = ask(&source(http(&format!("{}/ok", server.uri()), Some(200), Some("ok")))).await;
    assert_eq!((answer.up, &answer.why, answer.status), (true, &None, Some(200)));
    assert_eq!([SUCCESS, STATUS, EXPIRY].map(|name| sample(&answer, name)), [Some(1.0), Some(200.0), None]);
    assert_eq!(sample(&answer, DURATION), Some(answer.took));
    assert!(answer.took > 0.0);
    assert_eq!(answer.history.samples, 3);
    let accepted = ask(&source(http(&format!("{}/broken", server.uri()), Some(503), None))).await;
    assert!(accepted.up, "what is expected is right, whatever it is");
}

#[tokio::test]
async fn what_was_expected_and_what_came_is_told() {
    let server = site().await;
    let ask = |at: &str, status, body| why(http(&format!("{}{at}", server.uri()), status, body));
    assert_eq!(ask("/broken", Some(200), None).await, "answered 503, expected 200");
    assert_eq!(ask("/broken", None, None).await, "answered 503, expected 200 to 299");
    assert!(ask("/moved", None, None).await.starts_with("answered 302, expected 200 to 299 (a probe follows no redirect"));
    assert_eq!(ask("/sad", None, Some("ok")).await, "the body does not hold \"ok\": it begins \"down for [31mrepair\"");
    assert_eq!(ask("/empty", None, Some("ok")).await, "the body does not hold \"ok\": it is empty");
    let large = ask("/large", None, Some("end")).await;
    assert!(large.starts_with("the first 1048576 bytes of the body do not hold \"end\": it begins \"xxx"), "{large}");
}

#[tokio::test]
async fn a_refusal_says_who_was_refused_and_what_to_do() {
    let server = site().await;
    for (at, code) in [("/secret", "401"), ("/forbidden", "403")] {
        let told = why(http(&format!("{}{at}", server.uri()), Some(200), None)).await;
        assert!(told.contains(code) && told.contains("no credentials were sent; name an http_config file"), "{told}");
    }
    let wanted = ask(&source(http(&format!("{}/secret", server.uri()), Some(401), None))).await;
    assert!(wanted.up, "a door that must be closed");
}

#[tokio::test]
async fn credentials_and_the_query_go_along_and_a_missing_credentials_file_is_no_verdict() {
    let server = MockServer::start().await;
    let right = Mock::given(path("/health")).and(query_param("full", "1")).and(header("Authorization", "Bearer let-me-in"));
    right.respond_with(ResponseTemplate::new(204)).mount(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("http.yml");
    std::fs::write(&config, "authorization: { credentials_file: token }\n").unwrap();
    let mut source = source(http(&format!("{}/health?full=1", server.uri()), None, None));
    source.http_config = Some(config);
    let prober = prober(&source);
    match prober.poll(Demand::default(), until(), &now).await {
        Outcome::Failed { kind: FailureKind::Refused, what, .. } => assert!(what.contains("token"), "{what}"),
        other => panic!("{other:?}"),
    }
    std::fs::write(folder.path().join("token"), "let-me-in").unwrap();
    assert!(answer(&prober, &now).await.up, "and it is read again");
}

/// A server that answers each connection with these bytes, again and again where `endless`, and then holds it open.
async fn raw(bytes: &'static [u8], endless: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 1_024];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(bytes).await;
                while endless && stream.write_all(&[b'x'; 8_192]).await.is_ok() {}
                std::future::pending::<()>().await;
            });
        }
    });
    address
}

#[tokio::test]
async fn silence_ends_with_the_timeout() {
    let (silent, half) = (raw(b"", false).await, raw(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", false).await);
    let quick = |asked| {
        let mut source = source(asked);
        source.timeout = SignedDuration::from_millis(200);
        source
    };
    let none = ask(&quick(http(&format!("http://{silent}/"), None, None))).await;
    assert!(none.why.as_ref().unwrap().ends_with("no answer within 200ms"), "{none:?}");
    assert_eq!((sample(&none, SUCCESS), sample(&none, STATUS)), (Some(0.0), None));
    let some = ask(&quick(http(&format!("http://{half}/"), None, None))).await;
    assert!(some.why.as_ref().unwrap().contains("not complete after 200ms (5 bytes had come)"), "{some:?}");
    let tls = ask(&quick(Asked::Tls { address: silent })).await;
    assert!(tls.why.as_ref().unwrap().ends_with("no TLS handshake within 200ms"), "{tls:?}");
}

#[tokio::test]
async fn a_body_without_end_is_judged_by_its_beginning() {
    let endless = raw(b"HTTP/1.1 200 OK\r\n\r\nok ", true).await;
    assert!(ask(&source(http(&format!("http://{endless}/"), Some(200), Some("ok")))).await.up);
}

#[tokio::test]
async fn a_port_answers_or_refuses() {
    let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = open.local_addr().unwrap().to_string();
    let up = ask(&source(Asked::Tcp { address: address.clone() })).await;
    assert!(up.up && up.status.is_none() && sample(&up, DURATION).is_some());
    drop(open);
    assert!(why(Asked::Tcp { address: address.clone() }).await.contains("connection refused"));
    assert!(why(Asked::Tls { address: address.clone() }).await.contains("connection refused"));
    assert!(why(http(&format!("http://{address}/"), None, None)).await.contains("connection refused"));
    let wrong = prober(&source(Asked::Tcp { address: "no-port".into() }));
    assert!(matches!(wrong.poll(Demand::default(), until(), &now).await, Outcome::Failed { .. }));
}

/// A private authority whose certificate lies in a folder beside an `http_config` file that names it.
struct Authority {
    folder: tempfile::TempDir,
    root: CertifiedIssuer<'static, KeyPair>,
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn named(names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "server");
    params
}

async fn serve(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> String {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut request = [0; 4_096];
                if stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
                }
                // Kept open: a probe must make a connection of its own all the same.
                std::future::pending::<()>().await;
            });
        }
    });
    address
}

impl Authority {
    fn new() -> Authority {
        let root = CertifiedIssuer::self_signed(authority("Shop Root"), KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), root.pem()).unwrap();
        std::fs::write(folder.path().join("http.yml"), "tls_config:\n  ca_file: ca.pem\n").unwrap();
        Authority { folder, root }
    }

    /// The address of a server with this certificate, signed by the root.
    async fn serve(&self, params: CertificateParams) -> String {
        let key = KeyPair::generate().unwrap();
        let own = params.signed_by(&key, &self.root).unwrap();
        serve(vec![own.der().clone()], &key).await
    }

    async fn ask(&self, asked: Asked) -> Arc<ProbeAnswer> {
        let source = Source { http_config: Some(self.folder.path().join("http.yml")), ..source(asked) };
        ask(&source).await
    }

    async fn shake(&self, address: &str) -> Arc<ProbeAnswer> {
        self.ask(Asked::Tls { address: address.to_owned() }).await
    }
}

#[tokio::test]
async fn a_valid_certificate_is_up_and_read() {
    let ours = Authority::new();
    let mut params = named(&["127.0.0.1", "shop.example"]);
    params.not_after = rcgen::date_time_ymd(2200, 1, 2);
    let address = ours.serve(params).await;
    let answer = ours.shake(&address).await;
    assert!(answer.up, "{answer:?}");
    let known = answer.certificate.as_ref().unwrap();
    assert_eq!((known.subject.as_str(), known.issuer.as_str()), ("server", "Shop Root"));
    assert_eq!(known.names, ["127.0.0.1", "shop.example"]);
    assert_eq!((known.untrusted.as_ref(), known.name_matches), (None, true));
    assert_eq!(known.not_after.to_string(), "2200-01-02T00:00:00Z");
    assert_eq!(sample(&answer, EXPIRY), Some(known.not_after.as_second() as f64));
    let over_http = ours.ask(http(&format!("https://{address}/"), None, Some("ok"))).await;
    assert!(over_http.up, "{over_http:?}");
    assert_eq!(over_http.certificate.as_ref(), Some(known));
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_down_and_told_apart_from_trust() {
    let ours = Authority::new();
    let mut params = named(&["127.0.0.1"]);
    params.not_before = rcgen::date_time_ymd(2001, 1, 1);
    params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    let address = ours.serve(params).await;
    let answer = ours.shake(&address).await;
    let known = answer.certificate.as_ref().unwrap();
    assert!(!answer.up && known.untrusted.is_none() && known.name_matches, "{answer:?}");
    let told = answer.why.as_ref().unwrap();
    assert!(told.starts_with("certificate expired ") && told.ends_with(" days ago"), "{told}");
    let over_http = ours.ask(http(&format!("https://{address}/"), None, None)).await;
    assert_eq!((&over_http.why, &over_http.certificate), (&answer.why, &answer.certificate), "nothing was asked, but it was seen");

    let mut params = named(&["127.0.0.1"]);
    params.not_before = rcgen::date_time_ymd(2199, 1, 1);
    params.not_after = rcgen::date_time_ymd(2200, 1, 1);
    let answer = ours.shake(&ours.serve(params).await).await;
    assert_eq!(answer.why.as_deref(), Some("certificate is not valid before 2199-01-01T00:00:00Z (is a clock wrong?)"));
    assert!(answer.certificate.as_ref().unwrap().untrusted.is_none());
}

#[tokio::test]
async fn a_certificate_for_another_name_is_told_with_its_names() {
    let ours = Authority::new();
    let address = ours.serve(named(&["shop.example", "www.shop.example"])).await;
    let answer = ours.shake(&address).await;
    assert_eq!(answer.why.as_deref(), Some("certificate is for shop.example, www.shop.example, not for 127.0.0.1"));
    let known = answer.certificate.as_ref().unwrap();
    assert_eq!((known.untrusted.as_ref(), known.name_matches), (None, false));
    std::fs::write(ours.folder.path().join("http.yml"), "tls_config:\n  ca_file: ca.pem\n  server_name: shop.example\n").unwrap();
    assert!(ours.shake(&address).await.up, "server_name of tls_config is the name that is asked for");
}

#[tokio::test]
async fn who_signed_it_is_told_where_nobody_here_trusts_them() {
    let ours = Authority::new();
    let key = KeyPair::generate().unwrap();
    let own = named(&["127.0.0.1"]).self_signed(&key).unwrap();
    let alone = serve(vec![own.der().clone()], &key).await;
    let answer = ours.shake(&alone).await;
    assert_eq!(answer.why.as_deref(), Some("certificate is signed by itself, by no authority"));
    assert_eq!(answer.certificate.as_ref().unwrap().untrusted, answer.why);

    let foreign = CertifiedIssuer::self_signed(authority("Their\x1b[2J Root"), KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let own = named(&["127.0.0.1"]).signed_by(&key, &foreign).unwrap();
    let answer = ours.shake(&serve(vec![own.der().clone()], &key).await).await;
    let told = answer.why.as_deref().unwrap();
    assert_eq!(told, "certificate comes from Their[2J Root, which is not trusted here, and the server sends no certificate between");
}

#[tokio::test]
async fn a_chain_with_a_missing_link_is_told_and_a_whole_one_ends_with_its_first_end() {
    let ours = Authority::new();
    let between_key = KeyPair::generate().unwrap();
    let mut params = authority("Shop Between");
    params.not_after = rcgen::date_time_ymd(2100, 1, 1);
    let between = params.signed_by(&between_key, &ours.root).unwrap();
    let issuer = Issuer::new(params, &between_key);
    let key = KeyPair::generate().unwrap();
    let mut params = named(&["127.0.0.1"]);
    params.not_after = rcgen::date_time_ymd(2150, 1, 1);
    let own = params.signed_by(&key, &issuer).unwrap();

    let answer = ours.shake(&serve(vec![own.der().clone()], &key).await).await;
    let told = answer.why.as_deref().unwrap();
    assert_eq!(told, "certificate comes from Shop Between, which is not trusted here, and the server sends no certificate between");

    let whole = ours.shake(&serve(vec![own.der().clone(), between.der().clone()], &key).await).await;
    assert!(whole.up, "{whole:?}");
    let first: Timestamp = "2100-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(sample(&whole, EXPIRY), Some(first.as_second() as f64));
}

#[tokio::test]
async fn a_port_without_tls_is_told() {
    let plain = raw(b"SSH-2.0-OpenSSH_9.2p1\r\n", false).await;
    let told = why(Asked::Tls { address: plain }).await;
    assert!(told.contains("speaks no TLS"), "{told}");
}

#[tokio::test]
async fn any_certificate_will_do_where_the_file_says_so_and_what_is_wrong_is_still_known() {
    let ours = Authority::new();
    std::fs::write(ours.folder.path().join("http.yml"), "tls_config:\n  ca_file: ca.pem\n  insecure_skip_verify: true\n").unwrap();
    let key = KeyPair::generate().unwrap();
    let own = named(&["else.example"]).self_signed(&key).unwrap();
    let address = serve(vec![own.der().clone()], &key).await;
    let answer = ours.shake(&address).await;
    assert!(answer.up, "{answer:?}");
    let known = answer.certificate.as_ref().unwrap();
    assert!(known.untrusted.is_some() && !known.name_matches);
    let over_http = ours.ask(http(&format!("https://{address}/"), None, None)).await;
    assert!(over_http.up && over_http.certificate.as_ref().unwrap().untrusted.as_ref().unwrap().contains("not checked"));
}

#[tokio::test]
async fn since_when_it_is_so_goes_back_to_what_an_earlier_start_saw() {
    let server = site().await;
    let text = "probe_success";
    let form = Form { shape: Shape::Value, of: Selector { text: text.into(), metric: text.into(), matchers: vec![] }, by: None };
    let panel = Panel {
        name: "up".into(),
        service: None,
        site: None,
        source: "s".into(),
        ask: Ask::Form(form),
        unit: Unit::Count,
        warn: None,
        critical: None,
    };
    let panels = [Panel { name: "other".into(), source: "t".into(), ..panel.clone() }, panel];
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let at = |secs| start + SignedDuration::from_secs(secs);
    let down = |why: Option<&str>| Found { why: why.map(str::to_owned), ..Found::default() };
    let seen = [scrape(&down(None), at(0)), scrape(&down(Some("x")), at(5)), scrape(&down(Some("y")), at(10))];
    let past: Past = Arc::new(move |index| if index == 7 { seen.to_vec() } else { vec![] });
    let prober = Prober::new(7, &source(http(&format!("{}/broken", server.uri()), None, None)), &panels, &past).unwrap();
    let known = answer(&prober, &move || at(15)).await;
    assert_eq!((known.up, known.since, known.history.since), (false, Some(at(5)), Some(at(0))));
    assert_eq!(known.panels.keys().collect::<Vec<_>>(), ["up"]);
    assert_eq!(known.panels["up"].now[0].value, 0.0);
    server.reset().await;
    Mock::given(path("/broken")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let mended = answer(&prober, &move || at(20)).await;
    assert_eq!((mended.up, mended.since), (true, Some(at(20))));
}

#[tokio::test]
async fn each_try_makes_a_connection_of_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (count, mut counted) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = count.send(());
            tokio::spawn(async move {
                let mut request = [0; 1_024];
                while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
                }
            });
        }
    });
    let prober = prober(&source(http(&format!("http://{address}/"), None, None)));
    for _ in 0..3 {
        assert!(answer(&prober, &now).await.up);
    }
    for _ in 0..3 {
        assert_eq!(tokio::time::timeout(Duration::from_secs(20), counted.recv()).await, Ok(Some(())), "a kept one tells nothing");
    }
}
