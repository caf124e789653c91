//! Where the copies of a source that keeps several of them lie.

/// Where one copy lies: what is lost with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyAt {
    /// The number that its source gives it, such as pgBackRest's `repo2`.
    pub repo: u32,
    /// The site.
    pub site: Option<String>,
    /// The account that it belongs to.
    pub account: Option<String>,
}
