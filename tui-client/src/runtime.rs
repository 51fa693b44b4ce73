//! The loop of the terminal UI: wait for an event, update, perform the effects, draw once. It
//! decides nothing.

use std::io::{self, ErrorKind};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use crossterm::event::Event as TerminalEvent;
use tokio::sync::mpsc;
use tokio::task::{spawn_blocking, yield_now};
use tokio::time::{sleep, sleep_until, timeout};

use crate::app::{App, AppConfig};
use crate::clock::unix_ms;
use crate::effect::{ComputeJob, Effect, Ending, FileJob, NetworkOrder, TerminalOrder};
use crate::event::{Event, FollowNews, KeyCode, Moment};
use crate::metrics::sort::Sorted;
use crate::system::files::{FileQueues, HistoryFile};
use crate::system::net::{self, Peer};
use crate::system::os;
use crate::system::os::signals::{ExitSignals, ScreenSignal, ScreenSignals};
use crate::system::os::terminal_input::{TerminalInput, TerminalReply};
use crate::system::terminal::{InputEvents, Terminal, emergency_exit, translate};
use crate::view::theme::{Theme, ThemeChoice};
use crate::view::{self, PlotCache};

/// Orders that may wait for the network.
const MAX_QUEUED_ORDERS: usize = 1024;

/// Events of the terminal that may wait for the loop.
const MAX_QUEUED_INPUT: usize = 1024;

/// Events of the network and the files that may wait for the loop.
const MAX_QUEUED_EVENTS: usize = 64;

/// Events of the connection that is followed that may wait for the loop.
const MAX_QUEUED_TOLD: usize = 64;

/// Time for the file jobs that are queued when the loop ends, such as the last line entered.
const FILES_TIMEOUT: Duration = Duration::from_secs(1);

/// Events are taken for so long before their effects are performed and the screen is drawn, so
/// that a flood of events can delay neither.
const BURST: Duration = Duration::from_millis(2);

/// The least time between two frames of the same kind, unless the user did something.
const FRAME: Duration = Duration::from_millis(16);

/// The least time between two frames that show nothing but told points: a key that has one now and
/// then shows it at once, and a stream of them costs no more than this.
const NEWS_FRAME: Duration = Duration::from_millis(33);

/// The first frame waits so long for the colours of the terminal. Answers that come later count, too.
const COLOURS_TIMEOUT: Duration = Duration::from_millis(80);

/// A terminal that has not answered within this time never will.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// Time at the end for an answer of the terminal, which the shell would take for keys.
const LAST_ANSWER_TIMEOUT: Duration = Duration::from_millis(300);

/// What is typed within so long of the letter that has ended the program, or of the letter before,
/// is the rest of a word: the time that a slow typist takes for a letter.
const WORD_PAUSE: Duration = Duration::from_millis(400);

/// Time for the rest of a word, for a key that stays pressed.
const MAX_WORD: Duration = Duration::from_secs(2);

/// Time for the loop to end after a signal; it may be waiting for a terminal that takes no output.
const EXIT_TIMEOUT: Duration = Duration::from_secs(1);

/// What to connect to, and what is taken from the terminal.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The server with the timeouts of its connection, or a recording.
    pub peer: Peer,
    /// Clicks and the wheel are captured.
    pub mouse: bool,
}

