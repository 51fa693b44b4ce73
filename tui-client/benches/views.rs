//! What the screen costs: `cargo bench -p tui-client --bench views`. At the end stand percentiles of
//! the time for a frame, and the way of a million keys from the wire to the screen, which the table
//! of the others does not have.
//!
//! Held against: a frame at 200x50 with 100,000 keys and a full log under 2 ms; 1 M keys painted
//! within 50 ms of their reply, sorted within 200 ms beside the loop that takes the keys.

#![allow(clippy::expect_used, reason = "a panic is the report")]

#[path = "../../shared/benches/measure/mod.rs"]
mod measure;

use std::cell::RefCell;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use measure::Measure;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use shared::client::ConnectOptions;
use shared::response::Status;
use tui_client::app::{App, AppConfig};
use tui_client::effect::{ComputeJob, Effect, NetworkOrder, Outgoing};
use tui_client::event::{Event, FollowNews, KeyCode, KeyPress, Moment};
use tui_client::keymap::{Abilities, Mode};
use tui_client::metrics::column::Column;
use tui_client::metrics::filter::Filter;
use tui_client::metrics::reply::{Reply, ReplyBuilder};
use tui_client::metrics::series::summary::Answer;
use tui_client::metrics::sort::{Sort, SortJob, TableSpec};
use tui_client::session::View;
use tui_client::system::net;
use tui_client::view::theme::{Theme, colour::Depth};
use tui_client::view::{self, PlotCache};

const NOW: i64 = 1_700_000_000;
const SIZE: (u16, u16) = (200, 50);

fn main() {
    let mut measure = Measure::from_args();
    measure.samples(1000);
    let own = Theme::built_in("midnight", Depth::True).expect("it is built in").expect("it is one");
    for (theme, of_theme) in [(Theme::colour(), ""), (own, " in midnight")] {
        for keys in [1_000, 100_000] {
            frame(&measure, keys, &theme, of_theme);
        }
        frame_of_the_chart(&measure, &theme, of_theme);
    }
    measure.samples(20);
    first_paint_of_a_million(&measure);
    for column in ["key", "last", "age", "rate/s"] {
        sort_a_million(&measure, column);
    }
    for filter in ["last > 2000 and age < 5s", "*.disk{1,2}.used*"] {
        filter_a_million(&measure, filter);
    }
    measure.samples(50);
    key_that_sorts_a_million(&measure);
    if measure.is_asked() {
        percentiles();
        from_the_wire();
    }
}

/// The processor time of this thread.
#[cfg(unix)]
fn processor_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};

    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// The time by the clock, where the processor time of a thread is not known.
#[cfg(windows)]
fn processor_time() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Times of one kind of turn of the loop: what a message makes the application do, and the frame
/// after it. By the clock, which counts what others do on a busy machine, and by the processor
/// time of it alone.
#[derive(Default)]
struct Turns {
    by_clock: Vec<Duration>,
    alone: Vec<Duration>,
}

impl Turns {
    fn measure<T>(&mut self, turn: impl FnOnce() -> T) -> T {
        let (start, used) = (Instant::now(), processor_time());
        let outcome = turn();
        self.by_clock.push(start.elapsed());
        self.alone.push(processor_time().saturating_sub(used));
        outcome
    }

    fn print(&self, name: &str) {
        for (how, times) in [("by the clock", &self.by_clock), ("processor time", &self.alone)] {
            let mut times = times.clone();
            times.sort_unstable();
            let at = |per_cent: usize| times[times.len() * per_cent / 100];
            let (half, most, worst) = (at(50), at(99), times[times.len() - 1]);
            println!(
                "{name:<44} {how:<14} p50 {half:>9.2?}  p99 {most:>9.2?}  worst {worst:>9.2?}  \
                 ({} frames)",
                times.len()
            );
        }
    }
}

