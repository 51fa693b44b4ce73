//! TLS on a listener: what the server shows, whom it takes, and the loading of both again.
//!
//! The only place that names the TLS library. Sessions are not resumed: a client shows its
//! certificate on each connection, so that what was revoked comes in no more.

mod certificate;
mod files;
mod peer;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, ConfigBuilder, ServerConfig, WantsVerifier};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tracing::warn;

use certificate::Certificate;
use files::Identity;

pub use files::{TlsError, TlsFiles};
pub(super) use peer::{CertificateEnd, TlsPeer};

/// Bytes that a connection encrypts ahead of what its socket takes: two records.
const MAX_ENCRYPTED: usize = 32 * 1024;

/// Tells the time in Unix seconds.
type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What a listener needs for TLS. Clones share it, so that what is loaded again is so for all.
#[derive(Clone)]
pub struct Tls {
    files: Arc<TlsFiles>,
    now: Now,
    current: watch::Sender<Arc<Settings>>,
    /// What is read last is what counts.
    reloading: Arc<Mutex<()>>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files, and checks that they fit each other at the time that `now` tells in Unix
    /// seconds.
    ///
    /// # Errors
    /// [`TlsError`], which names the file.
    pub fn load(
        files: TlsFiles,
        now: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Result<Self, TlsError> {
        let now: Now = Arc::new(now);
        let settings = Settings::load(&files, &now, None)?;
        let current = watch::Sender::new(Arc::new(settings));
        Ok(Self { files: Arc::new(files), now, current, reloading: Arc::default() })
    }

    /// Reads the files again, for new connections and for those that there are: one whose certificate
    /// is not taken any more ends. Blocks for as long as the files take.
    ///
    /// A certificate of the server that is not good now holds the rest up, such as what was revoked, as
    /// little as no new one would: the one before is shown on.
    ///
    /// # Errors
    /// As those of [`Tls::load`]; everything stays as it was then.
    pub fn reload(&self) -> Result<(), TlsError> {
        let _alone = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let before = Arc::clone(&self.current.borrow());
        let settings = Settings::load(&self.files, &self.now, Some(&before))?;
        self.current.send_replace(Arc::new(settings));
        Ok(())
    }

    /// Clients have to show a certificate.
    pub fn wants_certificates(&self) -> bool {
        self.files.client_ca.is_some()
    }

    /// How long the certificate of the server lasts, for the log.
    pub fn lasts_until(&self) -> String {
        self.current.borrow().lasts_until.clone()
    }

    /// Takes part in the handshake with a client.
    ///
    /// # Errors
    /// Why there is no connection, and the socket, on which the client was told if it speaks TLS.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
    ) -> Result<TlsPeer, (io::Error, TcpStream)> {
        let mut settings = self.current.subscribe();
        let config = Arc::clone(&settings.borrow_and_update().config);
        let accepting = TlsAcceptor::from(config)
            .accept_with(stream, |session| session.set_buffer_limit(Some(MAX_ENCRYPTED)));
        let stream = accepting.into_fallible().await?;
        Ok(TlsPeer::new(stream, settings))
    }
}

/// What was loaded at one time.
struct Settings {
    config: Arc<ServerConfig>,
    /// `None` where clients show no certificate.
    verifier: Option<Arc<dyn ClientCertVerifier>>,
    lasts_until: String,
    now: Now,
}

impl Settings {
    fn load(files: &TlsFiles, now: &Now, before: Option<&Self>) -> Result<Self, TlsError> {
        let seconds = now();
        let identity = match (files.identity(seconds), before) {
            (Err(error @ (TlsError::Expired { .. } | TlsError::TooEarly { .. })), Some(before)) => {
                warn!("{error}; the one before is shown on");
                Err(before)
            }
            (identity, _) => Ok(identity?),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = files.client_roots(seconds)?;
        let verifier = match roots {
            Some(roots) => {
                let revocations = files.revocations()?;
                for name in files.cas_without_crl(&revocations)? {
                    warn!(
                        "the file of --tls-crl has no list of the CA {name}: its clients are refused"
                    );
                }
                let builder = WebPkiClientVerifier::builder_with_provider(
                    Arc::new(roots),
                    Arc::clone(&provider),
                );
                let verifier = builder.with_crls(revocations).build();
                Some(verifier.map_err(|error| files.unusable_ca(&error))?)
            }
            None => None,
        };
        let clock = Arc::new(Clock(Arc::clone(now)));
        let builder: ConfigBuilder<ServerConfig, WantsVerifier> =
            ServerConfig::builder_with_details(provider, clock)
                .with_safe_default_protocol_versions()
                .map_err(|error| files.unusable(&error))?;
        let builder = match &verifier {
            Some(verifier) => builder.with_client_cert_verifier(Arc::clone(verifier)),
            None => builder.with_no_client_auth(),
        };
        let (mut config, lasts_until) = match identity {
            Ok(Identity { chain, key, lasts_until }) => {
                let config = builder.with_single_cert(chain, key);
                (config.map_err(|error| files.unusable(&error))?, lasts_until)
            }
            Err(before) => {
                let resolver = Arc::clone(&before.config.cert_resolver);
                (builder.with_cert_resolver(resolver), before.lasts_until.clone())
            }
        };
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self { config: Arc::new(config), verifier, lasts_until, now: Arc::clone(now) })
    }

    /// Whether the certificate of a client is taken now.
    fn verify(&self, chain: &[CertificateDer<'_>]) -> Result<(), CertificateEnd> {
        let (Some(verifier), Some((own, others))) = (&self.verifier, chain.split_first()) else {
            return Ok(());
        };
        let taken = verifier.verify_client_cert(own, others, unix_time((self.now)()));
        taken.map(drop).map_err(|error| match error {
            rustls::Error::InvalidCertificate(
                CertificateError::Expired | CertificateError::ExpiredContext { .. },
            ) => CertificateEnd::Expired,
            rustls::Error::InvalidCertificate(CertificateError::Revoked) => CertificateEnd::Revoked,
            _ => CertificateEnd::NotTaken,
        })
    }

    /// How long the certificate of a client still lasts.
    fn time_left(&self, until: i64) -> Duration {
        // It is taken in the whole of its last second.
        let left = until.saturating_sub((self.now)()).saturating_add(1);
        Duration::from_secs(u64::try_from(left).unwrap_or(0))
    }
}

/// The library's clock.
struct Clock(Now);

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix_time((self.0)()))
    }
}

fn unix_time(seconds: i64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

#[cfg(test)]
mod tests;
