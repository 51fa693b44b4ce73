//! The application: [`App::update`] takes a message and says what is to be done. All decisions
//! are here; nothing here does input or output, reads a clock, or knows how it is drawn.

pub mod action;
pub mod ask;
pub mod chart;
mod copy_command;
pub mod editor;
pub mod field;
pub mod help;
pub mod layout;
pub mod link;
pub mod log;
pub mod mode;
mod mouse;
pub mod poll_cost;
pub mod prompt;
pub mod table;
pub mod views;
pub mod watch;

use std::time::Duration;

use jiff::tz::TimeZone;
use shared::Glob;

use crate::effect::Effect;
use crate::event::{Event, KeyCode, KeyPress, Moment};
use crate::keymap;
use crate::metrics::alerts::Alerts;
use crate::metrics::expression::Alert;
use crate::metrics::sort::TableSpec;
use crate::text::escape::escape_untrusted;
use action::Action;
use ask::Ask;
use chart::viewport::Viewport;
use field::Field;
use help::Help;
use layout::Layout;
use link::{Link, State};
use log::recorder::Recorder;
use log::{Log, Tone};
use mode::{Mode, Pane};
use poll_cost::PollCost;
use prompt::Prompt;
use prompt::action::PromptAction;
use prompt::known_keys::KnownKeys;
use prompt::paste::{Import, Pasted};
use table::Table;
use watch::{Extension, Watch};

/// A request that waits longer than this is shown as such.
pub const SLOW: Duration = Duration::from_secs(1);

/// What is said stays this long, or until the next key.
const NOTICE: Duration = Duration::from_secs(8);

/// What the application is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// `host:port`, to show.
    pub address: String,
    /// Between two polls.
    pub interval: Duration,
    /// The keys and globs to watch from the start.
    pub watch: Vec<Glob>,
    /// What should not be.
    pub alerts: Vec<Alert>,
    /// How the table is arranged at the start.
    pub arrangement: TableSpec,
    /// In which times of day are shown.
    pub zone: TimeZone,
    /// Memory for the log, in bytes.
    pub log_memory: usize,
    /// The log gets every line that goes over the wire.
    pub raw_log: bool,
    /// Of the random waits before the client connects again.
    pub reconnect_seed: u64,
    /// The terminal is tmux, which passes on what is copied only when it is told to.
    pub in_tmux: bool,
}

/// Something said on the bottom line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What.
    pub text: String,
    /// How.
    pub tone: Tone,
    /// When it has been read.
    pub until: Duration,
    /// It is the list of what completes the word.
    pub completions: bool,
}

/// The whole state.
#[derive(Debug)]
pub struct App {
    address: String,
    interval: Duration,
    zone: TimeZone,
    width: u16,
    height: u16,
    now: Moment,
    mode: Mode,
    pane: Pane,
    upper: Pane,
    help: Help,
    prompt: Prompt,
    keys: KnownKeys,
    pasted: Option<Pasted>,
    import: Option<Import>,
    /// Pasted lines that are sent one by one.
    few: Option<prompt::paste::Few>,
    ask: Ask,
    log: Log,
    table: Table,
    watch: Watch,
    link: Link,
    notice: Option<Notice>,
    /// The request that the table repeats.
    wanted: String,
    /// Nothing is asked for but what a person wants.
    paused: bool,
    refresh_once: bool,
    refresh_at: Duration,
    recorder: Recorder,
    alerts: Alerts,
    look: Viewport,
    field: Option<Field>,
    poll_cost: PollCost,
    extension: Extension,
    /// What the last answer with all keys took.
    all_took: Option<Duration>,
    /// The interval that the server can keep, when it is longer than the one wanted.
    stretched: Option<Duration>,
    /// Effects of what was just decided, besides those that are returned directly.
    wishes: Vec<Effect>,
    in_tmux: bool,
}

