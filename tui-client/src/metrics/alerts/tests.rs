use proptest::prelude::*;

use super::*;
use crate::metrics::series::summary::Summarizer;

fn alerts(alerts: &[&str]) -> Alerts {
    let alerts: Vec<Alert> = alerts.iter().map(|alert| alert.parse().unwrap()).collect();
    Alerts::new(&alerts)
}

fn evaluate(alerts: &mut Alerts, selector: &str, data: &str) -> Vec<String> {
    let mut summarizer = Summarizer::new(4);
    summarizer.add_lines(data.as_bytes());
    let asked = |key: &str| selector == "*" || selector == key;
    let complete = |pattern: &Glob| asked(pattern.as_str());
    let events = alerts.evaluate(&summarizer.finish().series, asked, complete, 10);
    events.iter().map(|event| event.text().to_owned()).collect()
}

#[test]
fn an_alert_fires_once_until_it_is_resolved() {
    let mut alerts = alerts(&["*.cpu > 90"]);
    let mut evaluate = |data: &str| evaluate(&mut alerts, "*", data);
    assert_eq!(evaluate("palm.cpu 90 1\n"), [""; 0]);
    assert_eq!(evaluate("palm.cpu 95 2\nx.mem 99 2\n"), ["alert: *.cpu > 90: palm.cpu is 95"]);
    assert_eq!(evaluate("palm.cpu 96 3\n"), [""; 0]);
    assert_eq!(evaluate("palm.cpu 1 4\n"), ["resolved: *.cpu > 90: palm.cpu is 1"]);
    assert!(alerts.fired() && !alerts.fires("palm.cpu"));
}

#[test]
fn a_point_between_two_answers_is_evaluated_too() {
    let mut alerts = alerts(&["a > 90", "a max > 98"]);
    let mut evaluate = |data: &str| evaluate(&mut alerts, "a", data);
    assert_eq!(evaluate("a 95 1\na 1 2\n"), [""; 0], "what was before is over");
    let between = ["alert: a > 90: a was 95.5 (age 7s)", "resolved: a > 90: a is 1"];
    assert_eq!(evaluate("a 95 1\na 1 2\na 95.5 3\na 1 4\n"), between);
    assert_eq!(evaluate("a 95 1\na 1 2\na 95.5 3\na 1 4\n"), [""; 0], "only once");
    assert_eq!(evaluate("a 1 4\na 97 5\n"), ["alert: a > 90: a is 97"]);
    assert_eq!(evaluate("a 97 5\na 1 6\na 98 7\na 98 8\n"), [""; 0], "it fired, and fires");
    assert_eq!(evaluate("a 98 8\na 1 9\na 97 10\na 1 11\n"), ["resolved: a > 90: a is 1"]);
    assert!(alerts.fired() && !alerts.fires("a"));
}

#[test]
fn all_points_of_a_new_key_are_evaluated() {
    for first in ["", "a 1 1\n"] {
        let mut alerts = alerts(&["* > 90"]);
        let mut evaluate = |data: &str| evaluate(&mut alerts, "*", data);
        assert_eq!(evaluate(first), [""; 0]);
        let between = ["alert: * > 90: b was 95 (age 9s)", "resolved: * > 90: b is 1"];
        assert_eq!(evaluate(&format!("{first}b 95 1\nb 1 2\n")), between);
    }
    let mut alerts = alerts(&["* > 90"]);
    assert_eq!(evaluate(&mut alerts, "a", "a 1 1\n"), [""; 0]);
    assert_eq!(evaluate(&mut alerts, "*", "a 1 1\nb 95 1\nb 1 2\n"), [""; 0], "not so new");
}

#[test]
fn changes_between_two_answers_are_evaluated_too() {
    let mut alerts = alerts(&["a change > 5", "a rate > 5", "a max > 50"]);
    let mut evaluate = |data: &str| evaluate(&mut alerts, "*", data);
    assert_eq!(evaluate("a 1 1\na 9 2\na 9 3\n"), [""; 0]);
    let told = [
        "alert: a change > 5: the change of a was 10 (age 5s)",
        "resolved: a change > 5: the change of a is 0",
    ];
    assert_eq!(evaluate("a 1 1\na 9 2\na 9 3\na 19 5\na 19 6\n"), told);
}

#[test]
fn alerts_without_data_are_known() {
    let mut alerts = alerts(&["a > 5", "no*such > 5"]);
    let without_data = |alerts: &Alerts| alerts.without_data().count();
    assert_eq!((without_data(&alerts), evaluate(&mut alerts, "*", "b 9 1\n").len()), (2, 0));
    evaluate(&mut alerts, "*", "a 1 1\n");
    let mut of_one_point = super::Alerts::new(&["a rate > 5".parse().unwrap()]);
    evaluate(&mut of_one_point, "*", "a 1 1\n");
    assert_eq!(without_data(&of_one_point), 1, "it has no rate");
    evaluate(&mut of_one_point, "*", "a 1 1\na 2 2\n");
    assert_eq!(without_data(&of_one_point), 0);
    let left: Vec<_> = alerts.without_data().map(ToString::to_string).collect();
    assert_eq!(left, ["no*such > 5"]);
}

