//! Makes plans, checks them, and carries them out by a runner, a detached process: it alone changes production.

pub mod ground;
pub mod guard;
pub mod plan;
pub mod preflight;
pub mod survey;
pub mod world;
