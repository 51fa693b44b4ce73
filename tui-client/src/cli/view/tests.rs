use std::time::Duration;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::cli::RunMode;
use crate::metrics::column::Column;
use crate::metrics::sort::{Sort, TableSpec};
use crate::metrics::window::{ChartWindow, Window};
use crate::session::{
    Base, ChartView, Comparison, Focus, LogRoom, Look, Recording, Session, view_file,
};
use crate::sources::SourceLabel;
use crate::wire_log::store::{LineStore, Snapshot};

/// 2006-06-21 04:31:00 UTC.
const NOW: i64 = 1_150_864_260;

/// The plan of a view file and arguments.
fn plan(text: &str, args: &[&str]) -> Result<Plan, String> {
    let args = ["tui-client", "--view", "palm.toml"].iter().chain(args);
    let open = |path: &std::path::Path| {
        let file = path.to_string_lossy();
        ViewFile::parse(&file, text, NOW, &TimeZone::UTC).map_err(|why| why.to_string())
    };
    Plan::parse_with(args, true, open).map_err(|error| error.to_string())
}

#[test]
fn a_file_says_what_the_options_say() {
    let text = r#"
        host = "palm:7"
        interval = 0.5
        watch = ["palm.*", "-5.load"]
        alert = "palm.cpu > 90"
        filter = "last > 20 and not stale"
        sort = "-rate"
        columns = ["key", "last", "rate"]
        window = "1h"
        theme = "light"
        glyphs = "block"
        ascii = true
        raw-log = true
    "#;
    let options = [
        "--host=palm:7",
        "--interval=0.5",
        "--watch=palm.*",
        "--watch=-5.load",
        "--alert=palm.cpu > 90",
        "--filter=last > 20 and not stale",
        "--sort=-rate",
        "--columns=key,last,rate",
        "--window=1h",
        "--theme=light",
        "--glyphs=block",
        "--ascii",
        "--raw-log",
    ];
    let typed = Plan::parse(["tui-client"].iter().chain(&options), true).unwrap();
    let view_file = Some("palm.toml".into());
    assert_eq!(plan(text, &[]), Ok(Plan { view_file, ..typed }));
    assert_eq!(
        plan("raw-log = false\nascii = false", &[]).unwrap().view.look.ascii,
        Some("never".into())
    );
}

#[test]
fn an_option_goes_before_the_file_and_lists_add_up() {
    let text = r#"
        host = "palm:7"
        watch = "a"
        alert = "a > 1"
        filter = "a"
        columns = "key,last"
        interval = 5
    "#;
    let args = ["--watch=b", "--alert=b > 1", "--filter=b", "--columns=age", "--interval=2"];
    let both = plan(text, &args).unwrap();
    assert_eq!(both.mode, RunMode::Screen(vec!["a".parse().unwrap(), "b".parse().unwrap()]));
    assert_eq!(both.alerts, ["a > 1".parse().unwrap(), "b > 1".parse().unwrap()]);
    assert_eq!(both.table.filter, Some("b".parse().unwrap()));
    assert_eq!(both.table.columns, [Column::Age]);
    assert_eq!(both.interval, Duration::from_secs(2));
    for (args, host, port) in [
        (&[][..], "palm", 7),
        (&["--host=kettle"], "kettle", 10001),
        (&["--host=kettle:9"], "kettle", 9),
        (&["--port=9"], "palm", 9),
    ] {
        for file in ["host = 'palm:7'", "host = 'palm'\nport = 7"] {
            let server = plan(file, args).unwrap().server;
            assert_eq!((&*server.host, server.port), (host, port), "{file} {args:?}");
        }
    }
}

