//! A transport against a server that misbehaves.

mod checks;
mod server;

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use crate::transport::Transport;

/// How long one check may take.
const PATIENCE: Duration = Duration::from_secs(20);

type Running<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Tries a transport against a server on this machine that redirects, closes connections too early,
/// compresses, stalls and sends more than it was asked for, and tells which of the rules of
/// [`Transport`] it keeps: sent at most once, no redirects, bytes as they are, and errors that do
/// not claim *not sent* of what has arrived.
///
/// The addresses are `http://127.0.0.1` with ports of the system's choice, so that the transport
/// must take plain HTTP. What it does with TLS, HTTP/2 or a proxy is not tried.
///
/// ```
/// use bitmart_rest::testing::transport_conformance;
/// use bitmart_rest::transport::HyperTransport;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), bitmart_rest::ConfigError> {
/// let transport = HyperTransport::builder().build()?;
/// transport_conformance(&transport).await.assert_passed();
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
/// Dropping the future ends the servers.
///
/// # Panics
/// Outside of a tokio runtime with time and I/O enabled. Not for a paused clock, which does not
/// wait for the network.
pub async fn transport_conformance<T: Transport>(transport: &T) -> ConformanceReport {
    let mut report = ConformanceReport { checks: Vec::new() };
    for (name, check) in checks::ALL {
        let result = tokio::time::timeout(PATIENCE, check(transport)).await;
        let fault = match result {
            Ok(Ok(())) => None,
            Ok(Err(fault)) => Some(fault),
            Err(_) => Some(format!("no result within {PATIENCE:?}")),
        };
        report.checks.push(Check { name, fault });
    }
    report
}

/// What [`transport_conformance`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it may hold faults: `assert_passed` panics with them"]
pub struct ConformanceReport {
    checks: Vec<Check>,
}

/// One check of a transport.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// What was tried.
    pub name: &'static str,
    /// What the transport did wrong, if anything.
    pub fault: Option<String>,
}

impl ConformanceReport {
    /// All checks, in the order in which they ran.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Names of the checks that found a fault.
    pub fn faults(&self) -> Vec<&'static str> {
        let failed = self.checks.iter().filter(|check| check.fault.is_some());
        failed.map(|check| check.name).collect()
    }

    /// Does nothing if all checks passed.
    ///
    /// # Panics
    /// With the whole report if one did not.
    #[track_caller]
    pub fn assert_passed(&self) {
        assert!(self.faults().is_empty(), "the transport does not conform:\n{self}");
    }
}

/// A line for each check.
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
