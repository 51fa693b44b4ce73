//! The guarantee of news.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::ops::ControlFlow;

use shared::Point;

use super::model::Model;
use super::{put, within};
use crate::store::query::{KeySelection, Window};
use crate::store::{Change, FollowProgress, Follower, Store};

type Puts<'a> = &'a [(&'a str, i64, f64)];

/// What a follower is told: at least so many changes, or all up to the end.
async fn told(follower: &mut impl Follower, count: usize) -> Vec<(String, Change)> {
    let mut told = Vec::new();
    let mut is_finished = false;
    while !is_finished && told.len() < count {
        let progress = poll_fn(|context| {
            follower.poll_next(context, &mut |key, change| {
                told.push((key.to_string(), change));
                // Now and then there is room for no more.
                if told.len() % 3 == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        });
        is_finished = within(progress).await.unwrap() == FollowProgress::Finished;
    }
    told
}

fn changes(puts: Puts<'_>) -> Vec<(String, Change)> {
    let change = |&(key, timestamp, value): &(&str, _, _)| {
        (key.to_owned(), Change::Put(Point { timestamp, value }))
    };
    puts.iter().map(change).collect()
}

pub async fn news(store: &impl Store) {
    let mut model = Model::default();
    put(store, &mut model, &[("a", 5, 1.0), ("b", 1, 2.0), ("a", 3, 3.0), ("a", 5, 4.0)]).await;
    let glob = || KeySelection::Glob("a*".parse().unwrap());
    let mut all = store.follow(KeySelection::All, Window::ALL);
    let mut since = store.follow(glob(), Window { from: 4, to: i64::MAX });
    let mut new = store.follow(KeySelection::One("ab".parse().unwrap()), Window::EMPTY);
    let mut silent = store.follow(glob(), Window::EMPTY);
    let history = changes(&[("a", 3, 3.0), ("a", 5, 4.0), ("b", 1, 2.0)]);
    assert_eq!(told(&mut all, 3).await, history);
    assert_eq!(told(&mut since, 1).await, history[1..2]);
    silent.finish();
    assert_eq!(told(&mut silent, 1).await, []);

    // Late, out of order, the same again, a new series.
    let first = [("b", 9, 5.0), ("a", 1, 6.0), ("a", 1, 7.0), ("a", 1, 7.0), ("b", 0, 1.0)];
    let second = [("ab", 7, 8.0), ("a", 5, 9.0)];
    put(store, &mut model, &first).await;
    put(store, &mut model, &second).await;
    let news = changes(&[&first[..], &second].concat());
    assert_eq!(told(&mut all, news.len()).await, news);
    let of_a = |(key, _): &(String, _)| key.starts_with('a');
    let news: Vec<_> = news.into_iter().filter(of_a).collect();
    assert_eq!(told(&mut since, news.len()).await, news);
    assert_eq!(told(&mut new, 1).await, changes(&second[..1]));
    put(store, &mut model, &[("ab", 1, 1.0), ("ac", 1, 1.0)]).await;
    new.finish();
    put(store, &mut model, &[("ab", 2, 1.0)]).await;
    assert_eq!(told(&mut new, usize::MAX).await, changes(&[("ab", 1, 1.0)]));

    // Each value once, at its end as the store has it.
    let mut late = store.follow(glob(), Window::ALL);
    let put_of = |n: i32| (["a", "ad"][usize::from(n % 2 > 0)], i64::from(n % 70), f64::from(n));
    let puts: Vec<_> = (0..1000).map(put_of).collect();
    for puts in puts.chunks(10) {
        put(store, &mut model, puts).await;
    }
    late.finish();
    let told = told(&mut late, usize::MAX).await;
    let (mut replayed, mut values) = (Model::default(), BTreeSet::new());
    for (key, change) in told {
        let Change::Put(point) = change else { panic!("nothing was taken back") };
        replayed.put(&key, point);
        if puts.contains(&(&key, point.timestamp, point.value)) {
            assert!(values.insert((key, point.value.to_bits())), "{point} is told twice");
        }
    }
    for key in model.keys().iter().filter(|key| key.starts_with('a')) {
        assert_eq!(replayed.one(key), model.one(key));
    }
}
