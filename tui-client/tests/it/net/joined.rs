//! Several servers as one, against real servers and others.

mod runs;
mod unlike;

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use shared::Client;
use shared::client::{ClientError, ConnectOptions, ReplyPiece};
use shared::response::Status;
use tui_client::effect::NetworkOrder;
use tui_client::event::{Event, FollowNews};
use tui_client::request::pending::Channel;
use tui_client::sources::{Source, SourceState};
use tui_client::system::net::{Joined, Peer};

use super::{Wire, block_on};
use crate::harness::peer::{accept, free_port, hear, listen, peer};
use crate::harness::server::TestServer;

const NAMES: [&str; 3] = ["web1", "db", "cache"];

fn joined(ports: &[u16]) -> Arc<Joined> {
    let sources = NAMES.iter().zip(ports).map(|(name, &port)| Source {
        name: (*name).to_owned(),
        run: String::new(),
        is_marks: false,
        server: ConnectOptions::new("localhost", port),
    });
    Arc::new(Joined::new(sources.collect()))
}

fn wire(ports: &[u16]) -> Wire {
    Wire::over(Peer::Joined(joined(ports)))
}

/// The reply to a request as it stands on the wire.
async fn reply(client: &Client, line: &str) -> Result<String, ClientError> {
    let mut stream = client.send(line.as_bytes()).await?;
    let mut text = String::new();
    while let Some(piece) = stream.next().await? {
        match piece {
            ReplyPiece::Status(Status::Ok) => text.push_str("ok\n"),
            ReplyPiece::Status(Status::Error) => text.push_str("error\n"),
            ReplyPiece::Data(data) => text.push_str(str::from_utf8(&data).unwrap()),
        }
    }
    Ok(text + "\n")
}

#[test]
fn requests_are_answered_as_by_one_server() {
    let servers = [TestServer::start(), TestServer::start()];
    let ports = servers.each_ref().map(|server| server.port);
    block_on(async {
        let client = joined(&ports).connect_to_all().await.unwrap();
        let unnamed = "error\na key here begins with the name of its server: web1/ or db/\n\n";
        for (line, expected) in [
            ("get *", "ok\n\n"),
            ("put web1/a 1 7", "ok\n\n"),
            ("put db/a 2 8", "ok\n\n"),
            ("put db/a/b 3 9", "ok\n\n"),
            ("put a 3 9", unnamed),
            ("put other/a 3 9", unnamed),
            ("put db/a 3", "error\nwrong command\n\n"),
            ("got *", "error\nwrong command\n\n"),
            ("get *", "ok\nweb1/a 1.0 7\ndb/a 2.0 8\ndb/a/b 3.0 9\n\n"),
            ("get db/*", "ok\ndb/a 2.0 8\ndb/a/b 3.0 9\n\n"),
            ("get */a", "ok\nweb1/a 1.0 7\ndb/a 2.0 8\n\n"),
            ("get *b/a", "ok\ndb/a 2.0 8\n\n"),
            ("get {web1/a,db/a/b}[last]", "ok\nweb1/a 1.0 7\ndb/a/b 3.0 9\n\n"),
            ("get *[8:]", "ok\ndb/a 2.0 8\ndb/a/b 3.0 9\n\n"),
            ("get *[::all:count]", "ok\nweb1/a 1.0 7\ndb/a 1.0 8\ndb/a/b 1.0 9\n\n"),
            ("get a", "ok\n\n"),
            ("get web1/b", "ok\n\n"),
            ("get *[", "error\nwrong command\n\n"),
            ("del *b/a", "ok\n\n"),
            ("get *", "ok\nweb1/a 1.0 7\ndb/a/b 3.0 9\n\n"),
            ("del nothing", unnamed),
        ] {
            assert_eq!(reply(&client, line).await.unwrap(), expected, "{line}");
        }
    });
    assert_eq!(servers[1].send("get *\n"), "ok\na/b 3.0 9\n\n");
}

/// What shows that a server is there.
fn answer_enquiries(mut stream: &TcpStream, from: &mut BufReader<&TcpStream>) {
    for _ in 0..2 {
        hear(from, &["get tui-client.probe"]);
        stream.write_all(b"ok\n\n").unwrap();
    }
}

/// The lines of each key, in their order.
fn by_key(reply: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut keys: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in reply.lines() {
        keys.entry(line.split(' ').next().unwrap()).or_default().push(line);
    }
    keys
}

