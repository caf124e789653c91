//! The panes: whole screens at the bottom of the stack.

pub mod alerts;
pub mod backups;
pub mod databases;
pub mod deployments;
pub mod metrics;
pub mod operations;
pub mod overview;
pub mod timeline;