#[test]
fn panes_are_as_the_file_says() {
    let text = r#"
        focus = "chart"
        log = "off"
        chart = "6h"
        axis = "log"
        place = "-2h"
        compared = "deploy"
        marked = ["a", "b"]
    "#;
    let view = plan(text, &["--watch=a"]).unwrap().view;
    assert_eq!((view.focus, view.pane, view.log), (Some(Focus::Chart), None, LogRoom::Off));
    assert_eq!((view.chart.window, view.chart.log), (ChartWindow::Last(21_600), true));
    assert_eq!((view.place, view.chart.cursor), (Some(NOW - 7200), None));
    assert_eq!(view.compared, Some(Comparison::Typed("deploy".to_owned())));
    assert_eq!(view.chart.marked, ["a", "b"]);
    for (typed, at) in [
        ("'yesterday 9:00'", 1_150_794_000),
        ("2006-06-20 09:00:00", 1_150_794_000),
        ("2006-06-20 09:00:00+02:00", 1_150_786_800),
        ("'2006-06-20 09:00:00+02:00'", 1_150_786_800),
        ("2006-06-20", 1_150_761_600),
        ("1999", 1999),
        ("-7", -7),
    ] {
        let view = plan(&format!("place = {typed}"), &[]).unwrap().view;
        assert_eq!(view.place, Some(at), "{typed}");
    }
}

#[test]
fn a_mistake_is_told_with_its_place() {
    let of_sort =
        "[possible values: key, last, change, rate, min, max, avg, count, age, time, reply]";
    for (text, expected) in [
        (
            "filter = 'a'\ncolums = 'key'",
            "palm.toml:2:1: unknown name colums; did you mean columns?",
        ),
        ("[panes]\nlog = 'off'", "palm.toml:2:1: unknown name panes.log; names are host, port"),
        ("[panes]", "palm.toml:1:2: unknown name panes; did you mean pane?"),
        ("saved = 7", "palm.toml:1:1: unknown name saved; names are host, port"),
        (
            "\n columns = 'key,lst'",
            "palm.toml:2:12: invalid value 'lst' for columns [possible values: key, last,",
        ),
        (
            "columns = ['key', 'lst']",
            "palm.toml:1:19: invalid value 'lst' for columns [possible values: key, last,",
        ),
        ("columns = 'key,key'", "palm.toml:1:11: columns has key twice"),
        ("columns = ['key', 'key']", "palm.toml:1:19: columns has key twice"),
        (
            "sort = 'lst'",
            &format!(
                "palm.toml:1:8: invalid value 'lst' for sort {of_sort}; a similar value exists: 'last'"
            ),
        ),
        (
            "filter = 'last >'",
            "palm.toml:1:10: invalid value 'last >' for filter: at character 7: a number is missing",
        ),
        (
            "alert = ['a > 1', 'palm.cpu']",
            "palm.toml:1:19: invalid value 'palm.cpu' for alert: at character 9: one of < <= > >= = != is missing\n",
        ),
        ("watch = '['", "palm.toml:1:9: invalid value '[' for watch: "),
        (
            "window = '2h'",
            "palm.toml:1:10: invalid value '2h' for window [possible values: 1m, 15m, 1h, 1d, all]",
        ),
        (
            "interval = 0",
            "palm.toml:1:12: invalid value '0' for interval: from 0.01 seconds to 86400",
        ),
        (
            "port = 70000",
            "palm.toml:1:8: invalid value '70000' for port: a port is a number from 1 to 65535",
        ),
        (
            "port = '10801x'",
            "palm.toml:1:8: invalid value '10801x' for port: a port is a number from 1 to 65535",
        ),
        (
            "place = '-1h'\ncursor = '-10m'",
            "palm.toml:2:1: the cursor of a chart is the place in time, which is called place",
        ),
        ("sort = 'bla'", "palm.toml:1:8: invalid value 'bla' for sort [possible values: key,"),
        (
            "host = 'http://a'",
            "palm.toml:1:8: invalid value 'http://a' for host: a host has no http:// before it; a is enough",
        ),
        ("host = 'a:7'\nport = 8", "palm.toml:2:8: port 7 behind the host, but port 8"),
        ("host = ['a=x', 'a=y']", "palm.toml:1:16: two hosts are called a"),
        (
            "prefix = ['a.', 'a.b.']",
            "palm.toml:1:17: keys of \"a.b.\" would be of \"a.\", too: no prefix begins another",
        ),
        ("raw-log = 'on'", "palm.toml:1:11: invalid value 'on' for raw-log: true or false"),
        ("filter = ['a', 'b']", "palm.toml:1:1: filter takes one value"),
        (
            "focus = 'charts'",
            "palm.toml:1:9: invalid value 'charts' for focus: one of prompt, table, watch, chart, log",
        ),
        ("log = true", "palm.toml:1:7: invalid value 'true' for log: one of on, off, full"),
        (
            "chart = '15'",
            "palm.toml:1:9: invalid value '15' for chart: a window is such as 15m, all, strays or two Unix times",
        ),
        (
            "place = 'noon'",
            "palm.toml:1:9: invalid value 'noon' for place: no time: such as -2h, 14:30,",
        ),
        ("marked = ['a', 'b c']", "palm.toml:1:16: invalid value 'b c' for marked: "),
        (
            "compared = ''",
            "palm.toml:1:12: invalid value '' for compared: a mark or a time is missing",
        ),
        ("watch = a", "palm.toml:1:9: string values must be quoted"),
    ] {
        let why = plan(text, &[]).unwrap_err();
        assert!(why.starts_with(&format!("error: {expected}")), "{text}\n{why}");
        assert_eq!(why.trim_end().lines().count(), 1, "{why}");
    }
}

