//! Followers: what they are told is what happened, each change once and in order, whatever moves in
//! the store and whenever they listen.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::task::Poll;

use proptest::prelude::*;

use super::*;
use crate::store::contract::model::Model;
use crate::store::query::KeySelection;
use crate::store::{Change, FollowError, FollowProgress, Follower};

/// A key and what was told of it.
type News = (String, Change);

/// What is done to a store and its followers.
#[derive(Debug, Clone)]
enum Action {
    Put(Vec<(u8, i64)>),
    Delete(KeySelection, Window),
    Follow(KeySelection, Window),
    /// A follower is asked, at most for so many changes.
    Listen(prop::sample::Index, usize),
    /// A follower is asked for the rest, and dropped.
    Finish(prop::sample::Index),
    Settle,
}

fn key(number: u8) -> String {
    let few = ["a.cpu", "a.mem", "b.cpu", "b.mem", "c", "火.cpu"];
    few.get(usize::from(number)).map_or_else(|| format!("w{number}"), |key| (*key).to_owned())
}

fn keys() -> impl Strategy<Value = KeySelection> {
    let glob = prop::sample::select(vec!["a.*", "*.cpu", "?", "{b,c}*", "nowhere*", "w*", "**"]);
    prop_oneof![
        2 => Just(KeySelection::All),
        2 => (0..8u8).prop_map(|number| KeySelection::One(key(number).parse().unwrap())),
        3 => glob.prop_map(|glob| KeySelection::Glob(glob.parse().unwrap())),
    ]
}

fn window() -> impl Strategy<Value = Window> {
    prop_oneof![
        2 => Just(Window::ALL),
        2 => Just(Window::EMPTY),
        3 => (0..20i64, 0..20i64)
            .prop_map(|(from, more)| Window { from, to: from.saturating_add(more) }),
    ]
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    // With all of the last, a follower has too many series to watch each.
    let few = prop::collection::vec((0..8u8, 0..20i64), 1..12);
    let many = (6..90u8).prop_map(|end| (6..end).map(|key| (key, 1)).collect::<Vec<_>>());
    let puts = prop_oneof![8 => few, 1 => many];
    let action = prop_oneof![
        8 => puts.prop_map(Action::Put),
        2 => (keys(), window()).prop_map(|(keys, window)| Action::Delete(keys, window)),
        3 => (keys(), window()).prop_map(|(keys, history)| Action::Follow(keys, history)),
        8 => (any::<prop::sample::Index>(), 1..20_usize)
            .prop_map(|(follower, count)| Action::Listen(follower, count)),
        1 => any::<prop::sample::Index>().prop_map(Action::Finish),
        1 => Just(Action::Settle),
    ];
    prop::collection::vec(action, 1..60)
}

/// A follower and what it was told.
struct Listener {
    follower: LocalFollower,
    keys: KeySelection,
    history: Window,
    /// Versions of the model when it began.
    start: usize,
    story: Vec<News>,
}

