//! Names and their addresses.

use std::error::Error as StdError;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

/// What [`Resolve::resolve`] returns.
pub type ResolveFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, Box<dyn StdError + Send + Sync>>> + Send + 'a>>;

/// Looks names up.
///
/// ```
/// use std::net::IpAddr;
///
/// use bitmart_net::{Connector, Resolve, ResolveFuture};
///
/// /// Knows one host only.
/// struct Fixed(IpAddr);
///
/// impl Resolve for Fixed {
///     fn resolve<'a>(&'a self, name: &'a str) -> ResolveFuture<'a> {
///         let found = if name == "api-cloud.bitmart.com" { vec![self.0] } else { Vec::new() };
///         Box::pin(async { Ok(found) })
///     }
/// }
///
/// let connector = Connector::builder().resolver(Fixed([203, 0, 113, 7].into())).build()?;
/// # Ok::<(), bitmart_net::ConnectorError>(())
/// ```
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a name, the preferred one first. An IP address is not asked for.
    ///
    /// # Errors
    /// When the look-up itself failed. A name without an address is an empty list.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the look-up.
    fn resolve<'a>(&'a self, name: &'a str) -> ResolveFuture<'a>;
}

/// The resolver of the operating system.
pub(crate) struct System;

impl Resolve for System {
    fn resolve<'a>(&'a self, name: &'a str) -> ResolveFuture<'a> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}
