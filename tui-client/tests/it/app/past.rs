//! What table, chart, alerts and log say of a place in time when more becomes known, and of what is
//! not known.

use std::time::Duration;

use tui_client::app::AppConfig;
use tui_client::event::{KeyCode, KeyPress};
use tui_client::keymap::Mode;
use tui_client::metrics::window::ChartWindow;
use tui_client::session::{ChartView, View};

use crate::harness::scene::{NOW, Scene, config};
use crate::harness::series_server::month;
use crate::harness::snapshot::draw;

/// Connected to a server with selectors, on which `a` and `b` have points; the table is in focus.
fn scene(alerts: &[&str]) -> Scene {
    let mut scene = Scene::live(240, 40, &["a"], alerts);
    scene.ok("get *[last]", &format!("a 4.0 {NOW}\nb 5.0 {NOW}\n"));
    scene.ok("get a[last:1024]", &format!("a 1.0 {}\na 4.0 {NOW}\n", NOW - 900));
    scene.to(Mode::Table);
    scene
}

fn screen(scene: &Scene) -> String {
    draw(scene, &scene.theme, 240, 40).to_string()
}

/// The requests for how things stood.
fn asked(scene: &Scene) -> Vec<String> {
    let lines = scene.sent.iter().map(|sent| sent.line.clone());
    lines.filter(|line| line.starts_with("get *[last@")).collect()
}

/// Answers what is asked for until nothing more is; how things stood with `state`.
fn answer(scene: &mut Scene, state: &str) {
    while let Some(line) = scene.sent.first().map(|sent| sent.line.clone()) {
        let is_state = line.starts_with("get *[last@");
        scene.ok(&line, if is_state { state } else { "" });
    }
}

/// The keys of the rows.
fn keys(scene: &Scene) -> String {
    let rows = scene.app.table().visible(100);
    rows.map(|series| series.key.to_string()).collect::<Vec<_>>().join(" ")
}

/// The first and the last time in the chart.
fn range(scene: &Scene) -> (i64, i64) {
    scene.app.watch().viewport().range(scene.app.watch().chart_bounds().unwrap())
}
