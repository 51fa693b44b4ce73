//! The connections of the screen, against real servers and others.

mod joined;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;

use shared::client::ConnectOptions;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tui_client::effect::{NetworkOrder, Outgoing};
use tui_client::event::{Event, FollowNews};
use tui_client::metrics::patterns::Patterns;
use tui_client::metrics::reply::Capture;
use tui_client::request::pending::Channel;
use tui_client::system::net::{self, Peer};

use crate::harness::peer::{accept, listen};
use crate::harness::server::TestServer;
use crate::harness::wait::PATIENCE;

struct Wire {
    orders: mpsc::Sender<NetworkOrder>,
    events: mpsc::Receiver<Event>,
}

impl Wire {
    fn to(port: u16) -> Self {
        Self::over(ConnectOptions::new("localhost", port))
    }

    fn over(peer: impl Into<Peer> + Send + 'static) -> Self {
        let (orders, queue) = mpsc::channel(64);
        let (sender, events) = mpsc::channel(64);
        tokio::spawn(net::run(peer, queue, sender.clone(), sender));
        Self { orders, events }
    }

    async fn order(&self, order: NetworkOrder) {
        self.orders.send(order).await.unwrap();
    }

    async fn follow(&self, id: u64, selector: &str) {
        self.order(NetworkOrder::Follow { id, selector: selector.to_owned() }).await;
    }

    /// Asks for data.
    async fn ask(&self, id: u64, line: &str, alone: bool) {
        self.send(Channel::Data, id, line, alone).await;
    }

    async fn send(&self, channel: Channel, id: u64, line: &str, alone: bool) {
        self.send_for(0, channel, id, line, alone).await;
    }

    /// Sends a request of whose reply the `first` series are passed on before its end.
    async fn send_for(&self, first: usize, channel: Channel, id: u64, line: &str, alone: bool) {
        let capture = Capture { raw: false, head: 9, foot: 0, recent: 9, points: false, first };
        let (line, watched) = (line.to_owned(), Patterns::default());
        let request = Outgoing { id, channel, alone, line, capture, watched };
        self.order(NetworkOrder::Send(request)).await;
    }

    async fn event(&mut self) -> Event {
        self.events.recv().await.expect("an event")
    }

    /// The next reply: its id, and its lines.
    async fn reply(&mut self) -> (u64, String) {
        match self.event().await {
            Event::Reply(reply) => (reply.id, reply.head.join(" ")),
            other => panic!("{other:?}"),
        }
    }

    /// What is told next by a follow, all lines together, up to one of these.
    async fn told(&mut self, from: u64, last: &str) -> String {
        let mut text = String::new();
        while !text.ends_with(last) {
            match self.event().await {
                Event::Follow { id, news: FollowNews::Lines(lines) } if id == from => {
                    text.push_str(str::from_utf8(&lines).unwrap());
                }
                Event::Sources(_) => {}
                other => panic!("{other:?}"),
            }
        }
        text
    }
}

fn block_on(test: impl Future<Output = ()>) {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio.block_on(async { timeout(PATIENCE, test).await.expect("what is waited for") });
}

#[test]
fn a_follow_goes_on_beside_queries_until_another_one_is_ordered() {
    let server = TestServer::start();
    block_on(async {
        let mut wire = Wire::to(server.port);
        wire.follow(1, "*[+]").await;
        assert_eq!(wire.event().await, Event::Follow { id: 1, news: FollowNews::Begun });
        server.send("put a 1 1\nput b 2 1\n");
        assert_eq!(wire.told(1, "b 2.0 1\n").await, "a 1.0 1\nb 2.0 1\n");
        wire.ask(2, "get *[last]", false).await;
        assert_eq!(wire.reply().await, (2, "a 1.0 1 b 2.0 1".to_owned()));
        server.send("put a 3 2\n");
        wire.told(1, "a 3.0 2\n").await;
        wire.follow(3, "b[+]").await;
        assert_eq!(wire.event().await, Event::Follow { id: 3, news: FollowNews::Begun });
        server.send("put a 4 3\nput b 4 3\n");
        assert_eq!(wire.told(3, "b 4.0 3\n").await, "b 4.0 3\n");
        wire.order(NetworkOrder::Unfollow).await;
        wire.ask(4, "get a[last]", false).await;
        assert_eq!(wire.reply().await.0, 4, "queries go on");
    });
}

