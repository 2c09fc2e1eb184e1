//! Scenarios that are part of the sandbox.

/// The texts of the presets.
pub(crate) const PRESETS: [&str; 4] = [
    include_str!("bad_day.toml"),
    include_str!("gaps.toml"),
    include_str!("rate_limits.toml"),
    include_str!("crash.toml"),
];
