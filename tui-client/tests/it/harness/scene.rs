//! An application without a terminal, a socket or a clock: the test says what happens and when.

use std::time::Duration;

use jiff::tz::TimeZone;
use shared::response::Status;
use tui_client::app::input::overlay::Overlay;
use tui_client::app::input::overlay::help::Help;
use tui_client::app::input::prompt::paste::Pasted;
use tui_client::app::line_input::{Found, InputPurpose, LineInput};
use tui_client::app::{App, AppConfig};
use tui_client::effect::{Effect, NetworkOrder, Outgoing};
use tui_client::event::{Event, FollowNews, KeyCode, KeyPress, Moment};
use tui_client::keymap::{Abilities, Mode};
use tui_client::metrics::alerts::Alert;
use tui_client::metrics::reply::ReplyBuilder;
use tui_client::metrics::sort::TableSpec;
use tui_client::session::View;
use tui_client::text::escape::escape_untrusted_lines;
use tui_client::view::theme::Theme;

/// 2006-06-21 04:31:00 UTC.
pub const NOW: i64 = 1_150_864_260;

pub struct Scene {
    pub app: App,
    pub now: Moment,
    /// Requests without replies.
    pub sent: Vec<Outgoing>,
    /// How it is drawn when it is looked at.
    pub theme: Theme,
    /// The server has selectors: the test answers for it. Otherwise it refuses to be followed.
    pub has_selectors: bool,
    /// Points that the next reply is too long for.
    pub points_left_out: u64,
    /// What is followed: the id and the selector.
    pub followed: Option<(u64, String)>,
}

/// A key for each character, Enter for the end of a line.
pub fn typed(keys: &str) -> impl Iterator<Item = KeyPress> {
    keys.chars().map(|c| match c {
        '\n' => KeyPress::plain(KeyCode::Enter),
        c => KeyPress::char(c),
    })
}

impl Scene {
    /// The list of keys, which is open.
    pub fn help(&self) -> &Help {
        let Some(Overlay::Help(help, _)) = self.app.input().overlay() else {
            panic!("the list is closed")
        };
        help
    }

    /// The line that is asked for.
    pub fn input(&self) -> &LineInput {
        self.app.input().line().expect("a line is asked for")
    }

    /// How far the search of the history has come.
    pub fn history_search(&self) -> &Found {
        let InputPurpose::HistorySearch(found) = self.input().purpose() else {
            panic!("no search: {:?}", self.input())
        };
        found
    }

    /// The pasted lines that wait for a yes.
    pub fn pasted(&self) -> &Pasted {
        self.app.input().overlay().and_then(Overlay::pasted).expect("lines wait for a yes")
    }

    pub fn new(width: u16, height: u16, watch: &[&str]) -> Self {
        Self::configured(width, height, watch, &[])
    }

    fn configured(width: u16, height: u16, watch: &[&str], alerts: &[&str]) -> Self {
        let alerts: Vec<Alert> = alerts.iter().map(|alert| alert.parse().unwrap()).collect();
        let watch = watch.iter().map(|glob| glob.parse().expect("a glob")).collect();
        Self::with(width, height, AppConfig { watch, alerts, ..config() })
    }

    pub fn with(width: u16, height: u16, config: AppConfig) -> Self {
        let now = Moment { elapsed: Duration::ZERO, unix_ms: NOW * 1000 };
        let app = App::new(config, width, height, now);
        assert_eq!(app.start(), [Effect::Network(NetworkOrder::Connect)]);
        let (sent, theme) = (Vec::new(), Theme::colour());
        let (has_selectors, points_left_out, followed) = (false, 0, None);
        Self { app, now, sent, theme, has_selectors, points_left_out, followed }
    }

    /// Connected, with alerts besides.
    pub fn alerted(width: u16, height: u16, watch: &[&str], alerts: &[&str]) -> Self {
        let mut scene = Self::configured(width, height, watch, alerts);
        scene.tell(Event::Connected);
        scene
    }

    pub fn connected(width: u16, height: u16, watch: &[&str]) -> Self {
        Self::alerted(width, height, watch, &[])
    }

    /// Connected to a server that has answered with [`sample`].
    pub fn with_sample(width: u16, height: u16, watch: &[&str]) -> Self {
        let mut scene = Self::connected(width, height, watch);
        scene.ok("get *", &sample());
        for key in watch {
            scene.ok(&format!("get {key}"), &sample());
        }
        scene
    }

    /// The server has [`park`] and has answered once.
    pub fn parked(width: u16, height: u16, watch: &[&str], alerts: &[&str]) -> Self {
        let mut scene = Self::alerted(width, height, watch, alerts);
        scene.answer_all();
        scene.tell(Event::Resize { width, height });
        scene
    }

    /// Some keys are known and some lines were entered.
    pub fn used(width: u16, height: u16) -> Self {
        let mut scene = Self::connected(width, height, &[]);
        scene.ok("get *", &sample());
        for line in ["put palm.cpu 23.7", "get eardrum.memory_used"] {
            scene.enter(line);
        }
        scene
    }

