//! The watchers against real servers: Prometheus, Alertmanager alone and in pairs, node_exporter, PostgreSQL, pgBackRest,
//! restic, sshd, hosts with systemd. `tests/run` installs them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "a test may stop where it stands")]

mod alerts;
mod archiver;
mod attention;
mod backups;
mod charts;
mod clipboard;
#[path = "../console/mod.rs"]
mod console;
mod contexts;
mod credentials;
mod databases;
mod databases_tls;
mod deeds;
mod estate;
mod exposition;
mod first_steps;
mod hosts;
mod http;
mod jobs;
mod journal;
mod metrics;
mod mute_on_screen;
mod pair;
mod postgres;
mod servers;
mod silences;
mod sql;
mod sshd;
mod systemd;
mod timeline;
#[path = "../upstream/mod.rs"]
mod upstream;
mod verification;
