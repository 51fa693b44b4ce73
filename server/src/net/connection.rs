//! One peer: read what is there, serve it as a batch, answer with one write.

use std::fmt;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use crate::session::{Session, Tally};
use crate::store::Store;

/// The read buffer starts small, because most connections are idle, and doubles when filled.
const FIRST_BUFFER: usize = 8 * 1024;

/// The most that is read before it is served; it bounds a batch.
const LARGEST_BUFFER: usize = 256 * 1024;

/// A peer that has sent nothing for so long is taken to have nothing more on its way.
const LAST_BYTES: Duration = Duration::from_millis(200);

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
    if matches!(ended, Ended::Shutdown) {
        drain(&mut stream).await;
    }
    (session.tally(), ended)
}

/// Ends the answers, and reads what the peer still sends. Closing a socket with unread bytes
/// resets it, and answers that are on their way would be lost with it.
async fn drain(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    // A peer that is gone already has nothing left to be told.
    if stream.shutdown().await.is_ok() {
        let mut unread = [0; 4096];
        let mut read = async || tokio::time::timeout(LAST_BYTES, stream.read(&mut unread)).await;
        while matches!(read().await, Ok(Ok(1..))) {}
    }
}

async fn serve_all<S: Store>(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    session: &mut Session<S>,
    shutdown: &CancellationToken,
) -> io::Result<Ended> {
    let mut buffer = vec![0; FIRST_BUFFER];
    let mut filled = 0;
    loop {
        let read = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(Ended::Shutdown),
            read = stream.read(&mut buffer[filled..]) => read?,
        };
        if read == 0 {
            return Ok(Ended::ByPeer);
        }
        filled += read;
        let mut full = filled == buffer.len();
        // Serves what has come before it is answered as well, if that is requests.
        loop {
            let mut rest = &buffer[..filled];
            session.serve(&mut rest, stream).await?;
            let left = rest.len();
            buffer.copy_within(filled - left..filled, 0);
            filled = left;
            // The empty line of the last request may have come meanwhile.
            let late = read_ready(stream, &mut buffer[filled..]).await?;
            full = full || filled + late == buffer.len();
            let mut rest = &buffer[filled..filled + late];
            session.absorb_empty_line(&mut rest);
            let kept = rest.len();
            buffer.copy_within(filled + late - kept..filled + late, filled);
            filled += kept;
            session.flush(stream).await?;
            // Also for one who sends without a pause and so is never done with.
            if std::mem::take(&mut full) && buffer.len() < LARGEST_BUFFER {
                buffer.resize(buffer.len() * 2, 0);
            }
            if kept == 0 || shutdown.is_cancelled() {
                break;
            }
        }
    }
}

/// Reads what has come already, without waiting. The end of the stream is left for the next read.
async fn read_ready(stream: &mut (impl AsyncRead + Unpin), room: &mut [u8]) -> io::Result<usize> {
    tokio::select! {
        biased;
        read = stream.read(room) => read,
        () = std::future::ready(()) => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use shared::{Key, Point, Selector};

    use super::*;
    use crate::store::{Block, Cursor, PutError, ReadError, Refused, StoreStatus};

    /// Remembers only how many puts came together.
    #[derive(Clone, Default)]
    struct Sizes(Arc<Mutex<Vec<usize>>>);

    struct Nothing;

    impl Cursor for Nothing {
        async fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
            Ok(None)
        }
    }

    impl Store for Sizes {
        type Cursor = Nothing;

        fn put_batch(
            &self,
            puts: &[(Key<'_>, Point)],
        ) -> impl Future<Output = Result<Vec<Refused>, PutError>> + Send + use<> {
            self.0.lock().unwrap().push(puts.len());
            std::future::ready(Ok(Vec::new()))
        }

        fn get(&self, _: Selector<'_>) -> Nothing {
            Nothing
        }

        fn status(&self) -> StoreStatus {
            StoreStatus { series: 0, disk_bytes: 0, unavailable: None }
        }

        async fn close(&self) {}
    }

    #[tokio::test]
    async fn the_batches_of_a_peer_who_never_pauses_grow() {
        const LINE: &[u8] = b"put palm.cpu 23.7 1150864247\n";
        const LINES: usize = 100_000;
        let (near, mut far) = tokio::io::duplex(1024 * 1024);
        let (mut replies, mut requests) = tokio::io::split(&mut far);
        let (store, shutdown) = (Sizes::default(), CancellationToken::new());
        let asking = async {
            requests.write_all(&LINE.repeat(LINES)).await.unwrap();
            requests.shutdown().await.unwrap();
        };
        let mut answered = vec![0; b"ok\n\n".len() * LINES];
        let ((), read, (tally, _)) = tokio::join!(
            asking,
            replies.read_exact(&mut answered),
            converse(near, store.clone(), &shutdown)
        );
        read.unwrap();
        let sizes = store.0.lock().unwrap();
        assert_eq!((tally.puts, sizes.iter().sum::<usize>()), (LINES as u64, LINES));
        assert_eq!(sizes.iter().max(), Some(&(LARGEST_BUFFER / LINE.len())), "{sizes:?}");
    }
}