#[test]
fn what_is_wrong_beside_a_file_is_told_as_always() {
    let why = plan("sort = 'bla'", &[]).unwrap_err();
    assert!(!why.contains("similar"), "{why}");
    let why = plan("", &["--sort", "lst"]).unwrap_err();
    assert!(why.starts_with("error: invalid value 'lst' for '--sort <[-]COLUMN>'\n"), "{why}");
    for other in ["--once", "--replay=x", "--format=csv", "get"] {
        let why = plan("", &[other]).unwrap_err();
        assert!(why.contains("cannot be used with"), "{other}: {why}");
    }
    let plain = |open: Result<ViewFile, String>| {
        let parsed = Plan::parse_with(["tui-client", "--view", "x"], false, |_| open);
        parsed.unwrap_err().to_string()
    };
    let file = ViewFile::parse("x", "", 0, &TimeZone::UTC).unwrap();
    let why = plain(Ok(file));
    assert!(why.contains("--view needs a terminal for its screen"), "{why}");
    let why = plain(Err("x: there is no such file".to_owned()));
    assert_eq!(why, "error: x: there is no such file\n", "nor would a terminal help");
}

#[test]
fn a_number_is_not_taken_for_a_text() {
    for (text, expected) in [
        ("watch = ['a', 3]", "palm.toml:1:15: watch takes a text, which stands in quotes: \"3\""),
        ("watch = true", "palm.toml:1:9: watch takes a text, which stands in quotes: \"true\""),
        ("theme = 3", "palm.toml:1:9: theme takes a text, which stands in quotes: \"3\""),
    ] {
        let why = plan(text, &[]).unwrap_err();
        assert_eq!(why.trim_end(), format!("error: {expected}"), "{text}");
    }
    for text in ["port = 7", "ascii = true", "compared = 1150860000", "interval = 2"] {
        assert!(plan(text, &[]).is_ok(), "{text}");
    }
}

/// The addresses of the servers of a plan.
fn addresses(text: &str, args: &[&str]) -> Vec<(String, u16)> {
    let sources = plan(text, args).unwrap().sources.into_iter();
    sources.map(|source| (source.name, source.server.port)).collect()
}

#[test]
fn of_several_hosts_the_port_is_that_of_those_without_one() {
    let both = [("web".to_owned(), 7), ("db".to_owned(), 9)];
    assert_eq!(addresses("", &["--host=web=x", "--host=db=x:9", "--port=7"]), both);
    assert_eq!(addresses("host = ['web=x', 'db=x:9']\nport = 7", &[]), both);
    assert_eq!(addresses("host = ['web=x', 'db=x:9']", &["--port=7"]), both);
    let why = plan("", &["--host=web=x:9", "--port=7"]).unwrap_err();
    assert!(why.contains("port 9 behind the host, but --port 7"), "{why}");
}

