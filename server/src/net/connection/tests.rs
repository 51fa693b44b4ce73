//! A connection with the text protocol over a pipe in memory and a store that answers when told.

mod following;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use proptest::prelude::*;
use shared::{Key, KeyBuf, Point};
use tokio::io::{DuplexStream, ReadBuf};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::clock::Clock;
use crate::follow::{FollowError, FollowProgress, Follows};
use crate::ingest::Ingest;
use crate::protocol::text::TextProtocol;
use crate::query::Queries;
use crate::store::query::{Deletion, KeySelection, Query, Window};
use crate::store::{
    Block, Change, Cursor, EachChange, Follower, PutError, ReadError, RefusalReason, Refused,
    Store, StoreStatus, Unavailable,
};

const LINE: &str = "put palm.cpu 23.7 1150864247\n";

type Points = Vec<(KeyBuf, Point)>;

type Outcome = Result<Vec<Refused>, PutError>;

/// Points become visible and batches are answered when the test says so, or at once.
#[derive(Clone, Default)]
struct ManualStore(Arc<Mutex<Inner>>);

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
struct NewsFollower(ManualStore);

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

struct PointCursor(std::vec::IntoIter<(KeyBuf, Point)>);

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
        StoreStatus { series: 0, disk_bytes: 0, unavailable: None }
    }

    async fn close(&self) {}
}

impl ManualStore {
    /// Answers the oldest batch that waits.
    fn answer(&self, outcome: Outcome) {
        let mut inner = self.0.lock().unwrap();
        let (puts, sender) = inner.waiting.pop_front().expect("a batch that waits");
        if outcome.is_ok() {
            inner.visible.extend(puts);
        }
        sender.send(outcome).unwrap();
    }

    /// Tells the follower of points, with these timestamps.
    fn tell(&self, timestamps: std::ops::Range<i64>) {
        let mut inner = self.0.lock().unwrap();
        let news = timestamps
            .map(|timestamp| ("a".parse().unwrap(), Change::Put(Point { timestamp, value: 1.0 })));
        inner.news.extend(news);
        inner.follower.take().into_iter().for_each(Waker::wake);
    }

    /// Cuts the follower off.
    fn cut_off(&self) {
        let mut inner = self.0.lock().unwrap();
        inner.has_lagged = true;
        inner.follower.take().into_iter().for_each(Waker::wake);
    }

    fn sizes(&self) -> Vec<usize> {
        self.0.lock().unwrap().sizes.clone()
    }

    fn gets(&self) -> usize {
        self.0.lock().unwrap().gets
    }

    fn waiting(&self) -> usize {
        self.0.lock().unwrap().waiting.len()
    }
}

/// A stream that counts and measures its writes, and whose client can reset the connection.
struct Counted {
    stream: DuplexStream,
    writes: Arc<AtomicUsize>,
    /// Bytes of the largest buffer that was to be written.
    largest_write: Arc<AtomicUsize>,
    /// Reads fail from the end of the stream on.
    is_reset: Arc<AtomicBool>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() == before && self.is_reset.load(Ordering::Relaxed) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.largest_write.fetch_max(bytes.len(), Ordering::Relaxed);
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.writes.fetch_add(usize::from(written.is_ready()), Ordering::Relaxed);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

struct Client {
    stream: DuplexStream,
    store: ManualStore,
    shutdown: CancellationToken,
    writes: Arc<AtomicUsize>,
    largest_write: Arc<AtomicUsize>,
    is_reset: Arc<AtomicBool>,
    task: JoinHandle<(SessionStats, CloseReason)>,
}

impl Client {
    fn connect(store: &ManualStore) -> Self {
        Self::connect_through(store, 4 * 1024 * 1024)
    }

    /// Connects by a pipe that holds so many bytes in each direction.
    fn connect_through(store: &ManualStore, bytes: usize) -> Self {
        let (near, stream) = tokio::io::duplex(bytes);
        let (writes, largest_write): (Arc<AtomicUsize>, Arc<AtomicUsize>) = Default::default();
        let is_reset: Arc<AtomicBool> = Arc::default();
        let shutdown = CancellationToken::new();
        let near = Counted {
            stream: near,
            writes: Arc::clone(&writes),
            largest_write: Arc::clone(&largest_write),
            is_reset: Arc::clone(&is_reset),
        };
        let protocol = TextProtocol::new(
            Ingest::new(store.clone()),
            Queries::new(store.clone(), Clock::default()),
            Follows::new(store.clone(), Clock::default()),
            false,
        );
        let token = shutdown.clone();
        let task = tokio::spawn(async move { serve_connection(near, protocol, &token).await });
        Self { stream, store: store.clone(), shutdown, writes, largest_write, is_reset, task }
    }

