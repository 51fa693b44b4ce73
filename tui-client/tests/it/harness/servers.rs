//! Servers to test against.

pub mod peer;
pub mod quirky_server;
pub mod series_server;
pub mod server;
pub mod server_process;

use super::{os, scene, wait};
