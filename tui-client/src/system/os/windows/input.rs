//! Input of the console: its events.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;

use crossterm::event::{Event, EventStream};
use futures_util::{Stream, StreamExt};

use crate::system::os::terminal_input::TerminalInput;

/// Nothing: the answers would arrive as keys.
pub const ASK_COLOURS: &str = "";

/// The input of the console.
pub struct InputStream(EventStream);

impl InputStream {
    /// The input from now on.
    pub fn start() -> Self {
        Self(EventStream::new())
    }

    /// The next input; none at the end.
    pub async fn next(&mut self) -> Option<io::Result<TerminalInput>> {
        self.0.next().await.map(input)
    }

    /// The next input, if there is one at once.
    pub async fn now(&mut self) -> Option<io::Result<TerminalInput>> {
        // The stream wakes this task when there is an event later.
        let stream = &mut self.0;
        let event = poll_fn(|cx| match Pin::new(&mut *stream).poll_next(cx) {
            Poll::Ready(event) => Poll::Ready(event),
            Poll::Pending => Poll::Ready(None),
        });
        event.await.map(input)
    }
}

fn input(event: io::Result<Event>) -> io::Result<TerminalInput> {
    event.map(TerminalInput::Event)
}