impl Listener {
    /// Asks once, at most for so many changes.
    async fn listen(&mut self, count: usize) -> Option<Result<FollowProgress, FollowError>> {
        let Self { follower, story, .. } = self;
        let end = story.len() + count;
        poll_fn(|context| {
            let progress = follower.poll_next(context, &mut |key, change| {
                story.push((key.to_string(), change));
                if story.len() < end { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            Poll::Ready(match progress {
                Poll::Ready(progress) => Some(progress),
                Poll::Pending => None,
            })
        })
        .await
    }

    /// Asks for all that is left.
    async fn finish(&mut self) -> Result<(), FollowError> {
        self.follower.finish();
        loop {
            let progress = poll_fn(|context| {
                let Self { follower, story, .. } = &mut *self;
                follower.poll_next(context, &mut |key, change| {
                    story.push((key.to_string(), change));
                    ControlFlow::Continue(())
                })
            });
            if within(progress).await? == FollowProgress::Finished {
                return Ok(());
            }
        }
    }
}

/// Everything that happened.
#[derive(Default)]
struct Past {
    /// The model after each step.
    versions: Vec<Model>,
    /// What each step changed.
    steps: Vec<Vec<News>>,
}

impl Past {
    fn model(&self) -> Model {
        self.versions.last().cloned().unwrap_or_default()
    }

    fn push(&mut self, model: Model, changes: Vec<News>) {
        self.versions.push(model);
        self.steps.push(changes);
    }

    /// What happened, in order: the step and the change.
    fn changes(&self) -> impl Iterator<Item = (usize, &News)> {
        let steps = self.steps.iter().enumerate();
        steps.flat_map(|(step, changes)| changes.iter().map(move |change| (step, change)))
    }

    fn snapshot(&self, version: usize, key: &str, window: Window) -> Vec<News> {
        let Some(version) = version.checked_sub(1) else { return Vec::new() };
        let rows = self.versions[version].one(key).into_iter();
        rows.filter(|&(_, timestamp, _)| window.contains(timestamp)).map(put_change).collect()
    }

    /// Whether a change is told after the history, which is of the version `snapshot`: all changes
    /// since that are, and those outside the window of the history since the follower began.
    fn is_news(listener: &Listener, snapshot: usize, step: usize, change: Change) -> bool {
        let timestamp = match change {
            Change::Put(point) => point.timestamp,
            Change::Deleted(timestamp) => timestamp,
        };
        step >= snapshot || step >= listener.start && !listener.history.contains(timestamp)
    }

    /// Whether a story is the history of each series as it was at some version since `start`, and
    /// then its news: see [`Past::is_news`].
    fn explains(&self, listener: &Listener) -> bool {
        let story = &listener.story;
        (0..=story.len()).any(|split| {
            let (history, news) = story.split_at(split);
            let mut versions = BTreeMap::new();
            let keys: Vec<_> = (0..90).map(key).collect();
            for key in &keys {
                let of_key = |news: &[News]| -> Vec<News> {
                    news.iter().filter(|(other, _)| other == key).cloned().collect()
                };
                let (history, news) = (of_key(history), of_key(news));
                if !listener.keys.matches(Key::new(key).unwrap()) {
                    if !history.is_empty() || !news.is_empty() {
                        return false;
                    }
                    continue;
                }
                let version = (listener.start..=self.steps.len()).find(|&version| {
                    let expected = self.changes().filter(|&(step, (other, change))| {
                        other == key && Self::is_news(listener, version, step, *change)
                    });
                    expected.map(|(_, change)| change).eq(&news)
                        && self.snapshot(version, key, listener.history) == history
                });
                let Some(version) = version else { return false };
                versions.insert(key.as_str(), version);
            }
            let expected = self.changes().filter(|&(step, (key, change))| {
                let version = versions.get(key.as_str());
                version.is_some_and(|&version| Self::is_news(listener, version, step, *change))
            });
            expected.map(|(_, change)| change).eq(news)
        })
    }
}

fn put_change((key, timestamp, value): Row) -> News {
    (key, Change::Put(Point { timestamp, value }))
}

async fn run(actions: Vec<Action>, log_limit: u64) {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, LocalConfig { log_limit, ..restless() }).unwrap();
    let (mut past, mut listeners) = (Past::default(), Vec::<Listener>::new());
    let mut value = 0.0;
    for action in actions {
        match action {
            Action::Put(puts) => {
                let mut model = past.model();
                let mut rows = Vec::new();
                for (number, timestamp) in puts {
                    value += 1.0;
                    model.put(&key(number), Point { timestamp, value });
                    rows.push((key(number), timestamp, value));
                }
                put(&store, &rows).await.unwrap();
                past.push(model, rows.into_iter().map(put_change).collect());
            }
            Action::Delete(keys, window) => {
                let mut model = past.model();
                let mut deleted: Vec<_> = model.all();
                deleted.retain(|(key, timestamp, _)| {
                    keys.matches(Key::new(key).unwrap()) && window.contains(*timestamp)
                });
                deleted.sort_by_key(|&(_, timestamp, _)| timestamp);
                let deletion = Deletion { keys, window };
                model.delete(&deletion);
                assert_eq!(within(store.delete(deletion)).await, Ok(()));
                let changes = deleted.into_iter().map(|(key, at, _)| (key, Change::Deleted(at)));
                past.push(model, changes.collect());
            }
            Action::Follow(keys, history) => {
                let follower = store.follow(keys.clone(), history);
                let start = past.steps.len();
                listeners.push(Listener { follower, keys, history, start, story: Vec::new() });
            }
            Action::Listen(index, count) if !listeners.is_empty() => {
                let progress = index.get_mut(&mut listeners).listen(count).await;
                assert!(matches!(progress, None | Some(Ok(FollowProgress::More))), "{progress:?}");
            }
            Action::Finish(index) if !listeners.is_empty() => {
                let mut listener = listeners.swap_remove(index.index(listeners.len()));
                assert_eq!(listener.finish().await, Ok(()));
                assert!(past.explains(&listener), "{:?} {:?}", listener.keys, listener.story);
            }
            Action::Settle => settle(&store),
            Action::Listen(..) | Action::Finish(_) => {}
        }
    }
    for mut listener in listeners {
        assert_eq!(listener.finish().await, Ok(()));
        assert!(past.explains(&listener), "{:?} {:?}", listener.keys, listener.story);
    }
    within(store.close()).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]
    #[test]
    fn a_follower_is_told_what_happens(
        actions in actions(),
        log_limit in prop_oneof![300..3000u64, 3000..40_000u64],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(run(actions, log_limit));
    }
}

/// Followers that begin while four clients put, and while segments, checkpoints and merges go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn followers_among_writers_miss_nothing() {
    const CLIENTS: i64 = 4;
    const BATCHES: i64 = 150;
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, LocalConfig { log_limit: 20_000, segment_size: 5000, ..restless() });
    let store = store.unwrap();
    let writers = (0..CLIENTS).map(|client| {
        let store = store.clone();
        tokio::spawn(async move {
            for batch in 0..BATCHES {
                // Each client has a key of its own, and new keys as it goes on.
                let own = format!("own.{client}");
                let rows: Vec<_> = (0..10)
                    .map(|at| (own.clone(), batch * 10 + at, 1.0))
                    .chain([(format!("new.{client}.{}", batch / 10), batch, 2.0)])
                    .collect();
                put(&store, &rows).await.unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let glob = |text: &str| KeySelection::Glob(text.parse().unwrap());
    let selections = [
        KeySelection::All,
        KeySelection::One("own.1".parse().unwrap()),
        KeySelection::One("new.3.14".parse().unwrap()),
        glob("new.*"),
        glob("*.2"),
    ];
    let followers: Vec<_> = (0..40)
        .map(|number| {
            let (store, keys) = (store.clone(), selections[number % selections.len()].clone());
            tokio::spawn(async move {
                for _ in 0..number * 3 {
                    tokio::task::yield_now().await;
                }
                let follower = store.follow(keys.clone(), Window::ALL);
                let mut listener =
                    Listener { follower, keys, history: Window::ALL, start: 0, story: Vec::new() };
                for _ in 0..number * 10 {
                    listener.listen(50).await.transpose().unwrap();
                    tokio::task::yield_now().await;
                }
                listener
            })
        })
        .collect();
    for writer in writers {
        within(writer).await.unwrap();
    }
    let stored = contract::read(&store, Query::all()).await;
    assert_eq!(i64::try_from(stored.len()).unwrap(), CLIENTS * BATCHES * 11);
    for follower in followers {
        let mut listener = within(follower).await.unwrap();
        assert_eq!(listener.finish().await, Ok(()));
        let mut told = BTreeMap::<String, Vec<i64>>::new();
        for (key, change) in &listener.story {
            let Change::Put(point) = change else { panic!("nothing is taken back") };
            told.entry(key.clone()).or_default().push(point.timestamp);
        }
        let mut expected = BTreeMap::<String, Vec<i64>>::new();
        for (key, timestamp, _) in &stored {
            if listener.keys.matches(Key::new(key).unwrap()) {
                expected.entry(key.clone()).or_default().push(*timestamp);
            }
        }
        assert_eq!(told, expected, "{:?}", listener.keys);
    }
    within(store.close()).await;
}

/// What is put or taken back outside the window of the history, while it is being told, is news.
#[tokio::test]
async fn changes_outside_the_window_of_the_history_are_told() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, LocalConfig::default()).unwrap();
    // More than two steps of reading are before the last series.
    for series in 0..16 {
        let rows: Vec<_> = (0..8192).map(|at| (format!("a{series:02}"), 1000 + at, 1.0)).collect();
        put(&store, &rows).await.unwrap();
    }
    put(&store, &[("z".to_owned(), 2000, 1.0), ("z".to_owned(), 6, 1.0)]).await.unwrap();
    let (keys, history) = (KeySelection::All, Window { from: 1000, to: i64::MAX });
    let follower = store.follow(keys.clone(), history);
    let mut listener = Listener { follower, keys, history, start: 0, story: Vec::new() };
    within(poll_fn(|context| listener.follower.poll_ready(context))).await.unwrap();
    put(&store, &[("z".to_owned(), 5, 7.0)]).await.unwrap();
    let keys = KeySelection::One("z".parse().unwrap());
    within(store.delete(Deletion { keys, window: Window { from: 6, to: 6 } })).await.unwrap();
    assert_eq!(listener.finish().await, Ok(()));
    listener.story.retain(|(key, _)| key == "z");
    let z = |timestamp, value| put_change(("z".to_owned(), timestamp, value));
    let expected = [z(2000, 1.0), z(5, 7.0), ("z".to_owned(), Change::Deleted(6))];
    assert_eq!(listener.story, expected);
    within(store.close()).await;
}

/// What was kept for another follower is not told to one that came after it.
#[tokio::test]
async fn a_follower_is_told_nothing_from_before_it() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, LocalConfig::default()).unwrap();
    let a = |at| ("a".to_owned(), at, 1.0);
    put(&store, &[a(0)]).await.unwrap();
    let follow = || {
        let (keys, history) = (KeySelection::One("a".parse().unwrap()), Window::EMPTY);
        let follower = store.follow(keys.clone(), history);
        Listener { follower, keys, history, start: 0, story: Vec::new() }
    };
    let (mut first, mut later) = (follow(), Vec::new());
    assert_eq!(first.listen(1).await, None);
    for at in 1..5 {
        put(&store, &[a(at)]).await.unwrap();
        let mut listener = follow();
        assert_eq!(listener.listen(1).await, None);
        later.push((at, listener));
    }
    put(&store, &[a(5)]).await.unwrap();
    for (from, mut listener) in [(0, first)].into_iter().chain(later) {
        assert_eq!(listener.finish().await, Ok(()));
        let told = (from + 1..=5).map(|at| put_change(a(at)));
        assert!(listener.story.iter().cloned().eq(told), "{from}: {:?}", listener.story);
    }
    within(store.close()).await;
}

