//! Numbers of the window: what leaves it, and what was never in it.

use tui_client::metrics::series::Series;

use super::{answer_queries, asked};
use crate::harness::scene::{NOW, Scene};

fn numbers(series: &Series) -> (Option<u64>, Option<f64>, Option<f64>, Option<f64>) {
    (series.count(), series.min(), series.max(), series.mean())
}

#[test]
fn a_point_that_is_put_with_an_old_date_is_not_in_the_window() {
    let mut scene = Scene::live(200, 50, &["a", "b"], &[]);
    let state = format!("a 5.0 {}\na 6.0 {NOW}\n", NOW - 9);
    answer_queries(&mut scene, |line| match line {
        _ if line.contains("last") => state.clone(),
        _ if line.contains(&format!(":{}:all:count", NOW - 5)) => format!("a 1.0 {NOW}\n"),
        _ if line.contains(":count]") => format!("a 2.0 {NOW}\n"),
        _ if line.contains(":max]") && line.contains(":all:") => format!("a 6.0 {NOW}\n"),
        _ if line.contains(":all:") => format!("a 5.0 {NOW}\n"),
        _ => state.clone(),
    });
    let shown = |scene: &Scene, key: &str| {
        let row = scene.app.table().visible(9).find(|series| series.key.as_str() == key).unwrap();
        let watched = scene.app.watch().keys().iter().find(|watched| watched.key == key).unwrap();
        [numbers(row), numbers(watched.series.as_ref().unwrap())]
    };
    let expected = (Some(2), Some(5.0), Some(6.0), Some(5.5));
    assert_eq!(shown(&scene, "a"), [expected; 2]);
    asked(&mut scene);
    scene.told("a -999.0 1150\nb 7.0 1150\n");
    assert_eq!(shown(&scene, "a"), [expected; 2]);
    assert_eq!(shown(&scene, "b")[1], (Some(0), None, None, None), "its only point is old");
    scene.told(&format!("a 9.0 {}\n", NOW + 1));
    let (count, min, max, _) = shown(&scene, "a")[0];
    assert_eq!((count, min, max), (Some(3), Some(5.0), Some(9.0)));
}
