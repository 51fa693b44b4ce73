//! Which rows of a table are shown and in which order. A large table is arranged beside the loop
//! that takes the keys, so that a million rows never make it wait: [`SortJob`] is all that it takes.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::metrics::column::Column;
use crate::metrics::filter::Filter;
use crate::metrics::large_list::capacity;
use crate::metrics::needs::Needs;
use crate::metrics::series::Series;
use crate::metrics::series::summary::Answer;
use crate::metrics::window::Window;
use crate::text::natural;

/// Tables up to this size are arranged at once: it takes about a millisecond.
pub const AT_ONCE: usize = 16_384;

/// What to order by; the order of the reply where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sort {
    /// By which column.
    pub column: Option<Column>,
    /// The greatest first.
    pub descending: bool,
}

/// The word for the order of the reply.
const REPLY: &str = "reply";

impl Sort {
    /// The columns to order by. A trend has no order of its own.
    pub fn columns() -> impl Iterator<Item = Column> {
        Column::ALL.into_iter().filter(|&column| column != Column::Spark)
    }

    /// The ascending ones, by their names on the command line.
    pub fn words() -> impl Iterator<Item = &'static str> {
        Column::printed().filter(|column| *column != Column::Spark).map(Column::word).chain([REPLY])
    }

    /// The one of this name, behind a dash descending.
    pub fn named(text: &str) -> Option<Self> {
        let (descending, word) = text.strip_prefix('-').map_or((false, text), |word| (true, word));
        let column = Self::words().find(|known| *known == word).and_then(Column::named);
        (column.is_some() || word == REPLY).then_some(Self { column, descending })
    }
}

/// As on the command line: a descending one stands behind a dash.
impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.descending { "-" } else { "" })?;
        f.write_str(self.column.map_or(REPLY, Column::word))
    }
}

/// What is shown of an answer: which rows, in which order, which columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableSpec {
    /// The filter of the rows; all rows without one.
    pub filter: Option<Filter>,
    /// The order of the rows.
    pub sort: Sort,
    /// The columns; the usual ones when empty.
    pub columns: Vec<Column>,
    /// The window of the numbers on the screen.
    pub window: Window,
}

impl TableSpec {
    /// The points from which filter, order and columns are computed; without columns, the newest.
    pub fn needs(&self) -> Needs {
        let columns = self.columns.iter().copied().chain(self.sort.column).map(Column::needs);
        columns.chain(self.filter.as_ref().map(Filter::needs)).collect()
    }
}

/// The rows to show, as places in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// All in the order of the reply.
    Reply(u32),
    /// These.
    Rows(Vec<u32>),
}

impl Default for Order {
    fn default() -> Self {
        Self::Reply(0)
    }
}

impl Order {
    /// Rows to show.
    pub fn len(&self) -> usize {
        match self {
            Self::Reply(rows) => usize::try_from(*rows).unwrap_or(usize::MAX),
            Self::Rows(rows) => rows.len(),
        }
    }

    /// There is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place in the answer of a row.
    pub fn place(&self, row: usize) -> Option<usize> {
        match self {
            Self::Reply(_) => Some(row).filter(|&row| row < self.len()),
            Self::Rows(rows) => usize::try_from(*rows.get(row)?).ok(),
        }
    }

    /// Removes the rows of these places of the answer, which rise; those behind them move up.
    pub fn remove(&mut self, gone: &[usize]) {
        match self {
            _ if gone.is_empty() => {}
            Self::Reply(rows) => {
                *rows = rows.saturating_sub(u32::try_from(gone.len()).unwrap_or(u32::MAX));
            }
            Self::Rows(rows) => rows.retain_mut(|row| {
                usize::try_from(*row).is_ok_and(|place| match gone.binary_search(&place) {
                    Ok(_) => false,
                    Err(before) => {
                        *row -= u32::try_from(before).unwrap_or(0);
                        true
                    }
                })
            }),
        }
    }

    /// Names the row of each place, so that rows can be replaced.
    pub fn spell_out(&mut self) {
        if let Self::Reply(rows) = *self {
            *self = Self::Rows((0..rows).collect());
        }
    }