#[test]
fn every_alert_on_a_key_fires() {
    let mut alerts = alerts(&["a > 5", "a > 8"]);
    assert_eq!(evaluate(&mut alerts, "a", "a 6 1\n"), ["alert: a > 5: a is 6"]);
    assert_eq!(evaluate(&mut alerts, "a", "a 9 2\n"), ["alert: a > 8: a is 9"]);
    assert_eq!(evaluate(&mut alerts, "a", "a 7 3\n"), ["resolved: a > 8: a is 7"]);
    assert!(alerts.fires("a"));
    alerts.add("a > 6".parse().unwrap());
    assert_eq!(evaluate(&mut alerts, "a", "a 7 3\n"), ["alert: a > 6: a is 7"]);
    alerts.forget("a");
    assert!(!alerts.fires("a"));
    assert_eq!(evaluate(&mut alerts, "a", "a 7 3\n").len(), 2, "it is looked at again");
    assert_eq!((alerts.drop_alerts_on("a").len(), alerts.alerts().len()), (3, 0));
}

#[test]
fn an_alert_ends_with_the_last_point_of_its_key() {
    let mut alerts = alerts(&["* > 5"]);
    assert_eq!(evaluate(&mut alerts, "*", "a 6 1\nb 7 1\n").len(), 2);
    assert_eq!(evaluate(&mut alerts, "b", "b 7 1\n"), [""; 0], "a was not asked for");
    let over = "no data: * > 5: a has no points any more";
    assert_eq!(evaluate(&mut alerts, "*", "b 7 1\n"), [over]);
    assert_eq!(evaluate(&mut alerts, "*", "b 7 1\n"), [""; 0]);
    assert!(alerts.fires("b") && !alerts.fires("a"));
}

fn series(data: &str) -> Series {
    let mut summarizer = Summarizer::new(16);
    summarizer.add_lines(data.as_bytes());
    summarizer.finish().series.remove(0)
}

#[test]
fn alerts_fire() {
    let palm = series("palm.cpu 20.0 998\npalm.cpu 95.0 1000\n");
    for (alert, fires, threshold) in [
        ("palm.cpu > 90", true, Some(90.0)),
        ("palm.* > 95", false, Some(95.0)),
        ("*.cpu last >= 95", true, Some(95.0)),
        ("palm.cpu age > 1m", true, None),
        ("palm.cpu rate > 2", true, None),
        ("eardrum.cpu > 1", false, Some(1.0)),
    ] {
        let alert: Alert = alert.parse().unwrap();
        assert_eq!(alert.fires(&palm, 2000), fires, "{alert}");
        assert_eq!(alert.threshold(), threshold, "{alert}");
    }
}

#[test]
fn what_is_computed_is_told_without_noise() {
    let palm = series("a 11.6 100\na 10.26 101\na 0.30000000000000004 104\n");
    for (alert, found) in [
        ("a change < 0", "the change of a is -9.96"),
        ("a rate < 0", "the rate of a is -3.32"),
        ("a avg > 0", "the avg of a is 7.38667"),
        ("a min < 1", "the min of a is 0.30000000000000004"),
        ("a > 0", "a is 0.30000000000000004"),
        ("a age > 1", "the age of a is 10s"),
    ] {
        let alert: Alert = alert.parse().unwrap();
        assert_eq!(alert.found(&palm, 114).0, found);
    }
}

#[test]
fn a_mistake_has_a_place() {
    for (alert, message) in [
        ("palm.cpu", "at character 9: one of < <= > >= = != is missing"),
        ("> 90", "at character 1: a key is missing before this, as in palm.cpu > 90"),
        ("palm.cpu > 90 and 3", "at character 15: nothing more belongs here"),
        ("palm.cpu 90", "at character 10: one of < <= > >= = != is missing"),
        (
            "a b",
            "at character 3: no number is called b; there are last, change, rate, min, max, avg, count and age",
        ),
    ] {
        let bad = alert.parse::<Alert>().expect_err(alert);
        assert_eq!(bad.to_string(), message, "{alert}");
    }
}

proptest! {
    #[test]
    fn any_text_parses_or_has_a_mistake_within(
        text in prop_oneof![".{0,40}", "[lastge<>=!()&|~\" 0-9kms*{},.火-]{0,30}",
            "((last|age|key|stale|not|and|or|\\(|\\)|<|>=|!|~|1k|5m|a\\*|\\{|\") ?){0,12}"]
    ) {
        match text.parse::<Alert>() {
            Ok(alert) => { alert.fires(&series("a 1.0 1\n"), 5); }
            Err(bad) => prop_assert!(bad.at <= text.chars().count() && !bad.reason.is_empty()),
        }
    }
}
