//! Checks a transport against a server that misbehaves.

mod checks;
mod server;

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use crate::transport::Transport;

/// Timeout of one check.
const CHECK_TIMEOUT: Duration = Duration::from_secs(20);

type CheckFuture<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Checks that a transport follows the rules of [`Transport`]: a request is sent at most once, redirects
/// are not followed, bytes are not changed, and an error does not claim *not sent* for a request that
/// has arrived. The transport is connected to a local server that redirects, closes connections early,
/// compresses, stalls and sends extra responses.
///
/// A transport that wraps a [`HyperTransport`](crate::transport::HyperTransport) is also checked to
/// forward [`reserve`](Transport::reserve).
///
/// The transport must accept plain HTTP: the server listens at `http://127.0.0.1` on a free port. TLS,
/// HTTP/2 and proxies are not checked.
///
/// ```
/// use bitmart_rest::testing::transport_conformance;
/// use bitmart_rest::transport::HyperTransport;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), bitmart_rest::types::ConfigError> {
/// let transport = HyperTransport::builder().build()?;
/// transport_conformance(&transport).await.assert_passed();
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
/// Dropping the future stops the server.
///
/// # Panics
/// Outside of a tokio runtime with time and I/O enabled. Do not pause tokio's clock: it does not wait for
/// the network.
pub async fn transport_conformance<T: Transport>(transport: &T) -> ConformanceReport {
    let mut report = ConformanceReport { checks: Vec::new() };
    for (name, check) in checks::ALL {
        let result = tokio::time::timeout(CHECK_TIMEOUT, check(transport)).await;
        let fault = match result {
            Ok(Ok(())) => None,
            Ok(Err(fault)) => Some(fault),
            Err(_) => Some(format!("no result within {CHECK_TIMEOUT:?}")),
        };
        report.checks.push(Check { name, fault });
    }
    report
}

/// The result of [`transport_conformance`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it may contain faults: `assert_passed` panics with them"]
pub struct ConformanceReport {
    checks: Vec<Check>,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// The name of the check.
    pub name: &'static str,
    /// What the transport did wrong; `None` if it passed.
    pub fault: Option<String>,
}

impl ConformanceReport {
    /// All checks, in the order in which they were run.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The names of the failed checks.
    pub fn faults(&self) -> Vec<&'static str> {
        let failed = self.checks.iter().filter(|check| check.fault.is_some());
        failed.map(|check| check.name).collect()
    }

    /// Asserts that all checks passed.
    ///
    /// # Panics
    /// If a check failed, with the report.
    #[track_caller]
    pub fn assert_passed(&self) {
        assert!(self.faults().is_empty(), "the transport does not conform:\n{self}");
    }
}

/// One line per check.
impl fmt::Display for ConformanceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Check { name, fault } in &self.checks {
            match fault {
                None => writeln!(f, "passed  {name}")?,
                Some(fault) => writeln!(f, "FAILED  {name}: {fault}")?,
            }
        }
        Ok(())
    }
}
