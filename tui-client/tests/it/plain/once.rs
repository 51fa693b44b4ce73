//! `--once`: the last points, or rows and columns of the table.

use crate::harness::client::{client, run};
use crate::harness::server::TestServer;

#[test]
fn once_prints_the_last_points_and_ends() {
    let server = TestServer::start();
    server.send("put a 1 10\nput b 7 1\nput a 2 20\n");
    let all = (0, "a 2.0 20\nb 7.0 1\n".to_owned(), String::new());
    assert_eq!(run(server.port, &["--once"]), all);
    let args = ["--once", "--watch", "b", "--watch", "none", "--format", "csv"];
    assert_eq!(run(server.port, &args).1, "key,value,timestamp\nb,7.0,1\n");
}

#[test]
fn once_takes_keys_as_arguments_and_names_the_missing_ones() {
    let server = TestServer::start();
    server.send("put a 1 10\nput ab 7 1\nput b 1 1\n");
    let (code, out, err) = run(server.port, &["--once", "a*", "none", "x.*"]);
    assert_eq!((code, &*out), (0, "a 1.0 10\nab 7.0 1\n"));
    assert_eq!(err, "tui-client: no points for none\ntui-client: no points for x.*\n");
    assert_eq!(run(server.port, &["get", "none"]).2, "tui-client: no points for none\n");
    assert_eq!(run(server.port, &["get", "x.*"]).2, "tui-client: no points for x.*\n");
    // `get` explains what a time in a selector is.
    let (code, _, err) = run(server.port, &["--once", "a[last@3:12]"]);
    assert_eq!(code, 2);
    assert!(err.contains("tui-client get 'a[last@3:12]'\n"), "{err}");
    let (code, _, err) = run(server.port, &["--once", "get", "a"]);
    assert_eq!(code, 2);
    assert!(err.contains("--once takes keys"), "{err}");
}

#[test]
fn once_fails_with_a_sentence_where_nothing_is_found() {
    let server = TestServer::start();
    let none = |said: &str| (1, String::new(), format!("tui-client: {said}\n"));
    assert_eq!(run(server.port, &["--once"]), none("no points"));
    assert_eq!(run(server.port, &["--once", "a"]), none("no points for a"));
    server.send("put a 1 1\n");
    assert_eq!(run(server.port, &["--once", "x*"]), none("no points for x*"));
    let (code, csv, _) = run(server.port, &["--once", "x*", "--format", "csv"]);
    assert_eq!((code, &*csv), (1, "key,value,timestamp\n"));
    let get = (0, String::new(), "tui-client: no points for x\n".to_owned());
    assert_eq!(run(server.port, &["get", "x"]), get, "the reply says so");
}

#[test]
fn once_prints_rows_of_the_table() {
    let server = TestServer::start();
    server.send("put a 1 10\nput \"b, -1 5\nput c 7 1\nput a 2.5 20\nput c 1e300 3\n");
    let once = |args: &[&str]| {
        let (code, out, err) = run(server.port, &[&["--once"], args].concat());
        assert_eq!((code, &*err), (0, ""), "{args:?}");
        out
    };
    let columns = "--columns=rate,key,count,time,avg,trend";
    let text = "0.15 a 2 20 1.75 ▃▇\n- \"b, 1 5 -1.0 ─\n5e+299 c 2 3 5e+299 ▁▇\n";
    assert_eq!(once(&[columns]), text);
    let csv = "rate,key,count,time,avg,trend\n0.15,a,2,20,1.75,▃▇\n,\"\"\"b,\",1,5,-1.0,─\n\
               5e+299,c,2,3,5e+299,▁▇\n";
    assert_eq!(once(&[columns, "--format", "csv"]), csv);
    let json = "{\"rate\":0.15,\"key\":\"a\",\"count\":2,\"time\":20}\n\
                {\"rate\":null,\"key\":\"\\\"b,\",\"count\":1,\"time\":5}\n";
    let first = ["--columns", "rate,key,count,time", "--filter", "last < 5", "--format", "json"];
    assert_eq!(once(&first), json);
    let data_lines = once(&["--sort", "-last"]);
    assert_eq!(data_lines, "c 1e+300 3\na 2.5 20\n\"b, -1.0 5\n");
    assert_eq!(once(&["--sort=-last", "--columns", "key,last,time"]), data_lines);
    assert_eq!(once(&["c", "a", "--sort", "rate"]), "a 2.5 20\nc 1e+300 3\n", "over requests");
    assert_eq!(once(&["a", "c", "--filter", "last > 1M"]), "c 1e+300 3\n");
    let (code, out, err) = run(server.port, &["--once", "--filter=zebra", "--alert", "a > 2"]);
    assert_eq!((code, &*out), (4, ""), "a filter hides no alert");
    assert!(err.contains("a is 2.5"), "{err}");
}

