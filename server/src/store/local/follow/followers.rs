//! All followers, and the commits that are kept for them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use shared::KeyBuf;

use super::commit::{Commit, CommitId, Op};
use super::gathered::Gathered;
use super::hits::Hits;
use super::pacing::Pacing;
use super::retired_keys;
use super::ring::{Entry, Ring};
use super::watches::{FollowerId, Watches};
use crate::store::local::series::series_index::SeriesId;

/// All followers of a store. Its lock is taken inside that of the memory and that of the index,
/// and none inside its own.
#[derive(Debug)]
pub struct Followers {
    /// Raised under the lock of the memory, so that a commit which is published after a
    /// registration counts it.
    count: AtomicUsize,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    ring: Ring,
    watches: Watches,
    registrations: HashMap<FollowerId, Registration, RandomState>,
    next_id: FollowerId,
    /// Followers that look through every commit.
    wide: Vec<FollowerId>,
    /// The last commit that was searched.
    searched: CommitId,
    /// Followers with a series that they have watched only since a commit was searched that is not
    /// published yet. `None` when there is no such commit.
    late: Option<Vec<FollowerId>>,
    /// No follower needs an older commit, but those that have lagged.
    oldest_needed: CommitId,
    /// No follower of few series has yet to compare an older series with its keys.
    least_matched: SeriesId,
    /// To be woken.
    due: Vec<FollowerId>,
    pacing: Pacing,
    /// Bytes of the commits and retired keys since followers were woken.
    unseen_bytes: usize,
}

#[derive(Debug)]
struct Registration {
    /// The oldest commit that has to be looked at; `None` when there is none.
    next: Option<CommitId>,
    /// `next` is gone.
    has_lagged: bool,
    is_due: bool,
    waker: Option<Waker>,
    interest: Interest,
}

#[derive(Debug)]
enum Interest {
    /// Every commit is looked through.
    Wide,
    /// Few series are watched.
    Narrow {
        series: Vec<SeriesId>,
        /// Series below this id were compared with the keys.
        matched_to: SeriesId,
        /// From this commit on they are all found by the search.
        searched_from: CommitId,
    },
}

/// Memory that is no more needed, to be freed when no lock is held.
#[derive(Debug)]
pub struct Superseded {
    _ops: Vec<Op>,
    _entries: Vec<Entry>,
}

/// What a follower has to do next.
#[derive(Debug)]
pub enum Next {
    /// To look at a commit.
    Commit {
        /// Its number.
        number: CommitId,
        /// What it changed.
        commit: Arc<Commit>,
        /// All changes that concern the follower are among the hits, unless there are some of series
        /// that it has yet to compare with its keys.
        is_searched: bool,
    },
    /// To look at these points of several commits, among which are all that concern the follower.
    Gathered(Arc<Gathered>),
    /// To wait: the waker that was left is woken when there is more.
    Wait,
    /// To give up: a commit that it needs is gone.
    Lagged,
}

