//! How a command on the same machine asks a running server to keep its files as they are.
//!
//! The server listens on a port of the loopback address and writes it, with two random numbers, to a file
//! that only its own user may read. What does not know the first, the token, learns and changes nothing; by
//! the second, the proof, a command knows the server from another program that has got the port of one that
//! was killed. Sockets in the file system, which have modes, are not to be had everywhere.
//!
//! ```text
//! C: <token> backup                   S: <proof> at once; then
//!                                     S: ok <bytes>, and so many of text | error <sentence>
//! C: keep                             S: ok, as long as the files are kept | full, when the disk needs their room
//! C: done <what was done>             S: ok
//! ```
//!
//! The files are kept until the connection ends, or nothing comes for [`PATIENCE`].

mod client;

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use tracing::{debug, info, warn};

pub use client::{ControlError, HeldByServer};

/// How long a command may take for a step, before the files are no longer kept for it.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// How long it may take to say the token.
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest line of a command, in bytes.
const MAX_LINE: u64 = 1024;

/// Most commands at once; one more is refused.
const MAX_COMMANDS: usize = 4;

/// Most connections at once that have not said the token; the oldest of more is ended.
const MAX_STRANGERS: usize = 16;

/// The answer to one command too many.
const TOO_MANY: &[u8] = b"error it is asked by too many commands at once; wait for these\n";

/// How long to wait after a failed accept, such as for want of file descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Where a server listens for commands, and what they have to know.
#[derive(Clone, PartialEq, Eq)]
struct Contact {
    address: SocketAddr,
    token: String,
    proof: String,
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The secrets are for no log.
        f.debug_tuple("Contact").field(&self.address).finish()
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, token, proof } = self;
        writeln!(f, "address {address}\ntoken {token}\nproof {proof}")
    }
}

impl FromStr for Contact {
    type Err = ControlError;

    fn from_str(text: &str) -> Result<Self, ControlError> {
        let read = || {
            let mut lines = text.strip_suffix('\n')?.split('\n');
            let address: SocketAddr = lines.next()?.strip_prefix("address ")?.parse().ok()?;
            let mut secret = |prefix: &str| {
                let secret = lines.next()?.strip_prefix(prefix)?;
                let is_number = secret.bytes().all(|byte| byte.is_ascii_hexdigit());
                (is_number && !secret.is_empty()).then(|| secret.to_owned())
            };
            let (token, proof) = (secret("token ")?, secret("proof ")?);
            let is_sound = address.ip().is_loopback() && lines.next().is_none();
            is_sound.then_some(Self { address, token, proof })
        };
        read().ok_or(ControlError::NotUnderstood)
    }
}

/// Listens for commands on this machine.
#[derive(Debug)]
pub struct Control {
    listener: TcpListener,
    contact: Contact,
}

impl Control {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When there is none, or no random numbers.
    pub async fn bind() -> io::Result<Self> {
        let bind = |address: IpAddr| TcpListener::bind((address, 0));
        let listener = match bind(Ipv4Addr::LOCALHOST.into()).await {
            Ok(listener) => listener,
            Err(_) => bind(Ipv6Addr::LOCALHOST.into()).await?,
        };
        let secret =
            || Ok::<_, io::Error>(format!("{:016x}{:016x}", getrandom::u64()?, getrandom::u64()?));
        let address = listener.local_addr()?;
        let contact = Contact { address, token: secret()?, proof: secret()? };
        Ok(Self { listener, contact })
    }

    /// What a command has to know: a text for a file that only this user may read.
    pub fn contact(&self) -> String {
        self.contact.to_string()
    }

