//! What comes for several parts of the application, and what several of them decide together: keys,
//! the steering of the feed, told lines, replies, alerts, the mouse, the list of keys, views, sessions
//! and files.

mod actions;
mod alerts;
mod files;
mod mouse;
mod palette;
mod place;
mod replies;
pub mod session;
mod steering;
mod suggest;
mod told;
pub mod view;
