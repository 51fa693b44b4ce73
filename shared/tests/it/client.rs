//! The client over an in-memory pipe, against a peer that says exactly what the test has it say.

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

#[tokio::test(start_paused = true)]
async fn another_protocol_is_named() {
    let (client, mut peer) = pair();
    let put = tokio::spawn(async move { put_points(&client, [1]).await });
    expect(&mut peer, b"put palm.cpu 1.5 1\n").await;
    within(peer.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")).await.unwrap();
    let status = "HTTP/1.1 400 Bad Request".to_owned();
    assert_eq!(within(put).await.unwrap(), Err(ClientError::BadReply(BadReply::Status(status))));
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

fn batch(lines: &[&str]) -> Batch {
    let mut batch = Batch::default();
    for line in lines {
        batch.push(line.as_bytes()).unwrap();
    }
    batch
}

#[tokio::test(start_paused = true)]
async fn a_batch_gives_data_and_refusals_and_counts_the_rest() {
    let (client, mut peer) = pair();
    let mut replies = within(client.send_batch(batch(&["put a 1 1", "got", "get a", "put a 2 2"])))
        .await
        .unwrap();
    let mut after = within(client.send_batch(batch(&["got"]))).await.unwrap();
    expect(&mut peer, b"put a 1 1\ngot\nget a\nput a 2 2\ngot\n").await;
    within(peer.write_all(b"ok\n\nerror\nwrong command\n\nok\na 1.0 1\n\nok\n\nerror\nno\n\n"))
        .await
        .unwrap();
    let refused =
        |index, reason: &str| BatchPiece::Refused(Refusal { index, reason: reason.to_owned() });
    assert_eq!(next(&mut replies).await, Ok(Some(refused(1, "wrong command"))));
    let data = |index| BatchPiece::Data { index, lines: "a 1.0 1\n".into() };
    assert_eq!(next(&mut replies).await, Ok(Some(data(2))));
    assert_eq!(next(&mut replies).await, Ok(None));
    assert_eq!((next(&mut replies).await, replies.answered()), (Ok(None), 4));
    assert_eq!(within(after.next()).await, Ok(Some(refused(0, "no"))));
    assert_eq!(within(after.next()).await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn a_batch_tells_how_far_it_has_come() {
    let (client, mut peer) = pair();
    let lines = ["put a 1 1", "put a 2 2", "got", "put a 3 3", "put a 4 4"];
    let mut replies = within(client.send_batch(batch(&lines))).await.unwrap();
    expect(&mut peer, format!("{}\n", lines.join("\n")).as_bytes()).await;
    for (answer, pieces) in [
        ("ok\n\nok\n\n", vec![BatchPiece::Answered(2)]),
        (
            "error\nno\n\nok\n\n",
            vec![
                BatchPiece::Refused(Refusal { index: 2, reason: "no".to_owned() }),
                BatchPiece::Answered(4),
            ],
        ),
        ("ok\n\n", vec![]),
    ] {
        within(peer.write_all(answer.as_bytes())).await.unwrap();
        for piece in pieces {
            assert_eq!(within(replies.next()).await, Ok(Some(piece)));
        }
    }
    assert_eq!((within(replies.next()).await, replies.answered()), (Ok(None), 5));
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_breaks_off_says_how_far_it_came() {
    let (client, mut peer) = pair();
    let mut replies =
        within(client.send_batch(batch(&["put a 1 1", "get a", "get a"]))).await.unwrap();
    expect(&mut peer, b"put a 1 1\nget a\nget a\n").await;
    within(peer.write_all(b"ok\n\nok\na 1.0 1\n\nok\na")).await.unwrap();
    drop(peer);
    let data = BatchPiece::Data { index: 1, lines: "a 1.0 1\n".into() };
    assert_eq!(next(&mut replies).await, Ok(Some(data)));
    assert_eq!(next(&mut replies).await, Err(ClientError::Closed));
    assert!(replies.is_over());
    assert_eq!(next(&mut replies).await, Err(ClientError::Closed), "it does not end well later");
    assert_eq!(replies.answered(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_batch_takes_only_what_gets_one_reply_each() {
    let mut some = batch(&["put a 1 1"]);
    for line in ["", "\r", "a\nb"] {
        assert_eq!(some.push(line.as_bytes()), Err(ClientError::NotOneLine));
    }
    assert_eq!((some.len(), some.size()), (1, 10));
    assert_eq!(some.lines().collect::<Vec<_>>(), [b"put a 1 1"]);
    let (client, _peer) = pair();
    let mut none = within(client.send_batch(Batch::default())).await.unwrap();
    assert_eq!(within(none.next()).await, Ok(None));
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

/// Any byte is a sign of life, but only of a reply that is due.
#[tokio::test(start_paused = true)]
async fn a_slow_reply_is_waited_for_and_a_stalled_one_ends_the_connection() {
    let (client, mut peer) = pair();
    tokio::time::sleep(10 * REPLY_TIMEOUT).await;
    let mut replies = within(client.send_batch(batch(&["got"; 5]))).await.unwrap();
    let mut after = within(client.send(b"got")).await.unwrap();
    within(peer.read_exact(&mut [0; 24])).await.unwrap();
    let peer = tokio::spawn(async move {
        for piece in [&b"ok\n"[..], b"\nok\n\no", b"k\n\nok"] {
            tokio::time::sleep(Duration::from_secs(20)).await;
            within(peer.write_all(piece)).await.unwrap();
        }
        peer
    });
    let begun = Instant::now();
    let stalled = ClientError::Stalled(REPLY_TIMEOUT);
    assert_eq!(next(&mut replies).await, Err(stalled.clone()));
    assert_eq!(begun.elapsed().as_secs(), 90, "three pieces, each in time, and the limit");
    assert_eq!(replies.answered(), 3);
    assert_eq!(within(after.next()).await, Err(stalled.clone()));
    assert_eq!(within(client.closed()).await, stalled);
    assert_eq!(stalled.to_string(), "the reply stalled: nothing came for 30 s");
    let mut rest = Vec::new();
    let mut peer = within(peer).await.unwrap();
    within(peer.read_to_end(&mut rest)).await.unwrap();
}

/// Writes ten lines of data, each of which the client reads as a piece of its own.
async fn write_ten_pieces(peer: &mut DuplexStream) {
    for _ in 0..10 {
        within(peer.write_all(b"a 1.0 1\n")).await.unwrap();
        tokio::task::yield_now().await;
    }
}

/// A reply that the caller does not take is no stall of the peer.
#[tokio::test(start_paused = true)]
async fn a_slow_caller_is_no_stall() {
    let (client, mut peer) = pair();
    let mut reply = within(client.send(b"get a")).await.unwrap();
    expect(&mut peer, b"get a\n").await;
    within(peer.write_all(b"ok\n")).await.unwrap();
    write_ten_pieces(&mut peer).await;
    within(peer.write_all(b"\n")).await.unwrap();
    tokio::time::sleep(10 * REPLY_TIMEOUT).await;
    let mut lines = 0;
    while let Some(piece) = within(reply.next()).await.unwrap() {
        if let ReplyPiece::Data(data) = piece {
            lines += decode_points(&data).count();
        }
    }
    assert_eq!(lines, 10);
}

#[tokio::test(start_paused = true)]
async fn an_abort_ends_the_connection_whatever_is_due() {
    let (client, mut peer) = pair();
    let mut first = within(client.send(b"get *")).await.unwrap();
    let mut second = within(client.send_batch(batch(&["got", "got"]))).await.unwrap();
    expect(&mut peer, b"get *\ngot\ngot\n").await;
    client.clone().abort();
    assert_eq!(within(first.next()).await, Err(ClientError::Aborted));
    assert_eq!(within(second.next()).await, Err(ClientError::Aborted));
    assert_eq!(within(client.closed()).await, ClientError::Aborted);
    assert_eq!(within(client.send(b"get *")).await.err(), Some(ClientError::Closed));
    let mut rest = Vec::new();
    within(peer.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(rest, b"");
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

/// The next piece that is more than a count.
async fn next(replies: &mut BatchStream) -> Result<Option<BatchPiece>, ClientError> {
    loop {
        match within(replies.next()).await {
            Ok(Some(BatchPiece::Answered(_))) => {}
            other => return other,
        }
    }
}

/// The places of the replies with data, the error after them and the number of whole replies.
async fn take_data(mut replies: BatchStream) -> (Vec<usize>, ClientError, usize) {
    let mut places = Vec::new();
    loop {
        match next(&mut replies).await {
            Ok(Some(BatchPiece::Data { index, .. })) => places.push(index),
            Err(error) => return (places, error, replies.answered()),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_abort_waits_for_no_caller_and_loses_no_whole_reply() {
    for count in [3, 4, 5, 6] {
        let (client, mut peer, replies, mut after) = partial_batch(count).await;
        // Until the driver waits for the caller, or for the peer.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        client.abort();
        assert_eq!(within(client.closed()).await, ClientError::Aborted);
        within(peer.read_to_end(&mut Vec::new())).await.unwrap();
        assert_eq!(within(after.next()).await, Err(ClientError::Aborted));
        let expected = ((0..count).collect(), ClientError::Aborted, count + 1);
        assert_eq!(take_data(replies).await, expected);
    }
}

/// The caller goes before the driver has to wait for room, or while it does.
#[tokio::test(start_paused = true)]
async fn a_dropped_batch_leaves_the_connection_in_step() {
    for yields in [0, 100] {
        let (_client, mut peer, replies, mut after) = partial_batch(6).await;
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        drop(replies);
        within(peer.write_all(b"\n\nok\n\n")).await.unwrap();
        assert_eq!(within(after.next()).await, Ok(Some(ReplyPiece::Status(Status::Ok))));
        assert_eq!(within(after.next()).await, Ok(None));
    }
}

#[tokio::test(start_paused = true)]
async fn an_abort_holds_when_the_last_handle_goes() {
    // The driver may see either first.
    for _ in 0..20 {
        let (client, _peer) = pair();
        let mut reply = within(client.send(b"get *")).await.unwrap();
        tokio::task::yield_now().await;
        client.abort();
        drop(client);
        assert_eq!(within(reply.next()).await, Err(ClientError::Aborted));
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_were_not_written_fail_for_the_same_reason() {
    let (client, _peer) = pair();
    // More than the pipe takes.
    let mut stuck = within(client.send(&b"a".repeat(1 << 17))).await.unwrap();
    let mut first = within(client.send(b"got")).await.unwrap();
    let mut second = within(client.send_batch(batch(&["got"]))).await.unwrap();
    tokio::task::yield_now().await;
    client.abort();
    assert_eq!(within(stuck.next()).await, Err(ClientError::Aborted));
    assert_eq!(within(first.next()).await, Err(ClientError::Aborted));
    assert_eq!(within(second.next()).await, Err(ClientError::Aborted));
}

/// An abort while the pieces of one reply wait for the caller.
#[tokio::test(start_paused = true)]
async fn an_aborted_reply_gives_what_has_come_of_it() {
    let (client, mut peer) = pair();
    let mut reply = within(client.send(b"get a")).await.unwrap();
    expect(&mut peer, b"get a\n").await;
    within(peer.write_all(b"ok\n")).await.unwrap();
    write_ten_pieces(&mut peer).await;
    client.abort();
    within(client.closed()).await;
    let mut pieces = 0;
    let error = loop {
        match within(reply.next()).await {
            Ok(Some(_)) => pieces += 1,
            Ok(None) => panic!("it came whole"),
            Err(error) => break error,
        }
    };
    assert_eq!(error, ClientError::Aborted);
    assert!(pieces > 4, "{pieces}");
}

#[tokio::test(start_paused = true)]
async fn a_stall_waits_for_no_caller_and_loses_no_whole_reply() {
    for count in [3, 4] {
        let (client, _peer, replies, mut after) = partial_batch(count).await;
        let stalled = ClientError::Stalled(REPLY_TIMEOUT);
        assert_eq!(within(client.closed()).await, stalled);
        assert_eq!(within(after.next()).await, Err(stalled.clone()));
        let expected = ((0..count).collect(), stalled, count + 1);
        assert_eq!(take_data(replies).await, expected);
    }
}

/// The peer falls silent while the caller holds back the refusals that have come.
#[tokio::test(start_paused = true)]
async fn a_stall_behind_a_slow_caller_loses_no_whole_reply() {
    let (_client, _peer, replies, mut after) = partial_batch(6).await;
    tokio::time::sleep(10 * REPLY_TIMEOUT).await;
    let stalled = ClientError::Stalled(REPLY_TIMEOUT);
    let expected = ((0..6).collect(), stalled.clone(), 7);
    assert_eq!(take_data(replies).await, expected);
    assert_eq!(within(after.next()).await, Err(stalled));
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

async fn status_and_data(reply: &mut ReplyStream, data: &'static str) {
    assert_eq!(within(reply.next()).await, Ok(Some(ReplyPiece::Status(Status::Ok))));
    assert_eq!(within(reply.next()).await, Ok(Some(ReplyPiece::Data(data.into()))));
}

fn follow() -> Selector<'static> {
    Selector::from_bytes(b"a[+]").unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_follow_may_be_silent_but_its_beginning_is_due() {
    let (client, mut peer) = pair();
    let mut reply = within(client.get(follow())).await.unwrap();
    expect(&mut peer, b"get a[+]\n").await;
    within(peer.write_all(b"ok\na 1.0 1\n")).await.unwrap();
    status_and_data(&mut reply, "a 1.0 1\n").await;
    tokio::time::sleep(20 * REPLY_TIMEOUT).await;
    within(peer.write_all(b"a 2.0 2\na - 1\n")).await.unwrap();
    let piece = within(reply.next()).await;
    assert_eq!(piece, Ok(Some(ReplyPiece::Data("a 2.0 2\na - 1\n".into()))));

    let (client, _peer) = pair();
    let mut silent = within(client.get(follow())).await.unwrap();
    assert_eq!(within(silent.next()).await, Err(ClientError::Stalled(REPLY_TIMEOUT)));
}

#[tokio::test(start_paused = true)]
async fn the_next_request_ends_a_follow_whose_end_is_due_then() {
    for line in [&b"get a[+]"[..], b" get a[-5m:+] \r"] {
        let (client, mut peer) = pair();
        let mut reply = within(client.send(line)).await.unwrap();
        expect(&mut peer, &[line, b"\n"].concat()).await;
        within(peer.write_all(b"ok\na 1.0 1\n")).await.unwrap();
        status_and_data(&mut reply, "a 1.0 1\n").await;
        let put = tokio::spawn({
            let client = client.clone();
            async move { put_points(&client, [1]).await }
        });
        expect(&mut peer, b"put palm.cpu 1.5 1\n").await;
        within(peer.write_all(b"\nok\n\n")).await.unwrap();
        assert_eq!(within(reply.next()).await, Ok(None));
        assert_eq!(within(put).await.unwrap(), Ok(Vec::new()));

        let _again = within(client.send(line)).await.unwrap();
        let mut late = within(client.send(b"get b")).await.unwrap();
        expect(&mut peer, &[line, b"\nget b\n"].concat()).await;
        within(peer.write_all(b"ok\n")).await.unwrap();
        assert_eq!(within(late.next()).await, Err(ClientError::Stalled(REPLY_TIMEOUT)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_follow_is_ended_by_an_empty_line() {
    let (client, mut peer) = pair();
    let mut reply = within(client.get(follow())).await.unwrap();
    expect(&mut peer, b"get a[+]\n").await;
    within(peer.write_all(b"ok\na 1.0 1\n")).await.unwrap();
    status_and_data(&mut reply, "a 1.0 1\n").await;
    drop(reply);
    expect(&mut peer, b"\n").await;
    within(peer.write_all(b"a 2.0 2\n\n")).await.unwrap();
    let mut next = within(client.send(b"get b")).await.unwrap();
    expect(&mut peer, b"get b\n").await;
    within(peer.write_all(b"ok\nb 1.0 1\n\n")).await.unwrap();
    status_and_data(&mut next, "b 1.0 1\n").await;

    let reply = within(client.get(follow())).await.unwrap();
    drop((client, reply));
    expect(&mut peer, b"get a[+]\n").await;
    within(peer.write_all(b"ok\n")).await.unwrap();
    within(async { while peer.read_u8().await.is_ok() {} }).await;
}

#[tokio::test(start_paused = true)]
async fn a_follow_at_the_end_of_a_batch_may_be_silent() {
    let (client, mut peer) = pair();
    let mut batch = Batch::default();
    batch.push(b"get b").unwrap();
    batch.push(b"get a[:+]").unwrap();
    let mut replies = within(client.send_batch(batch)).await.unwrap();
    expect(&mut peer, b"get b\nget a[:+]\n").await;
    within(peer.write_all(b"ok\n\nok\n")).await.unwrap();
    tokio::time::sleep(2 * REPLY_TIMEOUT).await;
    within(peer.write_all(b"a 1.0 1\n")).await.unwrap();
    let lines = "a 1.0 1\n".into();
    assert_eq!(next(&mut replies).await, Ok(Some(BatchPiece::Data { index: 1, lines })));
}
