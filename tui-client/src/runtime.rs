//! The one loop of the terminal UI: wait, take all that has come, update, do what is wished,
//! draw once. It decides nothing.

use std::future;
use std::io::ErrorKind;
use std::sync::mpsc::{self as blocking, TrySendError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use crossterm::event::{
    Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent,
    MouseEventKind,
};
use futures_util::StreamExt;
use shared::client::ConnectOptions;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::{spawn_blocking, yield_now};
use tokio::time::{sleep, sleep_until, timeout};

use crate::app::{App, AppConfig};
use crate::effect::{ComputeJob, Effect, FileJob, NetworkOrder, TerminalOrder};
use crate::event::{self, KeyPress, Moment, MouseKind};
use crate::files::{self, History};
use crate::import::ImportNews;
use crate::metrics::sort::Sorted;
use crate::net;
use crate::terminal::{Terminal, emergency_exit, until_gone};
use crate::view::{self, Memo, theme::Theme};

/// Orders that may wait for the network.
const ORDERS: usize = 1024;

/// Events of the terminal that may wait for the loop.
const EVENTS: usize = 1024;

/// Messages of the network that may wait for the loop.
const MSGS: usize = 64;

/// Jobs that may wait for the files.
const JOBS: usize = 64;

/// At the end, the last line entered has so long to reach the history.
const LAST_JOBS: Duration = Duration::from_secs(1);

/// Messages are taken for so long before the screen is drawn again and what they wish is done, so
/// that a flood can delay neither.
const BURST: Duration = Duration::from_millis(2);

/// What comes without a person's doing is drawn no more often than this.
const FRAME: Duration = Duration::from_millis(16);

/// The loop has so long to hear that the program is to end: it may wait for a terminal that takes
/// no output.
const GRACE: Duration = Duration::from_secs(1);

/// A stop that is taken back within this time is none: what says so comes before the program could
/// stop, so nothing would wake it again.
const SECOND_THOUGHTS: Duration = Duration::from_millis(50);

/// Where to connect, and what to take from the terminal.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Where the server is, and how long to wait for it.
    pub server: ConnectOptions,
    /// Clicks and the wheel are ours.
    pub mouse: bool,
}

/// Runs until the person or the system ends it. `theme` may ask the terminal, which a signal must
/// not cut short: from then on signals are heard.
///
/// # Errors
/// When the terminal fails.
pub async fn run(setting: Setting, config: AppConfig, theme: impl FnOnce() -> Theme) -> Result<()> {
    let Setting { server, mouse } = setting;
    let mut signals = Signals::new().context("cannot listen for signals")?;
    let ends = Ends::new().context("cannot listen for signals")?;
    // Of a terminal that is gone it could not be made, and that may happen while it is asked.
    let keys = EventStream::new();
    let theme = theme();
    let unheard = tokio::spawn(end_unheard(ends));
    let (heard, events) = mpsc::channel(EVENTS);
    let (orders, queue) = mpsc::channel(ORDERS);
    let (told, msgs) = mpsc::channel(MSGS);
    let (jobs, waiting) = blocking::sync_channel(JOBS);
    let tell = told.clone();
    let files = tokio::task::spawn_blocking(move || {
        files::run(History::of_user(), &waiting, |msg| {
            // Nobody is there to be told at the end.
            let _ = tell.blocking_send(msg);
        });
    });
    let network = tokio::spawn(net::run(server, queue, told));
    let (done, sorted) = mpsc::unbounded_channel();
    let sinks = Sinks { orders, jobs, sorted: done };
    let result = {
        let mut terminal = Terminal::enter(mouse).context("cannot use this terminal")?;
        let gone = heard.clone();
        spawn_blocking(move || {
            // Whoever listens to it is not told so, and asks again and again.
            if until_gone() {
                let _ = gone.blocking_send(Err(ErrorKind::BrokenPipe.into()));
            }
        });
        let listening = tokio::spawn(listen(keys, heard));
        let inputs = Inputs { events, msgs, sorted };
        // A task as those it works with: a key goes from one to the next on the same thread then.
        let driving = tokio::spawn(async move {
            drive(&mut terminal, inputs, &sinks, &mut signals, config, &theme).await
        });
        let result = driving.await;
        listening.abort();
        result.context("the screen failed").flatten()
    };
    unheard.abort();
    network.abort();
    let _ = timeout(LAST_JOBS, files).await;
    result
}

/// Ends the program for a loop that does not hear that it is to end.
async fn end_unheard(mut ends: Ends) {
    ends.next().await;
    sleep(GRACE).await;
    // As if it had been heard.
    emergency_exit(0);
}

/// Passes on what the terminal says. In a task of its own, because the stream wakes only the one
/// who asked first: whoever looks once without waiting makes it deaf.
async fn listen(mut events: EventStream, heard: mpsc::Sender<std::io::Result<Event>>) {
    while let Some(event) = events.next().await {
        if heard.send(event).await.is_err() {
            return;
        }
    }
}

