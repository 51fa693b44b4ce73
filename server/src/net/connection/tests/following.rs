//! A connection whose reply is a follow.

use super::*;

/// What comes after the request of a follow, in the same packet or later, ends it.
#[tokio::test]
async fn any_byte_ends_a_follow() {
    const STORY: &str = "ok\na 1.0 0\na 1.0 1\n";
    for (request, later, expected) in [
        ("get a[+]\n", "\n", format!("{STORY}\n")),
        ("get a[+]\n", "\r\n", format!("{STORY}\n")),
        ("get a[+]\r\n\r\n", "\n", format!("{STORY}\n")),
        ("get a[+]\n\n", "\n\n", format!("{STORY}\nerror\nwrong command\n\n")),
        ("get a[+]\n", "what\nput a 1 1\n", format!("{STORY}\nerror\nwrong command\n\nok\n\n")),
        ("get a[+]\n", "\nget *\n", format!("{STORY}\nok\n\n")),
        ("get a[+]\n", " ", format!("{STORY}\n")),
        ("put a 1 1\nget a[+]\n", "\n", format!("ok\n\n{STORY}\n")),
        ("get a[+]\nput a 1 1\n", "", "ok\n\nok\n\n".to_owned()),
        ("get a[+]\nget a[+]\n", "\n", format!("ok\n\n{STORY}\n")),
        ("get a[+]\n\nput a 1 1\n", "\n", "ok\n\nok\n\nerror\nwrong command\n\n".to_owned()),
        ("get a[+]\nput a", "", "ok\n\n".to_owned()),
    ] {
        let store = ManualStore::at_once();
        let mut client = Client::connect(&store);
        client.send(request).await;
        if expected.contains("a 1.0 0") {
            let begun = client.read().await;
            assert!(expected.starts_with(&begun) && begun.ends_with("ok\n"), "{begun:?}");
            store.tell(0..1);
            let_connections_run().await;
            assert_eq!(client.read().await, "a 1.0 0\n");
            store.tell(1..2);
            client.send(later).await;
            let rest = client.read().await;
            assert_eq!(format!("{begun}a 1.0 0\n{rest}"), expected, "{request:?} {later:?}");
        } else {
            client.send(later).await;
            assert_eq!(client.close().await.0, expected, "{request:?} {later:?}");
        }
    }
}

/// A request in two packets is one, and so is the empty line that ends a follow.
#[tokio::test]
async fn what_ends_a_follow_may_come_in_pieces() {
    let store = ManualStore::default();
    let mut client = Client::connect(&store);
    for piece in ["get", " a[+]\n", "\r", "\n", "get ", "a[+]\n", "wh", "at\n"] {
        client.send(piece).await;
    }
    assert_eq!(client.close().await.0, "ok\n\nok\n\nerror\nwrong command\n\n");
}

#[tokio::test]
async fn a_follow_waits_for_the_puts_before_it() {
    let store = ManualStore::default();
    let mut client = Client::connect(&store);
    client.send("put a 1 1\nget a[+]\n").await;
    assert_eq!(client.read().await, "");
    client.answer(failure()).await;
    assert_eq!(client.read().await, "error\nthe disk is full\n\nok\n");
}

/// Its reply goes on until the connection ends.
#[tokio::test(start_paused = true)]
async fn a_client_that_has_closed_its_sending_side_still_follows() {
    for has_news in [false, true] {
        let store = ManualStore::default();
        let mut client = Client::connect(&store);
        client.send("get a[+]\n").await;
        client.stream.shutdown().await.unwrap();
        let_connections_run().await;
        store.tell(0..2);
        let_connections_run().await;
        assert_eq!(client.read().await, "ok\na 1.0 0\na 1.0 1\n");
        drop(client.stream);
        if has_news {
            store.tell(2..3);
        }
        let (stats, reason) = within(client.task).await.unwrap();
        assert!(matches!(reason, CloseReason::Failed(_)), "{reason}");
        let points_sent = if has_news { 3 } else { 2 };
        assert_eq!(stats, SessionStats { gets: 1, points_sent, ..SessionStats::default() });
    }
}

/// A follow that has news which do not fit the way to its client, or has none.
async fn unread(store: &ManualStore, news: i64) -> Client {
    let mut client = Client::connect_through(store, 1000);
    client.send("get a[+]\n").await;
    store.tell(0..news);
    let_connections_run().await;
    client
}

/// The reply breaks off, whether the client reads or not.
async fn assert_breaks_off(client: &mut Client) {
    let mut reply = String::new();
    within(client.stream.read_to_string(&mut reply)).await.unwrap();
    assert!(reply.starts_with("ok\n") && !reply.contains("\n\n"), "{reply}");
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_a_follower() {
    for news in [0, 1, 10_000] {
        let mut client = unread(&ManualStore::default(), news).await;
        client.shutdown.cancel();
        assert_breaks_off(&mut client).await;
        assert!(matches!(within(client.task).await.unwrap().1, CloseReason::Shutdown));
    }
}

#[tokio::test]
async fn a_follower_that_falls_behind_is_cut_off() {
    for news in [0, 1, 10_000] {
        let store = ManualStore::default();
        let mut client = unread(&store, news).await;
        store.cut_off();
        let (_, reason) = within(&mut client.task).await.unwrap();
        assert_eq!(reason.to_string(), "the follower fell behind");
        assert_breaks_off(&mut client).await;
    }
}

/// News that are not read take no more memory than any reply.
#[tokio::test]
async fn news_are_written_in_pieces() {
    let store = ManualStore::default();
    let mut client = Client::connect(&store);
    client.send("get a[+]\n").await;
    store.tell(0..50_000);
    client.send("\n").await;
    let reply = client.close().await.0;
    assert_eq!(reply.lines().count(), 50_002);
}
