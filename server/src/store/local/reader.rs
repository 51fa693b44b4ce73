//! Reading: series by series, each a snapshot taken when its turn comes.

mod buckets;
mod known_damage;
mod newest;
mod newest_points;
mod percentile;
pub mod selection;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use shared::KeyBuf;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::{JoinError, JoinHandle, spawn, spawn_blocking};
use tokio_util::sync::PollSemaphore;
use tokio_util::task::AbortOnDropHandle;

use super::follow::snapshots::Snapshots;
use super::part::chunk_reader::ChunkReader;
use super::series::merge::Merge;
use super::series::series_index::SeriesId;
use super::state::StoreState;
use super::state::piece::Piece;
use crate::low_priority;
use crate::store::query::{KeySelection, Query, Select, Window};
use crate::store::{Block, Cursor, MAX_BLOCK_POINTS, ReadError};
use buckets::BucketReader;
use known_damage::KnownDamage;
use newest_points::{InChunk, Known, NewestPoints};
use selection::SeriesSelection;

/// Points from which on a step of reading ends: half of what a block may have, because a client that takes
/// nothing has them held; a chunk that has more is a step of its own.
const STEP_POINTS: usize = MAX_BLOCK_POINTS / 2;

/// Points that are only read for so many take as long as one that is answered.
const READ_PER_POINT: usize = 4;

/// A chunk of which one point is wanted takes as long as so many points that are answered, and more for
/// each so many that are before it.
const OPENED_AS_POINTS: usize = 30;
const UNPACKED_PER_POINT: usize = 40;

/// The answer to a `get`. Chunks are read and unpacked on other threads, after the first step on those of low
/// priority unless the answer is brief. For some answers at a time the next step is read before it is asked for.
#[derive(Debug)]
pub struct LocalReader {
    is_brief: bool,
    ready: VecDeque<Block>,
    next: Next,
    /// The right to hold the next step besides.
    ahead: Option<OwnedSemaphorePermit>,
    permits: PollSemaphore,
    /// The right to hold points in memory, from the first step to the end.
    permit: Option<OwnedSemaphorePermit>,
}

/// The step after the blocks that are ready.
#[derive(Debug)]
enum Next {
    /// It is the first one.
    First(Box<Position>),
    /// The first one waits for its turn, or is read.
    FirstStep(AbortOnDropHandle<Result<StepOutcome, JoinError>>),
    Idle(Box<Position>),
    Reading(JoinHandle<StepOutcome>),
    Done,
}

/// Where a step has ended, and what it has read.
type StepOutcome = (Box<Position>, Result<Step, ReadError>);

/// The position of a reader.
#[derive(Debug)]
struct Position {
    state: Arc<StoreState>,
    select: Select,
    /// Points before it are too old.
    cutoff: i64,
    selection: SeriesSelection,
    /// What is known to be damaged is none of what is selected.
    is_checked: bool,
    newest: NewestPoints,
    chunks: ChunkReader,
    /// The next series, already found, and what is known of them.
    series: VecDeque<(SeriesId, KeyBuf, Known)>,
    current: Option<(KeyBuf, Points)>,
    /// Of which commit each snapshot is, if that is to be known.
    snapshots: Option<Arc<Mutex<Snapshots>>>,
}

/// What is left of a series.
#[derive(Debug)]
enum Points {
    /// One, or none any more, for which so many were read.
    One { point: Option<shared::Point>, read: usize },
    /// Points as they are stored, without so many of the first.
    Stored { merge: Merge<Piece>, skip: u64 },
    /// A point for each bucket.
    Buckets(Box<BucketReader>),
}

impl LocalReader {
    /// Reads what is selected.
    pub fn new(state: Arc<StoreState>, query: Query) -> Self {
        let selection = SeriesSelection::new(query.keys, &state.index());
        let cutoff = state.config().cutoff();
        Self::with(state, selection, query.select, cutoff, None)
    }

    /// Reads the points of a window. When all are read, the snapshots say of which commit those of
    /// each series are.
    pub fn with_snapshots(
        state: Arc<StoreState>,
        keys: KeySelection,
        window: Window,
    ) -> (Self, Arc<Mutex<Snapshots>>) {
        let index = state.index();
        let selection = SeriesSelection::of_follower(keys, &index);
        let cutoff = state.config().cutoff();
        let window = window.since(cutoff);
        let snapshots = Arc::new(Mutex::new(Snapshots::new(index.end(), window)));
        drop(index);
        let select = Select::Points(window);
        (Self::with(state, selection, select, cutoff, Some(Arc::clone(&snapshots))), snapshots)
    }

