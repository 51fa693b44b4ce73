//! Requests that one of several sources refuses: the others are shown without it, and it is asked again
//! after a wait that grows.

use tokio::time::{Duration, Instant, sleep_until};

use super::{Joined, SourceLink};
use crate::sources::{Source, SourceState};
use crate::text::escape::escape;

/// The longest wait before a refused request is sent to its source again; the first one is the patience
/// with a source.
const MAX_WAIT: Duration = Duration::from_secs(300);

/// A request that a source refuses.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    /// The request, as it is sent to the source.
    line: Vec<u8>,
    /// The source's reason, safe to show.
    reason: String,
    wait: Duration,
    /// When the wait ends.
    until: Instant,
    /// It has ended: the request is sent again.
    is_due: bool,
}

impl SourceLink {
    /// As it is told of a source.
    pub(super) fn told(&self, source: &Source) -> SourceState {
        match (&self.state, &self.fault) {
            (SourceState::Here { shift, .. }, Some(Fault { reason, .. })) => {
                SourceState::Refusing { reason: reason.clone(), shift: *shift }
            }
            (SourceState::Here { .. }, None) if self.start.is_none() && !source.run.is_empty() => {
                SourceState::NoKeys
            }
            (state, _) => state.clone(),
        }
    }

    /// What a follow that the source has a part in depends on.
    pub(super) fn news(&self) -> u64 {
        self.changes + self.retries
    }
}

impl Joined {
    /// The source has refused this request, and is not to be sent it yet.
    pub(super) fn is_refused(&self, source: usize, line: &[u8]) -> bool {
        let standings = self.standings.borrow();
        let fault = standings.get(source).and_then(|standing| standing.fault.as_ref());
        fault.is_some_and(|fault| fault.line == line && !fault.is_due)
    }

    /// Records that a source refuses a request. Of several requests the first counts until the source
    /// answers that.
    pub(super) fn record_fault(&self, source: usize, changes: u64, line: &[u8], reason: &str) {
        self.standings.send_if_modified(|standings| {
            let standing = standings.get_mut(source);
            let Some(standing) = standing.filter(|it| it.changes == changes && it.state.is_here())
            else {
                return false;
            };
            let wait = match &standing.fault {
                Some(fault) if fault.line != line || !fault.is_due => return false,
                Some(fault) => (fault.wait * 2).min(MAX_WAIT),
                None => self.patience,
            };
            let (reason, until) = (escape(reason).into_owned(), Instant::now() + wait);
            let line = line.to_vec();
            standing.fault = Some(Fault { line, reason, wait, until, is_due: false });
            true
        });
    }

    /// Records that a source has answered a request.
    pub(super) fn clear_fault(&self, source: usize, line: &[u8]) {
        self.standings.send_if_modified(|standings| {
            let Some(standing) = standings.get_mut(source) else { return false };
            standing.fault.take_if(|fault| fault.line == line).is_some()
        });
    }

    /// Lets a refused request be sent again when its wait is over, and forgets one that is not.
    /// Never ends.
    pub(super) async fn retry_faults(&self, source: usize) {
        let mut standings = self.standings.subscribe();
        loop {
            let until = {
                let now = standings.borrow_and_update();
                let fault = now.get(source).and_then(|standing| standing.fault.as_ref());
                fault.map(|fault| fault.until)
            };
            tokio::select! {
                changed = standings.changed() => if changed.is_err() { return },
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                    self.end_wait(source);
                }
            }
        }
    }

    fn end_wait(&self, source: usize) {
        self.standings.send_if_modified(|standings| {
            let Some(standing) = standings.get_mut(source) else { return false };
            let Some(fault) = standing.fault.as_mut().filter(|it| it.until <= Instant::now())
            else {
                return false;
            };
            if fault.is_due {
                standing.fault = None;
            } else {
                (fault.is_due, fault.until) = (true, Instant::now() + 2 * fault.wait);
                // A follow breaks off, so that all is asked for anew.
                standing.retries += 1;
            }
            true
        });
    }

    /// Waits until it is told that these sources are away or refuse something, so that an answer without
    /// their keys is not taken for a whole one.
    pub(super) async fn told_of(&self, lacking: &[usize]) {
        let (mut told, mut standings) = (self.told.subscribe(), self.standings.subscribe());
        loop {
            let is_known = {
                let (told, now) = (told.borrow_and_update(), standings.borrow_and_update());
                lacking.iter().all(|&at| {
                    told.get(at).is_none_or(|state| !state.is_whole())
                        || now
                            .get(at)
                            .zip(self.sources.get(at))
                            .is_none_or(|(standing, source)| standing.told(source).is_whole())
                })
            };
            if is_known {
                return;
            }
            tokio::select! {
                changed = told.changed() => if changed.is_err() { return },
                changed = standings.changed() => if changed.is_err() { return },
            }
        }
    }
}
