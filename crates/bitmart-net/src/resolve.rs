//! Name resolution.

use std::error::Error as StdError;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

/// The future returned by [`Resolve::resolve`].
pub type ResolveFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, Box<dyn StdError + Send + Sync>>> + Send + 'a>>;

/// Resolves host names to IP addresses.
///
/// ```
/// use std::net::IpAddr;
///
/// use bitmart_net::{Connector, Resolve, ResolveFuture};
///
/// /// Resolves a single host.
/// struct Fixed(IpAddr);
///
/// impl Resolve for Fixed {
///     fn resolve<'a>(&'a self, name: &'a str) -> ResolveFuture<'a> {
///         let addresses = if name == "api-cloud.bitmart.com" { vec![self.0] } else { Vec::new() };
///         Box::pin(async { Ok(addresses) })
///     }
/// }
///
/// let connector = Connector::builder().resolver(Fixed([203, 0, 113, 7].into())).build()?;
/// # Ok::<(), bitmart_net::ConnectorError>(())
/// ```
pub trait Resolve: Send + Sync + 'static {
    /// Returns the addresses of a host name, in order of preference. Not called for IP addresses.
    ///
    /// # Errors
    /// The resolution failed. A name without addresses is an empty list, not an error.
    ///
    /// # Cancel safety
    /// Dropping the future cancels the resolution.
    fn resolve<'a>(&'a self, name: &'a str) -> ResolveFuture<'a>;
}

/// The operating system's resolver.
pub(crate) struct System;

impl Resolve for System {
    fn resolve<'a>(&'a self, name: &'a str) -> ResolveFuture<'a> {
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    }
}
