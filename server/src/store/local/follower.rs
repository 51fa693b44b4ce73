//! One follower: its series, and its place among the commits.

pub mod deletions;

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use super::follow::commit::{Commit, CommitId};
use super::follow::followers::Next;
use super::follow::gathered::Gathered;
use super::follow::series_set::SeriesSet;
use super::follow::snapshots::Snapshots;
use super::follow::watches::FollowerId;
use super::reader::LocalReader;
use super::series::series_index::{SeriesId, SeriesIndex};
use super::state::StoreState;
use crate::store::query::{KeySelection, Window};
use crate::store::{Block, Change, EachChange, FollowError, FollowProgress, Follower, ReadError};

/// Most series of a follower that is found by them. One of more looks through every commit.
const MAX_NARROW: usize = 64;

/// Keys that are compared with a pattern in one go, which holds the lock of the index.
const MATCHED_AT_ONCE: SeriesId = 4096;

/// Changes that are looked at in one go, which holds the lock of the index.
const EXAMINED_AT_ONCE: usize = 4096;

/// Changes that are looked at before others get their turn.
const MAX_EXAMINED: usize = 64 * 1024;

/// A follower of a local store.
#[derive(Debug)]
pub struct LocalFollower {
    state: Arc<StoreState>,
    id: FollowerId,
    /// Only later commits are told.
    start: CommitId,
    keys: KeySelection,
    /// The series whose keys are selected, of those below `matched_to`. Not used for all keys.
    series: SeriesSet,
    matched_to: SeriesId,
    /// What the index had at the beginning is matched before anything is told.
    first_matched: SeriesId,
    history: Option<History>,
    /// What the history has of the commits up to this one.
    snapshots: Option<(Snapshots, CommitId)>,
    /// Changes that were told of the commit that is being told.
    told: usize,
    /// The commit that was told last, until the others hear of it.
    done: Option<CommitId>,
    /// The last commit to be told.
    end: Option<CommitId>,
}

/// The points from before.
#[derive(Debug)]
struct History {
    reader: LocalReader,
    /// What was read last, and how many points of it are told.
    block: Option<(Block, usize)>,
    snapshots: Arc<Mutex<Snapshots>>,
}

impl LocalFollower {
    /// Follows the selected series: their points in the window `history`, then what changes from now
    /// on.
    pub fn new(state: Arc<StoreState>, keys: KeySelection, history: Window) -> Self {
        let memory = state.memory();
        let start = memory.commit;
        let id = state.followers().register(start);
        drop(memory);
        // Each snapshot is of this commit or a later one, so that nothing is between it and the news.
        let history =
            (!history.is_empty()).then(|| History::new(Arc::clone(&state), keys.clone(), history));
        let first_matched = state.index().end();
        Self {
            state,
            id,
            start,
            keys,
            series: SeriesSet::default(),
            matched_to: 0,
            first_matched,
            history,
            snapshots: None,
            told: 0,
            done: None,
            end: None,
        }
    }
}

impl History {
    fn new(state: Arc<StoreState>, keys: KeySelection, window: Window) -> Self {
        let (reader, snapshots) = LocalReader::with_snapshots(state, keys, window);
        Self { reader, block: None, snapshots }
    }

    /// Reads the next block, unless there is one. Answers whether there is one now.
    fn poll_block(&mut self, context: &mut Context<'_>) -> Poll<Result<bool, ReadError>> {
        if self.block.is_none() {
            self.block = ready!(self.reader.poll_next_block(context))?.map(|block| (block, 0));
        }
        Poll::Ready(Ok(self.block.is_some()))
    }

    /// Tells the rest of the block.
    fn tell(&mut self, each: &mut EachChange<'_>) -> ControlFlow<()> {
        let Some((block, told)) = &mut self.block else { return ControlFlow::Continue(()) };
        let mut start = 0;
        for (key, points) in block.series() {
            for &point in points.iter().skip(told.saturating_sub(start)) {
                *told += 1;
                each(key, Change::Put(point))?;
            }
            start += points.len();
        }
        self.block = None;
        ControlFlow::Continue(())
    }
}

