//! Follows, which may be silent for any time.

use super::*;

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
async fn a_follow_that_is_told_without_end_is_not_read_after_the_last_handle() {
    for is_reply_first in [true, false] {
        let (client, mut peer) = pair();
        let mut reply = within(client.get(follow())).await.unwrap();
        expect(&mut peer, b"get a[+]\n").await;
        within(peer.write_all(b"ok\na 1.0 1\n")).await.unwrap();
        status_and_data(&mut reply, "a 1.0 1\n").await;
        if is_reply_first {
            drop((reply, client));
        } else {
            drop((client, reply));
        }
        let (mut requests, mut replies) = tokio::io::split(peer);
        let told = async {
            let mut lines = 0;
            while replies.write_all(b"a 2.0 2\n").await.is_ok() {
                lines += 1;
                assert!(lines < 100_000, "told without end");
            }
        };
        tokio::select! {
            () = told => {}
            // It was still time to ask for the end.
            Ok(b'\n') = requests.read_u8() => {}
        }
    }
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