#[test]
fn what_is_selected_is_what_one_server_with_all_keys_selects() {
    let servers = [TestServer::start(), TestServer::start(), TestServer::start()];
    let one = TestServer::start();
    let keys = ["a", "b", "a.b", "ab,c", "a/b", "b/", "火"];
    let mut all = String::new();
    for (at, (name, server)) in NAMES.iter().zip(&servers).enumerate() {
        let mut puts = String::new();
        for (of, key) in keys.iter().enumerate().filter(|(of, _)| (of + at) % 4 > 0) {
            for time in 0..5 {
                puts += &format!("put {key} {} {}\n", of * time, 10 * time + at);
                all += &format!("put {name}/{key} {} {}\n", of * time, 10 * time + at);
            }
        }
        server.send(&puts);
    }
    one.send(&all);
    let part = prop_oneof![
        2 => Just("*".to_owned()),
        2 => "[ab/,.]",
        1 => Just("?".to_owned()),
        2 => "(web1|db|cache)/?",
        1 => "\\{(web1|db|cache|[ab*/]{1,2})(,(web1|db|cache|[ab*/]{0,2})){0,2}\\}",
    ];
    let pattern = proptest::collection::vec(part, 1..5).prop_map(|parts| parts.concat());
    let clause = prop_oneof![
        Just(String::new()),
        Just("[last]".to_owned()),
        Just("[last:2@25]".to_owned()),
        Just("[12:31]".to_owned()),
        Just("[5::10s:max]".to_owned()),
        Just("[::all:rate]".to_owned()),
        Just("[1:0]".to_owned()),
    ];
    let ports = servers.each_ref().map(|server| server.port);
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (client, truth) = tokio.block_on(async {
        let truth = Client::connect(&ConnectOptions::new("localhost", one.port)).await;
        (joined(&ports).connect_to_all().await.unwrap(), truth.unwrap())
    });
    let cases = (pattern, clause);
    TestRunner::default()
        .run(&cases, |(pattern, clause)| {
            let line = format!("get {pattern}{clause}");
            let (ours, theirs) = tokio.block_on(async {
                (reply(&client, &line).await.unwrap(), reply(&truth, &line).await.unwrap())
            });
            prop_assert_eq!(by_key(&ours), by_key(&theirs), "{}", line);
            prop_assert_eq!(ours.len(), theirs.len());
            Ok(())
        })
        .unwrap();
}

#[test]
fn one_that_is_not_there_is_named() {
    let server = TestServer::start();
    let gone = free_port();
    block_on(async {
        let refused = joined(&[server.port, gone]).connect_to_all().await.unwrap_err();
        assert_eq!(refused, format!("db: localhost:{gone}: no server there"));
    });
}

impl Wire {
    /// To two servers at these ports, of which an answer that is owed is waited for only shortly.
    async fn impatient(ports: [u16; 2]) -> Self {
        let sources = NAMES.iter().zip(ports).map(|(name, port)| Source {
            name: (*name).to_owned(),
            run: String::new(),
            is_marks: false,
            server: ConnectOptions::new("localhost", port),
        });
        let joined = Joined::new(sources.collect()).with_patience(Duration::from_millis(300));
        let mut wire = Self::over(Peer::Joined(Arc::new(joined)));
        wire.standing("++").await;
        wire.connect().await;
        wire
    }

    /// The next event that is none of how the sources stand.
    async fn news(&mut self) -> Event {
        loop {
            match self.event().await {
                Event::Sources(_) => {}
                other => return other,
            }
        }
    }

    /// Waits until the sources stand so: `+` is there, `-` away, `?` not known yet.
    async fn standing(&mut self, expected: &str) {
        loop {
            let Event::Sources(states) = self.event().await else { continue };
            let shown = states.iter().map(|state| match state {
                SourceState::Here { .. } | SourceState::NoKeys => '+',
                SourceState::Refusing { .. } => '!',
                SourceState::Away { .. } => '-',
                SourceState::Connecting => '?',
            });
            if shown.collect::<String>() == expected {
                return;
            }
        }
    }

    async fn connect(&mut self) {
        self.order(NetworkOrder::Connect).await;
        assert_eq!(self.news().await, Event::Connected);
    }

