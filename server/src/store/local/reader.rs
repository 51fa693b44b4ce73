//! Reading: series by series, each a snapshot taken when its turn comes.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use shared::KeyBuf;
use tokio::task::JoinHandle;

use super::series::merge::Merge;
use super::series::series_index::SeriesId;
use super::state::{Piece, StoreState};
use crate::store::{Block, Cursor, ReadError};

/// Points from which on a step of reading ends. A reader holds up to two steps.
const STEP_POINTS: usize = 16 * 1024;

/// The answer to a `get`. Chunks are read and unpacked on the blocking threads of the runtime, a
/// step ahead of the caller.
#[derive(Debug)]
pub struct LocalReader {
    ready: VecDeque<Block>,
    next: Next,
}

/// The step after the blocks that are ready.
#[derive(Debug)]
enum Next {
    Idle(Position),
    Reading(JoinHandle<(Position, Result<VecDeque<Block>, ReadError>)>),
    Done,
}

/// The position of a reader.
#[derive(Debug)]
struct Position {
    state: Arc<StoreState>,
    cutoff: i64,
    series: Range<SeriesId>,
    current: Option<(KeyBuf, Merge<Piece>)>,
}

impl LocalReader {
    /// Reads the series whose ids are in `series`.
    pub fn new(state: Arc<StoreState>, series: Range<SeriesId>) -> Self {
        let cutoff = state.config().cutoff();
        let position = Position { state, cutoff, series, current: None };
        Self { ready: VecDeque::new(), next: Next::Idle(position) }
    }
}

impl Cursor for LocalReader {
    async fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        loop {
            if let Some(block) = self.ready.pop_front() {
                return Ok(Some(block));
            }
            match std::mem::replace(&mut self.next, Next::Done) {
                Next::Done => return Ok(None),
                Next::Idle(position) => self.next = Next::Reading(position.spawn_read()),
                Next::Reading(reading) => {
                    let (position, blocks) =
                        reading.await.map_err(|error| ReadError::Aborted(error.to_string()))?;
                    self.ready = blocks?;
                    if !self.ready.is_empty() {
                        self.next = Next::Reading(position.spawn_read());
                    }
                }
            }
        }
    }
}

impl Position {
    fn spawn_read(mut self) -> JoinHandle<(Self, Result<VecDeque<Block>, ReadError>)> {
        tokio::task::spawn_blocking(move || {
            let blocks = self.read();
            (self, blocks)
        })
    }

    /// The blocks of the next step; none at the end.
    fn read(&mut self) -> Result<VecDeque<Block>, ReadError> {
        let (mut blocks, mut points) = (VecDeque::new(), 0);
        while points < STEP_POINTS {
            if let Some((key, merge)) = &mut self.current {
                if let Some(block) = merge.next_block()? {
                    points += block.len();
                    blocks.push_back(Block { key: key.clone(), points: block });
                    continue;
                }
                self.current = None;
            }
            let Some(series) = self.series.next() else { break };
            let snapshot = self.state.snapshot(series);
            self.current = snapshot.map(|(key, pieces)| (key, Merge::since(self.cutoff, pieces)));
        }
        Ok(blocks)
    }
}
