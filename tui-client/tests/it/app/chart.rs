//! The chart: cursor, read-outs, time span.

use std::time::Duration;

use tui_client::event::{Event, KeyCode, KeyPress, MouseEvent, MouseKind};
use tui_client::keymap::Mode;
use tui_client::view::PlotCache;
use tui_client::view::theme::{Glyphs, Theme};

use crate::harness::scene::{NOW, Scene};
use crate::harness::series_server::month;
use crate::harness::snapshot::{draw, draw_after, find};

#[test]
fn escape_drops_the_cursor_before_it_leaves_the_chart() {
    let mut scene = Scene::parked(120, 40, &["palm.cpu"], &[]).on(Mode::Watch, "fh");
    scene.code(KeyCode::Esc);
    assert_eq!(scene.app.mode(), Mode::Chart, "first the cursor goes");
    scene.code(KeyCode::Esc);
    assert_eq!(scene.app.mode(), Mode::Watch);
}

/// An hour of points a second apart, one of them a spike, in the chart all over the screen.
fn spiked(width: u16, height: u16) -> Scene {
    let value = |n: i64| if n == 1803 { 100_000.5 } else { 5.0 };
    let line = |n: i64| format!("a {:?} {}\n", value(n), NOW - 3600 + n);
    Scene::connected(width, height, &["a"]).then(|scene| {
        scene.ok("get a", &(0..3600).map(line).collect::<String>());
        scene.to(Mode::Watch);
        scene.keys("f5");
    })
}

#[test]
fn the_chart_cursor_reaches_every_spike() {
    for (width, height) in [(80, 24), (120, 30)] {
        let mut scene = spiked(width, height);
        let shows = |scene: &Scene, text: &str| {
            find(&draw(scene, &Theme::colour(), width, height), text).is_some()
        };
        let mut steps = 0..200;
        while steps.next().is_some() && !shows(&scene, " here, 5 to 100000.5") {
            scene.keys("h");
        }
        assert!(!steps.is_empty(), "one sees that it is there");
        assert!(shows(&scene, " a 5 "), "but not at the cursor");
        // Zoomed in, each point has a column of its own.
        scene.keys("zzzzzzz");
        scene.keys(&"h".repeat(60));
        steps = 0..200;
        while steps.next().is_some() && !shows(&scene, " a 100000.5") {
            scene.keys("l");
        }
        assert!(!steps.is_empty(), "and can read it");
    }
}

#[test]
fn a_low_chart_has_its_readout_on_the_bottom_line() {
    let mut scene = Scene::connected(40, 10, &["a"]).then(|scene| {
        scene.ok("get a", &format!("a 1 {}\na 20.0001 {NOW}\n", NOW - 60));
        scene.to(Mode::Watch);
    });
    scene.keys("h");
    assert!(scene.notice().ends_with("  20.0001"), "{}", scene.notice());
    scene.keys("h");
    assert!(scene.notice().ends_with("  1"), "{}", scene.notice());
    let mut tall = Scene::connected(40, 24, &["a"]).then(|scene| {
        scene.ok("get a", &format!("a 1 {NOW}\n"));
        scene.to(Mode::Watch);
    });
    tall.keys("h");
    assert_eq!(tall.notice(), "", "it has a legend");
}

#[test]
fn a_click_hits_its_column_whatever_the_label_width() {
    for base in [0, 81_235_000_000, 1 << 52] {
        let line = |n: i64| format!("a {} {}\n", base + n, NOW - 200 + n);
        let mut scene = Scene::connected(120, 30, &["a"]).then(|scene| {
            scene.ok("get a", &(0..200).map(line).collect::<String>());
            scene.to(Mode::Watch);
            scene.keys("f");
        });
        scene.tell(Event::Mouse(MouseEvent { kind: MouseKind::Click, column: 70, row: 12 }));
        let screen = draw(&scene, &Theme::colour(), 120, 30);
        let mark = |row: u16| screen.buffer().cell((70, row)).is_some_and(|c| c.symbol() == "●");
        assert!((2..29).any(mark), "{screen}");
    }
}

