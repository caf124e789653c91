//! Makes plans, checks them, and carries them out by a runner, a detached process: it alone changes production.

pub mod attach;
pub mod ground;
pub mod guard;
pub mod heads;
pub mod history;
pub mod known;
pub mod order;
pub mod plan;
pub mod preflight;
pub mod requests;
mod rights;
pub mod runner;
pub mod survey;
pub mod world;
