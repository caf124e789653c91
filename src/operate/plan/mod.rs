//! Makes plans: one file for each deed.

pub mod candidates;
pub mod dry;
mod folders;
mod machine;
pub mod rollback;
pub mod service;
pub mod silence;
mod steps;
mod words;
