//! How a system is reached, with deadlines and size caps. Gives out readers; a writer needs a permit.

pub mod http;
pub mod known_secrets;
pub mod permit;
pub mod postgres;
pub mod probe;
pub mod process;
pub mod secret;
pub mod ssh;
