//! When a new segment is begun and the heads are frozen, and when puts wait or are refused.
//! Decides only: no I/O, no locks, no clock.

use crate::store::Unavailable;

/// What is known before a group of batches is written.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// Nothing of the log has failed.
    pub open: bool,
    /// Frozen heads are on their way to a part.
    pub checkpointing: bool,
    /// Why the last attempt at that checkpoint failed.
    pub checkpoint_failure: Option<Unavailable>,
    /// Bytes of log whose points are in the heads.
    pub log_bytes: u64,
    /// Bytes of log after which the heads are frozen.
    pub log_limit: u64,
    /// Bytes of records in the present segment.
    pub segment_bytes: u64,
    /// Bytes after which a segment is followed by the next one.
    pub segment_size: u64,
    /// Some of the log is written and not synced.
    pub unsynced: bool,
    /// The last attempt to begin a segment.
    pub attempt: Attempt,
}

/// The last attempt to begin a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It succeeded, or failed so long ago that the next one is due.
    Due,
    /// It failed a moment ago, before an earlier group.
    Paused,
    /// It failed just now, before this group.
    Failed {
        /// For want of room.
        disk_full: bool,
    },
}

/// What to do before a group of batches is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Write the group to the present segment.
    Proceed,
    /// Sync the present segment, then decide again.
    SyncFirst,
    /// Wait for the checkpoint, then decide again.
    WaitForCheckpoint,
    /// Begin a new segment; when that fails, decide again.
    Rotate {
        /// Freeze the heads, so that their points become a part.
        freeze: bool,
    },
    /// Store nothing of the group.
    Refuse(Unavailable),
}

