use super::*;
use crate::metrics::series::summary::Summarizer;

fn answer(text: &str) -> Answer {
    let mut summarizer = Summarizer::new(4);
    summarizer.add_lines(text.as_bytes());
    summarizer.finish()
}

fn show(table: &mut Table, text: &str, rows: usize) {
    assert_eq!(table.show("get *", answer(text), rows, 0), None, "small, so at once");
}

fn shown(table: &Table, rows: usize) -> String {
    table.visible(rows).map(|series| series.key.as_str()).collect()
}

#[test]
fn the_selection_stays_with_its_key_and_in_sight() {
    let mut table = Table::new("get *");
    show(&mut table, "a 1.0 1\nb 1.0 1\nc 1.0 1\nd 1.0 1\n", 2);
    table.move_by(2, 2);
    assert_eq!(table.first(2), 1);
    show(&mut table, "z 1.0 1\na 1.0 1\nb 1.0 1\nc 1.0 1\n", 2);
    assert_eq!(table.selected(), 3);
    assert_eq!(table.first(2), 2);
    show(&mut table, "", 2);
    assert_eq!(shown(&table, 2), "");
    table.move_by(-5, 0);
    assert_eq!(table.selected(), 0);
}

#[test]
fn a_held_row_stays_on_its_line_and_the_top_stays_the_top() {
    let mut table = Table::new("get *");
    show(&mut table, "a 1 1\nb 2 1\nc 3 1\nd 4 1\ne 5 1\n", 3);
    table.sort_by(2, (3, 200), 0);
    assert_eq!((shown(&table, 3).as_str(), table.selected()), ("edc", 0));
    show(&mut table, "a 9 1\nb 2 1\nc 3 1\nd 4 1\ne 5 1\n", 3);
    assert_eq!((shown(&table, 3).as_str(), table.selected()), ("aed", 0), "nothing is held");
    table.move_by(1, 3);
    show(&mut table, "a 1 1\nb 2 1\nc 3 1\nd 7 1\ne 5 1\n", 3);
    assert_eq!((shown(&table, 3).as_str(), table.selected()), ("dec", 1), "e stays in line 1");
    show(&mut table, "a 7 1\nb 8 1\nc 9 1\nd 6 1\ne 5 1\n", 3);
    assert_eq!((shown(&table, 3).as_str(), table.selected()), ("ade", 4), "the end is the end");
    table.move_by(isize::MIN, 3);
    show(&mut table, "z 99 1\ne 5 1\n", 3);
    assert_eq!((shown(&table, 3).as_str(), table.selected()), ("ze", 0), "let go at the top");
}

#[test]
fn the_order_moves_from_column_to_column() {
    let mut table = Table::new("get *");
    show(&mut table, "b 1 1\na 2 1\n", 3);
    let mut seen = Vec::new();
    for _ in 0..=table.sortable(3, 200).len() {
        table.sort_beside(1, 3, 0);
        seen.push(table.sort().column.map_or("-", Column::name));
    }
    let expected = ["key", "last", "change", "rate/s", "min", "max", "avg", "count", "age", "-"];
    assert_eq!(seen, expected);
    table.sort_beside(-1, 3, 0);
    assert_eq!(table.sort().column, Some(Column::Age));
    table.sort_by(1, (3, 200), 0);
    assert_eq!(shown(&table, 3), "ab");
    table.sort_by(1, (3, 200), 0);
    assert_eq!(shown(&table, 3), "ba");
    table.sort_by(99, (3, 200), 0);
    table.sort_by(0, (3, 200), 0);
    assert_eq!(table.sort(), Sort::default());
}

#[test]
fn a_large_table_is_arranged_elsewhere_and_shown_meanwhile() {
    let large = |first: usize| {
        let rows = (0..=AT_ONCE).map(|n| format!("k{n} {} 1\n", (n + first) % (AT_ONCE + 904)));
        answer(&rows.collect::<Vec<_>>().concat())
    };
    let first = |table: &Table| format!("{:?}", table.answer().series[0].last.value);
    let mut table = Table::new("get *");
    assert_eq!(table.show("get *", large(0), 3, 0), None, "in the order of the reply");
    let job = table.sort_by(2, (3, 200), 0).expect("too large to be sorted at once");
    assert!(table.arranging());
    assert_eq!(shown(&table, 2), "k0k1", "what was there stays");
    assert_eq!(table.show("get *", large(1), 3, 0), None, "one at a time");
    assert_eq!(table.show("get *", large(2), 3, 0), None);
    let later = table.arranged(job.run(), 3, 0).expect("the newest of those that wait");
    assert_eq!(shown(&table, 1), format!("k{AT_ONCE}"), "each is shown");
    assert_eq!(first(&table), "0.0");
    table.sort_by(1, (3, 200), 0);
    let other = table.arranged(later.run(), 3, 0).expect("in the order that is wanted now");
    assert_eq!(first(&table), "0.0", "not in the old one");
    assert_eq!(table.arranged(other.run(), 3, 0), None);
    assert_eq!(first(&table), "2.0");
    assert!(!table.arranging());
}

#[test]
fn a_job_is_not_shown_over_what_came_after_it() {
    let rows: Vec<_> = (0..=AT_ONCE).map(|n| format!("k{n} 1 1\n")).collect();
    let mut table = Table::new("get *");
    table.show("get *", answer(&rows.concat()), 3, 0);
    let job = table.sort_by(2, (3, 200), 0).expect("too large to be sorted at once");
    assert_eq!(table.show("get a", answer("a 1 1\n"), 3, 0), None, "small");
    assert!(!table.arranging());
    assert_eq!(table.arranged(job.run(), 3, 0), None);
    assert_eq!((shown(&table, 2), table.request()), ("a".to_owned(), "get a"));
}
