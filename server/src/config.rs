//! From what was typed to a checked configuration.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use server::memory::MemoryShares;
use server::net::{ConnectionLimits, TlsFiles};
use server::os::MemoryLimit;
use server::store::local::{self, Durability};
use tracing::level_filters::LevelFilter;

use crate::cli::{Cli, DurabilityChoice, LogLevel, MaxMemory, OnDiskFailure};

/// How the server is to run.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what was typed and holds or not")]
pub struct ServerConfig {
    /// Name or address to listen on.
    pub host: String,
    /// Port to listen on; 0 picks a free one.
    pub port: u16,
    /// Other machines may come in without certificates.
    pub insecure_public: bool,
    /// Where the certificates are; `None` without TLS.
    pub tls: Option<TlsFiles>,
    /// A client changes only what its certificate names.
    pub limit_by_certificate: bool,
    /// Where the data is kept.
    pub data: DataDirectory,
    /// The store's settings.
    pub store: local::LocalConfig,
    /// The memory that the limits share; `None` when it is not limited.
    pub memory_limit: Option<MemoryLimit>,
    /// What each use of it may take.
    pub memory: MemoryShares,
    /// Whether clients may take points back.
    pub allow_delete: bool,
    /// Connections at once; `None` for as many as usual.
    pub max_connections: Option<u64>,
    /// How long a client may keep a connection waiting.
    pub limits: ConnectionLimits,
    /// End when the disk has failed.
    pub stop_on_disk_failure: bool,
    /// The most detailed messages that are logged.
    pub log_level: LevelFilter,
}

/// Where the data is kept.
#[derive(Debug)]
pub enum DataDirectory {
    /// At an absolute path.
    Kept(PathBuf),
    /// In a temporary directory that is removed at the end.
    Temporary,
}

impl ServerConfig {
    /// Checks what was typed. `known_limit` is the memory that there is, as far as it is known.
    ///
    /// # Errors
    /// When the data directory has no absolute path, or the port differs from the one behind the host.
    pub fn from_cli(cli: Cli, known_limit: Option<MemoryLimit>) -> anyhow::Result<Self> {
        let data = if cli.ephemeral {
            DataDirectory::Temporary
        } else {
            DataDirectory::Kept(absolute(&cli.data_dir)?)
        };
        let memory_limit = match cli.max_memory {
            Some(MaxMemory::Bytes(bytes)) => Some(MemoryLimit { bytes, source: "--max-memory" }),
            Some(MaxMemory::Unlimited) => None,
            None => known_limit,
        };
        let memory =
            memory_limit.map_or(MemoryShares::UNLIMITED, |limit| MemoryShares::of(limit.bytes));
        let max_series = cli.max_series.unwrap_or(u32::try_from(memory.series).unwrap_or(u32::MAX));
        let follow_buffer = cli.follow_buffer.unwrap_or(memory.follow_buffer);
        let log_limit = cli.log_limit.unwrap_or(memory.log_limit);
        let store = local::LocalConfig {
            durability: match cli.durability {
                DurabilityChoice::Sync => Durability::Sync,
                DurabilityChoice::Interval => Durability::Interval,
            },
            log_limit,
            // A recovery makes room between segments.
            segment_size: log_limit.min(local::LocalConfig::default().segment_size),
            max_series,
            max_key_bytes: memory.key_bytes,
            max_reads: memory.reads,
            reserve: if cli.ephemeral { 0 } else { log_limit / 4 },
            follow_buffer: usize::try_from(follow_buffer).unwrap_or(usize::MAX),
            retention: cli.retention,
            max_ahead: cli.max_ahead,
            ..local::LocalConfig::default()
        };
        let log_level = match cli.log_level {
            LogLevel::Off => LevelFilter::OFF,
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Trace => LevelFilter::TRACE,
        };
        let tls = cli.tls_cert.zip(cli.tls_key).map(|(certificate, key)| TlsFiles {
            certificate,
            key,
            client_ca: cli.tls_client_ca,
            revocations: cli.tls_crl,
        });
        let limits = ConnectionLimits {
            handshake_timeout: cli.handshake_timeout.limit(),
            line_timeout: cli.line_timeout.limit(),
            stall_timeout: cli.stall_timeout.limit(),
            idle_timeout: cli.idle_timeout.limit(),
        };
        let (allow_delete, max_connections) = (cli.allow_delete, cli.max_connections);
        let (port, host) = (cli.host.port(cli.port)?, cli.host.into_name());
        Ok(Self {
            host,
            port,
            insecure_public: cli.insecure_public,
            tls,
            limit_by_certificate: cli.limit_by_certificate,
            data,
            store,
            memory_limit,
            memory,
            allow_delete,
            max_connections,
            limits,
            stop_on_disk_failure: cli.on_disk_failure == OnDiskFailure::Stop,
            log_level,
        })
    }
}

