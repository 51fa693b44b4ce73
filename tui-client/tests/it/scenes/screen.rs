//! The whole screen: connection, notices, help, themes.

use std::time::Duration;

use shared::response::Status;
use tui_client::event::{Event, KeyCode, KeyPress};
use tui_client::keymap::Mode;
use tui_client::view::theme::Theme;

use super::scenes;
use crate::harness::scene::{Scene, sample};

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
        scene.code(KeyCode::Esc);
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
    ascii_help: |w, h| Scene { theme: Theme { ascii: true, ..Theme::plain() }, ..help(w, h, "?") },
    ascii_help_search: |w, h| Scene { theme: Theme { ascii: true, ..Theme::plain() }, ..help(w, h, "?history") },
}
