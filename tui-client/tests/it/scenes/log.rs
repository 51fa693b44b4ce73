//! The wire log.

use tui_client::event::{KeyCode, KeyPress};
use tui_client::keymap::Mode;

use super::scenes;
use super::screen::with_data;
use crate::app::log::{in_log, not_saved};
use crate::harness::scene::Scene;

fn log(width: u16, height: u16, keys: &str) -> Scene {
    in_log(width, height).then(|scene| scene.keys(keys))
}

scenes! {
    [lines]
    log: |w, h| with_data(w, h, &[]).then(|scene| {
        scene.enter("put palm.cpu 1");
        scene.to(Mode::Log);
        scene.code(KeyCode::Up);
    }),
    log_following: |w, h| log(w, h, ""),
    log_paused: |w, h| log(w, h, "").then(|scene| {
        scene.code(KeyCode::Home);
    }),
    log_enlarged: |w, h| log(w, h, "f"),
    log_shifted: |w, h| log(w, h, "l"),
    [search]
    log_search: |w, h| log(w, h, "/palm").then(|scene| {
        scene.press(KeyPress::ctrl('p'));
    }),
    log_search_empty: |w, h| log(w, h, "/cpu\n/"),
    log_found: |w, h| log(w, h, "/palm\nn"),
    log_not_found: |w, h| log(w, h, "/zebra"),
    [filter]
    log_filter: |w, h| log(w, h, "&palm\n"),
    log_filter_typed: |w, h| log(w, h, "&!palm"),
    log_filter_passes_nothing: |w, h| log(w, h, "&zebra\n"),
    log_filter_dropped: |w, h| log(w, h, "&palm\n").then(|scene| {
        scene.code(KeyCode::Esc);
    }),
    [save]
    log_save: |w, h| log(w, h, "s"),
    log_save_filtered: |w, h| log(w, h, "&palm\ns"),
    log_not_saved: |w, h| log(w, h, "").then(not_saved),
}
