//! What an `http_config` file may say, and that nothing it hides is ever shown.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<HttpConfig, Vec<Problem>> {
    parse(Path::new("conf/http.yml"), text)
}

fn problems(text: &str) -> Vec<Problem> {
    read(text).unwrap_err()
}

fn file(path: &str) -> SecretRef {
    SecretRef::File(PathBuf::from(path))
}

#[test]
fn an_empty_file_is_the_defaults() {
    for text in ["", "# only a comment\n", "---\n", "{}"] {
        let config = read(text).unwrap();
        assert_eq!((config.auth, config.follow_redirects, config.http2), (Auth::None, true, true), "{text:?}");
    }
}

#[test]
fn every_built_key_is_read_and_relative_paths_start_at_the_files_folder() {
    let config = read(
        "basic_auth:\n  username: 007\n  password_file: pw\n\
         tls_config:\n  ca_file: /etc/ca.pem\n  cert_file: c.pem\n  key: \"-----\"\n  server_name: am\n  insecure_skip_verify: true\n  min_version: TLS13\n\
         proxy_url: http://u:hunter2@proxy:3128\nno_proxy: 10.0.0.0/8\n\
         http_headers:\n  X-Org:\n    values: [a]\n    secrets: [b]\n    files: [h]\n\
         follow_redirects: false\nenable_http2: false\n",
    )
    .unwrap();
    let Auth::Basic { username, password } = &config.auth else { panic!("{config:?}") };
    // Leading zeros stay: a name is text whatever it looks like.
    assert_eq!(username, &Some(SecretRef::Inline(Secret::new("007"))));
    assert_eq!(password, &Some(file("conf/pw")));
    assert_eq!(config.tls.ca, Some(file("/etc/ca.pem")));
    assert_eq!(config.tls.client.as_ref().unwrap().0, file("conf/c.pem"));
    assert_eq!((config.tls.min, config.tls.max), (TlsVersion::Tls13, TlsVersion::Tls13));
    assert!(config.tls.insecure_skip_verify && config.tls.server_name.as_deref() == Some("am"));
    assert!(matches!(&config.proxy, Proxy::Url { no_proxy: Some(hosts), .. } if hosts == "10.0.0.0/8"));
    assert_eq!(config.headers[0].values.len(), 3);
    assert!(!config.follow_redirects && !config.http2);
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn authorization_defaults_to_bearer_and_the_old_bearer_token_is_the_same() {
    let token = |credentials| Auth::Token { scheme: "Bearer".to_owned(), credentials };
    assert_eq!(read("authorization:\n  credentials_file: t\n").unwrap().auth, token(file("conf/t")));
    assert_eq!(read("bearer_token_file: t\n").unwrap().auth, token(file("conf/t")));
    assert!(problems("authorization:\n  type: Basic\n  credentials: x\n")[0].what.contains("basic"));
    assert!(problems("authorization:\n  type: Bearer\n")[0].what.contains("no credentials"));
}

#[test]
fn two_kinds_of_auth_and_oauth2_are_refused_at_their_lines() {
    let both = problems("basic_auth:\n  username: a\nauthorization:\n  credentials: b\n");
    assert_eq!((both.len(), both[0].place.line), (1, 3));
    assert!(both[0].what.contains("basic_auth") && both[0].what.contains("authorization"));
    let oauth = problems("follow_redirects: true\noauth2:\n  client_id: x\n  client_secret: hunter2\n");
    assert_eq!((oauth.len(), oauth[0].place.line), (1, 2));
    assert!(oauth[0].what.contains("`oauth2` is not built"), "{}", oauth[0]);
}

#[test]
fn an_unknown_key_has_its_line_and_a_near_key() {
    let found = problems("basic_auth:\n  username: ops\n  pasword_file: pw\n");
    assert_eq!((found[0].place.line, found[0].place.column), (3, 3));
    assert_eq!(found[0].what, "unknown key `pasword_file`");
    assert_eq!(found[0].hint.as_deref(), Some("did you mean `password_file`?"));
}

#[test]
fn no_problem_shows_a_secret() {
    for text in [
        "basic_auth:\n  pasword: hunter2\n",
        "basic_auth: hunter2\n",
        "basic_auth: {pasword: hunter2}\n",
        "basic_auth: [hunter2]\n",
        "basic_auth:\n  password: [hunter2]\n",
        "basic_auth:\n  password: hunter2\n  password: hunter2\n",
        "basic_auth:\n  password: hunter2\n  password_file: hunter\n",
        "basic_auth:\n  password: \"hunter2\n",
        "authorization:\n  credentials: *hunter2\n",
        "tls_config:\n  key: |\n    hunter2\n  cert: |\n    hunter2\n  nme: hunter2\n",
        "follow_redirects: hunter2\n",
        "http_headers:\n  X:\n    secrets: hunter2\n",
        "http_headers:\n  X: hunter2\n",
        "http_headers: {X: {secrets: [hunter2], oops: 1}}\n",
        "proxy_url: socks5://ops:hunter2@proxy\n",
        "oauth2: {client_secret: hunter2}\n",
    ] {
        // A switch's wrong value is no secret, and is shown.
        if text.starts_with("follow_redirects") {
            assert!(problems(text)[0].to_string().contains("true or false"), "{}", problems(text)[0]);
            continue;
        }
        for problem in problems(text) {
            assert!(!problem.to_string().contains("hunter2"), "{problem}");
            assert!(!format!("{problem:?}").contains("hunter2"), "{problem:?}");
        }
    }
}

#[test]
fn what_prometheus_refuses_is_refused() {
    for (text, part) in [
        ("tls_config:\n  cert_file: a\n", "the key is missing"),
        ("tls_config:\n  ca: a\n  ca_file: b\n", "`ca` and `ca_file`"),
        ("tls_config:\n  max_version: TLS11\n", "speaks TLS 1.2"),
        ("tls_config:\n  min_version: SSL3\n", "not a TLS version"),
        ("no_proxy: a\n", "without a `proxy_url`"),
        ("proxy_from_environment: true\nproxy_url: http://p\n", "both given"),
        ("proxy_url: http://p\nproxy_connect_header:\n  A: [b]\n", "not built"),
        ("http_headers:\n  Authorization:\n    values: [a]\n", "may not be set"),
        ("http_headers:\n  X:\n    values: [\"a\\r\\nb\"]\n", "line break"),
        ("basic_auth:\n  password_ref: vault\n", "secret manager"),
        ("follow_redirects: true\nfollow_redirects: true\n", "second time"),
    ] {
        let found = problems(text);
        assert!(found.iter().any(|problem| problem.what.contains(part)), "{text}: {}", found[0]);
    }
}

#[test]
fn a_file_that_is_not_there_is_a_problem_with_a_hint() {
    let found = load(Path::new("/nowhere/at/all.yml")).unwrap_err();
    assert!(found[0].what.contains("cannot be read"), "{}", found[0]);
}

proptest! {
    #[test]
    fn any_text_gives_a_configuration_or_problems(text in "\\PC{0,200}") {
        if let Err(problems) = read(&text) { prop_assert!(!problems.is_empty()); }
    }

    #[test]
    fn any_yaml_like_text_gives_a_configuration_or_problems(
        lines in prop::collection::vec(
            ("( |  |    |\t|- )?", "(basic_auth|password|tls_config|ca|http_headers|X|values|oauth2|type|<<|\\?|&a|\\*a|[a-zé]{1,4})",
             "(:|: |:\\n|)", "(\\[|\\]|\\{|\\}|\"|'|\\||>|&a|\\*a|true|null|~|1e999|!!binary x|é|[a-z]{0,4})"), 0..12),
    ) {
        let text: String = lines.iter().map(|(a, b, c, d)| format!("{a}{b}{c}{d}\n")).collect();
        if let Err(problems) = read(&text) {
            for problem in &problems { let _ = problem.to_string(); }
            prop_assert!(!problems.is_empty());
        }
    }
}
