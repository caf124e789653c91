//! How much time the Timeline pane shows.

use jiff::SignedDuration;

/// How much time is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Window {
    /// Half an hour.
    Half,
    /// Two hours.
    #[default]
    Hours,
    /// A day.
    Day,
    /// A week.
    Week,
}

impl Window {
    /// `30m`, `2h`, `24h` or `7d`.
    pub fn word(self) -> &'static str {
        match self {
            Window::Half => "30m",
            Window::Hours => "2h",
            Window::Day => "24h",
            Window::Week => "7d",
        }
    }

    /// How long it is.
    pub fn length(self) -> SignedDuration {
        match self {
            Window::Half => SignedDuration::from_mins(30),
            Window::Hours => SignedDuration::from_hours(2),
            Window::Day => SignedDuration::from_hours(24),
            Window::Week => SignedDuration::from_hours(7 * 24),
        }
    }

    /// The next longer or shorter one; at the end it stays.
    pub fn next(self, longer: bool) -> Window {
        match (self, longer) {
            (Window::Half, true) | (Window::Day, false) => Window::Hours,
            (Window::Hours, true) | (Window::Week, false) => Window::Day,
            (Window::Day | Window::Week, true) => Window::Week,
            (Window::Half | Window::Hours, false) => Window::Half,
        }
    }
}
