//! What lies on a pane: details, a chart on the full screen, help, the palette.

pub mod chart;
#[cfg(test)]
mod chart_tests;
pub mod chord;
pub mod contexts;
pub mod detail;
pub mod logs;
pub mod menu;
pub mod palette;
pub mod prompt;
pub mod request;
pub mod share;
pub mod silences;
pub mod themes;
pub mod views;
