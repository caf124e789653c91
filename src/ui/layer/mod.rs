//! What lies on a pane: details, a chart on the full screen, help, the palette.

pub mod chart;
pub mod contexts;
pub mod detail;
pub mod palette;
pub mod request;
pub mod share;
