//! TLS of a client: whom it believes, what it shows of itself, and in words why there is none.
//!
//! The only place that names the TLS library.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::stream::TlsStream;

/// Whom a client believes, and what it shows of itself. Clones share it.
#[derive(Clone)]
pub struct Tls(Arc<ClientConfig>);

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl PartialEq for Tls {
    /// Of one loading.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Tls {}

/// Why TLS can't be had with these files.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "fields are explained with their variant")]
pub enum TlsFileError {
    /// A file can't be read.
    #[error("can't read {}: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    /// A file has none of what it is to hold.
    #[error("{} holds no {what} in PEM form", path.display())]
    Empty { path: PathBuf, what: &'static str },
    /// What is in a file can't be used.
    #[error("{} can't be used: {why}", path.display())]
    Unusable { path: PathBuf, why: String },
    /// Key and certificate are of two pairs.
    #[error("the key in {} does not belong to the certificate in {}", key.display(),
        certificate.display())]
    OtherKey { key: PathBuf, certificate: PathBuf },
}

/// Why there is no TLS with a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsFailure {
    /// The CA of the server's certificate is not believed.
    #[error("the certificate of the server is of no CA that is known here; --ca FILE names its CA")]
    UnknownIssuer,
    /// The certificate is for others: all its names.
    #[error("the certificate of the server is for {0}; --host has to be a name in it")]
    WrongName(String),
    /// It has expired.
    #[error("the certificate of the server has expired; it has to be renewed there")]
    Expired,
    /// It is good only later.
    #[error("the certificate of the server is not good yet; is the clock of this machine right?")]
    TooEarly,
    /// Anything else is wrong with it.
    #[error("the certificate of the server can't be believed: {0}")]
    BadCertificate(String),
    /// The server wants a certificate, too.
    #[error("the server wants a certificate; --cert FILE and --key FILE show one")]
    WantsCertificate,
    /// The server says that the certificate of this client has expired, or is not good yet.
    #[error(
        "the server says that this client's certificate has expired, or is not good yet; --cert FILE \
         shows another"
    )]
    OwnExpired,
    /// The server says that it was revoked.
    #[error(
        "the server says that this client's certificate was revoked; --cert FILE shows another"
    )]
    OwnRevoked,
    /// The server takes no certificates of its CA.
    #[error("the server does not take this client's certificate; --cert FILE has to be of its CA")]
    OwnNotTaken,
    /// There is no TLS.
    #[error("the server does not speak TLS; without --tls it may answer")]
    NotTls,
    /// The handshake has taken too long.
    #[error("the server does not begin to speak TLS; without --tls it may answer")]
    NoHandshake,
    /// The server has ended the handshake for a reason of its own.
    #[error("the server took no connection with TLS; it may have too many, which its log says")]
    NoPlace,
    /// The host can't be in a certificate.
    #[error("{0:?} is no name that a certificate can be for; --host names another")]
    BadName(String),
    /// Anything else.
    #[error("TLS failed: {0}")]
    Other(String),
}

impl Tls {
    /// Believes the CAs in the file `ca`, or those that Mozilla believes, and shows the certificate in the first
    /// of two files, whose key is in the second. All are in PEM form.
    ///
    /// # Errors
    /// [`TlsFileError`], which names the file.
    pub fn load(ca: Option<&Path>, identity: Option<(&Path, &Path)>) -> Result<Self, TlsFileError> {
        let roots = match ca {
            Some(path) => roots_of(path)?,
            None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(ca.unwrap_or(Path::new("")), &error))?
            .with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some((path, key_path)) => {
                let chain = certificates(path)?;
                let key = PrivateKeyDer::from_pem_slice(&read(key_path)?).map_err(|_| {
                    let what = "key without a password";
                    TlsFileError::Empty { path: key_path.to_owned(), what }
                })?;
                builder.with_client_auth_cert(chain, key).map_err(|error| match error {
                    rustls::Error::InconsistentKeys(_) => TlsFileError::OtherKey {
                        key: key_path.to_owned(),
                        certificate: path.to_owned(),
                    },
                    rustls::Error::InvalidCertificate(_) => {
                        unusable(path, &"it holds what is no certificate")
                    }
                    other => unusable(key_path, &other),
                })?
            }
        };
        // The server is to look at the certificate each time.
        config.resumption = Resumption::disabled();
        Ok(Self(Arc::new(config)))
    }

    /// Begins to speak TLS with the server that is called `host`.
    ///
    /// # Errors
    /// Those of the socket, and [`TlsFailure`] inside of one.
    pub(super) async fn connect(&self, host: &str, stream: TcpStream) -> io::Result<TlsStream> {
        // The link of an address is no part of it.
        let host = host.split('%').next().unwrap_or_default();
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| io::Error::other(TlsFailure::BadName(host.to_owned())))?;
        let connecting = TlsConnector::from(Arc::clone(&self.0)).connect(name, stream);
        connecting.await.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => io::Error::other(TlsFailure::NotTls),
            _ => match TlsFailure::of(&error) {
                Some(failure) => io::Error::other(failure),
                None => error,
            },
        })
    }
}