impl Follower for LocalFollower {
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ReadError>> {
        match &mut self.history {
            Some(history) => history.poll_block(context).map_ok(|_| ()),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        each: &mut EachChange<'_>,
    ) -> Poll<Result<FollowProgress, FollowError>> {
        let mut has_told = false;
        let mut each = |key: shared::Key<'_>, change| {
            has_told = true;
            each(key, change)
        };
        if self.first_matched > 0 {
            if !self.match_keys(self.first_matched) {
                return Poll::Ready(Ok(FollowProgress::More));
            }
            self.first_matched = 0;
        }
        while let Some(history) = &mut self.history {
            if self.state.followers().has_lagged(self.id, context.waker()) {
                return Poll::Ready(Err(FollowError::Lagged));
            }
            if ready!(history.poll_block(context))? {
                let _ = history.tell(&mut each);
                return Poll::Ready(Ok(FollowProgress::More));
            }
            let mut snapshots = history.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
            let snapshots_end = self.state.memory().commit;
            let taken = std::mem::replace(&mut *snapshots, Snapshots::new(0, Window::EMPTY));
            drop(snapshots);
            self.snapshots = Some((taken, snapshots_end));
            self.history = None;
        }
        loop {
            let next = self.state.followers().next(self.id, self.done.take(), context.waker());
            match next {
                Next::Lagged => return Poll::Ready(Err(FollowError::Lagged)),
                Next::Commit { number, commit, is_searched }
                    if self.end.is_none_or(|end| number <= end) =>
                {
                    let matched_to = self.matched_to;
                    if !self.match_keys(commit.series_end()) {
                        return Poll::Ready(Ok(FollowProgress::More));
                    }
                    if self.matched_to != matched_to {
                        // The commit may have gone meanwhile, and retired keys with it.
                        continue;
                    }
                    self.snapshots.take_if(|(_, end)| number > *end);
                    if self.tell(number, &commit, is_searched, &mut each).is_break() {
                        return Poll::Ready(Ok(FollowProgress::More));
                    }
                    self.done = Some(number);
                }
                Next::Gathered(gathered) if self.end.is_none_or(|end| gathered.first() <= end) => {
                    self.snapshots.take_if(|(_, end)| gathered.first() > *end);
                    if self.tell_gathered(&gathered, &mut each).is_break() {
                        return Poll::Ready(Ok(FollowProgress::More));
                    }
                    self.done = Some(gathered.next() - 1);
                }
                _ if self.end.is_some() => return Poll::Ready(Ok(FollowProgress::Finished)),
                _ if has_told => return Poll::Ready(Ok(FollowProgress::More)),
                _ => return Poll::Pending,
            }
        }
    }