    /// Puts other places in place of these rows, if they are spelled out.
    pub fn splice(&mut self, rows: Range<usize>, places: Vec<u32>) {
        if let Self::Rows(all) = self {
            all.splice(rows, places);
        }
    }

    /// The row that shows a place of the answer.
    pub fn row(&self, place: usize) -> Option<usize> {
        match self {
            Self::Reply(_) => self.place(place),
            Self::Rows(rows) => rows.iter().position(|&row| usize::try_from(row) == Ok(place)),
        }
    }
}

/// A table to be arranged.
#[derive(Debug, Clone, PartialEq)]
pub struct SortJob {
    /// Comes back with the result; of two the later one counts.
    pub id: u64,
    /// The rows.
    pub answer: Arc<Answer>,
    /// The order of the rows.
    pub sort: Sort,
    /// The filter of the rows.
    pub filter: Option<Filter>,
    /// The rows are compared with others.
    pub is_compared: bool,
    /// Unix time, to which ages count.
    pub now: i64,
}

/// A table arranged.
#[derive(Debug, Clone, PartialEq)]
pub struct Sorted {
    /// As in the job.
    pub id: u64,
    /// As in the job.
    pub answer: Arc<Answer>,
    /// The rows to show.
    pub order: Order,
}

impl SortJob {
    /// Filters and sorts.
    pub fn run(self) -> Sorted {
        let filter = self.filter.as_ref().map(|filter| (filter, self.is_compared));
        let order = arrange(&self.answer.series, self.sort, filter, self.now);
        Sorted { id: self.id, answer: self.answer, order }
    }
}

/// The rows that pass, in order; beside the filter stands whether they are compared with others. Rows
/// without a value come last either way; equal ones keep the order of the reply.
pub fn arrange(series: &[Series], sort: Sort, filter: Option<(&Filter, bool)>, now: i64) -> Order {
    let all = u32::try_from(series.len()).unwrap_or(u32::MAX);
    if sort == Sort::default() && filter.is_none() {
        return Order::Reply(all);
    }
    let passes = |series: &Series| {
        filter.is_none_or(|(filter, is_compared)| filter.passes(series, now, is_compared))
    };
    let rows = (0..all).zip(series).filter(|(_, series)| passes(series));
    Order::Rows(in_order(rows, series, sort, now))
}

/// The rows with these places, in order.
pub fn arrange_some(mut places: Vec<u32>, series: &[Series], sort: Sort, now: i64) -> Vec<u32> {
    // As in the reply, whatever the order before.
    places.sort_unstable();
    let series_of = |place: u32| series.get(usize::try_from(place).ok()?);
    let rows = places.into_iter().filter_map(|place| Some((place, series_of(place)?)));
    in_order(rows, series, sort, now)
}

/// The places of rows that come in the order of the reply, in another order.
fn in_order<'a>(
    rows: impl DoubleEndedIterator<Item = (u32, &'a Series)>,
    series: &[Series],
    sort: Sort,
    now: i64,
) -> Vec<u32> {
    match sort.column {
        None if sort.descending => rows.rev().map(|(row, _)| row).collect(),
        None => rows.map(|(row, _)| row).collect(),
        Some(Column::Key) => by_key(rows, series, sort.descending),
        Some(column) => {
            let mark = |series| match column.number(series, now) {
                Some(value) => rank(value, sort.descending),
                None => u64::MAX,
            };
            let mut marks = with_room(rows.map(|(row, series)| (mark(series), row)));
            marks.sort_unstable();
            marks.into_iter().map(|(_, row)| row).collect()
        }
    }
}

/// Collects with room for all at once: a list that grows takes up to three times its size.
fn with_room<T>(all: impl Iterator<Item = T>) -> Vec<T> {
    let (at_least, at_most) = all.size_hint();
    let mut list = Vec::with_capacity(capacity::<T>(at_most.unwrap_or(at_least)));
    list.extend(all);
    list
}

/// A number whose order as an integer is that of the value; never the greatest.
fn rank(value: f64, descending: bool) -> u64 {
    // Adding zero makes -0 equal to 0.
    let bits = (value + 0.0).to_bits();
    let rising = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    if descending { !rising } else { rising }
}

