//! Pasted lines, sent by the import engine, with news a few times a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use shared::Client;
use shared::client::ClientError;
use tokio::sync::{mpsc, oneshot};

use crate::event::Event;
use crate::import::engine::{self, Handler};
use crate::import::source::PastedText;
use crate::import::{ImportEnd, ImportNews, MAX_REFUSALS};
use crate::request::explain;

/// Batches sent ahead of their replies.
const MAX_IN_FLIGHT: usize = 4;

/// Sends the lines and reports their progress; the last news has an end. Stops when the sender of
/// `stop` is dropped.
pub(super) async fn run(
    client: Client,
    events: mpsc::Sender<Event>,
    id: u64,
    text: Arc<str>,
    stop: oneshot::Receiver<()>,
) {
    let sent = AtomicU64::new(0);
    let news = ImportNews { end: None, ..ImportNews::broken(id) };
    let mut reporter = Reporter { news, sent: &sent, reported: (0, 0), events };
    let mut source = PastedText::new(&text, &sent);
    let end = tokio::select! {
        outcome = engine::run(&client, MAX_IN_FLIGHT, &mut source, &mut reporter) => match outcome {
            Ok(()) => ImportEnd::Whole,
            Err(_) => ImportEnd::Broken,
        },
        _ = stop => ImportEnd::Stopped,
    };
    reporter.news.sent = sent.load(Ordering::Relaxed);
    reporter.news.end = Some(end);
    // The application may have ended.
    let _ = reporter.events.send(Event::Import(reporter.news)).await;
}

struct Reporter<'a> {
    news: ImportNews,
    sent: &'a AtomicU64,
    /// Lines answered and sent, as reported last.
    reported: (u64, u64),
    events: mpsc::Sender<Event>,
}

impl Handler for Reporter<'_> {
    type Error = ClientError;

    fn accepted<'a>(&mut self, lines: impl Iterator<Item = (u64, &'a [u8])>) {
        self.news.answered += lines.count() as u64;
    }

    fn refused(&mut self, number: u64, line: &[u8], reason: &str) {
        let news = &mut self.news;
        if news.refused < MAX_REFUSALS {
            news.refusals.push(explain::error_message_of_line(number, line, reason));
        }
        (news.answered, news.refused) = (news.answered + 1, news.refused + 1);
    }

    fn tick(&mut self) {
        self.news.sent = self.sent.load(Ordering::Relaxed);
        let now = (self.news.answered, self.news.sent);
        let news = || Event::Import(self.news.clone());
        if now != self.reported && self.events.try_send(news()).is_ok() {
            self.reported = now;
            self.news.refusals.clear();
        }
    }
}
