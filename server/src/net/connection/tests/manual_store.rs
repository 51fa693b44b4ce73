//! A store that answers when the test says so.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use shared::{Key, KeyBuf, Point};
use tokio::sync::oneshot;

use crate::follow::{FollowError, FollowProgress};
use crate::store::query::{Deletion, KeySelection, Query, Window};
use crate::store::{
    Block, Change, Cursor, EachChange, Follower, PutError, ReadError, Refused, Store, StoreStatus,
    Unavailable,
};

type Points = Vec<(KeyBuf, Point)>;

pub(super) type Outcome = Result<Vec<Refused>, PutError>;

/// Points become visible and batches are answered when the test says so, or at once.
#[derive(Clone, Default)]
pub(super) struct ManualStore(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    answers_at_once: bool,
    /// Sizes of all batches so far.
    sizes: Vec<usize>,
    waiting: VecDeque<(Points, oneshot::Sender<Outcome>)>,
    visible: Points,
    gets: usize,
    news: VecDeque<(KeyBuf, Change)>,
    /// The news that are taken last.
    news_left: Option<usize>,
    has_lagged: bool,
    follower: Option<Waker>,
}

/// Tells the news of the store, to the only follower.
pub(super) struct NewsFollower(ManualStore);

impl Follower for NewsFollower {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ReadError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        each: &mut EachChange<'_>,
    ) -> Poll<Result<FollowProgress, FollowError>> {
        ready!(self.poll_changed(context))?;
        let mut inner = self.0.0.lock().unwrap();
        while inner.news_left != Some(0)
            && let Some((key, change)) = inner.news.pop_front()
        {
            inner.news_left = inner.news_left.map(|left| left - 1);
            if each(key.as_key(), change).is_break() {
                return Poll::Ready(Ok(FollowProgress::More));
            }
        }
        let is_finished = inner.news_left == Some(0);
        Poll::Ready(Ok(if is_finished { FollowProgress::Finished } else { FollowProgress::More }))
    }

    fn poll_lagged(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.0.0.lock().unwrap();
        inner.follower = Some(context.waker().clone());
        if inner.has_lagged { Poll::Ready(()) } else { Poll::Pending }
    }

    fn finish(&mut self) {
        let mut inner = self.0.0.lock().unwrap();
        inner.news_left = Some(inner.news.len());
    }
}

impl NewsFollower {
    fn poll_changed(&self, context: &mut Context<'_>) -> Poll<Result<(), FollowError>> {
        let mut inner = self.0.0.lock().unwrap();
        inner.follower = Some(context.waker().clone());
        if inner.has_lagged {
            return Poll::Ready(Err(FollowError::Lagged));
        }
        let is_pending = inner.news.is_empty() && inner.news_left.is_none();
        if is_pending { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

pub(super) struct PointCursor(std::vec::IntoIter<(KeyBuf, Point)>);

impl Cursor for PointCursor {
    async fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        Ok(self.0.next().map(|(key, point)| {
            let mut block = Block::default();
            block.push(&key, &[point]);
            block
        }))
    }
}

impl Store for ManualStore {
    type Cursor = PointCursor;
    type Follower = NewsFollower;

    fn put_batch(&self, puts: &[(Key<'_>, Point)]) -> impl Future<Output = Outcome> + Send + use<> {
        let (sender, outcome) = oneshot::channel();
        let puts: Vec<_> = puts.iter().map(|&(key, point)| (key.to_owned(), point)).collect();
        let mut inner = self.0.lock().unwrap();
        inner.sizes.push(puts.len());
        inner.waiting.push_back((puts, sender));
        let at_once = inner.answers_at_once;
        drop(inner);
        if at_once {
            self.answer(Ok(Vec::new()));
        }
        async { outcome.await.unwrap() }
    }

    fn delete(&self, _: Deletion) -> impl Future<Output = Result<(), PutError>> + Send + use<> {
        std::future::ready(Err(Unavailable::Closed.into()))
    }

    fn get(&self, _: Query) -> PointCursor {
        let mut inner = self.0.lock().unwrap();
        inner.gets += 1;
        PointCursor(inner.visible.clone().into_iter())
    }

    fn follow(&self, _: KeySelection, _: Window) -> NewsFollower {
        self.0.lock().unwrap().news_left = None;
        NewsFollower(self.clone())
    }

    fn status(&self) -> StoreStatus {
        StoreStatus::default()
    }

    async fn close(&self) {}
}

impl ManualStore {
    /// Answers each batch at once.
    pub(super) fn at_once() -> Self {
        let store = Self::default();
        store.0.lock().unwrap().answers_at_once = true;
        store
    }

    /// Answers the oldest batch that waits.
    pub(super) fn answer(&self, outcome: Outcome) {
        let mut inner = self.0.lock().unwrap();
        let (puts, sender) = inner.waiting.pop_front().expect("a batch that waits");
        if outcome.is_ok() {
            inner.visible.extend(puts);
        }
        sender.send(outcome).unwrap();
    }

    /// Tells the follower of points, with these timestamps.
    pub(super) fn tell(&self, timestamps: std::ops::Range<i64>) {
        let mut inner = self.0.lock().unwrap();
        let news = timestamps
            .map(|timestamp| ("a".parse().unwrap(), Change::Put(Point { timestamp, value: 1.0 })));
        inner.news.extend(news);
        inner.follower.take().into_iter().for_each(Waker::wake);
    }

    /// Cuts the follower off.
    pub(super) fn cut_off(&self) {
        let mut inner = self.0.lock().unwrap();
        inner.has_lagged = true;
        inner.follower.take().into_iter().for_each(Waker::wake);
    }

    pub(super) fn sizes(&self) -> Vec<usize> {
        self.0.lock().unwrap().sizes.clone()
    }

    pub(super) fn gets(&self) -> usize {
        self.0.lock().unwrap().gets
    }

    pub(super) fn waiting(&self) -> usize {
        self.0.lock().unwrap().waiting.len()
    }
}
