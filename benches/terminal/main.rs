//! Measures `qd` from the terminal's side, beside a minimal ratatui program in the same run: `cargo bench --bench terminal`.
//!
//! It starts a real Prometheus and a real Alertmanager on loopback, an estate of 20 services, 12 panels and 50 alerts,
//! and prints a Markdown table. Absolute numbers differ between machines; the ratios to the minimal program less so.

#![allow(clippy::print_stdout, reason = "its output is the table")]

mod minimal;
mod servers;
mod terminal;

use std::time::{Duration, Instant};

use servers::Servers;
use terminal::Terminal;

const KEYS: usize = 200;
const PAINTS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().nth(1).as_deref() == Some("minimal") {
        return minimal::run();
    }
    if cfg!(debug_assertions) {
        println!("a debug build says nothing about speed: run `cargo bench --bench terminal`");
        return Ok(());
    }
    println!("| what | median | p99 or worst |\n|---|---|---|");
    let me = std::env::current_exe()?;
    let minimal = || Terminal::start(&[me.as_os_str(), "minimal".as_ref()], std::path::Path::new("/"));
    let base = key_latency(&mut minimal()?, "row", "j", "k")?;
    row("minimal ratatui program: key to changed screen", &base);

    let small = Servers::start(50)?;
    measure(&small, "50 alerts", true)?;
    drop(small);
    let storm = Servers::start(10_000)?;
    measure(&storm, "10,000 alerts", false)?;
    Ok(())
}

fn measure(servers: &Servers, name: &str, idle: bool) -> Result<(), Box<dyn std::error::Error>> {
    let qd = || Terminal::start(&[env!("CARGO_BIN_EXE_qd").as_ref(), "--estate".as_ref(), servers.estate.as_os_str()], &servers.home);
    // Twice before measuring, so that the cache holds what an earlier start knew.
    for _ in 0..2 {
        let mut terminal = qd()?;
        terminal.until("2 fresh", Duration::from_secs(30))?;
        terminal.quit()?;
    }
    let (mut paint, mut fresh) = (Vec::new(), Vec::new());
    for _ in 0..PAINTS {
        let started = Instant::now();
        let mut terminal = qd()?;
        terminal.until_painted(Duration::from_secs(10))?;
        paint.push(started.elapsed());
        terminal.until("2 fresh", Duration::from_secs(30))?;
        fresh.push(started.elapsed());
        terminal.quit()?;
    }
    row(&format!("{name}: exec to a full first paint"), &paint);
    row(&format!("{name}: exec to fresh data"), &fresh);

    let mut terminal = qd()?;
    terminal.until("2 fresh", Duration::from_secs(30))?;
    if idle {
        terminal.settle(Duration::from_secs(2));
        let (cpu, bytes) = (terminal.cpu_seconds()?, terminal.bytes);
        terminal.settle(Duration::from_secs(60));
        println!("| {name}: bytes in a quiet minute | {} | |", terminal.bytes - bytes);
        println!("| {name}: CPU seconds in that minute | {:.3} | |", terminal.cpu_seconds()? - cpu);
    }
    terminal.send("2")?;
    terminal.until("SEVERITY", Duration::from_secs(5))?;
    let keys = key_latency(&mut terminal, "SEVERITY", "\x1b[B", "\x1b[A")?;
    row(&format!("{name}: key to changed screen (Alerts, Down/Up)"), &keys);
    println!("| {name}: peak memory, MB | {:.1} | |", terminal.peak_memory_mb()?);
    terminal.quit()?;
    Ok(())
}

fn key_latency(terminal: &mut Terminal, ready: &str, first: &str, second: &str) -> Result<Vec<Duration>, Box<dyn std::error::Error>> {
    terminal.until(ready, Duration::from_secs(10))?;
    let mut all = Vec::with_capacity(KEYS);
    for press in 0..KEYS {
        // Out of step with any tick of the program, and while data arrive.
        terminal.settle(Duration::from_millis(20 + (press as u64 * 37) % 60));
        let started = Instant::now();
        terminal.send(if press % 2 == 0 { first } else { second })?;
        terminal.until_changed(Duration::from_secs(5))?;
        all.push(started.elapsed());
    }
    Ok(all)
}

fn row(name: &str, all: &[Duration]) {
    let mut ms: Vec<f64> = all.iter().map(|d| d.as_secs_f64() * 1_000.0).collect();
    ms.sort_by(f64::total_cmp);
    let p99 = ms[(ms.len() * 99 / 100).min(ms.len() - 1)];
    println!("| {name} | {:.2} ms | {p99:.2} ms |", ms[ms.len() / 2]);
}