/// Frames of 100,000 keys with a chart of 65,536 points, while the log is full and raw: after a
/// moved selection, a typed character, a thousand lines for the log, an answer with all keys, and
/// when that is arranged.
fn percentiles() {
    let Busy { mut app, all, text, lines } = busy(100_000);
    let (mut screen, theme) = (screen(), Theme::colour());
    // Ordered by a column, so that each answer has to be arranged.
    let effects = app.update(Event::Key(KeyPress::char('>')), moment(10_000));
    app.update(arranged(effects), moment(10_000));
    let names = [
        "a moved selection",
        "a typed character",
        "1000 lines for the log",
        "an answer with all keys",
        "the answer arranged",
    ];
    let mut turns: [Turns; 5] = Default::default();
    let mut request = all;
    for round in 0..100 {
        let now = moment(10_000 + 1000 * round);
        for _ in 0..40 {
            let msg = Event::Key(KeyPress::char('j'));
            turns[0].measure(|| (app.update(msg, now), draw(&mut screen, &app, &theme)));
        }
        app.update(Event::Key(KeyPress::char(':')), now);
        for c in "put palm.cpu 23.7 1150864247 ".chars() {
            let msg = Event::Key(KeyPress::char(c));
            turns[1].measure(|| (app.update(msg, now), draw(&mut screen, &app, &theme)));
        }
        app.update(Event::Key(KeyPress::ctrl('u')), now);
        app.update(Event::Key(KeyPress::plain(KeyCode::Tab)), now);
        assert_eq!(app.mode(), Mode::Table);
        let (id, status) = (request.id, Status::Ok);
        app.update(Event::ReplyBegins { id, status }, now);
        for _ in 0..20 {
            let msg = Event::Lines { id, status, lines: lines.clone() };
            turns[2].measure(|| (app.update(msg, now), draw(&mut screen, &app, &theme)));
        }
        let msg = Event::Reply(reply(&request, &text));
        // What is let go is freed beside the loop, so it is not measured.
        let (effects, ()) =
            turns[3].measure(|| (app.update(msg, now), draw(&mut screen, &app, &theme)));
        let msg = arranged(effects);
        let _freed = turns[4].measure(|| (app.update(msg, now), draw(&mut screen, &app, &theme)));
        let effects = app.update(Event::Tick, moment(10_999 + 1000 * round));
        request = self::request(effects, "get *");
    }
    let mut all = Turns::default();
    println!("frames at 200x50, 100,000 keys, {} lines in the log", app.log().len());
    for (name, turns) in names.into_iter().zip(turns) {
        turns.print(&format!("  after {name}"));
        all.by_clock.extend(turns.by_clock);
        all.alone.extend(turns.alone);
    }
    all.print("  all of them");
}

/// A million keys, from a server on this machine that has its answer ready: from the moment at
/// which its last byte is handed to the system to the end of the first frame that shows them.
fn from_the_wire() {
    let answer = [b"ok\n", &data(1_000_000)[..], b"\n"].concat();
    let listener = TcpListener::bind("localhost:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let (told, written) = mpsc::channel();
    let serving = thread::spawn(move || {
        for stream in listener.incoming().take(ROUNDS) {
            let mut stream = stream.expect("a connection");
            let mut request = String::new();
            BufReader::new(&stream).read_line(&mut request).expect("a request");
            stream.write_all(&answer).expect("all of it is taken");
            told.send(Instant::now()).expect("the receiver waits");
            // Until the other side goes.
            let _ = BufReader::new(&stream).read_line(&mut request);
        }
    });
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let tokio = tokio.expect("a runtime");
    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let painted = tokio.block_on(first_paint(port));
            painted.saturating_duration_since(written.recv().expect("it was written"))
        })
        .collect();
    serving.join().expect("it has served");
    times.sort_unstable();
    println!(
        "a million keys, from the last byte written to them to the end of the frame: p50 {:.2?}, \
         worst {:.2?}",
        times[ROUNDS / 2],
        times[ROUNDS - 1]
    );
}

/// Times that a million keys are asked for.
const ROUNDS: usize = 7;

async fn first_paint(port: u16) -> Instant {
    let (orders, queue) = tokio::sync::mpsc::channel(16);
    let (told, mut msgs) = tokio::sync::mpsc::channel(16);
    let config = AppConfig { alerts: Vec::new(), ..config(&[], false) };
    let mut app = App::new(config, SIZE.0, SIZE.1, moment(0));
    let (mut screen, theme) = (screen(), Theme::colour());
    let mut server = ConnectOptions::new("localhost", port);
    server.reply_timeout = Duration::from_secs(60);
    let network = tokio::spawn(net::run(server, queue, told.clone(), told));
    orders.send(NetworkOrder::Connect).await.expect("it takes orders");
    loop {
        let msg = msgs.recv().await.expect("it goes on");
        let last = matches!(msg, Event::Reply(_));
        let effects = app.update(msg, moment(1));
        if last {
            draw(&mut screen, &app, &theme);
            network.abort();
            let painted = Instant::now();
            assert_eq!(app.table().rows(), 1_000_000);
            return painted;
        }
        for effect in effects {
            if let Effect::Network(NetworkOrder::Send(request)) = effect {
                orders.send(NetworkOrder::Send(request)).await.expect("it takes orders");
            }
        }
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
        let host = u64::from(at) * 7919 % 100_000;
        let key = format!("host{host:05}.disk{}.used_bytes", at / 100_000);
        let value = f64::from(at.wrapping_mul(2_654_435_761) % 1_000_000) / 100.0;
        let (before, last) = (NOW - 10, NOW - i64::from(at % 9));
        let _ = writeln!(text, "{key} {:?} {before}\n{key} {value:?} {last}", value + 1.0);
    }
    text.into_bytes()
}

