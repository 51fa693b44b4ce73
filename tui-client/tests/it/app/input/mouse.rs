//! Clicks and the wheel.

use tui_client::event::{Event, KeyPress, MouseEvent, MouseKind};
use tui_client::keymap::Mode;
use tui_client::view::theme::Theme;

use crate::harness::scene::Scene;
use crate::harness::snapshot::draw;

/// Does something with the mouse on the first place where the screen shows `text`.
fn mouse_on(scene: &mut Scene, kind: MouseKind, text: &str) {
    let area = scene.app.layout();
    let (width, height) = (area.status.width, area.hints.y + area.hints.height);
    let screen = draw(scene, &Theme::colour(), width, height);
    let buffer = screen.buffer();
    let found = (0..height).find_map(|row| {
        (0..width).find_map(|column| {
            let rest: String = (column..width).map(|x| buffer[(x, row)].symbol()).collect();
            rest.starts_with(text).then_some((column, row))
        })
    });
    let (column, row) = found.unwrap_or_else(|| panic!("no {text:?} on\n{screen}"));
    scene.tell(Event::Mouse(MouseEvent { kind, column, row }));
}

#[test]
fn a_click_selects_what_it_hits() {
    let mut scene = Scene::with_sample(120, 40, &["palm.cpu", "eardrum.memory_used"]);
    mouse_on(&mut scene, MouseKind::Click, "火");
    assert_eq!(scene.app.mode(), Mode::Table);
    assert_eq!(scene.app.table().selected(), 2);
    mouse_on(&mut scene, MouseKind::Click, "│ palm.cpu");
    assert_eq!(scene.app.table().selected(), 0);
    mouse_on(&mut scene, MouseKind::Click, " watch ·");
    assert_eq!(scene.app.mode(), Mode::Watch);
    let watch = scene.app.layout().watch.unwrap();
    let second = MouseEvent { kind: MouseKind::Click, column: watch.x + 5, row: watch.y + 2 };
    scene.tell(Event::Mouse(second));
    assert_eq!(scene.app.watch().selected(), 1);
    mouse_on(&mut scene, MouseKind::Click, " log ");
    assert_eq!(scene.app.mode(), Mode::Log);
    mouse_on(&mut scene, MouseKind::Click, " request ");
    assert_eq!(scene.app.mode(), Mode::Prompt);
}

#[test]
fn a_click_on_a_heading_sorts_by_it_and_back() {
    for (width, height) in [(120, 40), (80, 24), (40, 20)] {
        let mut scene = Scene::with_sample(width, height, &[]);
        for (heading, sorted) in [
            ("last ", "-last"),
            ("last▼", "last"),
            ("last▲", "-last"),
            ("age", "age"),
            ("key ", "key"),
            ("key▲", "-key"),
        ] {
            // There is no room for it beside the names.
            if heading == "age" && width == 40 {
                continue;
            }
            mouse_on(&mut scene, MouseKind::Click, heading);
            assert_eq!(scene.app.table().sort().to_string(), sorted, "{heading} of {width}");
        }
        if width == 120 {
            mouse_on(&mut scene, MouseKind::Click, "trend");
            assert_eq!(scene.app.table().sort().to_string(), "-key", "a trend has no order");
            assert_eq!(scene.notice(), "not sorted: a trend has no order");
        }
    }
}

#[test]
fn a_click_in_the_chart_reads_the_point_there() {
    for keys in ["", "f"] {
        let mut scene = Scene::parked(120, 40, &["palm.cpu"], &[]).on(Mode::Watch, keys);
        let mode = scene.app.mode();
        // The labels of the axis are in the chart, but there is nothing to read.
        mouse_on(&mut scene, MouseKind::Click, "0┤");
        assert_eq!(scene.app.watch().viewport().cursor(), None);
        let (from, to) = scene.app.watch().chart_bounds().unwrap().all();
        let watch = scene.app.layout().watch.unwrap();
        let right = watch.x + watch.width - 2;
        let mut click = |column| {
            let row = watch.y + watch.height / 2;
            scene.tell(Event::Mouse(MouseEvent { kind: MouseKind::Click, column, row }));
            scene.app.watch().viewport().cursor().unwrap()
        };
        let column = (to - from) / i64::from(right - watch.x) + 1;
        assert!(to - click(right) <= column);
        // The values at the ends of lines are as wide as the labels.
        let middle = click(right / 2 + watch.x / 2);
        assert!((middle - from - (to - from) / 2).abs() <= 2 * column, "{from} {middle} {to}");
        assert_eq!(scene.app.mode(), mode);
    }
}

#[test]
fn the_wheel_scrolls_the_pane_under_it_and_keeps_the_focus() {
    let mut scene = Scene::with_sample(80, 24, &[]);
    for _ in 0..20 {
        scene.enter("get nothing");
    }
    mouse_on(&mut scene, MouseKind::WheelUp, " log ");
    assert!(!scene.app.log().follows());
    mouse_on(&mut scene, MouseKind::WheelDown, " log ");
    assert!(scene.app.log().follows());
    mouse_on(&mut scene, MouseKind::WheelDown, "palm.cpu");
    assert_eq!(scene.app.table().selected(), 2);
    assert_eq!(scene.app.mode(), Mode::Prompt);
    scene.press(KeyPress::char('?'));
    mouse_on(&mut scene, MouseKind::WheelDown, " keyboard ");
    assert_eq!(scene.help().position().0, 3);
    mouse_on(&mut scene, MouseKind::Click, " keyboard ");
    assert_eq!(scene.app.mode(), Mode::Help, "the border does nothing");
}
