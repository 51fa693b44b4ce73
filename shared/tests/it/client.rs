//! The client over an in-memory pipe, against a peer that says exactly what the test has it say.

mod batches;
mod ending;
mod following;

use std::time::Duration;

use shared::client::{
    Batch, BatchPiece, BatchStream, ClientError, Refusal, ReplyPiece, ReplyStream,
};
use shared::dialogue::{self, Turn};
use shared::response::{BadReply, Status, decode_points, encode_point};
use shared::{Client, Key, Point, Request, Selector};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a test waits for anything before it fails. The clock of the tests is paused: it moves
/// only when nothing else can happen, so that a wait without an end fails at once.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Waits for `future`.
///
/// # Panics
/// After [`PATIENCE`].
async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("nothing happens any more")
}

fn key() -> Key<'static> {
    Key::new("palm.cpu").unwrap()
}

fn point(timestamp: i64) -> Point {
    Point { timestamp, value: 1.5 }
}

fn pair() -> (Client, DuplexStream) {
    let (near, far) = tokio::io::duplex(1 << 16);
    (Client::over(near, REPLY_TIMEOUT), far)
}

/// Stores points with one write; gives those that are refused.
async fn put_points(
    client: &Client,
    timestamps: impl IntoIterator<Item = i64>,
) -> Result<Vec<BatchPiece>, ClientError> {
    let (mut batch, mut line) = (Batch::default(), Vec::new());
    for timestamp in timestamps {
        line.clear();
        Request::Put(key(), point(timestamp)).encode(&mut line);
        batch.push(line.strip_suffix(b"\n").unwrap())?;
    }
    let (mut replies, mut refused) = (within(client.send_batch(batch)).await?, Vec::new());
    while let Some(piece) = next(&mut replies).await? {
        refused.push(piece);
    }
    Ok(refused)
}

async fn expect(peer: &mut DuplexStream, bytes: &[u8]) {
    let mut read = vec![0; bytes.len()];
    within(peer.read_exact(&mut read)).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&read), String::from_utf8_lossy(bytes));
}

fn batch(lines: &[&str]) -> Batch {
    let mut batch = Batch::default();
    for line in lines {
        batch.push(line.as_bytes()).unwrap();
    }
    batch
}

/// A batch of eight, and a request after it. The peer has sent `count` replies with data, one without
/// and the beginning of a refusal.
async fn partial_batch(count: usize) -> (Client, DuplexStream, BatchStream, ReplyStream) {
    let (client, mut peer) = pair();
    let replies = within(client.send_batch(batch(&["get a"; 8]))).await.unwrap();
    let after = within(client.send(b"get *")).await.unwrap();
    expect(&mut peer, &[&b"get a\n".repeat(8)[..], b"get *\n"].concat()).await;
    within(peer.write_all(&b"ok\na 1.0 1\n\n".repeat(count))).await.unwrap();
    within(peer.write_all(b"ok\n\nerror\nha")).await.unwrap();
    (client, peer, replies, after)
}

#[tokio::test(start_paused = true)]
async fn puts_are_pipelined_and_refusals_found_by_place() {
    let (client, mut peer) = pair();
    let batch = tokio::spawn(async move { put_points(&client, 1..=3).await });
    expect(&mut peer, b"put palm.cpu 1.5 1\nput palm.cpu 1.5 2\nput palm.cpu 1.5 3\n").await;
    within(peer.write_all(b"ok\n\nerror\ndisk full\n\nok\n\n")).await.unwrap();
    let refused = Refusal { index: 1, reason: "disk full".to_owned() };
    assert_eq!(within(batch).await.unwrap(), Ok(vec![BatchPiece::Refused(refused)]));
}

