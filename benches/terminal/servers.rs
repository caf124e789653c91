//! A real Prometheus and a real Alertmanager on loopback, and an estate over them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Both servers, ended when dropped.
pub struct Servers {
    children: Vec<Child>,
    folder: tempfile::TempDir,
    /// The estate file.
    pub estate: PathBuf,
    /// A home folder for the program that is measured.
    pub home: PathBuf,
}

impl Servers {
    /// Starts both, with so many alerts, and so many series of a page that Prometheus reads.
    pub fn start(alerts: usize, series: usize) -> Result<Servers> {
        let folder = tempfile::tempdir()?;
        let at = |name: &str| folder.path().join(name);
        let (prometheus, alertmanager) = (free_port()?, free_port()?);
        std::fs::write(at("am.yml"), "route: {receiver: none}\nreceivers: [{name: none}]\n")?;
        let mut own = format!(
            "global: {{scrape_interval: 5s}}\nscrape_configs:\n- {{job_name: prometheus, static_configs: [{{targets: ['127.0.0.1:{prometheus}']}}]}}\n"
        );
        if series > 0 {
            let page = serve_page(series)?;
            own += &format!("- {{job_name: many, static_configs: [{{targets: ['127.0.0.1:{page}']}}]}}\n");
        }
        std::fs::write(at("prom.yml"), own)?;
        let run = |program: &str, args: &[String]| {
            Command::new(program).args(args).current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
        };
        let children = vec![
            run(
                "prometheus",
                &[
                    format!("--config.file={}", at("prom.yml").display()),
                    "--storage.tsdb.path=data".into(),
                    format!("--web.listen-address=127.0.0.1:{prometheus}"),
                ],
            )?,
            run(
                "prometheus-alertmanager",
                &[
                    format!("--config.file={}", at("am.yml").display()),
                    "--storage.path=am".into(),
                    format!("--web.listen-address=127.0.0.1:{alertmanager}"),
                    "--cluster.listen-address=".into(),
                ],
            )?,
        ];
        let home = at("home");
        std::fs::create_dir(&home)?;
        let estate = at("estate.toml");
        std::fs::write(&estate, estate_text(prometheus, alertmanager, series > 0))?;
        let servers = Servers { children, estate, home, folder };
        for port in [prometheus, alertmanager] {
            let end = Instant::now() + Duration::from_secs(20);
            while !http(port, "GET", "/-/ready", "").is_ok_and(|answer| answer.contains(" 200 ")) {
                if Instant::now() > end {
                    return Err(format!("port {port} never became ready in {}", servers.folder.path().display()).into());
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        for from in (0..alerts).step_by(500) {
            let some: Vec<String> = (from..alerts.min(from + 500)).map(alert).collect();
            http(alertmanager, "POST", "/api/v2/alerts", &format!("[{}]", some.join(",")))?;
        }
        let end = Instant::now() + Duration::from_secs(30);
        let counted = format!("\"{series}\"");
        while series > 0 && !http(prometheus, "GET", "/api/v1/query?query=count(bench_series)", "")?.contains(&counted) {
            if Instant::now() > end {
                return Err("Prometheus never had all series".into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(servers)
    }
}

/// A page of so many series, served until the process ends.
fn serve_page(series: usize) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let mut page = String::from("# TYPE bench_series gauge\n");
    for i in 0..series {
        page += &format!("bench_series{{host=\"host-{i}\",zone=\"zone-{}\"}} {i}\n", i % 10);
    }
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let _ = stream.read(&mut [0; 4_096]);
            let head = format!("HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\r\n", page.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(page.as_bytes()));
        }
    });
    Ok(port)
}

impl Drop for Servers {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn alert(i: usize) -> String {
    let severity = ["critical", "warning", "warning", "info"][i % 4];
    format!(
        r#"{{"labels":{{"alertname":"Alert{}","severity":"{severity}","service":"service-{}","site":"fra1","instance":"host-{i}:9100","job":"node","team":"team-{}"}},"annotations":{{"summary":"host-{i} is not well","runbook_url":"https://runbooks.example/{i}"}},"endsAt":"2099-01-01T00:00:00Z"}}"#,
        i % 23,
        i % 20,
        i % 7
    )
}

fn estate_text(prometheus: u16, alertmanager: u16, many: bool) -> String {
    let mut text = format!(
        "version = 1\n[estate]\nname = \"bench\"\nenvironment = \"test\"\n[[site]]\nname = \"fra1\"\nrole = \"primary\"\n\
         [[source]]\nname = \"prom\"\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:{prometheus}\"\nevery = \"5s\"\n\
         [[source]]\nname = \"alerts\"\nkind = \"alertmanager\"\nurls = [\"http://127.0.0.1:{alertmanager}\"]\nevery = \"5s\"\n"
    );
    for i in 0..20 {
        text += &format!("[[service]]\nname = \"service-{i}\"\n");
    }
    for i in 0..12 {
        text += &format!(
            "[[panel]]\nname = \"panel-{i}\"\nservice = \"service-{i}\"\nsource = \"prom\"\nquery = 'rate(prometheus_http_requests_total[$window]) + {i}'\nwarn = 1000\ncritical = 2000\n"
        );
    }
    if many {
        text += "[[panel]]\nname = \"many\"\nservice = \"service-0\"\nsource = \"prom\"\nquery = 'bench_series'\n";
    }
    text
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn http(port: u16, method: &str, path: &str, body: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
