//! How many points of a chunk are not strays, for chunks that hold both.
//!
//! The index of a part has the first and the last timestamp of a chunk. When the last one is a stray
//! point in the far future, the chunk itself has to be read to know when the others expire.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use crate::store::local::part::Part;
use crate::store::local::part::chunk_source::ChunkSource;
use crate::store::local::part::header::ChunkEntry;
use crate::store::local::series::merge::Source;
use crate::store::local::series::retention::{ChunkSpan, Expiry, Present};
use crate::store::query::Window;

/// Chunks that are read at a time: some 50 ms.
const MAX_READS: usize = 256;

/// What was read of the chunks of the parts, each read once.
#[derive(Debug, Default)]
pub struct PresentPoints(Vec<(Weak<Part>, HashMap<usize, Present>)>);

impl PresentPoints {
    /// Reads chunks of `parts` whose expiry is not known without, at most [`MAX_READS`], and forgets
    /// other parts.
    pub fn read(&mut self, parts: &[Arc<Part>], expiry: Expiry) {
        // To go through a million entries of an index takes a while.
        let parts = if expiry.expires_any() { parts } else { &[] };
        let mut left = MAX_READS;
        let mut before = std::mem::take(&mut self.0);
        for part in parts {
            let known = before.iter().position(|(of, _)| is_of(of, part));
            let (of, mut chunks) = match known {
                Some(at) => before.swap_remove(at),
                None => (Arc::downgrade(part), HashMap::new()),
            };
            for (at, entry) in part.table().iter().enumerate() {
                if left > 0 && expiry.has_to_read(entry.first, entry.last) {
                    chunks.entry(at).or_insert_with(|| {
                        left -= 1;
                        present(part, &entry, expiry)
                    });
                }
            }
            if !chunks.is_empty() {
                self.0.push((of, chunks));
            }
        }
    }

    /// The chunks of a part, with what was read of them.
    pub fn spans(&self, part: &Arc<Part>) -> impl Iterator<Item = ChunkSpan> {
        let known = self.0.iter().find(|(of, _)| is_of(of, part)).map(|(_, chunks)| chunks);
        part.table().iter().enumerate().map(move |(at, entry)| ChunkSpan {
            first: entry.first,
            last: entry.last,
            points: entry.count,
            present: known.and_then(|chunks| chunks.get(&at)).copied(),
        })
    }
}

fn is_of(of: &Weak<Part>, part: &Arc<Part>) -> bool {
    std::ptr::eq(of.as_ptr(), Arc::as_ptr(part))
}

fn present(part: &Arc<Part>, entry: &ChunkEntry, expiry: Expiry) -> Present {
    let range = (entry.first, entry.last);
    let window = Window { from: entry.first, to: entry.last };
    let mut chunks = ChunkSource::within(part, entry.series, window);
    let source = chunks.find(|source| source.range() == range);
    // What can't be read is in the log. It expires with its last point; to try again would not help.
    let run = source.and_then(|source| source.open().ok()).unwrap_or_else(|| [].into());
    let count = run.partition_point(|point| !expiry.is_stray(point.timestamp));
    match run[..count].last() {
        Some(last) => {
            Present { points: u32::try_from(count).unwrap_or(u32::MAX), last: last.timestamp }
        }
        None => Present { points: entry.count, last: entry.last },
    }
}
