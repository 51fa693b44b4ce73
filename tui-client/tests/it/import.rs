//! Pasted lines over a real connection to the real server.

use std::io::{BufReader, Write};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use shared::client::ConnectOptions;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tui_client::effect::NetworkOrder;
use tui_client::event::Event;
use tui_client::import::{ImportEnd, ImportNews};
use tui_client::system::net;

use crate::harness::peer::{accept, answer_probe, listen, request, until_given_up};
use crate::harness::server::TestServer;
use crate::harness::wait::PATIENCE;

struct Wire {
    orders: mpsc::Sender<NetworkOrder>,
    msgs: mpsc::Receiver<Event>,
}

impl Wire {
    async fn connect(port: u16, patience: Duration) -> Self {
        let (orders, queue) = mpsc::channel(16);
        let (told, msgs) = mpsc::channel(16);
        let mut server = ConnectOptions::new("localhost", port);
        server.reply_timeout = patience;
        tokio::spawn(net::run(server, queue, told.clone(), told));
        let mut wire = Self { orders, msgs };
        wire.orders.send(NetworkOrder::Connect).await.unwrap();
        assert_eq!(wire.msgs.recv().await, Some(Event::Connected));
        wire
    }

    async fn import(&self, id: u64, text: String) {
        let text: Arc<str> = text.into();
        self.orders.send(NetworkOrder::Import { id, text }).await.unwrap();
    }

    /// All news up to the last one.
    async fn news(&mut self) -> Vec<ImportNews> {
        let mut all = Vec::new();
        loop {
            let Some(Event::Import(news)) = self.msgs.recv().await else { panic!("news") };
            let over = news.end.is_some();
            all.push(news);
            if over {
                return all;
            }
        }
    }
}

fn block_on(test: impl Future<Output = ()>) {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio.block_on(async { timeout(PATIENCE, test).await.expect("the connection does as asked") });
}

#[test]
fn a_megabyte_is_sent_and_wrong_lines_are_named() {
    let server = TestServer::start();
    let mut lines: Vec<_> = (0..60_000).map(|n| format!("put paste.k{} {n} {n}", n % 7)).collect();
    for (at, line) in [(0, "> put prompt 1 1\\n"), (41_000, "got x"), (59_999, "put notime 1")] {
        line.clone_into(&mut lines[at]);
    }
    let text = lines.join("\r\n") + "\n\n";
    assert!(text.len() > 1_000_000);
    block_on(async {
        let mut wire = Wire::connect(server.port, PATIENCE).await;
        wire.import(7, text).await;
        let news = wire.news().await;
        let last = news.last().unwrap();
        assert_eq!((last.end, last.id), (Some(ImportEnd::Whole), 7));
        assert_eq!((last.answered, last.refused), (60_000, 1));
        let refusals: Vec<_> = news.iter().flat_map(|news| &news.refusals).collect();
        let got = "line 41001: got x: the commands are put, del and get, in lower case";
        assert_eq!(refusals, [&format!("error at \"got\" in {got}")]);
    });
    let stored = server.send("get *\n");
    assert_eq!(stored.lines().filter(|line| line.contains(' ')).count(), 59_999);
    assert!(stored.contains("prompt 1.0 1\n") && stored.contains("notime 1.0 "));
}

#[test]
fn a_lost_or_missing_connection_ends_the_import() {
    let mut server = TestServer::start();
    block_on(async {
        let mut wire = Wire::connect(server.port, PATIENCE).await;
        server.stop();
        wire.import(1, "put a 1 1\n".repeat(1000)).await;
        let mut told = Vec::new();
        while let Some(msg) = wire.msgs.recv().await {
            let over = matches!(msg, Event::Disconnected(_));
            told.push(msg);
            if over {
                break;
            }
        }
        wire.import(2, "put a 1 1\n".to_owned()).await;
        let news = wire.news().await;
        assert!(news.iter().any(|news| news == &ImportNews::broken(2)), "{told:?} {news:?}");
    });
}

/// A peer that takes a hundred lines, answers some of them and half of another, and waits until it
/// is left.
fn peer_that_stops(answers: &'static [u8]) -> (u16, JoinHandle<()>) {
    let (listener, port) = listen();
    let peer = thread::spawn(move || {
        let stream = accept(&listener);
        let mut from = BufReader::new(&stream);
        answer_probe(&stream, &mut from);
        for _ in 0..100 {
            request(&mut from);
        }
        (&stream).write_all(answers).unwrap();
        until_given_up(&mut from);
    });
    (port, peer)
}

#[test]
fn progress_is_counted_within_a_long_reply_and_a_stop_counts_lines_sent() {
    let (port, peer) =
        peer_that_stops(b"ok\na 1.0 1\n\nok\na 1.0 1\n\nerror\nno room\n\nok\na 1.0 1\n");
    block_on(async {
        let mut wire = Wire::connect(port, PATIENCE).await;
        wire.import(1, "get a\n".repeat(100)).await;
        loop {
            let Some(Event::Import(news)) = wire.msgs.recv().await else { panic!("news") };
            assert_eq!((news.end, news.sent), (None, 100));
            if news.answered == 3 {
                break;
            }
        }
        wire.orders.send(NetworkOrder::StopImport).await.unwrap();
        let last = wire.news().await.pop().unwrap();
        assert_eq!(last.end, Some(ImportEnd::Stopped));
        assert_eq!((last.answered, last.refused, last.sent), (3, 1, 100));
    });
    peer.join().unwrap();
}

#[test]
fn a_stalled_reply_ends_import_and_connection() {
    let (port, peer) = peer_that_stops(b"ok\n\nerror\nno room\n\nok\n\nok\n");
    block_on(async {
        let mut wire = Wire::connect(port, Duration::from_secs(1)).await;
        wire.import(1, "put a 1 1\n".repeat(100)).await;
        let news = wire.news().await;
        let last = news.last().unwrap();
        assert_eq!((last.answered, last.refused), (3, 1));
        assert_eq!(last.end, Some(ImportEnd::Broken));
        let stalled = "the reply stalled: nothing came for 1 s".to_owned();
        assert_eq!(wire.msgs.recv().await, Some(Event::Disconnected(stalled)));
    });
    peer.join().unwrap();
}
