//! What lies on a pane: details, a chart on the full screen, help, the palette.

mod alert;
pub mod chart;
pub mod detail;
pub mod help;
pub mod palette;
mod service;
mod source;