/// Runs until the user or a signal ends it. `theme` may query the console of Windows, which a signal
/// must not interrupt: signals are caught before.
///
/// # Errors
/// When the terminal fails.
pub async fn run(
    options: RunOptions,
    config: AppConfig,
    theme: impl FnOnce() -> ThemeChoice,
) -> Result<()> {
    let mut signals = ScreenSignals::new().context("cannot listen for signals")?;
    let exit_signals = ExitSignals::new().context("cannot listen for signals")?;
    let theme = theme();
    let watchdog = tokio::spawn(exit_after_timeout(exit_signals));
    let (input_sender, input) = mpsc::channel(MAX_QUEUED_INPUT);
    let (orders, order_queue) = mpsc::channel(MAX_QUEUED_ORDERS);
    let (event_sender, events) = mpsc::channel(MAX_QUEUED_EVENTS);
    let (told_sender, told) = mpsc::channel(MAX_QUEUED_TOLD);
    let file_events = event_sender.clone();
    let (files, file_tasks) = FileQueues::start(HistoryFile::of_user(), move |event| {
        // The loop may have ended.
        let _ = file_events.blocking_send(event);
    });
    let network = tokio::spawn(net::run(options.peer, order_queue, event_sender, told_sender));
    let (sorted_sender, sorted) = mpsc::unbounded_channel();
    let sinks = Sinks { orders, files, sorted: sorted_sender };
    let result = {
        let mut terminal = Terminal::enter(options.mouse).context("cannot use this terminal")?;
        if theme.is_awaited() {
            terminal.ask_colours().context("cannot use this terminal")?;
        }
        let hang_up = input_sender.clone();
        spawn_blocking(move || {
            // The event stream does not report a hang-up and polls for ever.
            if os::terminal::wait_for_hang_up() {
                let _ = hang_up.blocking_send(Err(ErrorKind::BrokenPipe.into()));
            }
        });
        let forwarding = tokio::spawn(forward_input(input_sender));
        let sources = Sources { input, events, told, sorted };
        // A task like its peers: then a key goes from one to the next on the same thread.
        let event_loop = tokio::spawn(async move {
            run_loop(&mut terminal, sources, &sinks, &mut signals, config, theme).await
        });
        let result = event_loop.await;
        forwarding.abort();
        result.context("the screen failed").flatten()
    };
    watchdog.abort();
    network.abort();
    let _ = timeout(FILES_TIMEOUT, file_tasks.finish()).await;
    result
}

/// Exits some time after a signal, should the loop not do so.
async fn exit_after_timeout(mut signals: ExitSignals) {
    signals.recv().await;
    sleep(EXIT_TIMEOUT).await;
    // As if the loop had ended.
    emergency_exit(0);
}

/// Forwards the input of the terminal. In a task of its own, because on Windows the stream wakes only
/// the task that polled it first.
async fn forward_input(input: mpsc::Sender<io::Result<TerminalInput>>) {
    let mut events = InputEvents::start();
    while let Some(batch) = events.next().await {
        for event in batch {
            if input.send(event).await.is_err() {
                return;
            }
        }
    }
}

/// Where events come from.
struct Sources {
    input: mpsc::Receiver<io::Result<TerminalInput>>,
    events: mpsc::Receiver<Event>,
    /// Of the connection that is followed.
    told: mpsc::Receiver<Event>,
    sorted: mpsc::UnboundedReceiver<Sorted>,
}

impl Sources {
    /// What has come from the network or the files: replies before what is told.
    fn next_event(&mut self) -> Option<Event> {
        self.events.try_recv().or_else(|_| self.told.try_recv()).ok()
    }
}

async fn run_loop(
    terminal: &mut Terminal,
    mut sources: Sources,
    sinks: &Sinks,
    signals: &mut ScreenSignals,
    config: AppConfig,
    mut theme: ThemeChoice,
) -> Result<()> {
    let start = Instant::now();
    let clock = Clock { start, stands_at: config.replayed.as_ref().map(|it| it.view.saved_at) };
    let (width, height) = terminal.size()?;
    let mut app = App::new(config, width, height, clock.now());
    let mut effects = app.start();
    let mut plots = PlotCache::default();
    let mut pace = Pace::new(start);
    loop {
        loop {
            let picture = |theme: &Theme| view::picture(&app, theme);
            let failed = match perform(effects, sinks, terminal, &mut theme, picture)? {
                ControlFlow::Continue(failed) => failed,
                ControlFlow::Break(ending) => {
                    if theme.is_awaited() && start.elapsed() < ANSWER_TIMEOUT {
                        take_last_answer(&mut sources.input).await;
                    }
                    // A terminal that is gone has no shell that would take the word.
                    if ending == Ending::FirstLetter && terminal.leave_screen().is_ok() {
                        drop_word(&mut sources.input).await;
                    }
                    return Ok(());
                }
            };
            if failed.is_empty() {
                break;
            }
            // Failures are events, which may have effects in turn.
            let now = clock.now();
            effects = failed.into_iter().flat_map(|event| app.update(event, now)).collect();
        }
        // Requests are sent before a frame is drawn, which occupies this thread.
        yield_now().await;
        let asked = Some(start + COLOURS_TIMEOUT).filter(|_| theme.is_awaited());
        let next = [asked, pace.next_frame(app.is_completing())].into_iter().flatten();
        let next = next.filter(|&at| Instant::now() < at).max();
        if next.is_none() {
            app.prepare_frame();
            terminal.draw(|frame| view::draw(&app, theme.theme(), &mut plots, frame))?;
            pace.drawn(Instant::now());
        }

        let wake = app.next_wake().map(|at| start + at).into_iter().chain(next).min();
        let first = tokio::select! {
            event = sources.input.recv() => {
                pace.touch();
                translate_input(event, terminal, &mut theme)?
            }
            event = sources.events.recv() => {
                let event = event.context("the network task ended")?;
                pace.change(&event, Instant::now());
                Some(event)
            }
            event = sources.told.recv() => {
                let event = event.context("the network task ended")?;
                pace.change(&event, Instant::now());
                Some(event)
            }
            Some(sorted) = sources.sorted.recv() => Some(Event::Sorted(sorted)),
            signal = signals.recv() => {
                pace.touch();
                match signal {
                    ScreenSignal::Exit => Some(Event::Terminate),
                    ScreenSignal::Resized => Some(resized(terminal)?),
                    ScreenSignal::Stop if !signals.is_stop_cancelled().await => {
                        terminal.suspend()?;
                        None
                    }
                    ScreenSignal::Stop | ScreenSignal::Continued => {
                        // Another program had the terminal, whose size may have changed.
                        terminal.resume()?;
                        Some(resized(terminal)?)
                    }
                }
            }
            () = sleep_until(wake.unwrap_or(start).into()), if wake.is_some() => Some(Event::Tick),
        };
        let now = clock.now();
        effects = first.map(|event| app.update(event, now)).unwrap_or_default();
        let begun = Instant::now();
        while begun.elapsed() < BURST {
            let more = match (sources.input.try_recv(), pace.is_touched()) {
                (Ok(event), _) => {
                    pace.touch();
                    translate_input(Some(event), terminal, &mut theme)?
                }
                // The effects of a key don't wait for a flood of events.
                (Err(_), true) => break,
                (Err(_), false) => match sources.next_event() {
                    Some(event) => {
                        pace.change(&event, begun);
                        Some(event)
                    }
                    None => break,
                },
            };
            effects.extend(more.into_iter().flat_map(|event| app.update(event, now)));
        }
    }
}

