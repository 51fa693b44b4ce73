//! The loop of the terminal UI: wait for an event, update, perform the effects, draw once. It
//! decides nothing.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::sync::mpsc::{self as blocking, TrySendError};
use std::task::Poll;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use crossterm::event::{Event as TerminalEvent, EventStream};
use futures_util::StreamExt;
use shared::client::ConnectOptions;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::{spawn_blocking, yield_now};
use tokio::time::{sleep, sleep_until, timeout};

use crate::app::{App, AppConfig};
use crate::clock::unix_ms;
use crate::effect::{ComputeJob, Effect, FileJob, NetworkOrder, TerminalOrder};
use crate::event::{Event, Moment};
use crate::files::{self, HistoryFile};
use crate::metrics::sort::Sorted;
use crate::net;
use crate::terminal::{Terminal, emergency_exit, translate, wait_for_hang_up};
use crate::view::{self, PlotCache, theme::Theme};

/// Orders that may wait for the network.
const MAX_QUEUED_ORDERS: usize = 1024;

/// Events of the terminal that may wait for the loop.
const MAX_QUEUED_INPUT: usize = 1024;

/// Events of the network and the files that may wait for the loop.
const MAX_QUEUED_EVENTS: usize = 64;

/// Jobs that may wait for the files.
const MAX_QUEUED_JOBS: usize = 64;

/// Time for the file jobs that are queued when the loop ends, such as the last line entered.
const FILES_TIMEOUT: Duration = Duration::from_secs(1);

/// Events are taken for so long before their effects are performed and the screen is drawn, so
/// that a flood of events can delay neither.
const BURST: Duration = Duration::from_millis(2);

/// The least time between two frames, unless the user did something.
const FRAME: Duration = Duration::from_millis(16);

/// Time for the loop to end after a signal; it may be waiting for a terminal that takes no output.
const EXIT_TIMEOUT: Duration = Duration::from_secs(1);

/// A stop is cancelled by a continuation within this time: that arrives before the program could
/// stop, so no later signal would wake it.
const STOP_CANCEL_TIMEOUT: Duration = Duration::from_millis(50);

/// The server to connect to, and what is taken from the terminal.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The server, and the timeouts of its connection.
    pub server: ConnectOptions,
    /// Clicks and the wheel are captured.
    pub mouse: bool,
}

/// Runs until the user or a signal ends it. `theme` may query the terminal, which a signal must
/// not interrupt: signals are caught before.
///
/// # Errors
/// When the terminal fails.
pub async fn run(
    options: RunOptions,
    config: AppConfig,
    theme: impl FnOnce() -> Theme,
) -> Result<()> {
    let mut signals = Signals::new().context("cannot listen for signals")?;
    let exit_signals = ExitSignals::new().context("cannot listen for signals")?;
    // Before the query, because the stream can't be made for a terminal that is gone.
    let stream = EventStream::new();
    let theme = theme();
    let watchdog = tokio::spawn(exit_after_timeout(exit_signals));
    let (input_sender, input) = mpsc::channel(MAX_QUEUED_INPUT);
    let (orders, order_queue) = mpsc::channel(MAX_QUEUED_ORDERS);
    let (event_sender, events) = mpsc::channel(MAX_QUEUED_EVENTS);
    let (jobs, job_queue) = blocking::sync_channel(MAX_QUEUED_JOBS);
    let file_events = event_sender.clone();
    let files = spawn_blocking(move || {
        files::run(HistoryFile::of_user(), &job_queue, |event| {
            // The loop may have ended.
            let _ = file_events.blocking_send(event);
        });
    });
    let network = tokio::spawn(net::run(options.server, order_queue, event_sender));
    let (sorted_sender, sorted) = mpsc::unbounded_channel();
    let sinks = Sinks { orders, jobs, sorted: sorted_sender };
    let result = {
        let mut terminal = Terminal::enter(options.mouse).context("cannot use this terminal")?;
        let hang_up = input_sender.clone();
        spawn_blocking(move || {
            // The event stream does not report a hang-up and polls for ever.
            if wait_for_hang_up() {
                let _ = hang_up.blocking_send(Err(ErrorKind::BrokenPipe.into()));
            }
        });
        let forwarding = tokio::spawn(forward_input(stream, input_sender));
        let sources = Sources { input, events, sorted };
        // A task like its peers: then a key goes from one to the next on the same thread.
        let event_loop = tokio::spawn(async move {
            run_loop(&mut terminal, sources, &sinks, &mut signals, config, &theme).await
        });
        let result = event_loop.await;
        forwarding.abort();
        result.context("the screen failed").flatten()
    };
    watchdog.abort();
    network.abort();
    let _ = timeout(FILES_TIMEOUT, files).await;
    result
}

