//! The files of TLS, in PEM form, and what may be wrong with them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::crypto::ring::sign;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::VerifierBuilderError;
use rustls::sign::CertifiedKey;
use tracing::warn;

use super::certificate::{self, Certificate, Moment};

/// Where the certificates are.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate of the server, and those between it and its CA.
    pub certificate: PathBuf,
    /// The key of the server.
    pub key: PathBuf,
    /// The CAs of clients, which show no certificate without it.
    pub client_ca: Option<PathBuf>,
    /// What those CAs have revoked: a list of each CA.
    pub revocations: Option<PathBuf>,
}

/// Why TLS can't be had with these files.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "fields are explained with their variant")]
pub enum TlsError {
    /// A file can't be read.
    #[error("can't read {}: {error}; see {option}", path.display())]
    Unreadable { path: PathBuf, option: &'static str, error: io::Error },
    /// A file has none of what it is to hold.
    #[error("{} holds no {what} in PEM form, which begins with -----BEGIN {label}-----; see {option}",
        path.display())]
    Empty { path: PathBuf, option: &'static str, what: &'static str, label: &'static str },
    /// What is in a file can't be used.
    #[error("{} can't be used: {why}; see {option}", path.display())]
    Unusable { path: PathBuf, option: &'static str, why: String },
    /// Key and certificate are of two pairs.
    #[error("the key in {} does not belong to the certificate in {}; give the two that were made \
        together", key.display(), certificate.display())]
    OtherKey { key: PathBuf, certificate: PathBuf },
    /// A certificate is too old.
    #[error("the certificate in {} has expired: it was good until {until}; have it renewed",
        path.display())]
    Expired { path: PathBuf, until: String },
    /// A certificate is too new.
    #[error("the certificate in {} is good only from {from} on; is the clock of this machine right?",
        path.display())]
    TooEarly { path: PathBuf, from: String },
}

/// What the server shows.
pub(super) struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) lasts_until: String,
}

const CERTIFICATE: &str = "--tls-cert";
const KEY: &str = "--tls-key";
const CLIENT_CA: &str = "--tls-client-ca";
const REVOCATIONS: &str = "--tls-crl";

impl TlsFiles {
    /// Certificate and key of the server, which fit each other at a time in Unix seconds.
    pub(super) fn identity(&self, now: i64) -> Result<Identity, TlsError> {
        let chain = certificates(&self.certificate, CERTIFICATE)?;
        let mut lasts_until = None;
        for certificate in &chain {
            let until = check_time(certificate, &self.certificate, CERTIFICATE, now)?;
            lasts_until.get_or_insert(until.shown);
        }
        let text = read(&self.key, KEY)?;
        let key = PrivateKeyDer::from_pem_slice(&text).map_err(|_| TlsError::Empty {
            path: self.key.clone(),
            option: KEY,
            what: "key without a password",
            label: "PRIVATE KEY",
        })?;
        let signing = sign::any_supported_type(&key).map_err(|_| TlsError::Unusable {
            path: self.key.clone(),
            option: KEY,
            why: "it is no key of RSA, ECDSA (P-256, P-384) or Ed25519".to_owned(),
        })?;
        match CertifiedKey::new(chain.clone(), signing).keys_match() {
            // Of some kinds that can't be known.
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
            Err(rustls::Error::InconsistentKeys(_)) => {
                let (key, certificate) = (self.key.clone(), self.certificate.clone());
                return Err(TlsError::OtherKey { key, certificate });
            }
            Err(error) => return Err(self.unusable(&error)),
        }
        Ok(Identity { chain, key, lasts_until: lasts_until.unwrap_or_default() })
    }

    /// The CAs of clients, if clients are to show certificates.
    pub(super) fn client_roots(&self, now: i64) -> Result<Option<RootCertStore>, TlsError> {
        let Some(path) = &self.client_ca else { return Ok(None) };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(path, CLIENT_CA)? {
            // It holds nothing else up: not the new CA beside an old one, nor what is revoked.
            if let Err(error) = check_time(&certificate, path, CLIENT_CA, now) {
                warn!("{error}");
            }
            roots.add(certificate).map_err(|error| unusable(path, CLIENT_CA, &error))?;
        }
        Ok(Some(roots))
    }

    /// What the CAs of clients have revoked.
    pub(super) fn revocations(
        &self,
    ) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
        let Some(path) = &self.revocations else { return Ok(Vec::new()) };
        let text = read(path, REVOCATIONS)?;
        let lists = CertificateRevocationListDer::pem_slice_iter(&text).collect::<Result<_, _>>();
        lists.ok().filter(|lists: &Vec<_>| !lists.is_empty()).ok_or_else(|| TlsError::Empty {
            path: path.clone(),
            option: REVOCATIONS,
            what: "list of revoked certificates",
            label: "X509 CRL",
        })
    }

    /// The names of the CAs of clients of which none of these lists is: no client of theirs is taken.
    pub(super) fn cas_without_crl(
        &self,
        lists: &[CertificateRevocationListDer<'_>],
    ) -> Result<Vec<String>, TlsError> {
        let (Some(path), false) = (&self.client_ca, lists.is_empty()) else {
            return Ok(Vec::new());
        };
        let issuers: Vec<_> = lists.iter().filter_map(|list| certificate::issuer(list)).collect();
        let authorities = certificates(path, CLIENT_CA)?;
        let subjects = authorities.iter().filter_map(|der| Certificate::read(der));
        let unlisted = subjects.map(|ca| ca.subject).filter(|subject| !issuers.contains(subject));
        Ok(unlisted.map(|subject| subject.shown).collect())
    }

    /// The library's word about certificate and key.
    pub(super) fn unusable(&self, error: &rustls::Error) -> TlsError {
        unusable(&self.certificate, CERTIFICATE, error)
    }

    /// The library's word about the CAs of clients and what they have revoked.
    pub(super) fn unusable_ca(&self, error: &VerifierBuilderError) -> TlsError {
        match (error, &self.revocations, &self.client_ca) {
            (VerifierBuilderError::InvalidCrl(why), Some(path), _) => {
                unusable(path, REVOCATIONS, &format_args!("{why:?}"))
            }
            (_, _, Some(path)) => unusable(path, CLIENT_CA, error),
            (_, _, None) => unusable(&self.certificate, CERTIFICATE, error),
        }
    }
}

fn unusable(path: &Path, option: &'static str, why: &dyn ToString) -> TlsError {
    TlsError::Unusable { path: path.to_owned(), option, why: why.to_string() }
}

fn read(path: &Path, option: &'static str) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| TlsError::Unreadable { path: path.to_owned(), option, error })
}

/// All certificates of a file, at least one.
fn certificates(
    path: &Path,
    option: &'static str,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path, option)?;
    let found = CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>();
    found.ok().filter(|found: &Vec<_>| !found.is_empty()).ok_or_else(|| TlsError::Empty {
        path: path.to_owned(),
        option,
        what: "certificate",
        label: "CERTIFICATE",
    })
}

/// Until when a certificate is good, which it is now.
fn check_time(
    der: &CertificateDer<'_>,
    path: &Path,
    option: &'static str,
    now: i64,
) -> Result<Moment, TlsError> {
    let Some(Certificate { from, until, .. }) = Certificate::read(der) else {
        return Err(unusable(path, option, &"it holds what is no certificate"));
    };
    if until.seconds < now {
        return Err(TlsError::Expired { path: path.to_owned(), until: until.shown });
    }
    if from.seconds > now {
        return Err(TlsError::TooEarly { path: path.to_owned(), from: from.shown });
    }
    Ok(until)
}
