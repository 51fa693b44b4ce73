//! What the server has limits for: connections and what they cost, silent peers, descriptors, memory.

mod connections;
// Windows has no such limit.
#[cfg(unix)]
mod descriptors;
#[cfg(target_os = "linux")]
mod idle;
#[cfg(target_os = "linux")]
mod memory;
mod silent_peers;
