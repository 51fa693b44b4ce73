//! Series and their points outside the disk. No locks, no clock, and no I/O but what a
//! [`merge::Source`] does.

pub mod chunk;
pub mod head;
pub mod loss;
pub mod merge;
pub mod paged;
pub mod retention;
pub mod run;
pub mod series_index;
pub mod series_point;
pub mod summary;
pub mod time_ranges;
