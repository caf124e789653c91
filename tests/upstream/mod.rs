//! Servers that mean harm. Each says FAKE in all names: nothing of it is a real Prometheus or Alertmanager.

#![allow(dead_code, reason = "no test file uses all of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

/// What it answers with.
pub enum Reply {
    /// A JSON body.
    Json(String),
    /// A body of another type.
    Page(&'static str, String),
    /// A compressed JSON body.
    Gzip(Arc<Vec<u8>>),
    /// A body that goes on until the other side gives up.
    Endless,
    /// The credentials are refused.
    Refused,
}

/// A page of something that is no such server.
pub fn html(text: &str) -> Reply {
    Reply::Page("text/html", text.to_owned())
}

/// One server, on a loopback port of its own, for as long as the test's process lives.
pub struct Fake {
    at: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// A server that answers each path, without its query, with that.
    pub fn of(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (asked.clone(), Arc::new(answer));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (log, answer) = (log.clone(), answer.clone());
                // Where the other side has gone, as it should, there is nobody to tell.
                thread::spawn(move || serve(connection, &log, &*answer).ok());
            }
        });
        Fake { at, asked }
    }

    /// Its root address.
    pub fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    /// What was asked of it so far: `METHOD /path`.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().filter(|line| !line.starts_with("header ")).cloned().collect()
    }

    /// The headers that came along.
    pub fn headers(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().filter(|line| line.starts_with("header ")).cloned().collect()
    }
}

fn serve(mut connection: TcpStream, log: &Mutex<Vec<String>>, answer: &dyn Fn(&str) -> Reply) -> std::io::Result<()> {
    let mut from = BufReader::new(connection.try_clone()?);
    let mut first = String::new();
    if from.read_line(&mut first)? == 0 {
        return Ok(()); // a connection that was opened and not needed
    }
    let mut length = 0;
    loop {
        let mut header = String::new();
        if from.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        log.lock().unwrap().push(format!("header {}", header.trim()));
    }
    from.take(length).read_to_end(&mut Vec::new())?;
    let mut words = first.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    log.lock().unwrap().push(format!("{method} {path}"));
    let head =
        |status: &str, kind: &str, more: &str| format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\n{more}\r\n");
    let whole = |body: &[u8], more: &str| format!("Content-Length: {}\r\n{more}", body.len());
    match answer(path) {
        Reply::Json(body) => {
            connection.write_all(head("200 OK", "application/json", &whole(body.as_bytes(), "")).as_bytes())?;
            connection.write_all(body.as_bytes())
        }
        Reply::Page(kind, body) => {
            connection.write_all(head("200 OK", kind, &whole(body.as_bytes(), "")).as_bytes())?;
            connection.write_all(body.as_bytes())
        }
        Reply::Gzip(body) => {
            connection.write_all(head("200 OK", "application/json", &whole(&body, "Content-Encoding: gzip\r\n")).as_bytes())?;
            connection.write_all(&body)
        }
        Reply::Refused => {
            let body = b"FAKE says no";
            connection.write_all(head("401 Unauthorized", "text/plain", &whole(body, "")).as_bytes())?;
            connection.write_all(body)
        }
        Reply::Endless => {
            connection.write_all(head("200 OK", "application/json", "Transfer-Encoding: chunked\r\n").as_bytes())?;
            connection.write_all(b"1\r\n[\r\n")?;
            let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
            loop {
                connection.write_all(chunk.as_bytes())?;
            }
        }
    }
}

/// Half a gigabyte of blanks in one compressed body.
pub fn bomb() -> Arc<Vec<u8>> {
    let mut to = GzEncoder::new(Vec::new(), Compression::fast());
    let blanks = vec![b' '; 1 << 20];
    (0..512).for_each(|_| to.write_all(&blanks).unwrap());
    Arc::new(to.finish().unwrap())
}

/// Texts that each would do something to a terminal, or to whoever reads it.
pub const HOSTILE: [&str; 12] = [
    "FAKE\x1b[2J\x1b[5;41mred",
    "FAKE\x1b]52;c;RkFLRQ==\x07clipboard",
    "FAKE\x1b]0;title\x1b\\",
    "FAKE\x1bP+q544e\x1b\\dcs",
    "FAKE\x1b[6n\x1b[c\x1b]11;?\x07answer me",
    "FAKE\u{9b}31m\u{9d}52;c;RkFLRQ==\u{9c}c1",
    "FAKE\u{202e}drow a\u{202c}\u{2066}isolate\u{2069}",
    "FA\u{200b}KE\u{200d}\u{feff}\u{2060}zero\u{ad}width",
    "FAKE\u{7}\u{8}\u{8}\u{7f}back\rover\nline\ttab\u{b}\u{c}",
    "FAKE\u{e0041}\u{e0042}tags\u{fe0f}",
    "FAKE\u{2028}line\u{2029}paragraph",
    "FAKE\u{0}nul\u{1b}",
];

/// Alerts with each of these texts in every place that a server fills, and one with a megabyte of text.
pub fn texts() -> Vec<String> {
    let mut alerts: Vec<String> = HOSTILE.iter().enumerate().map(|(n, text)| alert(text, &format!("{n}{text}"), text)).collect();
    alerts.push(alert("FAKE megabyte", "m", &"FAKE\x1b[5m\u{202e}".repeat(1 << 17)));
    alerts
}

