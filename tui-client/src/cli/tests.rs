use super::*;

fn mode(line: &str, interactive: bool) -> RunMode {
    let args = line.split(' ').filter(|word| !word.is_empty());
    Plan::parse(["tui-client"].into_iter().chain(args), interactive).unwrap().mode
}

#[test]
fn a_saved_session_is_shown_alone_and_on_a_terminal() {
    assert_eq!(mode("--replay x.session", true), RunMode::Replay("x.session".into()));
    assert_eq!(mode("--replay x --theme light", true), RunMode::Replay("x".into()));
    let refused = |line: &str, interactive| {
        let parsed = Plan::parse(["tui-client"].into_iter().chain(line.split(' ')), interactive);
        parsed.unwrap_err().to_string()
    };
    let why = refused("--replay Cargo.toml", false);
    assert!(why.contains("--replay needs a terminal for its screen"), "{why}");
    // Nor would a terminal help.
    let why = refused("--replay nowhere.session", false);
    assert_eq!(why, "error: nowhere.session: there is no such file\n");
    for other in ["--watch a", "--host a", "--once", "get a", "--filter a", "--raw-log"] {
        let why = refused(&format!("--replay x {other}"), true);
        assert!(why.contains("cannot be used with"), "{other}: {why}");
    }
}

#[test]
fn an_alert_that_a_shell_has_cut_hints_at_quotes() {
    for (alert, is_hinted) in [("palm.cpu", true), ("palm.cpu >", false)] {
        let refused = Plan::parse(["tui-client", "--alert", alert], true).unwrap_err();
        assert_eq!(refused.to_string().contains("in quotes"), is_hinted, "{refused}");
    }
}

#[test]
fn the_last_of_an_option_counts_and_lists_add_up() {
    let table = ["--filter", "a", "--sort", "key", "--window", "1h", "--once", "--format", "csv"];
    let server = ["--port", "1", "--interval", "5", "--timeout", "5", "--theme", "dark"];
    let lists = ["--watch", "a", "--alert", "a > 1", "--columns", "key"];
    let rest = ["--ascii=always", "--log-memory", "7", "--no-mouse", "--raw-log"];
    let first = [&table[..], &server, &lists, &rest].concat();
    let last = [
        "--filter=b",
        "--sort=-last",
        "--window=all",
        "--once",
        "--format=json",
        "--port=2",
        "--interval=6",
        "--timeout=6",
        "--theme=light",
        "--ascii=never",
        "--log-memory=8",
        "--no-mouse",
        "--raw-log",
        "--watch=b",
        "--alert=b > 1",
        "--columns=age",
    ];
    let parse = |args: &[&str]| Plan::parse([&["tui-client"], args].concat(), true).unwrap();
    let (both, alone) = (parse(&[&first[..], &last].concat()), parse(&last));
    assert_eq!(both.table.columns, [Column::Key, Column::Age]);
    assert_eq!(both.alerts.len(), 2);
    let RunMode::Once(keys) = &both.mode else { panic!("{:?}", both.mode) };
    assert_eq!(keys.len(), 2);
    let columns = alone.table.columns.clone();
    let table = TableSpec { columns, ..both.table.clone() };
    let (alerts, mode) = (alone.alerts.clone(), alone.mode.clone());
    let view = alone.view.clone();
    assert_eq!(Plan { alerts, table, view, mode, ..both }, alone);
    for twice in [["--exec", "--alert=a > 1"], ["--since", "--watch=a"], ["--prefix", "--put"]] {
        let [option, with] = twice;
        let plan = parse(&[with, option, "1m", option, "2m"]);
        let kept = plan.exec.or(plan.put).or(plan.since.map(|since| since.to_string()));
        assert_eq!(kept.as_deref(), Some("2m"), "{option}");
    }
}