#[test]
fn the_chart_names_its_time_span_and_refuses_impossible_moves() {
    let mut scene = spiked(120, 30);
    let mut look = |keys: &str| {
        scene.keys(keys);
        let screen = draw(&scene, &Theme::colour(), 120, 30).to_string();
        (screen.lines().nth(2).unwrap().to_owned(), scene.notice().to_owned())
    };
    for (keys, window, notice) in [
        ("", " 59m59s ", ""),
        ("Z", " 59m59s ", "all of it is shown"),
        ("[", " 59m59s ", "all of it is shown"),
        ("z", " last 30m of 59m59s ", ""),
        ("]", " last 30m of 59m59s ", "there is nothing later"),
        ("[", " 2006-06-21 03:53:29 to 04:23:29 ", ""),
        ("[[[[[[", " 2006-06-21 03:31:00 to 04:01:00 ", "there is nothing earlier"),
        ("0", " last 15m of 59m59s ", ""),
        ("1", " last 1m of 59m59s ", ""),
        ("2", " 59m59s ", ""),
        ("zzzzzzzzzzz", " last 4s of 59m59s ", "no closer: a second has a place of its own"),
    ] {
        let (line, said) = look(keys);
        assert!(line.contains(window), "{keys}: {line}");
        assert_eq!(said, notice, "{keys}");
    }
}

#[test]
fn zooming_out_leads_from_a_place_beyond_all_points_to_them() {
    let old = NOW - 5 * 365 * 86_400;
    let mut scene = Scene::connected(120, 30, &["a"]);
    scene.ok("get a", &(0..100).map(|n| format!("a {n} {}\n", old + n)).collect::<String>());
    scene.to(Mode::Watch);
    scene.keys("@-1m\n");
    let shown = |scene: &Scene| {
        let bounds = scene.app.watch().chart_bounds().unwrap();
        scene.app.watch().viewport().range(bounds)
    };
    assert!(old + 99 < shown(&scene).0, "{:?}", shown(&scene));
    scene.keys("Z");
    assert_eq!(shown(&scene), (old, NOW - 60), "with all there is");
    assert_eq!(scene.notice(), "");
    scene.keys("Z");
    assert_eq!((shown(&scene), scene.notice()), ((old, NOW - 60), "all of it is shown"));
}

#[test]
fn a_cached_chart_is_drawn_only_while_unchanged() {
    let mut scene = Scene::connected(80, 24, &["a.b", "c.d"]);
    let mut plots = PlotCache::default();
    let mut looks = Vec::new();
    let mut look = |scene: &Scene| {
        let drawn = draw_after(scene, &Theme::colour(), &mut plots, 80, 24);
        assert_eq!(drawn.buffer(), draw(scene, &Theme::colour(), 80, 24).buffer());
        looks.push(drawn.to_string());
    };
    scene.ok("get *", "");
    scene.ok("get a.b", "a.b 1 1\na.b 2 2\na.b 3 3\n");
    scene.ok("get c.d", "c.d 7 1\nc.d 7 2\nc.d 1 3\n");
    look(&scene);
    scene.wait(Duration::from_secs(1));
    scene.polled("a.b 1 1\na.b 9 2\na.b 3 3\nc.d 7 1\nc.d 7 2\nc.d 1 3\n");
    look(&scene);
    for key in ['j', 'M', 'y', 'y', 'h', 'z', 'k', 'x'] {
        scene.press(KeyPress::char(key));
        look(&scene);
    }
    looks.dedup();
    assert!(looks.len() > 6, "they differ");
}

/// Six keys with long names and a point every step of seconds, in one chart.
fn six(width: u16, step: i64) -> Scene {
    Scene::connected(width, 24, &["palm.*"]).then(|scene| {
        let keys = ["cpu_user", "disk_free", "net_sent", "io_wait", "mem_used", "load_avg"];
        let line = |key: &str, n: i64| format!("palm.{key} {}.5 {}\n", 100 + n, NOW - n * step);
        let lines = |key: &&str| (0..60).rev().map(|n| line(key, n)).collect::<String>();
        scene.ok("get *", &keys.iter().map(lines).collect::<String>());
        scene.to(Mode::Watch);
        scene.keys("Mf");
    })
}

