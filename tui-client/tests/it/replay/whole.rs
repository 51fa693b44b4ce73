//! A session is saved, the server stops, and the session is shown as it was.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use shared::client::ConnectOptions;
use tui_client::app::AppConfig;
use tui_client::cli::Plan;
use tui_client::event::{KeyCode, KeyPress};
use tui_client::keymap::Mode;
use tui_client::session::{self, View, view_file::ViewFile};
use tui_client::sources::{Source, SourceLabel, with_runs};
use tui_client::system::net::{Joined, Peer};

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
    let saved_at = session.view.saved_at;
    let replayed = Some(Arc::clone(&session));
    let config = AppConfig { replayed, ..AppConfig::of(session.view.clone()) };
    Desk::new(Peer::Recorded(session), config, saved_at, SIZE)
}

/// Nothing more is asked for, and all that was has come.
fn is_settled(desk: &Desk) -> bool {
    // A chart on the full screen does not need it.
    let has_table = desk.app.table().loaded() || desk.app.layout().full;
    desk.app.feed().is_live() && desk.app.link().pending().is_empty() && has_table
}

async fn save(desk: &mut Desk) {
    desk.until("the answers", is_settled).await;
    desk.press(KeyPress::ctrl('s'));
    desk.until("the session", |desk| !desk.saved.is_empty()).await;
    // The notice is of the one screen alone.
    desk.until("the answers", is_settled).await;
    desk.press(KeyPress::plain(KeyCode::F(7)));
}

fn save_view(desk: &mut Desk) {
    desk.keys("V");
    desk.press(KeyPress::plain(KeyCode::Enter));
    assert!(desk.notice().ends_with(".toml opens it"), "{}", desk.notice());
    desk.press(KeyPress::plain(KeyCode::F(7)));
}

/// A screen that opens a view file.
fn opened(text: &str, now: i64) -> AppConfig {
    let open = |_: &Path| {
        ViewFile::parse("x.toml", text, now, &TimeZone::UTC).map_err(|why| why.to_string())
    };
    let plan = Plan::parse_with(["tui-client", "--view", "x.toml"], true, open).unwrap();
    AppConfig::of(plan.view)
}

fn on_runtime<T>(test: impl Future<Output = T>) -> T {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio.block_on(test)
}

/// The sources of the view of some servers: all their keys, or runs.
fn sources(ports: &[u16], prefixes: &[&str]) -> Vec<Source> {
    let names = if ports.len() > 1 { ["web1", "db"] } else { [""; 2] };
    let servers = names.iter().zip(ports).map(|(name, &port)| Source {
        name: (*name).to_owned(),
        run: String::new(),
        is_marks: false,
        server: ConnectOptions::new("localhost", port),
    });
    let prefixes: Vec<_> = prefixes.iter().map(|&prefix| prefix.to_owned()).collect();
    let sources = with_runs(servers.collect(), &prefixes).unwrap();
    if ports.len() > 1 || !prefixes.is_empty() { sources } else { Vec::new() }
}

/// Saves what a screen shows after some keys, stops the server, and compares.
fn shows_the_same(watch: &[&str], alerts: &[&str], act: impl AsyncFnOnce(&mut Desk, i64)) -> Desk {
    let server = TestServer::start();
    let now = tui_client::clock::unix_now();
    feed(&server, now);
    shows_the_same_of(vec![server], (&[], now), (watch, alerts), act)
}

