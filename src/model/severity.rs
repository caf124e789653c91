//! How bad something is, in one order for all.

/// How bad something is. The order is the order of badness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing to do.
    Ok,
    /// Worth knowing; nobody has to act.
    Info,
    /// Nothing is known, which is never ok.
    Unknown,
    /// Someone should act.
    Warning,
    /// Someone must act now.
    Critical,
}

impl Severity {
    /// The word that every screen and every output uses.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Ok => "ok",
            Severity::Info => "info",
            Severity::Unknown => "unknown",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}
