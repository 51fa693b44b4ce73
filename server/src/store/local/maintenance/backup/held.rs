//! What a server that goes on answers a backup.

use std::io;
use std::sync::Arc;

use super::source_files::SourceFiles;
use crate::store::PutError;
use crate::store::local::file_list::FileList;
use crate::store::local::file_name::FileName;
use crate::store::local::state::StoreState;

/// Why a server does not let its files be copied. The text is for the operator: one sentence.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// One backup at a time.
    #[error("another backup of it is being made, or it is about to end; wait for that")]
    Busy,
    /// No new segment can be begun.
    #[error("it can't begin a new log file: {0}; mend that, or stop it and start the backup again")]
    NoSegment(#[from] PutError),
    /// Its directory can't be read.
    #[error("it can't read its data directory: {0}")]
    Unreadable(#[from] io::Error),
}

/// The files with all that was committed before the newest segment was begun, as a text for the command
/// that copies them. They are to be held.
///
/// # Errors
/// When the directory can't be read.
pub fn snapshot(state: &StoreState) -> io::Result<String> {
    // Before the parts: what is closed is in one of them, or in a segment that is there.
    let closed = state.newest_segment().saturating_sub(1);
    let parts = Arc::clone(&state.memory().parts);
    let checkpointed = parts.last().map_or(0, |part| *part.segments().end());
    let series_end = state.index().end();
    let list =
        FileList::new(closed.max(checkpointed), series_end, parts.iter().map(|part| &**part));
    let present = parts.iter().filter(|part| !part.is_absent());
    let mut names: Vec<_> = present.map(ToString::to_string).collect();
    let mut segments: Vec<_> = state
        .disk()
        .list()?
        .into_iter()
        .filter(|name| match FileName::parse(name) {
            FileName::Segment(id) => id > checkpointed && id <= closed,
            _ => false,
        })
        .collect();
    segments.sort_unstable();
    names.append(&mut segments);
    Ok(SourceFiles { names, list: Some(list), losses: state.memory().losses_in_log() as u64 }
        .encode())
}
