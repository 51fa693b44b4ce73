//! A screen without a terminal over a real connection. Its wall clock stands still, so that two of
//! them can be compared.

use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tui_client::app::{App, AppConfig};
use tui_client::effect::{ComputeJob, Effect, FileJob, NetworkOrder};
use tui_client::event::{Event, KeyCode, KeyPress, Moment};
use tui_client::keymap::Mode;
use tui_client::session::{self, SessionFile};
use tui_client::system::net::{self, Peer};
use tui_client::view::{self, PlotCache, theme::Theme};

use crate::harness::scene::typed;
use crate::harness::wait::PATIENCE;

pub struct Desk {
    pub app: App,
    orders: mpsc::Sender<NetworkOrder>,
    events: mpsc::Receiver<Event>,
    start: Instant,
    unix: i64,
    size: (u16, u16),
    /// The session that was saved last.
    pub saved: Vec<u8>,
    /// The view that was saved last.
    pub view: String,
}

impl Desk {
    /// A screen at this Unix time.
    pub fn new(peer: Peer, config: AppConfig, unix: i64, size: (u16, u16)) -> Self {
        let (orders, queue) = mpsc::channel(1024);
        let (sender, events) = mpsc::channel(1024);
        tokio::spawn(net::run(peer, queue, sender.clone(), sender));
        let now = Moment { elapsed: Duration::ZERO, unix_ms: unix * 1000 };
        let app = App::new(config, size.0, size.1, now);
        let (start, saved, view) = (Instant::now(), Vec::new(), String::new());
        let mut desk = Self { app, orders, events, start, unix, size, saved, view };
        let effects = desk.app.start();
        desk.perform(effects);
        desk
    }

    fn tell(&mut self, event: Event) {
        let now = Moment { elapsed: self.start.elapsed(), unix_ms: self.unix * 1000 };
        let effects = self.app.update(event, now);
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Network(order) => self.orders.try_send(order).unwrap(),
                Effect::Compute(ComputeJob::Sort(job)) => self.tell(Event::Sorted(job.run())),
                Effect::File(FileJob::SaveView { path, text, .. }) => {
                    self.view = text;
                    self.tell(Event::ViewSaved { path: path.clone(), typed: path });
                }
                Effect::File(FileJob::SaveSession { path, session, left_out }) => {
                    self.saved.clear();
                    let lines = session::write(&mut self.saved, &session).unwrap();
                    let keys = session.recording.len() as u64;
                    let points = session.recording.points() as u64;
                    let bytes = self.saved.len() as u64;
                    self.tell(Event::SessionSaved(Box::new(SessionFile {
                        path,
                        keys,
                        points,
                        lines,
                        bytes,
                        left_out,
                    })));
                }
                _ => {}
            }
        }
    }

    pub fn keys(&mut self, keys: &str) {
        for key in typed(keys) {
            self.press(key);
        }
    }

    /// Presses Tab until a pane has the keys.
    pub fn to(&mut self, mode: Mode) {
        for _ in 0..5 {
            if self.app.mode() != mode {
                self.press(KeyPress::plain(KeyCode::Tab));
            }
        }
        assert_eq!(self.app.mode(), mode);
    }

    pub fn notice(&self) -> &str {
        self.app.notice().map_or("", |notice| &notice.text)
    }

    pub fn press(&mut self, key: KeyPress) {
        self.tell(Event::Key(key));
    }

    /// Takes what comes until something holds.
    pub async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < end, "waiting for {what}: {}", self.text());
            let wake =
                self.app.next_wake().map_or(PATIENCE, |at| at.saturating_sub(self.start.elapsed()));
            match timeout(wake.min(PATIENCE), self.events.recv()).await {
                Ok(event) => self.tell(event.expect("the connections stand")),
                Err(_) => self.tell(Event::Tick),
            }
        }
    }

    /// What is on the screen.
    pub fn screen(&self) -> Buffer {
        let (width, height) = self.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let (theme, mut plots) = (Theme::colour(), PlotCache::default());
        terminal.draw(|frame| view::draw(&self.app, &theme, &mut plots, frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    /// Its text, a line for each row.
    pub fn text(&self) -> String {
        let screen = self.screen();
        let rows = screen.content().chunks(usize::from(self.size.0));
        rows.map(|row| row.iter().map(Cell::symbol).collect::<String>() + "\n").collect()
    }

    /// The screen without its top line, the log and the bottom line.
    pub fn panes(&self) -> String {
        let (text, log) = (self.text(), self.app.layout().log.unwrap_or_default());
        let rows = (0..self.size.1 - 1).zip(text.lines());
        let is_shown = |row: u16| row > 0 && !(log.y..log.y + log.height).contains(&row);
        rows.filter(|&(row, _)| is_shown(row)).map(|(_, line)| format!("{line}\n")).collect()
    }

    /// The screen below its top line.
    pub fn below_top(&self) -> String {
        self.text().split_once('\n').unwrap().1.to_owned()
    }
}
