//! The whole screen: connection, notices, help, themes.

use std::time::Duration;

use shared::response::Status;
use tui_client::event::{Event, KeyCode, KeyPress};
use tui_client::keymap::Mode;
use tui_client::settings::Settings;
use tui_client::sources::SourceState;
use tui_client::view::theme::{Theme, colour::Depth};

use super::scenes;
use crate::app::sources::runs::scene_of_runs;
use crate::app::sources::{away, here, scene_of};
use crate::harness::scene::{NOW, Scene, sample};

/// A mistake was made, and another poll went by.
pub fn with_data(width: u16, height: u16, watch: &[&str]) -> Scene {
    Scene::connected(width, height, watch).then(|scene| {
        scene.ok("get *", &sample());
        scene.enter("got *");
        scene.answer("got *", Status::Error, "wrong command\n");
        scene.wait(Duration::from_secs(1));
        scene.polled(&sample());
    })
}

fn gone(scene: &mut Scene) {
    scene.tell(Event::Disconnected("the server closed the connection".to_owned()));
}

/// Two servers in one view, the second of which stands so.
fn several(width: u16, height: u16, db: SourceState) -> Scene {
    scene_of(width, height, &[]).then(|scene| {
        let old = NOW - 70;
        scene.ok("get *[last]", &format!("web1/palm.cpu 23.7 {NOW}\ndb/palm.cpu 41.25 {old}\n"));
        scene.tell(Event::Sources(vec![here(300), db]));
    })
}

/// A theme of the palette of 256, with few colours, each for one role.
fn of_file() -> Theme {
    let text = "base = 'dark'\nbackground = 17\nselected = 18\ntext = 250\nquiet = 245\n\
                border = 60\nfocus = 'bright-cyan'\nkey = 153\nvalue = 231\nrising = 114\n\
                falling = 211\ngrid = 61\nalert = 203\nchart = [27, 45]\ntrend = ['blue', 'red']\n\
                line.1 = 39\n";
    let settings = Settings::parse("scene.toml", text).unwrap();
    Theme::of_file(&settings, Depth::Palette).unwrap()
}

fn help(width: u16, height: u16, keys: &str) -> Scene {
    Scene::connected(width, height, &[]).then(|scene| scene.keys(keys))
}

/// Most of what has a style of its own.
fn colourful(width: u16, height: u16, theme: Theme) -> Scene {
    let watch = ["palm.cpu", "eardrum.cpu", "oven.temp"];
    let scene = Scene::parked(width, height, &watch, &["palm.cpu > 20", "eardrum.cpu > 95"]);
    Scene { theme, ..scene.on(Mode::Watch, "M") }
}

scenes! {
    [connection]
    connecting: |w, h| Scene::new(w, h, &[]),
    asking: |w, h| Scene::connected(w, h, &[]),
    nothing_stored: |w, h| Scene::connected(w, h, &[]).then(|scene| scene.ok("get *", "")),
    newcomer: |w, h| Scene::connected(w, h, &[]).then(|scene| scene.ok("get *", &sample())),
    refused: |w, h| with_data(w, h, &[]),
    stored: |w, h| Scene::used(w, h).then(|scene| {
        scene.ok("put palm.cpu 23.7 1150864260", "");
    }),
    slow_reply: |w, h| Scene::used(w, h).then(|scene| {
        scene.wait(Duration::from_secs(5));
    }),
    no_server: |w, h| Scene::new(w, h, &[]).then(|scene| {
        scene.tell(Event::Disconnected("no server there".to_owned()));
    }),
    away: |w, h| Scene::connected(w, h, &[]).then(|scene| {
        gone(scene);
        scene.enter("get palm.cpu");
    }),
    away_table: |w, h| with_data(w, h, &[]).on(Mode::Table, "").then(gone),
    away_watch: |w, h| Scene::parked(w, h, &["*.cpu"], &[]).on(Mode::Watch, "j").then(|scene| {
        gone(scene);
        scene.wait(Duration::from_secs(70));
    }),
    [sources]
    sources: |w, h| several(w, h, here(1200)),
    sources_one_away: |w, h| several(w, h, away("no server there")),
    sources_of_runs: |w, h| scene_of_runs(w, h, &[], 200_000),
    sources_connecting: |w, h| several(w, h, SourceState::Connecting),
    [help]
    help: |w, h| help(w, h, "?"),
    help_scrolled: |w, h| help(w, h, "?").then(|scene| drop(scene.code(KeyCode::End))),
    help_search: |w, h| help(w, h, "?watch"),
    help_chosen: |w, h| Scene::parked(w, h, &["palm.cpu"], &[]).on(Mode::Watch, "?sort").then(|scene| {
        scene.code(KeyCode::Down);
    }),
    help_impossible: |w, h| help(w, h, "?zoom"),
    help_not_found: |w, h| help(w, h, "?xyzzy"),
    help_over_watch: |w, h| Scene::parked(w, h, &["palm.cpu"], &[]).on(Mode::Watch, "").then(|scene| {
        scene.press(KeyPress::char('?'));
    }),
    help_over_chart: |w, h| Scene::parked(w, h, &["palm.cpu"], &[]).on(Mode::Watch, "f?"),
    help_over_table: |w, h| Scene::parked(w, h, &[], &[]).on(Mode::Table, "?"),
    help_of_marks: |w, h| help(w, h, "?stale"),
    [theme]
    light: |w, h| colourful(w, h, Theme::light()),
    plain: |w, h| colourful(w, h, Theme::plain()),
    ascii: |w, h| colourful(w, h, Theme { ascii: true, ..Theme::colour() }),
    from_a_file: |w, h| colourful(w, h, of_file()),
    ascii_help: |w, h| Scene { theme: Theme { ascii: true, ..Theme::plain() }, ..help(w, h, "?") },
    ascii_help_search: |w, h| Scene { theme: Theme { ascii: true, ..Theme::plain() }, ..help(w, h, "?sort") },
}