#[tokio::test(start_paused = true)]
async fn replies_come_in_the_order_of_the_requests() {
    let (client, mut peer) = pair();
    let mut first = within(client.send(b"get palm.cpu")).await.unwrap();
    let mut second = within(client.get(Selector::ALL)).await.unwrap();
    expect(&mut peer, b"get palm.cpu\nget *\n").await;
    within(peer.write_all(b"ok\npalm.cpu 1.5 1\n\nok\na 1.0 1\na 2.0 2\n\n")).await.unwrap();
    assert_eq!(within(first.next()).await, Ok(Some(ReplyPiece::Status(Status::Ok))));
    assert_eq!(within(first.next()).await, Ok(Some(ReplyPiece::Data("palm.cpu 1.5 1\n".into()))));
    assert_eq!(within(first.next()).await, Ok(None));
    assert_eq!(within(first.next()).await, Ok(None));
    assert_eq!(within(second.next()).await, Ok(Some(ReplyPiece::Status(Status::Ok))));
    assert_eq!(
        within(second.next()).await,
        Ok(Some(ReplyPiece::Data("a 1.0 1\na 2.0 2\n".into())))
    );
    assert_eq!(within(second.next()).await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_reply_leaves_the_connection_in_step() {
    let (client, mut peer) = pair();
    drop(within(client.get(Selector::ALL)).await.unwrap());
    let put = tokio::spawn(async move { put_points(&client, [1]).await });
    expect(&mut peer, b"get *\nput palm.cpu 1.5 1\n").await;
    within(peer.write_all(b"ok\na 1.0 1\na 2.0 2\n\nok\n\n")).await.unwrap();
    assert_eq!(within(put).await.unwrap(), Ok(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_breaks_off_is_no_reply() {
    let (client, mut peer) = pair();
    let mut reply = within(client.get(Selector::ALL)).await.unwrap();
    let put = tokio::spawn({
        let client = client.clone();
        async move { put_points(&client, [1]).await }
    });
    expect(&mut peer, b"get *\nput palm.cpu 1.5 1\n").await;
    within(peer.write_all(b"ok\na 1.0 1\n")).await.unwrap();
    drop(peer);
    assert_eq!(within(reply.next()).await, Ok(Some(ReplyPiece::Status(Status::Ok))));
    let rest = within(reply.next()).await;
    assert!(matches!(rest, Ok(Some(ReplyPiece::Data(_)))), "{rest:?}");
    assert_eq!(within(reply.next()).await, Err(ClientError::Closed));
    assert_eq!(within(put).await.unwrap(), Err(ClientError::Closed));
    assert_eq!(within(client.closed()).await, ClientError::Closed);
    assert_eq!(put_points(&client, [2]).await, Err(ClientError::Closed));
}

/// Whether the server says it at once or has read the request: it is no reply to that.
#[tokio::test(start_paused = true)]
async fn a_connection_for_which_there_is_no_place_is_no_reply() {
    let refused = ClientError::Refused("there are too many connections".to_owned());
    for is_sent_before in [false, true] {
        let (client, mut peer) = pair();
        let put = tokio::spawn({
            let client = client.clone();
            async move { put_points(&client, [1]).await }
        });
        if is_sent_before {
            expect(&mut peer, b"put palm.cpu 1.5 1\n").await;
        }
        within(peer.write_all(b"error\nthere are too many connections\n\n")).await.unwrap();
        drop(peer);
        assert_eq!(within(put).await.unwrap(), Err(refused.clone()));
        assert_eq!(within(client.closed()).await, refused);
        assert_eq!(put_points(&client, [2]).await, Err(refused.clone()));
    }
}

/// An error is one where the connection goes on, and where no other connection would bring another reply.
#[tokio::test(start_paused = true)]
async fn a_first_reply_that_is_an_error_is_a_reply() {
    for (reason, goes_on) in
        [("there are too many connections", true), ("wrong command", false), ("no such key", false)]
    {
        let (client, mut peer) = pair();
        let mut reply = within(client.send(b"put a 1 1")).await.unwrap();
        expect(&mut peer, b"put a 1 1\n").await;
        within(peer.write_all(format!("error\n{reason}\n\n").as_bytes())).await.unwrap();
        let _open = goes_on.then_some(peer);
        assert_eq!(within(reply.next()).await, Ok(Some(ReplyPiece::Status(Status::Error))));
        let data = within(reply.next()).await;
        assert!(
            matches!(data, Ok(Some(ReplyPiece::Data(data))) if data.starts_with(reason.as_bytes()))
        );
        assert_eq!(within(reply.next()).await, Ok(None));
    }
}

#[tokio::test(start_paused = true)]
async fn another_protocol_is_named() {
    let (client, mut peer) = pair();
    let put = tokio::spawn(async move { put_points(&client, [1]).await });
    expect(&mut peer, b"put palm.cpu 1.5 1\n").await;
    within(peer.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")).await.unwrap();
    assert_eq!(within(put).await.unwrap(), Err(ClientError::BadReply(BadReply::Http)));
}

#[tokio::test(start_paused = true)]
async fn lines_that_could_get_the_client_out_of_step_are_not_sent() {
    let (client, _peer) = pair();
    for line in [&b""[..], b"\r", b"get *\nget *"] {
        assert_eq!(within(client.send(line)).await.err(), Some(ClientError::NotOneLine));
    }
}

#[tokio::test(start_paused = true)]
async fn replies_still_come_after_the_last_handle_is_gone() {
    let (client, mut peer) = pair();
    let mut reply = within(client.get(Selector::ALL)).await.unwrap();
    drop(client);
    let mut sent = Vec::new();
    within(peer.read_to_end(&mut sent)).await.unwrap();
    assert_eq!(sent, b"get *\n");
    within(peer.write_all(b"ok\n\n")).await.unwrap();
    assert_eq!(within(reply.next()).await, Ok(Some(ReplyPiece::Status(Status::Ok))));
    assert_eq!(within(reply.next()).await, Ok(None));
}

/// The last handle goes while pieces of a reply are on their way to a slow caller.
#[tokio::test(start_paused = true)]
async fn a_slow_caller_loses_nothing_when_the_last_handle_goes() {
    const PIECES: i64 = 40;
    const POINTS: i64 = 1000;
    let (client, mut peer) = pair();
    let mut reply = within(client.get(Selector::ALL)).await.unwrap();
    expect(&mut peer, b"get *\n").await;
    let answer = tokio::spawn(async move {
        let mut bytes = b"ok\n".to_vec();
        for at in 0..PIECES * POINTS {
            encode_point(key(), point(at), &mut bytes);
        }
        bytes.push(b'\n');
        within(peer.write_all(&bytes)).await.unwrap();
    });
    // Until the driver stands before a full queue, and the peer before a full pipe.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert!(!answer.is_finished(), "all of it fits on the way");
    drop(client);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let mut timestamps = Vec::new();
    while let Some(piece) = within(reply.next()).await.unwrap() {
        if let ReplyPiece::Data(data) = piece {
            timestamps.extend(decode_points(&data).map(|point| point.unwrap().1.timestamp));
        }
    }
    assert_eq!(timestamps, (0..PIECES * POINTS).collect::<Vec<_>>());
}

/// The next piece that is more than a count.
async fn next(replies: &mut BatchStream) -> Result<Option<BatchPiece>, ClientError> {
    loop {
        match within(replies.next()).await {
            Ok(Some(BatchPiece::Answered(_))) => {}
            other => return other,
        }
    }
}

const DIALOGUES: [(&str, &str); 3] = [
    ("protocol", include_str!("../data/protocol.dialogue")),
    ("requests", include_str!("../data/requests.dialogue")),
    ("order", include_str!("../data/order.dialogue")),
];

/// The client's side of every dialogue whose lines it would send.
#[tokio::test(start_paused = true)]
async fn the_client_reads_each_dialogue_byte_for_byte() {
    for (name, text) in DIALOGUES {
        let (client, mut peer) = pair();
        let mut due = Vec::new();
        for turn in dialogue::parse(text).unwrap() {
            match turn {
                Turn::Client(bytes) => {
                    for line in bytes.strip_suffix(b"\n").unwrap().split(|&byte| byte == b'\n') {
                        due.push(within(client.send(line)).await.unwrap());
                    }
                    let mut said = vec![0; bytes.len()];
                    within(peer.read_exact(&mut said)).await.unwrap();
                    assert_eq!(said, bytes, "{name}");
                }
                Turn::Server(bytes) => {
                    within(peer.write_all(&bytes)).await.unwrap();
                    let mut heard = Vec::new();
                    for mut reply in due.drain(..) {
                        while let Some(piece) = within(reply.next()).await.unwrap() {
                            match piece {
                                ReplyPiece::Status(Status::Ok) => heard.extend(b"ok\n"),
                                ReplyPiece::Status(Status::Error) => heard.extend(b"error\n"),
                                ReplyPiece::Data(data) => heard.extend(&data),
                            }
                        }
                        heard.push(b'\n');
                    }
                    assert_eq!(heard, bytes, "{name}");
                }
                Turn::Close => {}
            }
        }
    }
}