    /// Sends, and lets the connection do all that it can.
    async fn send(&mut self, requests: &str) {
        within(self.stream.write_all(requests.as_bytes())).await.unwrap();
        let_connections_run().await;
    }

    async fn answer(&mut self, outcome: Outcome) {
        self.store.answer(outcome);
        let_connections_run().await;
    }

    /// What has been answered and not read yet.
    async fn read(&mut self) -> String {
        let mut bytes = vec![0; 4 * 1024 * 1024];
        let read = read_ready(&mut self.stream, &mut bytes).await.unwrap();
        String::from_utf8(bytes[..read].to_vec()).unwrap()
    }

    /// Resets the connection; the store answers `outcomes` after that.
    async fn reset(
        self,
        outcomes: impl IntoIterator<Item = Outcome>,
    ) -> (SessionStats, CloseReason) {
        self.is_reset.store(true, Ordering::Relaxed);
        let Self { stream, store, task, .. } = self;
        drop(stream);
        for outcome in outcomes {
            let_connections_run().await;
            store.answer(outcome);
        }
        within(task).await.unwrap()
    }

    async fn close(mut self) -> (String, SessionStats, CloseReason) {
        self.stream.shutdown().await.unwrap();
        let (stats, reason) = within(self.task).await.unwrap();
        let mut rest = String::new();
        within(self.stream.read_to_string(&mut rest)).await.unwrap();
        (rest, stats, reason)
    }
}

/// Waits for what must happen, at most a minute.
async fn within<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("the connection goes on")
}

/// Lets connections do all that they can: nothing but this task and theirs is running.
async fn let_connections_run() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn failure() -> Outcome {
    Err(Unavailable::DiskFull.into())
}

#[tokio::test]
async fn the_batches_of_a_client_that_never_pauses_grow() {
    const LINES: usize = 100_000;
    let store = ManualStore::default();
    store.0.lock().unwrap().answers_at_once = true;
    let mut client = Client::connect(&store);
    within(client.stream.write_all(LINE.repeat(LINES).as_bytes())).await.unwrap();
    let (replies, stats, _) = client.close().await;
    assert_eq!(replies.len(), "ok\n\n".len() * LINES);
    let sizes = store.sizes();
    assert_eq!((stats.puts, sizes.iter().sum::<usize>()), (LINES as u64, LINES));
    assert_eq!(sizes.iter().max(), Some(&(MAX_BUFFER / LINE.len())), "{sizes:?}");
}

#[tokio::test]
async fn batches_overlap_and_replies_keep_their_order() {
    let store = ManualStore::default();
    let mut client = Client::connect(&store);
    client.send("put a 1 1\nput a 2 2\nwhat\n").await;
    client.send("put b 1 1\n").await;
    client.send("put b 2 2\nwhat\n").await;
    assert_eq!((store.sizes(), client.read().await), (vec![2, 1, 1], String::new()));
    let refused = Refused { index: 1, reason: RefusalReason::OlderThanRetention };
    client.answer(Ok(vec![refused])).await;
    assert_eq!(
        client.read().await,
        "ok\n\nerror\nthe timestamp is older than the retention\n\nerror\nwrong command\n\n"
    );
    client.answer(failure()).await;
    assert_eq!(client.read().await, "error\nthe disk is full\n\n");
    client.answer(Ok(Vec::new())).await;
    let (rest, stats, reason) = client.close().await;
    assert_eq!(rest, "ok\n\nerror\nwrong command\n\n");
    assert_eq!(stats, SessionStats { puts: 2, errors: 4, ..SessionStats::default() });
    assert!(matches!(reason, CloseReason::ClosedByClient));
}

#[tokio::test]
async fn what_is_in_flight_is_bounded_in_batches() {
    let store = ManualStore::default();
    let mut client = Client::connect(&store);
    for _ in 0..100 {
        client.send("put a 1 1\n").await;
    }
    let started = store.sizes().len();
    assert!((2..=16).contains(&started), "{started}");
    client.answer(Ok(Vec::new())).await;
    // What came meanwhile is one batch.
    assert_eq!(store.sizes()[started..], [100 - started]);
    while store.waiting() > 0 {
        client.answer(Ok(Vec::new())).await;
    }
    assert_eq!(client.close().await.0, "ok\n\n".repeat(100));
}