#[test]
fn several_hosts_are_sources_and_one_is_as_ever() {
    let parse = |args: &[&str]| {
        let plan = Plan::parse([&["tui-client"], args].concat(), true);
        plan.map(|plan| {
            let name = |source: &Source| {
                format!("{}={}:{}", source.name, source.server.host, source.server.port)
            };
            (plan.server.host, plan.sources.iter().map(name).collect::<Vec<_>>())
        })
    };
    let one = |host: &str| (host.to_owned(), Vec::new());
    assert_eq!(parse(&[]).unwrap(), one("localhost"));
    assert_eq!(parse(&["--host", "a"]).unwrap(), one("a"));
    let several = |args: &[&str]| parse(args).unwrap().1;
    let args = ["--host", "web1", "--host=db=10.0.0.7:7", "--port", "9"];
    assert_eq!(several(&args), ["web1=web1:9", "db=10.0.0.7:7"]);
    assert_eq!(several(&args[..3]), ["web1=web1:10001", "db=10.0.0.7:7"]);
    assert_eq!(several(&["--host", "a=[::1]:7"]), ["a=::1:7"], "a name is shown");
    for (args, why) in [
        (&["--host", "a,b"][..], "one host; several are a --host each"),
        (&["--host", "a=x", "--host", "a=y"], "two hosts are called a"),
        (&["--host", "a", "--host", "a"], "a:10001 is given twice; NAME=HOST gives each"),
        (&["--host", "a/b=x"], "a name holds no '/'"),
        (&["--host", "a=http://x"], "a host has no http:// before it"),
        (&["--host", "a=x", "--put"], "--put goes to one server"),
    ] {
        let refused = parse(args).unwrap_err().to_string();
        assert!(refused.contains(why), "{args:?}: {refused}");
    }
}

#[test]
fn a_prefix_is_of_names_that_are_put_or_of_runs() {
    let parse = |line: &str, interactive| {
        let args = ["tui-client"].into_iter().chain(line.split(' '));
        Plan::parse(args, interactive)
    };
    let runs = |line: &str| {
        let sources = parse(line, true).unwrap().sources;
        sources.iter().map(Source::prefix).collect::<Vec<_>>()
    };
    assert_eq!(runs("--prefix run1. --prefix run2."), ["run1.", "run2."]);
    assert_eq!(runs("--prefix run1. --once"), ["run1."]);
    assert_eq!(runs("--prefix a. --prefix b. --host x --host y"), ["x/a.", "x/b.", "y/a.", "y/b."]);
    let put = parse("--put --prefix a. --prefix b.", true).unwrap();
    assert_eq!((put.put.as_deref(), put.sources), (Some("b."), Vec::new()));
    for (line, interactive) in [
        ("--prefix a.", false),
        ("--prefix a. del a.x --yes", true),
        ("--prefix a. --prefix a.b. --once", true),
        ("--prefix a. --replay x", true),
        ("--prefix a*", true),
        ("--prefix a,b. --prefix c. --once", true),
        ("--prefix= --once", true),
    ] {
        assert!(parse(line, interactive).is_err(), "{line}");
    }
}

#[test]
fn a_server_without_its_option_and_help_are_understood() {
    for word in ["localhost:10092", "[::1]:80", "10.0.0.7:10001"] {
        let refused = Plan::parse(["tui-client", word], true).unwrap_err();
        let why = format!("{word} is no request; the server is given as --host {word}");
        assert!(refused.to_string().contains(&why), "{refused}");
    }
    let help = Plan::parse(["tui-client", "help"], true).unwrap_err();
    assert_eq!(help.kind(), ErrorKind::DisplayHelp);
    // Requests, of which the server says what is wrong with them.
    for word in ["get", "get *", "got", "a:b:c:d"] {
        assert!(matches!(mode(word, true), RunMode::Request(_)), "{word}");
    }
}

#[test]
fn the_terminal_and_the_arguments_decide_the_mode() {
    let key = || vec!["a.b".parse().unwrap()];
    assert_eq!(mode("", true), RunMode::Screen(vec![]));
    assert_eq!(mode("--watch a.b", true), RunMode::Screen(key()));
    assert_eq!(mode("", false), RunMode::Input);
    assert_eq!(mode("--watch a.b", false), RunMode::Watch(key()));
    let request = RunMode::Request("put a.b -1.5 -7".to_owned());
    assert_eq!(mode("put a.b -1.5 -7", true), request);
    assert_eq!(mode("put a.b -1.5 -7 --port 9", false), request);
    assert_eq!(mode("--once", true), RunMode::Once(vec![]));
    assert_eq!(mode("--once --watch a.b", true), RunMode::Once(key()));
    assert_eq!(mode("--once a.b", true), RunMode::Once(key()));
    assert_eq!(mode("--format json --watch a.b", true), RunMode::Watch(key()));
    assert_eq!(mode("--format csv", true), RunMode::Input);
}