/// When the next frame is due.
struct Pace {
    /// What the next frame shows.
    change: Change,
    drawn: Instant,
    /// When the first change since then that neither a key nor told points made has come.
    other_came: Instant,
    /// When a change that neither a key nor told points made was drawn last. A frame for a key does
    /// not delay the reply to what was entered with it.
    other_drawn: Instant,
    /// When told points were drawn last.
    news_drawn: Instant,
}

/// What has changed since the last frame, the most urgent of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Nothing,
    News,
    Other,
    Touched,
}

impl Pace {
    /// The first frame is due at once.
    fn new(start: Instant) -> Self {
        let long_ago = start.checked_sub(NEWS_FRAME).unwrap_or(start);
        let (change, drawn) = (Change::Touched, start);
        let (other_came, other_drawn, news_drawn) = (long_ago, long_ago, long_ago);
        Self { change, drawn, other_came, other_drawn, news_drawn }
    }

    fn change(&mut self, event: &Event, now: Instant) {
        let change = match event {
            Event::Follow { news: FollowNews::Lines(_), .. } => Change::News,
            _ => Change::Other,
        };
        if change == Change::Other && self.change < change {
            self.other_came = now;
        }
        self.change = self.change.max(change);
    }

    /// Notes a key, a paste or the mouse.
    fn touch(&mut self) {
        self.change = Change::Touched;
    }

    fn is_touched(&self) -> bool {
        self.change == Change::Touched
    }

    /// The time before which no frame is due. One that is soon complete waits for that, so that what
    /// completes it doesn't wait for the frame after it.
    fn next_frame(&self, is_completing: bool) -> Option<Instant> {
        match self.change {
            Change::Touched => None,
            Change::Other if is_completing => Some(self.other_drawn.max(self.other_came) + FRAME),
            Change::Other => Some(self.other_drawn + FRAME),
            Change::Nothing => Some(self.drawn + FRAME),
            Change::News => Some((self.drawn + FRAME).max(self.news_drawn + NEWS_FRAME)),
        }
    }

    fn drawn(&mut self, now: Instant) {
        if self.change >= Change::News {
            self.news_drawn = now;
        }
        if self.change == Change::Other {
            self.other_drawn = now;
        }
        (self.change, self.drawn) = (Change::Nothing, now);
    }
}

/// Where effects go.
struct Sinks {
    orders: mpsc::Sender<NetworkOrder>,
    files: FileQueues,
    sorted: mpsc::UnboundedSender<Sorted>,
}

