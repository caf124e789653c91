//! Who this machine is: what a step that is run here proves.

use crate::model::text::clean;

/// What `/etc/machine-id` holds here (machine-id(5): 32 hex digits).
///
/// # Errors
/// Why it cannot be told.
pub(super) fn id() -> Result<String, String> {
    let text = std::fs::read_to_string("/etc/machine-id").map_err(|error| format!("/etc/machine-id of this machine: {error}"))?;
    match clean(text.trim(), 64).into_owned() {
        id if id.is_empty() => Err("/etc/machine-id of this machine is empty".to_owned()),
        id => Ok(id),
    }
}
