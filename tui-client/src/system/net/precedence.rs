//! What is typed goes before what is told: a flood of news keeps both processes busy, and would be in
//! the way of the one answer that a person waits for.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// News wait for so long at most after a request was sent.
const MAX_WAIT: Duration = Duration::from_millis(100);

/// Whether an answer is awaited; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Precedence(Arc<watch::Sender<Option<Instant>>>);

impl Precedence {
    /// No answer is awaited.
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// A request was sent.
    pub(super) fn take(&self) {
        self.0.send_replace(Some(Instant::now()));
    }

    /// Nothing is awaited any more.
    pub(super) fn give_up(&self) {
        self.0.send_if_modified(|since| since.take().is_some());
    }

    /// Waits until nothing is awaited, or the last request was sent long ago.
    pub(super) async fn pass(&self) {
        let mut awaited = self.0.subscribe();
        loop {
            let since = *awaited.borrow_and_update();
            let Some(since) = since else { return };
            if timeout_at(since + MAX_WAIT, awaited.changed()).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn news_wait_for_an_answer_and_not_for_ever() {
        let begun = Instant::now();
        let precedence = Precedence::new();
        precedence.pass().await;
        assert_eq!(begun.elapsed(), Duration::ZERO);

        precedence.take();
        let answer = async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            precedence.give_up();
        };
        tokio::join!(precedence.pass(), answer);
        assert_eq!(begun.elapsed(), Duration::from_millis(30));

        precedence.take();
        precedence.pass().await;
        assert_eq!(begun.elapsed(), Duration::from_millis(30) + MAX_WAIT);
        // The answer that does not come is waited for once.
        precedence.pass().await;
        assert_eq!(begun.elapsed(), Duration::from_millis(30) + MAX_WAIT);
    }
}
