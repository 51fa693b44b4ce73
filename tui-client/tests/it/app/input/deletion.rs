//! `del` on the command line: how much goes is said before, and a refusal counts for what it says.

use shared::response::Status;
use tui_client::event::{Event, KeyCode};

use crate::harness::scene::Scene;

const WRONG: &str = "wrong command\n";
const ASKED: &str = "deletes points if the server has --allow-delete; Enter sends, esc clears";

/// On a server with selectors.
fn live() -> Scene {
    let mut scene = Scene::live(120, 30, &[], &[]);
    scene.ok("get *[last]", "palm.cpu 1 1\n");
    answer_others(&mut scene);
    scene
}

/// On a server without selectors.
fn polled() -> Scene {
    let mut scene = Scene::connected(120, 30, &[]);
    scene.ok("get *", "palm.cpu 1 1\n");
    scene
}

/// Answers what the table asks for.
fn answer_others(scene: &mut Scene) {
    while let Some(line) = scene.sent.first().map(|sent| sent.line.clone()) {
        scene.ok(&line, "");
    }
}

fn is_sent(scene: &Scene, line: &str) -> bool {
    scene.sent.iter().any(|sent| sent.line == line)
}

/// Enters a `del` twice and answers it; returns whether it was sent.
fn delete(scene: &mut Scene, line: &str, status: Status, data: &str) -> bool {
    scene.enter(line);
    let selector = line.trim_start_matches("del ");
    let counted = match selector.split_once('[') {
        Some((key, range)) => format!("get {key}[{}:all:count]", range.trim_end_matches(']')),
        None => format!("get {selector}[::all:count]"),
    };
    if is_sent(scene, &counted) {
        scene.ok(&counted, "palm.cpu 3.0 1\npalm.mem 1.0 1\n");
    }
    scene.code(KeyCode::Enter);
    let sent = is_sent(scene, line);
    if sent {
        scene.answer(line, status, data);
    }
    scene.code(KeyCode::Esc);
    sent
}

#[test]
fn how_much_a_del_deletes_is_said_before_and_after() {
    let mut scene = live();
    scene.enter("del palm.*[:7]");
    assert_eq!(scene.notice(), "counting what it deletes …");
    scene.code(KeyCode::Enter);
    assert!(!is_sent(&scene, "del palm.*[:7]"), "nobody knows yet how much goes");
    scene.ok("get palm.*[:7:all:count]", "palm.cpu 1999.0 1\npalm.mem 1.0 1\n");
    assert_eq!(
        scene.notice(),
        "up to 1970-01-01 00:00:07 UTC: Enter deletes 2,000 points of 2 keys, esc clears, if the \
         server allows it"
    );
    scene.code(KeyCode::Enter);
    scene.ok("del palm.*[:7]", "");
    assert_eq!(scene.notice(), "deleted 2,000 points of 2 keys, palm.*[:7]");
    scene.enter("del palm.cpu");
    scene.ok("get palm.cpu[::all:count]", "palm.cpu 1.0 1\n");
    assert_eq!(scene.notice(), "Enter deletes 1 point of 1 key, esc clears");
}

#[test]
fn a_count_is_for_the_line_that_stands_there() {
    let mut scene = live();
    scene.enter("del palm.cpu");
    scene.code(KeyCode::Esc);
    scene.ok("get palm.cpu[::all:count]", "palm.cpu 1.0 1\n");
    assert_eq!(scene.notice(), "");
    scene.enter("del palm.cpu");
    scene.code(KeyCode::Backspace);
    scene.ok("get palm.cpu[::all:count]", "palm.cpu 1.0 1\n");
    scene.code(KeyCode::Enter);
    assert!(!is_sent(&scene, "del palm.cp"), "another key");
    scene.ok("get palm.cp[::all:count]", "");
    assert_eq!(scene.notice(), "nothing to delete: no points for palm.cp");
    scene.code(KeyCode::Enter);
    assert!(!is_sent(&scene, "del palm.cp"));
}

#[test]
fn a_del_of_which_nothing_is_counted_is_asked_about_all_the_same() {
    let mut scene = live();
    scene.enter("del palm.cpu");
    scene.answer("get palm.cpu[::all:count]", Status::Error, "busy\n");
    assert_eq!(scene.notice(), ASKED);
    scene.code(KeyCode::Enter);
    scene.ok("del palm.cpu", "");
    assert_eq!(scene.notice(), "deleted palm.cpu");
}

#[test]
fn no_consent_is_asked_for_a_del_that_the_server_is_known_to_refuse() {
    for mut scene in [live(), polled()] {
        assert!(delete(&mut scene, "del palm.cpu", Status::Ok, ""));
        assert!(delete(&mut scene, "del palm.cpu", Status::Error, WRONG));
        for line in ["del palm.cpu", "del palm.*", "del palm.mem[1:]"] {
            scene.sent.clear();
            scene.enter(line);
            let said = "not sent, refused before: the server is without --allow-delete";
            assert_eq!((scene.notice(), scene.sent.len()), (said, 0), "{line}");
            scene.code(KeyCode::Esc);
        }
        scene.tell(Event::Disconnected("gone".to_owned()));
        scene.tell(Event::Connected);
        assert!(delete(&mut scene, "del palm.cpu", Status::Ok, ""), "it may allow some");
    }
}

#[test]
fn a_refusal_counts_for_what_it_says() {
    let mut scene = polled();
    assert!(delete(&mut scene, "del palm.cpu[1:]", Status::Error, WRONG));
    for line in ["del palm.mem[:9]", "del palm.*[1:]"] {
        scene.enter(line);
        assert_eq!(scene.notice(), "not sent: the server has refused a del with a range");
        scene.code(KeyCode::Esc);
    }
    assert!(delete(&mut scene, "del palm.*", Status::Error, WRONG), "it may know globs");
    assert!(delete(&mut scene, "del palm.cpu", Status::Ok, ""), "or keys");
    scene.enter("del palm.*");
    assert_eq!(scene.notice(), "not sent: the server has refused a del with a glob");
    // What is no del in the first place, and what failed, say nothing of others.
    for (line, reply) in [("del palm.cpu[last]", WRONG), ("del palm.mem", "disk full\n")] {
        let mut scene = live();
        delete(&mut scene, line, Status::Error, reply);
        assert!(delete(&mut scene, "del palm.mem", Status::Ok, ""), "{line}");
    }
}
