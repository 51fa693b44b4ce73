//! The command's side.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::{Contact, PATIENCE, is_equal};

/// How long a server may take to prove that it is the one.
const PROOF_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest list of files that is read, in bytes: that of a hundred thousand files takes a third.
const MAX_ANSWER: u64 = 32 << 20;

/// Longest line that is read.
const MAX_LINE: u64 = 4096;

/// Why a server does not keep its files. The text is for the operator: one sentence.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// What its data directory says, or what it answers, is of another version.
    #[error(
        "the server that uses the data directory can't be understood; use the same version of both"
    )]
    NotUnderstood,
    /// What answers does not know what the server would.
    #[error(
        "another program has got the port of the server that used the data directory; wait until the server has started, and start the command again"
    )]
    Stranger,
    /// It does not answer.
    #[error(
        "the server that uses the data directory does not answer ({0}); run the command where the server runs"
    )]
    Unreachable(io::Error),
    /// It has a reason.
    #[error("the server that uses the data directory refuses: {0}")]
    Refused(String),
}

impl From<io::Error> for ControlError {
    fn from(error: io::Error) -> Self {
        Self::Unreachable(error)
    }
}

/// A server that keeps its files as they are until this is dropped.
#[derive(Debug)]
pub struct HeldByServer {
    stream: BufReader<TcpStream>,
}

impl HeldByServer {
    /// Asks the server of this contact. Answers also which files it keeps.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn ask(contact: &str) -> Result<(Self, String), ControlError> {
        Self::ask_within(contact, PROOF_TIMEOUT)
    }

    /// Like [`HeldByServer::ask`], with so long for the server to prove that it is the one.
    pub(super) fn ask_within(
        contact: &str,
        patience: Duration,
    ) -> Result<(Self, String), ControlError> {
        let Contact { address, token, proof } = contact.parse()?;
        let stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut held = Self { stream: BufReader::new(stream) };
        held.write(&format!("{token} backup\n"))?;
        let said = held.read_line().map_err(|error| match error.kind() {
            // A server ends the connection of what it does not know.
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => ControlError::Stranger,
            _ => ControlError::Unreachable(error),
        })?;
        if !is_equal(&said, &proof) {
            return Err(ControlError::Stranger);
        }
        held.stream.get_ref().set_read_timeout(Some(PATIENCE))?;
        let line = held.read_line()?;
        if let Some(why) = line.strip_prefix("error ") {
            return Err(ControlError::Refused(why.to_owned()));
        }
        let length = line.strip_prefix("ok ").and_then(|length| length.parse::<u64>().ok());
        let length = length.filter(|&length| length <= MAX_ANSWER);
        let length = length.ok_or(ControlError::NotUnderstood)?;
        let mut files = String::new();
        (&mut held.stream).take(length).read_to_string(&mut files)?;
        if files.len() as u64 != length {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok((held, files))
    }

    /// Asks whether it still keeps them, and has it keep them longer.
    ///
    /// # Errors
    /// When it does not; `StorageFull` when its disk is full.
    pub fn keep(&mut self) -> io::Result<()> {
        self.write("keep\n")?;
        match &*self.read_line()? {
            "ok" => Ok(()),
            "full" => Err(io::ErrorKind::StorageFull.into()),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Tells it what was done, for its log. It needs no file any more.
    pub fn finish(mut self, done: &str) {
        // The backup is made, whether the server is still there or not.
        let _ = self.write(&format!("done {done}\n")).and_then(|()| self.read_line());
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(text.as_bytes())
    }

    fn read_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        (&mut self.stream).take(MAX_LINE).read_line(&mut line)?;
        let whole = line.strip_suffix('\n').map(str::to_owned);
        whole.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}
