//! Batches of requests.

use super::*;

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
