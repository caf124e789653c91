//! Measures `qd` from the terminal's side, beside a minimal ratatui program in the same run: `cargo bench --bench terminal`.
//!
//! It starts a real Prometheus and a real Alertmanager on loopback, an estate of 20 services, 12 panels and 50 alerts,
//! and prints a Markdown table; then one with 10,000 alerts, and one with 50,000 series besides; before them `qd demo` from nothing. It takes about four minutes.
//! `cargo bench --bench terminal -- history` measures the Deployments pane over 10,000 and over 1,000,000 rows instead; it takes about
//! three. `-- demo` measures `qd demo` alone, `-- memory` the 50,000 series. Absolute numbers differ between machines; the ratios to the minimal program less so.

#![allow(clippy::print_stdout, reason = "its output is the table")]

mod history;
mod minimal;
mod servers;
mod terminal;

use std::time::{Duration, Instant};

use servers::Servers;
use terminal::Terminal;

/// Key presses of one run.
const KEYS: usize = 60;
/// Runs of each measurement; the table shows the median of them.
const RUNS: usize = 5;
/// A bad line, bytes a second.
const SLOW: usize = 2_000;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    if std::env::args().nth(1).as_deref() == Some("minimal") {
        return minimal::run();
    }
    if cfg!(debug_assertions) {
        println!("a debug build says nothing about speed: run `cargo bench --bench terminal`");
        return Ok(());
    }
    println!("| what | median | p99 or worst |\n|---|---|---|");
    if std::env::args().any(|arg| arg == "history") {
        return deployments();
    }
    if std::env::args().any(|arg| arg == "demo") {
        return demo();
    }
    if std::env::args().any(|arg| arg == "memory") {
        return flood();
    }
    demo()?;
    let small = Servers::start(50, 0)?;
    starts(&small, "50 alerts")?;
    idle(&small, "50 alerts")?;
    keys(&small, "50 alerts")?;
    slow(&small)?;
    drop(small);
    let storm = Servers::start(10_000, 0)?;
    starts(&storm, "10,000 alerts")?;
    keys(&storm, "10,000 alerts")?;
    drop(storm);
    flood()
}

/// What it takes where there is very much of all.
fn flood() -> Result<()> {
    let flood = Servers::start(10_000, 50_000)?;
    memory(&flood, "10,000 alerts and 50,000 series")
}

/// The Deployments pane over few and over many rows.
fn deployments() -> Result<()> {
    let few = history::measure(10_000, "10,000")?;
    let many = history::measure(1_000_000, "1,000,000")?;
    println!(
        "| 1,000,000 rows to 10,000: first paint of the list, key, times | {:.2} | {:.2} |",
        many.paint / few.paint,
        many.key / few.key
    );
    Ok(())
}

/// The minimal program, painted.
fn minimal_program() -> Result<Terminal> {
    let me = std::env::current_exe()?;
    let mut minimal = Terminal::start(&[me.as_os_str(), "minimal".as_ref()], std::path::Path::new("/"))?;
    minimal.until("row", Duration::from_secs(10))?;
    Ok(minimal)
}

fn qd(servers: &Servers, line: Option<usize>) -> Result<Terminal> {
    Terminal::behind(line, &[env!("CARGO_BIN_EXE_qd").as_ref(), "--estate".as_ref(), servers.estate.as_os_str()], &servers.home)
}

fn fresh(servers: &Servers) -> Result<Terminal> {
    let mut terminal = qd(servers, None)?;
    terminal.until("2 fresh", Duration::from_secs(30))?;
    Ok(terminal)
}

/// `qd demo` from exec until the Overview has judged the figures of its services: rates need a second reading, and before
/// it the practice estate says that it does not know yet. The database beside them, where PostgreSQL is found, takes its
/// own seconds to be made. Each run has a home of its own.
fn demo() -> Result<()> {
    let mut judged = Vec::new();
    for _ in 0..RUNS {
        let home = tempfile::tempdir()?;
        let started = Instant::now();
        let mut terminal = Terminal::start(&[env!("CARGO_BIN_EXE_qd").as_ref(), "demo".as_ref()], home.path())?;
        for service in ["edge", "web", "store", "clients"] {
            terminal.until(&format!("ok          {service} "), Duration::from_secs(20))?;
        }
        judged.push(ms(started.elapsed()));
        // A practice asks once more before it ends with all its history.
        terminal.send("q")?;
        terminal.until("q again ends", Duration::from_secs(5))?;
        terminal.quit()?;
    }
    println!("| qd demo: exec to a first screen with judged, live figures | {:.0} ms | {:.0} ms |", median(&mut judged), worst(&judged));
    Ok(())
}

/// From exec to the first frame and to fresh data.
fn starts(servers: &Servers, name: &str) -> Result<()> {
    // Twice before measuring, so that the cache holds what an earlier start knew.
    for _ in 0..2 {
        fresh(servers)?.quit()?;
    }
    let (mut paint, mut data) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        // The servers may still be at work for the one before.
        std::thread::sleep(Duration::from_millis(300));
        let started = Instant::now();
        let mut terminal = qd(servers, None)?;
        terminal.until_painted(Duration::from_secs(10))?;
        paint.push(ms(started.elapsed()));
        terminal.until("2 fresh", Duration::from_secs(30))?;
        data.push(ms(started.elapsed()));
        terminal.quit()?;
    }
    println!("| {name}: exec to a full first paint | {:.2} ms | {:.2} ms |", median(&mut paint), worst(&paint));
    println!("| {name}: exec to fresh data | {:.2} ms | {:.2} ms |", median(&mut data), worst(&data));
    Ok(())
}

