//! The command line, an argument a line, and the memory that there is: it is refused with a reason, or all
//! limits are within their bounds.

#![no_main]

use std::time::Duration;

use clap::Parser;
use libfuzzer_sys::fuzz_target;
use server::cli::Cli;
use server::config::{DataDirectory, ServerConfig};
use server::os::MemoryLimit;

fn is_long_enough(limit: Option<Duration>) -> bool {
    limit.is_none_or(|limit| limit >= Duration::from_secs(1))
}

fuzz_target!(|input: (Option<u64>, &str)| {
    let (memory, arguments) = input;
    let cli = match Cli::try_parse_from(["server"].into_iter().chain(arguments.lines())) {
        Ok(cli) => cli,
        Err(refused) => {
            assert!(!refused.render().to_string().is_empty());
            return;
        }
    };
    let known = memory.map(|bytes| MemoryLimit { bytes, source: "fuzzing" });
    let Ok(config) = ServerConfig::from_cli(cli, known) else { return };
    assert!(!config.host.is_empty());
    assert!(!matches!(&config.data, DataDirectory::Kept(path) if !path.is_absolute()));
    let store = &config.store;
    assert!(store.max_series > 0 && store.max_key_bytes > 0 && store.max_reads > 0, "{store:?}");
    assert!((1 << 16..=64 << 30).contains(&store.log_limit), "{store:?}");
    assert!((1 << 16..=64 << 30).contains(&store.follow_buffer), "{store:?}");
    assert!(store.segment_size <= store.log_limit && store.reserve < store.log_limit, "{store:?}");
    assert!(is_long_enough(store.retention) && is_long_enough(store.max_ahead), "{store:?}");
    // Also of the longest ones, at any time.
    assert!(!store.accepted().is_empty() || store.retention.is_some());
    assert!(config.max_connections != Some(0));
    let limits = &config.limits;
    for limit in
        [limits.handshake_timeout, limits.line_timeout, limits.stall_timeout, limits.idle_timeout]
    {
        assert!(is_long_enough(limit), "{limits:?}");
    }
});