/// What to do before a group of batches is written.
///
/// The heads and the log of their points are bounded: by twice the limit, and the group that
/// exceeds it, while earlier heads are on their way to a part. A segment that can't be followed by
/// a new one takes more until then.
pub fn decide(facts: &Facts) -> Decision {
    if !facts.open {
        return Decision::Refuse(Unavailable::Failed);
    }
    let overdue = facts.log_bytes >= facts.log_limit.saturating_mul(2);
    if overdue && facts.checkpointing {
        // Puts outrun the checkpoints. However long they wait, what is acknowledged is synced in
        // time.
        return match facts.checkpoint_failure {
            _ if facts.unsynced => Decision::SyncFirst,
            Some(why) => Decision::Refuse(why),
            None => Decision::WaitForCheckpoint,
        };
    }
    let freeze = facts.log_bytes >= facts.log_limit && !facts.checkpointing;
    if !freeze && facts.segment_bytes < facts.segment_size {
        return Decision::Proceed;
    }
    match facts.attempt {
        Attempt::Paused | Attempt::Failed { .. } if !overdue => Decision::Proceed,
        Attempt::Failed { disk_full: true } => Decision::Refuse(Unavailable::DiskFull),
        Attempt::Failed { disk_full: false } => Decision::Refuse(Unavailable::Stalled),
        // The sync of the new segment says nothing of the bytes in the present one.
        Attempt::Due | Attempt::Paused if facts.unsynced => Decision::SyncFirst,
        Attempt::Due | Attempt::Paused => Decision::Rotate { freeze },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROTATE: Decision = Decision::Rotate { freeze: false };
    const FREEZE: Decision = Decision::Rotate { freeze: true };

    /// A store in use, far from its limits of 100 bytes of log and 50 of a segment.
    const CALM: Facts = Facts {
        open: true,
        checkpointing: false,
        checkpoint_failure: None,
        log_bytes: 20,
        log_limit: 100,
        segment_bytes: 20,
        segment_size: 50,
        unsynced: false,
        attempt: Attempt::Due,
    };

    /// The segment is full, the heads are not.
    const SEGMENT_FULL: Facts = Facts { log_bytes: 60, segment_bytes: 50, ..CALM };

    /// The heads are full.
    const HEADS_FULL: Facts = Facts { log_bytes: 100, ..CALM };

    /// The heads are as full as they may get.
    const OVERDUE: Facts = Facts { log_bytes: 200, ..CALM };

    #[test]
    fn before_a_group_is_written() {
        use Attempt::{Failed, Paused};
        use Decision::{Proceed, Refuse, SyncFirst, WaitForCheckpoint};
        let full = Failed { disk_full: true };
        let broken = Failed { disk_full: false };
        let checkpointing = |facts| Facts { checkpointing: true, ..facts };
        let failing = |why, facts| Facts { checkpoint_failure: Some(why), ..checkpointing(facts) };
        let unsynced = |facts| Facts { unsynced: true, ..facts };
        let after = |attempt, facts| Facts { attempt, ..facts };
        let failed = |facts| Facts { open: false, ..facts };
        let no_room = Unavailable::DiskFull;
        let cases = [
            ("far from the limits", CALM, Proceed),
            ("and not synced", unsynced(CALM), Proceed),
            ("and after a failed rotation", after(Paused, CALM), Proceed),
            (
                "a byte before the limits",
                Facts { log_bytes: 99, segment_bytes: 49, ..CALM },
                Proceed,
            ),
            ("the log failed", failed(CALM), Refuse(Unavailable::Failed)),
            (
                "the log failed, whatever else",
                failed(checkpointing(OVERDUE)),
                Refuse(Unavailable::Failed),
            ),
            ("a full segment", SEGMENT_FULL, ROTATE),
            ("a full segment during a checkpoint", checkpointing(SEGMENT_FULL), ROTATE),
            ("a full segment, not synced", unsynced(SEGMENT_FULL), SyncFirst),
            ("a full segment, a moment after a failure", after(Paused, SEGMENT_FULL), Proceed),
            ("a full segment, no room for the next", after(full, SEGMENT_FULL), Proceed),
            ("a full segment, the next not made", after(broken, SEGMENT_FULL), Proceed),
            ("full heads", HEADS_FULL, FREEZE),
            ("full heads, not synced", unsynced(HEADS_FULL), SyncFirst),
            ("full heads during a checkpoint", checkpointing(HEADS_FULL), Proceed),
            (
                "full heads and segment during a checkpoint",
                checkpointing(Facts { segment_bytes: 50, ..HEADS_FULL }),
                ROTATE,
            ),
            ("full heads, a moment after a failure", after(Paused, HEADS_FULL), Proceed),
            ("full heads, no room for a segment", after(full, HEADS_FULL), Proceed),
            ("overdue", OVERDUE, FREEZE),
            ("overdue, a moment after a failure", after(Paused, OVERDUE), FREEZE),
            ("overdue, not synced", after(Paused, unsynced(OVERDUE)), SyncFirst),
            ("overdue, no room for a segment", after(full, OVERDUE), Refuse(no_room)),
            ("overdue, no segment", after(broken, OVERDUE), Refuse(Unavailable::Stalled)),
            ("outrun", checkpointing(OVERDUE), WaitForCheckpoint),
            (
                "outrun, with a full segment",
                checkpointing(Facts { segment_bytes: 50, ..OVERDUE }),
                WaitForCheckpoint,
            ),
            ("outrun, not synced", unsynced(checkpointing(OVERDUE)), SyncFirst),
            (
                "outrun, not synced, checkpoints fail",
                unsynced(failing(no_room, OVERDUE)),
                SyncFirst,
            ),
            ("outrun, no room for a checkpoint", failing(no_room, OVERDUE), Refuse(no_room)),
            (
                "outrun, checkpoints fail",
                failing(Unavailable::Stalled, OVERDUE),
                Refuse(Unavailable::Stalled),
            ),
            ("checkpoints fail, but there is room", failing(no_room, HEADS_FULL), Proceed),
            ("a limit beyond counting", Facts { log_limit: u64::MAX, ..OVERDUE }, Proceed),
        ];
        for (what, facts, expected) in cases {
            assert_eq!(decide(&facts), expected, "{what}");
        }
    }
}
