//! The watched keys and their chart.

use std::time::Duration;

use tui_client::event::Event;
use tui_client::keymap::Mode;
use tui_client::metrics::reply::ReplyBuilder;
use tui_client::view::theme::{Glyphs, Theme};

use super::scenes;
use super::screen::with_data;
use crate::harness::scene::{NOW, Scene, sample};
use crate::harness::series_server::month;

const SECOND: Duration = Duration::from_secs(1);

fn watch(width: u16, height: u16, watch: &[&str], alerts: &[&str], keys: &str) -> Scene {
    Scene::parked(width, height, watch, alerts).on(Mode::Watch, keys)
}

/// Two lines and the list of their keys.
fn drawn_with(width: u16, height: u16, glyphs: Glyphs) -> Scene {
    let scene = watch(width, height, &["palm.cpu", "eardrum.cpu"], &[], " j ");
    Scene { theme: Theme { glyphs, ..Theme::colour() }, ..scene }
}

/// An hour of a value that jumps up and down each second, with the cursor in it.
fn crowded(width: u16, height: u16, alerts: &[&str]) -> Scene {
    let value = |n: i64| if n % 2 == 0 { "20.0001" } else { "20.0005" };
    let line = |n: i64| format!("a {} {}\n", value(n), NOW - 3600 + n);
    Scene::alerted(width, height, &["a"], alerts).then(|scene| {
        scene.ok("get a", &(0..3600).map(line).collect::<String>());
        scene.to(Mode::Watch);
        scene.keys("fHHH");
    })
}

/// A month on a server with selectors, after some keys.
fn steps(width: u16, height: u16, keys: &str) -> Scene {
    let server = month();
    server.chart(width, height).then(|scene| {
        for key in keys.chars() {
            scene.keys(key.encode_utf8(&mut [0; 4]));
            server.serve(scene);
        }
    })
}

