//! The people: one process that asks each site's edge for orders at a steady pace, and counts what it gets.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval};

use crate::link::http::{Limits, Reader};

use super::LabError;
use super::edge::{Fields, asked};
use super::page::{Format, Identity, Page, Requests};
use super::serve::{Duty, pages};

/// The file that says who asks whom how often, in the clients' folder. It is read again once a second.
pub const TARGETS: &str = "targets";
/// The file that says whom to trust, where the edges speak TLS, from the clients' folder.
const TRUST: &str = "../certificate/trust.yml";
/// How often the targets are read again.
const LOOK: Duration = Duration::from_secs(1);
/// One step of the pace.
const TICK: Duration = Duration::from_millis(25);
/// How long a person waits.
const PATIENCE: Duration = Duration::from_secs(8);
/// As many requests may be under way: where all are slow, the next people turn away.
const CROWD: usize = 200;
/// Every so many requests one writes.
const WRITES: u64 = 4;
/// As many orders there are, so that the disk does not fill.
const ORDERS: u64 = 20;
/// So many orders back is what is read: long written, even where the store is slow.
const BACK: u64 = 4;

struct Clients {
    identity: Identity,
    requests: Requests,
    crowd: Arc<Semaphore>,
}

/// One line of the targets: a site, its address, and requests per second.
#[derive(Debug, Clone, PartialEq)]
struct Target {
    site: String,
    address: String,
    per_second: f64,
}

/// A target with what was done for it.
struct Stream {
    target: Target,
    reader: Arc<Reader>,
    sent: u64,
    /// Requests that are due; a fraction stays for the next step.
    due: f64,
}

/// Makes the load that the targets want.
pub async fn run(duty: &Duty) -> Result<(), LabError> {
    let clients = Arc::new(Clients {
        identity: Identity::new(env!("CARGO_PKG_VERSION")),
        requests: Requests::by("client", "site"),
        crowd: Arc::new(Semaphore::new(CROWD)),
    });
    let router = Router::new().route("/healthz", get("ok")).route("/metrics", get(metrics)).with_state(clients.clone());
    tokio::try_join!(pages(&duty.listen, router), clients.ask(&duty.home)).map(|_| ())
}

async fn metrics(State(clients): State<Arc<Clients>>, headers: HeaderMap) -> Response {
    let format = Format::wanted(&headers);
    let mut page = Page::new(format);
    clients.identity.write(&mut page);
    clients.requests.write(&mut page);
    (format.header(), page.finish()).into_response()
}

impl Clients {
    async fn ask(self: &Arc<Clients>, home: &Path) -> Result<(), LabError> {
        let (file, trust) = (home.join(TARGETS), home.join(TRUST));
        let (mut streams, mut looked): (Vec<Stream>, Option<Instant>) = (Vec::new(), None);
        let mut pace = interval(TICK);
        // After a sleep of the machine there is no burst.
        pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            pace.tick().await;
            if looked.is_none_or(|then| then.elapsed() >= LOOK) {
                looked = Some(Instant::now());
                // A file that is gone or wrong for a moment changes nothing.
                if let Some(targets) = fs::read_to_string(&file).ok().and_then(|text| targets(&text)) {
                    take_up(&mut streams, targets, &trust);
                }
            }
            for stream in &mut streams {
                stream.due += stream.target.per_second * TICK.as_secs_f64();
                while stream.due >= 1.0 {
                    stream.due -= 1.0;
                    stream.sent += 1;
                    self.send(stream);
                }
            }
        }
    }

    /// One person's request, on a task of its own: a slow answer does not make the next person wait.
    fn send(self: &Arc<Clients>, stream: &Stream) {
        let Ok(place) = self.crowd.clone().try_acquire_owned() else { return };
        let (clients, reader, site, number) = (self.clone(), stream.reader.clone(), stream.target.site.clone(), stream.sent);
        tokio::spawn(async move {
            let start = Instant::now();
            // The first requests write, so that there is something to read.
            let writes = number < BACK * WRITES || number.is_multiple_of(WRITES);
            let order = if writes { number / WRITES } else { number / WRITES - BACK };
            let path = format!("/orders/order-{}", order % ORDERS);
            let form = writes.then(|| Fields::from([("text".to_owned(), format!("{number} tins of varnish"))]));
            let method = if writes { "POST" } else { "GET" };
            let code = asked(&reader, &path, form.as_ref()).await.map_or(0, |body| body.status);
            clients.requests.add(&site, method, code, start.elapsed());
            drop(place);
        });
    }
}

/// Makes the streams the ones that are wanted; one whose target is as before goes on.
fn take_up(streams: &mut Vec<Stream>, targets: Vec<Target>, trust: &Path) {
    if streams.iter().map(|stream| &stream.target).eq(&targets) {
        return;
    }
    let trust: Option<PathBuf> = trust.exists().then(|| trust.to_owned());
    let limits = Limits { deadline: PATIENCE, body_cap: 64 << 10 };
    let sent = |site: &str| streams.iter().find(|stream| stream.target.site == site).map_or(0, |stream| stream.sent);
    *streams = targets
        .into_iter()
        .filter_map(|target| {
            let reader = Reader::new(&target.address, trust.as_deref(), limits).ok()?;
            Some(Stream { sent: sent(&target.site), reader: Arc::new(reader), due: 0.0, target })
        })
        .collect();
}

/// `SITE ADDRESS PER_SECOND` in each line; `None` where a line is something else.
fn targets(text: &str) -> Option<Vec<Target>> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let [site, address, pace] = line.split_whitespace().collect::<Vec<_>>()[..] else { return None };
            let per_second = pace.parse().ok().filter(|pace| (0.0..=1_000.0).contains(pace))?;
            Some(Target { site: site.to_owned(), address: address.to_owned(), per_second })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_lines_of_three_words() {
        let text = "# who asks whom\nnorth http://127.0.0.1:1 8\n\nsouth http://127.0.0.1:2 0.5\n";
        let read = targets(text).unwrap();
        assert_eq!(read.iter().map(|t| (t.site.as_str(), t.per_second)).collect::<Vec<_>>(), [("north", 8.0), ("south", 0.5)]);
        for wrong in ["north http://127.0.0.1:1", "north a b", "north a -1", "north a NaN", "north a 1 2"] {
            assert_eq!(targets(wrong), None, "{wrong}");
        }
    }
}
