//! What a follower of all keys is told while clients put and delete.

use std::io::{BufRead, BufReader, Write};
use std::sync::mpsc::Sender;

use crate::harness::os;
use crate::harness::process::connect;

/// The news of a round.
pub struct News {
    /// The newest value of each client.
    newest: Vec<Option<u64>>,
    count: u64,
}

impl News {
    /// Follows until the server is gone; sends to `following` when the follow has begun. The puts of
    /// each client come in order and without a gap.
    ///
    /// # Panics
    /// When they do not.
    pub fn follow_until_it_ends(port: u16, clients: u64, following: &Sender<()>) -> Self {
        let mut news = Self { newest: (0..clients).map(|_| None).collect(), count: 0 };
        let mut stream = connect(port).expect("a server that listens");
        os::limit_waits_for_a_killed_peer(&stream);
        stream.write_all(b"get *[+]\n").expect("a server that reads");
        let mut lines = BufReader::new(stream);
        let mut line = String::new();
        lines.read_line(&mut line).expect("the beginning of a reply");
        assert_eq!(line, "ok\n");
        following.send(()).expect("a round that waits");
        loop {
            line.clear();
            match lines.read_line(&mut line) {
                // The last line may be cut off.
                Ok(1..) if line.ends_with('\n') => news.line(line.trim_end_matches('\n'), clients),
                _ => return news,
            }
        }
    }

    fn line(&mut self, line: &str, clients: u64) {
        let words: Vec<&str> = line.split(' ').collect();
        let &[_, value, timestamp] = words.as_slice() else { panic!("three words: {line:?}") };
        // Points that were taken back.
        if value == "-" {
            return;
        }
        let value: u64 = value.strip_suffix(".0").expect("whole numbers").parse().unwrap();
        let timestamp: u64 = timestamp.parse().unwrap();
        let newest = &mut self.newest[usize::try_from(timestamp % clients).unwrap()];
        if let Some(before) = *newest {
            assert_eq!(value, before + 1, "the news behind {before} of a client: {line}");
        }
        *newest = Some(value);
        self.count += 1;
    }

    /// The newest value of each client.
    pub fn newest(&self) -> impl Iterator<Item = Option<u64>> {
        self.newest.iter().copied()
    }

    /// Number of points.
    pub fn count(&self) -> u64 {
        self.count
    }
}
