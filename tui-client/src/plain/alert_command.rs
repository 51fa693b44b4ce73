//! The command that the user has for alerts: run beside the watch when one fires and when it ends.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io::stderr;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared::point::encode_value;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use super::warn;
use crate::metrics::alerts::{AlertChange, AlertEvent};
use crate::system::os::processes::shell;
use crate::text::escape::escape_untrusted;

/// Commands that run at once.
const MAX_AT_ONCE: usize = 4;

/// Commands that wait behind each of them; more are left out.
const MAX_WAITING: usize = 256;

/// The variables of the environment that tell a command of the event.
type Variables = Vec<(&'static str, String)>;

/// The commands of all events: those of one key and alert run one after another, in the order of
/// the events.
pub(super) struct AlertCommands {
    queues: Vec<mpsc::Sender<Variables>>,
    workers: Vec<JoinHandle<()>>,
    /// Some were left out.
    left_out: bool,
}

impl AlertCommands {
    /// Without a command nothing is run.
    pub(super) fn new(command: Option<&str>) -> Self {
        let mut commands = Self { queues: Vec::new(), workers: Vec::new(), left_out: false };
        let Some(command) = command else { return commands };
        let command = Arc::new(AlertCommand { line: command.to_owned(), told: Mutex::default() });
        for _ in 0..MAX_AT_ONCE {
            let (queue, events) = mpsc::channel(MAX_WAITING);
            commands.queues.push(queue);
            commands.workers.push(tokio::spawn(run_in_order(Arc::clone(&command), events)));
        }
        commands
    }

    /// Runs the command for an event, without waiting for it.
    pub(super) fn run(&mut self, event: &AlertEvent) {
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let hash = hasher.hash_one((event.key.as_str(), &event.condition));
        let place = hash.checked_rem(self.queues.len() as u64);
        let Some(queue) = place.and_then(|at| self.queues.get(usize::try_from(at).ok()?)) else {
            return;
        };
        if let Err(TrySendError::Full(_)) = queue.try_send(variables(event))
            && !std::mem::replace(&mut self.left_out, true)
        {
            warn(&format!("--exec: more than {MAX_WAITING} commands wait: some are left out"));
        }
    }

    /// Waits until all commands have ended.
    pub(super) async fn finish(self) {
        let Self { queues, workers, .. } = self;
        drop(queues);
        for worker in workers {
            // A panic has reported itself.
            let _ = worker.await;
        }
    }

    /// Waits until all commands have ended, no longer than `limit`.
    pub(super) async fn finish_within(self, limit: Duration) {
        if timeout(limit, self.finish()).await.is_err() {
            warn("--exec: not all commands have ended");
        }
    }
}

fn variables(event: &AlertEvent) -> Variables {
    let mut value = Vec::new();
    if let Some(number) = event.value {
        encode_value(number, &mut value);
    }
    let state = match event.change {
        AlertChange::Firing => "firing",
        AlertChange::Resolved => "resolved",
        AlertChange::NoData => "no-data",
    };
    vec![
        ("METRICS_KEY", event.key.to_string()),
        ("METRICS_VALUE", String::from_utf8_lossy(&value).into_owned()),
        ("METRICS_CONDITION", event.condition.clone()),
        ("METRICS_STATE", state.to_owned()),
        ("METRICS_TIMESTAMP", event.timestamp.map_or(String::new(), |time| time.to_string())),
    ]
}

async fn run_in_order(command: Arc<AlertCommand>, mut events: mpsc::Receiver<Variables>) {
    while let Some(variables) = events.recv().await {
        let command = Arc::clone(&command);
        // A panic has reported itself.
        let _ = spawn_blocking(move || command.run(variables)).await;
    }
}

struct AlertCommand {
    line: String,
    /// The failure that was said last; none after a success.
    told: Mutex<Option<String>>,
}

impl AlertCommand {
    fn run(&self, variables: Variables) {
        let mut command = shell(&self.line);
        // Standard output is for data.
        command.stdin(Stdio::null()).stdout(stderr()).envs(variables);
        let failure = match command.status() {
            Ok(status) if status.success() => None,
            Ok(status) => Some(failure(status)),
            Err(error) => Some(error.to_string()),
        };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(failure) = failure.as_ref().filter(|_| *told != failure) {
            let line = escape_untrusted(self.line.as_bytes());
            warn(&format!("--exec {line}: {failure}"));
        }
        *told = failure;
    }
}

fn failure(status: ExitStatus) -> String {
    status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"))
}
