use jiff::tz::TimeZone;

use std::time::Duration;

use crate::app::log::*;
use crate::event::Moment;
use crate::wire_log::entry::{Cost, Direction, Remark};

fn log(lines: std::ops::Range<u64>) -> Log {
    let mut log = Log::new(1 << 26, false);
    for line in lines {
        log.push(LogEntry::new(0, Direction::In, &line.to_string()));
    }
    log
}

fn shown(log: &Log, rows: usize) -> Vec<&str> {
    log.visible(rows).map(|entry| entry.text).collect()
}

fn selected(log: &Log) -> &str {
    log.selected_entry().unwrap().text
}

fn finish(log: &mut Log, rows: usize) -> Progress {
    loop {
        let progress = log.step(rows);
        if progress != Progress::More {
            return progress;
        }
    }
}

#[test]
fn scrolling_stops_at_both_ends_and_follows_at_the_newest() {
    let mut log = log(0..10);
    assert_eq!(shown(&log, 3), ["7", "8", "9"]);
    log.scroll(-2, 3);
    assert_eq!(shown(&log, 3), ["5", "6", "7"]);
    assert_eq!(log.below(), 2);
    log.push(LogEntry::new(0, Direction::In, "10"));
    assert_eq!(shown(&log, 3), ["5", "6", "7"], "reading is not disturbed");
    log.scroll(i64::MIN, 3);
    assert_eq!(shown(&log, 3), ["0", "1", "2"]);
    log.scroll(1, 3);
    assert_eq!(shown(&log, 3), ["1", "2", "3"]);
    log.scroll(100, 3);
    assert!(log.follows());
    log.toggle_follow();
    log.push(LogEntry::new(0, Direction::In, "11"));
    assert_eq!(shown(&log, 3), ["8", "9", "10"]);
}

#[test]
fn the_selection_moves_within_the_screen_first() {
    let mut log = log(0..10);
    log.move_by(-1, 3);
    assert_eq!((selected(&log), shown(&log, 3)), ("8", vec!["7", "8", "9"]));
    log.move_by(-2, 3);
    assert_eq!((selected(&log), shown(&log, 3)), ("6", vec!["6", "7", "8"]));
    log.push(LogEntry::new(0, Direction::In, "10"));
    assert_eq!(selected(&log), "6");
    log.move_by(i64::MIN, 3);
    assert_eq!((selected(&log), shown(&log, 3)), ("0", vec!["0", "1", "2"]));
    log.move_by(i64::MAX, 3);
    assert!(log.follows());
    assert_eq!(selected(&log), "10");
}

#[test]
fn memory_is_bounded_and_the_place_survives() {
    let mut log = Log::new(1 << 20, false);
    for line in 0..200_000 {
        log.push(LogEntry::new(0, Direction::In, &line.to_string()));
    }
    assert!(log.memory() <= 1 << 20, "{}", log.memory());
    log.scroll(-10, 5);
    let before: Vec<_> = shown(&log, 5).into_iter().map(str::to_owned).collect();
    for _ in 0..1000 {
        log.push(LogEntry::new(0, Direction::In, "more"));
    }
    assert_eq!(shown(&log, 5), before);
    for _ in 0..100_000 {
        log.push(LogEntry::new(0, Direction::In, "more"));
    }
    assert_eq!(shown(&log, 5), ["more"; 5], "what is gone gives way to the oldest that is left");
}

#[test]
fn repeated_polls_share_a_line() {
    let mut log = log(0..1);
    let poll = || LogEntry::new(7, Direction::In, "get *");
    let times = |log: &Log, number| log.store.get(number).unwrap().times;
    log.push_poll(poll());
    log.push_poll(LogEntry::new(0, Direction::In, "get a"));
    log.push_poll(poll());
    assert_eq!((log.len(), times(&log, 1)), (3, 2));
    log.push(LogEntry::new(0, Direction::Out, "put a 1 1"));
    log.push_poll(poll());
    assert_eq!((log.len(), times(&log, 4)), (5, 1));
}