/// Other machines may reach an address.
pub fn is_public(address: IpAddr) -> bool {
    !address.to_canonical().is_loopback()
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).context("invalid --data-dir")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn config(arguments: &[&str]) -> anyhow::Result<ServerConfig> {
        ServerConfig::from_cli(Cli::parse_from([&["server"], arguments].concat()), None)
    }

    #[test]
    fn defaults_are_those_of_the_store() {
        let config = config(&[]).unwrap();
        let store = local::LocalConfig::default();
        assert_eq!(config.store.durability, store.durability);
        assert_eq!(config.store.log_limit, store.log_limit);
        assert_eq!(config.store.follow_buffer, store.follow_buffer);
        assert_eq!(config.store.retention, store.retention);
        assert_eq!(config.store.max_ahead, store.max_ahead);
        assert_eq!(config.limits, ConnectionLimits::default());
        assert_eq!(config.store.max_series, store.max_series);
    }

    #[test]
    fn limits_that_were_not_typed_share_the_memory() {
        let known = Some(MemoryLimit { bytes: 512 << 20, source: "a test" });
        let limits = |arguments: &[&str]| {
            let cli = Cli::parse_from([&["server"], arguments].concat());
            let store = ServerConfig::from_cli(cli, known).unwrap().store;
            (store.max_series, store.log_limit, store.follow_buffer)
        };
        assert_eq!(limits(&[]), (1 << 18, 16 << 20, 16 << 20));
        assert_eq!(limits(&["--max-memory", "128MiB"]), (1 << 16, 4 << 20, 4 << 20));
        assert_eq!(limits(&["--max-memory", "none"]), (u32::MAX, 64 << 20, 32 << 20));
        let typed = ["--max-series", "7", "--log-limit", "8MiB", "--follow-buffer", "1MiB"];
        assert_eq!(limits(&typed), (7, 8 << 20, 1 << 20));
    }

    #[test]
    fn the_port_may_stand_behind_the_host() {
        let address = |arguments: &[&str]| config(arguments).map(|known| (known.host, known.port));
        let expected = ("127.0.0.1".to_owned(), 7);
        assert_eq!(address(&["--host", "127.0.0.1:7"]).unwrap(), expected);
        assert_eq!(address(&["--host=127.0.0.1", "--port=7"]).unwrap(), expected);
        assert!(address(&["--host", "127.0.0.1:7", "--port", "8"]).is_err());
        let refused = Cli::try_parse_from(["server", "--host", "http://localhost"]).unwrap_err();
        assert!(refused.to_string().contains("no http:// before it"), "{refused}");
    }

    #[test]
    fn only_loopback_is_not_public() {
        for (address, expected) in [
            ("127.0.0.1", false),
            ("127.9.9.9", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("0.0.0.0", true),
            ("::", true),
            ("10.0.0.7", true),
            ("::ffff:10.0.0.7", true),
            ("fe80::1", true),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn the_data_directory_is_absolute_or_temporary() {
        let kept = config(&["--data-dir", "data"]).unwrap().data;
        assert!(matches!(kept, DataDirectory::Kept(path) if path.is_absolute()));
        assert!(matches!(config(&["--ephemeral"]).unwrap().data, DataDirectory::Temporary));
    }
}
