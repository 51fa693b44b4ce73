//! Sockets: who connects, and the bytes of one peer.

mod connection;
mod listener;

pub use listener::Listener;
