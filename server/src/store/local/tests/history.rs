//! What was sent to a store and acknowledged by it, and whether what it answers fits that.

use std::collections::BTreeMap;

use crate::store::query::Window;

/// Key, timestamp, value.
pub type Row = (String, i64, f64);

/// A moment, as the number of operations the disk had seen.
pub type Moment = usize;

/// All that was ever sent, in the order in which it was. Values are unique.
#[derive(Debug, Clone, Default)]
pub struct History {
    puts: Vec<Put>,
    deletes: Vec<Delete>,
    /// Counts sendings and acknowledgements.
    tick: usize,
}

#[derive(Debug, Clone)]
struct Put {
    row: Row,
    sent: (Moment, usize),
    /// By when it is to be durable.
    acknowledged: Option<(Moment, usize)>,
    /// Since when the client knows that it is not stored.
    refused: Option<Moment>,
}

/// Points that were taken back.
#[derive(Debug, Clone)]
struct Delete {
    /// That key alone, or all.
    key: Option<String>,
    window: Window,
    sent: (Moment, usize),
    acknowledged: Option<(Moment, usize)>,
}

impl Delete {
    fn covers(&self, row: &Row) -> bool {
        self.key.as_ref().is_none_or(|key| *key == row.0) && self.window.contains(row.1)
    }
}

/// A deletion that was sent.
#[derive(Debug, Clone)]
pub struct SentDelete(usize);

/// Puts that were sent together.
#[derive(Debug, Clone)]
pub struct Sent(std::ops::Range<usize>);

impl History {
    /// Notes that rows are about to be sent.
    pub fn send(&mut self, rows: &[Row], now: Moment) -> Sent {
        let start = self.puts.len();
        self.tick += 1;
        self.puts.extend(rows.iter().map(|row| Put {
            row: row.clone(),
            sent: (now, self.tick),
            acknowledged: None,
            refused: None,
        }));
        Sent(start..self.puts.len())
    }

    pub fn acknowledge(&mut self, sent: Sent, now: Moment) {
        self.tick += 1;
        for put in &mut self.puts[sent.0] {
            put.acknowledged = Some((now, self.tick));
        }
    }

    /// Notes that points are about to be taken back, of one key or of all.
    pub fn send_delete(&mut self, key: Option<String>, window: Window, now: Moment) -> SentDelete {
        self.tick += 1;
        self.deletes.push(Delete { key, window, sent: (now, self.tick), acknowledged: None });
        SentDelete(self.deletes.len() - 1)
    }

    pub fn acknowledge_delete(&mut self, sent: &SentDelete, now: Moment) {
        self.tick += 1;
        self.deletes[sent.0].acknowledged = Some((now, self.tick));
    }

    pub fn refuse(&mut self, sent: Sent, now: Moment) {
        for put in &mut self.puts[sent.0] {
            put.refused = Some(now);
        }
    }

    /// How many rows were sent.
    pub fn sent(&self) -> usize {
        self.puts.len()
    }

    /// Notes that a reader has seen rows: they must stay, as if they were acknowledged.
    pub fn see(&mut self, rows: &[Row], now: Moment) {
        self.tick += 1;
        for row in rows {
            let put = self.puts.iter_mut().find(|put| put.row == *row).unwrap();
            put.acknowledged.get_or_insert((now, self.tick));
        }
    }

    /// What is known of a disk that was cut off at `moment` and begins to count anew.
    pub fn cut_at(&self, moment: Moment) -> Self {
        let mut cut = self.clone();
        cut.puts.retain(|put| put.sent.0 <= moment);
        for put in &mut cut.puts {
            put.sent.0 = 0;
            put.acknowledged = put.acknowledged.filter(|at| at.0 <= moment).map(|at| (0, at.1));
            put.refused = put.refused.filter(|at| *at <= moment).map(|_| 0);
        }
        // Places stay, for deletions that are still to be acknowledged.
        for delete in &mut cut.deletes {
            if delete.sent.0 > moment {
                delete.window = Window::EMPTY;
            }
            delete.sent.0 = 0;
            delete.acknowledged =
                delete.acknowledged.filter(|at| at.0 <= moment).map(|at| (0, at.1));
        }
        cut
    }

