//! Sound data directories, which fuzzing damages.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use memchr::memmem;
use shared::{Key, Point};

use super::start::{Row, config, start};
use crate::store::local::config::Durability;
use crate::store::local::recovery::{Recovered, recover};
use crate::store::local::series::series_index::{SeriesId, SeriesLimits};
use crate::store::local::series::series_point::{SeriesPoint, SeriesWindow};
use crate::store::local::sim_disk::{Image, SimDisk};
use crate::store::local::state::StoreState;
use crate::store::local::wal::record;
use crate::store::local::wal::segment::{NextSegment, Segment};
use crate::store::query::Window;

/// A directory.
#[derive(Debug)]
pub struct Sound {
    pub image: Image,
    /// All that was ever put there; `None` when that is not known.
    pub rows: Option<BTreeSet<Row>>,
}

/// All of them; the first one is empty.
pub fn sound() -> &'static [Sound] {
    static SOUND: OnceLock<Vec<Sound>> = OnceLock::new();
    SOUND.get_or_init(|| {
        let empty = Sound { image: Image::new(), rows: Some(BTreeSet::new()) };
        let made = [parts_and_logs(false), parts_and_logs(true), format_1(), format_2()];
        [empty].into_iter().chain(made).chain([many_series()]).collect()
    })
}

/// Two parts, the second one with deletions, and two segments, of format 3. With losses, the first segment
/// of the second part was damaged.
fn parts_and_logs(has_losses: bool) -> Sound {
    let mut making = Making { disk: SimDisk::new(Image::new()), rows: Vec::new() };
    // Enough for a summary in the index.
    let many = if has_losses { 260 } else { 9 };
    making.add_segment(&[Batch::Points(many, Values::Decimal), Batch::Points(5, Values::Any)]);
    making.add_segment(&[Batch::Points(6, Values::Any)]);
    making.move_into_part();
    making.add_segment(&[Batch::Delete("palm.cpu", 1_150_864_250, 1_150_864_260)]);
    making.add_segment(&[Batch::Points(4, Values::Repeated), Batch::Points(3, Values::Any)]);
    if has_losses {
        making.damage_newest_segment();
    }
    making.move_into_part();
    making.add_segment(&[Batch::Points(3, Values::Any), Batch::Points(2, Values::Any)]);
    making.add_segment(&[
        Batch::Delete("eardrum.cpu", i64::MIN, i64::MAX),
        Batch::Points(3, Values::Decimal),
    ]);
    Sound { image: making.disk.visible(), rows: Some(making.rows.into_iter().collect()) }
}

/// Two parts whose indexes have two blocks of chunks each, of which most series are in both.
fn many_series() -> Sound {
    let mut making = Making { disk: SimDisk::new(Image::new()), rows: Vec::new() };
    for keys in [150, 140] {
        making.add_segment(&[Batch::Series(keys)]);
        making.move_into_part();
    }
    Sound { image: making.disk.visible(), rows: Some(making.rows.into_iter().collect()) }
}

