//! Servers in one view of which one takes less than the others: no `del`, no selectors, no point of some
//! time, or not all that it is asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shared::client::{Batch, BatchPiece, Refusal};
use shared::response::Status;
use tui_client::event::{Event, FollowNews};
use tui_client::request::pending::Channel;
use tui_client::sources::SourceState;

use super::{joined, reply, wire};
use crate::harness::peer::answering;
use crate::harness::server::TestServer;
use crate::net::{Wire, block_on};

/// A server that knows keys and `*` alone.
fn without_selectors(line: &str) -> String {
    match line {
        "get *" | "get old" => "ok\nold 1.0 1\n\n",
        line if line.starts_with("get ") => "ok\n\n",
        line if line.starts_with("put ") && !line.ends_with(" 13") => "ok\n\n",
        line if line.starts_with("put ") => "error\ndisk full\n\n",
        _ => "error\nwrong command\n\n",
    }
    .to_owned()
}

#[test]
fn a_del_that_one_server_does_not_take_is_done_in_none() {
    let able = TestServer::start();
    able.send("put old 1 1\n");
    let port = answering(without_selectors);
    block_on(async {
        let client = joined(&[able.port, port]).connect_to_all().await.unwrap();
        let refused = "error\ndb does not allow deletes: nothing is deleted\n\n";
        for line in ["del */old", "del db/old", "del {web1,db}/old[1:]"] {
            assert_eq!(reply(&client, line).await.unwrap(), refused, "{line}");
        }
        assert_eq!(reply(&client, "get web1/old").await.unwrap(), "ok\nweb1/old 1.0 1\n\n");
        assert_eq!(reply(&client, "del web1/old").await.unwrap(), "ok\n\n");
    });
}

#[test]
fn a_del_that_fails_on_one_server_names_those_where_it_is_done() {
    let able = TestServer::start();
    able.send("put old 1 1\n");
    let port = answering(|line| match line {
        line if line.starts_with("del tui-client.probe-") => "ok\n\n".to_owned(),
        line if line.starts_with("del ") => "error\ndisk full\n\n".to_owned(),
        line => without_selectors(line),
    });
    block_on(async {
        let client = joined(&[able.port, port]).connect_to_all().await.unwrap();
        let refused = reply(&client, "del */old").await.unwrap();
        assert_eq!(refused, "error\ndb: disk full; done on web1\n\n");
        assert_eq!(able.send("get *\n"), "ok\n\n");
        let refused = reply(&client, "del db/*").await.unwrap();
        assert_eq!(refused, "error\ndb: disk full\n\n");
    });
}

#[test]
fn a_get_that_needs_selectors_names_the_server_without() {
    let able = TestServer::start();
    able.send("put old 2 2\n");
    let port = answering(without_selectors);
    block_on(async {
        let client = joined(&[able.port, port]).connect_to_all().await.unwrap();
        let refused = "error\ndb: this server knows no selectors\n\n";
        for (line, expected) in [
            ("get *[last]", refused),
            ("get */old", refused),
            ("get db/old[last]", refused),
            ("get *", "ok\nweb1/old 2.0 2\ndb/old 1.0 1\n\n"),
            ("get {web1,db}/old", "ok\nweb1/old 2.0 2\ndb/old 1.0 1\n\n"),
            ("get web1/*[last]", "ok\nweb1/old 2.0 2\n\n"),
        ] {
            assert_eq!(reply(&client, line).await.unwrap(), expected, "{line}");
        }
        let mut wire = wire(&[able.port, port]);
        wire.standing("++").await;
        wire.connect().await;
        for (line, expected) in [
            ("get *[last]", "error db: this server knows no selectors"),
            ("get web1/*[last]", "web1/old 2.0 2"),
            ("get *", "web1/old 2.0 2 db/old 1.0 1"),
        ] {
            assert_eq!(wire.answer(Channel::Prompt, line).await, expected, "{line}");
        }
    });
}