#[test]
fn a_line_that_ends_before_the_others_has_its_value_where_it_ends() {
    let mut scene = Scene::connected(120, 24, &["p.*"]);
    let point = |key: &str, value: i64, n: i64| format!("{key} {value}.5 {}\n", NOW - 300 + 10 * n);
    let short: String = (0..10).map(|n| point("p.a", 40 + n, n)).collect();
    let long: String = (0..30).map(|n| point("p.b", 60 + n, n)).collect();
    scene.ok("get *", &(short + &long));
    scene.to(Mode::Watch);
    scene.keys("Mf");
    let text = draw(&scene, &Theme::colour(), 120, 24).to_string();
    let places = |value: &str| {
        let lines = text.lines().filter(|line| !line.contains("■ ") && !line.contains(" ago"));
        let places = lines.filter_map(|line| Some(line[..line.find(value)?].chars().count()));
        places.collect::<Vec<_>>()
    };
    let (early, late) = (places(" 49.5"), places(" 89.5"));
    assert_eq!((early.len(), late.len()), (1, 1), "{text}");
    assert!((35..60).contains(&early[0]) && late[0] > 100, "{early:?} {late:?} {text}");
}

/// The legend of the chart, below the list of keys.
fn legend(scene: &Scene, width: u16) -> String {
    let screen = draw(scene, &Theme::colour(), width, 24).to_string();
    screen.lines().find(|line| line.contains("■ ")).expect("a legend").to_owned()
}

#[test]
fn the_legend_says_the_window_before_the_values_of_the_last_keys() {
    let mut scene = six(80, 2);
    let narrow = legend(&scene, 80);
    assert!(
        narrow.contains(" cpu_user 100.5 ■ disk_free 100.5 ■ net_sent 100.5 +3 more "),
        "{narrow}"
    );
    assert!(narrow.contains(" all 1m58s "), "{narrow}");
    scene.keys("z");
    assert!(legend(&scene, 80).contains(" last 1m "), "{}", legend(&scene, 80));
    scene.keys("[");
    assert!(legend(&scene, 80).contains(" 1m of the past "), "{}", legend(&scene, 80));
    let wide = legend(&six(160, 2), 160);
    assert!(wide.contains(" palm.load_avg 100.5 ") && wide.contains(" all 1m58s "), "{wide}");
}

#[test]
fn the_cursor_has_its_date_in_a_window_longer_than_a_day() {
    const DAY: i64 = 86_400;
    for (step, date, clock) in
        [(1, "", "04:30:5"), (DAY / 2, "2006-06-", ":31 "), (20 * DAY, "2006-0", "")]
    {
        for width in [40, 80] {
            let mut scene = six(width, step);
            scene.keys("hh");
            let legend = legend(&scene, width);
            let shown = &legend[..legend.find('■').unwrap_or(legend.len())];
            assert!(shown.contains(date), "{step}: {legend}");
            assert!(width < 80 || shown.contains(clock), "{step}: {legend}");
            assert!(width < 80 || legend.contains(" more "), "{step}: {legend}");
        }
    }
}

#[test]
fn with_a_cursor_the_keys_go_before_the_length_of_a_bucket() {
    let (server, keys) = (month(), ["rack.a", "rack.b", "rack.c", "rack.d"]);
    let serve = |scene: &mut Scene| {
        while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
            let clause = line.find('[').map_or("", |at| &line[at..]);
            let data = server.answer(&format!("get a{clause}"));
            let asked = keys.iter().filter(|key| line.contains(**key));
            let data: String = asked.map(|key| data.replace("a ", &format!("{key} "))).collect();
            scene.ok(&line, &data);
        }
    };
    let mut scene = Scene::live(80, 24, &keys, &[]);
    serve(&mut scene);
    scene.to(Mode::Watch);
    for key in ["M", "f", "5", "H"] {
        scene.keys(key);
        serve(&mut scene);
    }
    let narrow = legend(&scene, 80);
    let all = " 2006-06-16 00:49 ■ a 20 to 80 ■ b 20 to 80 ■ c 20 to 80 ■ d 20 to 80 ";
    assert!(narrow.contains(all), "{narrow}");
}