    /// Whether `found` may be what there is after a crash at `moment`.
    pub fn check(&self, found: &[Row], moment: Moment) -> Result<(), String> {
        let mut values: BTreeMap<(&str, i64), Vec<&Put>> = BTreeMap::new();
        for put in self.puts.iter().filter(|put| put.sent.0 <= moment) {
            values.entry((&put.row.0, put.row.1)).or_default().push(put);
        }
        let durable = |put: &Put| put.acknowledged.is_some_and(|at| at.0 <= moment);
        let mut unseen = values.clone();
        for row in found {
            let place = (row.0.as_str(), row.1);
            unseen.remove(&place);
            let puts = values.get(&place).ok_or(format!("{row:?} was never sent"))?;
            let at = puts.iter().position(|put| put.row == *row);
            let at = at.ok_or(format!("{row:?} was never sent with this value"))?;
            if puts[at].refused.is_some_and(|at| at <= moment) {
                return Err(format!("{row:?} was refused"));
            }
            let came_back = self.deletes.iter().any(|delete| {
                let acknowledged = delete.acknowledged.is_some_and(|at| at.0 <= moment);
                let before = puts[at].acknowledged.is_some_and(|at| at.1 < delete.sent.1);
                acknowledged && before && delete.covers(row)
            });
            if came_back {
                return Err(format!("{row:?} was taken back and is there"));
            }
            if let Some(later) = puts[at + 1..].iter().find(|put| durable(put)) {
                return Err(format!("{row:?} was replaced by {:?}", later.row));
            }
        }
        let may_be_gone = |put: &Put| {
            let later = |delete: &&Delete| delete.sent.0 <= moment && delete.sent.1 > put.sent.1;
            self.deletes.iter().filter(later).any(|delete| delete.covers(&put.row))
        };
        let lost = unseen.into_values().flatten().find(|put| durable(put) && !may_be_gone(put));
        if let Some(lost) = lost {
            return Err(format!("{:?} was acknowledged and is lost: {lost:?}", lost.row));
        }
        for pair in found.windows(2) {
            if pair[0].0 == pair[1].0 && pair[0].1 >= pair[1].1 {
                return Err(format!("{:?} comes before {:?}", pair[0], pair[1]));
            }
        }
        self.check_order(found, moment)
    }

    /// A series whose first put was acknowledged before another one's was sent comes first.
    fn check_order(&self, found: &[Row], moment: Moment) -> Result<(), String> {
        let mut order: Vec<&str> = found.iter().map(|row| row.0.as_str()).collect();
        order.dedup();
        // A key that lost all its points comes last when it is put again.
        order.retain(|key| {
            !self.deletes.iter().any(|delete| delete.key.as_ref().is_none_or(|one| one == key))
        });
        let first_sent = |key: &str| {
            self.puts.iter().find(|put| put.row.0 == key).map_or(usize::MAX, |put| put.sent.1)
        };
        let first_acknowledged = |key: &str| {
            let acknowledged = |put: &&Put| put.row.0 == key && put.acknowledged.is_some();
            let first = self.puts.iter().find(acknowledged).and_then(|put| put.acknowledged);
            first.filter(|at| at.0 <= moment).map_or(usize::MAX, |at| at.1)
        };
        for (place, early) in order.iter().enumerate() {
            let sent = first_sent(early);
            for late in &order[place + 1..] {
                if early == late {
                    return Err(format!("{early} comes twice"));
                }
                if first_acknowledged(late) < sent {
                    return Err(format!("{early} comes before {late}, which was put first"));
                }
            }
        }
        Ok(())
    }
}
