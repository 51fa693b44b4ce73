//! The reading side of a connection: matches replies to the requests that are due.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, ReadHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::command::{Awaiting, lost};
use super::error::ClientError;
use super::pace::Progress;
use super::reply::{Delivery, ReplyPiece};
use crate::response::{BadReply, NO_PLACE, ReplyDecoder, ReplyEvent, Status};

/// Room made in the read buffer before each read.
const READ_SIZE: usize = 64 * 1024;

/// Longest wait for the end of a connection whose first reply may say that there is no place for it.
const REFUSAL_END: Duration = Duration::from_millis(100);

/// The one line of an error reply as text.
fn reason_text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).trim_end().to_owned()
}

/// Why there is no place for a connection, if that is all it has brought. With other words it may be the answer to
/// a request, behind which some servers close every connection.
fn refusal(brought: &[u8]) -> Option<String> {
    let reason = brought.strip_prefix(b"error\n")?.strip_suffix(b"\n\n")?;
    (reason.starts_with(NO_PLACE.as_bytes()) && !reason.contains(&b'\n'))
        .then(|| reason_text(reason))
}

/// The reading side.
pub(super) struct Reader<S> {
    stream: ReadHalf<S>,
    buffer: BytesMut,
    decoder: ReplyDecoder,
    reply_timeout: Duration,
    awaited: mpsc::Receiver<Awaiting>,
    /// There are no more of those to come.
    all_awaited: bool,
    /// Commands whose replies have begun.
    begun: u64,
    /// The first of those, taken to know that a reply is due.
    next: Option<Awaiting>,
    current: Option<Current>,
    /// Tells the writer to end a follow, by its number among the commands.
    follow_end: mpsc::Sender<u64>,
    /// Tells the writer how far the replies have come.
    progress: watch::Sender<Progress>,
    answered: u64,
}

/// The reply that is arriving.
struct Current {
    awaiting: Awaiting,
    status: Status,
    /// The data of an error reply within a batch.
    reason: Vec<u8>,
    /// The writer was told to end the follow, so its end is due.
    is_ending: bool,
}

impl Current {
    /// The reply ends only when more is sent.
    fn is_open_follow(&self) -> bool {
        self.status == Status::Ok && self.awaiting.is_follow()
    }

    /// Silence says nothing about the peer.
    fn may_be_silent(&self) -> bool {
        !self.is_ending && self.is_open_follow()
    }
}

