//! What comes for several parts of the application, and what several of them decide together: keys,
//! the steering of the feed, told lines, replies, alerts, the mouse, the list of keys, the place in
//! time, marks, comparisons, views, sessions and files.

mod actions;
mod alerts;
mod comparison;
mod files;
mod marks;
mod mouse;
mod palette;
mod place;
mod replies;
mod session;
mod steering;
mod suggest;
mod told;
mod view;
