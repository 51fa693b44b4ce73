//! Alerts at a place in time: of all keys that they are on, by the numbers of then.

use tui_client::keymap::Mode;

use crate::app::sources::{away, change, scene_of};
use crate::harness::scene::{NOW, Scene};
use crate::harness::snapshot::draw;

const AT: i64 = NOW - 600;

fn screen(scene: &Scene) -> String {
    draw(scene, &scene.theme, 240, 40).to_string()
}

/// Answers what is asked for; returns the requests.
fn answer(scene: &mut Scene, data: impl Fn(&str) -> String) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(line) = scene.sent.first().map(|sent| sent.line.clone()) {
        scene.ok(&line, &data(&line));
        lines.push(line);
    }
    lines
}

/// The newest point of each of so many keys.
fn state(keys: usize, at: i64) -> String {
    (0..keys).map(|key| format!("k{key:03} 1.0 {at}\n")).collect()
}

/// As many keys, with an alert, at a place in time.
fn at_place(keys: usize, alert: &str, data: impl Fn(&str) -> String) -> (Scene, Vec<String>) {
    let mut scene = Scene::live(240, 40, &[], &[alert]);
    answer(&mut scene, |line| if line.contains("[last") { state(keys, NOW) } else { data(line) });
    scene.to(Mode::Table);
    scene.keys(&format!("@{AT}\n"));
    let of_then = format!("get *[last@{AT}]");
    let lines =
        answer(&mut scene, |line| if line == of_then { state(keys, AT) } else { data(line) });
    (scene, lines)
}

/// The change of each key was 1 but for one, which no row in sight is of.
#[test]
fn an_alert_on_changes_is_judged_for_keys_out_of_sight() {
    let recent = format!("get k*[last:2@{AT}]");
    let (scene, lines) = at_place(400, "k* change > 5", |line| {
        let before = |key: usize| if key == 390 { -9.0 } else { 0.0 };
        let keys = (0..400).filter(|_| line == recent);
        keys.map(|key| format!("k{key:03} {:?} {}\nk{key:03} 1.0 {AT}\n", before(key), AT - 1))
            .collect()
    });
    assert!(lines.contains(&recent), "{lines:?}");
    assert!(screen(&scene).contains("· 1 alert, 1 key firing then "), "{}", screen(&scene));
    assert_eq!(scene.app.alarms(), 1);
}

#[test]
fn an_alert_on_a_maximum_fires_at_a_place() {
    let of_then = format!("get k*[:{AT}:all:max]");
    let (mut scene, lines) = at_place(3, "k* max > 90", |line| match line {
        line if line == of_then => (0..2).map(|key| format!("k{key:03} 95.0 7\n")).collect(),
        // What it is now is another matter.
        line if line.ends_with(":all:max]") => state(3, 7),
        _ => String::new(),
    });
    assert!(lines.contains(&of_then), "{lines:?}");
    // Of the third key no number has come.
    let text = screen(&scene);
    assert!(text.contains("· 1 alert, 2 keys firing then, 1 not known "), "{text}");
    assert!(text.contains("!k000") && !text.contains("!k002"), "{text}");
    scene.keys("0");
    assert!(screen(&scene).contains("· 1 alert "), "{}", screen(&scene));
    // On the way to another place nothing is said that is of the one before.
    scene.keys(&format!("@{}\n", AT - 60));
    scene.ok(&format!("get *[last@{}]", AT - 60), &state(3, AT - 60));
    assert!(screen(&scene).contains("· 1 alert, … "), "{}", screen(&scene));
}

#[test]
fn a_mean_on_many_keys_leaves_the_list_its_numbers() {
    let (mut scene, _) = at_place(200, "k* avg > 90", |_| String::new());
    scene.to(Mode::Watch);
    // The list begins further down.
    scene.keys("G");
    let lines = answer(&mut scene, |line| match line {
        line if line.contains("last:16@") => {
            (0..200).map(|key| format!("k{key:03} 3.0 {}\nk{key:03} 1.0 {AT}\n", AT - 1)).collect()
        }
        _ => String::new(),
    });
    let recent = |line: &String| line.contains("k199") && line.contains(&format!("[last:16@{AT}]"));
    assert!(lines.iter().any(recent), "{lines:?}");
    let text = screen(&scene);
    let row = text.lines().find(|line| line.contains("▸k199")).unwrap();
    let list = row.rsplit("││").next().unwrap();
    assert!(list.contains("▼ -2"), "{text}");
}

