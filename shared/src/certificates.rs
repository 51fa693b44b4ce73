//! Certificates for tests: authorities, what they issue, and what they revoke.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    Error, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
    date_time_ymd,
};

/// Who issues certificates.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    issued: u64,
}

/// A certificate and its key, in PEM form.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// The key.
    pub key: String,
    serial: u64,
}

/// For whom a certificate is, and for how long.
#[derive(Debug, Clone)]
pub struct Subject {
    names: Vec<String>,
    common_name: Option<String>,
    years: (i32, i32),
}

impl Subject {
    /// With these DNS names or addresses, from 2001 to the end of 2098.
    pub fn with_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let names = names.into_iter().map(str::to_owned).collect();
        Self { names, common_name: None, years: (2001, 2099) }
    }

    /// With a common name.
    #[must_use]
    pub fn called(self, common_name: &str) -> Self {
        Self { common_name: Some(common_name.to_owned()), ..self }
    }

    /// From the beginning of one year to the beginning of another.
    #[must_use]
    pub fn in_years(self, from: i32, until: i32) -> Self {
        Self { years: (from, until), ..self }
    }

    fn params(&self) -> Result<CertificateParams, Error> {
        let mut params = CertificateParams::new(self.names.clone())?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        if let Some(name) = &self.common_name {
            params.distinguished_name.push(DnType::CommonName, name.as_str());
        }
        let (from, until) = self.years;
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        Ok(params)
    }
}

impl Authority {
    /// A new one.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub fn new(subject: &Subject) -> Result<Self, Error> {
        let mut params = subject.params()?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Ok(Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate()?)?, issued: 0 })
    }

    /// Its own certificate, in PEM form.
    pub fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// Issues a certificate.
    ///
    /// # Errors
    /// For a name that is none, and when there are no random numbers.
    pub fn issue(&mut self, subject: &Subject) -> Result<Issued, Error> {
        self.issued += 1;
        let (mut params, key) = (subject.params()?, KeyPair::generate()?);
        params.serial_number = Some(SerialNumber::from(self.issued));
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Issued { certificate, key: key.serialize_pem(), serial: self.issued })
    }

    /// The list of these as revoked, in PEM form.
    ///
    /// # Errors
    /// When it can't be signed.
    pub fn revoke(&self, revoked: &[&Issued]) -> Result<String, Error> {
        let revoked_certs = revoked.iter().map(|issued| RevokedCertParams {
            serial_number: SerialNumber::from(issued.serial),
            revocation_time: date_time_ymd(2002, 1, 1),
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2002, 1, 1),
            next_update: date_time_ymd(2098, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked_certs.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer)?.pem()
    }
}
