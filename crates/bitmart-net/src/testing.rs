//! Tests for connectors of one's own, and proxies to test with.

mod conformance;
mod proxy;

pub use conformance::{Host, conformance};
pub use proxy::{TestProxy, TestProxyBuilder};
