//! The command that is copied from the table or the chart, run in a shell: it prints the rows, the
//! columns and the order of the view, or the points.

use std::path::Path;

use tui_client::app::AppConfig;
use tui_client::app::copy_command;
use tui_client::event::{Event, KeyCode, KeyPress};
use tui_client::keymap::Mode;
use tui_client::metrics::column::Column;
use tui_client::metrics::filter::Filter;
use tui_client::metrics::series::{Series, rate};
use tui_client::metrics::sort::{Sort, TableSpec};
use tui_client::metrics::sparkline::sparkline;
use tui_client::sources::SourceLabel;
use tui_client::text::number::significant;

use crate::harness::client::{finish, piped, unix_now};
use crate::harness::scene::{Scene, config};
use crate::harness::server::TestServer;

const FAR: usize = 1000;

/// A server with some series: values of all sizes, keys that a shell and the command line take for
/// something else, one that is up to date.
fn server_with_series(now: i64) -> TestServer {
    let server = TestServer::start();
    let mut puts = String::new();
    for (key, values) in [
        ("palm.cpu", &[50.0, 20.0, 0.1 + 0.2][..]),
        ("palm.memory", &[1.5e9, 1_500_000_012.5]),
        ("eardrum.cpu", &[-3.0, 7.25]),
        ("it's-$(x)", &[5.0]),
        ("-v", &[1e-300, 2e300]),
        ("get", &[9.0, 9.0, 9.0]),
        ("火.cpu", &[1.0, 2.0, 3.0, 4.0]),
        ("huge", &[-1.7e308, 1.7e308]),
    ] {
        for (at, value) in (1..).zip(values) {
            let time = 1_150_864_200 + at * 10 + i64::try_from(key.len()).unwrap();
            puts.push_str(&format!("put {key} {value:?} {time}\n"));
        }
    }
    for at in 0..20 {
        puts.push_str(&format!("put fresh {at} {}\n", now + 1000 - 20 + at));
    }
    server.send(&puts);
    server
}

/// The screen of a client of this server.
fn scene(server: &TestServer, table: TableSpec) -> Scene {
    let address = format!("localhost:{}", server.port);
    let mut scene = Scene::with(200, 60, AppConfig { address, table, ..config() });
    scene.now.unix_ms = unix_now() * 1000;
    scene.tell(Event::Connected);
    answer(&mut scene, server, "get *");
    scene
}

fn answer(scene: &mut Scene, server: &TestServer, request: &str) {
    let reply = server.send(&format!("{request}\n"));
    let data = reply.strip_prefix("ok\n").unwrap().strip_suffix('\n').unwrap();
    scene.ok(request, data);
}

/// What a column of the view stands for, as data.
fn cell(series: &Series, column: Column) -> String {
    let number = |number: Option<f64>| match number {
        None => "-".to_owned(),
        Some(number) => {
            let mut text = Vec::new();
            shared::point::encode_value(number, &mut text);
            String::from_utf8(text).unwrap()
        }
    };
    let computed = |value: Option<f64>| {
        number(value.map(|value| if value.is_finite() { significant(value) } else { value }))
    };
    match column {
        Column::Key => series.key.to_string(),
        Column::Last => number(Some(series.last.value)),
        Column::Change => computed(series.change()),
        Column::Rate => computed(series.before.and_then(|before| rate(before, series.last))),
        Column::Min => number(series.min()),
        Column::Max => number(series.max()),
        Column::Avg => computed(series.mean()),
        Column::Count => series.count().unwrap().to_string(),
        Column::Time => series.last.timestamp.to_string(),
        Column::Spark => sparkline(series, 16),
        // Changes with each second.
        Column::Age => AGE.to_owned(),
        Column::Moved | Column::MovedShare => panic!("no command prints it"),
    }
}

/// Stands for any age.
const AGE: &str = "some";

fn columns(scene: &Scene) -> Vec<Column> {
    scene.app.table().chosen().shown().collect()
}

/// The rows of the view, its columns as data.
fn view(scene: &Scene) -> Vec<Vec<String>> {
    let row = |series| columns(scene).into_iter().map(|column| cell(series, column)).collect();
    scene.app.table().visible(FAR).map(row).collect()
}

