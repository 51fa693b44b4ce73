//! The server as the application sees it: the connection, the schedule of polls, and the feed that tells
//! every put.

pub mod feed;
pub mod halves;
pub mod link;
pub mod polling;
pub mod sources;
