//! The screen of runs of a program, which are laid over each other.

use tui_client::app::{AppConfig, copy_command};
use tui_client::effect::{Effect, FileJob};
use tui_client::event::{Event, KeyCode, KeyPress};
use tui_client::keymap::Mode;
use tui_client::metrics::series::Moved;
use tui_client::sources::{SourceLabel, SourceState};

use super::{answer_numbers, asked_of_past, away, here, rows};
use crate::harness::scene::{NOW, Scene, config};
use crate::harness::snapshot::draw;

/// A screen of two runs on one server, the first of which is shifted by so many seconds.
pub fn scene_of_runs(width: u16, height: u16, watch: &[&str], shift: u64) -> Scene {
    let address = "localhost:10001".to_owned();
    let run = |run: &str| SourceLabel {
        name: String::new(),
        run: run.to_owned(),
        address: address.clone(),
    };
    let sources = ["run1.", "run2."].map(run).to_vec();
    let watch = watch.iter().map(|glob| glob.parse().unwrap()).collect();
    let mut scene = Scene::with(width, height, AppConfig { sources, watch, ..config() });
    scene.has_selectors = true;
    scene.tell(Event::Sources(vec![shifted(shift), here(300)]));
    scene.tell(Event::Connected);
    scene.begin();
    scene
}

fn shifted(shift: u64) -> SourceState {
    SourceState::Here { round_trip: None, shift }
}

#[test]
fn other_shifts_make_another_past() {
    let mut scene = scene_of_runs(120, 40, &[], 100);
    scene.ok("get *[last]", &format!("run1.loss 1.0 {NOW}\nrun2.loss 2.0 {NOW}\n"));
    scene.to(Mode::Table);
    scene.keys("C-10m\n");
    let base = NOW - 600;
    scene.ok(&format!("get *[last:2@{base}]"), &format!("run1.loss 3.0 {base}\n"));
    scene.keys("@-5m\n");
    let then = NOW - 300;
    scene.ok(&format!("get *[last@{then}]"), &format!("run1.loss 3.0 {base}\n"));
    assert_eq!(asked_of_past(&scene), [""; 0]);
    scene.tell(Event::Sources(vec![shifted(50), here(300)]));
    let mut asked = asked_of_past(&scene);
    asked.sort();
    assert_eq!(asked, [format!("get *[last:2@{base}]"), format!("get *[last@{then}]")]);
}

#[test]
fn rows_of_runs_are_compared_with_those_of_the_first_run_or_of_another() {
    let mut scene = scene_of_runs(160, 40, &[], 100);
    let points = ["run1.loss 4.0", "run1.old 1.0", "run2.loss 3.0", "run2.rate 1.0"];
    scene.ok("get *[last]", &points.map(|point| format!("{point} {NOW}\n")).concat());
    scene.to(Mode::Table);
    let moved = |scene: &Scene| {
        let rows = scene.app.table().visible(100);
        rows.map(|row| (row.key.to_string(), row.moved(NOW).map(Moved::by))).collect::<Vec<_>>()
    };
    let by = |all: &[(&str, Option<f64>)]| {
        all.iter().map(|&(key, by)| (key.to_owned(), by)).collect::<Vec<_>>()
    };
    let (old, new) = (("run1.old", None), ("run2.rate", Some(f64::INFINITY)));
    let first = ("run1.loss", None);
    assert_eq!(moved(&scene), by(&[first, old, ("run2.loss", Some(-1.0)), new]));
    let text = draw(&scene, &scene.theme, 160, 40).to_string();
    for said in ["compared with run1. ", "-25.0%", " new "] {
        assert!(text.contains(said), "{said}: {text}");
    }
    // Where there is no room for the difference, it is not said to be there.
    scene.tell(Event::Resize { width: 30, height: 10 });
    let text = draw(&scene, &scene.theme, 30, 10).to_string();
    assert!(!text.contains("compared") && !text.contains("moved"), "{text}");
    scene.tell(Event::Resize { width: 160, height: 40 });
    // What is told of either run counts at once.
    scene.told(&format!("run1.loss 1.0 {}\n", NOW + 1));
    assert_eq!(moved(&scene)[2], ("run2.loss".to_owned(), Some(2.0)));
    scene.told(&format!("run2.loss 0.5 {}\n", NOW + 1));
    assert_eq!(moved(&scene)[2], ("run2.loss".to_owned(), Some(-0.5)));
    scene.told(&format!("run1.rate 0.25 {}\n", NOW + 1));
    assert_eq!(moved(&scene)[3], ("run2.rate".to_owned(), Some(0.75)));
    scene.keys("Y");
    assert!(scene.notice().starts_with("copied, plain mode has no comparison"));
    // With another run what differs most comes first.
    scene.keys("Crun2\n");
    let expected = [
        ("run1.old", Some(f64::INFINITY)),
        ("run1.loss", Some(0.5)),
        ("run1.rate", Some(-0.75)),
        ("run2.loss", None),
        ("run2.rate", None),
    ];
    assert_eq!(moved(&scene), by(&expected));
    scene.keys("V");
    let effects = scene.press(KeyPress::plain(KeyCode::Enter));
    let saved = effects.into_iter().find_map(|effect| match effect {
        Effect::File(FileJob::SaveView { text, .. }) => Some(text),
        _ => None,
    });
    assert!(saved.is_some_and(|text| text.contains("compared = \"run2.\"")));
    scene.keys("C\n");
    assert!(moved(&scene).iter().all(|(_, by)| by.is_none()), "{:?}", moved(&scene));
    let text = draw(&scene, &scene.theme, 160, 40).to_string();
    assert!(!text.contains("moved") && !text.contains("compared"), "{text}");
    // A time goes before the runs, which come back with its end.
    scene.keys("Crun1\n");
    assert_eq!(moved(&scene).iter().filter(|(_, by)| by.is_some()).count(), 2);
    scene.keys("C-10m\n");
    let base = NOW - 600;
    scene.ok(&format!("get *[last:2@{base}]"), &format!("run1.loss 3.0 {base}\n"));
    assert_eq!(moved(&scene).iter().filter(|(_, by)| by.is_some()).count(), 5);
    scene.keys("C\n");
    assert_eq!(moved(&scene).iter().filter(|(_, by)| by.is_some()).count(), 2);
}