impl Followers {
    /// No followers; the commits and keys for those to come take at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            count: AtomicUsize::new(0),
            inner: Mutex::new(Inner {
                ring: Ring::new(limit),
                watches: Watches::default(),
                registrations: HashMap::default(),
                next_id: 0,
                wide: Vec::new(),
                searched: 0,
                late: None,
                oldest_needed: CommitId::MAX,
                least_matched: SeriesId::MAX,
                due: Vec::new(),
                pacing: Pacing::new(Instant::now()),
                unseen_bytes: 0,
            }),
        }
    }

    /// Bytes of the commits and keys that are kept.
    #[cfg(test)]
    pub fn kept_bytes(&self) -> usize {
        self.inner().ring.bytes()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// Looks for watched series among the changes of the commit that is to be published next.
    /// `None` when there are no followers.
    pub fn search(&self, commit: CommitId, ops: &[Op]) -> Option<Hits> {
        if self.is_empty() {
            return None;
        }
        let mut inner = self.inner();
        inner.searched = commit;
        inner.late = Some(Vec::new());
        Some(inner.watches.search(ops))
    }

    /// Hands a commit over. To be called, with what the search for it found, under the lock of the
    /// memory and in the step that makes the commit visible.
    pub fn publish(&self, commit: CommitId, ops: Vec<Op>, hits: Option<Hits>) -> Superseded {
        if self.is_empty() {
            return Superseded { _ops: ops, _entries: Vec::new() };
        }
        self.inner().publish(commit, ops, hits)
    }

    /// Wakes the followers that the last commits concern, after `points` more points, and frees what
    /// they need no more. Answers after how long it wants to be called again.
    pub fn wake(&self, points: u64, now: Instant) -> Option<Duration> {
        if self.is_empty() {
            return None;
        }
        let mut inner = self.inner();
        inner.pacing.note(points, now);
        if inner.due.is_empty() {
            return None;
        }
        // Followers that wait longer would find some of their commits gone.
        let is_urgent = inner.unseen_bytes > inner.ring.limit() / 2;
        if let Some(pause) = inner.pacing.pause(now).filter(|_| !is_urgent) {
            return Some(pause);
        }
        inner.unseen_bytes = 0;
        let wakers = inner.take_due();
        inner.pacing.note_woken(wakers.len(), now);
        drop(inner);
        wakers.into_iter().for_each(Waker::wake);
        None
    }

    /// Keeps the key of a series that is about to leave the index, in the room of the commits. To be
    /// called under the exclusive lock of the index; `commit` is the last one that may name the
    /// series.
    pub fn retire(&self, commit: CommitId, series: SeriesId, key: &KeyBuf) {
        if !self.is_empty() {
            let mut inner = self.inner();
            let removed = inner.retire(commit, series, key);
            drop(inner);
            drop(removed);
        }
    }

    /// The key of a series that the index has no more, as long as a commit that may name the series
    /// is kept.
    pub fn retired_key(&self, series: SeriesId) -> Option<KeyBuf> {
        self.inner().ring.retired().get(series).cloned()
    }

    /// The series of a range that the index has no more and that a commit after `commit` may name,
    /// and their keys.
    pub fn retired_keys(
        &self,
        series: Range<SeriesId>,
        commit: CommitId,
    ) -> Vec<(SeriesId, KeyBuf)> {
        let inner = self.inner();
        let keys = inner.ring.retired().range(series, commit);
        keys.map(|(id, key)| (id, key.clone())).collect()
    }

    /// Adds a follower that looks through every commit after `commit`, the newest one. To be called
    /// under the lock of the memory.
    pub fn register(&self, commit: CommitId) -> FollowerId {
        let mut inner = self.inner();
        if inner.registrations.is_empty() {
            inner.ring.restart(commit + 1);
        }
        // The follower must not find older points among its own.
        inner.ring.seal();
        let id = inner.next_id;
        inner.next_id += 1;
        let registration = Registration {
            next: None,
            has_lagged: false,
            is_due: false,
            waker: None,
            interest: Interest::Wide,
        };
        inner.registrations.insert(id, registration);
        inner.wide.push(id);
        self.count.fetch_add(1, Ordering::Relaxed);
        id
    }

    /// Says which series a follower is about, among those below the id `matched_to`: these few,
    /// among which are all that were said before, or `None` for many.
    pub fn watch(&self, id: FollowerId, matched_to: SeriesId, series: Option<&[SeriesId]>) {
        self.inner().watch(id, matched_to, series);
    }

    /// What a follower has to do next, when it has looked at the commit `done`.
    pub fn next(&self, id: FollowerId, done: Option<CommitId>, waker: &Waker) -> Next {
        self.inner().next(id, done, waker)
    }

    /// Whether a follower has to give up. When it has not, the waker is woken when it has, and
    /// perhaps before.
    pub fn has_lagged(&self, id: FollowerId, waker: &Waker) -> bool {
        let mut inner = self.inner();
        let oldest = inner.ring.oldest();
        let Some(registration) = inner.registrations.get_mut(&id) else { return true };
        registration.leave(waker);
        registration.next.is_some_and(|next| next < oldest)
    }

    /// Removes a follower.
    pub fn deregister(&self, id: FollowerId) {
        let mut inner = self.inner();
        let Some(registration) = inner.registrations.remove(&id) else { return };
        self.count.fetch_sub(1, Ordering::Relaxed);
        match &registration.interest {
            Interest::Wide => inner.wide.retain(|&other| other != id),
            Interest::Narrow { series, .. } => {
                for &series in series {
                    inner.watches.remove(series, id);
                }
            }
        }
        if inner.registrations.is_empty() {
            let next = inner.ring.next();
            let unused = inner.ring.restart(next);
            inner.due.clear();
            inner.unseen_bytes = 0;
            inner.oldest_needed = CommitId::MAX;
            inner.least_matched = SeriesId::MAX;
            drop(inner);
            drop(unused);
        }
    }
}

