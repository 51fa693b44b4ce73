//! A session is saved, the server stops, and the session is shown as it was.

use std::sync::Arc;

use shared::client::ConnectOptions;
use tui_client::app::AppConfig;
use tui_client::event::{KeyCode, KeyPress};
use tui_client::keymap::Mode;
use tui_client::session;
use tui_client::system::net::Peer;

use super::desk::Desk;
use crate::harness::scene;
use crate::harness::server::TestServer;

const SIZE: (u16, u16) = (180, 50);

/// Ten minutes of a few keys that end now.
fn feed(server: &TestServer, now: i64) {
    let mut puts = String::new();
    for at in now - 600..=now {
        let phase = f64::from(i32::try_from(at - now).unwrap()) / 60.0;
        for (number, host) in (0_u8..).zip(["palm", "eardrum", "kettle"]) {
            let value = ((phase + f64::from(number)).sin() * 400.0).round() / 10.0 + 50.0;
            puts.push_str(&format!("put {host}.cpu {value:?} {at}\n"));
        }
        if at % 60 == 0 {
            puts.push_str(&format!("put palm.memory_used {} {at}\n", 1_500_000_000 + at % 1000));
        }
    }
    puts.push_str(&format!("put oven.temp 21.5 {}\n", now - 7200));
    puts.push_str(&format!("put mark.deploy 1 {}\n", now - 300));
    server.send(&puts);
}

fn config(watch: &[&str], alerts: &[&str]) -> AppConfig {
    AppConfig {
        watch: watch.iter().map(|glob| glob.parse().unwrap()).collect(),
        alerts: alerts.iter().map(|alert| alert.parse().unwrap()).collect(),
        ..scene::config()
    }
}

/// A screen over what was saved.
fn replay(saved: &[u8]) -> Desk {
    let session = Arc::new(session::parse(saved).unwrap());
    let view = session.view.clone();
    let config = AppConfig {
        address: view.address,
        watch: view.watch,
        alerts: view.alerts,
        table: view.table,
        raw_log: view.raw_log,
        replayed: Some(Arc::clone(&session)),
        ..scene::config()
    };
    Desk::new(Peer::Recorded(session), config, view.saved_at, SIZE)
}

/// Nothing more is asked for, and all that was has come.
fn is_settled(desk: &Desk) -> bool {
    desk.app.feed().is_live() && desk.app.link().pending().is_empty() && desk.app.table().loaded()
}

async fn save(desk: &mut Desk) {
    desk.until("the answers", is_settled).await;
    desk.press(KeyPress::ctrl('s'));
    desk.until("the session", |desk| !desk.saved.is_empty()).await;
    // The notice is of the one screen alone.
    desk.until("the answers", is_settled).await;
    desk.press(KeyPress::plain(KeyCode::F(7)));
}

fn on_runtime(test: impl Future<Output = ()>) {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio.block_on(test);
}

#[test]
fn a_session_is_shown_without_a_server_as_it_was() {
    let mut server = TestServer::start();
    let now = tui_client::clock::unix_now();
    feed(&server, now);
    on_runtime(async {
        let peer = ConnectOptions::new("localhost", server.port).into();
        let config = config(&["palm.cpu"], &["kettle.cpu > 20"]);
        let mut desk = Desk::new(peer, config, now, SIZE);
        desk.until("the table", is_settled).await;
        desk.keys(":got palm\n");
        desk.until("the error", |desk| desk.text().contains("wrong command")).await;
        desk.until("the answers", is_settled).await;
        desk.press(KeyPress::plain(KeyCode::Tab));
        save(&mut desk).await;
        server.stop();
        let shown = desk.below_top();
        for part in ["kettle.cpu > 20", "wrong command", "deploy", "palm.memory_used"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let mut replay = replay(&desk.saved);
        replay.until("the answers", is_settled).await;
        replay.press(KeyPress::plain(KeyCode::F(7)));
        assert_eq!(replay.below_top(), shown);
        let top = replay.text().lines().next().unwrap().to_owned();
        assert!(top.contains("replay of localhost:10001, saved "), "{top}");
    });
}
