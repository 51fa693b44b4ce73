//! The grammar of selectors: what each form means, where each mistake is, and what holds for all.

use std::num::NonZeroU64;
use std::ops::Range;

use proptest::prelude::*;
use shared::duration::Duration;
use shared::pattern::Pattern;
use shared::selector::{Aggregate, Buckets, Clause, SelectorError, Since, Step, Time};
use shared::{Request, Selector};

fn seconds(seconds: i64) -> Duration {
    Duration::from_seconds(seconds).unwrap()
}

fn ago(time: i64) -> Time {
    Time::Ago(seconds(time))
}

fn at(time: i64) -> Time {
    Time::At(time)
}

fn last(count: u64, to: Option<Time>) -> Clause {
    Clause::Last { count: NonZeroU64::new(count).unwrap(), to }
}

fn range(from: Option<Time>, to: Option<Time>) -> Clause {
    Clause::Range { from, to, buckets: None }
}

fn buckets(from: Option<Time>, to: Option<Time>, step: Step, how: Aggregate) -> Clause {
    Clause::Range { from, to, buckets: Some(Buckets { step, how }) }
}

fn follow(since: Option<Since>) -> Clause {
    Clause::Follow { since }
}

#[test]
fn every_form_of_a_clause_is_read_and_printed() {
    let every = |time| Step::Every(seconds(time));
    for (text, clause, printed) in [
        ("last", last(1, None), "last"),
        ("last:60", last(60, None), "last:60"),
        ("last:001", last(1, None), "last"),
        ("last@1150864247", last(1, Some(at(1_150_864_247))), "last@1150864247"),
        ("last:9223372036854775807@-15m", last(i64::MAX as u64, Some(ago(900))), ""),
        (":", range(None, None), ":"),
        ("1150864000:1150870000", range(Some(at(1_150_864_000)), Some(at(1_150_870_000))), ""),
        ("-15m:", range(Some(ago(900)), None), "-15m:"),
        ("-100:", range(Some(at(-100)), None), "-100:"),
        ("-100s:", range(Some(ago(100)), None), "-100s:"),
        (":-0s", range(None, Some(ago(0))), ":-0s"),
        ("+5:007", range(Some(at(5)), Some(at(7))), "5:7"),
        ("9:1", range(Some(at(9)), Some(at(1))), "9:1"),
        (
            "-1d::5m:max",
            buckets(Some(ago(86_400)), None, every(300), Aggregate::Max),
            "-1d::5m:max",
        ),
        ("::300", buckets(None, None, every(300), Aggregate::Avg), "::5m"),
        ("1:2:0090s:avg", buckets(Some(at(1)), Some(at(2)), every(90), Aggregate::Avg), "1:2:90s"),
        ("::all:count", buckets(None, None, Step::All, Aggregate::Count), "::all:count"),
        ("+", follow(None), "+"),
        (":+", follow(Some(Since::Beginning)), ":+"),
        ("-15m:+", follow(Some(Since::Time(ago(900)))), "-15m:+"),
        ("5:+", follow(Some(Since::Time(at(5)))), "5:+"),
        ("5:+7", range(Some(at(5)), Some(at(7))), "5:7"),
    ] {
        for pattern in ["*", "palm.cpu", "palm.{cpu,m?m}*"] {
            let text = format!("{pattern}[{text}]");
            let selector = Selector::from_bytes(text.as_bytes()).unwrap();
            assert_eq!(selector.pattern(), Pattern::new(pattern).unwrap());
            assert_eq!((selector.clause(), selector.to_string()), (Some(clause), text.clone()));
            assert_eq!(selector.as_key(), None);
            let printed = if printed.is_empty() { text } else { format!("{pattern}[{printed}]") };
            assert_eq!(format!("{pattern}[{clause}]"), printed);
        }
    }
    for name in "avg min max sum count first last rate p50 p90 p95 p99".split(' ') {
        let text = format!("*[::all:{name}]");
        assert!(Selector::from_bytes(text.as_bytes()).is_ok(), "{text}");
    }
}

