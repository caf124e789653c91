//! Reads upstream systems on a schedule. Cannot write to any of them.