/// Exits some time after a signal, should the loop not do so.
async fn exit_after_timeout(mut signals: ExitSignals) {
    signals.recv().await;
    sleep(EXIT_TIMEOUT).await;
    // As if the loop had ended.
    emergency_exit(0);
}

/// Forwards the events of the terminal. In a task of its own, because the stream wakes only the
/// task that polled it first, and a poll without waiting would lose wake-ups.
async fn forward_input(mut stream: EventStream, input: mpsc::Sender<io::Result<TerminalEvent>>) {
    while let Some(event) = stream.next().await {
        if input.send(event).await.is_err() {
            return;
        }
    }
}

/// Where events come from.
struct Sources {
    input: mpsc::Receiver<io::Result<TerminalEvent>>,
    events: mpsc::Receiver<Event>,
    sorted: mpsc::UnboundedReceiver<Sorted>,
}

async fn run_loop(
    terminal: &mut Terminal,
    mut sources: Sources,
    sinks: &Sinks,
    signals: &mut Signals,
    config: AppConfig,
    theme: &Theme,
) -> Result<()> {
    let start = Instant::now();
    let (width, height) = terminal.size()?;
    let mut app = App::new(config, width, height, moment(start));
    let mut effects = app.start();
    let mut plots = PlotCache::default();
    // The user did something since the last frame, and when that was drawn.
    let (mut touched, mut drawn) = (true, start);
    loop {
        loop {
            let Some(failed) = perform(effects, sinks, terminal)? else { return Ok(()) };
            if failed.is_empty() {
                break;
            }
            // Failures are events, which may have effects in turn.
            let now = moment(start);
            effects = failed.into_iter().flat_map(|event| app.update(event, now)).collect();
        }
        // Requests are sent before a frame is drawn, which occupies this thread.
        yield_now().await;
        let next = Some(drawn + FRAME).filter(|&next| !touched && Instant::now() < next);
        if next.is_none() {
            terminal.draw(|frame| view::draw(&app, theme, &mut plots, frame))?;
            drawn = Instant::now();
        }

        touched = false;
        let wake = app.next_wake().map(|at| start + at).into_iter().chain(next).min();
        let first = tokio::select! {
            event = sources.input.recv() => {
                touched = true;
                translate_input(event)?
            }
            event = sources.events.recv() => Some(event.context("the network task ended")?),
            Some(sorted) = sources.sorted.recv() => Some(Event::Sorted(sorted)),
            signal = signals.recv() => {
                touched = true;
                match signal {
                    SignalEvent::Exit => Some(Event::Terminate),
                    SignalEvent::Resized => Some(resized(terminal)?),
                    SignalEvent::Stop if !signals.is_stop_cancelled().await => {
                        terminal.suspend()?;
                        None
                    }
                    SignalEvent::Stop | SignalEvent::Continued => {
                        // Another program had the terminal, whose size may have changed.
                        terminal.resume()?;
                        Some(resized(terminal)?)
                    }
                }
            }
            () = sleep_until(wake.unwrap_or(start).into()), if wake.is_some() => Some(Event::Tick),
        };
        let now = moment(start);
        effects = first.map(|event| app.update(event, now)).unwrap_or_default();
        let begun = Instant::now();
        while begun.elapsed() < BURST {
            let more = match (sources.input.try_recv(), touched) {
                (Ok(event), _) => {
                    touched = true;
                    translate_input(Some(event))?
                }
                // The effects of a key don't wait for a flood of events.
                (Err(_), true) => break,
                (Err(_), false) => match sources.events.try_recv() {
                    Ok(event) => Some(event),
                    Err(_) => break,
                },
            };
            effects.extend(more.into_iter().flat_map(|event| app.update(event, now)));
        }
    }
}

