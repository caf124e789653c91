//! Who sits at the console, and where.

use crate::model::run::advice::typed;

/// Who sits where: on the first line of every screen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// This machine's name.
    pub host: String,
    /// The login name.
    pub user: String,
    /// The estate file that the command line named, as a shell takes it: another terminal has to be told of it too.
    pub estate: Option<String>,
}

impl Identity {
    /// A text in which the commands are as they must be typed in another terminal.
    pub fn typed(&self, text: &str) -> String {
        typed(text, self.estate.as_deref())
    }
}
