//! Following: the newest commits in memory, for all followers together.
//!
//! The committer hands each commit to one ring, in the step that makes its points visible. A
//! follower is a place in the ring and a set of series; there are no queues, so a hundred followers
//! that do not read cost no more than one. The ring is filled only while there are followers.
//!
//! A follower of few series is found by the series of a commit, and is woken and looks only when a
//! commit concerns it; one of many series looks through all commits. As long as there are none of
//! many, only what the others watch is kept, by series and for many commits together.

pub mod commit;
pub mod followers;
pub mod gathered;
mod hits;
mod pacing;
mod retired_keys;
mod ring;
pub mod series_set;
pub mod snapshots;
pub mod watches;
