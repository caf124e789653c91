//! What panes and layers are drawn with.

pub mod canvas;
pub mod chart;
pub mod lines;
pub mod spark;
