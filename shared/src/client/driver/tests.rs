//! Connections that are made again, over pipes in memory.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;
use crate::client::{Batch, BatchPiece, Client};
use crate::response::BadReply;

const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// Longer than any wait of the client. The clock of the tests is paused.
const PATIENCE: Duration = Duration::from_secs(3600);

/// A client, and the far ends of its connections in order.
fn pair() -> (Client, mpsc::UnboundedReceiver<DuplexStream>) {
    let (far_ends, connections) = mpsc::unbounded_channel();
    let connect = move || {
        let (near, far) = duplex(1 << 16);
        far_ends.send(far).map(|()| near).map_err(|_| io::ErrorKind::ConnectionRefused.into())
    };
    let first = connect().unwrap();
    let reopen: Reopen<DuplexStream> = Box::new(move || {
        let stream = connect();
        Box::pin(async { stream })
    });
    (Client::start(first, Some(reopen), REPLY_TIMEOUT), connections)
}

async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("nothing happens any more")
}

/// One side of a dialogue.
struct Peer(DuplexStream);

impl Peer {
    async fn next(connections: &mut mpsc::UnboundedReceiver<DuplexStream>) -> Self {
        Self(within(connections.recv()).await.unwrap())
    }

    /// Takes these bytes and no more, and answers them.
    async fn turn(&mut self, expected: &str, answer: &str) {
        let mut read = vec![0; expected.len() + 1];
        let mut length = 0;
        while length < expected.len() {
            let more = within(self.0.read(&mut read[length..])).await.unwrap();
            assert!(more > 0, "the connection ends before {expected:?}");
            length += more;
        }
        assert_eq!(String::from_utf8_lossy(&read[..length]), expected);
        within(self.0.write_all(answer.as_bytes())).await.unwrap();
    }
}

fn batch(lines: &[&str]) -> Batch {
    let mut batch = Batch::default();
    for line in lines {
        batch.push(line.as_bytes()).unwrap();
    }
    batch
}