#[test]
fn a_repeated_poll_is_filtered_by_all_of_its_times() {
    for (filter, expected) in [("00:01", [0, 1, 1]), ("!00:01", [1, 0, 0])] {
        let mut log = Log::new(1 << 26, false);
        log.set_filter(LogPattern::new(filter, &TimeZone::UTC), 3);
        for (minute, shown) in (0..).zip(expected) {
            log.push_poll(LogEntry::new(minute * 60_000, Direction::In, "get *"));
            assert_eq!((log.len(), log.shown()), (1, shown), "{filter} in minute {minute}");
            assert_eq!(log.snapshot().entries().count() as u64, shown, "as it is saved");
        }
    }
}

#[test]
fn times_rise_from_line_to_line_though_polls_share_them() {
    let mut log = Log::new(1 << 26, false);
    for (ms, text) in [(1, "get *"), (2, "get a"), (3, "get *"), (6, "get a"), (9, "get *")] {
        let cost = Cost { points: 1, bytes: 9, took: Duration::from_millis(ms) };
        let entry = LogEntry::new(ms.cast_signed(), Direction::In, text);
        log.push_poll(entry.remark(Remark::Reply(cost)));
    }
    let lines: Vec<_> = log
        .visible(9)
        .map(|line| {
            let Some(Remark::Reply(cost)) = line.remark else { panic!("no cost: {line:?}") };
            (line.text, line.unix_ms, line.times, line.until_ms, cost.took.as_millis())
        })
        .collect();
    assert_eq!(lines, [("get *", 1, 3, 9, 9), ("get a", 2, 2, 6, 6)]);
}

#[test]
fn a_search_goes_up_first_and_keeps_what_is_around() {
    let mut log = log(0..100);
    let before = log.bookmark();
    log.begin_search();
    log.search_for(LogPattern::new("5", &TimeZone::UTC));
    assert_eq!(finish(&mut log, 9), Progress::Found { wrapped: false, older: true });
    assert_eq!(selected(&log), "95");
    log.search_on(true);
    finish(&mut log, 9);
    assert_eq!(selected(&log), "85");
    log.search_for(LogPattern::new("57", &TimeZone::UTC));
    finish(&mut log, 9);
    assert_eq!(shown(&log, 9), ["53", "54", "55", "56", "57", "58", "59", "60", "61"]);
    for older in [true, false] {
        log.search_on(older);
        assert_eq!(finish(&mut log, 9), Progress::Found { wrapped: true, older });
        assert_eq!(selected(&log), "57", "the only one, all around");
    }
    log.back_to(before);
    assert!(log.follows());
}

#[test]
fn a_search_goes_on_from_the_other_end_and_looks_at_each_line_once() {
    let mut log = log(0..50_000);
    log.push(LogEntry::new(0, Direction::In, "newest"));
    log.begin_search();
    log.search_for(LogPattern::new("40000", &TimeZone::UTC));
    finish(&mut log, 9);
    for (older, pattern) in [(true, "newest"), (false, "40000"), (true, "nowhere")] {
        let before = log.visited();
        log.search_again(LogPattern::new(pattern, &TimeZone::UTC).unwrap());
        log.search_on(older);
        let none = pattern == "nowhere";
        let expected =
            if none { Progress::NotFound } else { Progress::Found { wrapped: true, older } };
        assert_eq!((finish(&mut log, 9), log.search.failed), (expected, none));
        assert!(none || selected(&log) == pattern);
        assert!(log.visited() - before <= log.len());
    }
}

