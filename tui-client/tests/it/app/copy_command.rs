//! The command that is copied from the table or the chart, without a shell that runs it.

use tui_client::app::AppConfig;
use tui_client::app::copy_command;
use tui_client::effect::{Effect, TerminalOrder};
use tui_client::event::{Event, KeyCode, KeyPress};
use tui_client::keymap::{Abilities, Mode, Multiplexer, Shell};

use crate::harness::scene::{NOW, Scene, config};

#[test]
fn a_copy_in_screen_names_what_it_takes() {
    let abilities = Abilities { multiplexer: Multiplexer::Screen, ..Abilities::default() };
    let mut scene = Scene::with(80, 24, AppConfig { abilities, ..config() });
    scene.tell(Event::Connected);
    scene.to(Mode::Log);
    scene.keys("y");
    assert_eq!(scene.notice(), "line copied, if the terminal around screen takes OSC 52");
}

#[test]
fn a_copy_in_tmux_names_its_setting() {
    let abilities = Abilities { multiplexer: Multiplexer::Tmux, ..Abilities::default() };
    let mut scene = Scene::with(80, 24, AppConfig { abilities, ..config() });
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
fn the_window_of_the_numbers_is_copied() {
    let mut scene = Scene::live(120, 30, &[], &[]);
    scene.ok("get *[last]", "a 1.0 1\n");
    scene.to(Mode::Table);
    // The trend of plain mode is that of the last values.
    let columns = "--columns=key,last,change,rate,min,max,avg,count,age";
    for (keys, window) in [("", "--window=15m"), ("t", "--window=1h"), ("tt", "")] {
        scene.keys(keys);
        let command = copy_command::command(&scene.app).unwrap();
        assert_eq!(command, format!("tui-client --once {columns} {window}").trim_end());
    }
}

#[test]
fn the_view_is_copied_as_a_plain_command() {
    let mut scene = Scene::with_sample(80, 24, &["palm.cpu"]);
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
    let watch = "tui-client --watch=palm.cpu --format text";
    assert_eq!(copied(&mut scene), watch);
    assert_eq!(scene.notice(), format!("copied, prints each new point: {watch}"));
    scene.code(KeyCode::Esc);
    scene.to(Mode::Table);
    scene.keys("/it's-$x\n");
    let filter = r"--filter='it'\''s-$x'";
    assert_eq!(copied(&mut scene), format!("tui-client --once {filter} {columns}"));
}

#[test]
fn what_plain_mode_does_not_have_of_a_comparison_is_said() {
    let mut scene = Scene::live(200, 30, &[], &[]);
    scene.ok("get *[last]", &format!("a 1.0 {NOW}\n"));
    scene.to(Mode::Table);
    scene.keys("Y");
    assert!(scene.notice().starts_with("copied: tui-client --once"), "{}", scene.notice());
    scene.keys("C-10m\n");
    scene.ok(&format!("get *[last:2@{}]", NOW - 600), &format!("a 2.0 {}\n", NOW - 600));
    scene.keys("Y");
    let said = "copied, plain mode has no comparison: tui-client --once";
    assert!(scene.notice().starts_with(said), "{}", scene.notice());
    for filter in ["moved > 50", "stopped or last > 1"] {
        scene.keys(&format!("/{filter}\nY"));
        let said =
            "copied, plain mode has no comparison or filter by how rows have moved: tui-client";
        assert!(scene.notice().starts_with(said), "{}", scene.notice());
        assert!(!scene.notice().contains("--filter"), "{}", scene.notice());
    }
}

#[test]
fn the_copied_command_says_where_the_server_is() {
    let address = "[::1]:7".to_owned();
    let mut scene = Scene::with(80, 24, AppConfig { address, ..config() });
    scene.tell(Event::Connected);
    scene.to(Mode::Table);
    assert!(
        copy_command::command(&scene.app)
            .unwrap()
            .starts_with("tui-client --host ::1 --port 7 --once")
    );
}

#[test]
fn the_copied_command_has_the_options_of_tls() {
    let tls = ["--tls", "--ca", "my ca.pem"].map(str::to_owned).to_vec();
    let mut scene = Scene::with(80, 24, AppConfig { tls, ..config() });
    scene.tell(Event::Connected);
    scene.to(Mode::Table);
    let command = copy_command::command(&scene.app).unwrap();
    assert!(command.contains(" --tls --ca 'my ca.pem' --once"), "{command}");
}

/// A client on a system whose shells are cmd and PowerShell.
fn on_windows() -> Scene {
    let abilities = Abilities { shell: Shell::Windows, ..Abilities::default() };
    let watch = ["palm.cpu", "other"].map(|key| key.parse().unwrap()).to_vec();
    let mut scene = Scene::with(120, 30, AppConfig { abilities, watch, ..config() });
    scene.tell(Event::Connected);
    scene
}

#[test]
fn a_command_for_windows_has_double_quotes() {
    let mut scene = on_windows();
    scene.to(Mode::Table);
    scene.keys("/it's*\n");
    assert_eq!(
        copy_command::command(&scene.app).unwrap(),
        "tui-client --once --filter=\"it's*\" --columns=\"key,last,change,rate,min,max,avg,count,age,trend\""
    );
}

#[test]
fn what_has_no_command_on_windows_is_said() {
    let mut scene = on_windows();
    scene.to(Mode::Table);
    scene.keys("/$x\n");
    assert_eq!(scene.press(KeyPress::char('Y')), []);
    let why = "not copied: cmd and PowerShell can't both quote the characters \" $ ` % \\";
    assert_eq!(scene.notice(), why);
}

#[test]
fn a_chart_on_windows_has_a_command_for_one_key_and_all_its_points() {
    let only_all = Err("cmd and PowerShell print only one key with all its points");
    for (keys, expected) in [
        ("f", Ok("tui-client get palm.cpu".to_owned())),
        ("fz", only_all.clone()),
        ("fM", only_all),
    ] {
        let mut scene = on_windows();
        scene.ok("get palm.cpu", "palm.cpu 1.0 1\npalm.cpu 2.0 100\n");
        scene.ok("get other", "other 1.0 1\nother 2.0 100\n");
        scene.to(Mode::Watch);
        scene.keys(keys);
        assert_eq!(
            (copy_command::command(&scene.app), scene.app.mode()),
            (expected, Mode::Chart),
            "{keys}"
        );
    }
}
