//! The finished binary on a real pseudo-terminal: every way out, and what it leaves of the terminal.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here fails the test")]

mod console;

use console::{Console, dead_estate, write_estate};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

#[test]
fn q_leaves_with_0() {
    let mut console = Console::open(&[]);
    console.ready();
    console.press(b"q");
    assert_eq!(console.ends_with(0).trim(), "", "nothing is left on the person's screen");
}

#[test]
fn ctrl_c_leaves_with_130() {
    let mut console = Console::open(&[]);
    console.ready();
    console.press(b"\x03");
    console.ends_with(130);
}

#[test]
fn signals_leave_with_their_codes() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let console = Console::open(&[]);
        console.ready();
        console.signal(signal);
        console.ends_with(code);
    }
}

/// True where that process is there and was not ended.
fn lives(id: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Programs that were started for a reading are not left behind, by whichever way the console is left.
#[test]
fn the_programs_that_a_console_started_for_its_readings_end_with_it() {
    for (keys, signal, code) in [("q", None, 0), ("", Some(Signal::SIGTERM), 143), ("", Some(Signal::SIGHUP), 129)] {
        let home = tempfile::tempdir().unwrap();
        let (own, told) = (home.path().join("own"), home.path().join("told"));
        std::fs::create_dir(&own).unwrap();
        // A git that hangs, as on a dead file server, with a child of its own.
        let hangs = format!("#!/bin/sh\nsleep 1000 &\necho $$ $! >>{}\nwait\n", told.display());
        std::fs::write(own.join("git"), hangs).unwrap();
        std::fs::set_permissions(own.join("git"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let estate = dead_estate()
            + "[[service]]\nname = \"web\"\n\n[[history]]\nname = \"tags\"\nkind = \"git\"\nservice = \"web\"\npath = \"/\"\ntimeout = \"5m\"\n";
        let path = format!("{}:/usr/bin:/bin", own.display());
        let mut console = Console::over(home, &estate, &["sh", "-c", "exec \"$QD\" --estate \"$ESTATE\""], &[("PATH", &path)], (80, 24));
        console.ready();
        let end = std::time::Instant::now() + console::DEADLINE;
        let ids = loop {
            let text = std::fs::read_to_string(&told).unwrap_or_default();
            let ids: Vec<i32> = text.split_whitespace().map(|id| id.parse().unwrap()).collect();
            if text.ends_with('\n') && ids.len() >= 2 {
                break ids;
            }
            assert!(std::time::Instant::now() < end, "git was never started");
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        assert!(ids.iter().all(|id| lives(*id)), "{ids:?}");
        match signal {
            Some(signal) => console.signal(signal),
            None => console.press(keys.as_bytes()),
        }
        assert_eq!(console.exit_code(), code);
        while ids.iter().any(|id| lives(*id)) {
            assert!(std::time::Instant::now() < end, "{signal:?}: {ids:?} are still there");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

#[test]
fn a_panic_restores_the_terminal_says_so_and_leaves_with_101() {
    let mut console = Console::open(&[("QD_PANIC_KEY", "f12")]);
    console.ready();
    console.press(b"\x1b[24~");
    assert_eq!(console.exit_code(), 101);
    let log = std::fs::read_to_string(console.home.path().join(".local/state/quarterdeck/log/qd.log")).unwrap();
    assert!(log.contains("panicked") && log.contains("QD_PANIC_KEY"), "the log has it too: {log}");
    let left = console.restored();
    assert!(left.contains("QD_PANIC_KEY") && left.contains("bug"), "{left}");
}

/// Planted breaks: programs that end and leave something of the terminal as they made it.
#[test]
fn a_terminal_that_is_not_restored_is_seen() {
    for (leaves, what) in [
        ("stty raw -echo", "the line discipline is not as before"),
        ("printf '\\033[?1049h'", "the alternate screen is not left"),
        ("printf '\\033[?25l'", "the cursor is hidden"),
        ("printf '\\033[?2004h'", "paste is bracketed"),
        ("printf '\\033[?1000h'", "the mouse is not the terminal's"),
        ("printf '\\033[?2026h'", "a synchronised update is open"),
    ] {
        let console = Console::spawn(&["sh", "-c", leaves], &[], (80, 24));
        assert_eq!(console.exit_code(), 0, "{leaves}");
        assert_eq!(console.left().0, [what], "{leaves}");
    }
}

#[test]
fn a_closed_terminal_leaves_no_process() {
    let mut console = Console::open(&[]);
    console.ready();
    console.stop_reading();
    drop(console.slave.take());
    drop(console.keys.take());
    drop(console.master.take());
    assert_eq!(console.exit_code(), 129);
}

#[test]
fn a_closed_terminal_leaves_no_process_where_no_hangup_signal_comes() {
    // In a session of its own: the kernel tells the terminal's session only, and the shell there ignores it.
    let script = "trap '' HUP; setsid -w \"$QD\" --estate \"$ESTATE\"; exit $?";
    let mut console = Console::spawn(&["sh", "-c", script], &[], (80, 24));
    console.ready();
    console.stop_reading();
    drop(console.slave.take());
    drop(console.keys.take());
    drop(console.master.take());
    assert_eq!(console.exit_code(), 129);
}

#[test]
fn a_terminal_that_takes_nothing_can_be_left() {
    let mut console = Console::open(&[]);
    console.ready();
    console.stop_reading();
    for turn in 0..200 {
        console.resize(80 + turn % 2, 24); // frames until the terminal's buffer is full
    }
    console.signal(Signal::SIGTERM);
    assert_eq!(console.exit_code(), 143);
}

#[test]
fn a_new_size_is_drawn() {
    let mut console = Console::open(&[]);
    console.ready();
    console.resize(120, 40);
    console.until("the footer on the new last line", |screen| {
        screen.size() == (40, 120) && !screen.rows(0, 120).last().unwrap_or_default().trim().is_empty()
    });
    console.press(b"q");
    console.ends_with(0);
}

#[test]
fn the_most_used_keys_do_what_help_says() {
    let mut console = Console::open(&[]);
    console.ready();
    for (key, shows) in [
        ("2", "SUMMARY"),
        ("3", "PANELS"),
        ("1", "NEEDS YOU"),
        ("\t", "SUMMARY"),
        ("?", "KEYS"),
        ("q", "SUMMARY"), // closes the help, not the console
        (":", "pane overview"),
        ("metrics", "pane metrics"),
        ("\r", "PANELS"),
        ("/", "/_"), // the filter line
        ("nothing", "/nothing"),
        ("\r", "nothing"),
        ("p", "FROZEN"),
        ("1", "SOURCES"),
        ("\r", "http://127.0.0.1:"), // looks closer at the dead source
        ("z", "SOURCE"),
    ] {
        console.press(key.as_bytes());
        console.until(&format!("{shows:?} after {key:?}"), |screen| screen.contents().contains(shows));
    }
    console.press(b"\x1b");
    console.until("the Overview after Esc", |screen| screen.contents().contains("NEEDS YOU"));
    console.press(b"p");
    console.until("the end of the freeze", |screen| !screen.contents().contains("FROZEN"));
    console.press(b"q");
    console.ends_with(0);
}

#[test]
fn t_shows_what_happened_and_c_what_happened_near_an_alert() {
    let mut console = Console::open(&[]);
    console.ready();
    for (key, shows) in [
        ("t", "TIMELINE of all services  2h"),
        ("-", "TIMELINE of all services  30m"),
        ("+", "TIMELINE of all services  2h"),
        ("?", "KEYS  timeline"),
        ("q", "source unreachable: alerts"), // what the console itself saw
        ("2", "SUMMARY"),
        ("g", "> ! warn"),
        ("c", "! found    this alert: source unreachable"),
        ("\r", "ALERT  source unreachable"),
        ("\x1b", "TIMELINE of all services"),
        ("\x1b", "SUMMARY"), // back where `c` was pressed
    ] {
        console.press(key.as_bytes());
        console.until(&format!("{shows:?} after {key:?}"), |screen| screen.contents().contains(shows));
    }
    console.press(b"q");
    console.ends_with(0);
}

#[test]
fn ctrl_z_gives_the_shell_back_and_fg_the_console() {
    let script = "set -m; \"$QD\" --estate \"$ESTATE\"; echo \"left $?\"; read line; fg; echo \"end $?\"";
    let mut console = Console::spawn(&["sh", "-c", script], &[], (80, 24));
    console.ready();
    console.press(b"\x1a");
    console.until("the shell", |screen| {
        screen.contents().contains("left 148") && !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
    });
    assert_eq!(console.modes(), console.modes_before);
    console.press(b"\n");
    console.ready();
    console.press(b"q");
    assert!(console.ends_with(0).contains("end 0"));
}

#[test]
fn a_stop_from_outside_gives_the_shell_back_too() {
    let script = "set -m; \"$QD\" --estate \"$ESTATE\"; echo \"left $?\"; read line; fg; echo \"end $?\"";
    let mut console = Console::spawn(&["sh", "-c", script], &[], (80, 24));
    console.ready();
    let foreground = console.master.as_ref().unwrap().process_group_leader().unwrap();
    kill(Pid::from_raw(foreground), Signal::SIGTSTP).unwrap();
    console.until("the shell", |screen| {
        screen.contents().contains("left 148") && !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
    });
    assert_eq!(console.modes(), console.modes_before);
    console.press(b"\n");
    console.ready();
    console.press(b"q");
    assert!(console.ends_with(0).contains("end 0"));
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_qd"))
        .arg("--estate")
        .arg(write_estate(home.path(), &dead_estate()))
        .env("HOME", home.path())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(!out.status.success());
    assert!(String::from_utf8_lossy(&out.stderr).contains("terminal"));
}

/// A store with a snapshot that is well, and later one with a hole of a terabyte: that takes no room and very long to read.
fn store(folder: &std::path::Path) -> String {
    let snapshot = folder.join("2026-11-20T06:00:00Z");
    std::fs::create_dir_all(&snapshot).unwrap();
    std::fs::write(snapshot.join("a"), "").unwrap();
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    std::fs::write(snapshot.join("SHA256SUMS"), format!("{nothing}  a\n")).unwrap();
    format!(
        "version = 1\n[estate]\nname = \"harbour\"\nenvironment = \"test\"\n\
         [[backup]]\nname = \"store\"\nkind = \"directory\"\nfolder = {folder:?}\nevery = \"1s\"\n"
    )
}

#[test]
fn a_backup_is_verified_on_screen_stopped_and_after_a_kill_known_as_not_finished() {
    use quarterdeck::journal::Journal;
    let (home, stored) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let estate = store(stored.path());
    let open = || {
        let argv = ["sh", "-c", "\"$QD\" --estate \"$ESTATE\" --pane backups; exit 0"];
        let env = [("HOME", home.path().to_str().unwrap())];
        let console = Console::over(tempfile::tempdir().unwrap(), &estate, &argv, &env, (100, 40));
        console.until("the backup", |screen| screen.contents().contains("store") && screen.contents().contains("V1"));
        console
    };
    let mut console = open();
    console.press(b"v");
    console.until("what would be run", |s| s.contents().contains("> start        the point 2026-11-20T06:00:00Z, every file"));
    console.press(b"\r");
    console.until("the result", |s| s.contents().contains("passed") && s.contents().contains("V3 read back"));
    console.press(b"\x1b");
    console.until("the proof in the row", |s| s.contents().contains("LADDER") && s.contents().contains("V3"));

    let large = stored.path().join("2026-11-20T07:00:00Z");
    std::fs::create_dir(&large).unwrap();
    std::fs::File::create(large.join("b")).unwrap().set_len(1 << 40).unwrap();
    std::fs::write(large.join("SHA256SUMS"), format!("{}  b\n", "0".repeat(64))).unwrap();
    console.press(b"v");
    console.until("the newer point", |s| s.contents().contains("> start        the point 2026-11-20T07:00:00Z"));
    console.press(b"\r");
    console.until("the progress", |s| s.contents().contains("verifying 0 %") && s.contents().contains("x stop it"));
    console.press(b"\x1b");
    console.until("the progress in the row", |s| s.contents().contains("LADDER") && s.contents().contains("verifying 0 %"));
    console.press(b"vx");
    console.until("the end", |s| s.contents().contains("cancelled") && s.contents().contains("> start        the point"));
    console.press(b"\r");
    console.until("the next one", |s| s.contents().contains("verifying 0 %"));
    let journal = home.path().join(".local/state/quarterdeck/journal.db");
    let records = Journal::read(&journal).unwrap().unwrap().records(None).unwrap();
    assert_eq!(records.len(), 5);
    let pid = Pid::from_raw(records[4].actor.process.id.try_into().unwrap());
    kill(pid, Signal::SIGKILL).unwrap();
    console.exit_code();

    let mut console = open();
    console.press(b"v");
    console.until("that it is not finished", |s| s.contents().contains("not finished") && s.contents().contains("cancelled"));
    console.press(b"q");
    console.until("the pane", |s| s.contents().contains("LADDER"));
    console.press(b"q");
    console.ends_with(0);
}

/// The question for the colour of the ground, and two answers.
const QUESTION: &str = "\x1b]11;?\x1b\\";
const LIGHT: &str = "\x1b]11;rgb:ffff/ffff/ffff\x07";
const DARK: &str = "\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\";

/// The colour of the first key in the footer, which no two of these themes have in common.
fn key_colour(screen: &vt100::Screen) -> vt100::Color {
    screen.cell(23, 0).unwrap().fgcolor()
}

const OF_DARK: vt100::Color = vt100::Color::Idx(74);
const OF_LIGHT: vt100::Color = vt100::Color::Idx(25);
const OF_HIGH_CONTRAST: vt100::Color = vt100::Color::Idx(117);

fn asked(console: &Console) -> bool {
    let shown = console.shown.0.lock().unwrap();
    shown.raw.windows(QUESTION.len()).any(|bytes| bytes == QUESTION.as_bytes())
}

#[test]
fn a_terminal_that_says_it_is_light_gets_the_light_theme_and_no_key_around_the_answer_is_lost() {
    let mut console = Console::open(&[]);
    console.ready();
    assert!(asked(&console));
    console.until("the dark theme", |screen| key_colour(screen) == OF_DARK);
    // All of it in one piece, as a fast line brings it.
    console.press(format!("2{LIGHT}?").as_bytes());
    console.until("the help of the Alerts pane", |screen| screen.contents().contains("KEYS  alerts"));
    console.until("the light theme", |screen| key_colour(screen) == OF_LIGHT);
    // A late second answer is no key either, whatever it ends with.
    console.press(DARK.as_bytes());
    console.until("the dark theme again", |screen| key_colour(screen) == OF_DARK && screen.contents().contains("KEYS  alerts"));
    console.press(b"\x1b");
    console.until("the Alerts pane after Esc", |screen| screen.contents().contains("SUMMARY") && !screen.contents().contains("KEYS"));
    console.press(b"q");
    console.ends_with(0);
}

#[test]
fn a_terminal_that_never_answers_gets_the_dark_theme_and_all_keys_work() {
    let mut console = Console::open(&[("COLORFGBG", "")]);
    console.ready();
    assert!(asked(&console));
    console.press(b"2?\x1b");
    console.until("the Alerts pane after Esc", |screen| screen.contents().contains("SUMMARY") && !screen.contents().contains("KEYS"));
    console.until("the dark theme", |screen| key_colour(screen) == OF_DARK);
    // What only begins like an answer.
    console.press(b"\x1b]");
    console.press(b"3");
    console.until("the Metrics pane", |screen| screen.contents().contains("PANELS"));
    console.press(b"q");
    console.ends_with(0);
}

#[test]
fn who_needs_no_answer_is_not_asked() {
    for env in [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "linux"), ("QD_THEME", "dark")] {
        let mut console = Console::open(&[env]);
        console.ready();
        assert!(!asked(&console), "{env:?}");
        console.press(b"q");
        console.ends_with(0);
    }
    let mut console = Console::open(&[("TERM", "linux"), ("COLORFGBG", "0;15")]);
    console.ready();
    console.until("the light theme by the hint", |screen| key_colour(screen) == OF_LIGHT);
    console.press(b"q");
    console.ends_with(0);
}

#[test]
fn a_theme_is_seen_before_it_is_chosen_and_a_broken_one_says_why() {
    let home = tempfile::tempdir().unwrap();
    let themes = home.path().join(".config/quarterdeck/themes");
    std::fs::create_dir_all(&themes).unwrap();
    std::fs::write(themes.join("aaa.toml"), "[palette]\nred = 'shiny'\n").unwrap();
    let mut console = Console::over(home, &dead_estate(), &["sh", "-c", "exec \"$QD\" --estate \"$ESTATE\""], &[], (80, 24));
    console.ready();
    console.press(b"T\x1b[B");
    console.until("the error of the broken one", |screen| screen.contents().contains("aaa.toml:2: `shiny` is no colour"));
    console.press(b"\x1b[B\x1b[B");
    console.until("high-contrast behind the layer", |screen| {
        key_colour(screen) == OF_HIGH_CONTRAST && screen.contents().contains("> high-contrast")
    });
    console.press(b"\x1b");
    console.until("the former theme", |screen| key_colour(screen) == OF_DARK && !screen.contents().contains("THEME"));
    console.press(b"T\x1b[B\x1b[B\x1b[B\r");
    console.until("the chosen theme", |screen| key_colour(screen) == OF_HIGH_CONTRAST && !screen.contents().contains("THEME"));
    console.press(b"q");
    console.ends_with(0);
}

/// A console in that home, with these flags.
fn at_home(home: tempfile::TempDir, flags: &str, env: &[(&str, &str)]) -> Console {
    let command = format!("exec \"$QD\" --estate \"$ESTATE\" {flags}");
    let console = Console::over(home, &dead_estate(), &["sh", "-c", &command], env, (80, 24));
    console.ready();
    console
}

/// Quits it and gives its home back.
fn left(mut console: Console) -> tempfile::TempDir {
    let home = std::mem::replace(&mut console.home, tempfile::tempdir().unwrap());
    console.press(b"q");
    console.ends_with(0);
    home
}

#[test]
fn the_picked_theme_is_there_at_the_next_start_unless_one_is_named_and_a_damaged_one_says_so() {
    let mut console = at_home(tempfile::tempdir().unwrap(), "", &[]);
    console.until("the dark theme", |screen| key_colour(screen) == OF_DARK);
    console.press(b"T\x1b[B\x1b[B");
    console.until("what Enter does", |screen| {
        key_colour(screen) == OF_HIGH_CONTRAST && screen.contents().contains("Enter keeps it, for the next start too")
    });
    console.press(b"\r");
    console.until("the chosen theme", |screen| key_colour(screen) == OF_HIGH_CONTRAST && !screen.contents().contains("THEME"));
    let kept = console.home.path().join(".local/state/quarterdeck/theme");
    console.until("it is kept", |_| std::fs::read_to_string(&kept).is_ok_and(|text| text == "high-contrast\n"));
    let console = at_home(left(console), "", &[]);
    console.until("it again", |screen| key_colour(screen) == OF_HIGH_CONTRAST);
    // What is named wins, and the list of themes says so.
    let mut console = at_home(left(console), "--theme light", &[]);
    console.until("the named one", |screen| key_colour(screen) == OF_LIGHT);
    console.press(b"T");
    console.until("what wins", |screen| screen.contents().contains("at the next start --theme"));
    console.press(b"\x1b");
    console.until("the console", |screen| !screen.contents().contains("THEME"));
    let console = at_home(left(console), "", &[("QD_THEME", "light")]);
    console.until("the one of the variable", |screen| key_colour(screen) == OF_LIGHT);
    let home = left(console);
    std::fs::write(&kept, "\u{1b}[31mx").unwrap();
    let console = at_home(home, "", &[]);
    console.until("the dark theme, and why", |screen| {
        key_colour(screen) == OF_DARK && screen.contents().contains("the theme that was picked last is not used")
    });
    left(console);
}

/// What the terminal itself shows, after frames that lay over each other.
#[test]
fn a_painted_ground_is_on_every_cell_of_the_terminal_beside_wide_characters_too() {
    let estate = dead_estate().replace("harbour", "harbour \u{6d77}\u{1f6a2}\u{6e2f}");
    let argv = ["sh", "-c", "exec \"$QD\" --estate \"$ESTATE\" --theme okabe-ito"];
    let mut console = Console::over(tempfile::tempdir().unwrap(), &estate, &argv, &[], (80, 24));
    console.ready();
    let left_out = |screen: &vt100::Screen| {
        let all = (0..24).flat_map(|y| (0..80).map(move |x| (y, x)));
        let cell = |(y, x): &(u16, u16)| screen.cell(*y, *x).unwrap();
        // This emulator gives the second cell of a wide character no colour of its own, whatever the first one has.
        let bare = |at: &(u16, u16)| !cell(at).is_wide_continuation() && cell(at).bgcolor() == vt100::Color::Default;
        all.filter(bare).collect::<Vec<_>>()
    };
    for (keys, shows, gone) in [
        ("2", "SUMMARY", "KEYS"),
        ("?", "KEYS", "SUMMARY"),
        ("\x1b", "SUMMARY", "KEYS"),
        ("T", "THEME", "KEYS"),
        ("\x1b", "SUMMARY", "THEME"),
    ] {
        console.press(keys.as_bytes());
        console.until(shows, |screen| {
            let text = screen.contents();
            text.contains(shows) && !text.contains(gone) && text.contains('\u{6e2f}')
        });
        console.until("the ground everywhere", |screen| left_out(screen).is_empty());
    }
    console.press(b"\x03");
    console.ends_with(130);
}

#[test]
fn a_keymap_is_chosen_by_a_flag_and_by_a_variable() {
    let console = at_home(tempfile::tempdir().unwrap(), "--keymap plain", &[("QD_KEYMAP", "default")]);
    console.until("its footer", |screen| screen.contents().contains("f1 help") && screen.contents().contains("f3 filter"));
    let console = at_home(left(console), "", &[("QD_KEYMAP", "plain")]);
    console.until("its footer", |screen| screen.contents().contains("f1 help"));
    let console = at_home(left(console), "", &[]);
    console.until("the default one", |screen| screen.contents().contains("? help"));
    left(console);
}

#[test]
fn with_the_plain_keymap_the_footer_shows_its_keys_and_arrows_and_function_keys_do_all() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/quarterdeck");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), "keymap = \"plain\"\n").unwrap();
    let mut console = Console::over(home, &dead_estate(), &["sh", "-c", "exec \"$QD\" --estate \"$ESTATE\""], &[], (80, 24));
    console.ready();
    console.until("its footer", |screen| screen.contents().contains("f1 help") && screen.contents().contains("f3 filter"));
    console.press(b"\x1bOP");
    console.until("help", |screen| screen.contents().contains("KEYS  overview"));
    console.press(b"\x1b[21~");
    console.until("the Overview", |screen| !screen.contents().contains("KEYS"));
    console.press(b"\x1b[21~");
    console.ends_with(0);
}

/// How the terminal tells of a press of the left button at that column and line, counted from 1 (SGR, mode 1006).
fn press_at(column: u16, line: u16) -> Vec<u8> {
    format!("\x1b[<0;{column};{line}M\x1b[<0;{column};{line}m").into_bytes()
}

fn has_mouse(screen: &vt100::Screen) -> bool {
    screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None
}

#[test]
fn the_mouse_is_the_terminals_until_m_is_pressed_and_then_clicks_and_scrolls() {
    let mut console = Console::open(&[]);
    console.ready();
    console.until("no mouse at first", |screen| !has_mouse(screen));
    console.press(b"M");
    console.until("the mouse", |screen| {
        has_mouse(screen)
            && screen.mouse_protocol_encoding() == vt100::MouseProtocolEncoding::Sgr
            && screen.contents().contains("[MOUSE: M ends it]")
    });
    // The line of the only source: selected from the first or by the first click, opened by the one after it.
    let line = {
        let shown = console.shown.0.lock().unwrap();
        let all: Vec<String> = shown.parser.screen().rows(0, 80).collect();
        all.iter().rposition(|line| line.contains("alertmanager") || line.contains("unreachable")).unwrap() as u16 + 1
    };
    let opened = |screen: &vt100::Screen| screen.contents().contains("SOURCE  alerts");
    for _ in 0..50 {
        if opened(console.shown.0.lock().unwrap().parser.screen()) {
            break;
        }
        // Clicks do not count in the first moments after the mouse came: they are made until they do.
        console.press(&press_at(20, line));
        std::thread::yield_now();
        console.press(b"\x0c");
        let before = console.shown.0.lock().unwrap().raw.len();
        console.until_more_than(before);
    }
    console.until("the source that was clicked on", opened);
    console.press(b"M");
    console.until("no mouse", |screen| !has_mouse(screen) && !screen.contents().contains("[MOUSE"));
    console.press(&press_at(20, line));
    console.press(b"\x1b[<65;20;10M");
    console.press(b"q");
    console.until("the Overview", |screen| screen.contents().contains("NEEDS YOU"));
    console.press(b"q");
    console.ends_with(0);
}

#[test]
fn no_way_out_leaves_the_mouse_on() {
    for way in ["quit", "interrupt", "term", "hangup", "panic", "stop"] {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join(".config/quarterdeck");
        std::fs::create_dir_all(&config).unwrap();
        std::fs::write(config.join("config.toml"), "mouse = true\n").unwrap();
        let run = ["sh", "-c", "exec \"$QD\" --estate \"$ESTATE\""];
        let mut console = Console::over(home, &dead_estate(), &run, &[("QD_PANIC_KEY", "f12")], (80, 24));
        console.ready();
        console.until("the mouse", has_mouse);
        match way {
            "quit" => console.press(b"q"),
            "interrupt" => console.press(b"\x03"),
            "term" => console.signal(Signal::SIGTERM),
            "hangup" => console.signal(Signal::SIGHUP),
            "panic" => console.press(b"\x1b[24~"),
            _ => {
                // Given back for as long as it is stopped, and taken again after. The process is stopped by the kernel
                // only where a shell looks after it; either way the terminal was restored in between.
                console.signal(Signal::SIGTSTP);
                console.until_raw("the terminal given back, without the mouse", |raw| {
                    let last = |what: &[u8]| raw.windows(what.len()).position(|bytes| bytes == what);
                    let given_back = last(b"\x1b[?1049l");
                    let before = &raw[..given_back.unwrap_or(0)];
                    let place = |what: &[u8]| before.windows(what.len()).rposition(|bytes| bytes == what);
                    place(b"\x1b[?1000l") > place(b"\x1b[?1000h")
                });
                console.signal(Signal::SIGCONT);
                console.until("the mouse again", has_mouse);
                console.press(b"q");
            }
        }
        let code = match way {
            "interrupt" => 130,
            "term" => 143,
            "hangup" => 129,
            "panic" => 101,
            _ => 0,
        };
        console.ends_with(code); // which holds that no way of telling of the mouse is on
    }
}

#[test]
fn one_finds_ones_way_by_history_menu_help_saved_views_and_two_keys() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join(".config/quarterdeck");
    std::fs::create_dir_all(&config).unwrap();
    let views = "[[view]]\nname = \"mine\"\npane = \"alerts\"\nfilter = \"team=web\"\n\n[[view]]\nname = \"odd\"\npane = \"alarms\"\n";
    std::fs::write(config.join("config.toml"), views).unwrap();
    std::fs::write(config.join("keymap.toml"), "global = [{ on = \", a\", run = \"alerts\" }]\n").unwrap();
    let mut console = Console::over(home, &dead_estate(), &["sh", "-c", "exec \"$QD\" --estate \"$ESTATE\""], &[], (80, 24));
    console.ready();
    let shows = |console: &Console, what: &str| console.until(what, |screen| screen.contents().contains(what));
    console.press(b",");
    shows(&console, ", and then?");
    console.press(b"a");
    shows(&console, "SEV ");
    console.press(b"[");
    console.until("the Overview again", |screen| !screen.contents().contains("SEV "));
    console.press(b"[");
    shows(&console, "there is no view before this one");
    console.press(b"]");
    shows(&console, "SEV ");
    console.press(b"1");
    console.until("the Overview", |screen| !screen.contents().contains("SEV "));
    console.press(b".");
    shows(&console, "WHAT CAN BE DONE");
    console.press(b"\r");
    shows(&console, "SOURCE  alerts");
    console.press(b"?/saved");
    shows(&console, "/saved  1 of");
    console.press(b"\r");
    console.until("the line that is found", |screen| !screen.contents().contains("/saved_") && screen.contents().contains("  V "));
    console.press(b"qV");
    shows(&console, "SAVED VIEWS");
    shows(&console, "config.toml:7:8 `alarms` is no pane");
    console.press(b"\r");
    shows(&console, "/team=web");
    console.press(b"VG\rthe web's\r");
    shows(&console, "saved as the web's");
    let kept = std::fs::read_to_string(console.home.path().join(".local/state/quarterdeck/views.toml")).unwrap();
    assert!(kept.contains("name = \"the web's\"") && kept.contains("filter = \"team=web\""), "{kept}");
    assert_eq!(std::fs::read_to_string(console.home.path().join(".config/quarterdeck/config.toml")).unwrap(), views);
    let snapshot = |name: &str| {
        let mut qd = std::process::Command::new(env!("CARGO_BIN_EXE_qd"));
        qd.env_clear().env("HOME", console.home.path()).arg("--estate").arg(console.home.path().join("estate.toml"));
        let out = qd.args(["snapshot", "--view", name]).output().unwrap();
        (out.status.code(), format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)))
    };
    let (code, frame) = snapshot("the web's");
    assert!(code == Some(0) && frame.contains("SEV ") && frame.contains("/team=web"), "{frame}");
    let (code, told) = snapshot("odd");
    assert!(code == Some(64) && told.contains("config.toml:7:8"), "{told}");
    let (code, told) = snapshot("none");
    assert!(code == Some(64) && told.contains("there are `mine`, `the web's`"), "{told}");
    console.press(b"q");
    console.ends_with(0);
}
