//! The last words to a client for which there is no place.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use shared::response::{self, NO_PLACE};
use socket2::SockRef;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Reads of what has come before the reply is written.
const MAX_READS: usize = 16;

/// How long to wait for more of what the client sends.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(200);

/// How long to read on in all.
const MAX_DRAIN: Duration = Duration::from_secs(1);

/// What is said to a client that speaks TLS, for which there is no handshake: an alert, "internal
/// error".
const TLS_ALERT: [u8; 7] = [0x15, 3, 3, 0, 2, 2, 80];

/// Reads what has come, says why, and ends the replies. Waits for nothing.
pub(super) fn refuse(stream: &TcpStream, limit: usize, speaks_tls: bool) {
    let mut reply = Vec::new();
    if speaks_tls {
        reply.extend_from_slice(&TLS_ALERT);
    } else {
        response::encode_error(&format!("{NO_PLACE} (the limit is {limit})"), &mut reply);
    }
    let socket = SockRef::from(stream);
    let mut unread = [0; 4096];
    for _ in 0..MAX_READS {
        if !matches!((&*socket).read(&mut unread), Ok(1..)) {
            break;
        }
    }
    // A client that is gone can't be told anything.
    let _ = (&*socket).write(&reply);
    let _ = socket.shutdown(Shutdown::Write);
}

/// Reads what the client still sends, for a short time: closing a socket with unread bytes resets it,
/// and the reply would be lost with it.
pub(super) async fn drain(mut stream: TcpStream) {
    let mut unread = vec![0; 4096];
    let mut read = async || timeout(DRAIN_TIMEOUT, stream.read(&mut unread)).await;
    let _ = timeout(MAX_DRAIN, async { while matches!(read().await, Ok(Ok(1..))) {} }).await;
}