impl Inner {
    fn publish(&mut self, number: CommitId, ops: Vec<Op>, hits: Option<Hits>) -> Superseded {
        // The last follower may have gone this moment.
        if self.registrations.is_empty() {
            return Superseded { _ops: ops, _entries: Vec::new() };
        }
        let late = self.late.take();
        // All followers look at nothing but the hits.
        let of_hits = hits.as_ref().filter(|hits| {
            self.wide.is_empty()
                && late.as_ref().is_some_and(Vec::is_empty)
                && hits.series_end() <= self.least_matched
                && ops.iter().all(|op| matches!(op, Op::Points(_)))
        });
        let superseded = if let Some(hits) = of_hits {
            let before = self.ring.bytes();
            let mut new = Vec::new();
            let removed = self.ring.gather(&ops, hits, |series| new.push(series));
            self.unseen_bytes += self.ring.bytes().saturating_sub(before);
            self.mark_watching(number, new.into_iter());
            Superseded { _ops: ops, _entries: removed }
        } else {
            let commit = Arc::new(Commit::new(ops, hits));
            self.unseen_bytes += commit.bytes();
            let removed = self.ring.push(Arc::clone(&commit));
            if let Some(hits) = commit.hits() {
                self.mark_watching(number, hits.series());
                for id in late.into_iter().flatten().chain(self.wide.clone()) {
                    self.mark(id, number);
                }
                if commit.series_end() > self.least_matched {
                    self.mark_matching(number, commit.series_end());
                }
            } else {
                let all: Vec<_> = self.registrations.keys().copied().collect();
                for id in all {
                    self.mark(id, number);
                }
            }
            Superseded { _ops: Vec::new(), _entries: removed }
        };
        if self.ring.oldest() > self.oldest_needed {
            self.mark_lagged();
        }
        superseded
    }

    fn retire(&mut self, commit: CommitId, series: SeriesId, key: &KeyBuf) -> Vec<Entry> {
        self.unseen_bytes += retired_keys::bytes(key);
        let removed = self.ring.retire(commit, series, key);
        if self.ring.oldest() > self.oldest_needed {
            self.mark_lagged();
        }
        removed
    }

    /// Has the followers of some series look at a commit.
    fn mark_watching(&mut self, commit: CommitId, series: impl Iterator<Item = SeriesId>) {
        let watches = std::mem::take(&mut self.watches);
        for series in series {
            for &id in watches.followers(series) {
                self.mark(id, commit);
            }
        }
        self.watches = watches;
    }

    /// Has a follower look at a commit, unless it has to look at an older one first.
    fn mark(&mut self, id: FollowerId, commit: CommitId) {
        let Some(registration) = self.registrations.get_mut(&id) else { return };
        if registration.next.is_none() {
            registration.next = Some(commit);
            self.oldest_needed = self.oldest_needed.min(commit);
            if !std::mem::replace(&mut registration.is_due, true) {
                self.due.push(id);
            }
        }
    }

    /// Has the followers look at a commit that have not compared all its series with their keys.
    fn mark_matching(&mut self, commit: CommitId, series_end: SeriesId) {
        let mut matching = Vec::new();
        self.least_matched = SeriesId::MAX;
        for (&id, registration) in &self.registrations {
            if let Interest::Narrow { matched_to, .. } = registration.interest {
                self.least_matched = self.least_matched.min(matched_to);
                if series_end > matched_to {
                    matching.push(id);
                }
            }
        }
        for id in matching {
            self.mark(id, commit);
        }
    }

    /// Finds the followers that need a commit which is gone.
    fn mark_lagged(&mut self) {
        let oldest = self.ring.oldest();
        self.oldest_needed = CommitId::MAX;
        for (&id, registration) in &mut self.registrations {
            match registration.next {
                Some(next) if next >= oldest => {
                    self.oldest_needed = self.oldest_needed.min(next);
                }
                Some(_)
                    if !std::mem::replace(&mut registration.has_lagged, true)
                        && !std::mem::replace(&mut registration.is_due, true) =>
                {
                    self.due.push(id);
                }
                _ => {}
            }
        }
    }

