//! The command line.

use tui_client::event::{Event, KeyCode, KeyPress};

use super::scenes;
use super::screen::with_data;
use crate::app::input::paste::{news, paste_many};
use crate::harness::scene::Scene;

fn typed(width: u16, height: u16, text: &str) -> Scene {
    Scene::used(width, height).then(|scene| scene.type_text(text))
}

fn recall(width: u16, height: u16, text: &str) -> Scene {
    Scene::used(width, height).then(|scene| {
        scene.press(KeyPress::ctrl('r'));
        scene.type_text(text);
    })
}

scenes! {
    [line]
    prompt_wide: |w, h| with_data(w, h, &[]).then(|scene| {
        scene.type_text("put 火.температура😀 1.5 115086426");
    }),
    prompt_longer_than_the_line: |w, h| typed(w, h, &format!("get {}", "火.long😀".repeat(30))),
    unfinished: |w, h| typed(w, h, "put palm.disk"),
    ghost: |w, h| typed(w, h, "put pal"),
    ghost_time: |w, h| typed(w, h, "put palm.cpu 23.7 "),
    accepted: |w, h| typed(w, h, "put palm.cpu 23.7"),
    human_date: |w, h| typed(w, h, "put palm.cpu 23.7 1150864000"),
    mistake: |w, h| typed(w, h, "put palm.cpu 23,7 1150864247"),
    doubtful_time: |w, h| typed(w, h, "put palm.cpu 23.7 1150864247000"),
    doubtful_glob: |w, h| typed(w, h, "get palm.*"),
    completions: |w, h| typed(w, h, "get ").then(|scene| {
        scene.code(KeyCode::Tab);
        scene.code(KeyCode::Tab);
    }),
    interrupted: |w, h| typed(w, h, "put palm.cpu 23").then(|scene| {
        scene.press(KeyPress::ctrl('c'));
    }),
    [search]
    recall: |w, h| recall(w, h, "alm"),
    recall_failed: |w, h| recall(w, h, "almx"),
    [paste]
    confirm: |w, h| Scene::used(w, h).then(|scene| {
        scene.tell(Event::Paste("put a 1 1\nput b 2 2\n".repeat(1000)));
    }),
    confirm_wrong: |w, h| Scene::used(w, h).then(|scene| {
        let (good, wrong) = ("put paste.a1 1.5 1795388000\n".repeat(250), "put paste.a3 12,7 1\n");
        scene.tell(Event::Paste(format!("{good}{wrong}{good}got a\n")));
    }),
    import: |w, h| Scene::used(w, h).then(|scene| {
        let id = paste_many(scene);
        scene.tell(news(id, 30_000, None));
    }),
}
