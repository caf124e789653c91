//! The runner on a world of files that outlives it: killed at every boundary, frozen, doubled, without a disk, and
//! with planted breaks that the oracles must see.

mod breaks;
mod child;
mod crash;
mod faults;
mod fixture;
mod oracles;
mod process;
mod world;