#[test]
fn a_bad_selector_points_at_the_part_to_blame() {
    let time = "a time is a timestamp or, before now, a duration such as -15m";
    let duration = "a duration is a whole number and s, m, h, d or w, such as 90s, 15m or 6h";
    let count = "last:N takes a whole number from 1 on";
    let step = "a step is a duration such as 5m, a number of seconds from 1 on, or all";
    let how = "a bucket is one of avg, min, max, sum, count, first, last, rate, p50, p90, p95, p99";
    let clause = "in brackets stands last or last:N, both also with @TIME, FROM:TO, FROM:TO:STEP:HOW, + or FROM:+";
    let bracket = "a [ without a ] at the end";
    for (text, at, reason) in [
        ("", 0..0, "a key needs at least one character"),
        ("a\u{1}[last]", 0..8, "a key holds no '\\u{1}'"),
        ("[last]", 0..0, "a key or a pattern is missing"),
        ("a{b", 1..2, "a { without its }"),
        ("a{b[last]", 1..2, "a { without its }"),
        ("a}", 1..2, "a } without its {"),
        ("a{b{c}}", 3..4, "too many braces in each other"),
        ("a]", 1..2, "no key holds this character"),
        ("a[", 1..2, bracket),
        ("a[last]b", 1..8, bracket),
        ("a[last][last]", 1..13, bracket),
        ("a[[last]]", 1..9, bracket),
        ("a[]", 2..2, clause),
        ("a[first]", 2..7, clause),
        ("a[++]", 2..4, clause),
        ("a[lasting:5]", 2..9, time),
        ("a[last:]", 7..7, count),
        ("a[last:0]", 7..8, count),
        ("a[last:+1]", 7..9, count),
        ("a[last:9223372036854775808]", 7..26, count),
        ("a[last@]", 7..7, time),
        ("a[last@-1y]", 7..10, duration),
        ("a[last:5@x]", 9..10, time),
        ("a[1.5:]", 2..5, time),
        ("a[:9223372036854775808]", 3..22, time),
        ("a[:+15m]", 3..7, time),
        ("a[--5s:]", 2..6, duration),
        ("a[-1.5h:]", 2..7, duration),
        ("a[-9223372036854775808s:]", 2..23, "a duration fits 63 bits"),
        ("a[::]", 4..4, step),
        ("a[::0]", 4..5, step),
        ("a[::0s]", 4..6, step),
        ("a[::-5m]", 4..7, step),
        ("a[::9223372036854775808]", 4..23, step),
        ("a[::All]", 4..7, step),
        ("a[::5m:]", 7..7, how),
        ("a[::5m:AVG]", 7..10, how),
        ("a[::5m:avg:]", 7..11, how),
        ("a[x:+]", 2..3, time),
        ("a[1:2:+]", 6..7, step),
    ] {
        let bad: SelectorError = Selector::from_bytes(text.as_bytes()).expect_err(text);
        let found: (Range<usize>, &str) = (bad.at.clone(), &bad.to_string());
        assert_eq!(found, (at, reason), "{text}");
    }
}

fn time() -> impl Strategy<Value = Time> {
    prop_oneof![
        any::<i64>().prop_map(Time::At),
        (0..i64::MAX).prop_map(|time| Time::Ago(seconds(time))),
        (0..10_i64, prop::sample::select(vec![1, 60, 3600, 86_400, 604_800]))
            .prop_map(|(count, unit)| Time::Ago(seconds(count * unit))),
    ]
}

fn clause() -> impl Strategy<Value = Clause> {
    use Aggregate::{Avg, Count, First, Last, Max, Min, P50, P90, P95, P99, Rate, Sum};
    let how = [Avg, Min, Max, Sum, Count, First, Last, Rate, P50, P90, P95, P99];
    let step = prop_oneof![
        Just(Step::All),
        (1..i64::MAX).prop_map(|time| Step::Every(seconds(time))),
        (1..10_000_i64).prop_map(|time| Step::Every(seconds(time))),
    ];
    let buckets = (step, prop::sample::select(how.to_vec()));
    let buckets = buckets.prop_map(|(step, how)| Buckets { step, how });
    let time = || prop::option::of(time());
    let since = prop_oneof![Just(Since::Beginning), self::time().prop_map(Since::Time)];
    prop_oneof![
        (1..i64::MAX as u64, time()).prop_map(|(count, to)| last(count, to)),
        (time(), time(), prop::option::of(buckets)).prop_map(|(from, to, buckets)| Clause::Range {
            from,
            to,
            buckets
        }),
        prop::option::of(since).prop_map(follow),
    ]
}

proptest! {
    #[test]
    fn a_selector_reads_back_as_it_was_written(
        pattern in "[a-z.*?ж,]{1,10}(\\{[a*?,]{0,5}\\})?",
        clause in prop::option::of(clause()),
    ) {
        let text = clause.map_or(pattern.clone(), |clause| format!("{pattern}[{clause}]"));
        let selector = Selector::from_bytes(text.as_bytes()).unwrap();
        prop_assert_eq!((selector.pattern().as_str(), selector.clause()), (&*pattern, clause));
        let request = Request::Get(selector);
        let mut line = Vec::new();
        request.encode(&mut line);
        prop_assert_eq!(line.pop(), Some(b'\n'));
        prop_assert_eq!(Request::decode(&line), Ok(request));
    }

    #[test]
    fn any_word_is_a_selector_or_has_a_mistake_within(
        pattern in "[a*?{},ж]{0,4}",
        clause in prop_oneof![
            "\\[?(last)?[:@+-]{0,3}[0-9]{0,20}[smhdwx]?(:(all|5m|0)?)?(:(avg|p9))?[\\]:]?",
            "[a*?{}\\[\\]:@+0-9smж -]{0,12}",
        ],
    ) {
        let text = pattern + &clause;
        match Selector::from_bytes(text.as_bytes()) {
            Ok(selector) => {
                prop_assert_eq!(selector.to_string(), &*text);
                prop_assert_eq!(selector.clause().is_some(), text.contains('['));
            }
            Err(bad) => {
                prop_assert!(bad.at.start <= bad.at.end);
                prop_assert!(text.get(bad.at).is_some());
            }
        }
    }

    #[test]
    fn a_duration_reads_back_as_it_was_written(
        time in prop_oneof![0..i64::MAX, 0..100_000_i64, (0..1000_i64).prop_map(|day| day * 86_400)],
    ) {
        prop_assert_eq!(seconds(time).to_string().parse(), Ok(seconds(time)));
    }
}
