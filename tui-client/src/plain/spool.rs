//! Output that its reader takes late. A server ends a connection of which nothing is taken, and a person
//! reads slowly in a pager: what comes meanwhile waits in memory, then in a file without a name.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::Notify;

/// Bytes that are read back from the file at once.
const PIECE: u64 = 256 << 10;

/// How much may wait, and where.
#[derive(Debug, Clone, Copy)]
struct Room {
    memory: usize,
    file: u64,
    make_file: fn() -> io::Result<File>,
}

/// With more, the server waits as well.
const ROOM: Room = Room { memory: 4 << 20, file: 4 << 30, make_file: tempfile::tempfile };

/// Hands what is written to an output on a thread of its own; clones share it. A write waits only when
/// there is no more room, and fails when an earlier one has failed.
#[derive(Debug, Clone)]
pub(super) struct Spool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    room: Room,
    state: Mutex<State>,
    changed: Condvar,
    /// Has a permit once a write has failed.
    failed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Older than what is in the file.
    memory: VecDeque<Vec<u8>>,
    in_memory: usize,
    /// `None` until it is needed, and where it can't be made.
    file: Option<File>,
    has_no_file: bool,
    /// The bytes of the file that wait.
    begin: u64,
    end: u64,
    /// Nothing more will be written.
    is_ended: bool,
    /// All is with the output.
    is_done: bool,
    failure: Option<Arc<io::Error>>,
}

impl Spool {
    /// Hands everything to `output`.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub(super) fn new(output: impl Write + Send + 'static) -> io::Result<Self> {
        Self::within(ROOM, output)
    }

    fn within(room: Room, output: impl Write + Send + 'static) -> io::Result<Self> {
        let (state, changed, failed) = (Mutex::default(), Condvar::new(), Notify::new());
        let shared = Shared { room, state, changed, failed };
        let shared = Arc::new(shared);
        let draining = Arc::clone(&shared);
        thread::Builder::new().name("output".to_owned()).spawn(move || draining.drain(output))?;
        Ok(Self(shared))
    }

    /// Comes when a write has failed, where nothing may be written for a long time: the error.
    pub(super) async fn failed(&self) -> io::Error {
        loop {
            if let Err(error) = self.0.state().failure() {
                return error;
            }
            self.0.failed.notified().await;
        }
    }

    /// Waits until all is with the output; nothing may be written after that.
    ///
    /// # Errors
    /// When a write has failed.
    pub(super) fn finish(&self) -> io::Result<()> {
        let mut state = self.0.state();
        state.is_ended = true;
        self.0.changed.notify_all();
        while !state.is_done && state.failure.is_none() {
            state = self.0.wait(state);
        }
        state.failure()
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.state();
        loop {
            state.failure()?;
            if state.put(bytes, self.0.room) {
                self.0.changed.notify_all();
                return Ok(bytes.len());
            }
            state = self.0.wait(state);
        }
    }

    /// Nothing is held back.
    fn flush(&mut self) -> io::Result<()> {
        self.0.state().failure()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what comes until the end, or until a write fails.
    fn drain(&self, mut output: impl Write) {
        loop {
            let mut state = self.state();
            let piece = loop {
                match state.take() {
                    Ok(Some(piece)) => break Ok(piece),
                    Ok(None) if state.is_ended => {
                        state.is_done = true;
                        drop(state);
                        return self.changed.notify_all();
                    }
                    Ok(None) => state = self.wait(state),
                    Err(error) => break Err(error),
                }
            };
            drop(state);
            self.changed.notify_all();
            if let Err(error) = piece.and_then(|piece| output.write_all(&piece)) {
                self.state().failure = Some(Arc::new(error));
                self.failed.notify_one();
                return self.changed.notify_all();
            }
        }
    }
}

impl State {
    fn failure(&self) -> io::Result<()> {
        self.failure
            .as_ref()
            .map_or(Ok(()), |error| Err(io::Error::new(error.kind(), Arc::clone(error))))
    }