#[tokio::test]
async fn what_is_in_flight_is_bounded_in_bytes() {
    const LINES: usize = 80_000;
    let store = ManualStore::default();
    let mut client = Client::connect(&store);
    client.send(&LINE.repeat(LINES)).await;
    let bytes = store.sizes().iter().sum::<usize>() * LINE.len();
    assert!(bytes < 512 * 1024, "{bytes}");
    while store.waiting() > 0 {
        client.answer(Ok(Vec::new())).await;
    }
    assert_eq!(client.close().await.0.len(), "ok\n\n".len() * LINES);
}

#[tokio::test]
async fn a_get_sees_the_puts_before_it_and_none_after_it() {
    let store = ManualStore::default();
    let mut client = Client::connect(&store);
    client.send("put a 1 1\n").await;
    client.send("put b 2 2\nget *\nput c 3 3\nget *\n").await;
    assert_eq!((store.sizes(), store.gets()), (vec![1, 1], 0));
    client.answer(Ok(Vec::new())).await;
    assert_eq!(store.gets(), 0);
    client.answer(Ok(Vec::new())).await;
    assert_eq!((store.sizes(), store.gets()), (vec![1, 1, 1], 1));
    client.answer(Ok(Vec::new())).await;
    assert_eq!(
        client.close().await.0,
        "ok\n\nok\n\nok\na 1.0 1\nb 2.0 2\n\nok\n\nok\na 1.0 1\nb 2.0 2\nc 3.0 3\n\n"
    );
}

#[tokio::test]
async fn the_replies_to_one_read_are_one_write() {
    let store = ManualStore::default();
    let mut client = Client::connect(&store);
    client.send("put a 1 1\nget *\nwhat\nput b 2 2\n").await;
    for _ in 0..2 {
        assert_eq!(client.writes.load(Ordering::Relaxed), 0);
        client.answer(Ok(Vec::new())).await;
    }
    assert_eq!(client.writes.load(Ordering::Relaxed), 1);
    // Batches that are answered together are written together.
    client.send("put a 1 1\n").await;
    client.send("put a 2 2\n").await;
    store.answer(Ok(Vec::new()));
    client.answer(Ok(Vec::new())).await;
    assert_eq!(client.writes.load(Ordering::Relaxed), 2);
    let (replies, ..) = client.close().await;
    assert_eq!(replies, "ok\n\nok\na 1.0 1\n\nerror\nwrong command\n\nok\n\nok\n\nok\n\n");
}

#[tokio::test]
async fn an_empty_line_belongs_to_a_request_in_flight_and_stands_alone_after_its_reply() {
    const WRONG: &str = "error\nwrong command\n\n";
    for (pieces, after, expected) in [
        (&["put a 1 1\n", "\n"][..], "", "ok\n\n".to_owned()),
        (&["put a 1 1\n", "\r\n"], "", "ok\n\n".to_owned()),
        (&["put a 1 1\n", "\n", "\n"], "", format!("ok\n\n{WRONG}")),
        (&["put a 1 1\n", "put b 1 1\n", "\n"], "", "ok\n\nok\n\n".to_owned()),
        (&["put a 1 1\n", "\nput b 1 1\n\n"], "\n", format!("ok\n\nok\n\n{WRONG}")),
        (&["put a 1 1\n"], "\n", format!("ok\n\n{WRONG}")),
        (&["put a 1 1\n", "put b"], " 1 1\n\n", "ok\n\nok\n\n".to_owned()),
    ] {
        let store = ManualStore::default();
        let mut client = Client::connect(&store);
        for piece in pieces {
            client.send(piece).await;
        }
        while store.waiting() > 0 {
            client.answer(Ok(Vec::new())).await;
        }
        client.send(after).await;
        while store.waiting() > 0 {
            client.answer(Ok(Vec::new())).await;
        }
        assert_eq!(client.close().await.0, expected, "{pieces:?} {after:?}");
    }
}

/// It came before the reply was written, though after the store had answered.
#[tokio::test]
async fn an_empty_line_that_comes_with_the_outcome_belongs_to_the_request() {
    let store = ManualStore::default();
    let mut client = Client::connect(&store);
    client.send("put a 1 1\n").await;
    store.answer(Ok(Vec::new()));
    client.send("\nget *\n").await;
    assert_eq!(client.close().await.0, "ok\n\nok\na 1.0 1\n\n");
}

#[tokio::test]
async fn a_shutdown_answers_what_is_in_flight() {
    let store = ManualStore::default();
    let mut client = Client::connect(&store);
    client.send("put a 1 1\n").await;
    client.send("put a 2 2\n").await;
    client.shutdown.cancel();
    client.send("put a 3 3\n").await;
    assert_eq!(client.read().await, "");
    client.answer(Ok(Vec::new())).await;
    client.answer(failure()).await;
    let (replies, stats, reason) = client.close().await;
    assert_eq!(replies, "ok\n\nerror\nthe disk is full\n\n");
    assert_eq!((stats.puts, store.sizes()), (1, vec![1, 1]));
    assert!(matches!(reason, CloseReason::Shutdown));
}