#[test]
fn the_words_of_a_request_are_sent_as_typed() {
    for (typed, sent) in [
        ("put a.b -.5", "put a.b -.5"),
        ("put a.b -1e-3 -7", "put a.b -1e-3 -7"),
        ("put a.b -1E+2 -07.50", "put a.b -1E+2 -07.50"),
        ("put a.b -1.5 -7 --port 9", "put a.b -1.5 -7"),
        ("--port 9 put a 1 -.5", "put a 1 -.5"),
        ("get -- -.5", "get -.5"),
        ("get -.5", "get -.5"),
        ("-- put a -.5 --port", "put a -.5 --port"),
        ("get -5.load", "get -5.load"),
        ("get - -1", "get - -1"),
    ] {
        assert_eq!(mode(typed, true), RunMode::Request(sent.to_owned()), "{typed}");
    }
    let keys = |keys: &[&str]| keys.iter().map(|key| key.parse().unwrap()).collect();
    assert_eq!(mode("--once -.5 --port 9 a", true), RunMode::Once(keys(&["-.5", "a"])));
    let refused = Plan::parse(["tui-client", "--interval", "-.5", "get", "a"], true);
    assert!(!refused.unwrap_err().to_string().contains(MARK));
    let refused = Plan::parse(["tui-client", "get", "-v"], true);
    assert!(refused.unwrap_err().to_string().contains("'-v'"), "it may be a mistake");
}

#[test]
fn once_takes_keys_and_alerts_together() {
    let args = ["tui-client", "--once", "b", "a.b", "--alert", "a.b > 4", "--watch", "c"];
    let plan = Plan::parse(args, true).unwrap();
    let keys = ["c", "b", "a.b"].map(|key| key.parse().unwrap());
    assert_eq!(plan.mode, RunMode::Once(keys.to_vec()));
    assert_eq!(plan.alerts, ["a.b > 4".parse().unwrap()]);
}

#[test]
fn the_window_is_of_the_table() {
    let parse = |args: &[&str], interactive| {
        Plan::parse(["tui-client"].iter().chain(args), interactive).map(|plan| plan.table.window)
    };
    assert_eq!(parse(&[], true).unwrap(), Window::Minutes15);
    assert_eq!(parse(&["--once"], true).unwrap(), Window::All);
    assert_eq!(parse(&["--window", "1d"], true).unwrap(), Window::Day);
    assert_eq!(parse(&["--window", "1d", "--once"], false).unwrap(), Window::Day);
    for (args, interactive) in [
        (&["--window", "2h"][..], true),
        (&["--window", "1d", "--once", "--alert", "a max > 1"], true),
        (&["--window", "1d"], false),
    ] {
        assert!(parse(args, interactive).is_err(), "{args:?}");
    }
}

#[test]
fn what_makes_no_sense_together_is_refused() {
    for line in ["--once get a", "--once [", "--watch a get a", "--format x get a", "--watch a a"] {
        let args = ["tui-client"].into_iter().chain(line.split(' '));
        assert!(Plan::parse(args, false).is_err(), "{line}");
    }
    assert!(Plan::parse(["tui-client", "--alert", "a > 1", "get", "a"], false).is_err());
}

#[test]
fn completions_and_manual_come_from_the_same_table() {
    for shell in Shell::value_variants() {
        let RunMode::Print(text) = mode(&format!("--completions {shell}"), true) else {
            panic!("{shell}");
        };
        assert!(String::from_utf8(text).unwrap().contains("columns"), "{shell}");
    }
    let RunMode::Print(man) = mode("--man", false) else { panic!("no manual") };
    let man = String::from_utf8(man).unwrap();
    for part in [".TH", "no\\-mouse", "filter", "columns", "EXIT CODES", "palm.cpu"] {
        assert!(man.contains(part), "{part}");
    }
}

