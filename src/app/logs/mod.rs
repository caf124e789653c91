//! The logs of a service or a host as they are shown: what was told, what of it passes the filter, where one reads.

pub mod line;