/// Refusals are several times longer than the puts: those to what is in flight, before a `get` and
/// at the end, to a client that reads them and to one that does not.
#[tokio::test]
async fn replies_that_are_not_read_are_bounded() {
    const LINES: usize = 20_000;
    const BOUND: usize = crate::protocol::FLUSH_THRESHOLD + 100;
    let refuse_all = |puts| {
        let reason = RefusalReason::OlderThanRetention;
        Ok((0..puts).map(|index| Refused { index, reason }).collect())
    };
    for (end, reads) in [("", true), ("", false), ("get *\n", true), ("get *\n", false)] {
        for outcome in [refuse_all, |_| failure()] {
            let store = ManualStore::default();
            let pipe = if reads { 4 * 1024 * 1024 } else { 300_000 };
            let mut client = Client::connect_through(&store, pipe);
            client.send(&("put a 1 1\n".repeat(LINES) + end)).await;
            while store.waiting() > 0 {
                let puts = store.sizes()[store.sizes().len() - store.waiting()];
                client.answer(outcome(puts)).await;
            }
            let largest = client.largest_write.load(Ordering::Relaxed);
            assert!((BOUND / 2..=BOUND).contains(&largest), "{largest}");
            let stats = if reads {
                let (replies, stats, _) = client.close().await;
                assert_eq!(replies.matches("error\n").count(), LINES);
                stats
            } else {
                client.reset([]).await.0
            };
            assert_eq!(stats.errors, store.sizes().iter().sum::<usize>() as u64);
        }
    }
}

#[tokio::test]
async fn what_is_in_flight_when_the_client_is_gone_is_counted() {
    let store = ManualStore::default();
    // The reading side fails while all outcomes are unknown; then the writing side, with one known.
    for reset_first in [true, false] {
        let mut client = Client::connect(&store);
        client.send("put a 1 1\nput a 2 2\n").await;
        client.send("put b 1 1\n").await;
        client.send("put b 2 2\nwhat\n").await;
        let outcomes = [Ok(Vec::new()), failure(), Ok(Vec::new())];
        let (stats, reason) = if reset_first {
            client.reset(outcomes).await
        } else {
            store.answer(Ok(Vec::new()));
            client.reset(outcomes.into_iter().skip(1)).await
        };
        assert_eq!(stats, SessionStats { puts: 3, errors: 2, ..SessionStats::default() });
        assert!(matches!(reason, CloseReason::Failed(_)), "{reason}");
    }
}

/// What a client says, and what it is answered when each request waits for the one before it.
fn session(requests: &[u8]) -> (Vec<String>, String) {
    let (mut lines, mut replies, mut stored) = (Vec::new(), String::new(), String::new());
    for (at, request) in requests.iter().enumerate() {
        match request {
            0 => {
                lines.push("get *\n".to_owned());
                write!(replies, "ok\n{stored}\n").unwrap();
            }
            1 => {
                lines.push("got *\n".to_owned());
                replies += "error\nwrong command\n\n";
            }
            _ => {
                lines.push(format!("put k{at} {at} {at}\n"));
                replies += "ok\n\n";
                writeln!(stored, "k{at} {at}.0 {at}").unwrap();
            }
        }
    }
    (lines, replies)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// However the requests are cut into packets and whenever the store answers.
    #[test]
    fn packets_and_outcomes_make_no_difference(
        requests in prop::collection::vec(0_u8..8, 0..40),
        steps in prop::collection::vec((1_usize..60, any::<bool>()), 1..40),
    ) {
        let (lines, expected) = session(&requests);
        let text = lines.concat();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let replies = runtime.block_on(async {
            let store = ManualStore::default();
            let mut client = Client::connect(&store);
            let mut rest = text.as_str();
            for &(length, answers) in steps.iter().cycle() {
                if answers && store.waiting() > 0 {
                    client.answer(Ok(Vec::new())).await;
                }
                let (packet, after) = rest.split_at(length.min(rest.len()));
                rest = after;
                client.send(packet).await;
                if rest.is_empty() {
                    break;
                }
            }
            while store.waiting() > 0 {
                client.answer(Ok(Vec::new())).await;
            }
            client.close().await.0
        });
        prop_assert_eq!(replies, expected);
    }
}
