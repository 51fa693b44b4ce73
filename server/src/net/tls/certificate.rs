//! What a certificate says: for whom it is, and for how long.

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Name;

/// Longest name: that of a DNS name.
const MAX_NAME: usize = 255;

/// A certificate that was read.
pub(super) struct Certificate {
    /// Its first DNS name, else its common name; in lower case. None where what stands there can't be
    /// read, so that it never passes for another.
    pub(super) name: Option<String>,
    /// The owner.
    pub(super) subject: Name,
    /// From when on it is good.
    pub(super) from: Moment,
    /// The last second of it.
    pub(super) until: Moment,
}

/// A full name, as it is encoded and as it is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    der: Vec<u8>,
    pub(super) shown: String,
}

impl From<&X509Name<'_>> for Name {
    fn from(name: &X509Name<'_>) -> Self {
        Self { der: name.as_raw().to_owned(), shown: name.to_string() }
    }
}

/// A time in Unix seconds, and as it is shown.
pub(super) struct Moment {
    pub(super) seconds: i64,
    pub(super) shown: String,
}

impl From<ASN1Time> for Moment {
    fn from(time: ASN1Time) -> Self {
        Self { seconds: time.timestamp(), shown: time.to_datetime().date().to_string() }
    }
}

impl Certificate {
    /// Reads one; `None` when it is none.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
        let validity = certificate.validity();
        Some(Self {
            name: name(&certificate).map(str::to_ascii_lowercase),
            subject: certificate.subject().into(),
            from: validity.not_before.into(),
            until: validity.not_after.into(),
        })
    }
}

/// The CA of a list of revoked certificates; `None` when it is no such list.
pub(super) fn issuer(der: &[u8]) -> Option<Name> {
    let (_, list) = x509_parser::parse_x509_crl(der).ok()?;
    Some(list.issuer().into())
}

fn name<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a str> {
    let names = certificate.subject_alternative_name().ok()?;
    let names = names.iter().flat_map(|names| &names.value.general_names);
    let mut dns = names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(Some(*name)),
        GeneralName::Invalid(..) => Some(None),
        _ => None,
    });
    let name = match dns.next() {
        Some(name) => name?,
        None => certificate.subject().iter_common_name().next()?.as_str().ok()?,
    };
    (1..=MAX_NAME).contains(&name.len()).then_some(name)
}
