//! The files that a person writes: estate, preferences, keymaps, themes. Names secrets, never resolves them.

mod attention;
mod backups;
mod bytes;
mod calendar;
mod check;
pub mod conninfo;
pub mod contexts;
mod form;
pub mod http_config;
pub mod keymap;
mod lenient;
pub mod load;
mod operations;
pub mod paths;
pub mod preferences;
mod raw;
mod report;
pub mod schema;
pub mod theme;
mod timing;
pub mod views;