#[test]
fn a_chart_without_the_list_of_keys_has_no_remark_about_its_numbers() {
    let mut scene = month().chart(200, 24);
    let frame = |scene: &Scene| {
        draw(scene, &Theme::colour(), 200, 24).to_string().lines().nth(1).unwrap().to_owned()
    };
    assert!(!frame(&scene).contains(" of the last 15m"), "{}", frame(&scene));
    scene.keys("f");
    let list = draw(&scene, &Theme::colour(), 200, 24);
    assert!(find(&list, " of the last 15m").is_some(), "{list}");
}

#[test]
fn lines_are_told_apart_without_colours_and_keys_without_a_line_are_marked_so() {
    let mut scene = Scene::connected(120, 50, &["palm.*"]);
    let line = |key: usize, n: i64| format!("palm.k{key} {}.0 {}\n", 10 * key, NOW - n);
    let lines = (0..8).flat_map(|key| (0..60).rev().map(move |n| line(key, n)));
    scene.ok("get *", &lines.collect::<String>());
    scene.to(Mode::Watch);
    scene.keys("M");
    let plain = draw(&scene, &Theme::plain(), 120, 50).to_string();
    let listed: Vec<_> = plain.lines().filter(|line| line.contains("s ago")).collect();
    for (key, mark) in ["A", "B", "C", "D", "E", "F", "□", "□"].into_iter().enumerate() {
        // The letter is none of the key, and the selection is seen beside it.
        let selected = if key == 0 { "▸" } else { " " };
        let at = listed[key].find(&format!("{selected}{mark} palm.k{key} "));
        assert!(at.is_some(), "{key}: {}", listed[key]);
    }
    assert!(plain.contains("│ A k0 0 B k1 10 "), "{plain}");
    for (letter, value) in [("A", "0"), ("D", "30"), ("E", "40")] {
        let row = plain.lines().find(|line| line.contains(&format!(" {value}┤"))).unwrap();
        let plot = row.split_once('┤').unwrap().1;
        assert!(plot.matches(letter).count() > 2, "{letter}: {plain}");
        let end = plot.trim_end_matches(['│', '"', ' ']);
        assert!(end.ends_with(&format!("{letter} {value}")), "at the end: {row}");
    }
    let coloured = draw(&scene, &Theme::colour(), 120, 50).to_string();
    assert!(coloured.contains("■palm.k5 ") && coloured.contains("□palm.k6 "), "{coloured}");
    scene.keys("M");
    let alone = draw(&scene, &Theme::plain(), 120, 50).to_string();
    assert!(alone.contains(" ■ palm.k0 0 "), "no letter where there is one line: {alone}");
}

#[test]
fn ascii_tells_a_mark_the_cursor_and_steep_data_apart() {
    let mut scene = Scene::live(80, 24, &["a"], &[]);
    let value = |n: i64| if n % 10 == 0 { 100 } else { 0 };
    let points: String =
        (0..60).map(|n| format!("a {}.0 {}\n", value(n), NOW - 900 + 15 * n)).collect();
    scene.ok("get a[last:1024]", &points);
    scene.told(&format!("mark.x 1.0 {}\n", NOW - 200));
    scene.to(Mode::Watch);
    scene.keys("f@-490s\n");
    let theme = Theme { ascii: true, glyphs: Glyphs::Ascii, ..Theme::plain() };
    let drawn = draw(&scene, &theme, 80, 24).to_string();
    let column = |c: char| {
        let rows = drawn.lines().skip(3).take(15);
        let mut counts = [0; 90];
        for row in rows {
            row.chars().enumerate().filter(|&(_, it)| it == c).for_each(|(at, _)| counts[at] += 1);
        }
        counts.into_iter().max().unwrap_or_default()
    };
    assert!([':', '!', '|'].into_iter().all(|c| column(c) >= 10), "{drawn}");
}

