//! Benchmark harness and test helpers of this workspace. Not published.

pub mod bench;
pub mod canary;
pub mod capture;
