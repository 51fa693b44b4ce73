//! The client from outside: messages in and state out, screens, the real binary against the real
//! server.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "tests: a panic is the report, and nobody waits for the strings"
)]

mod app;
mod directions;
#[cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "the tests for Linux use all of it")
)]
mod harness;
mod import;
mod net;
mod plain;
mod replay;
mod scenes;
mod screen_page;
// Windows has neither the pseudo-terminals nor the shells and the signals of these tests.
#[cfg(unix)]
mod terminal;
#[cfg(unix)]
mod unix;
