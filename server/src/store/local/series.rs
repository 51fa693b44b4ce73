//! Series and their points outside the disk. No I/O, no locks, no clock.

pub mod chunk;
pub mod head;
pub mod merge;
pub mod retention;
pub mod run;
pub mod series_index;
pub mod series_point;
