//! The screen of several servers in one view: one may be away.

pub mod runs;

use std::time::Duration;

use shared::response::Status;
use tui_client::app::{AppConfig, copy_command};
use tui_client::effect::{Effect, FileJob};
use tui_client::event::{Event, FollowNews, KeyCode, KeyPress};
use tui_client::keymap::Mode;
use tui_client::metrics::series::Moved;
use tui_client::session::{ChartView, LeftOut, View};
use tui_client::sources::{SourceLabel, SourceState};

use crate::harness::scene::{NOW, Scene, config};
use crate::harness::snapshot::draw;

/// The sources of the view, `web1` and `db`.
fn labels() -> Vec<SourceLabel> {
    [("web1", "localhost:10001"), ("db", "10.0.0.7:10001")]
        .map(|(name, address)| {
            let (name, run) = (name.to_owned(), String::new());
            SourceLabel { name, run, address: address.to_owned() }
        })
        .to_vec()
}

pub fn here(micros: u64) -> SourceState {
    SourceState::Here { round_trip: Some(Duration::from_micros(micros)), shift: 0 }
}

pub fn away(reason: &str) -> SourceState {
    SourceState::Away { reason: reason.to_owned() }
}

/// A screen of both, which are there.
pub fn scene_of(width: u16, height: u16, watch: &[&str]) -> Scene {
    scene_of_view(width, height, watch, View::default(), here(1200))
}

/// A screen of both as a file says, where the second one stands like this.
fn scene_of_view(width: u16, height: u16, watch: &[&str], view: View, db: SourceState) -> Scene {
    let watch = watch.iter().map(|glob| glob.parse().unwrap()).collect();
    let address = "web1, db".to_owned();
    let config = AppConfig { address, sources: labels(), watch, view, ..config() };
    let mut scene = Scene::with(width, height, config);
    scene.has_selectors = true;
    scene.tell(Event::Sources(vec![here(300), db]));
    scene.tell(Event::Connected);
    scene.begin();
    scene
}

/// The follow breaks off, because `db` has come or gone, and is begun anew.
pub fn change(scene: &mut Scene, db: SourceState) {
    scene.tell(Event::Sources(vec![here(300), db]));
    scene.news(FollowNews::Lost("the server closed the connection".to_owned()));
    scene.wait(Duration::from_secs(1));
    scene.begin();
}

fn rows(scene: &Scene) -> Vec<(String, f64, Option<u64>)> {
    let rows = scene.app.table().visible(100);
    rows.map(|series| (series.key.to_string(), series.last.value, series.count())).collect()
}

/// Answers what is asked for of the rows: the counts of these keys are 7. Gives the requests.
fn answer_numbers(scene: &mut Scene, keys: &[&str]) -> Vec<String> {
    let mut asked = Vec::new();
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        let data: String = match &line {
            line if line.contains(":count]") => {
                keys.iter().map(|key| format!("{key} 7.0 {NOW}\n")).collect()
            }
            _ => String::new(),
        };
        scene.ok(&line, &data);
        asked.push(line);
    }
    asked
}

#[test]
fn keys_of_a_server_that_is_away_keep_their_last_values() {
    let mut scene = scene_of(120, 30, &[]);
    scene.ok("get *[last]", &format!("web1/a 1.0 {NOW}\ndb/a 2.0 {NOW}\n"));
    answer_numbers(&mut scene, &["web1/a", "db/a"]);
    let both = |first, second| {
        [("web1/a".to_owned(), first, Some(8)), ("db/a".to_owned(), second, Some(8))]
    };
    assert_eq!(rows(&scene), both(1.0, 2.0));
    change(&mut scene, away("no server there"));
    scene.ok("get *[last]", &format!("web1/a 3.0 {NOW}\n"));
    answer_numbers(&mut scene, &["web1/a"]);
    assert_eq!(rows(&scene), both(3.0, 2.0));
    // The numbers are asked for again as time goes by.
    scene.wait(Duration::from_secs(60));
    answer_numbers(&mut scene, &["web1/a"]);
    assert_eq!(rows(&scene), both(3.0, 2.0));
    assert!(scene.log().contains(&"- db: no server there; trying again until it works".to_owned()));
    change(&mut scene, here(900));
    assert_eq!(scene.notice(), "connected again to db");
    // What its answer does not have is gone.
    scene.ok("get *[last]", &format!("web1/a 3.0 {NOW}\n"));
    assert_eq!(rows(&scene).len(), 1);
}

