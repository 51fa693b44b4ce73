//! A whole data directory; see `server/src/store/local/fuzzing`.

#![no_main]

use std::alloc::System;

use cap::Cap;
use libfuzzer_sys::fuzz_target;

/// Files of some kilobytes need little.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, 256 << 20);

fuzz_target!(|input: &[u8]| server::store::local::fuzzing::open_directory(input));
