//! A deploy log of so many lines, and the Deployments pane over it: first paint, the last row, keys there, filters, memory.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Keys, RUNS, Result, median, minimal_program, ms, worst};
use crate::terminal::Terminal;

/// Lines in which the searched word stands.
const HITS: [usize; 3] = [1, 5, 9];
/// The word.
const NEEDLE: &str = "kingfisher";

/// An estate with one deploy log.
pub struct Log {
    folder: tempfile::TempDir,
}

impl Log {
    /// Writes a log of so many lines, ten minutes between two of them.
    pub fn write(rows: usize) -> Result<Log> {
        let folder = tempfile::tempdir()?;
        let mut log = BufWriter::new(std::fs::File::create(folder.path().join("deploys.jsonl"))?);
        let newest = jiff::Timestamp::now().as_second() - 60;
        for i in 0..rows {
            let at = jiff::Timestamp::from_second(newest - (rows - 1 - i) as i64 * 600)?;
            let result = if i % 23 == 0 { "failed" } else { "succeeded" };
            let reason = if HITS.iter().any(|tenth| i == rows / 10 * tenth) { NEEDLE } else { "feature work and fixes" };
            writeln!(
                log,
                r#"{{"id":"D-{i}","time":"{at}","service":"service-{}","site":"fra1","from":"v{:07}","version":"v{i:07}","who":"person-{}","result":"{result}","took":180,"commit":"{:016x}","reason":"{reason}"}}"#,
                i % 20,
                i.saturating_sub(20),
                i % 113,
                (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            )?;
        }
        log.flush()?;
        let mut text = "version = 1\n[estate]\nname = \"bench\"\nenvironment = \"test\"\n[[site]]\nname = \"fra1\"\nrole = \"primary\"\n\
             [[history]]\nname = \"deploys\"\nkind = \"deploy-log\"\npath = \"deploys.jsonl\"\n"
            .to_owned();
        (0..20).for_each(|i| text += &format!("[[service]]\nname = \"service-{i}\"\n"));
        std::fs::write(folder.path().join("estate.toml"), text)?;
        Ok(Log { folder })
    }

    fn open(&self) -> Result<Terminal> {
        let estate = self.estate();
        let qd = env!("CARGO_BIN_EXE_qd").as_ref();
        Terminal::start(&[qd, "--estate".as_ref(), estate.as_os_str(), "--pane".as_ref(), "deployments".as_ref()], self.folder.path())
    }

    fn estate(&self) -> PathBuf {
        self.folder.path().join("estate.toml")
    }

    fn version(&self, row: usize) -> String {
        format!("-> v{row:07}")
    }
}

/// What a budget is compared with: the medians of first paint and key.
pub struct Told {
    /// From exec to the first paint of the list, milliseconds.
    pub paint: f64,
    /// From a key to the changed screen, at the last row, milliseconds.
    pub key: f64,
}

/// Measures and prints it all.
pub fn measure(rows: usize, name: &str) -> Result<Told> {
    let log = Log::write(rows)?;
    let (newest, oldest) = (log.version(rows - 1), log.version(0));
    // The first start reads the log; the ones that are measured find it read.
    let started = Instant::now();
    let mut terminal = log.open()?;
    terminal.until(&format!("{name} deployments"), Duration::from_secs(600))?;
    println!("| {name} deployments: read from a log for the first time | {:.1} s | |", started.elapsed().as_secs_f64());
    println!("| {name}: peak memory of that start, MB | {:.1} | |", terminal.peak_memory_mb()?);
    terminal.quit()?;
    let [mut paint, mut last, mut first_hit, mut counted, mut field, mut regex, mut memory] = [const { Vec::new() }; 7];
    let (mut base, mut ours) = (Keys::default(), Keys::default());
    for _ in 0..RUNS {
        std::thread::sleep(Duration::from_millis(300));
        let mut minimal = minimal_program()?;
        base.run(&mut minimal, "j", "k")?;
        minimal.quit()?;
        let mut terminal = timed(&mut paint, || {
            let mut terminal = log.open()?;
            terminal.until(&newest, Duration::from_secs(10))?;
            Ok(terminal)
        })?;
        terminal.until(&format!("{name} deployments"), Duration::from_secs(10))?;
        terminal.settle(Duration::from_millis(500));
        timed(&mut last, || {
            terminal.send("G")?;
            terminal.until(&oldest, Duration::from_secs(10))
        })?;
        ours.run(&mut terminal, "\x1b[A", "\x1b[B")?;
        terminal.send("g")?;
        terminal.until(&newest, Duration::from_secs(10))?;
        // Once before measuring: what is measured is warm.
        for warm in [false, true] {
            let [mut first, mut all] = [Vec::new(), Vec::new()];
            filter(&mut terminal, NEEDLE, &log.version(rows / 10 * 9), &format!("3 of {name}"), &mut first, &mut all)?;
            if warm {
                first_hit.append(&mut first);
                counted.append(&mut all);
            }
        }
        let one = format!("version=v{:07}", rows / 3);
        filter(&mut terminal, &one, &log.version(rows / 3), &format!("1 of {name}"), &mut Vec::new(), &mut field)?;
        let hit = log.version(rows / 10);
        filter(&mut terminal, "reason:kingf.sher", &hit, &format!("3 of {name}"), &mut Vec::new(), &mut regex)?;
        memory.push(terminal.peak_memory_mb()?);
        terminal.quit()?;
    }
    let base = base.row("minimal ratatui program: key to changed screen");
    let row = |what: &str, all: &mut Vec<f64>| {
        let median = median(all);
        println!("| {name} deployments: {what} | {median:.2} ms | {:.2} ms |", worst(all));
        median
    };
    let paint = row("exec to the first paint of the list", &mut paint);
    row("to the last row", &mut last);
    let key = ours.row(&format!("{name} deployments: key to changed screen at the last row"));
    println!("| {name} deployments: that many times the minimal program | {:.2} | {:.2} |", key.0 / base.0, key.1 / base.1);
    row("a word with three hits, to the first", &mut first_hit);
    row("a word with three hits, to all of them counted", &mut counted);
    row("`version=`, one hit, counted", &mut field);
    row("a regular expression, counted", &mut regex);
    println!("| {name} deployments: peak memory, MB | {:.1} | {:.1} |", median(&mut memory), worst(&memory));
    Ok(Told { paint, key: key.0 })
}

/// Types the filter but for its last letter, lets that settle, and measures from the last one on; then takes it away.
fn filter(terminal: &mut Terminal, text: &str, hit: &str, count: &str, first: &mut Vec<f64>, all: &mut Vec<f64>) -> Result<()> {
    let (most, last) = text.split_at(text.len() - 1);
    terminal.send(&format!("/{most}"))?;
    terminal.quiet(Duration::from_millis(1_000));
    terminal.send("\x15")?;
    terminal.quiet(Duration::from_millis(300));
    let started = Instant::now();
    // At once: a search that a newer letter makes void is stopped.
    terminal.send(&format!("{most}{last}"))?;
    terminal.until(hit, Duration::from_secs(20))?;
    first.push(ms(started.elapsed()));
    terminal.until(count, Duration::from_secs(20))?;
    all.push(ms(started.elapsed()));
    terminal.send("\x15\r")?;
    terminal.quiet(Duration::from_millis(300));
    Ok(())
}

fn timed<T>(all: &mut Vec<f64>, act: impl FnOnce() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    let done = act()?;
    all.push(ms(started.elapsed()));
    Ok(done)
}