impl<S: AsyncRead> Reader<S> {
    /// Reads the replies to what comes from `awaited`, in order.
    pub(super) fn new(
        stream: ReadHalf<S>,
        reply_timeout: Duration,
        awaited: mpsc::Receiver<Awaiting>,
        follow_end: mpsc::Sender<u64>,
        progress: watch::Sender<Progress>,
    ) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
            decoder: ReplyDecoder::default(),
            reply_timeout,
            awaited,
            all_awaited: false,
            begun: 0,
            next: None,
            current: None,
            follow_end,
            progress,
            answered: 0,
        }
    }

    /// Runs until the connection ends.
    pub(super) async fn run(&mut self) -> ClientError {
        let mut error = self.read_replies().await;
        // A record of TLS need not have an end of a line in it.
        if error == ClientError::Closed && self.begun == 0 && BadReply::is_tls(&self.buffer) {
            error = BadReply::Tls.into();
        }
        // Not part of a whole reply.
        self.buffer.clear();
        error
    }

    async fn read_replies(&mut self) -> ClientError {
        if let Err(error) = self.read_first().await {
            return error;
        }
        loop {
            match self.deliver_event() {
                Ok(true) => self.wait_for_room().await,
                Ok(false) => {
                    if let Some(Current { awaiting: Awaiting::Batch(batch), .. }) =
                        &mut self.current
                    {
                        batch.deliver_progress();
                    }
                    self.report_progress();
                    self.buffer.reserve(READ_SIZE);
                    match self.read().await {
                        Ok(0) => return ClientError::Closed,
                        Ok(_) => {}
                        Err(error) => return error,
                    }
                }
                Err(error) => return error,
            }
        }
    }

    /// Reads what comes first, which may be that there is no place, in place of a reply to what was sent.
    async fn read_first(&mut self) -> Result<(), ClientError> {
        self.buffer.reserve(READ_SIZE);
        if self.read().await? == 0 {
            return Err(ClientError::Closed);
        }
        let Some(reason) = refusal(&self.buffer) else { return Ok(()) };
        match timeout(REFUSAL_END, self.stream.read_buf(&mut self.buffer)).await {
            Ok(Ok(0) | Err(_)) => Err(ClientError::Refused(reason)),
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    }

    fn report_progress(&self) {
        let follow_is_open = self.current.as_ref().is_some_and(Current::is_open_follow);
        let now = Progress { answered: self.answered, follow_is_open };
        self.progress.send_if_modified(|progress| std::mem::replace(progress, now) != now);
    }

    /// Whole replies so far.
    pub(super) fn answered(&self) -> u64 {
        self.answered
    }

    /// No part of a reply has come that is not whole.
    pub(super) fn is_between_replies(&self) -> bool {
        self.decoder.is_between_replies()
    }

    /// Takes out the first of the requests whose replies are due.
    pub(super) fn take_due(&mut self) -> Option<Awaiting> {
        let current = self.current.take().map(|current| current.awaiting);
        current.or_else(|| self.next.take()).or_else(|| self.awaited.try_recv().ok())
    }

    /// Reads what has come. While a reply is due, it waits no longer than the time for replies; a
    /// follow is due only once it is to end.
    async fn read(&mut self) -> Result<usize, ClientError> {
        let limit = self.reply_timeout;
        loop {
            let Self { stream, buffer, awaited, all_awaited, next, current, .. } = &mut *self;
            let read = stream.read_buf(buffer);
            if next.is_some() || current.as_ref().is_some_and(|current| !current.may_be_silent()) {
                let read = timeout(limit, read).await;
                let read = read.map_err(|_| ClientError::Stalled(limit))?;
                return read.map_err(|error| lost(&error));
            }
            let abandoned = async {
                current.as_ref()?.awaiting.abandoned().await;
                Some(())
            };
            tokio::select! {
                read = read => return read.map_err(|error| lost(&error)),
                awaiting = awaited.recv(), if !*all_awaited => {
                    (*all_awaited, *next) = (awaiting.is_none(), awaiting);
                }
                Some(()) = abandoned => self.end_follow()?,
            }
        }
    }

    /// Has the current follow ended: nothing takes its pieces.
    fn end_follow(&mut self) -> Result<(), ClientError> {
        if let Some(current) = &mut self.current {
            current.is_ending = true;
        }
        // Nothing more can be sent when all handles are gone.
        self.follow_end.try_send(self.begun).map_err(|_| ClientError::Closed)
    }

    /// Delivers the next event in the buffer; says whether there was one.
    fn deliver_event(&mut self) -> Result<bool, ClientError> {
        let mut rest: &[u8] = &self.buffer;
        let event = self.decoder.next_event(&mut rest)?;
        let taken = self.buffer.len() - rest.len();
        match event {
            None => {
                // Bytes of a line that is too long are not kept.
                self.buffer.advance(taken);
                return Ok(false);
            }
            Some(ReplyEvent::Status(status)) => {
                self.buffer.advance(taken);
                self.begin(status)?;
            }
            Some(ReplyEvent::Data(_)) => {
                let data = self.buffer.split_to(taken).freeze();
                self.data(data);
            }
            Some(ReplyEvent::End) => {
                self.buffer.advance(taken);
                self.end();
            }
        }
        Ok(true)
    }

    /// Waits while the caller has too many pieces of the current reply to take.
    async fn wait_for_room(&mut self) {
        match &mut self.current {
            Some(Current { awaiting: Awaiting::Stream { pieces, .. }, .. }) => {
                pieces.wait_for_room().await;
            }
            Some(Current { awaiting: Awaiting::Batch(batch), .. }) => batch.wait_for_room().await,
            Some(Current { awaiting: Awaiting::Probe(_), .. }) | None => {}
        }
    }

    fn begin(&mut self, status: Status) -> Result<(), ClientError> {
        let current = match &mut self.current {
            // A batch stays current until all its replies have come.
            Some(current) => current,
            none => {
                let awaiting = self.next.take().or_else(|| self.awaited.try_recv().ok());
                // A reply without a request.
                let awaiting = awaiting.ok_or(ClientError::Closed)?;
                self.begun += 1;
                none.insert(Current { awaiting, status, reason: Vec::new(), is_ending: false })
            }
        };
        current.status = status;
        if let Awaiting::Stream { pieces, .. } = &mut current.awaiting {
            pieces.send(Delivery::Piece(ReplyPiece::Status(status)));
        }
        Ok(())
    }

    fn data(&mut self, data: Bytes) {
        match &mut self.current {
            Some(Current { awaiting: Awaiting::Stream { pieces, .. }, .. }) => {
                pieces.send(Delivery::Piece(ReplyPiece::Data(data)));
            }
            Some(Current {
                awaiting: Awaiting::Batch(_), status: Status::Error, reason, ..
            }) => {
                reason.extend_from_slice(&data);
            }
            Some(Current { awaiting: Awaiting::Batch(batch), .. }) => batch.data(data),
            Some(Current { awaiting: Awaiting::Probe(_), .. }) | None => {}
        }
    }

    fn end(&mut self) {
        let Some(current) = &mut self.current else {
            return;
        };
        self.answered += 1;
        let is_last = match &mut current.awaiting {
            Awaiting::Stream { pieces, .. } => {
                pieces.send(Delivery::End);
                true
            }
            Awaiting::Batch(batch) => {
                let reason =
                    (current.status == Status::Error).then(|| reason_text(&current.reason));
                current.reason.clear();
                batch.answer(reason)
            }
            Awaiting::Probe(probe) => probe.answer(current.status),
        };
        if is_last {
            self.current = None;
        }
    }

    /// Delivers what has come, and gives the requests whose replies are still due, in order. Does not
    /// wait for callers.
    pub(super) fn into_due(mut self) -> impl Iterator<Item = Awaiting> {
        if self.begun == 0 && refusal(&self.buffer).is_some() {
            self.buffer.clear();
        }
        while let Ok(true) = self.deliver_event() {}
        std::iter::from_fn(move || self.take_due())
    }
}
