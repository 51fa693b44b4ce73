//! As much HTTP as the peers need.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use anyhow::Result;

/// The request for `path`; version 1.0, so that the answer is not chunked and ends with the
/// connection.
pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.0\r\nHost: x\r\n\r\n")
}

/// Fetches `path` whole, headers included.
pub fn fetch(address: SocketAddr, path: &str) -> Result<String> {
    exchange(address, &get(path))
}

/// Posts nothing to `path`; the whole answer, headers included.
pub fn post(address: SocketAddr, path: &str) -> Result<String> {
    exchange(address, &format!("POST {path} HTTP/1.0\r\nHost: x\r\nContent-Length: 0\r\n\r\n"))
}

fn exchange(address: SocketAddr, request: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
