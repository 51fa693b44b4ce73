//! The wire format of the metrics server and the async client that speaks it.
//!
//! A dialogue, with the bytes on the wire:
//!
//! ```
//! use shared::{Key, Point, Request, Selector, response};
//!
//! // C: put palm.cpu 23.7 1150864247
//! let put = Request::decode(b"put palm.cpu 23.7 1150864247")?;
//! let point = Point { value: 23.7, timestamp: 1_150_864_247 };
//! assert_eq!(put, Request::Put(Key::new("palm.cpu")?, point));
//!
//! // C: get palm.cpu
//! let mut wire = Vec::new();
//! Request::Get(Selector::from(Key::new("palm.cpu")?)).encode(&mut wire);
//! assert_eq!(wire, b"get palm.cpu\n");
//!
//! // S: ok
//! // S: palm.cpu 23.7 1150864247
//! // S:
//! let mut reply = Vec::new();
//! response::encode_status_ok(&mut reply);
//! response::encode_point(Key::new("palm.cpu")?, point, &mut reply);
//! response::encode_end(&mut reply);
//! assert_eq!(reply, b"ok\npalm.cpu 23.7 1150864247\n\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "certificates")]
pub mod certificates;
pub mod client;
#[cfg(feature = "dialogue")]
pub mod dialogue;
pub mod duration;
pub mod frame;
pub mod host;
pub mod key;
pub mod limits;
pub mod pattern;
pub mod point;
pub mod request;
pub mod response;
pub mod selector;
#[cfg(feature = "structure")]
pub mod structure;

pub use client::Client;
pub use key::{Key, KeyBuf};
pub use pattern::Glob;
pub use point::Point;
pub use request::Request;
pub use selector::Selector;

/// Where the server listens and the client connects unless told otherwise.
pub const DEFAULT_HOST: &str = "localhost";

/// The port of [`DEFAULT_HOST`].
pub const DEFAULT_PORT: u16 = 10001;

/// Version, commit and target of this build on one line, as `0.1.0, commit 1f2e3d4c5b6a,
/// x86_64-unknown-linux-musl`. A debug build names no commit.
pub const BUILD: &str =
    concat!(env!("CARGO_PKG_VERSION"), ", ", env!("BUILD_COMMIT"), ", ", env!("BUILD_TARGET"));
