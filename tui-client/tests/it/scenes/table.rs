//! The table of the last answer.

use std::time::Duration;

use tui_client::app::AppConfig;
use tui_client::event::{KeyCode, KeyPress};
use tui_client::keymap::{Abilities, Mode, Multiplexer};

use super::scenes;
use super::screen::with_data;
use crate::harness::scene::{NOW, Scene, config};

fn table(width: u16, height: u16, keys: &str) -> Scene {
    Scene::parked(width, height, &[], &[]).on(Mode::Table, keys)
}

fn answered(width: u16, height: u16, data: &str) -> Scene {
    let scene = Scene::connected(width, height, &[]).then(|scene| scene.ok("get *", data));
    scene.on(Mode::Table, "")
}

/// More keys than any screen has rows.
fn many(count: usize) -> String {
    (0..count).map(|n| format!("rack{:02}.node{n:04}.load {n}.5 {}\n", n / 40, NOW - 9)).collect()
}

scenes! {
    [rows]
    table: |w, h| with_data(w, h, &[]).on(Mode::Table, ""),
    table_sorted: |w, h| {
        Scene::parked(w, h, &[], &["palm.cpu > 20"]).on(Mode::Table, "2jj")
    },
    table_stale: |w, h| table(w, h, "").then(|scene| {
        scene.wait(Duration::from_secs(600));
        scene.code(KeyCode::Down);
    }),
    table_scrolled: |w, h| answered(w, h, &many(500)).then(|scene| {
        scene.code(KeyCode::PageDown);
        scene.code(KeyCode::PageDown);
    }),
    table_end: |w, h| answered(w, h, &many(500)).then(|scene| scene.keys("G")),
    table_without_focus: |w, h| answered(w, h, &many(500)).then(|scene| {
        scene.code(KeyCode::PageDown);
        scene.code(KeyCode::Esc);
    }),
    table_sorting: |w, h| answered(w, h, &many(20_000)).then(|scene| scene.keys("2")),
    table_wide_keys: |w, h| {
        let key = "火.температура😀.".repeat(5);
        answered(w, h, &format!("{key}a 1.0 {NOW}\n{key}b -1.5e300 {NOW}\nq 1e-300 99999999999\n"))
    },
    table_strange_lines: |w, h| answered(w, h, &format!("{}so\nwhat\n", many(3))),
    table_paused: |w, h| table(w, h, "P").then(|scene| {
        scene.wait(Duration::from_secs(10));
    }),
    table_unbound_key: |w, h| table(w, h, "u"),
    table_copied_in_tmux: |w, h| {
        Scene::with(w, h, AppConfig { abilities: Abilities { multiplexer: Multiplexer::Tmux, ..Abilities::default() }, ..config() }).on(Mode::Table, "Y")
    },
    [filter]
    table_filtered: |w, h| table(w, h, "/*.cpu or last > 1G and age < 1m\n"),
    table_filter_typed: |w, h| table(w, h, "/*.cpu"),
    table_filter_empty: |w, h| table(w, h, "/"),
    table_filter_unfinished: |w, h| table(w, h, "/last >"),
    table_filter_and_more: |w, h| table(w, h, "/last > 1G and ag"),
    table_filter_wrong: |w, h| table(w, h, "/last > 20x and age"),
    table_filter_refused: |w, h| table(w, h, "/last > 20x and age\n"),
    table_none_passes: |w, h| table(w, h, "/zebra*\n"),
    [columns]
    table_columns: |w, h| table(w, h, "cjjjj jj "),
    table_columns_last: |w, h| table(w, h, "cG"),
    table_all_columns: |w, h| table(w, h, "cGk ").then(|scene| {
        scene.code(KeyCode::Esc);
    }),
    [answer]
    answer_of_one_key: |w, h| Scene::used(w, h).then(|scene| {
        let older = NOW - 60;
        let points = format!("eardrum.memory_used 1.5 {older}\neardrum.memory_used 2.5 {NOW}\n");
        scene.ok("get eardrum.memory_used", &points);
    }),
    answer_of_many_keys: |w, h| Scene::used(w, h).then(|scene| {
        scene.enter("get *");
        scene.ok("get *", &(many(30) + &crate::harness::scene::sample()));
    }),
    answer_beside_watch: |w, h| Scene::with_sample(w, h, &["palm.cpu"]).then(|scene| {
        scene.enter("get palm.cpu[last]");
        scene.ok("get palm.cpu[last]", &format!("palm.cpu 23.7 {NOW}\n"));
    }),
    answer_of_no_key: |w, h| Scene::used(w, h).then(|scene| {
        scene.enter("get palm.cup");
        scene.ok("get palm.cup", "");
    }),
    answer_of_a_glob_that_is_not_known: |w, h| Scene::used(w, h).then(|scene| {
        scene.enter("get palm.t*");
        scene.ok("get palm.t*", "");
    }),
    [field]
    alert_asked_for: |w, h| table(w, h, "!9"),
    watch_asked_for: |w, h| table(w, h, "W"),
    alert_wrong: |w, h| table(w, h, "!").then(|scene| {
        scene.press(KeyPress::ctrl('u'));
        scene.keys("palm.cpu >> 5");
    }),
}