scenes! {
    [list]
    watch: |w, h| with_data(w, h, &["palm.cpu", "nothing.yet"]),
    watch_from_table: |w, h| Scene::parked(w, h, &[], &[]).on(Mode::Table, "j\n").then(Scene::answer_all),
    watch_one: |w, h| watch(w, h, &["palm.cpu"], &[], ""),
    watch_fresh: |w, h| watch(w, h, &["palm.cpu", "eardrum.cpu"], &[], "").then(|scene| {
        scene.wait(SECOND);
        scene.polled(&format!("palm.cpu 1.0 {NOW}\npalm.cpu 9.5 {}\n", NOW + 1));
    }),
    watch_alert: |w, h| {
        watch(w, h, &["*.memory_used", "*.cpu"], &["kettle.cpu < 90"], "jjjj")
    },
    watch_stale: |w, h| watch(w, h, &["oven.temp", "palm.*"], &[], ""),
    watch_marked: |w, h| watch(w, h, &["*.cpu", "*.memory_used"], &[], " jj k"),
    watch_no_points: |w, h| Scene::connected(w, h, &["palm.cpu"]).then(|scene| {
        scene.ok("get palm.cpu", "");
        scene.to(Mode::Watch);
    }),
    watch_no_match: |w, h| watch(w, h, &["zebra.*"], &[], ""),
    watch_many: |w, h| Scene::alerted(w, h, &["rack*"], &[]).then(|scene| {
        let line = |n: usize| format!("rack.node{n:03}.load {n}.5 {}\n", NOW - 9);
        scene.ok("get *", &(0..300).map(line).collect::<String>());
        scene.to(Mode::Watch);
        scene.keys(&"j".repeat(70));
    }),
    watch_wide_keys: |w, h| {
        let keys = ["火.температура😀", "火.температура😀.и.ещё.一个很长的名字", "q"];
        Scene::alerted(w, h, &keys, &[]).then(|scene| {
            let data: String = keys.iter().map(|key| format!("{key} -1.5e300 {NOW}\n")).collect();
            scene.ok("get *", &data);
            for key in keys {
                scene.ok(&format!("get {key}"), &format!("{key} 1.5 {NOW}\n"));
            }
            scene.to(Mode::Watch);
        })
    },
    [polling]
    watch_at_the_start: |w, h| Scene::parked(w, h, &["palm.cpu"], &[]),
    watch_paused: |w, h| watch(w, h, &["palm.cpu"], &[], "P").then(|scene| {
        scene.wait(10 * SECOND);
    }),
    watch_stretched: |w, h| Scene::alerted(w, h, &["palm.cpu"], &[]).then(|scene| {
        let request = scene.sent.remove(0);
        let mut builder = ReplyBuilder::new(shared::response::Status::Ok, request.capture)
            .watching(request.watched);
        builder.add_lines(sample().as_bytes());
        scene.tell(Event::Reply(Box::new(builder.finish(request.id, 5 * SECOND, 5 * SECOND))));
        scene.to(Mode::Watch);
    }),
    watch_cost: |w, h| watch(w, h, &["palm.cpu"], &[], "").then(|scene| {
        for _ in 0..5 {
            scene.answer_all();
            scene.wait(SECOND);
        }
        scene.answer_all();
    }),
    [chart]
    chart: |w, h| watch(w, h, &["palm.cpu"], &[], "f"),
    chart_cursor: |w, h| {
        watch(w, h, &["palm.cpu", "eardrum.cpu"], &["palm.cpu > 85"], "MfHHH")
    },
    chart_gap: |w, h| watch(w, h, &["eardrum.cpu"], &[], "f"),
    chart_within_gap: |w, h| {
        watch(w, h, &["eardrum.cpu"], &[], &format!("fzzz{}{}", "[".repeat(40), "]".repeat(13)))
    },
    chart_across_edge: |w, h| Scene::connected(w, h, &["a"]).then(|scene| {
        let line = |n: i64| format!("a {}.0 {}\n", 60 - n % 2 * 50, NOW - n * 60);
        scene.ok("get a", &(0..9).rev().map(line).collect::<String>());
        scene.to(Mode::Watch);
        scene.keys("fzzz");
    }),
    chart_alone: |w, h| Scene::connected(w, h, &["a"]).then(|scene| {
        scene.ok("get a", &format!("a 5.0 {}\na 7.0 {}\n", NOW - 631_152_000, NOW - 1));
        scene.wait(SECOND);
        scene.polled(&format!("a 5.0 {}\na 7.0 {}\na 8.0 {NOW}\n", NOW - 631_152_000, NOW - 1));
        scene.to(Mode::Watch);
        scene.keys("f");
    }),
    chart_several: |w, h| watch(w, h, &["*.cpu", "*.memory_used"], &["palm.cpu > 95"], "Mf"),
    chart_six: |w, h| Scene::alerted(w, h, &["palm.*"], &[]).then(|scene| {
        let keys = ["cpu", "disk", "net", "io", "mem", "load"];
        let lines = keys.iter().flat_map(|key| {
            (0..60).rev().map(move |n| format!("palm.{key} {}.5 {}\n", key.len() * 10, NOW - n))
        });
        scene.ok("get *", &lines.collect::<String>());
        scene.to(Mode::Watch);
        scene.keys("Mfhhh");
    }),
    chart_past: |w, h| watch(w, h, &["palm.cpu"], &[], "fzz["),
    chart_one_point: |w, h| Scene::connected(w, h, &["a"]).then(|scene| {
        scene.ok("get a", &format!("a 5.0 {NOW}\n"));
        scene.to(Mode::Watch);
        scene.keys("f");
    }),
    chart_field: |w, h| watch(w, h, &["palm.cpu"], &[], "f!9"),
    chart_steps: |w, h| steps(w, h, "3"),
    chart_steps_cursor: |w, h| steps(w, h, "5H"),
    [scale]
    chart_log: |w, h| watch(w, h, &["palm.errors"], &["palm.errors > 500"], "fa"),
    chart_log_not_positive: |w, h| Scene::connected(w, h, &["a"]).then(|scene| {
        let line = |n: i64| format!("a {}.0 {}\n", (n % 40 - 5) * n, NOW - 200 + n);
        let data: String = (0..200).map(line).collect();
        scene.ok("get a", &data);
        scene.to(Mode::Watch);
        scene.keys("fa");
    }),
    chart_units: |w, h| watch(w, h, &["palm.memory_used", "kettle.memory_used"], &[], "Mf"),
    chart_crowded: |w, h| crowded(w, h, &["a > 20.0003"]),
    chart_crowded_ascii: |w, h| crowded(w, h, &["a > 20.0003"]).then(|scene| {
        scene.theme = Theme { ascii: true, ..Theme::plain() };
    }),
    chart_two_axes: |w, h| watch(w, h, &["palm.memory_used", "palm.cpu"], &[], "Mf"),
    chart_octants: |w, h| drawn_with(w, h, Glyphs::Octant),
    chart_blocks: |w, h| drawn_with(w, h, Glyphs::Block),
    chart_in_ascii: |w, h| drawn_with(w, h, Glyphs::Ascii),
    chart_close_values: |w, h| Scene::connected(w, h, &["palm.heap_bytes"]).then(|scene| {
        let line = |n: i64| format!("palm.heap_bytes {} {}\n", 81_235_000_123 + n * 500, NOW - n);
        scene.ok("get palm.heap_bytes", &(0..100).rev().map(line).collect::<String>());
        scene.to(Mode::Watch);
        scene.keys("fhh");
    }),
}
