//! A connection with the text protocol over a pipe in memory and a store that answers when told.

mod client;
mod following;
mod limits;
mod manual_store;

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::ingest::InFlightLimit;
use crate::net::read_buffer::MAX_READ;
use crate::store::{RefusalReason, Refused, Unavailable};
use client::{Client, let_connections_run, within};
use manual_store::{ManualStore, Outcome};

const LINE: &str = "put palm.cpu 23.7 1150864247\n";

fn failure() -> Outcome {
    Err(Unavailable::DiskFull.into())
}

#[tokio::test]
async fn the_batches_of_a_client_that_never_pauses_grow() {
    const LINES: usize = 100_000;
    let store = ManualStore::at_once();
    let mut client = Client::connect(&store);
    within(client.stream.write_all(LINE.repeat(LINES).as_bytes())).await.unwrap();
    let (replies, stats, _) = client.close().await;
    assert_eq!(replies.len(), "ok\n\n".len() * LINES);
    let sizes = store.sizes();
    assert_eq!((stats.puts, sizes.iter().sum::<usize>()), (LINES as u64, LINES));
    assert_eq!(sizes.iter().max(), Some(&(MAX_READ / LINE.len())), "{sizes:?}");
}

/// When the batches of all clients take all the memory that they may, each waits for its own.
#[tokio::test]
async fn without_room_for_batches_few_puts_are_started_at_once() {
    const LINES: usize = 1000;
    let store = ManualStore::default();
    let limit = InFlightLimit::new(2 * 48 * LINES as u64);
    let pipe = 4 * 1024 * 1024;
    let mut large = Client::connect_sharing(&store, pipe, limit.clone());
    for _ in 0..2 {
        large.send(&LINE.repeat(LINES)).await;
    }
    // Its first batches take the room that there is.
    let of_large = store.sizes().len();
    assert_eq!(store.waiting(), of_large);
    let mut client = Client::connect_sharing(&store, pipe, limit.clone());
    client.send(&(LINE.repeat(64) + "\n" + &LINE.repeat(200))).await;
    assert_eq!(store.sizes()[of_large..], [64]);
    // The others go on, and so does each batch when the one before it is stored.
    while store.waiting() > 0 {
        client.answer(Ok(Vec::new())).await;
    }
    assert_eq!(client.read().await, "ok\n\n".repeat(264));
    assert_eq!(large.read().await, "ok\n\n".repeat(2 * LINES));
    assert_eq!(store.sizes().iter().sum::<usize>(), 2 * LINES + 264);
    // What is stored leaves its room to others.
    client.send(&LINE.repeat(LINES)).await;
    let mut of_client = store.sizes();
    assert!(of_client.pop() > Some(64), "{of_client:?}");
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
    assert_eq!(
        stats,
        SessionStats { puts: 2, malformed: 2, refused: 1, failed: 1, ..SessionStats::default() }
    );
    assert!(matches!(reason, CloseReason::ClosedByClient));
}

/// A client finds out with it how the server answers.
#[tokio::test]
async fn what_is_wrong_on_purpose_is_answered_and_is_no_error_of_the_statistics() {
    let mut client = Client::connect(&ManualStore::at_once());
    client.send("get a\nget wrong command test\nget a\n").await;
    client.send("got\nget wrong command test\nget tui-client.probe[first]\nput a 1 1\n").await;
    let (replies, stats, _) = client.close().await;
    assert_eq!(replies.matches("error\nwrong command\n\n").count(), 4);
    assert_eq!(stats, SessionStats { puts: 1, gets: 2, malformed: 1, ..SessionStats::default() });
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
            assert_eq!(stats.errors(), store.sizes().iter().sum::<usize>() as u64);
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
        assert_eq!(
            stats,
            SessionStats { puts: 3, malformed: 1, failed: 1, ..SessionStats::default() }
        );
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
