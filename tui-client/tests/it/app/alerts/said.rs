//! How often an alert is said: it comes and goes, is silenced, and gives the line back.

use tui_client::effect::{Effect, TerminalOrder};
use tui_client::event::{KeyCode, KeyPress};
use tui_client::keymap::Mode;
use tui_client::view::theme::Theme;

use super::SECOND;
use crate::harness::scene::{NOW, Scene};
use crate::harness::snapshot::{draw, find};

/// The server tells a value that fires and one that does not, once a second; gives how often the bell
/// rang.
fn flap(scene: &mut Scene, seconds: i64) -> usize {
    let mut bells = 0;
    for second in 0..seconds {
        for value in [9, 1] {
            let at = NOW + 2 * second + i64::from(value == 1);
            let effects = scene.told(&format!("a {value} {at}\n"));
            bells += usize::from(effects.contains(&Effect::Terminal(TerminalOrder::Bell)));
        }
        scene.wait(SECOND);
    }
    bells
}

#[test]
fn an_alert_that_comes_and_goes_is_said_now_and_then() {
    let mut scene = Scene::live(120, 30, &[], &["a > 5", "b > 5"]);
    for line in ["get {a,b}[last:1024]", "get *[last]"] {
        if scene.sent.iter().any(|request| request.line == line) {
            scene.ok(line, &format!("a 1 {}\nb 1 {}\n", NOW - 1, NOW - 1));
        }
    }
    let bells = flap(&mut scene, 12);
    assert!((3..=5).contains(&bells), "{bells} times in 12 seconds");
    let times = |scene: &Scene, text: &str| -> (usize, u32) {
        let lines = scene.app.log().visible(usize::MAX).filter(|line| line.text.starts_with(text));
        lines.fold((0, 0), |(lines, times), line| (lines + 1, times + line.times))
    };
    for text in ["alert: a > 5: a is 9", "resolved: a > 5: a is 1"] {
        assert_eq!(times(&scene, text), (bells, 12), "the log counts each in a line of one said");
    }
    let drawn = draw(&scene, &Theme::colour(), 120, 30).to_string();
    assert!(drawn.contains(" ×6 until 04:31:08 "), "{drawn}");
    assert_eq!(flap(&mut scene, 60), 4, "less often the longer it goes on");
    assert_eq!(times(&scene, "alert").1, 72);
    // Another alert is said meanwhile, and stays.
    scene.told(&format!("b 7 {NOW}\n"));
    assert_eq!(scene.notice(), "alert: b > 5: b is 7");
}

/// A line that is typed on the bottom line stays in sight, with what is said beside it.
#[test]
fn an_alert_does_not_cover_what_is_typed() {
    for (width, height) in [(160, 45), (80, 24), (40, 10)] {
        let mut scene = Scene::live(width, height, &[], &["a > 5"]);
        let answer = |scene: &mut Scene| {
            while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
                scene.ok(&line, &format!("a 1 {}\n", NOW - 1));
            }
        };
        answer(&mut scene);
        // On a small screen more is followed for the table.
        let before = scene.followed.clone();
        scene.to(Mode::Table);
        if scene.followed != before {
            scene.begin();
        }
        answer(&mut scene);
        scene.keys("Wshop.*");
        scene.told(&format!("a 9 {NOW}\n"));
        assert_eq!(scene.notice(), "alert: a > 5: a is 9");
        let bottom = |scene: &Scene| {
            let text = draw(scene, &Theme::colour(), width, height).to_string();
            text.lines().last().unwrap().to_owned()
        };
        assert!(bottom(&scene).contains("shop.*"), "{}", bottom(&scene));
        assert!(bottom(&scene).contains("alert: a > 5: a is 9"), "{}", bottom(&scene));
        // What is typed next is about the line again.
        scene.keys("x");
        assert!(bottom(&scene).contains("shop.*x"), "{}", bottom(&scene));
        // An answer to what was entered has the line for itself.
        scene.press(KeyPress::plain(KeyCode::Esc));
        scene.keys("Cnowhere\n");
        assert!(bottom(&scene).contains("no mark is called nowhere"), "{}", bottom(&scene));
    }
}

#[test]
fn a_flapping_alert_is_silenced_until_it_is_calm() {
    for key in [KeyPress::char('B'), KeyPress::plain(KeyCode::F(8))] {
        let mut scene = Scene::live(120, 30, &[], &["a > 5", "b > 5"]);
        while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
            let state = format!("a 1 {}\nb 1 {}\n", NOW - 1, NOW - 1);
            scene.ok(&line, if line.contains(":all:") { "" } else { &state });
        }
        assert!(flap(&mut scene, 6) > 0);
        scene.to(Mode::Watch);
        let drawn =
            |scene: &Scene, text| find(&draw(scene, &Theme::colour(), 120, 30), text).is_some();
        scene.press(KeyPress::plain(KeyCode::Home));
        assert!(drawn(&scene, "B silence"));
        scene.press(key);
        assert_eq!(scene.notice(), "silenced until calm for 1m: a > 5; B again ends the silence");
        scene.press(KeyPress::plain(KeyCode::Home));
        assert_eq!((flap(&mut scene, 30), scene.notice()), (0, ""));
        assert!(drawn(&scene, "1 silenced") && !drawn(&scene, "B silence"));
        assert!(scene.log().last().unwrap().contains("a > 5"), "the log has each");
        scene.told(&format!("b 7 {NOW}\n"));
        assert_eq!(scene.notice(), "alert: b > 5: b is 7", "no other alert is silenced");
        scene.told(&format!("b 1 {}\n", NOW + 1));
        scene.wait(SECOND * 58);
        assert!(drawn(&scene, "1 silenced"));
        scene.wait(SECOND * 2);
        assert!(!drawn(&scene, "silenced"));
        assert!(flap(&mut scene, 3) > 0, "it is said again");
        scene.press(key);
        scene.press(key);
        assert_eq!(scene.notice(), "alerts are said as they fire");
        assert!(flap(&mut scene, 6) > 0);
    }
}

