//! Sockets: accepting clients, and the bytes of each connection.

mod connection;
mod connections;
mod control;
mod limits;
mod listener;
mod permits;
mod read_buffer;
mod refusal;
mod stall;
mod tls;

pub use connections::Connections;
pub use control::{Control, ControlError, HeldByServer};
pub use limits::ConnectionLimits;
pub use listener::Listener;
pub use permits::{Permit, Permits};
pub use tls::{Tls, TlsError, TlsFiles};