#[test]
fn watched_keys_of_a_server_that_is_away_stay_too() {
    let mut scene = scene_of(120, 40, &["*/a"]);
    let value = |scene: &Scene, key: &str| {
        let mut keys = scene.app.watch().keys().iter();
        let watched = keys.find(|watched| watched.key == key);
        watched.and_then(|watched| Some(watched.series.as_ref()?.last.value))
    };
    let line = "get */a[last:64]";
    scene.ok(line, &format!("web1/a 1.0 {NOW}\ndb/a 2.0 {NOW}\n"));
    change(&mut scene, away("no server there"));
    scene.ok(line, &format!("web1/a 3.0 {NOW}\n"));
    assert_eq!((value(&scene, "web1/a"), value(&scene, "db/a")), (Some(3.0), Some(2.0)));
    change(&mut scene, here(900));
    scene.ok(line, &format!("web1/a 3.0 {NOW}\n"));
    assert_eq!(value(&scene, "db/a"), None);
}

/// A key that is marked in the file of a view comes later, as that of a server that is away.
#[test]
fn what_is_marked_in_a_view_is_marked_once_it_is_there() {
    let marked = vec!["db/a".to_owned(), "web1/a".to_owned()];
    let chart = ChartView { marked, ..ChartView::default() };
    let view = View { chart, ..View::default() };
    let mut scene = scene_of_view(120, 40, &["*/a"], view, away("no server there"));
    scene.ok("get */a[last:64]", &format!("web1/a 1.0 {NOW}\n"));
    scene.ok("get *[last]", &format!("web1/a 1.0 {NOW}\n"));
    let kept = |scene: &Scene| {
        let keys = scene.app.watch().keys().iter().filter(|watched| watched.kept);
        keys.map(|watched| watched.key.clone()).collect::<Vec<_>>()
    };
    assert_eq!(kept(&scene), ["web1/a"]);
    scene.keys("V");
    let effects = scene.press(KeyPress::plain(KeyCode::Enter));
    let text = effects.into_iter().find_map(|effect| match effect {
        Effect::File(FileJob::SaveView { text, .. }) => Some(text),
        _ => None,
    });
    let text = text.unwrap();
    assert!(text.contains("marked = [\"web1/a\", \"db/a\"]"), "{text}");
    change(&mut scene, here(900));
    scene.ok("get */a[last:64]", &format!("web1/a 1.0 {NOW}\ndb/a 2.0 {NOW}\n"));
    assert_eq!(kept(&scene), ["web1/a", "db/a"]);
}

#[test]
fn a_get_that_names_no_server_is_answered_with_the_names() {
    let mut scene = scene_of(160, 30, &[]);
    scene.ok("get *[last]", &format!("web1/a 1.0 {NOW}\n"));
    answer_numbers(&mut scene, &["web1/a"]);
    for (typed, said) in [
        (
            "get a[-1h:]",
            "no points for a[-1h:]: a key here begins with the name of its server: web1/ or db/",
        ),
        ("get web1/b", "no points for web1/b"),
        ("get *b", "no points for *b"),
    ] {
        scene.keys(&format!("{typed}\n"));
        scene.ok(typed, "");
        assert_eq!(scene.notice(), said);
    }
}