    /// Serves commands, for ever. `hold` keeps the files until the second of what it answers is dropped, which
    /// says whether they are still kept.
    pub async fn serve<H, F>(self, hold: impl Fn() -> F + Clone + Send + 'static)
    where
        H: Fn() -> bool + Send + Sync + 'static,
        F: Future<Output = Result<(String, H), String>> + Send + 'static,
    {
        let (mut strangers, mut commands) = (JoinSet::new(), JoinSet::new());
        // The strangers, oldest first.
        let mut waiting: VecDeque<AbortHandle> = VecDeque::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        waiting.retain(|stranger| !stranger.is_finished());
                        if waiting.len() >= MAX_STRANGERS && let Some(oldest) = waiting.pop_front() {
                            oldest.abort();
                        }
                        let contact = self.contact.clone();
                        waiting.push_back(strangers.spawn(greet(stream, contact)));
                    }
                    Err(error) => {
                        debug!(%error, "can't accept a command");
                        tokio::time::sleep(ACCEPT_BACKOFF).await;
                    }
                },
                Some(greeted) = strangers.join_next() => {
                    let Ok(Ok(Some(mut stream))) = greeted else { continue };
                    let (has_place, hold) = (commands.len() < MAX_COMMANDS, hold.clone());
                    commands.spawn(async move {
                        let served = if has_place {
                            serve_command(stream, hold).await
                        } else {
                            write(&mut stream, TOO_MANY).await
                        };
                        if let Err(error) = served {
                            debug!(%error, "a command ended");
                        }
                    });
                }
                Some(_) = commands.join_next() => {}
            }
        }
    }
}

/// Waits for the token and answers with the proof; `None` for what does not know the token.
async fn greet(stream: TcpStream, contact: Contact) -> io::Result<Option<BufReader<TcpStream>>> {
    let mut stream = BufReader::new(stream);
    let greeting = timeout(GREETING_TIMEOUT, read_line(&mut stream)).await??;
    let known = greeting.and_then(|line| {
        let (said, command) = line.split_once(' ')?;
        (is_equal(said, &contact.token) && command == "backup").then_some(())
    });
    if known.is_none() {
        // It learns nothing.
        return Ok(None);
    }
    write(&mut stream, format!("{}\n", contact.proof).as_bytes()).await?;
    Ok(Some(stream))
}

async fn serve_command<H, F>(
    mut stream: BufReader<TcpStream>,
    hold: impl Fn() -> F,
) -> io::Result<()>
where
    H: Fn() -> bool + Sync,
    F: Future<Output = Result<(String, H), String>>,
{
    let start = Instant::now();
    let (files, is_kept) = match hold().await {
        Ok(answer) => answer,
        Err(why) => {
            warn!("no backup is made: {why}");
            return write(&mut stream, format!("error {why}\n").as_bytes()).await;
        }
    };
    info!("a backup begins: no files are removed or replaced until its end");
    let outcome = keep(&mut stream, &files, &is_kept).await;
    drop(is_kept);
    let seconds = start.elapsed().as_secs_f64();
    match &outcome {
        Ok(Some(done)) => info!("the backup is made in {seconds:.1} s: {done}"),
        Ok(None) => warn!("the backup ended after {seconds:.1} s before it was made"),
        Err(error) => warn!("the backup ended after {seconds:.1} s before it was made: {error}"),
    }
    match outcome? {
        Some(_) => write(&mut stream, b"ok\n").await,
        // An answer now would pass for that to a question that comes too late.
        None => Ok(()),
    }
}

/// Tells of the files and waits until they are copied. Answers what was done, `None` when the command has
/// ended before.
///
/// # Errors
/// `StorageFull` when the files are not kept any longer.
async fn keep(
    stream: &mut BufReader<TcpStream>,
    files: &str,
    is_kept: &(impl Fn() -> bool + Sync),
) -> io::Result<Option<String>> {
    write(stream, format!("ok {}\n{files}", files.len()).as_bytes()).await?;
    loop {
        let Some(line) = timeout(PATIENCE, read_line(stream)).await?? else { return Ok(None) };
        match line.strip_prefix("done ") {
            Some(done) => {
                return Ok(Some(done.chars().filter(|letter| !letter.is_control()).collect()));
            }
            None if line == "keep" && is_kept() => write(stream, b"ok\n").await?,
            None if line == "keep" => {
                write(stream, b"full\n").await?;
                return Err(io::ErrorKind::StorageFull.into());
            }
            None => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

async fn write(stream: &mut BufReader<TcpStream>, bytes: &[u8]) -> io::Result<()> {
    timeout(PATIENCE, stream.get_mut().write_all(bytes)).await?
}

/// A whole line without its end; `None` when the peer has closed before.
async fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    stream.take(MAX_LINE).read_until(b'\n', &mut line).await?;
    let line = String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(line.strip_suffix('\n').map(str::to_owned))
}

/// Takes as long wherever the two differ.
fn is_equal(one: &str, other: &str) -> bool {
    let differences = one.bytes().zip(other.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && differences == 0
}

#[cfg(test)]
mod tests;