    fn poll_lagged(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.state.followers().has_lagged(self.id, context.waker()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn finish(&mut self) {
        let newest = self.state.memory().commit;
        self.end.get_or_insert(newest);
    }
}

impl LocalFollower {
    /// Compares the keys of more series with those that are selected. Answers whether all below the
    /// id `end` are done.
    fn match_keys(&mut self, end: SeriesId) -> bool {
        if self.matched_to >= end {
            return true;
        }
        let index = self.state.index();
        let all = self.matched_to..end.max(index.end());
        let range = match &self.keys {
            KeySelection::All => return true,
            KeySelection::One(key) => {
                self.series.extend(index.find(key.as_key()));
                all
            }
            KeySelection::Glob(glob) => {
                let part = all.start..all.end.min(all.start.saturating_add(MATCHED_AT_ONCE));
                let is_match =
                    |&id: &SeriesId| index.key(id).is_some_and(|key| glob.matches(key.as_str()));
                self.series.extend(part.clone().filter(is_match));
                part
            }
        };
        drop(index);
        // The key of a series that leaves the index is here before.
        for first in range.clone().step_by(MATCHED_AT_ONCE as usize) {
            let part = first..range.end.min(first.saturating_add(MATCHED_AT_ONCE));
            let retired = self.state.followers().retired_keys(part, self.start).into_iter();
            let retired = retired.filter(|(_, key)| self.keys.matches(key.as_key()));
            self.series.extend(retired.map(|(series, _)| series));
        }
        self.matched_to = range.end;
        let is_done = self.matched_to >= end;
        if is_done {
            let is_narrow = self.series.len() <= MAX_NARROW;
            let series = is_narrow.then(|| self.series.iter().collect::<Vec<_>>());
            self.state.followers().watch(self.id, self.matched_to, series.as_deref());
        }
        is_done
    }

    /// Tells the rest of a commit, of which only the hits have to be looked at if it `is_searched`.
    fn tell(
        &mut self,
        number: CommitId,
        commit: &Commit,
        is_searched: bool,
        each: &mut EachChange<'_>,
    ) -> ControlFlow<()> {
        if let Some(hits) = commit.hits().filter(|_| is_searched) {
            let mut places = Vec::new();
            for series in self.series.iter() {
                places.extend(hits.places(series));
            }
            places.sort_unstable();
            let first = places.partition_point(|&place| place < self.told);
            let index = self.state.index();
            for &place in &places[first..] {
                self.told = place + 1;
                if let Some((series, change)) = commit.get(place)
                    && !is_history(self.snapshots.as_ref(), series, number, change)
                {
                    tell_one(&self.state, &index, series, change, each)?;
                }
            }
        } else {
            let end = commit.len().min(self.told + MAX_EXAMINED);
            while self.told < end {
                self.tell_some(number, commit, each)?;
            }
            if end < commit.len() {
                return ControlFlow::Break(());
            }
        }
        self.told = 0;
        ControlFlow::Continue(())
    }

    /// Tells the rest of the points of several commits, as far as the last that is to be told.
    fn tell_gathered(&mut self, gathered: &Gathered, each: &mut EachChange<'_>) -> ControlFlow<()> {
        let end = self.end.unwrap_or(CommitId::MAX);
        // Grouped before the index is locked: others wait for the index.
        let points = gathered.points(self.series.iter()).skip(self.told);
        let index = self.state.index();
        for (number, series, point) in points.take_while(|&(number, ..)| number <= end) {
            self.told += 1;
            let change = Change::Put(point);
            if !is_history(self.snapshots.as_ref(), series, number, change) {
                tell_one(&self.state, &index, series, change, each)?;
            }
        }
        drop(index);
        self.told = 0;
        ControlFlow::Continue(())
    }

    /// Looks at the next changes of a commit and tells those that are selected.
    fn tell_some(
        &mut self,
        number: CommitId,
        commit: &Commit,
        each: &mut EachChange<'_>,
    ) -> ControlFlow<()> {
        let Self { state, keys, series, snapshots, told, .. } = self;
        let (end, is_all) = (*told + EXAMINED_AT_ONCE, *keys == KeySelection::All);
        let index = state.index();
        let mut is_full = false;
        let _ = commit.for_each(*told, |place, id, change| {
            if place == end {
                return ControlFlow::Break(());
            }
            *told = place + 1;
            if (is_all || series.contains(id))
                && !is_history(snapshots.as_ref(), id, number, change)
            {
                let told = tell_one(state, &index, id, change, each);
                is_full = told.is_break();
                return told;
            }
            ControlFlow::Continue(())
        });
        if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Whether the history has a change that a commit made to a series.
fn is_history(
    snapshots: Option<&(Snapshots, CommitId)>,
    series: SeriesId,
    commit: CommitId,
    change: Change,
) -> bool {
    let timestamp = match change {
        Change::Put(point) => point.timestamp,
        Change::Deleted(timestamp) => timestamp,
    };
    snapshots.is_some_and(|(snapshots, _)| snapshots.contain(series, commit, timestamp))
}

fn tell_one(
    state: &StoreState,
    index: &SeriesIndex,
    series: SeriesId,
    change: Change,
    each: &mut EachChange<'_>,
) -> ControlFlow<()> {
    if let Some(key) = index.key(series) {
        return each(key.as_key(), change);
    }
    match state.followers().retired_key(series) {
        Some(key) => each(key.as_key(), change),
        // The commit has gone meanwhile, and the key with it: the follower has lagged.
        None => ControlFlow::Break(()),
    }
}

impl Drop for LocalFollower {
    fn drop(&mut self) {
        self.state.followers().deregister(self.id);
    }
}
