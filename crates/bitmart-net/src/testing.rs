//! A conformance test for custom connectors, and proxies for tests.

mod conformance;
mod proxy;

pub use conformance::{TestHost, conformance};
pub use proxy::{TestProxy, TestProxyBuilder};
