//! The runner on a world of files that outlives it: killed at every boundary, frozen, doubled, without a disk, and
//! with planted breaks that the oracles must see.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "a test may stop where it stands")]

mod acts;
mod breaks;
mod child;
mod crash;
mod faults;
mod fixture;
mod heads;
mod matrix;
mod oracles;
mod process;
mod readonly;
mod secrets;
mod seen;
mod world;
mod yard;
