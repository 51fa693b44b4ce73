//! The first rows of a large table, which are shown before the others have come.

use tui_client::event::{Event, KeyCode, KeyPress};
use tui_client::metrics::column::Column;
use tui_client::metrics::series::summary::Summarizer;
use tui_client::metrics::sort::{Sort, TableSpec};
use tui_client::view::theme::Theme;

use super::{row, rows};
use crate::harness::scene::Scene;
use crate::harness::snapshot::{cell_of, draw};

#[test]
fn the_first_rows_of_a_slow_answer_are_shown_before_the_others() {
    let first = || {
        let mut summarizer = Summarizer::new(0);
        summarizer.add_lines(b"a 1.0 1\nb 2.0 2\nc 3.0 3\n");
        assert_eq!(summarizer.first(3), None, "more points of the last one may come");
        Box::new(summarizer.first(2).unwrap())
    };
    let state = "a 1.0 1\nb 2.0 2\nc 3.0 3\nd 4.0 4\n";
    let mut scene = Scene::live(120, 30, &[], &[]);
    let id = scene.sent[0].id;
    assert_eq!((&*scene.sent[0].line, scene.sent[0].capture.first > 30), ("get *[last]", true));
    scene.tell(Event::FirstSeries { id: id + 99, answer: first() });
    assert_eq!(rows(&scene), [], "of another request");
    scene.tell(Event::FirstSeries { id, answer: first() });
    assert_eq!(rows(&scene), [row("a", 1.0), row("b", 2.0)]);
    cell_of(&draw(&scene, &Theme::colour(), 120, 30), "the first 2 keys, asking …");
    scene.told("a 5.0 5\n");
    assert_eq!(rows(&scene)[0], row("a", 1.0), "held until the state has come");
    scene.press(KeyPress::plain(KeyCode::Down));
    scene.ok("get *[last]", state);
    cell_of(&draw(&scene, &Theme::colour(), 120, 30), "4 keys");
    assert_eq!(rows(&scene).len(), 4);
    assert_eq!(rows(&scene)[0], row("a", 5.0));
    // Rows that are shown already are not replaced by a few of them.
    scene.tell(Event::FirstSeries { id, answer: first() });
    assert_eq!(rows(&scene).len(), 4);

    let sort = Sort { column: Some(Column::Key), descending: true };
    let mut scene = Scene::live_table(120, 30, TableSpec { sort, ..TableSpec::default() });
    let id = scene.sent[0].id;
    scene.tell(Event::FirstSeries { id, answer: first() });
    assert_eq!(rows(&scene), [], "others may come before them");
}

#[test]
fn the_first_rows_pass_for_no_whole_table() {
    let partial = || {
        let mut scene = Scene::live(120, 30, &[], &[]);
        let mut summarizer = Summarizer::new(0);
        summarizer.add_lines(b"a 1.0 1\nb 2.0 2\nc 3.0 3\n");
        let answer = Box::new(summarizer.first(2).unwrap());
        scene.tell(Event::FirstSeries { id: scene.sent[0].id, answer });
        assert!(scene.app.table().is_partial() && !scene.app.table().loaded());
        scene
    };
    // Others may come before them in another order.
    let mut scene = partial();
    scene.press(KeyPress::plain(KeyCode::Tab));
    scene.press(KeyPress::char('2'));
    assert!(!scene.app.table().loaded());
    assert_eq!(rows(&scene), []);
    cell_of(&draw(&scene, &Theme::colour(), 120, 30), "asking …");
    scene.ok("get *[last]", "a 1.0 1\nb 2.0 2\nc 3.0 3\n");
    assert_eq!(rows(&scene).len(), 3);

    let mut scene = partial();
    scene.press(KeyPress::ctrl('s'));
    cell_of(&draw(&scene, &Theme::colour(), 120, 30), "not saved: the keys are still coming");

    let mut scene = partial();
    scene.tell(Event::Disconnected("gone".to_owned()));
    assert_eq!(rows(&scene), []);
    cell_of(&draw(&scene, &Theme::colour(), 120, 30), "no data yet");
}
