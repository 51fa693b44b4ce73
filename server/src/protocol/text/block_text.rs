//! The points of a block as lines of a reply, a piece at a time.

use shared::response;

use crate::query::Block;

/// A block, and how much of it is encoded.
#[derive(Debug)]
pub struct BlockText {
    block: Block,
    encoded: usize,
}

impl BlockText {
    /// Nothing is encoded yet.
    pub fn new(block: Block) -> Self {
        Self { block, encoded: 0 }
    }

    /// Number of points that are not encoded yet.
    pub fn points_left(&self) -> usize {
        self.block.len() - self.encoded
    }

    /// Gives the memory of what is encoded back.
    pub fn forget_encoded(&mut self) {
        self.block.remove_first(std::mem::take(&mut self.encoded));
    }

    /// Appends the lines of the next points until `out` holds `enough` bytes, at most with the rest of a
    /// line besides, or all.
    pub fn encode(&mut self, out: &mut Vec<u8>, enough: usize) {
        let mut end = 0;
        for (key, points) in self.block.series() {
            let start = end;
            end += points.len();
            let rest = points.get(self.encoded.saturating_sub(start)..).unwrap_or_default();
            for &point in rest {
                response::encode_point(key, point, out);
                self.encoded += 1;
                if out.len() >= enough {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::{Key, Point};

    use super::*;

    #[test]
    fn pieces_are_the_text_of_the_block() {
        const ENOUGH: usize = 32 * 1024;
        let point = |timestamp| Point { timestamp, value: 1.5 };
        let mut block = Block::default();
        let mut expected = Vec::new();
        for (key, count) in [("a", 1), ("b", 4000), ("c", 65), ("d", 4000)] {
            let key = Key::new(key).unwrap();
            let points: Vec<_> = (0..count).map(point).collect();
            block.push(&key.to_owned(), &points);
            for &point in &points {
                response::encode_point(key, point, &mut expected);
            }
        }
        let (mut text, mut all, mut pieces) = (BlockText::new(block), Vec::new(), 0);
        while text.points_left() > 0 {
            let mut piece = Vec::new();
            text.encode(&mut piece, ENOUGH);
            if pieces % 2 == 0 {
                let left = text.points_left();
                text.forget_encoded();
                assert_eq!(text.points_left(), left);
            }
            assert!(piece.len() < ENOUGH + 20);
            all.extend(piece);
            pieces += 1;
        }
        assert!(pieces > 1);
        assert!(all == expected);
    }
}