/// One that does not listen is cut off, however long it takes, and the others are not.
#[tokio::test]
async fn a_follower_that_does_not_keep_up_is_cut_off() {
    let disk = SimDisk::new(Image::new());
    let config = LocalConfig { follow_buffer: 20_000, ..LocalConfig::default() };
    let store = open(&disk, config).unwrap();
    put(&store, &[("a".to_owned(), 0, 1.0), ("b".to_owned(), 0, 1.0)]).await.unwrap();
    let follow = |keys: &str, history| {
        let keys = match keys {
            "*" => KeySelection::All,
            key => KeySelection::One(key.parse().unwrap()),
        };
        let follower = store.follow(keys.clone(), history);
        Listener { follower, keys, history, start: 0, story: Vec::new() }
    };
    let mut deaf = [follow("*", Window::EMPTY), follow("*", Window::ALL), follow("a", Window::ALL)];
    let (mut all, mut quiet) = (follow("*", Window::EMPTY), follow("b", Window::ALL));
    // So that the followers of one key are found by it.
    for listener in deaf.iter_mut().skip(1).chain([&mut quiet]) {
        while listener.story.is_empty() {
            listener.listen(1).await.transpose().unwrap();
            tokio::task::yield_now().await;
        }
    }
    quiet.listen(10).await.transpose().unwrap();
    for at in 1..=1000 {
        put(&store, &[("a".to_owned(), at, 1.0)]).await.unwrap();
        while all.listen(10).await.transpose().unwrap().is_some() {}
    }
    for listener in &mut deaf {
        within(poll_fn(|context| listener.follower.poll_lagged(context))).await;
        assert_eq!(listener.finish().await, Err(FollowError::Lagged));
    }
    put(&store, &[("b".to_owned(), 1, 1.0)]).await.unwrap();
    for (listener, count) in [(&mut all, 1001), (&mut quiet, 2)] {
        assert_eq!(listener.finish().await, Ok(()));
        assert_eq!(listener.story.len(), count);
    }
    // More than there is room for.
    let mut late = [follow("a", Window::EMPTY), follow("b", Window::EMPTY)];
    for listener in &mut late {
        assert_eq!(listener.listen(1).await, None);
    }
    let deletion = Deletion { keys: late[0].keys.clone(), window: Window::ALL };
    put(&store, &(0..2000).map(|at| ("a".to_owned(), at, 1.0)).collect::<Vec<_>>()).await.unwrap();
    within(store.delete(deletion)).await.unwrap();
    assert_eq!(late[0].finish().await, Err(FollowError::Lagged));
    assert_eq!(late[1].finish().await, Ok(()));
    within(store.close()).await;
}

