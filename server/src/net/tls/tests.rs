//! What a certificate says, and when it ends. The clock is that of the tests.

use std::fs;
use std::sync::atomic::{AtomicI64, Ordering};

use rustls::pki_types::pem::PemObject;
use shared::certificates::{Authority, Issued, Subject};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;

const YEAR: i64 = 365 * 24 * 60 * 60;

/// The beginning of 2026, in Unix seconds.
const IN_2026: i64 = 1_767_225_600;

struct Place {
    directory: TempDir,
    clients: Authority,
    now: Arc<AtomicI64>,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut clients = Authority::new(&Subject::with_names([]).called("an authority")).unwrap();
        let server = clients.issue(&Subject::with_names(["localhost"])).unwrap();
        let place = Self { directory, clients, now: Arc::new(AtomicI64::new(IN_2026)) };
        place.write("server", &server.certificate);
        place.write("key", &server.key);
        place.write("ca", &place.clients.certificate());
        place.write("crl", &place.clients.revoke(&[]).unwrap());
        place
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.directory.path().join(name), text).unwrap();
    }

    fn load(&self) -> Tls {
        let path = |name| self.directory.path().join(name);
        let files = TlsFiles {
            certificate: path("server"),
            key: path("key"),
            client_ca: Some(path("ca")),
            revocations: Some(path("crl")),
        };
        let now = Arc::clone(&self.now);
        Tls::load(files, move || now.load(Ordering::Relaxed)).unwrap()
    }
}

fn der(issued: &Issued) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap()
}

/// Waits for the end of a certificate as a connection does.
fn watch(tls: &Tls, issued: &Issued) -> JoinHandle<CertificateEnd> {
    let der = der(issued);
    let until = Certificate::read(&der).unwrap().until.seconds;
    tokio::spawn(peer::ended(vec![der], until, tls.current.subscribe()))
}

async fn let_tasks_run() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_name_is_the_first_of_dns_else_the_common_one_in_lower_case() {
    let mut authority = Authority::new(&Subject::with_names([]).called("an authority")).unwrap();
    for (subject, name) in [
        (Subject::with_names(["Palm", "eardrum"]).called("drum"), Some("palm")),
        (Subject::with_names(["10.0.0.7", "palm.example.org"]), Some("palm.example.org")),
        (Subject::with_names(["10.0.0.7"]).called("Drum"), Some("drum")),
        // No other letter becomes one of ASCII.
        (Subject::with_names([]).called("ÉCRAN \u{212a}"), Some("Écran \u{212a}")),
        (Subject::with_names([]).called(""), None),
        (Subject::with_names([]), None),
    ] {
        let read = Certificate::read(&der(&authority.issue(&subject).unwrap())).unwrap();
        assert_eq!(read.name.as_deref(), name, "{subject:?}");
    }
    assert!(Certificate::read(b"no certificate").is_none());
}

/// Also when the clock of the system was set forward meanwhile.
#[tokio::test(start_paused = true)]
async fn a_certificate_ends_with_its_last_second() {
    let mut place = Place::new();
    let subject = Subject::with_names(["palm"]).in_years(2001, 2027);
    let issued = place.clients.issue(&subject).unwrap();
    let tls = place.load();
    let set_forward = watch(&tls, &issued);
    let_tasks_run().await;
    place.now.store(IN_2026 + YEAR + 1, Ordering::Relaxed);
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert_eq!(set_forward.await.unwrap(), CertificateEnd::Expired);
    let last_minute = IN_2026 + YEAR - 60;
    place.now.store(last_minute, Ordering::Relaxed);
    let watch = watch(&tls, &issued);
    for second in 1..=60 {
        let_tasks_run().await;
        place.now.store(last_minute + second, Ordering::Relaxed);
        tokio::time::advance(Duration::from_secs(1)).await;
        let_tasks_run().await;
        assert!(!watch.is_finished(), "{second}");
    }
    place.now.store(last_minute + 61, Ordering::Relaxed);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(watch.await.unwrap(), CertificateEnd::Expired);
}

#[tokio::test(start_paused = true)]
async fn what_is_loaded_again_ends_what_it_does_not_take() {
    let mut place = Place::new();
    let [kept, revoked] =
        ["palm", "eardrum"].map(|name| place.clients.issue(&Subject::with_names([name])).unwrap());
    let tls = place.load();
    let (kept, ended) = (watch(&tls, &kept), watch(&tls, &revoked));
    let_tasks_run().await;
    tls.reload().unwrap();
    let_tasks_run().await;
    assert!(!kept.is_finished() && !ended.is_finished());
    place.write("crl", &place.clients.revoke(&[&revoked]).unwrap());
    tls.reload().unwrap();
    assert_eq!(ended.await.unwrap(), CertificateEnd::Revoked);
    let_tasks_run().await;
    assert!(!kept.is_finished());
    let other = Authority::new(&Subject::with_names([]).called("another")).unwrap();
    place.write("ca", &other.certificate());
    place.write("crl", "");
    assert!(tls.reload().is_err(), "half of it changes nothing");
    let_tasks_run().await;
    assert!(!kept.is_finished());
    place.write("crl", &other.revoke(&[]).unwrap());
    tls.reload().unwrap();
    assert_eq!(kept.await.unwrap(), CertificateEnd::NotTaken);
}

/// Clients would be locked out without a word.
#[test]
fn a_ca_without_a_list_of_what_it_has_revoked_is_named() {
    let place = Place::new();
    let other = Authority::new(&Subject::with_names([]).called("another")).unwrap();
    place.write("ca", &(place.clients.certificate() + &other.certificate()));
    let unlisted = |place: &Place| {
        let files = &place.load().files;
        files.cas_without_crl(&files.revocations().unwrap()).unwrap()
    };
    assert_eq!(unlisted(&place), ["CN=another"]);
    place.write("crl", &(other.revoke(&[]).unwrap() + &place.clients.revoke(&[]).unwrap()));
    assert_eq!(unlisted(&place), [""; 0]);
}
