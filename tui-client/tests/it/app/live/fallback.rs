//! Servers that can't be followed, or not yet, are polled meanwhile.

use tui_client::event::{Event, FollowNews, KeyCode};
use tui_client::request::pending::Channel;
use tui_client::view::theme::Theme;

use super::{SECOND, answer_queries, asked, live, row, rows};
use crate::harness::scene::Scene;
use crate::harness::snapshot::{cell_of, draw};

#[test]
fn a_server_that_ends_or_refuses_the_follow_is_polled() {
    for news in [FollowNews::Ended, FollowNews::Refused("wrong command".to_owned())] {
        let mut scene = Scene::new(120, 30, &[]).follow();
        if news == FollowNews::Ended {
            scene.begin();
            scene.ok("get *[last]", "");
        }
        scene.news(news);
        assert_eq!(scene.app.feed().has_selectors(), Some(false));
        assert!(scene.sent[0].alone, "nothing is sent ahead of a reply");
        scene.ok("get *", "a 1.0 1\n");
        scene.wait(SECOND);
        scene.ok("get *", "a 2.0 2\n");
        cell_of(&draw(&scene, &Theme::colour(), 120, 30), "every 1s");
    }
}

#[test]
fn a_server_that_takes_one_connection_is_polled_over_it() {
    let mut scene = Scene::new(120, 30, &[]).follow();
    scene.wait(3 * SECOND);
    assert_eq!((scene.sent[0].channel, scene.sent[0].alone), (Channel::Prompt, true));
    scene.ok("get *", "a 1.0 1\n");
    scene.enter("get a[+]");
    asked(&mut scene);
    scene.wait(3 * SECOND);
    assert_eq!(asked(&mut scene), [""; 0], "a poll would end the typed follow");
}

/// Connected to a server with selectors whose first answer is late.
fn late() -> Scene {
    let mut scene = Scene::new(120, 30, &["b"]).follow();
    scene.wait(3 * SECOND);
    assert_eq!(scene.app.feed().has_selectors(), Some(false), "polled meanwhile");
    scene
}

#[test]
fn a_first_answer_that_is_late_counts() {
    let mut scene = late();
    let id = scene.sent.iter().find(|request| request.line == "get *").unwrap().id;
    scene.begin();
    assert_eq!(scene.app.feed().has_selectors(), Some(true));
    scene.told("a 5.0 5\n");
    for line in ["get *[last]", "get b[last:1024]"] {
        let request = scene.sent.iter().find(|request| request.line == line).unwrap();
        assert_eq!(request.channel, Channel::Data, "{line}");
        scene.ok(line, "a 4.0 4\nb 4.0 4\n");
    }
    // The polls from before are older than what was told.
    assert!(scene.sent.iter().any(|request| request.id == id));
    let polls = ["get *", "get b"];
    for line in polls {
        if scene.sent.iter().any(|request| request.line == line) {
            scene.ok(line, "a 1.0 1\nb 1.0 1\n");
        }
    }
    scene.told("a 6.0 6\n");
    assert_eq!(rows(&scene), [row("a", 6.0), row("b", 4.0)]);
    let watched = scene.app.watch().keys()[0].series.as_ref().unwrap();
    assert_eq!(watched.last.timestamp, 4);
    scene.wait(10 * SECOND);
    assert!(!asked(&mut scene).iter().any(|line| polls.contains(&&**line)), "no more polls");
    cell_of(&draw(&scene, &Theme::colour(), 120, 30), "live");
}

/// Lets time pass on a server that is polled, and answers its polls; returns how often a follow was
/// ordered, each of which meets this.
fn follows(scene: &mut Scene, seconds: u64, news: &FollowNews) -> usize {
    let mut orders = 0;
    for _ in 0..seconds {
        scene.wait(SECOND);
        answer_queries(scene, |_| "a 1.0 1\n".to_owned());
        let before = scene.followed.take();
        orders += usize::from(before.is_some());
        if let Some((id, _)) = before {
            scene.tell(Event::Follow { id, news: news.clone() });
        }
    }
    orders
}

#[test]
fn a_follow_that_could_not_begin_is_tried_again() {
    let full = FollowNews::Refused("too many connections".to_owned());
    for news in [full, FollowNews::Lost("the connection was closed".to_owned())] {
        let mut scene = Scene::new(120, 30, &[]).follow();
        let first = follows(&mut scene, 10, &news);
        assert!((1..=3).contains(&first), "{news:?}: {first}");
        assert_eq!(scene.app.feed().has_selectors(), Some(false), "{news:?}: polled meanwhile");
        let later = follows(&mut scene, 3600, &news);
        assert!((5..=10).contains(&later), "{news:?}: every so often, {later} times an hour");
        while scene.followed.is_none() {
            scene.wait(60 * SECOND);
            answer_queries(&mut scene, |_| "a 1.0 1\n".to_owned());
        }
        scene.begin();
        scene.ok("get *[last]", "a 2.0 2\n");
        scene.told("a 3.0 3\n");
        assert_eq!(rows(&scene), [row("a", 3.0)], "{news:?}");
    }
}

#[test]
fn a_server_without_selectors_is_asked_once() {
    for news in [FollowNews::Ended, FollowNews::Refused("wrong command".to_owned())] {
        let mut scene = late();
        assert_eq!(follows(&mut scene, 1, &news), 1);
        assert_eq!(follows(&mut scene, 3600, &news), 0, "{news:?}");
    }
}

#[test]
fn a_live_follow_that_finds_no_room_is_tried_again() {
    let full = FollowNews::Refused("too many connections".to_owned());
    let mut scene = live("a 1.0 1\n");
    scene.news(FollowNews::Lost("the server closed the connection".to_owned()));
    follows(&mut scene, 1, &full);
    assert_eq!(scene.app.feed().has_selectors(), Some(true), "it may have room in a moment");
    follows(&mut scene, 60, &full);
    assert_eq!(scene.app.feed().has_selectors(), Some(false));
    assert!(follows(&mut scene, 3600, &full) >= 3);
}

/// Connected again after a loss while the screen was paused.
fn reconnected_while_paused() -> Scene {
    let mut scene = live("a 1.0 1\n");
    asked(&mut scene);
    scene.code(KeyCode::F(6));
    scene.tell(Event::Disconnected("the server closed the connection".to_owned()));
    scene.wait(2 * SECOND);
    scene.tell(Event::Connected);
    scene
}

#[test]
fn a_reconnect_while_paused_leaves_explicit_requests() {
    let mut scene = reconnected_while_paused();
    scene.begin();
    assert!(scene.followed.is_none(), "it was only to be found out");
    assert_eq!(asked(&mut scene), [""; 0], "still paused");
    scene.wait(60 * SECOND);
    assert_eq!(asked(&mut scene), [""; 0]);
    scene.code(KeyCode::F(5));
    scene.ok("get *[last]", "a 2.0 2\n");
    assert_eq!(rows(&scene), [row("a", 2.0)]);
    scene.code(KeyCode::F(6));
    scene.begin();
    scene.ok("get *[last]", "a 3.0 3\n");
    assert_eq!(rows(&scene), [row("a", 3.0)]);
}

#[test]
fn a_refresh_before_a_paused_reconnect_is_known_waits_for_it() {
    let mut scene = reconnected_while_paused();
    scene.code(KeyCode::F(5));
    assert_eq!(asked(&mut scene), [""; 0]);
    scene.begin();
    assert_eq!(asked(&mut scene), ["get *[last]"]);
}
