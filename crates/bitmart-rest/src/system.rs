//! Time and maintenance of the exchange.

use bitmart_types::{ServiceState, ServiceType, Timestamp, wire};
use serde::{Deserialize, Serialize};

mod generated;

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

/// Clock of the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServerTime {
    /// The time at which the exchange answered.
    #[serde(with = "wire::millis")]
    pub server_time: Timestamp,
}

/// Maintenance notices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceStatuses {
    /// One row per notice.
    #[serde(deserialize_with = "wire::list")]
    pub service: Vec<ServiceStatus>,
}

/// A maintenance notice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceStatus {
    /// Headline.
    #[serde(with = "wire::text")]
    pub title: String,
    /// The part of the exchange that it is about.
    pub service_type: ServiceType,
    /// How far the maintenance is.
    #[serde(rename = "status", with = "wire::text")]
    pub state: ServiceState,
    /// When it starts.
    #[serde(with = "wire::millis_opt")]
    pub start_time: Option<Timestamp>,
    /// When it ends.
    #[serde(with = "wire::millis_opt")]
    pub end_time: Option<Timestamp>,
}
