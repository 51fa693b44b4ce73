//! The write-ahead log.

pub mod group_commit;
pub mod record;