struct Inputs {
    events: mpsc::Receiver<std::io::Result<Event>>,
    msgs: mpsc::Receiver<event::Event>,
    sorted: mpsc::UnboundedReceiver<Sorted>,
}

async fn drive(
    terminal: &mut Terminal,
    mut inputs: Inputs,
    sinks: &Sinks,
    signals: &mut Signals,
    config: AppConfig,
    theme: &Theme,
) -> Result<()> {
    let clock = Clock::new();
    let (width, height) = terminal.size()?;
    let mut app = App::new(config, width, height, clock.now());
    let mut effects = app.start();
    let mut memo = Memo::default();
    // A person did something, and when the screen was drawn last.
    let (mut touched, mut drawn) = (true, clock.start);
    loop {
        loop {
            // What could not be done is a message, which may have effects of its own.
            match perform(effects, sinks, terminal)? {
                Done::Quit => return Ok(()),
                Done::Failed(told) if told.is_empty() => break,
                Done::Failed(told) => {
                    let now = clock.now();
                    effects = told.into_iter().flat_map(|msg| app.update(msg, now)).collect();
                }
            }
        }
        // What was ordered is on its way before a frame, which would hold this thread, is drawn.
        yield_now().await;
        let next = Some(drawn + FRAME).filter(|&next| !touched && Instant::now() < next);
        if next.is_none() {
            terminal.draw(|frame| view::draw(&app, theme, &mut memo, frame))?;
            drawn = Instant::now();
        }

        touched = false;
        let wake = app.next_wake().map(|at| clock.start + at).into_iter().chain(next).min();
        let first = tokio::select! {
            event = inputs.events.recv() => {
                touched = true;
                from_event(event)?
            }
            msg = inputs.msgs.recv() => Some(msg.context("the network task ended")?),
            Some(table) = inputs.sorted.recv() => Some(event::Event::Sorted(table)),
            told = signals.next() => {
                touched = true;
                match told {
                    Told::End => Some(event::Event::Terminate),
                    Told::Resized => Some(resized(terminal)?),
                    Told::Stop if !signals.is_stop_taken_back().await => {
                        terminal.suspend()?;
                        None
                    }
                    Told::Stop | Told::Continued => {
                        // Somebody else had the terminal, and it may have another size.
                        terminal.resume()?;
                        Some(resized(terminal)?)
                    }
                }
            }
            () = async { match wake {
                Some(wake) => sleep_until(wake.into()).await,
                None => future::pending().await,
            }} => Some(event::Event::Tick),
        };
        let now = clock.now();
        effects = first.map(|msg| app.update(msg, now)).unwrap_or_default();
        let begun = Instant::now();
        while begun.elapsed() < BURST {
            let more = match inputs.events.try_recv() {
                Ok(event) => {
                    touched = true;
                    from_event(Some(event))?
                }
                // What a person wishes does not wait for a flood.
                Err(_) if touched => break,
                Err(_) => match inputs.msgs.try_recv() {
                    Ok(msg) => Some(msg),
                    Err(_) => break,
                },
            };
            effects.extend(more.into_iter().flat_map(|msg| app.update(msg, now)));
        }
    }
}

/// Where effects go.
struct Sinks {
    orders: mpsc::Sender<NetworkOrder>,
    jobs: blocking::SyncSender<FileJob>,
    sorted: mpsc::UnboundedSender<Sorted>,
}

enum Done {
    Quit,
    /// This could not be handed over.
    Failed(Vec<event::Event>),
}

fn perform(effects: Vec<Effect>, sinks: &Sinks, terminal: &mut Terminal) -> Result<Done> {
    let mut failed = Vec::new();
    for effect in effects {
        match effect {
            Effect::Quit => return Ok(Done::Quit),
            Effect::Terminal(TerminalOrder::Suspend) => terminal.suspend()?,
            Effect::Terminal(TerminalOrder::Bell) => terminal.bell()?,
            Effect::Terminal(TerminalOrder::Copy(text)) => terminal.copy(&text)?,
            Effect::Compute(ComputeJob::Sort(job)) => {
                let sorted = sinks.sorted.clone();
                // At the end of the program nothing waits for it.
                spawn_blocking(move || drop(sorted.send(job.run())));
            }
            Effect::Compute(ComputeJob::Free(answer)) => drop(spawn_blocking(move || drop(answer))),
            Effect::File(job) => failed.extend(match sinks.jobs.try_send(job) {
                Err(TrySendError::Full(FileJob::SaveLog { path, .. })) => {
                    Some(event::Event::NotSaved { path, reason: "the disk is busy".to_owned() })
                }
                // A disk that hangs costs the history and nothing else.
                _ => None,
            }),
            Effect::Network(order) => failed.extend(match sinks.orders.try_send(order) {
                Ok(()) => None,
                Err(mpsc::error::TrySendError::Closed(_)) => bail!("the network task ended"),
                Err(mpsc::error::TrySendError::Full(order)) => match order {
                    NetworkOrder::Send(request) => Some(event::Event::NotSent { id: request.id }),
                    NetworkOrder::Import { id, .. } => {
                        Some(event::Event::Import(ImportNews::broken(id)))
                    }
                    // An order to connect or to stop is the last of many then.
                    NetworkOrder::Connect | NetworkOrder::StopImport => None,
                },
            }),
        }
    }
    Ok(Done::Failed(failed))
}

