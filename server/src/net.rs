//! Sockets: accepting clients, and the bytes of one of them.

mod connection;
mod listener;
mod permits;

pub use listener::Listener;
pub use permits::{Permit, Permits};
