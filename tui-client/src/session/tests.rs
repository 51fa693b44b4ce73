use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use shared::{Key, Point};

use super::coverage::Coverage;
use super::*;
use crate::metrics::column::Column;
use crate::metrics::sort::Sort;
use crate::metrics::sort::TableSpec;
use crate::metrics::window::{ChartWindow, Window};
use crate::wire_log::entry::{Cost, Direction, LogEntry, Remark, Tone};
use crate::wire_log::store::LineStore;

fn text(session: &Session) -> Vec<u8> {
    let mut text = Vec::new();
    write(&mut text, session).unwrap();
    text
}

/// The lines of a log, with what is read back of each.
fn lines(session: &Session) -> Vec<String> {
    let line = |entry: LogEntry<'_>| format!("{:?}", LogEntry { number: 0, ..entry });
    session.log.entries().map(line).collect()
}

fn log(entries: &[LogEntry<'_>]) -> Snapshot {
    let mut store = LineStore::new(usize::MAX);
    for &entry in entries {
        store.push(entry);
    }
    Snapshot { store, filter: None }
}

fn recording(points: &[(&str, i64, f64)]) -> Recording {
    let mut recording = Recording::default();
    for &(key, timestamp, value) in points {
        recording.add(Key::new(key).unwrap(), [Point { timestamp, value }]);
    }
    recording
}

fn view() -> View {
    View {
        address: "palm:10001".to_owned(),
        hosts: Vec::new(),
        runs: vec!["run/1.".to_owned(), "run2.".to_owned()],
        shifts: vec![("run/1.".to_owned(), 44)],
        saved_at: 1_795_933_800,
        watch: vec!["palm.*".parse().unwrap(), "火.cpu".parse().unwrap()],
        alerts: vec!["palm.cpu > 90".parse().unwrap(), "*.temp age > 1m".parse().unwrap()],
        table: TableSpec {
            filter: Some("last > 20 and not stale".parse().unwrap()),
            sort: Sort { column: Some(Column::MovedShare), descending: true },
            columns: vec![Column::Key, Column::Last, Column::Moved],
            window: Window::Hour,
        },
        raw_log: true,
        place: Some(1_795_933_000),
        compared: Some(Comparison::Base(Base { at: 1_795_932_000, mark: "deploy".to_owned() })),
        compared_sort: Some(Sort { column: Some(Column::Moved), descending: false }),
        chart: ChartView {
            window: ChartWindow::Fixed(-5, 1_795_933_800),
            log: true,
            cursor: Some(i64::MIN),
            selected: Some("palm.cpu".to_owned()),
            marked: vec!["火.cpu".to_owned()],
        },
        pane: Some(Focus::Log),
        focus: Some(Focus::Chart),
        log: LogRoom::Full,
        selected_row: Some("palm.mem".to_owned()),
        interval: None,
        look: Look::default(),
    }
}

fn session() -> Session {
    let took = Duration::from_micros(1234);
    let log = log(&[
        LogEntry::new(1_795_933_700_123, Direction::Out, "get *")
            .exchange(3)
            .remark(Remark::Request { bytes: 6, filled: true }),
        LogEntry::new(1_795_933_700_125, Direction::In, "ok")
            .tone(Tone::Good)
            .exchange(3)
            .remark(Remark::Reply(Cost { points: 1, bytes: 40, took })),
        LogEntry::new(1_795_933_700_125, Direction::In, "").exchange(3),
        LogEntry {
            times: 7,
            until_ms: 1_795_933_790_000,
            ..LogEntry::new(1_795_933_600_000, Direction::Note, " a  \\u{1b} [end] ")
                .tone(Tone::Bad)
        },
    ]);
    let mut recording = recording(&[
        ("palm.cpu", 1_795_933_700, 23.7),
        ("palm.cpu", 1_795_933_701, 23.7),
        ("palm.cpu", 1_795_933_706, -0.0),
        ("palm.cpu", 1_795_933_711, 1e300),
        ("火.cpu", i64::MIN, 5.0),
        ("火.cpu", i64::MAX, 0.1),
    ]);
    recording.set_coverage(Coverage {
        from: 1_795_932_900,
        until: 1_795_933_000,
        known: [1_795_932_000, 1_795_933_800].into(),
        whole: ["palm.cpu".to_owned()].into(),
        since: [("火.cpu".to_owned(), -7)].into(),
    });
    Session { view: view(), recording, log }
}

#[test]
fn what_is_written_is_read() {
    let session = session();
    let text = text(&session);
    let read = parse(&text).unwrap();
    assert_eq!((&read.view, &read.recording), (&session.view, &session.recording));
    assert_eq!(lines(&read), lines(&session));
    // Mail programs change the ends of lines.
    let text = String::from_utf8(text).unwrap();
    assert_eq!(parse(text.replace('\n', "\r\n").as_bytes()).unwrap().view, session.view);
    let spans =
        [ChartWindow::Opening, ChartWindow::All, ChartWindow::WithStrays, ChartWindow::Last(900)];
    for span in spans {
        let mut session = session.clone();
        session.view.chart.window = span;
        assert_eq!(parse(&self::text(&session)).unwrap().view, session.view);
    }
}

#[test]
fn a_filter_of_several_lines_is_written_on_one() {
    let mut session = session();
    session.view.table.filter = Some("last > 20\nand not stale".parse().unwrap());
    session.view.alerts = vec!["palm.cpu\n> 90".parse().unwrap()];
    let read = parse(&text(&session)).unwrap().view;
    assert_eq!(read.table.filter.unwrap().as_str(), "last > 20 and not stale");
    assert_eq!(read.alerts, ["palm.cpu > 90".parse().unwrap()]);
}

#[test]
fn points_are_written_as_what_changes() {
    let text = String::from_utf8(text(&session())).unwrap();
    let points = "key palm.cpu\n1795933700@23.7 = 5@-0 1e+300\nkey 火.cpu\n";
    assert!(text.contains(points), "{text}");
}

#[test]
fn what_is_of_a_later_version_is_skipped_or_named() {
    let text = String::from_utf8(text(&session())).unwrap();
    let later = text.replace("[points]", "glyphs octant\n[pictures]\nx y\n[points]");
    assert_eq!(parse(later.as_bytes()).map(|it| it.view), Ok(view()));
    let other = text.replacen("session 1", "session 2", 1);
    let error = parse(other.as_bytes()).unwrap_err();
    assert_eq!(error, SessionError::Version("2".to_owned()));
    assert_eq!(error.to_string(), "a session of version 2; this program reads version 1");
}

#[test]
fn what_is_no_session_is_refused_with_a_sentence() {
    let text = text(&session());
    for end in 0..text.len() - 1 {
        let error = parse(&text[..end]).map(|_| end).unwrap_err();
        assert!(!error.to_string().contains('\n'), "{end}");
    }
    for (bytes, expected) in [
        (&b""[..], "no session: ctrl-s on the screen saves one"),
        (b"\xff\xfe", "no session: ctrl-s on the screen saves one"),
        (b"tui-client session 1\n[view]\nsaved 7\n", "the session is cut: its end is missing"),
        (
            b"tui-client session 1\n[view]\nsaved x\n",
            "the session is damaged: line 3 is no line of a view",
        ),
        (
            b"tui-client session 1\n[points]\n5@1\n",
            "the session is damaged: line 3 is no line of points",
        ),
        (
            b"tui-client session 1\n[points]\nkey a\n5@1 -1@2\n",
            "the session is damaged: line 4 is no line of points",
        ),
        (b"tui-client session 1\n[log]\n\xff\n", "the session is damaged: line 3 is no text"),
        (
            b"tui-client session 1\n[log]\n9999999999999999999 -p - - - x\n",
            "the session is damaged: line 3 is no line of a log",
        ),
    ] {
        assert_eq!(parse(bytes).map(|_| ()).unwrap_err().to_string(), expected);
    }
}

#[test]
fn what_steers_a_terminal_is_escaped() {
    let text =
        "tui-client session 1\n[view]\nhost \u{1b}[2J\n[log]\n0 -p - - - \u{1b}]0;x\u{7}\n[end]\n";
    let read = parse(text.as_bytes()).unwrap();
    assert_eq!(read.view.address, "\\u{1b}[2J");
    assert!(lines(&read)[0].contains("\\\\u{1b}]0;x\\\\u{7}"), "{:?}", lines(&read));
}

#[test]
fn a_quarter_of_an_hour_of_a_hundred_keys_fits_a_mail() {
    let mut recording = Recording::default();
    for key in 0..100_usize {
        let name = format!("host{:02}.{}", key / 10, ["cpu", "memory_used", "load1"][key % 3]);
        let mut state = key as u64 + 1;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            f64::from((state >> 40) as u32) / f64::from(1 << 24)
        };
        let points = (0..900).map(|at| {
            let value = match key % 3 {
                0 => (next() * 10_000.0).round() / 100.0,
                1 => (next() * 16e9).round(),
                _ => (next() * 1000.0).round() / 100.0,
            };
            Point { timestamp: 1_795_933_800 + at, value }
        });
        recording.add(Key::new(&format!("{name}.{key}")).unwrap(), points.collect::<Vec<_>>());
    }
    // The log is as long as it may be.
    let line = "get palm.cpu[-15m:] → ok".repeat(8);
    let entries: Vec<_> =
        (0..5000).map(|at| LogEntry::new(at, Direction::In, &line).exchange(1)).collect();
    let session = Session { view: view(), recording, log: log(&entries) };
    let size = text(&session).len();
    assert!(size <= 1 << 20, "{size}");
    assert_eq!(session.recording.points(), 90_000);
}