    /// Says what happened and notes what was sent.
    pub fn tell(&mut self, msg: Event) -> Vec<Effect> {
        let mut effects = self.app.update(msg, self.now);
        self.sent.extend(effects.iter().filter_map(|effect| match effect {
            Effect::Network(NetworkOrder::Send(request)) => Some(request.clone()),
            _ => None,
        }));
        let mut refused = None;
        effects.retain(|effect| match effect {
            Effect::Network(NetworkOrder::Follow { id, selector }) => {
                self.followed = Some((*id, selector.clone()));
                refused = Some(*id).filter(|_| !self.has_selectors);
                false
            }
            Effect::Network(NetworkOrder::EndFeed | NetworkOrder::Unfollow) => {
                self.followed = None;
                false
            }
            _ => true,
        });
        if let Some(id) = refused {
            let news = FollowNews::Refused("wrong command".to_owned());
            effects.extend(self.tell(Event::Follow { id, news }));
        }
        effects
    }

    /// Connected to a server with selectors, which has taken the follow.
    pub fn live(width: u16, height: u16, watch: &[&str], alerts: &[&str]) -> Self {
        Self::configured(width, height, watch, alerts).follow().then(Self::begin)
    }

    /// Connected to a server with selectors, which has not answered yet.
    pub fn follow(mut self) -> Self {
        self.has_selectors = true;
        self.tell(Event::Connected);
        self
    }

    /// The screen of this table on a server with selectors, which has taken the follow.
    pub fn live_table(width: u16, height: u16, table: TableSpec) -> Self {
        let scene = Self::with(width, height, AppConfig { table, ..config() });
        scene.follow().then(Self::begin)
    }

    /// The server takes the follow.
    pub fn begin(&mut self) {
        self.news(FollowNews::Begun);
    }

    /// The server tells these lines.
    pub fn told(&mut self, lines: &str) -> Vec<Effect> {
        self.news(FollowNews::Lines(lines.to_owned().into()))
    }

    /// Something comes of the follow.
    pub fn news(&mut self, news: FollowNews) -> Vec<Effect> {
        let id = self.followed.as_ref().expect("nothing is followed").0;
        self.tell(Event::Follow { id, news })
    }

    pub fn press(&mut self, key: KeyPress) -> Vec<Effect> {
        self.tell(Event::Key(key))
    }

    /// A key for each character.
    pub fn keys(&mut self, keys: &str) {
        for key in typed(keys) {
            self.press(key);
        }
    }

    /// Presses Tab until a pane has the keys.
    pub fn to(&mut self, mode: Mode) {
        for _ in 0..5 {
            if self.app.mode() != mode {
                self.code(KeyCode::Tab);
            }
        }
        assert_eq!(self.app.mode(), mode);
    }

    /// Goes to a pane and presses keys there.
    pub fn on(mut self, mode: Mode, keys: &str) -> Self {
        self.to(mode);
        self.keys(keys);
        self
    }

    /// Does something and goes on.
    pub fn then(mut self, act: impl FnOnce(&mut Self)) -> Self {
        act(&mut self);
        self
    }

    pub fn code(&mut self, code: KeyCode) -> Vec<Effect> {
        self.press(KeyPress::plain(code))
    }

    pub fn type_text(&mut self, text: &str) {
        self.keys(text);
    }

    /// Types a line and sends it, from wherever the keys are.
    pub fn enter(&mut self, line: &str) -> Vec<Effect> {
        if self.app.mode().pane().is_some() {
            self.press(KeyPress::char(':'));
        }
        self.type_text(line);
        self.code(KeyCode::Enter)
    }

    /// Lets time pass; the application is woken when it wants to be.
    pub fn wait(&mut self, time: Duration) {
        let end = self.now.elapsed + time;
        let mut turns = 0;
        while let Some(wake) = self.app.next_wake().filter(|&wake| wake <= end) {
            turns += 1;
            assert!(turns < 10_000, "it never sleeps");
            self.advance_to(wake);
            self.tell(Event::Tick);
        }
        self.advance_to(end);
    }

    /// How long the application wants to sleep.
    pub fn next_wait(&self) -> Duration {
        self.app.next_wake().unwrap().saturating_sub(self.now.elapsed)
    }

    fn advance_to(&mut self, elapsed: Duration) {
        let by = elapsed.saturating_sub(self.now.elapsed);
        self.now.elapsed += by;
        self.now.unix_ms += i64::try_from(by.as_millis()).unwrap();
    }

    /// The oldest request for `line` that has no reply gets this one; gives what is done then.
    pub fn answer(&mut self, line: &str, status: Status, data: &str) -> Vec<Effect> {
        self.answer_after(line, status, data, Duration::from_micros(1200))
    }