fn reply(request: &Outgoing, data: &[u8]) -> Box<Reply> {
    let mut builder = ReplyBuilder::new(Status::Ok, request.capture);
    builder = builder.watching(request.watched.clone());
    builder.add_lines(data);
    let took = Duration::from_millis(1);
    Box::new(builder.finish(request.id, took, took))
}

fn request(effects: Vec<Effect>, line: &str) -> Outgoing {
    let mut sent = effects.into_iter().filter_map(|effect| match effect {
        Effect::Network(NetworkOrder::Send(request)) if request.line == line => Some(request),
        _ => None,
    });
    sent.next().expect("the request goes out")
}

/// What is to be arranged, arranged.
fn arranged(effects: Vec<Effect>) -> Event {
    let job = effects.into_iter().find_map(|effect| match effect {
        Effect::Compute(ComputeJob::Sort(job)) => Some(job),
        _ => None,
    });
    Event::Sorted(job.expect("it is to be arranged").run())
}

fn config(watch: &[&str], raw_log: bool) -> AppConfig {
    AppConfig {
        address: "localhost:10001".to_owned(),
        sources: Vec::new(),
        interval: Duration::from_secs(1),
        watch: watch.iter().map(|glob| glob.parse().expect("a glob")).collect(),
        alerts: vec!["host00001.disk0.used_bytes > 5000".parse().expect("an alert")],
        table: TableSpec::default(),
        zone: TimeZone::UTC,
        log_memory: LOG_MEMORY,
        raw_log,
        reconnect_seed: 0,
        abilities: Abilities::default(),
        replayed: None,
        view: View::default(),
        tls: Vec::new(),
        view_file: None,
    }
}

/// Connected to a server without selectors, asking for everything.
fn app(watch: &[&str], raw_log: bool) -> (App, Outgoing) {
    let mut app = App::new(config(watch, raw_log), SIZE.0, SIZE.1, moment(0));
    let effects = app.update(Event::Connected, moment(0));
    let follow = effects.into_iter().find_map(|effect| match effect {
        Effect::Network(NetworkOrder::Follow { id, .. }) => Some(id),
        _ => None,
    });
    let news = FollowNews::Refused("wrong command".to_owned());
    let refused = Event::Follow { id: follow.expect("it is tried"), news };
    let effects = app.update(refused, moment(0));
    (app, request(effects, "get *"))
}

struct Screen {
    terminal: Terminal<TestBackend>,
    plots: PlotCache,
}

fn screen() -> Screen {
    let terminal = Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).expect("memory");
    Screen { terminal, plots: PlotCache::default() }
}

fn draw(screen: &mut Screen, app: &App, theme: &Theme) {
    let Screen { terminal, plots } = screen;
    terminal.draw(|frame| view::draw(app, theme, plots, frame)).expect("memory");
}

/// The default of `--log-memory`.
const LOG_MEMORY: usize = 64 * 1024 * 1024;

/// More lines than fit that memory, in pieces of a thousand.
const PIECES: u32 = 3000;

/// A table of many keys, a chart of 65,536 points, a full log.
struct Busy {
    app: App,
    /// The request whose answer is due.
    all: Outgoing,
    /// An answer.
    text: Vec<u8>,
    /// A thousand lines.
    lines: String,
}

fn busy(keys: u32) -> Busy {
    let watched = "host00000.disk0.used_bytes";
    let (mut app, all) = app(&[watched], true);
    let mut text = data(keys);
    for at in 0..65_536 {
        let value = (f64::from(at) / 2400.0).sin();
        let line = format!("{watched} {value:?} {}\n", NOW - 65_536 + i64::from(at));
        text.extend_from_slice(line.as_bytes());
    }
    let mut lines = String::new();
    for at in 0..1000 {
        let _ = writeln!(lines, "host{at:05}.disk0.used_bytes {at}.25 {}", NOW + at);
    }
    let (id, status) = (all.id, Status::Ok);
    app.update(Event::ReplyBegins { id, status }, moment(1));
    for _ in 0..PIECES {
        app.update(Event::Lines { id, status, lines: lines.clone() }, moment(1));
    }
    let kept = app.log().len();
    assert!(kept > 500_000 && kept < u64::from(PIECES) * 1000, "{kept} lines in the log");
    app.update(Event::Reply(reply(&all, &text)), moment(1));
    // From the watched keys to the table.
    app.update(Event::Key(KeyPress::char(':')), moment(2));
    app.update(Event::Key(KeyPress::plain(KeyCode::Tab)), moment(2));
    assert_eq!(app.mode(), Mode::Table);
    assert!(app.table().rows() >= keys as usize);
    let all = request(app.update(Event::Tick, moment(2000)), "get *");
    Busy { app, all, text, lines }
}

