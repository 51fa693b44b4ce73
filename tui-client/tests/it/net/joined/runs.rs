//! Runs of a program on a server, laid over each other.

use std::io::Write;
use std::sync::Arc;

use shared::client::ConnectOptions;
use tui_client::effect::NetworkOrder;
use tui_client::event::Event;
use tui_client::request::pending::Channel;
use tui_client::sources::{Source, SourceState, with_runs};
use tui_client::system::net::{Joined, Peer};

use super::{answer_enquiries, reply};
use crate::harness::client::unix_now;
use crate::harness::peer::{hear, peer};
use crate::harness::server::TestServer;
use crate::net::{Wire, block_on};

/// Runs on one server, which begin with these.
fn runs(port: u16, prefixes: &[&str]) -> Arc<Joined> {
    let server = ConnectOptions::new("localhost", port);
    let server = Source { name: String::new(), run: String::new(), is_marks: false, server };
    let prefixes: Vec<_> = prefixes.iter().map(|&run| run.to_owned()).collect();
    Arc::new(Joined::new(with_runs(vec![server], &prefixes).unwrap()))
}

#[test]
fn runs_are_laid_over_each_other() {
    let server = TestServer::start();
    // The first run begins with run1.loss at 1000, the second 500 s later.
    server
        .send("put run1.loss 9 1000\nput run1.loss 5 1100\nput run1.rate 1 1010\nput other 7 7\n");
    server.send("put run2.loss 8 1500\nput run2.loss 4 1560\n");
    block_on(async {
        let client = runs(server.port, &["run1.", "run2."]).connect_to_all().await.unwrap();
        let both = "run1.loss 9.0 1500\nrun1.loss 5.0 1600\nrun1.rate 1.0 1510\n";
        let both = format!("ok\n{both}run2.loss 8.0 1500\nrun2.loss 4.0 1560\n\n");
        for (line, expected) in [
            ("get *", &*both),
            ("get *.loss[last]", "ok\nrun1.loss 5.0 1600\nrun2.loss 4.0 1560\n\n"),
            ("get *.loss[last@1570]", "ok\nrun1.loss 9.0 1500\nrun2.loss 4.0 1560\n\n"),
            ("get run1.*[1505:1510]", "ok\nrun1.rate 1.0 1510\n\n"),
            // A bucket stands at a multiple of its step.
            ("get run1.loss[::200:max]", "ok\nrun1.loss 9.0 1400\n\n"),
            ("get *.loss[::all:count]", "ok\nrun1.loss 2.0 1500\nrun2.loss 2.0 1500\n\n"),
            ("get other", "ok\n\n"),
            ("put run2.loss 3 1570", "ok\n\n"),
            (
                "put run1.loss 3 1570",
                "error\nthe times of run1. are shifted by 8m20s, not those of puts\n\n",
            ),
            ("put other 3 1570", "error\na key here begins with run1. or run2.\n\n"),
            ("del run1.loss[1600:]", "ok\n\n"),
        ] {
            assert_eq!(reply(&client, line).await.unwrap(), expected, "{line}");
        }
        let one = runs(server.port, &["run1."]).connect_to_all().await.unwrap();
        let lines = "ok\nrun1.loss 9.0 1000\nrun1.rate 1.0 1010\n\n";
        assert_eq!(reply(&one, "get *").await.unwrap(), lines, "one is not shifted");
    });
}

#[test]
fn the_course_of_a_shifted_run_is_told_as_its_times_come() {
    let server = TestServer::start();
    let now = unix_now();
    // The first run is shifted by 500 s, and has points before and after what is now in the view.
    let mut puts = format!("put run1.loss -1 {}\nput run2.loss 8 {}\n", now - 1000, now - 500);
    for second in -60..600 {
        puts.push_str(&format!("put run1.loss {second} {}\n", now - 500 + second));
    }
    server.send(&puts);
    block_on(async {
        let client = runs(server.port, &["run1.", "run2."]).connect_to_all().await.unwrap();
        let last = reply(&client, "get run1.*[last]").await.unwrap();
        let time = last.trim_end().rsplit(' ').next().unwrap().parse::<i64>().unwrap();
        assert!((now..=unix_now()).contains(&time), "{last} is not of now");
        let mut wire = Wire::over(Peer::Joined(runs(server.port, &["run1.", "run2."])));
        wire.order(NetworkOrder::Connect).await;
        while !matches!(wire.event().await, Event::Connected) {}
        wire.follow_all(1).await;
        // What is put to it is ahead, and told when its time has come.
        server.send(&format!("put run1.loss 7777 {now}\n"));
        let told = wire.told(1, "\n").await;
        for line in told.lines() {
            let [key, value, time] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let time = time.parse::<i64>().unwrap();
            assert_eq!((key, value), ("run1.loss", &*format!("{}.0", time - now)));
            assert!(time <= unix_now(), "{line} is ahead");
        }
    });
}

#[test]
fn a_run_that_begins_while_one_looks_on_shifts_the_others() {
    let server = TestServer::start();
    server.send("put run1.loss 9 1000\n");
    block_on(async {
        let mut wire = Wire::over(Peer::Joined(runs(server.port, &["run1.", "run2."])));
        wire.connect().await;
        wire.follow_all(1).await;
        server.send("put run1.loss 8 1010\n");
        assert_eq!(wire.told(1, "\n").await, "run1.loss 8.0 1010\n");
        assert_eq!(wire.answer(Channel::Data, "get *[last]").await, "run1.loss 8.0 1010");
        server.send("put run2.loss 7 5000\n");
        loop {
            let Event::Sources(states) = wire.event().await else { continue };
            if states.iter().map(SourceState::shift).eq([4000, 0]) {
                break;
            }
        }
        wire.follow_all(2).await;
        let answer = wire.answer(Channel::Data, "get *[last]").await;
        assert_eq!(answer, "run1.loss 8.0 5010 run2.loss 7.0 5000");
        for (put, told) in [
            ("put run1.loss 6 1020\n", "run1.loss 6.0 5020\n"),
            ("put run2.loss 5 5010\n", "run2.loss 5.0 5010\n"),
        ] {
            server.send(put);
            assert_eq!(wire.told(2, told).await, told);
        }
    });
}

#[test]
fn runs_need_a_server_with_selectors() {
    // Of a run of marks, so that the server has no connection for marks besides.
    let (port, _) = peer(vec![
        |mut stream, from| {
            answer_enquiries(stream, from);
            hear(from, &["get mark.1.*[::all:first]"]);
            stream.write_all(b"ok\n\n").unwrap();
        },
        |mut stream, from| {
            hear(from, &["get mark.1.*[:+]"]);
            stream.write_all(b"ok\n\n").unwrap();
        },
        // The next try.
        answer_enquiries,
    ]);
    block_on(async {
        let mut wire = Wire::over(Peer::Joined(runs(port, &["mark.1."])));
        loop {
            let Event::Sources(states) = wire.event().await else { continue };
            if let [SourceState::Away { reason }] = &states[..] {
                assert_eq!(reason, "the server knows no selectors, which --prefix needs");
                return;
            }
        }
    });
}
