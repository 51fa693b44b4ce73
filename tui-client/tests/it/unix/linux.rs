//! What the tests can see or fill only on Linux.

mod blocked_output;
mod cancelled_stop;
mod full_disk;
mod ignored_signals;
mod non_blocking;