impl App {
    /// The state at the start, on a screen of this size.
    pub fn new(config: Config, width: u16, height: u16, now: Moment) -> Self {
        let watch = watch::with_alerted(&config.watch, &config.alerts);
        let (mode, first) = match watch[..] {
            [] => (Mode::Prompt, Pane::Table),
            // Who asks for them at the start wants to look at them.
            _ => (Mode::Watch, Pane::Watch),
        };
        Self {
            address: config.address,
            interval: config.interval,
            zone: config.zone,
            width,
            height,
            now,
            mode,
            pane: first,
            upper: first,
            help: Help::default(),
            prompt: Prompt::default(),
            keys: KnownKeys::default(),
            pasted: None,
            import: None,
            ask: Ask::default(),
            log: Log::new(config.log_memory),
            table: Table::new("get *").arranged_as(config.arrangement),
            watch: Watch::new(watch),
            link: Link::new(config.reconnect_seed),
            notice: None,
            wanted: "get *".to_owned(),
            paused: false,
            refresh_once: false,
            refresh_at: Duration::ZERO,
            recorder: Recorder::new(config.raw_log),
            alerts: Alerts::new(&config.alerts),
            few: None,
            look: Viewport::default(),
            field: None,
            poll_cost: PollCost::default(),
            extension: Extension::default(),
            all_took: None,
            stretched: None,
            wishes: Vec::new(),
            in_tmux: config.in_tmux,
        }
    }

    /// What is to be done first.
    pub fn start(&self) -> Vec<Effect> {
        vec![Effect::Connect]
    }

    /// Takes a message; what it returns is to be done in that order.
    pub fn update(&mut self, msg: Event, now: Moment) -> Vec<Effect> {
        let mut effects = self.take(msg, now);
        effects.extend(self.probe(now));
        self.wishes.extend(self.table.take_garbage().into_iter().map(Effect::Discard));
        effects.append(&mut self.wishes);
        effects
    }

    fn take(&mut self, msg: Event, now: Moment) -> Vec<Effect> {
        self.now = now;
        self.notice.take_if(|notice| notice.until <= now.elapsed);
        match msg {
            Event::Key(key) => return self.on_key(key, now),
            Event::Mouse(mouse) => return self.on_mouse(mouse, now),
            Event::Paste(text) => {
                self.notice = None;
                self.paste(&text);
            }
            Event::Resize { width, height } => {
                (self.width, self.height) = (width, height);
                let rows = self.layout().table_rows();
                self.table.move_by(0, rows);
            }
            Event::Tick => {
                self.work_on_log();
                // While nobody asks, nothing is known of what has come.
                if self.alerts.counts_time() && !self.paused {
                    self.judge_watched(now);
                }
                if self.link.try_now(now.elapsed) {
                    return vec![Effect::Connect];
                }
            }
            Event::Connected => return self.on_connected(now),
            Event::Disconnected(reason) => {
                self.on_disconnected(&reason, now);
                self.lose_import(now);
            }
            Event::NotSent { id } => self.on_not_sent(id, now),
            Event::Progress { id, points } => self.link.progress(id, points),
            Event::ReplyBegins { id, status } => self.on_reply_begins(id, status, now),
            Event::Lines { id, status, lines } => self.on_lines(id, status, &lines, now),
            Event::Reply(reply) => self.on_reply(*reply, now),
            Event::Import(news) => self.on_import(&news, now),
            Event::History(lines) => self.prompt.load(lines),
            Event::Saved { path, lines } => self.on_saved(&path, lines),
            Event::NotSaved { path, reason } => self.on_not_saved(&path, &reason, now),
            Event::FileFailed(reason) => {
                self.note(now, Tone::Bad, &reason);
                self.say(Tone::Bad, reason);
            }
            Event::Sorted(arranged) => {
                let rows = self.layout().table_rows();
                let job = self.table.arranged(arranged, rows, now.unix());
                self.wishes.extend(job.map(Effect::Arrange));
            }
            Event::Terminate => return vec![Effect::Quit],
        }
        self.poll(now)
    }

    fn on_key(&mut self, key: KeyPress, now: Moment) -> Vec<Effect> {
        let listed = self.notice.take().is_some_and(|notice| notice.completions);
        if let Some(action) = keymap::lookup(self.mode, key) {
            if listed && action == Action::Prompt(PromptAction::Clear) {
                // The list was above the line, and is gone by now.
                return Vec::new();
            }
            return self.perform(action, now);
        }
        match (key.code, key.ctrl, key.alt) {
            _ if self.mode.is_for_reading() => self.say_unbound(key),
            (KeyCode::Char(c), false, false) => self.type_char(c),
            _ => {}
        }
        Vec::new()
    }