/// The keys of series that were taken back take room of the commits, and no more than that.
#[tokio::test]
async fn retired_keys_are_kept_within_the_buffer() {
    let disk = SimDisk::new(Image::new());
    let config = LocalConfig { follow_buffer: 200_000, ..LocalConfig::default() };
    let store = open(&disk, config).unwrap();
    let rows = |count| (0..count).map(|id| (format!("k{id:04}"), 0, 1.0)).collect::<Vec<_>>();
    let follow = |keys: KeySelection| {
        let (history, start) = (Window::EMPTY, 0);
        let follower = store.follow(keys.clone(), history);
        Listener { follower, keys, history, start, story: Vec::new() }
    };
    let glob = || KeySelection::Glob("k*".parse().unwrap());
    let delete_all = || store.delete(Deletion { keys: KeySelection::All, window: Window::ALL });
    let kept_bytes = || store.state.followers().kept_bytes();

    put(&store, &rows(500)).await.unwrap();
    let mut few = [follow(KeySelection::All), follow(glob())];
    within(delete_all()).await.unwrap();
    let with_keys = kept_bytes();
    assert!((50_000..=200_000).contains(&with_keys), "{with_keys}");
    for listener in &mut few {
        assert_eq!(listener.finish().await, Ok(()));
        let deleted = rows(500).into_iter().map(|(key, at, _)| (key, Change::Deleted(at)));
        assert!(listener.story.iter().cloned().eq(deleted), "{:?}", listener.keys);
    }

    put(&store, &rows(5000)).await.unwrap();
    // The deletion has room, its keys have not.
    let mut many = [follow(KeySelection::All), follow(glob())];
    within(delete_all()).await.unwrap();
    assert!(kept_bytes() <= 200_000, "{}", kept_bytes());
    let mut late = [follow(KeySelection::All), follow(glob())];
    put(&store, &rows(10)).await.unwrap();
    for listener in &mut many {
        assert_eq!(listener.finish().await, Err(FollowError::Lagged));
    }
    for listener in &mut late {
        assert_eq!(listener.finish().await, Ok(()));
        assert!(listener.story.iter().cloned().eq(rows(10).into_iter().map(put_change)));
    }
    within(store.close()).await;
}

/// The ring is there only while there are followers.
#[tokio::test]
async fn commits_are_kept_for_followers_alone() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, LocalConfig::default()).unwrap();
    for has_follower in [false, true, false] {
        let follower = has_follower.then(|| store.follow(KeySelection::All, Window::EMPTY));
        put(&store, &[("a".to_owned(), 0, 1.0)]).await.unwrap();
        assert_eq!(store.state.followers().kept_bytes() > 0, has_follower);
        drop(follower);
        assert_eq!(store.state.followers().kept_bytes(), 0);
    }
    within(store.close()).await;
}
