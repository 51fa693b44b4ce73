//! The wire format from outside: dialogues, selectors, properties, the table of Python's `repr`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod client;
mod dialogues;
mod directions;
mod pattern;
mod properties;
mod repr;
mod selector;
