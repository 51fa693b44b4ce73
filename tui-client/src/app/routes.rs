//! What comes for several parts of the application, and what several of them decide together: the
//! steering of the feed, told lines, replies, alerts, the mouse.

mod alerts;
mod mouse;
mod replies;
mod steering;
mod told;
