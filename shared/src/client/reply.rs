//! One reply in pieces, however large it is.

use bytes::Bytes;

use super::error::ClientError;
use super::piece_queue::PieceReceiver;
use crate::response::Status;

/// A part of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyPiece {
    /// The reply begins.
    Status(Status),
    /// Whole data lines, each with its `\n`; [`crate::response::decode_points`] reads them.
    Data(Bytes),
}

/// One reply as it arrives. Dropping it discards the rest and leaves the connection in step; a
/// follow is ended.
///
/// A reply that is not taken holds back the replies after it.
#[derive(Debug)]
pub struct ReplyStream {
    deliveries: PieceReceiver<Delivery>,
    is_complete: bool,
}

impl ReplyStream {
    pub(super) fn new(deliveries: PieceReceiver<Delivery>) -> Self {
        Self { deliveries, is_complete: false }
    }

    /// The next piece, or `None` once the reply is complete.
    ///
    /// # Errors
    /// [`ClientError`] when the reply breaks off; what came of it then is no reply.
    pub async fn next(&mut self) -> Result<Option<ReplyPiece>, ClientError> {
        if self.is_complete {
            return Ok(None);
        }
        match self.deliveries.recv().await {
            Some(Delivery::Piece(piece)) => Ok(Some(piece)),
            Some(Delivery::End) => {
                self.is_complete = true;
                Ok(None)
            }
            Some(Delivery::Failed(error)) => Err(error),
            None => Err(ClientError::Closed),
        }
    }
}

/// What the driver hands on of a reply.
#[derive(Debug)]
pub(super) enum Delivery {
    Piece(ReplyPiece),
    End,
    Failed(ClientError),
}