/// What a shell prints for the command.
fn output(command: &str) -> String {
    let directory = Path::new(env!("CARGO_BIN_EXE_tui-client")).parent().unwrap();
    let path = format!("{}:{}", directory.display(), std::env::var("PATH").unwrap());
    let shell = piped("sh").args(["-c", command]).env("PATH", path).spawn();
    let (code, printed, said) = finish(shell.unwrap());
    let is_empty = said == "tui-client: no key passes the filter\n";
    assert!(code == i32::from(is_empty) && (is_empty || said.is_empty()), "{command}: {said}");
    printed
}

/// What the command prints, in the same form.
fn printed(command: &str, scene: &Scene) -> Vec<Vec<String>> {
    let columns = columns(scene);
    let row = |line: &str| {
        let mut cells: Vec<_> = line.split(' ').map(str::to_owned).collect();
        assert_eq!(cells.len(), columns.len(), "{command}: {line}");
        if let Some(at) = columns.iter().position(|&column| column == Column::Age) {
            cells[at].parse::<i64>().expect("seconds");
            AGE.clone_into(&mut cells[at]);
        }
        cells
    };
    output(command).lines().map(row).collect()
}

/// The command that is copied from the chart of some keys after some more keys were pressed.
fn chart_command(server: &TestServer, watched: &[&str], keys: &str) -> String {
    let address = format!("localhost:{}", server.port);
    let watch = watched.iter().map(|key| key.parse().unwrap()).collect();
    let mut scene = Scene::with(200, 60, AppConfig { address, watch, ..config() });
    scene.tell(Event::Connected);
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        answer(&mut scene, server, &line);
    }
    scene.to(Mode::Watch);
    scene.keys(keys);
    assert_eq!(scene.app.mode(), Mode::Chart);
    copy_command::command(&scene.app).unwrap()
}

#[test]
fn a_copied_command_prints_the_points_of_the_chart() {
    let server = server_with_series(unix_now());
    let port = server.port;
    let client = format!("tui-client --port {port}");
    let times = |from: i64, to: i64| {
        format!(" | awk '$3 >= {} && $3 <= {}'", 1_150_864_200 + from, 1_150_864_200 + to)
    };
    for (watched, keys, command, printed) in [
        (
            &["palm.cpu"][..],
            "f",
            format!("{client} get palm.cpu"),
            "palm.cpu 50.0 1150864218\npalm.cpu 20.0 1150864228\n\
             palm.cpu 0.30000000000000004 1150864238\n",
        ),
        (
            &["-v"],
            "f",
            format!("{client} get -- -v"),
            "-v 1e-300 1150864212\n-v 2e+300 1150864222\n",
        ),
        (
            &["it's-$(x)", "palm.memory", "火.cpu"],
            "f  ",
            format!("{client} get {}", r"'it'\''s-$(x)'"),
            "it's-$(x) 5.0 1150864219\n",
        ),
        (
            &["it's-$(x)", "-v", "palm.cpu"],
            "fM",
            format!(r"printf 'get %s\n' 'it'\''s-$(x)' -v palm.cpu | {client}"),
            "it's-$(x) 5.0 1150864219\n-v 1e-300 1150864212\n-v 2e+300 1150864222\n\
             palm.cpu 50.0 1150864218\npalm.cpu 20.0 1150864228\n\
             palm.cpu 0.30000000000000004 1150864238\n",
        ),
        (
            &["火.cpu"],
            "f5z",
            format!("{client} get '火.cpu'{}", times(37, 47)),
            "火.cpu 3.0 1150864237\n火.cpu 4.0 1150864247\n",
        ),
        (
            &["火.cpu"],
            "f5z[",
            format!("{client} get '火.cpu'{}", times(35, 45)),
            "火.cpu 3.0 1150864237\n",
        ),
        (
            &["火.cpu", "palm.cpu"],
            "fM5z",
            format!("printf 'get %s\\n' '火.cpu' palm.cpu | {client}{}", times(37, 47)),
            "火.cpu 3.0 1150864237\n火.cpu 4.0 1150864247\n\
             palm.cpu 0.30000000000000004 1150864238\n",
        ),
    ] {
        let copied = chart_command(&server, watched, keys);
        assert_eq!(copied, command);
        assert_eq!(output(&copied), printed, "{copied}");
    }
}