#[test]
fn keys_of_a_server_that_is_away_stay_where_the_view_is_polled() {
    let mut scene = scene_of(120, 30, &[]);
    scene.news(FollowNews::Ended);
    scene.ok("get *", &format!("web1/a 1.0 {NOW}\ndb/a 2.0 {NOW}\n"));
    scene.tell(Event::Sources(vec![here(300), away("no server there")]));
    scene.wait(Duration::from_secs(2));
    scene.ok("get *", &format!("web1/a 3.0 {NOW}\n"));
    let values: Vec<_> = rows(&scene).into_iter().map(|(key, value, _)| (key, value)).collect();
    assert_eq!(values, [("web1/a".to_owned(), 3.0), ("db/a".to_owned(), 2.0)]);
    // Once it is back, what a poll does not bring any more is gone.
    scene.tell(Event::Sources(vec![here(300), here(900)]));
    for _ in 0..2 {
        scene.wait(Duration::from_secs(2));
        scene.ok("get *", &format!("web1/a 3.0 {NOW}\n"));
    }
    let keys: Vec<_> = rows(&scene).into_iter().map(|(key, ..)| key).collect();
    assert_eq!(keys, ["web1/a"]);
}

#[test]
fn an_answer_from_before_a_server_came_back_says_nothing_of_its_keys() {
    let mut scene = scene_of(120, 30, &[]);
    scene.news(FollowNews::Ended);
    scene.ok("get *", &format!("web1/a 1.0 {NOW}\ndb/a 2.0 {NOW}\n"));
    scene.tell(Event::Sources(vec![here(300), away("no server there")]));
    scene.wait(Duration::from_secs(2));
    scene.tell(Event::Sources(vec![here(300), here(900)]));
    scene.ok("get *", &format!("web1/a 3.0 {NOW}\n"));
    assert_eq!(rows(&scene).len(), 2);
}

#[test]
fn the_keys_of_a_server_that_refuses_are_kept_and_the_top_line_says_why() {
    let refusing = SourceState::Refusing { reason: "damage of a".to_owned(), shift: 0 };
    let mut scene = scene_of(120, 30, &[]);
    scene.ok("get *[last]", &format!("web1/a 1.0 {NOW}\ndb/a 2.0 {NOW}\n"));
    answer_numbers(&mut scene, &["web1/a", "db/a"]);
    change(&mut scene, refusing);
    scene.ok("get *[last]", &format!("web1/a 3.0 {NOW}\n"));
    answer_numbers(&mut scene, &["web1/a"]);
    assert_eq!(rows(&scene).len(), 2);
    assert!(scene.log().contains(&"- db: damage of a; trying again until it works".to_owned()));
    let drawn = draw(&scene, &scene.theme, 120, 30).to_string();
    let top = drawn.lines().find(|line| line.contains("web1"));
    assert!(top.is_some_and(|line| line.contains("db: damage of a")), "{drawn}");
    change(&mut scene, here(900));
    scene.ok("get *[last]", &format!("web1/a 3.0 {NOW}\n"));
    assert_eq!(rows(&scene).len(), 1);
}

#[test]
fn a_mark_goes_to_each_server_that_is_there_and_those_of_any_are_drawn() {
    let mut scene = scene_of(120, 40, &["web1/a"]);
    scene.tell(Event::Sources(vec![here(300), away("no server there")]));
    scene.to(Mode::Table);
    scene.keys("mdeploy\n");
    let puts = |scene: &mut Scene| {
        let lines = scene.sent.iter().map(|request| request.line.clone());
        lines.filter(|line| line.starts_with("put")).collect::<Vec<_>>()
    };
    assert_eq!(puts(&mut scene), [format!("put web1/mark.deploy 1 {NOW}")]);
    assert!(scene.log().contains(&"- not on db, which is away".to_owned()));
    scene.ok(&format!("put web1/mark.deploy 1 {NOW}"), "");
    assert_eq!(scene.notice(), "marked deploy at 04:31:00; not on db, which is away");
    scene.tell(Event::Sources(vec![here(300), here(300)]));
    scene.keys("mdeploy\n");
    let both = ["web1", "db"].map(|name| format!("put {name}/mark.deploy 1 {NOW}"));
    assert_eq!(puts(&mut scene), both);
    scene.ok("get *[last]", "");
    scene.ok("get web1/a[last:1024]", "");
    scene.told(&format!("web1/mark.boot 1 {0}\ndb/mark.boot 1 {0}\nmark.x 1 {0}\n", NOW - 9));
    let names = scene.app.marks().within((0, NOW)).map(|mark| mark.name.clone());
    assert_eq!(names.collect::<Vec<_>>(), ["boot", "deploy"]);
    // They are asked for and followed with what is watched.
    let asked = "get {web1/mark.*,db/mark.*}[last:1000]";
    let lines = answer_numbers(&mut scene, &[]);
    assert!(lines.iter().any(|line| line == asked), "{lines:?}");
}

