//! What the log costs when it is short, when it has ten million lines, and when its memory is full
//! so that old lines have to go: `cargo bench -p tui-client --bench log`. All three are to be alike.

#![allow(clippy::expect_used, reason = "a panic is the report")]

#[path = "../../shared/benches/measure/mod.rs"]
mod measure;

use std::fmt::Write as _;
use std::time::Duration;

use jiff::tz::TimeZone;
use measure::Measure;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use shared::response::Status;
use tui_client::app::{App, AppConfig};
use tui_client::effect::{Effect, NetworkOrder};
use tui_client::event::{Event, KeyCode, KeyPress, Moment};
use tui_client::keymap::{Abilities, Mode};
use tui_client::metrics::sort::TableSpec;
use tui_client::session::View;
use tui_client::view::{self, PlotCache, theme::Theme};

const NOW: i64 = 1_700_000_000_000;

/// Lines that come in one piece.
const PIECE: u64 = 1000;

/// How it is filled.
#[derive(Debug, Clone, Copy)]
enum Fill {
    Short,
    TenMillion,
    Full,
}

const FILLS: [Fill; 3] = [Fill::Short, Fill::TenMillion, Fill::Full];

fn main() {
    let mut measure = Measure::from_args();
    for fill in FILLS {
        measure.samples(500);
        a_thousand_lines(&measure, fill);
        frame(&measure, fill);
        measure.samples(200);
        step_of_a_search(&measure, fill);
    }
}

fn moment(millis: u64) -> Moment {
    let unix_ms = NOW + i64::try_from(millis).unwrap_or(0);
    Moment { elapsed: Duration::from_millis(millis), unix_ms }
}

fn piece(from: u64) -> String {
    let mut lines = String::new();
    for at in from..from + PIECE {
        let _ = writeln!(lines, "host{:04}.disk.used {at}.5 {}", at % 1000, 1_700_000_000 + at);
    }
    lines
}

/// A client whose log is in sight and raw, in the middle of a long reply.
struct Busy {
    app: App,
    id: u64,
    at: u64,
}

impl Busy {
    fn new(fill: Fill) -> Self {
        let (lines, mebibytes) = match fill {
            Fill::Short => (PIECE, 64),
            Fill::TenMillion => (10_000_000, 1024),
            Fill::Full => (5_000_000, 64),
        };
        let config = AppConfig {
            address: "localhost:10001".to_owned(),
            sources: Vec::new(),
            interval: Duration::from_secs(1),
            watch: Vec::new(),
            alerts: Vec::new(),
            table: TableSpec::default(),
            zone: TimeZone::UTC,
            log_memory: mebibytes * 1024 * 1024,
            raw_log: true,
            reconnect_seed: 0,
            abilities: Abilities::default(),
            replayed: None,
            view: View::default(),
            tls: Vec::new(),
            view_file: None,
        };
        let mut app = App::new(config, 200, 50, moment(0));
        let effects = app.update(Event::Connected, moment(0));
        let id = effects.iter().find_map(|effect| match effect {
            Effect::Network(NetworkOrder::Send(request)) => Some(request.id),
            _ => None,
        });
        let id = id.expect("it asks for everything");
        app.update(Event::ReplyBegins { id, status: Status::Ok }, moment(0));
        let mut busy = Self { app, id, at: 0 };
        while busy.at < lines {
            busy.receive();
        }
        let kept = busy.app.log().len();
        assert!(matches!(fill, Fill::Full) == (kept < lines), "{kept} of {lines} lines are kept");
        busy.app.update(Event::Key(KeyPress::plain(KeyCode::BackTab)), moment(busy.at));
        assert_eq!(busy.app.mode(), Mode::Log);
        busy
    }

    fn receive(&mut self) {
        let (id, status, lines) = (self.id, Status::Ok, piece(self.at));
        self.at += PIECE;
        self.app.update(Event::Lines { id, status, lines }, moment(self.at));
    }

    fn press(&mut self, key: KeyPress) {
        self.at += 1;
        self.app.update(Event::Key(key), moment(self.at));
    }
}

/// A thousand lines are taken in.
fn a_thousand_lines(measure: &Measure, fill: Fill) {
    let name = format!("a_thousand_lines {fill:?}");
    if !measure.wants(&name) {
        return;
    }
    let mut busy = Busy::new(fill);
    measure.run_single(&name, || busy.receive());
}

/// The selection moves up in the log.
fn frame(measure: &Measure, fill: Fill) {
    let name = format!("frame {fill:?}");
    if !measure.wants(&name) {
        return;
    }
    let (mut busy, theme, mut plots) = (Busy::new(fill), Theme::colour(), PlotCache::default());
    let mut terminal = Terminal::new(TestBackend::new(200, 50)).expect("memory");
    measure.run_single(&name, || {
        busy.press(KeyPress::char('k'));
        terminal.draw(|frame| view::draw(&busy.app, &theme, &mut plots, frame)).expect("memory");
    });
}

/// A search for what is not there takes one step after another; a key waits for one at the most.
fn step_of_a_search(measure: &Measure, fill: Fill) {
    let name = format!("step_of_a_search {fill:?}");
    if !measure.wants(&name) {
        return;
    }
    let mut busy = Busy::new(fill);
    measure.run_single(&name, || {
        if busy.app.log().percent().is_none() {
            busy.press(KeyPress::char('/'));
            "nowhere".chars().for_each(|c| busy.press(KeyPress::char(c)));
            busy.press(KeyPress::plain(KeyCode::Enter));
        }
        busy.at += 1;
        busy.app.update(Event::Tick, moment(busy.at));
    });
}
