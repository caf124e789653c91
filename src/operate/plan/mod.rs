//! Makes plans: one file for each deed.

pub mod candidates;
mod machine;
pub mod rollback;
pub mod silence;
mod steps;
mod words;