#[test]
fn a_change_beyond_all_floats_is_not_a_missing_one() {
    let server = TestServer::start();
    server.send("put a -1.7e308 1\nput a 1.7e308 2\nput b 1 1\nput c 1.7e308 1\nput c -1e308 2\n");
    for (format, printed) in [
        ("text", "a inf inf\nb - -\nc -inf -inf\n"),
        ("csv", "key,change,rate\na,inf,inf\nb,,\nc,-inf,-inf\n"),
        (
            "json",
            "{\"key\":\"a\",\"change\":\"inf\",\"rate\":\"inf\"}\n\
             {\"key\":\"b\",\"change\":null,\"rate\":null}\n\
             {\"key\":\"c\",\"change\":\"-inf\",\"rate\":\"-inf\"}\n",
        ),
    ] {
        let args = ["--once", "--columns", "key,change,rate", "--format", format];
        assert_eq!(run(server.port, &args), (0, printed.to_owned(), String::new()), "{format}");
    }
}

#[test]
fn an_age_is_in_seconds() {
    let server = TestServer::start();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    server.send(&format!("put a 1 {}\n", now - 1000));
    let age: u64 = run(server.port, &["--once", "--columns", "age"]).1.trim().parse().unwrap();
    assert!((1000..2000).contains(&age), "{age}");
}

#[test]
fn wrong_table_options_are_explained() {
    for (args, said) in [
        (&["--once", "--sort", "cpu"][..], "[possible values: key, last, change, rate, "),
        (&["--once", "--sort", "-trend"], "reply]"),
        (&["--once", "--sort", "--rate"], "invalid value"),
        (&["--once", "--columns", "key,cpu"], "time, trend]"),
        (&["--once", "--columns", "key,last,key"], "--columns has key twice"),
        (&["--once", "--filter", "last >"], "at character 7: a number is missing"),
        (&["--filter", "a", "get", "a"], "go with --once, or with the screen"),
        (&["--sort", "last"], "go with --once, or with the screen"),
        (&["--columns", "key", "--watch", "a"], "go with --once, or with the screen"),
    ] {
        let (code, out, err) = run(1, args);
        assert_eq!((code, &*out), (2, ""), "{args:?}");
        assert!(err.contains(said), "{err}");
    }
}

#[test]
fn a_filter_that_matches_no_key_is_reported() {
    let server = TestServer::start();
    server.send("put a 1 1\nput b 5 1\n");
    let none = (1, String::new(), "tui-client: no key passes the filter\n".to_owned());
    let (_, csv, _) = run(server.port, &["--once", "--filter", "nothing", "--format", "csv"]);
    assert_eq!(csv, "key,value,timestamp\n");
    for more in [&[][..], &["--sort", "last"], &["a", "b"]] {
        let once = |filter| run(server.port, &[&["--once", "--filter", filter], more].concat());
        assert_eq!(once("last > 9"), none, "{more:?}");
        assert_eq!(once("last > 4"), (0, "b 5.0 1\n".to_owned(), String::new()), "{more:?}");
    }
}

#[test]
fn what_is_computed_is_rounded_in_text_and_exact_in_json_and_csv() {
    let server = TestServer::start();
    server.send("put a 0.1 0\nput a 0.20000000000000004 1\nput a 1.2000000000000002 61\n");
    let once = |format: &str| {
        let columns = ["--once", "--columns", "key,last,rate,avg", "--format", format];
        let (code, out, _) = run(server.port, &columns);
        assert_eq!(code, 0);
        out
    };
    assert_eq!(once("text"), "a 1.2000000000000002 0.0166667 0.5\n");
    for format in ["json", "csv"] {
        let exact = once(format);
        assert!(exact.contains("0.01666666666666667"), "{exact}");
    }
}

#[test]
fn an_alert_is_told_by_the_exit_code_whoever_has_enough_of_the_output() {
    let server = TestServer::start();
    let keys = 2000;
    let lines = (0..keys).map(|key| format!("put key.{key:04} 1 1\n"));
    server.send(&(lines.collect::<String>() + "put z 9 1\n"));
    for sorted in [&[][..], &["--sort", "-key"]] {
        let mut child =
            client(server.port).args(["--once", "--alert", "z > 5"]).args(sorted).spawn();
        let child = child.as_mut().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(4), "{sorted:?}");
    }
    let mut child = client(server.port).arg("--once").spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0), "without an alert");
}
