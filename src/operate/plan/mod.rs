//! Makes plans: one file for each deed.

pub mod candidates;
mod machine;
pub mod rollback;
mod steps;
mod words;
