//! What the screen costs: `cargo bench -p tui-client --bench views`. At the end stand percentiles of
//! the time for a frame, which the table of the others does not have.
//!
//! Held against: a frame at 200x50 with 100,000 keys and a full log under 2 ms; 1 M keys painted
//! within 50 ms of their reply, sorted within 200 ms beside the loop that takes the keys.

#![allow(clippy::expect_used, reason = "a panic is the report")]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use divan::{Bencher, black_box};
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use rustix::time::{ClockId, clock_gettime};
use shared::response::Status;
use tui_client::app::arrange::{Arrangement, Job, Sort};
use tui_client::app::column::Column;
use tui_client::app::effect::{Effect, Outgoing};
use tui_client::app::expr::Filter;
use tui_client::app::fold::Answer;
use tui_client::app::mode::Mode;
use tui_client::app::msg::{Code, Key, Moment, Msg};
use tui_client::app::reply::{Reply, ReplyBuilder};
use tui_client::app::{App, Config};
use tui_client::view::{self, theme::Theme};

const NOW: i64 = 1_700_000_000;
const SIZE: (u16, u16) = (200, 50);

fn main() {
    divan::main();
    // Where only some are asked for, or only a list of them.
    if std::env::args().all(|arg| arg == "--bench" || !arg.starts_with('-')) {
        percentiles();
    }
}

/// The processor time of this thread.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// A moved selection and the frame after it: by the clock, which counts what others do on a busy
/// machine, and by the processor time of it alone.
fn percentiles() {
    let (mut app, mut terminal, theme) = (busy(100_000), terminal(), Theme::colour());
    let (mut by_clock, mut alone): (Vec<_>, Vec<_>) = (0..10_000)
        .map(|at| {
            let (start, used) = (Instant::now(), processor_time());
            app.update(Msg::Key(Key::char('j')), moment(10_000 + at));
            draw(&mut terminal, &app, &theme);
            (start.elapsed(), processor_time().saturating_sub(used))
        })
        .unzip();
    for (name, times) in [("by the clock", &mut by_clock), ("processor time", &mut alone)] {
        times.sort_unstable();
        let at = |per_mille: usize| times[times.len() * per_mille / 1000];
        let (half, most, nearly_all) = (at(500), at(990), at(999));
        println!("frame of 100,000 keys, {name}: p50 {half:?}, p99 {most:?}, p99.9 {nearly_all:?}");
    }
}

fn moment(millis: u64) -> Moment {
    let unix_ms = NOW * 1000 + i64::try_from(millis).unwrap_or(0);
    Moment { elapsed: Duration::from_millis(millis), unix_ms }
}

/// Two points of each of many keys.
fn data(keys: u32) -> Vec<u8> {
    let mut text = String::new();
    for at in 0..keys {
        let key =
            format!("host{:05}.disk{}.used_bytes", at.wrapping_mul(7919) % 100_000, at / 100_000);
        let value = f64::from(at.wrapping_mul(2_654_435_761) % 1_000_000) / 100.0;
        let (before, last) = (NOW - 10, NOW - i64::from(at % 9));
        let _ = writeln!(text, "{key} {:?} {before}\n{key} {value:?} {last}", value + 1.0);
    }
    text.into_bytes()
}

fn reply(request: &Outgoing, data: &[u8]) -> Box<Reply> {
    let mut builder = ReplyBuilder::new(Status::Ok, request.detail);
    builder = builder.watching(Arc::clone(&request.watched));
    builder.add_lines(data);
    let took = Duration::from_millis(1);
    Box::new(builder.finish(request.id, took, took))
}

fn request(effects: Vec<Effect>, line: &str) -> Outgoing {
    let mut sent = effects.into_iter().filter_map(|effect| match effect {
        Effect::Send(request) if request.line == line => Some(request),
        _ => None,
    });
    sent.next().expect("the request goes out")
}

/// Connected, asking for everything.
fn app(watch: &[&str]) -> (App, Outgoing) {
    let config = Config {
        address: "localhost:10001".to_owned(),
        interval: Duration::from_secs(1),
        watch: watch.iter().map(|glob| glob.parse().expect("a glob")).collect(),
        alerts: vec!["host00001.disk0.used_bytes > 5000".parse().expect("an alert")],
        arrangement: Arrangement::default(),
        zone: TimeZone::UTC,
        log_memory: 8 * 1024 * 1024,
        raw_log: false,
        in_tmux: false,
    };
    let mut app = App::new(config, SIZE.0, SIZE.1, moment(0));
    let effects = app.update(Msg::Connected, moment(0));
    (app, request(effects, "get *"))
}

fn terminal() -> Terminal<TestBackend> {
    Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).expect("memory")
}

fn draw(terminal: &mut Terminal<TestBackend>, app: &App, theme: &Theme) {
    terminal.draw(|frame| view::draw(app, theme, frame)).expect("memory");
}

