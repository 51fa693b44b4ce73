//! The write-ahead log: batches wait in a queue, are committed in groups to the newest segment, and
//! are found there again after a crash.

pub mod beginning;
pub mod entries;
pub mod group_commit;
pub mod header;
pub mod queue;
pub mod record;
pub mod rotation;
pub mod segment;
