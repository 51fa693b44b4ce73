//! Sockets: accepting clients, and the bytes of each connection.

mod connection;
mod listener;
mod permits;

pub use listener::Listener;
pub use permits::{Permit, Permits};
