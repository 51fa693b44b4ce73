//! Pseudo-terminals, and the signals of the processes in them.

pub mod bare_pty;
pub mod job_shell;
pub mod pty;
pub mod signals;
pub mod throttle;

use super::wait;