    /// Adds bytes if there is room for them.
    fn put(&mut self, bytes: &[u8], room: Room) -> bool {
        let is_empty = self.in_memory == 0 && self.begin == self.end;
        let fits = self.in_memory.saturating_add(bytes.len()) <= room.memory;
        if self.begin == self.end && (fits || is_empty && self.has_no_file) {
            self.memory.push_back(bytes.to_vec());
            self.in_memory += bytes.len();
            return true;
        }
        let length = bytes.len() as u64;
        if self.has_no_file || self.end.saturating_add(length) > room.file {
            return false;
        }
        let written = self.append(bytes, room);
        // What there is no room for is not in the file, whose end is known.
        self.has_no_file = written.is_err();
        if self.has_no_file {
            return self.put(bytes, room);
        }
        self.end += length;
        true
    }

    fn append(&mut self, bytes: &[u8], room: Room) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert((room.make_file)()?),
        };
        file.seek(SeekFrom::Start(self.end))?;
        file.write_all(bytes)
    }

    /// Takes the oldest bytes out; `None` when nothing waits.
    fn take(&mut self) -> io::Result<Option<Vec<u8>>> {
        if let Some(piece) = self.memory.pop_front() {
            self.in_memory -= piece.len();
            return Ok(Some(piece));
        }
        let Some(file) = self.file.as_mut().filter(|_| self.begin < self.end) else {
            return Ok(None);
        };
        file.seek(SeekFrom::Start(self.begin))?;
        let length = (self.end - self.begin).min(PIECE);
        let mut piece = Vec::new();
        if file.take(length).read_to_end(&mut piece)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.begin += piece.len() as u64;
        if self.begin == self.end {
            // Gives its room back.
            file.set_len(0)?;
            (self.begin, self.end, self.has_no_file) = (0, 0, false);
        }
        Ok(Some(piece))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// An output that takes a write for each thing that comes through the channel.
    struct Slow {
        may_take: Receiver<()>,
        taken: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // With the other end gone it is no longer slow.
            let _ = self.may_take.recv();
            self.taken.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow(room: Room) -> (Spool, Sender<()>, Arc<Mutex<Vec<u8>>>) {
        let ((go_on, may_take), taken) = (channel(), Arc::default());
        let output = Slow { may_take, taken: Arc::clone(&taken) };
        (Spool::within(room, output).unwrap(), go_on, taken)
    }

    fn pieces() -> Vec<Vec<u8>> {
        (0..100_u8).map(|number| vec![number; 1000]).collect()
    }

    #[test]
    fn what_the_output_does_not_take_waits_and_comes_in_order() {
        // Of memory alone, of both, and of a file that is read back in several pieces.
        for (memory, file) in [(1 << 20, 0), (5000, 1 << 20), (0, 1 << 20)] {
            let (mut spool, go_on, taken) = slow(Room { memory, file, ..ROOM });
            for piece in pieces() {
                spool.write_all(&piece).unwrap();
            }
            assert_eq!(*taken.lock().unwrap(), b"");
            drop(go_on);
            spool.finish().unwrap();
            assert_eq!(*taken.lock().unwrap(), pieces().concat());
        }
    }

    #[test]
    fn a_write_waits_when_there_is_no_more_room() {
        let no_file = || Err(io::ErrorKind::StorageFull.into());
        let rooms = [
            Room { memory: 5000, file: 10_000, ..ROOM },
            Room { memory: 5000, file: 1 << 20, make_file: no_file },
            Room { memory: 10, file: 1 << 20, make_file: no_file },
        ];
        for room in rooms {
            let (mut spool, go_on, taken) = slow(room);
            let shared = Arc::clone(&spool.0);
            let writing = thread::spawn(move || {
                pieces().iter().try_for_each(|piece| spool.write_all(piece)).unwrap();
                spool.finish().unwrap();
            });
            for _ in 0..20 {
                go_on.send(()).unwrap();
                let state = shared.state();
                let bytes = state.in_memory as u64 + state.end - state.begin;
                assert!(bytes <= 16_000, "{bytes} bytes wait with {room:?}");
            }
            drop(go_on);
            writing.join().unwrap();
            assert_eq!(*taken.lock().unwrap(), pieces().concat());
        }
    }

    #[tokio::test]
    async fn an_output_that_fails_ends_it() {
        struct Broken;
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut spool = Spool::new(Broken).unwrap();
        // The first is taken before it is known.
        let _ = spool.write_all(b"a");
        assert_eq!(spool.failed().await.kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(spool.finish().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(spool.write_all(b"b").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