/// One alert of Alertmanager's v2 API, as JSON.
pub fn alert(name: &str, fingerprint: &str, text: &str) -> String {
    json!({
        "fingerprint": fingerprint,
        "labels": {"alertname": name, "severity": "critical", text: text, "service": text},
        "annotations": {"summary": text, "description": text, text: text, "runbook_url": format!("http://FAKE/{text}")},
        "startsAt": "2026-11-01T00:00:00Z", "updatedAt": "2026-11-01T00:00:00Z", "endsAt": "2036-11-01T00:00:00Z",
        "generatorURL": format!("http://FAKE/{text}"),
        "receivers": [{"name": text}],
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []},
    })
    .to_string()
}

/// An Alertmanager with these alerts, that says `name` where it may say anything.
pub fn alertmanager(alerts: Vec<String>, name: &str) -> Fake {
    let alerts = format!("[{}]", alerts.join(","));
    let text = if alerts.contains("\\u001b") { HOSTILE.concat() } else { name.to_owned() };
    Fake::of(move |path| {
        Reply::Json(match path {
            "/api/v2/alerts" => alerts.clone(),
            "/api/v2/status" => json!({
                "versionInfo": {"version": text}, "cluster": {"status": text, "peers": [], "name": text},
                "config": {"original": ""}, "uptime": "2026-11-01T00:00:00Z",
            })
            .to_string(),
            "/api/v2/receivers" => json!([{"name": text}]).to_string(),
            "/api/v2/silences" => json!([{
                "id": text, "status": {"state": "active"}, "updatedAt": "2026-11-01T00:00:00Z",
                "startsAt": "2026-11-01T00:00:00Z", "endsAt": "2036-11-01T00:00:00Z", "createdBy": text, "comment": text,
                "matchers": [{"name": text, "value": text, "isRegex": false, "isEqual": true}],
            }])
            .to_string(),
            _ => "[]".to_owned(),
        })
    })
}

/// An Alertmanager that tells of one alert, and once `more` is set of another with that name.
pub fn grows(more: Arc<AtomicBool>, name: &'static str) -> Fake {
    Fake::of(move |path| {
        Reply::Json(match path {
            "/api/v2/alerts" if more.load(Ordering::SeqCst) => {
                format!("[{},{}]", alert("FAKE-old", "a", "t"), alert(name, "b", "t"))
            }
            "/api/v2/alerts" => format!("[{}]", alert("FAKE-old", "a", "t")),
            "/api/v2/status" => json!({
                "versionInfo": {"version": "FAKE"}, "cluster": {"status": "ready", "peers": [], "name": "FAKE"},
                "config": {"original": ""}, "uptime": "2026-11-01T00:00:00Z",
            })
            .to_string(),
            _ => "[]".to_owned(),
        })
    })
}

/// Series of a query's answer, `point` of the n-th as `"value":[...]` or `"values":[[...]]`.
fn series(count: usize, text: &str, point: impl Fn(usize) -> String) -> String {
    let label = serde_json::to_string(text).unwrap();
    let one = |n: usize| format!("{{\"metric\":{{\"__name__\":\"fake\",\"n\":\"{n}\",{label}:{label}}},{}}}", point(n));
    (0..count).map(one).collect::<Vec<_>>().join(",")
}

/// A Prometheus with so many series in the answer to every query. With hostile alerts all its texts are so.
pub fn prometheus(alerts: Vec<String>, count: usize) -> Fake {
    let text = if alerts.is_empty() { "FAKE".to_owned() } else { HOSTILE.concat() };
    let label = if alerts.is_empty() { "FAKE" } else { HOSTILE[1] };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let data = |kind: &str, result: String| {
        let said = json!([text]);
        format!(
            "{{\"status\":\"success\",\"warnings\":{said},\"infos\":{said},\"data\":{{\"resultType\":\"{kind}\",\"result\":[{result}]}}}}"
        )
    };
    let instant = data("vector", series(count, label, |n| format!("\"value\":[{now},\"{n}\"]")));
    let range = data("matrix", series(count, label, |n| format!("\"values\":[[{},\"{n}\"],[{},\"{n}\"]]", now - 600, now - 300)));
    let alerts = json!({"status": "success", "data": {"alerts": [{
        "labels": {"alertname": text, label: text}, "annotations": {"summary": text}, "state": "pending",
        "activeAt": "2026-11-01T00:00:00Z", "value": "1",
    }]}});
    let rules = json!({"status": "success", "data": {"groups": [{"name": text, "file": text, "rules": [
        {"type": "alerting", "name": text, "health": "err", "lastError": text, "query": text, "alerts": []},
    ]}]}});
    let targets = json!({"status": "success", "data": {"activeTargets": [
        {"labels": {"instance": text}, "health": "down", "lastError": text, "scrapeInterval": "15s", "discoveredLabels": {}},
    ], "droppedTargets": []}});
    let build = json!({"status": "success", "data": {"version": text}});
    Fake::of(move |path| {
        Reply::Json(match path {
            "/api/v1/query" => instant.clone(),
            "/api/v1/query_range" => range.clone(),
            "/api/v1/alerts" => alerts.to_string(),
            "/api/v1/rules" => rules.to_string(),
            "/api/v1/targets" => targets.to_string(),
            _ => build.to_string(),
        })
    })
}
