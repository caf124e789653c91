//! The files that a person writes: estate, preferences, keymaps, themes. Names secrets, never resolves them.

pub mod http_config;