/// A watched key with an alert, on a server that tells nothing and of which no age is shown in
/// seconds.
fn calm() -> Scene {
    let mut scene = Scene::live(120, 30, &[], &["a > 5"]);
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        scene.ok(&line, if line.contains(":all:") { "" } else { "a 1 1\n" });
    }
    scene.to(Mode::Watch);
    scene
}

#[test]
fn a_silenced_alert_that_fires_on_stays_silent() {
    let mut scene = calm();
    scene.told("a 9 2\n");
    scene.keys("B");
    scene.wait(SECOND * 200);
    assert_eq!(scene.app.alerts().silenced(scene.now.elapsed), 1, "it has not been calm yet");
    let bell = Effect::Terminal(TerminalOrder::Bell);
    for (value, at) in [(1, 3), (9, 4), (1, 5)] {
        assert!(!scene.told(&format!("a {value} {at}\n")).contains(&bell), "{at}");
    }
    scene.wait(SECOND * 61);
    assert_eq!(scene.app.alerts().silenced(scene.now.elapsed), 0);
    assert!(scene.told("a 9 6\n").contains(&bell), "it was calm for a minute");
    scene.keys("Bx");
    scene.wait(SECOND * 61);
    assert_eq!(scene.app.alerts().silenced(scene.now.elapsed), 0, "its key is not watched");
}

#[test]
fn the_end_of_a_silence_is_shown_when_it_comes() {
    let mut scene = calm();
    // Ages change with the minute.
    scene.wait(SECOND * 10);
    scene.told("a 9 2\na 1 3\n");
    scene.keys("B");
    for _ in 0..59 {
        scene.wait(SECOND);
        while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
            scene.ok(&line, "");
        }
    }
    assert!(scene.next_wait() <= SECOND, "{:?}", scene.next_wait());
    let drawn =
        |scene: &Scene| find(&draw(scene, &Theme::colour(), 120, 30), "1 silenced").is_some();
    assert!(drawn(&scene));
    scene.wait(SECOND);
    assert!(!drawn(&scene));
}

#[test]
fn what_is_said_of_an_alert_gives_the_line_back() {
    let mut scene = calm();
    let said = "alert: a > 5: a is 9";
    scene.told("a 9 2\n");
    scene.wait(SECOND * 7);
    assert_eq!(scene.notice(), said, "as long as other notices");
    scene.wait(SECOND);
    assert_eq!(scene.notice(), "");
    scene.told("a 1 3\n");
    scene.wait(SECOND * 20);
    scene.told("a 9 4\na 1 5\n");
    scene.wait(SECOND * 3);
    assert_eq!(scene.notice(), said, "it is over, but to be read");
    scene.wait(SECOND);
    assert_eq!(scene.notice(), "");
    scene.wait(SECOND * 20);
    scene.told("a 9 6\n");
    scene.keys("!");
    scene.code(KeyCode::Esc);
    scene.keys("Y");
    let other = scene.notice().to_owned();
    scene.told("a 1 7\n");
    scene.wait(SECOND * 7);
    assert_eq!(scene.notice(), other, "another notice stays");
}

#[test]
fn an_alert_that_is_resolved_says_so_for_a_few_seconds() {
    let mut scene = calm();
    let resolved = "resolved: a > 5: a is 1";
    scene.told("a 9 2\n");
    scene.wait(SECOND * 2);
    let bell = Effect::Terminal(TerminalOrder::Bell);
    assert!(!scene.told("a 1 3\n").contains(&bell));
    assert_eq!(scene.notice(), resolved, "in its place");
    scene.wait(SECOND * 3);
    assert_eq!(scene.notice(), resolved);
    scene.wait(SECOND);
    assert_eq!(scene.notice(), "", "for four seconds");
    scene.wait(SECOND * 20);
    scene.told("a 9 4\n");
    scene.wait(SECOND * 9);
    assert_eq!(scene.notice(), "", "long ago");
    scene.told("a 1 5\n");
    assert_eq!(scene.notice(), resolved, "where nothing stands");
    scene.wait(SECOND * 90);
    scene.told("a 9 6\n");
    scene.to(Mode::Table);
    scene.keys("B");
    let silenced = scene.notice().to_owned();
    scene.wait(SECOND * 9);
    scene.told("a 1 7\n");
    assert_eq!((scene.notice(), silenced.starts_with("silenced")), ("", true), "{silenced}");
}

#[test]
fn an_alert_that_has_been_calm_is_said_as_at_first() {
    let mut scene = calm();
    let bell = Effect::Terminal(TerminalOrder::Bell);
    let mut at = 2;
    let mut rings = |scene: &mut Scene| {
        at += 2;
        scene.told(&format!("a 9 {at}\na 1 {}\n", at + 1)).contains(&bell)
    };
    for pause in [3, 6, 12, 15, 15] {
        assert!(rings(&mut scene));
        scene.wait(SECOND * (pause - 1));
        assert!(!rings(&mut scene), "within {pause} s");
        scene.wait(SECOND);
    }
    scene.wait(SECOND * 60);
    assert!(rings(&mut scene));
    scene.wait(SECOND * 3);
    assert!(rings(&mut scene));
}
