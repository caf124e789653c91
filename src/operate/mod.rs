//! Makes plans, checks them, and carries them out by a runner, a detached process: it alone changes production.

pub mod known;
pub mod requests;
pub mod world;