/// A table of this many keys, a chart of 65,536 points, a full log.
fn busy(keys: u32) -> App {
    let watched = "host00000.disk0.used_bytes";
    let (mut app, all) = app(&[watched]);
    let mut text = data(keys);
    let mut points = String::new();
    for at in 0..65_536 {
        let value = (f64::from(at) / 2400.0).sin();
        let _ = writeln!(points, "{watched} {value:?} {}", NOW - 65_536 + i64::from(at));
    }
    text.extend_from_slice(points.as_bytes());
    app.update(Msg::Reply(reply(&all, &text)), moment(1));
    app.update(Msg::Key(Key::char(':')), moment(1));
    assert_eq!(app.mode(), Mode::Prompt);
    // A typed `get` leaves the lines of its reply in the log, whose oldest have to go in the end.
    for at in 2..800 {
        for c in "get nothing".chars() {
            app.update(Msg::Key(Key::char(c)), moment(at));
        }
        let effects = app.update(Msg::Key(Key::plain(Code::Enter)), moment(at));
        let typed = request(effects, "get nothing");
        app.update(Msg::Reply(reply(&typed, points.as_bytes())), moment(at));
    }
    assert!(app.log().len() > 50_000, "{} lines in the log", app.log().len());
    // The answer to `get nothing` took the place of the table's.
    app.update(Msg::Key(Key::plain(Code::Tab)), moment(1000));
    assert_eq!(app.mode(), Mode::Table);
    let effects = app.update(Msg::Key(Key::char('*')), moment(1000));
    let all = request(effects, "get *");
    app.update(Msg::Reply(reply(&all, &text)), moment(1001));
    assert!(app.table().rows() >= keys as usize);
    app
}

/// A frame while nothing but one line changes.
#[divan::bench(args = [1_000, 100_000], sample_count = 1000, sample_size = 1)]
fn frame(bencher: Bencher<'_, '_>, keys: u32) {
    let (mut app, mut terminal, theme) = (busy(keys), terminal(), Theme::colour());
    let mut at = 10_000;
    bencher.bench_local(|| {
        at += 1;
        app.update(Msg::Key(Key::char('j')), moment(at));
        draw(&mut terminal, &app, &theme);
    });
}

/// The same with the chart all over the screen.
#[divan::bench(sample_count = 1000, sample_size = 1)]
fn frame_of_the_chart(bencher: Bencher<'_, '_>) {
    let (mut app, mut terminal, theme) = (busy(100_000), terminal(), Theme::colour());
    app.update(Msg::Key(Key::plain(Code::Tab)), moment(10_000));
    app.update(Msg::Key(Key::char('f')), moment(10_000));
    assert_eq!(app.mode(), Mode::Chart);
    let mut at = 10_000;
    bencher.bench_local(|| {
        at += 1;
        app.update(Msg::Key(Key::char('h')), moment(at));
        draw(&mut terminal, &app, &theme);
    });
}

/// From the reply to the screen.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn first_paint_of_a_million(bencher: Bencher<'_, '_>) {
    let (data, theme) = (data(1_000_000), Theme::colour());
    let prepare = || {
        let (app, all) = app(&[]);
        (app, terminal(), Some(reply(&all, &data)))
    };
    // By reference, so that to free it all is not measured.
    bencher.with_inputs(prepare).bench_local_refs(|(app, terminal, reply)| {
        if let Some(reply) = reply.take() {
            app.update(Msg::Reply(reply), moment(1));
        }
        draw(terminal, app, &theme);
    });
}

fn million() -> Arc<Answer> {
    let (_, all) = app(&[]);
    Arc::new(reply(&all, &data(1_000_000)).answer)
}

/// By each kind of column, beside the loop.
#[divan::bench(args = ["key", "last", "age", "rate/s"], sample_count = 20, sample_size = 1)]
fn sort_a_million(bencher: Bencher<'_, '_>, column: &str) {
    let answer = million();
    let column = Column::ALL.into_iter().find(|known| known.name() == column);
    let sort = Sort { column, descending: true };
    let selected = answer.series.last().map(|series| series.key.clone());
    bencher.bench_local(|| {
        let (answer, selected) = (Arc::clone(&answer), selected.clone());
        black_box(Job { id: 1, answer, sort, filter: None, selected, now: NOW }.run())
    });
}

/// By an expression, beside the loop.
#[divan::bench(args = ["last > 2000 and age < 5s", "*.disk{1,2}.used*"], sample_count = 20, sample_size = 1)]
fn filter_a_million(bencher: Bencher<'_, '_>, filter: &str) {
    let answer = million();
    let filter: Filter = filter.parse().expect("a filter");
    bencher.bench_local(|| {
        let (answer, filter) = (Arc::clone(&answer), Some(filter.clone()));
        let (sort, selected) = (Sort::default(), None);
        black_box(Job { id: 1, answer, sort, filter, selected, now: NOW }.run())
    });
}

/// What a key press costs while a million rows are to be sorted: the loop only hands them over.
#[divan::bench(sample_count = 200, sample_size = 1)]
fn key_that_sorts_a_million(bencher: Bencher<'_, '_>) {
    let (mut app, all) = app(&[]);
    app.update(Msg::Reply(reply(&all, &data(1_000_000))), moment(1));
    app.update(Msg::Key(Key::char(':')), moment(2));
    app.update(Msg::Key(Key::plain(Code::Tab)), moment(2));
    assert_eq!(app.mode(), Mode::Table);
    let (mut terminal, theme) = (terminal(), Theme::colour());
    bencher.bench_local(|| {
        let effects = app.update(Msg::Key(Key::char('>')), moment(3));
        draw(&mut terminal, &app, &theme);
        effects
    });
}
