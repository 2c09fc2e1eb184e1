//! Time and maintenance of the exchange.

use bitmart_types::{Rows, Timestamp, codec};
use serde::{Deserialize, Serialize};

mod enums;
mod generated;

pub use enums::{ServiceState, ServiceType};
pub use generated::*;

/// The endpoints about the exchange itself: `client.system()`.
#[cfg(feature = "client")]
#[derive(Clone, Copy, Debug)]
pub struct System<'a> {
    client: &'a crate::Client,
}

#[cfg(feature = "client")]
impl crate::Client {
    /// Time and maintenance of the exchange.
    pub fn system(&self) -> System<'_> {
        System { client: self }
    }
}

/// Time of the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServerTime {
    /// The exchange's time when it sent the response.
    #[serde(with = "codec::millis")]
    pub server_time: Timestamp,
}

/// Maintenance notices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceStatuses {
    /// One row per notice.
    #[serde(rename = "service")]
    pub notices: Rows<ServiceStatus>,
}

/// A maintenance notice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceStatus {
    /// Headline.
    #[serde(default, with = "codec::text_opt")]
    pub title: Option<String>,
    /// The part of the exchange that it is about.
    #[serde(default, with = "codec::opt")]
    pub service_type: Option<ServiceType>,
    /// How far the maintenance is.
    #[serde(rename = "status", default, with = "codec::text_opt")]
    pub state: Option<ServiceState>,
    /// When it starts.
    #[serde(default, with = "codec::millis_opt")]
    pub start_time: Option<Timestamp>,
    /// When it ends.
    #[serde(default, with = "codec::millis_opt")]
    pub end_time: Option<Timestamp>,
}
