//! Commands over real sockets of this machine.

use std::io::{Read, Write};
use std::net::TcpStream as Stream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Counts the holds that are not dropped yet.
struct Hold(Arc<AtomicUsize>);

impl Hold {
    /// Whether files are kept: not after [`take_back`].
    fn is_kept(&self) -> bool {
        self.0.load(Ordering::SeqCst) < TAKEN_BACK
    }
}

const TAKEN_BACK: usize = 1 << 20;

/// As a server does whose disk is full.
fn take_back(held: &AtomicUsize) {
    held.fetch_add(TAKEN_BACK, Ordering::SeqCst);
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A control that holds files of this text, its contact and how many are held.
async fn serving(files: Result<&'static str, &'static str>) -> (Contact, Arc<AtomicUsize>) {
    let control = Control::bind().await.unwrap();
    let contact = control.contact.clone();
    assert_eq!(control.contact().parse::<Contact>().unwrap(), contact);
    let held = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&held);
    tokio::spawn(control.serve(move || {
        let counted = Arc::clone(&counted);
        async move {
            let files = files.map_err(str::to_owned)?.to_owned();
            counted.fetch_add(1, Ordering::SeqCst);
            let guard = Hold(counted);
            Ok((files, move || guard.is_kept()))
        }
    }));
    (contact, held)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// Waits until so many are held.
fn wait_for(held: &AtomicUsize, count: usize) {
    let start = Instant::now();
    while held.load(Ordering::SeqCst) != count {
        assert!(start.elapsed() < Duration::from_secs(120), "{count} are held in the end");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn files_are_kept_until_the_command_has_done_or_is_gone() {
    let (contact, held) = serving(Ok("log-1\n")).await;
    blocking(move || {
        let (mut first, files) = HeldByServer::ask(&contact.to_string()).unwrap();
        assert_eq!((&*files, held.load(Ordering::SeqCst)), ("log-1\n", 1));
        first.keep().unwrap();
        first.keep().unwrap();
        assert_eq!(held.load(Ordering::SeqCst), 1);
        first.finish("all");
        assert_eq!(held.load(Ordering::SeqCst), 0);

        drop(HeldByServer::ask(&contact.to_string()).unwrap());
        wait_for(&held, 0);
    })
    .await;
}

#[tokio::test]
async fn a_command_is_told_that_files_are_not_kept_any_longer() {
    let (contact, held) = serving(Ok("log-1\n")).await;
    blocking(move || {
        let (mut asked, _) = HeldByServer::ask(&contact.to_string()).unwrap();
        asked.keep().unwrap();
        take_back(&held);
        assert_eq!(asked.keep().unwrap_err().kind(), io::ErrorKind::StorageFull);
        wait_for(&held, TAKEN_BACK);
        assert!(asked.keep().is_err());
    })
    .await;
}

/// A command that was stopped for long must not take its files for kept when it goes on.
#[tokio::test(start_paused = true)]
async fn files_are_not_kept_for_a_command_that_says_nothing_for_long() {
    let (contact, held) = serving(Ok("log-1\n")).await;
    let (mut asked, _) = blocking(move || HeldByServer::ask(&contact.to_string()).unwrap()).await;
    assert_eq!(held.load(Ordering::SeqCst), 1);
    for _ in 0..1000 {
        if held.load(Ordering::SeqCst) == 0 {
            break;
        }
        tokio::time::advance(PATIENCE).await;
    }
    assert_eq!(held.load(Ordering::SeqCst), 0);
    assert!(blocking(move || asked.keep()).await.is_err());
}

#[tokio::test]
async fn a_refusal_has_its_reason() {
    let (contact, _) = serving(Err("it is busy")).await;
    let asked = blocking(move || HeldByServer::ask(&contact.to_string())).await;
    assert!(matches!(asked, Err(ControlError::Refused(why)) if why == "it is busy"));
}

#[tokio::test]
async fn who_does_not_know_the_token_learns_nothing() {
    let (contact, held) = serving(Ok("log-1\n")).await;
    blocking(move || {
        let Contact { address, token, .. } = contact;
        let other = "0".repeat(token.len());
        let too_long = "a".repeat(5000);
        for said in [
            format!("{other} backup\n"),
            format!("{} backup\n", &token[1..]),
            format!("{token}0 backup\n"),
            format!("{token} restore\n"),
            format!("{token}\n"),
            format!("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n{token} backup\n"),
            " backup\n".to_owned(),
            "\n".to_owned(),
            too_long,
        ] {
            let mut stream = Stream::connect(address).unwrap();
            stream.write_all(said.as_bytes()).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut answer = Vec::new();
            // Bytes that are not read make the end of the connection an error.
            let _ = stream.read_to_end(&mut answer);
            assert_eq!((&*answer, held.load(Ordering::SeqCst)), (&b""[..], 0), "{said}");
        }
    })
    .await;
}

/// Connections without the token take no place of a backup.
#[tokio::test]
async fn connections_that_say_nothing_take_no_place_from_commands() {
    let (contact, held) = serving(Ok("log-1\n")).await;
    blocking(move || {
        let silent: Vec<_> =
            (0..3 * MAX_STRANGERS).map(|_| Stream::connect(contact.address).unwrap()).collect();
        let ask = || HeldByServer::ask(&contact.to_string());
        let asked: Vec<_> = (0..MAX_COMMANDS).map(|_| ask().unwrap()).collect();
        assert_eq!(held.load(Ordering::SeqCst), MAX_COMMANDS);
        let refused = ask();
        assert!(matches!(&refused, Err(ControlError::Refused(why)) if why.contains("too many")));
        drop((asked, silent));
        wait_for(&held, 0);
    })
    .await;
}

/// What a command makes of what a program answers at the port of a server.
async fn answered_by_another(
    answer: &'static str,
    patience: Duration,
) -> Result<(HeldByServer, String), ControlError> {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let contact = Contact { address, token: "0a".to_owned(), proof: "0b".to_owned() };
    std::thread::spawn(move || {
        let (mut stream, _) = other.accept().unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        // Until the command has gone.
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    blocking(move || HeldByServer::ask_within(&contact.to_string(), patience)).await
}

#[tokio::test]
async fn another_program_at_the_port_is_not_believed() {
    for answer in ["ok 1\n\n", "0a\nok 1\n\n", "\n", "0\nok 1\n\n", "error no\n"] {
        let asked = answered_by_another(answer, PATIENCE).await;
        assert!(matches!(asked, Err(ControlError::Stranger)), "{answer:?}: {asked:?}");
    }
    let (_, files) = answered_by_another("0b\nok 1\n\n", PATIENCE).await.unwrap();
    assert_eq!(files, "\n");
}

#[tokio::test]
async fn a_program_at_the_port_that_says_nothing_is_not_waited_for() {
    for answer in ["", "0b"] {
        let asked = answered_by_another(answer, Duration::from_millis(50)).await;
        assert!(matches!(asked, Err(ControlError::Unreachable(_))), "{answer:?}: {asked:?}");
    }
}

#[test]
fn a_contact_is_on_this_machine() {
    let contact =
        |address: &str| format!("address {address}\ntoken 0a1b\nproof 2c\n").parse::<Contact>();
    for address in ["127.0.0.1:17", "[::1]:17"] {
        assert_eq!(contact(address).unwrap().address, address.parse().unwrap());
    }
    for text in ["10.0.0.1:17", "127.0.0.1", ""] {
        assert!(contact(text).is_err(), "{text}");
    }
    for secrets in [
        "",
        "token 0a\n",
        "token 0a\nproof \n",
        "token \nproof 0a\n",
        "token a b\nproof 0a\n",
        "proof 0a\ntoken 0a\n",
        "token 0a\nproof 0a",
        "token 0a\nproof 0a\nmore\n",
    ] {
        assert!(
            format!("address 127.0.0.1:17\n{secrets}").parse::<Contact>().is_err(),
            "{secrets}"
        );
    }
}
