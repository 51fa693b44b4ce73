//! What the operating system gives: files, sockets, the terminal. The other rooms know
//! it by events and effects alone.

pub mod files;
pub mod net;
pub mod os;
pub mod terminal;
pub mod theme_detect;
