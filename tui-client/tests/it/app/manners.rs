//! Mouse, search in the list of keys, the copied command.

use tui_client::app::AppConfig;
use tui_client::app::copy_command;
use tui_client::effect::{Effect, TerminalOrder};
use tui_client::event::{Event, KeyCode, KeyPress, MouseEvent, MouseKind};
use tui_client::keymap::HelpLine;
use tui_client::keymap::Mode;
use tui_client::view::theme::Theme;

use crate::harness::scene::{Scene, config, sample};
use crate::harness::snapshot::draw;

fn scene(width: u16, height: u16, watch: &[&str]) -> Scene {
    let mut scene = Scene::connected(width, height, watch);
    scene.ok("get *", &sample());
    for key in watch {
        scene.ok(&format!("get {key}"), &sample());
    }
    scene
}

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
    let mut scene = scene(120, 40, &["palm.cpu", "eardrum.memory_used"]);
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
fn a_click_in_the_chart_reads_the_point_there() {
    for keys in ["", "f"] {
        let mut scene = Scene::parked(120, 40, &["palm.cpu"], &[]).on(Mode::Watch, keys);
        let mode = scene.app.mode();
        // The labels of the axis are in the chart, but there is nothing to read.
        mouse_on(&mut scene, MouseKind::Click, "0┤");
        assert_eq!(scene.app.watch().viewport().cursor(), None);
        let (from, to) = scene.app.watch().chart_bounds().unwrap();
        let watch = scene.app.layout().watch.unwrap();
        let right = watch.x + watch.width - 2;
        let mut click = |column| {
            let row = watch.y + watch.height / 2;
            scene.tell(Event::Mouse(MouseEvent { kind: MouseKind::Click, column, row }));
            scene.app.watch().viewport().cursor().unwrap()
        };
        let column = (to - from) / i64::from(right - watch.x) + 1;
        assert!(to - click(right) <= column);
        let middle = click(right / 2 + watch.x / 2 + 5);
        assert!((middle - from - (to - from) / 2).abs() <= 2 * column, "{from} {middle} {to}");
        assert_eq!(scene.app.mode(), mode);
    }
}

#[test]
fn the_wheel_scrolls_the_pane_under_it_and_keeps_the_focus() {
    let mut scene = scene(80, 24, &[]);
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
    assert_eq!(scene.help().top(), 3);
    mouse_on(&mut scene, MouseKind::Click, " keyboard ");
    assert_eq!(scene.app.mode(), Mode::Prompt);
}

#[test]
fn help_can_be_searched() {
    let mut scene = scene(80, 24, &[]);
    scene.press(KeyPress::char('?'));
    scene.type_text("/UNWATCHx");
    assert!(draw(&scene, &Theme::colour(), 80, 24).to_string().contains("nothing found"));
    scene.press(KeyPress::ctrl('h'));
    for _ in 0.."unwatch".len() {
        scene.code(KeyCode::Backspace);
    }
    scene.type_text("stop watching");
    let screen = draw(&scene, &Theme::colour(), 80, 24).to_string();
    assert!(screen.contains("keyboard /stop watching_"), "{screen}");
    assert!(screen.contains("Watched keys") && screen.contains("x delete"), "{screen}");
    assert!(!screen.contains("Command line"), "{screen}");
    scene.code(KeyCode::Enter);
    assert_eq!(scene.app.mode(), Mode::Help);
    assert_eq!(scene.help().lines().len(), 2, "what was found stays");
    scene.type_text("/");
    scene.code(KeyCode::Esc);
    assert!(scene.help().lines().len() > 40);
    scene.tell(Event::Paste("x".to_owned()));
    assert_eq!(scene.app.mode(), Mode::Prompt);
    scene.code(KeyCode::F(1));
    assert_eq!(scene.app.mode(), Mode::Help);
}