/// Both clocks, read once for each turn of the loop.
struct Clock {
    start: Instant,
}

impl Clock {
    fn new() -> Self {
        Self { start: Instant::now() }
    }

    fn now(&self) -> Moment {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment {
            elapsed: self.start.elapsed(),
            unix_ms: i64::try_from(unix.as_millis()).unwrap_or(i64::MAX),
        }
    }
}

fn resized(terminal: &mut Terminal) -> Result<event::Event> {
    let (width, height) = terminal.resized()?;
    Ok(event::Event::Resize { width, height })
}

/// What the system says.
enum Told {
    /// The program is to end.
    End,
    /// The terminal has another size.
    Resized,
    /// The program is to stop until it is told to go on.
    Stop,
    /// The program was stopped and goes on.
    Continued,
}

/// The signals to end.
struct Ends {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
    quit: Signal,
}

impl Ends {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.quit.recv() => {}
        }
    }
}

struct Signals {
    ends: Ends,
    resize: Signal,
    stop: Signal,
    go_on: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        let job_control = |raw: rustix::process::Signal| signal(SignalKind::from_raw(raw.as_raw()));
        Ok(Self {
            ends: Ends::new()?,
            resize: signal(SignalKind::window_change())?,
            stop: job_control(rustix::process::Signal::TSTP)?,
            go_on: job_control(rustix::process::Signal::CONT)?,
        })
    }

    async fn next(&mut self) -> Told {
        tokio::select! {
            () = self.ends.next() => Told::End,
            _ = self.resize.recv() => Told::Resized,
            _ = self.stop.recv() => Told::Stop,
            _ = self.go_on.recv() => Told::Continued,
        }
    }

    async fn is_stop_taken_back(&mut self) -> bool {
        timeout(SECOND_THOUGHTS, self.go_on.recv()).await.is_ok()
    }
}

fn from_event(event: Option<std::io::Result<Event>>) -> Result<Option<event::Event>> {
    let event = event.context("the terminal is gone")?.context("the terminal is gone")?;
    Ok(match event {
        Event::Key(key) => translate(key).map(event::Event::Key),
        Event::Paste(text) => Some(event::Event::Paste(text)),
        Event::Mouse(mouse) => pointed(mouse).map(event::Event::Mouse),
        // The library forgets a new size that comes together with a key; the signal does not.
        Event::Resize(..) | Event::FocusGained | Event::FocusLost => None,
    })
}

fn pointed(event: MouseEvent) -> Option<event::MouseEvent> {
    let kind = match event.kind {
        MouseEventKind::Down(MouseButton::Left) => MouseKind::Click,
        MouseEventKind::ScrollUp => MouseKind::WheelUp,
        MouseEventKind::ScrollDown => MouseKind::WheelDown,
        _ => return None,
    };
    Some(event::MouseEvent { kind, column: event.column, row: event.row })
}

fn translate(event: KeyEvent) -> Option<KeyPress> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let code = match event.code {
        // Terminals send Ctrl-_ as the byte that this library takes for Ctrl-7.
        KeyCode::Char('7') if event.modifiers == KeyModifiers::CONTROL => event::KeyCode::Char('_'),
        KeyCode::Char(c) => event::KeyCode::Char(c),
        KeyCode::Enter => event::KeyCode::Enter,
        KeyCode::Tab => event::KeyCode::Tab,
        KeyCode::BackTab => event::KeyCode::BackTab,
        KeyCode::Esc => event::KeyCode::Esc,
        KeyCode::Backspace => event::KeyCode::Backspace,
        KeyCode::Delete => event::KeyCode::Delete,
        KeyCode::Up => event::KeyCode::Up,
        KeyCode::Down => event::KeyCode::Down,
        KeyCode::Left => event::KeyCode::Left,
        KeyCode::Right => event::KeyCode::Right,
        KeyCode::Home => event::KeyCode::Home,
        KeyCode::End => event::KeyCode::End,
        KeyCode::PageUp => event::KeyCode::PageUp,
        KeyCode::PageDown => event::KeyCode::PageDown,
        KeyCode::F(n) => event::KeyCode::F(n),
        _ => return None,
    };
    Some(KeyPress {
        code,
        ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
        alt: event.modifiers.contains(KeyModifiers::ALT),
    })
}