/// By the natural order of the keys. They mostly begin alike, so the twelve bytes after what all share
/// decide nearly always, and the keys themselves, which lie all over the memory, are rarely looked at.
fn by_key<'a>(
    rows: impl Iterator<Item = (u32, &'a Series)>,
    series: &[Series],
    descending: bool,
) -> Vec<u32> {
    /// The bytes of a mark that are of the key; below them is the row.
    const BYTES: usize = size_of::<u128>() - size_of::<u32>();
    let keys = rows.map(|(row, series)| (series.key.as_str().as_bytes(), row));
    let keys: Vec<(&[u8], u32)> = with_room(keys);
    let Some(&(first, _)) = keys.first() else { return Vec::new() };
    let alike = |key: &[u8]| first.iter().zip(key).take_while(|(a, b)| a == b).count();
    let shared = keys.iter().map(|(key, _)| alike(key)).min().unwrap_or(0);
    let shared = natural::shared(&first[..shared]);
    let mark = |(key, row): (&[u8], u32)| {
        let mut mark = [0; size_of::<u128>()];
        for (byte, of_key) in mark.iter_mut().zip(natural::marks(&key[shared..]).take(BYTES)) {
            *byte = of_key;
        }
        let mark = u128::from_be_bytes(mark);
        (if descending { !mark } else { mark }) & !u128::from(u32::MAX) | u128::from(row)
    };
    let mut marks: Vec<u128> = keys.into_iter().map(mark).collect();
    marks.sort_unstable();
    #[expect(clippy::cast_possible_truncation, reason = "the row is the lowest 32 bits")]
    let row = |mark: u128| mark as u32;
    let key =
        |mark: u128| usize::try_from(row(mark)).map_or("", |place| series[place].key.as_str());
    for alike in marks.chunk_by_mut(|a, b| a >> 32 == b >> 32).filter(|alike| alike.len() > 1) {
        alike.sort_unstable_by(|&a, &b| {
            let order = natural::compare(key(a).as_bytes(), key(b).as_bytes());
            if descending { order.reverse() } else { order }.then(a.cmp(&b))
        });
    }
    marks.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::series::summary::Summarizer;

    fn answer(data: &str) -> Answer {
        let mut summarizer = Summarizer::new(4);
        summarizer.add_lines(data.as_bytes());
        summarizer.finish()
    }

    fn keys(answer: &Answer, order: &Order) -> Vec<String> {
        let places = (0..order.len()).filter_map(|row| order.place(row));
        places.map(|place| answer.series[place].key.to_string()).collect()
    }

    #[test]
    fn by_each_column_and_back() {
        let data = "b 5 10\na -1 5\na 3 6\nc 3 20\nd -0.0 1\n";
        let answer = answer(data);
        for (column, descending, expected) in [
            (None, false, "b a c d"),
            (None, true, "d c a b"),
            (Some(Column::Key), false, "a b c d"),
            (Some(Column::Key), true, "d c b a"),
            (Some(Column::Last), false, "d a c b"),
            (Some(Column::Last), true, "b a c d"),
            (Some(Column::Age), false, "c b a d"),
            (Some(Column::Time), false, "d a b c"),
            (Some(Column::Time), true, "c b a d"),
            (Some(Column::Change), false, "a b c d"),
            (Some(Column::Change), true, "a b c d"),
            (Some(Column::Min), false, "a d c b"),
            (Some(Column::Count), true, "a b c d"),
        ] {
            let order = arrange(&answer.series, Sort { column, descending }, None, 30);
            assert_eq!(keys(&answer, &order).join(" "), expected, "{column:?} {descending}");
        }
        let filter: Filter = "last >= 3".parse().unwrap();
        let order = arrange(&answer.series, Sort::default(), Some((&filter, false)), 30);
        assert_eq!(keys(&answer, &order), ["b", "a", "c"]);
    }

    #[test]
    fn a_key_that_begins_otherwise_than_all_the_others_has_its_place() {
        let line = |at: u32| format!("palm.{} 1 1\n", (at * 7919) % 20_000);
        let mut lines: Vec<_> = (0..20_000).map(line).collect();
        lines[1] = "kettle 1 1\n".to_owned();
        let answer = answer(&lines.concat());
        let sort = Sort { column: Some(Column::Key), descending: false };
        let order = keys(&answer, &arrange(&answer.series, sort, None, 0));
        assert_eq!((&*order[0], &*order[1]), ("kettle", "palm.0"));
        assert!(order.is_sorted_by(|a, b| natural::compare(a.as_bytes(), b.as_bytes()).is_lt()));
    }

    #[test]
    fn large_tables_are_in_the_order_of_a_stable_sort() {
        let number = |at: u32| at.wrapping_mul(2_654_435_761) % 1009;
        let line = |at| format!("host.{}.with.a.long.name.{at} {} 1\n", number(at), at % 7);
        let lines: Vec<_> = (0..20_000).map(line).collect();
        let answer = answer(&lines.concat());
        for (column, descending) in
            [(Column::Key, false), (Column::Key, true), (Column::Last, false), (Column::Last, true)]
        {
            let mut rows: Vec<&Series> = answer.series.iter().collect();
            rows.sort_by(|a, b| {
                let order = match column {
                    Column::Key => {
                        natural::compare(a.key.as_str().as_bytes(), b.key.as_str().as_bytes())
                    }
                    _ => a.last.value.total_cmp(&b.last.value),
                };
                if descending { order.reverse() } else { order }
            });
            let expected: Vec<_> = rows.into_iter().map(|series| series.key.to_string()).collect();
            let sort = Sort { column: Some(column), descending };
            let order = arrange(&answer.series, sort, None, 0);
            assert!(keys(&answer, &order) == expected, "{column:?} {descending}");
        }
    }

    #[test]
    fn orders_have_names() {
        for word in Sort::words() {
            let rising = Sort::named(word).unwrap();
            assert_eq!(rising.to_string(), word);
            let falling = Sort { descending: true, ..rising };
            assert_eq!(falling.to_string(), format!("-{word}"));
            assert_eq!(Sort::named(&falling.to_string()), Some(falling));
        }
        assert_eq!(Sort::named("reply"), Some(Sort::default()));
        assert_eq!(Sort::named("trend"), None, "it has no order");
    }

    proptest! {
        /// Places of an answer that lost some series lead to the same keys as before.
        #[test]
        fn rows_of_removed_series_are_gone(
            gone in proptest::collection::btree_set(0..9_usize, 0..9),
            order in Just((0..9).collect::<Vec<u32>>()).prop_shuffle(),
            is_reply in any::<bool>(),
        ) {
            let lines: Vec<_> = (0..9).map(|n| format!("k{n} 1 1\n")).collect();
            let mut answer = answer(&lines.concat());
            let gone: Vec<_> = gone.into_iter().collect();
            let mut order = if is_reply { Order::Reply(9) } else { Order::Rows(order) };
            let mut expected = keys(&answer, &order);
            expected.retain(|key| !gone.iter().any(|gone| *key == format!("k{gone}")));
            answer.remove(&gone);
            order.remove(&gone);
            prop_assert_eq!(keys(&answer, &order), expected);
            for (place, series) in answer.series.iter().enumerate() {
                prop_assert_eq!(answer.find(series.key.as_key()), Some(place));
            }
            prop_assert_eq!(answer.series.len(), 9 - gone.len());
        }

        #[test]
        fn keys_are_in_their_own_order(
            names in proptest::collection::hash_set("(palm|palm\\.|x){0,3}[a-c火]{1,20}", 1..40)
        ) {
            let lines: Vec<_> = names.iter().map(|name| format!("{name} 1 1\n")).collect();
            let data = lines.concat();
            let answer = answer(&data);
            let sort = Sort { column: Some(Column::Key), descending: false };
            let order = arrange(&answer.series, sort, None, 0);
            let mut expected: Vec<_> = names.into_iter().collect();
            expected.sort();
            prop_assert_eq!(keys(&answer, &order), expected);
        }

        #[test]
        fn ranks_are_in_the_order_of_the_values(a in any::<f64>(), b in any::<f64>()) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            prop_assert_eq!(rank(a, false).cmp(&rank(b, false)), a.partial_cmp(&b).unwrap());
            prop_assert_eq!(rank(a, true).cmp(&rank(b, true)), b.partial_cmp(&a).unwrap());
        }
    }
}
