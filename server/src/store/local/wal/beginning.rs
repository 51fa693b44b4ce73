//! What the first bytes of a segment say: how its records are written, and how far it was synced.

use super::header::{Layout, Mark, SegmentHeader, SegmentHeaderV2};
use crate::store::local::file_name::SegmentId;

/// What the first bytes of a segment say.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// How its records are written; `None` when nothing says that any more.
    pub layout: Option<Layout>,
    /// Its header, of format 3.
    pub header: Option<SegmentHeader>,
    /// Bytes that were synced, as it says itself.
    pub marked: u64,
    /// Damaged bytes of the header: their places and numbers.
    damage: Vec<(u64, u64)>,
}

impl Beginning {
    /// Bytes at the front of a segment that are looked at.
    pub const LENGTH: usize = SegmentHeader::LENGTH;

    /// What these bytes say, at most [`Beginning::LENGTH`], those at the front of a segment.
    pub fn of(bytes: &[u8], id: SegmentId) -> Self {
        let from = |place: usize| bytes.get(place..).unwrap_or_default();
        let copies = [0, SegmentHeader::SECOND].map(|at| SegmentHeader::decode(from(at), id));
        if let [Some(header), _] | [None, Some(header)] = copies {
            let mark = Mark::decode(from(SegmentHeader::MARK), header.salt());
            let filling = bytes.get(SegmentHeader::COPY_LENGTH..SegmentHeader::SECOND);
            let pieces = [
                (0, copies[0].is_some()),
                (
                    SegmentHeader::COPY_LENGTH,
                    filling.is_some_and(|filling| filling.iter().all(|byte| *byte == 0)),
                ),
                (SegmentHeader::SECOND, copies[1].is_some()),
                (SegmentHeader::MARK, mark.is_some()),
                (SegmentHeader::LENGTH, true),
            ];
            let damage = pieces.windows(2).filter(|pair| !pair[0].1);
            return Self {
                layout: Some(Layout::Salted(header.salt())),
                header: Some(header.clone()),
                marked: mark.unwrap_or(0),
                damage: damage
                    .map(|pair| (pair[0].0 as u64, (pair[1].0 - pair[0].0) as u64))
                    .collect(),
            };
        }
        let begin = SegmentHeaderV2::LENGTH;
        let is_named = bytes.starts_with(&SegmentHeaderV2::bytes(id));
        let mut beginning = Self { layout: None, header: None, marked: 0, damage: vec![] };
        // In format 3 random bytes stand there.
        if is_named {
            beginning.layout = Some(Layout::Unsalted);
        } else if Layout::Unsalted.decode(from(begin)).is_some() {
            beginning.assume(Layout::Unsalted);
        }
        beginning
    }

    /// Takes it from elsewhere how the records are written, when the header does not say it any more.
    pub fn assume(&mut self, layout: Layout) {
        if self.layout.is_none() {
            self.layout = Some(layout);
            self.damage = vec![(0, layout.begin())];
        }
    }

    /// Damaged bytes of the header: their places and numbers.
    pub fn damage(&self) -> &[(u64, u64)] {
        &self.damage
    }
}
