//! The other end of a connection with TLS.

use std::fmt;
use std::future::pending;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_rustls::server::TlsStream;

use super::super::stall::Peer;
use super::{Certificate, Settings};

/// How often a certificate is looked at that lasts: the system's time may be set.
const RECHECK: Duration = Duration::from_secs(3600);

/// Why the certificate of a client is taken no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::net) enum CertificateEnd {
    #[error("the certificate of the client has expired")]
    Expired,
    #[error("the certificate of the client was revoked")]
    Revoked,
    #[error("the certificate of the client is not taken any more")]
    NotTaken,
}

/// A client. Reads and writes fail with [`CertificateEnd`] once its certificate is taken no more.
pub(in crate::net) struct TlsPeer {
    stream: Box<TlsStream<TcpStream>>,
    name: Option<String>,
    /// `None` where it shows none.
    certificate: Option<Pin<Box<dyn Future<Output = CertificateEnd> + Send>>>,
}

impl fmt::Debug for TlsPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsPeer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl TlsPeer {
    /// A client after its handshake, and what was loaded then and will be later.
    pub(super) fn new(
        stream: TlsStream<TcpStream>,
        settings: watch::Receiver<Arc<Settings>>,
    ) -> Self {
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let chain: Vec<_> = chain.iter().map(|shown| shown.clone().into_owned()).collect();
        let known = chain.first().and_then(|own| Certificate::read(own));
        let until = known.as_ref().map(|known| known.until.seconds);
        let certificate =
            (!chain.is_empty()).then(|| -> Pin<Box<dyn Future<Output = _> + Send>> {
                // The library reads more than is read here: it is asked again now and then.
                Box::pin(ended(chain, until.unwrap_or(i64::MAX), settings))
            });
        let name = known.and_then(|known| known.name);
        Self { stream: Box::new(stream), name, certificate }
    }

    /// For whom its certificate is: the first DNS name, else the common name, in lower case.
    pub(in crate::net) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The socket below.
    pub(in crate::net) fn socket(&self) -> &TcpStream {
        self.stream.get_ref().0
    }

    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match &mut self.certificate {
            Some(certificate) => match certificate.as_mut().poll(context) {
                Poll::Ready(end) => {
                    // Asked again, it says the same.
                    self.certificate = Some(Box::pin(std::future::ready(end)));
                    Err(io::Error::other(end))
                }
                Poll::Pending => Ok(()),
            },
            None => Ok(()),
        }
    }
}

/// Waits until a certificate is taken no more, which was good until a time in Unix seconds.
pub(super) async fn ended(
    chain: Vec<CertificateDer<'static>>,
    until: i64,
    mut settings: watch::Receiver<Arc<Settings>>,
) -> CertificateEnd {
    loop {
        let left = settings.borrow().time_left(until).min(RECHECK);
        tokio::select! {
            changed = settings.changed() => if changed.is_err() {
                // Nothing is loaded any more: the server ends.
                return pending().await;
            },
            () = sleep(left) => {}
        }
        if let Err(end) = settings.borrow_and_update().verify(&chain) {
            return end;
        }
    }
}

impl Peer for &mut TlsPeer {
    fn unacknowledged(&self) -> Option<u32> {
        super::super::stall::unacknowledged(self.socket())
    }
}

impl AsyncRead for TlsPeer {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            // The end without the words of TLS. Requests say themselves where they end.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Poll::Ready(Ok(()))
            }
            outcome => outcome,
        }
    }
}

impl AsyncWrite for TlsPeer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        if bytes.is_empty() {
            // Asks the socket whether the client is there.
            return Pin::new(self.stream.get_mut().0).poll_write(context, bytes);
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