/// As above, of runs on some servers.
fn shows_the_same_of(
    mut servers: Vec<TestServer>,
    (prefixes, now): (&[&str], i64),
    (watch, alerts): (&[&str], &[&str]),
    act: impl AsyncFnOnce(&mut Desk, i64),
) -> Desk {
    let ports: Vec<u16> = servers.iter().map(|server| server.port).collect();
    let sources = sources(&ports, prefixes);
    let peer = || match &sources[..] {
        [] => ConnectOptions::new("localhost", ports[0]).into(),
        sources => Peer::Joined(Arc::new(Joined::new(sources.to_vec()))),
    };
    let with_sources = |config: AppConfig| {
        let view = View { address: config.address.clone(), ..View::default() };
        let view = view.with_sources(sources.iter().map(SourceLabel::from));
        AppConfig { address: view.address.clone(), sources: view.sources(), ..config }
    };
    on_runtime(async {
        let mut desk = Desk::new(peer(), with_sources(config(watch, alerts)), now, SIZE);
        desk.until("the table", is_settled).await;
        act(&mut desk, now).await;
        save(&mut desk).await;
        save_view(&mut desk);
        let mut opened = Desk::new(peer(), with_sources(opened(&desk.view, now)), now, SIZE);
        opened.until("the answers", is_settled).await;
        opened.press(KeyPress::plain(KeyCode::F(7)));
        let (ours, theirs) = (opened.panes(), desk.panes());
        assert!(ours == theirs, "opened:\n{ours}\nsaved:\n{theirs}\n{}", desk.view);
        assert_eq!(opened.app.mode(), desk.app.mode());
        save_view(&mut opened);
        assert_eq!(opened.view, desk.view);
        servers.iter_mut().for_each(TestServer::stop);
        let mut replay = replay(&desk.saved);
        replay.until("the answers", is_settled).await;
        replay.press(KeyPress::plain(KeyCode::F(7)));
        let (ours, theirs) = (replay.below_top(), desk.below_top());
        assert!(ours == theirs, "replayed:\n{ours}\nsaved:\n{theirs}");
        let (ours, theirs) = (replay.screen(), desk.screen());
        let cells = ours.content().iter().zip(theirs.content()).skip(SIZE.0.into());
        let other = cells.filter(|(ours, theirs)| ours != theirs).collect::<Vec<_>>();
        assert!(other.is_empty(), "other styles: {other:?}");
        // It can be taken along again, and has lost nothing.
        replay.press(KeyPress::ctrl('s'));
        let [first, again] = [&desk.saved, &replay.saved].map(|it| session::parse(it).unwrap());
        assert!(first.recording == again.recording, "{}", replay.notice());
        replay
    })
}