#[test]
fn the_first_series_of_a_reply_that_takes_a_while_come_before_its_end() {
    let (listener, port) = listen();
    let (is_seen, mut seen) = tokio::sync::oneshot::channel::<()>();
    thread::spawn(move || {
        let stream = accept(&listener);
        BufReader::new(&stream).read_line(&mut String::new()).unwrap();
        (&stream).write_all(b"ok\na 1.0 1\nb 1.0 1\nc 1.0 1\n").unwrap();
        while seen.try_recv().is_err() {
            (&stream).write_all(b"d 1.0 1\n").unwrap();
        }
        (&stream).write_all(b"\n").unwrap();
    });
    block_on(async {
        let mut wire = Wire::to(port);
        wire.send_for(2, Channel::Data, 7, "get *[last]", false).await;
        let first = loop {
            match wire.event().await {
                Event::FirstSeries { id: 7, answer } => break answer,
                Event::Progress { .. } => {}
                other => panic!("{other:?}"),
            }
        };
        let keys: Vec<_> = first.series.iter().map(|series| series.key.as_str()).collect();
        assert_eq!(keys, ["a", "b"]);
        is_seen.send(()).unwrap();
        loop {
            match wire.event().await {
                Event::Reply(reply) => break assert_eq!(reply.answer.series.len(), 4),
                Event::Progress { .. } => {}
                other => panic!("only once: {other:?}"),
            }
        }
    });
}

#[test]
fn a_follow_that_tells_without_end_is_closed_when_it_is_given_up() {
    let (listener, port) = listen();
    let (is_closed, closed) = tokio::sync::oneshot::channel();
    thread::spawn(move || {
        let stream = accept(&listener);
        BufReader::new(&stream).read_line(&mut String::new()).unwrap();
        (&stream).write_all(b"ok\n").unwrap();
        while (&stream).write_all(b"a 1.0 1\n").is_ok() {}
        is_closed.send(()).unwrap();
    });
    block_on(async {
        let mut wire = Wire::to(port);
        wire.follow(1, "*[+]").await;
        assert_eq!(wire.event().await, Event::Follow { id: 1, news: FollowNews::Begun });
        wire.order(NetworkOrder::Unfollow).await;
        closed.await.unwrap();
    });
}

#[test]
fn what_is_no_follow_is_said() {
    for (reply, expected) in [
        ("error\nwrong command\n\n", vec![FollowNews::Refused("wrong command".to_owned())]),
        ("ok\n\n", vec![FollowNews::Begun, FollowNews::Ended]),
    ] {
        let (listener, port) = listen();
        thread::spawn(move || {
            let stream = accept(&listener);
            BufReader::new(&stream).read_line(&mut String::new()).unwrap();
            (&stream).write_all(reply.as_bytes()).unwrap();
            // Until the client closes it.
            let _ = (&stream).read_to_end(&mut Vec::new());
        });
        block_on(async {
            let mut wire = Wire::to(port);
            wire.follow(1, "*[+]").await;
            for news in expected {
                assert_eq!(wire.event().await, Event::Follow { id: 1, news });
            }
        });
    }
}

/// Reads what comes at once, answers as if it were one request, and closes the connection.
fn answer_once(mut stream: &TcpStream) {
    let mut bytes = [0; 4096];
    let read = stream.read(&mut bytes).unwrap();
    let key = str::from_utf8(&bytes[..read]).unwrap().split_whitespace().last().unwrap();
    stream.write_all(format!("ok\n{key} 1.0 1\n\n").as_bytes()).unwrap();
}

#[test]
fn a_server_that_takes_one_request_a_connection_gets_one_at_a_time() {
    let (listener, port) = listen();
    thread::spawn(move || {
        loop {
            answer_once(&accept(&listener));
        }
    });
    block_on(async {
        let mut wire = Wire::to(port);
        for id in 1..=20 {
            wire.ask(id, &format!("get key{id}"), true).await;
        }
        for id in 1..=20 {
            assert_eq!(wire.reply().await, (id, format!("key{id} 1.0 1")), "none is lost");
        }
    });
}

#[test]
fn requests_for_data_that_get_no_reply_are_named() {
    let (listener, port) = listen();
    let serving = thread::spawn(move || {
        let stream = accept(&listener);
        let mut lines = BufReader::new(&stream);
        lines.read_line(&mut String::new()).unwrap();
        (&stream).write_all(b"ok\na 1.0 1\n\n").unwrap();
        lines.read_line(&mut String::new()).unwrap();
        (&stream).write_all(b"ok\nb 1").unwrap();
    });
    block_on(async {
        let mut wire = Wire::to(port);
        for id in 1..=3 {
            wire.ask(id, "get a", false).await;
        }
        assert_eq!(wire.reply().await.0, 1);
        let Event::DataLost { ids, .. } = wire.event().await else { panic!("they are lost") };
        assert_eq!(ids, [2, 3]);
        wire.ask(4, "get a", false).await;
        let Event::DataLost { ids, .. } = wire.event().await else { panic!("it is lost") };
        assert_eq!(ids, [4]);
    });
    serving.join().unwrap();
}
