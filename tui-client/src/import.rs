//! Many requests over one connection: one engine under pasted lines and the input of plain mode.

pub mod engine;
pub mod source;

/// Refused lines of an import that are reported one by one.
pub const MAX_REFUSALS: u64 = 20;

/// The progress of an import of pasted lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportNews {
    /// The number of the import.
    pub id: u64,
    /// Lines answered so far.
    pub answered: u64,
    /// Lines sent so far.
    pub sent: u64,
    /// Lines refused so far.
    pub refused: u64,
    /// Lines refused since the last news, each with its number and the reason; only the first
    /// [`MAX_REFUSALS`] in all.
    pub refusals: Vec<String>,
    /// The end of the import; `None` while lines are under way.
    pub end: Option<ImportEnd>,
}

impl ImportNews {
    /// The news of an import that lost its connection before the first line.
    pub fn broken(id: u64) -> Self {
        let end = Some(ImportEnd::Broken);
        Self { id, answered: 0, sent: 0, refused: 0, refusals: Vec::new(), end }
    }
}

/// The end of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportEnd {
    /// Every line has its answer.
    Whole,
    /// The connection was lost.
    Broken,
    /// The user stopped it.
    Stopped,
}