#[test]
fn a_session_is_shown_without_a_server_as_it_was() {
    let desk = shows_the_same(&["palm.cpu"], &["kettle.cpu > 20"], async |desk, _| {
        desk.keys(":got palm\n");
        desk.until("the error", |desk| desk.text().contains("wrong command")).await;
        desk.press(KeyPress::plain(KeyCode::Tab));
    });
    let shown = desk.text();
    for part in ["kettle.cpu > 20", "wrong command", "deploy", "palm.memory_used"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(shown.contains("replay of localhost:10001, saved 20"), "{shown}");
    assert!(!shown.contains("connected"), "{shown}");
}

#[test]
fn keys_of_an_alert_stand_in_a_replay_as_they_did_the_firing_ones_first() {
    // By hand one key is watched; of the alert's own the last one that was put fires.
    let desk = shows_the_same(&["oven.temp"], &["*.cpu > 85"], async |desk, _| {
        desk.to(Mode::Watch);
    });
    let keys: Vec<_> = desk.app.watch().keys().iter().map(|key| key.key.as_str()).collect();
    assert_eq!(keys, ["oven.temp", "kettle.cpu", "eardrum.cpu", "palm.cpu"]);
}

#[test]
fn place_comparison_order_and_chart_are_as_they_were() {
    let desk = shows_the_same(&["palm.*", "oven.temp"], &[], async |desk, now| {
        desk.to(Mode::Watch);
        desk.keys(" ja2");
        desk.until("the hour", is_settled).await;
        desk.to(Mode::Table);
        desk.keys("/cpu\nCdeploy\n");
        desk.until("the comparison", |desk| desk.text().contains("moved since deploy")).await;
        desk.keys(&format!("t@{}\n", now - 120));
        desk.until("the place", |desk| desk.app.table().as_of() == Some(now - 120)).await;
        desk.keys("o");
    });
    let shown = desk.text();
    for part in ["2m ago", "moved since deploy", "3 of 6 keys · cpu"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn the_chart_on_the_full_screen_is_shown_as_it_was() {
    let desk = shows_the_same(&["palm.cpu", "kettle.cpu"], &[], async |desk, _| {
        desk.to(Mode::Watch);
        desk.keys("Mfz");
        desk.until("the answers", is_settled).await;
        desk.press(KeyPress::plain(KeyCode::Left));
    });
    assert_eq!(desk.app.mode(), Mode::Chart);
    assert!(desk.app.watch().viewport().cursor().is_some());
}

/// Numbers stand in the row of a key.
fn has_numbers(desk: &Desk, key: &str) {
    let table = desk.app.table().answer();
    let row = table.series.iter().find(|series| series.key.as_str() == key).unwrap();
    assert!(row.count() > Some(1), "{key}: {}", desk.text());
}

#[test]
fn several_servers_are_shown_as_they_were() {
    let servers = vec![TestServer::start(), TestServer::start()];
    let now = tui_client::clock::unix_now();
    for server in &servers {
        feed(server, now);
    }
    let act = async |desk: &mut Desk, _| desk.to(Mode::Table);
    let desk = shows_the_same_of(servers, (&[], now), (&["db/palm.cpu"], &[]), act);
    has_numbers(&desk, "web1/kettle.cpu");
    assert!(desk.text().contains("replay of web1, db, saved 20"), "{}", desk.text());
}

/// What the screen has of the server that is away is in the file, the line in the chart, too, and of no
/// other time anything is said.
#[test]
fn of_a_server_that_is_away_the_points_on_the_screen_are_saved() {
    let mut servers = [TestServer::start(), TestServer::start()];
    let now = tui_client::clock::unix_now();
    for server in &servers {
        feed(server, now);
    }
    let sources = sources(&[servers[0].port, servers[1].port], &[]);
    on_runtime(async {
        let peer = Peer::Joined(Arc::new(Joined::new(sources.clone())));
        let config = config(&["db/palm.memory_used"], &[]);
        let view = View { address: config.address.clone(), ..View::default() };
        let view = view.with_sources(sources.iter().map(SourceLabel::from));
        let config = AppConfig { address: view.address.clone(), sources: view.sources(), ..config };
        let mut desk = Desk::new(peer, config, now, SIZE);
        desk.until("the answers", is_settled).await;
        servers[1].stop();
        desk.until("the end", |desk| desk.text().contains("1 of 2 live") && is_settled(desk)).await;
        desk.press(KeyPress::ctrl('s'));
        desk.until("the session", |desk| !desk.saved.is_empty()).await;
        let mut replay = replay(&desk.saved);
        replay.until("the answers", is_settled).await;
        let recording = replay.app.replayed().unwrap().recording();
        let of_key = |name: &str| {
            let (_, points) = recording.iter().find(|(key, _)| key.as_str() == name).unwrap();
            points.count()
        };
        assert_eq!(of_key("db/palm.memory_used"), of_key("web1/palm.memory_used"));
        assert!(of_key("db/palm.cpu") < 30 && of_key("web1/palm.cpu") > 500);
        replay.to(Mode::Table);
        replay.keys(&format!("C{}\n", now - 300));
        replay.until("the comparison", |desk| desk.text().contains("moved since")).await;
        assert!(!replay.text().contains("new "), "{}", replay.text());
        replay.keys(&format!("C\nWdb/palm.cpu\n@{}\n", now - 300));
        replay.until("the place", |desk| desk.app.table().as_of() == Some(now - 300)).await;
        let shown = replay.text();
        assert!(shown.contains("db/palm.cpu          not saved"), "{shown}");
        assert!(!shown.contains("no points then"), "{shown}");
    });
}

#[test]
fn the_keys_of_one_prefix_are_shown_as_they_were() {
    let server = TestServer::start();
    let now = tui_client::clock::unix_now();
    feed(&server, now);
    let act = async |desk: &mut Desk, _| desk.to(Mode::Table);
    let desk = shows_the_same_of(vec![server], (&["palm."], now), (&["palm.cpu"], &[]), act);
    has_numbers(&desk, "palm.cpu");
}

/// Two runs on a server, the first of which is shifted by 44 s.
fn two_runs(now: i64) -> TestServer {
    let server = TestServer::start();
    for (run, start) in [("run1", now - 644), ("run2", now - 600)] {
        for step in 0..30 {
            server.send(&format!("put {run}.loss {}.5 {}\n", 100 - step, start + 10 * step));
        }
    }
    server
}

#[test]
fn runs_are_shown_as_they_were_and_it_is_said_by_how_much_they_are_shifted() {
    let now = tui_client::clock::unix_now();
    let server = two_runs(now);
    // A point of the first run that is ahead in the view, which is not of now.
    server.send(&format!("put run1.loss 2 {}\nput mark.release 1 {}\n", now + 14, now - 500));
    let act = async |desk: &mut Desk, _| {
        desk.to(Mode::Table);
        // In their place there is room for the number of points.
        desk.keys("?column change\n?column rate\n");
    };
    let runs = (&["run1.", "run2."][..], now);
    let desk = shows_the_same_of(vec![server], runs, (&["run2.loss"], &[]), act);
    for key in ["run1.loss", "run2.loss"] {
        has_numbers(&desk, key);
    }
    assert!(desk.text().contains("release"), "{}", desk.text());
    assert!(
        desk.text().lines().next().unwrap().contains("  run1. +44s · run2."),
        "{}",
        desk.text()
    );
}

#[test]
fn the_run_that_others_are_compared_with_is_the_same() {
    let now = tui_client::clock::unix_now();
    let act = async |desk: &mut Desk, _| {
        desk.to(Mode::Table);
        desk.keys("?column trend\nCrun2\n");
    };
    let runs = (&["run1.", "run2."][..], now);
    let desk = shows_the_same_of(vec![two_runs(now)], runs, (&[], &[]), act);
    assert!(desk.text().contains("compared with run2."), "{}", desk.text());
}

#[test]
fn keys_work_in_a_recording_and_nothing_is_stored() {
    let mut desk = shows_the_same(&["palm.cpu"], &[], async |desk, _| desk.to(Mode::Table));
    on_runtime(async {
        // As after a long session.
        let saved = String::from_utf8(std::mem::take(&mut desk.saved)).unwrap();
        let saved = saved.replace("[end]\n", "0 -p 900000 - - late\n[end]\n");
        let mut desk = replay(saved.as_bytes());
        desk.until("the answers", is_settled).await;
        // The clock stands still, so that no age wakes it.
        assert!(desk.app.next_wake().is_none_or(|at| at >= Duration::from_secs(30)));
        let now = desk.app.now().unix();
        let exchanges = |desk: &Desk| {
            let lines = desk.app.log().visible(usize::MAX);
            lines.filter_map(|line| line.exchange).collect::<BTreeSet<_>>()
        };
        let saved = exchanges(&desk);
        desk.keys("m");
        assert_eq!(desk.notice(), "not marked: this is a replay");
        desk.keys("qS0\n");
        assert_eq!(desk.notice(), "not marked: this is a replay");
        desk.keys(&format!("@{}\n", now - 60));
        desk.until("the place", |desk| desk.text().contains("as of")).await;
        desk.keys("0:put a 1 1\n");
        desk.until("the refusal", |desk| desk.notice().contains("replay")).await;
        assert_eq!(desk.notice(), "error in put a 1 1: this is a replay");
        desk.keys("get *.cpu[last]\n");
        desk.until("the answer", |desk| desk.app.typed_answer().is_some()).await;
        // Its lines are of no saved exchange.
        let all = exchanges(&desk);
        assert_eq!(all.difference(&saved).count(), 2);
        assert!(all.difference(&saved).min() > saved.last());
        // It can be saved again, and is the same.
        let before = desk.app.now();
        save(&mut desk).await;
        let again = session::parse(&desk.saved).unwrap();
        assert_eq!(again.view.saved_at, before.unix());
        assert_eq!(again.recording.len(), 6);
    });
}

#[test]
fn no_view_of_a_file_is_too_strange_to_be_shown() {
    let spans = ["all", "strays", "last 1", "last 9223372036854775807", "5 5"];
    let widest = ["-9223372036854775808 9223372036854775807"];
    let cursors = ["-9223372036854775808", "9223372036854775807", "7"];
    let places = ["-253402207199", "253402207199", "0"];
    on_runtime(async {
        for (number, span) in spans.iter().chain(&widest).enumerate() {
            let (cursor, place) = (cursors[number % 3], places[number % 3]);
            let text = format!(
                "tui-client session 1\n[view]\nhost x\nsaved 253402207199\nwatch a\nwatch nowhere.*\n\
                 alert a age > 1m\nplace {place}\ncompared -253402207199 never\nchart {span}\n\
                 cursor {cursor}\nselected none\nmarked a\nrow none\nfocus watch\n[points]\nkey a\n\
                 -9223372036854775808@1 9223372036854775808@-1e308 9223372036854775807@1e308\n[end]\n"
            );
            let mut desk = replay(text.as_bytes());
            desk.until("the answers", is_settled).await;
            assert!(desk.text().contains("replay of x"));
            for keys in ["z", "Z", "Z", "[", "]", "{", "}", "h", "l", "a", "2", "5", "f", "M", "0"]
            {
                desk.keys(keys);
                desk.until("the answers", is_settled).await;
                assert!(desk.text().contains("replay of x"));
            }
        }
    });
}
