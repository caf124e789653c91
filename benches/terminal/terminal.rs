//! A terminal of 120x40 around one program: its screen, its bytes, its processor time and memory.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A program in a terminal.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    _master: Box<dyn MasterPty + Send>,
    /// Bytes that the program wrote so far.
    pub bytes: usize,
}

impl Terminal {
    /// Starts a program with its arguments in a home folder of its own.
    pub fn start(argv: &[&OsStr], home: &Path) -> Result<Terminal> {
        Terminal::behind(None, argv, home)
    }

    /// The same behind a line that takes so many bytes a second.
    pub fn behind(line: Option<usize>, argv: &[&OsStr], home: &Path) -> Result<Terminal> {
        let pair = native_pty_system().openpty(PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 })?;
        let mut command = CommandBuilder::new(argv[0]);
        command.args(&argv[1..]);
        command.env("TERM", "xterm-256color");
        command.env("HOME", home);
        for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "QD_ESTATE"] {
            command.env_remove(name);
        }
        let mut reader = pair.master.try_clone_reader()?;
        let writer = pair.master.take_writer()?;
        let (send, output) = channel();
        std::thread::spawn(move || {
            // A slow line is read in hundredths of a second.
            let mut buffer = vec![0; line.map_or(65_536, |rate| (rate / 100).max(1))];
            while let Ok(n) = reader.read(&mut buffer) {
                if let Some(rate) = line {
                    std::thread::sleep(Duration::from_secs_f64(n as f64 / rate as f64));
                }
                if n == 0 || send.send(buffer[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        let child = pair.slave.spawn_command(command)?;
        drop(pair.slave);
        Ok(Terminal { child, writer, output, screen: vt100::Parser::new(40, 120, 0), _master: pair.master, bytes: 0 })
    }

    /// Types.
    pub fn send(&mut self, keys: &str) -> Result<()> {
        self.writer.write_all(keys.as_bytes())?;
        Ok(self.writer.flush()?)
    }

    /// Waits until the screen shows a text.
    pub fn until(&mut self, text: &str, limit: Duration) -> Result<()> {
        self.wait(limit, text, |screen| screen.contents().contains(text))
    }

    /// Waits until the alternate screen is on and half of its rows are in use.
    pub fn until_painted(&mut self, limit: Duration) -> Result<()> {
        self.wait(limit, "a full paint", |screen| {
            screen.alternate_screen() && screen.rows(0, 120).filter(|row| !row.trim().is_empty()).count() >= 20
        })
    }

    /// Waits until any cell, colour or the cursor differs.
    pub fn until_changed(&mut self, limit: Duration) -> Result<()> {
        let before = self.screen.screen().contents_formatted();
        self.wait(limit, "a change", |screen| screen.contents_formatted() != before)
    }

    /// Takes in what comes for so long.
    pub fn settle(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(chunk) = self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
            self.take(&chunk);
        }
    }

    /// Takes in what comes until nothing came for so long.
    pub fn quiet(&mut self, gap: Duration) {
        while let Ok(chunk) = self.output.recv_timeout(gap) {
            self.take(&chunk);
        }
    }

    fn wait(&mut self, limit: Duration, what: &str, done: impl Fn(&vt100::Screen) -> bool) -> Result<()> {
        let end = Instant::now() + limit;
        while !done(self.screen.screen()) {
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(chunk) => self.take(&chunk),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Err(format!("the screen never showed {what}:\n{}", self.screen.screen().contents()).into());
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len();
        self.screen.process(chunk);
    }

    /// User and system seconds so far, from the kernel's count of ticks (10 ms each).
    pub fn cpu_seconds(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(self.proc("stat")?)?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
    }

    /// The largest resident size so far, in megabytes of 10^6 bytes.
    pub fn peak_memory_mb(&self) -> Result<f64> {
        let status = std::fs::read_to_string(self.proc("status")?)?;
        let kib: f64 =
            status.lines().find_map(|l| l.strip_prefix("VmHWM:")).and_then(|l| l.split_whitespace().next()).ok_or("no VmHWM")?.parse()?;
        Ok(kib * 1_024.0 / 1e6)
    }

    fn proc(&self, file: &str) -> Result<String> {
        Ok(format!("/proc/{}/{file}", self.child.process_id().ok_or("it has ended")?))
    }

    /// Ends the program by its own key.
    pub fn quit(mut self) -> Result<()> {
        self.send("q")?;
        let end = Instant::now() + Duration::from_secs(10);
        while self.child.try_wait()?.is_none() {
            if Instant::now() > end {
                return Err("it does not end at q".into());
            }
            self.settle(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
