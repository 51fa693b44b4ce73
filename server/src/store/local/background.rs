//! The threads that move points to their place on the disk.

pub mod checkpoint;
pub mod compaction;
pub mod compaction_policy;
mod dropped;
pub mod held_files;
mod merge_inputs;
pub mod present_points;