    fn say_unbound(&mut self, key: KeyPress) {
        let help = [KeyPress::char('?'), KeyPress::plain(KeyCode::F(1))].into_iter();
        let help = help.filter(|&key| keymap::lookup(self.mode, key) == Some(Action::Help));
        let Some(help) = help.map(keymap::name).next() else { return };
        let name = escape_untrusted(keymap::name(key).as_bytes());
        self.say(Tone::Quiet, format!("{name} does nothing here; {help} lists what does"));
    }

    fn type_char(&mut self, c: char) {
        let mut bytes = [0; 4];
        let text = &*c.encode_utf8(&mut bytes);
        match self.mode {
            Mode::Prompt | Mode::Recall | Mode::Ask => self.type_text(text),
            Mode::HelpSearch => self.search_help(c),
            Mode::Field => self.type_in_field(text),
            Mode::Table
            | Mode::Watch
            | Mode::Chart
            | Mode::Columns
            | Mode::Log
            | Mode::Help
            | Mode::Confirm => {}
        }
    }

    /// When the application wants a [`Event::Tick`], if nothing else happens before.
    pub fn next_wake(&self) -> Option<Duration> {
        let now = self.now.elapsed;
        let retry = match self.link.state() {
            State::Waiting { until, .. } => Some(*until),
            _ => None,
        };
        let slow = self.link.oldest().map(|oldest| {
            let waited = now.saturating_sub(oldest.since).as_secs();
            oldest.since + SLOW.max(Duration::from_secs(waited + 1))
        });
        let fresh = self.watch.keys().iter().filter_map(watch::Watched::fresh_until);
        let fresh = fresh.filter(|&until| until > now).min();
        let notice = self.notice.as_ref().map(|notice| notice.until);
        let busy = self.log.is_busy().then_some(now);
        [busy, retry, slow, fresh, notice, self.next_poll(), self.next_age()]
            .into_iter()
            .flatten()
            .min()
    }

    /// When an age on the screen grows: every second while one is counted in seconds, else every
    /// minute, and never when there is none.
    fn next_age(&self) -> Option<Duration> {
        let layout = self.layout();
        let rows = self.table.visible(layout.table_rows());
        let watched = self.watch.keys().iter().filter_map(|key| key.series.as_ref());
        let shown = watched.filter(|_| layout.watch.is_some());
        let times = rows.chain(shown).map(|series| series.last.timestamp);
        let newest = times.max()?;
        let young = self.now.unix().saturating_sub(newest) < 60;
        let period: i64 = if young || self.alerts.counts_time() { 1000 } else { 60_000 };
        let left = (period - self.now.unix_ms.rem_euclid(period)).unsigned_abs();
        Some(self.now.elapsed + Duration::from_millis(left))
    }

    /// Where the keys go, or will go again when what lies over it is closed.
    pub fn beneath(&self) -> Mode {
        let mode = if self.mode.is_help() { self.help.before() } else { self.mode };
        match &self.field {
            Some(field) if mode == Mode::Field => field.back,
            _ => mode,
        }
    }

    /// Where everything goes on the screen.
    pub fn layout(&self) -> Layout {
        let watching = !self.watch.is_empty();
        if self.beneath() == Mode::Chart {
            return Layout::full(self.width, self.height);
        }
        if self.log.is_enlarged() {
            return Layout::log_only(self.width, self.height);
        }
        Layout::new(self.width, self.height, self.pane, self.upper, watching)
    }

    /// `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Between two polls.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// The zone for times of day.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The moment of the last message.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// Where the keys go.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The list of keys.
    pub fn help(&self) -> &Help {
        &self.help
    }

    /// The command line.
    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// The wire log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The last answer.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The watched keys.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Whether the server knows the selector extension of the protocol.
    pub fn extension(&self) -> Extension {
        self.extension
    }

    /// The connection.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// What is said on the bottom line.
    pub fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    /// Nothing is asked for but what a person wants.
    pub fn paused(&self) -> bool {
        self.paused
    }
}
