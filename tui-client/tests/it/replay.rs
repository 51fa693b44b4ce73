//! Saved sessions: what is recorded answers as the server did, and a screen over it shows what the
//! screen over the server showed.

mod answers;
mod desk;
mod whole;