    fn with(
        state: Arc<StoreState>,
        selection: SeriesSelection,
        select: Select,
        cutoff: i64,
        snapshots: Option<Arc<Mutex<Snapshots>>>,
    ) -> Self {
        let permits = PollSemaphore::new(state.reads());
        let position = Position {
            select,
            cutoff,
            selection,
            is_checked: false,
            newest: NewestPoints::default(),
            chunks: ChunkReader::default(),
            series: VecDeque::new(),
            current: None,
            snapshots,
            state,
        };
        let is_brief = position.select.is_brief();
        let next = Next::First(Box::new(position));
        let ready = VecDeque::new();
        Self { is_brief, ready, next, ahead: None, permits, permit: None }
    }

    /// The next block, or `None` at the end, as soon as it is read.
    ///
    /// # Errors
    /// As for [`Cursor::next_block`].
    pub fn poll_next_block(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Block>, ReadError>> {
        loop {
            if let Some(block) = self.ready.pop_front() {
                return Poll::Ready(Ok(Some(block)));
            }
            if matches!(self.next, Next::First(_)) && self.permit.is_none() {
                self.permit = ready!(self.permits.poll_acquire(context));
            }
            let outcome = match &mut self.next {
                Next::FirstStep(step) => Some(ready!(Pin::new(step).poll(context)).flatten()),
                Next::Reading(step) => Some(ready!(Pin::new(step).poll(context))),
                Next::First(_) | Next::Idle(_) | Next::Done => None,
            };
            match (std::mem::replace(&mut self.next, Next::Done), outcome) {
                // Most answers are one step, and the processor may be busy with other programs.
                (Next::First(position), _) if self.is_brief => {
                    self.next = Next::Reading(spawn_blocking(position.into_step()));
                }
                (Next::First(position), _) => {
                    self.next =
                        Next::FirstStep(AbortOnDropHandle::new(spawn(position.read_first())));
                }
                (Next::Idle(position), _) => self.read_on(position),
                (_, Some(outcome)) => {
                    let (position, step) =
                        outcome.map_err(|error| ReadError::Aborted(error.to_string()))?;
                    let step = step?;
                    self.ready = step.blocks;
                    self.ahead = None;
                    if !step.is_last {
                        self.ahead = position.state.try_read_ahead();
                        match self.ahead {
                            Some(_) => self.read_on(position),
                            None => self.next = Next::Idle(position),
                        }
                    }
                }
                _ => {
                    self.permit = None;
                    return Poll::Ready(Ok(None));
                }
            }
        }
    }
}

impl LocalReader {
    fn read_on(&mut self, position: Box<Position>) {
        self.next = Next::Reading(if self.is_brief {
            spawn_blocking(position.into_step())
        } else {
            low_priority::run(position.into_step())
        });
    }
}

impl Cursor for LocalReader {
    async fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        poll_fn(|context| self.poll_next_block(context)).await
    }
}

impl Position {
    /// The work of the next step.
    fn into_step(mut self: Box<Self>) -> impl FnOnce() -> StepOutcome + Send {
        move || {
            let step = self.read();
            (self, step)
        }
    }

    /// Reads the first step when it is its turn: a task, because the turn of one that is not asked
    /// for its blocks would never end.
    async fn read_first(self: Box<Self>) -> Result<StepOutcome, JoinError> {
        let turn = self.state.first_steps().acquire_owned().await;
        let step = self.into_step();
        spawn_blocking(move || {
            let _turn = turn;
            step()
        })
        .await
    }

