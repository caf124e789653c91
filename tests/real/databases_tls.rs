//! A real PostgreSQL over TLS: each `sslmode` does what libpq's does.

use std::time::Duration;

use quarterdeck::link::http::LinkError;
use quarterdeck::link::postgres::Node;

use crate::postgres::{Pair, have_postgres};

/// Whether the connection is encrypted, as the server says.
async fn encrypted(conninfo: &str) -> Result<bool, LinkError> {
    let session = Node::new(conninfo, Duration::from_secs(10))?.open().await?;
    let rows = session.rows("select ssl from pg_stat_ssl where pid = pg_backend_pid()").await?;
    Ok(rows == [vec![Some("t".to_owned())]])
}

#[tokio::test(flavor = "multi_thread")]
async fn sslmode_is_kept_and_a_certificate_is_judged_where_it_says_so() {
    if !have_postgres("sslmode_is_kept_and_a_certificate_is_judged_where_it_says_so") {
        return;
    }
    let pair = Pair::start();
    let node = pair.a.node("qd");
    assert!(!encrypted(&node).await.unwrap(), "`prefer` goes on where the server has no TLS");
    let told = encrypted(&format!("{node} sslmode=require")).await.unwrap_err().to_string();
    assert!(told.contains("TLS"), "{told}");

    let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    pair.give("key.pem", &own.signing_key.serialize_pem());
    for (name, text) in [("own.pem", own.cert.pem()), ("other.pem", other.cert.pem())] {
        std::fs::write(pair.path(name), text).unwrap();
    }
    let (cert, key) = (pair.path("own.pem"), pair.path("key.pem"));
    pair.a.configure(&format!("ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\n", cert.display(), key.display()));
    pair.a.reload();
    let with = |more: &str| format!("{node} {more}");
    let trusted = |file: &str| with(&format!("sslmode=verify-full sslrootcert={}", pair.path(file).display()));
    let deadline = std::time::Instant::now() + crate::servers::PATIENCE;
    while !encrypted(&with("sslmode=prefer")).await.unwrap() {
        assert!(std::time::Instant::now() < deadline, "the server never took its certificate");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(encrypted(&with("sslmode=require")).await.unwrap());
    assert!(!encrypted(&with("sslmode=disable")).await.unwrap());
    assert!(encrypted(&trusted("own.pem")).await.unwrap(), "the root that is named");
    let told = encrypted(&trusted("other.pem")).await.unwrap_err().to_string();
    assert!(told.contains("certificate"), "{told}");
    let name = trusted("own.pem").replace("host=127.0.0.1", "host=localhost");
    let told = encrypted(&name).await.unwrap_err().to_string();
    assert!(told.contains("certificate") || told.contains("name"), "another name than the certificate's: {told}");
    // `verify-ca` takes any name, and not any authority.
    let ca = |file: &str| trusted(file).replace("host=127.0.0.1", "host=localhost").replace("verify-full", "verify-ca");
    assert!(encrypted(&ca("own.pem")).await.unwrap(), "the name is not looked at");
    let told = encrypted(&ca("other.pem")).await.unwrap_err().to_string();
    assert!(told.contains("certificate"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_is_shown_and_its_key_must_be_closed_to_others() {
    if !have_postgres("a_client_certificate_is_shown_and_its_key_must_be_closed_to_others") {
        return;
    }
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
    let pair = Pair::start();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "authority");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let signed = |names: &[&str], common: &str| {
        let mut params = CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(DnType::CommonName, common);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &authority).unwrap().pem(), key.serialize_pem())
    };
    let (server, client) = (signed(&["127.0.0.1"], "server"), signed(&[], "qd"));
    pair.give("server.key", &server.1);
    for (name, text) in [("ca.pem", authority.pem()), ("server.pem", server.0), ("client.pem", client.0), ("client.key", client.1)] {
        std::fs::write(pair.path(name), text).unwrap();
    }
    let path = |name: &str| pair.path(name).display().to_string();
    pair.a.configure(&format!(
        "ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\nssl_ca_file = '{}'\n",
        path("server.pem"),
        path("server.key"),
        path("ca.pem")
    ));
    pair.a.admit("hostssl all qd 127.0.0.1/32 cert\nhostnossl all qd 127.0.0.1/32 reject\n");
    pair.a.stop("fast");
    pair.a.start();
    let plain = format!("{} sslmode=verify-full sslrootcert={}", pair.a.node("qd"), path("ca.pem"));
    let told = encrypted(&plain).await.unwrap_err();
    assert!(matches!(told, LinkError::Refused(_)) && told.to_string().contains("certificate"), "{told}");
    let shown = format!("{plain} sslcert={} sslkey={}", path("client.pem"), path("client.key"));
    std::fs::set_permissions(path("client.key"), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let told = encrypted(&shown).await.unwrap_err().to_string();
    assert!(told.contains("client.key can be read by others"), "{told}");
    std::fs::set_permissions(path("client.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert!(encrypted(&shown).await.unwrap());
}
