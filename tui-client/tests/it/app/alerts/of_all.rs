//! Alerts on numbers of all points, on a server with selectors: the window of the screen is another
//! matter.

use std::time::Duration;

use tui_client::event::Event;
use tui_client::keymap::Mode;
use tui_client::view::theme::Theme;

use crate::harness::scene::{NOW, Scene};
use crate::harness::snapshot::{draw, find};

const SECOND: Duration = Duration::from_secs(1);

/// The only 95 of a key is older than a quarter of an hour, and among its newest points or not.
fn history(has_spike: bool) -> String {
    let value = |n| if n == 5 && has_spike { 95 } else { 1 };
    (0..1024).map(|n| format!("a {}.0 {}\n", value(n), NOW - 1023 + n)).collect()
}

/// Answers what is asked for; numbers of all points of `a` have this maximum.
fn answer(scene: &mut Scene, max: &str) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        let value = if line == "get a[::all:max]" { max } else { "1.0" };
        let is_before = line.contains(&format!("[:{}:all", NOW - 5));
        let point = format!("a {value} {NOW}\n");
        scene.ok(&line, if is_before { "" } else { &point });
        lines.push(line);
    }
    lines
}

fn said(scene: &Scene) -> Vec<String> {
    scene.log().into_iter().filter(|line| line.contains("max > 90: ")).collect()
}

#[test]
fn the_window_does_not_matter() {
    for (has_spike, max, fires) in
        [(true, "95.0", true), (false, "95.0", true), (true, "1.0", false)]
    {
        let mut scene = Scene::live(120, 30, &[], &["a max > 90"]);
        scene.ok("get a[last:1024]", &history(has_spike));
        assert!(!scene.app.alerts().fires("a"), "not known yet");
        let lines = answer(&mut scene, max);
        assert!(lines.contains(&"get a[::all:max]".to_owned()), "{lines:?}");
        assert_eq!(scene.app.alerts().fires("a"), fires);
        scene.to(Mode::Table);
        for key in ["t", "t", "T", "T", "T"] {
            scene.keys(key);
            let lines = answer(&mut scene, max);
            assert!(!lines.contains(&"get a[::all:max]".to_owned()), "it is known: {lines:?}");
            assert_eq!((said(&scene).len(), scene.app.alerts().fires("a")), (fires.into(), fires));
            let firing = find(&draw(&scene, &Theme::plain(), 120, 30), "!a  ").is_some();
            assert_eq!((firing, scene.app.alarms()), (fires, fires.into()));
        }
    }
}

#[test]
fn a_told_point_counts_at_once_and_the_next_answer_corrects_it() {
    let mut scene = Scene::live(120, 30, &[], &["a max > 90", "a count > 2", "a avg < 0"]);
    scene.ok("get a[last:1024]", &format!("a 1.0 {NOW}\n"));
    // Told while the numbers are asked for.
    scene.told(&format!("a 95.0 {}\n", NOW + 1));
    assert_eq!(said(&scene), [""; 0]);
    answer(&mut scene, "1.0");
    assert_eq!(said(&scene).len(), 1);
    scene.told(&format!("a 95.5 {}\n", NOW + 1));
    let counts = |scene: &Scene| scene.log().iter().any(|line| line.contains("the count of a is"));
    assert!(!counts(&scene), "it is one point");
    scene.told(&format!("a -999.0 {}\n", NOW - 9000));
    let log = scene.log();
    assert!(log.iter().any(|line| line.contains("the count of a is 3")), "{log:?}");
    assert!(log.iter().any(|line| line.contains("the avg of a is -")), "{log:?}");
    // What retention has dropped is noticed in time.
    scene.wait(601 * SECOND);
    answer(&mut scene, "1.0");
    assert_eq!(said(&scene).len(), 2, "{:?}", scene.log());
    assert!(!scene.app.alerts().fires("a") || scene.app.alarms() == 1);
}

#[test]
fn a_lost_query_is_asked_again_and_the_state_stays_meanwhile() {
    let mut scene = Scene::live(120, 30, &[], &["a max > 90"]);
    scene.ok("get a[last:1024]", &history(true));
    let lose = |scene: &mut Scene| {
        let ids = scene.sent.drain(..).map(|request| request.id).collect();
        scene.tell(Event::DataLost { ids, reason: "x".to_owned() });
    };
    lose(&mut scene);
    scene.wait(SECOND);
    scene.begin();
    scene.ok("get a[last:1024]", &history(true));
    answer(&mut scene, "95.0");
    assert!(scene.app.alerts().fires("a"));
    scene.tell(Event::Disconnected("the server closed the connection".to_owned()));
    scene.wait(2 * SECOND);
    scene.tell(Event::Connected);
    scene.begin();
    scene.ok("get a[last:1024]", &history(false));
    assert!(scene.app.alerts().fires("a"), "until it is known better");
    answer(&mut scene, "1.0");
    assert!(!scene.app.alerts().fires("a"));
    assert_eq!(said(&scene).len(), 2);
}

#[test]
fn a_new_key_is_asked_for_once_it_is_told() {
    let mut scene = Scene::live(120, 30, &[], &["*.x max > 90", "*.y > 5"]);
    answer(&mut scene, "1.0");
    scene.told(&format!("b.x 3.0 {NOW}\nb.y 3.0 {NOW}\n"));
    scene.told(&format!("b.x 97.0 {}\n", NOW + 1));
    assert!(!scene.app.alerts().fires("b.x"));
    let lines = answer(&mut scene, "1.0");
    let of_all: Vec<_> = lines.iter().filter(|line| line.contains(":max]")).collect();
    assert!(of_all.contains(&&"get b.x[::all:max]".to_owned()), "{lines:?}");
    assert!(scene.app.alerts().fires("b.x"));
}