    /// The next step.
    fn read(&mut self) -> Result<Step, ReadError> {
        let mut step = Step::default();
        if !std::mem::replace(&mut self.is_checked, true) {
            self.check_damage()?;
        }
        while step.work < STEP_POINTS {
            if let Some((key, points)) = &mut self.current {
                // Two blocks would be held where one is enough.
                if step.work > 0 && step.work + points.upcoming() > STEP_POINTS {
                    break;
                }
                match points.next(&mut step.work).map_err(|error| error.of_key(key))? {
                    Some(points) => step.push_all(key, points),
                    None => self.current = None,
                }
                continue;
            }
            match self.series.pop_front() {
                Some((_, key, Known::Point(point))) => step.push(&key, &[point]),
                Some((_, _, Known::None)) => {}
                Some((series, key, Known::InChunk(newest))) => {
                    let found = self.find_in_chunk(&newest, &mut step);
                    match found.map_err(|error| error.of_key(&key))? {
                        Some(point) => step.push(&key, &[point]),
                        // It is damaged, which matters unless there is a newer point.
                        None => self.begin_current(series, key)?,
                    }
                }
                Some((series, key, Known::Unknown)) => self.begin_current(series, key)?,
                None if self.find_series(&mut step) => {}
                None => {
                    step.is_last = true;
                    break;
                }
            }
        }
        step.finish();
        Ok(step)
    }

    /// Finds the next series. Answers whether there may be more.
    fn find_series(&mut self, step: &mut Step) -> bool {
        let Some(found) = self.selection.next_batch(&self.state.index()) else { return false };
        let Self { state, series, .. } = self;
        match self.select {
            Select::Newest { count, to, or_later } if count.get() == 1 => {
                let window = Window { from: self.cutoff, to };
                self.newest.look(state, window, or_later, found, |id, key, known| match known {
                    Known::None => {}
                    Known::Point(point) if series.is_empty() => step.push(&key, &[point]),
                    known => series.push_back((id, key, known)),
                });
            }
            _ => series.extend(found.into_iter().map(|(id, key)| (id, key, Known::Unknown))),
        }
        true
    }

    /// The newest point of a series, when that is in a chunk; `None` when the chunk is damaged.
    fn find_in_chunk(
        &mut self,
        newest: &InChunk,
        step: &mut Step,
    ) -> Result<Option<shared::Point>, ReadError> {
        let Select::Newest { to, .. } = self.select else { return Ok(None) };
        let next = self.series.iter().map_while(|(_, _, known)| match known {
            Known::InChunk(next) => Some(&next.chunk),
            _ => None,
        });
        let found = self.chunks.last_until(&newest.chunk, to, next)?;
        step.work += OPENED_AS_POINTS + self.chunks.take_unpacked() / UNPACKED_PER_POINT;
        Ok(found.map(|point| newest.newest(point)))
    }

    /// Fails when anything that is selected is known to be damaged, so that nothing of the answer is out.
    fn check_damage(&mut self) -> Result<(), ReadError> {
        let window = self.needed_window();
        let mut damage = KnownDamage::within(&self.state, window);
        if damage.is_empty() {
            return Ok(());
        }
        let keys = self.selection.keys().clone();
        damage.check_unnamed(&self.state, &keys, window)?;
        let state = Arc::clone(&self.state);
        while let Some(series) = damage.next_series(&state.index(), &keys) {
            for (series, key) in series {
                self.check_series(series).map_err(|error| error.of_key(&key))?;
            }
        }
        Ok(())
    }

    /// What of a series may be needed.
    fn needed_window(&self) -> Window {
        let all = Window::ALL.since(self.cutoff);
        match self.select {
            Select::Newest { or_later: true, .. } => all,
            Select::Newest { to, or_later: false, .. } => all.until(to),
            Select::Buckets { window, how, .. } if buckets::needs_neighbour(how) => {
                if window.is_empty() { window } else { all.until(window.to) }
            }
            Select::Points(window) | Select::Buckets { window, .. } => window.since(self.cutoff),
        }
    }

    /// Fails when anything that is selected of a series can't be read.
    fn check_series(&mut self, series: SeriesId) -> Result<(), ReadError> {
        if let Select::Points(window) = self.select {
            let pieces = self.state.snapshot(series, window.since(self.cutoff));
            return pieces.iter().try_for_each(Piece::check);
        }
        // What these need is known when they are read.
        let mut work = 0;
        if let Some(mut points) = self.begin(series)? {
            while points.next(&mut work)?.is_some() {}
        }
        Ok(())
    }

    fn begin_current(&mut self, series: SeriesId, key: KeyBuf) -> Result<(), ReadError> {
        let points = self.begin(series).map_err(|error| error.of_key(&key))?;
        self.current = points.map(|points| (key, points));
        Ok(())
    }

