//! Planted breaks.