    fn take_due(&mut self) -> Vec<Waker> {
        let Self { due, registrations, .. } = self;
        let due = due.drain(..).filter_map(|id| {
            let registration = registrations.get_mut(&id)?;
            registration.is_due = false;
            registration.waker.take()
        });
        due.collect()
    }

    fn watch(&mut self, id: FollowerId, matched: SeriesId, wanted: Option<&[SeriesId]>) {
        let Some(registration) = self.registrations.get_mut(&id) else { return };
        match (&mut registration.interest, wanted) {
            (Interest::Wide, None) => {}
            (Interest::Narrow { series, .. }, None) => {
                for &series in series.iter() {
                    self.watches.remove(series, id);
                }
                registration.interest = Interest::Wide;
                self.wide.push(id);
            }
            (interest, Some(wanted)) => {
                if matches!(interest, Interest::Wide) {
                    self.wide.retain(|&other| other != id);
                    *interest =
                        Interest::Narrow { series: Vec::new(), matched_to: 0, searched_from: 0 };
                    // A commit may have been searched before it was watched by this follower.
                    self.late.iter_mut().for_each(|late| late.push(id));
                }
                let Interest::Narrow { series, matched_to, searched_from } = interest else {
                    return;
                };
                *matched_to = matched;
                self.least_matched = self.least_matched.min(matched);
                if wanted.len() > series.len() {
                    for &new in wanted.iter().filter(|new| !series.contains(new)) {
                        self.watches.add(new, id);
                    }
                    *series = wanted.to_vec();
                    *searched_from = self.searched + 1;
                    self.late.iter_mut().for_each(|late| late.push(id));
                }
            }
        }
    }

    fn next(&mut self, id: FollowerId, done: Option<CommitId>, waker: &Waker) -> Next {
        let Self { ring, registrations, .. } = self;
        let Some(registration) = registrations.get_mut(&id) else { return Next::Lagged };
        let mut next = match (done, registration.next) {
            (Some(done), _) => Some(done + 1),
            (None, next) => next,
        };
        while let Some(number) = next.filter(|&number| number < ring.next()) {
            registration.next = Some(number);
            let interest = &registration.interest;
            match ring.get(number) {
                None => return Next::Lagged,
                Some(Entry::Whole(commit)) => {
                    if interest.concerns(number, commit) {
                        let is_searched = interest.is_searched(number, commit);
                        return Next::Commit { number, commit: Arc::clone(commit), is_searched };
                    }
                    next = Some(number + 1);
                }
                Some(Entry::Gathered(gathered)) => {
                    if interest.concerns_gathered(gathered) {
                        let gathered = Arc::clone(gathered);
                        // Later points would not be seen any more.
                        if gathered.next() == ring.next() {
                            ring.seal();
                        }
                        return Next::Gathered(gathered);
                    }
                    next = Some(gathered.next());
                }
            }
        }
        registration.next = None;
        registration.leave(waker);
        Next::Wait
    }
}

impl Registration {
    fn leave(&mut self, waker: &Waker) {
        match &mut self.waker {
            Some(own) => own.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }
}

impl Interest {
    /// Whether the changes of all watched series are among the hits of a commit.
    fn is_searched(&self, number: CommitId, commit: &Commit) -> bool {
        let searched = |from| number >= from && commit.hits().is_some();
        matches!(self, &Self::Narrow { searched_from, .. } if searched(searched_from))
    }

    /// Whether a commit has to be looked at.
    fn concerns(&self, number: CommitId, commit: &Commit) -> bool {
        match (self, commit.hits()) {
            (Self::Narrow { series, matched_to, searched_from }, Some(hits)) => {
                number < *searched_from
                    || commit.series_end() > *matched_to
                    || series.iter().any(|&series| hits.contain(series))
            }
            _ => true,
        }
    }

    /// Whether gathered points have to be looked at.
    fn concerns_gathered(&self, gathered: &Gathered) -> bool {
        match self {
            Self::Narrow { series, .. } => series.iter().any(|&series| gathered.contains(series)),
            Self::Wide => true,
        }
    }
}
