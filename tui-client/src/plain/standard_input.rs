//! Standard input as an asynchronous stream, read by a thread of its own.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::input::READ_SIZE;
use crate::system::os::streams::Input;

/// Standard input. Reading begins with the first poll, and is at most two reads ahead of what is taken.
#[derive(Default)]
pub(super) struct StandardInput {
    reads: Option<mpsc::Receiver<io::Result<Bytes>>>,
    /// What is left of the last one.
    rest: Bytes,
}

fn start() -> mpsc::Receiver<io::Result<Bytes>> {
    let (sender, reads) = mpsc::channel(1);
    spawn_blocking(move || {
        let mut buffer = vec![0; READ_SIZE];
        loop {
            let read = Input.read(&mut buffer);
            let read = read.map(|size| Bytes::copy_from_slice(&buffer[..size]));
            let last = read.as_ref().map_or(true, Bytes::is_empty);
            if sender.blocking_send(read).is_err() || last {
                return;
            }
        }
    });
    reads
}

impl AsyncRead for StandardInput {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.rest.is_empty() {
            let reads = self.reads.get_or_insert_with(start);
            match ready!(reads.poll_recv(context)) {
                Some(read) => self.rest = read?,
                None => return Poll::Ready(Ok(())),
            }
        }
        let size = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest[..size]);
        self.rest.advance(size);
        Poll::Ready(Ok(()))
    }
}
