//! Servers that go away, have quirks or are hostile.

mod other_servers;
mod server_restart;
mod untrusted_server;