#[test]
fn a_copied_command_prints_the_points_of_two_runs() {
    let server = TestServer::start();
    let now = unix_now();
    let (first, second) = (now - 1000, now - 500);
    let points = [("run1", first), ("run2", second)]
        .map(|(run, start)| format!("put {run}.loss 1 {start}\nput {run}.loss 2 {}\n", start + 9));
    server.send(&points.concat());
    let address = format!("localhost:{}", server.port);
    let sources = ["run1.", "run2."].map(|run| SourceLabel {
        run: run.to_owned(),
        address: address.clone(),
        ..SourceLabel::default()
    });
    let (sources, watch) = (sources.to_vec(), vec!["run2.loss".parse().unwrap()]);
    let mut scene = Scene::with(200, 60, AppConfig { address, sources, watch, ..config() });
    scene.now.unix_ms = now * 1000;
    let mut scene = scene.follow().then(Scene::begin);
    let both = |time: i64, value: &str| {
        ["run1", "run2"].map(|run| format!("{run}.loss {value} {time}\n")).concat()
    };
    while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
        let reply = match &line {
            line if line.contains("mark") => String::new(),
            line if line.ends_with(":first]") => both(second, "1.0"),
            line if line.ends_with(":count]") => both(second, "2.0"),
            _ => both(second, "1.0") + &both(second + 9, "2.0"),
        };
        scene.ok(&line, &reply);
    }
    scene.to(Mode::Watch);
    scene.keys("f5");
    let command = copy_command::command(&scene.app).unwrap();
    let get = "get '{run2.loss,run1.loss}";
    assert!(command.contains(get), "{command}");
    // As they are in the chart: the first run is shifted by as much as it began before the second.
    let expected = ["run1", "run2"]
        .map(|run| format!("{run}.loss 1.0 {second}\n{run}.loss 2.0 {}\n", second + 9));
    assert_eq!(output(&command), expected.concat(), "{command}");
}

#[test]
fn a_copied_command_prints_rows_columns_and_order_of_the_table() {
    let server = server_with_series(unix_now());
    for (keys, rows, words) in [
        ("", 9, " --once --columns=key,last,"),
        ("/palm.*\n", 2, " --once --filter='palm.*' --columns=key,last,"),
        (
            "/last > 1 and age > 1h or palm\n2",
            8,
            " --filter='last > 1 and age > 1h or palm' --sort=-last ",
        ),
        ("/not stale\n", 1, " --filter='not stale' "),
        ("/\"it's-\" or !stale\n", 2, r#" --filter='"it'\''s-" or !stale' "#),
        ("/key = -v\n", 1, " --filter='key = -v' "),
        ("o", 9, " --once --sort=-reply "),
        ("1", 9, " --sort=key "),
        ("11", 9, " --sort=-key "),
        ("3", 9, " --sort=-change "),
        ("44", 9, " --sort=rate "),
        ("8", 9, " --sort=-count "),
        ("9", 9, " --sort=age "),
        ("cjjjj jj \x1b5", 9, " --sort=-avg --columns=key,last,rate,max,avg,"),
        ("cjjjj j j j j j j j j \x1b3", 9, " --once --sort=-time"),
        ("cGk \x1b>>>>>>>>>>", 9, " --sort=-time --columns=key,last,"),
        ("/zebra*\n", 0, " --filter='zebra*' "),
    ] {
        let mut scene = scene(&server, TableSpec::default());
        scene.to(Mode::Table);
        for c in keys.chars() {
            scene.press(match c {
                '\n' => KeyPress::plain(KeyCode::Enter),
                '\x1b' => KeyPress::plain(KeyCode::Esc),
                c => KeyPress::char(c),
            });
        }
        let command = copy_command::command(&scene.app).unwrap();
        assert_eq!(scene.app.table().rows(), rows, "{keys:?}");
        assert!(command.contains(words), "{keys:?}: {command}");
        assert_eq!(printed(&command, &scene), view(&scene), "{command}");
    }
}

#[test]
fn a_table_spec_from_the_start_is_copied_too() {
    let server = server_with_series(unix_now());
    let filter: Filter = "*.cpu".parse().unwrap();
    let sort = Sort { column: Some(Column::Last), descending: true };
    let columns = vec![Column::Count, Column::Last];
    let mut scene =
        scene(&server, TableSpec { filter: Some(filter), sort, columns, ..TableSpec::default() });
    let keys: Vec<_> = view(&scene).iter().map(|row| row.join(" ")).collect();
    assert_eq!(keys, ["eardrum.cpu 7.25 2", "火.cpu 4.0 4", "palm.cpu 0.30000000000000004 3"]);
    scene.to(Mode::Table);
    let command = copy_command::command(&scene.app).unwrap();
    let words = " --once --filter='*.cpu' --sort=-last --columns=key,last,count";
    assert!(command.ends_with(words), "{command}");
    assert_eq!(printed(&command, &scene), view(&scene));
}
