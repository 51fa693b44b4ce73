//! Batches that wait for the committer.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::record;
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::series::series_point::{SeriesPoint, SeriesWindow};
use crate::store::{PutError, Unavailable};

/// Most points of several batches that are committed together; bounds the memory of a commit.
const MAX_GROUP_POINTS: usize = 1 << 20;

/// What is to be committed.
#[derive(Debug)]
pub enum Work {
    /// Points are stored.
    Points(Vec<SeriesPoint>),
    /// Points are taken back.
    Deletes(Vec<SeriesWindow>),
    /// Those of these series that have no points are removed from the index. There is nothing to
    /// write.
    Retire(Vec<SeriesId>),
    /// A new segment is begun, so that all that was committed is in files that grow no more. There is
    /// nothing to write.
    CloseSegment,
}

impl Work {
    /// Its points; none when it is not about points that are stored.
    pub fn points(&self) -> &[SeriesPoint] {
        match self {
            Self::Points(points) => points,
            Self::Deletes(_) | Self::Retire(_) | Self::CloseSegment => &[],
        }
    }

    /// Takes its points out.
    pub fn take_points(&mut self) -> Vec<SeriesPoint> {
        match self {
            Self::Points(points) => std::mem::take(points),
            Self::Deletes(_) | Self::Retire(_) | Self::CloseSegment => Vec::new(),
        }
    }
}

/// Receives the outcome of work.
pub type Outcome = oneshot::Receiver<Result<(), PutError>>;

/// Work that waits for the committer.
#[derive(Debug)]
pub struct Submission {
    /// What is to be committed.
    pub work: Work,
    /// Its records, which belong to no segment yet.
    pub records: Vec<u8>,
    /// Receives the outcome.
    pub done: oneshot::Sender<Result<(), PutError>>,
}

/// The queue of the committer.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    submissions: Vec<Submission>,
    /// Why no more are taken.
    closed: Option<Unavailable>,
}

impl Queue {
    /// Adds work with its records, which belong to no segment yet. Answers what receives the outcome.
    ///
    /// # Errors
    /// Why the queue was closed.
    pub fn submit(&self, work: Work, records: Vec<u8>) -> Result<Outcome, Unavailable> {
        let (done, outcome) = oneshot::channel();
        let mut waiting = self.waiting();
        if let Some(why) = waiting.closed {
            return Err(why);
        }
        waiting.submissions.push(Submission { work, records, done });
        drop(waiting);
        self.arrived.notify_one();
        Ok(outcome)
    }

    /// Refuses further batches; those that wait are still taken.
    pub fn close(&self, why: Unavailable) {
        self.waiting().closed.get_or_insert(why);
        self.arrived.notify_one();
    }

    /// Why no more batches are taken; `None` when they are.
    pub fn closed(&self) -> Option<Unavailable> {
        self.waiting().closed
    }

    /// The batches that wait, oldest first, as soon as there is one: all of them, unless they have
    /// more than [`MAX_GROUP_POINTS`] points together. None of them when `limit` passes first, `None`
    /// when the queue is closed and empty.
    pub fn take(&self, limit: Option<Duration>) -> Option<Vec<Submission>> {
        let mut waiting = self.waiting();
        loop {
            if !waiting.submissions.is_empty() {
                return Some(take_group(&mut waiting.submissions));
            }
            if waiting.closed.is_some() {
                return None;
            }
            waiting = match limit {
                None => self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(limit) => {
                    let (waiting, timeout) = self
                        .arrived
                        .wait_timeout(waiting, limit)
                        .unwrap_or_else(PoisonError::into_inner);
                    if timeout.timed_out()
                        && waiting.submissions.is_empty()
                        && waiting.closed.is_none()
                    {
                        return Some(Vec::new());
                    }
                    waiting
                }
            };
        }
    }

    /// Gives points that wait other series, where `replace` has one.
    pub fn replace_series(&self, replace: impl Fn(SeriesId) -> Option<SeriesId>) {
        for Submission { work, records, .. } in &mut self.waiting().submissions {
            let Work::Points(points) = work else { continue };
            let mut is_changed = false;
            for point in points.iter_mut() {
                if let Some(series) = replace(point.series) {
                    point.series = series;
                    is_changed = true;
                }
            }
            if is_changed {
                records.clear();
                record::append_points(points, records);
            }
        }
    }

    /// Refuses the batches that wait.
    pub fn refuse_all(&self, why: Unavailable) {
        let submissions = std::mem::take(&mut self.waiting().submissions);
        for submission in submissions {
            let _ = submission.done.send(Err(why.into()));
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the oldest batches off the front, at least one. What is no batch of points is alone.
fn take_group(waiting: &mut Vec<Submission>) -> Vec<Submission> {
    let mut points = 0;
    let fits = waiting.iter().take_while(|submission| {
        points += submission.work.points().len();
        points <= MAX_GROUP_POINTS && matches!(submission.work, Work::Points(_))
    });
    let rest = waiting.split_off(fits.count().max(1));
    std::mem::replace(waiting, rest)
}

#[cfg(test)]
mod tests {
    use shared::Point;

    use super::*;

    #[test]
    fn a_group_is_bounded_and_batches_keep_their_order() {
        let sizes = [1, MAX_GROUP_POINTS - 1, 1, MAX_GROUP_POINTS + 1, 2, 3, 0, 0, 4];
        let mut waiting: Vec<_> = sizes
            .iter()
            .map(|&count| {
                let point = SeriesPoint { series: 0, point: Point { timestamp: 0, value: 0.0 } };
                let done = oneshot::channel().0;
                let work = match count {
                    0 => Work::Deletes(Vec::new()),
                    _ => Work::Points(vec![point; count]),
                };
                Submission { work, records: Vec::new(), done }
            })
            .collect();
        let mut groups = Vec::new();
        while !waiting.is_empty() {
            let group = take_group(&mut waiting);
            groups.push(group.iter().map(|one| one.work.points().len()).collect::<Vec<_>>());
        }
        let ends = [(0, 2), (2, 3), (3, 4), (4, 6), (6, 7), (7, 8), (8, 9)];
        assert_eq!(groups, ends.map(|(start, end)| sizes[start..end].to_vec()));
    }
}