#[test]
fn what_is_asked_of_a_server_that_is_away_is_one_line_of_the_log_however_often() {
    let mut scene = scene_of(160, 40, &["db/a"]);
    scene.ok("get *[last]", &format!("web1/a 1.0 {NOW}\ndb/a 2.0 {NOW}\n"));
    scene.ok("get db/a[last:1024]", &format!("db/a 1.0 {}\ndb/a 2.0 {NOW}\n", NOW - 9));
    let mut refused = 0;
    for _ in 0..60 {
        while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
            if line.starts_with("get db/a[") {
                scene.answer(&line, Status::Error, "db: no server there\n");
                refused += 1;
            } else {
                scene.ok(&line, "");
            }
        }
        scene.wait(Duration::from_secs(1));
    }
    assert!(refused > 10, "the chart asks again and again: {refused}");
    let lines = scene.app.log().visible(usize::MAX);
    let times: Vec<u32> = lines
        .filter(|line| line.text.ends_with(" ← error: db: no server there"))
        .map(|line| line.times)
        .collect();
    assert_eq!(times, [refused], "{:?}", scene.log());
}

#[test]
fn nothing_is_asked_of_a_server_alone_that_is_away_until_it_is_back() {
    let mut scene = scene_of(160, 40, &["db/a"]);
    let points = format!("web1/a 1.0 {NOW}\ndb/a 2.0 {NOW}\n");
    scene.ok("get *[last]", &points);
    scene.ok("get db/a[last:1024]", &format!("db/a 1.0 {}\ndb/a 2.0 {NOW}\n", NOW - 9));
    answer_numbers(&mut scene, &["db/a"]);
    change(&mut scene, away("no server there"));
    scene.ok("get *[last]", &format!("web1/a 1.0 {NOW}\n"));
    let history = "get db/a[last:1024]";
    scene.answer(history, Status::Error, "db: no server there\n");
    let mut asked = Vec::new();
    for _ in 0..60 {
        let lines = answer_numbers(&mut scene, &[]).into_iter();
        asked.extend(lines.filter(|line| line.starts_with("get db/a[")));
        scene.wait(Duration::from_secs(1));
    }
    assert_eq!(asked, [""; 0]);
    change(&mut scene, here(900));
    scene.ok("get *[last]", &points);
    scene.ok(history, &format!("db/a 2.0 {NOW}\n"));
    let lines = answer_numbers(&mut scene, &["db/a"]);
    assert!(lines.iter().any(|line| line.starts_with("get db/a[")), "{lines:?}");
}

#[test]
fn data_that_does_not_come_is_one_line_of_the_log_however_often() {
    let mut scene = Scene::live(120, 30, &[], &[]);
    for _ in 0..4 {
        let reason = "the server closed the connection".to_owned();
        scene.tell(Event::DataLost { ids: Vec::new(), reason });
        scene.wait(Duration::from_secs(10));
    }
    let lines = scene.app.log().visible(usize::MAX);
    let lines = lines.filter(|line| line.text.starts_with("no data: "));
    assert_eq!(lines.map(|line| line.times).collect::<Vec<_>>(), [4], "{:?}", scene.log());
}

/// What was asked for to know how things stood.
fn asked_of_past(scene: &Scene) -> Vec<String> {
    let lines = scene.sent.iter().map(|sent| sent.line.clone());
    lines.filter(|line| line.starts_with("get *[last") && line.contains('@')).collect()
}

