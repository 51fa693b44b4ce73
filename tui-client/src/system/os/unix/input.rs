//! Input of the terminal: bytes are read by a thread of their own, and decoded.

mod decoder;
mod paste;
mod sequences;

use std::io::{self, ErrorKind, stdin};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::tcgetattr;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::system::os::terminal_input::TerminalInput;
use decoder::Decoder;

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// Chunks that may wait to be decoded.
const MAX_CHUNKS: usize = 4;

/// The pause between two attempts to read where the system can't wait for a terminal.
const RETRY: Duration = Duration::from_millis(5);

/// Asks the terminal for the colours of text and background, for its name and version, and then for its
/// attributes: every terminal answers that, also one that knows nothing else. Ended by BEL, because some
/// terminals end their answers as the query.
pub const ASK_COLOURS: &str = "\x1b]10;?\x07\x1b]11;?\x07\x1b[>q\x1b[c";

/// The input of the terminal.
pub struct InputStream {
    chunks: mpsc::Receiver<io::Result<Vec<u8>>>,
    decoder: Decoder,
    /// Bytes wait in the system.
    is_readable: fn() -> bool,
}

impl InputStream {
    /// The input of standard input, from now on. The keys have to be taken before.
    pub fn start() -> Self {
        let (sender, chunks) = mpsc::channel(MAX_CHUNKS);
        // A read may never end, and must not keep the program alive.
        thread::spawn(move || read_chunks(&sender));
        Self::of(chunks, is_readable)
    }

    fn of(chunks: mpsc::Receiver<io::Result<Vec<u8>>>, is_readable: fn() -> bool) -> Self {
        Self { chunks, decoder: Decoder::default(), is_readable }
    }

    /// The next input; none at the end, and an error when the terminal is gone.
    pub async fn next(&mut self) -> Option<io::Result<TerminalInput>> {
        loop {
            if let Some(input) = self.decoder.next() {
                return Some(Ok(input));
            }
            let chunk = match self.decoder.patience() {
                None => self.chunks.recv().await,
                Some(patience) => match timeout(patience, self.chunks.recv()).await {
                    Ok(chunk) => chunk,
                    // What is there already has come in time, however busy the machine is.
                    Err(_) if !self.chunks.is_empty() || (self.is_readable)() => continue,
                    Err(_) => {
                        self.decoder.give_up();
                        continue;
                    }
                },
            };
            match chunk? {
                Ok(bytes) => self.decoder.feed(&bytes),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// The next input, if there is one at once; nothing needs that here.
    pub async fn now(&mut self) -> Option<io::Result<TerminalInput>> {
        std::future::ready(self.decoder.next().map(Ok)).await
    }
}

/// Reads until the terminal or the receiver is gone.
fn read_chunks(chunks: &mpsc::Sender<io::Result<Vec<u8>>>) {
    let mut buffer = vec![0; CHUNK];
    loop {
        let chunk = read(&mut buffer).map(|count| buffer[..count].to_vec());
        let is_last = chunk.is_err();
        if chunks.blocking_send(chunk).is_err() || is_last {
            return;
        }
    }
}

/// Reads at least one byte.
fn read(buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        let input = stdin();
        let mut ready = [PollFd::new(&input, PollFlags::IN)];
        // Not every system can wait for a terminal; there the read waits. Another program may have
        // left it so that no read waits.
        let can_wait =
            poll(&mut ready, None).is_ok() && !ready[0].revents().contains(PollFlags::NVAL);
        match rustix::io::read(&input, &mut *buffer) {
            Ok(0) if tcgetattr(&input).is_err() => return Err(ErrorKind::UnexpectedEof.into()),
            Err(Errno::INTR) => {}
            // A terminal that is in the mode of the shell for a moment has the key that ends input.
            Ok(0) | Err(Errno::AGAIN) => {
                if !can_wait {
                    thread::sleep(RETRY);
                }
            }
            Ok(count) => return Ok(count),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether bytes can be read at once.
fn is_readable() -> bool {
    let input = stdin();
    let mut ready = [PollFd::new(&input, PollFlags::IN)];
    poll(&mut ready, Some(&Timespec::default())).is_ok()
        && ready[0].revents().contains(PollFlags::IN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
    use tokio::time::{Instant, sleep};

    fn stream() -> (mpsc::Sender<io::Result<Vec<u8>>>, InputStream) {
        let (sender, chunks) = mpsc::channel(MAX_CHUNKS);
        (sender, InputStream::of(chunks, || false))
    }

    async fn code(stream: &mut InputStream) -> (KeyCode, KeyModifiers) {
        match stream.next().await {
            Some(Ok(TerminalInput::Event(Event::Key(KeyEvent { code, modifiers, .. })))) => {
                (code, modifiers)
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lone_esc_is_a_key_after_a_moment() {
        let (sender, mut stream) = stream();
        let begun = Instant::now();
        sender.send(Ok(b"\x1b".to_vec())).await.unwrap();
        assert_eq!(code(&mut stream).await, (KeyCode::Esc, KeyModifiers::NONE));
        let waited = begun.elapsed().as_millis();
        assert!((25..=55).contains(&waited), "{waited} ms");
    }

    #[tokio::test(start_paused = true)]
    async fn the_bytes_of_a_slow_line_are_one_key() {
        let (sender, mut stream) = stream();
        let sending = async {
            for byte in b"\x1b\x1b[1;5D\x1b[A" {
                sender.send(Ok(vec![*byte])).await.unwrap();
                sleep(Duration::from_millis(20)).await;
            }
        };
        let keys = async {
            let ctrl_alt = KeyModifiers::CONTROL | KeyModifiers::ALT;
            assert_eq!(code(&mut stream).await, (KeyCode::Left, ctrl_alt));
            assert_eq!(code(&mut stream).await, (KeyCode::Up, KeyModifiers::NONE));
        };
        tokio::join!(sending, keys);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_in_the_system_has_come_in_time() {
        use std::sync::atomic::{AtomicBool, Ordering};
        static WAITS: AtomicBool = AtomicBool::new(true);
        let (sender, chunks) = mpsc::channel(MAX_CHUNKS);
        let mut stream = InputStream::of(chunks, || WAITS.load(Ordering::SeqCst));
        let sending = async {
            sender.send(Ok(b"\x1b".to_vec())).await.unwrap();
            // The thread that reads gets no time from the system.
            sleep(Duration::from_secs(10)).await;
            WAITS.store(false, Ordering::SeqCst);
            sender.send(Ok(b"[D".to_vec())).await.unwrap();
        };
        let (key, ()) = tokio::join!(code(&mut stream), sending);
        assert_eq!(key, (KeyCode::Left, KeyModifiers::NONE));
    }

    #[tokio::test(start_paused = true)]
    async fn the_keyboard_comes_back_from_a_paste_that_does_not_end() {
        let (sender, mut stream) = stream();
        sender.send(Ok(b"\x1b[200~put a 1".to_vec())).await.unwrap();
        let pasted = Event::Paste("put a 1".to_owned());
        assert_eq!(stream.next().await.unwrap().unwrap(), TerminalInput::Event(pasted));
        sender.send(Ok(b"q".to_vec())).await.unwrap();
        assert_eq!(code(&mut stream).await, (KeyCode::Char('q'), KeyModifiers::NONE));
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_the_terminal_is_told() {
        let (sender, mut stream) = stream();
        sender.send(Err(ErrorKind::UnexpectedEof.into())).await.unwrap();
        assert!(stream.next().await.unwrap().is_err());
        drop(sender);
        assert!(stream.next().await.is_none());
    }
}
