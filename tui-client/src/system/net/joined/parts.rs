//! What one source answers to its part of a request.

use std::sync::Arc;

use shared::client::{ClientError, ReplyPiece, ReplyStream};
use shared::response::Status;
use tokio::time::{Duration, Instant};

use super::Joined;
use super::course::Course;
use crate::sources::{DataLines, Source, SourceLabel};

/// What one source answers.
pub(super) struct Part {
    pub(super) source: usize,
    /// The request, as it was sent to the source.
    pub(super) line: Vec<u8>,
    pub(super) lines: DataLines,
    pub(super) stream: Result<ReplyStream, ClientError>,
    pub(super) sent: Instant,
    /// Nothing else was under way, so that the time to its first byte is that of the way.
    pub(super) is_alone: bool,
    /// It is under way as long as this lives.
    pub(super) on_the_way: Arc<()>,
    /// How often the source had changed when it was asked.
    pub(super) changes: u64,
    /// What a follow tells besides, where the times of the source are shifted.
    pub(super) course: Option<Course>,
}

/// A part that does not answer.
pub(super) enum Failure {
    /// It is refused for this reason.
    Refused(String),
    /// It is not known whether it has had an effect.
    Lost(ClientError),
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::Lost(error)
    }
}

/// A part whose reply has begun, and is none of an error.
pub(super) struct Begun {
    pub(super) lines: DataLines,
    pub(super) stream: ReplyStream,
    pub(super) first: Option<Duration>,
    pub(super) on_the_way: Arc<()>,
    pub(super) course: Option<Course>,
}

/// What is known of a part once it has begun.
pub(super) struct Outcome {
    pub(super) source: usize,
    pub(super) line: Vec<u8>,
    pub(super) changes: u64,
    pub(super) begun: Result<Begun, Failure>,
}

impl Part {
    /// Waits for the status, and for the reason where it is an error.
    pub(super) async fn begin(self, joined: &Joined) -> Outcome {
        let Self { source, line, lines, stream, sent, is_alone, on_the_way, changes, course } =
            self;
        let begun = async {
            let mut stream = stream?;
            match joined.piece(&mut stream, source, changes).await? {
                Some(ReplyPiece::Status(Status::Ok)) => {
                    let first = is_alone.then(|| sent.elapsed());
                    Ok(Begun { lines, stream, first, on_the_way, course })
                }
                Some(ReplyPiece::Status(Status::Error)) => {
                    Err(Failure::Refused(joined.reason(&mut stream, source, changes).await?))
                }
                Some(ReplyPiece::Data(_)) | None => Err(Failure::Lost(ClientError::Closed)),
            }
        };
        Outcome { source, line, changes, begun: begun.await }
    }
}

impl Joined {
    /// The next piece of what a source answers, unless it goes before.
    pub(super) async fn piece(
        &self,
        stream: &mut ReplyStream,
        at: usize,
        changes: u64,
    ) -> Result<Option<ReplyPiece>, ClientError> {
        tokio::select! {
            biased;
            piece = stream.next() => piece,
            () = self.has_gone(at, changes) => Err(ClientError::Closed),
        }
    }

    /// What a source is called.
    pub(super) fn name(&self, at: usize) -> String {
        self.sources.get(at).map(|source| SourceLabel::from(source).shown()).unwrap_or_default()
    }

    /// What stands before its keys in the view.
    pub(super) fn before(&self, at: usize) -> String {
        self.sources.get(at).map(Source::before).unwrap_or_default()
    }
}