fn point() -> impl Strategy<Value = (i64, f64)> {
    let time = prop_oneof![1_795_933_000_i64..1_795_934_000, any::<i64>()];
    let value = prop_oneof![prop::num::f64::NORMAL, Just(0.0), Just(-0.0), Just(23.5)];
    (time, value)
}

fn entry() -> impl Strategy<Value = (i64, bool, u32, Option<u64>, String)> {
    let text = prop_oneof!["[ -~]{0,40}", "\\PC{0,20}"];
    (0..4_000_000_000_000_i64, any::<bool>(), 1..9_u32, any::<Option<u64>>(), text)
}

proptest! {
    #[test]
    fn any_points_and_lines_are_read_as_they_were_written(
        series in prop::collection::vec(("[a-z.]{1,12}", prop::collection::vec(point(), 1..80)), 0..6),
        entries in prop::collection::vec(entry(), 0..40),
    ) {
        let mut recording = Recording::default();
        for (key, points) in &series {
            let points = points.iter().map(|&(timestamp, value)| Point { timestamp, value });
            recording.add(Key::new(key).unwrap(), points);
        }
        let texts: Vec<_> = entries
            .iter()
            .map(|(.., text)| crate::text::escape::escape_untrusted(text.as_bytes()))
            .collect();
        let entries: Vec<_> = entries
            .iter()
            .zip(&texts)
            .map(|(&(unix_ms, is_bad, times, exchange, _), text)| LogEntry {
                times,
                until_ms: if times == 1 { unix_ms } else { unix_ms + 5 },
                exchange,
                tone: if is_bad { Tone::Bad } else { Tone::Quiet },
                ..LogEntry::new(unix_ms, Direction::In, text)
            })
            .collect();
        let session = Session { view: view(), recording, log: log(&entries) };
        let read = parse(&text(&session)).unwrap();
        prop_assert_eq!(&read.recording, &session.recording);
        prop_assert_eq!(lines(&read), lines(&session));
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
        let _ = parse(&[b"tui-client session 1\n[log]\n", &bytes[..]].concat());
        let _ = parse(&[b"tui-client session 1\n[points]\nkey a\n", &bytes[..]].concat());
    }

    #[test]
    fn no_damage_is_too_strange(at in 0..4000_usize, byte in any::<u8>(), cut in 0..4000_usize) {
        let mut text = text(&session());
        let length = text.len();
        text[at % length] = byte;
        text.truncate(length - cut % 3 * (cut % length) / 3);
        if let Ok(read) = parse(&text) {
            let is_escaped = !lines(&read).concat().contains(char::is_control);
            prop_assert!(is_escaped);
        }
    }

    #[test]
    fn any_lines_of_each_section_are_read_or_refused(
        lines in prop::collection::vec("(key a|[0-9@=. -]{1,12}|[0-9]{1,20} [<>-][pqgb] [0-9-]{1,3} [0-9:-]{1,6} reply:[0-9:]{1,9} x|(chart|saved|place|compared|columns|sort) [a-z0-9, -]{0,12})", 0..8),
        section in "(view|points|log)",
    ) {
        let text = format!("tui-client session 1\n[{section}]\n{}\n[end]\n", lines.join("\n"));
        let _ = parse(text.as_bytes());
    }
}

