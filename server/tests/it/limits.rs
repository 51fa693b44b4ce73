//! What the server has limits for: connections and what they cost, silent peers, descriptors, memory. With
//! `ABUSE=10` there are ten times as many of them, and as many starts within little memory.

use crate::harness::environment;

mod connections;
// Windows has no such limit.
#[cfg(unix)]
mod descriptors;
#[cfg(target_os = "linux")]
mod idle;
#[cfg(target_os = "linux")]
mod memory;
mod silent_peers;

/// So many of what usually is `count`.
fn abuse(count: usize) -> usize {
    let times = environment::number("ABUSE", 1);
    assert!(times > 0, "ABUSE is 0");
    count * usize::try_from(times).unwrap()
}