/// Performs effects, of the screen that `picture` draws; returns the events of those that could not
/// be handed over, or breaks if the program is to end.
fn perform(
    effects: Vec<Effect>,
    sinks: &Sinks,
    terminal: &mut Terminal,
    theme: &mut ThemeChoice,
    picture: impl Fn(&Theme) -> String,
) -> Result<ControlFlow<Ending, Vec<Event>>> {
    let mut failed = Vec::new();
    for effect in effects {
        match effect {
            Effect::Quit(ending) => return Ok(ControlFlow::Break(ending)),
            Effect::Terminal(TerminalOrder::Suspend) => terminal.suspend()?,
            Effect::Terminal(TerminalOrder::Bell) => terminal.bell()?,
            Effect::Terminal(TerminalOrder::Copy(text)) => {
                failed.extend(terminal.copy(&text)?.map(Event::NotCopied));
            }
            Effect::Compute(ComputeJob::Sort(job)) => {
                let sorted = sinks.sorted.clone();
                // The loop may have ended.
                spawn_blocking(move || drop(sorted.send(job.run())));
            }
            Effect::Compute(ComputeJob::Free(answer)) => drop(spawn_blocking(move || drop(answer))),
            Effect::Picture(path) => {
                let svg = picture(theme.theme());
                failed.extend(sinks.files.push(FileJob::SavePicture { path, svg }));
            }
            Effect::Theme(name) => theme.choose(name),
            Effect::File(job) => failed.extend(sinks.files.push(job)),
            Effect::Network(order) => failed.extend(match sinks.orders.try_send(order) {
                Ok(()) => None,
                Err(mpsc::error::TrySendError::Closed(_)) => bail!("the network task ended"),
                Err(mpsc::error::TrySendError::Full(order)) => net::undelivered(order),
            }),
        }
    }
    Ok(ControlFlow::Continue(failed))
}

/// Both clocks of a program that started at some time.
#[derive(Clone, Copy)]
struct Clock {
    start: Instant,
    /// The Unix second at which the wall clock stands still: that of a recording.
    stands_at: Option<i64>,
}

impl Clock {
    fn now(self) -> Moment {
        let stands_at = self.stands_at.map(|at| at.saturating_mul(1000));
        Moment { elapsed: self.start.elapsed(), unix_ms: stands_at.unwrap_or_else(unix_ms) }
    }
}

fn resized(terminal: &mut Terminal) -> Result<Event> {
    let (width, height) = terminal.resized()?;
    Ok(Event::Resize { width, height })
}

fn translate_input(
    input: Option<io::Result<TerminalInput>>,
    terminal: &mut Terminal,
    theme: &mut ThemeChoice,
) -> Result<Option<Event>> {
    const GONE: &str = "the terminal is gone";
    match input.context(GONE)?.context(GONE)? {
        TerminalInput::Event(TerminalEvent::Resize(..)) => return resized(terminal).map(Some),
        TerminalInput::Reply(TerminalReply::Foreground(lightness)) => theme.on_text(lightness),
        TerminalInput::Reply(TerminalReply::Background(lightness)) => {
            theme.on_background(lightness);
        }
        TerminalInput::Reply(TerminalReply::Version(name)) => theme.on_version(&name),
        TerminalInput::Reply(TerminalReply::Attributes) => theme.on_last_answer(),
        input => return Ok(translate(input)),
    }
    Ok(None)
}

/// Takes input up to the last answer of the terminal, if it comes in time.
async fn take_last_answer(input: &mut mpsc::Receiver<io::Result<TerminalInput>>) {
    let last = async {
        while let Some(Ok(input)) = input.recv().await {
            if input == TerminalInput::Reply(TerminalReply::Attributes) {
                return;
            }
        }
    };
    let _ = timeout(LAST_ANSWER_TIMEOUT, last).await;
}

