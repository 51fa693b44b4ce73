//! Connections that hold their place for nothing.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Half a minute for everything.
const LIMITS: ConnectionLimits = ConnectionLimits {
    line_timeout: Some(Duration::from_secs(30)),
    stall_timeout: Some(Duration::from_secs(30)),
    idle_timeout: Some(Duration::from_secs(30)),
    handshake_timeout: None,
};

const ROOMY: usize = 4 * 1024 * 1024;

/// Lets so much time pass, and the connections run.
async fn pass(seconds: u32) {
    for _ in 0..seconds {
        tokio::time::advance(SECOND).await;
        let_connections_run().await;
    }
}

async fn assert_ends(client: Client, reason: &str) {
    let (_, found) = within(client.task).await.unwrap();
    assert_eq!(found.to_string(), reason);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_stands_half_sent_ends_the_connection() {
    for (start, more) in [
        ("put a 1", ""),
        // One byte now and then is no progress.
        ("put a ", "1"),
        ("got\nput a 1 1\npu", ""),
        // Of a line that is too long nothing is kept.
        (&*"x".repeat(10_000), "x"),
    ] {
        let store = ManualStore::at_once();
        let limits = ConnectionLimits { idle_timeout: None, ..LIMITS };
        let mut client = Client::connect_within(&store, ROOMY, limits);
        client.send(start).await;
        for _ in 0..29 {
            pass(1).await;
            client.send(more).await;
        }
        let shown = &start[..start.len().min(20)];
        assert!(!client.task.is_finished(), "{shown}");
        pass(2).await;
        assert!(client.task.is_finished(), "{shown}");
        assert_eq!(store.sizes().iter().sum::<usize>(), usize::from(start.starts_with("got")));
        assert_ends(client, "a line stood half sent").await;
    }
}

/// It never pauses, so that there is always something to read.
#[tokio::test(start_paused = true)]
async fn a_line_without_an_end_does_not_keep_a_place() {
    let limits = ConnectionLimits { idle_timeout: None, ..LIMITS };
    let mut client = Client::connect_within(&ManualStore::at_once(), ROOMY, limits);
    let piece = vec![b'x'; 100_000];
    let mut seconds = 0;
    while client.stream.write_all(&piece).await.is_ok() {
        pass(1).await;
        seconds += 1;
        assert!(seconds < 60);
    }
    assert!(seconds >= 30, "{seconds}");
    assert_ends(client, "a line stood half sent").await;
}

/// What comes after a follow is another line than its request.
#[tokio::test(start_paused = true)]
async fn a_follow_is_no_part_of_the_next_line() {
    let mut client = Client::connect(&ManualStore::at_once());
    client.send("get").await;
    pass(20).await;
    client.send(" a[+]\n").await;
    pass(20).await;
    client.send("put").await;
    pass(20).await;
    client.send(" a 1 1\n").await;
    assert_eq!(client.close().await.0, "ok\n\nok\n\n");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_ends_in_time_or_waits_for_the_store_is_no_half_line() {
    let store = ManualStore::default();
    let limits = ConnectionLimits { idle_timeout: None, ..LIMITS };
    let mut client = Client::connect_within(&store, ROOMY, limits);
    // Each read ends a line and begins the next one.
    client.send("put a").await;
    for _ in 0..5 {
        pass(20).await;
        client.send(" 1 1\nput a").await;
        client.answer(Ok(Vec::new())).await;
    }
    assert_eq!(client.read().await, "ok\n\n".repeat(5));
    // The store keeps the client waiting, not the other way round.
    client.send(" 1 1\nput a").await;
    pass(100).await;
    client.answer(Ok(Vec::new())).await;
    client.send(" 2 2\n").await;
    client.answer(Ok(Vec::new())).await;
    let (replies, stats, _) = client.close().await;
    assert_eq!((&*replies, stats.puts), ("ok\n\nok\n\n", 7));
}

#[tokio::test(start_paused = true)]
async fn a_connection_on_which_nothing_is_asked_ends_if_that_is_wished() {
    for (limits, ends) in [(LIMITS, true), (ConnectionLimits::default(), false)] {
        let mut client = Client::connect_within(&ManualStore::at_once(), ROOMY, limits);
        for _ in 0..5 {
            pass(20).await;
            client.send("put a 1 1\n").await;
        }
        pass(29).await;
        assert!(!client.task.is_finished());
        pass(2).await;
        assert_eq!(client.task.is_finished(), ends);
        if ends {
            assert_ends(client, "nothing was asked").await;
        } else {
            pass(1000).await;
            assert_eq!(client.close().await.0, "ok\n\n".repeat(5));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_follows_is_not_idle() {
    let store = ManualStore::default();
    let mut client = Client::connect_within(&store, ROOMY, LIMITS);
    client.send("get a[+]\n").await;
    pass(1000).await;
    store.tell(0..1);
    let_connections_run().await;
    assert_eq!(client.read().await, "ok\na 1.0 0\n");
}

/// A client that is answered with more than fits the way to it, by a `get` or by a follow.
async fn answered(store: &ManualStore, request: &str) -> Client {
    let limits = ConnectionLimits { idle_timeout: None, ..LIMITS };
    let mut client = Client::connect_within(store, 1000, limits);
    client.send(request).await;
    if request.contains('+') {
        store.tell(0..10_000);
    }
    let_connections_run().await;
    client
}

fn with_points() -> ManualStore {
    let store = ManualStore::at_once();
    for timestamp in 0..10_000 {
        let point = shared::Point { timestamp, value: 1.0 };
        drop(crate::store::Store::put_batch(&store, &[(shared::Key::new("a").unwrap(), point)]));
    }
    store
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_cut_off_and_one_that_takes_little_is_not() {
    for request in ["get *\n", "get a[+]\n"] {
        let store = with_points();
        let mut client = answered(&store, request).await;
        for _ in 0..20 {
            pass(25).await;
            client.stream.read_exact(&mut [0; 10]).await.unwrap();
            let_connections_run().await;
        }
        assert!(!client.task.is_finished(), "{request}");
        pass(30).await;
        assert!(!client.task.is_finished(), "{request}");
        pass(10).await;
        assert_ends(client, "nothing of a reply was taken").await;
    }
}

/// What counts is what the peer has acknowledged, where that is known: a write may find no room for
/// long although the peer reads.
#[tokio::test(start_paused = true)]
async fn what_is_acknowledged_is_progress() {
    let store = with_points();
    let client = answered(&store, "get *\n").await;
    for left in (990..1000).rev() {
        client.unacknowledged.store(left, Ordering::Relaxed);
        pass(20).await;
    }
    assert!(!client.task.is_finished());
    pass(80).await;
    assert_ends(client, "nothing of a reply was taken").await;
}

/// Its end is with the system, so that no write waits.
#[tokio::test(start_paused = true)]
async fn a_reply_that_is_written_and_not_taken_ends_the_connection() {
    for (left, ends) in [(70_000, true), (0, false)] {
        let limits = ConnectionLimits { idle_timeout: None, ..LIMITS };
        let mut client = Client::connect_within(&with_points(), ROOMY, limits);
        client.send("get *\n").await;
        for more in [2000, 1000, 0] {
            client.unacknowledged.store(left + more, Ordering::Relaxed);
            pass(25).await;
        }
        assert!(!client.task.is_finished());
        pass(70).await;
        assert_eq!(client.task.is_finished(), ends);
        if ends {
            assert_ends(client, "nothing of a reply was taken").await;
        } else {
            assert!(client.close().await.0.ends_with("a 1.0 9999\n\n"));
        }
    }
}

/// Nothing of it is executed, wherever the packets end.
#[tokio::test]
async fn another_protocol_is_closed_without_a_reply() {
    for (text, reason) in [
        ("POST / HTTP/1.1\r\nHost: a\r\n\r\nput a 1 1\nget *\n", "the client speaks HTTP"),
        ("\u{16}\u{3}\u{1}\nput a 1 1\n", "the client speaks TLS"),
    ] {
        for length in [1, 5, 1000] {
            let store = ManualStore::at_once();
            let mut client = Client::connect(&store);
            for piece in text.as_bytes().chunks(length) {
                // It may be gone already.
                let _ = client.stream.write_all(piece).await;
                let_connections_run().await;
            }
            let mut said = String::new();
            within(client.stream.read_to_string(&mut said)).await.unwrap();
            assert_eq!((&*said, store.sizes().len(), store.gets()), ("", 0, 0), "{text}");
            assert_ends(client, reason).await;
        }
    }
    let mut client = Client::connect(&ManualStore::at_once());
    client.send("GET x\nget a HTTP/1.1 b\nGET / HTTP/1.1\nput a 1 1\n").await;
    assert_eq!(client.close().await.0, format!("{}ok\n\n", "error\nwrong command\n\n".repeat(3)));
}

/// A client that never pauses gets no more than the reply in hand.
#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_serve_all_that_is_queued() {
    let store = with_points();
    let mut client = Client::connect_through(&store, 1000);
    client.send(&"get *\n".repeat(100)).await;
    assert_eq!(store.gets(), 1);
    client.shutdown.cancel();
    let mut replies = String::new();
    within(client.stream.read_to_string(&mut replies)).await.unwrap();
    assert_eq!((store.gets(), replies.matches("\n\n").count()), (1, 1));
    assert!(replies.ends_with("a 1.0 9999\n\n"));
    assert_ends(client, "the server is shutting down").await;
}

/// Nor does it keep the connection open.
#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_read_for_ever() {
    let mut client = Client::connect(&ManualStore::at_once());
    client.send("put a 1 1\n").await;
    client.shutdown.cancel();
    let mut tenths = 0;
    while client.stream.write_all(b"put a 1 1\n").await.is_ok() {
        tokio::time::advance(SECOND / 10).await;
        let_connections_run().await;
        tenths += 1;
        assert!(tenths < 30);
    }
    assert_ends(client, "the server is shutting down").await;
}

/// The counters of the server grow with the session, not at its end.
#[tokio::test]
async fn sessions_are_counted_while_they_go_on() {
    let store = ManualStore::at_once();
    let mut client = Client::connect(&store);
    client.send("put a 1 1\nwhat\nget *\n").await;
    let counts = client.metrics.snapshot();
    assert_eq!((counts.puts, counts.malformed_requests), (1, 1));
    assert_eq!((counts.gets, counts.points_sent), (1, 1));
    client.send("get a[+]\n").await;
    store.tell(0..3);
    let_connections_run().await;
    store.tell(3..4);
    let_connections_run().await;
    let counts = client.metrics.snapshot();
    assert_eq!((counts.gets, counts.points_sent >= 4), (2, true));
}

/// All of a connection but its buffers, which it does not hold while it waits.
#[tokio::test]
async fn a_connection_that_waits_is_small() {
    const BOUND: usize = 3 * 1024;
    let store = ManualStore::at_once();
    let (near, _far) = tokio::io::duplex(1000);
    let mut protocol = crate::protocol::text::TextProtocol::new(
        crate::ingest::Ingest::new(store.clone(), crate::ingest::InFlightLimit::new(u64::MAX)),
        crate::query::Queries::new(store.clone(), crate::clock::Clock::default()),
        crate::follow::Follows::new(store, crate::clock::Clock::default()),
        true,
    );
    let (metrics, token) = (Metrics::default(), CancellationToken::new());
    let serving = serve_connection(near, &mut protocol, LIMITS, &metrics, &token);
    let size = size_of_val(&serving);
    drop(serving);
    assert!(size + size_of_val(&protocol) <= BOUND, "{size} + {}", size_of_val(&protocol));
}

impl Peer for tokio::io::DuplexStream {}
