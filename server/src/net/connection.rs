//! One peer: read what is there, serve it as a batch, answer with one write.

use std::fmt;
use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use crate::session::{Session, Tally};
use crate::store::Store;

/// The read buffer starts small, because most connections are idle, and doubles when filled.
const FIRST_BUFFER: usize = 8 * 1024;

/// The most that is read before it is served; it bounds a batch.
const LARGEST_BUFFER: usize = 256 * 1024;

/// Room kept free for the line end that may follow a full buffer.
const SLACK: usize = 2;

/// How a conversation ended.
#[derive(Debug)]
pub enum Ended {
    /// The peer closed its sending side, and all its requests were answered.
    ByPeer,
    /// The server is shutting down.
    Shutdown,
    /// The socket failed, or an answer could not be completed.
    Failed(io::Error),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByPeer => f.write_str("closed by the client"),
            Self::Shutdown => f.write_str("the server is shutting down"),
            Self::Failed(error) => write!(f, "{error}"),
        }
    }
}

/// Talks to one peer until either side ends it. Requests in hand are finished first.
pub async fn converse<S: Store>(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    store: S,
    shutdown: &CancellationToken,
) -> (Tally, Ended) {
    let mut session = Session::new(store);
    let ended = match serve_all(&mut stream, &mut session, shutdown).await {
        Ok(ended) => ended,
        Err(error) => Ended::Failed(error),
    };
    if !matches!(ended, Ended::Failed(_)) {
        // All is answered; a peer that is gone already has nothing left to be told.
        let _ = stream.shutdown().await;
    }
    (session.tally(), ended)
}

async fn serve_all<S: Store>(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    session: &mut Session<S>,
    shutdown: &CancellationToken,
) -> io::Result<Ended> {
    let mut buffer = vec![0; FIRST_BUFFER];
    let mut filled = 0;
    loop {
        let limit = buffer.len() - SLACK;
        let read = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(Ended::Shutdown),
            read = stream.read(&mut buffer[filled..limit]) => read?,
        };
        if read == 0 {
            return Ok(Ended::ByPeer);
        }
        filled += read;
        let full = filled == limit;
        if full && ends_with_a_request(&buffer[..filled]) {
            filled += read_ready(stream, &mut buffer[filled..]).await?;
        }
        let mut rest = &buffer[..filled];
        session.serve(&mut rest, stream).await?;
        session.flush(stream).await?;
        let left = rest.len();
        buffer.copy_within(filled - left..filled, 0);
        filled = left;
        if full && buffer.len() < LARGEST_BUFFER {
            buffer.resize(buffer.len() * 2, 0);
        }
    }
}

/// Whether the bytes end right behind the line end of a request, or a `\r` further.
fn ends_with_a_request(bytes: &[u8]) -> bool {
    let Some(line) = bytes.strip_suffix(b"\r").unwrap_or(bytes).strip_suffix(b"\n") else {
        return false;
    };
    !matches!(line.strip_suffix(b"\r").unwrap_or(line), [] | [.., b'\n'])
}

/// Reads what has come already, without waiting: the empty line of the last request may have
/// been cut off by the end of the buffer.
async fn read_ready(stream: &mut (impl AsyncRead + Unpin), room: &mut [u8]) -> io::Result<usize> {
    tokio::select! {
        biased;
        read = stream.read(room) => read,
        () = std::future::ready(()) => Ok(0),
    }
}
