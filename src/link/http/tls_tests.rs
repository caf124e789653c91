//! The reader over TLS, with certificates made for each test.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

const LIMITS: Limits = Limits { deadline: Duration::from_secs(20), body_cap: 1 << 20 };

/// A private CA, and a folder with its certificate (`ca.pem`) and a client's (`cert.pem`, `key.pem`).
struct Authority {
    folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Authority { folder: tempfile::tempdir().unwrap(), issuer };
        authority.write("ca.pem", &authority.issuer.pem());
        let (cert, key) = authority.sign(CertificateParams::new(vec!["client".to_owned()]).unwrap());
        authority.write("cert.pem", &cert);
        authority.write("key.pem", &key);
        authority
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn sign(&self, params: CertificateParams) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// A TLS server with a certificate of this CA for these names; `mutual`: it wants a client certificate of this CA.
    async fn serve(&self, params: CertificateParams, mutual: bool) -> String {
        let (cert, key) = self.sign(params);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
        let builder = if mutual {
            let mut roots = RootCertStore::empty();
            roots.add(self.issuer.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let chain = vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()];
        let config = builder.with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut request = [0; 4096];
                    let _ = stream.read(&mut request).await;
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        format!("https://127.0.0.1:{port}")
    }

    async fn ask(&self, base: &str, config: &str) -> Result<Body, LinkError> {
        self.write("http.yml", config);
        Reader::new(base, Some(&self.folder.path().join("http.yml")), LIMITS).unwrap().get("/", &[]).await
    }
}

fn names(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap()
}

const WITH_CA: &str = "tls_config:\n  ca_file: ca.pem\n";

#[tokio::test]
async fn a_private_ca_is_trusted_when_named_and_only_then() {
    let ours = Authority::new("ours");
    let base = ours.serve(names(&["127.0.0.1"]), false).await;
    assert_eq!(ours.ask(&base, WITH_CA).await.unwrap().bytes, b"ok");
    for version in ["TLS12", "TLS13"] {
        let config = format!("{WITH_CA}  min_version: {version}\n  max_version: {version}\n");
        assert_eq!(ours.ask(&base, &config).await.unwrap().bytes, b"ok", "{version}");
    }
    assert_eq!(ours.ask(&base, "tls_config: {insecure_skip_verify: true}\n").await.unwrap().bytes, b"ok");
    let other = Authority::new("other");
    let told = other.ask(&base, WITH_CA).await.unwrap_err().to_string();
    assert!(told.contains("unknown issuer") && told.contains("ca_file"), "{told}");
    let anew = Authority::new("ours").ask(&base, WITH_CA).await.unwrap_err().to_string();
    assert!(anew.contains("made anew") && anew.contains("ca_file"), "{anew}");
    assert!(!told.contains("reqwest") && told.starts_with("127.0.0.1:"), "{told}");
}

#[tokio::test]
async fn a_corrected_ca_file_works_at_the_next_request() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let base = ours.serve(names(&["127.0.0.1"]), false).await;
    ours.write("http.yml", WITH_CA);
    ours.write("ca.pem", &other.issuer.pem());
    let reader = Reader::new(&base, Some(&ours.folder.path().join("http.yml")), LIMITS).unwrap();
    assert!(reader.get("/", &[]).await.unwrap_err().to_string().contains("unknown issuer"));
    ours.write("ca.pem", "no certificate");
    assert!(matches!(reader.get("/", &[]).await, Err(LinkError::Refused(why)) if why.contains("has no certificate")));
    ours.write("ca.pem", &ours.issuer.pem());
    assert_eq!(reader.get("/", &[]).await.unwrap().bytes, b"ok");
}

#[tokio::test]
async fn another_name_is_told_and_server_name_mends_it() {
    let ours = Authority::new("ours");
    let base = ours.serve(names(&["prom.example"]), false).await;
    let told = ours.ask(&base, WITH_CA).await.unwrap_err().to_string();
    assert!(told.contains("another name") && told.contains("prom.example") && told.contains("server_name"), "{told}");
    let config = format!("{WITH_CA}  server_name: prom.example\n");
    assert_eq!(ours.ask(&base, &config).await.unwrap().bytes, b"ok");
}

#[tokio::test]
async fn an_expired_certificate_is_told() {
    let ours = Authority::new("ours");
    let mut params = names(&["127.0.0.1"]);
    params.not_before = rcgen::date_time_ymd(2001, 1, 1);
    params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    let base = ours.serve(params, false).await;
    let told = ours.ask(&base, WITH_CA).await.unwrap_err().to_string();
    assert!(told.contains("has expired"), "{told}");
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_one_is_wanted() {
    let ours = Authority::new("ours");
    let base = ours.serve(names(&["127.0.0.1"]), true).await;
    let config = format!("{WITH_CA}  cert_file: cert.pem\n  key_file: key.pem\n");
    assert_eq!(ours.ask(&base, &config).await.unwrap().bytes, b"ok");
    match ours.ask(&base, WITH_CA).await {
        Err(LinkError::Refused(told)) => assert!(told.contains("client certificate") && told.contains("it wants one"), "{told}"),
        other => panic!("{other:?}"),
    }
    ours.write("key.pem", "hunter2");
    let told = ours.ask(&base, &config).await.unwrap_err().to_string();
    assert!(told.contains("key.pem") && told.contains("private key") && !told.contains("hunter2"), "{told}");
}

#[tokio::test]
async fn a_redirect_to_another_origin_shows_it_no_client_certificate() {
    let ours = Authority::new("ours");
    let mutual = ours.serve(names(&["127.0.0.1"]), true).await;
    let home = wiremock::MockServer::start().await;
    let there = wiremock::ResponseTemplate::new(302).insert_header("Location", mutual.as_str());
    wiremock::Mock::given(wiremock::matchers::path("/")).respond_with(there).mount(&home).await;
    let config = format!("{WITH_CA}  cert_file: cert.pem\n  key_file: key.pem\n");
    assert!(matches!(ours.ask(&home.uri(), &config).await, Err(LinkError::Refused(why)) if why.contains("it wants one")));
}

#[tokio::test]
async fn a_server_without_tls_is_told() {
    let ours = Authority::new("ours");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        }
    });
    let told = ours.ask(&base, WITH_CA).await.unwrap_err().to_string();
    assert!(told.contains("http://"), "{told}");
}