#[test]
fn puts_to_several_servers_are_answered_in_their_order() {
    let able = TestServer::start();
    let port = answering(without_selectors);
    block_on(async {
        let client = joined(&[able.port, port]).connect_to_all().await.unwrap();
        let (mut lines, mut expected) = (Batch::default(), Vec::new());
        for at in 0..2000 {
            let line = match at % 7 {
                0 | 3 => format!("put web1/a {at} {at}"),
                5 => format!("put db/a {at} 13"),
                6 => format!("put a {at} {at}"),
                _ => format!("put db/a {at} {}", at + 100),
            };
            match at % 7 {
                5 => expected.push((at, "db: disk full".to_owned())),
                6 => {
                    let names = "web1/ or db/";
                    let why = format!("a key here begins with the name of its server: {names}");
                    expected.push((at, why));
                }
                _ => {}
            }
            lines.push(line.as_bytes()).unwrap();
        }
        lines.push(b"get web1/a[last]").unwrap();
        let mut replies = client.send_batch(lines).await.unwrap();
        let (mut refused, mut data) = (Vec::new(), String::new());
        while let Some(piece) = replies.next().await.unwrap() {
            match piece {
                BatchPiece::Refused(Refusal { index, reason }) => refused.push((index, reason)),
                BatchPiece::Data { index: 2000, lines } => {
                    data.push_str(str::from_utf8(&lines).unwrap());
                }
                other => assert!(matches!(other, BatchPiece::Answered(_)), "{other:?}"),
            }
        }
        assert_eq!(refused, expected);
        assert_eq!(data, "web1/a 1998.0 1998\n");
    });
    assert_eq!(able.send("get a\n").lines().count(), 2000 / 7 * 2 + 2 + 2);
}

#[test]
fn a_server_that_refuses_to_give_all_is_left_out_and_asked_again() {
    let able = TestServer::start();
    able.send("put a 1 1\n");
    let is_whole = Arc::new(AtomicBool::new(false));
    let whole = Arc::clone(&is_whole);
    let port = answering(move |line| match (line, whole.load(Ordering::Relaxed)) {
        ("get *" | "get *[last]", false) => "error\ndamage of b\u{1b}[2J\n\n".to_owned(),
        ("get *", true) => "ok\nb 1.0 1\n\n".to_owned(),
        ("get *[+]", _) => "ok\n".to_owned(),
        _ => without_selectors(line),
    });
    block_on(async {
        let mut wire = Wire::impatient([able.port, port]).await;
        wire.follow_all(2).await;
        wire.send(Channel::Data, 1, "get *", false).await;
        let mut refused = None;
        // It is told before its keys are missing.
        let reply = loop {
            match wire.event().await {
                Event::Sources(states) => refused = states.last().cloned(),
                Event::Reply(reply) => break reply,
                Event::Progress { .. } | Event::Follow { news: FollowNews::Begun, .. } => {}
                other => panic!("{other:?}"),
            }
        };
        assert_eq!((reply.status, reply.head.join(" ")), (Status::Ok, "web1/a 1.0 1".to_owned()));
        let Some(SourceState::Refusing { reason, shift: 0 }) = refused else {
            panic!("{refused:?}")
        };
        assert!(reason.starts_with("damage of b") && !reason.contains('\u{1b}'), "{reason}");
        // What it does not refuse is answered.
        assert_eq!(wire.answer(Channel::Prompt, "get db/old").await, "db/old 1.0 1");
        assert_eq!(wire.answer(Channel::Prompt, "put db/old 1 1").await, "");
        let alone = wire.answer(Channel::Data, "get db/*").await;
        assert!(alone.starts_with("error db: damage of b"), "{alone}");
        is_whole.store(true, Ordering::Relaxed);
        // All is asked for anew.
        while !matches!(wire.event().await, Event::Follow { id: 2, news: FollowNews::Lost(_) }) {}
        let answer = wire.answer(Channel::Data, "get *").await;
        assert_eq!(answer, "web1/a 1.0 1 db/b 1.0 1");
    });
}
