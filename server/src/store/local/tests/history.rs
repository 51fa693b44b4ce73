//! What was sent to a store and acknowledged by it, and whether what it answers fits that.

use std::collections::BTreeMap;

/// Key, timestamp, value.
pub type Row = (String, i64, f64);

/// A moment, as the number of operations the disk had seen.
pub type Moment = usize;

/// All that was ever sent, in the order in which it was. Values are unique.
#[derive(Debug, Clone, Default)]
pub struct History {
    puts: Vec<Put>,
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
            if let Some(later) = puts[at + 1..].iter().find(|put| durable(put)) {
                return Err(format!("{row:?} was replaced by {:?}", later.row));
            }
        }
        if let Some(lost) = unseen.into_values().flatten().find(|put| durable(put)) {
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
