//! Quarterdeck: a terminal console from which people run production and bring it back after a disaster.
//!
//! The crate is a pure core ([`model`], [`app`]) inside an imperative shell ([`session`]). Which room may
//! import which is written down in `ARCHITECTURE.md` and held by `tests/architecture.rs`.

pub mod act;
pub mod app;
pub mod cache;
pub mod cli;
pub mod config;
pub mod journal;
#[cfg(feature = "lab")]
pub mod lab;
pub mod link;
pub mod model;
pub mod operate;
pub mod session;
pub mod ui;
pub mod watch;
