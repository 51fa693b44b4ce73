//! What a client may change with its certificate.

use shared::certificates::Subject;

use super::serve;
use crate::harness::tls::{Certificates, request};

fn denied(name: &str) -> String {
    format!(
        "error\nthe certificate of this client is for {name}: with --limit-by-certificate it changes \
         only keys that are {name} up to their first dot, and none by a glob\n\n"
    )
}

#[test]
fn a_client_changes_only_what_its_certificate_names_and_reads_all() {
    let mut certificates = Certificates::new();
    let options = ["--limit-by-certificate".to_owned(), "--allow-delete".to_owned()].into_iter();
    let options: Vec<_> = certificates.strict_options().into_iter().chain(options).collect();
    let program = serve(&options);
    let palm = Subject::with_names(["Palm", "eardrum"]).called("drum");
    let palm = certificates.of_clients.issue(&palm).unwrap();
    let eardrum = Subject::with_names([]).called("EARDRUM");
    let eardrum = certificates.of_clients.issue(&eardrum).unwrap();
    let nobody = certificates.of_clients.issue(&Subject::with_names([])).unwrap();
    let said = |client, requests: &str| {
        request(&mut certificates.connect(&program, Some(client)).unwrap(), requests).unwrap()
    };
    let (ok, of_palm) = ("ok\n\n", denied("palm"));
    assert_eq!(
        said(
            &palm,
            "put palm 1 1\nput palm.cpu 1 1\nput eardrum.cpu 1 1\nwhat\nput palm.a.b 1 1\n"
        ),
        format!("{ok}{ok}{of_palm}error\nwrong command\n\n{ok}")
    );
    assert_eq!(
        said(&palm, "put palms.cpu 1 1\nput Palm.cpu 1 1\nput drum.cpu 1 1\n"),
        of_palm.repeat(3)
    );
    assert_eq!(said(&eardrum, "put eardrum.cpu 2 2\n"), ok);
    assert_eq!(said(&eardrum, "put palm.cpu 2 2\n"), denied("eardrum"));
    let all = "ok\npalm 1.0 1\npalm.cpu 1.0 1\npalm.a.b 1.0 1\neardrum.cpu 2.0 2\n\n";
    assert_eq!(said(&eardrum, "get *\n"), all);
    let unnamed = said(&nobody, "put a 1 1\ndel palm\nget *\n");
    assert_eq!(unnamed.matches("has no name").count(), 2, "{unnamed}");
    assert!(unnamed.ends_with(all));
    // Neither another's, nor by a glob, not even one that names its own keys.
    for selector in ["eardrum.cpu", "*", "palm.*", "palm.{cpu}", "eardrum.cpu[1:]"] {
        assert_eq!(said(&palm, &format!("del {selector}\n")), of_palm, "{selector}");
    }
    assert_eq!(said(&palm, "get *\n"), all);
    assert_eq!(said(&palm, "del palm.cpu\ndel palm.a.b[:5]\n"), ok.repeat(2));
    assert_eq!(said(&palm, "get *\n"), "ok\npalm 1.0 1\neardrum.cpu 2.0 2\n\n");
    let log = program.stop();
    assert!(log.contains("does not allow") && log.contains("refused_puts="), "{log}");
}

/// However many there are in one read.
#[test]
fn denied_puts_are_answered_in_order_among_others() {
    let mut certificates = Certificates::new();
    let more = ["--limit-by-certificate".to_owned()];
    let program = serve(&[certificates.strict_options(), more.to_vec()].concat());
    let palm = certificates.client("palm");
    let mut stream = certificates.connect(&program, Some(&palm)).unwrap();
    let lines = "put palm.cpu 1 1\nput eardrum.cpu 1 1\n".repeat(3000);
    let expected = format!("ok\n\n{}", denied("palm")).repeat(3000);
    std::thread::scope(|scope| {
        // Both sides at once: a socket takes only so much.
        let reading = scope.spawn(|| request(&mut stream, &lines).unwrap());
        assert!(reading.join().unwrap() == expected);
    });
    program.stop();
}