#[test]
fn the_memory_for_the_log_fits_the_machine() {
    let memory = |typed: &str| {
        let plan = Plan::parse(["tui-client", "--log-memory", typed], true);
        plan.map(|plan| plan.log_memory).map_err(|error| error.to_string())
    };
    assert_eq!(Plan::parse(["tui-client"], true).unwrap().log_memory, 64 << 20);
    assert_eq!((memory("1"), memory("1024")), (Ok(1 << 20), Ok(1 << 30)));
    for large in ["1025", "4096", "65535"] {
        match memory(large) {
            Ok(bytes) => assert_eq!(Ok(bytes >> 20), large.parse()),
            Err(why) => assert!(why.contains("a number of MiB from 1 to 1024"), "{why}"),
        }
    }
    for wrong in ["0", "65536", "-1", "1.5", "18446744073709551616", "x", ""] {
        assert!(memory(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn ascii_is_chosen_with_a_word_or_without() {
    for (typed, expected) in [
        (&["get", "a"][..], When::Auto),
        (&["--ascii", "get", "a"], When::Always),
        (&["--ascii", "put", "a", "-1"], When::Always),
        (&["--ascii=always", "get", "a"], When::Always),
        (&["--ascii=never", "get", "a"], When::Never),
        (&["--ascii=auto"], When::Auto),
    ] {
        let args = ["tui-client"].iter().chain(typed);
        assert_eq!(Plan::parse(args, true).unwrap().screen.ascii, expected, "{typed:?}");
    }
    assert_eq!(mode("--ascii -1", true), RunMode::Request("-1".to_owned()));
}

#[test]
fn intervals_are_checked() {
    assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
    for bad in ["0", "-1", "nan", "inf", "1e9", "x", ""] {
        assert!(seconds(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_port_is_explained_without_words_of_a_library() {
    for typed in ["abc", "10801x", "0", "65536", "1.5", ""] {
        let why = Plan::parse(["tui-client", "--port", typed], true).unwrap_err().to_string();
        assert!(why.contains("a port is a number from 1 to 65535"), "{why}");
    }
    assert_eq!(Plan::parse(["tui-client", "--port", "65535"], true).unwrap().server.port, 65535);
}

#[test]
fn only_what_may_have_been_meant_is_suggested() {
    let said = |args: &[&str]| {
        Plan::parse(["tui-client"].iter().chain(args), true).unwrap_err().to_string()
    };
    for (args, meant) in [
        (&["--sort", "lst"][..], "'last'"),
        (&["--wach", "a"], "'--watch'"),
        (&["--colums", "key"], "'--columns'"),
    ] {
        assert!(said(args).contains(&format!("exists: {meant}")), "{}", said(args));
    }
    for args in [&["--sort", "bla"][..], &["--at", "3:12"], &["--window", "2h"]] {
        assert!(!said(args).contains("similar"), "{}", said(args));
    }
}

#[test]
fn a_watch_begins_some_time_ago_or_at_a_moment() {
    let age = |text: &str| since(text).map(shared::duration::Duration::seconds);
    assert_eq!(age("15m"), Ok(900));
    let (at, now) = (unix_now() - 5000, unix_now());
    let since_then = age(&at.to_string()).unwrap();
    assert!((5000..=5000 + unix_now() - now + 1).contains(&since_then), "{since_then}");
    let day = 86_400;
    assert!(age("3:05").is_ok_and(|age| (0..=day + 7200).contains(&age)));
    assert!(age("yesterday 9:00").is_ok_and(|age| (0..=2 * day).contains(&age)));
    for (text, why) in [
        ("15", "a span has a unit, such as 15m, 6h or 7d"),
        ("2999-01-01", "2999-01-01 is still to come"),
        ("soon", "a span such as 15m, or a time such as -2h, 14:30"),
    ] {
        assert!(since(text).is_err_and(|said| said.starts_with(why)), "{text}");
    }
}

#[test]
fn what_the_screen_does_with_times_marks_and_pictures_is_in_the_help() {
    let help = Args::command().render_long_help().to_string();
    for said in ["@ goes to a time", "mark.NAME", "C compares", "SVG file", "v changes the theme"] {
        assert!(help.contains(said), "{said}");
    }
}

#[test]
fn columns_and_filters_of_a_comparison_are_said_to_be_of_the_screen() {
    for args in [
        ["--columns", "key,moved"],
        ["--sort", "-percent"],
        ["--filter", "last > 5 or not moved > 5"],
        ["--filter", "percent != 0"],
    ] {
        let args = [&["tui-client", "--once"][..], &args].concat();
        let refused = Plan::parse(args, false).unwrap_err().to_string();
        assert!(
            refused.contains("is of a comparison, which the screen alone has: C "),
            "{refused}"
        );
    }
    for args in [["--once", "percent or new"], ["--once", "stopped"], ["--view=x", "moved > 5"]] {
        let args = ["tui-client", args[0], "--filter", args[1]];
        let refused = Plan::parse(args, true).err().map(|why| why.to_string()).unwrap_or_default();
        assert!(!refused.contains("comparison"), "{refused}");
    }
    let refused = Plan::parse(["tui-client", "--once", "--sort", "nothing"], false).unwrap_err();
    assert!(refused.to_string().contains("possible values"), "{refused}");
}
