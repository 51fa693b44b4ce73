//! Sockets: accepting clients, and the bytes of one of them.

mod connection;
mod listener;

pub use listener::Listener;
