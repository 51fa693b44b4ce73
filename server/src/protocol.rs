//! Protocols: what the bytes of a client mean.

pub mod text;