#[test]
fn what_is_not_known_of_a_server_that_is_away_is_not_called_new_and_is_asked_for_again() {
    let mut scene = scene_of(160, 30, &[]);
    scene.ok("get *[last]", &format!("web1/a 4.0 {NOW}\nweb1/b 1.0 {NOW}\ndb/a 2.0 {NOW}\n"));
    change(&mut scene, away("no server there"));
    scene.ok("get *[last]", &format!("web1/a 4.0 {NOW}\nweb1/b 1.0 {NOW}\n"));
    scene.to(Mode::Table);
    scene.keys("C-10m\n");
    let then = NOW + 1 - 600;
    let line = format!("get *[last:2@{then}]");
    scene.ok(&line, &format!("web1/a 1.0 {then}\n"));
    let moved = |scene: &Scene| {
        let rows = scene.app.table().visible(100);
        let rows = rows.map(|row| (row.key.to_string(), row.moved(NOW).map(Moved::by)));
        rows.collect::<std::collections::BTreeMap<_, _>>()
    };
    let by = |db| {
        let all = [("web1/a", Some(3.0)), ("web1/b", Some(f64::INFINITY)), ("db/a", db)];
        all.into_iter().map(|(key, by)| (key.to_owned(), by)).collect()
    };
    assert_eq!(moved(&scene), by(None));
    let text = draw(&scene, &scene.theme, 160, 30).to_string();
    assert!(text.contains("moved since 2006-06-21 04:21:01, db is away "), "{text}");
    // The order that was chosen meanwhile stays.
    scene.keys("s");
    let sort = scene.app.table().sort();
    change(&mut scene, here(900));
    assert_eq!(asked_of_past(&scene), [&*line]);
    scene.ok("get *[last]", &format!("web1/a 4.0 {NOW}\nweb1/b 1.0 {NOW}\ndb/a 2.0 {NOW}\n"));
    scene.ok(&line, &format!("web1/a 1.0 {then}\ndb/a 2.5 {then}\n"));
    assert_eq!(moved(&scene), by(Some(-0.5)));
    assert_eq!(scene.app.table().sort(), sort);
    assert!(!draw(&scene, &scene.theme, 160, 30).to_string().contains("db is away"));
    // Nothing is left to be asked for.
    change(&mut scene, away("no server there"));
    assert_eq!(asked_of_past(&scene), [""; 0]);
}

#[test]
fn a_place_in_time_says_which_server_is_away_and_is_asked_for_again() {
    let mut scene = scene_of(240, 40, &["*/a"]);
    let points = format!("web1/a 4.0 {NOW}\ndb/a 2.0 {NOW}\n");
    scene.ok("get */a[last:64]", &points);
    scene.ok("get *[last]", &points);
    change(&mut scene, away("no server there"));
    scene.ok("get */a[last:64]", &format!("web1/a 4.0 {NOW}\n"));
    scene.ok("get *[last]", &format!("web1/a 4.0 {NOW}\n"));
    scene.to(Mode::Table);
    scene.keys("@-10m\n");
    let then = NOW + 1 - 600;
    let line = format!("get *[last@{then}]");
    scene.ok(&line, &format!("web1/a 1.0 {then}\n"));
    let text = draw(&scene, &scene.theme, 240, 40).to_string();
    assert!(text.contains(" db is away · ") && text.contains("  not known, db is away"), "{text}");
    assert!(!text.contains("no points then"), "{text}");
    change(&mut scene, here(900));
    assert_eq!(asked_of_past(&scene), [&*line]);
    scene.ok(&line, &format!("web1/a 1.0 {then}\ndb/a 2.5 {then}\n"));
    let values: Vec<_> = rows(&scene).into_iter().map(|(key, value, _)| (key, value)).collect();
    assert_eq!(values, [("web1/a".to_owned(), 1.0), ("db/a".to_owned(), 2.5)]);
    let text = draw(&scene, &scene.theme, 240, 40).to_string();
    assert!(!text.contains("db is away") && !text.contains("not known"), "{text}");
    // A time at which none of its keys had a point.
    change(&mut scene, away("no server there"));
    scene.keys("@-20m\n");
    scene.ok(&format!("get *[last@{}]", NOW + 3 - 1200), "");
    let text = draw(&scene, &scene.theme, 240, 40).to_string();
    assert!(text.contains("not known of all at 2006-06-21 04:11:03: db is away."), "{text}");
}

