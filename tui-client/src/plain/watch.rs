//! New points of the watched keys, a data line each, across restarts of the server; alerts on them
//! are reported as they change. A server with selectors tells them as they are stored, any other is
//! polled.

mod follow;
mod history;
mod known_points;
mod poll;

use std::collections::HashSet;
use std::future;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use shared::{Client, Glob};
use tokio::time::interval;

use super::alert_command::AlertCommands;
use super::connection::{Reconnector, connect};
use super::printer::Printer;
use super::{ALERTED, Failure, NO_SELECTORS, REFUSED, signals, verdict, warn};
use crate::cli::Plan;
use crate::clock::unix_now;
use crate::metrics::alerts::{Alert, AlertEvent, Alerts};
use crate::metrics::needs::Needs;
use crate::metrics::series::Series;
use crate::system::os::signals::UNCAUGHT_ENDS_WITH_CODE;
use crate::text::time;
use history::History;
use known_points::KnownPoints;
use poll::Feed;
pub(super) use poll::selectors;

/// After a signal, commands of alerts have so long to end.
const LAST_COMMANDS: Duration = Duration::from_millis(500);

/// Runs until `output_ended` comes, or with alerts until a signal. The first connection must
/// succeed, so that a wrong `--port` shows at once; later ones are tried again until they do. The
/// outcome says whether an alert has fired.
pub(super) async fn run(
    plan: &Plan,
    patterns: &[Glob],
    commands: AlertCommands,
    output_ended: impl Future<Output = Result<(), Failure>>,
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let connection = connect(plan).await?;
    out.begin()?;
    let exit_code = Arc::new(AtomicU8::new(0));
    // Without alerts there is nothing to report at the end, and signals end the program.
    let has_alerts = !plan.alerts.is_empty();
    let listening = has_alerts || !UNCAUGHT_ENDS_WITH_CODE;
    let own_code = has_alerts.then(|| Arc::clone(&exit_code));
    let signal = listening.then(|| signals::listen(own_code)).transpose()?;
    let mut watcher = Watcher {
        patterns,
        from: plan.since.map(|age| unix_now().saturating_sub(age.seconds())),
        alerts: Alerts::new(&plan.alerts),
        needs: plan.alerts.iter().map(Alert::needs).collect(),
        commands,
        exit_code,
        answered: HashSet::new(),
        feeds: Vec::new(),
        known: KnownPoints::default(),
        resumes: false,
        history: None,
        is_following: false,
        told: false,
        out,
    };
    let mut is_signalled = false;
    let outcome = tokio::select! {
        outcome = watcher.run(plan, connection) => outcome,
        ended = output_ended => ended,
        code = async { match signal {
            Some(signal) => signal.await,
            None => future::pending().await,
        }} => {
            is_signalled = true;
            if has_alerts { Ok(()) } else { Err(Failure::Exit(code)) }
        }
    };
    let Watcher { alerts, commands, .. } = watcher;
    if is_signalled {
        commands.finish_within(LAST_COMMANDS).await;
    } else {
        commands.finish().await;
    }
    match outcome {
        Ok(()) => verdict(&alerts),
        Err(Failure::Local(_)) if alerts.fired() => Err(Failure::Exit(ALERTED)),
        outcome => outcome,
    }
}

/// The state that all requests share.
struct Watcher<'a, W: Write> {
    patterns: &'a [Glob],
    /// Points from this time on are printed first, instead of the last one of each key.
    from: Option<i64>,
    alerts: Alerts,
    /// The points that the alerts need.
    needs: Needs,
    commands: AlertCommands,
    /// The exit code that the alerts make so far.
    exit_code: Arc<AtomicU8>,
    /// The selectors that have been answered in polls.
    answered: HashSet<String>,
    /// What is polled, from the first poll on.
    feeds: Vec<Feed>,
    /// The newest points of each key, from the first follow on.
    known: KnownPoints,
    /// The follow goes on where an earlier one has ended, so that it repeats some points.
    resumes: bool,
    /// What the follow has brought of the past, if it was asked for.
    history: Option<History>,
    /// The current or last connection follows.
    is_following: bool,
    /// It is said that the server does not follow.
    told: bool,
    out: &'a mut Printer<W>,
}

impl<W: Write> Watcher<'_, W> {
    async fn run(&mut self, plan: &Plan, mut connection: Client) -> Result<(), Failure> {
        let mut reconnector = Reconnector::new();
        reconnector.connected();
        loop {
            let outcome = self.serve(plan, &connection, &mut reconnector).await;
            let Err(Failure::Connection(reason)) = outcome else { return outcome };
            let connecting = reconnector.reconnect(reason, plan, warn);
            connection = self.meanwhile(connecting).await;
        }
    }

    /// Follows or polls over one connection until it ends.
    async fn serve(
        &mut self,
        plan: &Plan,
        connection: &Client,
        reconnector: &mut Reconnector,
    ) -> Result<(), Failure> {
        // The minimum of all values, or their number, does not follow from news.
        if self.needs.is_recent() {
            self.is_following = true;
            let refusal = self.follow(plan, connection, reconnector).await?;
            if !std::mem::replace(&mut self.told, true) {
                let reason = refusal.unwrap_or_else(|| NO_SELECTORS.to_owned());
                warn(&format!("{reason}; polling every {}", time::interval(plan.interval)));
            }
            self.is_following = false;
        }
        self.poll(plan, connection, reconnector).await
    }

    /// Waits for something. Meanwhile alerts on ages are evaluated every second.
    async fn meanwhile<T>(&mut self, due: impl Future<Output = T>) -> T {
        let mut seconds = interval(Duration::from_secs(1));
        tokio::pin!(due);
        loop {
            tokio::select! {
                due = &mut due => return due,
                _ = seconds.tick() => self.evaluate_ages(),
            }
        }
    }

    /// Evaluates the alerts that fire by the passing of time.
    fn evaluate_ages(&mut self) {
        if !self.alerts.counts_time() {
            return;
        }
        if self.is_following {
            let now = unix_now();
            let series = self.known.all_series(|key| self.alerts.concerns(key), now);
            self.evaluate(&series, |_| false, |_| true);
        } else {
            for feed in std::mem::take(&mut self.feeds) {
                self.evaluate_answered(feed.series(), |_| false);
                self.feeds.push(feed);
            }
        }
    }

    /// Evaluates series and reports what is new; `asked` tells the keys that would be among the
    /// series if they had points, `complete` the patterns of which all keys would.
    fn evaluate(
        &mut self,
        series: &[Series],
        asked: impl Fn(&str) -> bool,
        complete: impl Fn(&Glob) -> bool,
    ) {
        let events = self.alerts.evaluate(series, asked, complete, unix_now());
        self.report(&events);
    }

    /// Reports changes of alerts.
    fn report(&mut self, events: &[AlertEvent]) {
        for event in events {
            warn(event.text());
            self.commands.run(event);
        }
        let without_data = self.alerts.without_data().next().is_some();
        let code = match (self.alerts.fired(), without_data) {
            (true, _) => ALERTED,
            (false, true) => REFUSED,
            (false, false) => 0,
        };
        self.exit_code.store(code, Ordering::Relaxed);
    }

    fn is_watched(&self, key: &str) -> bool {
        self.patterns.iter().any(|glob| glob.matches(key))
    }
}