#[test]
fn a_key_that_is_watched_at_a_place_has_its_numbers_at_once() {
    let mut scene = Scene::live(240, 40, &["k000"], &[]);
    answer(&mut scene, |line| if line.contains("[last") { state(90, NOW) } else { String::new() });
    scene.to(Mode::Table);
    scene.keys(&format!("@{AT}\n"));
    answer(
        &mut scene,
        |line| {
            if line.starts_with("get *[last@") { state(90, AT) } else { String::new() }
        },
    );
    scene.keys("Wk080\n");
    let lines = answer(&mut scene, |line| match line {
        "get k080[last:1024]" => format!("k080 1.0 {NOW}\n"),
        line if line.contains("last:16@") => {
            format!("k080 3.0 {}\nk080 1.0 {AT}\n", AT - 1)
        }
        _ => String::new(),
    });
    assert!(lines.contains(&format!("get k080[last:16@{AT}]")), "{lines:?}");
    let text = screen(&scene);
    let row = text.lines().find(|line| line.rsplit("││").next().unwrap().contains("k080")).unwrap();
    assert!(row.rsplit("││").next().unwrap().contains("▼ -2"), "{text}");
}

#[test]
fn of_a_server_that_is_away_it_is_not_known_what_fires() {
    let mut scene = scene_of(240, 40, &["*/a"]);
    let points = format!("web1/a 4.0 {NOW}\ndb/a 2.0 {NOW}\n");
    answer(&mut scene, |line| if line.contains("[last") { points.clone() } else { String::new() });
    scene.to(Mode::Table);
    scene.keys("!*/a > 3\n");
    answer(&mut scene, |_| String::new());
    change(&mut scene, away("no server there"));
    let of_web1 = format!("web1/a 4.0 {NOW}\n");
    answer(&mut scene, |line| if line.contains("[last") { of_web1.clone() } else { String::new() });
    for (value, said) in [
        ("1.0", "· 1 alert, not known of 1 key then "),
        ("7.0", "· 1 alert, 1 key firing then, 1 not known "),
    ] {
        scene.keys("@-10m\n");
        answer(&mut scene, |line| {
            let is_state = line.starts_with("get *[last@");
            if is_state { format!("web1/a {value} {AT}\n") } else { String::new() }
        });
        assert!(screen(&scene).contains(said), "{}", screen(&scene));
        scene.keys("0");
        scene.wait(std::time::Duration::from_secs(5));
    }
}

/// What is there is older than the window that the heading names.
#[test]
fn the_trend_of_a_watched_key_has_no_points_from_before_its_window() {
    let mut scene = Scene::live(240, 40, &["a", "b"], &[]);
    let old = NOW - 7200;
    let of = |key: &str| -> String {
        (0..40).map(|n| format!("{key} {}.0 {}\n", n % 9, old + n)).collect()
    };
    let points = format!("{}b 1.0 {}\nb 2.0 {NOW}\n", of("a"), NOW - 1);
    answer(&mut scene, |line| match line {
        "get {a,b}[last:1024]" => points.clone(),
        "get *[last]" => format!("a 3.0 {}\nb 2.0 {NOW}\n", old + 39),
        line if line.ends_with(":count]") => format!("b 2.0 {NOW}\n"),
        line if line.contains(":all:") => format!("b 1.5 {NOW}\n"),
        _ => String::new(),
    });
    scene.to(Mode::Watch);
    let text = screen(&scene);
    let row = text.lines().find(|line| line.contains("▸a ")).unwrap();
    let list = row.rsplit("││").next().unwrap();
    assert!(list.contains("no points in the last 15m"), "{text}");
    assert!(!list.contains(['▂', '▃', '▄', '▅', '▆', '▇']), "{text}");
}
