//! Certificates in files, servers that have them, and clients that speak TLS.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use shared::certificates::{Authority, Issued, Subject};
use tempfile::TempDir;

use super::process::{ServerProcess, connect};

/// A connection that speaks TLS.
pub type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// A server's authority and files, and the authority of its clients.
pub struct Certificates {
    directory: TempDir,
    pub of_servers: Authority,
    pub of_clients: Authority,
}

impl Certificates {
    /// New ones. No client certificate is revoked.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let authority = |name| Authority::new(&Subject::with_names([]).called(name)).unwrap();
        let mut made = Self {
            directory,
            of_servers: authority("authority of servers"),
            of_clients: authority("authority of clients"),
        };
        let server = made.of_servers.issue(&Subject::with_names(["localhost"])).unwrap();
        made.show(&server);
        made.write("client-ca.pem", &made.of_clients.certificate());
        made.write("crl.pem", &made.of_clients.revoke(&[]).unwrap());
        made
    }

    /// Where a file is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Makes this the certificate of the server.
    pub fn show(&self, server: &Issued) {
        self.write("server.pem", &server.certificate);
        self.write("server.key", &server.key);
    }

    /// A client's certificate.
    pub fn client(&mut self, name: &str) -> Issued {
        self.of_clients.issue(&Subject::with_names([name])).unwrap()
    }

    /// The options of a server that shows its certificate.
    pub fn options(&self) -> Vec<String> {
        self.options_of(&[("--tls-cert", "server.pem"), ("--tls-key", "server.key")])
    }

    /// The same, of one that wants certificates, too.
    pub fn strict_options(&self) -> Vec<String> {
        let more = [("--tls-client-ca", "client-ca.pem"), ("--tls-crl", "crl.pem")];
        [self.options(), self.options_of(&more)].concat()
    }

    fn options_of(&self, files: &[(&str, &str)]) -> Vec<String> {
        let option = |(option, name): &(&str, &str)| {
            [(*option).to_owned(), self.path(name).to_str().unwrap().to_owned()]
        };
        files.iter().flat_map(option).collect()
    }

    /// Connects to a server and speaks TLS. A server says only later what it thinks of a certificate.
    pub fn connect(
        &self,
        program: &ServerProcess,
        client: Option<&Issued>,
    ) -> io::Result<TlsStream> {
        let mut stream = self.over(connect(program.port())?, client);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(stream)
    }

    /// Speaks TLS over a connection.
    pub fn over(&self, stream: TcpStream, client: Option<&Issued>) -> TlsStream {
        let mut roots = RootCertStore::empty();
        let authority = self.of_servers.certificate();
        roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match client {
            Some(Issued { certificate, key, .. }) => {
                let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![certificate], key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        let name = ServerName::try_from("localhost").unwrap();
        StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
    }
}

/// Sends `requests` and answers all that comes until the server ends the connection.
pub fn request(stream: &mut TlsStream, requests: &str) -> io::Result<String> {
    stream.write_all(requests.as_bytes())?;
    stream.conn.send_close_notify();
    stream.flush()?;
    let mut replies = String::new();
    stream.read_to_string(&mut replies)?;
    Ok(replies)
}

/// Sends one request that has a reply without data.
pub fn put(stream: &mut TlsStream, request: &str) -> io::Result<()> {
    stream.write_all(request.as_bytes())?;
    stream.flush()?;
    let mut reply = [0; 4];
    stream.read_exact(&mut reply)?;
    assert_eq!(&reply, b"ok\n\n");
    Ok(())
}