#[test]
fn the_copied_command_and_the_saved_session_name_the_servers() {
    let mut scene = scene_of(120, 30, &[]);
    scene.ok("get *[last]", &format!("web1/a 1.0 {NOW}\ndb/a 2.0 {NOW}\n"));
    scene.to(Mode::Table);
    let command = copy_command::command(&scene.app).unwrap();
    let hosts = "tui-client --host web1=localhost:10001 --host db=10.0.0.7:10001 ";
    assert!(command.starts_with(hosts), "{command}");
    scene.press(KeyPress::ctrl('s'));
    let effects = scene.tell(Event::Disconnected("no server is there".to_owned()));
    let session = effects.into_iter().find_map(|effect| match effect {
        Effect::File(FileJob::SaveSession { session, .. }) => Some(session),
        _ => None,
    });
    assert_eq!(session.unwrap().view.sources(), labels());
}

/// What the screen knows of a server that is away is in the file, and is called no more than that.
#[test]
fn a_saved_session_has_the_newest_points_of_a_server_that_is_away() {
    let mut scene = scene_of(120, 30, &[]);
    scene.ok("get *[last]", &format!("web1/a 1.0 {NOW}\ndb/a 2.0 {NOW}\n"));
    change(&mut scene, away("no server there"));
    scene.ok("get *[last]", &format!("web1/a 3.0 {NOW}\n"));
    answer_numbers(&mut scene, &[]);
    scene.press(KeyPress::ctrl('s'));
    let (mut written, from) = (None, NOW - 1800);
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        let data = match &line {
            line if line.contains(":count]") => format!("web1/a 2.0 {from}\n"),
            line if line.starts_with("get *[") && line.ends_with(":]") => {
                format!("web1/a 1.0 {from}\nweb1/a 3.0 {NOW}\n")
            }
            _ => String::new(),
        };
        let effects = scene.answer(&line, Status::Ok, &data);
        written = written.or(effects.into_iter().find_map(|effect| match effect {
            Effect::File(FileJob::SaveSession { session, left_out, .. }) => {
                Some((session, left_out))
            }
            _ => None,
        }));
    }
    let (session, left_out) = written.expect("it is written");
    assert_eq!(left_out, LeftOut { keys: 0, points_of: 1, around_place: false });
    let points = session.recording.iter();
    let points = points
        .map(|(key, points)| (key.as_str(), points.map(|point| point.value).collect::<Vec<_>>()));
    assert_eq!(points.collect::<Vec<_>>(), [("web1/a", vec![1.0, 3.0]), ("db/a", vec![2.0])]);
    let coverage = session.recording.coverage().unwrap();
    let known = |key: &str| {
        let (is_whole, at) = (coverage.is_whole(key), session.view.saved_at);
        (is_whole, coverage.known_at(key, at), coverage.known_at(key, at - 60))
    };
    assert_eq!(known("web1/a"), (true, usize::MAX, usize::MAX));
    assert_eq!(known("db/a"), (false, usize::MAX, 0));
}

/// The top line says of each server what is true, and less of it where there is less room.
#[test]
fn the_top_line_says_how_each_server_stands() {
    let top = |width: u16, db: SourceState| {
        let mut scene = scene_of(width, 24, &[]);
        scene.tell(Event::Sources(vec![here(300), db]));
        let screen = draw(&scene, &scene.theme, width, 24).to_string();
        screen.lines().next().unwrap().trim_matches('"').trim_end().to_owned()
    };
    let refused = || away("no server there");
    for (width, state, shown) in [
        (60, here(1200), " ● web1 live 0.3ms · db live 1.2ms                     live"),
        (41, here(1200), " ● web1 live 0.3ms · db live 1.2ms  live"),
        (36, here(1200), " ● web1 · db                   live"),
        (60, refused(), " ● web1 live 0.3ms · db: no server there        1 of 2 live"),
        (40, refused(), " ● 1 of 2 · db: no server there"),
        (34, refused(), " ● 1 of 2 · db: no server there"),
        (
            60,
            SourceState::Connecting,
            " ◌ web1 live 0.3ms · db: connecting             1 of 2 live",
        ),
    ] {
        assert_eq!(top(width, state), shown, "{width}");
    }
}