#[test]
fn a_recording_says_nothing_of_points_that_it_does_not_have() {
    let mut recording = Recording::default();
    for key in ["whole", "part"] {
        let points = [90, 100, 110, 120].map(|timestamp| Point { timestamp, value: 1.0 });
        recording.add(Key::new(key).unwrap(), points);
    }
    recording.set_coverage(Coverage {
        from: 100,
        until: 105,
        known: [50, 110].into(),
        whole: ["whole".to_owned()].into(),
        since: BTreeMap::new(),
    });
    assert_eq!(recording.partial(), 1);
    let asked = |selector: &str| {
        let mut out = Vec::new();
        recording.answer(format!("get *[{selector}]").as_bytes(), 120, &mut out);
        let text = String::from_utf8(out).unwrap();
        let keys = text.lines().filter_map(|line| Some(line.split_once(' ')?.0.to_owned()));
        keys.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(asked("last"), "whole part");
    assert_eq!(asked("last@104"), "whole part", "all is known");
    assert_eq!(asked("last:3@110"), "whole whole whole part part", "two are");
    assert_eq!(asked("last@115"), "whole", "none is");
    assert_eq!(asked("100:105:all:count"), "whole part");
    assert_eq!(asked("100:115:all:count"), "whole");
    assert_eq!(asked(":105:all:count"), "whole");
    let mut early = Vec::new();
    recording.answer(b"get *[last@60]", 120, &mut early);
    assert_eq!(str::from_utf8(&early), Ok("error\nthis session begins later\n\n"));
    assert_eq!(asked("last@50"), "", "a time that is known");
    // Of the second key all is known from a time of its own on.
    let coverage = recording.coverage().unwrap().clone();
    recording.set_coverage(Coverage { since: [("part".to_owned(), 108)].into(), ..coverage });
    assert_eq!(recording.partial(), 1);
    let asked = |selector: &str| {
        let mut out = Vec::new();
        recording.answer(format!("get part[{selector}]").as_bytes(), 120, &mut out);
        String::from_utf8(out).unwrap().lines().filter(|line| line.contains(' ')).count()
    };
    assert_eq!(["last:9@107", "last:2@50", "last:9@110"].map(asked), [0, 0, 3]);
    assert_eq!(["108::all:count", "107::all:count"].map(asked), [1, 0]);
}
