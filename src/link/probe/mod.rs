//! Knocks at an address: one TCP connection, or one TLS handshake for its certificate. Sends nothing of ours.

mod handshake;
mod witness;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::http::explain::{bare, unreachable};
use super::http::state::State;
use super::http::{LinkError, Miss};
pub use handshake::Handshake;
pub use witness::{Distrust, Time, Verdict};

/// Knocks at one address. A proxy of the `http_config` file is not used: this is about the address itself.
#[derive(Debug)]
pub struct Knocker {
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    http_config: Option<PathBuf>,
    deadline: Duration,
    state: Arc<Mutex<State>>,
}

impl Knocker {
    /// For `host:port`, with the `tls_config` of Prometheus' `http_config` file. Reads no file.
    pub fn new(address: &str, http_config: Option<&Path>, deadline: Duration) -> Result<Knocker, LinkError> {
        let wrong = || unreachable(format!("{address} is no host:port"));
        let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() {
            return Err(wrong());
        }
        Ok(Knocker { host: host.to_owned(), port, http_config: http_config.map(Path::to_owned), deadline, state: Arc::default() })
    }

    /// The address for messages.
    fn at(&self) -> String {
        if self.host.contains(':') { format!("[{}]:{}", self.host, self.port) } else { format!("{}:{}", self.host, self.port) }
    }

    /// Makes a connection and ends it; how long it took to stand.
    pub async fn connect(&self) -> Result<Duration, Miss> {
        let started = Instant::now();
        match tokio::time::timeout(self.deadline, self.stream()).await {
            Ok(Ok(_stream)) => Ok(started.elapsed()),
            Ok(Err(error)) => Err(self.failed(&error)),
            Err(_) => Err(self.late("no connection")),
        }
    }

    async fn stream(&self) -> io::Result<TcpStream> {
        TcpStream::connect((self.host.as_str(), self.port)).await
    }

    fn failed(&self, error: &io::Error) -> Miss {
        Miss::failed(bare(&self.at(), &self.host, error))
    }

    fn late(&self, what: &str) -> Miss {
        Miss::failed(unreachable(format!("{}: {what} within {:?}", self.at(), self.deadline)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_host_and_port() {
        let at = |address: &str| Knocker::new(address, None, Duration::from_secs(1)).map(|known| known.at()).map_err(drop);
        assert_eq!(at("shop.example:443"), Ok("shop.example:443".to_owned()));
        assert_eq!(at("[::1]:443"), Ok("[::1]:443".to_owned()));
        for wrong in ["shop.example", "shop.example:", ":443", "shop.example:0", "shop.example:99999", "[]:1"] {
            assert_eq!(at(wrong), Err(()), "{wrong}");
        }
    }
}
