//! The reader against well and badly behaved servers without TLS.

use std::io::Write;
use std::net::SocketAddr;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wiremock::matchers::{basic_auth, body_string, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;

const LIMITS: Limits = Limits { deadline: Duration::from_secs(20), body_cap: 1 << 20 };
const HURRIED: Limits = Limits { deadline: Duration::from_millis(300), body_cap: 1 << 20 };

/// A folder with an `http_config` file.
fn configured(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("http.yml");
    std::fs::write(&file, text).unwrap();
    (folder, file)
}

/// A server that answers every connection with the head given, and then with what `more` writes.
async fn hostile<F, W>(head: &'static str, more: F) -> SocketAddr
where
    F: Fn(TcpStream) -> W + Send + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            if stream.write_all(head.as_bytes()).await.is_ok() {
                tokio::spawn(more(stream));
            }
        }
    });
    address
}

fn why(result: Result<Body, LinkError>) -> String {
    match result {
        Err(LinkError::Unreachable(why)) => why,
        Err(error @ LinkError::TooLarge { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

fn refusal(result: Result<Body, LinkError>) -> String {
    match result {
        Err(LinkError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_answer_comes_with_its_status_type_clock_and_prefix() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(503)
        .set_body_raw("<html>", "Text/HTML; charset=utf-8")
        .insert_header("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
    Mock::given(method("GET"))
        .and(path("/am/api/v2/alerts"))
        .and(query_param("q", "a&b=c"))
        .and(header("user-agent", concat!("quarterdeck/", env!("CARGO_PKG_VERSION"))))
        .respond_with(answer)
        .mount(&server)
        .await;
    let reader = Reader::new(&format!("{}/am/", server.uri()), None, LIMITS).unwrap();
    let body = reader.get("/api/v2/alerts", &[("q", "a&b=c")]).await.unwrap();
    assert_eq!((body.status, body.content_type.as_str(), body.bytes.as_slice()), (503, "text/html", b"<html>".as_slice()));
    assert_eq!(body.date.unwrap().to_string(), "1994-11-06T08:49:37Z");
}

#[tokio::test]
async fn a_form_is_posted() {
    let server = MockServer::start().await;
    Mock::given(method("POST")).and(body_string("query=up%7Ba%3D%22b%22%7D")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let reader = Reader::new(&server.uri(), None, LIMITS).unwrap();
    assert_eq!(reader.post_form("/api/v1/query", &[("query", "up{a=\"b\"}")]).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_corrected_password_file_works_at_the_next_request() {
    let server = MockServer::start().await;
    Mock::given(basic_auth("ops", "right")).respond_with(ResponseTemplate::new(200)).with_priority(1).mount(&server).await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(401)).mount(&server).await;
    let (folder, file) = configured("basic_auth:\n  username: ops\n  password_file: pw\n");
    let password = folder.path().join("pw");
    let reader = Reader::new(&server.uri(), Some(&file), LIMITS).unwrap();

    let unread = refusal(reader.get("/", &[]).await);
    assert!(unread.contains("no such file") && unread.contains("pw"), "{unread}");
    std::fs::write(&password, "wrong\n").unwrap();
    let told = refusal(reader.get("/", &[]).await);
    assert!(told.contains("401") && told.contains("ops") && told.contains(&password.display().to_string()), "{told}");
    assert!(!told.contains("wrong"), "{told}");
    std::fs::write(&password, "right\n").unwrap();
    assert_eq!(reader.get("/", &[]).await.unwrap().status, 200);
}

#[tokio::test]
async fn an_answer_that_echoes_the_request_tells_no_credential() {
    let server = MockServer::start().await;
    let echo = |status| {
        move |request: &wiremock::Request| ResponseTemplate::new(status).set_body_string(format!("{:?} hunter2-long", request.headers))
    };
    Mock::given(path("/bad")).respond_with(echo(500)).mount(&server).await;
    Mock::given(path("/good")).respond_with(echo(200)).mount(&server).await;
    // `ops:hunter2-long` and a short password, whose base64 the echo has.
    let basic = "basic_auth:\n  username: ops\n  password: hunter2-long\nhttp_headers:\n  X-Key:\n    secrets: [k3y-of-ours]\n";
    let token = "authorization:\n  credentials: abcdefghijklmnop-token\n";
    for (config, secrets) in
        [(basic, ["b3BzOmh1bnRlcjItbG9uZw==", "b3BzOmh1bnRlcjItbG9uZw"]), (token, ["abcdefghijklmnop-token", "-token"])]
    {
        let (_folder, file) = configured(config);
        let reader = Reader::new(&server.uri(), Some(&file), LIMITS).unwrap();
        for at in ["/bad", "/good"] {
            let body = String::from_utf8(reader.get(at, &[]).await.unwrap().bytes).unwrap();
            assert!(body.contains("<secret>"), "{body}");
            assert!(secrets.iter().all(|secret| !body.contains(secret)), "{body}");
            let failed = at == "/bad";
            assert!(!failed || config == token || !body.contains("hunter2-long"), "{body}");
            assert!(!failed || !body.contains("k3y-of-ours"), "{body}");
        }
        let reader = Reader::alone(&format!("{}/bad", server.uri()), Some(&file), LIMITS).unwrap();
        let body = String::from_utf8(reader.look().await.unwrap().bytes).unwrap();
        assert!(body.contains("<secret>") && secrets.iter().all(|secret| !body.contains(secret)), "{body}");
    }
}

#[tokio::test]
async fn a_token_and_headers_are_sent_and_a_changed_file_counts_at_once() {
    let server = MockServer::start().await;
    Mock::given(header("authorization", "Bearer s3cret"))
        .and(header("x-scope-orgid", "tenant"))
        .and(header("x-more", "from-file"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let headers = "http_headers:\n  X-Scope-OrgID:\n    values: [tenant]\n  X-More:\n    files: [more]\n";
    let (folder, file) = configured("basic_auth: {username: a}\n");
    std::fs::write(folder.path().join("more"), "from-file\n").unwrap();
    let reader = Reader::new(&server.uri(), Some(&file), LIMITS).unwrap();
    assert_eq!(reader.get("/", &[]).await.unwrap().status, 404, "not with the wrong credentials");
    std::fs::write(&file, format!("authorization:\n  credentials: s3cret\n{headers}")).unwrap();
    assert_eq!(reader.get("/", &[]).await.unwrap().status, 200);
    let shown = format!("{reader:?}");
    assert!(!shown.contains("s3cret") && !shown.contains("tenant"), "{shown}");
}

#[tokio::test]
async fn a_bad_http_config_file_is_a_refusal_that_names_its_line() {
    let (_folder, file) = configured("follow_redirects: true\noauth2:\n  client_secret: hunter2\n");
    let told = refusal(Reader::new("http://127.0.0.1:9", Some(&file), LIMITS).unwrap().get("/", &[]).await);
    assert!(told.contains("http.yml:2: `oauth2` is not built") && !told.contains("hunter2"), "{told}");
}

#[tokio::test]
async fn a_token_with_a_line_break_inside_is_not_sent() {
    let (folder, file) = configured("authorization:\n  credentials_file: t\n");
    std::fs::write(folder.path().join("t"), "hunter2\nX-Admin: 1").unwrap();
    let told = refusal(Reader::new("http://127.0.0.1:9", Some(&file), LIMITS).unwrap().get("/", &[]).await);
    assert!(told.contains("line break") && !told.contains("hunter2"), "{told}");
}

#[tokio::test]
async fn nothing_secret_goes_to_another_origin_nor_back_from_there() {
    let (home, away) = (MockServer::start().await, MockServer::start().await);
    let to = |server: &MockServer, place: &str| ResponseTemplate::new(302).insert_header("Location", format!("{}{place}", server.uri()));
    Mock::given(path("/start")).respond_with(to(&home, "/near")).mount(&home).await;
    Mock::given(path("/near")).respond_with(to(&away, "/far")).mount(&home).await;
    Mock::given(path("/far")).respond_with(to(&home, "/back")).mount(&away).await;
    Mock::given(path("/back")).respond_with(ResponseTemplate::new(200).set_body_string("here")).mount(&home).await;
    let (_folder, file) = configured("basic_auth: {username: u, password: p}\nhttp_headers: {X-Key: {secrets: [k]}}\n");
    let reader = Reader::new(&home.uri(), Some(&file), LIMITS).unwrap();
    assert_eq!(reader.get("/start", &[]).await.unwrap().bytes, b"here");

    let mut seen = Vec::new();
    for server in [&home, &away] {
        for request in server.received_requests().await.unwrap() {
            let has = |name: &str| request.headers.contains_key(name);
            assert_eq!(has("authorization"), has("x-key"));
            seen.push((request.url.path().to_owned(), has("authorization")));
        }
    }
    let expected = [("/start", true), ("/near", true), ("/back", false), ("/far", false)];
    assert_eq!(seen, expected.map(|(path, sent)| (path.to_owned(), sent)));
}

#[tokio::test]
async fn a_refusal_at_another_origin_says_that_no_credentials_went_along() {
    let (home, away) = (MockServer::start().await, MockServer::start().await);
    let there = ResponseTemplate::new(307).insert_header("Location", away.uri());
    Mock::given(path("/")).respond_with(there).mount(&home).await;
    Mock::given(path("/")).respond_with(ResponseTemplate::new(401)).mount(&away).await;
    let told = refusal(Reader::new(&home.uri(), None, LIMITS).unwrap().get("/", &[]).await);
    assert!(told.contains("estate file"), "{told}");
}

#[tokio::test]
async fn redirects_end_and_may_be_switched_off() {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(302).insert_header("Location", "/again")).mount(&server).await;
    let told = why(Reader::new(&server.uri(), None, LIMITS).unwrap().get("/", &[]).await);
    assert!(told.contains("more than 10 redirects"), "{told}");
    assert_eq!(server.received_requests().await.unwrap().len(), 11);
    let (_folder, file) = configured("follow_redirects: false\n");
    assert_eq!(Reader::new(&server.uri(), Some(&file), LIMITS).unwrap().get("/", &[]).await.unwrap().status, 302);
}

#[tokio::test]
async fn a_redirected_post_says_what_to_do() {
    let server = MockServer::start().await;
    Mock::given(path("/q")).respond_with(ResponseTemplate::new(308).insert_header("Location", "/p")).mount(&server).await;
    Mock::given(path("/p")).and(method("POST")).and(body_string("a=b")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    Mock::given(path("/r")).respond_with(ResponseTemplate::new(302).insert_header("Location", "/p?x=y")).mount(&server).await;
    let reader = Reader::new(&server.uri(), None, LIMITS).unwrap();
    assert_eq!(reader.post_form("/q", &[("a", "b")]).await.unwrap().status, 200);
    let told = why(reader.post_form("/r", &[("a", "b")]).await);
    assert!(told.contains("estate file") && told.contains("/p") && !told.contains("x=y"), "{told}");
}

#[tokio::test]
async fn an_endless_body_ends_at_the_cap() {
    let address = hostile("HTTP/1.1 200 OK\r\n\r\n", async |mut stream| while stream.write_all(&[b'x'; 65536]).await.is_ok() {}).await;
    let told = why(Reader::new(&format!("http://{address}"), None, LIMITS).unwrap().get("/", &[]).await);
    assert!(told.contains("larger than 1048576 bytes"), "{told}");
}

#[tokio::test]
async fn a_gzip_bomb_ends_at_the_cap_while_an_honest_body_comes_whole() {
    let packed = |megabytes: usize| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        for _ in 0..megabytes {
            gzip.write_all(&vec![0; 1 << 20]).unwrap();
        }
        gzip.finish().unwrap()
    };
    let server = MockServer::start().await;
    for (place, megabytes) in [("/honest", 1), ("/bomb", 200)] {
        let body = packed(megabytes);
        assert!(body.len() < LIMITS.body_cap, "it is small on the wire");
        let answer = ResponseTemplate::new(200).set_body_bytes(body).insert_header("Content-Encoding", "gzip");
        Mock::given(path(place)).and(header("accept-encoding", "gzip")).respond_with(answer).mount(&server).await;
    }
    let reader = Reader::new(&server.uri(), None, LIMITS).unwrap();
    assert_eq!(reader.get("/honest", &[]).await.unwrap().bytes.len(), 1 << 20);
    // What is kept is bounded by the cap: the body is cut before a chunk would go over it.
    assert!(why(reader.get("/bomb", &[]).await).contains("larger than"));
}

#[tokio::test]
async fn a_server_that_never_answers_ends_at_the_deadline() {
    let address = hostile("", async |stream| {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let told = why(Reader::new(&format!("http://{address}"), None, HURRIED).unwrap().get("/", &[]).await);
    assert!(told.contains("no answer within 300ms") && told.contains(&address.to_string()), "{told}");
}

#[tokio::test]
async fn a_dripping_body_ends_at_the_deadline() {
    let address = hostile("HTTP/1.1 200 OK\r\n\r\n", async |mut stream| {
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    // Long enough that even a busy machine has the head of the answer by then.
    let limits = Limits { deadline: Duration::from_millis(1500), ..LIMITS };
    let told = why(Reader::new(&format!("http://{address}"), None, limits).unwrap().get("/", &[]).await);
    assert!(told.contains("not complete after 1.5s"), "{told}");
}

#[tokio::test]
async fn a_cut_body_a_closed_port_and_an_unknown_name_are_told_apart() {
    let address = hostile("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", async |stream| drop(stream)).await;
    let told = why(Reader::new(&format!("http://{address}"), None, LIMITS).unwrap().get("/", &[]).await);
    assert!(told.starts_with(&address.to_string()), "{told}");

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let told = why(Reader::new(&format!("http://{closed}"), None, LIMITS).unwrap().get("/", &[]).await);
    assert!(told.contains("connection refused") && told.contains(&closed.to_string()), "{told}");

    let told = why(Reader::new("http://no-such-host.invalid", None, LIMITS).unwrap().get("/", &[]).await);
    assert!(told.contains("no-such-host.invalid is not found"), "{told}");
}

#[test]
fn addresses_that_cannot_serve_are_refused_and_never_repeated() {
    for base in
        ["http://ops:hunter2@prom:9090", "http://ops:hunter2@prom:no", "ftp://ops:hunter2@prom", "hunter2", "http://prom/?t=hunter2"]
    {
        let told = Reader::new(base, None, LIMITS).unwrap_err().to_string();
        assert!(!told.contains("hunter2"), "{told}");
    }
    assert!(matches!(Reader::new("http://ops:pw@prom", None, LIMITS), Err(LinkError::Refused(_))));
}

#[test]
fn a_reader_is_made_without_a_look_at_any_file_or_a_runtime() {
    assert!(Reader::new("https://prom", Some(Path::new("/nowhere/http.yml")), LIMITS).is_ok());
}

#[tokio::test]
async fn hostile_text_in_an_answer_is_cleaned() {
    let address = hostile("HTTP/1.1 200 OK\r\nContent-Type: a/b\tc\r\nContent-Length: 0\r\n\r\n", async |stream| drop(stream)).await;
    let body = Reader::new(&format!("http://{address}"), None, LIMITS).unwrap().get("/", &[]).await.unwrap();
    assert_eq!(body.content_type, "a/b c");
}

#[tokio::test]
async fn polls_share_one_connection_even_while_their_files_are_new() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = accepted.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut request = [0; 4096];
                while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
                }
            });
        }
    });
    let (folder, file) = configured("basic_auth: {username: u, password_file: pw}\n");
    let reader = Reader::new(&base, Some(&file), LIMITS).unwrap();
    for password in ["one", "two", "two"] {
        std::fs::write(folder.path().join("pw"), password).unwrap();
        assert_eq!(reader.get("/", &[]).await.unwrap().bytes, b"ok");
    }
    assert_eq!(accepted.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_proxy_is_used_and_its_refusal_told_without_its_password() {
    let proxy = MockServer::start().await;
    let credentials = header("proxy-authorization", "Basic b3BzOmh1bnRlcjI=");
    Mock::given(credentials).and(path("/ok")).respond_with(ResponseTemplate::new(200)).mount(&proxy).await;
    Mock::given(path("/no")).respond_with(ResponseTemplate::new(407)).mount(&proxy).await;
    let at = proxy.address();
    let (_folder, file) = configured(&format!("proxy_url: http://ops:hunter2@{at}\nno_proxy: direct.invalid\n"));
    let reader = Reader::new("http://behind.invalid", Some(&file), LIMITS).unwrap();
    assert_eq!(reader.get("/ok", &[]).await.unwrap().status, 200);
    let told = refusal(reader.get("/no", &[]).await);
    assert!(told.contains("407") && told.contains("proxy_url") && !told.contains("hunter2"), "{told}");
    // Over TLS the proxy is asked for a tunnel, which this one does not give.
    let told = Reader::new("https://behind.invalid", Some(&file), LIMITS).unwrap().get("/ok", &[]).await.unwrap_err().to_string();
    assert!(told.contains("proxy") && !told.contains("hunter2"), "{told}");
    let direct = Reader::new("http://direct.invalid", Some(&file), LIMITS).unwrap();
    assert!(why(direct.get("/ok", &[]).await).contains("is not found"));
}

#[tokio::test]
async fn large_bodies_are_read_one_at_a_time_and_small_ones_do_not_wait() {
    let server = MockServer::start().await;
    let large = ResponseTemplate::new(200).set_body_bytes(vec![b' '; 3 << 20]);
    Mock::given(method("GET")).and(path("/large")).respond_with(large).mount(&server).await;
    Mock::given(method("GET")).and(path("/small")).respond_with(ResponseTemplate::new(200).set_body_string("ok")).mount(&server).await;
    let limits = Limits { body_cap: 8 << 20, ..LIMITS };
    let mut reader = Reader::new(&server.uri(), None, limits).unwrap();
    reader.large.forget_permits(1); // another large body is being read
    assert_eq!(reader.get("/small", &[]).await.unwrap().bytes, b"ok");
    reader.limits.deadline = HURRIED.deadline;
    let waited = reader.get("/large", &[]).await;
    assert!(matches!(waited, Err(LinkError::Unreachable(_))), "it waits, and no longer than it may");
    reader.limits.deadline = LIMITS.deadline;
    reader.large.add_permits(1);
    let all = futures_util::future::join_all((0..4).map(|_| reader.get("/large", &[]))).await;
    assert!(all.into_iter().all(|body| body.unwrap().bytes.len() == 3 << 20));
}
