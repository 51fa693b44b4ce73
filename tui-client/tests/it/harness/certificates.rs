//! Certificates in files, for servers and for clients.

use std::fs;

use server::net::{Tls, TlsFiles};
use shared::certificates::{Authority, Issued, Subject};
use tempfile::TempDir;

/// An authority of servers and one of clients.
pub struct Certificates {
    directory: TempDir,
    pub of_servers: Authority,
    pub of_clients: Authority,
}

impl Certificates {
    /// New ones, with a server's certificate for localhost, and one of the client `palm`.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let authority = |name| Authority::new(&Subject::with_names([]).called(name)).unwrap();
        let (of_servers, of_clients) = (authority("of servers"), authority("of clients"));
        let mut made = Self { directory, of_servers, of_clients };
        let server = made.of_servers.issue(&Subject::with_names(["localhost"])).unwrap();
        made.write_pair("server", &server);
        let client = made.of_clients.issue(&Subject::with_names(["palm"])).unwrap();
        made.write_pair("client", &client);
        made.write("ca", &made.of_servers.certificate());
        made.write("client-ca", &made.of_clients.certificate());
        made.write("crl", &made.of_clients.revoke(&[]).unwrap());
        made
    }

    /// The path of a file.
    pub fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Writes a certificate, and its key beside it.
    pub fn write_pair(&self, name: &str, issued: &Issued) {
        self.write(name, &issued.certificate);
        self.write(&format!("{name}.key"), &issued.key);
    }

    /// What the server loads at a time in Unix seconds; `strict` wants certificates of clients.
    pub fn tls(&self, strict: bool, now: i64) -> Tls {
        let path = |name: &str| self.path(name).into();
        let files = TlsFiles {
            certificate: path("server"),
            key: path("server.key"),
            client_ca: strict.then(|| path("client-ca")),
            revocations: strict.then(|| path("crl")),
        };
        Tls::load(files, move || now).unwrap()
    }

    /// The options of a client that believes the authority, and shows a certificate if there is one.
    pub fn options(&self, client: Option<&str>) -> Vec<String> {
        let mut options = vec!["--tls".to_owned(), "--ca".to_owned(), self.path("ca")];
        if let Some(name) = client {
            let (certificate, key) = (self.path(name), self.path(&format!("{name}.key")));
            options.extend(["--cert".to_owned(), certificate, "--key".to_owned(), key]);
        }
        options
    }
}
