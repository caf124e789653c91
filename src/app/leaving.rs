//! Whether the console is about to be left.

/// Whether it was asked if the console is to be left: only the very next key answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Leaving {
    /// No.
    #[default]
    No,
    /// It is asked.
    Asked,
    /// It was asked before the key that is taken in now.
    Again,
}
