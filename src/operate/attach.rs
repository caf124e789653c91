//! Attaches to runs.
