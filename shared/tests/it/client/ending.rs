//! Stalls and aborts: what of the replies still comes.

use super::*;

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