impl TlsFailure {
    /// What an error of a connection says of TLS, if it is one.
    pub fn of(error: &io::Error) -> Option<Self> {
        let inner = error.get_ref()?;
        if let Some(failure) = inner.downcast_ref::<Self>() {
            return Some(failure.clone());
        }
        Some(match inner.downcast_ref::<rustls::Error>()? {
            rustls::Error::InvalidCertificate(wrong) => Self::of_certificate(wrong),
            rustls::Error::AlertReceived(alert) => Self::of_alert(*alert),
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            other => Self::Other(other.to_string()),
        })
    }

    fn of_certificate(wrong: &CertificateError) -> Self {
        match wrong {
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::TooEarly
            }
            CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
                Self::WrongName(
                    presented.iter().map(|name| shown(name)).collect::<Vec<_>>().join(", "),
                )
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::WrongName("others".to_owned())
            }
            other => Self::BadCertificate(other.to_string()),
        }
    }

    fn of_alert(alert: AlertDescription) -> Self {
        match alert {
            AlertDescription::CertificateRequired => Self::WantsCertificate,
            AlertDescription::CertificateExpired => Self::OwnExpired,
            AlertDescription::CertificateRevoked => Self::OwnRevoked,
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError => Self::OwnNotTaken,
            AlertDescription::InternalError => Self::NoPlace,
            other => Self::Other(format!("the server says {other:?}")),
        }
    }
}

/// A name in a certificate as it is shown: `DnsName("palm")` is `palm`. It is what a stranger chose.
fn shown(name: &str) -> String {
    let inner = name.split_once("(\"").and_then(|(_, rest)| rest.strip_suffix("\")"));
    let inner = inner.or_else(|| name.strip_prefix("IpAddress(")?.strip_suffix(')'));
    inner.unwrap_or(name).escape_debug().take(100).collect()
}

fn unusable(path: &Path, why: &dyn ToString) -> TlsFileError {
    TlsFileError::Unusable { path: path.to_owned(), why: why.to_string() }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsFileError> {
    fs::read(path).map_err(|error| TlsFileError::Unreadable { path: path.to_owned(), error })
}

/// All certificates of a file, at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    let text = read(path)?;
    let found = CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>();
    found
        .ok()
        .filter(|found: &Vec<_>| !found.is_empty())
        .ok_or_else(|| TlsFileError::Empty { path: path.to_owned(), what: "certificate" })
}

fn roots_of(path: &Path) -> Result<RootCertStore, TlsFileError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|_| unusable(path, &"it holds what is no certificate"))?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_certificate_are_shown_as_they_would_be_typed() {
        for (name, expected) in [
            ("DnsName(\"palm.example.org\")", "palm.example.org"),
            ("IpAddress(10.0.0.7)", "10.0.0.7"),
            ("DnsName(\"a\u{1b}[2J\")", "a\\u{1b}[2J"),
            ("Other", "Other"),
        ] {
            assert_eq!(shown(name), expected);
        }
        assert_eq!(shown(&"x".repeat(1000)).len(), 100);
    }

    #[test]
    fn what_is_no_error_of_tls_says_nothing_of_it() {
        assert_eq!(TlsFailure::of(&io::ErrorKind::ConnectionReset.into()), None);
        assert_eq!(TlsFailure::of(&io::Error::other("x")), None);
        let alert = rustls::Error::AlertReceived(AlertDescription::CertificateRequired);
        let alert = io::Error::new(io::ErrorKind::InvalidData, alert);
        assert_eq!(TlsFailure::of(&alert), Some(TlsFailure::WantsCertificate));
    }
}
