//! Reading points: a selector → blocks of points. The same for every protocol.

use shared::Selector;

use crate::store::{Block, Cursor, ReadError, Store};

/// Answers selectors from a store.
#[derive(Debug, Clone)]
pub struct Queries<S> {
    store: S,
}

impl<S: Store> Queries<S> {
    /// Queries to `store`.
    pub fn new(store: S) -> Self {
        Self { store }
    }

    /// Selects points and reads as far as the first block.
    ///
    /// # Errors
    /// [`ReadError`] when that fails: nothing of the answer is out yet, so the reply can be a plain
    /// error.
    pub async fn run(&self, selector: Selector<'_>) -> Result<PointStream<S::Cursor>, ReadError> {
        let mut cursor = self.store.get(selector);
        let first = cursor.next_block().await?;
        Ok(PointStream { is_empty: first.is_none(), first, cursor })
    }
}

/// The selected points, a block at a time.
#[derive(Debug)]
pub struct PointStream<C> {
    first: Option<Block>,
    is_empty: bool,
    cursor: C,
}

impl<C: Cursor> PointStream<C> {
    /// The next block, or `None` at the end.
    ///
    /// # Errors
    /// [`ReadError`] when a part can't be read; what is out already must not pass for a whole
    /// answer.
    pub async fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        match self.first.take() {
            Some(block) => Ok(Some(block)),
            None if self.is_empty => Ok(None),
            None => self.cursor.next_block().await,
        }
    }
}
