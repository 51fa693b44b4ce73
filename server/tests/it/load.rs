//! Many clients, large answers, clients that misbehave.

use std::collections::HashMap;
use std::time::Duration;

use shared::client::{Batch, ReplyPiece};
use shared::response::{Status, decode_points};
use shared::{Client, Key, KeyBuf, Point, Request, Selector};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::served::Served;

fn key(text: &str) -> KeyBuf {
    text.parse().unwrap()
}

/// Puts all points with one write.
async fn put_all<'k>(client: &Client, points: impl Iterator<Item = (Key<'k>, Point)>) {
    let (mut batch, mut line) = (Batch::default(), Vec::new());
    for (key, point) in points {
        line.clear();
        Request::Put(key, point).encode(&mut line);
        batch.push(line.strip_suffix(b"\n").unwrap()).unwrap();
    }
    let mut replies = client.send_batch(batch).await.unwrap();
    assert_eq!(replies.next().await, Ok(None), "nothing is refused");
}

/// Gives each point of all keys to `each`.
async fn get_all(client: &Client, mut each: impl FnMut(Key<'_>, Point)) {
    let mut reply = client.get(Selector::ALL).await.unwrap();
    while let Some(piece) = reply.next().await.unwrap() {
        match piece {
            ReplyPiece::Status(status) => assert_eq!(status, Status::Ok),
            ReplyPiece::Data(data) => {
                decode_points(&data).map(Result::unwrap).for_each(|(key, point)| each(key, point));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_lose_and_mix_up_nothing() {
    const CLIENTS: i64 = 200;
    const PUTS: i64 = 1000;
    let served = Served::start().await;
    let mut tasks = Vec::new();
    for number in 0..CLIENTS {
        let client = served.client().await;
        tasks.push(tokio::spawn(async move {
            let own = key(&format!("client{number}.own"));
            let together = [key("shared.even"), key("shared.odd")];
            // Every fourth put goes to a key of all clients, at a time of its own.
            let puts = (0..PUTS).map(|at| {
                let value = f64::from(i32::try_from(number * PUTS + at).unwrap());
                let point = Point { timestamp: number * PUTS + at, value };
                let shared = usize::from(at % 8 == 4);
                let key = if at % 4 == 0 { &together[shared] } else { &own };
                (key.as_key(), point)
            });
            put_all(&client, puts).await;
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }

    let mut count = 0;
    let mut last: HashMap<KeyBuf, i64> = HashMap::new();
    let check = |key: Key<'_>, point: Point| {
        count += 1;
        assert_eq!(point.value.to_string(), point.timestamp.to_string(), "a point of another put");
        let (number, at) = (point.timestamp / PUTS, point.timestamp % PUTS);
        let expected = match at % 8 {
            0 => "shared.even".to_owned(),
            4 => "shared.odd".to_owned(),
            _ => format!("client{number}.own"),
        };
        assert_eq!(key.as_str(), expected, "mixed up");
        let before = last.insert(key.to_owned(), point.timestamp);
        assert!(before.is_none_or(|before| before < point.timestamp), "not by rising timestamp");
    };
    get_all(&served.client().await, check).await;
    assert_eq!(count, CLIENTS * PUTS);
    served.stop().await;
}

/// Puts `count` points of one key, a second apart.
async fn fill(client: &Client, key: Key<'_>, count: i64) {
    for start in (0..count).step_by(10_000) {
        let points = (start..(start + 10_000).min(count)).map(|timestamp| {
            let value = f64::from(i32::try_from(timestamp).unwrap()) / 100.0;
            (key, Point { timestamp, value })
        });
        put_all(client, points).await;
    }
}

/// Peak memory of this process so far, in KiB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_read_cost_little_and_disturb_nobody() {
    const POINTS: i64 = 1_000_000;
    const LAZY: usize = 50;
    let served = Served::start().await;
    let client = served.client().await;
    fill(&client, key("big.series").as_key(), POINTS).await;

    let before = peak_memory();
    let mut lazy = Vec::new();
    for _ in 0..LAZY {
        let mut stream = served.connect().await;
        stream.write_all(b"get *\n").await.unwrap();
        // The answer has begun, so the server is at work on it; from here on nobody reads.
        let mut begin = [0; 3];
        stream.read_exact(&mut begin).await.unwrap();
        assert_eq!(&begin, b"ok\n");
        lazy.push(stream);
    }

    // Meanwhile the others are served, a large answer included.
    let other = served.client().await;
    fill(&other, key("other.key").as_key(), 1).await;
    let mut count = 0;
    get_all(&other, |_, _| count += 1).await;
    assert_eq!(count, POINTS + 1);

    // The answer is 25 MB for each of them; what they cost is a piece and a block each.
    let grown = peak_memory() - before;
    assert!(grown < 64 * 1024, "{LAZY} clients that do not read cost {grown} KiB");

    // One that begins to read after all gets all of it.
    let mut whole = Vec::new();
    let mut patient = lazy.pop().unwrap();
    patient.shutdown().await.unwrap();
    patient.read_to_end(&mut whole).await.unwrap();
    assert!(whole.ends_with(b"\n\n"));
    drop(lazy);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_finishes_the_answer_in_hand() {
    let served = Served::start().await;
    let client = served.client().await;
    fill(&client, key("big.series").as_key(), 200_000).await;
    let mut stream = served.connect().await;
    stream.write_all(b"get *\n").await.unwrap();
    let mut begin = [0; 3];
    stream.read_exact(&mut begin).await.unwrap();
    let port = served.port;
    let stopping = tokio::spawn(served.stop());
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"big.series 1999.99 199999\n\n"));
    tokio::time::timeout(Duration::from_secs(60), stopping).await.unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err());
}

/// Requests that are left unread must not reset the connection and take the answers with them.
#[tokio::test(flavor = "multi_thread")]
async fn shutdown_delivers_the_answer_in_hand_to_a_client_that_has_asked_for_more() {
    const POINTS: i64 = 300_000;
    let served = Served::start().await;
    let client = served.client().await;
    fill(&client, key("big.series").as_key(), POINTS).await;
    let mut stream = served.connect().await;
    stream.write_all(b"get *\n").await.unwrap();
    let mut begin = [0; 3];
    stream.read_exact(&mut begin).await.unwrap();
    // More than the server reads at once, so that it ends with requests unread.
    let (mut stream, mut asking) = stream.into_split();
    let asked = tokio::spawn(async move {
        let _ = asking.write_all(&b"get nothing\n".repeat(20_000)).await;
        asking
    });
    let stopping = tokio::spawn(served.stop());
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    let last = format!("big.series 2999.99 {}\n\n", POINTS - 1);
    let text = String::from_utf8(rest).unwrap();
    assert!(text.contains(&last), "the answer ends in {:?}", &text[text.len() - 80..]);
    drop((stream, asked.await.unwrap()));
    tokio::time::timeout(Duration::from_secs(60), stopping).await.unwrap().unwrap();
}

/// The empty line of a request that is still being answered belongs to it, however late it comes.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_line_that_comes_during_the_answer_gets_none_of_its_own() {
    let served = Served::start().await;
    let client = served.client().await;
    fill(&client, key("big.series").as_key(), 1_000_000).await;
    let mut stream = served.connect().await;
    stream.write_all(b"get *\n").await.unwrap();
    // The answer is too large for the sockets between us, so it is under way until we read.
    let mut begin = [0; 3];
    stream.read_exact(&mut begin).await.unwrap();
    stream.write_all(b"\r\nget nowhere\n").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"big.series 9999.99 999999\n\nok\n\n"));
    served.stop().await;
}