/// A quiet minute on the Overview, in all runs at once.
fn idle(servers: &Servers, name: &str) -> Result<()> {
    let mut all = (0..RUNS).map(|_| fresh(servers)).collect::<Result<Vec<_>>>()?;
    all.iter_mut().for_each(|terminal| terminal.settle(Duration::from_millis(500)));
    let before = all.iter().map(|terminal| Ok((terminal.cpu_seconds()?, terminal.bytes))).collect::<Result<Vec<_>>>()?;
    all[0].settle(Duration::from_secs(60));
    let (mut bytes, mut cpu) = (Vec::new(), Vec::new());
    for (terminal, (cpu_before, bytes_before)) in all.iter_mut().zip(before) {
        terminal.settle(Duration::ZERO);
        bytes.push((terminal.bytes - bytes_before) as f64);
        cpu.push(terminal.cpu_seconds()? - cpu_before);
    }
    println!("| {name}: bytes in a quiet minute | {:.0} | {:.0} |", median(&mut bytes), worst(&bytes));
    println!("| {name}: CPU seconds in that minute | {:.3} | {:.3} |", median(&mut cpu), worst(&cpu));
    all.into_iter().try_for_each(Terminal::quit)
}

/// From key to changed screen, the minimal program's and ours by turns; and what it all took of memory.
fn keys(servers: &Servers, name: &str) -> Result<()> {
    let (mut base, mut ours, mut memory) = (Keys::default(), Keys::default(), Vec::new());
    for _ in 0..RUNS {
        let mut minimal = minimal_program()?;
        base.run(&mut minimal, "j", "k")?;
        minimal.quit()?;
        let mut terminal = fresh(servers)?;
        terminal.send("2")?;
        terminal.until("SEVERITY", Duration::from_secs(5))?;
        ours.run(&mut terminal, "\x1b[B", "\x1b[A")?;
        memory.push(terminal.peak_memory_mb()?);
        terminal.quit()?;
    }
    let (base, ours) =
        (base.row("minimal ratatui program: key to changed screen"), ours.row(&format!("{name}: key to changed screen (Alerts, Down/Up)")));
    println!("| {name}: that many times the minimal program | {:.2} | {:.2} |", ours.0 / base.0, ours.1 / base.1);
    println!("| {name}: peak memory, MB | {:.1} | {:.1} |", median(&mut memory), worst(&memory));
    Ok(())
}

/// The median and the 99th percentile of each run.
#[derive(Default)]
struct Keys {
    medians: Vec<f64>,
    p99: Vec<f64>,
}

impl Keys {
    fn run(&mut self, terminal: &mut Terminal, first: &str, second: &str) -> Result<()> {
        let mut all = Vec::with_capacity(KEYS);
        for press in 0..KEYS {
            // Out of step with any tick of the program, and while data arrive.
            terminal.settle(Duration::from_millis(20 + (press as u64 * 37) % 60));
            let started = Instant::now();
            terminal.send(if press % 2 == 0 { first } else { second })?;
            terminal.until_changed(Duration::from_secs(5))?;
            all.push(ms(started.elapsed()));
        }
        self.medians.push(median(&mut all));
        self.p99.push(worst(&all));
        Ok(())
    }

    /// Prints the medians over the runs of each run's own figures.
    fn row(mut self, name: &str) -> (f64, f64) {
        let told = (median(&mut self.medians), median(&mut self.p99));
        println!("| {name} | {:.2} ms | {:.2} ms |", told.0, told.1);
        told
    }
}

/// Behind a bad line: from a key to the first visible change, and what a moved selection sends.
fn slow(servers: &Servers) -> Result<()> {
    let mut terminal = qd(servers, Some(SLOW))?;
    terminal.until("2 fresh", Duration::from_secs(60))?;
    terminal.send("2")?;
    terminal.until("SEVERITY", Duration::from_secs(30))?;
    let (mut all, mut bytes) = (Vec::new(), Vec::new());
    for press in 0..KEYS {
        terminal.quiet(Duration::from_millis(150));
        let (before, started) = (terminal.bytes, Instant::now());
        terminal.send(if press % 2 == 0 { "j" } else { "k" })?;
        terminal.until_changed(Duration::from_secs(20))?;
        all.push(ms(started.elapsed()));
        terminal.quiet(Duration::from_millis(150));
        bytes.push((terminal.bytes - before) as f64);
    }
    println!(
        "| behind {SLOW} bytes a second: j/k in Alerts to the first visible change | {:.2} ms | {:.2} ms |",
        median(&mut all),
        worst(&all)
    );
    println!("| bytes that a moved selection sends | {:.0} | {:.0} |", median(&mut bytes), worst(&bytes));
    terminal.quit()
}

/// Peak memory after half a minute.
fn memory(servers: &Servers, name: &str) -> Result<()> {
    let mut terminal = fresh(servers)?;
    terminal.send("3G\r")?;
    terminal.until("of 50,000 series shown", Duration::from_secs(30))?;
    terminal.settle(Duration::from_secs(30));
    println!("| {name}: peak memory, MB | {:.1} | |", terminal.peak_memory_mb()?);
    terminal.send("q")?; // the chart
    terminal.quit()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Sorts them, and gives the one in the middle.
fn median(all: &mut [f64]) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Of those sorted by [`median`], the 99th percentile: of fewer than a hundred the last.
fn worst(sorted: &[f64]) -> f64 {
    sorted[(sorted.len() * 99 / 100).min(sorted.len() - 1)]
}