/// What is committed together.
enum Batch {
    /// So many points of some series.
    Points(u32, Values),
    /// A point of each of so many series.
    Series(u32),
    /// A key, from a time to a time.
    Delete(&'static str, i64, i64),
}

/// What values are like.
#[derive(Clone, Copy)]
enum Values {
    Decimal,
    Repeated,
    Any,
}

const KEYS: [&str; 4] = ["palm.cpu", "eardrum.cpu", "palm.memory.free", "x"];

const REPEATED: [f64; 2] = [5.612_763_1, 1.0 / 3.0];

struct Making {
    disk: SimDisk,
    rows: Vec<Row>,
}

impl Making {
    /// Starts and writes a segment, without an orderly end.
    fn add_segment(&mut self, batches: &[Batch]) {
        let recovered = recover(Arc::new(self.disk.clone()), config(None));
        let Ok(Recovered { state, resume, .. }) = recovered else { return };
        let (id, previous) = (resume.segment, resume.previous);
        let next = NextSegment { id, first_sequence: resume.next_sequence, previous };
        let Ok(mut segment) = Segment::create(&self.disk, next, Durability::Sync) else { return };
        state.begin_segment(id);
        state.list_files();
        for batch in batches {
            let mut records = match batch {
                Batch::Points(count, values) => {
                    // Many points are those of one series.
                    let keys = &KEYS[..if *count > 100 { 1 } else { KEYS.len() }];
                    let keys =
                        (0..*count as usize).map(|number| keys[number % keys.len()].to_owned());
                    self.points(&state, keys, *values)
                }
                Batch::Series(count) => {
                    let keys = (0..*count).map(|number| format!("s{number:03}"));
                    self.points(&state, keys, Values::Decimal)
                }
                Batch::Delete(key, from, to) => delete(&state, key, (*from, *to)),
            };
            let written = segment.write(&mut records).and_then(|()| segment.sync());
            assert!(written.is_ok(), "the disk has no faults");
            segment.keep();
        }
    }

    fn points(
        &mut self,
        state: &StoreState,
        keys: impl Iterator<Item = String>,
        values: Values,
    ) -> Vec<u8> {
        let mut points = Vec::new();
        let mut series = Vec::new();
        for (number, key) in keys.enumerate() {
            let at = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
            let value = match values {
                Values::Decimal => f64::from(at % 90) / 4.0,
                Values::Repeated => REPEATED[number % 2],
                Values::Any => 1.0 / (1.0 + f64::from(at)),
            };
            let timestamp = 1_150_864_247 + i64::from(at / 2 * 3);
            let id = series_of(state, &key);
            series.push((id, key.parse().unwrap_or_else(|error| panic!("{error}"))));
            points.push(SeriesPoint { series: id, point: Point { timestamp, value } });
            self.rows.push((key, timestamp, value.to_bits()));
        }
        series.dedup();
        let mut records = Vec::new();
        record::append_series(&series, &mut records);
        record::append_points(&points, &mut records);
        record::append_series(&series, &mut records);
        records
    }

    fn move_into_part(&self) {
        let started = start(&self.disk, config(None));
        assert!(started.is_some_and(|started| started.checkpoint()), "the disk has no faults");
    }

    fn damage_newest_segment(&mut self) {
        let mut image = self.disk.visible();
        let newest = image.iter_mut().rfind(|(name, _)| name.starts_with("log-"));
        let value = REPEATED[0].to_le_bytes();
        if let Some((_, bytes)) = newest
            && let Some(at) = memmem::find(bytes, &value)
        {
            bytes[at] ^= 1;
        }
        self.disk = SimDisk::new(image);
    }
}

fn series_of(state: &StoreState, key: &str) -> SeriesId {
    let key = Key::new(key).unwrap_or_else(|error| panic!("{error}"));
    let found = state.index_mut().find_or_create(key, SeriesLimits::NONE);
    found.unwrap_or_else(|error| panic!("{error:?}"))
}

fn delete(state: &StoreState, key: &str, (from, to): (i64, i64)) -> Vec<u8> {
    let mut records = Vec::new();
    let series = series_of(state, key);
    record::append_deletes(&[SeriesWindow { series, window: Window { from, to } }], &mut records);
    records
}

/// A directory of the tests.
macro_rules! kept {
    ($directory:literal: $($name:literal)*) => {{
        let mut image = Image::new();
        $(
            let bytes = include_bytes!(concat!("../../../../tests/data/", $directory, "/", $name));
            image.insert($name.to_owned(), bytes.to_vec());
        )*
        Sound { image, rows: None }
    }};
}

fn format_1() -> Sound {
    kept!("format-1/crash": "FORMAT" "LOCK" "log-000000000001" "log-000000000002"
        "log-000000000003" "part-000000000001-000000000002")
}

fn format_2() -> Sound {
    kept!("format-2/beside-format-1": "FORMAT" "LOCK" "part-000000000001-000000000001"
        "part-000000000002-000000000002")
}