    /// Begins to read a series; `None` when nothing of it is selected.
    fn begin(&mut self, series: SeriesId) -> Result<Option<Points>, ReadError> {
        let stored =
            |window, skip, pieces| Points::Stored { merge: Merge::within(window, pieces), skip };
        Ok(match self.select {
            Select::Points(window) => {
                let window = window.since(self.cutoff);
                let (commit, pieces) = self.state.snapshot_of_commit(series, window);
                if let Some(snapshots) = &self.snapshots {
                    snapshots.lock().unwrap_or_else(PoisonError::into_inner).note(series, commit);
                }
                (!pieces.is_empty()).then(|| stored(window, 0, pieces))
            }
            Select::Newest { count, to, or_later } => {
                let all = Window::ALL.since(self.cutoff);
                let pieces =
                    self.state.snapshot(series, if or_later { all } else { all.until(to) });
                if count.get() == 1 {
                    let chunks = &mut self.chunks;
                    let mut newest = newest::find_newest(&pieces, all.until(to), chunks)?;
                    if newest.is_none() && or_later {
                        newest = newest::find_newest(&pieces, all, chunks)?;
                    }
                    let read = chunks.take_unpacked();
                    return Ok(newest.map(|point| Points::One { point: Some(point), read }));
                }
                let mut start = newest::find_start(&pieces, all.until(to), count)?;
                if start.is_none() && or_later {
                    start = newest::find_start(&pieces, all, count)?;
                }
                start.map(|start| stored(start.window, start.skip, pieces))
            }
            Select::Buckets { window, step, how } => {
                let visible = Window::ALL.since(self.cutoff).until(window.to);
                let window = window.since(self.cutoff);
                // A rate counts from the point before the window.
                let read = if buckets::needs_neighbour(how) { visible } else { window };
                let pieces = self.state.snapshot(series, read);
                let reader = BucketReader::new(pieces, window, self.cutoff, step, how)?;
                reader.map(|reader| Points::Buckets(Box::new(reader)))
            }
        })
    }
}

impl Points {
    /// About how many points are next.
    fn upcoming(&self) -> usize {
        match self {
            Self::Stored { merge, .. } => merge.upcoming(Piece::count),
            Self::One { .. } | Self::Buckets(_) => 0,
        }
    }

    /// The next points, maybe none yet, or `None` at the end. Adds to the `work` of a step what is
    /// read without being answered.
    fn next(&mut self, work: &mut usize) -> Result<Option<Vec<shared::Point>>, ReadError> {
        match self {
            Self::Buckets(reader) => {
                let points = reader.next_block();
                *work += reader.take_read() / READ_PER_POINT;
                points
            }
            Self::One { point, read } => {
                *work += std::mem::take(read) / READ_PER_POINT;
                Ok(point.take().map(|point| vec![point]))
            }
            Self::Stored { merge, skip } => {
                while *skip > 0 {
                    if let Some(piece) =
                        merge.next_source_if(|piece| piece.is_whole() && piece.count() <= *skip)
                    {
                        *skip -= piece.count();
                        continue;
                    }
                    let Some(mut points) = merge.next_run()? else { return Ok(None) };
                    let skipped = usize::try_from(*skip).unwrap_or(usize::MAX).min(points.len());
                    *skip -= skipped as u64;
                    if skipped < points.len() {
                        return Ok(Some(points.split_off(skipped)));
                    }
                }
                merge.next_block()
            }
        }
    }
}

/// The blocks of a step, maybe none.
#[derive(Debug, Default)]
struct Step {
    blocks: VecDeque<Block>,
    last: Block,
    /// In points that are answered.
    work: usize,
    /// Nothing is left.
    is_last: bool,
}

impl Step {
    /// Takes many points without copying them, where that can be.
    fn push_all(&mut self, key: &KeyBuf, points: Vec<shared::Point>) {
        if self.last.is_empty() && points.len() <= self.last.room() {
            self.work += points.len();
            self.last = Block::of(key.clone(), points);
        } else {
            self.push(key, &points);
        }
    }

    fn push(&mut self, key: &KeyBuf, mut points: &[shared::Point]) {
        self.work += points.len();
        while !points.is_empty() {
            if self.last.room() == 0 {
                self.blocks.push_back(std::mem::take(&mut self.last));
            }
            let (now, later) = points.split_at(points.len().min(self.last.room()));
            self.last.push(key, now);
            points = later;
        }
    }

    fn finish(&mut self) {
        if !self.last.is_empty() {
            self.blocks.push_back(std::mem::take(&mut self.last));
        }
    }
}