#[test]
fn a_place_in_time_is_written_as_a_date_that_is_the_same_moment_in_any_zone() {
    let text = |at: i64, zone: &str| {
        let view = View { place: Some(at), ..View::default() };
        let zone = TimeZone::get(zone).unwrap();
        let text = view_file::write(&view, &zone);
        let line = text.lines().find_map(|line| line.strip_prefix("place = "));
        assert_eq!(plan(&text, &[]).unwrap().view.place, Some(at), "{text}");
        line.unwrap().to_owned()
    };
    assert_eq!(text(1_150_860_001, "Europe/Berlin"), "2006-06-21 05:20:01+02:00");
    assert_eq!(text(1_150_860_001, "UTC"), "2006-06-21 03:20:01+00:00");
    // The hour that comes twice.
    assert_eq!(text(1_792_888_200, "Europe/Berlin"), "2026-10-25 02:30:00+02:00");
    assert_eq!(text(1_792_891_800, "Europe/Berlin"), "2026-10-25 02:30:00+01:00");
    assert_eq!(text(-100_000_000_000, "UTC"), "-100000000000");
    // A mark is told apart from others of its name, and a cursor is the place in time.
    let compared = Some(Comparison::Base(Base { at: 1_150_860_001, mark: "deploy".to_owned() }));
    let chart = ChartView { cursor: Some(1_150_860_002), ..ChartView::default() };
    let view = View { compared, chart, ..View::default() };
    let text = view_file::write(&view, &TimeZone::UTC);
    let lines = "place = 2006-06-21 03:20:02+00:00\n\
                 compared = \"1150860001 deploy\" # 2006-06-21 03:20:01\n";
    assert!(text.contains(lines), "{text}");
}

/// A view in a session, read again.
fn through_session(view: &View) -> View {
    let log = Snapshot { store: LineStore::new(0), filter: None };
    let session = Session { view: view.clone(), recording: Recording::default(), log };
    let mut text = Vec::new();
    crate::session::write(&mut text, &session).unwrap();
    crate::session::parse(&text).unwrap().view
}

/// A view in a file, read again.
fn through_file(view: &View) -> View {
    let text = view_file::write(view, &TimeZone::UTC);
    plan(&text, &[]).unwrap_or_else(|why| panic!("{why}{text}")).view
}

fn key() -> impl Strategy<Value = String> {
    {
        prop_oneof![Just("palm.cpu"), Just("-5"), Just("7"), Just("火.t\\\"'")]
            .prop_map(str::to_owned)
    }
}

fn table() -> impl Strategy<Value = TableSpec> {
    let table = (
        prop::option::of(prop_oneof![
            Just("last > 20 and not stale"),
            Just("palm"),
            Just("\"a b\"")
        ]),
        prop::option::of(prop_oneof![Just("-rate"), Just("key"), Just("-reply")]),
        prop::sample::subsequence(
            vec![Column::Key, Column::Last, Column::Rate, Column::Spark],
            0..4,
        ),
        prop::sample::select(Window::ALL.to_vec()),
    );
    table.prop_map(|(filter, sort, columns, window)| TableSpec {
        filter: filter.map(|filter| filter.parse().unwrap()),
        sort: sort.and_then(Sort::named).unwrap_or_default(),
        columns,
        window,
    })
}

fn chart() -> impl Strategy<Value = ChartView> {
    let window = prop_oneof![
        Just(ChartWindow::Opening),
        Just(ChartWindow::All),
        Just(ChartWindow::WithStrays),
        (1..i64::MAX).prop_map(ChartWindow::Last),
        (any::<i64>(), any::<i64>()).prop_map(|(a, b)| ChartWindow::Fixed(a.min(b), a.max(b))),
    ];
    let keys = prop::collection::vec(key(), 0..3);
    let chart = (window, any::<bool>(), any::<Option<i64>>(), prop::option::of(key()), keys);
    chart.prop_map(|(window, log, cursor, selected, marked)| ChartView {
        window,
        log,
        cursor,
        selected,
        marked,
    })
}