/// Sends lines as a batch in a task of its own: the number of replies, those with an error, and how
/// it ended.
fn send(
    client: &Client,
    lines: &[&str],
) -> tokio::task::JoinHandle<(usize, usize, Result<(), ClientError>)> {
    let (client, batch) = (client.clone(), batch(lines));
    tokio::spawn(async move {
        let mut replies = client.send_batch(batch).await.unwrap();
        let mut refused = 0;
        let end = loop {
            match within(replies.next()).await {
                Ok(Some(BatchPiece::Refused(_))) => refused += 1,
                Ok(Some(BatchPiece::Data { .. } | BatchPiece::Answered(_))) => {}
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        (replies.answered(), refused, end)
    })
}

const TWO: &str = "get tui-client.probe\nget wrong command test\n";
const THIRD: &str = "get tui-client.probe\n";
const ERROR: &str = "error\nwrong command\n\n";
const PUTS: [&str; 3] = ["put a 1 1", "put a 2 2", "put a 3 3"];
const ALL_PUTS: &str = "put a 1 1\nput a 2 2\nput a 3 3\n";

#[tokio::test(start_paused = true)]
async fn requests_go_ahead_of_replies_after_two_round_trips() {
    let (client, mut connections) = pair();
    let mut peer = Peer::next(&mut connections).await;
    let sent = send(&client, &PUTS);
    peer.turn(TWO, "ok\n\n").await;
    peer.turn(THIRD, &format!("{ERROR}ok\n\n")).await;
    peer.turn(ALL_PUTS, &format!("ok\n\n{ERROR}ok\n\n")).await;
    assert_eq!(within(sent).await.unwrap(), (3, 1, Ok(())));
    // Once is enough.
    let (first, second) = (send(&client, &PUTS), send(&client, &PUTS));
    peer.turn(&ALL_PUTS.repeat(2), &"ok\n\n".repeat(6)).await;
    assert_eq!(within(first).await.unwrap(), (3, 0, Ok(())));
    assert_eq!(within(second).await.unwrap(), (3, 0, Ok(())));
}

#[tokio::test(start_paused = true)]
async fn single_requests_need_no_probe_until_one_waits() {
    let (client, mut connections) = pair();
    let mut peer = Peer::next(&mut connections).await;
    for _ in 0..2 {
        let sent = send(&client, &["get a"]);
        peer.turn("get a\n", "ok\n\n").await;
        assert_eq!(within(sent).await.unwrap(), (1, 0, Ok(())));
    }
    let first = send(&client, &["get a"]);
    peer.turn("get a\n", "ok\na 1.0 1\n").await;
    let second = send(&client, &["get b"]);
    // The reply goes on: nothing is sent ahead of its end.
    tokio::time::sleep(Duration::from_secs(1)).await;
    peer.turn("", "a 2.0 2\n\n").await;
    assert_eq!(within(first).await.unwrap(), (1, 0, Ok(())));
    peer.turn(TWO, "ok\n\n").await;
    peer.turn(THIRD, &format!("{ERROR}ok\n\n")).await;
    peer.turn("get b\n", "ok\n\n").await;
    assert_eq!(within(second).await.unwrap(), (1, 0, Ok(())));
}

#[tokio::test(start_paused = true)]
async fn a_failed_probe_leads_to_one_request_at_a_time_on_another_connection() {
    let failures: [&[&str]; 6] = [
        // The packet is one request.
        &[ERROR],
        // The second request is dropped, so that the next reply is that to the third.
        &["ok\n\n", "ok\n\n"],
        // The rest of a packet is served with the next one.
        &["ok\n\n", ERROR],
        // Each line of a packet is answered, and its end, too.
        &["ok\n\n", "error\n\nerror\n\nok\n\n"],
        &["ok\n\n", ""],
        &[""],
    ];
    for answers in failures {
        let (client, mut connections) = pair();
        let mut peer = Peer::next(&mut connections).await;
        let sent = send(&client, &PUTS);
        for (request, answer) in [TWO, THIRD].into_iter().zip(answers) {
            peer.turn(request, answer).await;
        }
        let mut next = Peer::next(&mut connections).await;
        for line in PUTS {
            next.turn(&format!("{line}\n"), "ok\n\n").await;
        }
        assert_eq!(within(sent).await.unwrap(), (3, 0, Ok(())), "{answers:?}");
        let (first, second) = (send(&client, &["get a"]), send(&client, &["get b"]));
        next.turn("get a\n", "ok\n\n").await;
        next.turn("get b\n", ERROR).await;
        assert_eq!(within(first).await.unwrap(), (1, 0, Ok(())));
        assert_eq!(within(second).await.unwrap(), (1, 1, Ok(())));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_after_each_reply_is_connected_to_for_each_request() {
    let (client, mut connections) = pair();
    let sent = send(&client, &PUTS);
    Peer::next(&mut connections).await.turn(TWO, "ok\n\n").await;
    for (line, answer) in PUTS.into_iter().zip(["ok\n\n", ERROR, "ok\n\n"]) {
        let mut peer = Peer::next(&mut connections).await;
        peer.turn(&format!("{line}\n"), answer).await;
    }
    assert_eq!(within(sent).await.unwrap(), (3, 1, Ok(())));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(connections.try_recv().is_err(), "none is made before it is needed");
    let mut reply = within(client.get(crate::Selector::ALL)).await.unwrap();
    Peer::next(&mut connections).await.turn("get *\n", "ok\na 1.0 1\n\n").await;
    while within(reply.next()).await.unwrap().is_some() {}
    // It may have changed its ways: this one stays open.
    let sent = send(&client, &["put a 1 1", "put a 2 2"]);
    let mut peer = Peer::next(&mut connections).await;
    for line in ["put a 1 1\n", "put a 2 2\n"] {
        peer.turn(line, "ok\n\n").await;
    }
    assert_eq!(within(sent).await.unwrap(), (2, 0, Ok(())));
}

/// It was taken for one that closes after each reply: nobody was told that it is gone.
#[tokio::test(start_paused = true)]
async fn a_server_that_ends_after_its_first_reply_is_known_to_be_gone() {
    let (client, mut connections) = pair();
    let end = tokio::spawn({
        let client = client.clone();
        async move { client.closed().await }
    });
    let sent = send(&client, &["get a"]);
    let mut peer = Peer::next(&mut connections).await;
    peer.turn("get a\n", "ok\n\n").await;
    assert_eq!(within(sent).await.unwrap(), (1, 0, Ok(())));
    drop(connections);
    drop(peer);
    assert_eq!(within(end).await.unwrap(), ClientError::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_after_each_reply_is_found_out_with_the_second() {
    for waits in [false, true] {
        let (client, mut connections) = pair();
        let end = tokio::spawn({
            let client = client.clone();
            async move { if waits { client.closed().await } else { ClientError::Closed } }
        });
        for _ in 0..3 {
            let sent = send(&client, &["get a"]);
            Peer::next(&mut connections).await.turn("get a\n", "ok\n\n").await;
            assert_eq!(within(sent).await.unwrap(), (1, 0, Ok(())));
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(connections.try_recv().is_err(), "none is made before it is needed");
        assert_eq!(end.is_finished(), !waits, "it does not end");
    }
}

/// The server closes while a request is due, and another one waits for its reply.
#[tokio::test(start_paused = true)]
async fn requests_that_wait_while_a_connection_closes_are_served_in_order() {
    let (client, mut connections) = pair();
    let mut peer = Peer::next(&mut connections).await;
    let first = send(&client, &["get a"]);
    peer.turn("get a\n", "ok\n\n").await;
    assert_eq!(within(first).await.unwrap(), (1, 0, Ok(())));
    let second = send(&client, &["get b"]);
    peer.turn("get b\n", "").await;
    let third = send(&client, &["got"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(peer);
    let mut peer = Peer::next(&mut connections).await;
    peer.turn("get b\n", "ok\nb 1.0 1\n\n").await;
    drop(peer);
    assert_eq!(within(second).await.unwrap(), (1, 0, Ok(())));
    Peer::next(&mut connections).await.turn("got\n", ERROR).await;
    assert_eq!(within(third).await.unwrap(), (1, 1, Ok(())));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_speaks_tls_is_known_by_its_alert() {
    let (client, mut connections) = pair();
    let sent = send(&client, &["get a"]);
    let mut peer = Peer::next(&mut connections).await;
    peer.turn("get a\n", "\u{15}\u{3}\u{1}\0\u{2}\u{2}F").await;
    drop(peer);
    let (_, _, end) = within(sent).await.unwrap();
    assert_eq!(end, Err(ClientError::BadReply(BadReply::Tls)));
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_an_error_where_a_request_may_have_been_served_in_part() {
    for (line, answer) in [("get a", "ok\na 1.0 1\n"), ("del a", "")] {
        let (client, mut connections) = pair();
        let mut peer = Peer::next(&mut connections).await;
        let first = send(&client, &["put a 1 1"]);
        peer.turn("put a 1 1\n", "ok\n\n").await;
        assert_eq!(within(first).await.unwrap(), (1, 0, Ok(())));
        let sent = send(&client, &[line]);
        peer.turn(&format!("{line}\n"), answer).await;
        drop(peer);
        assert_eq!(within(sent).await.unwrap(), (0, 0, Err(ClientError::Closed)), "{line}");
        assert!(within(connections.recv()).await.is_none(), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_reply_is_not_made_again() {
    let (client, mut connections) = pair();
    let mut peer = Peer::next(&mut connections).await;
    let sent = send(&client, &["put a 1 1"]);
    peer.turn("put a 1 1\n", "").await;
    drop(peer);
    assert_eq!(within(sent).await.unwrap(), (0, 0, Err(ClientError::Closed)));
    assert!(within(connections.recv()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_follow_ends_with_the_next_request_at_any_pace() {
    let (client, mut connections) = pair();
    let mut peer = Peer::next(&mut connections).await;
    let follow = send(&client, &["get a[+]"]);
    peer.turn("get a[+]\n", "ok\na 1.0 1\n").await;
    // Silence is normal.
    tokio::time::sleep(10 * REPLY_TIMEOUT).await;
    let single = send(&client, &["get a"]);
    peer.turn("get a\n", "\nok\n\n").await;
    assert_eq!(within(single).await.unwrap(), (1, 0, Ok(())));
    assert_eq!(within(follow).await.unwrap(), (1, 0, Ok(())));
    let follow = send(&client, &["get a[+]"]);
    peer.turn("get a[+]\n", "ok\na 1.0 1\n").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let sent = send(&client, &PUTS);
    peer.turn(TWO, "\nok\n\n").await;
    peer.turn(THIRD, &format!("{ERROR}ok\n\n")).await;
    peer.turn(ALL_PUTS, "ok\n\nok\n\nok\n\n").await;
    assert_eq!(within(follow).await.unwrap(), (1, 0, Ok(())));
    assert_eq!(within(sent).await.unwrap(), (3, 0, Ok(())));
}
