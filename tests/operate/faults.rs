//! Lost replies.
