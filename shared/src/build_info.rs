//! What a program was built from and for.

/// Version, commit and target on one line, as `0.1.0, commit 1f2e3d4c5b6a, x86_64-unknown-linux-musl`.
/// A debug build names no commit.
pub const VERSION: &str =
    concat!(env!("CARGO_PKG_VERSION"), ", ", env!("BUILD_COMMIT"), ", ", env!("BUILD_TARGET"));