#[test]
fn a_filter_leaves_the_matches_and_new_ones_join() {
    let mut log = log(0..100);
    log.set_filter(LogPattern::new("7", &TimeZone::UTC), 3);
    finish(&mut log, 3);
    assert_eq!(log.shown(), 19);
    assert_eq!(shown(&log, 3), ["79", "87", "97"]);
    log.push(LogEntry::new(0, Direction::In, "nothing"));
    log.push(LogEntry::new(0, Direction::In, "107"));
    assert_eq!(shown(&log, 3), ["87", "97", "107"]);
    log.move_by(-3, 3);
    assert_eq!(selected(&log), "79");
    log.set_filter(None, 3);
    assert_eq!(selected(&log), "79", "its surroundings can be read now");
    assert!(shown(&log, 3).contains(&"79"));
    log.set_filter(LogPattern::new("!7", &TimeZone::UTC), 3);
    finish(&mut log, 3);
    assert_eq!(log.shown(), 102 - 20);
    let saved = log.snapshot();
    assert_eq!(saved.entries().count(), 82);
}

#[test]
fn an_exchange_is_its_request_and_its_reply() {
    let mut log = Log::new(1 << 26, false);
    for (exchange, text) in [(1, "get a"), (2, "get b"), (1, "ok"), (1, "a 1"), (2, "ok")] {
        log.push(LogEntry::new(0, Direction::In, text).exchange(exchange));
    }
    log.push(LogEntry::new(0, Direction::Note, "note"));
    assert_eq!(log.exchange_text().as_deref(), Some("note"));
    log.move_by(-1, 9);
    assert_eq!(log.exchange_text().as_deref(), Some("get b\nok"));
    log.move_by(-1, 9);
    assert_eq!(log.exchange_text().as_deref(), Some("get a\nok\na 1"));
    for line in 0..10_000 {
        log.push(LogEntry::new(0, Direction::In, &line.to_string()).exchange(3));
    }
    log.follow();
    log.move_by(-5000, 9);
    let copied = log.exchange_text().unwrap();
    assert!(copied.lines().eq((0..10_000).map(|line| line.to_string())), "however long it is");
}

/// The work is counted, not timed: whatever the length of the log, a step looks at a bounded
/// number of lines, and what is on screen costs as many look-ups as there are rows.
#[test]
fn ten_million_lines_slow_nothing_down() {
    const LINES: u64 = 10_000_000;
    let mut log = Log::new(1 << 30, false);
    log.push(LogEntry::new(0, Direction::Out, "a needle at the far end"));
    for _ in 1..LINES {
        log.push(LogEntry::new(0, Direction::In, "palm.cpu 23.7 1150864247"));
    }
    assert_eq!(log.len(), LINES);
    assert!(log.memory() < 450_000_000, "{} bytes", log.memory());
    log.scroll(-9_000_000, 50);
    log.move_by(-60, 50);
    assert_eq!(log.visible(50).count(), 50);
    assert_eq!(log.visited(), 0, "neither appending nor scrolling looks at other lines");

    log.begin_search();
    log.search_for(LogPattern::new("needle", &TimeZone::UTC));
    let mut steps = 0;
    let mut before = 0;
    while log.step(50) == Progress::More {
        steps += 1;
        assert!(log.visited() - before <= 16 * 1024, "a step is bounded");
        before = log.visited();
        if steps % 10 == 0 {
            log.push(LogEntry::new(0, Direction::In, "meanwhile"));
        }
    }
    assert_eq!(log.selected(), Some(0));
    assert!(log.visited() < LINES, "each line once, from the selected one on");

    log.set_filter(LogPattern::new("meanwhile", &TimeZone::UTC), 50);
    for _ in 0..10 {
        before = log.visited();
        assert_eq!(log.step(50), Progress::More);
        assert!(log.visited() - before <= 16 * 1024, "so is a step of a filter");
    }
    assert!(log.shown() > 0, "the newest lines come first");
}

#[test]
fn an_empty_text_is_not_copied() {
    let now = Moment { elapsed: Duration::ZERO, unix_ms: 0 };
    let mut cx = Context::new(now, TimeZone::UTC, crate::keymap::Abilities::default());
    copy(Some(String::new()), "line", &mut cx);
    assert_eq!(cx.take_effects(), [], "it would clear the clipboard");
    assert_eq!(cx.take_notice().unwrap().text, "nothing to copy");
}
