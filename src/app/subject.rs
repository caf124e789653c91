//! What a filter can see of a row.