/// A frame while nothing but one line changes.
fn frame(measure: &Measure, keys: u32, theme: &Theme, of_theme: &str) {
    let name = format!("frame {keys}{of_theme}");
    if !measure.wants(&name) {
        return;
    }
    let (mut app, mut screen) = (busy(keys).app, screen());
    let mut at = 10_000;
    measure.run_single(&name, || {
        at += 1;
        app.update(Event::Key(KeyPress::char('j')), moment(at));
        draw(&mut screen, &app, theme);
    });
}

/// The same with the chart all over the screen.
fn frame_of_the_chart(measure: &Measure, theme: &Theme, of_theme: &str) {
    let name = format!("frame_of_the_chart{of_theme}");
    if !measure.wants(&name) {
        return;
    }
    let (mut app, mut screen) = (busy(100_000).app, screen());
    app.update(Event::Key(KeyPress::plain(KeyCode::Tab)), moment(10_000));
    app.update(Event::Key(KeyPress::char('f')), moment(10_000));
    assert_eq!(app.mode(), Mode::Chart);
    let mut at = 10_000;
    measure.run_single(&name, || {
        at += 1;
        app.update(Event::Key(KeyPress::char('h')), moment(at));
        draw(&mut screen, &app, theme);
    });
}

/// From the reply, parsed and folded, to the screen.
fn first_paint_of_a_million(measure: &Measure) {
    let name = "first_paint_of_a_million";
    if !measure.wants(name) {
        return;
    }
    let (data, theme) = (data(1_000_000), Theme::colour());
    let prepare = || {
        let (app, all) = app(&[], false);
        (app, screen(), reply(&all, &data))
    };
    // All of it is returned, so that to free it is not measured.
    measure.run_with(name, prepare, |(mut app, mut screen, reply)| {
        app.update(Event::Reply(reply), moment(1));
        draw(&mut screen, &app, &theme);
        (app, screen)
    });
}

fn million() -> Arc<Answer> {
    let (_, all) = app(&[], false);
    Arc::new(reply(&all, &data(1_000_000)).answer)
}

/// By each kind of column, beside the loop.
fn sort_a_million(measure: &Measure, column: &str) {
    let name = format!("sort_a_million {column}");
    if !measure.wants(&name) {
        return;
    }
    let answer = million();
    let column = Column::ALL.into_iter().find(|known| known.name() == column);
    let sort = Sort { column, descending: true };
    measure.run_single(&name, || {
        let answer = Arc::clone(&answer);
        black_box(SortJob { id: 1, answer, sort, filter: None, is_compared: false, now: NOW }.run())
    });
}

/// By an expression, beside the loop.
fn filter_a_million(measure: &Measure, filter: &str) {
    let name = format!("filter_a_million {filter}");
    if !measure.wants(&name) {
        return;
    }
    let answer = million();
    let filter: Filter = filter.parse().expect("a filter");
    measure.run_single(&name, || {
        let (answer, filter) = (Arc::clone(&answer), Some(filter.clone()));
        black_box(
            SortJob { id: 1, answer, sort: Sort::default(), filter, is_compared: false, now: NOW }
                .run(),
        )
    });
}

/// What a key press costs while a million rows are to be sorted: the loop only hands them over.
fn key_that_sorts_a_million(measure: &Measure) {
    let name = "key_that_sorts_a_million";
    if !measure.wants(name) {
        return;
    }
    let (mut app, all) = app(&[], false);
    app.update(Event::Reply(reply(&all, &data(1_000_000))), moment(1));
    app.update(Event::Key(KeyPress::char(':')), moment(2));
    app.update(Event::Key(KeyPress::plain(KeyCode::Tab)), moment(2));
    assert_eq!(app.mode(), Mode::Table);
    let (mut screen, theme) = (screen(), Theme::colour());
    let app = RefCell::new(app);
    let asked = RefCell::new(Vec::new());
    // Each time from the order of the reply on.
    let finish = |effects: Vec<Effect>| {
        if !effects.is_empty() {
            app.borrow_mut().update(arranged(effects), moment(3));
        }
        app.borrow_mut().update(Event::Key(KeyPress::char('0')), moment(3));
    };
    measure.run_with(
        name,
        || finish(asked.take()),
        |()| {
            let effects = app.borrow_mut().update(Event::Key(KeyPress::char('>')), moment(3));
            draw(&mut screen, &app.borrow(), &theme);
            asked.replace(effects)
        },
    );
}