#[test]
fn help_explains_mouse_marks_and_copying() {
    let mut scene = scene(80, 24, &[]);
    scene.press(KeyPress::char('?'));
    scene.keys("/");
    for (query, found) in [
        ("no-mouse", "the terminal has the mouse for itself"),
        ("stale", "no point for 5 times as long as usual"),
        ("tmux", "set -s set-clipboard on"),
        ("f6", "pause polling; again: resume"),
    ] {
        scene.type_text(query);
        let screen = draw(&scene, &Theme::colour(), 80, 24).to_string();
        assert!(screen.contains(found), "{query}: {screen}");
        query.chars().for_each(|_| drop(scene.code(KeyCode::Backspace)));
    }
}

#[test]
fn help_begins_with_the_current_pane_and_keeps_the_chart_visible() {
    let mut scene = scene(200, 60, &["palm.cpu"]);
    scene.keys("f?");
    assert_eq!(scene.help().lines()[0], HelpLine::Heading("Full-screen chart"));
    assert!(scene.app.layout().full, "the chart stays");
    scene.code(KeyCode::Esc);
    scene.keys("!");
    assert!(scene.app.layout().full, "for a line at its foot, too");
    scene.code(KeyCode::Esc);
    assert_eq!(scene.app.mode(), Mode::Chart);
}

#[test]
fn a_copy_in_tmux_names_its_setting() {
    let mut scene = Scene::with(80, 24, AppConfig { in_tmux: true, ..config() });
    scene.tell(Event::Connected);
    scene.to(Mode::Log);
    scene.keys("y");
    assert_eq!(scene.notice(), "line copied, if tmux has set-clipboard on");
    scene.keys("Y");
    assert_eq!(
        scene.notice(),
        "copied, if tmux has set-clipboard on: tui-client --once --columns=key,last,change,rate,min,max,\
         avg,count,age,trend"
    );
}

#[test]
fn the_view_is_copied_as_a_plain_command() {
    let mut scene = scene(80, 24, &["palm.cpu"]);
    let copied = |scene: &mut Scene| {
        let effects = scene.press(KeyPress::char('Y'));
        let Some(Effect::Terminal(TerminalOrder::Copy(text))) = effects.first() else {
            panic!("{effects:?}")
        };
        text.clone()
    };
    scene.to(Mode::Table);
    let columns = "--columns=key,last,change,rate,min,max,avg,count,age,trend";
    let all = format!("tui-client --once {columns}");
    assert_eq!(copied(&mut scene), all);
    assert_eq!(scene.notice(), format!("copied: {all}"));
    scene.code(KeyCode::Tab);
    assert_eq!(copied(&mut scene), "tui-client --watch=palm.cpu --format text");
    scene.code(KeyCode::Esc);
    scene.enter("get it's-$(x)");
    scene.ok("get it's-$(x)", "");
    scene.code(KeyCode::Tab);
    assert_eq!(copied(&mut scene), format!(r"tui-client --once 'it'\''s-$(x)' {columns}"));
    scene.code(KeyCode::Esc);
    scene.enter("get -v");
    scene.ok("get -v", "");
    scene.code(KeyCode::Tab);
    assert_eq!(copied(&mut scene), format!("tui-client --once --watch=-v {columns}"));
    // What the server makes of it, only the server knows.
    scene.code(KeyCode::Esc);
    scene.enter("get -v[last]");
    scene.ok("get -v[last]", "-v 1.0 1\n");
    scene.code(KeyCode::Tab);
    assert_eq!(copied(&mut scene), "tui-client -- get '-v[last]'");
}

#[test]
fn the_copied_command_says_where_the_server_is() {
    let address = "[::1]:7".to_owned();
    let mut scene = Scene::with(80, 24, AppConfig { address, ..config() });
    scene.tell(Event::Connected);
    scene.to(Mode::Table);
    assert!(copy_command::command(&scene.app).starts_with("tui-client --host ::1 --port 7 --once"));
}

#[test]
fn control_z_stops_in_every_mode() {
    let mut scene = scene(80, 24, &["palm.cpu"]);
    for _ in 0..4 {
        assert_eq!(scene.press(KeyPress::ctrl('z')), [Effect::Terminal(TerminalOrder::Suspend)]);
        scene.code(KeyCode::Tab);
    }
    scene.press(KeyPress::char('?'));
    assert_eq!(scene.press(KeyPress::ctrl('z')), [Effect::Terminal(TerminalOrder::Suspend)]);
}