    fn answer_after(
        &mut self,
        line: &str,
        status: Status,
        data: &str,
        took: Duration,
    ) -> Vec<Effect> {
        let at = self.sent.iter().position(|request| request.line == line);
        let at = at.unwrap_or_else(|| panic!("no {line:?} in {:?}", self.sent));
        let request = self.sent.remove(at);
        let id = request.id;
        if request.capture.raw {
            self.tell(Event::ReplyBegins { id, status });
            let lines = escape_untrusted_lines(data.as_bytes());
            self.tell(Event::Lines { id, status, lines });
        }
        let mut builder = ReplyBuilder::new(status, request.capture).watching(request.watched);
        builder.add_lines(data.as_bytes());
        let first = Duration::from_micros(400);
        let mut reply = builder.finish(id, first, took);
        reply.points_left_out += std::mem::take(&mut self.points_left_out);
        self.tell(Event::Reply(Box::new(reply)))
    }

    pub fn ok(&mut self, line: &str, data: &str) {
        self.answer(line, Status::Ok, data);
    }

    /// The polls that are under way bring what they ask for of this.
    pub fn polled(&mut self, data: &str) {
        assert!(!self.sent.is_empty(), "nothing is asked for");
        while let Some(line) = self.sent.first().map(|request| request.line.clone()) {
            let word = line.trim_start_matches("get ");
            let asked = |line: &&str| word == "*" || line.split(' ').next() == Some(word);
            let lines: String = data.split_inclusive('\n').filter(asked).collect();
            self.ok(&line, &lines);
        }
    }

    /// A good reply that took so long.
    pub fn took(&mut self, line: &str, took: Duration, data: &str) {
        self.answer_after(line, Status::Ok, data, took);
    }

    /// Whatever was asked is answered from [`park`].
    pub fn answer_all(&mut self) {
        if !self.sent.is_empty() {
            self.polled(&park());
        }
    }

    /// The log as text, `>` sent, `<` received, `-` notes.
    pub fn log(&self) -> Vec<String> {
        use tui_client::wire_log::entry::Direction;
        let lines = self.app.log().visible(usize::MAX);
        lines
            .map(|entry| {
                let mark = match entry.direction {
                    Direction::Out => '>',
                    Direction::In => '<',
                    Direction::Exchange => '=',
                    Direction::Note => '-',
                };
                format!("{mark} {}", entry.text)
            })
            .collect()
    }

    pub fn notice(&self) -> &str {
        self.app.notice().map_or("", |notice| &notice.text)
    }
}

/// Nothing special.
pub fn config() -> AppConfig {
    AppConfig {
        address: "localhost:10001".to_owned(),
        sources: Vec::new(),
        interval: Duration::from_secs(1),
        watch: Vec::new(),
        alerts: Vec::new(),
        table: TableSpec::default(),
        zone: TimeZone::UTC,
        log_memory: 1 << 26,
        raw_log: false,
        reconnect_seed: 0,
        abilities: Abilities::default(),
        replayed: None,
        view: View::default(),
        tls: Vec::new(),
        view_file: None,
    }
}

/// A few series with a shape.
pub fn sample() -> String {
    let mut text = String::new();
    for (key, base) in [("palm.cpu", 23.7), ("eardrum.memory_used", 1_234_567.0)] {
        for at in 0..120_i32 {
            let swing = (f64::from(at) / 9.0).sin() * 0.2 + 1.0;
            let value = (base * swing * 100.0).round() / 100.0;
            text.push_str(&format!("{key} {value:?} {}\n", NOW - 120 + i64::from(at)));
        }
    }
    text.push_str(&format!("火.температура😀 -0.5 {}\n", NOW - 86_400 * 3));
    text
}

/// Ten minutes of a small park of machines: waves, a gap, a rise over decades, one that went silent.
pub fn park() -> String {
    let mut text = String::new();
    for (host, phase) in [("palm", 0.0), ("eardrum", 1.5), ("kettle", 3.0)] {
        for at in 0..600_i32 {
            let swing = (f64::from(at) / 60.0 + phase).sin();
            let gone = host == "eardrum" && (200..330).contains(&at);
            if !gone {
                let value = ((50.0 + 40.0 * swing) * 10.0).round() / 10.0;
                text.push_str(&format!("{host}.cpu {value:?} {}\n", NOW - 600 + i64::from(at)));
            }
        }
        let used = 1.5e9 + phase * 4e8;
        text.push_str(&format!("{host}.memory_used {:?} {}\n", used - 5e6, NOW - 61));
        text.push_str(&format!("{host}.memory_used {used:?} {}\n", NOW - 1));
    }
    for at in 0..200_i32 {
        let value = 10_f64.powf(f64::from(at) / 40.0 - 1.0);
        text.push_str(&format!("palm.errors {value:?} {}\n", NOW - 2000 + i64::from(at) * 10));
    }
    text.push_str(&format!("oven.temp 21.5 {}\noven.temp 21.0 {}\n", NOW - 7260, NOW - 7200));
    text
}
