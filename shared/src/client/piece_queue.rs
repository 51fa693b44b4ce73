//! The queue of pieces from the driver to one caller. Sending does not wait; waiting for room is a
//! step of its own, which an abort can drop without losing a piece.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};

/// Pieces of one reply that may wait for the caller before the socket is left unread.
const MAX_QUEUED_PIECES: usize = 4;

/// An empty queue.
pub(super) fn piece_queue<T>() -> (PieceSender<T>, PieceReceiver<T>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(MAX_QUEUED_PIECES));
    let sender = PieceSender { pieces: sender, room: Arc::clone(&room), without_room: 0 };
    (sender, PieceReceiver { pieces: receiver, room })
}

/// The driver's end.
#[derive(Debug)]
pub(super) struct PieceSender<T> {
    pieces: mpsc::UnboundedSender<T>,
    room: Arc<Semaphore>,
    /// Pieces sent for which there was no room so far.
    without_room: usize,
}

impl<T> PieceSender<T> {
    /// Appends a piece. A caller that is gone wants no more; the connection stays in step.
    pub(super) fn send(&mut self, piece: T) {
        let _ = self.pieces.send(piece);
        self.without_room += 1;
    }

    /// Waits until at most [`MAX_QUEUED_PIECES`] are queued, or the caller is gone. Cancel-safe.
    pub(super) async fn wait_for_room(&mut self) {
        while self.without_room > 0 {
            let Ok(room) = self.room.acquire().await else { return };
            room.forget();
            self.without_room -= 1;
        }
    }

    /// Waits until the caller is gone.
    pub(super) async fn abandoned(&self) {
        self.pieces.closed().await;
    }
}

/// The caller's end.
#[derive(Debug)]
pub(super) struct PieceReceiver<T> {
    pieces: mpsc::UnboundedReceiver<T>,
    room: Arc<Semaphore>,
}

impl<T> PieceReceiver<T> {
    /// The next piece, or `None` once the driver's end is gone and the queue is empty.
    pub(super) async fn recv(&mut self) -> Option<T> {
        let piece = self.pieces.recv().await?;
        self.room.add_permits(1);
        Some(piece)
    }
}

impl<T> Drop for PieceReceiver<T> {
    fn drop(&mut self) {
        self.room.close();
    }
}