    /// Asks, and takes the lines of the reply, the status among them where it is no `ok`.
    async fn answer(&mut self, channel: Channel, line: &str) -> String {
        self.send(channel, 77, line, false).await;
        loop {
            match self.event().await {
                Event::Reply(reply) if reply.id == 77 => {
                    let status = if reply.status == Status::Error { "error " } else { "" };
                    return format!("{status}{}", reply.head.join(" "));
                }
                Event::DataLost { reason, .. } => return format!("lost: {reason}"),
                Event::Sources(_) | Event::Follow { .. } | Event::Progress { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Begins a follow of all, until it has begun.
    async fn follow_all(&mut self, id: u64) {
        self.follow(id, "*[+]").await;
        loop {
            if self.event().await == (Event::Follow { id, news: FollowNews::Begun }) {
                return;
            }
        }
    }
}

#[test]
fn a_server_that_is_away_takes_no_other_away_and_its_puts_come_when_it_is_back() {
    let [web1, mut db, cache] = [TestServer::start(), TestServer::start(), TestServer::start()];
    db.stop();
    let ports = [web1.port, db.port, cache.port];
    block_on(async {
        let mut wire = wire(&ports);
        wire.standing("+-+").await;
        wire.connect().await;
        wire.follow_all(1).await;
        web1.send("put a 1 1\n");
        assert_eq!(wire.told(1, "a 1.0 1\n").await, "web1/a 1.0 1\n");
        assert_eq!(wire.answer(Channel::Data, "get *[last]").await, "web1/a 1.0 1");
        let away = "error db: no server there";
        for line in ["get db/a", "put db/a 1 1", "get {db/a,db/b}[+]", "del */a"] {
            assert_eq!(wire.answer(Channel::Prompt, line).await, away, "{line}");
        }
        assert_eq!(web1.send("get a\n"), "ok\na 1.0 1\n\n", "nothing is deleted");
        db.start_again();
        db.send("put a 2 2\n");
        // The follow lacks it, and is begun anew.
        let lost = loop {
            if let Event::Follow { id: 1, news } = wire.news().await {
                break news;
            }
        };
        assert!(matches!(lost, FollowNews::Lost(_)), "{lost:?}");
        wire.follow_all(2).await;
        let answer = wire.answer(Channel::Data, "get *[last]").await;
        assert_eq!(answer, "web1/a 1.0 1 db/a 2.0 2");
        assert_eq!(wire.answer(Channel::Prompt, "put db/a 3 3").await, "");
        assert_eq!(wire.told(2, "db/a 3.0 3\n").await, "db/a 3.0 3\n");
        db.stop();
        wire.standing("+-+").await;
        wire.follow_all(3).await;
        cache.send("put a 4 4\n");
        assert_eq!(wire.told(3, "a 4.0 4\n").await, "cache/a 4.0 4\n");
        // The connection for what is typed has not ended meanwhile.
        assert_eq!(wire.answer(Channel::Prompt, "get cache/a").await, "cache/a 4.0 4");
    });
}

#[test]
fn where_no_server_is_there_the_connection_ends() {
    let mut servers = [TestServer::start(), TestServer::start()];
    let ports = servers.each_ref().map(|server| server.port);
    block_on(async {
        let mut wire = wire(&ports);
        wire.connect().await;
        assert_eq!(wire.answer(Channel::Prompt, "put db/a 1 1").await, "");
        servers.iter_mut().for_each(TestServer::stop);
        while !matches!(wire.event().await, Event::Disconnected(_)) {}
        wire.order(NetworkOrder::Connect).await;
        let Event::Disconnected(reason) = wire.news().await else { panic!("there is no server") };
        assert_eq!(reason, "no server is there");
    });
}

#[test]
fn follows_of_three_end_with_the_next_request_and_replies_stay_in_order() {
    let servers = [TestServer::start(), TestServer::start(), TestServer::start()];
    let ports = servers.each_ref().map(|server| server.port);
    for (name, server) in NAMES.iter().zip(&servers) {
        server.send(&format!("put {name} 1 1\n"));
    }
    block_on(async {
        let client = joined(&ports).connect_to_all().await.unwrap();
        // A request in the same packet ends a follow after its history.
        let mut replies = Vec::new();
        for line in ["get *[:+]", "get db/db", "get */web1[+]", "put cache/x 2 2", "get cache/x"] {
            replies.push((line, client.send(line.as_bytes()).await.unwrap()));
        }
        let mut texts = Vec::new();
        for (line, mut stream) in replies {
            let mut text = format!("{line}: ");
            while let Some(piece) = stream.next().await.unwrap() {
                if let ReplyPiece::Data(data) = piece {
                    text += &str::from_utf8(&data).unwrap().replace('\n', " ");
                }
            }
            texts.push(text);
        }
        let history = texts.remove(0);
        for name in NAMES {
            assert!(history.contains(&format!("{name}/{name} 1.0 1 ")), "{history}");
        }
        let expected = [
            "get db/db: db/db 1.0 1 ",
            "get */web1[+]: ",
            "put cache/x 2 2: ",
            "get cache/x: cache/x 2.0 2 ",
        ];
        assert_eq!(texts, expected);
    });
}

#[test]
fn a_server_that_does_not_follow_makes_the_view_one_that_is_polled() {
    let able = TestServer::start();
    able.send("put a 1 1\n");
    // One without selectors: it knows no key of the name of one.
    let (port, serving) = peer(vec![
        answer_enquiries,
        |mut stream, from| {
            hear(from, &["get *[+]"]);
            stream.write_all(b"ok\n\n").unwrap();
        },
        |mut stream, from| {
            hear(from, &["get *"]);
            stream.write_all(b"ok\nold 1.0 1\n\n").unwrap();
        },
    ]);
    block_on(async {
        let mut wire = wire(&[able.port, port]);
        wire.connect().await;
        wire.follow_all(1).await;
        let ended = Event::Follow { id: 1, news: FollowNews::Ended };
        while wire.event().await != ended {}
        assert_eq!(wire.answer(Channel::Data, "get *").await, "web1/a 1.0 1 db/old 1.0 1");
    });
    serving.join().unwrap();
}

#[test]
fn an_error_of_one_names_it_and_what_breaks_off_is_no_reply() {
    let able = TestServer::start();
    able.send("put a 1 1\n");
    let (port, serving) = peer(vec![
        |mut stream, from| {
            answer_enquiries(stream, from);
            hear(from, &["put a 1 1"]);
            stream.write_all(b"error\ndisk full\n\n").unwrap();
        },
        |mut stream, from| {
            hear(from, &["get *"]);
            stream.write_all(b"error\ndamage of a\n\n").unwrap();
            hear(from, &["get *"]);
            let long = "x".repeat(shared::limits::MAX_LINE - 2);
            stream.write_all(format!("ok\n{long}\nno point\n\n").as_bytes()).unwrap();
            hear(from, &["get *"]);
            stream.write_all(b"ok\nb 1.0 1\nb 2.").unwrap();
        },
    ]);
    block_on(async {
        let mut wire = wire(&[able.port, port]);
        wire.connect().await;
        assert_eq!(wire.answer(Channel::Prompt, "put db/a 1 1").await, "error db: disk full");
        assert_eq!(wire.answer(Channel::Data, "get db/*").await, "error db: damage of a");
        // A line that has no room for the name is no point any more than before.
        assert_eq!(wire.answer(Channel::Data, "get db/*").await, "db/ db/no point");
        let broken = wire.answer(Channel::Data, "get db/*").await;
        assert_eq!(broken, "lost: the server closed the connection");
    });
    serving.join().unwrap();
}

/// A source that takes requests and gives no answer, neither here nor over another connection.
#[test]
fn a_server_that_has_stopped_to_answer_is_away() {
    let able = TestServer::start();
    able.send("put a 1 1\n");
    let (listener, port) = listen();
    thread::spawn(move || {
        let stream = accept(&listener);
        answer_enquiries(&stream, &mut BufReader::new(&stream));
        // From now on connections are made, and nothing is answered.
        let mut held = vec![stream];
        while let Ok((stream, _)) = listener.accept() {
            held.push(stream);
        }
    });
    block_on(async {
        let mut wire = Wire::impatient([able.port, port]).await;
        let answer = wire.answer(Channel::Data, "get *").await;
        assert_eq!(answer, "web1/a 1.0 1");
        assert_eq!(wire.answer(Channel::Data, "get *").await, "web1/a 1.0 1");
        let refused = wire.answer(Channel::Prompt, "put db/a 1 1").await;
        assert!(refused.starts_with("error db: "), "{refused}");
    });
}
