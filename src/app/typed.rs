//! Commands that stand in texts, as they must be typed in another terminal.

use super::state::Identity;
use crate::model::run::advice::typed;

impl Identity {
    /// A text in which the commands are as they must be typed in another terminal.
    pub fn typed(&self, text: &str) -> String {
        typed(text, self.estate.as_deref())
    }
}
