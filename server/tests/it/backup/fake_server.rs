//! A program that answers as a server of a data directory does, and stops at a step.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use super::{file_names, retry};

/// How a server is asked that listens on this port.
pub fn contact(port: u16) -> String {
    format!("address 127.0.0.1:{port}\ntoken 0a\nproof 0b\n")
}

/// The lock of a data directory.
pub struct Locked(fs::File);

impl Drop for Locked {
    fn drop(&mut self) {
        // A process that a test beside this one is about to start has the file open, too, for a moment.
        let _ = self.0.unlock();
    }
}

/// Another process that has the lock and says `contact`.
pub fn locked(directory: &Path, contact: Option<String>) -> Locked {
    let lock = fs::File::options().write(true).open(directory.join("LOCK")).unwrap();
    lock.try_lock().unwrap();
    match contact {
        Some(contact) => fs::write(directory.join("CONTROL"), contact).unwrap(),
        None => fs::remove_file(directory.join("CONTROL")).unwrap(),
    }
    Locked(lock)
}

/// The program; it has the lock.
pub struct FakeServer {
    _lock: Locked,
    steps: Receiver<Option<TcpStream>>,
}

impl FakeServer {
    /// Keeps all parts and logs of the directory for so many questions, and answers no further ones.
    pub fn start(directory: &Path, questions: usize) -> Self {
        Self::answering(directory, questions, None)
    }

    /// Like [`FakeServer::start`]; the next question is told that the disk is full.
    pub fn with_full_disk(directory: &Path, questions: usize) -> Self {
        Self::answering(directory, questions, Some("full\n"))
    }

    fn answering(directory: &Path, mut questions: usize, refusal: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let lock = locked(directory, Some(contact(listener.local_addr().unwrap().port())));
        let mut names = file_names(directory);
        names.retain(|name| name.starts_with("part-") || name.starts_with("log-"));
        let list = fs::read_to_string(directory.join("FILES")).unwrap();
        let files = format!("losses 0\n{}\n\n{list}", names.join("\n"));
        let (sender, steps) = mpsc::channel();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let mut next_line = || lines.next().unwrap().unwrap();
            assert_eq!(next_line(), "0a backup");
            stream.write_all(format!("0b\nok {}\n{files}", files.len()).as_bytes()).unwrap();
            loop {
                let line = next_line();
                if line.starts_with("done ") {
                    stream.write_all(b"ok\n").unwrap();
                    sender.send(None).unwrap();
                    return;
                }
                assert_eq!(line, "keep");
                if questions == 0 {
                    stream.write_all(refusal.unwrap_or_default().as_bytes()).unwrap();
                    sender.send(Some(stream)).unwrap();
                    return;
                }
                questions -= 1;
                stream.write_all(b"ok\n").unwrap();
            }
        });
        Self { _lock: lock, steps }
    }

    /// Waits until the command gets no further answer, for as long as what is answered is kept; `None` when
    /// it has made the backup.
    pub fn wait(&self) -> Option<TcpStream> {
        retry("the command asks", || self.steps.try_recv().ok())
    }
}
