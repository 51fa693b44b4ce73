//! Many clients, large replies, clients that do not read.

use std::collections::HashMap;

use shared::client::{Batch, BatchPiece, ReplyPiece};
use shared::response::{Status, decode_points};
use shared::{Client, Key, KeyBuf, Point, Request, Selector};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::os;
use crate::harness::process::ServerProcess;
use crate::harness::server::{Connection, TestServer, client_of};
use crate::harness::within;

fn key(text: &str) -> KeyBuf {
    text.parse().unwrap()
}

/// Puts all points with one write.
async fn put_all<'k>(client: &Client, points: impl Iterator<Item = (Key<'k>, Point)>) {
    let (mut batch, mut line) = (Batch::default(), Vec::new());
    for (key, point) in points {
        line.clear();
        Request::Put(key, point).encode(&mut line);
        batch.push(line.strip_suffix(b"\n").unwrap()).unwrap();
    }
    let mut replies = within(client.send_batch(batch)).await.unwrap();
    while let Some(piece) = within(replies.next()).await.unwrap() {
        assert!(matches!(piece, BatchPiece::Answered(_)), "nothing is refused: {piece:?}");
    }
}

/// Gives each point of all keys to `each`.
async fn get_all(client: &Client, mut each: impl FnMut(Key<'_>, Point)) {
    let mut reply = within(client.get(Selector::ALL)).await.unwrap();
    while let Some(piece) = within(reply.next()).await.unwrap() {
        match piece {
            ReplyPiece::Status(status) => assert_eq!(status, Status::Ok),
            ReplyPiece::Data(data) => {
                decode_points(&data).map(Result::unwrap).for_each(|(key, point)| each(key, point));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_lose_and_mix_up_nothing() {
    const CLIENTS: i64 = 200;
    const PUTS: i64 = 1000;
    let server = TestServer::start().await;
    let mut tasks = Vec::new();
    for number in 0..CLIENTS {
        let client = server.client().await;
        tasks.push(tokio::spawn(async move {
            let own = key(&format!("client{number}.own"));
            let together = [key("shared.even"), key("shared.odd")];
            // Every fourth put goes to a key of all clients, at a time of its own.
            let puts = (0..PUTS).map(|at| {
                let value = f64::from(i32::try_from(number * PUTS + at).unwrap());
                let point = Point { timestamp: number * PUTS + at, value };
                let shared = usize::from(at % 8 == 4);
                let key = if at % 4 == 0 { &together[shared] } else { &own };
                (key.as_key(), point)
            });
            put_all(&client, puts).await;
        }));
    }
    for task in tasks {
        within(task).await.unwrap();
    }

    let mut count = 0;
    let mut last: HashMap<KeyBuf, i64> = HashMap::new();
    let check = |key: Key<'_>, point: Point| {
        count += 1;
        assert_eq!(point.value.to_string(), point.timestamp.to_string(), "a point of another put");
        let (number, at) = (point.timestamp / PUTS, point.timestamp % PUTS);
        let expected = match at % 8 {
            0 => "shared.even".to_owned(),
            4 => "shared.odd".to_owned(),
            _ => format!("client{number}.own"),
        };
        assert_eq!(key.as_str(), expected, "mixed up");
        let before = last.insert(key.to_owned(), point.timestamp);
        assert!(before.is_none_or(|before| before < point.timestamp), "not by rising timestamp");
    };
    get_all(&server.client().await, check).await;
    assert_eq!(count, CLIENTS * PUTS);
    server.stop().await;
}

/// Puts `count` points of one key, a second apart.
async fn fill(client: &Client, key: Key<'_>, count: i64) {
    for start in (0..count).step_by(10_000) {
        let points = (start..(start + 10_000).min(count)).map(|timestamp| {
            let value = f64::from(i32::try_from(timestamp).unwrap()) / 100.0;
            (key, Point { timestamp, value })
        });
        put_all(client, points).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_read_cost_little_memory_and_no_time() {
    const POINTS: i64 = 1_000_000;
    const LAZY: usize = 50;
    // A process of its own: the other tests would count.
    let server = ServerProcess::start(["--ephemeral"]);
    let client = client_of(server.port()).await;
    fill(&client, key("big.series").as_key(), POINTS).await;

    let peak = || server.memory().map(|(_, peak)| peak);
    let before = peak();
    let mut lazy = Vec::new();
    for _ in 0..LAZY {
        let mut connection = Connection::to(server.port()).await;
        connection.send(b"get *\n").await;
        // The reply has begun, and from here on it is not read.
        assert_eq!(connection.read(3).await, b"ok\n");
        lazy.push(connection);
    }

    // Meanwhile the others are served, a large answer included.
    let other = client_of(server.port()).await;
    fill(&other, key("other.key").as_key(), 1).await;
    let mut count = 0;
    get_all(&other, |_, _| count += 1).await;
    assert_eq!(count, POINTS + 1);

    // The reply to each of them is 25 MB; each costs a write buffer and a block of points.
    if let (Some(before), Some(after)) = (before, peak()) {
        let grown = after - before;
        // Besides, what the large answer takes meanwhile.
        let bound = 256 * LAZY as u64 + 8 * 1024;
        assert!(grown < bound, "{LAZY} clients that do not read cost {grown} KiB");
    } else {
        os::skipped("the bound on memory", "this system does not tell the peak of a process");
    }

    // A client that reads after all gets the whole reply.
    let mut patient = lazy.pop().unwrap();
    patient.close_sending().await;
    let whole = patient.read_to_end().await;
    assert!(whole.ends_with(b"\n\n"));
    drop(lazy);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_finishes_a_reply() {
    let server = TestServer::start().await;
    let client = server.client().await;
    fill(&client, key("big.series").as_key(), 200_000).await;
    let mut connection = server.connect().await;
    connection.send(b"get *\n").await;
    assert_eq!(connection.read(3).await, b"ok\n");
    let port = server.port;
    let stopping = tokio::spawn(server.stop());
    let rest = connection.read_to_end().await;
    assert!(rest.ends_with(b"big.series 1999.99 199999\n\n"));
    within(stopping).await.unwrap();
    assert!(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err());
}

/// Closing a socket with unread requests resets it; the reply must arrive all the same.
#[tokio::test(flavor = "multi_thread")]
async fn shutdown_delivers_a_reply_to_a_client_that_has_sent_more_requests() {
    const POINTS: i64 = 300_000;
    let server = TestServer::start().await;
    let client = server.client().await;
    fill(&client, key("big.series").as_key(), POINTS).await;
    let mut connection = server.connect().await;
    connection.send(b"get *\n").await;
    assert_eq!(connection.read(3).await, b"ok\n");
    // More than the server reads at once, so that it ends with requests unread.
    let (mut replies, mut requests) = connection.0.into_split();
    let asked = tokio::spawn(async move {
        let _ = requests.write_all(&b"get nothing\n".repeat(20_000)).await;
        requests
    });
    let stopping = tokio::spawn(server.stop());
    let mut rest = Vec::new();
    within(replies.read_to_end(&mut rest)).await.unwrap();
    let last = format!("big.series 2999.99 {}\n\n", POINTS - 1);
    let text = String::from_utf8(rest).unwrap();
    assert!(text.contains(&last), "the answer ends in {:?}", &text[text.len() - 80..]);
    drop((replies, within(asked).await.unwrap()));
    within(stopping).await.unwrap();
}

/// The empty line of a request that is still being answered belongs to it, however late it comes.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_line_that_comes_during_the_reply_gets_none_of_its_own() {
    let server = TestServer::start().await;
    let client = server.client().await;
    fill(&client, key("big.series").as_key(), 1_000_000).await;
    let mut connection = server.connect().await;
    connection.send(b"get *\n").await;
    // The reply is larger than the socket buffers, so it goes on until it is read.
    assert_eq!(connection.read(3).await, b"ok\n");
    connection.send(b"\r\nget nowhere\n").await;
    connection.close_sending().await;
    let rest = connection.read_to_end().await;
    assert!(rest.ends_with(b"big.series 9999.99 999999\n\nok\n\n"));
    server.stop().await;
}
