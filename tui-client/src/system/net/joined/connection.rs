//! One connection of the screen to the joined sources.

use std::sync::Arc;

use tokio::io::{DuplexStream, split};
use tokio::sync::mpsc;

use super::SourceLink;
use super::clients::SourceClients;
use super::replies::ReplyWriter;
use super::requests::RequestReader;

/// Requests that are sent on before the reply to the first of them is written.
const MAX_AHEAD: usize = 64;

/// Serves a connection of the screen until it ends.
pub(super) async fn serve(stream: DuplexStream, clients: SourceClients) {
    let (input, output) = split(stream);
    let (sender, dues) = mpsc::channel(MAX_AHEAD);
    let joined = Arc::clone(&clients.joined);
    let (is_kept, mut standings) = (clients.are_kept(), joined.standings.subscribe());
    let reader =
        RequestReader { clients, replies: sender, following: None, on_the_way: Arc::new(()) };
    let writer = ReplyWriter { output, joined: Arc::clone(&joined), out: Vec::new() };
    let (reading, writing) = (reader.run(input), writer.run(dues));
    let all_away = async {
        // The sender lives as long as this.
        let none_here = |all: &Vec<SourceLink>| !joined.is_any_here(all);
        let _ = standings.wait_for(none_here).await;
    };
    tokio::pin!(reading, writing);
    tokio::select! {
        () = &mut writing => {}
        () = all_away, if is_kept => {}
        // What is due is still written, unless it never ends.
        is_following = &mut reading => if !is_following { writing.await },
    }
}