/// Drops letters that follow each other, for the shell would take them for a command. Another key
/// ends that, and is dropped with them: `Enter`, above all.
async fn drop_word(input: &mut mpsc::Receiver<io::Result<TerminalInput>>) {
    let word = async {
        while let Ok(Some(Ok(input))) = timeout(WORD_PAUSE, input.recv()).await {
            let is_end = match translate(input) {
                Some(Event::Key(key)) => {
                    key.ctrl || key.alt || !matches!(key.code, KeyCode::Char(_))
                }
                _ => false,
            };
            if is_end {
                return;
            }
        }
    };
    let _ = timeout(MAX_WORD, word).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A moment so long after another one.
    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn the_frame_of_a_key_does_not_delay_that_of_its_reply() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let is_due = |pace: &Pace, at| pace.next_frame(false).is_none_or(|due| due <= at);
        pace.drawn(start);
        for second in 0..3 {
            let at = second * 1000 + 500;
            pace.touch();
            assert!(is_due(&pace, after(start, at)));
            pace.drawn(after(start, at));
            pace.change(&Event::Connected, after(start, at + 1));
            assert!(is_due(&pace, after(start, at + 1)), "the reply");
            pace.drawn(after(start, at + 1));
            pace.change(&Event::Connected, after(start, at + 2));
            assert!(!is_due(&pace, after(start, at + 2)), "a stream of replies");
            assert!(is_due(&pace, after(start, at + 17)));
            pace.drawn(after(start, at + 17));
        }
    }

    #[test]
    fn a_reply_waits_a_moment_for_what_completes_it() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let is_due = |pace: &Pace, is_completing, at| {
            pace.next_frame(is_completing).is_none_or(|due| due <= after(start, at))
        };
        pace.drawn(start);
        pace.change(&Event::Connected, after(start, 500));
        assert!(!is_due(&pace, true, 501));
        pace.change(&Event::Connected, after(start, 504));
        assert!(is_due(&pace, false, 504), "it is complete");
        assert!(!is_due(&pace, true, 515) && is_due(&pace, true, 516), "it is complete too late");
        pace.touch();
        assert!(is_due(&pace, true, 505), "a key does not wait");
        pace.drawn(after(start, 505));
        pace.change(&Event::Connected, after(start, 600));
        assert!(!is_due(&pace, true, 615) && is_due(&pace, true, 616));
    }

    #[test]
    fn a_reply_comes_before_what_was_told_before_it() {
        let (event_sender, events) = mpsc::channel(8);
        let (told_sender, told) = mpsc::channel(8);
        let mut sources = Sources {
            input: mpsc::channel(1).1,
            events,
            told,
            sorted: mpsc::unbounded_channel().1,
        };
        let lines = || Event::Follow { id: 1, news: FollowNews::Lines("a 1.0 1\n".into()) };
        told_sender.try_send(lines()).unwrap();
        told_sender.try_send(lines()).unwrap();
        event_sender.try_send(Event::Connected).unwrap();
        assert_eq!(sources.next_event(), Some(Event::Connected));
        assert_eq!(sources.next_event(), Some(lines()));
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_waits_for_the_last_answer_but_not_for_ever() {
        let (sender, mut input) = mpsc::channel(8);
        let begun = tokio::time::Instant::now();
        let answering = async {
            for reply in [TerminalReply::Background(0), TerminalReply::Attributes] {
                sleep(Duration::from_millis(50)).await;
                sender.send(Ok(TerminalInput::Reply(reply))).await.unwrap();
            }
        };
        tokio::join!(take_last_answer(&mut input), answering);
        assert!(input.try_recv().is_err(), "the shell would get it");
        assert!(begun.elapsed() < LAST_ANSWER_TIMEOUT);
        take_last_answer(&mut input).await;
        assert!(begun.elapsed() >= LAST_ANSWER_TIMEOUT, "there is none");
    }

    #[tokio::test(start_paused = true)]
    async fn the_rest_of_a_word_that_is_typed_slowly_is_dropped() {
        use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
        let press = |code| {
            let key = KeyEvent::new(code, KeyModifiers::NONE);
            Ok(TerminalInput::Event(TerminalEvent::Key(key)))
        };
        let (sender, mut input) = mpsc::channel(8);
        let typing = async {
            for code in ['u', 'i', 't'].map(KeyCode::Char).into_iter().chain([KeyCode::Enter]) {
                sleep(Duration::from_millis(300)).await;
                sender.send(press(code)).await.unwrap();
            }
        };
        let begun = tokio::time::Instant::now();
        tokio::join!(drop_word(&mut input), typing);
        assert!(input.try_recv().is_err(), "the shell would get it");
        assert_eq!(begun.elapsed(), Duration::from_millis(1200), "Enter ends the word");
        let begun = tokio::time::Instant::now();
        drop_word(&mut input).await;
        assert_eq!(begun.elapsed(), WORD_PAUSE, "nothing is typed");
        let held = async {
            loop {
                sender.send(press(KeyCode::Char('q'))).await.unwrap();
                sleep(Duration::from_millis(30)).await;
            }
        };
        let begun = tokio::time::Instant::now();
        tokio::select! {
            () = drop_word(&mut input) => {}
            () = held => {}
        }
        assert_eq!(begun.elapsed(), MAX_WORD, "a key stays pressed");
    }
}