/// A screen of three runs beside a chart of each.
fn three_runs(width: u16) -> Scene {
    let address = "localhost:10001".to_owned();
    let run = |run: &str| SourceLabel {
        name: String::new(),
        run: run.to_owned(),
        address: address.clone(),
    };
    let sources = ["run1.", "run2.", "run3."].map(run).to_vec();
    let watch = vec!["run3.training_loss".parse().unwrap()];
    let mut scene = Scene::with(width, 40, AppConfig { sources, watch, ..config() });
    scene.has_selectors = true;
    scene.tell(Event::Sources(vec![shifted(9000), shifted(4000), here(300)]));
    scene.tell(Event::Connected);
    scene.begin();
    // The first one was over after a third of the time.
    let points = |run: &str, count: i64| -> String {
        let point = |n| format!("{run}.training_loss {}.5 {}\n", 40 - n, NOW - 290 + 10 * n);
        (0..count).map(point).collect()
    };
    let all = points("run1", 10) + &points("run2", 30) + &points("run3", 30);
    let keys = "{run3.training_loss,run1.training_loss,run2.training_loss}";
    scene.ok(&format!("get {keys}[last:1024]"), &all);
    let last =
        |run: &str, n: i64| format!("{run}.training_loss {}.5 {}\n", 40 - n, NOW - 290 + 10 * n);
    scene.ok("get *[last]", &(last("run1", 9) + &last("run2", 29) + &last("run3", 29)));
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        let is_points = line.contains(".training_loss[") && !line.contains(":all:");
        let is_asked = |point: &&str| line.contains(point.split('.').next().unwrap_or_default());
        let data = all.lines().filter(is_asked).map(|point| format!("{point}\n"));
        let data: String = data.collect();
        scene.ok(&line, if is_points { &data } else { "" });
    }
    scene
}

#[test]
fn beside_a_chart_runs_are_compared_and_the_legend_names_them() {
    let scene = three_runs(120);
    let text = draw(&scene, &scene.theme, 120, 40).to_string();
    assert!(text.contains("moved %") && text.contains(" -20 "), "{text}");
    let legend = text.lines().find(|line| line.contains("■ ")).unwrap();
    for run in ["run1", "run2", "run3.training_loss"] {
        assert!(legend.contains(&format!("■ {run} ")), "{run}: {text}");
    }
}

#[test]
fn bars_of_runs_are_of_the_same_time_in_a_column() {
    let scene = three_runs(240);
    let text = draw(&scene, &scene.theme, 240, 40).to_string();
    let bars = |run: &str| {
        let list = text.lines().filter_map(|line| line.rsplit("││").next());
        let mut rows = list.filter(|line| line.contains(&format!("{run}.training_loss ")));
        let row = rows.find(|line| line.contains(" ago ")).unwrap();
        row.chars().filter(|c| "▁▂▃▄▅▆▇".contains(*c)).count()
    };
    assert!(bars("run1") > 2 && bars("run1") * 2 < bars("run2"), "{text}");
    assert_eq!(bars("run2"), bars("run3"), "{text}");
}

