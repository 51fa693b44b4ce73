//! Measures functions and prints a table: time for one call, and items per second. For the
//! benchmarks of every crate, which include it by path.
#![allow(dead_code, reason = "each benchmark uses a part")]

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How long the calls of a sample take together, so that the clock's resolution does not count.
const SAMPLE_TIME: Duration = Duration::from_millis(1);

/// Samples unless told otherwise.
const SAMPLES: usize = 100;

/// Runs the benchmarks whose names contain a word of the command line, or all.
pub struct Measure {
    words: Vec<String>,
    /// Only `cargo bench` says so; `cargo test --benches` must not measure.
    is_asked: bool,
    samples: usize,
    items: Option<u64>,
}

impl Measure {
    /// Reads the command line and prints the heading.
    pub fn from_args() -> Self {
        let arguments: Vec<_> = std::env::args().skip(1).collect();
        let is_asked = arguments.iter().any(|argument| argument == "--bench");
        if is_asked {
            println!(
                "{:<44} {:>10} {:>10} {:>10} {:>10} {:>12}",
                "", "fastest", "median", "p99", "slowest", "items/s"
            );
        } else {
            println!("nothing measured: run it with cargo bench");
        }
        let words = arguments.into_iter().filter(|word| !word.starts_with('-')).collect();
        Self { words, is_asked, samples: SAMPLES, items: None }
    }

    /// Takes this many samples from here on.
    pub fn samples(&mut self, samples: usize) -> &mut Self {
        self.samples = samples;
        self
    }

    /// One call processes this many items from here on.
    pub fn items(&mut self, items: impl TryInto<u64>) -> &mut Self {
        self.items = items.try_into().ok();
        self
    }

    /// Whether anything is to be measured.
    pub fn is_asked(&self) -> bool {
        self.is_asked
    }

    /// Whether the benchmark is to run; for a costly preparation.
    pub fn wants(&self, name: &str) -> bool {
        self.is_asked
            && (self.words.is_empty() || self.words.iter().any(|word| name.contains(word)))
    }

    /// Measures `call`, as many calls in a sample as fill [`SAMPLE_TIME`].
    pub fn run<R>(&self, name: &str, mut call: impl FnMut() -> R) {
        if !self.wants(name) {
            return;
        }
        let mut calls = 1;
        while time(calls, &mut call) < SAMPLE_TIME {
            calls *= 2;
        }
        let samples = (0..self.samples).map(|_| time(calls, &mut call) / calls);
        self.report(name, samples.collect());
    }

    /// Measures single calls, for a `call` that goes on where the last one ended.
    pub fn run_single<R>(&self, name: &str, mut call: impl FnMut() -> R) {
        self.run_with(name, || (), |()| call());
    }

    /// Measures single calls, each with an input of its own that is made beforehand. What `call`
    /// returns is dropped after its time was taken.
    pub fn run_with<I, R>(
        &self,
        name: &str,
        mut prepare: impl FnMut() -> I,
        mut call: impl FnMut(I) -> R,
    ) {
        if !self.wants(name) {
            return;
        }
        let samples = (0..self.samples).map(|_| {
            let input = prepare();
            let start = Instant::now();
            let output = black_box(call(black_box(input)));
            let elapsed = start.elapsed();
            drop(output);
            elapsed
        });
        self.report(name, samples.collect());
    }

    fn report(&self, name: &str, mut samples: Vec<Duration>) {
        samples.sort_unstable();
        let at = |percent: usize| samples.get(samples.len() * percent / 100).or(samples.last());
        let cell = |percent| at(percent).map_or(String::new(), |time| format!("{time:.2?}"));
        let rate = self.items.zip(at(50)).map(|(items, time)| {
            #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
            let items = items as f64;
            format!("{:.2} M", items / time.as_secs_f64() / 1e6)
        });
        println!(
            "{name:<44} {:>10} {:>10} {:>10} {:>10} {:>12}",
            cell(0),
            cell(50),
            cell(99),
            cell(100),
            rate.unwrap_or_default()
        );
    }
}

fn time<R>(calls: u32, call: &mut impl FnMut() -> R) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        black_box(call());
    }
    start.elapsed()
}
