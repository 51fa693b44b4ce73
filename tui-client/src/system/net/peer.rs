//! What the screen speaks to: a server, several of them as one, or a recording that answers as one would.

use std::sync::Arc;

use shared::Client;
use shared::client::ConnectOptions;
use shared::frame::{Line, RequestFramer};
use shared::response::{WRONG_COMMAND, encode_end, encode_error};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::connect_reason;
use super::joined::Joined;
use crate::clock::unix_now;
use crate::session::Session;

/// Bytes on their way from a recording, or to it.
const PIPE_SIZE: usize = 64 * 1024;

/// What the screen speaks to.
#[derive(Debug, Clone)]
pub enum Peer {
    /// A server, over TCP.
    Server(ConnectOptions),
    /// Several servers in one view.
    Joined(Arc<Joined>),
    /// A saved session, in this process.
    Recorded(Arc<Session>),
}

impl From<ConnectOptions> for Peer {
    fn from(server: ConnectOptions) -> Self {
        Self::Server(server)
    }
}

impl Peer {
    /// A new connection for what is typed.
    ///
    /// # Errors
    /// As those of [`Peer::connect`].
    pub(super) async fn connect_prompt(&self) -> Result<Client, String> {
        match self {
            Self::Joined(joined) => joined.connect_prompt().await,
            Self::Server(_) | Self::Recorded(_) => self.connect().await,
        }
    }

    /// A new connection.
    ///
    /// # Errors
    /// Why there is none, in words; there always is one to a recording.
    pub(super) async fn connect(&self) -> Result<Client, String> {
        match self {
            Self::Server(server) => {
                Client::connect(server).await.map_err(|error| connect_reason(&error))
            }
            Self::Joined(joined) => joined.connect(),
            Self::Recorded(session) => {
                let (ours, theirs) = duplex(PIPE_SIZE);
                tokio::spawn(serve(theirs, Arc::clone(session)));
                Ok(Client::over(ours, ConnectOptions::REPLY_TIMEOUT))
            }
        }
    }

    /// Its clock, in Unix seconds: that of a recording stands still.
    pub(super) fn unix_now(&self) -> i64 {
        match self {
            Self::Server(_) | Self::Joined(_) => unix_now(),
            Self::Recorded(session) => session.view.saved_at,
        }
    }
}

/// Answers requests from a recording until the connection ends.
async fn serve(mut stream: DuplexStream, session: Arc<Session>) {
    let mut framer = RequestFramer::default();
    let (mut buffer, mut out) = (Vec::new(), Vec::new());
    let mut is_following = false;
    while let Ok(1..) = stream.read_buf(&mut buffer).await {
        // Nothing comes of a follow, and whatever is sent ends it.
        if std::mem::take(&mut is_following) {
            encode_end(&mut out);
            framer.reopen();
        }
        let mut rest = &buffer[..];
        while let Some(line) = framer.next_request(&mut rest) {
            if std::mem::take(&mut is_following) {
                encode_end(&mut out);
            }
            match line {
                Line::Text(line) => {
                    let Session { recording, view, .. } = &*session;
                    is_following = recording.answer_in_view(line, view, &mut out);
                }
                Line::TooLong => encode_error(WRONG_COMMAND, &mut out),
            }
        }
        buffer.drain(..buffer.len() - rest.len());
        if stream.write_all(&out).await.is_err() {
            return;
        }
        out.clear();
    }
}