#[test]
fn a_chart_of_a_run_has_the_other_run_and_all_of_both() {
    let mut scene = scene_of_runs(120, 40, &["run2.loss"], 200_000);
    let lines = |from: i64, values: [f64; 3]| {
        let at = |(step, value): (i64, f64)| format!("{value:?} {}\n", from + 1000 * step);
        (0..).zip(values).map(at).map(|line| format!("KEY {line}")).collect::<String>()
    };
    let [run1, run2] = [("run1.loss", [9.0, 5.0, 1.0]), ("run2.loss", [8.0, 4.0, 2.0])];
    let data = |(key, values): (&str, [f64; 3]), from: i64| lines(from, values).replace("KEY", key);
    // The first one took longer than the second so far.
    let all = data(run1, NOW - 1500) + &data(run2, NOW - 2000);
    scene.ok("get *[last]", "");
    scene.ok("get {run2.loss,run1.loss}[last:1024]", &all);
    let keys = scene.app.watch().in_chart().map(|watched| watched.key.clone());
    assert_eq!(keys.collect::<Vec<_>>(), ["run2.loss", "run1.loss"]);
    let bounds = scene.app.watch().chart_bounds().unwrap();
    assert_eq!(scene.app.watch().viewport().range(bounds), (NOW - 2000, NOW + 500));
    // From the table, too.
    scene.told(&format!("run1.rate 1.0 {NOW}\nrun2.rate 1.0 {NOW}\n"));
    scene.to(Mode::Table);
    scene.keys("/run1.rate\n\n");
    let watched: Vec<_> = scene.app.watch().keys().iter().map(|key| key.key.clone()).collect();
    assert!(watched.contains(&"run2.rate".to_owned()), "{watched:?}");
    assert_eq!(scene.app.watch().selected_key().unwrap().key, "run1.rate");
    // Other times make other points.
    scene.tell(Event::Sources(vec![shifted(0), here(300)]));
    assert!(scene.app.watch().keys().iter().all(|key| key.series.is_none()));
}

#[test]
fn a_mark_of_a_view_of_runs_is_one_of_the_server() {
    let mut scene = scene_of_runs(120, 40, &["run2.loss"], 200_000);
    scene.to(Mode::Table);
    scene.keys("mwarm\n");
    let puts: Vec<_> = scene.sent.iter().map(|request| request.line.clone()).collect();
    let puts: Vec<_> = puts.iter().filter(|line| line.starts_with("put")).collect();
    assert_eq!(puts, [&format!("put mark.warm 1 {NOW}")]);
    scene.ok("get *[last]", &format!("run2.loss 1.0 {NOW}\n"));
    scene.ok("get {run2.loss,run1.loss}[last:1024]", &format!("run2.loss 1.0 {NOW}\n"));
    // What others put on the server is a line of the chart, and no row of the table.
    scene.told(&format!("mark.release 1.0 {0}\nrun1.mark.own 1.0 {0}\n", NOW - 9));
    let names = scene.app.marks().within((0, NOW)).map(|mark| mark.name.clone());
    assert_eq!(names.collect::<Vec<_>>(), ["own", "release"]);
    let keys: Vec<_> = rows(&scene).into_iter().map(|(key, ..)| key).collect();
    assert_eq!(keys, ["run2.loss", "run1.mark.own"]);
    let asked = "get {mark.*,run1.mark.*,run2.mark.*}[last:1000]";
    let lines = answer_numbers(&mut scene, &[]);
    assert!(lines.iter().any(|line| line == asked), "{lines:?}");
    let command = copy_command::command(&scene.app).unwrap();
    assert!(command.starts_with("tui-client --prefix run1. --prefix run2. --once"), "{command}");
}

#[test]
fn a_server_of_several_runs_is_named_once_when_it_goes() {
    let mut scene = scene_of_runs(100, 24, &[], 200_000);
    let gone = || away("no server there");
    scene.tell(Event::Sources(vec![gone(), here(300)]));
    scene.tell(Event::Sources(vec![gone(), gone()]));
    let top = |scene: &Scene| {
        let screen = draw(scene, &scene.theme, 100, 24).to_string();
        screen.lines().next().unwrap().trim_matches('"').trim_end().to_owned()
    };
    let shown = top(&scene);
    assert!(shown.starts_with(" ○ localhost:10001: no server there   "), "{shown}");
    assert!(shown.ends_with(" 0 of 1 live"), "{shown}");
    scene.tell(Event::Sources(vec![shifted(200_000), gone()]));
    assert!(top(&scene).contains("run1. +2d7h · run2.: no server there"), "{}", top(&scene));
    scene.tell(Event::Sources(vec![shifted(200_000), here(300)]));
    assert_eq!(scene.notice(), "connected again to localhost:10001");
    let lines = scene.log();
    let lines = lines.iter().filter(|line| line.contains("no server there"));
    assert_eq!(
        lines.collect::<Vec<_>>(),
        ["- localhost:10001: no server there; trying again until it works"]
    );
}

#[test]
fn a_run_without_keys_is_said_to_have_none() {
    let mut scene = scene_of_runs(100, 24, &[], 200_000);
    scene.tell(Event::Sources(vec![here(300), SourceState::NoKeys]));
    let screen = draw(&scene, &scene.theme, 100, 24).to_string();
    let top = screen.lines().next().unwrap();
    assert!(top.contains("localhost:10001  run1. · run2.: no keys yet"), "{top}");
    assert!(top.contains("  live"), "{top}");
}

#[test]
fn the_top_line_says_by_how_much_a_run_is_shifted() {
    for (width, shown) in
        [(80, " ● localhost:10001  run1. +2d7h · run2."), (40, " ● run1. +2d7h · run2.")]
    {
        let scene = scene_of_runs(width, 24, &[], 200_000);
        let screen = draw(&scene, &scene.theme, width, 24).to_string();
        let top = screen.lines().next().unwrap().trim_matches('"').trim_end();
        assert_eq!(top.strip_suffix("live").unwrap().trim_end(), shown);
    }
}