fn view() -> impl Strategy<Value = View> {
    let time = || -253_402_207_199_i64..=253_402_207_199;
    let compared = prop_oneof![
        (time(), prop_oneof!["", "[a-z]{1,9}", "\\PC{1,3} x"]).prop_map(|(at, mark)| {
            let mark = crate::text::escape::escape_untrusted(mark.trim().as_bytes()).into();
            Comparison::Base(Base { at, mark })
        }),
        Just(Comparison::Typed("yesterday 9:00".to_owned())),
    ];
    let focus = || {
        prop::option::of(prop::sample::select(vec![
            Focus::Prompt,
            Focus::Table,
            Focus::Watch,
            Focus::Chart,
            Focus::Log,
        ]))
    };
    let room = prop::sample::select(vec![LogRoom::On, LogRoom::Off, LogRoom::Full]);
    let panes = (focus(), focus(), room, prop::option::of(key()), any::<bool>());
    let compared_sort = prop::option::of(prop::sample::select(vec![
        Sort { column: Some(Column::MovedShare), descending: true },
        Sort { column: None, descending: false },
    ]));
    let look = (
        prop::option::of(prop::sample::select(vec!["dark", "none", "midnight", "~/a b.toml"])),
        prop::option::of(prop::sample::select(vec!["octant", "ascii"])),
        prop::option::of(prop::sample::select(vec!["always", "never"])),
    );
    let look = look.prop_map(|(theme, glyphs, ascii)| Look {
        theme: theme.map(str::to_owned),
        glyphs: glyphs.map(str::to_owned),
        ascii: ascii.map(str::to_owned),
    });
    let watch = prop::sample::subsequence(vec!["palm.*", "a", "-5.{x,y}", "\"'\\"], 0..4);
    let alerts =
        prop::sample::subsequence(vec!["palm.cpu > 90", "*.t age > 1m", "it's\\ < -1"], 0..3);
    let places = (prop::option::of(time()), prop::option::of(compared), compared_sort);
    let interval = prop::option::of((2..8_u64).prop_map(Duration::from_secs));
    let hosts = prop::sample::subsequence(vec!["web1", "db", "[::1]"], 0..3);
    let runs = prop::sample::subsequence(vec!["run1.", "run2.", "火/"], 0..3);
    let sources = (hosts, runs).prop_map(|(hosts, runs)| {
        let address = "palm:10002".to_owned();
        let runs = runs.into_iter().map(str::to_owned).collect();
        let hosts = hosts.into_iter().enumerate().map(|(at, address)| SourceLabel {
            name: format!("n{at}"),
            address: format!("{address}:7"),
            ..SourceLabel::default()
        });
        View { address, runs, ..View::default() }.with_sources(hosts)
    });
    (table(), chart(), panes, look, (watch, alerts), (places, sources), interval).prop_map(
        |(
            table,
            chart,
            panes,
            look,
            (watch, alerts),
            ((place, compared, compared_sort), sources),
            interval,
        )| {
            let (pane, focus, log, selected_row, raw_log) = panes;
            View {
                saved_at: NOW,
                watch: watch.iter().map(|glob| glob.parse().unwrap()).collect(),
                alerts: alerts.iter().map(|alert| alert.parse().unwrap()).collect(),
                table,
                raw_log,
                place,
                compared,
                compared_sort,
                chart,
                pane,
                focus,
                log,
                selected_row,
                interval,
                look,
                ..sources
            }
        },
    )
}

proptest! {
    /// What sessions and view files keep is the same but for: the cursor of the chart, which is the
    /// place in time in a view file; the clock, which stands still in a session alone; the look, which the terminal of a session decides about; and the interval, for a
    /// session is not polled.
    #[test]
    fn sessions_and_view_files_keep_the_same(view in view()) {
        let saved_at = 0;
        let place = view.place.or(view.chart.cursor.filter(|at| at.unsigned_abs() <= 253_402_207_199));
        let chart = ChartView { cursor: None, ..view.chart.clone() };
        prop_assert_eq!(through_file(&view), View { saved_at, place, chart, ..view.clone() });
        let (interval, look) = (None, Look::default());
        prop_assert_eq!(through_session(&view), View { interval, look, ..view.clone() });
    }

    #[test]
    fn no_file_is_too_strange(
        lines in prop::collection::vec("(host|port|watch|alert|columns|place|chart|compared|focus|[a-z]{1,3}) = (\"\\PC{0,9}\"|-?[0-9]{1,5}|\\[[\"a, ]{0,6}\\]|true|[0-9-]{10})", 0..4),
    ) {
        if let Err(why) = plan(&lines.join("\n"), &[]) {
            prop_assert_eq!(why.trim_end().lines().count(), 1, "{}", why);
        }
    }
}