#[test]
fn a_legend_tells_the_lines_of_a_small_chart_apart() {
    let mut scene = Scene::with_sample(40, 10, &["palm.cpu", "eardrum.memory_used"]);
    scene.to(Mode::Watch);
    let alone = draw(&scene, &Theme::colour(), 40, 10).to_string();
    scene.keys("M");
    for theme in [Theme::colour(), Theme::plain()] {
        let drawn = draw(&scene, &theme, 40, 10).to_string();
        let marks = if theme.plot.fg.is_some() { ["■ ", "■ "] } else { ["A ", "B "] };
        let legend = drawn.lines().nth(3).unwrap();
        assert!(marks.iter().all(|mark| legend.contains(mark)), "{drawn}");
        assert!(legend.contains("palm.cpu") && legend.contains("eardrum"), "{drawn}");
    }
    assert!(!alone.lines().nth(3).unwrap().contains('■'), "one line needs none: {alone}");
}

#[test]
fn a_letter_belongs_to_a_key_as_long_as_it_is_drawn() {
    let mut scene = Scene::connected(120, 50, &["a", "b", "c"]);
    for (key, value) in [("a", 10), ("b", 20), ("c", 30)] {
        let points: String = (0..9).map(|n| format!("{key} {value} {}\n", NOW - 9 + n)).collect();
        scene.ok(&format!("get {key}"), &points);
    }
    scene.to(Mode::Watch);
    scene.code(KeyCode::Home);
    scene.keys("M");
    let letters = |scene: &Scene| {
        let keys = scene.app.watch().keys().iter();
        keys.map(tui_client::app::watch::Watched::line_number).collect::<Vec<_>>()
    };
    assert_eq!(letters(&scene), [0, 1, 2]);
    scene.code(KeyCode::Down);
    scene.tell(Event::Tick);
    assert_eq!(scene.app.watch().in_chart().next().unwrap().key, "b");
    assert_eq!(letters(&scene), [0, 1, 2], "the selected one is drawn first, in its own letter");
    let screen = draw(&scene, &Theme::plain(), 120, 50);
    assert!(find(&screen, "B b").is_some() && find(&screen, "A b").is_none(), "{screen}");
    // Another one is selected alone: it takes what is free.
    scene.keys("M");
    assert_eq!(letters(&scene)[1], 1);
    scene.code(KeyCode::Down);
    assert_eq!(letters(&scene), [0, 0, 0]);
}

#[test]
fn lines_that_are_flat_for_want_of_an_axis_are_said_to_be() {
    let keys = ["kettle.cpu", "palm.errors"];
    let said = |scene: &Scene, wide| {
        draw(scene, &Theme::colour(), wide, 40).to_string().contains("flat lines: a")
    };
    let mut scene = Scene::parked(57, 40, &keys, &[]).on(Mode::Watch, "M");
    assert!(said(&scene, 57), "{}", draw(&scene, &Theme::colour(), 57, 40));
    scene.keys("a");
    assert!(!said(&scene, 57), "on a logarithmic axis");
    for width in [120, 200] {
        let scene = Scene::parked(width, 40, &keys, &[]).on(Mode::Watch, "M");
        assert!(!said(&scene, width), "where there is room for a second axis: {width}");
    }
    let scene = Scene::parked(57, 40, &["palm.cpu", "kettle.cpu"], &[]).on(Mode::Watch, "M");
    assert!(!said(&scene, 57), "of one magnitude");
}

#[test]
fn the_name_of_a_mark_hides_no_data() {
    for high_first in [true, false] {
        let chart = |told: &str| {
            let mut scene = Scene::live(80, 24, &["a"], &[]);
            let is_high = |n: i64| (n < 52) == high_first;
            let line =
                |n: i64| format!("a {} {}\n", if is_high(n) { 104 } else { 0 }, NOW - 900 + 15 * n);
            scene.ok("get a[last:1024]", &(0..60).map(line).collect::<String>());
            scene.told(told);
            scene.to(Mode::Watch);
            scene.keys("f");
            draw(&scene, &Theme::plain(), 80, 24).to_string()
        };
        let without = chart("");
        for ago in [120, 600] {
            let with = chart(&format!("mark.deploy 1.0 {}\n", NOW - ago));
            assert!(with.contains("deploy"), "{with}");
            let is_data = |c: char| ('\u{2801}'..='\u{28ff}').contains(&c);
            for (before, now) in without.lines().zip(with.lines()) {
                let hidden = before.chars().zip(now.chars()).find(|&(b, n)| is_data(b) && b != n);
                assert_eq!(hidden, None, "{with}");
            }
        }
    }
}
