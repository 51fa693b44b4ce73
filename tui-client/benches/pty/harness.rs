//! The proxy of the benchmarks, and what they share with the tests: the terminal, the server, waits.

#![allow(dead_code, reason = "each benchmark and the tests use a part of it")]

#[path = "../proxy/mod.rs"]
pub mod proxy;
#[path = "../../tests/it/harness/pty.rs"]
pub mod pty;
#[path = "../../tests/it/harness/server.rs"]
pub mod server;
#[path = "../../tests/it/harness/signals.rs"]
pub mod signals;
#[path = "../../tests/it/harness/wait.rs"]
pub mod wait;
