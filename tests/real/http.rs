//! The few HTTP requests with which a test moves a real server: one request per connection, so that it needs no client.

use std::io::{Error, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The user that servers with a password know.
pub const USER: &str = "qd";
/// That user's password.
pub const PASSWORD: &str = "open sesame";
/// [`PASSWORD`] as bcrypt, cost 4: what `--web.config.file` wants.
pub const BCRYPT: &str = "$2b$04$qdTestSaltqdTestSaltq.ydeXUHMknHCmwNbUY8ndEVrUmwWtnmS";
/// [`USER`] and [`PASSWORD`] as `Authorization: Basic` wants them.
const BASIC: &str = "cWQ6b3BlbiBzZXNhbWU=";

/// The status and body of one request to a server on loopback. The password is always sent; servers without one ignore it.
pub fn request(port: u16, method: &str, path: &str, body: Option<&str>) -> Result<(u16, String), Error> {
    request_at(SocketAddr::from(([127, 0, 0, 1], port)), method, path, body)
}

/// The same, to a server anywhere.
pub fn request_at(address: SocketAddr, method: &str, path: &str, body: Option<&str>) -> Result<(u16, String), Error> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let body = body.unwrap_or_default();
    // HTTP/1.0: the server answers without chunks and closes.
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nAuthorization: Basic {BASIC}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    status.zip(body).ok_or_else(|| Error::other(format!("no HTTP answer: {answer:?}")))
}

/// GET that must answer 200 with JSON; `None` while it does not.
pub fn get(port: u16, path: &str) -> Option<serde_json::Value> {
    match request(port, "GET", path, None) {
        Ok((200, body)) => serde_json::from_str(&body).ok(),
        _ => None,
    }
}

/// POST of JSON that must be taken.
pub fn post(port: u16, path: &str, body: &serde_json::Value) -> String {
    let (status, answer) = request(port, "POST", path, Some(&body.to_string())).expect("the server takes a request");
    assert_eq!(status, 200, "POST {path}: {answer}");
    answer
}