/// Where effects go.
struct Sinks {
    orders: mpsc::Sender<NetworkOrder>,
    jobs: blocking::SyncSender<FileJob>,
    sorted: mpsc::UnboundedSender<Sorted>,
}

/// Performs effects; returns the events of those that could not be handed over, or nothing if the
/// program is to end.
fn perform(
    effects: Vec<Effect>,
    sinks: &Sinks,
    terminal: &mut Terminal,
) -> Result<Option<Vec<Event>>> {
    let mut failed = Vec::new();
    for effect in effects {
        match effect {
            Effect::Quit => return Ok(None),
            Effect::Terminal(TerminalOrder::Suspend) => terminal.suspend()?,
            Effect::Terminal(TerminalOrder::Bell) => terminal.bell()?,
            Effect::Terminal(TerminalOrder::Copy(text)) => terminal.copy(&text)?,
            Effect::Compute(ComputeJob::Sort(job)) => {
                let sorted = sinks.sorted.clone();
                // The loop may have ended.
                spawn_blocking(move || drop(sorted.send(job.run())));
            }
            Effect::Compute(ComputeJob::Free(answer)) => drop(spawn_blocking(move || drop(answer))),
            Effect::File(job) => failed.extend(match sinks.jobs.try_send(job) {
                Err(TrySendError::Full(FileJob::SaveLog { path, .. })) => {
                    Some(Event::NotSaved { path, reason: "the disk is busy".to_owned() })
                }
                // A disk that hangs costs only lines of the history.
                _ => None,
            }),
            Effect::Network(order) => failed.extend(match sinks.orders.try_send(order) {
                Ok(()) => None,
                Err(mpsc::error::TrySendError::Closed(_)) => bail!("the network task ended"),
                Err(mpsc::error::TrySendError::Full(order)) => net::undelivered(order),
            }),
        }
    }
    Ok(Some(failed))
}

/// The time on both clocks, for a program that started at `start`.
fn moment(start: Instant) -> Moment {
    Moment { elapsed: start.elapsed(), unix_ms: unix_ms() }
}

fn resized(terminal: &mut Terminal) -> Result<Event> {
    let (width, height) = terminal.resized()?;
    Ok(Event::Resize { width, height })
}

fn translate_input(event: Option<io::Result<TerminalEvent>>) -> Result<Option<Event>> {
    const GONE: &str = "the terminal is gone";
    Ok(translate(event.context(GONE)?.context(GONE)?))
}

/// The meaning of a signal.
enum SignalEvent {
    /// The program is to end.
    Exit,
    /// The terminal has another size.
    Resized,
    /// The program is to stop until it is continued.
    Stop,
    /// The program was stopped and is continued.
    Continued,
}

/// The signals that end the program.
struct ExitSignals([Signal; 4]);

impl ExitSignals {
    fn new() -> io::Result<Self> {
        Ok(Self([
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
            signal(SignalKind::interrupt())?,
            signal(SignalKind::quit())?,
        ]))
    }

    async fn recv(&mut self) {
        poll_fn(|cx| {
            let received = self.0.iter_mut().any(|signal| signal.poll_recv(cx).is_ready());
            if received { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// All signals that the loop handles.
struct Signals {
    exit: ExitSignals,
    resize: Signal,
    stop: Signal,
    continued: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        let job_control = |raw: rustix::process::Signal| signal(SignalKind::from_raw(raw.as_raw()));
        Ok(Self {
            exit: ExitSignals::new()?,
            resize: signal(SignalKind::window_change())?,
            stop: job_control(rustix::process::Signal::TSTP)?,
            continued: job_control(rustix::process::Signal::CONT)?,
        })
    }

    async fn recv(&mut self) -> SignalEvent {
        tokio::select! {
            () = self.exit.recv() => SignalEvent::Exit,
            _ = self.resize.recv() => SignalEvent::Resized,
            _ = self.stop.recv() => SignalEvent::Stop,
            _ = self.continued.recv() => SignalEvent::Continued,
        }
    }

    async fn is_stop_cancelled(&mut self) -> bool {
        timeout(STOP_CANCEL_TIMEOUT, self.continued.recv()).await.is_ok()
    }
}
